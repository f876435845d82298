"""Stores in which several people are one profile, whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

import convergekit as ck
from convergekit.identity.profiles import LOGIN_TYPES

EMAIL, CART = "alias.email", "alias.cart_token"


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
