"""Slow, obvious references: every way of claiming, one by one; every order's clicks, one by one."""

from __future__ import annotations

import itertools


def every_way(orders, claims):
    """Yield, for every way of claiming, by how many platforms each order is claimed.

    Parameters
    ----------
    orders : list of set
        Of each order, the platforms (from 0) that may claim it.
    claims : list of int
        How many each claims; as many as can be are of orders.
    """
    choices = []
    for platform, claimed in enumerate(claims):
        mine = [order for order, may in enumerate(orders) if platform in may]
        choices.append(list(itertools.combinations(mine, min(claimed, len(mine)))))
    for chosen in itertools.product(*choices):
        times = [0] * len(orders)
        for order in itertools.chain.from_iterable(chosen):
            times[order] += 1
        yield times


def brute_bounds(orders, claims):
    """Return the least and the most of everything that is bounded."""
    totals = {"orders claimed": [], "orders claimed by several": [], "claimed again": []}
    totals |= {"without an order": [], "above one an order": []}
    for times in every_way(orders, claims):
        distinct = sum(number > 0 for number in times)
        totals["orders claimed"].append(distinct)
        totals["orders claimed by several"].append(sum(number > 1 for number in times))
        totals["claimed again"].append(sum(times) - distinct)
        totals["without an order"].append(sum(claims) - sum(times))
        totals["above one an order"].append(sum(claims) - distinct)
    return {what: (min(found), max(found)) for what, found in totals.items()}


def is_eligible(moment, clicks, window, first, last, dated):
    """Whether an order may be claimed by a click: times and windows in one unit."""
    before = [click for click in clicks if click <= moment and moment - click <= window]
    by_click = any(first <= click < last for click in before)
    by_order = bool(before) and first <= moment < last
    return {"click": by_click, "order": by_order, "either": by_click or by_order}[dated]


def may_date(moment, longest, first, last, dated):
    """Whether a platform may date a claim of an order between two moments, by a view even."""
    if dated == "order":
        return first <= moment < last
    return any(first <= moment - lag < last for lag in range(longest + 1))
