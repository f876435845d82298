"""Tests whether groups differ: against other libraries, and whether they hold their level."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from convergekit.base import group_tests
from convergekit.base.group_tests import (
    clustered_log_rank,
    clustered_shares,
    every_pair,
    holm,
    log_rank,
    shares_differ,
)
from tests.base.reference_survival import (
    slow_clustered,
    slow_clustered_log_rank,
    slow_freeman_halton,
    slow_log_rank,
)

rows_of_groups = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(-1, 3)), max_size=40
)


def drawn(seed, groups, rows=300):
    rng = np.random.default_rng(seed)
    return rng.integers(1, 25, rows), rng.random(rows) < 0.4, rng.integers(0, groups, rows)


@pytest.mark.parametrize("groups", [2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_the_log_rank_test_is_that_of_the_book_and_of_other_libraries(seed, groups, monkeypatch):
    time, happened, group = drawn(seed, groups)
    found = log_rank(time, happened, group)
    assert found.method == "log-rank"
    assert found.degrees == groups - 1
    assert found.statistic == pytest.approx(slow_log_rank(time, happened, group), rel=1e-5)
    # Block by block the sums are the same.
    monkeypatch.setattr(group_tests, "_BLOCK", 3 * groups)
    assert log_rank(time, happened, group) == found


@pytest.mark.parametrize("groups", [2, 5])
def test_the_log_rank_test_is_that_of_statsmodels(groups):
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    time, happened, group = drawn(3, groups)
    statistic, p_value = survfunc.survdiff(time, happened.astype(int), group)
    found = log_rank(time, happened, group)
    assert found.statistic == pytest.approx(statistic, rel=1e-5)
    assert found.p_value == pytest.approx(p_value, rel=1e-5)


@pytest.mark.parametrize("groups", [2, 5])
def test_the_log_rank_test_is_that_of_lifelines(groups):
    statistics = pytest.importorskip("lifelines.statistics")
    time, happened, group = drawn(4, groups)
    with warnings.catch_warnings():
        # It calls pandas in ways that pandas deprecates.
        warnings.simplefilter("ignore")
        expected = statistics.multivariate_logrank_test(time, group, happened)
    found = log_rank(time, happened, group)
    assert found.statistic == pytest.approx(expected.test_statistic, rel=1e-5)
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-5)


@pytest.mark.parametrize(("groups", "strata"), [(2, 1), (3, 1), (3, 4)])
def test_the_clustered_log_rank_test_is_its_definition(groups, strata):
    time, happened, group = drawn(5, groups, rows=80)
    rng = np.random.default_rng(6)
    cluster, stratum = rng.integers(0, 30, 80), rng.integers(0, strata, 80)
    found = clustered_log_rank(time, happened, group, cluster, stratum)
    slow = slow_clustered_log_rank(time, happened, group, cluster, stratum)
    assert (found.method, found.degrees) == ("log-rank, clustered", groups - 1)
    assert found.statistic == pytest.approx(slow, rel=1e-5)
    order = rng.permutation(80)
    columns = (time, happened, group, cluster, stratum)
    assert clustered_log_rank(*(column[order] for column in columns)) == found


def test_the_clustered_log_rank_test_agrees_where_each_row_is_of_somebody_else():
    time, happened, group = drawn(7, 3, rows=4000)
    every, one = np.arange(4000), np.zeros(4000, dtype=np.int64)
    found = clustered_log_rank(time, happened, group, every, one)
    # Ties are taken as one moment of many, so the variances are not quite equal.
    assert found.statistic == pytest.approx(log_rank(time, happened, group).statistic, rel=0.1)
    # The same people once more: twice the rows say no more.
    twice = [np.tile(column, 2) for column in (time, happened, group, every, one)]
    assert clustered_log_rank(*twice).statistic == pytest.approx(found.statistic, rel=1e-5)
    nobody = clustered_log_rank(time, np.zeros(4000, dtype=bool), group, every, one)
    assert nobody[3:] == (1, "nobody converted")
    apart = clustered_log_rank(time, happened, group, every, stratum=group)
    assert np.isnan(apart.p_value)
    assert apart.reason == "no two groups are observed at the same time"
    alone = clustered_log_rank(time, happened, one, every, one)
    assert alone.reason == "only one group has rows"


@given(rows_of_groups, st.randoms(use_true_random=False))
def test_no_rows_break_a_test_and_their_order_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    answers = []
    for order in (rows, shuffled):
        time, happened, group = (
            np.array([row[i] for row in order], dtype=kind)
            for i, kind in enumerate((np.int64, bool, np.int64))
        )
        known = group >= 0
        size = np.bincount(group[known], minlength=4)
        converted = np.bincount(group[known & happened], minlength=4)
        answers.append(
            [
                log_rank(time, happened, group),
                shares_differ(converted, size),
                # Here the time is whose row it is.
                clustered_shares(happened, group, time),
                clustered_log_rank(*(v[known] for v in (time, happened, group, time, time % 2))),
            ]
        )
    assert repr(answers[0]) == repr(answers[1])
    groups = len(np.unique(group[known]))
    for found in answers[0]:
        assert bool(found.reason) or 0 <= found.p_value < 1 + 1e-12
        if groups < 2:
            assert np.isnan(found.p_value)
            assert found.reason in ("only one group has rows", "no group has rows")
        elif not (happened & known).any():
            assert (found.p_value, found.reason) == (1, "nobody converted")


def test_groups_that_say_nothing():
    ones = np.ones(4, dtype=bool)
    two = np.array([0, 0, 1, 1])
    at_once = log_rank(np.full(4, 3), ones, two)
    assert at_once[3:] == (1, "everybody observed converted at the same time")
    # The one group is observed up to 2 only, and the other converts later.
    later = log_rank(np.array([1, 2, 3, 4]), np.array([False, False, True, True]), two)
    assert np.isnan(later.p_value)
    assert later.reason == "no two groups are observed at the same time"
    assert shares_differ(np.array([5, 7]), np.array([5, 7])).reason == "everybody converted"
    assert clustered_shares(ones, two, two).reason == "everybody converted"


def test_a_group_that_is_never_at_risk_has_no_degree_of_freedom():
    time, happened, group = drawn(1, 2)
    alone = log_rank(time, happened, group)
    more = log_rank(np.append(time, 0), np.append(happened, False), np.append(group, 2))
    assert more == alone


def test_three_rows_are_a_group_beside_many():
    rng = np.random.default_rng(2)
    size = 200_000
    time, happened = rng.integers(1, 1000, size), rng.random(size) < 0.1
    group = np.where(np.arange(size) < 3, 2, np.arange(size) % 2)
    found = log_rank(time, happened, group)
    assert found.degrees == 2
    assert 0.001 < found.p_value < 1


def test_chi_squared_is_pearsons():
    converted, size = np.array([30, 45, 50, 20]), np.array([100, 120, 110, 90])
    found = shares_differ(converted, size)
    expected = scipy.stats.chi2_contingency([converted, size - converted], correction=False)
    assert found.method == "chi-squared"
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-5)
    assert (found.degrees, found.p_value) == (3, pytest.approx(expected.pvalue, rel=1e-5))


def test_the_test_is_exact_where_fewer_than_five_are_expected():
    assert shares_differ(np.array([5, 5]), np.array([10, 10])).method == "chi-squared"
    few = shares_differ(np.array([4, 5]), np.array([10, 10]))
    assert few.method == "Fisher's exact test"
    assert few.p_value == pytest.approx(scipy.stats.fisher_exact([[4, 6], [5, 5]]).pvalue)
    assert np.isnan(few.statistic)
    assert shares_differ(np.array([4, 5, 1]), np.array([9, 9, 9])).method == "Fisher-Freeman-Halton"


@given(
    st.lists(
        st.integers(1, 5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=3,
        max_size=5,
    )
)
def test_freeman_and_haltons_test_is_that_of_all_tables(cells):
    converted, size = np.array(cells).T
    found = shares_differ(converted, size)
    if not found.reason:
        assert found.method == "Fisher-Freeman-Halton"
        expected = slow_freeman_halton(converted.tolist(), size.tolist())
        assert found.p_value == pytest.approx(expected, rel=1e-5)


def test_freeman_and_haltons_test_of_two_groups_would_be_fishers(monkeypatch):
    converted, size = np.array([1, 8, 0]), np.array([9, 11, 1])
    monkeypatch.setattr(group_tests, "MOST_TABLES", 3)
    few = shares_differ(converted, size)
    assert few.method == "Fisher-Freeman-Halton, 100,000 tables drawn"
    assert few.p_value == pytest.approx(slow_freeman_halton([1, 8, 0], [9, 11, 1]), abs=0.002)


def test_more_tables_than_can_be_enumerated_are_drawn_always_the_same():
    converted, size = np.array([900, 1010, 980, 2]), np.array([9000, 10_000, 10_000, 4])
    found = shares_differ(converted, size)
    assert found.method == "Fisher-Freeman-Halton, 100,000 tables drawn"
    assert shares_differ(converted[::-1], size[::-1]) == found
    # Two of four, where one in ten is usual: Fisher's test of them beside the rest says 0.05.
    without = shares_differ(converted[:3], size[:3])
    assert without.method == "chi-squared"
    assert 0.05 < found.p_value < without.p_value


def test_few_tables_of_many_rows_are_enumerated():
    found = shares_differ(np.array([1, 0, 400_000]), np.array([1, 1, 1_000_000]))
    assert found.method == "Fisher-Freeman-Halton"
    # As 0.4 * 0.6, and less probable ones: 0.4 * 0.4, but for a rounding of the rest.
    assert found.p_value == pytest.approx(0.24 * 2 + 0.16, abs=1e-5)


@pytest.mark.parametrize("groups", [2, 4])
def test_the_clustered_test_is_that_of_the_book(groups):
    rng = np.random.default_rng(groups)
    cluster = rng.integers(0, 60, 300)
    group, converted = rng.integers(0, groups, 300), rng.random(300) < 0.3
    found = clustered_shares(converted, group, cluster)
    assert (found.method, found.degrees) == ("score test, clustered", groups - 1)
    expected = slow_clustered(converted.tolist(), group.tolist(), cluster.tolist())
    assert found.statistic == pytest.approx(expected, rel=1e-5)
    # Names of profiles and rows without a group do not matter.
    named = clustered_shares(
        np.append(converted, True), np.append(group, -1), np.append(7 * cluster - 100, 5)
    )
    assert named == found


def test_the_clustered_test_of_single_visits_is_nearly_pearsons():
    rng = np.random.default_rng(5)
    group, converted = rng.integers(0, 3, 5000), rng.random(5000) < 0.2
    found = clustered_shares(converted, group, np.arange(5000))
    pearson = shares_differ(np.bincount(group, converted).astype(int), np.bincount(group))
    assert found.statistic == pytest.approx(pearson.statistic, rel=0.1)


def sticky_store(rng, effect=1.0, people=600):
    """Draw visits: a few people buy at every second one, and a person's source stays the same."""
    visits = rng.geometric(0.25, people)
    cluster = np.repeat(np.arange(people), visits)
    inclined = rng.choice([0.02, 0.5], people, p=[0.85, 0.15])
    source = rng.integers(0, 3, people)
    moved = rng.random(len(cluster)) < 0.1
    group = np.where(moved, rng.integers(0, 3, len(cluster)), source[cluster])
    chance = inclined[cluster] * np.where(group == 0, effect, 1.0)
    return rng.random(len(cluster)) < chance, group, cluster


def test_a_test_of_sticky_people_holds_its_level_and_finds_effects():
    rng = np.random.default_rng(22)
    alarms = {"clustered": 0, "as if independent": 0, "of an effect": 0}
    for _ in range(600):
        converted, group, cluster = sticky_store(rng)
        alarms["clustered"] += clustered_shares(converted, group, cluster).p_value < 0.05
        counts = np.bincount(group, converted).astype(int), np.bincount(group)
        alarms["as if independent"] += shares_differ(*counts).p_value < 0.05
    for _ in range(100):
        rows = sticky_store(rng, effect=1.6, people=3000)
        alarms["of an effect"] += clustered_shares(*rows).p_value < 0.05
    assert 18 <= alarms["clustered"] <= 45
    assert alarms["as if independent"] > 150
    assert alarms["of an effect"] > 80


def test_the_log_rank_test_holds_its_level_where_shares_do_not():
    """In the later weeks windows are open, and nothing differs."""
    rng = np.random.default_rng(3)
    alarms = {"log-rank": 0, "shares": 0}
    for _ in range(600):
        week = rng.integers(0, 3, 900)
        converts = np.where(rng.random(900) < 0.4, rng.exponential(5, 900), np.inf)
        observed = np.minimum(10 * rng.random(900) + 5 * (2 - week), 14)
        time = (np.minimum(converts, observed) * 1e6).astype(np.int64)
        happened = converts <= observed
        alarms["log-rank"] += log_rank(time, happened, week).p_value < 0.05
        counts = np.bincount(week, happened).astype(int), np.bincount(week)
        alarms["shares"] += shares_differ(*counts).p_value < 0.05
    assert 18 <= alarms["log-rank"] <= 45
    assert alarms["shares"] > 150


@given(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=8))
def test_holms_values_are_those_of_his_procedure(p_values):
    given_values = np.array(p_values, dtype=np.float64)
    found = holm(given_values)
    known = sorted(value for value in p_values if not np.isnan(value))
    for value, adjusted in zip(p_values, found, strict=True):
        if np.isnan(value):
            assert np.isnan(adjusted)
        else:
            steps = [(len(known) - i) * p for i, p in enumerate(known) if p <= value]
            assert adjusted == pytest.approx(min(max(steps), 1), rel=1e-5)


def test_holms_values_are_those_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p_values = np.random.default_rng(0).random(12) ** 3
    expected = multitest.multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected, rel=1e-5)


def test_every_pair_is_tested_by_itself():
    time, happened, group = drawn(9, 4)

    def test(one, other):
        mine = np.isin(group, [one, other])
        return log_rank(time[mine], happened[mine], group[mine])

    pairs = every_pair([0, 1, 2, 3], test)
    assert [(pair.one, pair.other) for pair in pairs] == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3),
    ]  # fmt: skip
    assert all(pair.test == test(pair.one, pair.other) for pair in pairs)
    values = np.array([pair.test.p_value for pair in pairs])
    assert [pair.adjusted for pair in pairs] == holm(values).tolist()
    assert every_pair([0], test) == []
