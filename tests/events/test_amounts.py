"""Money is added up only where it can be: in one currency, of numbers, and finite."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.errors import ConvergekitError

STEPS = ["PageView", "Placed Order"]


def _store(amounts: Any, currencies: list[Any] | None, name: str = "currency") -> ck.Stitched:
    """Return a page view and an order of each of some people."""
    count = len(amounts)
    frame = pd.DataFrame(
        {
            "event_id": [f"e{number}" for number in range(2 * count)],
            "event_name": ["PageView"] * count + ["Placed Order"] * count,
            "timestamp": pd.date_range("2026-03-02", periods=2 * count, freq="h", tz="UTC"),
            "alias.cookie": [f"c{number}" for number in range(count)] * 2,
            "properties.total_price": pd.concat(
                [pd.Series([None] * count, dtype=object), pd.Series(amounts, dtype=object)],
                ignore_index=True,
            ),
        }
    )
    if currencies is not None:
        frame[f"properties.{name}"] = [None] * count + currencies
    frame["profile_properties.utm_source"] = "news"
    return ck.stitch(frame)


def _sum_of_customers(s: ck.Stitched, **how: Any) -> float:
    return float(s.customers(**how).lifetime_value()["value"].sum())


def _sum_of_journeys(s: ck.Stitched, **how: Any) -> float:
    found = s.journeys(end="Placed Order", value="total_price", **how)
    return float(found.paths["value"].sum())


def _sum_of_counts(s: ck.Stitched, **how: Any) -> float:
    return float(s.counts("Placed Order", value="total_price", **how)["sum"].sum())


def _sum_of_lift(s: ck.Stitched, **how: Any) -> float:
    table = s.stitching_lift(STEPS, within="7D", value="total_price", **how)
    return float(table["value"].iloc[-1])


def _sum_of_without(s: ck.Stitched, **how: Any) -> float:
    table = s.without("cookie", value="total_price", **how).table.set_index("measure")
    return float(table["with_it"]["total_price with a browser session"])


def _sum_of_hindsight(s: ck.Stitched, **how: Any) -> float:
    table = s.hindsight("Placed Order", value="total_price", **how).summary.set_index("measure")
    return float(table["retroactive"]["total_price with a browser session"])


SUMS: list[Callable[..., float]] = [
    _sum_of_customers,
    _sum_of_journeys,
    _sum_of_counts,
    _sum_of_lift,
    _sum_of_without,
    _sum_of_hindsight,
]


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize(
    ("name", "currencies"),
    [
        ("currency", ["EUR", "JPY", "EUR"]),
        ("$currency", ["EUR", " usd ", "EUR"]),
        ("currencyCode", ["EUR", None, "SEK"]),
        ("currency_code", pd.Series(["EUR", "GBP", "EUR"], dtype="category").tolist()),
    ],
)
def test_amounts_of_several_currencies_are_not_added_up(
    total: Callable[..., float], name: str, currencies: list[Any]
) -> None:
    s = _store([100.0, 100.0, 7.0], currencies, name)
    with pytest.raises(ConvergekitError, match="several currencies"):
        total(s)
    with pytest.raises(ConvergekitError, match="several currencies"):
        s.attribution("Placed Order", "total_price")


@pytest.mark.parametrize("total", SUMS)
def test_rates_bring_amounts_into_one_currency(total: Callable[..., float]) -> None:
    s = _store([100.0, 1000.0, 7.0], ["EUR", "JPY", "eur"])
    rates = {"EUR": 1, "JPY": 0.006}
    assert total(s, currency="currency", rates=rates) == pytest.approx(113.0)
    with pytest.raises(ConvergekitError, match="rates must say what one JPY is worth"):
        total(s, currency="currency", rates={"EUR": 1})
    with pytest.raises(ConvergekitError, match="rates= needs currency="):
        total(s, rates=rates)
    with pytest.raises(ConvergekitError, match="above zero"):
        total(s, currency="currency", rates={"EUR": 1, "JPY": 0})


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize(
    "currencies",
    [None, ["EUR", "EUR", "EUR"], ["EUR", "eur ", None], ["EUR", "EUR", ""], [None] * 3],
)
def test_one_currency_is_added_up_without_options(
    total: Callable[..., float], currencies: list[Any] | None
) -> None:
    assert total(_store([100.0, 20.0, 7.0], currencies)) == 127.0


SPELLINGS = ["eur", " EUR ", "EUR\u200b", "\ufeffEUR", "'EUR'", "€", "Euro", "EUROS", "EUR\u200e"]


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_one_currency_may_be_spelled_in_several_ways(
    total: Callable[..., float], spelled: str
) -> None:
    s = _store([100.0, 50.0, 1.0], ["EUR", spelled, spelled])
    assert total(s) == pytest.approx(151.0)
    rates = {spelled: 2.0, "USD": 9}
    assert total(s, currency="currency", rates=rates) == pytest.approx(302.0)


def test_the_condition_that_an_error_names_chooses_one_currency() -> None:
    s = _store([1.0, 2.0, 4.0, 8.0, 0.0], ["EUR", "usd", "eur", " EUR", "Eur"])
    where = {"currency": [" EUR", "EUR", "eur"]}
    for ask in (lambda: s.customers(), lambda: s.attribution("Placed Order", "total_price")):
        with pytest.raises(ConvergekitError) as caught:
            ask()
        assert f"where={where}" in str(caught.value)
    order = ck.Step("Placed Order", where=where)
    assert s.customers(order).lifetime_value()["value"].sum() == 13.0
    assert s.attribution(order, "total_price").comparison["last_touch"].sum() == 13.0


@pytest.mark.parametrize("one", [1, np.int64(1), np.float32(1), Decimal(1), Fraction(1)])
def test_a_rate_is_any_number(one: Any) -> None:
    s = _store([100.0, 50.0], ["EUR", "USD"])
    rates = {"EUR": one, "USD": one / 2}
    assert _sum_of_customers(s, currency="currency", rates=rates) == pytest.approx(125.0)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"EUR": True, "USD": 1}, "a number above zero for 'EUR'; got True"),
        ({"EUR": "1", "USD": 1}, "a number above zero for 'EUR'; got '1'"),
        ({"EUR": np.nan, "USD": 1}, "a number above zero for 'EUR'"),
        ({"EUR": 1, "USD": -0.5}, "a number above zero for 'USD'"),
        ({"EUR": 1, "eur": 2, "USD": 1}, "one rate for 'EUR'"),
        ({"EUR": 1, "€": 2, "USD": 1}, "one rate for 'EUR'"),
        ({"EUR": 1, "": 2, "USD": 1}, "name currencies"),
        ({"EUR": 1, None: 2, "USD": 1}, "name currencies"),
    ],
)
def test_rates_that_say_nothing_or_two_things_are_refused(rates: Any, said: str) -> None:
    s = _store([100.0, 50.0], ["EUR", "USD"])
    with pytest.raises(ConvergekitError, match=f"rates must .*{re.escape(said)}"):
        s.customers(currency="currency", rates=rates)


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("kind", [bool, "boolean", object, "category"])
def test_truth_is_not_an_amount(total: Callable[..., float], kind: Any) -> None:
    frame = _store([1.0, 2.0], None).events[["event_name", "timestamp", "alias.cookie", "event_id"]]
    paid = pd.Series([True, False, True, True]).astype(kind)
    s = ck.stitch(frame.assign(**{"properties.total_price": paid}))
    with pytest.raises(ConvergekitError, match="value must name a column of numbers"):
        total(s)


@pytest.mark.parametrize("amount", [9.3e16, -1e17, 1e300])
def test_credits_are_to_the_cent_or_refused(amount: float) -> None:
    s = _store([amount, 1.0], None)
    with pytest.raises(ConvergekitError, match="too large to be added up to the cent, the largest"):
        s.attribution("Placed Order", "total_price")
    assert _store([1e13, 1.0], None).attribution("Placed Order", "total_price").comparison[
        "last_touch"
    ].tolist() == [1e13 + 1]


@pytest.mark.parametrize("total", SUMS)
def test_what_adds_nothing_has_no_say_in_the_currency(total: Callable[..., float]) -> None:
    assert total(_store([100.0, 0.0, None], ["EUR", "USD", "JPY"])) == 100.0


def test_two_properties_of_currencies_are_read_together() -> None:
    # One source says `currency`, another `$currency`.
    s = _store([100.0, 50.0], ["EUR", None])
    events = s.events.assign(**{"properties.$currency": [None, None, None, "USD"]})
    events = events.drop(columns=["profile_id", "row", "kind"])
    with pytest.raises(ConvergekitError, match=r"EUR \(1\), USD \(1\)"):
        ck.stitch(events).customers()


def test_counts_may_be_parted_by_currency() -> None:
    s = _store([100.0, 1000.0, 7.0], ["EUR", "JPY", "EUR"])
    table = s.counts("Placed Order", value="total_price", by="currency")
    assert table.groupby("properties.currency")["sum"].sum().to_dict() == {
        "EUR": 107.0,
        "JPY": 1000.0,
    }
    with pytest.raises(ConvergekitError, match="several currencies"):
        s.counts("Placed Order", value="total_price", by="utm_source")


def test_a_refund_in_another_currency_is_not_taken_off() -> None:
    events = pd.DataFrame(
        {
            "event_id": ["a", "b"],
            "event_name": ["Placed Order", "Order Refunded"],
            "timestamp": pd.to_datetime(["2026-03-02", "2026-03-03"], utc=True),
            "alias.cookie": "c",
            "properties.total_price": [100.0, 100.0],
            "properties.currency": ["EUR", "USD"],
        }
    )
    with pytest.raises(ConvergekitError, match="several currencies"):
        ck.stitch(events).customers(refund="Order Refunded")


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("amount", [math.inf, -math.inf, np.float64("inf"), Decimal("Infinity")])
def test_an_infinite_amount_is_named_and_its_event_stays(
    total: Callable[..., float], amount: Any
) -> None:
    s = _store([100.0, amount, 7.0], None)
    assert len(s.events) == 6
    with pytest.raises(ConvergekitError, match=r"1 event has an infinite amount, .* row 4"):
        total(s)
    with pytest.raises(ConvergekitError, match="infinite amount"):
        s.attribution("Placed Order", "total_price")


@pytest.mark.parametrize(
    "amounts",
    [
        [100, Decimal("20.50"), 7.0],
        [Decimal("100"), Decimal("20.5"), Decimal("7")],
        [np.int32(100), 20.5, np.float32(7)],
        [100, 20.5, Decimal(7)],
    ],
)
@pytest.mark.parametrize("total", SUMS)
def test_objects_that_are_numbers_are_a_column_of_numbers(
    total: Callable[..., float], amounts: list[Any]
) -> None:
    s = _store(amounts, ["EUR"] * 3)
    assert total(s) == 127.5
    comparison = s.attribution("Placed Order", "total_price").comparison
    assert comparison.select_dtypes("number").sum().max() == 127.5
    found = ck.check_up(
        s.events[
            ["event_id", "event_name", "timestamp", "alias.cookie", "properties.total_price"]
        ].assign(event_id=None)
    )
    assert found.findings.set_index("check")["money"]["conversion-without-event-id"] == 127.5


@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("text", ["€1.234,50", "1 234,50 kr", "(12.00)", "12.00"])
def test_an_amount_in_text_is_named(total: Callable[..., float], text: str) -> None:
    with pytest.raises(ConvergekitError, match="must name a column of numbers") as error:
        total(_store([100.0, text, 7.0], None))
    assert text in str(error.value)
    assert "row 4" in str(error.value)
    way = "pd.to_numeric" if text == "12.00" else "ck.money"
    assert way in str(error.value)


def test_a_wrong_column_is_not_shown() -> None:
    s = _store(["ada@example.com 7", "x" * 50 + "1"], None)
    with pytest.raises(ConvergekitError) as error:
        s.customers()
    assert "ada@" not in str(error.value)
    assert "xxx" not in str(error.value)


def test_a_check_up_adds_up_one_currency_alone() -> None:
    events = _store([100.0, 10.0, 5000.0], ["EUR", "EUR", "JPY"]).events
    events = events.drop(columns=["profile_id", "row", "kind"]).assign(event_id=None)
    found = ck.check_up(events)
    money = found.findings.set_index("check")["money"]
    assert money["conversion-without-event-id"] == 110.0
    assert money["several-currencies"] == 5000.0
    assert found.currency == ""
    assert any("only amounts in EUR are counted" in remark for remark in found.remarks)
    found = ck.check_up(events, currency="currency", rates={"EUR": 1, "JPY": 0.01})
    money = found.findings.set_index("check")["money"]
    assert money["conversion-without-event-id"] == 160.0
    assert found.currency == "EUR"
    three = events.assign(**{"properties.currency": [None] * 3 + ["EUR", "USD", "JPY"]})
    money = ck.check_up(three).findings.set_index("check")["money"]
    # Of equally many the first by the alphabet; the others cannot be added up.
    assert money["conversion-without-event-id"] == 100.0
    assert math.isnan(money["several-currencies"])
    with pytest.raises(ConvergekitError, match="JPY"):
        ck.check_up(events, currency="currency", rates={"EUR": 1})


@pytest.mark.parametrize("amounts", [[100.0, 0.0, 0.0], [100.0, None, np.nan]])
def test_a_check_up_lets_pass_what_no_question_refuses(amounts: list[Any]) -> None:
    s = _store(amounts, ["EUR", "USD", "JPY"])
    assert _sum_of_customers(s) == 100.0
    found = ck.check_up(s.events.drop(columns=["profile_id", "row", "kind"]))
    assert "several-currencies" not in found.findings["check"].tolist()
    assert not any("not added up" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("1.234,50 €", "amounts='de')['amount']; of"),
        ("20,00", "amounts='de')['amount']; of"),
        ("1,234.50", "amounts='en')['amount']; of"),
        ("$ 12.5", "amounts='en')['amount']; of"),
        ("EUR 1.234", "amounts='en')['amount'], or the other of 'en' and 'de'; of"),
        ("1,234", "amounts='en')['amount'], or the other of 'en' and 'de'; of"),
    ],
)
def test_the_error_names_the_decimal_mark_that_the_text_shows(text, advice):
    with pytest.raises(ConvergekitError, match=re.escape(advice)):
        _store([text], None).customers(value="total_price")
