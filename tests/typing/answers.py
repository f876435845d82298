"""What type checkers make of the calls: `make lint` reads it with mypy and pyright.

Nothing runs it. A ``type: ignore`` stands where a checker has to object: where it does not, the
comment itself is an error.
"""

from __future__ import annotations

from typing import assert_type

import networkx as nx
import pandas as pd

import convergekit as ck


def wrapped_functions_keep_their_signatures(events: pd.DataFrame, spend: pd.DataFrame) -> None:
    assert_type(ck.funnel(events, ["PageView", "Placed Order"], within="7D"), ck.Funnel)
    assert_type(ck.check_up(events), ck.CheckUp)
    assert_type(ck.read_spend("spend.csv", currency="EUR"), ck.Spend)
    assert_type(ck.watch(ck.open_store("store"), "numbers.toml"), ck.Watch)
    assert_type(ck.evaluate(ck.stitch(events), events), ck.Evaluation)
    ck.funnel(events)  # type: ignore[call-arg]
    ck.funnel(events, ["PageView"], window="7D")  # type: ignore[call-arg]
    ck.funnel(events, ["PageView"], order="loose")  # type: ignore[arg-type]
    ck.check_up(events, limit=3)  # type: ignore[call-arg]
    ck.read_spend("spend.csv", currency=3)  # type: ignore[arg-type]


def methods_keep_their_signatures(s: ck.Stitched, spend: ck.Spend) -> None:
    funnel = s.funnel(["PageView", "Placed Order"], within="7D", by="utm_campaign")
    assert_type(funnel, ck.Funnel)
    assert_type(funnel.bounds(), ck.FunnelBounds)
    assert_type(funnel.plot(template="dark"), ck.Figure)
    assert_type(s.attribution("Placed Order", value="total_price"), ck.Attribution)
    assert_type(s.marketing(spend), ck.Marketing)
    graph: nx.Graph[str] = s.alias_graph
    assert len(graph)
    assert_type(s.report, ck.Report)
    s.funnel(["PageView"], order="loose")  # type: ignore[arg-type]
    s.funnel(["PageView"], window="7D")  # type: ignore[call-arg]
    s.attribution(value="total_price")  # type: ignore[call-arg]
    s.marketing()  # type: ignore[call-arg]


def parts_have_the_same_signatures(s: ck.StitchedParts) -> None:
    assert_type(s.funnel(["PageView", "Placed Order"], within="7D"), ck.Funnel)
    assert_type(s.retention(), ck.Retention)
    s.funnel(["PageView"], window="7D")  # type: ignore[call-arg]


def errors_are_exceptions_of_ours_and_of_python(error: ck.UnknownAliasError) -> None:
    assert_type(str(error), str)
    given: ck.ConvergekitError = error
    known: KeyError = error
    assert str(given) == str(known)
