"""The groups of a breakdown in figures: their names, which are shown, and how they are told apart.

A group has one colour in all figures of what it is a breakdown of, whichever groups are drawn. With
the colour goes a pattern of bars, a dash of lines and a symbol of marks, for those who do not tell
the colours apart, and for paper.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.base.wording import counted
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import legend_names
from convergekit.funnels.labels import OTHER, short_name


@dataclass(frozen=True)
class Signs:
    """What goes with a colour.

    Attributes
    ----------
    pattern : str
        Of bars, as plotly's ``marker.pattern.shape``. It is never "/", which means "not complete".
    dash : str
        Of lines that have no marks, as plotly's ``line.dash``. It is never "dot", which means
        "not complete".
    symbol : str
        Of marks, as plotly's ``marker.symbol``.
    """

    pattern: str
    dash: str
    symbol: str


_SIGNS = (
    Signs("", "solid", "circle"),
    Signs("\\", "dash", "square"),
    Signs("x", "longdash", "diamond"),
    Signs("-", "dashdot", "triangle-up"),
    Signs("|", "longdashdot", "triangle-down"),
    Signs(".", "8px,3px,2px,3px,2px,3px", "star"),
)
#: Of what has no colour: the rest, in grey.
_REST = Signs("+", "3px,3px", "cross")


def signs_of(colour: str) -> Signs:
    """Return what goes with a colour in all figures.

    Examples
    --------
    >>> [signs_of(colour).symbol for colour in COLOURS[:3]], signs_of("#8c959f").symbol
    (['circle', 'square', 'diamond'], 'cross')
    """
    return _SIGNS[COLOURS.index(colour)] if colour in COLOURS else _REST


def bar_mark(colour: str) -> dict[str, Any]:
    """Return plotly's marker of bars in a colour and the pattern that goes with it.

    Examples
    --------
    >>> bar_mark(COLOURS[0])
    {'color': '#0072B2', 'line': {'width': 0}}
    >>> bar_mark(COLOURS[2])["pattern"]["shape"]
    'x'
    """
    mark: dict[str, Any] = {"color": colour, "line": {"width": 0}}
    shape = signs_of(colour).pattern
    if shape:
        mark["pattern"] = {
            "shape": shape, "size": 6, "solidity": 0.16, "fillmode": "overlay",
            "fgcolor": "#ffffff", "fgopacity": 0.55,
        }  # fmt: skip
    return mark


@dataclass(frozen=True)
class Group:
    """One group of a breakdown.

    Attributes
    ----------
    label : tuple
        Its values of the breakdown's columns.
    name : str
        The label in words, not yet escaped.
    legend : str
        The same as a legend shows it.
    colour : str
    """

    label: tuple[Any, ...]
    name: str
    legend: str
    colour: str

    @property
    def pattern(self) -> str:
        """The pattern of its bars, as plotly's ``marker.pattern.shape``."""
        return signs_of(self.colour).pattern

    @property
    def dash(self) -> str:
        """The dash of its lines that have no marks, as plotly's ``line.dash``."""
        return signs_of(self.colour).dash

    @property
    def symbol(self) -> str:
        """The symbol of its marks, as plotly's ``marker.symbol``."""
        return signs_of(self.colour).symbol


@dataclass(frozen=True)
class Groups:
    """The groups to draw, those with most first.

    Attributes
    ----------
    shown : list of Group
    left_out : str
        A sentence about those that are not, empty if all are.
    """

    shown: list[Group]
    left_out: str


def groups_to_draw(
    table: pd.DataFrame, by: Sequence[str], style: Style, usual: Sequence[Hashable] = ()
) -> Groups:
    """Choose the groups of a table to draw, and their colours.

    Parameters
    ----------
    table : pandas.DataFrame
        With the breakdown's columns, a row per group, those with most first.
    by : sequence of str
        The breakdown's columns.
    style : Style
    usual : sequence of hashable
        The values that the data have most of: these have their colours in each figure of the data,
        whichever are drawn.

    Returns
    -------
    Groups
        As many as there are colours, and beside them what is "other" or has no value, in grey.

    Examples
    --------
    >>> from convergekit.figures.style import USUAL
    >>> table = pd.DataFrame({"profile.utm_source": ["meta", "google", None]})
    >>> found = groups_to_draw(table, ["profile.utm_source"], USUAL).shown
    >>> [(group.name, group.colour) for group in found]
    [('meta', '#B78A1C'), ('google', '#0072B2'), ('no utm_source', '#8c959f')]
    """
    labels = list(dict.fromkeys(map(label_of, table[list(by)].itertuples(index=False))))
    named = [label for label in labels if not is_rest(label)]
    shown, left_out = named[: len(COLOURS)], named[len(COLOURS) :]
    colour = _colours(shown, [(value,) for value in usual] if len(by) == 1 else [])
    rest = [label for label in labels if is_rest(label)]
    greys = (style.look.quiet, style.look.muted)
    colour |= {label: greys[i % 2] for i, label in enumerate(rest)}
    names = {label: name_of(label, by) for label in shown + rest}
    legend = dict(zip(names, legend_names(list(names.values())), strict=True))
    return Groups(
        [Group(label, name, legend[label], colour[label]) for label, name in names.items()],
        f"Not shown: {counted(len(left_out), 'smaller group')}; top={len(shown)} gathers them."
        if left_out
        else "",
    )


def label_of(values: Sequence[Hashable]) -> tuple[Any, ...]:
    """Return the values of a breakdown as a key; what is missing is None, which equals itself."""
    return tuple(None if pd.isna(value) else value for value in values)


def _colours(
    shown: Sequence[tuple[Any, ...]], usual: Sequence[tuple[Any, ...]]
) -> dict[tuple[Any, ...], str]:
    """Return a colour for each group: those of the usual ones first, by name."""
    known = dict(zip(sorted(usual[: len(COLOURS)], key=str), COLOURS, strict=False))
    taken = {known[label] for label in shown if label in known}
    free = iter([colour for colour in COLOURS if colour not in taken])
    return {
        label: known[label] if label in known else next(free) for label in sorted(shown, key=str)
    }


def is_rest(label: tuple[Any, ...]) -> bool:
    """Return whether a label does not name a value: "other", or missing."""
    return all(value is None or value == OTHER for value in label)


def name_of(label: tuple[Any, ...], by: Sequence[str]) -> str:
    """Return a label in words, not yet escaped."""
    return ", ".join(
        f"no {short_name(column)}" if value is None else str(value)
        for column, value in zip(by, label, strict=True)
    )
