"""Which events are of one session: runs of a browser's events, and what falls into them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.base.compiled import compiled
from convergekit.base.grouping import first_of_run, run_starts
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True)
class Timed:
    """Events in order of time, then arrival.

    Attributes
    ----------
    visitor, browser : numpy.ndarray of int
        Whose each is, and of which browser, -1 if none is known.
    moment : numpy.ndarray of int
        Microseconds since 1970.
    speaks, tells : numpy.ndarray of bool
        Which speak for a browser, and which of these tell that there is a visit.
    row : numpy.ndarray of int
        The row of `sent` that is each event's.
    sent : numpy.ndarray of int
        Numbers for what is sent, -1 for nothing; another one than the last begins a session. A
        column for each property.
    day : numpy.ndarray of int, optional
        The day of each, if another one begins a session.
    """

    visitor: IntArray
    browser: IntArray
    moment: IntArray
    speaks: BoolArray
    tells: BoolArray
    row: IntArray
    sent: IntArray
    day: IntArray | None = None


@dataclass(frozen=True)
class Grouped:
    """Events by session, and the sessions by visitor and time.

    Attributes
    ----------
    place : numpy.ndarray of int
        Places among the timed events, by session, then in order of time.
    begin : numpy.ndarray of int
        Where each session begins in `place`.
    spoken : numpy.ndarray of bool
        Of each of `place`, whether it is of a browser's run: what falls into it is not.
    """

    place: IntArray
    begin: IntArray
    spoken: BoolArray


def grouped(timed: Timed, timeout: int) -> Grouped:
    """Return the events by session.

    Parameters
    ----------
    timed : Timed
    timeout : int
        Microseconds.

    Examples
    --------
    Of one visitor: a page, another one after an hour, and an order that a server sends then.

    >>> one, page = np.zeros(3, dtype=int), np.array([True, True, False])
    >>> moment, sent = np.array([0, 60, 61]), np.zeros((1, 0), dtype=int)
    >>> found = grouped(Timed(one, one, moment, page, page, one, sent), timeout=30)
    >>> found.begin.tolist(), found.place.tolist(), found.spoken.tolist()
    ([0, 1], [0, 1, 2], [True, True, False])
    """
    if compiled(len(timed.moment)):
        from convergekit.visits import compiled_pauses

        return Grouped(*compiled_pauses.grouped(timed, timeout))
    runs = Runs.of(timed, timeout)
    for column in timed.sent.T:
        runs.begins[runs.another(column[timed.row])] = True
    if timed.day is not None:
        runs.begins[1:] |= np.diff(timed.day[runs.place]) != 0
    session, first = in_sessions(timed, runs, timeout)
    # By visitor and time: sessions in the order in which they begin.
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.lexsort((first, timed.visitor[first]))] = np.arange(len(first))
    session = rank[session]
    place = np.argsort(session, kind="stable")
    spoken = np.zeros(len(place), dtype=bool)
    spoken[runs.place] = True
    return Grouped(place, np.flatnonzero(np.diff(session[place], prepend=-1)), spoken[place])


@dataclass(frozen=True)
class Runs:
    """What browsers say, by visitor, browser and time.

    Attributes
    ----------
    place : numpy.ndarray of int
        Places among the timed events.
    begins : numpy.ndarray of bool
        Which of these begin a session.
    after_pause : numpy.ndarray of int
        Per event, the position in `place` of the browser's first event after the pause before it.
    """

    place: IntArray
    begins: BoolArray
    after_pause: IntArray

    @classmethod
    def of(cls, timed: Timed, timeout: int) -> Runs:
        """Return the events that speak, in runs without a longer pause than the timeout.

        After a pause only an event that tells a visit begins one: a checkout on another domain,
        with a cookie of its own, is of the visit that led there.

        Parameters
        ----------
        timed : Timed
        timeout : int
            Microseconds.
        """
        speaking = np.flatnonzero(timed.speaks)
        visitor, moment = timed.visitor[speaking], timed.moment[speaking]
        browser = _latest_browser(visitor, timed.browser[speaking], moment, timeout)
        order = np.lexsort((browser, visitor))
        begins = run_starts(visitor[order], browser[order])
        begins[1:] |= np.diff(moment[order]) > timeout
        place = speaking[order]
        told = np.maximum.accumulate(np.where(timed.tells[place], np.arange(len(place)), -1))
        kept = told >= first_of_run(begins)
        run = np.cumsum(begins)[kept]
        begins = run_starts(run)
        return cls(place[kept], begins, first_of_run(begins))

    def another(self, sent: IntArray) -> IntArray:
        """Return the positions in `place` that send another value than was last sent since a pause.

        So does a first value after events that sent none.

        Parameters
        ----------
        sent : numpy.ndarray of int
            What each timed event sends of one property, -1 for nothing.
        """
        sent = sent[self.place]
        at = np.flatnonzero(sent >= 0)
        before = np.concatenate([[-1], at[:-1]])[: len(at)]
        since = self.after_pause[at]
        same = (before >= since) & (sent[before] == sent[at])
        return at[~same & (at > since)]


def in_sessions(timed: Timed, runs: Runs, timeout: int) -> tuple[IntArray, IntArray]:
    """Return the session of each timed event, and where each session begins.

    What is not in a run, such as an order that a server sends, is of the session that is under
    way: that of the last event of its own browser up to then, or else of any browser of its
    visitor, if no longer ago than the timeout. Where none is, such events make a session of their
    own.

    Returns
    -------
    session : numpy.ndarray of int
        Per timed event.
    first : numpy.ndarray of int
        Per session, the place of its first event.
    """
    size = len(timed.moment)
    session = np.full(size, -1, dtype=np.int64)
    session[runs.place] = np.cumsum(runs.begins) - 1
    first = runs.place[runs.begins]
    others = np.flatnonzero(session < 0)
    if not len(others):
        return session, first
    # The last place at which something can have happened by then: ties go to the browser.
    until = np.searchsorted(timed.moment, timed.moment[others], side="right") - 1
    unit = timed.visitor * (timed.browser.max(initial=-1) + 2) + timed.browser + 1
    for key, asks in (
        (unit, timed.browser[others] >= 0),
        (timed.visitor, np.ones(len(others), dtype=bool)),
    ):
        open_still = np.flatnonzero(asks & (session[others] < 0))
        place, wanted = others[open_still], until[open_still]
        spoken = runs.place[np.lexsort((runs.place, key[runs.place]))]
        found = _last_of_key(key, spoken, key[place], wanted)
        there = np.flatnonzero(found >= 0)
        soon = timed.moment[place[there]] - timed.moment[found[there]] <= timeout
        there = there[soon]
        session[place[there]] = session[found[there]]
    alone = others[session[others] < 0]
    alone = alone[np.argsort(timed.visitor[alone], kind="stable")]
    begins = run_starts(timed.visitor[alone])
    begins[1:] |= np.diff(timed.moment[alone]) > timeout
    session[alone] = len(first) + np.cumsum(begins) - 1
    return session, np.concatenate([first, alone[begins]])


def _last_of_key(key: IntArray, spoken: IntArray, asked: IntArray, until: IntArray) -> IntArray:
    """Return the last of the places up to another that are of a key, -1 where there is none.

    Parameters
    ----------
    key : numpy.ndarray of int
        Per place.
    spoken : numpy.ndarray of int
        Places by key, then ascending.
    asked, until : numpy.ndarray of int
        The key that is asked for, and the last place that counts.
    """
    if not len(spoken):
        return np.full(len(asked), -1, dtype=np.int64)
    numbers, code = np.unique(key[spoken], return_inverse=True)
    wanted = np.searchsorted(numbers, asked)
    known = np.append(numbers, -1)[wanted] == asked
    size = len(key)
    at = np.searchsorted(code * size + spoken, wanted * size + until, side="right") - 1
    found = spoken[np.maximum(at, 0)]
    return np.where(known & (at >= 0) & (key[found] == asked), found, -1)


def _latest_browser(
    visitor: IntArray, browser: IntArray, moment: IntArray, timeout: int
) -> IntArray:
    """Return the browser of each event: an event without one is of the visitor's latest.

    So it is if that spoke no longer ago than the timeout; what it is of then is known without
    what comes later.

    Parameters
    ----------
    visitor, browser, moment : numpy.ndarray of int
        In order of time.
    timeout : int
        Microseconds.
    """
    unnamed = browser < 0
    if not unnamed.any():
        return browser
    order = np.argsort(visitor, kind="stable")
    place = np.arange(len(order))
    latest = np.maximum.accumulate(np.where(browser[order] >= 0, place, -1))
    real = np.maximum(latest, 0)
    same = (latest >= 0) & (visitor[order[real]] == visitor[order])
    soon = same & (moment[order] - moment[order[real]] <= timeout)
    found = np.empty_like(browser)
    found[order] = np.where(soon, browser[order[real]], browser[order])
    return found
