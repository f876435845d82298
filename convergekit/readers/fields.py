"""Fields of an export: how a declaration says where a value is in the vendor's rows.

A field is a path (``"context.traits.email"``) or a function that takes the `Rows` and returns
one value per row. Objects are looked into wherever they come from: JSON, a Parquet struct, JSON
text in a cell, or columns flattened with dots.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote_plus

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import column_from_values
from convergekit.base.text import to_arrow
from convergekit.events.campaigns import CLICK_IDS
from convergekit.events.shapes import (
    ENTRIES_NOT_OBJECTS,
    all_lists,
    all_objects,
    as_list,
    as_object,
    may_wrap,
    opened,
    read_cells,
)
from convergekit.readers.columns.json_blocks import (
    JsonBlock,
    block_of_texts,
    starts_with_any,
    values_of_texts,
)
from convergekit.readers.columns.keys import ColumnField, Keys, ObjectField, filled_alike
from convergekit.typing import IntArray

T = TypeVar("T")
Values: TypeAlias = Sequence[Any] | pd.Series


class Rows:
    """The rows of an export as it came, asked for by path.

    Parameters
    ----------
    given : pandas.DataFrame or JsonBlock
        One column per top-level field, or lines of JSON that Arrow has read. Where all names are
        in capitals, as Snowflake writes them, paths are looked up whatever their case.
    as_spelled : bool, default False
        Whether names in capitals stay so.

    Attributes
    ----------
    frame : pandas.DataFrame
        One column per top-level field, with names in capitals in small letters.
    plain : set of str
        Names of canonical columns of which the objects are as JSON has them.
    reasons : dict of int to str
        Per position of a row in which JSON text says two things at once, what it says.
    shapes : dict of str to dict of int to str
        Per path at which objects or lists are looked for, and position of a row that has another
        shape there, which.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"user": [{"mail": "ada@example.com"}, None], "n": [1, 2]}))
    >>> rows["user.mail"], rows["n"], rows["nothing"]
    (['ada@example.com', None], [1, 2], [None, None])
    >>> rows.objects("user")
    [{'mail': 'ada@example.com'}, {}]
    """

    def __init__(self, given: pd.DataFrame | JsonBlock, *, as_spelled: bool = False) -> None:
        self._given = given
        names = given.names if isinstance(given, JsonBlock) else list(map(str, given.columns))
        self._in_capitals = not as_spelled and in_capitals(names)
        # A name with a dot in it may be what a path means, which only the frame can say.
        by_paths = not self._in_capitals and not any("." in name for name in names)
        self._block = given if isinstance(given, JsonBlock) and by_paths else None
        self._may_hold_texts = isinstance(given, pd.DataFrame) and by_paths
        self._texts: dict[str, pa.Array | None] = {}
        self.plain: set[str] = set()
        self.reasons: dict[int, str] = {}
        self.shapes: dict[str, dict[int, str]] = {}
        self._known: dict[str, list[Any]] = {}
        self._opened_objects: dict[str, list[dict[str, Any] | None]] = {}
        self._made: dict[Any, Any] = {}
        self._blocks: dict[tuple[str, ...], JsonBlock | None] = {}

    def __len__(self) -> int:
        return len(self._given)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame; every object is decoded for it."""
        return self._frame

    @cached_property
    def _frame(self) -> pd.DataFrame:
        given = self._given.frame() if isinstance(self._given, JsonBlock) else self._given
        return given.rename(columns=_small) if self._in_capitals else given

    @property
    def index(self) -> pd.Index:
        """The index of the frame."""
        at_hand = isinstance(self._given, pd.DataFrame)
        return self.frame.index if at_hand else pd.RangeIndex(len(self))

    @property
    def names(self) -> list[str]:
        """The names of the top-level fields."""
        at_hand = isinstance(self._given, JsonBlock)
        return self._given.names if at_hand else list(map(str, self.frame.columns))

    def __getitem__(self, path: str) -> list[Any]:
        """Return the value at the path of every row, None where there is none."""
        if path not in self._known:
            self._known[path] = self._looked_up(path)
        return self._known[path]

    def once(self, read: Callable[[Rows], T]) -> T:
        """Return what the function makes of the rows, made once however often it is asked for."""
        if read not in self._made:
            self._made[read] = read(self)
        return self._made[read]

    def has(self, path: str) -> bool:
        """Return whether the field is there: as a column, or a key of an object in any row.

        A value is not needed: a browser without consent leaves many a field empty.
        """
        if path in self.names if self._block is not None else self._spelled(path) in self.frame:
            return True
        outer, _, key = path.rpartition(".")
        return bool(outer) and any(cell and key in cell for cell in self._objects(outer))

    def objects(self, path: str) -> list[dict[str, Any]]:
        """Return the object at the path of every row, empty where there is none."""
        found: list[Any] = [cell or {} for cell in self._objects(path)]
        prefix = self._spelled(path) + "."
        names = self.frame.columns if self._block is None else ()
        flat = [column for column in map(str, names) if column.startswith(prefix)]
        if flat:
            found = list(map(dict, found))
        for column in flat:
            for cell, value in zip(found, self[column], strict=True):
                if value is not None:
                    cell.setdefault(column.removeprefix(prefix), value)
        return found

    def column(self, path: str) -> pd.Series | None:
        """Return the values at the path as a column, None if they have to be looked at one by one.

        Examples
        --------
        >>> Rows(pd.DataFrame({"n": [1, 2]})).column("n").tolist()
        [1, 2]
        """
        block, keys = self.block_at(path)
        if block is not None:
            found = block.array(keys)
            if found is not None and "." in path and starts_with_any(found, _JSON_STARTS):
                return None
            return block.series(keys)
        if self._block is not None:
            return None
        name = self._spelled(path)
        if name in self.frame and self.frame[name].dtype != object:
            return self.frame[name].reset_index(drop=True)
        return None

    def taken(self, rows: IntArray) -> pd.DataFrame:
        """Return the rows at some positions as a frame.

        Examples
        --------
        >>> Rows(pd.DataFrame({"n": [1, 2, 3]})).taken(np.array([2, 0]))["n"].tolist()
        [3, 1]
        """
        if self._block is not None:
            return self._block.taken(rows)
        return self.frame.iloc[rows].reset_index(drop=True)

    def array(self, path: str) -> pa.Array | None:
        """Return the values at the path as Arrow has them, None if it does not."""
        block, keys = self.block_at(path)
        return self._texts_at(path) if block is None else block.array(keys)

    def lacks(self, name: str) -> bool:
        """Return whether no row has a value in a top-level field.

        Examples
        --------
        >>> rows = Rows(pd.DataFrame({"n": [1, None], "m": [None, None]}))
        >>> rows.lacks("n"), rows.lacks("m"), rows.lacks("o")
        (False, True, True)
        """
        if self._block is not None:
            found = self._block.array((name,))
            return found is None or found.null_count == len(found)
        return name not in self.names or not self.frame[self._spelled(name)].notna().any()

    def json_cells(self, path: str) -> list[Any] | None:
        """Return the values at the path if they are as JSON has them for certain, else None.

        Examples
        --------
        >>> Rows(pd.DataFrame({"n": ['[{"a": 1}]', None]})).json_cells("n")
        [[{'a': 1}], None]
        """
        found = self.array(path)
        if found is None or not starts_with_any(found, _JSON_STARTS):
            return self[path] if found is not None and pa.types.is_nested(found.type) else None
        return values_of_texts(found)

    def keys(self, path: str) -> Keys | None:
        """Return the objects at the path as columns, None if they are not at hand as such.

        Examples
        --------
        >>> Rows(pd.DataFrame({"user": [{"mail": "ada@example.com"}]})).keys("user") is None
        True
        """
        block, keys = self.block_at(f"{path}.")
        columns = None if block is None else block.columns(keys[:-1])
        if block is None or columns is None:
            return None
        at, of = keys[:-1], block
        return Keys(
            columns,
            lambda name: of.first((*at, name)),
            lambda name, rows: of.are_null((*at, name), rows),
        )

    def key(self, path: str) -> Keys | None:
        """Return objects with the path as their only key, where there is a value."""
        column = self.column(path)
        if column is None:
            return None
        there = column.notna().to_numpy()
        if not there.any():
            return Keys.none()
        return Keys(
            {path: column},
            lambda name: int(there.argmax()),
            lambda name, rows: np.zeros(len(rows), dtype=bool),
        )

    def block_at(self, path: str) -> tuple[JsonBlock | None, tuple[str, ...]]:
        """Return the block in which a path ends, and the path in it.

        That is another one where an object on the way is JSON text. None if what is on the way has
        any other shape, or the rows are not a block.
        """
        keys = tuple(path.split("."))
        block, start = self._block, 0
        texts = self._texts_at(keys[0]) if len(keys) > 1 else None
        if texts is not None:
            if keys[:1] not in self._blocks:
                self._blocks[keys[:1]] = block_of_texts(texts)
            block, start = self._blocks[keys[:1]], 1
            if block is None or may_wrap(block.objects.type):
                return None, ()
        for end in range(start + 1, len(keys)):
            found = None if block is None else block.array(keys[start:end])
            if block is None or found is None or found.null_count == len(found):
                break
            if pa.types.is_large_string(found.type):
                if keys[:end] not in self._blocks:
                    self._blocks[keys[:end]] = block_of_texts(found)
                block, start = self._blocks[keys[:end]], end
                found = None if block is None else block.array(())
            if found is None or not pa.types.is_struct(found.type) or may_wrap(found.type):
                return None, ()
        return block, keys[start:]

    def _texts_at(self, name: str) -> pa.Array | None:
        """Return a column of the frame that has JSON text in it, None of any other."""
        if not self._may_hold_texts or name not in self._frame:
            return None
        if name not in self._texts:
            column = self._frame[name]
            texts = to_arrow(column) if column.dtype == "str" else None
            are_json = texts is not None and starts_with_any(texts, _JSON_STARTS)
            self._texts[name] = texts if are_json else None
        return self._texts[name]

    def lists(self, path: str) -> list[list[Any] | None]:
        """Return the list at the path of every row without wrappers, None where there is none.

        Examples
        --------
        >>> Rows(pd.DataFrame({"items": [{"list": [{"element": 7}]}, "[8]", 9]})).lists("items")
        [[7], [8], None]
        """
        cells = self[path]
        return cells if all_lists(cells) else self._read(path, as_list)

    def object_lists(self, path: str) -> list[list[dict[str, Any]] | None]:
        """Return the list of objects at the path of every row, None where there is none.

        Examples
        --------
        >>> rows = Rows(pd.DataFrame({"items": [[{"sku": "a"}, 7], {"sku": "b"}]}))
        >>> rows.object_lists("items"), rows.shapes
        ([[{'sku': 'a'}], [{'sku': 'b'}]], {'items': {0: 'has entries that are not objects'}})
        """
        lists = self.lists(path)
        for row, entries in enumerate(lists):
            if entries and not {dict}.issuperset(map(type, entries)):
                lists[row] = [entry for entry in entries if isinstance(entry, dict)]
                if len(lists[row] or ()) < len(entries):
                    self.shapes.setdefault(path, {}).setdefault(row, ENTRIES_NOT_OBJECTS)
        return lists

    def _objects(self, path: str) -> list[dict[str, Any] | None]:
        if path not in self._opened_objects:
            cells = self[path]
            found = cells if all_objects(cells) else self._read(path, as_object)
            self._opened_objects[path] = found
        return self._opened_objects[path]

    def _read(self, path: str, read: Callable[[Any], T | None]) -> list[T | None]:
        return read_cells(
            self[path],
            read,
            self.shapes.setdefault(path, {}).setdefault,
            lambda row, reason: self.reasons.setdefault(row, f"{path}: {reason}"),
        )

    def _spelled(self, path: str) -> str:
        """Return a path as the frame spells its columns."""
        return path.lower() if self._in_capitals and path not in self.frame else path

    def _looked_up(self, path: str) -> list[Any]:
        block, keys = self.block_at(path)
        if block is not None:
            found = block.array(keys)
            cells: list[Any] = block.cells(keys)
            if found is None or not starts_with_any(found, _JSON_STARTS):
                return cells
            cells = values_of_texts(found) or cells
        elif (texts := self._texts_at(path)) is not None:
            cells = values_of_texts(texts) or texts.to_pylist()
        elif self._spelled(path) in self.frame:
            column = self.frame[self._spelled(path)]
            cells = column.astype(object).where(column.notna(), None).tolist()
        else:
            outer, _, key = path.rpartition(".")
            if not outer:
                return [None] * len(self)
            cells = [None if cell is None else cell.get(key) for cell in self._objects(outer)]
        for row, cell in enumerate(cells):
            # An object or list may stand as JSON text in a cell.
            if type(cell) is str and cell[:1] in _JSON_STARTS:
                cells[row] = self._opened(cell, path, row)
        return cells

    def _opened(self, cell: str, path: str, row: int) -> Any:
        try:
            return opened(cell)
        except ValueError as error:
            self.reasons.setdefault(row, f"{path}: {error}")
            return cell


def _small(name: Any) -> str:
    return str(name).lower()


def in_capitals(names: Sequence[str]) -> bool:
    """Return whether all names are in capitals, and stay different in small letters.

    Examples
    --------
    >>> in_capitals(["ID", "EVENT_TEXT"]), in_capitals(["id"]), in_capitals(["ID", "id"])
    (True, False, False)
    """
    return (
        any(name != name.lower() for name in names)
        and all(name == name.upper() for name in names)
        and len({name.lower() for name in names}) == len(names)
    )


class Records:
    """Which fields a few objects have, without a frame of them.

    Parameters
    ----------
    records : sequence of mapping

    Attributes
    ----------
    frame : set of str
        The keys of any of them.
    needs_a_look : bool
        Whether `Rows` may find more: no key has a small letter, or text stands where an object
        was asked for.

    Examples
    --------
    >>> rows = Records([{"user": {"mail": None}}, {"n": 1}])
    >>> rows.has("user.mail"), rows.has("n"), rows.has("user.id")
    (True, True, False)
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.frame: set[str] = set().union(*records)
        self.needs_a_look: bool = not any(name != name.upper() for name in self.frame)
        self._objects: dict[str, list[Mapping[str, Any]]] = {"": list(records)}

    def has(self, path: str) -> bool:
        """Return whether the field is there, as `Rows.has` does."""
        if path in self.frame:
            return True
        outer, _, key = path.rpartition(".")
        return bool(outer) and any(key in cell for cell in self._at(outer))

    def _at(self, path: str) -> list[Mapping[str, Any]]:
        if path not in self._objects:
            outer, _, key = path.rpartition(".")
            found = [cell.get(key) for cell in self._at(outer)]
            self._objects[path] = [cell for cell in found if type(cell) is dict]
            self.needs_a_look |= not {dict, type(None)}.issuperset(map(type, found))
            # A name with a dot in it is looked into as a path is.
            self.needs_a_look |= bool(outer) and path in self.frame
        return self._objects[path]


Field: TypeAlias = str | Callable[[Rows], Values]


def read_field(field: Field, rows: Rows) -> Values:
    """Return one value per row."""
    return rows[field] if isinstance(field, str) else field(rows)


def read_column(field: Field, rows: Rows) -> pd.Series | None:
    """Return the values of a field as a column, None if it is not at hand as such.

    Examples
    --------
    >>> read_column("n", Rows(pd.DataFrame({"n": [1, 2]}))).tolist()
    [1, 2]
    """
    if isinstance(field, str):
        return rows.column(field)
    return field.column(rows) if isinstance(field, ColumnField) else None


def first_of(*fields: Field) -> Field:
    """Return a field that takes, in each row, the first of these that has a value.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"a": [None, "x"], "b": ["y", "z"]}))
    >>> read_field(first_of("a", "b"), rows)
    ['y', 'x']
    """

    def read(rows: Rows) -> Values:
        found: list[Any] = [None] * len(rows)
        for field in reversed(fields):
            values = list(read_field(field, rows))
            found = [old if _is_missing(new) else new
                     for old, new in zip(found, values, strict=True)]  # fmt: skip
        return found

    def column(rows: Rows) -> pd.Series | None:
        found: pd.Series | None = None
        for field in fields:
            values = read_column(field, rows)
            if values is None:
                return None
            found = values if found is None else filled_alike(found, values)
            if found is None:
                return None
        return found

    return ColumnField(read, column)


def cells(path: str, read: Callable[[Rows], list[Any]]) -> ColumnField:
    """Return a field of lists and objects that hold what stands at the path, and nothing else.

    Examples
    --------
    >>> field = cells("n", lambda rows: [{"name": name} for name in rows["n"]])
    >>> read_field(field, Rows(pd.DataFrame({"n": ["a"]})))
    [{'name': 'a'}]
    """

    def column(rows: Rows) -> pd.Series | None:
        found = rows.array(path)
        is_json = found is not None and pa.types.is_nested(found.type)
        return column_from_values(read(rows)) if is_json else None

    return ColumnField(read, column)


@dataclass(frozen=True)
class Constant:
    """A value that is the same in every row, which `constant` makes.

    Attributes
    ----------
    value : object
    """

    value: Any

    def __call__(self, rows: Sized) -> list[Any]:
        """Return the value once per row."""
        return [self.value] * len(rows)

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"ck.constant({self.value!r})"


def constant(value: Any) -> Constant:
    """Return a field that is the same in every row, for `columns` of `read_events` and `Export`.

    Parameters
    ----------
    value : object
        Such as the name of the only event that an export has.

    Returns
    -------
    Constant

    See Also
    --------
    convergekit.read_events : Takes it in `columns`, where a text would be the name of a column.

    Examples
    --------
    >>> import convergekit as ck
    >>> orders = pd.DataFrame({"no": [7], "at": ["2026-03-02T10:00:00Z"], "mail": ["ada@x.org"]})
    >>> columns = {"event_name": ck.constant("Placed Order"), "timestamp": "at",
    ...            "alias.email": "mail"}
    >>> ck.read_events(orders, columns=columns)["event_name"].tolist()
    ['Placed Order']
    """
    return Constant(value)


def number(path: str) -> Field:
    """Return a field of numbers that the vendor writes as text; what is not a number stays.

    Examples
    --------
    >>> read_field(number("price"), Rows(pd.DataFrame({"price": ["12.50", None, "free"]})))
    [12.5, None, 'free']
    """
    return ColumnField(
        lambda rows: [number_of(value) for value in rows[path]],
        lambda rows: _numbers(rows.column(path)),
    )


def number_of(value: Any) -> Any:
    """Return the number that a text is; anything else as it is.

    Examples
    --------
    >>> number_of("12.50"), number_of("free"), number_of(None)
    (12.5, 'free', None)
    """
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def prefixed(prefix: str, path: str) -> Field:
    """Return a field of the values as text, with a prefix that tells them from other IDs.

    Examples
    --------
    >>> read_field(prefixed("refund-", "id"), Rows(pd.DataFrame({"id": ["7", None]})))
    ['refund-7', None]
    """
    return lambda rows: [None if value is None else f"{prefix}{value}" for value in rows[path]]


def renamed(path: str, names: Mapping[str, str]) -> ObjectField:
    """Return a field of the objects at the path, with some of their keys renamed.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"traits": [{"email": "ada@example.com", "plan": "pro"}]}))
    >>> read_field(renamed("traits", {"email": "$email"}), rows)
    [{'$email': 'ada@example.com', 'plan': 'pro'}]
    """
    return names_of(objects(path), names)


def names_of(given: ObjectField, names: Mapping[str, str]) -> ObjectField:
    """Return a field of objects with some of their keys renamed.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"traits": [{"email": "ada@example.com"}]}))
    >>> read_field(names_of(objects("traits"), {"email": "$email"}), rows)
    [{'$email': 'ada@example.com'}]
    """

    def keys(rows: Rows) -> Keys | None:
        found = given.keys(rows)
        return None if found is None else found.renamed(names)

    return ObjectField(
        lambda rows: [
            {names.get(key, key): value for key, value in cell.items()} for cell in given(rows)
        ],
        keys,
    )


def campaign(path: str, names: Mapping[str, str] | None = None) -> ObjectField:
    """Return a field of the UTM parameters and click IDs at the path, and of what `names` maps.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"p": [{"utm_source": "news", "gclid": "x", "src": "ad"}]}))
    >>> read_field(campaign("p", {"src": "utm_id"}), rows)
    [{'utm_source': 'news', 'gclid': 'x', 'utm_id': 'ad'}]
    """
    return picked(path, {**{name: name for name in (*UTM, *CLICK_IDS)}, **(names or {})})


def picked(path: str, names: Mapping[str, str]) -> ObjectField:
    """Return a field of the objects at the path with these of their keys alone, renamed.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"p": [{"source": "news", "price": 3}]}))
    >>> read_field(picked("p", {"source": "utm_source"}), rows)
    [{'utm_source': 'news'}]
    """

    def keys(rows: Rows) -> Keys | None:
        found = rows.keys(path)
        return None if found is None else found.picked(names)

    return ObjectField(
        lambda rows: [
            {own: cell[theirs] for theirs, own in names.items() if theirs in cell}
            for cell in rows.objects(path)
        ],
        keys,
    )


def without(path: str, *names: str) -> ObjectField:
    """Return a field of the objects at the path without some of their keys.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"p": [{"time": 1, "price": 3}]}))
    >>> read_field(without("p", "time"), rows)
    [{'price': 3}]
    """

    def keys(rows: Rows) -> Keys | None:
        found = rows.keys(path)
        return None if found is None else found.without(*names)

    return ObjectField(
        lambda rows: [
            {key: value for key, value in cell.items() if key not in names}
            for cell in rows.objects(path)
        ],
        keys,
    )


def laid_over(under: ObjectField, over: ObjectField) -> ObjectField:
    """Return a field of objects laid over others, whose keys are seen where these lack them.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"a": [{"x": 1, "y": 2}], "b": [{"y": 3}]}))
    >>> read_field(laid_over(objects("a"), objects("b")), rows)
    [{'x': 1, 'y': 3}]
    """

    def keys(rows: Rows) -> Keys | None:
        low, high = under.keys(rows), over.keys(rows)
        return None if low is None or high is None else high.over(low)

    return ObjectField(
        lambda rows: [{**low, **high} for low, high in zip(under(rows), over(rows), strict=True)],
        keys,
    )


def objects(path: str) -> ObjectField:
    """Return a field of the objects at the path.

    Examples
    --------
    >>> read_field(objects("p"), Rows(pd.DataFrame({"p": [{"price": 3}, None]})))
    [{'price': 3}, {}]
    """
    return ObjectField(lambda rows: rows.objects(path), lambda rows: rows.keys(path))


def click_ids(*paths: str) -> dict[str, Field]:
    """Return a field per click ID, found in addresses or in what follows their question mark.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"url": ["https://x.org/?gclid=a%20b", None]}))
    >>> read_field(click_ids("url")["gclid"], rows)
    ['a b', None]
    """

    def read(rows: Rows) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        known: dict[str, dict[str, str]] = {}
        for path in paths:
            for row, text in enumerate(rows[path]):
                if type(text) is str and "=" in text and row not in found:
                    if text not in known:
                        pairs = reversed(_CLICKED.findall(text))
                        known[text] = {name.lower(): unquote_plus(value) for name, value in pairs}
                    if known[text]:
                        found[row] = known[text]
        return found

    def field(name: str) -> Field:
        def values(rows: Rows) -> Values:
            column: list[Any] = [None] * len(rows)
            for row, sent in rows.once(read).items():
                column[row] = sent.get(name)
            return column

        return values

    return {name: field(name) for name in CLICK_IDS}


_CLICKED = re.compile(rf"(?i)[?&]({'|'.join(CLICK_IDS)})=([^&#]+)")
_JSON_STARTS = ("{", "[")
#: The campaign parameters that all vendors share.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


def _is_missing(value: Any) -> bool:
    if value is None or type(value) is str:
        return value is None
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _numbers(column: pd.Series | None) -> pd.Series | None:
    """Return text that is all plain numbers as floats, None if it is anything else."""
    if column is None or column.dtype != "str":
        return None
    numbers = all_numbers(to_arrow(column))
    return None if numbers is None else pd.Series(numbers.to_numpy(zero_copy_only=False))


def all_numbers(texts: pa.Array) -> pa.Array | None:
    """Return texts that are all plain numbers as floats, None if there is anything else.

    Examples
    --------
    >>> all_numbers(pa.array(["12.50", None])).to_pylist(), all_numbers(pa.array(["free"]))
    ([12.5, None], None)
    """
    if not (pa.types.is_large_string(texts.type) or pa.types.is_string(texts.type)):
        return None
    plain = pc.match_substring_regex(texts, r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$")
    return texts.cast(pa.float64()) if pc.all(plain).as_py() else None
