"""A report as Markdown: what fits into a ticket, a chat or a repository."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from convergekit.figures.markdown import aligned, code, plain
from convergekit.report.blocks import Block, Document, Item, Section
from convergekit.report.columns import kinds, texts

_NUMBERS = frozenset({"count", "share", "amount", "duration"})
_INTRODUCTION = (
    "Below each answer stands the call that makes it; in it, `s` is `ck.stitch(events)` of these "
    "events."
)


def markdown_of(document: Document) -> str:
    """Return a report as Markdown."""
    facts = [f"- **{plain(word)}**: {plain(said)}" for word, said in document.facts]
    parts = [f"# {plain(document.title)}", "\n".join(facts), _INTRODUCTION]
    for section in document.sections:
        parts += _section(section)
    parts.append(f"Made by {plain(document.made_by)}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def frame_of(frame: pd.DataFrame) -> str:
    """Return a typed frame as a table."""
    return aligned(texts(frame), [kind in _NUMBERS for kind in kinds(frame)])


def _section(section: Section) -> Iterable[str]:
    yield f"## {plain(section.heading)}"
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterable[str]:
    if block.heading:
        yield f"### {plain(block.heading)}"
    yield f"**{plain(block.finding)}**"
    yield _listed(f"**Warning**: {plain(text)}" for text in block.warnings)
    yield _listed(f"{plain(what)}: {plain(number)}" for what, number in block.tiles)
    yield _listed(map(_item, block.items))
    for table in block.tables:
        yield f"{plain(table.caption)}:"
        yield frame_of(table.first)
        yield plain(table.remark)
    yield _listed(map(plain, block.notes))
    if block.call:
        yield code(block.call)


def _item(item: Item) -> str:
    texts = " ".join(plain(text) for text in item.texts)
    return f"**{plain(item.title)}** ({plain(item.facts)}) {texts}"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
