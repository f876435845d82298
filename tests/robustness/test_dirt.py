"""Dirt that is added to a clean store changes nothing but the rows that the report names.

Each kind of dirt has members that nobody reported; a kind is mended, not its examples.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.events.nothing import NO_VALUE, NOBODY
from tests.effort import tries

START = pd.Timestamp("2026-03-02", tz="UTC")
#: As tag managers, templates and other programs quote and write what is not there.
QUOTED = ['\\"undefined\\"', "\\'null\\'", "%22NULL%22", "&quot;None&quot;", "\u201cn/a\u201d"]
NOTHING = st.sampled_from([*sorted(NO_VALUE - {""}), *QUOTED, " Undefined ", "NaN", "<Nil>"])
NO_ID = st.one_of(NOTHING, st.sampled_from(sorted(NOBODY)), st.sampled_from(["0000-0", "---"]))
OTHER_SHAPE = st.sampled_from(
    ["ada@example.com", "a=1&b=2", 7, 2.5, True, [1, "a"], [[1, 2, 3]], "size: 3", [None]]
)
NO_AMOUNT = st.sampled_from(["12,50", "\u20ac 9.00", "free", "1.234,56", "40 EUR", "forty"])
NO_DATE = st.sampled_from(
    [
        *("02.11.2026 22:42", "31/12/2026", "soon", "2026-02-30", "2026-13-01T10:00:00Z", "", None),
        *("now", "today", "2nd of March", "Mon, 2 Mar", "May", "46083,95", "24:61"),
        *([2026, 3, 2], {"date": "2026-03-02"}),
    ]
)
FAR = st.sampled_from(["2199-01-01T00:00:00Z", "2150-06-01T12:00:00Z", "9999-12-31T23:59:59Z"])
BROKEN = st.sampled_from(['{"event_name": "Placed', "\x00\x00", "[", "{'event_name': 'A'}", "nul"])
CELLS = ("event_id", "alias", "campaign", "shape", "amount")
MOST_FAR = 2


@st.composite
def clean_rows(draw):
    """Return rows of a store without any fault; people share browsers and addresses."""
    size = draw(st.integers(6, 14))
    minutes = draw(st.lists(st.integers(0, 2800), min_size=size, max_size=size, unique=True))
    rows = []
    for place in range(size):
        person = draw(st.integers(0, 5))
        row = {
            "event_name": draw(st.sampled_from(["PageView", "Placed Order"])),
            "event_id": f"e{place}",
            "timestamp": (START + pd.Timedelta(minutes=minutes[place])).isoformat(),
            "aliases": [f"urn:cookie:c{draw(st.integers(0, 5))}", f"urn:email:p{person}@x.org"],
            "properties": {"size": place, "total_price": 40.5 + place},
        }
        if draw(st.booleans()):
            row["profile_properties"] = {"utm_source": draw(st.sampled_from(["ads", "mail"]))}
        rows.append(row)
    # A column that every row lacks has no type of its own.
    rows[0]["profile_properties"] = {"utm_source": "ads"}
    return rows


@st.composite
def soiled(draw):
    """Return clean rows, the lines of the same store with dirt, and which rows have which."""
    rows = draw(clean_rows())
    dirty = json.loads(json.dumps(rows))
    kinds: dict[str, list[int]] = {kind: [] for kind in (*CELLS, "copy", "far", "date", "broken")}
    copies = []
    # The first row stays clean, so that every column has a value.
    for place in range(1, len(rows)):
        kind = draw(st.sampled_from(["", "copy", *CELLS]))
        row = dirty[place]
        if kind == "event_id":
            row["event_id"] = draw(NO_ID)
        elif kind == "alias":
            row["aliases"].append(f"urn:customer_id:{draw(NO_ID)}")
        elif kind == "campaign" and "profile_properties" not in row:
            row["profile_properties"] = {"utm_source": draw(NOTHING)}
        elif kind == "shape":
            row["properties"] = draw(OTHER_SHAPE)
        elif kind == "amount" and row["event_name"] == "Placed Order":
            row["properties"]["total_price"] = draw(NO_AMOUNT)
        elif kind == "copy":
            copies.append(
                {
                    **rows[place],
                    "timestamp": (START + pd.Timedelta(days=5, minutes=place)).isoformat(),
                    "aliases": [f"urn:cookie:x{place}", f"urn:email:x{place}@x.org"],
                }
            )
        else:
            continue
        kinds[kind].append(place)
    lines = list(map(json.dumps, dirty))
    kinds["copy"] = list(range(len(lines), len(lines) + len(copies)))
    lines += map(json.dumps, copies)
    for kind, member in (("far", FAR), ("date", NO_DATE)):
        for time in draw(st.lists(member, max_size=MOST_FAR if kind == "far" else 4)):
            kinds[kind].append(len(lines))
            name = f"{kind}{len(lines)}"
            row = {
                **rows[0],
                "event_id": name,
                "timestamp": time,
                "aliases": [f"urn:cookie:{name}"],
            }
            lines.append(json.dumps(row))
    for line in draw(st.lists(BROKEN, max_size=3)):
        kinds["broken"].append(len(lines))
        lines.append(line)
    return rows, lines, kinds


def stitched(lines, **options):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "store.jsonl")
        path.write_text("\n".join(lines), encoding="utf-8")
        events = ck.read_events(path)
    return events, ck.stitch(events, **options)


def counted(remarks, text):
    return sum(n for remark, n in remarks.items() if text in remark)


def without(events, column, rows):
    return events[column].astype(object).where(~events["row"].isin(rows), None)


@tries(150)
@given(soiled(), st.sampled_from(["retroactive", "as_of"]))
def test_dirt_changes_only_the_rows_that_are_named(given_rows, identity):
    rows, lines, kinds = given_rows
    _, clean = stitched(list(map(json.dumps, rows)), identity=identity)
    read, found = stitched(lines, identity=identity)
    report = found.report

    # What was added is left out, and named row by row; or is far, and named in a warning.
    assert found.duplicates["row"].tolist() == kinds["copy"]
    assert set(found.duplicates["repeat"]) <= {"implausible"}
    assert found.rejected["row"].tolist() == kinds["date"] + kinds["broken"]
    added = found.events["row"] >= len(rows)
    assert sorted(found.events.loc[added, "row"]) == kinds["far"]
    for row in kinds["far"]:
        assert [text for text in report.warnings if re.search(rf"row {row}: [29]\d\d\d-", text)]

    # All other rows are as they were, but for the cells whose rows are counted.
    kept = found.events[~added].reset_index(drop=True)
    soiled_cells = {
        "event_id": kinds["event_id"],
        "properties.size": kinds["shape"],
        "properties.total_price": kinds["shape"] + kinds["amount"],
        "profile_properties.utm_source": kinds["campaign"],
    }
    assert set(clean.events.columns) <= set(kept.columns)
    for column in clean.events.columns.difference(["line", "aliases"]):
        gone = soiled_cells.get(column, [])
        ours, theirs = without(kept, column, gone), without(clean.events, column, gone)
        pd.testing.assert_series_equal(ours.map(str), theirs.map(str), obj=column)
    assert kept["event_id"].isna().sum() == len(kinds["event_id"])
    known = found.aliases.set_index(["alias_type", "alias_value"])["profile_id"].to_dict()
    before = clean.aliases.set_index(["alias_type", "alias_value"])["profile_id"].to_dict()
    more = {("cookie", f"far{row}") for row in kinds["far"]}
    assert known.keys() - before.keys() == more
    assert {pair: known[pair] for pair in before} == before

    # And counted they are.
    assert counted(report.remarks, "event_id is a placeholder") == len(kinds["event_id"])
    assert report.blocked["events"].sum() == len(kinds["alias"])
    assert counted(report.remarks, "utm_source is a placeholder") == len(kinds["campaign"])
    shapes = [text for text in report.warnings if "nothing was read from it" in text]
    told = [re.search(r"^properties is .* in (\d+) of (\d+) rows", text) for text in shapes]
    assert sum(int(match[1]) for match in told if match) == len(kinds["shape"])
    assert all(match and int(match[2]) == len(lines) for match in told)
    findings = ck.check_up(read, value="total_price").findings.set_index("check")
    listed = findings["rows"].get("amount-no-number", [])
    assert listed == kinds["amount"][:5]


MARKERS = ["\\N", "NULL", "null", "None", "NaN", "<NA>", "#N/A", "(null)", "[NULL]", "<null>"]


@tries(60)
@given(clean_rows(), st.data())
def test_null_markers_are_gaps(rows, data):
    table = pd.DataFrame(
        [
            {
                "event_name": row["event_name"],
                "event_id": row["event_id"],
                "timestamp": row["timestamp"],
                "alias.cookie": row["aliases"][0].rpartition(":")[2],
                "alias.email": row["aliases"][1].rpartition(":")[2],
                "properties.total": row["properties"]["total_price"],
                "profile_properties.utm_source": row.get("profile_properties", {}).get(
                    "utm_source"
                ),
            }
            for row in rows
        ]
    )
    gaps = data.draw(
        st.lists(
            st.tuples(
                st.integers(1, len(rows) - 1),
                st.sampled_from(["alias.email", "properties.total", "event_id"]),
                st.sampled_from(MARKERS),
            ),
            unique_by=lambda gap: gap[:2],
        )
    )
    empty, marked = table.astype(object), table.astype(object)
    for place, column, marker in gaps:
        empty.loc[place, column] = None
        marked.loc[place, column] = marker
    found = {}
    for name, frame in (("empty", empty), ("marked", marked)):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "store.csv")
            frame.to_csv(path, index=False)
            found[name] = ck.stitch(ck.read_events(path))
    pd.testing.assert_frame_equal(found["marked"].events, found["empty"].events)
    pd.testing.assert_frame_equal(found["marked"].profiles, found["empty"].profiles)
    pd.testing.assert_frame_equal(found["marked"].aliases, found["empty"].aliases)
    told = counted(found["marked"].report.remarks, ": read as missing")
    assert told == sum(marker != "\\N" for _, _, marker in gaps)
