"""Tests of training, in a package, so that their conftest.py is another module than the one above."""
