"""A world of households: errands that move between a household's devices, a chain of pages each.

Written before the estimator, and kept from its first form, which was too low here. Households of
one to four people own devices of three kinds. A person has errands; an errand is a burst of
sessions that moves over devices, and ends with an order, or is dropped. What happens in a session
is a Markov chain over pages whose odds depend on the device and on how far the errand has got.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.certainty.worlds import World, token, world_of

_HOUR, _DAY = 3_600.0, 86_400.0
_KINDS = ("phone", "laptop", "tablet")


@dataclass(frozen=True)
class Households:
    """What differs between settings."""

    people: int = 1500
    days: int = 35
    errands: float = 0.35  # beyond the first
    switching: float = 0.25
    refuses: float = 0.05
    expires: float = 0.3  # share of devices whose cookies live a week
    in_app: float = 0.05
    lost_reference: float = 0.05
    members: float = 0.2
    mail: float = 0.15
    other_address: float = 0.02
    family_tablet: float = 0.15
    by_phone: float = 0.01


def households(asked: Households, seed: int) -> World:
    """Return a world of households."""
    rng = np.random.default_rng([72, seed])
    rows: list[dict] = []
    person = 0
    while person < asked.people:
        size = min(int(rng.choice([1, 2, 3, 4], p=[0.4, 0.35, 0.15, 0.1])), asked.people - person)
        tablet = (
            _device(rng, "tablet", asked) if rng.random() < asked.family_tablet * size else None
        )
        for one in range(person, person + size):
            own = [_device(rng, "phone", asked)]
            if rng.random() < 0.6:
                own.append(_device(rng, "laptop", asked))
            if tablet is not None and rng.random() < 0.5:
                own.append(tablet)
            _live(rng, rows, one, own, asked)
        person += size
    return world_of(rows, asked.people, "households", seed)


def _device(rng, kind, asked) -> dict:
    return {
        "kind": kind,
        "refuses": rng.random() < asked.refuses,
        "lifetime": 7 * _DAY if rng.random() < asked.expires else None,
        "cookie": None,
        "made": 0.0,
        "member": set(),
    }


def _live(rng, rows, person, devices, asked) -> None:
    habits = {"member": rng.random() < asked.members, "mail": rng.random() < asked.mail}
    addresses = [f"h{person}@post.example"]
    if rng.random() < asked.other_address:
        addresses.append(f"h{person}@firm.example")
    keen = rng.lognormal(0.0, 0.6)
    for _ in range(1 + rng.poisson(asked.errands)):
        now = rng.random() * asked.days * _DAY
        device = devices[int(rng.integers(len(devices)))]
        for progress in range(1 + rng.geometric(0.5)):
            if now > asked.days * _DAY:
                break
            if _session(rng, rows, person, device, now, progress, keen, habits, addresses, asked):
                break
            if rng.random() < asked.switching:
                device = devices[int(rng.integers(len(devices)))]
            now += rng.weibull(0.7) * 20 * _HOUR
    if rng.random() < asked.by_phone:
        order = {"person": person, "event_name": "Placed Order", "arrives": True}
        when = {"second": rng.random() * asked.days * _DAY, "event_id": token(rng, "n")}
        rows.append({**order, **when, "source": "server", "alias.email": addresses[0]})


def _cookie(rng, device, now, asked) -> str | None:
    if device["refuses"]:
        return None
    if rng.random() < asked.in_app:
        return token(rng, "i")
    old = device["lifetime"] is not None and now - device["made"] > device["lifetime"]
    if device["cookie"] is None or old:
        device["cookie"], device["made"] = token(rng, "k"), now
    return device["cookie"]


def _session(rng, rows, person, device, now, progress, keen, habits, addresses, asked) -> bool:
    """Write one session; return whether it ended with an order."""
    cookie = _cookie(rng, device, now, asked)
    # Without consent, the shop's tag is not loaded at all for half of the pages.
    seen = {
        "person": person,
        "source": "browser",
        "arrives": cookie is not None or rng.random() < 0.5,
    }
    if cookie is not None:
        seen["alias.cookie"] = cookie
    if habits["member"] and (person in device["member"] or rng.random() < 0.15):
        device["member"].add(person)
        seen["alias.user_id"] = f"m{person}"
    ease = (
        {"phone": 0.6, "laptop": 1.3, "tablet": 0.9}[device["kind"]] * keen * (1 + 0.5 * progress)
    )
    state, reference = "land", token(rng, "r")
    names = {"land": "PageView", "list": "PageView", "product": "Viewed Product",
             "basket": "Added To Cart", "till": "Started Checkout"}  # fmt: skip
    email = addresses[int(rng.integers(len(addresses)))]
    clicked = habits["mail"] and rng.random() < 0.3
    while state not in ("leave", "order"):
        row = {**seen, "event_name": names[state], "second": now}
        if clicked and state == "land":
            row["alias.email"] = email
        if state in ("basket", "till"):
            row["alias.cart_token"] = reference
        if state == "till" and rng.random() < 0.6:
            row["alias.email"] = email
        rows.append(row)
        now += rng.exponential(80)
        state = _next(rng, state, ease)
    if state == "leave":
        return False
    order = {"person": person, "source": "server", "arrives": True, "event_name": "Placed Order",
             "second": now + 30, "event_id": token(rng, "n"), "alias.email": email}  # fmt: skip
    if rng.random() >= asked.lost_reference:
        order["alias.cart_token"] = reference
    if habits["member"]:
        order["alias.user_id"] = f"m{person}"
    rows.append(order)
    if rng.random() < 0.3 and cookie is not None:
        rows.append({**order, **seen, "source": "browser", "second": now + 31, "copy": True,
                     "alias.cart_token": None})  # fmt: skip
    return True


def _next(rng, state, ease) -> str:
    odds = {
        "land": {"list": 0.4, "product": 0.3 * ease, "leave": 0.4},
        "list": {"list": 0.2, "product": 0.5 * ease, "leave": 0.3},
        "product": {"list": 0.2, "product": 0.2, "basket": 0.25 * ease, "leave": 0.4},
        "basket": {"list": 0.15, "till": 0.5 * ease, "leave": 0.3},
        "till": {"order": 0.7 * ease, "leave": 0.25},
    }[state]
    names = list(odds)
    weights = np.array(list(odds.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
