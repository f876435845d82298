"""Google's list of sources, and its default channel group, row by row."""

from __future__ import annotations

import hashlib
from collections import Counter

import pandas as pd
import pytest

import convergekit as ck
from convergekit.visits.channels import CHANNEL_RULES_DATE, channel_of
from convergekit.visits.detours import IGNORED_REFERRERS_DATE
from convergekit.visits.sites import (
    GOOGLE_SOURCES_DATE,
    MORE_SOURCES,
    google_sources,
    kind_of_host,
    kind_of_source,
)
from tests.visits import newer_sources
from tests.visits.test_channels import channels

ORGANIC = {
    "search": "Organic Search",
    "social": "Organic Social",
    "shopping": "Organic Shopping",
    "video": "Organic Video",
}


def test_the_list_is_googles_of_its_day():
    # The sum that another copy of the list of this day has: of "name=category", sorted.
    rows = "\n".join(f"{name}={kind}" for name, kind in sorted(google_sources().items()))
    assert hashlib.sha256(rows.encode()).hexdigest() == (
        "2e11fbff582c9337b5ac92c3fc53c3cc9d76c4ee33b2caed2f23c8ee5c2fc70c"
    )
    assert Counter(google_sources().values()) == {
        "social": 592,
        "search": 129,
        "shopping": 52,
        "video": 46,
    }
    for day in (GOOGLE_SOURCES_DATE, CHANNEL_RULES_DATE, IGNORED_REFERRERS_DATE):
        assert pd.Timestamp("2026-09-01") < pd.Timestamp(day) < pd.Timestamp("2027-01-01")


def test_every_row_of_the_list_is_its_channel_as_a_tag_paid_or_not():
    rows = google_sources()
    organic = channels(*({"utm_source": name} for name in rows))
    paid = channels(*({"utm_source": name.upper(), "utm_medium": "cpc"} for name in rows))
    assert organic == [ORGANIC[kind] for kind in rows.values()]
    assert paid == [ORGANIC[kind].replace("Organic", "Paid") for kind in rows.values()]


def test_every_host_of_the_list_is_its_channel_as_a_referrer():
    rows = {name: kind for name, kind in google_sources().items() if "." in name}
    assert channels(*({"referrer": host} for host in rows)) == [ORGANIC[k] for k in rows.values()]
    assert len(rows) > 500


def test_a_word_of_the_list_is_not_looked_for_in_hosts():
    words = [name for name in google_sources() if "." not in name and " " not in name]
    hosts = [f"{word}.example" for word in words] + [f"{word}.com.other.example" for word in words]
    assert set(channels(*({"referrer": host} for host in hosts))) == {"Referral"}


def test_what_we_add_is_not_in_the_list_and_stands_once():
    ours = [name for names in MORE_SOURCES.values() for name in names.split()]
    assert len(ours) == len(set(ours))
    assert set(ours).isdisjoint(google_sources())
    for kind, names in MORE_SOURCES.items():
        for name in names.split():
            assert kind_of_source(name.replace(".*", ".com")) == kind
            if "." in name:
                assert kind_of_host(name.replace(".*", ".co.uk")) == kind


# https://support.google.com/analytics/answer/9756891, "Channels for manual traffic", in its order
# (the copy of CHANNEL_RULES_DATE): each row, and what just misses it.
@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        # Source exactly matches "(direct)" AND medium is one of "(not set)", "(none)".
        ("(direct)", "(none)", None, "Direct"),
        ("(direct)", "(not set)", "spring", "Direct"),
        # Campaign name contains "cross-network".
        ("google", "cpc", "eu-cross-network-1", "Cross-network"),
        # (Shopping site OR campaign like "shop") AND a paid medium.
        ("ebay.de", "cpc", None, "Paid Shopping"),
        ("igshopping", "ppc", None, "Paid Shopping"),
        ("anything", "paid-x", "spring-shopping", "Paid Shopping"),
        ("anything", "retargeting", "a shop", "Paid Shopping"),
        ("anything", "cpc", "eshop", "Paid Shopping"),
        ("anything", "cpc", "workshop", "Paid Other"),
        # Search site AND a paid medium.
        ("google", "cpc", None, "Paid Search"),
        ("duckduckgo", "paid", None, "Paid Search"),
        # Social site AND a paid medium.
        ("facebook", "cpc", None, "Paid Social"),
        ("lnkd.in", "cpm-cpc", None, "Paid Social"),
        # Video site AND a paid medium.
        ("youtube", "cpv", None, "Paid Video"),
        # Medium is one of the display words.
        *(
            ("someone", medium, None, "Display")
            for medium in ("display", "banner", "expandable", "interstitial")
        ),
        # A paid medium.
        ("someone", "ppc", None, "Paid Other"),
        ("someone", "retargeting", None, "Paid Other"),
        ("someone", "paidads", None, "Paid Other"),
        # Shopping site OR campaign.
        ("Google Shopping", None, None, "Organic Shopping"),
        ("someone", "x", "my shop", "Organic Shopping"),
        # Social site OR medium.
        ("reddit.com", None, None, "Organic Social"),
        *(
            ("someone", medium, None, "Organic Social")
            for medium in (
                *("social", "social-network", "social-media", "sm"),
                *("social network", "social media"),
            )
        ),
        # Video site OR medium contains "video".
        ("vimeo.com", "x", None, "Organic Video"),
        ("someone", "my-videos", None, "Organic Video"),
        # Search site OR medium exactly "organic".
        ("bing", "x", None, "Organic Search"),
        ("someone", "organic", None, "Organic Search"),
        ("someone", "organically", None, "Unassigned"),
        # Medium exactly "ai-assistant".
        ("someone", "ai-assistant", "(ai-assistant)", "AI Assistant"),
        # Medium is one of "referral", "app", "link".
        *(("someone", medium, None, "Referral") for medium in ("referral", "app", "link")),
        # Source or medium = email|e-mail|e_mail|e mail.
        *(("news", medium, None, "Email") for medium in ("email", "e-mail", "e_mail", "e mail")),
        *((source, "x", None, "Email") for source in ("email", "e-mail", "e_mail", "e mail")),
        # Medium = affiliate.
        ("someone", "affiliate", None, "Affiliates"),
        # Medium exactly "audio".
        ("someone", "audio", None, "Audio"),
        # Source or medium exactly "sms".
        ("sms", "x", None, "SMS"),
        ("someone", "sms", None, "SMS"),
        # Medium ends with "push" or contains "mobile" or "notification", or source is "firebase".
        ("someone", "web-push", None, "Mobile Push"),
        ("someone", "mobile-banner", None, "Mobile Push"),
        ("someone", "notifications", None, "Mobile Push"),
        ("firebase", "x", None, "Mobile Push"),
        ("firebaseapp", "x", None, "Unassigned"),
        # The order of the page: a social site goes before a medium.
        ("facebook", "email", None, "Organic Social"),
        ("google", "email", None, "Organic Search"),
    ],
)
def test_each_row_of_googles_table(source, medium, campaign, channel):
    event = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    frame = pd.DataFrame(
        {
            "event_name": ["PageView"],
            "timestamp": ["2026-03-02T10:00:00Z"],
            "alias.cookie": ["a"],
            "properties.$url": ["https://shop.test/"],
            **{f"properties.{name}": [value] for name, value in event.items()},
        }
    )
    assert ck.stitch(frame).sessions()["channel"].tolist() == [channel]


def test_the_display_medium_cpm_goes_to_the_site_first():
    # "cpm" is a word of Display, and ".*cp.*" of the rows before it.
    assert channels({"utm_source": "facebook", "utm_medium": "cpm"}) == ["Paid Social"]
    assert channels({"utm_source": "someone", "utm_medium": "cpm"}) == ["Display"]


def test_a_rule_may_ask_for_a_kind_of_site():
    search = ck.ChannelRule("Any search", site="search", because="ours")
    rules = (search, *ck.CHANNEL_RULES)
    visits = ({"utm_source": "bing", "utm_medium": "cpc"}, {"referrer": "duckduckgo.com"})
    assert channels(*visits, rules=rules) == ["Any search"] * 2
    with pytest.raises(ck.ConvergekitError, match=r"site='engine' is not one of search, social"):
        channel_of(
            pd.DataFrame(columns=["utm_source", "utm_medium", "utm_campaign", "click_id"]).assign(
                referrer=pd.Series(dtype="str")
            ).astype("str"),
            [ck.ChannelRule("X", site="engine")],
        )  # fmt: skip


def test_a_newer_list_is_compared(tmp_path, capsys):
    lines = [f"{name}   SOURCE_CATEGORY_{kind.upper()}" for name, kind in google_sources().items()]
    path = tmp_path / "sources.txt"
    path.write_text("source  source category\n" + "\n".join(lines))
    assert newer_sources.main([str(path)]) == 0
    changed = [line for line in lines if not line.startswith(("bing ", "vimeo "))]
    changed += ["bing SOURCE_CATEGORY_SHOPPING", '"new one","SOURCE_CATEGORY_VIDEO"']
    path.write_text("\n".join(changed))
    capsys.readouterr()
    assert newer_sources.main([str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "- bing,search",
        "+ bing,shopping",
        "+ new one,video",
        "- vimeo,video",
        f"4 differences to the list of {GOOGLE_SOURCES_DATE}.",
    ]
