"""Check a saved Stitched before anything is computed from it.

Checksums reveal damage, but not who wrote them. So every number that is a place in
another table is looked at: compiled kernels read whatever place they are given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from convergekit.base.text import is_utf8
from convergekit.diagnostics.report import Report
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar, Weekday
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.events.timestamps import EARLIEST, LATEST, microseconds
from convergekit.identity.profiles import ALIAS_ID
from convergekit.typing import IntArray
from convergekit.writers.saved_manifest import damaged

_UTC = "datetime64[us, UTC]"
#: The columns of each table that are of one dtype; a table may have more.
_COLUMNS = {
    "events": {"row": "int64", "kind": "str", "profile_id": "str", "event_id": "str",
               "event_name": "str", "timestamp": _UTC, "source": "str"},
    "rejected": {"row": "int64", "reason": "str"},
    "duplicates": {"row": "int64", "kept_row": "int64", "event_id": "str", "event_name": "str",
                   "timestamp": _UTC, "source": "str", "repeat": "str", "differs": "object",
                   "conflicts": "object", "lost_aliases": "object"},
    "aliases": {"alias_type": "str", "alias_value": "str", "profile_id": "str"},
    "event_aliases": {"event": "int64", "alias": "int64"},
    "order": {"in_time": "int64", "item": "int64"},
    "items": {"known": "int64", "known_at": "int64", "event": "int64"},
    "item_aliases": {"event": "int64", "alias": "int64"},
    "apart": {"group": "int64", "rank": "int64"},
    "refused": {"first": "int64", "second": "int64", "event": "int64", "events": "int64",
                "alias_type": "str", "together": "int64"},
    "says": {},
    "carried_from": {},
    "blocked": {"alias_type": "str", "alias_value": "str", "events": "int64"},
    "malformed": {"row": "int64", "reason": "str"},
}  # fmt: skip
_PROFILE_ID = r"p_[0-9a-f]{16}"
#: Far beyond the rows of any export, and exact as a float.
_MOST = 2**53


#: A column of `order`, where a segment leaves out events of its profiles: which it does not.
SEEN = "seen"


def check_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Raise unless a manifest says everything that it has to, in the types that it has.

    Parameters
    ----------
    path : pathlib.Path
        The manifest.
    summary : mapping of str to object

    Raises
    ------
    ReadError
    """
    for name, is_right in _SUMMARY.items():
        if name not in summary or not is_right(summary[name]):
            raise damaged(path, f"{name} is missing, or has the wrong type")
    report = summary["report"]
    kinds = {field.name: str(field.type) for field in dataclasses.fields(Report)}
    for name in {**kinds, **report}:
        if name not in kinds or name not in report or not _BY_TYPE[kinds[name]](report[name]):
            raise damaged(path, f"{name} of the report is missing, or has the wrong type")


def check_tables(
    directory: Path, tables: Mapping[str, pd.DataFrame], limits: Mapping[str, int]
) -> None:
    """Raise unless all tables fit together.

    Parameters
    ----------
    directory : pathlib.Path
        Where they are from, for messages.
    tables : mapping of str to pandas.DataFrame
    limits : mapping of str to int
        As the manifest has them.

    Raises
    ------
    ReadError
    """
    check = _Checks(directory, tables)
    for name, columns in _COLUMNS.items():
        check.columns(name, columns)
    check.events()
    check.aliases()
    check.knowledge()
    check.carried()
    check.refused(limits)


@dataclasses.dataclass(frozen=True)
class _Checks:
    directory: Path
    tables: Mapping[str, pd.DataFrame]

    def columns(self, name: str, columns: Mapping[str, str]) -> None:
        """Raise unless a table has these columns, of these dtypes, and each name once."""
        table = self.tables[name]
        self._demand(name, table.columns.is_unique, "a column occurs twice")
        self._demand(name, isinstance(table.index, pd.RangeIndex), "it has an index of its own")
        for column, dtype in columns.items():
            found = str(table[column].dtype) if column in table else "missing"
            self._demand(name, found == dtype, f"{column} is {found}, not {dtype}")

    def events(self) -> None:
        events = self.tables["events"]
        row = events["row"].to_numpy()
        self._within("events", row, 0, _MOST, "row")
        self._demand("events", len(np.unique(row)) == len(row), "a row occurs twice")
        track = (events["kind"] == "track").to_numpy()
        known = track | (events["kind"] == "identify").to_numpy()
        self._demand("events", known.all(), "a kind is neither track nor identify")
        named = events["event_name"].notna().to_numpy()
        self._demand("events", (named == track).all(), "an event has no name, or no event one")
        for name in ("timestamp", "received_at"):
            self._times(name, optional=name == "received_at")
        ids = events["profile_id"].dropna()
        self._demand("events", ids.str.fullmatch(_PROFILE_ID).all(), "a profile ID is malformed")
        for name in ("row", "kept_row"):
            self._within("duplicates", self.tables["duplicates"][name].to_numpy(), 0, _MOST, name)
        for name in ("differs", "conflicts", "lost_aliases"):
            lists = self.tables["duplicates"][name]
            what = f"{name} holds no list of texts"
            self._demand("duplicates", all(map(_are_texts, lists)), what)

    def _times(self, name: str, *, optional: bool) -> None:
        events = self.tables["events"]
        if name not in events and optional:
            return
        self._demand("events", str(events[name].dtype) == _UTC, f"{name} is not a time")
        missing = events[name].isna().to_numpy()
        self._demand("events", optional or not missing.any(), f"an event has no {name}")
        low, high = microseconds(pd.Series([EARLIEST, LATEST]))
        self._within("events", microseconds(events[name])[~missing], low, high + 1, name)

    def aliases(self) -> None:
        table = self.tables["aliases"]
        self._demand("aliases", table.notna().all(axis=None), "a cell is missing")
        ids = table["profile_id"]
        self._demand("aliases", ids.str.fullmatch(_PROFILE_ID).all(), "a profile ID is malformed")
        if ALIAS_ID in table:
            own = table[ALIAS_ID].astype("str").str.fullmatch(_PROFILE_ID)
            self._demand("aliases", own.all(), f"{ALIAS_ID} is not the ID of a profile")
        twice = table.duplicated(["alias_type", "alias_value"]).any()
        self._demand("aliases", not twice, "an alias occurs twice")
        self._pairs("event_aliases", len(self.tables["events"]))
        carried = np.bincount(self._numbers("event_aliases", "alias"), minlength=len(table))
        self._demand("event_aliases", (carried > 0).all(), "an alias is on no event")
        blocked = self.tables["blocked"]
        self._demand("blocked", blocked.notna().all(axis=None), "a cell is missing")
        self._within("blocked", blocked["events"].to_numpy(), 0, _MOST, "events")
        if len(self.tables["apart"]):
            self._sized("apart", len(table))
            self._within("apart", self._numbers("apart", "group"), 0, len(table) + 1, "group")
            self._within("apart", self._numbers("apart", "rank"), -1, len(table), "rank")

    def knowledge(self) -> None:
        events, items = len(self.tables["events"]), len(self.tables["items"])
        self._sized("order", events)
        self._permutes("order", "in_time")
        seen = self.tables["order"].get(SEEN)
        self._demand("order", seen is None or seen.dtype == bool, f"{SEEN} is not of booleans")
        self._within("order", self._numbers("order", "item"), 0, items, "item")
        self._permutes("items", "known")
        self._within("items", self._numbers("items", "event"), 0, events, "event")
        low, high = microseconds(pd.Series([EARLIEST, LATEST]))
        self._within("items", self._numbers("items", "known_at"), low, high + 1, "known_at")
        own = self._numbers("items", "event")[self._numbers("order", "item")]
        self._demand("order", (own == np.arange(events)).all(), "an item is of another event")
        self._pairs("item_aliases", items)

    def carried(self) -> None:
        events, items = self.tables["events"], len(self.tables["items"])
        for file, low, high in (("says", 0, items), ("carried_from", -1, len(events))):
            for name, column in self.tables[file].items():
                self._demand(file, column.dtype == "int64", f"{name} is not int64")
                self._sized(file, len(events))
                self._within(file, column.to_numpy(), low, high, str(name))
        names = {c.removeprefix(PROFILE_PROPERTY) for c in events if c.startswith(PROFILE_PROPERTY)}
        carried = set(self.tables["carried_from"])
        self._demand("carried_from", names == carried, "it is of other properties than the events")
        written = {c.removeprefix(PROFILE) for c in events if c.startswith(PROFILE)}
        self._demand("events", names == written, "it has other profile properties than were sent")

    def refused(self, limits: Mapping[str, int]) -> None:
        table, aliases = self.tables["refused"], len(self.tables["aliases"])
        for name, high in (
            ("first", aliases),
            ("second", aliases),
            ("event", len(self.tables["events"])),
            ("events", _MOST),
            ("together", _MOST),
        ):
            self._within("refused", table[name].to_numpy(), 0, high, name)
        self._demand("refused", table["alias_type"].isin(list(limits)).all(), "a type has no limit")

    def _pairs(self, file: str, size: int) -> None:
        event = self._numbers(file, "event")
        self._within(file, event, 0, size, "event")
        self._demand(file, (event[1:] >= event[:-1]).all(), "its events are not in order")
        self._within(file, self._numbers(file, "alias"), 0, len(self.tables["aliases"]), "alias")

    def _permutes(self, file: str, column: str) -> None:
        numbers = self._numbers(file, column)
        self._within(file, numbers, 0, len(numbers), column)
        once = np.bincount(numbers, minlength=len(numbers)) == 1
        self._demand(file, once.all(), f"{column} has a number twice")

    def _numbers(self, file: str, column: str) -> IntArray:
        return self.tables[file][column].to_numpy()

    def _sized(self, file: str, size: int) -> None:
        rows = len(self.tables[file])
        self._demand(file, rows == size, f"it has {rows} rows, not {size}")

    def _within(self, file: str, numbers: IntArray, low: int, high: int, column: str) -> None:
        outside = (numbers < low) | (numbers >= high)
        if outside.any():
            wrong = int(numbers[outside][0])
            self._demand(file, False, f"{column} holds {wrong}, which is out of range")

    def _demand(self, file: str, holds: bool | np.bool_, reason: str) -> None:
        if not holds:
            raise damaged(self.directory / f"{file}.parquet", reason)


def _is_text(value: Any) -> bool:
    # Half a character, which JSON can write, is not text that Arrow compares.
    return isinstance(value, str) and is_utf8(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _are_counts(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(map(_is_text, value))
        and all(map(_is_count, value.values()))
    )


def _are_rows(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(rows, list) and all(map(_is_count, rows)) for rows in value.values()
    )


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(record, dict) for record in value)


def _is_zone(value: Any) -> bool:
    try:
        Calendar.of(value if _is_text(value) else "?")
    except ConvergekitError:
        return False
    return True


def _is_segment(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"description", "after_the_fact", "left_out", "data_end"}
        and _is_text(value["description"])
        and isinstance(value["after_the_fact"], bool)
        and _are_counts(value["left_out"])
        and value["left_out"].keys() == {"events", "duplicates", "rejected"}
        and (value["data_end"] is None or _is_moment(value["data_end"]))
    )


def _is_moment(value: Any) -> bool:
    try:
        return _is_text(value) and pd.Timestamp(value).tz is not None
    except ValueError:
        return False


_SUMMARY: dict[str, Callable[[Any], bool]] = {
    "identity": lambda value: value in ("retroactive", "as_of"),
    "browser_alias": _is_text,
    "first": _are_texts,
    "limits": lambda value: _are_counts(value) and all(value.values()),
    "alias_priority": _are_texts,
    "remarks": _are_counts,
    "calendar": _is_zone,
    "week_starts": lambda value: value in get_args(Weekday),
    "observed_until": lambda value: value is None or _is_moment(value),
    "segment": lambda value: value is None or _is_segment(value),
    "report": lambda value: isinstance(value, dict),
}
#: By how `Report` declares them.
_BY_TYPE: dict[str, Callable[[Any], bool]] = {
    "int": _is_count,
    "str": _is_text,
    "dict[str, int]": _are_counts,
    "dict[str, list[int]]": _are_rows,
    "list[str]": _are_texts,
    "pd.DataFrame": _are_records,
}
