"""Events of a name, asked of parts: that none meets a condition is said once, of all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial

from convergekit.errors import ConvergekitError, callers_level
from convergekit.events.steps import StepLike, as_steps
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.funnel import never_met
from convergekit.parts.each import EachPart, Kept


def kept_of_each(
    each: EachPart,
    of_part: Callable[[int, StitchedEvents], Kept],
    step: StepLike,
    events: Callable[[Kept], int],
) -> list[Kept]:
    """Return what is kept of each part, and warn of what is so in all.

    Parameters
    ----------
    each : EachPart
    of_part : callable
        As `each` takes it. It asks the events of the step.
    step : str, sequence of str, or Step
    events : callable
        Returns how many events a part found.
    """
    return kept_of_each_of_steps(each, of_part, [(step, events)])


def kept_of_each_of_steps(
    each: EachPart,
    of_part: Callable[[int, StitchedEvents], Kept],
    steps: Sequence[tuple[StepLike, Callable[[Kept], int]]],
) -> list[Kept]:
    """Return the same of an answer that asks the events of several steps.

    Parameters
    ----------
    each : EachPart
    of_part : callable
    steps : sequence of (str, sequence of str, or Step, callable)
        With each, what returns how many events a part found of it.
    """
    found = []
    late: list[ConvergekitError] = []
    for one in each(partial(_told, of_part=of_part)):
        if isinstance(one, ConvergekitError):
            late.append(one)
        else:
            found.append(one)
    if late:
        # Parts with events have said what is wrong before.
        raise late[0]
    met = []
    for step, events in steps:
        (chosen,) = as_steps([step])
        if any(events(kept) for kept, _ in found):
            met.append(never_met(chosen.title, chosen.where))
    for text in dict.fromkeys(text for _, said in found for text in said):
        if not text.startswith(tuple(met)):
            warnings.warn(text, stacklevel=callers_level())
    return [kept for kept, _ in found]


def _told(
    number: int, s: StitchedEvents, *, of_part: Callable[[int, StitchedEvents], Kept]
) -> tuple[Kept, list[str]] | ConvergekitError:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            kept = of_part(number, s)
        except ConvergekitError as error:
            if len(s.events):
                raise
            # A part without events does not know that no event has the name that is asked for.
            return error
    return kept, [str(one.message) for one in said]
