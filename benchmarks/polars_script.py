"""A hand-tuned script: Polars for columns, SciPy for the components."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import scipy

from convergekit.events.nothing import PLACEHOLDERS


def stitch(path: str) -> pd.DataFrame:
    """Return the events of a Parquet file once each, with a profile and properties filled."""
    return stitched(pl.read_parquet(path)).to_pandas().set_index("row")


def stitched(events: pl.DataFrame) -> pl.DataFrame:
    """Return events once each; the profile of an event without an alias is below zero."""
    events = events.with_row_index("row")
    events = events.filter(pl.col("event_id").is_null() | pl.col("event_id").is_first_distinct())
    columns = [c for c in events.columns if c.startswith("alias.")]
    junk = list(PLACEHOLDERS)
    cleaned = events.select(_clean(c, junk) for c in columns)

    # A number per alias: a column's own codes, above those of the columns before.
    nodes, base = np.full((len(columns), len(events)), -1, dtype=np.int64), 0
    for place, column in enumerate(columns):
        codes = cleaned[column].cast(pl.Categorical).to_physical()
        there = codes.is_not_null().to_numpy()
        _, dense = np.unique(codes.drop_nulls().to_numpy(), return_inverse=True)
        nodes[place, there] = dense + base
        base += int(dense.max(initial=-1)) + 1

    first, links = np.full(len(events), -1, dtype=np.int64), []
    for node in nodes:
        both = (first >= 0) & (node >= 0)
        links.append((first[both], node[both]))
        first = np.where(first >= 0, first, node)
    one, other = (np.concatenate(ends) for ends in zip(*links, strict=True))
    graph = scipy.sparse.coo_array((np.ones(len(one), np.int8), (one, other)), shape=(base, base))
    _, component = scipy.sparse.csgraph.connected_components(graph.tocsr(), directed=False)
    profile = np.where(first >= 0, component[first], -1 - np.arange(len(events)))

    properties = [c for c in events.columns if c.startswith("profile_properties.")]
    return (
        events.with_columns(profile=profile)
        .sort("timestamp", maintain_order=True)
        .with_columns(
            pl.col(c)
            .replace("", None)
            .forward_fill()
            .over("profile")
            .alias(c.replace("profile_properties.", "profile."))
            for c in properties
        )
        .sort("row")
    )


def _clean(column: str, junk: list[str]) -> pl.Expr:
    value = pl.col(column).str.strip_chars()
    if column == "alias.email":
        value = value.str.to_lowercase()
    is_junk = value.str.to_lowercase().is_in(junk) | (value.str.strip_chars("0-") == "")
    return pl.when(~is_junk).then(value)
