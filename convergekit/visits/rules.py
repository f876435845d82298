"""What a visit is: after which pause, on which news and at which hour another one begins.

A preset is a tool's own documented rule; each reason can be named or left out on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice, names_given
from convergekit.errors import ConvergekitError
from convergekit.events.campaigns import TAGS
from convergekit.visits.addresses import domains_given
from convergekit.visits.channels import CHANNEL_RULES, ChannelRule
from convergekit.visits.detours import IGNORED_REFERRERS

VisitPreset = Literal["convergekit", "converge", "ga4", "universal", "matomo"]

#: Names of events that nobody did: an ad was shown (view-through). Compared without capitals and
#: separators.
IMPRESSIONS = ("Ad Impression", "Ad Viewed", "Ad View", "Impression")

#: What begins another visit when its value changes: every tag, another kind of ad click, and
#: another site that links here.
NEW_ON = (*TAGS, "click_id", "referrer")


@dataclass(frozen=True)
class VisitRules:
    """What ends a visit, and which channel a visit is of.

    Attributes
    ----------
    timeout : str or datetime.timedelta, default "30min"
        A longer pause between two events of one browser begins another visit.
    new_on : iterable of str
        Properties of which another value than the one sent last begins another visit, and so does
        a first value after events that sent none: by default the five tags (`utm_source` and so
        on), `click_id` and `referrer`. Any property that events send may be named, and the name of
        a click ID, such as ``"gclid"``, for its value: then every click begins one. Give ``()``
        for none.
    midnight : bool, default False
        Whether midnight in the shop's calendar begins another visit.
    impressions : iterable of str
        Names of events that nobody did, such as an ad that was shown (view-through): these neither
        begin a visit nor say where one is from. Capitals, spaces and underscores do not matter.
    rules : sequence of ChannelRule
        By default ``convergekit.CHANNEL_RULES``.
    own_domains : sequence of str, optional
        The shop's own domains, with their subdomains: a link from there is not an arrival. By
        default they are learned from the page views, and the report says which they are.
    ignore_referrers : sequence of str
        Domains, with their subdomains, from which nobody arrives anew: by default payment and
        sign-in pages, ``convergekit.IGNORED_REFERRERS``.

    Raises
    ------
    ConvergekitError
        The timeout is not a duration, `new_on` is a single text, a rule is not a `ChannelRule`, or
        a domain is not one.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> hours = ck.VisitRules(timeout="4h", new_on=["utm_campaign"])
    >>> len(s.sessions()), len(s.sessions(visits=hours)), len(s.sessions(visits="ga4"))
    (115, 114, 115)

    See Also
    --------
    Stitched.sessions : The visits themselves.
    ChannelRule : Which channel a visit is of.
    """

    timeout: Duration = "30min"
    new_on: Iterable[str] = NEW_ON
    midnight: bool = False
    impressions: Iterable[str] = IMPRESSIONS
    rules: Sequence[ChannelRule] = CHANNEL_RULES
    own_domains: Sequence[str] | None = None
    ignore_referrers: Sequence[str] = IGNORED_REFERRERS

    def __post_init__(self) -> None:
        """Refuse what is not a rule."""
        parse_duration(self.timeout, name="timeout")
        if isinstance(self.new_on, str):
            raise ConvergekitError(
                f"new_on must be a list of names, such as [{self.new_on!r}], or () for none; got "
                f"{self.new_on!r}."
            )
        object.__setattr__(self, "new_on", names_given("new_on", self.new_on))
        object.__setattr__(self, "impressions", names_given("impressions", self.impressions))
        several = isinstance(self.rules, Sequence)
        if not several or not all(isinstance(rule, ChannelRule) for rule in self.rules):
            raise ConvergekitError(
                "rules must be a list of ck.ChannelRule(channel, ...), or [..., "
                f"*ck.CHANNEL_RULES]; got {self.rules!r}."
            )
        for option in ("own_domains", "ignore_referrers"):
            if getattr(self, option) is not None:
                object.__setattr__(self, option, domains_given(option, getattr(self, option)))

    @classmethod
    def of(
        cls,
        visits: Visits | None = None,
        *,
        timeout: Duration | None = None,
        new_on: Iterable[str] | None = None,
        rules: Sequence[ChannelRule] | None = None,
    ) -> VisitRules:
        """Return the rules that were asked for, some of them changed.

        Raises
        ------
        ConvergekitError
            It is not a preset, or what is changed is not a rule.

        Examples
        --------
        >>> VisitRules.of("ga4", timeout="1h").timeout
        '1h'
        """
        found = visits if isinstance(visits, VisitRules) else _preset(visits)
        changed = {"timeout": timeout, "new_on": new_on, "rules": rules}
        return replace(found, **{k: v for k, v in changed.items() if v is not None})  # type: ignore[arg-type]


#: Rules of visits, or the name of a tool that has them.
Visits: TypeAlias = VisitPreset | VisitRules

#: The rules of each tool, as far as its documentation says them: Google Analytics 4,
#: https://support.google.com/analytics/answer/12798876, has inactivity alone; Universal Analytics,
#: https://support.google.com/analytics/answer/2731565, midnight and every change of campaign, the
#: value of `gclid` among it, as Google said when it came,
#: https://searchengineland.com/update-made-to-definition-of-a-google-analytics-session-89300;
#: Converge, https://docs.runconverge.com/attribution, 60 minutes and another source; Matomo,
#: https://matomo.org/faq/general/faq_36, midnight, campaign parameters and click IDs, and not
#: another referrer.
VISIT_PRESETS: Mapping[VisitPreset, VisitRules] = {
    "convergekit": VisitRules(),
    "converge": VisitRules(timeout="60min", new_on=("utm_source", "click_id", "referrer")),
    "ga4": VisitRules(new_on=()),
    "universal": VisitRules(new_on=(*NEW_ON, "gclid"), midnight=True),
    "matomo": VisitRules(new_on=(*TAGS, "click_id"), midnight=True),
}


def _preset(name: VisitPreset | None) -> VisitRules:
    if name is None:
        return VISIT_PRESETS["convergekit"]
    if not isinstance(name, str):
        raise ConvergekitError(
            "visits must be a preset, such as 'ga4', or ck.VisitRules(timeout=..., new_on=...); "
            f"got {name!r}."
        )
    choice("visits", name, VisitPreset)
    return VISIT_PRESETS[name]
