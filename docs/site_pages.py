"""Pages of the documentation site that are made of files elsewhere: README, notebooks and others.

A hook of MkDocs (mkdocs.yml). The notebooks are shown with the outputs that they were saved with.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbconvert import MarkdownExporter

# MkDocs has the hook's directory on the path while it is imported.
from site_text import PAGES, site_text

#: How a notebook that was saved shows the explorer.
_EXPLORER = "    Explorer(shown by Jupyter, as the last line of a cell)"
#: Pages that are made of something else, with their links.
_MADE = ("api/", "notebooks/")
#: Pages that are not what a reader searches for first.
_ABOUT_THE_WORK = ("architecture.md", "testing.md", "performance.md", *PAGES.values())
ROOT = Path(__file__).resolve().parent.parent
#: Words that people type who look for a page.
SEARCHED = tomllib.loads((ROOT / "docs" / "search.toml").read_text(encoding="utf-8"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=site_text(text)))
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for name, content in notebook_page(notebook).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page of docs/ with its links led to pages, and give it what it is searched by."""
    uri = page.file.src_uri
    page.meta["tags"] = SEARCHED.get(uri, [])
    page.meta["search"] = {"boost": 0.5} if uri.startswith("api/") or uri in _ABOUT_THE_WORK else {}
    return markdown if uri.startswith(_MADE) else site_text(markdown)


def notebook_page(path: Path) -> dict[str, Any]:
    """Return a notebook's page and its pictures, by file name."""
    text, resources = MarkdownExporter().from_filename(str(path))
    pictures = {f"{path.stem}/{name}": data for name, data in resources["outputs"].items()}
    for name in resources["outputs"]:
        text = text.replace(f"]({name})", f"]({path.stem}/{name})")
    # Widgets need a kernel: a picture stands for the explorer.
    text = text.replace(_EXPLORER, "![The explorer, with the funnel drawn](../docs/explorer.png)")
    # From notebooks/ the other pages are one directory up.
    text = re.sub(r"\]\(\.\./docs/", "](../", text)
    text = re.sub(r"\]\(([\w-]+)\.ipynb\)", r"](\1.md)", text)
    return {f"{path.stem}.md": text, **pictures}
