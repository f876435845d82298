"""`docs/check_pages.py` opens a site in Chromium and tells of each page what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import browser_path

DOCS = Path(__file__).parents[2] / "docs"
SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>'
LONG = "x" * 300

#: Each page's text, and what is told of it.
PAGES = {
    "picture": ('<img src="no.png">', ["a file that is not there: no.png"]),
    "damaged": ('<img src="damaged.png">', ["a picture that does not show: damaged.png"]),
    "link": ('<a href="less/">', ["a link that leads nowhere: less/"]),
    "anchor": ('<a href="good.html#no">', ["an anchor that is not there: good.html#no"]),
    "made": (
        "<script>document.write('<a href=\"#n' + 'o\">')</script>",
        ["an anchor that is not there: #no"],
    ),
    "console": ("<script>console.error('oh')</script>", ["an error on the console: oh"]),
    "thrown": ("<script>throw Error('oh')</script>", ["an error of its scripts: oh"]),
    "elsewhere": (
        '<script src="https://example.org/a.js"></script>',
        ["it asks another site: https://example.org/a.js"],
    ),
    "wide": (
        f"<pre>{LONG}</pre>",
        [f"wider than a window of {width} pixels: " for width in (1200, 1280, 360)],
    ),
    "narrow": (
        '<div style="width: 700px">a table</div>',
        ["wider than a window of 360 pixels: <div style="],
    ),
    "code": (
        f'<div class="language-python"><pre><code>x = 1\n{LONG}</code></pre></div>',
        [f"code of 300 characters in {room}" for room in ("", "")],
    ),
    "good": (
        '<h1 id="ä">A</h1><a href="#ä">up</a> <a href="link.html?q=1">b</a> <a href="#">top</a>'
        '<a href="https://example.org/">out</a> <a href="mailto:a@example.org">write</a>'
        '<img src="square.svg"> <img src="square.svg" loading="lazy" style="display: none">'
        f'<div class="language-text"><pre><code>{LONG}</code></pre></div>'
        '<div class="language-python"><pre><code>&gt;&gt;&gt; x\n' + LONG + "</code></pre></div>"
        '<div class="language-python"><pre><code>' + "x" * 90 + "</code></pre></div>",
        [],
    ),
}


def run(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DOCS / "check_pages.py", root],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1", "PATH": "/nowhere", **environment},
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the checker tells of each page, and the code with which it ends."""
    pytest.importorskip("playwright", reason="needs Playwright: pip install --group browser")
    if browser_path() is None:
        pytest.skip("needs Chromium: apt install chromium, or name one with BROWSER_PATH=")
    root = tmp_path_factory.mktemp("site")
    head = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>"
    style = "<style>pre code { display: block; overflow: auto }</style>"
    for name, (text, _) in PAGES.items():
        (root / f"{name}.html").write_text(f"{head}{style}<body>{text}", encoding="utf-8")
    (root / "index.html").write_text(f"{head}<p>Hello", encoding="utf-8")
    (root / "square.svg").write_text(SQUARE, encoding="utf-8")
    (root / "damaged.png").write_bytes(b"PNG")
    done = run(root, BROWSER_PATH=browser_path())
    assert done.stderr == ""
    *faults, last = done.stdout.splitlines()
    assert last == (
        f"{len(PAGES) + 1} pages were opened at 1200, 1280 and 360 pixels; {len(faults)} faults."
    )
    return faults, done.returncode


@pytest.mark.parametrize("name", PAGES)
def test_each_kind_of_fault_is_told(told, name):
    lines = [line.removeprefix(f"{name}.html: ") for line in told[0] if line.startswith(name)]
    expected = PAGES[name][1]
    # A picture that is not there does not show either.
    lines = [line for line in lines if line != "a picture that does not show: no.png"]
    assert len(lines) == len(expected)
    assert all(line.startswith(start) for line, start in zip(lines, expected, strict=True))


def test_a_fault_makes_the_check_fail(told):
    assert told[1] == 1
    assert not any(line.startswith("index.html") for line in told[0])


def test_a_good_site_passes(tmp_path):
    pytest.importorskip("playwright", reason="needs Playwright: pip install --group browser")
    if browser_path() is None:
        pytest.skip("needs Chromium: apt install chromium, or name one with BROWSER_PATH=")
    (tmp_path / "index.html").write_text("<link rel=icon href=data:,><p>Hello", encoding="utf-8")
    done = run(tmp_path, BROWSER_PATH=browser_path())
    assert done.stdout == "1 pages were opened at 1200, 1280 and 360 pixels; 0 faults.\n"
    assert done.returncode == 0


def test_what_cannot_be_opened_does_not_pass(tmp_path):
    assert run(tmp_path).returncode == 2
    (tmp_path / "index.html").write_text("<p>Hello", encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith("the pages were not opened: install a Chromium")
