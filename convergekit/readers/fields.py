"""Fields of an export: how a declaration says where a value is in the vendor's rows.

A field is a path (``"context.traits.email"``) or a function that takes the `Rows` and returns
one value per row. Objects are looked into wherever they come from: JSON, a Parquet struct, JSON
text in a cell, or columns flattened with dots.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote_plus

import pandas as pd

from convergekit.events.campaigns import CLICK_IDS
from convergekit.events.shapes import (
    ENTRIES_NOT_OBJECTS,
    all_lists,
    all_objects,
    as_list,
    as_object,
    opened,
    read_cells,
)

T = TypeVar("T")
Values: TypeAlias = Sequence[Any] | pd.Series


class Rows:
    """The rows of an export as it came, asked for by path.

    Parameters
    ----------
    frame : pandas.DataFrame
        One column per top-level field. Where all names are in capitals, as Snowflake writes them,
        paths are looked up whatever their case.
    as_spelled : bool, default False
        Whether names in capitals stay so.

    Attributes
    ----------
    frame : pandas.DataFrame
        The same, with names in capitals in small letters.
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

    def __init__(self, frame: pd.DataFrame, *, as_spelled: bool = False) -> None:
        self._in_capitals = not as_spelled and _in_capitals(frame)
        self.frame = frame.rename(columns=_small) if self._in_capitals else frame
        self.reasons: dict[int, str] = {}
        self.shapes: dict[str, dict[int, str]] = {}
        self._known: dict[str, list[Any]] = {}
        self._opened_objects: dict[str, list[dict[str, Any] | None]] = {}
        self._made: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.frame)

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
        if self._spelled(path) in self.frame:
            return True
        outer, _, key = path.rpartition(".")
        return bool(outer) and any(cell and key in cell for cell in self._objects(outer))

    def objects(self, path: str) -> list[dict[str, Any]]:
        """Return the object at the path of every row, empty where there is none."""
        found: list[Any] = [cell or {} for cell in self._objects(path)]
        prefix = self._spelled(path) + "."
        flat = [column for column in map(str, self.frame.columns) if column.startswith(prefix)]
        if flat:
            found = list(map(dict, found))
        for column in flat:
            for cell, value in zip(found, self[column], strict=True):
                if value is not None:
                    cell.setdefault(column.removeprefix(prefix), value)
        return found

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
        if self._spelled(path) in self.frame:
            column = self.frame[self._spelled(path)]
            cells: list[Any] = column.astype(object).where(column.notna(), None).tolist()
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


def _in_capitals(frame: pd.DataFrame) -> bool:
    """Return whether all names are in capitals, and stay different in small letters."""
    names = list(map(str, frame.columns))
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
        self.needs_a_look = not any(name != name.upper() for name in self.frame)
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
        return self._objects[path]


Field: TypeAlias = str | Callable[[Rows], Values]


def read_field(field: Field, rows: Rows) -> Values:
    """Return one value per row."""
    return rows[field] if isinstance(field, str) else field(rows)


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

    return read


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
    return lambda rows: [number_of(value) for value in rows[path]]


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


def renamed(path: str, names: Mapping[str, str]) -> Field:
    """Return a field of the objects at the path, with some of their keys renamed.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"traits": [{"email": "ada@example.com", "plan": "pro"}]}))
    >>> read_field(renamed("traits", {"email": "$email"}), rows)
    [{'$email': 'ada@example.com', 'plan': 'pro'}]
    """
    return lambda rows: [
        {names.get(key, key): value for key, value in cell.items()} for cell in rows.objects(path)
    ]


def campaign(path: str, names: Mapping[str, str] | None = None) -> Field:
    """Return a field of the UTM parameters and click IDs at the path, and of what `names` maps.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"p": [{"utm_source": "news", "gclid": "x", "src": "ad"}]}))
    >>> read_field(campaign("p", {"src": "utm_id"}), rows)
    [{'utm_source': 'news', 'gclid': 'x', 'utm_id': 'ad'}]
    """
    wanted = {**{name: name for name in (*UTM, *CLICK_IDS)}, **(names or {})}
    return lambda rows: [
        {own: cell[theirs] for theirs, own in wanted.items() if theirs in cell}
        if not wanted.keys().isdisjoint(cell)
        else {}
        for cell in rows.objects(path)
    ]


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
