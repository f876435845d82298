"""Which copies of an event cannot be copies of it, although they have its event ID.

One ID on several events is a placeholder, a number that a spreadsheet rounded, or a counter that
began again. Copies are one event where they agree on who did it, and lie near each other in time:
the browser's thank-you page may know a cookie and the server's order an e-mail address.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.grouping import run_starts
from convergekit.base.text import to_arrow
from convergekit.identity.aliases import EventAliases
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import BoolArray, IntArray

#: What may lie between copies without a common alias, in microseconds: 24 hours.
LONGEST_BETWEEN = 24 * 3_600_000_000

#: An event ID in scientific notation, as RE2 and Java read it: a spreadsheet kept a few digits.
#: Without a point or a plus it may be hexadecimal.
SCIENTIFIC = "^ *-?([0-9]+([.,][0-9]+)?[eE][+][0-9]{1,3}|[0-9]+[.,][0-9]+[eE][0-9]{1,3}) *$"
_LONGEST_NUMBER = 32


def find_implausible(
    aliases: EventAliases, times: IntArray, kept: IntArray, arrival: IntArray
) -> BoolArray:
    """Return which dropped copies are implausible: unlikely to be of the event that is kept.

    Each copy is compared with the kept event, the first to arrive. It is implausible if

    1. it lies more than 24 hours from the kept event, and they have no alias in common, or
    2. both have values of a type of which a person usually has one (`LOGIN_TYPES`), and none of
       these in common, or
    3. the kept event has no value of such a type, and the copy none in common with the first to
       arrive of the copies left that has one.

    Parameters
    ----------
    aliases : EventAliases
        Of all events, kept and dropped.
    times : numpy.ndarray of int
        Each event's time, in microseconds.
    kept : numpy.ndarray of int
        The position of the copy that is kept for each event: its own, unless repeated.
    arrival : numpy.ndarray of int
        Each event's place in the order of arrival.

    Returns
    -------
    numpy.ndarray of bool
        Per event; False where it is kept.

    Examples
    --------
    A cookie's thank-you page, the order that knows an address, and another person's order:

    >>> from convergekit.identity.read_aliases import read_aliases
    >>> events = pd.DataFrame({"alias.cookie": ["c", None, None],
    ...                        "alias.email": [None, "a@x.org", "b@x.org"]})
    >>> find_implausible(read_aliases(events), np.zeros(3), np.zeros(3, int), np.arange(3)).tolist()
    [False, False, True]
    """
    found = kept != np.arange(len(kept))
    dropped = np.flatnonzero(found)
    if not len(dropped):
        return found
    found[kept[dropped]] = True
    concerned = found[aliases.event]
    event, alias = aliases.event[concerned], aliases.alias[concerned]
    group = kept[event]
    size = len(aliases.table)

    named = group * size + alias
    found[:] = False
    found[dropped] = np.abs(times[dropped] - times[kept[dropped]]) > LONGEST_BETWEEN
    found[event[(event != group) & np.isin(named, named[event == group])]] = False

    types = aliases.types
    code = np.array([_login_code(name) for name in types.categories], dtype=np.int64)
    login = code[types.codes[alias]]
    chosen = login >= 0
    event, group, named, login = event[chosen], group[chosen], named[chosen], login[chosen]
    cell = group * len(LOGIN_TYPES) + login
    item = event * len(LOGIN_TYPES) + login
    found[event[_contradicts(cell, item, named, event == group)]] = True
    found[event[_contradicts(cell, item, named, _first(cell, event, arrival, ~found[event]))]] = (
        True
    )
    return found


def in_scientific_notation(event_ids: pd.Series) -> BoolArray:
    """Return which event IDs are in scientific notation, as spreadsheets write long numbers.

    Examples
    --------
    >>> ids = pd.Series(["5.5501E+12", "5,55e+12", "5550100000123", "12e4f", None], dtype="str")
    >>> in_scientific_notation(ids).tolist()
    [True, True, False, False, False]
    """
    texts = to_arrow(event_ids)
    length = pc.fill_null(pc.binary_length(texts), _LONGEST_NUMBER + 1)
    found = length.to_numpy(zero_copy_only=False) <= _LONGEST_NUMBER
    maybe = texts.filter(pa.array(found))
    found[found] = pc.match_substring_regex(maybe, SCIENTIFIC).to_numpy(zero_copy_only=False)
    return found


def _login_code(name: str) -> int:
    return LOGIN_TYPES.index(name) if name in LOGIN_TYPES else -1


def _first(cell: IntArray, event: IntArray, arrival: IntArray, asked: BoolArray) -> BoolArray:
    """Return which pairs are of the first of the asked events to arrive with the pair's cell."""
    at = np.flatnonzero(asked)
    order = at[np.lexsort((arrival[event[at]], cell[at]))]
    leading = order[run_starts(cell[order])]
    leads = cell[leading], event[leading]
    place = np.searchsorted(leads[0], cell)
    return np.append(leads[1], -1)[place] == event


def _contradicts(cell: IntArray, item: IntArray, named: IntArray, says: BoolArray) -> BoolArray:
    """Return which pairs are of an event that has other values of a type than those who say."""
    asked = np.isin(cell, cell[says])
    agrees = np.isin(named, named[says])
    return asked & ~np.isin(item, item[agrees])
