"""The outcome of each profile in a funnel, as arrays, for its table and its lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from convergekit.typing import BoolArray, IntArray

#: How a profile that entered fared.
CONVERTED, DROPPED, IN_WINDOW, EXCLUDED = "converted", "dropped", "in_window", "excluded"
STATUSES = (CONVERTED, DROPPED, IN_WINDOW, EXCLUDED)
NOT_A_TIME = np.iinfo(np.int64).min  # NaT


@dataclass(frozen=True)
class Outcomes:
    """One row per profile that entered, or per attempt.

    Attributes
    ----------
    profile : numpy.ndarray of int
        Places in `ids`.
    ids : pandas.Index
    depth : numpy.ndarray of int
        The deepest step reached.
    status : numpy.ndarray of int
        Places in `STATUSES`.
    time : numpy.ndarray of int
        Per row and step, when it was reached, in microseconds; `NOT_A_TIME` if it was not.
    position : numpy.ndarray of int
        Per row and step, the frame's position of the event that fills it, or -1.
    rows : pandas.Series, optional
        What the frame calls its rows, if not by their positions.
    labels : mapping of str to pandas.Series
        Per column of the breakdown.
    visit : pandas.Series of str, optional
        Where visits are counted, the session that each row is.
    gained : numpy.ndarray of int, optional
        Per row and step, when it first got so deep, whichever way it went on; where that is not
        `time`.
    """

    profile: IntArray
    ids: pd.Index
    depth: IntArray
    status: IntArray
    time: IntArray
    position: IntArray
    rows: pd.Series | None = None
    labels: Mapping[str, pd.Series] = field(default_factory=dict)
    visit: pd.Series | None = None
    gained: IntArray | None = None

    def chosen(self, keep: IntArray) -> Outcomes:
        """Return some of the rows."""
        return replace(
            self,
            profile=self.profile[keep],
            depth=self.depth[keep],
            status=self.status[keep],
            time=self.time[keep],
            position=self.position[keep],
            labels={name: values.iloc[keep] for name, values in self.labels.items()},
            visit=None if self.visit is None else self.visit.iloc[keep],
            gained=None if self.gained is None else self.gained[keep],
        )

    @property
    def counted(self) -> Outcomes:
        """The rows that are not excluded."""
        excluded = self.status == STATUSES.index(EXCLUDED)
        return self.chosen(np.flatnonzero(~excluded)) if excluded.any() else self

    @property
    def waiting(self) -> BoolArray:
        """Which rows are neither converted nor dropped, their windows still open."""
        return self.status == STATUSES.index(IN_WINDOW)

    def first_at(self, step: int) -> IntArray:
        """Return when each row first got to a step (from 1): what it did later does not matter."""
        return (self.time if self.gained is None else self.gained)[:, step - 1]

    def waits(self, before: int, step: int) -> pd.Series:
        """Return how long those that reached both steps (from 1) took, as Timedelta."""
        start, end = self.time[:, before - 1], self.time[:, step - 1]
        both = (start != NOT_A_TIME) & (end != NOT_A_TIME)
        return pd.Series((end[both] - start[both]).view("timedelta64[us]"))

    def frame(self) -> pd.DataFrame:
        """Return the rows as a table."""
        table: dict[str, object] = {
            "profile_id": self.ids.take(self.profile),
            **({} if self.visit is None else {"session_id": self.visit.array}),
            "depth": self.depth,
            "status": pd.array(list(STATUSES), dtype="str").take(self.status),
        }
        for step in range(self.time.shape[1]):
            times = pd.Series(self.time[:, step].view("datetime64[us]"))
            table[f"time_{step + 1}"] = times.dt.tz_localize("UTC")
            table[f"row_{step + 1}"] = self._rows_at(self.position[:, step])
        # Rows that were chosen are in an order of their own.
        labels = {name: values.array for name, values in self.labels.items()}
        return pd.DataFrame({**table, **labels})

    def _rows_at(self, position: IntArray) -> object:
        if self.rows is None or pd.api.types.is_integer_dtype(self.rows.dtype):
            numbers = position if self.rows is None else self.rows.to_numpy(dtype=np.int64)
            if self.rows is not None and len(numbers):
                numbers = numbers[position]
            return pd.arrays.IntegerArray(numbers.copy(), position < 0)
        return self.rows.array.take(position, allow_fill=True)
