"""`python -m convergekit.cli`, where the command is not on the path."""

from convergekit.cli import main

main()
