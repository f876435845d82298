"""The simulated store: the same every time, and with everything in it that goes wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.cli.csv import inert
from convergekit.simulate.frame import _tokens

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store(people=3000, seed=11)


def test_the_committed_exports_are_what_the_simulator_writes(tmp_path):
    written = [path.relative_to(tmp_path) for path in ck.simulate_store(spend=True).write(tmp_path)]
    there = [*DATA.glob("*.*"), *DATA.glob("spend/*")]
    assert sorted(written) == sorted(path.relative_to(DATA) for path in there)
    for path in written:
        assert (tmp_path / path).read_bytes() == (DATA / path).read_bytes(), path


def test_no_cell_of_the_crm_export_is_a_formula(store, tmp_path):
    path = next(path for path in store.write(tmp_path) if path.suffix == ".csv")
    table = pd.read_csv(path, dtype="str")
    pd.testing.assert_frame_equal(inert(table), table)


def test_the_same_arguments_give_the_same_store(store):
    again = ck.simulate_store(people=3000, seed=11)
    pd.testing.assert_frame_equal(store.events, again.events)
    pd.testing.assert_frame_equal(store.truth, again.truth)
    assert not store.events.equals(ck.simulate_store(people=3000, seed=12).events)
    assert repr(store) == f"SimulatedStore(3,000 people, {len(store.events):,} events)"


def test_the_frame_is_canonical_and_in_order_of_arrival(store):
    events = store.events
    assert events["received_at"].is_monotonic_increasing
    assert (events["received_at"] >= events["timestamp"]).all()
    assert events["timestamp"].dt.year.unique().tolist() == [2026]
    assert events.index.equals(store.truth.index)
    assert not [name for name, dtype in events.dtypes.items() if dtype == object]
    assert set(events["source"]) == {"browser", "server", "crm"}


def test_everything_that_goes_wrong_is_in_it(store):
    events = store.events
    s = ck.stitch(events)
    browser = events[events["source"] == "browser"]
    assert browser["alias.cookie"].isna().mean() > 0.03  # refused consent
    assert set(s.duplicates["repeat"]) == {"identical", "other source"}
    assert len(s.report.blocked) > 3
    late = events["received_at"] - events["timestamp"] > pd.Timedelta("1h")
    assert 0.01 < late.mean() < 0.1
    per_cookie = store.truth["person"].groupby(events["alias.cookie"]).nunique()
    assert (per_cookie > 1).any()  # shared devices
    assert events["alias.email"].str.startswith(" ").any()  # typed carelessly
    assert (s.events["kind"] == "identify").any()
    orders = events[(events["event_name"] == "Placed Order") & (events["source"] == "server")]
    assert orders["alias.cookie"].isna().all()
    assert orders["alias.checkout_token"].isna().mean() > 0.05  # by telephone
    assert (events["event_id"].isna() & events["event_name"].notna()).any()
    assert orders["received_at"].min() < browser["received_at"].max()


def test_without_noise_the_store_is_clean():
    store = ck.simulate_store(people=2000, seed=3, noise=0)
    s = ck.stitch(store.events)
    assert not len(s.duplicates)
    assert not len(s.rejected)
    assert s.report.blocked.empty
    assert s.report.links_nobody == 0
    # Nothing is shared, so no profile holds two people.
    per_profile = store.truth["person"].groupby(s.events["profile_id"]).nunique()
    assert per_profile.max() == 1


def test_without_noise_no_export_breaks_off(tmp_path):
    store = ck.simulate_store(people=50, seed=3, noise=0)
    read = ck.read_events(store.write(tmp_path))
    assert len(read) == len(store.events)
    assert (tmp_path / "browser.jsonl").read_text(encoding="utf-8").endswith("}\n")


def test_a_retried_order_is_the_same_but_for_its_arrival(store):
    orders = store.events[store.events["event_name"] == "Placed Order"]
    server = orders[orders["source"] == "server"]
    sent = server["event_id"].value_counts()
    assert sent.max() >= 3  # some more than once
    without_arrival = server.drop(columns="received_at").drop_duplicates()
    assert without_arrival["event_id"].is_unique
    arrivals = server.groupby("event_id")["received_at"].nunique()
    assert (arrivals[sent[sent > 1].index] > 1).all()


def test_the_browsers_copy_of_an_order_has_the_cookie_and_knows_less(store):
    orders = store.events[store.events["event_name"] == "Placed Order"]
    copies = orders[orders["source"] == "browser"]
    originals = orders[orders["source"] == "server"].drop_duplicates("event_id")
    assert len(copies)
    assert copies["event_id"].isin(originals["event_id"]).all()
    assert copies["alias.cookie"].notna().all()
    both = copies.merge(originals, on="event_id", suffixes=("", "_server"))
    assert (both["properties.total_price"] == both["properties.total_price_server"]).all()
    assert both["properties.total_tax"].isna().all()
    assert both["properties.total_tax_server"].notna().all()


def test_a_campaign_comes_with_page_views_alone_and_moves_buyers(store):
    events = store.events
    tagged = events["profile_properties.utm_source"].notna()
    assert set(events.loc[tagged, "event_name"]) == {"PageView"}
    assert not tagged[events["event_name"] == "PageView"].all()  # direct visits, later pages
    clean = ck.stitch(ck.simulate_store(people=5000, seed=2, noise=0).events).events
    visited = clean[clean["event_name"] == "PageView"]["profile.utm_source"].value_counts()
    bought = clean[clean["event_name"] == "Placed Order"]["profile.utm_source"].value_counts()
    assert bought["newsletter"] / visited["newsletter"] > 1.3 * bought["meta"] / visited["meta"]


def test_tokens_stay_distinct_where_ten_digits_would_not():
    # Visits whose checkout tokens agree in their first ten digits, in a store of millions.
    visits = np.array([394_392, 1_460_624, -1])
    assert _tokens(visits[:1], 4, 10)[0] == _tokens(visits[1:2], 4, 10)[0]
    together = _tokens(visits, 4, 10)
    assert together.nunique() == 2
    assert together.isna().tolist() == [False, False, True]


def test_a_hundred_thousand_events():
    store = ck.simulate_store(people=15_000, seed=1)
    assert len(store.events) > 100_000
    ids = store.events.loc[store.events["event_name"] != "Placed Order", "event_id"].dropna()
    assert ids.is_unique
    assert store.truth["person"].nunique() == 15_000


def test_stitching_gives_orders_their_campaign(store):
    s = ck.stitch(store.events)
    orders = s.events[s.events["event_name"] == "Placed Order"]
    assert orders["profile_properties.utm_source"].isna().all()
    assert orders["profile.utm_source"].notna().mean() > 0.6


def test_the_exports_hold_the_same_events(store, tmp_path):
    paths = store.write(tmp_path)
    read = ck.read_events(paths)
    assert read["read_error"].notna().sum() == 1
    read = read[read["read_error"].isna()]
    for source in ("browser", "server", "crm"):
        theirs = read[read["source"] == source]
        ours = store.events[store.events["source"] == source]
        assert theirs["event_id"].astype(object).where(
            theirs["event_id"].notna(), None
        ).tolist() == (
            ours["event_id"].astype(object).where(ours["event_id"].notna(), None).tolist()
        )
    one, other = ck.stitch(store.events), ck.stitch(read)
    assert set(one.aliases["profile_id"]) == set(other.aliases["profile_id"])


def test_every_person_has_an_address_of_their_own(store):
    emails = store.events["alias.email"].str.strip().str.lower()
    real = emails.str.contains("@").fillna(False).astype(bool)
    assert store.truth["person"][real].groupby(emails[real]).nunique().max() == 1
    assert emails[real].str.fullmatch(r".*@example\.(com|org|net)").all()


def test_one_person_is_a_store():
    store = ck.simulate_store(people=1, seed=0, days=1)
    assert len(store.events) >= 1
    assert np.array_equal(store.truth["person"], np.zeros(len(store.events)))
