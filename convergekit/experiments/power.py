"""How long an experiment has to run, from what the store's people did so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from convergekit.activity.events import Subject
from convergekit.base.durations import Duration, readable_duration
from convergekit.base.proportions import check_confidence
from convergekit.base.rounding import six_digits
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.observed import Observed
from convergekit.events.steps import StepLike
from convergekit.experiments.exposures import Exposed, exposed_in
from convergekit.experiments.findings import percent
from convergekit.experiments.moments import ArmMoments, adjusted
from convergekit.experiments.people import metrics_of, people_of
from convergekit.experiments.question import AskedOutcomes
from convergekit.figures.card import Result
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import FloatArray

_DAY = pd.Timedelta(days=1)
#: Of fewer people with a goal nothing is concluded.
FEWEST_CONVERTED = 30


@dataclass(frozen=True)
class PowerQuestion:
    """The options of `Stitched.experiment_power`, checked."""

    outcomes: AskedOutcomes
    effects: tuple[float, ...]
    arms: int
    traffic: float
    power: float
    confidence: float

    @classmethod
    def of(
        cls,
        goal: StepLike,
        *,
        exposure: StepLike = "PageView",
        effect: float | Sequence[float] = 0.05,
        within: Duration = "7D",
        before: Duration | None = None,
        value: str | None = None,
        currency: str | None = None,
        rates: Any = None,
        arms: int = 2,
        traffic: float = 1.0,
        power: float = 0.8,
        confidence: float = 0.95,
    ) -> PowerQuestion:
        """Return the options, checked.

        Raises
        ------
        ConvergekitError
            One of them is not usable.
        """
        effects = tuple(effect) if isinstance(effect, (list, tuple)) else (effect,)
        if not effects or not all(map(_is_effect, effects)):
            raise ConvergekitError(
                "effect must be the relative change to be found, such as 0.05 for 5% more, or "
                f"several; got {effect!r}."
            )
        if isinstance(arms, bool) or not isinstance(arms, (int, np.integer)) or arms < 2:
            raise ConvergekitError(f"arms must be a whole number from 2; got {arms!r}.")
        for name, share, most in (("traffic", traffic, True), ("power", power, False)):
            number = isinstance(share, (int, float, np.floating)) and not isinstance(share, bool)
            if not number or not (0 < share < 1 or (most and share == 1)):
                end = "above 0 and at most 1" if most else "between 0 and 1"
                raise ConvergekitError(f"{name} must be a share {end}; got {share!r}.")
        check_confidence(confidence)
        asked = AskedOutcomes.of(exposure, None, goal, within, before, value, currency, rates)
        return cls(asked, effects, int(arms), float(traffic), float(power), float(confidence))


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentPower(Result):
    """How many profiles an experiment needs, and how many days that takes.

    Attributes
    ----------
    goal : str
        What the goal is called.
    within : pandas.Timedelta
        How long after the first exposure a goal counts.
    table : pandas.DataFrame
        One row per `metric` and relative `effect`: the `mean` and the standard deviation `spread`
        of the store's past, with `before=` less what the time before explains, of which `saved` is
        the share; `profiles`, how many all arms need together; `days` until the last of them has
        been observed for the whole window; and `extrapolated`: whether that is longer than the past
        that is known, so that the pace of its second half is taken to last. All are missing where
        too few have a goal.
    known : pandas.Timedelta
        How much of the past is known.
    arms : int
    traffic : float
        The share of people who take part.
    power, confidence : float
        How often an effect of this size is found, and how often none is found where there is none.
    """

    goal: str
    within: pd.Timedelta
    table: pd.DataFrame
    known: pd.Timedelta
    arms: int
    traffic: float
    power: float
    confidence: float

    @property
    def finding(self) -> str:
        """How long the first effect takes, in a sentence."""
        first = self.table.iloc[0]
        if pd.isna(first["profiles"]):
            return (
                f"Too few profiles have {self.goal}: how long an experiment has to run cannot be "
                f"told from fewer than {FEWEST_CONVERTED}."
            )
        said = (
            f"To find {percent(first['effect'], sign=True)} of the {first['metric']} by "
            f"{self.goal} in {self.power:.0%} of cases, {self.arms} arms need "
            f"{counted(int(first['profiles']), 'profile')}"
        )
        if pd.isna(first["days"]):
            return f"{said}; new ones have stopped coming, so that they are never reached."
        longer = " if as many keep coming as of late" if first["extrapolated"] else ""
        return f"{said}: {counted(int(first['days']), 'day')}{longer}."

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def _line(self) -> str:
        first = self.table.iloc[0]
        days = "too few" if pd.isna(first["days"]) else counted(int(first["days"]), "day")
        return (
            f"ExperimentPower({percent(first['effect'], sign=True)} of {self.goal} within "
            f"{readable_duration(self.within)}: {days})"
        )

    def _title(self) -> str:
        return self.finding

    def _body(self) -> Iterable[pd.DataFrame | str]:
        shown = self.table.copy()
        shown["effect"] = [percent(effect, sign=True) for effect in shown["effect"]]
        for name in ("mean", "spread"):
            shown[name] = [f"{value:.4g}" for value in shown[name]]
        if "saved" in shown:
            shown["saved"] = [percent(share) for share in shown["saved"]]
        yield shown
        yield (
            f"The past are the last {readable_duration(self.known)}; days include the window of "
            f"{readable_duration(self.within)}. Run whole weeks."
        )


def experiment_power(s: StitchedEvents, asked: PowerQuestion) -> ExperimentPower:
    """Return how long an experiment has to run. See `Stitched.experiment_power`."""
    subject = Subject.of_stitched(s, None, None)
    begin = begins(subject.observed, asked)
    return power_of(exposed_in(s, subject, asked.outcomes, begin), asked, subject.observed)


def begins(observed: Observed, asked: PowerQuestion) -> pd.Timestamp:
    """Return when an experiment of the past would have begun: with a time before it."""
    before = asked.outcomes.before
    return observed.begin if before is None else observed.begin + before


def power_of(exposed: Exposed, asked: PowerQuestion, observed: Observed) -> ExperimentPower:
    """Return how long an experiment has to run, from all who would have been exposed."""
    begin, within = begins(observed, asked), asked.outcomes.within
    people = people_of(exposed, asked.outcomes, observed).table
    if people.empty:
        raise ConvergekitError(
            "nobody would have been exposed: the data hold no such event with a profile"
            f"{' so long after their begin' if asked.outcomes.before is not None else ''}. Name "
            "another event as exposure=, or a shorter time as before=."
        )
    known = observed.end - begin
    arrived = np.sort(((people["exposed"] - begin) / _DAY).to_numpy())
    done = people[people["complete"]]
    rows = []
    for metric in metrics_of(asked.outcomes):
        enough = int(done["conversion"].sum()) >= FEWEST_CONVERTED
        mean, spread, saved = _spread(metric.columns(done)) if enough else (np.nan,) * 3
        for effect in asked.effects:
            profiles = _needed(mean, spread, effect, asked)
            days, beyond = _days(arrived, profiles / asked.traffic, known / _DAY)
            whole = np.ceil(days + within / _DAY)
            rows.append(
                {
                    "metric": metric.name,
                    "effect": float(effect),
                    "mean": six_digits(mean),
                    "spread": six_digits(spread),
                    **({"saved": six_digits(saved)} if asked.outcomes.before is not None else {}),
                    "profiles": profiles,
                    "days": whole,
                    "extrapolated": beyond,
                }
            )
    table = pd.DataFrame(rows).astype({"metric": "str"})
    for name in ("profiles", "days"):
        table[name] = pd.array(
            [None if np.isnan(value) else int(value) for value in table[name]], dtype="Int64"
        )
    return ExperimentPower(
        asked.outcomes.goal.title,
        within,
        table,
        known,
        asked.arms,
        asked.traffic,
        asked.power,
        asked.confidence,
    )


def _spread(columns: FloatArray) -> tuple[float, float, float]:
    """Return the mean of people, a person's standard deviation, and what the time before saves."""
    half = ArmMoments.of(columns)
    found = adjusted(half, half)
    saved = 1 - found.variance / found.unadjusted_variance
    variance = float(found.control_variance * found.control_count)
    return float(half.ratio), float(np.sqrt(variance)), float(saved)


def _needed(mean: float, spread: float, effect: float, asked: PowerQuestion) -> float:
    """Return how many profiles all arms need, each of them as many.

    The usual formula for two means, with the error divided by the number of arms compared.
    """
    error = (1 - asked.confidence) / (asked.arms - 1)
    far = float(scipy.special.ndtri(1 - error / 2) + scipy.special.ndtri(asked.power))
    with np.errstate(divide="ignore", invalid="ignore"):
        one = 2 * (far * np.float64(spread) / (effect * np.float64(mean))) ** 2
    return float(np.ceil(six_digits(float(one)))) * asked.arms if np.isfinite(one) else np.nan


def _days(arrived: FloatArray, needed: float, known: float) -> tuple[float, bool]:
    """Return after how many days so many have arrived, and whether that is beyond what is known."""
    if np.isnan(needed):
        return np.nan, False
    if needed <= len(arrived):
        return float(arrived[int(np.ceil(needed)) - 1]), False
    late = int((arrived > known / 2).sum())
    if not late:
        return np.nan, True
    return known + (needed - len(arrived)) / (late / (known / 2)), True


def _is_effect(value: Any) -> bool:
    number = isinstance(value, (int, float, np.integer, np.floating))
    return number and not isinstance(value, bool) and bool(np.isfinite(value)) and value != 0
