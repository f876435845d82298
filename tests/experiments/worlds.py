"""Shops with experiments in which people have several devices, each with its own arm.

Two constructions. In *sessions* some people have a second device, and all order about as often.
In *habits* rates of ordering differ a lot, cookies expire, each with an arm of its own, and those
whose cookies expire order more.

What acts on an order is the arm that is seen then; or, for bounds, the share of what was seen so
far, or what was seen first. The same seed gives the same people, visits and luck whatever the
effect is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

START = pd.Timestamp("2026-03-02", tz="UTC")


@dataclass(frozen=True)
class World:
    """Visits by person, then time.

    Attributes
    ----------
    people : int
    person, device, arm : numpy.ndarray of int
        Of each visit; the device is numbered through all people.
    order : numpy.ndarray of bool
        Whether the visit ends with an order.
    hours : numpy.ndarray of float
        When, since the start.
    """

    people: int
    person: np.ndarray
    device: np.ndarray
    arm: np.ndarray
    order: np.ndarray
    hours: np.ndarray


def sessions(rng, people, effect, *, weight=0.5, acts="seen"):
    visits = 1 + rng.poisson(2.5, people)
    person = np.repeat(np.arange(people), visits)
    has_two = rng.random(people) < 0.58
    second = has_two[person] & (rng.random(len(person)) < 0.45)
    arms = (rng.random((people, 2)) < weight).astype(int)
    arm = np.where(second, arms[person, 1], arms[person, 0])
    rate = 0.05 * (0.5 + rng.random(people))
    order = rng.random(len(person)) < rate[person] * (1 + effect * _acting(acts, person, arm))
    return World(people, person, 2 * person + second, arm, order, _hours(rng, person))


def habits(rng, people, effect, *, weight=0.5, acts="seen"):
    visits = 1 + rng.geometric(0.4, people)
    person = np.repeat(np.arange(people), visits)
    # A cookie lasts some visits; the next one is another device as far as anybody sees.
    renewed = rng.random(len(person)) < 0.14 * (1 + (rng.random(people) < 0.3))[person]
    first = np.r_[True, person[1:] != person[:-1]]
    device = np.cumsum(renewed | first) - 1
    arm = (rng.random(len(person)) < weight).astype(int)[_firsts(renewed | first)]
    devices = np.bincount(person, weights=renewed & ~first, minlength=people)
    rate = rng.gamma(1.0, 0.05, people) * (1 + 0.6 * (devices > 0))
    rate = np.minimum(rate, 0.5)[person] * (1 + effect * _acting(acts, person, arm))
    order = rng.random(len(person)) < rate
    return World(people, person, device, arm, order, _hours(rng, person))


WORLDS = {"sessions": sessions, "habits": habits}


def credited(world):
    """Return own arms, orders by the arm seen last, those after several, and who saw several."""
    first = np.r_[True, world.person[1:] != world.person[:-1]]
    own = world.arm[first]
    other = world.arm != own[world.person]
    seen = np.cumsum(other) - (np.cumsum(other) - other)[_firsts(first)]
    outcome = np.zeros((world.people, 2))
    np.add.at(outcome, (world.person[world.order], world.arm[world.order]), 1.0)
    mixed = np.bincount(world.person[world.order & (seen > 0)], minlength=world.people)
    both = np.bincount(world.person[other], minlength=world.people) > 0
    return own, outcome, mixed.astype(float), both


def events(world):
    """Return the events of a world: page views with a variant, orders a minute later, logins."""
    visits = pd.DataFrame(
        {
            "event_name": "PageView",
            "alias.cookie": pd.Series(world.device).map("c{}".format),
            "alias.email": pd.Series(world.person).map("p{}@x.org".format),
            "timestamp": START + pd.to_timedelta(world.hours, unit="h"),
            "properties.variant": np.where(world.arm == 1, "new", "control"),
        }
    )
    orders = visits[world.order].assign(
        **{"event_name": "Placed Order", "properties.variant": None}
    )
    orders["timestamp"] += pd.Timedelta("1min")
    end = {"event_name": "PageView", "timestamp": START + pd.Timedelta("90D"), "alias.cookie": "z"}
    found = pd.concat([visits, orders, pd.DataFrame([end])], ignore_index=True)
    return found.astype({"alias.email": "str", "properties.variant": "str", "alias.cookie": "str"})


def _acting(acts, person, arm):
    """Return how much of the arm acts at each visit."""
    first = np.r_[True, person[1:] != person[:-1]]
    begin = _firsts(first)
    seen = np.cumsum(arm) - (np.cumsum(arm) - arm)[begin]
    share = seen / (np.arange(len(person)) - begin + 1)
    return {"seen": arm, "share": share, "first": arm[begin]}[acts]


def _hours(rng, person):
    """Return times of visits, ascending in each person's."""
    gaps = 1 + rng.exponential(20, len(person))
    first = np.r_[True, person[1:] != person[:-1]]
    total = np.cumsum(gaps)
    begin = (rng.random(len(person)) * 24 * 20)[_firsts(first)]
    return begin + total - total[_firsts(first)]


def _firsts(starts):
    return np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
