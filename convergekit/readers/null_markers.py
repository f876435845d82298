r"""Null markers: what tools write into a CSV or TSV file where a value is missing.

An unquoted ``\N`` is never a value. The words of `NULL_MARKERS`, such as ``NULL``, might be text,
so each row says which of them it had, and `stitch` counts them in its report.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from convergekit.base.records import take_or_missing
from convergekit.base.text import to_arrow
from convergekit.base.threads import with_columns
from convergekit.events.nothing import NULL_MARKERS, Markers
from convergekit.typing import IntArray

#: What MySQL, PostgreSQL, Hive, Snowflake and ClickHouse write unquoted for a missing value,
#: https://dev.mysql.com/doc/refman/8.4/en/load-data.html and
#: https://www.postgresql.org/docs/current/sql-copy.html.
NULL = "\\N"
#: The same in quotes, where it is text.
QUOTED = f'"{NULL}"'
#: What stands for that text until its column is known: no tool writes the first character.
_TOLD_APART = "\x00\\N"
_MARKERS = Markers((*NULL_MARKERS, NULL, _TOLD_APART))
_NULL = len(NULL_MARKERS)


def with_quoted_told_apart(row: list[str], lines: Sequence[str], delimiter: str) -> list[str]:
    r"""Return the cells of a record in which ``"\N"`` in quotes is not ``\N``.

    Parameters
    ----------
    row : list of str
        Its cells.
    lines : sequence of str
        Its lines, as the file has them.
    delimiter : str

    Examples
    --------
    >>> with_quoted_told_apart(["\\N", "\\N"], ['\\N,"\\N"\n'], ",")
    ['\\N', '\x00\\N']
    """
    around = re.escape(delimiter)
    quoted = re.compile(rf"(?<![^{around}\r\n]){re.escape(QUOTED)}(?![^{around}\r\n])")
    record = quoted.sub(lambda _: f'"{_TOLD_APART}"', "".join(lines))
    again = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), row)
    return again if len(again) == len(row) else row


def without_null_markers(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series | None]:
    r"""Return a frame of texts without null markers, and where the words among them were.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of text.

    Returns
    -------
    frame : pandas.DataFrame
    words : pandas.Series of str or None
        For each row a line per word and column, missing without one; None if no row has any.

    Examples
    --------
    >>> frame = pd.DataFrame({"total": ["12.50", "NULL", "\\N"]}, dtype="str")
    >>> without, words = without_null_markers(frame)
    >>> without["total"].tolist(), words.tolist()
    (['12.50', nan, nan], [nan, 'NULL in total', nan])
    """
    columns: dict[str, pd.Series] = {}
    words: dict[str, IntArray] = {}
    for name, column in frame.items():
        marker = _MARKERS.find(to_arrow(column))
        if marker.max(initial=-1) < 0:
            continue
        text = marker > _NULL
        columns[str(name)] = column.mask(text, NULL).mask((marker >= 0) & ~text)
        word = np.where(marker < _NULL, marker, -1)
        if word.max() >= 0:
            words[str(name)] = word
    return with_columns(frame, columns), _said(words) if words else None


def _said(words: dict[str, IntArray]) -> pd.Series:
    # Rows of one table are alike: the same columns lack a value.
    codes, kinds = pd.factorize(pd.MultiIndex.from_arrays(list(words.values())))
    texts = ["\n".join(_lines(np.atleast_1d(kind), words)) or None for kind in kinds]
    return take_or_missing(pd.Series(texts, dtype="str"), codes.astype(np.int64))


def _lines(kind: Iterable[int], names: Iterable[str]) -> list[str]:
    return [
        f"{NULL_MARKERS[marker]} in {name}"
        for marker, name in zip(kind, names, strict=True)
        if marker >= 0
    ]
