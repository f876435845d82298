"""What a number is expected to be on its latest days, by its past, and how surprising it is.

The past is a regression on the weekday and a trend (statsmodels' GLM): of Poisson's kind for counts
and amounts, whose variance grows with their mean, and of the binomial for shares. How much more
days differ than such counts do, and how alike neighbouring days are, is estimated from the past;
both widen the forecast. Days of the past that do not fit in are left out of it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from scipy import stats

from convergekit.base.rounding import six_digits
from convergekit.errors import ConvergekitError
from convergekit.typing import BoolArray, FloatArray, IntArray

#: As many of the latest days are compared, alone and together.
SPANS = (1, 2, 3)
#: Days of the past that are looked at, and how many of them there have to be.
PAST, FEWEST_DAYS = 91, 35
#: So much has to be expected: of less, chance is not as a forecast has it.
FEWEST_EVENTS = 20
#: A day of the past is left out from so many standard deviations on: beyond what chance does.
_ODD = 4.5
#: What a median of absolute deviations is multiplied by to be a standard deviation.
_OF_MEDIAN = 1.4826
_MOST_ALIKE = 0.8
#: Of an amount that other numbers explain, so much of the variance of chance is left at least.
_LEAST_REST = 0.05


@dataclass(frozen=True, eq=False)
class DailyNumber:
    """A number by day, from the first day on, none left out.

    Attributes
    ----------
    top : numpy.ndarray of float
        A count, an amount, or of a share, those who did.
    base : numpy.ndarray of float or None
        Of a share, of how many.
    events : numpy.ndarray of float
        How many events are behind it: of an amount, how many amounts.
    weekday : numpy.ndarray of int
        0 is Monday.
    """

    top: FloatArray
    base: FloatArray | None
    events: FloatArray
    weekday: IntArray

    @property
    def is_count(self) -> bool:
        """Whether it is neither an amount nor a share."""
        return self.base is None and np.array_equal(self.top, self.events)

    @property
    def by_day(self) -> FloatArray:
        """What is read: the count, the amount, or the share."""
        if self.base is None:
            return self.top
        return np.divide(
            self.top, self.base, out=np.full(len(self.top), np.nan), where=self.base > 0
        )


@dataclass(frozen=True)
class SpanForecast:
    """What was expected of the latest days together, and how surprising they are.

    Attributes
    ----------
    days : int
    observed, expected : float
        The count, the amount, or the share.
    p_value : float
        How likely it is by chance to be as far off, to either side; of this span alone.
    size : float
        By what a share is multiplied to be a count, else 1.
    spread : float
        The standard deviation of the count or amount.
    freedom : int
        Degrees of freedom behind it.
    """

    days: int
    observed: float
    expected: float
    p_value: float
    size: float
    spread: float
    freedom: int

    def bounds(self, level: float) -> tuple[float, float]:
        """Return between which values it is not surprising at a level."""
        far = float(stats.t.isf(level / 2, self.freedom))
        flipped = self.size > 1 and self.expected > 0.5
        middle = (1 - self.expected if flipped else self.expected) * self.size
        step = far * self.spread / 1.5 / max(middle, 1e-12) ** (1 / 3)
        ends = [max(middle ** (2 / 3) + sign * step, 0.0) ** 1.5 / self.size for sign in (-1, 1)]
        low, high = (1 - ends[1], 1 - ends[0]) if flipped else ends
        if self.size > 1:
            low, high = max(low, 0.0), min(high, 1.0)
        return six_digits(low), six_digits(high)


def statsmodels() -> ModuleType:
    """Return statsmodels' generalised linear models.

    Raises
    ------
    ConvergekitError
        It is not installed.
    """
    try:
        from statsmodels.genmod import generalized_linear_model
    except ImportError:
        raise ConvergekitError(
            "watch needs statsmodels, which is not installed; install it with "
            "pip install 'convergekit[watch]'."
        ) from None
    return generalized_linear_model


@dataclass(frozen=True, eq=False)
class Past:
    """The past of a number up to a day, as a regression has it.

    Attributes
    ----------
    at : numpy.ndarray of int
        The days that are in it.
    odd : numpy.ndarray of int
        Days that were left out of it because they do not fit in.
    weekdays : numpy.ndarray of int
        The weekdays that occur in it.
    params, covariance : numpy.ndarray of float
    dispersion : float
        How many times as much days vary as counts of chance do.
    alike : numpy.ndarray of float
        How alike days are to the first and second day after them: autocorrelations, at least 0.
    beside : numpy.ndarray of float or None
        A row a day, a column an other number: by how much it was off its own past. See `moves`.
    """

    number: DailyNumber
    at: IntArray
    odd: IntArray
    weekdays: IntArray
    params: FloatArray
    covariance: FloatArray
    dispersion: float
    alike: FloatArray
    beside: FloatArray | None = None

    @property
    def freedom(self) -> int:
        """Degrees of freedom."""
        return len(self.at) - len(self.params)

    def expected(self, days: IntArray) -> FloatArray:
        """Return the count or amount expected on some days."""
        line = self._design(days) @ self.params
        if self.number.base is None:
            return np.exp(line)
        return self.number.base[days] / (1 + np.exp(-line))

    def moves(self, first: int, last: int) -> FloatArray:
        """Return the logarithm by which each of some days of a count is off this past.

        Parameters
        ----------
        first, last : int
            Days on weekdays that did not occur are as expected.
        """
        found = np.zeros(last + 1)
        days = np.arange(first, last + 1)
        days = days[np.isin(self.number.weekday[days], self.weekdays)]
        # Half a one more on both sides: a day without any has a logarithm, too.
        found[days] = np.log((self.number.top[days] + 0.5) / (self.expected(days) + 0.5))
        return found

    def _design(self, days: IntArray) -> FloatArray:
        end = int(self.at[-1])
        return _design(self.number.weekday, days, self.weekdays, end, self.beside)

    def together(self, days: IntArray) -> SpanForecast:
        """Compare days that follow one another, as one."""
        number, mean = self.number, self.expected(days)
        variance = mean
        if number.base is not None:
            variance = mean * (1 - mean / np.maximum(number.base[days], 1))
        design = self._design(days)
        slope = variance @ design
        size = len(days)
        lags = np.arange(1, size)
        run = 1 + 2 * float(((1 - lags / size) * self.alike[: size - 1]).sum())
        # Days that are alike say less of the mean than as many that are not.
        first = float(self.alike[0])
        fewer = (1 + first) / (1 - first)
        spread = np.sqrt(
            self.dispersion * run * variance.sum() + fewer * (slope @ self.covariance @ slope)
        )
        expected, observed = float(mean.sum()), float(number.top[days].sum())
        whole = 1.0 if number.base is None else float(number.base[days].sum())
        score = surprise(observed, expected, float(spread), whole)
        return SpanForecast(
            days=size,
            observed=six_digits(observed / whole),
            expected=six_digits(expected / whole),
            p_value=six_digits(float(2 * stats.t.sf(abs(score), self.freedom))),
            size=whole,
            spread=float(spread),
            freedom=self.freedom,
        )


def surprise(observed: float, expected: float, spread: float, whole: float) -> float:
    """Return by how many standard deviations a count is off, its skewness taken away.

    The power of two thirds makes the distribution of a count or an amount symmetric (Anscombe
    1953). Of a share, the rarer side is counted.

    Parameters
    ----------
    observed, expected, spread : float
        Of the count or the amount.
    whole : float
        Of a share, of how many; else 1.
    """
    sign = 1.0
    if whole > 1 and expected > whole / 2:
        observed, expected, sign = whole - observed, whole - expected, -1.0
    root = expected ** (1 / 3)
    return sign * 1.5 * (max(observed, 0.0) ** (2 / 3) - root**2) * root / spread


def past_of(
    number: DailyNumber, last: int, usable: BoolArray, beside: FloatArray | None = None
) -> Past | str:
    """Return the past of the latest days that are compared; a sentence where it is too short.

    Parameters
    ----------
    number : DailyNumber
    last : int
        The last day that is compared. It, and the days that are compared with it, are not past.
    usable : numpy.ndarray of bool
        Which days the past may be made of.
    beside : numpy.ndarray of float, optional
        By how much other numbers were off on each day up to the last. See `Past`.
    """
    end = last - max(SPANS) + 1
    days = np.arange(max(end - PAST, 0), max(end, 0))
    days = days[usable[days]]
    if number.base is not None:
        days = days[number.base[days] > 0]
    # Of a weekday on which nothing ever is, there is nothing to expect.
    sums = np.bincount(number.weekday[days], weights=number.events[days], minlength=7)
    days = days[sums[number.weekday[days]] > 0]
    if len(days) < FEWEST_DAYS:
        return f"its past has {len(days)} days; it needs {FEWEST_DAYS}"
    found, residuals = _fitted(number, days, beside)
    scale = _OF_MEDIAN * float(np.median(np.abs(residuals)))
    odd = np.abs(residuals) > _ODD * max(scale, 1.0 if number.base is not None else 0.0)
    counts = np.bincount(number.weekday[days[~odd]], minlength=7)
    if odd.any() and (counts[found.weekdays] >= 3).all():
        kept, _ = _fitted(number, days[~odd], beside)
        return Past(**{**vars(kept), "odd": days[odd]})
    return found


def _fitted(
    number: DailyNumber, days: IntArray, beside: FloatArray | None
) -> tuple[Past, FloatArray]:
    """Return the past that consists of these days, and how far each of them is off."""
    models = statsmodels()
    weekdays = np.unique(number.weekday[days])
    design = _design(number.weekday, days, weekdays, int(days[-1]), beside)
    if number.base is None:
        target, family = number.top[days], models.families.Poisson()
    else:
        # A share of all or none has a rate, too: on both sides there is half a person more of each
        # weekday (Jeffreys), on all its days together.
        done, base = number.top[days], number.base[days]
        more = 0.5 / np.bincount(number.weekday[days], minlength=7)[number.weekday[days]]
        target = np.column_stack([done + more, base - done + more])
        family = models.families.Binomial()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = models.GLM(target, design, family=family)
        try:
            fit = model.fit(scale="X2")
        except ValueError:
            # Every day was as expected to the last: nothing is known of how much days differ.
            fit = model.fit(scale=1.0)
    residuals = np.asarray(fit.resid_pearson, dtype=np.float64)
    is_money = number.base is None and not number.is_count
    spread = float(np.square(residuals).sum())
    # Orders of one value differ by how many there are.
    least = float(number.top[days].sum() / number.events[days].sum()) if is_money else 1.0
    dispersion = max(float(fit.scale), 1.0) if not is_money else float(fit.scale)
    # What orders say of their money to the last cent still has a rest of chance.
    rest = least * _LEAST_REST if beside is not None and is_money else 0.0
    dispersion = max(dispersion, rest) if spread else least
    covariance = np.asarray(fit.cov_params()) * (dispersion / float(fit.scale))
    past = Past(
        number=number,
        at=days,
        odd=np.empty(0, dtype=np.int64),
        weekdays=weekdays,
        params=np.asarray(fit.params, dtype=np.float64),
        covariance=covariance,
        dispersion=dispersion,
        alike=_alike(days, residuals),
        beside=beside,
    )
    return past, residuals


def _alike(days: IntArray, residuals: FloatArray) -> FloatArray:
    """Return how alike days are to the first and the second day after them, rather too alike."""
    line = np.full(int(days[-1] - days[0]) + 1, np.nan)
    line[days - days[0]] = residuals
    whole = float(np.nanmean(line**2)) or 1.0
    raw = [float(np.nanmean(line[lag:] * line[:-lag])) / whole for lag in range(1, max(SPANS))]
    found = np.maximum(np.nan_to_num(np.array(raw)), 0.0)
    # What is estimated from few days is too low by about this (Kendall 1954).
    found = found + (1 + 4 * found) / len(days)
    # Of days that hand on what they are, the first lag says of the second what is least.
    return np.clip(np.maximum(found, found[0] ** np.arange(1, max(SPANS))), 0.0, _MOST_ALIKE)


def _design(
    weekday: IntArray, days: IntArray, weekdays: IntArray, end: int, beside: FloatArray | None
) -> FloatArray:
    """Return a column per weekday, the trend, 0 at the end of the past, and other numbers."""
    columns = (weekday[days][:, None] == weekdays[None, :]).astype(np.float64)
    design = np.column_stack([columns, (days - end) / PAST])
    return design if beside is None else np.column_stack([design, beside[days]])
