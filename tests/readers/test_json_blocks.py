"""Lines that Arrow reads say what the same lines say that Python reads."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import Phase, assume, example, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.errors import ConvergekitError
from convergekit.readers import formats, json_files
from convergekit.readers.columns import json_blocks
from convergekit.readers.json_api import resources
from convergekit.readers.vendors.matomo_visits import actions
from tests.effort import tries
from tests.readers.test_matomo import VISITS

#: Looking for a shorter example takes minutes here.
NOSHRINK = [Phase.explicit, Phase.generate]
EXPORTS = Path(__file__).parents[2] / "data" / "exports"
LINES = sorted(EXPORTS.glob("*.jsonl"))
BASE = {"event_name": "A", "timestamp": "2026-03-02T10:00:00Z", "aliases": ["urn:cookie:c"]}


class Seen:
    """Counts the batches that were taken as blocks, and those that were not."""

    def __init__(self, patch):
        self.taken = []
        read = json_blocks.KnownTypes.read

        def watched(known, texts, why_not):
            found = read(known, texts, why_not)
            self.taken.append(found is not None)
            return found

        patch.setattr(json_blocks.KnownTypes, "read", watched)


def by_lines(path, **options):
    """Return what is read when no batch is taken as a block: Python's own reader, line by line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks.KnownTypes, "read", lambda *_: None)
        return answer(path, **options)


def answer(path, **options):
    try:
        return ck.read_events(path, **options)
    except ConvergekitError as error:
        return f"{type(error).__name__}: {error}"


def same(one, other):
    if isinstance(one, str) or isinstance(other, str):
        assert str(one) == str(other)
        return
    assert list(one.columns) == list(other.columns)
    for name in one:
        assert one[name].dtype == other[name].dtype, name
        # The digits, the kinds of numbers, the order of keys: all that can be told apart.
        assert list(map(repr, one[name])) == list(map(repr, other[name])), name
    assert one.index.equals(other.index)


def check(path, **options):
    same(answer(path, **options), by_lines(path, **options))


@pytest.mark.parametrize("path", LINES, ids=lambda path: path.name)
@pytest.mark.parametrize("rows", [7, 50_000])
def test_every_sample_is_the_same(monkeypatch, path, rows):
    monkeypatch.setattr(json_files, "BATCH_ROWS", rows)
    monkeypatch.setattr(json_blocks, "_FIRST_LINES", 3)
    form = path.name.split(".")[0].split("_events")[0].split("_profile")[0]
    expected = by_lines(path, format=form)
    seen = Seen(monkeypatch)
    same(answer(path, format=form), expected)
    export = formats.format_named(form)
    # What is decoded anyway is not parsed before.
    assert any(seen.taken) == (export is None or export.reads_by_columns)


# A number, or text that Arrow takes for a time, or that Rows opens as JSON.
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
scalars |= st.sampled_from(
    [2**53, 2**53 + 1, -(2**53), 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.0, -0.0, 1.5, 4.0, 1e300]
)
scalars |= st.sampled_from(
    ["2026-03-02", "2026-03-02T10:00:00Z", "12", "{}", "[1]", '{"a": 1}', "null", "é", "\x00", "😀"]
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "", "a.b", "é"]), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.sampled_from(["a", "b", "c", "", "x.y", "url", "é"])
#: Each field of one kind, as exports have them, so that Arrow takes most lines.
KINDS = {
    "a": st.integers(-5, 5) | st.none(),
    "b": st.sampled_from([1, 2.5, 4.0, 2**53 - 1, -3]) | st.none(),
    "c": st.text(max_size=3) | st.sampled_from(["2026-03-02", "[1]", "{}"]) | st.none(),
    "flag": st.booleans() | st.none(),
    "items": st.lists(
        st.dictionaries(st.sampled_from(["sku", "price"]), st.integers(0, 3) | st.none()),
        max_size=2,
    )
    | st.none(),
    "tags": st.lists(st.text(max_size=2), max_size=2) | st.none(),
    "where": st.dictionaries(st.sampled_from(["city", "zip"]), st.text(max_size=2) | st.none()),
    "when": st.sampled_from(["2026-03-02", "2026-03-02T10:00:00Z"]),
}


@st.composite
def kinded(draw):
    names = draw(st.permutations(list(KINDS)))
    return {name: draw(KINDS[name]) for name in names[: draw(st.integers(0, len(names)))]}


def written(draw, record):
    return json.dumps(
        record,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])),
    )


@st.composite
def usual_lines(draw):
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        record = {**BASE, "properties": draw(kinded())}
        if draw(st.booleans()):
            record |= {"profileProperties": draw(kinded())}
        if draw(st.booleans()):
            record |= draw(kinded())
        record["aliases"] = draw(
            st.lists(st.sampled_from(["urn:cookie:a", "urn:cookie:é", "urn:email:A@x.org"]))
            | st.none()
        )
        lines.append(written(draw, record).encode())
    return lines


@st.composite
def odd_lines(draw):
    lines = draw(usual_lines())
    for _ in range(draw(st.integers(0, 2))):
        lines.append(
            written(draw, {**BASE, **draw(st.dictionaries(keys, values, max_size=3))}).encode()
        )
    for _ in range(draw(st.integers(0, 2))):
        lines.append(written(draw, {**BASE, "properties": draw(values)}).encode())
    for _ in range(draw(st.integers(0, 2))):
        lines.append(draw(st.sampled_from(ODD)))
    return draw(st.permutations(lines))


ODD = [
    b"",
    b"   ",
    b"\r",
    b"{}",
    b"oops",
    b"[1]",
    b"7",
    b"null",
    b'{"event_name": "A", "event_name": "B"}',
    b'{"properties": {"a": 1, "a": 2}}',
    b'{"properties": {"a": NaN}}',
    b'{"properties": {"b": NaN, "c": "x"}}',
    b'{"properties": {"b": Infinity}}',
    b'{"items": [{"a": -Infinity}]}',
    b'{"properties": {"b": 1e400}}',
    b'{"properties": {"b": -0}}',
    b'{"properties": {"a": 1e2}}',
    b'{"properties": {"c": "\\ud83d"}}',
    b'{"properties": {"c": "\xff"}}',
    b'{"properties": {"c": "\x01"}}',
    b'{"properties": {"c": "\xed\xa0\xbd"}}',
    b'{"event_name": "A"} {"event_name": "B"}',
    b'{"event_name": "A"}\r{"event_name": "B"}',
    b'{"event_name": "A"',
    b', "b": 1}',
    b'{"event_name": "A"}}',
    b'{"event_name": "A", "properties": {"a": 01}}',
    b'{"event_name": "A"} \x0c',
    b"\xef\xbb\xbf{}",
    b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}",
    b'{"a": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"a": ' * 300 + b"1" + b"}" * 300,
    b'{"a": ' * 3000 + b"1" + b"}" * 3000,
    b'{"properties": {"items": ' + b"[" + b'{"a": 1},' * 700 + b'{"a": 2}]}}',
    b'{"properties.a": 1}',
    b'{"profile_properties": {"a": 1}, "profileProperties": {"b": 1}}',
    b'{"properties": "{\\"a\\": 1}"}',
    b'{"properties": null}',
    b'{"file": "x", "line": 3}',
    b'{"data": [], "links": {}}',
    b'{"data": [{"type": "event", "id": "1"}]}',
    b'{"aliases": "urn:cookie:x"}',
    b'{"aliases": [1]}',
    b'{"aliases": ["urn:cookie:x", null]}',
    b'{"aliases": [["urn:cookie:x"]]}',
    b'{"aliases": []}',
    b'{"eventName": "A", "event_name": "B"}',
    b'{"timestamp": 1772442480}',
]


def put(directory, lines):
    path = directory / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


@tries(300, phases=NOSHRINK)
@given(usual_lines(), st.integers(1, 4), st.integers(1, 9))
def test_usual_lines_are_the_same(tmp_path_factory, lines, first, rows):
    path = put(tmp_path_factory.mktemp("usual"), lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "_FIRST_LINES", first)
        patch.setattr(json_files, "BATCH_ROWS", rows)
        seen = Seen(patch)
        found = answer(path, format="converge")
        assert all(seen.taken)
        same(found, by_lines(path, format="converge"))


@tries(600, phases=NOSHRINK)
@given(odd_lines(), st.integers(1, 4), st.integers(2, 20), st.sampled_from([b"\n", b"\r\n"]))
@example([b'{"event_name": "A"} {"b":', b"2}"], 1, 20, b"\n")
def test_odd_lines_are_the_same(tmp_path_factory, lines, first, rows, end):
    path = tmp_path_factory.mktemp("odd") / "a.jsonl"
    path.write_bytes(end.join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "_FIRST_LINES", first)
        patch.setattr(json_files, "BATCH_ROWS", rows)
        check(path, format="converge")


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_each_odd_line_among_usual_ones_is_the_same(tmp_path, odd):
    usual = json.dumps({**BASE, "properties": {"a": 1, "b": 2.5, "c": "x"}}).encode()
    check(put(tmp_path, [usual, ODD[odd], usual]), format="converge")


@pytest.mark.parametrize(
    "columns",
    [
        {"event_name": "a", "timestamp": "b"},
        {"alias.email": "properties.mail"},
        {"properties.x": "a"},
        {"properties": "where"},
        {"profile_properties.city": "where"},
        {"alias.email": "properties.nothing"},
    ],
)
def test_columns_are_mapped_the_same(tmp_path, columns):
    record = {**BASE, "a": "B", "b": 1772442480, "where": {"city": "Gent"}}
    record["properties"] = {"mail": "ada@x.org", "x": 1}
    path = put(tmp_path, [json.dumps(record).encode()] * 3)
    if "event_name" in columns:
        lines = [{k: v for k, v in record.items() if k not in ("event_name", "timestamp")}] * 3
        put(tmp_path, [json.dumps(line).encode() for line in lines])
    check(path, columns=columns)


def test_lines_that_cannot_be_read_do_not_stop_a_block(monkeypatch, tmp_path):
    good = json.dumps({**BASE, "properties": {"a": 1}}).encode()
    path = put(tmp_path, [good, b"oops", good, b'{"a": \xff}', good, b'{"a": 1, "a": 1}'])
    seen = Seen(monkeypatch)
    events = ck.read_events(path)
    assert seen.taken == [True]
    assert events["read_error"].tolist()[1::2] == [
        "not JSON: Expecting value at column 1",
        "not UTF-8 at byte 6. If a Windows program wrote it, give encoding='cp1252'",
        "not JSON: the key 'a' occurs twice in one object",
    ]
    assert events["properties.a"].tolist() == [1, pd.NA, 1, pd.NA, 1, pd.NA]


def vendors_lines():
    """Yield each vendor's sample as a list of objects, one a line."""
    for path in LINES:
        form = path.name.split(".")[0].split("_events")[0]
        if not form.endswith("merges"):
            yield form, [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    yield "shopify", answered("shopify")["orders"]
    yield "shopify_checkouts", answered("shopify_checkouts")["checkouts"]
    yield "shopify_csv", cells_of("shopify_csv")
    yield "woocommerce", answered("woocommerce")
    yield "stripe", answered("stripe")["data"]
    yield "klaviyo", resources(answered("klaviyo"))
    yield "matomo", [dict(action) for visit in VISITS for action in actions(visit)]
    opened = [
        {n: json.loads(v) if str(v)[:1] in ("{", "[") else v for n, v in record.items()}
        for record in cells_of("snowplow")
    ]
    yield "snowplow", opened


def answered(name):
    return json.loads((EXPORTS / f"{name}.json").read_text("utf-8"))


def cells_of(name):
    cells = pd.read_csv(EXPORTS / f"{name}.csv", dtype="str").astype(object)
    return cells.where(cells.notna(), None).to_dict("records")


VENDORS = dict(vendors_lines())
#: Lines that each hold rows.
PAGES = {
    "klaviyo": [answered("klaviyo")] * 3,
    "matomo": VISITS,
    "shopify": [answered("shopify")] * 2,
    "shopify_checkouts": [answered("shopify_checkouts")] * 2,
    "stripe": [answered("stripe")] * 2,
}


#: What an exporter may make of an object or list.
SHAPES = [
    json.dumps,
    repr,
    lambda value: [value],
    lambda value: [],
    lambda value: {},
    lambda value: {"list": [{"element": value}]},
    lambda value: {"0": value},
    lambda value: (
        [{"key": key, "value": inner} for key, inner in value.items()]
        if isinstance(value, dict)
        else {"key": value}
    ),
]


def changed(draw, value, other):
    """Return a value with keys taken away, made null, taken from another value, or put last."""
    if not isinstance(value, dict):
        return value
    found = {key: changed(draw, inner, inner) for key, inner in value.items()}
    if isinstance(other, dict) and other:
        key = draw(st.sampled_from(sorted(other)))
        found[key] = other[key]
    for _ in range(draw(st.integers(0, 2))):
        if found:
            key = draw(st.sampled_from(sorted(found)))
            what = draw(st.sampled_from(["drop", "null", "last", "number", "shape"]))
            old = found.pop(key)
            if what == "null":
                found[key] = None
            elif what == "last":
                found[key] = old
            elif what == "number" and isinstance(old, (int, float)):
                found[key] = draw(st.sampled_from([0, 1, 2.5, 4.0, 2**53 + 1]))
            elif what == "shape":
                found[key] = draw(st.sampled_from(SHAPES))(old)
    return found


TRAITS = {
    "traits": {"email": "a@x.org", "plan": "pro", "$email": "b@x.org", "age": 3},
    "$set": {"email": "a@x.org", "plan": "pro", "age": 3},
    "$set_once": {"plan": "free", "first": 1.5},
    "user_properties": {"utm_source": "news", "plan": "pro"},
}


@pytest.mark.parametrize("form", VENDORS)
def test_vendors_samples_are_the_same(tmp_path, form):
    path = put(tmp_path, [json.dumps(record).encode() for record in VENDORS[form]])
    assert len(by_lines(path, format=form))
    check(path, format=form)
    check(path)


@pytest.mark.parametrize("form", PAGES)
def test_lines_that_hold_rows_are_the_same(tmp_path, form):
    pages = [json.dumps(page).encode() for page in PAGES[form]]
    assert len(by_lines(put(tmp_path, pages), format=form)) > len(pages)
    check(put(tmp_path, pages), format=form)
    # After a line that is a row itself, with which Arrow would take them as rows too.
    check(put(tmp_path, [b'{"note": "x"}', *pages]), format=form)


@pytest.mark.parametrize("form", VENDORS)
@tries(100, phases=NOSHRINK)
@given(st.data())
def test_vendors_lines_are_the_same(tmp_path_factory, form, data):
    draw = data.draw
    records = VENDORS[form]
    chosen = draw(st.lists(st.sampled_from(records), min_size=2, max_size=8))
    lines, holds = [], False
    for record in chosen:
        line = changed(draw, record, draw(st.sampled_from(records)))
        for name in ("context", "properties", "event_properties"):
            if isinstance(line.get(name), dict) and draw(st.booleans()):
                line[name] = {**line[name], **draw(st.sampled_from([TRAITS, {}]))}
                line[name] = changed(draw, line[name], None)
        if form in ("segment", "posthog", "amplitude") and draw(st.booleans()):
            line = {**line, **changed(draw, TRAITS, None)}
        holds |= any(value is not None for value in line.values())
        lines.append(written(draw, line).encode())
    # A file that holds nothing is refused either way, for a reason of its own.
    assume(holds)
    path = put(tmp_path_factory.mktemp("vendor"), lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "_FIRST_LINES", draw(st.integers(1, 3)))
        check(path, format=form)


def test_a_format_of_ones_own_sees_numbers_as_they_are_written(monkeypatch, tmp_path):
    ck.register_export(ck.Export(
        name="till", documentation="", recognised_by=[["receipt", "sold_at"]],
        event_name=lambda rows: [f"Sale {value!r}" for value in rows["receipt"]],
        timestamp="sold_at", aliases={"card": "card"},
    ))  # fmt: skip
    numbers = ["4", "2.5", "4.0", "-0.0", "9007199254740993"]
    lines = [f'{{"receipt": {n}, "sold_at": "2026-03-02T10:00:00Z", "card": "c"}}' for n in numbers]
    path = put(tmp_path, [line.encode() for line in lines])
    seen = Seen(monkeypatch)
    assert ck.read_events(path)["event_name"].tolist() == [f"Sale {n}" for n in numbers]
    assert seen.taken == [True]
    without_long = put(tmp_path, [line.encode() for line in lines[:3]])
    assert ck.read_events(without_long)["event_name"].tolist() == ["Sale 4", "Sale 2.5", "Sale 4.0"]


def a_page(draw):
    """Return a page of resources in a usual shape, or nearly."""
    ids = st.sampled_from(["1", "2", "3"])
    linked = st.fixed_dictionaries({"type": st.sampled_from(["metric", "profile"]), "id": ids})
    relations = st.dictionaries(
        st.sampled_from(["metric", "profile"]), st.fixed_dictionaries({"data": linked | st.none()})
    )
    attributes = st.dictionaries(st.sampled_from(["name", "datetime", "n"]), scalars, max_size=2)
    event = st.fixed_dictionaries(
        {"type": st.just("event"), "id": ids, "attributes": attributes},
        optional={"relationships": relations | st.none(), "links": st.just({"self": "x"})},
    )
    beside = st.fixed_dictionaries(
        {"type": st.sampled_from(["metric", "profile"]), "id": ids | st.none() | st.just(1)},
        optional={"attributes": attributes},
    )
    page = {"data": draw(st.lists(event, max_size=3))}
    if draw(st.booleans()):
        page["included"] = draw(st.none() | st.lists(beside, max_size=3))
    if draw(st.booleans()):
        page |= draw(st.sampled_from([{"links": {"next": None}}, {"meta": {"a": [{}]}}, {"n": 1}]))
    return page


@tries(200, phases=NOSHRINK)
@given(st.data())
def test_pages_are_the_same(tmp_path_factory, data):
    pages = [a_page(data.draw) for _ in range(data.draw(st.integers(1, 3)))]
    lines = [written(data.draw, page).encode() for page in pages]
    path = put(tmp_path_factory.mktemp("pages"), lines)
    check(path, format="klaviyo")


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("count", [1, 3])
def test_pages_are_taken_as_blocks(monkeypatch, tmp_path, indent, count):
    path = tmp_path / ("a.json" if indent else "a.jsonl")
    page = json.dumps(answered("klaviyo"), indent=indent)
    path.write_text("\n".join([page] * (1 if indent else count)), encoding="utf-8")
    expected = by_lines(path)
    seen = Seen(monkeypatch)
    same(ck.read_events(path), expected)
    assert seen.taken
    assert all(seen.taken)
