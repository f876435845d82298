"""The figure of conversion curves: steps, areas, and what a thinned line still shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.survival import cumulative_incidence, kaplan_meier
from convergekit.figures.style import COLOURS, Style
from convergekit.funnels.curve_figure import curve_figure
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line
from tests.funnels.test_funnels import log

HOUR = 3_600_000_000


def rows_of(curve, **cells):
    found = pd.DataFrame(
        {
            "time": pd.to_timedelta(curve.time, unit="us"),
            "share": curve.share,
            "low": curve.low,
            "high": curve.high,
            "at_risk": curve.at_risk,
        }
    )
    return found.assign(**cells)


def of_hours(hours, happened, **cells):
    return rows_of(kaplan_meier(np.array(hours) * HOUR, np.array(happened, dtype=bool)), **cells)


def drawn(table, template="light", **options):
    given_options = {
        "by": [],
        "groups": table,
        "steps": ["PageView", "Placed Order"],
        "within": pd.Timedelta("24h"),
        "counted_as": "profiles",
        "confidence": 0.95,
    }
    return curve_figure(table, style=Style(template), **(given_options | options))


def curves(figure):
    return [trace for trace in figure.data if trace.hoverinfo == "text"]


def areas(figure):
    return [trace for trace in figure.data if trace.hoverinfo == "skip"]


def subtitle(figure):
    return one_line(figure.layout.title.subtitle.text)


TABLE = of_hours([1, 3, 3, 20, 24], [True, True, False, False, False])


def test_a_curve_is_a_line_of_steps_that_begins_at_nothing():
    figure = drawn(TABLE)
    (line,) = curves(figure)
    assert line.line.shape == "hv"
    assert list(line.x) == [0, 3600, 3 * 3600, 24 * 3600]
    assert list(line.y) == pytest.approx([0, 0.2, 0.4, 0.4])
    assert one_line(figure.layout.title.text) == "From PageView to Placed Order within 1 day"
    last = TABLE.iloc[-1]
    assert figure.finding == (
        "By 1 day, 40.0% of profiles are estimated to reach Placed Order (95% interval: "
        f"{last.low:.1%} to {last.high:.1%})."
    )
    assert subtitle(figure) == (
        f"{figure.finding} Each profile counts for as long as it is observed. "
        "Areas are 95% confidence intervals."
    )
    assert figure.layout.showlegend is False


def test_an_area_reaches_from_the_low_to_the_high_end():
    low, high = areas(drawn(TABLE))
    assert list(low.y) == [0, *TABLE["low"].iloc[[0, 1, 3]]]
    assert list(high.y) == [0, *TABLE["high"].iloc[[0, 1, 3]]]
    assert (low.fill, high.fill) == (None, "tonexty")
    assert {low.line.shape, high.line.shape} == {"hv"}
    # Behind the line, in its colour.
    assert drawn(TABLE).data[-1].line.color == COLOURS[0] == "#0072B2"
    assert high.fillcolor == "rgba(0, 114, 178, 0.16)"
    without = TABLE.assign(low=[0.1, np.nan, np.nan, 0.2])
    assert len(areas(drawn(without))[0].x) == 3
    assert "interval" not in curves(drawn(without))[0].hovertext[2]


def test_points_say_what_had_happened_and_how_many_were_at_risk():
    texts = [one_line(text) for text in curves(drawn(TABLE))[0].hovertext]
    row = TABLE.iloc[1]
    assert texts[2] == (
        f"Within 3 h of PageView, 40.0% of profiles reached Placed Order (95% interval: "
        f"{row.low:.1%} to {row.high:.1%}). 4 profiles were observed up to then and had not got "
        "there before."
    )
    assert texts[-1].endswith("1 profile was observed up to then and had not got there before.")


def test_the_window_is_marked_where_the_data_end_before_it():
    figure = drawn(TABLE, within=pd.Timedelta("7D"))
    (mark,) = figure.layout.shapes
    assert mark.x0 == mark.x1 == 7 * 86_400
    assert [note.text for note in figure.layout.annotations] == ["conversion window"]
    assert max(curves(figure)[0].x) == 86_400
    assert figure.layout.xaxis.range[1] > 7 * 86_400
    assert subtitle(figure).startswith("By 1 day, 40.0% of profiles are estimated")


@pytest.mark.parametrize(
    ("within", "ticks"),
    [
        ("10s", ["0", "5 s", "10 s"]),
        ("30min", ["0", "10 min", "20 min", "30 min"]),
        ("24h", ["0", "6 h", "12 h", "18 h", "1 day"]),
        ("7D", ["0", "2 days", "4 days", "6 days"]),
        ("90D", ["0", "30 days", "60 days", "90 days"]),
    ],
)
def test_times_are_read_as_durations(within, ticks):
    assert list(drawn(TABLE[:0], within=pd.Timedelta(within)).layout.xaxis.ticktext) == ticks


@given(st.integers(1, 10**9))
def test_ticks_fit_on_a_narrow_figure(seconds):
    axis = drawn(TABLE[:0], within=pd.Timedelta(seconds=seconds)).layout.xaxis
    assert 1 <= len(axis.tickvals) == len(axis.ticktext) <= 5
    assert axis.tickvals[-1] <= axis.range[1]
    assert seconds <= 2 * max(axis.tickvals[-1], 1)


def test_a_group_has_the_colour_that_it_has_in_the_funnel():
    frame = log(a="v0 o3", b="v0", c="v1 o2", d="v4", e="v5")
    frame["source"] = frame["profile_id"].map({"a": "x", "b": "x", "c": "y", "d": "y"})
    funnel = ck.funnel(frame, ["PageView", "Placed Order"], within="24h", by="source")
    table = pd.concat(
        [of_hours([1, 24], [True, False], source=source) for source in (None, "y", "x", "z")]
    )
    figure = drawn(table, by=["source"], groups=funnel.table)
    drawn_bars = [trace for trace in funnel.plot().data if trace.base is None]
    of_funnel = {trace.name: trace.marker.color for trace in drawn_bars}
    assert {line.name: line.line.color for line in curves(figure)} == of_funnel
    assert set(of_funnel) == {"x", "y", "no source"}
    assert figure.layout.title.text.replace("<br>", " ").endswith("within 1 day, by source")
    assert "are estimated to reach" not in subtitle(figure)
    assert "of profiles of x reached" in one_line(
        next(line for line in curves(figure) if line.name == "x").hovertext[1]
    )
    assert figure.layout.showlegend is False
    named = {note.text for note in figure.layout.annotations} - {"conversion window"}
    assert named == set(of_funnel)
    dashes = [line.line.dash for line in curves(figure)]
    assert len(set(dashes)) == 3
    pieces = [shape.line.dash for shape in figure.layout.shapes if shape.xsizemode == "pixel"]
    assert sorted(pieces) == sorted(dashes)


def two_ends(**cells):
    time, end = np.array([1, 2, 3, 24]) * HOUR, np.array([1, 2, 2, 0])
    found = zip(cumulative_incidence(time, end, 2), ("Placed Order", "Refunded"), strict=True)
    return pd.concat([rows_of(curve, end=end, **cells) for curve, end in found])


def test_several_ends_are_lines_of_their_own():
    figure = drawn(two_ends())
    assert [line.name for line in curves(figure)] == ["Placed Order", "Refunded"]
    assert [line.line.color for line in curves(figure)] == list(COLOURS[:2])
    assert [line.y[-1] for line in curves(figure)] == pytest.approx([0.25, 0.5])
    said = one_line(curves(figure)[1].hovertext[-1])
    assert said.startswith("Within 1 day of PageView, 50.0% of profiles reached Refunded")


def test_several_ends_of_groups_have_dashes():
    table = pd.concat([two_ends(source=source) for source in ("x", "y")])
    groups = pd.DataFrame({"source": ["x", "y"]})
    figure = drawn(table, "dark", by=["source"], groups=groups)
    assert [(line.name, line.line.color, line.line.dash) for line in curves(figure)] == [
        ("x", COLOURS[0], "solid"), ("x", COLOURS[0], "dash"),
        ("y", COLOURS[1], "solid"), ("y", COLOURS[1], "dash"),
    ]  # fmt: skip
    legend = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in legend] == ["x", "y", "Placed Order", "Refunded"]
    assert [trace.line.dash for trace in legend[2:]] == ["solid", "dash"]
    assert {trace.line.color for trace in legend[2:]} == {Style("dark").look.ink}


def test_nobody_entered():
    figure = drawn(TABLE[:0])
    assert not figure.data
    assert subtitle(figure) == (
        "No profile entered with PageView: check its name and the range of dates."
    )


def at_seconds(x, y, seconds):
    return np.asarray(y)[np.searchsorted(x, seconds, side="right") - 1]


@pytest.mark.parametrize("rows", [5, 3000, 300_000])
def test_a_long_curve_is_thinned_by_less_than_a_pixel(rows):
    rng = np.random.default_rng(rows)
    time = np.minimum(rng.exponential(10 * HOUR, rows), 24 * HOUR * rng.random(rows) ** 0.3)
    whole = rows_of(kaplan_meier(time.astype(np.int64), rng.random(rows) < 0.2))
    figure = drawn(whole)
    (line,), (low, high) = curves(figure), areas(figure)
    assert len(line.x) <= 1003
    top, seconds = max(whole["high"]), whole["time"].dt.total_seconds().to_numpy()
    for trace, name in ((line, "share"), (low, "low"), (high, "high")):
        values = whole[name].to_numpy()
        assert trace.y[-1] == values[-1]
        # Within a thousandth of the height of what there is a thousandth of the width around.
        around = 24 * 3600 / 1000
        for at in rng.uniform(seconds[0], seconds[-1], 500):
            first = max(np.searchsorted(seconds, at - around, side="right") - 1, 0)
            near = values[first : np.searchsorted(seconds, at + around, side="right")]
            shown = at_seconds(trace.x, trace.y, at)
            assert near.min() - 1e-3 * top - 1e-9 <= shown <= near.max() + 1e-3 * top + 1e-9


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_and_labels_are_shown_as_they_are(template):
    table = two_ends(source=HOSTILE).assign(end=HOSTILE)
    figure = drawn(table, template, by=["source"], groups=table, steps=["PageView", HOSTILE])
    assert_shown_as_it_is(figure)
    table = pd.concat([two_ends(), two_ends().assign(end=HOSTILE)])
    assert_shown_as_it_is(drawn(table, template, steps=[HOSTILE, "Placed Order"]))
    assert figure.layout.template.layout.paper_bgcolor == Style(template).look.paper
