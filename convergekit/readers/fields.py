"""Fields of an export: how a declaration says where a value is in the vendor's rows.

A field is a path (``"context.traits.email"``) or a function that takes the `Rows` and returns
one value per row. Objects are looked into wherever they come from: JSON, a Parquet struct, JSON
text in a cell, or columns flattened with dots.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import pandas as pd

from convergekit.base.json_text import read_json

T = TypeVar("T")
Values: TypeAlias = Sequence[Any] | pd.Series


class Rows:
    """The rows of an export as it came, asked for by path.

    Parameters
    ----------
    frame : pandas.DataFrame
        One column per top-level field.

    Attributes
    ----------
    reasons : dict of int to str
        Per position of a row in which JSON text says two things at once, what it says.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"user": [{"mail": "ada@example.com"}, None], "n": [1, 2]}))
    >>> rows["user.mail"], rows["n"], rows["nothing"]
    (['ada@example.com', None], [1, 2], [None, None])
    >>> rows.objects("user")
    [{'mail': 'ada@example.com'}, {}]
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.reasons: dict[int, str] = {}
        self._known: dict[str, list[Any]] = {}
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
        if path in self.frame:
            return True
        outer, _, key = path.rpartition(".")
        return bool(outer) and any(isinstance(cell, dict) and key in cell for cell in self[outer])

    def objects(self, path: str) -> list[dict[str, Any]]:
        """Return the object at the path of every row, empty where there is none."""
        found: list[Any] = [cell if isinstance(cell, dict) else {} for cell in self[path]]
        prefix = path + "."
        flat = [column for column in map(str, self.frame.columns) if column.startswith(prefix)]
        if flat:
            found = list(map(dict, found))
        for column in flat:
            for cell, value in zip(found, self[column], strict=True):
                if value is not None:
                    cell.setdefault(column.removeprefix(prefix), value)
        return found

    def _looked_up(self, path: str) -> list[Any]:
        if path in self.frame:
            column = self.frame[path]
            cells: list[Any] = column.astype(object).where(column.notna(), None).tolist()
        else:
            outer, _, key = path.rpartition(".")
            if not outer:
                return [None] * len(self)
            cells = [cell.get(key) if isinstance(cell, dict) else None for cell in self[outer]]
        for row, cell in enumerate(cells):
            # An object or list may stand as JSON text in a cell.
            if type(cell) is str and cell[:1] in _JSON_STARTS:
                cells[row] = self._opened(cell, path, row)
        return cells

    def _opened(self, cell: str, path: str, row: int) -> Any:
        try:
            return read_json(cell)
        except json.JSONDecodeError:
            return cell
        except ValueError as error:
            self.reasons.setdefault(row, f"{path}: {error}")
            return cell


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
    return lambda rows: [_number(value) for value in rows[path]]


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
    """Return a field of the UTM parameters at the path, and of those that `names` maps.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"p": [{"utm_source": "news", "price": 3, "src": "ad"}]}))
    >>> read_field(campaign("p", {"src": "utm_id"}), rows)
    [{'utm_source': 'news', 'utm_id': 'ad'}]
    """
    wanted = {**{name: name for name in UTM}, **(names or {})}
    return lambda rows: [
        {own: cell[theirs] for theirs, own in wanted.items() if theirs in cell}
        for cell in rows.objects(path)
    ]


_JSON_STARTS = ("{", "[")
#: The campaign parameters that all vendors share.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


def _is_missing(value: Any) -> bool:
    if value is None or type(value) is str:
        return value is None
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _number(value: Any) -> Any:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
