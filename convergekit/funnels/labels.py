"""The labels of a funnel's breakdown: read from the events of each path, once it is found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.events.schema import missing
from convergekit.funnels.result import OTHER
from convergekit.funnels.vendors.presets import ByStep
from convergekit.typing import IntArray


def labels_of(
    events: pd.DataFrame,
    columns: list[str],
    positions: IntArray,
    by_step: ByStep,
    top: int | None,
    steps: int,
    label_at: IntArray | None,
) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """Return the breakdown's labels of each path, and from which steps they came.

    With `label_at`, labels are those of the events at these positions, whatever their steps.
    """
    labels: dict[str, pd.Series] = {}
    nowhere = pd.DataFrame({"by": [], "step": [], "profiles": []})
    if label_at is not None:
        for name in columns:
            labels[name] = _top(pd.Series(events[name].array.take(label_at, allow_fill=True)), top)
        return labels, nowhere
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
        read = pd.Series(values.array.take(at, allow_fill=True)) if len(values) else values
        labels[name] = _top(read, top)
        origin = pd.Series(np.where(found, step + 1, 0)).value_counts().sort_index()
        origin = origin.rename_axis("step").rename("profiles").reset_index()
        origins.append(origin.assign(by=name)[["by", "step", "profiles"]])
    return labels, pd.concat(origins, ignore_index=True) if origins else nowhere


def _top(labels: pd.Series, top: int | None) -> pd.Series:
    if top is None:
        return labels
    counts = labels.value_counts().rename_axis("label").reset_index(name="count")
    counts["text"] = counts["label"].astype(str)
    kept = counts.sort_values(["count", "text"], ascending=[False, True])["label"].head(top)
    return labels.astype(object).where(labels.isin(kept) | labels.isna(), OTHER)
