"""Names beside lines, and lines of text that fit."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convergekit.figures.figure import Figure
from convergekit.figures.names_beside import LineEnd, fitting, name_line_ends
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import balanced, text_width, wrapped
from convergekit.funnels.groups import bar_mark, signs_of
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is

LETTERS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


def named(values, **options):
    figure = Figure()
    ends = [
        LineEnd(f"line {place}", COLOURS[place % 6], value, signs_of(COLOURS[place % 6]).symbol)
        for place, value in enumerate(values)
    ]
    asked = {"style": Style("light"), "plot_height": 300, "low": 0.0, "high": 1.0} | options
    return figure, name_line_ends(figure, ends, **asked)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_names_are_apart_and_in_the_order_of_the_ends(values):
    figure, room = named(values)
    notes = figure.layout.annotations
    assert room > 0
    assert len(notes) == len(values) == len(figure.layout.shapes)
    places = {note.text: note.y for note in notes}
    heights = sorted(places.values())
    # Of 300 pixels the axis of times takes some.
    assert all((high - low) * 242 >= 14.99 for low, high in itertools.pairwise(heights))
    assert heights[0] >= 0
    assert heights[-1] <= 1
    for (one, first), (other, second) in itertools.permutations(enumerate(values), 2):
        if first < second:
            assert places[f"line {one}"] < places[f"line {other}"]


def test_names_without_a_neighbour_are_where_their_lines_end():
    figure, _ = named([0.2, 0.8])
    assert [note.y for note in figure.layout.annotations] == pytest.approx([0.2, 0.8])


def test_more_names_than_there_is_room_for_need_a_legend():
    figure, room = named([0.5] * 20)
    assert room == 0
    assert not figure.layout.annotations
    assert not figure.layout.shapes
    assert named([0.5] * 8, style=Style("light", height=230))[1] == 0


@given(st.integers(100, 1_200))
def test_names_leave_most_of_the_width_to_the_plot(width):
    figure = Figure()
    ends = [LineEnd("A page of the shop " * 3 + end, "#0072B2", 0.5) for end in "ab"]
    room = name_line_ends(
        figure, ends, style=Style("light", width=width), plot_height=300, low=0, high=1
    )
    assert room <= max(0.34 * width, 50) + 20
    assert len({note.text for note in figure.layout.annotations}) == 2
    assert {note.hovertext for note in figure.layout.annotations} == {end.name for end in ends}


def test_names_are_shown_as_they_are():
    figure = Figure()
    name_line_ends(
        figure, [LineEnd(HOSTILE, "#0072B2", 1.0)], style=Style("light", width=900),
        plot_height=300, low=0, high=2,
    )  # fmt: skip
    assert_shown_as_it_is(figure)


@given(st.lists(LETTERS, max_size=12), st.integers(40, 400))
def test_lines_are_no_wider_than_asked_and_keep_every_letter(words, pixels):
    text = " ".join(words)
    for broken in (wrapped, balanced):
        lines = broken(text, pixels, 13)
        assert all(len(line) == 1 or text_width(line, 13) <= pixels for line in lines)
        assert "".join(lines).replace(" ", "") == "".join(words)
    assert len(balanced(text, pixels, 13)) == len(wrapped(text, pixels, 13))


@given(st.lists(st.text("abcdefgh ", min_size=1, max_size=40), min_size=1, max_size=5, unique=True))
def test_names_that_fit_are_not_cut(names):
    wide = max(text_width(name, 12) for name in names)
    assert fitting(names, wide + 1) == names
    short = fitting(names, 60)
    assert all(len(name) <= 3 or text_width(name, 12) <= 60 for name in short)


def test_each_colour_has_its_own_signs_and_none_means_not_complete():
    signs = [signs_of(colour) for colour in (*COLOURS, "#8c959f")]
    for kind in ("pattern", "dash", "symbol"):
        assert len({getattr(sign, kind) for sign in signs}) == len(signs)
    assert "/" not in {sign.pattern for sign in signs}
    assert "dot" not in {sign.dash for sign in signs}
    assert bar_mark(COLOURS[1])["pattern"]["shape"] == signs[1].pattern
