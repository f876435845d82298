"""What a funnel hangs on is fixed at the entry: labels, periods and windows."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.funnels.test_funnels import START, log

# Sketches name only what they are about.
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")

STEPS = ["PageView", "Placed Order"]
HOUR = pd.Timedelta("1h")


def stitched(*events):
    """Stitch events of a person: ``(person, hour, name, source)``."""
    return ck.stitch(
        pd.DataFrame(
            {
                "event_name": [name for _, _, name, _ in events],
                "timestamp": [START + hour * HOUR for _, hour, *_ in events],
                "alias.cookie": [who for who, *_ in events],
                "profile_properties.utm_source": [source for *_, source in events],
            }
        )
    )


def groups(funnel):
    first = funnel.table[funnel.table["step"] == 1]
    names = [None if pd.isna(label) else label for label in first[funnel.by[0]]]
    return dict(zip(names, first["profiles"], strict=True))


def converted(funnel):
    last = funnel.table[funnel.table["step"] == len(funnel.steps)]
    names = [None if pd.isna(label) else label for label in last[funnel.by[0]]]
    return dict(zip(names, last["profiles"], strict=True))


def test_a_campaign_is_that_of_the_first_visit_and_not_of_a_later_one():
    s = stitched(
        ("ann", 0, "PageView", None),
        ("ann", 30, "PageView", "ads"),
        ("ann", 31, "Placed Order", None),
        ("bob", 0, "PageView", "ads"),
        ("bob", 40, "PageView", None),
    )
    f = s.funnel(STEPS, within="7D", by="utm_source")
    assert groups(f) == {"ads": 1, None: 1}
    assert converted(f) == {"ads": 0, None: 1}
    # Whom a later campaign brought back is labelled with it where steps give the labels.
    assert converted(s.funnel(STEPS, within="7D", by="utm_source", by_step="last")) == {"ads": 1}


def test_a_range_that_begins_later_asks_the_visit_and_carries_nothing_unless_told_to():
    s = stitched(
        ("ann", 0, "PageView", "ads"),
        ("ann", 50, "PageView", None),
        ("bob", 49, "PageView", "mail"),
        ("bob", 49.2, "PageView", None),
    )
    asked = {"within": "7D", "by": "utm_source", "start": START + 49.1 * HOUR}
    assert groups(s.funnel(STEPS, **asked)) == {"mail": 1, None: 1}
    carried = s.funnel(STEPS, label="carried", **asked)
    assert carried.by == ["profile.utm_source"]
    assert groups(carried) == {"ads": 1, "mail": 1}


def test_what_the_visit_sends_after_the_entry_is_not_known_at_the_entry():
    s = stitched(("ann", 0, "Viewed Product", None), ("ann", 0.1, "PageView", None))
    frame = s.events.assign(**{"profile_properties.utm_medium": [None, "cpc"]})
    early = ck.funnel(frame, ["Viewed Product"], within="1D", by="utm_medium")
    late = ck.funnel(frame, ["PageView"], within="1D", by="utm_medium")
    assert (groups(early), groups(late)) == ({None: 1}, {"cpc": 1})


def test_channels_of_visits_are_a_breakdown_without_a_column():
    frame = pd.DataFrame(
        {
            "profile_id": ["ann", "bob", "cid"],
            "event_name": "PageView",
            "timestamp": START,
            "properties.$url": [
                "https://shop.example/?utm_source=google&utm_medium=cpc",
                "https://shop.example/",
                "https://shop.example/?gclid=1",
            ],
        }
    )
    f = ck.funnel(frame, ["PageView"], within="1D", by="channel")
    assert groups(f) == {"Paid Search": 2, "Direct": 1}
    # The address alone sends the tag; no column has it.
    assert groups(ck.funnel(frame, ["PageView"], within="1D", by="utm_source")) == {
        "google": 1,
        None: 2,
    }


def test_a_campaign_property_of_the_shops_own_is_what_the_visit_had_sent():
    frame = log(ann="v0 v1", bob="v0 v1").assign(
        **{
            "profile_properties.gclid": ["a", None, None, "b"],
            "profile.gclid": ["a", "a", None, "b"],
        }
    )
    f = ck.funnel(frame, ["PageView"], within="1D", by="gclid")
    assert f.by == ["gclid"]
    assert groups(f) == {"a": 1, None: 1}


def test_event_columns_have_the_value_of_the_entry_and_blanks_are_missing():
    frame = log(ann="v0 v1", bob="v0").assign(**{"properties.plan": ["", "pro", "free"]})
    assert groups(ck.funnel(frame, ["PageView"], within="1D", by="plan")) == {"free": 1, None: 1}


def test_a_frame_that_only_carries_values_is_labelled_by_what_it_carries():
    frame = log(ann="v0", bob="v0").assign(**{"profile.utm_source": ["ads", None]})
    f = ck.funnel(frame, ["PageView"], within="1D", by="utm_source")
    assert groups(f) == {"ads": 1, None: 1}


@pytest.mark.parametrize("entry", ["any", "earliest"])
def test_labels_are_those_of_the_first_entry_whichever_attempt_counts(entry):
    frame = log(ann="v0 v30 o35").assign(**{"properties.page": ["home", "sale", None]})
    f = ck.funnel(frame, STEPS, within="10min", by="page", entry=entry)
    assert converted(f) == {"home": 1}


people = st.dictionaries(
    st.sampled_from(["ann", "bob", "cid", "dan"]),
    st.lists(
        st.tuples(st.sampled_from("vvco"), st.integers(0, 10), st.sampled_from(["a", "b", None])),
        min_size=1,
        max_size=7,
    ),
    min_size=1,
)


def frame_of(people):
    frame = log(**{who: " ".join(f"{n}{d}" for n, d, _ in seen) for who, seen in people.items()})
    frame["timestamp"] = START + pd.to_timedelta(frame["minute"] * 12, unit="h")
    sent = [source for seen in people.values() for _, _, source in seen]
    return frame.assign(**{"properties.page": sent, "profile_properties.utm_source": sent})


@given(
    people,
    st.sampled_from(["first", "any", "earliest"]),
    st.sampled_from(["page", "utm_source"]),
    st.sampled_from(["1D", "3D"]),
    st.sampled_from([{}, {"start": "2026-03-03"}, {"end": "2026-03-05"}, {"tolerance": "13h"}]),
    st.sampled_from(["D", "W", "2D"]),
    st.sampled_from([None, "Asia/Kolkata"]),
)
def test_each_period_of_a_trend_is_a_funnel_of_its_own(
    people, entry, by, within, ranged, freq, calendar
):
    frame = frame_of(people)
    asked = {"within": within, "entry": entry, "by": by, "calendar": calendar}
    steps = ["PageView", "Added To Cart"]
    trend = ck.funnel(frame, steps, **asked, **ranged).trend(freq)
    zone = calendar or "UTC"
    assert trend["entered"].sum() > 0 or "v" not in str(people) or ranged
    low = pd.Timestamp(ranged.get("start", "2026-01-01"), tz=zone)
    high = pd.Timestamp(ranged.get("end", "2027-01-01"), tz=zone) + pd.Timedelta("1D")
    for period, rows in trend.groupby("period"):
        begin = period.tz_localize(zone)
        span = pd.Timedelta({"D": "1D", "W": "7D", "2D": "2D"}[freq])
        part = {"start": max(begin, low), "end": min(begin + span, high)}
        part |= {name: value for name, value in ranged.items() if name == "tolerance"}
        alone = ck.funnel(frame, steps, **asked, **part)
        key = alone.by[0]
        first = alone.table[alone.table["step"] == 1].set_index(key)["profiles"]
        last = alone.table[alone.table["step"] == 2].set_index(key)["profiles"]
        assert rows.set_index(key)["entered"].to_dict() == pytest.approx(
            first.to_dict(), nan_ok=True
        )
        assert sorted(rows["converted"]) == sorted(last)


@given(people, st.sampled_from(["first", "any"]), st.permutations(range(4)))
def test_labels_and_trends_do_not_depend_on_the_order_of_rows(people, entry, order):
    frame = frame_of(people).drop_duplicates(["profile_id", "timestamp"])
    mixed = pd.concat([frame.iloc[i::4] for i in order])
    asked = {"within": "3D", "by": ["page", "utm_source"], "entry": entry}
    one, other = (ck.funnel(part, STEPS, **asked) for part in (frame, mixed))
    pd.testing.assert_frame_equal(one.table, other.table)
    pd.testing.assert_frame_equal(one.trend("D"), other.trend("D"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "carried"}, "label= needs by= too"),
        ({"label": "sent", "by": "page"}, "label must be one of 'visit', 'carried'"),
        ({"label": "carried", "by": "page", "by_step": 2}, "reads labels elsewhere"),
        (
            {"count": "visits", "by": "page", "by_step": 2},
            "reads labels at the entry of each visit",
        ),
        ({"count": "visits", "entry": "any"}, "begins at the first entry of each visit"),
        ({"count": "visits", "like": "posthog"}, "does not go with count='visits'"),
        ({"by": "nothing"}, "no column matches 'nothing'"),
        ({"calendar": "Mars"}, "calendar must be a time zone"),
    ],
)
def test_contradictions_say_what_to_do(options, said):
    frame = log(ann="v0").assign(**{"properties.page": ["home"]})
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.funnel(frame, STEPS, within="1D", **options)


def test_groups_chosen_at_later_steps_say_that_they_are_not_to_be_compared():
    frame = log(ann="v0 o5", bob="v0", cid="x9999").assign(
        **{"properties.page": ["a", "b", "a", None]}
    )
    asked = {"within": "1D", "by": "page"}
    f = ck.funnel(frame, STEPS, by_step=2, **asked)
    assert "do not compare the conversion of these groups" in f.notes[0]
    assert f.table.attrs["notes"] == f.notes
    assert f.notes[0] in str(f)
    assert "do not compare" in f.plot().layout.title.subtitle.text.replace("<br>", " ")
    with pytest.raises(ck.ConvergekitError, match="Leave out by_step="):
        f.test()
    assert ck.funnel(frame, STEPS, **asked).notes == []
    assert ck.funnel(frame, STEPS, by_step=1, **asked).notes == []


@pytest.mark.parametrize("options", [{}, {"by_step": 1}, {"top": 1}])
def test_half_a_character_is_a_question_mark_in_labels_too(options):
    frame = log(ann="v0", bob="v0", cid="v0")
    frame["page"] = pd.Series(["x", "\ud800", "\ud800"], dtype=object)
    f = ck.funnel(frame, ["PageView"], within="1D", by="page", **options)
    assert f.table["page"].tolist() == ["?", "other" if options == {"top": 1} else "x"]
    f.plot()


def test_a_campaign_that_no_visit_sends_is_said_to_be_carried():
    s = stitched(("ann", 0, "Email Sent", "ads"), ("ann", 9, "PageView", None))
    asked = {"within": "1D", "by": "utm_source"}
    f = s.funnel(["PageView"], **asked)
    assert f.notes == [
        "No visit had sent utm_source at the entry; label='carried' reads what profiles carry."
    ]
    assert s.funnel(["PageView"], label="carried", **asked).notes == []
