"""Write the documentation for language models, from the site's nav: a hook of MkDocs.

`llms.txt` lists the pages, a sentence each (https://llmstxt.org); `llms-full.txt` is the text of
all of them, with the docstrings of the reference.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import convergekit as ck

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_REFERENCE = re.compile(r"^::: convergekit\.(\w+)$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)(?:\{[^}]*\})?")
_FENCE = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
#: Texts of the pages that MkDocs has read, by file, as they will be on the site.
_read: dict[str, str] = {}


@dataclass(frozen=True)
class NavPage:
    """A page of the nav.

    Attributes
    ----------
    section : str
        The heading that it is under.
    title : str
    file : str
        Such as ``"exports.md"``.
    """

    section: str
    title: str
    file: str

    @property
    def address(self) -> str:
        """Where the page is on the site, from its top."""
        name = self.file.removesuffix(".md")
        return "./" if name == "index" else f"{name}/"


def pages_of(nav: Sequence[Any], section: str = "") -> Iterator[NavPage]:
    """Yield the pages of a nav in order, each under the heading at the top that it belongs to.

    >>> list(pages_of([{"Start": "index.md"}, {"Guides": [{"Data": [{"Read": "a.md"}]}]}]))[1]
    NavPage(section='Guides', title='Read', file='a.md')
    """
    for entry in nav:
        ((title, inside),) = entry.items()
        if isinstance(inside, str):
            yield NavPage(section, title, inside)
        else:
            yield from pages_of(inside, section or title)


def first_sentence(text: str) -> str:
    r"""Return the first sentence of a page that is prose.

    >>> first_sentence("# Read\n\n![a](b.png)\n\nA [file](x.md) is read. More.")
    'A file is read.'
    """
    for block in _FENCE.sub("", text).split("\n\n"):
        # What stands bold at the beginning is a heading.
        prose = re.sub(r"^\*\*[^*]+\.\*\*\s+", "", " ".join(_LINK.sub(r"\1", block).split()))
        is_prose = bool(re.match(r"[\w`*\"(]", prose)) and not block.lstrip().startswith("![")
        if is_prose and not _REFERENCE.match(block):
            found = re.match(r".+?[.:](?=\s|$)", prose)
            return (found[0] if found else prose).replace("**", "")
    return ""


def index_text(name: str, about: str, nav: Sequence[Any], text_of: Callable[[str], str]) -> str:
    """Return `llms.txt`.

    Parameters
    ----------
    name, about : str
        Of the site.
    nav : sequence
        As mkdocs.yml has it.
    text_of : callable
        Returns the Markdown of a page by its file.
    """
    parts, section = [f"# {name}", f"> {about}"], None
    lines: list[str] = []
    for page in pages_of(nav):
        if page.section != section:
            parts += ["\n".join(lines)] if lines else []
            section, lines = page.section, []
            parts += [f"## {section}"] if section else []
        said = first_sentence(text_of(page.file))
        lines.append(f"- [{page.title}]({page.address})" + (f": {said}" if said else ""))
    return "\n\n".join([*parts, "\n".join(lines)]) + "\n"


def full_text(name: str, about: str, nav: Sequence[Any], text_of: Callable[[str], str]) -> str:
    """Return `llms-full.txt`. See `index_text`."""
    parts = [f"# {name}\n\n> {about}"]
    for page in pages_of(nav):
        text = _REFERENCE.sub(lambda found: _described(found[1]), text_of(page.file)).strip()
        parts.append(f"<!-- {page.address} -->\n\n{text}")
    return "\n\n---\n\n".join(parts) + "\n"


def _described(name: str) -> str:
    """Return the signature and the docstring of a public name, and of a class its members."""
    one = getattr(ck, name)
    parts = [f"## `{_signature(name, one)}`", inspect.getdoc(one) or ""]
    for member, found in vars(one).items() if isinstance(one, type) else ():
        if member.startswith("_"):
            continue
        getter = getattr(found, "fget", None) or getattr(found, "func", None)
        function = getter or getattr(found, "__func__", found)
        if inspect.isfunction(function) and function.__doc__:
            called = member if getter else _signature(member, function)
            parts += [f"### `{name}.{called}`", inspect.getdoc(function) or ""]
    return "\n\n".join(part for part in parts if part)


def _signature(name: str, one: Any) -> str:
    if isinstance(one, type) or not callable(one):
        return name
    # Annotations are texts, which the signature puts in quotes.
    return name + re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(one)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Keep the text of a page, as the hooks before this have made it."""
    _read[page.file.src_uri] = markdown
    return markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Write both files beside the pages."""
    given = (config.site_name, config.site_description or "", config.nav or [])
    for name, make in (("llms.txt", index_text), ("llms-full.txt", full_text)):
        Path(config.site_dir, name).write_text(make(*given, _read.__getitem__), encoding="utf-8")
