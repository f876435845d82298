"""The tab of identity and check-up: suspects, the audit of the tracking, and the report.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chosen_by, field, foldable
from convergekit.explore.model import Model, Population, code_of
from convergekit.explore.suspects import SuspectsAnswer
from convergekit.explore.trend import event_options
from convergekit.explore.work import Work

if TYPE_CHECKING:
    from convergekit.checks.check_up import CheckUp
    from convergekit.diagnostics.report import Report

_SHOWN = (
    ("Suspects: several people in one profile", "suspects"),
    ("Check-up: faults of the tracking", "check_up"),
    ("Report: what was stitched, and what was not", "report"),
)
# A chooser takes None for nothing chosen at all, and then shows nothing.
_NO_EVENT = ""


class IdentityExplorer:
    """The tab of identity and check-up.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    box : ipywidgets.Box
    suspects : SuspectsAnswer
        Its `result` is the comparison that is shown.
    result : CheckUp, Report or None
        The audit or the report, if one is shown.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.result: CheckUp | Report | None = None
        self.work: Work = Work("Looking at identity…", self._show, self._clear, self._key)
        self.suspects: SuspectsAnswer = SuspectsAnswer(model)
        asked = model.state.identity
        self.show: widgets.Dropdown = field(
            "Show", widgets.Dropdown(options=_SHOWN, value=asked.show)
        )
        events = [option for option in event_options(model) if option[1] is not None]
        self.event: widgets.Dropdown = field(
            "Measured on the event",
            widgets.Dropdown(
                options=[*events, ("no event: profiles alone", _NO_EVENT)], value=asked.event
            ),
        )
        self.card: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.box: widgets.Box = foldable(
            "What is shown, and the alias to block",
            [self.show, self.event, *self.suspects.controls],
            [self.work.status, *self.suspects.boxes, self.card, self.code],
        )
        chosen_by(self.show, lambda what: model.change_part("identity", show=what))
        chosen_by(self.event, self._take_event)

    def source(self) -> str:
        """Return the Python code that gives the same card."""
        when = self._model.when()
        if self._model.state.identity.show == "report":
            return code_of(*when.lines, f"{when.name}.report")
        event = self._conversion(when)
        given = f", conversion={event!r}" if event else ""
        return code_of(*when.lines, f"ck.check_up({when.name}.events{given})")

    def _take_event(self, name: str) -> None:
        self._model.change_part("identity", event=name)

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""
        self.work.refresh()

    def _key(self) -> str:
        asked = self._model.state.identity
        own = asked.event if asked.show == "check_up" else ""
        return self._model.key() + repr((asked.show, own))

    def _show(self) -> str:
        shown = self._model.state.identity.show
        is_suspects = shown == "suspects"
        for box in (*self.suspects.controls, *self.suspects.boxes):
            box.layout.display = None if is_suspects else "none"
        self.event.layout.display = "none" if shown == "report" else None
        self.result = None
        self.card.value = self.code.value = ""
        if is_suspects:
            return " ".join(filter(None, [self.suspects.show(), self._undated()]))
        when = self._model.when()
        if shown == "report":
            self.result = when.s.report
            said = ""
        else:
            self.result = when.offered.check_up(self._conversion(when))
            said = (
                "Of the events that were kept. ck.check_up(events) of the export itself sees the "
                "dropped copies too."
            )
        self.card.value = show.framed(self.result._repr_html_())
        self.code.value = show.heading("The code of this card") + show.code(self.source())
        return said

    def _conversion(self, who: Population) -> str | None:
        """Return the event whose money counts, if those who are asked about have it."""
        event = self._model.state.identity.event or None
        return None if event is None or self._model.lacks(who, event) else event

    def _undated(self) -> str:
        if not any(self._model.dates(period=True)):
            return ""
        return "Who is who is that of all the time: dates do not change it."

    def _clear(self) -> None:
        self.result = None
        self.card.value = self.code.value = ""
        self.suspects.clear()
