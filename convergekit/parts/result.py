"""`StitchedParts`: what `stitch` returns with a workdir. Tables in parts, and answers about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.base.grouping import order_of
from convergekit.base.wording import counted
from convergekit.diagnostics.lost_rows import vanished_names
from convergekit.diagnostics.report import EXAMPLE_ROWS, Faults, with_vanished
from convergekit.errors import NotOnThisEngine
from convergekit.events.arrow import with_python_lists
from convergekit.events.observed import moment
from convergekit.events.schema import PROFILE
from convergekit.events.timestamps import microseconds
from convergekit.parts.report import faults_of, report_of
from convergekit.parts.rows import ROW, read
from convergekit.parts.stitching import Run, path_of
from convergekit.parts.tables import PartsTable
from convergekit.stitched import Stitched

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report


@dataclass(frozen=True, eq=False, repr=False)
class StitchedParts:
    """Events stitched into profiles part by part, for those that do not fit into memory.

    The members that it has mean what those of `Stitched` mean. Tables are files of the workdir,
    below each other when they are asked for; an answer stitches one part after the other again.
    What it does not have raises `NotOnThisEngine`.

    See Also
    --------
    stitch : Makes one, with `workdir`.
    """

    _run: Run

    @property
    def workdir(self) -> Path:
        """The directory with the files."""
        return self._run.workdir.path

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return self._run.workdir.done.parts

    @property
    def identity(self) -> str:
        """``"retroactive"`` or ``"as_of"``."""
        return self._run.options.identity

    @property
    def browser_alias(self) -> str:
        """The alias type of a browser session."""
        return self._run.options.browser_alias

    def __repr__(self) -> str:
        """Return the counts in one line."""
        report = self._counts
        counts = (
            counted(report.events, "event"),
            counted(sum(report.duplicates.values()), "duplicate"),
            f"{sum(report.rejected.values()):,} rejected",
        )
        return (
            f"StitchedParts({', '.join(counts)}; {counted(report.aliases, 'alias', 'aliases')}, "
            f"{counted(report.profiles, 'profile')}; {counted(self.parts, 'part')})"
        )

    def _repr_html_(self) -> str:
        return self.report._repr_html_()

    def __getattr__(self, name: str) -> Any:
        """Say of what `Stitched` has, and this has not, how to have it."""
        if name.startswith("_") or hasattr(type(self), name) or not hasattr(Stitched, name):
            # Raises what was wrong within a property of our own, too.
            return object.__getattribute__(self, name)
        raise NotOnThisEngine(
            f".{name} is not computed by parts yet; docs/scale.md lists what is. Of events that "
            f"fit into memory: ck.stitch(events).{name}, without workdir=."
        )

    @property
    def events(self) -> PartsTable:
        """One row per kept event, as `Stitched.events`; in memory by `row`."""
        return self._table("events", _by_row)

    @property
    def profiles(self) -> PartsTable:
        """One row per profile, as `Stitched.profiles`; in memory earliest first."""
        return self._table("profiles", _profiles)

    @property
    def aliases(self) -> PartsTable:
        """One row per alias, as `Stitched.aliases`; in memory earliest first."""
        return self._table("aliases", _aliases)

    @property
    def duplicates(self) -> PartsTable:
        """One row per dropped copy of an event, as `Stitched.duplicates`; in memory by `row`."""
        return self._table("duplicates", _by_row)

    @property
    def rejected(self) -> PartsTable:
        """One row per row that is not an event, as `Stitched.rejected`; in memory by `row`."""
        return self._table("rejected", _by_row)

    @cached_property
    def report(self) -> Report:
        """The report, as `Stitched.report`: the parts' added up.

        It does not warn of files, sources and event names that were mostly lost, nor of values
        that strangers share.
        """
        run, counts = self._run, self._counts
        facts = run.facts
        found = [Faults(**part.faults) for part in run.about]
        faults = replace(faults_of(found), far=self._far())
        return replace(
            counts,
            coverage=with_vanished(
                counts.coverage, vanished_names(self.rejected.to_pandas(), facts.event_names)
            ),
            warnings=faults.warnings(run.options.observed_until, facts.observed.end),
        )

    @cached_property
    def _counts(self) -> Report:
        """The report without what is said of all events together."""
        run = self._run
        return report_of(run.about, run.witnesses.columns, run.remarks, [], "")

    def _far(self) -> tuple[int, list[Any]]:
        """Return how many events are far from the rest, and the first of them."""
        run, count, some = self._run, 0, []
        for number in range(self.parts):
            times = read(run.workdir.read("facts", f"times-{number:05}.parquet"))
            at = run.facts.observed.outside(times)
            count += len(at)
            first = times.iloc[at[:EXAMPLE_ROWS]]
            some += zip(first[ROW].tolist(), first["timestamp"], strict=True)
        return count, [[row, moment(time)] for row, time in sorted(some)[:EXAMPLE_ROWS]]

    def _table(self, name: str, finish: Any) -> PartsTable:
        return PartsTable(name, path_of(self._run.workdir, name), finish)


def _by_row(table: pd.DataFrame) -> pd.DataFrame:
    ordered = table.sort_values(ROW, kind="stable", ignore_index=True)
    return with_python_lists(ordered)


def _profiles(table: pd.DataFrame) -> pd.DataFrame:
    types = sorted(name for name in table.columns if name.startswith("aliases."))
    carried = [name for name in table.columns if name.startswith(PROFILE)]
    own = [name for name in table.columns if name not in (*types, *carried)]
    found = table[[*own, *types, *carried]].fillna(dict.fromkeys(types, 0))
    found = found.astype(dict.fromkeys(types, "int64"))
    order = order_of(microseconds(found["first_seen"]), texts=found["profile_id"])
    return found.take(order).reset_index(drop=True)


def _aliases(table: pd.DataFrame) -> pd.DataFrame:
    types = table["alias_type"].astype("str")
    codes = pd.Categorical(types, categories=sorted(types.unique())).codes.astype("int64")
    order = order_of(microseconds(table["first_seen"]), codes, texts=table["alias_value"])
    return table.take(order).reset_index(drop=True)


