"""Events by session, in one pass over them: `pauses.grouped`, compiled.

The plain path brings the events of each browser together, and looks up by searching what falls into
a visit. Here the events are gone through in order of time, with what each browser and each visitor
said last beside: tables of which little is used at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
import pandas as pd

from convergekit.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from convergekit.visits.pauses import Timed

_NO_DAY = np.empty(0, dtype=np.int64)


def grouped(timed: Timed, timeout: int) -> tuple[IntArray, IntArray, BoolArray]:
    """Return `place`, `begin` and `spoken` of the events by session. See `pauses.Grouped`."""
    visitors = int(timed.visitor.max(initial=-1)) + 1
    unit = timed.browser
    units = int(unit.max(initial=-1)) + 1
    if not _each_of_one(unit, timed.visitor, units):
        # A browser of two visitors is two.
        named = np.flatnonzero(unit >= 0)
        codes, keys = pd.factorize(timed.visitor[named] * units + unit[named])
        unit, units = unit.copy(), len(keys)
        unit[named] = codes
    session, spoken, owner = _in_sessions(
        timed.visitor,
        unit,
        timed.moment,
        timed.speaks,
        timed.tells,
        timed.row,
        np.ascontiguousarray(timed.sent),
        _NO_DAY if timed.day is None else timed.day,
        timeout,
        visitors,
        units,
    )
    return _by_session(session, spoken, owner, visitors)


@numba.njit(nogil=True, cache=True)
def _each_of_one(unit, visitor, units):  # type: ignore[no-untyped-def]
    """Return whether each browser is of one visitor."""
    owner = np.full(units, -1)
    for k in range(len(unit)):
        if unit[k] >= 0:
            if owner[unit[k]] < 0:
                owner[unit[k]] = visitor[k]
            elif owner[unit[k]] != visitor[k]:
                return False
    return True


@numba.njit(nogil=True, cache=True)
def _in_sessions(  # type: ignore[no-untyped-def]
    visitor, unit, moment, speaks, tells, row, sent, day, timeout, visitors, units
):
    """Return the session of each event, whether it is of a run, and whose each session is."""
    size, columns = len(moment), sent.shape[1]
    session, spoken = np.empty(size, np.int64), np.zeros(size, np.bool_)
    owner, found = np.empty(size, np.int64), 0
    # Of each browser, and of each visitor for events without one: the run that is going on.
    runs = units + visitors
    spoke, run = np.zeros(runs, np.int64), np.full(runs, -1)
    known, told = np.zeros(runs, np.bool_), np.zeros(runs, np.bool_)
    of_day, last = np.zeros(runs, np.int64), np.full((runs, columns), -1)
    # The last event of a run: of each browser, and of each visitor.
    named, named_at = np.full(units, -1), np.zeros(units, np.int64)
    latest, latest_at = np.full(visitors, -1), np.zeros(visitors, np.int64)
    # The browser that spoke last, and the last event without a run.
    browser, browser_at = np.full(visitors, -1), np.zeros(visitors, np.int64)
    alone, alone_at = np.full(visitors, -1), np.zeros(visitors, np.int64)
    start = 0
    while start < size:
        now, stop, others = moment[start], start, False
        # Ties go to the browser: at one moment its events are looked at before others.
        while stop < size and moment[stop] == now:
            k = stop
            stop += 1
            session[k] = -1
            if not speaks[k]:
                others = True
                continue
            v, u = visitor[k], unit[k]
            if u >= 0:
                r = u
                browser[v], browser_at[v] = u, now
            elif browser[v] >= 0 and now - browser_at[v] <= timeout:
                r = browser[v]
            else:
                r = units + v
            if not known[r] or now - spoke[r] > timeout:
                known[r], told[r] = True, False
            spoke[r] = now
            if not told[r] and not tells[k]:
                others = True
                continue
            first = not told[r]
            begins = first
            if first:
                told[r] = True
                for p in range(columns):
                    last[r, p] = -1
            for p in range(columns):
                value = sent[row[k], p]
                if value >= 0:
                    begins |= value != last[r, p]
                    last[r, p] = value
            if len(day):
                begins |= day[k] != of_day[r]
                of_day[r] = day[k]
            if begins:
                run[r] = found
                owner[found] = v
                found += 1
            session[k], spoken[k] = run[r], True
            latest[v], latest_at[v] = run[r], now
            if u >= 0:
                named[u], named_at[u] = run[r], now
        for k in range(start, stop if others else start):
            if session[k] >= 0:
                continue
            v, u = visitor[k], unit[k]
            if u >= 0 and named[u] >= 0 and now - named_at[u] <= timeout:
                session[k] = named[u]
            elif latest[v] >= 0 and now - latest_at[v] <= timeout:
                session[k] = latest[v]
            else:
                if alone[v] < 0 or now - alone_at[v] > timeout:
                    alone[v] = found
                    owner[found] = v
                    found += 1
                alone_at[v] = now
                session[k] = alone[v]
        start = stop
    return session, spoken, owner[:found]


@numba.njit(nogil=True, cache=True)
def _by_session(session, spoken, owner, visitors):  # type: ignore[no-untyped-def]
    """Return the places by session, where each session begins, and which are of a run."""
    # Sessions are numbered in the order of time: by visitor they are counted out.
    ends = np.zeros(visitors + 1, np.int64)
    for v in owner:
        ends[v + 1] += 1
    for v in range(visitors):
        ends[v + 1] += ends[v]
    rank = np.empty(len(owner), np.int64)
    for s in range(len(owner)):
        rank[s] = ends[owner[s]]
        ends[owner[s]] += 1
    # And so are the events of each.
    begin = np.zeros(len(owner) + 1, np.int64)
    for s in session:
        begin[rank[s] + 1] += 1
    for s in range(len(owner)):
        begin[s + 1] += begin[s]
    going = begin[:-1].copy()
    place, run = np.empty(len(session), np.int64), np.empty(len(session), np.bool_)
    for k in range(len(session)):
        at = going[rank[session[k]]]
        place[at], run[at] = k, spoken[k]
        going[rank[session[k]]] = at + 1
    return place, begin[:-1].copy(), run
