"""Funnels: the definition's corners by hand, and everything else against the slow definition."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.funnels.reference_funnel import SlowFunnel

# Sketches name only what they are about.
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")

START = pd.Timestamp("2026-03-02", tz="UTC")
STEPS = ["PageView", "Added To Cart", "Placed Order"]
SHORT = {"v": "PageView", "c": "Added To Cart", "o": "Placed Order", "x": "Refund"}


def log(**profiles):
    """Frames from sketches: ``log(ann="v0 c5 o9")`` is three events at minutes 0, 5 and 9."""
    rows = [
        (profile, SHORT[event[0]], int(event[1:]))
        for profile, sketch in profiles.items()
        for event in sketch.split()
    ]
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    return frame.assign(timestamp=START + pd.to_timedelta(frame["minute"], unit="min"))


def counts(frame, steps=STEPS, within="10min", **options):
    return ck.funnel(frame, steps, within=within, **options).table["profiles"].tolist()


@pytest.mark.parametrize(
    ("sketch", "reached"),
    [
        ("v0 c5 o9", [1, 1, 1]),
        ("v0 c5 o10", [1, 1, 1]),  # the end of the window is included
        ("v0 c5 o11", [1, 1, 0]),
        ("c0 v1 o2", [1, 0, 0]),
        ("o0 c1 v2", [1, 0, 0]),
        ("c5 o9", [0, 0, 0]),
        ("v0 v8 c9 o15", [1, 1, 0]),  # a later visit does not begin anew
        ("v0 c1 v8 o15", [1, 1, 0]),
        ("v0 x1 c2 x3 o4", [1, 1, 1]),  # others may lie between
        ("v0 c0 o0", [1, 1, 1]),  # ties are taken in the order that carries furthest
        ("o0 c0 v0", [1, 1, 1]),
        ("c5 v5 o5 v0", [1, 1, 1]),
    ],
)
def test_by_hand(sketch, reached):
    assert counts(log(ann=sketch)) == reached


def test_n_repeats_of_a_step_need_n_events():
    repeated = ["PageView", "PageView", "Placed Order"]
    assert counts(log(ann="v0 o1"), repeated) == [1, 0, 0]
    assert counts(log(ann="v0 v0 o0"), repeated) == [1, 1, 1]
    assert counts(log(ann="v0 o0"), repeated) == [1, 0, 0]
    assert counts(log(ann="v0 v1 o2"), repeated) == [1, 1, 1]


def test_any_of_several_names_fills_a_step():
    steps = ["PageView", ["Added To Cart", "Refund"], "Placed Order"]
    found = ck.funnel(log(a="v0 x1 o2", b="v0 c1", c="v0 o1"), steps, within="10min")
    assert found.table["profiles"].tolist() == [3, 2, 1]
    assert found.table["event_name"].tolist()[1] == "Added To Cart or Refund"


@pytest.mark.parametrize(
    ("sketch", "reached"),
    [
        ("v0 v8 c9 o15", [1, 1, 1]),  # a later entry starts a window of its own
        ("v0 c1 v8 o15", [1, 1, 0]),  # which does not lend itself to an earlier attempt
        ("v0 c1 v8 c9 o15", [1, 1, 1]),
    ],
)
def test_any_entry_by_hand(sketch, reached):
    assert counts(log(ann=sketch), entry="any") == reached


def test_the_table():
    frame = log(a="v0 c2 o6", b="v0 c4", c="v0", d="v0 c6 o8", e="o1 x99")
    table = ck.funnel(frame, STEPS, within="1h").table
    assert table.columns.tolist() == [
        "step", "event_name", "profiles", "conversion", "step_conversion", "drop_off",
        "in_window", "conversion_at_window", "at_window_low", "at_window_high", "time_from",
        "median_time", "mean_time", "p90_time",
    ]  # fmt: skip
    assert table["step"].tolist() == [1, 2, 3]
    assert table["event_name"].tolist() == STEPS
    assert table["profiles"].tolist() == [4, 3, 2]
    assert table["conversion"].tolist() == [1.0, 0.75, 0.5]
    assert table["step_conversion"].tolist()[1:] == [0.75, pytest.approx(2 / 3)]
    assert pd.isna(table["step_conversion"][0])
    assert table["drop_off"].tolist() == [0, 1, 1]
    assert table["time_from"].tolist()[1:] == STEPS[:2]
    assert table["median_time"].tolist()[1:] == [pd.Timedelta("4min"), pd.Timedelta("3min")]
    assert pd.isna(table["median_time"][0])


def test_times_are_of_the_chain_that_first_got_there_with_the_latest_entry():
    found = ck.funnel(log(a="v0 c1 v2 c3 c4 o5 o6"), STEPS, within="10min", entry="any").conversions
    minutes = [(found[f"time_{i}"][0] - START) // pd.Timedelta(minutes=1) for i in (1, 2, 3)]
    assert minutes == [2, 3, 5]


def test_identify_calls_and_events_without_a_profile_take_no_part():
    frame = log(a="v0 c1 o2", b="v0 c1 o2")
    frame["kind"] = ["identify", "track", "track"] * 2
    assert counts(frame) == [0, 0, 0]
    frame = log(a="v0 c1 o2", b="v0 c1 o2")
    frame.loc[3:, "profile_id"] = None
    assert counts(frame) == [1, 1, 1]


def test_nobody_entered():
    found = ck.funnel(log(a="c0"), STEPS, within="7D")
    assert found.table["profiles"].tolist() == [0, 0, 0]
    assert found.table["conversion"].isna().all()
    assert found.conversions.empty
    assert "Funnel(PageView 0" in repr(found)
    assert counts(log(a="v0").iloc[:0]) == [0, 0, 0]


@pytest.mark.parametrize("within", ["7 dys", "", 7, "7", 0, "-1D", "NaT"])
def test_a_window_that_is_none_says_what_is_accepted(within):
    with pytest.raises(ck.ConvergekitError, match=r"a positive duration.*'7D'"):
        ck.funnel(log(a="v0"), STEPS, within=within)


@pytest.mark.parametrize("within", ["10min", "0.2h", datetime.timedelta(minutes=10)])
def test_a_window_of_any_form(within):
    assert counts(log(a="v0 c5 o10"), within=within) == [1, 1, 1]


def test_what_is_wrong_with_the_frame_or_the_steps():
    frame = log(a="v0")
    with pytest.raises(ck.ConvergekitError, match="must be a list of at least one event name"):
        ck.funnel(frame, [], within="7D")
    with pytest.raises(ck.ConvergekitError, match="must be a list"):
        ck.funnel(frame, "PageView", within="7D")
    with pytest.raises(ck.ColumnError, match="no column 'profile_id'.*Did you mean 'profile'"):
        ck.funnel(frame.rename(columns={"profile_id": "profile"}), STEPS, within="7D")
    with pytest.raises(ck.ColumnError, match="not datetime"):
        ck.funnel(frame.astype({"timestamp": "str"}), STEPS, within="7D")


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("total_prise > 25", r"of 'Placed Order' cannot be evaluated.*Did you mean 'total_price'"),
        ("shop == north", "'north' is not defined. Put values between quotes"),
        ("total_price >", "invalid syntax"),
        ("total_price = 25", "cannot be evaluated.*Equality is written with two signs"),
        ("total_price + 1", "gave 3 values of float64 for 3 events"),
        ({"total_prise": 25}, "no column matches 'total_prise'.*Did you mean 'total_price'"),
        ({"plan": "pro"}, "'plan' may be 'properties.plan' or 'profile.plan'; name the one"),
        (lambda e: e["total_price"] > 25, "not a column.*Did you mean 'properties.total_price'"),
        (lambda e: [True], "gave 1 value of bool for 3 events"),
        (25, "where of 'Placed Order' must be a query, a mapping.*got 25"),
    ],
)
def test_a_condition_that_cannot_be_met_says_why(where, match):
    with pytest.raises(ck.ConvergekitError, match=match):
        ck.funnel(orders(), ["PageView", ck.Step("Placed Order", where=where)], within="1h")


def orders():
    frame = log(a="v0 o1", b="v0 o2", c="v0 o3")
    frame["properties.total_price"] = [None, 20.0] * 2 + [None, 30.0]
    frame["properties.shop"] = ["north"] * 6
    return frame.assign(**{"properties.plan": "pro", "profile.plan": "pro"})


@pytest.mark.parametrize(
    "where",
    [
        "total_price > 25",
        "`properties.total_price` > 25 and shop == 'north'",
        {"total_price": 30},
        {"properties.total_price": [30, 40], "shop": "north"},
        lambda e: e["properties.total_price"] > 25,
        lambda e: (e["properties.total_price"] > 25).to_numpy(),
    ],
)
def test_a_condition_in_each_form(where):
    frame = orders()
    steps = ["PageView", ck.Step("Placed Order", where=where, label="Large")]
    found = ck.funnel(frame, steps, within="1h")
    assert found.table["profiles"].tolist() == [3, 1]
    assert found.table["event_name"].tolist() == ["PageView", "Large"]
    pd.testing.assert_frame_equal(frame, orders())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"by": "shpo"}, "no column matches 'shpo'.*Did you mean 'shop'"),
        ({"by": "plan"}, "'plan' may be 'properties.plan' or 'profile.plan'"),
        ({"hold": "shpo"}, "no column matches 'shpo'"),
        ({"profile": "profil_id"}, "no column 'profil_id'.*Did you mean 'profile_id'"),
        ({"by": "shop", "top": 0}, "top must be a whole number from 1; got 0"),
        ({"by": "shop", "by_step": 3}, "'first', 'last' or a step from 1 to 2"),
        ({"within": "1 month"}, "a positive duration.*count in days"),
        ({"tolerance": "2 sx"}, "tolerance must be a positive duration.*'2s'.*got '2 sx'"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "end must be after start="),
        ({"start": "some day"}, "start must be a date or datetime.*got 'some day'"),
        ({"exclude": 3}, "exclude must be an event name.*got 3"),
        ({"order": "stric"}, "order must be one of 'ordered'"),
        ({"order": "any", "exclude": ck.Exclusion("Refund", after=2, before=2)}, "counted from 1"),
    ],
)
def test_an_option_that_is_none_says_what_is_accepted(options, match):
    with pytest.raises(ck.ConvergekitError, match=match):
        ck.funnel(orders(), ["PageView", "Placed Order"], **{"within": "1h", **options})


@pytest.mark.parametrize("steps", [None, [1], [ck.Step([])], [{"name": "PageView"}], ["A"] * 61])
def test_what_is_no_step_says_what_is_one(steps):
    with pytest.raises(ck.ConvergekitError, match=r"must be a|at most 60"):
        ck.funnel(orders(), steps, within="1h")


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (
            lambda f: f.drop_offs("Placed Order"),
            "step must be a number from 1 to 2; got 'Placed Order'",
        ),
        (lambda f: f.drop_offs(1), "no profile drops off before the first"),
        (lambda f: f.converted(3), "step must be a number from 1 to 2; got 3"),
        (lambda f: f.time_to_convert(2, 1), "from_step must be before to_step.*got 2 and 1"),
        (lambda f: f.time_to_convert(bins=0), "bins must be.*got 0"),
        (lambda f: f.compare(f, confidence=95), "confidence must be a share.*got 95"),
        (lambda f: f.compare(f.table), "other must be a Funnel"),
        (lambda f: f.trend("fortnight"), "freq must be a period.*got 'fortnight'"),
        (lambda f: f.trend(), "needs a period"),
    ],
)
def test_a_question_that_has_no_answer_says_what_to_ask(ask, match):
    found = ck.funnel(orders(), ["PageView", "Placed Order"], within="1h")
    with pytest.raises(ck.ConvergekitError, match=match):
        ask(found)


def test_a_table_in_a_notebook_names_those_without_a_value_of_the_breakdown():
    frame = orders()
    frame.loc[frame["profile_id"] == "c", "properties.shop"] = None
    page = ck.funnel(frame, ["PageView", "Placed Order"], within="1h", by="shop")._repr_html_()
    assert page.count(">north</th>") == page.count(">no shop</th>") == 2


@pytest.mark.filterwarnings("default")
def test_a_step_that_never_matches_is_warned_of_where_it_was_asked():
    s = ck.stitch(orders().drop(columns="profile_id").assign(**{"alias.cookie": "c"}))
    asked = [
        lambda steps: ck.funnel(orders(), steps, within="1h"),
        lambda steps: s.funnel(steps, within="1h"),
    ]
    for ask in asked:
        with pytest.warns(UserWarning, match="no event is named 'PageVeiw'.*'PageView'") as warned:
            ask(["PageVeiw"])
        assert [warning.filename for warning in warned] == [__file__]
        with pytest.warns(UserWarning, match="no event of 'Placed Order' meets where=") as warned:
            ask([ck.Step("Placed Order", where={"shop": "nort"})])
        assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize("within", ["7D", "7d", "7 days", "1w", "168h", "P7D"])
def test_spellings_of_a_week(within):
    assert ck.funnel(orders(), ["PageView"], within=within).within == pd.Timedelta(days=7)


names = st.sampled_from(list(SHORT.values()))
moments = st.integers(0, 12)
step_lists = st.lists(
    st.one_of(names, st.lists(names, min_size=2, max_size=2, unique=True)), min_size=1, max_size=4
)


@st.composite
def logs(draw, max_rows=9):
    rows = draw(st.lists(st.tuples(st.sampled_from("ab"), names, moments), max_size=max_rows))
    frame = pd.DataFrame(rows, columns=["profile_id", "event_name", "minute"])
    frame = frame.astype({"profile_id": "str", "event_name": "str", "minute": "int64"})
    frame["held"] = draw(st.lists(st.sampled_from("xy"), min_size=len(rows), max_size=len(rows)))
    return frame.assign(
        timestamp=START + pd.to_timedelta(frame["minute"], unit="min"),
        held=frame["held"].astype("str"),
        place=range(len(frame)),
    )


def of_profiles(frame, *, hold=False):
    """Per profile, its events as the slow definition takes them."""
    renamed = frame.rename(columns={"event_name": "name"})
    columns = ["name", "minute", "place", *(["held"] if hold else [])]
    return {
        profile: events[columns].to_dict("records")
        for profile, events in renamed.groupby("profile_id")
    }


def minute(value):
    return None if value is None else START + pd.Timedelta(minutes=value)


maybe_minute = st.none() | moments


@st.composite
def cases(draw):
    """Steps, the options of `ck.funnel`, and the slow definition of the same."""
    steps, window = draw(step_lists), draw(st.integers(1, 13))
    order = draw(st.sampled_from(["ordered", "ordered", "strict", "strict", "any"]))
    ties = draw(st.sampled_from(["best", "arrival"]))
    tolerance = draw(st.sampled_from([0, 0, 1, 3])) if ties == "best" else 0
    optional = set()
    if order != "any" and len(steps) > 1:
        optional = draw(st.sets(st.integers(1, len(steps) - 1), max_size=2))
    required = [i for i in range(len(steps)) if i not in optional]
    exclusions = []
    if len(required) > 1:
        between = st.sets(st.sampled_from(required), min_size=2, max_size=2).map(sorted)
        between = st.just([0, len(steps) - 1]) if order == "any" else between
        exclusions = draw(st.lists(st.tuples(names, between), max_size=2))
    on_exclude = draw(st.sampled_from(["remove", "drop_off"] if exclusions else ["remove"]))
    start, end = draw(maybe_minute), draw(maybe_minute)
    end = None if start is not None and end is not None and end <= start else end
    cut = draw(st.booleans()) and end is not None
    hold = draw(st.booleans())
    options = {
        "within": f"{window}min",
        "order": order,
        "ties": ties,
        "tolerance": f"{tolerance}min" if tolerance else None,
        "exclude": [ck.Exclusion(name, a + 1, b + 1) for name, (a, b) in exclusions],
        "on_exclude": on_exclude,
        "start": minute(start),
        "end": minute(end),
        "range_applies_to": "entry_and_completion" if cut else "entry",
        "hold": ["held"] if hold else [],
    }
    note(f"{steps}, optional {optional}, {options}")
    slow = SlowFunnel(
        steps,
        window,
        order=order,
        ties=ties,
        tolerance=tolerance,
        optional=optional,
        exclusions=[
            ({name}, required.index(a) + 1, required.index(b) + 1) for name, (a, b) in exclusions
        ],
        on_exclude=on_exclude,
        start=start,
        end=end,
        cut=cut,
    )
    given_steps = [ck.Step(step, optional=i in optional) for i, step in enumerate(steps)]
    return given_steps, options, slow, hold


def minutes_of(found, slow):
    """Per profile that is counted, the minutes of its required steps."""
    counted = found.conversions[found.conversions["status"] != "excluded"]
    return {
        row["profile_id"]: [
            in_minutes(row[f"time_{i + 1}"])
            for i in slow.required
            if pd.notna(row[f"time_{i + 1}"])
        ]
        for row in counted.to_dict("records")
    }


def in_minutes(time):
    return None if pd.isna(time) else (time - START) // pd.Timedelta(minutes=1)


def check_optional_steps(found, slow, profiles):
    """Each optional step is done when the slow definition says, given the rest of the path."""
    for row in found.conversions.to_dict("records") if slow.optional else ():
        events = slow.prepared(profiles[row["profile_id"]])
        by_place = {event["place"]: event for event in events}
        at = {i: row[f"row_{i + 1}"] for i in range(len(slow.every_step))}
        chain = {i: by_place[place] for i, place in at.items() if pd.notna(place)}
        for step in slow.optional:
            expected = slow.optional_time(step, chain, events) if 0 in chain else None
            assert in_minutes(row[f"time_{step + 1}"]) == expected


@tries(700)
@given(logs(), cases(), st.sampled_from(["any", "any", "first", "earliest"]))
def test_equals_the_slow_definition(frame, case, entry):
    note(frame.to_string())
    steps, options, slow, hold = case
    slow.only_first = entry == "first"
    found = ck.funnel(frame, steps, entry=entry, **options)
    profiles = of_profiles(frame, hold=hold)
    expected, excluded = {}, set()
    for profile, events in profiles.items():
        times, is_excluded = (slow.earliest if entry == "earliest" else slow.profile)(events)
        if is_excluded:
            excluded.add(profile)
        elif times:
            expected[profile] = times
    assert minutes_of(found, slow) == expected
    conversions = found.conversions
    assert set(conversions["profile_id"][conversions["status"] == "excluded"]) == excluded
    check_optional_steps(found, slow, profiles)
    counts = found.counts
    assert counts["entered"] == sum(v for k, v in counts.items() if k != "entered")
    for place, step in enumerate(slow.required):
        reached = sum(len(times) > place for times in expected.values())
        assert found.table["profiles"][step] == reached


@tries(500)
@given(logs(), cases(), st.booleans())
def test_every_attempt_equals_the_slow_definition(frame, case, only_first):
    note(frame.to_string())
    steps, options, slow, hold = case
    slow.only_first = only_first
    options |= {"count": "attempts", "entry": "first" if only_first else "any"}
    found = ck.funnel(frame, steps, **options)
    profiles = of_profiles(frame, hold=hold)
    expected = {p: slow.attempts(events) for p, events in profiles.items()}
    required = found.conversions[[f"time_{i + 1}" for i in slow.required]]
    excluded = found.conversions["status"] == "excluded"
    pairs = list(zip(required.notna().sum(axis=1), excluded, strict=True))
    fast = found.conversions.assign(pair=pairs).groupby("profile_id")["pair"].agg(sorted).to_dict()
    assert fast == {profile: depths for profile, depths in expected.items() if depths}
    check_optional_steps(found, slow, profiles)


@given(logs(), step_lists, st.integers(1, 13), st.sampled_from(["profiles", "attempts"]))
def test_every_step_names_the_row_that_fills_it(frame, steps, window, count):
    found = ck.funnel(frame, steps, within=f"{window}min", count=count).conversions
    for row in found.itertuples():
        rows = [getattr(row, f"row_{i}") for i in range(1, row.depth + 1)]
        assert len(set(rows)) == len(rows)
        for step, at in zip(steps, rows, strict=False):
            event = frame.loc[at]
            assert event["profile_id"] == row.profile_id
            assert event["event_name"] in ([step] if isinstance(step, str) else step)
        times = [frame.loc[at, "minute"] for at in rows]
        assert times == sorted(times)


@given(logs(), step_lists, st.sampled_from(["first", "last", 1]), st.none() | st.integers(1, 2))
def test_groups_add_up_to_the_whole(frame, steps, by_step, top):
    whole = ck.funnel(frame, steps, within="6min")
    parts = ck.funnel(frame, steps, within="6min", by="held", by_step=by_step, top=top)
    summed = parts.table.groupby("step")[["profiles", "drop_off", "in_window"]].sum()
    expected = whole.table.set_index("step")[["profiles", "drop_off", "in_window"]]
    if len(whole.conversions):
        pd.testing.assert_frame_equal(summed, expected)
    else:
        assert parts.table.empty
    assert parts.label_steps["profiles"].sum() == len(whole.conversions)


@given(logs(), step_lists, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, steps, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    one = ck.funnel(frame, steps, within="6min")
    other = ck.funnel(frame.iloc[order], steps, within="6min")
    pd.testing.assert_frame_equal(one.table, other.table)


def test_the_trend_of_an_empty_funnel_is_empty():
    nothing = ck.stitch(ck.simulate_store().events.iloc[:0])
    empty = nothing.funnel(["PageView", "Placed Order"], within="7D").trend("W")
    assert list(empty.columns) == [
        "period", "entered", "converted", "conversion", "conversion_at_window", "at_window_low",
        "at_window_high", "complete",
    ]  # fmt: skip
    assert len(empty) == 0
    assert len(empty.plot().data) <= 1


def test_no_breakdown_goes_by_a_name_that_the_tables_have():
    """One by `status` was once read as how profiles fared: nobody converted."""
    frame = log(ann="v0 c5 o9", bob="v0 x3", end="x90").assign(plan=list("aaabbc"))
    found = ck.funnel(frame, STEPS, within="10min", by="plan")
    tables = (found.table, found.conversions, found.trend("D"), found.drop_offs(2))
    names = set().union(*tables) - {"plan", "profile_id"}
    assert {"status", "event_name", "row_3", "entered"} <= names
    for name in names:
        named = frame.rename(columns={"plan": name}) if name not in frame else frame
        with pytest.raises(ck.ConvergekitError, match=f"by='{name}': the funnel's tables have"):
            ck.funnel(named, STEPS, within="10min", by=name)
    each = ck.funnel(frame, STEPS, within="10min", by="profile_id").table
    assert each["profiles"].tolist() == [1, 1, 1, 1, 0, 0]
    twice = ck.funnel(frame, STEPS, within="10min", by=["plan", "plan"])
    pd.testing.assert_frame_equal(twice.table, found.table)


@pytest.mark.parametrize("option", ["by", "hold"])
def test_lists_are_no_labels(option):
    frame = log(ann="v0 c5", bob="v0").assign(items=[["tea"], None, {"a": 1}])
    with pytest.raises(ck.ConvergekitError, match=f"{option}='items'.* holds lists or objects"):
        ck.funnel(frame, STEPS, within="10min", **{option: "items"})


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Brussels"])
def test_what_they_did_instead_is_told_of_times_in_any_zone(zone):
    frame = log(ann="v0 c5 o9", bob="v0 x3 o4", cy="v0", end="x90")
    local = frame["timestamp"].dt.tz_convert(zone)
    found = ck.funnel(frame.assign(timestamp=local), STEPS, within="10min")
    left = found.drop_offs(2).set_index("profile_id")
    did = {"bob": "Refund", "cy": "nothing"}
    assert left["next_event"].fillna("nothing").to_dict() == did
    assert left.loc["bob", "next_time"] == START + pd.Timedelta("3min")
    assert left["next_time"].dtype == left["time_1"].dtype


def test_what_they_did_next_is_what_arrived_first_of_events_at_one_time():
    frame = log(**{f"p{i}": "v0 x5 o5" for i in range(60)}, end="x90")
    late = {"PageView": 0, "Placed Order": 1, "Refund": 2}
    arrived = frame["timestamp"] + pd.to_timedelta(frame["event_name"].map(late), unit="min")
    for events, first in ((frame, "Refund"), (frame.assign(received_at=arrived), "Placed Order")):
        left = ck.funnel(events, STEPS[:2], within="10min").drop_offs()
        assert left["next_event"].tolist() == [first] * 60


def test_an_optional_step_in_strict_order_stands_in_its_own_place_alone():
    steps = ["a", ck.Step("b", optional=True), "c", ck.Step("d", optional=True), "e"]
    walks = {"in its place": "abcde", "left out": "ace", "one place early": "adce", "late": "acbe"}
    rows = [(who, name) for who, walk in walks.items() for name in walk]
    events = pd.DataFrame(rows, columns=["profile_id", "event_name"])
    events["timestamp"] = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(events.index, "s")
    found = ck.funnel(events, steps, within="1h", order="strict").conversions
    depth = dict(zip(found["profile_id"], found["depth"], strict=True))
    assert depth == {"in its place": 5, "left out": 5, "one place early": 1, "late": 3}
