"""`docs/check_links.py` finds what leads nowhere in a built site, and the pages are made for it."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

GOOD = """<!doctype html><head><base target="_self"><link href="look.css" rel="stylesheet">
<style>h1 { background: url("light.png") }</style></head><body>
<h1 id="top-of-it">A</h1><a href="#top-of-it">up</a> <a href="">here</a> <a href="#">top</a>
<a href="more/">more</a> <a href="/more/#there">there</a> <a href="more/?q=1#%C3%A4">ä</a>
<picture><source srcset="light.png 1x, a%20b.png 2x"><img src="./light.png#only-light"></picture>
<p style="background: url(light.png)"> <a href="https://example.org/no">out</a>
<a href="mailto:a@example.org">write</a> <img src="data:image/png;base64,AA==">
<svg><use href="#top-of-it"/><path fill="url(#top-of-it)"/></svg></body>"""
MORE = (
    '<p id="ä">A <a href="../">back</a> <a name="there"></a><a href="../index.html#top-of-it">b</a>'
)


@pytest.fixture
def site(tmp_path):
    """Return a function that makes a site whose pages are good but for what is put into one."""

    def made(extra: str = "", file: str = "index.html") -> Path:
        (tmp_path / "more").mkdir()
        (tmp_path / "search").mkdir()
        texts = {
            "index.html": GOOD,
            "more/index.html": MORE,
            "look.css": "/* url(no.png) */ a { background: url('light.png') }",
            "drawn.svg": '<svg><image href="light.png"/></svg>',
            "search/search_index.json": "",
        }
        texts[file] += extra
        if not texts["search/search_index.json"]:
            texts["search/search_index.json"] = json.dumps({"docs": [{"location": "more/#there"}]})
        for name, text in texts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        for picture in ("light.png", "a b.png"):
            (tmp_path / picture).write_bytes(b"PNG")
        return tmp_path

    return made


def checked(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, DOCS / "check_links.py", root],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1"},
    )


@pytest.fixture(scope="module")
def check():
    name = "check_links"
    return runpy.run_path(str(DOCS / f"{name}.py"), run_name=name)["check"]


def test_a_good_site_passes_and_addresses_elsewhere_are_counted(site):
    run = checked(site())
    assert run.stdout == (
        "19 addresses in 5 files were followed, 0 lead nowhere; 2 elsewhere were not asked.\n"
    )
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("file", "extra", "address", "why"),
    [
        ("index.html", '<img src="no.png">', "no.png", "there is no such file"),
        ("index.html", '<img src="Light.png">', "Light.png", "there is no such file"),
        ("index.html", '<source srcset="light.png 1x,\nno.png 2x">', "no.png", "there is no such"),
        ("index.html", "<p style=\"background: url('no.png')\">", "no.png", "there is no such"),
        ("index.html", "<style>p { background: url(no.png) }</style>", "no.png", "there is no"),
        ("index.html", '<script src="no.js"></script>', "no.js", "there is no such file"),
        ("index.html", '<a href="less/">', "less/", "there is no such file"),
        ("index.html", '<a href="/less/">', "/less/", "there is no such file"),
        ("index.html", '<a href="#no">', "#no", "index.html has no anchor 'no'"),
        ("index.html", '<a href="more/#no">', "more/#no", "more/index.html has no anchor 'no'"),
        ("index.html", '<meta http-equiv="refresh" content="0; url=less/">', "less/", "there is"),
        ("more/index.html", '<a href="../../up.html">', "../../up.html", "it leads out of the"),
        ("more/index.html", '<img src="light.png">', "light.png", "there is no such file"),
        ("look.css", "\nb { background: url(no.png) }", "no.png", "there is no such file"),
        ("look.css", '\n@import "no.css";', "no.css", "there is no such file"),
        ("drawn.svg", '<image xlink:href="no.png"/>', "no.png", "there is no such file"),
        (
            "search/search_index.json",
            '{"docs": [{"location": "more/#no"}]}',
            "/more/#no",
            "more/index.html has no anchor 'no'",
        ),
    ],
)
def test_what_leads_nowhere_is_found(site, check, file, extra, address, why):
    found = check(site(extra, file))
    assert [(fault.file, fault.address) for fault in found.faults] == [(file, address)]
    assert found.faults[0].why.startswith(why)


def test_each_fault_is_a_line_that_names_its_place(site):
    run = checked(site('\n<img src="no.png">\n<a href="#no">'))
    assert run.stdout.splitlines()[:2] == [
        "index.html:9: no.png: there is no such file",
        "index.html:10: #no: index.html has no anchor 'no'",
    ]
    assert run.returncode == 1


def test_what_is_no_site_is_not_taken_for_a_good_one(tmp_path):
    assert checked(tmp_path).returncode == 2


def test_every_picture_of_the_gallery_is_one_that_mkdocs_follows():
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(DOCS / "site_text.py"))["site_text"](text)
    assert "<" not in re.sub(r"```.*?```", "", made, flags=re.DOTALL)
    pictures = re.findall(r"^!\[.+\]\(gallery/(.+-(.+)\.png)#only-(.+)\)$", made, re.MULTILINE)
    assert sorted(name for name, *_ in pictures) == sorted(
        path.name for path in (DOCS / "gallery").iterdir()
    )
    assert all(drawn_for == shown_in for _, drawn_for, shown_in in pictures)


def test_links_between_files_are_links_between_pages():
    made = runpy.run_path(str(DOCS / "site_text.py"))["site_text"]
    assert made("[a](docs/a.md) [b](../notebooks/b.ipynb) [c](../README.md#install)") == (
        "[a](a.md) [b](notebooks/b.md) [c](index.md#install)"
    )
    dark = '<source media="(prefers-color-scheme: dark)" srcset="docs/d.png">'
    assert made(f'<picture>\n{dark}\n<img src="docs/l.png" alt="[1] &amp; 2">\n</picture>') == (
        r"![\[1\] & 2](l.png#only-light)" + "\n" + r"![\[1\] & 2](d.png#only-dark)"
    )
