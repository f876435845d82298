"""The tab What changed: two periods, the parts of their difference, and the profiles behind each.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from convergekit.base.wording import counted, shortened
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chart, chosen_by, draw, field, foldable, offer
from convergekit.explore.model import Model, Population, code_of
from convergekit.explore.profile import ProfileExplorer
from convergekit.explore.state import Days
from convergekit.explore.work import Work

if TYPE_CHECKING:
    from convergekit.change.result import Why

_NUMBERS = (
    ("Conversion of the funnel", "conversion"),
    ("Orders", "orders"),
    ("Revenue", "revenue"),
    ("Revenue a visit", "revenue a visit"),
)
_OF_MONEY = ("revenue", "revenue a visit")
#: Of more events the answer takes too long for somebody who did not ask for it.
_AT_ONCE = 10_000
_SIDES = ("before", "after")
_FEW_STEPS = "Two steps are needed: choose them on the tab Funnel."
_FEW_DAYS = "Two periods are needed: choose the days of each."
_NO_PERSON = ""


class ChangeExplorer:
    """The tab What changed.

    Parameters
    ----------
    model : Model
    profile : ProfileExplorer
        Where a profile is looked up.

    Attributes
    ----------
    box : ipywidgets.Box
    result : Why or None
        What is shown.
    """

    def __init__(self, model: Model, profile: ProfileExplorer) -> None:
        self._model, self._profile = model, profile
        self.result: Why | None = None
        self._asked: str = ""
        self._is_told: bool = False
        self.work: Work = Work("Splitting the difference…", self._show, self._clear, self._key)
        self.number: widgets.Dropdown = field(
            "What changed", widgets.Dropdown(options=_NUMBERS, value=model.state.change.number)
        )
        self.days: dict[tuple[str, int], widgets.DatePicker] = {
            (side, at): field(f"{side.capitalize()}, {name}", widgets.DatePicker())
            for side in _SIDES
            for at, name in enumerate(("from", "to, included"))
        }
        self.ask: widgets.Button = widgets.Button(
            description="Say why", icon="search", button_style="primary", layout={"width": "auto"}
        )
        self.part: widgets.Dropdown = field("Profiles behind", widgets.Dropdown())
        self.person: widgets.Dropdown = field("Look up on the tab People", widgets.Dropdown())
        self.figure: widgets.Output = chart()
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.people: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.box: widgets.Box = foldable(
            "Periods and number",
            [self.number, *self.days.values(), self.ask, self.part, self.person],
            [self.work.status, self.figure, self.table, self.people, self.code],
        )
        chosen_by(self.number, lambda number: model.change_part("change", number=number))
        for picker in self.days.values():
            chosen_by(picker, self._take)
        self.ask.on_click(self._pressed)
        chosen_by(self.part, lambda _: self._list())
        chosen_by(self.person, self._look_up)

    def source(self) -> str:
        """Return the Python code that gives the same."""
        model = self._model
        who = model.who(bar=False)
        steps = f"[{', '.join(model.step_sources())}]"
        periods = [repr(days) for days in self._periods()]
        given = [f"{name}={value!r}" for name, value in self._options().items()]
        arguments = [*periods, f"steps={steps}", *given]
        return code_of(
            *who.lines,
            f"found = {who.name}.why(",
            *(f"    {argument}," for argument in arguments),
            ")",
            f"found.plot({show.template_of(model.template)}).show()",
            "found",
        )

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""
        self.work.refresh()

    def _key(self) -> str:
        model = self._model
        money = model.state.channels.value if model.state.change.number in _OF_MONEY else None
        return model.key("change", "funnel", period=False, bar=False) + repr(money)

    def _periods(self) -> list[Days]:
        """Return the days of both periods: those that are chosen, or the last two whole weeks."""
        chosen = self._model.state.change
        given = chosen.before, chosen.after
        if None not in given:
            return [days for days in given if days is not None]
        usual = self._model.usual_periods()
        return [own or other for own, other in zip(given, usual, strict=True)] if usual else []

    def _options(self) -> dict[str, Any]:
        state = self._model.state
        given: dict[str, Any] = {"number": state.change.number, "within": state.funnel.within}
        if state.change.number in _OF_MONEY and state.channels.value:
            given["value"] = state.channels.value
        return given if state.breakdown is None else given | {"by": state.breakdown}

    def _show(self) -> str | None:
        periods = self._periods()
        self._fill(periods)
        key, model = self._key(), self._model
        # The funnel's and the bar's choices do not press the button.
        if key != self._asked and not self._is_small():
            self._clear()
            return " ".join(["Press Say why for the answer.", *self._said()])
        self._asked = key
        who = model.who(bar=False)
        lacking = self._lacking(who, periods)
        if lacking:
            self._clear()
            return lacking
        found = who.s.why(*periods, steps=model.asked_steps(), **self._options())
        self.result = found
        draw(self.figure, found.plot(template=model.template))
        self.table.value = show.framed(found._repr_html_())
        self.code.value = show.heading("The code of this answer") + show.code(self.source())
        parts = [
            (shortened(f"{row.part}. {row.kind}, {row.what}", show.MOST_LETTERS), row.part)
            for row in found.table.itertuples()
        ]
        offer(self.part, parts)
        self._list()
        return " ".join(self._said())

    def _lacking(self, who: Population, periods: list[Days]) -> str:
        """Return why nothing can be compared; empty if something can."""
        if len(self._model.steps) < 2:
            return _FEW_STEPS
        said = (self._model.lacks(who, name) for name in self._model.steps)
        return next(filter(None, said), "") or ("" if periods else _FEW_DAYS)

    def _said(self) -> list[str]:
        """Return what of the common choices the answer does not follow."""
        state, said = self._model.state, []
        if state.start or state.end or state.period:
            said.append("The periods are those that are chosen here.")
        if state.bar is not None:
            said.append("All who entered are compared, not those of the brushed bar.")
        if state.calendar is not None:
            said.append("Days are those of the calendar of ck.stitch.")
        return said

    def _is_small(self) -> bool:
        is_in_parts = self._model.offered.source.in_parts
        return not is_in_parts and int(self._model.counts.sum()) <= _AT_ONCE

    def _pressed(self, _: Any) -> None:
        self._asked = self._key()
        # While it lasts another click would repeat it.
        self.ask.disabled = True
        self.work.now()
        self.ask.disabled = False

    def _take(self, _: Any) -> None:
        """Take the days, once all of them are chosen and each period ends after its begin."""
        if self._is_told:
            return
        chosen = {place: picker.value for place, picker in self.days.items()}
        if None in chosen.values():
            return
        spans = {side: tuple(chosen[side, at].isoformat() for at in (0, 1)) for side in _SIDES}
        wrong = self._model.wrong("change", **spans)
        if wrong:
            self._clear()
            self.work.status.value = show.error(wrong)
        else:
            self._model.change_part("change", **spans)

    def _fill(self, periods: list[Days]) -> None:
        """Show the days that are asked about."""
        self._is_told = True
        for side, days in zip(_SIDES, periods, strict=False):
            for at, day in enumerate(days):
                self.days[side, at].value = datetime.date.fromisoformat(day)
        self._is_told = False

    def _list(self) -> None:
        """List the profiles behind the chosen part."""
        if self.result is None or self.part.value is None:
            self.people.value = ""
            offer(self.person, [("no profiles", _NO_PERSON)])
            return
        found = self.result.profiles(self.part.value)
        listed = found.head(show.MOST_OPTIONS)
        more = show.listed_of(
            len(listed), len(found), "profile", f"found.profiles({self.part.value}) has them all"
        )
        title = f"{counted(len(found), 'profile')} behind part {self.part.value}"
        self.people.value = show.heading(title) + show.hint(more) + show.table(listed.head(8))
        names = [(f"{row.profile_id} · {row.side}", row.profile_id) for row in listed.itertuples()]
        offer(self.person, [("choose a profile", _NO_PERSON), *names])

    def _look_up(self, profile_id: str | None) -> None:
        if profile_id:
            self._profile.search.value = profile_id

    def _clear(self) -> None:
        self.result = None
        draw(self.figure)
        self.table.value = self.code.value = ""
        offer(self.part, [("no parts", None)])
        self._list()
