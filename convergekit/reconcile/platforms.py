"""Ad platforms: which visits are theirs, how long they claim orders, and how they date claims.

Everything here is a platform's documented default. An account may have another: `windows=` and
`dated=` of `Stitched.reconcile` say so.

- **Google Ads**: 30 days after a click and 1 day after a view
  (https://support.google.com/google-ads/answer/3123169), dated by the ad interaction, but for the
  columns "by conv. time" (https://support.google.com/google-ads/answer/6270625).
- **Meta**: 7 days after a click and 1 day after a view
  (https://www.facebook.com/business/help/460276478298895). Its interface can date a claim either
  way (`action_report_time` of
  https://developers.facebook.com/docs/graph-api/reference/adaccount/insights/), and an export does
  not say which.
- **TikTok**: 7 days after a click and 1 day after a view
  (https://ads.tiktok.com/help/article/attribution-settings-at-the-ad-group-level), dated by the ad
  interaction, but for real-time columns
  (https://ads.tiktok.com/help/article/about-reporting-discrepancies-between-tiktok-ads-manager-and-mmps).
- **Microsoft Advertising**: as long as each goal says, up to 90 days; its documentation names no
  default, and its examples set 30 days after a click
  (https://learn.microsoft.com/advertising/campaign-management-service/conversiongoal). Dated by
  the click (https://about.ads.microsoft.com/blog, "Make better business decisions based on time of
  ad clicks").
- **Pinterest**: 30 days after a click or another engagement and 1 day after a view, dated by the ad
  action (`click_window_days`, `view_window_days` and `conversion_report_time` of
  https://developers.pinterest.com/docs/api/v5/analytics-create_report); Converge takes 30/30/1 as
  well (https://docs.runconverge.com/ad-platforms/integrations/pinterest).
- **Any other**: 30 days and 1 day, dated either way. That is ours: wide, so that the bounds hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.options import choice
from convergekit.errors import ConvergekitError, UnknownNameError, what_there_is
from convergekit.spend.ad_platforms import CLICK_IDS, SOURCES, folded_source

#: By what a platform dates its claims: the click, the order, or nobody knows which.
Dated: TypeAlias = Literal["click", "order", "either"]

_DAY = pd.Timedelta("1D")


@dataclass(frozen=True)
class AdPlatform:
    """What is known of one platform.

    Attributes
    ----------
    name : str
        As in `Spend.table`.
    title : str
        As it is called in sentences.
    click_ids : tuple of str
        Parameters that it appends to a link.
    sources : frozenset of str
        What `utm_source` says of visits from its ads, as `folded_source` gives it.
    click, view : pandas.Timedelta
        How long after a click, and after a view of an ad, it claims an order.
    dated : {"click", "order", "either"}
    """

    name: str
    title: str
    click_ids: tuple[str, ...]
    sources: frozenset[str]
    click: pd.Timedelta
    view: pd.Timedelta
    dated: Dated

    @property
    def longest(self) -> pd.Timedelta:
        """How long after any interaction it claims an order."""
        return max(self.click, self.view)


def _of(name: str, title: str, click: int, dated: Dated) -> AdPlatform:
    return AdPlatform(name, title, CLICK_IDS[name], SOURCES[name], click * _DAY, _DAY, dated)


_KNOWN = (
    _of("google_ads", "Google Ads", 30, "click"),
    _of("meta", "Meta", 7, "either"),
    _of("tiktok", "TikTok", 7, "click"),
    _of("microsoft", "Microsoft Advertising", 30, "click"),
    _of("pinterest", "Pinterest", 30, "click"),
)
#: The platforms that `read_spend` names.
PLATFORMS: Mapping[str, AdPlatform] = {one.name: one for one in _KNOWN}

Windows: TypeAlias = Mapping[str, "Duration | tuple[Duration, Duration]"]


def platforms_of(
    names: Iterable[str], windows: Windows | None, dated: Mapping[str, Dated] | None
) -> list[AdPlatform]:
    """Return the platforms of these names, with the windows and dates that were given.

    Raises
    ------
    UnknownNameError
        A window or date is given of a platform that is not among them.
    ConvergekitError
        A window is not a duration, or a pair of them, or a date is by something else.

    Examples
    --------
    >>> one, other = platforms_of(["meta", "podcasts"], {"meta": "1D"}, {"meta": "order"})
    >>> one.click, one.dated, other.title
    (Timedelta('1 days 00:00:00'), 'order', 'podcasts')
    """
    found = {name: _known(name) for name in names}
    for option, given in (("windows", windows), ("dated", dated)):
        if given is not None and not isinstance(given, Mapping):
            raise ConvergekitError(
                f"{option} must be a mapping of platforms, such as "
                f"{_EXAMPLES[option]}; got {given!r}."
            )
        for name in given or {}:
            if name not in found:
                raise UnknownNameError(
                    f"{option} names {name!r}, of which the spend has no claims. "
                    f"{what_there_is(found, name)}"
                )
    for name, window in (windows or {}).items():
        click, view = _window(name, window, found[name].view)
        found[name] = replace(found[name], click=click, view=view)
    for name, by in (dated or {}).items():
        choice(f"dated[{name!r}]", by, Dated)
        found[name] = replace(found[name], dated=by)
    return list(found.values())


_EXAMPLES = {"windows": "{'meta': '1D'}", "dated": "{'meta': 'order'}"}


def _known(name: str) -> AdPlatform:
    if name in PLATFORMS:
        return PLATFORMS[name]
    return AdPlatform(name, name, (), frozenset({folded_source(name)}), 30 * _DAY, _DAY, "either")


def _window(
    name: str, given: Duration | tuple[Duration, Duration], view: pd.Timedelta
) -> tuple[pd.Timedelta, pd.Timedelta]:
    option = f"windows[{name!r}]"
    if not isinstance(given, tuple):
        return parse_duration(given, name=option), view
    if len(given) != 2:
        raise ConvergekitError(
            f"{option} must be a duration after a click, or a pair of those after a click and "
            f"after a view, such as ('7D', '1D'); got {given!r}."
        )
    return parse_duration(given[0], name=option), parse_duration(given[1], name=option)
