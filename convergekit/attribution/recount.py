"""Credits of labels where profiles are other people: what `Attribution.bounds` asks anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import Attributor, Credited
from convergekit.attribution.question import Question
from convergekit.attribution.result import NONE
from convergekit.base.grouping import number
from convergekit.certainty.evidence import Occurring
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import DEVICES
from convergekit.visits.sessions import FoundSessions

#: Visits that carry no alias may bring so many times as much as others, or that part of it.
_MAY_BRING = 2.0
#: Conversions that lost their visit may be of a label so many times as often as others, or that
#: part of it.
_MAY_BE = 1.5


@dataclass(frozen=True)
class Recredited:
    """Conversions and visits, whose credits can be given for other people.

    Sessions stay what they are: a browser's visit is one person's.

    Attributes
    ----------
    attributor : Attributor
    sessions : FoundSessions
        Those of the profiles.
    occurring : Occurring
        What told of visits, and the conversions.
    visits, conversions : numpy.ndarray of int
        The place of each session's arrival (-1 for none) and of each conversion in `occurring`.
    labels : pandas.Index of str
        What may receive credit; the last is no visit.
    unseen : numpy.ndarray of bool
        Which conversions are of profiles of which no browser is known.
    without : float
        What conversions are worth that have no visit.
    squared : float
        The sum of the squares of these.
    nobodys : float
        How many events as tell of visits carry no alias, for each that does.
    """

    attributor: Attributor
    sessions: FoundSessions
    occurring: Occurring
    visits: IntArray
    conversions: IntArray
    labels: pd.Index
    unseen: BoolArray
    without: float
    squared: float
    nobodys: float

    @classmethod
    def of(cls, s: StitchedEvents, question: Question) -> Recredited:
        """Return the conversions and visits of stitched events."""
        attributor = Attributor(s, question)
        sessions = attributor.sessions(s.resolution.profile)
        told = np.unique(sessions.arrival[sessions.arrival >= 0])
        # A visit that an order alone tells of is the order itself.
        begins = np.setdiff1d(told, attributor.positions)
        occurring = Occurring.of(s, begins, attributor.positions)
        place = np.full(len(s.events) + 1, -1, dtype=np.int64)
        place[occurring.position] = np.arange(len(occurring.position))
        converting = s.resolution.profile[attributor.positions]
        journeys = attributor.journeys_in(sessions, sessions.visitor, converting)
        labels = pd.Index([*journeys.labels, NONE])
        unseen = ~np.append(seen_in_browser(s), False)[converting]
        worth = np.ones(len(converting)) if attributor.cents is None else attributor.cents / 100
        touched = np.zeros(len(converting), dtype=bool)
        touched[journeys.conversion] = True
        alone = worth[~touched]
        return cls(
            attributor=attributor,
            sessions=sessions,
            occurring=occurring,
            visits=place[sessions.arrival],
            conversions=place[attributor.positions],
            labels=labels,
            unseen=unseen,
            without=float(alone.sum()),
            squared=float((alone**2).sum()),
            nobodys=_nobodys(s, begins),
        )

    def credited(self, unit: IntArray) -> Credited:
        """Return the credits where each event that takes part is of this person."""
        unit = np.append(unit, -1)
        found = self.attributor.journeys_in(
            self.sessions, unit[self.visits], unit[self.conversions]
        )
        effects = found.compared(self.attributor.models).effects()
        return self.attributor.share_out(found, effects)

    def totals(self, unit: IntArray) -> FloatArray:
        """Return the credit of each label, model after model, and what visits of nobody may have.

        The last three are the worth of the conversions that have no visit and of which no browser
        is known, how many these are, and how many have a visit.
        """
        found = self.credited(unit)
        label = self.labels.get_indexer(found.label.distinct)[found.label.codes]
        given = found.credit if self.attributor.cents is None else found.cents
        size = len(self.labels)
        sums = [np.bincount(label, weights=credit, minlength=size) for credit in given.values()]
        each = 1.0 if self.attributor.cents is None else 100.0
        lone = found.conversion[(found.visit < 0) & self.unseen[found.conversion]]
        worth = len(lone) if self.attributor.cents is None else self.attributor.cents[lone].sum()
        touched = len(np.unique(found.conversion[found.visit >= 0]))
        return np.concatenate([np.concatenate(sums) / each, [worth / each, len(lone), touched]])

    def numbers(self, totals: FloatArray, *, times: float = 1.0) -> FloatArray:
        """Return the credit of each label, visits that carry no alias taken to bring as much.

        Parameters
        ----------
        totals : numpy.ndarray of float
        times : float, default 1.0
            So many times as much.
        """
        credit = totals[:-3].reshape(len(self.attributor.models), -1).copy()
        known = np.maximum(credit[:, :-1], 0.0)
        like = known / np.maximum(known.sum(axis=1, keepdims=True), 1e-9)
        moved = self._of_nobody(totals, times) * like
        credit[:, :-1] += moved
        credit[:, -1] -= moved.sum(axis=1)
        return credit.reshape(-1)

    def chance(self, numbers: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the standard errors of where conversions belong that have no visit.

        Each belongs to a label as often as known credit does.
        """
        credit = np.maximum(numbers.reshape(len(self.attributor.models), -1), 0.0)
        share = credit / np.maximum(credit.sum(axis=1, keepdims=True), 1e-9)
        return np.sqrt(self.squared * share * (1 - share)).reshape(-1)

    def instead(self) -> dict[str, list[list[Callable[[FloatArray], FloatArray]]]]:
        """Return what else visits of nobody may bring, and where what was lost may belong."""
        times = [partial(self.numbers, times=times) for times in (1 / _MAY_BRING, _MAY_BRING)]
        mixed = [partial(self._mixed, times=times) for times in (1 / _MAY_BE, _MAY_BE)]
        return {"orders": [times, mixed]}

    def _mixed(self, totals: FloatArray, times: float) -> FloatArray:
        """Return the credit where what had no visit belongs to each label so many times as often.

        To each by itself: what one has more, others have less.
        """
        credit = self.numbers(totals).reshape(len(self.attributor.models), -1)
        moved = np.maximum(self.without - credit[:, -1:], 0.0)
        known = np.maximum(credit[:, :-1], 0.0)
        like = known / np.maximum(known.sum(axis=1, keepdims=True), 1e-9)
        credit[:, :-1] += (times - 1) * moved * like
        return credit.reshape(-1)

    def _of_nobody(self, totals: FloatArray, times: float) -> float:
        worth, alone, touched = totals[-3:]
        return float(worth * min(times * self.nobodys * touched / max(alone, 1.0), 1.0))


def seen_in_browser(s: StitchedEvents) -> BoolArray:
    """Return which profiles have an alias of a browser or a device."""
    types = s.resolution.aliases.table["alias_type"]
    seen = np.zeros(len(s.resolution.profile_ids), dtype=bool)
    of_browser = types.isin((s.browser_alias, *DEVICES)).to_numpy(dtype=bool)
    seen[s.resolution.component[of_browser]] = True
    return seen


def _nobodys(s: StitchedEvents, begins: IntArray) -> float:
    """Return how many events of the names that tell of visits have no profile, for each that has.

    Not visits: where nothing says which events are of one browser, each would be one.
    """
    codes, _ = number(s.events["event_name"])
    of_visits = np.isin(codes, np.unique(codes[begins]))
    known = s.resolution.profile >= 0
    return float((of_visits & ~known).sum() / max((of_visits & known).sum(), 1))
