"""What is asked of journeys, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convergekit.errors import ConvergekitError
from convergekit.events.steps import Step, StepLike, any_of

#: The largest number of steps of a journey that are distinguished.
MOST_STEPS = 20


@dataclass(frozen=True)
class JourneysQuestion:
    """Which journeys are asked for. See `Stitched.journeys`.

    Attributes
    ----------
    start, end, names : tuple of Step
        What journeys begin and end with, and which events are steps besides; empty for the first,
        the last, and all.
    max_steps : int
    value, currency : str or None
    rates : mapping of str to float, or None
    """

    start: tuple[Step, ...]
    end: tuple[Step, ...]
    names: tuple[Step, ...]
    max_steps: int
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None

    @classmethod
    def of(
        cls,
        start: StepLike | Sequence[StepLike] | None,
        end: StepLike | Sequence[StepLike] | None,
        names: Sequence[StepLike] | None,
        max_steps: int,
        value: str | None,
        currency: str | None,
        rates: Mapping[str, float] | None,
    ) -> JourneysQuestion:
        """Return what `Stitched.journeys` was asked.

        Raises
        ------
        ConvergekitError
        """
        starts, ends = any_of("start", start), any_of("end", end)
        if not isinstance(max_steps, int) or not 1 <= max_steps <= MOST_STEPS:
            raise ConvergekitError(
                f"max_steps must be a whole number from 1 to {MOST_STEPS}; got {max_steps!r}."
            )
        if value is not None and not ends:
            raise ConvergekitError(
                f"value={value!r} needs end=; name the event that has this value."
            )
        named = any_of("events", names)
        return cls(starts, ends, named, max_steps, value, currency, rates)
