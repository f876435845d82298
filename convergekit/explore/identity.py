"""The explorer's identity tab: aliases that join several people, and the effect of blocking them.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError
from convergekit.events.steps import tracked
from convergekit.explore import display as show
from convergekit.explore.layout import CONTROLS, RESULTS, WIDE, offer, side_by_side
from convergekit.explore.work import Work
from convergekit.identity.lookup import find_aliases

if TYPE_CHECKING:
    from convergekit.diagnostics.what_if import WhatIf
    from convergekit.stitched import Stitched

_SHOWN = ("profile_id", "evidence", "events", "aliases", "cut", "parts")
_USUAL_EVENT = "Placed Order"
# A chooser takes None for nothing chosen at all, and then shows nothing.
_NO_EVENT = ""


class IdentityExplorer:
    """The identity tab.

    Parameters
    ----------
    s : Stitched
    name : str
        What the code calls it.

    Attributes
    ----------
    box : ipywidgets.VBox
    result : WhatIf or None
        The comparison that is shown.
    """

    def __init__(self, s: Stitched, name: str) -> None:
        self._s, self._name = s, name
        self.result: WhatIf[Stitched] | None = None
        self._loading = Work("Looking for suspects…", self._load, self._clear)
        self._offering = Work("Listing its aliases…", self._offer, self._clear)
        self._comparing = Work("Stitching without it…", self._compare, self._clear)
        self._is_loaded = False
        self.suspects = widgets.Select(rows=2, layout=WIDE)
        self.alias = widgets.Dropdown(layout=WIDE)
        self.other = widgets.Text(
            placeholder="or another: a URN or a value", continuous_update=False, layout=WIDE
        )
        self.event = widgets.Dropdown(layout=WIDE)
        self.restitch = widgets.Button(
            description="Stitch without it", icon="refresh", button_style="primary"
        )
        self.table = widgets.HTML(layout=WIDE)
        self.reason = widgets.HTML(layout=WIDE)
        self.comparison = widgets.HTML(layout=WIDE)
        self.code = widgets.HTML(layout=WIDE)
        self.box = self._arranged()
        self.suspects.observe(self._offering.soon, "value")
        self.restitch.on_click(self._restitch)

    @property
    def statuses(self) -> list[widgets.HTML]:
        """Say what is going on, or went wrong: looking, listing, stitching."""
        return [work.status for work in (self._loading, self._offering, self._comparing)]

    def load(self) -> None:
        """Find the suspects, unless that was done; it takes a while in a large store."""
        if not self._is_loaded:
            self._loading.now()

    def source(self, blocked: tuple[str, ...]) -> str:
        """Return the Python code that gives the same comparison."""
        s, urns = self._name, list(blocked)
        return (
            f"compared = {s}.without({urns!r}, event={self.event.value or None!r})\n"
            f"# As ck.stitch(..., block={urns!r}) returns:\n"
            "fixed = compared.stitched\n"
            f"print(len({s}.suspects), len(fixed.suspects))\n"
            "compared.table"
        )

    def _arranged(self) -> widgets.VBox:
        loading, offering, comparing = self.statuses
        controls = widgets.VBox(
            [
                widgets.HTML(show.heading("Suspects")),
                self.suspects,
                widgets.HTML(show.heading("Alias to block")),
                self.alias,
                self.other,
                offering,
                widgets.HTML(show.heading("Measured on")),
                self.event,
                self.restitch,
            ],
            layout=CONTROLS,
        )
        results = widgets.VBox(
            [loading, self.table, self.reason, comparing, self.comparison, self.code],
            layout=RESULTS,
        )
        return side_by_side(controls, results)

    def _load(self) -> str:
        names = self._s.events["event_name"][tracked(self._s.events)].value_counts()
        names = names.head(show.MOST_OPTIONS).index.tolist()
        offer(
            self.event,
            [
                *((shortened(name, show.MOST_LETTERS), name) for name in names),
                ("no event: profiles alone", _NO_EVENT),
            ],
        )
        if _USUAL_EVENT in names:
            self.event.value = _USUAL_EVENT
        found = self._s.suspects
        listed = found.head(show.MOST_OPTIONS)
        self._is_loaded = True
        named = zip(listed["profile_id"], listed["evidence"], listed["events"], strict=True)
        offer(
            self.suspects,
            [
                (f"{profile_id} · {evidence} · {counted(events, 'event')}", place)
                for place, (profile_id, evidence, events) in enumerate(named)
            ],
        )
        if found.empty:
            return "No profile looks like several people. Any alias can be blocked all the same."
        shown = listed[list(_SHOWN)].assign(cut=[", ".join(cut) for cut in listed["cut"]])
        self.table.value = show.heading("Profiles that look like several people") + show.table(
            shown
        )
        return show.listed_of(len(listed), len(found), "suspect", "`.suspects` has them all")

    def _chosen(self) -> Any:
        place = self.suspects.value
        return None if place is None else self._s.suspects.iloc[place]

    def _offer(self) -> str | None:
        """Offer what is to blame for the chosen suspect, then the aliases on most of its events."""
        self._clear()
        chosen = self._chosen()
        if chosen is None:
            offer(self.alias, [])
            return None
        cut = list(chosen["cut"])
        aliases = self._s.tables.alias_table[0]
        aliases = aliases[(aliases["profile_id"] == chosen["profile_id"]).to_numpy(dtype=bool)]
        ranked = aliases.sort_values(["events", "urn"], ascending=[False, True])
        others = [urn for urn in ranked["urn"].head(show.MOST_OPTIONS) if urn not in cut]
        together = [(f"all {len(cut)} to blame", tuple(cut))] if len(cut) > 1 else []
        offer(
            self.alias,
            [
                *together,
                *((f"{shortened(urn, show.MOST_LETTERS)} (to blame)", (urn,)) for urn in cut),
                *((shortened(urn, show.MOST_LETTERS), (urn,)) for urn in others),
            ],
        )
        self.reason.value = show.heading(f"Profile {chosen['profile_id']}") + show.hint(
            chosen["reason"]
        )
        if cut:
            return None
        repair = chosen["repair"]
        return f"No alias is to blame; repair it with {repair}" if repair else "No cut was found."

    def _blocked(self) -> tuple[str, ...]:
        text = self.other.value.strip()
        if text:
            found = find_aliases(self._s.tables, text, most=show.MOST_OPTIONS)
            if not found.exact or found.total > 1:
                raise ConvergekitError(
                    f"{text!r} may mean {', '.join(found.urns[:5])}"
                    f"{' and others' if found.total > 5 else ''}; give one of these."
                )
            return tuple(found.urns)
        if self.alias.value is None:
            raise ConvergekitError("choose an alias to block, or type one.")
        return self.alias.value

    def _compare(self) -> str | None:
        blocked = self._blocked()
        self.result = self._s.without(blocked, event=self.event.value or None)
        fixed = self.result.stitched
        counts = [len(self._s.suspects), len(fixed.suspects)]
        suspects = pd.DataFrame(
            {"measure": ["suspects"], "with_it": counts[:1], "without_it": counts[1:]}
        )
        suspects["difference"] = suspects["without_it"] - suspects["with_it"]
        compared = pd.concat([self.result.table, suspects.astype(self.result.table.dtypes)])
        shown = compared.rename(columns=lambda name: name.replace("_", " "))
        what = blocked[0] if len(blocked) == 1 else counted(len(blocked), "alias", "aliases")
        self.comparison.value = (
            show.heading(f"With and without {shortened(what, show.MOST_LETTERS)}")
            + show.table(shown)
            + show.hint(self._parted(self.result, blocked))
        )
        self.code.value = show.heading("The code of this comparison") + show.code(
            self.source(blocked)
        )
        return None

    def _restitch(self, _: Any) -> None:
        # While it lasts another click would repeat it, whatever is chosen by then.
        self.restitch.disabled = True
        self._comparing.now()
        self.restitch.disabled = False

    def _parted(self, result: WhatIf[Stitched], blocked: tuple[str, ...]) -> str:
        """Return what became of the two values that the suspect held."""
        chosen = self._chosen()
        if self.other.value.strip() or chosen is None or not chosen["separates"]:
            return ""
        if set(chosen["separates"]) & set(blocked):
            return ""
        return str(result.stitched.explain(*chosen["separates"])).split("\n")[0]

    def _clear(self) -> None:
        self.result = None
        self.comparison.value = self.code.value = ""
