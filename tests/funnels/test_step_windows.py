"""Windows of steps, beside the whole: every choice of events is tried."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.funnels.test_funnels import START, STEPS, log

pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
SHORT = dict(zip("vco", STEPS, strict=True))


def chains(events, steps, whole, windows):
    """Every choice of distinct events, from the first entry on, that keeps to all windows."""
    entries = [minute for name, minute in events if name == steps[0]]
    if not entries:
        return
    entry = min(entries)
    for length in range(1, len(steps) + 1):
        for chosen in itertools.permutations(range(len(events)), length):
            names, minutes = zip(*(events[i] for i in chosen), strict=True)
            if names != tuple(steps[:length]) or minutes[0] != entry or minutes[-1] > entry + whole:
                continue
            gaps = [b - a for a, b in itertools.pairwise(minutes)]
            if all(0 <= gap <= windows.get(step, whole) for step, gap in enumerate(gaps, start=2)):
                yield minutes


sketches = st.lists(st.tuples(st.sampled_from("vcco"), st.integers(0, 12)), min_size=1, max_size=6)


@given(
    st.lists(sketches, min_size=1, max_size=4),
    st.integers(1, 12),
    st.dictionaries(st.integers(2, 4), st.integers(1, 6)),
    st.sampled_from([STEPS, [*STEPS, STEPS[1]], [STEPS[0], STEPS[0], STEPS[2]]]),
)
def test_the_deepest_chain_that_keeps_to_all_windows_counts(people, whole, windows, steps):
    windows = {step: min(wait, whole) for step, wait in windows.items() if step <= len(steps)}
    sketch = {f"p{i}": " ".join(f"{n}{t}" for n, t in person) for i, person in enumerate(people)}
    within = {1: f"{whole}min"} | {step: f"{wait}min" for step, wait in windows.items()}
    found = ck.funnel(log(**sketch), steps, within=within).conversions.set_index("profile_id")
    for name, person in zip(sketch, people, strict=True):
        every = list(chains([(SHORT[n], t) for n, t in person], steps, whole, windows))
        deepest = max(map(len, every), default=0)
        assert (name in found.index) == (deepest > 0)
        if deepest:
            assert found.loc[name, "depth"] == deepest
            got = [found.loc[name, f"time_{step}"] for step in range(1, deepest + 1)]
            minutes = tuple(int((time - START) / pd.Timedelta("1min")) for time in got)
            assert minutes in every
            assert minutes[-1] == min(chain[-1] for chain in every if len(chain) == deepest)


def test_a_later_cart_may_lead_to_the_order():
    within = {"PageView": "7D", "Placed Order": "10min"}
    frame = log(ann="v0 c5 o30", bob="v0 c5 c25 o30")
    assert ck.funnel(frame, STEPS, within=within).table["profiles"].tolist() == [2, 2, 1]
    assert "10 min to Placed Order" in repr(ck.funnel(frame, STEPS, within=within))


def test_the_whole_may_be_the_sum():
    found = ck.funnel(log(a="v0 c5 o9"), STEPS, within={2: "5min", "Placed Order": "4min"})
    assert found.within == pd.Timedelta("9min")
    assert found.table["profiles"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"within": {"Placed Order": "1D"}}, "needs the window of the whole funnel"),
        ({"within": {"PageView": "1D", "Order": "1h"}}, "names no step"),
        ({"within": {"PageView": "1h", "Placed Order": "1D"}}, "is longer than the whole, 1 h"),
        ({"within": {1: "1D", 2: "1h"}, "order": "any"}, r"do not go with order='any'"),
        ({"within": {1: "1D", 2: "1h"}, "entry": "any"}, r"do not go with entry='any'"),
        ({"within": {1: "1D", 2: "1h"}, "exclude": "Refund"}, "do not go with exclude="),
        ({"within": {1: "1D", 2: "1h"}, "like": "posthog"}, "do not go with like="),
        ({"within": {1: "1D", 2: "soon"}}, r"within\[2\] must be a positive duration"),
        ({"within": {}}, "needs the window of the whole funnel"),
    ],
)
def test_contradictions_say_what_to_do(options, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.funnel(log(a="v0"), STEPS, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"within": {1: "7D", 3: "1D"}},
        {"within": "7D", "on_exclude": "drop_off", "exclude": ck.Exclusion("Refund", 2, 3)},
    ],
)
def test_the_clock_of_a_step_does_not_depend_on_what_follows_it(options):
    day = 1440
    again = f"v0 c60 x{2 * day} c{3 * day}"
    frame = log(ann=f"{again} o{3 * day + 30}", bob=again, z=f"x{30 * day}")
    curve = ck.funnel(frame, STEPS, **options).curve(2)
    assert curve["time"].tolist() == [pd.Timedelta("1h")]
    assert curve["share"].tolist() == [1.0]
