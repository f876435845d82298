"""Timestamps of any parseable form, as ``datetime64[us, UTC]``.

Understood: datetimes, ISO 8601 with or without an offset, spelled-out dates (``24 Nov 2026``,
RFC 2822) and epoch numbers, whose unit is told by magnitude. A date of digits alone that reads
two ways (``03/04/2026``) is not guessed: it does not parse.
"""

from __future__ import annotations

import datetime
import math
import zoneinfo
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.errors import ConvergekitError
from convergekit.typing import BoolArray, IntArray

# An epoch number's unit is told by its magnitude. Below 1e8 seconds (March 1973) it is no
# event's time but a year, a counter or a date of digits; 1e11 seconds is the year 5138.
EPOCH_FLOOR = 1e8
EPOCH_UNITS = (("s", 1e11), ("ms", 1e14), ("us", 1e17), ("ns", 9e18))
_MICROSECONDS = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
_DTYPE = "datetime64[us, UTC]"
# No event lies in years before or after, and microseconds cannot hold all of them.
EARLIEST = pd.Timestamp("0001-01-01", tz="UTC")
LATEST = pd.Timestamp("9999-12-31 23:59:59.999999", tz="UTC")
# By the clock of its zone a time may be of another day.
_ANYWHERE = (
    pd.Timestamp("0001-01-02", tz="UTC"),
    pd.Timestamp("9999-12-30 23:59:59.999999", tz="UTC"),
)
_OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
_NUMBER = r"[+-]?\d+(?:\.\d+)?"
_NOT_ISO = rf"(?:{_NUMBER})|\s*(?i:now|today)\s*"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SPELLED_OUT = rf"(?i)[^/]*\b{_MONTH}\b[^/]*|\d{{4}}/\d{{1,2}}/\d{{1,2}}.*"
_NAMED_UTC = r"\s*(?:UTC|GMT)$"


@dataclass(frozen=True)
class ParsedTimestamps:
    """Timestamps in UTC, and what was found on the way.

    Attributes
    ----------
    times : pandas.Series of datetime64[us, UTC]
        ``NaT`` where the cell was missing or did not parse.
    unparseable : numpy.ndarray of bool
        Where a value was present but did not parse.
    epoch_rows : dict of str to int
        Number of cells read as epoch numbers, per unit.
    """

    times: pd.Series
    unparseable: BoolArray
    epoch_rows: dict[str, int]


def check_zone(tz: str | None, *, name: str = "tz") -> None:
    """Raise unless it is a time zone, or None; `name` is what the option is called.

    Raises
    ------
    ConvergekitError
    """
    try:
        zoneinfo.ZoneInfo(tz or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConvergekitError(
            f"{name} must be a time zone such as 'Europe/Brussels'; got {tz!r}."
        ) from None


def parse_timestamps(values: pd.Series, *, tz: str | None = None) -> ParsedTimestamps:
    """Parse timestamps of any form.

    Parameters
    ----------
    values : pandas.Series
        Datetimes, text, epoch numbers, or a mixture.
    tz : str, optional
        Time zone of times that name none; UTC when absent. Where the clock is set back, an
        hour that occurs twice is taken as the first; one skipped in spring moves to its end.

    Returns
    -------
    ParsedTimestamps

    Examples
    --------
    >>> parsed = parse_timestamps(pd.Series(["2026-03-02T10:00:00+01:00", 1772442000, "soon"]))
    >>> parsed.times.astype(str).tolist()
    ['2026-03-02 09:00:00+00:00', '2026-03-02 09:00:00+00:00', nan]
    >>> parsed.unparseable.tolist(), parsed.epoch_rows
    ([False, False, True], {'s': 1})
    """
    dtype = values.dtype
    present = values.notna().to_numpy(dtype=bool)
    epochs: dict[str, int] = {}
    if isinstance(dtype, pd.CategoricalDtype):
        parsed = parse_timestamps(pd.Series(dtype.categories), tz=tz)
        codes = values.cat.codes.to_numpy()
        times = pd.Series(parsed.times.array.take(codes, allow_fill=True), index=values.index)
        counts = {unit: int((codes >= 0).sum()) for unit in parsed.epoch_rows}
        return ParsedTimestamps(times, present & times.isna().to_numpy(), counts)
    if isinstance(dtype, pd.ArrowDtype):
        plain = pa.array(values, from_pandas=True).to_pandas()
        return parse_timestamps(plain.set_axis(values.index), tz=tz)
    if pd.api.types.is_datetime64_any_dtype(dtype):
        found = _to_utc(values, tz)
    elif dtype != object and (
        pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_complex_dtype(dtype)
    ):
        found = _nothing(values)
    elif pd.api.types.is_numeric_dtype(dtype):
        found = _from_epoch(values, epochs)
    elif isinstance(dtype, pd.StringDtype):
        found = _from_text(values, tz, epochs)
    else:
        found = _from_cells(values, tz, epochs)
    return ParsedTimestamps(found, present & found.isna().to_numpy(), epochs)


def far_as_text(times: pd.Series) -> pd.Series | None:
    """Return times as objects if some are of years that no calendar has, these as text.

    Parameters
    ----------
    times : pandas.Series of datetime64

    Returns
    -------
    pandas.Series of object, or None
        None without such times.

    Examples
    --------
    >>> far = pd.Series(np.array(["2026-03-02", "30000-01-01"], dtype="datetime64[s]"))
    >>> far_as_text(far).tolist()
    [Timestamp('2026-03-02 00:00:00'), '30000-01-01T00:00:00']
    """
    if times.dt.unit == "ns":
        return None
    zoned = times.dt.tz is not None
    utc = times.dt.tz_convert("UTC") if zoned else times.dt.tz_localize("UTC")
    far = ~utc.between(*(_ANYWHERE if zoned else (EARLIEST, LATEST))) & utc.notna()
    if not far.any():
        return None
    found = np.full(len(times), None, dtype=object)
    near = (~far & utc.notna()).to_numpy()
    found[near] = times[near].astype(object).to_numpy()
    spelled = np.datetime_as_string(utc[far].dt.tz_localize(None).to_numpy())
    found[far.to_numpy()] = [f"{text}{'Z' * zoned}" for text in spelled]
    return pd.Series(found, index=times.index, dtype=object)


def iso_texts(times: pd.Series) -> list[str | None]:
    """Return canonical timestamps as ISO 8601 text in UTC, None where there is none.

    Examples
    --------
    >>> iso_texts(pd.Series([pd.Timestamp("2026-03-02T10:00", tz="UTC"), pd.NaT]))
    ['2026-03-02T10:00:00.000000Z', None]
    """
    spelled = np.datetime_as_string(times.to_numpy(dtype="datetime64[us]"))
    return [f"{text}Z" if text != "NaT" else None for text in spelled.tolist()]


def microseconds(timestamps: pd.Series) -> IntArray:
    """Return canonical timestamps as microseconds since 1970, for arithmetic and sorting."""
    return timestamps.to_numpy(dtype="datetime64[us]").view(np.int64)


def _nothing(like: pd.Series) -> pd.Series:
    return pd.Series(pd.NaT, index=like.index, dtype=_DTYPE, name=like.name)


def _to_utc(values: pd.Series, tz: str | None) -> pd.Series:
    if values.dt.tz is None:
        zone = tz or "UTC"
        first = np.ones(len(values), dtype=bool)
        values = values.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return _of_calendar(values.dt.tz_convert("UTC")).dt.as_unit("us")


def _of_calendar(times: pd.Series) -> pd.Series:
    """Return times without those of years that no calendar has, such as the year 0."""
    if times.min() < EARLIEST or times.max() > LATEST:
        return times.where(times.between(EARLIEST, LATEST))
    return times


def _from_epoch(values: pd.Series, epochs: dict[str, int]) -> pd.Series:
    exact = pd.api.types.is_integer_dtype(values.dtype)
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    found = np.full(len(values), np.datetime64("NaT", "us"))
    with np.errstate(invalid="ignore"):
        magnitude = np.abs(numbers)
        lower = EPOCH_FLOOR
        for unit, upper in EPOCH_UNITS:
            rows = (magnitude >= lower) & (magnitude < upper)
            lower = upper
            if not rows.any():
                continue
            epochs[unit] = epochs.get(unit, 0) + int(rows.sum())
            if exact:
                whole = values[rows].to_numpy(dtype=np.int64)
                found[rows] = whole.astype(f"datetime64[{unit}]").astype("datetime64[us]")
            else:
                micros = np.round(numbers[rows] * _MICROSECONDS[unit]).astype(np.int64)
                found[rows] = micros.astype("datetime64[us]")
    return pd.Series(found, index=values.index, name=values.name).dt.tz_localize("UTC")


def _from_text(values: pd.Series, tz: str | None, epochs: dict[str, int]) -> pd.Series:
    found = _iso(values, tz)
    left = found.isna() & values.notna()
    if not left.any():
        return found
    text = values[left].astype("str").str.strip().str.replace(_NAMED_UTC, "Z", regex=True)
    numeric = text.str.fullmatch(_NUMBER)
    if numeric.any():
        numbers = text[numeric]
        whole = numbers.str.fullmatch(r"[+-]?\d{1,18}")
        for rows, kind in ((whole, "int64"), (~whole, "float64")):
            if rows.any():
                cells = _from_epoch(numbers[rows].astype(kind), epochs)
                found.loc[cells.index] = cells
    # Parsed apart: one far-away year would otherwise turn the whole column's unit.
    again = _iso(text[~numeric], tz)
    found.loc[again.index] = again
    rest = text[~numeric][again.isna() & text[~numeric].str.fullmatch(_SPELLED_OUT)]
    if len(rest):
        spelled = rest.map(lambda cell: _spelled_out(cell, tz))
        found.loc[rest.index] = pd.to_datetime(spelled, utc=True).dt.as_unit("us")
    return found


def _iso(text: pd.Series, tz: str | None) -> pd.Series:
    def parse(part: pd.Series) -> pd.Series:
        found = pd.to_datetime(part, utc=True, format="ISO8601", errors="coerce")
        return _of_calendar(found).dt.as_unit("us")

    # A bare year ("2026") is a number to us: an epoch, or not a time at all.
    # And "now" is the time of an event for no reader.
    text = text.mask(text.str.fullmatch(_NOT_ISO).fillna(False).astype(bool))
    if tz is None or tz == "UTC":
        return parse(text)
    aware = text.str.contains(_OFFSET).fillna(False).astype(bool)
    dated = text.str.contains(r"\d[T ]\d").fillna(False).astype(bool)
    aware &= dated
    found = parse(text)
    naive = found[~aware].dt.tz_localize(None)
    found.loc[~aware] = _to_utc(naive, tz)
    return found


_FIRST_SPELLED_OUT = 1000


def _spelled_out(cell: str, tz: str | None) -> Any:
    try:
        stamp = pd.Timestamp(cell)
    except (ValueError, OverflowError):
        return pd.NaT
    # "now" is when the file is read, and "2nd of March" is in no year.
    if stamp.year < _FIRST_SPELLED_OUT or not any(map(str.isdecimal, cell)):
        return pd.NaT
    return _to_utc(pd.Series([stamp]), tz).iloc[0]


def _from_cells(values: pd.Series, tz: str | None, epochs: dict[str, int]) -> pd.Series:
    """Sort a column of Python objects by what each cell is, and parse each sort at once."""
    sorts: dict[str, list[int]] = {"text": [], "number": [], "time": []}
    for position, cell in enumerate(values):
        if isinstance(cell, str):
            sorts["text"].append(position)
        elif isinstance(cell, (bool, np.bool_)):
            continue
        elif isinstance(cell, (int, float, np.integer, np.floating)):
            sorts["number"].append(position)
        elif isinstance(cell, (datetime.datetime, datetime.date, np.datetime64)):
            sorts["time"].append(position)
    found = pd.Series(_nothing(values).to_numpy(copy=True), dtype=_DTYPE)
    for sort, positions in sorts.items():
        if not positions:
            continue
        # Not of a dtype that pandas infers: some versions fail at a number of 400 digits.
        cells = pd.Series(list(values.iloc[positions]), index=positions, dtype=object)
        if sort == "text":
            part = _from_text(cells.astype("str"), tz, epochs)
        elif sort == "number":
            part = _numbers(cells, epochs)
        else:
            stamps = [_to_utc(pd.Series([pd.Timestamp(c)]), tz).iloc[0] for c in cells]
            part = pd.Series(stamps, index=positions, dtype=_DTYPE)
        found.iloc[positions] = part
    found.index = values.index
    return found.rename(values.name)


def _numbers(cells: pd.Series, epochs: dict[str, int]) -> pd.Series:
    kind = "int64" if all(isinstance(c, (int, np.integer)) for c in cells) else "float64"
    if any(abs(c) >= EPOCH_UNITS[-1][1] for c in cells):
        kind = "float64"
        cells = cells.map(lambda c: float(c) if abs(c) < EPOCH_UNITS[-1][1] else math.inf)
    return _from_epoch(cells.astype(kind), epochs)


def in_utc(stamp: pd.Timestamp) -> pd.Timestamp:
    """Return a time in UTC, which it is in if it names no zone.

    Examples
    --------
    >>> in_utc(pd.Timestamp("2026-03-02T10:00+01:00"))
    Timestamp('2026-03-02 09:00:00+0000', tz='UTC')
    """
    if pd.isna(stamp):
        return stamp
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


def order_of_arrival(events: pd.DataFrame, at: IntArray) -> IntArray:
    """Return, of the events at these positions, numbers that ascend in the order of arrival.

    That is the order of `received_at` if there, then rows.
    """
    if "received_at" not in events:
        return at
    arrived = events["received_at"].fillna(events["timestamp"]).array.take(at)
    arrival = np.empty(len(at), dtype=np.int64)
    arrival[np.argsort(arrived, kind="stable")] = np.arange(len(at))
    return arrival
