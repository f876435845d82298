"""Each row of docs/funnel-semantics.md, on events small enough to count by hand.

Seconds and days after one Monday; one letter per event name.
"""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.funnels.test_funnel_presets import START, counts, frame_of

pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
DAY = 86_400.0
TOOLS = ("posthog", "mixpanel", "amplitude", "clickhouse")


def of_one(log, steps="ABC", **options):
    return counts({"ann": log}, list(steps), **options)


class TestWhichAttemptCounts:
    again = (("A", 0), ("A", 8 * DAY), ("B", 9 * DAY))

    def test_ours_the_first(self):
        assert of_one(self.again, "AB", within="7D") == [1, 0]

    def test_of_any_the_deepest(self):
        assert of_one(self.again, "AB", within="7D", entry="any") == [1, 1]

    def test_posthog_and_clickhouse_go_on_from_the_latest_entry(self):
        for like in ("posthog", "clickhouse"):
            assert of_one(self.again, "AB", within="7D", like=like) == [1, 1]

    def test_mixpanel_counts_the_first_entry_alone(self):
        assert of_one(self.again, "AB", like="mixpanel") == [1, 0]
        assert of_one(self.again, "AB", like="mixpanel", entry="any") == [1, 1]

    def test_amplitude_the_longest(self):
        assert of_one(self.again, "AB", within="7D", like="amplitude") == [1, 1]

    def test_amplitude_of_equally_long_ones_the_earliest(self):
        log = {"ann": [("A", 0.0), ("A", 10.0), ("B", 20.0)]}
        found = ck.funnel(frame_of(log), ["A", "B"], like="amplitude").conversions
        assert found["time_1"].tolist() == [START]
        found = ck.funnel(frame_of(log), ["A", "B"], within="1D", entry="any").conversions
        assert found["time_1"].tolist() == [START + pd.Timedelta("10s")]


class TestWindow:
    @pytest.mark.parametrize("like", [None, "posthog", "clickhouse"])
    def test_the_end_is_included(self, like):
        assert of_one([("A", 0), ("B", 60)], "AB", within="1min", like=like) == [1, 1]
        assert of_one([("A", 0), ("B", 60.000001)], "AB", within="1min", like=like) == [1, 0]

    @pytest.mark.parametrize(("like", "days"), [("posthog", 14), ("mixpanel", 7), ("amplitude", 1)])
    def test_each_tool_has_a_default(self, like, days):
        assert of_one([("A", 0), ("B", (days - 0.1) * DAY)], "AB", like=like) == [1, 1]
        assert of_one([("A", 0), ("B", (days + 0.1) * DAY)], "AB", like=like) == [1, 0]

    def test_it_is_elapsed_time_from_the_entry_not_from_the_step_before(self):
        assert of_one([("A", 0), ("B", 50), ("C", 70)], within="1min") == [1, 1, 0]


class TestEqualTimes:
    backwards = (("C", 5), ("B", 5), ("A", 5))

    def test_ours_in_the_order_that_carries_furthest(self):
        assert of_one(self.backwards, within="1D") == [1, 1, 1]
        assert of_one(self.backwards, within="1D", ties="arrival") == [1, 0, 0]

    @pytest.mark.parametrize("first", ["x", "y"])
    @pytest.mark.parametrize("turned", [False, True])
    def test_of_equal_attempts_the_one_that_arrived_first(self, first, turned):
        arrival = ["x", "y"] if first == "x" else ["y", "x"]
        log = [(name, second, cart) for second, name in enumerate("AB") for cart in arrival]
        frame = frame_of({"ann": [(name, second) for name, second, _ in log]}).assign(
            received_at=pd.date_range("2026-12-01", periods=4, tz="UTC", freq="min"),
            **{"properties.cart": [cart for _, _, cart in log]},
        )
        frame = frame[::-1] if turned else frame
        options = {"within": "7D", "hold": ["cart"], "ties": "arrival", "by": "cart"}
        table = ck.funnel(frame, ["A", "B"], **options).table
        assert set(table.loc[table["profiles"] > 0].iloc[:, 0]) == {first}

    def test_all_tools_convert(self):
        for like in TOOLS:
            assert of_one(self.backwards, within="1D", like=like) == [1, 1, 1]

    @pytest.mark.parametrize(("like", "seconds"), [("mixpanel", 2), ("amplitude", 1)])
    def test_either_order_within_the_grace(self, like, seconds):
        assert of_one([("B", 0), ("A", seconds)], "AB", like=like) == [1, 1]
        assert of_one([("B", 0), ("A", seconds + 0.1)], "AB", like=like) == [1, 0]

    def test_ours_with_a_tolerance(self):
        late = [("B", 0), ("A", 1)]
        assert of_one(late, "AB", within="1D") == [1, 0]
        assert of_one(late, "AB", within="1D", tolerance="1s") == [1, 1]

    def test_amplitude_takes_the_same_event_twice_in_a_second_as_one(self):
        twice = [("A", 0), ("A", 0.5)]
        assert of_one(twice, "AA", like="amplitude") == [1, 0]
        assert of_one([("A", 0), ("A", 1.5)], "AA", like="amplitude") == [1, 1]


class TestOneEventSeveralSteps:
    @pytest.mark.parametrize("like", [None, "posthog", "amplitude"])
    def test_never(self, like):
        assert of_one([("A", 0)], "AA", within="1D", like=like) == [1, 0]
        assert of_one([("A", 0), ("A", 5)], "AA", within="1D", like=like) == [1, 1]

    def test_clickhouse_lets_one_event_fill_both(self):
        assert of_one([("A", 0)], "AA", within="1D", like="clickhouse") == [1, 1]


class TestOrder:
    between = (("A", 0), ("X", 10), ("B", 20), ("C", 30))

    def test_others_may_lie_between(self):
        for like in (None, *TOOLS):
            assert of_one(self.between, within="1D", like=like) == [1, 1, 1]

    @pytest.mark.parametrize("like", [None, "posthog", "amplitude"])
    def test_strict_none_may(self, like):
        assert of_one(self.between, within="1D", order="strict", like=like) == [1, 0, 0]

    def test_clickhouse_strict_order_stops_at_a_step_out_of_turn(self):
        log = [("A", 0), ("C", 1), ("B", 2), ("C", 3)]
        assert of_one(log, within="1D", order="strict", like="clickhouse") == [1, 0, 0]
        assert of_one(log, within="1D", like="clickhouse") == [1, 1, 1]

    @pytest.mark.parametrize("like", [None, "posthog", "mixpanel", "amplitude"])
    def test_any_order_counts_how_many_of_the_steps(self, like):
        log = [("C", 0), ("A", 5)]
        assert of_one(log, within="1D", order="any", like=like) == [1, 1, 0]

    def test_tools_without_an_order_say_so(self):
        with pytest.raises(ck.ConvergekitError, match="mixpanel"):
            of_one(self.between, order="strict", like="mixpanel")
        with pytest.raises(ck.ConvergekitError, match="clickhouse"):
            of_one(self.between, within="1D", order="any", like="clickhouse")


class TestExcluded:
    tainted = (("A", 0), ("F", 5), ("B", 10))
    clean_later = (*tainted, ("A", 20), ("B", 25))
    refund = ck.Exclusion("F", after=1, before=2)

    def test_ours_and_posthog_remove_from_every_step(self):
        for like in (None, "posthog"):
            options = {"within": "1D", "exclude": self.refund, "like": like}
            assert of_one(self.tainted, "AB", **options) == [0, 0]

    def test_a_clean_attempt_counts_where_any_entry_does(self):
        for options in ({"entry": "any"}, {"like": "posthog"}):
            options |= {"within": "1D", "exclude": self.refund}
            assert of_one(self.clean_later, "AB", **options) == [1, 1]

    def test_from_the_first_entry_there_is_one_attempt(self):
        options = {"within": "1D", "exclude": self.refund}
        assert of_one(self.clean_later, "AB", **options) == [0, 0]
        assert of_one(self.clean_later, "AB", on_exclude="drop_off", **options) == [1, 0]

    def test_mixpanel_keeps_the_steps_before(self):
        assert of_one(self.tainted, "AB", exclude=self.refund, like="mixpanel") == [1, 0]

    def test_ours_can_keep_them_too(self):
        options = {"within": "1D", "exclude": self.refund, "on_exclude": "drop_off"}
        assert of_one(self.tainted, "AB", **options) == [1, 0]

    def test_an_expired_attempt_is_not_tainted(self):
        log = [("A", 0), ("F", 2 * DAY), ("A", 3 * DAY), ("B", 3 * DAY + 5)]
        assert of_one(log, "AB", within="1D", exclude=self.refund, like="posthog") == [1, 1]

    def test_clickhouse_has_none(self):
        with pytest.raises(ck.ConvergekitError, match="exclusions"):
            of_one(self.tainted, "AB", within="1D", exclude=self.refund, like="clickhouse")


class TestDateRange:
    log = (("A", 0), ("B", 3 * DAY))
    end = START + pd.Timedelta("2D")

    @pytest.mark.parametrize("like", [None, "mixpanel", "amplitude"])
    def test_it_bounds_the_entry(self, like):
        assert of_one(self.log, "AB", within="7D", end=self.end, like=like) == [1, 1]
        late = self.end + pd.Timedelta("2D")
        assert of_one(self.log, "AB", within="7D", start=self.end, end=late, like=like) == [0, 0]

    def test_posthog_bounds_completion_too(self):
        assert of_one(self.log, "AB", within="7D", end=self.end, like="posthog") == [1, 0]
        options = {"range_applies_to": "entry_and_completion", "end": self.end}
        assert of_one(self.log, "AB", within="7D", **options) == [1, 0]


class TestWindowStillOpen:
    frame = frame_of({"ann": [("A", 0.0)], "bob": [("A", 6 * DAY)], "cy": [("X", 8 * DAY)]})

    def test_ours_tells_them_apart(self):
        table = ck.funnel(self.frame, ["A", "B"], within="7D").table
        assert table["in_window"].tolist()[1] == 1
        assert table["drop_off"].tolist()[1] == 1

    @pytest.mark.parametrize(("end", "open_windows"), [(7 * DAY - 1, 1), (7 * DAY, 0)])
    def test_one_that_ends_with_the_data_is_over(self, end, open_windows):
        frame = frame_of({"ann": [("A", 0)], "bob": [("B", end)]})
        table = ck.funnel(frame, ["A", "B"], within="7D").table
        assert table["in_window"].sum() == open_windows

    @pytest.mark.parametrize("like", TOOLS)
    def test_the_tools_count_drop_offs(self, like):
        table = ck.funnel(self.frame, ["A", "B"], within="7D", like=like).table
        assert table["in_window"].sum() == 0
        assert table["drop_off"].tolist()[1] == 2


class TestBreakdown:
    frame = frame_of({"ann": [("A", 0), ("B", 5)], "bob": [("A", 0)]}).assign(
        **{"properties.source": ["", "mail", "ads"]}
    )

    def labels(self, **options):
        found = ck.funnel(self.frame, ["A", "B"], within="1D", by="source", **options)
        first = found.table[found.table["step"] == 1]
        return dict(zip(first["properties.source"].fillna("none"), first["profiles"], strict=True))

    def test_ours_at_the_entry(self):
        assert self.labels() == {"ads": 1, "none": 1}

    def test_the_first_value_that_is_not_empty(self):
        assert self.labels(by_step="first") == {"ads": 1, "mail": 1}

    def test_the_last(self):
        assert self.labels(by_step="last") == {"ads": 1, "mail": 1}

    def test_amplitude_labels_at_the_entry(self):
        assert self.labels(like="amplitude") == {"ads": 1, "none": 1}

    def test_posthog_at_a_step_loses_those_who_did_not_reach_it(self):
        assert self.labels(by_step=2, like="posthog") == {"mail": 1}

    def test_groups_add_up_to_the_whole(self):
        assert sum(self.labels(by_step=2).values()) == 2


class TestHeldProperty:
    def frame(self, *values):
        log = [("A", 0), ("B", 5), ("B", 9)][: len(values)]
        return frame_of({"ann": log}).assign(**{"properties.sku": list(values)})

    def counts(self, *values, **options):
        found = ck.funnel(self.frame(*values), ["A", "B"], within="1D", hold="sku", **options)
        return found.table["profiles"].tolist()

    @pytest.mark.parametrize("like", [None, *TOOLS])
    def test_it_is_equal_on_all_steps(self, like):
        assert self.counts("mug", "mug", like=like) == [1, 1]
        assert self.counts("mug", "pot", "mug", like=like)[0] >= 1
        assert self.counts("mug", "pot", like=like)[1] == 0

    def test_an_event_without_a_value_takes_no_part(self):
        assert self.counts("mug", None) == [1, 0]


class TestEveryAttempt:
    log = (("A", 0), ("B", 10), ("A", 20), ("A", 30), ("B", 40))

    def test_ours_one_per_event_of_the_first_step(self):
        assert of_one(self.log, "AB", within="1D", count="attempts") == [3, 3]

    def test_mixpanel_starts_again_when_the_one_before_is_over(self):
        assert of_one(self.log, "AB", count="attempts", like="mixpanel") == [2, 2]

    @pytest.mark.parametrize("like", ["posthog", "amplitude", "clickhouse"])
    def test_the_others_are_refused(self, like):
        with pytest.raises(ck.ConvergekitError, match="attempts"):
            of_one(self.log, "AB", within="1D", count="attempts", like=like)


class TestTimes:
    frame = frame_of({"ann": [("A", 0.0), ("B", 0.0)], "bob": [("A", 0.0), ("B", 10.0)]})

    def mean(self, **options):
        table = ck.funnel(self.frame, ["A", "B"], within="1D", **options).table
        return table["mean_time"].iloc[1]

    def test_ours_counts_zero_seconds(self):
        assert self.mean() == pd.Timedelta("5s")

    def test_posthog_leaves_them_out(self):
        assert self.mean(like="posthog") == pd.Timedelta("10s")

    def test_a_step_is_timed_from_the_one_before(self):
        table = ck.funnel(
            frame_of({"ann": [("A", 0), ("B", 4), ("C", 10)]}), ["A", "B", "C"], within="1D"
        ).table
        assert table["median_time"].iloc[1:].tolist() == [pd.Timedelta("4s"), pd.Timedelta("6s")]
        assert pd.isna(table["median_time"].iloc[0])


def test_a_merge_is_retroactive_and_changes_the_first_count():
    frame = pd.DataFrame(
        {
            "event_name": ["A", "A", "A", "A", "Logged In"],
            "timestamp": [START + pd.Timedelta(minutes=i) for i in range(5)],
            "alias.cookie": ["c1", "c2", "c3", "c4", "c1"],
            "aliases": [[], [], [], [], ["urn:cookie:c2"]],
        }
    )
    apart = ck.stitch(frame.iloc[:4]).funnel(["A"], within="1D")
    merged = ck.stitch(frame).funnel(["A"], within="1D")
    assert apart.table["profiles"].tolist() == [4]
    assert merged.table["profiles"].tolist() == [3]
