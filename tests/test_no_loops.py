"""Hot paths do not go through events one by one in Python: a guard without a stop-watch.

Counted are the lines of convergekit's own code that run. Twice the events may not run many more:
the one thing that is done for each profile is the digest of its name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

HERE = str(Path(ck.__file__).parent)
STEPS = ["PageView", "Added To Cart", "Placed Order"]
CLAIMS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2026-03-02", "2026-03-29"]),
        "platform": ["google_ads", "meta"],
        "conversions": [20.0, 30.0],
    }
)


def lines_run(work) -> int:
    count = 0

    def in_ours(frame, event, _):
        nonlocal count
        count += event == "line"
        return in_ours

    def anywhere(frame, event, _):
        return in_ours if frame.f_code.co_filename.startswith(HERE) else None

    before = sys.gettrace()
    sys.settrace(anywhere)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.fixture(scope="module")
def stores():
    return [ck.simulate_store(people=people, seed=2).events for people in (150, 600)]


def made_of(events, question):
    s = ck.stitch(events)
    return lambda: question(s)


QUESTIONS = {
    "stitch": lambda events: lambda: ck.stitch(events),
    "stitch as of each event": lambda events: lambda: ck.stitch(events, identity="as_of"),
    "stitch and merge copies": lambda events: lambda: ck.stitch(events, duplicates="merge"),
    "tables": lambda events: made_of(events, lambda s: (s.aliases, s.profiles)),
    "funnel": lambda events: made_of(events, lambda s: s.funnel(STEPS, within="7D").table),
    "funnel in any order": lambda events: made_of(
        events, lambda s: s.funnel(STEPS, within="7D", order="any").table
    ),
    "retention": lambda events: made_of(
        events, lambda s: s.retention(freq="D", cohort="every", by="utm_source").curve()
    ),
    "counts": lambda events: made_of(
        events, lambda s: s.counts(measure="profiles", by="utm_source")
    ),
    "sessions": lambda events: made_of(events, lambda s: s.sessions()),
    "attribution": lambda events: made_of(
        events, lambda s: s.attribution("Placed Order", value="total_price", model="linear").table
    ),
    "reconciliation": lambda events: made_of(events, lambda s: s.reconcile(CLAIMS).orders),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_more_events_do_not_run_more_lines(stores, question, monkeypatch):
    if "as of" in question:
        # The plain path goes through links that joined two profiles one by one; the kernels do not.
        pytest.importorskip("numba", reason="needs numba: pip install -e '.[fast]'")
        monkeypatch.setenv("CONVERGEKIT_KERNELS", "always")
    few, many = stores
    fewer, more = (lines_run(QUESTIONS[question](events)) for events in stores)
    assert more - fewer < 0.4 * (len(many) - len(few)), (fewer, more, len(few), len(many))


def listed(events, one):
    return lines_run(lambda: ck.stitch(events.assign(aliases=[one] * len(events))))


def test_the_guard_sees_a_loop(stores):
    # Tuples are looked at one by one.
    plain = lines_run(lambda: ck.stitch(stores[0]))
    assert listed(stores[0], ("urn:cookie:a",)) > plain + len(stores[0])


def test_lists_of_urns_run_as_many_lines_as_columns(stores):
    fewer, more = (listed(events, ["urn:cookie:a"]) for events in stores)
    assert more - fewer < 0.4 * (len(stores[1]) - len(stores[0])), (fewer, more)
