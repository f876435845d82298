"""Simulate changes of the tracking in a store whose people and happenings stay the same.

What is already known stays known, and nothing is lost by a change. Its randomness is of its own, so
that two changes of one store meet the same people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.simulate.events import BROWSER, CHECKOUT, NAMES, ORDER, SERVER, Log, People
from convergekit.simulate.events import SimulatedVisits as Visits
from convergekit.typing import FloatArray

_TOKENS = ("cart_token", "checkout_token")


@dataclass(frozen=True)
class TrackingChange:
    """A change of what a simulated store's tracking sends.

    The people, their visits and their orders stay the same, so that a store with the change and
    without it shows what the change is worth. A cookie that lives longer is a change of
    `TrackingLoss`: a higher `cookie_days`, or none.

    Attributes
    ----------
    tokens : tuple of str
        The tokens, ``"cart_token"`` and ``"checkout_token"``, that each order on the site carries.
    one_cookie : bool
        Whether the payment page keeps the cookie of the shop.
    address : mapping of str to float
        Per event name of the browser, the share of those events at which visitors give their
        address.
    account : mapping of str to float
        The same share of those events at which visitors who have an account are logged in.

    Examples
    --------
    >>> import convergekit as ck
    >>> change = ck.TrackingChange(tokens=("checkout_token",))
    >>> lossy = ck.TrackingLoss(lost_tokens=0.5)
    >>> stores = [
    ...     ck.simulate_store(people=200, losses=lossy, change=one) for one in (None, change)
    ... ]
    >>> [len(ck.stitch(store.events).orphans("Placed Order").events) for store in stores]
    [29, 18]
    """

    tokens: tuple[str, ...] = ()
    one_cookie: bool = False
    address: Mapping[str, float] = field(default_factory=dict)
    account: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise unless tokens and names are of the store, and shares are from 0 to 1."""
        for token in self.tokens:
            if token not in _TOKENS:
                raise ConvergekitError(
                    f"tokens must be of {', '.join(map(repr, _TOKENS))}; got {token!r}."
                )
        known = [name for name in NAMES[:ORDER] if name]
        for option, shares in (("address", self.address), ("account", self.account)):
            for name, share in shares.items():
                if name not in known:
                    raise ConvergekitError(
                        f"{option} must name an event of the browser ({', '.join(known)}); got "
                        f"{name!r}.{did_you_mean(name, known)}"
                    )
                number = isinstance(share, (int, float)) and not isinstance(share, bool)
                if not number or not 0 <= share <= 1:
                    raise ConvergekitError(
                        f"{option} must be shares from 0.0 to 1.0; got {share!r} for {name!r}."
                    )


def changed(
    rng: np.random.Generator, log: Log, persons: People, visits: Visits, change: TrackingChange
) -> Log:
    """Return what the events of a log carry with a change of the tracking."""
    gives, logs_in = rng.random(len(log.name)), rng.random(len(log.name))
    on_site = (log.order >= 0) & (log.order < visits.orders.sum()) & (log.source == SERVER)
    sent = {
        name: np.where(on_site & (token in change.tokens), log.visit, getattr(log, name))
        for token, name in zip(_TOKENS, ("cart", "checkout"), strict=True)
    }
    # Each cookie of the shop is even, and the payment page's is the next number.
    kept = change.one_cookie & (log.name == CHECKOUT) & (log.cookie >= 0)
    account = _shares(log, change.account)
    return replace(
        log,
        **sent,
        cookie=np.where(kept, log.cookie // 2 * 2, log.cookie),
        knows_email=log.knows_email | (gives < _shares(log, change.address)),
        knows_account=log.knows_account | ((logs_in < account) & persons.has_account[log.person]),
    )


def _shares(log: Log, by_name: Mapping[str, float]) -> FloatArray:
    """Return the share that is given of each event's name, of those that a browser sends."""
    shares = np.array([by_name.get(name or "", 0.0) for name in NAMES])
    return np.where(log.source == BROWSER, shares[log.name], 0.0)
