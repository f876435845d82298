"""A world of agents: each comes back after waits with a heavy tail, and differs from the others.

Activity, the wish to buy, the habit of logging in and the number of devices are each person's own.
Visits come in bursts (waits are Pareto's), so that a few people make most of the visits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.certainty.worlds import World, token, world_of

_DAY = 86_400.0


@dataclass(frozen=True)
class Agents:
    """What differs between settings."""

    people: int = 1500
    days: int = 42
    devices: float = 0.6  # beyond the first, on average
    cookie_days: float | None = None
    private: float = 0.0
    blocked: float = 0.03
    lost_token: float = 0.05
    logs_in: float = 0.25
    second_address: float = 0.03
    shared: float = 0.01
    by_phone: float = 0.02


def agents(asked: Agents, seed: int) -> World:
    """Return a world of agents."""
    rng = np.random.default_rng([71, seed])
    rows: list[dict] = []
    cookies: dict = {}
    previous: list[int] = []
    for person in range(asked.people):
        devices = [
            person * 100 + at for at in range(1 + rng.poisson(rng.gamma(1.0, asked.devices)))
        ]
        if previous and rng.random() < asked.shared:
            devices[0] = previous[0]
        previous = devices
        blocks = {at: rng.random() < asked.blocked for at in devices}
        favour = rng.dirichlet(np.full(len(devices), 1.5))
        stays = {at: rng.random() < 0.6 for at in devices}
        member = rng.random() < asked.logs_in
        wish = rng.beta(0.6, 3.4)
        emails = [f"a{person}@mail.example"]
        if rng.random() < asked.second_address:
            emails.append(f"a{person}@work.example")
        slow = rng.lognormal(2.3, 0.9) * _DAY
        now = rng.random() * asked.days * _DAY
        logged: set = set()
        while now < asked.days * _DAY:
            device = int(rng.choice(devices, p=favour))
            cookie = _cookie(rng, cookies, device, now, asked)
            _visit(
                rng,
                rows,
                person,
                now,
                device,
                cookie,
                blocks,
                stays,
                member,
                wish,
                emails,
                logged,
                asked,
            )
            # Half of the waits are short: the same errand, looked at again.
            now += rng.exponential(0.3 * _DAY) if rng.random() < 0.4 else slow * rng.pareto(1.6)
        if rng.random() < asked.by_phone:
            order = {"person": person, "event_name": "Placed Order", "arrives": True}
            when = {"second": rng.random() * asked.days * _DAY, "event_id": token(rng, "o")}
            rows.append({**order, **when, "source": "server", "alias.email": emails[0]})
    return world_of(rows, asked.people, "agents", seed)


def _cookie(rng, cookies, device, now, asked) -> str:
    if rng.random() < asked.private:
        return token(rng, "p")
    name, made = cookies.get(device, (None, 0.0))
    if name is None or (asked.cookie_days is not None and now - made > asked.cookie_days * _DAY):
        name, made = token(rng, "c"), now
    cookies[device] = (name, made)
    return name


def _visit(
    rng, rows, person, now, device, cookie, blocks, stays, member, wish, emails, logged, asked
):
    seen = {
        "person": person,
        "arrives": not blocks[device],
        "source": "browser",
        "alias.cookie": cookie,
    }
    if member and (device in logged or rng.random() < 0.3):
        seen["alias.user_id"] = f"u{person}"
        if stays[device]:
            logged.add(device)
    rows.append({**seen, "event_name": "PageView", "second": now})
    if rng.random() > 0.3 + 0.6 * wish:
        return
    rows.append({**seen, "event_name": "Viewed Product", "second": now + 60})
    if rng.random() > 0.25 + 0.7 * wish:
        return
    rows.append({**seen, "event_name": "Added To Cart", "second": now + 200})
    if rng.random() > 0.3 + 0.6 * wish:
        return
    basket, email = token(rng, "t"), str(rng.choice(emails))
    typed = {"alias.email": email} if rng.random() < 0.5 else {}
    rows.append(
        {**seen, **typed, "event_name": "Started Checkout", "second": now + 400,
         "alias.checkout_token": basket}
    )  # fmt: skip
    if rng.random() > 0.75:
        return
    order = {"person": person, "arrives": True, "source": "server", "event_name": "Placed Order",
             "second": now + 700, "event_id": token(rng, "o"), "alias.email": email}  # fmt: skip
    if rng.random() >= asked.lost_token:
        order["alias.checkout_token"] = basket
    if member:
        order["alias.user_id"] = f"u{person}"
    rows.append(order)
