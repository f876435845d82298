"""Who is in which arm, and what counts: fixed by the first exposure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.experiments import reference_experiment
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.parts.test_part_answers import same
from tests.strategies import event_frames

DAY = pd.Timestamp("2026-03-02", tz="UTC")


def frame(rows):
    """Events of (cookie, email, hours, name, variant, amount)."""
    columns = ["alias.cookie", "alias.email", "hours", "event_name", "properties.variant",
               "properties.total_price"]  # fmt: skip
    events = pd.DataFrame(rows, columns=columns)
    events["timestamp"] = DAY + pd.to_timedelta(events.pop("hours"), unit="h")
    texts = [name for name in columns if name in events and name != "properties.total_price"]
    return events.astype(dict.fromkeys(texts, "str"))


def shop(people=200, *, seed=0, rate=(0.3, 0.5), arms=("control", "new")):
    """Events of people with a cookie each, who are exposed and may order an hour later."""
    rng = np.random.default_rng(seed)
    rows = [("end", None, 24 * 40, "PageView", None, None)]
    for person in range(people):
        arm, hours = person % len(arms), float(rng.integers(0, 24 * 20))
        rows.append((f"c{person}", None, hours, "PageView", arms[arm], None))
        if rng.random() < rate[arm]:
            rows.append((f"c{person}", None, hours + 1, "Placed Order", None, 10.0 + person % 7))
    return frame(rows)


def experiment(rows, **options):
    options = {"within": "7D", "variant": "variant", **options}
    filler = [(f"f{arm}{n}", None, 0, "PageView", arm, None) for arm in "ab" for n in range(2)]
    end = [("end", None, 24 * 30, "PageView", None, None)]
    return ck.stitch(frame([*filler, *rows, *end])).experiment(control="a", **options)


def one(found, goals=1):
    """Return the person who is not a filler."""
    return found.people[found.people["goals"] >= goals].iloc[0]


def test_the_first_exposure_chooses_the_arm_whatever_comes_later():
    found = experiment(
        [
            ("c", None, 48, "PageView", "b", None),
            ("c", None, 49, "PageView", "a", None),
            ("c", None, 50, "Placed Order", None, None),
        ]
    )
    person = one(found)
    assert (person["arm"], person["both"], person["goals"]) == ("b", True, 1)
    assert found.arms["both"].tolist() == [0, 1]
    assert "1 of 5 profiles (20.0%) saw several arms" in found.finding


def test_a_link_that_an_order_brings_joins_the_people_of_two_devices():
    rows = [
        ("phone", None, 24, "PageView", "b", None),
        ("laptop", None, 48, "PageView", "a", None),
        ("laptop", "a@x.org", 49, "Placed Order", None, None),
    ]
    assert len(experiment(rows).people) == 6
    linked = [*rows, ("phone", "a@x.org", 300, "PageView", None, None)]
    found = experiment(linked)
    assert len(found.people) == 5
    assert (one(found)["arm"], one(found)["both"]) == ("b", True)


def test_a_goal_counts_from_the_exposure_to_the_end_of_the_window_and_no_longer():
    window = 24 * 7
    hours = [100 - 1, 100, 100 + window, 100 + window + 0.001]
    found = experiment(
        [("c", None, 100, "PageView", "b", None)]
        + [("c", None, hour, "Placed Order", None, None) for hour in hours]
    )
    assert one(found)["goals"] == 2


def test_an_order_that_is_the_exposure_itself_is_not_its_outcome():
    found = experiment([("c", None, 100, "Placed Order", "b", None)])
    assert found.people["goals"].sum() == 0
    assert found.left_out["goals that are the first exposure"] == 1


def test_open_windows_leave_both_arms_by_the_time_of_exposure_alone():
    late = 24 * 30 - 24 * 7
    rows = [
        ("c", None, late + 1, "PageView", "b", None),
        ("c", None, late + 2, "Placed Order", None, None),
        ("d", None, late, "PageView", "b", None),
        ("d", None, late + 1, "Placed Order", None, None),
    ]
    found = experiment(rows)
    assert found.arms.set_index("arm")["open"].to_dict() == {"a": 0, "b": 1}
    table = found.table[found.table["metric"] == "goals"].set_index("arm")
    # The goal of the one, early as it is, counts no more than that of anybody else who is late.
    assert table.loc["b", "profiles"] == 3
    assert table.loc["b", "mean"] == pytest.approx(1 / 3)
    assert "1 profile exposed less than 7 days before the data end is left out" in str(found)


def test_the_past_is_what_was_known_at_the_exposure():
    order = ("old", "a@x.org", 1, "Placed Order", None, None)
    seen = ("phone", None, 100, "PageView", "b", None)
    # The phone is of the same person; one learns it before the exposure, or by an order after it.
    told = lambda hours: ("phone", "a@x.org", hours, "Signed In", None, None)  # noqa: E731
    known, late = (
        experiment([order, seen, told(hours)], before="28D").people["goals_before"].sum()
        for hours in (50, 101)
    )
    assert (known, late) == (1, 0)


def test_buyers_have_no_longer_past_than_others():
    """An order tells the past of buyers alone: with it, the past would explain the effect away."""
    rng = np.random.default_rng(5)
    rows = [("end", None, 24 * 60, "PageView", None, None)]
    for person in range(1500):
        mail, arm, hours = f"p{person}@x.org", person % 2, 24 * 30 + float(rng.random() * 24 * 10)
        rows.append((f"old{person}", mail, hours - 24 * 10, "Placed Order", None, None))
        rows.append((f"new{person}", None, hours, "PageView", "ab"[arm], None))
        if rng.random() < (0.2, 0.4)[arm]:
            rows.append((f"new{person}", mail, hours + 1, "Placed Order", None, None))
    found = ck.stitch(frame(rows)).experiment("variant", control="a", before="28D")
    effect = found.table.query("metric == 'conversion' and arm == 'b'").iloc[0]
    assert found.people["goals_before"].sum() == 0
    assert effect["effect"] == pytest.approx(0.2, abs=0.05)
    later = "goals before the exposure that were linked to it later"
    assert found.left_out[later] == found.people["conversion"].sum()


def test_a_carried_variant_is_no_exposure():
    events = frame(
        [
            ("c", None, 1, "PageView", None, None),
            ("c", None, 90, "PageView", None, None),
            ("d", None, 2, "PageView", None, None),
            ("d", None, 24 * 30, "PageView", None, None),
        ]
    ).drop(columns="properties.variant")
    events["profile_properties.variant"] = pd.Series(["a", None, "b", None], dtype="str")
    found = ck.stitch(events).experiment("variant", "PageView", control="a")
    assert found.people.sort_values("arm")["exposed"].dt.hour.tolist() == [1, 2]
    assert found.people["both"].tolist() == [False, False]


@pytest.mark.parametrize(
    ("values", "names"),
    [([True, False], {"True", "False"}), ([1.0, 0.0], {"1", "0"}), ([" a ", "a"], {"a"})],
)
def test_arms_are_texts_of_the_values(values, names):
    events = frame(
        [(f"c{n}", None, n, "PageView", None, None) for n in range(4)]
        + [("c0", None, 900, "Placed Order", None, None)]
    )
    events["properties.variant"] = pd.Series([*values, *values, None], dtype=object)
    control = min(names)
    if len(names) == 1:
        with pytest.raises(ck.ConvergekitError, match="all 4 profiles were exposed to 'a'"):
            ck.stitch(events).experiment("variant", control=control)
        return
    found = ck.stitch(events).experiment("variant", control=control)
    assert set(found.people["arm"]) == names


def test_too_small_a_ratio_of_sizes_is_found():
    events = shop(300)
    first = events[events["properties.variant"].notna()].drop_duplicates("alias.cookie")
    gone = first.loc[first["properties.variant"] == "new", "alias.cookie"].head(70)
    found = ck.stitch(events[~events["alias.cookie"].isin(gone)]).experiment("variant")
    assert found.arms["profiles"].tolist() == [150, 80]
    assert found.mismatch < 1e-5
    assert found.finding.startswith("Do not trust the effects")
    assert "sample ratio mismatch" in repr(found)
    fair = ck.stitch(events[~events["alias.cookie"].isin(gone)]).experiment(
        "variant", ratio={"control": 150, "new": 80}
    )
    assert fair.mismatch == 1.0
    assert fair.warnings == []


def test_nobody_in_an_arm_that_was_expected_is_said_and_nothing_is_known_of_it():
    ratio = {"control": 1, "new": 1, "third": 1}
    found = ck.stitch(shop(200)).experiment("variant", ratio=ratio)
    row = found.table.query("metric == 'conversion' and arm == 'third'").iloc[0]
    assert (row["profiles"], row["low"], row["high"]) == (0, -np.inf, np.inf)
    assert np.isnan(row["effect"])
    assert np.isnan(row["p_value"])
    assert "Nobody's window is over in third" in found.finding
    other = found.table.query("metric == 'conversion' and arm == 'new'").iloc[0]
    assert np.isfinite(other[["effect", "low", "high", "undiluted"]].to_numpy(float)).all()


def test_few_people_have_a_wide_answer_with_its_reason():
    found = ck.stitch(shop(12)).experiment("variant")
    shares, goals = (found.table.query("arm == 'new'").iloc[place] for place in (0, 1))
    assert shares["high"] - shares["low"] > 0.6
    assert (goals["low"], goals["high"]) == (-np.inf, np.inf)
    assert found.reasons[0].endswith("fewer than 10: shares are compared exactly.")
    assert found.reasons[1].endswith("fewer than 30: other means are not compared.")
    order = frame([("other", None, 5, "Placed Order", None, None)])
    quiet = pd.concat([shop(30, rate=(0, 0)), order], ignore_index=True)
    nobody = ck.stitch(quiet).experiment("variant").table.iloc[1]
    # Without an order in either arm the usual interval would be of no width.
    assert nobody["low"] < -0.1
    assert nobody["high"] > 0.1


def test_who_looks_before_the_end_is_told_nothing_of_few_people():
    found = ck.stitch(shop(12)).experiment("variant", sequential=1000)
    assert found.table.iloc[1][["low", "high"]].tolist() == [-np.inf, np.inf]
    assert np.isnan(found.table.iloc[1]["p_value"])
    assert found.reasons[0].endswith("fewer than 10: nothing is said yet.")
    later = ck.stitch(shop(200)).experiment("variant", sequential=1000)
    once = ck.stitch(shop(200)).experiment("variant")
    assert later.table.iloc[1]["low"] < once.table.iloc[1]["low"]
    assert later.table.iloc[1]["effect"] == once.table.iloc[1]["effect"]


def test_amounts_of_several_currencies_are_not_added_up():
    events = shop(200)
    orders = events["event_name"] == "Placed Order"
    codes = np.where(events.index % 2 == 0, "EUR", "USD")
    events["properties.currency"] = pd.Series(codes).where(orders).astype("str")
    s = ck.stitch(events)
    with pytest.raises(ck.ConvergekitError, match="amounts of several currencies"):
        s.experiment("variant", value="total_price")
    rates = {"EUR": 1, "USD": 0.5}
    found = s.experiment("variant", value="total_price", currency="currency", rates=rates)
    worth = np.where(codes == "USD", 0.5, 1.0) * events["properties.total_price"]
    assert found.people["value"].sum() == pytest.approx(worth[orders].sum())


def test_a_segment_knows_links_that_its_events_do_not_show():
    rows = [
        ("old", "a@x.org", 1, "Placed Order", None, None),
        ("phone", "a@x.org", 50, "Signed In", None, None),
        ("phone", None, 100, "PageView", "b", None),
        ("other", None, 100, "PageView", "a", None),
        ("end", None, 24 * 30, "PageView", None, None),
    ]
    part = ck.stitch(frame(rows)).where(events="event_name != 'Signed In'")
    found = part.experiment("variant", control="a", before="28D")
    assert found.people.set_index("arm")["goals_before"].to_dict() == {"a": 0, "b": 1}


@pytest.mark.parametrize(("small", "skewed"), [(100, True), (500, False)])
def test_long_tails_in_arms_of_unequal_size_are_marked(small, skewed):
    rng = np.random.default_rng(8)
    people = 1000
    arm = ["new" if person < small else "control" for person in range(people)]
    rows = [(f"c{n}", None, 1, "PageView", arm[n], None) for n in range(people)]
    spent = rng.permutation(rng.lognormal(2, 1.5, people // 2))
    rows += [(f"c{2 * n}", None, 2, "Placed Order", None, one) for n, one in enumerate(spent)]
    rows.append(("end", None, 24 * 30, "PageView", None, None))
    ratio = {"control": people - small, "new": small}
    found = ck.stitch(frame(rows)).experiment("variant", value="total_price", ratio=ratio)
    assert found.table.set_index(["metric", "arm"])["skewed"].to_dict() == {
        **{(metric, "control"): False for metric in found.table["metric"]},
        **{(metric, "new"): False for metric in ("conversion", "goals")},
        **{(metric, "new"): skewed for metric in ("value", "value_per_goal")},
    }
    assert ("the interval is too narrow where few bring most" in found.finding) is skewed
    assert len(found.reasons) == 2 * skewed


def test_several_arms_are_corrected_for():
    events = shop(900, rate=(0.3, 0.36, 0.3), arms=("control", "one", "two"))
    three = ck.stitch(events).experiment("variant")
    pair = ck.stitch(events[events["properties.variant"] != "two"]).experiment("variant")
    both = [one.table.query("metric == 'conversion' and arm == 'one'").iloc[0] for one in
            (three, pair)]  # fmt: skip
    assert both[0]["effect"] == both[1]["effect"]
    assert both[0]["p_value"] == both[1]["p_value"]
    assert both[0]["p_adjusted"] == pytest.approx(2 * both[1]["p_value"])
    assert both[0]["low"] < both[1]["low"]
    assert any("Bonferroni" in one for one in three.assumptions)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"control": "contrl"}, "nobody was exposed to the control arm 'contrl'.*Found: control"),
        ({"variant": "varaint"}, "no column matches variant='varaint'.*mean 'variant'"),
        ({"variant": ""}, "variant must be a name"),
        ({"within": "never"}, "within must be a positive duration"),
        ({"before": 3}, "before must be a positive duration"),
        ({"goal": "Placed Ordr"}, "no event is named 'Placed Ordr'"),
        ({"exposure": "Viewed"}, "no event is named 'Viewed'"),
        ({"confidence": 95}, "confidence must be a share"),
        ({"sequential": True}, "sequential must be a whole number of profiles"),
        ({"sequential": 3}, "sequential must be a whole number of profiles from 100"),
        ({"ratio": {"control": 1}}, "ratio must be how many profiles"),
        ({"ratio": {"control": 1, "new": 0}}, "ratio must be how many profiles"),
        ({"ratio": {"control": 1, "old": 1}}, "ratio does not say how many are expected in 'new'"),
        ({"currency": "currency"}, "currency"),
        ({"value": "variant"}, "value must name a column of numbers"),
        ({"variant": "alias.cookie"}, "has 60 values, the first.*at most 20 arms"),
    ],
)
def test_bad_input_is_a_clear_error(options, said):
    events = shop(59)
    asked = {"variant": "variant", "goal": "Placed Order", **options}
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.stitch(events).experiment(**asked)


def test_nobody_exposed_is_an_error():
    events = shop(10).assign(**{"properties.variant": pd.Series([None] * 14, dtype="str")})
    s = ck.stitch(events.head(14))
    with pytest.raises(ck.ConvergekitError, match="nobody was exposed"):
        s.experiment("variant")


def test_the_answer_does_not_depend_on_the_order_of_rows():
    events = shop(300).drop(columns="properties.total_price")
    events["properties.total_price"] = np.random.default_rng(1).random(len(events)) * 100
    events["event_id"] = [f"e{n}" for n in range(len(events))]
    mixed = events.sample(frac=1, random_state=2, ignore_index=True)
    one, other = (
        ck.stitch(part).experiment("variant", value="total_price", before="5D")
        for part in (events, mixed)
    )
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(one.people, other.people, check_exact=True)


arms = st.sampled_from(["a", "b", "c", "", None])


@st.composite
def frames(draw):
    found = draw(event_frames(max_rows=14))
    size = len(found)
    found["properties.variant"] = pd.Series(
        draw(st.lists(arms, min_size=size, max_size=size)), dtype="str"
    )
    found["properties.total_price"] = draw(
        st.lists(st.sampled_from([1.1, 2.2, 0.7]), min_size=size, max_size=size)
    )
    return found


@given(frames())
@tries(100)
def test_people_are_those_of_the_slow_definition(events):
    s = ck.stitch(events.assign(**{"event_id": [f"e{n}" for n in range(len(events))]}))
    if not len(s.events):
        return
    expected = reference_experiment.people(
        s, "properties.variant", "Placed Order", "3min", "5min", "properties.total_price"
    )
    seen = {person["arm"] for person in expected.values()}
    names = set(s.events["event_name"])
    try:
        found = s.experiment(
            "variant", control="a", within="3min", before="5min", value="total_price"
        )
    except ck.ConvergekitError:
        assert "a" not in seen or len(seen) < 2 or "Placed Order" not in names
        return
    assert set(found.people["profile_id"]) == set(expected)
    for person in found.people.to_dict("records"):
        known = expected[person["profile_id"]]
        for name in ("arm", "exposed", "complete", "both", "conversion", "goals", "goals_before"):
            assert person[name] == known[name], name
        assert person["value"] == pytest.approx(known["value"])


@given(frames(), st.sampled_from([1, 2, 7]), st.booleans(), st.booleans())
@tries(40)
def test_parts_answer_as_memory(events, number, value, before):
    cut = len(events) // 2
    given_frames = [events[:cut].reset_index(drop=True), events[cut:].reset_index(drop=True)]
    given_frames = [one for one in given_frames if len(one)]
    if not given_frames:
        return
    options = {"control": "a", "within": "3min"}
    options |= {"value": "total_price"} if value else {}
    options |= {"before": "5min"} if before else {}
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        for ask in (
            lambda x: x.experiment("variant", **options),
            lambda x: x.experiment_power("Placed Order", exposure="PageView", within="3min"),
        ):
            pair = same(lambda ask=ask: ask(p), lambda ask=ask: ask(s))
            if pair is None:
                continue
            found, expected = pair
            same_frames(found.table, expected.table)
            assert str(found) == str(expected)
            if hasattr(expected, "people"):
                same_frames(found.people, expected.people)
