"""No error, warning or log says more of a person than the one value that it is about."""

from __future__ import annotations

import json
import logging
import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import convergekit as ck
from convergekit.cli.app import app

AT = "2026-03-02T10:00:00Z"
NAMES = ["event_name", "timestamp", "alias.email", "profile_properties.$name", "properties.note"]


def marked(row, **cells):
    """Return a row of which every value is a marker."""
    found = {
        "event_name": "PageView",
        "event_id": f"marker{row}b",
        "timestamp": AT,
        "alias.email": f"marker{row}c@x.org",
        "profile_properties.$name": f"Marker{row}d",
        "profile_properties.$phone": f"+32marker{row}e",
        "properties.note": f"marker{row}f",
        "properties.address": {"street": f"marker{row}g", "city": f"marker{row}h"},
    }
    return found | cells


def markers(text):
    return set(re.findall(r"marker\d[a-z]", str(text).lower()))


def frame(*rows):
    return pd.DataFrame([*map(marked, range(3)), *rows])


def jsonl(*lines):
    return "".join(x if isinstance(x, str) else json.dumps(x) + "\n" for x in lines)


LINE = json.dumps(marked(7))
CSV_ROW = f"PageView,{AT},marker0c@x.org,Marker0d,marker0f\n"
CSV_HEADER = ",".join(NAMES) + "\n"
FILES = {
    "a cut line": ("a.jsonl", jsonl(marked(0), LINE[:-9] + "\n")),
    "no JSON at all": ("a.jsonl", jsonl(LINE[:-9])),
    "an array that breaks off": ("a.json", "[" + LINE + "," + LINE[:-9]),
    "text after an object": ("a.jsonl", jsonl(marked(0), LINE + LINE + "\n")),
    "a key twice": ("a.jsonl", jsonl(marked(0), LINE[:-1] + ', "event_id": "marker7z"}\n')),
    "text instead of an object": ("a.jsonl", jsonl(marked(0), json.dumps(LINE) + "\n")),
    "not UTF-8": ("a.jsonl", jsonl(marked(0)).encode() + LINE.encode() + b"\xff\n"),
    "carriage returns": ("a.jsonl", (LINE + "\r" + LINE).encode()),
    "wide text": ("a.jsonl", LINE.encode("utf-16-le")),
    "wide text cut off": ("a.jsonl", (LINE + "\n" + LINE).encode("utf-16")[:-3]),
    "too many cells": ("a.csv", CSV_HEADER + CSV_ROW + CSV_ROW.strip() + ",marker0z\n"),
    "an open quote": ("a.csv", CSV_HEADER + CSV_ROW + '"' + CSV_ROW * 3),
    "no header": ("a.csv", CSV_ROW * 2),
    "no header, and no time": ("a.csv", "marker0c@x.org,Marker0d,marker0f\n" * 2),
    "no header, and no address": ("a.csv", f"PageView,{AT},+32marker0e,marker0f\n" * 2),
    "another format": ("a.csv", jsonl(marked(0), marked(1))),
    "no event name": ("a.jsonl", jsonl({"at": AT, "note": "marker0a", "mail": "marker0b"})),
    "two spellings": ("a.jsonl", jsonl(marked(0), marked(1) | {"eventName": "marker1z"})),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_said_of_a_file(tmp_path, caplog, name, strict):
    file, content = FILES[name]
    (tmp_path / file).write_bytes(content.encode() if isinstance(content, str) else content)
    said = []
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        try:
            events = ck.read_events(tmp_path / file, strict=strict)
            said += events["read_error"].dropna().tolist() if "read_error" in events else []
            said += ck.stitch(events, strict=strict).rejected["reason"].tolist()
        except ck.ConvergekitError as error:
            said.append(str(error))
    said += [str(warning.message) for warning in caught] + [caplog.text]
    assert any(said), "nothing is wrong with this file"
    for text in said:
        assert len(markers(text)) <= 1, text


BAD = {
    "no time": marked(7, timestamp=None),
    "a time that is none": marked(7, timestamp={"soon": "marker7t", "later": "marker7u"}),
    "a name that is none": marked(7, event_name={"name": "marker7t", "more": "marker7u"}),
    "no alias": marked(7, aliases=["marker7t", {"email": "marker7u", "phone": "marker7v"}]),
    "aliases that are none": marked(7, aliases={"email": "marker7u", "phone": "marker7v"}),
    "identifies nobody": marked(7, event_name=None) | {"alias.email": None},
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_said_of_a_row(name):
    events = frame(BAD[name])
    s = ck.stitch(events)
    with pytest.raises(ck.EventError) as error:
        ck.stitch(events, strict=True)
    for text in [*s.rejected["reason"], repr(s), repr(s.report), str(error.value)]:
        assert len(markers(text)) <= 1, text


def _failing(value):
    raise RuntimeError("no")


def _wrong_length():
    export = ck.Export(
        name="short", documentation="-", recognised_by=[["event_id", "event_name"]],
        event_name=lambda rows: rows["event_name"][:1], timestamp="timestamp",
    )  # fmt: skip
    export.canonical(frame())


WRONG = {
    "a rule": lambda s, _: ck.stitch(frame(), rules={"email": _failing}),
    "a column": lambda s, _: ck.stitch(frame(), columns={"event_name": "nothing"}),
    "columns": lambda s, _: ck.stitch(frame().drop(columns=["event_name", "alias.email"])),
    "a profile": lambda s, _: s.profile("urn:email:nobody@x.org"),
    "a profile like others": lambda s, _: s.profile("urn:email:marker@x.org"),
    "an ID": lambda s, _: s.profile("p_0000"),
    "a link": lambda s, _: s.explain("urn:email:marker0c@x.org", "urn:email:nobody@x.org"),
    "a query": lambda s, _: s.funnel([ck.Step("PageView", where="nothing == 1")]),
    "another query": lambda s, _: s.funnel([ck.Step("PageView", where="`properties.note` + 1")]),
    "a group": lambda s, _: s.funnel(["PageView"], by="nothing"),
    "an amount": lambda s, _: s.attribution("PageView", value="note"),
    "a field": lambda s, _: _wrong_length(),
    "saving": lambda s, path: ck.stitch(
        frame(marked(7) | {"properties.note": [object(), "marker7y", "marker7z"]})
    ).to_parquet(path),
    "an index": lambda s, _: ck.stitch(frame().set_axis([*"abcdefg", 7], axis="columns")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_said_of_a_question(tmp_path, name):
    s = ck.stitch(frame())
    with pytest.raises(ck.ConvergekitError) as error:
        WRONG[name](s, tmp_path / "saved")
    per_row = pd.Series([marker[6] for marker in markers(error.value)]).value_counts()
    assert per_row.max() <= 1 if len(per_row) else True, str(error.value)


def test_a_parquet_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: [marked(0)[name]] for name in NAMES}), path)
    content = path.read_bytes()
    said = []
    for cut in np.linspace(10, len(content) - 1, 12).astype(int):
        path.write_bytes(content[:cut] + b"\x00" + content[cut + 1 :])
        try:
            ck.read_events(path)
        except ck.ReadError as error:
            said.append(str(error))
    assert said
    assert not any(map(markers, said)), said


def test_the_command_line_says_no_more(tmp_path):
    from typer.testing import CliRunner

    (tmp_path / "a.jsonl").write_text(jsonl(marked(0), LINE[:-9] + "\n"))
    (tmp_path / "b.csv").write_text(CSV_ROW * 2)
    done = CliRunner().invoke(app, ["stitch", str(tmp_path / "a.jsonl"), str(tmp_path / "b.csv")])
    assert done.exit_code
    assert len(markers(done.output)) <= 1, done.output
