"""Matomo: every action of a visit is an event, at the time it happened."""

from __future__ import annotations

import json
import zoneinfo
from datetime import UTC, datetime

import pandas as pd
import pytest

import convergekit as ck


def wall(utc, zone):
    """Return a time as Matomo writes an action's: what the site's clock shows, as if in UTC."""
    shown = datetime.fromtimestamp(utc, UTC).astimezone(zoneinfo.ZoneInfo(zone))
    return int(shown.replace(tzinfo=UTC).timestamp())


BEGIN = int(datetime(2026, 3, 2, 9, 8, tzinfo=UTC).timestamp())


def visit(number, *kinds, zone="Europe/Brussels", **more):
    begin = BEGIN + 86_400 * number
    actions = []
    for place, kind in enumerate(kinds):
        at = wall(begin + 60 * place, zone)
        actions.append({"timestamp": at, "serverTimePretty": "2 mars", "icon": None, **kind})
    return {
        "idSite": "1", "idVisit": str(number), "visitIp": "10.0.0.1", "visitorId": f"v{number}",
        "actionDetails": actions, "siteCurrency": "EUR", "userId": None,
        "firstActionTimestamp": begin, "lastActionTimestamp": begin + 60 * (len(kinds) - 1),
        "serverTimestamp": begin, "referrerType": "direct", "referrerName": "",
        "referrerUrl": None, "country": "Belgium", "city": "Ghent", **more,
    }  # fmt: skip


def page(number, **more):
    return {"type": "action", "url": f"https://shop.example/{number}", "pageTitle": "Beans",
            "pageId": str(number), "timeSpent": 8, **more}  # fmt: skip


EVENT = {"type": "event", "eventCategory": "Cart", "eventAction": "Added To Cart",
         "eventName": "Beans", "eventValue": 12.5, "pageId": "12", "url": "https://shop.example/1",
         "dimension3": "blue"}  # fmt: skip
ORDER = {"type": "ecommerceOrder", "orderId": "1001", "revenue": "42.50", "revenueTax": 2,
         "items": 1, "itemDetails": [{"itemSKU": "b-1", "itemName": "Beans", "price": 40,
                                      "quantity": 1, "itemCategory": None}]}  # fmt: skip
GOAL = {"type": "goal", "goalName": "Newsletter", "goalId": "3", "goalPageId": "11",
        "revenue": 0, "url": "https://shop.example/1"}  # fmt: skip
VISITS = [
    visit(1, page(11), EVENT, GOAL, ORDER, userId="ada", referrerType="campaign",
          referrerName="spring", referrerKeyword="beans", referrerUrl="https://news.example/"),
    visit(2, page(21), page(22), userId="ada"),
    visit(3, zone="UTC"),
]  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def read(visits, name="visits.json", **options):
        path = tmp_path / name
        text = json.dumps(visits) if name.endswith("json") else "\n".join(map(json.dumps, visits))
        path.write_text(text, "utf-8")
        return ck.read_events(path, **options)

    return read


@pytest.mark.parametrize("name", ["visits.json", "visits.jsonl"])
def test_every_action_is_an_event(read, name):
    events = read(VISITS, name)
    assert events["line"].tolist() == [1, 1, 1, 1, 2, 2, 3]
    s = ck.stitch(events)
    assert not len(s.rejected)
    names = ["action", "Added To Cart", "goal", "ecommerceOrder", "action", "action"]
    assert s.events["event_name"].tolist()[:6] == names
    assert s.events["kind"].tolist() == ["track"] * 6 + ["identify"]
    ids = ["matomo:1:11", "matomo:1:12", "matomo:1:goal:3:11", "matomo:1:order:1001"]
    assert s.events["event_id"].tolist()[:4] == ids
    assert len(s.profiles) == 2
    assert s.events["properties.session_id"].tolist() == ["1"] * 4 + ["2"] * 2 + ["3"]


@pytest.mark.parametrize("zone", ["Europe/Brussels", "America/New_York", "Asia/Kolkata", "UTC"])
def test_local_times_are_corrected_by_the_visits_own(read, zone):
    s = ck.stitch(read([visit(1, page(1), page(2), zone=zone)]))
    expected = [pd.Timestamp(BEGIN + 86_400 + 60 * place, unit="s", tz="UTC") for place in (0, 1)]
    assert s.events["timestamp"].tolist() == expected
    # A clock that is named does not move them again.
    again = ck.stitch(read([visit(1, page(1), page(2), zone=zone)], clock={"matomo": zone}))
    assert again.events["timestamp"].tolist() == expected


def test_what_cannot_be_corrected_is_read_by_the_clock_that_is_named(read):
    unknown = visit(1, page(1))
    del unknown["firstActionTimestamp"]
    s = ck.stitch(read([unknown], clock={"matomo": "Europe/Brussels"}))
    assert s.events["timestamp"].tolist() == [pd.Timestamp(BEGIN + 86_400, unit="s", tz="UTC")]


def test_orders_events_and_goals_keep_their_fields(read):
    s = ck.stitch(read(VISITS))
    event, goal, order = (s.events.iloc[place] for place in (1, 2, 3))
    assert event["properties.eventCategory"] == "Cart"
    assert (event["properties.eventValue"], event["properties.dimension3"]) == (12.5, "blue")
    assert goal["properties.goalName"] == "Newsletter"
    assert (order["properties.revenue"], order["properties.currency"]) == (42.5, "EUR")
    assert order["properties.items"] == [
        {"sku": "b-1", "name": "Beans", "category": None, "price": 40, "quantity": 1}
    ]


def test_the_campaign_stands_on_the_first_action_and_is_carried(read):
    s = ck.stitch(read(VISITS))
    sent = s.events["profile_properties.utm_campaign"]
    assert sent.tolist()[0] == "spring"
    assert sent.notna().sum() == 1
    assert s.events["profile.utm_campaign"].tolist()[:6] == ["spring"] * 6
    assert s.events["properties.$referrer"].notna().sum() == 1
    more = visit(1, page(1), campaignName="summer", campaignSource="news", campaignMedium="email",
                 campaignKeyword="", referrerType="website", referrerName="x.example")  # fmt: skip
    row = ck.stitch(read([more])).events.iloc[0]
    names = ("source", "medium", "campaign")
    assert [row[f"profile_properties.utm_{n}"] for n in names] == ["news", "email", "summer"]
    assert "profile_properties.utm_term" not in row


def test_the_same_days_read_twice_count_once(read):
    s = ck.stitch(pd.concat([read(VISITS), read(VISITS)]))
    assert s.events["kind"].tolist().count("track") == 6


def test_visits_whose_actions_are_left_out_are_refused_by_name(tmp_path):
    without = [{k: v for k, v in one.items() if k != "actionDetails"} for one in VISITS]
    with pytest.raises(ck.ReadError, match="visits of Matomo, and their actions are the events"):
        ck.read_events(pd.DataFrame(without))


def test_a_frame_of_visits_is_read_as_their_file(read, tmp_path):
    path = tmp_path / "frame.json"
    path.write_text(json.dumps(VISITS))
    of_file = read(VISITS).drop(columns=["file", "line", "source"])
    for frame in (pd.DataFrame(VISITS), pd.read_json(path)):
        before = frame.copy(deep=True)
        found = ck.read_events(frame)
        pd.testing.assert_frame_equal(frame, before)
        for name in of_file:
            assert (
                found[name].astype(object).where(found[name].notna(), None).map(str).tolist()
                == of_file[name].astype(object).where(of_file[name].notna(), None).map(str).tolist()
            )
    assert ck.stitch(found).events["kind"].tolist() == ["track"] * 6 + ["identify"]


@pytest.mark.parametrize("cell", ["[{", "none", 7, {"type": "action"}])
def test_a_frame_whose_actions_cannot_be_read_says_so(cell):
    frame = pd.DataFrame([VISITS[0], {**VISITS[1], "actionDetails": cell}])
    s = ck.stitch(ck.read_events(frame))
    kinds = s.events["kind"].tolist()
    if isinstance(cell, dict):
        assert kinds == ["track"] * 5
    else:
        assert kinds == ["track"] * 4
        assert s.rejected["reason"].str.contains("actionDetails").tolist() == [True]
