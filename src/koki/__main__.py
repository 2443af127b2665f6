"""`python -m koki`."""

from koki.cli import main

main()
