"""Which ad platform a visit is from: by the click ID in its address, or by its source."""

from __future__ import annotations

import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.text import folded_text
from convergekit.spend.ad_platforms import CLICK_IDS, platform_of_source

_OF_CLICK_ID = {one: name for name, ids in CLICK_IDS.items() for one in ids}


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
    clicked = click_id.mapped(pd.Series(click_id.distinct.map(_OF_CLICK_ID), dtype="str"))
    named = [platform_of_source(text) for text in source.distinct]
    return clicked.or_else(source.mapped(pd.Series(named, dtype="str")))
