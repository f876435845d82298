"""Sorting that finds what is equal: the same as the slow and usual ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from convergekit.base.grouping import distinct, distinct_rows, order_of
from convergekit.base.records import take_or_missing
from tests.effort import tries

few = st.integers(-2, 2)


@tries(100)
@given(st.lists(st.tuples(few, few, few)))
def test_distinct_values_and_rows_are_those_of_a_set(rows):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    assert distinct(columns[0]).tolist() == sorted({row[0] for row in rows})
    found = zip(*(column.tolist() for column in distinct_rows(*columns)), strict=True)
    assert list(found) == sorted(set(rows))


@tries(100)
@given(st.lists(st.tuples(few, few, st.text("aAzé\U0001f600", max_size=2)), unique=True))
def test_the_order_is_that_of_the_integers_then_of_the_texts(rows):
    frame = pd.DataFrame(rows, columns=["a", "b", "text"]).astype({"a": int, "b": int})
    frame["text"] = frame["text"].astype("str")
    order = order_of(frame["a"].to_numpy(), frame["b"].to_numpy(), texts=frame["text"])
    assert [rows[place] for place in order] == sorted(rows)


@tries(100)
@given(
    st.lists(st.one_of(st.none(), st.text("aé", max_size=3)), min_size=1, max_size=4),
    st.lists(st.integers(-1, 3), max_size=12),
    st.integers(0, 2),
)
def test_texts_at_positions_are_taken_one_by_one(texts, positions, skipped):
    values = pd.Series(texts, dtype="str").iloc[min(skipped, len(texts) - 1) :]
    # Profile IDs are all of one size, and there are fewer of them than events.
    for held in (values, values.str.slice(0, 1), pd.Series(["p_1é", "p_2b"], dtype="str")[1:]):
        at = np.array([place for place in positions if place < len(held)], dtype=np.int64)
        at = np.repeat(at, 3)
        expected = [None if place < 0 else held.iloc[place] for place in at]
        found = take_or_missing(held, at)
        assert found.astype(object).where(found.notna(), None).tolist() == [
            None if pd.isna(text) else text for text in expected
        ]
