"""Columns under their canonical names, whatever an export calls them.

Nothing is parsed here. The caller's frame is never changed.
"""

from __future__ import annotations

import decimal
import itertools
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.bounds import TOO_WIDE, too_wide, without_deep
from convergekit.base.garbage import garbage_let_be
from convergekit.base.list_bounds import LISTS, within_bounds
from convergekit.base.options import pairs_given
from convergekit.base.records import frame_from_records
from convergekit.base.scalars import python_value
from convergekit.base.text import as_text, known_characters, text_of, written
from convergekit.base.threads import with_columns
from convergekit.errors import ColumnError, did_you_mean
from convergekit.events.arrow import (
    Frame,
    as_frame,
    as_lists_of_text,
    lists_of_text,
    opened_struct,
)
from convergekit.events.schema import (
    ALIAS,
    NESTED,
    PROFILE,
    PROFILE_PROPERTY,
    PROPERTY,
    SPELLINGS,
    holds_objects,
    missing,
)
from convergekit.events.shapes import OtherShapeError, as_object
from convergekit.events.usual_types import with_usual_types
from convergekit.typing import BoolArray

_NESTED_SPELLINGS = frozenset(spelling for name in NESTED for spelling in SPELLINGS[name])


#: Far deeper than real properties, and not as deep as what Python can follow.
_DEEPEST = 100
#: Alias types that are often taken for canonical names.
_USUAL_ALIASES = {"cookie", "email", "phone", "customer_id", "user_id", "cart_token", "device"}
_MAPPED_PREFIXES = (ALIAS, PROPERTY, PROFILE_PROPERTY)


# What an earlier stitch wrote; stitching its events again replaces these.
_WRITTEN_BY_STITCH = ("row", "kind", "profile_id")
TOO_DEEP = f"nested more than {_DEEPEST} levels deep"


def canonicalise(frame: Frame, *, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the frame under canonical column names, nested objects opened one level.

    Parameters
    ----------
    frame : pandas.DataFrame or Arrow-compatible table
        Events in Converge's browser or webhook spelling, nested or flattened, or anything that
        `columns` maps; a table of another library becomes a DataFrame first.
    columns : mapping of str to str, optional
        Canonical name to the frame's own name, such as
        ``{"event_name": "action", "alias.customer_id": "uid"}``.

    Returns
    -------
    pandas.DataFrame
        The same rows and index. Two spellings of one column are united; a row in which they
        disagree gets a `read_error`. Columns of other names are kept as they are.

    Raises
    ------
    ColumnError
        A required column is missing, a name occurs twice, or a mapped column is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "eventName": ["PageView"],
    ...     "timestamp": ["2026-03-02T10:00:00Z"],
    ...     "profileProperties": [{"utm_source": "newsletter"}],
    ... })
    >>> canonicalise(frame).columns.tolist()
    ['event_name', 'timestamp', 'profile_properties.utm_source']
    """
    frame = as_frame(frame)
    mapped = pairs_given("columns", columns, "{'event_name': 'action'}")
    opened = open_columns(frame, columns=mapped)
    check_required(opened)
    return opened


def open_columns(
    frame: pd.DataFrame, *, columns: Mapping[str, str], plain: Set[str] = frozenset()
) -> pd.DataFrame:
    """Do as `canonicalise` does, whatever columns are missing: the frame may be part of one.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : mapping of str to str
    plain : set of str
        Names of columns of which the objects were just made of JSON, and are within all bounds,
        so that nothing in them has to be looked at or copied.
    """
    check_labels(frame)
    own = columns.get("aliases", "aliases")
    lists = as_lists_of_text(frame[own]) if own in frame else None
    if lists is not None:
        frame = with_columns(frame, {own: lists})
    texts = {name for name in LISTS if name in frame and _are_lists_of_text(frame[name])}
    frame, deep = without_deep(frame, within=plain | texts)
    frame = with_usual_types(_apply_mapping(frame, columns))
    apart = [name for name in frame if not _is_nested(name) or _is_of_lists(frame[name].dtype)]
    apart = [name for name in apart if name not in plain or frame[name].dtype != object]
    if lists is not None and "aliases" in apart:
        apart.remove("aliases")
    frame = _with_plain_objects(frame, apart, texts=texts)
    frame = noted(_unite_spellings(_without_signals(frame)), deep)
    for name in NESTED:
        if name in frame:
            frame = _open_nested(frame, name)
    frame = noted(*within_bounds(frame, of_text=texts))
    return _with_plain_objects(frame, [n for n in frame if _is_nested(n) and n not in plain])


def check_required(frame: pd.DataFrame, advice: Callable[[], str] | None = None) -> None:
    """Raise unless a canonical frame has the columns that say what happened, and when.

    Parameters
    ----------
    frame : pandas.DataFrame
    advice : callable, optional
        Says what to do, in place of the column that is likely to be meant.
    """
    has_aliases = "aliases" in frame or any(c.startswith(ALIAS) for c in frame)
    lacking = []
    if "event_name" not in frame and not has_aliases:
        lacking.append(("event_name", "event name"))
    if "timestamp" not in frame and "received_at" not in frame:
        lacking.append(("timestamp", "timestamp"))
    for name, words in lacking:
        near = _likely_column(name, frame.columns)
        if advice is not None:
            hint = f" {advice()}"
        elif near:
            hint = f" Did you mean columns={{{name!r}: {near!r}}}?"
        else:
            hint = f" Name the one to use: columns={{{name!r}: ...}}."
        raise ColumnError(f"no {words} column. Found: {_listed(frame)}.{hint}")


def written_by_stitch(name: str) -> bool:
    """Return whether an earlier stitch wrote a column, which stitching again replaces."""
    return name in _WRITTEN_BY_STITCH or name.startswith(PROFILE)


def _without_signals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nothing in place of each signalling NaN, which raises if looked at."""
    changed = {}
    for name, column in frame.items():
        if column.dtype == object and decimal.Decimal in set(map(type, column.to_numpy())):
            signals = [isinstance(c, decimal.Decimal) and c.is_snan() for c in column]
            if any(signals):
                changed[name] = column.mask(np.array(signals), None)
    return frame.assign(**changed) if changed else frame


def _is_of_lists(dtype: Any) -> bool:
    return (
        isinstance(dtype, pd.ArrowDtype)
        and holds_objects(dtype)
        and not pa.types.is_struct(dtype.pyarrow_dtype)
    )


def _is_nested(name: str) -> bool:
    """Return whether a column is one of objects that are opened, or comes of them."""
    return name in _NESTED_SPELLINGS or name.startswith((PROPERTY, PROFILE_PROPERTY))


def _with_plain_objects(
    frame: pd.DataFrame, names: Iterable[str], *, texts: Container[str] = ()
) -> pd.DataFrame:
    """Return the frame with these columns' objects as JSON has them; what has no form is noted.

    Lists of text are copied as they are.
    """
    changed: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    for name in names:
        if not holds_objects(frame[name].dtype):
            continue
        if name in texts:
            with garbage_let_be():
                copies = [None if cell is None else cell.copy() for cell in frame[name].to_numpy()]
            changed[name] = pd.Series(copies, index=frame.index, dtype=object, name=name)
            continue
        cells, errors = _plain_cells(frame[name])
        changed[name] = pd.Series(cells, index=frame.index, dtype=object, name=name)
        for row, error in errors.items():
            reasons[row] = f"{name}: {error}"
    return noted(with_columns(frame, changed), reasons)


def _plain_cells(column: pd.Series) -> tuple[list[Any], dict[int, str]]:
    """Return a column of Python objects as JSON has them: lists for arrays, None for missing.

    And by row what cannot be read, which is None then.
    """
    of_arrow = isinstance(column.dtype, pd.ArrowDtype)
    given = column.array._pa_array if of_arrow else column.to_numpy()
    usual = lists_of_text(given) if of_arrow else None
    if usual is not None:
        return usual, {}
    cells: list[Any] = []
    errors: dict[int, str] = {}
    for row, cell in enumerate(given):
        if cell is None:
            cells.append(None)
            continue
        try:
            cells.append(_plain(cell.as_py() if of_arrow else cell, 0))
        except (ValueError, OverflowError, pa.ArrowException) as error:
            cells.append(None)
            errors[row] = str(error)
    return cells, errors


def _are_lists_of_text(column: pd.Series) -> bool:
    """Return whether all cells are lists of ASCII text, as aliases mostly are.

    Nothing in them is unknown then, and nothing has to be looked at one by one.
    """
    if column.dtype != object:
        return False
    cells = column.to_numpy()
    if not {list, type(None)}.issuperset(map(type, cells)):
        return False
    lists = [cell for cell in cells if cell]
    if not {str}.issuperset(map(type, itertools.chain.from_iterable(lists))):
        return False
    return all(map(str.isascii, itertools.chain.from_iterable(lists)))


def _plain(cell: Any, depth: int) -> Any:
    kind = type(cell)
    if kind is str:
        return cell if cell.isascii() else known_characters(cell)
    if kind in _AS_IT_IS:
        return cell
    if depth > _DEEPEST:
        raise ValueError(TOO_DEEP)
    if isinstance(cell, np.ndarray):
        found = cell.tolist()
        # An array of no dimension is its only value.
        return _plain(found, depth + 1) if isinstance(found, list) else _plain(found, depth)
    if isinstance(cell, list):
        plain = _AS_IT_IS.issuperset(map(type, cell))
        return cell.copy() if plain else [_plain(item, depth + 1) for item in cell]
    if isinstance(cell, dict):
        return {_plain_key(key): _plain(item, depth + 1) for key, item in cell.items()}
    if isinstance(cell, tuple):
        # Looked into for its depth alone.
        for item in cell:
            _plain(item, depth + 1)
        return cell
    if isinstance(cell, decimal.Decimal) and cell.is_snan():
        return None
    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else python_value(cell)


def _plain_key(key: Any) -> Any:
    return known_characters(key) if isinstance(key, str) and not key.isascii() else key


_AS_IT_IS = {int, bool, type(None)}


def check_labels(frame: pd.DataFrame) -> None:
    """Raise unless each column has a name of its own that a file may have."""
    if isinstance(frame.columns, pd.MultiIndex):
        raise ColumnError(
            "the columns are a MultiIndex; join its levels into one name each, such as "
            "df.columns = df.columns.map('.'.join)."
        )
    for label in frame.columns:
        if not isinstance(label, str):
            raise ColumnError(
                f"column name {label!r} is {type(label).__name__}, not text; "
                "rename it with df.rename(columns=str)."
            )
        if known_characters(label) != label:
            raise ColumnError(
                f"column name {label!r} holds half of a character, which cannot be written to a "
                f"file; rename it with df.rename(columns={{...}})."
            )
    twice = frame.columns[frame.columns.duplicated()].unique().tolist()
    if twice:
        raise ColumnError(
            f"these column names occur twice: {', '.join(map(repr, twice))}. Keep one of each, or "
            "rename the others."
        )


def _apply_mapping(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    known = list(SPELLINGS)
    for name, own in columns.items():
        if own not in frame and name in frame and (own in known or _is_prefixed(str(own))):
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}} is the wrong way round: give the canonical name "
                f"first, columns={{{own!r}: {name!r}}}."
            )
        check_mapped_name(name, own)
        if own not in frame:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: the column {own!r} does not exist. "
                f"Found: {_listed(frame)}.{did_you_mean(own, frame.columns)}"
            )
        if name in frame and name != own:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: the frame also has a column {name!r}. "
                "Drop one of the two."
            )
    if not columns:
        return frame
    mapped = pd.DataFrame({name: frame[own] for name, own in columns.items()}, index=frame.index)
    rest = frame.drop(columns=list(set(columns.values())))
    return pd.concat([rest, mapped], axis=1)[_mapped_order(frame, columns)]


def check_mapped_name(name: str, own: object) -> None:
    """Raise unless the first is the name of a canonical column.

    Raises
    ------
    ColumnError
    """
    known = list(SPELLINGS)
    if name in known or _is_prefixed(name):
        return
    if isinstance(own, str) and (own in known or _is_prefixed(own)):
        raise ColumnError(
            f"columns={{{name!r}: {own!r}}} is the wrong way round: give the canonical name "
            f"first, columns={{{own!r}: {name!r}}}."
        )
    raise ColumnError(
        f"columns={{{name!r}: ...}}: {name!r} is not a canonical column. Known: "
        f"{', '.join(known)}, alias.<type>, properties.<name>, "
        f"profile_properties.<name>.{_of_an_alias(name) or did_you_mean(name, known)}"
    )


def _of_an_alias(name: str) -> str:
    """Return what is meant by the name of an alias type that is usual; nothing of other names."""
    return f" Did you mean {ALIAS + name!r}?" if name.lower() in _USUAL_ALIASES else ""


def _is_prefixed(name: str) -> bool:
    return any(name.startswith(prefix) and name != prefix for prefix in _MAPPED_PREFIXES)


def _mapped_order(frame: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    order: list[str] = []
    for column in frame.columns:
        targets = [name for name, own in columns.items() if own == column]
        order.extend(targets or [column])
    return order


def _unite_spellings(frame: pd.DataFrame) -> pd.DataFrame:
    renames: dict[str, str] = {}
    dropped: list[str] = []
    united: dict[str, pd.Series] = {}
    disagree: dict[str, BoolArray] = {}
    for name, spellings in SPELLINGS.items():
        found = [spelling for spelling in spellings if spelling in frame]
        if not found:
            continue
        if found[0] != name:
            renames[found[0]] = name
        for other in found[1:]:
            column, rows = _coalesce(united.get(name, frame[found[0]]), frame[other])
            united[name] = column
            disagree[f"columns {found[0]!r} and {other!r} disagree"] = rows
            dropped.append(other)
    # Each takes long where there are many small files, and most need none.
    if dropped:
        frame = frame.drop(columns=dropped)
    if renames:
        frame = frame.rename(columns=renames)
    if united:
        frame = frame.assign(**united)
    return _with_errors(frame, disagree)


def _with_errors(frame: pd.DataFrame, disagree: Mapping[str, BoolArray]) -> pd.DataFrame:
    """Note in `read_error` the rows of which two columns say different things."""
    found: dict[int, str] = {}
    for reason, rows in disagree.items():
        for row in np.flatnonzero(rows).tolist():
            found.setdefault(row, reason)
    return noted(frame, found)


def noted(frame: pd.DataFrame, reasons: Mapping[int, str]) -> pd.DataFrame:
    """Return the frame with the reasons of rows, by position, in `read_error`.

    A row that has one already keeps it.

    Examples
    --------
    >>> noted(pd.DataFrame({"event_name": ["A", "B"]}), {1: "not UTF-8"})["read_error"].tolist()
    [nan, 'not UTF-8']
    """
    if not reasons:
        return frame
    texts = [reasons.get(row) for row in range(len(frame))]
    found = pd.Series(texts, index=frame.index, dtype="str")
    if "read_error" in frame:
        found = told(frame["read_error"]).reindex(frame.index).fillna(found)
    return frame.assign(read_error=found)


def told(errors: pd.Series) -> pd.Series:
    """Return what `read_error` says where it says something, as text whatever it is."""
    text, unusable = as_text(errors)
    told = text.where(~unusable, errors.map(text_of).astype("str"))
    return told[~missing(told).to_numpy(dtype=bool)]


def _coalesce(first: pd.Series, second: pd.Series) -> tuple[pd.Series, BoolArray]:
    """Return the first where it has a value, else the second; and where they disagree."""
    said, also = (~missing(column).to_numpy(dtype=bool) for column in (first, second))
    disagree = np.zeros(len(first), dtype=bool)
    for row in np.flatnonzero(said & also):
        disagree[row] = not _says_the_same(first.iloc[row], second.iloc[row])
    if first.dtype != second.dtype:
        first, second = first.astype(object), second.astype(object)
    return first.where(said | ~also, second), disagree


def _says_the_same(one: Any, other: Any) -> bool:
    one, other = (v.item() if isinstance(v, np.generic) else v for v in (one, other))
    # A whole number among gaps is a float in pandas.
    numbers = all(isinstance(v, Number) and not isinstance(v, bool) for v in (one, other))
    return bool(one == other) if numbers else written(one) == written(other)


def _open_nested(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Replace a column of objects by one column per key; cells that are not objects stay."""
    fields = opened_struct(frame[name])
    errors: dict[int, str] = {}
    leftover = pd.Series(index=frame.index, dtype=object)
    if fields is not None:
        opened = pd.DataFrame(fields, index=frame.index)
    else:
        cells = [_as_object(cell) for cell in frame[name]]
        records = [cell if type(cell) is dict else None for cell in cells]
        for row in too_wide(records):
            records[row], errors[row] = None, f"{name}: {TOO_WIDE}"
        opened = frame_from_records(records)
        opened.index = frame.index
        if not {dict, type(None)}.issuperset(map(type, cells)):
            wrong = ((row, c) for row, c in enumerate(cells) if isinstance(c, ValueError))
            errors |= {row: f"{name}: {c}" for row, c in wrong}
            rest = [None if isinstance(c, (dict, ValueError)) else c for c in cells]
            leftover = pd.Series(rest, index=frame.index, dtype=object)
    opened.columns = pd.Index([f"{name}.{key}" for key in opened.columns])
    at = frame.columns.get_loc(name)
    parts = {column: frame[column] for column in frame.columns[:at]}
    disagree = {}
    for column in opened.columns:
        parts[column] = opened[column]
        if column in frame:
            parts[column], rows = _coalesce(frame[column], opened[column])
            disagree[f"{column!r} occurs twice and disagrees"] = rows
    if leftover.notna().any():
        parts[name] = leftover
    for column in frame.columns[at + 1 :]:
        parts.setdefault(column, frame[column])
    frame = noted(pd.DataFrame(parts, index=frame.index), errors)
    return _with_errors(frame, disagree)


def _as_object(cell: Any) -> Any:
    """Return the object that a cell is in any shape; an error for text that cannot be read.

    What has another shape stays as it came.
    """
    if type(cell) is dict:
        return cell
    try:
        return as_object(cell)
    except OtherShapeError:
        return cell
    except ValueError as error:
        return error


_USUAL_NAMES = {
    "event_name": ("action", "event_type", "type", "name", "activity"),
    "timestamp": ("ts", "time", "created_at", "event_timestamp", "event_time", "date", "datetime"),
}


def _likely_column(name: str, columns: Sequence[str] | pd.Index) -> str | None:
    by_folded = {str(column).casefold(): str(column) for column in columns}
    for usual in _USUAL_NAMES[name]:
        if usual in by_folded:
            return by_folded[usual]
    hint = did_you_mean(name, by_folded.values())
    return hint.split("'")[1] if hint else None


def _listed(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, frame.columns)) or "no columns at all"
