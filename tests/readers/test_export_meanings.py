"""Vendors' exports: from file to funnel, what their identity calls mean, and which format it is."""

from __future__ import annotations

import doctest
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
PEOPLE, IN_CART, AT_CHECKOUT, BUYERS = 8, 7, 6, 5

FUNNELS = {
    "rudderstack.jsonl": ["page", "Product Added", "Checkout Started", "Order Completed"],
    "ga4.jsonl": ["page_view", "add_to_cart", "begin_checkout", "purchase"],
    "posthog.jsonl": ["$pageview", "product added", "checkout started", "order placed"],
    "mixpanel.jsonl": ["Page Viewed", "Product Added", "Checkout Started", "Order Placed"],
    "amplitude.jsonl": ["Page Viewed", "Product Added", "Checkout Started", "Order Placed"],
    "snowplow.csv": ["page_view", "add_to_cart", "checkout_started", "transaction"],
    "converge_bigquery_*.jsonl": [
        "$page_load", "Added To Cart", "Started Checkout", "Placed Order",
    ],
}  # fmt: skip
# PostHog's $merge_dangerously makes two of the people one.
MERGED = {"posthog.jsonl": 1}


def stitched(name, **options):
    return ck.stitch(ck.read_events(str(EXPORTS / name)), **options)


def urns(s):
    return "urn:" + s.aliases["alias_type"].astype(str) + ":" + s.aliases["alias_value"]


@pytest.fixture
def write(tmp_path):
    def write(records, name="export.jsonl"):
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, records)))
        return path

    return write


@pytest.mark.parametrize("name", FUNNELS)
def test_from_file_to_funnel(name):
    s = stitched(name)
    assert not len(s.rejected)
    merged = MERGED.get(name, 0)
    assert len(s.profiles) == PEOPLE - merged
    found = s.funnel(FUNNELS[name], within="1D").table["profiles"].tolist()
    expected = [PEOPLE - merged, IN_CART - merged, AT_CHECKOUT - merged, BUYERS]
    assert found == expected
    orders = s.events[s.events["event_name"] == FUNNELS[name][-1]]
    sources = {"newsletter": 2, "google": 2, "instagram": 1}
    assert orders["profile.utm_source"].value_counts().to_dict() == sources


def test_segment_in_the_browser_and_shopify_orders_are_one_funnel():
    paths = [EXPORTS / "segment.jsonl", EXPORTS / "shopify.json"]
    s = ck.stitch(ck.read_events(paths))
    # The eighth order is from the till, by somebody who was never seen in the browser.
    assert len(s.profiles) == PEOPLE + 1
    steps = ["page", "Product Added", "Checkout Started", "Placed Order"]
    assert s.funnel(steps, within="1D").table["profiles"].tolist() == [8, 7, 6, 5]
    orders = s.events[s.events["event_name"] == "Placed Order"].set_index("properties.id")
    assert "profile_properties.utm_source" not in ck.read_events(paths[1])
    ada = orders.loc[[5550001000, 5550001005]]
    assert ada["profile.utm_source"].tolist() == ["newsletter", "newsletter"]
    assert len(set(ada["profile_id"])) == 1
    till = orders[orders["properties.source_name"] == "pos"]
    assert till["profile.utm_source"].isna().all()


def test_a_property_of_a_vendor_is_an_alias_on_request(write):
    browser = json.loads((EXPORTS / "segment.jsonl").read_text().splitlines()[2])
    assert browser["properties"]["cart_id"]
    cart = {"alias.cart_token": "properties.cart_id"}
    events = ck.read_events(write([browser]), columns=cart)
    assert events["alias.cart_token"].tolist() == [browser["properties"]["cart_id"]]
    assert "properties.cart_id" not in events


def test_shopify_orders(tmp_path):
    events = ck.read_events(EXPORTS / "shopify.json")
    first = events.iloc[0]
    assert first["event_id"] == first["properties.id"] == 5550001000
    assert first["properties.total_price"] == 17.0
    assert first["properties.total_shipping"] == 4.5
    assert first["properties.items"][0]["name"] == "House Blend 250 g"
    assert set(first["properties.items"][0]) == {
        "product_id", "variant_id", "sku", "name", "price", "quantity", "vendor",
    }  # fmt: skip
    aliases = ck.stitch(events).aliases.groupby("alias_type", observed=True).size().to_dict()
    assert aliases == {"email": 6, "checkout_token": 6, "cart_token": 6, "customer_id": 6}
    assert events["line"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    lines = tmp_path / "orders.jsonl"
    orders = json.loads((EXPORTS / "shopify.json").read_text())["orders"]
    lines.write_text("\n".join(map(json.dumps, orders)))
    array = tmp_path / "orders.json"
    array.write_text(json.dumps(orders))
    one_line = tmp_path / "answer.json"
    one_line.write_text(json.dumps({"orders": orders}))
    for path in (lines, array, one_line):
        again = ck.read_events(path).drop(columns=["file", "source", "line"])
        pd.testing.assert_frame_equal(again, events.drop(columns=["file", "source", "line"]))


SEGMENT = {
    "type": "track",
    "event": "Signed Up",
    "messageId": "m1",
    "anonymousId": "anon",
    "timestamp": "2026-03-02T10:00:00Z",
    "receivedAt": "2026-03-02T10:00:02Z",
}


def test_segment_calls(write):
    rows = [
        SEGMENT,
        {**SEGMENT, "type": "page", "event": None, "name": "Home", "messageId": "m2"},
        {**SEGMENT, "type": "identify", "event": None, "messageId": "m3", "userId": "u",
         "traits": {"email": "ada@example.com", "plan": "pro"}},
        {**SEGMENT, "type": "group", "event": None, "messageId": "m4", "groupId": "acme",
         "traits": {"email": "office@example.com", "plan": "team"}},
        {**SEGMENT, "messageId": "m5", "context": {"traits": {"plan": "free"}}},
    ]  # fmt: skip
    s = ck.stitch(ck.read_events(write(rows)))
    assert s.events["event_name"].tolist()[:2] == ["Signed Up", "page"]
    assert s.events["kind"].tolist() == ["track", "track", "identify", "identify", "track"]
    assert s.events["profile.plan"].tolist()[2:] == ["pro", "pro", "free"]
    assert {"email", "user_id", "cookie"} == set(s.aliases["alias_type"])
    assert "office@example.com" not in set(s.aliases["alias_value"])
    assert len(s.profiles) == 1


@pytest.mark.parametrize(("previous", "alias_type"), [("anon", "cookie"), ("old", "user_id")])
def test_segment_alias_takes_the_previous_id_for_what_it_was(write, previous, alias_type):
    alias = {**SEGMENT, "type": "alias", "event": None, "messageId": "m2", "anonymousId": None,
             "userId": "new", "previousId": previous}  # fmt: skip
    s = ck.stitch(ck.read_events(write([SEGMENT, alias])))
    linked = s.explain(f"urn:{alias_type}:{previous}", "urn:user_id:new")
    assert "1 link" in str(linked)


def test_segment_corrects_the_clock_of_the_device_where_segment_has_not(write):
    skewed = {key: value for key, value in SEGMENT.items() if key != "timestamp"}
    skewed |= {
        "originalTimestamp": "2026-03-02T08:00:00Z",
        "sentAt": "2026-03-02T08:00:05Z",
        "receivedAt": "2026-03-02T10:00:05Z",
    }
    untouched = {**SEGMENT, "messageId": "m2", "originalTimestamp": "2026-03-01T00:00:00Z"}
    late = {key: value for key, value in skewed.items() if key != "sentAt"}
    events = ck.read_events(write([skewed, untouched, {**late, "messageId": "m3"}]))
    times = ck.stitch(events).events["timestamp"].dt.strftime("%H:%M:%S").tolist()
    assert times == ["10:00:00", "10:00:00", "08:00:00"]


def test_rudderstack_is_read_as_segments_calls_are():
    by_name = ck.read_events(EXPORTS / "rudderstack.jsonl", format="rudderstack")
    pd.testing.assert_frame_equal(by_name, ck.read_events(EXPORTS / "rudderstack.jsonl"))
    as_segment = ck.read_events(EXPORTS / "rudderstack.jsonl", format="segment")
    pd.testing.assert_frame_equal(by_name, as_segment)


def posthog(event, distinct_id, minute, uuid, **properties):
    return {
        "uuid": uuid,
        "event": event,
        "distinct_id": distinct_id,
        "timestamp": f"2026-03-02T10:{minute:02}:00Z",
        "properties": properties,
    }


def test_posthog_set_and_set_once(write):
    rows = [
        posthog("view", "a", 0, "1", **{"$set_once": {"plan": "first", "source": "ads"}}),
        posthog("view", "a", 1, "2", **{"$set_once": {"plan": "second", "source": "mail"}}),
        posthog("$set", "a", 2, "3", **{"$set": {"plan": "third"}}),
        posthog("view", "a", 3, "4", **{"$set_once": {"plan": "fourth"}}),
        posthog("view", "a", 4, "5", **{"$unset": ["plan"]}),
    ]
    s = ck.stitch(ck.read_events(write(rows)))
    plans = s.events["profile.plan"].fillna("").tolist()
    assert plans == ["first", "first", "third", "third", ""]
    assert s.events["profile.source"].tolist() == ["ads"] * 5
    assert s.events["kind"].tolist() == ["track", "track", "identify", "track", "track"]


@pytest.mark.parametrize(
    ("call", "properties"),
    [
        ("$identify", {"$anon_distinct_id": "anon"}),
        ("$create_alias", {"alias": "anon"}),
        ("$merge_dangerously", {"alias": "anon"}),
    ],
)
def test_posthog_identity_calls_link(write, call, properties):
    rows = [
        posthog("view", "anon", 0, "1", alias="someone else"),
        posthog(call, "ada", 1, "2", **properties),
    ]
    s = ck.stitch(ck.read_events(write(rows)))
    assert s.aliases.groupby("profile_id")["alias_value"].agg(sorted).tolist() == [["ada", "anon"]]


def test_posthog_browsers_are_known_as_such_and_link_nothing_more(write):
    rows = [
        posthog("view", "device-1", 0, "1", **{"$device_id": "device-1"}),
        posthog("$identify", "ada", 1, "2",
                **{"$device_id": "device-1", "$anon_distinct_id": "device-1"}),
        # A second person on the same device: PostHog does not link them by it.
        posthog("view", "bob", 2, "3", **{"$device_id": "device-1"}),
        posthog("order", "ada", 3, "4"),
    ]  # fmt: skip
    s = ck.stitch(ck.read_events(write(rows)))
    people = urns(s).groupby(s.aliases["profile_id"]).agg(sorted).tolist()
    assert sorted(people) == [
        ["urn:cookie:device-1", "urn:distinct_id:ada", "urn:distinct_id:device-1"],
        ["urn:distinct_id:bob"],
    ]
    # Without a word of which alias is the browser's, the order reaches it.
    assert s.orphans("order").summary["events"].tolist() == [1, 0, 0, 0, 0]


def test_posthog_properties_as_json_text_in_parquet(tmp_path):
    rows = [posthog("view", "a", 0, "1", **{"$set": {"plan": "pro"}, "price": 3})]
    frame = pd.DataFrame([{**row, "properties": json.dumps(row["properties"])} for row in rows])
    frame.to_parquet(tmp_path / "export.parquet")
    events = ck.read_events(tmp_path / "export.parquet")
    assert events["profile_properties.plan"].tolist() == ["pro"]
    assert events["properties.price"].tolist() == [3]


def test_ga4_values_have_their_types_and_no_event_is_deduplicated():
    s = stitched("ga4.jsonl")
    assert "event_id" in s.events
    assert s.events["event_id"].isna().all()
    assert pd.api.types.is_integer_dtype(s.events["properties.ga_session_id"].dtype)
    purchase = s.events[s.events["event_name"] == "purchase"].iloc[0]
    assert purchase["properties.value"] == 12.5
    assert str(purchase["timestamp"])[:10] == "2026-03-02"
    assert purchase["profile.$initial_utm_source"] == "newsletter"


GA4 = {
    "event_timestamp": "1772442480027000", "event_name": "purchase", "stream_id": "9988",
    "user_pseudo_id": "100.200", "batch_page_id": "1772442480020", "batch_ordering_id": "2",
    "batch_event_index": "1", "event_params": [
        {"key": "value", "value": {"string_value": None, "int_value": "40"}},
    ],
}  # fmt: skip
NAMES = ("stream_id", "user_pseudo_id", "event_name", "event_timestamp", "batch_page_id",
         "batch_ordering_id", "batch_event_index")  # fmt: skip


def ga4_ids(*rows):
    events = ck.read_events(pd.DataFrame([GA4, *rows]), format="ga4")
    return events["event_id"].tolist()


def test_a_ga4_event_is_named_by_its_place_in_the_requests_of_a_browser():
    digest = hashlib.sha256("\n".join(GA4[name] for name in NAMES).encode()).hexdigest()[:32]
    for row in (
        {"collected_traffic_source": {"manual_source": "news"}, "user_id": "u"},
        {"event_params": [], "ecommerce": {"transaction_id": "1"}, "event_date": "20260303"},
        {name: int(GA4[name]) for name in NAMES if name.startswith(("batch", "event_t"))},
        {name: float(GA4[name]) for name in NAMES if name.startswith(("batch", "event_t"))},
    ):
        assert ga4_ids(GA4 | row) == [digest, digest]
    sent = [
        {"key": name, "value": {"int_value": GA4[name]}}
        for name in ("batch_page_id", "batch_ordering_id")
    ]
    within = {"event_params": sent, "batch_page_id": None, "batch_ordering_id": None}
    assert ga4_ids(GA4 | within) == [digest, digest]


@pytest.mark.parametrize("name", NAMES)
def test_ga4_events_that_differ_in_a_name_of_theirs_are_several(name):
    other = "page_view" if name == "event_name" else GA4[name] + "1"
    first, second = ga4_ids(GA4 | {name: other})
    assert first != second
    assert isinstance(second, str)


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("value", [None, ""])
def test_a_ga4_event_without_one_of_its_names_has_no_id(name, value):
    first, second = ga4_ids(GA4 | {name: value})
    assert isinstance(first, str)
    assert pd.isna(second)


def test_a_ga4_event_of_the_stream_and_of_the_day_counts_once(write):
    day = GA4 | {"collected_traffic_source": {"manual_source": "news"}}
    files = [write([day], "events_20260302.jsonl"), write([GA4], "events_intraday_20260302.jsonl")]
    s = ck.stitch(ck.read_events(files))
    assert len(s.events) == 1
    assert s.events["profile.utm_source"].tolist() == ["news"]
    assert s.duplicates["repeat"].tolist() == ["different content"]
    older = {name: value for name, value in GA4.items() if not name.startswith("batch")}
    files = [write([older], "events_20260302.jsonl"), write([older], "events_20260302 (2).jsonl")]
    s = ck.stitch(ck.read_events(files))
    assert len(s.events) == 2
    assert "in another file" in s.report.warnings[0]


def test_ga4_first_source_is_set_once():
    first = json.loads((EXPORTS / "ga4.jsonl").read_text().splitlines()[0])
    later = {**first, "event_timestamp": str(int(first["event_timestamp"]) + 60_000_000),
             "traffic_source": {"source": "google"}}  # fmt: skip
    s = ck.stitch(ck.read_events(pd.DataFrame([first, later])))
    assert s.events["profile.$initial_utm_source"].tolist() == ["newsletter", "newsletter"]


def test_mixpanel_distinct_id_is_an_alias_only_where_it_says_more(write):
    def event(name, insert_id, **properties):
        return {
            "event": name,
            "properties": {"time": 1772445600, "$insert_id": insert_id, **properties},
        }

    rows = [
        event("View", "1", distinct_id="$device:d1", **{"$device_id": "d1"}),
        event("View", "2", distinct_id="u1", **{"$device_id": "d1", "$user_id": "u1"}),
        event("View", "3", distinct_id="old-1"),
        event("View", "4", distinct_id="$device:d2"),
        event("$merge", "5", distinct_id="old-1", **{"$distinct_ids": ["old-1", "old-2"]}),
        event("$identify", "6", distinct_id="k", **{"$identified_id": "k", "$anon_id": "old-2"}),
        event("$create_alias", "7", distinct_id="k", alias="k2"),
    ]
    s = ck.stitch(ck.read_events(write(rows)))
    people = s.aliases.groupby("profile_id").apply(
        lambda part: sorted(part["alias_type"].astype(str) + ":" + part["alias_value"])
    )
    assert sorted(people) == [
        ["cookie:d1", "user_id:u1"],
        ["cookie:d2"],
        ["distinct_id:k", "distinct_id:k2", "distinct_id:old-1", "distinct_id:old-2"],
    ]


KLAVIYO = {
    "data": [
        {
            "type": "event",
            "id": "e1",
            "attributes": {
                "timestamp": 1772445600,
                "datetime": "2026-03-02T10:00:00+00:00",
                "event_properties": {"$value": 12.5, "Items": ["House Blend"]},
                "uuid": "u1",
            },
            "relationships": {
                "profile": {"data": {"type": "profile", "id": "p1"}},
                "metric": {"data": {"type": "metric", "id": "m1"}},
                "attributions": {"data": []},
            },
        },
    ],
    "included": [
        {"type": "metric", "id": "m1", "attributes": {"name": "Placed Order"}},
        {"type": "profile", "id": "p1", "attributes": {
            "email": "Ada@example.com", "phone_number": "+3290000000", "external_id": "c-7",
            "location": {"city": "Ghent"}, "properties": {"roast": "dark"}}},
        {"type": "profile", "id": "e1", "attributes": {"email": "somebody@else.org"}},
    ],
    "links": {"next": None},
}  # fmt: skip


def test_klaviyo_from_file_to_funnel():
    s = stitched("klaviyo.json")
    assert not len(s.rejected)
    steps = ["Opened Email", "Viewed Product", "Placed Order"]
    assert s.funnel(steps, within="7D").table["profiles"].tolist() == [6, 5, 5]
    orders = s.events[s.events["event_name"] == "Placed Order"]
    assert orders["properties.$value"].notna().all()
    assert orders["profile.$city"].eq("Ghent").all()


def test_klaviyo_mails_meet_segments_browsers():
    s = ck.stitch(ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "klaviyo.json"]))
    assert len(s.profiles) == PEOPLE
    opened = s.events[s.events["event_name"] == "Opened Email"]["profile_id"]
    browsed = s.events[s.events["event_name"] == "page"]["profile_id"]
    assert len(set(opened) & set(browsed)) == 6


def test_klaviyo_pages_name_their_metrics_and_profiles(write, tmp_path):
    second = {**KLAVIYO["data"][0], "id": "e2"}
    pages = [KLAVIYO, {**KLAVIYO, "data": [second, {**second, "id": "e3"}]}]
    events = ck.read_events(write(pages))
    assert events["event_id"].tolist() == ["e1", "e2", "e3"]
    assert events["line"].tolist() == [1, 2, 2]
    assert events["event_name"].tolist() == ["Placed Order"] * 3
    assert events["profile_properties.roast"].tolist() == ["dark"] * 3
    s = ck.stitch(events)
    assert urns(s).tolist() == [
        "urn:email:ada@example.com", "urn:external_id:c-7", "urn:klaviyo_profile:p1",
        "urn:phone:+3290000000",
    ]  # fmt: skip
    assert str(s.events["timestamp"][0]) == "2026-03-02 10:00:00+00:00"
    array = tmp_path / "pages.json"
    array.write_text(json.dumps(pages, indent=1))
    again = ck.read_events(array, format="klaviyo")
    columns = ["event_id", "event_name", "line"]
    assert again[columns].values.tolist() == events[columns].values.tolist()


def test_klaviyo_events_alone_are_named_by_the_id_of_their_metric(write):
    events = ck.read_events(write(KLAVIYO["data"]))
    assert events["event_name"].tolist() == ["m1"]
    s = ck.stitch(events, rename_events={"m1": "Placed Order"})
    assert s.events["event_name"].tolist() == ["Placed Order"]
    assert urns(s).tolist() == ["urn:klaviyo_profile:p1"]


def test_klaviyo_pages_without_events_and_with_nonsense(write):
    nothing = {**KLAVIYO, "data": []}
    assert len(ck.read_events(write([nothing]))) == 0
    odd = {**KLAVIYO, "included": [7, {"type": "metric", "id": []}]}
    assert ck.read_events(write([nothing, odd]))["event_name"].tolist() == ["m1"]


def test_amplitude_identify_is_no_event(write):
    row = {"event_type": "$identify", "event_time": "2026-03-02 10:00:00.000000",
           "device_id": "d", "user_id": "u", "amplitude_id": 1,
           "user_properties": {"plan": "pro"}}  # fmt: skip
    s = ck.stitch(ck.read_events(write([row])))
    assert s.events["kind"].tolist() == ["identify"]
    assert s.profiles["profile.plan"].tolist() == ["pro"]


def test_snowplow_opens_self_describing_events_and_keeps_contexts():
    events = ck.read_events(EXPORTS / "snowplow.csv")
    added = events[events["event_name"] == "add_to_cart"].iloc[0]
    assert added["properties.price"] == 12.5
    context = added["properties.contexts_com_snowplowanalytics_snowplow_web_page_1"]
    assert list(context[0]) == ["id"]


def test_converge_profile_merges_chain():
    events = EXPORTS / "converge_bigquery_events.jsonl"
    merges = EXPORTS / "converge_bigquery_profile_merges.jsonl"
    apart = ck.stitch(ck.read_events(events))
    together = ck.stitch(ck.read_events([events, merges]))
    # Before the merges, every order's server profile is a person of its own.
    assert len(apart.profiles) == PEOPLE + BUYERS
    assert len(together.profiles) == PEOPLE
    chain = together.explain("urn:converge_profile:7100", "urn:converge_profile:7000")
    assert "urn:converge_profile:7200" in str(chain)
    assert "s0" in set(together.events["properties.session_id"])


def test_converge_merges_are_known_from_their_time_on():
    files = str(EXPORTS / "converge_bigquery_*.jsonl")
    events = ck.read_events(files)
    live = ck.stitch(events, identity="as_of").events
    orders = live["event_name"] == "Placed Order"
    assert live.loc[orders, "profile.utm_source"].isna().all()


def test_a_format_is_detected_as_what_it_is_or_asked_for(write):
    both = {**SEGMENT, **posthog("view", "a", 0, "1")}
    with pytest.raises(ck.ReadError, match=r"could be 'segment' or 'posthog'; .*format='segment'"):
        ck.read_events(write([both]))
    assert ck.read_events(write([both]), format="posthog")["event_id"].tolist() == ["1"]
    two = {**SEGMENT, "event_name": "A", "aliases": ["urn:cookie:1"]}
    with pytest.raises(ck.ReadError, match="'segment' or 'converge'"):
        ck.read_events(write([two]))


def test_each_file_of_a_folder_is_read_in_its_own_format():
    files = [p for p in sorted(EXPORTS.iterdir()) if p.name != "shopify.json"]
    events = ck.read_events(files)
    # An order that several of Shopify's exports hold counts once.
    assert events["file"].nunique() == len(files)
    assert not len(ck.stitch(events).rejected)


def test_a_wrong_format_says_what_it_looks_like():
    with pytest.raises(ck.ReadError, match=r"not in the format 'ga4'.*It looks like 'shopify'"):
        ck.read_events(EXPORTS / "shopify.json", format="ga4")
    with pytest.raises(ck.ReadError, match="got 'segmnt'.*Did you mean 'segment'"):
        ck.read_events(EXPORTS / "segment.jsonl", format="segmnt")
    with pytest.raises(ck.ColumnError, match="no timestamp column"):
        ck.read_events(EXPORTS / "ga4.jsonl", format="converge")


def test_columns_of_the_callers_outrank_detection():
    mapping = {"event_name": "event", "timestamp": "timestamp", "alias.who": "anonymousId"}
    events = ck.read_events(EXPORTS / "segment.jsonl", columns=mapping)
    assert "alias.who" in events
    assert "alias.cookie" not in events


def test_a_broken_line_in_a_vendors_file_is_rejected_with_its_line(tmp_path):
    path = tmp_path / "segment.jsonl"
    path.write_text(json.dumps(SEGMENT) + '\n{"type": "tra\n' + json.dumps(SEGMENT) + "\n")
    s = ck.stitch(ck.read_events(path))
    assert s.rejected["line"].tolist() == [2]
    assert s.rejected["reason"].str.startswith("not JSON").all()


def test_a_frame_of_a_vendors_rows_is_not_changed():
    frame = pd.DataFrame([SEGMENT, {**SEGMENT, "context": {"traits": {"email": "a@x.org"}}}])
    before = frame.copy(deep=True)
    events = ck.read_events(frame, format="segment")
    pd.testing.assert_frame_equal(frame, before)
    assert events["alias.email"].tolist()[1] == "a@x.org"


def test_flattened_columns_are_found():
    frame = pd.json_normalize([{**SEGMENT, "context": {"traits": {"email": "a@x.org"}}}])
    events = ck.read_events(frame)
    assert events["profile_properties.$email"].tolist() == ["a@x.org"]


TILL = ck.Export(
    name="till",
    documentation="https://till.example.com/export",
    recognised_by=[["receipt_no", "sold_at"]],
    event_id="receipt_no",
    event_name=lambda rows: ["Sale"] * len(rows),
    timestamp="sold_at",
    aliases={"email": ["buyer.mail", "buyer.second_mail"]},
    properties={"*": "basket"},
    set_once={"first_shop": "shop"},
)


@pytest.mark.usefixtures("registered")
def test_a_format_of_ones_own(write):
    rows = [
        {"receipt_no": 1, "sold_at": "2026-03-02", "shop": "Ghent", "basket": {"total": 3.5},
         "buyer": {"mail": "a@x.org", "second_mail": "b@x.org"}},
        {"receipt_no": 2, "sold_at": "2026-03-03", "shop": "Bruges", "basket": {"total": 4},
         "buyer": {"mail": "b@x.org"}},
    ]  # fmt: skip
    ck.register_export(TILL)
    ck.register_export(TILL)
    s = ck.stitch(ck.read_events(write(rows)))
    assert s.events["event_name"].tolist() == ["Sale", "Sale"]
    assert s.events["properties.total"].tolist() == [3.5, 4.0]
    assert s.events["profile.first_shop"].tolist() == ["Ghent", "Ghent"]
    assert len(s.profiles) == 1


@pytest.mark.usefixtures("registered")
def test_what_is_no_declaration_is_refused():
    with pytest.raises(
        ck.ConvergekitError, match="'segment' is the name of a format that comes with"
    ):
        ck.register_export(
            ck.Export(name="segment", documentation="", recognised_by=[["a"]], event_name="a",
                      timestamp="b")
        )  # fmt: skip
    with pytest.raises(ck.ConvergekitError, match="needs a ck.Export; got a dict"):
        ck.register_export({"name": "till"})
    with pytest.raises(ck.ConvergekitError, match="list of lists of paths"):
        ck.Export(name="x", documentation="", recognised_by=["a"], event_name="a", timestamp="b")
    ck.register_export(
        ck.Export(name="short", documentation="", recognised_by=[["n"]],
                  event_name=lambda rows: ["one"], timestamp="n")
    )  # fmt: skip
    with pytest.raises(ck.ConvergekitError, match="'event_name' returned 1 value for 2 rows"):
        ck.read_events(pd.DataFrame({"n": [1, 2]}))


@pytest.mark.usefixtures("registered")
def test_the_page_on_adding_an_export_runs():
    page = Path(__file__).parents[2] / "docs" / "add-an-export.md"
    done = doctest.testfile(str(page), module_relative=False)
    assert done.attempted > 0
    assert done.failed == 0
