"""Two proportions beside each other: their difference, its interval, and whether it is chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from convergekit.base.rounding import six_digits
from convergekit.errors import ConvergekitError


class Difference(NamedTuple):
    """The other proportion minus the one.

    Attributes
    ----------
    difference, low, high : float
        Its confidence interval is Newcombe's hybrid score interval, to six digits.
    p_value : float
        Fisher's exact test that both are equal, to six digits.
    """

    difference: float
    low: float
    high: float
    p_value: float


def check_confidence(confidence: float) -> None:
    """Raise unless it is a share between 0 and 1.

    Raises
    ------
    ConvergekitError
    """
    is_number = isinstance(confidence, (int, float, np.floating))
    if not is_number or not 0 < confidence < 1:
        raise ConvergekitError(
            f"confidence must be a share between 0 and 1, such as 0.95; got {confidence!r}."
        )


def difference(
    hits: int, total: int, other_hits: int, other_total: int, confidence: float
) -> Difference:
    """Compare two proportions; all missing if one of the groups is empty.

    The interval is made of the Wilson intervals of the two proportions: R. G. Newcombe, "Interval
    estimation for the difference between independent proportions", Statistics in Medicine 17
    (1998), method 10.

    Examples
    --------
    >>> [round(float(x), 4) for x in difference(48, 80, 56, 70, confidence=0.95)]
    [0.2, 0.0524, 0.3339, 0.0125]
    """
    if not total or not other_total:
        return Difference(np.nan, np.nan, np.nan, np.nan)
    one, other = hits / total, other_hits / other_total
    low, high = scipy.stats.binomtest(hits, total).proportion_ci(confidence, method="wilson")
    other_low, other_high = scipy.stats.binomtest(other_hits, other_total).proportion_ci(
        confidence, method="wilson"
    )
    found = other - one
    p_value = scipy.stats.fisher_exact(
        [[hits, total - hits], [other_hits, other_total - other_hits]]
    ).pvalue
    return Difference(
        found,
        six_digits(found - np.hypot(other - other_low, high - one)),
        six_digits(found + np.hypot(other_high - other, one - low)),
        six_digits(p_value),
    )
