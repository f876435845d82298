"""Markdown that shows texts as they are: as GitHub and most other renderers read it.

A name of an event may hold a pipe, which would begin a cell, a backtick, HTML, or an ``@`` that
notifies somebody. What comes from data goes through `plain` or `table`.
"""

from __future__ import annotations

import re

import pandas as pd

from convergekit.base.wording import readable_table
from convergekit.visible import visible

# Between letters an underscore is none of Markdown's.
_MARKS = re.compile(r"([\\`*{}\[\]|~#$]|(?<!\w)_|_(?!\w))")
#: What renderers make links of, and mentions.
_LINKS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("://", "&#58;//"), ("@", "&#64;"))
_WWW = re.compile(r"(?i)\bwww\.")
#: What begins a list, a heading or a rule where it begins a line.
_BEGINS = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def plain(text: object) -> str:
    r"""Return text as Markdown that shows it, on one line.

    Examples
    --------
    >>> print(plain("a|b `c` <b> @all utm_source"))
    a\|b \`c\` &lt;b&gt; &#64;all utm_source
    """
    shown = visible(text)
    # Marks first: the entities have some of their own.
    shown = _MARKS.sub(r"\\\1", shown)
    for mark, entity in _LINKS:
        shown = shown.replace(mark, entity)
    shown = _WWW.sub(lambda found: f"{found[0][:-1]}&#46;", shown)
    return _BEGINS.sub(
        lambda found: f"{found[1]}\\{found[2]}" if not found[2].isdigit() else found[0], shown
    )


def table(frame: pd.DataFrame) -> str:
    r"""Return a frame as a table: counts and shares as they are read, missing cells blank.

    Examples
    --------
    >>> print(table(pd.DataFrame({"event_name": ["a|b"], "events": [1200]})))
    | event_name | events |
    | :--- | ---: |
    | a\|b | 1,200 |
    """
    numbers = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    return aligned(readable_table(frame), numbers)


def aligned(texts: pd.DataFrame, right: list[bool]) -> str:
    """Return a frame of texts as a table, some of its columns set right."""
    rows = [list(texts.columns), *texts.itertuples(index=False, name=None)]
    head, *body = (f"| {' | '.join(map(plain, row))} |" for row in rows)
    rule = f"| {' | '.join('---:' if one else ':---' for one in right)} |"
    return "\n".join([head, rule, *body])


def code(text: str, language: str = "python") -> str:
    """Return code in a fence that nothing in it ends.

    Examples
    --------
    >>> print(code("s.report"))
    ```python
    s.report
    ```
    """
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
