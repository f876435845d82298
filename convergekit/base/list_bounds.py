"""Bound columns of lists, also as JSON text: depth of nesting, and number of aliases.

Deep values that are not text are found by `bounds` already, whatever the column.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.bounds import DEEPEST, MOST_ALIASES, TOO_MANY_ALIASES, of_column
from convergekit.base.json_text import NestingError, read_json
from convergekit.base.text import to_arrow
from convergekit.base.threads import with_columns
from convergekit.typing import IntArray

#: The columns of lists.
LISTS = ("aliases", "unset", "set_once")


def within_bounds(
    frame: pd.DataFrame, *, of_text: Container[str] = ()
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return the frame without lists that are nested too deep, and why rows are rejected.

    Parameters
    ----------
    frame : pandas.DataFrame
        With canonical names.
    of_text : container of str
        Names of columns of which all cells are known to be lists of text.

    Examples
    --------
    >>> frame = pd.DataFrame({"aliases": ["urn:cookie:a", "[" * 200 + "]" * 200, "[1]"]})
    >>> shallow, reasons = within_bounds(frame)
    >>> shallow["aliases"].tolist(), reasons
    (['urn:cookie:a', nan, '[1]'], {1: 'aliases: nested more than 100 levels deep'})
    """
    changed: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    for name in filter(frame.__contains__, LISTS):
        if name in of_text:
            continue
        rows = [row for row, text in _long_texts(frame[name]) if _is_too_deep(text)]
        if rows:
            changed[name] = frame[name].mask(np.isin(np.arange(len(frame)), rows))
            reasons |= dict.fromkeys(rows, of_column(name))
    frame = with_columns(frame, changed)
    too_many = np.flatnonzero(_aliases_per_row(frame, of_text) > MOST_ALIASES)
    return frame, dict.fromkeys(too_many.tolist(), TOO_MANY_ALIASES) | reasons


def _aliases_per_row(frame: pd.DataFrame, of_text: Container[str]) -> IntArray:
    """Return how many aliases each row has, or fewer where that is within the bound."""
    listed = np.zeros(len(frame), dtype=np.int64)
    if "aliases" in frame:
        listed = _sizes(frame["aliases"], of_text="aliases" in of_text)
    columns = [column for name, column in frame.items() if str(name).startswith("alias.")]
    if listed.max(initial=0) + len(columns) > MOST_ALIASES:
        for column in columns:
            listed += column.notna().to_numpy(dtype=np.int64)
    return listed


def _sizes(lists: pd.Series, *, of_text: bool) -> IntArray:
    if of_text:
        members = map(len, [cell or () for cell in lists.to_numpy()])
        return np.fromiter(members, dtype=np.int64, count=len(lists))
    if isinstance(lists.dtype, pd.ArrowDtype) and pa.types.is_list(lists.dtype.pyarrow_dtype):
        found = pc.list_value_length(pa.array(lists)).fill_null(0)
        return found.to_numpy().astype(np.int64)
    sizes = np.zeros(len(lists), dtype=np.int64)
    if lists.dtype == object:
        known = (len(cell) if isinstance(cell, _SIZED) else 0 for cell in lists.to_numpy())
        sizes = np.fromiter(known, dtype=np.int64, count=len(lists))
    for row, text in _long_texts(lists):
        if text.count(",") >= MOST_ALIASES:
            # What is not JSON is one URN.
            with contextlib.suppress(ValueError):
                sizes[row] = len(read_json(text))
    return sizes


_SIZED = (list, tuple, set, frozenset)


def _long_texts(column: pd.Series) -> Iterator[tuple[int, str]]:
    """Yield the cells that may be JSON text of a list that is beyond a bound."""
    if column.dtype == object:
        cells = column.to_numpy()
        texts = enumerate(cells) if str in set(map(type, cells)) else iter(())
    elif pd.api.types.is_string_dtype(column.dtype):
        sizes = pc.binary_length(to_arrow(column.astype("str"))).fill_null(0)
        rows = np.flatnonzero(sizes.to_numpy() > DEEPEST).tolist()
        texts = ((row, str(column.iloc[row])) for row in rows)
    else:
        return
    for row, text in texts:
        if type(text) is str and len(text) > DEEPEST and text.lstrip()[:1] == "[":
            yield row, text


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    try:
        read_json(text)
    except NestingError:
        return True
    except ValueError:
        pass
    return False
