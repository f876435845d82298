"""Answer which change of the tracking would tell most. See `Stitched.next_fix`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from convergekit.base.durations import Duration
from convergekit.base.rounding import six_digits
from convergekit.errors import ConvergekitError
from convergekit.events.amounts import check_funnel, events_named, summed_amounts
from convergekit.events.currencies import check_rates
from convergekit.events.steps import StepLike, title_of
from convergekit.fixes.changes import TrackingFix, changes_of
from convergekit.fixes.draws import Draw, KnownLinks, draws
from convergekit.fixes.mended import mended, sample
from convergekit.fixes.origins import NONE, origins, revealed
from convergekit.fixes.result import NextFix, table_of
from convergekit.fixes.trail import browser_types, trail_of
from convergekit.funnels.funnel import funnel_of
from convergekit.identity.tables import StitchedEvents
from convergekit.typing import BoolArray, FloatArray, IntArray
from convergekit.visits.browsers import browsers_of

_LEVEL, _Z = 0.9, 1.645
#: Links are drawn so often; of more events than those of a draw, less often.
_DRAWS, _FEWEST, _EVENTS = 20, 4, 4_000_000
#: What a draw cannot show: matches that are wrong, and people who are not as others are.
_BESIDE = 0.12
#: Of more events than these the funnel's interval is found for some profiles.
_MOST_EVENTS = 20_000

_ASSUMED = (
    "A visit is what one person does without a pause of 30 minutes. An order's origin are the "
    "first and the last visit of its profile before it.",
    "Orders without a visit: a login leads to the visit as often as it does where a token shows "
    "the visit.",
    "Other visits: those that nothing joins to an order carry a login as often as known visits of "
    "the same browser do, and are as far from the order as those that a login joined.",
    "What people do stays as it was, and each change is made alone.",
)


def next_fix(
    s: StitchedEvents,
    event_name: StepLike,
    *,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    steps: Sequence[StepLike] | None = None,
    within: Duration | None = None,
) -> NextFix:
    """Return which change of the tracking would tell most. See `Stitched.next_fix`."""
    check_funnel(steps, within)
    check_rates(value, currency, rates)
    if s.segment is not None:
        raise ConvergekitError(
            "what a change of the tracking would tell is not known of a segment, for its orders "
            "may be of people outside: ask the whole, s.next_fix(...) before s.where(...)."
        )
    at = events_named(s.events, event_name)
    amount = np.ones(len(at))
    if value is not None:
        amount = summed_amounts(s.events, at, value, currency, rates)
    title = title_of(event_name)
    rows: list[dict[str, object]] = []
    unknown, reasons = len(at), _nothing_seen(s, at, title)
    if not reasons:
        known = KnownLinks.of(trail_of(s, at, amount))
        base = origins(known.trail.seen)
        unknown = int((base[1] == NONE).sum())
        changes = changes_of(s, known, title)
        reasons = [] if changes else [_nothing_to_send(s)]
        count = int(np.clip(_EVENTS // max(len(s.events), 1), _FEWEST, _DRAWS))
        drawn = list(draws(known, count)) if changes else []
        widths = [(np.nan, np.nan)] * len(changes)
        if changes and steps is not None and within is not None:
            widths = _widths(s, known, drawn[0], changes, steps, within)
        rows = [
            _row(known, base, drawn, change, each, has_value=value is not None)
            for change, each in zip(changes, widths, strict=True)
        ]
    return NextFix(
        table=table_of(rows, money=value is not None, widths=steps is not None),
        event_name=title,
        value=value,
        orders=len(at),
        money=None if value is None else float(amount.sum()),
        unknown=unknown,
        level=_LEVEL,
        assumptions=list(_ASSUMED),
        reasons=reasons,
    )


def _nothing_seen(s: StitchedEvents, at: IntArray, title: str) -> list[str]:
    """Return why nothing can be said where orders or visits are missing; empty if they are not."""
    if not len(at):
        return [f"no event is named {title}."]
    if not np.delete(browsers_of(s) >= 0, at).any():
        return [
            f"no event carries an alias of a browser ({s.browser_alias}), so that no visit is "
            "known; send one, or name its type by browser_alias= of ck.stitch."
        ]
    return []


def _nothing_to_send(s: StitchedEvents) -> str:
    there = set(s.resolution.aliases.types.categories)
    return (
        f"besides {' and '.join(name for name in browser_types(s) if name in there)} no alias is "
        "there that could be sent more often; send a cart token or an e-mail address at the "
        "checkout and with the order."
    )


def _row(
    known: KnownLinks,
    base: tuple[np.ndarray, np.ndarray],
    drawn: list[Draw],
    change: TrackingFix,
    widths: tuple[float, float],
    *,
    has_value: bool,
) -> dict[str, object]:
    trail = known.trail
    told = np.stack([revealed(trail.seen, base, *change.links(known, one)) for one in drawn])
    amount = trail.orders.amount
    row: dict[str, object] = {
        "change": change.said, "short": change.short,
        "alias_type": change.alias_type, "at": change.at,
        "assumption": change.assumed, "width": widths[0], "width_after": widths[1],
    }  # fmt: skip
    named = {"orders": np.ones(len(amount))} | ({"money": amount} if has_value else {})
    for name, weight in named.items():
        found, low, high = _interval(told, weight)
        row |= {name: found, f"{name}_low": low, f"{name}_high": high}
        total = float(weight.sum())
        row["share"] = six_digits(found / total) if total else np.nan
    return row


def _interval(told: BoolArray, weight: FloatArray) -> tuple[float, float, float]:
    """Return what a change would tell, and between what it is likely to be."""
    each = told @ weight
    found = float(each.mean())
    # An order more or less, however sure the draws are.
    one = float(np.sqrt((np.square(weight) * told.mean(axis=0)).sum()))
    spread = np.hypot(each.std(), np.hypot(_BESIDE * found, 0.5 * one))
    low, high = found - _Z * spread, found + _Z * spread
    most = float(weight.sum())
    return (
        six_digits(found),
        six_digits(max(low, min(found, 0.0))),
        six_digits(min(high, max(found, most))),
    )


def _widths(
    s: StitchedEvents,
    known: KnownLinks,
    draw: Draw,
    changes: list[TrackingFix],
    steps: Sequence[StepLike],
    within: Duration,
) -> list[tuple[float, float]]:
    """Return how wide the funnel's interval of identity is, and would be with each change."""
    unknown = (np.nan, np.nan)
    now = _width(s, steps, within)
    if np.isnan(now):
        return [unknown] * len(changes)
    chosen = sample(s, known, draw, _MOST_EVENTS)
    usual = now
    if not chosen.all():
        usual = _width(mended(s, known, draw, None, chosen), steps, within)
    found = []
    for change in changes:
        after = _width(mended(s, known, draw, change, chosen), steps, within)
        ratio = after / usual if usual else 1.0
        found.append((six_digits(now), six_digits(now * ratio)))
    return found


def _width(s: StitchedEvents, steps: Sequence[StepLike], within: Duration) -> float:
    bounds = funnel_of(s, steps, within=within).bounds(_LEVEL)
    last = bounds.table.iloc[-1]
    return np.nan if bounds.reasons else float(last["high"] - last["low"])
