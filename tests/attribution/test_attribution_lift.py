"""What stitching changed: all ways of counting credit the same conversions, to the cent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.attribution.lift import AS_OF
from convergekit.funnels.lift import STITCHED
from tests.effort import tries
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line

START = pd.Timestamp("2026-03-02", tz="UTC")
MODELS = ["linear", "markov"]


def events_of(rows):
    """Return events of (hour, name, source, aliases, utm_source, total) rows."""
    columns = ["hour", "event_name", "source", "aliases", "utm_source", "properties.total"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["profile_properties.utm_source"] = frame.pop("utm_source").astype(object)
    frame["timestamp"] = START + pd.to_timedelta(frame.pop("hour"), unit="h")
    frame["properties.total"] = frame["properties.total"].astype("float64")
    page = frame["event_name"] == "PageView"
    return frame.assign(**{"properties.$url": np.where(page, "https://shop.example/", None)})


# One buyer, two cookies: the first comes from meta, the second from google and with a login. The
# first order (30) knows the address; a login links the first cookie only after it. The second
# order (10) is a cookie's own, and a third (5) is nobody's.
ROWS = [
    (0, "PageView", "browser", ["urn:cookie:a"], "meta", None),
    (24, "PageView", "browser", ["urn:cookie:b", "urn:email:a@x.org"], "google", None),
    (25, "Order", "server", ["urn:email:a@x.org"], None, 30.0),
    (48, "Login", "browser", ["urn:cookie:a", "urn:email:a@x.org"], None, None),
    (49, "PageView", "browser", ["urn:cookie:c"], "news", None),
    (50, "Order", "browser", ["urn:cookie:c"], None, 10.0),
    (51, "Order", "server", [], None, 5.0),
]
SOURCE = {"by": "utm_source"}


@pytest.fixture(scope="module")
def lift():
    s = ck.stitch(events_of(ROWS))
    return s.attribution_lift("Order", "total", ["first_touch", "linear"], by="utm_source")


def credited(found, way, model):
    table = found.table[(found.table["counted_by"] == way) & (found.table["model"] == model)]
    values = dict(zip(table[found.by], table["value"], strict=True))
    return {label: value for label, value in values.items() if value}


def test_each_way_credits_what_it_can_worked_by_hand(lift):
    assert credited(lift, STITCHED, "first_touch") == {"meta": 30.0, "news": 10.0, "(none)": 5.0}
    assert credited(lift, AS_OF, "first_touch") == {"google": 30.0, "news": 10.0, "(none)": 5.0}
    assert credited(lift, "alias email alone", "linear") == {"google": 30.0, "(none)": 15.0}
    assert credited(lift, "alias cookie alone", "linear") == {"news": 10.0, "(none)": 35.0}
    assert credited(lift, "source browser alone", "linear") == {"news": 10.0, "(none)": 35.0}
    assert credited(lift, "source server alone", "linear") == {"(none)": 45.0}
    assert credited(lift, STITCHED, "linear") == {
        "meta": 15.0, "google": 15.0, "news": 10.0, "(none)": 5.0,
    }  # fmt: skip


def test_the_summary_says_how_much_was_found_and_how_much_moved(lift):
    summary = lift.summary.set_index("counted_by") * 45
    assert summary.loc[STITCHED].tolist() == pytest.approx([40, 0, 0, 0, 0])
    # By its address alone the order of 30 is google's; stitched, all or half of it is meta's.
    assert summary.loc["alias email alone"].tolist() == pytest.approx([30, 10, 0, 30, 15])
    assert summary.loc[AS_OF].tolist() == pytest.approx([40, 0, 0, 30, 15])
    assert summary.loc["alias cookie alone"].tolist() == pytest.approx([10, 30, 0, 0, 0])
    assert list(lift.summary)[1:] == [
        "credited", "found", "lost", "moved_first_touch", "moved_linear",
    ]  # fmt: skip


def test_what_a_label_gains_stands_beside_what_it_has(lift):
    email = lift.table[lift.table["counted_by"] == "alias email alone"]
    linear = email[email["model"] == "linear"].set_index("utm_source")["change"]
    assert linear.to_dict() == {"google": -15.0, "meta": 15.0, "news": 10.0, "(none)": -10.0}
    assert lift.table["utm_source"].tolist()[:4] == ["meta", "news", "google", "(none)"]


def test_a_touch_may_be_lost():
    # The page view alone is within the look-back; stitched, it is in a session that began before.
    rows = [
        (0, "PageView", "browser", ["urn:cookie:a", "urn:email:a@x.org"], "meta", None),
        (0.4, "PageView", "browser", ["urn:email:a@x.org"], None, None),
        (1.2, "Order", "browser", ["urn:email:a@x.org"], None, 8.0),
    ]
    s = ck.stitch(events_of(rows).assign(source=["app", "browser", "browser"]))
    summary = s.attribution_lift("Order", "total", lookback="1h").summary.set_index("counted_by")
    assert summary.loc["source browser alone", ["credited", "lost"]].tolist() == [1.0, 1.0]
    assert summary.loc[STITCHED, "credited"] == 0.0


def test_without_a_value_conversions_are_counted():
    found = ck.stitch(events_of(ROWS)).attribution_lift("Order", by="utm_source")
    assert list(found.table) == ["model", "counted_by", "utm_source", "conversions", "change"]
    credit = found.summary.set_index("counted_by")["credited"]
    assert credit[STITCHED] == pytest.approx(2 / 3)
    assert repr(found) == (
        "AttributionLift(Order by utm_source; share of conversions with a touch: 66.7% stitched, "
        "66.7% under as-of identity, 33.3% by alias cookie alone)"
    )


def test_identity_does_not_change_the_comparison():
    frame = events_of(ROWS)
    now, then = (
        ck.stitch(frame, identity=identity).attribution_lift("Order", "total", **SOURCE)
        for identity in ("retroactive", "as_of")
    )
    pd.testing.assert_frame_equal(now.table, then.table)
    pd.testing.assert_frame_equal(now.summary, then.summary)


def test_conversions_that_are_worth_nothing_have_no_shares():
    rows = [(*row[:-1], None if row[-1] is None else 0.0) for row in ROWS]
    found = ck.stitch(events_of(rows)).attribution_lift("Order", "total")
    assert found.summary.iloc[:, 1:].isna().all(axis=None)
    assert "nothing stitched" in repr(found)
    assert found.plot().data
    assert "<table" in found._repr_html_()


WAYS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["PageView", "PageView", "Order"]),
        st.sampled_from(["browser", "server"]),
        st.lists(
            st.sampled_from(
                ["urn:cookie:a", "urn:cookie:b", "urn:email:a@x.org", "urn:email:b@x.org"]
            ),
            max_size=2,
            unique=True,
        ),
        st.sampled_from([None, "google", "meta", "news"]),
        st.sampled_from([0.01, 9.99, 100.0, -5.01]),
    ),
    min_size=1,
    max_size=14,
).filter(lambda rows: any(row[1] == "Order" for row in rows))


@tries(8)
@given(WAYS)
def test_both_sides_are_what_attribution_says_and_add_up_to_the_cent(rows):
    frame = events_of(rows)
    frame["properties.total"] = frame["properties.total"].where(frame["event_name"] == "Order")
    s = ck.stitch(frame)
    found = s.attribution_lift("Order", "total", MODELS, lookback="1D", **SOURCE)
    total = round(frame["properties.total"].sum() * 100)
    sums = (found.table.assign(cents=(found.table["value"] * 100).round())).groupby(
        ["model", "counted_by"]
    )
    assert (sums["cents"].sum() == total).all()
    assert sums["change"].sum().abs().max() < 0.005
    assert sums["conversions"].sum().tolist() == pytest.approx(
        [(frame["event_name"] == "Order").sum()] * len(sums)
    )
    summary = found.summary.set_index("counted_by")
    held = summary["credited"] + summary["found"] - summary["lost"]
    assert held.tolist() == pytest.approx([summary.loc[STITCHED, "credited"]] * len(summary))
    moved = summary.filter(like="moved_").max(axis=1) + summary["found"] + summary["lost"]
    assert (moved <= 1 + 1e-9).all()
    for way, identity in ((STITCHED, "retroactive"), (AS_OF, "as_of")):
        asked = ck.stitch(frame, identity=identity)
        apart = asked.attribution("Order", "total", MODELS, lookback="1D", **SOURCE)
        for model in MODELS:
            table = apart.table[apart.table["model"] == model]
            same = dict(zip(table["utm_source"], table["value"], strict=True))
            assert credited(found, way, model) == {k: v for k, v in same.items() if v}


def test_the_figure_has_a_bar_for_each_way_and_label(lift):
    figure = lift.plot("linear", template="dark")
    assert [trace.name for trace in figure.data] == [
        "stitched", "as-of identity", "email alone", "cookie alone", "source browser alone",
    ]  # fmt: skip
    # The order of labels is that of the model's own stitched values.
    assert list(figure.layout.yaxis.ticktext) == ["google", "meta", "news", "(none)"]
    assert list(figure.data[0].x) == [15.0, 15.0, 10.0, 5.0]
    assert list(figure.data[2].x) == [30.0, 0.0, 0.0, 15.0]
    assert one_line(figure.data[2].hovertext[1]) == (
        "Counted by alias email alone, meta is credited with 0.00 of the conversions. Their "
        "total: 0.00. Stitching changes that by +15.00."
    )
    assert one_line(figure.layout.title.subtitle.text) == (
        "Of 45.00 total, 88.9% has a touch stitched, 88.9% under as-of identity. Sums of total, "
        "linear. 1 other way of counting: no touch at all."
    )
    assert next(iter(lift.plot().layout.yaxis.ticktext)) == "meta"


def test_a_model_that_was_not_asked_for_is_said(lift):
    with pytest.raises(ck.ConvergekitError, match="Did you mean 'linear'"):
        lift.plot("lineer")


def test_names_from_data_are_shown_as_they_are():
    rows = [
        (0, "PageView", HOSTILE, ["urn:cookie:a"], HOSTILE, None),
        (1, HOSTILE, HOSTILE, ["urn:cookie:a"], None, 1.0),
    ]
    found = ck.stitch(events_of(rows)).attribution_lift(HOSTILE, "total", **SOURCE)
    assert_shown_as_it_is(found.plot())


def test_a_label_that_leads_to_no_conversion_has_no_row():
    rows = [*ROWS, (60, "PageView", "browser", ["urn:cookie:d"], "bing", None)]
    found = ck.stitch(events_of(rows)).attribution_lift("Order", "total", "markov", **SOURCE)
    assert set(found.table["utm_source"]) == {"meta", "google", "news", "(none)"}
    # A row for every label and way, the same labels in the same order.
    assert (found.table.groupby("counted_by").size() == 4).all()


def test_a_card_of_no_conversions():
    nothing = ck.stitch(ck.simulate_store().events.iloc[:0])
    card = nothing.attribution_lift("Placed Order")._repr_html_()
    assert "nothing stitched" in card
    assert ">stitched</th>" in card
