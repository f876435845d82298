"""Values nested deep, rows of many keys and events of many aliases: bounded, and never slow."""

from __future__ import annotations

import csv
import json
import sys
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import convergekit as ck
from convergekit.base.bounds import (
    DEEPEST,
    MOST_ALIASES,
    MOST_COLUMNS,
    TOO_DEEP,
    TOO_MANY_ALIASES,
    TOO_WIDE,
)

ROW = {"event_name": "A", "timestamp": "2026-03-02T10:00:00Z", "aliases": ["urn:cookie:c"]}
DEEP = [DEEPEST + 1, 500, 10_000]
COLUMNS = ["properties", "profileProperties", "unset", "set_once", "event_id", "source", "note"]


def nested(levels, kind=dict):
    value = 1
    for _ in range(levels):
        value = {"a": value} if kind is dict else [value]
    return value


def text(levels, kind=dict):
    opening, closing = ('{"a":', "}") if kind is dict else ("[", "]")
    return opening * levels + "1" + closing * levels


def line(**values):
    """A line of JSON in which some values are given as JSON text, however deep."""
    others = {name: value for name, value in ROW.items() if name not in values}
    pieces = [json.dumps(others)[1:-1], *(f'"{n}": {value}' for n, value in values.items())]
    return "{" + ", ".join(filter(None, pieces)) + "}"


def read(tmp_path, content, name="a.jsonl", **options):
    (tmp_path / name).write_text(content)
    return ck.read_events(tmp_path / name, **options)


def reasons(events):
    s = ck.stitch(events)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(events)
    return s.rejected["reason"].tolist()


# Deep


@pytest.mark.parametrize("levels", DEEP)
@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("kind", [dict, list])
def test_a_deep_value_rejects_its_row_alone(tmp_path, levels, name, kind):
    expected = [f"{name}: {TOO_DEEP}"]
    deep = line(**{name: text(levels, kind)})
    assert reasons(read(tmp_path, f"{line()}\n{deep}\n{line()}\n")) == expected
    assert reasons(read(tmp_path, f"[{line()},\n{deep},\n{line()}]", "a.json")) == expected
    frame = pd.DataFrame([ROW, ROW | {name: nested(levels, kind)}, ROW])
    assert reasons(frame) == expected


@pytest.mark.parametrize("levels", DEEP)
@pytest.mark.parametrize(
    ("name", "kind"),
    [("properties", dict), ("profileProperties", dict), ("unset", list), ("aliases", list)],
)
def test_a_deep_value_as_json_text_rejects_its_row_alone(tmp_path, levels, name, kind):
    deep = json.dumps(ROW | {name: text(levels, kind)})
    found = reasons(read(tmp_path, f"{line()}\n{deep}\n"))
    canonical = "profile_properties" if name == "profileProperties" else name
    assert found == [f"{canonical}: {TOO_DEEP}"]


@pytest.mark.parametrize("levels", DEEP)
def test_a_deep_cell_of_a_csv_rejects_its_row_alone(tmp_path, levels):
    with (tmp_path / "a.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["event_name", "timestamp", "alias.cookie", "properties.items"])
        for cell in ('[{"sku": 1}]', text(levels), "[]"):
            table.writerow(["A", "2026-03-02", "c", cell])
    events = ck.read_events(tmp_path / "a.csv")
    assert events["properties.items"].tolist() == [[{"sku": 1}], None, []]
    assert reasons(events) == [f"properties.items: {TOO_DEEP}"]
    with pytest.raises(ck.ReadError, match=r"a\.csv, line 3: properties\.items: nested more than"):
        ck.read_events(tmp_path / "a.csv", strict=True)


def test_brackets_that_are_not_closed_are_text(tmp_path):
    for opening in ("[" * 500, "[" * 100_000, '{"a":' * 10_000):
        events = read(tmp_path, json.dumps(ROW | {"properties": {"note": opening}}) + "\n")
        assert events["properties.note"].tolist() == [opening]
        assert reasons(events) == []


@pytest.mark.parametrize("levels", DEEP)
def test_an_array_around_a_deep_row_keeps_the_others(tmp_path, levels):
    for wrapped in ('{"orders": [%s, %s]}', "[%s, %s]"):
        events = read(tmp_path, wrapped % (line(), line(note=text(levels))), "a.json")
        assert reasons(events) == [f"note: {TOO_DEEP}"]


@pytest.mark.parametrize("levels", DEEP)
def test_a_deep_value_of_a_vendor_rejects_its_row_alone(tmp_path, levels):
    usual = {"uuid": "1", "event": "A", "distinct_id": "d", "timestamp": ROW["timestamp"]}
    start = json.dumps(usual)[:-1]
    content = f'{start}, "properties": {{}}}}\n{start}, "properties": {{"x": {text(levels)}}}}}\n'
    assert reasons(read(tmp_path, content)) == [f"properties: {TOO_DEEP}"]
    rows = [usual | {"properties": json.dumps({"y": 1})}, usual | {"properties": text(levels)}]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    assert reasons(read(tmp_path, content)) == [f"properties: {TOO_DEEP}"]
    frame = pd.DataFrame([usual | {"properties": {}}, usual | {"properties": nested(levels)}])
    assert reasons(ck.read_events(frame)) == [f"properties: {TOO_DEEP}"]


def test_deep_values_of_other_kinds():
    deep_tuple, circle = (), []
    for _ in range(500):
        deep_tuple = (deep_tuple,)
    circle.append(circle)
    array = np.empty(1, dtype=object)
    array[0] = nested(500)
    for value in (deep_tuple, {deep_tuple: 1}, circle, array, {"a": deep_tuple}):
        frame = pd.DataFrame([ROW, ROW]).assign(note=pd.Series([None, value], dtype=object))
        assert reasons(frame) == [f"note: {TOO_DEEP}"]
    words = pd.Categorical([(), deep_tuple])
    assert reasons(pd.DataFrame([ROW, ROW]).assign(note=words)) == [f"note: {TOO_DEEP}"]


def test_a_deep_column_of_arrow_is_an_error_that_says_what_to_do(tmp_path):
    cells = pa.array([1, 2])
    for _ in range(DEEPEST + 1):
        cells = pa.StructArray.from_arrays([cells], ["a"])
    table = pa.table({"event_name": ["A", "B"], "timestamp": ["2026-03-02"] * 2, "note": cells})
    with pytest.raises(ck.ConvergekitError, match="as JSON text"):
        ck.stitch(table)
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ck.ReadError, match=r"a\.parquet: .*nested more than 100 levels deep\. L"):
        ck.read_events(tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", [dict, list])
def test_what_is_not_too_deep_goes_all_the_way(tmp_path, kind):
    value = nested(DEEPEST - 1, kind)
    rows = [ROW | {"event_id": n, "properties": {"note": value}} for n in (1, 2, 2)]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    s = ck.stitch(read(tmp_path, content))
    assert len(s.rejected) == 0
    assert s.events["properties.note"].tolist() == [value] * 2
    s.to_parquet(tmp_path / "saved")
    assert ck.read_stitched(tmp_path / "saved").events["properties.note"].tolist() == [value] * 2
    s.to_converge(tmp_path / "converge")
    assert s.to_arrow().num_rows == 2
    assert "A" in s.profile("urn:cookie:c")._repr_html_()
    assert repr(s.events)
    assert repr(s.duplicates)
    assert "3 rows" in repr(s.report)
    assert ck.check_up(read(tmp_path, content)).to_dict()


# Wide


def keys(count, start=0):
    return {f"k{n}": n for n in range(start, start + count)}


@pytest.mark.parametrize(
    "values",
    [
        keys(100_000),
        {"properties": keys(100_000)},
        {"profile_properties": keys(100_000)},
        {"properties": json.dumps(keys(100_000))},
    ],
    ids=["row", "properties", "profile properties", "JSON text"],
)
def test_a_line_of_too_many_keys_rejects_itself_alone(tmp_path, values):
    content = "".join(json.dumps(row) + "\n" for row in (ROW, ROW | values, ROW))
    events = read(tmp_path, content)
    assert events.shape[1] < 10
    (reason,) = reasons(events)
    assert reason.endswith(TOO_WIDE)
    with pytest.raises(ck.ReadError, match=r"a\.jsonl, line 2: .*at most 10,000 columns"):
        ck.read_events(tmp_path / "a.jsonl", strict=True)


def test_lines_that_bring_too_many_keys_together(tmp_path, monkeypatch):
    from convergekit.base import bounds
    from convergekit.readers import json_files, reading

    monkeypatch.setattr(json_files, "BATCH_ROWS", 3)
    monkeypatch.setattr(reading, "MOST_COLUMNS", 20)
    monkeypatch.setattr(bounds.too_wide, "__defaults__", (20,))
    rows = [ROW | {"properties": {f"k{n}": n, "same": n}} for n in range(30)]
    events = read(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    kept = [name for name in events.columns if name.startswith("properties.")]
    assert kept == ["properties.k0", "properties.same", *(f"properties.k{n}" for n in range(1, 16))]
    assert set(reasons(events)) == {TOO_WIDE}
    assert len(reasons(events)) == 14


def test_a_table_of_too_many_columns_is_an_error(tmp_path):
    names = ["event_name", "timestamp", *keys(MOST_COLUMNS)]
    with pytest.raises(ck.ReadError, match=r"a\.csv: the header has 10,002 columns; events have"):
        read(tmp_path, ",".join(names) + "\n", "a.csv")
    pq.write_table(pa.table({name: pa.array(["1"]) for name in names}), tmp_path / "a.parquet")
    with pytest.raises(ck.ReadError, match=r"a\.parquet: has 10,002 columns; events have at most"):
        ck.read_events(tmp_path / "a.parquet")


def test_a_late_key_that_stands_twice_among_many(tmp_path):
    # Counting each key among all would take minutes.
    twice = json.dumps(keys(200_000))[:-1] + ', "k199999": 1}'
    found = reasons(read(tmp_path, f"{line()}\n{line(note=twice)}\n"))
    assert found == ["not JSON: the key 'k199999' stands twice in one object"]


@pytest.mark.parametrize("count", [MOST_ALIASES, MOST_ALIASES + 1])
def test_an_event_has_a_thousand_aliases_at_most(count):
    urns = [f"urn:cookie:v{n}" for n in range(count)]
    for crowd in (urns, json.dumps(urns)):
        s = ck.stitch(pd.DataFrame([ROW, ROW | {"aliases": crowd}]))
        assert len(s.rejected) == (count > MOST_ALIASES)
        assert len(s.aliases) == 1 + count * (count <= MOST_ALIASES)


def test_aliases_in_columns_and_lists_count_together():
    columns = {f"alias.type{n}": "x" for n in range(MOST_ALIASES - 1)}
    rows = [ROW | columns, ROW | columns | {"aliases": ["urn:cookie:c", "urn:cookie:d"]}, ROW]
    assert reasons(ck.read_events(pd.DataFrame(rows))) == [TOO_MANY_ALIASES]


# Work that grows with the columns, counted as calls of Python and C


def calls(work):
    count = 0

    def seen(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    threading.setprofile(seen)
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return count


def wide(kind, count):
    rows = {
        "properties": {"properties": keys(count)},
        "lists": {"properties": {name: [1] for name in keys(count)}},
        "profile properties": {"profile_properties": keys(count)},
        "names in unset": {"profile_properties": keys(count), "unset": list(keys(count))},
        "alias types": {"aliases": [f"urn:t{n}:1" for n in range(count)]},
    }
    rows = [ROW | {"event_id": "1"}, ROW | {"event_id": "2"} | rows[kind], ROW | {"event_id": "2"}]
    return pd.DataFrame(rows)


QUESTIONS = {
    "read": ck.read_events,
    "stitch": ck.stitch,
    "as of": lambda events: ck.stitch(events, identity="as_of"),
    "merge": lambda events: ck.stitch(events, duplicates="merge"),
    "profiles": lambda events: ck.stitch(events).profiles,
    "report": lambda events: repr(ck.stitch(events).report),
    "one profile": lambda events: ck.stitch(events).profile("urn:cookie:c"),
    "check-up": ck.check_up,
}


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("read", "properties"),
        ("read", "lists"),
        ("stitch", "lists"),
        ("stitch", "alias types"),
        ("as of", "names in unset"),
        ("merge", "profile properties"),
        ("profiles", "profile properties"),
        ("profiles", "alias types"),
        ("report", "properties"),
        ("one profile", "profile properties"),
        ("check-up", "lists"),
    ],
)
def test_each_column_is_as_much_work_however_many_there_are(question, kind):
    QUESTIONS[question](wide(kind, 2))
    frames = [wide(kind, count) for count in (100, 200, 300)]
    few, some, many = (calls(lambda f=f: QUESTIONS[question](f)) for f in frames)
    assert many - some < 1.01 * (some - few)
