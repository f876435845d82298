"""For every vendor, what becomes of each field that its page documents: read, kept or left."""

from __future__ import annotations

from copy import deepcopy

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import formats
from convergekit.readers.vendors.enriched_tsv import ENRICHED
from tests.readers.shop_fields import FIELDS

#: Not read; the docstring of the declaration says so.
LEFT = None
AT = "2026-03-02T10:00:00Z"
PROPERTIES, PROFILE = "properties.", "profile_properties."


def same(prefix, names):
    return same_of("", prefix, names)


def same_of(where, prefix, names):
    return {where + name: prefix + name for name in names.split()}


def left(names):
    return dict.fromkeys(names.split())


STANDARD = {"id": "event_id", "anonymous_id": "alias.cookie", "user_id": "alias.user_id",
            "context_ip": PROFILE + "$ip", "context_user_agent": PROFILE + "$user_agent",
            "context_page_url": PROPERTIES + "$url",
            "context_page_referrer": PROPERTIES + "$referrer",
            "context_campaign_source": PROFILE + "utm_source",
            "context_campaign_medium": PROFILE + "utm_medium",
            "context_campaign_name": PROFILE + "utm_campaign",
            "context_campaign_term": PROFILE + "utm_term",
            "context_campaign_content": PROFILE + "utm_content",
            "context_traits_email": PROFILE + "$email", **left("uuid channel"),
            **left("context_library_name context_locale context_page_title")}  # fmt: skip
TIMES = {"received_at": AT, "sent_at": AT, "original_timestamp": AT, "timestamp": AT}
CALL = {"id": "m", "anonymous_id": "a", "user_id": "u", **TIMES}
PLAIN = {"plan": PROFILE + "plan", "first_name": PROFILE + "$first_name"}
VISIT = {"idSite": 1, "idVisit": 7, "visitorId": "v", "referrerType": "campaign",
         "firstActionTimestamp": 1772442480, "lastActionTimestamp": 1772442480}  # fmt: skip
SEGMENT_CALL = {"type": "track", "event": "Order", "messageId": "m", "anonymousId": "a",
                "userId": "u", "timestamp": AT, "originalTimestamp": AT, "channel": "web",
                "properties": {"n": 1}, "context": {"ip": "203.0.113.1"}}  # fmt: skip
SEGMENT_FIELDS = {
    "messageId": "event_id", "event": "event_name", "receivedAt": "received_at",
    "anonymousId": "alias.cookie", "userId": "alias.user_id", "name": PROPERTIES + "name",
    "properties.price": PROPERTIES + "price", "context.page.url": PROPERTIES + "$url",
    "context.page.referrer": PROPERTIES + "$referrer", "context.ip": PROFILE + "$ip",
    "context.userAgent": PROFILE + "$user_agent", "context.traits.plan": PROFILE + "plan",
    "context.traits.email": "alias.email", "traits.plan": PROFILE + "plan",
    "traits.email": PROFILE + "$email", "traits.firstName": PROFILE + "$first_name",
    "traits.lastName": PROFILE + "$last_name", "traits.phone": PROFILE + "$phone_number",
    "context.campaign.source": PROFILE + "utm_source",
    "context.campaign.medium": PROFILE + "utm_medium",
    "context.campaign.name": PROFILE + "utm_campaign",
    "context.campaign.term": PROFILE + "utm_term",
    "context.campaign.content": PROFILE + "utm_content",
    **left("context.app.name context.device.id context.library.name context.locale"),
    **left("context.network.carrier context.os.name context.page.path context.page.title"),
    **left("context.screen.width context.timezone context.groupId integrations.All version"),
    **left("channel sentAt originalTimestamp"),
}  # fmt: skip
ACTION = {"type": "event", "timestamp": 1772442480, "revenue": 1}

#: Per format, a row that is read, and where a text in each documented field is found.
TABLE = {
    "converge": (
        {"eventName": "Order", "timestamp": AT, "aliases": ["urn:cookie:c"], "properties": {},
         "profileProperties": {}},
        {
            "eventName": "event_name", "eventID": "event_id", "source": "source",
            "receivedAt": "received_at", "__cvg_uid": "alias.cookie",
            "properties.price": PROPERTIES + "price", "profileProperties.plan": PROFILE + "plan",
        },
    ),
    "converge_bigquery": (
        {"id": "e", "timestamp": AT, "event_name": "Order", "profile_id": "p",
         "event_properties": {"n": 1}},
        {
            "id": "event_id", "event_name": "event_name", "profile_id": "alias.converge_profile",
            "old_profile_id": "aliases", "event_properties.price": PROPERTIES + "price",
            "profile_properties.plan": PROFILE + "plan",
            **same(PROPERTIES, "session_id session_properties source_id source_name"),
        },
    ),
    "segment": (SEGMENT_CALL, SEGMENT_FIELDS),
    "rudderstack": (SEGMENT_CALL, SEGMENT_FIELDS),
    "snowplow": (
        {"collector_tstamp": AT, "mkt_network": "Google", "event_id": "e", "event": "struct",
         "event_name": "a"},
        {
            **left(" ".join(ENRICHED)),
            **same(PROPERTIES, "app_id event_fingerprint tr_orderid tr_total tr_tax tr_shipping"),
            **same(PROPERTIES, "tr_currency ti_orderid ti_sku ti_name ti_category ti_price"),
            **same(PROPERTIES, "ti_quantity ti_currency se_category se_action se_label"),
            **same(PROPERTIES, "se_property se_value contexts unstruct_event derived_contexts"),
            "collector_tstamp": "received_at", "mkt_network": PROPERTIES + "mkt_network",
            "event_id": "event_id", "event_name": "event_name", "derived_tstamp": "timestamp",
            "domain_userid": "alias.cookie", "network_userid": "alias.network_userid",
            "user_id": "alias.user_id", "domain_sessionid": PROPERTIES + "session_id",
            "page_url": PROPERTIES + "$url", "page_referrer": PROPERTIES + "$referrer",
            "mkt_source": PROFILE + "utm_source", "mkt_medium": PROFILE + "utm_medium",
            "mkt_campaign": PROFILE + "utm_campaign", "mkt_term": PROFILE + "utm_term",
            "mkt_content": PROFILE + "utm_content", "mkt_clickid": PROFILE + "gclid",
            "user_ipaddress": PROFILE + "$ip", "useragent": PROFILE + "$user_agent",
        },
    ),
    "segment_tracks": (
        {"event": "order", "event_text": "Order", **CALL},
        {**STANDARD, "event_text": "event_name", "total": PROPERTIES + "total"},
    ),
    "segment_pages": (CALL, {**STANDARD, **same(PROPERTIES, "name category path title search")}),
    "segment_screens": (CALL, {**STANDARD, **same(PROPERTIES, "name category")}),
    "segment_identifies": (CALL, {**STANDARD, **PLAIN, "email": PROFILE + "$email"}),
    "segment_groups": ({"group_id": "g", **CALL}, {**STANDARD, **left("group_id plan email")}),
    "segment_aliases": (
        {"previous_id": "p", **CALL},
        {**STANDARD, **PLAIN, "previous_id": "aliases"},
    ),
    "posthog": (
        {"uuid": "u", "event": "order", "timestamp": AT, "distinct_id": "a", "properties": {}},
        {
            "uuid": "event_id", "event": "event_name", "distinct_id": "alias.distinct_id",
            "person_id": PROPERTIES + "person_id", "created_at": "received_at",
            "properties.price": PROPERTIES + "price",
            "properties.utm_source": PROFILE + "utm_source",
            "properties.gclid": PROFILE + "gclid", "properties.$set.email": PROFILE + "$email",
            "properties.$set_once.first": PROFILE + "first", "set.plan": PROFILE + "plan",
            "set_once.first": PROFILE + "first",
            "properties.$device_id": PROPERTIES + "$device_id",
            **left("person_properties.plan elements_chain elements team_id ip site_url"),
            **left("_inserted_at"),
        },
    ),
    "posthog_persons": (
        {"created_at": AT, "person_version": 1, "distinct_id": "a", "person_id": "p",
         "properties": {"n": 1}},
        {
            "distinct_id": "alias.distinct_id", "person_id": "alias.posthog_person",
            "properties.plan": PROFILE + "plan", "properties.email": PROFILE + "$email",
            **left("team_id person_distinct_id_version _inserted_at"),
        },
    ),
    "mixpanel": (
        {"event": "Order", "properties": {"time": 1772442480, "distinct_id": "a"}},
        {
            "event": "event_name", "properties.$insert_id": "event_id",
            "properties.$device_id": "alias.cookie", "properties.$user_id": "alias.user_id",
            "properties.distinct_id": "alias.distinct_id",
            "properties.price": PROPERTIES + "price",
            "properties.utm_source": PROFILE + "utm_source",
            "properties.fbclid": PROFILE + "fbclid",
        },
    ),
    "amplitude": (
        {"event_type": "Order", "event_time": AT, "amplitude_id": 1, "device_id": "d",
         "user_properties": {}, "event_properties": {}},
        {
            "event_type": "event_name", "$insert_id": "event_id", "uuid": "event_id",
            "device_id": "alias.cookie", "user_id": "alias.user_id",
            "server_received_time": "received_at",
            **same(PROPERTIES, "session_id amplitude_id platform country"),
            "event_properties.price": PROPERTIES + "price",
            "user_properties.plan": PROFILE + "plan",
            "event_properties.utm_source": PROFILE + "utm_source",
            **left("app city region language library os_name device_type ip_address"),
            **left("processed_time"),
            **left("client_event_time server_upload_time groups.org user_creation_time adid idfa"),
        },
    ),
    "ga4": (
        {"event_timestamp": 1772442480000000, "event_name": "purchase", "event_date": "20260302",
         "user_pseudo_id": "1.2", "event_params": [{"key": "k", "value": {"string_value": "v"}}]},
        {
            "event_name": "event_name", "user_pseudo_id": "alias.cookie",
            "user_id": "alias.user_id", "ecommerce.transaction_id": PROPERTIES + "transaction_id",
            "device.category": PROPERTIES + "device_category",
            "geo.country": PROPERTIES + "country",
            "collected_traffic_source.manual_source": PROFILE + "utm_source",
            "collected_traffic_source.manual_medium": PROFILE + "utm_medium",
            "collected_traffic_source.manual_campaign_name": PROFILE + "utm_campaign",
            "collected_traffic_source.manual_term": PROFILE + "utm_term",
            "collected_traffic_source.manual_content": PROFILE + "utm_content",
            "collected_traffic_source.gclid": PROFILE + "gclid",
            "collected_traffic_source.dclid": PROFILE + "dclid",
            "traffic_source.source": PROFILE + "$initial_utm_source",
            "traffic_source.medium": PROFILE + "$initial_utm_medium",
            "traffic_source.name": PROFILE + "$initial_utm_campaign",
            **left("event_date platform stream_id app_info.id device.language geo.city"),
            **left("privacy_info.ads_storage collected_traffic_source.srsltid"),
        },
    ),
    "ga4_flat": (
        {"event_timestamp": 1772442480000000, "event_name": "purchase", "user_pseudo_id": "1.2",
         "key": "k", "string_value": "v"},
        {
            "event_name": "event_name", "user_pseudo_id": "alias.cookie",
            "user_id": "alias.user_id", "string_value": PROPERTIES + "k",
            **left("event_bundle_sequence_id platform"),
        },
    ),
    "klaviyo": (
        {"type": "event", "id": "e1", "attributes": {"datetime": AT, "event_properties": {"n": 1}},
         "relationships": {"metric": {"data": {"id": "m1"}}}},
        {
            "id": "event_id", "attributes.event_properties.price": PROPERTIES + "price",
            "relationships.metric.data.id": "event_name",
            "relationships.profile.data.id": "alias.klaviyo_profile",
            "included.profile.attributes.email": "alias.email",
            "included.profile.attributes.phone_number": "alias.phone",
            "included.profile.attributes.external_id": "alias.external_id",
            "included.profile.attributes.properties.plan": PROFILE + "plan",
            "included.profile.attributes.location.city": PROFILE + "$city",
            **left("attributes.uuid links.self relationships.attributions.data.id"),
        },
    ),
    "matomo": (
        {"visit": VISIT, "action": ACTION, "position": 0},
        {
            "action.eventAction": "event_name", "action.pageId": "event_id",
            "visit.visitorId": "alias.cookie", "visit.userId": "alias.user_id",
            "action.url": PROPERTIES + "$url", "visit.referrerUrl": PROPERTIES + "$referrer",
            "visit.idVisit": PROPERTIES + "session_id",
            "visit.siteCurrency": PROPERTIES + "currency",
            "visit.referrerName": PROFILE + "utm_campaign",
            "visit.referrerKeyword": PROFILE + "utm_term", "visit.visitIp": PROFILE + "$ip",
            "visit.campaignSource": PROFILE + "utm_source",
            "visit.campaignMedium": PROFILE + "utm_medium",
            "visit.campaignContent": PROFILE + "utm_content", "visit.city": PROFILE + "$city",
            "visit.country": PROFILE + "country", "action.dimension1": PROPERTIES + "dimension1",
            **same_of("action.", PROPERTIES, "pageTitle eventCategory eventName eventValue"),
            **same_of("action.", PROPERTIES, "goalName goalId orderId revenue revenueTax"),
            **same_of("action.", PROPERTIES, "siteSearchKeyword timeSpent productViewSku"),
            **left("action.icon action.serverTimePretty action.subtitle visit.visitorType"),
            **left("visit.serverDatePretty visit.browserName visit.campaignGroup"),
        },
    ),
}  # fmt: skip


def with_value(row, path, value):
    row = deepcopy(row)
    *outer, last = path.split(".") if "." in path else [path]
    place = row
    for key in outer:
        place = place.setdefault(key, {})
    place[last] = value
    return row


def test_each_format_has_its_fields_in_a_table():
    """Those of the shops are in `shop_fields`, as orders have fields within fields."""
    assert sorted([*TABLE, *FIELDS]) == sorted([formats.CONVERGE, *formats._BUILT_IN])


@pytest.mark.parametrize("name", TABLE)
def test_a_documented_field_is_where_the_table_says(name):
    row, fields = TABLE[name]
    marks = {field: f"the value of {field}." for field in fields}
    rows = [row, *(with_value(row, field, mark) for field, mark in marks.items())]
    read = ck.read_events(pd.DataFrame(rows), format=name)
    assert read["timestamp"].notna().all()
    holding = {
        field: {str(own) for own in read if mark in str(read[own].iloc[place])}
        for place, (field, mark) in enumerate(marks.items(), start=1)
    }
    expected = {field: column for field, column in fields.items() if column is not LEFT}
    missing = {f: column for f, column in expected.items() if column not in holding[f]}
    assert missing == {}
    assert {f: found for f, found in holding.items() if fields[f] is LEFT and found} == {}
