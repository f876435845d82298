"""Marketing channels: which kind of traffic a visit belongs to, by a table of rules.

The rules for tagged visits are those that Google Analytics 4 documents for manual traffic in its
default channel group, https://support.google.com/analytics/answer/9756891, as far as they need
only what an event can carry. Its lists of search, social, shopping and video sites are long and
change; the ones here are short, and ours. Each rule says where it is from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText, together
from convergekit.base.patterns import as_texts, matched
from convergekit.errors import ConvergekitError
from convergekit.events.nothing import SAID_DIRECT
from convergekit.typing import BoolArray, IntArray

#: A visit that neither a tag, a click ID nor a referrer explains.
DIRECT = "Direct"
#: A tagged visit that no rule knows.
UNASSIGNED = "Unassigned"


@dataclass(frozen=True)
class ChannelRule:
    """One rule: a visit that meets all its conditions is of its channel.

    Attributes
    ----------
    channel : str
        What the channel is called.
    source, medium, campaign : str, optional
        Regular expressions for `utm_source`, `utm_medium` and `utm_campaign`. Like all
        conditions they must match the whole value, and capitals do not matter.
    click_id : str, optional
        For the name of a click ID, such as ``"gclid"``.
    referrer : str, optional
        For the host that linked to the visit. It is asked only of visits without tags and click
        ID: what the marketer wrote into the link goes before what the browser says.
    because : str
        Where the rule is from.

    Examples
    --------
    >>> ChannelRule("Podcast", source="the-bean-show|coffee talk").channel
    'Podcast'
    """

    channel: str
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    click_id: str | None = None
    referrer: str | None = None
    because: str = ""


_GA4 = "Google Analytics 4, default channel group, manual traffic"
_LISTED = f"{_GA4}; the list of sites is ours"
_CONVENTION = "convention: the click ID does not say which kind of ad of the platform it was"
_SITE = "a well-known site"

_PAID = r".*cp.*|ppc|retargeting|paid.*"
_SEARCH = (
    r"(?:.*\.)?(?:google|bing|yahoo|duckduckgo|ecosia|baidu|yandex|qwant|startpage|naver|brave)"
    r"(?:\..+)?"
)
_SOCIAL = (
    r"(?:.*\.)?(?:facebook|fb|instagram|ig|meta|threads|tiktok|twitter|x|t\.co|linkedin|lnkd\.in|"
    r"pinterest|pin\.it|reddit|snapchat|bluesky|bsky|mastodon|quora|vk|weibo|whatsapp|telegram)"
    r"(?:\..+)?"
)
_VIDEO = r"(?:.*\.)?(?:youtube|youtu\.be|vimeo|twitch|dailymotion)(?:\..+)?"
_SHOPPING = r"(?:.*\.)?(?:amazon|ebay|etsy|walmart|alibaba|aliexpress|shopify|shopping)(?:\..+)?"
_SHOP_CAMPAIGN = r".*(?:(?:[^a-df-z]|^)shop|shopping).*"
_EMAIL = r"e[-_ ]?mail"
_WEBMAIL = r"(?:web)?mail\..+|.*\.mail\..+|outlook\..+"

#: The rules in the order in which they are tried; the first that a visit meets is its channel's.
CHANNEL_RULES: tuple[ChannelRule, ...] = (
    ChannelRule("Cross-network", campaign=".*cross-network.*", because=_GA4),
    ChannelRule("Paid Shopping", source=_SHOPPING, medium=_PAID, because=_LISTED),
    ChannelRule("Paid Shopping", campaign=_SHOP_CAMPAIGN, medium=_PAID, because=_GA4),
    ChannelRule("Paid Search", source=_SEARCH, medium=_PAID, because=_LISTED),
    ChannelRule("Paid Social", source=_SOCIAL, medium=_PAID, because=_LISTED),
    ChannelRule("Paid Social", medium=r"paid[-_ ]?social", because="ours: the medium says it"),
    ChannelRule("Paid Video", source=_VIDEO, medium=_PAID, because=_LISTED),
    ChannelRule("Display", medium="display|banner|expandable|interstitial|cpm", because=_GA4),
    ChannelRule("Paid Search", click_id="gclid|gbraid|wbraid|msclkid", because=_CONVENTION),
    ChannelRule("Paid Social", click_id="ttclid|twclid|li_fat_id|sccid|epik", because=_CONVENTION),
    ChannelRule("Display", click_id="dclid|obclid", because=_CONVENTION),
    ChannelRule("Paid Other", medium=_PAID, because=_GA4),
    ChannelRule("Organic Shopping", source=_SHOPPING, because=_LISTED),
    ChannelRule("Organic Shopping", campaign=_SHOP_CAMPAIGN, because=_GA4),
    ChannelRule("Email", source=_EMAIL, because=_GA4),
    ChannelRule("Email", medium=_EMAIL, because=_GA4),
    ChannelRule("Affiliates", medium="affiliates?", because=_GA4),
    ChannelRule("Organic Social", source=_SOCIAL, because=_LISTED),
    ChannelRule(
        "Organic Social",
        medium="social|social-network|social-media|sm|social network|social media",
        because=_GA4,
    ),
    ChannelRule("Organic Video", source=_VIDEO, because=_LISTED),
    ChannelRule("Organic Video", medium=".*video.*", because=_GA4),
    ChannelRule("Organic Search", source=_SEARCH, because=_LISTED),
    ChannelRule("Organic Search", medium="organic", because=_GA4),
    ChannelRule("Referral", medium="referral|app|link", because=_GA4),
    ChannelRule("Audio", medium="audio", because=_GA4),
    ChannelRule("SMS", source="sms", because=_GA4),
    ChannelRule("SMS", medium="sms", because=_GA4),
    ChannelRule("Mobile Push", medium=".*push|.*mobile.*|.*notification.*", because=_GA4),
    ChannelRule(
        "Organic Social",
        click_id="fbclid",
        because="Meta adds it to posts as to ads; only tags tell an ad, "
        "https://docs.northbeam.io/docs/gclid-fbclid-redirects",
    ),
    ChannelRule("Email", referrer=_WEBMAIL, because=_SITE),
    ChannelRule("Organic Video", referrer=_VIDEO, because=_SITE),
    ChannelRule("Organic Social", referrer=_SOCIAL, because=_SITE),
    ChannelRule("Organic Search", referrer=_SEARCH, because=_SITE),
    ChannelRule("Referral", referrer=".+", because="another site linked here"),
)

#: What rules look at: columns of visits, and the conditions that are about them.
ASKED = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "click_id": "click_id",
    "referrer": "referrer",
}


def channel_of(visits: pd.DataFrame, rules: Sequence[ChannelRule] = CHANNEL_RULES) -> pd.Series:
    """Return each visit's channel.

    Parameters
    ----------
    visits : pandas.DataFrame
        Text columns `utm_source`, `utm_medium`, `utm_campaign`, `click_id` and `referrer`.
    rules : sequence of ChannelRule
        Tried in this order.

    Returns
    -------
    pandas.Series of str
        ``"Direct"`` where a visit has none of the five, ``"Unassigned"`` where no rule applies.

    Raises
    ------
    ConvergekitError
        A rule has no condition, or one that is not a regular expression.

    Examples
    --------
    >>> visits = pd.DataFrame({
    ...     "utm_source": ["google", "Meta", None, None], "utm_medium": ["cpc", *[None] * 3],
    ...     "utm_campaign": None, "click_id": None, "referrer": [None, None, "www.bing.com", None],
    ... }, dtype="str")
    >>> channel_of(visits).tolist()
    ['Paid Search', 'Organic Social', 'Organic Search', 'Direct']
    """
    asked = {column: NumberedText.of(visits[column]) for column in ASKED}
    found = channels_of(asked, rules).take(np.arange(len(visits)))
    return found.set_axis(visits.index)


def channels_of(
    visits: Mapping[str, NumberedText], rules: Sequence[ChannelRule] = CHANNEL_RULES
) -> NumberedText:
    """Return each visit's channel, as `channel_of` does, where the columns are numbered.

    Where `SAID_DIRECT` has a text, the visit said itself that it is direct, whatever its campaign
    is called: Google Analytics asks that first. A click ID knows better.
    """
    columns = [visits[column] for column in (*ASKED, SAID_DIRECT) if column in visits]
    key = together(columns, len(columns[0].codes))
    # Rules look at what visits say, and many visits say the same.
    kind, keys = pd.factorize(key)
    one = np.empty(len(keys), dtype=np.int64)
    one[kind[::-1]] = np.arange(len(kind))[::-1]
    codes = {name: visits[name].codes[one] for name in ASKED}
    tagged = np.any([codes[name] >= 0 for name in ASKED if name != "referrer"], axis=0)
    codes["referrer"] = np.where(tagged, -1, codes["referrer"])
    names = pd.Series(list(dict.fromkeys([UNASSIGNED, DIRECT, *(r.channel for r in rules)])))
    code_of = {name: code for code, name in enumerate(names)}
    found = np.where(tagged | (codes["referrer"] >= 0), -1, code_of[DIRECT])
    if SAID_DIRECT in visits:
        direct = (visits[SAID_DIRECT].codes[one] >= 0) & tagged & (codes["click_id"] < 0)
        found[direct] = code_of[DIRECT]
    for rule in rules:
        found[_meets(rule, visits, codes) & (found < 0)] = code_of[rule.channel]
    found = np.where(found < 0, code_of[UNASSIGNED], found)
    return NumberedText(found[kind], names.astype("str"))


def _meets(
    rule: ChannelRule, visits: Mapping[str, NumberedText], codes: Mapping[str, IntArray]
) -> BoolArray:
    conditions = {name: getattr(rule, field) for name, field in ASKED.items()}
    conditions = {name: text for name, text in conditions.items() if text is not None}
    if not conditions:
        raise ConvergekitError(
            f"the rule for {rule.channel!r} has no condition; give at least one of "
            f"{', '.join(ASKED.values())}."
        )
    met = np.ones(len(codes["referrer"]), dtype=bool)
    for name, text in conditions.items():
        try:
            matches = matched(as_texts(visits[name].distinct), text, "fullmatch", ignore_case=True)
        except ConvergekitError as error:
            raise ConvergekitError(
                f"the rule for {rule.channel!r}: {ASKED[name]}={text!r}: {error}"
            ) from None
        met &= np.append(matches, False)[codes[name]]
    return met
