"""A funnel's question as one that can be asked with other profiles, of all parts of the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.certainty.evidence import Evidence, EvidenceInPart, evidence_together
from convergekit.certainty.occurring import Counting
from convergekit.certainty.worst import Logins
from convergekit.errors import ConvergekitError
from convergekit.events.timestamps import microseconds
from convergekit.funnels.asking import recounted
from convergekit.funnels.bounds.of_segment import asked_of_all
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.labels import with_others
from convergekit.funnels.options import FunnelQuestion
from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.funnels.asking import Asking


@dataclass(frozen=True, eq=False)
class FunnelBasis:
    """What bounds of a funnel are found of.

    Attributes
    ----------
    counting : Counting
    logins : Logins
    arrival : numpy.ndarray of int
        The order of arrival of the events that count.
    labels : dict of str to pandas.Series
        Of those that may enter, by the column of the breakdown.
    inside : numpy.ndarray of bool
        Which of these are of the segment.
    """

    counting: Counting
    logins: Logins
    arrival: IntArray
    labels: dict[str, pd.Series]
    inside: BoolArray
    _parts: Sequence[EvidenceInPart]

    @cached_property
    def evidence(self) -> Evidence:
        """What the events say of links that were not seen."""
        return evidence_together(self._parts)


@dataclass(frozen=True)
class BasisInPart:
    """What bounds are found of, in a part of the events.

    Attributes
    ----------
    events : FunnelEvents
        Those that count, of which positions are rows.
    arrived : numpy.ndarray of int
        When each arrived, in microseconds.
    by_row : bool
        Whether the order of the rows says it, and no time.
    logins : Logins
    evidence : EvidenceInPart
    labels : dict of str to pandas.Series
        Of the events that may enter, by the column of the breakdown.
    inside : numpy.ndarray of bool
        Which of these are of the segment, where one is asked.
    """

    events: FunnelEvents
    arrived: IntArray
    by_row: bool
    logins: Logins
    evidence: EvidenceInPart
    labels: dict[str, pd.Series]
    inside: BoolArray

    @classmethod
    def of(cls, asking: Asking) -> BasisInPart:
        """Return it of a funnel that was asked of a part.

        Raises
        ------
        ConvergekitError
            What was asked is a frame of events alone.
        """
        if asking.known.behind.events is None:
            raise of_a_frame()
        s, of_all, counting, chosen = asked_of_all(asking, asking.known.behind.events)
        at, times = counting.position, s.events["timestamp"]
        by_row = "received_at" not in s.events
        if not by_row:
            times = s.events["received_at"].fillna(times)
        size = len(counting.profiles)
        placed = replace(
            counting,
            position=s.events["row"].to_numpy(dtype=np.int64)[at],
            profiles=pd.RangeIndex(size),
        )
        occurring = _counting(asking.asked, counting, asking.known_until)
        return cls(
            placed,
            microseconds(times)[at],
            by_row,
            Logins.of(s),
            EvidenceInPart.of(s, occurring),
            of_all.labels_of(at[occurring.enters]),
            np.append(chosen, True)[counting.unit[occurring.enters]],
        )


def of_a_frame() -> ConvergekitError:
    """Return the error of a funnel of a frame of events alone."""
    return ConvergekitError(
        "bounds need the stitched events, of which this funnel has a frame alone; ask "
        "s.funnel(...).bounds(), before the funnel is saved."
    )


def basis_together(
    found: Sequence[BasisInPart],
    asked: FunnelQuestion,
    known_until: pd.Timestamp,
    kept: Mapping[str, pd.Series] | None,
) -> FunnelBasis:
    """Return what bounds are found of, put together from all parts.

    Parameters
    ----------
    found : sequence of BasisInPart
    asked : FunnelQuestion
    known_until : pandas.Timestamp
        Until when it is known what people did.
    kept : mapping of str to pandas.Series, optional
        The labels of each column that `top` keeps.
    """
    events = _below(found)
    names = found[0].labels
    labels = {
        name: pd.concat([one.labels[name].astype(object) for one in found], ignore_index=True)
        for name in names
    }
    if kept is not None:
        labels = {name: with_others(cells, kept[name]) for name, cells in labels.items()}
    return FunnelBasis(
        _counting(asked, events, known_until),
        Logins.together([one.logins for one in found]),
        events.arrival,
        labels,
        np.concatenate([one.inside for one in found]),
        [one.evidence for one in found],
    )


def _below(found: Sequence[BasisInPart]) -> FunnelEvents:
    """Return the events of all parts, numbered through."""
    parts = [one.events for one in found]
    sizes = [len(part.profiles) for part in parts]
    before = (np.cumsum(sizes) - sizes).tolist()
    unit = [
        np.where(part.unit >= 0, part.unit + first, -1)
        for part, first in zip(parts, before, strict=True)
    ]
    row = np.concatenate([part.position for part in parts])
    arrival = row
    if not all(one.by_row for one in found):
        arrived = np.concatenate([one.arrived for one in found])
        arrival = np.empty(len(row), dtype=np.int64)
        arrival[np.lexsort((row, arrived))] = np.arange(len(row))
    return FunnelEvents(
        position=row,
        mask=np.concatenate([part.mask for part in parts]),
        excludes=[],
        non_step=np.zeros(len(row), dtype=bool),
        unit=np.concatenate(unit),
        time=np.concatenate([part.time for part in parts]),
        arrival=arrival,
        name=np.full(len(row), -1),
        profile_of_unit=np.arange(sum(sizes)),
        profiles=pd.RangeIndex(sum(sizes)),
        left_out=sum(part.left_out for part in parts),
    )


def _counting(asked: FunnelQuestion, prepared: FunnelEvents, known_until: pd.Timestamp) -> Counting:
    """Return a funnel's question as one that can be asked with other profiles."""
    enters = (prepared.mask & 1) > 0
    if asked.start is not None:
        enters &= prepared.time >= asked.start
    if asked.end is not None:
        enters &= prepared.time < asked.end
    return Counting(
        position=prepared.position,
        unit=prepared.unit,
        time=prepared.time,
        mask=prepared.mask,
        enters=enters,
        steps=len(asked.steps),
        window=asked.window // pd.Timedelta(1, "us"),
        first_entry=asked.rules.entry == "first",
        reached=partial(recounted, asked, prepared, known_until),
    )
