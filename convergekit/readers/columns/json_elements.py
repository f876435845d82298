"""The objects of a JSON array as the bytes of each, found by brackets and quotes alone.

So they are read by whole columns as lines are. Nothing is decided here about what the objects say:
that what is between them is right says only that each may be read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.typing import BoolArray, IntArray

#: So many bytes are looked at at once, which stay near the processor.
_CHUNK = 1 << 20
_QUOTE, _ESCAPE, _OPEN, _CLOSE = b'"\\{}'
#: It is all in which a square bracket and a curly one differ.
_CURLY = 0x20
_BREAKS = b"\n\r"
_AS_SPACES = bytes.maketrans(_BREAKS, b"  ")


@dataclass(frozen=True)
class Elements:
    """The objects of the longest list in a JSON text that is an array, or an object of lists.

    Attributes
    ----------
    texts : list of bytes
        Each object, without line breaks.
    around : bytes
        The text with the first of them in place of all; empty where it is an array.
    """

    texts: list[bytes]
    around: bytes


def elements_of(content: bytes) -> Elements | None:
    r"""Return the objects of a text, None if it has another shape or breaks lines in a value.

    Parameters
    ----------
    content : bytes

    Examples
    --------
    >>> elements_of(b'[{"a": "]"},\n{"b": [1]}]').texts
    [b'{"a": "]"}', b'{"b": [1]}']
    >>> elements_of(b'{"n": 2, "rows": [{"a": 1}, {"a": 2}]}').around
    b'{"n": 2, "rows": [{"a": 1}]}'
    >>> elements_of(b'[{"a": 1}, 7]') is None, elements_of(b'{"a": 1}\n{"b": 2}') is None
    (True, True)
    """
    is_array = content.lstrip().startswith(b"[")
    scanned = _scanned(content, 2 if is_array else 3)
    if scanned is None:
        return None
    begins, ends = scanned
    if not len(begins):
        return None
    if any(byte in content for byte in _BREAKS):
        content = content.translate(_AS_SPACES)
    lists = _lists(content, begins, ends)
    first, last = max(lists, key=lambda found: found[1] - found[0])
    start, end = int(begins[first]), int(ends[last - 1])
    before, after = content[:start].rstrip()[-1:], content[end:].lstrip()[:1]
    if (before, after) != (b"[", b"]"):
        return None
    if is_array and (content[:start].strip(), content[end:].strip()) != (b"[", b"]"):
        return None
    pairs = zip(begins[first:last].tolist(), ends[first:last].tolist(), strict=True)
    texts = [content[begin:end] for begin, end in pairs]
    around = b"" if is_array else content[:start] + texts[0] + content[end:]
    return Elements(texts, around)


def lists_of(content: bytes) -> tuple[list[list[bytes]], bytes] | None:
    r"""Return the lists of objects in an object, and this with a number in place of each.

    None where it has another shape.

    Parameters
    ----------
    content : bytes

    Examples
    --------
    >>> lists_of(b'{"data": [{"a": 1}, {"a": 2}], "more": [{"b": 3}], "n": []}')
    ([[b'{"a": 1}', b'{"a": 2}'], [b'{"b": 3}']], b'{"data": [0], "more": [1], "n": []}')
    """
    scanned = _scanned(content, 3)
    if scanned is None:
        return None
    begins, ends = scanned
    if any(byte in content for byte in _BREAKS):
        content = content.translate(_AS_SPACES)
    lists: list[list[bytes]] = []
    around: list[bytes] = []
    done = 0
    for first, last in _lists(content, begins, ends) if len(begins) else ():
        pairs = zip(begins[first:last].tolist(), ends[first:last].tolist(), strict=True)
        around += content[done : int(begins[first])], b"%d" % len(lists)
        lists.append([content[begin:end] for begin, end in pairs])
        done = int(ends[last - 1])
    return lists, b"".join([*around, content[done:]])


def _lists(content: bytes, begins: IntArray, ends: IntArray) -> list[tuple[int, int]]:
    """Return the first and the last but one of the objects between which there are commas alone."""
    between = zip(ends[:-1].tolist(), begins[1:].tolist(), strict=True)
    apart = [place for place, (end, begin) in enumerate(between, start=1)
             if content[end:begin].strip() != b","]  # fmt: skip
    return list(zip([0, *apart], [*apart, len(begins)], strict=True))


def _scanned(content: bytes, level: int) -> tuple[IntArray, IntArray] | None:
    """Return where the objects of a level begin, and where each has ended.

    None where a value breaks its line, brackets are not closed, or something follows them.
    """
    given = np.frombuffer(content, dtype=np.uint8)
    begins: list[IntArray] = []
    ends: list[IntArray] = []
    depth, quoted, start = 0, 0, 0
    while start < len(given):
        stop = min(start + _CHUNK, len(given))
        while stop < len(given) and given[stop - 1] == _ESCAPE:
            stop += 1
        part = given[start:stop]
        quotes = _unescaped(part, np.flatnonzero(part == _QUOTE))
        folded = part | _CURLY
        brackets = np.flatnonzero((folded == _OPEN) | (folded == _CLOSE))
        brackets = brackets[_outside(brackets, quotes, quoted)]
        breaks = np.flatnonzero((part == _BREAKS[0]) | (part == _BREAKS[1]))
        if not _outside(breaks, quotes, quoted).all():
            return None
        opens = folded[brackets] == _OPEN
        depths = depth + np.cumsum(np.where(opens, 1, -1))
        curly = part[brackets] == folded[brackets]
        # Nothing is behind the last bracket but space, so that it closes all.
        early = depths[:-1] if stop == len(given) else depths
        if len(depths) and (early < 1).any():
            return None
        begins.append(brackets[opens & curly & (depths == level)] + start)
        ends.append(brackets[~opens & curly & (depths == level - 1)] + start + 1)
        depth = int(depths[-1]) if len(depths) else depth
        quoted = (quoted + len(quotes)) % 2
        start = stop
    begun, ended = np.concatenate(begins), np.concatenate(ends)
    whole = not depth and not quoted and len(begun) == len(ended)
    # In pairs, for a curly bracket may not close a square one.
    paired = whole and bool((begun < ended).all()) and bool((ended[:-1] <= begun[1:]).all())
    return (begun, ended) if paired else None


def _outside(places: IntArray, quotes: IntArray, quoted: int) -> BoolArray:
    """Return which places are not in quotes."""
    outside: BoolArray = (np.searchsorted(quotes, places) + quoted) % 2 == 0
    return outside


def _unescaped(part: np.ndarray[tuple[int], np.dtype[np.uint8]], quotes: IntArray) -> IntArray:
    """Return the quotes before which an even number of backslashes stand."""
    maybe = (quotes > 0) & (part[quotes - 1] == _ESCAPE)
    if not maybe.any():
        return quotes
    escapes = np.flatnonzero(part == _ESCAPE)
    starts = np.ones(len(escapes), dtype=bool)
    starts[1:] = np.diff(escapes) > 1
    first = escapes[starts][np.cumsum(starts) - 1]
    before = quotes[maybe] - 1
    odd = (before - first[np.searchsorted(escapes, before)]) % 2 == 0
    kept = np.ones(len(quotes), dtype=bool)
    kept[np.flatnonzero(maybe)[odd]] = False
    return quotes[kept]
