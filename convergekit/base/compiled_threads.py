"""Pieces of arrays, for the cores to work on at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from convergekit.base.threads import CORES, WORTH_THREADS, on_idle_cores
from convergekit.typing import IntArray

R = TypeVar("R")


def cuts(size: int, each: int = 1) -> list[int]:
    """Return where to cut so many items, so many pieces for each thread.

    Examples
    --------
    >>> cuts(10)
    [0, 10]
    """
    pieces = each * CORES if size >= WORTH_THREADS else 1
    return [size * piece // pieces for piece in range(pieces + 1)]


def shares(sizes: IntArray) -> tuple[IntArray, IntArray]:
    """Return where each piece's share of each part begins: part by part, and piece by piece within.

    Parameters
    ----------
    sizes : numpy.ndarray of int
        Of each piece (row), how much of it is of each part (column).

    Returns
    -------
    places : numpy.ndarray of int
        In the shape of `sizes`.
    bounds : numpy.ndarray of int
        Where each part begins, and the last one ends.

    Examples
    --------
    >>> places, bounds = shares(np.array([[2, 1], [0, 3]]))
    >>> places.tolist(), bounds.tolist()
    ([[0, 2], [2, 3]], [0, 2, 6])
    """
    ends = np.cumsum(sizes.T.ravel())
    places = np.ascontiguousarray((ends - sizes.T.ravel()).reshape(sizes.T.shape).T)
    return places, np.append(places[0], ends[-1])


def on_pieces(work: Callable[..., R], pieces: Sequence[tuple[Any, ...]]) -> list[R]:
    """Call the work with each piece's arguments and return the results in their order."""
    return on_idle_cores(lambda piece: work(*piece), pieces)
