"""Texts at any positions: Arrow's `take`, compiled for texts as short as properties."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import uintp

from convergekit.base.compiled_text import text_buffers
from convergekit.typing import IntArray

_WORD = 8


def gather(texts: pa.LargeStringArray, at: IntArray) -> pa.LargeStringArray:
    """Return the texts at the positions; missing at -1, and where the text is missing."""
    data, offsets = text_buffers(texts)
    there = _NOTHING
    if texts.null_count:
        there = np.frombuffer(texts.buffers()[0], dtype=np.uint8)
    ends, valid = np.empty(len(at) + 1, dtype=np.int64), np.zeros(-(-len(at) // 8), dtype=np.uint8)
    missing = _measure(offsets, there, texts.offset, at, ends, valid)
    # Whole words are copied, of which the last may reach behind the end.
    content = np.empty(ends[-1] + _WORD, dtype=np.uint8)
    _copy(data, _words(data), offsets, at, ends, content, _words(content))
    return pa.LargeStringArray.from_buffers(
        len(at), pa.py_buffer(ends), pa.py_buffer(content), pa.py_buffer(valid), missing
    )


_NOTHING = np.empty(0, dtype=np.uint8)


def _words(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return the eight bytes at each place as one number, without a copy."""
    count = max(len(content) - _WORD + 1, 0)
    return np.ndarray(count, dtype="<u8", buffer=content if count else b"", strides=(1,))


@numba.njit(nogil=True, cache=True)
def _measure(offsets, there, skipped, at, ends, valid):  # type: ignore[no-untyped-def]
    end, missing = 0, 0
    ends[0] = 0
    for r in range(len(at)):
        p = at[r]
        if p >= 0 and len(there):
            bit = p + skipped
            if not (there[bit >> 3] >> (bit & 7)) & 1:
                p = -1
        if p >= 0:
            end += offsets[p + 1] - offsets[p]
            valid[r >> 3] |= np.uint8(1 << (r & 7))
        else:
            missing += 1
        ends[r + 1] = end
    return missing


@numba.njit(nogil=True, cache=True)
def _copy(data, words, offsets, at, ends, content, to_words):  # type: ignore[no-untyped-def]
    for r in range(len(at)):
        size = ends[r + 1] - ends[r]
        if size == 0:
            continue
        source, target = uintp(offsets[at[r]]), uintp(ends[r])
        stop = target + uintp(size)
        while target < stop and source < uintp(len(words)):
            to_words[target] = words[source]
            source += uintp(8)
            target += uintp(8)
        while target < stop:
            content[target] = data[source]
            source += uintp(1)
            target += uintp(1)
