"""IDs of campaigns, ad groups and ads that visits came with: in their tags and addresses.

Which parameter holds which ID:

- `utm_id`, a campaign's: https://support.google.com/analytics/answer/10917952
- `gad_campaignid`, which Google Ads appends to every link since 2025:
  https://support.google.com/google-ads/answer/16193746
- `cvg_cid` and `cvg_adid` of Converge: https://docs.runconverge.com/attribution/session-attribution
- `hsa_cam`, `hsa_grp` and `hsa_ad`, by which HubSpot tracks ads:
  https://knowledge.hubspot.com/ads/ad-tracking-in-hubspot
- `tw_adid`, `fbadid`, `gadid` and `ttadid`, an ad's:
  https://kb.triplewhale.com/en/articles/6448705-acceptable-utm-alternatives
- `campaign_id`, `ad_group_id` and `ad_id`, as measurement tools ask for them:
  https://ruler-documentation.readme.io/docs/tiktok-ads

`utm_campaign`, `utm_content` and `utm_term` hold an ID where the link was made with a template
such as ``{{campaign.id}}``: they are one if they are six digits or more, and an ID of the spend.
"""

from __future__ import annotations

from urllib.parse import unquote_plus

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.grouping import NumberedText
from convergekit.base.text import as_text, to_arrow
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.typing import IntArray
from convergekit.visits.sessions import FoundSessions
from convergekit.visits.traffic import PAGES
from convergekit.visits.values import without_nothing

#: The parameters that hold an ID, by what it is of.
PARAMETERS = {
    "ad": ("hsa_ad", "cvg_adid", "tw_adid", "fbadid", "gadid", "ttadid", "ad_id"),
    "ad_group": ("hsa_grp", "ad_group_id"),
    "campaign": ("gad_campaignid", "hsa_cam", "cvg_cid", "utm_id", "campaign_id"),
}
#: Tags that may hold an ID.
_MAY_HOLD = {"ad": ("utm_content",), "ad_group": ("utm_term",), "campaign": ("utm_campaign",)}
_AN_ID = r"^\d{6,}$"


def ids_of(
    sessions: FoundSessions, visits: IntArray, level: str
) -> dict[tuple[int, ...], NumberedText]:
    """Return the IDs that visits came with, a column per place where one stands.

    Parameters
    ----------
    sessions : FoundSessions
    visits : numpy.ndarray of int
        Which of the sessions are asked about.
    level : {"ad", "ad_group", "campaign"}

    Returns
    -------
    dict of tuple of int to NumberedText
        In the order of the places, the surest first. One that no visit has an ID at may lack.
    """
    events = sessions.events
    # The event that says where the visit is from, then the one of its landing page.
    moments = [sessions.arrival[visits], sessions.says["landing_page"][visits]]
    found: dict[tuple[int, ...], NumberedText] = {}
    names = PARAMETERS[level]
    columns = [prefix + name for name in names for prefix in (PROFILE_PROPERTY, PROPERTY)]
    for place, column in enumerate(columns):
        if column in events:
            for moment, at in enumerate(moments):
                found[0, place, moment] = _sent(events[column], at)
    pages = [prefix + page for page in PAGES for prefix in (PROPERTY, PROFILE_PROPERTY)]
    for place, column in enumerate(pages):
        if column in events:
            for moment, at in enumerate(moments):
                for which, ids in _in_addresses(events[column], at, names).items():
                    found[1, place, moment, *which] = ids
    for place, name in enumerate(_MAY_HOLD[level]):
        tag = sessions.numbered(name, visits)
        is_id = tag.distinct.str.match(_AN_ID).to_numpy(dtype=bool)
        found[2, place] = tag.mapped(tag.distinct.where(is_id))
    return found


def _sent(column: pd.Series, at: IntArray) -> NumberedText:
    cells = pd.Series(column.array.take(at, allow_fill=True))
    texts = NumberedText.of(as_text(cells)[0])
    return texts.mapped(without_nothing(texts.distinct))


def _in_addresses(
    column: pd.Series, at: IntArray, names: tuple[str, ...]
) -> dict[tuple[int, int], NumberedText]:
    """Return the parameters of these names in the query of addresses, or else the fragment.

    By the place of the name, and 0 for the query or 1 for the fragment.
    """
    cells = pd.Series(column.array.take(at, allow_fill=True))
    addresses = NumberedText.of(as_text(cells)[0])
    texts = to_arrow(addresses.distinct)
    some = pc.match_substring_regex(texts, rf"(?i)[?&#;](?:{'|'.join(names)})=")
    if not pc.any(some).as_py():
        return {}
    texts = pc.if_else(some, texts, pa.scalar(None, texts.type))
    parts = pc.extract_regex(texts, r"(?s)^[^?#]*(?:\?(?P<query>[^#]*))?(?:#(?P<anchor>.*))?$")
    found = {}
    for place, name in enumerate(names):
        # A question mark in a query is of another address; one in a fragment begins its query.
        for which, (part, before) in enumerate((("query", "^|&"), ("anchor", "^|[&?]"))):
            pattern = rf"(?i)(?:{before})(?:amp;)*{name}=(?P<value>[^&#]*)"
            values = pc.struct_field(
                pc.extract_regex(pc.struct_field(parts, part), pattern), "value"
            )
            if values.null_count < len(values):
                plain = pd.Series([_plain(one) for one in values.to_pylist()], dtype="str")
                found[place, which] = addresses.mapped(without_nothing(plain))
    return found


def _plain(value: str | None) -> str | None:
    return unquote_plus(value) if value else None


def numbered_among(column: NumberedText, texts: pd.Index) -> IntArray:
    """Return the place of each row's text among others, -1 for none.

    Examples
    --------
    >>> numbered_among(NumberedText.of(pd.Series(["b", None, "x"])), pd.Index(["a", "b"])).tolist()
    [1, -1, -1]
    """
    place = texts.get_indexer(column.distinct) if len(column.distinct) else np.array([], dtype=int)
    return np.append(place, -1)[column.codes].astype(np.int64)
