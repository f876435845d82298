"""Compare what profiles that convert did before with what others did.

It is association: what converters do more often need not cause conversion.

A profile that converts is observed until then, one that does not as long as the data lasts:
compared as they are, the others would have had more time to do anything at all. So each of the
others is observed for as long as one of the converters was, from the begin of its journey on. For
nobody to be left out because of how long that was, all are asked about within one window, and only
those whose window has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import scipy

from convergekit.base.durations import readable_duration
from convergekit.base.grouping import distinct
from convergekit.base.proportions import check_confidence, difference
from convergekit.base.rounding import six_digits
from convergekit.base.wording import counted, percentage
from convergekit.errors import ConvergekitError
from convergekit.events.schema import missing
from convergekit.events.timestamps import microseconds
from convergekit.figures.card import Result
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.journeys.source import JourneySource
    from convergekit.journeys.visits import JourneyEvents


@dataclass(frozen=True, eq=False, repr=False)
class Differences(Result):
    """The differences between converters and others. See `Journeys.differences`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per event name, and per value of the properties that were asked for, the smallest
        p-value first.
    converters, others : int
        How many profiles are compared.
    left_out : dict of str to int
        Profiles that are not: those whose window is still open at the end of the data, and
        converters with no time before their conversion.
    within : pandas.Timedelta
        The conversion window.
    confidence : float
        Of the intervals.
    """

    _shares: ClassVar[Mapping[str, str]] = {
        "converters_share": "converters",
        "others_share": "others",
    }

    table: pd.DataFrame
    converters: int
    others: int
    left_out: dict[str, int]
    within: pd.Timedelta
    confidence: float

    def _line(self) -> str:
        return (
            f"Differences({counted(len(self.table), 'comparison')} of "
            f"{counted(self.converters, 'converter')} with {counted(self.others, 'other')}, "
            f"observed as long; within {readable_duration(self.within)})"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        shares = ("converters_share", "others_share", "difference", "low", "high")
        shown = self.table.assign(
            **{name: self.table[name].map(percentage) for name in shares},
            **{name: self.table[name].fillna("") for name in ("property", "value")},
        )
        return (shown,)


def differences(
    found: JourneySource,
    data_end: pd.Timestamp,
    visits: JourneyEvents,
    window: pd.Timedelta,
    properties: Sequence[str],
    min_profiles: int,
    confidence: float,
) -> Differences:
    """Compare those who reach the end of their journey with those who do not.

    Parameters
    ----------
    found : JourneySource
    data_end : pandas.Timestamp
        Until when profiles are observed.
    visits : JourneyEvents
        Journeys to the conversion.
    window : pandas.Timedelta
    properties : sequence of str
    min_profiles : int
    confidence : float
    """
    check_confidence(confidence)
    if not isinstance(min_profiles, int) or min_profiles < 1:
        raise ConvergekitError(f"min_profiles must be a whole number from 1; got {min_profiles!r}.")
    columns = found.columns(properties)
    micros = window // pd.Timedelta(1, "us")
    reached = visits.end >= 0
    converted = reached & (np.where(reached, visits.converted_at, 0) - visits.begin <= micros)
    span, left_out = _spans(data_end, visits, converted, micros)
    before = visits.time - visits.begin[visits.unit] < span[visits.unit]
    unit, position = visits.unit[before], visits.position[before]
    converters = converted & (span > 0)
    totals = int(converters.sum()), int(((span > 0) & ~converted).sum())

    names = pd.Series(visits.names, dtype="str")
    did = _did(unit, visits.name[before], converters, len(names))
    parts = [pd.DataFrame({"event_name": names, "property": None, "value": None, **did})]
    for column in columns:
        values = found.values(column, position)
        codes, distinct = pd.factorize(values.mask(missing(values)))
        did = _did(unit[codes >= 0], codes[codes >= 0], converters, len(distinct))
        parts.append(
            pd.DataFrame(
                {
                    "event_name": None,
                    "property": column,
                    "value": pd.Series(list(distinct), dtype=object),
                    **did,
                }
            )
        )
    table = pd.concat([part.astype({"value": object}) for part in parts], ignore_index=True)
    table = table.astype({"event_name": "str", "property": "str"})
    table = table[table["converters"] + table["others"] >= min_profiles]
    return Differences(
        _compared(table, *totals, confidence),
        *totals,
        left_out=left_out,
        within=window,
        confidence=confidence,
    )


def _spans(
    data_end: pd.Timestamp, visits: JourneyEvents, converted: BoolArray, window: int
) -> tuple[IntArray, dict[str, int]]:
    """Return for how long each journey is observed, in microseconds; 0 for one left out.

    An other is given the time that one of the converters took: the others, in an order that has
    nothing to do with what they did, take the times of the converters from short to long, all
    equally often.
    """
    ended = visits.begin + window <= microseconds(pd.Series([data_end]))[0]
    converters = np.flatnonzero(ended & converted)
    others = np.flatnonzero(ended & ~converted)
    span = np.zeros(len(visits.begin), dtype=np.int64)
    span[converters] = visits.converted_at[converters] - visits.begin[converters]
    lengths = np.sort(span[converters])
    lengths = lengths[lengths > 0]
    if len(lengths):
        ids = np.asarray(visits.ids.take(visits.profile[others]).astype(str), dtype=object)
        order = np.argsort(pd.util.hash_array(ids), kind="stable")
        span[others[order]] = lengths[np.arange(len(others)) * len(lengths) // max(len(others), 1)]
    return span, {
        "window still open": int((~ended).sum()),
        "converted at once": len(converters) - len(lengths),
    }


def _did(unit: IntArray, what: IntArray, converters: BoolArray, size: int) -> dict[str, IntArray]:
    """Return of each thing how many converters and how many others did it, each once."""
    pairs = distinct(unit * max(size, 1) + what)
    of, thing = pairs // max(size, 1), pairs % max(size, 1)
    of_converter = converters[of]
    return {
        "converters": np.bincount(thing[of_converter], minlength=size),
        "others": np.bincount(thing[~of_converter], minlength=size),
    }


def _compared(table: pd.DataFrame, converters: int, others: int, confidence: float) -> pd.DataFrame:
    counts = table[["converters", "others"]].to_numpy().tolist()
    found = [difference(other, others, hits, converters, confidence) for hits, other in counts]
    odds = [_odds(hits, converters, other, others, confidence) for hits, other in counts]
    p_values = np.array([one.p_value for one in found])
    known = ~np.isnan(p_values)
    adjusted = np.full(len(p_values), np.nan)
    if known.any():
        adjusted[known] = scipy.stats.false_discovery_control(p_values[known], method="bh")
    table = table.assign(
        converters_share=table["converters"] / (converters or np.nan),
        others_share=table["others"] / (others or np.nan),
        difference=[one.difference for one in found],
        low=[one.low for one in found],
        high=[one.high for one in found],
        odds_ratio=[one[0] for one in odds],
        odds_low=[one[1] for one in odds],
        odds_high=[one[2] for one in odds],
        p_value=p_values,
        adjusted_p_value=adjusted,
    )
    # Equally small p-values, by how far the shares are apart; by name, so that nothing is left.
    order = pd.DataFrame(
        {
            "p": p_values,
            "apart": -table["difference"].abs().to_numpy(),
            "name": table["event_name"].fillna("").to_numpy(),
            "property": table["property"].fillna("").to_numpy(),
            "value": table["value"].astype(str).to_numpy(),
        }
    ).sort_values(["p", "apart", "name", "property", "value"])
    return table.iloc[order.index].reset_index(drop=True)


def _odds(
    hits: int, total: int, other_hits: int, other_total: int, confidence: float
) -> tuple[float, float, float]:
    cells = [[hits, total - hits], [other_hits, other_total - other_hits]]
    if min(map(min, cells)) == 0:
        # Nought, endless or unknown; of how far chance reaches the logarithm says nothing there.
        top, bottom = cells[0][0] * cells[1][1], cells[0][1] * cells[1][0]
        ratio = np.nan if top == bottom == 0 else np.inf if bottom == 0 else 0.0
        return ratio, np.nan, np.nan
    result = scipy.stats.contingency.odds_ratio(cells, kind="sample")
    low, high = result.confidence_interval(confidence)
    return float(result.statistic), six_digits(low), six_digits(high)
