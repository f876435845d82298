"""One profile, looked up by any alias: its events, aliases and links, and why it is one.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, chart, draw, field, offer, small_button
from convergekit.explore.model import Model, code_of
from convergekit.explore.offered import SeenProfile
from convergekit.explore.work import Work
from convergekit.identity.profiles import LOGIN_TYPES

if TYPE_CHECKING:
    from convergekit.figures.frame import DrawnFrame

#: Events on one page of the timeline.
PAGE = 25

_FIRST_COLUMNS = ("timestamp", "event_name", "source", "kind", "row")


class ProfileExplorer:
    """The part of the people tab that is about one profile.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    controls, results : list of ipywidgets.Widget
    timeline : pandas.DataFrame or None
        The events of the profile that is shown, as `Stitched.profile` returns them.
    """

    line: widgets.Output
    graph: widgets.Output

    def __init__(self, model: Model) -> None:
        self._model, self._s = model, model.s
        self._page = 0
        self.timeline: DrawnFrame | None = None
        self._searching = Work("Searching…", self._find, self._nothing_found, self._asked)
        self._showing = Work("Looking the profile up…", self._show, self._clear)
        self._explaining = Work("Looking for the links…", self._explain, self._unexplained)
        self.search: widgets.Text = field(
            "Look up",
            widgets.Text(
                model.state.people.search,
                placeholder="E-mail, token, URN or profile ID",
                continuous_update=False,
            ),
        )
        self.found: widgets.Select = field("Found", widgets.Select())
        self.one: widgets.Dropdown = field("Why this alias", widgets.Dropdown())
        self.other: widgets.Dropdown = field("and this are one profile", widgets.Dropdown())
        self.summary: widgets.HTML = widgets.HTML(layout=WIDE)
        self.events: widgets.HTML = widgets.HTML(layout=WIDE)
        self.earlier: widgets.Button = small_button("arrow-left", "Earlier events", disabled=True)
        self.later: widgets.Button = small_button("arrow-right", "Later events", disabled=True)
        self.pages: widgets.Label = widgets.Label()
        self.paging: widgets.HBox = widgets.HBox(
            [self.earlier, self.later, self.pages], layout=WIDE
        )
        self.line, self.graph = chart(), chart()
        self.why: widgets.HTML = widgets.HTML(layout=WIDE)
        self.chain: widgets.Output = widgets.Output(layout={"width": "auto", "overflow": "auto"})
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.controls: list[widgets.Widget] = [
            self.search,
            self._searching.status,
            self.found,
            self.one,
            self.other,
        ]
        self.results: list[widgets.Widget] = [
            self._showing.status,
            *(self.summary, self.line, self.events, self.paging, self.graph),
            self._explaining.status,
            *(self.why, self.chain, self.code),
        ]
        self._listen()
        self._nothing_found()

    @property
    def statuses(self) -> list[widgets.HTML]:
        """Say what is going on, or went wrong: searching, showing, explaining."""
        return [work.status for work in (self._searching, self._showing, self._explaining)]

    def refresh(self) -> None:
        """Look up what is to be looked up, unless that was done."""
        self._searching.refresh()

    def source(self) -> str:
        """Return the Python code that gives the same."""
        alias, one, other = self.found.value, self.one.value, self.other.value
        name, dark = self._model.name, show.template_of(self._model.template)
        graph = ", ".join(filter(None, [repr(alias), dark]))
        lines = [
            f"timeline = {name}.profile({alias!r})",
            f"timeline.plot({dark}).show()",
            f"{name}.plot_profile_graph({graph}).show()",
        ]
        if one is not None and other is not None:
            lines += [
                f"why = {name}.explain({one!r}, {other!r})",
                "print(why)",
                f"why.plot({dark}).show()",
            ]
        return code_of(*lines, "timeline")

    def _listen(self) -> None:
        self.search.observe(self._searching.soon, "value")
        self.search.observe(self._searched, "value")
        self.found.observe(self._showing.soon, "value")
        self.one.observe(self._explaining.soon, "value")
        self.other.observe(self._explaining.soon, "value")
        self.earlier.on_click(lambda _: self._turn(-1))
        self.later.on_click(lambda _: self._turn(1))

    def _searched(self, change: Any) -> None:
        self._model.change_part("people", search=change["new"])

    def _asked(self) -> str:
        return f"look up {self.search.value}"

    def _find(self) -> str | None:
        text = self.search.value.strip()
        if not text:
            self._nothing_found()
            return "Choose a profile of the list, or type an alias and press Enter."
        found = self._model.offered.find(text)
        self.found.layout.display = None
        self.found.rows = min(max(len(found.urns), 2), 8)
        offer(self.found, [(shortened(name, show.MOST_LETTERS), name) for name in found.urns])
        if found.exact:
            return None
        more = show.listed_of(len(found.urns), found.total, "alias", "give more of it")
        return more or f"{counted(found.total, 'alias contains', 'aliases contain')} this."

    def _nothing_found(self) -> None:
        offer(self.found, [])
        self.found.layout.display = "none"
        self._clear()

    def _show(self) -> str | None:
        alias = self.found.value
        if alias is None:
            self._clear()
            return None
        seen = self._model.offered.profile(alias, self._model.template)
        self.timeline = seen.timeline
        self._page = 0
        self.summary.value = _summary(seen)
        draw(self.line, self.timeline.plot(template=self._model.template))
        self._show_page()
        draw(self.graph, seen.graph)
        self._offer_aliases(alias, seen.aliases)
        return None

    def _offer_aliases(self, alias: str, aliases: pd.DataFrame) -> None:
        """Offer the profile's aliases, and choose the two that say most: a browser and a login."""
        ranked = aliases.sort_values(["events", "urn"], ascending=[False, True])
        most = ranked.head(show.MOST_OPTIONS)
        urns = list(dict.fromkeys([alias, *most["urn"]]))[: show.MOST_OPTIONS]
        options = [(shortened(urn, show.MOST_LETTERS), urn) for urn in urns]
        logins = most["urn"][most["alias_type"].isin(LOGIN_TYPES)]
        browsers = most["urn"][most["alias_type"] == self._s.browser_alias]
        others = [urn for urn in [*browsers, *logins, *urns] if urn != alias]
        for chooser in (self.one, self.other):
            offer(chooser, options)
            chooser.layout.display = None
        self.other.value = others[0] if others else alias
        self._explaining.soon()

    def _turn(self, pages: int) -> None:
        self._page += pages
        self._show_page()

    def _show_page(self) -> None:
        timeline = self.timeline
        if timeline is None:
            return
        start, end = self._page * PAGE, min((self._page + 1) * PAGE, len(timeline))
        shown = show.first_columns(timeline.drop(columns="profile_id"), _FIRST_COLUMNS)
        self.events.value = show.heading("Events, in UTC") + show.table(shown.iloc[start:end])
        self.pages.value = f"{start + 1:,} to {end:,} of {len(timeline):,}"
        self.earlier.disabled, self.later.disabled = start == 0, end == len(timeline)
        self.paging.layout.display = None if len(timeline) > PAGE else "none"

    def _explain(self) -> str | None:
        one, other = self.one.value, self.other.value
        if one is None or other is None:
            self._unexplained()
            return None
        why = self._s.explain(one, other)
        self.why.value = show.heading("Why they are one") + show.framed(why._repr_html_())
        steps = [why.plot(template=self._model.template)] if len(why.steps) else []
        draw(self.chain, *steps)
        self.code.value = show.heading("The code of this page") + show.code(self.source())
        return None

    def _unexplained(self) -> None:
        self.why.value = self.code.value = ""
        draw(self.chain)

    def _clear(self) -> None:
        self.timeline = None
        self.summary.value = self.events.value = ""
        draw(self.line)
        draw(self.graph)
        self.paging.layout.display = "none"
        for chooser in (self.one, self.other):
            offer(chooser, [])
            chooser.layout.display = "none"
        self._unexplained()


def _summary(profile: SeenProfile) -> str:
    timeline, aliases = profile.timeline, profile.aliases
    types = aliases["alias_type"].value_counts().sort_index()
    held = ", ".join(f"{count:,} {name}" for name, count in types.items())
    seen = aliases["first_seen"].min(), aliases["last_seen"].max()
    return show.heading(f"Profile {profile.profile_id}") + show.hint(
        f"{counted(len(timeline), 'event')} from {seen[0]:%Y-%m-%d} to {seen[1]:%Y-%m-%d}; "
        f"{counted(len(aliases), 'alias', 'aliases')}: {held}."
    )
