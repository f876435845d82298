"""How the columns of a table are read: what they are called, and whether they are shares."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import percentage

#: What the numbers of a column are.
Kind: TypeAlias = Literal["text", "truth", "count", "share", "amount", "day", "time", "duration"]

_SHARE = re.compile(
    r"(^|_)(share|conversion|rate|sent|filled)($|_(?!time))|^with_(profile|browser)|^at_window|acos"
    r"|^stitched$|^(chance|identity|worst)_"
)
_LABELS = {
    "event_name": "event",
    "with_profile": "with a profile",
    "with_browser_session": "with a browser session",
    "conversion": "of the first step",
    "step_conversion": "of the step before",
    "drop_off": "dropped off",
    "in_window": "window open",
    "conversion_at_window": "expected in the end",
    "at_window_low": "from (95%)",
    "at_window_high": "to (95%)",
    "stitched": "of the profiles",
    "chance_low": "chance alone, from",
    "chance_high": "chance alone, to",
    "identity_estimate": "of the people",
    "identity_low": "of the people, from",
    "identity_high": "of the people, to",
    "worst_low": "at worst, from",
    "worst_high": "at worst, to",
    "median_time": "median time",
    "aov": "AOV",
    "cpa": "CPA",
    "cac": "CAC",
    "roas": "ROAS",
    "nc_roas": "NC-ROAS",
    "mer": "MER",
    "acos": "ACOS",
}


def label(name: object) -> str:
    """Return what a column is called.

    Examples
    --------
    >>> label("new_customers"), label("profile.utm_source"), label("roas")
    ('new customers', 'utm_source', 'ROAS')
    """
    text = str(name)
    if text.startswith(("profile.", "properties.")):
        return text.partition(".")[2]
    if text.startswith("utm_"):
        return text
    return _LABELS.get(text, text.replace("_", " "))


def kind_of(name: object, column: pd.Series) -> Kind:
    """Return what the cells of a column are.

    Examples
    --------
    >>> kind_of("conversion", pd.Series([0.5])), kind_of("conversions", pd.Series([2.0]))
    ('share', 'count')
    >>> kind_of("conversion_value", pd.Series([1234.5]))
    'amount'
    """
    dtype = column.dtype
    types = pd.api.types
    if types.is_bool_dtype(dtype):
        return "truth"
    if types.is_timedelta64_dtype(dtype):
        return "duration"
    if types.is_datetime64_any_dtype(dtype):
        days = column.dropna()
        return "day" if (days == days.dt.normalize()).all() else "time"
    if not types.is_numeric_dtype(dtype) or types.is_complex_dtype(dtype):
        return "text"
    numbers = column.dropna().to_numpy(dtype="float64")
    if types.is_float_dtype(dtype) and _is_share(str(name), numbers):
        return "share"
    whole = bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all())
    return "count" if whole else "amount"


def _is_share(name: str, numbers: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    """Return whether a column holds shares: by its name, unless its numbers say otherwise."""
    if "acos" in name:
        # More may be spent than what is brought.
        return bool(_SHARE.search(name))
    # What an export or a caller calls a rate may be one of exchange, and "sent" a count.
    is_ours = not name.startswith(("profile.", "properties."))
    return is_ours and bool(_SHARE.search(name)) and bool((np.abs(numbers) <= 1).all())


def shown(value: Any, kind: Kind) -> str:
    """Return a cell as it is read; nothing for a missing one.

    Examples
    --------
    >>> shown(0.256, "share"), shown(1200, "count"), shown(3.5, "amount"), shown(None, "text")
    ('25.6%', '1,200', '3.50', '')
    """
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if kind == "share":
        return percentage(value)
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "amount":
        return f"{value:,.2f}"
    if kind == "day":
        return f"{value:%Y-%m-%d}"
    if kind == "time":
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if kind == "duration":
        return readable_duration(value)
    if kind == "truth":
        return "yes" if value else "no"
    return str(value)


def kinds(frame: pd.DataFrame) -> list[Kind]:
    """Return what the cells of each column are."""
    return [kind_of(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns)]


def texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as it is read: columns by their labels, cells as texts."""
    found = {
        place: [shown(value, kind) for value in frame.iloc[:, place]]
        for place, kind in enumerate(kinds(frame))
    }
    table = pd.DataFrame(found, dtype=object)
    return table.set_axis([label(name) for name in frame.columns], axis="columns")
