"""CSV for spreadsheets of any country: wherever they split it, no cell is a formula."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from convergekit.cli.csv import write_csv

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
TEXTS = st.text(alphabet=";\t\r\n ,\"'=+-@\uff1da1", max_size=7)


def cells(path, delimiter):
    """Return all that a spreadsheet may take for a cell that splits there."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from (cell for row in csv.reader(file, delimiter=delimiter) for cell in row)
    # Where it does not see a quote, for that stands in the middle of a cell of its own.
    if delimiter != ",":
        for line in re.split(r"[\r\n]", path.read_bytes().decode()):
            yield from line.split(delimiter)


def is_formula(cell):
    """Return whether a spreadsheet runs the cell; of one that is a number alone it does not."""
    return cell.startswith(SIGNS) and not re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", cell)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3))
@example([("x;=1+1", "x\t=1+1")])
@example([("-3", "1+A1")])
@example([('x;"', "=1")])
@example([("x;", "-1")])
@example([("a\n=1", 'a"\n=1')])
def test_no_text_is_a_formula_wherever_it_is_split(tmp_path, rows):
    table = pd.DataFrame({"a": [row[0] for row in rows], "b": [row[1] for row in rows]})
    for kind in ("str", object, "category"):
        write_csv(table.astype(kind), tmp_path / "a.csv")
        for delimiter in ",;\t":
            found = [cell for cell in cells(tmp_path / "a.csv", delimiter) if is_formula(cell)]
            assert not found, (delimiter, (tmp_path / "a.csv").read_bytes())


def test_texts_inside_lists_and_headings_are_no_cells_either(tmp_path):
    table = pd.DataFrame({"row": [0], "x;=1": [["a;=1"]], "y": [{"k;=1": ("z\t@1",)}]})
    write_csv(table, tmp_path / "a.csv")
    for delimiter in ",;\t":
        assert not [cell for cell in cells(tmp_path / "a.csv", delimiter) if is_formula(cell)]
    written = pd.read_csv(tmp_path / "a.csv")
    assert written.columns.tolist() == ["row", "x;'=1", "y"]
    assert written["x;'=1"].tolist() == ["['a;'=1']"]


@pytest.mark.parametrize(
    "numbers",
    [[-5, 3], [-0.5, None], pd.array([-5, None], "Int64"), [Decimal("-5.10"), Decimal(1)],
     pd.array([-5, None], "int64[pyarrow]"), pd.array(["-5", "x"], "category"), ["-5", "+32475"]],
)  # fmt: skip
def test_numbers_stay_numbers(tmp_path, numbers):
    table = pd.DataFrame({"row": [0, 1], "n": numbers})
    write_csv(table, tmp_path / "a.csv")
    table.to_csv(tmp_path / "plain.csv", index=False, lineterminator="\r\n")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()


def test_the_frame_that_is_written_stays_as_it_was(tmp_path):
    table = pd.DataFrame({"a": ["x;=1"], "b": [["=1"]]})
    write_csv(table, tmp_path / "a.csv")
    assert table.to_dict("list") == {"a": ["x;=1"], "b": [["=1"]]}
