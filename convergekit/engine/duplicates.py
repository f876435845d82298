"""What the dropped copies of an engine's events were: how each differs from the event kept."""

from __future__ import annotations

from typing import Any

import ibis

from convergekit.engine.aliases import USABLE
from convergekit.engine.columns import OWN
from convergekit.engine.events import ARRIVED, KEPT_ROW
from convergekit.engine.profiles import KEY
from convergekit.events.sources import CUTS, STEM
from convergekit.identity.dedupe import DIFFERENT_CONTENT, IDENTICAL, IMPLAUSIBLE, OTHER_SOURCE
from convergekit.identity.evidence import NOT_CONTENT
from convergekit.identity.plausible import LONGEST_BETWEEN
from convergekit.identity.profiles import LOGIN_TYPES

_SHOWN = ("event_id", "event_name", "timestamp", "source")


def describe_copies(source: Any, rows: Any, copies: Any, members: Any) -> Any:
    """Return one row per dropped copy, with the columns of `Stitched.duplicates`.

    Parameters
    ----------
    source : ibis.Table
        Every row, as `read_events` returns it.
    rows : ibis.Table
        The same, with `USABLE`.
    copies : ibis.Table
        As `find_copies` returns it.
    members : ibis.Table
        The aliases that kept events carry, by `KEY`.
    """
    names = [c for c in source.columns if not c.startswith(OWN)]
    content = [name for name in names if name not in NOT_CONTENT]
    copy = source.inner_join(copies, "row").select(*names, KEPT_ROW)
    originals = copies.select(**{OWN + "row": copies[KEPT_ROW]}).distinct()
    kept = source.inner_join(originals, source["row"] == originals[OWN + "row"])
    kept = kept.select(**{OWN + name: source[name] for name in names})
    both = copy.inner_join(kept, copy[KEPT_ROW] == kept[OWN + "row"])
    unequal = {name: ~_known(both[name]).identical_to(_known(both[OWN + name])) for name in content}
    differs = {name: unequal[name] for name in content}
    other = _unequal_sources(both, ibis.or_(*differs.values()))
    conflicts = {
        name: unequal[name] & _says(both[name]) & _says(both[OWN + name]) for name in content
    }
    described = both.select(
        "row",
        KEPT_ROW,
        *_SHOWN,
        differs=_names_where(differs),
        conflicts=_names_where(conflicts),
        **{OWN + "other": other},
    )
    implausible = _implausible(rows, copies)
    repeat = ibis.cases(
        (described["row"].isin(implausible["row"]), IMPLAUSIBLE),
        (described[OWN + "other"], OTHER_SOURCE),
        (described["differs"].length() > 0, DIFFERENT_CONTENT),
        else_=IDENTICAL,
    )
    described = described.mutate(repeat=repeat)
    lost = _lost_aliases(rows.semi_join(copies, "row").select("row", USABLE), members)
    found = described.left_join(lost, described["row"] == lost[OWN + "row"])
    nothing = ibis.literal([], type="array<string>")
    found = found.mutate(lost_aliases=ibis.coalesce(found["lost_aliases"], nothing))
    return found.select("row", KEPT_ROW, *_SHOWN, "repeat", "differs", "conflicts", "lost_aliases")


def filled_in(table: Any, prefix: str = "") -> Any:
    """Return of which rows the source is filled in, as `convergekit.events.sources` finds it."""
    if prefix + "file" not in table.columns:
        return ibis.literal(False)
    stem = table[prefix + "file"].cast("string").re_extract(STEM, 1)
    source = table[prefix + "source"]
    return ibis.coalesce((stem == source) & (stem != ""), ibis.literal(False))


def _unequal_sources(both: Any, differ: Any) -> Any:
    """Return which copies come from another source than the kept event: not a cut of one export."""
    mine, theirs = _export(both), _export(both, OWN)
    filled = filled_in(both) & filled_in(both, OWN)
    return ~mine.identical_to(theirs) & (differ | ~filled)


def _export(table: Any, prefix: str = "") -> Any:
    source = table[prefix + "source"]
    name = source.lower()
    for pattern, replacement in CUTS:
        name = name.re_replace(pattern, replacement)
    return ibis.ifelse(filled_in(table, prefix), name, source)


def _implausible(rows: Any, copies: Any) -> Any:
    """Return the rows of the copies that `convergekit.identity.plausible` finds implausible."""
    copy = copies.inner_join(rows.select("row", "timestamp", ARRIVED, USABLE), "row")
    kept = rows.select(
        **{_KEPT.format("row"): rows["row"], _KEPT.format("timestamp"): rows["timestamp"]},
        **{_KEPT.format(USABLE): rows[USABLE]},
    )
    both = copy.inner_join(kept, copy[KEPT_ROW] == kept[_KEPT.format("row")])
    for name in LOGIN_TYPES:
        both = both.mutate(
            **{
                name: _of_type(both[USABLE], name),
                _KEPT.format(name): _of_type(both[_KEPT.format(USABLE)], name),
            }
        )
    at, then = both["timestamp"], both[_KEPT.format("timestamp")]
    between = ibis.interval(LONGEST_BETWEEN // 1_000_000, unit="s")
    far = (at > then + between) | (at < then - between)
    far &= both[USABLE].intersect(both[_KEPT.format(USABLE)]).length() == 0
    others = [_others(both[name], both[_KEPT.format(name)]) for name in LOGIN_TYPES]
    both = both.mutate(**{_OUT: ibis.or_(far, *others)})
    left = both.filter(~both[_OUT])
    in_order = ibis.window(group_by=KEPT_ROW, order_by=[ARRIVED, "row"])
    found = both.filter(both[_OUT]).select("row")
    for name in LOGIN_TYPES:
        has = left.filter((left[name].length() > 0) & (left[_KEPT.format(name)].length() == 0))
        has = has.mutate(**{_FIRST: has[name].first().over(in_order)})
        found = found.union(has.filter(_others(has[name], has[_FIRST])).select("row"))
    return found


_KEPT = OWN + "kept_{}"
_OUT, _FIRST = OWN + "out", OWN + "first"


def _of_type(keys: Any, alias_type: str) -> Any:
    return keys.filter(lambda key: key.startswith(f"{alias_type}:"))


def _others(mine: Any, theirs: Any) -> Any:
    """Return whether both hold values, and none in common."""
    both = (mine.length() > 0) & (theirs.length() > 0)
    return both & (mine.intersect(theirs).length() == 0)


def _lost_aliases(copy: Any, members: Any) -> Any:
    carried = copy.select(**{OWN + "row": copy["row"], KEY: copy[USABLE].unnest()})
    lost = carried.anti_join(members, KEY)
    urns = (ibis.literal("urn:") + lost[KEY]).collect()
    return lost.group_by(OWN + "row").aggregate(lost_aliases=urns)


def _names_where(holds: dict[str, Any]) -> Any:
    nothing = ibis.null("string")
    names = [ibis.ifelse(held, name, nothing) for name, held in holds.items()]
    return ibis.array(names).filter(lambda name: name.notnull())


def _known(value: Any) -> Any:
    """Return a value, null where it is no number."""
    if value.type().is_floating():
        return ibis.ifelse(value.isnan(), ibis.null(value.type()), value)
    return value


def _says(value: Any) -> Any:
    says = _known(value).notnull()
    return says & (value != "") if value.type().is_string() else says
