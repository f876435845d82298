"""Visits as what a funnel counts: the whole path within one, an order of the server in the last."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.funnels.test_funnels import START, STEPS

pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
SHORT = {"v": "PageView", "c": "Added To Cart", "o": "Placed Order"}


def shop(**people):
    """Stitch ``ann="v0 c5 O90"``: minutes, in capitals what the server sends."""
    rows = [
        (who, seen[0].islower(), SHORT[seen[0].lower()], START + pd.Timedelta(f"{seen[1:]}min"))
        for who, sketch in people.items()
        for seen in sketch.split()
    ]
    return ck.stitch(
        pd.DataFrame(
            {
                "event_name": [name for _, _, name, _ in rows],
                "timestamp": [time for *_, time in rows],
                "alias.cookie": [who if browser else None for who, browser, *_ in rows],
                "alias.email": [f"{who}@x.org" for who, *_ in rows],
                "source": ["web" if browser else "server" for _, browser, *_ in rows],
            }
        )
    )


def reached(s, steps=STEPS, **options):
    return s.funnel(steps, count="visits", **options).table["profiles"].tolist()


@pytest.mark.parametrize(
    ("sketch", "counts"),
    [
        ("v0 c5 o9", [1, 1, 1]),
        ("v0 v100", [2, 0, 0]),  # two visits
        ("v0 c5 v100 o105", [2, 1, 0]),  # a cart of another visit does not help
        ("v0 c5 v100 c101 o105", [2, 2, 1]),
        ("v0 c5 O600", [1, 1, 1]),  # a server's order, within 24 hours
        ("v0 c5 O1440", [1, 1, 1]),
        ("v0 c5 O1441", [1, 1, 0]),
        ("v0 c5 v100 O600", [2, 1, 0]),  # it is of the latest visit before it
        ("O0 v10 c12", [1, 1, 0]),  # an order before the visit is not of the visit
        ("v0 c5 O595 v600", [2, 1, 1]),  # nor does it belong to the visit that follows it
        ("O0", [0, 0, 0]),
    ],
)
def test_by_hand(sketch, counts):
    assert reached(shop(ann=sketch)) == counts


def test_each_visit_is_a_session_of_the_table():
    s = shop(ann="v0 c5 v100 O600", bob="v3")
    f = s.funnel(STEPS, count="visits")
    visits = f.conversions.merge(s.sessions(), on="session_id", suffixes=("", "_session"))
    assert len(visits) == 3
    assert (visits["profile_id"] == visits["profile_id_session"]).all()
    assert (visits["time_1"] >= visits["start"]).all()
    assert "visits; within the visit" in repr(f)
    assert f.plot().layout.title.text.replace("<br>", " ").endswith("within the visit")


def test_a_window_may_be_shorter_than_the_visit():
    s = shop(ann="v0 c20 o25")
    assert reached(s, within="10min") == [1, 0, 0]
    assert reached(s, within={"PageView": "1h", "Added To Cart": "10min"}) == [1, 0, 0]
    assert reached(s, ["PageView", "Placed Order"], within="30min") == [1, 1]


def test_labels_are_those_of_each_visit():
    s = ck.stitch(
        pd.DataFrame(
            {
                "event_name": ["PageView", "PageView", "Placed Order"],
                "timestamp": [START + pd.Timedelta(f"{m}min") for m in (0, 100, 101)],
                "alias.cookie": "ann",
                "properties.$url": [
                    "https://shop.example/?utm_source=ads",
                    "https://shop.example/?utm_source=mail",
                    None,
                ],
            }
        )
    )
    table = s.funnel(["PageView", "Placed Order"], count="visits", by="utm_source").table
    assert table["utm_source"].tolist() == ["ads", "ads", "mail", "mail"]
    assert table["profiles"].tolist() == [1, 0, 1, 1]
    trend = s.funnel(["PageView", "Placed Order"], count="visits").trend("D")
    assert trend[["entered", "converted"]].to_numpy().tolist() == [[2, 1]]


def obvious(sketch):
    """The visits of one person, told minute by minute, and how deep each gets."""
    events = sorted((int(e[1:]), e[0].islower(), e[0].lower()) for e in sketch)
    visits, last = [], None
    for minute, browser, name in events:
        # What a server sends neither begins a visit nor keeps one alive.
        under_way = last is not None and minute - last <= 30
        if browser:
            if not under_way:
                visits.append({"began": minute, "names": []})
            last = minute
        if visits and (browser or under_way or minute - visits[-1]["began"] <= 1440):
            visits[-1]["names"].append(name)
    depths = []
    for visit in visits:
        depth = 0
        for name in visit["names"]:
            if depth < 3 and name == "vco"[depth]:
                depth += 1
        if depth:
            depths.append(depth)
    return depths


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("vvcCoO"), st.integers(0, 3000)),
            min_size=1,
            max_size=9,
            unique_by=lambda event: event[1],
        ),
        min_size=1,
        max_size=3,
    )
)
def test_equals_what_is_told_minute_by_minute(people):
    sketches = {f"p{i}": [f"{n}{m}" for n, m in seen] for i, seen in enumerate(people)}
    # A server's event that is alone in the data would leave no browser alias to link it.
    s = shop(**{who: " ".join(seen) for who, seen in sketches.items()})
    depths = sorted(depth for seen in sketches.values() for depth in obvious(seen))
    assert sorted(s.funnel(STEPS, count="visits").conversions["depth"]) == depths


def test_a_frame_without_addresses_and_cookies_has_sessions_for_visits():
    frame = pd.DataFrame(
        {
            "who": ["ann"] * 3,
            "event_name": ["PageView", "Placed Order", "PageView"],
            "timestamp": [START + pd.Timedelta(f"{m}min") for m in (0, 5, 100)],
        }
    )
    f = ck.funnel(frame, ["PageView", "Placed Order"], profile="who", count="visits")
    assert f.table["profiles"].tolist() == [2, 1]
    assert f.conversions["profile_id"].tolist() == ["ann", "ann"]


def test_stitching_lift_counts_visits_too():
    s = shop(ann="v0 c5 O90", bob="v0")
    lift = s.stitching_lift(STEPS, count="visits").set_index("counted_by")
    assert lift.loc["stitched", ["step_1", "step_3"]].tolist() == [2, 1]
    assert lift.loc["alias cookie alone", ["step_1", "step_3"]].tolist() == [2, 0]
