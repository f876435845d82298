"""The code of a call: of one that is made here, and of one that made a result handed over.

A result does not keep all options that it was asked with. What it does keep suggests a call, and
that is taken for the call of the result if it gives the same again: the same tables, sentences and
figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.activity.retention import Retention
from convergekit.attribution.lift import AttributionLift
from convergekit.attribution.result import Attribution
from convergekit.change.result import Why
from convergekit.customers.result import Customers
from convergekit.diagnostics.report import Report
from convergekit.errors import ConvergekitError
from convergekit.experiments.result import Experiment
from convergekit.figures.calls import code_of, duration_text, laid_out
from convergekit.funnels.labels import OTHER
from convergekit.funnels.result import Funnel
from convergekit.journeys.result import Journeys
from convergekit.marketing.result import Marketing
from convergekit.reconcile.result import Reconciliation


@dataclass(frozen=True)
class Named:
    """An argument that code calls by a name.

    Attributes
    ----------
    name : str
    value : object
    """

    name: str
    value: Any

    def __repr__(self) -> str:
        """Return the name."""
        return self.name


def ask(s: Any, method: str, given: Sequence[Any], options: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what a Stitched answers, and the code of the call.

    Parameters
    ----------
    s : Stitched
    method : str
        Its name.
    given : sequence
        The arguments that code gives by place.
    options : mapping of str
        Those that it gives by name.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> ask(s, "funnel", [["PageView", "Placed Order"]], {"within": "7D"})[1]
    "s.funnel(['PageView', 'Placed Order'], within='7D')"
    """
    parts = [_source(one) for one in given]
    parts += [f"{name}={_source(one)}" for name, one in options.items()]
    code = laid_out(f"s.{method}", parts)
    found = getattr(s, method)(
        *map(_value, given), **{name: _value(one) for name, one in options.items()}
    )
    return found, code


def call_of(s: Any, result: Any, spend: Any = None) -> str:
    """Return the code of a call that gives a result again; empty if none is found.

    Parameters
    ----------
    s : Stitched
    result : object
    spend : DataFrame, Spend or None
        What code calls ``spend``.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> call_of(s, s.funnel(["PageView", "Placed Order"], within="36h"))
    "s.funnel(['PageView', 'Placed Order'], within='36h')"
    >>> call_of(s, s.funnel(["PageView", "Placed Order"], within="36h", end="2026-03-09"))
    ''
    """
    if isinstance(result, Report):
        return "s.report" if str(result) == str(s.report) else ""
    for method, given, options in _suggested(result, spend):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found, code = ask(s, method, given, options)
            except ConvergekitError:
                continue
            if _same(found, result):
                return code
    return ""


def _suggested(result: Any, spend: Any) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """Return the calls that may have made a result: method, arguments and options."""
    if isinstance(result, Funnel):
        options: dict[str, Any] = {"within": duration_text(result.within)}
        if result.by:
            options["by"] = _one_or_many(result.by)
        yield "funnel", (list(result.steps),), options
        if result.by:
            labels = result.table[result.by[0]].dropna().unique()
            most = sum(label != OTHER for label in labels)
            yield "funnel", (list(result.steps),), {**options, "top": most}
    elif isinstance(result, (Attribution, AttributionLift)):
        asked = {
            "model": _one_or_many(result.models),
            "lookback": duration_text(result.lookback),
            "by": result.by,
        }
        usual = {"model": "last_touch", "lookback": "30D", "by": "channel"}
        given = (result.conversion,) if result.value is None else (result.conversion, result.value)
        method = "attribution" if isinstance(result, Attribution) else "attribution_lift"
        yield method, given, _unusual(asked, usual)
    elif isinstance(result, Journeys):
        asked = {name: _one_or_many(getattr(result, name)) for name in ("start", "end")}
        asked["max_steps"] = result.max_steps
        yield "journeys", (), _unusual(asked, {"start": [], "end": [], "max_steps": 5})
    elif isinstance(result, Marketing) and spend is not None:
        asked = {
            "conversion": result.conversion,
            "freq": result.freq,
            "by": _one_or_many(result.by),
            "model": result.model,
        }
        usual = {"conversion": "Placed Order", "freq": "M", "by": "channel", "model": "last_touch"}
        yield "marketing", (Named("spend", spend),), _unusual(asked, usual)
    elif isinstance(result, Reconciliation) and spend is not None:
        yield "reconcile", (Named("spend", spend),), {}
    elif isinstance(result, Why):
        periods = tuple(tuple(side.split(" to ")) for side in result.sides)
        yield "why", periods, _unusual({"number": result.number}, {"number": "conversion"})
    elif isinstance(result, Experiment):
        asked = {"goal": result.goal, "control": result.control}
        asked["within"] = duration_text(result.within)
        usual = {"goal": "Placed Order", "control": "control", "within": "7D"}
        yield "experiment", (result.variant,), _unusual(asked, usual)
    elif isinstance(result, Customers):
        yield "customers", (), {}
    elif isinstance(result, Retention):
        yield "retention", (), {}


def _one_or_many(names: Iterable[str]) -> Any:
    several = list(names)
    return several[0] if len(several) == 1 else several


def _unusual(asked: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in asked.items() if one != usual[name]}


def _same(one: Any, other: Any) -> bool:
    """Return whether two results are read and drawn alike."""
    if type(one) is not type(other) or repr(one) != repr(other):
        return False
    if isinstance(one, Funnel):
        # Bounds are said where they were asked, which another call does.
        return _equal(one.table, other.table) and one.notes == other.notes
    parts = zip(one.parts(), other.parts(), strict=False)
    if len(one.parts()) != len(other.parts()) or not all(_equal(a, b) for a, b in parts):
        return False
    return not hasattr(one, "plot") or one.plot().to_json() == other.plot().to_json()


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        return bool(pd.DataFrame(one).equals(pd.DataFrame(other)))
    return bool(isinstance(one, str) and one == other)


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Named) else given


def _source(given: Any) -> str:
    """Return an argument as code; a condition that is a function has none."""
    return given.name if isinstance(given, Named) else code_of(given)
