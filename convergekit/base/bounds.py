"""How deep and how wide a row may be: one bound each for all that is read, stitched and saved.

Python gives up on values nested a thousand levels deep, at another level in each function that
looks inside. Every key of an object that is opened becomes a column of all rows, and all aliases
of one event are linked pairwise. No export comes near the bounds here, and what stays within them
works everywhere; a row beyond is rejected, with its reason.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

#: A value of a column may hold lists and objects within one another to this depth.
DEEPEST = 100
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
#: So many columns the rows of a file may have together, as a table of BigQuery may.
MOST_COLUMNS = 10_000
TOO_WIDE = f"too many keys: events have at most {MOST_COLUMNS:,} columns"
#: The most aliases that one event may carry.
MOST_ALIASES = 1_000
TOO_MANY_ALIASES = f"more than {MOST_ALIASES:,} aliases on one event"

_CONTAINERS = (dict, Mapping, list, tuple, set, frozenset, deque, np.ndarray, pd.Series)


def too_deep(cells: Iterable[Any], most: int = DEEPEST) -> list[int]:
    """Return the positions of the cells that are nested deeper than so many levels.

    Examples
    --------
    >>> too_deep([1, [[2]], {"a": {"b": [3]}}], most=2)
    [2]
    """
    cells = list(cells)
    if not _go_deeper(cells, most):
        return []
    return [place for place, cell in enumerate(cells) if _go_deeper([cell], most)]


def without_deep(
    frame: pd.DataFrame, *, within: Container[str] = ()
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return the frame without the values that are nested too deep, and the reason per row.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed. Column names may occur twice.
    within : container of str
        Names of columns that are known to be within the bound.

    Examples
    --------
    >>> deep = [1]
    >>> for _ in range(200):
    ...     deep = [deep]
    >>> shallow, reasons = without_deep(pd.DataFrame({"items": [[1], deep]}))
    >>> shallow["items"].tolist(), reasons
    ([[1], None], {1: 'items: nested more than 100 levels deep'})
    """
    changed: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    for name, column in frame.items():
        rows = [] if name in within else _deep_rows(column)
        if rows:
            cells = np.full(len(column), None, dtype=object)
            kept = np.delete(np.arange(len(column)), rows)
            cells[kept] = column.iloc[kept].astype(object).to_numpy()
            changed[str(name)] = pd.Series(cells, index=column.index, dtype=object)
            for row in rows:
                reasons.setdefault(row, of_column(name))
    return frame.assign(**changed) if changed else frame, reasons


def is_deep(kind: pa.DataType) -> bool:
    """Return whether an Arrow type has lists and objects within one another beyond the bound.

    Examples
    --------
    >>> is_deep(pa.list_(pa.struct([("a", pa.int64())])))
    False
    """
    kinds = [kind]
    for _ in range(DEEPEST + 1):
        kinds = [inner for inner in kinds if pa.types.is_nested(inner)]
        if not kinds:
            return False
        kinds = [inner.field(place).type for inner in kinds for place in range(inner.num_fields)]
    return bool(kinds)


def of_column(name: object) -> str:
    """Return why a row is rejected of which the value in this column is nested too deep.

    Examples
    --------
    >>> of_column("properties")
    'properties: nested more than 100 levels deep'
    """
    return f"{str(name)[:80]}: {TOO_DEEP}"


def too_wide(records: Sequence[Mapping[str, Any] | None], most: int = MOST_COLUMNS) -> list[int]:
    """Return the positions of the records that bring the keys of all to more than so many.

    Examples
    --------
    >>> too_wide([{"a": 1, "b": 2}, {"c": 3}, None, {"b": 4}], most=2)
    [1]
    """
    given = [record or {} for record in records]
    if len(set(itertools.chain.from_iterable(given))) <= most:
        return []
    known: set[str] = set()
    beyond = []
    for place, record in enumerate(given):
        new = record.keys() - known
        if len(known) + len(new) > most:
            beyond.append(place)
        else:
            known |= new
    return beyond


def _deep_rows(column: pd.Series) -> list[int]:
    dtype = column.dtype
    if dtype == object:
        return too_deep(column.to_numpy())
    if isinstance(dtype, pd.CategoricalDtype) and dtype.categories.dtype == object:
        words = too_deep(dtype.categories)
        return np.flatnonzero(column.cat.codes.isin(words)).tolist() if words else []
    if isinstance(dtype, pd.ArrowDtype) and is_deep(dtype.pyarrow_dtype):
        return np.flatnonzero(column.notna()).tolist()
    return []


def _go_deeper(cells: list[Any], most: int) -> bool:
    """Return whether any cell is nested deeper, looking at all cells level by level."""
    level = _containers(cells)
    for _ in range(most):
        if not level:
            return False
        level = _containers(list(_inside_all(level)))
    return bool(level)


def _inside_all(containers: list[Any]) -> Iterable[Any]:
    if {dict, list}.issuperset(map(type, containers)):
        lists = [container for container in containers if type(container) is list]
        objects = [container for container in containers if type(container) is dict]
        if {str}.issuperset(map(type, itertools.chain.from_iterable(objects))):
            return itertools.chain(
                itertools.chain.from_iterable(lists),
                itertools.chain.from_iterable(map(dict.values, objects)),
            )
    return itertools.chain.from_iterable(map(_inside, containers))


def _containers(values: list[Any]) -> list[Any]:
    # Cells have a few types, so that these are asked instead of each value.
    kinds = {kind for kind in set(map(type, values)) if issubclass(kind, _CONTAINERS)}
    return [value for value in values if type(value) in kinds] if kinds else []


def _inside(container: Any) -> Iterable[Any]:
    if isinstance(container, Mapping):
        # Names are text nearly always; anything else may be nested as well.
        named = {str}.issuperset(map(type, container))
        return container.values() if named else itertools.chain(container, container.values())
    if isinstance(container, np.ndarray):
        plain = container.ndim == 1 and container.dtype != object
        return () if plain else container.tolist() if container.ndim else [container.item()]
    return container
