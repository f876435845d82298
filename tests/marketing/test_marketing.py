"""Spend beside what it brought: by hand, by a slow reference, and always adding up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.marketing import reference_marketing as reference
from tests.marketing.worlds import ROWS, SPEND, TAGS, shop

MARCH, APRIL, MAY = pd.to_datetime(["2026-03-01", "2026-04-01", "2026-05-01"])


def cells(table, *columns):
    """Return rows of a table as a dict, by period and group, missing as None."""
    by = [name for name in ("period", "channel", "campaign", "platform") if name in table]
    values = table[list(columns)].astype(object).where(table[list(columns)].notna(), None)
    keys = table[by].itertuples(index=False, name=None)
    return dict(zip(keys, values.itertuples(index=False, name=None), strict=True))


def test_every_metric_of_a_small_shop_is_as_by_hand():
    table = shop(ROWS).marketing(SPEND).table
    assert cells(table, "spend", "visits", "orders", "revenue", "new_customers", "new_revenue") == {
        (MARCH, "Paid Search"): (50, 2, 1, 100, 1, 100),
        (MARCH, "Paid Social"): (40, 1, 0, 0, 0, 0),
        (MARCH, "Direct"): (0, 2, 1, 60, 1, 60),
        (APRIL, "Paid Search"): (10, 1, 1, 50, 0, 0),
        (APRIL, "Paid Social"): (16, 1, 1, 40, 0, 0),
        (APRIL, "(unmatched spend)"): (7, 0, 0, 0, 0, 0),
        (APRIL, "(none)"): (0, 0, 1, 25, 1, 25),
        (MAY, "Direct"): (0, 1, 0, 0, 0, 0),
    }
    ratios = cells(table, "aov", "cpa", "cac", "roas", "nc_roas", "acos")
    assert ratios[MARCH, "Paid Search"] == (100, 50, 50, 2, 2, 0.5)
    assert ratios[MARCH, "Paid Social"] == (None, None, None, 0, 0, None)
    assert ratios[MARCH, "Direct"] == (60, None, None, None, None, None)
    assert ratios[APRIL, "Paid Search"] == (50, 10, None, 5, 0, 0.2)
    assert ratios[APRIL, "Paid Social"] == (40, 16, None, 2.5, 0, 0.4)
    assert ratios[APRIL, "(unmatched spend)"] == (None,) * 6
    mer = cells(table, "mer")
    assert mer[MARCH, "Direct"] == (160 / 90,)
    assert mer[APRIL, "(none)"] == (115 / 33,)
    assert mer[MAY, "Direct"] == (None,)
    rates = cells(table, "add_to_cart_rate", "checkout_rate", "conversion_rate")
    assert rates[MARCH, "Paid Search"] == (0.5, 0.5, 0.5)
    assert rates[MARCH, "Direct"] == (0, 0, 0.5)
    assert rates[APRIL, "Paid Social"] == (0, 0, 1)
    assert rates[APRIL, "(none)"] == (None, None, None)


def test_periods_and_groups_are_the_same_added_up():
    found = shop(ROWS).marketing(SPEND)
    periods = found.periods.set_index("period")
    counts = ["spend", "visits", "orders", "revenue", "new_customers", "new_revenue"]
    assert periods.loc[MARCH, counts].tolist() == [90, 5, 2, 160, 2, 160]
    assert periods.loc[APRIL, counts].tolist() == [33, 2, 3, 115, 1, 25]
    ratios = ["aov", "cpa", "cac", "roas", "nc_roas", "mer", "acos"]
    assert periods.loc[MARCH, ratios].tolist() == pytest.approx(
        [80, 45, 45, 160 / 90, 160 / 90, 160 / 90, 90 / 160]
    )
    assert periods.loc[APRIL, ratios].tolist() == pytest.approx(
        [115 / 3, 11, 33, 115 / 33, 25 / 33, 115 / 33, 33 / 115]
    )
    groups = found.groups.set_index("channel")
    assert groups.index.tolist() == [
        *("Paid Search", "Paid Social", "Direct", "(unmatched spend)", "(none)")
    ]
    assert groups.loc["Paid Search", counts].tolist() == [60, 3, 2, 150, 1, 100]
    assert groups["mer"].tolist() == [275 / 123] * 5


def test_models_share_orders_out_and_a_touch_has_a_date_of_its_own():
    s = shop(ROWS)
    by_order = cells(s.marketing(SPEND, model="linear").table, "orders", "revenue")
    # Of bob's 60, half is Paid Social's of 3 March; of his 40, half is Direct's of 20 March.
    assert by_order[MARCH, "Paid Social"] == (0.5, 30)
    assert by_order[MARCH, "Direct"] == (0.5, 30)
    assert by_order[APRIL, "Direct"] == (0.5, 20)
    by_touch = cells(s.marketing(SPEND, model="linear", dated="touch").table, "orders", "revenue")
    assert by_touch[MARCH, "Direct"] == (1, 50)
    assert (APRIL, "Direct") not in by_touch
    assert by_touch[APRIL, "(none)"] == (1, 25)


def test_the_day_of_a_touch_is_open_for_as_long_as_orders_may_follow():
    s = shop(ROWS)
    by_order, by_touch = (
        s.marketing(SPEND, dated=dated, lookback="30D").periods.set_index("period")["complete"]
        for dated in ("order", "touch")
    )
    assert by_order.tolist() == [True, True, False]
    # An order of 30 April may have a touch of 31 March, and an order of May one of April.
    assert by_touch.tolist() == [True, False, False]


def test_a_period_is_complete_if_the_data_cover_it_from_begin_to_end():
    late = [row for row in ROWS if row[0] != "zed"] + [("zed", "05-01 12:00", "view", "bare")]
    found = shop(late).marketing(SPEND).periods.set_index("period")
    assert found["complete"].tolist() == [False, True, False]
    spend = pd.DataFrame({"date": ["2026-03-01", "2026-03-31"], "campaign": "x", "spend": 1.0})
    flags = shop(ROWS).marketing(spend).periods.set_index("period")["spend_complete"]
    assert flags.tolist() == [True, False, False]


def test_who_is_new_is_said_by_name():
    rows = [
        ("a", "03-01 10:00", "order", 10),
        ("a", "03-09 10:00", "order", 20),
        ("b", "03-10 10:00", "order", 30),
        ("a", "04-02 10:00", "order", 40),
        ("c", "04-03 10:00", "order", 50),
        ("z", "05-01 10:00", "view", "bare"),
    ]
    addresses = ["a@x.org", "A@x.org ", "b@x.org", "other@x.org", None, None]
    s = shop(rows, **{"properties.email": addresses})

    def new(which):
        found = s.marketing(SPEND[:1], new=which)
        return found.periods.set_index("period")[["new_customers", "new_revenue"]].values.tolist()

    assert new("first_ever") == [[2, 40], [1, 50], [0, 0]]
    # A second address is a second customer; whoever says none is nobody new.
    assert new("first_by_address") == [[2, 40], [1, 40], [0, 0]]
    assert new("first_in_period") == [[2, 40], [2, 90], [0, 0]]
    left_out = s.marketing(SPEND[:1], new="first_by_address").left_out
    assert left_out == {"orders without an address, which are of no new customer": 1}


REFUNDED = [
    *ROWS[:-1],
    ("ann", "04-03 10:00", "refund", 20),
    ("bob", "03-20 12:05", "refund", 1),
    ("bob", "04-25 12:00", "refund", 15.5),
    ("eve", "04-26 12:00", "refund", 99),
    ROWS[-1],
]


def test_a_refund_lessens_its_order_or_the_period_in_which_it_was_made():
    # bob's first refund is before his order; eve has none; those of ann and bob are of orders of
    # April, but by their IDs ann's would be of March.
    s = shop(REFUNDED)
    by_order = s.marketing(SPEND, refund="Order Refunded")
    assert by_order.left_out == {"refunds of no order": 2}
    table = cells(by_order.table, "ordered", "refunded", "revenue")
    assert table[APRIL, "Paid Search"] == (50, 20, 30)
    assert table[APRIL, "Paid Social"] == (40, 15.5, 24.5)
    assert table[MARCH, "Paid Search"] == (100, 0, 100)
    orders = ["o1", "o1"]
    ids = [None] * len(REFUNDED)
    for place, row in enumerate(REFUNDED):
        if row[:1] == ("ann",) and row[2] in ("order", "refund") and row[3] != 50:
            ids[place] = orders.pop()
    named = shop(REFUNDED, **{"properties.order": ids})
    found = named.marketing(SPEND, refund="Order Refunded", order_id="order")
    assert cells(found.table, "revenue")[MARCH, "Paid Search"] == (80,)
    assert found.left_out == {"refunds of no order": 3}
    later = named.marketing(SPEND, refund="Order Refunded", order_id="order", refunds="refund")
    table = cells(later.table, "ordered", "refunded", "revenue", "new_revenue", "aov")
    assert table[MARCH, "Paid Search"] == (100, 0, 100, 100, 100)
    # It is the refund of a new customer's order, whenever it was made.
    assert table[APRIL, "Paid Search"] == (50, 20, 30, -20, 50)


def test_taxes_and_shipping_are_taken_off_by_name():
    s = shop(ROWS, **{"properties.total_tax": 2.0, "properties.total_shipping": 3.5})
    less = s.marketing(SPEND, minus=["total_tax", "total_shipping"])
    assert less.groups["revenue"].sum() == 275 - 5 * 5.5
    with pytest.raises(ck.ColumnError, match="minus='taxes'"):
        s.marketing(SPEND, minus="taxes")


def test_currencies_are_never_added_up():
    money = ["EUR" if place != 7 else "USD" for place in range(len(ROWS))]
    mixed = shop(ROWS, **{"properties.currency": money})
    with pytest.raises(ck.ConvergekitError, match="several currencies"):
        mixed.marketing(SPEND)
    rates = {"EUR": 1, "USD": 0.5}
    found = mixed.marketing(SPEND.assign(currency="USD"), currency="currency", rates=rates)
    assert found.currency == "EUR"
    assert found.groups["revenue"].sum() == 275 - 30
    assert found.groups["spend"].sum() == 123 / 2
    euros = shop(ROWS, **{"properties.currency": "EUR"})
    with pytest.raises(ck.ConvergekitError, match=r"USD \(6\).*cannot be added up"):
        euros.marketing(SPEND.assign(currency="USD"))
    with pytest.raises(ck.ConvergekitError, match=r"EUR \(3\), USD \(3\).*cannot be added up"):
        euros.match_spend(SPEND.assign(currency=["EUR", "USD"] * 3))
    with pytest.raises(ck.ConvergekitError, match=r"CHF \(6\).*say what one of each is worth"):
        euros.marketing(SPEND.assign(currency="CHF"), currency="currency", rates=rates)
    unknown = euros.marketing(SPEND.assign(currency=["EUR"] * 5 + ["XYZ"]))
    assert unknown.left_out == {"rows of spend rejected: the currency … is not known": 1}
    assert unknown.groups["spend"].sum() == 116
    both = euros.match_spend(SPEND.assign(currency=["EUR", "USD"] * 3), rates=rates)
    assert both.table["spend"].sum() == 30 + 10 + 40 + 5 + 16 + 3.5


def test_bad_rows_of_spend_are_listed_or_said():
    bad = pd.concat(
        [
            SPEND,
            pd.DataFrame(
                [
                    (None, "meta", "Spring", 1000.0),
                    ("total", "meta", "Spring", 2000.0),
                    ("2026-03-04", "meta", "Spring", None),
                    ("2026-03-05", "meta", "Spring", np.inf),
                    ("2026-03-06", "meta", "Spring", -5.0),
                    ("2027-01-01", "meta", "Spring", 11.0),
                    ("2025-12-31", "meta", "Spring", 13.0),
                ],
                columns=SPEND.columns,
            ),
        ],
        ignore_index=True,
    )
    found = shop(ROWS).marketing(bad)
    assert found.left_out == {
        "rows of spend rejected: a total, not a row": 1,
        "rows of spend rejected: spend … is not a number": 1,
        "rows of spend rejected: without a date": 1,
        "rows of spend rejected: without spend": 1,
    }
    assert found.groups["spend"].sum() == 123 - 5 + 11 + 13
    said = " ".join(found.remarks)
    assert "1 row with spend below zero: -5.00" in said
    assert "The total in line 8 is 2,000.00" in said
    assert "dated after the data end (2026-05-01 12:00 UTC): 11.00" in said
    assert "dated before the data begin (2026-03-01 08:00 UTC): 13.00" in said
    future = found.periods.set_index("period").loc["2027-01-01"]
    assert (future["spend"], future["complete"]) == (11, False)
    # No customer of the data was bought with it.
    assert found.cohorts()["spend"].sum() == 123 - 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"by": "country"}, "by must be one or several of channel, source"),
        ({"by": ()}, "by must name at least one"),
        ({"model": "linaer"}, "model must be one of .* Did you mean 'linear'?"),
        ({"model": ["linear"]}, "model must be one of"),
        ({"dated": "ad"}, "dated must be one of"),
        ({"new": "yes"}, "new must be one of"),
        ({"refunds": "never"}, "refunds must be one of"),
        ({"freq": "h"}, "freq must be of days"),
        ({"freq": "x"}, "freq must be a period"),
        ({"value": None}, "value must name"),
        ({"refund_value": "total_price"}, "refund_value= needs refund= too"),
        ({"order_id": "id"}, "order_id= needs refund= too"),
        ({"rates": {"EUR": 1}}, "rates= needs currency= too"),
        ({"refund": "Placed Order"}, "refund must be other events"),
        ({"confidence": 95}, "confidence must be a share"),
        ({"lookback": "1M"}, "lookback must be a positive duration"),
        ({"conversion": "Bought"}, "no event is named 'Bought'"),
        ({"add_to_cart": "Added"}, "no event is named 'Added'"),
        ({"value": "total"}, "no column matches value='total'"),
        ({"visits": "ga5"}, "visits must be one of"),
    ],
)
def test_options_that_are_not_usable_are_errors(change, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        shop(ROWS).marketing(SPEND, **change)


@pytest.mark.parametrize(
    ("spend", "said"),
    [
        (pd.DataFrame({"spend": [1.0]}), "no platform's export has these columns: spend"),
        (pd.DataFrame({"date": ["2026-03-01"]}), "no platform's export has these columns: date"),
        ([1, 2], "spend must be what ck.read_spend returns"),
        (SPEND.assign(spend=1e14), "too large to be added up exactly"),
    ],
)
def test_what_is_not_spend_is_an_error(spend, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        shop(ROWS).marketing(spend)


def test_a_refund_below_zero_is_an_error():
    rows = [*ROWS, ("ann", "04-03 10:00", "refund", -20)]
    with pytest.raises(ck.ConvergekitError, match="below zero, the first in row 15"):
        shop(rows).marketing(SPEND, refund="Order Refunded")


def test_orders_without_a_profile_or_a_time_or_of_wrong_clocks():
    rows = [
        *ROWS,
        (None, "04-11 09:00", "order", 7),
        ("ann", "04-12 09:00", "order", 8),
    ]
    s = shop(rows)
    events = s.events.copy()
    far = ck.stitch(
        events.drop(columns=["profile_id", "row"]).assign(
            timestamp=events["timestamp"].where(
                events["properties.total_price"] != 8, pd.Timestamp("2089-01-01", tz="UTC")
            )
        )
    )
    found = far.marketing(SPEND)
    assert found.left_out == {"orders beyond the end of the data, or before their begin": 1}
    none = found.groups.set_index("channel").loc["(none)"]
    # Whoever ordered without a profile is nobody new.
    assert none[["orders", "revenue", "new_customers"]].tolist() == [2, 32, 1]


def test_groups_by_campaign_and_platform_have_one_vocabulary():
    s = shop(ROWS)
    by_campaign = cells(s.marketing(SPEND, by="campaign", freq="Y").table, "spend", "orders")
    year = pd.Timestamp("2026-01-01")
    assert by_campaign == {
        (year, "brand"): (60, 2),
        (year, "Spring"): (56, 1),
        (year, "dance"): (7, 0),
        (year, "(no campaign)"): (0, 1),
        (year, "(none)"): (0, 1),
    }
    both = s.marketing(SPEND, by=["platform", "campaign"], freq="Y").table
    assert both[["platform", "campaign"]].values.tolist() == [
        ["google_ads", "brand"], ["meta", "Spring"], ["tiktok", "dance"],
        ["(no platform)", "(no campaign)"], ["(none)", "(none)"],
    ]  # fmt: skip
    source = s.marketing(SPEND, by="source", freq="Y").groups["source"].tolist()
    assert source == ["google", "meta", "(direct)", "(unmatched spend)", "(none)"]
    medium = s.marketing(SPEND, by="medium", freq="Y").groups["medium"].tolist()
    assert medium == ["cpc", "paid_social", "(no medium)", "(unmatched spend)", "(none)"]


def test_spend_of_channels_stands_beside_their_orders_and_not_beside_a_campaign():
    plain = pd.DataFrame({"date": ["2026-03-02"], "channel": ["paid search"], "spend": [30.0]})
    s = shop(ROWS)
    groups = s.marketing(plain, freq="Y").groups.set_index("channel")
    assert groups.loc["Paid Search", ["spend", "orders"]].tolist() == [30, 2]
    groups = s.marketing(plain, by="campaign", freq="Y").groups.set_index("campaign")
    assert groups.loc["(spend without campaign)", ["spend", "orders"]].tolist() == [30, 0]


def test_days_of_accounts_are_the_shops_days():
    rows = [("a", "03-01 00:30", "view", "brand"), ("z", "03-31 23:30", "view", "bare")]
    spend = pd.DataFrame(
        {"date": ["2026-03-31"], "campaign": "brand", "spend": 2.0, "time_zone": "America/New_York"}
    )
    s = shop([*rows, ("a", "03-02 10:00", "order", 3)])
    found = s.marketing(spend, calendar="Europe/Brussels")
    # 23:30 of 31 March in UTC is 1 April there; a day of the account stays the day that it says.
    assert found.periods[["spend", "visits"]].values.tolist() == [[2, 1], [0, 1]]
    assert any("America/New_York" in said for said in found.remarks)


def test_intervals_are_wilsons_and_students():
    rows = [("z", "02-28 10:00", "view", "bare"), ("z", "04-01 10:00", "view", "bare")]
    amounts = [10, 20, 60, 10]
    for place, amount in enumerate(amounts):
        rows += [(f"p{place}", f"03-0{place + 1} 10:00", "view", "brand"),
                 (f"p{place}", f"03-0{place + 1} 10:05", "order", amount)]  # fmt: skip
    rows += [(f"q{place}", "03-09 10:00", "view", "brand") for place in range(6)]
    table = shop(rows).marketing(SPEND[:1]).table
    row = table[table["channel"] == "Paid Search"].iloc[0]
    low, high = scipy.stats.binomtest(4, 10).proportion_ci(0.95, "wilson")
    assert (row["conversion_rate"], row["conversion_rate_low"], row["conversion_rate_high"]) == (
        0.4, pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6),
    )  # fmt: skip
    mean = scipy.stats.ttest_1samp(amounts, 0).confidence_interval(0.95)
    assert row["aov"] == 25
    assert row[["aov_low", "aov_high"]].tolist() == pytest.approx([mean.low, mean.high], rel=1e-5)


def test_steps_that_no_event_has_are_left_out():
    rows = [row for row in ROWS if row[2] not in ("Added To Cart", "Started Checkout")]
    table = shop(rows).marketing(SPEND).table
    assert "add_to_cart_rate" not in table
    assert "conversion_rate" in table
    named = shop(ROWS).marketing(SPEND, add_to_cart=["Added To Cart", "Started Checkout"])
    assert named.groups.set_index("channel").loc["Paid Search", "add_to_cart_rate"] == 1 / 3


def test_cohorts_are_of_first_orders_and_what_they_brought():
    found = shop(ROWS).marketing(SPEND).cohorts()
    table = found.set_index(["cohort", "channel"])
    search = table.loc[(MARCH, "Paid Search")]
    # ann was acquired for 50, and brought 100 and 50.
    assert search[["customers", "spend", "cac", "ltv", "ltv_to_cac"]].tolist() == [
        1,
        50,
        50,
        150,
        3,
    ]
    assert table.loc[(MARCH, "Direct"), "ltv"] == 100
    assert table.loc[(MARCH, "Paid Social"), ["customers", "spend"]].tolist() == [0, 40]
    assert found["customers"].sum() == 3
    assert found["spend"].sum() == 123
    assert search["observed_days"] == 60


def test_a_cohort_is_open_until_all_its_customers_are_observed_for_so_long():
    found = shop(ROWS).marketing(SPEND)
    within = found.cohorts("30D").set_index(["cohort", "channel"])
    assert within.loc[(MARCH, "Paid Search"), ["ltv", "complete"]].tolist() == [100, True]
    # bob's second order is 16 days after his first.
    assert within.loc[(MARCH, "Direct"), ["ltv", "complete"]].tolist() == [100, True]
    late = within.loc[(APRIL, "(none)")]
    assert np.isnan(late["ltv"])
    assert not late["complete"]
    assert found.cohorts("15D").set_index(["cohort", "channel"]).loc[(MARCH, "Direct"), "ltv"] == 60
    with pytest.raises(ck.ConvergekitError, match="within must be a positive duration"):
        found.cohorts("three months")


def test_pay_back_of_cohorts_is_as_by_hand():
    found = shop(ROWS).marketing(SPEND).payback()
    march = found[found["cohort"] == MARCH].set_index("days")
    # Two customers for 45 each: 160 at once, 40 after 16 days and 50 after 31.
    assert march["value"].to_dict() == {
        0: 80, 7: 80, 14: 80, 21: 100, 28: 100, 35: 125, 42: 125, 49: 125, 56: 125,
    }  # fmt: skip
    assert march["customers"].tolist() == [2] * 6 + [1] * 3
    assert march["complete"].tolist() == [True] * 6 + [False] * 3
    assert march["cac"].unique().tolist() == [45]
    assert march["days_to_pay_back"].unique().tolist() == [0]
    april = found[found["cohort"] == APRIL]
    assert april["days_to_pay_back"].isna().all()
    assert april["paid_back"].iloc[-1] == 25 / 33


def test_pay_back_says_the_day_on_which_it_was():
    spend = SPEND[:1].assign(spend=110.0)
    found = shop(ROWS).marketing(spend, by="channel").payback("group")
    search = found[found["channel"] == "Paid Search"]
    # ann has brought 150 after 31 days less some minutes.
    assert search["days_to_pay_back"].unique().tolist() == [31]
    assert found[found["channel"] == "Direct"]["paid_back"].isna().all()


def test_refunds_are_paid_back_too():
    found = shop(REFUNDED).marketing(SPEND, refund="Order Refunded").payback()
    march = found[found["cohort"] == MARCH].set_index("days")
    # ann's 20 come off after 32 days, and bob's 15.50 after 36.
    assert march.loc[35, "value"] == 125 - 10
    assert march.loc[28, "value"] == 100
    ltv = shop(REFUNDED).marketing(SPEND, refund="Order Refunded").cohorts()["ltv"]
    assert ltv.dropna().tolist() == [130, 84.5, 25]


def test_each_must_be_one_of_two():
    with pytest.raises(ck.ConvergekitError, match="each must be one of 'cohort', 'group'"):
        shop(ROWS).marketing(SPEND).payback("campaign")


events = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cem", None]),
        st.integers(1, 60),
        st.sampled_from(["view", "view", "order", "refund"]),
        st.sampled_from([*TAGS]),
        st.sampled_from([0.0, 0.01, 9.99, 33.33, 100.0]),
    ),
    min_size=1,
    max_size=14,
)
spends = st.lists(
    st.tuples(
        st.integers(1, 70),
        st.sampled_from(["google_ads", "meta", "microsoft"]),
        st.sampled_from(["brand", "Spring", "dance"]),
        st.sampled_from([0.0, 0.01, 12.34, -3.0, 100.0]),
    ),
    max_size=6,
)


def drawn(rows, costs):
    """A shop of drawn rows, in the order of time, that has an order; and its spend."""
    begin = pd.Timestamp("2026-03-01 09:00")
    rows = sorted(rows, key=lambda row: row[1])
    sketch = [
        (who, f"{begin + pd.Timedelta(days=day, minutes=7 * place):%m-%d %H:%M}", what,
         tags if what == "view" else amount)
        for place, (who, day, what, tags, amount) in enumerate(rows)
    ]  # fmt: skip
    sketch = [("zed", "03-01 08:00", "view", "bare"), ("zed", "03-01 08:30", "order", 5.0),
              ("zed", "03-01 08:40", "refund", 1.0), *sketch]  # fmt: skip
    spend = pd.DataFrame(
        [(f"{begin + pd.Timedelta(days=day):%Y-%m-%d}", *row) for day, *row in costs],
        columns=["date", "platform", "campaign", "spend"],
    )
    return shop(sketch), spend.astype({"spend": "float64"})


@tries(60)
@given(
    events, spends, st.sampled_from(["last_touch", "linear"]), st.sampled_from(["order", "touch"])
)
def test_the_table_is_that_of_the_slow_reference(rows, costs, model, dated):
    s, spend = drawn(rows, costs)
    table = s.marketing(spend, model=model, dated=dated).table
    expected = reference.by_channel(s, spend, model, "M", dated)
    found = {
        key: [round(value, 6) for value in values]
        for key, values in cells(
            table, "spend", "visits", "orders", "revenue", "new_customers", "new_revenue"
        ).items()
        if any(values)
    }
    assert found == {
        key: [
            round(float(spent), 6), visits, round(float(orders), 6), cents / 100,
            round(float(new), 6), of_new / 100,
        ]
        for key, (spent, visits, orders, cents, new, of_new) in expected.items()
    }  # fmt: skip


@tries(60)
@given(
    events,
    spends,
    st.sampled_from(["first_touch", "linear", "time_decay", "markov"]),
    st.sampled_from(["channel", "campaign", ("platform", "source"), ("medium", "channel")]),
    st.sampled_from(["order", "touch"]),
    st.sampled_from(["order", "refund"]),
    st.sampled_from(["D", "W", "M"]),
)
def test_groups_and_periods_add_up_to_all_orders_and_all_spend_to_the_cent(
    rows, costs, model, by, dated, refunds, freq
):
    s, spend = drawn(rows, costs)
    found = s.marketing(
        spend, model=model, by=by, dated=dated, refunds=refunds, freq=freq,
        refund="Order Refunded",
    )  # fmt: skip
    orders = s.events[s.events["event_name"] == "Placed Order"]
    everything = round(orders["properties.total_price"].sum(), 2)
    for table in (found.table, found.periods, found.groups):
        assert round(table["ordered"].sum(), 2) == everything
        assert round(table["orders"].sum(), 6) == len(orders)
        assert round(table["spend"].sum(), 6) == round(spend["spend"].sum(), 6)
        assert round(table["revenue"].sum(), 2) == round(everything - table["refunded"].sum(), 2)
        assert table["visits"].sum() == s.sessions()["channel"].notna().sum()
    merged = found.table.groupby("period")[["spend", "revenue", "orders", "visits"]].sum()
    periods = found.periods.set_index("period")[list(merged)]
    pd.testing.assert_frame_equal(merged.round(6), periods.round(6), check_dtype=False)
    assert found.cohorts()["customers"].sum() == pytest.approx(
        orders["profile_id"].nunique(), abs=1e-6
    )


@tries(60)
@given(events, spends)
def test_pay_back_curves_are_those_of_the_slow_definition(rows, costs):
    s, spend = drawn(rows, costs)
    found = s.marketing(spend)
    orders = s.events[s.events["event_name"] == "Placed Order"].dropna(subset="profile_id")
    curves = found.payback()
    first = orders.groupby("profile_id")["timestamp"].min()
    month = first.dt.tz_localize(None).dt.to_period("M").dt.start_time
    for cohort, part in curves.groupby("cohort"):
        customers = [
            (first[who], list(zip(of["timestamp"], of["properties.total_price"], strict=True)))
            for who, of in orders[orders["profile_id"].map(month) == cohort].groupby("profile_id")
        ]
        for line in part.itertuples():
            age = pd.Timedelta(days=line.days)
            expected = reference.mean_cumulative(customers, found.data_end, age)
            assert line.value == pytest.approx(expected, abs=1e-6)
            watched = [found.data_end - start >= age for start, _ in customers]
            assert line.customers == sum(watched)


@tries(30)
@given(events, spends, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, costs, random):
    s, spend = drawn(rows, costs)
    shuffled = spend.sample(frac=1, random_state=random.randrange(2**32)).reset_index(drop=True)
    one, other = s.marketing(spend), s.marketing(shuffled)
    pd.testing.assert_frame_equal(pd.DataFrame(one.table), pd.DataFrame(other.table))
    pd.testing.assert_frame_equal(one.cohorts(), other.cohorts())
    assert one.remarks == other.remarks


def test_intervals_of_curves_cover_the_truth_as_often_as_they_say():
    # Orders come at random, two in a hundred days; customers are observed for different times.
    # Each campaign has a world of its own.
    random = np.random.default_rng(3)
    rows = [("zed", "01-01 00:00", "view", "bare"), ("zed", "06-30 23:00", "view", "bare")]
    for world in range(80):
        for place in range(25):
            who, start = f"p{world}-{place}", random.uniform(1, 170)
            times = [start, *(start + np.cumsum(random.exponential(50, 4)))]
            rows.append((who, day_of(start - 0.01), "view", f"w{world}"))
            rows += [(who, day_of(time), "order", 10.0) for time in times if time < 179]
    found = shop(rows).marketing(SPEND[:1], by="campaign", model="first_touch", lookback="200D")
    curves = found.payback("group")
    at = curves[(curves["days"] == 35) & curves["campaign"].str.startswith("w")]
    # 10 with the first order, and in 35 days as much again with a chance of 35 in 50.
    truth = 10 + 10 * 35 / 50
    covered = (at["low"] <= truth) & (truth <= at["high"])
    assert len(at) == 80
    assert 0.85 <= covered.mean() < 1


def day_of(time):
    return f"{pd.Timestamp('2026-01-01') + pd.Timedelta(days=float(time)):%m-%d %H:%M:%S}"


def test_the_card_says_what_is_left_out_and_what_is_not_complete():
    found = shop(ROWS).marketing(SPEND.assign(currency="EUR"))
    assert repr(found) == (
        "Marketing(123.00 EUR spent, 5 orders for 275.00 EUR, MER 2.24; last_touch by channel)"
    )
    text = str(found)
    assert "Spend without a visit: 1 campaign, 7.00 EUR" in text
    assert "1 month not complete" in text
    assert found._repr_html_().count("<table") == 1


def test_without_orders_there_is_only_spend():
    rows = [("a", "03-01 10:00", "view", "brand"), ("b", "03-05 10:00", "order", 0)]
    s = shop(rows).where(events=lambda events: events["event_name"] == "PageView")
    found = s.marketing(SPEND)
    assert found.groups["orders"].sum() == 0
    assert found.payback().empty
    assert found.cohorts()["ltv"].isna().all()
    assert shop(ROWS).marketing(SPEND[:0]).groups["spend"].sum() == 0


def test_the_order_of_events_changes_nothing_and_neither_does_a_live_pipeline():
    s = shop(REFUNDED)
    events = s.events.drop(columns=["row", "profile_id"])
    events = events.drop(columns=[name for name in events if name.startswith("profile.")])
    shuffled = ck.stitch(events.sample(frac=1, random_state=5).reset_index(drop=True))
    live = ck.stitch(events, identity="as_of")
    options = {"by": ["platform", "campaign"], "model": "linear", "refund": "Order Refunded"}
    found = s.marketing(SPEND, **options)
    for other in (shuffled.marketing(SPEND, **options), live.marketing(SPEND, **options)):
        pd.testing.assert_frame_equal(pd.DataFrame(found.table), pd.DataFrame(other.table))
        pd.testing.assert_frame_equal(found.cohorts(), other.cohorts())
        pd.testing.assert_frame_equal(
            pd.DataFrame(found.payback("group")), pd.DataFrame(other.payback("group"))
        )


def test_the_spend_of_a_simulated_store_adds_up_beside_all_its_orders():
    store = ck.simulate_store(people=300, seed=2, spend=True)
    s = ck.stitch(store.events)
    found = s.marketing(store.spend, by=["platform", "campaign"], freq="W", model="time_decay")
    orders = s.events[s.events["event_name"] == "Placed Order"]
    assert round(found.table["revenue"].sum(), 2) == orders["properties.total_price"].sum().round(2)
    assert round(found.table["spend"].sum(), 2) == store.spend["spend"].sum().round(2)
    # The campaigns whose visits are tagged are found, and no other.
    matched = found.matches.table.dropna(subset="matched_by")["campaign"]
    tagged = set(s.sessions()["utm_campaign"].dropna())
    assert set(matched) == tagged & set(store.spend["campaign"])
