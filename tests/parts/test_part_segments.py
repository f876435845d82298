"""Segments by parts: those of memory, whatever is chosen and whatever is asked of them."""

from __future__ import annotations

import gc
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, check_tables, in_memory, same_frames
from tests.parts.test_part_answers import STEPS, answer, frames, parts, same


def same_reports(found, expected):
    """Check that two reports say the same, and show what differs."""
    said, also = found.report.to_dict(), expected.report.to_dict()
    assert {name: said[name] for name in also if said[name] != also[name]} == {}
    assert said == also


def busy(profiles):
    """Choose by what all profiles are together."""
    return profiles["events"] >= profiles["events"].mean()


condition = st.one_of(
    st.sampled_from(
        [
            "events > 1",
            "`aliases.email` > 0",
            "`aliases.cookie` + `aliases.cart_token` > 0",
            "utm_source == 'ads'",
            "nothing > 1",
            {"has_browser_session": True},
            {"utm_source": ["ads", "nothing"]},
            busy,
            lambda profiles: profiles["first_seen"] > profiles["first_seen"].min(),
            ck.FirstSeen(start="2026-03-02 00:02"),
            ck.FirstSeen(end="2026-03-02 00:04"),
            ck.Did("Nothing"),
            3,
        ]
    ),
    st.builds(
        ck.Did,
        st.sampled_from([*STEPS, ["PageView", "Placed Order"]]),
        at_most=st.sampled_from([None, 0, 2]),
        within=st.sampled_from([None, "2min"]),
        where=st.sampled_from([None, "plan == 'a'"]),
    ),
)
segments = st.fixed_dictionaries(
    {},
    optional={
        "profiles": st.one_of(condition, st.lists(condition, max_size=2)),
        "events": st.sampled_from(
            [
                "plan == 'a'",
                "event_name != 'PageView'",
                {"utm_source": "ads"},
                lambda events: events["timestamp"].notna(),
                "nothing > 1",
            ]
        ),
    },
)
asked = {
    "funnel": lambda s: s.funnel(STEPS, within="5min").table,
    "retention": lambda s: s.retention(freq="min").table,
    "journeys": lambda s: s.journeys(end="Placed Order").paths,
    "differences": lambda s: s.journeys(end=STEPS).differences(within="1min", min_profiles=1).table,
    "customers": lambda s: s.customers().new_and_returning(),
    "sessions": lambda s: s.sessions(),
    "attribution": lambda s: s.attribution("Placed Order", model=["linear", "markov"]).credits,
}


@given(frames(), st.lists(segments, min_size=1, max_size=2), parts, st.sampled_from(list(asked)))
@tries(40)
def test_segments_are_those_of_memory(given_frames, chosen, number, question):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        for one in chosen:
            both = same(partial(p.where, **one), partial(s.where, **one))
            if both is None:
                return
            p, s = both
        check_tables(p, s)
        same_reports(p, s)
        pair = same(lambda: asked[question](p), lambda: asked[question](s))
        if pair is not None:
            same_frames(*map(pd.DataFrame, pair))


gone = st.sampled_from(
    ["email", ["cookie"], ["cart_token", "urn:cookie:c1"], "urn:email:nobody@x.org", "shoe"]
)
measured = st.fixed_dictionaries(
    {"event": st.sampled_from([*STEPS, None])},
    optional={
        "value": st.just("total_price"),
        "carried": st.sampled_from(["utm_source", "nothing"]),
        "steps": st.just(STEPS),
        "within": st.just("5min"),
    },
)


@given(frames(), gone, measured, parts, st.sampled_from([{}, {"events": "plan == 'a'"}]),
       st.sampled_from([{}, {"identity": "as_of"}, {"limits": {"email": 1}}]))  # fmt: skip
@tries(30)
def test_without_an_alias_is_as_in_memory(given_frames, alias, question, number, segment, options):
    if not given_frames:
        return
    both = answer(partial(in_memory, given_frames, **options))
    if isinstance(both[0], str):
        return
    s = both[0]
    with by_parts(given_frames, number, **options) as p:
        if segment:
            p, s = p.where(**segment), s.where(**segment)
        pair = same(partial(p.without, alias, **question), partial(s.without, alias, **question))
        if pair is not None:
            found, expected = pair
            assert str(found) == str(expected)
            check_tables(found.stitched, expected.stitched)
            same_reports(found.stitched, expected.stitched)


@pytest.mark.parametrize("number", [1, 7])
def test_segments_of_a_store_are_those_of_memory(number):
    events = ck.simulate_store(people=40).events
    # A placeholder: the report remarks on it by the columns of all rows.
    events.loc[::7, "profile_properties.utm_campaign"] = "{{campaign.name}}"
    halves = [
        events.iloc[some].reset_index(drop=True) for some in np.array_split(range(len(events)), 2)
    ]
    did, browser = ck.Did("Added To Cart"), "source == 'browser'"
    s = in_memory(halves).where(profiles=did).where(events=browser)
    with by_parts(halves, number) as p:
        found = p.where(profiles=did).where(events=browser)
        assert repr(found)[len("StitchedParts") :].startswith(repr(s)[len("Stitched") : -1])
        check_tables(found, s)
        assert any("placeholder" in remark for remark in s.report.remarks)
        same_reports(found, s)
        place = found.workdir
        assert place.exists()
        assert place.is_relative_to(p.workdir)
        del found
        gc.collect()
        assert not place.exists()
        asked = {"value": "total_price", "carried": "utm_source", "steps": STEPS, "within": "7D"}
        both = [one.without("checkout_token", **asked) for one in (p, in_memory(halves))]
        assert str(both[0]) == str(both[1])
        check_tables(both[0].stitched, both[1].stitched)
        same_frames(*(pd.DataFrame(one.stitched.sessions()) for one in both))


def mentioning(given_frames):
    """Return frames in which some name others by their addresses."""
    found = []
    for place, frame in enumerate(given_frames):
        notes = ["for a@x.org", "b@x.org", "nothing", None]
        texts = [notes[(place + row) % 4] for row in range(len(frame))]
        found.append(frame.assign(**{"properties.note": pd.Series(texts, dtype="str")}))
    return found


@given(frames().map(mentioning), st.integers(0, 9), parts)
@tries(30)
def test_a_person_is_forgotten_as_in_memory(given_frames, which, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        urns = "urn:" + s.aliases["alias_type"] + ":" + s.aliases["alias_value"]
        known = [*urns, *s.profiles["profile_id"], "urn:email:nobody@x.org"]
        asked = known[which % len(known)]
        pair = same(partial(p.forget, asked), partial(s.forget, asked))
        if pair is None:
            return
        found, expected = pair
        same_frames(found.removed, expected.removed)
        if number == 1 or not names_several(expected.stitched):
            check_tables(found.stitched, expected.stitched)
            same_reports(found.stitched, expected.stitched)


def names_several(s):
    """Return whether several names were numbered: in which order hangs on the parts."""
    return any("(erased 2" in str(one) for one in (s.events.to_csv(), s.aliases.to_csv()))
