"""IDs of sessions: the profile's, and when the session began."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import take_or_missing
from convergekit.base.text import to_arrow
from convergekit.typing import IntArray

_DAY, _SECOND, _MILLI = 86_400_000_000, 1_000_000, 1_000
#: Days are written out once, if they are so close together.
_MOST_DAYS = 200_000
Bytes = npt.NDArray[np.uint8]


def session_ids(
    profile_ids: pd.Series, profile: IntArray, began: IntArray, twin: IntArray
) -> pd.Series:
    """Return the IDs of sessions.

    Parameters
    ----------
    profile_ids : pandas.Series of str
        By number.
    profile : numpy.ndarray of int
        The number of each session's profile.
    began : numpy.ndarray of int
        When each began, in microseconds since 1970.
    twin : numpy.ndarray of int
        How many of the profile's sessions before each began at the same moment.

    Examples
    --------
    >>> profiles = pd.Series(["p_1"], dtype="str")
    >>> session_ids(profiles, np.array([0, 0]), np.array([0, 0]), np.array([0, 1])).tolist()
    ['p_1@1970-01-01T00:00:00.000000Z', 'p_1@1970-01-01T00:00:00.000000Z.2']
    """
    ids = to_arrow(take_or_missing(profile_ids.astype("str"), profile))
    found = pc.binary_join_element_wise(ids, _moments(began), _scalar("@"))
    several = np.flatnonzero(twin > 0)
    if len(several):
        counted = pd.Series(twin[several] + 1).astype("str")
        longer = pc.binary_join_element_wise(
            found.take(pa.array(several)), to_arrow(counted), _scalar(".")
        )
        found = pc.replace_with_mask(found, pa.array(twin > 0), longer)
    return pd.Series(pd.array(found, dtype="str"))


def _scalar(text: str) -> pa.LargeStringScalar:
    return pa.scalar(text, pa.large_string())


def _moments(began: IntArray) -> pa.LargeStringArray:
    """Return moments as ``2026-03-02T09:00:00.000000Z``, put together from parts that repeat."""
    day = began // _DAY
    first, last = int(day.min(initial=0)), int(day.max(initial=0))
    if last - first < _MOST_DAYS:
        days, place = np.arange(first, last + 1), day - first
    else:
        days, place = np.unique(day, return_inverse=True)
    written = np.datetime_as_string(days.astype("datetime64[D]")).astype("S10")
    size = len("2026-03-02T09:00:00.000000Z")
    texts = np.empty((len(began), size), dtype=np.uint8)
    texts[:, :10] = written.view(np.uint8).reshape(-1, 10)[place]
    rest = began - day * _DAY
    second, micro = rest // _SECOND, rest % _SECOND
    texts[:, 10:19] = _clock()[second]
    texts[:, 19:23] = _thousand(b".")[micro // _MILLI]
    texts[:, 23:26] = _thousand(b"")[micro % _MILLI]
    texts[:, 26] = ord("Z")
    ends = np.arange(len(began) + 1, dtype=np.int64) * size
    return pa.LargeStringArray.from_buffers(len(began), pa.py_buffer(ends), pa.py_buffer(texts))


@cache
def _clock() -> Bytes:
    """Return each second of a day as ``T09:00:00``."""
    seconds = np.arange(86_400).astype("datetime64[s]")
    written = np.datetime_as_string(seconds).astype("S19")
    return written.view(np.uint8).reshape(86_400, -1)[:, 10:]


@cache
def _thousand(before: bytes) -> Bytes:
    """Return the numbers below a thousand, of three digits each."""
    written = np.array([before + b"%03d" % number for number in range(1_000)])
    return written.view(np.uint8).reshape(1_000, -1)
