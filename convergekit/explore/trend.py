"""The trend tab: conversion, events and profiles by period, and who comes back.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pandas as pd

from convergekit.activity.retention import Retention
from convergekit.base.wording import shortened
from convergekit.explore import display as show
from convergekit.explore.brush import MOST_PERIODS, Brush, periods_of
from convergekit.explore.layout import WIDE, chart, chosen_by, draw, field, foldable
from convergekit.explore.model import Model, Population, code_of
from convergekit.explore.work import Work

_SHOWN = (
    ("Conversion of the funnel", "conversion"),
    ("Events", "events"),
    ("Profiles with such an event", "profiles"),
    ("New profiles", "new_profiles"),
    ("Retention: who comes back", "retention"),
)
_FREQS = (("days", "D"), ("weeks", "W"), ("months", "M"))


class TrendExplorer:
    """The trend tab.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    box : ipywidgets.Box
    result : DrawnFrame, Retention or None
        What is shown.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.result: pd.DataFrame | Retention | None = None
        self.work: Work = Work("Counting by period…", self._count, self._clear, self._key)
        state = model.state.trend
        names = event_options(model)
        self.show: widgets.Dropdown = field(
            "Show", widgets.Dropdown(options=_SHOWN, value=state.show)
        )
        self.event: widgets.Dropdown = field(
            "Of the event", widgets.Dropdown(options=names, value=state.event)
        )
        self.returns: widgets.Dropdown = field(
            "Back by the event", widgets.Dropdown(options=names, value=state.returns)
        )
        self.freq: widgets.Dropdown = field(
            "Periods", widgets.Dropdown(options=_FREQS, value=state.freq)
        )
        self.brush: Brush = Brush(
            "When the other tabs are about:", lambda day: model.change(period=day)
        )
        self.figure: widgets.Output = chart()
        self.curve: widgets.Output = chart()
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        controls = [self.show, self.event, self.returns, self.freq]
        results = [self.work.status, self.figure, self.brush.box, self.curve]
        self.box: widgets.Box = foldable("What is shown", controls, [*results, self.code])
        chosen_by(self.show, lambda what: model.change_part("trend", show=what))
        chosen_by(self.event, lambda name: model.change_part("trend", event=name))
        chosen_by(self.returns, lambda name: model.change_part("trend", returns=name))
        chosen_by(self.freq, lambda freq: model.change_part("trend", freq=freq))

    def source(self) -> str:
        """Return the Python code that gives the same."""
        model, state = self._model, self._model.state.trend
        who = model.who(bar=True)
        dark = show.template_of(model.template)
        if state.show == "conversion":
            return code_of(
                *model.funnel_lines(who, period=False),
                f"trend = f.trend({model.freq!r})",
                f"trend.plot({dark}).show()",
                "trend",
            )
        if state.show == "retention":
            given = _arguments(self._retention_options())
            call = f"r = {who.name}.retention({state.event!r}, {state.returns!r}, {given})"
            plots = (f"r.plot({dark}).show()", f"r.curve().plot({dark}).show()")
            return code_of(*who.lines, call, *plots, "r.table")
        given = _arguments(self._counts_options())
        lines = [f"counts = {who.name}.counts({state.event!r}, {given})"]
        for sign, day in self._bounds():
            lines.append(f"counts = counts[counts['period'] {sign} {day!r}]")
        return code_of(*who.lines, *lines, f"counts.plot({dark}).show()", "counts")

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""
        self.work.refresh()

    def _key(self) -> str:
        parts = ("trend", "funnel") if self._model.state.trend.show == "conversion" else ("trend",)
        return self._model.key(*parts, period=False) + repr(self._model.state.period)

    def _count(self) -> str | None:
        model, state = self._model, self._model.state
        self.event.layout.display = "none" if state.trend.show == "conversion" else None
        self.returns.layout.display = None if state.trend.show == "retention" else "none"
        periods = model.periods()
        more = show.listed_of(
            min(len(periods), MOST_PERIODS), len(periods), "period", "dates choose others"
        )
        self.brush.offer(periods_of(periods), state.period, more)
        who = model.who(bar=True)
        lacking = self._lacking(who)
        if lacking:
            self._clear()
            return lacking
        if state.trend.show == "retention":
            said = self._retention(who)
        elif state.trend.show == "conversion":
            said = self._conversion(who)
        else:
            said = self._counts(who)
        self.code.value = show.heading("The code of this trend") + show.code(self.source())
        return said

    def _lacking(self, who: Population) -> str:
        """Return why nothing can be counted; empty if something can."""
        state = self._model.state.trend
        asked = {
            "conversion": self._model.steps[:1],
            "retention": (state.event, state.returns),
        }.get(state.show, (state.event,))
        said = (self._model.lacks(who, name) for name in asked)
        return next(filter(None, said), "") if state.event else self._model.lacks(who, None)

    def _conversion(self, who: Population) -> str:
        if not self._model.steps:
            self._clear()
            return "The funnel does not have a step yet: add one on the tab Funnel."
        bar = self._model.state.bar
        funnel = (
            self._model.funnel(period=False)
            if bar is None
            else self._model.funnel_of(who, period=False)
        )
        trend = funnel.trend(self._model.freq)
        return self._shown(trend, "")

    def _counts(self, who: Population) -> str:
        counts = who.s.counts(self._model.state.trend.event, **self._counts_options())
        bounds = self._bounds()
        for sign, day in bounds:
            at = pd.Timestamp(day)
            counts = counts[counts["period"] >= at if sign == ">=" else counts["period"] <= at]
        return self._shown(counts, "Periods that the dates touch are shown whole." * bool(bounds))

    def _shown(self, result: Any, said: str) -> str:
        self.result = result
        draw(self.curve)
        if result.empty:
            draw(self.figure)
            return "Nobody is left: choose other dates, another segment, or brush everybody."
        draw(self.figure, result.plot(template=self._model.template))
        return said

    def _retention(self, who: Population) -> str:
        state, template = self._model.state.trend, self._model.template
        options = self._retention_options()
        start, returns = state.event or "", state.returns or ""
        found = who.s.retention(start, returns, **options)
        self.result = found
        if found.table.empty:
            draw(self.figure)
            draw(self.curve)
            return "Nobody is left: choose other dates, another segment, or brush everybody."
        draw(self.figure, found.plot(template=template))
        draw(self.curve, found.curve().plot(template=template))
        return ""

    def _counts_options(self) -> dict[str, Any]:
        model = self._model
        given: dict[str, Any] = {"freq": model.freq, "measure": model.state.trend.show}
        calendar = model.state.calendar
        return given | model.by_given() | ({} if calendar is None else {"calendar": calendar})

    def _retention_options(self) -> dict[str, Any]:
        model = self._model
        moments = model.moments(period=False)
        given: dict[str, Any] = {"freq": model.freq} | model.by_given()
        given |= {"where": moments} if moments else {}
        calendar = model.state.calendar
        return given | ({} if calendar is None else {"calendar": calendar})

    def _bounds(self) -> list[tuple[str, str]]:
        """Return between which first days the periods lie that the dates touch."""
        state, periods = self._model.state, self._model.periods()
        if not len(periods):
            return []
        asked = ((">=", state.start, periods[0]), ("<=", state.end, periods[-1]))
        return [(sign, f"{at.start_time:%Y-%m-%d}") for sign, day, at in asked if day is not None]

    def _clear(self) -> None:
        self.result = None
        draw(self.figure)
        draw(self.curve)
        self.code.value = ""


def event_options(model: Model) -> list[tuple[str, str | None]]:
    """Return the events to choose from, most frequent first, those of the state included."""
    chosen = (model.state.trend.event, model.state.trend.returns, model.state.channels.conversion)
    names = [*model.names[: show.MOST_OPTIONS]]
    names += [name for name in chosen if name is not None and name not in names]
    listed: list[tuple[str, str | None]] = [
        (shortened(name, show.MOST_LETTERS), name) for name in names
    ]
    return listed or [("no events", None)]


def _arguments(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items())
