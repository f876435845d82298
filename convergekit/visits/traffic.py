"""The traffic source that each event itself sent: tags, click ID, page, referrer.

Carried values are left aside: a value that a profile keeps from an earlier visit says nothing of
this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_plus

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import as_text, to_arrow
from convergekit.errors import ColumnError, what_there_is
from convergekit.events.campaigns import CLICK_IDS, TAGS
from convergekit.events.nothing import SAID_DIRECT, is_no_value, trimmed
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.typing import BoolArray, IntArray

#: The page's address, and that of the page before, as Converge, Segment and Snowplow are read;
#: `$current_url` is Mixpanel's and PostHog's,
#: https://docs.mixpanel.com/docs/data-structure/property-reference/default-properties and
#: https://posthog.com/docs/references/posthog-js/types/Properties, `page_location` and
#: `page_referrer` are Google Analytics', https://support.google.com/analytics/answer/9234069, and
#: the last is Amplitude's, https://amplitude.com/docs/get-started/event-property-definitions.
PAGES = ("$url", "url", "$current_url", "page_location", "[Amplitude] Page Location")
REFERRERS = ("$referrer", "referrer", "page_referrer")
_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?:www\.)?([^/:?#]+)"


def sent_traffic(events: pd.DataFrame) -> dict[str, NumberedText]:
    """Return what each event sent about its visit.

    Parameters
    ----------
    events : pandas.DataFrame
        A canonical event frame.

    Returns
    -------
    dict of str to NumberedText
        A row per event: `utm_source` ... `utm_term`; `click_id`, the name of the parameter;
        `landing_page`, the page's address without what follows ``?`` or ``#``; and `referrer`,
        the host that linked here, unless it is one of the pages' own. A tag is looked for in
        `profile_properties`, in `properties`, and in the address, under one of `PAGES`; a text
        that stands for nothing is none. `SAID_DIRECT` says where the source was ``(direct)`` and
        the medium nothing, which channels ask first.

    Examples
    --------
    >>> sent = sent_traffic(pd.DataFrame({
    ...     "properties.$url": ["https://www.shop.example/tea?utm_source=news&gclid=x", None],
    ...     "properties.$referrer": ["https://mail.example/inbox", "https://shop.example/"],
    ... }))
    >>> [sent[name].take(np.arange(2)).tolist() for name in ("utm_source", "click_id")]
    [['news', nan], ['gclid', nan]]
    >>> [sent[name].take(np.arange(2)).tolist() for name in ("landing_page", "referrer")]
    [['https://www.shop.example/tea', nan], ['mail.example', nan]]
    """
    pages, referrers = _sent(events, *PAGES), _sent(events, *REFERRERS)
    urls = pages.distinct
    from_hosts = _hosts(referrers.distinct)
    # A link from one page of the site to another is not an arrival.
    from_hosts = from_hosts.mask(from_hosts.isin(_hosts(urls).dropna()))
    found = {tag: _sent(events, tag).or_else(pages.mapped(_parameter(urls, tag))) for tag in TAGS}
    found["click_id"] = _click_columns(events).or_else(pages.mapped(_click_parameter(urls)))
    found["landing_page"] = pages.mapped(urls.str.replace(r"(?s)[?#].*", "", regex=True))
    found["referrer"] = referrers.mapped(from_hosts)
    found[SAID_DIRECT] = _said_direct(events, pages, found)
    return found


def unfilled_tags(events: pd.DataFrame) -> dict[str, BoolArray]:
    """Return where a page's address has a tag or a click ID that stands for nothing, by column.

    Examples
    --------
    >>> unfilled_tags(pd.DataFrame({
    ...     "properties.url": ["https://shop.example/?utm_source=undefined", "https://shop.example/"],
    ... }))["properties.url"].tolist()
    [True, False]
    """
    found = {}
    for column in (prefix + name for name in PAGES for prefix in (PROFILE_PROPERTY, PROPERTY)):
        if column in events:
            pages = NumberedText.of(as_text(events[column])[0])
            tagged = pages.distinct[pages.distinct.str.contains("[?&]")]
            values = tagged.str.extractall(rf"(?i)[?&](?:{'|'.join((*TAGS, *CLICK_IDS))})=([^&#]+)")
            nothing = is_no_value(to_arrow(pd.Series(values[0].map(unquote_plus), dtype="str")))
            marks = np.zeros(len(pages.distinct) + 1, dtype=bool)
            marks[values.index.get_level_values(0)[nothing]] = True
            found[column] = marks[pages.codes]
    return found


def sent_values(
    events: pd.DataFrame, traffic: dict[str, NumberedText], names: Iterable[str]
) -> list[IntArray]:
    """Return, for each of the names, a number for what each event sent of it, -1 where nothing.

    Raises
    ------
    ColumnError
        No event has such a property, and it is not a campaign parameter.

    Examples
    --------
    >>> events = pd.DataFrame({"profile_properties.utm_source": ["a", None, "a", "b"]})
    >>> [sent.tolist() for sent in sent_values(events, sent_traffic(events), ["utm_source"])]
    [[0, -1, 0, 1]]
    """
    found = []
    for name in names:
        if name not in traffic:
            _check_known(events, name)
        found.append((traffic[name] if name in traffic else _sent(events, name)).codes)
    return found


def sent_text(events: pd.DataFrame, name: str) -> NumberedText:
    """Return what each event itself sent of a property, as text.

    Examples
    --------
    >>> sent_text(pd.DataFrame({"properties.gclid": ["x", "(none)"]}), "gclid").codes.tolist()
    [0, -1]
    """
    return _sent(events, name)


def _sent(events: pd.DataFrame, *names: str) -> NumberedText:
    """Return the first of the names' values that an event sent, as text."""
    found = NumberedText(np.full(len(events), -1), pd.Series(dtype="str"))
    for name in names:
        for column in (PROFILE_PROPERTY + name, PROPERTY + name):
            if column in events:
                sent = NumberedText.of(as_text(events[column])[0])
                found = found.or_else(sent.mapped(_without_nothing(sent.distinct)))
    return found


def _said_direct(
    events: pd.DataFrame, pages: NumberedText, found: dict[str, NumberedText]
) -> NumberedText:
    """Return where an event says itself that its visit is direct, and no tag says otherwise."""
    sent = [
        NumberedText.of(as_text(events[column])[0])
        for column in (PROFILE_PROPERTY + "utm_source", PROPERTY + "utm_source")
        if column in events
    ]
    sent.append(pages.mapped(_raw_parameter(pages.distinct, "utm_source")))
    says = np.zeros(len(events), dtype=bool)
    for source in sent:
        said = pd.Series(trimmed(to_arrow(source.distinct)), dtype="str")
        direct = said.str.lower() == SAID_DIRECT
        says |= np.append(direct.to_numpy(dtype=bool), False)[source.codes]
    says &= (found["utm_source"].codes < 0) & (found["utm_medium"].codes < 0)
    return NumberedText(np.where(says, 0, -1), pd.Series([SAID_DIRECT], dtype="str"))


def _without_nothing(texts: pd.Series) -> pd.Series:
    return texts.str.strip().mask(is_no_value(to_arrow(texts))).astype("str")


def _parameter(pages: pd.Series, name: str) -> pd.Series:
    return _without_nothing(_raw_parameter(pages, name))


def _raw_parameter(pages: pd.Series, name: str) -> pd.Series:
    asked = pages[pages.str.contains(f"{name}=", regex=False)]
    raw = asked.str.extract(rf"[?&]{name}=([^&#]*)", expand=False).dropna()
    return pd.Series(raw.map(unquote_plus), dtype="str").reindex(pages.index)


def _click_parameter(pages: pd.Series) -> pd.Series:
    found = pd.Series(np.nan, index=pages.index, dtype="str")
    asked = pages[pages.str.contains("[?&]")]
    if asked.empty:
        return found
    named = asked.str.extractall(rf"(?i)[?&]({'|'.join(CLICK_IDS)})=([^&#]+)")
    values = pd.Series(named[1].map(unquote_plus), dtype="str")
    first = named[0][~is_no_value(to_arrow(values))].groupby(level=0, sort=False).first()
    found[first.index] = first.str.lower()
    return found


def _click_columns(events: pd.DataFrame) -> NumberedText:
    codes = np.full(len(events), -1)
    for code, name in enumerate(CLICK_IDS):
        sent = _sent(events, name, f"${name}")
        if len(sent.distinct):
            codes[(sent.codes >= 0) & (codes < 0)] = code
    return NumberedText(codes, pd.Series(CLICK_IDS, dtype="str"))


def _hosts(addresses: pd.Series) -> pd.Series:
    return addresses.str.extract(_HOST, expand=False).str.lower().astype("str")


def _check_known(events: pd.DataFrame, name: str) -> None:
    if PROFILE_PROPERTY + name in events or PROPERTY + name in events:
        return
    known = sorted(
        {
            str(column).removeprefix(prefix)
            for prefix in (PROFILE_PROPERTY, PROPERTY)
            for column in events.columns
            if str(column).startswith(prefix)
        }
    )
    raise ColumnError(
        f"new_on names {name!r}, which no event sends. "
        f"{what_there_is(known, name, none='no properties')}"
    )
