"""`watch`: days as they were known, alarms that are rare and in time, and bad input answered."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.watching.forecast import SpanForecast, surprise
from convergekit.watching.numbers import late_by_day
from tests.effort import scaled, tries
from tests.watching.reference_numbers import number_of_day, over_midnight
from tests.watching.series import NUMBERS
from tests.watching.watched import alarmed_weeks, found_drops

pytest.importorskip("statsmodels")

ALL = [
    {"kind": "events", "event": "Placed Order"},
    {"kind": "revenue", "event": "Placed Order", "value": "total_price"},
    {"kind": "conversion", "steps": ["PageView", "Placed Order"]},
    {"kind": "visits"},
    {"kind": "new profiles"},
    {"kind": "linked", "event": "Placed Order"},
]
ORDERS = {"number": [{"kind": "events", "event": "Placed Order", "name": "Orders"}]}
FIRST = pd.Timestamp("2026-03-02")


def events_of(counts, name="Placed Order") -> pd.DataFrame:
    """Return so many events on each day from 1 March on, spread over the day."""
    begin = FIRST.tz_localize("UTC") - pd.Timedelta("1D")
    times = [
        begin + pd.Timedelta(day, "D") + pd.Timedelta(86_399 * (number + 1) / count, "s")
        for day, count in enumerate(counts)
        for number in range(count)
    ]
    cookies = [f"c{number}" for number in range(len(times))]
    return pd.DataFrame({"event_name": name, "timestamp": times, "alias.cookie": cookies})


def daily(days: int, mean: float = 100, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([2042, seed]).poisson(mean, days)


@pytest.fixture(scope="module")
def shop():
    return ck.simulate_store(people=500, seed=6, days=60).events


@pytest.mark.parametrize("number", ALL, ids=lambda number: number["kind"])
def test_a_day_is_counted_as_it_was_known_when_it_was_read(shop, number):
    series = ck.watch(ck.stitch(shop), {"number": [number]}).series
    assert len(series) == 42
    few = 1 if number["kind"] == "new profiles" else 4
    for line in series.iloc[5 :: 42 // max(scaled(few), 1)].itertuples():
        expected = number_of_day(shop, number, line.day)
        if number["kind"] == "visits":
            # One that goes on after midnight, linked to another profile by then, counts again.
            assert expected <= line.value <= expected + over_midnight(shop, line.day)
        else:
            assert line.value == pytest.approx(expected, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("day", ["2026-04-20", "2026-04-25"])
def test_what_comes_later_changes_nothing(shop, day):
    over = pd.Timestamp(day, tz="UTC") + pd.Timedelta("1D")
    known = (shop["received_at"] < over) & (shop["timestamp"] < over)
    early = ck.watch(ck.stitch(shop[known]), {"number": ALL}, until=day)
    late = ck.watch(ck.stitch(shop), {"number": ALL}, until=day)
    pd.testing.assert_frame_equal(early.table, late.table)
    pd.testing.assert_frame_equal(early.series, late.series)


def test_nothing_depends_on_the_order_of_rows(shop):
    found = ck.watch(ck.stitch(shop), {"number": ALL})
    again = ck.watch(ck.stitch(shop.iloc[::-1]), {"number": ALL})
    pd.testing.assert_frame_equal(found.table, again.table)
    pd.testing.assert_frame_equal(found.series, again.series)


@pytest.mark.slow
@pytest.mark.parametrize("construction", ["poisson", "shocks", "wandering"])
def test_alarms_without_a_cause_are_rare(construction):
    weeks = scaled(20)
    alarms = sum(alarmed_weeks(construction, weeks, 3001))
    # More happen by chance once in a hundred times, if a week has an alarm in 5 % of weeks.
    assert alarms <= np.ceil(0.05 * weeks + 2.4 * np.sqrt(0.05 * 0.95 * weeks))


@pytest.mark.slow
@pytest.mark.parametrize("construction", ["poisson", "shocks", "wandering"])
def test_drops_are_found_within_three_days(construction):
    found = [
        together
        for drop in NUMBERS
        for _, together in found_drops(construction, drop, max(scaled(4), 3), 3001)
    ]
    assert np.mean(found) >= 0.8
    assert all(own for own, _ in found_drops(construction, "orders", 3, 3001, size=0.5))


def test_a_drop_is_an_alarm_and_says_so():
    counts = [*daily(98), 50]
    found = ck.watch(ck.stitch(events_of(counts)), ORDERS)
    (row,) = found.table.to_dict("records")
    assert (row["verdict"], row["days"], row["observed"]) == ("alarm", 1, 50)
    assert row["day"] == FIRST + pd.Timedelta(97, "D")
    assert row["p_value"] < 0.05
    assert row["low"] > 50
    assert found.alarms.index.tolist() == [0]
    assert found.finding.startswith("1 alarm: Orders 50 on 2026-06-07, expected ")
    assert repr(found) == "Watch(1 number; 1 alarm)"
    assert found.series["state"].iloc[-1] == "alarm"
    assert ck.watch(ck.stitch(events_of(counts[:-1])), ORDERS).alarms.empty


def test_a_rise_is_an_alarm_too():
    found = ck.watch(ck.stitch(events_of([*daily(98), 170])), ORDERS)
    assert found.table["verdict"].tolist() == ["alarm"]
    assert found.table["high"].iloc[0] < 170


def test_days_compares_the_latest_each_as_if_it_were_the_last():
    s = ck.stitch(events_of([*daily(98), 50, 100]))
    found = ck.watch(s, ORDERS, days=3)
    alone = [ck.watch(s, ORDERS, until=f"{day:%Y-%m-%d}").table for day in found.table["day"]]
    pd.testing.assert_frame_equal(found.table, pd.concat(alone, ignore_index=True))
    assert found.table["verdict"].iloc[1] == "alarm"


def test_the_weekday_and_the_trend_are_expected():
    days = np.arange(105)
    mean = 200 * np.where((days % 7) < 2, 0.5, 1.0) * np.exp(0.01 * days)
    found = ck.watch(ck.stitch(events_of(np.rint(mean).astype(int))), ORDERS)
    series = found.series
    assert found.alarms.empty
    assert series["expected"].to_numpy() == pytest.approx(series["value"].to_numpy(), rel=0.01)


def test_an_odd_day_of_the_past_is_left_out_of_it():
    counts = daily(98)
    odd = counts.copy()
    odd[80] = 400
    found = ck.watch(ck.stitch(events_of(odd)), ORDERS)
    states = found.series.set_index("day")["state"]
    assert states[FIRST + pd.Timedelta(79, "D")] == "odd"
    usual = ck.watch(ck.stitch(events_of(counts)), ORDERS)
    wide = (found.table["high"] - found.table["low"]) / (usual.table["high"] - usual.table["low"])
    assert wide.iloc[0] == pytest.approx(1, abs=0.1)


def test_days_that_are_left_out_are_neither_compared_nor_past():
    counts = daily(98)
    counts[90:92] = 10
    s = ck.stitch(events_of(counts))
    left_out = ORDERS | {"leave_out": ["2026-05-30..2026-05-31"]}
    on_it = ck.watch(s, left_out, until="2026-05-31").table.iloc[0]
    assert (on_it["verdict"], on_it["reason"]) == ("not compared", "the day is left out")
    after = ck.watch(s, left_out, until="2026-06-01")
    assert after.table["days"].tolist() == [1]
    assert after.series["state"].tolist()[-3:-1] == ["left out", "left out"]
    assert ck.watch(s, ORDERS, until="2026-05-31").table["verdict"].tolist() == ["alarm"]


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (daily(30), "its past has 26 days; it needs 35"),
        (daily(98, mean=2), "less than 20 are expected in 3 days"),
    ],
)
def test_too_little_data_is_said(counts, reason):
    found = ck.watch(ck.stitch(events_of(counts)), ORDERS)
    assert found.table["reason"].tolist() == [reason]
    assert found.finding == "No number could be compared with its past."
    assert found.table["verdict"].tolist() == ["not compared"]
    assert found.plot().finding == found.finding


def test_a_weekday_without_anything_is_not_compared():
    counts = daily(101)
    # 1 March 2026 is a Sunday.
    counts[::7] = 0
    counts[98] = 60
    found = ck.watch(ck.stitch(events_of(counts)), ORDERS, until="2026-06-07")
    assert found.table["reason"].tolist() == ["on Sundays nothing has ever come"]


def test_open_windows_are_not_compared():
    events = pd.concat([events_of(daily(98), "PageView"), events_of(daily(98, 30))])
    s = ck.stitch(events.reset_index(drop=True))
    steps = {"kind": "conversion", "steps": ["PageView", "Placed Order"]}
    for within, back in (("12h", 1), ("1D", 1), ("30h", 2), ("7D", 7)):
        found = ck.watch(s, {"number": [steps | {"within": within}]})
        assert found.table["day"].iloc[0] == FIRST + pd.Timedelta(96 - back, "D")


def test_a_day_that_is_not_over_is_not_compared():
    whole = events_of(daily(98))
    last = FIRST.tz_localize("UTC") + pd.Timedelta(96, "D")
    noon = whole[whole["timestamp"] < last + pd.Timedelta("12h")]
    assert ck.watch(ck.stitch(whole), ORDERS).table["day"].iloc[0] == last.tz_localize(None)
    found = ck.watch(ck.stitch(noon), ORDERS)
    assert found.table["day"].iloc[0] == last.tz_localize(None) - pd.Timedelta("1D")


def test_silence_is_an_alarm_where_the_day_is_given():
    s = ck.stitch(events_of(daily(98)))
    found = ck.watch(s, ORDERS, until="2026-06-08")
    assert found.table[["verdict", "observed"]].to_numpy().tolist() == [["alarm", 0]]
    assert any(note.startswith("There are not any events after 2026-06-06") for note in found.notes)


def test_events_that_come_late_are_waited_for():
    events = events_of(daily(98))
    events["received_at"] = events["timestamp"] + pd.Timedelta("20h")
    s = ck.stitch(events)
    found = ck.watch(s, ORDERS)
    assert "come later than `wait`" in found.table["reason"].iloc[0]
    waited = ck.watch(s, ORDERS | {"wait": "1D"})
    assert waited.table["verdict"].tolist() == ["as expected"]
    whole = ck.watch(ck.stitch(events.drop(columns="received_at")), ORDERS)
    shared = whole.series.merge(waited.series, on="day", suffixes=("", "_waited"))
    assert (shared["value"] == shared["value_waited"]).all()


def test_what_is_filled_in_later_does_not_change_what_was_said():
    """More than half of all events come after the day was read: by then it was an alarm."""
    counts = daily(97)
    counts[-1] = 20
    events = events_of([*counts, 100])
    before = ck.watch(ck.stitch(events), ORDERS, until="2026-06-05")
    assert before.table["verdict"].tolist() == ["alarm"]
    more = events_of(counts * 2).assign(received_at=events["timestamp"].max())
    more["alias.cookie"] = "late-" + more["alias.cookie"]
    later = pd.concat([events, more], ignore_index=True)
    after = ck.watch(ck.stitch(later), ORDERS, until="2026-06-05")
    pd.testing.assert_frame_equal(after.table, before.table)
    # Of the days that are read after it came, more than half did not count.
    now = ck.watch(ck.stitch(pd.concat([later, events_of([0] * 98 + [90])])), ORDERS)
    assert "come later than `wait`" in now.table["reason"].iloc[0]


@tries(40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 80)), max_size=30))
def test_the_late_share_of_a_day_is_of_what_was_known_then(events):
    deadlines = np.array([12, 22, 32, 42, 52, 62])
    day, known_at = (np.array([one[k] for one in events], dtype=np.int64) for k in (0, 1))
    for at, counts in enumerate(zip(*late_by_day(day, known_at, deadlines), strict=True)):
        known = [(d, k) for d, k in events if d <= at and k < deadlines[at]]
        late = [one for one in known if one[1] >= deadlines[one[0]]]
        assert counts == (len(known), len(late))


def test_a_share_of_all_is_expected_to_be_all():
    """Less by half a person in the whole past of a weekday, not on each day of it."""
    events = events_of([30] * 98)
    found = ck.watch(ck.stitch(events), {"number": [{"kind": "linked", "event": "Placed Order"}]})
    past = 30 * 13
    assert 1 - found.table["expected"].iloc[0] == pytest.approx(0.5 / (past + 1), rel=0.2)
    assert found.table["verdict"].tolist() == ["as expected"]


def test_why_is_asked_of_the_same_weekdays_before(monkeypatch):
    events = ck.simulate_store(people=5000, seed=3, days=60, noise=0.3).events
    gone = (events["event_name"] == "Placed Order") & (events["timestamp"] >= "2026-04-29")
    kept = ~gone | (np.random.default_rng(1).random(len(events)) < 0.3)
    s = ck.stitch(events[kept])
    found = ck.watch(s, {"number": ALL})
    row = found.alarms.index[0]
    assert found.table.loc[row, "number"] == "Placed Order"
    days = int(found.table.loc[row, "days"])
    last = found.table.loc[row, "day"]
    first = last - pd.Timedelta(days - 1, "D")
    why = found.why(row)
    week = pd.Timedelta("7D")
    assert why.sides == [
        f"{first - week:%Y-%m-%d} to {last - week:%Y-%m-%d}", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    ]  # fmt: skip
    assert why.after == found.table.loc[row, "observed"]
    assert why.table["beyond_chance"].iloc[0]
    said = found.to_markdown()
    assert "Why: Placed Order" in said
    assert "First cause: " in said
    monkeypatch.setattr(type(s), "why", None)
    assert found.why(row) is why
    figure = found.plot(width=300)
    assert figure.finding == found.finding
    assert set(figure.twin["number"]) == set(found.table["number"])
    with pytest.raises(ck.ConvergekitError, match="is not an alarm; alarms: 0"):
        found.why(len(found.table))


def test_a_why_that_cannot_be_asked_is_said():
    events = pd.concat([events_of([*daily(98), 20], name="Paid"), events_of([1], name="Opened")])
    s = ck.stitch(events.reset_index(drop=True))
    steps = {"kind": "conversion", "steps": ["Opened", "Paid"]}
    found = ck.watch(s, {"number": [{"kind": "events", "event": "Paid"}, steps]})
    assert "It cannot be said: " in found.to_markdown() or "Why: Paid" in found.to_markdown()


@tries(60)
@given(
    st.floats(20, 1e5), st.floats(0.5, 4), st.integers(20, 90), st.floats(1e-5, 0.05),
    st.sampled_from([0.0, 0.05, 0.4, 0.6, 0.97]),
)  # fmt: skip
def test_at_the_bounds_it_is_as_surprising_as_the_level(expected, excess, freedom, level, share):
    from scipy import stats

    size = expected / share if share else 1.0
    spread = np.sqrt(excess * expected * (1 - share))
    span = SpanForecast(1, expected / size, expected / size, 1.0, size, spread, freedom)
    low, high = span.bounds(level)
    assert low < expected / size < high
    for end in (low, high):
        if 0 < end < (1 if share else np.inf):
            score = surprise(end * size, expected, spread, size)
            assert 2 * stats.t.sf(abs(score), freedom) == pytest.approx(level, rel=0.05)


def test_a_count_is_as_surprising_as_poisson_has_it():
    from scipy import stats

    for mean in (50, 286, 2000):
        for far in (-3.5, -2.5, 2.5, 3.5):
            count = round(mean + far * np.sqrt(mean))
            score = surprise(count, mean, np.sqrt(mean), 1.0)
            tail = stats.poisson.cdf(count, mean) if far < 0 else stats.poisson.sf(count - 1, mean)
            assert 0.5 < stats.norm.sf(abs(score)) / tail < 1.5


def test_a_store_is_watched_as_its_stitching(tmp_path):
    pytest.importorskip("duckdb")
    events = events_of([*daily(98), 40])
    store = ck.open_store(tmp_path / "store")
    store.add(events.iloc[:5000])
    store.add(events.iloc[5000:])
    found = ck.watch(store, ORDERS)
    pd.testing.assert_frame_equal(found.table, ck.watch(ck.stitch(events), ORDERS).table)


FILE = """
wait = "2h"
leave_out = [2026-04-06, "2026-12-24..2026-12-26"]

[[number]]
kind = "events"
event = ["Placed Order", "Paid"]

[[number]]
name = "Money"
kind = "revenue"
event = "Placed Order"
value = "total_price"
"""


def test_a_file_is_read_as_what_it_holds(tmp_path):
    path = tmp_path / "numbers.toml"
    path.write_text(FILE)
    events = events_of(daily(98)).assign(**{"properties.total_price": 10.0})
    events.loc[::2, "event_name"] = "Paid"
    s = ck.stitch(events)
    held = {
        "wait": "2h",
        "leave_out": ["2026-04-06", "2026-12-24..2026-12-26"],
        "number": [
            {"kind": "events", "event": ["Placed Order", "Paid"]},
            {"name": "Money", "kind": "revenue", "event": "Placed Order", "value": "total_price"},
        ],
    }
    found = ck.watch(s, path)
    assert found.table["number"].tolist() == ["Placed Order or Paid", "Money"]
    pd.testing.assert_frame_equal(found.table, ck.watch(s, held).table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must name at least one number"),
        ("number = 3", "must name at least one number"),
        ("[[number]\n", "is not TOML"),
        ("[[number]]\nkind = 'event'", "kind must be one of 'events', .* Did you mean 'events'"),
        ("[[number]]\nkind = 'events'", r"number 1 \(events\) needs `event`"),
        ("[[number]]\nkind = 'revenue'\nevent = 'Paid'", "needs `value`"),
        ("[[number]]\nkind = 'visits'\nevent = 'Paid'", "'event' is not known; it may be kind"),
        ("[[number]]\nkind = 'events'\nevent = 3", "event must be a text; got 3"),
        ("[[number]]\nkind = 'events'\nevent = 'a'\nname = ''", "name must be a text"),
        ("[[number]]\nkind = 'conversion'\nsteps = ['a']", "two or more names"),
        ("[[number]]\nkind = 'conversion'\nsteps = ['a', 'a']", "one of the steps only"),
        ("[[number]]\nkind = 'conversion'\nsteps = ['a', 'b']\nwithin = '-1D'", "within must be"),
        ("[[number]]\nkind = 'visits'\n[[number]]\nkind = 'visits'", "two numbers called 'Visits'"),
        ("waits = '1D'\n[[number]]\nkind = 'visits'", "Did you mean 'wait'"),
        ("wait = 3\n[[number]]\nkind = 'visits'", "wait must be a positive duration"),
        ("leave_out = 'x'\n[[number]]\nkind = 'visits'", "must be a list of days"),
        ("leave_out = ['04/06/2026']\n[[number]]\nkind = 'visits'", "leave_out holds days"),
        ("leave_out = [3]\n[[number]]\nkind = 'visits'", "leave_out holds days"),
        ("leave_out = ['2026-02-02..2026-02-01']\n[[number]]\nkind='visits'", "before it begins"),
        ("[[number]]\nkind='revenue'\nevent='a'\nvalue='b'\nrates=1", "what one of each currency"),
    ],
)
def test_a_file_that_is_wrong_is_answered(tmp_path, text, said):
    path = tmp_path / "numbers.toml"
    path.write_text(text)
    with pytest.raises(ck.ConvergekitError, match=said) as raised:
        ck.watch(ck.stitch(events_of([1, 1, 1])), path)
    assert "numbers.toml" in str(raised.value)


def test_other_bad_input_is_answered(tmp_path, shop):
    s = ck.stitch(events_of(daily(10)))
    with pytest.raises(ck.ConvergekitError, match="cannot be read: No such file"):
        ck.watch(s, tmp_path / "missing.toml")
    with pytest.raises(ck.UnknownNameError, match="no event is named 'Paid'"):
        ck.watch(s, {"number": [{"kind": "events", "event": "Paid"}]})
    for days in (0, True, 1.5):
        with pytest.raises(ck.ConvergekitError, match="days must be a number of days from 1"):
            ck.watch(s, ORDERS, days=days)
    with pytest.raises(ck.ConvergekitError, match="until must be a date"):
        ck.watch(s, ORDERS, until="soon")
    with pytest.raises(ck.ConvergekitError, match="not one whole day up to"):
        ck.watch(s, ORDERS, until="2026-02-01")
    with pytest.raises(ck.ConvergekitError, match="does not have events to watch"):
        ck.watch(ck.stitch(events_of([1]).iloc[:0]), ORDERS)
    with pytest.raises(ck.ConvergekitError, match="needs a store or a stitching"):
        ck.watch("shop", ORDERS)
    whole = ck.stitch(shop)
    long = {"kind": "conversion", "steps": ["PageView", "Placed Order"], "within": "90D"}
    with pytest.raises(ck.ConvergekitError, match="its windows are open"):
        ck.watch(whole, {"number": [long]})


def test_without_statsmodels_the_extra_is_named(monkeypatch):
    s = ck.stitch(events_of(daily(40)))
    monkeypatch.setitem(sys.modules, "statsmodels.genmod", None)
    monkeypatch.setitem(sys.modules, "statsmodels.genmod.generalized_linear_model", None)
    with pytest.raises(ck.ConvergekitError, match=r"pip install 'convergekit\[watch\]'"):
        ck.watch(s, ORDERS)


def test_names_are_shown_as_they_are():
    events = events_of([*daily(98), 40], name="Paid | <b> `x`")
    found = ck.watch(ck.stitch(events), {"number": [{"kind": "events", "event": "Paid | <b> `x`"}]})
    assert r"Paid \| &lt;b&gt; \`x\`" in found.to_markdown()
    assert "<b>" not in found._repr_html_()


@pytest.mark.parametrize("number", ALL[:2])
def test_what_is_the_same_every_day_is_watched_too(number):
    """An hourly signal, say: that it stops is an alarm, that it goes on is none."""
    steady = events_of([24] * 71).assign(**{"properties.total_price": 5.0})
    found = ck.watch(ck.stitch(steady), {"number": [number]})
    assert found.table["verdict"].tolist() == ["as expected"]
    stopped = events_of([24] * 70 + [2]).assign(**{"properties.total_price": 5.0})
    found = ck.watch(ck.stitch(stopped), {"number": [number]})
    assert found.table["verdict"].tolist() == ["alarm"]


def several(counts: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the events of several names, so many on each day."""
    begin = FIRST.tz_localize("UTC") - pd.Timedelta("1D")
    frames = []
    for name, days in counts.items():
        on = np.repeat(np.arange(len(days)), days)
        # The last of each day is at its end.
        place = np.arange(1, len(on) + 1) - np.repeat(np.cumsum(days) - days, days)
        seconds = 86_400 * on + 86_399 * place // days[on]
        times = begin + pd.to_timedelta(seconds, unit="s")
        frames.append(pd.DataFrame({"event_name": name, "timestamp": times}))
    found = pd.concat(frames, ignore_index=True)
    return found.assign(**{"alias.cookie": "c" + found.index.astype(str)})


def moved(days: int = 98) -> dict[str, np.ndarray]:
    """Return three counts that move together by a fifth from day to day."""
    rng = np.random.default_rng([2042, 7])
    level = np.exp(rng.normal(0, 0.2, days))
    return {name: rng.poisson(mean * level) for name, mean in (("A", 200), ("B", 300), ("C", 400))}


def of_names(*names: str) -> dict:
    return {"number": [{"kind": "events", "event": name} for name in names]}


def test_what_the_others_did_is_expected_and_said():
    counts = moved()
    # By its past alone that is not beyond chance, but the others are as ever.
    counts["A"][-1] = 120
    for name, mean in (("B", 300), ("C", 400)):
        counts[name][-1] = mean
    s = ck.stitch(several(counts))
    alone = ck.watch(s, of_names("A"))
    assert alone.alarms.empty
    assert alone.table["expected_by"].tolist() == ["its past"]
    found = ck.watch(s, of_names("A", "B", "C"))
    assert found.alarms["number"].tolist() == ["A"]
    assert found.alarms["expected_by"].tolist() == ["its past and the other numbers"]
    assert " by how the other numbers moved (-4" in found.finding


def test_a_number_is_not_an_alarm_because_another_dropped():
    counts = moved()
    # As the others have it, C should have dropped, too; by its past it is well as it is.
    counts["A"][-1], counts["B"][-1], counts["C"][-1] = 100, 150, 480
    found = ck.watch(ck.stitch(several(counts)), of_names("A", "B", "C"))
    assert "C" not in found.alarms["number"].tolist()
    assert found.table["expected_by"].iloc[2] == "its past"


def test_what_drops_with_all_others_is_an_alarm():
    counts = moved()
    for days, mean in zip(counts.values(), (200, 300, 400), strict=True):
        days[-1] = mean // 5
    found = ck.watch(ck.stitch(several(counts)), of_names("A", "B", "C"))
    assert found.alarms["number"].tolist() == ["A", "B", "C"]


def test_others_that_come_too_late_explain_nothing():
    events = several(moved())
    events["received_at"] = events["timestamp"]
    late = events["event_name"] != "A"
    events.loc[late, "received_at"] += pd.Timedelta("30h")
    s = ck.stitch(events)
    found = ck.watch(s, of_names("A", "B", "C"), until="2026-06-05")
    alone = ck.watch(s, of_names("A"), until="2026-06-05")
    assert found.table["verdict"].tolist() == ["as expected", "not compared", "not compared"]
    assert found.table["expected"].iloc[0] == alone.table["expected"].iloc[0]
