"""`StitchedTable`: what `stitch_table` returns. Tables of the engine, computed when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from convergekit.durations import Duration
from convergekit.engine.aliases import BLOCKED, CARRIES, MALFORMED, USABLE
from convergekit.engine.backends import Backend
from convergekit.engine.columns import OWN, property_columns
from convergekit.engine.events import ARRIVED, NAMED, REASON, TAKEN
from convergekit.engine.profiles import KEY
from convergekit.errors import NotOnThisEngine
from convergekit.events import PROFILE, PROFILE_PROPERTY
from convergekit.properties import matches_first
from convergekit.readable import counted
from convergekit.steps import StepLike
from convergekit.stitched import Stitched

if TYPE_CHECKING:
    from convergekit.engine.funnels import TableFunnel
    from convergekit.report import Report

#: What was worked out about rows, and is no column of theirs.
_OURS = (USABLE, BLOCKED, MALFORMED, CARRIES, ARRIVED, REASON, NAMED, TAKEN)


@dataclass(frozen=True, eq=False, repr=False)
class StitchedTable:
    """Events of a relational engine, stitched into profiles there.

    The members that it has mean what those of `Stitched` mean; their tables are Ibis tables of
    the engine, in no order of rows. What it does not have raises `NotOnThisEngine`.

    Attributes
    ----------
    browser_alias : str
        The alias type of a browser session.
    rounds : list of int
        How many links between aliases were left after each round of the search for profiles.
    """

    browser_alias: str
    rounds: list[int]
    _backend: Backend
    _rows: Any
    _copies: Any
    _members: Any
    _renamed: dict[str, str]
    _first: Sequence[str]

    def __repr__(self) -> str:
        """Return the counts in one line."""
        counts = (
            counted(_count(self._kept), "event"),
            counted(_count(self._copies), "duplicate"),
            f"{_count(self.rejected):,} rejected",
        )
        return (
            f"StitchedTable({', '.join(counts)}; "
            f"{counted(_count(self._members), 'alias', 'aliases')}, "
            f"{counted(int(self._members['profile_id'].nunique().execute()), 'profile')})"
        )

    def __getattr__(self, name: str) -> Any:
        """Say of what `Stitched` has, and this has not, how to have it."""
        if name.startswith("_") or hasattr(type(self), name) or not hasattr(Stitched, name):
            # Raises what was wrong within a property of our own, too.
            return object.__getattribute__(self, name)
        raise NotOnThisEngine(
            f".{name} is not on this engine yet. Where the events fit into memory: "
            f"ck.stitch(table.to_pandas()).{name}"
        )

    @cached_property
    def events(self) -> Any:
        """One row per kept event, as `Stitched.events`; computed and kept when first asked for."""
        kept = self._kept
        names = property_columns(kept)
        given = {f"{OWN}given_{i}": _given(kept[PROFILE_PROPERTY + n]) for i, n in enumerate(names)}
        carried = {PROFILE + name: given_name for name, given_name in zip(names, given, strict=True)}
        first = {PROFILE + name for name in names if matches_first(name, self._first)}
        identified = self._with_profile(kept.mutate(**given))
        filled = self._backend.filled(identified, carried, first=first)
        # What hangs together by nothing is no profile: an event without one has its own values.
        own = {
            new: ibis.ifelse(filled["profile_id"].isnull(), filled[old], filled[new])
            for new, old in carried.items()
        }
        filled = filled.mutate(**own).drop(*given, *_OURS)
        return self._backend.keep(filled.relocate("profile_id", after="kind"))

    @cached_property
    def rejected(self) -> Any:
        """One row per row of the table that is no event: `row`, `reason`, and its columns."""
        rows = self._rows.filter(self._rows[REASON].notnull())
        return rows.mutate(reason=rows[REASON]).drop("kind", *_OURS).relocate("reason", after="row")

    @cached_property
    def aliases(self) -> Any:
        """One row per alias, as `Stitched.aliases`."""
        return self._members.drop(KEY)

    @cached_property
    def profiles(self) -> Any:
        """One row per profile, as `Stitched.profiles`."""
        events = self.events
        events = events.filter(events["profile_id"].notnull())
        seen = events.group_by("profile_id").aggregate(
            first_seen=events["timestamp"].min(),
            last_seen=events["timestamp"].max(),
            events=(events["kind"] == "track").sum(),
            sources=events["source"].nunique(),
        )
        members = self._members
        types = sorted(members.select("alias_type").distinct().execute()["alias_type"])
        by_type = {f"aliases.{t}": (members["alias_type"] == t).sum() for t in types}
        has_browser = (members["alias_type"] == self.browser_alias).any()
        counts = members.group_by("profile_id").aggregate(
            aliases=members.count(), has_browser_session=has_browser, **by_type
        )
        latest = self._latest(events)
        table = seen.inner_join(counts, "profile_id").inner_join(latest, "profile_id")
        return self._backend.keep(table)

    @cached_property
    def duplicates(self) -> Any:
        """One row per dropped copy of an event, as `Stitched.duplicates`."""
        from convergekit.engine.duplicates import describe_copies

        return self._backend.keep(describe_copies(self._rows, self._copies, self._members))

    @cached_property
    def report(self) -> Report:
        """What came in, what was left out and why, and what stitching reached."""
        from convergekit.engine.report import make_report

        return make_report(self)

    def funnel(
        self, steps: Sequence[StepLike], *, within: Duration, **options: Any
    ) -> TableFunnel:
        """Return how far profiles get along the steps, as `Stitched.funnel` counts them.

        Parameters
        ----------
        steps : sequence of str, sequence of str, or Step
            At least one. A name, or several of which any will do; no two steps share a name.
        within : str or datetime.timedelta
            The conversion window from the first step, such as ``"7D"`` or ``"90min"``.
        **options
            ``order="ordered"`` alone is on this engine.

        Returns
        -------
        TableFunnel

        Raises
        ------
        NotOnThisEngine
            An option, or a condition of a step, that engines do not have yet.
        """
        from convergekit.engine.funnels import count_funnel

        return count_funnel(self._backend, self._timeline, steps, within=within, **options)

    def to_pandas(self) -> pd.DataFrame:
        """Return the events as a DataFrame, in the order of their rows."""
        return self.events.order_by("row").to_pandas()

    @cached_property
    def _kept(self) -> Any:
        """The kept events, with what was worked out about them."""
        events = self._rows.filter(self._rows[REASON].isnull())
        return events.anti_join(self._copies, "row")

    @cached_property
    def _timeline(self) -> Any:
        """Of each kept event, whose it is and what it is: enough for a funnel."""
        kept = self._kept.select("row", "kind", "event_name", "timestamp", USABLE)
        return self._backend.keep(self._with_profile(kept).drop(USABLE))

    def _with_profile(self, events: Any) -> Any:
        """Return events with `profile_id`: that of any of their aliases, for all are of one."""
        members = self._members.select(KEY, "profile_id")
        alias = ibis.ifelse(
            events[USABLE].length() > 0, events[USABLE][0], ibis.null("string")
        )
        events = events.mutate(**{OWN + "alias": alias})
        joined = events.left_join(members, events[OWN + "alias"] == members[KEY])
        return joined.drop(KEY, OWN + "alias")

    def _latest(self, events: Any) -> Any:
        """Return what was last known of each profile."""
        names = [c for c in events.columns if c.startswith(PROFILE)]
        if not names:
            return events.select("profile_id").distinct()
        arrived = ["received_at"] if "received_at" in events.columns else []
        arrived = [ibis.coalesce(events[n], events["timestamp"]) for n in arrived]
        last = ibis.window(
            group_by="profile_id",
            order_by=[ibis.desc("timestamp"), *map(ibis.desc, arrived), ibis.desc("row")],
        )
        placed = events.mutate(**{OWN + "place": ibis.row_number().over(last)})
        return placed.filter(placed[OWN + "place"] == 0).select("profile_id", *names)


def _given(value: Any) -> Any:
    """Return a value, null where it is as good as missing."""
    if value.type().is_string():
        return value.nullif("")
    if value.type().is_floating():
        return ibis.ifelse(value.isnan(), ibis.null(value.type()), value)
    return value


def _count(table: Any) -> int:
    return int(table.count().execute())


