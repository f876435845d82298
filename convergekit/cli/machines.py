"""``convergekit mcp``: let an agent ask, over the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from convergekit.base.wording import counted
from convergekit.cli.console import note
from convergekit.cli.given import taking
from convergekit.cli.marketing import BesideSpendOptions
from convergekit.errors import ConvergekitError
from convergekit.machines.server import serve, server_of
from convergekit.machines.session import Session

AgentsSpend = Annotated[
    list[str] | None,
    typer.Option(
        "--spend",
        metavar="FILE",
        help="What was spent, as convergekit marketing takes it; repeatable. [the agent is not "
        "offered marketing]",
    ),
]


@taking(BesideSpendOptions)
def mcp_command(
    given: BesideSpendOptions,
    spend: AgentsSpend = None,
    with_people: Annotated[
        bool,
        typer.Option(
            "--with-people", help="Let answers hold aliases, profile IDs and personal values."
        ),
    ] = False,
) -> None:
    """Stitch exports and let an agent ask about them (Model Context Protocol, stdio).

    It writes nothing and needs no network; needs the extra: pip install 'convergekit[mcp]'.
    """
    if "-" in given.exports:
        raise ConvergekitError("- is not an export here: the agent speaks on standard input.")
    costs = given.costs(spend) if spend else None
    # Before exports are read, which takes longer.
    server_of(Session(None))
    session = Session(given.stitched(), costs, with_people)
    said = counted(session.s.report.profiles, "profile")
    note(f"{said} stitched; {counted(len(session.tools), 'tool')} wait for an agent.")
    serve(session)
