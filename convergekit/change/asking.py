"""`why`: what is asked, of which two sides, and the answer put together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice
from convergekit.base.proportions import check_confidence
from convergekit.change import links, measured, sent
from convergekit.change.accounts import Accounts, account, groups_of
from convergekit.change.chance import half_width, p_values, spread
from convergekit.change.check_ups import differing_findings
from convergekit.change.compared import ComparedStitching, compared_with
from convergekit.change.factors import FactorPiece, Factors, Number, factors_of, number_of
from convergekit.change.faults import Pair, PeriodFault
from convergekit.change.labels import SideLabels, labels_of
from convergekit.change.path import apportioned, weights
from convergekit.change.result import Why, WhyPart, made
from convergekit.change.sides import DAY, Base, EnteredProfiles, Side, enter, read_side
from convergekit.checks.money import AskedMoney, money_of_events
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import summed_amounts
from convergekit.events.steps import Step, StepLike, as_steps
from convergekit.funnels.suggest import suggested
from convergekit.spend.result import Spend
from convergekit.typing import FloatArray, IntArray
from convergekit.visits.sessions import FoundSessions, sessions_of

#: A period: its first and its last day, or the moments between which it lies.
Period: TypeAlias = tuple[Any, Any]

#: In the order in which they are looked for: each is repaired before the next is.
_REPAIRED: tuple[Callable[[Pair], list[PeriodFault]], ...] = (
    links.shared_alias,
    sent.renamed,
    measured.clocks,
    sent.sent_twice,
    sent.bots,
    measured.units,
    measured.currencies,
    links.stopped_alias,
)
_SEEN: tuple[Callable[[Pair], list[PeriodFault]], ...] = (sent.missing_days, links.unentered)
#: More faults at once are taken one after the other, not in all orders.
_MOST_ORDERS = 5


@dataclass(frozen=True)
class WhyQuestion:
    """What is asked of both sides."""

    number: str
    steps: tuple[Step, ...]
    within: pd.Timedelta
    by: tuple[str, ...] | None
    confidence: float

    @property
    def micros(self) -> int:
        """The window in microseconds."""
        return int(self.within.value // 1000)

    @property
    def in_period(self) -> bool:
        """Whether steps count in the period alone: what is added up over time is."""
        return self.number != "conversion"

    @property
    def titles(self) -> list[str]:
        """What the steps are called."""
        return [step.title for step in self.steps]


def why(
    s: ComparedStitching,
    a: object,
    b: Period | None,
    *,
    number: Number,
    steps: Sequence[StepLike] | None,
    within: Duration,
    value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
    by: str | Iterable[str] | None,
    spend: pd.DataFrame | Spend | None,
    confidence: float,
) -> Why:
    """Split the difference of a number. See `Stitched.why`."""
    choice("number", number, Number)
    check_confidence(confidence)
    if (number == "return on spend") != (spend is not None):
        raise ConvergekitError("number='return on spend' and spend= go together: give both.")
    both = _both_of(s, a, b)
    asked = WhyQuestion(
        number=number,
        steps=_steps(both[0], steps),
        within=parse_duration(within, name="within"),
        by=None if by is None else ((by,) if isinstance(by, str) else tuple(by)),
        confidence=confidence,
    )
    periods = _periods(both, a, b)
    needs = number in ("revenue", "revenue a visit", "return on spend")

    def amounts(of: ComparedStitching) -> pd.Series:
        goals = of.goals(asked.steps[-1])
        return _amounts(goals, asked.steps[-1], value, currency, rates, needs=needs)

    if both[1] is both[0]:
        before = after = Base(both[0].seen_in(periods))
        of_goals = other = amounts(both[0])
    else:
        before, after = (
            Base(of.seen_in([period])) for of, period in zip(both, periods, strict=True)
        )
        of_goals, other = (amounts(of) for of in both)
    sides = (
        read_side(before, "before", asked.steps, of_goals, *periods[0]),
        read_side(after, "after", asked.steps, other, *periods[1]),
    )
    _check_events(sides)
    findings = differing_findings(sides, asked.steps[-1], value)
    costs = _cost(spend, sides[0]), _cost(spend, sides[1])
    return _answer(asked, sides, costs, findings)


def _answer(
    asked: WhyQuestion, raw: tuple[Side, Side], costs: tuple[float, float], findings: pd.DataFrame
) -> Why:
    pair = _pair(asked, raw)
    faults: list[PeriodFault] = []
    now = pair
    for look in (*_REPAIRED, *_SEEN):
        for fault in look(now):
            faults.append(fault)
            if fault.repair is not None:
                now = _pair(asked, (fault.repair(now.sides[0]), fault.repair(now.sides[1])))
    groups = groups_of(_all_of(now.sides[0])), groups_of(_all_of(now.sides[1]))
    visits = _visits_of(raw)
    per_visit = asked.number == "revenue a visit"
    begun = [_begun(found()) if per_visit else _NONE for found in visits]
    measure = _Measure(asked, groups, (begun[0], begun[1]), costs)
    repairs = [fault for fault in faults if fault.repair is not None]
    measured_raw = [measure.number(on, pair.sides[on], pair.entered[on]) for on in (0, 1)]
    errors = _errors(measure, raw, measured_raw, repairs)
    labels = labels_of(now.sides, now.entered, asked.by, visits)
    whole = _whole(asked, now)
    accounts = tuple(
        measure.accounts(on, now.sides[on], now.entered[on], labels, whole[on]) for on in (0, 1)
    )
    kept = (
        math.prod(fault.kept[0] for fault in faults),
        math.prod(fault.kept[1] for fault in faults),
    )
    both = (accounts[0], accounts[1])
    factors = factors_of(now.sides, both, labels, asked.titles, asked.number, kept, costs)
    parts = _parts(pair, now, faults, errors, factors, labels)
    notes = _notes(asked, raw, whole)
    return _result(asked, raw, measured_raw, parts, faults, findings, notes)


_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Measure:
    """How a side is added up."""

    asked: WhyQuestion
    groups: tuple[IntArray, IntArray]
    begun: tuple[IntArray, IntArray]
    costs: tuple[float, float]

    def accounts(
        self,
        on: int,
        side: Side,
        entered: EnteredProfiles,
        labels: Sequence[SideLabels],
        whole: float = 1.0,
    ) -> Accounts:
        own = [((one.before, one.after)[on], len(one.names)) for one in labels]
        count = len(self.asked.steps)
        return account(side, entered, self.groups[on], count, own, self.begun[on], whole)

    def number(self, on: int, side: Side, entered: EnteredProfiles | None = None) -> FloatArray:
        entered = entered or _entered(self.asked, side)
        return number_of(self.accounts(on, side, entered, ()), self.asked.number, self.costs[on])


def _all_of(side: Side) -> Side:
    """Return a side with the events that repairs leave out: they are of a group, too."""
    return side.repaired(dropped=np.zeros_like(side.dropped))


def _pair(asked: WhyQuestion, sides: tuple[Side, Side]) -> Pair:
    entered = _entered(asked, sides[0]), _entered(asked, sides[1])
    return Pair(sides, entered, asked.titles, asked.micros)


def _entered(asked: WhyQuestion, side: Side) -> EnteredProfiles:
    return enter(side, len(asked.steps), asked.micros, in_period=asked.in_period)


def _errors(
    measure: _Measure,
    raw: tuple[Side, Side],
    measured_raw: Sequence[FloatArray],
    faults: Sequence[PeriodFault],
) -> list[FloatArray]:
    """Return by how much each fault moves the difference: the Shapley value of their repairs."""
    found = [np.zeros(1)] * len(faults)
    for on, sign in ((0, -1.0), (1, 1.0)):
        kept = {frozenset[int](): measured_raw[on]}

        def worth(
            repaired: frozenset[int],
            on: int = on,
            kept: dict[frozenset[int], FloatArray] = kept,
        ) -> FloatArray:
            if repaired not in kept:
                side = raw[on]
                for number in sorted(repaired):
                    repair = faults[number].repair
                    side = side if repair is None else repair(side)
                kept[repaired] = measure.number(on, side)
            return kept[repaired]

        for number in range(len(faults)):
            found[number] = found[number] + sign * _shapley(number, len(faults), worth)
    return found


def _shapley(number: int, count: int, worth: Callable[[frozenset[int]], FloatArray]) -> FloatArray:
    """Return what leaving one fault in does, over all orders of repairing them."""
    others = [other for other in range(count) if other != number]
    if count > _MOST_ORDERS:
        before = frozenset(range(number))
        return worth(before) - worth(before | {number})
    total = np.zeros(1)
    for size in range(count):
        share = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
        for chosen in itertools.combinations(others, size):
            with_it = frozenset(chosen) | {number}
            total = total + share * (worth(frozenset(chosen)) - worth(with_it))
    return total


def _parts(
    pair: Pair,
    now: Pair,
    faults: Sequence[PeriodFault],
    errors: Sequence[FloatArray],
    factors: Factors,
    labels: Sequence[SideLabels],
) -> list[WhyPart]:
    """Return the parts: those of faults, and those of what people did."""
    slope = weights(factors.formula, factors.before, factors.after)
    parts, repaired = [], iter(errors)
    taken: dict[str, PeriodFault] = {name: fault for fault in faults for name in fault.takes}
    cause = links.link_cause(now)
    effects: dict[int, FloatArray] = {}
    for piece in factors.pieces:
        effect = slope[piece.factor] * piece.change
        arrived = next((f for f in faults if f.kept != (1.0, 1.0)), None)
        fault = arrived if piece.factor == "arrived" else taken.get(piece.factor)
        if fault is not None:
            effects[id(fault)] = effects.get(id(fault), 0.0) + effect
            continue
        if piece.factor == "links":
            piece = replace(piece, kind=cause[0], what=cause[1])
        if np.abs(effect).max() > 1e-9 * max(
            np.abs(factors.formula.value(factors.after)).max(), 1e-9
        ):
            parts.append(_of_piece(piece, effect, now, labels))
    for fault in faults:
        # What a repair cannot bring back, such as the links of a shared alias, is the fault's too.
        effect = effects.get(id(fault), np.zeros(1))
        if fault.repair is not None:
            effect = effect + next(repaired)
        if len(effect) > 1:
            before, after = (float(len(events)) for events in fault.at)
            behind = _of_fault(pair, fault)
            parts.append(
                WhyPart(fault.kind, fault.what, before, after, effect, behind, is_fault=True)
            )
    return parts


def _of_piece(
    piece: FactorPiece, effect: FloatArray, now: Pair, labels: Sequence[SideLabels]
) -> WhyPart:
    def profiles() -> pd.DataFrame:
        frames = []
        for on, (side, entered) in enumerate(zip(now.sides, now.entered, strict=True)):
            chosen = np.ones(len(entered.person), dtype=bool)
            if piece.label is not None:
                kind, label = piece.label
                chosen = (labels[kind].before, labels[kind].after)[on] == label
            if piece.factor.startswith("step "):
                chosen &= entered.depth >= int(piece.factor.removeprefix("step ")) - 1
            ordered = entered.depth >= len(now.titles)
            at = entered.anchor[chosen]
            if piece.factor == "windows":
                at = entered.anchor[(entered.left < now.within) & ~ordered]
            elif piece.factor in ("value", "again"):
                at = entered.anchor[ordered]
            elif piece.factor in ("links", "beside"):
                at = _without_entry(side, entered, now.last)
            frames.append(_listed(side, at))
        return pd.concat(frames, ignore_index=True)

    return WhyPart(piece.kind, piece.what, piece.before, piece.after, effect, profiles)


def _without_entry(side: Side, entered: EnteredProfiles, last: int) -> IntArray:
    at = side.at_step(last)
    return at[~np.isin(side.person[at], entered.person)]


def _of_fault(pair: Pair, fault: PeriodFault) -> Callable[[], pd.DataFrame]:
    def profiles() -> pd.DataFrame:
        frames = [_listed(side, at) for side, at in zip(pair.sides, fault.at, strict=True)]
        return pd.concat(frames, ignore_index=True)

    return profiles


def _listed(side: Side, at: IntArray) -> pd.DataFrame:
    ids = side.profile_ids(at)
    name = pd.Series([side.name] * len(ids), dtype="str")
    return pd.DataFrame({"profile_id": ids, "side": name})


def _result(
    asked: WhyQuestion,
    raw: tuple[Side, Side],
    numbers: Sequence[FloatArray],
    parts: Sequence[WhyPart],
    faults: Sequence[PeriodFault],
    findings: pd.DataFrame,
    notes: list[str],
) -> Why:
    unit = {"conversion": 1e-9, "orders": 0.01, "revenue": 1.0}.get(asked.number, 1e-6)
    money = 1.0 if asked.number in ("conversion", "orders") else 0.01
    whole = [round(float(one[0]) / unit) for one in numbers]
    units = apportioned(np.array([part.effect[0] / unit for part in parts]), whole[1] - whole[0])
    total = numbers[1] - numbers[0]
    tested = p_values([total, *(part.effect for part in parts)])
    widths = [half_width(spread(part.effect), asked.confidence) * money for part in parts]
    digits = {"conversion": 9, "orders": 2, "revenue": 2}.get(asked.number, 8)
    return made(
        number=asked.number,
        steps=asked.titles,
        sides=[_named(side) for side in raw],
        values=[round(one * unit * money, digits) for one in whole],
        parts=list(parts),
        effects=[round(one * unit * money, digits) for one in units],
        widths=widths,
        width=half_width(spread(total), asked.confidence) * money,
        p_values=tested.tolist(),
        confidence=asked.confidence,
        faults=list(faults),
        findings=findings,
        notes=notes,
    )


def _named(side: Side) -> str:
    first, last = (pd.Timestamp(t, unit="us", tz="UTC") for t in (side.start, side.end - 1))
    zone = side.s.calendar.zone
    return f"{first.tz_convert(zone):%Y-%m-%d} to {last.tz_convert(zone):%Y-%m-%d}"


def _notes(asked: WhyQuestion, raw: tuple[Side, Side], whole: tuple[float, float]) -> list[str]:
    notes = []
    for side, share in zip(raw, whole, strict=True):
        # The last event of a day is not its end.
        if side.end - side.observed >= DAY:
            notes.append(f"The period {side.name} is not over: {side.days:.1f} of its days are.")
        if share < 1:
            notes.append(
                f"Windows of the period {side.name} are open: {share:.1%} of those who will "
                "convert have."
            )
    if abs(raw[0].days - raw[1].days) > 0.1 * max(raw[0].days, raw[1].days) and asked.in_period:
        notes.append("The periods differ in length: what came from before one counts as 'rest'.")
    return notes


def _whole(asked: WhyQuestion, pair: Pair) -> tuple[float, float]:
    """Return of each side the share of those who will convert that have, as windows are open."""
    if asked.in_period:
        return 1.0, 1.0
    closed = [e.left >= asked.micros for e in pair.entered]
    waits = np.sort(
        np.concatenate(
            [e.wait[(e.wait >= 0) & c] for e, c in zip(pair.entered, closed, strict=True)]
        )
    )
    if not len(waits):
        return 1.0, 1.0
    # Whole numbers are added up, so that the sum does not hang on their order.
    have = [int(np.searchsorted(waits, e.left, side="right").sum()) for e in pair.entered]
    shares = [
        one / max(len(waits) * len(e.left), 1) for one, e in zip(have, pair.entered, strict=True)
    ]
    return shares[0] or 1.0, shares[1] or 1.0


def _visits_of(
    sides: tuple[Side, Side],
) -> tuple[Callable[[], FoundSessions], Callable[[], FoundSessions]]:
    """Return what finds the sessions of each side's stitching, once if it is one."""
    before = cache(partial(sessions_of, sides[0].s))
    one = sides[0].base is sides[1].base
    return before, before if one else cache(partial(sessions_of, sides[1].s))


def _begun(found: FoundSessions) -> IntArray:
    return found.first[found.visitor >= 0]


def _both_of(
    s: ComparedStitching, a: object, b: Period | None
) -> tuple[ComparedStitching, ComparedStitching]:
    other = compared_with(a)
    if other is not None:
        if b is not None:
            raise ConvergekitError(
                "a stitching is compared with one other: a.why(b). Two periods of one: "
                "s.why(('2026-03-02', '2026-03-08'), ('2026-03-09', '2026-03-15'))."
            )
        return s, other
    for name, period in (("a", a), ("b", b)):
        if not isinstance(period, (tuple, list)) or len(period) != 2:
            raise ConvergekitError(
                f"`{name}` must be a period, its first and its last day, such as ('2026-03-02', "
                f"'2026-03-08'), or, alone, another stitching or store; got {period!r}."
            )
    return s, s


def _periods(
    stitched: tuple[ComparedStitching, ComparedStitching], a: Any, b: Any
) -> tuple[tuple[int, int], tuple[int, int]]:
    if b is None:
        spans = [_span(one) for one in stitched]
        return spans[0], spans[1]
    found = []
    for name, given in (("a", a), ("b", b)):
        begin, last = _span(stitched[0])
        start = stitched[0].calendar.moment(given[0], f"the start of `{name}`")
        end = stitched[0].calendar.moment(given[1], f"the end of `{name}`", last=True)
        start, end = begin if start is None else start, last if end is None else end
        if end <= start:
            raise ConvergekitError(f"`{name}` ends before it begins; got {given!r}.")
        found.append((start, end))
    one, other = found
    if one[0] < other[1] and other[0] < one[1]:
        raise ConvergekitError(
            f"the periods overlap: {a!r} and {b!r}. The same people would be compared with "
            "themselves; end one before the other begins."
        )
    return one, other


def _span(s: ComparedStitching) -> tuple[int, int]:
    begin, end = s.observed_span
    if pd.isna(begin) or pd.isna(end):
        raise ConvergekitError("one side does not have events to compare.")
    return int(begin.value // 1000), int(end.value // 1000) + 1


def _steps(s: ComparedStitching, steps: Sequence[StepLike] | None) -> tuple[Step, ...]:
    if steps is None:
        steps = suggested(s.event_counts()).steps
        if len(steps) < 2:
            raise ConvergekitError(
                "no steps were recognised by the names of the events: give steps=, such as "
                "['PageView', 'Placed Order']."
            )
    found = tuple(as_steps(list(steps)))
    names = [name for step in found for name in step.names]
    if len(found) < 2 or any(step.optional for step in found) or len(set(names)) < len(names):
        raise ConvergekitError(
            "steps must be two or more, of names that differ, and none optional; got "
            f"{[step.title for step in found]}."
        )
    return found


def _amounts(
    goals: pd.DataFrame,
    goal: Step,
    value: str | None,
    currency: str | None,
    rates: Mapping[str, float] | None,
    *,
    needs: bool,
) -> pd.Series:
    """Return by `row` the amounts of events of the last step, as sent unless rates are given."""
    every = np.ones(len(goals), dtype=bool)
    amounts = np.zeros(len(goals))
    if value is not None and rates is not None:
        amounts = summed_amounts(goals, np.arange(len(goals)), value, currency, rates)
    else:
        money = money_of_events(goals, every, AskedMoney(value, currency, rates))
        if money is None and needs:
            raise ConvergekitError(
                f"it is not known which property holds the money of {goal.title!r}: give value=, "
                "such as value='total_price'."
            )
        if money is not None:
            amounts = money.amounts if rates is None else money.counted
    return pd.Series(amounts, index=goals["row"].to_numpy(dtype=np.int64))


def _cost(spend: pd.DataFrame | Spend | None, side: Side) -> float:
    """Return what advertising cost on the days of a side."""
    if spend is None:
        return 1.0
    table = spend.table if isinstance(spend, Spend) else spend
    lacking = [name for name in ("date", "spend") if name not in table]
    if lacking:
        raise ConvergekitError(
            f"spend does not have a column {lacking[0]!r}; it needs 'date' and 'spend'."
        )
    if "currency" in table and len(table["currency"].dropna().unique()) > 1:
        raise ConvergekitError(
            "spend is in several currencies: give spend.in_currency('EUR', rates) instead."
        )
    days = pd.to_datetime(table["date"]).dt.normalize()
    zone = side.s.calendar.zone
    first, last = (
        pd.Timestamp(t, unit="us", tz="UTC").tz_convert(zone).tz_localize(None).normalize()
        for t in (side.start, min(side.end, side.observed) - 1)
    )
    cost = float(table["spend"][(days >= first) & (days <= last)].sum())
    if cost <= 0:
        raise ConvergekitError(f"spend has nothing on the days {side.name}, {_named(side)}.")
    return cost


def _check_events(sides: tuple[Side, Side]) -> None:
    for side in sides:
        if not side.inside.any():
            raise ConvergekitError(
                f"the period {side.name}, {_named(side)}, does not have any event; the data are of "
                f"{side.s.observed_span[0]:%Y-%m-%d} to {side.s.data_end:%Y-%m-%d}."
            )
