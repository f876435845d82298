"""Simulators of platforms that claim orders, with the truth of which.

``python -m tests.reconcile.overclaiming 25`` measures how often the bounds hold, and their width,
in so many stores of each simulator and factor, and in the library's own.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import convergekit as ck
from tests.reconcile.store import CLICK, claims, click, order, stitched

PLATFORMS = ("google_ads", "meta", "tiktok")
WINDOW = {"google_ads": 30, "meta": 7, "tiktok": 7}
FACTORS = (1.0, 1.5, 2.0, 2.5)
DAYS = 28


def independent(rng, size, factor):
    """Return clicks and claims where platforms reach people independently of each other.

    Each claims most orders with a click of it, and orders without one until all together claim
    `factor` times as many as there are orders claimed.
    """
    clicked = rng.random((size, 3)) < (0.4, 0.3, 0.15)
    claimed = clicked & (rng.random((size, 3)) < 0.8)
    seen = (rng.random((size, 3)) < (0.05, 0.25, 0.15)) & ~clicked
    return clicked, adjusted(rng, claimed | seen, factor), np.ones((size, 3))


def retargeting(rng, size, factor):
    """Return the same where all show their ads to the same people, and Google shares orders out."""
    reached = rng.random(size) < 0.5
    clicked = reached[:, None] & (rng.random((size, 3)) < (0.6, 0.5, 0.3))
    claimed = reached[:, None] & (rng.random((size, 3)) < (0.7, 0.6, 0.4))
    credit = np.ones((size, 3))
    parts = rng.random(size) < 0.3
    credit[parts, 0] = rng.choice([0.25, 0.4, 0.5], parts.sum())
    return clicked, adjusted(rng, claimed, factor), credit


def by_click(rng, size, factor):
    """Return the same where a platform claims orders with a click of it alone."""
    clicked = rng.random((size, 3)) < (0.4, 0.3, 0.15)
    return clicked, clicked & (rng.random((size, 3)) < 0.8), np.ones((size, 3))


def adjusted(rng, claimed, factor):
    """Return claims with some more or less, so that there are `factor` of each order claimed."""
    claimed = claimed.copy()
    some = np.flatnonzero(claimed.any(axis=1))
    target = round(factor * len(some))
    while claimed.sum() > target:
        several = some[claimed[some].sum(axis=1) > 1]
        row = rng.choice(several)
        claimed[row, rng.choice(np.flatnonzero(claimed[row]))] = False
    while claimed.sum() < target:
        open_ = some[~claimed[some].all(axis=1)]
        row = rng.choice(open_)
        claimed[row, rng.choice(np.flatnonzero(~claimed[row]))] = True
    return claimed


def simulated(simulator, seed, factor, size=150):
    """Return a stitched store, its platforms' exports, and what is true of them."""
    rng = np.random.default_rng(seed)
    clicked, claimed, credit = simulator(rng, size, factor)
    # Orders before the period and after it, too: a click says in which a claim is.
    moment = rng.uniform(-6, DAYS + 8, size)
    total = np.round(rng.lognormal(3.5, 0.6, size), 2)
    lag = np.stack([rng.exponential(WINDOW[name] / 6, size) for name in PLATFORMS], axis=1)
    lag = np.minimum(lag, [WINDOW[name] - 0.01 for name in PLATFORMS])
    lag = np.where(clicked, lag, rng.random((size, 3)))
    date = moment[:, None] - lag
    date[:, 1] = moment
    rows = [order(24 * when, who, amount) for who, (when, amount) in
            enumerate(zip(moment, total, strict=True))]  # fmt: skip
    for who, place in zip(*np.nonzero(clicked), strict=True):
        hour = 24 * (moment[who] - lag[who, place])
        rows.append(click(hour, who, f"{CLICK[PLATFORMS[place]]}=x"))
    counted = claimed & (date >= 0) & (date < DAYS)
    spend = [(int(date[who, place]), PLATFORMS[place], credit[who, place],
              total[who] * credit[who, place])
             for who, place in zip(*np.nonzero(counted), strict=True)]  # fmt: skip
    # Exports have a row for the first and the last day.
    spend += [(day, name, 0.0, 0.0) for day in (0, DAYS - 1) for name in PLATFORMS]
    part = counted * credit
    # Only Google shares out, so that what another claims covers its share.
    distinct, twice = part.max(axis=1), np.sort(part, axis=1)[:, -2]
    truth = {
        "orders claimed": (distinct.sum(), distinct @ total),
        "orders claimed by several": (twice.sum(), twice @ total),
        "above one an order": (part.sum() - distinct.sum(), (part.sum(axis=1) - distinct) @ total),
    }
    return stitched(*rows), claims(spend), truth


def store(seed, factor, kind):
    """Return the same of the library's own simulator: five platforms, of which two bring visits."""
    made = ck.simulate_store(250, seed=seed, spend=True, overclaiming=factor, claims=kind)
    of_order = made.claims.groupby("event_id")["value"].agg(["size", "first"])
    several = of_order["size"] > 1
    again = of_order["size"] - 1
    truth = {
        "orders claimed": (len(of_order), of_order["first"].sum()),
        "orders claimed by several": (several.sum(), of_order["first"][several].sum()),
        "above one an order": (again.sum(), again @ of_order["first"]),
    }
    return ck.stitch(made.events), made.spend, truth


def judged(simulator, seed, factor, assuming="any order"):
    """Return whether the bounds hold of a store, and how wide they are for each claim."""
    return compared(*simulated(simulator, seed, factor), assuming)


def compared(s, spend, truth, assuming="any order"):
    """Return whether the bounds of a store hold what is true, and how wide they are."""
    found = s.reconcile(spend)
    rows = found.bounds[found.bounds["assuming"] == assuming].set_index("what")
    holds = True
    for what, (orders, value) in truth.items():
        row = rows.loc[what]
        holds &= row["low"] - 1e-6 <= orders <= row["high"] + 1e-6
        holds &= row["value_low"] - 0.06 <= value <= row["value_high"] + 0.06
    low, high = found.bound("orders claimed", assuming)
    row = rows.loc["orders claimed"]
    return {
        "holds": holds,
        "width": (high - low) / found.table["claimed"].sum(),
        "value_width": (row["value_high"] - row["value_low"]) / found.table["claimed_value"].sum(),
        "factor": found.table["claimed"].sum() / truth["orders claimed"][0],
    }


def main(stores: int) -> None:
    rows = [
        {"simulator": simulator.__name__, "asked": factor, **judged(simulator, seed, factor)}
        for simulator in (independent, retargeting)
        for factor in FACTORS
        for seed in range(stores)
    ]
    rows += [
        {"simulator": f"store, {kind}", "asked": factor, **compared(*store(seed, factor, kind))}
        for kind in ("touches", "views")
        for factor in FACTORS
        for seed in range(stores)
    ]
    table = pd.DataFrame(rows)
    measured = {
        "stores": ("holds", "size"),
        "holds": ("holds", "mean"),
        "factor": ("factor", "median"),
        "width": ("width", "median"),
        "value_width": ("value_width", "median"),
    }
    for by in (["simulator", "asked"], ["simulator"]):
        print(table.groupby(by).agg(**measured).to_string())
    own = table["simulator"].str.startswith("store")
    print(table.groupby(own)[["width", "value_width"]].median())


if __name__ == "__main__":
    main(int(sys.argv[1]))
