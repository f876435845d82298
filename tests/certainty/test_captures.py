"""The pieces of the estimate, against the truth that they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest

import convergekit as ck
from convergekit.certainty.completion import nearest
from convergekit.certainty.orders import OrdersReached
from convergekit.certainty.parts import parts_of
from convergekit.certainty.people import likeness, pattern_of, people_of


@pytest.mark.parametrize("family", ["poisson", "geometric"])
@pytest.mark.parametrize("alike", [0.0, 0.4])
def test_parts_per_person_are_found_again(family, alike):
    rng = np.random.default_rng(4)
    people = 40_000
    more = rng.poisson(0.8, people) if family == "poisson" else rng.geometric(1 / 1.8, people) - 1
    chance = np.full(people, 0.3)
    if alike:
        spread = 1 / alike - 1
        chance = rng.beta(0.3 * spread, 0.7 * spread, people)
    found = rng.binomial(1 + more, chance)
    again, identifies = found[found > 0].mean(), found.sum() / (1 + more).sum()
    estimated = people_of(again, identifies, identifies, alike, family)
    assert estimated.mean == pytest.approx((1 + more).mean(), rel=0.03)
    expected = np.bincount(found, minlength=4)[:4] / people
    np.testing.assert_allclose((estimated.share @ estimated.pattern)[:4], expected, atol=0.01)


def test_all_captured_are_as_many_as_they_are():
    people = people_of(1.5, 1 - 1e-9, 1 - 1e-9, 0.0, "geometric")
    assert people.mean == pytest.approx(1.5, rel=1e-3)
    assert people.given(2)[1] == pytest.approx(1.0, abs=1e-3)


def test_patterns_are_probabilities():
    for alike in (0.0, 0.3, 0.98):
        np.testing.assert_allclose(pattern_of(0.2, alike).sum(axis=1), 1.0, atol=1e-9)


def test_visits_of_a_part_that_are_alike_show_it():
    rng = np.random.default_rng(1)
    visits = 1 + rng.poisson(3, 20_000)
    independent = rng.binomial(visits, 0.3)
    alike = rng.binomial(visits, rng.beta(0.3, 0.7, len(visits)))
    assert likeness(visits, independent) < 0.03
    # One visit of a beta distribution is correlated with the next by 1 / (0.3 + 0.7 + 1).
    assert likeness(visits, alike) > 0.4
    assert likeness(np.ones(10, dtype=int), np.ones(10, dtype=int)) == 0.0


def test_orders_that_reach_nothing_are_as_many_as_two_ways_say():
    rng = np.random.default_rng(2)
    token, login = rng.random(50_000) < 0.7, rng.random(50_000) < 0.6
    reached = OrdersReached(
        by_both=int((token & login).sum()),
        by_token=int((token & ~login).sum()),
        by_login=int((~token & login).sum()),
        by_none=20_000,
        carrying=1.0,
        failing=0.0,
    )
    assert reached.lost == pytest.approx((~token & ~login).sum(), rel=0.03)
    assert reached.share_lost == pytest.approx(reached.lost / 20_000)


def test_each_place_is_taken_once_and_near():
    rng = np.random.default_rng(3)
    times = rng.integers(0, 10**9, 5_000)
    wanted = rng.choice(times, 1_000, replace=False) + 3
    chosen = nearest(wanted, times)
    assert len(np.unique(chosen)) == len(wanted)
    assert np.median(np.abs(times[chosen] - wanted)) < 10**6
    every = nearest(times, times)
    assert np.array_equal(np.sort(every), np.arange(len(times)))


def test_before_takes_the_one_before():
    assert nearest(np.array([10, 20]), np.array([9, 11, 19]), before=True).tolist() == [0, 2]


def test_parts_are_what_cookies_and_tokens_hold_together():
    store = ck.simulate_store(people=300, seed=3)
    s = ck.stitch(store.events).tables
    found = parts_of(s)
    events = s.events
    known = found.of_event >= 0
    of_browser = ["alias.cookie", "alias.cart_token", "alias.checkout_token"]
    aliases = s.resolution.aliases
    anonymous = ~aliases.table["alias_type"].isin(["email", "phone", "customer_id"]).to_numpy()
    carries = np.zeros(len(events), dtype=bool)
    carries[aliases.event[anonymous[aliases.alias]]] = True
    assert np.array_equal(known, carries)
    assert events.loc[~known, of_browser[:1]].isna().all(axis=None)
    # Who shares a cookie shares a part, and a part is of one profile.
    part = np.where(known, found.of_event, -1)
    per_cookie = {}
    for cookie, one in zip(events["alias.cookie"], part, strict=True):
        if isinstance(cookie, str) and one >= 0:
            per_cookie.setdefault(cookie, set()).add(one)
    assert all(len(parts) == 1 for parts in per_cookie.values())
    for at in np.flatnonzero(known):
        assert found.profile[part[at]] == s.resolution.profile[at]
