"""Lines of JSON as columns: read by Arrow, where that says what Python's reader would say.

Arrow reads JSON many times as fast as Python makes objects of it, but means something else in
places: it takes text for times, gives every object of a list the keys of all, and no difference
between a key that is absent and one that is null. So a block of lines is taken only if it is
certain to say the same, and whatever Arrow cannot say exactly, such as the objects of a list, is
decoded from its line when it is asked for. A block that is not taken is read line by line.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from convergekit.base.bounds import MOST_COLUMNS, is_deep, too_deep
from convergekit.base.json_text import read_json_rows
from convergekit.base.records import column_from_values, frame_from_records, take_or_missing
from convergekit.events.arrow import lists_of_text, series_from_arrow
from convergekit.typing import BoolArray, IntArray

#: The keys that lead to a value, from the outermost.
Path: TypeAlias = tuple[str, ...]

#: So many lines tell the types of a file's fields, which later ones confirm or add to.
_FIRST_LINES = 1000
#: A block in which more lines cannot be read is read line by line.
_MOST_UNREADABLE = 20
#: A line with more brackets may be nested deeper than Arrow's reader survives.
_MOST_BRACKETS = 1000
#: Arrow names the line that it does not take.
_ROW = re.compile(r" in row (\d+)")
_EMPTY = b"{}"
_OPEN, _CLOSE = _EMPTY
#: From here on a float does not hold every whole number.
_WHOLE = 2.0**53


class JsonBlock:
    """Lines of JSON that Arrow has read, one object each.

    Attributes
    ----------
    names : list of str
        The keys of the objects, in the order in which they first come.
    reasons : dict of int to str
        Per position of a line that is not an object, why.
    of_lines : bool
        Whether the rows are lines of JSON.
    """

    of_lines = True

    def __init__(self, cells: pa.StructArray, texts: Sequence[bytes], reasons: dict[int, str]):
        self.names: list[str] = [field.name for field in cells.type]
        self.reasons = reasons
        self._cells = cells
        self._texts = texts
        self._records: list[dict[str, Any] | None] = [None] * len(texts)
        self._arrays: dict[Path, pa.Array | None] = {(): cells}

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def objects(self) -> pa.StructArray:
        """The objects as Arrow has them."""
        return self._cells

    def forget_absent(self) -> None:
        """Leave out fields that Arrow was told of, and no line has."""
        kept = self._occurring(self._cells, (), b"\n".join(self._texts))
        if kept is not self._cells:
            self._cells = kept
            self._arrays = {(): kept}
            self.names = [field.name for field in kept.type]

    def _occurring(self, objects: pa.StructArray, path: Path, text: bytes) -> pa.StructArray:
        fields = {}
        for place, field in enumerate(objects.type):
            found = inner = objects.field(place)
            at = (*path, field.name)
            if found.null_count == len(found):
                said = any(key in text for key in _spellings(field.name))
                if not said or self.first(at) == len(self):
                    continue
            elif pa.types.is_struct(found.type):
                inner = self._occurring(found, at, text)
            fields[field.name] = inner
        same = len(fields) == objects.type.num_fields and all(
            inner is objects.field(place) or inner.type == objects.type.field(place).type
            for place, inner in enumerate(fields.values())
        )
        if same:
            return objects
        if not fields:
            gaps = _gaps(objects).tolist()
            return pa.array([None if gap else {} for gap in gaps], type=pa.struct([]))
        return pa.StructArray.from_arrays(
            list(fields.values()), list(fields), mask=pa.array(_gaps(objects))
        )

    def __getitem__(self, row: int) -> dict[str, Any] | str:
        """Return the object of a line, or why there is none."""
        return self.reasons[row] if row in self.reasons else self.records([row])[0]

    def array(self, path: Path) -> pa.Array | None:
        """Return the values at a path as Arrow has them, None where no object has the path."""
        if path not in self._arrays:
            outer = self.array(path[:-1])
            found = None
            if outer is not None and pa.types.is_struct(outer.type):
                place = outer.type.get_field_index(path[-1])
                found = _field(outer, place) if place >= 0 else None
            self._arrays[path] = found
        return self._arrays[path]

    def column(self, path: Path) -> pd.Series | None:
        """Return the values at a path as `column_from_values` does, None if they are objects."""
        found = self.array(path)
        if found is None or found.null_count == len(found):
            return pd.Series([None] * len(self), dtype=object)
        return plain_column(found)

    def columns(self, path: Path) -> dict[str, pd.Series] | None:
        """Return a column per key of the objects at a path, in the order in which they first come.

        As `frame_from_records` has them; None where other values than objects stand there.
        """
        found = self.array(path)
        if found is None or found.null_count == len(found):
            return {}
        if not pa.types.is_struct(found.type):
            return None
        return {field.name: self.series((*path, field.name)) for field in found.type}

    def first(self, path: Path) -> int:
        """Return the first line that has the key at the end of a path, whatever its value."""
        found = self.array(path)
        valid = np.zeros(0, bool) if found is None else np.asarray(found.is_valid())
        end = int(valid.argmax()) if valid.any() else len(self)
        said = self.says_null
        before = said[: np.searchsorted(said, end)]
        return next((row for row in before.tolist() if self._is_null(path, row)), end)

    def are_null(self, path: Path, rows: IntArray) -> BoolArray:
        """Return which of some lines have the key at the end of a path with the value null."""
        found = np.zeros(len(rows), dtype=bool)
        said = np.isin(rows, self.says_null)
        found[said] = [self._is_null(path, row) for row in rows[said].tolist()]
        return found

    @cached_property
    def says_null(self) -> IntArray:
        """The lines that may have a value that is null."""
        return np.array([row for row, text in enumerate(self._texts) if b"null" in text], np.int64)

    def _is_null(self, path: Path, row: int) -> bool:
        if not any(key in self._texts[row] for key in _spellings(path[-1])):
            return False
        value: Any = self.records([row])[0]
        for key in path[:-1]:
            value = value.get(key) if isinstance(value, dict) else None
        return isinstance(value, dict) and path[-1] in value and value[path[-1]] is None

    def series(self, path: Path) -> pd.Series:
        """Return the values at a path as `column_from_values` does."""
        column = self.column(path)
        return column_from_values(self.cells(path)) if column is None else column

    def cells(self, path: Path) -> list[Any]:
        """Return the values at a path as Python's reader gives them, None where there is none."""
        found = self.array(path)
        if found is None:
            return [None] * len(self)
        if is_plain(found.type):
            column = plain_column(found)
            vague = pa.types.is_floating(found.type) and may_be_whole(found).any()
            if column is not None and not vague:
                return found.to_pylist()
        else:
            lists = lists_of_text(pa.chunked_array([found]))
            if lists is not None:
                return lists
        few = self._of_one_key(found)
        if few is not None:
            return few
        cells: list[Any] = [None] * len(self)
        rows = np.flatnonzero(_holds_something(found))
        for row, value in zip(rows.tolist(), self.cells_of(path, rows), strict=True):
            cells[row] = value
        if pa.types.is_list(found.type):
            for empty in np.flatnonzero(pc.equal(pc.list_value_length(found), 0).fill_null(False)):
                cells[empty] = []
        return cells

    def _of_one_key(self, lists: pa.Array) -> list[Any] | None:
        """Return lists of objects with a single key, as Snowplow's pages; None of any other.

        Of several keys, Arrow does not know which comes first in an object.
        """
        kind = lists.type.value_type if pa.types.is_list(lists.type) else None
        if kind is None or not pa.types.is_struct(kind) or kind.num_fields != 1:
            return None
        entries = lists.flatten()
        values = _field(entries, 0)
        told = is_text(values.type) or pa.types.is_integer(values.type)
        if not told or entries.null_count or values.null_count:
            return None
        name = kind.field(0).name
        objects = [{name: value} for value in values.to_pylist()]
        sizes = pc.list_value_length(lists).fill_null(0).to_numpy()
        ends = np.cumsum(sizes).tolist()
        found: list[Any] = [
            objects[start:end] for start, end in zip([0, *ends], ends, strict=False)
        ]
        for gap in np.flatnonzero(lists.is_null()).tolist():
            found[gap] = None
        return found

    def records(self, rows: Sequence[int] | IntArray) -> list[dict[str, Any]]:
        """Return the objects of some lines, which must not be changed."""
        unknown = [row for row in map(int, rows) if self._records[row] is None]
        if unknown:
            text = b"[" + b",".join([self._texts[row] for row in unknown]) + b"]"
            for row, record in zip(unknown, json.loads(text), strict=True):
                self._records[row] = record
        return [self._records[row] or {} for row in map(int, rows)]

    def frame(self) -> pd.DataFrame:
        """Return all lines as `RawRows.of_records` has them."""
        records = self.records(range(len(self)))
        return frame_from_records([None if row in self.reasons else record
                                   for row, record in enumerate(records)])  # fmt: skip

    def head(self, rows: int) -> pd.DataFrame:
        """Return so many of the first lines that hold something, with the columns of all."""
        some = np.zeros(len(self), dtype=bool)
        for place in range(len(self.names)):
            some |= np.asarray(_field(self._cells, place).is_valid())
        chosen = np.flatnonzero(some)[:rows]
        return frame_from_records(self.records(chosen)).reindex(columns=self.names)

    def cells_of(self, path: Path, rows: IntArray) -> list[Any]:
        """Return the values at a path of some lines that have one, as Python's reader gives them.

        They must not be changed.
        """
        found: list[Any] = []
        for value in self.records(rows):
            inner: Any = value
            for key in path:
                inner = inner[key]
            found.append(inner)
        return found

    def taken(self, rows: IntArray) -> pd.DataFrame:
        """Return some of the lines as a frame of all of them has these."""
        records = self.records(rows)
        columns = {}
        for field in self._cells.type:
            if is_plain(field.type):
                columns[field.name] = take_or_missing(self.series((field.name,)), rows)
            else:
                cells = [record.get(field.name) for record in records]
                columns[field.name] = column_from_values(cells)
        return pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


class KnownTypes:
    """The fields of a file as far as they are known: what is text there, and their order."""

    def __init__(self) -> None:
        self._texts: pa.StructType = pa.struct([])
        self._order: dict[str, Any] = {}

    def read(
        self, texts: Sequence[bytes], why_not: Callable[[bytes], str | None]
    ) -> JsonBlock | None:
        """Return the lines as a block, or None if they must be read one by one.

        Parameters
        ----------
        texts : sequence of bytes
            Lines without what surrounds them.
        why_not : function
            From a line to the reason why it is not an object, None if it is one.
        """
        texts = list(texts)
        reasons: dict[int, str] = {}
        before = self._texts, copy.deepcopy(self._order)
        block = self._block_of(texts, reasons, why_not)
        if block is None:
            # What another reader makes of these lines may have none of their fields.
            self._texts, self._order = before
        elif before[1]:
            block.forget_absent()
        return block

    def _block_of(
        self,
        texts: list[bytes],
        reasons: dict[int, str],
        why_not: Callable[[bytes], str | None],
    ) -> JsonBlock | None:
        while True:
            found = self._read(texts)
            if not isinstance(found, int):
                break
            # Arrow does not take this line, and Python must not either.
            reason = why_not(texts[found]) if found < len(texts) else None
            if reason is None or found in reasons or len(reasons) >= _MOST_UNREADABLE:
                return None
            reasons[found], texts[found] = reason, _EMPTY
        return None if found is None else JsonBlock(found, texts, reasons)

    def _read(self, texts: Sequence[bytes]) -> pa.StructArray | int | None:
        """Return what Arrow reads, or the first line that it does not take, or None."""
        alike = {text[0] for text in texts} == {_OPEN} and {text[-1] for text in texts} == {_CLOSE}
        if not alike or max(map(len, texts)) >= _MOST_BRACKETS:
            apart = next((row for row, text in enumerate(texts) if _is_apart(text)), None)
            if apart is not None:
                return apart
        text = b"\n".join(texts)
        if not text.isascii():
            try:
                text.decode("utf-8")
            except UnicodeDecodeError as error:
                return text.count(b"\n", 0, error.start)
        if not self._order and len(texts) > _FIRST_LINES:
            first = self._parsed(b"\n".join(texts[:_FIRST_LINES]))
            if isinstance(first, pa.Table):
                self._learn(first.schema)
        table = self._parsed(text)
        if not isinstance(table, pa.Table):
            return table
        if self._learn(table.schema):
            table = self._parsed(text)
        if not isinstance(table, pa.Table) or len(table) != len(texts):
            return None
        cells = _in_one_piece(table)
        if has_unusual(cells) or _may_be_pages(cells.type):
            return None
        return _ordered(cells, self._order)

    def _parsed(self, text: bytes) -> pa.Table | int | None:
        """Return a table, the line that Arrow does not take, or None where neither is known.

        Nor is what is too deep or too wide.
        """
        try:
            table = pj.read_json(
                pa.BufferReader(text),
                # In one block and one thread, so that the order of fields is that of the text.
                read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
                parse_options=pj.ParseOptions(explicit_schema=pa.schema(list(self._texts))),
            )
            # Of lists of nothing but nulls, Arrow counts the members wrongly.
            table.validate()
        except pa.ArrowInvalid as error:
            row = _ROW.search(str(error))
            return int(row[1]) if row else None
        kind = pa.struct(list(table.schema))
        return None if is_deep(kind) or _is_wide(kind) else table

    def _learn(self, schema: pa.Schema) -> bool:
        """Note the fields; return whether one that Arrow took for times is known to be text now."""
        _note_order(self._order, schema)
        texts = _texts_of(pa.struct(list(schema))) or pa.struct([])
        self._texts = _ordered_type(texts, self._order)
        return _has_times(pa.struct(list(schema)))


def starts_with_any(found: pa.Array, starts: Sequence[str]) -> bool:
    """Return whether some of the values are text that starts so.

    Examples
    --------
    >>> starts_with_any(pa.array(["a", "[1]"]), ["[", "{"]), starts_with_any(pa.array([1]), ["1"])
    (True, False)
    """
    if not is_text(found.type):
        return False
    return any(pc.any(pc.starts_with(found, start)).as_py() for start in starts)


def block_of_texts(texts: pa.Array) -> JsonBlock | None:
    """Return objects that stand as JSON text in cells as a block, None if there is anything else.

    A cell without text is an empty object.

    Examples
    --------
    >>> block_of_texts(pa.array(['{"a": 1}', None])).column(("a",)).tolist()
    [1, <NA>]
    >>> block_of_texts(pa.array(['{"a": 1}', "a"])) is None
    True
    """
    cells = texts.fill_null(_EMPTY.decode()).cast(pa.large_binary()).to_pylist()
    if not all(cells):
        return None
    block = KnownTypes().read(cells, lambda text: None)
    return None if block is None or block.reasons else block


def values_of_texts(texts: pa.Array) -> list[Any] | None:
    """Return what stands as JSON text in cells, None where there is none.

    None in place of all if there is anything else than objects, or anything else than lists.

    Examples
    --------
    >>> values_of_texts(pa.array(["[1]", None, "[2]"])), values_of_texts(pa.array(["[1]", "a"]))
    ([[1], None, [2]], None)
    """
    given = texts.drop_null().cast(pa.large_binary()).to_pylist()
    ends = {(text[:1], text[-1:]) for text in given}
    if ends - {(b"{", b"}"), (b"[", b"]")} or any(b"\n" in text for text in given):
        return None
    block = KnownTypes().read([b'{"v":' + text + b"}" for text in given], lambda text: None)
    # What closes the object may be a part of the text.
    if block is None or block.reasons or block.names not in (["v"], []):
        return None
    found: list[Any] = [None] * len(texts)
    inner = json.loads(b"[" + b",".join(given) + b"]")
    for row, value in zip(np.flatnonzero(texts.is_valid()).tolist(), inner, strict=True):
        found[row] = value
    return found


def _may_be_pages(kind: pa.StructType) -> bool:
    """Return whether a line may hold rows: a page of JSON:API, or a visit with its actions."""
    places = kind.get_field_index("data"), kind.get_field_index("actionDetails")
    return any(place >= 0 and pa.types.is_nested(kind.field(place).type) for place in places)


def _is_apart(text: bytes) -> bool:
    """Return whether a line is not one object for certain, or too deep for Arrow's reader."""
    if text[0] != _OPEN or text[-1] != _CLOSE:
        return True
    if len(text) < _MOST_BRACKETS or text.count(b"[") + text.count(b"{") < _MOST_BRACKETS:
        return False
    try:
        return bool(too_deep([read_json_rows(text.decode("utf-8"))]))
    except ValueError:
        return True


def _spellings(key: str) -> set[bytes]:
    """Return how a key may be written in JSON."""
    return {json.dumps(key, ensure_ascii=only)[1:-1].encode() for only in (True, False)}


def _gaps(objects: pa.StructArray) -> BoolArray:
    return np.asarray(objects.is_null())


def _holds_something(found: pa.Array) -> BoolArray:
    """Return where there is a value that is not an empty list."""
    if pa.types.is_list(found.type):
        return pc.list_value_length(found).fill_null(0).to_numpy() > 0
    return np.asarray(found.is_valid())


def _field(objects: pa.StructArray, place: int) -> pa.Array:
    """Return a field of objects, missing where the object is."""
    if not objects.null_count:
        return objects.field(place)
    return objects.flatten()[place]


def plain_column(found: pa.Array) -> pd.Series | None:
    """Return values in the type that `column_from_values` finds, None if Arrow cannot tell.

    Examples
    --------
    >>> plain_column(pa.array([1, None])).dtype, plain_column(pa.array([2.0**53])) is None
    (Int64Dtype(), True)
    """
    kind = found.type
    if pa.types.is_floating(kind):
        numbers = found.to_numpy(zero_copy_only=False)
        # An integer may be too long for a float, and minus nothing was one perhaps.
        least = np.abs(numbers)
        if (least >= _WHOLE).any() or (np.signbit(numbers) & (numbers == 0)).any():
            return None
        return pd.Series(numbers)
    if is_plain(kind):
        return series_from_arrow(pa.chunked_array([found]))
    return None


def is_plain(kind: pa.DataType) -> bool:
    """Return whether it is the type of texts, numbers or booleans.

    Examples
    --------
    >>> is_plain(pa.int64()), is_plain(pa.list_(pa.int64()))
    (True, False)
    """
    return (
        is_text(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_null(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Return whether it is a type of texts.

    Examples
    --------
    >>> is_text(pa.string()), is_text(pa.list_(pa.string()))
    (True, False)
    """
    return bool(pa.types.is_large_string(kind) or pa.types.is_string(kind))


def may_be_whole(found: pa.Array) -> BoolArray:
    """Return which numbers may have been written without a point: 4 and 4.0 differ.

    Examples
    --------
    >>> may_be_whole(pa.array([4.0, 2.5, None])).tolist()
    [True, False, False]
    """
    numbers = found.to_numpy(zero_copy_only=False)
    whole: BoolArray = numbers == np.trunc(numbers)
    return whole


def _in_one_piece(table: pa.Table) -> pa.StructArray:
    if not table.num_columns:
        return pa.array([{}] * len(table), type=pa.struct([]))
    columns = [
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
        for column in table.columns
    ]
    return pa.StructArray.from_arrays(columns, fields=list(table.schema))


def has_unusual(found: pa.Array) -> bool:
    """Return whether there are numbers that are none in JSON: NaN, or an infinite one.

    Examples
    --------
    >>> has_unusual(pa.array([[1.5], [float("nan")]])), has_unusual(pa.array([{"a": 1.5}]))
    (True, False)
    """
    kind = found.type
    if pa.types.is_floating(kind):
        return not math.isfinite(pc.sum(pc.multiply(found, 0.0)).as_py() or 0.0)
    if pa.types.is_list(kind):
        return _holds_numbers(kind) and has_unusual(found.values)
    if pa.types.is_struct(kind):
        return any(
            has_unusual(found.field(place))
            for place in range(kind.num_fields)
            if _holds_numbers(kind.field(place).type)
        )
    return False


def _holds_numbers(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _holds_numbers(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_holds_numbers(field.type) for field in kind)
    return bool(pa.types.is_floating(kind))


def _is_wide(kind: pa.DataType) -> bool:
    """Return whether objects have more keys than there may be columns."""
    if pa.types.is_list(kind):
        return _is_wide(kind.value_type)
    if not pa.types.is_struct(kind):
        return False
    return kind.num_fields > MOST_COLUMNS or any(_is_wide(field.type) for field in kind)


def _note_order(order: dict[str, Any], fields: Sequence[pa.Field]) -> None:
    """Add the fields that are not known, each with the order of those within it."""
    for field in fields:
        within = order.setdefault(field.name, {})
        objects = _objects_in(field.type)
        if objects is not None:
            _note_order(within, list(objects))


def _objects_in(kind: pa.DataType) -> pa.StructType | None:
    """Return the type of the objects, of those in lists as well, None where there are none."""
    while pa.types.is_list(kind):
        kind = kind.value_type
    return kind if pa.types.is_struct(kind) else None


def _texts_of(kind: pa.DataType) -> pa.DataType | None:
    """Return a type of what is text in this one, or was taken for times; None if there is none."""
    if is_text(kind) or pa.types.is_temporal(kind):
        return pa.large_string()
    if pa.types.is_list(kind):
        inner = _texts_of(kind.value_type)
        return None if inner is None else pa.list_(inner)
    if pa.types.is_struct(kind):
        fields = [(field.name, _texts_of(field.type)) for field in kind]
        found = [pa.field(name, inner) for name, inner in fields if inner is not None]
        return pa.struct(found) if found else None
    return None


def _has_times(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _has_times(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_has_times(field.type) for field in kind)
    return bool(pa.types.is_temporal(kind))


def _ordered_type(kind: pa.DataType, order: dict[str, Any]) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_ordered_type(kind.value_type, order))
    if not pa.types.is_struct(kind):
        return kind
    types = {field.name: field.type for field in kind}
    return pa.struct(
        [pa.field(name, _ordered_type(types[name], order[name])) for name in order if name in types]
    )


def _ordered(found: pa.StructArray, order: dict[str, Any]) -> pa.StructArray:
    """Return objects with their fields in the order in which the file has them first."""
    places = {field.name: place for place, field in enumerate(found.type)}
    names = [name for name in order if name in places]
    fields = [_ordered_field(found.field(places[name]), order[name]) for name in names]
    same = names == list(places) and all(
        field.type.equals(found.type.field(place).type) for place, field in enumerate(fields)
    )
    if same or not names:
        return found
    mask = found.is_null() if found.null_count else None
    return pa.StructArray.from_arrays(fields, names, mask=mask)


def _ordered_field(found: pa.Array, order: dict[str, Any]) -> pa.Array:
    return _ordered(found, order) if pa.types.is_struct(found.type) else found
