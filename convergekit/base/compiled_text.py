"""Number texts in the order of their first appearance: `pandas.factorize`, compiled.

Texts are hashed where Arrow keeps them, pieces of them by all threads. Numbering then looks at
the hashes alone: those that begin with the same bits are brought together, so that each such part
and its table fit into the processor's cache. Afterwards every text is compared with the first one
of its number; should two texts ever share a hash, `pandas.factorize` does it all.
"""

from __future__ import annotations

import itertools
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from numba import uint64, uintp

from convergekit.base.compiled_threads import cuts, on_pieces, shares
from convergekit.base.text import arrow_array
from convergekit.typing import IntArray

Int32Array = npt.NDArray[np.int32]
Chunk = tuple[npt.NDArray[np.uint8], IntArray]

_MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
#: So many texts are brought together at a time.
_PART = 4096
#: Distinct texts are few up to here.
_FEW = 1024


def number_text(
    values: pd.Series, at: IntArray | None = None
) -> tuple[Int32Array, pa.LargeStringArray]:
    """Return numbers for the texts at some positions, as `pandas.factorize` does.

    Parameters
    ----------
    values : pandas.Series of str
    at : numpy.ndarray of int, optional
        Positions in `values`, ascending; all if left out.

    Returns
    -------
    codes : numpy.ndarray of int32
        Of each position, the number of its text; -1 where it is missing.
    distinct : pyarrow.LargeStringArray
    """
    held = pa.array(values, from_pandas=True)
    if not held.null_count:
        return number_present(held, np.arange(len(held)) if at is None else at)
    at = np.arange(len(held)) if at is None else at
    there = np.asarray(held.is_valid())[at]
    found, distinct = number_present(held, at[there])
    codes = np.full(len(at), -1, dtype=np.int32)
    codes[there] = found
    return codes, distinct


def number_present(
    held: pa.Array | pa.ChunkedArray, at: IntArray
) -> tuple[Int32Array, pa.LargeStringArray]:
    """Return numbers for the texts at some positions, ascending, of which none is missing."""
    size = len(at)
    chosen = None if size == len(held) else at
    # To the kernels, no positions are all of them.
    at = np.empty(0, dtype=np.int64) if chosen is None else chosen
    chunks = _chunks(held)
    pieces = _pieces(chunks, chosen)
    few = _number_few(held, chunks, pieces, at, size)
    if few is not None:
        return few
    bits = int(np.clip(np.log2(max(size, 1) / _PART), 1, 12))
    hashes = np.empty(size, dtype=np.uint64)
    on_pieces(_hash_texts, [(*chunks[c], at, base, lo, hi, hashes) for c, base, lo, hi in pieces])
    codes, opens = number_hashes(hashes, bits)
    del hashes
    first = np.flatnonzero(opens)
    distinct = take_text(held, first if chosen is None else chosen[first])
    equal = on_pieces(
        _texts_are_equal,
        [
            (*chunks[c], at, base, lo, hi, codes, *text_buffers(distinct))
            for c, base, lo, hi in pieces
        ],
    )
    if not all(equal):
        part = held if chosen is None else take_text(held, chosen)
        found, texts = pd.factorize(pd.Series(part, dtype="str"))
        return found.astype(np.int32), arrow_array(pa.array(texts))
    return codes, distinct


def _number_few(
    held: pa.Array | pa.ChunkedArray,
    chunks: list[Chunk],
    pieces: list[tuple[int, int, int, int]],
    at: IntArray,
    size: int,
) -> tuple[Int32Array, pa.LargeStringArray] | None:
    """Return numbers for texts of which few are distinct, such as event names; None if many.

    Each piece is numbered by itself, in a table that stays in the fastest cache.
    """
    codes = np.empty(size, dtype=np.int32)
    firsts = np.empty((len(pieces), _FEW), dtype=np.int64)
    work = [
        (*chunks[c], at, base, lo, hi, codes, firsts[i])
        for i, (c, base, lo, hi) in enumerate(pieces)
    ]
    counts = on_pieces(_number_piece, work[:1])
    if -1 in counts:
        return None
    counts += on_pieces(_number_piece, work[1:])
    if -1 in counts:
        return None
    opening = [pa.array([], pa.large_string())]
    opening += [take_text(held, rows[:count]) for count, rows in zip(counts, firsts, strict=True)]
    numbered = pa.concat_arrays(opening).dictionary_encode()
    renamed = numbered.indices.to_numpy()
    starts = np.cumsum([0, *counts])
    for (_, _, lo, hi), start, stop in zip(pieces, starts[:-1], starts[1:], strict=True):
        codes[lo:hi] = renamed[start:stop][codes[lo:hi]]
    return codes, numbered.dictionary


def take_text(held: pa.Array | pa.ChunkedArray, at: IntArray) -> pa.LargeStringArray:
    """Return the texts at some positions, ascending.

    Arrow's own `take` would copy all chunks into one before.
    """
    if isinstance(held, pa.Array):
        return arrow_array(held.take(pa.array(at)))
    ends = np.cumsum([len(chunk) for chunk in held.chunks])
    edges = np.searchsorted(at, ends).tolist()
    parts = [
        arrow_array(chunk.take(pa.array(at[lo:hi] - (end - len(chunk)))))
        for chunk, end, lo, hi in zip(held.chunks, ends, [0, *edges], edges, strict=False)
        if lo < hi
    ]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())


def number_hashes(
    hashes: npt.NDArray[np.uint64], bits: int
) -> tuple[Int32Array, npt.NDArray[np.uint8]]:
    """Return numbers for hashes, in the order of first appearance, and mark these appearances.

    They are brought together by their first `bits` bits.
    """
    size, parts, shift = len(hashes), 1 << bits, np.uint64(64 - bits)
    pieces = list(itertools.pairwise(cuts(size)))
    sizes = np.zeros((len(pieces), parts), dtype=np.int64)
    on_pieces(_count_parts, [(hashes, *piece, shift, sizes[i]) for i, piece in enumerate(pieces)])
    places, bounds = shares(sizes)
    place, together = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.uint64)
    on_pieces(
        _bring_together,
        [(hashes, *piece, shift, places[i], place, together) for i, piece in enumerate(pieces)],
    )
    local, opener = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    counts = np.zeros(parts, dtype=np.int64)
    spans = [(0, parts // 2), (parts // 2, parts)] if len(pieces) > 1 else [(0, parts)]
    on_pieces(_number_parts, [(together, bounds, *span, local, opener, counts) for span in spans])
    opens = np.zeros(size, dtype=np.uint8)
    _mark_openers(place, bounds, opener, counts, opens)
    rank = np.empty(size, dtype=np.int32)
    _rank(opens, rank)
    codes = np.empty(size, dtype=np.int32)
    on_pieces(
        _rename, [(place, bounds, local, opener, counts, rank, *span, codes) for span in spans]
    )
    return codes, opens


def _chunks(held: pa.Array | pa.ChunkedArray) -> list[Chunk]:
    """Return each chunk's bytes and offsets, looked at where they are."""
    parts = held.chunks if isinstance(held, pa.ChunkedArray) else [held]
    return [text_buffers(arrow_array(part)) for part in parts if len(part)]


def text_buffers(text: pa.LargeStringArray) -> Chunk:
    """Return the texts' bytes, and where each begins and the last one ends."""
    _, offsets, data = text.buffers()
    places = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), places


def _pieces(chunks: list[Chunk], at: IntArray | None) -> list[tuple[int, int, int, int]]:
    """Cut the positions by chunks, and for the threads: chunk, its base, from and to in `at`."""
    ends = np.cumsum([len(offsets) - 1 for _, offsets in chunks])
    edges = ends if at is None else np.searchsorted(at, ends)
    size = int(edges[-1]) if len(edges) else 0
    pieces, low, base = [], 0, 0
    for chunk, (edge, end) in enumerate(zip(edges.tolist(), ends.tolist(), strict=True)):
        inner = [cut for cut in cuts(size) if low < cut < edge]
        pieces += [(chunk, base, lo, hi) for lo, hi in itertools.pairwise([low, *inner, edge])]
        low, base = edge, end
    return [piece for piece in pieces if piece[2] < piece[3]]


@numba.njit(nogil=True, cache=True, inline="always")
def _word(data, i):  # type: ignore[no-untyped-def]
    """Return eight bytes as one number."""
    word = uint64(data[i])
    for k in range(1, 8):
        word |= uint64(data[i + uintp(k)]) << uint64(8 * k)
    return word


@numba.njit(nogil=True, cache=True, inline="always")  # type: ignore[untyped-decorator]
def hash_text(data: npt.NDArray[np.uint8], i: Any, end: Any) -> Any:
    """Return a hash of the bytes from `i` to `end`."""
    h = uint64(end - i) * _MIX_1
    while i + uintp(8) <= end:
        h = (h ^ _word(data, i)) * _MIX_2
        h ^= h >> uint64(32)
        i += uintp(8)
    rest = uint64(0)
    while i < end:
        rest = (rest << uint64(8)) | uint64(data[i])
        i += uintp(1)
    h = (h ^ rest) * _MIX_2
    h ^= h >> uint64(29)
    h *= _MIX_1
    return h ^ (h >> uint64(32))


@numba.njit(nogil=True, cache=True, inline="always")
def _same(data, i, end, other_data, j, other_end):  # type: ignore[no-untyped-def]
    if other_end - j != end - i:
        return False
    while i + uintp(8) <= end:
        if _word(data, i) != _word(other_data, j):
            return False
        i += uintp(8)
        j += uintp(8)
    while i < end:
        if data[i] != other_data[j]:
            return False
        i += uintp(1)
        j += uintp(1)
    return True


@numba.njit(nogil=True, cache=True)
def _number_piece(data, offsets, at, base, lo, hi, codes, firsts):  # type: ignore[no-untyped-def]
    """Give numbers to the texts of a piece if few, and return how many they are, or -1."""
    last = uint64(4 * len(firsts) - 1)
    number, seen = np.full(last + 1, -1, np.int32), np.empty(last + 1, np.uint64)
    found = 0
    for r in range(lo, hi):
        row = (at[r] if len(at) else r) - base
        begin, end = uintp(offsets[row]), uintp(offsets[row + 1])
        h = hash_text(data, begin, end)
        slot = h & last
        while number[slot] >= 0:
            if seen[slot] == h:
                same = firsts[number[slot]] - base
                if _same(data, begin, end, data, uintp(offsets[same]), uintp(offsets[same + 1])):
                    break
            slot = (slot + uint64(1)) & last
        if number[slot] < 0:
            if found == len(firsts):
                return -1
            number[slot], seen[slot] = found, h
            firsts[found] = row + base
            found += 1
        codes[r] = number[slot]
    return found


@numba.njit(nogil=True, cache=True)
def _hash_texts(data, offsets, at, base, lo, hi, out):  # type: ignore[no-untyped-def]
    for r in range(lo, hi):
        row = (at[r] if len(at) else r) - base
        out[r] = hash_text(data, uintp(offsets[row]), uintp(offsets[row + 1]))


@numba.njit(nogil=True, cache=True)
def _count_parts(hashes, lo, hi, shift, sizes):  # type: ignore[no-untyped-def]
    for r in range(lo, hi):
        sizes[hashes[r] >> shift] += 1


@numba.njit(nogil=True, cache=True)
def _bring_together(hashes, lo, hi, shift, places, place, together):  # type: ignore[no-untyped-def]
    for r in range(lo, hi):
        h = hashes[r]
        k = places[h >> shift]
        place[k] = r
        together[k] = h
        places[h >> shift] = k + 1


@numba.njit(nogil=True, cache=True)
def _number_parts(hashes, bounds, begin, end, local, opener, counts):  # type: ignore[no-untyped-def]
    """Give numbers to the hashes of each part, by a table that grows."""
    size = 4096
    number, seen = np.empty(size, np.int32), np.empty(size, np.uint64)
    for p in range(begin, end):
        lo = bounds[p]
        found = 0
        last = uint64(size - 1)
        number[:] = -1
        for k in range(lo, bounds[p + 1]):
            h = hashes[k]
            slot = h & last
            while number[slot] >= 0 and seen[slot] != h:
                slot = (slot + uint64(1)) & last
            local[k] = number[slot]
            if number[slot] < 0:
                local[k] = number[slot] = found
                seen[slot] = h
                opener[lo + found] = k
                found += 1
                if 2 * found > size:
                    size *= 4
                    last = uint64(size - 1)
                    number, seen = np.full(size, -1, np.int32), np.empty(size, np.uint64)
                    for n in range(found):
                        h = hashes[opener[lo + n]]
                        slot = h & last
                        while number[slot] >= 0:
                            slot = (slot + uint64(1)) & last
                        number[slot] = n
                        seen[slot] = h
        counts[p] = found


@numba.njit(nogil=True, cache=True)
def _mark_openers(place, bounds, opener, counts, opens):  # type: ignore[no-untyped-def]
    for p in range(len(counts)):
        for k in range(bounds[p], bounds[p] + counts[p]):
            opener[k] = place[opener[k]]
            opens[opener[k]] = 1


@numba.njit(nogil=True, cache=True)
def _rank(opens, rank):  # type: ignore[no-untyped-def]
    found = 0
    for r in range(len(opens)):
        rank[r] = found
        found += opens[r]


@numba.njit(nogil=True, cache=True)
def _rename(place, bounds, local, opener, counts, rank, begin, end, codes):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        lo = bounds[p]
        for k in range(lo, lo + counts[p]):
            opener[k] = rank[opener[k]]
        for k in range(lo, bounds[p + 1]):
            codes[place[k]] = opener[lo + local[k]]


@numba.njit(nogil=True, cache=True)
def _texts_are_equal(  # type: ignore[no-untyped-def]
    data, offsets, at, base, lo, hi, codes, first_data, first_offsets
):
    """Return whether every text is equal to the first one of its number."""
    for r in range(lo, hi):
        row, code = (at[r] if len(at) else r) - base, codes[r]
        if not _same(
            data,
            uintp(offsets[row]),
            uintp(offsets[row + 1]),
            first_data,
            uintp(first_offsets[code]),
            uintp(first_offsets[code + 1]),
        ):
            return False
    return True
