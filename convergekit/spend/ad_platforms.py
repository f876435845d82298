"""Ad platforms: the click IDs that each appends to a link, and how `utm_source` spells it.

Click IDs are the platforms' own. The spellings of sources are those that Triple Whale lists,
https://kb.triplewhale.com/en/articles/6448705-acceptable-utm-alternatives, and what Meta fills
into ``{{site_source_name}}`` of a link (fb, ig, msg, an), with others after the same pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: The click IDs of each platform that `read_spend` names.
CLICK_IDS = {
    "google_ads": ("gclid", "gbraid", "wbraid", "gad_source"),
    "meta": ("fbclid",),
    "tiktok": ("ttclid",),
    "microsoft": ("msclkid",),
    "pinterest": ("epik",),
}
#: Spellings of their sources, as `folded_source` gives them.
SOURCES = {
    "google_ads": frozenset(
        ("google", "googleads", "adwords", "googleadwords", "gads", "youtube", "youtubeads")
    ),
    "meta": frozenset((
        *("meta", "metaads", "facebook", "facebookads", "facebookad", "facebookpd", "fb", "fbads"),
        *("fbpaid", "fbig", "instagram", "instagramads", "ig", "igads", "messenger", "msg", "an"),
        *("audiencenetwork", "threads", "facebookadsfb", "facebookadsig", "facebookinstagram"),
        *("facebookmobilefeed", "facebookdesktopfeed", "instagramfeed", "instagramexplore"),
        "instagramstories",
    )),
    "tiktok": frozenset(("tiktok", "tiktokads", "tt")),
    "microsoft": frozenset(
        ("microsoft", "microsoftads", "microsoftadvertising", "bing", "bingads", "msn")
    ),
    "pinterest": frozenset(("pinterest", "pinterestads", "pin")),
}  # fmt: skip
_PLATFORM = {source: name for name, sources in SOURCES.items() for source in sources}


def folded_source(text: str) -> str:
    """Return a source in small letters, without separators, ``www.`` and ``.com``.

    Examples
    --------
    >>> [folded_source(text) for text in ("Facebook-Ads", "www.facebook.com", "Яндекс Директ")]
    ['facebookads', 'facebook', 'яндексдирект']
    """
    plain = text.strip().lower().removeprefix("www.").removesuffix(".com")
    return re.sub(r"[\W_]+", "", plain)


@lru_cache(100_000)
def platform_of_source(text: str) -> str | None:
    """Return the platform that a source names, None for none of those that are known.

    Examples
    --------
    >>> platform_of_source("Facebook_Ads"), platform_of_source("newsletter")
    ('meta', None)
    """
    return _PLATFORM.get(folded_source(text))
