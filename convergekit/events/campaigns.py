"""Campaign properties: what says where a visit came from, and when it says nothing.

A tag that was never filled in (``utm_source=undefined``) must not take the place of the campaign
that a profile carries.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from convergekit.events.nothing import without_value
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY, missing
from convergekit.typing import BoolArray

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
    "gad_source",
    "yclid",
    "rdt_cid",
)  # fmt: skip
#: Profile properties that say where a visit came from.
_CAMPAIGN = {*CLICK_IDS, "channel", "source", "medium", "campaign"}
#: What vendors put before the name of the first or the last campaign of a person.
_WHICH = re.compile(r"^\$?(?:initial|first|last|latest)_", re.IGNORECASE)


def is_campaign(name: str) -> bool:
    """Return whether a profile property of this name says where a visit came from.

    Examples
    --------
    >>> [is_campaign(name) for name in ("utm_source", "$gclid", "medium", "plan")]
    [True, True, True, False]
    """
    return name.startswith("utm_") or name.removeprefix("$") in _CAMPAIGN


def carries_campaign(name: str) -> bool:
    """Return whether a profile property holds a campaign: that of a visit, the first or the last.

    Examples
    --------
    >>> [carries_campaign(name) for name in ("$initial_utm_source", "UTM_Source", "last_seen")]
    [True, True, False]
    """
    plain = _WHICH.sub("", name).lower()
    return is_campaign(plain) or is_campaign(plain.removeprefix("$"))


def holds_campaign(column: str) -> bool:
    """Return whether a column holds a campaign: a profile property, or a tag or click ID sent.

    Examples
    --------
    >>> [holds_campaign(f"{kind}.medium") for kind in ("profile_properties", "properties")]
    [True, False]
    """
    if column.startswith(PROFILE_PROPERTY):
        return carries_campaign(column.removeprefix(PROFILE_PROPERTY))
    name = column.removeprefix(PROPERTY)
    return name in TAGS or name.removeprefix("$") in CLICK_IDS


def says_something(events: pd.DataFrame, name: str) -> BoolArray:
    """Return which events carry a value of the profile property.

    Of a campaign, a text that stands for nothing is not a value; of any other property it is, for
    nobody but the shop knows what its words mean.

    Examples
    --------
    >>> events = pd.DataFrame({
    ...     "profile_properties.utm_source": ["undefined", "google", ""],
    ...     "profile_properties.plan": ["none", "gold", ""],
    ... })
    >>> [says_something(events, name).tolist() for name in ("utm_source", "plan")]
    [[False, True, False], [True, True, False]]
    """
    column = events[PROFILE_PROPERTY + name]
    given = ~missing(column).to_numpy(dtype=bool)
    if carries_campaign(name):
        # Few events send a campaign.
        at = np.flatnonzero(given)
        given[at] = ~without_value(column.iloc[at])
    return given
