"""`explore_columns`: correct the columns that `suggest_columns` proposes, in a notebook.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.arrow import Frame
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, side_by_side, small_button
from convergekit.explore.work import Work
from convergekit.readers import Constant, constant, read_events, suggest_columns
from convergekit.readers.own.likely import fields_in
from convergekit.readers.own.suggest import code_of, first_rows

#: So many rows show what comes of the columns.
_SHOWN = 5
#: Before a text that is not a field, but a value of all rows.
_MARK = "="
_HINT = f"A field of the export, or {_MARK} and a value that all rows have: {_MARK}Placed Order."


class ColumnsExplorer:
    """What `explore_columns` returns; a notebook shows it as fields to fill in.

    Parameters
    ----------
    export : str, pathlib.Path, or frame
    encoding : str or None

    Attributes
    ----------
    columns : dict
        Canonical name to the export's own, as it is filled in.
    code : str
        The call that reads the export with these.
    box : ipywidgets.VBox
    rows : list of (ipywidgets.Text, ipywidgets.Combobox)
        Canonical names, and what stands for each.
    status : ipywidgets.HTML
        What is wrong with the columns, if something is.
    """

    def __init__(self, export: str | Path | Frame, encoding: str | None = None) -> None:
        proposed = suggest_columns(export, encoding=encoding)
        self._path, self._frame = first_rows(export, encoding)
        self._options = proposed.options
        self._format = proposed.format
        self._fields = [field.path for field in fields_in(self._frame)]
        self._work = Work("Reading the first rows…", self._read, self._clear)
        self.status: widgets.HTML = self._work.status
        self.rows: list[tuple[widgets.Text, widgets.Combobox]] = []
        self._listed = widgets.VBox(layout=WIDE)
        self._table = widgets.HTML(layout=WIDE)
        self._code = widgets.HTML(layout=WIDE)
        add = widgets.Button(description="Add a column", icon="plus")
        add.on_click(lambda _: self.add("", ""))
        controls = widgets.VBox(
            [
                widgets.HTML(show.heading("Canonical name, and where it stands")),
                widgets.HTML(show.hint(_HINT)),
                self._listed,
                add,
            ],
            layout=CONTROLS,
        )
        results = widgets.VBox([self.status, self._table, self._code], layout=RESULTS)
        self.box: widgets.VBox = side_by_side(controls, results)
        for name, own in proposed.columns.items():
            self.add(name, _text(own))
        self._work.now()

    def __repr__(self) -> str:
        """Say where it can be seen."""
        return "ColumnsExplorer(shown by Jupyter, as the last line of a cell)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = self.box._repr_mimebundle_(include=include, exclude=exclude)
        return {**bundle, "text/plain": repr(self)}

    @property
    def columns(self) -> dict[str, Any]:
        """Canonical name to the export's own; rows that are not filled in are left out."""
        pairs = ((name.value.strip(), own.value.strip()) for name, own in self.rows)
        return {name: _own(own) for name, own in pairs if name and own}

    @property
    def code(self) -> str:
        """The call that reads the export with these columns."""
        return code_of(self._path, self.columns, self._options, self._format)

    def add(self, name: str, own: str) -> None:
        """Add a column to fill in.

        Parameters
        ----------
        name : str
            Canonical.
        own : str
            Where it stands.
        """
        row = (
            widgets.Text(name, placeholder="alias.email", layout=WIDE),
            widgets.Combobox(value=own, options=self._fields, ensure_option=False, layout=WIDE),
        )
        remove = small_button("trash", "Leave this column out")
        line = widgets.HBox([*row, remove], layout=WIDE)
        self.rows.append(row)
        self._listed.children = (*self._listed.children, line)

        def removed(_: Any) -> None:
            self.rows.remove(row)
            self._listed.children = tuple(one for one in self._listed.children if one is not line)
            self._work.soon()

        remove.on_click(removed)
        for field in row:
            field.observe(self._work.soon, "value")

    def _read(self) -> str | None:
        self._code.value = show.code(self.code)
        options = {name: value for name, value in self._options.items() if name != "encoding"}
        columns = self.columns or None
        if columns is None and self._format is None:
            raise ConvergekitError("Name at least the event name and the time.")
        events: pd.DataFrame = read_events(self._frame, columns=columns, **options)
        self._table.value = show.table(events.head(_SHOWN), "The first rows, as they are read")
        return None

    def _clear(self) -> None:
        self._table.value = ""


def _text(own: Any) -> str:
    return f"{_MARK}{own.value}" if isinstance(own, Constant) else str(own)


def _own(text: str) -> Any:
    return constant(text.removeprefix(_MARK)) if text.startswith(_MARK) else text


def explore_columns(export: str | Path | Frame, *, encoding: str | None = None) -> ColumnsExplorer:
    """Correct in a notebook what `suggest_columns` proposes, and take the code along.

    Parameters
    ----------
    export : str, pathlib.Path, pandas.DataFrame, or an Arrow-compatible table
        A file, of a pattern the first, or the rows as they came.
    encoding : str, optional
        As `read_events` takes it.

    Returns
    -------
    ColumnsExplorer
        A notebook shows it; `columns` and `code` are what is filled in.

    Raises
    ------
    ReadError
        The file is not there, cannot be read, or has no rows.

    See Also
    --------
    suggest_columns : The proposal by itself.
    read_events : Takes the columns.

    Examples
    --------
    >>> import convergekit as ck
    >>> orders = pd.DataFrame({"Created": ["2026-03-20 11:05"], "E-mail": ["ada@x.org"]})
    >>> e = ck.explore_columns(orders)
    >>> e.columns
    {'event_name': ck.constant('Event'), 'timestamp': 'Created', 'alias.email': 'E-mail'}
    """
    return ColumnsExplorer(export, encoding)
