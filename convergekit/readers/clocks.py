"""Epoch numbers that are not UTC: a format whose numbers say what a clock on the wall showed.

Mixpanel's older projects export the project's local time as if it were UTC. `clock` of
`read_events` says which zone that is, format by format.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.timestamps import check_zone, iso_texts, parse_timestamps
from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, Values, read_field

_NUMBER = re.compile(r"\s*[+-]?\d+(?:\.\d+)?\s*")


def check_clock(clock: Any, formats: Collection[str]) -> dict[str, str]:
    """Return what each format's clock is, after a look at the names and the zones.

    Raises
    ------
    ConvergekitError
        It is not a mapping, or names a format or a time zone that is not known.
    """
    if not isinstance(clock, Mapping):
        raise ConvergekitError(
            "clock must map a format to the time zone of its epoch numbers, such as "
            f"{{'mixpanel': 'America/New_York'}}; got {clock!r}."
        )
    for name, zone in clock.items():
        if name not in formats:
            raise ConvergekitError(
                f"clock must name formats: {', '.join(map(repr, formats))}; got {name!r}."
                f"{did_you_mean(str(name), list(formats))}"
            )
        if not isinstance(zone, str):
            raise ConvergekitError(
                f"clock={{{name!r}: ...}} must be a time zone such as 'America/New_York'; got "
                f"{zone!r}."
            )
        check_zone(zone, name=f"clock={{{name!r}: ...}}")
    return dict(clock)


def in_clock(export: Export, clock: Mapping[str, str]) -> Export:
    """Return a format with its epoch numbers read by its clock, as it is if it has none."""
    if export.name not in clock:
        return export
    return replace(export, timestamp=LocalEpochs(export.timestamp, clock[export.name]))


@dataclass(frozen=True)
class LocalEpochs:
    """A field of times whose epoch numbers are what a clock in a zone shows.

    Attributes
    ----------
    field : Field
    zone : str
        Where the clock is set back, an hour that occurs twice is taken as the first; one skipped
        in spring moves to its end, as `tz` of `stitch` has it.

    Examples
    --------
    >>> rows = Rows(pd.DataFrame({"time": [1772442480, None, "2026-03-02T09:08:00Z"]}))
    >>> LocalEpochs("time", "America/New_York")(rows).tolist()
    ['2026-03-02T14:08:00.000000Z', None, '2026-03-02T09:08:00Z']
    """

    field: Field
    zone: str

    def __call__(self, rows: Rows) -> Values:
        """Return the times, those of epoch numbers in UTC."""
        given = pd.Series(list(read_field(self.field, rows)), dtype=object)
        at = np.flatnonzero([_is_number(cell) for cell in given])
        shown = parse_timestamps(given.iloc[at]).times.dt.tz_localize(None)
        times = parse_timestamps(shown, tz=self.zone).times
        known = times.notna().to_numpy()
        # As text: times among the texts of other files would be parsed one by one.
        given.iloc[at[known]] = iso_texts(times[known])
        return given


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell) is not None
    return isinstance(cell, (int, float, np.number)) and not isinstance(cell, bool)
