"""Attribution: nothing is lost, nothing outside the look-back counts, the cents add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.attribution.attribute import whole_shares
from tests.attribution.reference_attribution import shares, touches_of
from tests.attribution.test_attribution_models import attributed, values
from tests.effort import tries

START = pd.Timestamp("2026-03-02", tz="UTC")
RULES = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay")
MODELS = (*RULES, "markov", "shapley")


def events_of(rows):
    """Return events of (visitor, hour, source, amount) rows: orders where there is an amount."""
    frame = pd.DataFrame(rows, columns=["alias.cookie", "hour", "source", "properties.total"])
    order = frame["properties.total"].notna()
    frame["event_name"] = np.where(order, "Order", "PageView")
    frame["properties.$url"] = pd.Series("https://shop.example/", index=frame.index).mask(order)
    frame["profile_properties.utm_source"] = frame.pop("source").astype(object)
    frame["timestamp"] = START + pd.to_timedelta(frame.pop("hour"), unit="h")
    frame["properties.total"] = frame["properties.total"].astype("float64")
    return frame


def stitched(*rows, **columns):
    return ck.stitch(events_of(rows).assign(**columns))


def labels(found):
    return list(zip(found.credits[found.by], found.credits["credit"], strict=True))


def test_a_visit_as_old_as_the_look_back_counts_and_an_older_one_does_not():
    s = stitched(("a", 0, "meta", None), ("a", 24, "google", None), ("a", 48, None, 10.0))
    assert labels(s.attribution("Order", by="utm_source", model="linear", lookback="48h")) == [
        ("meta", 0.5), ("google", 0.5),
    ]  # fmt: skip
    assert labels(s.attribution("Order", by="utm_source", model="linear", lookback="47h")) == [
        ("google", 1.0)
    ]


def test_a_visit_at_the_moment_counts_and_a_later_one_does_not():
    s = stitched(("a", 0, "meta", None), ("a", 0, None, 10.0), ("a", 1, "google", None))
    assert labels(s.attribution("Order", by="utm_source")) == [("meta", 1.0)]


def test_a_conversion_without_a_touch_or_a_profile_is_credited_to_none():
    s = stitched(
        ("a", 0, "meta", None), ("a", 1, None, 10.0), ("b", 2, None, 5.0), (None, 3, None, 1.0)
    )
    found = s.attribution("Order", "total")
    assert values(found) == {"Organic Social": 10.0, "(none)": 6.0}
    nothing = found.credits[found.credits["channel"] == "(none)"]
    assert nothing["touches"].tolist() == [0, 0]
    assert nothing["touch"].isna().all()
    assert nothing["session_id"].isna().all()
    assert repr(found) == (
        "Attribution(Order: 3 conversions, 1 with a touch within 30 days; last_touch by channel)"
    )


def test_an_order_that_no_visit_explains_is_no_touch_of_itself_or_of_the_next():
    s = stitched(("a", 0, None, 10.0), ("a", 24, None, 5.0), ("b", 0, "meta", None))
    assert values(s.attribution("Order", "total")) == {"(none)": 15.0}


def test_direct_visits_are_touches_or_the_last_resort():
    rows = [
        ("a", 0, "meta", None), ("a", 24, None, None), ("a", 25, None, 10.0),
        ("b", 0, None, None), ("b", 1, None, 5.0),
    ]  # fmt: skip
    s = stitched(*rows)
    assert values(s.attribution("Order", "total")) == {"Direct": 15.0, "Organic Social": 0.0}
    social_first = {"Organic Social": 10.0, "Direct": 5.0}
    assert values(s.attribution("Order", "total", "last_non_direct")) == social_first
    for model in MODELS:
        found = s.attribution("Order", "total", model, direct="last_resort")
        assert values(found) == social_first


def test_what_has_no_tag_is_of_its_own_and_goes_by_its_channel_when_asked():
    s = stitched(("a", 0, "meta", None), ("a", 24, None, None), ("a", 25, None, 10.0))
    asked = {"by": "utm_source", "model": "linear"}
    assert labels(s.attribution("Order", **asked)) == [("meta", 0.5), ("(no utm_source)", 0.5)]
    found = s.attribution("Order", otherwise="channel", **asked)
    assert labels(found) == [("meta", 0.5), ("Direct", 0.5)]
    assert found.credits["channel"].tolist() == ["Organic Social", "Direct"]


def test_a_visit_is_of_what_it_sent_and_not_of_what_is_carried():
    s = stitched(("a", 0, "meta", None), ("a", 1000, None, None), ("a", 1001, None, 10.0))
    assert s.events["profile.utm_source"].tolist() == ["meta"] * 3
    assert labels(s.attribution("Order", by="utm_source", lookback="1D")) == [
        ("(no utm_source)", 1.0)
    ]


def test_several_models_stand_in_one_table():
    found = attributed([("ab", 10.0), ("b", 5.0)], ["first_touch", "last_touch"])
    assert found.comparison.to_dict("list") == {
        "utm_source": ["a", "b"], "first_touch": [10.0, 5.0], "last_touch": [0.0, 15.0],
    }  # fmt: skip
    assert found.table["model"].tolist() == ["first_touch"] * 2 + ["last_touch"] * 2
    assert found.table["touches"].tolist() == [1, 2, 2, 1]
    assert "first_touch" in found._repr_html_()


def test_without_a_value_conversions_are_counted():
    s = stitched(("a", 0, "meta", None), ("a", 1, None, 10.0))
    found = s.attribution("Order", model=["linear", "last_touch"])
    assert "value" not in found.credits
    assert found.comparison.to_dict("list") == {
        "channel": ["Organic Social"], "linear": [1.0], "last_touch": [1.0],
    }  # fmt: skip


def test_a_conversion_may_be_a_step_with_a_condition():
    s = stitched(("a", 0, "meta", None), ("a", 1, None, 10.0), ("a", 2, None, 50.0))
    large = ck.Step("Order", where="total > 20", label="Large order")
    found = s.attribution(large, "total")
    assert values(found) == {"Organic Social": 50.0}
    assert found.conversion == "Large order"


@pytest.mark.parametrize("column", ["properties.currency", "currency"])
def test_several_currencies_are_refused_unless_told(column):
    s = stitched(
        ("a", 0, None, 10.0), ("a", 1, None, 20.0), ("a", 2, None, 5.0),
        ("b", 3, None, None),
        **{column: ["EUR", "eur ", "USD", None]},
    )  # fmt: skip
    with pytest.raises(ck.ConvergekitError, match=r"several currencies \(EUR, USD\)"):
        s.attribution("Order", "total")
    euros = ck.Step("Order", where={"currency": ["EUR", "eur "]})
    assert values(s.attribution(euros, "total")) == {"(none)": 30.0}
    assert values(s.attribution("Order", "total", mixed_currencies=True)) == {"(none)": 35.0}
    assert len(s.attribution("Order").credits) == 3


def test_one_conversion_is_explained_touch_by_touch():
    s = stitched(
        ("a", 0, "meta", None), ("a", 48, None, None), ("a", 49, None, 10.0), ("b", 50, None, 1.0)
    )
    found = s.attribution("Order", "total", ["linear", "last_touch"])
    profile = s.events["profile_id"].iloc[0]
    assert str(found.explain(2)).splitlines() == [
        f"Order of 10.00 at 2026-03-04 01:00 UTC (row 2) by {profile}: 2 touches in the 30 days "
        "before.",
        "1. 2026-03-02 00:00, 2 days 1 h before, Organic Social (meta): linear 50% = 5.00, "
        "last_touch 0% = 0.00",
        "2. 2026-03-04 00:00, 1 h before, Direct: linear 50% = 5.00, last_touch 100% = 10.00",
    ]
    assert len(found.explain(2).credits) == 4
    assert "<ol><li>" in found.explain(2)._repr_html_()
    assert "no touch in the 30 days before" in str(found.explain(3))
    with pytest.raises(ck.ConvergekitError, match="row must be the row of a conversion"):
        found.explain(0)


def test_as_of_a_touch_counts_only_if_it_was_known_to_be_the_buyers():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "Order", "Login", "Order"],
            "timestamp": START + pd.to_timedelta([0, 1, 2, 3], unit="h"),
            "aliases": [
                ["urn:cookie:c"], ["urn:email:a@x.org"],
                ["urn:cookie:c", "urn:email:a@x.org"], ["urn:email:a@x.org"],
            ],
            "properties.$url": ["https://shop.example/", None, None, None],
            "profile_properties.utm_source": ["meta", None, None, None],
            "properties.total": [None, 10.0, None, 5.0],
        }
    )  # fmt: skip
    now, then = (
        ck.stitch(frame, identity=identity).attribution("Order", "total")
        for identity in ("retroactive", "as_of")
    )
    assert values(now) == {"Organic Social": 15.0}
    assert values(then) == {"Organic Social": 5.0, "(none)": 10.0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": "last_click"}, "model must be one of first_touch"),
        ({"model": "lineer"}, "Did you mean 'linear'"),
        ({"model": []}, "must name at least one"),
        ({"by": "utm_sorce"}, "Did you mean 'utm_source'"),
        ({"direct": "never"}, "direct must be one of 'touch', 'last_resort'"),
        ({"weights": (1, 2)}, "must be three shares, those of the first touch"),
        ({"weights": (0, 1, 0)}, "not both zero"),
        ({"half_life": "-1D"}, "half_life must be.*got '-1D'"),
        ({"lookback": "1 month"}, "count in days"),
        ({"value": "event_name"}, "must name a column of numbers"),
    ],
)
def test_what_cannot_be_is_said(arguments, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        stitched(("a", 0, None, 1.0)).attribution("Order", **arguments)


def test_an_unknown_conversion_is_said():
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'Order'"):
        stitched(("a", 0, None, 1.0)).attribution("Ordre")


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.integers(0, 60),
        st.sampled_from([None, None, "google", "meta", "news"]),
        st.sampled_from([None, None, 0.01, 9.99, 100.0, -5.01]),
    ),
    min_size=1,
    max_size=25,
).filter(lambda rows: any(row[3] is not None for row in rows))


@tries(60)
@given(ROWS, st.sampled_from([1, 24, 720]))
def test_credits_are_those_found_one_conversion_at_a_time(rows, hours):
    s = stitched(*rows)
    lookback = pd.Timedelta(hours, "h")
    found = s.attribution("Order", "total", MODELS, lookback=f"{hours}h")
    sessions = s.sessions()
    orders = s.events[s.events["event_name"] == "Order"]
    for model in MODELS:
        mine = found.credits[found.credits["model"] == model]
        assert set(mine["row"]) == set(orders["row"])
        for order in orders.itertuples():
            got = mine[mine["row"] == order.row]
            touches = touches_of(
                sessions, order.profile_id, order.timestamp, lookback, set(orders["row"])
            )
            assert got["credit"].sum() == pytest.approx(1)
            amount = s.events.loc[order.Index, "properties.total"]
            assert (got["value"] * 100).round().sum() == round(amount * 100)
            if not touches:
                assert got["channel"].tolist() == ["(none)"]
                continue
            of_session = sessions.iloc[touches]
            assert got["session_id"].tolist() == of_session["session_id"].tolist()
            assert got["age"].between(pd.Timedelta(0), lookback).all()
            assert got["touch"].tolist() == list(range(1, len(touches) + 1))
            if model in RULES:
                ages = (order.timestamp - of_session["arrived"]) / pd.Timedelta("1D")
                slow = shares(
                    list(zip(ages, of_session["channel"] == "Direct", strict=True)), model
                )
                assert got["credit"].tolist() == pytest.approx(slow)
    totals = found.table.groupby("model")["value"].sum()
    assert totals.tolist() == pytest.approx([orders["properties.total"].sum()] * len(MODELS))


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    # Each at a time of its own, so that no order of arrival decides.
    rows = [(who, 61 * at + hour, *rest) for at, (who, hour, *rest) in enumerate(rows)]
    shuffled = random.sample(rows, len(rows))
    one, other = (
        stitched(*some).attribution("Order", "total", MODELS, lookback="60D")
        for some in (rows, shuffled)
    )
    pd.testing.assert_frame_equal(one.table, other.table)


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(0.001, 1), min_size=1, max_size=8), st.integers(-(10**7), 10**7)
        ),
        max_size=20,
    )
)
def test_whole_shares_add_up_and_are_less_than_one_off(groups):
    group = np.repeat(np.arange(len(groups)), [len(parts) for parts, _ in groups])
    share = np.array([part / sum(parts) for parts, _ in groups for part in parts])
    whole = np.array([amount for _, amount in groups], dtype=np.int64)
    found = whole_shares(group.astype(np.int64), share, whole)
    assert (
        np.bincount(group, weights=found, minlength=len(whole)).astype(int).tolist()
        == whole.tolist()
    )
    assert (np.abs(found - share * whole[group]) < 1 + 1e-6).all()


def test_equal_touches_may_be_exchanged():
    one, other = (
        stitched(*rows).attribution("Order", "total", MODELS).table
        for rows in (
            [
                ("a", 0, "meta", None),
                ("a", 24, "google", None),
                ("a", 48, "meta", None),
                ("a", 72, None, 10.0),
            ],
            [
                ("a", 48, "meta", None),
                ("a", 24, "google", None),
                ("a", 0, "meta", None),
                ("a", 72, None, 10.0),
            ],
        )
    )
    pd.testing.assert_frame_equal(one, other)


def test_the_figure_has_a_bar_for_each_model_and_label():
    s = ck.stitch(ck.simulate_store().events)
    found = s.attribution("Placed Order", "total_price", ["linear", "last_touch"])
    figure = found.plot(template="dark")
    assert [trace.name for trace in figure.data] == ["linear", "last_touch"]
    for trace in figure.data:
        assert list(trace.x) == found.comparison[trace.name].tolist()
    assert list(figure.layout.yaxis.ticktext) == found.comparison["channel"].tolist()
    assert "25 of 27 conversions" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_the_figure_says_what_it_leaves_out():
    journeys = [([f"c{n:02}"], 100.0 - n) for n in range(14)]
    found = attributed(journeys, list(MODELS))
    figure = found.plot()
    assert len(figure.data) == 6
    assert len(figure.data[0].x) == 12
    said = figure.layout.title.subtitle.text.replace("<br>", " ")
    assert "Not shown: 2 labels with less." in said
    assert "Not shown: 2 models." in said


def test_labels_that_begin_alike_differ_in_the_figure():
    pages = [f"https://shop.example/collections/{name}" for name in ("tea", "cups")]
    found = attributed([([page], 10.0) for page in pages], ["linear"])
    ticks = sorted(found.plot().layout.yaxis.ticktext)
    assert len(set(ticks)) == 2
    assert [tick[-4:] for tick in ticks] == ["/tea", "cups"]


def test_conversions_without_an_amount_are_told():
    s = stitched(
        ("a", 0, "meta", None), ("a", 1, None, 5.0), ("a", 2, None, 7.0),
        **{"properties.price": [1.0, 8.0, None], "properties.fee": [1.0, None, None]},
    )  # fmt: skip
    said = {"total": 0, "price": 1, "fee": 2}
    for value, unpriced in said.items():
        found = s.attribution("Order", value)
        assert found.unpriced == unpriced
        told = f"{unpriced} of 2 conversions without an amount in {value!r} counted as worth 0."
        assert (told in str(found)) == (unpriced > 0)
    assert s.attribution("Order").unpriced == 0
