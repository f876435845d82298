"""Sessions: when a visit begins, and what it says of where it came from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck

SAMPLES = Path(__file__).parents[2] / "data" / "exports"
START = pd.Timestamp("2026-03-02", tz="UTC")


def stitched(*rows, **columns):
    """Stitch (visitor, minute, source, campaign) rows of page views."""
    frame = pd.DataFrame(rows, columns=["alias.cookie", "minute", "source", "campaign"])
    frame["profile_properties.utm_source"] = frame.pop("source").astype(object)
    frame["profile_properties.utm_campaign"] = frame.pop("campaign").astype(object)
    frame["timestamp"] = START + pd.to_timedelta(frame.pop("minute"), unit="min")
    frame["event_name"] = "PageView"
    frame["properties.$url"] = "https://shop.example/"
    return ck.stitch(frame.assign(**columns))


def spans(table):
    minutes = [
        (table[name] - START).dt.total_seconds().div(60).astype(int) for name in ("start", "end")
    ]
    return list(zip(*minutes, table["events"], strict=True))


def test_a_gap_longer_than_the_timeout_starts_a_session_and_an_equal_one_does_not():
    s = stitched(("a", 0, None, None), ("a", 30, None, None), ("a", 61, None, None))
    assert spans(s.sessions()) == [(0, 30, 2), (61, 61, 1)]
    assert spans(s.sessions(timeout="31min")) == [(0, 61, 3)]


def test_another_campaign_starts_a_session_unless_only_inactivity_is_to():
    s = stitched(
        ("a", 0, "google", "brand"),
        ("a", 1, None, None),
        ("a", 2, "google", "brand"),
        ("a", 3, "google", "kettles"),
        ("a", 4, "meta", "kettles"),
    )
    assert spans(s.sessions()) == [(0, 2, 3), (3, 3, 1), (4, 4, 1)]
    assert spans(s.sessions(new_on=["utm_source"])) == [(0, 3, 4), (4, 4, 1)]
    assert spans(s.sessions(new_on=())) == [(0, 4, 5)]
    assert s.sessions(new_on=())["utm_campaign"].tolist() == ["brand"]


def test_an_event_that_repeats_a_part_of_the_campaign_starts_no_session():
    urls = ["https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand", None, None]
    s = stitched(
        ("a", 0, "google", None), ("a", 1, "google", None), ("a", 2, None, "brand"),
        **{"properties.$url": urls},
    )  # fmt: skip
    table = s.sessions()
    assert spans(table) == [(0, 2, 3)]
    assert table["channel"].tolist() == ["Paid Search"]


def test_a_campaign_in_a_session_that_began_without_one_starts_another():
    s = stitched(("a", 0, None, None), ("a", 5, "meta", "x"), ("a", 6, None, None))
    table = s.sessions()
    assert spans(table) == [(0, 0, 1), (5, 6, 2)]
    assert table["channel"].tolist() == ["Direct", "Organic Social"]


def test_a_session_has_what_it_sent_and_not_what_its_profile_carries():
    s = stitched(("a", 0, "meta", "x"), ("a", 100, None, None))
    assert s.events["profile.utm_source"].tolist() == ["meta", "meta"]
    assert s.sessions()["utm_source"].fillna("").tolist() == ["meta", ""]
    assert s.sessions()["channel"].tolist() == ["Organic Social", "Direct"]


def test_two_campaigns_at_one_moment_are_two_sessions_with_two_ids():
    s = stitched(("a", 0, "meta", "x"), ("a", 0, "google", "y"))
    ids = s.sessions()["session_id"].tolist()
    profile = s.profiles["profile_id"].iloc[0]
    assert ids == [
        f"{profile}@2026-03-02T00:00:00.000000Z",
        f"{profile}@2026-03-02T00:00:00.000000Z.2",
    ]


def test_all_tags_are_of_the_first_event_that_sent_any():
    rows = [("a", 0, None, None), ("a", 1, None, "x"), ("a", 2, "meta", "x")]
    table = stitched(*rows).sessions(new_on=())
    assert table[["utm_source", "utm_campaign"]].fillna("").values.tolist() == [["", "x"]]
    assert (table["arrived"] - START).tolist() == [pd.Timedelta("1min")]
    assert table["row"].tolist() == [1]


def test_tags_and_click_ids_are_read_from_the_address_and_a_sent_property_goes_first():
    urls = [
        "https://shop.example/tea?x=1&utm_source=news%20letter&utm_medium=email#top",
        "https://shop.example/?GCLID=abc",
        "https://shop.example/?utm_source=late&utm_campaign=(not%20set)",
    ]
    s = stitched(
        ("a", 0, None, None), ("b", 1, None, None), ("c", 2, "sent", None),
        **{"properties.$url": urls},
    )  # fmt: skip
    table = s.sessions()
    assert table["utm_source"].fillna("").tolist() == ["news letter", "", "sent"]
    assert table["click_id"].fillna("").tolist() == ["", "gclid", ""]
    assert table["channel"].tolist() == ["Email", "Paid Search", "Unassigned"]
    assert table["landing_page"].tolist() == [
        "https://shop.example/tea",
        *["https://shop.example/"] * 2,
    ]
    assert table["utm_campaign"].isna().all()


def test_a_link_within_the_site_is_no_referral():
    s = stitched(
        ("a", 0, None, None), ("b", 1, None, None), ("c", 2, None, None),
        **{
            "properties.$url": ["https://shop.example/", "https://pay.example/", "https://shop.example/"],
            "properties.$referrer": ["https://www.google.com/", "https://www.shop.example/cart", "https://blog.test/x"],
        },
    )  # fmt: skip
    table = s.sessions()
    assert table["referrer"].fillna("").tolist() == ["google.com", "", "blog.test"]
    assert table["channel"].tolist() == ["Organic Search", "Direct", "Referral"]


@pytest.mark.parametrize(
    ("page", "referrer"),
    [
        ("url", "referrer"),
        ("$current_url", "$referrer"),
        ("page_location", "page_referrer"),
        ("[Amplitude] Page Location", "referrer"),
    ],
)
def test_addresses_go_by_the_names_that_tools_give_them(page, referrer):
    home, tea = "https://shop.example/", "https://shop.example/tea"
    own = "https://www.shop.example/cart"
    s = stitched(
        ("a", 0, None, None), ("b", 1, None, None), ("c", 2, None, None),
        **{
            "properties.$url": None,
            f"properties.{page}": [f"{tea}?gclid=x", home, own],
            f"properties.{referrer}": [None, own, "https://www.google.com/"],
        },
    )  # fmt: skip
    table = s.sessions()
    assert table["channel"].tolist() == ["Paid Search", "Direct", "Organic Search"]
    assert table["landing_page"].tolist() == [
        "https://shop.example/tea",
        "https://shop.example/",
        own,
    ]


@pytest.mark.parametrize("tool", ["ga4", "mixpanel", "posthog", "rudderstack", "snowplow"])
def test_the_same_visits_are_of_the_same_channels_whoever_exported_them(tool):
    (path,) = SAMPLES.glob(f"{tool}.*")
    both = (path, SAMPLES / "segment.jsonl")
    visits = [ck.stitch(ck.read_events(each)).sessions() for each in both]
    one, other = (v[["channel", "landing_page"]].value_counts().to_dict() for v in visits)
    assert one == other
    assert len(one) > 3


def test_events_that_no_visit_explains_make_a_session_without_a_channel():
    s = stitched(
        ("a", 0, None, None), ("a", 200, None, None),
        event_name=["PageView", "Placed Order"],
        **{"properties.$url": ["https://shop.example/", None]},
    )  # fmt: skip
    table = s.sessions(conversion="Placed Order")
    assert table["channel"].fillna("").tolist() == ["Direct", ""]
    assert table["conversions"].tolist() == [0, 1]
    assert table["arrived"].isna().tolist() == [False, True]
    assert table["arrived"].dtype == table["start"].dtype


def test_without_any_address_a_browser_session_is_a_visit():
    s = stitched(("a", 0, None, None), **{"properties.$url": None})
    assert s.sessions()["channel"].tolist() == ["Direct"]


def test_identify_calls_and_events_without_a_profile_are_in_no_session():
    s = stitched(
        ("a", 0, None, None), ("a", 1, None, None), (None, 2, None, None),
        event_name=["PageView", None, "PageView"],
    )  # fmt: skip
    assert s.sessions()["events"].tolist() == [1]


def test_nothing_makes_an_empty_table_of_the_same_columns():
    s = stitched(("a", 0, None, None))
    nobody = stitched((None, 0, None, None)).sessions()
    assert len(nobody) == 0
    assert nobody.columns.tolist() == s.sessions().columns.tolist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"new_on": ["utm_sorce"]}, "Did you mean 'utm_source'"),
        ({"new_on": "utm_source"}, "must be a list of names"),
        ({"timeout": "0s"}, "a positive duration"),
        ({"conversion": "Order"}, "no event is named 'Order'"),
    ],
)
def test_what_cannot_be_is_said(arguments, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        stitched(("a", 0, "meta", None)).sessions(**arguments)


VISITS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 200),
        st.sampled_from([None, "google", "meta"]),
        st.sampled_from([None, "x", "y"]),
    ),
    min_size=1,
    max_size=25,
)


def slow_sessions(rows, timeout, new_on):
    """Return (visitor, start, events, source) of each session, one event at a time."""
    found = []
    for visitor in sorted({row[0] for row in rows}):
        mine = sorted((row for row in rows if row[0] == visitor), key=lambda row: row[1])
        current = None
        for _, minute, source, campaign in mine:
            sent = {"utm_source": source, "utm_campaign": campaign}
            said = {name: sent[name] for name in new_on if sent[name]}
            paused = current is None or minute - current["end"] > timeout
            if paused:
                last = {}
            if paused or any(last.get(name) != value for name, value in said.items()):
                current = {"who": visitor, "start": minute, "events": 0, "tags": None}
                found.append(current)
            current["end"], current["events"] = minute, current["events"] + 1
            last |= said
            if current["tags"] is None and (source or campaign):
                current["tags"] = (source, campaign)
    return [
        (f["who"], f["start"], f["end"], f["events"], *(f["tags"] or (None, None))) for f in found
    ]


@given(
    VISITS,
    st.sampled_from([5, 30, 60]),
    st.sampled_from([(), ("utm_source",), ("utm_source", "utm_campaign")]),
)
def test_sessions_are_those_found_one_event_at_a_time(rows, timeout, new_on):
    s = stitched(*rows)
    table = s.sessions(f"{timeout}min", new_on)
    visitor = s.aliases.set_index("profile_id")["alias_value"]
    found = sorted(
        zip(
            table["profile_id"].map(visitor),
            *(((table[at] - START) // pd.Timedelta("1min")) for at in ("start", "end")),
            table["events"],
            *(
                table[tag].astype(object).where(table[tag].notna(), None)
                for tag in ("utm_source", "utm_campaign")
            ),
            strict=True,
        ),
        key=str,
    )
    assert found == sorted(slow_sessions(rows, timeout, new_on), key=str)
    assert table["session_id"].is_unique
    assert table["events"].sum() == len(rows)
    assert (table.groupby("profile_id")["number"].max() == table.groupby("profile_id").size()).all()


def test_a_visit_has_its_source_and_the_reason_for_its_channel():
    s = stitched(("a", 0, "google", "x"), ("b", 0, None, None), ("c", 0, None, None))
    table = s.sessions().set_index("channel")
    assert table.loc["Organic Search", ["source", "medium", "campaign"]].tolist() == [
        *("google", "(not set)", "x"),
    ]
    assert table.loc["Organic Search", "why"].startswith("source=google: Organic Search (Google's")
    assert set(table.loc["Direct", "medium"]) == {"(none)"}


def test_own_domains_and_ignored_referrers_are_rules_of_visits():
    addresses = {
        "properties.$url": ["/", "https://shop.example/"],
        "properties.$referrer": ["https://shop.example/", "https://bank.example/"],
    }
    s = stitched(("a", 0, None, None), ("b", 1, None, None), **addresses)
    told = ck.VisitRules(own_domains=["www.shop.example"], ignore_referrers=["bank.example"])
    assert s.sessions(visits=told)["why"].tolist() == [
        "referrer shop.example is one of the own pages: Direct",
        "referrer bank.example is among ignore_referrers: Direct",
    ]
    assert s.sessions(visits=told)["channel"].tolist() == ["Direct", "Direct"]
    assert s.sessions()["channel"].tolist() == ["Direct", "Referral"]
    with pytest.raises(ck.ConvergekitError, match="ignore_referrers names 'a b', which is not"):
        ck.VisitRules(ignore_referrers=["a b"])


def test_a_session_that_is_not_a_visit_has_no_source_and_no_reason():
    s = stitched(
        ("a", 0, None, None), ("a", 200, None, None),
        event_name=["PageView", "Placed Order"],
        **{"properties.$url": ["https://shop.example/", None]},
    )  # fmt: skip
    assert s.sessions()[["source", "medium", "campaign", "why"]].isna().sum(axis=1).tolist() == [
        *(0, 4),
    ]


def test_credit_goes_to_sources_as_google_analytics_has_them():
    s = stitched(
        ("a", 0, "meta", "x"), ("a", 60, None, None), ("a", 61, None, None),
        event_name=["PageView", "PageView", "Placed Order"],
        **{
            "properties.$url": ["https://shop.example/", "https://shop.example/", None],
            "properties.$referrer": [None, "https://www.google.be/", None],
        },
    )  # fmt: skip
    found = s.attribution("Placed Order", model=["first_touch", "last_touch"], by="source")
    assert found.comparison.set_index("source").loc[["meta", "google"]].values.tolist() == [
        [1.0, 0.0],
        [0.0, 1.0],
    ]
