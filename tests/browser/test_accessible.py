"""What convergekit shows can be read by everybody: axe-core finds nothing, keys reach it all."""

from __future__ import annotations

import json

import pandas as pd
import plotly.graph_objects as go
import pytest

import convergekit as ck
from convergekit.figures.showing import PLOTLY as BUNDLE
from convergekit.figures.showing import shown as shown_in_notebooks
from convergekit.figures.showing import twin_html
from tests.browser.axe import violations
from tests.browser.cards import SURE, cards
from tests.browser.conftest import THEMES
from tests.browser.seen import PLOTLY
from tests.figures.gallery import gallery

DRAW = "([at, {data, layout, config}]) => Plotly.newPlot(at, data, layout, config).then(() => {})"


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 700, "height": 900})
    yield page
    page.close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Every card, as HTML."""
    return cards(tmp_path_factory.mktemp("cards"))


def show(page, parts, theme="light"):
    """Put HTML on a page, each part in a section with a name."""
    paper, ink = THEMES[theme]
    sections = (f"<section aria-label='{name}'>{part}</section>" for name, part in parts.items())
    page.set_content(
        "<!doctype html><html lang=en><title>Outputs</title>"
        f"<body style='background:{paper};color:{ink}'><main><h1>Outputs</h1><h2>All</h2>"
        f"{''.join(sections)}</main>"
    )


def test_axe_finds_what_is_wrong_and_where(page):
    page.set_content(
        "<div id=ours><button></button><p style='color:#bbb;background:#fff'>pale</p></div>"
        "<div id=theirs><img src='data:,'></div>"
    )
    ours = violations(page, within="#ours")
    assert [found.split(" ")[0] for found in ours] == ["button-name", "color-contrast"]
    assert "at button:" in ours[0]
    assert "<p style=" in ours[1]
    assert any(found.startswith("image-alt") for found in violations(page))
    page.set_content("<div id=ours><button>Run</button></div>")
    found = violations(page, within="#ours")
    assert not found, "\n".join(found)


def test_there_is_a_card_of_every_result(shown):
    offered = (getattr(ck, name) for name in ck.__all__)
    results = [it for it in offered if isinstance(it, type) and hasattr(it, "_repr_html_")]
    # What is stitched by parts has the card of a Stitched, its report.
    others = (pd.DataFrame, go.Figure, ck.StitchedParts)
    named = {it.__name__ for it in results if not issubclass(it, others)}
    assert set(shown) == {*named, SURE}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [300, 700])
def test_cards_pass_axe(page, shown, theme, width):
    page.set_viewport_size({"width": width, "height": 900})
    show(page, shown, theme)
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    found = violations(page)
    assert not found, "\n".join(found)
    # What is wider than the page scrolls by itself, and the page does not.
    assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_a_wide_card_scrolls_by_keys(page, shown):
    page.set_viewport_size({"width": 300, "height": 900})
    show(page, {"Funnel": shown["Funnel"]})
    page.keyboard.press("Tab")
    table = page.get_by_role("group", name="Profiles within 7 days")
    assert table.evaluate("it => it === document.activeElement")
    assert table.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("it => it.scrollLeft > 0", arg=table.element_handle())


def test_tables_name_their_rows_and_columns(page, shown):
    show(page, {"Funnel": shown["Funnel"]})
    assert page.get_by_role("heading", name="Profiles within 7 days").count() == 1
    assert page.get_by_role("columnheader", name="dropped off", exact=True).count() == 1
    rows = page.get_by_role("row", name="newsletter 3 Placed Order")
    assert rows.get_by_role("rowheader").all_inner_texts() == ["newsletter"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cards_can_be_read_in_forced_colours(page, shown, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    show(page, {name: shown[name] for name in ("Stitched", "CheckUp", "Funnel")})
    # Everything has the colours that the reader chose; a bar keeps its length.
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    texts = page.locator(".ck-card :is(p, li, th, td, .ck-title, .ck-label)")
    inks = texts.evaluate_all("them => [...new Set(them.map(it => getComputedStyle(it).color))]")
    assert inks == [ink]
    bars = page.locator(".ck-bar span")
    fills = bars.evaluate_all(
        "them => [...new Set(them.map(it => getComputedStyle(it).backgroundColor))]"
    )
    assert fills == [ink] != [paper]


def test_nothing_moves_on_a_card(shown):
    assert not [name for name, card in shown.items() if "animation" in card or "transition" in card]


@pytest.fixture(scope="module")
def figures():
    """Every figure of the gallery."""
    names = gallery.named()
    return {it.name: gallery.figure(it, "auto", names) for it in gallery.PICTURES}


@pytest.mark.parametrize("theme", THEMES)
def test_figures_and_their_tables_pass_axe(page, figures, theme):
    show(
        page,
        {name: f"<div id='{name}'></div>{twin_html(it)}" for name, it in figures.items()},
        theme,
    )
    page.add_script_tag(path=PLOTLY)
    for name, figure in figures.items():
        page.evaluate(DRAW, [name, json.loads(figure.to_json())])
    page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
    # Rows are alike, and axe takes long over hundreds.
    page.evaluate("document.querySelectorAll('tr:nth-child(n + 4)').forEach(it => it.remove())")
    found = violations(page)
    assert not found, "\n".join(found)


def test_the_table_of_a_figure_is_opened_and_read_by_keys(page, figures):
    figure = figures["funnel"]
    show(page, {"Figure": twin_html(figure)})
    table = page.get_by_role("table")
    assert not table.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    table.wait_for()
    assert page.get_by_text(figure.finding).is_visible()
    headings = table.get_by_role("columnheader").all_inner_texts()
    assert headings == [
        "step", "event", "profiles", "conversion", "dropped off", "may still get there",
    ]  # fmt: skip
    assert len(headings) == len(figure.twin.columns)
    assert table.get_by_role("row").count() == len(figure.twin) + 1


def test_no_button_of_a_figure_sends_it_anywhere(page, figures):
    show(page, {"Figure": "<div id=here></div>"})
    page.add_script_tag(path=PLOTLY)
    page.evaluate(DRAW, ["here", shown_in_notebooks(figures["funnel"])[0][BUNDLE]])
    buttons = page.locator(".modebar-btn")
    names = buttons.evaluate_all("them => them.map(it => it.ariaLabel ?? '')")
    assert "Download plot as a PNG" in names
    assert not [name for name in names if "share" in name.lower() or "cloud" in name.lower()]
