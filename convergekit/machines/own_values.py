"""Values that single profiles have of their own, such as a person's name in a note."""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.events.schema import PROFILE, PROPERTY


def own_values(events: Any, name: str) -> frozenset[str]:
    """Return the values of a property that are not shown, for they may say who somebody is.

    Those are the values that one profile has alone; and all of them, if there is more than one
    value for two profiles. An event without a profile counts as a profile of its own.

    Parameters
    ----------
    events : pandas.DataFrame or PartsTable
        Stitched.
    name : str
        The property, as a breakdown names it.

    Examples
    --------
    >>> events = pd.DataFrame({"profile_id": list("aabcd"), "properties.ad": list("xyxxx")})
    >>> sorted(own_values(events, "ad"))
    ['y']
    """
    found: set[str] = set()
    for prefix in ("", PROPERTY, PROFILE):
        found |= _of_column(events, prefix + name)
    return frozenset(found)


def written(value: Any) -> str:
    """Return a value of a property as text, a whole number without a fraction."""
    whole = isinstance(value, float) and value.is_integer()
    return f"{value:.0f}" if whole else str(value)


def _of_column(events: Any, column: str) -> set[str]:
    is_frame = isinstance(events, pd.DataFrame)
    names = events.columns if is_frame else events.dataset().schema.names
    if column not in names or column == "profile_id":
        return set()
    wanted = ["profile_id", column]
    frames = [events[wanted]] if is_frame else events.frames(wanted)
    # A profile is in one part: what is counted of parts adds up.
    counts, profiles = pd.Series(dtype="int64"), 0
    for frame in frames:
        there = frame[frame[column].notna()]
        values, has_profile = there[column].map(written), there["profile_id"].notna()
        of_profiles = values[has_profile].groupby(there["profile_id"][has_profile]).unique()
        alone = values[~has_profile]
        for found in (of_profiles.explode(), alone):
            counts = counts.add(found.value_counts(), fill_value=0)
        profiles += len(of_profiles) + len(alone)
    few = counts.index if 2 * len(counts) > profiles else counts.index[counts == 1]
    return {str(value) for value in few}
