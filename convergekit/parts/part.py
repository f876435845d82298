"""One part: the rows of whole clusters, stitched by the code of memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from convergekit.checks.tracking import AskedCheckUp, Tracking, tracking_of
from convergekit.events.normalise import SAID_BY_READERS, NormalisedEvents, normalise
from convergekit.events.schema import NESTED
from convergekit.events.shapes import NOTHING_READ, READ_SHAPES
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import of_accepted
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray

#: What readers say of rows is counted over all of them.
_SAID = (*SAID_BY_READERS, READ_SHAPES)


def said_of_rows(columns: Iterable[str]) -> set[str]:
    """Return the columns of which is only said something of all rows together, and the file."""
    found = {name for name in columns if name in (*_SAID, *NESTED)}
    return found | {"file"} if found else found


def stitched_part(rows: pd.DataFrame, row: IntArray, options: StitchOptions) -> StitchedEvents:
    """Return the rows of a part, stitched; `row` counts through all rows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Under canonical names, their columns in the types that all rows have.
    row : numpy.ndarray of int
        The place of each among all rows, ascending.
    options : StitchOptions
        What they name and none of these rows has is of another part.
    """
    chosen = replace(options, of_more=True, strict=False)
    placed = [_accepted(rows, row, chosen)]
    # Rows that nobody else holds are not held beside what is made of them.
    del rows
    return of_accepted(placed.pop(), chosen)


def tracked_part(
    rows: pd.DataFrame, row: IntArray, options: StitchOptions, asked: AskedCheckUp
) -> Tracking:
    """Return the rows of a part for the checks, as `stitched_part` does stitched."""
    chosen = replace(options, of_more=True)
    return tracking_of(_accepted(rows, row, chosen), chosen, asked)


def _accepted(rows: pd.DataFrame, row: IntArray, options: StitchOptions) -> NormalisedEvents:
    """Return rows as events, with their places among all rows."""
    accepted = normalise(
        rows.drop(columns=list(_SAID), errors="ignore"),
        tz=options.tz,
        rename_events=options.rename_events,
        alias_from=options.alias_from,
        nothing=options.nothing,
    )
    # These are said with counts of rows, which are of all of them.
    remarks = {name: n for name, n in accepted.remarks.items() if NOTHING_READ not in name}
    return replace(
        accepted,
        remarks=remarks,
        events=accepted.events.assign(row=row[accepted.events["row"].to_numpy()]),
        rejected=accepted.rejected.assign(row=row[accepted.rejected["row"].to_numpy()]),
    )
