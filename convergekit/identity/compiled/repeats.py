"""Texts that may occur twice: what `dedupe` compares exactly, found by hashes of whole texts."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pyarrow as pa
from numba import uint64, uintp

from convergekit.base.compiled_text import hash_text, text_buffers
from convergekit.base.compiled_threads import cuts, on_pieces
from convergekit.typing import IntArray


def maybe_repeated(texts: pa.LargeStringArray) -> IntArray:
    """Return the positions of all repeated texts, and of a few others; of none that is missing."""
    data, offsets = text_buffers(texts)
    there = np.asarray(texts.is_valid())
    hashes = np.empty(len(texts), dtype=np.uint64)
    pieces = list(itertools.pairwise(cuts(len(texts))))
    on_pieces(_hash_texts, [(data, offsets, there, *piece, hashes) for piece in pieces])
    # So many buckets that most have one text or none, of two bits each.
    bits = int(np.clip(len(texts).bit_length() + 4, 10, 30))
    return _in_shared_buckets(hashes, there, bits)


@numba.njit(nogil=True, cache=True)
def _hash_texts(data, offsets, there, lo, hi, hashes):  # type: ignore[no-untyped-def]
    for r in range(lo, hi):
        if there[r]:
            hashes[r] = hash_text(data, uintp(offsets[r]), uintp(offsets[r + 1]))


@numba.njit(nogil=True, cache=True)
def _in_shared_buckets(hashes, there, bits):  # type: ignore[no-untyped-def]
    shift = uint64(64 - bits)
    once, twice = np.zeros((1 << bits) >> 3, np.uint8), np.zeros((1 << bits) >> 3, np.uint8)
    for r in range(len(hashes)):
        if there[r]:
            bucket = hashes[r] >> shift
            bit = np.uint8(1 << (bucket & uint64(7)))
            twice[bucket >> uint64(3)] |= once[bucket >> uint64(3)] & bit
            once[bucket >> uint64(3)] |= bit
    count = 0
    found = np.empty(len(hashes), np.int64)
    for r in range(len(hashes)):
        if there[r]:
            bucket = hashes[r] >> shift
            if twice[bucket >> uint64(3)] & np.uint8(1 << (bucket & uint64(7))):
                found[count] = r
                count += 1
    return found[:count].copy()
