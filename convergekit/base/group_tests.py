"""Whether groups differ in how many convert, and when: one test over all groups, then pairs.

Each test asks about all groups at once: of twenty pairs that do not differ, one has a p-value below
0.05. Groups are whole numbers from 0; rows of a negative number are in no group. Groups
without rows are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import scipy

from convergekit.base.grouping import distinct, run_starts
from convergekit.base.rounding import six_digits
from convergekit.typing import BoolArray, FloatArray, IntArray

#: As many tables with the same margins are enumerated; of more, as many are drawn as `_DRAWS`.
MOST_TABLES = 200_000
_DRAWS = 100_000
#: Tables as probable as the observed one but for rounding count as such, as in `fisher_exact`.
_AS_PROBABLE = 1e-7
#: As many numbers are held at once, times and groups multiplied.
_BLOCK = 4_000_000

#: Fewer expected in a cell of a table, and the test is exact.
_LEAST_EXPECTED = 5

_LOG_RANK, _CHI_SQUARED, _CLUSTERED = "log-rank", "chi-squared", "score test, clustered"
_CLUSTERED_LOG_RANK = "log-rank, clustered"
_FISHER, _FREEMAN_HALTON = "Fisher's exact test", "Fisher-Freeman-Halton"
_NOBODY, _EVERYBODY = "nobody converted", "everybody converted"
_ONE_GROUP = "only one group has rows"
_NO_ROWS = "no group has rows"


class GroupTest(NamedTuple):
    """Whether groups differ.

    Attributes
    ----------
    method : str
        What was done: ``"log-rank"``, ``"log-rank, clustered"``, ``"chi-squared"``, ``"Fisher's
        exact test"``, ``"Fisher-Freeman-Halton"``, ``"Fisher-Freeman-Halton, 100,000 tables
        drawn"`` or ``"score test, clustered"``.
    statistic : float
        Chi-squared, to six digits; missing in exact tests.
    degrees : int
        Its degrees of freedom; 0 in exact tests and where there is nothing to test.
    p_value : float
        To six digits. 1 where all groups are alike, because nobody or everybody converted; missing
        where no two groups can be compared.
    reason : str
        Why that is so; empty where a test was done.
    """

    method: str
    statistic: float
    degrees: int
    p_value: float
    reason: str


class PairTest(NamedTuple):
    """Whether two groups differ.

    Attributes
    ----------
    one, other : int
        The groups.
    test : GroupTest
        Of these two groups.
    adjusted : float
        Its p-value adjusted for the number of pairs, as `holm` does; to six digits.
    """

    one: int
    other: int
    test: GroupTest
    adjusted: float


def log_rank(time: IntArray, happened: BoolArray, group: IntArray) -> GroupTest:
    """Test whether the conversion curves of groups differ, by the log-rank test.

    Parameters
    ----------
    time : numpy.ndarray of int
        How long each row is observed.
    happened : numpy.ndarray of bool
        Whether it converted then; else it is censored. Who is censored at the very time at which
        another converts was observed up to it.
    group : numpy.ndarray of int

    Returns
    -------
    GroupTest
        It holds where windows are open in some groups more than in others, as shares do not.

    See Also
    --------
    shares_differ : Where each row was observed to its window's end.

    Notes
    -----
    N. Mantel, "Evaluation of survival data and two new rank order statistics arising in its
    consideration", Cancer Chemotherapy Reports 50 (1966), and R. Peto and J. Peto, "Asymptotically
    efficient rank invariant test procedures", Journal of the Royal Statistical Society A 135
    (1972). At each time the conversions fall among those at risk hypergeometrically, which holds
    for ties too.

    Examples
    --------
    >>> time, group = np.array([1, 2, 3, 4, 5, 6]), np.array([0, 0, 0, 1, 1, 1])
    >>> log_rank(time, np.ones(6, dtype=bool), group)[:4]
    ('log-rank', 5.05166, 1, 0.0246023)
    """
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    starts = np.flatnonzero(run_starts(group[order]))
    if len(starts) < 2:
        return _nothing(_LOG_RANK, np.nan, _ONE_GROUP if len(starts) else _NO_ROWS)
    rows = np.split(order, starts[1:])
    times = [np.sort(time[own]) for own in rows]
    converted = [np.sort(time[own][happened[own]]) for own in rows]
    at = distinct(np.concatenate(converted))
    if not len(at):
        return _nothing(_LOG_RANK, 1.0, "nobody converted")
    excess, variance = np.zeros(len(rows)), np.zeros((len(rows), len(rows)))
    meet, step = False, max(_BLOCK // len(rows), 1)
    for start in range(0, len(at), step):
        block = at[start : start + step]
        risk = np.array([len(own) - np.searchsorted(own, block) for own in times])
        ended = np.array(
            [
                np.searchsorted(own, block, "right") - np.searchsorted(own, block)
                for own in converted
            ]
        )
        n, d = risk.sum(axis=0), ended.sum(axis=0)
        meet = meet or bool((np.count_nonzero(risk, axis=0) > 1).any())
        share = risk / n
        excess += (ended - d * share).sum(axis=1)
        weighted = d * ((n - d) / np.maximum(n - 1, 1)) * share
        between = -(weighted @ share.T)
        # Exactly zero where a group is alone at risk.
        np.fill_diagonal(between, (weighted * (1 - share)).sum(axis=1))
        variance += between
    if not (np.diag(variance) > 0).any():
        if meet:
            return _nothing(_LOG_RANK, 1.0, "everybody observed converted at the same time")
        return _nothing(_LOG_RANK, np.nan, "no two groups are observed at the same time")
    return _from_covariance(_LOG_RANK, excess, variance)


def shares_differ(converted: IntArray, size: IntArray) -> GroupTest:
    """Test whether the shares of groups that converted differ, where rows are independent.

    Parameters
    ----------
    converted, size : numpy.ndarray of int
        Of each group, how many converted and how many there are.

    Returns
    -------
    GroupTest

    See Also
    --------
    clustered_shares : Where a profile may have several rows.
    log_rank : Where windows are still open.

    Notes
    -----
    Pearson's chi-squared test without a correction, if at least 5 are expected in each cell of the
    table. Else the test is exact: Fisher's of two groups, and that of G. H. Freeman and J. H.
    Halton of more ("Note on an exact treatment of contingency, goodness of fit and other problems
    of significance", Biometrika 38, 1951): the share of tables with the same margins, weighted by
    how probable they are, that are not more probable than the observed one. All of them are
    enumerated if there are at most 200,000. Else 100,000 are drawn, always the same ones, and the
    p-value is (as improbable ones + 1) / 100,001, which keeps the level: B. Phipson and G. K.
    Smyth, "Permutation p-values should never be zero", Statistical Applications in Genetics and
    Molecular Biology 9 (2010). It is then known to about 0.0014 at 0.05.

    Examples
    --------
    >>> shares_differ(np.array([30, 45, 50]), np.array([100, 100, 100]))[:4]
    ('chi-squared', 8.91429, 2, 0.0115954)
    >>> shares_differ(np.array([0, 3, 4]), np.array([5, 5, 5])).p_value
    0.0675991
    """
    order = np.lexsort((converted, size))
    hits, sizes = (np.asarray(at, dtype=np.int64)[order] for at in (converted, size))
    hits, sizes = hits[sizes > 0], sizes[sizes > 0]
    if len(sizes) < 2:
        return _nothing(_CHI_SQUARED, np.nan, _ONE_GROUP if len(sizes) else _NO_ROWS)
    total, everybody = int(hits.sum()), int(sizes.sum())
    if total in (0, everybody):
        return _nothing(_CHI_SQUARED, 1.0, _NOBODY if not total else _EVERYBODY)
    if int(sizes[0]) * min(total, everybody - total) >= _LEAST_EXPECTED * everybody:
        share = total / everybody
        statistic = np.sum((hits - sizes * share) ** 2 / (sizes * share * (1 - share)))
        return _chi_squared(_CHI_SQUARED, float(statistic), len(sizes) - 1)
    if len(sizes) == 2:
        table = np.array([hits, sizes - hits])
        return _exact(_FISHER, float(scipy.stats.fisher_exact(table).pvalue))
    observed = _log_ways(hits, sizes).sum()
    ways = _enumerated(sizes, total)
    if ways is not None:
        likely = np.exp(ways - ways.max())
        improbable = likely[ways <= observed + _AS_PROBABLE]
        return _exact(_FREEMAN_HALTON, float(improbable.sum() / likely.sum()))
    # Always the same ones: the groups are in the order of their sizes.
    rng = np.random.Generator(np.random.PCG64(0))
    tables = rng.multivariate_hypergeometric(sizes, total, size=_DRAWS)
    improbable = _log_ways(tables, sizes).sum(axis=1) <= observed + _AS_PROBABLE
    drawn = (np.count_nonzero(improbable) + 1) / (_DRAWS + 1)
    return _exact(f"{_FREEMAN_HALTON}, {_DRAWS:,} tables drawn", drawn)


def clustered_shares(converted: BoolArray, unit_group: IntArray, cluster: IntArray) -> GroupTest:
    """Test whether the shares of groups that converted differ, where units come in clusters.

    The visits of a profile are alike: some people buy at each of them. As if each visit were
    somebody else's, a test would find differences far too often.

    Parameters
    ----------
    converted : numpy.ndarray of bool
        Whether each unit (visit, attempt) converted.
    unit_group : numpy.ndarray of int
        A profile's units may be in several groups.
    cluster : numpy.ndarray of int
        Whose unit it is.

    Returns
    -------
    GroupTest

    Notes
    -----
    The generalised score test of equal shares with independence as the working correlation: D. D.
    Boos, "On generalized score tests", The American Statistician 46 (1992), and A. Rotnitzky and
    N. P. Jewell, "Hypothesis testing of regression parameters in semiparametric generalized linear
    models for cluster correlated data", Biometrika 77 (1990). Of each group it takes how many more
    converted than the common share would give; the covariances of these sums are added up over
    clusters, as between the sampling units of J. N. K. Rao and A. J. Scott, "A simple method for
    the analysis of clustered binary data", Biometrics 48 (1992).

    Examples
    --------
    Two people of ten visits each, the one in either group:

    >>> group = np.repeat([0, 1], 10)
    >>> clustered_shares(group == 0, group, cluster=group).p_value > 0.1
    True
    """
    known = unit_group >= 0
    hit, (found, group) = converted[known], np.unique(unit_group[known], return_inverse=True)
    if len(found) < 2:
        return _nothing(_CLUSTERED, np.nan, _ONE_GROUP if len(found) else _NO_ROWS)
    total, size = np.bincount(group, hit).astype(np.int64), np.bincount(group)
    if hit.all() or not hit.any():
        return _nothing(_CLUSTERED, 1.0, _EVERYBODY if hit.any() else _NOBODY)
    people, whose = np.unique(cluster[known], return_inverse=True)
    # Whole numbers, so that the sums do not depend on the order of rows.
    shape, at = (len(people), len(found)), (whose, group)
    hits = scipy.sparse.coo_array((hit.astype(np.int64), at), shape=shape).tocsr()
    units = scipy.sparse.coo_array((np.ones(len(hit), dtype=np.int64), at), shape=shape).tocsr()
    share = total.sum() / len(hit)
    mixed = (hits.T @ units).toarray()
    products = (hits.T @ hits).toarray() - share * (mixed + mixed.T)
    products += share**2 * (units.T @ units).toarray()
    # The common share is estimated from the same units, which takes from each group's excess its
    # part of the excess of all.
    part = size / len(hit)
    along = np.outer(products.sum(axis=1), part)
    covariance = products - along - along.T + products.sum() * np.outer(part, part)
    return _from_covariance(_CLUSTERED, total - share * size, covariance)


def clustered_log_rank(
    time: IntArray, happened: BoolArray, group: IntArray, cluster: IntArray, stratum: IntArray
) -> GroupTest:
    """Test whether conversion curves differ, where profiles have rows in several groups.

    So it is with periods: whoever comes in two weeks is in both, and one order may count in both.

    Parameters
    ----------
    time, happened, group
        As `log_rank` takes them; no group is negative.
    cluster : numpy.ndarray of int
        Whose row it is.
    stratum : numpy.ndarray of int
        Rows are compared with those of their own stratum alone.

    Returns
    -------
    GroupTest

    See Also
    --------
    log_rank : Where each profile has one row.

    Notes
    -----
    Of each group it takes how many more converted than expected, as the log-rank test does, in each
    stratum by itself. The covariances of these sums are added up over clusters, from what each row
    contributes: D. Y. Lin and L. J. Wei, "The robust inference for the Cox proportional hazards
    model", Journal of the American Statistical Association 84 (1989), and E. W. Lee, L. J. Wei and
    D. A. Amato, "Cox-type regression analysis for large numbers of small groups of correlated
    failure time observations", Survival Analysis: State of the Art (1992).

    Examples
    --------
    Two people of four rows each, the one in either group:

    >>> group, one = np.repeat([0, 1], 4), np.zeros(8, dtype=np.int64)
    >>> time = np.array([1, 2, 3, 4, 5, 6, 7, 8])
    >>> happened = np.ones(8, dtype=bool)
    >>> clustered_log_rank(time, happened, group, group, one).p_value > 0.1
    True
    """
    found, group = np.unique(group, return_inverse=True)
    if len(found) < 2:
        return _nothing(_CLUSTERED_LOG_RANK, np.nan, _ONE_GROUP if len(found) else _NO_ROWS)
    if not happened.any():
        return _nothing(_CLUSTERED_LOG_RANK, 1.0, "nobody converted")
    people, whose = np.unique(cluster, return_inverse=True)
    # In an order of their own, so that sums do not depend on that of rows.
    order = np.lexsort((~happened, time, group, whose, stratum))
    starts = np.flatnonzero(run_starts(stratum[order]))
    excess = np.zeros((len(people), len(found)))
    for rows in np.split(order, starts[1:]):
        np.add.at(
            excess, whose[rows], _contributions(time[rows], happened[rows], group[rows], len(found))
        )
    covariance = excess.T @ excess
    # What is left of sums that cancel out does not count as variance.
    np.fill_diagonal(covariance, np.where(np.diag(covariance) > 1e-12, np.diag(covariance), 0.0))
    if not np.diag(covariance).any():
        return _nothing(_CLUSTERED_LOG_RANK, np.nan, "no two groups are observed at the same time")
    return _from_covariance(_CLUSTERED_LOG_RANK, excess.sum(axis=0), covariance)


def _contributions(time: IntArray, happened: BoolArray, group: IntArray, groups: int) -> FloatArray:
    """Return what each row adds to the excess of each group: what it did, less what was expected.

    It is expected to convert at the pace of all, for as long as it is observed.
    """
    at, ended = np.unique(time[happened], return_counts=True)
    sizes = np.bincount(group, minlength=groups)
    risk = np.stack(
        [sizes[own] - np.searchsorted(np.sort(time[group == own]), at) for own in range(groups)],
        axis=1,
    )
    pace = ended / risk.sum(axis=1)
    share = risk / risk.sum(axis=1)[:, None]
    passed = np.searchsorted(at, time, side="right")
    own = np.eye(groups)[group]
    expected = own * np.append(0.0, np.cumsum(pace))[passed, None]
    expected -= np.vstack([np.zeros(groups), np.cumsum(pace[:, None] * share, axis=0)])[passed]
    did = np.zeros((len(time), groups))
    did[happened] = own[happened] - share[passed[happened] - 1]
    contributed: FloatArray = did - expected
    return contributed


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values for their number, so that one alarm in all is as rare as the level says.

    Parameters
    ----------
    p_values : numpy.ndarray of float
        Missing ones are not counted, and stay missing.

    Returns
    -------
    numpy.ndarray of float
        To six digits, at most 1.

    Notes
    -----
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    times = np.arange(len(order), 0, -1)
    raised = np.minimum(np.maximum.accumulate(times * p_values[order]), 1.0)
    adjusted[order] = [six_digits(value) for value in raised.tolist()]
    return adjusted


def every_pair(groups: Sequence[int], test: Callable[[int, int], GroupTest]) -> list[PairTest]:
    """Test each two groups, with p-values adjusted for the number of pairs.

    Parameters
    ----------
    groups : sequence of int
    test : callable
        Takes two groups, and returns the same test as over all groups, of these two alone.

    Returns
    -------
    list of PairTest
        In the order of `groups`.

    Examples
    --------
    >>> converted, size = np.array([30, 45, 50]), np.array([100, 100, 100])
    >>> pairs = every_pair(
    ...     range(3), lambda *two: shares_differ(converted[list(two)], size[list(two)])
    ... )
    >>> [(pair.one, pair.other, pair.test.p_value, pair.adjusted) for pair in pairs]
    [(0, 1, 0.0284597, 0.0569194), (0, 2, 0.00389242, 0.0116773), (1, 2, 0.47895, 0.47895)]
    """
    pairs = [(one, other, test(one, other)) for one, other in itertools.combinations(groups, 2)]
    adjusted = holm(np.array([found.p_value for _, _, found in pairs], dtype=np.float64))
    return [PairTest(*pair, by) for pair, by in zip(pairs, adjusted.tolist(), strict=True)]


def _enumerated(sizes: IntArray, total: int) -> FloatArray | None:
    """Return in how many ways each table with these margins comes about, as logarithms.

    Each part of a table can be completed in at least one way, so there are too many tables as soon
    as there are too many parts of one: None.
    """
    left, ways = np.array([total]), np.zeros(1)
    for place, size in enumerate(sizes):
        least = np.maximum(left - sizes[place + 1 :].sum(), 0)
        choices = np.minimum(left, size) - least + 1
        if choices.sum() > MOST_TABLES:
            return None
        ends = np.cumsum(choices)
        nth = np.arange(ends[-1]) - np.repeat(ends - choices, choices)
        chosen = np.repeat(least, choices) + nth
        left = np.repeat(left, choices) - chosen
        ways = np.repeat(ways, choices) + _log_ways(chosen, size)
    return ways


def _log_ways(chosen: IntArray, size: IntArray) -> FloatArray:
    """Return the logarithm of in how many ways so many are chosen of a group."""
    log_factorial = scipy.special.gammaln
    return (
        log_factorial(size + 1.0) - log_factorial(chosen + 1.0) - log_factorial(size - chosen + 1.0)
    )


def _from_covariance(method: str, excess: FloatArray, covariance: FloatArray) -> GroupTest:
    """Return the test that excesses, which add up to nothing, are all zero.

    Their covariance has no inverse, and groups that could not differ have none at all: the degrees
    of freedom are in how many directions it varies.
    """
    varies = np.diag(covariance) > 0
    scale = np.sqrt(np.diag(covariance)[varies])
    # As correlations, so that a small group counts beside a large one.
    correlation = covariance[np.ix_(varies, varies)] / np.outer(scale, scale)
    lengths, directions = np.linalg.eigh(correlation)
    kept = lengths > 1e-9
    along = directions[:, kept].T @ (excess[varies] / scale)
    return _chi_squared(method, float(np.sum(along**2 / lengths[kept])), int(kept.sum()))


def _chi_squared(method: str, statistic: float, degrees: int) -> GroupTest:
    p_value = float(scipy.special.chdtrc(degrees, statistic))
    return GroupTest(method, six_digits(statistic), degrees, six_digits(p_value), "")


def _exact(method: str, p_value: float) -> GroupTest:
    return GroupTest(method, np.nan, 0, six_digits(min(p_value, 1.0)), "")


def _nothing(method: str, p_value: float, reason: str) -> GroupTest:
    return GroupTest(method, np.nan, 0, p_value, reason)
