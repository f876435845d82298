"""Simulate what tracking loses: devices that never meet, blocked browsers, tokens and addresses.

The people, their visits and orders stay those of the store; only what the exports say of them
changes. All randomness is of its own, so that a store without losses is the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from convergekit.base.grouping import first_of_run, run_starts
from convergekit.errors import ConvergekitError
from convergekit.simulate.events import (
    BROWSER,
    IDENTIFY,
    NAMES,
    ORDER,
    SERVER,
    Log,
    SimulatedVisits,
)
from convergekit.typing import IntArray

_DAY = 24 * 60 * 60 * 1_000_000
#: The addresses of a person: the usual one, another of theirs, and one with a slip.
USUAL, SECOND, MISSPELT = range(3)


@dataclass(frozen=True)
class TrackingLoss:
    """What the tracking of a simulated store loses, beside its `noise`.

    Attributes
    ----------
    devices : float, optional
        Devices per person, on average, from 1.0; each visit is from any of them. The usual store
        has 1.5, at most 3.
    cookie_days : float, optional
        A device gets a new cookie every so many days since its first visit.
    private : float, default 0.0
        Share of visits in a private window, which has a cookie of its own.
    blocked : float, default 0.0
        Share of devices of which no event arrives.
    lost_tokens : float, default 0.0
        Share of orders that carry neither the cart's nor the checkout's token.
    second_address : float, default 0.0
        Share of people who give another address at every second visit.
    misspelt : float, default 0.0
        Share of addresses typed in the browser that have a slip in them.
    shared : float, default 0.0
        Share of people who use a neighbour's devices.

    Examples
    --------
    >>> import convergekit as ck
    >>> usual = ck.simulate_store(people=200)
    >>> heavy = ck.simulate_store(people=200, losses=ck.TrackingLoss(devices=3.0, blocked=0.2))
    >>> [len(ck.stitch(store.events).profiles) for store in (usual, heavy)]
    [275, 295]
    """

    devices: float | None = None
    cookie_days: float | None = None
    private: float = 0.0
    blocked: float = 0.0
    lost_tokens: float = 0.0
    second_address: float = 0.0
    misspelt: float = 0.0
    shared: float = 0.0

    def __post_init__(self) -> None:
        """Raise unless every loss is a share, and devices and days are as many as can be."""
        for one in fields(self):
            given = getattr(self, one.name)
            if given is None and one.default is None:
                continue
            number = isinstance(given, (int, float, np.floating)) and not isinstance(given, bool)
            if one.name == "devices" and not (number and 1 <= given < np.inf):
                raise ConvergekitError(f"devices must be a number from 1.0; got {given!r}.")
            if one.name == "cookie_days" and not (number and 0 < given < np.inf):
                raise ConvergekitError(f"cookie_days must be a number above 0; got {given!r}.")
            if one.default is not None and not (number and 0 <= given <= 1):
                raise ConvergekitError(
                    f"{one.name} must be a share from 0.0 to 1.0; got {given!r}."
                )


def recookied(
    rng: np.random.Generator, visits: SimulatedVisits, people: int, loss: TrackingLoss
) -> tuple[SimulatedVisits, IntArray]:
    """Return the visits with other cookies, and the device of each visit as a number."""
    person, usual = visits.person, visits.cookie // 2
    size = len(person)
    shares = rng.random(people) < loss.shared
    owner = np.where(shares[person], np.maximum(person - 1, 0), usual // 64)
    owner = np.where(usual < 0, person, owner)
    device = np.where(usual < 0, 0, usual % 4)
    if loss.devices is not None:
        each = 1 + rng.poisson(loss.devices - 1, size=people)
        device = (rng.random(size) * each[person]).astype(np.int64)
    device = _numbered(owner, device)
    parts = [device, np.where(usual < 0, 0, usual % 64 // 4)]
    if loss.cookie_days is not None:
        order = np.lexsort((visits.begin, device))
        first = np.empty(size, dtype=np.int64)
        first[order] = visits.begin[order][first_of_run(run_starts(device[order]))]
        parts.append(((visits.begin - first) / (loss.cookie_days * _DAY)).astype(np.int64))
    private = rng.random(size) < loss.private
    parts.append(np.where(private, 1 + np.arange(size), 0))
    return replace(visits, cookie=np.where(usual < 0, -1, 2 * _numbered(*parts))), device


def lost(
    rng: np.random.Generator,
    log: Log,
    visits: SimulatedVisits,
    device: IntArray,
    loss: TrackingLoss,
) -> Log:
    """Return what arrives of a log, with the tokens and addresses that it has."""
    orders = int(log.order.max(initial=-1)) + 1
    # The last place is that of events without an order or a visit.
    tokenless = np.append(rng.random(orders) < loss.lost_tokens, False)
    gone = (log.source == SERVER) & (log.name == ORDER) & tokenless[log.order]
    two = rng.random(int(log.person.max(initial=-1)) + 1) < loss.second_address
    at_other = np.append(rng.random(len(visits.person)) < 0.5, False)
    address = np.where(two[log.person] & at_other[log.visit], SECOND, USUAL)
    slip = (log.source == BROWSER) & (rng.random(len(log.name)) < loss.misspelt)
    blocks = rng.random(int(device.max(initial=-1)) + 1) < loss.blocked
    blocked = np.append(blocks[device], False)[log.visit] & (log.source == BROWSER)
    log = replace(
        log,
        cart=np.where(gone, -1, log.cart),
        checkout=np.where(gone, -1, log.checkout),
        address=np.where(slip, MISSPELT, address),
    )
    return log.chosen(~blocked)


def happened(log: Log) -> pd.DataFrame:
    """Return what people did, each event once, whether or not it arrives."""
    order = np.lexsort((np.arange(len(log.name)), log.time))
    log = log.chosen(order)
    again = np.ones(len(log.name), dtype=bool)
    again[np.unique(log.order, return_index=True)[1]] = False
    log = log.chosen((log.name != IDENTIFY) & ~(again & (log.order >= 0)))
    # As the exports, to the millisecond.
    times = (log.time // 1000).astype("datetime64[ms]").astype("datetime64[us]")
    return pd.DataFrame(
        {
            "person": log.person,
            "event_name": pd.array([name or "" for name in NAMES], dtype="str").take(log.name),
            "timestamp": pd.Series(times).dt.tz_localize("UTC"),
        }
    )


def _numbered(*columns: IntArray) -> IntArray:
    """Return a number for each different row."""
    keys = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        keys = np.unique(keys * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return keys
