"""Markdown that shows texts as they are: as GitHub and most other renderers read it.

A name of an event may hold a pipe, which would begin a cell, a backtick, HTML, or an ``@`` that
notifies somebody. What comes from data goes through `plain` or `table`. GitHub looks for mentions
and references in what it rendered, where an entity or a backslash is gone already: an empty comment
parts them, and is neither shown nor copied.
"""

from __future__ import annotations

import re

import pandas as pd

from convergekit.base.wording import readable_table
from convergekit.visible import visible

# Between letters an underscore is none of Markdown's.
_MARKS = re.compile(r"([\\`*{}\[\]|~#$]|(?<!\w)_|_(?!\w))")
#: What renderers make links of.
_LINKS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("://", "&#58;//"))
#: Where GitHub would begin to read somebody's name or the number of an issue, and commits' hashes.
_REFERENCE = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?i:(?<=GH)(?=-\d))")
_HASH = re.compile(r"(?i)((?<![^\W_])[0-9a-f]{7,}(?![^\W_]))")
#: Fewer digits are not a hash.
_MOST_DIGITS = 6
_NOTHING = "<!-- -->"
_WWW = re.compile(r"(?i)\bwww\.")
#: What begins a list, a heading or a rule where it begins a line.
_BEGINS = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def plain(text: object) -> str:
    r"""Return text as Markdown that shows it, on one line.

    Examples
    --------
    >>> print(plain("a|b `c` <b> @all utm_source"))
    a\|b \`c\` &lt;b&gt; @<!-- -->all utm_source
    """
    shown = _NOTHING.join(map(_parted, _REFERENCE.split(visible(text))))
    return _BEGINS.sub(
        lambda found: f"{found[1]}\\{found[2]}" if not found[2].isdigit() else found[0], shown
    )


def _parted(text: str) -> str:
    """Return text escaped, each hash in it in parts that are too short for one."""
    pieces = _HASH.split(text)
    pieces[::2] = map(_escaped, pieces[::2])
    pieces[1::2] = (
        _NOTHING.join(found[at : at + _MOST_DIGITS] for at in range(0, len(found), _MOST_DIGITS))
        for found in pieces[1::2]
    )
    return "".join(pieces)


def _escaped(text: str) -> str:
    # Marks first: the entities have some of their own.
    shown = _MARKS.sub(r"\\\1", text)
    for mark, entity in _LINKS:
        shown = shown.replace(mark, entity)
    return _WWW.sub(lambda found: f"{found[0][:-1]}&#46;", shown)


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
