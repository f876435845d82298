"""Event names that differ only in how they are written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.checks.fault import Fault
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted, shown


def folded(names: pd.Series) -> pd.Series:
    """Return event names without what is only their spelling: case, spaces, ``_`` and ``-``.

    Examples
    --------
    >>> folded(pd.Series(["Added To Cart", "added_to-cart", "AddedToCart"])).unique().tolist()
    ['addedtocart']
    """
    plain = names.str.replace(r"[\s_-]+", "", regex=True).str.casefold()
    # A name of dashes alone has nothing but its spelling.
    return plain.mask(plain == "", names)


def spelled_differently(tracking: Tracking) -> list[Fault]:
    """Find event names that are one name in several spellings."""
    names = tracking.events["event_name"].where(tracking.is_tracked)
    codes, distinct = pd.factorize(names)
    table = pd.DataFrame(
        {
            "name": pd.Series(distinct, dtype="str"),
            "events": np.bincount(codes[codes >= 0], minlength=len(distinct)),
        }
    )
    table["plain"] = folded(table["name"])
    table = table.sort_values(["events", "name"], ascending=[False, True])
    return [
        _fault(tracking, codes, spellings["name"].tolist(), spellings.index.to_numpy())
        for _, spellings in table.groupby("plain", sort=True)
        if len(spellings) > 1
    ]


def _fault(
    tracking: Tracking, codes: np.ndarray, spellings: list[str], numbers: np.ndarray
) -> Fault:
    usual, *others = spellings
    at = np.flatnonzero(np.isin(codes, numbers[1:]))
    converts = any(name in tracking.names for name in spellings)
    if converts and tracking.amounts is not None:
        # Those under a name that is not counted.
        uncounted = np.flatnonzero(np.isin(codes, numbers) & ~tracking.is_conversion)
        worth: float | None = float(tracking.amounts[uncounted].sum())
    else:
        worth = tracking.worth_of_profiles(at)
    renames = ", ".join(f"{name!r}: {usual!r}" for name in others)
    return Fault(
        "high" if converts else "medium",
        f"{quoted([usual])} is also written {quoted(others)}: {counted(len(at), 'event')}.",
        "Names are compared exactly: a step by one name misses the events under the others.",
        f"Send one name. Until then: rename_events={{{renames}}}.",
        at,
        worth,
        lambda some: [shown(name) for name in tracking.events["event_name"].iloc[some]],
    )
