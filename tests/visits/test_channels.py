"""Channels: which rule a visit meets."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from convergekit.visits.channels import channel_of

COLUMNS = ["utm_source", "utm_medium", "utm_campaign", "click_id", "referrer"]


def channels(*visits, **options):
    frame = pd.DataFrame([[visit.get(c) for c in COLUMNS] for visit in visits], columns=COLUMNS)
    return channel_of(frame.astype("str"), **options).tolist()


# The definitions of Google Analytics 4 for manual traffic, in its words' order.
@pytest.mark.parametrize(
    ("visit", "channel"),
    [
        ({}, "Direct"),
        ({"utm_source": "google", "utm_campaign": "eu cross-network q1"}, "Cross-network"),
        ({"utm_source": "amazon", "utm_medium": "cpc"}, "Paid Shopping"),
        ({"utm_source": "x1", "utm_medium": "cpc", "utm_campaign": "spring shop"}, "Paid Shopping"),
        ({"utm_source": "google", "utm_medium": "cpc"}, "Paid Search"),
        ({"utm_source": "bing", "utm_medium": "paid"}, "Paid Search"),
        ({"utm_source": "Facebook", "utm_medium": "Paid_Social"}, "Paid Social"),
        ({"utm_source": "ig", "utm_medium": "cpm_retargeting_cpc"}, "Paid Social"),
        ({"utm_source": "youtube", "utm_medium": "reel"}, "Organic Video"),
        ({"utm_source": "youtube", "utm_medium": "cpc"}, "Paid Video"),
        ({"utm_source": "adnet", "utm_medium": "banner"}, "Display"),
        ({"utm_source": "adnet", "utm_medium": "ppc"}, "Paid Other"),
        ({"utm_source": "etsy", "utm_medium": "listing"}, "Organic Shopping"),
        ({"utm_source": "someone", "utm_medium": "social-media"}, "Organic Social"),
        ({"utm_source": "pinterest"}, "Organic Social"),
        ({"utm_source": "site", "utm_medium": "video"}, "Organic Video"),
        ({"utm_source": "google", "utm_medium": "organic"}, "Organic Search"),
        ({"utm_source": "newsletter", "utm_medium": "e-mail"}, "Email"),
        ({"utm_source": "e_mail"}, "Email"),
        ({"utm_source": "partner", "utm_medium": "affiliate"}, "Affiliates"),
        ({"utm_source": "blog", "utm_medium": "referral"}, "Referral"),
        ({"utm_source": "pod", "utm_medium": "audio"}, "Audio"),
        ({"utm_source": "sms"}, "SMS"),
        ({"utm_source": "app", "utm_medium": "webpush"}, "Mobile Push"),
        ({"utm_source": "poster", "utm_medium": "qr"}, "Unassigned"),
    ],
)
def test_tagged_visits(visit, channel):
    assert channels(visit) == [channel]


@pytest.mark.parametrize(
    ("visit", "channel"),
    [
        ({"click_id": "gclid"}, "Paid Search"),
        ({"click_id": "msclkid"}, "Paid Search"),
        ({"click_id": "ttclid"}, "Paid Social"),
        ({"click_id": "dclid"}, "Display"),
        ({"click_id": "fbclid"}, "Organic Social"),
        ({"click_id": "fbclid", "utm_source": "facebook", "utm_medium": "cpc"}, "Paid Social"),
        ({"click_id": "gclid", "utm_source": "youtube", "utm_medium": "cpc"}, "Paid Video"),
        ({"referrer": "google.co.uk"}, "Organic Search"),
        ({"referrer": "l.instagram.com"}, "Organic Social"),
        ({"referrer": "t.co"}, "Organic Social"),
        ({"referrer": "m.youtube.com"}, "Organic Video"),
        ({"referrer": "mail.google.com"}, "Email"),
        ({"referrer": "fox.com"}, "Referral"),
        ({"referrer": "notgoogle.com"}, "Referral"),
        ({"referrer": "google.com", "utm_source": "poster"}, "Unassigned"),
    ],
)
def test_click_ids_and_referrers(visit, channel):
    assert channels(visit) == [channel]


def test_own_rules_go_where_they_are_put():
    mine = ck.ChannelRule("Podcast", source="bean-show", medium="audio")
    visits = [{"utm_source": "bean-show", "utm_medium": "audio"}, {"utm_source": "bean-show"}]
    assert channels(*visits, rules=(mine, *ck.CHANNEL_RULES)) == ["Podcast", "Unassigned"]
    assert channels(*visits, rules=(*ck.CHANNEL_RULES, mine)) == ["Audio", "Unassigned"]


def test_own_rules_reach_the_sessions():
    s = ck.stitch(ck.simulate_store().events)
    brand = ck.ChannelRule("Brand", campaign="brand")
    found = s.sessions(rules=(brand, *ck.CHANNEL_RULES))
    assert (found.loc[found["utm_campaign"] == "brand", "channel"] == "Brand").all()
    assert set(found["channel"].dropna()) == {"Brand", *s.sessions()["channel"].dropna()}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (ck.ChannelRule("X"), "has no condition"),
        (ck.ChannelRule("X", source="(a"), "is not a regular expression"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        channels({}, rules=[rule])


def test_every_rule_says_where_it_is_from():
    assert all(rule.because for rule in ck.CHANNEL_RULES)
