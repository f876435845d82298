"""Any cell of an export replaced by another kind of value: no row is lost, nothing raises."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers.vendors.enriched_tsv import ENRICHED
from tests.effort import tries
from tests.readers.test_documented_fields import TABLE, with_value

ODD = [
    None, "", " ", "text", "0", "[", "{", "[]", "{}", '{"data": [1]}', '{"a": 1, "a": 2}', "\\N",
    "NULL", True, 0, -1, 1.5, 1e300, 2**70, [], [1], [None], [[]], {}, {"a": {"b": []}},
    {"data": {"data": 1}}, {"data": [{"schema": "iglu:a/b/jsonschema/1-0-0"}]}, [{"key": []}],
    "2026-03-02T10:00:00Z", 1772442480, "urn:cookie:1",
]  # fmt: skip


def places(row, prefix=""):
    """Yield the path of every value, and of every object that holds values."""
    for key, value in row.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from places(value, f"{prefix}{key}.")


def filled(name):
    row, fields = TABLE[name]
    for field in fields:
        if not any(field.startswith(f"{other}.") or other.startswith(f"{field}.")
                   for other in places(row)) and field not in set(places(row)):  # fmt: skip
            row = with_value(row, field, "x")
    return row


ROWS = {name: filled(name) for name in TABLE}


def replaced(row, path, value):
    row = deepcopy(row)
    *outer, last = path.split(".")
    place = row
    for key in outer:
        if not isinstance(place.get(key), dict):
            return row
        place = place[key]
    place[last] = value
    return row


@st.composite
def exports(draw, name):
    row = ROWS[name]
    paths = sorted(set(places(row)))
    rows = [row]
    for _ in range(draw(st.integers(1, 3))):
        one = row
        for _ in range(draw(st.integers(1, 3))):
            one = replaced(one, draw(st.sampled_from(paths)), draw(st.sampled_from(ODD)))
        rows.append(one)
    return rows


def all_there(read, count):
    """Assert that each row is an event, a copy or rejected with a reason."""
    # Lines that are gathered into an event are counted there.
    assert (read["read_lines"].sum() if "read_lines" in read else len(read)) == count
    s = ck.stitch(read)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(read)
    assert s.rejected["reason"].notna().all()


@pytest.mark.parametrize("name", TABLE)
def test_no_row_of_a_frame_is_lost(name):
    @tries(60, deadline=None)
    @given(exports(name))
    def check(rows):
        all_there(ck.read_events(pd.DataFrame(rows), format=name), len(rows))

    check()


@pytest.mark.parametrize("name", ["posthog", "mixpanel", "amplitude", "ga4", "segment_tracks"])
def test_no_row_of_a_file_is_lost(name):
    @tries(40, deadline=None)
    @given(exports(name))
    def check(rows):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{name}.jsonl")
            path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
            all_there(ck.read_events(path, format=name), len(rows))

    check()


def test_no_action_of_a_visit_is_lost():
    action, visit = ROWS["matomo"]["action"], ROWS["matomo"]["visit"]
    fields = st.sampled_from(sorted(action))

    @tries(60, deadline=None)
    @given(st.lists(st.tuples(fields, st.sampled_from(ODD)), max_size=4), st.sampled_from(ODD))
    def check(changes, odd):
        actions = [action, *({**action, field: value} for field, value in changes), odd]
        visits = [{**visit, "actionDetails": actions}, {**visit, "actionDetails": []}]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "visits.json")
            path.write_text(json.dumps(visits), "utf-8")
            all_there(ck.read_events(path), len(actions) + 1)

    check()


def test_no_line_of_the_enriched_tsv_is_lost():
    cells = {**dict.fromkeys(ENRICHED, ""), "collector_tstamp": "2026-03-02 10:00:00",
             "event_id": "f1a20968-586a-4bec-9da1-c797bfed44a2", "event": "unstruct",
             "event_name": "order", "domain_userid": "d-1"}  # fmt: skip
    odd = [json.dumps(value) if isinstance(value, (dict, list)) else str(value) for value in ODD]

    @tries(60, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(ENRICHED), st.sampled_from(odd)), max_size=5))
    def check(changes):
        lines = ["\t".join(cells.values())]
        lines += ["\t".join({**cells, field: value}.values()) for field, value in changes]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "enriched.tsv")
            path.write_text("\n".join(lines), "utf-8")
            all_there(ck.read_events(path), len(lines))

    check()


ANSWER = st.recursive(
    st.sampled_from([None, True, 1, "a", {"id": 1, "created_at": "2026-03-02"}]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["orders", "count", "data", "columns", "results", "id"]),
                        inner, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


@tries(200, deadline=None)
@given(st.lists(ANSWER, min_size=1, max_size=3), st.sampled_from(["json", "jsonl"]))
def test_answers_of_any_shape_are_read_or_refused(answers, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"answer.{suffix}")
        path.write_text("\n".join(map(json.dumps, answers)), "utf-8")
        try:
            read = ck.read_events(path)
        except ck.ConvergekitError:
            return
        assert read["line"].gt(0).all() if len(read) else True
