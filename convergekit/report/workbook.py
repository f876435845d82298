"""A report as a workbook: numbers as numbers, texts as texts, and nothing that is computed.

A text from an export may read ``=HYPERLINK(...)``. Every text is written as a text cell, which no
spreadsheet runs, and none becomes a link.
"""

from __future__ import annotations

import datetime
import io
import math
import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.base.wording import shortened
from convergekit.errors import ConvergekitError
from convergekit.report.blocks import Block, Document, Table
from convergekit.report.columns import Kind, kinds, label, shown
from convergekit.visible import visible

#: What Excel takes: rows and columns of a sheet, characters of a cell and of a sheet's name.
MOST_ROWS, MOST_COLUMNS, _MOST_LETTERS, _MOST_OF_NAME = 1_048_576, 16_384, 32_767, 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_WIDEST, _NARROWEST = 60, 8
_FORMATS = {
    "count": "#,##0",
    "share": "0.0%",
    "amount": "#,##0.00",
    "day": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm:ss",
    "duration": "[h]:mm:ss",
}
_EPOCH = datetime.datetime(2000, 1, 1)
#: Beyond these Excel has no date, and no exact integer.
_FIRST_DAY, _EXACT = pd.Timestamp("1900-03-01"), 2**53


@dataclass(frozen=True)
class Sheet:
    """One sheet: a table below its heading row.

    Attributes
    ----------
    name : str
        As Excel takes it.
    frame : pandas.DataFrame
    finding, call : str
        What it shows, and the code that makes it.
    """

    name: str
    frame: pd.DataFrame
    finding: str = ""
    call: str = ""


def workbook_of(document: Document) -> bytes:
    """Return a report as an Excel workbook.

    Raises
    ------
    ConvergekitError
        XlsxWriter is not installed, or a table does not fit on a sheet.
    """
    sheets = _sheets(document)
    for sheet in sheets:
        check_fits(sheet.frame, sheet.name)
    xlsxwriter = _xlsxwriter()
    content = io.BytesIO()
    book = xlsxwriter.Workbook(
        content,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    # The time of writing would make two files of one report differ.
    book.set_properties({"title": document.title, "created": _EPOCH, "comments": document.made_by})
    look = _Look(book)
    for sheet in [*_front(document, sheets), *sheets]:
        _write(book.add_worksheet(sheet.name), sheet.frame, look)
    book.close()
    return content.getvalue()


def check_fits(frame: pd.DataFrame, name: str) -> None:
    """Raise if a table, with its heading, does not fit on a sheet.

    Raises
    ------
    ConvergekitError
    """
    rows, columns = frame.shape
    if rows + 1 > MOST_ROWS or columns > MOST_COLUMNS:
        raise ConvergekitError(
            f"the table {name!r} has {rows:,} rows and {columns:,} columns, and a sheet of Excel "
            f"holds {MOST_ROWS - 1:,} rows below its heading and {MOST_COLUMNS:,} columns. Leave "
            "it out of questions=, give a part of it, or save it with its to_parquet()."
        )


class _Look:
    """The formats of a workbook."""

    def __init__(self, book: Any) -> None:
        top = {"valign": "top"}
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"}
        self.head = book.add_format({**head, "bg_color": "#EAEEF2"})
        self.number_head = book.add_format({**head, "bg_color": "#EAEEF2", "align": "right"})
        self.text = book.add_format({**top, "text_wrap": True})
        self.code = book.add_format({**top, "text_wrap": True, "font_name": "Consolas"})
        self.of = {kind: book.add_format({**top, "num_format": f}) for kind, f in _FORMATS.items()}


def _front(document: Document, sheets: list[Sheet]) -> list[Sheet]:
    """Return the first two sheets: what there is, and what is assumed, left out and rejected."""
    contents = pd.DataFrame(
        [(sheet.name, sheet.finding, sheet.call) for sheet in sheets],
        columns=["sheet", "finding", "call"],
        dtype=object,
    )
    assumed = [(word, said) for word, said in document.facts]
    caveats = pd.DataFrame(
        [*assumed, *document.caveats], columns=["about", "what to know"], dtype=object
    )
    return [Sheet("Contents", contents), Sheet("Caveats", caveats)]


def _sheets(document: Document) -> list[Sheet]:
    found: list[Sheet] = []
    for section in document.sections:
        for block in section.blocks:
            tables = [*_of_tiles(block), *block.tables, *_of_items(block)]
            for place, table in enumerate(tables or [_only_finding(block)]):
                name = f"{section.heading} {block.heading}".strip()
                name = name if not place else f"{name}, {table.caption}"
                taken = ["contents", "caveats", "history", *(s.name.casefold() for s in found)]
                sheet = sheet_name(name, taken)
                found.append(Sheet(sheet, table.frame, block.finding, block.call))
    return found


def _of_tiles(block: Block) -> list[Table]:
    if not block.tiles:
        return []
    rows = [(what, int(number.replace(",", ""))) for what, number in block.tiles]
    return [Table("Counts", pd.DataFrame(rows, columns=["what", "number"]))]


def _of_items(block: Block) -> list[Table]:
    if not block.items:
        return []
    rows = [(one.title, one.level, one.facts, " ".join(one.texts)) for one in block.items]
    return [Table("Findings", pd.DataFrame(rows, columns=["what", "level", "concerns", "why"]))]


def _only_finding(block: Block) -> Table:
    return Table("", pd.DataFrame({"finding": [block.finding]}, dtype=object))


def sheet_name(name: str, taken: list[str]) -> str:
    """Return a name as Excel takes it: short, without its marks, and not one that is taken.

    Examples
    --------
    >>> sheet_name("Funnel: page/cart", []), sheet_name("Trend", ["trend"])
    ('Funnel page cart', 'Trend 2')
    """
    words = " ".join(_NOT_IN_NAMES.sub(" ", visible(name)).split()).strip("'") or "Sheet"
    found, place = words[:_MOST_OF_NAME].strip("' ") or "Sheet", 1
    while found.casefold() in taken:
        place += 1
        end = f" {place}"
        found = f"{words[: _MOST_OF_NAME - len(end)].strip()}{end}"
    return found


def _write(sheet: Any, frame: pd.DataFrame, look: _Look) -> None:
    of_columns = kinds(frame)
    sheet.freeze_panes(1, 0)
    for place, kind in enumerate(of_columns):
        column, name = frame.iloc[:, place], _heading(frame, place, kind)
        is_number = kind not in ("text", "truth", "day", "time")
        sheet.write_string(0, place, name, look.number_head if is_number else look.head)
        form = look.code if str(frame.columns[place]) == "call" else look.of.get(kind, look.text)
        sheet.set_column(place, place, _width(column, kind, name))
        for row, value in enumerate(column.tolist(), start=1):
            _write_cell(sheet, row, place, value, kind, form)
    if len(frame) and len(frame.columns):
        sheet.autofilter(0, 0, len(frame), len(frame.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _heading(frame: pd.DataFrame, place: int, kind: Kind) -> str:
    name = label(frame.columns[place])
    zone = getattr(frame.dtypes.iloc[place], "tz", None)
    said = f" ({zone})" if kind in ("day", "time") and zone is not None else ""
    return shortened(visible(f"{name}{said}"), 255)


def _write_cell(sheet: Any, row: int, place: int, value: Any, kind: Kind, form: Any) -> None:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        sheet.write_blank(row, place, None, form)
    elif kind == "truth":
        sheet.write_boolean(row, place, bool(value), form)
    elif kind in ("count", "share", "amount") and math.isfinite(value) and abs(value) < _EXACT:
        sheet.write_number(row, place, value, form)
    elif kind == "duration":
        sheet.write_number(row, place, value / pd.Timedelta(days=1), form)
    elif kind in ("day", "time") and value.tz_localize(None) >= _FIRST_DAY:
        # Excel knows no time zones: the heading says which one it is.
        sheet.write_datetime(row, place, value.tz_localize(None).to_pydatetime(warn=False), form)
    else:
        text = str(value) if kind == "text" else shown(value, kind)
        sheet.write_string(row, place, shortened(visible(text), _MOST_LETTERS), form)


def _width(column: pd.Series, kind: Kind, name: str) -> int:
    lengths = [len(shown(value, kind)) for value in column.head(500)]
    return min(max([_NARROWEST, len(name) + 3, *(length + 2 for length in lengths)]), _WIDEST)


def _xlsxwriter() -> Any:
    try:
        import xlsxwriter
    except ImportError:
        raise ConvergekitError(
            "Excel files need XlsxWriter, which is not installed; install it with "
            "pip install 'convergekit[excel]', or write a .html or .md file."
        ) from None
    return xlsxwriter
