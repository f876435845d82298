"""The report of parts warns of what the report in memory warns of."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory

START = pd.Timestamp("2026-03-02")


@st.composite
def lossy_frames(draw):
    """Frames of which many rows are lost, and values are shared, by file, source and name."""
    size = draw(st.integers(1, 30))

    def column(*values):
        return draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))

    usual = draw(st.sampled_from(["2026-03-02 10:00", "02.11.2026 22:42"]))
    frame = pd.DataFrame(
        {
            "event_name": column("View", "Order", "Refund", None),
            "timestamp": column("2026-03-03", "13/11/2026", "soon", None, *[usual] * 4),
            "source": column("shop", "mail", None),
            "file": column("a.csv", "b.csv"),
            "event_id": column("e1", "e2", "e3", None),
            "aliases": column("ada", "urn:cookie", "urn:cookie:c1", "urn:email:a@x.org", None),
        }
    )
    gone = draw(st.lists(st.sampled_from(["source", "file", "event_id"]), max_size=2))
    frame = frame.drop(columns=gone).astype("str")
    cut = draw(st.integers(0, size))
    found = [frame[:cut].reset_index(drop=True), frame[cut:].reset_index(drop=True)]
    return [one for one in found if len(one)]


def same_reports(frames, number, **options):
    expected = in_memory(frames, **options).report
    with by_parts(frames, number, **options) as found:
        assert found.report.to_dict() == expected.to_dict()
    return expected


@given(lossy_frames(), st.sampled_from([1, 2, 7]))
@tries(25)
def test_what_was_lost_is_warned_of_as_in_memory(frames, number):
    same_reports(frames, number)


def shared_rows(shared, values, browsers=6):
    """Browsers that share a user ID alone, and users of their own."""
    times = [START + pd.Timedelta(hours=place) for place in range(browsers)]
    joined = {"alias.cookie": [f"{shared}-{place}" for place in range(browsers)]}
    rows = pd.DataFrame({"timestamp": times, **joined, "alias.user_id": shared})
    others = pd.DataFrame(
        {
            "timestamp": START,
            "alias.cookie": [f"of {value}" for value in values],
            "alias.user_id": values,
        }
    )
    return pd.concat([rows, others], ignore_index=True).assign(event_name="A")


@pytest.mark.parametrize("number", [1, 3])
def test_values_that_strangers_share_are_warned_of_as_in_memory(number):
    frames = [
        shared_rows("desk", [f"user {place}" for place in range(25)]),
        shared_rows("till", [], browsers=9),
    ]
    (warning,) = same_reports(frames, number).warnings
    assert "urn:user_id:till (9), urn:user_id:desk (6);" in warning


@pytest.mark.parametrize("number", [1, 3])
def test_how_values_look_is_of_all_parts(number):
    digests = [f"{place:032x}" for place in range(60)]
    # Each browser came long after the one before: one person's, if the value looked like others.
    after = [START + pd.Timedelta(weeks=2 * place) for place in range(6)]
    frames = [shared_rows("", digests).iloc[6:], shared_rows("walk-in", []).assign(timestamp=after)]
    (warning,) = same_reports(frames, number).warnings
    assert "urn:user_id:walk-in (6, and unlike the other values of its type)" in warning


def test_most_of_a_store_by_parts_is_lost_as_in_memory():
    events = ck.simulate_store(people=20).events
    late = events["source"] == "browser"
    lossy = events.assign(timestamp=events["timestamp"].astype("str").mask(late, "02.11.2026"))
    report = same_reports([lossy], 3)
    assert "rejected" in report.warnings[0]
