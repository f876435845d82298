"""Figures of funnels, by what they are made of: bars, names, hover texts."""

from __future__ import annotations

import itertools

import pandas as pd
import plotly.graph_objects as go
import pytest

import convergekit as ck
from convergekit.figures.style import COLOURS, Style
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line, texts
from tests.funnels.test_funnels import STEPS, log

# Sketches name only what they are about.
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")


def solid(figure):
    """The bars but those of open windows, which continue them."""
    return [trace for trace in figure.data if trace.base is None]


def bars(figure):
    return {trace.name: list(trace.x) for trace in solid(figure)}


def said(figure, name):
    return [one_line(text) for text in named(figure, name).hovertext]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def written(figure):
    return [note.text for note in figure.layout.annotations]


@pytest.fixture
def funnel():
    """Four enter, three go on, two arrive; of the others one dropped off at each step."""
    frame = log(a="v0 c2 o6", b="v0 c4", c="v0", d="v0 c6 o8", e="o1 x99")
    return ck.funnel(frame, STEPS, within="1h")


def test_bars_are_those_who_reached_a_step_and_those_who_did_not(funnel):
    figure = funnel.plot()
    assert isinstance(figure, go.Figure)
    assert bars(figure) == {"reached": [4, 3, 2], "dropped off": [0, 1, 1]}
    assert figure.layout.barmode == "stack"
    assert figure.layout.title.text == "From PageView to Placed Order within 1 h"
    assert figure.layout.title.subtitle.text == "2 of 4 profiles reached Placed Order, 50.0%."


def test_steps_say_their_name_their_share_and_who_is_not_there(funnel):
    assert written(funnel.plot()) == [
        "<b>1. PageView</b>", "4", "<b>2. Added To Cart</b>", "3 · 75.0%",
        "<b>3. Placed Order</b>", "2 · 50.0%",
        "1 dropped off", "66.7% of step 2 · 1 dropped off",
    ]  # fmt: skip


def test_hover_texts_are_sentences(funnel):
    figure = funnel.plot()
    assert said(figure, "reached") == [
        "4 profiles entered with PageView.",
        "3 profiles reached Added To Cart, 75.0% of those who entered. "
        "The median time from PageView is 4 min.",
        "2 profiles reached Placed Order, 50.0% of those who entered and 66.7% of those at Added "
        "To Cart. The median time from Added To Cart is 3 min.",
    ]
    assert said(figure, "dropped off")[2] == (
        "1 profile dropped off: Added To Cart, but no Placed Order within 1 h."
    )


def test_a_share_that_is_small_is_not_none():
    many = {f"p{i}": "v0" for i in range(3000)}
    figure = ck.funnel(log(a="v0 c1", z="o999", **many), STEPS, within="1h").plot()
    assert "1 · under 0.1%" in written(figure)
    assert "0 · 0.0%" in written(figure)


def test_open_windows_are_bars_of_their_own():
    frame = log(a="v0 c1 o2", b="v0", c="v90 c95", d="v99")
    figure = ck.funnel(frame, STEPS, within="10min").plot()
    assert bars(figure) == {
        "reached": [4, 2, 1], "may still get there": [0, 1, 1], "dropped off": [0, 1, 0],
    }  # fmt: skip
    assert "may still get there" in written(figure)[-1]
    assert said(figure, "may still get there")[2] == (
        "1 profile may still reach Placed Order: the data ends before their 10 min do."
    )
    table = ck.funnel(frame, STEPS, within="10min").table
    for step in range(1, 3):
        assert sum(x[step] for x in bars(figure).values()) == table["profiles"][step - 1]


def test_an_optional_step_loses_nobody():
    steps = ["PageView", ck.Step("Added To Cart", optional=True), "Placed Order"]
    figure = ck.funnel(log(a="v0 c1 o2", b="v0 o2", c="v0 x200"), steps, within="1h").plot()
    assert bars(figure) == {"reached": [3, 1, 2], "dropped off": [0, 0, 1]}
    assert written(figure)[-2:] == ["optional · 33.3% of step 1", "1 dropped off"]


def test_attempts_and_the_excluded_are_called_so():
    frame = log(a="v0 v1 x2 c3", b="v0 c1")
    figure = ck.funnel(
        frame, STEPS[:2], within="1h", count="attempts", exclude="Refund"
    ).plot()  # fmt: skip
    assert said(figure, "reached")[0] == "1 attempt entered with PageView."
    assert "2 more attempts left by an excluded event." in figure.layout.title.subtitle.text


def test_one_step_and_nobody():
    figure = ck.funnel(log(a="v0"), ["PageView"], within="1h").plot()
    assert bars(figure) == {"reached": [1]}
    assert figure.layout.title.text == "PageView within 1 h"
    empty = ck.funnel(log(a="c0"), STEPS, within="1h")
    assert bars(empty.plot()) == {"reached": [0, 0, 0]}
    assert "no share" in " ".join(texts(empty.plot()))
    by = ck.funnel(log(a="c0").assign(source="x"), STEPS, within="1h", by="source")
    assert len(by.plot().data) == 0


def by_source(sizes, **options):
    """A funnel of so many profiles per group, every second of which converts."""
    sketches, of_group = {}, {}
    for group, size in sizes.items():
        for i in range(size):
            name = f"{group} {i}"
            sketches[name] = "v0 c1 o2" if i % 2 else "v0"
            of_group[name] = group
    frame = log(**sketches)
    frame["source"] = frame["profile_id"].map(of_group).replace("", None)
    return ck.funnel(frame, STEPS, within="1h", by="source", **options)


def test_a_breakdown_has_a_bar_per_group_and_step():
    figure = by_source({"web": 4, "shop": 6, "": 2}).plot()
    assert bars(figure) == {
        "shop": [1, 0.5, 0.5], "web": [1, 0.5, 0.5], "no source": [1, 0.5, 0.5],
    }  # fmt: skip
    assert list(named(figure, "web").text) == ["web: 4", "", "web: 50.0% · 2"]
    assert figure.layout.showlegend is False
    waiting = next(t for t in figure.data if t.name == "web" and t.base is not None)
    assert (list(waiting.y), list(waiting.base), list(waiting.x)) == ([1], [0.5], [0.5])
    assert waiting.marker.pattern.shape == "/"
    assert not waiting.showlegend
    assert waiting.text[0].startswith("web: 50.0%")
    assert "source is the value at the entry." in one_line(figure.layout.title.subtitle.text)
    assert said(figure, "web")[0] == "web: 4 profiles entered with PageView."
    assert figure.layout.title.text.replace("<br>", " ").endswith("within 1 h, by source")
    assert named(figure, "no source").marker.color == Style("light").look.quiet


def test_bars_of_one_step_lie_beside_each_other():
    figure = by_source({"web": 4, "shop": 6, "": 2}).plot()
    spans = sorted((trace.offset, trace.offset + trace.width) for trace in solid(figure))
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert end < start
    assert spans[0][0] > -0.5
    assert spans[-1][1] < 0.5


def test_a_value_has_one_colour_whichever_groups_are_drawn():
    sizes = {"a": 3, "b": 5, "c": 2, "d": 4}
    frame = log(**{f"{who}{i}": "v0" for who, size in sizes.items() for i in range(size)})
    frame["source"] = frame["profile_id"].str[0]
    frame.loc[frame["source"] == "b", "event_name"] = "Added To Cart"
    whole = ck.funnel(frame, [STEPS[:2]], within="1h", by="source")
    part = ck.funnel(frame, ["PageView"], within="1h", by="source")
    colours = [{t.name: t.marker.color for t in solid(f.plot())} for f in (whole, part)]
    assert set(colours[1]) == {"a", "c", "d"}
    assert colours[1].items() <= colours[0].items()
    lines = {t.name: t.line.color for t in part.trend("D").plot().data if t.type == "scatter"}
    assert colours[1].items() <= lines.items()


def test_the_conversion_that_is_expected_in_the_end_is_said():
    frame = log(a="v0 o30", b="v0", c="v30", d="v50 x65")
    f = ck.funnel(frame, STEPS[::2], within="40min")
    assert f.table["in_window"].tolist() == [0, 2]
    said_below = one_line(f.plot().layout.title.subtitle.text)
    share = f.table["conversion_at_window"].iloc[-1]
    assert f"Expected in the end: {share:.1%}" in said_below
    grouped = ck.funnel(frame.assign(source="x"), STEPS[::2], within="40min", by="source").plot()
    assert any(f"({share:.1%})" in text for t in grouped.data for text in t.text)
    assert "in brackets the conversion expected" in one_line(grouped.layout.title.subtitle.text)


def test_a_group_has_its_colour_whatever_its_size():
    one, other = by_source({"a": 3, "b": 5, "c": 2}), by_source({"c": 9, "a": 1, "b": 2})
    colours = [{t.name: t.marker.color for t in solid(f.plot())} for f in (one, other)]
    assert colours[0] == colours[1]
    assert len(set(colours[0].values())) == 3


def test_groups_beyond_the_colours_are_left_out_and_said_to_be():
    sizes = {f"s{i:02}": 20 - i for i in range(9)} | {"": 1}
    figure = by_source(sizes).plot()
    shown = [trace.name for trace in solid(figure)]
    assert shown == [f"s{i:02}" for i in range(len(COLOURS))] + ["no source"]
    assert "Not shown: 3 smaller groups; top=6 gathers them." in one_line(
        figure.layout.title.subtitle.text
    )
    gathered = by_source(sizes, top=6).plot()
    assert [trace.name for trace in solid(gathered)] == [*shown[:6], "other", "no source"]
    assert len({trace.marker.color for trace in solid(gathered)}) == 8
    assert "Not shown" not in gathered.layout.title.subtitle.text


@pytest.mark.parametrize("template", ["light", "dark"])
def test_names_and_labels_are_shown_as_they_are(template):
    frame = log(a="v0 c1 o2", b="v0").replace("Added To Cart", HOSTILE)
    frame["source"] = HOSTILE
    steps = [STEPS[0], HOSTILE]
    for found in (
        ck.funnel(frame, steps, within="1h"),
        ck.funnel(frame, steps, within="1h", by="source"),
    ):
        figure = found.plot(template=template)
        assert_shown_as_it_is(figure)
        assert figure.layout.template.layout.paper_bgcolor == Style(template).look.paper


def test_groups_whose_names_begin_alike_differ_in_the_legend():
    frame = log(a="v0 c2 o6", b="v0 c4", c="v0").assign(**{"properties.page": "Direct"})
    long = {who: f"https://shop.example/a-page/{who}" for who in "ab"}
    frame["properties.page"] = frame["profile_id"].map(long).fillna("Direct")
    found = ck.funnel(frame, STEPS, within="1h", by="page")
    names = {trace.name for trace in found.plot().data}
    assert names == {"…hop.example/a-page/a", "…hop.example/a-page/b", "Direct"}
    assert {trace.name for trace in found.trend("D").plot().data} >= names


def test_long_names_are_whole_in_the_hover_text_alone():
    name = "A page of the shop that somebody has looked at, whichever it is"
    steps = [ck.Step("PageView", label=name), "Placed Order"]
    figure = ck.funnel(log(a="v0 o1"), steps, within="1h").plot()
    assert written(figure)[0] == "<b>1. A page of the shop that somebody has look…</b>"
    assert said(figure, "reached")[0] == f"1 profile entered with {name}."


def test_missing_labels_of_any_dtype_are_one_group():
    for values in (["x", None, "x"], [1.0, None, 1.0], pd.array([1, None, 1], dtype="Int64")):
        frame = log(a="v0", b="v0", c="v0").assign(source=values)
        figure = ck.funnel(frame, STEPS, within="1h", by="source").plot()
        assert [trace.text[0].split(": ")[1] for trace in solid(figure)] == ["2", "1"]
