"""A part that is loaded is the part that was stitched."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.funnels.funnel import funnel_of
from convergekit.visits.rules import VisitRules
from convergekit.visits.sessions import sessions
from convergekit.visits.traffic import sent_traffic
from tests.effort import tries
from tests.parts.parts_cases import by_parts, same_frames
from tests.parts.test_parts import known, options
from tests.store.store_cases import batches

NUMBERS = ("component", "profile", "in_time")
OF_ALIASES = ("event", "alias")
REFUSED = ("first", "second", "event", "events", "together")


@given(batches(), options, st.sampled_from([1, 3]))
@tries(40)
def test_a_loaded_part_is_the_one_that_was_stitched(frames, asked, parts):
    if not frames or known(frames, asked) is None:
        return
    with by_parts(frames, parts, **asked) as found:
        for number in range(parts):
            check_same(found._run.part(number), found._run.from_rows(number))


def check_same(loaded, stitched):
    same_frames(loaded.events, stitched.events)
    for name in ("rejected", "duplicates", "malformed"):
        same_frames(getattr(loaded, name), getattr(stitched, name))
    one, other = loaded.resolution, stitched.resolution
    assert one.profile_ids.tolist() == other.profile_ids.tolist()
    assert one.protection == other.protection
    arrays(one, other, NUMBERS)
    arrays(one.aliases, other.aliases, OF_ALIASES)
    arrays(one.refused, other.refused, REFUSED)
    assert one.refused.alias_type == other.refused.alias_type
    pd.testing.assert_frame_equal(one.aliases.table, other.aliases.table)
    same_frames(one.aliases.blocked, other.aliases.blocked)
    assert one.aliases.look_alikes == other.aliases.look_alikes
    np.testing.assert_array_equal(one.aliases.own, other.aliases.own)
    assert loaded.remarks == stitched.remarks
    assert loaded.observed_until == stitched.observed_until
    assert list(loaded.carried_from) == list(stitched.carried_from)
    arrays(loaded.carried_from, stitched.carried_from, stitched.carried_from)
    same_frames(loaded.profile_merges, stitched.profile_merges)
    same_frames(loaded.profiles, stitched.profiles)


def arrays(found, expected, names):
    for name in names:
        one, other = (
            given[name] if hasattr(given, "keys") else getattr(given, name)
            for given in (found, expected)
        )
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_values_that_are_not_carried_are_not_known():
    with by_parts([ck.simulate_store(people=5).events], 2) as found:
        part = found._run.part(0)
        with pytest.raises(ck.UnknownNameError, match="no event carries"):
            part.provenance("shoe_size")


def read_of(events):
    """Return the names of the columns of text that something has looked at."""
    return {name for name, column in events.items() if getattr(column.array, "is_read", True)
            and column.dtype == "str"}  # fmt: skip


def test_texts_that_nobody_looks_at_are_not_read():
    with by_parts([ck.simulate_store(people=20).events], 2) as found:
        run = found._run
        part = run.of_one(0, lambda _, s: s)
        steps = ["PageView", "Added To Cart", "Placed Order"]
        funnel_of(part, steps, within="7D", by="properties.name")
        assert read_of(part.events) == {"event_name", "kind", "properties.name"}
        sessions(part, VisitRules())
        assert read_of(part.events) == {"event_name", "kind", "properties.name", "source"}
        copied = pickle.loads(pickle.dumps(part.events["event_id"]))
        pd.testing.assert_series_equal(copied, run.from_rows(0).events["event_id"])
        same_frames(part.events.copy(), run.from_rows(0).events)


def other_rows(events):
    return events.iloc[::-1].reset_index(drop=True)


def other_texts(events):
    name = "profile_properties.utm_source"
    return events.assign(**{name: events[name].fillna("").str.upper()})


def other_columns(events):
    return events.drop(columns="profile_properties.utm_source")


@pytest.mark.parametrize("changed", [other_rows, other_texts, other_columns, pd.DataFrame.copy])
def test_what_events_sent_is_that_of_these_events(changed):
    with by_parts([ck.simulate_store(people=20).events], 2) as found:
        sent = sent_traffic(changed(found._run.part(0).events))
        expected = sent_traffic(changed(found._run.from_rows(0).events))
        np.testing.assert_array_equal(sent.kind, expected.kind)
        assert list(sent) == list(expected)
        every = np.arange(len(sent.kind))
        for name in sent:
            pd.testing.assert_series_equal(sent[name].take(every), expected[name].take(every))


@pytest.mark.parametrize("name", ["numbers-00001.arrow", "sent-00001.parquet"])
def test_what_events_sent_is_told_when_it_is_damaged(name):
    with by_parts([ck.simulate_store(people=20).events], 2) as found:
        path = found.workdir / "facts" / name
        path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(ck.ReadError, match="is not as it was written"):
            found.sessions()


def test_a_text_that_is_damaged_is_told_when_it_is_looked_at():
    with by_parts([ck.simulate_store(people=20).events], 2) as found:
        path = found.workdir / "tables" / "events" / "00001.parquet"
        about = pq.read_metadata(path).row_group(0)
        (chunk,) = [about.column(place) for place in range(about.num_columns)
                    if about.column(place).path_in_schema == "event_id"]  # fmt: skip
        content = bytearray(path.read_bytes())
        begin = chunk.data_page_offset
        content[begin : begin + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
        path.write_bytes(bytes(content))
        part = found._run.part(1)
        assert (part.events["event_name"] == "PageView").any()
        with pytest.raises(ck.ReadError, match=r"00001\.parquet is not as it was written"):
            part.events["event_id"].tolist()


@pytest.mark.parametrize("damage", [b"", b"not numbers", None])
def test_damaged_numbers_are_told(damage):
    with by_parts([ck.simulate_store(people=5).events], 2) as found:
        path = found.workdir / "facts" / "numbers-00001.arrow"
        other = found.workdir / "facts" / "numbers-00000.arrow"
        path.write_bytes(other.read_bytes() if damage is None else damage)
        with pytest.raises(ck.ReadError, match=r"numbers-00001\.arrow is not as it was written"):
            found.counts()
