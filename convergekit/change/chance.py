"""How far chance alone moves each part: the jackknife of groups of people.

Each part is computed again without one group of people after the other; how much it varies says
how much it would with other people (M. H. Quenouille, "Notes on bias in estimation", Biometrika 43,
1956; J. Tukey, 1958; of groups: J. Shao and D. Tu, "The Jackknife and Bootstrap", Springer, 1995).
People are taken to be independent of each other: a day on which everybody buys less is not chance.
"""

from __future__ import annotations

import numpy as np
import scipy

from convergekit.base.group_tests import holm
from convergekit.change.accounts import GROUPS
from convergekit.typing import FloatArray


def spread(values: FloatArray) -> float:
    """Return the standard error of the first value, of which the others lack a group each."""
    without = values[1:]
    return float(np.sqrt((GROUPS - 1) / GROUPS * ((without - without.mean()) ** 2).sum()))


def half_width(error: float, confidence: float) -> float:
    """Return half of the interval of so much confidence, Student's with 39 degrees of freedom."""
    return error * float(scipy.special.stdtrit(GROUPS - 1, (1 + confidence) / 2))


def p_values(parts: list[FloatArray]) -> FloatArray:
    """Return the p-value of each part being zero, adjusted by Holm for how many there are."""
    found = []
    for part in parts:
        error = spread(part)
        if not error:
            # What does not vary is not there, or is there for certain.
            found.append(1.0 if abs(part[0]) < 1e-12 else np.nan)
            continue
        found.append(2 * float(scipy.special.stdtr(GROUPS - 1, -abs(part[0]) / error)))
    adjusted = holm(np.array(found))
    return np.where(np.isnan(adjusted), 0.0, adjusted)
