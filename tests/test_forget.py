"""Deletion: no trace of the person is left, and everybody else is as before."""

from __future__ import annotations

import json
import re

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convergekit as ck
from tests.strategies import event_frames
from tests.test_stitch_properties import by_row

modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])


def shop():
    """Ada's traces in every corner: her events, a copy, a rejected row, Bob's gift to her."""
    return pd.DataFrame(
        {
            "event_name": ["PageView", "Placed Order", "Placed Order", "Placed Order", "PageView",
                           "Placed Order", "PageView"],
            "event_id": [None, "o1", "o1", "o2", None, "o3", None],
            "timestamp": ["2026-03-01", "2026-03-02", "2026-03-02", "2026-03-03", "no time",
                          "2026-03-04", "2026-03-05"],
            "source": ["browser", "server", "browser", "server", "browser", "server", "browser"],
            "alias.cookie": ["ada-cookie", None, "ada-cookie", "bob-cookie", "ada-cookie",
                             "ada-cookie", "bob-cookie"],
            "alias.email": [None, "Ada@Example.com", None, None, None, "ada@example.com", None],
            "alias.customer_id": [None, "4711", None, "4712", None, "4711", None],
            "aliases": [[], ["urn:phone:+3247511"], [], ["urn:phone:+3247522"], [], [], []],
            "properties.gift_to": [None, None, None, "ADA@example.com ", None, None, None],
            "profile_properties.$first_name": ["Adaline", None, None, "Bob", None, None, None],
            "profile_properties.$email": [None, "ada@example.com", None, None, None, None, None],
        }
    )  # fmt: skip


ADA = re.compile("ada|4711|3247511", re.IGNORECASE)


def traces(s, directory):
    """Every place that still names Ada."""
    s.to_parquet(directory)
    places = {name: table for name, table in vars(s).items() if isinstance(table, pd.DataFrame)}
    tables = ("events", "profiles", "aliases", "duplicates", "rejected", "refused_links",
              "profile_merges", "suspects", "forgotten")  # fmt: skip
    places |= {name: getattr(s, name) for name in tables}
    places |= {path.name: pd.read_parquet(path) for path in directory.glob("*.parquet")}
    texts = {name: table.to_csv() for name, table in places.items()}
    texts["graph"] = json.dumps(nx.node_link_data(s.alias_graph), default=str)
    texts["report"] = repr(s.report) + s._repr_html_() + repr(s)
    texts["manifest"] = (directory / "stitched.json").read_text("utf-8")
    inner = s._identity
    texts["inner"] = inner.aliases.table.to_csv() + inner.knowledge().aliases.table.to_csv()
    return {name for name, text in texts.items() if ADA.search(text)}


@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
@pytest.mark.parametrize("duplicates", ["drop", "merge"])
@pytest.mark.parametrize("reread", [False, True])
def test_no_trace_is_left(tmp_path, identity, duplicates, reread):
    s = ck.stitch(shop(), identity=identity, duplicates=duplicates)
    assert {"events", "rejected", "graph", "inner"} <= traces(s, tmp_path / "before")
    if reread:
        s = ck.read_stitched(tmp_path / "before")
    after = s.forget("urn:email:ada@example.com")
    assert traces(after, tmp_path / "after") == set()
    assert after.events["row"].tolist() == [3, 6]
    assert after.forgotten.to_dict("records") == [
        {"events": 3, "aliases": 4, "duplicates": 1, "rejected": 1, "cells": 1}
    ]
    assert after.report.rows_in == 2
    again = ck.read_stitched(tmp_path / "after")
    pd.testing.assert_frame_equal(again.forgotten, after.forgotten)
    # The one that was asked still knows her.
    assert len(s.profile("urn:customer_id:4711")) == 3


def test_no_trace_is_left_on_a_shared_device(tmp_path):
    frame = shop().assign(**{"alias.cookie": "ada-tablet"}).iloc[[0, 1, 3, 6]]
    s = ck.stitch(frame, limits={"customer_id": 1})
    bob = s.events["profile_id"].iloc[2]
    assert traces(s, tmp_path / "before")
    after = s.forget("urn:customer_id:4711")
    # Bob's page view on her tablet was on her profile, his order was not.
    assert after.events["profile_id"].tolist() == [bob]
    assert after.refused_links.empty
    assert traces(after, tmp_path / "after") == set()


def test_everybody_can_be_forgotten(tmp_path):
    s = ck.stitch(shop())
    after = s.forget("urn:customer_id:4711").forget("urn:customer_id:4712")
    assert len(after.profiles) == 0
    assert len(after.forgotten) == 2
    after.to_parquet(tmp_path / "s")
    assert repr(ck.read_stitched(tmp_path / "s")) == repr(after)


def test_unknown_people_are_refused():
    s = ck.stitch(shop())
    with pytest.raises(ck.UnknownAliasError):
        s.forget("urn:email:nobody@example.com")
    after = s.forget("urn:customer_id:4711")
    with pytest.raises(ck.UnknownAliasError):
        after.forget("urn:customer_id:4711")


@settings(max_examples=60)
@given(event_frames(several=True, unset=True), modes, duplicate_modes, st.data())
def test_everybody_else_is_as_before(frame, identity, duplicates, data):
    s = ck.stitch(frame, identity=identity, duplicates=duplicates)
    if s.profiles.empty:
        return
    person = data.draw(st.sampled_from(s.profiles["profile_id"].tolist()))
    after = s.forget(person)
    left = set(after.events["row"])
    assert left == {row for row, of in by_row(s, "profile_id").items() if of != person}
    columns = [c for c in s.events if not c.startswith("file")]
    before = s.events[s.events["row"].isin(left)].reset_index(drop=True)
    pd.testing.assert_frame_equal(before[columns], after.events[columns])
    others = s.profiles[s.profiles["profile_id"] != person].reset_index(drop=True)
    shared = [c for c in after.profiles if c in others]
    pd.testing.assert_frame_equal(others[shared], after.profiles[shared], check_dtype=False)
    one, other = (each.provenance("utm_source") for each in (s, after))
    one = one[one["row"].isin(left)].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, other)
    merges = s.profile_merges
    pd.testing.assert_frame_equal(
        merges[merges["row"].isin(left)].reset_index(drop=True), after.profile_merges
    )
    assert after.duplicates["kept_row"].isin(left).all()
