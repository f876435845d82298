"""The worst bounds hold for every way in which profiles may be people's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

import convergekit as ck
from tests.certainty.reference_worst import reference_worst
from tests.effort import tries

NAMES = ("PageView", "Added To Cart", "Placed Order")


def frame_of(rows):
    """Return events of (who, name, day): who is a number of a browser, or None for nobody."""
    return pd.DataFrame(
        {
            "event_name": [NAMES[name] for _, name, _ in rows],
            "timestamp": pd.Timestamp("2026-03-01", tz="UTC")
            + pd.to_timedelta([day + at / 1000 for at, (*_, day) in enumerate(rows)], unit="D"),
            "alias.cookie": [None if who is None else f"c{who}" for who, *_ in rows],
        }
    )


def with_logins(events, logins):
    known = {f"c{who}": f"p{who}@x.org" for who in logins}
    return events.assign(**{"alias.email": events["alias.cookie"].map(known).astype(object)})


def bounds_and_reference(rows, logins, steps, days, first):
    events = with_logins(frame_of(rows), logins)
    s = ck.stitch(events)
    entry = "first" if first else "any"
    table = s.funnel(steps, within=f"{days}D", entry=entry).bounds().table
    units = {}
    for at, (who, name, day) in enumerate(rows):
        if NAMES[name] in steps:
            unit = f"alone{at}" if who is None else f"browser{who}"
            units.setdefault(unit, []).append((day + at / 1000, steps.index(NAMES[name])))
    login = {f"browser{who}": who for who in logins}
    return table, *reference_worst(units, login, len(steps), days, first)


ROWS = st.lists(
    st.tuples(st.one_of(st.integers(0, 3), st.none()), st.integers(0, 2), st.integers(0, 12)),
    min_size=1,
    max_size=5,
)


@pytest.mark.filterwarnings("ignore:no event is named")
@given(ROWS, st.sets(st.integers(0, 3)), st.sampled_from([3, 30]), st.booleans())
@tries(150, deadline=None, phases=(Phase.generate,))
def test_no_way_to_be_people_is_outside_the_bounds(rows, logins, days, first):
    if all(name for _, name, _ in rows):
        rows = [(0, 0, 0), *rows]
    table, low, high = bounds_and_reference(rows, logins, NAMES, days, first)
    assert (table["worst_low"].to_numpy() <= low + 1e-12).all(), (table, low)
    assert (table["worst_high"].to_numpy() >= high - 1e-12).all(), (table, high)
    # Nobody may have entered by profiles alone, and somebody all the same.
    if table["stitched"].notna().all():
        assert table["stitched"].between(table["worst_low"], table["worst_high"]).all()


@pytest.mark.parametrize(
    ("rows", "logins"),
    [
        # One who bought, one who did not, and an order of nobody.
        ([(0, 0, 0), (0, 2, 1), (1, 0, 0), (None, 2, 2)], {0, 1}),
        # A browser that never identified itself may be the buyer's.
        ([(0, 0, 0), (0, 2, 1), (1, 0, 1), (2, 0, 2)], {0}),
        # An order with an address may be that of any browser without one.
        ([(0, 2, 5), (1, 0, 0), (2, 0, 1)], {0}),
        # Two buyers without a login may be one.
        ([(0, 0, 0), (0, 2, 1), (1, 0, 0), (1, 2, 1), (2, 0, 0)], {2}),
        # A page view of nobody may be of somebody else.
        ([(0, 0, 0), (0, 2, 1), (None, 0, 1)], {0}),
    ],
)
def test_with_a_wide_window_the_bounds_are_reached(rows, logins):
    steps = ["PageView", "Placed Order"]
    table, low, high = bounds_and_reference(rows, logins, steps, 30, first=True)
    np.testing.assert_allclose(table["worst_low"], low)
    np.testing.assert_allclose(table["worst_high"], high)


def test_a_profile_with_two_addresses_may_be_two_people():
    events = pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "PageView"],
            "timestamp": ["2026-03-01", "2026-03-02", "2026-03-01"],
            "alias.cookie": ["a", "a", "b"],
            "alias.email": ["ada@x.org", "bob@x.org", "eve@x.org"],
        }
    )
    last = (
        ck.stitch(events).funnel(["PageView", "Placed Order"], within="7D").bounds().table.iloc[-1]
    )
    # Ada and Bob may be one, who bought; or two, and Bob ordered without a visit.
    assert last["worst_low"] == 0.0
    assert last["worst_high"] >= 2 / 3
