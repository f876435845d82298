"""The command `plug-ins`: which are installed, and what is wrong with those that cannot be used."""

from __future__ import annotations

import typer

from convergekit.base.wording import counted
from convergekit.cli.tables import Force, Handed, OutFile, Printed, PrintedAs, Shown
from convergekit.plugging import plug_ins

_HEADINGS = {"kind": "kind", "name": "name", "package": "package", "version": "version"}


def plug_ins_command(
    printed: PrintedAs = Printed.text, out: OutFile = None, force: Force = False
) -> None:
    """List the plug-ins that are installed: exports, checks, rules of channels and of aliases.

    Exit code 0: each can be used. 1: one cannot.
    """
    handed = Handed(printed, out, force).checked()
    found = plug_ins()
    problems = tuple(dict.fromkeys(found["problem"].dropna()))
    title = f"{counted(len(found), 'plug-in')} installed"
    said = tuple(f"Left out: {problem}" for problem in problems)
    handed.hand_out(found, Shown(title, _HEADINGS, tuple(_HEADINGS), said))
    if problems:
        raise typer.Exit(1)
