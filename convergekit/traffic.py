"""What each event itself says of where its visitor came from: tags, click ID, page, referrer.

Carried values are left aside: a value that a profile keeps from an earlier visit says nothing of
this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_plus

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.errors import ColumnError, did_you_mean
from convergekit.events import PROFILE_PROPERTY, PROPERTY, missing
from convergekit.numbering import number
from convergekit.records import take_or_missing
from convergekit.text import as_text

IntArray = npt.NDArray[np.int64]

#: The campaign parameters, https://support.google.com/analytics/answer/10917952.
TAGS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
#: What ad platforms append to a link, https://www.simoahava.com/analytics/common-mistakes-click-identifiers;
#: the names are compared without regard to case.
CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "msclkid",
    "fbclid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "sccid",
    "epik",
    "obclid",
)  # fmt: skip
# What analytics tools write where there is nothing.
_NOTHING = r"\((?:not set|none|direct|not provided)\)"
_HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(?:www\.)?([^/:?#]+)"


def sent_traffic(events: pd.DataFrame) -> pd.DataFrame:
    """Return what each event sent about its visit.

    Parameters
    ----------
    events : pandas.DataFrame
        A canonical event frame.

    Returns
    -------
    pandas.DataFrame
        One row per event, all text: `utm_source` ... `utm_term`; `click_id`, the name of the
        parameter; `landing_page`, the page's address without what follows ``?`` or ``#``; and
        `referrer`, the host that linked here, unless it is one of the pages' own. A tag is looked
        for in `profile_properties`, in `properties`, and in the address.

    Examples
    --------
    >>> sent_traffic(pd.DataFrame({
    ...     "properties.$url": ["https://www.shop.example/tea?utm_source=news&gclid=x", None],
    ...     "properties.$referrer": ["https://mail.example/inbox", "https://shop.example/"],
    ... }))[["utm_source", "click_id", "landing_page", "referrer"]].values.tolist()
    [['news', 'gclid', 'https://www.shop.example/tea', 'mail.example'], [nan, nan, nan, nan]]
    """
    url_codes, urls = number(_sent(events, "$url", "url"))
    pages = pd.Series(urls, dtype="str")
    referrer_codes, referrers = number(_sent(events, "$referrer", "referrer"))
    from_hosts = _hosts(pd.Series(referrers, dtype="str"))
    # A link from one page of the site to another is no arrival.
    from_hosts = from_hosts.mask(from_hosts.isin(_hosts(pages).dropna()))
    found = {
        tag: _first_of(_sent(events, tag), take_or_missing(_parameter(pages, tag), url_codes))
        for tag in TAGS
    }
    found["click_id"] = _first_of(
        _click_columns(events), take_or_missing(_click_parameter(pages), url_codes)
    )
    found["landing_page"] = take_or_missing(
        pages.str.extract(r"^([^?#]*)", expand=False).astype("str"), url_codes
    )
    found["referrer"] = take_or_missing(from_hosts, referrer_codes)
    return pd.DataFrame(found)


def sent_values(events: pd.DataFrame, traffic: pd.DataFrame, names: Iterable[str]) -> IntArray:
    """Return a number for what each event sent of the names together, 0 where nothing.

    Raises
    ------
    ColumnError
        No event has such a property, and it is no campaign parameter.

    Examples
    --------
    >>> events = pd.DataFrame({"profile_properties.utm_source": ["a", None, "a", "b"]})
    >>> sent_values(events, sent_traffic(events), ["utm_source", "utm_campaign"]).tolist()
    [1, 0, 1, 2]
    """
    together = np.zeros(len(events), dtype=np.int64)
    for name in names:
        if name in traffic:
            values = traffic[name]
        else:
            _check_known(events, name)
            values = _sent(events, name)
        codes, distinct = number(values)
        together = together * (len(distinct) + 1) + codes + 1
        # Renumbered each time, or many names would outgrow an integer.
        distinct_pairs, together = np.unique(together, return_inverse=True)
        together = together + (0 if len(distinct_pairs) and distinct_pairs[0] == 0 else 1)
    return together


def _sent(events: pd.DataFrame, *names: str) -> pd.Series:
    """Return the first of the names' values that an event sent, as text."""
    found = pd.Series(np.nan, index=pd.RangeIndex(len(events)), dtype="str")
    for name in names:
        for column in (PROFILE_PROPERTY + name, PROPERTY + name):
            if column in events:
                text, _ = as_text(events[column].reset_index(drop=True))
                found = _first_of(found, text)
    return found


def _first_of(first: pd.Series, second: pd.Series) -> pd.Series:
    first, second = _without_nothing(first), _without_nothing(second)
    return first.where(first.notna(), second)


def _without_nothing(values: pd.Series) -> pd.Series:
    if not values.notna().any():
        return values.astype("str")
    codes, distinct = number(values)
    text = pd.Series(distinct, dtype="str").str.strip()
    text = text.mask(missing(text) | text.str.fullmatch(_NOTHING, case=False).fillna(False))
    return take_or_missing(text.astype("str"), codes)


def _parameter(pages: pd.Series, name: str) -> pd.Series:
    raw = pages.str.extract(rf"[?&]{name}=([^&#]*)", expand=False)
    codes, distinct = number(raw.astype("str"))
    return take_or_missing(pd.Series([unquote_plus(text) for text in distinct], dtype="str"), codes)


def _click_parameter(pages: pd.Series) -> pd.Series:
    named = pages.str.extract(rf"(?i)[?&]({'|'.join(CLICK_IDS)})=[^&#]", expand=False)
    return named.str.lower().astype("str")


def _click_columns(events: pd.DataFrame) -> pd.Series:
    found = pd.Series(np.nan, index=pd.RangeIndex(len(events)), dtype="str")
    for name in CLICK_IDS:
        has = _sent(events, name, f"${name}").notna()
        found = found.mask(has & found.isna(), name)
    return found


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
        f"new_on names {name!r}, which no event sends. Found: "
        f"{', '.join(known) or 'no properties'}.{did_you_mean(name, known)}"
    )
