"""The house template, and text from data in figures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convergekit.base.wording import shortened
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import hover, plain, titled

HOSTILE = [
    '<a href="javascript:alert(1)">x</a>',
    "<b>bold</b>",
    "<br>",
    "&lt;b&gt;",
    "$E = mc^2$",
    "a < b & c > d",
    "<span style='color:red'>",
]


def decoded(text: str) -> str:
    """Return what plotly shows of a text without markup."""
    for code, character in (("&lt;", "<"), ("&gt;", ">"), ("&#36;", "$"), ("&amp;", "&")):
        text = text.replace(code, character)
    return text


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_shown_as_they_are(text):
    shown = plain(text)
    assert not set(shown) & set("<>$")
    assert decoded(shown) == text


@given(st.text())
def test_any_text_is_neither_markup_nor_formula(text):
    shown = plain(text)
    assert not set(shown) & set("<>$")
    assert decoded(shown) == text
    assert set(hover(text).replace("<br>", "")) & set("<>$") == set()


def test_hover_texts_and_titles_are_wrapped_before_they_are_escaped():
    # A code cut in two by a line's end would be shown as it is written.
    text = "&" * 200
    for line in hover(text).split("<br>"):
        assert decoded(line) == "&" * len(decoded(line))
    layout = titled(text, [text], style=Style("light"), plot_height=100)
    assert "&amp;" in layout["title"]["text"]
    assert decoded(layout["title"]["subtitle"]["text"]).replace("<br>", "") == text


def test_a_longer_title_gets_more_room_and_the_plot_keeps_its_height():
    short = titled("a", style=Style("light"), plot_height=100)
    long = titled("word " * 30, ["word " * 40], style=Style("light"), plot_height=100)
    assert long["margin"]["t"] > short["margin"]["t"]
    for layout in (short, long):
        assert layout["height"] - layout["margin"]["t"] - layout["margin"]["b"] == 100


def test_shortened_text_says_so():
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def linear(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The contrast ratio of WCAG 2."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


#: Behind a figure that follows its page: paper of JupyterLab and VS Code, light and dark.
PAGES = ("#ffffff", "#111111", "#1e1e1e", "#0d1117")


@pytest.mark.parametrize("page", PAGES)
def test_marks_have_the_contrast_that_marks_need_on_any_page(page):
    assert min(contrast(colour, page) for colour in COLOURS) >= 2.95
    assert contrast(Style("auto").look.quiet, page) >= 2.85


@pytest.mark.parametrize("template", ["light", "dark"])
def test_text_can_be_read_on_all_of_a_colour_scale(template):
    found = Style(template).look
    assert min(contrast(found.cell_ink, cell) for cell in found.cells) > 4.5


@pytest.mark.parametrize("template", ["light", "dark"])
def test_text_has_the_contrast_that_text_needs(template):
    found = Style(template).look
    assert contrast(found.ink, found.paper) > 7
    assert contrast(found.muted, found.paper) > 4.5
    assert contrast(found.quiet, found.paper) > 3
    assert min(contrast(colour, found.paper) for colour in COLOURS) > 2.95


# What people without one kind of cone see (Machado, Oliveira and Fernandes, 2009, severity 1).
SIGHTS = {
    "usual": np.eye(3),
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [
        [0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689],
    ],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}  # fmt: skip


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_are_told_apart(sight):
    seen = {colour: lab(np.array(SIGHTS[sight]) @ linear(colour)) for colour in COLOURS}
    apart = [np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(COLOURS, 2)]
    assert min(apart) > 15


def lab(rgb):
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
