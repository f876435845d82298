"""How often bounds of a funnel by labels, and of a segment, hold the truth.

``python -m tests.certainty.groups_coverage --stores 20`` prints a row per world, setting and kind.
The truth is the same funnel of the same events, each with the person who did it.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

import convergekit as ck
from tests.certainty.numbers_coverage import HEAD, LEVEL, NUMBERS, lines, rows
from tests.certainty.settings import settings
from tests.certainty.worlds import STEPS, World

_LABEL = "utm_source"
#: Labels with which fewer people enter are left out.
_LEAST = 40


def compared(told: ck.Funnel, known: ck.Funnel) -> pd.DataFrame:
    """Return the shares that got to the last step, a row per label, and those of people."""
    true = _last(known.table, told.by)
    found = _last(told.bounds(LEVEL).table, told.by)
    found = found.assign(true=true["conversion"].reindex(found.index))
    found["chance"] = found["chance_high"] - found["chance_low"]
    entered = true["profiles"] / true["conversion"]
    found = found[entered.reindex(found.index).fillna(0).to_numpy() >= _LEAST]
    return found[["true", "chance", *NUMBERS]]


def _last(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    last = table[table["step"] == table["step"].max()]
    return last.set_index(_names(last, by))


def _names(table: pd.DataFrame, by: list[str]) -> pd.Index:
    names = table[by[0]] if by else pd.Series("all", index=table.index)
    return pd.Index(names.astype(object).where(names.notna(), "(none)"), name="of")


def measured(world: World) -> pd.DataFrame:
    """Return what is true of a store and what is said of it, a row per kind and label."""
    s, known = ck.stitch(world.events), world.known()
    asked = {"within": "14D"}
    begin = world.events["timestamp"].min().normalize()
    weeks = [begin + pd.Timedelta(days=days) for days in (7, 21)]
    weeks = ck.FirstSeen(start=weeks[0], end=weeks[1])
    parts = [one.where(profiles=weeks).funnel(list(STEPS), **asked) for one in (s, known)]
    of_browser = [one.where(events="source == 'browser'") for one in (s, known)]
    browser = [one.funnel(["PageView", "Started Checkout"], **asked) for one in of_browser]
    by_label = [one.funnel(list(STEPS), by=_LABEL, **asked) for one in (s, known)]
    found = {
        "label": compared(*by_label),
        "first seen in two weeks": compared(*parts),
        "events of the browser": compared(*browser),
    }
    return pd.concat(found, names=["kind", "of"]).reset_index()


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument(
        "--worlds", nargs="*", default=["simulator", "agents", "households", "towns"]
    )
    parser.add_argument("--settings", nargs="*")
    given = parser.parse_args(arguments)
    print(HEAD, flush=True)
    for (world, setting), make in settings(given.people).items():
        if world in given.worlds and (not given.settings or setting in given.settings):
            seeds = np.arange(given.first, given.first + given.stores).tolist()
            found = rows([measured(make(seed)) for seed in seeds])
            print("\n".join(lines(world, setting, found)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
