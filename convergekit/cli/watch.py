"""The command `watch`: what it prints, and when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convergekit.cli.check import checked
from convergekit.cli.console import ERRORS, remarks_told
from convergekit.store import existing_store
from convergekit.watching.watch import watch


def watch_command(
    numbers: Annotated[
        Path,
        typer.Argument(metavar="NUMBERS", help="A TOML file that names the numbers to watch."),
    ],
    store: Annotated[Path, typer.Option("--store", help="The store's directory.")],
    days: Annotated[
        int, typer.Option(help="How many of the latest days to compare: 7 if asked once a week.")
    ] = 1,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The last day, such as 2026-03-31. [the last one over]"),
    ] = None,
) -> None:
    """Compare a store's numbers with their own past, and print Markdown: for cron, after `add`.

    Exit code 0: no alarm. 1: an alarm. 2: the numbers could not be watched.
    """
    with checked(ERRORS):
        opened = existing_store(store)
        with remarks_told(), ERRORS.status("watching"):
            found = watch(opened, numbers, days=days, until=until)
            said = found.to_markdown()
    # Not through the console, which would wrap it.
    typer.echo(said)
    if len(found.alarms):
        raise typer.Exit(1)
