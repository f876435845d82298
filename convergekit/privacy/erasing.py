"""Erase texts from columns of any type, and leave nothing of them behind.

pandas and Arrow keep more than they show: the categories that no cell has, the words of a
dictionary, the rows around a slice, and the number below a missing value's mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.records import take_or_missing
from convergekit.base.text import arrow_array
from convergekit.privacy.spellings import Addresses
from convergekit.typing import BoolArray

#: What is to stand instead of a text: nothing, another, or the very text that was given.
Instead = Callable[[str], str | None]


def column_without(
    column: pd.Series, addresses: Addresses, instead: Instead, numbers: Iterable[int] = ()
) -> tuple[pd.Series, BoolArray]:
    """Return a column without addresses, and which cells were changed.

    Parameters
    ----------
    column : pandas.Series
        Of any dtype, with a fresh index. Never changed.
    addresses : Addresses
    instead : callable
        What is to stand instead of a text that may hold one. A list, an object or anything else
        that is not text goes as a whole.
    numbers : iterable of int
        Numbers that are to go.

    Examples
    --------
    >>> ada = Addresses(frozenset(), emails=frozenset({"ada@x.org"}))
    >>> column = pd.Series(["for ada@x.org", "ada@x.org", "b"], dtype="category")
    >>> found, changed = column_without(column, ada, ada.without)
    >>> found.tolist(), found.cat.categories.tolist(), changed.tolist()
    (['for (erased)', nan, 'b'], ['b', 'for (erased)'], [True, True, False])
    """
    dtype = column.dtype
    numbers = set(numbers)
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical_without(column, addresses, instead, numbers)
    if is_text(dtype):
        return _text_without(column, addresses, instead)
    if pd.api.types.is_bool_dtype(dtype) or hasattr(column, "dt"):
        return column, np.zeros(len(column), dtype=bool)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        hit = _is_one_of(column, numbers)
        return (blanked(column, hit) if hit.any() else column), hit
    return _objects_without(column, addresses, instead)


def blanked(column: pd.Series, hit: BoolArray) -> pd.Series:
    """Return a column with these cells missing, in the nearest dtype that has missing cells.

    Examples
    --------
    >>> blanked(pd.Series([1, 2]), np.array([True, False])).tolist()
    [<NA>, 2]
    """
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_nested(dtype.pyarrow_dtype):
        # Arrow's own way leaves the parts of an object where they are.
        cells = [None if gone else cell for gone, cell in zip(hit, column, strict=True)]
        return pd.Series(cells, index=column.index, dtype=dtype)
    found = take_or_missing(column, np.where(hit, -1, np.arange(len(column))))
    return found.set_axis(column.index)


def compact(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that keeps nothing but what it shows, without attributes.

    Examples
    --------
    >>> part = pd.DataFrame({"a": pd.Categorical(["x", "y"])}).iloc[:1]
    >>> compact(part)["a"].cat.categories.tolist()
    ['x']
    """
    columns = {name: _compacted(column) for name, column in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False)


def is_text(dtype: Any) -> bool:
    """Return whether a column of this dtype holds text and nothing else."""
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        return pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return isinstance(dtype, pd.StringDtype)


def leaves(cell: Any) -> Iterator[str]:
    """Return every text and number in a cell, whatever it is made of, as text.

    Examples
    --------
    >>> list(leaves({"to": ["ada", 7.0]}))
    ['to', 'ada', '7']
    """
    if isinstance(cell, dict):
        for key, value in cell.items():
            yield from leaves(key)
            yield from leaves(value)
    elif isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        for item in cell:
            yield from leaves(item)
    elif isinstance(cell, bytes):
        yield cell.decode("utf-8", "replace")
    elif not pd.api.types.is_scalar(cell) or not pd.isna(cell):
        number = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
        yield str(int(cell)) if number else str(cell)


def distinct_texts(column: pd.Series) -> pa.DictionaryArray:
    """Return a column of text as numbered distinct texts."""
    cells = pa.array(column, from_pandas=True)
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    return arrow_array(cells).dictionary_encode()


def of_texts(encoded: pa.DictionaryArray, chosen: BoolArray) -> BoolArray:
    """Return which cells have one of the chosen distinct texts."""
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    # One more, for the missing cells, which are -1.
    return np.append(chosen, False)[codes]


def _text_without(
    column: pd.Series, addresses: Addresses, instead: Instead
) -> tuple[pd.Series, BoolArray]:
    encoded = distinct_texts(column)
    words = encoded.dictionary
    at = addresses.may_be_in(words)
    texts = words.take(pa.array(at)).to_pylist()
    made = [instead(text) for text in texts]
    is_new = np.zeros(len(words), dtype=bool)
    is_new[at] = [new is not old for new, old in zip(made, texts, strict=True)]
    hit = of_texts(encoded, is_new)
    if not hit.any():
        return column, hit
    new = [text for text, place in zip(made, at.tolist(), strict=True) if is_new[place]]
    words = pc.replace_with_mask(words, pa.array(is_new), pa.array(new, type=words.type))
    return text_like(column, words.take(encoded.indices)), hit


def text_like(column: pd.Series, texts: pa.Array) -> pd.Series:
    """Return texts as a column of the dtype of another column of text."""
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        if pa.types.is_dictionary(kind):
            return _dictionary(texts.cast(kind.value_type), dtype, column.index)
        found = pd.arrays.ArrowExtensionArray(texts.cast(kind))
        return pd.Series(found, index=column.index)
    return pd.Series(texts, index=column.index, dtype=dtype)


def _dictionary(words: pa.Array, dtype: pd.ArrowDtype, index: pd.Index) -> pd.Series:
    """Return words as a dictionary that has no others."""
    plain = pd.Series(pd.arrays.ArrowExtensionArray(words), index=index)
    return plain.astype(dtype)


def _categorical_without(
    column: pd.Series, addresses: Addresses, instead: Instead, numbers: set[int]
) -> tuple[pd.Series, BoolArray]:
    words = column.cat.categories.to_series(index=pd.RangeIndex(len(column.cat.categories)))
    made, changed = column_without(words, addresses, instead, numbers)
    codes = column.cat.codes.to_numpy()
    hit = np.append(changed, False)[codes]
    if not hit.any():
        return column, hit
    categories = made[made.notna()].drop_duplicates()
    if made.dtype != words.dtype:
        # Whole numbers are floats or nullable where one is taken out.
        categories = categories.astype(words.dtype)
    place = pd.Index(categories).get_indexer(pd.Index(made))
    place[made.isna().to_numpy(dtype=bool)] = -1
    found = pd.Categorical.from_codes(
        np.append(place, -1)[codes], categories=pd.Index(categories), ordered=column.cat.ordered
    )
    return pd.Series(found, index=column.index).cat.remove_unused_categories(), hit


def _objects_without(
    column: pd.Series, addresses: Addresses, instead: Instead
) -> tuple[pd.Series, BoolArray]:
    cells = np.empty(len(column), dtype=object)
    cells[:] = list(column)
    hit = np.zeros(len(cells), dtype=bool)
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            made = instead(cell)
            if made is not cell:
                cells[place], hit[place] = made, True
        elif any(map(addresses.holds, leaves(cell))):
            cells[place], hit[place] = None, True
    if not hit.any():
        return column, hit
    if column.dtype == object:
        return pd.Series(cells, index=column.index, dtype=object), hit
    if isinstance(column.dtype, pd.ArrowDtype):
        return blanked(column, hit), hit
    return pd.Series(cells, index=column.index, dtype=object), hit


def _is_one_of(column: pd.Series, numbers: set[int]) -> BoolArray:
    if not numbers or not len(column):
        return np.zeros(len(column), dtype=bool)
    return column.isin(sorted(numbers)).fillna(False).to_numpy(dtype=bool)


def _compacted(column: pd.Series) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories()
        words = _compacted(used.cat.categories.to_series())
        found = pd.Categorical.from_codes(
            used.cat.codes, categories=pd.Index(words), ordered=dtype.ordered
        )
        return pd.Series(found)
    if isinstance(dtype, pd.ArrowDtype) and pa.types.is_dictionary(dtype.pyarrow_dtype):
        kind = dtype.pyarrow_dtype.value_type
        words = pa.array(column, from_pandas=True).cast(kind)
        return _dictionary(_taken_anew(words), dtype, pd.RangeIndex(len(column)))
    if isinstance(dtype, pd.ArrowDtype):
        return pd.Series(pd.arrays.ArrowExtensionArray(_taken_anew(pa.array(column))))
    if isinstance(dtype, pd.StringDtype):
        return pd.Series(_taken_anew(pa.array(column, from_pandas=True)), dtype=dtype)
    column = column.reset_index(drop=True)
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and hasattr(column.array, "_mask"):
        missing = column.isna()
        return column.fillna(_anything(dtype)).mask(missing)
    return column.copy()


def _anything(dtype: Any) -> Any:
    return False if pd.api.types.is_bool_dtype(dtype) else 0


def _taken_anew(cells: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return cells.take(pa.array(np.arange(len(cells))))
