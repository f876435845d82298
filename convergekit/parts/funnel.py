"""Funnels by parts: how those of each part fared, one below the other."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.wording import shortened
from convergekit.errors import callers_level
from convergekit.events.observed import Observed
from convergekit.events.steps import StepLike
from convergekit.funnels.asking import Asking, Known
from convergekit.funnels.funnel import PROFILE_ID, asking_of_stitched, funnel_result
from convergekit.funnels.labels import kept_labels, with_others
from convergekit.funnels.options import FunnelQuestion
from convergekit.funnels.outcomes import Outcomes
from convergekit.funnels.result import Funnel
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.below import column_below
from convergekit.typing import IntArray
from convergekit.visits.entry import most_usual

Parts = Callable[[], Iterator[StitchedEvents]]


@dataclass(frozen=True, eq=False)
class AskingParts:
    """A funnel's question and the parts that it is asked of, one after the other.

    Attributes
    ----------
    asked : FunnelQuestion
    parts : callable
        Yields the parts.
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
    """

    asked: FunnelQuestion
    parts: Parts
    known: Known
    outcomes: Outcomes
    part: IntArray
    number: IntArray
    names: list[str]
    labels_said: list[str]
    carried: frozenset[str]
    kept: dict[str, pd.Series] | None

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

    def usual_labels(self, name: str, most: int) -> list[Any]:
        """Return the labels of a column of the breakdown that the data have most of."""
        counts = pd.concat([asking.label_counts(name) for asking in self._each()])
        return most_usual(counts.groupby(level=0, sort=False).sum(), most)

    def entry_times(self) -> IntArray:
        """Return the times of all entries in the range, in microseconds."""
        return np.concatenate([asking.entry_times() for asking in self._each()])

    def outcomes_between(self, bounds: Sequence[tuple[int, int]]) -> list[Outcomes]:
        """Return how those fared who entered in each range, in microseconds."""
        found: list[list[Outcomes]] = [[] for _ in bounds]
        for asking in self._each():
            for place, outcomes in enumerate(asking.outcomes_between(bounds)):
                found[place].append(_placed(outcomes))
        return [_with_top(together(outcomes)[0], self.kept) for outcomes in found]

    def first_after_entry(self, part: Outcomes, event: StepLike) -> IntArray:
        """Return how long after its entry each row did something else, the largest for never."""
        waited = np.full(len(part.depth), np.iinfo(np.int64).max)
        place = self.outcomes.ids.get_indexer(part.ids)[part.profile]
        for number, asking in enumerate(self._each()):
            at = np.flatnonzero(self.part[place] == number)
            mine = replace(part.chosen(at), profile=self.number[place[at]], ids=asking.ids)
            waited[at] = asking.first_after_entry(mine, event)
        return waited

    def with_next_event(
        self, lost: pd.DataFrame, reached: Sequence[str], profile: str
    ) -> pd.DataFrame:
        """Return rows of conversions with what each profile did next."""
        place = self.outcomes.ids.get_indexer(pd.Index(lost["profile_id"]))
        found = []
        for number, asking in enumerate(self._each()):
            mine = lost[self.part[place] == number]
            if len(mine):
                with_next = asking.with_next_event(mine.reset_index(drop=True), reached, profile)
                found.append(with_next.set_axis(mine.index))
        if not found:
            return asking.with_next_event(lost, reached, profile)
        return pd.concat(found).sort_index()

    def _each(self) -> Iterator[Asking]:
        question = replace(self.asked, top=None)
        for s in self.parts():
            with warnings.catch_warnings():
                # They were said when the funnel was first asked.
                warnings.simplefilter("ignore")
                asking = asking_of_stitched(s, question)
                yield asking


def funnel_by_parts(question: FunnelQuestion, parts: Parts) -> Funnel:
    """Return how far the profiles of all parts get along the steps.

    Parameters
    ----------
    question : FunnelQuestion
    parts : callable
        Yields the parts, stitched, with what they have to know of the whole.
    """
    one = replace(question, top=None)
    found: list[Outcomes] = []
    origins, left_out = [], 0
    carried: set[str] = set()
    warned = _Warned(question)
    asking: Asking | None = None
    for s in parts():
        with warned.heard():
            asking = asking_of_stitched(s, one)
            outcomes, origin = asking.outcomes()
        warned.filled(asking)
        found.append(_placed(outcomes))
        origins.append(origin)
        left_out += asking.prepared.left_out
        carried |= {
            label.name
            for label in asking.labels
            if label.read != "entry" and asking.carries(label.name)
        }
    assert asking is not None
    warned.tell()
    whole, part, number = together(found)
    kept = None
    if question.top is not None:
        kept = {name: kept_labels(cells, question.top) for name, cells in whole.labels.items()}
    source = AskingParts(
        asked=question,
        parts=parts,
        known=asking.known,
        outcomes=whole,
        part=part,
        number=number,
        names=asking.names,
        labels_said=asking.labels_said,
        carried=frozenset(carried),
        kept=kept,
    )
    return funnel_result(
        source, asking.names, _with_top(whole, kept), _origin(origins), left_out, PROFILE_ID
    )


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
    order = np.lexsort(keys)
    return whole.chosen(order), np.concatenate(part), np.concatenate(number)


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


class _Warned:
    """What the parts warn of: said once, and only if it is so in all of them."""

    def __init__(self, question: FunnelQuestion) -> None:
        self._conditions = [
            *(
                (_never_met(step.title, step.where), ("step", place))
                for place, step in enumerate(question.steps)
            ),
            *(
                (_never_met(" or ".join(_names(one.name)), one.where), ("exclusion", place))
                for place, (one, _, _) in enumerate(question.excluding)
            ),
        ]
        self._said: dict[str, None] = {}
        self._met: set[tuple[str, int]] = set()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Note what is warned of in the block."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            yield
        self._said |= dict.fromkeys(str(one.message) for one in said)

    def filled(self, asking: Asking) -> None:
        """Note which conditions the events of a part meet."""
        prepared = asking.prepared
        for place in range(len(asking.asked.steps)):
            if (prepared.mask >> place & 1).any():
                self._met.add(("step", place))
        for place, excludes in enumerate(prepared.excludes):
            if excludes.any():
                self._met.add(("exclusion", place))

    def tell(self) -> None:
        """Warn of what is so in all parts."""
        met = [begins for begins, which in self._conditions if which in self._met]
        for said in self._said:
            if not any(said.startswith(begins) for begins in met):
                warnings.warn(said, stacklevel=callers_level())


def _never_met(title: str, where: Any) -> str:
    """Return how the warning of a condition that no event meets begins."""
    return f"no event of {title!r} meets where={shortened(repr(where), 200)},"


def _names(name: str | Sequence[str]) -> tuple[str, ...]:
    return (name,) if isinstance(name, str) else tuple(name)
