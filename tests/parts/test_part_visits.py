"""Visits and credit by parts are those of memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from tests.parts.parts_cases import by_parts, in_memory, same_frames

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def frames():
    events = ck.simulate_store(people=150, seed=4).events
    return [
        events.iloc[some].reset_index(drop=True) for some in np.array_split(range(len(events)), 2)
    ]


@pytest.fixture(scope="module")
def s(frames):
    return in_memory(frames)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_visits_and_credit_are_those_of_memory(frames, s, number):
    with by_parts(frames, number) as found:
        sessions, expected = (
            found.sessions(conversion="Placed Order"),
            s.sessions(conversion="Placed Order"),
        )
        assert len(sessions) > 200
        pd.testing.assert_frame_equal(pd.DataFrame(sessions), pd.DataFrame(expected))
        asked = ("Placed Order", "total_price", ["first_touch", "last_touch", "linear"])
        credit, whole = found.attribution(*asked), s.attribution(*asked)
        pd.testing.assert_frame_equal(pd.DataFrame(credit.table), pd.DataFrame(whole.table))
        pd.testing.assert_frame_equal(
            pd.DataFrame(credit.comparison), pd.DataFrame(whole.comparison)
        )
        for options in ({"by": "channel"}, {"count": "visits"}, {"by": "utm_source", "top": 2}):
            within = {} if "count" in options else {"within": "7D"}
            by_part = found.funnel(STEPS, **within, **options)
            pd.testing.assert_frame_equal(
                pd.DataFrame(by_part.table),
                pd.DataFrame(s.funnel(STEPS, **within, **options).table),
            )
            rows = ["profile_id", "row_1"]
            lost = (by_part.drop_offs(), s.funnel(STEPS, **within, **options).drop_offs())
            same_frames(*(one.sort_values(rows, ignore_index=True) for one in lost))
