"""What the figures of attribution say, held against the credits of single conversions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.attribution.result import NONE
from tests.attribution.test_attribution import attributed
from tests.figures.figure_numbers import numbers


def drawn(figure):
    return [value for trace in figure.data for value in trace.x]


def assert_says(found):
    """Add the credits up one by one, and compare."""
    figure, digits = found.plot(), 1 if found.value is None else 2
    column = "conversions" if found.value is None else found.value
    sums = {}
    for credit in found.credits.to_dict("records"):
        amount = credit["credit"] if found.value is None else credit["value"]
        key = (credit["model"], credit[found.by])
        sums[key] = sums.get(key, 0.0) + amount
    twin = figure.twin
    assert drawn(figure) == twin[column].tolist()
    for row in twin.to_dict("records"):
        expected = sums.get((row["model"], row[found.by]), 0.0)
        assert row[column] == pytest.approx(expected, abs=0.011)
    model, said = found.models[0], numbers(figure.finding.split(":")[0])
    total = sum(amount for (name, _), amount in sums.items() if name == model)
    own = {
        label: amount for (name, label), amount in sums.items() if name == model and label != NONE
    }
    if not own:
        assert not said[1:]
        return
    assert float(said[0].replace(",", "")) == pytest.approx(total, abs=0.051)
    assert f"{max(own.values()):,.{digits}f}" in said
    if len(own) > 1:
        assert said[-1] == f"{min(own.values()):,.{digits}f}"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("value", [None, "total_price"])
def test_attribution_of_a_store(seed, value):
    s = ck.stitch(ck.simulate_store(people=60, seed=seed).events)
    assert_says(s.attribution("Placed Order", value, ["last_touch", "linear"]))


CHANNELS = st.lists(st.sampled_from(["meta", "google", "mail"]), max_size=3)


@given(st.lists(st.tuples(CHANNELS, st.integers(0, 40).map(float)), min_size=1, max_size=5))
def test_attribution_of_any_journeys(journeys):
    assert_says(attributed(journeys, ["last_touch", "first_touch"]))


@pytest.mark.parametrize("seed", [1, 2])
def test_lift(seed):
    s = ck.stitch(ck.simulate_store(people=60, seed=seed).events)
    found = s.attribution_lift("Placed Order", "total_price")
    figure = found.plot()
    twin, said = figure.twin, numbers(figure.finding)
    assert drawn(figure) == twin["total_price"].tolist()
    sums = twin[twin["counted_by"] == "stitched"]
    total = sums["total_price"].sum()
    orders = s.events[s.events["event_name"] == "Placed Order"]
    prices = orders["properties.total_price"].astype(float)
    assert total == pytest.approx(prices.sum())
    touched = sums.loc[sums["channel"] != NONE, "total_price"].sum()
    known = twin[twin["counted_by"] == "as-of identity"]
    as_of = known.loc[known["channel"] != NONE, "total_price"].sum()
    assert said == [f"{total:,.2f}", f"{touched / total:.1%}", f"{as_of / total:.1%}"]


@pytest.mark.parametrize("seed", [1, 2])
def test_without_campaign(seed):
    s = ck.stitch(ck.simulate_store(people=60, seed=seed).events)
    found = s.without_campaign("Placed Order", "total_price")
    figure = found.plot()
    outcomes = found.events["outcome"].value_counts()
    campaign = int(outcomes.get("a visit with a campaign", 0))
    total, without = len(found.events), len(found.events) - campaign
    others = outcomes.drop(index="a visit with a campaign", errors="ignore")
    said = numbers(figure.finding)
    assert total == (s.events["event_name"] == "Placed Order").sum()
    assert said == [
        f"{without:,}", f"{total:,}", "30", f"{without / total:.1%}", f"{others.max():,}"
    ]  # fmt: skip
    assert drawn(figure) == figure.twin["conversions"].tolist()
    assert sorted(drawn(figure)) == sorted(outcomes.tolist())


@pytest.mark.parametrize("width", [None, 300, 700, 1200])
def test_bars_of_several_colours_are_named_once(width):
    s = ck.stitch(ck.simulate_store().events)
    models = ["first_touch", "last_touch", "markov"]
    figure = s.attribution("Placed Order", "total_price", models).plot(width=width)
    for trace, model in zip(figure.data, models, strict=True):
        assert [model in text for text in trace.text] == [True] + [False] * (len(trace.text) - 1)
    assert not figure.layout.showlegend
    assert len({trace.marker.pattern.shape for trace in figure.data}) == 3
    assert figure.layout.width == width
    low, high = figure.layout.xaxis.range
    assert low <= 0 < max(drawn(figure)) < high


def test_amounts_below_zero_have_room_for_their_texts():
    figure = attributed([(["meta"], -100.0), (["google"], 50.0)], ["linear"]).plot(width=300)
    low, high = figure.layout.xaxis.range
    assert low < -130
    assert high > 60


def test_a_given_height_is_the_height():
    s = ck.stitch(ck.simulate_store().events)
    assert s.without_campaign("Placed Order").plot(height=333).layout.height == 333
