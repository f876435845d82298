"""Journeys by parts: those of each part, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from convergekit.base.grouping import number
from convergekit.events.steps import Step, among_all
from convergekit.identity.tables import StitchedEvents
from convergekit.journeys.question import JourneysQuestion
from convergekit.journeys.result import Journeys, journeys_of
from convergekit.journeys.source import FrameJourneys
from convergekit.journeys.visits import JourneyEvents
from convergekit.parts.answers.below import column_below, rows_below
from convergekit.parts.each import EachPart
from convergekit.typing import IntArray


def journeys_by_parts(asked: JourneysQuestion, each: EachPart, data_end: pd.Timestamp) -> Journeys:
    """Return the paths of profiles. See `Stitched.journeys`."""
    return journeys_of(asked, PartsJourneys(each, asked), data_end)


class PartsJourneys:
    """Finds journeys in parts; the position of an event is its row.

    Parameters
    ----------
    each : EachPart
    asked : JourneysQuestion
    """

    def __init__(self, each: EachPart, asked: JourneysQuestion) -> None:
        self._each, self._asked = each, asked

    def to(self, ends: Sequence[Step]) -> JourneyEvents:
        """See `JourneySource`."""
        return _together(list(self._each(partial(_journeys_of, asked=self._asked, ends=ends))))

    def events_at(self, position: IntArray) -> tuple[pd.DataFrame, IntArray]:
        """See `JourneySource`."""
        rows = np.sort(position)
        events = rows_below(list(self._each(partial(_events_at, rows=rows))))
        return events, np.searchsorted(rows, position)

    def columns(self, names: Sequence[str]) -> list[str]:
        """See `JourneySource`."""
        *_, found = self._each(partial(_columns_of, asked=self._asked, names=names))
        return found

    def values(self, column: str, position: IntArray) -> pd.Series:
        """See `JourneySource`."""
        rows = np.unique(position)
        found = list(self._each(partial(_values_at, column=column, rows=rows)))
        row = np.concatenate([of for of, _ in found])
        values = column_below([values for _, values in found])
        place = np.argsort(row)
        return values.iloc[place[np.searchsorted(row[place], position)]]


class _OfPart(NamedTuple):
    """The journeys of a part.

    Attributes
    ----------
    visits : JourneyEvents
        Positions are rows.
    id_row, name_row : numpy.ndarray of int
        The first row of each profile, and of each name.
    """

    visits: JourneyEvents
    id_row: IntArray
    name_row: IntArray


def _journeys_of(
    place: int, s: StitchedEvents, *, asked: JourneysQuestion, ends: Sequence[Step]
) -> _OfPart:
    visits = FrameJourneys(s.events, "profile_id", asked).to(ends)
    row = s.events["row"].to_numpy(dtype=np.int64)
    end = np.append(row, -1)[visits.end]
    first = (_first_rows(s.events[name], row) for name in ("profile_id", "event_name"))
    return _OfPart(replace(visits, position=row[visits.position], end=end), *first)


def _first_rows(values: pd.Series, row: IntArray) -> IntArray:
    """Return the first row of each value, as `number` numbers them."""
    codes, distinct = number(values)
    first = np.full(len(distinct), np.iinfo(np.int64).max)
    there = codes >= 0
    np.minimum.at(first, codes[there], row[there])
    return first


def _together(parts: Sequence[_OfPart]) -> JourneyEvents:
    """Return the journeys of all parts: profiles and names in the order of their first rows."""
    found = [part.visits for part in parts]
    names, of_name = _numbered([one.names for one in found], [one.name_row for one in parts])
    ids, of_id = _numbered([one.ids for one in found], [one.id_row for one in parts])
    profile = np.concatenate([of[one.profile] for of, one in zip(of_id, found, strict=True)])
    order = np.argsort(profile, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    before = np.cumsum([0, *(len(one.profile) for one in found)])
    unit = place[np.concatenate([one.unit + n for one, n in zip(found, before, strict=False)])]
    named = [of[one.name] for of, one in zip(of_name, found, strict=True)]
    ended = [np.append(of, -1)[one.end_name] for of, one in zip(of_name, found, strict=True)]
    by_unit = np.argsort(unit, kind="stable")

    def of_events(name: str) -> IntArray:
        return np.concatenate([getattr(one, name) for one in found])[by_unit]

    def of_journeys(name: str) -> IntArray:
        return np.concatenate([getattr(one, name) for one in found])[order]

    return JourneyEvents(
        unit=unit[by_unit],
        name=np.concatenate(named)[by_unit],
        time=of_events("time"),
        position=of_events("position"),
        begin=of_journeys("begin"),
        converted_at=of_journeys("converted_at"),
        end=of_journeys("end"),
        end_name=np.concatenate(ended)[order],
        profile=profile[order],
        names=names,
        ids=ids,
    )


def _numbered(
    texts: Sequence[pd.Index], rows: Sequence[IntArray]
) -> tuple[pd.Index, list[IntArray]]:
    """Return the texts of all parts by their first rows, and the numbers of each part's."""
    every = texts[0].append(list(texts[1:]))
    order = np.argsort(np.concatenate(rows), kind="stable")
    codes, distinct = number(pd.Series(every.take(order)))
    of_text = np.empty(len(every), dtype=np.int64)
    of_text[order] = codes
    return distinct, np.split(of_text, np.cumsum([len(one) for one in texts])[:-1])


def _events_at(place: int, s: StitchedEvents, *, rows: IntArray) -> pd.DataFrame:
    return among_all(s.events[s.events["row"].isin(rows)], s.events)


def _columns_of(
    place: int, s: StitchedEvents, *, asked: JourneysQuestion, names: Sequence[str]
) -> list[str]:
    return FrameJourneys(s.events, "profile_id", asked).columns(names)


def _values_at(
    place: int, s: StitchedEvents, *, column: str, rows: IntArray
) -> tuple[IntArray, pd.Series]:
    chosen = s.events["row"].isin(rows).to_numpy(dtype=bool)
    row = s.events["row"].to_numpy(dtype=np.int64)[chosen]
    return row, s.events[column][chosen].reset_index(drop=True)
