"""Stitched shares beside the true ones, by what tracking loses.

    python -m benchmarks.how_sure [--people N] [--seeds N]

For every loss, simulated stores are stitched and compared with what happened: the conversion of
people, how many customers there are, and which channel the revenue is credited to (last touch). The
true channels are those of the same events, each with the person who did it.
"""

from __future__ import annotations

import argparse

import pandas as pd

import convergekit as ck

STEPS = ["PageView", "Placed Order"]
WITHIN = "14D"
#: What `Attribution` calls orders before which no visit is known.
NO_VISIT = "(none)"
LOSSES: dict[str, tuple[float, dict[str, float]]] = {
    "none": (0.0, {}),
    "usual": (1.0, {}),
    "twice the usual noise": (2.0, {}),
    "3 devices a person": (1.0, {"devices": 3.0}),
    "cookies of 3 days": (1.0, {"cookie_days": 3.0}),
    "2 of 5 visits in private windows": (1.0, {"private": 0.4}),
    "3 of 10 devices blocked": (1.0, {"blocked": 0.3}),
    "half of the orders without tokens": (1.0, {"lost_tokens": 0.5}),
    "second addresses, slips": (1.0, {"second_address": 0.4, "misspelt": 0.1}),
    "shared devices": (1.0, {"shared": 0.15}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    rows = [
        {"lost": name, **measure(given.people, given.seeds, *loss)} for name, loss in LOSSES.items()
    ]
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))


def measure(people: int, seeds: int, noise: float, losses: dict[str, float]) -> dict[str, float]:
    """Return the means over several stores."""
    lost = ck.TrackingLoss(**losses) if losses else None
    found = []
    for seed in range(1, seeds + 1):
        store = ck.simulate_store(people=people, seed=seed, noise=noise, losses=lost)
        s = ck.stitch(store.events)
        funnel = s.funnel(STEPS, within=WITHIN)
        true = ck.funnel(store.happened, STEPS, within=WITHIN, profile="person")
        bounds = funnel.bounds().table.iloc[-1]
        ordered = store.happened[store.happened["event_name"] == "Placed Order"]
        told, known = credited(s), credited(ck.stitch(with_persons(store)))
        revenue = known.sum()
        wrong = told.sub(known, fill_value=0.0).clip(lower=0).sum()
        customers = s.events.loc[s.events["event_name"] == "Placed Order", "profile_id"]
        found.append(
            {
                "true": true.table["conversion"].iloc[-1],
                "stitched": bounds["stitched"],
                "estimate": bounds["estimate"],
                "low": bounds["low"],
                "high": bounds["high"],
                "true visitors": true.counts["entered"],
                "stitched visitors": funnel.counts["entered"],
                "true customers": ordered["person"].nunique(),
                "stitched customers": customers.nunique(),
                "true revenue without a visit": known.get(NO_VISIT, 0.0) / revenue,
                "stitched revenue without a visit": told.get(NO_VISIT, 0.0) / revenue,
                "revenue in another channel": wrong / revenue,
            }
        )
    return dict(pd.DataFrame(found).mean())


def credited(s: ck.Stitched) -> pd.Series:
    """Return the revenue of each channel."""
    found = s.attribution("Placed Order", "total_price", mixed_currencies=True)
    return found.comparison.set_index("channel")["last_touch"]


def with_persons(store: ck.SimulatedStore) -> pd.DataFrame:
    """Return a store's events as if each carried its person, whose cookies are nobody else's."""
    aliases = [name for name in store.events if name.startswith("alias.")]
    person = store.truth["person"].astype(str)
    cookie = person + ":" + store.events["alias.cookie"].astype("str")
    events = store.events.drop(columns=[*aliases, "profile_properties.$email"])
    return events.assign(
        **{
            "alias.user_id": "u" + person,
            "alias.cookie": cookie.where(store.events["alias.cookie"].notna()),
        }
    )


if __name__ == "__main__":
    main()
