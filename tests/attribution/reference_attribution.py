"""Attribution the slow, obvious way: one conversion, one walk, one order of labels at a time."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pandas as pd


def shares(touches, model, weights=(0.4, 0.2, 0.4), half_life=7.0):
    """Return each touch's share; touches are (age in days, is direct), oldest first."""
    n = len(touches)
    if model == "first_touch":
        raw = [1.0] + [0.0] * (n - 1)
    elif model == "last_touch":
        raw = [0.0] * (n - 1) + [1.0]
    elif model == "last_non_direct":
        told = [at for at, (_, direct) in enumerate(touches) if not direct]
        chosen = told[-1] if told else n - 1
        raw = [float(at == chosen) for at in range(n)]
    elif model == "linear":
        raw = [1.0] * n
    elif model == "position_based":
        if n == 1:
            raw = [1.0]
        elif n == 2:
            raw = [weights[0], weights[2]]
        else:
            raw = [weights[0], *[weights[1] / (n - 2)] * (n - 2), weights[2]]
    else:
        raw = [0.5 ** (age / half_life) for age, _ in touches]
    return [share / sum(raw) for share in raw]


def touches_of(sessions, profile_id, timestamp, lookback, orders=()):
    """Return the positions in `sessions` of a conversion's touches, oldest first.

    A direct visit that begins with one of the orders is a touch only if it is alone.
    """
    found = [
        (session.arrived, session.number, at)
        for at, session in enumerate(sessions.itertuples())
        if session.profile_id == profile_id
        and not pd.isna(session.arrived)
        and timestamp - lookback <= session.arrived <= timestamp
    ]
    touches = [at for _, _, at in sorted(found)]
    rows, channels = sessions["row"].tolist(), sessions["channel"].tolist()
    others = [at for at in touches if not (rows[at] in orders and channels[at] == "Direct")]
    return others or touches


def removal_effects(journeys):
    """Return each label's removal effect; journeys are (labels, converted)."""
    labels = sorted({label for path, _ in journeys for label in path})
    whole = _chance(journeys, None)
    return {x: float(1 - _chance(journeys, x) / whole) if whole else 0.0 for x in labels}


def _chance(journeys, removed):
    """Return the chance to convert, exactly, by eliminating one state after the other."""
    chance: dict[str, dict[str, Fraction]] = {}
    for path, converted in journeys:
        walk = ["(start)", *path, "(yes)" if converted else "(no)"]
        for one, other in itertools.pairwise(walk):
            row = chance.setdefault(one, {})
            row[other] = row.get(other, Fraction(0)) + 1
    for row in chance.values():
        total = sum(row.values())
        for state in row:
            row[state] /= total
    for state in [state for state in chance if state != "(start)"]:
        row = chance.pop(state)
        again = row.pop(state, Fraction(0))
        leaves = (
            {"(no)": Fraction(1)}
            if state == removed
            else {to: share / (1 - again) for to, share in row.items()}
        )
        for other in chance.values():
            come = other.pop(state, Fraction(0))
            for to, share in leaves.items():
                other[to] = other.get(to, Fraction(0)) + come * share
    return chance["(start)"].get("(yes)", Fraction(0))


def shapley_values(journeys):
    """Return each label's mean contribution over every order in which the labels can join."""
    labels = sorted({label for path, _ in journeys for label in path})
    total = dict.fromkeys(labels, Fraction(0))
    orders = list(itertools.permutations(labels))
    for order in orders:
        for at, label in enumerate(order):
            with_it, without = set(order[: at + 1]), set(order[:at])
            total[label] += _worth(journeys, with_it) - _worth(journeys, without)
    return {label: float(value / len(orders)) for label, value in total.items()}


def _worth(journeys, labels):
    within = [converted for path, converted in journeys if set(path) <= labels]
    return Fraction(sum(within), len(within)) if within else Fraction(0)
