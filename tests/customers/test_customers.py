"""Customers: new and returning, ordering again, retention, and what they are worth."""

from __future__ import annotations

import datetime
from collections import Counter

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.customers.result import customers
from tests.customers import reference_customers
from tests.figures.figure_texts import HOSTILE, one_line, texts

START = pd.Timestamp("2026-01-01", tz="UTC")
NAMES = {"o": "Placed Order", "r": "Order Refunded", "v": "PageView"}


def log(**profiles):
    """Frames from sketches: ``log(ann="o0:10 r5:3")`` is an order of 10 on day 0, a refund of 3."""
    rows = []
    for profile, sketch in profiles.items():
        for event in sketch.split():
            day, _, amount = event[1:].partition(":")
            rows.append((profile, NAMES[event[0]], float(day), float(amount or "nan")))
    frame = pd.DataFrame(
        rows, columns=["profile_id", "event_name", "day", "properties.total_price"]
    )
    return frame.assign(timestamp=START + pd.to_timedelta(frame["day"], unit="D"))


def worth(found):
    return found.lifetime_value().set_index("profile_id")["value"].to_dict()


def test_customers_are_new_in_the_period_of_their_first_order():
    frame = log(a="o0:10 o3:5 o40:7", b="o35:1", z="v70")
    table = customers(frame).new_and_returning()
    assert table["period"].dt.month.tolist() == [1, 2, 3]
    assert table[["new", "returning"]].values.tolist() == [[1, 0], [1, 1], [0, 0]]
    assert table[["new_orders", "returning_orders"]].values.tolist() == [[2, 0], [1, 1], [0, 0]]
    assert table[["new_value", "returning_value"]].values.tolist() == [[15, 0], [1, 7], [0, 0]]
    assert table["complete"].tolist() == [True, True, False]


@pytest.mark.parametrize("freq", ["2W", "3D", "2M", "48h"])
def test_periods_of_several_units_lose_nobody(freq):
    frame = log(a="o0:10 o3:5 o40:7", b="o9:1 o33:4", c="o12:2", d="o16:3", z="v70")
    table = customers(frame).new_and_returning(freq)
    assert table["new"].sum() == 4
    assert table[["new_orders", "returning_orders"]].to_numpy().sum() == 7
    assert table[["new_value", "returning_value"]].to_numpy().sum() == 32
    # One begins where the one before ends, and only that of the last event is not over.
    assert table["complete"].tolist() == [True] * (len(table) - 1) + [False]
    periods = table["period"].dt.to_period(freq)
    assert (periods[1:].to_numpy() == (periods[:-1] + 1).to_numpy()).all()


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Brussels"])
def test_months_are_those_of_utc_whatever_the_zone_of_the_times(zone):
    frame = log(a="o0:1 o30.98:2")
    found = customers(frame.assign(timestamp=frame["timestamp"].dt.tz_convert(zone)))
    assert found.retention()[["months", "active"]].values.tolist() == [[0, 1]]
    assert found.new_and_returning()["new_orders"].tolist() == [2]


def test_without_value_no_money_is_asked_for():
    found = customers(log(a="o0 o1"), value=None)
    assert "new_value" not in found.new_and_returning()
    with pytest.raises(ck.ConvergekitError, match=r"needs value="):
        found.lifetime_value()


def test_those_who_are_observed_for_less_count_for_as_long_as_they_are():
    # d is observed for two days only: who orders again on day 4 is one of the three others.
    found = customers(log(a="o0 o4", b="o0", c="o0", d="o8", z="v10")).repeat_purchases((2,))
    share = found.set_index("days")["share"]
    assert share[3] == 0
    assert share[4] == pytest.approx(1 / 3)
    assert found.set_index("days")["at_risk"].loc[[0, 2, 3, 4, 5, 10]].tolist() == [
        4,
        4,
        3,
        3,
        2,
        2,
    ]
    row = found.set_index("days").loc[4]
    assert 0 < row["low"] < 1 / 3 < row["high"] < 1


def test_the_curve_ends_where_nobody_is_observed():
    found = customers(log(a="o0 o2", b="o5", z="v9")).repeat_purchases((2, 3))
    assert found.groupby("order")["days"].max().to_dict() == {2: 4, 3: 9}


def test_nobody_who_orders_again_is_a_share_of_none():
    found = customers(log(a="o0", b="o3", z="v5")).repeat_purchases((2,))
    assert (found["share"] == 0).all()
    assert found["low"].isna().all()


def test_retention_is_by_calendar_months():
    table = customers(log(a="o0 o31 o32 o62", b="o30 o60", c="o45", z="v70")).retention()
    assert table["cohort"].dt.month.tolist() == [1, 1, 1, 2, 2]
    assert table[["months", "customers", "active"]].values.tolist() == [
        [0, 2, 2], [1, 2, 1], [2, 2, 2], [0, 1, 1], [1, 1, 0],
    ]  # fmt: skip
    assert table["complete"].tolist() == [True, True, False, True, False]


def test_refunds_lessen_what_a_customer_is_worth_and_orders_stay_orders():
    frame = log(a="o0:10 r5:3 r6:1", b="o0:5", c="r1:9")
    found = customers(frame, refund="Order Refunded")
    assert worth(found) == {"a": 6, "b": 5}
    assert found.lifetime_value()["orders"].tolist() == [1, 1]
    assert found.left_out == {"refunds of profiles without an order": 1}
    assert worth(customers(frame)) == {"a": 10, "b": 5}


def test_an_order_refunded_in_parts_is_worth_nothing():
    frame = log(a="o0:30.3 r1:10.1 r2:20.2", b="o0:0.3 r1:0.1 r2:0.2")
    table = customers(frame, refund="Order Refunded").lifetime_value()
    assert table["value"].tolist() == [0, 0]
    said = texts(table.plot())
    assert not [text for text in said if "-0.00" in text or "%" in text]


def test_a_refund_may_have_a_property_of_its_own():
    frame = log(a="o0:10 r5:10").assign(**{"properties.refunded": [None, 2.5]})
    found = customers(frame, refund="Order Refunded", refund_value="refunded")
    assert worth(found) == {"a": 7.5}


def test_refunds_below_zero_are_refused():
    with pytest.raises(ck.ConvergekitError, match=r"1 refund of 'Order Refunded' .* in row 1"):
        customers(log(a="o0:10 r5:-3"), refund="Order Refunded")


def test_several_currencies_need_rates():
    frame = log(a="o0:10 o1:10", b="o0:5").assign(**{"properties.currency": ["EUR", "usd", "EUR"]})
    with pytest.raises(ck.ConvergekitError, match=r"EUR \(2\), USD \(1\)\. .* rates="):
        customers(frame, currency="currency")
    found = customers(frame, currency="currency", rates={"EUR": 1, "USD": 0.5})
    assert (worth(found), found.currency) == ({"a": 15, "b": 5}, "EUR")
    with pytest.raises(ck.ConvergekitError, match="rates must say what one USD"):
        customers(frame, currency="currency", rates={"EUR": 1})
    with pytest.raises(ck.ConvergekitError, match="above zero for 'USD'; got 0"):
        customers(frame, currency="currency", rates={"EUR": 1, "USD": 0})


def test_one_currency_needs_none_and_an_amount_without_one_is_refused():
    frame = log(a="o0:10 o1:0", b="v3").assign(**{"properties.currency": ["EUR", None, "USD"]})
    assert customers(frame, currency="currency").currency == "EUR"
    frame.loc[1, "properties.total_price"] = 4.0
    with pytest.raises(ck.ConvergekitError, match=r"1 amount without a currency .* in row 1"):
        customers(frame, currency="currency")


def test_refunds_are_in_currencies_too():
    frame = log(a="o0:10 r1:4").assign(**{"properties.currency": ["EUR", "USD"]})
    with pytest.raises(ck.ConvergekitError, match="several currencies"):
        customers(frame, refund="Order Refunded", currency="currency")
    rates = {"EUR": 1, "USD": 0.5}
    found = customers(frame, refund="Order Refunded", currency="currency", rates=rates)
    assert worth(found) == {"a": 8}


def test_what_is_left_out_is_counted():
    frame = log(a="o0:10 o1", b="o0:5")
    frame.loc[2, "profile_id"] = None
    found = customers(frame)
    assert found.left_out == {"orders without a profile": 1, "orders without an amount": 1}
    assert repr(found) == "Customers(1 customer with 2 orders; 1 ordered again)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"refund_value": "refunded"}, "refund_value= needs refund= too"),
        ({"rates": {"EUR": 1}}, "needs currency= too"),
        ({"value": None, "currency": "currency"}, "needs value= too"),
        ({"refund": "Placed Order"}, "must be other events"),
        ({"refund": "Order Refund"}, "Did you mean 'Order Refunded'"),
        ({"order": "Placed"}, "no event is named 'Placed'"),
        ({"currency": "curency"}, "no column matches currency='curency'"),
        ({"value": "price"}, "no column matches value='price'"),
    ],
)
def test_what_does_not_fit_together_is_said(options, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        customers(log(a="o0:10 r5:3"), **options)


def test_questions_that_make_no_sense_are_refused():
    found = customers(log(a="o0:10"))
    with pytest.raises(ck.ConvergekitError, match="freq must be.*got 'fortnight'"):
        found.new_and_returning("fortnight")
    with pytest.raises(ck.ConvergekitError, match="whole numbers from 2"):
        found.repeat_purchases((1,))
    with pytest.raises(ck.ConvergekitError, match="orders must be whole numbers from 2.*got 2"):
        found.repeat_purchases(2)
    with pytest.raises(ck.ConvergekitError, match="confidence must be.*got 95"):
        found.repeat_purchases(confidence=95)


def test_of_stitched_events():
    s = ck.stitch(ck.simulate_store(people=300).events)
    found = s.customers(currency="currency")
    orders = s.events[s.events["event_name"] == "Placed Order"]
    table = found.lifetime_value()
    assert table["orders"].sum() == len(orders)
    assert table["value"].sum() == pytest.approx(orders["properties.total_price"].sum())
    weeks = found.new_and_returning("W")
    assert weeks["new"].sum() == orders["profile_id"].nunique() == len(table)
    assert weeks[["new_orders", "returning_orders"]].sum().sum() == len(orders)


def test_no_events_have_no_customers():
    found = customers(log(a="o0:1")[:0])
    for table in (found.new_and_returning(), found.repeat_purchases(), found.retention(),
                  found.lifetime_value()):  # fmt: skip
        assert table.empty
        assert table.plot() is not None
    assert "Customers(0 customers with 0 orders" in found._repr_html_()


@st.composite
def frames(draw):
    days = st.integers(0, 200)
    events = st.tuples(st.sampled_from("abcd"), st.sampled_from("orv"), days, st.integers(0, 9))
    rows = draw(st.lists(events, max_size=14))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "day", "amount"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "day": "int64"})
    return frame.assign(
        event_name=frame["event_name"].map(NAMES).astype("str"),
        timestamp=START + pd.to_timedelta(frame["day"], unit="D"),
        amount=frame["amount"].astype(float),
    )


@given(frames())
def test_equals_the_slow_definition(frame):
    known = set(frame["event_name"])
    if known and "Placed Order" not in known:
        with pytest.raises(ck.UnknownNameError):
            customers(frame, value="amount")
        return
    refund = "Order Refunded" if "Order Refunded" in known else None
    found = customers(frame, value="amount", refund=refund)
    orders, end = reference_customers.orders_of(frame), frame["timestamp"].max()
    months = found.new_and_returning()
    columns = ["new", "returning", "new_orders", "returning_orders"]
    assert months[columns].values.tolist() == reference_customers.new_and_returning(orders, end)
    table = found.retention()
    assert {
        (reference_customers.month_of(row.cohort), row.months): (row.customers, row.active)
        for row in table.itertuples()
    } == reference_customers.retention(orders, end)
    for row in found.repeat_purchases().itertuples():
        assert row.share == pytest.approx(
            reference_customers.reached(orders, row.order, end, row.days), abs=1e-9
        )
        assert row.at_risk == reference_customers.at_risk(orders, row.order, end, row.days)
    paid = frame[frame["event_name"] == "Placed Order"].groupby("profile_id")["amount"].sum()
    back = frame[frame["event_name"] == "Order Refunded"].groupby("profile_id")["amount"].sum()
    assert worth(found) == paid.sub(back.reindex(paid.index).fillna(0)).to_dict()


@given(frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_and_nothing_is_changed(frame, random):
    assume("Placed Order" in set(frame["event_name"]))
    before, order = frame.copy(), list(range(len(frame)))
    random.shuffle(order)
    one, other = (customers(f, value="amount") for f in (frame, frame.iloc[order]))
    for name in ("new_and_returning", "repeat_purchases", "retention", "lifetime_value"):
        pd.testing.assert_frame_equal(getattr(one, name)(), getattr(other, name)())
    pd.testing.assert_frame_equal(frame, before)


def test_the_figure_of_new_and_returning_hatches_what_is_not_over():
    figure = customers(log(a="o0:1 o40:1", b="o35:1", z="v45")).new_and_returning().plot()
    bars = [(bar.name, list(bar.y), bar.marker.pattern.shape == "/") for bar in figure.data]
    assert bars == [
        ("new", [1], False), ("new", [1], True), ("returning", [0], False), ("returning", [1], True)
    ]  # fmt: skip
    assert (
        "In the last full month, from 2026-01-01, 0 of 1 customer was returning, 0.0%."
        in one_line(figure.layout.title.subtitle.text)
    )


def test_the_figure_of_ordering_again_has_a_line_per_order():
    found = customers(log(a="o0 o4 o6", b="o0", c="o2 o9", z="v20"), value=None)
    figure = found.repeat_purchases().plot()
    lines = {line.name: line for line in figure.data if line.name}
    assert list(lines) == ["2nd order", "3rd order"]
    assert list(lines["2nd order"].y)[:5] == pytest.approx([0, 0, 0, 0, 1 / 3])
    said = one_line(figure.layout.title.subtitle.text)
    assert said.startswith("Of 3 customers, 66.7% have a 2nd order by day 20 (")


def test_the_figure_of_retention_says_what_may_still_grow():
    figure = customers(log(a="o0:1 o33:1", b="o20:1", z="v75")).retention().plot()
    heat = figure.data[0]
    assert [list(row) for row in heat.z] == [[0.5, 0]]
    assert [list(row) for row in heat.text] == [["50%", "≥0%"]]
    assert list(figure.layout.yaxis.ticktext) == ["Jan 2026 · 2"]
    assert "Of 2 customers who first ordered in January 2026, 1 ordered 1 month later, 50.0%." in (
        one_line(heat.hovertext[0][0])
    )


def test_the_figure_of_retention_in_one_month_says_that_there_is_nothing_later():
    figure = customers(log(a="o0:1")).retention().plot()
    assert not figure.data
    assert "nothing is later" in one_line(figure.layout.title.subtitle.text)


def test_the_figure_of_value_is_of_equal_parts():
    sketch = {f"p{place:02}": f"o0:{place}" for place in range(1, 21)}
    figure = customers(log(**sketch)).lifetime_value().plot()
    assert list(figure.data[0].y) == [39, 35, 31, 27, 23, 19, 15, 11, 7, 3]
    assert figure.data[0].text[0] == "19%"
    figure = customers(log(a="o0:3 r1:5"), refund="Order Refunded").lifetime_value().plot()
    assert (list(figure.data[0].y), list(figure.data[0].text)) == ([-2], [""])


@pytest.mark.parametrize("template", ["light", "dark"])
def test_hostile_currencies_are_shown_as_they_are(template):
    frame = log(a="o0:10", b="o40:3").assign(**{"properties.currency": HOSTILE})
    figure = customers(frame, currency="currency").lifetime_value().plot(template=template)
    said = [text for text in texts(figure) if text != "~s"]
    assert not [text for text in said if set(text.replace("<br>", "")) & set("<>$")]
    assert any("&lt;A" in text for text in said)


def test_the_card_has_the_last_months_and_what_is_left_out():
    card = customers(log(a="o0:10 o40:7", b="o35:1", z="v70", c="o1"))._repr_html_()
    assert "Customers(3 customers with 4 orders; 1 ordered again)" in card
    assert "orders without an amount: 1" in card
    for text in ("January 2026", "February 2026", "March 2026, to date"):
        assert f">{text}</t" in card


@pytest.mark.parametrize("refund", [ck.Step("Placed Order"), ["Placed Order"], "Placed Order"])
def test_a_refund_that_is_the_order_itself_is_refused(refund):
    s = ck.stitch(ck.simulate_store(people=6).events)
    with pytest.raises(ck.ConvergekitError, match="refund must be other events than the order"):
        s.customers(refund=refund)


# The shop's calendar


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        # Brussels sets its clock forward on 29 March, Sydney back on 5 April, and St John's is half
        # an hour off.
        ("Europe/Brussels", "2026-03-29"),
        ("Australia/Sydney", "2026-04-05"),
        ("America/St_Johns", "2026-03-08"),
    ],
)
@pytest.mark.parametrize(
    ("freq", "week_starts"), [("D", "monday"), ("W", "sunday"), ("M", "monday")]
)
def test_periods_are_of_the_shops_clock_across_its_changes(zone, around, freq, week_starts):
    begin = pd.Timestamp(around, tz="UTC") - pd.Timedelta(days=3)
    times = [begin + pd.Timedelta(minutes=37 * i) for i in range(250)]
    frame = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": times,
            "alias.email": [f"{i % 40}@x.org" for i in range(len(times))],
            "properties.total_price": 1.0,
        }
    )
    s = ck.stitch(frame, calendar=zone, week_starts=week_starts)

    def start_of(time):
        """Return the period's first day, by the clock on the wall."""
        day = time.tz_convert(zone).date()
        if freq == "M":
            return day.replace(day=1)
        if freq == "W":
            first = {"monday": 0, "sunday": 6}[week_starts]
            return day - datetime.timedelta(days=(day.weekday() - first) % 7)
        return day

    orders, buyers, since = Counter(), {}, {}
    for i, time in enumerate(times):
        period = start_of(time)
        orders[period] += 1
        buyers.setdefault(period, set()).add(i % 40)
        since.setdefault(i % 40, period)
    table = s.customers().new_and_returning(freq)
    assert [day.date() for day in table["period"]] == sorted(orders)
    assert (table["new_orders"] + table["returning_orders"]).tolist() == [
        orders[period] for period in sorted(orders)
    ]
    assert table["new"].tolist() == [
        sum(since[who] == period for who in buyers[period]) for period in sorted(orders)
    ]
    assert not table["complete"].iloc[-1]
    assert table["complete"].iloc[:-1].all()
    if freq == "M":
        cohorts = s.customers().retention().query("months == 0")
        assert [day.date() for day in cohorts["cohort"]] == sorted(set(since.values()))


def test_customers_can_be_asked_in_another_calendar():
    frame = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": ["2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z", "2026-05-01T00:00:00Z"],
            "alias.email": ["a@x.org", "b@x.org", "a@x.org"],
            "properties.total_price": 1.0,
        }
    )

    def months(found):
        return found.new_and_returning("M")["new"].tolist()

    s = ck.stitch(frame)
    assert months(s.customers()) == [2, 0, 0]
    assert months(s.customers(calendar="Europe/Brussels")) == [1, 1, 0]
    local = ck.stitch(frame, calendar="Europe/Brussels")
    assert months(local.customers()) == [1, 1, 0]
    assert months(local.customers(calendar="UTC")) == [2, 0, 0]
    assert "calendar: Europe/Brussels, weeks from Monday" in str(local.customers())
    assert "calendar" not in str(s.customers())
    with pytest.raises(ck.ConvergekitError, match="calendar must be a time zone"):
        s.customers(calendar="Brussels")
