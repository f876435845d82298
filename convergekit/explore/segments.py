"""Choose whom everything is asked about: by what profiles did, or by a property or a query.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from convergekit.base.wording import shortened
from convergekit.explore import display as show
from convergekit.explore.layout import field, offer
from convergekit.explore.model import Model
from convergekit.explore.offered import as_options
from convergekit.explore.state import ChosenSegment
from convergekit.explore.work import Work

_EVERYBODY = "everybody"
_KINDS = (
    ("everybody", _EVERYBODY),
    ("profiles that did", "did"),
    ("profiles that never did", "never"),
    ("profiles whose", "profiles"),
    ("events whose", "events"),
    ("profiles by a query", "query profiles"),
    ("events by a query", "query events"),
)
_NOT_CHOSEN = ""
_NO_VALUE: tuple[()] = ()


class SegmentChooser:
    """The controls of the segment.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    controls : list of ipywidgets.Widget
    """

    def __init__(self, model: Model) -> None:
        self._model, self._is_told = model, True
        self._values = Work("Listing its values…", self._offer_values, self._no_value)
        self.kind: widgets.Dropdown = field(
            "Segment", widgets.Dropdown(options=_KINDS, value=_EVERYBODY)
        )
        self.name: widgets.Dropdown = field("of the segment", widgets.Dropdown())
        self.value: widgets.Dropdown = field(
            "is", widgets.Dropdown(options=[("choose", _NO_VALUE)])
        )
        self.query: widgets.Text = field(
            "Query", widgets.Text(placeholder="events > 3", continuous_update=False)
        )
        self.controls: list[widgets.Widget] = [
            self.kind,
            self.name,
            self.value,
            self.query,
            self._values.status,
        ]
        self._restore(model.state.segment)
        self._is_told = False
        self.kind.observe(self._new_kind, "value")
        self.name.observe(self._new_name, "value")
        for control in (self.value, self.query):
            control.observe(self._chosen, "value")

    def _restore(self, segment: ChosenSegment | None) -> None:
        if segment is not None:
            is_query = isinstance(segment.condition, str) and not segment.name
            self.kind.value = f"query {segment.kind}" if is_query else segment.kind
        self._arrange()
        if segment is None:
            return
        if isinstance(segment.condition, tuple):
            name, value = segment.condition
            self._choose(self.name, name)
            self._values.now()
            self._choose(self.value, value)
        elif segment.name:
            self._choose(self.name, segment.name)
        else:
            self.query.value = segment.condition

    def _choose(self, chooser: widgets.Dropdown, value: Any) -> None:
        """Choose a value, that is offered if it was not."""
        if value not in [one for _, one in chooser.options]:
            chooser.options = [*chooser.options, (shortened(value, show.MOST_LETTERS), value)]
        chooser.value = value

    def _arrange(self) -> None:
        """Show the controls that the kind needs, and offer what it can be of."""
        kind = self.kind.value
        names: list[str] = []
        if kind in ("did", "never"):
            names = self._model.names
        elif kind in ("profiles", "events"):
            names = self._model.segment_columns(kind)
        listed = [(shortened(one, show.MOST_LETTERS), one) for one in names[: show.MOST_OPTIONS]]
        offer(self.name, [("choose", _NOT_CHOSEN), *listed])
        self.name.description = "the event" if kind in ("did", "never") else "property"
        self._no_value()
        for control, is_needed in (
            (self.name, bool(names)),
            (self.value, kind in ("profiles", "events")),
            (self.query, kind.startswith("query")),
            (self._values.status, kind in ("profiles", "events")),
        ):
            control.layout.display = None if is_needed else "none"

    def _offer_values(self) -> str | None:
        self._no_value()
        name = self.name.value
        if not name or self.kind.value not in ("profiles", "events"):
            return None
        values = self._model.offered.values(self.kind.value, name)
        self.value.options = [*self.value.options, *as_options(values)]
        listed = len(values.counts)
        return show.listed_of(listed, values.total, "value", "a query can name them all")

    def _no_value(self) -> None:
        offer(self.value, [("choose", _NO_VALUE)])

    def _new_kind(self, _: Any) -> None:
        self._is_told = True
        self._arrange()
        self._is_told = False
        self._take(None)

    def _new_name(self, _: Any) -> None:
        if self._is_told:
            return
        self._is_told = True
        self._values.now()
        self._is_told = False
        self._chosen(None)

    def _chosen(self, _: Any) -> None:
        if not self._is_told:
            self._take(self._segment())

    def _segment(self) -> ChosenSegment | None:
        """Return what is chosen; None while something is missing."""
        kind, name, value = self.kind.value, self.name.value, self.value.value
        if kind in ("did", "never") and name:
            return ChosenSegment(kind, name=name)
        if kind in ("profiles", "events") and name and value != _NO_VALUE:
            return ChosenSegment(kind, condition=(name, value))
        if kind.startswith("query ") and self.query.value.strip():
            return ChosenSegment(kind.removeprefix("query "), condition=self.query.value.strip())
        return None

    def _take(self, segment: ChosenSegment | None) -> None:
        self._model.change(segment=segment)
