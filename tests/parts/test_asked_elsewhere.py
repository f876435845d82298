"""Parts that are asked in another process: what is handed there and comes back is data alone."""

from __future__ import annotations

import pickle
from dataclasses import fields
from functools import partial

import pandas as pd
import pytest

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.stitching import Run, stitched_by_parts

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store(people=40, seed=4).events


@pytest.fixture
def elsewhere(monkeypatch):
    """Hand over what parts are asked as another process takes it; count how often they are."""
    there, asked = Run._of_each, []

    def of_each(self, of_part, names=None):
        sent = pickle.loads(pickle.dumps(of_part))
        asked.append(of_part)
        for kept in there(self, sent):
            yield pickle.loads(pickle.dumps(kept))

    monkeypatch.setattr(Run, "_of_each", of_each)
    return asked


def test_what_is_learned_of_all_parts_is_asked_for(events, tmp_path, elsewhere):
    s = ck.stitch(events)
    p = stitched_by_parts(events, StitchOptions.of(), None, tmp_path / "run", parts=3)
    pd.testing.assert_frame_equal(pd.DataFrame(p.sessions()), pd.DataFrame(s.sessions()))
    # The parts answer what is learned of them, and then what was asked.
    assert len(elsewhere) == 2
    found, expected = (one.attribution("Placed Order") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert len(elsewhere) == 3
    found, expected = (one.funnel(STEPS, within="7D", by="channel") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)


class Seen(Run):
    """A run that is seen through another, as a segment of it is."""

    def _of_each(self, of_part, names=None):
        return self.base.of_each(partial(seen, of_part=of_part))


def seen(number, s, *, of_part):
    return of_part(number, s)


def test_a_view_learns_of_its_own_parts(events, tmp_path, elsewhere):
    p = stitched_by_parts(events, StitchOptions.of(), None, tmp_path / "run", parts=3)
    view = Seen(**{one.name: getattr(p._run, one.name) for one in fields(Run)})
    view.base = p._run
    expected = pd.DataFrame(p.sessions())
    del elsewhere[:]
    pd.testing.assert_frame_equal(pd.DataFrame(ck.StitchedParts(view).sessions()), expected)
    assert len(elsewhere) == 2
    assert view.learned.known == p._run.learned.known
