"""Pages of the documentation site that are made of files elsewhere: README, notebooks and others.

A hook of MkDocs (mkdocs.yml). The notebooks are shown with the outputs that they were saved with.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=site_links(text)))
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for name, content in notebook_page(notebook).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page of docs/ with its links to files elsewhere led to their pages."""
    return markdown if "/" in page.file.src_uri else site_links(markdown)


def site_links(text: str) -> str:
    """Return a text whose links between files of the checkout are links between pages.

    >>> site_links("[a](docs/a.md) [b](notebooks/b.ipynb) [c](CHANGELOG.md)")
    '[a](a.md) [b](notebooks/b.md) [c](changelog.md)'
    >>> site_links("[b](../notebooks/b.ipynb) [c](../README.md#install)")
    '[b](notebooks/b.md) [c](index.md#install)'
    """
    text = re.sub(r"\]\((?:\.\./)?docs/", "](", text)
    text = re.sub(r"\]\((?:\.\./)?([^):]+)\.ipynb\)", r"](\1.md)", text)
    for source, page in PAGES.items():
        text = re.sub(rf"\]\((?:\.\./)?{re.escape(source)}(#[^)]*)?\)", rf"]({page}\1)", text)
    return text


def notebook_page(path: Path) -> dict[str, Any]:
    """Return a notebook's page and its pictures, by file name."""
    text, resources = MarkdownExporter().from_filename(str(path))
    pictures = {f"{path.stem}/{name}": data for name, data in resources["outputs"].items()}
    for name in resources["outputs"]:
        text = text.replace(f"]({name})", f"]({path.stem}/{name})")
    # From notebooks/ the other pages are one directory up.
    text = re.sub(r"\]\(\.\./docs/", "](../", text)
    return {f"{path.stem}.md": text, **pictures}
