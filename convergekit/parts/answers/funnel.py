"""Funnels by parts: how those of each part fared, one below the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import shortened
from convergekit.errors import callers_level
from convergekit.events.observed import Observed
from convergekit.events.steps import StepLike
from convergekit.funnels.asking import Asking, Behind, Known
from convergekit.funnels.bounds.counting import BasisInPart, FunnelBasis, basis_together
from convergekit.funnels.funnel import PROFILE_ID, asking_of_stitched, funnel_result
from convergekit.funnels.labels import kept_labels, with_others
from convergekit.funnels.options import FunnelQuestion
from convergekit.funnels.outcomes import Outcomes
from convergekit.funnels.result import Funnel
from convergekit.funnels.trend import enters_once
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import column_below
from convergekit.parts.each import EachPart, Kept
from convergekit.typing import IntArray
from convergekit.visits.entry import most_usual


@dataclass(frozen=True, eq=False)
class AskingParts:
    """A funnel's question and the parts that it is asked of, one after the other.

    Attributes
    ----------
    asked : FunnelQuestion
    each : EachPart
    known : Known
    outcomes : Outcomes
        Of the funnel of all the time, by the rows of the events that fill the steps.
    part : numpy.ndarray of int
        Of each of the profiles in `outcomes`, its part.
    number : numpy.ndarray of int
        Its number there.
    names : list of str
        The breakdown's columns.
    labels_said : list of str
        Where their labels are read, a sentence each.
    carried : frozenset of str
        Those that are read of visits, and that profiles carry.
    kept : dict of str to pandas.Series, or None
        The labels that `top` keeps in the funnel of all the time.
    entries : numpy.ndarray of int
        The times of all entries, in microseconds, where a profile may enter in several periods.
    segment : bool or None
        Whether the events are a segment; None of frames of which nothing else is known.
    """

    asked: FunnelQuestion
    each: EachPart
    known: Known
    outcomes: Outcomes
    part: IntArray
    number: IntArray
    names: list[str]
    labels_said: list[str]
    carried: frozenset[str]
    kept: dict[str, pd.Series] | None
    entries: IntArray
    segment: bool | None

    @property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed."""
        return self._observed.end

    @property
    def known_until(self) -> pd.Timestamp:
        """Until when it is known what people did."""
        return self.asked.known_until(self.data_end)

    @property
    def _observed(self) -> Observed:
        return self.known.observed or Observed(pd.NaT, pd.NaT)

    def never_sent(self, outcomes: Outcomes) -> list[str]:
        """Return the columns that no visit of an entry sent, and that profiles carry."""
        return [
            name
            for name in self.names
            if name in self.carried and len(outcomes.depth) and outcomes.labels[name].isna().all()
        ]

    def basis(self) -> FunnelBasis:
        """Return what bounds are found of."""
        found = list(self._of_each(_basis_of))
        return basis_together(found, self.asked, self.known_until, self.kept)

    def usual_labels(self, name: str, most: int) -> list[Any]:
        """Return the labels of a column of the breakdown that the data have most of."""
        counts = pd.concat(list(self._of_each(lambda _, asking: asking.label_counts(name))))
        return most_usual(counts.groupby(level=0, sort=False).sum(), most)

    def entry_times(self) -> IntArray:
        """Return the times of all entries in the range, in microseconds."""
        return self.entries

    def outcomes_between(self, bounds: Sequence[tuple[int, int]]) -> list[Outcomes]:
        """Return how those fared who entered in each range, in microseconds."""
        found: list[list[Outcomes]] = [[] for _ in bounds]
        for part in self._of_each(lambda _, asking: asking.outcomes_between(bounds)):
            for place, outcomes in enumerate(part):
                found[place].append(_placed(outcomes))
        return [_with_top(together(outcomes)[0], self.kept) for outcomes in found]

    def first_after_entry(self, part: Outcomes, event: StepLike) -> IntArray:
        """Return how long after its entry each row did something else, the largest for never."""
        waited = np.full(len(part.depth), np.iinfo(np.int64).max)
        place = self.outcomes.ids.get_indexer(part.ids)[part.profile]
        ours: dict[int, IntArray] = {
            number: np.flatnonzero(self.part[place] == number) for number in np.unique(self.part)
        }
        mine = {
            number: replace(part.chosen(at), profile=self.number[place[at]])
            for number, at in ours.items()
        }

        def first(number: int, asking: Asking) -> IntArray | None:
            if number not in mine:
                return None
            return asking.first_after_entry(replace(mine[number], ids=asking.ids), event)

        for number, found in enumerate(self._of_each(first)):
            if found is not None:
                waited[ours[number]] = found
        return waited

    def with_next_event(
        self, lost: pd.DataFrame, reached: Sequence[str], profile: str
    ) -> pd.DataFrame:
        """Return rows of conversions with what each profile did next."""
        place = self.outcomes.ids.get_indexer(pd.Index(lost["profile_id"]))
        mine = {number: lost[self.part[place] == number] for number in np.unique(self.part)}

        def followed(number: int, asking: Asking) -> pd.DataFrame:
            rows = mine.get(number, lost.iloc[:0])
            with_next = asking.with_next_event(rows.reset_index(drop=True), reached, profile)
            return with_next.set_axis(rows.index)

        found = list(self._of_each(followed))
        return pd.concat([one for one in found if len(one)] or found[:1]).sort_index()

    def _of_each(self, ask: Callable[[int, Asking], Kept]) -> Iterator[Kept]:
        return self.each(partial(_asked_again, question=replace(self.asked, top=None), ask=ask))


def _basis_of(number: int, asking: Asking) -> BasisInPart:
    return BasisInPart.of(asking)


def _asked_again(
    number: int, s: StitchedEvents, *, question: FunnelQuestion, ask: Callable[[int, Asking], Kept]
) -> Kept:
    with warnings.catch_warnings():
        # They were said when the funnel was first asked.
        warnings.simplefilter("ignore")
        return ask(number, asking_of_stitched(s, question))


@dataclass(frozen=True)
class Warned:
    """What a part warns of.

    Attributes
    ----------
    said : list of str
    met : frozenset of tuple
        Which conditions of steps and exclusions an event meets.
    """

    said: list[str]
    met: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, asking: Asking, said: list[str]) -> Warned:
        """Return what a part that is asked warns of."""
        prepared = asking.prepared
        steps = (
            ("step", place)
            for place in range(len(asking.asked.steps))
            if (prepared.mask >> place & 1).any()
        )
        exclusions = (
            ("exclusion", place)
            for place, excludes in enumerate(prepared.excludes)
            if excludes.any()
        )
        return cls(said, frozenset([*steps, *exclusions]))


@dataclass(frozen=True, eq=False)
class FunnelOfPart:
    """What a part answers.

    Attributes
    ----------
    outcomes : Outcomes
    origin : pandas.DataFrame
        From which steps labels were taken.
    left_out : int
    carried : frozenset of str
    known : Known
    names, labels_said : list of str
    warned : Warned
    entries : numpy.ndarray of int
        As `AskingParts` has them.
    segment : bool or None
        As `AskingParts` has it.
    """

    outcomes: Outcomes
    origin: pd.DataFrame
    left_out: int
    carried: frozenset[str]
    known: Known
    names: list[str]
    labels_said: list[str]
    warned: Warned
    entries: IntArray
    segment: bool | None

    @classmethod
    def of(cls, number: int, s: StitchedEvents, *, question: FunnelQuestion) -> FunnelOfPart:
        """Ask a part."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            asking = asking_of_stitched(s, question)
            outcomes, origin = asking.outcomes()
        carried = frozenset(
            label.name
            for label in asking.labels
            if label.read != "entry" and asking.carries(label.name)
        )
        return cls(
            outcomes=_placed(outcomes),
            origin=origin,
            left_out=asking.prepared.left_out,
            carried=carried,
            known=replace(asking.known, behind=Behind()),
            names=asking.names,
            labels_said=asking.labels_said,
            warned=Warned.of(asking, [str(one.message) for one in said]),
            entries=np.empty(0, dtype=np.int64) if enters_once(question) else asking.entry_times(),
            segment=asking.segment,
        )


def funnel_by_parts(question: FunnelQuestion, each: EachPart) -> Funnel:
    """Return how far the profiles of all parts get along the steps.

    Parameters
    ----------
    question : FunnelQuestion
    each : EachPart
    """
    found = list(each(partial(FunnelOfPart.of, question=replace(question, top=None))))
    last = found[-1]
    tell(question, [one.warned for one in found])
    whole, part, number = together([one.outcomes for one in found])
    kept = None
    if question.top is not None:
        kept = {name: kept_labels(cells, question.top) for name, cells in whole.labels.items()}
    source = AskingParts(
        asked=question,
        each=each,
        known=last.known,
        outcomes=whole,
        part=part,
        number=number,
        names=last.names,
        labels_said=last.labels_said,
        carried=frozenset[str]().union(*(one.carried for one in found)),
        kept=kept,
        entries=np.concatenate([one.entries for one in found]),
        segment=last.segment,
    )
    origin = _origin([one.origin for one in found])
    left_out = sum(one.left_out for one in found)
    return funnel_result(source, last.names, _with_top(whole, kept), origin, left_out, PROFILE_ID)


def together(parts: Sequence[Outcomes]) -> tuple[Outcomes, IntArray, IntArray]:
    """Return the outcomes of all parts, by the rows of the events that fill the steps.

    Returns
    -------
    outcomes : Outcomes
        Its positions are rows of the whole.
    part, number : numpy.ndarray of int
        Of each of its profiles, the part, and its number there.
    """
    ids, part, number, profile, first = [], [], [], [], 0
    for place, outcomes in enumerate(parts):
        there, mine = np.unique(outcomes.profile, return_inverse=True)
        ids.append(outcomes.ids.take(there))
        part.append(np.full(len(there), place))
        number.append(there)
        profile.append(mine.reshape(-1) + first)
        first += len(there)
    gained = [outcomes.gained for outcomes in parts if outcomes.gained is not None]
    visits = [outcomes.visit for outcomes in parts if outcomes.visit is not None]
    names = parts[0].labels
    whole = Outcomes(
        profile=np.concatenate(profile),
        ids=ids[0].append(ids[1:]),
        depth=np.concatenate([outcomes.depth for outcomes in parts]),
        status=np.concatenate([outcomes.status for outcomes in parts]),
        time=np.concatenate([outcomes.time for outcomes in parts]),
        position=np.concatenate([outcomes.position for outcomes in parts]),
        labels={
            name: column_below([outcomes.labels[name] for outcomes in parts]) for name in names
        },
        visit=column_below(visits) if visits else None,
        gained=np.concatenate(gained) if gained else None,
    )
    keys = [*whole.position.T[::-1], np.where(whole.position < 0, np.inf, whole.position).min(1)]
    found = whole.chosen(np.lexsort(keys))
    # Cells meet the rows of other columns by their index.
    found = replace(
        found,
        labels={name: cells.reset_index(drop=True) for name, cells in found.labels.items()},
        visit=None if found.visit is None else found.visit.reset_index(drop=True),
    )
    return found, np.concatenate(part), np.concatenate(number)


def _placed(outcomes: Outcomes) -> Outcomes:
    """Return outcomes of which positions are the rows of the whole."""
    if outcomes.rows is None:
        return outcomes
    rows = np.append(outcomes.rows.to_numpy(dtype=np.int64), -1)
    return replace(outcomes, position=rows[outcomes.position], rows=None)


def _with_top(outcomes: Outcomes, kept: dict[str, pd.Series] | None) -> Outcomes:
    if kept is None:
        return outcomes
    labels = {name: with_others(cells, kept[name]) for name, cells in outcomes.labels.items()}
    return replace(outcomes, labels=labels)


def _origin(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return from which steps the labels of all parts were taken."""
    whole = pd.concat([part for part in parts if len(part)] or list(parts), ignore_index=True)
    if not len(whole):
        return parts[0]
    order = {name: place for place, name in enumerate(dict.fromkeys(whole["by"]))}
    summed = whole.groupby(["by", "step"], sort=True)["profiles"].sum().reset_index()
    place = summed["by"].map(order)
    ordered = summed.assign(place=place).sort_values(["place", "step"], ignore_index=True)
    return ordered.drop(columns="place").astype(whole.dtypes)


def tell(question: FunnelQuestion, parts: Sequence[Warned]) -> None:
    """Warn, once, of what is so in all parts."""
    conditions = [
        *(
            (never_met(step.title, step.where), ("step", place))
            for place, step in enumerate(question.steps)
        ),
        *(
            (never_met(" or ".join(_names(one.name)), one.where), ("exclusion", place))
            for place, (one, _, _) in enumerate(question.excluding)
        ),
    ]
    met = frozenset[tuple[str, int]]().union(*(part.met for part in parts))
    begins = [text for text, which in conditions if which in met]
    for said in dict.fromkeys(text for part in parts for text in part.said):
        if not any(said.startswith(text) for text in begins):
            warnings.warn(said, stacklevel=callers_level())


def never_met(title: str, where: Any) -> str:
    """Return how the warning of a condition that no event meets begins."""
    return f"no event of {title!r} meets where={shortened(repr(where), 200)},"


def _names(name: str | Sequence[str]) -> tuple[str, ...]:
    return (name,) if isinstance(name, str) else tuple(name)
