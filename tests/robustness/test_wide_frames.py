"""Hundreds of columns give no warning of pandas', neither to us nor to who goes on with them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import convergekit as ck
from fuzz.questions import ask_everything

_STEPS = ("PageView", "Added To Cart", "Placed Order")


def _events(width: int) -> list[dict[str, object]]:
    return [
        {
            "event_name": _STEPS[row % 3],
            "timestamp": f"2026-01-{1 + row % 28:02d}T00:00:00Z",
            "event_id": f"e{row}",
            "aliases": [f"urn:cookie:c{row % 7}"],
            "properties": {
                "total_price": 5.5,
                **{f"whole{at}": at + row for at in range(width)},
                **{f"part{at}": at + row / 4 for at in range(width)},
                **{f"flag{at}": at % 2 == 0 for at in range(width)},
                **{f"list{at}": [at] for at in range(width)},
            },
        }
        for row in range(40)
    ]


@pytest.fixture(params=["jsonl", "json", "csv", "parquet", "two files"])
def paths(request, tmp_path):
    events = _events(60)
    lines = tmp_path / "wide.jsonl"
    if request.param in ("jsonl", "two files"):
        lines.write_text("\n".join(json.dumps(event) for event in events), encoding="utf-8")
        if request.param == "jsonl":
            return lines
    if request.param == "json":
        path = tmp_path / "wide.json"
        path.write_text(json.dumps(events), encoding="utf-8")
        return path
    flat = pd.json_normalize(events)
    flat["alias.cookie"] = [aliases[0] for aliases in flat.pop("aliases")]
    flat = flat.drop(columns=[name for name in flat if ".list" in name])
    path = tmp_path / ("wide.parquet" if request.param == "parquet" else "wide.csv")
    if request.param == "parquet":
        flat.to_parquet(path)
    else:
        flat.to_csv(path, index=False)
    return [lines, path] if request.param == "two files" else path


@pytest.mark.filterwarnings("error")
def test_a_wide_file_is_read_without_a_warning(paths):
    events = ck.read_events(paths)

    events["mine"] = 1
    assert events.shape[1] > 180
    assert len(ck.stitch(events).events) == 40


@pytest.mark.filterwarnings("error")
def test_a_frame_of_many_blocks_is_stitched_without_a_warning():
    flat = pd.json_normalize(_events(60)).rename(columns={"event_name": "action"})
    blocks = flat[["action"]].join([flat[[name]] for name in flat.columns[1:]])
    blocks.index = [0, *range(len(blocks) - 1)]

    s = ck.stitch(blocks, columns={"event_name": "action"})

    assert len(s.events) == 40
    assert s.events["event_name"].value_counts().to_dict() == {
        "PageView": 14,
        "Added To Cart": 13,
        "Placed Order": 13,
    }


@pytest.mark.filterwarnings("error")
def test_every_question_of_a_wide_frame_is_answered_without_a_warning(tmp_path):
    path = tmp_path / "wide.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in _events(60)), encoding="utf-8")

    assert ask_everything(ck.stitch(ck.read_events(path))) > 20
