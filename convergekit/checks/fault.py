"""A check: what it looks for in a part of the events, and what it says of all parts together.

All events in memory are a single part. What a check has to know of all events before it can look
at a part of them, it learns of each part first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.checks.money import as_numbers
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import without_addresses
from convergekit.checks.worth import Worth, added
from convergekit.typing import IntArray

Severity = Literal["high", "medium", "low"]

#: Most severe first.
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")
#: So many rows of a finding are named.
LISTED_ROWS = 5
_SHOWN = ["row", "event_id", "event_name", "timestamp", "source"]


@dataclass(frozen=True)
class FoundInPart:
    """What a check finds in a part, of one finding.

    Attributes
    ----------
    at : numpy.ndarray of int
        The positions of the events concerned, ascending.
    worth : Worth or None
        The money concerned; None if unknown.
    seen : callable
        Returns, for some of these positions, what each of the events shows.
    key : str or tuple
        Which of the findings of the check it is: what is of one key is one finding.
    about : object
        What else is to be said of it: data alone.
    """

    at: IntArray
    worth: Worth | None
    seen: Callable[[IntArray], list[str]]
    key: Hashable = ""
    about: Any = None

    def examples(self, tracking: Tracking, n: int | None) -> pd.DataFrame:
        """Return the first of these events, with what each shows."""
        at = self.at[:n]
        table = tracking.events[_SHOWN].iloc[at].reset_index(drop=True)
        ids = table["event_id"].map(without_addresses, na_action="ignore")
        table["event_id"] = ids.astype("str")
        if tracking.money is not None:
            table["amount"] = as_numbers(tracking.events[tracking.money.column].iloc[at])
        return table.assign(seen=pd.Series(self.seen(at), dtype="str"))

    def kept(self, tracking: Tracking) -> Kept:
        """Return what is kept of it when the part is gone."""
        profiles = distinct(tracking.profile[self.at])
        return Kept(
            key=self.key,
            count=len(self.at),
            profiles=int((profiles >= 0).sum()),
            worth=self.worth,
            examples=self.examples(tracking, LISTED_ROWS) if len(self.at) else None,
            about=self.about,
        )


@dataclass(frozen=True)
class Kept:
    """What is kept of what a check found in a part: data alone.

    Attributes
    ----------
    key, worth, about
        As `FoundInPart` has them.
    count, profiles : int
        How many events, and how many profiles they are of; each profile is in one part.
    examples : pandas.DataFrame or None
        The first of the events, if there are any.
    """

    key: Hashable
    count: int
    profiles: int
    worth: Worth | None
    examples: pd.DataFrame | None
    about: Any


@dataclass(frozen=True)
class Together:
    """What a check found in all parts, of one finding.

    Attributes
    ----------
    key : str or tuple
    count, profiles : int
    money : float or None
    examples : pandas.DataFrame
        The first of the events, by their rows.
    about : list
        What is to be said of it, of each part in which it was found.
    whole : Whole
    """

    key: Any
    count: int
    profiles: int
    money: float | None
    examples: pd.DataFrame
    about: list[Any]
    whole: Whole

    @classmethod
    def of(cls, parts: Sequence[Kept], whole: Whole) -> Together:
        """Return what was found in all parts, of one key: some events at least."""
        examples = [part.examples for part in parts if part.examples is not None]
        return cls(
            key=parts[0].key,
            count=sum(part.count for part in parts),
            profiles=sum(part.profiles for part in parts),
            money=added(part.worth for part in parts),
            examples=first_rows(examples, LISTED_ROWS),
            about=[part.about for part in parts],
            whole=whole,
        )

    @property
    def rows(self) -> list[int]:
        """The first rows."""
        found: list[int] = self.examples["row"].tolist()
        return found


def first_rows(parts: Sequence[pd.DataFrame], n: int | None) -> pd.DataFrame:
    """Return the first rows of the examples of parts, by their place among all rows."""
    some = [part for part in parts if len(part)] or list(parts[:1])
    found = some[0] if len(some) == 1 else pd.concat(some).sort_values("row", kind="stable")
    return found.iloc[:n].reset_index(drop=True)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with the tracking.

    Attributes
    ----------
    severity : {"high", "medium", "low"}
        Whether figures or people are already wrong, events are likely to be lost, or it is worth
        a look.
    what, why, fix : str
        In plain words.
    money : float or None
        The money concerned; None if unknown.
    absent : bool
        Whether the fault is that events are not there: then those that were found only stand
        around.
    """

    severity: Severity
    what: str
    why: str
    fix: str
    money: float | None
    absent: bool = False


@dataclass(frozen=True)
class Check:
    """Looks for one kind of fault.

    Attributes
    ----------
    find : callable
        Yields what is wrong in a part.
    say : callable
        Returns what is wrong with all parts together, of one key; None where that is nothing.
    unless : callable
        Returns why it cannot look, in words; nothing where it can.
    learn : callable or None
        Returns what it has to know of a part before: data alone.
    settle : callable or None
        Returns what it knows then, of what it learned of all parts.
    """

    find: Callable[[Tracking], Iterable[FoundInPart]]
    say: Callable[[Together], Fault | None]
    unless: Callable[[Whole], str] = lambda whole: ""
    learn: Callable[[Tracking], Any] | None = None
    settle: Callable[[list[Any], Whole], Any] | None = None
