"""axe-core finds nothing against what convergekit shows."""

from __future__ import annotations

import pytest

from tests.browser.axe import violations


@pytest.fixture
def page(chromium):
    page = chromium.new_page()
    yield page
    page.close()


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
    assert violations(page, within="#ours") == []
