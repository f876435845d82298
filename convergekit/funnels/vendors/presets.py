"""What a funnel does where the tools differ, and which tool does what.

Each preset follows the tool's documentation or source; ``docs/funnel-semantics.md`` cites them
and says what is not documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from convergekit.base.options import choice
from convergekit.errors import ConvergekitError
from convergekit.visits.entry import Label

Ties = Literal["best", "arrival"]
Entry = Literal["any", "first", "earliest"]
RangeAppliesTo = Literal["entry", "entry_and_completion"]
OnExclude = Literal["remove", "drop_off"]
Count = Literal["profiles", "attempts", "visits"]
Order = Literal["ordered", "strict", "any"]
ByStep = Literal["entry", "first", "last"] | int
Like = Literal["posthog", "mixpanel", "amplitude", "clickhouse"]


@dataclass(frozen=True)
class Rules:
    """What a funnel does where the tools differ.

    Attributes
    ----------
    within : conversion window, where none is given.
    entry, ties, tolerance, on_exclude, range_applies_to, by_step, label
        As the parameters of `funnel`.
    engine : {"search", "posthog", "windowfunnel"}
        What finds the paths.
    orders, counts : tuple of str
        What the tool has of `order` and `count`.
    exclusions, optional : bool
        Whether the tool has exclusions and optional steps.
    held_apart : bool
        Whether profiles count once per held value, not once.
    once_per_tie : bool
        Whether events of one name at one time are one, and strict order forgives others then.
    one_after_another : bool
        Whether attempts of ``entry="first"`` are counted one after another, not the first alone.
    open_windows : bool
        Whether profiles whose window is still open are counted apart from drop-offs.
    zero_times : bool
        Whether durations of zero take part in averages.
    fixed : bool
        Whether the tool leaves no choice of the above.
    """

    within: Any = None
    entry: Entry = "first"
    ties: Ties = "best"
    tolerance: Any = None
    on_exclude: OnExclude = "remove"
    range_applies_to: RangeAppliesTo = "entry"
    by_step: ByStep = "entry"
    label: Label = "visit"
    engine: Literal["search", "posthog", "windowfunnel"] = "search"
    orders: tuple[Order, ...] = ("ordered", "strict", "any")
    counts: tuple[Count, ...] = ("profiles", "attempts", "visits")
    exclusions: bool = True
    optional: bool = True
    held_apart: bool = False
    once_per_tie: bool = False
    one_after_another: bool = False
    open_windows: bool = True
    zero_times: bool = True
    fixed: bool = False


_PRESETS: dict[str, Rules] = {
    "posthog": Rules(
        within="14D",
        entry="any",
        by_step="first",
        label="carried",
        range_applies_to="entry_and_completion",
        engine="posthog",
        counts=("profiles",),
        held_apart=True,
        open_windows=False,
        zero_times=False,
        fixed=True,
    ),
    "mixpanel": Rules(
        within="7D",
        entry="first",
        tolerance="2s",
        on_exclude="drop_off",
        by_step="first",
        label="carried",
        orders=("ordered", "any"),
        counts=("profiles", "attempts"),
        optional=False,
        one_after_another=True,
        open_windows=False,
    ),
    "amplitude": Rules(
        within="1D",
        entry="earliest",
        tolerance="1s",
        by_step=1,
        label="carried",
        counts=("profiles",),
        held_apart=True,
        once_per_tie=True,
        open_windows=False,
    ),
    "clickhouse": Rules(
        entry="any",
        by_step="first",
        label="carried",
        range_applies_to="entry_and_completion",
        engine="windowfunnel",
        orders=("ordered", "strict"),
        counts=("profiles",),
        exclusions=False,
        optional=False,
        held_apart=True,
        open_windows=False,
        fixed=True,
    ),
}


def rules_of(like: Like | None, given: Mapping[str, Any]) -> Rules:
    """Return a tool's rules, or the library's, with the options that were given.

    Parameters
    ----------
    like : {"posthog", "mixpanel", "amplitude", "clickhouse"}, optional
    given : mapping
        Options of `Rules` by name; None stands for "not given".

    Raises
    ------
    ConvergekitError
        The preset does not exist, or the tool fixes a given option.

    Examples
    --------
    >>> rules_of("mixpanel", {"entry": None, "within": "30D"}).entry
    'first'
    """
    if like is not None:
        choice("like", like, Like)
    rules = _PRESETS[like] if like else Rules()
    chosen = {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        own = getattr(rules, name)
        if rules.fixed and name in _FIXED and value != own:
            raise ConvergekitError(
                f"like={like!r} fixes {name}={own!r}, so {name}={value!r} cannot go with it; "
                "leave out one of the two."
            )
    return replace(rules, **chosen)


_FIXED = ("entry", "ties", "tolerance", "on_exclude", "range_applies_to")
