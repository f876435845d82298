"""The conversion at the window's end, the curve, and the tests over groups, through a funnel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.funnels.test_funnels import START, log

pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
STEPS = ["PageView", "Placed Order"]


def observed(people, window, end):
    """What is known of each who entered: how long they are observed, and whether they converted."""
    rows = []
    for entry, order in people:
        if order is not None and entry <= order <= min(entry + window, end):
            rows.append((order - entry, True))
        else:
            rows.append((min(window, end - entry), False))
    return rows


def by_hand(rows, at):
    """One minus the product over all times of the share that does not convert."""
    left = 1.0
    for time in sorted({time for time, happened in rows if happened and time <= at}):
        risk = sum(t >= time for t, _ in rows)
        left *= 1 - sum(t == time and h for t, h in rows) / risk
    return 1 - left


people = st.lists(
    st.tuples(st.integers(0, 20), st.none() | st.integers(0, 25)), min_size=1, max_size=12
)


@given(people, st.integers(1, 15), st.integers(0, 10))
def test_the_share_at_the_window_is_the_product_over_all_times(people, window, later):
    sketches = {
        f"p{i}": f"v{entry}" + ("" if order is None else f" o{order}")
        for i, (entry, order) in enumerate(people)
    }
    end = max(m for entry, order in people for m in (entry, order or 0)) + later
    f = ck.funnel(log(**sketches, z=f"x{end}"), STEPS, within=f"{window}min")
    rows = observed(people, window, end)
    known = f.table["conversion_at_window"].iloc[-1]
    waiting = [time for time, happened in rows if not happened]
    if any(time == window for time in waiting) or by_hand(rows, window) == 1 or not waiting:
        assert known == pytest.approx(by_hand(rows, window), abs=1e-9)
        low, high = f.table[["at_window_low", "at_window_high"]].iloc[-1]
        assert 0 <= low <= known <= high <= 1
    else:
        assert pd.isna(known) or known == pytest.approx(by_hand(rows, window), abs=1e-9)
    curve = f.curve()
    for row in curve.itertuples():
        minutes = row.time / pd.Timedelta("1min")
        assert row.share == pytest.approx(by_hand(rows, minutes), abs=1e-9)
        assert row.at_risk == sum(time >= minutes for time, _ in rows)
    if not f.counts["in_window"]:
        assert known == pytest.approx(f.table["conversion"].iloc[-1])


def test_lifelines_says_the_same():
    lifelines = pytest.importorskip("lifelines")
    random = np.random.default_rng(5)
    entry = random.integers(0, 14 * 1440, 800)
    order = entry + random.exponential(6 * 1440, 800).astype(int)
    sketches = {
        f"p{i}": f"v{a} o{b}" if b <= 14 * 1440 else f"v{a}"
        for i, (a, b) in enumerate(zip(entry, order, strict=True))
    }
    f = ck.funnel(log(**sketches, z=f"x{14 * 1440}"), STEPS, within="7D")
    rows = observed(
        [(a, b if b <= 14 * 1440 else None) for a, b in zip(entry, order, strict=True)],
        7 * 1440,
        14 * 1440,
    )
    theirs = lifelines.KaplanMeierFitter().fit(*map(np.array, zip(*rows, strict=True)))
    assert f.table["conversion_at_window"].iloc[-1] == pytest.approx(
        1 - theirs.predict(7 * 1440), abs=1e-9
    )
    lower = 1 - theirs.confidence_interval_survival_function_.iloc[-1].to_numpy()
    found = f.table[["at_window_high", "at_window_low"]].iloc[-1].to_numpy(dtype=float)
    assert found == pytest.approx(lower, abs=1e-5)


def test_other_ends_are_curves_of_their_own():
    frame = log(a="v0 x1 o2", b="v0 o3", c="v0", d="x0 v0 o4", z="v0 x99")
    curve = ck.funnel(frame, STEPS, within="10min").curve(ends="Refund")
    last = curve.groupby("end")["share"].last()
    # Of five, two order first and one returns something first; what came with the entry did not.
    assert last.to_dict() == {"Placed Order": pytest.approx(0.4), "Refund": pytest.approx(0.2)}
    assert len(curve.plot().data) > 0
    with pytest.raises(ck.ConvergekitError, match="other events than the step's"):
        ck.funnel(frame, STEPS, within="10min").curve(ends="Placed Order")
    with pytest.raises(ck.UnknownNameError, match="no event is named 'Refunds'"):
        ck.funnel(frame, STEPS, within="10min").curve(ends=["Refunds"])


def test_an_exclusion_that_drops_off_ends_the_way_and_one_that_removes_is_refused():
    frame = log(a="v0 x1 o2", b="v0 o3", z="x99")
    asked = {"within": "10min", "exclude": "Refund"}
    f = ck.funnel(frame, STEPS, on_exclude="drop_off", **asked)
    assert f.table["conversion_at_window"].iloc[-1] == 0.5
    removed = ck.funnel(frame, STEPS, **asked)
    assert pd.isna(removed.table["conversion_at_window"].iloc[-1])
    with pytest.raises(ck.ConvergekitError, match="set 'drop_off'"):
        removed.curve()


def test_curves_of_groups_and_of_everybody():
    frame = log(a="v0 o2", b="v0", c="v0 o5", z="x99")
    frame["properties.page"] = frame["profile_id"].map({"a": "x", "b": "x", "c": "y"})
    f = ck.funnel(frame, STEPS, within="10min", by="page")
    assert f.curve().groupby("properties.page")["share"].last().to_dict() == {"x": 0.5, "y": 1.0}
    assert f.curve(by="page").equals(f.curve())
    assert f.curve(by=()).columns.tolist() == ["time", "share", "low", "high", "at_risk"]
    with pytest.raises(ck.ConvergekitError, match="is not of this funnel's breakdown"):
        f.curve(by="plan")
    with pytest.raises(ck.ConvergekitError, match="step must be 2 or later"):
        f.curve(1)


@pytest.mark.parametrize("options", [{"entry": "any"}, {"count": "attempts"}, {"count": "visits"}])
def test_where_it_is_not_known_the_reason_is_said(options):
    f = ck.funnel(log(a="v0 o2", b="v0"), STEPS, within="10min", **options)
    assert f.table["conversion_at_window"].isna().all()
    with pytest.raises(ck.ConvergekitError, match="the curve is not known"):
        f.curve()


def test_data_that_end_before_every_window_say_so():
    f = ck.funnel(log(a="v0 o2", b="v0", z="x5"), STEPS, within="10min")
    assert pd.isna(f.table["conversion_at_window"].iloc[-1])
    assert "the data end before the window" in f.notes[0]
    assert f.notes[0] in str(f)


def groups(rates, size, *, end="x99999", step="o"):
    """So many people a group, of whom so many convert at once."""
    sketches, page = {}, {}
    for name, converted in rates.items():
        for i in range(size):
            who = f"{name}{i}"
            sketches[who] = f"v{i} {step}{i}" if i < converted else f"v{i}"
            page[who] = name
    frame = log(**sketches, z=end)
    frame["properties.page"] = frame["profile_id"].map(page)
    return frame


def test_one_test_over_all_groups_and_one_for_each_pair():
    f = ck.funnel(groups({"a": 10, "b": 12, "c": 40}, 60), STEPS, within="1h", by="page")
    found = f.test()
    assert (found.method, found.degrees, found.left_out) == ("chi-squared", 2, 0)
    assert found.p_value < 1e-6
    assert found.pairs[["group", "other"]].to_numpy().tolist() == [
        ["a", "b"], ["a", "c"], ["b", "c"],
    ]  # fmt: skip
    assert (found.pairs["adjusted"] >= found.pairs["p_value"]).all()
    assert "Chance does not explain these differences" in str(found)
    assert repr(found) == f"FunnelTest(Placed Order by page: p = {found.p_value:.3g}; chi-squared)"


def test_small_groups_are_tested_exactly():
    f = ck.funnel(groups({"a": 0, "b": 3}, 4), STEPS, within="1h", by="page")
    # By hand: of the tables with these margins, those as unlikely have 2 * 4 / 56 of all ways.
    assert f.test().method == "Fisher's exact test"
    assert f.test().p_value == pytest.approx(8 / 56, abs=1e-6)


def test_open_windows_are_tested_by_log_rank_and_visits_by_profile():
    frame = groups({"a": 5, "b": 25}, 40, end="x45")
    assert ck.funnel(frame, STEPS, within="30min", by="page").test().method == "log-rank"
    visits = ck.funnel(frame, STEPS, count="visits", by="page").test()
    assert visits.method == "score test, clustered"
    assert visits.left_out == 80
    any_entry = ck.funnel(frame, STEPS, within="30min", by="page", entry="any")
    with pytest.raises(ck.ConvergekitError, match="open windows cannot be told from drop-offs"):
        any_entry.test()
    with pytest.raises(ck.ConvergekitError, match="a test needs groups"):
        ck.funnel(frame, STEPS, within="30min").test()


def test_nobody_is_an_answer_and_not_an_error():
    frame = groups({"a": 0}, 3).assign(event_name="Refund")
    f = ck.funnel(frame, STEPS, within="1h", by="page")
    assert np.isnan(f.test().p_value)
    assert "Nothing can be said" in str(f.test())
    assert len(f.curve()) == 0
    assert len(f.trend("D")) == 0
    assert f.time_to_convert().groups.empty
    for drawn in (f.curve(), f.trend("D"), f.time_to_convert(), f):
        drawn.plot()


def test_times_of_groups():
    frame = log(a="v0 o2", b="v0 o4", c="v0 o9", d="v0")
    frame["properties.page"] = frame["profile_id"].map({"a": "x", "b": "x", "c": "y", "d": "y"})
    times = ck.funnel(frame, STEPS, within="10min", by="page").time_to_convert()
    assert times.groups["properties.page"].tolist() == ["x", "y"]
    assert times.groups["median"].tolist() == [pd.Timedelta("3min"), pd.Timedelta("9min")]
    assert "3 min" in str(times)


def test_comparisons_are_of_the_same_groups_and_say_what_differs():
    frame = log(a="v0 o2", b="v0", c="v0 o9")
    frame["properties.page"] = frame["profile_id"].map({"a": "x", "b": "x", "c": "y"})
    asked = {"within": "10min", "by": "page"}
    f, other = ck.funnel(frame, STEPS, **asked), ck.funnel(frame, STEPS, within="5min", by="page")
    compared = f.compare(other)
    assert compared["properties.page"].tolist() == ["x", "x", "y", "y"]
    assert compared["difference"].tolist() == [0, 0, 0, -1]
    assert compared.attrs["notes"] == ["The windows differ: 10 min here, 5 min there."]
    with pytest.raises(ck.ConvergekitError, match="same breakdown, or without one"):
        f.compare(ck.funnel(frame, STEPS, within="10min"))


def test_dates_are_days_of_the_calendar():
    frame = log(a="v0", b="v1439", c="v1440")
    day = START.date()
    assert ck.funnel(frame, STEPS[:1], within="1h", end=day).counts["entered"] == 2
    assert ck.funnel(frame, STEPS[:1], within="1h", end=str(day)).counts["entered"] == 2
    moment = pd.Timestamp(day)
    with pytest.raises(ck.ConvergekitError, match="end must be after start"):
        ck.funnel(frame, STEPS[:1], within="1h", start=day, end=moment)
    asked = {"within": "1h", "start": day, "end": day, "calendar": "Asia/Kolkata"}
    # The day in India began and ended five hours and a half before.
    assert ck.funnel(frame, STEPS[:1], **asked).counts["entered"] == 1
    trend = ck.funnel(frame, STEPS[:1], within="1h", calendar="Asia/Kolkata").trend("D")
    assert trend["entered"].tolist() == [1, 2]
