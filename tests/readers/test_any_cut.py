"""Any cut of an export into files, in any order and at once or night by night, says the same."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries

START = pd.Timestamp("2026-03-02T10:00:00Z")
# So few that an anonymous ID often equals the user ID of somebody else.
IDS = st.sampled_from(["1", "2", "3", "x4"])
MAYBE_ID = st.none() | IDS
BY_ORDER = "with other content dropped by the order of rows, without received_at"


def iso(minutes):
    return (START + pd.Timedelta(minutes=minutes)).isoformat()


def without_none(row):
    return {name: value for name, value in row.items() if value is not None}


def segment(draw, at, said):
    kind = draw(st.sampled_from(["page", "track", "track", "identify", "alias"]))
    anonymous, user = draw(st.tuples(MAYBE_ID, MAYBE_ID).filter(any))
    return {
        "messageId": f"m{at}",
        "type": kind,
        "event": "order" if kind == "track" else None,
        "timestamp": said["time"],
        "receivedAt": said["received"],
        "anonymousId": anonymous,
        "userId": user,
        "previousId": draw(IDS) if kind == "alias" else None,
        "traits": {"plan": draw(st.sampled_from(["free", "pro"]))} if kind == "identify" else None,
        "properties": said["properties"],
        "context": {"campaign": {"source": said["campaign"]} if said["campaign"] else {}},
    }


def posthog(draw, at, said):
    event = draw(st.sampled_from(["page", "order", "$identify", "$create_alias", "$set"]))
    more = {
        "$identify": {"$anon_distinct_id": draw(IDS)},
        "$create_alias": {"alias": draw(IDS)},
    }.get(event, {})
    device = draw(MAYBE_ID)
    properties = said["properties"] | more | ({"$device_id": device} if device else {})
    if said["campaign"]:
        properties["$set"] = {"utm_source": said["campaign"]}
    if draw(st.booleans()):
        properties["$set_once"] = {"$initial_plan": draw(st.sampled_from(["free", "pro"]))}
    if draw(st.integers(0, 3)) == 3:
        properties["$unset"] = ["utm_source"]
    return {
        "uuid": f"u{at}",
        "event": event,
        "distinct_id": draw(IDS),
        "timestamp": said["time"],
        "created_at": said["received"],
        "properties": properties,
    }


def ga4(draw, at, said):
    source = said["campaign"]
    params = [
        {"key": name, "value": {"string_value": str(value)}}
        for name, value in said["properties"].items()
    ]
    batch = {"batch_page_id": 7, "batch_ordering_id": 1, "batch_event_index": at}
    return {
        "event_timestamp": int(pd.Timestamp(said["time"]).timestamp() * 1_000_000),
        "event_name": draw(st.sampled_from(["page", "order"])),
        "user_pseudo_id": draw(IDS),
        "user_id": draw(MAYBE_ID),
        "event_params": params,
        "collected_traffic_source": {"manual_source": source} if source else None,
        **(batch if said["has_id"] else {}),
    }


def converge(draw, at, said):
    aliases = draw(st.lists(st.tuples(st.sampled_from(["cookie", "email"]), IDS), max_size=2))
    return {
        "eventName": draw(st.sampled_from(["page", "order", None])) if aliases else "page",
        "eventID": f"e{at}" if said["has_id"] else None,
        "timestamp": said["time"],
        "receivedAt": said["received"],
        "aliases": [f"urn:{kind}:{value}" for kind, value in aliases],
        "properties": said["properties"],
        "profileProperties": {"utm_source": said["campaign"]} if said["campaign"] else {},
    }


def table(draw, at, said):
    return {
        # A column of whole numbers that had a gap, and one that had a text as well.
        "event_id": draw(st.sampled_from([f"{at}.0", f"e{at}"])) if said["has_id"] else None,
        "event_name": draw(st.sampled_from(["page", "order"])),
        "timestamp": said["time"],
        "received_at": said["received"],
        "alias.cookie": draw(st.none() | st.sampled_from(["1.0", "2.0", "x4"])),
        "alias.email": draw(MAYBE_ID),
        "profile_properties.utm_source": said["campaign"],
        **{f"properties.{name}": value for name, value in said["properties"].items()},
    }


FORMATS = {
    "segment": segment,
    "posthog": posthog,
    "ga4": ga4,
    "converge": converge,
    "csv": table,
}


@st.composite
def exports(draw, name):
    """Rows of an export: some of them come again, as they were or changed, and some are damaged.

    All have a time of receipt or none has; no two events have the same time.
    """
    has_received = name != "ga4" and draw(st.booleans())
    always_has_id = name in ("segment", "posthog") or (name == "ga4" and draw(st.booleans()))
    count = draw(st.integers(1, 7))
    minutes = draw(st.permutations(range(count)))
    rows = []
    for at, minute in enumerate(minutes):
        said = {
            "time": iso(minute),
            "received": None,
            "properties": {"n": at, "x": draw(st.sampled_from([1, "2", "a"]))},
            "campaign": draw(st.none() | st.sampled_from(["news", "google"])),
            "has_id": always_has_id or (name != "ga4" and draw(st.booleans())),
        }
        if name != "ga4" and draw(st.integers(0, 9)) == 9:
            said["time"] = "soon"
        row = FORMATS[name](draw, at, said)
        rows.append(row)
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            # Without an ID a changed copy is another event, which has another time.
            changed = said["has_id"] and draw(st.booleans())
            rows.append(_changed(name, row) if changed else row)
    rows = draw(st.permutations(rows))
    if has_received:
        received = {"segment": "receivedAt", "converge": "receivedAt", "posthog": "created_at"}
        column = received.get(name, "received_at")
        times = draw(st.permutations(range(60, 60 + len(rows))))
        rows = [row | {column: iso(time)} for row, time in zip(rows, times, strict=True)]
    return list(map(without_none, rows)) if name != "csv" else rows


def _changed(name, row):
    if name == "ga4":
        params = [p for p in row["event_params"] if p["key"] != "x"]
        return row | {
            "event_params": [*params, {"key": "x", "value": {"string_value": "other"}}],
            "collected_traffic_source": {"manual_source": "other"},
        }
    if name == "csv":
        return row | {"properties.x": "other", "profile_properties.utm_source": "other"}
    return row | {"properties": row["properties"] | {"x": "other"}}


@st.composite
def cuts(draw, count):
    """Consecutive parts of so many rows, in any order."""
    bounds = sorted(set(draw(st.lists(st.integers(1, max(count - 1, 1)), max_size=3))) - {count})
    return draw(st.permutations(list(itertools.pairwise([0, *bounds, count]))))


def written(directory, name, rows, place):
    if name != "csv":
        path = directory / f"export_{place}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    path = directory / f"export_{place}.csv"
    text = io.StringIO()
    table = csv.DictWriter(text, fieldnames=list(rows[0]))
    table.writeheader()
    table.writerows(rows)
    path.write_text(text.getvalue())
    return path


def read(name, paths):
    return ck.read_events(paths, format="converge" if name == "csv" else name)


def cell(value):
    """Return a value as text: a number, and the same number in a column of texts, are alike."""
    return None if value is None or value is pd.NA or value != value else str(value)


def facts(s):
    """Return what an export says: events by the number that each was given."""
    numbers = s.events["properties.n"].map(cell)
    who = s.events["profile_id"]
    carried = [name for name in s.events.columns if name.startswith("profile.")]
    table = s.events[["properties.x", *carried]].map(cell)
    names = ["page", "order"]
    there = set(names) <= set(s.events["event_name"])
    remarks = {text: n for text, n in s.report.remarks.items() if BY_ORDER in text}
    return {
        "profiles": sorted(sorted(part) for _, part in numbers.groupby(who)),
        "without": sorted(numbers[who.isna()]),
        "rejected": sorted(zip(s.rejected["reason"], s.rejected["properties.n"].map(cell),
                               strict=True)) if len(s.rejected) else [],
        "copies": len(s.duplicates),
        "funnel": s.funnel(names, within="30D").table["profiles"].tolist() if there else None,
        "aliases": s.report.aliases_by_type,
        "repeated": [text.split()[0] for text in s.report.warnings if "in every field" in text],
        "remarks": remarks,
        # What depends on which of several copies is kept.
        "kept": sorted(
            ((number, sorted((name, value) for name, value in row.items() if value is not None))
             for number, row in zip(numbers, table.to_dict("records"), strict=True)),
            # A copy may hold text where another holds a number.
            key=str,
        ),
        "duplicates": sorted(zip(s.duplicates["event_id"], s.duplicates["repeat"], strict=True)),
    }  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@tries(60)
@given(data=st.data())
def test_any_cut_says_the_same(tmp_path_factory, name, data):
    rows = data.draw(exports(name))
    directory = tmp_path_factory.mktemp("cut")
    expected = facts(ck.stitch(read(name, written(directory, name, rows, "whole"))))
    parts = data.draw(cuts(len(rows)))
    files = [
        written(directory, name, rows[start:end], place) for place, (start, end) in enumerate(parts)
    ]
    store = ck.open_store(directory / "store")
    for file in files:
        store.add(read(name, file))
    for found in (facts(ck.stitch(read(name, files))), facts(store.stitched())):
        if expected["remarks"] or found["remarks"]:
            # Of copies that say different things the first row is kept, and each report says so.
            assert found["remarks"]
            assert expected["remarks"]
            for answer in ("profiles", "without", "rejected", "copies", "funnel", "aliases"):
                assert found[answer] == expected[answer], answer
        else:
            assert found == expected
