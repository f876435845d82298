"""The command `convergekit`."""

from convergekit.cli.app import main

__all__ = ["main"]
