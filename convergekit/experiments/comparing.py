"""The table of an experiment: each arm against control, for each metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.proportions import difference as difference_of_shares
from convergekit.base.wording import counted
from convergekit.experiments.intervals import Looking, difference
from convergekit.experiments.moments import ArmMoments, adjusted
from convergekit.experiments.people import (
    CONVERSION,
    VALUE_PER_GOAL,
    ExposedPeople,
    Metric,
    credited_to,
    metrics_of,
)
from convergekit.experiments.question import ExperimentQuestion
from convergekit.experiments.undiluted import Undiluted, undiluted
from convergekit.typing import FloatArray, IntArray

#: With fewer people with a goal, or for shares without one, in an arm, its mean is not yet near to
#: a normal distribution: shares are compared exactly, and of other means nothing is said.
FEWEST_CONVERTED = 10
FEWEST_FOR_MEANS = 30
#: A difference whose distribution is more skewed than this is not near enough to a normal one.
MOST_SKEWED = 0.2
#: The digits that are kept: further ones are as the processor computes them.
_DIGITS = ".12g"
#: The columns that say how far an arm is from control.
EFFECTS = (
    *("effect", "low", "high", "relative", "relative_low", "relative_high", "p_value"),
    *("p_adjusted", "undiluted", "undiluted_low", "undiluted_high", "bound_low", "bound_high"),
)


@dataclass(frozen=True)
class Compared:
    """The table, and why some of it is not known.

    Attributes
    ----------
    table : pandas.DataFrame
    reasons : list of str
    """

    table: pd.DataFrame
    reasons: list[str]


def compared(people: ExposedPeople, arms: list[str], asked: ExperimentQuestion) -> Compared:
    """Return the rows of `Experiment.table`."""
    complete = np.flatnonzero(people.table["complete"].to_numpy(dtype=bool))
    code = pd.Index(arms).get_indexer(people.table["arm"])[complete]
    looking = asked.looking(len(arms))
    rows, reasons = [], []
    converted = people.table["conversion"].to_numpy()[complete]
    few = _few(converted, code, arms, asked)
    for metric in metrics_of(asked.outcomes):
        columns = metric.columns(people.table.iloc[complete])
        alone = _alone(people, metric, arms, complete, looking)
        for place, arm in enumerate(arms):
            row = {"metric": metric.name, "arm": arm, "profiles": int((code == place).sum())}
            row["mean"], row["skewed"] = _ratio(columns[code == place]), False
            if place:
                found = _against(columns[code == 0], columns[code == place], looking)
                row["skewed"] = _is_skewed(columns[code == 0], columns[code == place])
                found |= _of_one(found, alone, place)
                why = few.get((metric == CONVERSION, arm))
                if why is not None:
                    shares = metric == CONVERSION and asked.sequential is None
                    found |= _of_few(
                        converted[code == 0], converted[code == place], looking, shares
                    )
                    reasons.append(why)
                found["p_adjusted"] = min(found["p_value"] * (len(arms) - 1), 1.0)
                if row["skewed"] and why is None:
                    reasons.append(
                        f"{metric.name}: few profiles of {arm} or control bring most of it, and "
                        "the arms are of unequal size, so that its intervals are too narrow."
                    )
                row |= found
            rows.append(row)
    table = pd.DataFrame(rows)
    for name in ("mean", *EFFECTS, *(["saved"] if asked.outcomes.before is not None else [])):
        table[name] = _rounded(table[name] if name in table else np.full(len(table), np.nan))
    order = ["metric", "arm", "profiles", "mean", *EFFECTS, "skewed"]
    order += ["saved"] if asked.outcomes.before is not None else []
    table = table.astype({"metric": "str", "arm": "str"})[order]
    return Compared(table, list(dict.fromkeys(reasons)))


def _against(control: FloatArray, arm: FloatArray, looking: Looking) -> dict[str, float]:
    """Return how far an arm is from control."""
    if min(len(control), len(arm)) < 2:
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        both = adjusted(ArmMoments.of(control), ArmMoments.of(arm))
        found = difference(both, looking)
        saved = 1 - both.variance / both.unadjusted_variance
    return {
        "saved": float(saved),
        **{
            name: float(getattr(found, name))
            for name in ("effect", "low", "high", "relative", "relative_low", "relative_high")
        },
        "p_value": float(found.p_value),
    }


def _is_skewed(control: FloatArray, arm: FloatArray) -> bool:
    """Return whether few people bring so much that the difference of arms is not near to normal.

    Of arms of one size the two tails take each other away. That of a small arm is not to be seen in
    it, so that it is taken from both.
    """
    both = np.concatenate([control, arm])
    if min(len(control), len(arm)) < 2 or not both[:, 1].sum():
        return False
    away = both[:, 0] - both[:, 1] * (both[:, 0].sum() / both[:, 1].sum())
    away = away - away.mean()
    spread = float((away**2).mean())
    if not spread > 0:
        return False
    one, other = 1 / len(control), 1 / len(arm)
    skewness = float((away**3).mean()) / spread**1.5
    return abs(skewness * (one**2 - other**2)) / (one + other) ** 1.5 > MOST_SKEWED


def _alone(
    people: ExposedPeople, metric: Metric, arms: list[str], complete: IntArray, looking: Looking
) -> Undiluted | None:
    """Return what the arms would bring if nobody saw several; None where that is not known."""
    if metric == VALUE_PER_GOAL:
        return None
    found = credited_to(people, metric, arms, complete)
    if found is None:
        return None
    there = np.bincount(found.arm, minlength=len(arms)) > 1
    if not there[0] or found.outcome[:, ~there].any():
        return None
    # An arm without people is not asked about.
    kept = found.of_arms(there)
    return undiluted(kept, int(there.sum()), looking).among(there[1:])


def _of_one(found: dict[str, float], alone: Undiluted | None, place: int) -> dict[str, float]:
    """Return the columns of an arm seen alone, from its measured effect and those of all."""
    if alone is None or "relative" not in found:
        return {}
    measured, arm = found["relative"] + 1, place - 1
    bounds = {
        "bound_low": measured * float(alone.bound_low[arm]) - 1,
        "bound_high": measured * float(alone.bound_high[arm]) - 1,
    }
    if not alone.mixed:
        same = ("relative", "relative_low", "relative_high")
        return bounds | {f"undiluted{name.removeprefix('relative')}": found[name] for name in same}
    return bounds | {
        "undiluted": float(alone.relative[arm]),
        "undiluted_low": float(alone.low[arm]),
        "undiluted_high": float(alone.high[arm]),
    }


def _few(
    converted: IntArray, code: IntArray, arms: list[str], asked: ExperimentQuestion
) -> dict[tuple[bool, str], str]:
    """Return why an arm cannot be compared as large ones are, for shares and for other means."""
    people = np.bincount(code, minlength=len(arms))
    goals = np.bincount(code, weights=converted, minlength=len(arms))
    exact = "shares are compared exactly" if asked.sequential is None else "nothing is said yet"
    kinds = (
        (True, "with a goal, or without one", np.minimum(goals, people - goals), exact),
        (False, "with a goal", goals, "other means are not compared"),
    )
    found: dict[tuple[bool, str], str] = {}
    for shares, which, count, then in kinds:
        fewest = FEWEST_CONVERTED if shares else FEWEST_FOR_MEANS
        for place, arm in enumerate(arms[1:], 1):
            fewer = min((0, place), key=lambda one: float(count[one]))
            if count[fewer] < fewest:
                found[shares, arm] = (
                    f"{arms[fewer]} has {counted(int(count[fewer]), 'profile')} {which}, fewer "
                    f"than {fewest}: {then}."
                )
    return found


def _of_few(control: IntArray, arm: IntArray, looking: Looking, shares: bool) -> dict[str, float]:
    """Return a wide answer: of shares the exact one, of anything else that it is not known."""
    unknown = {
        **dict.fromkeys(("low", "relative_low", "undiluted_low", "bound_low"), -np.inf),
        **dict.fromkeys(("high", "relative_high", "undiluted_high", "bound_high"), np.inf),
        **dict.fromkeys(("relative_low", "undiluted_low", "bound_low"), -1.0),
        "undiluted": np.nan,
        "p_value": np.nan,
        "p_adjusted": np.nan,
    }
    if not shares or not len(control) or not len(arm):
        return unknown
    found = difference_of_shares(
        int(control.sum()), len(control), int(arm.sum()), len(arm), 1 - looking.error
    )
    return {
        **unknown,
        "effect": float(found.difference),
        "low": float(found.low),
        "high": float(found.high),
        "p_value": float(found.p_value),
    }


def _ratio(columns: FloatArray) -> float:
    above, below = columns[:, 0].sum(), columns[:, 1].sum()
    return float(above / below) if below else np.nan


def _rounded(values: pd.Series | FloatArray) -> FloatArray:
    return np.array([float(f"{value:{_DIGITS}}") for value in np.asarray(values, dtype=float)])
