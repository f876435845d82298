"""Attribution models against examples worked by hand and against slow, obvious ones."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.attribution.reference_attribution import removal_effects, shapley_values
from tests.effort import tries

START = pd.Timestamp("2026-03-01", tz="UTC")


def events_of(journeys):
    """Return events of journeys, (labels, amount or None), each a visitor with a visit a day."""
    rows = []
    for who, (path, amount) in enumerate(journeys):
        for day, label in enumerate(path):
            at = START + pd.Timedelta(day, "D")
            rows.append(("PageView", at, f"v{who}", label, "https://shop.example/", None))
        if amount is not None:
            at = START + pd.Timedelta(len(path) - 1, "D") + pd.Timedelta("1min")
            rows.append(("Order", at, f"v{who}", None, None, amount))
    columns = ["event_name", "timestamp", "alias.cookie", "profile_properties.utm_source"]
    return pd.DataFrame(rows, columns=[*columns, "properties.$url", "properties.total"])


def attributed(journeys, model, **options):
    options = {"by": "utm_source", **options}
    return ck.stitch(events_of(journeys)).attribution("Order", "total", model, **options)


def effects(journeys, model):
    table = attributed(journeys, model).effects
    return dict(zip(table["label"], table["effect"], strict=True))


def values(found):
    return dict(zip(found.table[found.by], found.table["value"], strict=True))


# https://serhiipuzyrov.com/2019/07/markov-chain-attribution-simple-explanation-of-removal-effect:
# with both the chance to convert is 0.8; without Google Ads 0.2, without the mailing 0.4.
PUZYROV = [
    (["google ads"], 1.0),
    (["google ads"], 1.0),
    (["mailing"], 1.0),
    (["google ads", "mailing"], 1.0),
    (["google ads"], None),
]


def test_removal_effects_of_a_published_example():
    found = attributed(PUZYROV, "markov")
    table = found.effects.set_index("label")
    assert table["effect"].to_dict() == pytest.approx({"google ads": 0.75, "mailing": 0.5})
    assert table["share"].to_dict() == pytest.approx({"google ads": 0.6, "mailing": 0.4})
    # Each conversion is shared among its own touches: only the last two have a choice.
    assert values(found) == {"google ads": 2.6, "mailing": 1.4}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", [100.0, 0.0, 0.0, 0.0]),
        ("last_touch", [0.0, 0.0, 0.0, 100.0]),
        ("linear", [25.0, 25.0, 25.0, 25.0]),
        # The U-shaped model, https://adriennevermorel.com/articles/sql-attribution-position-based-time-decay
        ("position_based", [40.0, 10.0, 10.0, 40.0]),
    ],
)
def test_rules_worked_by_hand(model, expected):
    found = attributed([("abcd", 100.0)], model)
    assert found.credits["value"].tolist() == expected
    assert found.credits["credit"].tolist() == pytest.approx([value / 100 for value in expected])


def test_a_touch_one_half_life_older_gets_half():
    # https://webmasterid.com/attribution-models/decay-half-life
    found = attributed([("a" * 8, 300.0)], "time_decay", half_life="7D")
    credit = found.credits["credit"]
    assert credit.iloc[0] == pytest.approx(credit.iloc[-1] / 2)
    swift = attributed([("ab", 300.0)], "time_decay", half_life="1min")
    assert swift.credits["value"].tolist() == [0.0, 300.0]


def test_two_touches_share_what_first_and_last_have():
    found = attributed([("ab", 90.0)], "position_based", weights=(0.2, 0.5, 0.1))
    assert found.credits["value"].tolist() == [60.0, 30.0]


def test_shapley_values_worked_by_hand():
    # Worth of {a} 1/2, of {b} 0 of 1, of both 2/4: a adds 1/2 first and 1/2 second.
    assert effects([("a", 1.0), ("a", None), ("b", None), ("ab", 1.0)], "shapley") == {
        "a": 0.5, "b": 0.0,
    }  # fmt: skip


def test_labels_that_do_the_same_are_worth_the_same():
    journeys = [("a", 1.0), ("b", 1.0), ("a", None), ("b", None), ("ab", 1.0), ("ba", 1.0)]
    for model in ("markov", "shapley"):
        found = effects(journeys, model)
        assert found["a"] == pytest.approx(found["b"])


def test_a_label_that_lowers_the_rate_gets_nothing_where_another_is():
    journeys = [("a", 1.0), ("a", 1.0), ("ab", 10.0), ("b", None), ("ab", None), ("b", None)]
    found = attributed(journeys, "shapley")
    assert found.effects.set_index("label")["effect"]["b"] < 0
    assert values(found) == {"a": 12.0, "b": 0.0}


def test_a_conversion_whose_only_label_is_worth_nothing_is_still_credited_to_it():
    journeys = [("a", 1.0), ("a", 1.0), ("b", 5.0), *[("b", None)] * 20]
    found = attributed(journeys, "shapley")
    assert found.effects.set_index("label")["effect"]["b"] < 0
    assert values(found)["b"] == 5.0


def test_repeated_touches_of_a_label_share_what_it_gets():
    once, often = (attributed([(path, 60.0), ("ab", None)], "markov") for path in ("ab", "aaab"))
    assert values(once) == values(often)
    assert often.credits["value"].tolist() == [10.0, 10.0, 10.0, 30.0]


JOURNEYS = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=5),
        st.sampled_from([None, None, 1.0, 7.5]),
    ),
    min_size=1,
    max_size=12,
).filter(lambda journeys: any(amount is not None for _, amount in journeys))


@tries(40)
@given(JOURNEYS)
def test_effects_are_those_of_one_walk_and_one_order_at_a_time(journeys):
    plain = [(path, amount is not None) for path, amount in journeys]
    # Equal neighbours are one session: no new campaign is sent.
    found = attributed(journeys, ["markov", "shapley"])
    # Removal effects are rounded to six digits, which are the same on every processor.
    for model, slow, off in (("markov", removal_effects, 1e-6), ("shapley", shapley_values, 1e-9)):
        table = found.effects[found.effects["model"] == model]
        assert dict(zip(table["label"], table["effect"], strict=True)) == pytest.approx(
            slow(plain), abs=off
        )
    rate = sum(converted for _, converted in plain) / len(plain)
    shapley = found.effects.loc[found.effects["model"] == "shapley"]
    assert shapley["effect"].sum() == pytest.approx(rate)
    assert shapley["standard_error"].isna().all()


def test_with_many_labels_shapley_values_are_sampled_and_say_how_well():
    labels = [f"c{n:02}" for n in range(12)]
    # Independent of each other: each label alone, in every second journey converting.
    journeys = [([label], 1.0 if half else None) for label in labels for half in (0, 1)]
    journeys += [(labels[:3], 1.0)] * 3 + [(labels[3:6], None)] * 3
    found = attributed(journeys, "shapley").effects
    assert len(found) == 12
    assert (found["standard_error"] > 0).all()
    rate = sum(amount is not None for _, amount in journeys) / len(journeys)
    assert found["effect"].sum() == pytest.approx(rate)
    # Labels that do the same differ by no more than their errors allow.
    table = found.set_index("label")
    for alike in (labels[:3], labels[3:6], labels[6:]):
        spread = table.loc[alike, "effect"].max() - table.loc[alike, "effect"].min()
        assert spread < 6 * math.sqrt(2) * table.loc[alike, "standard_error"].max()
    assert table.loc[labels[:3], "effect"].mean() > table.loc[labels[6:], "effect"].mean()
    again = attributed(journeys, "shapley").effects
    pd.testing.assert_frame_equal(found, again)


def test_sampled_values_lie_within_their_errors_of_the_exact(monkeypatch):
    journeys = [
        ("a", 1.0),
        ("ab", 1.0),
        ("bc", None),
        ("c", 1.0),
        ("abc", 1.0),
        ("c", None),
        ("b", None),
    ]
    exact = attributed(journeys, "shapley").effects.set_index("label")
    monkeypatch.setattr("convergekit.attribution.data_driven.MOST_EXACT", 2)
    sampled = attributed(journeys, "shapley").effects.set_index("label")
    error = (sampled["effect"] - exact["effect"]).abs() / sampled["standard_error"]
    assert (error < 4).all()
    assert sampled["standard_error"].notna().all()
