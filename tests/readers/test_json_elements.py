"""Arrays and answers read by columns say what they say when they are read as a whole."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import json_files
from convergekit.readers.columns import json_elements
from convergekit.readers.columns.json_elements import elements_of
from tests.effort import tries
from tests.readers.test_json_blocks import NOSHRINK, VENDORS, Seen, by_lines, check, odd_lines, same

FORMS = [
    lambda rows: json.dumps(rows),
    lambda rows: json.dumps(rows, indent=1),
    lambda rows: "\ufeff[" + ",\r\n".join(map(json.dumps, rows)) + "]\n",
    lambda rows: json.dumps({"count": len(rows), "rows": rows, "links": {"next": None}}),
    lambda rows: json.dumps({"rows": rows, "errors": []}, indent=2),
]


@pytest.mark.parametrize("form", VENDORS)
@pytest.mark.parametrize("written", FORMS)
def test_vendors_arrays_are_the_same(monkeypatch, tmp_path, form, written):
    path = tmp_path / "a.json"
    path.write_text(written(VENDORS[form]), encoding="utf-8")
    monkeypatch.setattr(json_files, "_LARGE", 100)
    expected = by_lines(path, format=form)
    assert len(expected)
    seen = Seen(monkeypatch)
    same(ck.read_events(path, format=form), expected)
    # Matomo has a field of which the values are text and numbers.
    assert all(seen.taken) == (form != "matomo")


@tries(200, phases=NOSHRINK)
@given(odd_lines(), st.sampled_from([b",", b" ,\n", b",,"]), st.integers(2, 20))
def test_odd_arrays_are_the_same(tmp_path_factory, lines, between, rows):
    path = tmp_path_factory.mktemp("odd") / "a.json"
    path.write_bytes(b"[" + between.join(lines) + b"]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_files, "BATCH_ROWS", rows)
        check(path, format="converge")


texts = st.text(alphabet='ab "\\[]{},\n', max_size=6)
values = st.recursive(
    texts | st.integers(0, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)


@tries(300)
@given(st.lists(st.dictionaries(texts, values, max_size=3), min_size=1), st.integers(1, 9),
       st.sampled_from([None, 1]))  # fmt: skip
def test_the_objects_of_an_array_are_found(rows, chunk, indent):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "_CHUNK", chunk)
        found = elements_of(json.dumps(rows, indent=indent).encode())
        assert [json.loads(text) for text in found.texts] == rows
        answer = {"n": [1], "rows": [*rows, {}, {}], "links": {"a": []}}
        found = elements_of(json.dumps(answer, indent=indent).encode())
        assert [json.loads(text) for text in found.texts] == answer["rows"]
        assert json.loads(found.around) == {**answer, "rows": answer["rows"][:1]}


@tries(500)
@given(st.text(alphabet='a1:"\\[]{},\n ', max_size=14), st.integers(1, 9))
def test_what_is_found_in_any_text_is_what_json_finds(text, chunk):
    content = f'[{{"a": {text}}}]'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "_CHUNK", chunk)
        found = elements_of(content)
    try:
        expected = json.loads(content)
    except ValueError:
        expected = None
    if found is not None:
        try:
            assert [json.loads(one) for one in found.texts] == expected
        except json.JSONDecodeError:
            assert expected is None
    elif expected is not None:
        # What has another shape is left to the other reader.
        assert not all(isinstance(row, dict) for row in expected)
