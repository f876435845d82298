"""`columns=`: what a user says of an export of their own, made into canonical columns.

Under a canonical name stands where its value is: the name of a column, a path into objects and
lists (``"user.mail"``, ``"items[].sku"``), several of these in order of preference, a `constant`,
or a function from the rows to their values.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.base.records import column_from_values
from convergekit.base.wording import counted
from convergekit.errors import ColumnError, ConvergekitError, what_there_is
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.canonical import check_mapped_name, check_required, open_columns
from convergekit.events.schema import SPELLINGS, missing
from convergekit.readers.fields import Constant, Rows
from convergekit.typing import BoolArray, IntArray

#: What may stand under a canonical name.
Own: TypeAlias = (
    str | Constant | Sequence[str | Constant | Callable[[pd.DataFrame], Any]]
    | Callable[[pd.DataFrame], Any]
)  # fmt: skip
Columns: TypeAlias = Mapping[str, Own]
#: The columns of all files, or of those that a pattern names.
ColumnsOfFiles: TypeAlias = Columns | Mapping[str, Columns]

_TIMES = ("timestamp", "received_at")
#: What several events of one row do not share.
_OF_ONE = ("event_id", "event_name", *_TIMES)
_EXAMPLE = "{'event_name': 'action'}"
_PLACE = re.compile(r"\[(\d*)\]")
_OPENED = tuple(
    f"{name}." for kind in ("properties", "profile_properties") for name in SPELLINGS[kind]
)


def check_columns(columns: Any) -> None:
    """Raise unless it is what `columns` takes.

    Raises
    ------
    ConvergekitError
    """
    if columns is None:
        return
    if not isinstance(columns, Mapping):
        raise ConvergekitError(
            f"columns must map canonical names to the files' own, such as {_EXAMPLE}; "
            f"got {columns!r}."
        )
    of_files = [isinstance(own, Mapping) for own in columns.values()]
    if any(of_files) and not all(of_files):
        raise ConvergekitError(
            "columns maps some names to columns and others to mappings. Give one mapping, such as "
            f"{_EXAMPLE}, or one for each pattern of files: {{'orders*.csv': {_EXAMPLE}}}."
        )
    for mapping in columns.values() if any(of_files) else [columns]:
        for name, own in mapping.items():
            if not isinstance(name, str) or not name.strip() or not _is_own(own):
                raise ConvergekitError(
                    f"columns={{{name!r}: {own!r}}}: give a canonical name and the name of a "
                    "column, a path such as 'user.mail', a list of these, ck.constant(...), or a "
                    "function from the rows to one value a row."
                )


def _is_own(own: Any) -> bool:
    if isinstance(own, (list, tuple)):
        return bool(own) and all(_is_own(one) and not isinstance(one, (list, tuple)) for one in own)
    return bool(own.strip()) if isinstance(own, str) else callable(own)


def of_patterns(columns: ColumnsOfFiles) -> bool:
    """Return whether there is a mapping for each pattern of files."""
    return any(isinstance(own, Mapping) for own in columns.values())


def columns_of(columns: ColumnsOfFiles, path: Path) -> tuple[str | None, Columns]:
    """Return the pattern that names a file, and the columns of it: none where none does.

    Parameters
    ----------
    columns : mapping
    path : pathlib.Path

    Examples
    --------
    >>> columns_of({"orders*.csv": {"timestamp": "Created"}}, Path("2026/orders_1.csv"))
    ('orders*.csv', {'timestamp': 'Created'})
    >>> columns_of({"orders*.csv": {"timestamp": "Created"}}, Path("clicks.jsonl"))
    (None, {})
    """
    if not of_patterns(columns):
        return None, columns  # type: ignore[return-value]
    for pattern, mapping in columns.items():
        whole = path.as_posix()
        if fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(whole, pattern):
            return pattern, mapping  # type: ignore[return-value]
        if fnmatch.fnmatch(whole, f"*/{pattern}"):
            return pattern, mapping  # type: ignore[return-value]
    return None, {}


@dataclass(frozen=True)
class _Laid:
    """Events over which columns are laid, and the row that each came in, if not one of its own."""

    opened: pd.DataFrame
    row: IntArray | None


class OwnColumns:
    """The columns that a user named of one export, batch by batch.

    Parameters
    ----------
    columns : mapping
        As `check_columns` takes it, for one export.

    Attributes
    ----------
    used : set of str
        The canonical names of which the export had the column.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.used: set[str] = set()
        self._columns = columns
        for name, own in columns.items():
            check_mapped_name(name, own)
        self._concerned = not any(map(_paths, columns.values()))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is named."""
        return not self._columns

    @property
    def says_all(self) -> bool:
        """Whether they say what happened and when, so that no format has to."""
        return "event_name" in self._columns and not self._columns.keys().isdisjoint(_TIMES)

    @property
    def paths(self) -> list[str] | None:
        """The paths that are named; None where a function may read any column."""
        functions = (
            callable(one) and not isinstance(one, Constant)
            for own in self._columns.values()
            for one in (own if isinstance(own, (list, tuple)) else [own])
        )
        if any(functions):
            return None
        return [path for own in self._columns.values() for path in _paths(own)]

    def may_concern(self, names: Collection[str]) -> bool:
        """Return whether a path begins with one of the names, or none is asked for."""
        paths = [path for own in self._columns.values() for path in _paths(own)]
        heads = (re.split(r"[.\[]", path)[0] for path in paths)
        return not paths or any(head in names for head in heads)

    def concern(self, raw: pd.DataFrame) -> bool:
        """Return whether the rows have any of the columns; what has none is not meant."""
        rows = Rows(raw, as_spelled=True)
        paths = (path for own in self._columns.values() for path in _paths(own))
        self._concerned |= any(is_there(path, rows) for path in paths)
        return bool(self._columns) and self._concerned

    def opened(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return rows as they came under canonical names, nested objects opened."""
        if not self._columns:
            return open_columns(raw, columns={})
        self.concern(raw)
        rows = Rows(raw, as_spelled=True)
        plain = {n: o for n, o in self._columns.items() if isinstance(o, str) and o in raw}
        made = self._made_of(
            {n: o for n, o in self._columns.items() if n not in plain and not _comes_of_opening(o)},
            rows,
        )
        self._refuse_two(made, raw)
        opened = open_columns(_with(raw, made), columns=plain)
        self.used |= {*plain, *made}
        return self._within(opened, rows, None)

    def laid_over(self, events: pd.DataFrame, raw: pd.DataFrame, row: IntArray) -> pd.DataFrame:
        """Return what a vendor's format read, opened, with the columns laid over it.

        Parameters
        ----------
        events : pandas.DataFrame
        raw : pandas.DataFrame
            The rows as they came.
        row : numpy.ndarray of int
            The row of each event. Of several events of one row, the first is its own: the others
            keep their ID, name and time.
        """
        if not self._columns:
            return open_columns(events, columns={})
        self.concern(raw)
        rows = Rows(raw, as_spelled=True)
        plain = {n: o for n, o in self._columns.items() if isinstance(o, str) and o in events}
        opened = open_columns(events, columns=plain)
        self.used |= set(plain)
        return self._within(opened, rows, row)

    def _within(self, opened: pd.DataFrame, rows: Rows, row: IntArray | None) -> pd.DataFrame:
        """Return the rows with the columns that are named as opening objects names them."""
        rest = {n: o for n, o in self._columns.items() if n not in self.used}
        within = {n: o for n, o in rest.items() if isinstance(o, str) and o in opened}
        opened = open_columns(opened, columns=within) if within else opened
        self.used |= set(within)
        asked = {n: o for n, o in rest.items() if n not in within}
        made = self._made_of(asked, rows, _Laid(opened, row))
        self.used |= set(made)
        if not made:
            return opened
        if row is not None:
            own = run_starts(row)
            for name, taken in made.items():
                if name in _OF_ONE and not own.all() and name in opened:
                    pairs = zip(taken, opened[name], own, strict=True)
                    made[name] = column_from_values(
                        [None if _is_gap(v) else v for one, other, o in pairs
                         for v in [one if o else other]]
                    )  # fmt: skip
        return open_columns(_with(opened, made), columns={})

    def _made_of(
        self, columns: Columns, rows: Rows, laid: _Laid | None = None
    ) -> dict[str, pd.Series]:
        made = {name: self._made(name, own, rows, laid) for name, own in columns.items()}
        return {name: values for name, values in made.items() if values is not None}

    def refuse_unused(
        self, found: Sequence[str], nothing: str, used: Collection[str] | None = None
    ) -> None:
        """Raise unless all columns were there.

        Parameters
        ----------
        found : sequence of str
            What columns there are.
        nothing : str
            What has not got the column, such as ``"no file has"``.
        used : collection of str, optional
            Canonical names that were found; by default those of these rows.
        """
        for name, own in self._columns.items():
            if name not in (self.used if used is None else used):
                asked = " or ".join(map(repr, _paths(own))) or repr(own)
                raise ColumnError(
                    f"columns={{{name!r}: {own!r}}}: {nothing} a column {asked}. "
                    f"{what_there_is(found, (_paths(own) or [''])[0])}"
                )

    def _refuse_two(self, made: Mapping[str, pd.Series], raw: pd.DataFrame) -> None:
        for name in made:
            if name in raw and isinstance(self._columns[name], str):
                raise ColumnError(
                    f"columns={{{name!r}: {self._columns[name]!r}}}: there is also a column "
                    f"{name!r}. Give both in order of preference, "
                    f"columns={{{name!r}: [{self._columns[name]!r}, {name!r}]}}, or drop one."
                )

    def _made(self, name: str, own: Own, rows: Rows, laid: _Laid | None) -> pd.Series | None:
        """Return the values of a column, None where the rows do not have it."""
        if isinstance(own, (list, tuple)):
            found = [self._made(name, one, rows, laid) for one in own]
            columns = [column for column in found if column is not None]
            return _first(columns) if columns else None
        column = self._of_rows(name, own, rows)
        if laid is None:
            return column
        if column is None:
            # One of a list may be what a vendor's format reads.
            there = isinstance(own, str) and own in laid.opened
            return laid.opened[own].reset_index(drop=True) if there else None
        return column if laid.row is None else column.take(laid.row).reset_index(drop=True)

    def _of_rows(self, name: str, own: Own, rows: Rows) -> pd.Series | None:
        if isinstance(own, str):
            return column_at(own, rows) if is_there(own, rows) else None
        if isinstance(own, Constant):
            return column_from_values(own(rows)) if self._concerned else None
        if not callable(own) or not self._concerned:
            return None
        return _of_function(name, own, rows.frame)


def mapped(
    frame: pd.DataFrame,
    columns: Columns | OwnColumns,
    events: pd.DataFrame | None = None,
    row: IntArray | None = None,
    advice: Callable[[], str] | None = None,
) -> pd.DataFrame:
    """Return a frame under canonical names, as `canonicalise` does, by any kind of columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed.
    columns : mapping, or OwnColumns
    events : pandas.DataFrame, optional
        What a vendor's format reads of it.
    row : numpy.ndarray of int, optional
        The row of each of these events.
    advice : callable, optional
        Says what to do where a required column is missing.

    Raises
    ------
    ColumnError
        A required column is missing, or one that is named is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"what": ["A"], "at": ["2026-03-02"], "user": [{"id": "u1"}]})
    >>> columns = {"event_name": "what", "timestamp": "at", "alias.user_id": "user.id"}
    >>> mapped(frame, columns)["alias.user_id"].tolist()
    ['u1']
    """
    own = columns if isinstance(columns, OwnColumns) else OwnColumns(columns)
    if events is None:
        opened, there = own.opened(frame), list(frame.columns)
    else:
        row = np.arange(len(frame)) if row is None else row
        opened, there = own.laid_over(events, frame, row), [*frame.columns, *events.columns]
    if len(frame):
        own.refuse_unused(there, "the frame does not have")
    check_required(opened, advice)
    return opened


def with_own_columns(events: Frame, columns: Any) -> tuple[Frame, Any]:
    """Return events on which columns are tried that say more than names, and those left to do.

    Examples
    --------
    >>> frame = pd.DataFrame({"event_name": ["A"], "at": ["2026-03-02"], "user": [{"id": "u1"}]})
    >>> _, left = with_own_columns(frame, {"timestamp": "at", "alias.user_id": "user"})
    >>> found, none = with_own_columns(frame, {"timestamp": "at", "alias.user_id": "user.id"})
    >>> left, found["alias.user_id"].tolist(), none
    ({'timestamp': 'at', 'alias.user_id': 'user'}, ['u1'], None)
    """
    if not isinstance(columns, Mapping):
        # It is refused where all options are.
        return events, columns
    if all(isinstance(own, str) and not re.search(r"[.\[]", own) for own in columns.values()):
        return events, columns
    frame = as_frame(events)
    if all(isinstance(own, str) and own in frame for own in columns.values()):
        return frame, columns
    check_columns(columns)
    if of_patterns(columns):
        raise ConvergekitError("columns for each pattern of files needs files; give one mapping.")
    return mapped(frame, columns), None


def _paths(own: Own) -> list[str]:
    """Return the paths that are named."""
    if isinstance(own, str):
        return [own]
    return [one for one in own if isinstance(one, str)] if isinstance(own, (list, tuple)) else []


def _comes_of_opening(own: Own) -> bool:
    return isinstance(own, str) and own.startswith(_OPENED)


def _with(frame: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    if not columns:
        return frame
    return frame.assign(**{name: column.array for name, column in columns.items()})


def is_there(path: str, rows: Rows) -> bool:
    """Return whether any row has the field at a path.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"items": [[{"sku": "a"}]], "p": [{"utm.source": "x"}]}))
    >>> [is_there(path, rows) for path in ("items[].sku", "p.utm.source", "items[].id", "p.x")]
    [True, True, False, False]
    """
    if rows.has(path):
        return True
    if path in rows.frame or not re.search(r"[.\[]", path):
        return False
    return any(value is not None for value in _dug(path, rows))


def column_at(path: str, rows: Rows) -> pd.Series:
    """Return the values at a path; a list where it goes through ``[]``.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"items": [[{"sku": "a"}, {"sku": "b"}], None]}))
    >>> column_at("items[].sku", rows).tolist(), column_at("items[0].sku", rows).tolist()
    ([['a', 'b'], None], ['a', nan])
    """
    if path in rows.frame:
        return rows.frame[path].reset_index(drop=True)
    found = rows[path] if rows.has(path) else _dug(path, rows)
    return column_from_values(found)


def _dug(path: str, rows: Rows) -> list[Any]:
    """Return what stands at a path of lists, or of keys that have dots themselves."""
    heads = [str(name) for name in rows.frame.columns if path.startswith((f"{name}.", f"{name}["))]
    if not heads:
        return [None] * len(rows)
    head = max(heads, key=len)
    rest = path[len(head) :].removeprefix(".")
    return [_inside(cell, rest) for cell in rows[head]]


def _inside(cell: Any, path: str) -> Any:
    if not path or cell is None:
        return cell
    listed = _PLACE.match(path)
    if listed:
        rest = path[listed.end() :].removeprefix(".")
        if not isinstance(cell, list):
            return None
        if listed[1]:
            place = int(listed[1])
            return _inside(cell[place], rest) if place < len(cell) else None
        return list(_spread(cell, rest)) or None
    if not isinstance(cell, Mapping):
        return None
    if path in cell:
        return cell[path]
    for end in _ends(path):
        if path[:end] in cell:
            found = _inside(cell[path[:end]], path[end:].removeprefix("."))
            if found is not None:
                return found
    return None


def _spread(cells: Sequence[Any], path: str) -> Iterator[Any]:
    for cell in cells:
        found = _inside(cell, path)
        # A list within a list is spread too: "orders[].items[].sku".
        if isinstance(found, list) and "[]" in path:
            yield from found
        elif found is not None:
            yield found


def _ends(path: str) -> list[int]:
    """Return where a key may end: before each dot and bracket, the longest first."""
    return [found.start() for found in re.finditer(r"[.\[]", path)][::-1]


def _first(columns: Sequence[pd.Series]) -> pd.Series:
    """Return of each row the first value that is there, and not an empty text."""
    found = columns[0]
    for other in columns[1:]:
        gaps = _empty(found)
        if not gaps.any():
            break
        if found.dtype == other.dtype:
            found = found.where(~gaps, other)
        else:
            pairs = zip(found, other, gaps, strict=True)
            values = [second if gap else first for first, second, gap in pairs]
            found = column_from_values([None if _is_gap(value) else value for value in values])
    return found


def _empty(column: pd.Series) -> BoolArray:
    return missing(column).to_numpy(dtype=bool)


def _is_gap(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _of_function(name: str, own: Callable[[pd.DataFrame], Any], raw: pd.DataFrame) -> pd.Series:
    said = f"columns={{{name!r}: {getattr(own, '__name__', 'function')}}}"
    try:
        # Under pandas' copy on write the function cannot change the rows.
        values = own(raw.copy(deep=False))
    except ConvergekitError:
        raise
    except Exception as error:
        raise ConvergekitError(
            f"{said}: the function raised {type(error).__name__}: {error}. It takes the rows as "
            f"they are in the file, whose columns are {', '.join(map(str, raw.columns))}."
        ) from error
    if isinstance(values, pd.Series):
        column = values.reset_index(drop=True)
    elif isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise ConvergekitError(
            f"{said}: the function must return one value a row; got {type(values).__name__}. "
            "Where all rows have the same value, give ck.constant(...)."
        )
    else:
        column = column_from_values(getattr(values, "tolist", lambda: values)())
    if len(column) != len(raw):
        raise ConvergekitError(
            f"{said}: the function returned {counted(len(column), 'value')} for "
            f"{counted(len(raw), 'row')}; it must return one a row, None where there is none."
        )
    return column
