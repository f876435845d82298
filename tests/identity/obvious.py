"""The obvious script: what a skilled person writes first, with pandas and networkx alone."""

from __future__ import annotations

import itertools

import networkx as nx
import pandas as pd

import convergekit as ck
from convergekit.events.nothing import PLACEHOLDERS


def stitch(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events once each, with a profile number and every profile property filled."""
    events = events[events["event_id"].isna() | ~events.duplicated("event_id")]
    columns = [c for c in events if c.startswith("alias.")]
    cleaned = {c: _clean(events[c], lower=c == "alias.email") for c in columns}

    graph = nx.Graph()
    first_alias: list[tuple[str, str] | None] = []
    for values in zip(*(cleaned[c] for c in columns), strict=True):
        nodes = [(c, v) for c, v in zip(columns, values, strict=True) if isinstance(v, str)]
        graph.add_nodes_from(nodes)
        graph.add_edges_from(itertools.combinations(nodes, 2))
        first_alias.append(nodes[0] if nodes else None)

    profile_of = {}
    for number, component in enumerate(nx.connected_components(graph)):
        for node in component:
            profile_of[node] = number
    # An event without an alias is nobody's: a profile number of its own.
    profile = [profile_of[alias] if alias else -1 - i for i, alias in enumerate(first_alias)]
    filled = events.assign(profile=profile).sort_values("timestamp", kind="stable")
    properties = [c for c in events if c.startswith("profile_properties.")]
    carried = filled.groupby("profile")[properties].ffill()
    carried.columns = [c.replace("profile_properties.", "profile.") for c in properties]
    return filled.join(carried).sort_index()


def _clean(values: pd.Series, *, lower: bool) -> pd.Series:
    values = values.str.strip()
    values = values.str.lower() if lower else values
    junk = values.str.lower().isin(PLACEHOLDERS) | values.str.fullmatch("[0-]+").fillna(False)
    return values.mask(junk)


def check_equal(ours: ck.Stitched, theirs: pd.DataFrame) -> None:
    """Raise unless both kept the same rows, drew the same profiles and filled the same values."""
    events = ours.events
    assert (events["row"].to_numpy() == theirs.index.to_numpy()).all()
    named = events["profile_id"].notna().to_numpy()
    assert (named == (theirs["profile"] >= 0).to_numpy()).all()
    pairs = pd.DataFrame({"ours": events["profile_id"], "theirs": theirs["profile"].to_numpy()})
    pairs = pairs[named].drop_duplicates()
    assert pairs["ours"].is_unique
    assert pairs["theirs"].is_unique
    for column in (c for c in theirs if c.startswith("profile.")):
        mine, other = events[column], theirs[column].reset_index(drop=True)
        assert ((mine == other) | (mine.isna() & other.isna())).all(), column
