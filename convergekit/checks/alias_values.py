"""Aliases that identify a page or a program instead of a person, or stand under two types."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.grouping import distinct, distinct_rows, run_starts
from convergekit.base.text import as_text, to_arrow
from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import quoted, shown, shown_text
from convergekit.events.nothing import TEMPLATE, trimmed
from convergekit.events.schema import ALIAS
from convergekit.identity.aliases import urn
from convergekit.identity.read_aliases import texts_in
from convergekit.typing import BoolArray, IntArray
from convergekit.visible import visible

# Within a text: Liquid and Handlebars, JavaScript and shell, ERB, Mailchimp, and the first three in
# a URL. A text that is nothing else is left out before.
_TEMPLATE = rf"\{{\{{|\}}\}}|\{{%|\$\{{|<%|\*\||%7B%7B|%7D%7D|%24%7B|^\{{[\w.]+\}}$|{TEMPLATE}"

_NONE = np.zeros(0, dtype=bool)

#: A token under this many browsers' aliases is cached: a cart, two devices, and the cookies of a
#: shop and of its checkout make four.
FEWEST_BROWSERS = 5
#: Any other alias is, that met this many on one day.
FEWEST_BROWSERS_A_DAY = 10
_DAY = 24 * 3_600_000_000
#: Shorter values, such as the number of a customer and that of an order, are alike by chance.
SHORTEST_LIKE = 8
# Of sixteen letters, as hashes of texts take them.
_KEYS = ("first-half-hashe", "other-half-hashe")
_LEFT_OUT, _WITHIN = "left out", "within"


def _templated(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find aliases that are a template's placeholder, never filled in, or hold one."""
    yield from _left_out_templates(tracking)
    bad = _templates(tracking)
    at = tracking.carrying(bad)
    yield FoundInPart(
        at,
        tracking.worth_of_profiles(at),
        lambda some: _carried(tracking, some, bad),
        _WITHIN,
        about=_urns(tracking, bad),
    )


def _left_out_templates(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find aliases that are a placeholder and nothing else: they are left out."""
    blocked = tracking.aliases.blocked
    if not len(blocked) or not _match(to_arrow(blocked["alias_value"]), TEMPLATE).any():
        return
    at, urns = _events_of_templates(tracking.events)
    kept = tracking.is_kept[at]
    at, urns = at[kept], [one for one, is_kept in zip(urns, kept, strict=True) if is_kept]
    said = dict(zip(at.tolist(), urns, strict=True))
    at = distinct(at)
    yield FoundInPart(
        at,
        tracking.worth_of_profiles(at),
        lambda some: [visible(shown_text(said[place])) for place in some.tolist()],
        _LEFT_OUT,
        about=sorted(set(urns)),
    )


def _said_of_templates(found: Together) -> Fault:
    """Say what is wrong with placeholders: what stands around one makes them differ."""
    carries = counted(found.count, "event carries", "events carry")
    urns = sorted({one for some in found.about for one in some})
    rendered = (
        "Have the template filled in where the event is sent: it is written in a place that "
        "nothing renders."
    )
    if found.key == _LEFT_OUT:
        return Fault(
            "high",
            f"{carries} a placeholder in place of an alias: {quoted(map(shown_text, urns))}.",
            "It identifies nobody and is left out: these events do not reach those before them.",
            rendered,
            found.money,
        )
    values = [one.split(":", 2)[2] for one in urns]
    return Fault(
        "high",
        f"{carries} a placeholder within an alias: {quoted(map(shown_text, values))}.",
        "All visitors get the same value, so it joins strangers into one profile.",
        f"{rendered.removesuffix('.')}. Until then: {_block(urns)}.",
        found.money,
    )


def no_browser(whole: Whole) -> str:
    """Return that no event is of a browser session; nothing where one is."""
    name = whole.asked.browser_alias
    return "" if name in whole.alias_types else f"no event carries the alias type {name!r}"


def _shared(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find aliases that are on the events of more browsers than one person has."""
    bad = _met_by_many(tracking, tracking.is_browser) & ~_templates(tracking)
    at = tracking.carrying(bad)
    yield FoundInPart(
        at,
        tracking.worth_of_profiles(at),
        lambda some: _carried(tracking, some, bad),
        about=_urns(tracking, bad),
    )


def _said_of_shared(found: Together) -> Fault:
    urns = sorted(one for some in found.about for one in some)
    return Fault(
        "high",
        f"{counted(len(urns), 'alias is', 'aliases are')} on events of more browsers than one "
        f"person has: {quoted(map(shown_text, urns))}.",
        "A cached page, a till or a shared account sends one value for all visitors, so it "
        "joins strangers into one profile.",
        "Leave the page that writes the value out of the cache, or do not send it from there. "
        f"Until then: {_block(urns)}; s.suspects says what it joins.",
        found.money,
    )


def _values_of_types(tracking: Tracking) -> pd.DataFrame:
    """Return of each alias that is long enough its type, its profile, and its value as a hash.

    Of 128 bits: no two values have the same.
    """
    table = tracking.aliases.table
    event, alias = tracking.pairs
    profile = np.full(len(table), -1, dtype=np.int64)
    profile[alias] = tracking.profile[event]
    values = as_text(table["alias_value"])[0].str.lower()
    asked = (profile >= 0) & (values.str.len() >= SHORTEST_LIKE).to_numpy(dtype=bool)
    texts = values[asked].to_numpy(dtype=object)
    one, other = (
        pd.util.hash_array(texts, hash_key=key, categorize=False) if len(texts) else texts
        for key in _KEYS
    )
    return pd.DataFrame(
        {
            "one": np.asarray(one, dtype=np.uint64),
            "other": np.asarray(other, dtype=np.uint64),
            "type": table["alias_type"][asked].array,
            "profile": profile[asked],
        },
        index=np.flatnonzero(asked),
    )


def _alike(parts: list[pd.DataFrame], whole: Whole) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the values that are of each two types and of two profiles."""
    of = pd.concat(
        [part.assign(part=number, type=part["type"].astype("str")) for number, part in
         enumerate(parts)],
        ignore_index=True,
    )  # fmt: skip
    of = of[of.duplicated(["one", "other"], keep=False)]
    both = of.merge(of, on=["one", "other"], suffixes=("", "_there"))
    apart = (both["profile"] != both["profile_there"]) | (both["part"] != both["part_there"])
    both = both[(both["type"] < both["type_there"]) & apart]
    return {
        (str(one), str(other)): pairs[["one", "other"]].drop_duplicates(ignore_index=True)
        for (one, other), pairs in both.groupby(["type", "type_there"], sort=True)
    }


def _under_two_types(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find values that are an alias of one type here and of another there, never linked."""
    alike = tracking.whole.of_checks["alias-of-two-types"]
    values = _values_of_types(tracking) if alike else pd.DataFrame()
    for types, hashes in alike.items():
        asked = values[values["type"].isin(types)]
        keys = pd.MultiIndex.from_frame(asked[["one", "other"]])
        bad = np.zeros(len(tracking.aliases.table), dtype=bool)
        bad[asked.index[keys.isin(pd.MultiIndex.from_frame(hashes))]] = True
        at = tracking.carrying(bad)
        worth = tracking.worth_of_profiles(at)
        yield FoundInPart(at, worth, partial(_carried, tracking, bad=bad), types, about=len(hashes))


def _said_of_two_types(found: Together) -> Fault:
    one, other = found.key
    return Fault(
        "high",
        f"{counted(found.about[0], 'value is', 'values are')} of the alias type {visible(one)!r} "
        f"on some events and of {visible(other)!r} on others.",
        "Aliases of two types are two, so the events stay two profiles: an order does not "
        "reach the visits before it.",
        "Send one value under one type. Until then: ck.read_events(..., columns="
        f"{{{ALIAS + one!r}: {[ALIAS + one, ALIAS + other]!r}}}).",
        found.money,
    )


TEMPLATED = Check(_templated, _said_of_templates)
SHARED = Check(_shared, _said_of_shared, no_browser)
UNDER_TWO_TYPES = Check(_under_two_types, _said_of_two_types, learn=_values_of_types, settle=_alike)


def _events_of_templates(events: pd.DataFrame) -> tuple[IntArray, list[str]]:
    """Return the events with an alias that is a placeholder, and its URN."""
    found: list[tuple[IntArray, list[str]]] = []
    for name in events.columns:
        if name == "aliases":
            found.append(_templates_in_lists(events[name]))
        elif name.startswith(ALIAS):
            texts = to_arrow(as_text(events[name])[0])
            at = np.flatnonzero(_match(trimmed(texts), TEMPLATE))
            values = trimmed(texts).take(pa.array(at)).to_pylist()
            found.append((at, [urn(name.removeprefix(ALIAS), str(value)) for value in values]))
    at = np.concatenate([np.empty(0, dtype=np.int64), *(places for places, _ in found)])
    urns = [one for _, some in found for one in some]
    order = np.argsort(at, kind="stable")
    return at[order], [urns[place] for place in order.tolist()]


def _templates_in_lists(lists: pd.Series) -> tuple[IntArray, list[str]]:
    members = texts_in(lists)
    if members is None:
        # Among the lists are other things: of each list, what is text.
        cells = lists.astype(object).reset_index(drop=True).explode()
        cells = cells[cells.map(lambda one: isinstance(one, str)).to_numpy(dtype=bool)]
        members = cells.index.to_numpy(), pa.chunked_array([to_arrow(as_text(cells)[0])])
    event, urns = members
    pattern = r"^urn:[^:]+:\s*" + TEMPLATE.removeprefix("^")
    is_template = _match(trimmed(urns), pattern)
    return event[is_template], pc.filter(urns, pa.array(is_template)).to_pylist()


def _templates(tracking: Tracking) -> BoolArray:
    return _match(to_arrow(tracking.aliases.table["alias_value"]), _TEMPLATE)


def _match(texts: pa.Array, pattern: str) -> BoolArray:
    found = pc.match_substring_regex(texts, pattern, ignore_case=True).fill_null(False)
    return found.to_numpy(zero_copy_only=False).astype(bool) if len(texts) else _NONE


def _met_by_many(tracking: Tracking, is_browser: BoolArray) -> BoolArray:
    """Return which aliases met too many browsers' aliases on their events."""
    event, alias = tracking.pairs
    browser_of = np.full(len(tracking.events), -1, dtype=np.int64)
    of_browser = is_browser[alias]
    browser_of[event[of_browser]] = alias[of_browser]
    size = len(is_browser)
    others = ~of_browser & (browser_of[event] >= 0)
    event, alias = event[others], alias[others]
    met = distinct(alias * size + browser_of[event])
    browsers = np.bincount(met // size, minlength=size)
    is_token = tracking.aliases.table["alias_type"].isin(token_types(tracking)).to_numpy(dtype=bool)
    is_shared = is_token & (browsers >= FEWEST_BROWSERS)
    maybe = ~is_token & (browsers >= FEWEST_BROWSERS_A_DAY)
    return is_shared | _met_by_many_in_a_day(tracking, maybe, event, alias, browser_of)


def _met_by_many_in_a_day(
    tracking: Tracking, maybe: BoolArray, event: IntArray, alias: IntArray, browser_of: IntArray
) -> BoolArray:
    is_shared = np.zeros(len(maybe), dtype=bool)
    asked = maybe[alias]
    event, alias = event[asked], alias[asked]
    day = tracking.microseconds[event] // _DAY
    alias, day, _ = distinct_rows(alias, day, browser_of[event])
    starts = np.flatnonzero(run_starts(alias, day))
    browsers = np.diff(np.append(starts, len(alias)))
    is_shared[alias[starts[browsers >= FEWEST_BROWSERS_A_DAY]]] = True
    return is_shared


def token_types(tracking: Tracking) -> list[str]:
    """Return the alias types that name a cart or a checkout: their names end in ``token``."""
    return [name for name in tracking.aliases.types.categories if name.endswith("token")]


def _carried(tracking: Tracking, some: IntArray, bad: BoolArray) -> list[str]:
    event, alias = tracking.pairs
    event, alias = event[bad[alias]], alias[bad[alias]]
    first = np.searchsorted(event, some)
    return [visible(shown_text(urn)) for urn in tracking.aliases.urns(alias[first])]


def _urns(tracking: Tracking, bad: BoolArray) -> list[str]:
    return tracking.aliases.urns(np.flatnonzero(bad))


def _block(urns: list[str]) -> str:
    """Return the call that blocks the aliases, without those that hold something personal."""
    plain = [one for one in urns if shown(one) == repr(one)]
    return f"block={plain[:FEWEST_BROWSERS]!r}" if plain else "block= these URNs"
