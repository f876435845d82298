"""Attribution: credit conversions, or their value, to the visits before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.attribution.data_driven import DATA_DRIVEN, JourneyCounts
from convergekit.attribution.models import RULES, TouchpointPaths, Tuning, by_effect
from convergekit.attribution.question import Question
from convergekit.attribution.result import NONE, Attribution
from convergekit.attribution.touchpoints import (
    Touchpoints,
    collapsed,
    direct_last,
    find_touchpoints,
    only_known,
)
from convergekit.base.durations import parse_duration
from convergekit.base.grouping import NumberedText
from convergekit.base.patterns import as_texts, matched
from convergekit.base.threads import at_once, each_column
from convergekit.certainty.asked import AskedOf
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import amounts_at, events_named
from convergekit.events.campaigns import TAGS
from convergekit.events.currencies import (
    chosen_currency,
    currency_columns,
    paid_currencies,
    row_of,
)
from convergekit.events.steps import as_steps
from convergekit.events.timestamps import microseconds
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import browsers_of
from convergekit.visits.channels import DIRECT, are_paid
from convergekit.visits.sessions import FoundSessions, find_sessions, sent_by

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


_MICROSECONDS_A_DAY = 86_400_000_000
#: As many are added up exactly, with room for their shares.
_MOST_CENTS = 2.0**62


@dataclass(frozen=True)
class ComparedJourneys:
    """What data-driven models look at: counts of journeys by label.

    Attributes
    ----------
    labels : pandas.Series of str
        In the order of the alphabet.
    counts : dict of str to JourneyCounts
        By model.
    """

    labels: pd.Series
    counts: dict[str, JourneyCounts]

    @classmethod
    def together(cls, parts: Sequence[ComparedJourneys]) -> ComparedJourneys:
        """Return those of several parts of the profiles."""
        every = pd.concat([part.labels for part in parts], ignore_index=True)
        labels = every.drop_duplicates().sort_values().reset_index(drop=True)
        known = pd.Index(labels)
        place = [known.get_indexer(part.labels).astype(np.int64) for part in parts]
        counts = {
            name: DATA_DRIVEN[name].together(
                [part.counts[name] for part in parts], place, len(labels)
            )
            for name in parts[0].counts
        }
        return cls(labels, counts)

    def effects(self) -> pd.DataFrame:
        """Return `Attribution.effects`."""
        found = [_effects("", self.labels[:0], np.zeros((3, 0)))]
        for name, counts in self.counts.items():
            of_model = counts.effects()
            worth = np.maximum(of_model.effect, 0.0)
            shares = worth / worth.sum() if worth.sum() else worth
            rows = np.array([of_model.effect, shares, of_model.standard_error])
            found.append(_effects(name, self.labels, rows))
        return pd.concat(found, ignore_index=True)


@dataclass(frozen=True)
class Journeyed:
    """The touchpoints of conversions, and what receives credit.

    Attributes
    ----------
    conversion, visit : numpy.ndarray of int
        Of each touchpoint, which conversion's it is, by number, and its session.
    paths : TouchpointPaths
    labels : pandas.Series of str
    """

    conversion: IntArray
    visit: IntArray
    paths: TouchpointPaths
    labels: pd.Series

    def compared(self, models: Sequence[str]) -> ComparedJourneys:
        """Return what the data-driven ones of some models look at."""
        counts = {name: DATA_DRIVEN[name].of(self.paths) for name in models if name in DATA_DRIVEN}
        return ComparedJourneys(self.labels, counts)

    def shares(
        self, models: Sequence[str], tuning: Tuning, effects: pd.DataFrame, conversions: int
    ) -> SharedCredit:
        """Return what each touch receives; conversions without one are credited to none, in full.

        Parameters
        ----------
        models : sequence of str
        tuning : Tuning
        effects : pandas.DataFrame
            As `ComparedJourneys.effects` has them.
        conversions : int
            How many there are.
        """
        paths, distinct = self.paths, self.labels
        alone = np.setdiff1d(np.arange(conversions), self.conversion)
        credit = {}
        for name in models:
            if name in RULES:
                weight = RULES[name](paths, tuning)
            else:
                mine = effects[effects["model"] == name].set_index("label")["effect"]
                weight = by_effect(paths, mine.reindex(distinct).to_numpy())
            total = np.bincount(paths.path, weights=weight)
            credit[name] = np.concatenate([weight / total[paths.path], np.ones(len(alone))])
        return SharedCredit(
            np.concatenate([self.conversion, alone]),
            np.concatenate([self.visit, np.full(len(alone), -1)]),
            credit,
        )


@dataclass(frozen=True)
class SharedCredit:
    """What each touch receives.

    Attributes
    ----------
    conversion, visit : numpy.ndarray of int
        Of each credit, which conversion's it is, by number, and to which session, -1 for none.
    credit : dict of str to numpy.ndarray
        By model: shares that add up to 1 for every conversion.
    """

    conversion: IntArray
    visit: IntArray
    credit: dict[str, FloatArray]


@dataclass(frozen=True)
class TouchWays:
    """Visits that may receive credit, and the conversions that they may be on the way to.

    Attributes
    ----------
    visit, arrived : numpy.ndarray of int
        The session of each visit, and when it arrived, in microseconds.
    itself, direct : numpy.ndarray of bool
        Which arrived by a conversion alone, and which are direct.
    label : NumberedText
        What each credits.
    moment : numpy.ndarray of int
        When each conversion was.
    lookback : int, or numpy.ndarray of int for each conversion
    last_resort, collapse : bool
        Whether direct visits count where there is not another, and whether of a label in a row the
        last alone does.
    """

    visit: IntArray
    arrived: IntArray
    itself: BoolArray
    direct: BoolArray
    label: NumberedText
    moment: IntArray
    lookback: int | IntArray
    last_resort: bool
    collapse: bool

    def journeys(
        self,
        whose: IntArray,
        converting: IntArray,
        knew: Callable[[IntArray, IntArray], BoolArray] | None = None,
    ) -> Journeyed:
        """Return the touchpoints where visits and conversions are of these visitors.

        Parameters
        ----------
        whose : numpy.ndarray of int
            Of each visit, -1 for none.
        converting : numpy.ndarray of int
            Of each conversion, -1 if unassigned.
        knew : callable, optional
            Takes conversions and visits, as numbers; returns of which pairs the visit was known
            when the conversion became known.
        """
        visits = np.flatnonzero(whose >= 0)
        # Those of two browsers may overlap, so that the later one says first where it is from.
        visits = visits[np.lexsort((self.arrived[visits], whose[visits]))]
        touchpoints = find_touchpoints(
            (whose[visits], self.arrived[visits]), (converting, self.moment), self.lookback
        )
        if knew is not None:
            touchpoints = only_known(touchpoints, lambda c, v: knew(c, visits[v]))
        # A visit that the conversion alone tells, and that says nothing, is the order itself.
        last = self.direct if self.last_resort else self.direct & self.itself
        touchpoints = direct_last(touchpoints, last[visits])
        codes = self.label.codes[visits]
        if self.collapse:
            touchpoints = collapsed(
                touchpoints, codes[touchpoints.visit], codes[touchpoints.lost_visit]
            )
        return self._paths(touchpoints, visits)

    def _paths(self, touchpoints: Touchpoints, visits: IntArray) -> Journeyed:
        used = np.concatenate([visits[touchpoints.visit], visits[touchpoints.lost_visit]])
        codes, distinct = _sorted(NumberedText(self.label.codes[used], self.label.distinct))
        visit = visits[touchpoints.visit]
        path = np.cumsum(np.diff(touchpoints.conversion, prepend=-1) != 0) - 1
        elapsed = self.moment[touchpoints.conversion] - self.arrived[visit]
        paths = TouchpointPaths(
            path=path,
            label=codes[: len(path)],
            age=elapsed / _MICROSECONDS_A_DAY,
            direct=self.direct[visit],
            lost_path=touchpoints.lost_journey,
            lost_label=codes[len(path) :],
            labels=len(distinct),
        )
        return Journeyed(touchpoints.conversion, self.visit[visit], paths, distinct)


@dataclass(frozen=True)
class Credited:
    """Credits as numbers, for one way of counting visitors.

    Attributes
    ----------
    positions : numpy.ndarray of int
        The converting events.
    sessions : FoundSessions
    conversion, visit : numpy.ndarray of int
        Of each credit, which conversion's it is, by number, and to which session, -1 for none.
    label : NumberedText
        Of each credit, what it goes to.
    credit : dict of str to numpy.ndarray
        By model: shares that add up to 1 for every conversion.
    cents : dict of str to numpy.ndarray
        By model: whole cents that add up to every conversion's; empty without a value.
    effects : pandas.DataFrame
    """

    positions: IntArray
    sessions: FoundSessions
    conversion: IntArray
    visit: IntArray
    label: NumberedText
    credit: dict[str, FloatArray]
    cents: dict[str, IntArray]
    effects: pd.DataFrame


class Attributor:
    """Answers one question, for any way of counting visitors.

    Attributes
    ----------
    models : tuple of str
    tuning : Tuning
    lookback : pandas.Timedelta
    positions : numpy.ndarray of int
        The converting events.
    cents : numpy.ndarray of int or None
        What each is worth; None without a value.
    unpriced : int
        How many of them have no amount.
    browser : numpy.ndarray of int
        The browser of each event, -1 if none is known.
    """

    models: tuple[str, ...]
    tuning: Tuning
    browser: IntArray

    def __init__(self, s: StitchedEvents, question: Question) -> None:
        self._s, self._asked = s, question
        self.models, self.tuning = question.models, question.tuning
        self.lookback: pd.Timedelta = parse_duration(question.lookback, name="lookback")
        self.positions: IntArray = events_named(s.events, question.conversion)
        self.unpriced: int = 0
        self.cents: IntArray | None = None
        if question.value is not None:
            self.cents, self.unpriced = whole_cents(s.events, self.positions, question)
        self._traffic, self.browser = at_once(
            lambda: sent_by(s.events, question.visits), lambda: browsers_of(s), rows=len(s.events)
        )
        self._moments = microseconds(s.events["timestamp"])

    def credited(
        self, visitor: IntArray, *, as_of: bool, effects: pd.DataFrame | None = None
    ) -> Credited:
        """Return the credits where the events are of these visitors.

        Parameters
        ----------
        visitor, as_of
            As `journeyed` takes them.
        effects : pandas.DataFrame, optional
            As `ComparedJourneys.effects` has them, of all journeys, where these are some of more.
        """
        sessions = self.sessions(visitor)
        found = self._journeyed(sessions, visitor, as_of=as_of)
        if effects is None:
            effects = found.compared(self.models).effects()
        return self._share_out(found, sessions, effects)

    def journeyed(self, visitor: IntArray, *, as_of: bool) -> Journeyed:
        """Return the touchpoints where the events are of these visitors.

        Parameters
        ----------
        visitor : numpy.ndarray of int
            -1 if unassigned.
        as_of : bool
            Whether a touch must have been known when the conversion became known.
        """
        return self._journeyed(self.sessions(visitor), visitor, as_of=as_of)

    def _journeyed(self, sessions: FoundSessions, visitor: IntArray, *, as_of: bool) -> Journeyed:
        ways, at = self.ways(sessions), self.positions
        knew = None
        if as_of:
            knowledge, arrival = self._s.resolution.knowledge(), sessions.arrival[ways.visit]
            knew = lambda c, v: knowledge.knew(at[c], arrival[v])  # noqa: E731
        return ways.journeys(sessions.visitor[ways.visit], visitor[at], knew)

    def sessions(self, visitor: IntArray) -> FoundSessions:
        """Return the sessions where the events are of these visitors."""
        return find_sessions(
            self._s.events,
            self._traffic,
            visitor,
            self._s.resolution.in_time,
            self.browser,
            self._asked.visits,
            self._s.calendar.zone,
        )

    def ways(self, sessions: FoundSessions) -> TouchWays:
        """Return the sessions that may receive credit, and the conversions."""
        visits = np.flatnonzero(self._may_touch(sessions))
        arrival = sessions.arrival[visits]
        direct = (sessions.channel.distinct == DIRECT).to_numpy(dtype=bool)
        return TouchWays(
            visit=visits,
            arrived=self._moments[arrival],
            itself=np.isin(arrival, self.positions),
            direct=direct[sessions.channel.codes[visits]],
            label=self._label_of(sessions, visits),
            moment=self._moments[self.positions],
            lookback=self._lookback(self.positions),
            last_resort=self._asked.direct == "last_resort",
            collapse=self._asked.repeats == "collapse",
        )

    def _may_touch(self, sessions: FoundSessions) -> BoolArray:
        """Return which sessions are visits that may receive credit."""
        visits = sessions.arrival >= 0
        if self._asked.touches == "all":
            return visits
        channel = sessions.channel
        if self._asked.touches == "paid":
            return visits & np.append(are_paid(channel.distinct), False)[channel.codes]
        every = np.arange(len(visits))
        for name in ("utm_campaign", "utm_term"):
            said = sessions.numbered(name, every)
            of_brand = matched(
                as_texts(said.distinct), str(self._asked.brand), "fullmatch", ignore_case=True
            )
            visits &= ~np.append(of_brand, False)[said.codes]
        direct = (channel.distinct == DIRECT).to_numpy(dtype=bool)
        return visits & ~np.append(direct, False)[channel.codes]

    def _lookback(self, at: IntArray) -> int | IntArray:
        """Return the window in microseconds, of each conversion where it begins at midnight."""
        window = self.lookback.value // 1000
        if not self._asked.whole_days:
            return window
        calendar = self._s.calendar
        times = self._s.events["timestamp"].iloc[at].reset_index(drop=True)
        first = calendar.periods(times, "D") - self.lookback // pd.Timedelta("1D")
        begin = calendar.begin(first).as_unit("us").asi8
        return self._moments[at] - begin

    def _label_of(self, sessions: FoundSessions, used: IntArray) -> NumberedText:
        by = self._asked.by
        unnamed = NumberedText(
            np.zeros(len(used), dtype=np.int64), pd.Series([f"(no {by})"], dtype="str")
        )
        otherwise = sessions.numbered("channel", used) if self._asked.otherwise else unnamed
        return sessions.numbered(by, used).or_else(otherwise)

    def _share_out(
        self, found: Journeyed, sessions: FoundSessions, effects: pd.DataFrame
    ) -> Credited:
        """Return the credits of journeys, of which data-driven models found these effects."""
        shared = found.shares(self.models, self.tuning, effects, len(self.positions))
        cents = {}
        if self.cents is not None:
            for name, credit in shared.credit.items():
                cents[name] = whole_shares(shared.conversion, credit, self.cents)
        alone = len(shared.conversion) - len(found.conversion)
        none = np.full(alone, len(found.labels))
        return Credited(
            self.positions,
            sessions,
            shared.conversion,
            shared.visit,
            NumberedText(
                np.concatenate([found.paths.label, none]),
                pd.Series([*found.labels, NONE], dtype="str"),
            ),
            shared.credit,
            cents,
            effects,
        )


def whole_cents(
    events: pd.DataFrame, positions: IntArray, question: Question
) -> tuple[IntArray, int]:
    """Return what conversions are worth in cents, and how many have no amount.

    Parameters
    ----------
    events : pandas.DataFrame
    positions : numpy.ndarray of int
        Of the conversions.
    question : Question
        With a value.

    Raises
    ------
    ConvergekitError
        They are in several currencies, or too large to be added up.
    """
    value = str(question.value)
    money = amounts_at(events, positions, value)
    if not question.mixed_currencies:
        found = sorted(paid_currencies(events, positions, money).index)
        if len(found) > 1:
            columns = currency_columns(events)
            where = chosen_currency(events, positions, money, columns, found[0])
            raise ConvergekitError(
                f"the conversions are in several currencies ({', '.join(found)}), "
                "which cannot be added up. Choose one, such as "
                f"conversion=ck.Step({as_steps([question.conversion])[0].title!r}, "
                f"{where}), or set mixed_currencies=True if "
                f"{value!r} is in one currency all the same."
            )
    cents = np.rint(np.nan_to_num(money) * 100)
    if np.abs(cents).sum() > _MOST_CENTS:
        largest = positions[np.abs(cents).argmax()]
        raise ConvergekitError(
            f"value={value!r}: the amounts are too large to be added up to the cent, the "
            f"largest in {row_of(events, largest)}. Correct it, or leave such events out with "
            "ck.Step(name, where=...)."
        )
    return cents.astype(np.int64), int(np.isnan(money).sum())


def attribution(
    s: StitchedEvents, question: Question, effects: pd.DataFrame | None = None
) -> Attribution:
    """Return which visits conversions are credited to. See `Stitched.attribution`.

    Parameters
    ----------
    s : StitchedEvents
    question : Question
    effects : pandas.DataFrame, optional
        What data-driven models found of all journeys, where these are some of more.
    """
    attributor = Attributor(s, question)
    as_of = s.identity == "as_of"
    found = attributor.credited(s.resolution.profile, as_of=as_of, effects=effects)
    return Attribution(
        credits=_credits(s, question, found),
        effects=found.effects,
        models=attributor.models,
        by=question.by,
        value=question.value,
        lookback=attributor.lookback,
        conversion=as_steps([question.conversion])[0].title,
        unpriced=attributor.unpriced,
        _asked=AskedOf.of(s, question),
    )


def whole_shares(group: IntArray, share: FloatArray, whole: IntArray) -> IntArray:
    """Return whole numbers that are in each group as the shares are, and add up to its whole.

    By largest remainders: each gets its share rounded down, and what is left goes, one each, to
    those that lost most by it; of equals, to the earlier.

    Examples
    --------
    >>> whole_shares(np.array([0, 0, 0]), np.array([1 / 3, 1 / 3, 1 / 3]), np.array([1000]))
    array([334, 333, 333])
    """
    exact = share * whole[group]
    # A product that should be whole may fall short of it by as little as a float does.
    parts = np.floor(np.where(np.abs(exact - np.rint(exact)) < 1e-6, np.rint(exact), exact))
    left = whole - np.bincount(group, weights=parts, minlength=len(whole)).astype(np.int64)
    # Where nothing is left, nothing needs an order.
    some = np.flatnonzero(left[group] > 0)
    lost = np.round(exact[some] - parts[some], 6)
    some = some[np.lexsort((some, -lost, group[some]))]
    place = np.arange(len(some)) - np.searchsorted(group[some], group[some])
    parts[some] += place < left[group[some]]
    return parts.astype(np.int64)


def _sorted(label: NumberedText) -> tuple[IntArray, pd.Series]:
    """Return the labels that there are in the order of the alphabet, and each one's number."""
    present = np.flatnonzero(np.bincount(label.codes, minlength=len(label.distinct)))
    texts = label.distinct.iloc[present].sort_values()
    place = np.empty(len(label.distinct), dtype=np.int64)
    place[texts.index] = np.arange(len(texts))
    return place[label.codes], texts.reset_index(drop=True)


def _effects(name: str, labels: pd.Series, rows: FloatArray) -> pd.DataFrame:
    table = pd.DataFrame({"model": name, "label": pd.Series(labels, dtype="str")})
    table["model"] = table["model"].astype("str")
    effects = dict(zip(("effect", "share", "standard_error"), rows, strict=True))
    return table.assign(**effects).sort_values("effect", ascending=False, kind="stable")


def _credits(s: StitchedEvents, question: Question, found: Credited) -> pd.DataFrame:
    order = np.argsort(found.conversion, kind="stable")
    conversion, visit = found.conversion[order], found.visit[order]
    at, sessions = found.positions[conversion], found.sessions
    converting = ["row", "event_id", "timestamp", "profile_id"]
    events = s.events[converting].iloc[at].reset_index(drop=True)
    arrived = sessions.arrived(visit)
    touched = visit >= 0
    place = np.arange(len(order)) - np.searchsorted(conversion, conversion) + 1
    named = [name for name in ("channel", *TAGS[:3]) if name != question.by]
    shared = events.assign(
        touch=pd.array(np.where(touched, place, 0), dtype="Int64"),
        touches=np.bincount(conversion, weights=touched)[conversion].astype(np.int64),
        **{question.by: found.label.take(order)},
        **{name: sessions.text(name, visit) for name in named},
        session_id=sessions.ids(s.resolution.profile_ids, visit),
        arrived=arrived,
        age=events["timestamp"] - arrived,
    )
    shared["touch"] = shared["touch"].mask(~touched)
    # Each model has the same rows: what is the same for all is repeated column by column.
    models, size = list(found.credit), len(order)
    names = NumberedText(np.arange(len(models)), pd.Series(models, dtype="str"))

    def repeated(name: str) -> pd.Series:
        return pd.concat([shared[name]] * len(models), ignore_index=True)

    columns = each_column(repeated, shared.columns, rows=size)
    table = {
        "model": names.take(np.repeat(np.arange(len(models)), size)),
        **dict(zip(shared.columns, columns, strict=True)),
        "credit": np.concatenate([credit[order] for credit in found.credit.values()]),
    }
    if found.cents:
        table["value"] = np.concatenate([cents[order] / 100 for cents in found.cents.values()])
    return pd.DataFrame(table, copy=False)
