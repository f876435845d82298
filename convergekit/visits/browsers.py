"""Which browser each event is of, and which events speak for one.

A visit is one browser's. What a server or a CRM sends falls into a visit, if one is under way; it
neither begins a visit nor keeps it alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from scipy import sparse

from convergekit.base.grouping import NumberedText
from convergekit.events.campaigns import TAGS
from convergekit.events.steps import tracked
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, IntArray

#: Alias types of a device, which is as good as a browser.
DEVICES = ("anonymous_id", "device", "device_id", "gaid", "idfa", "idfv")


def browsers_of(s: StitchedEvents) -> IntArray:
    """Return the browser or device of each event, as a number; -1 where it carries no alias of one.

    Two such aliases on one event are of one browser.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(pd.DataFrame({
    ...     "event_name": "PageView", "timestamp": "2026-03-02T10:00:00Z",
    ...     "alias.cookie": ["a", "b", None], "alias.email": "ada@example.com",
    ... }))
    >>> browsers_of(s.tables).tolist()
    [0, 1, -1]
    """
    aliases = s.resolution.aliases
    of_browser = aliases.table["alias_type"].isin((s.browser_alias, *DEVICES)).to_numpy(dtype=bool)
    pairs = np.flatnonzero(of_browser[aliases.alias])
    event, alias = aliases.event[pairs], aliases.alias[pairs]
    again = np.flatnonzero(event[1:] == event[:-1])
    if len(again):
        size = len(aliases.table)
        met = sparse.coo_matrix(
            (np.ones(len(again), dtype=bool), (alias[again], alias[again + 1])), shape=(size, size)
        )
        alias = sparse.csgraph.connected_components(met, directed=False)[1][alias]
    browser = np.full(len(s.events), -1, dtype=np.int64)
    browser[event] = alias
    return browser


def speaking(
    events: pd.DataFrame, traffic: Mapping[str, NumberedText], browser: IntArray
) -> tuple[BoolArray, BoolArray]:
    """Return which events speak for a browser, and which of them can tell that there is a visit.

    Parameters
    ----------
    events : pandas.DataFrame
    traffic : mapping of str to NumberedText
        What they sent about their visits.
    browser : numpy.ndarray of int
        As `browsers_of` returns it.

    Returns
    -------
    speaks, tells : numpy.ndarray of bool
        An event that shows a page speaks, and tells a visit. One that carries a browser's alias, or
        a tag, a click ID or a referrer, speaks if its source shows pages; it tells a visit by the
        latter. Where no event has a page's address, sources and event names that send tags stand
        in for those that show pages.
    """
    landed = traffic["landing_page"].codes >= 0
    told = np.any([traffic[name].codes >= 0 for name in (*TAGS, "click_id", "referrer")], axis=0)
    of_browser = browser >= 0
    evident = landed if landed.any() else of_browser & told
    if not evident.any():
        found = (of_browser if of_browser.any() else told) & tracked(events)
        return found, found
    sources = _codes(events, "source")
    speaks = landed | ((of_browser | told) & _any_in(sources, evident))
    alone = told & ~of_browser & ~landed
    if alone.any():
        # A newsletter that is sent has tags as well, and a browser never says that name.
        kinds = sources * (1 + _codes(events, "event_name").max(initial=0)) + _codes(
            events, "event_name"
        )
        speaks &= ~alone | _any_in(kinds, landed | of_browser)
    if landed.any():
        return speaks, speaks & (landed | told)
    return speaks, speaks & (told | _any_in(_codes(events, "event_name"), told))


def named_alike(names: pd.Series, asked: Iterable[str]) -> BoolArray:
    """Return which names are one of those asked for, whatever their capitals and separators.

    Examples
    --------
    >>> named_alike(pd.Series(["ad_impression", "PageView"]), ["Ad Impression"]).tolist()
    [True, False]
    """
    codes, distinct = pd.factorize(names)
    wanted = {_plain(name) for name in asked}
    found = [isinstance(name, str) and _plain(name) in wanted for name in distinct]
    return np.append(np.array(found, dtype=bool), False)[codes]


def _plain(name: str) -> str:
    return name.casefold().replace(" ", "").replace("_", "").replace("-", "")


def _codes(events: pd.DataFrame, name: str) -> IntArray:
    """Return a number for each value of a column, 0 for a missing one or a missing column."""
    if name not in events:
        return np.zeros(len(events), dtype=np.int64)
    return pd.factorize(events[name])[0].astype(np.int64) + 1


def _any_in(group: IntArray, marked: BoolArray) -> BoolArray:
    """Return which rows are of a group in which some row is marked."""
    numbers = group if group.max(initial=0) <= 2 * len(group) else pd.factorize(group)[0]
    has = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=bool)
    has[numbers[marked]] = True
    return has[numbers]
