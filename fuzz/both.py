"""Frames of any dtype: every question of them, and the same answer in memory and in a store."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.tagged_json import Opaque
from convergekit.base.text import text_of
from fuzz.frames import frames
from fuzz.oracle import BrokenPromiseError, check_message, check_rows
from fuzz.questions import ask_everything

_TABLES = ("events", "rejected", "duplicates", "profiles", "aliases")


@dataclass(frozen=True)
class Asked:
    """A frame, and whether a store is asked as well, which takes longest.

    Attributes
    ----------
    frame : pandas.DataFrame
    in_store, figures : bool
    """

    frame: pd.DataFrame
    in_store: bool
    figures: bool


def asked() -> st.SearchStrategy[Asked]:
    """Return a strategy of frames to ask everything of."""
    seldom = st.sampled_from([True, False, False])
    return st.builds(Asked, frames(), seldom, seldom)


def check_asked(drawn: Asked) -> None:
    """Stitch a frame and ask everything; in a store the answer is the same.

    Raises
    ------
    BrokenPromiseError
    """
    s = _stitched(drawn.frame)
    if s is not None:
        check_rows(s, len(drawn.frame))
        ask_everything(s, figures=drawn.figures)
    if drawn.in_store:
        _check_store(drawn.frame, s)


def _stitched(frame: pd.DataFrame) -> ck.Stitched | None:
    try:
        return ck.stitch(frame)
    except ck.ConvergekitError as error:
        check_message(error)
        return None


def _check_store(frame: pd.DataFrame, s: ck.Stitched | None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            store = ck.open_store(Path(directory, "store"))
            added = store.add(frame)
            again = store.stitched()
        except ck.ConvergekitError as error:
            check_message(error)
            if s is None:
                return
            raise BrokenPromiseError(f"the store refuses what stitch takes: {error}") from None
        if s is None:
            raise BrokenPromiseError("the store takes what stitch refuses")
        if added.rows != len(frame):
            raise BrokenPromiseError(f"{len(frame)} rows were added, it says {added.rows}")
        if store.add(frame).batch is not None:
            raise BrokenPromiseError("the same frame is added twice")
    for name in _TABLES:
        _check_same(name, getattr(s, name), getattr(again, name))


def _check_same(table: str, one: pd.DataFrame, other: pd.DataFrame) -> None:
    if set(one) != set(other) or len(one) != len(other):
        raise BrokenPromiseError(f"{table} of a store has other columns or rows")
    for name in one:
        pair = [list(map(comparable, column)) for column in (one[name], other[name])]
        if pair[0] != pair[1]:
            raise BrokenPromiseError(f"{table} of a store: {name!r} is {pair[1]}, not {pair[0]}")


def comparable(cell: Any) -> Any:
    """Return a cell as what it says, for types may be others in a store."""
    if isinstance(cell, (list, tuple)):
        return [comparable(item) for item in cell]
    if isinstance(cell, dict):
        return {str(comparable(key)): comparable(value) for key, value in cell.items()}
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, Opaque):
        return ("text", cell.text)
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, (pd.Timestamp, pd.Timedelta)):
        # A store keeps microseconds. Of a unit as coarse as that, or coarser, nothing is cut off.
        return cell.floor("us") if cell.unit == "ns" and -_FAR < cell.value < _FAR else cell
    return cell if isinstance(cell, _KNOWN) else ("text", text_of(cell))


#: So far from 1970 that pandas cannot round.
_FAR = 2**62
_KNOWN = (
    str, int, float, complex, bytes, set, frozenset, datetime.date, datetime.time,
    datetime.timedelta, pd.Period, pd.Interval,
)  # fmt: skip
