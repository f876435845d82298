"""Checks of plug-ins: what one is, and how it is made beside those that come with convergekit.

A check that fails is not made, and the check-up says so; the other checks are made all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.options import choice, names_given
from convergekit.base.text import as_text
from convergekit.base.wording import counted, shortened
from convergekit.checks import CHECKS
from convergekit.checks.fault import Check, Fault, FoundInPart, Kept, Severity, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import masked, quoted, shown_text
from convergekit.entry_points import PlugIns
from convergekit.errors import ConvergekitError

_MOST_OF_AN_ERROR = 200
#: The key of a finding that is none: the check failed.
_FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class TrackingCheck:
    """A check of your own, which a plug-in adds to `check_up`.

    Attributes
    ----------
    find : callable
        Takes events as a DataFrame and returns a Series of text with the same index: what is wrong
        with each event, in a few words, and missing where nothing is. See Notes.
    what, why, fix : str
        The fault, why it matters, and what to do, in a sentence each. How many events have the
        fault stands before `what`.
    severity : {"high", "medium", "low"}, default "low"
        Whether figures or people are already wrong, events are likely to be lost, or it is worth
        a look.
    needs : sequence of str
        Columns that `find` looks at, such as ``"properties.receipt_no"``. Without one of them the
        check is not made, and the check-up says so.

    Raises
    ------
    ConvergekitError
        `find` is not a function, a text is empty, or `severity` is not one of the three.

    Notes
    -----
    The frame holds what counts: no dropped copies, and no rejected rows. Its columns are those of
    `Stitched.events` before anything is carried: `row`, `event_id`, `event_name` (missing for an
    identify call), `timestamp`, `source`, ``alias.<type>``, ``properties.<name>`` and
    ``profile_properties.<name>``. The frame is a copy.

    Events that do not fit into memory are looked at part by part, and rows that share an alias or
    an event ID are in one part. What `find` says of an event must therefore not depend on the
    events of other people. The money of a finding is that of the conversions in it.

    Examples
    --------
    >>> import pandas as pd
    >>> import convergekit as ck
    >>> def without_receipt(events):
    ...     lacking = events["properties.receipt_no"].isna()
    ...     return pd.Series("no receipt number", events.index, dtype="str").where(lacking)
    >>> check = ck.TrackingCheck(
    ...     find=without_receipt, needs=["properties.receipt_no"], severity="medium",
    ...     what="A sale has no receipt number.", why="It cannot be found in the till.",
    ...     fix="Send receipt_no with each sale.",
    ... )
    >>> check.find(pd.DataFrame({"properties.receipt_no": ["A-1", None]})).tolist()
    [nan, 'no receipt number']

    See Also
    --------
    check_up : Makes the checks.
    plug_ins : Lists the plug-ins that are installed.
    """

    find: Callable[[pd.DataFrame], pd.Series]
    what: str
    why: str
    fix: str
    severity: Severity = "low"
    needs: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a check."""
        if not callable(self.find):
            raise ConvergekitError(
                "find of a ck.TrackingCheck must be a function from events to a Series of text; "
                f"got {self.find!r}."
            )
        for name in ("what", "why", "fix"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise ConvergekitError(
                    f"{name} of a ck.TrackingCheck must be a sentence; got {text!r}."
                )
        choice("severity", self.severity, Severity)
        object.__setattr__(self, "needs", names_given("needs", self.needs))


@dataclass(frozen=True)
class Plugged:
    """A plug-in's check as a check-up makes it: data, and functions of the plug-in's module.

    Attributes
    ----------
    name : str
    origin : str
        The package and its version.
    check : TrackingCheck or None
        None where there is a problem.
    problem : str
        Why the plug-in cannot be used.
    """

    name: str
    origin: str
    check: TrackingCheck | None
    problem: str

    def unless(self, whole: Whole) -> str:
        """Return why the check cannot be made; nothing where it can."""
        if self.check is None:
            return self.problem
        lacking = [name for name in self.check.needs if name not in whole.columns]
        return f"no event has {quoted(lacking)}" if lacking else ""

    def find(self, tracking: Tracking) -> Iterator[FoundInPart]:
        """Find the events of a part that have the fault, or say why that fails."""
        assert self.check is not None
        at = np.flatnonzero(tracking.is_kept)
        events = tracking.events.iloc[at].reset_index(drop=True)
        lacking = [name for name in self.check.needs if name not in events]
        try:
            seen = self._seen(self.check.find(events.assign(**dict.fromkeys(lacking))), events)
        except Exception as error:
            text = shortened(masked(_told(error)), _MOST_OF_AN_ERROR)
            nothing = np.empty(0, dtype=np.int64)
            about = f"the plug-in {self.name!r} of {self.origin} fails: {text}"
            yield FoundInPart(nothing, None, lambda _: [], key=_FAILED, about=about)
            return
        has_fault = seen.notna().to_numpy(dtype=bool)
        at, said = at[has_fault], seen[has_fault].map(shown_text).tolist()
        of_event = dict(zip(at.tolist(), said, strict=True))
        if len(at):
            yield FoundInPart(
                at, tracking.worth(at), lambda some: [of_event[one] for one in some.tolist()]
            )

    def _seen(self, found: Any, events: pd.DataFrame) -> pd.Series:
        """Return what the function said of each event, as text."""
        if not isinstance(found, pd.Series) or not found.index.equals(events.index):
            raise _UnusableError(
                "find must return a Series with the index of the events; it returned "
                f"{type(found).__name__}"
            )
        seen, unusable = as_text(found)
        if unusable.any() or pd.api.types.is_bool_dtype(found.dtype):
            raise _UnusableError("find must return what is wrong with an event as text, or nothing")
        return seen

    def say(self, found: Together) -> Fault:
        """Return the fault of all events that have it."""
        assert self.check is not None
        check = self.check
        what = f"{counted(found.count, 'event')}: {check.what}"
        return Fault(check.severity, what, check.why, check.fix, found.money)

    def as_check(self) -> Check:
        """Return it as the check-up makes those that come with convergekit."""
        return Check(find=self.find, say=self.say, unless=self.unless)


class _UnusableError(Exception):
    """What a check returned cannot be used; the message is ours."""


def _told(error: Exception) -> str:
    """Return what is said of an error: its own words may quote anybody's name or address."""
    if isinstance(error, _UnusableError):
        return str(error)
    return f"{type(error).__name__}; call its find(s.events) to see what it says"


def _fault(name: str, made: Any) -> str:
    """Return what is wrong with what a plug-in offers as a check."""
    right = isinstance(made, TrackingCheck)
    return "" if right else f"of type {type(made).__name__}, and not a ck.TrackingCheck"


PLUG_INS = PlugIns("checks", _fault, lambda: CHECKS)


def plugged_checks() -> tuple[Plugged, ...]:
    """Return the checks of the plug-ins that are installed."""
    return tuple(
        Plugged(one.name, " and ".join(plug_in.origin for plug_in in one.plug_ins),
                one.made, one.problem)
        for one in PLUG_INS.offers()
    )  # fmt: skip


def with_plugged(plugged: Sequence[Plugged]) -> dict[str, Check]:
    """Return all checks by name: those that come with convergekit, then those of plug-ins."""
    return CHECKS | {one.name: one.as_check() for one in plugged if one.name not in CHECKS}


def failure(kept: Collection[Kept]) -> str:
    """Return why a check failed in some part; nothing where it did not."""
    return next((str(one.about) for one in kept if one.key == _FAILED), "")


def said_of_plugged(plugged: Sequence[Plugged]) -> list[str]:
    """Return which checks are of plug-ins, a sentence for each package; and which are left out."""
    of_package: dict[str, list[str]] = {}
    for one in plugged:
        if one.name not in CHECKS:
            of_package.setdefault(one.origin, []).append(one.name)
    return [
        *(f"Of the plug-in {origin}: {quoted(names)}." for origin, names in of_package.items()),
        *(f"Left out: {one.problem}" for one in plugged if one.name in CHECKS),
    ]
