"""Questions about identity: orphans, alias coverage, what-ifs, hindsight."""

from __future__ import annotations

import doctest
import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.identity.reference_identity import SlowIdentity, known_at
from tests.strategies import event_frames

ORDER = "Placed Order"
DAY = "2026-03-02T"
UTM = "profile_properties.utm_source"
PRICE = "properties.total_price"
URNS = {
    "email": ["urn:email:a@x.org", "urn:email:b@x.org", "urn:email:c@x.org"],
    "cookie": [f"urn:cookie:c{i}" for i in range(1, 5)],
    "cart_token": [f"urn:cart_token:t{i}" for i in range(1, 5)],
}
modes = st.sampled_from(["retroactive", "as_of"])
duplicate_modes = st.sampled_from(["drop", "merge"])
frames = event_frames(several=True)


def events(*rows):
    """Rows of (name, time, aliases, and whatever else by its column)."""
    return pd.DataFrame(
        [
            {
                "event_name": name,
                "timestamp": DAY + time,
                "source": "server" if name == ORDER else "browser",
                "aliases": [f"urn:{alias}" for alias in aliases.split()],
                **rest,
            }
            for name, time, aliases, rest in rows
        ]
    )


@pytest.fixture
def shop():
    """One order for each way to reach a browser session, or not to."""
    return events(
        ("PageView", "10:00", "cookie:c1", {UTM: "ads"}),
        ("Added To Cart", "10:05", "cookie:c1 cart_token:t1", {}),
        (ORDER, "10:09", "cart_token:t1 email:ada@x.org", {PRICE: 30.0}),
        (ORDER, "11:00", "email:bob@x.org", {PRICE: 20.0}),
        ("PageView", "11:30", "cookie:c2", {UTM: "mail"}),
        (ORDER, "12:00", "email:cleo@x.org", {PRICE: 10.0}),
        (ORDER, "12:30", "email:null", {PRICE: 5.0}),
        (ORDER, "12:40", "", {PRICE: 1.0}),
        ("Subscribed", "13:00", "cookie:c2 email:cleo@x.org", {"event_id": "news"}),
        (None, "14:00", "customer_id:7 email:bob@x.org", {}),
    )


@pytest.fixture(scope="module")
def store():
    return ck.stitch(ck.read_events(["data/*"]))


class TestOrphans:
    def test_every_reason_once(self, shop):
        found = ck.stitch(shop).orphans(ORDER)
        assert found.summary["outcome"].tolist() == [
            "reached a browser session",
            "no alias at all",
            "only aliases that identify nobody",
            "alias never seen in the browser",
            "alias seen in the browser only later",
        ]
        assert found.summary["events"].tolist() == [1] * 5
        assert found.summary["share"].tolist() == [0.2] * 5
        orphans = found.events.set_index("row")
        assert orphans["reason"].to_dict() == {
            3: "alias never seen in the browser",
            5: "alias seen in the browser only later",
            6: "only aliases that identify nobody",
            7: "no alias at all",
        }
        assert orphans["aliases"].tolist() == [
            ["urn:email:bob@x.org"], ["urn:email:cleo@x.org"], [], [],
        ]  # fmt: skip
        assert orphans["linked_row"].dropna().to_dict() == {5: 8}
        assert orphans["linked_at"].dropna().to_dict() == {5: pd.Timestamp(DAY + "13:00Z")}
        assert "alias never seen in the browser      1   20%" in str(found)
        assert found._repr_html_().count("<tr>") == 6  # headings

    @pytest.mark.parametrize("value", ["", " ", None])
    def test_a_blank_is_no_alias(self, value):
        frame = pd.DataFrame(
            {"event_name": [ORDER], "timestamp": DAY + "10:00", "alias.email": [value]}
        )
        assert ck.stitch(frame).orphans(ORDER).events["reason"].tolist() == ["no alias at all"]

    @pytest.mark.parametrize("cell", ["urn:email:null", '["urn:email:null"]', ["ada@x.org"]])
    def test_what_is_blocked_or_malformed_identifies_nobody(self, cell):
        frame = pd.DataFrame({"event_name": [ORDER], "timestamp": DAY + "10:00", "aliases": [cell]})
        reasons = ck.stitch(frame).orphans(ORDER).events["reason"].tolist()
        assert reasons == ["only aliases that identify nobody"]

    def test_later_is_by_receipt_where_that_is_known(self):
        frame = events(
            (ORDER, "10:05", "cart_token:t", {"received_at": DAY + "10:06"}),
            ("Added To Cart", "10:00", "cookie:c cart_token:t", {"received_at": DAY + "10:30"}),
        )
        found = ck.stitch(frame).orphans(ORDER).events
        assert found["linked_row"].tolist() == [1]
        assert found["linked_at"].tolist() == [pd.Timestamp(DAY + "10:30Z")]
        in_time = ck.stitch(frame.drop(columns="received_at")).orphans(ORDER)
        assert in_time.events.empty

    def test_a_merged_copy_links_when_it_arrives(self):
        frame = events(
            (ORDER, "10:05", "cart_token:t", {"event_id": "o"}),
            (ORDER, "10:06", "cart_token:t cookie:c", {"event_id": "o"}),
        )
        found = ck.stitch(frame, duplicates="merge").orphans(ORDER).events
        assert found["reason"].tolist() == ["alias seen in the browser only later"]
        assert found["linked_row"].tolist() == [0]
        assert found["linked_at"].tolist() == [pd.Timestamp(DAY + "10:06Z")]
        dropped = ck.stitch(frame).orphans(ORDER).events
        assert dropped["reason"].tolist() == ["alias never seen in the browser"]

    def test_the_stores_orphans_add_up_with_the_report(self, store):
        found = store.orphans(ORDER)
        coverage = store.report.coverage.set_index("event_name")
        never = found.summary["events"].iloc[1:4].sum()
        assert found.summary["events"].sum() == coverage.loc[ORDER, "events"] == 27
        assert never == 3
        assert 1 - never / 27 == pytest.approx(coverage.loc[ORDER, "with_browser_session"])

    @tries(200)
    @given(frames, modes, duplicate_modes)
    def test_equals_the_slow_definition(self, frame, identity, duplicates):
        slow = SlowIdentity(frame, ORDER, duplicates=duplicates)
        if not slow.asked:
            return
        found = ck.stitch(frame, identity=identity, duplicates=duplicates).orphans(ORDER)
        orphans = found.events.set_index("row")
        expected = {
            kept.position: "alias seen in the browser only later"
            if slow.reaches(kept)
            else "alias never seen in the browser"
            for kept in slow.asked
            if not slow.reaches(kept, kept.known)
        }
        named = orphans[~orphans["profile_id"].isna()]
        assert set(orphans.index) == set(expected)
        assert named["reason"].to_dict() == {row: expected[row] for row in named.index}
        for kept in slow.asked:
            if expected.get(kept.position) == "alias seen in the browser only later":
                row, event = slow.linked(kept)
                assert orphans.loc[kept.position, "linked_row"] == event.position
                assert orphans.loc[kept.position, "linked_at"] == known_at(row)


class TestAliasCoverage:
    def test_a_token_of_the_journey_beats_a_late_address(self, shop):
        table = ck.stitch(shop).alias_coverage(ORDER)
        assert table["alias_type"].tolist() == ["cart_token", "email", "(any)"]
        rows = table.set_index("alias_type")
        assert rows["events"].to_dict() == {"cart_token": 1, "email": 3, "(any)": 3}
        assert rows["share"].tolist() == [0.2, 0.6, 0.6]
        assert rows["reaches"].tolist() == [0.2, 0.2, 0.4]
        assert rows["reaches_as_of"].tolist() == [0.2, 0.0, 0.2]
        assert rows["lost"].tolist() == [0.2, 0.2, 0.4]
        assert rows["lost_as_of"].tolist() == [0.2, 0.0, 0.2]
        # Cart at 10:05, order at 10:09; order at 12:00, subscription at 13:00.
        leads = [pd.Timedelta("4min"), pd.Timedelta("-60min"), pd.Timedelta("-28min")]
        assert rows["median_lead"].tolist() == leads

    def test_either_of_two_aliases_alone_loses_nothing(self):
        frame = events(
            ("Added To Cart", "10:00", "cookie:c cart_token:t", {}),
            ("Started Checkout", "10:02", "cookie:c email:ada@x.org", {}),
            (ORDER, "10:05", "cart_token:t email:ada@x.org", {}),
        )
        rows = ck.stitch(frame).alias_coverage(ORDER).set_index("alias_type")
        assert rows["reaches"].tolist() == [1, 1, 1]
        assert rows["lost"].to_dict() == {"cart_token": 0, "email": 0, "(any)": 1}

    def test_other_orders_lend_no_other_alias(self):
        """The second order's address leads to the first's token only through the first order."""
        frame = events(
            ("Added To Cart", "10:00", "cookie:c cart_token:t", {}),
            (ORDER, "10:05", "cart_token:t email:ada@x.org", {}),
            (ORDER, "11:00", "email:ada@x.org", {}),
        )
        rows = ck.stitch(frame).alias_coverage(ORDER).set_index("alias_type")
        assert rows["reaches"].to_dict() == {"cart_token": 0.5, "email": 0, "(any)": 1}
        assert rows["lost"].to_dict() == {"cart_token": 1, "email": 0.5, "(any)": 1}

    def test_nothing_to_cover(self):
        frame = pd.DataFrame({"event_name": [], "timestamp": [], "alias.cookie": []})
        table = ck.stitch(frame).alias_coverage(ORDER)
        assert table["alias_type"].tolist() == ["(any)"]
        assert table["events"].tolist() == [0]
        assert table["share"].isna().all()
        assert table["median_lead"].dtype == "timedelta64[us]"

    @tries(200)
    @given(frames, modes, duplicate_modes)
    def test_equals_the_slow_definition(self, frame, identity, duplicates):
        every = SlowIdentity(frame, ORDER, duplicates=duplicates)
        if not every.asked:
            return
        s = ck.stitch(frame, identity=identity, duplicates=duplicates)
        found = s.alias_coverage(ORDER).set_index("alias_type")
        carried = {t for kept in every.asked for t, _ in every.aliases(kept, None)}
        assert set(found.index) == carried | {"(any)"}
        for name in found.index:
            of_type = (lambda _: True) if name == "(any)" else (lambda t, name=name: t == name)
            options = {"duplicates": duplicates}
            alone = SlowIdentity(frame, ORDER, carry=of_type, **options)
            others = SlowIdentity(frame, ORDER, carry=lambda t, c=of_type: not c(t), **options)
            expected = slow_coverage(every, alone, others)
            row = found.loc[name]
            for measure, value in expected.items():
                if measure == "median_lead":
                    assert row[measure] == value or (pd.isna(row[measure]) and value is None)
                else:
                    assert math.isclose(row[measure], value), (name, measure)


def slow_coverage(every, alone, others):
    size = len(every.asked)
    trio = list(zip(every.asked, alone.asked, others.asked, strict=True))
    carrying = sum(bool(alone.aliases(b, None)) for _, b, _ in trio)
    linked = [(b, alone.linked(b)) for _, b, _ in trio if alone.reaches(b)]
    leads = [known_at(b) - known_at(row) for b, (row, _) in linked]
    lost = sum(every.reaches(a) and not others.reaches(c) for a, _, c in trio)
    lost_as_of = sum(
        every.reaches(a, a.known) and not others.reaches(c, c.known) for a, _, c in trio
    )
    return {
        "events": carrying,
        "share": carrying / size,
        "reaches": len(linked) / size,
        "reaches_as_of": sum(alone.reaches(b, b.known) for _, b, _ in trio) / size,
        "lost": lost / size,
        "lost_as_of": lost_as_of / size,
        "median_lead": statistics.median(leads) if leads else None,
    }


class TestWithout:
    def test_what_changes_is_one_table(self, shop):
        found = ck.stitch(shop).without(
            "cart_token",
            value="total_price",
            carried="utm_source",
            steps=["PageView", ORDER],
            within="7D",
        )
        rows = found.table.set_index("measure")
        assert rows[["with_it", "without_it"]].T.to_dict("list") == {
            # Ada's order leaves her visit.
            "profiles": [3, 4],
            "events with a profile": [8, 8],
            "Placed Order with a browser session": [2, 1],
            "total_price with a browser session": [40, 10],
            "Placed Order with utm_source": [2, 1],
            "total_price with utm_source": [40, 10],
            "funnel step 1: PageView": [2, 2],
            "funnel step 2: Placed Order": [2, 1],
            "funnel conversion": [1, 0.5],
        }
        assert (rows["difference"] == rows["without_it"] - rows["with_it"]).all()
        assert not found.stitched.explain("urn:cookie:c1", "urn:email:ada@x.org").linked
        assert "profiles       3          4          1" in str(found)
        assert "<table" in found._repr_html_()

    def test_what_is_not_asked_for_is_left_out(self, shop):
        s = ck.stitch(shop)
        assert s.without("email", event=None).table["measure"].tolist() == [
            "profiles", "events with a profile",
        ]  # fmt: skip
        assert len(s.without("email").table) == 3

    def test_one_alias_of_several(self):
        frame = events(
            ("PageView", "10:00", "cookie:kiosk email:a@x.org", {}),
            ("PageView", "10:01", "cookie:kiosk email:b@x.org", {}),
            ("PageView", "10:02", "cookie:home email:b@x.org", {}),
        )
        s = ck.stitch(frame)
        assert len(s.profiles) == 1
        assert len(s.without("urn:Cookie:kiosk", event=None).stitched.profiles) == 2
        both = s.without(["urn:cookie:kiosk", "Email"], event=None).stitched
        assert both.aliases["alias_value"].tolist() == ["home"]
        assert len(s.profiles) == 1

    def test_the_lost_aliases_of_copies_go_too(self):
        frame = events(
            (ORDER, "10:05", "cart_token:t email:a@x.org", {"event_id": "o"}),
            (ORDER, "10:06", "cookie:c email:b@x.org", {"event_id": "o"}),
        )
        s = ck.stitch(frame)
        without = s.without("email", event=None).stitched
        assert s.duplicates["lost_aliases"].tolist() == [["urn:cookie:c", "urn:email:b@x.org"]]
        assert without.duplicates["lost_aliases"].tolist() == [["urn:cookie:c"]]

    def test_what_cannot_be_answered(self, shop):
        s = ck.stitch(shop)
        with pytest.raises(ck.UnknownAliasError, match="Did you mean 'email'"):
            s.without("emial")
        with pytest.raises(ck.UnknownAliasError, match="no event carries the alias"):
            s.without("urn:email:nobody@x.org")
        with pytest.raises(ck.ConvergekitError, match="steps= needs within= too"):
            s.without("email", steps=["PageView"])
        with pytest.raises(ck.ConvergekitError, match="name the event that they"):
            s.without("email", event=None, value="total_price")
        with pytest.raises(ck.UnknownNameError, match="Did you mean 'utm_source'"):
            s.without("email", carried="utm_sorce")
        with pytest.raises(ck.ConvergekitError, match="must name a column of numbers"):
            s.without("email", value="source")

    @tries(150)
    @given(
        event_frames(several=True, unset=True),
        modes,
        duplicate_modes,
        st.sampled_from(["email", "cookie", "cart_token", "urn:cookie:c1", "urn:email:a@x.org"]),
    )
    def test_equals_stitching_with_the_alias_blocked(self, frame, identity, duplicates, alias):
        options = {"identity": identity, "duplicates": duplicates, "first": "$initial_*"}
        s = ck.stitch(frame, **options)
        # Copies stay what they are, though the alias may be why they cannot be copies.
        assume(not (s.duplicates["repeat"] == "implausible").any())
        try:
            found = s.without(alias, event=None).stitched
        except ck.UnknownAliasError:
            kept = s.aliases["alias_type"].tolist()
            assert alias not in kept
            return
        assert_same(found, ck.stitch(frame, block=URNS.get(alias, [alias]), **options))

    @given(event_frames(), modes)
    def test_equals_stitching_without_the_column(self, frame, identity):
        s = ck.stitch(frame, identity=identity)
        if "email" not in s.aliases["alias_type"].tolist():
            return
        found = s.without("email", event=None).stitched
        other = ck.stitch(frame.drop(columns="alias.email"), identity=identity)
        pd.testing.assert_frame_equal(found.events.drop(columns="alias.email"), other.events)
        pd.testing.assert_frame_equal(found.aliases, other.aliases)


def assert_same(one, other):
    for name in ("events", "duplicates", "rejected", "aliases", "profiles"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    for name in ("utm_source", "$initial_referrer"):
        pd.testing.assert_frame_equal(one.provenance(name), other.provenance(name))
    if (one.events["event_name"] == ORDER).any():
        for question in (ck.Stitched.orphans, ck.Stitched.hindsight):
            pd.testing.assert_frame_equal(
                question(one, ORDER).events, question(other, ORDER).events
            )
        pd.testing.assert_frame_equal(one.alias_coverage(ORDER), other.alias_coverage(ORDER))


class TestHindsight:
    STEPS = ("PageView", ORDER)

    def test_what_the_late_subscription_brought(self, shop):
        found = ck.stitch(shop).hindsight(
            ORDER, value="total_price", carried="utm_source", steps=self.STEPS, within="7D"
        )
        assert found.events.drop(columns="timestamp").to_dict("records") == [
            {
                "row": 5,
                "event_id": pytest.approx(float("nan"), nan_ok=True),
                "profile_id": ck.stitch(shop).events["profile_id"][5],
                "value": 10.0,
                "browser_session": True,
                "profile.utm_source": "mail",
                "conversion": True,
                "saved_by": "urn:cookie:c2",
            }
        ]
        rows = found.summary.set_index("measure")
        assert rows.T.to_dict("list") == {
            "Placed Order with a browser session": [2, 1, 1, 0.5],
            "total_price with a browser session": [40, 30, 10, 0.25],
            "Placed Order with utm_source": [2, 1, 1, 0.5],
            "total_price with utm_source": [40, 30, 10, 0.25],
            "Placed Order with a conversion": [2, 1, 1, 0.5],
            "total_price with a conversion": [40, 30, 10, 0.25],
        }
        assert "50%" in str(found)
        assert "<table" in found._repr_html_()

    def test_saved_by_is_the_alias_next_to_the_event(self):
        """The address met the token, which the cookie had met before the order."""
        frame = events(
            ("Added To Cart", "10:00", "cookie:c cart_token:t", {UTM: "ads"}),
            (ORDER, "10:05", "email:ada@x.org", {}),
            ("Started Checkout", "10:09", "cookie:c cart_token:t email:ada@x.org", {}),
        )
        found = ck.stitch(frame).hindsight(ORDER, carried="utm_source").events
        assert found["saved_by"].tolist() == ["urn:cart_token:t"]

    def test_nothing_saves_an_order_whose_session_began_later(self):
        frame = events(
            (ORDER, "10:05", "email:ada@x.org", {}),
            ("PageView", "10:09", "cookie:c email:ada@x.org", {}),
        )
        found = ck.stitch(frame).hindsight(ORDER).events
        assert found["browser_session"].tolist() == [True]
        assert found["saved_by"].isna().tolist() == [True]

    def test_a_campaign_may_be_hindsight_where_the_session_is_not(self):
        """The checkout runs under a cookie of its own; the shop's cookie joins later."""
        frame = events(
            ("PageView", "10:00", "cookie:shop", {UTM: "ads"}),
            ("Started Checkout", "10:02", "cookie:pay email:ada@x.org", {}),
            (ORDER, "10:05", "email:ada@x.org", {}),
            ("Subscribed", "10:09", "cookie:shop email:ada@x.org", {}),
        )
        found = ck.stitch(frame).hindsight(ORDER, carried=["utm_source"])
        assert found.events["browser_session"].tolist() == [False]
        assert found.events["profile.utm_source"].tolist() == ["ads"]
        assert found.events["saved_by"].tolist() == ["urn:cookie:shop"]

    def test_where_no_session_had_begun_the_value_decides_what_saves(self):
        frame = events(
            ("Subscribed", "10:00", "email:ada@x.org", {UTM: "mail"}),
            (ORDER, "10:05", "phone:1", {}),
            ("PageView", "10:09", "cookie:c phone:1 email:ada@x.org", {}),
        )
        found = ck.stitch(frame).hindsight(ORDER, carried="utm_source").events
        assert found["browser_session"].tolist() == [True]
        assert found["saved_by"].tolist() == ["urn:email:ada@x.org"]

    @pytest.mark.parametrize(("copied", "late"), [("10:01", False), ("10:09", True)])
    def test_a_copy_brings_the_alias_that_its_event_came_without(self, copied, late):
        """Known from when the copy came: before the order, or only after it."""
        same = {"event_id": "1"}
        frame = events(
            ("PageView", "10:00", "", {**same, UTM: "ads"}),
            ("PageView", copied, "email:ada@x.org", same),
            (ORDER, "10:05", "email:ada@x.org", {}),
        )
        s = ck.stitch(frame, duplicates="merge")
        found = s.hindsight(ORDER, carried="utm_source").events
        assert found["profile.utm_source"].tolist() == (["ads"] if late else [])
        marked = s.provenance("utm_source")
        assert marked["hindsight"][marked["event_name"] == ORDER].tolist() == [late]

    def test_the_steps_end_with_the_event(self, shop):
        with pytest.raises(ck.ConvergekitError, match="the last step must be"):
            ck.stitch(shop).hindsight(ORDER, steps=["PageView"], within="7D")

    def test_an_optional_step_is_no_part_of_the_conversion(self):
        """Ann left the cart out. Bob's is learned of after the order, which does not need it."""
        frame = events(
            ("PageView", "10:00", "cookie:c1", {}),
            (ORDER, "10:05", "cookie:c1", {}),
            ("PageView", "10:00", "cookie:c2", {}),
            ("Added To Cart", "10:02", "cookie:c3", {}),
            (ORDER, "10:05", "cookie:c2", {}),
            ("Signed In", "10:09", "cookie:c2 cookie:c3", {}),
        )
        s = ck.stitch(frame)
        cart = ck.Step("Added To Cart", optional=True)
        found = s.hindsight(ORDER, steps=["PageView", cart, ORDER], within="7D")
        assert s.funnel(["PageView", cart, ORDER], within="7D").table["profiles"].tolist() == [
            2,
            1,
            2,
        ]
        rows = found.summary.set_index("measure").loc["Placed Order with a conversion"]
        assert rows[["retroactive", "as_of", "hindsight"]].tolist() == [2, 2, 0]
        assert found.events.empty

    def test_no_alias_at_all(self):
        frame = events((ORDER, "10:00", "", {}), ("PageView", "10:00", "", {}))
        found = ck.stitch(frame).hindsight(ORDER)
        assert found.events.empty
        assert found.summary["retroactive"].tolist() == [0]
        assert found.summary["share"].isna().tolist() == [True]

    def test_browser_sessions_known_then_are_those_of_the_orphans_and_the_coverage(self, store):
        summary = store.hindsight(ORDER).summary
        coverage = store.alias_coverage(ORDER).set_index("alias_type").loc["(any)"]
        reached = store.orphans(ORDER).summary["events"]
        assert summary["as_of"].tolist() == [reached[0]] == [coverage["reaches_as_of"] * 27]
        assert summary["retroactive"].tolist() == [coverage["reaches"] * 27]

    def test_carried_values_are_those_that_provenance_marks(self, store):
        found = store.hindsight(ORDER, carried="utm_source").events
        marked = store.provenance("utm_source")
        marked = marked[marked["hindsight"] & (marked["event_name"] == ORDER)]
        assert len(marked) == 4
        assert found["row"].tolist() == marked["row"].tolist()
        assert found["profile.utm_source"].tolist() == marked["value"].tolist()

    @tries(200)
    @given(frames, modes, duplicate_modes)
    def test_equals_the_slow_definition(self, frame, identity, duplicates):
        slow = SlowIdentity(frame, ORDER, duplicates=duplicates)
        if not slow.asked:
            return
        s = ck.stitch(frame, identity=identity, duplicates=duplicates)
        with_funnel = {"steps": self.STEPS, "within": "5min"}
        pages = (s.events["event_name"] == "PageView").any()
        found = s.hindsight(ORDER, carried="utm_source", **(with_funnel if pages else {}))
        rows = found.events.set_index("row")
        by_position = {kept.position: kept for kept in slow.stitch.kept}
        converted = s.funnel(**with_funnel).converted() if pages else None
        path = dict(zip(converted["row_2"], converted["row_1"], strict=True)) if pages else {}
        for kept in slow.asked:
            session = slow.reaches(kept) and not slow.reaches(kept, kept.known)
            carrier = slow.carrier(kept, "utm_source")
            carried = carrier is not None and not slow.knew(kept, carrier)
            entry = by_position.get(path.get(kept.position))
            conversion = entry is not None and not slow.knew(kept, entry)
            assert (kept.position in rows.index) == (session or carried or conversion)
            if kept.position not in rows.index:
                continue
            row = rows.loc[kept.position]
            assert row["browser_session"] == session
            value = slow.stitch._said(carrier, "utm_source")[0] if carried else None
            assert (row["profile.utm_source"] == value) or (
                pd.isna(row["profile.utm_source"]) and value is None
            )
            if pages:
                assert row["conversion"] == conversion
            check_saved_by(slow, kept, row["saved_by"], session, carrier if carried else None)

    @given(frames, duplicate_modes)
    def test_the_summary_adds_up(self, frame, duplicates):
        if not (frame["event_name"] == ORDER).any():
            return
        s = ck.stitch(frame, duplicates=duplicates)
        if not (s.events["event_name"] == ORDER).any():
            return
        found = s.hindsight(ORDER, carried="utm_source").summary.set_index("measure")
        assert (found["as_of"] + found["hindsight"] == found["retroactive"]).all()
        orders = s.events[s.events["event_name"] == ORDER]
        known = found.loc["Placed Order with utm_source", "retroactive"]
        assert known == orders["profile.utm_source"].notna().sum()


def check_saved_by(slow, kept, saved_by, session, carrier):
    """With the alias, the event would have met what it reaches; without one, nothing would do."""
    known = kept.known
    own = slow.aliases(kept, known)
    in_the_end = slow.around(slow.aliases(kept, None))
    begun = {a for a in slow.graph(known) if a in in_the_end and a[0] == "cookie"}
    if pd.isna(saved_by):
        assert not (session and begun)
        assert carrier is None or not (slow.aliases(carrier, known) and carrier.known <= known)
        return
    alias = tuple(saved_by.split(":", 2)[1:])
    assert alias in in_the_end
    assert alias not in own
    met = slow.around({alias}, known)
    if session and begun:
        assert met & begun
    elif carrier is not None and carrier.known <= known and slow.aliases(carrier, known):
        assert met & slow.aliases(carrier, known)


def test_both_modes_and_a_saved_copy_give_the_same_answers(tmp_path):
    frame = ck.simulate_store(people=300, seed=2).events
    steps = {"steps": ["PageView", "Added To Cart", ORDER], "within": "7D"}
    for duplicates in ("drop", "merge"):
        one = ck.stitch(frame, duplicates=duplicates)
        live = ck.stitch(frame, duplicates=duplicates, identity="as_of")
        live.to_parquet(tmp_path / duplicates)
        for other in (live, ck.read_stitched(tmp_path / duplicates)):
            pd.testing.assert_frame_equal(one.alias_coverage(ORDER), other.alias_coverage(ORDER))
            options = {"value": "total_price", "carried": ["utm_source", "$city"], **steps}
            found, again = (s.hindsight(ORDER, **options) for s in (one, other))
            assert len(found.events)
            pd.testing.assert_frame_equal(found.events, again.events)
            pd.testing.assert_frame_equal(found.summary, again.summary)
            pd.testing.assert_frame_equal(one.orphans(ORDER).summary, other.orphans(ORDER).summary)
        block = live.aliases.query("alias_type == 'email'")["alias_value"]
        expected = ck.stitch(
            frame,
            duplicates=duplicates,
            identity="as_of",
            block=[f"urn:email:{value}" for value in block],
        )
        for s in (live, ck.read_stitched(tmp_path / duplicates)):
            pd.testing.assert_frame_equal(s.without("email").stitched.events, expected.events)


def test_the_page_shows_what_the_code_prints():
    page = "../../docs/identity-questions.md"
    failed, attempted = doctest.testfile(page, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert attempted
    assert not failed


@pytest.mark.parametrize("ask", ["orphans", "alias_coverage", "hindsight"])
def test_an_unknown_event_is_an_error_with_a_hint(shop, ask):
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'Placed Order'"):
        getattr(ck.stitch(shop), ask)("Placed Ordr")


@pytest.mark.parametrize("ask", ["orphans", "hindsight"])
def test_an_empty_result_has_the_same_columns(shop, ask):
    empty = ck.stitch(shop.iloc[:0])
    one, other = (getattr(s, ask)(ORDER).events for s in (ck.stitch(shop), empty))
    assert list(one.columns) == list(other.columns)
    assert len(other) == 0
    assert (one.dtypes == other.dtypes).drop("event_id").all()


@tries(60)
@given(event_frames(distinct_times=True, several=True), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, random):
    frame["received_at"] = frame["timestamp"]
    order = list(range(len(frame)))
    random.shuffle(order)
    one, other = ck.stitch(frame), ck.stitch(frame.iloc[order])
    if not (one.events["event_name"] == ORDER).any():
        return
    found = [s.hindsight(ORDER, carried="utm_source").events for s in (one, other)]
    found[1]["row"] = np.array(order, dtype=np.int64)[found[1]["row"]]
    by_row = [table.sort_values("row", ignore_index=True) for table in found]
    pd.testing.assert_frame_equal(*by_row)
    pd.testing.assert_frame_equal(one.alias_coverage(ORDER), other.alias_coverage(ORDER))
