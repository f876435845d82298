"""The canonical event frame: any spelling in, one vocabulary out.

`canonicalise` gives an export's columns their names: `event_id`, `event_name`, `timestamp`,
`received_at`, `source`, `aliases` and `alias.<type>`, `properties.<name>`,
`profile_properties.<name>`. `normalise` then gives the values their types, sorts the rows into
events and rejected rows, and remembers every row's 0-based position in the input (`row`).

Missing is missing: a null, an empty cell and text of white space alone are no event name, no
event ID and no source. The caller's frame is never changed.
"""

from __future__ import annotations

import decimal
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.bounds import TOO_WIDE, too_wide, without_deep
from convergekit.base.columns import each_column, with_columns
from convergekit.base.json_text import read_json
from convergekit.base.list_bounds import within_bounds
from convergekit.base.options import pairs_given
from convergekit.base.records import frame_from_records
from convergekit.base.scalars import python_value
from convergekit.base.text import as_text, has_text, known_characters, text_of, to_arrow, written
from convergekit.base.usual_types import with_usual_types
from convergekit.base.wording import shortened
from convergekit.errors import ColumnError, EventError, did_you_mean
from convergekit.events.arrow import Frame, as_frame, opened_struct
from convergekit.events.timestamps import check_zone, microseconds, parse_timestamps
from convergekit.typing import BoolArray, IntArray

ALIAS = "alias."
PROPERTY = "properties."
PROFILE_PROPERTY = "profile_properties."
PROFILE = "profile."

# The spellings of Converge's browser pixel and webhook, and the plain ones of a data card.
SPELLINGS = {
    "event_id": ("event_id", "eventID", "eventId"),
    "event_name": ("event_name", "eventName", "event"),
    "timestamp": ("timestamp",),
    "received_at": ("received_at", "receivedAt"),
    "source": ("source",),
    "aliases": ("aliases",),
    "alias.cookie": ("alias.cookie", "__cvg_uid"),
    "properties": ("properties",),
    "profile_properties": ("profile_properties", "profileProperties"),
    "unset": ("unset",),
    "set_once": ("set_once",),
}
_NESTED = ("properties", "profile_properties")
_NESTED_SPELLINGS = frozenset(spelling for name in _NESTED for spelling in SPELLINGS[name])
#: Far deeper than anybody's properties, and not as deep as what Python can follow.
_DEEPEST = 100
_MAPPED_PREFIXES = (ALIAS, PROPERTY, PROFILE_PROPERTY)
# What an earlier stitch wrote; stitching its events again replaces these.
_WRITTEN_BY_STITCH = ("row", "kind", "profile_id")

MISSING_TIMESTAMP = "timestamp is missing"
UNPARSEABLE_TIMESTAMP = "timestamp cannot be parsed"
NOT_AN_EVENT = "neither an event nor an identify call: no event name and no alias"
UNUSABLE_EVENT_NAME = "event name is not text"
TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_MOST_OF_A_VALUE = 60


@dataclass(frozen=True)
class NormalisedEvents:
    """Accepted rows with typed columns, rejected rows with reasons, and remarks.

    Attributes
    ----------
    events : pandas.DataFrame
        One row per accepted row of the input, in input order, fresh index; `row` is the
        position in the input and `kind` is ``"track"`` or ``"identify"``.
    arrival : numpy.ndarray of int
        Each event's place in the order of arrival: by `received_at` (the event's own time where
        that is missing), then input order; input order alone without the column.
    rejected : pandas.DataFrame
        `row`, `reason`, then the input's columns with their values as they came.
    remarks : dict of str to int
        What was decided about values, and for how many rows.
    """

    events: pd.DataFrame
    arrival: IntArray
    rejected: pd.DataFrame
    remarks: dict[str, int] = field(default_factory=dict)


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
        A required column is missing, a name stands twice, or a mapped column is not there.

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


def open_columns(frame: pd.DataFrame, *, columns: Mapping[str, str]) -> pd.DataFrame:
    """Do as `canonicalise` does, whatever columns are missing: the frame may be part of one."""
    _check_labels(frame)
    frame, deep = without_deep(frame)
    frame = with_usual_types(_apply_mapping(frame, columns))
    apart = [name for name in frame if not _is_nested(name) or _is_of_lists(frame[name].dtype)]
    frame = _unite_spellings(_without_signals(_with_plain_objects(frame, apart)))
    frame = noted(frame, deep)
    for name in _NESTED:
        if name in frame:
            frame = _open_nested(frame, name)
    frame = noted(*within_bounds(frame))
    return _with_plain_objects(frame, filter(_is_nested, frame))


def check_required(frame: pd.DataFrame) -> None:
    """Raise unless a canonical frame has the columns that say what happened, and when."""
    has_aliases = "aliases" in frame or any(c.startswith(ALIAS) for c in frame)
    lacking = []
    if "event_name" not in frame and not has_aliases:
        lacking.append(("event_name", "event name"))
    if "timestamp" not in frame and "received_at" not in frame:
        lacking.append(("timestamp", "timestamp"))
    for name, words in lacking:
        near = _likely_column(name, frame.columns)
        hint = (
            f" Did you mean columns={{{name!r}: {near!r}}}?"
            if near
            else (f" Name the one to use: columns={{{name!r}: ...}}.")
        )
        raise ColumnError(f"no {words} column. Found: {_listed(frame)}.{hint}")


def normalise(
    frame: pd.DataFrame,
    *,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    alias_from: Iterable[str] = (),
    strict: bool = False,
) -> NormalisedEvents:
    """Type a canonical frame's columns and set apart the rows that are no events.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `canonicalise` returns it. Rows with a `read_error` are rejected for that reason.
    tz : str, optional
        Time zone of times that name none; UTC when absent.
    rename_events : mapping of str to str, optional
        Event names to replace, such as ``{"$page_load": "PageView"}``.
    alias_from : iterable of str
        Profile properties that are aliases as well, so that they make a row an identify call.
    strict : bool, default False
        Raise at the first row that would be rejected.

    Returns
    -------
    NormalisedEvents

    Raises
    ------
    EventError
        Under `strict`, the first row that cannot be used.
    ConvergekitError
        There is no such time zone.
    """
    check_zone(tz)
    replaced = [c for c in frame if written_by_stitch(str(c))]
    frame = frame.drop(columns=replaced).reset_index(drop=True)
    remarks: Counter[str] = Counter()
    # As a dictionary, for pandas warns of frames whose columns are set one by one.
    typed: dict[str, pd.Series] = dict(frame.items())
    if replaced:
        remarks[f"columns that stitch writes replaced: {', '.join(replaced)}"] = len(frame)

    _type_times(typed, frame.index, tz, remarks)
    (names, unusable_names), *identifiers = each_column(
        lambda name: _text_column(frame, name),
        ("event_name", *_IDENTIFIERS),
        rows=len(frame),
    )
    typed["event_name"] = names.replace(dict(rename_events)) if rename_events else names
    for old in rename_events or {}:
        remarks[f"event {old!r} renamed"] = int((names == old).sum())
    for name, (text, unusable) in zip(_IDENTIFIERS, identifiers, strict=True):
        typed[name] = text
        if unusable.any():
            remarks[f"{name} is not text: treated as missing"] = int(unusable.sum())

    reasons = _reject_reasons(frame, typed, unusable_names, alias_from)
    if strict and len(reasons):
        row = reasons.index[0]
        raise EventError(
            f"row {row}: {reasons.iloc[0]}{_value(frame, row, reasons.iloc[0])}"
            f"{_where(frame, row)}. "
            "Repair the row, or leave out strict=True to have it listed in `rejected`."
        )
    # A slice of nothing, where nothing is rejected, does not look into the columns.
    rejected = frame.iloc[reasons.index if len(reasons) else slice(0)]
    rejected = rejected.rename(columns={"reason": "properties.reason"})
    why = {"row": reasons.index.to_numpy(dtype=np.int64), "reason": reasons.astype("str")}
    rejected = pd.concat([pd.DataFrame(why, index=rejected.index), rejected], axis="columns")

    typed["row"] = pd.Series(np.arange(len(frame)), index=frame.index)
    typed["kind"] = _kinds(typed["event_name"])
    events = pd.DataFrame({name: typed[name] for name in _in_order(typed)}, copy=False)
    if len(rejected):
        events = events.iloc[np.delete(np.arange(len(frame)), rejected["row"])]
    return NormalisedEvents(
        events.drop(columns="read_error", errors="ignore").reset_index(drop=True),
        _arrival(events),
        rejected.reset_index(drop=True),
        {remark: count for remark, count in remarks.items() if count},
    )


_IDENTIFIERS = ("event_id", "source")


def written_by_stitch(name: str) -> bool:
    """Return whether an earlier stitch wrote a column, which stitching again replaces."""
    return name in _WRITTEN_BY_STITCH or name.startswith(PROFILE)


def missing(values: pd.Series) -> pd.Series:
    """Return where a value is missing: null or empty text.

    Examples
    --------
    >>> missing(pd.Series(["a", "", None, [], 0], dtype=object)).tolist()
    [False, True, True, False, False]
    """
    if values.dtype == "str":
        return pd.Series(~has_text(to_arrow(values)), index=values.index)
    if isinstance(values.dtype, pd.CategoricalDtype):
        nothing = missing(pd.Series(values.cat.categories)).to_numpy(dtype=bool)
        return pd.Series(np.append(nothing, True)[values.cat.codes], index=values.index)
    empty = values.isna()
    if values.dtype == object:
        blank = [isinstance(cell, str) and cell == "" for cell in values]
        return empty | np.array(blank, dtype=bool)
    if _holds_objects(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return empty
    if hasattr(values, "dt"):
        return empty
    return empty | (values == "").fillna(False).astype(bool)


def carries_aliases(
    frame: pd.DataFrame, rows: IntArray, alias_from: Iterable[str] = ()
) -> BoolArray:
    """Return which of the rows carry something in a column of aliases, whatever it is worth.

    Parameters
    ----------
    frame : pandas.DataFrame
    rows : numpy.ndarray of int
        Positions.
    alias_from : iterable of str
        Profile properties that are aliases as well.

    Examples
    --------
    >>> frame = pd.DataFrame({"alias.email": ["null", " ", None]})
    >>> carries_aliases(frame, np.arange(3)).tolist()
    [True, False, False]
    """
    found = np.zeros(len(rows), dtype=bool)
    also = {PROFILE_PROPERTY + name.removeprefix(PROFILE_PROPERTY) for name in alias_from}
    for column in frame.columns:
        left = np.flatnonzero(~found)
        if len(left) and (column.startswith(ALIAS) or column in also):
            text, _ = as_text(frame[column].iloc[rows[left]])
            found[left] = has_text(pc.utf8_trim_whitespace(to_arrow(text)))
    if "aliases" in frame:
        cells = frame["aliases"].iloc[rows]
        found |= np.fromiter(map(_holds_something, cells), dtype=bool, count=len(rows))
    return found


def _without_signals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nothing in place of each signalling NaN, which raises if looked at."""
    changed = {}
    for name, column in frame.items():
        if column.dtype == object and decimal.Decimal in set(map(type, column)):
            signals = [isinstance(c, decimal.Decimal) and c.is_snan() for c in column]
            if any(signals):
                changed[name] = column.mask(np.array(signals), None)
    return frame.assign(**changed) if changed else frame


def _holds_objects(dtype: Any) -> bool:
    if isinstance(dtype, pd.ArrowDtype):
        return bool(pa.types.is_nested(dtype.pyarrow_dtype))
    return bool(dtype == object)


def _is_of_lists(dtype: Any) -> bool:
    return (
        isinstance(dtype, pd.ArrowDtype)
        and _holds_objects(dtype)
        and not pa.types.is_struct(dtype.pyarrow_dtype)
    )


def _is_nested(name: str) -> bool:
    """Return whether a column is one of objects that are opened, or comes of them."""
    return name in _NESTED_SPELLINGS or name.startswith((PROPERTY, PROFILE_PROPERTY))


def _with_plain_objects(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return the frame with these columns' objects as JSON has them; what has no form is noted."""
    changed: dict[str, pd.Series] = {}
    reasons: dict[int, str] = {}
    for name in names:
        if not _holds_objects(frame[name].dtype):
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
    cells: list[Any] = []
    errors: dict[int, str] = {}
    of_arrow = isinstance(column.dtype, pd.ArrowDtype)
    for row, cell in enumerate(column.array._pa_array if of_arrow else column):
        try:
            cells.append(_plain(cell.as_py() if of_arrow else cell, 0))
        except (ValueError, OverflowError, pa.ArrowException) as error:
            cells.append(None)
            errors[row] = str(error)
    return cells, errors


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


def _check_labels(frame: pd.DataFrame) -> None:
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
                f"column name {label!r} holds half of a character, which no file has a form for; "
                "rename it with df.rename(columns={...})."
            )
    twice = frame.columns[frame.columns.duplicated()].unique().tolist()
    if twice:
        raise ColumnError(
            f"these column names stand twice: {', '.join(map(repr, twice))}. "
            "Keep one of each, or rename the others."
        )


def _apply_mapping(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    known = list(SPELLINGS)
    for name, own in columns.items():
        if name not in known and not _is_prefixed(name):
            raise ColumnError(
                f"columns={{{name!r}: ...}}: {name!r} is no canonical column. "
                f"Known: {', '.join(known)}, alias.<type>, properties.<name>, "
                f"profile_properties.<name>.{did_you_mean(name, known)}"
            )
        if own not in frame:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: there is no column {own!r}. "
                f"Found: {_listed(frame)}.{did_you_mean(own, frame.columns)}"
            )
        if name in frame and name != own:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: the frame also has a column {name!r}. "
                "Drop one of the two."
            )
    if not columns:
        return frame
    mapped = {name: frame[own] for name, own in columns.items()}
    rest = frame.drop(columns=list(set(columns.values())))
    return rest.assign(**mapped)[_mapped_order(frame, columns)]


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
        found = _told(frame["read_error"]).reindex(frame.index).fillna(found)
    return frame.assign(read_error=found)


def _told(errors: pd.Series) -> pd.Series:
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
    """Replace a column of objects by one column per key; cells that are no objects stay."""
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
            disagree[f"{column!r} stands twice and disagrees"] = rows
    if leftover.notna().any():
        parts[name] = leftover
    for column in frame.columns[at + 1 :]:
        parts.setdefault(column, frame[column])
    frame = noted(pd.DataFrame(parts, index=frame.index), errors)
    return _with_errors(frame, disagree)


def _as_object(cell: Any) -> Any:
    """Return an object, of JSON text as well, or the error if the text says two things at once."""
    if type(cell) is dict:
        return cell
    if isinstance(cell, str) and cell.lstrip()[:1] == "{":
        try:
            return read_json(cell)
        except json.JSONDecodeError:
            return cell
        except ValueError as error:
            return error
    if isinstance(cell, Mapping):
        return dict(cell)
    return cell


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


def _type_times(
    typed: dict[str, pd.Series], index: pd.Index, tz: str | None, remarks: Counter[str]
) -> None:
    nothing = pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]")
    if "received_at" in typed:
        received = parse_timestamps(typed["received_at"], tz=tz)
        typed["received_at"] = received.times
        count = int(received.unparseable.sum())
        remarks["received_at cannot be parsed: treated as missing"] = count
    if "timestamp" not in typed:
        typed["timestamp"] = nothing
    stamps = parse_timestamps(typed["timestamp"], tz=tz)
    typed["timestamp"] = stamps.times
    for unit, count in stamps.epoch_rows.items():
        remarks[f"timestamp read as epoch {_UNIT_NAMES[unit]}"] = count
    if "received_at" in typed:
        # Converge's webhook: without a timestamp, the time of receipt is the event's time.
        absent = stamps.times.isna() & ~stamps.unparseable & typed["received_at"].notna()
        typed["timestamp"] = stamps.times.mask(absent, typed["received_at"])
        remarks["timestamp is missing: received_at taken"] = int(absent.sum())
        late = typed["received_at"].isna() & typed["timestamp"].notna()
        remarks["received_at is missing: timestamp taken as the time of arrival"] = int(late.sum())


_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def _text_column(frame: pd.DataFrame, name: str) -> tuple[pd.Series, BoolArray]:
    if name not in frame:
        return pd.Series(index=frame.index, dtype="str"), np.zeros(len(frame), dtype=bool)
    text, unusable = as_text(frame[name])
    cells = to_arrow(text)
    blank = pc.or_(pc.equal(cells, ""), pc.utf8_is_space(cells)).fill_null(False)
    if pc.any(blank).as_py():
        text = text.mask(blank.to_numpy(zero_copy_only=False))
    return text, unusable


def _reject_reasons(
    frame: pd.DataFrame,
    typed: Mapping[str, pd.Series],
    unusable_names: BoolArray,
    alias_from: Iterable[str],
) -> pd.Series:
    """Return each rejected row's reason, by row."""
    found: dict[int, str] = {}

    def reject(rows: IntArray, reason: str) -> None:
        found.update(dict.fromkeys(rows.tolist(), reason))

    nameless = np.flatnonzero(typed["event_name"].isna())
    if len(nameless):
        carries = carries_aliases(frame, nameless, alias_from)
        reject(nameless[~carries], NOT_AN_EVENT)
    reject(np.flatnonzero(unusable_names), UNUSABLE_EVENT_NAME)
    untimed = np.flatnonzero(typed["timestamp"].isna())
    given = np.zeros(len(untimed), dtype=bool)
    if "timestamp" in frame:
        given = frame["timestamp"].iloc[untimed].notna().to_numpy(dtype=bool)
    reject(untimed[given], UNPARSEABLE_TIMESTAMP)
    reject(untimed[~given], MISSING_TIMESTAMP)
    if "read_error" in frame:
        unread = _told(frame["read_error"])
        found.update(zip(unread.index.tolist(), unread.tolist(), strict=True))
    return pd.Series(found, dtype=object).sort_index()


def _holds_something(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip() not in ("", "[]", "null")
    return hasattr(cell, "__len__") and len(cell) > 0


def _value(frame: pd.DataFrame, row: int, reason: str) -> str:
    """Return the timestamp that a row is refused for; no more of the row, which is a person's."""
    if reason != UNPARSEABLE_TIMESTAMP:
        return ""
    cell = frame["timestamp"].iloc[row]
    # An object may hold all that is known of somebody.
    is_one_value = pd.api.types.is_scalar(cell)
    shown = shortened(repr(cell), _MOST_OF_A_VALUE) if is_one_value else type(cell).__name__
    return f": {shown}"


def _where(frame: pd.DataFrame, row: int) -> str:
    if "file" not in frame or "line" not in frame:
        return ""
    return f" ({frame['file'].iloc[row]}, line {frame['line'].iloc[row]})"


def _kinds(names: pd.Series) -> pd.Series:
    kinds = pc.if_else(pa.array(names.isna()), "identify", "track")
    return pd.Series(kinds, index=names.index, dtype="str")


def _arrival(events: pd.DataFrame) -> IntArray:
    places = np.arange(len(events))
    if "received_at" not in events:
        return places
    arrived_at = microseconds(events["received_at"].fillna(events["timestamp"]))
    arrival = np.empty_like(places)
    arrival[np.argsort(arrived_at, kind="stable")] = places
    return arrival


def _in_order(events: Iterable[str]) -> list[str]:
    """Return the names, the frame's own first, then aliases, properties, and whatever else came."""
    first = ["row", "kind", "event_id", "event_name", "timestamp", "received_at", "source"]
    groups = [
        [c for c in first if c in events],
        [c for c in events if c == "aliases" or c.startswith(ALIAS)],
        [c for c in events if c.startswith(PROPERTY)],
        [c for c in events if c.startswith(PROFILE_PROPERTY)],
    ]
    known = {column for group in groups for column in group}
    return [c for group in groups for c in group] + [c for c in events if c not in known]
