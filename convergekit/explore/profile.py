"""The explorer's profile tab: look up a profile by any alias; its events, aliases and links.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, offer, side_by_side, small_button
from convergekit.explore.work import Work
from convergekit.identity.lookup import find_aliases
from convergekit.identity.profiles import LOGIN_TYPES

if TYPE_CHECKING:
    from convergekit.figures.frame import DrawnFrame
    from convergekit.figures.style import Template
    from convergekit.stitched import Stitched

#: Events on one page of the timeline.
PAGE = 25

_FIRST_COLUMNS = ("timestamp", "event_name", "source", "kind", "row")


class ProfileExplorer:
    """The profile tab.

    Parameters
    ----------
    s : Stitched
    name : str
        What the code calls it.

    Attributes
    ----------
    box : ipywidgets.VBox
    timeline : pandas.DataFrame or None
        The events of the profile that is shown, as `Stitched.profile` returns them.
    """

    def __init__(self, s: Stitched, name: str, template: Template) -> None:
        self._s, self._name, self._template = s, name, template
        self._page = 0
        self.timeline: DrawnFrame | None = None
        self._searching = Work("Searching…", self._find, self._nothing_found)
        self._showing = Work("Looking the profile up…", self._show, self._clear)
        self._explaining = Work("Looking for the links…", self._explain, self._unexplained)
        self.search = widgets.Text(
            placeholder="E-mail, token, URN or profile ID", continuous_update=False, layout=WIDE
        )
        self.found = widgets.Select(layout=dict(WIDE))
        self.one = widgets.Dropdown(layout=WIDE)
        self.other = widgets.Dropdown(layout=WIDE)
        self.summary = widgets.HTML(layout=WIDE)
        self.events = widgets.HTML(layout=WIDE)
        self.earlier = small_button("arrow-left", "Earlier events", disabled=True)
        self.later = small_button("arrow-right", "Later events", disabled=True)
        self.pages = widgets.Label()
        self.line, self.graph = widgets.Output(layout=WIDE), widgets.Output(layout=WIDE)
        self.why = widgets.HTML(layout=WIDE)
        self.chain = widgets.Output(layout={"width": "auto", "overflow": "auto"})
        self.code = widgets.HTML(layout=WIDE)
        self.box = self._arranged()
        self._listen()
        self._searching.now()

    @property
    def statuses(self) -> list[widgets.HTML]:
        """Say what is going on, or went wrong: searching, showing, explaining."""
        return [work.status for work in (self._searching, self._showing, self._explaining)]

    def source(self) -> str:
        """Return the Python code that gives the same."""
        alias, one, other = self.found.value, self.one.value, self.other.value
        dark = show.template_of(self._template)
        graph = ", ".join(filter(None, [repr(alias), dark]))
        lines = [
            f"timeline = {self._name}.profile({alias!r})",
            f"timeline.plot({dark}).show()",
            f"{self._name}.plot_profile_graph({graph}).show()",
        ]
        if one is not None and other is not None:
            lines += [
                f"why = {self._name}.explain({one!r}, {other!r})",
                "print(why)",
                f"why.plot({dark}).show()",
            ]
        return "\n".join([*lines, "timeline"])

    def _arranged(self) -> widgets.VBox:
        searching, showing, explaining = self.statuses
        self.paging = widgets.HBox([self.earlier, self.later, self.pages], layout=WIDE)
        controls = widgets.VBox(
            [
                widgets.HTML(show.heading("Look up")),
                self.search,
                searching,
                self.found,
                widgets.HTML(show.heading("Why these two are one profile")),
                self.one,
                self.other,
            ],
            layout=CONTROLS,
        )
        results = widgets.VBox(
            [
                showing,
                self.summary,
                self.line,
                self.events,
                self.paging,
                self.graph,
                explaining,
                self.why,
                self.chain,
                self.code,
            ],
            layout=RESULTS,
        )
        return side_by_side(controls, results)

    def _listen(self) -> None:
        self.search.observe(self._searching.soon, "value")
        self.found.observe(self._showing.soon, "value")
        self.one.observe(self._explaining.soon, "value")
        self.other.observe(self._explaining.soon, "value")
        self.earlier.on_click(lambda _: self._turn(-1))
        self.later.on_click(lambda _: self._turn(1))

    def _find(self) -> str | None:
        text = self.search.value.strip()
        if not text:
            self._nothing_found()
            return "Type an alias and press Enter."
        found = find_aliases(self._s.tables, text, most=show.MOST_OPTIONS)
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
        self.timeline = self._s.profile(alias)
        self._page = 0
        number = self._s.tables.profile_number(alias)
        profile_id = self._s.tables.resolution.profile_ids.iloc[number]
        aliases = self._s.tables.alias_table[0]
        aliases = aliases[(aliases["profile_id"] == profile_id).to_numpy(dtype=bool)]
        self.summary.value = _summary(profile_id, self.timeline, aliases)
        self.line.outputs = show.figure_outputs(self.timeline.plot(template=self._template))
        self._show_page()
        self.graph.outputs = show.figure_outputs(
            self._s.plot_profile_graph(alias, template=self._template)
        )
        self._offer_aliases(alias, aliases)
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
        offer(self.one, options)
        offer(self.other, options)
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
        self.chain.outputs = (
            show.figure_outputs(why.plot(template=self._template)) if len(why.steps) else ()
        )
        self.code.value = show.heading("The code of this page") + show.code(self.source())
        return None

    def _unexplained(self) -> None:
        self.why.value = self.code.value = ""
        self.chain.outputs = ()

    def _clear(self) -> None:
        self.timeline = None
        self.summary.value = self.events.value = ""
        self.line.outputs = self.graph.outputs = ()
        self.paging.layout.display = "none"
        offer(self.one, [])
        offer(self.other, [])
        self._unexplained()


def _summary(profile_id: Any, timeline: pd.DataFrame, aliases: pd.DataFrame) -> str:
    types = aliases["alias_type"].value_counts().sort_index()
    held = ", ".join(f"{count:,} {name}" for name, count in types.items())
    seen = aliases["first_seen"].min(), aliases["last_seen"].max()
    return show.heading(f"Profile {profile_id}") + show.hint(
        f"{counted(len(timeline), 'event')} from {seen[0]:%Y-%m-%d} to {seen[1]:%Y-%m-%d}; "
        f"{counted(len(aliases), 'alias', 'aliases')}: {held}."
    )
