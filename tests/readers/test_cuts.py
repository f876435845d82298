"""An export says the same however it was cut into files."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

import convergekit as ck


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def settle_by_rank(frame):
    """Say of each sale how many sales of the call are as large or larger."""
    rank = frame["properties.total"].rank(ascending=False, method="max").astype("Int64")
    return frame.assign(**{"properties.rank": rank})


TILL = ck.Export(
    name="ranked_till",
    documentation="https://till.example.com/export",
    recognised_by=[["receipt_no", "sold_at"]],
    event_id="receipt_no",
    event_name=lambda rows: ["Sale"] * len(rows),
    timestamp="sold_at",
    aliases={"email": "mail"},
    properties={"total": "total", "shop": "shop"},
    settle=settle_by_rank,
)


def sale(number, total, **more):
    return {"receipt_no": number, "sold_at": f"2026-03-0{number}", "mail": f"{number}@x.org",
            "total": total, **more}  # fmt: skip


@pytest.mark.usefixtures("registered")
def test_settling_sees_all_files_of_the_format_and_no_others(tmp_path):
    ck.register_export(TILL)
    plain = {"event_name": "A", "timestamp": "2026-03-01", "aliases": ["urn:cookie:c"],
             "properties": {"total": 1000}}  # fmt: skip
    first = lines(tmp_path / "a.jsonl", [sale(1, 5), sale(2, 7)])
    other = lines(tmp_path / "b.jsonl", [plain])
    third = lines(tmp_path / "c.jsonl", [sale(3, 6, shop="Ghent")])
    ranks = {1: 3, 2: 1, 3: 2}
    for paths in ([first, other, third], [third, first, other]):
        events = ck.read_events(paths)
        assert list(dict.fromkeys(events["file"])) == [path.name for path in paths]
        sales = events[events["event_name"] == "Sale"]
        found = dict(zip(sales["event_id"].astype(int), sales["properties.rank"], strict=True))
        assert found == ranks
        assert events["properties.rank"].isna().sum() == 1
        rows = events.set_index(["file", "line"])
        assert rows.loc[("c.jsonl", 1), "source"] == "c"
        assert rows.loc[("a.jsonl", 2), "properties.total"] == 7
        assert pd.isna(rows.loc[("a.jsonl", 1), "properties.shop"])


@pytest.mark.usefixtures("registered")
def test_settling_several_files_keeps_lines_types_and_errors(tmp_path):
    ck.register_export(TILL)
    first = lines(tmp_path / "a.jsonl", [sale(1, 5)])
    with first.open("a") as file:
        file.write("oops\n")
    second = tmp_path / "b.csv"
    second.write_text(
        "receipt_no,sold_at,mail,total,shop\n"
        "2,2026-03-02,2@x.org,7,NULL\n3,2026-03-03,3@x.org,8,Ghent\n"
    )
    events = ck.read_events([first, second], format="ranked_till")
    assert events["line"].tolist() == [1, 2, 2, 3]
    assert events["read_error"].notna().tolist() == [False, True, False, False]
    assert events["properties.total"].dtype == "Int64"
    assert events["read_nulls"].notna().tolist() == [False, False, True, False]
    with pytest.raises(ck.ReadError, match=r"a\.jsonl, line 2: not JSON"):
        ck.read_events([first, second], format="ranked_till", strict=True)


@pytest.mark.usefixtures("registered")
def test_settling_must_return_the_same_rows(tmp_path):
    ck.register_export(replace(TILL, settle=lambda frame: frame.iloc[:1]))
    path = lines(tmp_path / "a.jsonl", [sale(1, 5), sale(2, 7)])
    with pytest.raises(ck.ConvergekitError, match="settle returned 1 row for 2 rows"):
        ck.read_events(path)


@pytest.mark.usefixtures("registered")
def test_an_error_after_settling_names_the_file(tmp_path):
    ck.register_export(replace(TILL, settle=lambda frame: frame.drop(columns="timestamp")))
    path = lines(tmp_path / "a.jsonl", [sale(1, 5)])
    with pytest.raises(ck.ColumnError, match=r"a\.jsonl: no timestamp column"):
        ck.read_events(path)


PAGE = {"messageId": "m1", "type": "page", "timestamp": "2026-03-02T10:00:00Z", "anonymousId": "a1",
        "context": {"campaign": {"source": "news"}}}  # fmt: skip
ALIAS = {"messageId": "m2", "type": "alias", "timestamp": "2026-03-02T11:00:00Z", "userId": "u1",
         "previousId": "a1"}  # fmt: skip
ORDER = {"messageId": "m3", "type": "track", "event": "Order Completed", "userId": "u1",
         "timestamp": "2026-03-02T11:01:00Z"}  # fmt: skip


@pytest.mark.parametrize("cut", [
    [[PAGE, ALIAS, ORDER]], [[PAGE], [ALIAS, ORDER]], [[ALIAS, ORDER], [PAGE]],
    [[ORDER], [ALIAS], [PAGE]],
])  # fmt: skip
@pytest.mark.parametrize("channel", [{}, {"channel": "web", "originalTimestamp": "2026-03-02"}])
def test_an_alias_call_links_whichever_file_knows_the_anonymous_id(tmp_path, cut, channel):
    files = [
        lines(tmp_path / f"{place}.jsonl", [row | channel for row in rows])
        for place, rows in enumerate(cut)
    ]
    store = ck.open_store(tmp_path / "store")
    for file in files:
        store.add(ck.read_events(file, format="rudderstack" if channel else "segment"))
    read = ck.read_events(files, format="rudderstack" if channel else "segment")
    for s in (ck.stitch(read), store.stitched()):
        aliases = s.aliases["alias_type"].astype(str) + ":" + s.aliases["alias_value"]
        assert sorted(aliases) == ["cookie:a1", "user_id:a1", "user_id:u1"]
        assert len(s.profiles) == 1
        orders = s.events[s.events["event_name"] == "Order Completed"]
        assert orders["profile.utm_source"].tolist() == ["news"]
        funnel = s.funnel(["page", "Order Completed"], within="1D")
        assert funnel.table["profiles"].tolist() == [1, 1]


def test_a_previous_id_that_the_call_itself_shows_to_be_anonymous_is_no_user_id(tmp_path):
    path = lines(tmp_path / "a.jsonl", [PAGE, ALIAS | {"anonymousId": "a1"}, ORDER])
    aliases = ck.stitch(ck.read_events(path)).aliases
    found = set(zip(aliases["alias_type"], aliases["alias_value"], strict=True))
    assert found == {("cookie", "a1"), ("user_id", "u1")}


def test_equal_ids_of_strangers_are_linked_by_a_previous_id_only(tmp_path):
    stranger = ORDER | {"messageId": "m4", "userId": "a1"}
    apart = ck.stitch(ck.read_events(lines(tmp_path / "a.jsonl", [PAGE, stranger])))
    assert len(apart.profiles) == 2
    own = ALIAS | {"anonymousId": "a1"}
    apart = ck.stitch(ck.read_events(lines(tmp_path / "b.jsonl", [PAGE, stranger, own])))
    assert len(apart.profiles) == 2
    both = ck.stitch(ck.read_events(lines(tmp_path / "c.jsonl", [PAGE, stranger, ALIAS])))
    assert len(both.profiles) == 1


BARE = {"event_name": "Placed Order", "timestamp": "2026-03-02T10:00:00Z",
        "aliases": ["urn:cookie:c"], "properties": {"price": 40, "items": [{"n": 1}]}}  # fmt: skip


def test_rows_without_an_id_that_come_again_in_another_file_are_named(tmp_path):
    first = lines(tmp_path / "events_20260302.jsonl", [BARE, BARE | {"properties": {"price": 41}}])
    second = lines(tmp_path / "export (2).jsonl", [BARE, BARE])
    s = ck.stitch(ck.read_events([first, second]))
    assert s.report.warnings == [
        "2 events without an event ID repeat another in every field, in another file "
        "('events_20260302.jsonl' and 'export (2).jsonl'): they are counted, because nothing marks "
        "them as duplicates"
    ]
    third = lines(tmp_path / "c.jsonl", [BARE])
    s = ck.stitch(ck.read_events([second, third, first]))
    assert s.report.warnings[0].startswith(
        "3 events without an event ID repeat another in every field, 2 of them in another file "
        "('export (2).jsonl' and 'c.jsonl': 1): they are"
    )
    store = ck.open_store(tmp_path / "store")
    store.add(first)
    store.add(second)
    assert "2 events without an event ID" in store.stitched().report.warnings[0]


def test_a_source_that_a_file_says_is_content(tmp_path):
    first = lines(tmp_path / "a.jsonl", [BARE | {"source": "web"}])
    second = lines(tmp_path / "b.jsonl", [BARE | {"source": "till"}])
    assert ck.stitch(ck.read_events([first, second])).report.warnings == []


WITH_ID = BARE | {"event_id": "1"}


@pytest.mark.parametrize(("names", "rows", "repeat"), [
    # The file's name alone does not make two copies different.
    (["browser.jsonl", "server.jsonl"], [{}, {}], "identical"),
    (["day_20260302.jsonl", "day_20260303.jsonl"], [{}, {}], "identical"),
    (["browser.jsonl", "server.jsonl"], [{"properties": {"x": 1}}, {}], "other source"),
    (["day_1.jsonl", "day_2.jsonl"], [{"properties": {"x": 1}}, {}], "different content"),
    (["events_20260302.jsonl", "events_intraday_20260302.jsonl"], [{"properties": {"x": 1}}, {}],
     "different content"),
    (["part-0-3f2a9c01.jsonl", "part-1-b0c4d2ee.jsonl"], [{"properties": {"x": 1}}, {}],
     "different content"),
    # What the file says does.
    (["day_1.jsonl", "day_2.jsonl"], [{"source": "web"}, {"source": "till"}], "other source"),
    (["day_1.jsonl", "day_2.jsonl"], [{"source": "web"}, {}], "other source"),
])  # fmt: skip
def test_what_is_filled_in_is_not_content(tmp_path, names, rows, repeat):
    # A store does not add the same bytes twice.
    files = [
        lines(tmp_path / name, [WITH_ID | row, BARE | {"event_name": f"Only in {name}"}])
        for name, row in zip(names, rows, strict=True)
    ]
    store = ck.open_store(tmp_path / "store")
    for file in files:
        store.add(file)
    for s in (ck.stitch(ck.read_events(files)), store.stitched()):
        assert s.duplicates["repeat"].tolist() == [repeat]


def test_the_report_says_where_the_order_of_rows_decides(tmp_path):
    by_order = "copy with other content dropped by the order of rows, without received_at"
    other = WITH_ID | {"properties": {"price": 41}}
    path = lines(tmp_path / "a.jsonl", [WITH_ID, other, WITH_ID])
    assert ck.stitch(ck.read_events(path)).report.remarks == {by_order: 1}
    received = {"received_at": "2026-03-02T11:00:00Z"}
    path = lines(tmp_path / "b.jsonl", [WITH_ID | received, other | received])
    assert ck.stitch(ck.read_events(path)).report.remarks == {}
    rows = [WITH_ID, other, WITH_ID | {"event_id": "2"} | received]
    path = lines(tmp_path / "c.jsonl", rows)
    assert ck.stitch(ck.read_events(path)).report.remarks[by_order] == 1


def test_a_csv_cell_is_the_same_whatever_stands_in_the_rest_of_its_file(tmp_path):
    head = "event_id,event_name,timestamp,alias.user_id,properties.size\n"
    first = "17.0,A,2026-03-02,4.0,12\n"
    rest = "e18,A,2026-03-03,x,large\n"
    whole, night, next_night = (tmp_path / f"{name}.csv" for name in ("w", "n1", "n2"))
    whole.write_text(head + first + first + rest)
    night.write_text(head + first)
    next_night.write_text(head + first + rest)
    for paths in (whole, [night, next_night], [next_night, night]):
        s = ck.stitch(ck.read_events(paths))
        assert set(s.events["event_id"]) == {"17", "e18"}
        assert set(s.aliases["alias_value"]) == {"4", "x"}
        assert s.duplicates["repeat"].tolist() == ["identical"]
