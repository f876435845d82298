"""`StitchedTable`: what `stitch_table` returns. Tables of the engine, computed when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

import ibis
import pandas as pd

from convergekit.base.wording import counted
from convergekit.engine.aliases import USABLE
from convergekit.engine.backends import Backend
from convergekit.engine.columns import OWN, property_columns
from convergekit.engine.events import ARRIVED, NAMED, REASON, TAKEN, UNIDENTIFIED
from convergekit.engine.nothing import is_no_value
from convergekit.engine.profiles import KEY
from convergekit.errors import NotOnThisEngine
from convergekit.events.campaigns import carries_campaign
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY
from convergekit.events.steps import StepLike
from convergekit.identity.properties import matches_first
from convergekit.stitched import Stitched

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report
    from convergekit.engine.funnels import TableFunnel
    from convergekit.funnels.options import FunnelOptions

_ALIAS, _LAST, _GIVEN = OWN + "alias", OWN + "last", OWN + "given_{}"


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
        How many links there were between aliases, and were left after each round of the search
        for profiles.
    """

    browser_alias: str
    rounds: list[int]
    _backend: Backend
    _source: Any
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
        """One row per kept event, as `Stitched.events`.

        What is carried is computed and kept when first asked for; the events' own columns are
        read where they are.
        """
        carried = self._carried.drop(_LAST)
        events = self._source.inner_join(carried, "row")
        return events.drop(NAMED, TAKEN, UNIDENTIFIED).relocate("profile_id", after="kind")

    @cached_property
    def rejected(self) -> Any:
        """One row per row of the table that is no event: `row`, `reason`, and its columns."""
        rows = self._rows.filter(self._rows[REASON].notnull())
        rejected = self._source.inner_join(rows.select("row", reason=rows[REASON]), "row")
        return rejected.drop("kind", NAMED, TAKEN, UNIDENTIFIED).relocate("reason", after="row")

    @cached_property
    def aliases(self) -> Any:
        """One row per alias, as `Stitched.aliases`."""
        return self._members.drop(KEY)

    @cached_property
    def profiles(self) -> Any:
        """One row per profile, as `Stitched.profiles`."""
        events = self._timeline.filter(self._timeline["profile_id"].notnull())
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
        last = self._carried.filter(self._carried[_LAST] & self._carried["profile_id"].notnull())
        latest = last.drop("row", _LAST)
        table = seen.inner_join(counts, "profile_id").inner_join(latest, "profile_id")
        return self._backend.keep(table)

    @cached_property
    def duplicates(self) -> Any:
        """One row per dropped copy of an event, as `Stitched.duplicates`."""
        from convergekit.engine.duplicates import describe_copies

        return self._backend.keep(
            describe_copies(self._source, self._rows, self._copies, self._members)
        )

    @cached_property
    def report(self) -> Report:
        """What came in, what was left out and why, and what stitching reached."""
        from convergekit.engine.report import make_report

        return make_report(self)

    def funnel(self, steps: Sequence[StepLike], **options: Unpack[FunnelOptions]) -> TableFunnel:
        """Return how far profiles get along the steps, as `Stitched.funnel` counts them.

        Parameters
        ----------
        steps : sequence of str, sequence of str, or Step
            At least one. A name, or several of which any will do; no two steps share a name.
        **options
            `within`, the conversion window from the first step, such as ``"7D"`` or ``"90min"``.
            Of the others of `convergekit.funnel`, ``order="ordered"`` alone is on this engine.

        Returns
        -------
        TableFunnel

        Raises
        ------
        NotOnThisEngine
            An option, or a condition of a step, that engines do not have yet.
        """
        from convergekit.engine.funnels import count_funnel

        return count_funnel(self._backend, self._timeline, steps, **options)

    def to_pandas(self) -> pd.DataFrame:
        """Return the events as a DataFrame, in the order of their rows."""
        return self.events.order_by("row").to_pandas()

    @cached_property
    def _kept(self) -> Any:
        """The kept events, with what was worked out about them."""
        events = self._rows.filter(self._rows[REASON].isnull())
        return events.anti_join(self._copies, "row").select(*events.columns)

    @cached_property
    def _timeline(self) -> Any:
        """Of each kept event, whose it is, when and what it is."""
        members = self._members.select(KEY, "profile_id")
        # Any alias will do, for all of an event's are of one profile.
        alias = ibis.ifelse(
            self._kept[USABLE].length() > 0, self._kept[USABLE][0], ibis.null("string")
        )
        events = self._kept.select(
            "row", "kind", "event_name", "timestamp", "source", ARRIVED, **{_ALIAS: alias}
        )
        joined = events.left_join(members, events[_ALIAS] == members[KEY])
        return self._backend.keep(joined.drop(KEY, _ALIAS))

    @cached_property
    def _carried(self) -> Any:
        """Of each kept event, its profile, what is then known of it, and if it is its last."""
        names = property_columns(self._source)
        given = {
            _GIVEN.format(i): _given(self._backend, self._source[PROFILE_PROPERTY + n], n)
            for i, n in enumerate(names)
        }
        events = self._timeline.select("row", "profile_id", "timestamp", ARRIVED)
        events = events.inner_join(self._source.select("row", **given), "row")
        columns = {
            PROFILE + name: given_name for name, given_name in zip(names, given, strict=True)
        }
        first = {PROFILE + name for name in names if matches_first(name, self._first)}
        filled = self._backend.filled(events, columns, first=first, last=_LAST)
        # An event without a profile has its own values alone.
        own = {
            new: ibis.ifelse(filled["profile_id"].isnull(), filled[old], filled[new])
            for new, old in columns.items()
        }
        return self._backend.keep(filled.select("row", "profile_id", _LAST, **own))


def _given(backend: Backend, value: Any, name: str) -> Any:
    """Return a value of a profile property, null where it is as good as missing."""
    if value.type().is_string():
        if carries_campaign(name):
            return ibis.ifelse(is_no_value(backend, value), ibis.null("string"), value)
        return value.nullif("")
    if value.type().is_floating():
        return ibis.ifelse(value.isnan(), ibis.null(value.type()), value)
    return value


def _count(table: Any) -> int:
    return int(table.count().execute())
