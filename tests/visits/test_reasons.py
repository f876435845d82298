"""Hosts and words asked apart, why a visit is of its channel, and where it is from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.grouping import NumberedText
from convergekit.events.nothing import SAID_DIRECT
from convergekit.visits.channels import channels_of
from convergekit.visits.reasons import reasons_of, sources_of
from convergekit.visits.sites import kind_of_host, kind_of_source
from convergekit.visits.traffic import SET_ASIDE
from tests.visits.test_channels import COLUMNS, channels


def numbered(*visits):
    columns = [*COLUMNS, SAID_DIRECT, SET_ASIDE]
    frame = pd.DataFrame([[visit.get(c) for c in columns] for visit in visits], columns=columns)
    return {name: NumberedText.of(frame[name].astype("str")) for name in columns}


def texts(column):
    return column.take(np.arange(len(column.codes))).tolist()


@pytest.mark.parametrize(
    ("host", "channel"),
    [
        # A search company's other pages.
        *((f"{name}.google.com", "Referral") for name in ("docs", "classroom", "meet", "drive")),
        ("support.google.com", "Referral"),
        ("news.google.com", "Organic Search"),
        ("www.google.co.uk", "Organic Search"),
        ("google.com.br", "Organic Search"),
        ("images.google.de", "Organic Search"),
        ("r.search.yahoo.com", "Organic Search"),
        ("de.yahoo.com", "Organic Search"),
        ("translate.yandex.ru", "Referral"),
        ("search.brave.com", "Organic Search"),
        ("brave.com", "Referral"),
        # Letters in a host are not a brand.
        ("google.com.look-alike.test", "Referral"),
        ("google.look-alike.test", "Referral"),
        ("mygoogle.com", "Referral"),
        ("meta.wikimedia.org", "Referral"),
        ("ig.ft.com", "Referral"),
        ("x.ai", "Referral"),
        ("vk.example.test", "Referral"),
        ("line.example.test", "Referral"),
        ("amazon.jobs", "Referral"),
        ("aws.amazon.com", "Referral"),
        # What the list has under a name that has something else above it.
        ("shopping.yahoo.com", "Organic Shopping"),
        ("sites.google.com", "Organic Social"),
        ("m.blog.naver.com", "Organic Social"),
        ("answers.yahoo.com", "Organic Social"),
        ("go.mail.ru", "Organic Search"),
        # Shops that link.
        ("amazon.co.jp", "Organic Shopping"),
        ("smile.amazon.com", "Organic Shopping"),
        ("ebay.co.uk", "Organic Shopping"),
        ("etsy.com", "Organic Shopping"),
        ("fr.aliexpress.com", "Organic Shopping"),
        ("articulo.mercadolibre.com.ar", "Organic Shopping"),
        # Mail, on the web and on a phone.
        ("mail.google.com", "Email"),
        ("com.google.android.gm", "Email"),
        ("webmail.isp.test", "Email"),
        ("eu.mail.isp.test", "Email"),
        ("outlook.live.com", "Email"),
        # Assistants.
        ("gemini.google.com", "AI Assistant"),
        ("chatgpt.com", "AI Assistant"),
        ("claude.ai", "AI Assistant"),
        ("copilot.microsoft.com", "AI Assistant"),
        ("grok.com", "AI Assistant"),
        ("chat.deepseek.com", "AI Assistant"),
        # Those that were missing.
        ("t.me", "Organic Social"),
        ("news.ycombinator.com", "Organic Social"),
        ("de-de.facebook.com", "Organic Social"),
        ("com.instagram.android", "Organic Social"),
        ("m.sogou.com", "Organic Search"),
        ("msn.com", "Organic Search"),
        ("search.aol.com", "Organic Search"),
        ("seznam.cz", "Organic Search"),
        ("youtu.be", "Organic Video"),
        ("player.vimeo.com", "Organic Video"),
    ],
)
def test_the_channel_of_a_referrer(host, channel):
    assert channels({"referrer": host}) == [channel]


@pytest.mark.parametrize(
    ("source", "medium", "channel"),
    [
        ("x", None, "Organic Social"),
        ("IG", "cpc", "Paid Social"),
        ("meta", "cpc", "Paid Social"),
        ("www.facebook.com", None, "Organic Social"),
        ("google.de", "cpc", "Paid Search"),
        ("docs.google.com", "cpc", "Paid Other"),
        ("google.com.look-alike.test", None, "Unassigned"),
        ("chatgpt.com", None, "AI Assistant"),
        ("fb-ads", None, "Paid Social"),
        ("Facebook Ads", "anything", "Paid Social"),
        ("google_ads", None, "Paid Search"),
        ("adwords", "search", "Paid Search"),
        ("googleads", "display", "Display"),
        ("firebase", None, "Mobile Push"),
        ("hackernews", None, "Organic Social"),
    ],
)
def test_the_channel_of_a_source(source, medium, channel):
    assert channels({"utm_source": source, "utm_medium": medium}) == [channel]


@pytest.mark.parametrize(
    ("visit", "why"),
    [
        ({}, "no tag, no click ID, no referrer: Direct"),
        (
            {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "brand"},
            "source=google + medium=cpc: Paid Search (Google's default channel group, search "
            "sources)",
        ),
        (
            {"referrer": "youtube.com"},
            "referrer=youtube.com: Organic Video (Google's default channel group, video sources)",
        ),
        (
            {"utm_source": "meta", "utm_medium": "cpc"},
            "source=meta + medium=cpc: Paid Social (Google's default channel group, social "
            "sources and ours)",
        ),
        (
            {"referrer": "amazon.de"},
            "referrer=amazon.de: Organic Shopping (Google's default channel group, shopping "
            "sources)",
        ),
        (
            {"utm_source": "news", "utm_campaign": "spring shop"},
            "campaign=spring shop: Organic Shopping (Google's default channel group)",
        ),
        (
            {"click_id": "gclid", "referrer": "google.com"},
            "click_id=gclid: Paid Search (convention: the click ID does not say which kind of ad "
            "of the platform it was)",
        ),
        (
            {"utm_source": "news", "utm_medium": "weekly"},
            "source=news + medium=weekly: Unassigned (no rule fits)",
        ),
        (
            {"utm_campaign": "x", SAID_DIRECT: "(direct)"},
            "source=(direct): Direct (the link says so)",
        ),
        (
            {SET_ASIDE: "paypal.com is among ignore_referrers"},
            "referrer paypal.com is among ignore_referrers: Direct",
        ),
        (
            {"utm_medium": "email", SET_ASIDE: "paypal.com is among ignore_referrers"},
            "medium=email: Email (Google's default channel group)",
        ),
        ({"referrer": "news.test"}, "referrer=news.test: Referral (another site linked here)"),
    ],
)
def test_why(visit, why):
    assert texts(reasons_of(numbered({}, visit)))[1] == why


def test_why_names_a_rule_of_ones_own():
    rule = ck.ChannelRule("Podcast", source="bean-show", medium="audio")
    visit = numbered({"utm_source": "bean-show", "utm_medium": "audio"})
    assert texts(reasons_of(visit, [rule])) == [
        "source=bean-show + medium=audio: Podcast (your rule)"
    ]


@pytest.mark.parametrize(
    ("visit", "source", "medium", "campaign"),
    [
        ({}, "(direct)", "(none)", "(direct)"),
        ({"utm_source": "news", "utm_medium": "email"}, "news", "email", "(not set)"),
        ({"utm_medium": "email"}, "(not set)", "email", "(not set)"),
        ({"referrer": "google.com.au"}, "google", "organic", "(organic)"),
        ({"referrer": "duckduckgo.com"}, "duckduckgo", "organic", "(organic)"),
        ({"referrer": "search.brave.com"}, "search.brave.com", "organic", "(organic)"),
        ({"referrer": "chatgpt.com"}, "chatgpt.com", "ai-assistant", "(ai-assistant)"),
        ({"referrer": "m.facebook.com"}, "m.facebook.com", "referral", "(referral)"),
        ({"referrer": "docs.google.com"}, "docs.google.com", "referral", "(referral)"),
        ({"click_id": "gclid", "referrer": "google.com"}, "google", "cpc", "(not set)"),
        ({"click_id": "msclkid", "utm_campaign": "x"}, "bing", "cpc", "x"),
        ({"click_id": "fbclid"}, "(not set)", "(not set)", "(not set)"),
        ({"utm_campaign": "spring", SAID_DIRECT: "(direct)"}, "(direct)", "(none)", "spring"),
        ({"utm_campaign": "spring"}, "(not set)", "(not set)", "spring"),
    ],
)
def test_source_medium_and_campaign_are_those_of_google_analytics(visit, source, medium, campaign):
    found = sources_of(numbered(visit, {}))
    assert [texts(found[name])[0] for name in ("source", "medium", "campaign")] == [
        source,
        medium,
        campaign,
    ]


WORDS = st.sampled_from(
    [None, "google", "cpc", "email", "facebook", "(x)", "shop", "chatgpt.com", "bing.com", "social"]
)
VISITS = st.lists(
    st.fixed_dictionaries(
        {
            "utm_source": WORDS,
            "utm_medium": WORDS,
            "utm_campaign": WORDS,
            "click_id": st.sampled_from([None, "gclid", "fbclid"]),
            "referrer": st.sampled_from([None, "google.de", "ebay.fr", "a.test", "mail.a.test"]),
        }
    ),
    min_size=1,
    max_size=8,
)


def slow(visit):
    """Return the channel and the rule of one visit, a rule at a time, by Python's `re`."""
    import re

    tagged = any(visit[name] for name in COLUMNS[:4])
    referrer = None if tagged else visit["referrer"]
    site = kind_of_source(visit["utm_source"]) if visit["utm_source"] else None
    site = kind_of_host(referrer) if referrer else site
    if not tagged and not referrer:
        return "Direct", None
    asked = dict(zip(("source", "medium", "campaign", "click_id"), COLUMNS[:4], strict=True))
    for rule in ck.CHANNEL_RULES:
        said = {field: visit[name] for field, name in asked.items()} | {"referrer": referrer}
        wanted = {field: getattr(rule, field) for field in said if getattr(rule, field)}
        met = all(
            said[field] and re.fullmatch(pattern, said[field], re.IGNORECASE)
            for field, pattern in wanted.items()
        )
        if met and rule.site in (None, site):
            return rule.channel, rule
    return "Unassigned", None


@given(VISITS)
def test_channels_and_reasons_are_those_found_one_visit_at_a_time(visits):
    found = numbered(*visits)
    expected = [slow(visit) for visit in visits]
    assert texts(channels_of(found)) == [channel for channel, _ in expected]
    for why, visit, (channel, rule) in zip(texts(reasons_of(found)), visits, expected, strict=True):
        evidence, _, told = why.partition(f": {channel}")
        because = rule.because if rule else "no rule fits"
        assert told == "" if channel == "Direct" else told.startswith(f" ({because}")
        for part in evidence.split(" + "):
            field, equals, value = part.partition("=")
            if equals:
                name = field if field in ("click_id", "referrer") else f"utm_{field}"
                assert visit[name] == value
