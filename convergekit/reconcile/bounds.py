"""How many orders may be behind the platforms' totals: sharp bounds.

A platform says how many orders it claims, not which. So the orders are parted by who may claim
them: a *pool* is all orders that the same platforms may claim. A way of claiming says, for each
pool, how many of its orders are claimed by none, by each one alone, by each two together, and so
on. It is possible if a pool has as many orders, and each platform as many claims, as there are.
Among all possible ways, the fewest and the most orders claimed are the bounds: both occur, so no
narrower ones hold (M. Fréchet, "Généralisation du théorème des probabilités totales", Fundamenta
Mathematicae 25, 1935; for two platforms they are his inequalities).

Each is the optimum of an integer programme. Platforms are few, so it is small, however many orders
there are. Claims that are not whole, and money, may be of a part of an order: then the numbers may
be parts, too, and the programme is linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from convergekit.errors import ConvergekitError
from convergekit.typing import BoolArray, FloatArray, IntArray

#: As many platforms have few enough sets of them.
MOST_PLATFORMS = 8


@dataclass(frozen=True)
class Bounds:
    """The least and the most that the claims may come to.

    Attributes
    ----------
    claimed : float
        All claims together.
    without : float
        Claims beyond what there is to claim: no order can be behind them.
    distinct : tuple of float
        Orders that at least one platform claims.
    twice : tuple of float
        Orders that at least two claim.
    """

    claimed: float
    without: float
    distinct: tuple[float, float]
    twice: tuple[float, float]

    @property
    def again(self) -> tuple[float, float]:
        """Claims of an order that another platform claims, too, but for one claim an order."""
        of_orders = self.claimed - self.without
        return of_orders - self.distinct[1], of_orders - self.distinct[0]

    @property
    def excess(self) -> tuple[float, float]:
        """Claims above one an order: claimed again, or without an order."""
        return self.claimed - self.distinct[1], self.claimed - self.distinct[0]


def claim_bounds(
    pool: IntArray, size: FloatArray, claims: FloatArray, *, parts: bool = False
) -> Bounds:
    """Return the sharp bounds of what platforms claim together.

    Parameters
    ----------
    pool : numpy.ndarray of int
        Of each pool, which platforms may claim its orders: the sum of 2 to the power of their
        numbers. Each once.
    size : numpy.ndarray of float
        How many orders each pool has, or what they are worth in whole cents.
    claims : numpy.ndarray of float
        How many orders each platform claims, or what they are worth in whole cents. A platform
        claims an order at most once, and as many of its claims as can be are of orders.
    parts : bool, default False
        Whether an order may be claimed in part, as amounts are. Claims that are not whole may
        always be.

    Raises
    ------
    ConvergekitError
        There are too many platforms.

    Examples
    --------
    Of 100 orders that both may claim, one claims 80 and the other 60:

    >>> found = claim_bounds(np.array([3]), np.array([100.0]), np.array([80.0, 60.0]))
    >>> found.distinct, found.excess
    ((80.0, 100.0), (40.0, 60.0))

    If 50 of them are the first one's alone, and 50 are the other's:

    >>> found = claim_bounds(np.array([1, 2]), np.array([50.0, 50.0]), np.array([80.0, 60.0]))
    >>> found.distinct, found.without
    ((100.0, 100.0), 40.0)
    """
    if len(claims) > MOST_PLATFORMS:
        raise ConvergekitError(
            f"reconcile takes at most {MOST_PLATFORMS} platforms that claim something; got "
            f"{len(claims)}. Choose the rows of some, such as "
            "spend[spend['platform'].isin(['meta', 'google_ads'])]."
        )
    may = (pool[:, None] >> np.arange(len(claims))) & 1
    behind = np.minimum(claims, size @ may)
    total = float(claims.sum())
    without = float((claims - behind).sum())
    if not behind.any():
        return Bounds(total, without, (0.0, 0.0), (0.0, 0.0))
    some = (size > 0) & (pool > 0)
    ways = _Ways.of(pool[some], size[some], behind, parts=parts)
    return Bounds(total, without, ways.range(1), ways.range(2))


@dataclass(frozen=True)
class _Ways:
    """All ways of claiming: how many orders of each pool are claimed by each set of platforms.

    Attributes
    ----------
    by : numpy.ndarray of int
        Of each unknown, by how many platforms its orders are claimed.
    equations : scipy.sparse.csr_array
        A row per pool and per platform, a column per unknown.
    sums : numpy.ndarray of float
        What the rows come to.
    whole : bool
        Whether the unknowns are whole.
    """

    by: IntArray
    equations: scipy.sparse.csr_array
    sums: FloatArray
    whole: bool

    @classmethod
    def of(cls, pool: IntArray, size: FloatArray, claims: FloatArray, *, parts: bool) -> _Ways:
        platforms = np.arange(len(claims))
        sets = np.arange(2 ** len(claims))
        in_pool, claimed_by = np.nonzero((sets[None, :] & ~pool[:, None]) == 0)
        members: BoolArray = ((claimed_by[None, :] >> platforms[:, None]) & 1).astype(bool)
        platform, column = np.nonzero(members)
        rows = np.concatenate([in_pool, len(pool) + platform])
        columns = np.concatenate([np.arange(len(in_pool)), column])
        equations = scipy.sparse.csr_array(
            (np.ones(len(rows)), (rows, columns)), shape=(len(pool) + len(claims), len(in_pool))
        )
        sums = np.concatenate([size, claims])
        whole = not parts and bool((sums == np.rint(sums)).all())
        return cls(members.sum(axis=0), equations, sums, whole)

    def range(self, least: int) -> tuple[float, float]:
        """Return the fewest and the most orders that so many platforms claim, or more."""
        counted = (self.by >= least).astype(float)
        return self._optimum(counted), -self._optimum(-counted) + 0.0

    def _optimum(self, cost: FloatArray) -> float:
        found = scipy.optimize.milp(
            cost,
            constraints=scipy.optimize.LinearConstraint(self.equations, self.sums, self.sums),
            integrality=np.full(len(cost), int(self.whole)),
            # Otherwise HiGHS stops within one in ten thousand of the optimum.
            options={"mip_rel_gap": 0.0},
        )
        if found.fun is None:
            raise ConvergekitError(
                f"the bounds of the claims were not found ({found.message}); ask fewer platforms "
                "at once, with rows of spend of some."
            )
        digits = 0 if self.whole else 6
        return round(float(found.fun), digits)
