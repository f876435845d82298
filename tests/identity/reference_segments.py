"""Segments, the slow way: stitch the chosen rows alone, or filter what the whole says by hand."""

from __future__ import annotations

import pandas as pd

import convergekit as ck


def rows_of_profiles(s: ck.Stitched, chosen: set[str]) -> list[int]:
    """Return the input's rows of these profiles' events and of the copies of them."""
    kept = [
        row
        for row, profile in zip(s.events["row"], s.events["profile_id"], strict=True)
        if profile in chosen
    ]
    copies = zip(s.duplicates["row"], s.duplicates["kept_row"], strict=True)
    return sorted([*kept, *(row for row, of in copies if of in kept)])


def stitched_alone(frame: pd.DataFrame, rows: list[int], **options) -> ck.Stitched:
    """Stitch some rows of an export as if there were no others.

    Of whole profiles nothing differs: all that links them and all that is carried is in their rows.
    """
    return ck.stitch(frame.iloc[rows].reset_index(drop=True), **options)


def with_rows(table: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    """Return a table of what was stitched alone, its rows numbered as in the whole export."""
    numbered = [name for name in table if name in ("row", "kept_row", "from_row", "linked_row")]
    return table.assign(
        **{name: [pd.NA if pd.isna(row) else rows[row] for row in table[name]] for name in numbered}
    ).astype({name: table[name].dtype for name in numbered})


def did(
    s: ck.Stitched,
    name: str,
    least: int,
    most: int | None = None,
    within: pd.Timedelta | None = None,
) -> set[str]:
    """Return the IDs of the profiles that did something so many times."""
    found = set()
    for profile in s.profiles.to_dict("records"):
        times = 0
        for event in s.events.to_dict("records"):
            if event["profile_id"] != profile["profile_id"] or event["event_name"] != name:
                continue
            if within is None or event["timestamp"] <= profile["first_seen"] + within:
                times += 1
        if times >= least and (most is None or times <= most):
            found.add(profile["profile_id"])
    return found


def profiles_of_events(s: ck.Stitched, seen: list[bool]) -> pd.DataFrame:
    """Return what the table of profiles says of the chosen events, profile by profile."""
    records = []
    for profile in s.profiles.to_dict("records"):
        mine = s.events[seen & (s.events["profile_id"] == profile["profile_id"]).to_numpy()]
        if len(mine):
            records.append(
                profile
                | {
                    "first_seen": mine["timestamp"].min(),
                    "last_seen": mine["timestamp"].max(),
                    "events": int((mine["kind"] == "track").sum()),
                    "sources": mine["source"].nunique(),
                }
            )
    table = pd.DataFrame(records, columns=s.profiles.columns)
    return table.sort_values(["first_seen", "profile_id"], ignore_index=True)
