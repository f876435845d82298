"""The settings in which `FunnelBounds` is measured: four worlds, each with more and more lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import convergekit as ck
from tests.certainty.agents import Agents, agents
from tests.certainty.households import Households, households
from tests.certainty.towns import Towns, towns
from tests.certainty.worlds import World, simulated

_SIMULATOR = {
    "clean": (0.0, {}),
    "usual": (1.0, {}),
    "noisy": (3.0, {}),
    "devices": (1.0, {"devices": 3.0}),
    "short cookies": (1.0, {"cookie_days": 3.0}),
    "private windows": (1.0, {"private": 0.4}),
    "blockers": (1.0, {"blocked": 0.3}),
    "lost tokens": (1.0, {"lost_tokens": 0.5}),
    "addresses": (1.0, {"second_address": 0.4, "misspelt": 0.1}),
    "shared devices": (1.0, {"shared": 0.15}),
}
_AGENTS = {
    "usual": {},
    "devices": {"devices": 2.0},
    "short cookies": {"cookie_days": 4.0},
    "private windows": {"private": 0.4},
    "blockers": {"blocked": 0.3},
    "lost tokens": {"lost_token": 0.5},
    "few logins": {"logs_in": 0.03},
    "shared devices": {"shared": 0.15, "second_address": 0.15},
}
_HOUSEHOLDS = {
    "usual": {},
    "switching": {"switching": 0.6},
    "short cookies": {"expires": 0.9, "in_app": 0.2},
    "refused": {"refuses": 0.3},
    "lost tokens": {"lost_reference": 0.5},
    "few logins": {"members": 0.03, "mail": 0.03},
    "shared devices": {"family_tablet": 0.4, "other_address": 0.15},
}
_TOWNS = {
    "usual": {},
    "same day": {"same_day": 0.9},
    "safari": {"safari": 0.75},
    "consent": {"asks": 1.0},
    "lost tokens": {"lost_token": 0.4},
    "guests": {"accounts": 0.02, "letters": 0.02},
    "families": {"tablets": 0.7, "other_address": 0.1},
    "relays": {"relay": 0.3, "call_centre": 0.1},
}


def settings(people: int) -> dict[tuple[str, str], Callable[[int], World]]:
    """Return what makes a world of a seed, by world and setting."""
    found: dict[tuple[str, str], Callable[[int], World]] = {}
    for name, (noise, losses) in _SIMULATOR.items():
        lost = ck.TrackingLoss(**losses) if losses else None
        found["simulator", name] = partial(simulated, people, losses=lost, noise=noise)
    for name, changed in _AGENTS.items():
        found["agents", name] = partial(agents, replace(Agents(people=people), **changed))
    for name, changed in _HOUSEHOLDS.items():
        asked = replace(Households(people=people), **changed)
        found["households", name] = partial(households, asked)
    for name, changed in _TOWNS.items():
        found["towns", name] = partial(towns, replace(Towns(people=people), **changed))
    return found
