"""Simulate what happens in a store, as numbers: visits, orders and subscriptions.

Every event is a row of a `Log`: numbers that `frame` spells out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convergekit.base.grouping import first_of_run, run_starts
from convergekit.typing import BoolArray, IntArray

# fmt: off
FIRST_NAMES = (
    "Ada", "Ben", "Cleo", "Dina", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kofi", "Lena",
    "Milo", "Nora", "Otis", "Pia", "Quinn", "Rosa", "Sami", "Tess", "Umar", "Vera", "Wim", "Yara",
)
LAST_NAMES = (
    "Abara", "Brandt", "Claes", "Duval", "Eriksen", "Falk", "Garnier", "Hollis", "Ibsen", "Janda",
    "Kovac", "Lindt", "Moreau", "Nyberg", "Okoro", "Peeters", "Rossi", "Silva", "Tanaka", "Vos",
)
# fmt: on
CITIES = (("Ghent", "BE"), ("Lyon", "FR"), ("Utrecht", "NL"), ("Bremen", "DE"), ("Cork", "IE"))
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
PRODUCTS = (
    ("Morning Blend 250 g", 8.5),
    ("Morning Blend 1 kg", 29.0),
    ("Single Origin Guji", 13.5),
    ("Decaf Evening", 10.0),
    ("Paper Filters", 4.0),
    ("Pour-over Kettle", 49.0),
)
# utm_source, utm_medium, utm_campaign, share of visits, how much likelier a visit is to buy
CAMPAIGNS = (
    (None, None, None, 0.26, 1.0),
    ("google", "cpc", "brand", 0.22, 1.4),
    ("google", "cpc", "kettles", 0.10, 0.8),
    ("meta", "paid_social", "spring-roast", 0.20, 0.6),
    ("newsletter", "email", "march-offer", 0.16, 1.9),
    ("coffee-blog", "referral", "guest-post", 0.06, 1.1),
)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 24 * 60 * _MINUTE
NAMES = (
    "PageView",
    "Viewed Product",
    "Added To Cart",
    "Started Checkout",
    "Placed Order",
    "Subscribed To Newsletter",
    None,
)
PAGE_VIEW, VIEWED, CART, CHECKOUT, ORDER, SUBSCRIBED, IDENTIFY = range(len(NAMES))
SOURCES = ("browser", "server", "crm")
BROWSER, SERVER, CRM = range(len(SOURCES))


@dataclass(frozen=True)
class People:
    """One entry per person."""

    first_name: IntArray
    last_name: IntArray
    domain: IntArray
    city: IntArray
    devices: IntArray
    has_account: BoolArray
    has_phone: BoolArray
    refuses: BoolArray
    shares_with: IntArray

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int, noise: float) -> People:
        """Draw so many people."""
        neighbour = np.maximum(np.arange(size) - 1, 0)
        shares = rng.random(size) < 0.02 * noise
        return cls(
            first_name=rng.integers(len(FIRST_NAMES), size=size),
            last_name=rng.integers(len(LAST_NAMES), size=size),
            domain=rng.integers(len(MAIL_DOMAINS), size=size),
            city=rng.integers(len(CITIES), size=size),
            devices=rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1], size=size),
            has_account=rng.random(size) < 0.4,
            has_phone=rng.random(size) < 0.3,
            refuses=rng.random(size) < 0.10 * noise,
            shares_with=np.where(shares, neighbour, np.arange(size)),
        )


@dataclass(frozen=True)
class SimulatedVisits:
    """One entry per visit: a person, a device, a campaign, and how far it went."""

    person: IntArray
    begin: IntArray
    cookie: IntArray
    campaign: IntArray
    pages: IntArray
    views: BoolArray
    carts: BoolArray
    checks_out: BoolArray
    orders: BoolArray
    product: IntArray
    quantity: IntArray

    @classmethod
    def draw(
        cls, rng: np.random.Generator, persons: People, opened: int, days: int, noise: float
    ) -> SimulatedVisits:
        """Draw every person's visits."""
        size = len(persons.first_name)
        person = np.repeat(np.arange(size), 1 + rng.poisson(0.9, size=size))
        visits = len(person)
        begin = opened + (rng.random(visits) * days * _DAY).astype(np.int64)
        begin = begin[np.lexsort((begin, person))]
        device = (rng.random(visits) * persons.devices[person]).astype(np.int64)
        # A cookie is a person's device, until a reset gives it a new one.
        reset = np.cumsum(rng.random(visits) < 0.05)
        first_visit = np.searchsorted(person, np.arange(size))
        resets: IntArray = reset - reset[first_visit[person]]
        cookie = (persons.shares_with[person] * 64 + device + 4 * np.minimum(resets, 15)) * 2
        shares = np.array([campaign[3] for campaign in CAMPAIGNS])
        campaign = rng.choice(len(CAMPAIGNS), p=shares / shares.sum(), size=visits)
        keen = np.array([campaign[4] for campaign in CAMPAIGNS])[campaign]
        views = rng.random(visits) < 0.75
        carts = views & (rng.random(visits) < np.minimum(0.45 * keen, 0.9))
        checks_out = carts & (rng.random(visits) < 0.68)
        return cls(
            person=person,
            begin=begin,
            cookie=np.where(persons.refuses[person], -1, cookie),
            campaign=campaign,
            pages=1 + rng.poisson(0.9, size=visits),
            views=views,
            carts=carts,
            checks_out=checks_out,
            orders=checks_out & (rng.random(visits) < 0.75),
            product=rng.integers(len(PRODUCTS), size=visits),
            quantity=1 + rng.poisson(0.4, size=visits),
        )


@dataclass(frozen=True)
class Log:
    """Events as numbers; -1 is a missing alias, visit or order."""

    name: IntArray
    source: IntArray
    person: IntArray
    visit: IntArray
    time: IntArray
    cookie: IntArray
    cart: IntArray
    checkout: IntArray
    knows_email: BoolArray
    knows_phone: BoolArray
    knows_account: BoolArray
    landing: BoolArray
    order: IntArray
    delay: IntArray
    number: IntArray
    address: IntArray

    @classmethod
    def make(cls, size: int, **columns: Any) -> Log:
        """Return so many events, of which the columns are given and the rest is missing."""
        no, nothing = np.zeros(size, dtype=bool), np.full(size, -1, dtype=np.int64)
        defaults = {
            "visit": nothing,
            "cookie": nothing,
            "cart": nothing,
            "checkout": nothing,
            "knows_email": no,
            "knows_phone": no,
            "knows_account": no,
            "landing": no,
            "order": nothing,
            "delay": np.full(size, _SECOND),
            "number": nothing,
            "address": np.zeros(size, dtype=np.int64),
        }
        filled = {k: np.broadcast_to(np.asarray(v), size) for k, v in (defaults | columns).items()}
        return cls(**filled)

    @classmethod
    def stacked(cls, blocks: Sequence[Log]) -> Log:
        """Return several logs as one."""
        return cls(
            **{
                name: np.concatenate([getattr(block, name) for block in blocks])
                for name in cls.__dataclass_fields__
            }
        )

    def chosen(self, at: Any, **changes: Any) -> Log:
        """Return some of the events, with some columns changed."""
        columns = {name: getattr(self, name)[at] for name in self.__dataclass_fields__}
        return type(self)(**(columns | changes))


def browsing(rng: np.random.Generator, visits: SimulatedVisits, noise: float) -> Iterator[Log]:
    """Yield what the browser reports, up to the checkout."""
    visit = np.repeat(np.arange(len(visits.person)), visits.pages)
    first = run_starts(visit)
    page = np.arange(len(visit)) - first_of_run(first)
    # A newsletter's link names its reader.
    by_mail = first & (visits.campaign[visit] == 4) & (rng.random(len(visit)) < 0.5)
    yield Log.make(
        len(visit),
        name=PAGE_VIEW,
        source=BROWSER,
        person=visits.person[visit],
        visit=visit,
        time=visits.begin[visit] + page * _wait(rng, len(visit), 0.8),
        cookie=visits.cookie[visit],
        knows_email=by_mail,
        landing=first,
    )
    steps = (
        (VIEWED, visits.views, 3),
        (CART, visits.carts, 6),
        (CHECKOUT, visits.checks_out, 9),
    )
    for name, happened, minutes in steps:
        at = np.flatnonzero(happened)
        checkout = name == CHECKOUT
        forgets_cart = rng.random(len(at)) < 0.12 * noise
        yield Log.make(
            len(at),
            name=name,
            source=BROWSER,
            person=visits.person[at],
            visit=at,
            time=visits.begin[at] + minutes * _MINUTE + _wait(rng, len(at), 1.5),
            # The checkout's domain sets a cookie of its own.
            cookie=np.where(visits.cookie[at] < 0, -1, visits.cookie[at] + checkout),
            cart=at if name == CART else np.where(checkout & ~forgets_cart, at, -1),
            checkout=at if checkout else -1,
            knows_email=checkout & (rng.random(len(at)) < 0.7),
        )


def ordering(
    rng: np.random.Generator,
    persons: People,
    visits: SimulatedVisits,
    opened: int,
    days: int,
    noise: float,
) -> Iterator[Log]:
    """Yield the server's orders, their retries, and the browser's copies of them."""
    at = np.flatnonzero(visits.orders)
    person = visits.person[at]
    online = Log.make(
        len(at),
        name=ORDER,
        source=SERVER,
        person=person,
        visit=at,
        time=visits.begin[at] + 13 * _MINUTE + _wait(rng, len(at), 4),
        cart=np.where(rng.random(len(at)) < 0.4, at, -1),
        checkout=np.where(rng.random(len(at)) < 0.05 * noise, -1, at),
        knows_email=True,
        knows_account=persons.has_account[person],
        order=np.arange(len(at)),
    )
    yield online
    retried = np.flatnonzero(rng.random(len(at)) < 0.12 * noise)
    again = np.repeat(retried, 1 + (rng.random(len(retried)) < 0.3))
    minutes = 1 + rng.integers(30, size=len(again))
    yield online.chosen(again, delay=minutes * _MINUTE)
    # The thank-you page is the shop's own again, cookie and all.
    thanked = np.flatnonzero((rng.random(len(at)) < 0.35 * noise) & (visits.cookie[at] >= 0))
    yield online.chosen(
        thanked,
        source=np.full(len(thanked), BROWSER),
        time=online.time[thanked] + 2 * _SECOND,
        cookie=visits.cookie[at[thanked]],
        checkout=np.full(len(thanked), -1),
        knows_email=np.zeros(len(thanked), dtype=bool),
        knows_account=np.zeros(len(thanked), dtype=bool),
    )
    # Orders by telephone: nothing but the address to send the receipt to.
    size = len(persons.first_name)
    called = np.flatnonzero(rng.random(size) < 0.05)
    yield Log.make(
        len(called),
        name=ORDER,
        source=SERVER,
        person=called,
        visit=np.searchsorted(visits.person, called),
        time=opened + (rng.random(len(called)) * days * _DAY).astype(np.int64),
        knows_email=True,
        knows_phone=persons.has_phone[called],
        order=len(at) + np.arange(len(called)),
    )


def subscribing(rng: np.random.Generator, persons: People, opened: int, days: int) -> Iterator[Log]:
    """Yield the CRM's subscriptions, and the accounts that it tells us of."""
    size = len(persons.first_name)
    for name, people in (
        (SUBSCRIBED, np.flatnonzero(rng.random(size) < 0.2)),
        (IDENTIFY, np.flatnonzero(persons.has_account & (rng.random(size) < 0.6))),
    ):
        yield Log.make(
            len(people),
            name=name,
            source=CRM,
            person=people,
            time=opened + (rng.random(len(people)) * days * _DAY).astype(np.int64),
            knows_email=True,
            knows_phone=persons.has_phone[people],
            knows_account=name == IDENTIFY,
        )


def _wait(rng: np.random.Generator, size: int, minutes: float) -> IntArray:
    return (rng.exponential(minutes, size=size) * _MINUTE).astype(np.int64)


def arrived(rng: np.random.Generator, log: Log, noise: float) -> Log:
    """Give every event its ID number and its delay, and put the rows in order of arrival."""
    size = len(log.name)
    late = rng.random(size) < 0.03 * noise
    # Events of the browser wait for its next beat; an order's webhook does not.
    beat = np.where(log.source == BROWSER, rng.integers(0, 20, size=size), 0) * _SECOND
    delay = log.delay + beat + late * (rng.random(size) * 2 * _DAY).astype(np.int64)
    order = np.lexsort((np.arange(size), log.time + delay))
    return log.chosen(order, delay=delay[order], number=np.arange(size))
