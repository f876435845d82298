"""Lists of URNs say what columns of aliases say, whoever holds the lists: Python or Arrow."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.cli.csv import write_csv
from convergekit.errors import ColumnError
from tests.strategies import START, event_frames

DUPLICATES = st.sampled_from(["drop", "merge"])
#: In the order of the alphabet, as types of lists are.
COLUMNS = ["alias.cart_token", "alias.cookie", "alias.email"]
TABLES = ("duplicates", "aliases", "profiles")
OF_ARROW = pd.ArrowDtype(pa.list_(pa.large_string()))


def as_listed(frame):
    """Return the frame with its columns of aliases as one column of Python's lists."""
    urns = [
        [f"urn:{name[6:]}:{value}" for name, value in row.items() if isinstance(value, str)]
        for row in frame[COLUMNS].astype(object).to_dict("records")
    ]
    return frame.drop(columns=COLUMNS).assign(aliases=pd.Series(urns, frame.index, dtype=object))


def by_python(frame):
    """Return the frame with tuples for lists, which are looked at one by one."""
    cells = [tuple(cell) if isinstance(cell, list) else cell for cell in frame["aliases"]]
    return frame.assign(aliases=pd.Series(cells, frame.index, dtype=object))


def by_arrow(frame, kind, cut=0):
    """Return the frame with its lists in a type of Arrow's, in two chunks of a longer array."""
    held = pa.array([["urn:email:other@x.org"], *frame["aliases"], None], type=kind)
    chunks = pa.chunked_array([held.slice(1, cut), held.slice(1 + cut, len(frame) - cut)])
    cells = pd.arrays.ArrowExtensionArray(chunks)
    return frame.assign(aliases=pd.Series(cells, frame.index))


def plain(cell):
    if isinstance(cell, list | tuple):
        return list(map(plain, cell))
    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell


def cells(table):
    return {name: list(map(plain, column)) for name, column in table.items()}


def check_same(one, other, but=()):
    """All that the two say is equal, cell by cell."""
    for name in TABLES:
        assert cells(getattr(one, name)) == cells(getattr(other, name)), name
    for name in ("events", "rejected"):
        mine, yours = (getattr(s, name).drop(columns=but, errors="ignore") for s in (one, other))
        assert cells(mine) == cells(yours), name
    assert one.report.to_dict() == other.report.to_dict()


SPELLINGS = st.sampled_from(
    ["urn:email:A@x.org", " URN:Email:a@x.org", "urn:cookie:c1", "urn:cookie:null", "urn:é:ü",
     "urn:cart_token:t:1", "urn:phone:", "c1", "", None]
)  # fmt: skip


@st.composite
def listed_frames(draw):
    """Events of which only lists say who they are of, some of them nobody's or malformed."""
    frame = draw(event_frames(received=False)).drop(columns=COLUMNS)
    some = st.one_of(st.none(), st.lists(SPELLINGS, max_size=3))
    lists = draw(st.lists(some, min_size=len(frame), max_size=len(frame)))
    nameless = draw(st.lists(st.booleans(), min_size=len(frame), max_size=len(frame)))
    return frame.assign(
        event_name=frame["event_name"].mask(np.array(nameless, dtype=bool)),
        aliases=pd.Series(lists, frame.index, dtype=object),
    )


@given(
    event_frames(), st.sampled_from(["drop", "merge"]), st.sampled_from(["retroactive", "as_of"])
)
def test_lists_say_what_columns_say(frame, duplicates, identity):
    options = {"duplicates": duplicates, "identity": identity}
    columns = ck.stitch(frame[[*frame.columns.difference(COLUMNS), *COLUMNS]], **options)
    lists = ck.stitch(as_listed(frame), **options)
    assert columns.events["profile_id"].tolist() == lists.events["profile_id"].tolist()
    for name in ("aliases", "profiles"):
        assert cells(getattr(columns, name)) == cells(getattr(lists, name)), name
    mine, yours = columns.report.to_dict(), lists.report.to_dict()
    assert mine["aliases_by_type"] == yours["aliases_by_type"]
    assert mine["rejected"] == yours["rejected"]


@given(listed_frames(), DUPLICATES, st.integers(0, 12))
def test_whoever_holds_the_lists_they_say_the_same(frame, duplicates, cut):
    one_by_one = ck.stitch(by_python(frame), duplicates=duplicates)
    check_same(one_by_one, ck.stitch(frame, duplicates=duplicates))
    for kind in (pa.list_(pa.string()), pa.large_list(pa.large_string())):
        lists = by_arrow(frame, kind, min(cut, len(frame)))
        check_same(one_by_one, ck.stitch(lists, duplicates=duplicates))
        table = pa.table(dict(frame.drop(columns="aliases").items())).append_column(
            "aliases", lists["aliases"].array.__arrow_array__()
        )
        check_same(one_by_one, ck.stitch(table, duplicates=duplicates))


ROW = {"event_name": "PageView", "timestamp": START, "alias.cookie": "c"}


@pytest.mark.parametrize(
    "lists",
    [
        pd.Series([["urn:email:a@x.org"], None, []], dtype=object),
        pd.Series([["urn:email:a@x.org"], np.nan, [None]], dtype=object),
        pd.Series([["urn:email:ä@x.org"], pd.NA, []], dtype=object),
        pd.Series([["urn:email:a@x.org"], None, []], dtype=OF_ARROW),
        pd.Series([[], None, []], dtype=pd.ArrowDtype(pa.large_list(pa.null()))),
        pd.Series(
            [["urn:email:a@x.org"], None, []],
            dtype=pd.ArrowDtype(pa.list_(pa.field("element", pa.large_string()))),
        ),
    ],
)
def test_lists_of_text_are_pythons_in_the_result(lists):
    given = lists.copy()
    s = ck.stitch(pd.DataFrame([ROW] * 3).assign(aliases=lists))
    expected = list(map(plain, lists))
    assert s.events["aliases"].dtype == object
    assert s.events["aliases"].tolist() == expected
    assert s.to_arrow()["aliases"].to_pylist() == expected
    assert lists.dtype == given.dtype
    assert list(map(plain, lists)) == list(map(plain, given))


@pytest.mark.parametrize(
    "cell",
    ["urn:cookie:d", ("urn:cookie:d",), 7, ["urn:cookie:d", 7], [b"urn:cookie:d"], {"a": 1},
     ["urn:cookie:\ud83d"], [["urn:cookie:d"]], True, 1.5, [np.str_("urn:cookie:d")]],
    ids=repr,
)  # fmt: skip
def test_beside_any_other_cell_lists_stay_pythons(cell):
    lists = pd.Series([["urn:email:a@x.org"], cell, None], dtype=object)
    s = ck.stitch(pd.DataFrame([ROW] * 3).assign(aliases=lists))
    assert s.events["aliases"].dtype == object
    assert s.events["aliases"].iloc[0] == ["urn:email:a@x.org"]
    assert {"c", "a@x.org"} <= set(s.aliases["alias_value"])


def test_lists_under_another_name_are_read_as_any():
    frame = pd.DataFrame([{**ROW, "urns": ["urn:email:a@x.org"]}, {**ROW, "urns": None}])
    s = ck.stitch(frame, columns={"aliases": "urns"})
    assert s.events["aliases"].tolist() == [["urn:email:a@x.org"], None]
    assert s.aliases["alias_value"].tolist() == ["c", "a@x.org"]
    s = ck.stitch(frame.rename(columns={"urns": "aliases"}), columns={"properties.was": "aliases"})
    assert s.events["properties.was"].tolist() == [["urn:email:a@x.org"], None]
    assert s.aliases["alias_value"].tolist() == ["c"]


def test_a_list_of_the_result_is_not_the_callers():
    urns = ["urn:email:a@x.org"]
    s = ck.stitch(pd.DataFrame([{**ROW, "aliases": urns}]))
    s.events["aliases"].iloc[0].append("urn:cookie:d")
    assert urns == ["urn:email:a@x.org"]
    urns.append("urn:cookie:e")
    assert s.events["aliases"].tolist() == [["urn:email:a@x.org", "urn:cookie:d"]]


def test_kept_rows_are_not_copied():
    lists = pa.chunked_array([[["urn:email:a@x.org"], ["urn:cookie:d"]]], OF_ARROW.pyarrow_dtype)
    frame = pd.DataFrame([ROW] * 2).assign(aliases=pd.Series(pd.arrays.ArrowExtensionArray(lists)))
    kept = ck.stitch(frame).to_arrow()["aliases"]
    data = [part.chunk(0).values.buffers()[2].address for part in (lists, kept)]
    assert data[0] == data[1]


def test_text_that_is_not_utf8_is_read_as_far_as_it_is():
    texts = pa.array([b"urn:cookie:d", b"urn:cookie:\xff"]).cast(pa.large_string(), safe=False)
    broken = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), texts)
    frame = pd.DataFrame([ROW] * 2).assign(
        aliases=pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([broken])))
    )
    s = ck.stitch(frame)
    assert s.events["aliases"].tolist() == [["urn:cookie:d"]]
    assert len(s.rejected) == 1


def test_files_give_lists_as_python_holds_them(tmp_path):
    lines = [
        {"eventName": "PageView", "timestamp": "2026-03-02T10:00:00Z", "aliases": urns}
        for urns in (["urn:cookie:a", "urn:email:a@x.org"], [], ["urn:cookie:ä"])
    ]
    path = tmp_path / "pixel.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    events = ck.read_events(path)
    assert events["aliases"].dtype == object
    assert events["aliases"].tolist() == [line["aliases"] for line in lines]
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({**lines[0], "aliases": "urn:cookie:b"}) + "\n", encoding="utf-8")
    both = ck.read_events([path, other])
    assert both["aliases"].tolist() == [*(line["aliases"] for line in lines), "urn:cookie:b"]


def test_arrows_lists_are_asked_as_pythons_are(tmp_path):
    rows = [{**ROW, "aliases": ["urn:email:a@x.org", "urn:cookie:d"]}, {**ROW, "aliases": None}]
    s = ck.stitch(pd.DataFrame(rows))
    assert len(s.where(events="aliases.str.len() == 2").events) == 1
    with pytest.raises(ColumnError, match="holds lists or objects"):
        s.funnel(["PageView"], within="7D", by="aliases")
    write_csv(s.events[["aliases"]], tmp_path / "events.csv")
    cells = pd.read_csv(tmp_path / "events.csv", skip_blank_lines=False)["aliases"].tolist()
    assert cells[0] == "['urn:email:a@x.org', 'urn:cookie:d']"
    assert pd.isna(cells[1])


def test_pandas_reads_what_it_wrote_of_lists(tmp_path):
    given = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView"],
            "timestamp": ["2026-03-02", "2026-03-03"],
            "aliases": pd.Series([["urn:cookie:a"], None], dtype=OF_ARROW),
        }
    )
    s = ck.stitch(given)
    assert s.events["aliases"].tolist() == [["urn:cookie:a"], None]
    s.events.to_parquet(tmp_path / "events.parquet")
    again = pd.read_parquet(tmp_path / "events.parquet")["aliases"].tolist()
    assert [None if cell is None else list(cell) for cell in again] == [["urn:cookie:a"], None]
    read = ck.read_events(tmp_path / "events.parquet")
    assert read["aliases"].tolist() == [["urn:cookie:a"], None]
