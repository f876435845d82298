"""Plant causes and see whether each comes first: ``python -m tests.change.planted --seeds 10``.

With ``--nothing 200`` nothing is planted, and nothing may be beyond chance.
"""

from __future__ import annotations

import argparse
import sys
import time

import pandas as pd

import convergekit as ck
from tests.certainty.agents import Agents, agents
from tests.certainty.households import Households, households
from tests.change.causes import CAUSES, Cause
from tests.change.shops import AFTER, BEFORE, STEPS, TURN, Shop

OF_TRACKING = ("tracking", "identity")


def asked(cause: Cause, seed: int, people: int = 6000):
    shop = Shop(people, seed)
    shop.visits += [cause.visits] if cause.visits else []
    shop.events += [cause.events] if cause.events else []
    frame = shop.made()
    if cause.apart:
        turn = frame["timestamp"].min().normalize() + pd.Timedelta(TURN, "D")
        early = frame["timestamp"] >= turn - pd.Timedelta(14, "D")
        sides = [
            ck.stitch(part.drop(columns=["after", "person"]).reset_index(drop=True))
            for part in (
                frame[(frame["timestamp"] < turn) & early],
                frame[frame["timestamp"] >= turn],
            )
        ]
        return sides[0].why(sides[1], number=cause.number, steps=STEPS, within="3D")
    s = ck.stitch(frame.drop(columns=["after", "person"]))
    before, after = cause.periods or (BEFORE, AFTER)
    return s.why(before, after, number=cause.number, steps=STEPS, within="3D")


def right(cause: Cause, found) -> tuple[bool, bool]:
    """Return whether the first part is the cause, and whether tracking was told from behaviour."""
    first = found.table.iloc[0]
    named = first["beyond_chance"] and first["kind"] in cause.kinds
    named = named and any(word in first["what"] for word in cause.says)
    told = (first["kind"] in OF_TRACKING and bool(first["beyond_chance"])) == cause.of_tracking
    return bool(named), told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--nothing", type=int, default=0)
    parser.add_argument("--causes", nargs="*", default=list(CAUSES))
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args(arguments)
    began, firsts, tolds = time.process_time(), 0, 0
    for name in given.causes:
        cause, hits, told = CAUSES[name], 0, 0
        for seed in range(given.first, given.first + given.seeds):
            found = asked(cause, seed)
            is_first, is_told = right(cause, found)
            hits, told = hits + is_first, told + is_told
            if given.show and not is_first:
                print(found, "\n", found.table.head(6).to_string(), "\n")
        print(f"{name:32} first {hits:3} of {given.seeds}, tracking or not {told:3}", flush=True)
        firsts, tolds = firsts + hits, tolds + told
    many = max(len(given.causes) * given.seeds, 1)
    print(f"first {firsts / many:.1%}, tracking told {tolds / many:.1%}; "
          f"{time.process_time() - began:.0f} s of processor time")  # fmt: skip
    alarms = [seed for seed in range(given.nothing) if beyond(seed)]
    print(f"nothing planted: {len(alarms)} alarms of {given.nothing}: {alarms}")
    missed = bool(given.causes and given.seeds) and (firsts < 0.85 * many or tolds < 0.90 * many)
    return int(missed or len(alarms) > 0.05 * given.nothing)


NUMBERS = ("conversion", "orders", "revenue", "revenue a visit")
#: Worlds without a cause, of other generators than the shop.
WORLDS = ("shop", "simulator", "agents", "households")


def beyond(seed: int, people: int = 1500) -> bool:
    """Return whether anything is said to be beyond chance where nothing is planted.

    Numbers take turns, and so do the generators.
    """
    found = asked_of_nothing(WORLDS[seed // 4 % 4], NUMBERS[seed % 4], 10_000 + seed, people)
    sure = found.table["beyond_chance"]
    if sure.any():
        print(WORLDS[seed // 4 % 4], found, "\n", found.table[sure].to_string(), flush=True)
    return bool(sure.any())


def asked_of_nothing(world: str, number: str, seed: int, people: int):
    """Return the answer about two periods of a world in which nothing changes."""
    if world == "shop":
        s = ck.stitch(Shop(people, seed).made().drop(columns=["after", "person"]))
        return s.why(BEFORE, AFTER, number=number, steps=STEPS, within="3D")
    if world == "simulator":
        s = ck.stitch(ck.simulate_store(people=people, seed=seed).events)
        return s.why(*_FORTNIGHTS, number=number, steps=STEPS, within="3D")
    events = (
        agents(Agents(people=people), seed)
        if world == "agents"
        else households(Households(people=people), seed)
    ).events
    # These worlds know no amounts, and their people come back ever more often: orders do change.
    return ck.stitch(events).why(*_WEEKS, number="conversion", steps=STEPS, within="3D")


_FORTNIGHTS = ("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29")
#: As many of each weekday. Their people come to be known in the first week, and all visits of one
#: are in 35 days.
_WEEKS = ("2026-06-08", "2026-06-21"), ("2026-06-22", "2026-07-05")


if __name__ == "__main__":
    sys.exit(main())
