"""Ten numbers of a store by day, with 2,000 orders a week, and a drop of one of them.

Three constructions. In ``"poisson"`` days differ by weekday, a trend and chance. In ``"shocks"``
all counts have more than Poisson's variance, what moves all of them on one day moves them on the
next, too (an autocorrelation of 0.5, 3 % of a standard deviation), and there are holidays, which
the file names. In ``"wandering"`` that is 0.9 and 4 %, so that the level drifts for weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convergekit.watching.forecast import DailyNumber

CONSTRUCTIONS = ("poisson", "shocks", "wandering")
#: Of a drop of each, the numbers that drop with it.
NUMBERS = {
    "orders": ("orders", "revenue", "conversion"),
    "revenue": ("revenue",),
    "conversion": ("conversion",),
    "visits": ("visits", "orders", "revenue"),
    "new profiles": ("new profiles",),
    "linked": ("linked",),
    "carts": ("carts",),
    "checkouts": ("checkouts",),
    "sign-ups": ("sign-ups",),
    "subscriptions": ("subscriptions",),
}
#: A conversion is known when its window of a day is over.
DELAYS = {"conversion": 1}
_MEANS = {
    "visits": 9500, "orders": 286, "new profiles": 5200, "carts": 1500, "checkouts": 600,
    "sign-ups": 320, "subscriptions": 260,
}  # fmt: skip
_WEEK = np.array([1.08, 1.04, 1.0, 1.0, 1.04, 0.86, 0.98])
_AR = {"poisson": (0.0, 0.0), "shocks": (0.5, 0.03), "wandering": (0.9, 0.04)}
#: Gamma's share of the variance of a day's rate, beside what all numbers share.
_OWN = {"poisson": 0.0, "shocks": 0.02**2, "wandering": 0.02**2}
_HOLIDAY = 0.6


@dataclass(frozen=True)
class SimulatedSeries:
    """Ten numbers, and which days the file does not name as holidays."""

    numbers: dict[str, DailyNumber]
    usable: np.ndarray


def simulated(
    construction: str, seed, days: int, drop: str = "", begin: int = 0, size: float = 0.2
) -> SimulatedSeries:
    """Return ten numbers of so many days; with `drop`, one is less by `size` from `begin` on."""
    rng = np.random.default_rng(seed)
    weekday = np.arange(days) % 7
    level = _WEEK[weekday] * np.exp(rng.normal(0, 0.001) * np.arange(days))
    level = level * np.exp(_shocks(rng, days, *_AR[construction]))
    usable = np.ones(days, dtype=bool)
    if construction == "shocks":
        usable[rng.choice(days, days // 25, replace=False)] = False
        # A drop that is planted on a holiday is not looked for there.
        usable[begin : begin + 3] |= bool(drop)
        level[~usable] *= _HOLIDAY

    def less(*names: str) -> np.ndarray:
        factor = np.ones(days)
        factor[begin:] = 1 - size if drop in names else 1.0
        return factor

    def count(name: str, *with_it: str) -> np.ndarray:
        mean = _MEANS[name] * level * less(name, *with_it)
        own = _OWN[construction]
        return rng.poisson(mean * rng.gamma(1 / own, own, days) if own else mean)

    visits, orders = count("visits"), count("orders", "visits")
    entered = rng.binomial(visits, 0.8)
    converted = rng.binomial(entered, 0.0376 * less("conversion", "orders"))
    on = np.repeat(np.arange(days), orders)
    revenue = np.bincount(on, rng.lognormal(4, 0.7, len(on)), minlength=days) * less("revenue")
    linked = rng.binomial(orders, 0.72 * less("linked"))
    found = {
        "orders": DailyNumber(_f(orders), None, _f(orders), weekday),
        "revenue": DailyNumber(revenue, None, _f(orders), weekday),
        "conversion": DailyNumber(_f(converted), _f(entered), _f(converted), weekday),
        "visits": DailyNumber(_f(visits), None, _f(visits), weekday),
        "linked": DailyNumber(_f(linked), _f(orders), _f(orders), weekday),
    }
    for name in ("new profiles", "carts", "checkouts", "sign-ups", "subscriptions"):
        counts = _f(count(name))
        found[name] = DailyNumber(counts, None, counts, weekday)
    return SimulatedSeries({name: found[name] for name in NUMBERS}, usable)


def _f(counts: np.ndarray) -> np.ndarray:
    return counts.astype(np.float64)


def _shocks(rng, days: int, alike: float, spread: float) -> np.ndarray:
    """Return what moves all numbers on each day: an autoregression of the first order."""
    drawn = rng.normal(0, spread, days)
    found = np.empty(days)
    found[0] = drawn[0]
    for day in range(1, days):
        found[day] = alike * found[day - 1] + np.sqrt(1 - alike**2) * drawn[day]
    return found
