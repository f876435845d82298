"""A funnel of a segment, asked of all that the segment was chosen of.

Links that were never seen cross the border of a segment: a device of the segment may be of a person
who entered outside, and an order outside may be of somebody in it. So bounds are found of all
events, and whoever enters with a profile of the segment is in it.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.events.observed import Observed
from convergekit.funnels.events import FunnelEvents
from convergekit.funnels.funnel import asking_of_stitched
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray

if TYPE_CHECKING:
    from convergekit.funnels.asking import Asking


def asked_of_all(
    asking: Asking, s: StitchedEvents
) -> tuple[StitchedEvents, Asking, FunnelEvents, BoolArray]:
    """Return all events, the funnel asked of these, those that count, and the segment's profiles.

    Parameters
    ----------
    asking : Asking
    s : StitchedEvents
        What it is asked of.

    Raises
    ------
    ConvergekitError
        It is a segment that was saved, so that the other events are not known, or one of events
        with a breakdown.
    """
    if s.segment is None:
        return s, asking, asking.counting, np.ones(len(s.resolution.profile_ids), dtype=bool)
    whole = s.segment.origin.events
    if whole is None:
        raise ConvergekitError(
            "bounds of a segment need the events that it was chosen of, which are left behind when "
            "it is saved; ask s.where(...).funnel(...).bounds() before."
        )
    if asking.labels and s.segment.origin.met:
        raise ConvergekitError(
            "bounds are not known with by= and a segment of events, for its visits are made of "
            "some events; leave out by=, or choose profiles."
        )
    # What is known of the segment beside its events is known of all, and handed on.
    whole = replace(whole, events=_with_attrs(whole.events, s.events))
    chosen = np.isin(whole.resolution.profile_ids.to_numpy(), s.resolution.profile_ids.to_numpy())
    counts = np.ones(len(whole.events), dtype=bool)
    for met in s.segment.origin.met:
        counts &= met(whole)
    mine = np.append(chosen, False)[whole.resolution.profile]
    counts[mine] = np.isin(whole.events["row"].to_numpy(), s.events["row"].to_numpy())[mine]
    known = replace(asking.known, observed=Observed(_EARLIEST, asking.observed.end))
    with warnings.catch_warnings():
        # They were said when the funnel was asked.
        warnings.simplefilter("ignore")
        of_all = replace(asking_of_stitched(whole, asking.asked), known=known)
    counting = of_all.counting
    inside = asking.observed.holds(counting.time)
    kept = counts[counting.position] & (inside | ~mine[counting.position])
    return whole, of_all, counting.chosen(np.flatnonzero(kept)), chosen


#: Before any event.
_EARLIEST = pd.Timestamp("1700-01-01", tz="UTC").as_unit("us")


def _with_attrs(events: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    found = events.copy(deep=False)
    found.attrs = {**events.attrs, **known.attrs}
    return found
