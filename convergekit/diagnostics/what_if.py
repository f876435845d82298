"""Compare the results with those if an alias had not been sent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import pandas as pd

from convergekit.base.durations import Duration
from convergekit.base.options import names_given
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, UnknownAliasError, did_you_mean
from convergekit.events.amounts import check_funnel, events_named, summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.schema import PROFILE, missing
from convergekit.events.steps import StepLike, among_all, title_of
from convergekit.figures.card import TableResult
from convergekit.funnels.funnel import funnel_of
from convergekit.identity.alias_rules import split_urn
from convergekit.identity.pipeline import name_and_carry, resolve
from convergekit.identity.segment import as_segment
from convergekit.identity.tables import reaches_browser
from convergekit.typing import FloatArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents

Face = TypeVar("Face")


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(TableResult, Generic[Face]):
    """What would change if an alias had not been sent.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per measure: `measure`, `with_it`, `without_it`, `difference` (the second less the
        first).
    stitched : Stitched
        The same events, stitched without the alias.
    """

    table: pd.DataFrame
    stitched: Face

    def _line(self) -> str:
        differ = int((self.table["difference"] != 0).sum())
        return f"WhatIf({counted(len(self.table), 'measure')}, {differ} of them differ)"

    def _shown(self) -> pd.DataFrame:
        return self.table


def what_if(
    s: StitchedEvents,
    alias: str | Iterable[str],
    *,
    event: StepLike | None = "Placed Order",
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    carried: str | Sequence[str] | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration | None = None,
    face: Callable[[StitchedEvents], Face],
) -> WhatIf[Face]:
    """Return what changes without an alias. See `Stitched.without`."""
    check_funnel(steps, within)
    check_rates(value, currency, rates)
    if event is None and not (value is None and carried is None):
        raise ConvergekitError(
            "value= and carried= need event=; name the event that they belong to."
        )
    if s.segment is not None and s.resolution.protection.limits:
        raise ConvergekitError(
            "which links limits= refuses depends on profiles that a segment leaves out: ask the "
            "whole, and choose the segment of its .stitched."
        )
    types, urns = _named(s, names_given("alias", alias))
    other = _stitched_without(s.whole, types, urns)
    if s.segment is not None:
        other = as_segment(other, s.segment)
    names = names_given("carried", carried)
    amount = None
    if event is not None and value is not None:
        # Both have the same events, in the same order.
        amount = summed_amounts(s.events, events_named(s.events, event), value, currency, rates)
    columns = [_measures(each, event, value, amount, names, steps, within) for each in (s, other)]
    table = pd.DataFrame(
        {
            "measure": list(columns[0]),
            "with_it": columns[0].values(),
            "without_it": columns[1].values(),
        }
    ).astype({"measure": "str", "with_it": "float64", "without_it": "float64"})
    return WhatIf(table.assign(difference=table["without_it"] - table["with_it"]), face(other))


def _named(s: StitchedEvents, given: Sequence[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the alias types and the single aliases that are named."""
    table = s.resolution.aliases.table
    known = list(s.resolution.aliases.types.categories)
    types, aliases = set(), set()
    for text in given:
        if split_urn(text) is not None:
            chosen = table.iloc[s.alias_position(text)]
            aliases.add((str(chosen["alias_type"]), str(chosen["alias_value"])))
        elif text.lower() in known or (s.segment is not None and not len(table)):
            # Of an empty segment nothing is known, and nothing changes.
            types.add(text.lower())
        else:
            raise UnknownAliasError(
                f"{text!r} is neither an alias type that an event carries "
                f"({', '.join(known) or 'none'}) nor a URN (urn:<type>:<value>)."
                f"{did_you_mean(text, known)}"
            )
    return types, aliases


def _stitched_without(
    s: StitchedEvents, types: set[str], aliases: set[tuple[str, str]]
) -> StitchedEvents:
    """Return the same kept events, stitched without these aliases."""
    found = s.resolution
    dropped = found.aliases.table["alias_type"].isin(types).to_numpy(copy=True)
    for alias_type, value in aliases:
        dropped[s.alias_position(f"urn:{alias_type}:{value}")] = True
    left = found.aliases.without(dropped)
    carried = [c for c in s.events.columns if c == "profile_id" or c.startswith(PROFILE)]
    kept = s.events.drop(columns=carried)
    unnamed = resolve(
        kept,
        left,
        found.in_time,
        functools.cache(lambda: found.knowledge().without(dropped)),
        found.protection.among(left.types),
    )
    events, resolution, carried_from = name_and_carry(
        kept, unnamed, identity=s.identity, first=s.first
    )

    def duplicates() -> pd.DataFrame:
        lost = s.duplicates["lost_aliases"].map(lambda urns: [u for u in urns if not gone(u)])
        return s.duplicates.assign(lost_aliases=lost.astype(object))

    def gone(text: str) -> bool:
        alias = split_urn(text)
        return alias is not None and (alias[0] in types or alias in aliases)

    return replace(
        s,
        events=among_all(events, s.events),
        resolution=resolution,
        carried_from=carried_from,
        describe_duplicates=duplicates,
    )


def _measures(
    s: StitchedEvents,
    event: StepLike | None,
    value: str | None,
    amount: FloatArray | None,
    carried: Sequence[str],
    steps: Sequence[StepLike] | None,
    within: Duration | None,
) -> dict[str, float]:
    measures = {
        "profiles": float(len(s.resolution.profile_ids)),
        "events with a profile": float((s.resolution.profile >= 0).sum()),
    }
    if event is not None:
        at = events_named(s.events, event)
        reached = {"a browser session": reaches_browser(s)[at]}
        for name in carried:
            s.check_property(name)
            reached[name] = ~missing(s.events[PROFILE + name]).to_numpy(dtype=bool)[at]
        for name, which in reached.items():
            measures[f"{title_of(event)} with {name}"] = float(which.sum())
            if amount is not None:
                measures[f"{value} with {name}"] = float(amount[which].sum())
    if steps is not None and within is not None:
        funnel = funnel_of(s, steps, within=within)
        table = funnel.table
        for step, name, count in zip(
            table["step"], table["event_name"], table["profiles"], strict=True
        ):
            measures[f"funnel step {step}: {name}"] = float(count)
        measures["funnel conversion"] = float(table["conversion"].iloc[-1])
    return measures
