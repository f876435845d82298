"""The bounds are those of every way of claiming, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.reconcile.bounds import claim_bounds
from tests.reconcile.reference_reconcile import brute_bounds
from tests.reconcile.store import CLICK, claims, click, order, stitched

PLATFORMS = ("google_ads", "meta", "tiktok")


@st.composite
def stores(draw):
    """Draw orders, each with the platforms of which it has a click, and claims."""
    orders = draw(st.lists(st.sets(st.integers(0, 2)), min_size=1, max_size=5))
    claimed = [draw(st.integers(0, 5)) for _ in PLATFORMS]
    return orders, claimed


@given(stores())
def test_the_bounds_are_those_of_every_way_of_claiming(store):
    orders, claimed = store
    rows = []
    for number, platforms in enumerate(orders):
        rows += [click(number, number, f"{CLICK[PLATFORMS[p]]}=x") for p in sorted(platforms)]
        rows.append(order(number + 2, number))
    rows.append(click(0, "nobody", ""))
    spend = claims(
        [(day, name, number, 0.0) for day in (0, 1) for name, number in
         zip(PLATFORMS, claimed if day == 0 else (0, 0, 0), strict=True)]
    )  # fmt: skip
    found = stitched(*rows).reconcile(spend, value=None).bounds
    for name, may in (("any order", [{0, 1, 2}] * len(orders)), ("a click before", orders)):
        rows = found[found["assuming"] == name].set_index("what")
        expected = brute_bounds(may, claimed)
        assert list(rows.index) == list(expected)
        got = {what: (row["low"], row["high"]) for what, row in rows.iterrows()}
        assert got == expected


def test_three_platforms_whose_programme_needs_whole_numbers():
    # Orders are of two platforms each, in a circle: as parts they would be four and a half.
    pool, three = np.array([3, 5, 6]), np.full(3, 3.0)
    orders = [*[{0, 1}] * 3, *[{0, 2}] * 3, *[{1, 2}] * 3]
    whole = claim_bounds(pool, three, three)
    assert whole.distinct == (5.0, 9.0) == brute_bounds(orders, [3, 3, 3])["orders claimed"]
    assert claim_bounds(pool, three, three, parts=True).distinct == (4.5, 9.0)


def test_large_stores_are_bounded_exactly():
    # One in ten thousand more or less would be within the tolerance that solvers have by default.
    many = 1e6 + 3
    found = claim_bounds(np.array([3, 5, 6]), np.full(3, many), np.full(3, many))
    assert found.distinct == (np.ceil(1.5 * many), 3 * many)


@given(
    *[st.integers(0, 400)] * 3,
    *[st.integers(0, 2_000)] * 2,
)
def test_two_platforms_have_frechets_bounds_in_money_and_in_parts(one, other, both, first, second):
    pool, size = np.array([1, 2, 3]), np.array([one, other, both], dtype=float)
    for unit in (1.0, 0.25):
        claimed = np.array([first, second]) * unit
        behind = np.minimum(claimed, [one + both, other + both])
        # As few of both as must be, and as many as may.
        least = max(0.0, behind[0] - one + behind[1] - other - both, 0.0)
        least = max(least, sum(behind) - one - other - both, behind[0] + behind[1] - sum(size))
        most = min(behind[0], behind[1], both)
        found = claim_bounds(pool, size, claimed, parts=True)
        assert found.distinct == pytest.approx((sum(behind) - most, sum(behind) - least))
        assert found.twice == pytest.approx((least, most))
        assert found.without == pytest.approx(sum(claimed - behind))


@given(stores(), st.integers(2, 4))
def test_parts_of_orders_widen_the_bounds_and_whole_ones_lie_within(store, parts):
    orders, claimed = store
    pool = np.array([sum(2**p for p in platforms) for platforms in orders])
    distinct, place = np.unique(pool, return_inverse=True)
    size = np.bincount(place).astype(float)
    whole = claim_bounds(distinct, size, np.array(claimed, dtype=float))
    part = claim_bounds(distinct, size, np.array(claimed, dtype=float), parts=True)
    for narrow, wide in ((whole.distinct, part.distinct), (whole.twice, part.twice)):
        assert wide[0] <= narrow[0] + 1e-6 <= narrow[1] + 2e-6 <= wide[1] + 3e-6
    # As many times the orders and the claims have as many times the bounds in parts.
    many = claim_bounds(distinct, parts * size, parts * np.array(claimed, dtype=float), parts=True)
    assert many.distinct == pytest.approx(tuple(parts * np.array(part.distinct)), abs=1e-5)


def test_more_than_eight_platforms_are_refused():
    s = stitched(click(0, "a", ""), order(1, "a"))
    spend = claims([(0, f"p{number}", 1, 1.0) for number in range(9)])
    with pytest.raises(ck.ConvergekitError, match="at most 8 platforms that claim something; got"):
        s.reconcile(spend)
