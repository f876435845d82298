"""The store's events, each with the profile that it belongs to."""

import os

import convergekit as ck


def model(dbt, session):
    """Return the events as an Arrow table, which DuckDB reads."""
    return ck.open_store(os.environ["STORE"]).stitched().to_arrow()
