"""Suspects: profiles that look like several people, as a table.

What each holds, what joins it, what it would fall into without, and how to repair it. Which
profiles are suspicious, and what is to blame for them, is found in `convergekit.diagnostics.blame`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.diagnostics.blame import NOTHING, Blamed, Candidates, blame, first_of_component
from convergekit.diagnostics.graph_cuts import LARGEST_CUT
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


#: The evidence, most telling first.
EVIDENCE = ("strong", "shared token", "weak")

_DTYPES = {
    "profile_id": "str",
    "evidence": "str",
    **{f"aliases.{name}": "int64" for name in LOGIN_TYPES},
    "events": "int64",
    "aliases": "int64",
    "cut_kind": "str",
    "cut": "object",
    "cut_rows": "object",
    "separates": "object",
    "parts": "int64",
    "largest_parts": "object",
    "reason": "str",
    "repair": "str",
}
_LISTED_PARTS = 3
_LISTED_LOGINS = 5
_LISTED_IN_SENTENCES = 3


def find_suspects(s: StitchedEvents) -> pd.DataFrame:
    """Return one row per suspicious profile, most suspicious first.

    Parameters
    ----------
    s : StitchedEvents

    Returns
    -------
    pandas.DataFrame
        As `Stitched.suspects` documents it.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = pd.DataFrame({"event_name": "A", "timestamp": ["2026-03-02", "2026-03-03"],
    ...                        "alias.cookie": "c", "alias.email": ["a@x.org", "b@x.org"]})
    >>> find_suspects(ck.stitch(events).tables)[["evidence", "repair"]].values.tolist()
    [['weak', 'ck.stitch(..., block=["urn:cookie:c"])']]
    """
    # Events that a segment leaves out may be to blame.
    s = s.whole
    candidates = Candidates.of(s)
    blamed = blame(candidates, s.resolution.in_time)
    remains = _Remains.of(s, candidates, blamed)
    found = s.resolution
    tracked = (s.events["kind"] == "track").to_numpy() & (found.profile >= 0)
    events = np.bincount(found.profile[tracked], minlength=len(found.profile_ids))[
        candidates.number
    ]
    aliases = np.bincount(candidates.profile, minlength=len(candidates.number))
    suspicious = sorted({*np.flatnonzero(candidates.several).tolist(), *blamed})
    profile_ids = found.profile_ids.iloc[candidates.number[suspicious]].tolist()
    records = []
    for profile, profile_id in zip(suspicious, profile_ids, strict=True):
        found_cut = blamed.get(profile, Blamed(NOTHING, NOTHING, is_smallest=False))
        cut = [candidates.urns[alias] for alias in found_cut.aliases.tolist()]
        cause = s.events.iloc[np.sort(found_cut.events)]
        values = candidates.held[profile].tolist()
        parts = remains.parts_of(profile)
        record = {
            "profile_id": profile_id,
            "evidence": _evidence(values),
            **{f"aliases.{name}": n for name, n in zip(LOGIN_TYPES, values, strict=True)},
            "events": events[profile],
            "aliases": aliases[profile],
            "cut_kind": "alias" if cut else "event" if len(cause) else None,
            "cut": cut,
            "cut_rows": cause["row"].tolist(),
            "separates": remains.separated(profile) if profile in blamed else [],
            "parts": len(parts),
            "largest_parts": [remains.described(part) for part in parts[:_LISTED_PARTS]],
            "repair": _repair(s, cut, cause),
        }
        reason = _reason(record, s.browser_alias, cause, found_cut.is_smallest)
        records.append({**record, "reason": reason})
    table = pd.DataFrame(records, columns=list(_DTYPES)).astype(_DTYPES)
    return most_suspicious_first(table)


def most_suspicious_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return suspicious profiles in their order, whichever they were found in."""
    return table.iloc[_ranking(table)].reset_index(drop=True)


def _evidence(values: list[int]) -> str:
    extra = sum(max(count - 1, 0) for count in values)
    return EVIDENCE[1] if not extra else EVIDENCE[2] if extra == 1 else EVIDENCE[0]


def _ranking(table: pd.DataFrame) -> IntArray:
    extra = sum((table[f"aliases.{name}"] - 1).clip(lower=0) for name in LOGIN_TYPES)
    keys = pd.DataFrame(
        {
            "evidence": table["evidence"].map(EVIDENCE.index),
            "extra": -extra,
            "parts": -table["parts"],
            "events": -table["events"],
            "profile_id": table["profile_id"],
        }
    )
    return keys.sort_values(list(keys)).index.to_numpy()


@dataclass(frozen=True)
class _Remains:
    """What the profiles fall into when everything blamed is taken out.

    Attributes
    ----------
    candidates : Candidates
    first : numpy.ndarray of int
        The parts, each by its first alias, those of one profile together, the busiest first.
    start : numpy.ndarray of int
        Where each profile's parts start, and where the last one's end.
    part : numpy.ndarray of int
        Each alias's part, by its first alias.
    events, aliases : numpy.ndarray of int
        Of each part, by its first alias.
    telling : numpy.ndarray of int
        The login values and browsers that are not blamed, those of one part together.
    gone : numpy.ndarray of int
        Those of them that were on blamed events alone, those of one profile together.
    """

    candidates: Candidates
    first: IntArray
    start: IntArray
    part: IntArray
    events: IntArray
    aliases: IntArray
    telling: IntArray
    gone: IntArray

    @classmethod
    def of(
        cls, s: StitchedEvents, candidates: Candidates, blamed: Mapping[int, Blamed]
    ) -> _Remains:
        size = len(candidates.alias)
        out = np.concatenate([NOTHING, *(found.aliases for found in blamed.values())])
        dropped = np.concatenate([NOTHING, *(found.events for found in blamed.values())])
        stays = ~np.isin(candidates.on, out) & ~np.isin(candidates.event, dropped)
        event, on = candidates.event[stays], candidates.on[stays]
        part = first_of_component(event, on, size)
        of_event = np.unique(event, return_index=True)[1]
        tracked = (s.events["kind"] == "track").to_numpy()[event[of_event]]
        events = np.bincount(part[on[of_event[tracked]]], minlength=size)
        present = distinct(on)
        aliases = np.bincount(part[present], minlength=size)
        first = np.flatnonzero(aliases)
        first = first[
            np.lexsort((first, -aliases[first], -events[first], candidates.profile[first]))
        ]
        telling = np.flatnonzero((candidates.login_type >= 0) | candidates.is_browser)
        telling = np.setdiff1d(telling, out)
        gone = telling[aliases[part[telling]] == 0]
        return cls(
            candidates=candidates,
            first=first,
            start=np.searchsorted(candidates.profile[first], np.arange(len(candidates.number) + 1)),
            part=part,
            events=events,
            aliases=aliases,
            telling=telling[np.argsort(part[telling], kind="stable")],
            gone=gone[np.argsort(candidates.profile[gone], kind="stable")],
        )

    def parts_of(self, profile: int) -> list[int]:
        return self.first[self.start[profile] : self.start[profile + 1]].tolist()

    def separated(self, profile: int) -> list[str]:
        """Return two values of one login type that are parted, or else two browsers."""
        several = self.candidates.several[profile]
        seen: dict[int, int] = {}
        for part in [*self.parts_of(profile), *self._gone_from(profile)]:
            here: dict[int, int] = {}
            for alias in self._telling_of(part):
                kind = int(self.candidates.login_type[alias])
                if kind >= 0 or not several:
                    here.setdefault(kind, alias)
            both = seen.keys() & here.keys()
            if both:
                return [
                    self.candidates.urns[seen[min(both)]],
                    self.candidates.urns[here[min(both)]],
                ]
            seen |= here
        return []

    def described(self, part: int) -> dict[str, Any]:
        logins = [a for a in self._telling_of(part) if self.candidates.login_type[a] >= 0]
        return {
            "events": int(self.events[part]),
            "aliases": int(self.aliases[part]),
            "login_values": len(logins),
            "logins": [self.candidates.urns[alias] for alias in logins[:_LISTED_LOGINS]],
        }

    def _gone_from(self, profile: int) -> list[int]:
        start, end = np.searchsorted(self.candidates.profile[self.gone], [profile, profile + 1])
        return self.gone[start:end].tolist()

    def _telling_of(self, part: int) -> list[int]:
        start, end = np.searchsorted(self._part_of_telling, [part, part + 1])
        return self.telling[start:end].tolist()

    @cached_property
    def _part_of_telling(self) -> IntArray:
        return self.part[self.telling]


def _reason(
    record: Mapping[str, Any], browser_alias: str, cause: pd.DataFrame, is_smallest: bool
) -> str:
    """Say what is suspicious, what joins it, and what speaks for one person."""
    names = record["cut"] or [_named(event) for event in cause.to_dict("records")]
    if record["evidence"] == "shared token":
        return (
            f"{names[0]} alone joins {record['parts']:,} profiles, each under a {browser_alias} of "
            "its own; a cart that moves between two devices meets four at most."
        )
    several = [
        f"{record[f'aliases.{name}']:,} {name} values"
        for name in LOGIN_TYPES
        if record[f"aliases.{name}"] > 1
    ]
    held = f"The profile holds {_enumerated(several)}"
    innocent = " One person may well have two." if record["evidence"] == "weak" else ""
    if not names:
        return f"{held}; no cut of {LARGEST_CUT:,} or fewer was found.{innocent}"
    pair = " to ".join(record["separates"])
    if len(cause) == 1:
        return f"{held}; no alias is to blame but {names[0]}, which alone joins {pair}.{innocent}"
    if len(names) == 1:
        return f"{held}; {names[0]} alone joins {pair}.{innocent}"
    what = "aliases" if record["cut"] else "events"
    doubt = "" if is_smallest else " Fewer might do: not every pair could be tried."
    return (
        f"{held}; {len(names):,} {what} together join {pair}: {_shortened(names)}.{innocent}{doubt}"
    )


def _named(event: dict[Any, Any]) -> str:
    name, source = event["event_name"], event["source"]
    what = repr(name) if isinstance(name, str) else "an identify call"
    whence = f" from {source}" if isinstance(source, str) else ""
    return f"row {event['row']} ({what}{whence} at {event['timestamp']:%Y-%m-%d %H:%M:%S} UTC)"


def _enumerated(items: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def _shortened(names: Sequence[str]) -> str:
    if len(names) <= _LISTED_IN_SENTENCES:
        return _enumerated(names)
    shown = names[:_LISTED_IN_SENTENCES]
    return f"{', '.join(shown)} and {len(names) - len(shown):,} more"


def _repair(s: StitchedEvents, cut: list[str], cause: pd.DataFrame) -> str | None:
    if cut:
        return f"ck.stitch(..., block={json.dumps(cut, ensure_ascii=False)})"
    if len(cause):
        # Without the kept row, the next copy of the event would be kept.
        copies = s.duplicates["row"][s.duplicates["kept_row"].isin(cause["row"])]
        rows = sorted([*cause["row"].tolist(), *copies.tolist()])
        return f"ck.stitch(events.drop(index=events.index[{rows}]), ...)"
    return None
