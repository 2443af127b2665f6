"""`python -m koki`."""

from koki.cli.app import main

main()
