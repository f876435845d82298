"""The schemas say of a row what the reader does with it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pandas as pd
import pandera.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema" / "events.schema.json"
SCHEMA = jsonschema.Draft202012Validator(ck.event_schema())
TIME = "2026-03-02T10:00:00Z"
#: Beside a row, so that every column is there.
GOOD = {
    "event_name": "PageView",
    "event_id": "good",
    "timestamp": TIME,
    "received_at": TIME,
    "source": "shop",
    "state_at": TIME,
    "aliases": ["urn:cookie:good"],
    "alias.email": "good@example.com",
    "properties": {"good": 1},
    "profile_properties": {"good": 1},
}

TIMES = [
    *(TIME, "2026-03-02", "2026-03", "2026-3-2", "2026-03-02 10", "2026-03-02T10:00"),
    "  2026-03-02 ",
    *("2026-03-02T10:00:00.123456789+01:00", "2026-03-02T10:00:00+0100", "2026-03-02T10:00:00 UTC"),
    *("2026-03-02T9:5:7", "2026-03-02T0905", "2026-03-02T23:59:59.", "2026-03-02T10:00+14:00"),
    *("2026-03-02T10:00-23:59", "2026-03-02 10:00 +01", "0001-01-01", "20260302T100000.5"),
    *("20260302T100000Z", "1772442000", "-1772442000.5", "+1772442000123"),
    *("2 March 2026", "Mon, 02 Mar 2026 10:00:00 GMT", "MARCH 2 2026 10:00"),
    *("2026/3/2", "2026/03/02 10:00"),
    *(1772442000, 1772442000.5, 1e8, -1e8, 1772442000123456, 8.9e18),
]  # fmt: skip
NO_TIMES = [
    *("", " ", "soon", "now", "today", "2026", "20260302", "202603", "10:00", "03/04/2026", "/5"),
    *("2026-13-01", "2026-03-32", "March", "1e10", "12345678", "2026-W10-1", "urn:cookie:1"),
    *("2026-01-01T24:00:00", "2026-01-01T24", "2026-01-01T99:99", "2026-01-01T10:60"),
    *("2026-01-01T23:59:60", "2026-01-01T9", "2026-01-01T905", "2026-01-01T09:0507"),
    *("2026-01-01T10:00+99:99", "2026-01-01T10:00+24:00", "2026-01-01T10:00+10:60"),
    *("2026-01-01T10:00z", "0000-01-01", "0000-01", "00000101T10", "0000/1/1", "2026/13/1"),
    *(0, 99999999, 9e18, -9e18, True, False, [TIME], {"at": TIME}, [], {}),
]
WORDS = ["a", "Ada", "7f3a", "ada@example.com", "é", "x y"]
SCALARS = st.sampled_from([*WORDS, 5, 5.5, 0, -1, None, "", " "])
NOT_SCALARS = st.sampled_from([True, False, [], ["a"], {}, {"a": 1}])
URNS = [
    "urn:cookie:1",
    "URN:email:a@x.org",
    " urn:card: 7 ",
    "urn:card:",
    "urn:a:b:c",
    "urn:e:null",
]
NO_URNS = ["x", "", "urn:", "urn::x", "urn: :x", "cookie:1", 5, True, ["urn:a:b"]]
LISTS = st.one_of(
    st.none(),
    st.sampled_from([*URNS, '["urn:cookie:1"]', "[]", "", " "]),
    st.lists(st.sampled_from([*URNS, None]), max_size=3),
)
NOT_LISTS = st.one_of(
    st.sampled_from(["x", "urn::x", 5, True, {"a": 1}]),
    st.lists(st.sampled_from([*URNS, None, *NO_URNS]), min_size=1, max_size=3),
)
JSON = st.recursive(
    st.sampled_from([*WORDS, 5, 5.5, True, None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)
OBJECTS = st.one_of(
    st.none(),
    st.dictionaries(st.sampled_from(["$url", "plan", "items"]), JSON, max_size=2),
    st.sampled_from(["", '{"plan": "free"}', "null", [{"key": "plan", "value": "free"}]]),
)
NOT_OBJECTS = st.sampled_from(["x", "a=1", 5, True, ["a"], [5]])


def often(right, wrong):
    """Mostly what is right: a row with one fault says more than one with ten."""
    return st.one_of(right, right, right, right, right, wrong)


times = often(st.sampled_from([*TIMES, None]), st.sampled_from(NO_TIMES))
#: A field has one spelling in a row: no schema compares two.
FIELDS = {
    ("event_name", "eventName", "event"): often(SCALARS, NOT_SCALARS),
    ("event_id", "eventID", "eventId"): often(SCALARS, NOT_SCALARS),
    ("timestamp",): times,
    ("received_at", "receivedAt"): times,
    ("source",): often(SCALARS, NOT_SCALARS),
    ("state_at",): times,
    ("aliases",): often(LISTS, NOT_LISTS),
    ("alias.cookie", "__cvg_uid"): often(SCALARS, NOT_SCALARS),
    ("alias.email",): often(SCALARS, NOT_SCALARS),
    ("properties",): often(OBJECTS, NOT_OBJECTS),
    ("profile_properties", "profileProperties"): often(OBJECTS, NOT_OBJECTS),
    ("properties.total",): JSON,
    ("anything",): JSON,
}


@st.composite
def rows(draw):
    """Rows of which each field is right, wrong, or not there."""
    row = {}
    for spellings, values in FIELDS.items():
        usual = spellings[0] in ("event_name", "timestamp")
        if draw(st.integers(0, 9)) < (9 if usual else 3):
            row[draw(st.sampled_from(spellings))] = draw(values)
    return row


def taken_whole(row):
    """Return whether the reader takes a row, and all that is in it."""
    # An object of a single cell, whatever it is; so that no column gets a type of its own.
    frame = pd.DataFrame(
        {
            name: pd.Series([row.get(name), GOOD.get(name)], dtype=object)
            for name in dict.fromkeys([*row, *GOOD])
        }
    )
    s = ck.stitch(ck.read_events(frame, format="converge"))
    lost = [
        remark
        for remark in [*s.report.remarks, *s.report.warnings]
        if ("treated as missing" in remark and "placeholder" not in remark)
        or "nothing was read" in remark
    ]
    return not len(s.rejected) and not len(s.tables.malformed) and not lost


@given(rows())
@tries(50)
def test_a_row_validates_if_it_is_taken_whole(row):
    assert SCHEMA.is_valid(row) == taken_whole(row)


def test_what_is_a_time_validates():
    rows = pd.DataFrame({"event_name": "A", "timestamp": pd.Series(TIMES, dtype=object)})
    assert ck.stitch(rows.assign(aliases=None)).rejected.empty
    for row in rows.to_dict("records"):
        SCHEMA.validate(row)


def test_what_is_not_a_time_does_not():
    rows = pd.DataFrame({"event_name": "A", "timestamp": pd.Series(NO_TIMES, dtype=object)})
    assert ck.stitch(rows.assign(aliases=None)).events.empty
    assert not any(map(SCHEMA.is_valid, rows.to_dict("records")))


@given(st.sampled_from([t for t in TIMES if isinstance(t, str)]), st.data())
@tries(25)
def test_no_time_that_is_read_is_refused(time, data):
    # Of texts that are nearly times a schema lets some through that the reader rejects, such as
    # the 30th of February; never the other way round.
    letters = list(time)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(letters)))
        letters[place : place + data.draw(st.integers(0, 1))] = data.draw(
            st.sampled_from(["", *"0123456789-:TZ+. /Mar"])
        )
    row = {"event_name": "A", "timestamp": "".join(letters)}
    assert SCHEMA.is_valid(row) or not taken_whole(row)


def test_limits_are_those_that_the_docs_name():
    for row in (
        {"event_name": "A", "timestamp": "2026-02-30"},
        {"event_name": "A", "timestamp": TIME, "event": "B"},
        {"event_name": "A", "timestamp": TIME, "properties": "{plan"},
        {"event_name": "A", "timestamp": TIME, "aliases": "[plan"},
        {"event_name": "A", "timestamp": TIME, "aliases": "[1]"},
        {"event_name": "A", "timestamp": "2026/1/1 99:99"},
        {"event_name": "A", "timestamp": "9999-12-31T23:59-01:00"},
        {"event_name": "A", "timestamp": TIME, "properties": {f"p{n}": n for n in range(20_000)}},
    ):
        SCHEMA.validate(row)
        assert not taken_whole(row)


def test_the_published_schema_is_this_one():
    jsonschema.Draft202012Validator.check_schema(ck.event_schema())
    assert json.loads(PUBLISHED.read_text("utf-8")) == ck.event_schema()
    # A caller's changes are the caller's.
    ck.event_schema()["properties"].clear()
    assert ck.event_schema()["properties"]


def test_simulated_events_validate():
    events = ck.simulate_store().events
    for row in json.loads(events.to_json(orient="records", date_format="iso"))[:100]:
        SCHEMA.validate(row)


# Frames.


@given(st.lists(rows(), min_size=1, max_size=4))
@tries(12)
def test_a_frame_fails_where_the_reader_rejects(some):
    names = dict.fromkeys(name for row in (*some, GOOD) for name in row)
    frame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in (*some, GOOD)], dtype=object) for name in names}
    )
    before = frame.copy(deep=True)
    s = ck.stitch(frame)
    bad = {*s.rejected["row"], *s.tables.malformed["row"]}
    try:
        ck.frame_schema().validate(frame, lazy=True)
        found = set()
    except pandera.errors.SchemaErrors as errors:
        found = set(errors.failure_cases["index"])
    assert found == bad
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("lacking", ["timestamp", "event_name"])
def test_a_frame_without_a_column_fails(lacking):
    frame = pd.DataFrame({"event_name": ["A"], "timestamp": [TIME]})
    frame = frame.drop(columns=lacking)
    with pytest.raises(pandera.errors.SchemaError, match="column. Found"):
        ck.frame_schema().validate(frame)


def test_stitched_events_validate():
    events = ck.stitch(ck.simulate_store().events).events
    schema = ck.frame_schema("stitched")
    pd.testing.assert_frame_equal(schema.validate(events), events)
    for broken in (
        events.drop(columns="profile_id"),
        events.assign(kind="click"),
        events.assign(timestamp=events["timestamp"].dt.tz_convert(None)),
        events.assign(event_name=None).astype({"event_name": "str"}),
        pd.concat([events, events]),
    ):
        with pytest.raises(pandera.errors.SchemaError):
            schema.validate(broken)
    with pytest.raises(ck.ConvergekitError, match="of must be one of"):
        ck.frame_schema("profiles")


def test_pandera_is_named_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandera.pandas", None)
    with pytest.raises(ck.ConvergekitError, match=r'pip install "convergekit\[pandera\]"'):
        ck.frame_schema()
