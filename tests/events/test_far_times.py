"""A wrong clock does not end the observation; a pause is not taken for one."""

from __future__ import annotations

import datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.errors import ConvergekitError
from convergekit.events.observed import observed, observed_in
from tests.effort import tries

STEPS = ["Placed Order", "Placed Order"]


def _orders() -> pd.DataFrame:
    """Return 20 orders in March, 5 of them again a week later."""
    days = pd.date_range("2026-03-01T10:00Z", periods=20, freq="D")
    first = pd.DataFrame({"timestamp": days, "alias.cookie": [f"c{i}" for i in range(20)]})
    again = first.head(5).assign(timestamp=first["timestamp"] + pd.Timedelta(7, "D"))
    events = pd.concat([first, again], ignore_index=True)
    return events.assign(
        event_id=[f"e{i}" for i in range(25)],
        event_name="Placed Order",
        **{"properties.total_price": 10.0},
    )


def _with(
    events: pd.DataFrame, times: list[Any], name: str = "PageView", **more: Any
) -> pd.DataFrame:
    odd = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(pd.Series(times, dtype="str"), utc=True, format="ISO8601"),
            "event_id": [f"odd{place}" for place in range(len(times))],
            "event_name": name,
            "alias.cookie": [f"odd{place}" for place in range(len(times))],
            **more,
        }
    )
    events = events.assign(timestamp=events["timestamp"].astype("datetime64[us, UTC]"))
    odd["timestamp"] = odd["timestamp"].astype("datetime64[us, UTC]")
    return pd.concat([events, odd], ignore_index=True)


def _answers(s: ck.Stitched) -> dict[str, Any]:
    customers = s.customers()
    funnel = s.funnel(STEPS, within="10D", freq="W")
    return {
        "repeat": customers.repeat_purchases(),
        "months": customers.new_and_returning(),
        "cohorts": customers.retention(),
        "worth": customers.lifetime_value().drop(columns="profile_id"),
        "customers end": customers.data_end,
        "retention": s.retention("Placed Order", "Placed Order").table,
        "funnel": funnel.table,
        "open": funnel.conversions["status"].value_counts().sort_index(),
        "drop-offs": len(funnel.drop_offs()),
        "trend": funnel.trend(),
        "counts": s.counts("Placed Order"),
        "page views": s.counts("Placed Order", freq="W", measure="profiles"),
        "new": s.counts("Placed Order", measure="new_profiles"),
        "end": s.tables.data_end,
    }


def _same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for name, answer in one.items():
        if isinstance(answer, pd.DataFrame | pd.Series):
            assert answer.equals(other[name]), name
        else:
            assert answer == other[name], name


FAR = [
    ["2031-01-01"],
    ["2031-01-01", "2035-06-01", "9999-12-31"],
    ["9999-12-31"],
    ["2027-03-05T09:00"],
    ["1970-01-01"],
    ["1970-01-01T00:00:01", "2038-01-19T03:14:07"],
    ["0001-01-01", "1601-01-01", "2099-01-01"],
]


@pytest.mark.parametrize("times", FAR)
@pytest.mark.parametrize("name", ["PageView", "Placed Order"])
def test_a_wrong_clock_changes_no_answer(times: list[str], name: str) -> None:
    clean = ck.stitch(_orders())
    odd = ck.stitch(_with(_orders(), times, name))
    assert len(odd.events) == len(clean.events) + len(times)
    _same(_answers(clean), _answers(odd))
    warning = next(text for text in odd.report.warnings if "far from" in text)
    for place, time in enumerate(times):
        assert f"row {25 + place}: {time[:10]}" in warning
    found = ck.check_up(_with(_orders(), times, name))
    faults = found.findings[found.findings["check"] == "far-time"]
    assert faults["rows"].iloc[0] == [25 + place for place in range(len(times))]


@pytest.mark.parametrize("times", FAR)
def test_the_order_of_rows_does_not_matter(times: list[str]) -> None:
    events = _with(_orders(), times)
    expected = ck.stitch(events).tables.data_end
    for seed in range(5):
        assert ck.stitch(events.sample(frac=1, random_state=seed)).tables.data_end == expected


def test_plain_frames_are_guarded_too() -> None:
    events = _with(_orders(), ["2031-01-01"]).rename(columns={"alias.cookie": "profile_id"})
    found = ck.funnel(events, STEPS, within="10D")
    clean = ck.funnel(events.head(25), STEPS, within="10D")
    assert found.data_end == clean.data_end == events["timestamp"].head(25).max()
    assert found.table.equals(clean.table)


def test_segments_are_guarded_too() -> None:
    clean, odd = ck.stitch(_orders()), ck.stitch(_with(_orders(), ["2031-01-01"], "Placed Order"))
    chosen = {"events": "event_name == 'Placed Order'"}
    assert odd.where(**chosen).tables.data_end == clean.tables.data_end
    chosen = {"profiles": ck.Did("Placed Order")}
    assert odd.where(**chosen).tables.data_end == clean.tables.data_end
    _same(_answers(clean.where(**chosen)), _answers(odd.where(**chosen)))


def test_an_event_after_its_receipt_is_far() -> None:
    # Twelve days ahead: nothing but the time of receipt tells.
    events = _orders().assign(received_at=lambda frame: frame["timestamp"] + pd.Timedelta(1, "h"))
    received = pd.Timestamp("2026-03-10T10:00Z")
    odd = _with(events, ["2026-04-01T10:00"], received_at=received)
    _same(_answers(ck.stitch(events)), _answers(ck.stitch(odd)))
    # A clock that is some hours ahead is one of another time zone.
    slow = _with(events, ["2026-03-21T00:00"], received_at=pd.Timestamp("2026-03-20T12:00Z"))
    assert ck.stitch(slow).tables.data_end == pd.Timestamp("2026-03-21T00:00Z")
    # What most events contradict is not the time of receipt.
    wrong = events.assign(received_at=pd.Timestamp("2026-01-01T00:00Z"))
    assert ck.stitch(wrong).tables.data_end == events["timestamp"].max()


@pytest.mark.parametrize("odd", ["1970-01-01", "1601-01-01", "0001-01-01"])
def test_a_receipt_that_was_never_set_says_nothing_of_an_event(odd: str) -> None:
    events = _orders().assign(received_at=lambda frame: frame["timestamp"] + pd.Timedelta(1, "h"))
    received = events["received_at"].astype("datetime64[us, UTC]")
    last = events["timestamp"] == events["timestamp"].max()
    s = ck.stitch(events.assign(received_at=received.mask(last, pd.Timestamp(odd, tz="UTC"))))
    _same(_answers(ck.stitch(events)), _answers(s))
    assert s.report.warnings == []


def _stores() -> dict[str, list[pd.Timestamp]]:
    """Return times of ordinary stores."""
    random = np.random.default_rng(7)

    def busy(begin: str, days: int, count: int) -> list[pd.Timestamp]:
        seconds = np.sort(random.uniform(0, days * 86_400, count))
        return [pd.Timestamp(begin, tz="UTC") + pd.Timedelta(second, "s") for second in seconds]

    return {
        "a Christmas break": busy("2025-11-01", 50, 400) + busy("2026-01-10", 2, 3),
        "a pause of five months": busy("2025-01-01", 60, 400) + busy("2025-08-01", 1, 2),
        "few events years ago": busy("2015-01-01", 700, 5) + busy("2025-01-01", 300, 500),
        "an order a year": [pd.Timestamp(f"{year}-06-01", tz="UTC") for year in range(2001, 2027)],
        "five events": busy("2026-01-01", 3, 4) + busy("2031-01-01", 1, 1),
        "one event": busy("2026-01-01", 1, 1),
        "a season each year": busy("2023-12-01", 25, 90)
        + busy("2024-12-01", 25, 90)
        + busy("2025-12-01", 1, 2),
        "twelve events, the last years later": busy("2020-01-01", 9, 11) + busy("2026-01-01", 1, 1),
        "a shop that came back": busy("2019-01-01", 90, 300) + busy("2026-01-01", 20, 60),
        "events before the Web": busy("1980-01-01", 90, 30),
        "a sparse beginning of a growing shop": busy("2016-01-01", 3000, 20)
        + busy("2024-06-01", 400, 3000),
    }


@pytest.mark.parametrize("name", list(_stores()))
def test_an_ordinary_store_is_not_cut(name: str) -> None:
    times = _stores()[name]
    events = pd.DataFrame(
        {
            "timestamp": times,
            "event_name": "PageView",
            "alias.cookie": [f"c{place % 7}" for place in range(len(times))],
        }
    )
    s = ck.stitch(events)
    assert s.tables.data_end == max(times).floor("us")
    assert not any("far from" in text for text in s.report.warnings)
    assert "far-time" not in ck.check_up(events).findings["check"].tolist()


@given(seed=st.integers(0, 1000), years=st.integers(2, 900), at=st.integers(0, 100))
@tries(20)
def test_one_far_row_changes_no_answer_of_a_store(seed: int, years: int, at: int) -> None:
    events = ck.simulate_store(people=30, seed=seed).events
    times = pd.to_datetime(events["timestamp"], utc=True, format="ISO8601")
    far = (times.max() + pd.Timedelta(365 * years, "D")).isoformat()
    row = events.head(1).assign(event_id="far", timestamp=far, event_name="PageView")
    aliases = [column for column in events if column.startswith("alias")]
    row[aliases] = None
    row["alias.cookie"] = "far"
    place = at * len(events) // 100
    odd = pd.concat([events.iloc[:place], row, events.iloc[place:]], ignore_index=True)
    one, other = ck.stitch(events), ck.stitch(odd)
    assert one.tables.data_end == other.tables.data_end
    for name in ("PageView", "Placed Order"):
        assert one.counts(name).equals(other.counts(name))
        assert one.retention(name, name).table.equals(other.retention(name, name).table)
    steps = ["PageView", "Placed Order"]
    funnels = [s.funnel(steps, within="7D", freq="W") for s in (one, other)]
    assert funnels[0].table.equals(funnels[1].table)
    assert funnels[0].trend().equals(funnels[1].trend())


def _reference_end(days: list[int]) -> int:
    """Return the last day of those, since 1970, that are not far: as docs/concepts.md has it."""
    web = (pd.Timestamp("1990-01-01") - pd.Timestamp("1970-01-01")).days
    ordered = sorted(day for day in days if day >= web) or sorted(days)
    size, few = len(ordered), max(3, len(ordered) // 1000)
    others = ordered[few : size - few]
    longest = max((late - early for early, late in pairwise(others)), default=0)
    far = 0
    for last in range(1, size):
        pause = ordered[size - last] - ordered[size - last - 1]
        long = last <= few and len(others) >= 10 and pause >= max(180, 10 * longest)
        certain = pause >= 100 * 366 and last < size - last
        if long or certain:
            far = last
    return ordered[size - far - 1]


@given(
    begin=st.sampled_from([0, 7000, 7400, 20000]),
    pauses=st.lists(st.sampled_from([0, 1, 1, 1, 2, 17, 18, 30]), max_size=40),
    ends=st.lists(st.sampled_from([1, 179, 180, 181, 400, 4000, 36599, 36600, 40000]), max_size=5),
    order=st.randoms(use_true_random=False),
)
@tries(300)
def test_the_end_is_that_of_the_rule(
    begin: int, pauses: list[int], ends: list[int], order: Any
) -> None:
    days = list(accumulate([begin, *pauses, *ends]))
    order.shuffle(days)
    frame = pd.DataFrame(
        {
            "timestamp": np.array(days, dtype="datetime64[D]").astype("datetime64[us]"),
            "event_name": "PageView",
            "profile_id": "p",
        }
    )
    end = ck.funnel(frame, ["PageView"], within="1D").data_end
    assert (end.tz_localize(None) - pd.Timestamp("1970-01-01")).days == _reference_end(days)


@given(
    pauses=st.lists(st.sampled_from([0, 1, 1, 2, 18, 30, 181, 400, 36600]), max_size=40),
    received=st.lists(st.sampled_from([0, 0, 0, 1, -2, -400, None]), min_size=1, max_size=7),
    cuts=st.lists(st.integers(0, 41), max_size=3),
    order=st.randoms(use_true_random=False),
)
@tries(200)
def test_the_end_is_the_same_of_events_in_parts(
    pauses: list[int], received: list[int | None], cuts: list[int], order: Any
) -> None:
    days = list(accumulate([7200, *pauses]))
    order.shuffle(days)
    reports = [received[place % len(received)] for place in range(len(days))]
    reports = [
        None if late is None else day + late for day, late in zip(days, reports, strict=True)
    ]
    frame = pd.DataFrame(
        {
            name: pd.to_datetime(pd.Series(column, dtype="Int64"), unit="D", utc=True)
            for name, column in (("timestamp", days), ("received_at", reports))
        }
    )
    ends = [0, *sorted(cuts), len(frame)]
    parts = [frame.iloc[begin:end] for begin, end in pairwise(ends)]
    assert observed_in(lambda: parts) == observed(frame)


def test_the_end_can_be_set() -> None:
    events = _with(_orders(), ["2031-01-01"])
    s = ck.stitch(events, observed_until="2026-03-31")
    assert s.tables.data_end == pd.Timestamp("2026-03-31T23:59:59.999999Z")
    assert s.customers().data_end == s.tables.data_end
    assert len(s.counts("Placed Order")) == 31
    s = ck.stitch(events, observed_until=pd.Timestamp("2031-06-01T00:00Z"))
    assert s.tables.data_end == pd.Timestamp("2031-06-01T00:00Z")
    assert not any("far from" in text for text in s.report.warnings)
    s = ck.stitch(events, observed_until="2026-03-10T10:00Z")
    clean = ck.stitch(events[events["timestamp"] <= "2026-03-10T10:00Z"])
    _same(_answers(clean), _answers(s))
    zoned = ck.stitch(events, observed_until="2026-03-31", calendar="Europe/Brussels")
    assert zoned.tables.data_end == pd.Timestamp("2026-03-31T21:59:59.999999Z")
    with pytest.raises(ConvergekitError, match="observed_until must be a date or datetime"):
        ck.stitch(events, observed_until="soon")


@pytest.mark.parametrize("until", ["9999-12-31", "9999", "9999-12", datetime.date(9999, 12, 31)])
@pytest.mark.parametrize("calendar", ["UTC", "Europe/Brussels", "America/New_York"])
def test_the_last_year_is_far_ahead(until: Any, calendar: str) -> None:
    s = ck.stitch(_orders(), observed_until=until, calendar=calendar)
    assert s.tables.data_end == pd.Timestamp("9999-12-31T23:59:59.999999Z")
    assert s.report.warnings == []
    found = s.funnel(STEPS, within="10D", end=until)
    assert found.table["profiles"].tolist() == [20, 5]


def test_a_segment_says_that_the_end_was_set(tmp_path: Any) -> None:
    whole = ck.stitch(_orders(), observed_until="2026-03-10")
    for chosen in ({"events": "event_name == 'Placed Order'"}, {"profiles": ck.Did(STEPS[0])}):
        s = whole.where(**chosen)
        (warning,) = s.report.warnings
        assert "beyond observed_until=" in warning
        assert "clock" not in warning
        s.to_parquet(tmp_path / next(iter(chosen)))
        assert ck.read_stitched(tmp_path / next(iter(chosen))).report.warnings == [warning]


def test_the_end_survives_a_save(tmp_path: Any) -> None:
    s = ck.stitch(_with(_orders(), ["2031-01-01"]), observed_until="2026-03-31")
    s.to_parquet(tmp_path / "set")
    assert ck.read_stitched(tmp_path / "set").tables.data_end == s.tables.data_end
    s = ck.stitch(_with(_orders(), ["2031-01-01"]))
    s.to_parquet(tmp_path / "found")
    assert ck.read_stitched(tmp_path / "found").tables.data_end == s.tables.data_end
