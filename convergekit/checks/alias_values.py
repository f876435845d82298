"""Aliases that identify a page or a program instead of a person, or stand under two types."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from convergekit.base.grouping import distinct, distinct_rows, run_starts
from convergekit.base.text import as_text, to_arrow
from convergekit.base.wording import counted
from convergekit.checks.fault import Fault, NotChecked
from convergekit.checks.tracking import Tracking
from convergekit.checks.wording import quoted, shown, shown_text
from convergekit.events.nothing import TEMPLATE
from convergekit.events.schema import ALIAS
from convergekit.typing import BoolArray, IntArray
from convergekit.visible import visible

# Within a text: Liquid and Handlebars, JavaScript and shell, ERB, Mailchimp, and the first three in
# a URL. Or the whole of it.
_TEMPLATE = rf"(?i)\{{\{{|\}}\}}|\{{%|\$\{{|<%|\*\||%7B%7B|%7D%7D|%24%7B|^\{{[\w.]+\}}$|{TEMPLATE}"

#: A token under this many browsers' aliases is cached: a cart, two devices, and the cookies of a
#: shop and of its checkout make four.
FEWEST_BROWSERS = 5
#: Any other alias is, that met this many on one day.
FEWEST_BROWSERS_A_DAY = 10
_DAY = 24 * 3_600_000_000
#: Shorter values, such as the number of a customer and that of an order, are alike by chance.
SHORTEST_LIKE = 8


def templated(tracking: Tracking) -> list[Fault]:
    """Find aliases that are a template's placeholder, never filled in."""
    bad = _templates(tracking)
    at = tracking.carrying(bad)
    if not len(at):
        return []
    values = tracking.aliases.table["alias_value"][bad].tolist()
    return [
        Fault(
            "high",
            f"{counted(len(at), 'event carries', 'events carry')} a placeholder as an alias: "
            f"{quoted(map(shown_text, values))}.",
            "All visitors get the same value, so it joins strangers into one profile.",
            "Have the template filled in where the event is sent: it is written in a place that "
            f"nothing renders. Until then: {_block(tracking, bad)}.",
            at,
            tracking.worth_of_profiles(at),
            lambda some: _carried(tracking, some, bad),
        )
    ]


def shared(tracking: Tracking) -> list[Fault] | NotChecked:
    """Find aliases that are on the events of more browsers than one person has."""
    is_browser = tracking.of_type(tracking.browser_alias)
    if not is_browser.any():
        return NotChecked(f"no event carries the alias type {tracking.browser_alias!r}")
    bad = _met_by_many(tracking, is_browser) & ~_templates(tracking)
    at = tracking.carrying(bad)
    if not len(at):
        return []
    return [
        Fault(
            "high",
            f"{counted(int(bad.sum()), 'alias is', 'aliases are')} on events of more browsers than "
            f"one person has: {quoted(_masked_urns(tracking, bad))}.",
            "A cached page, a till or a shared account sends one value for all visitors, so it "
            "joins strangers into one profile.",
            "Leave the page that writes the value out of the cache, or do not send it from there. "
            f"Until then: {_block(tracking, bad)}; s.suspects says what it joins.",
            at,
            tracking.worth_of_profiles(at),
            lambda some: _carried(tracking, some, bad),
        )
    ]


def under_two_types(tracking: Tracking) -> list[Fault]:
    """Find values that are an alias of one type here and of another there, never linked."""
    found = []
    for (one, other), bad in _alike(tracking).items():
        at = tracking.carrying(bad)
        values = int(bad.sum()) // 2
        found.append(
            Fault(
                "high",
                f"{counted(values, 'value is', 'values are')} of the alias type {visible(one)!r} "
                f"on some events and of {visible(other)!r} on others.",
                "Aliases of two types are two, so the events stay two profiles: an order does not "
                "reach the visits before it.",
                "Send one value under one type. Until then: ck.read_events(..., columns="
                f"{{{ALIAS + one!r}: {[ALIAS + one, ALIAS + other]!r}}}).",
                at,
                tracking.worth_of_profiles(at),
                partial(_carried, tracking, bad=bad),
            )
        )
    return found


def _alike(tracking: Tracking) -> dict[tuple[str, str], BoolArray]:
    """Return the aliases of each two types that are of one value and of two profiles."""
    table = tracking.aliases.table
    event, alias = tracking.pairs
    profile = np.full(len(table), -1, dtype=np.int64)
    profile[alias] = tracking.profile[event]
    values = as_text(table["alias_value"])[0].str.lower()
    of = pd.DataFrame(
        {
            "value": values.to_numpy(),
            "type": table["alias_type"].astype("str").to_numpy(),
            "profile": profile,
            "alias": np.arange(len(table)),
        }
    )
    of = of[(profile >= 0) & (values.str.len() >= SHORTEST_LIKE).to_numpy(dtype=bool)]
    of = of[of["value"].duplicated(keep=False)]
    both = of.merge(of, on="value", suffixes=("", "_other"))
    both = both[(both["type"] < both["type_other"]) & (both["profile"] != both["profile_other"])]
    found = {}
    for (one, other), pairs in both.groupby(["type", "type_other"], sort=True):
        bad = np.zeros(len(table), dtype=bool)
        bad[pairs[["alias", "alias_other"]].to_numpy().ravel()] = True
        found[str(one), str(other)] = bad
    return found


def _templates(tracking: Tracking) -> BoolArray:
    values = to_arrow(tracking.aliases.table["alias_value"])
    return pc.match_substring_regex(values, _TEMPLATE).to_numpy(zero_copy_only=False).astype(bool)


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


def _masked_urns(tracking: Tracking, bad: BoolArray) -> list[str]:
    return [shown_text(urn) for urn in _urns(tracking, bad)]


def _block(tracking: Tracking, bad: BoolArray) -> str:
    """Return the call that blocks the aliases, without those that hold something personal."""
    plain = [urn for urn in _urns(tracking, bad) if shown(urn) == repr(urn)]
    return f"block={plain[:FEWEST_BROWSERS]!r}" if plain else "block= these URNs"
