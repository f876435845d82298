"""Vendors' exports, from file to funnel; detection that is certain or asks."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import formats

SAMPLES = Path(__file__).parents[2] / "data" / "exports"
#: The same eight visitors in every vendor's fields; two of them never log in.
STEPS = {
    "amplitude": ["Page Viewed", "Product Added", "Order Placed"],
    "converge_bigquery": ["$page_load", "Added To Cart", "Placed Order"],
    "ga4": ["page_view", "add_to_cart", "purchase"],
    "mixpanel": ["Page Viewed", "Product Added", "Order Placed"],
    "posthog": ["$pageview", "product added", "order placed"],
    "rudderstack": ["page", "Product Added", "Order Completed"],
    "segment": ["page", "Product Added", "Checkout Started"],
    "snowplow": ["page_view", "add_to_cart", "transaction"],
}
REACHED = {name: [8, 7, 5] for name in STEPS} | {
    "segment": [8, 7, 6],
    # $merge_dangerously made one person of two visitors.
    "posthog": [7, 6, 5],
}

SHOPS = ["shopify", "shopify_csv", "shopify_checkouts", "shopify_graphql", "woocommerce",
         "woocommerce_csv", "woocommerce_orders_csv", "stripe", "stripe_csv"]  # fmt: skip


@pytest.fixture(autouse=True)
def no_formats_of_others(monkeypatch):
    monkeypatch.setattr(formats, "_registered", {})


def sample(name):
    """Return the files of one format: ``name.csv``, or ``name_events.jsonl`` and its like."""
    return sorted(SAMPLES.glob(f"{name}.*")) or sorted(SAMPLES.glob(f"{name}_*"))


def write(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("name", STEPS)
def test_from_file_to_funnel(name):
    events = ck.read_events(sample(name), format=name)
    s = ck.stitch(events)
    assert not len(s.rejected)
    assert len(events) == len(s.events) + len(s.duplicates)
    steps = STEPS[name]
    assert s.funnel(steps, within="30D").table["profiles"].tolist() == REACHED[name]
    # The last step came without a campaign and has one now.
    last = s.events[s.events["event_name"] == steps[-1]]
    assert last["profile_properties.utm_source"].isna().all()
    assert last["profile.utm_source"].notna().sum() == 5


@pytest.mark.parametrize("name", [*STEPS, *SHOPS])
def test_each_sample_is_recognised_by_itself(name):
    found = ck.read_events(sample(name))
    named = ck.read_events(sample(name), format=name)
    pd.testing.assert_frame_equal(found, named)


def test_a_segment_browser_export_meets_shopify_orders():
    s = ck.stitch(ck.read_events([SAMPLES / "segment.jsonl", SAMPLES / "shopify.json"]))
    funnel = s.funnel(["page", "Product Added", "Placed Order"], within="30D")
    assert funnel.table["profiles"].tolist() == [8, 7, 5]
    orders = s.events[s.events["event_name"] == "Placed Order"]
    assert orders["profile_properties.utm_source"].isna().all()
    assert orders["profile.utm_source"].notna().sum() == 6
    assert orders["properties.total_price"].sum() == 192.0
    # The telephone order was never near the browser.
    assert s.orphans("Placed Order").summary["events"].tolist() == [6, 0, 0, 1, 0]


class TestSegment:
    base = {"type": "track", "messageId": "m1", "anonymousId": "a1", "event": "Product Viewed"}  # noqa: RUF012

    def read(self, tmp_path, **fields):
        return ck.read_events(write(tmp_path / "segment.jsonl", [self.base | fields]))

    def test_the_clock_of_the_device_is_corrected(self, tmp_path):
        events = self.read(
            tmp_path,
            originalTimestamp="2026-03-02T09:00:00Z",
            sentAt="2026-03-02T09:00:05Z",
            receivedAt="2026-03-02T10:00:05Z",
        )
        found = ck.stitch(events).events["timestamp"]
        assert found.tolist() == [pd.Timestamp("2026-03-02T10:00", tz="UTC")]

    def test_a_timestamp_that_is_there_is_taken(self, tmp_path):
        events = self.read(
            tmp_path,
            timestamp="2026-03-02T10:00:00Z",
            originalTimestamp="2026-03-02T09:00:00Z",
            sentAt="2026-03-02T09:00:05Z",
            receivedAt="2026-03-02T11:00:05Z",
        )
        found = ck.stitch(events).events["timestamp"]
        assert found.tolist() == [pd.Timestamp("2026-03-02T10:00", tz="UTC")]

    def test_identify_and_alias_link_and_are_no_events(self, tmp_path):
        at = {"timestamp": "2026-03-02T10:00:00Z"}
        rows = [
            self.base | at,
            {"type": "identify", "messageId": "m2", "anonymousId": "a1", "userId": "u1",
             "traits": {"email": "ada@x.org", "plan": "pro"}} | at,
            {"type": "alias", "messageId": "m3", "userId": "u2", "previousId": "u1"} | at,
            self.base | at | {"messageId": "m4", "anonymousId": "a2", "userId": "u2"},
        ]  # fmt: skip
        s = ck.stitch(ck.read_events(write(tmp_path / "segment.jsonl", rows)))
        assert s.events["kind"].tolist() == ["track", "identify", "identify", "track"]
        assert len(s.profiles) == 1
        assert s.profiles["profile.plan"].tolist() == ["pro"]
        assert s.explain("urn:cookie:a1", "urn:cookie:a2").linked

    def test_a_message_that_arrives_twice_counts_once(self, tmp_path):
        row = self.base | {"timestamp": "2026-03-02T10:00:00Z"}
        s = ck.stitch(ck.read_events(write(tmp_path / "segment.jsonl", [row, row])))
        assert len(s.events) == 1
        assert s.duplicates["repeat"].tolist() == ["identical"]


def test_posthog_set_once_keeps_the_first_value_and_set_the_last(tmp_path):
    rows = [
        {
            "uuid": f"e{i}", "event": "$pageview", "distinct_id": "d1",
            "timestamp": f"2026-03-0{i + 1}T10:00:00Z",
            "properties": {"$set": {"plan": plan}, "$set_once": {"first_plan": plan}},
        }
        for i, plan in enumerate(["free", "pro"], start=1)
    ]  # fmt: skip
    s = ck.stitch(ck.read_events(write(tmp_path / "posthog.jsonl", rows)))
    assert s.events["profile.plan"].tolist() == ["free", "pro"]
    assert s.events["profile.first_plan"].tolist() == ["free", "free"]


def test_amplitudes_archive_is_read_as_it_comes(tmp_path):
    lines = (SAMPLES / "amplitude.jsonl").read_bytes().splitlines(keepends=True)
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for hour, part in ((9, lines[:10]), (10, lines[10:])):
            packed = gzip.compress(b"".join(part))
            archive.writestr(f"123/123_2026-03-02_{hour}#0.json.gz", packed)
    ours = ck.stitch(ck.read_events(tmp_path / "export.zip"))
    theirs = ck.stitch(ck.read_events(SAMPLES / "amplitude.jsonl"))
    assert set(ours.events["event_id"]) == set(theirs.events["event_id"])
    assert len(ours.profiles) == len(theirs.profiles)


def test_ga4_microseconds_and_parameters():
    events = ck.read_events(SAMPLES / "ga4.jsonl")
    raw = [json.loads(line) for line in (SAMPLES / "ga4.jsonl").read_text("utf-8").splitlines()]
    s = ck.stitch(events)
    expected = pd.to_datetime([int(row["event_timestamp"]) for row in raw], unit="us", utc=True)
    assert s.events["timestamp"].tolist() == expected.tolist()
    assert s.events["event_id"].isna().all()


def test_converge_merges_are_followed_to_their_end():
    def lines(name):
        text = (SAMPLES / f"converge_bigquery_{name}.jsonl").read_text("utf-8")
        return list(map(json.loads, text.splitlines()))

    merged = {row["old_profile_id"]: row["new_profile_id"] for row in lines("profile_merges")}

    def final(profile):
        return final(merged[profile]) if profile in merged else profile

    s = ck.stitch(ck.read_events(sample("converge_bigquery")))
    theirs = {row["id"]: final(row["profile_id"]) for row in lines("events")}
    ours = dict(zip(s.events["event_id"], s.events["profile_id"], strict=True))
    pairs = {(theirs[event_id], ours[event_id]) for event_id in theirs}
    assert len(pairs) == len(set(theirs.values())) == len(s.profiles)


def test_converge_merges_that_chain(tmp_path):
    base = {"event_name": "$page_load", "event_properties": "{}", "profile_properties": "{}"}
    at = {"timestamp": "2026-03-02T10:00:00"}
    events = [base | at | {"id": f"e{i}", "profile_id": i} for i in (1, 2, 3, 9)]
    chain = [(1, 3), (2, 3), (3, 4)]
    merges = [at | {"old_profile_id": old, "new_profile_id": new} for old, new in chain]
    files = [write(tmp_path / "events.jsonl", events), write(tmp_path / "merges.jsonl", merges)]
    s = ck.stitch(ck.read_events(files))
    assert sorted(s.profiles["aliases"]) == [1, 4]


def test_shopify_money_is_a_number_and_the_order_its_id():
    orders = ck.read_events(SAMPLES / "shopify.json")
    assert pd.api.types.is_float_dtype(orders["properties.total_price"].dtype)
    assert orders["event_id"].is_unique
    assert set(orders["event_name"]) == {"Placed Order"}


class TestDetection:
    def test_a_wrong_name_says_what_it_looks_like(self):
        with pytest.raises(ck.ReadError, match=r"not in the format 'ga4'.*looks like 'segment'"):
            ck.read_events(SAMPLES / "segment.jsonl", format="ga4")

    def test_an_unknown_name_lists_the_known(self):
        with pytest.raises(ck.ReadError, match="Did you mean 'segment'"):
            ck.read_events(SAMPLES / "segment.jsonl", format="segmnt")

    def test_a_file_that_two_formats_fit_is_asked_about(self, tmp_path):
        row = {"messageId": "m", "type": "track", "anonymousId": "a", "event": "A",
               "event_name": "A", "aliases": [], "timestamp": "2026-03-02T10:00:00Z"}  # fmt: skip
        path = write(tmp_path / "both.jsonl", [row])
        with pytest.raises(ck.ReadError, match="could be .* say which with format="):
            ck.read_events(path)
        assert ck.read_events(path, format="segment")["event_name"].tolist() == ["A"]

    def test_our_own_files_are_nobody_elses(self):
        data = SAMPLES.parent
        found = ck.read_events(sorted(data.glob("*.*")))
        assert set(found["source"]) == {"browser", "server", "crm"}

    def test_formats_of_your_own(self):
        till = ck.Export(
            name="till",
            documentation="https://till.example.com/export",
            recognised_by=[["receipt_no", "sold_at"]],
            event_name=lambda rows: ["Sale"] * len(rows),
            timestamp="sold_at",
            event_id="receipt_no",
            aliases={"email": "buyer.mail"},
            properties={"total": "total"},
        )
        ck.register_export(till)
        frame = pd.DataFrame(
            {
                "receipt_no": [7, 7],
                "sold_at": ["2026-03-02T10:00:00Z"] * 2,
                "buyer": [{"mail": "Ada@example.com"}, None],
                "total": [12.5, 12.5],
            }
        )
        s = ck.stitch(ck.read_events(frame))
        assert repr(s) == "Stitched(1 event, 1 duplicate, 0 rejected; 1 alias, 1 profile)"
        assert s.events["properties.total"].tolist() == [12.5]

    def test_a_name_that_is_taken_is_refused(self):
        taken = ck.Export(
            name="segment", documentation="", recognised_by=[["a"]], event_name="a", timestamp="b"
        )
        with pytest.raises(ck.ConvergekitError, match="comes with convergekit"):
            ck.register_export(taken)
        with pytest.raises(ck.ConvergekitError, match=r"needs a ck\.Export"):
            ck.register_export({"name": "till"})

    def test_a_field_of_the_wrong_length_is_refused(self):
        ck.register_export(
            ck.Export(
                name="short",
                documentation="",
                recognised_by=[["k"]],
                event_name=lambda rows: ["A"],
                timestamp="t",
            )
        )
        with pytest.raises(ck.ConvergekitError, match="returned 1 value for 2 rows"):
            ck.read_events(pd.DataFrame({"k": [1, 2], "t": ["2026-03-02"] * 2}), format="short")


def test_the_callers_frame_is_not_changed():
    lines = (SAMPLES / "segment.jsonl").read_text("utf-8").splitlines()
    frame = pd.DataFrame(list(map(json.loads, lines)))
    copy = frame.copy(deep=True)
    ck.read_events(frame)
    pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize("name", ["ga4", "posthog", "mixpanel", "amplitude", "snowplow", "segment"])
def test_columns_in_capitals_are_read_the_same(name):
    rows = [row for path in sample(name) for row in _rows(path)]
    frame = pd.DataFrame(rows)
    found = ck.read_events(frame.rename(columns=str.upper))
    pd.testing.assert_frame_equal(found, ck.read_events(frame))


def _rows(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype="str").to_dict("records")
    return list(map(json.loads, path.read_text("utf-8").splitlines()))


def test_a_format_declared_in_capitals_is_read():
    ck.register_export(
        ck.Export(name="till", documentation="", recognised_by=[["RECEIPT_NO"]],
                  event_name=lambda rows: ["Sale"] * len(rows), timestamp="SOLD.AT",
                  properties={"*": "SOLD"})
    )  # fmt: skip
    frame = pd.DataFrame({"RECEIPT_NO": [7], "SOLD": [{"AT": "2026-03-02", "total": 3}]})
    found = ck.read_events(frame)
    assert found["timestamp"].tolist() == ["2026-03-02"]
    assert found["properties.total"].tolist() == [3]


def test_columns_in_capitals_of_the_callers_own_keep_their_names():
    frame = pd.DataFrame({"ACTION": ["Order"], "AT": ["2026-03-02"], "MAIL": ["a@x.org"]})
    columns = {"event_name": "ACTION", "timestamp": "AT", "alias.email": "MAIL"}
    assert ck.read_events(frame, columns=columns)["event_name"].tolist() == ["Order"]


def test_a_format_that_prepares_its_rows_and_one_that_is_refused(tmp_path):
    till = {"documentation": "", "event_name": "kind", "timestamp": "at", "aliases": {"till": "no"}}
    ck.register_export(
        ck.Export(name="till", recognised_by=[["receipt"]], absent=["draft"], **till,
                  prepare=lambda frame: frame.assign(kind="Sale", no=frame["receipt"] * 2))
    )  # fmt: skip
    ck.register_export(
        ck.Export(name="drafts", recognised_by=[["receipt", "draft"]], **till,
                  refused="these are drafts. Read the receipts.")
    )  # fmt: skip
    frame = pd.DataFrame({"receipt": [7], "at": ["2026-03-02"]}, index=[3])
    assert ck.read_events(frame)[["event_name", "alias.till"]].values.tolist() == [["Sale", 14]]
    with pytest.raises(ck.ReadError, match=r"the frame: these are drafts\. Read the receipts\."):
        ck.read_events(frame.assign(draft=True))


def test_of_formats_with_the_same_columns_the_name_of_the_file_chooses(tmp_path):
    for name in ("sales", "returns"):
        ck.register_export(
            ck.Export(name=name, documentation="", recognised_by=[["receipt", "at"]], table=name,
                      event_name=lambda rows, name=name: [name] * len(rows), timestamp="at")
        )  # fmt: skip
    row = json.dumps({"receipt": 7, "at": "2026-03-02"})
    for path in ("sales.jsonl", "prod-returns_01.jsonl", "sales/a.jsonl", "other.jsonl"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(row)
    read = {
        path: ck.read_events(tmp_path / path)["event_name"].tolist()
        for path in ("sales.jsonl", "prod-returns_01.jsonl", "sales/a.jsonl")
    }
    assert list(read.values()) == [["sales"], ["returns"], ["sales"]]
    with pytest.raises(ck.ReadError, match="could be 'sales' or 'returns'"):
        ck.read_events(tmp_path / "other.jsonl")


def test_lines_of_json_that_are_called_gz_alone_are_read(tmp_path):
    """So Segment's storage destination calls its files."""
    folder = tmp_path / "segment-logs" / "1772409600000"
    folder.mkdir(parents=True)
    (folder / "1772442480.a1.1.gz").write_bytes(
        gzip.compress((SAMPLES / "segment.jsonl").read_bytes())
    )
    (folder / "dump.sql.gz").write_bytes(gzip.compress(b"INSERT INTO a VALUES (1);\n"))
    (folder / "broken.gz").write_bytes(b"\x1f\x8b{}")
    with pytest.warns(UserWarning, match="2 files were left out"):
        events = ck.read_events(tmp_path / "segment-logs")
    assert len(events) == len(ck.read_events(SAMPLES / "segment.jsonl"))
    with pytest.raises(ck.ReadError, match="the suffix does not name a format"):
        ck.read_events(folder / "dump.sql.gz")
