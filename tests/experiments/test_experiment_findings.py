"""The figure, the card and the sentences of an experiment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from tests.experiments.worlds import events, sessions


@pytest.fixture(scope="module")
def mixed():
    world = sessions(np.random.default_rng(3), 1500, 0.5)
    return ck.stitch(events(world)).experiment("variant", within="60D")


def test_the_figure_draws_the_effects_of_the_table_and_those_seen_alone(mixed):
    figure = mixed.plot()
    rows = mixed.table[mixed.table["arm"] == "new"]
    measured, alone = figure.data
    assert (measured.name, alone.name) == ("measured", "seen alone")
    assert list(measured.x) == rows["relative"].tolist()
    assert list(alone.x) == rows["undiluted"].tolist()
    ends = np.array(measured.x) + np.array(measured.error_x.array)
    assert ends == pytest.approx(rows["relative_high"])
    assert figure.finding == mixed.finding
    pd.testing.assert_frame_equal(
        figure.twin, rows[list(figure.twin.columns)].reset_index(drop=True)
    )


def test_the_finding_says_who_saw_several_arms_and_what_they_hide(mixed):
    first, second, *_ = mixed.finding.split(". ")
    both = mixed.arms["both"].sum()
    assert first == (
        f"{both:,} of 1,500 profiles ({both / 1500:.1%}) saw several arms; each is in the one that "
        "it saw first"
    )
    assert second.startswith("Of new, ")
    assert "Seen alone, it would bring +" in mixed.finding
    assert mixed.warnings == [f"{first}."]


def test_where_nobody_saw_several_there_is_one_row_of_points():
    world = sessions(np.random.default_rng(3), 600, 0.5)
    found = events(world).drop_duplicates(["alias.email", "event_name"])
    one = ck.stitch(found).experiment("variant", within="60D")
    assert not one.arms["both"].any()
    assert [trace.name for trace in one.plot().data] == ["measured"]
    assert one.warnings == []


def test_effects_of_which_nothing_is_known_are_not_drawn():
    world = sessions(np.random.default_rng(3), 30, 0.5)
    one = ck.stitch(events(world)).experiment("variant", within="60D")
    (trace,) = one.plot().data[:1]
    assert len(trace.x) == 0
    assert "Not shown: effects of which nothing is known." in one.plot().layout.title.subtitle.text


def test_the_card_has_the_table_and_the_assumptions(mixed):
    card = mixed._repr_html_()
    assert 'class="ck-card"' in card
    for said in mixed.assumptions:
        assert said.split("'")[0][:60] in card
    assert repr(mixed).startswith("Experiment(Placed Order within 60 days, 1,500 profiles; new +")
    assert repr(mixed) in str(mixed)


def test_power_says_how_long_and_that_too_few_tell_nothing():
    s = ck.stitch(ck.simulate_store(people=400).events)
    plan = s.experiment_power("Placed Order", effect=[0.1, 0.2], before="3D")
    first, second = (plan.table.iloc[place] for place in (0, 1))
    assert first["profiles"] == pytest.approx(4 * second["profiles"], rel=0.01)
    assert first["days"] > second["days"]
    assert f"{first['profiles']:,} profiles" in plan.finding
    more = s.experiment_power("Placed Order", effect=0.1, arms=3, traffic=0.5, before="3D").table
    assert more["profiles"].iloc[0] > 1.5 * first["profiles"]
    few = ck.stitch(ck.simulate_store(people=20).events).experiment_power("Placed Order")
    assert few.table["profiles"].isna().all()
    assert few.finding.startswith("Too few profiles have Placed Order")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"effect": 0}, "effect must be the relative change"),
        ({"effect": "5%"}, "effect must be the relative change"),
        ({"effect": []}, "effect must be the relative change"),
        ({"arms": 1}, "arms must be a whole number from 2"),
        ({"traffic": 20}, "traffic must be a share above 0 and at most 1"),
        ({"power": 1.0}, "power must be a share between 0 and 1"),
        ({"confidence": 0}, "confidence must be a share"),
        ({"exposure": "Viewed"}, "no event is named 'Viewed'"),
        ({"before": "400D"}, "nobody would have been exposed.*a shorter time as before="),
    ],
)
def test_bad_input_of_power_is_a_clear_error(options, said):
    s = ck.stitch(ck.simulate_store(people=20).events)
    with pytest.raises(ck.ConvergekitError, match=said):
        s.experiment_power("Placed Order", **options)
