"""The documentation names what there is."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import convergekit as ck
from convergekit.attribution.without_campaign import OUTCOMES
from convergekit.readers import formats

ROOT = Path(__file__).parents[2]


def test_the_page_has_every_reason_for_an_order_without_a_campaign():
    path = ROOT / "docs" / "questions" / "buyers-without-a-campaign.md"
    page = path.read_text(encoding="utf-8")
    missing = [reason for reason in OUTCOMES[1:] if f"\n| {reason} |" not in page]
    assert not missing


def test_links_between_files_of_the_checkout_lead_somewhere():
    docs = ROOT / "docs"
    sections = (docs / name for name in ("api", "questions", "migrate", "recipes"))
    folders = (ROOT, docs, *sections, ROOT / "benchmarks")
    pages = [page for folder in folders for page in folder.glob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not broken, f"links that lead nowhere: {broken}"


def test_the_architectures_picture_is_what_its_script_draws():
    drawn = runpy.run_path(str(ROOT / "docs" / "architecture_picture.py"))["picture"]()
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == drawn


def test_the_pictures_of_the_concepts_are_what_their_script_draws():
    drawn = runpy.run_path(str(ROOT / "docs" / "concept_pictures.py"))["pictures"]()
    kept = (ROOT / "docs" / "concepts").glob("*.svg")
    found = {path.name: path.read_text(encoding="utf-8") for path in kept}
    assert found == drawn, "python docs/concept_pictures.py draws them anew"


def test_the_reference_has_every_public_name_once():
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md")]
    named = re.findall(r"^::: convergekit\.(\w+)$", "\n".join(pages), flags=re.MULTILINE)
    assert sorted(named) == sorted(ck.__all__)


def test_the_table_of_exports_has_a_row_a_format_by_the_alphabet():
    page = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    begin = page.index("| `format=` |")
    rows = page[begin : page.index("\n\n", begin)].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    named = [name for first, *_ in cells for name in re.findall(r"`(\w+)`", first)]
    assert named == sorted([formats.CONVERGE, *formats._BUILT_IN])
    # How to get it, what is read, what is left, its traps.
    assert {len(row) for row in cells} == {5}
    assert all(all(row[:3]) for row in cells)


def test_read_events_names_each_format():
    for name in (formats.CONVERGE, *formats._BUILT_IN):
        assert f'``"{name}"``' in ck.read_events.__doc__, name


def test_each_page_that_is_searched_for_is_there():
    pages = tomllib.loads((ROOT / "docs" / "search.toml").read_text(encoding="utf-8"))
    assert [page for page in pages if not (ROOT / "docs" / page).is_file()] == []
    words = [word.lower() for several in pages.values() for word in several]
    assert {"bots", "significance", "time zone", "gdpr", "roas", "dau"} <= set(words)
    assert len(words) == len(set(words))
