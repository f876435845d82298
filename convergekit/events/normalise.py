"""Values in their types, and rows as events or rejected rows.

Every row's 0-based position in the input is remembered (`row`). Missing is missing: a null, an
empty cell and text of white space alone do not count as an event name, event ID or source. An
event ID that identifies nothing (`convergekit.events.nothing`) is missing as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import as_text, has_text, to_arrow
from convergekit.base.threads import each_column
from convergekit.base.wording import counted, shortened
from convergekit.errors import EventError, UnknownNameError, what_there_is
from convergekit.events.arrow import LISTS_OF_TEXT
from convergekit.events.canonical import told, written_by_stitch
from convergekit.events.nothing import is_nobody, without_value
from convergekit.events.schema import ALIAS, NESTED, PROFILE_PROPERTY, PROPERTY, STATE_AT
from convergekit.events.shapes import READ_SHAPES, said_of, says, shape_of, shape_remarks
from convergekit.events.timestamps import check_zone, microseconds, parse_timestamps
from convergekit.typing import BoolArray, IntArray

MISSING_TIMESTAMP = "timestamp is missing"
UNPARSEABLE_TIMESTAMP = "timestamp cannot be parsed"
NOT_AN_EVENT = "neither an event nor an identify call: no event name and no alias"
UNUSABLE_EVENT_NAME = "event name is not text"
PLACEHOLDER_ID = "event_id is a placeholder: treated as missing"
#: The column in which the readers say which null markers of a file they took for missing.
READ_NULLS = "read_nulls"
#: Of how many lines of a file an event was made, and the columns in which these disagreed.
READ_LINES = "read_lines"
READ_CONFLICTS = "read_conflicts"
#: Which plug-in read a row, in words.
READ_PLUG_IN = "read_plug_in"
#: Which of its properties are money that may be a thousand or have three decimals, and stayed text.
READ_AMOUNTS = "read_amounts"
#: What the readers say of a row; it is counted, and goes no further.
SAID_BY_READERS = (READ_NULLS, READ_LINES, READ_CONFLICTS, READ_PLUG_IN, READ_AMOUNTS)
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
    renamed : dict of str to int
        Each event name that was to be replaced, and how many rows had it.
    placeholder_ids : pandas.Series of str
        The event IDs that identify nothing, by the position of their event: missing in `events`.
    """

    events: pd.DataFrame
    arrival: IntArray
    rejected: pd.DataFrame
    remarks: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    placeholder_ids: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))


def normalise(
    frame: pd.DataFrame,
    *,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    alias_from: Iterable[str] = (),
    nothing: Sequence[str] = (),
    strict: bool = False,
) -> NormalisedEvents:
    """Type a canonical frame's columns and set apart the rows that are not events.

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
    nothing : sequence of str
        Properties whose placeholder texts are missing, as `stitch` takes them.
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
        The time zone is not known.
    """
    check_zone(tz)
    replaced = [c for c in frame if written_by_stitch(str(c))]
    frame = frame.drop(columns=replaced).reset_index(drop=True)
    remarks: Counter[str] = Counter(remarks_of_readers(frame))
    frame = frame.drop(columns=[*SAID_BY_READERS, READ_SHAPES], errors="ignore")
    # As a dictionary, for pandas warns of frames whose columns are set one by one.
    typed: dict[str, pd.Series] = dict(frame.items())
    remarks.update(replaced_remark(list(map(str, replaced)), len(frame)))

    _type_times(typed, frame.index, tz, remarks)
    (names, unusable_names), *identifiers = each_column(
        lambda name: _text_column(frame, name),
        ("event_name", *_IDENTIFIERS),
        rows=len(frame),
    )
    typed["event_name"] = names.replace(dict(rename_events)) if rename_events else names
    renamed = {old: int((names == old).sum()) for old in rename_events or {}}
    remarks.update({f"event {old!r} renamed": rows for old, rows in renamed.items()})
    for name, (text, unusable) in zip(_IDENTIFIERS, identifiers, strict=True):
        typed[name] = text
        if unusable.any():
            remarks[f"{name} is not text: treated as missing"] = int(unusable.sum())
    typed["event_id"], placeholder_ids = _identifying(typed["event_id"])
    remarks[PLACEHOLDER_ID] = len(placeholder_ids)
    _leave_out_nothing(typed, nothing, remarks)

    reasons = _reject_reasons(frame, typed, unusable_names, alias_from)
    if strict and len(reasons):
        row = reasons.index[0]
        raise EventError(
            f"row {row}: {reasons.iloc[0]}{_value(frame, row, reasons.iloc[0])}"
            f"{_where(frame, row)}. "
            "Repair the row, or leave out strict=True to have it listed in `rejected`."
        )
    rejected = frame.iloc[reasons.index] if len(reasons) else _without_rows(frame)
    rejected = rejected.rename(columns={"reason": "properties.reason"})
    why = {"row": reasons.index.to_numpy(dtype=np.int64), "reason": reasons.astype("str")}
    rejected = pd.concat([pd.DataFrame(why, index=rejected.index), rejected], axis="columns")

    typed["row"] = pd.Series(np.arange(len(frame)), index=frame.index)
    typed["kind"] = _kinds(typed["event_name"])
    events = pd.DataFrame({name: typed[name] for name in _in_order(typed)}, copy=False)
    if len(rejected):
        kept = np.delete(np.arange(len(frame)), rejected["row"])
        events = events.iloc[kept]
        placeholder_ids = placeholder_ids[placeholder_ids.index.isin(kept)]
        placeholder_ids.index = pd.Index(np.searchsorted(kept, placeholder_ids.index))
    return NormalisedEvents(
        events.drop(columns="read_error", errors="ignore").reset_index(drop=True),
        _arrival(events),
        rejected.reset_index(drop=True),
        {remark: count for remark, count in remarks.items() if count},
        renamed,
        placeholder_ids,
    )


_IDENTIFIERS = ("event_id", "source")


def event_ids(frame: pd.DataFrame) -> pd.Series:
    """Return each row's event ID as it is compared, missing where it identifies nothing.

    Examples
    --------
    >>> event_ids(pd.DataFrame({"event_id": ["e1", "undefined", " "]})).tolist()
    ['e1', nan, nan]
    """
    return _identifying(_text_column(frame, "event_id")[0])[0]


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
        found |= _hold_something(frame["aliases"].iloc[rows])
    return found


def _type_times(
    typed: dict[str, pd.Series], index: pd.Index, tz: str | None, remarks: Counter[str]
) -> None:
    nothing = pd.Series(pd.NaT, index=index, dtype="datetime64[us, UTC]")
    if "received_at" in typed:
        received = parse_timestamps(typed["received_at"], tz=tz)
        typed["received_at"] = received.times
        count = int(received.unparseable.sum())
        remarks["received_at cannot be parsed: treated as missing"] = count
    if STATE_AT in typed:
        states = parse_timestamps(typed[STATE_AT], tz=tz)
        typed[STATE_AT] = states.times
        remarks["state_at cannot be parsed: treated as missing"] = int(states.unparseable.sum())
    if "timestamp" not in typed:
        typed["timestamp"] = nothing
    stamps = parse_timestamps(typed["timestamp"], tz=tz)
    typed["timestamp"] = stamps.times
    for unit, count in stamps.epoch_rows.items():
        remarks[f"timestamp read as epoch {_UNIT_NAMES[unit]}{_NOT_ZONED if tz else ''}"] = count
    if "received_at" in typed:
        # Converge's webhook: without a timestamp, the time of receipt is the event's time.
        absent = stamps.times.isna() & ~stamps.unparseable & typed["received_at"].notna()
        typed["timestamp"] = stamps.times.mask(absent, typed["received_at"])
        remarks["timestamp is missing: received_at taken"] = int(absent.sum())
        late = typed["received_at"].isna() & typed["timestamp"].notna()
        remarks["received_at is missing: timestamp taken as the time of arrival"] = int(late.sum())


_NOT_ZONED = ", which are UTC whatever tz= says; clock= of read_events is for others"
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


def _identifying(ids: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the event IDs without those that identify nothing, and these."""
    nothing = is_nobody(to_arrow(ids))
    return (ids.mask(nothing), ids[nothing]) if nothing.any() else (ids, ids[:0])


def _leave_out_nothing(
    typed: dict[str, pd.Series], nothing: Sequence[str], remarks: Counter[str]
) -> None:
    """Make the placeholder texts of these properties missing."""
    for name in properties_named(typed, nothing):
        found = without_value(typed[name])
        if found.any():
            gap = None if typed[name].dtype == object else np.nan
            typed[name] = typed[name].mask(found, gap)
            remarks[f"{name} is a placeholder: treated as missing"] = int(found.sum())


def properties_named(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the properties that names or patterns of names mean, short or with their prefix.

    Examples
    --------
    >>> properties_named(["properties.coupon", "profile_properties.plan", "source"], ["c*", "plan"])
    ['properties.coupon', 'profile_properties.plan']
    """
    found = []
    for column in columns if names else ():
        if column.startswith((PROPERTY, PROFILE_PROPERTY)):
            short = column.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY)
            if any(fnmatchcase(column, name) or fnmatchcase(short, name) for name in names):
                found.append(column)
    return found


def refuse_unknown_nothing(columns: Iterable[str], names: Sequence[str]) -> None:
    """Raise if `nothing` names a property that no event has; a pattern may fit none.

    Raises
    ------
    UnknownNameError
    """
    known = [c for c in columns if c.startswith((PROPERTY, PROFILE_PROPERTY))]
    for name in names:
        if known and not _WILD.intersection(name) and not properties_named(known, [name]):
            short = sorted({c.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY) for c in known})
            raise UnknownNameError(
                f"nothing names {name!r}, which is not a property of the events. "
                f"{what_there_is(short, name)}"
            )


#: What makes a name a pattern.
_WILD = frozenset("*?[")


def remarks_of_readers(frame: pd.DataFrame) -> dict[str, int]:
    """Return what the readers say of rows, and what has a shape that is not read: how many rows."""
    return _said_by_readers(frame) | _other_shapes(frame)


def replaced_remark(columns: Sequence[str], rows: int) -> dict[str, int]:
    """Return the remark on columns that an earlier stitch wrote; none without such."""
    return {f"columns that stitch writes replaced: {', '.join(columns)}": rows} if columns else {}


def _said_by_readers(frame: pd.DataFrame) -> dict[str, int]:
    """Return what the readers say of rows, and of how many."""
    found: dict[str, int] = {}
    if READ_NULLS in frame:
        found = _counted_lines(frame[READ_NULLS], "{}: read as missing")
    if READ_LINES in frame:
        lines = pd.to_numeric(frame[READ_LINES], errors="coerce").dropna()
        if len(lines) < lines.sum():
            found[f"lines gathered into {counted(len(lines), 'event')}"] = int(lines.sum())
    if READ_CONFLICTS in frame:
        differ = "{} differs between the lines of an event: the first value counts"
        found |= _counted_lines(frame[READ_CONFLICTS], differ)
    if READ_AMOUNTS in frame:
        unsure = "{} may be in thousands or have three decimals, as 1.234 may: left as text, give"
        found |= _counted_lines(frame[READ_AMOUNTS], f"{unsure} amounts='de' or 'en'")
    if READ_PLUG_IN in frame:
        found |= _counted_lines(frame[READ_PLUG_IN], "{}")
    return found


def _counted_lines(said: pd.Series, words: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for text, rows in as_text(said)[0].value_counts().items():
        counts.update(dict.fromkeys(str(text).split("\n"), int(rows)))
    return {words.format(what): rows for what, rows in sorted(counts.items())}


def _other_shapes(frame: pd.DataFrame) -> dict[str, int]:
    """Return which fields had a shape that is not read, and in how many rows."""
    noted: dict[str, dict[int, str]] = {}
    for name in NESTED:
        if name in frame:
            noted[name] = {
                row: f"is {shape_of(cell)}" for row, cell in enumerate(frame[name]) if says(cell)
            }
    said = said_of(noted, len(frame))
    if READ_SHAPES in frame:
        told, _ = as_text(frame[READ_SHAPES])
        said = told if said is None else told.str.cat(said, sep="\n", na_rep="").str.strip("\n")
        said = said.mask(said == "")
    return {} if said is None else shape_remarks(said, frame.get("file"))


def _without_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns of these types without rows: a slice would hold on to all the texts."""
    columns = {name: pd.Series(dtype=column.dtype) for name, column in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(0))


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
        unread = told(frame["read_error"])
        found.update(zip(unread.index.tolist(), unread.tolist(), strict=True))
    return pd.Series(found, dtype=object).sort_index()


def _hold_something(cells: pd.Series) -> BoolArray:
    """Return which cells of aliases hold something, whatever it is worth."""
    if cells.dtype == LISTS_OF_TEXT:
        sizes = pc.list_value_length(pa.array(cells)).fill_null(0)
        return sizes.to_numpy() > 0
    return np.fromiter(map(_holds_something, cells), dtype=bool, count=len(cells))


def _holds_something(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip() not in ("", "[]", "null")
    return hasattr(cell, "__len__") and len(cell) > 0


def _value(frame: pd.DataFrame, row: int, reason: str) -> str:
    """Return the timestamp that a row is refused for; no more of the row, which is a person's."""
    if reason != UNPARSEABLE_TIMESTAMP:
        return ""
    cell = frame["timestamp"].iloc[row]
    # An object may hold all that is known of a person.
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
