"""Step through many short sequences at once.

A rule that looks at one item after another cannot be written as a handful of array operations,
but it can be applied to the first item of every sequence at once, then to the second, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convergekit.typing import IntArray


class Lockstep:
    """Sequences of items, longest first, so that those still going on are always a prefix.

    Parameters
    ----------
    of : numpy.ndarray of int
        Per item, the sequence that it belongs to; ascending, items in their order.

    Attributes
    ----------
    sequence : numpy.ndarray of int
        The sequences, those with the most items first.

    Examples
    --------
    >>> steps = Lockstep(np.array([3, 7, 7]))
    >>> steps.sequence.tolist()
    [7, 3]
    >>> [items.tolist() for items in steps]
    [[1, 0], [2]]
    """

    def __init__(self, of: IntArray) -> None:
        starts = np.flatnonzero(np.diff(of, prepend=-1))
        lengths = np.diff(np.append(starts, len(of)))
        order = np.argsort(-lengths, kind="stable")
        self._starts, self._lengths = starts[order], lengths[order]
        self.sequence: IntArray = of[self._starts]

    def __len__(self) -> int:
        """Return how many sequences there are."""
        return len(self.sequence)

    def __iter__(self) -> Iterator[IntArray]:
        """Yield the positions of the first items of all sequences, of the second, and so on."""
        for turn in range(int(self._lengths.max(initial=0))):
            going = np.searchsorted(-self._lengths, -turn)
            yield self._starts[:going] + turn
