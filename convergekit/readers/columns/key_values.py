"""Lists of keys and values, as Google Analytics 4 writes parameters, as a column per key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import column_from_values, take_or_missing
from convergekit.events.shapes import may_be_entries
from convergekit.readers.columns.json_blocks import is_text, plain_column
from convergekit.readers.columns.keys import Keys, without_gaps
from convergekit.readers.fields import Rows
from convergekit.typing import BoolArray, IntArray

#: Texts that Python, Arrow and everybody else read as the same whole number, or number.
_WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"
_NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"


def pivoted(rows: Rows, path: str) -> Keys | None:
    """Return the parameters at a path as a column per key, None if they are in another form.

    Of the values `string_value`, `int_value`, `double_value` and `float_value` of an entry, the
    first that is there counts; of entries with one key, the last.

    Parameters
    ----------
    rows : Rows
    path : str
        Where each row has a list of objects with `key` and `value`.
    """
    lists = rows.array(path)
    if lists is None or not pa.types.is_list(lists.type):
        return None
    entries = lists.flatten()
    if not len(entries):
        return Keys.none()
    if not pa.types.is_struct(entries.type) or {f.name for f in entries.type} - {"key", "value"}:
        return None
    key, value = _field(entries, "key"), _field(entries, "value")
    if key is None or not pa.types.is_large_string(key.type) or key.null_count:
        return None
    values = _Values.of(value, len(entries))
    if values is None:
        return None
    sizes = pc.list_value_length(lists).fill_null(0).to_numpy()
    row = np.repeat(np.arange(len(lists)), sizes)
    encoded = key.dictionary_encode()
    code = encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(code, kind="stable")
    names = encoded.dictionary.to_pylist()
    ends = np.searchsorted(code[order], np.arange(len(names) + 1))
    columns: dict[str, pd.Series] = {}
    present: dict[str, IntArray] = {}
    for name, start, end in zip(names, ends[:-1], ends[1:], strict=True):
        at = order[start:end]
        place = np.full(len(lists), -1)
        # Of several in a row, the last assignment stays.
        place[row[at]] = at
        columns[name] = values.taken(place)
        present[name] = row[at]

    def are_null(name: str, asked: IntArray) -> BoolArray:
        return np.isin(asked, present[name]) & columns[name].isna().to_numpy()[asked]

    return Keys(columns, lambda name: int(present[name][0]), are_null)


def texts_of_keys(rows: Rows, path: str, keys: Sequence[str]) -> dict[str, pd.Series] | None:
    """Return the texts under some keys of the lists at a path, a column per key that occurs.

    None if the entries are in another form than objects with the texts `key` and `value`. Of
    entries with one key, the last counts.

    Parameters
    ----------
    rows : Rows
    path : str
    keys : sequence of str
    """
    lists = rows.array(path)
    if lists is None or not pa.types.is_list(lists.type):
        return None
    entries = lists.flatten()
    if not len(entries):
        return {}
    if entries.null_count or not pa.types.is_struct(entries.type) or may_be_entries(entries.type):
        return None
    key, value = _field(entries, "key"), _field(entries, "value")
    if key is None or value is None or not (is_text(key.type) and is_text(value.type)):
        return None
    key, value = key.cast(pa.large_string()), value.cast(pa.large_string())
    sizes = pc.list_value_length(lists).fill_null(0).to_numpy()
    row = np.repeat(np.arange(len(lists)), sizes)
    code = pc.index_in(key, pa.array(keys, pa.large_string())).fill_null(-1).to_numpy()
    values = pd.Series(value, dtype="str")
    columns = {}
    for number, name in enumerate(keys):
        mine = np.flatnonzero(code == number)
        place = np.full(len(lists), -1)
        # Of several in a row, the last assignment stays.
        place[row[mine]] = mine
        if len(mine):
            columns[name] = take_or_missing(values, place)
    return columns


class _Values:
    """The values of all entries, each of one of three kinds."""

    def __init__(self, kind: IntArray, of_kind: dict[int, pd.Series]) -> None:
        self._kind = kind
        self._of_kind = of_kind

    @classmethod
    def of(cls, value: pa.Array | None, size: int) -> _Values | None:
        """Return the values, None if some are not of the usual types."""
        kind = np.zeros(size, dtype=np.int64)
        if value is None or value.null_count == len(value):
            return cls(kind, {})
        if not pa.types.is_struct(value.type):
            return None
        of_kind: dict[int, pd.Series] = {}
        text = _field(value, "string_value")
        whole = _field(value, "int_value")
        found = [text, whole, _field(value, "double_value"), _field(value, "float_value")]
        read = [_texts, _wholes, _numbers, _numbers]
        for number, (field, of_field) in enumerate(zip(found, read, strict=True), start=1):
            if field is None or field.null_count == len(field):
                continue
            column = of_field(field)
            if column is None:
                return None
            of_kind[number] = column
            kind[(kind == 0) & np.asarray(field.is_valid())] = number
        # An object without any of the four is a value itself.
        return None if (np.asarray(value.is_valid()) & (kind == 0)).any() else cls(kind, of_kind)

    def taken(self, place: IntArray) -> pd.Series:
        """Return the values at places, none at -1."""
        kinds = np.where(place < 0, 0, self._kind[place])
        found = np.unique(kinds[kinds > 0]).tolist()
        if not found:
            return pd.Series([None] * len(place), dtype=object)
        if len(found) == 1:
            column = take_or_missing(self._of_kind[found[0]], np.where(kinds > 0, place, -1))
            return without_gaps(column)
        values = np.full(len(place), None, dtype=object)
        for kind in found:
            at = np.flatnonzero(kinds == kind)
            values[at] = self._of_kind[kind].iloc[place[at]].astype(object).to_numpy()
        return column_from_values(values.tolist())


def _field(objects: pa.StructArray, name: str) -> pa.Array | None:
    place = objects.type.get_field_index(name)
    return objects.flatten()[place] if place >= 0 else None


def _texts(field: pa.Array) -> pd.Series | None:
    return pd.Series(field, dtype="str") if pa.types.is_large_string(field.type) else None


def _wholes(field: pa.Array) -> pd.Series | None:
    if pa.types.is_large_string(field.type):
        if not pc.all(pc.match_substring_regex(field, _WHOLE)).as_py():
            return None
        field = field.cast(pa.int64())
    return plain_column(field) if pa.types.is_integer(field.type) else None


def _numbers(field: pa.Array) -> pd.Series | None:
    if pa.types.is_large_string(field.type):
        if not pc.all(pc.match_substring_regex(field, _NUMBER)).as_py():
            return None
        field = field.cast(pa.float64())
    if pa.types.is_integer(field.type):
        field = field.cast(pa.float64(), safe=False)
    return plain_column(field) if pa.types.is_floating(field.type) else None
