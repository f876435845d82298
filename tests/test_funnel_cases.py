"""The cases that other tools' own documentation and tests work out, against ours.

`cases/funnel_cases.json` restates them as data, each with its source. What a tool does not
assert is null there. Those that ours answers otherwise are listed with the reason, and must
differ: the list stays honest.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

CASES = json.loads((Path(__file__).parent / "cases" / "funnel_cases.json").read_text("utf-8"))
START = pd.Timestamp("2026-03-02", tz="UTC")
ORDERS = {
    "default": "ordered",
    "this": "ordered",
    "specific": "ordered",
    "exact": "strict",
    "unordered": "any",
}

OPTIONAL = "optional steps are not built"
RESET = "ours ends an attempt at an exclusion, PostHog wipes progress and goes on"
GRACE = "a grace period around equal times is not built"
MODE = "a mode of windowFunnel that ours does not have"
REUSE = "in windowFunnel one event may fill several steps"
DIFFERS = {
    ("posthog", "optional steps 2 and 4"): OPTIONAL,
    ("posthog", "optional step with the same event as its neighbours"): OPTIONAL,
    ("amplitude", "optional step: A C D converts A B? C D"): OPTIONAL,
    ("posthog", "unordered exclusion keeps the actor in row 1"): RESET,
    ("posthog", "unordered: several exclusions wipe progress"): RESET,
    ("posthog", "10 ms out of order converts with gap 0 (50 ms simultaneity window)"): GRACE,
    ("mixpanel", "two-second grace: order interchangeable"): GRACE,
    ("amplitude", "within one second either order counts"): GRACE,
    ("amplitude", "same event twice in a second counts once"): GRACE,
    ("clickhouse", "strict_deduplication stops at a repeat"): MODE,
    ("clickhouse", "six users, modes strict_order"): MODE,
    ("clickhouse", "six users, modes strict_deduplication+strict_order"): MODE,
    ("clickhouse", "strict_order: a c b stops at c"): MODE,
    ("clickhouse", "strict_deduplication returns the level, issue 27469"): MODE,
    ("clickhouse", "strict_increase forbids equal timestamps"): MODE,
    ("clickhouse", "one event, three equal steps, modes none"): REUSE,
    ("mixpanel", "global filter is applied after the search"): "filters after the search",
    ("amplitude", "any order still needs the first listed event"): "older Amplitude pages only",
}
# Cases whose answer is per label of a breakdown, or needs options together that ours refuses.
NOT_COMPARED = [c for c in CASES if not isinstance(c["expected"], list)] + [
    c for c in CASES if c["name"] == "totals with step 1 as its own exclusion"
]


def frame_of(case):
    people, names, seconds, properties = zip(*case["events"], strict=True)
    frame = pd.DataFrame(
        {
            "profile_id": people,
            "event_name": names,
            "timestamp": [START + pd.Timedelta(seconds=t) for t in seconds],
        }
    )
    for name in {key for given in properties for key in given or {}}:
        frame[f"properties.{name}"] = [(given or {}).get(name) for given in properties]
    return frame


def step_of(step):
    if isinstance(step, str):
        return step
    if "any" in step:
        return step["any"]
    return ck.Step(step["event"], where=step.get("filter") or None)


def options_of(case):
    given = case["options"]
    options = {"order": ORDERS.get(case["order"], case["order"])}
    if given.get("exclusions"):
        options["exclude"] = [
            ck.Exclusion(x["event"], x["from_step"] + 1, x["to_step"] + 1)
            for x in given["exclusions"]
        ]
        options["on_exclude"] = "drop_off" if case["tool"] == "mixpanel" else "remove"
    if given.get("reentry") == "first":
        options["entry"] = "first"
    if given.get("hold"):
        options["hold"] = given["hold"]
    if given.get("count") == "totals":
        options["count"] = "attempts"
    return options


@pytest.mark.filterwarnings("ignore:no event is named")
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case not in NOT_COMPARED],
    ids=lambda case: f"{case['tool']}: {case['name']}",
)
def test_the_tools_own_cases(case):
    found = ck.funnel(
        frame_of(case),
        [step_of(step) for step in case["steps"]],
        within=pd.Timedelta(seconds=case["window_seconds"]),
        **options_of(case),
    )
    asserted = [(n, m) for n, m in zip(case["expected"], found.table["profiles"], strict=True)]
    same = all(theirs is None or theirs == ours for theirs, ours in asserted)
    assert same == ((case["tool"], case["name"]) not in DIFFERS), asserted


def test_most_cases_are_compared():
    assert len(CASES) == 81
    assert len(NOT_COMPARED) == 13
    assert len(DIFFERS) == 18
