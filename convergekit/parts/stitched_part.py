"""A stitched part on the disk: it is loaded in a fraction of the time that stitching it takes.

Its tables are files of the run anyway. Beside them stand numbers: which aliases an event carries,
and of which profile each is. What few questions need (the dropped copies, what was known when, and
where carried values come from) is made when it is asked for.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from convergekit.base.text import to_arrow
from convergekit.errors import ReadError
from convergekit.events.unread_text import keep_beside, unread_text
from convergekit.identity.aliases import Apart, EventAliases
from convergekit.identity.limits import RefusedLinks
from convergekit.identity.options import StitchOptions
from convergekit.identity.profiles import salted
from convergekit.identity.properties import carry_retroactive
from convergekit.identity.tables import Resolution, StitchedEvents
from convergekit.typing import IntArray
from convergekit.visits.traffic import KINDS_SENT

#: Numbers that nearly ascend, which are kept as what each adds to the one before.
_ASCENDING = ("event", "in_time")
_REFUSED = ("first", "second", "event", "events", "together")
_REFUSED_PREFIX = "refused."


class NumbersError(ReadError):
    """The numbers of a part are damaged."""


def numbers_of(s: StitchedEvents, sent: IntArray) -> bytes:
    """Return what is known of a stitched part beside its tables, as the content of a file.

    Parameters
    ----------
    s : StitchedEvents
    sent : numpy.ndarray of int
        Of each event, the number of what it sent, as `kinds_sent` returns it.
    """
    found, aliases = s.resolution, s.resolution.aliases
    types = aliases.table["alias_type"].cat
    _, alias_order = s.alias_table
    _, profile_order = s.profile_table
    numbers: dict[str, IntArray] = {
        "event": aliases.event,
        "alias": aliases.alias,
        "type": types.codes.to_numpy(),
        "alias_order": alias_order,
        "component": found.component,
        "profile": found.profile,
        "profile_order": profile_order,
        "in_time": found.in_time,
        "sent": sent,
        **{_REFUSED_PREFIX + name: getattr(found.refused, name) for name in _REFUSED},
    }
    if aliases.apart is not None:
        numbers |= {"group": aliases.apart.group, "rank": aliases.apart.rank}
        if aliases.apart.home is not None:
            numbers["home"] = aliases.apart.home
    said = {
        "types": [str(name) for name in types.categories],
        "look_alikes": aliases.look_alikes,
        "limits": sorted(found.protection.limits),
        "refused_type": found.refused.alias_type,
        "carried": list(s.carried_from),
        "remarks": dict(s.remarks),
    }
    return _packed(numbers, said)


def left_out_of(s: StitchedEvents) -> dict[str, pd.DataFrame]:
    """Return the tables of what is not an alias, by name: few have a row."""
    aliases = s.resolution.aliases
    return {"blocked": aliases.blocked, "unusable": aliases.malformed, "malformed": s.malformed}


@dataclass(frozen=True)
class PartFiles:
    """The files of a stitched part.

    Attributes
    ----------
    table : callable
        Returns the table of a name, or some columns of it.
    left_out : callable
        Returns one of the tables of `left_out_of`, or ``"sent"``, what events sent.
    numbers : callable
        Returns what `numbers_of` returned.
    stitched_again : callable
        Returns the part, stitched from its rows: for what few questions need.
    """

    table: Callable[..., pd.DataFrame]
    left_out: Callable[[str], pd.DataFrame]
    numbers: Callable[[], bytes]
    stitched_again: Callable[[], StitchedEvents]

    def load(self, options: StitchOptions) -> StitchedEvents:
        """Return the part as it was stitched.

        Raises
        ------
        ReadError
            A file is lost, or not as it was written.
        NumbersError
            The file of the numbers is not; the message is for a sentence that names it.
        """
        numbers, said = _unpacked(self.numbers())
        events = self.table("events")
        again = functools.cache(self.stitched_again)
        in_alias_order = self.table("aliases", names=["alias_value"])["alias_value"]
        in_profile_order = self.table("profiles", names=["profile_id"])["profile_id"]
        _check(numbers, len(events), len(in_alias_order), len(in_profile_order))
        sent = numbers.pop("sent")
        keep_beside(events, KINDS_SENT, functools.cache(lambda: (sent, self.left_out("sent"))))
        aliases = EventAliases(
            table=pd.DataFrame(
                {
                    "alias_type": pd.Categorical.from_codes(numbers["type"], said["types"]),
                    "alias_value": _as_before(in_alias_order, numbers["alias_order"]),
                }
            ),
            event=numbers["event"],
            alias=numbers["alias"],
            blocked=self.left_out("blocked"),
            malformed=self.left_out("unusable"),
            apart=_apart(numbers),
            rules=options.rules,
            look_alikes=said["look_alikes"],
        )
        limits = options.protection.limits
        resolution = Resolution(
            aliases=salted(aliases, options.salt),
            component=numbers["component"],
            profile=numbers["profile"],
            profile_ids=_as_before(in_profile_order, numbers["profile_order"]),
            in_time=numbers["in_time"],
            knowledge=lambda: again().resolution.knowledge(),
            protection=replace(
                options.protection, limits={name: limits[name] for name in said["limits"]}
            ),
            refused=RefusedLinks(
                **{name: numbers[_REFUSED_PREFIX + name] for name in _REFUSED},
                alias_type=said["refused_type"],
            ),
        )

        def carried() -> Mapping[str, IntArray]:
            if options.identity == "as_of":
                return again().carried_from
            return carry_retroactive(events, resolution.profile, resolution.in_time, options.first)

        return StitchedEvents(
            events=events,
            rejected=self.table("rejected"),
            identity=options.identity,
            browser_alias=options.browser_alias,
            resolution=resolution,
            describe_duplicates=lambda: self.table("duplicates"),
            carried_from=_WhenAsked(said["carried"], functools.cache(carried)),
            first=options.first,
            remarks=said["remarks"],
            malformed=self.left_out("malformed"),
            calendar=options.calendar,
            observed_until=options.observed_until,
        )


@dataclass(frozen=True)
class _WhenAsked(Mapping[str, IntArray]):
    """Where carried values come from, found when it is asked for."""

    names: list[str]
    find: Callable[[], Mapping[str, IntArray]]

    def __getitem__(self, name: str) -> IntArray:
        if name not in self.names:
            raise KeyError(name)
        return self.find()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _apart(numbers: Mapping[str, IntArray]) -> Apart | None:
    if "group" not in numbers:
        return None
    return Apart(numbers["group"], numbers["rank"], numbers.get("home"))


def _as_before(ordered: pd.Series, order: IntArray) -> pd.Series:
    """Return the texts of a table that was put in order, as they were numbered before."""

    def read() -> pa.Array:
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return to_arrow(ordered).take(pa.array(place))

    return unread_text(read, len(ordered))


def _check(numbers: Mapping[str, IntArray], events: int, aliases: int, profiles: int) -> None:
    """Raise unless there are as many numbers as the tables have rows."""
    sizes = {
        **dict.fromkeys(("profile", "in_time", "sent"), events),
        **dict.fromkeys(("type", "alias_order", "component"), aliases),
        "profile_order": profiles,
        "alias": len(numbers["event"]),
    }
    if any(len(numbers[name]) != size for name, size in sizes.items()):
        raise NumbersError("they are not those of the part's tables")


def _packed(numbers: Mapping[str, IntArray], said: Mapping[str, Any]) -> bytes:
    """Return numbers as one row of Arrow lists."""
    columns = {}
    for name, array in numbers.items():
        whole = np.diff(array, prepend=0) if name in _ASCENDING else array
        small = max(abs(int(whole.max(initial=0))), abs(int(whole.min(initial=0)))) < 2**31
        values = pa.array(whole.astype(np.int32 if small else np.int64))
        ends = pa.array([0, len(values)], type=pa.int64())
        columns[name] = pa.LargeListArray.from_arrays(ends, values)
    table = pa.table(columns, metadata={"said": json.dumps(said)})
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as file:
        file.write_table(table)
    return sink.getvalue()


def _unpacked(content: bytes) -> tuple[dict[str, IntArray], dict[str, Any]]:
    try:
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
        table.validate(full=True)
        numbers = {
            name: np.asarray(column.combine_chunks().flatten()).astype(np.int64)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
        said = json.loads(table.schema.metadata[b"said"])
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise NumbersError(next(iter(str(error).splitlines()), "")) from None
    for name in _ASCENDING:
        numbers[name] = numbers[name].cumsum()
    return numbers, said
