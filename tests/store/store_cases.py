"""Random batches for a store, and what has to hold of it, by stitching everything each time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

import convergekit as ck
from convergekit.identity.profiles import ids_of_leaders
from convergekit.readers.concatenate import concatenate
from tests.strategies import event_frames


@st.composite
def batches(draw, max_rows=16, **options):
    """Frames in their order of adding: some rows twice, some columns in one frame alone."""
    frame = draw(event_frames(max_rows=max_rows, several=True, unset=True, **options))
    if draw(st.booleans()):
        source = frame["profile_properties.utm_source"]
        frame["profile_properties.utm_source"] = source.replace("mail", "(not set)")
    cuts = sorted(draw(st.lists(st.integers(0, len(frame)), min_size=1, max_size=3)))
    bounds = [0, *cuts, len(frame)]
    parts = [frame.iloc[a:b] for a, b in itertools.pairwise(bounds)]
    for place, part in enumerate(parts):
        optional = ["received_at", "event_id", "profile_properties.utm_source", "unset"]
        gone = draw(st.lists(st.sampled_from(optional), max_size=1))
        parts[place] = part.drop(columns=gone, errors="ignore").reset_index(drop=True)
    return [part for part in parts if len(part)]


options = st.fixed_dictionaries(
    {},
    optional={
        "duplicates": st.just("merge"),
        "dedupe_on": st.just(["source", "event_id"]),
        "limits": st.sampled_from([{"email": 1}, {"cookie": 2, "email": 1}]),
        "identity": st.just("as_of"),
        "first": st.just(["$initial_*"]),
        "block": st.just(["urn:cart_token:t1"]),
        "alias_from": st.just({"utm_source": "campaign"}),
        "rename_events": st.just({"PageView": "Placed Order", "Placed Order": "Order"}),
        "browser_alias": st.just("cart_token"),
        "nothing": st.sampled_from([["utm_source"], ["utm_*"]]),
    },
)


def stitched_together(parts, kept_options):
    """Stitch all batches, one below the other."""
    frame = concatenate([part.copy() for part in parts])
    named = dict(kept_options)
    for name in ("alias_from", "nothing"):
        if name in named and "profile_properties.utm_source" not in frame:
            named.pop(name)
    if "rename_events" in named:
        there = set(frame["event_name"].dropna())
        named["rename_events"] = {a: b for a, b in named["rename_events"].items() if a in there}
    # A store takes a type that some later batch may bring; one call must have it.
    unlike = {"limits", "block", "browser_alias"}
    plain = {name: given for name, given in named.items() if name not in unlike}
    types = set(ck.stitch(frame, **plain).report.alias_types["alias_type"])
    if "block" in named:
        named["block"] = [urn for urn in named["block"] if urn.split(":")[1] in types]
    # Left out, it would mean the type "cookie": another answer than that of a type not there yet.
    assume(not types or named.get("browser_alias", "cookie") in {"cookie", *types})
    if "limits" in named:
        linked = ck.stitch(frame, **plain, block=named.get("block", ())).aliases["alias_type"]
        named["limits"] = {name: n for name, n in named["limits"].items() if name in set(linked)}
    return ck.stitch(frame, **named)


def check_after_each_batch(path: Path, parts, kept_options):
    """Add batch after batch, and compare the store with stitching all so far."""
    store = ck.open_store(path, **kept_options)
    before = None
    for number in range(1, len(parts) + 1):
        added = store.add(parts[number - 1])
        s = stitched_together(parts[:number], kept_options)
        assert added.rows == len(parts[number - 1])
        assert added.rows == added.events + added.duplicates + added.rejected
        same(store.profiles, s.profiles)
        same(store.aliases, s.aliases)
        check_history(store, before, s, number, sum(map(len, parts[: number - 1])))
        before = s
    if before is not None:
        check_same(store, before)
    return store


def check_same(store, s):
    """Compare what a store answers with a Stitched."""
    again = store.stitched()
    for name in ("events", "duplicates", "profiles", "aliases", "refused_links"):
        same(getattr(again, name), getattr(s, name))
    # Columns of rejected rows stand as they first came, one frame's not beside another's.
    same(again.rejected.sort_index(axis=1), s.rejected.sort_index(axis=1))
    status = store.status()
    assert (status.events, status.duplicates, status.rejected, status.profiles, status.aliases) == (
        *map(len, (s.events, s.duplicates, s.rejected, s.profiles, s.aliases)),
    )
    for row in s.aliases.iloc[:1].itertuples():
        urn = f"urn:{row.alias_type}:{row.alias_value}"
        same(store.profile(urn), s.profile(urn))
        last = s.profiles["profile_id"].iloc[-1]
        same(store.profile(last), s.profile(last))


def check_history(store, before, s, number, start):
    """Compare the merges of a batch with who was there before it, and who is after it."""
    merges = store.merges
    merges = merges[merges["batch"] == number]
    expected = {}
    if before is not None:
        now = s.aliases.set_index(["alias_type", "alias_value"])["profile_id"]
        gone = before.aliases[~before.aliases["profile_id"].isin(s.profiles["profile_id"])]
        named = gone.astype({"alias_type": "category"})
        leads = ids_of_leaders(named[["alias_type", "alias_value"]]).to_numpy()
        for row in gone[leads == gone["profile_id"].to_numpy()].itertuples():
            expected[row.profile_id] = now.get((row.alias_type, row.alias_value))
        assert set(expected) == set(gone["profile_id"])
    new = [None if pd.isna(cell) else cell for cell in merges["new_profile_id"]]
    assert dict(zip(merges["old_profile_id"], new, strict=True)) == expected
    assert len(merges) == len(expected)
    rows = merges["row"].dropna()
    assert rows.isin(s.events["row"]).all()
    return rows >= start


def same(one, other):
    """Compare every cell, by what it says; types may differ where a column has no value."""
    assert list(one.columns) == list(other.columns), (list(one.columns), list(other.columns))
    assert len(one) == len(other)
    for name in one:
        assert _cells(one[name]) == _cells(other[name]), name


def _cells(column):
    return [None if _is_missing(cell) else cell for cell in column]


def _is_missing(cell):
    return pd.api.types.is_scalar(cell) and pd.isna(cell)
