"""Bounds of a funnel by labels and of segments: what is true of people is inside of them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.certainty.result import PARTS
from tests.certainty.agents import Agents, agents
from tests.certainty.groups_coverage import measured
from tests.certainty.households import Households, households
from tests.certainty.reference_worst import depth, partitions
from tests.certainty.worlds import STEPS, simulated
from tests.effort import tries
from tests.figures.figure_texts import one_line

LABELS = ("ads", "mail")


@pytest.fixture(scope="module")
def store():
    return simulated(1200, seed=3)


@pytest.fixture(scope="module")
def s(store):
    return ck.stitch(store.events)


@pytest.fixture(scope="module")
def by_source(s):
    return s.funnel(list(STEPS), within="14D", by="utm_source").bounds()


@pytest.mark.parametrize(
    "world",
    [
        partial(simulated, 1000, losses=ck.TrackingLoss(lost_tokens=0.4)),
        partial(agents, Agents(people=900)),
        partial(households, Households(people=700)),
    ],
    ids=["simulator", "agents", "households"],
)
def test_the_intervals_of_labels_and_of_segments_hold_the_truth(world):
    found = measured(world(seed=21))
    assert set(found["kind"]) == {"label", "first seen in two weeks", "events of the browser"}
    inside = found["true"].between(found["low"], found["high"])
    assert inside.mean() >= 0.9
    assert found["true"].between(found["worst_low"], found["worst_high"]).all()
    far = (found["stitched"] - found["true"]).abs()
    assert (found["estimate"] - found["true"]).abs().median() < far.median() / 2


def test_labels_of_eighteen_digits_are_told_apart():
    """A float does not have them: campaigns of Meta would be one."""
    events = pd.DataFrame(
        {
            "timestamp": pd.date_range("2026-01-01", periods=120, freq="3h", tz="UTC"),
            "event_name": ["View", "Buy", "View"] * 40,
            "alias.cookie": [f"c{at // 3 * 2 + (at % 3 == 2)}" for at in range(120)],
            "properties.campaign": [120210000000000000 + (at % 3 == 2) for at in range(120)],
        }
    )
    f = ck.stitch(events).funnel(["View", "Buy"], by="campaign", within="7D")
    table = f.bounds().table
    assert table["stitched"].tolist() == f.table["conversion"].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_each_label_has_the_rows_of_the_funnels_table(s, by_source):
    table = s.funnel(list(STEPS), within="14D", by="utm_source").table
    found = by_source.table
    assert by_source.by == ["utm_source"]
    assert found["utm_source"].fillna("").tolist() == table["utm_source"].fillna("").tolist()
    assert found["step"].tolist() == table["step"].tolist()
    np.testing.assert_allclose(found["stitched"], table["conversion"])
    assert by_source.entered == table.loc[table["step"] == 1, "profiles"].sum()
    np.testing.assert_allclose(found[list(PARTS)].sum(axis=1), found["high"] - found["low"])
    whole = s.funnel(list(STEPS), within="14D").bounds().table.iloc[-1]
    last = by_source.of_last_step
    assert last["estimate"].min() < whole["estimate"] < last["estimate"].max()


def test_figures_and_cards_show_the_intervals_of_labels_once_they_were_asked(s):
    funnel = s.funnel(list(STEPS), within="14D", by="utm_source")
    bounds = funnel.bounds()
    last = bounds.of_last_step
    figure = bounds.plot(width=300)
    bars, chance, identity, worst = figure.data
    assert list(bars.x) == last["stitched"].tolist()
    for trace, low in ((chance, "chance_low"), (identity, "low"), (worst, "worst_low")):
        assert list(trace.x[1::4]) == pytest.approx(last[low].tolist(), abs=1e-6)
    assert figure.finding == bounds.finding
    shown = funnel.plot()
    assert bounds.finding in one_line(shown.layout.title.subtitle.text)
    merged = shown.twin[shown.twin["step"] == 2].set_index("utm_source")["identity_low"]
    expected = last.set_index("utm_source")["low"]
    assert merged["google"] == pytest.approx(expected["google"], abs=1e-6)
    assert len(shown.twin) == len(funnel.table)
    assert "interval of identity" in funnel.to_markdown()


def test_the_labels_kept_by_top_are_those_of_the_funnel(s):
    funnel = s.funnel(list(STEPS), within="14D", by="utm_source", top=2)
    found = funnel.bounds().table
    assert set(found["utm_source"].dropna()) == set(funnel.table["utm_source"].dropna())
    np.testing.assert_allclose(found["stitched"], funnel.table["conversion"])


def test_labels_of_two_columns_and_of_numbers(store):
    events = store.events.assign(**{"properties.size": np.arange(len(store.events)) % 2})
    funnel = ck.stitch(events).funnel(list(STEPS), within="14D", by=["utm_source", "size"])
    found = funnel.bounds()
    np.testing.assert_allclose(found.table["stitched"], funnel.table["conversion"])
    assert found.by == funnel.by


def test_it_depends_on_the_order_of_rows_neither_by_labels_nor_of_a_segment(store, by_source):
    shuffled = ck.stitch(store.events.sample(frac=1.0, random_state=1).reset_index(drop=True))
    again = shuffled.funnel(list(STEPS), within="14D", by="utm_source").bounds()
    pd.testing.assert_frame_equal(again.table, by_source.table)
    # Which labels differ is said in a sentence.
    assert "of the people, probably" in by_source.finding
    assert "overlap" in by_source.finding
    assert "no utm_source" in by_source._repr_html_()


def test_a_label_of_two_people_is_as_wide_as_what_the_data_do_not_exclude(store):
    events = store.events.copy()
    views = events.index[events["event_name"] == "PageView"]
    cookies = events.loc[views, "alias.cookie"].dropna().unique()[:2]
    mine = events["alias.cookie"].isin(cookies) & (events["event_name"] == "PageView")
    events["properties.plan"] = np.where(mine, "rare", "usual")
    found = ck.stitch(events).funnel(list(STEPS), within="14D", by="plan").bounds()
    rare = found.of_last_step.set_index("properties.plan").loc["rare"]
    assert np.isnan(rare["estimate"])
    assert (rare["low"], rare["high"]) == (rare["worst_low"], rare["worst_high"])
    assert rare["high"] - rare["low"] > 0.9
    usual = found.of_last_step.set_index("properties.plan").loc["usual"]
    assert usual["low"] < usual["estimate"] < usual["high"]
    assert any("fewer than 10 profiles" in one for one in found.assumptions)


@pytest.mark.parametrize("by", ["utm_source", None])
def test_a_store_too_small_has_worst_bounds_and_the_reason(by):
    small = ck.stitch(simulated(40, seed=2).events)
    if by is None:
        small = small.where(profiles=ck.FirstSeen(end="2026-03-20"))
    found = small.funnel(list(STEPS), within="14D", by=by).bounds()
    last = found.of_last_step
    assert "at least 30 are needed" in found.reasons[0]
    assert last["estimate"].isna().all()
    assert last["low"].equals(last["worst_low"])
    assert last["high"].equals(last["worst_high"])
    assert ((last["high"] - last["low"]) > 0.5).all()
    assert found.reasons[0] in found.finding


def test_without_logins_no_label_is_estimated(store):
    logins = ["alias.email", "alias.phone", "alias.customer_id", "profile_properties.$email"]
    events = store.events.drop(columns=logins)
    found = ck.stitch(events).funnel(list(STEPS), within="14D", by="utm_source").bounds()
    assert found.reasons == [
        "no browser has identified itself by a login, such as an e-mail address."
    ]
    assert found.of_last_step["estimate"].isna().all()


def test_nobody_entered_by_labels_and_in_a_segment(s):
    late = {"within": "14D", "start": "2030-01-01"}
    none = s.funnel(list(STEPS), by="utm_source", **late).bounds()
    assert none.finding == "Nobody entered."
    assert none.table.empty
    empty = s.where(profiles=ck.FirstSeen(start="2030-01-01"))
    assert empty.funnel(list(STEPS), within="14D").bounds().reasons == ["nobody entered."]


def test_of_profiles_chosen_by_what_they_did_nothing_is_known(s):
    buyers = s.where(profiles=ck.Did("Placed Order"))
    found = buyers.funnel(list(STEPS), within="14D").bounds()
    last = found.table.iloc[-1]
    assert (last["low"], last["high"]) == (0.0, 1.0)
    assert "chosen by what they did in the end" in found.reasons[0]


def test_a_segment_of_all_profiles_is_estimated_as_the_whole(s):
    everybody = s.where(profiles=ck.FirstSeen(start="2020-01-01"))
    found = everybody.funnel(list(STEPS), within="14D").bounds().table.iloc[-1]
    whole = s.funnel(list(STEPS), within="14D").bounds().table.iloc[-1]
    assert found["stitched"] == whole["stitched"]
    assert found["worst_low"] == whole["worst_low"]
    assert found["worst_high"] == whole["worst_high"]
    assert found["estimate"] == pytest.approx(whole["estimate"], abs=0.02)


def test_a_segment_of_a_segment_and_its_breakdown(s):
    first = s.where(profiles=ck.FirstSeen(end="2026-03-20"))
    second = first.where(profiles=ck.FirstSeen(start="2026-03-09"))
    at_once = s.where(profiles=ck.FirstSeen(start="2026-03-09", end="2026-03-20"))
    tables = [
        one.funnel(list(STEPS), within="14D", by="utm_source").bounds().table
        for one in (second, at_once)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_a_saved_segment_has_no_bounds_as_it_holds_nothing_of_others(s, tmp_path):
    segment = s.where(profiles=ck.FirstSeen(end="2026-03-20"))
    segment.to_parquet(tmp_path / "segment")
    saved = ck.read_stitched(tmp_path / "segment")
    assert len(saved.profiles) == len(segment.profiles) < len(s.profiles)
    with pytest.raises(ck.ConvergekitError, match="left behind when it is saved"):
        saved.funnel(list(STEPS), within="14D").bounds()


def test_what_is_not_known_by_labels_is_refused(s):
    by_visit = s.where(events="source == 'browser'")
    with pytest.raises(ck.ConvergekitError, match="by= and a segment of events"):
        by_visit.funnel(list(STEPS), within="14D", by="utm_source").bounds()
    with pytest.raises(ck.ConvergekitError, match="by_step='last'"):
        s.funnel(list(STEPS), within="14D", by="utm_source", by_step="last").bounds()


ROWS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.none()),
        st.integers(0, 1),
        st.integers(0, 12),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=5,
)


def frame_of(rows, logins):
    known = {f"c{who}": f"p{who}@x.org" for who in logins}
    days = [day + at / 1000 for at, (_, _, day, _) in enumerate(rows)]
    cookie = pd.Series([None if who is None else f"c{who}" for who, *_ in rows], dtype=object)
    return pd.DataFrame(
        {
            "event_name": [STEPS[name] for _, name, *_ in rows],
            "timestamp": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(days, unit="D"),
            "alias.cookie": cookie,
            "alias.email": cookie.map(known).astype(object),
            "properties.plan": [LABELS[label] for *_, label in rows],
        }
    )


def shares_by_label(rows, logins, days, first):
    """Return the shares that each label may have, of all ways in which events may be people's."""
    units = {}
    for at, (who, *_) in enumerate(rows):
        units.setdefault(f"alone{at}" if who is None else f"browser{who}", []).append(at)
    login = {f"browser{who}" for who in logins}
    found = {label: [] for label in LABELS}
    for parted in partitions(sorted(units)):
        if any(len(login.intersection(group)) > 1 for group in parted):
            continue
        people = [sorted((rows[at][2] + at / 1000, rows[at][1], rows[at][3])
                         for unit in group for at in units[unit]) for group in parted]  # fmt: skip
        reached = {label: [0, 0] for label in LABELS}
        for events in people:
            entries = [label for _, step, label in events if step == 0]
            if entries:
                got = depth([event[:2] for event in events], 2, days, first)
                reached[LABELS[entries[0]]][0] += 1
                reached[LABELS[entries[0]]][1] += got > 1
        for label, (entered, got) in reached.items():
            if entered:
                found[label].append(got / entered)
    return found


@given(ROWS, st.sets(st.integers(0, 3)), st.sampled_from([3, 30]), st.booleans())
@tries(150, deadline=None, phases=(Phase.generate,))
def test_no_way_to_be_people_is_outside_the_bounds_of_a_label(rows, logins, days, first):
    rows = [(0, 0, 0, 0), (1, 1, 1, 1), *rows]
    funnel = ck.stitch(frame_of(rows, logins)).funnel(
        list(STEPS), within=f"{days}D", entry="first" if first else "any", by="plan"
    )
    possible = shares_by_label(rows, logins, days, first)
    for row in funnel.bounds().of_last_step.to_dict("records"):
        shares = possible[row["properties.plan"]]
        assert row["worst_low"] <= min(shares) + 1e-12
        assert row["worst_high"] >= max(shares) - 1e-12
