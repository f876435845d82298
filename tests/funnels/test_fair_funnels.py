"""Funnels see no difference where there is none, find the one there is, and know open windows.

A tenth of what ``python -m tests.funnels.fair`` measures, with the windows of a week.
"""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import binom, chi2

import convergekit as ck
from convergekit.errors import ConvergekitError
from tests.base.reference_survival import slow_clustered, slow_clustered_log_rank
from tests.effort import scaled
from tests.funnels.fair import (
    ANY_SOURCE,
    DAYS,
    EQUALLY,
    MAKES,
    SETTINGS,
    START,
    STEPS,
    WRONG,
    Store,
    alarms,
    estimates,
    found_effects,
    most,
)

#: 60 in `make test`, a third of each make.
STORES = range(3 * min(20, max(1, scaled(400) // 3)))
OF_A_WEEK = [one for one in SETTINGS if one.within in ("7D", "visit")]
BY_LATER_STEPS = [one for one in WRONG if one.name.startswith("by_step") and one.within == "7D"]
FAMILIES = sorted({family for one in OF_A_WEEK for family in one.families})
# Of all these together, if each is right, one in a thousand runs has more alarms.
MOST = most(len(STORES), sum(len(one.families) for one in OF_A_WEEK))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_differences_that_are_not_there_are_seldom_seen(family):
    found = alarms(OF_A_WEEK, family, STORES)
    seen = {OF_A_WEEK[place].name: int(count.sum()) for place, count in found.items()}
    assert max(seen.values()) <= MOST, seen
    if len(STORES) >= 60:
        # Nor are tests deaf: one that never gives an alarm would find nothing either.
        assert sum(seen.values()) > 0.02 * len(STORES) * len(seen), seen


@pytest.mark.slow
@pytest.mark.parametrize("family", ANY_SOURCE)
def test_what_is_read_after_the_outcome_differs_in_most_stores(family):
    (count,) = alarms(BY_LATER_STEPS, family, STORES).values()
    assert count.sum() > 0.8 * len(STORES)


@pytest.mark.slow
@pytest.mark.parametrize("family", ANY_SOURCE)
def test_a_difference_of_30_percent_is_found(family):
    stores = range(3 * max(1, scaled(40) // 3))
    assert found_effects(family, stores).sum() >= 0.8 * len(stores)


@pytest.mark.slow
def test_open_windows_are_estimated():
    stores = range(3 * max(4, min(20, scaled(400) // 3)))
    found = estimates(EQUALLY, stores, "7D")
    # People of one make are alike, so what all of them did is the truth of each store.
    sums = found.groupby("make")[["entered", "converted"]].sum()
    truth = found["make"].map(sums["converted"] / sums["entered"])
    held = (found["low"] <= truth) & (truth <= found["high"])
    assert held.sum() >= binom.ppf(0.0005, len(stores), 0.95)
    assert found["share"].mean() == pytest.approx(truth.mean(), rel=0.03)
    assert found["plain"].mean() < 0.97 * truth.mean()
    assert found["ended"].mean() > 1.3 * truth.mean()


def test_stitched_events_and_frames_give_one_answer():
    for make in MAKES:
        # One device each: the profiles are the people.
        alike = Store(5, make, unequal=True, people=300, second_device=0.0)
        s = alike.stitched
        for options in (
            {"within": "7D"},
            {"within": "7D", "entry": "any", "end": "2026-04-01"},
            {"count": "visits"},
        ):
            of_people = ck.funnel(alike.of_people, STEPS, by="utm_source", **options)
            stitched = s.funnel(STEPS, by="utm_source", **options)
            pd.testing.assert_frame_equal(stitched.table, of_people.table)
            assert stitched.test().p_value == of_people.test().p_value
            weeks = ck.funnel(alike.of_people, STEPS, **options).test(freq="W")
            assert s.funnel(STEPS, **options).test(freq="W").p_value == weeks.p_value


def by_hand(events, within, end=None):
    """Rows of those who entered in each week, a funnel each: time, happened, week, whose, day."""
    rows = []
    for week in range(DAYS // 7):
        begin = START + pd.Timedelta(days=7 * week)
        until = begin + pd.Timedelta(days=7)
        until = until if end is None else min(until, end)
        if begin >= until:
            continue
        found = ck.funnel(events, STEPS, within=within, start=begin, end=until).conversions
        seen = (events["timestamp"].max() - found["time_1"]).clip(upper=pd.Timedelta(within))
        waited = (found["time_2"] - found["time_1"]).fillna(seen)
        rows.append(
            pd.DataFrame(
                {
                    "time": waited.array.asi8,
                    "happened": found["time_2"].notna(),
                    "week": week,
                    "profile": found["profile_id"],
                    "day": (found["time_1"] - begin) // pd.Timedelta("1D"),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def test_weeks_are_compared_as_funnels_of_their_own():
    events = Store(2, "bursts", unequal=True, people=60).of_people
    found = ck.funnel(events, STEPS, within="10D")
    test, rows = found.test(freq="W"), by_hand(events, "10D")
    assert (test.method, test.by, test.left_out) == ("log-rank, clustered", ["period"], 0)
    slow = slow_clustered_log_rank(*(rows[name].tolist() for name in rows))
    assert test.statistic == pytest.approx(slow, rel=1e-5)
    assert test.pairs.iloc[0][["group", "other"]].tolist() == [
        "2026-03-02/2026-03-08",
        "2026-03-09/2026-03-15",
    ]
    assert len(test.pairs) == 15
    two = rows[rows["week"] < 2]
    slow = slow_clustered_log_rank(*(two[name].tolist() for name in two))
    assert test.pairs["p_value"].iloc[0] == pytest.approx(chi2.sf(slow, 1), rel=1e-5)


def test_weeks_whose_windows_have_ended_are_compared_by_shares():
    events = Store(2, "bursts", unequal=True, people=200).of_people
    end = START + pd.Timedelta(days=28)
    test = ck.funnel(events, STEPS, within="10D", end=end).test(freq="W")
    rows = by_hand(events, "10D", end)
    slow = slow_clustered(*(rows[name].tolist() for name in ("happened", "week", "profile")))
    assert test.method == "score test, clustered"
    assert test.statistic == pytest.approx(slow, rel=1e-5)


def test_a_test_is_of_groups_or_of_periods():
    events = Store(1, people=50).of_people
    with pytest.raises(ConvergekitError, match="with freq= leave out by="):
        ck.funnel(events, STEPS, within="7D", by="plan").test(freq="W")
    with pytest.raises(ConvergekitError, match="by= to the funnel, or freq="):
        ck.funnel(events, STEPS, within="7D").test()
    with pytest.raises(ConvergekitError, match="set entry='first'"):
        ck.funnel(events, STEPS, within="7D", entry="any").test(freq="W")
    with pytest.raises(ConvergekitError, match="at most 40; these are 42"):
        ck.funnel(Store(1).of_people, STEPS, within="7D").test(freq="D")


def test_nobody_enters_in_no_week():
    events = Store(1, people=50).of_people
    found = ck.funnel(events, ["PageView", "Placed Order"], within="7D", start="2027-01-01")
    test = found.test(freq="W")
    assert (test.reason, len(test.pairs), test.left_out) == ("no group has rows", 0, 0)
