"""Broken reports of ad platforms: lines and cells that are swapped, cut, doubled or something else.

What is read is each line once: in the table, or rejected with a reason.
"""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import convergekit as ck
from fuzz.oracle import BrokenPromiseError

_DATA = Path(__file__).parent.parent / "data" / "spend"
_CELLS = st.one_of(
    st.sampled_from(["", "--", "Total", "Total: Account", "1,234", "1.234", "12,5", "€3", "NaN"]),
    st.sampled_from(["03/04/2026", "2026-13-01", "2026-03-02 - 2026-03-08", "9" * 400, "1e400"]),
    st.sampled_from(["Day", "date", "spend", "Cost", "EUR", "Amount spent (EUR)", "platform"]),
    st.text(max_size=6),
)
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "amounts": st.sampled_from(["en", "de", "fr", "ch"]),
        "day_first": st.booleans(),
        "rates": st.just({"EUR": 1, "USD": 0.9}),
        "currency": st.just("EUR"),
        "format": st.sampled_from(["google_ads", "meta", "plain"]),
        "columns": st.sampled_from([{"spend": "Cost"}, {"date": "Day", "spend": "Clicks"}]),
    },
)


@st.composite
def reports(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a report, and what `read_spend` is told of it."""
    sample = draw(st.sampled_from(sorted(_DATA.glob("*.csv"))))
    text = sample.read_text("utf-8")
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    first = draw(st.integers(0, 8))
    rows = rows[:8][first // 4 :] + rows[-2:]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(rows) - 1))
        kind = draw(st.sampled_from(["cell", "swap", "double", "cut", "drop"]))
        if kind == "cell" and rows[at]:
            rows[at][draw(st.integers(0, len(rows[at]) - 1))] = draw(_CELLS)
        elif kind == "swap":
            rows.insert(0, rows.pop(at))
        elif kind == "double":
            rows.insert(at, list(rows[at]))
        elif kind == "cut":
            rows[at] = rows[at][: draw(st.integers(0, len(rows[at])))]
        elif len(rows) > 1:
            del rows[at]
    out = io.StringIO()
    csv.writer(out, delimiter=draw(st.sampled_from(",;\t"))).writerows(rows)
    content = out.getvalue().encode(draw(_ENCODINGS), "replace")
    return content[: draw(st.integers(0, 4 * len(content)))], draw(_OPTIONS)


def check_report(drawn: tuple[bytes, dict[str, Any]]) -> None:
    """Raise unless each line of a report is read once or rejected, or an error of ours says why."""
    content, options = drawn
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "report.csv")
        path.write_bytes(content)
        try:
            spend = ck.read_spend(path, **options)
        except ck.ConvergekitError:
            return
    lines = [*spend.table["line"], *spend.rejected["line"]]
    if len(lines) != len(set(lines)):
        raise BrokenPromiseError("a line is read twice")
    if spend.table[["date", "spend"]].isna().any(axis=None):
        raise BrokenPromiseError("a row without a day or without spend")
    if spend.rejected["reason"].isna().any():
        raise BrokenPromiseError("a row is rejected without a reason")
    repr(spend), str(spend), spend._repr_html_()
