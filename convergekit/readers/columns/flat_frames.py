"""Lines of JSON in Converge's spelling as a frame in which the objects are opened already."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY, SPELLINGS
from convergekit.readers.columns.json_blocks import JsonBlock

_NESTED = {
    spelling: name for name in ("properties", "profile_properties") for spelling in SPELLINGS[name]
}
_PREFIXES = (PROPERTY, PROFILE_PROPERTY)


def flat_frame(block: JsonBlock) -> pd.DataFrame | None:
    """Return a column per key of the lines, and of their `properties` in place of these.

    Lists of text stay Arrow's. None where opening has to look at more than the lines' types: two
    spellings of one name, or a name that is there twice once objects are opened.

    Parameters
    ----------
    block : JsonBlock

    Returns
    -------
    pandas.DataFrame or None
        What `open_columns` makes the same of as of the frame of the lines.
    """
    nested = [name for name in block.names if name in _NESTED]
    if len(nested) > len({_NESTED[name] for name in nested}):
        return None
    if any(name.startswith(_PREFIXES) for name in block.names):
        return None
    columns: dict[str, pd.Series] = {}
    for name in block.names:
        if name in _NESTED:
            opened = block.columns((name,))
            if opened is None:
                return None
            columns |= {f"{_NESTED[name]}.{key}": column for key, column in opened.items()}
        else:
            columns[name] = _column(block, name)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(block)), copy=False)


def _column(block: JsonBlock, name: str) -> pd.Series:
    column = block.column((name,))
    if column is not None:
        return column
    found = block.array((name,))
    of_text = pa.list_(pa.large_string())
    if found is not None and found.type == of_text:
        return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([found])))
    return block.series((name,))
