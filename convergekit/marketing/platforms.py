"""Which ad platform a visit is from: by the click ID in its address, or by its source.

Click IDs are the platforms' own. The spellings of sources are those that Triple Whale lists,
https://kb.triplewhale.com/en/articles/6448705-acceptable-utm-alternatives, with those of
Microsoft Advertising and Pinterest after the same pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import folded_text

#: The platform that appends a click ID.
OF_CLICK_ID = {
    **dict.fromkeys(("gclid", "gbraid", "wbraid", "gad_source"), "google_ads"),
    **{"msclkid": "microsoft", "fbclid": "meta", "ttclid": "tiktok", "epik": "pinterest"},
}
#: Spellings of sources, without what is neither a letter nor a digit.
_SPELLED = {
    "google_ads": ("google", "googleads", "googlecom", "adwords", "googleadwords"),
    "meta": (
        *("meta", "metaads", "facebook", "facebookads", "facebookad", "facebookcom", "facebookpd"),
        *("fb", "fbads", "fbpaid", "fbig", "instagram", "instagramads", "instagramcom", "ig"),
        *("igads", "an", "msg", "facebookadsfb", "facebookadsig", "facebookinstagram"),
        *("facebookmobilefeed", "facebookdesktopfeed", "instagramfeed", "instagramexplore"),
        "instagramstories",
    ),
    "tiktok": ("tiktok", "tiktokads", "tiktokcom"),
    "microsoft": ("microsoft", "microsoftads", "microsoftadvertising", "bing", "bingads"),
    "pinterest": ("pinterest", "pinterestads", "pinterestcom"),
}
_PLATFORM = {text: name for name, texts in _SPELLED.items() for text in texts}


@lru_cache(100_000)
def platform_of_source(text: str) -> str | None:
    """Return the platform that a source names, None for none of those that are known.

    Examples
    --------
    >>> platform_of_source("Facebook_Ads"), platform_of_source("newsletter")
    ('meta', None)
    """
    return _PLATFORM.get(re.sub("[^a-z0-9]", "", text.lower()))


def platform_named(text: str) -> str:
    """Return what a platform that is named in a table of spend is called.

    Examples
    --------
    >>> platform_named("Google Ads"), platform_named("Snapchat ")
    ('google_ads', 'snapchat')
    """
    return platform_of_source(text) or folded_text(text)


def platforms_of(click_id: NumberedText, source: NumberedText) -> NumberedText:
    """Return the platform of each visit, missing where neither says one that is known.

    Parameters
    ----------
    click_id : NumberedText
        The name of the click ID that the visit came with.
    source : NumberedText
        Its `utm_source`.

    Examples
    --------
    >>> import numpy as np
    >>> names = [NumberedText.of(pd.Series(texts, dtype="str"))
    ...     for texts in (["gclid", None, None], ["newsletter", "ig", "newsletter"])]
    >>> platforms_of(*names).take(np.arange(3)).tolist()
    ['google_ads', 'meta', nan]
    """
    clicked = click_id.mapped(pd.Series(click_id.distinct.map(OF_CLICK_ID), dtype="str"))
    named = [platform_of_source(text) for text in source.distinct]
    return clicked.or_else(source.mapped(pd.Series(named, dtype="str")))
