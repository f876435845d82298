"""Save and read a Stitched: one Parquet file per table, and a manifest.

`saved_frames` says what becomes of a column, `saved_manifest` how damage is found, and
`saved_checks` what has to hold of the tables before anything is computed from them. A save is
written whole or not at all (`durable`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durable import newest, real_path, whole_files
from convergekit.base.records import take_or_missing
from convergekit.base.tagged_json import NotKnownError, to_json
from convergekit.base.text import text_of
from convergekit.diagnostics.report import Report
from convergekit.errors import AlreadyThereError
from convergekit.events.calendar import Calendar
from convergekit.identity.aliases import Apart, EventAliases
from convergekit.identity.as_of import Knowledge
from convergekit.identity.graph import profile_of_events
from convergekit.identity.limits import Protection, RefusedLinks
from convergekit.identity.profiles import ALIAS_ID
from convergekit.identity.segment import Segment, as_segment
from convergekit.identity.tables import Resolution, StitchedEvents
from convergekit.stitched import Stitched
from convergekit.typing import BoolArray, IntArray
from convergekit.writers.saved_checks import SEEN, check_summary, check_tables
from convergekit.writers.saved_frames import frame_of, parquet_of
from convergekit.writers.saved_manifest import (
    MANIFEST,
    damaged,
    digest,
    in_this_format,
    read_sealed,
    sealed,
)

TABLES = ("events", "duplicates", "rejected", "aliases", "profiles")
#: What a Stitched is made of again; its profiles follow from these.
_READ = (
    *("events", "duplicates", "rejected", "aliases", "event_aliases", "order", "items"),
    *("item_aliases", "apart", "refused", "says", "carried_from", "blocked", "malformed"),
)
#: All files of a saved Stitched.
FILES = (*dict.fromkeys(f"{name}.parquet" for name in (*TABLES, *_READ)), MANIFEST)


def write_stitched(
    s: Stitched, directory: str | Path, *, overwrite: bool = False, gone: Iterable[str] = ()
) -> list[Path]:
    """Save a Stitched. See `Stitched.to_parquet`.

    Parameters
    ----------
    s : Stitched
    directory : str or pathlib.Path
    overwrite : bool
    gone : iterable of str
        Names of other earlier files that the save replaces.
    """
    refuse_earlier(directory, overwrite=overwrite)
    # Of a segment of events, all events of its profiles are written: by them it is linked.
    whole = s.tables.whole
    frames = {name: getattr(whole, name) for name in TABLES} | inner_tables(whole)
    if whole is not s.tables:
        frames["order"] = frames["order"].assign(**{SEEN: _seen(s.tables)})
    frames["rejected"] = written_out(frames["rejected"])
    frames["aliases"] = with_salted_ids(whole)
    summary = summary_of(
        s.report,
        identity=s.identity,
        browser_alias=s.browser_alias,
        first=s.tables.first,
        protection=s.tables.resolution.protection,
        remarks=s.tables.remarks,
        calendar=s.tables.calendar,
        segment=s.tables.segment,
        observed_until=s.tables.observed_until,
    )
    contents = {}
    with whole_files(directory, gone=gone) as draft:
        for name, frame in frames.items():
            content = parquet_of(frame, name)
            (draft / f"{name}.parquet").write_bytes(content)
            contents[f"{name}.parquet"] = (len(content), digest(content))
        (draft / MANIFEST).write_bytes(sealed(summary, contents))
    return [Path(directory, name) for name in (*contents, MANIFEST)]


def refuse_earlier(directory: str | Path, *, overwrite: bool) -> None:
    """Raise if a directory holds a saved Stitched, which is not to be replaced."""
    place = real_path(directory)
    there = [name for name in FILES if newest(place, name).exists()]
    if there and not overwrite:
        held = "a stitched export" if MANIFEST in there else " and ".join(there)
        raise AlreadyThereError(
            f"{directory} already holds {held}; give another directory, or overwrite=True."
        )


def summary_of(
    report: Report,
    *,
    identity: str,
    browser_alias: str,
    first: Iterable[str],
    protection: Protection,
    remarks: Mapping[str, int],
    calendar: Calendar,
    segment: Segment | None,
    observed_until: pd.Timestamp | None,
) -> dict[str, Any]:
    """Return what a manifest says beside the files."""
    summary = {
        "identity": identity,
        "browser_alias": browser_alias,
        "first": list(first),
        "limits": dict(protection.limits),
        "alias_priority": list(protection.priority),
        "remarks": dict(remarks),
        "calendar": calendar.zone,
        "week_starts": calendar.week_starts,
        "segment": _segment_record(segment),
        "report": report.to_dict(),
    }
    if observed_until is not None:
        summary["observed_until"] = observed_until.isoformat()
    return summary


def read_stitched(directory: str | Path) -> Stitched:
    """Read a Stitched that `Stitched.to_parquet` saved.

    Parameters
    ----------
    directory : str or pathlib.Path

    Returns
    -------
    Stitched
        Equal in every table and answer to the one that was saved.

    Raises
    ------
    ConvergekitError
        The directory does not hold a saved Stitched, or one of another format.
    ReadError
        A file of it is missing, or not as it was written.

    Notes
    -----
    The checksums in the save reveal any damage. They do not reveal who wrote it: to read the save
    of a person you do not trust is safe, but its contents may be made up.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     _ = s.to_parquet(directory)
    ...     again = ck.read_stitched(directory)
    >>> again.events.equals(s.events)
    True
    """
    place = real_path(directory)
    summary, files = read_sealed(place, [f"{name}.parquet" for name in _READ], frame_of)
    tables = {name: files[f"{name}.parquet"] for name in _READ}
    # Written only where it was given.
    summary = {"observed_until": None} | in_this_format(summary)
    check_summary(place / MANIFEST, summary)
    check_tables(place, tables, summary["limits"])
    identity = _read_identity(
        tables, Protection(summary["limits"], tuple(summary["alias_priority"]))
    )
    ids = take_or_missing(identity.profile_ids, identity.profile)
    if not ids.equals(tables["events"]["profile_id"]):
        raise damaged(place / "events.parquet", "its profile IDs do not match its aliases'")
    whole = StitchedEvents(
        events=tables["events"],
        rejected=tables["rejected"],
        identity=summary["identity"],
        browser_alias=summary["browser_alias"],
        resolution=identity,
        describe_duplicates=lambda: tables["duplicates"],
        carried_from=_integers(tables["carried_from"]),
        first=tuple(summary["first"]),
        remarks=summary["remarks"],
        malformed=tables["malformed"],
        calendar=Calendar(summary["calendar"], summary["week_starts"]),
        observed_until=_moment_or_none(summary["observed_until"]),
    )
    s = Stitched(_read_segment(whole, summary["segment"], tables["order"]))
    # The report also counts what only the input held, so it is kept, not made again.
    s.__dict__["report"] = _report(place / MANIFEST, summary["report"])
    return s


def _segment_record(segment: Segment | None) -> dict[str, Any] | None:
    if segment is None:
        return None
    return {
        "description": segment.description,
        "after_the_fact": segment.after_the_fact,
        "left_out": segment.left_out,
        "data_end": None if pd.isna(segment.data_end) else segment.data_end.isoformat(),
    }


def _seen(s: StitchedEvents) -> BoolArray:
    """Return which events of the whole are in a segment."""
    seen = np.zeros(len(s.whole.events), dtype=bool)
    seen[s.in_whole(np.arange(len(s.events)))] = True
    return seen


def _read_segment(
    whole: StitchedEvents, record: dict[str, Any] | None, order: pd.DataFrame
) -> StitchedEvents:
    if record is None:
        return whole
    segment = Segment(
        record["description"],
        record["after_the_fact"],
        lambda: dict(record["left_out"]),
        _moment_or_none(record["data_end"]) or pd.NaT,
        positions=np.flatnonzero(order[SEEN].to_numpy()) if SEEN in order else None,
    )
    return as_segment(whole, segment, whole.remarks)


def _moment_or_none(text: str | None) -> pd.Timestamp | None:
    return None if text is None else pd.Timestamp(text)


def _report(manifest: Path, values: dict[str, Any]) -> Report:
    try:
        return Report.from_dict(values)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise damaged(manifest, f"the report: {error}") from error


def inner_tables(s: StitchedEvents) -> dict[str, pd.DataFrame]:
    """Return what the answers need besides the public tables, aliases as rows of `aliases`."""
    found = s.resolution
    _, position = s.alias_table
    place = np.empty_like(position)
    place[position] = np.arange(len(position))
    known = found.knowledge()
    refused = found.refused
    return {
        "event_aliases": _pairs(found.aliases, place),
        "order": pd.DataFrame({"in_time": found.in_time, "item": known.item}),
        "items": pd.DataFrame(
            {"known": known.known, "known_at": known.known_at, "event": known.event}
        ),
        "item_aliases": _pairs(known.aliases, place),
        "apart": _apart_table(found.aliases, place),
        "refused": pd.DataFrame(
            {**vars(refused), "first": place[refused.first], "second": place[refused.second]}
        ).astype({"alias_type": "str"}),
        "says": pd.DataFrame(known.says, index=s.events.index),
        "carried_from": pd.DataFrame(dict(s.carried_from), index=s.events.index),
        "blocked": found.aliases.blocked,
        "malformed": s.malformed,
    }


def with_salted_ids(s: StitchedEvents) -> pd.DataFrame:
    """Return the aliases, with their own IDs where a salt made these: the salt is not kept."""
    inner = s.resolution.aliases.table
    if ALIAS_ID not in inner:
        return s.aliases
    _, position = s.alias_table
    return s.aliases.assign(**{ALIAS_ID: inner[ALIAS_ID].take(position).array})


def _pairs(aliases: EventAliases, place: IntArray) -> pd.DataFrame:
    return pd.DataFrame({"event": aliases.event, "alias": place[aliases.alias]})


def _apart_table(aliases: EventAliases, place: IntArray) -> pd.DataFrame:
    """Return a row per alias, none where all that meet are linked."""
    apart = aliases.renumbered(place).apart
    if apart is None:
        return pd.DataFrame({"group": [], "rank": []}, dtype="int64")
    return pd.DataFrame({"group": apart.group, "rank": apart.rank})


def _read_identity(tables: dict[str, pd.DataFrame], protection: Protection) -> Resolution:
    component, profile_ids = pd.factorize(tables["aliases"]["profile_id"])
    aliases = _read_aliases(tables, "event_aliases")
    order = _integers(tables["order"][["in_time", "item"]])
    size = len(tables["order"])
    knowledge = Knowledge(
        aliases=_read_aliases(tables, "item_aliases"),
        **_integers(tables["items"]),
        item=order["item"],
        says=_integers(tables["says"]),
    )
    if len(tables["apart"]):
        apart = Apart(**_integers(tables["apart"]))
        aliases = replace(aliases, apart=apart)
        knowledge = knowledge.kept_apart(apart, profile_of_events(aliases, apart.group, size))
    refused = tables["refused"]
    return Resolution(
        aliases=aliases,
        component=component.astype(np.int64),
        profile=profile_of_events(aliases, component, size),
        profile_ids=pd.Series(profile_ids, dtype="str"),
        in_time=order["in_time"],
        knowledge=lambda: knowledge,
        protection=protection,
        refused=RefusedLinks(
            **_integers(refused.drop(columns="alias_type")),
            alias_type=refused["alias_type"].tolist(),
        ),
    )


def _read_aliases(tables: dict[str, pd.DataFrame], pairs: str) -> EventAliases:
    table = tables["aliases"]
    names = [name for name in ("alias_type", "alias_value", ALIAS_ID) if name in table]
    return EventAliases(
        table[names].astype({"alias_type": "category"}),
        event=tables[pairs]["event"].to_numpy(copy=True),
        alias=tables[pairs]["alias"].to_numpy(copy=True),
        blocked=tables["blocked"],
        malformed=pd.DataFrame({"position": [], "reason": []}),
    )


def _integers(table: pd.DataFrame) -> dict[str, IntArray]:
    return {str(name): column.to_numpy(copy=True) for name, column in table.items()}


def written_out(rejected: pd.DataFrame) -> pd.DataFrame:
    """Write out what has no form in a file: rejected rows may hold anything."""
    objects = [name for name, column in rejected.items() if column.dtype == object]
    return rejected.assign(
        **{name: rejected[name].map(_kept_or_text).astype(object) for name in objects}
    )


def _kept_or_text(cell: Any) -> Any:
    try:
        to_json(cell, strict=True)
    except (NotKnownError, RecursionError):
        return text_of(cell)
    return cell
