"""Credits where profiles are other people: what bounds of attribution and of spend ask anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import Attributor, SharedCredit, TouchWays
from convergekit.attribution.models import Tuning
from convergekit.attribution.question import Question
from convergekit.base.grouping import NumberedText
from convergekit.certainty.answering import OccurringInAll, OccurringInPart
from convergekit.certainty.asked import EachOf
from convergekit.certainty.occurring import Occurring
from convergekit.events.steps import tracked
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import DEVICES

#: Visits that carry no alias may bring so many times as much as others, or that part of it.
_MAY_BRING = 2.0
#: Conversions that lost their visit may be of a label so many times as often as others, or that
#: part of it.
_MAY_BE = 2.0


@dataclass(frozen=True)
class RecreditedInPart:
    """The conversions and visits of a part.

    Attributes
    ----------
    occurring : OccurringInPart
        What told of visits, and the conversions.
    ways : TouchWays
    whose, visits : numpy.ndarray of int
        The profile of each visit, and the place of its arrival in `occurring`, -1 for none.
    converting, conversions : numpy.ndarray of int
        The same of each conversion.
    cents : numpy.ndarray of int or None
        What each is worth; None without a value.
    unseen, touched : numpy.ndarray of bool
        Which conversions are of profiles of which no browser is known, and which have a visit.
    names : frozenset of str
        Of the events that tell of visits.
    unknown, known : dict of str to int
        By name, how many events have no profile, and how many have one.
    nobodys : numpy.ndarray of int
        When events without a profile were, conversions left out.
    """

    occurring: OccurringInPart
    ways: TouchWays
    whose: IntArray
    visits: IntArray
    converting: IntArray
    conversions: IntArray
    cents: IntArray | None
    unseen: BoolArray
    touched: BoolArray
    names: frozenset[str]
    unknown: dict[str, int]
    known: dict[str, int]
    nobodys: IntArray

    @classmethod
    def of(cls, number: int, s: StitchedEvents, *, question: Question) -> RecreditedInPart:
        """Return the conversions and visits of a part."""
        attributor = Attributor(s, question)
        at, profile = attributor.positions, s.resolution.profile
        sessions = attributor.sessions(profile)
        ways = attributor.ways(sessions)
        told = np.unique(sessions.arrival[sessions.arrival >= 0])
        # A visit that an order alone tells of is the order itself.
        begins = np.setdiff1d(told, at)
        occurring = Occurring.of(s, begins, at)
        place = np.full(len(s.events) + 1, -1, dtype=np.int64)
        place[occurring.position] = np.arange(len(occurring.position))
        whose = sessions.visitor[ways.visit]
        touched = np.zeros(len(at), dtype=bool)
        touched[ways.journeys(whose, profile[at]).conversion] = True
        nobodys = (profile < 0) & tracked(s.events)
        nobodys[at] = False
        names = s.events["event_name"]
        return cls(
            occurring=OccurringInPart.of(s, occurring),
            ways=ways,
            whose=whose,
            visits=place[sessions.arrival[ways.visit]],
            converting=profile[at],
            conversions=place[at],
            cents=attributor.cents,
            unseen=~np.append(seen_in_browser(s), False)[profile[at]],
            touched=touched,
            names=frozenset(names.iloc[begins]),
            unknown=names[profile < 0].value_counts().to_dict(),
            known=names[profile >= 0].value_counts().to_dict(),
            nobodys=microseconds(s.events["timestamp"])[nobodys],
        )


@dataclass(frozen=True)
class Recredited:
    """Conversions and visits of all parts, whose credits can be given for other people.

    Sessions stay what they are: a browser's visit is one person's.

    Attributes
    ----------
    models : tuple of str
    tuning : Tuning
    whole : OccurringInAll
        What told of visits, and the conversions.
    ways : TouchWays
        In an order that does not depend on parts.
    order : numpy.ndarray of int
        The place of each visit where those of all parts stand one below the other.
    whose, visits : numpy.ndarray of int
        The profile of each visit, and the place of its arrival in `whole`, -1 for none.
    converting, conversions : numpy.ndarray of int
        The same of each conversion, by row.
    cents : numpy.ndarray of int or None
        What each is worth; None without a value.
    unseen, touched : numpy.ndarray of bool
        Which conversions are of profiles of which no browser is known, and which have a visit.
    often : float
        How many events as tell of visits carry no alias, for each that does.
    nobodys : numpy.ndarray of int
        When events without a profile were, ascending.
    """

    models: tuple[str, ...]
    tuning: Tuning
    whole: OccurringInAll
    ways: TouchWays
    order: IntArray
    whose: IntArray
    visits: IntArray
    converting: IntArray
    conversions: IntArray
    cents: IntArray | None
    unseen: BoolArray
    touched: BoolArray
    often: float
    nobodys: IntArray

    @classmethod
    def of(cls, each: EachOf, question: Question) -> Recredited:
        """Return the conversions and visits of all parts."""
        parts = list(each(partial(RecreditedInPart.of, question=question)))
        whole = OccurringInAll.of([one.occurring for one in parts])
        whose = whole.profile([one.whose for one in parts])
        # Of profiles in the order of the evidence, which does not depend on their numbers.
        rank = np.empty(len(whole.evidence.ranked) + 1, dtype=np.int64)
        rank[whole.evidence.ranked], rank[-1] = np.arange(len(rank) - 1), -1
        order = np.argsort(rank[whose], kind="stable")
        conversions = whole.place([one.conversions for one in parts])
        by_row = np.argsort(whole.events.position[conversions])
        cents = [one.cents for one in parts if one.cents is not None]
        joined = {
            name: np.concatenate([getattr(one, name) for one in parts])[by_row]
            for name in ("unseen", "touched")
        }
        return cls(
            models=question.models,
            tuning=question.tuning,
            whole=whole,
            ways=_ways_below([one.ways for one in parts], order, by_row),
            order=order,
            whose=whose[order],
            visits=whole.place([one.visits for one in parts])[order],
            converting=whole.profile([one.converting for one in parts])[by_row],
            conversions=conversions[by_row],
            cents=np.concatenate(cents)[by_row] if cents else None,
            unseen=joined["unseen"],
            touched=joined["touched"],
            often=_often(parts),
            nobodys=np.sort(np.concatenate([one.nobodys for one in parts])),
        )

    @property
    def rows(self) -> IntArray:
        """The row of each conversion."""
        return self.whole.events.position[self.conversions]

    def credited(self, unit: IntArray) -> SharedCredit:
        """Return the credits where each event that takes part is of this person."""
        unit = np.append(unit, -1)
        found = self.ways.journeys(unit[self.visits], unit[self.conversions])
        effects = found.compared(self.models).effects()
        return found.shares(self.models, self.tuning, effects, len(self.conversions))


def _ways_below(parts: Sequence[TouchWays], order: IntArray, by_row: IntArray) -> TouchWays:
    """Return the visits and conversions of all parts, each in an order of its own."""
    texts = pd.concat([part.label.distinct for part in parts], ignore_index=True)
    distinct = texts.drop_duplicates().reset_index(drop=True)
    known = pd.Index(distinct)
    codes = [known.get_indexer(part.label.distinct)[part.label.codes] for part in parts]
    moments = [part.moment for part in parts]
    lookback = [
        np.broadcast_to(np.asarray(part.lookback, dtype=np.int64), len(moment))
        for part, moment in zip(parts, moments, strict=True)
    ]
    first = parts[0]
    return TouchWays(
        # Visits by their places here: sessions are numbered by part.
        visit=np.arange(len(order)),
        arrived=np.concatenate([part.arrived for part in parts])[order],
        itself=np.concatenate([part.itself for part in parts])[order],
        direct=np.concatenate([part.direct for part in parts])[order],
        label=NumberedText(np.concatenate(codes).astype(np.int64)[order], distinct),
        moment=np.concatenate(moments)[by_row],
        lookback=np.concatenate(lookback)[by_row],
        last_resort=first.last_resort,
        collapse=first.collapse,
    )


@dataclass(frozen=True)
class Sums:
    """What is added up of credits, by label: for each model or measure a row of sums.

    Attributes
    ----------
    of : Recredited
    label : numpy.ndarray of int
        Of each visit.
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
        often = min(times * self.of.often * max(touched, 0.0) / max(lone, 1.0), 1.0)
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


def _often(parts: Sequence[RecreditedInPart]) -> float:
    """Return how many events of the names that tell of visits have no profile, for each that has.

    Not visits: where nothing says which events are of one browser, each would be one.
    """
    names = frozenset[str]().union(*(one.names for one in parts))
    unknown, known = (
        sum(counts.get(name, 0) for counts in of_parts for name in names)
        for of_parts in ([one.unknown for one in parts], [one.known for one in parts])
    )
    return unknown / max(known, 1)
