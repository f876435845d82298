"""The share that has converted by a time, where windows are open: one row up to many."""

from __future__ import annotations

import warnings
from math import exp, log, sqrt

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.base.survival import at_window, cumulative_incidence, kaplan_meier
from convergekit.errors import ConvergekitError
from tests.base.reference_survival import slow_incidence, slow_kaplan_meier

DAY = 86_400_000_000
Z = 1.959963984540054

observations = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40)
several_ends = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=40)


def arrays(rows):
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def drawn(seed, rows=400, longest=30):
    """Draw times with many ties, most of them at the window's end, as funnels have them."""
    rng = np.random.default_rng(seed)
    converts = rng.integers(0, 3 * longest, rows) * DAY
    observed = np.minimum(rng.integers(0, 2 * longest, rows), longest) * DAY
    return np.minimum(converts, observed), converts <= observed


@given(observations)
def test_a_curve_is_that_of_the_book(rows):
    time, happened = arrays(rows)
    curve = kaplan_meier(time, happened)
    expected = slow_kaplan_meier(time.tolist(), happened.tolist())
    assert curve.time.tolist() == [row[0] for row in expected]
    assert curve.share == pytest.approx([float(row[1]) for row in expected], abs=1e-14)
    assert curve.at_risk.tolist() == [row[2] for row in expected]
    assert curve.converted.tolist() == [row[3] for row in expected]
    assert curve.waiting == pytest.approx(1 - curve.share)


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_is_that_of_lifelines(seed):
    lifelines = pytest.importorskip("lifelines")
    time, happened = drawn(seed)
    curve = kaplan_meier(time, happened, 0.9)
    with warnings.catch_warnings():
        # It calls pandas in ways that pandas deprecates.
        warnings.simplefilter("ignore")
        fitted = lifelines.KaplanMeierFitter(alpha=0.1).fit(time, happened)
    waiting = fitted.survival_function_["KM_estimate"].loc[curve.time]
    assert curve.share == pytest.approx(1 - waiting.to_numpy(), abs=1e-9)
    some = curve.share > 0
    edges = 1 - fitted.confidence_interval_.loc[curve.time[some]].to_numpy()
    assert curve.low[some] == pytest.approx(edges[:, 1], abs=1e-6)
    assert curve.high[some] == pytest.approx(edges[:, 0], abs=1e-6)
    at = at_window(time, happened, 30 * DAY, 0.9)
    # Some convert, and some are censored, at the very end of the window.
    assert (happened & (time == 30 * DAY)).any()
    assert (~happened & (time == 30 * DAY)).any()
    expected = fitted.survival_function_at_times(30 * DAY).iloc[0]
    assert at.share == pytest.approx(1 - expected, abs=1e-9)
    assert at.observed == (time == 30 * DAY).sum()


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_is_that_of_scipy(seed):
    time, happened = drawn(seed)
    curve = kaplan_meier(time, happened, 0.8)
    waiting = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(time, ~happened)).sf
    interval = waiting.confidence_interval(0.8, method="log-log")
    some = curve.share > 0
    for found, expected in (
        (curve.share, waiting), (curve.low, interval.high), (curve.high, interval.low)
    ):  # fmt: skip
        assert found[some] == pytest.approx(1 - expected.evaluate(curve.time[some]), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_is_that_of_statsmodels(seed):
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    time, happened = drawn(seed)
    curve = kaplan_meier(time, happened)
    found = survfunc.SurvfuncRight(time, happened.astype(int))
    at = curve.converted > 0
    assert curve.time[at].tolist() == found.surv_times.tolist()
    assert curve.share[at] == pytest.approx(1 - found.surv_prob, abs=1e-12)
    assert np.sqrt(curve.variance[at]) == pytest.approx(found.surv_prob_se, rel=1e-9)


def test_a_conversion_comes_before_a_censoring_at_the_same_time():
    curve = kaplan_meier(np.array([5, 5, 5]), np.array([False, True, False]))
    assert curve.share.tolist() == [pytest.approx(1 / 3)]
    assert curve.at_risk.tolist() == [3]


def test_without_open_windows_the_share_is_that_of_all():
    time, happened = np.array([1, 7, 7, 2, 7]), np.array([True, False, True, True, False])
    at = at_window(time, happened, 7)
    assert at.share == pytest.approx(3 / 5)
    curve = kaplan_meier(time, happened)
    assert curve.variance[-1] == pytest.approx(0.6 * 0.4 / 5)
    waits, error = log(0.4), Z * sqrt(0.6 * 0.4 / 5) / (0.4 * -log(0.4))
    assert at.low == six_digits(1 - exp(waits * exp(-error)))
    assert at.high == six_digits(1 - exp(waits * exp(error)))


@given(observations, st.integers(0, 12), st.sampled_from([0.5, 0.95]))
def test_a_share_lies_in_its_interval_and_rows_have_no_order(rows, window, confidence):
    time, happened = arrays(rows)
    found = at_window(time, happened, window, confidence)
    again = at_window(time[::-1], happened[::-1], window, confidence)
    assert repr(found) == repr(again)
    # Whether anybody is left whose conversion in the window is still open, and nobody who shows it.
    reached = (time >= window).any() or any(
        row[1] == 1 for row in slow_kaplan_meier(time.tolist(), happened.tolist())
    )
    assert bool(found.reason) is not reached
    if reached:
        assert 0 <= found.low <= found.share + 1e-6
        assert found.share - 1e-6 <= found.high <= 1
        assert found.low < found.high
        expected = [row for row in slow_kaplan_meier(time, happened) if row[0] <= window]
        assert found.share == pytest.approx(float(expected[-1][1]) if expected else 0)
        assert found.observed == (time >= window).sum()
    else:
        assert np.isnan([found.share, found.low, found.high]).all()


def test_one_row():
    wilson = Z**2 / (1 + Z**2)
    waits = at_window(np.array([7]), np.array([False]), 7)
    assert (waits.share, waits.low, waits.high) == (0, 0, six_digits(wilson))
    converts = at_window(np.array([3]), np.array([True]), 7)
    assert (converts.share, converts.low, converts.high) == (1, six_digits(1 - wilson), 1)
    early = at_window(np.array([3]), np.array([False]), 7)
    assert np.isnan(early.share)
    assert early.reason == "the data end before the window of anybody who has not converted"


def test_nobody_is_known():
    nothing = at_window(np.array([], dtype=np.int64), np.array([], dtype=bool), 7)
    assert (nothing.observed, nothing.reason) == (0, "nobody entered")
    assert len(kaplan_meier(np.array([], dtype=np.int64), np.array([], dtype=bool)).time) == 0
    # One converted, and the others are not observed for long enough: the rest is not known.
    early = at_window(np.array([1, 2, 3]), np.array([True, False, False]), 7)
    assert np.isnan(early.share)
    assert early.reason


@pytest.mark.parametrize("hits", [0, 20])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_where_nobody_or_everybody_converted_the_interval_is_wilsons(hits, confidence):
    happened = np.full(20, hits == 20)
    time = np.arange(1, 21) if hits else np.full(20, 30)
    found = at_window(time, happened, 30, confidence)
    wilson = scipy.stats.binomtest(hits, 20).proportion_ci(confidence, method="wilson")
    assert (found.low, found.high) == (six_digits(wilson.low), six_digits(wilson.high))


def test_everybody_converted_but_for_those_who_were_not_observed():
    # Ten of 100 convert, 89 are not observed for longer, and the last one converts: the estimate
    # is 1, and hangs on one person.
    time = np.array([1] * 10 + [2] * 89 + [3])
    happened = np.array([True] * 10 + [False] * 89 + [True])
    found = at_window(time, happened, 7)
    assert found.share == 1
    assert found.low < 0.3
    # As much as 1 / 0.9 rows are worth.
    assert found.low == six_digits((1 / 0.9) / (1 / 0.9 + Z**2))


def test_longer_observation_than_the_window_adds_nothing():
    time, happened = np.array([2, 9, 9, 12]), np.array([True, True, False, True])
    found = at_window(time, happened, 5)
    assert (found.share, found.observed) == (pytest.approx(0.25), 3)


def test_who_left_cannot_convert():
    time = np.array([1, 2, 3, 7, 7])
    happened = np.array([False, True, False, False, True])
    left = np.array([True, False, False, False, False])
    found = at_window(time, happened, 7, left=left)
    # One left, one of the four others converted, one is not observed longer, one of two converts.
    assert found.share == pytest.approx(1 / 5 + 3 / 5 * 1 / 2)
    assert found.share < at_window(time, happened, 7).share
    everybody_left = at_window(np.array([1, 1]), np.array([False] * 2), 7, left=np.ones(2, bool))
    assert (everybody_left.share, everybody_left.reason) == (0, "")
    after = at_window(np.array([9, 9]), np.array([False] * 2), 7, left=np.ones(2, bool))
    assert (after.share, after.observed) == (0, 2)


@given(several_ends)
def test_shares_of_several_ends_are_those_of_the_book(rows):
    time, end = arrays(rows)
    curves = cumulative_incidence(time, end, 3)
    for number, curve in enumerate(curves, start=1):
        expected = slow_incidence(time.tolist(), end.tolist(), number)
        assert curve.share == pytest.approx([share for share, _ in expected], abs=1e-12)
        assert curve.variance == pytest.approx([of for _, of in expected], abs=1e-12)
        assert (np.diff(curve.share) > -1e-15).all()
        assert ((curve.low <= curve.share + 1e-6) & (curve.high >= curve.share - 1e-6)).all()
    together = sum(curve.share for curve in curves)
    assert together == pytest.approx(kaplan_meier(time, end > 0).share, abs=1e-12)


@given(observations)
def test_one_end_is_kaplan_and_meiers(rows):
    time, happened = arrays(rows)
    curve, alone = kaplan_meier(time, happened), cumulative_incidence(time, happened * 1, 1)[0]
    assert curve.share.tolist() == alone.share.tolist()
    assert curve.low.tolist() == alone.low.tolist()
    assert curve.high.tolist() == alone.high.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_shares_of_several_ends_are_those_of_lifelines(seed):
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(seed)
    # Without ties, which lifelines moves apart at random.
    time, end = rng.permutation(300) + 1, rng.integers(0, 3, 300)
    for number, curve in enumerate(cumulative_incidence(time, end, 2), start=1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = lifelines.AalenJohansenFitter(jitter_level=0).fit(time, end, number)
        share = fitted.cumulative_density_.iloc[:, 0].loc[curve.time]
        assert curve.share == pytest.approx(share.to_numpy(), abs=1e-9)
        variance = fitted.variance_.loc[curve.time].to_numpy()
        known = ~np.isnan(variance)
        assert known.sum() > 290
        assert curve.variance[known] == pytest.approx(variance[known], abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_shares_of_several_ends_are_those_of_statsmodels(seed):
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(seed)
    time, end = rng.integers(1, 30, 300), rng.integers(0, 3, 300)
    found = survfunc.CumIncidenceRight(time, end)
    for curve, expected in zip(cumulative_incidence(time, end, 2), found.cinc, strict=True):
        at = np.isin(curve.time, found.times)
        assert curve.share[at] == pytest.approx(expected, abs=1e-9)


def test_an_interval_holds_the_share_as_often_as_it_says():
    rng = np.random.default_rng(7)
    truth, held = 1 - exp(-0.3), 0
    for _ in range(400):
        converts = (rng.exponential(1 / 0.3, 300) * DAY).astype(np.int64)
        observed = np.minimum((rng.uniform(0, 2, 300) * DAY).astype(np.int64), DAY)
        found = at_window(np.minimum(converts, observed), converts <= observed, DAY)
        held += found.low <= truth <= found.high
    assert 370 <= held <= 390


def test_a_confidence_is_a_share():
    for ask in (kaplan_meier, lambda *rows: at_window(*rows[:2], 7, rows[2])):
        with pytest.raises(ConvergekitError, match="confidence must be a share"):
            ask(np.array([1]), np.array([True]), 95)


@given(
    st.lists(
        st.floats(allow_nan=False)
        | st.floats(-1, 1)
        | st.integers(-(10**7), 10**7).map(lambda number: number / 10**7)
        | st.integers(0, 512).map(lambda number: number / 512)
        | st.integers(-12, 12).map(lambda power: 10.0**power)
    )
)
def test_many_numbers_are_rounded_as_one_is(values):
    found = all_to_six_digits(np.array(values, dtype=np.float64))
    assert found.tolist() == [six_digits(value) for value in values]
