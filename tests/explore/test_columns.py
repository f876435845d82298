"""The widget for columns without a browser: its fields are set as a person's keys set them."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "No,Created,E-mail,Total,Shop\n#1,25.03.2026 11:05,ada@x.org,30.00,<b>north</b>\n"
        "#2,26.03.2026 11:05,bob@x.org,12.50,south\n"
    )
    return path


def test_what_is_corrected_is_in_the_code(orders):
    e = ck.explore_columns(orders)
    assert e.columns == ck.suggest_columns(orders).columns
    name = next(own for name, own in e.rows if name.value == "event_name")
    assert name.value == "=Placed Order"
    name.value = "=Bought"
    e.add("properties.shop", "Shop")
    assert e.columns["event_name"] == ck.constant("Bought")
    events = eval(e.code, {"ck": ck})
    assert events["event_name"].tolist() == ["Bought", "Bought"]
    assert events["properties.shop"].tolist() == ["<b>north</b>", "south"]
    assert ck.stitch(events).events["timestamp"].dt.day.tolist() == [25, 26]
    e.rows[-1][1].value = "Shop "
    shown = e.box.children[1].children[1].children[1].value
    assert "&lt;b&gt;north" in shown
    assert "<b>" not in shown


def test_a_wrong_column_is_said_and_removed(orders):
    e = ck.explore_columns(orders)
    e.add("properties.x", "")
    e.rows[-1][1].value = "nothing"
    assert "does not have a column &#x27;nothing&#x27;" in e.status.value
    before = len(e.rows)
    lines = e.box.children[1].children[0].children[2].children
    lines[-1].children[-1].click()
    assert len(e.rows) == before - 1
    assert "properties.x" not in e.columns
    assert "nothing" not in e.status.value
    assert "text/plain" in e._repr_mimebundle_()


def test_a_known_format_needs_no_columns():
    row = {"messageId": "m", "type": "track", "anonymousId": "a", "event": "A",
           "timestamp": "2026-03-02T10:00:00Z"}  # fmt: skip
    e = ck.explore_columns(pd.DataFrame([row]))
    assert e.columns == {}
    assert e.code == "ck.read_events(frame)"
    assert "alert" not in e.status.value
