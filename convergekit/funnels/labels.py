"""The labels of a funnel's breakdown, where they are read from the events of each path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import run_starts
from convergekit.events.schema import missing
from convergekit.funnels.vendors.presets import ByStep
from convergekit.typing import IntArray
from convergekit.visits.entry import values_at

#: The label of those that `top=` leaves out.
OTHER = "other"


def short_name(column: str) -> str:
    """Return what a column of events is called in a sentence.

    Examples
    --------
    >>> short_name("profile.utm_source"), short_name("source")
    ('utm_source', 'source')
    """
    for prefix in ("profile_properties.", "properties.", "profile."):
        if column.startswith(prefix) and column != prefix:
            return column.removeprefix(prefix)
    return column


def no_origin() -> pd.DataFrame:
    """Return what `labels_of_steps` says of labels that no step gave: nothing."""
    return pd.DataFrame({"by": [], "step": [], "profiles": []})


def labels_of_steps(
    events: pd.DataFrame,
    columns: list[str],
    positions: IntArray,
    by_step: ByStep,
    steps: int,
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """Return the breakdown's labels of each path, and from which steps they came.

    Parameters
    ----------
    events : pandas.DataFrame
    columns : list of str
    positions : numpy.ndarray of int
        Per path and step, the position of the event that fills it, -1 for none.
    by_step : {"first", "last"} or int
    steps : int
    """
    labels: dict[str, pd.Series] = {}
    origins = []
    for name in columns:
        values = events[name]
        has_value = np.append(~missing(values).to_numpy(dtype=bool), False)[positions]
        if isinstance(by_step, int):
            has_value[:, [s for s in range(steps) if s != by_step - 1]] = False
        step = has_value.argmax(axis=1)
        if by_step == "last":
            step = steps - 1 - has_value[:, ::-1].argmax(axis=1)
        found = has_value.any(axis=1)
        at = np.where(found, positions[np.arange(len(positions)), step], -1)
        read = values_at(values, at) if len(values) else values
        labels[name] = read
        origin = pd.Series(np.where(found, step + 1, 0)).value_counts().sort_index()
        origin = origin.rename_axis("step").rename("profiles").reset_index()
        origins.append(origin.assign(by=name)[["by", "step", "profiles"]])
    return labels, pd.concat(origins, ignore_index=True) if origins else no_origin()


def groups_of(labels: pd.DataFrame) -> list[tuple[tuple[Any, ...], IntArray]]:
    """Return the groups of a breakdown by their texts: their values, and the rows that have them.

    Those without a value are a group too, whatever the type of the column.

    Examples
    --------
    >>> groups_of(pd.DataFrame({"plan": pd.Categorical(["free", None, "free"])}))
    [(('free',), array([0, 2])), ((nan,), array([1]))]
    """
    # The indices of a pandas groupby lack the missing ones of categories, and it sorts values that
    # have no order.
    group = np.zeros(len(labels), dtype=np.int64)
    for name in labels:
        codes, distinct = pd.factorize(labels[name], use_na_sentinel=False)
        group = pd.factorize(group * len(distinct) + codes)[0]
    ascending = np.argsort(group, kind="stable")
    begins = np.flatnonzero(run_starts(group[ascending]))
    found = []
    for at in np.split(ascending, begins[1:]) if len(labels) else []:
        cells = (labels[name].iloc[at[0]] for name in labels)
        found.append((tuple(np.nan if pd.isna(cell) else cell for cell in cells), at))
    return sorted(found, key=lambda group: [(str(cell), str(type(cell))) for cell in group[0]])


def most_frequent(labels: pd.Series, top: int | None) -> pd.Series:
    """Return labels of which the most frequent ones are kept; the others become "other"."""
    return labels if top is None else with_others(labels, kept_labels(labels, top))


def kept_labels(labels: pd.Series, top: int) -> pd.Series:
    """Return the most frequent labels."""
    counts = labels.value_counts().rename_axis("label").reset_index(name="count")
    counts["text"] = counts["label"].astype(str)
    return counts.sort_values(["count", "text"], ascending=[False, True])["label"].head(top)


def with_others(labels: pd.Series, kept: pd.Series) -> pd.Series:
    """Return labels of which some are kept; the others become "other"."""
    return labels.astype(object).where(labels.isin(kept) | labels.isna(), OTHER)
