"""Numbers of parts that are watched: what memory says."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory
from tests.parts.test_part_answers import parts, same
from tests.watching.test_watch import ALL, daily, events_of

pytest.importorskip("statsmodels")


def same_watches(found, expected):
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    pd.testing.assert_frame_equal(found.series, expected.series, check_exact=True)
    assert found.notes == expected.notes
    assert found.finding == expected.finding


@tries(40)
@given(st.data(), parts)
def test_what_is_watched_is_that_of_memory(data, number):
    """Late events, repeats, two browsers of one person, amounts in two currencies, any order."""
    size = data.draw(st.integers(4, 40))

    def column(values):
        return data.draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    begin = pd.Timestamp("2026-03-02", tz="UTC")
    times = pd.Series([begin + pd.Timedelta(hours=h) for h in column(list(range(24 * 8)))])
    events = pd.DataFrame(
        {
            "event_name": column(["PageView", "Placed Order", "x"]),
            "timestamp": times,
            "received_at": times + pd.to_timedelta(column([0, 1, 30, 70]), unit="h"),
            "event_id": column(["1", "2", "3", None]),
            "alias.cookie": column(["1", "2", "3", "4", None]),
            "alias.email": column(["a@x.org", "b@x.org", None]),
            "properties.total_price": column([1.5, 20.1, 0.1, None]),
            "properties.currency": column(["EUR", "EUR", "USD"]),
        }
    )
    money = data.draw(
        st.sampled_from([{}, {"currency": "currency", "rates": {"EUR": 1.0, "USD": 0.9}}])
    )
    numbers = [one | money if one["kind"] == "revenue" else one for one in ALL]
    asked = {"number": numbers, "wait": data.draw(st.sampled_from(["0h", "12h"]))}
    until = data.draw(st.sampled_from([None, "2026-03-07"]))
    days = data.draw(st.integers(1, 3))
    cut = data.draw(st.integers(1, size - 1))
    halves = [part.reset_index(drop=True) for part in (events[:cut], events[cut:])]
    with by_parts(halves, number) as p:
        s = in_memory(halves)
        both = same(
            lambda: ck.watch(p, asked, until=until, days=days),
            lambda: ck.watch(s, asked, until=until, days=days),
        )
    if both is not None:
        same_watches(*both)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_alarms_and_their_why_are_those_of_memory(number):
    pages = events_of(daily(70, 60), "PageView")
    orders = pages.iloc[::3].assign(
        **{"event_name": "Placed Order", "properties.total_price": 20.1}
    )
    orders["timestamp"] += pd.Timedelta("1min")
    # The orders of the last days do not come.
    events = pd.concat([pages, orders[orders["timestamp"] < "2026-05-07"]], ignore_index=True)
    expected = ck.watch(ck.stitch(events), {"number": ALL}, days=3)
    assert len(expected.alarms)
    with by_parts([events], number) as p:
        found = ck.watch(p, {"number": ALL}, days=3)
        same_watches(found, expected)
        row = expected.alarms.index[0]
        pd.testing.assert_frame_equal(found.why(row).table, expected.why(row).table)
