"""Results in a notebook and on a terminal: one card for all of them, and one line.

A card is static HTML: no script, no ID of its own, colours that follow the notebook's theme. Texts
from the events are escaped here. What is wider than the page scrolls, by keys too. A table says
which cells are headings, so that a screen reader can name them (docs/accessibility.md).
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable

import pandas as pd

from convergekit.base.wording import readable_table, table_text
from convergekit.figures import markdown
from convergekit.figures.description import Described
from convergekit.visible import visible, visible_lines

_STYLE = """
.ck-card{font-family:system-ui,sans-serif;max-width:52rem;line-height:1.4}
.ck-card .ck-title{font-weight:600;margin:.25rem 0}
.ck-card .ck-title,.ck-card p,.ck-card li{overflow-wrap:anywhere}
.ck-card p,.ck-card li{font-size:.88rem;margin:.2rem 0}
.ck-card ul,.ck-card ol{margin:.2rem 0;padding-left:1.3rem}
.ck-card .ck-wide{overflow-x:auto}
.ck-card .ck-wide:focus-visible,.ck-card summary:focus-visible{outline:2px solid currentColor;
outline-offset:2px}
.ck-card table{border-collapse:collapse;font-size:.85rem;margin:.2rem 0 .6rem}
.ck-card caption{text-align:left;font-size:.8rem;opacity:.75;padding:0 0 .25rem}
.ck-card th,.ck-card td{text-align:right;padding:.2rem .5rem;background:none;vertical-align:top;
font-variant-numeric:tabular-nums}
.ck-card td:not(:first-child){white-space:nowrap}
.ck-card th:first-child,.ck-card td:first-child,.ck-card .ck-text{text-align:left}
.ck-card thead th{vertical-align:bottom;max-width:9rem}
.ck-card tbody th{font-weight:400}
.ck-card tbody tr{border-top:1px solid rgba(128,128,128,.25)}
"""

#: What numbers begin with.
_OF_NUMBERS = "0123456789+-−≥≤<"
#: Of cells of words.
_CLASS = ' class="ck-text"'
#: What columns are called above a table; the columns themselves keep their names, which code uses.
_HEADINGS = {
    "alias_from": "from alias",
    "alias_to": "to alias",
    "at_window_high": "expected in the end, at most",
    "at_window_low": "expected in the end, at least",
    "cac": "cost of a customer",
    "conversion_at_window": "expected in the end",
    "drop_off": "dropped off",
    "event_name": "event",
    "in_window": "may still get there",
    "median_time": "median time from the step before",
    "paid_back": "part of the cost paid back",
    "profile_id": "profile",
    "step_conversion": "of the step before",
    "time_from": "time from",
    "with_browser_session": "with a browser session",
    "with_profile": "on a profile",
}


def card(*parts: str, style: str = "") -> str:
    """Return a card of parts that are HTML.

    Parameters
    ----------
    *parts : str
    style : str
        Rules for what this card alone has; their selectors begin with ``.ck-card``.

    Examples
    --------
    >>> card(paragraph("2 < 3")).endswith('<div class="ck-card"><p>2 &lt; 3</p></div>')
    True
    """
    return f'<style>{_STYLE}{style}</style><div class="ck-card">{"".join(parts)}</div>'


def title(text: str) -> str:
    """Return the first line of a card, a heading that screen readers jump to."""
    return f'<div class="ck-title" role="heading" aria-level="3">{html.escape(visible(text))}</div>'


def paragraph(text: str) -> str:
    """Return a text as a paragraph."""
    return f"<p>{html.escape(visible(text))}</p>"


def numbered(texts: Iterable[str]) -> str:
    """Return texts as a numbered list; nothing without texts."""
    items = "".join(f"<li>{html.escape(visible(text))}</li>" for text in texts)
    return f"<ol>{items}</ol>" if items else ""


def table(frame: pd.DataFrame, label: str = "Table") -> str:
    """Return a frame as a table: counts and shares as they are read, missing cells blank.

    Columns have headings that can be read; a pointer on one shows the column's name.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its first column names the rows.
    label : str, default "Table"
        What a screen reader says of the table as a whole.

    Examples
    --------
    >>> rows = table(pd.DataFrame({"step": ["<Cart>"], "profiles": [1200]}))
    >>> '<th scope="row">&lt;Cart&gt;</th><td>1,200</td>' in rows
    True
    """
    shown = readable_table(frame.apply(_in_words))
    # The first column names the rows, whatever it holds.
    texts = [bool(at) and _is_text(shown.iloc[:, at]) for at in range(shown.shape[1])]
    head = "".join(map(_heading, shown.columns, texts))
    rows = "".join(_row(cells, texts) for cells in shown.itertuples(index=False, name=None))
    cells = f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
    return scrolled(f'<table class="dataframe">{cells}</table>', label)


def _in_words(column: pd.Series) -> pd.Series:
    """Return days without the time that all of them lack, and yes or no as words."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"})
    if pd.api.types.is_datetime64_any_dtype(column):
        known = column.dropna()
        if (known == known.dt.normalize()).all():
            return column.dt.strftime("%Y-%m-%d")
    return column


def _is_text(cells: pd.Series) -> bool:
    """Return whether a column is read as words, which begin at the left; numbers do not."""
    return any(map(str, cells)) and not any(
        str(cell)[:1] in _OF_NUMBERS for cell in cells if str(cell)
    )


def _heading(name: object, is_text: bool) -> str:
    readable = _HEADINGS.get(str(name), str(name))
    title = f' title="{html.escape(visible(name))}"' if readable != str(name) else ""
    marked = _CLASS if is_text else ""
    return f'<th scope="col"{marked}{title}>{html.escape(visible(readable))}</th>'


def _row(cells: tuple[object, ...], texts: list[bool]) -> str:
    first, *others = (html.escape(visible(cell)) for cell in cells)
    # A heading without text is one more thing to ask about.
    name = f'<th scope="row">{first}</th>' if first else "<td></td>"
    rest = zip(others, texts[1:], strict=True)
    return f"<tr>{name}{''.join(f'<td{_CLASS * text}>{cell}</td>' for cell, text in rest)}</tr>"


def scrolled(part: str, label: str) -> str:
    """Return HTML that scrolls where it is wider than the page: by the keyboard too.

    Parameters
    ----------
    part : str
        HTML.
    label : str
        What a screen reader says when the keyboard gets there.
    """
    return (
        '<div class="ck-wide" role="group" tabindex="0" '
        f'aria-label="{html.escape(visible(label))}">{part}</div>'
    )


class Result(Described, ABC):
    """What a question returns: a line on a terminal, a card in a notebook, JSON for programs."""

    @abstractmethod
    def _line(self) -> str:
        """Return what it is in one line."""

    def _title(self) -> str:
        """Return the first line of the card."""
        return self._line()

    def _body(self) -> Iterable[pd.DataFrame | str]:
        """Return the tables and sentences below the title."""
        return ()

    def __repr__(self) -> str:
        """Return what it is in one line."""
        return visible(self._line())

    def __str__(self) -> str:
        """Return all of it as text."""
        parts = (part if isinstance(part, str) else table_text(part) for part in self._body())
        return "\n\n".join([repr(self), *(visible_lines(part) for part in parts)])

    def parts(self) -> list[pd.DataFrame | str]:
        """Return the tables and sentences that it is read by, for a file of another kind."""
        return list(self._body())

    def to_markdown(self) -> str:
        r"""Return all of it as Markdown: tables, and sentences in which no text is markup.

        Examples
        --------
        >>> import convergekit as ck
        >>> s = ck.stitch(ck.simulate_store().events)
        >>> print(s.attribution("Placed Order").to_markdown().partition("\n\n")[2])
        | channel | touches | conversions | share |
        | :--- | ---: | ---: | ---: |
        | Paid Search | 13 | 10 | 37% |
        | Direct | 8 | 7 | 26% |
        | Email | 5 | 4 | 15% |
        | Paid Social | 7 | 3 | 11% |
        | Referral | 1 | 1 | 4% |
        | (none) | 0 | 2 | 7% |
        """
        parts = (
            markdown.plain(part) if isinstance(part, str) else markdown.table(part)
            for part in self._body()
        )
        return "\n\n".join([f"**{markdown.plain(self._title())}**", *parts])

    def _repr_html_(self) -> str:
        said, parts = self._title(), [title(self._title())]
        for part in self._body():
            if isinstance(part, str):
                said = part
                parts.append(paragraph(part))
            else:
                # What stands above a table names it.
                parts.append(table(part, said))
        return card(*parts)


class TableResult(Result):
    """A result that is a table, which `print` shows whole."""

    @abstractmethod
    def _shown(self) -> pd.DataFrame:
        """Return the table that it is read by."""

    def _body(self) -> Iterable[pd.DataFrame | str]:
        return (self._shown(),)

    def __str__(self) -> str:
        """Return the table as text."""
        return table_text(self._shown())


class TextResult(Result):
    """A result that is sentences, which `print` shows all."""

    @abstractmethod
    def _sentences(self) -> list[str]:
        """Return the sentences, the first of which introduces the others."""

    def _described_notes(self) -> Iterable[str]:
        return self._sentences()

    def _line(self) -> str:
        return f"{type(self).__name__}({self._sentences()[0].rstrip('.:')})"

    def _title(self) -> str:
        return self._sentences()[0]

    def parts(self) -> list[pd.DataFrame | str]:
        """Return the sentences."""
        return list(self._sentences())

    def to_markdown(self) -> str:
        """Return the sentences as Markdown, those after the first as a numbered list."""
        first, *rest = map(markdown.plain, self._sentences())
        items = "\n".join(f"{place}. {said}" for place, said in enumerate(rest, 1))
        return "\n\n".join(part for part in (f"**{first}**", items) if part)

    def _repr_html_(self) -> str:
        return card(title(self._title()), numbered(self._sentences()[1:]))

    def __str__(self) -> str:
        """Return the sentences, one a line, those after the first numbered."""
        first, *rest = map(visible, self._sentences())
        return "\n".join([first, *(f"{place}. {said}" for place, said in enumerate(rest, 1))])
