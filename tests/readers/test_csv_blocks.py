"""Lines of CSV that Arrow reads say what the same lines say that are read one by one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import csv_files
from convergekit.readers.vendors.enriched_tsv import ENRICHED
from tests.effort import tries
from tests.readers.test_json_blocks import EXPORTS, answer, same

HEAD = "event_name,timestamp,alias.cookie,properties.a"
GOOD = "A,2026-03-02T10:00:00Z,c,1"


def check(path, at_once, batch_rows, **options):
    """Compare with every line read one by one; return how many blocks were taken."""
    taken = []
    of_lines = csv_files.columns_of_lines

    def watched(*given, **named):
        found = of_lines(*given, **named)
        taken.append(found is not None)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "BATCH_ROWS", batch_rows)
        patch.setattr(csv_files, "columns_of_lines", lambda *_, **__: None)
        expected = answer(path, **options)
        patch.setattr(csv_files, "_AT_ONCE", at_once)
        patch.setattr(csv_files, "columns_of_lines", watched)
        same(answer(path, **options), expected)
    return sum(taken)


pieces = st.sampled_from(
    ["a", "1", "", '"', '""', ",", "\n", "\r\n", "\r", " ", "\\N", '"\\N"', "NULL", "é", "\x00",
     "\ufeff", "2026-03-02T10:00:00Z", "[1]"]
)  # fmt: skip
cells = st.text(st.sampled_from('a1é ,"\n\r\\N'), max_size=4)


@st.composite
def records(draw):
    """Return a record: a good one, one whose cells are quoted or bare, or any text at all."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return GOOD
    if kind == 1:
        return "".join(draw(st.lists(pieces, max_size=8)))
    row = draw(st.lists(cells, min_size=4, max_size=4 if kind == 2 else 5))
    quoted = draw(st.booleans())
    found = ['"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row]
    found[1] = "2026-03-02T10:00:00Z"
    return ",".join(found)


@tries(300)
@given(
    rows=st.lists(records(), max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    at_once=st.integers(1, 5),
    batch_rows=st.sampled_from([3, 50_000]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
@example([GOOD, 'A,2026-03-02T10:00:00Z,"c"x,1', GOOD], "\n", True, 5, 50_000, "utf-8")
@example([GOOD, 'A,2026-03-02T10:00:00Z,"c\nd",1', GOOD], "\n", False, 1, 3, "utf-8")
@example(["\ufeffA,2026-03-02T10:00:00Z,c,1"], "\n", False, 1, 3, "utf-8")
@example([GOOD, 'A,2026-03-02T10:00:00Z,"c', GOOD, GOOD], "\n", False, 2, 3, "utf-8")
@example(
    [',2026-03-02T10:00:00Z,,"', '"",2026-03-02T10:00:00Z,"","1"', GOOD], "\n", True, 1, 3, "utf-8"
)
def test_any_text_is_read_as_line_by_line(rows, end, last, at_once, batch_rows, encoding):
    text = end.join([HEAD, *rows]) + end * last
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_bytes(text.encode(encoding, "replace"))
        check(path, at_once, batch_rows)


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.csv")), ids=lambda path: path.name)
@pytest.mark.parametrize("at_once", [1, 3, 2000])
def test_every_sample_is_the_same(path, at_once):
    assert check(path, at_once, 50_000)


@tries(30)
@given(st.lists(st.sampled_from(["x", "", '"', '"a"', "\\N", "[1]"]), min_size=3, max_size=3))
def test_lines_without_a_header(found):
    row = dict.fromkeys(ENRICHED, "")
    row |= {"collector_tstamp": "2026-03-02 09:08:01.121", "event": "page_view"}
    row |= {"event_id": "f1a20968-586a-4bec-9da1-c797bfed44a2", "domain_userid": "c"}
    lines = ["\t".join((row | {"user_id": cell}).values()) for cell in found]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.tsv")
        path.write_text("\n".join([lines[0], *lines, "short\tline", ""]), encoding="utf-8")
        check(path, 2, 50_000, format="snowplow")


def test_each_bad_row_has_its_line_and_its_block_alone_is_read_by_lines(tmp_path):
    path = tmp_path / "a.csv"
    lines = [HEAD, *[GOOD] * 8]
    lines[5] = 'A,2026-03-02T10:00:00Z,"c"d,1'
    lines[7] = "A,too,few"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert check(path, 2, 50_000) == 2
    found = ck.read_events(path)
    bad = found[found["read_error"].notna()]
    assert bad["line"].tolist() == [6, 8]
    assert found["line"].tolist() == list(range(2, 10))
    assert bad["read_error"].str.startswith(("not CSV", "expected 4 fields, found 3")).all()
