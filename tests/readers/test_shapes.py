"""Objects and lists in other shapes than expected: read, or named in the report."""

from __future__ import annotations

import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.events.python_text import NotPythonError, read_python_text
from tests.effort import tries

PARAMETERS = [
    {"key": "transaction_id", "value": {"string_value": "T-1001", "int_value": None}},
    {"key": "value", "value": {"string_value": None, "double_value": 42.5}},
]
GA4 = {
    "event_timestamp": 1772442480000000,
    "event_name": "purchase",
    "user_pseudo_id": "100.200",
    "event_params": PARAMETERS,
}
PAIRS = [["transaction_id", "T-1001"], ["value", 42.5]]


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def frame_csv(path, rows):
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "shape",
    [
        PARAMETERS,
        json.dumps(PARAMETERS),
        json.dumps(json.dumps(PARAMETERS)),
        f"  {json.dumps(PARAMETERS)} ",
        repr(PARAMETERS),
        str(np.array(PARAMETERS, dtype=object)),
        repr(np.array(PARAMETERS, dtype=object)).join(["{'list': ", "}"]),
        {"list": [{"element": entry} for entry in PARAMETERS]},
        {"list": [{"item": entry} for entry in PARAMETERS]},
        {"bag": [{"array_element": entry} for entry in PARAMETERS]},
        {"array": PARAMETERS},
        {"key_value": PARAMETERS},
        [{"element": entry} for entry in PARAMETERS],
        {"0": PARAMETERS[0], "1": PARAMETERS[1]},
        {"transaction_id": "T-1001", "value": 42.5},
        {"transaction_id": {"string_value": "T-1001"}, "value": {"double_value": 42.5}},
        repr({"transaction_id": "T-1001", "value": 42.5}),
        [{"transaction_id": "T-1001", "value": 42.5}],
        PAIRS,
        repr(list(map(tuple, PAIRS))),
        [{"name": key, "value": value} for key, value in PAIRS],
    ],
    ids=lambda shape: str(shape)[:40],
)
def test_the_parameters_of_ga4_are_read_in_every_shape(tmp_path, shape):
    files = [write(tmp_path / "a.jsonl", [{**GA4, "event_params": shape}])]
    if isinstance(shape, str):
        files.append(frame_csv(tmp_path / "a.csv", [{**GA4, "event_params": shape}]))
    for path in files:
        events = ck.read_events(path)
        assert events["properties.transaction_id"].tolist() == ["T-1001"]
        assert events["properties.value"].tolist() == [42.5]
        assert "read_shapes" not in events
        assert not any("nothing was read" in text for text in ck.stitch(events).report.warnings)


def test_pandas_writes_a_frame_of_arrays_that_is_read_again(tmp_path):
    items = np.array([{"price": np.float64(3.5), "name": "Tea\n'black'"}], dtype=object)
    row = {
        **GA4,
        "event_params": np.array(PARAMETERS, dtype=object),
        "ecommerce": {"transaction_id": "T-1001", "purchase_revenue": decimal.Decimal("42.50")},
        "items": items,
    }
    events = ck.read_events(frame_csv(tmp_path / "a.csv", [row, row]))
    assert events["properties.items"].tolist() == [[{"price": 3.5, "name": "Tea\n'black'"}]] * 2
    assert events["properties.purchase_revenue"].tolist() == [42.5, 42.5]
    assert events["properties.transaction_id"].tolist() == ["T-1001"] * 2


SEGMENT = {
    "messageId": "m1",
    "type": "track",
    "event": "Order Completed",
    "anonymousId": "a1",
    "timestamp": "2026-03-02T10:00:00Z",
    "properties": {"total": 40},
    "context": {"page": {"url": "https://shop.test/"}},
}
SHOPIFY = {
    "id": 9001,
    "order_number": 1001,
    "created_at": "2026-03-02T10:00:00+01:00",
    "currency": "EUR",
    "total_price": "80.00",
    "financial_status": "paid",
    "email": "mira@example.com",
    "customer": {"id": 77},
    "line_items": [{"title": "Beans", "quantity": 2, "price": "40.00"}],
}
AMPLITUDE = {
    "event_type": "order",
    "event_time": "2026-03-02 10:00:00",
    "device_id": "d1",
    "amplitude_id": 7,
    "$insert_id": "i1",
    "event_properties": {"total": 40},
    "user_properties": {"plan": "pro"},
}
POSTHOG = {
    "uuid": "u1",
    "event": "order",
    "distinct_id": "d1",
    "timestamp": "2026-03-02T10:00:00Z",
    "properties": {"total": 40},
}
CONVERGE = {
    "eventName": "Placed Order",
    "timestamp": "2026-03-02T10:00:00Z",
    "aliases": ["urn:email:ada@example.com"],
    "properties": {"total": 40},
    "profileProperties": {"plan": "pro"},
}
FIELDS = [
    (SEGMENT, "properties", "properties.total"),
    (SEGMENT, "context", "properties.$url"),
    (SHOPIFY, "customer", "alias.customer_id"),
    (SHOPIFY, "line_items", "properties.items"),
    (AMPLITUDE, "event_properties", "properties.total"),
    (AMPLITUDE, "user_properties", "profile_properties.plan"),
    (POSTHOG, "properties", "properties.total"),
    (CONVERGE, "properties", "properties.total"),
    (CONVERGE, "profileProperties", "profile_properties.plan"),
    (GA4, "event_params", "properties.value"),
    (GA4 | {"user_properties": PARAMETERS}, "user_properties", "profile_properties.value"),
    (GA4 | {"ecommerce": {"transaction_id": "7"}}, "ecommerce", "properties.transaction_id"),
]


def sent(row, field, other):
    """Return three rows, of which the first two have another value in the field."""
    rows = [{**row, field: other}, {**row, field: other}, row]
    key = next((name for name in ("messageId", "id", "$insert_id", "uuid") if name in row), None)
    return [{**each, **({key: f"{n}"} if key else {})} for n, each in enumerate(rows)]


@pytest.mark.parametrize(("row", "field", "column"), FIELDS)
def test_a_field_is_read_as_python_prints_it(tmp_path, row, field, column):
    path = write(tmp_path / "a.jsonl", sent(row, field, repr(row[field])))
    values = ck.read_events(path)[column]
    assert values.notna().all()
    assert len(set(map(str, values))) == 1


@pytest.mark.parametrize(("row", "field", "column"), FIELDS)
@pytest.mark.parametrize(
    ("other", "shape"),
    [("ada@example.com", "text"), (7.25, "a number"), (True, "true or false")],
)
def test_another_shape_is_a_warning_that_does_not_show_it(
    tmp_path, row, field, column, other, shape
):
    path = write(tmp_path / "a.jsonl", sent(row, field, other))
    s = ck.stitch(ck.read_events(path))
    assert (len(s.events), len(s.rejected)) == (3, 0)
    name = {"profileProperties": "profile_properties"}.get(field, field)
    said = f"{name} is {shape} in 2 of 3 rows of a.jsonl: nothing was read from it"
    assert [said in text for text in s.report.warnings].count(True) == 1
    assert s.report.warnings[0].startswith(said)
    assert "nothing was read" not in str(s.report.remarks)
    assert "ada@" not in "".join(s.report.warnings)
    # It survives saving and a store, and a segment leaves it to the whole.
    s.to_parquet(tmp_path / "saved")
    assert ck.read_stitched(tmp_path / "saved").report.warnings == s.report.warnings
    store = ck.open_store(tmp_path / "store")
    store.add(path)
    assert s.report.warnings[0] in store.stitched().report.warnings
    assert "read_shapes" not in s.events
    part = s.where(events={"event_name": s.events["event_name"].iloc[0]})
    assert not [text for text in part.report.warnings if "was read" in text]


@pytest.mark.parametrize(("row", "field", "column"), FIELDS)
@pytest.mark.parametrize(
    "nothing", [None, "", " ", "null", "NULL", "undefined", [], {}, "[]", "{}"]
)
def test_an_empty_field_is_no_other_shape(tmp_path, row, field, column, nothing):
    path = write(tmp_path / "a.jsonl", sent(row, field, nothing))
    s = ck.stitch(ck.read_events(path))
    assert len(s.rejected) == 0
    assert not any("nothing was read" in text for text in s.report.warnings)


@pytest.mark.parametrize(("row", "field", "column"), FIELDS)
@pytest.mark.parametrize("broken", ['{"total": 40', "[{'key': 'a'", "{total=40, plan=pro}"])
def test_text_that_begins_as_an_object_and_is_broken_is_a_read_error(
    tmp_path, row, field, column, broken
):
    path = write(tmp_path / "a.jsonl", sent(row, field, broken))
    events = ck.read_events(path)
    assert events["read_error"].notna().tolist() == [True, True, False]
    assert events["read_error"].dropna().str.contains("neither JSON nor").all()
    with pytest.raises(ck.ReadError, match=r"a\.jsonl, line 1"):
        ck.read_events(path, strict=True)


def test_files_fields_and_shapes_are_counted_apart_and_bounded(tmp_path):
    for name, size in (("a", 3), ("b", 2)):
        row = {**GA4, "event_params": "x", "user_properties": 7}
        write(tmp_path / f"{name}.jsonl", [row] * size + [GA4])
    warnings = ck.stitch(ck.read_events(tmp_path / "*.jsonl")).report.warnings
    told = [text.partition(": nothing")[0] for text in warnings if "nothing was read" in text]
    assert told == [
        "event_params is text in 3 of 4 rows of a.jsonl",
        "user_properties is a number in 3 of 4 rows of a.jsonl",
        "event_params is text in 2 of 3 rows of b.jsonl",
        "user_properties is a number in 2 of 3 rows of b.jsonl",
    ]
    for number in range(12):
        write(tmp_path / f"c{number:02d}.jsonl", [{**GA4, "event_params": "x"}])
    warnings = ck.stitch(ck.read_events(tmp_path / "c*.jsonl")).report.warnings
    told = [text for text in warnings if "nothing was read" in text]
    assert len(told) == 11
    assert told[-1].startswith("2 more fields have other shapes: nothing was read from them")


def test_a_list_of_which_some_entries_have_no_key_is_read_in_part(tmp_path):
    path = write(tmp_path / "a.jsonl", [{**GA4, "event_params": [*PARAMETERS, 7, {"x": 1}]}])
    s = ck.stitch(ck.read_events(path))
    assert s.events["properties.value"].tolist() == [42.5]
    said = "event_params has entries without a key in 1 of 1 row of a.jsonl"
    assert s.report.warnings[0].startswith(f"{said}: nothing was read from these")


@pytest.mark.parametrize(
    "aliases",
    [
        "['urn:email:ada@example.com', 'urn:cookie:c1']",
        "['urn:email:ada@example.com'\n 'urn:cookie:c1']",
        "('urn:email:ada@example.com', 'urn:cookie:c1')",
        {"list": [{"element": "urn:email:ada@example.com"}, {"element": "urn:cookie:c1"}]},
        [{"element": "urn:email:ada@example.com"}, {"element": "urn:cookie:c1"}],
        '{"list": ["urn:email:ada@example.com", "urn:cookie:c1"]}',
    ],
)
def test_aliases_are_read_in_every_shape(aliases):
    s = ck.stitch(pd.DataFrame([{**CONVERGE, "aliases": aliases}]))
    urns = s.aliases["alias_type"].astype(str) + ":" + s.aliases["alias_value"]
    assert sorted(urns) == ["cookie:c1", "email:ada@example.com"]
    assert not s.report.malformed


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@tries(300)
@given(st.dictionaries(st.text(), values) | st.lists(values))
def test_what_python_prints_is_read_as_it_was(value):
    assert read_python_text(repr(value)) == value


@tries(300)
@given(st.lists(st.dictionaries(st.text(), values), min_size=2))
def test_what_numpy_prints_is_read_as_it_was(entries):
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    with np.printoptions(threshold=10_000):
        assert read_python_text(str(array)) == entries
        assert read_python_text(f"[{array!r}]") == [entries]


@tries(300)
@given(st.text(alphabet="[]{}()'\",:=\\ n1-.eE_aN\n") | st.text())
def test_any_text_is_read_or_refused(text):
    try:
        found = read_python_text(text)
    except NotPythonError:
        return
    assert isinstance(found, dict | list)


@pytest.mark.parametrize(
    "text",
    [
        "[__import__('os').getcwd()]",
        "[open('x')]",
        "[" * 5000 + "]" * 5000,
        "{'a': " * 5000,
        "[(lambda: 1)()]",
        "['a', ...]",
        "[1 2]",
        "{'a': 1, 'a': 2}",
        "[1+2]",
    ],
)
def test_nothing_is_evaluated_and_nothing_goes_too_deep(text):
    with pytest.raises(NotPythonError):
        read_python_text(text)


def test_moments_are_read():
    moment = datetime.datetime(2026, 3, 2, 10, 5, tzinfo=datetime.UTC)
    found = read_python_text(repr([moment, moment.replace(tzinfo=None), moment.date()]))
    assert found == [
        "2026-03-02T10:05:00.000000Z",
        "2026-03-02T10:05:00.000000",
        "2026-03-02T00:00:00.000000",
    ]
    zoned = repr([pd.Timestamp(moment), pd.NaT])
    assert read_python_text(zoned) == ["2026-03-02 10:05:00+0000", None]
