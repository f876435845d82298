"""How often `watch` is wrong, and how often it finds what was planted.

``python -m tests.watching.watched --weeks 500 --drops 140`` prints, for each construction of
`tests.watching.series`, in which share of weeks without a cause any of ten numbers was an alarm on
any day, and which share of drops of 20 % an alarm was raised for within three days, by the number
that was planted: of a number that drops, or that drops with it. ``--stores 3`` does the same with
whole stores: their events are added day by day, and `ck.watch` is asked every day.
"""

from __future__ import annotations

import argparse

import numpy as np

from convergekit.watching.forecast import PAST, SPANS
from convergekit.watching.judging import judged, others
from tests.watching.series import CONSTRUCTIONS, DELAYS, NUMBERS, simulated

#: The first day that has a whole past, and one more, as a conversion is read a day later.
FIRST = PAST + max(SPANS) + 1
#: Weeks of one simulated store.
WEEKS = 10
WITHIN = 3


def alarmed_weeks(construction: str, weeks: int, first_seed: int) -> list[bool]:
    """Return for each week without a cause whether any number was an alarm on any day."""
    found: list[bool] = []
    seed = first_seed
    while len(found) < weeks:
        count = min(WEEKS, weeks - len(found))
        begin = FIRST - FIRST % 7 + 7
        series = simulated(construction, [2040, seed], begin + 7 * count)
        for week in range(count):
            days = range(begin + 7 * week, begin + 7 * week + 7)
            found.append(any(alarm(series, name, day) for name in NUMBERS for day in days))
        seed += 1
    return found


def found_drops(
    construction: str, drop: str, drops: int, first_seed: int, size: float = 0.2
) -> list[tuple[bool, bool]]:
    """Return for each planted drop whether its number was an alarm within three days, or any was.

    Any: of the numbers that drop with it.
    """
    found = []
    for number in range(drops):
        # Weekdays take turns.
        begin = FIRST + 7 + number % 7
        series = simulated(
            construction, [2041, first_seed + number], begin + WITHIN, drop, begin, size
        )
        alarms = {
            name
            for name in NUMBERS[drop]
            for day in range(begin, begin + WITHIN)
            if alarm(series, name, day)
        }
        found.append((drop in alarms, bool(alarms)))
    return found


def alarm(series, name: str, day: int) -> bool:
    """Return whether a number is an alarm at the end of a day, for what is known by then."""
    at = day - DELAYS.get(name, 0)
    own = series.numbers[name]
    beside = others(list(series.numbers.values()), own)
    return judged(own, at, series.usable, len(NUMBERS), beside).is_alarm


def main() -> None:
    """Print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weeks", type=int, default=500)
    parser.add_argument("--drops", type=int, default=140)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--stores", type=int, default=0)
    parser.add_argument("--only", choices=CONSTRUCTIONS)
    given = parser.parse_args()
    for construction in [given.only] if given.only else CONSTRUCTIONS:
        if given.weeks:
            alarms = alarmed_weeks(construction, given.weeks, given.first)
            print(f"{construction}: alarms in {sum(alarms)} of {len(alarms)} weeks "
                  f"({np.mean(alarms):.1%})", flush=True)  # fmt: skip
        own, together, by_weekday = [], [], []
        for drop in NUMBERS if given.drops else ():
            found = np.array(found_drops(construction, drop, given.drops, given.first))
            own.append(found[:, 0].mean())
            together.append(found[:, 1].mean())
            by_weekday.append([found[day::7, 1].mean() for day in range(7)])
            print(f"  {drop}: found {together[-1]:.0%}, by the number itself {own[-1]:.0%}",
                  flush=True)  # fmt: skip
        if together:
            print(f"  of all drops found {np.mean(together):.1%}, by the number itself "
                  f"{np.mean(own):.1%}", flush=True)  # fmt: skip
            shares = ", ".join(f"{share:.0%}" for share in np.mean(by_weekday, axis=0))
            print(f"  by the weekday on which they begin: {shares}", flush=True)
    if given.stores:
        from tests.watching.stores import print_stores

        print_stores(given.stores, given.first)


if __name__ == "__main__":
    main()
