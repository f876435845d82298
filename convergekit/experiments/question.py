"""What is asked of an experiment: its options, checked as far as is possible without events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durations import Duration, parse_duration
from convergekit.base.proportions import check_confidence
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import check_rates
from convergekit.events.steps import Step, StepLike, as_steps
from convergekit.experiments.intervals import Looking

#: Fewer than so many people are not planned for.
_LEAST_PLANNED = 100


@dataclass(frozen=True)
class AskedOutcomes:
    """Whose outcomes are asked for, and which they are.

    Attributes
    ----------
    exposure : Step or None
        The event that is an exposure; None for any that says a variant.
    variant : str or None
        The property that says which; None where all are in one arm.
    goal : Step
    within : pandas.Timedelta
        How long after the first exposure a goal counts.
    before : pandas.Timedelta or None
        How long before it the same is looked at.
    value, currency, rates
        As `Stitched.experiment` takes them.
    """

    exposure: Step | None
    variant: str | None
    goal: Step
    within: pd.Timedelta
    before: pd.Timedelta | None
    value: str | None
    currency: str | None
    rates: Mapping[str, float] | None

    @classmethod
    def of(
        cls,
        exposure: StepLike | None,
        variant: str | None,
        goal: StepLike,
        within: Duration,
        before: Duration | None,
        value: str | None,
        currency: str | None,
        rates: Mapping[str, float] | None,
    ) -> AskedOutcomes:
        """Return the options, checked.

        Raises
        ------
        ConvergekitError
            One of them is not usable.
        """
        check_rates(value, currency, rates)
        return cls(
            None if exposure is None else as_steps([exposure])[0],
            variant,
            as_steps([goal])[0],
            parse_duration(within, name="within"),
            None if before is None else parse_duration(before, name="before"),
            value,
            currency,
            rates,
        )


@dataclass(frozen=True)
class ExperimentQuestion:
    """The options of `Stitched.experiment`, checked.

    Attributes
    ----------
    outcomes : AskedOutcomes
    variant : str
    control : str
        The arm that the others are compared with.
    ratio : dict of str to float or None
        The expected number of profiles of each arm, in proportion; equal where it is None.
    confidence : float
    sequential : int or None
        With how many profiles it is planned to end, where it is looked at before.
    """

    outcomes: AskedOutcomes
    variant: str
    control: str
    ratio: Mapping[str, float] | None
    confidence: float
    sequential: int | None

    @classmethod
    def of(
        cls,
        variant: str,
        goal: StepLike,
        *,
        exposure: StepLike | None = None,
        control: str = "control",
        within: Duration = "7D",
        before: Duration | None = None,
        value: str | None = None,
        currency: str | None = None,
        rates: Mapping[str, float] | None = None,
        ratio: Mapping[str, float] | None = None,
        confidence: float = 0.95,
        sequential: int | None = None,
    ) -> ExperimentQuestion:
        """Return the options, checked.

        Raises
        ------
        ConvergekitError
            One of them is not usable.
        """
        for name, given in (("variant", variant), ("control", control)):
            if not isinstance(given, str) or not given.strip():
                raise ConvergekitError(f"{name} must be a name; got {given!r}.")
        check_confidence(confidence)
        asked = AskedOutcomes.of(exposure, variant, goal, within, before, value, currency, rates)
        return cls(
            asked,
            variant,
            control,
            _ratio(ratio),
            float(confidence),
            _whole("sequential", sequential, _LEAST_PLANNED),
        )

    def looking(self, arms: int) -> Looking:
        """Return when the numbers of so many arms are looked at.

        Each arm is compared with control. That all their intervals hold at once is asked of them
        (Bonferroni).
        """
        return Looking((1 - self.confidence) / max(arms - 1, 1), self.sequential)


def _ratio(given: Any) -> dict[str, float] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or len(given) < 2 or not all(map(_is_part, given.values())):
        raise ConvergekitError(
            "ratio must be how many profiles are expected in each arm, in proportion, such as "
            f"{{'control': 9, 'new': 1}}; got {given!r}."
        )
    return {str(arm): float(part) for arm, part in given.items()}


def _is_part(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _whole(name: str, given: Any, least: int) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
        raise ConvergekitError(
            f"{name} must be a whole number of profiles from {least}, with how many it is planned "
            f"to end; got {given!r}."
        )
    return int(given)
