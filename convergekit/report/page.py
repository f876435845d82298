"""A report as one file of HTML that needs no network and no kernel.

Texts are escaped here, figures are JSON in which no tag can begin, and the page's own rule (its
Content-Security-Policy) lets two scripts run, plotly's and its own, and nothing be fetched or sent.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from convergekit.report.blocks import Block, Document, Item, Section, Table
from convergekit.report.columns import kinds, texts
from convergekit.visible import visible, visible_lines

_NUMBERS = frozenset({"count", "share", "amount", "duration"})
_NOT_IN_SCRIPTS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028"}
_NOT_IN_SCRIPTS |= {"\u2029": "\\u2029"}
_INTRODUCTION = (
    "Below each answer stands the call that makes it. In it, s is ck.stitch(events) of these "
    "events, and import convergekit as ck comes first."
)
_WITHOUT_SCRIPTS = "Figures need JavaScript, which is off; the tables hold the same numbers."


def page_of(document: Document) -> str:
    """Return a report as HTML."""
    figures: list[str] = []
    slugs = _slugs(section.heading for section in document.sections)
    sections = "".join(
        _section(section, slug, figures)
        for section, slug in zip(document.sections, slugs, strict=True)
    )
    links = "".join(
        f'<li><a href="#{slug}">{_text(section.heading)}</a></li>'
        for section, slug in zip(document.sections, slugs, strict=True)
    )
    facts = "".join(
        f"<dt>{_text(word)}</dt><dd>{_text(said)}</dd>" for word, said in document.facts
    )
    own = _own("page.js")
    plotly = _plotly() if figures else ""
    scripts = "".join(f"<script>{script}</script>\n" for script in (plotly, own) if script)
    title = _text(document.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(plotly, own)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="{_text(document.made_by)}">
<title>{title}</title>
<style>
{_own("page.css")}</style>
</head>
<body>
<a class="ck-skip" href="#main">Skip to the answers</a>
<header>
<p class="ck-kicker">Report</p>
<h1>{title}</h1>
<dl>{facts}</dl>
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main id="main" tabindex="-1">
<noscript><p class="ck-warning">{_WITHOUT_SCRIPTS}</p></noscript>
{sections}</main>
<footer><p>{_text(_INTRODUCTION)} Made by {_text(document.made_by)}.</p>
<p id="ck_told" role="status"></p></footer>
<script type="application/json" id="ck_figures">[{",".join(figures)}]</script>
{scripts}</body>
</html>
"""


def _section(section: Section, slug: str, figures: list[str]) -> str:
    blocks = "".join(_block(block, figures) for block in section.blocks)
    # No link has an underscore.
    heading = f'<h2 id="{slug}_heading">{_text(section.heading)}</h2>'
    return (
        f'<section id="{slug}" aria-labelledby="{slug}_heading">\n{heading}\n{blocks}</section>\n'
    )


def _block(block: Block, figures: list[str]) -> str:
    parts = [f"<h3>{_text(block.heading)}</h3>" if block.heading else ""]
    parts.append(f'<p class="ck-finding">{_text(block.finding)}</p>')
    parts += [f'<p class="ck-warning">{_text(text)}</p>' for text in block.warnings]
    parts.append(_tiles(block.tiles))
    if block.figure is not None:
        parts.append(_figure(block, figures))
    parts.append(_items(block.items))
    parts += [_table(table) for table in block.tables]
    # What the caption of the figure says is not said again.
    known = "" if block.figure is None else caption_of(block.figure)[1]
    notes = "".join(f"<li>{_text(text)}</li>" for text in block.notes if text not in known)
    parts.append(f'<ul class="ck-notes">{notes}</ul>' if notes else "")
    parts.append(_call(block.call))
    return "\n".join(part for part in parts if part) + "\n"


def _figure(block: Block, figures: list[str]) -> str:
    figures.append(_json(block.figure))
    title, below = caption_of(block.figure)
    # What the section begins with is not said again.
    finding = getattr(block.figure, "finding", "")
    if finding and finding in block.finding:
        below = below.replace(finding, "", 1)
    lead = f"<b>{_text(title.rstrip('.'))}.</b>" if title else ""
    said = f"{lead} {_text(' '.join(below.split()))}".strip()
    caption = f"<figcaption>{said}</figcaption>" if said else ""
    return (
        f'<figure>{caption}<div class="ck-frame"><div class="ck-plot" role="img" '
        f'aria-label="{_text(block.finding)}" data-figure="{len(figures) - 1}"></div></div>'
        "</figure>"
    )


def _tiles(tiles: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<li><b>{_text(number)}</b> <span>{_text(what)}</span></li>" for what, number in tiles
    )
    return f'<ul class="ck-tiles">{cells}</ul>' if cells else ""


def _items(items: Iterable[Item]) -> str:
    found = "".join(
        f'<li class="ck-{item.level}"><p class="ck-what">{_text(item.title)}</p>'
        f'<p class="ck-facts">{_text(item.facts)}</p>'
        f"{''.join(f'<p>{_text(text)}</p>' for text in item.texts)}</li>"
        for item in items
    )
    return f'<ul class="ck-items">{found}</ul>' if found else ""


def _table(table: Table) -> str:
    caption = _text(table.caption)
    remark = f"<p>{_text(table.remark)}</p>" if table.remark else ""
    return (
        f"<details><summary>Table: {caption[:1].lower()}{caption[1:]}</summary>"
        f'<div class="ck-wide" role="region" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption>{_rows(table.first)}</table></div>{remark}</details>"
    )


def _rows(frame: pd.DataFrame) -> str:
    classes = [' class="ck-number"' if kind in _NUMBERS else "" for kind in kinds(frame)]
    shown = texts(frame)
    head = "".join(
        f'<th scope="col"{look}>{_text(name)}</th>'
        for name, look in zip(shown.columns, classes, strict=True)
    )
    body = []
    for row in shown.itertuples(index=False, name=None):
        cells = [f"<td{look}>{_text(value)}</td>" for value, look in zip(row, classes, strict=True)]
        if cells:
            cells[0] = f'<th scope="row"{classes[0]}>{_text(row[0])}</th>'
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    return f"<thead><tr>{head}</tr></thead>\n<tbody>{''.join(body)}</tbody>"


def _call(call: str) -> str:
    if not call:
        return ""
    code = html.escape(visible_lines(call))
    return (
        f'<div class="ck-call"><pre><code>{code}</code></pre>'
        '<button type="button" hidden aria-label="Copy the call">Copy</button></div>'
    )


def caption_of(figure: Any) -> tuple[str, str]:
    """Return a figure's title and the sentences below it, as texts."""
    title = figure.layout.title
    texts = [title.text or "", title.subtitle.text or ""]
    plain = [html.unescape(re.sub("<[^>]*>", " ", text)) for text in texts]
    title_said, below = (" ".join(text.split()) for text in plain)
    return title_said, below


def _json(figure: Any) -> str:
    """Return a figure as JSON that may stand in a script: no tag begins or ends in it."""
    found = json.loads(figure.to_json())
    kept = {name: found[name] for name in ("data", "layout")}
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return re.sub("[<>&\u2028\u2029]", lambda mark: _NOT_IN_SCRIPTS[mark[0]], text)


def _text(text: object) -> str:
    return html.escape(visible(text))


def _slugs(headings: Iterable[str]) -> list[str]:
    """Return names for links, of letters that every browser takes, each once."""
    found: list[str] = []
    for heading in headings:
        words = re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-")
        slug, place = words or "section", 1
        while slug in found or slug == "main":
            place += 1
            slug = f"{words or 'section'}-{place}"
        found.append(slug)
    return found


def _policy(*scripts: str) -> str:
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts if script)
    allowed = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    # Nothing in it may end the script that it stands in.
    return script.replace("</script", "<\\/script").replace("\r\n", "\n")
