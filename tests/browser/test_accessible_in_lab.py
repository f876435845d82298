"""What JupyterLab shows of convergekit, in both of its themes: axe-core finds nothing."""

from __future__ import annotations

import json

import pytest

from tests.browser.axe import violations
from tests.browser.cards import cards
from tests.browser.conftest import PATIENCE

CARDS = """\
import json
from IPython.display import HTML, display

for card in json.load(open("cards.json")).values():
    display(HTML(card))"""


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
        assert violations(page, within=".jp-OutputArea-output") == []
