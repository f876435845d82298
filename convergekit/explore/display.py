"""Tables, code, messages and figures of the explorers, as text that widgets can hold.

Everything that comes from the data is escaped. Importing this module imports no widgets.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.wording import counted, readable_table, shortened
from convergekit.figures.showing import shown

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template

#: Lists to choose from hold no more than these; a search narrows them.
MOST_OPTIONS = 200
#: Longer texts are cut in lists and cells; code has them whole.
MOST_LETTERS = 60

_MOST_COLUMNS = 40


def heading(text: str) -> str:
    """Return a heading of one part of an explorer."""
    return f'<div class="ck-explorer"><h4>{html.escape(text)}</h4></div>'


def hint(text: str) -> str:
    """Return a remark in a quiet voice, empty for no text."""
    if not text:
        return ""
    return f'<div class="ck-explorer"><div class="ck-hint">{html.escape(text)}</div></div>'


def busy(text: str) -> str:
    """Return what says that work is going on."""
    said = html.escape(text)
    return f'<div class="ck-explorer"><div class="ck-busy" role="status">{said}</div></div>'


def error(text: str, trace: str = "") -> str:
    """Return an error; an unexpected one with its trace."""
    details = (
        f"<details><summary>Where it happened</summary><pre>{html.escape(trace)}</pre></details>"
        if trace
        else ""
    )
    return (
        '<div class="ck-explorer"><div class="ck-error" role="alert">'
        f"{html.escape(text)}{details}</div></div>"
    )


def warned(texts: Iterable[str]) -> str:
    """Return warnings, each on its own line; empty for none."""
    lines = "".join(f'<div class="ck-warning">{html.escape(text)}</div>' for text in texts)
    return f'<div class="ck-explorer">{lines}</div>' if lines else ""


def code(text: str) -> str:
    """Return Python code, all of which one click selects."""
    return (
        '<div class="ck-explorer"><div class="ck-hint">One click selects the code.</div>'
        f'<pre class="ck-code">{html.escape(text)}</pre></div>'
    )


def folded(title: str, page: str) -> str:
    """Return a page that opens at a click, or by the keyboard."""
    summary = f"<summary>{html.escape(title)}</summary>"
    return f'<div class="ck-explorer"><details>{summary}{page}</details></div>'


def table(frame: pd.DataFrame, caption: str = "") -> str:
    """Return a small table, each cell short and escaped.

    Examples
    --------
    >>> "&lt;b&gt;" in table(pd.DataFrame({"event": ["<b>"], "times": [1200]}))
    True
    """
    numbers = [pd.api.types.is_numeric_dtype(frame[name].dtype) for name in frame]
    # pandas 3.0.0 cannot take an integer of hundreds of digits from a function that keeps numbers.
    short = {name: pd.Series(map(cell, frame[name]), frame.index, dtype=object) for name in frame}
    shown = readable_table(pd.DataFrame(short, frame.index))
    head = _row("th", shown.columns, numbers)
    body = "".join(
        _row("td", values, numbers) for values in shown.itertuples(index=False, name=None)
    )
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="ck-explorer"><div class="ck-scroll"><table>{title}<thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def cell(value: Any) -> Any:
    """Return a value as a table shows it: times to the second, long texts cut, numbers kept."""
    if isinstance(value, pd.Timestamp):
        # A period begins at midnight of the shop's clock, and says no time zone.
        is_day = value.tzinfo is None and value == value.normalize()
        return f"{value:%Y-%m-%d}" if is_day else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, (str, list, tuple, dict, set)):
        return shortened(value, MOST_LETTERS)
    return value


def framed(page: str) -> str:
    """Return HTML that pandas or a result made, in the explorers' look."""
    return f'<div class="ck-explorer"><div class="ck-scroll">{page}</div></div>'


def first_columns(frame: pd.DataFrame, first: Sequence[str]) -> pd.DataFrame:
    """Return a frame with some columns first, and not more of them than a page can hold."""
    there = [name for name in first if name in frame]
    others = [name for name in frame.columns if name not in there]
    return frame[(there + others)[:_MOST_COLUMNS]]


def listed_of(shown: int, total: int, what: str, how: str) -> str:
    """Return a remark if a list does not hold everything, and how to find the rest.

    Examples
    --------
    >>> listed_of(200, 1200, "alias", "search to narrow them")
    '200 of 1,200 aliases are listed; search to narrow them.'
    """
    if shown >= total:
        return ""
    many = {"alias": "aliases", "property": "properties"}.get(what)
    return f"{shown:,} of {counted(total, what, many)} are listed; {how}."


def figure_outputs(*figures: Figure) -> tuple[dict[str, Any], ...]:
    """Return what an Output widget shows for figures: each, and below it its table, closed."""
    return tuple(
        {"output_type": "display_data", "data": bundle, "metadata": {}}
        for figure in figures
        for bundle in shown(figure)
    )


def template_of(template: Template) -> str:
    """Return the argument of `plot` that code has to give, if it is not what is taken anyway.

    Examples
    --------
    >>> template_of("auto"), template_of("dark")
    ('', "template='dark'")
    """
    if template == "auto":
        return ""
    return f"template={template!r}" if isinstance(template, str) else "template=template"


def _row(tag: str, values: Iterable[Any], numbers: Sequence[bool]) -> str:
    looks = (' class="ck-number"' if number else "" for number in numbers)
    cells = (
        f"<{tag}{look}>{html.escape(str(value))}</{tag}>"
        for value, look in zip(values, looks, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"
