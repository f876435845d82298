"""Columns of several parts, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from convergekit.events.steps import among_all


def column_below(columns: Sequence[pd.Series]) -> pd.Series:
    """Return a column of all parts; one without a value does not say of which type it is.

    Examples
    --------
    >>> column_below([pd.Series([None], dtype=object), pd.Series(["a"], dtype="str")]).tolist()
    [nan, 'a']
    """
    some = [column for column in columns if len(column)] or list(columns[:1])
    known = [column.dtype for column in some if column.notna().any()]
    if not known:
        return pd.concat(some, ignore_index=True)
    told = [
        column
        if column.notna().any()
        else pd.Series([None] * len(column), dtype=object).astype(_with_gaps(known[0]))
        for column in some
    ]
    return pd.concat(told, ignore_index=True)


def values_below(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts, which have the same columns."""
    rows = sum(map(len, frames))
    columns = {name: column_below([frame[name] for frame in frames]) for name in frames[0]}
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))


def rows_below(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the events of all parts by `row`, of which all names are known that each knows of."""
    some = [frame for frame in frames if len(frame)] or [frames[0]]
    whole = pd.concat(some, ignore_index=True)
    whole = whole.sort_values("row", kind="stable", ignore_index=True)
    return among_all(whole, frames[-1])


def _with_gaps(dtype: object) -> object:
    """Return a type that holds what this one does, and gaps."""
    name = str(dtype)
    if name == "bool":
        return "boolean"
    return name.replace("uint", "UInt").replace("int", "Int") if name.islower() and (
        name.startswith(("int", "uint"))
    ) else dtype  # fmt: skip
