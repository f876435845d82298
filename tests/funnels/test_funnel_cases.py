"""The cases that the tools' own documentation and tests work out, against `like=`.

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

MODE = "a mode of windowFunnel that ours does not have"
DIFFERS = {
    ("clickhouse", "strict_deduplication stops at a repeat"): MODE,
    ("clickhouse", "six users, modes strict_deduplication+strict_order"): MODE,
    ("clickhouse", "strict_deduplication returns the level, issue 27469"): MODE,
    ("clickhouse", "strict_increase forbids equal timestamps"): MODE,
    ("clickhouse", "one event, three equal steps, modes strict_once"): MODE,
    ("clickhouse", "one event, three equal steps, modes strict_increase"): MODE,
    ("clickhouse", "failure failure success, modes strict_once+strict_increase"): MODE,
    ("clickhouse", "failure failure success, modes strict_once"): MODE,
    ("clickhouse", "failure failure success, modes strict_once+strict_deduplication"): MODE,
    ("mixpanel", "global filter is applied after the search"): "filters after the search",
    (
        "mixpanel",
        "breakdown: one entry per segment, a running attempt blocks another segment",
    ): "a profile is in one group",
    ("amplitude", "any order still needs the first listed event"): "older Amplitude pages only",
}


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
    return ck.Step(
        step["event"], where=step.get("filter") or None, optional=step.get("optional", False)
    )


def options_of(case):
    given = case["options"]
    options = {"order": ORDERS.get(case["order"], case["order"]), "like": case["tool"]}
    if "strict_order" in given.get("modes", ()):
        options["order"] = "strict"
    if given.get("exclusions"):
        options["exclude"] = [
            ck.Exclusion(x["event"], x["from_step"] + 1, x["to_step"] + 1)
            for x in given["exclusions"]
        ]
    if given.get("reentry") == "optimized":
        options["entry"] = "any"
    if given.get("hold"):
        options["hold"] = given["hold"]
    if given.get("count") == "totals":
        options["count"] = "attempts"
    if "breakdown" in given:
        options |= breakdown_of(given)
    return options


def breakdown_of(given):
    options = {"by": f"properties.{given['breakdown']}"}
    attribution = given.get("attribution", "")
    if attribution == "all_events":
        options["hold"] = options["by"]
    elif attribution.startswith("step_"):
        options["by_step"] = int(attribution.removeprefix("step_")) + 1
    elif attribution:
        options["by_step"] = attribution.split("_")[0]
    return options


def profiles_of(table, by):
    """The profiles of each step, per label where there is a breakdown."""
    if by is None:
        return {None: table["profiles"].tolist()}
    return {label: part["profiles"].tolist() for label, part in table.groupby(by)}


def agrees(expected, found):
    if expected.keys() != found.keys():
        return False
    pairs = [pair for label in expected for pair in zip(expected[label], found[label], strict=True)]
    return all(theirs is None or theirs == ours for theirs, ours in pairs)


@pytest.mark.filterwarnings("ignore:no event")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['tool']}: {case['name']}")
def test_the_tools_own_cases(case):
    options = options_of(case)
    found = ck.funnel(
        frame_of(case),
        [step_of(step) for step in case["steps"]],
        within=pd.Timedelta(seconds=case["window_seconds"]),
        **options,
    )
    expected = case["expected"]
    expected = expected if isinstance(expected, dict) else {None: expected}
    same = agrees(expected, profiles_of(found.table, options.get("by")))
    assert same == ((case["tool"], case["name"]) not in DIFFERS), found.table


def test_every_difference_is_a_case():
    assert len(CASES) == 81
    assert DIFFERS.keys() <= {(case["tool"], case["name"]) for case in CASES}
