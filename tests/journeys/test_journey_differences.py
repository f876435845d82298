"""What converters do that others do not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import assume, given

import convergekit as ck
from convergekit.journeys.result import journeys
from tests.journeys import reference_journeys
from tests.journeys.test_journeys import START, frames, log


def compare(frame, converters="Placed Order", within="10min", **options):
    found = journeys(frame, start=options.pop("start", None))
    return found.differences(converters, within, **{"min_profiles": 1, **options})


def row(found, name):
    return found.table.set_index("event_name").loc[name]


def test_shares_are_of_what_happened_before_the_conversion():
    frame = log(a="v0 c5 o9 x10", b="v0 o9", c="v0 c3 c4", d="v0", e="v0 x20")
    found = compare(frame)
    assert (found.converters, found.others) == (2, 3)
    cart = row(found, "Added To Cart")
    assert (cart["converters_share"], cart["others_share"]) == pytest.approx((1 / 2, 1 / 3))
    assert cart["difference"] == pytest.approx(1 / 6)
    assert cart["low"] < 1 / 6 < cart["high"]
    assert cart["odds_ratio"] == pytest.approx(2)
    # After the order, or longer after the first event than any order was.
    assert "Refund" not in set(found.table["event_name"])


def test_others_are_observed_as_long_as_converters():
    many = {f"p{i}": "v0 c30 x70" for i in range(10)}
    found = compare(log(a="v0 o20", b="v0 o60", **many), within="1h")
    assert found.others == 10
    # Half are observed for 20 minutes, half for 60.
    assert row(found, "Added To Cart")["others"] == 5
    assert "Refund" not in set(found.table["event_name"])


def test_who_converts_after_the_window_is_among_the_others():
    frame = log(a="v0 o10", b="v0 c5 o11", z="x30")
    found = compare(frame)
    assert (found.converters, found.others) == (1, 1)
    assert row(found, "Added To Cart")[["converters", "others"]].tolist() == [0, 1]


def test_those_who_cannot_be_compared_are_counted():
    frame = log(a="o0 v5", b="v0 o10", c="v12", d="v10 o11", e="v0 v20")
    found = compare(frame)
    assert found.left_out == {"window still open": 1, "converted at once": 1}
    assert (found.converters, found.others) == (2, 1)
    assert repr(found) == (
        "Differences(1 comparison of 2 converters with 1 other, observed as long; within 10 min)"
    )


def test_without_cause_there_is_no_difference():
    # Everybody does the same at the same rate; those who convert are observed for less time, and
    # those who came late for less than those who came early.
    rng = np.random.default_rng(7)
    rows = []
    for person in range(4000):
        begin, converts = rng.uniform(0, 38), rng.exponential(60)
        for name, rate in (("PageView", 0), ("Chat", 0.1), ("Wishlist", 0.03)):
            at = [begin] if not rate else begin + np.cumsum(rng.exponential(1 / rate, 12))
            rows += [(f"p{person}", name, day) for day in at if day < 40]
        if begin + converts < 40:
            rows.append((f"p{person}", "Placed Order", begin + converts))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "day"])
    frame["timestamp"] = START + pd.to_timedelta(frame["day"], unit="D")
    found = compare(frame, start="PageView", within="20D")
    assert found.converters > 200
    assert found.others > 500
    for name in ("Chat", "Wishlist"):
        one = row(found, name)
        assert one["low"] < 0 < one["high"]
    # As they are, the others would seem to do far more of it.
    chatted = frame[frame["event_name"] == "Chat"].groupby("profile_id").size()
    buyers = frame.loc[frame["event_name"] == "Placed Order", "profile_id"].unique()
    of_others = set(frame["profile_id"]) - set(buyers)
    naive = np.mean([p in chatted for p in sorted(of_others)])
    assert naive > row(found, "Chat")["others_share"] + 0.1


def test_values_of_properties_are_compared():
    frame = log(a="v0 o9", b="v0 o8", c="v0", d="v0", e="v0 v9", z="v30")
    frame["properties.plan"] = ["pro", None, "pro", None, "free", "free", "free", "pro", "pro"]
    found = compare(frame, properties=["plan"])
    table = found.table[found.table["property"] == "properties.plan"].set_index("value")
    # The value that e has comes too late: no converter took longer than it.
    assert table.loc["pro", ["converters", "others"]].tolist() == [2, 0]
    assert table.loc["free", ["converters", "others"]].tolist() == [0, 3]
    assert table.loc["pro", "p_value"] == pytest.approx(0.1)
    assert math.isinf(table.loc["pro", "odds_ratio"])
    assert math.isnan(table.loc["pro", "odds_low"])


def test_a_notebook_shows_shares_in_percent_and_nothing_where_there_is_nothing():
    page = compare(log(a="v0 c5 o9 x10", b="v0 o9", c="v0 c3 c4", d="v0", e="v0 x20"))._repr_html_()
    assert "<td>50.0%</td>" in page
    assert "<td>None</td>" not in page
    assert "<td></td>" in page


def test_p_values_are_fishers_and_corrected_for_their_number():
    s = ck.stitch(ck.simulate_store(people=300).events)
    found = s.journeys(start="PageView", end="Placed Order").differences(properties=["utm_source"])
    table = found.table
    assert len(table) > 5
    for one in table.itertuples():
        cells = [[one.converters, found.converters - one.converters],
                 [one.others, found.others - one.others]]  # fmt: skip
        # To six digits, which are the same on every processor.
        assert one.p_value == float(f"{scipy.stats.fisher_exact(cells).pvalue:.6g}")
    # Benjamini and Hochberg by the book: the smallest of p times m over its rank, from there on.
    p_values, m = table["p_value"].tolist(), len(table)
    book = [min(min(p_values[j] * m / (j + 1) for j in range(i, m)), 1) for i in range(m)]
    assert table["adjusted_p_value"].tolist() == pytest.approx(book)


def test_what_few_did_is_not_compared():
    frame = log(a="v0 c1 o9", b="v0 c1 o9", c="v0 c2", d="v0 x2", z="v30")
    assert set(compare(frame, min_profiles=3).table["event_name"]) == {"PageView", "Added To Cart"}


def test_nobody_to_compare_with_gives_no_numbers():
    found = compare(log(a="v0 c1 o9", b="v0 o9", c="v30"))
    assert found.others == 0
    assert found.table[["difference", "p_value", "adjusted_p_value"]].isna().all(axis=None)


def test_what_is_not_there_is_said():
    found = journeys(log(a="v0 o1"))
    with pytest.raises(ck.ConvergekitError, match=r"converters= or end="):
        found.differences()
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'Placed Order'"):
        found.differences("Placed order")
    with pytest.raises(ck.ConvergekitError, match="confidence must be.*got 95"):
        found.differences("Placed Order", confidence=95)
    with pytest.raises(ck.ConvergekitError, match="within must be a positive duration.*got 7"):
        found.differences("Placed Order", 7)
    with pytest.raises(ck.ConvergekitError, match="min_profiles must be.*got 0"):
        found.differences("Placed Order", min_profiles=0)
    with pytest.raises(ck.ColumnError, match="no column matches 'plan'"):
        found.differences("Placed Order", properties=["plan"])
    listed = journeys(log(a="v0 o1").assign(items=[["tea"], ["mug"]]))
    with pytest.raises(ck.ColumnError, match="properties='items'.* holds lists or objects"):
        listed.differences("Placed Order", properties=["items"])


@given(frames())
def test_equals_the_slow_definition(frame):
    assume("Placed Order" in set(frame["event_name"]))
    slow = reference_journeys.journeys_of(frame, (), ("Placed Order",))
    begins = {profile: (steps[0][1] if steps else end["timestamp"])
              for profile, (steps, end) in slow.items()}  # fmt: skip
    window, data_end = pd.Timedelta(minutes=3), frame["timestamp"].max()
    lasted, others = {}, []
    for profile, (_, end) in slow.items():
        if begins[profile] + window > data_end:
            continue
        if end is not None and end["timestamp"] - begins[profile] <= window:
            lasted[profile] = end["timestamp"] - begins[profile]
        else:
            others.append(profile)
    lengths = sorted(length for length in lasted.values() if length > pd.Timedelta(0))
    others.sort(key=lambda profile: pd.util.hash_array(np.array([profile], dtype=object))[0])
    for place, profile in enumerate(others):
        if lengths:
            lasted[profile] = lengths[place * len(lengths) // len(others)]
    expected = {}
    for profile, length in lasted.items():
        mine = frame[frame["profile_id"] == profile]
        seen = mine[
            (mine["timestamp"] >= begins[profile])
            & (mine["timestamp"] < begins[profile] + length)
            & (mine["event_name"] != "Placed Order")
        ]
        for name in set(seen["event_name"]):
            counts = expected.setdefault(name, [0, 0])
            counts[profile in others] += 1
    found = compare(frame, within="3min")
    assert {
        one.event_name: [one.converters, one.others] for one in found.table.itertuples()
    } == expected
