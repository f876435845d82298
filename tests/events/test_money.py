"""Amounts in text are read in the language that is named, wholly or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.errors import ConvergekitError
from tests.effort import tries


@pytest.mark.parametrize(
    ("amounts", "text", "amount", "currency"),
    [
        ("de", "€1.234,50", 1234.5, "EUR"),
        ("de", "1.234.567,89 €", 1234567.89, "EUR"),
        ("de", "1.234", 1234.0, None),
        ("de", "12,-", 12.0, None),
        ("de", "-12,50 EUR", -12.5, "EUR"),
        ("de", "12,50-", -12.5, None),
        ("nl", "€ 1.234,50", 1234.5, "EUR"),
        ("pt", "R$ 1.234,56", 1234.56, "BRL"),
        ("sv", "1 234,50 kr", 1234.5, None),
        ("fr", "1\u202f234,50\u00a0€", 1234.5, "EUR"),
        ("nb", "kr. 12,00", 12.0, None),
        ("pl", "1 234,50 zł", 1234.5, "PLN"),
        ("cs", "99,90 Kč", 99.9, "CZK"),
        ("ch", "CHF 1'234.50", 1234.5, "CHF"),
        ("ch", "1’234.50", 1234.5, None),
        ("en", "(12.00)", -12.0, None),
        ("en", "($1,234.50)", -1234.5, None),
        ("en", "1,234.50 USD", 1234.5, "USD"),
        ("en", "$12.00 USD", 12.0, "USD"),
        ("en", "US$12", 12.0, "USD"),
        ("en", "-£.50", -0.5, "GBP"),
        ("en", "−£0.50", -0.5, "GBP"),
        ("en", "Rs.500", 500.0, None),
        ("en", "₹1,23,456.50", 123456.5, "INR"),
        ("en", "+7", 7.0, None),
        ("en", "1234567.5", 1234567.5, None),
        ("en", "  ", np.nan, None),
        ("en", "¥12 CNY", 12.0, "CNY"),
        ("en", "$12 pesos", 12.0, None),
        ("en", "C$12 CAD", 12.0, "CAD"),
        ("ch", "Fr. 12.- CHF", 12.0, "CHF"),
        ("sv", "12,00 kr SEK", 12.0, "SEK"),
    ],
)
def test_amounts_are_read(amounts: Any, text: str, amount: float, currency: str | None) -> None:
    found = ck.money(pd.Series([text, None], index=["a", "b"]), amounts=amounts)
    assert found.index.tolist() == ["a", "b"]
    assert found["amount"].iloc[0] == pytest.approx(amount, nan_ok=True)
    assert found["currency"].fillna("").tolist() == [currency or "", ""]
    assert np.isnan(found["amount"].iloc[1])


@pytest.mark.parametrize(
    ("amounts", "text"),
    [
        ("de", "1,234.50"),
        ("de", "12.50"),
        ("de", "1234.5"),
        ("en", "€1.234,50"),
        ("en", "1,23"),
        ("en", "1,2345"),
        ("fr", "1.234,50"),
        ("fr", "12.50"),
        ("en", "1,234 567"),
        ("en", "12.00 apples"),
        ("en", "12 EUR USD"),
        ("en", "12.00.00"),
        ("en", "-(12)"),
        ("en", "(12"),
        ("en", "free"),
        ("en", "undefined"),
        ("en", "1e5"),
        ("en", "12-15"),
        ("en", "ABC 12"),
        ("en", "²"),
        ("en", "$12 EUR"),
        ("en", "kr 12 EUR"),
        ("en", "¥12 USD"),
        ("en", "€12 $"),
        ("ch", "Fr. 12 USD"),
        ("en", "Rs. 12 pesos"),
        ("en", "9" * 400),
    ],
)
def test_nothing_is_guessed(amounts: Any, text: str) -> None:
    with pytest.raises(ConvergekitError, match="in row 1") as error:
        ck.money(pd.Series(["1", text]), amounts=amounts)
    assert repr(text[:30])[:-1] in str(error.value)


def test_numbers_stay_and_other_things_are_refused() -> None:
    values = pd.Series([12, Decimal("0.10"), "3,50 €", None, 2.5], dtype=object)
    found = ck.money(values, amounts="de")
    assert found["amount"].iloc[[0, 1, 2, 4]].tolist() == [12.0, 0.1, 3.5, 2.5]
    assert found["currency"].fillna("").tolist() == ["", "", "EUR", "", ""]
    assert ck.money(pd.Series([1.5, np.nan]), amounts="en")["amount"].iloc[0] == 1.5
    for dtype in ("category", "str", "string[pyarrow]"):
        texts = pd.Series(["1,50", None, "1,50"], dtype=dtype)
        assert ck.money(texts, amounts="de")["amount"].iloc[[0, 2]].tolist() == [1.5, 1.5]
    with pytest.raises(ConvergekitError, match="something else"):
        ck.money(pd.Series([True, False]), amounts="en")
    for wrong in (True, ["1,50"], {"amount": 1}):
        with pytest.raises(ConvergekitError, match="something else"):
            ck.money(pd.Series(["1,50", wrong], dtype=object), amounts="de")
    with pytest.raises(ConvergekitError, match="amounts must be one of"):
        ck.money(values, amounts="xx")  # type: ignore[arg-type]
    with pytest.raises(ConvergekitError, match="reads a column"):
        ck.money("1,50", amounts="de")  # type: ignore[arg-type]
    assert ck.money(pd.Series([], dtype="str"), amounts="de").empty


@tries(100)
@given(
    cents=st.integers(-(10**11), 10**11),
    marks=st.sampled_from(
        [
            ("en", ",", "."),
            ("de", ".", ","),
            ("sv", "\u00a0", ","),
            ("ch", "’", "."),
            ("da", " ", ","),
        ]
    ),
    around=st.sampled_from(["{}", "€{}", "{} EUR", "EUR {}", "{}\u00a0€"]),
    brackets=st.booleans(),
)
def test_what_is_written_is_read(
    cents: int, marks: tuple[Any, str, str], around: str, brackets: bool
) -> None:
    language, group, decimal = marks
    whole, part = divmod(abs(cents), 100)
    digits = f"{whole:,}".replace(",", group) + f"{decimal}{part:02}"
    text = around.format(digits)
    if cents < 0:
        text = f"({text})" if brackets else f"-{text}"
    found = ck.money(pd.Series([text]), amounts=language)
    assert round(float(found["amount"].iloc[0]) * 100) == cents
    assert found["currency"].fillna("").iloc[0] == ("" if around == "{}" else "EUR")
