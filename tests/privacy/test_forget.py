"""Deletion: no trace of a person is left, and nobody else changes."""

from __future__ import annotations

import dataclasses
import pickle
import types

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import convergekit as ck
from tests.effort import tries
from tests.strategies import START, event_frames

ADA = "urn:email:ada.lovelace@x.org"
TRACES = (
    "ada.lovelace", "cookie-of-ada", "cart-of-ada", "copy-of-ada", "order-of-ada", "Countess",
    "Marylebone", "test-of-ada", "ada campaign", "note by ada",
)  # fmt: skip
modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])


@pytest.fixture
def shop():
    """What Ada did, in all the places in which a Stitched keeps anything, and what Bob did."""
    rows = [
        ("PageView", "p1", ["urn:cookie:cookie-of-ada"], {"utm_source": "ada campaign"}),
        ("PageView", "p2", ["urn:cookie:cookie-of-bob"], {"utm_source": "newsletter"}),
        ("Added To Cart", "p3", ["urn:cookie:cookie-of-ada", "urn:cart_token:cart-of-ada"], {}),
        ("Placed Order", "order-of-ada", ["urn:cart_token:cart-of-ada", ADA], {"name": "Countess"}),
        ("Placed Order", "order-of-ada", ["urn:device:copy-of-ada"], {"city": "Marylebone"}),
        ("Placed Order", "order-of-bob", ["urn:cookie:cookie-of-bob", "urn:email:b@x.org"], {}),
        ("Placed Order", "order-of-bob", ["urn:device:copy-of-bob"], {}),
        ("PageView", "p4", ["ada.lovelace@x.org", ADA, "urn:email:test-of-ada@x.org"], {}),
        ("PageView", "p5", ["urn:email:test@x.org", "bob", "urn:cookie:cookie-of-bob"], {}),
        ("PageView", "p6", ["urn:email:test@x.org", ADA, "urn:cookie:null"], {}),
        ("Placed Order", "p7", ["urn:email:ADA.Lovelace@x.org"], {}),
        ("Placed Order", "p8", ["urn:email:b@x.org"], {"name": "wrote to Countess today"}),
        ("Placed Order", "p9", ["urn:email:b@x.org"], {"name": "Bob"}),
    ]
    frame = pd.DataFrame(
        {
            "event_name": pd.Categorical([name for name, *_ in rows]),
            "event_id": [event_id for _, event_id, *_ in rows],
            "timestamp": [(START + pd.Timedelta(minutes=i)).isoformat() for i in range(len(rows))],
            "aliases": [aliases for _, _, aliases, _ in rows],
            "properties.note": pd.Categorical(
                ["note by ada" if "ada" in str(row).lower() else "note by bob" for row in rows]
            ),
            **{
                f"profile_properties.{name}": [said.get(name) for *_, said in rows]
                for name in ("utm_source", "name", "city")
            },
        }
    )
    # The last three have no usable time: two are Ada's, as far as can be told.
    return frame.assign(timestamp=[*frame["timestamp"][:-3], "soon", "03/04/2026", "later"])


def contents(thing, seen=None):
    """Everything that an object holds, closures and caches included, as bytes."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (type, types.ModuleType)):
        return
    seen.add(id(thing))
    if isinstance(thing, types.FunctionType):
        for cell in thing.__closure__ or ():
            yield from contents(cell.cell_contents, seen)
    elif isinstance(thing, types.MethodType):
        yield from contents(thing.__self__, seen)
    elif dataclasses.is_dataclass(thing):
        for value in vars(thing).values():
            yield from contents(value, seen)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from contents(key, seen)
            yield from contents(value, seen)
    elif isinstance(thing, (list, tuple, set)):
        for value in thing:
            yield from contents(value, seen)
    elif hasattr(thing, "__wrapped__"):
        yield from contents(thing.__wrapped__, seen)
    else:
        yield pickle.dumps(thing)


def shown(s):
    """All that can be asked of a Stitched, as text."""
    tables = [
        s.events, s.profiles, s.aliases, s.duplicates, s.rejected, s.refused_links,
        s.profile_merges, s.suspects, s.report.coverage, s.report.blocked,
        s.provenance("utm_source"), s.orphans("Placed Order").events,
        s.hindsight("Placed Order", carried="utm_source").events,
    ]  # fmt: skip
    texts = [table.to_csv() for table in tables]
    texts += ["\n".join(nx.generate_gml(s.alias_graph, stringizer=str))]
    return [*texts, repr(s), s._repr_html_(), repr(s.report), repr(s.report.to_dict())]


def traces_in(text):
    folded = text if isinstance(text, bytes) else text.encode()
    return [trace for trace in TRACES if trace.lower().encode() in folded.lower()]


def saved_text(directory):
    for path in sorted(directory.iterdir()):
        yield path.read_bytes()
        if path.suffix == ".parquet":
            yield pq.read_table(path).to_pandas().to_csv()
            yield repr(pq.read_schema(path).metadata)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("duplicates", ["drop", "merge"])
@pytest.mark.parametrize("identity", ["retroactive", "as_of"])
def test_no_trace_is_left(shop, tmp_path, identity, duplicates, stored):
    s = ck.stitch(
        shop,
        identity=identity,
        duplicates=duplicates,
        block=["urn:email:test-of-ada@x.org", "urn:email:test@x.org"],
    )
    if stored:
        s.to_parquet(tmp_path / "all")
        s = ck.read_stitched(tmp_path / "all")
    # What is searched for is there before, so that the search can fail.
    shown_before = {trace for text in shown(s) for trace in traces_in(text)}
    held_before = {trace for part in contents(s) for trace in traces_in(part)}
    assert held_before >= set(TRACES) - ({"Marylebone"} if duplicates == "drop" else set())
    assert shown_before >= held_before - {"Marylebone"}

    forgotten = s.forget(ADA)
    left = forgotten.stitched
    assert not [t for part in contents(left) for t in traces_in(part)]
    assert not [t for text in shown(left) for t in traces_in(text)]
    assert not [t for part in contents(left) for t in traces_in(part)]
    assert not traces_in(repr(forgotten) + forgotten._repr_html_())
    left.to_parquet(tmp_path / "left")
    assert not [t for text in saved_text(tmp_path / "left") for t in traces_in(text)]
    again = ck.read_stitched(tmp_path / "left")
    assert_frame_equal(again.events, left.events)
    assert_frame_equal(again.duplicates, left.duplicates)

    removed = forgotten.removed.set_index("table")["rows"]
    device = 1 if duplicates == "merge" else 0
    assert removed[removed > 0].to_dict() == {
        "profiles": 1,
        "events": 5,
        "aliases": 3 + device,
        "duplicates": 1,
        "rejected": 2,
        "malformed aliases": 1,
        "blocked values": 2,
    }
    assert left.rejected["row"].tolist() == [12]
    assert left.duplicates["row"].tolist() == [6]
    assert left.report.malformed_rows == {"not a URN: expected urn:<type>:<value>": [8]}
    assert left.report.blocked.values.tolist() == [["email", "test@x.org", 1]]
    with pytest.raises(ck.UnknownAliasError):
        left.profile(ADA)


@tries(25)
@given(event_frames(max_rows=10, several=True, unset=True), modes, duplicate_modes, st.data())
def test_equals_stitching_the_events_of_the_others(frame, identity, duplicates, data):
    s = ck.stitch(frame, identity=identity, duplicates=duplicates)
    if not len(s.profiles):
        return
    gone = data.draw(st.sampled_from(s.profiles["profile_id"].tolist()))
    left = s.forget(gone).stitched

    theirs = s.events["row"][s.events["profile_id"] == gone]
    copies = s.duplicates["row"][s.duplicates["kept_row"].isin(theirs)]
    others = frame.drop(index=[*theirs, *copies])
    again = ck.stitch(others.reset_index(drop=True), identity=identity, duplicates=duplicates)

    def alike(one, other, rows=("row",)):
        for name in rows:
            other = other.assign(**{name: others.index.to_numpy()[other[name]]})
        assert_frame_equal(one, other)

    alike(left.events, again.events)
    alike(left.rejected, again.rejected)
    # An alias that only the person's kept events carried is not told of others' copies.
    told = [table.duplicates.drop(columns="lost_aliases") for table in (left, again)]
    alike(*told, rows=("row", "kept_row"))
    assert_frame_equal(left.aliases, again.aliases)
    assert_frame_equal(left.profiles, again.profiles)
    alike(left.profile_merges, again.profile_merges)
    alike(left.provenance("utm_source"), again.provenance("utm_source"), ("row", "from_row"))
    assert nx.utils.graphs_equal(
        nx.Graph(left.alias_graph.edges()), nx.Graph(again.alias_graph.edges())
    )
    if "Placed Order" in set(again.events["event_name"]):
        assert_frame_equal(
            left.alias_coverage("Placed Order"), again.alias_coverage("Placed Order")
        )
        alike(left.orphans("Placed Order").events.drop(columns="linked_row"),
              again.orphans("Placed Order").events.drop(columns="linked_row"))  # fmt: skip


@tries(20)
@given(event_frames(max_rows=10, several=True), modes, duplicate_modes, st.data())
def test_under_limits_nobody_else_changes(frame, identity, duplicates, data):
    limits = {"email": 1, "cookie": 2}
    found = set(ck.stitch(frame, duplicates=duplicates).aliases["alias_type"])
    limits = {name: limit for name, limit in limits.items() if name in found}
    s = ck.stitch(frame, identity=identity, duplicates=duplicates, limits=limits)
    if not len(s.profiles):
        return
    before = s.events.copy()
    gone = data.draw(st.sampled_from(s.profiles["profile_id"].tolist()))
    left = s.forget(gone).stitched
    theirs = s.aliases[s.aliases["profile_id"] == gone]

    assert_frame_equal(s.events, before)
    stay = (s.events["profile_id"] != gone).to_numpy()
    same = [c for c in s.events if not c.startswith("alias")]
    assert_frame_equal(left.events[same], s.events[same][stay].reset_index(drop=True))
    known = set(
        zip(s.aliases["alias_type"], s.aliases["alias_value"], s.aliases["profile_id"], strict=True)
    )
    now = left.aliases[["alias_type", "alias_value", "profile_id"]]
    assert set(now.itertuples(index=False, name=None)) <= known
    assert gone not in set(now["profile_id"])
    for alias_type, value in zip(theirs["alias_type"], theirs["alias_value"], strict=True):
        column = left.events.get(f"alias.{alias_type}")
        assert column is None or value not in set(column.dropna())
        assert f"urn:{alias_type}:{value}" not in set(left.events["aliases"].explode().dropna())
        assert not left.refused_links[["alias_a", "alias_b"]].isin([f"urn:{alias_type}:{value}"])\
            .any(axis=None)  # fmt: skip
    assert repr(left.report)
    assert len(left.profile_merges) <= len(s.profile_merges)


def test_a_short_value_is_no_word_in_rejected_rows():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "PageView"],
            "timestamp": ["2026-03-02", "7 or so", "about 7"],
            "alias.customer_id": ["7", "8", "7"],
        }
    )
    forgotten = ck.stitch(frame).forget("urn:customer_id:7")
    assert forgotten.stitched.rejected["row"].tolist() == [1]
    assert len(forgotten.stitched.events) == 0
    assert repr(forgotten.stitched).startswith("Stitched(0 events")


def test_a_value_that_others_sent_is_none_of_their_own_in_any_language():
    frame = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView", "PageView"],
            "timestamp": ["2026-03-02", "2026-03-02", "never"],
            "alias.customer_id": ["1", "2", "3"],
            "profile_properties.city": ["ΠΕΙΡΑΙΑΣ", "ΠΕΙΡΑΙΑΣ", "ΠΕΙΡΑΙΑΣ"],
        }
    )
    forgotten = ck.stitch(frame).forget("urn:customer_id:1")
    assert forgotten.stitched.rejected["row"].tolist() == [2]


def test_integer_aliases_stay_integers_where_one_is_taken_off():
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": [START + pd.Timedelta(minutes=i) for i in range(3)],
            "alias.customer_id": np.array([1, 2, 2]),
            "alias.email": ["a@x.org", "b@x.org", "a@x.org"],
        }
    )
    s = ck.stitch(frame, limits={"customer_id": 1})
    left = s.forget("urn:email:a@x.org").stitched
    assert left.events["alias.customer_id"].tolist() == [2, 2]
    assert left.events["alias.email"].isna().tolist() == [False, True]
    assert not len(left.refused_links)


def test_a_dictionary_of_values_does_not_keep_those_of_the_person():
    text = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": START,
            "alias.cookie": pd.Series(["cookie-of-ada", "c2"], dtype="category"),
            "properties.note": pd.Series(["note by ada", "note by bob"], dtype=text),
        }
    )
    left = ck.stitch(frame).forget("urn:cookie:cookie-of-ada").stitched
    assert left.events["properties.note"].tolist() == ["note by bob"]
    assert left.events["properties.note"].dtype == "category"
    assert not [t for part in contents(left) for t in traces_in(part)]


def test_says_who_is_not_known(shop):
    with pytest.raises(ck.UnknownAliasError, match="no event carries the alias"):
        ck.stitch(shop).forget("urn:email:nobody@x.org")


def test_addresses_that_others_events_name_are_blanked():
    frame = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": [START, START],
            "alias.email": ["ada@x.org", "b@x.org"],
            "properties.gift_to": [None, " ADA@x.org"],
            "properties.note": [None, "for ada"],
            "profile_properties.$referred_by": [None, "ada@x.org"],
        }
    )
    forgotten = ck.stitch(frame).forget("urn:email:ada@x.org")
    event = forgotten.stitched.events.iloc[0]
    blanked = ["properties.gift_to", "profile_properties.$referred_by", "profile.$referred_by"]
    assert event[blanked].isna().all()
    assert event["properties.note"] == "for ada"
    assert (
        forgotten.removed.set_index("table")["rows"]["cells of others that named the person"] == 3
    )


@pytest.mark.parametrize(
    ("naming", "other", "dtype"),
    [
        ("ADA@x.org", 3, object),
        (["b@x.org", "ada@x.org"], ["b@x.org"], object),
        ({"to": {"mail": "ada@x.org"}}, {"to": None}, object),
        ("Ada@x.org", "b@x.org", "category"),
        ("Ada@x.org", "b@x.org", pd.ArrowDtype(pa.string())),
        ("Ada@x.org", "b@x.org", pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
    ],
    ids=["mixed", "list", "object", "category", "arrow", "dictionary"],
)
def test_addresses_are_blanked_whatever_the_column_is_made_of(naming, other, dtype):
    frame = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": START,
            "alias.email": ["ada@x.org", "b@x.org", "c@x.org"],
            "properties.gift_to": pd.Series([None, naming, other], dtype=dtype),
        }
    )
    forgotten = ck.stitch(frame).forget("urn:email:ada@x.org")
    gift_to = forgotten.stitched.events["properties.gift_to"]
    assert gift_to.isna().tolist() == [True, False]
    assert gift_to.iloc[1] == other
    # Arrow's dictionaries are categories to everything after reading.
    assert gift_to.dtype == ("category" if "dictionary" in str(dtype) else dtype)
    if dtype == "category":
        assert gift_to.cat.categories.tolist() == [other]
    assert forgotten.removed["rows"].iloc[-1] == 1
