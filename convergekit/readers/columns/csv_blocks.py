"""Lines of CSV as columns: read by Arrow, where that says what Python's reader would say.

Arrow takes what Python's strict reader calls damage, such as text after a closing quote, and counts
no lines. So a block is taken only if each line is a whole record, quoted as it should be; in any
other one the records are read one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from convergekit.readers.null_markers import QUOTED

_QUOTE, _BREAK, _RETURN = b'"\n\r'


def columns_of_lines(
    lines: Sequence[bytes], names: int, delimiter: str, *, quoted: bool
) -> list[pa.Array] | None:
    r"""Return the cells of lines as a column of text each, missing where empty.

    Parameters
    ----------
    lines : sequence of bytes
        With their ends; the last one may be without.
    names : int
        Number of cells of each record.
    delimiter : str
    quoted : bool
        Whether quotes stand around cells, or are text as any other.

    Returns
    -------
    list of pyarrow.LargeStringArray or None
        None unless every line is certainly a record, and the text UTF-8.

    Examples
    --------
    >>> columns_of_lines([b'a,"b ""c"" "\n', b"d,\n"], 2, ",", quoted=True)[1].to_pylist()
    ['b "c" ', None]
    >>> columns_of_lines([b'a,"b\n', b'c"\n'], 2, ",", quoted=True) is None
    True
    """
    text = b"".join(lines)
    # What Python tells of quotes around a null marker, Arrow does not.
    if not text or QUOTED.encode() in text:
        return None
    if b"\x00" in text or text.count(b"\r") != text.count(b"\r\n"):
        return None
    if quoted and b'"' in text and not _is_well_quoted(text, delimiter):
        return None
    header = [str(place) for place in range(names)]
    try:
        found = pc.read_csv(
            # Below names, for a byte-order mark at the start would be left out.
            pa.BufferReader((delimiter.join(header) + "\n").encode() + text),
            read_options=pc.ReadOptions(use_threads=False, block_size=len(text) + (1 << 20)),
            parse_options=pc.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=False
            ),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(header, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    # A line without cells is not a row.
    if len(found) != len(lines):
        return None
    return [column.combine_chunks() for column in found.columns]


def _is_well_quoted(text: bytes, delimiter: str) -> bool:
    """Return whether quotes are around whole cells, or double in these, and none breaks a line."""
    given = np.frombuffer(b"\n" + text + b"\n", dtype=np.uint8)
    quotes = np.flatnonzero(given == _QUOTE)
    if len(quotes) % 2:
        return False
    opens, closes = quotes[::2], quotes[1::2]
    around = [_QUOTE, ord(delimiter), _BREAK]
    if not np.isin(given[opens - 1], around).all():
        return False
    if not np.isin(given[closes + 1], [*around, _RETURN]).all():
        return False
    breaks = np.flatnonzero(given == _BREAK)
    return not (np.searchsorted(quotes, breaks) % 2).any()
