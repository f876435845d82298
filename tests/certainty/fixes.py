"""How well `Stitched.next_fix` foretells what changes of the tracking tell.

``python -m tests.certainty.fixes --stores 50`` makes stores with losses of their own, and each of
them again with every change: the same people and happenings, other tracking. What a change tells
in truth is the money of the orders whose first or last visit is another one in the changed store.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy

import convergekit as ck

ORDER, VALUE = "Placed Order", "total_price"
#: By the type of what is sent and the event at which.
CHANGES = {
    ("cart_token", ""): ck.TrackingChange(tokens=("cart_token",)),
    ("checkout_token", ""): ck.TrackingChange(tokens=("checkout_token",)),
    ("cookie", "Started Checkout"): ck.TrackingChange(one_cookie=True),
    ("cookie", ""): None,
    ("email", "Added To Cart"): ck.TrackingChange(address={"Added To Cart": 0.7}),
    ("email", "Started Checkout"): ck.TrackingChange(address={"Started Checkout": 1.0}),
    ("customer_id", "Started Checkout"): ck.TrackingChange(account={"Started Checkout": 1.0}),
}
#: A difference of less than a tenth is none.
TIE = 0.1
_PAUSE = pd.Timedelta("30min")


def losses_of(seed: int) -> tuple[float, ck.TrackingLoss]:
    """Return what the tracking of a store loses: another store, other losses."""
    rng = np.random.default_rng([5, seed])
    noise = float(rng.uniform(0.5, 2.0))
    return noise, ck.TrackingLoss(
        devices=float(rng.uniform(1.2, 2.5)),
        cookie_days=float(rng.choice([3.0, 5.0, 7.0, 14.0, 40.0])),
        private=float(rng.uniform(0.0, 0.2)),
        blocked=float(rng.uniform(0.0, 0.2)),
        lost_tokens=float(rng.uniform(0.0, 0.5)),
        second_address=float(rng.uniform(0.0, 0.1)),
    )


def origins(s: ck.Stitched) -> pd.DataFrame:
    """Return when the first and the last visit before each order began, with pandas alone."""
    events = s.events[["event_id", "event_name", "timestamp", "profile_id", "alias.cookie"]]
    is_order = events["event_name"] == ORDER
    seen = events[~is_order & events["alias.cookie"].notna()].sort_values("timestamp")
    by = seen.groupby("profile_id")["timestamp"]
    seen = seen.assign(first=by.transform("min"))
    seen["last"] = seen["timestamp"].where(~(by.diff() <= _PAUSE))
    seen["last"] = seen.groupby("profile_id")["last"].ffill()
    found = pd.merge_asof(
        events.loc[is_order, ["event_id", "profile_id", "timestamp"]].sort_values("timestamp"),
        seen[["profile_id", "timestamp", "first", "last"]],
        on="timestamp",
        by="profile_id",
    )
    return found.set_index("event_id")[["first", "last"]]


def told(without: ck.Stitched, with_it: ck.Stitched) -> pd.Series:
    """Return which orders have another first or last visit with a change."""
    before = origins(without)
    after = origins(with_it).loc[before.index]
    same = (before == after) | (before.isna() & after.isna())
    return ~same.all(axis=1)


@dataclass(frozen=True)
class Store:
    """What changes tell in a store in truth, and what was foretold."""

    table: pd.DataFrame

    @classmethod
    def of(cls, seed: int, people: int) -> Store:
        """Make a store and its changes, and ask."""
        noise, losses = losses_of(seed)

        def stitched(lost: ck.TrackingLoss, change: ck.TrackingChange | None) -> ck.Stitched:
            return ck.stitch(
                ck.simulate_store(
                    people=people, seed=seed, noise=noise, losses=lost, change=change
                ).events
            )

        s = stitched(losses, None)
        amount = s.events[s.events["event_name"] == ORDER].set_index("event_id")
        amount = amount[f"properties.{VALUE}"]
        found = s.next_fix(ORDER, value=VALUE).table.set_index(["alias_type", "at"])
        rows = {}
        for name, change in CHANGES.items():
            lost = replace(losses, cookie_days=None) if change is None else losses
            new = told(s, stitched(lost, change))
            rows[name] = float(amount[new[new].index].sum())
        table = pd.DataFrame({"true": pd.Series(rows)})
        for name in ("money", "money_low", "money_high"):
            table[name] = found[name].reindex(table.index).fillna(0.0)
        return cls(table)

    @property
    def correlation(self) -> float:
        """Spearman's, of the true money in which what is as good as equal is equal."""
        ranked = tied(self.table["true"].to_numpy(), self.table["money"].to_numpy())
        return float(scipy.stats.spearmanr(*ranked).statistic)

    @property
    def best(self) -> bool:
        """Whether the change that is named first is the best, or within a tenth of it."""
        named = self.table["money"].idxmax()
        return bool(self.table.loc[named, "true"] >= (1 - TIE) * self.table["true"].max())

    @property
    def best_among(self) -> tuple[bool, int]:
        """Whether one of those named, within a tenth of the first, is; and how many are named."""
        named = self.table["money"] >= (1 - TIE) * self.table["money"].max()
        good = self.table.loc[named, "true"].max() >= (1 - TIE) * self.table["true"].max()
        return bool(good), int(named.sum())


def tied(true: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both, what was found in the order of the truth where the truth is as good as equal.

    From the largest on, those within a tenth of it are equal: any order of them is right.
    """
    order = np.argsort(-true, kind="stable")
    found = found.astype(float)
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and true[order[stop]] >= (1 - TIE) * true[order[start]]:
            stop += 1
        group = order[start:stop]
        found[group] = np.sort(found[group])[::-1]
        start = stop
    return true, found


def main(arguments: list[str]) -> None:
    """Print a row per store, and what all of them come to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stores", type=int, default=50)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args(arguments)
    stores = []
    for seed in range(given.first, given.first + given.stores):
        stores.append(Store.of(seed, given.people))
        one = stores[-1]
        print(f"{seed}: rank {one.correlation:.2f}, best {one.best}", flush=True)
    print(summary(stores))


def summary(stores: list[Store]) -> str:
    """Return what the stores come to."""
    table = pd.concat([one.table for one in stores])
    there = table[table["true"] > 0]
    error = (there["money"] / there["true"] - 1).abs()
    inside = (there["money_low"] <= there["true"]) & (there["true"] <= there["money_high"])
    by_change = pd.DataFrame(
        {
            "true": table.groupby(level=[0, 1])["true"].median(),
            "found": table.groupby(level=[0, 1])["money"].median(),
            "error": error.groupby(level=[0, 1]).median(),
            "inside": inside.groupby(level=[0, 1]).mean(),
        }
    )
    return (
        f"{by_change.round(3).to_string()}\n"
        f"rank correlation {np.median([one.correlation for one in stores]):.3f}, "
        f"error {error.median():.1%}, inside {inside.mean():.1%}, "
        f"best named first {np.mean([one.best for one in stores]):.0%}, "
        f"among those named {np.mean([one.best_among[0] for one in stores]):.0%} "
        f"(of {np.mean([one.best_among[1] for one in stores]):.1f})"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
