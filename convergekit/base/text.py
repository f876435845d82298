"""Values as text: one rule for everything that identifies something.

Event names, event IDs, sources and aliases are compared as text. Exports bring them as strings,
integers, decimals, UUIDs, floats that once were integers (``123.0``), categoricals and Arrow
arrays; this module gives them one form. What cannot identify anything (a list, a dictionary, a
boolean, an infinite number) is set apart, never turned into its Python spelling.
"""

from __future__ import annotations

import decimal
import math
import re
import unicodedata
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.typing import BoolArray

#: Characters that are not seen: soft hyphens, spaces of no width, joiners, marks of direction.
#: Those that Unicode's file DerivedCoreProperties calls Default_Ignorable_Code_Point.
INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
        *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
        *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
        *((0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
    )
    for code in range(first, last + 1)
)
#: Python refuses to write out integers of 4,300 digits and more.
_MOST_DIGITS = 4_000
MOST_BITS = 3 * _MOST_DIGITS
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def as_text(values: pd.Series) -> tuple[pd.Series, BoolArray]:
    """Return the values as text, and which cells held something that is not text or a number.

    Parameters
    ----------
    values : pandas.Series
        Of any dtype.

    Returns
    -------
    text : pandas.Series of str
        Same index; missing where the value is missing or cannot be text.
    unusable : numpy.ndarray of bool
        True where a value was present but cannot be text.

    Examples
    --------
    >>> text, unusable = as_text(pd.Series([123.0, "a", None, ["x"]], dtype=object))
    >>> text.tolist(), unusable.tolist()
    (['123', 'a', nan, nan], [False, False, False, True])
    """
    nothing = np.zeros(len(values), dtype=bool)
    if values.dtype == "str":
        return values, nothing
    if isinstance(values.dtype, pd.CategoricalDtype):
        text, bad = as_text(pd.Series(values.cat.categories))
        codes = values.cat.codes.to_numpy()
        found = text.array.take(codes, allow_fill=True)
        return _series(found, values), np.append(bad, False)[codes]
    if _is_text_dtype(values.dtype):
        return values.astype("str"), nothing
    if pd.api.types.is_bool_dtype(values.dtype) and values.dtype != object:
        return _series([None] * len(values), values), values.notna().to_numpy()
    if pd.api.types.is_integer_dtype(values.dtype):
        return _series(_integers(values), values), nothing
    if not _present(values).any():
        return _series([None] * len(values), values), nothing
    cells = values.astype(object).to_numpy()
    texts = [_cell_text(cell) for cell in cells]
    present = _present(values)
    bad = np.fromiter((text is None for text in texts), dtype=bool, count=len(texts)) & present
    return _series(texts, values), bad


def to_arrow(text: pd.Series) -> pa.Array:
    """Return text as one contiguous Arrow ``large_string`` array, missing as null."""
    return arrow_array(pa.array(text, from_pandas=True))


def arrow_array(found: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return text that Arrow holds in any layout as one ``large_string`` array."""
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return found if found.type == pa.large_string() else found.cast(pa.large_string())


def composed(texts: pa.Array) -> pa.Array:
    r"""Return texts in Unicode's form NFC: a letter and its accent are one character.

    By Python, because Arrow's own NFC takes them apart in versions up to 24.

    Examples
    --------
    >>> found = composed(pa.array(["cafe\u0301", "a"], type=pa.large_string()))
    >>> [len(text) for text in found.to_pylist()]
    [4, 1]
    """
    other = pc.invert(pc.string_is_ascii(texts)).fill_null(False)
    if not pc.any(other).as_py():
        return texts
    found = [unicodedata.normalize("NFC", text) for text in texts.filter(other).to_pylist()]
    return pc.replace_with_mask(texts, other, pa.array(found, type=texts.type))


def in_usual_characters(texts: pa.Array) -> pa.Array:
    """Return texts without look-alikes, as `usual_characters` makes them of each.

    Examples
    --------
    >>> in_usual_characters(pa.array(["a", "\uff41"], type=pa.large_string())).to_pylist()
    ['a', 'a']
    """
    other = pc.invert(pc.string_is_ascii(texts)).fill_null(False)
    if not pc.any(other).as_py():
        return texts
    found = [usual_characters(text) for text in texts.filter(other).to_pylist()]
    return pc.replace_with_mask(texts, other, pa.array(found, type=texts.type))


def usual_characters(text: str) -> str:
    r"""Return a text as it is meant: no characters that are not seen, all others in usual width.

    Unicode's form NFKC, and a dot for the full stop of Chinese and Japanese.

    Examples
    --------
    >>> usual_characters("\uff41d\u00ada@x\u3002org")
    'ada@x.org'
    """
    if text.isascii():
        return text
    seen = "".join(character for character in text if character not in INVISIBLE)
    return unicodedata.normalize("NFKC", seen).replace("\u3002", ".")


def folded(texts: pa.Array) -> pa.Array:
    """Return texts in the form in which they are compared whatever their case.

    Composed, trimmed, and each letter in lower case. By Arrow alone: Python looks at the letters
    around a sigma, and makes two characters of a dotted capital I.

    Examples
    --------
    >>> folded(pa.array([" ΟΔΟΣ", "İ"], type=pa.large_string())).to_pylist()
    ['οδοσ', 'i']
    """
    return pc.utf8_lower(pc.utf8_trim_whitespace(composed(texts)))


def folded_text(text: str) -> str:
    """Return what `folded` makes of one text.

    Examples
    --------
    >>> folded_text(" ΟΔΟΣ")
    'οδοσ'
    """
    if text.isascii():
        return text.strip().lower()
    known = known_characters(text)
    return str(folded(pa.array([known], type=pa.large_string()))[0])


def has_text(values: pa.LargeStringArray) -> BoolArray:
    """Return where a text is neither missing nor empty.

    Examples
    --------
    >>> has_text(pa.array(["a", "", None], type=pa.large_string())).tolist()
    [True, False, False]
    """
    if not len(values):
        return np.zeros(0, dtype=bool)
    ends = np.frombuffer(values.buffers()[1], dtype=np.int64)[values.offset :][: len(values) + 1]
    # What a missing cell's bytes are is not defined, so the two are asked apart.
    return (ends[1:] > ends[:-1]) & values.is_valid().to_numpy(zero_copy_only=False)


def text_of(value: Any) -> str:
    """Return a value's text without its place in memory, which differs in each process.

    Examples
    --------
    >>> text_of(object())
    '<object object>'
    """
    try:
        return _ADDRESS.sub("", str(value))
    except Exception:
        # A user's own class may raise anything.
        return f"<{type(value).__name__}>"


def written(value: object) -> str:
    """Return a value as Python writes it, or as it writes any object where that fails.

    Examples
    --------
    >>> written("a"), written(10**5000)[:8]
    ("'a'", '<int obj')
    """
    try:
        return repr(value)
    except Exception:
        # A user's own class may raise anything; integers of thousands of digits fail as well.
        return object.__repr__(value)


def _is_text_dtype(dtype: Any) -> bool:
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    return isinstance(dtype, pd.StringDtype)


def _integers(values: pd.Series) -> list[str | None]:
    return [None if value is pd.NA else str(value) for value in values.astype(object)]


def _cell_text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return known_characters(cell)
    if isinstance(cell, (bool, np.bool_)) or cell is None or cell is pd.NA:
        return None
    if isinstance(cell, (int, np.integer)):
        return str(int(cell)) if int(cell).bit_length() < MOST_BITS else None
    if isinstance(cell, decimal.Decimal) and cell.is_finite():
        if max(abs(cell.adjusted()), len(cell.as_tuple().digits)) > _MOST_DIGITS:
            return None
        return str(int(cell)) if cell == cell.to_integral_value() else format(cell, "f")
    if isinstance(cell, uuid.UUID):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, (float, np.floating)) and math.isfinite(cell):
        return str(int(cell)) if float(cell).is_integer() else repr(float(cell))
    return None


def known_characters(text: str) -> str:
    r"""Return a text with question marks for halves of characters, which no encoding has.

    Examples
    --------
    >>> known_characters("caf\u00e9 \ud83d")
    'café ?'
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def _present(values: pd.Series) -> BoolArray:
    return values.notna().to_numpy(dtype=bool)


def _series(values: Any, like: pd.Series) -> pd.Series:
    return pd.Series(values, index=like.index, dtype="str", name=like.name)


def is_utf8(text: str) -> bool:
    r"""Return whether a text is of whole characters: Arrow has no half of one.

    Examples
    --------
    >>> is_utf8("ä"), is_utf8("\ud83d")
    (True, False)
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
