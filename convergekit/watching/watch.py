"""`watch`: numbers compared with their own past, every day."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from convergekit.change.asking import why
from convergekit.change.result import Why
from convergekit.errors import ConvergekitError
from convergekit.figures.calls import of_function
from convergekit.funnels.suggest import suggested
from convergekit.identity.tables import HasTables
from convergekit.typing import BoolArray, FloatArray
from convergekit.watching.asked import WatchedNumber, Watchlist, read_watchlist
from convergekit.watching.days import DayRange, days_of
from convergekit.watching.forecast import SPANS, DailyNumber, statsmodels
from convergekit.watching.judging import LEVEL, Judged, judged, others, series_of
from convergekit.watching.numbers import delay_of
from convergekit.watching.result import BY_OTHERS, Watch
from convergekit.watching.watched import WatchedStitching, watched_in

if TYPE_CHECKING:
    from convergekit.change.factors import Number

_WEEK, _WEEKS_BACK = 7, 4
#: Of more late events than this share a day is not read yet when it is compared.
_MOST_LATE = 0.5


class HasStitched(Protocol):
    """What can be stitched: a `Store`."""

    def stitched(self) -> HasTables:
        """Stitch all of it."""
        ...


@of_function
def watch(
    store: HasTables | HasStitched,
    numbers: str | Path | Mapping[str, Any],
    *,
    days: int = 1,
    until: Any = None,
) -> Watch:
    """Compare numbers with their own past, and raise an alarm where one is beyond chance.

    Made to be asked every day, after the day's events were added to a store: in a week in which
    nothing happened, there is an alarm in 5 % of weeks at most, whichever numbers are watched.
    ``docs/watch.md`` says how, and when not to use it.

    Parameters
    ----------
    store : Store, Stitched or StitchedParts
    numbers : str, pathlib.Path or mapping
        A TOML file that names the numbers, or what one would hold: ``{"number": [{"kind":
        "events", "event": "Placed Order"}]}``. Kinds are ``"events"`` (how many), ``"revenue"``,
        ``"conversion"`` (of a funnel, by the day of the entry), ``"visits"``, ``"new profiles"``
        and ``"linked"`` (the share of events whose profile has a browser session).
    days : int, default 1
        How many of the latest days are compared: 7 where it is asked once a week.
    until : date, optional
        The last day; by default the last that is over by the data. Give it where the silence of
        all sources is to be an alarm, too.

    Returns
    -------
    Watch
        `.table`, a row a number and day; `.alarms`; `.finding`, a sentence; ``.why(row)`` of an
        alarm; ``.plot()``; ``.to_markdown()``.

    Raises
    ------
    ConvergekitError
        The file cannot be read, or something in it is not as it has to be; there are not enough
        whole days; an option has a value that it does not take; or statsmodels is not installed
        (``pip install 'convergekit[watch]'``).
    UnknownNameError
        No event has a name that is watched.

    Notes
    -----
    The past is up to 13 weeks before the days that are compared: a generalised linear model with
    the weekday and a trend, quasi-Poisson for counts and amounts, quasi-binomial for shares,
    widened by the autocorrelation of days. The latest day, the latest two and three together are
    compared. A count or an amount is compared with what the other counts say of it, too: with
    their own deviations in the model, what moves all of them is expected. Every day is counted as
    it was known when it was read: what came or was linked later does not change it, so that an
    alarm is the same whenever it is asked for.

    See Also
    --------
    Stitched.why : Split the difference between two periods.
    check_up : What is wrong with the tracking at any time.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store(people=300).events)
    >>> found = ck.watch(s, {"number": [{"kind": "events", "event": "Placed Order"}]})
    >>> found.table["reason"].tolist()
    ['its past has 24 days; it needs 35']
    """
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ConvergekitError(f"days must be a number of days from 1; got {days!r}.")
    asked = read_watchlist(numbers)
    statsmodels()
    s = _watched_of(store)
    known = days_of(s, until)
    usable = known.outside(asked.left_out)
    wait = int(asked.wait.value // 1000)
    rows: list[dict[str, Any]] = []
    series: list[pd.DataFrame] = []
    of_row: list[tuple[WatchedNumber, Judged]] = []
    counted = s.counted(known, asked.numbers, wait)
    settled = [
        one.settled(known, watched) for watched, one in zip(asked.numbers, counted, strict=True)
    ]
    for place, watched in enumerate(asked.numbers):
        number = settled[place][0]
        found = _judged(known, settled, place, usable, asked, days)
        for one in found:
            rows.append(_row(watched, known, number, one))
            of_row.append((watched, one))
        if found:
            least = LEVEL / (_WEEK * len(SPANS) * len(asked.numbers))
            level = min(least, *(one.level for one in found))
            series.append(series_of(watched, number, known.periods, usable, found, level))
    if not rows:
        raise ConvergekitError("no day is over for any number yet: its windows are open.")
    return Watch(
        table=_table(rows),
        series=pd.concat(series, ignore_index=True),
        notes=_notes(s, known, until),
        _why=_whys(s, known, usable, asked, of_row),
    )


def _watched_of(store: Any) -> WatchedStitching:
    found = watched_in(store)
    if found is not None:
        return found
    raise ConvergekitError(
        f"watch needs a store or a stitching, such as ck.open_store('shop'); got {store!r}."
    )


def _judged(
    known: DayRange,
    settled: list[tuple[DailyNumber, FloatArray]],
    place: int,
    usable: BoolArray,
    asked: Watchlist,
    days: int,
) -> list[Judged]:
    """Return what is said of the latest days whose windows are closed, of one of the numbers."""
    delay = delay_of(asked.numbers[place], int(asked.wait.value // 1000))
    # The last day is over, and nothing after it is known.
    size = int(np.searchsorted(known.starts[1:] + delay, known.starts[-1], side="right"))
    number, late = settled[place]
    found = []
    for day in range(max(size - days, 0), size):
        if late[day] > _MOST_LATE:
            found.append(Judged(day, None, 1.0, _too_late(late[day])))
            continue
        known_then = [one for one, its_late in settled if its_late[day] <= _MOST_LATE]
        beside = others(known_then, number)
        found.append(judged(number, day, usable, len(settled), beside))
    return found


def _too_late(share: float) -> str:
    return f"{share:.0%} of its events come later than `wait`; give it a longer one"


def _row(
    watched: WatchedNumber, known: DayRange, number: DailyNumber, one: Judged
) -> dict[str, Any]:
    span = one.span
    row = {
        "number": watched.name,
        "kind": watched.kind,
        "day": known.periods[one.day].to_timestamp(),
    }
    if span is None:
        return row | {
            "days": 1, "observed": float(number.by_day[one.day]), "expected": np.nan,
            "low": np.nan, "high": np.nan, "change": np.nan, "p_value": np.nan, "expected_by": "",
            "verdict": "not compared", "reason": one.reason,
        }  # fmt: skip
    low, high = span.bounds(one.level)
    return row | {
        "days": span.days, "observed": span.observed, "expected": span.expected, "low": low,
        "high": high, "change": span.observed / span.expected - 1, "p_value": one.p_value,
        "expected_by": BY_OTHERS if one.is_beside else "its past",
        "verdict": "alarm" if one.is_alarm else "as expected", "reason": "",
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    texts = dict.fromkeys(("number", "kind", "expected_by", "verdict", "reason"), "str")
    return pd.DataFrame(rows).astype(texts)


def _notes(s: WatchedStitching, known: DayRange, until: Any) -> list[str]:
    end = s.observed_span[1].tz_convert(s.calendar.zone)
    last = known.periods[-1]
    said = [f"Days up to {last}, the last that is over; the last event is of {end:%Y-%m-%d %H:%M}."]
    if until is not None:
        said = [f"Days up to {last}; the last event is of {end:%Y-%m-%d %H:%M}."]
        if end.tz_localize(None).to_period("D") < last:
            said.append(f"There are not any events after {end:%Y-%m-%d %H:%M}.")
    return said


def _whys(
    s: WatchedStitching,
    known: DayRange,
    usable: BoolArray,
    asked: Watchlist,
    of_row: list[tuple[WatchedNumber, Judged]],
) -> Callable[[int], Why]:
    """Return what asks why of a row; the same is asked once."""

    @functools.cache
    def ask(
        number: Number, steps: tuple[tuple[str, ...], ...], within: pd.Timedelta,
        value: str | None, currency: str | None, rates: tuple[tuple[str, float], ...],
        before: tuple[str, str], after: tuple[str, str],
    ) -> Why:  # fmt: skip
        return why(
            s.compared, before, after, number=number,
            steps=[list(names) for names in steps] or None,
            within=within, value=value, currency=currency, rates=dict(rates) or None, by=None,
            spend=None, confidence=0.95,
        )  # fmt: skip

    def of(row: int) -> Why:
        watched, one = of_row[row]
        size = one.span.days if one.span is not None else 1
        first = one.day - size + 1
        back = _back(first, one.day, usable)
        periods = known.periods
        before, after = (
            (str(periods[first - shift]), str(periods[one.day - shift])) for shift in (back, 0)
        )
        number: Number = "orders"
        if watched.kind in ("conversion", "revenue"):
            number = "conversion" if watched.kind == "conversion" else "revenue"
        steps = watched.steps or _steps_to(s, watched, asked)
        rates = tuple((watched.rates or {}).items())
        return ask(
            number, steps, watched.within if watched.steps else pd.Timedelta("7D"),
            watched.value, watched.currency, rates, before, after,
        )  # fmt: skip

    return of


def _back(first: int, last: int, usable: BoolArray) -> int:
    """Return how many days before the same weekdays were that are not left out."""
    for weeks in range(1, _WEEKS_BACK + 1):
        back = weeks * _WEEK
        if first >= back and usable[first - back : last - back + 1].all():
            return back
    return _WEEK


def _steps_to(
    s: WatchedStitching, watched: WatchedNumber, asked: Watchlist
) -> tuple[tuple[str, ...], ...]:
    """Return the steps that lead to a number's event: those of the file, or what names suggest."""
    steps = next((one.steps for one in asked.numbers if one.steps), ())
    if not steps:
        steps = tuple((name,) for name in suggested(s.compared.event_counts()).steps)
    goal = set(watched.event)
    at = [place for place, names in enumerate(steps) if goal & set(names)]
    if not goal or at == [0] or not steps:
        return steps
    if at:
        return steps[: at[0] + 1]
    return (steps[0], watched.event)
