"""Measure the accuracy of profiles against a known truth: precision, recall and F1.

Both measures compare two ways to part the same events, by profile and by true person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, what_there_is
from convergekit.figures.calls import of_function
from convergekit.figures.card import Result
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.identity.tables import HasTables


#: What `truth=` takes: the true person of each input row.
Truth: TypeAlias = pd.DataFrame | pd.Series | Mapping[int, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Result):
    """The accuracy of the profiles.

    Attributes
    ----------
    table : pandas.DataFrame
        `measure` (``"pairwise"``, ``"B-cubed"``), `precision`, `recall`, `f1`, from 0 to 1.
    over_merged : pandas.DataFrame
        The profiles that hold several people, those with most first: `profile_id`, `people` (how
        many), `events`, `persons` (a list).
    split : pandas.DataFrame
        The people on several profiles, those on most first: `person`, `profiles` (how many),
        `events`, `without_profile` (events of theirs that are on none), `profile_ids` (a list).
    events, people, profiles : int
        How many events were compared, of how many people, on how many profiles.
    without_profile : int
        How many of these events have no profile; each counts as a profile of its own.
    left_out : int
        Events that the truth does not name.
    """

    table: pd.DataFrame
    over_merged: pd.DataFrame
    split: pd.DataFrame
    events: int
    people: int
    profiles: int
    without_profile: int
    left_out: int

    def _line(self) -> str:
        measures = "; ".join(
            f"{row.measure} precision {row.precision:.3f}, recall {row.recall:.3f}, F1 {row.f1:.3f}"
            for row in self.table.itertuples()
        )
        return (
            f"Evaluation({counted(self.events, 'event')} of "
            f"{counted(self.people, 'person', 'people')} on {counted(self.profiles, 'profile')}; "
            f"{measures}; {counted(len(self.over_merged), 'profile')} over-merged, "
            f"{counted(len(self.split), 'person', 'people')} split)"
        )

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return precision, recall and F1, and the shares of mistaken profiles and people.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from convergekit.diagnostics.evaluation_figure import evaluation_figure
        from convergekit.figures.style import Style

        return evaluation_figure(self, Style(template, width, height))

    def _body(self) -> Iterable[pd.DataFrame | str]:
        measures = self.table.select_dtypes("float").columns
        shown = self.table.assign(
            **{name: self.table[name].map("{:.3f}".format) for name in measures}
        )
        yield shown
        yield (
            f"{self.without_profile:,} of {counted(self.events, 'event')} "
            f"{'has' if self.without_profile == 1 else 'have'} no profile."
        )


@of_function
def evaluate(s: HasTables, truth: Truth) -> Evaluation:
    """Measure the accuracy of profiles: compare them with the true person of each event.

    Parameters
    ----------
    s : Stitched
    truth : pandas.DataFrame, pandas.Series or mapping
        The true person of each input row, by `row`: ``store.truth`` of a simulated store, a frame
        with a column `person`, or a Series. Rows without a person are left out, and counted.

    Returns
    -------
    Evaluation

    Raises
    ------
    ConvergekitError
        The truth has another form, names a row twice, or names none of the events.

    Notes
    -----
    The kept events are compared. An event without a profile counts as a profile of its own: that
    never lowers precision, but may lower recall.

    *Pairwise*: of all pairs of events on one profile, the share that is of one person (precision);
    of all pairs of one person, the share that is on one profile (recall). Large profiles weigh
    most. *B-cubed*: for each event, the share of the events on its profile that are of its person
    (precision), and the share of its person's events that are on its profile (recall), averaged
    over the events (Bagga and Baldwin, "Entity-Based Cross-Document Coreferencing Using the Vector
    Space Model", COLING-ACL 1998). F1 is the harmonic mean. Without any pair, both are 1.

    Examples
    --------
    >>> import convergekit as ck
    >>> store = ck.simulate_store()
    >>> found = ck.evaluate(ck.stitch(store.events), store.truth)
    >>> found.table.round(3)
        measure  precision  recall     f1
    0  pairwise        1.0   0.757  0.861
    1   B-cubed        1.0   0.767  0.868
    """
    tables = getattr(s, "tables", None)
    if not isinstance(tables, StitchedEvents):
        raise ConvergekitError(
            f"evaluate needs a Stitched, as ck.stitch(events) returns it; got a {type(s).__name__}."
        )
    return _evaluate(tables, truth)


def _evaluate(s: StitchedEvents, truth: Truth) -> Evaluation:
    person = _persons(truth)
    of_event = person.reindex(s.events["row"].to_numpy())
    told = of_event.notna().to_numpy(dtype=bool)
    if not told.any() and len(s.events):
        raise ConvergekitError(
            "the truth names a person for none of these events. Index it by the rows of the "
            "input, as s.events['row'] numbers them."
        )
    profile = s.resolution.profile[told].copy()
    alone = np.flatnonzero(profile < 0)
    profile[alone] = len(s.resolution.profile_ids) + np.arange(len(alone))
    persons, people = pd.factorize(of_event[told])
    cells = _Cells.of(profile, persons.astype(np.int64))
    return Evaluation(
        table=_measures(cells),
        over_merged=_over_merged(cells, s.resolution.profile_ids, people),
        split=_split(cells, s.resolution.profile_ids, people),
        events=int(told.sum()),
        people=len(people),
        profiles=len(distinct(profile)) - len(alone),
        without_profile=len(alone),
        left_out=int((~told).sum()),
    )


def _persons(truth: Truth) -> pd.Series:
    if isinstance(truth, pd.DataFrame):
        if "person" not in truth:
            raise ConvergekitError(
                "the truth has no column 'person'. "
                f"{what_there_is(truth.columns, 'person', none='no columns at all')}"
            )
        truth = truth["person"]
    elif isinstance(truth, Mapping):
        truth = pd.Series(dict(truth), dtype=object if not truth else None)
    elif not isinstance(truth, pd.Series):
        raise ConvergekitError(
            "truth must be a Series or mapping from row to person, or a frame with a column "
            f"'person'; got a {type(truth).__name__}."
        )
    if not truth.index.is_unique:
        row = truth.index[truth.index.duplicated()][0]
        raise ConvergekitError(f"the truth names row {row} twice; name each row once.")
    return truth


@dataclass(frozen=True)
class _Cells:
    """How many events each person has on each profile: the contingency table, without zeros."""

    profile: IntArray
    person: IntArray
    events: IntArray

    @classmethod
    def of(cls, profile: IntArray, person: IntArray) -> _Cells:
        size = int(person.max(initial=0)) + 1
        pairs, counts = np.unique(profile * size + person, return_counts=True)
        return cls(pairs // size, pairs % size, counts.astype(np.int64))

    def totals(self, of: IntArray) -> IntArray:
        """Return how many events there are per profile, or per person."""
        totals = np.zeros(int(of.max(initial=-1)) + 1, dtype=np.int64)
        np.add.at(totals, of, self.events)
        return totals


def _measures(cells: _Cells) -> pd.DataFrame:
    on_profile, of_person = cells.totals(cells.profile), cells.totals(cells.person)
    both = cells.events.astype(np.float64)
    pairs = (both * (both - 1) / 2).sum()
    rows = []
    for name, totals, which in (
        ("precision", on_profile, cells.profile),
        ("recall", of_person, cells.person),
    ):
        everything = (totals * (totals - 1.0) / 2).sum()
        shares = (both**2 / totals[which]).sum() / both.sum() if len(both) else 1.0
        rows.append((name, pairs / everything if everything else 1.0, shares))
    (_, pairwise_precision, cubed_precision), (_, pairwise_recall, cubed_recall) = rows
    table = pd.DataFrame(
        {
            "measure": ["pairwise", "B-cubed"],
            "precision": [pairwise_precision, cubed_precision],
            "recall": [pairwise_recall, cubed_recall],
        }
    )
    product, total = table["precision"] * table["recall"], table["precision"] + table["recall"]
    return table.assign(f1=(2 * product / total).fillna(0.0))


def _over_merged(cells: _Cells, profile_ids: pd.Series, people: pd.Index) -> pd.DataFrame:
    several = np.flatnonzero(np.bincount(cells.profile)[cells.profile] > 1)
    profile = cells.profile[several]
    lines = pd.DataFrame(
        {
            "profile_id": profile_ids.take(profile).to_numpy(dtype=object),
            "person": people.take(cells.person[several]),
            "events": cells.events[several],
        }
    )
    table = (
        lines.groupby("profile_id", sort=False)
        .agg(people=("person", "size"), events=("events", "sum"), persons=("person", list))
        .reset_index()
        .astype({"profile_id": "str", "people": "int64", "events": "int64", "persons": object})
    )
    return table.sort_values(
        ["people", "events", "profile_id"], ascending=[False, False, True], ignore_index=True
    )


def _split(cells: _Cells, profile_ids: pd.Series, people: pd.Index) -> pd.DataFrame:
    on = cells.profile < len(profile_ids)
    several = np.flatnonzero(
        (np.bincount(cells.person[on], minlength=len(people)) > 1)[cells.person]
    )
    profile = np.where(on, cells.profile, -1)[several]
    lines = pd.DataFrame(
        {
            "person": cells.person[several],
            "profile_id": profile_ids.reindex(profile).to_numpy(dtype=object),
            "events": cells.events[several],
            "without_profile": np.where(on, 0, cells.events)[several],
        }
    )
    table = (
        lines.groupby("person")
        .agg(
            profiles=("profile_id", "count"),
            events=("events", "sum"),
            without_profile=("without_profile", "sum"),
            profile_ids=("profile_id", list),
        )
        .reset_index()
        .astype(dict.fromkeys(["profiles", "events", "without_profile"], "int64"))
        .astype({"profile_ids": object})
    )
    table["profile_ids"] = [
        [name for name in ids if isinstance(name, str)] for ids in table["profile_ids"]
    ]
    table["person"] = people.take(table["person"])
    return table.sort_values(
        ["profiles", "events"], ascending=False, kind="stable", ignore_index=True
    )
