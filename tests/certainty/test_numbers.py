"""What bounds of credits, returns, customers and retention say of stores whose truth is known."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.certainty.result import PARTS
from tests.certainty.households import Households, households
from tests.certainty.numbers_coverage import measured
from tests.certainty.worlds import STEPS, simulated
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line

CREDIT = {"conversion": "Placed Order", "value": "total_price", "mixed_currencies": True}
ANSWERS = {
    "attribution": lambda s: s.attribution(**CREDIT),
    "retention": lambda s: s.retention(),
    "customers": lambda s: s.customers(),
}


@pytest.fixture(scope="module")
def world():
    return simulated(1000, seed=4, losses=ck.TrackingLoss(lost_tokens=0.4))


@pytest.fixture(scope="module")
def stitched(world):
    return ck.stitch(world.events)


@pytest.fixture(scope="module")
def bounds(stitched):
    return {name: answer(stitched).bounds() for name, answer in ANSWERS.items()}


@pytest.mark.parametrize("of", ["simulator", "households"])
def test_intervals_hold_the_truth_that_chance_does_not(world, of):
    other = world if of == "simulator" else households(Households(people=800), seed=5)
    found = measured(other)
    holds = found["true"].between(found["low"] - 1e-9, found["high"] + 1e-9)
    worst = found["true"].between(found["worst_low"] - 1e-9, found["worst_high"] + 1e-9)
    by_chance = (found["true"] - found["stitched"]).abs() <= found["chance"] / 2
    assert holds.mean() >= 0.85, found[~holds]
    assert worst.all(), found[~worst]
    far = found[~by_chance & found["kind"].isin(["revenue", "retention"])]
    assert len(far) >= 2
    nearer = (far["estimate"] - far["true"]).abs() < (far["stitched"] - far["true"]).abs() / 2
    assert nearer.mean() >= 0.6


def test_the_stitched_numbers_are_those_of_the_answers(stitched, bounds):
    told = stitched.attribution(**CREDIT)
    found = bounds["attribution"].table
    known = found.head(len(told.table))
    assert known["channel"].tolist() == told.table["channel"].tolist()
    np.testing.assert_allclose(known["stitched"], told.table["value"])
    np.testing.assert_allclose(
        bounds["retention"].table["stitched"], stitched.retention().curve()["share"]
    )
    months = stitched.customers().new_and_returning()
    np.testing.assert_array_equal(
        bounds["customers"].table["stitched"], months[["new", "returning"]].to_numpy().reshape(-1)
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_a_table_is_in_order_and_its_widths_add_up(bounds, name):
    table = bounds[name].table
    ends = table[["worst_low", "low", "estimate", "high", "worst_high"]].to_numpy()
    assert (np.diff(ends, axis=1) >= -1e-9).all()
    assert table["stitched"].between(table["worst_low"], table["worst_high"]).all()
    widths = table[list(PARTS)]
    assert (widths >= 0).all(axis=None)
    np.testing.assert_allclose(widths.sum(axis=1), table["high"] - table["low"], atol=1e-6)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_finding_says_the_number_that_identity_moves_most(bounds, name):
    found = bounds[name]
    moved = (found.table["estimate"] - found.table["stitched"]).abs()
    row = found.table.loc[moved.idxmax()]
    label = row[found.of[-1]]
    label = f"{label:.0f}" if isinstance(label, float) else str(label)
    assert label in found.finding.split(":")[0]
    assert "of the people, probably" in found.finding
    assert found.finding in found._repr_html_()
    assert found.to_frame() is not found.table


@pytest.mark.parametrize("name", ["attribution", "retention"])
def test_the_order_of_the_rows_makes_no_difference(world, bounds, name):
    shuffled = world.events.sample(frac=1.0, random_state=2).reset_index(drop=True)
    found = ANSWERS[name](ck.stitch(shuffled)).bounds().table
    pd.testing.assert_frame_equal(found, bounds[name].table)


def test_several_models_each_have_rows(stitched):
    models = ["first_touch", "linear", "markov"]
    found = stitched.attribution("Placed Order", model=models).bounds()
    assert found.table["model"].unique().tolist() == models
    total = stitched.attribution("Placed Order").table["conversions"].sum()
    sums = found.table.groupby("model")["estimate"].sum()
    np.testing.assert_allclose(sums, total, rtol=0.01)


def test_where_every_event_carries_a_login_nothing_is_in_doubt(world):
    known = world.known()
    found = known.attribution(**CREDIT).bounds().table
    np.testing.assert_allclose(found["low"], found["stitched"], rtol=0.02, atol=1.0)
    np.testing.assert_allclose(found["high"], found["stitched"], rtol=0.02, atol=1.0)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_store_too_small_is_as_wide_as_the_worst_and_says_why(name):
    found = ANSWERS[name](ck.stitch(simulated(40, seed=2).events)).bounds()
    table = found.table
    if found.reasons:
        assert "have identified themselves" in found.reasons[0]
        assert table["estimate"].isna().all()
        assert found.reasons[0] in found.finding
    else:
        # Who ordered is known of nearly everybody.
        assert name == "customers"
    assert (table["low"] >= table["worst_low"]).all()


@pytest.mark.parametrize("name", ["attribution", "retention"])
def test_without_logins_nothing_is_estimated(world, name):
    logins = ["alias.email", "alias.phone", "alias.customer_id", "profile_properties.$email"]
    found = ANSWERS[name](ck.stitch(world.events.drop(columns=logins))).bounds()
    assert found.reasons == [
        "no browser has identified itself by a login, such as an e-mail address."
    ]


def test_with_one_alias_type_orders_without_a_visit_may_be_anybodys(world):
    events = world.events.drop(columns=["alias.cart_token", "alias.checkout_token"])
    events.loc[events["source"] != "browser", "alias.cookie"] = None
    found = ck.stitch(events).attribution(**CREDIT).bounds()
    none = found.table.set_index("channel").loc["(none)"]
    true = world.known().attribution(**CREDIT).comparison.set_index("channel")["last_touch"]
    assert found.reasons or any("none reaches a visit" in one for one in found.assumptions)
    assert none["low"] <= true.get("(none)", 0.0) <= none["high"]


@pytest.mark.parametrize("name", ANSWERS)
def test_what_was_saved_or_is_of_a_segment_has_no_bounds(stitched, name):
    saved = pickle.loads(pickle.dumps(ANSWERS[name](stitched)))
    with pytest.raises(ck.ConvergekitError, match="bounds need the stitched events"):
        saved.bounds()
    segment = stitched.where(events={"source": ["browser", "server", "crm"]})
    with pytest.raises(ck.ConvergekitError, match="of a segment"):
        ANSWERS[name](segment).bounds()
    with pytest.raises(ck.ConvergekitError, match="level must be a share"):
        ANSWERS[name](stitched).bounds(level=90)


def test_identity_as_of_has_no_bounds(world):
    s = ck.stitch(world.events.head(500), identity="as_of")
    with pytest.raises(ck.ConvergekitError, match="retroactive"):
        s.attribution("Placed Order").bounds()


@pytest.mark.parametrize("asked", [{"by": "utm_source"}, {"cohort": "every"}])
def test_other_retention_has_no_bounds(stitched, asked):
    with pytest.raises(ck.ConvergekitError, match="bounds are not known with"):
        stitched.retention(**asked).bounds()


def test_returns_follow_from_orders_and_revenue_and_spend_that_nobody_came_from_is_unknown():
    store = ck.simulate_store(people=1000, spend=True)
    euros = ck.Step("Placed Order", where={"currency": "EUR"})
    m = ck.stitch(store.events).marketing(store.spend, conversion=euros, by="campaign")
    found = m.bounds().table.set_index(["campaign", "measure"])
    spend = m.groups.set_index("campaign")["spend"]
    brand = found.loc["brand"]
    ends = ["low", "estimate", "high"]
    # As far as rounding goes: the parts of the width are found for each by itself.
    np.testing.assert_allclose(
        brand.loc["roas", ends].astype(float),
        brand.loc["revenue", ends].astype(float) / spend["brand"],
        rtol=0.02,
    )
    assert brand.loc["cpa", "low"] < spend["brand"] / brand.loc["orders", "stitched"]
    unseen = found.loc["bing-brand"]
    assert np.isnan(unseen.loc["roas", "estimate"])
    assert unseen.loc["orders", "low"] == 0
    assert unseen.loc["orders", "high"] == m.groups["orders"].sum()


def partitions(profiles, logins):
    """Yield every way in which profiles may be people: those with different logins are not one."""
    if not profiles:
        yield []
        return
    first, *others = profiles
    for found in partitions(others, logins):
        yield [[first], *found]
        for at, people in enumerate(found):
            if not (first in logins and any(one in logins for one in people)):
                yield [*found[:at], [first, *people], *found[at + 1 :]]


def small_store(seed):
    """Return the events of a few browsers, some of which have a login, and which have one."""
    rng = np.random.default_rng([75, seed])
    browsers = 4 if seed == 0 else 3
    logins = {f"b{one}" for one in range(browsers) if rng.random() < 0.5} | {"b0"}
    rows = []
    for at in range(int(rng.integers(5, 9))):
        browser = f"b{rng.integers(browsers)}"
        order = rng.random() < 0.35
        seen = {"event_name": "Placed Order" if order else "PageView", "browser": browser}
        tag = str(rng.choice(["google", "newsletter"]))
        seen |= {"second": float(rng.integers(0, 28)) * 86_400 + at, "total_price": 10.0 + at}
        rows.append({**seen, "source": "server" if order else "browser", "utm_source": tag})
    rows.append({**rows[0], "event_name": "Placed Order", "source": "server"})
    rows.append({**rows[0], "event_name": "PageView", "source": "browser"})
    table = pd.DataFrame(rows).sort_values("second", ignore_index=True)
    begin = pd.Timestamp("2026-03-02", tz="UTC")
    table["timestamp"] = begin + pd.to_timedelta(table.pop("second"), unit="s")
    table.loc[table["event_name"] == "Placed Order", "utm_source"] = None
    return table, logins


@pytest.mark.parametrize("seed", range(4))
def test_no_way_to_be_people_is_outside_the_worst_bounds(seed):
    table, logins = small_store(seed)
    browser = table.pop("browser")
    login = browser.where(browser.isin(logins)) + "@x.org"
    events = table.assign(**{"alias.cookie": browser, "alias.email": login})
    asked = {"conversion": "Placed Order", "value": "total_price", "by": "utm_source"}
    answers = {
        "credit": lambda s: s.attribution(**asked, model=["last_touch", "linear"]),
        "retention": lambda s: s.retention(),
        "customers": lambda s: s.customers(),
    }
    keys = {"credit": ["model", "utm_source"], "retention": ["periods"]}
    keys["customers"] = ["period", "kind"]

    def numbers(s, name):
        if name == "credit":
            return answers[name](s).table.set_index(keys[name])["value"]
        if name == "retention":
            return answers[name](s).curve().set_index("periods")["share"]
        months = answers[name](s).new_and_returning()
        return months.melt("period", ["new", "returning"], "kind").set_index(keys[name])["value"]

    stitched = ck.stitch(events)
    found = {name: answer(stitched).bounds() for name, answer in answers.items()}
    for people in partitions(sorted(set(browser)), logins):
        person = {one: f"p{at}" for at, group in enumerate(people) for one in group}
        s = ck.stitch(
            table.assign(**{"alias.user_id": browser.map(person), "alias.cookie": browser})
        )
        for name, bounds in found.items():
            ends = bounds.table.set_index(keys[name])
            true = numbers(s, name).reindex(ends.index)
            true = true if name == "retention" else true.fillna(0.0)
            known = true.notna()
            assert (true >= ends["worst_low"] - 1e-6)[known].all(), (name, people)
            assert (true <= ends["worst_high"] + 1e-6)[known].all(), (name, people)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("width", [300, 1200])
def test_the_figure_draws_each_number_and_its_interval(bounds, name, width):
    found = bounds[name]
    shown = found.table.head(12)
    figure = found.plot(width=width)
    bars, *intervals = figure.data
    np.testing.assert_array_equal(
        np.array(bars.x, dtype=float), shown["stitched"].to_numpy(dtype=float)
    )
    known = shown[shown["estimate"].notna()]
    (identity,) = [one for one in intervals if one.name == "interval of identity"]
    for place, column in enumerate(["estimate", "low", "high"]):
        drawn = np.array(identity.x[place::4], dtype=float)
        np.testing.assert_allclose(drawn, known[column], rtol=1e-5)
    assert figure.finding == found.finding
    low = shown["low"].tolist()
    assert figure.twin["low"].tolist() == pytest.approx(low, rel=1e-5, nan_ok=True)
    names = [one.text for one in figure.layout.annotations if one.text.startswith("<b>")]
    assert len(names) == len(shown)


def test_a_figure_of_a_small_store_draws_the_worst_bounds():
    small = ck.stitch(simulated(40, seed=2).events)
    found = small.attribution("Placed Order").bounds()
    figure = found.plot()
    assert [one.name for one in figure.data] == ["by profiles", "worst bounds"]
    assert list(figure.data[1].x[2::4]) == found.table["worst_high"].tolist()
    assert found.reasons[0] in one_line(figure.layout.title.subtitle.text)


def test_names_in_a_figure_are_shown_as_they_are(world):
    events = world.events.copy()
    name = "profile_properties.utm_source"
    events[name] = events[name].replace("meta", HOSTILE)
    s = ck.stitch(events)
    assert_shown_as_it_is(s.attribution("Placed Order", by="utm_source").bounds().plot())
    funnel = s.funnel(list(STEPS), within="14D", by="utm_source")
    assert_shown_as_it_is(funnel.bounds().plot())
    assert_shown_as_it_is(funnel.plot())
