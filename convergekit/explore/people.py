"""The people tab: who is in the funnel or behind what is brushed, and one of them in full.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pandas as pd

from convergekit.base.wording import counted, shortened
from convergekit.explore import display as show
from convergekit.explore.layout import WIDE, field, foldable, offer
from convergekit.explore.model import Model, code_of
from convergekit.explore.profile import ProfileExplorer
from convergekit.explore.work import Work

#: Columns of the list, of the funnel's conversions and of the profiles.
_COLUMNS = ("profile_id", "reached", "status", "first_seen", "last_seen", "events", "aliases")

# Choosers take None for nothing chosen at all, and then show nothing.
_NOBODY = ""


class PeopleExplorer:
    """The people tab.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    box : ipywidgets.Box
    listed : pandas.DataFrame or None
        The profiles that are asked about: rows of the funnel's `conversions`, or, where it has no
        steps, of `profiles` those that are listed.
    profile : ProfileExplorer
        The one that is chosen.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.listed: pd.DataFrame | None = None
        self.work: Work = Work("Looking for the people…", self._list, self._clear, self._key)
        self.list: widgets.Select = field("Profiles", widgets.Select(rows=9))
        self.profile: ProfileExplorer = ProfileExplorer(model)
        self.who: widgets.HTML = widgets.HTML(layout=WIDE)
        self.code: widgets.HTML = widgets.HTML(layout=WIDE)
        self.box: widgets.Box = foldable(
            "The list and the search",
            [self.work.status, self.list, *self.profile.controls],
            [self.who, *self.profile.results, self.code],
        )
        self._is_told = False
        self.list.observe(self._choose, "value")

    def source(self) -> str:
        """Return the Python code that gives the same list."""
        model = self._model
        if not model.steps:
            return code_of(*model.who(bar=False).lines, f"{model.who(bar=False).name}.profiles")
        lines = model.funnel_lines(period=True)
        return code_of(*lines, f"people = f.{model.people_call()}", "people")

    def refresh(self) -> None:
        """List who is asked about, if that has changed, and look up whom to look up."""
        self.work.refresh()
        self.profile.refresh()

    def _key(self) -> str:
        return self._model.key("funnel")

    def _list(self) -> str | None:
        model = self._model
        found, total = self._found()
        self.listed = found
        table = self._table(found)
        self._is_told = True
        options = [(_line(row), row["profile_id"]) for row in table.to_dict("records")]
        offer(self.list, [("choose a profile", _NOBODY), *options] if options else [])
        self._is_told = False
        said = model.in_words()
        title = counted(total, "profile")
        of = f": {said}" if said else " in the funnel" if model.steps else ""
        self.who.value = show.heading(title + of) + show.table(table.head(8))
        self.code.value = show.heading("The code of this list") + show.code(self.source())
        if not options:
            return "Nobody is left: choose other dates, another segment, or brush everybody."
        return show.listed_of(len(options), total, "profile", "code has them all")

    def _found(self) -> tuple[pd.DataFrame, int]:
        """Return the people, and how many there are."""
        model = self._model
        if not model.steps:
            return model.who(bar=False).offered.first_people()
        found = model.people()
        return found, found["profile_id"].nunique()

    def _table(self, found: pd.DataFrame) -> pd.DataFrame:
        """Return the profiles that are listed, with what is known of each."""
        # Who entered first comes first, whatever the order of what was found.
        rows = found.sort_values(["time_1", "row_1"]) if "depth" in found else found
        rows = rows.drop_duplicates("profile_id").head(show.MOST_OPTIONS)
        ids = rows["profile_id"]
        profiles = self._model.who(bar=False).offered.people(ids.tolist())
        table = pd.DataFrame({"profile_id": ids.to_numpy()})
        if "depth" in found:
            names = dict(enumerate((shortened(n, 28) for n in self._model.steps), 1))
            table["reached"] = rows["depth"].map(names).to_numpy()
            table["status"] = rows["status"].str.replace("_", " ").to_numpy()
        for name in ("first_seen", "last_seen", "events", "aliases"):
            table[name] = profiles[name].reindex(ids).to_numpy()
            if name.endswith("_seen"):
                table[name] = pd.to_datetime(table[name], utc=True).dt.strftime("%Y-%m-%d %H:%M")
        return table[[name for name in _COLUMNS if name in table]]

    def _choose(self, change: Any) -> None:
        if not self._is_told and change["new"]:
            self.profile.search.value = change["new"]

    def _clear(self) -> None:
        self.listed = None
        offer(self.list, [])
        self.who.value = self.code.value = ""


def _line(row: dict[Any, Any]) -> str:
    reached = f"reached {row['reached']} · " if "reached" in row else ""
    return f"{reached}{counted(int(row['events']), 'event')} · {row['profile_id']}"
