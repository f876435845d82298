"""Deduplication: the same event ID counts once.

The first copy to arrive is kept (`received_at`, then input order), as ingestion-time
deduplication does. An event without an ID is never a duplicate. IDs are compared exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from convergekit.base.compiled import compiled
from convergekit.base.grouping import first_of_run, run_starts
from convergekit.base.options import names_given
from convergekit.base.text import as_text, to_arrow, written
from convergekit.base.threads import chosen_rows, each_column
from convergekit.errors import ColumnError, did_you_mean
from convergekit.events.arrow import python_cells
from convergekit.events.schema import holds_objects
from convergekit.events.sources import filled_in
from convergekit.events.timestamps import microseconds
from convergekit.typing import BoolArray, IntArray

IDENTICAL = "identical"
DIFFERENT_CONTENT = "different content"
OTHER_SOURCE = "other source"
IMPLAUSIBLE = "implausible"
OTHER_STATE = "other state"


@dataclass(frozen=True)
class KeptEvents:
    """The accepted events, and which of them are copies of a kept one.

    Attributes
    ----------
    events : pandas.DataFrame
        Normalised events, kept and dropped.
    arrival : numpy.ndarray of int
        Each event's place in the order of arrival.
    kept : numpy.ndarray of int
        The position of the copy that is kept for each event: its own, unless repeated.
    merge : bool
        Whether plausible copies contribute their aliases and profile properties.
    """

    events: pd.DataFrame
    arrival: IntArray
    kept: IntArray
    merge: bool

    def with_columns(self, *names: str) -> KeptEvents:
        """Return the same with some of the events' columns, as far as they have them."""
        return replace(self, events=self.events[[name for name in names if name in self.events]])

    @cached_property
    def is_kept(self) -> BoolArray:
        """Which events are kept."""
        return self.kept == np.arange(len(self.kept))

    @cached_property
    def kept_rows(self) -> pd.DataFrame:
        """The kept events, as they were sent."""
        return chosen_rows(self.events, self.is_kept)

    @cached_property
    def kept_times(self) -> pd.DataFrame:
        """The columns of the kept events that say when they happened and were received."""
        names = [name for name in ("timestamp", "received_at") if name in self.events]
        return chosen_rows(self.events[names], self.is_kept)

    @cached_property
    def in_time(self) -> IntArray:
        """The kept events' positions among the kept, in order of time, then arrival."""
        return self._among_the_kept(self._everyone_in_time)

    def _among_the_kept(self, everyone: IntArray) -> IntArray:
        """Return the kept of these positions of events, as positions among the kept."""
        place = np.cumsum(self.is_kept) - 1
        return place[everyone[self.is_kept[everyone]]]

    @cached_property
    def _everyone_in_time(self) -> IntArray:
        times = microseconds(self.events["timestamp"])
        if "received_at" not in self.events:
            return np.argsort(times, kind="stable")
        by_arrival = np.argsort(self.arrival, kind="stable")
        return by_arrival[np.argsort(times[by_arrival], kind="stable")]


def taken_apart(
    given: list[pd.DataFrame], kept: IntArray
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the kept rows, the dropped ones, and of each of these the one that is kept instead.

    Parameters
    ----------
    given : list of pandas.DataFrame
        The events, which are taken out of it. They are gone through column by column, so that one
        that nobody else holds goes when its rows are taken.
    kept : numpy.ndarray of int
        As `find_kept` returns it.

    Examples
    --------
    >>> kept, dropped, originals = taken_apart([pd.DataFrame({"n": [7, 8]})], np.array([0, 0]))
    >>> kept["n"].tolist(), dropped["n"].tolist(), originals["n"].tolist()
    ([7], [8], [7])
    """
    is_kept = kept == np.arange(len(kept))
    dropped = np.flatnonzero(~is_kept)
    left = dict(given.pop().items())
    names = list(left)

    def part(name: str) -> list[pd.Series]:
        column = left.pop(name)
        chosen = chosen_rows(column.to_frame(), is_kept)[name]
        apart = (column.iloc[at].reset_index(drop=True) for at in (dropped, kept[dropped]))
        return [chosen, *apart]

    parts = each_column(part, names, rows=len(kept))
    tables = [dict(zip(names, columns, strict=True)) for columns in zip(*parts, strict=True)]
    found, copies, originals = (pd.DataFrame(table, copy=False) for table in tables)
    return found, copies, originals


def find_kept(events: pd.DataFrame, arrival: IntArray, dedupe_on: Sequence[str]) -> IntArray:
    """Return, for each event, the position of the copy that is kept: its own, unless repeated.

    Parameters
    ----------
    events : pandas.DataFrame
        Normalised events.
    arrival : numpy.ndarray of int
        Each event's place in the order of arrival.
    dedupe_on : sequence of str
        Columns that together name an event; must include ``"event_id"``.

    Raises
    ------
    ColumnError
        A column of `dedupe_on` is not in the events, or ``"event_id"`` is not among them.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": pd.Series(["a", None, "a", None], dtype="str")})
    >>> find_kept(events, np.array([1, 2, 0, 3]), ["event_id"]).tolist()
    [2, 1, 2, 3]
    """
    _check_scope(events, dedupe_on)
    kept = np.arange(len(events))
    suspects = _maybe_repeated(to_arrow(as_text(events["event_id"])[0]))
    codes = _codes(events["event_id"].iloc[suspects])
    again = _repeated(codes)
    repeated, codes = suspects[again], codes[again]
    if not len(repeated):
        return kept
    keys = [codes]
    keys += [_codes(events[name].iloc[repeated]) for name in dedupe_on if name != "event_id"]
    order = np.lexsort((arrival[repeated], *reversed(keys)))
    starts = run_starts(*(key[order] for key in keys))
    kept[repeated[order]] = repeated[order[first_of_run(starts)]]
    return kept


@dataclass(frozen=True)
class UnnamedRepeats:
    """Events without an event ID that repeat an earlier one in every field.

    Attributes
    ----------
    event, first : numpy.ndarray of int
        Positions of the events, ascending, and of those that they repeat.
    elsewhere : dict of tuple of str to int
        Pairs of files, and how many events of the second repeat one of the first.
    """

    event: IntArray
    first: IntArray
    elsewhere: dict[tuple[str, str], int]


def repeats_without_id(events: pd.DataFrame) -> UnnamedRepeats:
    """Return which events without an event ID repeat an earlier one in every field.

    Where a row stands is not a field, nor is a source that we filled in.

    Examples
    --------
    >>> events = pd.DataFrame({"event_id": [None] * 3, "event_name": "A", "timestamp": [1, 1, 2],
    ...                        "source": ["a", "b", "b"], "file": ["a.csv", "b.csv", "b.csv"]})
    >>> found = repeats_without_id(events)
    >>> found.event.tolist(), found.first.tolist(), found.elsewhere
    ([1], [0], {('a.csv', 'b.csv'): 1})
    """
    at = np.flatnonzero(events["event_id"].isna())
    # Few events are of one name at one time, and only theirs are compared in full.
    when = events[["timestamp", "event_name"]].iloc[at]
    at = at[when.duplicated(keep=False).to_numpy()]
    near = events.iloc[at].drop(columns=["row", "file", "line"], errors="ignore")
    near["source"] = as_text(near["source"])[0].mask(filled_in(events.iloc[at]))
    group = np.zeros(len(at), dtype=np.int64)
    for _, column in near.items():
        cells = column
        if holds_objects(column.dtype):
            cells = pd.Series(list(map(compared, python_cells(column))))
        codes = pd.factorize(cells, use_na_sentinel=False)[0].astype(np.int64)
        group = pd.factorize(group * (codes.max(initial=0) + 1) + codes)[0]
    firsts = np.unique(group, return_index=True)[1][group] if len(at) else group
    again = firsts != np.arange(len(at))
    event, first = at[again], at[firsts[again]]
    elsewhere: dict[tuple[str, str], int] = {}
    if "file" in events:
        files = as_text(events["file"])[0]
        pairs = pd.DataFrame({"first": files.to_numpy()[first], "file": files.to_numpy()[event]})
        pairs = pairs[pairs["first"] != pairs["file"]].dropna()
        counts = (
            pairs.groupby(["first", "file"], sort=True)
            .size()
            .sort_values(ascending=False, kind="stable")
        )
        elsewhere = {(str(one), str(other)): int(n) for (one, other), n in counts.items()}
    return UnnamedRepeats(event, first, elsewhere)


def as_typed(value: object) -> object:
    """Return a cell, and of the text of a number or truth value what it says.

    The type of a CSV's column hangs on all cells of the file, so the same cell may come as a text
    from one file and as a number from another.

    Examples
    --------
    >>> [as_typed(value) for value in ("12", "1.50", "007", "True", 3, [1])]
    [12, 1.5, '007', True, 3, [1]]
    """
    if not isinstance(value, str):
        return value
    if _WHOLE.fullmatch(value):
        return int(value)
    if _NUMBER.fullmatch(value):
        return float(value)
    return {"true": True, "false": False}.get(value.casefold(), value)


_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def compared(cell: object) -> object:
    """Return a cell as one that is compared: equal where it says the same.

    Examples
    --------
    >>> [compared(cell) for cell in (12, "12.0", "twelve")]
    [12.0, 12.0, "'twelve'"]
    """
    value = as_typed(cell)
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return float(value) if -(2**53) < value < 2**53 else written(value)
    return written(value)


def check_names_an_event(dedupe_on: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that together name an event; the event ID has to be one of them.

    Raises
    ------
    ColumnError
    """
    names = () if isinstance(dedupe_on, str) else names_given("dedupe_on", dedupe_on)
    if "event_id" not in names:
        raise ColumnError(
            "dedupe_on must be a list that names 'event_id', such as ('source', 'event_id'); got "
            f"{dedupe_on!r}. Events without a shared ID are never duplicates."
        )
    return names


def _check_scope(events: pd.DataFrame, dedupe_on: Sequence[str]) -> None:
    for name in check_names_an_event(dedupe_on):
        if name not in events:
            raise ColumnError(
                f"dedupe_on names {name!r}, which is not a column of the "
                f"events.{did_you_mean(name, events.columns)}"
            )


def _codes(values: pd.Series) -> IntArray:
    """Return an integer per value, equal where values are equal and -1 where missing."""
    text, no_text = as_text(values)
    if no_text.any():
        # Times, booleans, lists: compared by how they are written.
        text = values.map(written).astype("str").where(values.notna())
    indices = to_arrow(text).dictionary_encode().indices
    return indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _maybe_repeated(texts: pa.Array) -> IntArray:
    """Return the positions of all repeated texts, and of a few others.

    Most events are not a copy, so the exact comparison, which has to look at every byte, is
    kept for those whose length and first and last eight bytes twice fall into one of many
    buckets together. Missing texts are left out.
    """
    if compiled(len(texts)):
        from convergekit.identity.compiled.repeats import maybe_repeated

        return maybe_repeated(texts)
    _, ends, buffer = texts.buffers()
    present = np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False))
    if buffer is None or buffer.size < _WORD or not len(present):
        return present
    content = np.frombuffer(buffer, dtype=np.uint8)
    offsets = np.frombuffer(ends, dtype=np.int64)[texts.offset :][: len(texts) + 1]
    start, stop = offsets[present], offsets[present + 1]
    length = stop - start
    words = np.ndarray(len(content) - _WORD + 1, dtype="<u8", buffer=content, strides=(1,))
    first = words[np.minimum(start, len(words) - 1)]
    last = words[np.maximum(stop - _WORD, 0)]
    short = np.flatnonzero(length < _WORD)
    first[short] = last[short] = _short_words(content, start[short], length[short])
    first *= np.uint64(_ODD[0])
    last *= np.uint64(_ODD[1])
    mixed = (first ^ last ^ length.view(np.uint64)) * np.uint64(_ODD[2])
    bits = min(26, max(10, len(present).bit_length() + 2))
    for shift in (64 - bits, 64 - 2 * bits):
        bucket = ((mixed >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).view(np.int64)
        shared = np.bincount(bucket, minlength=1 << bits)[bucket] > 1
        present, mixed = present[shared], mixed[shared]
    return present


def _short_words(
    content: npt.NDArray[np.uint8], start: IntArray, length: IntArray
) -> npt.NDArray[np.uint64]:
    """Return texts of fewer than eight bytes as one number each."""
    words = np.zeros(len(start), dtype=np.uint64)
    for place in range(_WORD - 1):
        longer = length > place
        byte = content[start[longer] + place].astype(np.uint64)
        words[longer] |= byte << np.uint64(8 * place)
    return words


_WORD = 8


# Large odd numbers: multiplying by one spreads a number's bits over the upper bits.
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)


def _repeated(codes: IntArray) -> IntArray:
    if not len(codes):
        return np.empty(0, dtype=np.int64)
    counts = np.bincount(codes + 1)
    counts[0] = 0
    return np.flatnonzero(counts[codes + 1] > 1)
