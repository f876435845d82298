"""What must hold of any input: an error that convergekit documents, or a result that adds up."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

import convergekit as ck

_SETTING = "CONVERGEKIT_KERNELS"


class BrokenPromiseError(AssertionError):
    """A promise that did not hold."""


def check_stitch(frame: Any, **options: Any) -> None:
    """Stitch with and without the compiled kernels, and hold the results to what is promised.

    Raises
    ------
    BrokenPromiseError
        Rows are lost, the caller's frame was changed, or the kernels say otherwise.
    """
    before = _spelled(frame)
    seen = []
    for kernels in ("never", "always"):
        with _kernels(kernels):
            seen.append(_stitched(frame, options, everything=True))
        if _spelled(frame) != before:
            raise BrokenPromiseError("the caller's frame was changed")
    if seen[0] != seen[1]:
        raise BrokenPromiseError(f"the kernels say otherwise:\n{_first_difference(*seen)}")


def check_file(path: Path, rows: int | None = None, **options: Any) -> None:
    """Read a file and stitch its events; `rows` says how many it has, where that is known.

    Raises
    ------
    BrokenPromiseError
    """
    content = path.read_bytes()
    try:
        events = ck.read_events(path, **options)
    except ck.ConvergekitError as error:
        check_message(error)
        return
    if path.read_bytes() != content:
        raise BrokenPromiseError("the file was changed")
    if rows is not None and len(events) != rows:
        raise BrokenPromiseError(f"the file has {rows} rows, read_events returned {len(events)}")
    _check_strict(path, events, options)
    _stitched(events, {}, everything=False)


def _check_strict(path: Path, events: pd.DataFrame, options: dict[str, Any]) -> None:
    """Strict reading refuses a file exactly if one of its rows could not be read."""
    unread = "line" in events and "read_error" in events and events["read_error"].notna().any()
    try:
        again = ck.read_events(path, **options, strict=True)
    except ck.ConvergekitError as error:
        check_message(error)
        if not unread:
            raise BrokenPromiseError(
                f"strict=True refuses a file without an unread row: {error}"
            ) from None
        return
    if _spelled(again) != _spelled(events):
        raise BrokenPromiseError("strict=True reads something else")


def _stitched(frame: Any, options: dict[str, Any], *, everything: bool) -> dict[str, Any]:
    try:
        s = ck.stitch(frame, **options)
    except ck.ConvergekitError as error:
        check_message(error)
        return {"error": str(error)}
    check_rows(s, len(frame))
    if not everything:
        return {}
    _check_segment(s)
    found = {name: _spelled(getattr(s, name)) for name in _TABLES}
    found["nodes"] = sorted(s.alias_graph.nodes)
    if os.environ[_SETTING] == "never":
        # Looks at the tables above, whose equality is compared; once is enough.
        _ = repr(s.report) + s._repr_html_()
    return found | {"funnel": _funnel(s)}


def check_rows(s: ck.Stitched, size: int) -> None:
    """Raise unless each of so many rows is an event, a duplicate or rejected."""
    if len(s.events) + len(s.duplicates) + len(s.rejected) != size:
        raise BrokenPromiseError(
            f"{size} rows in, {len(s.events)} events + {len(s.duplicates)} duplicates + "
            f"{len(s.rejected)} rejected out"
        )
    rows = sorted([*s.events["row"], *s.duplicates["row"], *s.rejected["row"]])
    if rows != list(range(size)):
        raise BrokenPromiseError(f"not every row is found by its place: {rows}")
    if len(s.profiles) != s.events["profile_id"].nunique():
        raise BrokenPromiseError("there are other profiles than those of the events")


def _check_segment(s: ck.Stitched) -> None:
    """Raise unless a segment says of each row of the whole whether it is in it or left out."""
    segment = s.where(profiles="events > 1")
    here = len(segment.events) + len(segment.duplicates) + len(segment.rejected)
    left_out = sum(segment.report.left_out.values())
    if not here + left_out == segment.report.rows_in == s.report.rows_in:
        raise BrokenPromiseError(
            f"{s.report.rows_in} rows in, {here} in a segment + {left_out} left out"
        )


_TABLES = ("events", "profiles", "aliases", "duplicates", "rejected", "profile_merges")


def _funnel(s: ck.Stitched) -> Any:
    names = s.events["event_name"].dropna().unique().tolist()[:3]
    if not names:
        return None
    f = s.funnel([*names, names[0]], within="1D")
    if int(f.table["profiles"].iloc[0]) > len(s.profiles):
        raise BrokenPromiseError("more profiles entered the funnel than there are")
    return _spelled(f.table)


def check_message(error: ck.ConvergekitError) -> None:
    """Raise if an error of ours says nothing."""
    if len(str(error)) < 15:
        raise BrokenPromiseError(f"{type(error).__name__} says nothing: {str(error)!r}")


def _spelled(frame: Any) -> Any:
    """Return a table as text, cell by cell, with types: equal only if nothing differs."""
    if not isinstance(frame, pd.DataFrame):
        return repr(frame)
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    return (
        list(map(repr, frame.columns)),
        [repr(column.dtype) for column in columns],
        list(map(repr, frame.index)),
        [list(map(repr, _numbered_times(column))) for column in columns],
    )


def _numbered_times(column: pd.Series) -> Any:
    """Return times as numbers: pandas has no words for those that Python's calendar lacks."""
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_temporal(dtype.pyarrow_dtype):
        whole = {32: pa.int32(), 64: pa.int64()}.get(dtype.pyarrow_dtype.bit_width)
        if whole is not None:
            return pa.array(column.array).view(whole).to_pylist()
    return column.array.asi8 if isinstance(dtype, pd.DatetimeTZDtype) else column


def _first_difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            return f"{name}: {str(one.get(name))[:600]}\nagainst {str(other.get(name))[:600]}"
    return ""


@contextlib.contextmanager
def _kernels(setting: str) -> Iterator[None]:
    before = os.environ.get(_SETTING)
    os.environ[_SETTING] = setting
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SETTING]
        else:
            os.environ[_SETTING] = before
