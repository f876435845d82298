"""Presets together with `hold`: Mixpanel's and Amplitude's against the slow definition of a
funnel under their rules, PostHog's and windowFunnel's against the held value in the profile."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.funnels.reference_funnel import SlowFunnel
from tests.funnels.test_funnels import in_minutes, logs, names, of_profiles, step_lists

pytestmark = pytest.mark.filterwarnings("ignore:no event")
windows = st.integers(1, 13)


@st.composite
def exclusions(draw, steps, order):
    if len(steps) < 2:
        return []
    between = st.sets(st.integers(0, len(steps) - 1), min_size=2, max_size=2).map(sorted)
    between = st.just([0, len(steps) - 1]) if order == "any" else between
    return draw(st.lists(st.tuples(names, between), max_size=1))


@tries(200)
@given(logs(), step_lists, windows, st.booleans(), st.sampled_from(["ordered", "any"]), st.data())
def test_mixpanel_is_the_first_entry_in_ties_of_two_seconds(
    frame, steps, window, hold, order, data
):
    excluding = data.draw(exclusions(steps, order))
    # Minutes stand for the seconds of Mixpanel's tie, so that there are some.
    tolerance = data.draw(st.sampled_from([0, 2]))
    found = ck.funnel(
        frame,
        steps,
        like="mixpanel",
        within=f"{window}min",
        order=order,
        hold=["held"] if hold else [],
        exclude=[ck.Exclusion(name, a + 1, b + 1) for name, (a, b) in excluding],
        **({"tolerance": f"{tolerance}min"} if tolerance else {}),
    )
    slow = SlowFunnel(
        steps,
        window,
        order=order,
        tolerance=tolerance,
        only_first=True,
        on_exclude="drop_off",
        exclusions=[({name}, a + 1, b + 1) for name, (a, b) in excluding],
    )
    note(f"{frame.to_string()}\n{steps} {window} {excluding}")
    assert reached(found) == slowly(slow.profile, of_profiles(frame, hold=hold))


@tries(200)
@given(
    logs(), step_lists, windows, st.booleans(), st.sampled_from(["ordered", "any", "strict"]),
    st.data(),
)  # fmt: skip
def test_amplitude_is_the_earliest_entry_per_held_value(frame, steps, window, hold, order, data):
    excluding = [] if order == "strict" else data.draw(exclusions(steps, order))
    tolerance = data.draw(st.sampled_from([0, 1]))
    found = ck.funnel(
        frame,
        steps,
        like="amplitude",
        within=f"{window}min",
        order=order,
        hold=["held"] if hold else [],
        exclude=[ck.Exclusion(name, a + 1, b + 1) for name, (a, b) in excluding],
        **({"tolerance": f"{tolerance}min"} if tolerance else {}),
    )
    slow = SlowFunnel(
        steps,
        window,
        order=order,
        tolerance=tolerance,
        exclusions=[({name}, a + 1, b + 1) for name, (a, b) in excluding],
    )
    whos = of_profiles(with_held_profiles(frame) if hold else frame)
    once = {who: once_per_tie(slow, events) for who, events in whos.items()}
    note(f"{frame.to_string()}\n{steps} {window} {excluding}")
    assert reached(found) == slowly(slow.earliest, once)


@pytest.mark.parametrize("like", ["posthog", "clickhouse"])
@tries(200)
@given(frame=logs(), steps=step_lists, window=windows, order=st.sampled_from(["ordered", "strict"]))
def test_a_held_value_parts_profiles(like, frame, steps, window, order):
    options = {"like": like, "within": f"{window}min", "order": order}
    held = ck.funnel(frame, steps, hold="held", **options)
    parted = ck.funnel(with_held_profiles(frame), steps, **options)
    pd.testing.assert_frame_equal(held.table, parted.table)
    expected = [(profile.split("/")[0], times) for profile, times in reached(parted)]
    assert reached(held) == sorted(expected)


def with_held_profiles(frame):
    return frame.assign(profile_id=frame["profile_id"] + "/" + frame["held"])


def reached(funnel):
    """Whose it is, and the minutes of the steps; of every row that is counted."""
    counted = funnel.conversions[funnel.conversions["status"] != "excluded"]
    times = [f"time_{i + 1}" for i in range(len(funnel.steps))]
    return sorted(
        (row["profile_id"], [in_minutes(row[t]) for t in times if pd.notna(row[t])])
        for row in counted.to_dict("records")
    )


def slowly(definition, whos):
    found = [(who, *definition(events)) for who, events in whos.items()]
    return sorted(
        (who.split("/")[0], times) for who, times, excluded in found if times and not excluded
    )


def once_per_tie(slow, events):
    """Without events whose name an earlier one at their time has.

    In strict order, those of no step are also left out where one of a step is at that time.
    """
    kept, seen = [], set()
    names_of_steps = set().union(*slow.every_step)
    tied = slow.prepared(events)
    for event in tied:
        foreign = event["name"] not in names_of_steps
        company = any(
            other["minute"] == event["minute"] and other["name"] in names_of_steps for other in tied
        )
        if (event["minute"], event["name"]) not in seen and not (
            slow.order == "strict" and foreign and company
        ):
            kept.append(event)
        seen.add((event["minute"], event["name"]))
    return kept
