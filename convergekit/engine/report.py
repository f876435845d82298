"""The report of a `StitchedTable`: a handful of counts, added up in the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from convergekit.diagnostics.placeholders import placeholder_remark
from convergekit.diagnostics.report import (
    EXAMPLE_ROWS,
    Report,
    by_order_remark,
    implausible_copies_warning,
    nameless_warning,
    reused_id_warning,
    scientific_warning,
    unnamed_repeats_warning,
)
from convergekit.engine.aliases import (
    BLOCKED,
    LOOKS_ALIKE,
    MALFORMED,
    USABLE,
    alias_type_of,
    alias_value_of,
)
from convergekit.engine.columns import OWN
from convergekit.engine.duplicates import filled_in
from convergekit.engine.events import KEPT_ROW, NAMED, REASON, TAKEN, UNIDENTIFIED
from convergekit.engine.nothing import is_no_value
from convergekit.engine.profiles import KEY
from convergekit.events.campaigns import holds_campaign
from convergekit.events.normalise import PLACEHOLDER_ID
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY
from convergekit.identity.dedupe import IMPLAUSIBLE
from convergekit.identity.plausible import SCIENTIFIC
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.read_aliases import LOOK_ALIKES, NO_TYPE

if TYPE_CHECKING:
    from convergekit.engine.result import StitchedTable


def make_report(s: StitchedTable) -> Report:
    """Return the report of a `StitchedTable`."""
    members = s._members
    by_type = _counted(members, "alias_type")
    blocked = _blocked(s._rows)
    malformed = s._rows.filter(s._rows[MALFORMED] > 0)
    items = _total(malformed[MALFORMED])
    kept = s._kept
    return Report.from_dict(
        {
            "rows_in": _count(s._rows),
            "events": _count(kept),
            "profiles": int(members["profile_id"].nunique().execute()),
            "aliases": _count(members),
            "links_nobody": _count(kept.filter(kept[USABLE].length() == 0)),
            "duplicates": _counted(s.duplicates, "repeat"),
            "rejected": _counted(s.rejected, "reason"),
            "coverage": _coverage(s),
            "aliases_by_type": by_type,
            "alias_types": _alias_types(s, by_type, blocked),
            "blocked": blocked.to_dict("records"),
            "malformed": {NO_TYPE: items} if items else {},
            "malformed_rows": {NO_TYPE: _example_rows(malformed)} if items else {},
            "several_logins": _several_logins(s, by_type),
            "refused": {},
            "remarks": _remarks(s),
            "warnings": _warnings(s),
        }
    )


def _count(table: Any) -> int:
    return int(table.count().execute())


def _total(numbers: Any) -> int:
    # The sum of nothing is null.
    total = numbers.sum().execute()
    return 0 if pd.isna(total) else int(total)


def _counted(table: Any, name: str) -> dict[str, int]:
    counts = table.group_by(name).aggregate(n=table.count()).order_by(name).execute()
    return {str(value): int(n) for value, n in zip(counts[name], counts["n"], strict=True)}


def _coverage(s: StitchedTable) -> list[dict[str, Any]]:
    members, events = s._members, s._timeline
    browser = members.filter(members["alias_type"] == s.browser_alias)
    browser = browser.select(**{OWN + "browser": browser["profile_id"]}).distinct()
    events = events.filter(events["kind"] == "track")
    events = events.left_join(browser, events["profile_id"] == browser[OWN + "browser"])
    shares = events.group_by("event_name").aggregate(
        events=events.count(),
        with_profile=events["profile_id"].notnull().cast("float64").mean(),
        with_browser_session=events[OWN + "browser"].notnull().cast("float64").mean(),
    )
    ordered = shares.execute().sort_values(["events", "event_name"], ascending=[False, True])
    return ordered.to_dict("records")


def _blocked(rows: Any) -> pd.DataFrame:
    """Return the blocked values and how many events have them, dropped copies among them."""
    events = rows.filter(rows[REASON].isnull())
    carried = events.select(**{KEY: events[BLOCKED].unnest()})
    counts = carried.group_by(KEY).aggregate(events=carried.count())
    counts = counts.select(
        alias_type=alias_type_of(counts[KEY]),
        alias_value=alias_value_of(counts[KEY]),
        events="events",
    )
    by = ["events", "alias_type", "alias_value"]
    return counts.execute().sort_values(by, ascending=[False, True, True], ignore_index=True)


def _alias_types(
    s: StitchedTable, by_type: dict[str, int], blocked: pd.DataFrame
) -> list[dict[str, Any]]:
    kept, names = s._kept, sorted({*by_type, *blocked["alias_type"]})
    carry = {
        f"n_{place}": (
            kept[USABLE].filter(lambda k, t=name: k.startswith(f"{t}:")).length() > 0
        ).sum()
        for place, name in enumerate(names)
    }
    carried = kept.aggregate(**carry).execute().iloc[0] if carry else {}
    blocked_events = blocked.groupby("alias_type")["events"].sum()
    return [
        {
            "alias_type": name,
            "aliases": by_type.get(name, 0),
            "events": 0 if pd.isna(carried[f"n_{place}"]) else int(carried[f"n_{place}"]),
            "blocked": int(blocked_events.get(name, 0)),
        }
        for place, name in enumerate(names)
    ]


def _example_rows(rows: Any) -> list[int]:
    """Return the rows of the first few items; a row stands once for each."""
    first = rows.select("row", MALFORMED).order_by("row").limit(EXAMPLE_ROWS).execute()
    return first["row"].repeat(first[MALFORMED]).head(EXAMPLE_ROWS).tolist()


def _several_logins(s: StitchedTable, by_type: dict[str, int]) -> dict[str, int]:
    several = {}
    for name in LOGIN_TYPES:
        if name in by_type:
            logins = s._members.filter(s._members["alias_type"] == name)
            per_profile = logins.group_by("profile_id").aggregate(n=logins.count())
            several[name] = _count(per_profile.filter(per_profile["n"] > 1))
    return several


def _remarks(s: StitchedTable) -> dict[str, int]:
    rows = s._rows
    counted = {f"event {old!r} renamed": (rows[NAMED] == old).sum() for old in s._renamed}
    if "received_at" in rows.columns:
        late = rows["received_at"].isnull() & rows["timestamp"].notnull()
        counted["timestamp is missing: received_at taken"] = rows[TAKEN].sum()
        counted["received_at is missing: timestamp taken as the time of arrival"] = late.sum()
    counted[PLACEHOLDER_ID] = rows[UNIDENTIFIED].sum()
    # What rejected rows carry is read by nobody.
    counted[LOOK_ALIKES] = (rows[LOOKS_ALIKE] & rows[REASON].isnull()).sum()
    found = rows.aggregate(**{f"n_{i}": n for i, n in enumerate(counted.values())}).execute()
    counts = found.fillna(0).iloc[0].astype(int)
    remarks = {remark: int(n) for remark, n in zip(counted, counts, strict=True) if n}
    placeholders = _placeholders(s, of_campaigns=True) | _placeholders(s, of_campaigns=False)
    return remarks | placeholders | _by_order(s)


def _by_order(s: StitchedTable) -> dict[str, int]:
    """Return the remark on copies of which the order of rows alone said which to drop."""
    rows, copies = s.events, s.duplicates
    differ = copies.filter(copies["differs"].length() > 0)
    if "received_at" in rows.columns:
        kept = rows.filter(rows["received_at"].isnull())
        kept = kept.select(**{KEPT_ROW: kept["row"], _AT: kept["timestamp"]})
        differ = differ.inner_join(kept, [KEPT_ROW, differ["timestamp"] == kept[_AT]])
    return by_order_remark(_count(differ))


def _placeholders(s: StitchedTable, *, of_campaigns: bool) -> dict[str, int]:
    """Return on how many kept events properties hold texts that stand for nothing."""
    source = s._source.semi_join(s._kept, "row")
    found = {
        name: (is_no_value(s._backend, source[name]) & (source[name] != "")).fill_null(False)
        for name in source.columns
        if name.startswith((PROPERTY, PROFILE_PROPERTY))
        and source[name].type().is_string()
        and holds_campaign(name) is of_campaigns
    }
    if not found:
        return {}
    sums = {f"n_{place}": marked.sum() for place, marked in enumerate(found.values())}
    counts = source.aggregate(rows=ibis.or_(*found.values()).sum(), **sums).execute()
    counts = counts.fillna(0).iloc[0].astype(int)
    columns = [name for place, name in enumerate(found) if counts[f"n_{place}"]]
    return placeholder_remark(columns, int(counts["rows"]), of_campaigns=of_campaigns)


def _warnings(s: StitchedTable) -> list[str]:
    rows, kept, copies = s._source, s._kept, s.duplicates
    amounts = [
        name
        for name in rows.columns
        if name.startswith("properties.") and rows[name].type().is_numeric()
    ]
    warnings = []
    events = _count(kept)
    if events and not _count(kept.filter(kept["kind"] != "identify")):
        warnings.append(nameless_warning(events))
    for what, fields in (("event name", ["event_name"]), ("amount", amounts)):
        if not fields:
            continue
        other = copies.filter(ibis.or_(*(copies["conflicts"].contains(f) for f in fields)))
        count = _count(other)
        if count:
            first = other.select("row").order_by("row").limit(EXAMPLE_ROWS).execute()["row"]
            warnings.append(reused_id_warning(count, what, first.tolist()))
    implausible = copies.filter(copies["repeat"] == IMPLAUSIBLE)
    count = _count(implausible)
    if count:
        row, kept_row = _first_of(implausible, "row", "kept_row")
        warnings.append(implausible_copies_warning(count, int(row), int(kept_row)))
    accepted = s._rows.filter(lambda row: row[REASON].isnull())
    rounded = accepted.filter(accepted["event_id"].re_search(SCIENTIFIC))
    count = _count(rounded)
    if count:
        row, event_id = _first_of(rounded, "row", "event_id")
        warnings.append(scientific_warning(count, event_id, int(row)))
    repeats, elsewhere = _repeats_without_id(rows, kept)
    if repeats:
        warnings.append(unnamed_repeats_warning(repeats, elsewhere))
    return warnings


def _first_of(table: Any, *names: str) -> Any:
    """Return some cells of the first row."""
    return table.select(*names).order_by("row").limit(1).execute().iloc[0]


def _repeats_without_id(source: Any, kept: Any) -> tuple[int, dict[tuple[str, str], int]]:
    nameless = kept.filter(kept["event_id"].isnull()).select("row", "timestamp", "event_name")
    content = [c for c in source.columns if not c.startswith(OWN) and c not in _SAYS_NOTHING]
    # Few events are of one name at one time, and only theirs are compared in full.
    close = nameless.group_by(["timestamp", "event_name"]).having(lambda t: t.count() > 1)
    close = close.aggregate().select(at="timestamp", name="event_name")
    suspects = nameless.semi_join(
        close,
        [
            nameless["timestamp"] == close["at"],
            nameless["event_name"].identical_to(close["name"]),
        ],
    )
    suspects = source.semi_join(suspects.select("row"), "row")
    if "file" not in source.columns:
        again = suspects.group_by(content).aggregate(**{OWN + "n": suspects.count()})
        return _total(again[OWN + "n"] - 1), {}
    said = ibis.ifelse(filled_in(suspects), ibis.null("string"), suspects["source"])
    suspects = suspects.mutate(source=said)
    alike = ibis.window(group_by=content)
    suspects = suspects.select("row", "file", **{_FIRST: suspects["row"].min().over(alike)})
    firsts = suspects.select(**{_FIRST: suspects["row"], _FILE: suspects["file"]})
    again = suspects.filter(suspects["row"] != suspects[_FIRST]).inner_join(firsts, _FIRST)
    pairs = again.group_by([_FILE, "file"]).aggregate(**{OWN + "n": again.count()}).execute()
    repeats = int(pairs[OWN + "n"].sum())
    pairs = (
        pairs[pairs[_FILE] != pairs["file"]]
        .dropna()
        .sort_values([OWN + "n", _FILE, "file"], ascending=[False, True, True])
    )
    named = zip(pairs[_FILE], pairs["file"], pairs[OWN + "n"], strict=True)
    return repeats, {(one, other): int(n) for one, other, n in named}


_SAYS_NOTHING = ("row", "file", "line")
_FIRST, _FILE, _AT = OWN + "first", OWN + "file", OWN + "at"
