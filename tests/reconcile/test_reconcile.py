"""Which orders platforms may have claimed, by hand and against a slow reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.figures.figure_texts import texts
from tests.reconcile.reference_reconcile import is_eligible, may_date
from tests.reconcile.store import CLICK, START, claims, click, order, stitched

SPEND = claims([(0, "google_ads", 3.0, 40.0), (6, "meta", 2.0, 20.0)])


def four_orders():
    return stitched(
        click(0, "ada", "gclid=1"),
        click(1, "ada", "fbclid=1"),
        order(2, "ada", 10.0),
        click(3, "bo", "utm_source=facebook&utm_medium=paid_social"),
        order(4, "bo", 20.01),
        click(5, "cy", "utm_source=google&utm_medium=organic"),
        click(6, "cy", "utm_source=facebook&utm_medium=social"),
        order(7, "cy", 30.0),
        order(8, None, 40.0),
    )


def test_orders_are_eligible_for_none_one_or_several():
    r = four_orders().reconcile(SPEND)
    assert r.patterns.to_dict("list") == {
        "eligible": ["(none)", "meta", "google_ads + meta"],
        "platforms": [0, 1, 2],
        "orders": [2, 1, 1],
        "after": [0, 0, 0],
        "value": [70.0, 20.01, 10.0],
    }
    assert r.orders["evidence"].tolist() == [
        "google_ads by gclid, meta by fbclid",
        "meta by utm_source=facebook",
        "",
        "",
    ]
    assert r.clicks[["platform", "evidence"]].values.tolist() == [
        ["google_ads", "gclid"],
        ["meta", "fbclid"],
        ["meta", "utm_source=facebook"],
    ]
    assert r.clicks["age"].tolist() == [pd.Timedelta(f"{hours}h") for hours in (2, 1, 1)]
    assert (r.clicks["clicked"] == r.clicks["timestamp"] - r.clicks["age"]).all()


def test_what_is_claimed_stands_beside_what_could_be():
    r = four_orders().reconcile(SPEND)
    columns = ["eligible", "only_eligible", "may_claim", "claimed", "beyond_eligible", "beyond_all"]
    assert r.table[columns].values.tolist() == [[1, 0, 4, 3, 2, 0], [2, 1, 4, 2, 0, 0]]
    money = ["eligible_value", "claimed_value", "value_beyond_eligible", "value_beyond_all"]
    assert r.table[money].values.tolist() == [[10.0, 40.0, 30.0, 0.0], [30.01, 20.0, 0.0, 0.0]]
    # Five claims of four orders: one, two or all three of the one are the other's, too.
    assert r.bound("orders claimed") == (3, 4)
    assert r.bound("above one an order") == (1, 2)
    # With a click: ada's and bo's order, and two claims of none.
    assert r.bound("orders claimed", "a click before") == (2, 2)
    assert r.bound("without an order", "a click before") == (2, 2)
    value = r.bounds.set_index(["assuming", "what"])[["value_low", "value_high"]]
    assert value.loc[("any order", "orders claimed")].tolist() == [40.0, 60.0]
    # 10.00 of both: Google Ads claims all of it, and Meta may claim it, or others' 20.01.
    assert value.loc[("a click before", "orders claimed")].tolist() == [20.0, 30.0]


def test_the_headline_is_a_sentence():
    r = four_orders().reconcile(SPEND)
    assert r.headline == (
        "Google Ads and Meta together claim 5 conversions, and 4 orders could be behind them: at "
        "least 1 of them (20%) is counted twice or more, or has no order."
    )
    one = four_orders().reconcile(SPEND[:1])
    assert one.headline == (
        "Google Ads claims 3 conversions, and 4 orders could be behind them: each may be another "
        "order."
    )
    many = four_orders().reconcile(claims([(0, "meta", 7, 0.0)]), value=None)
    assert many.headline.endswith("at least 3 of them (43%) have no order.")
    assert "value" not in many.patterns


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["click", "order"]),
            st.integers(-15 * 24, 25 * 24),
            st.integers(0, 2),
            st.sampled_from(["google_ads", "meta"]),
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["click", "order", "either"]),
    st.integers(1, 8),
    st.randoms(),
)
def test_windows_and_dates_are_those_of_a_slow_reference(rows, dated, days, random):
    events = [click(0, "nobody", ""), order(10, "nobody")]
    for kind, hour, who, platform in rows:
        made = click(hour, who, f"{CLICK[platform]}=x") if kind == "click" else order(hour, who)
        events.append(made)
    random.shuffle(events)
    spend = claims([(0, "google_ads", 1.0, 1.0), (6, "meta", 1.0, 1.0)])
    r = stitched(*events).reconcile(
        spend,
        windows={"google_ads": (f"{days}D", "1D"), "meta": f"{days}D"},
        dated=dict.fromkeys(["google_ads", "meta"], dated),
    )
    first, last, window = 0, 7 * 24, days * 24
    expected = []
    for kind, hour, who, _ in [*rows, ("order", 10, "nobody", None)]:
        if kind != "order":
            continue
        may = may_date(hour, window, first, last, dated)
        if not (may or first <= hour < last):
            continue
        names = []
        for platform in ("google_ads", "meta"):
            clicks = [h for k, h, w, p in rows if (k, w, p) == ("click", who, platform)]
            if is_eligible(hour, clicks, window, first, last, dated):
                names.append(platform)
        expected.append((START + hour * pd.Timedelta("1h"), " + ".join(names) or "(none)"))
    got = list(zip(r.orders["timestamp"], r.orders["eligible"], strict=True))
    assert sorted(got) == sorted(expected)
    assert r.patterns["orders"].sum() == len(expected)
    in_period = [START <= when < START + pd.Timedelta("7D") for when, _ in got]
    assert r.orders["in_period"].tolist() == in_period
    assert r.patterns["after"].sum() == len(got) - sum(in_period)


@pytest.mark.parametrize("dated", ["click", "order", "either"])
def test_a_window_includes_its_end(dated):
    s = stitched(
        click(24, "ada", "fbclid=1"),
        order(24 * 3, "ada"),
        click(24, "bo", "fbclid=2"),
        order(24 * 3 + 0.001, "bo"),
    )
    spend = claims([(0, "meta", 1.0, 1.0), (6, "meta", 1.0, 1.0)])
    r = s.reconcile(spend, windows={"meta": "2D"}, dated={"meta": dated})
    assert r.orders["eligible"].tolist() == ["meta", "(none)"]


def test_dated_either_way_means_both():
    clicks = [click(hour, who, "fbclid=1") for hour, who in ((-24, "a"), (24 * 6, "b"))]
    s = stitched(*clicks, order(24, "a"), order(24 * 8, "b"))
    spend = claims([(0, "meta", 1.0, 1.0), (6, "meta", 1.0, 1.0)])
    found = {
        dated: s.reconcile(spend, dated={"meta": dated}).clicks["row"].tolist()
        for dated in ("click", "order", "either")
    }
    assert found == {"click": [3], "order": [2], "either": [2, 3]}


def test_an_order_after_the_period_may_be_claimed_by_its_click():
    s = stitched(
        click(0, "ada", "gclid=1"),
        order(24 * 9, "ada"),
        click(24 * 8, "bo", "gclid=2"),
        order(24 * 9, "bo"),
        order(24 * 40, "cy"),
    )
    r = s.reconcile(claims([(0, "google_ads", 1.0, 10.0), (6, "google_ads", 0.0, 0.0)]))
    # Bo's click is after the period, and Cy's order more than 30 days.
    assert r.orders["eligible"].tolist() == ["google_ads", "(none)"]
    assert r.table["may_claim"].tolist() == [2]
    assert any("up to 30 days after the period count as well: the data hold 2" in one
               for one in r.remarks)  # fmt: skip
    # Dated by the order, neither is of the period.
    r = s.reconcile(SPEND[:1], dated={"google_ads": "order"})
    assert r.orders.empty
    assert r.table["beyond_all"].tolist() == [3.0]


def test_the_last_day_is_that_of_the_accounts_clock():
    s = stitched(click(0, "ada", "gclid=1"), order(23, "ada"), order(30, "bo"), order(32, "cy"))
    day = claims([(0, "google_ads", 1.0, 10.0)])
    dated = {"dated": {"google_ads": "order"}, "value": None}
    assert s.reconcile(day, **dated).table["may_claim"].tolist() == [1]
    # In Los Angeles the 2nd of March is 8:00 to 8:00 in UTC: hours 8 to 32.
    there = day.assign(time_zone="America/Los_Angeles")
    assert s.reconcile(there, **dated).table["may_claim"].tolist() == [2]
    odd = s.reconcile(day.assign(time_zone="(GMT) Moon"), **dated)
    assert odd.table["may_claim"].tolist() == [1]
    assert odd.remarks[0].startswith("'(GMT) Moon' is not the name of a time zone")


def test_each_click_id_of_an_order_counts():
    s = stitched(
        click(0, "x", ""),
        order(1, None, **{"properties.gclid": "1", "properties.fbclid": "2"}),
        order(2, None, **{"properties.fbclid": "(none)"}),
    )
    assert s.reconcile(SPEND).orders["eligible"].tolist() == ["google_ads + meta", "(none)"]


def test_an_advertisement_that_was_shown_is_not_a_click():
    shown = click(0, "ada", "fbclid=1", event_name="Ad Impression")
    s = stitched(shown, click(1, "ada", ""), order(2, "ada"))
    assert s.reconcile(SPEND).orders["eligible"].tolist() == ["(none)"]


def test_a_platform_that_is_not_known_is_found_by_its_name():
    s = stitched(
        click(0, "ada", "utm_source=Pod-Cast&utm_medium=cpc"),
        order(2, "ada"),
        click(3, "bo", "utm_source=podcast&utm_medium=email"),
        order(4, "bo"),
    )
    r = s.reconcile(claims([(0, "Podcast", 1.5, 12.0)]))
    assert r.orders["eligible"].tolist() == ["Podcast", "(none)"]
    assert r.table["dated"].tolist() == ["either"]
    assert r.bound("orders claimed") == (1.5, 1.5)


def test_claims_of_one_platform_are_added_up_and_the_frame_is_not_changed():
    many = pd.concat([SPEND, SPEND, claims([(3, None, 9.0, 9.0)])], ignore_index=True)
    before = many.copy(deep=True)
    r = four_orders().reconcile(many)
    assert r.table["claimed"].tolist() == [6.0, 4.0]
    assert "1 row of spend without a platform left out, with 9 claimed conversions." in r.remarks
    pd.testing.assert_frame_equal(many, before)


def test_accounts_of_one_platform_may_claim_the_same_order():
    spend = claims([(0, "meta", 3, 3.0), (0, "meta", 2, 2.0), (0, "meta", 1, 1.0)])
    r = four_orders().reconcile(spend.assign(account=["a", "b", "a"]), windows={"meta": "1h"})
    assert r.table[["platform", "claimed", "eligible"]].values.tolist() == [
        ["meta a", 4.0, 2],
        ["meta b", 2.0, 2],
    ]
    assert r.titles == {"meta a": "Meta a", "meta b": "Meta b"}
    assert r.bound("orders claimed") == (4, 4)
    one = four_orders().reconcile(spend.assign(account="a"))
    assert one.platforms == ("meta",)
    assert one.table["beyond_all"].tolist() == [2.0]


def test_start_and_end_choose_rows():
    s = four_orders()
    assert s.reconcile(SPEND, start="2026-03-03").platforms == ("meta",)
    assert s.reconcile(SPEND, end="2026-03-07").platforms == ("google_ads",)
    r = s.reconcile(SPEND, end="2026-03-31")
    assert (r.start, r.end) == (pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-31"))
    assert r.remarks[0].startswith("The data end on 2026-03-02, before the claims do")
    early = claims([(-9, "meta", 1.0, 1.0), (0, "meta", 1.0, 1.0)])
    assert s.reconcile(early).remarks[0].startswith("The data begin on 2026-03-02, after")


def test_refusals_say_what_to_do():
    s = four_orders()
    cases = [
        ({"spend": 3}, "spend must be what ck.read_spend returns"),
        ({"spend": SPEND.drop(columns="platform")}, "spend has no column 'platform'"),
        ({"spend": SPEND.assign(conversions=np.nan)}, "nothing is claimed"),
        ({"spend": SPEND.assign(conversions="many")}, "conversions 'many' is not a number"),
        ({"spend": SPEND.assign(value=np.inf)}, "value 'inf' is not a number"),
        ({"windows": {"mata": "1D"}}, "windows names 'mata'.*Did you mean 'meta'"),
        ({"windows": {"meta": "soon"}}, "windows\\['meta'\\] must be a positive duration"),
        ({"windows": {"meta": ("1D", "1D", "1D")}}, "must be a duration after a click, or a pair"),
        ({"windows": "7D"}, "windows must be a mapping of platforms"),
        ({"dated": {"meta": "day"}}, "must be one of 'click', 'order', 'either'"),
        ({"start": 3}, "start must be a date"),
        ({"conversion": "Placed"}, "no event is named 'Placed'"),
        ({"value": "price"}, "price"),
        ({"rates": {"EUR": 1}}, "rates= needs currency= too"),
    ]
    for options, said in cases:
        with pytest.raises(ck.ConvergekitError, match=said):
            s.reconcile(options.pop("spend", SPEND), **options)
    with pytest.raises(ck.ConvergekitError, match="events of a segment"):
        s.where(events=lambda events: events["row"] < 3).reconcile(SPEND)
    with pytest.raises(ck.UnknownNameError, match="has no row 'orders'"):
        s.reconcile(SPEND).bound("orders")


def test_currencies_are_never_added_up():
    euros = {"properties.currency": "EUR"}
    s = stitched(click(0, "a", "fbclid=1"), order(1, "a", 10.0, **euros))
    dollars = SPEND.assign(currency="USD")
    with pytest.raises(ck.ConvergekitError, match="the orders are in EUR, and the platforms claim"):
        s.reconcile(dollars)
    assert s.reconcile(dollars, value=None).table["claimed"].tolist() == [3.0, 2.0]
    mixed = SPEND.assign(currency=["USD", "EUR"])
    with pytest.raises(ck.ConvergekitError, match="values in several currencies"):
        s.reconcile(mixed)
    r = s.reconcile(mixed, currency="currency", rates={"EUR": 1, "USD": 0.5})
    assert r.table["claimed_value"].tolist() == [20.0, 20.0]
    assert r.currency == "EUR"
    with pytest.raises(ck.ConvergekitError, match="rates must say what one USD is worth too"):
        s.reconcile(mixed, currency="currency", rates={"EUR": 1})


def test_amounts_add_up_to_the_cent():
    rows = [click(0, "x", "gclid=1")]
    rows += [order(1 + number / 1000, number, 0.1) for number in range(1000)]
    r = stitched(*rows).reconcile(SPEND)
    assert r.patterns["value"].sum() == 100.0
    assert r.orders["value"].tolist() == [0.1] * 1000
    odd = stitched(rows[0], order(1, "a", np.nan), order(2, "b", -5.0), order(3, "c", 7.5))
    r = odd.reconcile(claims([(0, "meta", 1.0, 90.0)]))
    assert r.patterns["value"].tolist() == [2.5]
    # Nothing below zero can be claimed.
    assert r.table["value_beyond_all"].tolist() == [82.5]
    assert [one for one in r.remarks if "amount" in one or "below" in one] == [
        "1 order without an amount counted as worth 0.",
        "1 order below zero: added up, but not counted as money to be claimed.",
    ]


def test_a_platform_that_claims_nothing_is_in_the_table_alone():
    rows = [(0, f"p{number}", 0.0, 0.0) for number in range(9)]
    r = four_orders().reconcile(claims([*rows, (0, "meta", 2.0, 9.0)]))
    assert len(r.table) == 10
    assert r.headline.startswith("Meta claims 2 conversions, and 4 orders")
    assert r.bound("orders claimed", "a click before") == (2, 2)


def test_less_than_nothing_claimed_counts_as_nothing():
    r = four_orders().reconcile(claims([(0, "google_ads", -3.0, -9.0), (0, "meta", 1.0, 1.0)]))
    assert r.table["claimed"].tolist() == [0.0, 1.0]
    assert r.remarks[0] == "Google Ads: claims add up to less than nothing, and count as 0."


def test_periods_add_up():
    r = four_orders().reconcile(SPEND)
    days = r.by_period("D")
    assert days.groupby("platform")["claimed"].sum().tolist() == r.table["claimed"].tolist()
    assert days.groupby("platform")["eligible"].sum().tolist() == r.table["eligible"].tolist()
    assert days["claimed_value"].sum() == 60.0
    assert days.drop_duplicates("period")["orders_value"].sum() == 100.01
    assert len(days.plot(template="dark").data) == 3
    weeks = r.by_period("W")
    # A week is whole from Monday, the 2nd, to Sunday, the 8th.
    assert weeks["complete"].tolist() == [True, True]
    assert not r.by_period("M")["complete"].any()
    assert "part of the month" in r.by_period("M").plot().to_json()
    # The line of orders is dotted to and from a period that the exports have in part.
    months = r.by_period("M").plot()
    assert [line.line.dash for line in months.data if line.type == "scatter"] == ["dot"]
    assert months.data[-1].showlegend
    assert [line.line.dash for line in weeks.plot().data if line.type == "scatter"] == ["solid"]


def test_as_of_identity_does_not_matter():
    rows = [click(0, "ada", "gclid=1", **{"alias.email": None}), order(2, "ada")]
    rows.append(click(3, "ada", ""))
    for identity in ("retroactive", "as_of"):
        r = stitched(*rows, identity=identity).reconcile(SPEND)
        assert r.orders["eligible"].tolist() == ["google_ads"]


def test_exports_are_read_first():
    s = four_orders()
    text = SPEND.assign(conversions=["3", "2.00"], spend="1.00")
    odd = pd.DataFrame({"date": "never", "platform": "meta", "conversions": [8], "spend": [1]})
    read = ck.read_spend(pd.concat([text, odd], ignore_index=True))
    r = s.reconcile(read)
    assert r.headline == s.reconcile(SPEND).headline
    assert any(one.startswith("1 row of spend rejected: ") for one in r.remarks)


def test_the_order_of_rows_does_not_matter():
    s = ck.stitch(ck.simulate_store(people=150).events)
    spend = claims([(0, "google_ads", 20.5, 90.0), (9, "meta", 12.0, 80.0), (9, "b", 2.0, 8.0)])
    shuffled = spend.sample(frac=1, random_state=3)
    one, other = s.reconcile(spend), s.reconcile(shuffled)
    for name in ("table", "patterns", "bounds", "orders", "clicks"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("template", ["light", "dark"])
def test_the_figure_draws_the_numbers_and_escapes_names(template):
    hostile = "<b>pod</b> $x$"
    spend = pd.concat([SPEND, claims([(0, hostile, 1.5, 2.0)])])
    r = four_orders().reconcile(spend)
    figure = r.plot(template=template)
    together = [trace.x[0] for trace in figure.data[:3]]
    assert together == [1.5, 3.0, 2.0]
    ranges = [trace for trace in figure.data if trace.type == "bar" and trace.y == (2,)]
    assert [trace.x[0] for trace in ranges] == [3.0, 1.0]
    said = "".join(texts(figure)).replace("<br>", "")
    assert "<b>" not in said
    assert "$x$" not in said
    assert "<b>" not in r._repr_html_()
    assert "<b>" not in "".join(texts(r.by_period("W").plot(template=template)))


STORE = (click(0, "a", "fbclid=1"), order(1, "a"), click(2, "b", "gclid=2"), order(200, "b"))


def test_claims_that_may_be_read_twice_are_remarked():
    s = stitched(*STORE)
    once, twice = SPEND, pd.concat([SPEND, SPEND])
    assert not any("counted twice" in remark for remark in s.reconcile(once).remarks)
    found = s.reconcile(twice)
    assert found.table["claimed"].sum() == 2 * s.reconcile(once).table["claimed"].sum()
    assert found.remarks[0].startswith("Spend: ")
    assert "may be counted twice" in found.remarks[0]
    assert "may be counted twice" in str(found)


def test_a_claimed_value_in_no_currency_is_not_added_to_others():
    euros = stitched(*(row | {"properties.currency": "EUR"} for row in STORE))
    some = SPEND.assign(currency=["EUR", None])
    with pytest.raises(
        ck.ConvergekitError, match="1 row of spend with a claimed value and without"
    ):
        euros.reconcile(some)
    rates = {"EUR": 1, "USD": 0.5}
    for spend in (some, SPEND.assign(currency=["USD", None]), SPEND):
        with pytest.raises(ck.ConvergekitError, match="Give currency= to ck.read_spend"):
            euros.reconcile(spend, currency="currency", rates=rates)
    # What is worth nothing is so in any currency.
    worthless = some.assign(value=[some["value"].iloc[0], 0.0])
    assert euros.reconcile(worthless).currency == "EUR"
    assert euros.reconcile(some, value=None).table["claimed"].sum() > 0


def test_a_currency_that_one_side_does_not_say_is_remarked():
    plain = stitched(*STORE)
    euros = stitched(*(row | {"properties.currency": "EUR"} for row in STORE))
    dollars = SPEND.assign(currency="USD")

    def said(s, spend):
        return [one for one in s.reconcile(spend).remarks if "say the currency" in one]

    assert said(plain, SPEND) == said(euros, SPEND.assign(currency="EUR")) == []
    assert said(plain, dollars) == [
        "Orders do not say the currency, taken to be USD as that of the claims."
    ]
    assert said(euros, SPEND) == [
        "Claims do not say the currency, taken to be EUR as that of the orders."
    ]
