"""The share that has got somewhere by a time, where some are not observed for so long.

Somebody observed for three days who has not converted may convert on the fourth: they are censored
at three days, not lost. Times are whole microseconds since each row's beginning. A row that
converted is observed up to its conversion, any other up to the end of its window or of the data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from convergekit.base.grouping import run_starts
from convergekit.base.proportions import check_confidence
from convergekit.base.rounding import all_to_six_digits, six_digits
from convergekit.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ConversionCurve:
    """The share that has converted by each time.

    Attributes
    ----------
    time : numpy.ndarray of int
        The distinct times at which a row converted, left or was last observed, ascending; in
        microseconds.
    share, low, high : numpy.ndarray of float
        The share that has converted by then, and its interval to six digits.
    variance : numpy.ndarray of float
        Of the share; 0 where everybody has converted.
    at_risk : numpy.ndarray of int
        How many rows are observed up to then, and neither converted nor left before.
    converted : numpy.ndarray of int
        How many convert at that time.
    waiting : numpy.ndarray of float
        The share that has neither converted nor left by then.
    """

    time: IntArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    variance: FloatArray
    at_risk: IntArray
    converted: IntArray
    waiting: FloatArray

    def places(self, time: IntArray) -> IntArray:
        """Return which row of the curve holds at each time, -1 before the first.

        Examples
        --------
        >>> curve = kaplan_meier(np.array([3, 5]), np.array([True, False]))
        >>> curve.places(np.array([2, 3, 4, 9])).tolist()
        [-1, 0, 0, 1]
        """
        return np.searchsorted(self.time, time, side="right") - 1


@dataclass(frozen=True)
class AtWindow:
    """The share that has converted when the window ends.

    Attributes
    ----------
    share, low, high : float
        Missing where the data do not reach the window's end; the interval to six digits.
    observed : int
        How many rows are observed up to the window's end without having converted or left before.
    reason : str
        Why the share is missing; empty if it is not.
    """

    share: float
    low: float
    high: float
    observed: int
    reason: str


def kaplan_meier(time: IntArray, happened: BoolArray, confidence: float = 0.95) -> ConversionCurve:
    """Estimate the share that has converted by each time: one minus the Kaplan-Meier estimate.

    Parameters
    ----------
    time : numpy.ndarray of int
        How long each row is observed, in microseconds, not negative.
    happened : numpy.ndarray of bool
        Whether it converted then. Else it is censored: what came later is not known. Who is
        censored at the very time at which another converts was observed up to it.
    confidence : float, default 0.95

    Returns
    -------
    ConversionCurve

    Raises
    ------
    ConvergekitError
        The confidence is not a share between 0 and 1.

    See Also
    --------
    at_window : The share at one time, and whether it is known at all.
    cumulative_incidence : Several possible ends.

    Notes
    -----
    E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of
    the American Statistical Association 53 (1958). The interval is Greenwood's on the log-log
    scale: J. D. Kalbfleisch and R. L. Prentice, The Statistical Analysis of Failure Time Data
    (2002), section 1.4. That is not defined where nobody or everybody has converted. There it is
    Wilson's, of as many rows as the estimate is worth: those at risk over the share that still
    waited, which is the number of all rows if none is censored (R. Peto et al., "Design and
    analysis of randomized clinical trials requiring prolonged observation of each patient, II",
    British Journal of Cancer 35, 1977; F. J. Dorey and E. L. Korn, "Effective sample sizes for
    confidence intervals for survival probabilities", Statistics in Medicine 6, 1987).

    Examples
    --------
    Of four, one converts at 3; one is observed up to 4 only; of the two others one converts at 5.

    >>> time, happened = np.array([3, 4, 5, 5]), np.array([True, False, True, False])
    >>> curve = kaplan_meier(time, happened)
    >>> curve.time.tolist(), curve.at_risk.tolist(), curve.share.tolist()
    ([3, 4, 5], [4, 3, 2], [0.25, 0.25, 0.625])
    >>> curve.low.round(3).tolist(), curve.high.round(3).tolist()
    ([0.039, 0.039, 0.192], [0.872, 0.872, 0.989])
    """
    check_confidence(confidence)
    counts = _Counts.of(time, happened, 1)
    return _curve(counts, counts.at(1), confidence)


def at_window(
    time: IntArray,
    happened: BoolArray,
    window: int,
    confidence: float = 0.95,
    *,
    left: BoolArray | None = None,
) -> AtWindow:
    """Estimate the share that has converted when the window ends.

    Parameters
    ----------
    time : numpy.ndarray of int
        How long each row is observed, in microseconds. Rows observed for longer than the window
        count as observed to its end.
    happened : numpy.ndarray of bool
        Whether it converted then.
    window : int
        In microseconds. A conversion at its very end is within it.
    confidence : float, default 0.95
    left : numpy.ndarray of bool, optional
        Whether the row left then by another end, after which it cannot convert: an excluded event.
        The share is then the cumulative incidence.

    Returns
    -------
    AtWindow
        The share is known if a row is observed up to the window's end, or if none is left that
        could still convert: all others converted, left or were censored before.

    Raises
    ------
    ConvergekitError
        The confidence is not a share between 0 and 1.

    See Also
    --------
    kaplan_meier : The whole curve, and how the intervals are made.

    Examples
    --------
    >>> time, happened = np.array([3, 4, 5, 5]), np.array([True, False, True, False])
    >>> at_window(time, happened, 5)
    AtWindow(share=0.625, low=0.191999, high=0.989029, observed=2, reason='')
    >>> at_window(time, happened, 7).reason
    'the data end before the window of anybody who has not converted'

    Nobody of two has converted, and both are observed:

    >>> at_window(np.array([7, 7]), np.array([False, False]), 7)
    AtWindow(share=0.0, low=0.0, high=0.65762, observed=2, reason='')
    """
    check_confidence(confidence)
    if not len(time):
        return AtWindow(np.nan, np.nan, np.nan, 0, "nobody entered")
    if left is None:
        inside = time < window
        early, soon = time[inside & ~happened], time[happened & (time <= window)]
        return share_at_window(soon, early, len(time), window, confidence)
    within = time <= window
    end = (happened & within).astype(np.int64)
    end[left & within] = 2
    counts = _Counts.of(np.minimum(time, window), end, 2)
    curve = _curve(counts, counts.at(1), confidence)
    observed = int(curve.at_risk[-1]) if curve.time[-1] == window else 0
    if not observed and curve.waiting[-1]:
        reason = "the data end before the window of anybody who has not converted"
        return AtWindow(np.nan, np.nan, np.nan, 0, reason)
    share, low, high = (float(at[-1]) for at in (curve.share, curve.low, curve.high))
    return AtWindow(share, low, high, observed, "")


def share_at_window(
    converted: IntArray, early: IntArray, rows: int, window: int, confidence: float = 0.95
) -> AtWindow:
    """Estimate the same without another end, from those alone who convert or are censored before.

    Between two rows that are censored, the product over all conversions is a quotient of those who
    wait afterwards and before: so the order of the others does not matter.

    Parameters
    ----------
    converted : numpy.ndarray of int
        When each of those converts who do within the window, in microseconds.
    early : numpy.ndarray of int
        When each of those is last observed who do not convert, if that is before the window ends.
    rows : int
        How many there are in all.
    window : int
    confidence : float, default 0.95

    Examples
    --------
    >>> share_at_window(np.array([3, 5]), np.array([4]), 4, 5).share
    0.625
    """
    if not rows:
        return AtWindow(np.nan, np.nan, np.nan, 0, "nobody entered")
    converted, early = np.sort(converted), np.sort(early)
    # Who converts when another is censored converts before.
    by_then = np.searchsorted(converted, early, side="right")
    ended = np.diff(by_then, prepend=0, append=len(converted))
    at_risk = rows - np.arange(len(early) + 1) - np.append(0, by_then)
    some = ended > 0
    ended, at_risk = ended[some], at_risk[some]
    waiting = rows - len(converted) - len(early)
    observed = waiting + len(converted) - int(np.searchsorted(converted, window, side="left"))
    share = 1 - np.cumprod(1 - ended / at_risk)[-1] if len(ended) else 0.0
    if not observed and (not len(ended) or at_risk[-1] > ended[-1]):
        reason = "the data end before the window of anybody who has not converted"
        return AtWindow(np.nan, np.nan, np.nan, 0, reason)
    if len(early) == 0:
        # Nobody is censored: the digits of the plain share.
        share = len(converted) / rows
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    if 0 < share < 1:
        greenwood = float(np.cumsum(ended / at_risk / (at_risk - ended))[-1])
        waits = np.log1p(-share)
        error = z * np.sqrt(greenwood) / -waits
        low, high = (float(-np.expm1(waits * np.exp(sign * error))) for sign in (-1, 1))
    else:
        # As many rows as the estimate is worth: those at risk over the share that still waited.
        waited = np.cumprod(1 - ended / at_risk)[-2] if len(ended) > 1 else 1.0
        worth = waiting if share == 0 else at_risk[-1] / waited
        low = 0.0 if share == 0 else float(worth / (worth + z**2))
        high = 1.0 if share == 1 else float(z**2 / (worth + z**2))
    return AtWindow(float(share), six_digits(low), six_digits(high), observed, "")


def cumulative_incidence(
    time: IntArray, end: IntArray, ends: int, confidence: float = 0.95
) -> list[ConversionCurve]:
    """Estimate the share that has come to each of several ends: the Aalen-Johansen estimate.

    Who came to one end cannot come to another. To count them as censored would answer what had
    happened if the other ends did not exist, and the shares would add up to more than one.

    Parameters
    ----------
    time : numpy.ndarray of int
        How long each row is observed, in microseconds, not negative.
    end : numpy.ndarray of int
        To which end it came then, from 1 to `ends`; 0 if it is censored.
    ends : int
    confidence : float, default 0.95

    Returns
    -------
    list of ConversionCurve
        One per end, of the same times. `converted` counts those who come to that end.

    Raises
    ------
    ConvergekitError
        The confidence is not a share between 0 and 1.

    See Also
    --------
    at_window : One such share at one time.

    Notes
    -----
    O. O. Aalen and S. Johansen, "An empirical transition matrix for non-homogeneous Markov chains
    based on censored observations", Scandinavian Journal of Statistics 5 (1978). The
    variance is by the delta method: E. Marubini and M. G. Valsecchi, Analysing Survival Data from
    Clinical Trials and Observational Studies (1995), section 10.2, as in lifelines. The interval is
    on the scale of log(-log(1 - share)), as in J. Beyersmann, A. Allignol and M. Schumacher,
    Competing Risks and Multistate Models with R (2012), so that of one end is that of
    `kaplan_meier`; it is Wilson's there too where nobody or everybody has come to the end.

    Examples
    --------
    >>> first, second = cumulative_incidence(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 1]), 2)
    >>> first.share.tolist(), second.share.tolist()
    ([0.25, 0.25, 0.25, 0.75], [0.0, 0.25, 0.25, 0.25])
    """
    check_confidence(confidence)
    counts = _Counts.of(time, end, ends)
    return [_curve(counts, counts.at(number), confidence) for number in range(1, ends + 1)]


@dataclass(frozen=True, eq=False)
class _Counts:
    """How many rows are at risk at each distinct time, and how many come to an end there.

    `before` and `after` are the shares that come to no end before that time, and by it.
    """

    time: IntArray
    at_risk: IntArray
    ended: IntArray
    of_end: tuple[IntArray, ...]
    before: FloatArray
    after: FloatArray

    @classmethod
    def of(cls, time: IntArray, end: npt.NDArray[np.generic], ends: int) -> _Counts:
        ascending = np.sort(time)
        starts = np.flatnonzero(run_starts(ascending)) if len(time) else np.array([], np.int64)
        distinct = ascending[starts]
        at_risk = len(time) - starts
        of_end = []
        for number in range(1, ends + 1):
            places = np.searchsorted(distinct, np.sort(time[end == number]))
            of_end.append(np.bincount(places, minlength=len(distinct)))
        total = sum(of_end, start=np.zeros(len(distinct), dtype=np.int64))
        # Multiplications and divisions alone: the digits are the same on every machine.
        after = np.cumprod(1 - total / at_risk, dtype=np.float64)
        before = np.append(1.0, after)[: len(after)]
        return cls(distinct, at_risk, total, tuple(of_end), before, after)

    def at(self, number: int) -> IntArray:
        return self.of_end[number - 1]


def _curve(counts: _Counts, mine: IntArray, confidence: float) -> ConversionCurve:
    """Return the curve of one end, of which so many come at each time."""
    alone = np.cumsum(counts.ended) == np.cumsum(mine)
    nobody = np.cumsum(mine) == 0
    everybody = alone & (counts.after == 0)
    # While no other end occurs, both are equal but for their last digits, and Kaplan and Meier's
    # has fewer roundings.
    share = np.where(alone, 1 - counts.after, np.cumsum(counts.before * (mine / counts.at_risk)))
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    worth = counts.at_risk / counts.before
    variance = _variance(counts, mine)
    with np.errstate(divide="ignore", invalid="ignore"):
        waits = np.log1p(-share)
        error = z * np.sqrt(variance) / ((1 - share) * -waits)
        low, high = (-np.expm1(waits * np.exp(sign * error)) for sign in (-1, 1))
    low = np.where(nobody, 0.0, np.where(everybody, worth / (worth + z**2), low))
    high = np.where(everybody, 1.0, np.where(nobody, z**2 / (worth + z**2), high))
    return ConversionCurve(
        counts.time,
        share,
        all_to_six_digits(low),
        all_to_six_digits(high),
        variance,
        counts.at_risk,
        mine,
        counts.after,
    )


def _variance(counts: _Counts, mine: IntArray) -> FloatArray:
    """Return the variance of the share that has come to an end by each time.

    The sum over all earlier times of a square is made of three sums, each of which grows along.
    """
    n, ended, before = counts.at_risk, counts.ended, counts.before
    share = np.cumsum(before * (mine / n))
    # Where all that are at risk come to an end, the share does not change afterwards.
    left = np.where(n > ended, n - ended, 1)
    one = np.where(n > ended, ended / n / left, 0.0)
    other = before * (mine / n) / n
    square = share**2 * np.cumsum(one) - 2 * share * np.cumsum(share * one)
    square += np.cumsum(share**2 * one)
    square += np.cumsum(before * other * ((n - mine) / n))
    square -= 2 * (share * np.cumsum(other) - np.cumsum(share * other))
    return np.maximum(square, 0.0)
