"""The shop's calendar: days, weeks and months of its own clock."""

from __future__ import annotations

import datetime
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Calendar

ZONES = ("UTC", "Europe/Brussels", "America/New_York", "America/Havana", "Asia/Kolkata")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def local_date(moment, zone):
    return moment.astimezone(zoneinfo.ZoneInfo(zone)).date()


@given(
    st.lists(st.integers(0, 2 * 366 * 24 * 60), min_size=1, max_size=20),
    st.sampled_from(ZONES),
    st.sampled_from(DAYS),
)
def test_a_moment_lies_in_the_day_and_week_of_the_shops_clock(minutes, zone, first_day):
    times = pd.Series(pd.Timestamp("2025-06-01", tz="UTC") + pd.to_timedelta(minutes, unit="min"))
    calendar = Calendar(zone, first_day)
    days, weeks = calendar.periods(times, "D"), calendar.periods(times, "W")
    for moment, day, week in zip(times, days, weeks, strict=True):
        date = local_date(moment, zone)
        assert day.start_time.date() == date
        begins = date - datetime.timedelta(days=(date.weekday() - DAYS.index(first_day)) % 7)
        assert week.start_time.date() == begins
    for periods in (days, weeks):
        assert (calendar.begin(periods) <= times).all()
        assert (times < calendar.end(periods)).all()


@pytest.mark.parametrize("zone", ZONES)
def test_periods_lie_end_to_end_across_clock_changes(zone):
    every = pd.period_range("2025-01-01", "2027-01-01", freq="D")
    calendar = Calendar(zone)
    assert (calendar.end(every)[:-1] == calendar.begin(every)[1:]).all()
    hours = set((calendar.end(every) - calendar.begin(every)) // pd.Timedelta("1h"))
    assert hours == ({24} if zone in ("UTC", "Asia/Kolkata") else {23, 24, 25})


def test_periods_of_several_units_end_where_the_next_begins():
    times = pd.Series(pd.date_range("2026-01-01", "2026-03-01", freq="12h", tz="UTC"))
    calendar = Calendar("Europe/Brussels")
    periods = pd.PeriodIndex(calendar.periods(times, "2W").drop_duplicates())
    assert (calendar.end(periods)[:-1] == calendar.begin(periods)[1:]).all()


def test_a_date_is_its_day_and_a_moment_is_itself():
    calendar = Calendar("Europe/Brussels")
    day = [calendar.moment("2026-03-31", "start"), calendar.moment("2026-03-31", "end", last=True)]
    assert pd.to_datetime(day, unit="us").tolist() == [
        pd.Timestamp("2026-03-30T22:00"),
        pd.Timestamp("2026-03-31T22:00"),
    ]
    for same in (datetime.date(2026, 3, 31), np.datetime64("2026-03-31"), "31 March 2026"):
        assert calendar.moment(same, "end", last=True) == day[1]
    for moment in (pd.Timestamp("2026-03-31"), "2026-03-31T00:00", datetime.datetime(2026, 3, 31)):
        assert calendar.moment(moment, "end", last=True) == day[0]
    utc = pd.Timestamp("2026-03-30T22:00Z")
    assert calendar.moment(utc, "end", last=True) == day[0]
    assert calendar.moment("2026-03", "end", last=True) == day[1]
    assert calendar.moment(None, "end", last=True) is None


#: Texts of which the day cannot be told from the month.
DAY_OR_MONTH = ["10.03.2026", " 3/10/2026", "03-10-2026", "31.12.26", "10.03.2026 10:00"]
#: Those that pandas reads as of today, or of its own year.
WITHOUT_A_YEAR = ["10:00", "March", "Mar 3", "10:00:00.123456", "now", "today"]


@pytest.mark.parametrize(
    "value", [5, 20260331, "soon", "", pd.NaT, [1], "NaT", *DAY_OR_MONTH, *WITHOUT_A_YEAR]
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ConvergekitError, match="end must be a date or datetime"):
        Calendar().moment(value, "end", last=True)


def test_unknown_zones_days_and_periods_are_refused():
    with pytest.raises(ConvergekitError, match="calendar must be a time zone"):
        Calendar.of("Mars/Olympus")
    with pytest.raises(ConvergekitError, match="week_starts must be"):
        Calendar.of("UTC", "mon")
    with pytest.raises(ConvergekitError, match="freq must be a period"):
        Calendar().periods(pd.Series([pd.Timestamp("2026-03-31", tz="UTC")]), "fortnight")
