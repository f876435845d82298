"""How often an experiment is wrong: without an effect, under peeking, and where arms are mixed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.experiments.intervals import Looking, difference
from convergekit.experiments.moments import ArmMoments, adjusted
from convergekit.experiments.undiluted import CreditedByArm, undiluted
from tests.effort import scaled, tries
from tests.experiments.worlds import WORLDS, credited, events

#: What people bring, by how noisy it is: a share, a usual basket, and one with a long tail.
NOISES = {
    "share": lambda rng, shape: (rng.random(shape) < 0.1).astype(float),
    "baskets": lambda rng, shape: (rng.random(shape) < 0.3) * rng.lognormal(3, 0.5, shape),
    "long tail": lambda rng, shape: (rng.random(shape) < 0.3) * rng.lognormal(3, 1.3, shape),
}


def moments(outcome, before=None):
    ones = np.ones(outcome.shape)
    past = np.zeros(outcome.shape) if before is None else before
    return ArmMoments.of(np.stack([outcome, ones, past, ones], axis=-1))


@pytest.mark.parametrize("noise", NOISES)
def test_of_ten_thousand_tests_without_an_effect_one_in_twenty_finds_one(noise):
    rng = np.random.default_rng(20)
    wrong = []
    for _ in range(50):
        arms = []
        for _ in range(2):
            outcome = NOISES[noise](rng, (200, 500))
            # Half of what people bring is theirs, and was so before.
            arms.append(moments(outcome, 0.5 * outcome + NOISES[noise](rng, (200, 500))))
        found = difference(adjusted(*arms), Looking(0.05))
        wrong.append(found.p_value < 0.05)
        assert ((found.low > 0) | (found.high < 0)).tolist() == wrong[-1].tolist()
    assert 0.044 <= np.mean(wrong) <= 0.056


@pytest.mark.parametrize("noise", NOISES)
def test_experiments_of_a_store_without_an_effect_find_one_as_often(noise):
    """One store, and arms drawn anew for each experiment."""
    rng = np.random.default_rng(21)
    people, number = 300, scaled(200)
    worth = NOISES[noise](rng, people)
    cookies = pd.Series(np.arange(people)).map("c{}".format)
    seen = pd.DataFrame({"alias.cookie": cookies, "event_name": "PageView"})
    seen["timestamp"] = pd.Timestamp("2026-03-02", tz="UTC")
    arms = rng.integers(0, 2, (people, number)).astype(str)
    names = [f"properties.v{place}" for place in range(number)]
    seen = pd.concat([seen, pd.DataFrame(arms, columns=names)], axis=1)
    orders = seen.loc[worth > 0, ["alias.cookie"]].assign(
        event_name="Placed Order",
        timestamp=pd.Timestamp("2026-03-03", tz="UTC"),
        **{"properties.worth": worth[worth > 0]},
    )
    end = pd.DataFrame({"alias.cookie": ["z"], "event_name": "PageView",
                        "timestamp": pd.Timestamp("2026-04-02", tz="UTC")})  # fmt: skip
    s = ck.stitch(pd.concat([seen, orders, end], ignore_index=True))
    wrong = 0
    for place in range(number):
        found = s.experiment(f"v{place}", control="0", value="worth")
        row = found.table.query("metric == 'value'").iloc[1]
        wrong += row["p_value"] < 0.05
    low, high = scipy.stats.binom.interval(0.9999, number, 0.05)
    assert low <= wrong <= high


def looks(rng, noise, tests, people, every, effect=0.0):
    """Return the moments of two arms at each look, as they grow by `every` people."""
    sums = []
    for arm in range(2):
        outcome = NOISES[noise](rng, (tests, people)) * (1 + effect * arm)
        parts = outcome.reshape(tests, people // every, every)
        total, squares = parts.sum(axis=2).cumsum(axis=1), (parts**2).sum(axis=2).cumsum(axis=1)
        count = np.broadcast_to(np.arange(1, people // every + 1) * float(every), total.shape)
        mean = np.broadcast_to([0.0, 1, 0, 1], (*total.shape, 4)).copy()
        mean[..., 0] = total / count
        cov = np.zeros((*total.shape, 4, 4))
        cov[..., 0, 0] = (squares - total**2 / count) / (count - 1)
        converted = (parts > 0).sum(axis=2).cumsum(axis=1)
        sums.append((ArmMoments(count, mean, cov), converted))
    return sums


@pytest.mark.parametrize("noise", NOISES)
def test_looking_all_the_time_is_wrong_no_more_than_one_time_in_twenty(noise):
    rng = np.random.default_rng(22)
    (one, first), (other, second) = looks(rng, noise, 1500, 4000, 50)
    both = adjusted(one, other)
    enough = (first >= 30) & (second >= 30)
    ever = {}
    for planned in (None, 2000, 8000):
        found = difference(both, Looking(0.05, planned))
        outside = ((found.low > 0) | (found.high < 0)) & enough
        assert (outside == ((found.p_value < 0.05) & enough)).all()
        ever[planned] = outside.any(axis=1).mean()
    # The usual test is wrong several times as often, so that this can fail.
    assert ever[None] > 0.15
    assert max(ever[2000], ever[8000]) <= 0.05


def test_looking_all_the_time_finds_what_is_there():
    rng = np.random.default_rng(23)
    (one, _), (other, _) = looks(rng, "share", 200, 8000, 200, effect=0.0)
    found = difference(adjusted(one, other), Looking(0.05, 16_000))
    last = found.high[:, -1] - found.low[:, -1]
    usual = difference(adjusted(one, other), Looking(0.05))
    assert 1.2 < (last / (usual.high[:, -1] - usual.low[:, -1])).mean() < 1.7


def estimates(world, seed, people, effect, **options):
    """Return the effect of orders by first exposure, seen alone, and the share who saw several."""
    made = WORLDS[world](np.random.default_rng(seed), people, effect, **options)
    own, outcome, mixed, both = credited(made)
    found = undiluted(CreditedByArm(own, outcome, mixed, np.zeros(people)), 2, Looking(0.05))
    total = outcome.sum(axis=1)
    measured = total[own == 1].mean() / total[own == 0].mean() - 1
    return measured, found, both.mean()


@pytest.mark.parametrize("world", WORLDS)
def test_five_percent_more_is_told_though_a_fifth_saw_both_arms(world):
    alone, measured, within = [], [], 0
    for seed in range(25):
        # Without the effect the same people with the same luck: what is left of chance is small.
        plain, nothing, _ = estimates(world, seed, 40_000, 0.0)
        first, found, both = estimates(world, seed, 40_000, 0.05)
        assert 0.17 < both < 0.23
        alone.append(found.relative[0] - nothing.relative[0])
        measured.append(first - plain)
        within += found.low[0] <= 0.05 <= found.high[0]
    assert np.std(alone) / np.sqrt(25) < 0.0025
    assert 0.045 < np.mean(alone) < 0.055
    # By the first exposure alone it would be too small, so that this can fail.
    assert np.mean(measured) < 0.043
    assert within >= scipy.stats.binom.ppf(0.0005, 25, 0.95)


@pytest.mark.parametrize("world", WORLDS)
def test_an_unequal_split_is_told_as_well(world):
    differences = []
    for seed in range(12):
        (_, nothing, _), (_, found, _) = (
            estimates(world, seed, 60_000, effect, weight=0.25) for effect in (0.0, 0.2)
        )
        differences.append(found.relative[0] - nothing.relative[0])
    assert 0.18 < np.mean(differences) < 0.22


@pytest.mark.parametrize("acts", ["seen", "share", "first"])
@pytest.mark.parametrize("world", WORLDS)
def test_the_bounds_hold_whichever_arm_acts(world, acts):
    ends = []
    for seed in range(4):
        measured, found, _ = estimates(world, seed, 60_000, 0.4, acts=acts)
        plain, nothing, _ = estimates(world, seed, 60_000, 0.0, acts=acts)
        ends.append(
            [
                (1 + measured) * end(found)[0] - (1 + plain) * end(nothing)[0]
                for end in (lambda one: one.bound_low, lambda one: one.bound_high)
            ]
        )
    low, high = np.mean(ends, axis=0)
    assert low - 0.03 < 0.4 < high + 0.03
    assert high - low > 0.1


@pytest.mark.parametrize("world", WORLDS)
def test_a_stitched_store_tells_it_too(world):
    alone, measured, bounded = [], [], 0
    for seed in range(2):
        rows = []
        for effect in (0.0, 0.6):
            made = WORLDS[world](np.random.default_rng(100 + seed), 4000, effect)
            found = ck.stitch(events(made)).experiment("variant", within="60D")
            assert 0.16 < found.people["both"].mean() < 0.24
            row = found.table.query("metric == 'goals' and arm == 'new'").iloc[0]
            bounded += row["bound_low"] <= row["undiluted"] <= row["bound_high"]
            own, outcome, *_ = credited(made)
            # Stitched are the true people, so that it is what the worlds say themselves.
            total = outcome.sum(axis=1)
            expected = total[own == 1].mean() / total[own == 0].mean() - 1
            assert row["relative"] == pytest.approx(expected, rel=1e-9)
            rows.append(row)
        alone.append(rows[1]["undiluted"] - rows[0]["undiluted"])
        measured.append(rows[1]["relative"] - rows[0]["relative"])
    assert bounded == 4
    assert np.mean(alone) == pytest.approx(0.6, abs=0.12)
    assert np.mean(measured) < np.mean(alone) - 0.05


outcomes = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=30
)


@given(outcomes)
@tries(300)
def test_an_arm_seen_alone_lies_within_the_bounds(people):
    arm = np.array([0, 0, 1, 1, *(one[0] for one in people)])
    outcome = np.array([[2, 0]] * 2 + [[0, 2]] * 2 + [one[1:] for one in people], dtype=float)
    several = np.where(arm == 0, outcome[:, 1], outcome[:, 0])
    found = undiluted(CreditedByArm(arm, outcome, several, np.zeros(len(arm))), 2, Looking(0.05))
    total = outcome.sum(axis=1)
    measured = total[arm == 1].mean() / total[arm == 0].mean()
    low, high = (measured * float(end[0]) - 1 for end in (found.bound_low, found.bound_high))
    assert low <= measured - 1 + 1e-12
    assert measured - 1 <= high + 1e-12
    if np.isfinite([low, high]).all() and low > -1 and not np.isnan(found.relative[0]):
        assert low - 1e-9 <= found.relative[0] <= high + 1e-9


def test_as_many_profiles_as_are_asked_for_find_the_effect_as_often():
    s = ck.stitch(ck.simulate_store(people=600, seed=2).events)
    plan = s.experiment_power("Placed Order", effect=[0.3], power=0.8).table.iloc[0]
    rng = np.random.default_rng(24)
    half = int(plan["profiles"]) // 2
    arms = [
        moments((rng.random((2000, half)) < plan["mean"] * more).astype(float)) for more in (1, 1.3)
    ]
    found = difference(adjusted(*arms), Looking(0.05)).p_value < 0.05
    assert 0.76 < found.mean() < 0.84
