"""Where nobody saw several arms, means, ratios and CUPED are those of tea-tasting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import convergekit as ck

START = pd.Timestamp("2026-03-02", tz="UTC")


@pytest.fixture(scope="module")
def stores():
    """Events of people who ordered before they were exposed, and order after it."""
    found = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        people = 700
        love = rng.gamma(1.0, 0.8, people)
        arm = rng.choice(["control", "new", "other"], people, p=[0.5, 0.3, 0.2])
        parts = [_events(np.arange(people), "PageView", 30.0, variant=arm)]
        for day, more in ((10.0, 0.0), (31.0, 0.15)):
            orders = rng.poisson(love * (1 + more * (arm == "new")))
            who = np.repeat(np.arange(people), orders)
            spent = rng.lognormal(3, 0.8, len(who))
            parts.append(_events(who, "Placed Order", day + rng.random(len(who)), worth=spent))
        parts.append(_events(np.array([-1]), "PageView", 80.0))
        found.append(ck.stitch(pd.concat(parts, ignore_index=True)))
    return found


def _events(person, name, day, variant=None, worth=None):
    return pd.DataFrame(
        {
            "alias.cookie": pd.Series(person).map("c{}".format),
            "event_name": name,
            "timestamp": START + pd.to_timedelta(np.broadcast_to(day, len(person)), unit="D"),
            "properties.variant": pd.Series([None] * len(person) if variant is None else variant),
            "properties.worth": np.full(len(person), np.nan) if worth is None else worth,
        }
    ).astype({"properties.variant": "str"})


@pytest.mark.parametrize("before", [None, "28D"])
@pytest.mark.parametrize("place", [0, 1])
def test_numbers_are_those_of_tea_tasting(stores, before, place):
    tt = pytest.importorskip("tea_tasting")
    # Two arms are compared with control: the intervals are Bonferroni's.
    found = stores[place].experiment(
        "variant", exposure="PageView", value="worth", before=before, within="14D", confidence=0.9
    )
    assert not found.people["both"].any()
    past = {name: None if before is None else f"{name}_before" for name in
            ("conversion", "goals", "value")}  # fmt: skip
    theirs = tt.Experiment(
        {
            "conversion": tt.Mean("conversion", past["conversion"], confidence_level=0.95),
            "goals": tt.Mean("goals", past["goals"], confidence_level=0.95),
            "value": tt.Mean("value", past["value"], confidence_level=0.95),
            "value_per_goal": tt.RatioOfMeans(
                "value", "goals", past["value"], past["goals"], confidence_level=0.95
            ),
        },
        variant="arm",
    )
    ours = found.table.set_index(["metric", "arm"])
    for arm in ("new", "other"):
        pair = found.people[found.people["arm"].isin(["control", arm])]
        expected = theirs.analyze(pair.astype({"arm": "object"}), control="control")
        for metric in ("conversion", "goals", "value", "value_per_goal"):
            one, row = expected[metric], ours.loc[(metric, arm)]
            for name, said in {
                "effect": one.effect_size,
                "low": one.effect_size_ci_lower,
                "high": one.effect_size_ci_upper,
                "relative": one.rel_effect_size,
                "relative_low": one.rel_effect_size_ci_lower,
                "relative_high": one.rel_effect_size_ci_upper,
                "p_value": one.pvalue,
            }.items():
                assert row[name] == pytest.approx(said, rel=1e-9, abs=1e-9), (metric, arm, name)
            # Nobody saw several arms, so that each was seen alone.
            if metric != "value_per_goal":
                assert row["undiluted"] == row["relative"]
    if before is not None:
        assert (ours["saved"].dropna() > 0.05).sum() >= 4


def test_sample_ratio_mismatch_is_that_of_tea_tasting(stores):
    tt = pytest.importorskip("tea_tasting")
    found = stores[0].experiment("variant", exposure="PageView")
    pair = found.people[found.people["arm"] != "other"]
    ratio = {"control": 5, "new": 3}
    two = (
        stores[0]
        .where(events="variant != 'other'")
        .experiment("variant", exposure="PageView", ratio=ratio)
    )
    theirs = tt.Experiment(
        ratio=tt.SampleRatio(ratio=3 / 5, method="norm", correction=False), variant="arm"
    ).analyze(pair.astype({"arm": "object"}), control="control")
    assert two.mismatch == pytest.approx(theirs["ratio"].pvalue, rel=1e-9)
