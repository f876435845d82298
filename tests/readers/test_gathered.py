"""Tables with a line per item: several lines are one event, wherever a batch ends."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import csv_files, formats, gathered
from tests.effort import tries
from tests.readers import reference_gathered

KEY = ["order", "shop"]
ITEMS = {"name": "item", "price": "price"}
COLUMNS = ["order", "shop", "at", "mail", "total", "item", "price"]


def till(together=False, first=None):
    return ck.Export(
        name="till",
        documentation="https://till.example.com/export",
        recognised_by=[["order", "item"]],
        event_id="order",
        event_name=lambda rows: ["Placed Order"] * len(rows),
        timestamp="at",
        aliases={"email": "mail"},
        properties={"total": "total", "items": "items"},
        lines=ck.ItemLines(key=KEY, items=ITEMS, together=together, first=first),
    )


@pytest.fixture(autouse=True)
def no_formats_of_others(monkeypatch):
    monkeypatch.setattr(formats, "_registered", {})


def written(path, lines):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return path


def line(order, item, **more):
    common = {"order": order, "at": "2026-03-02T10:00:00Z", "mail": "ada@example.com"}
    return common | {"item": item} | more


def test_lines_become_one_event_with_its_items(tmp_path):
    ck.register_export(till())
    lines = [
        line("1", "Beans", price="30.00", total="75.00", mail="ada@example.com"),
        line("1", "Grinder", price="45.00"),
        line("2", "Filter", price="20.00", total="20.00", mail="otto@example.com"),
    ]
    events = ck.read_events(written(tmp_path / "orders.csv", lines))
    assert events["line"].tolist() == [2, 4]
    s = ck.stitch(events)
    assert s.events["properties.total"].tolist() == [75.0, 20.0]
    assert s.events["properties.items"].tolist() == [
        [{"name": "Beans", "price": 30.0}, {"name": "Grinder", "price": 45.0}],
        [{"name": "Filter", "price": 20.0}],
    ]
    assert s.report.remarks == {"lines gathered into 2 events": 3}
    assert not {"read_lines", "read_conflicts"} & set(s.events)
    customers = s.customers("Placed Order", value="total")
    assert repr(customers) == "Customers(2 customers with 2 orders; 0 ordered again)"


def test_lines_that_disagree_are_told_and_the_first_counts(tmp_path):
    ck.register_export(till())
    lines = [
        line("1", "Beans", mail="ada@example.com"),
        line("1", "Grinder", total="75.00"),
        line("1", "Filter", total="80.00", mail="bob@example.com"),
        line("2", "Filter", total="20.00"),
    ]
    s = ck.stitch(ck.read_events(written(tmp_path / "orders.csv", lines)))
    assert s.events["properties.total"].tolist() == [75, 20]
    assert s.aliases["alias_value"].tolist() == ["ada@example.com"]
    differs = "differs between the lines of an event: the first value counts"
    assert s.report.remarks == {
        "lines gathered into 2 events": 4, f"mail {differs}": 1, f"total {differs}": 1,
    }  # fmt: skip


def test_a_line_that_cannot_be_read_stays_a_row(tmp_path):
    ck.register_export(till(together=True))
    path = written(tmp_path / "orders.csv", [line("1", "Beans"), line("1", "Filter")])
    header, first, second = path.read_text().splitlines()
    path.write_text("\n".join([header, first, "oops", second]) + "\n")
    events = ck.read_events(path)
    assert events["line"].tolist() == [2, 3]
    assert events["read_error"].tolist()[1] == "expected 7 fields, found 1"
    assert events["properties.items"].tolist()[0] == [{"name": "Beans"}, {"name": "Filter"}]
    assert len(ck.stitch(events).rejected) == 1


def test_an_order_that_comes_again_is_a_copy_where_lines_stand_together(tmp_path):
    ck.register_export(till(together=True))
    lines = [line("1", "Beans"), line("1", "Filter"), line("2", "Mug")]
    s = ck.stitch(ck.read_events(written(tmp_path / "orders.csv", [*lines, *lines[:2]])))
    assert list(map(len, s.events["properties.items"])) == [2, 1]
    assert s.duplicates["repeat"].tolist() == ["identical"]


def test_a_frame_of_lines_keeps_the_labels_of_the_first():
    ck.register_export(till())
    frame = pd.DataFrame(
        [line("1", "Beans", total=75.0), line("2", "Mug"), line("1", "Filter")],
        index=["x", "y", "z"],
    )
    before = frame.copy(deep=True)
    events = ck.read_events(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert events.index.tolist() == ["x", "y"]
    assert list(map(len, events["properties.items"])) == [2, 1]
    assert ck.stitch(events).report.remarks == {"lines gathered into 2 events": 3}


def test_a_declaration_that_gathers_nothing_is_refused():
    with pytest.raises(ck.ConvergekitError, match="ItemLines needs key, a list of columns"):
        ck.ItemLines(key="order", items=ITEMS)


cells = st.sampled_from(["", "a", "b"])
any_lines = st.lists(
    st.fixed_dictionaries({name: cells for name in COLUMNS if name != "at"}),
    min_size=1, max_size=8,
)  # fmt: skip


@tries(150)
@given(any_lines, st.integers(1, 9), st.booleans(), st.sampled_from([None, "total"]))
@example([{"order": "a", "item": ""}, {"order": "", "item": "a"}, {"order": "a"}], 1, True, None)
def test_gathered_as_one_would_by_hand_wherever_a_batch_ends(
    tmp_path_factory, lines, rows, together, first
):
    lines = [{"at": "2026-03-02", "order": "", "item": ""} | line for line in lines]
    path = written(tmp_path_factory.mktemp("lines") / "a.csv", lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "_registered", {"till": till(together, first)})
        patch.setattr(csv_files, "BATCH_ROWS", rows)
        patch.setattr(gathered, "BATCH_ROWS", rows)
        patch.setattr(formats, "find_format", None)
        patch.setattr("convergekit.readers.reading.find_format", lambda *_: till(together, first))
        events = ck.read_events(path)
    expected = reference_gathered.orders(lines, KEY, ITEMS, together, first)
    assert events["line"].tolist() == [order["place"] + 2 for order in expected]
    for name, column in [("event_id", "order"), ("alias.email", "mail"),
                         ("properties.total", "total")]:  # fmt: skip
        found = events[name].fillna("") if name in events else [""] * len(events)
        assert list(found) == [order["fields"].get(column, "") for order in expected]
    if "properties.items" in events:
        items = [given if isinstance(given, list) else [] for given in events["properties.items"]]
    else:
        items = [[] for _ in expected]
    assert items == [order["items"] for order in expected]
    assert events["read_lines"].tolist() == [order["lines"] for order in expected]
    differ = events["read_conflicts"].fillna("").tolist()
    assert differ == ["\n".join(sorted(order["differ"])) for order in expected]
