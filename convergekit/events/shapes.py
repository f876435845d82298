"""Objects and lists in the shapes that exports give them, and what has another shape.

An exporter may write an object as JSON text, as Python prints it, or as a list of keys and values;
and a list in the wrappers of Parquet's and Avro's writers. What has a shape that cannot be read is
not lost without a word: the reader notes it per row, and the report says for each file how many
rows it concerns. Values are not shown, for they may be a person's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from itertools import islice
from numbers import Number
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.json_text import read_json
from convergekit.base.text import as_text
from convergekit.events.nothing import is_no_value
from convergekit.events.python_text import NotPythonError, read_python_text

T = TypeVar("T")

#: The column in which the readers say of a row which fields have a shape that is not read.
READ_SHAPES = "read_shapes"
#: How a remark on them ends, by which the report knows it.
NOTHING_READ = ": nothing was read from"
#: So many of them the report has, those of most rows first.
MOST_NAMED = 10
_MOST_OF_A_NAME = 80

#: What Parquet, Hive and Avro call the only field of an object that stands for a list, and of
#: one that stands for an entry of it, https://github.com/apache/parquet-format (LogicalTypes.md).
_LISTS = frozenset({"list", "array", "bag", "key_value", "map"})
_ENTRIES = frozenset({"element", "item", "array_element", "array", "entry"})
#: How lists of keys and values call the two.
_KEYS = ("key", "name", "Key", "Name", "k")
_VALUES = ("value", "val", "Value", "v")
_STARTS = ("{", "[", "(")
ENTRIES_NOT_OBJECTS = "has entries that are not objects"
_ENTRIES_WITHOUT_KEY = "has entries without a key"
_PARTLY = (ENTRIES_NOT_OBJECTS, _ENTRIES_WITHOUT_KEY)
_LOOKED_AT = 20
_LISTS_ONLY = frozenset({list, type(None)})
_PLAIN_TYPES = frozenset({dict, type(None)})
#: JSON text may stand in JSON text so many times.
_MOST_QUOTED = 3


class BrokenTextError(ValueError):
    """Text begins as an object or list does, and cannot be read as one."""


class OtherShapeError(ValueError):
    """A cell has another shape than is expected, or a part of it has; what was read is `value`."""

    def __init__(self, shape: str, value: dict[str, Any] | None = None) -> None:
        super().__init__(shape)
        self.value = value


def opened(text: str) -> Any:
    """Return the object or list that a text is, in JSON or as Python prints it, else the text.

    Raises
    ------
    ValueError
        JSON text says two things at once, or is nested too deep.

    Examples
    --------
    >>> opened('{"id": 7}'), opened("{'id': 7}"), opened("[promotion]")
    ({'id': 7}, {'id': 7}, '[promotion]')
    """
    try:
        return read_json(text)
    except json.JSONDecodeError:
        pass
    try:
        return read_python_text(text)
    except NotPythonError:
        return text


def all_objects(cells: Sequence[Any]) -> bool:
    """Return whether every cell is an object or missing, as nearly all are, and none a wrapper.

    Writers wrap all values of a field or none, so the first few tell.
    """
    if not _PLAIN_TYPES.issuperset(map(type, cells)):
        return False
    return not any(map(is_wrapper, islice(filter(None, cells), _LOOKED_AT)))


def all_lists(cells: Sequence[Any]) -> bool:
    """Return whether every cell is a list or missing, and no entry of the first few is wrapped."""
    if not _LISTS_ONLY.issuperset(map(type, cells)):
        return False
    firsts = (entry for cell in islice(filter(None, cells), _LOOKED_AT) for entry in cell[:1])
    return not any(entry_of(entry) is not entry for entry in firsts)


def is_wrapper(cell: Mapping[str, Any]) -> bool:
    """Return whether an object only wraps a list, or has places for keys.

    Examples
    --------
    >>> is_wrapper({"list": [{"element": 1}]}), is_wrapper({"0": {"sku": "a"}}), is_wrapper({})
    (True, True, False)
    """
    if len(cell) == 1:
        ((name, inner),) = cell.items()
        if name in _LISTS and isinstance(_list_of(inner), list):
            return True
    return bool(cell) and all(str(key) == str(place) for place, key in enumerate(cell))


def may_wrap(kind: pa.StructType) -> bool:
    """Return whether objects of an Arrow type may be wrappers.

    Examples
    --------
    >>> may_wrap(pa.struct([("list", pa.list_(pa.int64()))])), may_wrap(pa.struct([]))
    (True, False)
    """
    return any(
        field.name == "0" or (field.name in _LISTS and pa.types.is_nested(field.type))
        for field in kind
    )


def may_be_entries(kind: pa.StructType) -> bool:
    """Return whether objects of an Arrow type in a list may only wrap the list's entries.

    Examples
    --------
    >>> may_be_entries(pa.struct([("element", pa.int64())])), may_be_entries(pa.struct([]))
    (True, False)
    """
    return any(field.name in _ENTRIES for field in kind)


def as_object(cell: Any) -> dict[str, Any] | None:
    """Return the object that a cell is in any shape that is read; None for none.

    Raises
    ------
    BrokenTextError
        Text begins as an object does, and cannot be read as one.
    OtherShapeError
        The cell has another shape, wholly or in part.

    Examples
    --------
    >>> as_object([{"key": "id", "value": 7}]), as_object("{'id': 7}"), as_object("null")
    ({'id': 7}, {'id': 7}, None)
    >>> as_object(7)
    Traceback (most recent call last):
    ...
    convergekit.events.shapes.OtherShapeError: is a number
    """
    cell = _of_text(cell)
    if isinstance(cell, Mapping):
        if not is_wrapper(cell):
            return dict(cell)
        entries = _inside(cell)
        pairs = [_pair(entry) for entry in entries if isinstance(entry_of(entry), Mapping)]
        if len(pairs) == len(entries) and all(pairs):
            return _joined(pairs)
        return dict(cell)
    cell = _list_of(cell)
    if isinstance(cell, list):
        # PHP writes an empty object as an empty list.
        if not cell:
            return None
        pairs = [_pair(entry) for entry in cell]
        if all(pairs):
            return _joined(pairs)
        if any(pairs):
            raise OtherShapeError(_ENTRIES_WITHOUT_KEY, _joined(pairs))
        if len(cell) == 1 and isinstance(cell[0], Mapping):
            return dict(cell[0])
    if _is_missing(cell):
        return None
    raise OtherShapeError(f"is {shape_of(cell)}")


def as_list(cell: Any) -> list[Any] | None:
    """Return the list that a cell is in any shape that is read, without wrappers; None for none.

    Raises
    ------
    BrokenTextError, OtherShapeError
        As `as_object`.

    Examples
    --------
    >>> as_list({"list": [{"element": {"sku": "a"}}]}), as_list({"sku": "a"}), as_list({"0": "a"})
    ([{'sku': 'a'}], [{'sku': 'a'}], ['a'])
    """
    cell = _of_text(cell)
    if isinstance(cell, Mapping):
        if not cell:
            return None
        cell = _inside(cell) if is_wrapper(cell) else [dict(cell)]
    cell = _list_of(cell)
    if isinstance(cell, list):
        return [entry_of(entry) for entry in cell]
    if _is_missing(cell):
        return None
    raise OtherShapeError(f"is {shape_of(cell)}")


def entry_of(entry: Any) -> Any:
    """Return what stands in the wrapper that Parquet's and Avro's writers give an entry of a list.

    Examples
    --------
    >>> entry_of({"element": "urn:email:ada@example.com"}), entry_of({"sku": "a"})
    ('urn:email:ada@example.com', {'sku': 'a'})
    """
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, inner),) = entry.items()
        return inner if name in _ENTRIES else entry
    return entry


def shape_of(cell: Any) -> str:
    """Return in words what stands where an object or list is expected, without its value.

    Examples
    --------
    >>> shape_of("a=1"), shape_of(True), shape_of(2.5), shape_of([1])
    ('text', 'true or false', 'a number', 'a list')
    """
    if isinstance(cell, str | bytes):
        return "text"
    if isinstance(cell, bool | np.bool_):
        return "true or false"
    if isinstance(cell, Number | np.number):
        return "a number"
    if isinstance(cell, date | time | np.datetime64):
        return "a time"
    if isinstance(cell, Mapping):
        return "an object"
    return "a list" if isinstance(cell, list | tuple | np.ndarray) else "of another type"


def read_cells(
    cells: Sequence[Any],
    read: Callable[[Any], T | None],
    note: Callable[[int, str], object],
    reject: Callable[[int, str], object],
) -> list[T | None]:
    """Return what is read from each cell, None where it is missing or has another shape.

    Parameters
    ----------
    cells : sequence
    read : callable
        `as_object` or `as_list`.
    note : callable
        Is told the row and the shape of a cell that is not read.
    reject : callable
        Is told the row and the reason where text is broken.
    """
    found: list[Any] = []
    for row, cell in enumerate(cells):
        try:
            found.append(None if cell is None else read(cell))
        except OtherShapeError as error:
            found.append(error.value)
            note(row, str(error))
        except ValueError as error:
            found.append(None)
            reject(row, str(error))
    return found


def shape_remarks(said: pd.Series, files: pd.Series | None) -> dict[str, int]:
    """Return the remarks on fields of which nothing was read: for each file, in how many rows.

    Parameters
    ----------
    said : pandas.Series
        For each row a line per field, such as ``"event_params is text"``; missing for none.
    files : pandas.Series, optional
        The file of each row.

    Examples
    --------
    >>> said = pd.Series(["event_params is text", None, "event_params is text"])
    >>> shape_remarks(said, pd.Series(["a.csv", "a.csv", "b.csv"]))
    {'event_params is text in 1 of 2 rows of a.csv: nothing was read from it': 1,
     'event_params is text in 1 of 1 row of b.csv: nothing was read from it': 1}
    """
    text = as_text(said)[0]
    of_file = pd.Series("", index=text.index) if files is None else as_text(files)[0].fillna("")
    rows = of_file.value_counts().to_dict()
    counts: Counter[tuple[str, str]] = Counter()
    told = pd.DataFrame({"file": of_file, "said": text}).dropna()
    for (file, lines), count in told.value_counts().items():
        counts.update(dict.fromkeys([(file, line) for line in str(lines).split("\n")], int(count)))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    found = {}
    for (file, line), count in ordered[:MOST_NAMED]:
        total = int(rows[file])
        of = f" of {total:,} {'row' if total == 1 else 'rows'}" + (f" of {file}" if file else "")
        what = "these" if line.endswith(_PARTLY) else "it"
        found[f"{line} in {count:,}{of}{NOTHING_READ} {what}"] = count
    rest = ordered[MOST_NAMED:]
    if rest:
        more = f"{len(rest):,} more {'field has' if len(rest) == 1 else 'fields have'} other shapes"
        found[f"{more}{NOTHING_READ} {'it' if len(rest) == 1 else 'them'}"] = sum(
            count for _, count in rest
        )
    return found


def said_of(noted: Mapping[str, Mapping[int, str]], size: int) -> pd.Series | None:
    r"""Return for each row the lines of its fields, as `READ_SHAPES` holds them; None for no row.

    Examples
    --------
    >>> said_of({"traits": {1: "is a number"}, "context": {1: "is text"}}, 2).tolist()
    [nan, 'context is text\ntraits is a number']
    """
    lines: dict[int, list[str]] = {}
    for field in sorted(noted):
        for row, shape in noted[field].items():
            lines.setdefault(row, []).append(f"{field[:_MOST_OF_A_NAME]} {shape}")
    if not lines:
        return None
    texts = {row: "\n".join(said) for row, said in lines.items()}
    return pd.Series([texts.get(row) for row in range(size)], dtype="str")


def says(cell: Any) -> bool:
    """Return whether there is something in a cell.

    Examples
    --------
    >>> says("a=1"), says(" null "), says(None), says(0)
    (True, False, False, True)
    """
    return not _is_missing(cell)


def _of_text(cell: Any) -> Any:
    """Return what a text that begins as an object or list does says."""
    for _ in range(_MOST_QUOTED):
        if not isinstance(cell, str):
            return cell
        text = cell.strip()
        if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
            try:
                cell = read_json(text)
            except ValueError:
                return cell
            continue
        if text[:1] not in _STARTS or _is_missing(text):
            return cell
        found = opened(text)
        if isinstance(found, str):
            raise BrokenTextError("neither JSON nor an object or list as Python prints it")
        return found
    return cell


def _list_of(cell: Any) -> Any:
    if isinstance(cell, np.ndarray):
        return cell.tolist()
    return list(cell) if isinstance(cell, tuple) else cell


def _inside(wrapper: Mapping[str, Any]) -> list[Any]:
    inner = list(map(_list_of, wrapper.values()))
    return inner[0] if set(wrapper) <= _LISTS and isinstance(inner[0], list) else inner


def _pair(wrapped: Any) -> tuple[str, Any] | None:
    """Return the key and the value that an entry of a list is, None if it is none."""
    entry = entry_of(wrapped)
    if isinstance(entry, tuple | list):
        return (entry[0], entry[1]) if len(entry) == 2 and isinstance(entry[0], str) else None
    if isinstance(entry, Mapping):
        keys = [entry[name] for name in _KEYS if isinstance(entry.get(name), str)]
        values = [entry[name] for name in _VALUES if name in entry]
        if keys and values:
            return keys[0], values[0]
        if keys and set(entry) == {"key"}:
            return keys[0], None
    return None


def _joined(pairs: list[tuple[str, Any] | None]) -> dict[str, Any]:
    return dict(pair for pair in pairs if pair is not None)


def _is_missing(cell: Any) -> bool:
    if isinstance(cell, str):
        return bool(is_no_value(pa.array([cell.strip()], type=pa.large_string()))[0])
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))
