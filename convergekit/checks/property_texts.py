"""What the properties say, as text: each column's distinct values, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.text import as_text, known_characters, text_of, to_arrow
from convergekit.base.threads import each_column
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY

#: No number of fewer digits is looked for in a property.
_LONG = 1e13


def property_texts(events: pd.DataFrame) -> dict[str, pa.DictionaryArray]:
    """Return the properties that hold text, nested values as they are written, or long numbers.

    Examples
    --------
    >>> found = property_texts(pd.DataFrame({"properties.$url": ["/", "/", None], "source": "a"}))
    >>> {name: values.dictionary.to_pylist() for name, values in found.items()}
    {'properties.$url': ['/']}
    """
    columns = [name for name in events.columns if name.startswith((PROPERTY, PROFILE_PROPERTY))]
    texts = each_column(lambda name: _texts(events[name]), columns, rows=len(events))
    return {
        name: values
        for name, values in zip(columns, texts, strict=True)
        if values is not None and len(values.dictionary)
    }


def _texts(values: pd.Series) -> pa.DictionaryArray | None:
    """Return a column's values as encoded text; None if it holds none."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _texts(values.astype(object))
    if _is_number(values.dtype):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        if not (np.abs(numbers) >= _LONG).any():
            return None
        # Whole numbers with a gap come as floats, and as_text makes them whole again.
        return to_arrow(as_text(values)[0]).dictionary_encode()
    if values.dtype == object:
        cells = [cell if isinstance(cell, str) else _written(cell) for cell in values]
        return pa.array(cells, type=pa.large_string()).dictionary_encode()
    if pd.api.types.is_string_dtype(values.dtype):
        return to_arrow(values.astype("str")).dictionary_encode()
    return None


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype)


def _written(cell: object) -> str | None:
    if isinstance(cell, list | dict | int) and not isinstance(cell, bool):
        return known_characters(text_of(cell))
    return None
