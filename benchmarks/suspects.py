"""Suspects beside the truth: how many over-merged profiles are found, and what is blamed.

    python -m benchmarks.suspects [--people N] [--seeds N]

A profile is over-merged if its events are those of more than one true person. It can be found
if two of these people gave a login value; of the others, nothing in the data says that they are
two. An alias is rightly blamed if it stands on events of more than one person.

Last it prints how long the suspects of a million events take: a store's, and two that are made
to be hard.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine, timed
from convergekit.diagnostics.suspects import find_suspects
from convergekit.identity.profiles import LOGIN_TYPES

EMAIL, CART = "alias.email", "alias.cart_token"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{machine()}\n{arguments.seeds} stores of {arguments.people:,} people each\n")
    for title, noise, changes in (
        ("nothing goes wrong", 0.0, ()),
        ("shared devices", 1.0, ()),
        ("three times as many", 3.0, ()),
        ("and carts under cached tokens", 1.0, (cache_tokens,)),
        ("and second addresses", 1.0, (add_second_addresses,)),
        ("and both", 1.0, (cache_tokens, add_second_addresses)),
    ):
        found = [
            measure(*disturbed(arguments.people, seed, noise, changes))
            for seed in range(1, arguments.seeds + 1)
        ]
        print(f"{title} (noise={noise:g})\n{summary(pd.concat(found))}\n")

    for title, events in million_events().items():
        s = ck.stitch(events)
        print(f"{title}: {len(s.suspects):,} suspects, {timed(lambda s=s: find_suspects(s)):.1f} s")


def million_events() -> dict[str, pd.DataFrame]:
    """Return frames of about a million events."""
    at = np.arange(1_000_000)
    texts = [pd.Series(numbers).astype("str") for numbers in (at + 1, at // 2 * 2 + 1)]
    chain = {"alias.odd": texts[1], "alias.even": pd.Series((at + 1) // 2 * 2 + 2).astype("str")}
    ends = pd.Series("null", index=at, dtype="str")
    ends.iloc[[0, -1]] = ["a@example.com", "b@example.com"]
    times = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(at, unit="s")
    plain = pd.DataFrame({"event_name": "Placed Order", "timestamp": times})
    return {
        "a simulated store": ck.simulate_store(people=140_000, seed=1).events,
        "a million addresses on one cookie": plain.assign(
            **{"alias.cookie": "kiosk", "alias.email": texts[0] + "@example.com"}
        ),
        "a chain of a million aliases": plain.assign(**chain, **{"alias.email": ends}),
    }


def disturbed(
    people: int, seed: int, noise: float, changes: tuple
) -> tuple[pd.DataFrame, pd.Series]:
    """Return a store's events with the changes made to them, and each event's true person."""
    store = ck.simulate_store(people=people, seed=seed, noise=noise)
    events = store.events.copy()
    rng = np.random.default_rng(seed)
    for change in changes:
        events = change(events, store.truth["person"], rng)
    return events, store.truth["person"]


def cache_tokens(
    events: pd.DataFrame, person: pd.Series, rng: np.random.Generator, share: float = 0.02
) -> pd.DataFrame:
    """Put a share of the carts, eight at a time, under one token, as a cached page does."""
    carts = events[CART][events[CART].str.fullmatch("[0-9a-f]{10}").fillna(False)].unique()
    chosen = rng.permutation(carts)[: int(len(carts) * share) // 8 * 8].reshape(-1, 8)
    same = {cart: together[0] for together in chosen for cart in together}
    return events.assign(**{CART: events[CART].replace(same)})


def add_second_addresses(
    events: pd.DataFrame, person: pd.Series, rng: np.random.Generator, share: float = 0.05
) -> pd.DataFrame:
    """Let a share of the people give a second address half of the time."""
    has_two = rng.random(person.max() + 1) < share
    here = has_two[person] & (rng.random(len(person)) < 0.5)
    here &= events[EMAIL].str.contains("@").fillna(False).to_numpy(dtype=bool)
    return events.assign(
        **{EMAIL: events[EMAIL].where(~here, "second." + events[EMAIL].str.strip())}
    )


def measure(events: pd.DataFrame, person: pd.Series) -> pd.DataFrame:
    """Return one row per profile that is over-merged, suspected, or both."""
    s = ck.stitch(events)
    seen = s.events.assign(person=person.to_numpy()[s.events["row"]]).dropna(subset="profile_id")
    logins = [f"alias.{name}" for name in LOGIN_TYPES if f"alias.{name}" in seen]
    usable = seen[logins].apply(lambda column: column.str.strip().str.contains("[@+]|^7", na=False))
    people = seen.groupby("profile_id")["person"].nunique()
    named = seen[usable.any(axis=1)].groupby("profile_id")["person"].nunique()
    table = pd.DataFrame({"over_merged": people > 1, "can_be_found": named > 1}).fillna(False)
    suspects = s.suspects.set_index("profile_id")
    table = table.join(suspects[["evidence", "cut_kind", "cut"]])
    table["rightly"] = [is_right(cut, seen) for cut in table["cut"]]
    return table[table["over_merged"] | table["evidence"].notna()]


def is_right(cut: object, seen: pd.DataFrame) -> bool:
    """Return whether every alias of the cut stands on events of more than one person."""
    if not isinstance(cut, list) or not cut:
        return False
    pairs = [urn.removeprefix("urn:").split(":", 1) for urn in cut]
    return all(len(people_of(seen, name, value)) > 1 for name, value in pairs)


def people_of(seen: pd.DataFrame, name: str, value: str) -> set[int]:
    """Return the people on whose events an alias stands."""
    here = seen[f"alias.{name}"].str.strip().str.lower() == value.lower()
    return set(seen["person"][here])


def summary(table: pd.DataFrame) -> str:
    """Say what was found, and of each kind of evidence how often it is right."""
    suspected = table["evidence"].notna()
    can = table["can_be_found"]
    lines = [
        f"  over-merged: {table['over_merged'].sum():,}, "
        f"of them found: {share(suspected[table['over_merged']])}; "
        f"of the {can.sum():,} that can be found by logins: {share(suspected[can])}"
    ]
    for evidence, part in table.groupby("evidence"):
        right = part[part["over_merged"] & (part["cut_kind"] == "alias")]
        lines.append(
            f"  {evidence}: {len(part):,}, of them over-merged: {share(part['over_merged'])}; "
            f"of these with an alias blamed, rightly: {share(right['rightly'])}"
        )
    return "\n".join(lines)


def share(hits: pd.Series) -> str:
    return f"{hits.mean():.1%} of {len(hits):,}" if len(hits) else "none"


if __name__ == "__main__":
    main()
