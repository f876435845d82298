"""Text of the checkout's pages, as it has to be for them to be pages of the site."""

from __future__ import annotations

import html
import re

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}

_PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">\s*'
    r'<img src="(?P<light>[^"]+)" alt="(?P<alt>[^"]*)">\s*</picture>'
)


def site_text(text: str) -> str:
    r"""Return a page's text with its links between files led to pages, and its pictures in two.

    >>> site_text("[a](docs/a.md) [b](notebooks/b.ipynb) [c](CHANGELOG.md)")
    '[a](a.md) [b](notebooks/b.md) [c](changelog.md)'
    >>> site_text("[b](../notebooks/b.ipynb) [c](../README.md#install)")
    '[b](notebooks/b.md) [c](index.md#install)'
    >>> site_text("[b](../../notebooks/b.ipynb) [c](../../README.md) [d](../d.md)")
    '[b](../notebooks/b.md) [c](../index.md) [d](../d.md)'

    What is typed at a prompt is a session: its prompts and answers are told from the code.

    >>> site_text("```python\n>>> 1 + 1\n2\n```")
    '```pycon\n>>> 1 + 1\n2\n```'
    """
    text = themed_pictures(text)
    text = re.sub(r"^( *```)python(?=\n *>>> )", r"\1pycon", text, flags=re.MULTILINE)
    # docs/ is the root of the site: one directory less to go up.
    text = re.sub(r"\]\((?:\.\./)?docs/", "](", text)
    text = re.sub(r"\]\((?:\.\./)?((?:\.\./)*[^):]+)\.ipynb\)", r"](\1.md)", text)
    for source, page in PAGES.items():
        link = rf"\]\((?:\.\./)?((?:\.\./)*){re.escape(source)}(#[^)]*)?\)"
        text = re.sub(link, rf"](\1{page}\2)", text)
    return text


def themed_pictures(text: str) -> str:
    r"""Return a text whose pictures for light and dark are two, of which the theme shows one.

    A file viewed in the repository needs HTML for that. MkDocs leads the addresses of pictures in
    Markdown alone from page to page, and warns of those that are missing; and the theme knows
    which of both the reader has chosen.

    >>> print(themed_pictures('''<picture>
    ... <source media="(prefers-color-scheme: dark)" srcset="a-dark.png">
    ... <img src="a-light.png" alt="Two [bars] &amp; a line">
    ... </picture>'''))
    ![Two \[bars\] & a line](a-light.png#only-light)
    ![Two \[bars\] & a line](a-dark.png#only-dark)
    """
    return _PICTURE.sub(_in_two, text)


def _in_two(picture: re.Match[str]) -> str:
    alt = re.sub(r"([\\\[\]])", r"\\\1", html.unescape(picture["alt"]))
    return "\n".join(f"![{alt}]({picture[look]}#only-{look})" for look in ("light", "dark"))
