"""Segments: a part of the events or profiles, with identity as in the whole."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.stitching import stitched_by_parts
from fuzz.questions import look_at, questions
from tests.effort import tries
from tests.identity.reference_segments import (
    did,
    profiles_of_events,
    rows_of_profiles,
    stitched_alone,
    with_rows,
)
from tests.strategies import event_frames

STEPS = ["PageView", "Added To Cart", "Placed Order"]
NAMES = ["PageView", "Added To Cart", "Placed Order"]
modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])


@pytest.fixture(scope="module")
def shop():
    return ck.stitch(ck.simulate_store(people=40, seed=3).events)


@pytest.fixture(scope="module")
def browser(shop):
    return shop.where(events={"source": "browser"})


def equal(one, other, *, dtypes=True):
    pd.testing.assert_frame_equal(
        pd.DataFrame(one).reset_index(drop=True),
        pd.DataFrame(other).reset_index(drop=True),
        check_dtype=dtypes,
    )


def links(graph):
    return {frozenset(pair): events for *pair, events in graph.edges(data="events")}


def quietly(question):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return question()


def every_row_is_somewhere(s, segment):
    """Rows in = events + duplicates + rejected + left out by the segment."""
    report, left_out = segment.report, segment.tables.segment.left_out
    found = len(segment.events) + len(segment.duplicates) + len(segment.rejected)
    assert report.rows_in == s.report.rows_in == found + sum(left_out.values())
    assert report.left_out == left_out
    assert set(segment.events["row"]) <= set(s.events["row"])
    assert set(segment.duplicates["kept_row"]) <= set(segment.events["row"])
    lost = set(s.duplicates["row"]) - set(segment.duplicates["row"])
    assert left_out["duplicates"] == len(lost)


# Of profiles

#: They name rows, which are others where the rows stand alone.
_WITH_ROWS_IN_TEXT = ["cut_rows", "reason", "repair"]


@given(event_frames(unset=True, several=True), modes, duplicate_modes, st.data())
@tries(30)
def test_a_segment_of_profiles_is_what_their_rows_alone_would_be(frame, identity, copies, data):
    options = {"identity": identity, "duplicates": copies}
    s = ck.stitch(frame, **options)
    ids = s.profiles["profile_id"].tolist()
    chosen = set(data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else [])
    before = s.events.copy()
    segment = s.where(profiles=lambda table: table["profile_id"].isin(chosen))
    rows = rows_of_profiles(s, chosen)
    alone = stitched_alone(frame, rows, **options)
    for name in ("events", "profiles", "aliases", "profile_merges"):
        # A column of an empty frame has no dtype to keep.
        equal(getattr(segment, name), with_rows(getattr(alone, name), rows), dtypes=bool(rows))
    suspects = segment.suspects.drop(columns=_WITH_ROWS_IN_TEXT)
    equal(suspects, alone.suspects.drop(columns=_WITH_ROWS_IN_TEXT), dtypes=bool(rows))
    copied = segment.duplicates.drop(columns="lost_aliases")
    equal(copied, with_rows(alone.duplicates, rows).drop(columns="lost_aliases"), dtypes=False)
    assert links(segment.alias_graph) == links(alone.alias_graph)
    for name in set(frame["event_name"].iloc[rows].dropna()) & set(segment.events["event_name"]):
        for question in ("orphans", "hindsight"):
            mine, theirs = (getattr(one, question)(name) for one in (segment, alone))
            equal(mine.events, with_rows(theirs.events, rows), dtypes=False)
            equal(mine.summary, theirs.summary)
        equal(segment.alias_coverage(name), alone.alias_coverage(name))
        equal(segment.attribution(name).table, alone.attribution(name).table)
    for name in ("utm_source", "$initial_referrer"):
        mine, theirs = segment.provenance(name), with_rows(alone.provenance(name), rows)
        equal(mine, theirs, dtypes=False)
    funnels = [quietly(lambda one=one: one.funnel(STEPS, within="1h")) for one in (segment, alone)]
    equal(funnels[0].table, funnels[1].table)
    equal(segment.sessions(), with_rows(alone.sessions(), rows), dtypes=False)
    every_row_is_somewhere(s, segment)
    equal(s.events, before)


@given(event_frames(several=True), modes, st.data())
@tries(12)
def test_limits_hold_in_a_segment_as_in_the_whole(frame, identity, data):
    try:
        s = ck.stitch(frame, identity=identity, limits={"email": 1})
    except ck.UnknownNameError:
        # No event carries an e-mail address.
        assume(False)
    ids = s.profiles["profile_id"].tolist()
    chosen = set(data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else [])
    segment = s.where(profiles=lambda table: table["profile_id"].isin(chosen))
    whole = s.events[s.events["profile_id"].isin(chosen)]
    equal(segment.events, whole)
    # Who was seen on others' events alone is in the segment of these.
    assert set(segment.profiles["profile_id"]) >= set(whole["profile_id"])
    assert set(segment.profiles["profile_id"]) <= chosen
    of = s.aliases.set_index(["alias_type", "alias_value"])["profile_id"]
    mine = segment.aliases.set_index(["alias_type", "alias_value"])["profile_id"]
    assert (of.loc[mine.index] == mine).all()
    for question in questions(segment):
        try:
            quietly(lambda question=question: look_at(question()))
        except ck.ConvergekitError:
            continue
    every_row_is_somewhere(s, segment)


@given(event_frames(max_rows=14), st.sampled_from(NAMES), st.integers(0, 3), st.integers(0, 6))
def test_did_counts_each_profiles_events(frame, name, least, minutes):
    s = ck.stitch(frame)
    within = pd.Timedelta(minutes=minutes) if minutes else None
    at_most = least + 1
    for asked, expected in (
        (ck.Did(name, at_least=max(least, 1), within=within), (max(least, 1), None)),
        (ck.Did(name, at_most=least, within=within), (0, least)),
        (ck.Did(name, at_least=least, at_most=at_most, within=within), (least, at_most)),
    ):
        segment = quietly(lambda asked=asked: s.where(profiles=asked))
        assert set(segment.profiles["profile_id"]) == did(s, name, *expected, within)
        assert segment.tables.segment.after_the_fact


def test_did_counts_events_that_meet_a_condition_in_a_time(shop):
    orders = shop.events[shop.events["event_name"] == "Placed Order"]
    large = orders[orders["properties.total_price"] > 30]
    found = shop.where(profiles=ck.Did("Placed Order", where="total_price > 30"))
    assert set(found.profiles["profile_id"]) == set(large["profile_id"].dropna())
    assert 0 < len(found.profiles) < len(shop.profiles)
    day = orders["timestamp"].dt.strftime("%Y-%m-%d")
    # A date as end includes the day.
    first, last = day.min(), sorted(set(day))[len(set(day)) // 2]
    asked = ck.Did(["Placed Order", "Refund"], start=first, end=last)
    found = quietly(lambda: shop.where(profiles=asked))
    assert set(found.profiles["profile_id"]) == set(orders["profile_id"][day <= last].dropna())
    never = shop.where(profiles=ck.Did("Placed Order", at_most=0))
    assert len(never.profiles) + orders["profile_id"].nunique() == len(shop.profiles)


def test_first_seen_counts_days_of_the_shops_calendar():
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            # Sydney's clock goes forward on the first Sunday of October: its day has 23 hours.
            "timestamp": [
                "2026-10-03T13:59:59Z",
                "2026-10-03T14:00:00Z",
                "2026-10-04T12:59:59Z",
                "2026-10-04T13:00:00Z",
            ],
            "alias.cookie": ["before", "begin", "end", "after"],
        }
    )
    s = ck.stitch(frame, calendar="Australia/Sydney")
    day = ck.FirstSeen(start="2026-10-04", end="2026-10-04")
    assert s.where(profiles=day).aliases["alias_value"].tolist() == ["begin", "end"]
    moment = ck.FirstSeen(start=pd.Timestamp("2026-10-04"), end=pd.Timestamp("2026-10-04 23:00"))
    assert s.where(profiles=moment).aliases["alias_value"].tolist() == ["begin"]
    utc = ck.stitch(frame).where(profiles=day)
    assert utc.aliases["alias_value"].tolist() == ["end", "after"]
    since = s.where(profiles=ck.FirstSeen(start="2026-10-04"))
    assert since.aliases["alias_value"].tolist() == ["begin", "end", "after"]
    assert not since.tables.segment.after_the_fact


def test_of_several_conditions_all_hold_and_three_forms_are_one(shop):
    google = shop.profiles[shop.profiles["profile.utm_source"] == "google"]
    often = set(google["profile_id"][google["events"] > 5])
    assert often
    asked = [
        "utm_source == 'google' and events > 5",
        [{"utm_source": "google"}, "events > 5"],
        lambda table: (table["profile.utm_source"] == "google") & (table["events"] > 5),
        [{"profile.utm_source": ["google"]}, lambda table: table["events"] > 5],
    ]
    for condition in asked:
        segment = shop.where(profiles=condition)
        assert set(segment.profiles["profile_id"]) == often
        assert segment.tables.segment.after_the_fact
    both = shop.where(profiles=asked[0], events="event_name == 'PageView'")
    nested = shop.where(profiles=asked[1]).where(events={"event_name": "PageView"})
    equal(both.events, nested.events)
    equal(both.profiles, nested.profiles)


def test_a_function_cannot_change_the_tables(shop):
    def spoil(table):
        table.loc[:, "profile_id"] = "p_0000000000000000"
        return np.ones(len(table), dtype=bool)

    events, profiles = shop.events.copy(), shop.profiles.copy()
    shop.where(profiles=spoil)
    shop.where(events=spoil)
    equal(shop.events, events)
    equal(shop.profiles, profiles)


@pytest.mark.parametrize(
    ("condition", "after"),
    [
        ("first_seen > '2026-03-08T00:00Z'", False),
        ({"profile_id": ["p_1"]}, False),
        ("events > 3", True),
        ({"utm_source": "google"}, True),
        ("first_seen > '2026-03-08T00:00Z' and has_browser_session", True),
        (lambda table: table["first_seen"] > "2026-03-08", True),
        (ck.Did("Placed Order"), True),
        (ck.FirstSeen(end="2026-03-08"), False),
        ([ck.FirstSeen(end="2026-03-08"), ck.Did("Placed Order")], True),
    ],
)
def test_a_segment_by_what_people_did_later_says_so(shop, condition, after):
    segment = shop.where(profiles=condition)
    assert segment.tables.segment.after_the_fact is after
    said = "do not compare its conversion with that of other segments"
    assert (said in str(segment.report)) is after
    assert (said in segment._repr_html_()) is after
    # What is chosen of it is chosen by the same.
    assert segment.where(events="event_name == 'PageView'").tables.segment.after_the_fact is after


# Of events


@given(event_frames(unset=True, several=True), modes, duplicate_modes, st.data())
@tries(40)
def test_a_segment_of_events_keeps_what_the_whole_says_of_them(frame, identity, copies, data):
    s = ck.stitch(frame, identity=identity, duplicates=copies, first=["$initial_referrer"])
    size = len(s.events)
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    segment = s.where(events=lambda events: seen)
    rows = set(s.events["row"][seen])
    equal(segment.events, s.events[seen])
    every_row_is_somewhere(s, segment)

    profiles = profiles_of_events(s, seen)
    latest = [name for name in profiles if name.startswith("profile.")]
    unused = [
        name for name in profiles if name.startswith("aliases.") and name not in segment.profiles
    ]
    assert not profiles[unused].to_numpy().any()
    equal(
        segment.profiles.drop(columns=latest),
        profiles.drop(columns=[*latest, *unused]),
        dtypes=False,
    )
    ids = set(profiles["profile_id"])
    aliases = s.aliases[s.aliases["profile_id"].isin(ids)]
    equal(segment.aliases, aliases)
    nodes = {node for node, data in s.alias_graph.nodes(data=True) if data["profile_id"] in ids}
    assert links(segment.alias_graph) == links(s.alias_graph.subgraph(nodes))
    merges = s.profile_merges
    equal(
        segment.profile_merges, merges[np.array(_leads_to(merges, ids), dtype=bool)], dtypes=False
    )

    for name in ("utm_source", "$initial_referrer"):
        told = s.provenance(name)
        equal(segment.provenance(name), told[told["row"].isin(rows)])
    for name in set(segment.events["event_name"].dropna()):
        for question in ("orphans", "hindsight"):
            told = getattr(s, question)(name).events
            equal(getattr(segment, question)(name).events, told[told["row"].isin(rows)])
        assert (
            segment.orphans(name).summary["events"].sum()
            == (segment.events["event_name"] == name).sum()
        )
    with_them = quietly(lambda: ck.funnel(s.events[seen], STEPS, within="1h"))
    equal(quietly(lambda: segment.funnel(STEPS, within="1h")).table, with_them.table)
    urns = ("urn:" + aliases["alias_type"] + ":" + aliases["alias_value"]).tolist()
    for urn in urns:
        equal(segment.explain(urns[0], urn).steps, s.explain(urns[0], urn).steps)


def _leads_to(merges, ids):
    """Return which merges are of one of these profiles: follow the new ID until it stays."""
    into = dict(zip(merges["old_profile_id"], merges["new_profile_id"], strict=True))

    def last(profile):
        while profile in into:
            profile = into[profile]
        return profile

    return [last(profile) in ids for profile in merges["new_profile_id"]]


def test_the_latest_value_is_that_at_the_last_event_of_the_segment():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "Placed Order"],
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
            "alias.cookie": "c",
            "profile_properties.utm_source": ["google", "mail", None],
        }
    )
    s = ck.stitch(frame)
    orders = s.where(events="event_name == 'Placed Order'")
    # Carried from an event that is left out.
    assert orders.profiles["profile.utm_source"].tolist() == ["mail"]
    assert orders.provenance("utm_source")["from_row"].tolist() == [1]
    first = s.where(events=lambda events: events["timestamp"] < "2026-03-03")
    assert first.profiles["profile.utm_source"].tolist() == ["google"]
    assert first.profiles["events"].tolist() == [1]


def test_links_by_events_that_are_left_out_stay():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "Started Checkout", "Placed Order"],
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
            "alias.cookie": ["c", "c", None],
            "alias.email": [None, "a@x.org", "a@x.org"],
        }
    )
    s = ck.stitch(frame)
    segment = s.where(events={"event_name": ["PageView", "Placed Order"]})
    assert len(segment.profiles) == 1
    why = segment.explain("urn:cookie:c", "urn:email:a@x.org")
    assert why.linked
    assert why.steps["event_name"].tolist() == ["Started Checkout"]
    assert segment.orphans("Placed Order").events.empty
    assert segment.report.coverage["with_browser_session"].tolist() == [1, 1]
    assert segment.profile("urn:cookie:c")["event_name"].tolist() == ["PageView", "Placed Order"]
    without = segment.without("email").stitched
    assert without.events["profile_id"].isna().tolist() == [False, True]
    assert len(without.events) == 2


@pytest.mark.parametrize("name", ["cookie", "email", "cart_token"])
def test_a_what_if_of_a_segment_is_that_of_the_whole_for_its_events(shop, browser, name):
    other = shop.without(name).stitched
    for segment in (browser, shop.where(profiles=ck.Did("Placed Order"))):
        found = segment.without(name, event=None).stitched
        expected = other.events[other.events["row"].isin(segment.events["row"])]
        equal(found.events, expected)
        # Profiles that no event of the segment is of are not in it.
        seen = expected["profile_id"].dropna()
        assert set(found.profiles["profile_id"]) == set(seen)
        assert found.tables.segment.description == segment.tables.segment.description


def test_what_depends_on_others_is_asked_of_the_whole(shop, browser):
    urn = "urn:cookie:" + browser.aliases.query("alias_type == 'cookie'")["alias_value"].iloc[0]
    for segment in (browser, shop.where(profiles=ck.Did("Placed Order"))):
        with pytest.raises(ck.ConvergekitError, match="ask the whole to forget"):
            segment.forget(urn)
    frame = ck.simulate_store(people=10, seed=2).events
    limited = ck.stitch(frame, limits={"customer_id": 1}).where(profiles=ck.Did("Placed Order"))
    with pytest.raises(ck.ConvergekitError, match="ask the whole"):
        limited.without("email")


# Everything can be asked


def test_an_empty_segment_is_a_result_with_zeros(shop):
    empty = [
        shop.where(profiles="events > 100_000"),
        quietly(lambda: shop.where(profiles=ck.Did("Refund"))),
        shop.where(events="event_name == 'Refund'"),
        shop.where(profiles=ck.FirstSeen(end="2001-01-01")),
        shop.where(profiles=ck.Did("Placed Order"), events="event_name == 'Refund'"),
        shop.where(events={"source": "browser"}).where(events={"source": "server"}),
    ]
    for segment in empty:
        every_row_is_somewhere(shop, segment)
        assert segment.report.rows_in == sum(segment.report.left_out.values())
        for table in (segment.events, segment.profiles, segment.aliases, segment.duplicates):
            assert len(table) == 0
        funnel = quietly(lambda segment=segment: segment.funnel(STEPS, within="7D", freq="W"))
        assert funnel.table["profiles"].tolist() == [0, 0, 0]
        assert len(funnel.trend()) == 0
        customers = segment.customers(currency="currency")
        tables = (customers.new_and_returning(), customers.retention(), customers.lifetime_value())
        assert not any(len(table) for table in tables)
        assert segment.orphans("Placed Order").summary["events"].sum() == 0
        assert segment.hindsight("Placed Order", value="total_price").summary.iloc[0, 1] == 0
        assert segment.attribution("Placed Order", "total_price").table["conversions"].sum() == 0
        for table in (segment.sessions(), segment.suspects, segment.profile_merges):
            assert len(table) == 0
        assert len(segment.alias_graph) == 0
        assert segment.without("cookie").table["difference"].sum() == 0
        assert segment.alias_coverage("Placed Order")["events"].sum() == 0
        assert quietly(lambda segment=segment: segment.journeys("PageView")).paths.empty
        assert len(segment.where(profiles="events > 0", events="source == 'browser'").events) == 0


@given(event_frames(several=True), modes, duplicate_modes, st.data())
@tries(15)
def test_no_question_of_a_segment_ends_in_an_error_of_others(frame, identity, copies, data):
    s = ck.stitch(frame, identity=identity, duplicates=copies)
    size, count = len(s.events), len(s.profiles)
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    met = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    for segment in (
        s.where(events=lambda events: seen),
        s.where(profiles=lambda profiles: np.array(met, dtype=bool)),
    ):
        for question in questions(segment):
            try:
                quietly(lambda question=question: look_at(question()))
            except ck.ConvergekitError:
                continue


@given(event_frames(several=True), modes, st.data())
@tries(40)
def test_a_segment_is_saved_and_read_as_it_is(tmp_path_factory, frame, identity, data):
    s = ck.stitch(frame, identity=identity)
    size = len(s.events)
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    for segment in (
        s.where(events=lambda events: seen),
        s.where(profiles="events > 1"),
    ):
        directory = tmp_path_factory.mktemp("segment")
        segment.to_parquet(directory, overwrite=True)
        again = ck.read_stitched(directory)
        for name in ("events", "profiles", "aliases", "duplicates", "rejected", "profile_merges"):
            equal(getattr(again, name), getattr(segment, name))
        for name in ("utm_source", "$initial_referrer"):
            equal(again.provenance(name), segment.provenance(name))
        assert str(again.report) == str(segment.report)
        assert repr(again) == repr(segment)
        every_row_is_somewhere(s, again)
        # A file that is handed on holds nobody that the segment has not.
        written = pd.read_parquet(directory / "events.parquet")
        assert set(written["profile_id"].dropna()) == set(segment.profiles["profile_id"])
        assert len(pd.read_parquet(directory / "rejected.parquet")) == 0


def test_converges_tables_of_a_segment_are_those_of_the_whole(shop, browser, tmp_path):
    whole = pd.read_parquet(shop.to_converge(tmp_path / "whole")[0])
    found = pd.read_parquet(browser.to_converge(tmp_path / "browser")[0])
    tracked = browser.events[browser.events["kind"] == "track"]
    at = shop.events[shop.events["kind"] == "track"]["row"].isin(tracked["row"]).to_numpy()
    equal(found, whole[at])


def test_a_segment_of_a_segment_is_one_of_the_whole(shop):
    pages = shop.where(events="event_name != 'Placed Order'")
    one = pages.where(profiles="events > 3").where(events={"source": "browser"})
    counts = pages.events[pages.events["kind"] == "track"].groupby("profile_id").size()
    chosen = counts.index[counts > 3]
    here = pages.events["profile_id"].isin(chosen) & (pages.events["source"] == "browser")
    equal(one.events, pages.events[here])
    every_row_is_somewhere(shop, one)
    said = one.tables.segment.description
    assert said.split("; ") == [
        "events where event_name != 'Placed Order'",
        "profiles where events > 3",
        "events where source is 'browser'",
    ]
    assert said in repr(one)
    assert said in str(one.report)


def test_the_order_of_rows_does_not_matter(shop):
    frame = ck.simulate_store(people=20, seed=5).events
    turned = ck.stitch(frame.iloc[::-1].reset_index(drop=True))
    for condition in ({"profiles": ck.Did("Placed Order", within="7D")}, {"events": "price > 10"}):
        one, other = ck.stitch(frame).where(**condition), turned.where(**condition)
        equal(one.profiles, other.profiles)
        assert one.report.left_out == other.report.left_out


def test_rejected_rows_and_malformed_aliases_are_counted_where_they_are():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "Placed Order", None],
            "timestamp": ["2026-03-02", "2026-03-03", "never", "2026-03-03"],
            "aliases": [["urn:cookie:a", "broken"], ["urn:cookie:b", "no urn"], [], []],
        }
    )
    s = ck.stitch(frame)
    assert len(s.rejected) == s.report.rows_in - 2
    segment = s.where(profiles=lambda table: table["first_seen"] < "2026-03-03")
    assert segment.report.left_out == {"events": 1, "duplicates": 0, "rejected": len(s.rejected)}
    assert sum(segment.report.malformed.values()) == 1
    assert [0] in segment.report.malformed_rows.values()
    every_row_is_somewhere(s, segment)


# Errors


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "give where a condition"),
        ({"profiles": []}, "got an empty list"),
        ({"profiles": 3}, "profiles must be a query, a mapping.*FirstSeen.*list of these; got 3"),
        ({"events": 3}, "events must be a query, a mapping.*function of the events; got 3"),
        ({"profiles": "utm_sorce == 'a'"}, "profiles=.*cannot be evaluated.*Did you mean"),
        ({"events": "event_nam == 'a'"}, "events=.*cannot be evaluated.*Did you mean"),
        ({"profiles": lambda table: table["nothing"]}, "profiles asks for 'nothing', which is not"),
        ({"events": lambda table: [True]}, "events gave 1 value of bool for"),
        ({"profiles": ck.FirstSeen()}, "FirstSeen needs start=, end= or both"),
        ({"profiles": ck.FirstSeen(start=3)}, "start must be a date or datetime"),
        ({"profiles": ck.Did("Placed Order", at_least=-1)}, "at_least must be a whole number"),
        ({"profiles": ck.Did("Placed Order", at_most=True)}, "at_most must be a whole number"),
        ({"profiles": ck.Did("Placed Order", 3, 2)}, "at_least=3 is more than at_most=2"),
        ({"profiles": ck.Did("Placed Order", 0)}, "at_least=0 is true of every profile"),
        ({"profiles": ck.Did("Placed Order", within="3 moons")}, "within must be a positive"),
        ({"profiles": ck.Did(7)}, "a step must be an event name"),
    ],
)
def test_a_condition_that_is_none_says_what_to_give(shop, asked, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        shop.where(**asked)


def test_an_alias_that_is_left_out_is_not_of_the_segment(shop):
    buyers = shop.where(profiles=ck.Did("Placed Order"))
    left = shop.aliases[~shop.aliases["profile_id"].isin(buyers.profiles["profile_id"])].iloc[0]
    with pytest.raises(ck.UnknownAliasError, match="no event of the segment carries"):
        buyers.profile(f"urn:{left['alias_type']}:{left['alias_value']}")
    with pytest.raises(ck.UnknownAliasError, match="no profile of the segment has the ID"):
        buyers.profile(left["profile_id"])


def test_profiles_are_observed_to_the_end_of_the_data():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "Placed Order", "Placed Order"],
            "timestamp": ["2026-01-09", "2026-01-10", "2026-02-10", "2026-04-10"],
            "alias.email": ["a@x.org", "a@x.org", "a@x.org", "b@x.org"],
            "properties.total_price": 1.0,
        }
    )
    s = ck.stitch(frame)
    old = s.where(profiles=ck.FirstSeen(end="2026-01-31"))
    assert old.tables.data_end == s.tables.data_end
    assert old.retention("Placed Order", "Placed Order").data_end == s.tables.data_end
    retention = old.customers().retention()
    assert retention["active"].tolist() == [1, 1, 0, 0]
    assert retention["complete"].tolist() == [True, True, True, False]
    # Its window of sixty days had ended when the data did, though not at its own last event.
    journeys = old.journeys(start="PageView", end="Placed Order")
    assert journeys.differences(within="60D").converters == 1
    # Where events are chosen, they end with the last of them.
    cut = s.where(events=lambda events: events["timestamp"] < "2026-03-01")
    assert cut.customers().retention()["active"].tolist() == [1, 1]
    assert pd.isna(s.where(events="total_price > 5").tables.data_end)
    assert old.where(events="total_price == 1").customers().retention()["active"].tolist() == [1, 1]


def test_the_conversions_of_a_segments_hindsight_are_those_of_its_funnel(shop):
    steps = ["PageView", "Placed Order"]
    segment = shop.where(events={"event_name": steps})
    found = segment.hindsight("Placed Order", steps=steps, within="7D").summary
    reached = found.loc[found["measure"].str.endswith("a conversion"), "retroactive"].item()
    assert reached == segment.funnel(steps, within="7D").table["profiles"].iloc[-1] > 0


def test_a_segment_compared_with_the_whole_differs_in_nothing(shop, browser):
    found = ck.compare_profiles(shop, browser)
    assert len(found.table) == 0
    assert found.left_out == len(shop.events) - len(browser.events)
    # Without the alias it does, and the aliases that join are found on events that are left out.
    apart = ck.compare_profiles(browser, browser.without("email", event=None).stitched)
    rows = browser.events["row"]
    whole = ck.compare_profiles(shop, shop.without("email", event=None).stitched)
    assert len(apart.table) > 0
    assert set(apart.events["row"]) <= set(whole.events["row"]) & set(rows)


def test_what_a_segment_is_called_is_text_that_can_be_saved(shop, tmp_path):
    values = {"b\ud800\x1b[31m", "a", "c"}
    segment = shop.where(events={"event_name": values})
    said = segment.tables.segment.description
    assert said.startswith("events where event_name is one of")
    assert said.index("a") < said.index("'b")
    assert "\x1b" not in repr(segment) + str(segment.report)
    segment.to_parquet(tmp_path)
    assert ck.read_stitched(tmp_path).tables.segment.description == said


def test_a_segment_can_be_explored(shop, browser):
    pytest.importorskip("ipywidgets")
    for segment in (browser, shop.where(profiles="events > 100_000")):
        explorer = quietly(segment.explore)
        assert "Explorer" in repr(explorer)


@pytest.mark.parametrize("copies", ["drop", "merge"])
@pytest.mark.parametrize(("identity", "credited"), [("retroactive", 2), ("as_of", 1)])
def test_what_was_known_is_known_though_its_event_is_left_out(identity, credited, copies):
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "Signed In", "Placed Order", "Signed In"],
            "event_id": ["1", "2", "3", "4", "3"],
            "timestamp": [f"2026-03-02T10:0{minute}:00Z" for minute in (0, 1, 2, 3, 2)],
            "alias.cookie": ["c", None, "c", None, "c"],
            "alias.email": [None, "a@x.org", "a@x.org", "a@x.org", None],
            "profile_properties.utm_source": ["ads", None, None, None, None],
        }
    )
    s = ck.stitch(frame, identity=identity, duplicates=copies)
    segment = s.where(events={"event_name": ["PageView", "Placed Order"]})
    for one in (s, segment):
        table = one.attribution("Placed Order").table.set_index("channel")["conversions"]
        assert table.drop("(none)", errors="ignore").sum() == credited
    equal(segment.attribution("Placed Order").table, s.attribution("Placed Order").table)
    told = s.provenance("utm_source")
    assert len(told) == (4 if identity == "retroactive" else 3)
    equal(segment.provenance("utm_source"), told[told["event_name"] != "Signed In"])


def test_what_nobody_in_a_segment_did_is_zero_and_a_misspelt_name_is_an_error():
    s = ck.stitch(ck.simulate_store(people=80).events)
    others = s.where(profiles=ck.Did("Placed Order", at_most=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert others.funnel(["PageView", "Placed Order"], within="7D").counts["converted"] == 0
        assert others.customers().lifetime_value().empty
        assert others.attribution("Placed Order", "total_price").credits.empty
        assert others.counts("Placed Order")["count"].sum() == 0
        assert others.retention("PageView", "Placed Order").table["returned"].sum() == 0
        assert others.sessions(conversion="Placed Order")["conversions"].sum() == 0
        assert others.without("cookie", event="Placed Order").table["with_it"].notna().all()
    with pytest.raises(ck.UnknownNameError, match="no event is named 'Placed Ordre'"):
        others.customers("Placed Ordre")


def with_gaps():
    """Return events of which some do not say if they are tests, and visitors without a plan."""
    rows = [
        {
            "event_name": "PageView",
            "timestamp": f"2026-03-{1 + number:02d}T10:00:00Z",
            "alias.cookie": f"c{number // 2}",
            "test": [True, False, None][number % 3],
            "profile_properties.level": [1, 1, None, None, 2, 2, None, None][number % 8],
        }
        for number in range(24)
    ]
    types = {"test": "boolean", "profile_properties.level": "Int64"}
    return pd.DataFrame(rows).astype(types)


MISSING = (
    ({"events": "test != True"}, 8, "or test.isna()"),
    ({"events": "not test"}, 8, "or test.isna()"),
    ({"events": "test != True and source == 'browser'"}, 8, "or test.isna() or source.isna()"),
    ({"events": lambda events: events["test"] != True}, 8, "True or False of each"),  # noqa: E712
    ({"profiles": "level != 2"}, 6, "or level.isna()"),
    ({"profiles": ["level != 2", "events > 5"]}, 0, ""),
    ({"profiles": lambda profiles: profiles["profile.level"] != 2}, 6, "True or False of each"),
    ({"events": "test != True or test.isna()"}, 0, ""),
    ({"events": {"test": [False, None]}}, 0, ""),
)


@pytest.mark.parametrize(("asked", "missing", "keep"), MISSING)
def test_rows_that_are_left_out_for_a_missing_value_are_told(asked, missing, keep, tmp_path):
    events = with_gaps().assign(source="browser")
    s = ck.stitch(events)
    chosen = s.where(**asked)
    said = {text: n for text, n in chosen.report.remarks.items() if "is missing" in text}
    assert list(said.values()) == ([missing] if missing else [])
    assert all(keep in text for text in said)
    assert str(missing) in str(chosen.report)
    parts = stitched_by_parts(events, StitchOptions.of(), None, tmp_path / "parts", parts=3)
    apart = parts.where(**asked)
    assert apart.report.remarks == chosen.report.remarks
    later = chosen.where(events="test == True")
    assert said.items() <= later.report.remarks.items()
    chosen.to_parquet(tmp_path / "saved")
    assert said.items() <= ck.read_stitched(tmp_path / "saved").report.remarks.items()


def test_keeping_the_rows_with_a_missing_value_keeps_as_many_as_were_left_out():
    s = ck.stitch(with_gaps())
    without, kept = (
        s.where(events=query) for query in ("test != True", "test != True or test.isna()")
    )
    (missing,) = without.report.remarks.values()
    assert len(kept.events) - len(without.events) == missing == 8
