"""Event names that differ only in how they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
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


def _counts(tracking: Tracking) -> Counter[str]:
    """Return how many events are of each name, identify calls left out."""
    counts = tracking.events["event_name"][tracking.is_tracked].value_counts()
    return Counter({str(name): int(events) for name, events in counts.items()})


def _spellings(parts: list[Counter[str]], whole: Whole) -> dict[str, list[str]]:
    """Return the names that are one in several spellings, the commonest first."""
    counts = sum(parts, Counter[str]())
    table = pd.DataFrame({"name": pd.Series(list(counts), dtype="str"), "events": counts.values()})
    table["plain"] = folded(table["name"])
    table = table.sort_values(["events", "name"], ascending=[False, True])
    return {
        str(plain): names.tolist()
        for plain, names in table.groupby("plain", sort=True)["name"]
        if len(names) > 1
    }


def _spelled_differently(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find event names that are one name in several spellings."""
    names = tracking.events["event_name"]
    for plain, spellings in tracking.whole.of_checks["event-name-spelling"].items():
        at = np.flatnonzero(names.isin(spellings[1:]).to_numpy() & tracking.is_tracked)
        worth = tracking.worth_of_profiles(at)
        if _converts(spellings, tracking.whole) and tracking.amounts is not None:
            # Those under a name that is not counted.
            spelled = names.isin(spellings).to_numpy() & tracking.is_tracked
            uncounted = np.flatnonzero(spelled & ~tracking.is_conversion)
            worth = tracking.worth_of(uncounted, foreign=False)
        yield FoundInPart(
            at, worth, lambda some: [shown(name) for name in names.iloc[some]], plain, spellings
        )


def _said_of_spellings(found: Together) -> Fault:
    usual, *others = found.about[0]
    renames = ", ".join(f"{name!r}: {usual!r}" for name in others)
    return Fault(
        "high" if _converts(found.about[0], found.whole) else "medium",
        f"{quoted([usual])} is also written {quoted(others)}: {counted(found.count, 'event')}.",
        "Names are compared exactly: a step by one name misses the events under the others.",
        f"Send one name. Until then: rename_events={{{renames}}}.",
        found.money,
    )


def _converts(spellings: list[str], whole: Whole) -> bool:
    return any(name in whole.names for name in spellings)


SPELLED_DIFFERENTLY = Check(
    _spelled_differently, _said_of_spellings, learn=_counts, settle=_spellings
)
