"""One row per exposed profile: its arm, and what it did after and before the exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.events.amounts import summed_amounts
from convergekit.events.observed import Observed
from convergekit.experiments.exposures import Exposed
from convergekit.experiments.question import AskedOutcomes
from convergekit.experiments.undiluted import CreditedByArm
from convergekit.typing import FloatArray, IntArray

_MICROSECOND = pd.Timedelta(1, "us")
_BEFORE = "_before"


@dataclass(frozen=True)
class Metric:
    """What is compared, as columns of people.

    Attributes
    ----------
    name : str
    outcome : str
        What is averaged.
    per : str or None
        By what it is divided; by people if None.
    """

    name: str
    outcome: str
    per: str | None = None

    def columns(self, people: pd.DataFrame) -> FloatArray:
        """Return the four columns that `ArmMoments` takes, a row per person."""
        return np.column_stack(
            [
                part
                for suffix in ("", _BEFORE)
                for part in (
                    _column(people, self.outcome + suffix, 0.0),
                    np.ones(len(people)) if not self.per else _column(people, self.per + suffix),
                )
            ]
        )


CONVERSION = Metric("conversion", "conversion")
GOALS = Metric("goals", "goals")
VALUE = Metric("value", "value")
VALUE_PER_GOAL = Metric("value_per_goal", "value", "goals")


def metrics_of(asked: AskedOutcomes) -> list[Metric]:
    """Return what is compared."""
    money = [VALUE, VALUE_PER_GOAL] if asked.value is not None else []
    return [CONVERSION, GOALS, *money]


@dataclass(frozen=True)
class ExposedPeople:
    """Exposed profiles, and the outcomes of each by the arm seen last.

    Attributes
    ----------
    table : pandas.DataFrame
        As `Experiment.people` has it, by `profile_id`.
    goals : pandas.DataFrame
        A row per goal within the window of a profile whose window is over: `person` (a row of
        `table`), `arm`, `mixed`, `amount` and `first`: whether it is the person's first.
    """

    table: pd.DataFrame
    goals: pd.DataFrame


def people_of(exposed: Exposed, asked: AskedOutcomes, observed: Observed) -> ExposedPeople:
    """Return the exposed profiles and what they did.

    Parameters
    ----------
    exposed : Exposed
    asked : AskedOutcomes
    observed : Observed
        Of all events.
    """
    people, goals = exposed.people, exposed.goals
    amount = np.zeros(len(goals))
    if asked.value is not None:
        priced = np.arange(len(goals))
        amount = summed_amounts(exposed.events, priced, asked.value, asked.currency, asked.rates)
    # Sums have the same digits whatever the order of rows is.
    order = np.argsort(people["profile_id"].to_numpy(dtype=object), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    table = people.iloc[order].reset_index(drop=True)
    exposed_at = pd.to_datetime(table["exposed"], unit="us", utc=True)
    table["exposed"] = exposed_at.astype("datetime64[us, UTC]")
    table.insert(3, "complete", exposed_at + asked.within <= observed.end)
    first = ~goals["before"] & ~goals.duplicated(["person", "before"])
    goals = goals.assign(person=place[goals["person"]], amount=amount, first=first)
    goals = goals.sort_values(["person", "amount"], kind="stable", ignore_index=True)
    for suffix, chosen in (("", ~goals["before"]), (_BEFORE, goals["before"])):
        if suffix and asked.before is None:
            continue
        part, size = goals[chosen], len(table)
        count = np.bincount(part["person"], minlength=size)
        table[f"conversion{suffix}"] = (count > 0).astype(np.int64)
        table[f"goals{suffix}"] = count
        if asked.value is not None:
            table[f"value{suffix}"] = np.bincount(
                part["person"], weights=part["amount"], minlength=size
            )
    counted = ~goals["before"] & table["complete"].to_numpy()[goals["person"]]
    return ExposedPeople(table, goals[counted].drop(columns="before").reset_index(drop=True))


def credited_to(
    people: ExposedPeople, metric: Metric, arms: list[str], of: IntArray
) -> CreditedByArm | None:
    """Return the outcomes of these people by the arm that they saw last.

    None if one is credited to an arm that nobody saw first.

    Parameters
    ----------
    people : ExposedPeople
    metric : Metric
        One that is not a ratio.
    arms : list of str
    of : numpy.ndarray of int
        Rows of `people.table`, all in these arms.
    """
    goals = people.goals
    weight = {
        CONVERSION: goals["first"].to_numpy(dtype=np.float64),
        GOALS: np.ones(len(goals)),
        VALUE: goals["amount"].to_numpy(),
    }[metric]
    size, width = len(people.table), len(arms)
    last = pd.Index(arms).get_indexer(goals["arm"])
    if (last < 0).any():
        return None
    place = goals["person"].to_numpy() * width + last
    credit = np.bincount(place, weights=weight, minlength=size * width).astype(np.float64)
    outcome = credit.reshape(size, width)
    several = np.where(goals["mixed"], weight, 0.0)
    mixed = np.bincount(goals["person"], weights=several, minlength=size).astype(np.float64)
    code = pd.Index(arms).get_indexer(people.table["arm"])
    before = _column(people.table, metric.outcome + _BEFORE, 0.0)
    return CreditedByArm(code[of], outcome[of], mixed[of], before[of])


def _column(people: pd.DataFrame, name: str, otherwise: float = 1.0) -> FloatArray:
    """Return a column; where there is none, as of the time before, one that does not vary."""
    if name not in people:
        return np.full(len(people), otherwise)
    return people[name].to_numpy(dtype=np.float64)
