"""The bar above the tabs: dates, breakdown, segment and calendar of all of them.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

import datetime
from typing import Any, get_args
from zoneinfo import available_timezones

import ipywidgets as widgets

from convergekit.base.wording import shortened
from convergekit.errors import ConvergekitError
from convergekit.events.calendar import Weekday
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chosen_by, field, folding
from convergekit.explore.model import Model
from convergekit.explore.segments import SegmentChooser
from convergekit.explore.state import State

# Choosers take None for nothing chosen at all, and then show nothing.
_NOTHING = ""


class CommonBar:
    """What is chosen for all tabs, and what is brushed.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        state = model.state
        self.start: widgets.DatePicker = field("From", widgets.DatePicker(value=_date(state.start)))
        self.end: widgets.DatePicker = field(
            "To, included", widgets.DatePicker(value=_date(state.end))
        )
        self.breakdown: widgets.Dropdown = field("Breakdown", _breakdown_chooser(model))
        self.segment: SegmentChooser = SegmentChooser(model)
        usual = model.usual_calendar
        self.calendar: widgets.Combobox = field(
            "Time zone",
            widgets.Combobox(
                value=state.calendar or "",
                placeholder=f"{usual.zone} (usual)",
                options=sorted(available_timezones()),
                ensure_option=False,
                continuous_update=False,
            ),
        )
        weeks = [(f"{usual.week_starts.capitalize()} (usual)", _NOTHING)]
        weeks += [(day.capitalize(), day) for day in get_args(Weekday)]
        self.week_starts: widgets.Dropdown = field(
            "Weeks from", widgets.Dropdown(options=weeks, value=state.week_starts or _NOTHING)
        )
        self.said: widgets.HTML = widgets.HTML(layout=WIDE)
        self.brushed: widgets.HTML = widgets.HTML()
        self.unbrush: widgets.Button = widgets.Button(
            description="Everybody, all the time", icon="times", layout={"width": "auto"}
        )
        more = [*self.segment.controls, self.calendar, self.week_starts]
        row = widgets.Box(
            [self.start, self.end, self.breakdown, folding("Segment and calendar", *more), *more]
        )
        row.add_class("ck-bar")
        brushed = widgets.HBox([self.brushed, self.unbrush], layout=WIDE)
        self._brushed_row = brushed
        self.box: widgets.VBox = widgets.VBox([row, self.said, brushed], layout=WIDE)
        self._listen()
        self.refresh()

    def refresh(self) -> None:
        """Show what is brushed."""
        words = self._model.in_words()
        self._brushed_row.layout.display = None if words else "none"
        self.brushed.value = show.hint(f"The tabs are about: {words}") if words else ""

    def _listen(self) -> None:
        model = self._model
        chosen_by(self.start, lambda day: self._take(start=_text(day)))
        chosen_by(self.end, lambda day: self._take(end=_text(day)))
        chosen_by(self.breakdown, lambda name: self._take(breakdown=name or None))
        chosen_by(self.calendar, lambda zone: self._take(calendar=zone.strip() or None))
        chosen_by(self.week_starts, lambda day: self._take(week_starts=day or None))
        self.unbrush.on_click(lambda _: model.change(period=None, bar=None))

    def _take(self, **changed: Any) -> None:
        """Take a choice, or say why it cannot be."""
        try:
            State.of(self._model.state.to_dict() | changed)
        except ConvergekitError as wrong:
            self.said.value = show.error(str(wrong))
            return
        self.said.value = ""
        self._model.change(**changed)


def _breakdown_chooser(model: Model) -> widgets.Dropdown:
    names = list(model.breakdowns)
    listed = names[: show.MOST_OPTIONS]
    chosen = model.state.breakdown
    listed += [chosen] if chosen is not None and chosen not in listed else []
    more = show.listed_of(len(listed), len(names), "property", "code can name them all")
    options = [(f"none ({more})" if more else "none", _NOTHING)]
    options += [(shortened(model.breakdowns[name], show.MOST_LETTERS), name) for name in listed]
    return widgets.Dropdown(options=options, value=chosen or _NOTHING)


def _date(day: str | None) -> datetime.date | None:
    return None if day is None else datetime.date.fromisoformat(day)


def _text(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()
