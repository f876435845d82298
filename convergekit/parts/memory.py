"""How much memory a run may take, and how many parts follow from it."""

from __future__ import annotations

import re
from typing import Any

from convergekit.base.threads import CORES
from convergekit.errors import ConvergekitError

#: What a part may take if it is not said.
USUAL = "4GB"
#: So many times as much as its rows take, a part takes while it is stitched and asked. Measured of
#: a million rows by `benchmarks.scale` as 4.2, the interpreter and its libraries left out; the rest
#: is for events with more to carry, and for what is kept of the parts.
TIMES_ROWS = 5
#: A block of the source has at most this share of the memory.
OF_A_BLOCK = 1 / 8
#: Files are numbered by part; with more, parts are larger than the memory.
MOST_PARTS = 10_000
#: A cluster of so many rows is stitched however small the parts are.
LEAST_CLUSTER = 100_000
#: Of fewer rows, parts are worked at one after the other: processes take seconds to start.
WORTH_PROCESSES = 500_000
#: What a process that works at a part has at least, its libraries left out.
LEAST_OF_A_PROCESS = 10**9
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*", re.IGNORECASE)


def bytes_of(memory: Any) -> int:
    """Return how many bytes a text such as ``"6GB"`` stands for.

    Raises
    ------
    ConvergekitError

    Examples
    --------
    >>> bytes_of("1.5GB")
    1500000000
    """
    found = _SIZE.fullmatch(memory) if isinstance(memory, str) else None
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if not size:
        raise ConvergekitError(f"memory must be a size such as '6GB' or '500MB'; got {memory!r}.")
    return size


def parts_for(rows_take: int, memory: int, at_once: int = 1) -> int:
    """Return into how many parts rows are split that take so many bytes.

    Rows that fit into the memory together are one part.

    Parameters
    ----------
    rows_take, memory : int
    at_once : int, default 1
        How many parts share the memory.

    Examples
    --------
    >>> parts_for(10 * 10**9, 5 * 10**9), parts_for(10 * 10**9, 5 * 10**9, 2)
    (10, 20)
    >>> parts_for(10**9, 5 * 10**9, 2)
    1
    """
    if rows_take * TIMES_ROWS <= memory:
        return 1
    return min(-(-rows_take * TIMES_ROWS * at_once // memory), MOST_PARTS)


def at_once_in(memory: int, rows: int) -> int:
    """Return at how many parts it is worked at once.

    Examples
    --------
    >>> at_once_in(4 * 10**9, rows=1000)
    1
    """
    if rows < WORTH_PROCESSES:
        return 1
    return max(1, min(CORES, memory // LEAST_OF_A_PROCESS))


def at_once_of(parts: int, rows_take: int, memory: int, rows: int, largest: int) -> int:
    """Return at how many of so many parts it can be worked at once, whoever split the rows.

    Parameters
    ----------
    parts, rows_take, memory, rows : int
    largest : int
        How many rows the largest part has.

    Examples
    --------
    >>> at_once_of(2, rows_take=10**9, memory=4 * 10**9, rows=1000, largest=600)
    1
    """
    # A part is hardly ever of the mean size; what `TIMES_ROWS` has beyond what was measured, a
    # sixth, is for that.
    a_part = max(1, rows_take * largest * TIMES_ROWS // max(rows, 1) * 5 // 6)
    return max(1, min(at_once_in(memory, rows), parts, memory // a_part))
