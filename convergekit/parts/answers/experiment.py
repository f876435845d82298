"""Experiments by parts: the exposed profiles of each part, one below the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pandas as pd

from convergekit.activity.events import Subject
from convergekit.events.observed import Observed
from convergekit.events.steps import StepLike
from convergekit.experiments.exposures import Exposed, exposed_in
from convergekit.experiments.power import ExperimentPower, PowerQuestion, begins, power_of
from convergekit.experiments.question import AskedOutcomes, ExperimentQuestion
from convergekit.experiments.result import Experiment, experiment_of
from convergekit.identity.tables import StitchedEvents, observed_of
from convergekit.parts.answers.said import kept_of_each_of_steps
from convergekit.parts.each import EachPart


def experiment_by_parts(asked: ExperimentQuestion, each: EachPart) -> Experiment:
    """Return what a variant changed. See `Stitched.experiment`."""
    exposed, observed = _exposed(asked.outcomes, None, each)
    return experiment_of(exposed, asked, observed)


def power_by_parts(asked: PowerQuestion, each: EachPart) -> ExperimentPower:
    """Return how long an experiment has to run. See `Stitched.experiment_power`."""
    exposed, observed = _exposed(asked.outcomes, asked, each)
    return power_of(exposed, asked, observed)


class _Found(NamedTuple):
    """What is kept of a part."""

    exposed: Exposed
    observed: Observed


def _exposed(
    asked: AskedOutcomes, power: PowerQuestion | None, each: EachPart
) -> tuple[Exposed, Observed]:
    of_part = partial(_exposed_of, asked=asked, power=power)
    steps: list[tuple[StepLike, Callable[[_Found], int]]] = [
        (asked.goal, lambda one: one.exposed.goal_events)
    ]
    if asked.exposure is not None:
        steps.append((asked.exposure, lambda one: one.exposed.exposures))
    found = kept_of_each_of_steps(each, of_part, steps)
    every = [one for one, _ in found]
    goals, before = [], 0
    for one in every:
        goals.append(one.goals.assign(person=one.goals["person"] + before))
        before += len(one.people)
    whole = Exposed(
        _below([one.people for one in every]),
        _below(goals),
        _below([one.events for one in every]),
        {what: sum(one.left_out[what] for one in every) for what in every[0].left_out},
        sum(one.exposures for one in every),
        sum(one.goal_events for one in every),
    )
    return whole, found[0].observed


def _exposed_of(
    number: int, s: StitchedEvents, *, asked: AskedOutcomes, power: PowerQuestion | None
) -> _Found:
    observed = observed_of(s)
    since = None if power is None else begins(observed, power)
    return _Found(exposed_in(s, Subject.of_stitched(s, None, None), asked, since), observed)


def _below(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all; a frame without does not say of which types it is."""
    return pd.concat([one for one in frames if len(one)] or frames[:1], ignore_index=True)
