"""`compare_profiles`: which profiles differ between two stitchings, and by which alias."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import scipy

from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.errors import ColumnError, ConvergekitError, what_there_is
from convergekit.figures.calls import of_function
from convergekit.figures.card import Result
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import IntArray

if TYPE_CHECKING:
    from convergekit.identity.tables import HasTables


#: What `compare_profiles` takes: a Stitched, or a frame of a key and `profile_id`.
Profiles: TypeAlias = "HasTables | pd.DataFrame"

_CHANGES = ("split", "merged", "moved")
#: As many rows as a card has.
_MOST_ROWS = 20


@dataclass(frozen=True, eq=False, repr=False)
class ProfileComparison(Result):
    """The differences between two assignments of the same events to profiles.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per difference, those of most events first: `difference` (from 1), `change`
        (``"split"``: one profile in `a`, several in `b`; ``"merged"``: the other way round;
        ``"moved"``: several in both, with other events), `events`, `profiles_a`, `profiles_b`
        (lists of IDs), `alias` (the one that joins most of them) and `joined_in` (``"a"`` or
        ``"b"``, where it joins them).
    aliases : pandas.DataFrame
        Every alias that joins in one what is apart in the other: `difference`, `alias`,
        `joined_in`, `profiles` (how many of the other's it joins), `events` (that carry it).
    events : pandas.DataFrame
        The events of the people that differ: `difference`, the key, `profile_id_a`,
        `profile_id_b`, and `event_name` and `timestamp` where one of the two has them.
    on : str
        The key by which the events were matched.
    compared : int
        How many events are in both.
    left_out : int
        How many are in one of the two alone, or have no key.
    """

    table: pd.DataFrame
    aliases: pd.DataFrame
    events: pd.DataFrame
    on: str
    compared: int
    left_out: int

    def _line(self) -> str:
        changes = self.table["change"].value_counts()
        found = ", ".join(f"{changes[name]:,} {name}" for name in _CHANGES if name in changes)
        left_out = f", {self.left_out:,} left out" if self.left_out else ""
        return (
            f"ProfileComparison({counted(self.compared, 'event')} by {self.on}{left_out}; "
            f"{found or 'the same profiles'})"
        )

    def _body(self) -> Iterable[pd.DataFrame | str]:
        yield self.table.head(_MOST_ROWS)
        if len(self.table) > _MOST_ROWS:
            yield f"… and {len(self.table) - _MOST_ROWS:,} more."


@of_function
def compare_profiles(a: Profiles, b: Profiles, *, on: str | None = None) -> ProfileComparison:
    """Compare two assignments of the same events to profiles.

    Profile IDs are names: only which events are together is compared. An event without a profile
    counts as a profile of its own.

    Parameters
    ----------
    a, b : Stitched or pandas.DataFrame
        Two stitchings, or frames with a key and `profile_id`, such as Converge's own table
        `events` after its merges.
    on : str, optional
        The column by which to match events: by default `row` if both have it, else `event_id`.

    Returns
    -------
    ProfileComparison

    Raises
    ------
    ColumnError
        A frame lacks the key or `profile_id`.
    ConvergekitError
        A key is on two events, or the two have no event in common.

    Examples
    --------
    >>> import convergekit as ck
    >>> events = ck.simulate_store().events
    >>> without = ck.stitch(events, block=["urn:cart_token:a1f3b74f09"])
    >>> found = ck.compare_profiles(ck.stitch(events), without)
    >>> found
    ProfileComparison(434 events by row; 1 split)
    >>> found.table[["change", "events", "alias", "joined_in"]]
      change  events                      alias joined_in
    0  split       8  urn:cart_token:a1f3b74f09         a
    """
    frames = [_frame(given, name) for given, name in ((a, "a"), (b, "b"))]
    key = on or ("row" if all("row" in frame for frame in frames) else "event_id")
    keyed = [_keyed(frame, key, name) for frame, name in zip(frames, "ab", strict=True)]
    keys = keyed[0].index[keyed[0].index.isin(keyed[1].index)]
    if not len(keys) and all(map(len, frames)):
        raise ConvergekitError(
            f"`a` and `b` have no event in common: no {key!r} is in both. Name another key with "
            "on=."
        )
    positions = [side.loc[keys, "position"].to_numpy() for side in keyed]
    labels, names = zip(*(_labels(side.loc[keys, "profile_id"]) for side in keyed), strict=True)
    group, change = _differences(*labels)
    joining = _joining(a, b, positions, labels, group)
    events = _events(frames, key, positions, group)
    return ProfileComparison(
        table=_table(group, change, labels, names, joining),
        aliases=joining,
        events=events,
        on=key,
        compared=len(keys),
        left_out=sum(map(len, frames)) - 2 * len(keys),
    )


def _frame(given: Profiles, name: str) -> pd.DataFrame:
    tables = getattr(given, "tables", None)
    frame = tables.events if isinstance(tables, StitchedEvents) else given
    if not isinstance(frame, pd.DataFrame):
        raise ConvergekitError(
            f"`{name}` must be a Stitched, or a frame with a key and 'profile_id'; got a "
            f"{type(given).__name__}."
        )
    if "profile_id" not in frame:
        raise ColumnError(
            f"`{name}` has no column 'profile_id'. "
            f"{what_there_is(frame.columns, 'profile_id', none='no columns at all')}"
        )
    return frame


def _keyed(frame: pd.DataFrame, key: str, name: str) -> pd.DataFrame:
    """Return the profile and position of each event that has a key, by its key."""
    if key not in frame:
        raise ColumnError(
            f"`{name}` has no column {key!r} to match events by. "
            f"{what_there_is(frame.columns, key)} Name another with on=."
        )
    keys = as_text(frame[key])[0].to_numpy(dtype=object)
    found = pd.DataFrame(
        {"profile_id": frame["profile_id"].array, "position": np.arange(len(frame))}, index=keys
    )
    found = found[found.index.notna()]
    if not found.index.is_unique:
        twice = found.index[found.index.duplicated()][0]
        raise ConvergekitError(
            f"`{name}` has two events with the {key} {twice!r}; match by a key that is unique."
        )
    return found


def _labels(profile_id: pd.Series) -> tuple[IntArray, pd.Index]:
    """Return profiles as numbers and their names; an event without one has a number alone."""
    label, names = pd.factorize(profile_id)
    label = label.astype(np.int64)
    alone = np.flatnonzero(label < 0)
    label[alone] = len(names) + np.arange(len(alone))
    return label, pd.Index(names)


def _differences(one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """Return each event's difference, -1 for none, and each difference's change.

    Profiles that share events are connected; one that shares all of its events with one other,
    and that with it, is the same.
    """
    size, total = int(one.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1
    shape = (size + total, size + total)
    shared = scipy.sparse.coo_array((np.ones(len(one)), (one, size + other)), shape=shape)
    count, part = scipy.sparse.csgraph.connected_components(shared, directed=False)
    profiles = np.bincount(part[:size], minlength=count), np.bincount(part[size:], minlength=count)
    of_event = part[one] if len(one) else one
    events = np.bincount(of_event, minlength=count)
    differs = np.flatnonzero((profiles[0] > 1) | (profiles[1] > 1))
    differs = differs[np.argsort(-events[differs], kind="stable")]
    number = np.full(count, -1, dtype=np.int64)
    number[differs] = np.arange(len(differs))
    change = np.where(profiles[0] == 1, 0, np.where(profiles[1] == 1, 1, 2))[differs]
    return number[of_event], change


def _joining(
    a: Profiles,
    b: Profiles,
    positions: list[IntArray],
    labels: Iterable[IntArray],
    group: IntArray,
) -> pd.DataFrame:
    """Return the aliases that join, in one, events that are apart in the other."""
    of_a, of_b = labels
    parts = [
        _spanning(given.tables.whole, given.tables.in_whole(position), other, group, name)
        for given, position, other, name in (
            (a, positions[0], of_b, "a"), (b, positions[1], of_a, "b"),
        )
        if not isinstance(given, pd.DataFrame)
    ]  # fmt: skip
    types = {
        "difference": "int64", "alias": "str", "joined_in": "str", "profiles": "int64",
        "events": "int64",
    }  # fmt: skip
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(types))
    order = ["difference", "profiles", "events", "alias", "joined_in"]
    ascending = [True, False, False, True, True]
    return found.astype(types).sort_values(order, ascending=ascending, ignore_index=True)


def _spanning(
    s: StitchedEvents, position: IntArray, other: IntArray, group: IntArray, name: str
) -> pd.DataFrame:
    found = s.resolution
    of_profile = np.full(len(found.profile_ids) + 1, -1, dtype=np.int64)
    of_profile[found.profile[position]] = group
    of_profile[-1] = -1
    label = np.full(len(s.events), -1, dtype=np.int64)
    label[position] = other
    own = found.aliases.own
    pairs = pd.DataFrame({"alias": found.aliases.alias[own], "event": found.aliases.event[own]})
    pairs = pairs.assign(difference=of_profile[found.profile[pairs["event"]]] + 1)
    pairs = pairs[pairs["difference"] > 0]
    pairs = pairs.assign(other=_spread(pairs, label)[pairs["event"]])
    spanning = (
        pairs.groupby("alias")
        .agg(
            difference=("difference", "first"),
            profiles=("other", "nunique"),
            events=("event", "size"),
        )
        .query("profiles > 1")
        .reset_index()
    )
    urns = found.aliases.urns(spanning["alias"].to_numpy(dtype=np.int64))
    return spanning.assign(alias=pd.Series(urns, dtype="str"), joined_in=name)


def _spread(pairs: pd.DataFrame, label: IntArray) -> IntArray:
    """Return the labels, an event without one taking that of the nearest.

    Events of one side alone are in no profile of the other's, but may be what joins two.
    """
    event, alias = pairs["event"].to_numpy(), pairs["alias"].to_numpy()
    nothing = np.iinfo(np.int64).max
    while True:
        least = np.full(int(alias.max(initial=-1)) + 1, nothing)
        told = label[event] >= 0
        np.minimum.at(least, alias[told], label[event[told]])
        reached = ~told & (least[alias] < nothing)
        if not reached.any():
            return label
        taken = np.full(len(label), nothing)
        np.minimum.at(taken, event[reached], least[alias[reached]])
        label = np.where(taken < nothing, taken, label)


def _table(
    group: IntArray,
    change: IntArray,
    labels: tuple[IntArray, ...],
    names: tuple[pd.Index, ...],
    joining: pd.DataFrame,
) -> pd.DataFrame:
    inside = np.flatnonzero(group >= 0)
    count = len(change)
    table = pd.DataFrame(
        {
            "difference": np.arange(1, count + 1),
            "change": pd.Series(np.array(_CHANGES, dtype=object)[change], dtype="str"),
            "events": np.bincount(group[inside], minlength=count),
        }
    )
    for side, label, known in zip("ab", labels, names, strict=True):
        pairs = pd.DataFrame({"group": group[inside], "label": label[inside]}).drop_duplicates()
        pairs = pairs[pairs["label"] < len(known)]
        lists = (
            known.take(pairs["label"]).to_series(index=pairs["group"]).groupby(level=0).agg(list)
        )
        lists = lists.reindex(range(count))
        table[f"profiles_{side}"] = [x if isinstance(x, list) else [] for x in lists]
    best = joining.drop_duplicates("difference").set_index("difference")[["alias", "joined_in"]]
    return table.join(best, on="difference")


def _events(
    frames: list[pd.DataFrame],
    key: str,
    positions: list[IntArray],
    group: IntArray,
) -> pd.DataFrame:
    """Return the events of the differences, those of one together, else in the order of `a`."""
    inside = np.flatnonzero(group >= 0)
    inside = inside[np.argsort(group[inside], kind="stable")]
    first, second = (
        frame.iloc[position[inside]].reset_index(drop=True)
        for frame, position in zip(frames, positions, strict=True)
    )
    columns = {
        "difference": group[inside] + 1,
        key: first[key],
        "profile_id_a": first["profile_id"],
        "profile_id_b": second["profile_id"],
    }
    for name in ("event_name", "timestamp"):
        having = next((frame for frame in (first, second) if name in frame), None)
        if having is not None and name != key:
            columns[name] = having[name]
    return pd.DataFrame(columns)
