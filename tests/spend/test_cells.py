"""Cells by the column against cells one by one, read by `ck.money` alone."""

from __future__ import annotations

import math
from typing import get_args

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.events.money import Amounts
from convergekit.spend.cells import language_of, numbers_of
from tests.effort import tries

_TEXTS = st.lists(
    st.one_of(
        st.from_regex(r"-?[0-9]{1,4}([.,][0-9]{1,4}){0,3}", fullmatch=True),
        st.sampled_from(
            ["1\u00a0234,50", "€12", "(3.00)", "1’234.5", "x", "7%", "9" * 400, "00,5"]
        ),
        st.integers(0, 10**17).map(str),
    ),
    max_size=6,
)


def one_by_one(text, amounts):
    """Return what `ck.money` makes of a text, None where it refuses."""
    try:
        found = ck.money(pd.Series([text]), amounts=amounts)
    except ck.ConvergekitError:
        return None
    return found["amount"].iloc[0], found["currency"].fillna("").iloc[0]


@given(_TEXTS, st.sampled_from(get_args(Amounts)))
@example(["12.5", "12,5", "1.234", "1,234", "-0,00"], "fr")
@example(["12.5", "12,5", "1.234", "1,234", "1,234.5"], "ch")
@tries(60, deadline=None)
def test_numbers_are_those_of_money(texts, amounts):
    values, codes, reasons = numbers_of(pd.Series(texts, dtype=object), amounts, "spend")
    for text, value, code, reason in zip(texts, values, codes, reasons, strict=True):
        expected = one_by_one(text, amounts)
        if expected is None:
            assert math.isnan(value)
            assert reason.startswith("spend '")
        else:
            assert (value, code, reason) == (*expected, None)


def told(texts):
    """Return the language that texts prove, or the word that its error has for why they do not."""
    kinds = set()
    for text in texts:
        read = {one: one_by_one(text, one) for one in ("en", "de", "ch")}
        if read["en"] and read["de"]:
            kinds |= {"either"} if read["en"][0] != read["de"][0] else set()
        else:
            kinds |= {next((one for one in read if read[one]), None)}
    kinds.discard(None)
    if "de" in kinds and kinds & {"en", "ch"}:
        return "others"
    if kinds == {"either"}:
        return "which"
    return "de" if "de" in kinds else "ch" if "ch" in kinds else "en"


@given(_TEXTS)
@example(["1.234", "12,5"])
@example(["1,234,567"])
@tries(60, deadline=None)
def test_a_file_is_in_the_language_that_its_cells_prove(texts):
    expected = told(texts)
    column = pd.Series(texts, dtype=object)
    if expected in ("others", "which"):
        with pytest.raises(ck.ReadError, match="Say in which language"):
            language_of([column], "a.csv")
    else:
        assert language_of([column], "a.csv") == expected
