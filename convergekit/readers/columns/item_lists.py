"""Lists of objects, such as an order's items, of which a few keys are kept.

Arrow gives every object of a list the keys of all, and no difference between a key that is absent
and one that is null, or between 4 and 4.0. So only objects without such a gap or number are made of
its columns; the lines of the others are decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import column_from_values
from convergekit.events.shapes import may_be_entries
from convergekit.readers.columns.json_blocks import JsonBlock, is_plain, may_be_whole
from convergekit.readers.columns.keys import ColumnField
from convergekit.readers.fields import Rows, all_numbers, number_of
from convergekit.typing import BoolArray


def item_lists(path: str, names: Mapping[str, str], numbers: Collection[str] = ()) -> ColumnField:
    """Return a field of the lists of objects at a path with these keys alone, renamed.

    Parameters
    ----------
    path : str
    names : mapping of str to str
        From the key of an object to what an item calls it, in the order of an item's keys.
    numbers : collection of str
        Those of an item's keys that the vendor may write as text; what is not a number stays.

    Examples
    --------
    >>> field = item_lists("lines", {"title": "name", "price": "price"}, numbers=["price"])
    >>> field(Rows(pd.DataFrame({"lines": [[{"price": "12.50", "title": "Beans"}], None]})))
    [[{'name': 'Beans', 'price': 12.5}], None]
    """
    pick = _Pick(names, numbers)

    def by_row(rows: Rows) -> list[Any]:
        return [None if found is None else pick.of(found) for found in rows.object_lists(path)]

    def column(rows: Rows) -> pd.Series | None:
        found = rows.array(path)
        if found is None or not pa.types.is_nested(found.type):
            return None
        block, keys = rows.block_at(path)
        cells = None if block is None else pick.of_columns(block, keys, found)
        return column_from_values(by_row(rows) if cells is None else cells)

    return ColumnField(by_row, column)


class _Pick:
    """Which keys of an object become an item's, and how."""

    def __init__(self, names: Mapping[str, str], numbers: Collection[str]) -> None:
        self._names = dict(names)
        self._numbers = frozenset(numbers)

    def of(self, objects: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return list(map(self._item, objects))

    def _item(self, given: Mapping[str, Any]) -> dict[str, Any]:
        item = {own: given[key] for key, own in self._names.items() if key in given}
        for name in self._numbers & item.keys():
            item[name] = number_of(item[name])
        return item

    def of_columns(
        self, block: JsonBlock, path: tuple[str, ...], lists: pa.Array
    ) -> list[Any] | None:
        """Return the items of each row; None where the entries are not plain objects."""
        if not pa.types.is_list(lists.type) or not pa.types.is_struct(lists.type.value_type):
            return None
        entries = lists.flatten()
        if entries.null_count or may_be_entries(entries.type):
            return None
        taken = {
            own: entries.field(place)
            for key, own in self._names.items()
            if (place := entries.type.get_field_index(key)) >= 0
        }
        if not all(is_plain(values.type) for values in taken.values()):
            return None
        sizes = pc.list_value_length(lists).fill_null(0).to_numpy().astype(np.int64)
        ends = np.cumsum(sizes)
        row = np.repeat(np.arange(len(lists)), sizes)
        says_null = np.zeros(len(lists), dtype=bool)
        says_null[block.says_null] = True
        vague = np.zeros(len(entries), dtype=bool)
        for values in taken.values():
            vague |= _vague(values, says_null[row])
        items = self._made(taken, len(entries)) if not vague.all() else [None] * len(entries)
        valid = np.asarray(lists.is_valid())
        found: list[Any] = [
            items[end - size : end] if there else None
            for end, size, there in zip(ends.tolist(), sizes.tolist(), valid.tolist(), strict=True)
        ]
        again = np.unique(row[vague])
        for place, cell in zip(again.tolist(), block.cells_of(path, again), strict=True):
            found[place] = self.of(cell)
        return found

    def _made(self, taken: Mapping[str, pa.Array], count: int) -> list[Any]:
        if not taken:
            return [{} for _ in range(count)]
        columns = [
            _as_numbers(values) if own in self._numbers else values.to_pylist()
            for own, values in taken.items()
        ]
        lines = zip(*columns, strict=True)
        if any(values.null_count for values in taken.values()):
            return [
                {own: value for own, value in zip(taken, line, strict=True) if value is not None}
                for line in lines
            ]
        return [dict(zip(taken, line, strict=True)) for line in lines]


def _vague(values: pa.Array, says_null: BoolArray) -> BoolArray:
    """Return where Arrow does not tell what stands there in JSON."""
    gaps = np.asarray(values.is_null())
    vague: BoolArray = gaps & says_null
    if pa.types.is_floating(values.type):
        vague = vague | may_be_whole(values)
    return vague


def _as_numbers(values: pa.Array) -> list[Any]:
    found = all_numbers(values)
    return list(map(number_of, values.to_pylist())) if found is None else found.to_pylist()
