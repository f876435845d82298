"""Columns of text that are not read before they are looked at.

Most questions look at a few columns of a part's events, and most of what a part takes to be loaded
is text. What looks at all columns gets all, so nothing has to say beforehand which it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import pandas as pd
import pyarrow as pa

_TEXT = pd.Series(dtype="str").dtype


class UnreadText(pd.arrays.ArrowStringArray):  # type: ignore[misc]
    """The texts of a column, as pandas holds them, read when something looks at them.

    pandas makes views and copies of columns that nobody looks at; these are not read either. All
    else that is made of the texts is an array as any other.

    Examples
    --------
    >>> names = unread_text(lambda: pa.array(["a", "b"], pa.large_string()), 2)
    >>> frame = pd.DataFrame({"name": names}).copy()
    >>> len(frame), frame["name"].array.is_read
    (2, False)
    >>> frame["name"].tolist(), frame["name"].array.is_read
    (['a', 'b'], True)
    """

    #: What was found of all columns of the file before, by name; None of other texts than its own.
    beside: dict[str, Callable[[], Any]] | None = None
    _texts: pa.ChunkedArray | None
    _read: Callable[[], pa.Array | pa.ChunkedArray]
    _size: int

    @classmethod
    def of(
        cls,
        read: Callable[[], pa.Array | pa.ChunkedArray],
        size: int,
        beside: dict[str, Callable[[], Any]] | None = None,
    ) -> Self:
        """Return texts that a function returns as Arrow's; it is known how many."""
        found = cls.__new__(cls)
        # As pandas makes an array, but that its texts are not there yet.
        found.__dict__.update(
            _texts=None, _read=read, _size=size, beside=beside, _dtype=_TEXT, _cache={}
        )
        return found

    @property
    def is_read(self) -> bool:
        """Whether something has looked at the texts."""
        return self._texts is not None

    @property
    def _pa_array(self) -> pa.ChunkedArray:
        """The texts, where pandas keeps them."""
        if self._texts is None:
            found = self._read()
            self._texts = pa.chunked_array([found]) if isinstance(found, pa.Array) else found
        return self._texts

    @_pa_array.setter
    def _pa_array(self, texts: pa.ChunkedArray) -> None:
        self._texts, self._size = texts, len(texts)

    def __len__(self) -> int:
        """Return how many texts there are."""
        return self._size

    def view(self, dtype: Any = None) -> Any:
        """Return the same texts as another array, unread if these are."""
        return super().view(dtype) if self.is_read or dtype is not None else self.copy()

    def copy(self) -> Any:
        """Return the same texts as another array, unread if these are."""
        return super().copy() if self.is_read else self.of(self._read, self._size, self.beside)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the array where the file is not, in another process."""
        return _read_text, (self._pa_array.combine_chunks(),)


def _read_text(texts: pa.Array) -> Any:
    return pd.Series(texts, dtype="str").array


def unread_text(
    read: Callable[[], pa.Array | pa.ChunkedArray],
    size: int,
    beside: dict[str, Callable[[], Any]] | None = None,
) -> pd.Series:
    """Return a column of texts that a function returns as Arrow's, once something looks at them."""
    return pd.Series(UnreadText.of(read, size, beside), copy=False)


def keep_beside(frame: pd.DataFrame, name: str, find: Callable[[], Any]) -> None:
    """Keep how to find beside unread columns what was found of them before, under a name."""
    for _, column in frame.items():
        beside = getattr(column.array, "beside", None)
        if beside is not None:
            beside[name] = find


def found_before(columns: Sequence[pd.Series], name: str) -> Any:
    """Return what was found before of these columns, which are all of one file; None otherwise.

    Columns of which some rows are taken, or that are changed, are not the file's any more.
    """
    held = [getattr(column.array, "beside", None) for column in columns]
    first = held[0] if held else None
    if first is None or name not in first or any(one is not first for one in held):
        return None
    return first[name]()
