"""Everything that can be asked of a Stitched, so that no question ends in another's error."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

import convergekit as ck

Question = Callable[[], Any]


def ask_everything(s: ck.Stitched, *, figures: bool = False) -> int:
    """Ask every question, and look at every answer; return how many were answered.

    An error of ours is an answer too; any other goes on to the caller.

    Parameters
    ----------
    s : Stitched
    figures : bool
        Whether to draw as well, which takes longest.
    """
    answered = 0
    with warnings.catch_warnings():
        # Ours: a step that fills nothing, for example.
        warnings.simplefilter("ignore", UserWarning)
        for question in questions(s):
            try:
                look_at(question(), figures=figures)
            except ck.ConvergekitError:
                continue
            answered += 1
    return answered


def questions(s: ck.Stitched) -> Iterator[Question]:
    """Yield the questions, with names of the data where they take some."""
    events = s.events
    names = events["event_name"].dropna().unique().tolist()[:3] or ["A"]
    first = names[0]
    for table in ("profiles", "aliases", "duplicates", "refused_links", "profile_merges",
                  "suspects", "report", "alias_graph"):  # fmt: skip
        yield partial(getattr, s, table)
    yield from (s.property_coverage, s.sessions, s.journeys, s.to_arrow, s.to_polars)
    yield partial(_saved, s)
    yield partial(s.funnel, [*names, first], within="1D")
    for method in (s.alias_coverage, s.orphans, s.hindsight, s.attribution, s.customers):
        yield partial(method, first)
    yield partial(s.attribution_lift, first)
    yield partial(s.retention, names, first)
    yield partial(s.retention, first, first, freq="M", cohort="every", periods="elapsed")
    yield partial(s.counts, first, freq="M", measure="profiles")
    yield partial(s.stitching_lift, [first], within="1D")
    yield partial(s.without, "cookie", event=first)
    for value in _named(events, "properties.")[:3]:
        yield from _of_a_property(s, first, value)
    for name in _named(events, "profile.")[:3]:
        yield partial(s.provenance, name)
        yield partial(s.funnel, names, within="1D", by=name)
        yield partial(s.retention, first, names, freq="M", mode="within", by=name)
        yield partial(s.hindsight, first, carried=name)
        yield partial(s.sessions, new_on=[name])
        yield partial(s.attribution, first, by=name)
    for profiles in (ck.Did(first, within="1D"), ck.Did(first, at_most=0), "events > 1"):
        yield partial(s.where, profiles=profiles)
    yield partial(s.where, events={"event_name": first})
    urns = ("urn:" + s.aliases["alias_type"] + ":" + s.aliases["alias_value"]).tolist()[:2]
    for urn in urns:
        yield partial(s.profile, urn)
        yield partial(s.explain, urns[0], urn)
        yield partial(s.forget, urn)
    yield partial(ck.evaluate, s, events[["row"]].assign(person=0))
    yield partial(ck.compare_profiles, s, s)
    yield partial(ck.stitch, events)


def _named(events: pd.DataFrame, prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in events if name.startswith(prefix)]


def _of_a_property(s: ck.Stitched, name: str, value: str) -> Iterator[Question]:
    for method in (s.attribution, s.attribution_lift, s.customers, s.hindsight, s.journeys):
        yield partial(method, name, value=value)
    yield partial(s.customers, name, value=value, currency=value)
    yield partial(s.without, "cookie", event=name, value=value)
    yield partial(s.stitching_lift, [name], within="1D", value=value)
    yield partial(s.counts, name, freq="M", value=value)
    yield partial(s.counts, freq="M", measure="new_profiles", by=value)
    yield partial(s.funnel, [name, name], within="1D", by=value)
    yield partial(s.funnel, [name, name], within="1D", hold=value)
    for where in (f"`{value}` == 1", f"`{value}` > '1'"):
        yield partial(s.funnel, [ck.Step(name, where=where)], within="1D")


def _saved(s: ck.Stitched) -> ck.Stitched:
    with tempfile.TemporaryDirectory() as directory:
        s.to_converge(Path(directory, "converge"))
        s.to_parquet(Path(directory, "saved"))
        return ck.read_stitched(Path(directory, "saved"))


def look_at(answer: Any, *, figures: bool = False) -> None:
    """Look at an answer as a notebook does, and at everything in it."""
    if not type(answer).__module__.startswith("convergekit"):
        return
    if not isinstance(answer, pd.DataFrame):
        # A table is shown by pandas, which asks each value.
        repr(answer)
        if hasattr(answer, "_repr_html_"):
            answer._repr_html_()
    for name in dir(type(answer)):
        if not name.startswith("_") and not callable(getattr(type(answer), name)):
            getattr(answer, name)
    # Tables without a figure of ours have pandas' own, which needs another library.
    ours = isinstance(answer, ck.DrawnFrame) or not isinstance(answer, pd.DataFrame)
    if figures and ours and hasattr(answer, "plot"):
        answer.plot()
