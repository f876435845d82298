"""The vocabulary of events: canonical columns, their spellings, and what is missing.

`canonicalise` gives an export's columns their names: `event_id`, `event_name`, `timestamp`,
`received_at`, `source`, `aliases` and `alias.<type>`, `properties.<name>`,
`profile_properties.<name>`. `normalise` then gives the values their types.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.text import has_text, to_arrow

ALIAS = "alias."
PROPERTY = "properties."
PROFILE_PROPERTY = "profile_properties."
PROFILE = "profile."
#: Columns of objects, which are opened.
NESTED = ("properties", "profile_properties")


# The spellings of Converge's browser pixel and webhook, and the plain ones of a data card.
SPELLINGS = {
    "event_id": ("event_id", "eventID", "eventId"),
    "event_name": ("event_name", "eventName", "event"),
    "timestamp": ("timestamp",),
    "received_at": ("received_at", "receivedAt"),
    "source": ("source",),
    "aliases": ("aliases",),
    "alias.cookie": ("alias.cookie", "__cvg_uid"),
    "properties": ("properties",),
    "profile_properties": ("profile_properties", "profileProperties"),
    "unset": ("unset",),
    "set_once": ("set_once",),
}


def missing(values: pd.Series) -> pd.Series:
    """Return where a value is missing: null or empty text.

    Examples
    --------
    >>> missing(pd.Series(["a", "", None, [], 0], dtype=object)).tolist()
    [False, True, True, False, False]
    """
    if values.dtype == "str":
        return pd.Series(~has_text(to_arrow(values)), index=values.index)
    if isinstance(values.dtype, pd.CategoricalDtype):
        nothing = missing(pd.Series(values.cat.categories)).to_numpy(dtype=bool)
        return pd.Series(np.append(nothing, True)[values.cat.codes], index=values.index)
    empty = values.isna()
    if values.dtype == object:
        blank = [isinstance(cell, str) and cell == "" for cell in values]
        return empty | np.array(blank, dtype=bool)
    if holds_objects(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return empty
    if hasattr(values, "dt"):
        return empty
    return empty | (values == "").fillna(False).astype(bool)


def holds_objects(dtype: Any) -> bool:
    """Return whether a column's cells are objects: lists, mappings, or anything."""
    if isinstance(dtype, pd.ArrowDtype):
        return bool(pa.types.is_nested(dtype.pyarrow_dtype))
    return bool(dtype == object)
