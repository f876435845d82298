"""How often bounds of revenue, spend's return, customers and retention hold the truth.

``python -m tests.certainty.numbers_coverage --stores 20`` prints a row per world, setting and kind
of number. The truth is the same answer of the same events, each with the person who did it.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

import convergekit as ck
from tests.certainty.settings import settings
from tests.certainty.worlds import World

LEVEL = 0.9
#: Half of the width of an interval of 90 % in standard errors.
_Z = 1.6449
#: Labels that have less of the revenue are left out.
_LEAST = 0.05
VALUE = "total_price"
NUMBERS = ("stitched", "low", "estimate", "high", "worst_low", "worst_high")
KINDS = ("revenue", "return on spend", "new customers", "retention")


def spent(world: World) -> pd.DataFrame:
    """Return spend on every campaign and day, the same in every world."""
    days = pd.date_range(
        world.events["timestamp"].min().normalize(), world.events["timestamp"].max(), freq="D"
    )
    campaigns = world.events["profile_properties.utm_campaign"].dropna().unique()
    rows = [
        {"date": day.strftime("%Y-%m-%d"), "platform": "google", "campaign": name, "spend": 10.0}
        for day in days
        for name in sorted(campaigns)
    ]
    return pd.DataFrame(rows)


def revenue(s: ck.Stitched, known: ck.Stitched) -> pd.DataFrame:
    """Return the revenue of each channel as shares of all, and what chance makes of it."""
    asked = {"value": VALUE, "mixed_currencies": True}
    told = s.attribution("Placed Order", **asked)
    true = known.attribution("Placed Order", **asked).comparison.set_index("channel")["last_touch"]
    found = told.bounds(LEVEL).table.set_index("channel")
    squared = told.credits["value"].pow(2).groupby(told.credits["channel"]).sum()
    found = found.assign(true=true.reindex(found.index).fillna(0.0))
    found["chance"] = 2 * _Z * np.sqrt(squared.reindex(found.index).fillna(0.0))
    found = found[["true", "chance", *NUMBERS]] / true.sum()
    return found[found[["true", "stitched"]].max(axis=1) >= _LEAST]


def returns(s: ck.Stitched, known: ck.Stitched, spend: pd.DataFrame) -> pd.DataFrame:
    """Return the return on spend of each campaign."""
    asked = {"by": "campaign", "conversion": ck.Step("Placed Order", where=_one_currency)}
    told = s.marketing(spend, **asked)
    true = known.marketing(spend, **asked).groups.set_index("campaign")
    found = told.bounds(LEVEL).table
    found = found[(found["measure"] == "roas") & found["stitched"].notna()].set_index("campaign")
    groups = told.groups.set_index("campaign").loc[found.index]
    found = found.assign(true=true["roas"].reindex(found.index).fillna(0.0))
    # As much as orders vary, and what they are worth.
    found["chance"] = 2 * _Z * found["stitched"] * np.sqrt(1.5 / groups["orders"].clip(lower=1))
    large = groups["revenue"] / told.groups["revenue"].sum() >= _LEAST
    return found.loc[large, ["true", "chance", *NUMBERS]]


def _one_currency(events: pd.DataFrame) -> pd.Series:
    if "properties.currency" not in events:
        return pd.Series(True, index=events.index)
    return events["properties.currency"] == "EUR"


def new_customers(s: ck.Stitched, known: ck.Stitched) -> pd.DataFrame:
    """Return the new and the returning customers of two weeks each, as far as there are 20."""
    asked = {"currency": None, "value": None}
    true = known.customers(**asked).new_and_returning("2W")
    found = s.customers(**asked).bounds("2W", LEVEL).table
    found = found.assign(true=true[["new", "returning"]].to_numpy().reshape(-1).astype(float))
    found["chance"] = 2 * _Z * np.sqrt(found["stitched"])
    found = found[found["true"] >= 20]
    found.index = found["kind"] + " " + found["period"].dt.strftime("%d %b")
    return found[["true", "chance", *NUMBERS]]


def retention(s: ck.Stitched, known: ck.Stitched) -> pd.DataFrame:
    """Return the shares who come back after one, two and three weeks."""
    told, true = s.retention(), known.retention().curve().set_index("periods")["share"]
    found = told.bounds(LEVEL).table.set_index("periods").loc[1:3]
    people = told.curve().set_index("periods")["profiles"].reindex(found.index)
    found = found.assign(true=true.reindex(found.index))
    error = np.sqrt(found["stitched"] * (1 - found["stitched"]) / people)
    return found.assign(chance=2 * _Z * error)[["true", "chance", *NUMBERS]]


def measured(world: World) -> pd.DataFrame:
    """Return what is true of a store and what is said of it, a row per kind and number."""
    s, known = ck.stitch(world.events), world.known()
    found = (
        revenue(s, known),
        returns(s, known, spent(world)),
        new_customers(s, known),
        retention(s, known),
    )
    return pd.concat(dict(zip(KINDS, found, strict=True)), names=["kind", "of"]).reset_index()


def rows(stores: list[pd.DataFrame]) -> pd.DataFrame:
    """Return what many stores of one setting come to, a row per kind.

    Widths, gaps and errors are medians over the stores, and of these the means over the numbers, in
    percent of the number.
    """
    found = pd.concat(stores, ignore_index=True)
    true, edge = found["true"], 1e-9
    found["holds"] = found["true"].between(found["low"] - edge, found["high"] + edge)
    found["worst"] = found["true"].between(found["worst_low"] - edge, found["worst_high"] + edge)
    found["by_chance"] = (true - found["stitched"]).abs() <= found["chance"] / 2
    size = true.groupby([found["kind"], found["of"]]).transform("median").clip(lower=1e-9)
    for name, numbers in {
        "width": found["high"] - found["low"],
        "gap": (found["stitched"] - true).abs(),
        "error": (found["estimate"] - true).abs(),
        "wide": found["chance"],
    }.items():
        found[name] = 100 * numbers / size
    each = found.groupby(["kind", "of"], sort=False)
    medians = each[["width", "gap", "error", "wide"]].median()
    medians["allowed"] = 3 * medians["gap"] + medians["wide"]
    # Shares that are nearly nothing are not said as percent of themselves.
    medians = medians[each["true"].median() > 0.01]
    kinds = found.groupby("kind", sort=False)
    table = kinds[["holds", "worst", "by_chance"]].mean()
    table.insert(0, "numbers", kinds.size())
    table = table.join(medians.groupby("kind").mean())
    least = each["holds"].mean().groupby("kind").min()
    far = medians[medians["gap"] > medians["wide"]]
    missed = (far["error"] > far["gap"] / 2).groupby("kind").sum()
    return table.assign(least=least, far=far.groupby("kind").size(), missed=missed).fillna(0)


HEAD = (
    "| world | setting | numbers of | how many | interval holds | the worst of them | of chance "
    "| worst holds | width | 3 × gap + chance | error | gap | gap beyond chance "
    "| error beyond half |\n" + "| --- " * 14 + "|"
)


def lines(world: str, setting: str, table: pd.DataFrame) -> list[str]:
    """Return the rows of the table in Markdown."""
    found = []
    for kind, row in table.iterrows():
        shares = [f"{row[name]:.0%}" for name in ("holds", "least", "by_chance", "worst")]
        sizes = [f"{row[name]:.1f}" for name in ("width", "allowed", "error", "gap")]
        counts = [f"{row[name]:.0f}" for name in ("far", "missed")]
        cells = [world, setting, str(kind), f"{row['numbers']:.0f}", *shares, *sizes, *counts]
        found.append(f"| {' | '.join(cells)} |")
    return found


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
            seeds = range(given.first, given.first + given.stores)
            found = rows([measured(make(seed)) for seed in seeds])
            print("\n".join(lines(world, setting, found)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
