"""What JupyterLab shows of convergekit, in both of its themes: axe-core finds nothing."""

from __future__ import annotations

import json

import pytest

from convergekit.explore.display import busy
from convergekit.explore.style import STYLE
from convergekit.figures.showing import shown
from tests.browser.axe import violations
from tests.browser.cards import cards
from tests.browser.conftest import PATIENCE
from tests.browser.seen import pale_marks, pale_texts
from tests.figures.gallery import gallery

CARDS = """\
import json
from IPython.display import HTML, display

for card in json.load(open("cards.json")).values():
    display(HTML(card))"""

FIGURES = """\
import json
from IPython.display import display

for bundle in json.load(open("figures.json")):
    display(bundle, raw=True)"""
EXPLORER = """\
import convergekit as ck

season = ck.simulate_store(people=300, days=40, spend=True)
ck.stitch(season.events).explore(spend=season.spend)"""
# One of each kind of trace, and of what has a legend or panels.
KINDS = ("funnel", "trend-by", "retention", "journeys", "profile-graph", "report")


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(PATIENCE * 500)
    yield page
    page.close()


def run(page, url):
    """Open a notebook and run its cells."""
    page.goto(url)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def turn(page, theme):
    """Choose a theme by the menu, as people do."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    # Its submenus say no role of their own.
    labels = page.locator(".lm-Menu-itemLabel")
    labels.get_by_text("Theme", exact=True).hover()
    labels.get_by_text(f"JupyterLab {theme}", exact=True).click()
    page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")


def test_cards_pass_in_both_themes(page, lab, tmp_path):
    shown = cards(tmp_path)
    (lab.notebooks / "cards.json").write_text(json.dumps(shown))
    run(page, lab.write("cards.ipynb", CARDS))
    page.locator(".ck-card").nth(len(shown) - 1).wait_for()
    for theme in ("Light", "Dark"):
        turn(page, theme)
        found = violations(page, within=".jp-OutputArea-output")
        assert not found, "\n".join(found)


def test_figures_follow_the_theme_as_they_stand(page, lab):
    names = gallery.named()
    drawn = [gallery.figure(it, "auto", names) for it in gallery.PICTURES if it.name in KINDS]
    bundles = [bundle for figure in drawn for bundle in shown(figure)]
    (lab.notebooks / "figures.json").write_text(json.dumps(bundles))
    page.set_viewport_size({"width": 1000, "height": 5000})  # all of them in sight
    run(page, lab.write("figures.ipynb", FIGURES))
    figures = page.locator(".js-plotly-plot")
    figures.nth(len(KINDS) - 1).locator(".main-svg").first.wait_for()
    inks = []
    for theme in ("Light", "Dark"):
        turn(page, theme)
        faults = [fault for it in figures.all() for fault in pale_texts(it) + pale_marks(it)]
        assert not faults, "\n".join(faults)
        found = violations(page, within=".jp-OutputArea-output")
        assert not found, "\n".join(found)
        title = page.locator(".gtitle tspan[style*=fill]").first
        inks.append(title.evaluate("it => getComputedStyle(it).fill"))
    assert inks[0] != inks[1]
    assert figures.count() == len(KINDS)


def test_the_explorer_passes_on_every_tab(page, lab):
    page.set_viewport_size({"width": 1200, "height": 1600})
    run(page, lab.write("accessible.ipynb", EXPLORER))
    tabs = page.locator(".jp-OutputArea-output .lm-TabBar-tab")
    tabs.first.wait_for()
    assert tabs.count() == 6
    for tab in tabs.all():
        tab.click()
        # A tab that has work to do says so at once.
        page.wait_for_timeout(300)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        found = violations(page, within=".jp-OutputArea-output")
        assert not found, "\n".join(found)
    page.emulate_media(forced_colors="active")
    found = violations(page, within=".jp-OutputArea-output")
    assert not found, "\n".join(found)


def test_nothing_turns_in_the_explorer_where_that_is_not_wanted(page):
    page.set_content(f"{STYLE}{busy('Stitching')}")
    turning = "() => getComputedStyle(document.querySelector('.ck-busy'), '::before').animationName"
    assert page.evaluate(turning) == "ck-turn"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(turning) == "none"
