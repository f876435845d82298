"""What would be divided by what it does not belong to: remarked, refused, or counted right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from tests.marketing.worlds import ROWS, SPEND, shop

APRIL = pd.Timestamp("2026-04-01", tz="UTC")


@pytest.mark.parametrize("new", ["first_ever", "first_by_address"])
def test_a_segment_of_events_does_not_make_customers_new(new):
    s = shop(ROWS, **{"properties.email": [f"{row[0]}@example.com" for row in ROWS]})
    late = s.where(events=lambda events: events["timestamp"] >= APRIL)
    found = late.marketing(SPEND, new=new)
    # Of the three who order in April two did in March.
    assert found.groups["orders"].sum() == 3
    assert found.groups["new_customers"].sum() == 1
    assert found.cohorts()["customers"].sum() == 1
    whole = s.marketing(SPEND, new=new).periods.set_index("period")["new_customers"]
    assert whole["2026-04-01"] == 1
    # A segment of profiles has all that they did.
    some = s.where(profiles=ck.Did("Placed Order", at_least=2)).marketing(SPEND, new=new)
    assert some.groups["new_customers"].sum() == 2


def test_a_segment_says_that_the_spend_is_of_everybody():
    s = shop(ROWS)
    segment = s.where(profiles=ck.Did("Placed Order", at_least=2))
    for found in (segment.marketing(SPEND), segment.match_spend(SPEND)):
        assert found.remarks[0].startswith("Visits and orders are those of a segment (")
        assert "spend is that of everybody" in str(found)
    for found in (s.marketing(SPEND), s.match_spend(SPEND)):
        assert not any("segment" in remark for remark in found.remarks)


def test_rates_that_name_no_currency_of_the_result_are_refused():
    s = shop(ROWS, **{"properties.currency": "EUR"})
    spend = SPEND.assign(currency="USD")
    for rates in ({"EUR": 2, "USD": 1.5}, {"EUR": 1, "USD": 1}):
        with pytest.raises(ck.ConvergekitError, match="rates must give one currency the rate 1"):
            s.marketing(spend, currency="currency", rates=rates)
    found = s.marketing(spend, currency="currency", rates={"EUR": 1, "USD": 0.75})
    assert found.currency == "EUR"
    assert found.groups["spend"].sum() == SPEND["spend"].sum() * 0.75


@pytest.mark.parametrize(
    ("of_orders", "of_spend", "begins"),
    [
        (None, "USD", "Orders do not say the currency, taken to be USD"),
        ("EUR", None, "Spend does not say the currency, taken to be EUR"),
        (None, None, None),
        ("EUR", "EUR", None),
    ],
)
def test_a_currency_that_is_not_said_is_remarked(of_orders, of_spend, begins):
    s = shop(ROWS, **({"properties.currency": of_orders} if of_orders else {}))
    spend = SPEND if of_spend is None else SPEND.assign(currency=of_spend)
    said = [one for one in s.marketing(spend).remarks if "say the currency" in one]
    assert [one.startswith(str(begins)) for one in said] == ([] if begins is None else [True])


def test_a_file_that_was_not_exported_is_remarked():
    days = pd.date_range("2026-03-01", "2026-04-30")
    daily = pd.DataFrame(
        {"date": days, "platform": "google_ads", "campaign": "brand", "spend": 1.0}
    )
    s = shop(ROWS)

    def said(spend):
        for found in (s.marketing(spend), s.match_spend(spend)):
            yield [one for one in found.remarks if one.startswith("Without a row of spend")]

    of_meta = daily.assign(platform="meta", campaign="Spring")
    short = of_meta["date"].between("2026-03-10", "2026-04-25")
    gap = ~daily["date"].between("2026-03-20", "2026-03-26")
    assert [*said(daily)] == [[], []]
    assert [*said(pd.concat([daily, of_meta[~short | (of_meta["date"].dt.day % 6 == 0)]]))] == [
        []
    ] * 2
    remark = "Without a row of spend, which counts as nothing spent: "
    for spend in (daily[gap], daily[gap][::-1]):
        assert [*said(spend)] == [[remark + "google_ads 2026-03-20 to 2026-03-26 (7 days)."]] * 2
    both = pd.concat([daily, of_meta[short]])
    assert [*said(both)] == [[remark + "meta 2026-03-01 to 2026-03-09 (9 days)."]] * 2


def test_visits_of_a_platform_and_of_its_campaigns_are_counted_once():
    wide = pd.DataFrame({"date": "2026-03-05", "account": ["1", "2"], "spend": [9.0, 8.0]})
    wide["platform"] = "google_ads"
    matches = shop(ROWS).match_spend(pd.concat([SPEND, wide]))
    assert matches.table["visits"].tolist() == [3, 2, 3, 3, 0]
    assert "5 visits matched" in repr(matches)


def test_an_order_without_an_amount_is_said_to_count_as_worth_nothing():
    rows = [
        (*row[:3], np.nan) if row[:3] == ("ann", "03-02 10:20", "order") else row for row in ROWS
    ]
    found = shop(rows).marketing(SPEND)
    assert found.left_out == {"orders without an amount, which count as worth 0": 1}
    assert found.groups["orders"].sum() == 5
    assert found.groups["revenue"].sum() == 175


def test_refunds_above_what_an_order_was_worth_are_remarked():
    rows = [*ROWS, ("bob", "04-20 00:00", "refund", 41), ("ann", "04-20 00:00", "refund", 50)]
    found = shop(rows).marketing(SPEND, refund="Order Refunded")
    assert found.groups["refunded"].sum() == 91
    said = [one for one in found.remarks if "refunded by more" in one]
    assert len(said) == 1
    assert said[0].startswith("1 order was refunded by more than what it was worth, 1.00 above")
    usual = shop(rows[:-2] + rows[-1:]).marketing(SPEND, refund="Order Refunded")
    assert not any("refunded by more" in one for one in usual.remarks)


@pytest.mark.parametrize("other", [None, "other"])
def test_a_campaign_that_was_renamed_keeps_the_visits_of_its_former_name(other):
    rows = [
        ("ann", "03-02 10:00", "view", "brand"),
        ("ann", "03-02 10:10", "order", 100),
        ("bob", "04-02 10:00", "view", "brand new"),
        ("bob", "04-02 10:10", "order", 60),
        ("cem", "05-01 10:00", "view", "bare"),
    ]
    spend = pd.DataFrame(
        [("2026-03-02", "Brand", "7", 10.0), ("2026-04-02", "Brand NEW", "7", 10.0)],
        columns=["date", "campaign", "campaign_id", "spend"],
    ).assign(platform="google_ads")
    s = shop(rows)
    for given in (spend, spend[::-1]):
        found = s.marketing(given, by="campaign").groups.set_index("campaign")
        row = found.loc["Brand NEW"]
        assert (row["spend"], row["visits"], row["orders"], row["revenue"]) == (20, 2, 2, 160)
    if other:
        # Another that has the former name now makes it doubtful for both.
        late = spend.iloc[:1].assign(date="2026-04-03", campaign_id="8")
        table = s.match_spend(pd.concat([spend, late])).table
        assert table["visits"].sum() == 0
        assert table["reason"].tolist() == ["2 campaigns of the spend have this name"] * 2


def test_rows_without_an_id_are_of_the_campaign_of_their_name():
    s = shop(ROWS)
    whole = s.match_spend(SPEND).table
    some = SPEND.assign(campaign_id=[None, "1", None, "1", "2", None])
    for given in (some, some[::-1]):
        table = s.match_spend(given).table
        assert table["campaign_id"].fillna("").tolist() == ["1", "2", ""]
        assert table[["spend", "visits"]].equals(whole[["spend", "visits"]])
    # Of two accounts each has its own.
    apart = s.match_spend(some.assign(account=["a", "b", "a", "b", "b", "a"])).table
    assert apart["campaign_id"].notna().sum() == 2
    assert len(apart) == 5
    # A name of two IDs is that of neither.
    two = some.assign(campaign_id=[None, "1", None, "9", "2", None])
    assert s.match_spend(two).table["platform"].tolist().count("google_ads") == 3
