"""Claims of platforms beside orders, by parts: the orders of each part, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from convergekit.events.calendar import Calendar
from convergekit.events.observed import Observed
from convergekit.events.steps import among_all
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.below import rows_below
from convergekit.parts.each import EachPart
from convergekit.reconcile.claims import PlatformClaims
from convergekit.reconcile.compare import (
    FoundOrders,
    ReconcileQuestion,
    claims_asked,
    orders_of,
    reconciled,
)
from convergekit.reconcile.eligible import Eligible
from convergekit.reconcile.platforms import Dated, Windows
from convergekit.reconcile.result import Reconciliation
from convergekit.spend.result import Spend


def reconcile_by_parts(
    each: EachPart,
    spend: pd.DataFrame | Spend,
    asked: ReconcileQuestion,
    observed: Observed,
    calendar: Calendar,
    *,
    windows: Windows | None,
    dated: Mapping[str, Dated] | None,
    start: Any,
    end: Any,
) -> Reconciliation:
    """Return the claims beside the orders. See `Stitched.reconcile`.

    Parameters
    ----------
    each : EachPart
    spend, windows, dated, start, end
        As `Stitched.reconcile` takes them.
    asked : ReconcileQuestion
    observed : Observed
        From when to when profiles are observed.
    calendar : Calendar
    """
    claims = claims_asked(
        spend, asked, calendar, windows=windows, dated=dated, start=start, end=end
    )
    found = list(each(partial(_orders_of, asked=asked, claims=claims)))
    row = np.concatenate([part.events["row"].to_numpy(dtype=np.int64) for part in found])
    order = np.argsort(row)
    whole = FoundOrders(
        events=rows_below([part.events for part in found]),
        position=np.arange(len(row)),
        in_period=np.concatenate([part.in_period for part in found])[order],
        eligible=Eligible.below([part.eligible for part in found], order),
        untimed=sum(part.untimed for part in found),
        beyond=sum(part.beyond for part in found),
    )
    return reconciled(asked, claims, whole, (observed.begin, observed.end), calendar)


def _orders_of(
    number: int, s: StitchedEvents, *, asked: ReconcileQuestion, claims: PlatformClaims
) -> FoundOrders:
    found = orders_of(s, asked, claims)
    return replace(found, events=among_all(s.events.iloc[found.position], s.events))
