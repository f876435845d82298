"""Every figure of the gallery on pages of several widths: nothing overlaps, nothing is cut.

What is compared is the structure that plotly draws, not pixels: where texts are, and what is in
their way (measure.js). Pixels only say what lies behind a text, for its contrast.
"""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import SHOTS, THEMES
from tests.browser.seen import PLOTLY, misplaced, pale_marks, pale_texts
from tests.figures.gallery import gallery

# How wide the page is, and what `plot` is asked for: a figure that is not told its width is made
# for 400 pixels or more.
PAGES = ((300, {"width": 300}), (400, {}), (700, {}), (1200, {}))
# These run from left to right, and are told of a page that has not the room for it.
LONG = ("journeys", "explanation")
# Where texts lie differs most between these.
CONTRASTED = (300, 700)
DRAW = """\
async ([{data, layout}, width]) => {
    const page = document.getElementById("page");
    page.style.width = `${width}px`;
    page.innerHTML = "<div id=drawing></div>";
    await Plotly.newPlot("drawing", data, layout, {responsive: true});
}"""


@pytest.fixture(scope="module")
def names():
    return gallery.named()


@pytest.fixture(scope="module")
def page(chromium):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.set_content("<!doctype html><body style='margin:0'><div id=page></div>")
    page.add_script_tag(path=PLOTLY)
    yield page
    page.close()


def draw(page, figure, width):
    """Draw a figure on a page of a width, and return where it is drawn."""
    page.evaluate(DRAW, [json.loads(figure.to_json()), width])
    return page.locator("#drawing")


def put_on(page, theme):
    """Give the page the colours of a theme."""
    paper, ink = THEMES[theme]
    page.evaluate(
        "([paper, ink]) => Object.assign(document.body.style, {background: paper, color: ink})",
        [paper, ink],
    )


@pytest.mark.parametrize("picture", gallery.PICTURES, ids=lambda picture: picture.name)
def test_a_figure_fits_its_page_and_can_be_read(page, names, picture):
    faults = []
    for width, size in PAGES:
        if width == 400 and picture.name in LONG:
            size = {"width": width}
        drawing = draw(page, gallery.figure(picture, "auto", names, **size), width)
        wrong = misplaced(drawing)
        if width in CONTRASTED:
            for theme in THEMES:
                put_on(page, theme)
                pale = pale_texts(drawing) + pale_marks(drawing)
                wrong += [f"{theme}: {fault}" for fault in pale]
        if wrong:
            SHOTS.mkdir(parents=True, exist_ok=True)
            drawing.screenshot(path=SHOTS / f"{picture.name}-{width}.png")
        faults += [f"{width} px: {fault}" for fault in wrong]
    for template in THEMES:
        drawing = draw(page, gallery.figure(picture, template, names), 700)
        faults += [f"template {template!r}: {fault}" for fault in pale_texts(drawing)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_can_be_read_in_forced_colours(chromium, names, scheme):
    page = chromium.new_page(viewport={"width": 700, "height": 900})
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.set_content("<!doctype html><body style='margin:0'><div id=page></div>")
    page.add_script_tag(path=PLOTLY)
    faults = []
    for picture in gallery.PICTURES[::3]:
        drawing = draw(page, gallery.figure(picture, "auto", names), 700)
        faults += [f"{picture.name}: {fault}" for fault in pale_texts(drawing)]
    page.close()
    assert not faults, "\n".join(faults)
