"""Funnel steps: which events fill which step, and which events exclude."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.grouping import number
from convergekit.base.text import known_characters
from convergekit.base.wording import counted, shortened
from convergekit.errors import (
    ColumnError,
    ConvergekitError,
    callers_level,
    did_you_mean,
    what_there_is,
)
from convergekit.events.arrow import LISTS_OF_TEXT
from convergekit.events.query import evaluate_query
from convergekit.events.schema import PROFILE, PROPERTY
from convergekit.typing import BoolArray, IntArray

#: The steps that an event fills are the bits of one integer.
MOST_STEPS = 60
#: A condition on events: a query, column to value (or list of values), or a function.
Where: TypeAlias = str | Mapping[str, Any] | Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class Step:
    """One step of a funnel.

    Attributes
    ----------
    name : str or sequence of str
        The event's name, or several of which any will do.
    where : str, mapping or callable, optional
        Which of these events fill the step: a query such as ``"total_price > 30"``, a mapping
        of columns to a value or a list of values, or a function of the events that returns a
        boolean for each. Short names stand for `properties.<name>` or `profile.<name>`. A query
        can only read events, so it may come from a file or a form; `convergekit.events.query`
        says what it may contain.
    label : str, optional
        What tables and figures call the step; by default its name.
    optional : bool, default False
        Whether an attempt may leave the step out. It neither helps nor hinders: the path is that
        of the other steps, and the optional one counts if an event of it lies between them.

    Examples
    --------
    >>> Step("Placed Order", where="total_price > 30", label="Large order").label
    'Large order'
    """

    name: str | Sequence[str]
    where: Where | None = None
    label: str | None = None
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of which any will do."""
        return (self.name,) if isinstance(self.name, str) else tuple(self.name)

    @property
    def title(self) -> str:
        """What tables and figures call the step."""
        return self.label or " or ".join(self.names)


@dataclass(frozen=True)
class Exclusion:
    """An event that must not happen between two steps.

    Attributes
    ----------
    name : str or sequence of str
        The event's name, or several.
    after, before : int, optional
        The steps (from 1) between which it excludes; by default the first and the last.
    where : str, mapping or callable, optional
        Which of these events exclude, as for `Step`.

    Examples
    --------
    >>> Exclusion("Refund", after=1, before=3)
    Exclusion(name='Refund', after=1, before=3, where=None)
    """

    name: str | Sequence[str]
    after: int | None = None
    before: int | None = None
    where: Where | None = None


StepLike: TypeAlias = str | Sequence[str] | Step
ExclusionLike: TypeAlias = str | Exclusion


def as_steps(steps: Sequence[StepLike]) -> list[Step]:
    """Return what was given for steps as `Step` objects.

    Raises
    ------
    ConvergekitError
        The list is empty or too long, or an item is not a step.

    Examples
    --------
    >>> [step.title for step in as_steps(["PageView", ["Added To Cart", "Viewed Cart"]])]
    ['PageView', 'Added To Cart or Viewed Cart']
    """
    if isinstance(steps, (str, Step)) or not isinstance(steps, Sequence) or not steps:
        raise ConvergekitError(
            "steps must be a list of at least one event name, such as ['PageView', 'Placed "
            f"Order']; got {steps!r}."
        )
    if len(steps) > MOST_STEPS:
        raise ConvergekitError(f"steps must be at most {MOST_STEPS}; got {len(steps)}.")
    return [
        replace(step, name=_checked_name(step.name))
        if isinstance(step, Step)
        else Step(_checked_name(step))
        for step in steps
    ]


def title_of(step: StepLike) -> str:
    """Return what tables and figures call a step."""
    return as_steps([step])[0].title


def any_of(option: str, given: StepLike | Iterable[StepLike] | None) -> tuple[Step, ...]:
    """Return the steps of which any will do; none for None. Those of a set are sorted.

    Raises
    ------
    ConvergekitError
        An item is not a step, or a list is empty.

    Examples
    --------
    >>> [step.title for step in any_of("start", ["PageView", Step("Search", label="Searched")])]
    ['PageView', 'Searched']
    """
    if given is None:
        return ()
    several: list[Any] = [given]
    if isinstance(given, Iterable) and not isinstance(given, str):
        several = sorted(given, key=repr) if isinstance(given, (set, frozenset)) else list(given)
    if not several or not all(isinstance(one, (str, Step, Sequence)) for one in several):
        raise ConvergekitError(
            f"{option} must be an event name, ck.Step(name, where=...), or a list of these; got "
            f"{given!r}."
        )
    return tuple(as_steps([one])[0] for one in several)


def as_exclusions(
    exclusions: ExclusionLike | Sequence[ExclusionLike], steps: int
) -> list[tuple[Exclusion, int, int]]:
    """Return what was given for exclusions, each with the steps that it stands between."""
    given = [exclusions] if isinstance(exclusions, (str, Exclusion)) else exclusions
    found = []
    for item in given if isinstance(given, Sequence) else [given]:
        exclusion = Exclusion(item) if isinstance(item, str) else item
        if not isinstance(exclusion, Exclusion) or not _is_name(exclusion.name):
            raise ConvergekitError(
                "exclude must be an event name, ck.Exclusion(name, after=1, before=2), or a list "
                f"of these; got {item!r}."
            )
        after = 1 if exclusion.after is None else exclusion.after
        before = steps if exclusion.before is None else exclusion.before
        places = range(1, steps + 1)
        if after not in places or before not in places or after >= before:
            raise ConvergekitError(
                f"{exclusion!r}: after= and before= must be two steps of {steps}, counted from 1, "
                f"the earlier first; got {after} and {before}."
            )
        found.append((exclusion, after, before))
    return found


class StepMasks:
    """Which steps events fill, as bits of one integer.

    Identify calls fill none. A step whose name no event has is warned of.
    """

    def __init__(self, names: EventNames, steps: Sequence[Step]) -> None:
        # The fewer bytes a mask has, the faster all events are gone through.
        dtype: type[np.integer[Any]] = np.uint8 if len(steps) <= 8 else np.int64
        by_name = np.zeros(len(names.distinct) + 1, dtype=dtype)
        met = []
        for place, step in enumerate(steps):
            bit = dtype(1 << place)
            if step.where is None:
                by_name[:-1] |= np.where(names.among(step.names), bit, 0)
            else:
                met.append((bit, names.matching(step.names, step.where, step.title)))
        self._all = by_name[names.codes]
        if not names.all_tracked:
            self._all[~names.tracked] = 0
        for bit, fills in met:
            self._all |= np.where(fills, bit, 0)

    @property
    def any(self) -> BoolArray:
        """Which events fill a step."""
        return self._all != 0

    def at(self, position: IntArray) -> IntArray:
        """Return the steps that the events at these positions fill, as a bit mask."""
        return self._all[position].astype(np.int64)


def exclusion_events(names: EventNames, exclusion: Exclusion) -> BoolArray:
    """Return which events exclude."""
    given = _checked_name(exclusion.name)
    given = (given,) if isinstance(given, str) else tuple(given)
    return names.matching(given, exclusion.where, " or ".join(given))


def tracked(events: pd.DataFrame) -> BoolArray:
    """Return which events are not identify calls."""
    if "kind" not in events:
        return np.ones(len(events), dtype=bool)
    return (events["kind"] != "identify").to_numpy(dtype=bool)


def resolve_column(events: pd.DataFrame, name: str, *, option: str | None = None) -> str:
    """Return the column that a name stands for: itself, or an unambiguous short form.

    Parameters
    ----------
    events : pandas.DataFrame
    name : str
    option : str, optional
        The argument that the name was given as, for the error: it may be a default.

    Raises
    ------
    ColumnError
        No column, or more than one, matches the name.

    Examples
    --------
    >>> resolve_column(pd.DataFrame({"profile.utm_source": ["ads"]}), "utm_source")
    'profile.utm_source'
    """
    if name in events:
        return name
    found = [prefix + name for prefix in (PROPERTY, PROFILE) if prefix + name in events]
    if len(found) == 1:
        return found[0]
    given = repr(name) if option is None else f"{option}={name!r}"
    if found:
        raise ColumnError(
            f"{given} may be {' or '.join(map(repr, found))}; name the one you mean in full."
        )
    columns = [str(column) for column in events.columns]
    short = [c.removeprefix(PROPERTY).removeprefix(PROFILE) for c in columns]
    raise ColumnError(
        f"no column matches {given}. Found: "
        f"{', '.join(columns) or 'no columns at all'}.{did_you_mean(name, short)}"
    )


def single_valued(events: pd.DataFrame, name: str, *, option: str) -> str:
    """Return the column that a name stands for, if every cell is one value.

    Parameters
    ----------
    events : pandas.DataFrame
    name : str
    option : str
        The argument that the name was given as, for the error.

    Raises
    ------
    ColumnError
        No column matches the name, or it holds lists or objects, which cannot be compared.

    Examples
    --------
    >>> single_valued(pd.DataFrame({"properties.plan": ["free"]}), "plan", option="by")
    'properties.plan'
    """
    column = resolve_column(events, name)
    values = events[column]
    if values.dtype == LISTS_OF_TEXT or (
        pd.api.types.is_object_dtype(values.dtype)
        # The fast answer first: of text alone, nothing is looked at one by one.
        and pd.api.types.infer_dtype(values) == "mixed"
        and any(not isinstance(value, Hashable) for value in values)
    ):
        raise ColumnError(
            f"{option}={name!r}: the column {column!r} holds lists or objects; name one whose "
            "cells are single values, or add such a column to the events."
        )
    return column


def _checked_name(step: Any) -> str | Sequence[str]:
    if _is_name(step):
        # Half a character is a question mark, as it is in events.
        if isinstance(step, str):
            return known_characters(step)
        return tuple(map(known_characters, step))
    raise ConvergekitError(
        "a step must be an event name, a list of names of which any will do, or ck.Step(name, "
        f"where=...); got {step!r}."
    )


def _is_name(given: Any) -> bool:
    """Return whether it is an event's name, or a list of several."""
    names = [given] if isinstance(given, str) else given
    several = isinstance(names, (list, tuple)) and bool(names)
    return several and all(isinstance(name, str) for name in names)


#: Where a frame of some of the events keeps the names of all: none of these is misspelt.
_NAMES_OF_ALL = "names of all events"


def among_all(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Return some of the events, so that they know the names of all.

    Examples
    --------
    >>> whole = pd.DataFrame({"event_name": ["PageView", "Placed Order"]})
    >>> is_known(among_all(whole.head(1), whole), "Placed Order")
    True
    """
    names = whole.attrs.get(_NAMES_OF_ALL)
    names = names_in(whole) if names is None else names
    known = part.copy(deep=False)
    known.attrs = {**whole.attrs, _NAMES_OF_ALL: names}
    return known


def names_in(events: pd.DataFrame) -> frozenset[str]:
    """Return the names that events have."""
    return frozenset(number(events["event_name"])[1])


def among_names(part: pd.DataFrame, names: frozenset[str]) -> pd.DataFrame:
    """Return some of the events, so that they know these names of all."""
    known = part.copy(deep=False)
    known.attrs = {**part.attrs, _NAMES_OF_ALL: names}
    return known


def is_known(events: pd.DataFrame, name: str) -> bool:
    """Whether an event that these are some of has the name."""
    return name in events.attrs.get(_NAMES_OF_ALL, ())


def known_names(events: pd.DataFrame) -> Iterable[str]:
    """Return the names of all events that these are some of."""
    found: frozenset[str] | None = events.attrs.get(_NAMES_OF_ALL)
    return names_in(events) if found is None else found


class EventNames:
    """Finds events by name and condition.

    Attributes
    ----------
    codes : numpy.ndarray of int
        Of each event, the place of its name in `distinct`; -1 without one.
    distinct : pandas.Index
    tracked : numpy.ndarray of bool
        Which events are not identify calls.
    all_tracked : bool
    """

    codes: IntArray
    distinct: pd.Index

    def __init__(self, events: pd.DataFrame) -> None:
        self._events = events
        self.codes, self.distinct = number(events["event_name"])
        self.tracked: BoolArray = tracked(events)
        self.all_tracked: bool = bool(self.tracked.all())

    def among(self, names: tuple[str, ...]) -> BoolArray:
        """Return which of the distinct names are among these; warn of those that none is."""
        for name in names:
            if name not in self.distinct and len(self._events) and not is_known(self._events, name):
                known = self._events.attrs.get(_NAMES_OF_ALL)
                all_of_them = self.distinct if known is None else sorted(known)
                near = did_you_mean(name, map(str, all_of_them))
                warnings.warn(
                    f"no event is named {name!r}, so it never matches.{near}",
                    stacklevel=callers_level(),
                )
        return self.distinct.isin(names)

    def matching(self, names: tuple[str, ...], where: Where | None, title: str) -> BoolArray:
        """Return which events go by one of the names and meet the condition."""
        known = self.among(names)
        named = np.append(known, False)[self.codes] & self.tracked
        if where is None or not named.any():
            return named
        named[named] = meets(self._events[named], where, title)
        if not named.any():
            warnings.warn(
                f"no event of {title!r} meets where={shortened(repr(where), 200)}, so it never "
                "matches.",
                stacklevel=callers_level(),
            )
        return named


def meets(
    events: pd.DataFrame,
    where: Where,
    title: str | None = None,
    *,
    option: str = "where",
    row: str = "event",
) -> BoolArray:
    """Return which rows meet a condition.

    Parameters
    ----------
    events : pandas.DataFrame
        Of events, or of profiles.
    where : str, mapping or callable
        As for `Step`.
    title : str, optional
        The step that it is a condition of, for error messages.
    option : str, default "where"
        The argument that it was given as.
    row : str, default "event"
        What a row is.

    Raises
    ------
    ConvergekitError
        It is not a condition, or does not say one True or False for each row.
    ColumnError
        It names no column, or one of several.

    Examples
    --------
    >>> profiles = pd.DataFrame({"profile.utm_source": ["ads", None], "events": [3, 5]})
    >>> meets(profiles, {"utm_source": "ads"}, option="profiles", row="profile").tolist()
    [True, False]
    """
    return met_and_unknown(events, where, title, option=option, row=row)[0]


def met_and_unknown(
    events: pd.DataFrame,
    where: Where,
    title: str | None = None,
    *,
    option: str = "where",
    row: str = "event",
) -> tuple[BoolArray, BoolArray]:
    """Return which rows meet a condition, and of which it is unknown, for a value is missing.

    See `meets`. pandas compares a missing truth value or whole number with nothing.

    Examples
    --------
    >>> events = pd.DataFrame({"test": pd.array([True, False, None], dtype="boolean")})
    >>> [found.tolist() for found in met_and_unknown(events, "test != True")]
    [[False, True, False], [False, False, True]]
    """
    asked = option if title is None else f"{option} of {title!r}"
    if isinstance(where, str):
        met = evaluate_query(events, where, title, option=option)
    elif isinstance(where, Mapping):
        met = pd.Series(True, index=events.index)
        for name, value in where.items():
            values = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
            values = [known_characters(one) if isinstance(one, str) else one for one in values]
            met &= events[resolve_column(events, name)].isin(values)
    elif callable(where):
        met = _answered(where, events, asked)
    else:
        raise ConvergekitError(
            f"{asked} must be a query, a mapping of columns to values, or a function of the "
            f"{row}s; got {where!r}."
        )
    found = pd.Series(met)
    if len(found) != len(events) or not pd.api.types.is_bool_dtype(found.dtype):
        raise ConvergekitError(
            f"{asked} gave {counted(len(found), 'value')} of {found.dtype} for "
            f"{counted(len(events), row)}; it must give one True or False for each."
        )
    return found.fillna(False).to_numpy(dtype=bool), found.isna().to_numpy(dtype=bool)


def _answered(where: Callable[[pd.DataFrame], Any], events: pd.DataFrame, asked: str) -> Any:
    """Return what a function says of the events."""
    problem: KeyError | AttributeError
    try:
        return where(events)
    except KeyError as error:
        problem, name = error, error.args[0]
    except AttributeError as error:
        if error.obj is not events:
            raise
        problem, name = error, error.name
    raise ColumnError(
        f"{asked} asks for {name!r}, which is not a column. Name columns in full there. "
        f"{what_there_is(events.columns, name)}"
    ) from problem
