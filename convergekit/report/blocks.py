"""What a report consists of, whatever file it becomes: sections, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.base.wording import counted

#: As many rows of a table stand in a file to read; a workbook has all.
MOST_ROWS = 200


@dataclass(frozen=True)
class Table:
    """Numbers, as numbers.

    Attributes
    ----------
    caption : str
    frame : pandas.DataFrame
        Typed; `columns` says how each of its columns is read.
    """

    caption: str
    frame: pd.DataFrame

    @property
    def first(self) -> pd.DataFrame:
        """The rows that stand in a file to read."""
        return self.frame.head(MOST_ROWS)

    @property
    def remark(self) -> str:
        """How many rows do not; empty if none."""
        left = len(self.frame) - MOST_ROWS
        return f"{counted(left, 'more row')} not shown: the call gives all." if left > 0 else ""


@dataclass(frozen=True)
class Item:
    """One of several findings: a suspect, or a fault of the tracking.

    Attributes
    ----------
    title : str
    level : str
        ``"high"``, ``"medium"`` or ``"low"``.
    facts : str
        What it concerns, in a line.
    texts : tuple of str
        A paragraph each.
    """

    title: str
    level: str
    facts: str
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One answer, and the call that makes it.

    Attributes
    ----------
    finding : str
        What was found, in a sentence or two.
    call : str
        Python that returns it; empty if that is not known.
    heading : str
        Of a block that is not the first of its section.
    figure : plotly.graph_objects.Figure or None
    tiles : tuple of (str, str)
        The most important numbers, each with what it is.
    warnings, notes : tuple of str
        What must be known before the numbers are used, and what may be.
    items : tuple of Item
    tables : tuple of Table
    """

    finding: str
    call: str = ""
    heading: str = ""
    figure: Any = None
    tiles: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Section:
    """A question and its answers.

    Attributes
    ----------
    heading : str
    blocks : tuple of Block
    """

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title : str
    facts : tuple of (str, str)
        What data, which period, what is assumed: a word and what is said of it.
    caveats : tuple of (str, str)
        What is left out, rejected or uncertain: of what, and what.
    sections : tuple of Section
    made_by : str
        The program and its version.
    end : pandas.Timestamp
        The end of the data; NaT without events.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    caveats: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    made_by: str
    end: pd.Timestamp
