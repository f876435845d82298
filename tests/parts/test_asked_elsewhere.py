"""Parts that are asked in another process: what is handed there and comes back is data alone."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

import convergekit as ck
from convergekit.parts.stitching import Run

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store(people=40, seed=4).events


@pytest.fixture
def elsewhere(monkeypatch):
    """Hand over what parts are asked as another process takes it; count how often they are."""
    there, asked = Run._of_each, []

    def of_each(self, of_part):
        sent = pickle.loads(pickle.dumps(of_part))
        asked.append(of_part)
        for kept in there(self, sent):
            yield pickle.loads(pickle.dumps(kept))

    monkeypatch.setattr(Run, "_of_each", of_each)
    return asked


def test_what_is_learned_of_all_parts_is_asked_for(events, tmp_path, elsewhere):
    s, p = ck.stitch(events), ck.stitch(events, workdir=tmp_path / "run", memory="1MB")
    assert p.parts > 1
    pd.testing.assert_frame_equal(pd.DataFrame(p.sessions()), pd.DataFrame(s.sessions()))
    # The parts answer what is learned of them, and then what was asked.
    assert len(elsewhere) == 2
    found, expected = (one.attribution("Placed Order") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert len(elsewhere) == 3
    found, expected = (one.funnel(STEPS, within="7D", by="channel") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)
