"""Marketing channels: which kind of traffic a visit belongs to, by a table of rules.

The rules for tagged visits are those that Google Analytics 4 documents for manual traffic in its
default channel group, https://support.google.com/analytics/answer/9756891, in its order, as far as
they need only what an event can carry. `sites` holds Google's list of search, social, shopping and
video sites, and what we add; it is asked of tags and of referrers alike. Each rule says where it is
from.
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
from convergekit.visits.sites import KINDS, SiteKind, kind_of_host, kind_of_source

#: A visit that neither a tag, a click ID nor a referrer explains.
DIRECT = "Direct"
#: A tagged visit that no rule knows.
UNASSIGNED = "Unassigned"
#: The day of the description of Google's page with which the rules were last compared.
CHANNEL_RULES_DATE = "2026-09-24"


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
    site : {"search", "social", "shopping", "video", "mail", "assistant"}, optional
        The kind of site, by Google's list of sources and ours. It is asked of `utm_source`; of
        visits without tags and click ID, of the referrer.

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
    site: SiteKind | None = None


_GA4 = "Google's default channel group"
_SEARCH = f"{_GA4}, search sources"
_SOCIAL = f"{_GA4}, social sources"
_SHOPPING = f"{_GA4}, shopping sources"
_VIDEO = f"{_GA4}, video sources"
_CONVENTION = "convention: the click ID does not say which kind of ad of the platform it was"
_FBCLID = (
    "Meta adds it to posts as to ads; only tags tell an ad, "
    "https://docs.northbeam.io/docs/gclid-fbclid-redirects"
)
_SAYS = "ours: the source says that it is an ad"

_PAID = r".*cp.*|ppc|retargeting|paid.*"
_SHOP_CAMPAIGN = r".*(?:(?:[^a-df-z]|^)shop|shopping).*"
_EMAIL = r"e[-_ ]?mail"
_WEBMAIL = r"(?:web)?mail\..+|.*\.(?:web)?mail\..+|outlook\..+"
_SEARCH_ADS = r"(?:google|bing|microsoft|yandex)[-_ ]?ads|adwords"
_SOCIAL_ADS = (
    "(?:facebook|fb|meta|instagram|ig|tiktok|snapchat|linkedin|pinterest|reddit|twitter|x)[-_ ]?ads"
)

#: The rules in the order in which they are tried; the first that a visit meets is its channel's.
CHANNEL_RULES: tuple[ChannelRule, ...] = (
    ChannelRule("Cross-network", campaign=".*cross-network.*", because=_GA4),
    ChannelRule("Paid Shopping", site="shopping", medium=_PAID, because=_SHOPPING),
    ChannelRule("Paid Shopping", campaign=_SHOP_CAMPAIGN, medium=_PAID, because=_GA4),
    ChannelRule("Paid Search", site="search", medium=_PAID, because=_SEARCH),
    ChannelRule("Paid Social", site="social", medium=_PAID, because=_SOCIAL),
    ChannelRule("Paid Social", medium=r"paid[-_ ]?social", because="ours: the medium says it"),
    ChannelRule("Paid Video", site="video", medium=_PAID, because=_VIDEO),
    ChannelRule("Display", medium="display|banner|expandable|interstitial|cpm", because=_GA4),
    ChannelRule(
        "Paid Search", click_id="gclid|gbraid|wbraid|gad_source|msclkid|yclid", because=_CONVENTION
    ),
    ChannelRule(
        "Paid Social", click_id="ttclid|twclid|li_fat_id|sccid|epik|rdt_cid", because=_CONVENTION
    ),
    ChannelRule("Display", click_id="dclid|obclid", because=_CONVENTION),
    ChannelRule("Paid Search", source=_SEARCH_ADS, because=_SAYS),
    ChannelRule("Paid Social", source=_SOCIAL_ADS, because=_SAYS),
    ChannelRule("Paid Other", medium=_PAID, because=_GA4),
    ChannelRule("Organic Shopping", site="shopping", because=_SHOPPING),
    ChannelRule("Organic Shopping", campaign=_SHOP_CAMPAIGN, because=_GA4),
    ChannelRule("Organic Social", site="social", because=_SOCIAL),
    ChannelRule(
        "Organic Social",
        medium="social|social-network|social-media|sm|social network|social media",
        because=_GA4,
    ),
    ChannelRule("Organic Video", site="video", because=_VIDEO),
    ChannelRule("Organic Video", medium=".*video.*", because=_GA4),
    ChannelRule("Organic Search", site="search", because=_SEARCH),
    ChannelRule("Organic Search", medium="organic", because=_GA4),
    ChannelRule("AI Assistant", medium="ai-assistant", because=_GA4),
    ChannelRule("Referral", medium="referral|app|link", because=_GA4),
    ChannelRule("Email", source=_EMAIL, because=_GA4),
    ChannelRule("Email", medium=_EMAIL, because=_GA4),
    ChannelRule("Affiliates", medium="affiliates?", because=_GA4),
    ChannelRule("Audio", medium="audio", because=_GA4),
    ChannelRule("SMS", source="sms", because=_GA4),
    ChannelRule("SMS", medium="sms", because=_GA4),
    ChannelRule("Mobile Push", medium=".*push|.*mobile.*|.*notification.*", because=_GA4),
    ChannelRule("Mobile Push", source="firebase", because=_GA4),
    ChannelRule(
        "AI Assistant",
        site="assistant",
        because=f"{_GA4}; Google does not publish its list of assistants, this one is ours",
    ),
    ChannelRule("Organic Social", click_id="fbclid", because=_FBCLID),
    ChannelRule("Email", site="mail", because="ours: a mail program on the web or a phone"),
    ChannelRule("Email", referrer=_WEBMAIL, because="ours: hosts are called so for mail"),
    ChannelRule("Referral", referrer=".+", because="another site linked here"),
)

#: Paid channels whose names do not say so.
_ALSO_PAID = ("Display", "Cross-network")

#: What rules look at: columns of visits, and the conditions that are about them.
ASKED = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "click_id": "click_id",
    "referrer": "referrer",
}


def are_paid(channels: pd.Series) -> BoolArray:
    """Return which channels are of ads that were paid for.

    Examples
    --------
    >>> are_paid(pd.Series(["Paid Search", "Display", "Email"])).tolist()
    [True, True, False]
    """
    paid = channels.str.startswith("Paid ") | channels.isin(_ALSO_PAID)
    return paid.to_numpy(dtype=bool)


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


@dataclass(frozen=True)
class Decided:
    """Which rule each visit meets.

    Attributes
    ----------
    rules : sequence of ChannelRule
    kind : numpy.ndarray of int
        Of each visit, the place of what it says in the arrays below: many visits say the same.
    codes : dict of str to numpy.ndarray of int
        What each kind says, per column: the number of the text, -1 for nothing. Referrers of
        visits with a tag or a click ID are left out.
    one : numpy.ndarray of int
        A visit of each kind.
    rule : numpy.ndarray of int
        The place of the first rule that each kind meets; `BARE`, `SAID_SO` or `NO_RULE` for none.
    """

    rules: Sequence[ChannelRule]
    kind: IntArray
    codes: dict[str, IntArray]
    one: IntArray
    rule: IntArray

    def channels(self) -> NumberedText:
        """Return the channel of each visit."""
        named = [rule.channel for rule in self.rules]
        names = pd.Series(list(dict.fromkeys([UNASSIGNED, DIRECT, *named])), dtype="str")
        code_of = {name: code for code, name in enumerate(names)}
        # The last three are those of NO_RULE, SAID_SO and BARE.
        of_rule = [code_of[name] for name in (*named, UNASSIGNED, DIRECT, DIRECT)]
        return NumberedText(np.array(of_rule)[self.rule][self.kind], names)


#: Why a visit meets no rule: it says nothing, it says that it is direct, or none fits.
BARE, SAID_SO, NO_RULE = -1, -2, -3


def channels_of(
    visits: Mapping[str, NumberedText], rules: Sequence[ChannelRule] = CHANNEL_RULES
) -> NumberedText:
    """Return each visit's channel, as `channel_of` does, where the columns are numbered.

    Where `SAID_DIRECT` has a text, the visit said itself that it is direct, whatever its campaign
    is called: Google Analytics asks that first. A click ID knows better.
    """
    return decide(visits, rules).channels()


def decide(visits: Mapping[str, NumberedText], rules: Sequence[ChannelRule]) -> Decided:
    """Return which rule each visit meets. See `channels_of`."""
    columns = [visits[column] for column in (*ASKED, SAID_DIRECT) if column in visits]
    key = together(columns, len(columns[0].codes))
    kind, keys = pd.factorize(key)
    one = np.empty(len(keys), dtype=np.int64)
    one[kind[::-1]] = np.arange(len(kind))[::-1]
    codes = {name: visits[name].codes[one] for name in ASKED}
    tagged = np.any([codes[name] >= 0 for name in ASKED if name != "referrer"], axis=0)
    codes["referrer"] = np.where(tagged, -1, codes["referrer"])
    found = np.where(tagged | (codes["referrer"] >= 0), NO_RULE, BARE)
    if SAID_DIRECT in visits:
        direct = (visits[SAID_DIRECT].codes[one] >= 0) & tagged & (codes["click_id"] < 0)
        found[direct] = SAID_SO
    sites = _sites(visits, codes)
    for place, rule in enumerate(rules):
        found[_meets(rule, visits, codes, sites) & (found == NO_RULE)] = place
    return Decided(rules, kind, codes, one, found)


def _sites(visits: Mapping[str, NumberedText], codes: Mapping[str, IntArray]) -> IntArray:
    """Return the kind of site that each is from, as its place in `KINDS`; -1 for none."""
    place = {kind: number for number, kind in enumerate(KINDS)}
    found = np.full(len(codes["referrer"]), -1, dtype=np.int64)
    for name, kind_of in (("referrer", kind_of_host), ("utm_source", kind_of_source)):
        kinds = [kind_of(text) for text in visits[name].distinct]
        numbers = np.array([*(-1 if kind is None else place[kind] for kind in kinds), -1])
        found = np.where(codes[name] >= 0, numbers[codes[name]], found)
    return found


def _meets(
    rule: ChannelRule,
    visits: Mapping[str, NumberedText],
    codes: Mapping[str, IntArray],
    sites: IntArray,
) -> BoolArray:
    conditions = {name: getattr(rule, field) for name, field in ASKED.items()}
    conditions = {name: text for name, text in conditions.items() if text is not None}
    if not conditions and rule.site is None:
        raise ConvergekitError(
            f"the rule for {rule.channel!r} has no condition; give at least one of "
            f"{', '.join(ASKED.values())}, site."
        )
    met = np.ones(len(codes["referrer"]), dtype=bool)
    if rule.site is not None:
        if rule.site not in KINDS:
            raise ConvergekitError(
                f"the rule for {rule.channel!r}: site={rule.site!r} is not one of "
                f"{', '.join(KINDS)}."
            )
        met &= sites == KINDS.index(rule.site)
    for name, text in conditions.items():
        try:
            matches = matched(as_texts(visits[name].distinct), text, "fullmatch", ignore_case=True)
        except ConvergekitError as error:
            raise ConvergekitError(
                f"the rule for {rule.channel!r}: {ASKED[name]}={text!r}: {error}"
            ) from None
        met &= np.append(matches, False)[codes[name]]
    return met
