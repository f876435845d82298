"""Check that the checkout may be released: ``python release/check_release.py [DIRECTORY [TAG]]``.

Refuses, with file and line, while a placeholder is left in what readers of a release see, while the
changelog gives its version no day, or if the tag is of another version. ``make release`` runs it
first, and the workflow of a tag before that.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FILES = (
    "pyproject.toml",
    "CITATION.cff",
    "SECURITY.md",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "mkdocs.yml",
    "docs/notebooks.md",
    "release/conda/recipe.yaml",
)
_PLACEHOLDER = re.compile(r"\S*PLACEHOLDER\S*")
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)


def problems(root: Path, tag: str | None = None) -> list[str]:
    """Return why a checkout may not be released, a line each; none if it may."""
    return [*_placeholders(root), *_undated(root), *_tagged_otherwise(root, tag)]


def _placeholders(root: Path) -> list[str]:
    return [
        f"{name}:{number}: replace the placeholder {found[0]}"
        for name in FILES
        for number, line in enumerate((root / name).read_text("utf-8").splitlines(), start=1)
        for found in _PLACEHOLDER.finditer(line)
    ]


def _undated(root: Path) -> list[str]:
    version = version_of(root)
    if re.search(heading_of(version), (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE):
        return []
    return [f'CHANGELOG.md: give {version} its day, as in "## {version}, 1 December 2026"']


def _tagged_otherwise(root: Path, tag: str | None) -> list[str]:
    version = version_of(root)
    if tag in (None, f"v{version}"):
        return []
    return [f"convergekit/__init__.py: the tag is {tag!r}, the version {version}: tag v{version}"]


def version_of(root: Path) -> str:
    """Return the version of a checkout, which stands in one place."""
    version = _VERSION.search((root / "convergekit" / "__init__.py").read_text("utf-8"))
    if version is None:
        raise SystemExit("convergekit/__init__.py: the line __version__ = ... is missing")
    return version[1]


def heading_of(version: str) -> str:
    """Return the pattern of a version's heading in the changelog, which has the day."""
    return rf"^## {re.escape(version)}, \d{{1,2}} [A-Z][a-z]+ \d{{4}}$"


def main() -> int:
    """Print why the checkout may not be released; return 1 if there is a reason."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = problems(root, sys.argv[2] if len(sys.argv) > 2 else None)
    if found:
        print("Not released:", *found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
