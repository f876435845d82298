"""A world of towns: clocks and places decide which device is at hand.

Written when the estimator was known, so it is made of other mechanisms than the other worlds, from
what is published; its settings and seeds were fixed before `Funnel.bounds` was first asked of it.

- People have *projects*, a renewal process with gamma waits (Ehrenberg, "The pattern of consumer
  purchases", Applied Statistics 8, 1959). A project is looked into several times; whether it ends
  with an order is a matter of the person and the project, not of a chain of pages.
- The hour decides the device: a computer at work, a telephone on the way, a tablet or a computer at
  home. 9 of 10 people use screens one after the other, and 98 % of these move within a day (Google,
  "The New Multi-screen World", 2012); a third of online orders involve two devices or more (Criteo,
  "The State of Cross-Device Commerce", H2 2016).
- Safari forgets cookies that scripts set seven days after the last visit (WebKit, "Intelligent
  Tracking Prevention 2.1", 2019). A browser whose cookie is gone asks for consent anew.
- Where a banner has a button to reject, about half reject; without it, 2 to 10 % do (studies since
  2019). Who rejects is not seen, but their orders are.
- 55 to 60 % of tablets are shared, 14 % by four or more (GlobalWebIndex, 2017); people also take
  any device that is closer (Matthews et al., "She'll just grab any device that's closer", 2016).
- Some order for another's address (gifts, a couple's account), under the address of a relay
  (express checkouts), or by telephone with the call centre.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.certainty.worlds import World, token, world_of

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Towns:
    """What differs between settings."""

    people: int = 1500
    days: int = 42
    same_day: float = 0.35  # orders meant on a telephone that are made on a computer that day
    safari: float = 0.45
    asks: float = 0.4  # share of regions whose banner has a button to reject
    rejects: float = 0.45
    lost_token: float = 0.06
    accounts: float = 0.2
    letters: float = 0.08
    tablets: float = 0.3
    other_address: float = 0.03
    relay: float = 0.05
    call_centre: float = 0.02


@dataclass
class _Device:
    """A browser, and what it remembers."""

    safari: bool
    forgets: bool
    rejects: float
    cookie: str | None = None
    accepted: bool = True
    last: float = 0.0
    account: dict[int, float] = field(default_factory=dict)


@dataclass
class _Person:
    """Somebody, and what they have."""

    number: int
    address: str
    partner: str | None
    places: dict[str, _Device]
    has_account: bool
    reads_letters: bool
    buys: float
    at_computer: float


def towns(asked: Towns, seed: int) -> World:
    """Return a world of towns."""
    rng = np.random.default_rng([73, seed])
    rows: list[dict] = []
    number = 0
    while number < asked.people:
        size = min(int(rng.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.2, 0.15])), asked.people - number)
        for person in _home(rng, number, size, asked):
            _projects(rng, rows, person, asked)
        number += size
    return world_of(rows, asked.people, "towns", seed)


def _home(rng, first, size, asked) -> list[_Person]:
    """Return the people of a home: devices of their own, and some that are everybody's."""
    rejects = asked.rejects if rng.random() < asked.asks else 0.04

    def device(safari: float, forgets: float = 0.02) -> _Device:
        return _Device(rng.random() < asked.safari * safari, rng.random() < forgets, rejects)

    shared = device(1.3) if rng.random() < asked.tablets else None
    desk = device(0.5) if rng.random() < 0.5 else None
    found = []
    for number in range(first, first + size):
        places = {"phone": device(1.0)}
        if rng.random() < 0.4:
            places["work"] = device(0.2, forgets=0.15)
        if desk is not None and rng.random() < 0.8:
            places["desk"] = desk
        elif rng.random() < 0.35:
            places["desk"] = device(0.6)
        if shared is not None and rng.random() < 0.6:
            places["tablet"] = shared
        partner = first + (number - first + 1) % size
        found.append(
            _Person(
                number,
                f"t{number}@town.example",
                f"t{partner}@town.example" if size > 1 else None,
                places,
                bool(rng.random() < asked.accounts),
                bool(rng.random() < asked.letters),
                float(rng.beta(0.9, 2.2)),
                float(rng.beta(2.0, 2.0)),
            )
        )
    return found


def _projects(rng, rows, person, asked) -> None:
    """Write the projects of a person: waits between them are gamma's, of a rate of their own."""
    pause = rng.gamma(2.0, 14.0) * _DAY
    now = rng.random() * min(pause, asked.days * _DAY)
    while now < asked.days * _DAY:
        _project(rng, rows, person, now, asked)
        now += rng.gamma(1.5, pause / 1.5)


def _project(rng, rows, person, now, asked) -> None:
    """Write a project: visits until it is bought or dropped."""
    visits = 1 + rng.negative_binomial(1, 0.55)
    buys = rng.random() < person.buys
    place = _at_hand(rng, person, now)
    for visit in range(visits):
        if now >= asked.days * _DAY:
            return
        last = visit == visits - 1
        if last and buys:
            if place == "phone" and rng.random() < asked.same_day and len(person.places) > 1:
                # Looked at on the telephone, and bought at a screen that is larger, that evening.
                _look(rng, rows, person, place, now, 0.5)
                now += (0.5 + rng.gamma(1.5, 2.0)) * _HOUR
                others = [name for name in ("desk", "work", "tablet") if name in person.places]
                place = str(rng.choice(others))
            _buy(rng, rows, person, place, now, asked)
            return
        _look(rng, rows, person, place, now, 0.15 + 0.3 * buys + 0.1 * last)
        now += rng.gamma(0.7, 1.6) * _DAY
        place = _at_hand(rng, person, now)


def _at_hand(rng, person, now) -> str:
    """Return the device of the hour: at work on working days, at home in the evening."""
    day, hour = int(now // _DAY) % 7, now % _DAY / _HOUR
    if "work" in person.places and day < 5 and 9 <= hour < 17 and rng.random() < 0.6:
        return "work"
    home = [name for name in ("desk", "tablet") if name in person.places]
    evening = hour >= 18 or hour < 1 or day >= 5
    if home and rng.random() < (1.2 if evening else 0.4) * person.at_computer:
        return str(rng.choice(home))
    return "phone"


def _seen(rng, person, device, now) -> dict:
    """Return what a browser says of itself, which is nothing where consent was refused."""
    gone = device.cookie is None or device.forgets
    gone |= device.safari and now - device.last > 7 * _DAY
    if gone:
        device.cookie = token(rng, "b")
        device.accepted = rng.random() >= device.rejects
        device.account.clear()
    device.last = now
    seen = {
        "person": person.number,
        "source": "browser",
        "arrives": device.accepted,
        "alias.cookie": device.cookie,
    }
    # Whoever signed in stays so for a month.
    if now < device.account.get(person.number, -1.0):
        seen["alias.user_id"] = f"u{person.number}"
    return seen


def _look(rng, rows, person, place, now, interest) -> None:
    """Write a visit that buys nothing."""
    seen = _seen(rng, person, person.places[place], now)
    landing = {**seen, "event_name": "PageView", "second": now}
    if person.reads_letters and place in ("phone", "desk") and rng.random() < 0.5:
        landing["alias.email"] = person.address
    rows.append(landing)
    for _ in range(rng.poisson(1.0 + 2 * interest)):
        now += rng.gamma(2.0, 30.0)
        rows.append({**seen, "event_name": "Viewed Product", "second": now})
    if rng.random() < interest:
        rows.append(
            {**seen, "event_name": "Added To Cart", "second": now + 40,
             "alias.cart_token": token(rng, "s")}
        )  # fmt: skip


def _buy(rng, rows, person, place, now, asked) -> None:
    """Write a visit that ends with an order, by the browser or by telephone."""
    device = person.places[place]
    seen = _seen(rng, person, device, now)
    address = person.address
    if person.partner is not None and rng.random() < asked.other_address:
        address = person.partner
    relayed = place in ("phone", "tablet") and rng.random() < asked.relay
    if relayed:
        address = f"{token(rng, 'r')}@relay.example"
    rows.append({**seen, "event_name": "PageView", "second": now})
    basket = token(rng, "s")
    rows.append(
        {**seen, "event_name": "Added To Cart", "second": now + 90, "alias.cart_token": basket}
    )
    order = {"person": person.number, "source": "server", "arrives": True,
             "event_name": "Placed Order", "event_id": token(rng, "w")}  # fmt: skip
    if rng.random() < asked.call_centre:
        when = now + rng.gamma(2.0, 20.0) * _MINUTE
        rows.append({**order, "second": when, "alias.email": person.address})
        return
    checkout = {**seen, "event_name": "Started Checkout", "alias.cart_token": basket}
    signs_in = person.has_account and not relayed and rng.random() < 0.7
    if signs_in:
        device.account[person.number] = now + 30 * _DAY
        checkout["alias.user_id"] = f"u{person.number}"
        order["alias.user_id"] = f"u{person.number}"
    elif rng.random() < 0.7 and not relayed:
        checkout["alias.email"] = address
    rows.append({**checkout, "second": now + 150})
    if rng.random() >= asked.lost_token:
        order["alias.cart_token"] = basket
    rows.append({**order, "second": now + 240, "alias.email": address})
