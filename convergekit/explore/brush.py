"""Brush a bar of the funnel, or a period of the trend: rows of buttons beside the figures.

Clicks on a figure do not reach Python; buttons do, and the keyboard reaches them too. Importing
this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import shortened
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, picks
from convergekit.explore.model import Model
from convergekit.explore.state import Bar
from convergekit.funnels.result import Funnel

#: So many periods have a button, the latest; dates choose others.
MOST_PERIODS = 14
# Choosers take None for nothing chosen at all, and then show nothing.
NOTHING = ""
#: What a row of buttons begins with.
EVERYBODY = ("everybody", NOTHING)
ALL_THE_TIME = ("all the time", NOTHING)


class Brush:
    """A row of buttons, of which the first brushes nothing.

    Parameters
    ----------
    title : str
    take : callable
        Called with what a person brushes, None for nothing.
    """

    def __init__(self, title: str, take: Callable[[Any], None]) -> None:
        self._title, self._take, self._is_told = title, take, False
        self.row: widgets.ToggleButtons = picks(title, [EVERYBODY], NOTHING)
        self.hint: widgets.HTML = widgets.HTML()
        self.box: widgets.VBox = widgets.VBox(
            [widgets.HTML(show.hint(title)), self.row, self.hint], layout=WIDE
        )
        self.box.add_class("ck-picks")
        # Until there is something to offer.
        self.box.layout.display = "none"
        self.row.observe(self._taken, "value")

    def offer(self, options: Sequence[tuple[str, Any]], chosen: Any, hint: str = "") -> None:
        """Offer these, with one of them chosen."""
        self._is_told = True
        try:
            if tuple(options) != tuple(self.row.options):
                self.row.options = list(options)
                self.row.tooltips = [f"{self._title} {text}" for text, _ in options]
            is_there = chosen in [value for _, value in options]
            self.row.value = chosen if is_there else NOTHING
            self.hint.value = show.hint(hint)
        finally:
            self._is_told = False
        self.box.layout.display = None if len(options) > 1 else "none"

    def _taken(self, change: Any) -> None:
        if not self._is_told:
            self._take(None if change["new"] == NOTHING else change["new"])


def bars_of(model: Model, funnel: Funnel) -> list[tuple[str, Bar | str]]:
    """Return the bars of a funnel, with how many profiles each is of."""
    options: list[tuple[str, Bar | str]] = [EVERYBODY]
    # A profile has one label of a breakdown.
    counts = funnel.table.groupby("step")[["profiles", "drop_off"]].sum()
    for step, name in enumerate(model.steps, 1):
        short = shortened(name, 28)
        reached, lost = counts.loc[step] if step in counts.index else (0, 0)
        options.append((f"reached {short} ({reached:,})", Bar(step)))
        # Who may still get there has not left.
        if step > 1 and (lost or model.state.bar == Bar(step, "dropped")):
            options.append((f"left before {short} ({lost:,})", Bar(step, "dropped")))
    return options


def periods_of(periods: pd.PeriodIndex) -> list[tuple[str, str]]:
    """Return the latest periods, each by its first day."""
    return [
        ALL_THE_TIME,
        *((_short(period), f"{period.start_time:%Y-%m-%d}") for period in periods[-MOST_PERIODS:]),
    ]


def _short(period: pd.Period) -> str:
    start = period.start_time
    if period.freqstr.startswith("M"):
        return f"{start:%b %Y}"
    return f"{start.day} {start:%b}"
