"""Suspects beside the truth: how many over-merged profiles are found, and what is blamed.

    python -m benchmarks.suspects [--people N] [--seeds N]

A profile is over-merged if its events are those of more than one true person. It can be found
if two of these people gave a login value; of the others, nothing in the data says that they are
two. An alias is rightly blamed if it stands on events of more than one person.

Last it prints how long the suspects of a million events take: a store's, and two that are made
to be hard.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import convergekit as ck
from benchmarks.stitch import machine, timed
from convergekit.diagnostics.suspects import find_suspects
from tests.diagnostics.disturbed_stores import (
    add_second_addresses,
    cache_tokens,
    disturbed,
    measure,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{machine()}\n{arguments.seeds} stores of {arguments.people:,} people each\n")
    for title, noise, changes in (
        ("nothing goes wrong", 0.0, ()),
        ("shared devices", 1.0, ()),
        ("three times as many", 3.0, ()),
        ("and carts under cached tokens", 1.0, (cache_tokens,)),
        ("and second addresses", 1.0, (add_second_addresses,)),
        ("and both", 1.0, (cache_tokens, add_second_addresses)),
    ):
        found = [
            measure(*disturbed(arguments.people, seed, noise, changes))
            for seed in range(1, arguments.seeds + 1)
        ]
        print(f"{title} (noise={noise:g})\n{summary(pd.concat(found))}\n")

    for title, events in million_events().items():
        s = ck.stitch(events)
        print(f"{title}: {len(s.suspects):,} suspects, {timed(lambda s=s: find_suspects(s)):.1f} s")


def million_events() -> dict[str, pd.DataFrame]:
    """Return frames of about a million events."""
    at = np.arange(1_000_000)
    texts = [pd.Series(numbers).astype("str") for numbers in (at + 1, at // 2 * 2 + 1)]
    chain = {"alias.odd": texts[1], "alias.even": pd.Series((at + 1) // 2 * 2 + 2).astype("str")}
    ends = pd.Series("null", index=at, dtype="str")
    ends.iloc[[0, -1]] = ["a@example.com", "b@example.com"]
    times = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(at, unit="s")
    plain = pd.DataFrame({"event_name": "Placed Order", "timestamp": times})
    return {
        "a simulated store": ck.simulate_store(people=140_000, seed=1).events,
        "a million addresses on one cookie": plain.assign(
            **{"alias.cookie": "kiosk", "alias.email": texts[0] + "@example.com"}
        ),
        "a chain of a million aliases": plain.assign(**chain, **{"alias.email": ends}),
    }


def summary(table: pd.DataFrame) -> str:
    """Say what was found, and of each kind of evidence how often it is right."""
    suspected = table["evidence"].notna()
    can = table["can_be_found"]
    lines = [
        f"  over-merged: {table['over_merged'].sum():,}, "
        f"of them found: {share(suspected[table['over_merged']])}; "
        f"of the {can.sum():,} that can be found by logins: {share(suspected[can])}"
    ]
    for evidence, part in table.groupby("evidence"):
        right = part[part["over_merged"] & (part["cut_kind"] == "alias")]
        lines.append(
            f"  {evidence}: {len(part):,}, of them over-merged: {share(part['over_merged'])}; "
            f"of these with an alias blamed, rightly: {share(right['rightly'])}"
        )
    return "\n".join(lines)


def share(hits: pd.Series) -> str:
    return f"{hits.mean():.1%} of {len(hits):,}" if len(hits) else "none"


if __name__ == "__main__":
    main()
