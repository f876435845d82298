"""`suggest_columns`: a mapping for an export of no known format, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.errors import ReadError
from convergekit.events.arrow import Frame, as_frame
from convergekit.figures.calls import of_function
from convergekit.figures.card import TableResult
from convergekit.readers.files import read_file
from convergekit.readers.formats import AUTO, ROWS_THAT_TELL, find_format
from convergekit.readers.lines import check_encoding
from convergekit.readers.own.columns import Columns
from convergekit.readers.own.likely import suggested
from convergekit.readers.reading import find_files


@dataclass(frozen=True, repr=False)
class SuggestedColumns(TableResult):
    """What the columns of an export probably mean: look it through, then use it.

    Attributes
    ----------
    columns : dict
        Canonical name to the export's own, for `read_events` and `stitch`.
    options : dict
        Other options of `read_events` that the values ask for, such as ``day_first``.
    format : str or None
        The vendor's format that the export is in; no columns are needed then.
    code : str
        The call that reads the export.
    table : pandas.DataFrame
        Per canonical name `canonical`, its `own` field and the `reason`.
    """

    columns: dict[str, Any]
    options: dict[str, Any]
    format: str | None
    code: str
    table: pd.DataFrame

    def _line(self) -> str:
        if self.format is not None:
            return f"SuggestedColumns(the format {self.format!r}: no columns needed)"
        return f"SuggestedColumns({', '.join(self.columns) or 'nothing'})"

    def _shown(self) -> pd.DataFrame:
        return self.table

    def _body(self) -> Iterable[pd.DataFrame | str]:
        return (self.table, self.code) if len(self.table) else (self.code,)

    def __str__(self) -> str:
        """Return the reasons and the call."""
        table = f"{super().__str__()}\n\n" if len(self.table) else ""
        return f"{table}{self.code}"


@of_function
def suggest_columns(export: str | Path | Frame, *, encoding: str | None = None) -> SuggestedColumns:
    """Propose `columns` for an export, by the names and values of its first rows.

    Parameters
    ----------
    export : str, pathlib.Path, pandas.DataFrame, or an Arrow-compatible table
        A file, of a pattern the first, or the rows as they came.
    encoding : str, optional
        As `read_events` takes it.

    Returns
    -------
    SuggestedColumns
        ``print`` shows each column with its reason, and the call to copy. It is a proposal: a
        column named `type` may hold anything, and what it leaves out stays under its own name.

    Raises
    ------
    ReadError
        The file is not there, cannot be read, or has no rows.

    See Also
    --------
    read_events : Takes the columns.
    explore_columns : The same in a notebook, to be corrected by hand.

    Examples
    --------
    >>> import convergekit as ck
    >>> orders = pd.DataFrame({"Order No": ["#1", "#2"], "Created": ["20.03.2026 11:05"] * 2,
    ...                        "E-mail": ["ada@x.org", "bob@x.org"]})
    >>> print(ck.suggest_columns(orders).code)
    ck.read_events(
        frame,
        columns={
            'event_id': 'Order No',
            'event_name': ck.constant('Event'),
            'timestamp': 'Created',
            'alias.email': 'E-mail',
        },
        day_first=True,
    )
    """
    path, frame = first_rows(export, encoding)
    where = "the frame" if path is None else str(path)
    try:
        found = find_format(frame, AUTO, where)
    except ReadError:
        # Several fit: what the columns mean is worth knowing all the same.
        found = None
    meant, options = ({}, {}) if found is not None else suggested(frame)
    if encoding is not None:
        options = {**options, "encoding": encoding}
    columns = {name: own for name, (own, _) in meant.items()}
    table = pd.DataFrame(
        [(name, _written(own), reason) for name, (own, reason) in meant.items()],
        columns=["canonical", "own", "reason"],
    )
    name = None if found is None else found.name
    return SuggestedColumns(columns, options, name, code_of(path, columns, options, name), table)


def first_rows(export: Any, encoding: str | None) -> tuple[Path | None, pd.DataFrame]:
    """Return the path of an export, None of a frame, and its first rows as they came.

    Raises
    ------
    ReadError
        The file is not there, cannot be read, or has no rows.
    """
    if encoding is not None:
        check_encoding(encoding)
    if isinstance(export, pd.DataFrame) or hasattr(export, "__arrow_c_stream__"):
        return None, as_frame(export).head(ROWS_THAT_TELL)
    path = find_files(export)[0]
    for rows in read_file(path, lambda _: None, encoding):
        frame = rows.frame.dropna(how="all").head(ROWS_THAT_TELL)
        if len(frame):
            return path, frame.reset_index(drop=True)
    raise ReadError(f"{path}: it does not have a row to tell its columns by.")


def _written(own: Any) -> str:
    return own if isinstance(own, str) else repr(own)


def code_of(
    export: str | Path | None, columns: Columns, options: Mapping[str, Any], name: str | None
) -> str:
    """Return the call that reads an export.

    Examples
    --------
    >>> print(code_of("orders.csv", {"timestamp": "Created"}, {"day_first": True}, None))
    ck.read_events(
        'orders.csv',
        columns={
            'timestamp': 'Created',
        },
        day_first=True,
    )
    """
    given = "frame" if export is None else repr(str(export))
    if name is not None:
        return f"ck.read_events({given})"
    lines = [f"        {key!r}: {own!r},\n" for key, own in columns.items()]
    others = [f"    {key}={value!r},\n" for key, value in options.items()]
    mapping = f"    columns={{\n{''.join(lines)}    }},\n" if lines else ""
    return f"ck.read_events(\n    {given},\n{mapping}{''.join(others)})"
