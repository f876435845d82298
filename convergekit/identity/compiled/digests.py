"""The start of the SHA-256 of many texts: `hashlib.sha256`, text by text, compiled.

The algorithm and its constants are those of FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1, 5.3.3 and
6.2.2. With a key it is the HMAC of RFC 2104: a digest of the text behind a block that is made of
the key, and a digest of that digest behind another such block. `hashlib` costs more to call than
to hash texts as short as aliases.
"""

from __future__ import annotations

import hashlib
import itertools

import numba
import numpy as np
import numpy.typing as npt
from numba import uint32

from convergekit.base.compiled_threads import cuts, on_pieces
from convergekit.typing import IntArray

#: How much of each digest is wanted, in bytes.
DIGEST_START = 8

_BLOCK = 64
_PRIMES = [p for p in range(2, 312) if all(p % q for q in range(2, int(p**0.5) + 1))]


def digest_starts(
    content: npt.NDArray[np.uint8], ends: IntArray, key: bytes | None = None
) -> npt.NDArray[np.uint8]:
    """Return the first eight bytes of the SHA-256 of each text, or of its HMAC.

    Parameters
    ----------
    content : numpy.ndarray of uint8
        The texts, one behind the other.
    ends : numpy.ndarray of int64
        Where the first begins, and where each one ends.
    key : bytes, optional
        Of the HMAC.

    Returns
    -------
    numpy.ndarray of uint8
        One row of eight per text.
    """
    count = len(ends) - 1
    found = np.empty((count, DIGEST_START), dtype=np.uint8)
    starts = _START[np.newaxis] if key is None else _behind_blocks(key)
    pieces = itertools.pairwise(cuts(count))
    on_pieces(_digest_texts, [(content, ends, *piece, _ROUNDS, starts, found) for piece in pieces])
    return found


def _behind_blocks(key: bytes) -> npt.NDArray[np.uint32]:
    """Return the states after the block before a text, and after that before its digest."""
    whole = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    padded = np.frombuffer(whole.ljust(_BLOCK, b"\0"), dtype=np.uint8)
    states = np.stack([_START, _START])
    for state, mask in zip(states, (0x36, 0x5C), strict=True):
        words = np.zeros(64, dtype=np.uint32)
        words[:16] = (padded ^ np.uint8(mask)).view(">u4")
        _take_in(words, _ROUNDS, state)
    return states


def _root_bits(root: int, primes: list[int]) -> npt.NDArray[np.uint32]:
    """Return the first 32 bits of the fractional parts of the primes' roots, as integers do it."""
    found = []
    for prime in primes:
        wanted = prime << (32 * root)
        low, high = 0, 1 << 40
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**root <= wanted else (low, middle)
        found.append(low & 0xFFFFFFFF)
    return np.array(found, dtype=np.uint32)


_ROUNDS = _root_bits(3, _PRIMES)
_START = _root_bits(2, _PRIMES[:8])


@numba.njit(nogil=True, cache=True, inline="always")
def _turned(word, by):  # type: ignore[no-untyped-def]
    """Return a word turned right by so many bits."""
    return uint32((word >> uint32(by)) | (word << uint32(32 - by)))


@numba.njit(nogil=True, cache=True)
def _take_in(words, rounds, state):  # type: ignore[no-untyped-def]
    """Take a block of sixteen words into the state; `words` has room for sixty-four."""
    for t in range(16, 64):
        before, further = words[t - 15], words[t - 2]
        small_0 = _turned(before, 7) ^ _turned(before, 18) ^ (before >> uint32(3))
        small_1 = _turned(further, 17) ^ _turned(further, 19) ^ (further >> uint32(10))
        words[t] = uint32(words[t - 16] + small_0 + words[t - 7] + small_1)
    a, b, c, d = state[0], state[1], state[2], state[3]
    e, f, g, h = state[4], state[5], state[6], state[7]
    for t in range(64):
        large_1 = _turned(e, 6) ^ _turned(e, 11) ^ _turned(e, 25)
        chosen = (e & f) ^ (~e & g)
        first = uint32(h + large_1 + chosen + rounds[t] + words[t])
        large_0 = _turned(a, 2) ^ _turned(a, 13) ^ _turned(a, 22)
        majority = (a & b) ^ (a & c) ^ (b & c)
        h, g, f, e = g, f, e, uint32(d + first)
        d, c, b, a = c, b, a, uint32(first + large_0 + majority)
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h


@numba.njit(nogil=True, cache=True)
def _take_in_text(content, begin, size, before, words, rounds, state):  # type: ignore[no-untyped-def]
    """Take a text into the state, behind so many blocks."""
    # The text, a bit, zeros, and the length in bits: whole blocks of 64 bytes.
    for block in range((size + 8) // _BLOCK + 1):
        words[:16] = 0
        for k in range(_BLOCK):
            i = block * _BLOCK + k
            if i > size:
                break
            byte = uint32(content[begin + i]) if i < size else uint32(0x80)
            words[k // 4] |= byte << uint32(24 - 8 * (k % 4))
        if (block + 1) * _BLOCK - size >= 9:
            bits = (before * _BLOCK + size) * 8
            words[14] = uint32(bits >> 32)
            words[15] = uint32(bits)
        _take_in(words, rounds, state)


@numba.njit(nogil=True, cache=True)
def _digest_texts(content, ends, low, high, rounds, starts, found):  # type: ignore[no-untyped-def]
    """Write digests from the first of the states on, and of these from the second if there is."""
    words, state = np.empty(64, np.uint32), np.empty(8, np.uint32)
    digest = np.empty(32, np.uint8)
    before = len(starts) - 1
    for text in range(low, high):
        begin, size = ends[text], ends[text + 1] - ends[text]
        # Not `state[:] = start`, which takes numba four seconds to compile.
        for k in range(8):
            state[k] = starts[0, k]
        _take_in_text(content, begin, size, before, words, rounds, state)
        if before:
            for k in range(32):
                digest[k] = state[k // 4] >> uint32(24 - 8 * (k % 4))
            for k in range(8):
                state[k] = starts[1, k]
            _take_in_text(digest, 0, 32, before, words, rounds, state)
        for k in range(DIGEST_START):
            found[text, k] = state[k // 4] >> uint32(24 - 8 * (k % 4))
