"""`docs/check_search.py` types into a site's search, and tells what does not lead to its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import browser_path

DOCS = Path(__file__).parents[2] / "docs"

#: A search of the theme's elements, which answers late, as the theme's does.
SITE = """<!doctype html><meta charset=utf-8><link rel=icon href=data:,>
<input data-md-component="search-query"><p class="md-search-result__meta"></p><ol></ol>
<script>
const answers = {bots: ["b/", "a/"], roas: ["a/", "c/#there", "d/", "b/"], late: ["a/", "b/#x"]}
document.querySelector("input").addEventListener("keyup", event => {
  setTimeout(typed => {
    const found = answers[typed] || []
    document.querySelector("ol").innerHTML = found.map(page =>
      `<li class="md-search-result__item"><a href="${page}?h=${typed}">1</a><a href="z/">2</a>`
    ).join("")
    document.querySelector("p").textContent = typed
      ? (found.length ? `${found.length} matching documents` : "No matching documents")
      : "Type to start searching"
  }, 100, event.target.value)
})
</script>"""
WORDS = '"b.md" = ["bots", "roas", "dau", "late"]\n"a.md" = ["bots"]\n'


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DOCS / "check_search.py", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1", "PATH": "/nowhere", **environment},
    )


@pytest.fixture
def site(tmp_path):
    (tmp_path / "index.html").write_text(SITE, encoding="utf-8")
    (tmp_path / "words.toml").write_text(WORDS, encoding="utf-8")
    return tmp_path


def test_a_word_whose_page_is_not_among_the_first_is_told(site):
    pytest.importorskip("playwright", reason="needs Playwright: pip install --group browser")
    if browser_path() is None:
        pytest.skip("needs Chromium: apt install chromium, or name one with BROWSER_PATH=")
    done = run(site, site / "words.toml", BROWSER_PATH=browser_path())
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "'roas' does not lead to b/: it finds a/, c/, d/",
        "'dau' does not lead to b/: it finds nothing",
        "5 searches were made; 2 do not lead to their page.",
    ]
    assert done.returncode == 1
    (site / "words.toml").write_text('"b.md" = ["bots", "late"]\n', encoding="utf-8")
    done = run(site, site / "words.toml", BROWSER_PATH=browser_path())
    assert done.returncode == 0


def test_what_cannot_be_asked_does_not_pass(site, tmp_path):
    assert run(tmp_path / "no").returncode == 2
    done = run(site)
    assert done.returncode == 2
    assert done.stdout.startswith("the search was not asked: install a Chromium")
