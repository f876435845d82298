"""What visits brought: which steps they took, and the credit for orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.attribution.attribute import Attributor
from convergekit.events.amounts import events_named
from convergekit.events.steps import StepLike
from convergekit.events.timestamps import microseconds
from convergekit.identity.tables import StitchedEvents
from convergekit.marketing.question import MarketingQuestion
from convergekit.marketing.said import SaidByVisits
from convergekit.typing import BoolArray, FloatArray, IntArray

#: The steps of a visit whose share is shown, and what they are called unless told otherwise.
_STEPS = {"add_to_cart_rate": "Added To Cart", "checkout_rate": "Started Checkout"}


@dataclass(frozen=True)
class Brought:
    """The visits, and what they brought.

    Attributes
    ----------
    said : SaidByVisits
    arrived : numpy.ndarray of int
        When each visit came, in microseconds.
    did : dict of str to numpy.ndarray of bool
        By the name of a rate, which visits had such an event.
    row, visit : numpy.ndarray of int
        Of each credit, the row of the converting event, and the visit, -1 for none.
    share : numpy.ndarray of float
        How much of the conversion it is.
    """

    said: SaidByVisits
    arrived: IntArray
    did: dict[str, BoolArray]
    row: IntArray
    visit: IntArray
    share: FloatArray

    @classmethod
    def together(cls, parts: Sequence[Brought]) -> Brought:
        """Return what the visits of several parts brought."""
        before = np.cumsum([0, *(len(part.arrived) for part in parts)]).tolist()
        visit = [
            np.where(part.visit < 0, -1, part.visit + first)
            for part, first in zip(parts, before, strict=False)
        ]
        return cls(
            said=SaidByVisits.together([part.said for part in parts]),
            arrived=np.concatenate([part.arrived for part in parts]),
            did={name: np.concatenate([part.did[name] for part in parts]) for name in parts[0].did},
            row=np.concatenate([part.row for part in parts]),
            visit=np.concatenate(visit),
            share=np.concatenate([part.share for part in parts]),
        )


def brought_by(
    s: StitchedEvents,
    asked: MarketingQuestion,
    rows: IntArray,
    steps: Mapping[str, StepLike],
    levels: Collection[str],
    effects: pd.DataFrame | None = None,
) -> Brought:
    """Return what visits brought.

    Parameters
    ----------
    s : StitchedEvents
    asked : MarketingQuestion
    rows : numpy.ndarray of int
        Of the orders that are counted.
    steps : mapping of str to step
        As `steps_asked` returns them.
    levels : collection of str
        Of which levels IDs are looked for.
    effects : pandas.DataFrame, optional
        What a data-driven model found of all journeys, where these are some of more.
    """
    attributor = Attributor(s, asked.of_attribution())
    as_of = s.identity == "as_of"
    found = attributor.credited(s.resolution.profile, as_of=as_of, effects=effects)
    sessions = found.sessions
    visits = np.flatnonzero(sessions.arrival >= 0)
    number = np.full(len(sessions.visitor) + 1, -1, dtype=np.int64)
    number[visits] = np.arange(len(visits))
    row = s.events["row"].to_numpy(dtype=np.int64)
    at = {name: events_named(s.events, step) for name, step in steps.items()}
    at["conversion_rate"] = np.flatnonzero(np.isin(row, rows))
    did = {}
    for name, positions in at.items():
        of_session = np.zeros(len(sessions.visitor) + 1, dtype=bool)
        of_session[sessions.of_event[positions]] = True
        did[name] = of_session[visits]
    (share,) = found.credit.values()
    return Brought(
        said=SaidByVisits.of(sessions, visits, levels),
        arrived=microseconds(s.events["timestamp"])[sessions.arrival[visits]],
        did=did,
        row=row[found.positions[found.conversion]],
        visit=number[found.visit],
        share=share,
    )


def usual_steps(s: StitchedEvents) -> set[str]:
    """Return which steps of a visit some event has under its usual name."""
    return {name for name, usual in _STEPS.items() if (s.events["event_name"] == usual).any()}


def steps_asked(asked: MarketingQuestion, usual: Collection[str]) -> dict[str, StepLike]:
    """Return the steps of a visit whose share is shown.

    Parameters
    ----------
    asked : MarketingQuestion
    usual : collection of str
        As `usual_steps` returns it: one that was not named, and that no event has, is left out.
    """
    named = {"add_to_cart_rate": asked.add_to_cart, "checkout_rate": asked.checkout}
    return {
        name: _STEPS[name] if step is None else step
        for name, step in named.items()
        if step is not None or name in usual
    }
