"""What a Stitched answers, on small frames worked out by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.identity import obvious
from tests.identity.obvious import check_equal

DAY = "2026-03-02T"


def events(*rows):
    """Rows of (name, time, source, aliases, and whatever else by its column)."""
    return pd.DataFrame(
        [
            {
                "event_name": name,
                "timestamp": DAY + time,
                "source": source,
                "aliases": [f"urn:{alias}" for alias in aliases.split()],
                **rest,
            }
            for name, time, source, aliases, rest in rows
        ]
    )


@pytest.fixture
def shop():
    """Ada's visit and order; the order's two copies; a stranger."""
    utm = "profile_properties.utm_source"
    price = "properties.total_price"
    return events(
        ("PageView", "10:00", "browser", "cookie:c1", {utm: "ads"}),
        ("Added To Cart", "10:05", "browser", "cookie:c1 cart_token:t1", {}),
        ("Placed Order", "10:09", "server", "cart_token:t1 email:ada@x.org",
         {"event_id": "o1", price: 30.0}),
        ("Placed Order", "10:09", "server", "cart_token:t1 email:ada@x.org",
         {"event_id": "o1", price: 30.0}),
        ("Placed Order", "10:10", "browser", "cookie:c9", {"event_id": "o1", price: 31.0}),
        ("PageView", "11:00", "browser", "cookie:c2", {}),
        (None, "12:00", "crm", "email:ada@x.org customer_id:7", {utm: "crm"}),
        ("PageView", "13:00", "browser", "", {}),
    )  # fmt: skip


def test_duplicates_say_what_was_kept_and_how_the_copies_differ(shop):
    s = ck.stitch(shop)
    assert s.duplicates["row"].tolist() == [3, 4]
    assert s.duplicates["kept_row"].tolist() == [2, 2]
    assert s.duplicates["repeat"].tolist() == ["identical", "other source"]
    assert s.duplicates["differs"].tolist() == [
        [], ["timestamp", "aliases", "properties.total_price"],
    ]  # fmt: skip
    assert s.duplicates["conflicts"][1] == ["timestamp", "aliases", "properties.total_price"]
    assert s.duplicates["lost_aliases"].tolist() == [[], ["urn:cookie:c9"]]
    assert any("another amount" in warning for warning in s.report.warnings)


def test_merged_copies_bring_their_aliases(shop):
    s = ck.stitch(shop, duplicates="merge")
    assert len(s.duplicates) == 2
    assert s.explain("urn:cookie:c9", "urn:email:ada@x.org").linked
    assert s.duplicates["lost_aliases"].tolist() == [[], []]


def test_an_event_id_counts_once_per_source_on_request(shop):
    s = ck.stitch(shop, dedupe_on=("source", "event_id"))
    assert s.duplicates["row"].tolist() == [3]


def test_the_first_to_arrive_is_kept():
    frame = events(
        ("A", "10:00", "one", "cookie:c", {"event_id": "x", "received_at": DAY + "12:00"}),
        ("A", "10:00", "two", "cookie:c", {"event_id": "x", "received_at": DAY + "11:00"}),
    )
    assert ck.stitch(frame).events["row"].tolist() == [1]
    assert ck.stitch(frame.drop(columns="received_at")).events["row"].tolist() == [0]


def test_blank_ids_are_no_ids_and_ids_are_compared_exactly():
    ids = ["", " ", None, "a", "A", " a", "a"]
    frame = events(*(("A", "10:00", "s", "cookie:c", {"event_id": i}) for i in ids))
    assert ck.stitch(frame).duplicates["row"].tolist() == [6]


@given(st.lists(st.text(alphabet="ab\u00e9", max_size=20) | st.none(), max_size=40))
def test_repeated_ids_are_those_that_pandas_finds(ids):
    frame = events(*(("A", "10:00", "s", "cookie:c", {"event_id": i}) for i in ids))
    if not ids:
        return
    said = pd.Series(ids, dtype=object)
    expected = said.duplicated() & said.map(bool)
    assert ck.stitch(frame).duplicates["row"].tolist() == expected[expected].index.tolist()


def test_the_timeline_shows_sent_beside_carried(shop):
    story = ck.stitch(shop).profile("urn:email:ada@x.org")
    assert story["row"].tolist() == [0, 1, 2, 6]
    assert story["profile_properties.utm_source"].fillna("").tolist() == ["ads", "", "", "crm"]
    assert story["profile.utm_source"].tolist() == ["ads", "ads", "ads", "crm"]
    columns = story.columns.tolist()
    sent = columns.index("profile_properties.utm_source")
    assert columns[sent + 1] == "profile.utm_source"


def test_a_profile_is_found_by_its_id_and_by_any_alias(shop):
    s = ck.stitch(shop)
    by_id = s.profile(s.aliases.query("alias_value == 'c1'")["profile_id"].iloc[0])
    for alias in (
        "urn:cookie:c1",
        "urn:Cart_Token:t1",
        "urn:email: ADA@x.org",
        "urn:customer_id:7",
    ):
        pd.testing.assert_frame_equal(s.profile(alias), by_id)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("ada@x.org", "Did you mean 'urn:email:ada@x.org'"),
        ("Ada@X.org", "Did you mean 'urn:email:ada@x.org'"),
        ("urn:email:adda@x.org", "Did you mean 'urn:email:ada@x.org'"),
        ("urn:mail:ada@x.org", "Did you mean 'email'"),
        ("p_0", "no profile has the ID"),
    ],
)
def test_an_unknown_alias_is_an_error_with_a_hint(shop, asked, hint):
    s = ck.stitch(shop)
    for question in (s.profile, lambda alias: s.explain("urn:cookie:c1", alias)):
        if asked.startswith("p_") and question != s.profile:
            continue
        with pytest.raises(ck.UnknownAliasError, match=hint.replace("?", r"\?")):
            question(asked)


def test_explain_names_the_linking_event_of_every_hop(shop):
    s = ck.stitch(shop)
    found = s.explain("urn:cookie:c1", "urn:customer_id:7")
    assert found.linked
    assert found.steps["alias_from"].tolist() == [
        "urn:cookie:c1", "urn:cart_token:t1", "urn:email:ada@x.org",
    ]  # fmt: skip
    assert found.steps["row"].tolist() == [1, 2, 6]
    assert found.steps["events"].tolist() == [1, 1, 1]
    assert "by 3 links" in str(found)
    assert "an identify call from crm" in str(found)
    assert str(found).splitlines()[1].startswith("1. urn:cookie:c1 met urn:cart_token:t1")
    assert found._repr_html_().count("<li>") == 3


def test_explain_says_that_two_are_not_linked(shop):
    found = ck.stitch(shop).explain("urn:cookie:c1", "urn:cookie:c2")
    assert not found.linked
    assert found.steps.empty
    assert found.profile_a != found.profile_b
    assert "are not linked" in str(found)
    same = ck.stitch(shop).explain("urn:cookie:c1", "urn:cookie:c1")
    assert same.linked
    assert same.steps.empty


def test_the_alias_graph_carries_the_evidence(shop):
    graph = ck.stitch(shop).alias_graph
    edge = graph.edges["urn:cart_token:t1", "urn:email:ada@x.org"]
    assert edge == {
        "events": 1,
        "first_seen": pd.Timestamp(DAY + "10:09Z"),
        "row": 2,
        "event_id": "o1",
    }
    assert graph.edges["urn:cookie:c1", "urn:cart_token:t1"]["event_id"] is None
    assert graph.nodes["urn:cookie:c1"]["events"] == 2
    assert graph.nodes["urn:cookie:c1"]["alias_type"] == "cookie"


def test_profiles(shop):
    profiles = ck.stitch(shop).profiles
    ada = profiles.iloc[0]
    assert ada["events"] == 3
    assert ada["sources"] == 3
    assert ada["aliases"] == 4
    assert ada["aliases.cookie"] == 1
    assert ada["has_browser_session"]
    assert ada["profile.utm_source"] == "crm"
    assert ada["first_seen"] == pd.Timestamp(DAY + "10:00Z")
    assert len(profiles) == 2


def test_the_browser_session_may_have_another_alias(shop):
    s = ck.stitch(shop, browser_alias="cart_token")
    coverage = s.report.coverage.set_index("event_name")
    assert coverage.loc["Placed Order", "with_browser_session"] == 1
    assert coverage.loc["PageView", "with_browser_session"] == pytest.approx(1 / 3)


def test_the_report_counts_everything(shop):
    report = ck.stitch(shop).report
    assert report.rows_in == 8
    assert report.events == 6
    assert report.duplicates == {"identical": 1, "other source": 1}
    assert report.links_nobody == 1
    coverage = report.coverage.set_index("event_name")
    assert coverage.loc["PageView", ["events", "with_profile"]].tolist() == [
        3,
        pytest.approx(2 / 3),
    ]
    assert json.loads(json.dumps(report.to_dict()))["rows_in"] == 8
    assert "8 rows in = 6 events + 2 duplicates + 0 rejected" in str(report)


def test_the_card_escapes_what_it_shows():
    frame = events(("<script>alert(1)</script>", "10:00", "s", "cookie:c", {}))
    card = ck.stitch(frame)._repr_html_()
    assert "<script>" not in card
    assert "&lt;script&gt;" in card
    assert card == ck.stitch(frame)._repr_html_()


def test_repeats_without_an_id_are_reported_and_kept():
    frame = events(*[("A", "10:00", "s", "cookie:c", {"properties.x": {"a": 1}})] * 3)
    s = ck.stitch(frame)
    assert len(s.events) == 3
    assert any(w.startswith("2 events without an event ID") for w in s.report.warnings)


def test_the_report_says_when_no_event_has_a_name():
    events = pd.DataFrame(
        {
            "action": ["PageView", "Placed Order"],
            "timestamp": ["2026-03-02", "2026-03-03"],
            "alias.cookie": ["a", "a"],
        }
    )
    (warning,) = ck.stitch(events).report.warnings
    assert "2 events are identify calls" in warning
    assert "columns={'event_name': ...}" in warning
    assert not ck.stitch(events, columns={"event_name": "action"}).report.warnings
    one_named = events.assign(event_name=["PageView", None])
    assert not ck.stitch(one_named).report.warnings


def test_several_logins_on_one_profile_are_counted():
    frame = events(
        ("A", "10:00", "s", "cookie:kiosk email:a@x.org", {}),
        ("A", "10:01", "s", "cookie:kiosk email:b@x.org", {}),
    )
    assert ck.stitch(frame).report.several_logins == {"email": 1}


def test_a_property_becomes_an_alias_on_request_only():
    frame = events(
        ("A", "10:00", "s", "cookie:c1", {"profile_properties.$email": "a@x.org"}),
        ("A", "10:01", "s", "cookie:c2", {"profile_properties.$email": "A@x.org "}),
    )
    assert len(ck.stitch(frame).profiles) == 2
    assert len(ck.stitch(frame, alias_from={"$email": "email"}).profiles) == 1


def test_event_names_are_renamed_and_never_guessed():
    frame = events(("$page_load", "10:00", "s", "cookie:c", {}), ("pageview", "10:01", "s", "", {}))
    s = ck.stitch(frame, rename_events={"$page_load": "PageView"})
    assert s.events["event_name"].tolist() == ["PageView", "pageview"]
    assert s.report.remarks == {"event '$page_load' renamed": 1}


def test_provenance_of_an_unknown_property_lists_the_known(shop):
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'utm_source'"):
        ck.stitch(shop).provenance("utm_sorce")


def test_hindsight_is_marked():
    """A server's order that arrives before the browser's event with the linking token."""
    utm = "profile_properties.utm_source"
    frame = events(
        ("PageView", "10:00", "browser", "cookie:c", {utm: "ads"}),
        ("Placed Order", "10:05", "server", "cart_token:t", {}),
        ("Added To Cart", "10:09", "browser", "cookie:c cart_token:t", {}),
    )
    s = ck.stitch(frame)
    assert s.events["profile.utm_source"].tolist() == ["ads", "ads", "ads"]
    found = s.provenance("utm_source")
    assert found["hindsight"].tolist() == [False, True, False]
    assert found["age"].tolist() == [pd.Timedelta(f"{m}min") for m in (0, 5, 9)]
    live = ck.stitch(frame, identity="as_of").events["profile.utm_source"]
    assert live.isna().tolist() == [False, True, False]


def test_a_store_of_many_events_equals_the_obvious_script():
    """Large enough for threads; the obvious script is pandas and networkx, row by row."""
    frame = ck.simulate_store(people=10_000, seed=5).events.drop(columns="received_at")
    assert len(frame) > 60_000
    check_equal(ck.stitch(frame), obvious.stitch(frame))


def test_saving_overwrites_no_table_of_another_making_unasked(shop, tmp_path):
    shop.to_parquet(tmp_path / "events.parquet")
    with pytest.raises(FileExistsError, match=r"holds events\.parquet; .*overwrite=True"):
        ck.stitch(shop).to_parquet(tmp_path)
    assert len(pd.read_parquet(tmp_path / "events.parquet")) == len(shop)


def test_what_cannot_be_saved_leaves_the_earlier_one_as_it_was(shop, tmp_path):
    s = ck.stitch(shop)
    s.to_parquet(tmp_path)
    odd = shop.assign(**{"properties.odd": [{"tags": [object()]}, *range(len(shop) - 1)]})
    with pytest.raises(ck.ConvergekitError, match="cannot be saved"):
        ck.stitch(odd).to_parquet(tmp_path, overwrite=True)
    pd.testing.assert_frame_equal(ck.read_stitched(tmp_path).events, s.events)


def test_saving_refuses_to_overwrite_and_keeps_odd_values(shop, tmp_path):
    import datetime
    import decimal

    shop["properties.odd"] = [{"a": [1]}, ["x"], 7, "t", None, (True, {2: b"b"}), {1.5}, {}]
    shop["properties.price"] = [decimal.Decimal("1.10")] * 8
    shop["properties.day"] = [datetime.date(2026, 3, 2)] * 8
    s = ck.stitch(shop)
    s.to_parquet(tmp_path / "out")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        s.to_parquet(tmp_path / "out")
    s.to_parquet(tmp_path / "out", overwrite=True)
    again = ck.read_stitched(tmp_path / "out")
    pd.testing.assert_frame_equal(again.events, s.events)
    with pytest.raises(ck.ConvergekitError, match=r"holds no stitched\.json"):
        ck.read_stitched(tmp_path)
    shop["properties.odd"] = [object()] * 7 + ["x"]
    with pytest.raises(ck.ConvergekitError, match=r"column 'properties\.odd', row 0: a object"):
        ck.stitch(shop).to_parquet(tmp_path / "other")


def test_objects_that_are_texts_stay_objects_where_a_copy_is_dropped():
    half = "\ud83d"
    frame = pd.DataFrame(
        {
            "event_name": "A",
            "event_id": ["1", "1", "2"],
            "timestamp": pd.to_datetime(["2026-03-02"] * 3, utc=True),
            "alias.cookie": "c",
            "properties.note": pd.Series(["a", 7, half], dtype=object),
        }
    )
    s = ck.stitch(frame)
    # Half of a character has no form in UTF-8, which files and other libraries want.
    assert s.events["properties.note"].tolist() == ["a", "?"]
    assert s.events["properties.note"].dtype == object
    left = s.forget("urn:cookie:c").stitched
    assert len(left.events) == 0
