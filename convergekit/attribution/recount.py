"""Credits where profiles are other people: what bounds of attribution and of spend ask anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from convergekit.attribution.attribute import Attributor, Credited
from convergekit.attribution.question import Question
from convergekit.base.grouping import number
from convergekit.certainty.occurring import Occurring
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import DEVICES
from convergekit.visits.sessions import FoundSessions

#: Visits that carry no alias may bring so many times as much as others, or that part of it.
_MAY_BRING = 2.0
#: Conversions that lost their visit may be of a label so many times as often as others, or that
#: part of it.
_MAY_BE = 2.0


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
    unseen, touched : numpy.ndarray of bool
        Which conversions are of profiles of which no browser is known, and which have a visit.
    nobodys : float
        How many events as tell of visits carry no alias, for each that does.
    """

    attributor: Attributor
    sessions: FoundSessions
    occurring: Occurring
    visits: IntArray
    conversions: IntArray
    unseen: BoolArray
    touched: BoolArray
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
        touched = np.zeros(len(converting), dtype=bool)
        touched[journeys.conversion] = True
        return cls(
            attributor=attributor,
            sessions=sessions,
            occurring=occurring,
            visits=place[sessions.arrival],
            conversions=place[attributor.positions],
            unseen=~np.append(seen_in_browser(s), False)[converting],
            touched=touched,
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


@dataclass(frozen=True)
class Sums:
    """What is added up of credits, by label: for each model or measure a row of sums.

    Attributes
    ----------
    of : Recredited
    label : numpy.ndarray of int
        Of each session, -1 if it may not receive credit.
    size : int
        How many labels there are, the last of which stands for orders without a visit.
    models : tuple of str
        The model of each row.
    worth : numpy.ndarray of float
        Per row, what each conversion is worth.
    """

    of: Recredited
    label: IntArray
    size: int
    models: Sequence[str]
    worth: FloatArray

    def totals(self, unit: IntArray) -> FloatArray:
        """Return the sums, and what visits of nobody may have.

        That is, per row, what the conversions are worth that have no visit and of which no browser
        is known; how many these are, and how many have a visit.
        """
        found = self.of.credited(unit)
        label = np.append(self.label, self.size - 1)[found.visit]
        sums = np.array(
            [
                np.bincount(
                    label, weights=found.credit[name] * worth[found.conversion], minlength=self.size
                )
                for name, worth in zip(self.models, self.worth, strict=True)
            ]
        )
        lone = found.conversion[(found.visit < 0) & self.of.unseen[found.conversion]]
        touched = len(np.unique(found.conversion[found.visit >= 0]))
        alone = self.worth[:, lone].sum(axis=1)
        return np.concatenate([sums.reshape(-1), alone, [len(lone), touched]])

    def numbers(self, totals: FloatArray, *, times: float = 1.0) -> FloatArray:
        """Return the sums, visits that carry no alias taken to bring as much as others.

        Parameters
        ----------
        totals : numpy.ndarray of float
        times : float, default 1.0
            So many times as much.
        """
        rows = len(self.worth)
        sums = totals[: -rows - 2].reshape(rows, -1).copy()
        alone, (lone, touched) = totals[-rows - 2 : -2], totals[-2:]
        often = min(times * self.of.nobodys * max(touched, 0.0) / max(lone, 1.0), 1.0)
        moved = often * alone[:, None] * self._shares(sums)
        sums[:, :-1] += moved
        sums[:, -1] -= moved.sum(axis=1)
        return sums.reshape(-1)

    def chance(self, numbers: FloatArray, totals: FloatArray) -> FloatArray:
        """Return the standard errors of where conversions belong that have no visit.

        Each belongs to a label as often as what is known does.
        """
        known = np.maximum(numbers.reshape(len(self.worth), -1), 0.0)
        share = known / np.maximum(known.sum(axis=1, keepdims=True), 1e-9)
        squared = (self.worth[:, ~self.of.touched] ** 2).sum(axis=1, keepdims=True)
        return np.sqrt(squared * share * (1 - share)).reshape(-1)

    def instead(self) -> dict[str, list[list[Callable[[FloatArray], FloatArray]]]]:
        """Return what else visits of nobody may bring, and where what was lost may belong."""
        times: list[Callable[[FloatArray], FloatArray]]
        mixed: list[Callable[[FloatArray], FloatArray]]
        times = [partial(self.numbers, times=times) for times in (1 / _MAY_BRING, _MAY_BRING)]
        mixed = [partial(self._mixed, times=times) for times in (1 / _MAY_BE, _MAY_BE)]
        return {"orders": [times, mixed]}

    def _mixed(self, totals: FloatArray, times: float) -> FloatArray:
        """Return the sums where what had no visit belongs to each label so many times as often.

        To each by itself: what one has more, others have less.
        """
        sums = self.numbers(totals).reshape(len(self.worth), -1)
        without = self.worth[:, ~self.of.touched].sum(axis=1, keepdims=True)
        moved = np.maximum(without - sums[:, -1:], 0.0)
        sums[:, :-1] += (times - 1) * moved * self._shares(sums)
        return sums.reshape(-1)

    @staticmethod
    def _shares(sums: FloatArray) -> FloatArray:
        known = np.maximum(sums[:, :-1], 0.0)
        return known / np.maximum(known.sum(axis=1, keepdims=True), 1e-9)


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
