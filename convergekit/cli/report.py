"""What ``convergekit report`` takes, and which file it writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from convergekit.errors import ConvergekitError

OptionalSpend = Annotated[
    list[str] | None,
    typer.Option(
        "--spend",
        metavar="FILE",
        help="What was spent: a file, folder or archive of ad platforms' exports, or a quoted "
        "pattern; repeatable. [the report has no section on spend]",
    ),
]

_WRITERS: dict[str, Literal["to_html", "to_excel", "to_markdown"]] = {
    ".html": "to_html",
    ".htm": "to_html",
    ".xlsx": "to_excel",
    ".md": "to_markdown",
}


def writer_of(out: Path, force: bool) -> Literal["to_html", "to_excel", "to_markdown"]:
    """Return the method that writes a file of this name.

    Raises
    ------
    ConvergekitError
        The name does not say what kind of file, or a file is there and may not be replaced.

    Examples
    --------
    >>> writer_of(Path("report.md"), False)
    'to_markdown'
    """
    writer = _WRITERS.get(out.suffix.lower())
    if writer is None:
        raise ConvergekitError(
            f"--out must end in .html, .xlsx or .md, such as report.html; got {str(out)!r}."
        )
    if out.is_dir():
        raise ConvergekitError(
            f"--out must name a file, such as report.html; {out} is a directory."
        )
    if out.exists() and not force:
        raise ConvergekitError(
            f"{out} is there already; give another --out, or --force to overwrite."
        )
    return writer


def refuse_to_replace(out: Path, inputs: Iterable[Path]) -> None:
    """Raise if the report would replace a file that it is made of.

    Raises
    ------
    ConvergekitError
    """
    if out.exists() and any(map(out.samefile, inputs)):
        raise ConvergekitError(f"--out {out} is one of the files to be read; give another --out.")


_OPTIONS = {"questions": "--question", "steps": "--step", "by": "--by", "within": "--within"}


def of_report(text: str) -> str:
    """Return an error of a report in the words of the command.

    Examples
    --------
    >>> of_report("questions must be one of 'report', 'funnel'; got 'x'.")
    "--question must be one of 'report', 'funnel'; got 'x'."
    >>> of_report("name its steps with steps=[...].")
    'name its steps with --step ....'
    """

    def said(found: re.Match[str]) -> str:
        return _OPTIONS[found[1]]

    text = re.sub(r"^(questions|steps|by|within)(?= must)", said, text)
    text = text.replace("steps=[...]", "--step ...")
    return text.replace("spend=ck.read_spend([...]), the exports", "--spend FILE, the exports")
