"""The documentation names what there is."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import convergekit as ck

ROOT = Path(__file__).parent.parent


def modules():
    package = ROOT / "convergekit"
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        if parts != ("__init__",):
            yield ".".join(part for part in parts if part != "__init__")


def test_links_between_files_of_the_checkout_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not broken, f"links that lead nowhere: {broken}"


def test_the_architecture_names_every_module_and_no_other():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = set()
    for line in page.splitlines():
        if line.startswith("| `"):
            listed.update(re.findall(r"`([a-z_0-9.]+)`", line.split("|")[1]))
    listed.update(re.findall(r"`(kernels[a-z_.]*)`", page))
    missing = sorted(set(modules()) - listed)
    assert not missing, f"put these modules into a table of docs/architecture.md: {missing}"
    gone = sorted(listed - set(modules()))
    assert not gone, f"docs/architecture.md names modules that are no more: {gone}"


def sections():
    """Return the section of docs/architecture.md, counted from the top, that names each module."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = {}
    for place, section in enumerate(page.split("\n## ")):
        for line in section.splitlines():
            if line.startswith("| `"):
                found |= dict.fromkeys(re.findall(r"`([a-z_0-9.]+)`", line.split("|")[1]), place)
    # Twins stand beside the plain path that they are of.
    return found | dict.fromkeys((m for m in modules() if m.startswith("kernels")), 0)


def imported(module):
    """Return the modules of ours that a module imports as soon as it is imported itself."""
    path = ROOT / "convergekit" / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("convergekit."):
            yield node.module.removeprefix("convergekit.")
        elif isinstance(node, ast.ImportFrom) and node.module == "convergekit":
            yield from (name.name for name in node.names if not name.name.startswith("__"))


def test_imports_go_the_way_of_the_events():
    place = sections()
    against = [
        f"{module} imports {other}"
        for module in sorted(place)
        if not module.startswith("kernels")
        for other in imported(module)
        if place[other] > place[module]
    ]
    assert against == ["stitching imports engine", "stitching imports engine.stitching"]


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
