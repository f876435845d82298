"""Suspects: aliases that join several people, and the effect of blocking them.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, field, offer
from convergekit.explore.model import Model, Population, code_of
from convergekit.explore.work import Work

if TYPE_CHECKING:
    from convergekit.diagnostics.what_if import WhatIf

_SHOWN = ("profile_id", "evidence", "events", "aliases", "cut", "parts")


class SuspectsAnswer:
    """Profiles that look like several people, and the numbers without an alias.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    controls, boxes : list of ipywidgets.Widget
    result : WhatIf or None
        The comparison that is shown.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._who: Population = model.everybody
        self.result: WhatIf[Any] | None = None
        self._offering = Work("Listing its aliases…", self._offer, self._clear)
        self._comparing = Work("Stitching without it…", self._compare, self._clear)
        self.suspects: widgets.Select = field("Suspects", widgets.Select(rows=3))
        self.alias: widgets.Dropdown = field("Alias to block", widgets.Dropdown())
        self.other: widgets.Text = field(
            "or another",
            widgets.Text(
                model.state.identity.block, placeholder="a URN or a value", continuous_update=False
            ),
        )
        self.restitch: widgets.Button = widgets.Button(
            description="Stitch without it",
            icon="refresh",
            button_style="primary",
            layout={"width": "auto"},
        )
        self.table: widgets.HTML = widgets.HTML(layout=WIDE)
        self.reason: widgets.HTML = widgets.HTML(layout=WIDE)
        self.comparison: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.controls: list[widgets.Widget] = [self.suspects, self.alias, self.other]
        self.controls += [self._offering.status, self.restitch]
        self.boxes: list[widgets.Widget] = [
            self.table,
            self.reason,
            self._comparing.status,
            self.comparison,
            self.code,
        ]
        self.suspects.observe(self._offering.soon, "value")
        self.other.observe(self._typed, "value")
        self.restitch.on_click(self._restitch)

    @property
    def statuses(self) -> list[widgets.HTML]:
        """Say what is going on, or went wrong: listing, stitching."""
        return [self._offering.status, self._comparing.status]

    def source(self, blocked: tuple[str, ...]) -> str:
        """Return the Python code that gives the same comparison."""
        who, urns = self._model.who(bar=True), list(blocked)
        event = self._model.state.identity.event or None
        return code_of(
            *who.lines,
            f"compared = {who.name}.without({urns!r}, event={event!r})",
            f"# As ck.stitch(..., block={urns!r}) returns:",
            "fixed = compared.stitched",
            f"print(len({who.name}.suspects), len(fixed.suspects))",
            "compared.table",
        )

    def show(self) -> str:
        """Look for suspects, and list them."""
        self._clear()
        self._who = self._model.who(bar=True)
        found = self._who.s.suspects
        listed = found.head(show.MOST_OPTIONS)
        named = zip(listed["profile_id"], listed["evidence"], listed["events"], strict=True)
        offer(
            self.suspects,
            [
                (f"{profile_id} · {evidence} · {counted(events, 'event')}", place)
                for place, (profile_id, evidence, events) in enumerate(named)
            ],
        )
        self._offering.now()
        if found.empty:
            self.table.value = self.reason.value = ""
            return (
                "No profile looks like several people. To see what an alias links, type its URN or "
                "value, and press the button: everything is stitched again without it."
            )
        shown = listed[list(_SHOWN)].assign(cut=[", ".join(cut) for cut in listed["cut"]])
        self.table.value = show.heading("Profiles that look like several people") + show.table(
            shown
        )
        return show.listed_of(len(listed), len(found), "suspect", "`.suspects` has them all")

    def clear(self) -> None:
        """Take away what was shown."""
        self.table.value = self.reason.value = ""
        self._clear()

    def _typed(self, change: Any) -> None:
        self._model.change_part("identity", block=change["new"])

    def _chosen(self) -> Any:
        place = self.suspects.value
        return None if place is None else self._who.s.suspects.iloc[place]

    def _offer(self) -> str | None:
        """Offer what is to blame for the chosen suspect, then the aliases on most of its events."""
        self._clear()
        chosen = self._chosen()
        if chosen is None:
            offer(self.alias, [])
            return None
        cut = list(chosen["cut"])
        most = self._who.offered.aliases_of(chosen["profile_id"])[: show.MOST_OPTIONS]
        others = [urn for urn in most if urn not in cut]
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
            found = self._who.offered.find(text)
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
        self.result = self._who.s.without(blocked, event=self._model.state.identity.event or None)
        fixed = self.result.stitched
        counts = [len(self._who.s.suspects), len(fixed.suspects)]
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

    def _parted(self, result: WhatIf[Any], blocked: tuple[str, ...]) -> str:
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
