"""The join of spend to visits: IDs, names, by hand; what matches nothing is listed."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.marketing.worlds import ROWS, SPEND, shop


def visited(urls, **columns):
    """A shop with one visit of each address."""
    return ck.stitch(
        pd.DataFrame(
            {
                "event_name": "PageView",
                "event_id": [f"e{place}" for place in range(len(urls))],
                "timestamp": pd.date_range("2026-03-02", periods=len(urls), freq="D", tz="UTC"),
                "alias.cookie": [f"c{place}" for place in range(len(urls))],
                "properties.$url": urls,
                **columns,
            }
        )
    )


def bought(*rows, **columns):
    """Spend of (platform, campaign, campaign_id), 10 each."""
    frame = pd.DataFrame(rows, columns=["platform", "campaign", "campaign_id"], dtype="str")
    return frame.assign(date="2026-03-02", spend=10.0, **columns)


def found(matches):
    """What each campaign was matched by, and its visits."""
    table = matches.table.sort_values(["platform", "campaign", "campaign_id"])
    named = table["campaign"].fillna(table["campaign_id"])
    keys = [key if isinstance(key, str) else None for key in table["matched_by"]]
    return dict(zip(named, zip(keys, table["visits"], strict=True), strict=True))


def test_spend_is_matched_by_name_on_its_platform():
    matches = shop(ROWS).match_spend(SPEND)
    assert found(matches) == {"brand": ("name", 3), "Spring": ("name", 2), "dance": (None, 0)}
    table = matches.table.set_index("campaign")
    assert table.loc["brand", "spend"] == 60
    assert table.loc["brand", ["channel", "source", "medium"]].tolist() == [
        *("Paid Search", "google", "cpc")
    ]
    assert str(table.loc["Spring", "first_day"].date()) == "2026-03-03"
    assert matches.without_visits["campaign"].tolist() == ["dance"]
    assert repr(matches) == (
        "SpendMatches(2 of 3 campaigns and 116.00 of 123.00 (94.3%) have visits; 5 visits matched)"
    )


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("?utm_id=c1", "campaign ID"),
        ("?gad_campaignid=c1&gclid=x", "campaign ID"),
        ("?utm_source=x&hsa_cam=c1", "campaign ID"),
        ("?cvg_cid=c1", "campaign ID"),
        ("?HSA_CAM=c%31", "campaign ID"),
        ("?a=b&amp;utm_id=c1", "campaign ID"),
        ("#/tea?utm_id=c1", "campaign ID"),
        ("?hsa_ad=a1&utm_id=other", "ad ID"),
        ("?cvg_adid=a1", "ad ID"),
        ("?tw_adid=a1", "ad ID"),
        ("?hsa_grp=g1", "ad group ID"),
        ("?utm_id=c10", None),
        ("?next=https://other.example/?utm_id=c1", None),
        ("/utm_id=c1", None),
        ("?utm_id=undefined", None),
    ],
)
def test_ids_in_addresses_go_before_names(address, key):
    s = visited([f"https://shop.example/{address}"])
    spend = bought(("meta", "Spring", "c1"), ad_id="a1", ad_group_id="g1")
    assert found(s.match_spend(spend)) == {"Spring": (key, int(key is not None))}


def test_ids_in_properties_count_too():
    s = visited(["https://shop.example/"], **{"properties.utm_id": ["c1"]})
    assert found(s.match_spend(bought(("meta", "Spring", "c1")))) == {"Spring": ("campaign ID", 1)}


def test_a_tag_is_an_id_if_it_is_long_and_one_of_the_spend():
    urls = [f"https://shop.example/?utm_source=fb&utm_campaign={tag}" for tag in ("123456", "12")]
    spend = bought(("meta", "Spring", "123456"), ("meta", "Autumn", "12"))
    matches = visited(urls).match_spend(spend)
    assert found(matches) == {"Spring": ("campaign ID", 1), "Autumn": (None, 0)}


def test_an_id_of_two_campaigns_tells_neither():
    spend = bought(("meta", "Spring", "c1"), ("meta", "Autumn", "c2"), ad_id="a1")
    matches = visited(["https://shop.example/?cvg_adid=a1"]).match_spend(spend)
    assert matches.table["visits"].tolist() == [0, 0]


def test_a_campaign_that_was_renamed_is_one_and_has_its_latest_name():
    spend = bought(("meta", "Old", "c1"), ("meta", "New", "c1")).assign(
        date=["2026-03-02", "2026-03-09"]
    )
    matches = visited(["https://shop.example/?utm_id=c1"]).match_spend(spend)
    assert matches.table[["campaign", "spend", "visits"]].values.tolist() == [["New", 20, 1]]


def test_capitals_and_blanks_around_a_name_do_not_matter_and_all_else_does():
    urls = [
        f"https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign={name}"
        for name in ("Spring+Sale", "spring%20sale%20", "spring-sale")
    ]
    matches = visited(urls).match_spend(bought(("google_ads", " SPRING sale", "")))
    assert found(matches) == {"SPRING sale": ("name", 2)}
    assert matches.without_spend["utm_campaign"].tolist() == ["spring-sale"]


def test_a_name_of_another_platform_or_of_an_unknown_source_is_not_the_campaigns():
    urls = [
        "https://shop.example/?utm_source=bing&utm_medium=cpc&utm_campaign=brand",
        "https://shop.example/?utm_source=newsletter&utm_medium=email&utm_campaign=brand",
    ]
    matches = visited(urls).match_spend(bought(("google_ads", "brand", "")))
    assert found(matches) == {"brand": (None, 0)}
    assert set(matches.proposals["source"]) == {"bing", "newsletter"}
    assert matches.without_spend["visits"].sum() == 2


def test_a_click_id_says_the_platform_before_the_source_does():
    urls = ["https://shop.example/?utm_source=promo&utm_campaign=brand&gclid=abc"]
    matches = visited(urls).match_spend(bought(("google_ads", "brand", "")))
    assert found(matches) == {"brand": ("name", 1)}


def test_a_name_that_two_campaigns_have_matches_none_and_is_listed():
    urls = ["https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand"]
    spend = bought(("google_ads", "Brand", "1"), ("google_ads", "brand", "2"))
    matches = visited(urls).match_spend(spend)
    assert matches.table["visits"].tolist() == [0, 0]
    assert set(matches.without_visits["reason"]) == {"2 campaigns of the spend have this name"}
    assert matches.without_spend["visits"].tolist() == [1]
    # An ID tells them apart, and so does a hand.
    by_id = visited([f"{urls[0]}&utm_id=1"]).match_spend(spend)
    assert sorted(by_id.table["visits"]) == [0, 1]
    mapping = pd.DataFrame({"campaign_id": ["2"], "utm_campaign": ["brand"]})
    by_hand = visited(urls).match_spend(spend, mapping).table.set_index("campaign_id")
    assert by_hand["matched_by"].dropna().to_dict() == {"2": "mapping"}


def test_a_name_of_visits_from_two_sources_is_nobodys_where_the_spend_names_neither():
    urls = [
        f"https://shop.example/?utm_source={source}&utm_medium=cpc&utm_campaign=brand"
        for source in ("google", "bing")
    ]
    spend = bought((None, "brand", None)).drop(columns=["platform", "campaign_id"])
    matches = visited(urls).match_spend(spend)
    assert found(matches)["brand"] == (None, 0)
    assert "visits of 2 sources have this name" in matches.without_visits["reason"][0]
    with_source = visited(urls).match_spend(spend.assign(source="Bing"))
    assert with_source.table["visits"].tolist() == [1]
    one = visited(urls[:1]).match_spend(spend)
    assert one.table["visits"].tolist() == [1]


def test_a_row_without_a_campaign_is_of_what_it_names():
    s = shop(ROWS)
    plain = pd.DataFrame(
        {"date": "2026-03-02", "channel": ["paid search", "Podcast"], "spend": [5.0, 7.0]}
    )
    matches = s.match_spend(plain)
    table = matches.table.set_index("channel")
    assert table["visits"].to_dict() == {"Paid Search": 3, "Podcast": 0}
    assert table.loc["Paid Search", "matched_by"] == "what it names"
    platform = s.match_spend(pd.DataFrame({"date": ["2026-03-02"], "platform": "Facebook",
                                           "spend": 1.0}))  # fmt: skip
    assert platform.table[["platform", "visits"]].values.tolist() == [["meta", 2]]


def test_nothing_alike_is_matched_but_proposed_and_used_when_handed_back():
    s = shop(ROWS)
    spend = SPEND.replace({"campaign": {"Spring": "Spring!", "dance": "ofer"}})
    matches = s.match_spend(spend)
    assert found(matches) == {"brand": ("name", 3), "Spring!": (None, 0), "ofer": (None, 0)}
    proposed = matches.proposals
    assert proposed[["campaign", "utm_campaign", "reason", "visits"]].values.tolist() == [
        ["Spring!", "spring", "the same letters and digits", 2]
    ]
    again = s.match_spend(spend, proposed)
    assert found(again)["Spring!"] == ("mapping", 2)
    assert again.proposals.empty


def test_spelling_is_proposed_with_its_likeness():
    s = shop([("a", "03-01 10:00", "view", "mail"), ("a", "03-01 10:05", "order", 5)])
    matches = s.match_spend(bought(("newsletter", "offerr", "")))
    assert matches.proposals["reason"].tolist() == ["spelled alike (91%)"]


def test_what_is_mapped_by_hand_goes_before_names():
    s = shop(ROWS)
    by_name = s.match_spend(SPEND, {"brand": "spring"})
    assert found(by_name)["brand"] == ("mapping", 2)
    by_platform = s.match_spend(SPEND, {("tiktok", "dance"): "Direct"})
    assert found(by_platform)["dance"] == ("what it names", 3)
    assert by_platform.table.set_index("campaign").loc["dance", "channel"] == "Direct"


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"brnd": "brand"}, "which the spend has not. Did you mean 'brand'?"),
        ({"brand": "sprong"}, "no visit has utm_campaign='sprong'.*Did you mean 'spring'?"),
        ({"brand": 3}, "must map a campaign's name"),
        ("brand", "must be a DataFrame or a mapping"),
        (pd.DataFrame({"a": [1]}), "must have campaign or campaign_id"),
        (pd.DataFrame({"campaign": ["brand", "brand"], "utm_campaign": "spring"}), "twice"),
        (pd.DataFrame({"campaign": ["brand"], "utm_campaign": [None]}), "an empty row names"),
        (pd.DataFrame({"campaign": [None], "utm_campaign": ["spring"]}), "without a campaign"),
    ],
)
def test_a_mapping_of_what_is_not_there_is_an_error(mapping, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        shop(ROWS).match_spend(SPEND, mapping)


def test_a_mapping_of_a_name_that_two_campaigns_have_asks_which():
    spend = bought(("google_ads", "brand", "1"), ("meta", "brand", "2"))
    with pytest.raises(ck.ConvergekitError, match="2 campaigns of the spend are called"):
        shop(ROWS).match_spend(spend, {"brand": "brand"})
    matches = shop(ROWS).match_spend(spend, {("meta", "brand"): "spring"})
    assert dict(zip(matches.table["platform"], matches.table["visits"], strict=True)) == {
        "google_ads": 3, "meta": 2,
    }  # fmt: skip


def test_the_order_of_rows_changes_nothing():
    s = shop(ROWS)
    one, other = s.match_spend(SPEND), s.match_spend(SPEND[::-1])
    for name in ("table", "without_visits", "without_spend", "proposals"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_the_spend_of_the_caller_stays_as_it_is():
    spend, before = SPEND.copy(), SPEND.copy()
    shop(ROWS).marketing(spend)
    pd.testing.assert_frame_equal(spend, before)


def test_the_card_says_what_matched_and_what_did_not():
    text = str(shop(ROWS).match_spend(SPEND.assign(currency="EUR")))
    assert "116.00 EUR of 123.00 EUR" in text
    assert "Spend without a visit: 1 campaign, 7.00 EUR." in text


def test_no_spend_and_no_visits_are_no_error():
    s = shop(ROWS)
    nothing = s.match_spend(SPEND[:0])
    assert len(nothing.table) == 0
    assert nothing.without_spend["visits"].sum() == 5
    alone = shop([("cem", "04-10 09:00", "order", 25)]).match_spend(SPEND)
    assert alone.table["visits"].sum() == 0
