"""Work on many columns at once, and choose rows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import pandas as pd
import pyarrow as pa

from convergekit.base.threads import WORTH_THREADS, on_idle_cores
from convergekit.typing import BoolArray

T = TypeVar("T")
R = TypeVar("R")


def each_column(work: Callable[[T], R], items: Iterable[T], rows: int) -> list[R]:
    """Return the work's result for every item, in their order.

    Examples
    --------
    >>> each_column(len, ["a", "bb"], rows=2)
    [1, 2]
    """
    if rows < WORTH_THREADS:
        return [work(item) for item in items]
    return on_idle_cores(work, items)


def with_columns(frame: pd.DataFrame, changed: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return the frame with these columns in place of those of the same name, others at its end.

    `DataFrame.assign` looks at all columns for each that it sets, which thousands feel.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1], "b": [2]})
    >>> with_columns(frame, {"a": pd.Series([3]), "c": pd.Series([4])})
       a  b  c
    0  3  2  4
    """
    if not changed:
        return frame
    return pd.DataFrame({**dict(frame.items()), **changed}, index=frame.index, copy=False)


def chosen_rows(frame: pd.DataFrame, keep: BoolArray) -> pd.DataFrame:
    """Return the rows that are kept, with a fresh index.

    Examples
    --------
    >>> import numpy as np
    >>> chosen_rows(pd.DataFrame({"a": [1, 2]}), np.array([False, True]))
       a
    0  2
    """
    if keep.all():
        return frame.reset_index(drop=True)
    index = pd.RangeIndex(int(keep.sum()))
    mask = pa.array(keep)

    def part(name: str) -> pd.Series:
        if frame[name].dtype == "str":
            # Where nearly all rows are kept, filtering is cheaper than taking one by one.
            kept = pa.array(frame[name], from_pandas=True).filter(mask)
            return pd.Series(kept, index=index, dtype="str")
        # Named, for pandas would make text of objects that are texts, or fail at half an emoji.
        dtype = frame[name].dtype
        return pd.Series(frame[name].array[keep], index=index, dtype=dtype, copy=False)

    parts = each_column(part, frame.columns, rows=len(frame))
    return pd.DataFrame(dict(zip(frame.columns, parts, strict=True)), index=index, copy=False)
