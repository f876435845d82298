"""``convergekit mcp``: let an agent ask, over the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from convergekit.base.wording import counted
from convergekit.cli.console import note, remarks_told
from convergekit.cli.given import StitchedOptions, taking
from convergekit.cli.marketing import (
    Rates,
    SpendAmounts,
    SpendColumns,
    SpendCurrency,
    SpendDayFirst,
    SpendEncoding,
    SpendReading,
)
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


@taking(StitchedOptions)
def mcp_command(
    given: StitchedOptions,
    spend: AgentsSpend = None,
    with_people: Annotated[
        bool,
        typer.Option(
            "--with-people", help="Let answers hold aliases, profile IDs and personal values."
        ),
    ] = False,
    rate: Rates = None,
    spend_currency: SpendCurrency = None,
    spend_column: SpendColumns = None,
    spend_encoding: SpendEncoding = None,
    spend_day_first: SpendDayFirst = None,
    spend_amounts: SpendAmounts = None,
) -> None:
    """Stitch exports and let an agent ask about them (Model Context Protocol, stdio).

    It writes nothing and needs no network; needs the extra: pip install 'convergekit[mcp]'.
    """
    if "-" in given.exports:
        raise ConvergekitError("- is not an export here: the agent speaks on standard input.")
    costs = None
    if spend:
        told = SpendReading(
            spend, spend_currency, spend_column, rate, spend_encoding, spend_day_first,
            spend_amounts,
        )  # fmt: skip
        with remarks_told():
            costs = told.read()
    # Before exports are read, which takes longer.
    server_of(Session(None))
    session = Session(given.stitched(), costs, with_people)
    said = counted(session.s.report.profiles, "profile")
    note(f"{said} stitched; {counted(len(session.tools), 'tool')} wait for an agent.")
    serve(session)
