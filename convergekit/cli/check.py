"""What ``convergekit check`` prints, and when it fails."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from enum import StrEnum

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from convergekit.checks.check_up import CheckUp
from convergekit.checks.fault import SEVERITIES
from convergekit.cli.reading import in_options
from convergekit.errors import ConvergekitError
from convergekit.visible import visible

FAIL_ON_HELP = (
    "Exit with 1 from this many findings on, or at any finding of this severity or a higher one: "
    "high, medium, low."
)
_COLOURS = {"high": "red", "medium": "yellow", "low": "cyan"}


class Output(StrEnum):
    """How `check` prints what it found."""

    text = "text"
    json = "json"
    markdown = "markdown"


@contextlib.contextmanager
def checked(errors: Console) -> Iterator[None]:
    """Exit with 2 where nothing can be checked: 1 would say that something was found."""
    try:
        yield
    except (ConvergekitError, OSError) as error:
        message = in_options(" ".join(str(error).split()))
        errors.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
        raise typer.Exit(2) from None


def failing(fail_on: str) -> Callable[[CheckUp], bool]:
    """Return what says whether a check-up fails.

    Examples
    --------
    >>> import convergekit as ck
    >>> clean = ck.check_up(ck.simulate_store(noise=0).events)
    >>> failing("low")(clean), failing("3")(clean)
    (False, False)
    """
    if fail_on in SEVERITIES:
        enough = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
        return lambda found: bool(found.findings["severity"].isin(enough).any())
    if fail_on.isdecimal() and int(fail_on):
        return lambda found: len(found) >= int(fail_on)
    raise ConvergekitError(
        f"--fail-on must be a number of findings from 1, or one of {', '.join(SEVERITIES)}; got "
        f"{fail_on!r}."
    )


def print_check_up(out: Console, found: CheckUp, output: Output) -> None:
    """Print a check-up for people, or for programs."""
    if output is Output.json:
        # Not through the console, which would wrap it; in ASCII, which any encoding writes alike.
        typer.echo(json.dumps(found.to_dict(), indent=2))
        return
    if output is Output.markdown:
        typer.echo(found.to_markdown())
        return
    out.print(Text(visible(found.title), style="bold"))
    for remark in found.remarks:
        out.print(Text(visible(remark), style="dim"))
    for row in found.findings.to_dict("records"):
        severity, concerned = row["severity"], found.concerned(row["finding"])
        head = Text(f"{row['finding']}. ").append(severity, style=f"bold {_COLOURS[severity]}")
        out.print()
        head.append(f"  {visible(concerned)}" if concerned else "")
        out.print(head.append(f"  [{row['check']}]", style="dim"))
        out.print(_indented(Text(visible(row["what"]), style="bold")))
        for name in ("why", "fix"):
            out.print(_indented(Text.assemble((f"{name}: ", "dim"), visible(row[name]))))
        rows = "row" if len(row["rows"]) == 1 else "rows"
        listed = f"{rows}: {found.listed_rows(row['finding'])}"
        out.print(_indented(Text(visible(listed), style="dim")))
    if found.not_checked:
        out.print()
    for line in found.not_checked:
        out.print(Text(visible(line), style="dim"))


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 3), expand=False)
