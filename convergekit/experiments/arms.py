"""The arms of an experiment: which there are, and whether as many are in each as were to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, what_there_is
from convergekit.experiments.people import ExposedPeople
from convergekit.experiments.question import ExperimentQuestion

#: More values are not those of a variant.
MOST_ARMS = 20


def arms_of(people: ExposedPeople, asked: ExperimentQuestion) -> list[str]:
    """Return the arms, control first, then by name.

    Raises
    ------
    ConvergekitError
        Nobody was exposed, or to one arm alone, or there are too many, or not control, or one that
        was not expected.
    """
    found = sorted(people.table["arm"].unique())
    if not found:
        raise ConvergekitError(
            f"nobody was exposed: no event with a profile says variant={asked.variant!r}. Name the "
            "property of the exposure that says the arm, and its event as exposure=."
        )
    if len(found) > MOST_ARMS:
        raise ConvergekitError(
            f"variant={asked.variant!r} has {len(found):,} values, the first "
            f"{', '.join(map(repr, found[:3]))}; an experiment has at most {MOST_ARMS} arms. Name "
            "the property that says the arm, or choose one experiment's exposures with "
            "exposure=ck.Step(name, where=...)."
        )
    expected = sorted(asked.ratio or {})
    unexpected = [arm for arm in found if asked.ratio and arm not in asked.ratio]
    if unexpected:
        raise ConvergekitError(
            f"ratio does not say how many are expected in {', '.join(map(repr, unexpected))}; it "
            f"names {', '.join(map(repr, expected))}. Name every arm."
        )
    arms = sorted({*found, *expected})
    if asked.control not in found:
        raise ConvergekitError(
            f"nobody was exposed to the control arm {asked.control!r}; name it as control=. "
            f"{what_there_is(found, asked.control)}"
        )
    if len(arms) < 2:
        raise ConvergekitError(
            f"all {counted(len(people.table), 'profile')} were exposed to {arms[0]!r}; "
            "an experiment needs another arm to compare it with."
        )
    return [asked.control, *(arm for arm in arms if arm != asked.control)]


def arms_table(people: ExposedPeople, arms: list[str], asked: ExperimentQuestion) -> pd.DataFrame:
    """Return the rows of `Experiment.arms`."""
    table = people.table
    code = pd.Index(arms).get_indexer(table["arm"])
    sizes = {
        "profiles": np.ones(len(table), dtype=bool),
        "complete": table["complete"].to_numpy(dtype=bool),
        "both": table["both"].to_numpy(dtype=bool),
    }
    count = {name: np.bincount(code[rows], minlength=len(arms)) for name, rows in sizes.items()}
    part = np.array([1.0 if asked.ratio is None else asked.ratio[arm] for arm in arms])
    return pd.DataFrame(
        {
            "arm": pd.Series(arms, dtype="str"),
            "profiles": count["profiles"],
            "expected": len(table) * part / part.sum(),
            "open": count["profiles"] - count["complete"],
            "both": count["both"],
        }
    )


def mismatch(arms: pd.DataFrame) -> float:
    """Return how likely such numbers of profiles are, if the expected ones are true.

    Pearson's chi-square test. A. Fabijan et al., "Diagnosing sample ratio mismatch in online
    controlled experiments", KDD 2019.

    Examples
    --------
    >>> arms = pd.DataFrame({"profiles": [5200, 4800], "expected": [5000.0, 5000.0]})
    >>> round(mismatch(arms), 7)
    6.33e-05
    """
    seen, expected = arms["profiles"].to_numpy(dtype=float), arms["expected"].to_numpy()
    statistic = float(((seen - expected) ** 2 / expected).sum())
    return float(scipy.special.chdtrc(len(seen) - 1, statistic))
