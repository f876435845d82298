"""Compare the results with those if an alias had not been sent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
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
from convergekit.typing import BoolArray, FloatArray, IntArray

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
    asked = WhatIfQuestion.of(event, value, currency, rates, carried, steps, within)
    types = list(s.resolution.aliases.types.categories)
    limited = bool(s.resolution.protection.limits)
    # Of an empty segment nothing is known, and nothing changes.
    nothing = s.segment is not None and not len(s.resolution.aliases.table)
    check_limits(limited=limited, of_segment=s.segment is not None)

    def found(text: str) -> tuple[str, str]:
        chosen = s.resolution.aliases.table.iloc[s.alias_position(text)]
        return str(chosen["alias_type"]), str(chosen["alias_value"])

    gone = Gone.of(names_given("alias", alias), types, found, any_type=nothing)
    other = stitched_without(s, gone)
    amount = None
    if asked.event is not None and asked.value is not None:
        # Both have the same events, in the same order.
        at = events_named(s.events, asked.event)
        amount = summed_amounts(s.events, at, asked.value, currency, rates)
    columns = [
        measures_of(asked, measured_in(each, asked), amount, _funnel_table(each, asked))
        for each in (s, other)
    ]
    return WhatIf(compared(*columns), face(other))


@dataclass(frozen=True)
class WhatIfQuestion:
    """What is measured with an alias and without it. See `Stitched.without`."""

    event: StepLike | None
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None
    carried: Sequence[str]
    steps: Sequence[StepLike] | None
    within: Duration | None

    @classmethod
    def of(
        cls,
        event: StepLike | None,
        value: str | None,
        currency: str | None,
        rates: Mapping[str, float] | None,
        carried: str | Sequence[str] | None,
        steps: Sequence[StepLike] | None,
        within: Duration | None,
    ) -> WhatIfQuestion:
        """Return what was asked.

        Raises
        ------
        ConvergekitError
        """
        check_funnel(steps, within)
        check_rates(value, currency, rates)
        if event is None and not (value is None and carried is None):
            raise ConvergekitError(
                "value= and carried= need event=; name the event that they belong to."
            )
        return cls(event, value, currency, rates, names_given("carried", carried), steps, within)


def check_limits(*, limited: bool, of_segment: bool) -> None:
    """Raise if it is not known which links `limits` would refuse."""
    if of_segment and limited:
        raise ConvergekitError(
            "which links limits= refuses depends on profiles that a segment leaves out: ask the "
            "whole, and choose the segment of its .stitched."
        )


@dataclass(frozen=True)
class Gone:
    """The aliases that are taken to have not been sent.

    Attributes
    ----------
    types : frozenset of str
        All of these types.
    aliases : frozenset of (str, str)
        Single ones: type and value, as they are in the table of aliases.
    """

    types: frozenset[str]
    aliases: frozenset[tuple[str, str]]

    @classmethod
    def of(
        cls,
        given: Sequence[str],
        known: Sequence[str],
        found: Callable[[str], tuple[str, str]],
        *,
        any_type: bool,
    ) -> Gone:
        """Return those that are named.

        Parameters
        ----------
        given : sequence of str
            Types and URNs.
        known : sequence of str
            The types that events carry.
        found : callable
            Returns type and value of the alias that a URN means.
        any_type : bool
            Whether types that no event carries may be named.

        Raises
        ------
        UnknownAliasError
            No event carries one of them.
        """
        types, aliases = set(), set()
        for text in given:
            if split_urn(text) is not None:
                aliases.add(found(text))
            elif text.lower() in known or any_type:
                types.add(text.lower())
            else:
                raise UnknownAliasError(
                    f"{text!r} is neither an alias type that an event carries "
                    f"({', '.join(known) or 'none'}) nor a URN (urn:<type>:<value>)."
                    f"{did_you_mean(text, known)}"
                )
        return cls(frozenset(types), frozenset(aliases))

    def among(self, table: pd.DataFrame) -> BoolArray:
        """Return which rows of a table of aliases are among them."""
        gone = table["alias_type"].isin(self.types).to_numpy(copy=True)
        for alias_type, value in self.aliases:
            of_type = (table["alias_type"] == alias_type).to_numpy(dtype=bool)
            gone |= of_type & (table["alias_value"] == value).to_numpy(dtype=bool)
        return gone

    def names(self, text: str) -> bool:
        """Return whether a URN is of one of them."""
        alias = split_urn(text)
        return alias is not None and (alias[0] in self.types or alias in self.aliases)


def stitched_without(s: StitchedEvents, gone: Gone) -> StitchedEvents:
    """Return the same kept events, or the same segment, stitched without some aliases."""
    other = _stitched_without(s.whole, gone)
    return other if s.segment is None else as_segment(other, s.segment, s.remarks)


def _stitched_without(s: StitchedEvents, gone: Gone) -> StitchedEvents:
    """Return the same kept events, stitched without these aliases."""
    found = s.resolution
    dropped = gone.among(found.aliases.table)
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
        lost = s.duplicates["lost_aliases"].map(
            lambda urns: [urn for urn in urns if not gone.names(urn)]
        )
        return s.duplicates.assign(lost_aliases=lost.astype(object))

    return replace(
        s,
        events=among_all(events, s.events),
        resolution=resolution,
        carried_from=carried_from,
        describe_duplicates=duplicates,
    )


@dataclass(frozen=True)
class Measured:
    """What is measured of stitched events, or of a part of them.

    Attributes
    ----------
    profiles, with_profile : int
        How many profiles there are, and how many events have one.
    row : numpy.ndarray of int
        Of the events that are asked about.
    reached : dict of str to numpy.ndarray of bool
        Which of them have something, by what it is.
    """

    profiles: int
    with_profile: int
    row: IntArray
    reached: dict[str, BoolArray]

    @classmethod
    def together(cls, parts: Sequence[Measured]) -> Measured:
        """Return what is measured of all parts, the events by `row`."""
        row = np.concatenate([part.row for part in parts])
        order = np.argsort(row)
        return cls(
            sum(part.profiles for part in parts),
            sum(part.with_profile for part in parts),
            row[order],
            {
                name: np.concatenate([part.reached[name] for part in parts])[order]
                for name in parts[0].reached
            },
        )


def measured_in(s: StitchedEvents, asked: WhatIfQuestion) -> Measured:
    """Return what is measured, without the funnel."""
    at = np.empty(0, dtype=np.int64)
    reached: dict[str, BoolArray] = {}
    if asked.event is not None:
        at = events_named(s.events, asked.event)
        reached["a browser session"] = reaches_browser(s)[at]
        for name in asked.carried:
            s.check_property(name)
            reached[name] = ~missing(s.events[PROFILE + name]).to_numpy(dtype=bool)[at]
    return Measured(
        len(s.resolution.profile_ids),
        int((s.resolution.profile >= 0).sum()),
        s.events["row"].to_numpy(dtype=np.int64)[at],
        reached,
    )


def _funnel_table(s: StitchedEvents, asked: WhatIfQuestion) -> pd.DataFrame | None:
    if asked.steps is None or asked.within is None:
        return None
    return funnel_of(s, asked.steps, within=asked.within).table


def measures_of(
    asked: WhatIfQuestion,
    found: Measured,
    amount: FloatArray | None,
    funnel: pd.DataFrame | None,
) -> dict[str, float]:
    """Return the measures by their names.

    Parameters
    ----------
    asked : WhatIfQuestion
    found : Measured
    amount : numpy.ndarray of float or None
        Of the events that are asked about.
    funnel : pandas.DataFrame or None
        The table of the funnel.
    """
    measures = {
        "profiles": float(found.profiles),
        "events with a profile": float(found.with_profile),
    }
    for name, which in found.reached.items():
        measures[f"{title_of(asked.event or '')} with {name}"] = float(which.sum())
        if amount is not None:
            measures[f"{asked.value} with {name}"] = float(amount[which].sum())
    if funnel is not None:
        for step, name, count in zip(
            funnel["step"], funnel["event_name"], funnel["profiles"], strict=True
        ):
            measures[f"funnel step {step}: {name}"] = float(count)
        measures["funnel conversion"] = float(funnel["conversion"].iloc[-1])
    return measures


def compared(with_it: Mapping[str, float], without_it: Mapping[str, float]) -> pd.DataFrame:
    """Return the table of `WhatIf`."""
    table = pd.DataFrame(
        {
            "measure": list(with_it),
            "with_it": with_it.values(),
            "without_it": without_it.values(),
        }
    ).astype({"measure": "str", "with_it": "float64", "without_it": "float64"})
    return table.assign(difference=table["without_it"] - table["with_it"])
