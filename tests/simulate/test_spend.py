"""Simulated advertising: the events stay, the claims are known, and the files read back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.simulate.advertising import CAMPAIGNS, PLATFORMS, WINDOWS
from convergekit.simulate.events import CAMPAIGNS as TAGS
from convergekit.simulate.platform_files import as_read, platform_file
from tests.effort import tries


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store(people=500, seed=5, spend=True)


def read(directory, store):
    """Return what is read of the platforms' files, which are all in euros."""
    written = [path for path in store.write(directory) if path.parent.name == "spend"]
    return ck.read_spend(written, currency="EUR")


def test_events_are_the_same_with_spend_and_without(store):
    without = ck.simulate_store(people=500, seed=5)
    pd.testing.assert_frame_equal(store.events, without.events)
    pd.testing.assert_frame_equal(store.truth, without.truth)
    assert without.spend.empty
    assert without.claims.empty
    assert repr(store) == repr(without)


def test_the_same_arguments_give_the_same_spend(store):
    again = ck.simulate_store(people=500, seed=5, spend=True)
    pd.testing.assert_frame_equal(store.spend, again.spend)
    pd.testing.assert_frame_equal(store.claims, again.claims)


def test_the_files_of_the_platforms_read_back(store, tmp_path):
    spend = read(tmp_path, store)
    pd.testing.assert_frame_equal(spend.table, store.spend)
    assert spend.remarks.empty
    assert spend.table["platform"].unique().tolist() == list(PLATFORMS)
    # A total for each platform but Microsoft, which has a note.
    assert sorted(spend.rejected["reason"]) == [
        *["a note of the report, not a row"],
        *["a total, not a row"] * (len(PLATFORMS) - 1),
    ]


@pytest.mark.parametrize("claims", ["touches", "views"])
@pytest.mark.parametrize("overclaiming", [1.0, 1.5, 2.5])
def test_claims_over_distinct_orders_is_what_was_asked_for(claims, overclaiming):
    store = ck.simulate_store(
        people=600, seed=8, spend=True, overclaiming=overclaiming, claims=claims
    )
    claimed = store.claims
    orders = claimed["event_id"].nunique()
    assert orders > 80
    assert len(claimed) / orders == pytest.approx(overclaiming, abs=0.501 / orders)
    assert not claimed.duplicated(["event_id", "platform"]).any()
    by_platform = claimed.groupby("platform")["value"].agg(["size", "sum"]).reindex(PLATFORMS)
    told = store.spend.groupby("platform")[["conversions", "value"]].sum().reindex(PLATFORMS)
    assert told["conversions"].tolist() == by_platform["size"].fillna(0).tolist()
    np.testing.assert_allclose(told["value"], by_platform["sum"].fillna(0))


def clicked(store):
    """Return for each order the platforms that the person came by within their windows, slowly."""
    events = store.events.assign(person=store.truth["person"])
    tag = {TAGS[one.tag][2]: one.platform for one in CAMPAIGNS if one.tag >= 0}
    landed = events[events["profile_properties.utm_campaign"].isin(list(tag))]
    ordered = events[(events["event_name"] == "Placed Order") & (events["source"] == "server")]
    ordered = ordered.drop_duplicates("event_id")
    found = {}
    for _, order in ordered.iterrows():
        mine = landed[landed["person"] == order["person"]]
        found[order["event_id"]] = {
            tag[row["profile_properties.utm_campaign"]]
            for _, row in mine.iterrows()
            if pd.Timedelta(0)
            <= order["timestamp"] - row["timestamp"]
            <= pd.Timedelta(days=WINDOWS[tag[row["profile_properties.utm_campaign"]]])
        }
    return found


def test_a_claim_by_click_has_a_click_within_the_window(store):
    truth = clicked(store)
    for claim in store.claims.itertuples():
        assert (claim.platform in truth[claim.event_id]) == (claim.by == "click")
    # All are of people who clicked some ad, and each such order is claimed.
    assert set(store.claims["event_id"]) == {order for order, by in truth.items() if by}
    values = store.events.drop_duplicates("event_id").set_index("event_id")
    amounts = values["properties.total_price"].reindex(store.claims["event_id"])
    assert amounts.tolist() == store.claims["value"].tolist()
    days = values["timestamp"].dt.tz_localize(None).dt.normalize()
    assert days.reindex(store.claims["event_id"]).tolist() == store.claims["date"].tolist()


def test_views_also_claim_orders_without_any_click():
    store = ck.simulate_store(people=300, seed=8, spend=True, claims="views", overclaiming=1.2)
    truth = clicked(store)
    without = [order for order, by in truth.items() if not by]
    claimed = set(store.claims["event_id"]) & set(without)
    assert 0.2 < len(claimed) / len(without) < 0.5
    assert set(store.claims["by"]) == {"click", "view", "nothing"}


def test_clicks_are_at_least_the_visits_that_came_by_the_campaign(store):
    landed = store.events["profile_properties.utm_campaign"].value_counts()
    clicks = store.spend.groupby("campaign")["clicks"].sum()
    for one in CAMPAIGNS:
        if one.tag >= 0:
            assert landed[one.name] <= clicks[one.name] < 1.4 * landed[one.name]
    assert (store.spend["impressions"] >= store.spend["clicks"]).all()
    assert (store.spend["spend"] >= 0).all()


def test_bad_options_say_what_they_take():
    said = []
    for options in (
        {"spend": "yes"},
        {"overclaiming": 0.5},
        {"overclaiming": 6},
        {"overclaiming": True},
        {"claims": "all"},
    ):
        with pytest.raises(ck.ConvergekitError) as error:
            ck.simulate_store(people=3, **options)
        said.append(str(error.value))
    assert said[0] == "spend must be True or False; got 'yes'."
    assert said[1] == (
        "overclaiming must be a number from 1.0 to 5.0, the number of platforms; got 0.5."
    )
    assert said[2].endswith("got 6.")
    assert said[3].endswith("got True.")
    assert said[4] == "claims must be one of 'touches', 'views'; got 'all'."


_NAMES = st.text("abcXYZ äßé中0123456789,;\"'|/&<>=+-_.:()", min_size=1, max_size=12).map(
    lambda text: f"n{text.strip()}"
)
_MONEY = st.integers(0, 10**9).map(lambda cents: cents / 100)


@st.composite
def spends(draw):
    size = draw(st.integers(1, 6))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    days = column(st.integers(0, 800))
    return pd.DataFrame(
        {
            "date": pd.to_datetime("2025-01-01").as_unit("us") + pd.to_timedelta(days, unit="D"),
            "campaign": column(_NAMES),
            "campaign_id": column(st.integers(1, 10**18).map(str)),
            "ad_group": column(_NAMES),
            "spend": column(_MONEY),
            "impressions": column(st.integers(0, 10**9).map(float)),
            "clicks": column(st.integers(0, 10**6).map(float)),
            "conversions": column(st.integers(0, 10**5).map(float)),
            "value": column(_MONEY),
        }
    )


@given(spends(), st.sampled_from(PLATFORMS), st.booleans())
@tries(60, deadline=None)
def test_any_spend_in_any_platforms_shape_reads_back(tmp_path_factory, table, platform, wide):
    table = table.assign(platform=platform)
    path = tmp_path_factory.mktemp("spend") / f"{platform}.csv"
    path.write_text(platform_file(platform, table), encoding="utf-16" if wide else "utf-8")
    spend = ck.read_spend(path, currency="EUR")
    pd.testing.assert_frame_equal(spend.table, as_read(table), check_freq=False)
    assert len(spend.rejected) == 1
    assert spend.remarks.empty
