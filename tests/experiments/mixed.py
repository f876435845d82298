"""Print the table of docs/experiments.md: what is told of an effect where a fifth saw both arms.

python -m tests.experiments.mixed
"""

from __future__ import annotations

import numpy as np

from convergekit.experiments.intervals import Looking
from convergekit.experiments.undiluted import CreditedByArm, undiluted
from tests.experiments.worlds import WORLDS, credited

PEOPLE, SHOPS, EFFECT = 40_000, 40, 0.05
ACTS = {
    "seen": "the one that is seen",
    "share": "all seen so far, by share",
    "first": "the one seen first",
}


def table():
    """Return the rows: per world and by which arm acts, shares of the effect that was planted."""
    rows = [
        "| world | which arm acts | saw both | `relative` | `undiluted` | bounds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for world in WORLDS:
        for acts, said in ACTS.items():
            both, measured, alone, most = np.mean(
                [_told(world, seed, acts) for seed in range(SHOPS)], axis=0
            )
            rows.append(
                f"| {world} | {said} | {both:.0%} | {measured:+.1%} | {alone:+.1%} | "
                f"{measured:+.1%} to {most:+.1%} |"
            )
    return "\n".join(rows)


def _told(world, seed, acts):
    """Return who saw both, and what is told of the effect, less what is told without one."""
    told = []
    for effect in (0.0, EFFECT):
        made = WORLDS[world](np.random.default_rng(seed), PEOPLE, effect, acts=acts)
        own, outcome, mixed, both = credited(made)
        found = undiluted(CreditedByArm(own, outcome, mixed, np.zeros(PEOPLE)), 2, Looking(0.05))
        total = outcome.sum(axis=1)
        ratio = total[own == 1].mean() / total[own == 0].mean()
        # One bound is the measured effect, the other lies beyond it.
        beyond = found.bound_low if ratio < 1 else found.bound_high
        told.append(np.array([ratio, float(found.relative[0]), ratio * float(beyond[0])]))
    plain, with_effect = told
    return np.r_[both.mean(), with_effect - plain]


if __name__ == "__main__":
    print(table())
