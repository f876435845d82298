"""Activity and retention, one event after another, by the shop's clock."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict

import pandas as pd

UTC = zoneinfo.ZoneInfo("UTC")


def clock_time(time, zone):
    """What the shop's clock shows, without its zone."""
    return time.to_pydatetime().astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


def period_of(time, freq, zone):
    """The number of a day, week, month or quarter, such that the next one has the next number."""
    date = clock_time(time, zone).date()
    if freq == "D":
        return date.toordinal()
    if freq == "W":
        return (date.toordinal() - 1) // 7
    month = date.year * 12 + date.month - 1
    return month if freq == "M" else month // 3


def begin_of(number, freq):
    """The date on which a period begins."""
    if freq == "D":
        return datetime.date.fromordinal(number)
    if freq == "W":
        return datetime.date.fromordinal(number * 7 + 1)
    month = number if freq == "M" else number * 3
    return datetime.date(month // 12, month % 12 + 1, 1)


def is_over(number, freq, zone, end):
    """Whether a period is over at the end of the data."""
    return period_of(end, freq, zone) > number


def since(start, time, freq, zone, elapsed):
    """How many periods after its start an event is."""
    if not elapsed:
        return period_of(time, freq, zone) - period_of(start, freq, zone)
    if freq == "D":
        return (int(time.timestamp()) // 3600 - int(start.timestamp()) // 3600) // 24
    days = period_of(time, "D", zone) - period_of(start, "D", zone)
    return days // (7 if freq == "W" else 30)


def came_back(waits, k, mode):
    """Whether somebody who returned after so many periods counts at k."""
    if k == 0 and mode != "on_or_after":
        return 0 in waits
    if mode == "on":
        return k in waits
    if mode == "within":
        return any(1 <= wait <= k for wait in waits)
    return any(wait >= k for wait in waits)


def retention(
    frame, start, returns, freq, mode, *, zone="UTC", every=False, elapsed=False, by=None
):
    """Per (label, cohort, periods since): profiles, those that returned, and if it is over."""
    end = frame["timestamp"].max()
    events = sorted(frame.to_dict("records"), key=lambda event: event["timestamp"])
    starts = defaultdict(dict)
    for event in events:
        profile = event["profile_id"]
        if event["event_name"] == start and isinstance(profile, str):
            period = period_of(event["timestamp"], freq, zone)
            if every or not starts[profile]:
                label = event[by] if by else None
                label = label if isinstance(label, str) else None
                starts[profile].setdefault(period, (event["timestamp"], label))
    members = defaultdict(list)
    for profile, of_profile in starts.items():
        for period, (time, label) in of_profile.items():
            waits = {
                since(time, event["timestamp"], freq, zone, elapsed)
                for event in events
                if event["profile_id"] == profile
                and event["event_name"] == returns
                and event["timestamp"] >= time
            }
            members[label, period].append(waits)
    found = {}
    for (label, period), all_waits in members.items():
        k = 0
        while _has_begun(period, k, freq, zone, end, elapsed):
            returned = sum(came_back(waits, k, mode) for waits in all_waits)
            over = _all_over(period, k, freq, zone, end, elapsed)
            found[label, begin_of(period, freq), k] = (len(all_waits), returned, over)
            k += 1
    return found


def _has_begun(period, k, freq, zone, end, elapsed):
    """Whether the k-th period after a start at the very beginning of the cohort has begun."""
    if not elapsed:
        return period + k <= period_of(end, freq, zone)
    return since(_moment(begin_of(period, freq), zone), end, freq, zone, elapsed) >= k


def _all_over(period, k, freq, zone, end, elapsed):
    """Whether the k-th period after a start at the very end of the cohort is over."""
    if not elapsed:
        return is_over(period + k, freq, zone, end)
    last = _moment(begin_of(period + 1, freq), zone) - datetime.timedelta(microseconds=1)
    return since(last, end, freq, zone, elapsed) > k


def _moment(date, zone):
    midnight = datetime.datetime.combine(date, datetime.time(), zoneinfo.ZoneInfo(zone))
    return pd.Timestamp(midnight.astimezone(UTC))


def average(found):
    """Per (label, periods since): cohorts, profiles, and those that returned, where it is over."""
    rows = defaultdict(lambda: [0, 0, 0])
    for (label, _, k), (profiles, returned, over) in found.items():
        if over:
            row = rows[label, k]
            row[0] += 1
            row[1] += profiles
            row[2] += returned
    return {key: tuple(row) for key, row in rows.items()}


def counts(frame, event, freq, measure, *, zone="UTC", by=None):
    """Per (label, period): how many events or profiles."""
    events = sorted(frame.to_dict("records"), key=lambda one: one["timestamp"])
    seen, found = set(), defaultdict(int)
    for one in events:
        if event is not None and one["event_name"] != event:
            continue
        period = begin_of(period_of(one["timestamp"], freq, zone), freq)
        label = one[by] if by and isinstance(one[by], str) else None
        if measure != "events":
            profile = one["profile_id"]
            if not isinstance(profile, str):
                continue
            once = (profile,) if measure == "new_profiles" else (profile, period, label)
            if once in seen:
                continue
            seen.add(once)
        found[label, period] += 1
    return dict(found)


def every_period(frame, freq, zone="UTC"):
    """The periods from the first event of the data to the last."""
    times = [frame["timestamp"].min(), frame["timestamp"].max()]
    first, last = (period_of(time, freq, zone) for time in times)
    return [begin_of(number, freq) for number in range(first, last + 1)]
