"""`llms.txt` lists the pages of the nav, and `llms-full.txt` has their texts."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import convergekit as ck

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def tool():
    return runpy.run_path(str(ROOT / "docs" / "llms_text.py"))


def text_of(file):
    path = ROOT / "docs" / file
    return path.read_text("utf-8") if path.exists() else f"# {file}\n\nOf another place.\n"


def files(nav):
    for entry in nav:
        ((_, inside),) = entry.items()
        yield from [inside] if isinstance(inside, str) else files(inside)


def test_every_page_of_the_nav_is_listed_once_with_what_it_says(tool):
    text = tool["index_text"]("convergekit", "What it is.", CONFIG["nav"], text_of)
    assert text.startswith("# convergekit\n\n> What it is.\n\n- [Start](./)")
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\)", text, re.MULTILINE)
    expected = [file.removesuffix(".md") + "/" for file in files(CONFIG["nav"])]
    assert listed == ["./", *expected[1:]]
    said = dict(re.findall(r"^- \[[^\]]+\]\(([^)]+)\): (.+)$", text, re.MULTILINE))
    assert said["machines/"] == (
        "Let an agent ask about your exports, or let a program read answers."
    )
    assert set(listed) - set(said) == set()
    assert all("](" not in one and len(one) < 500 for one in said.values())


def test_sections_are_the_headings_at_the_top_of_the_nav(tool):
    text = tool["index_text"]("convergekit", "", CONFIG["nav"], text_of)
    headings = [title for entry in CONFIG["nav"] for title, inside in entry.items()
                if not isinstance(inside, str)]  # fmt: skip
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == headings


def test_the_full_text_has_every_page_and_every_docstring(tool):
    text = tool["full_text"]("convergekit", "", CONFIG["nav"], text_of)
    for file in files(CONFIG["nav"]):
        if not file.startswith("api/"):
            assert text_of(file).strip() in text, file
    for name in ck.__all__:
        one = getattr(ck, name)
        if isinstance(one, type) or callable(one):
            assert re.search(rf"^## `{name}\b", text, re.MULTILINE), name
    assert "::: convergekit" not in text
    assert "### `Stitched.funnel(self, steps: Sequence[StepLike]" in text


def test_both_are_written_beside_the_pages(tool, tmp_path):
    nav = [{"Start": "index.md"}, {"More": [{"A": "a.md"}]}]
    config = SimpleNamespace(
        site_name="Site", site_description="About.", site_dir=tmp_path, nav=nav
    )
    for name, text in (("index.md", "# Start\n\nHello."), ("a.md", "# A\n\nOf `A`. More.")):
        page = SimpleNamespace(file=SimpleNamespace(src_uri=name))
        assert tool["on_page_markdown"](text, page, config, None) == text
    tool["on_post_build"](config)
    assert (tmp_path / "llms.txt").read_text("utf-8") == (
        "# Site\n\n> About.\n\n- [Start](./): Hello.\n\n## More\n\n- [A](a/): Of `A`.\n"
    )
    assert "<!-- a/ -->\n\n# A\n\nOf `A`. More." in (tmp_path / "llms-full.txt").read_text("utf-8")
