"""How the command takes what does not fit into memory: by parts, in a directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from convergekit.errors import ConvergekitError

Workdir = Annotated[
    Path | None,
    typer.Option(
        "--workdir",
        metavar="DIRECTORY",
        help="Work part by part in this directory, empty or new; called again, a run that was "
        "ended goes on. It holds the events.",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Work part by part, each within so much memory, such as 6GB; without --workdir in "
        "a directory that is removed in the end.",
    ),
]
#: What is said of how files are read, which is not by parts yet, by the option.
_READING = {
    "format": "--read-as",
    "clock": "--clock",
    "encoding": "--encoding",
    "day_first": "--day-first",
    "amounts": "--amounts",
    "items": "--item",
}


@dataclass(frozen=True)
class ByParts:
    """That and where events are stitched part by part.

    Attributes
    ----------
    workdir : pathlib.Path or None
    memory : str or None
    """

    workdir: Path | None
    memory: str | None

    @property
    def asked(self) -> bool:
        """Whether they are."""
        return self.workdir is not None or self.memory is not None

    def columns_of(self, reading: dict[str, Any]) -> dict[str, Any]:
        """Return what is said of the columns of the files.

        Parameters
        ----------
        reading : dict of str
            As `read_events` takes it.

        Raises
        ------
        ConvergekitError
            More is said of how the files are read.

        Examples
        --------
        >>> ByParts(None, "6GB").columns_of({"format": "auto", "columns": {"event_name": "what"}})
        {'event_name': 'what'}
        """
        usual = {"format": "auto", "clock": {}}
        other = [
            option
            for name, option in _READING.items()
            if reading.get(name) not in (None, usual.get(name))
        ]
        if other:
            raise ConvergekitError(
                f"{', '.join(other)}: not with --workdir or --memory yet. Leave these out, or "
                "convert the files to Parquet first."
            )
        columns: dict[str, Any] = reading["columns"]
        return columns
