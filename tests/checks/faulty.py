"""Events with faults, each planted by a function of its own: what the check-up is to find."""

from __future__ import annotations

import numpy as np
import pandas as pd

ORDER = "Placed Order"
_CARD = "4111111111111111"


def _some(events, rng, share=0.1, of=None, least=3):
    """Return the rows of some events of a name, or of any."""
    rows = np.flatnonzero(events["event_name"] == of) if of else np.arange(len(events))
    many = min(len(rows), max(least, int(share * len(rows))))
    return np.sort(rng.choice(rows, many, replace=False))


def _set(events, column, rows, value):
    cells = events[column].astype(object) if column in events else pd.Series([None] * len(events))
    cells = cells.astype(object).reset_index(drop=True)
    cells.iloc[rows] = value
    return events.assign(**{column: cells})


def _more(events, rows):
    return pd.concat([events, rows], ignore_index=True)


def no_event_ids(events, rng):
    return _set(events, "event_id", _some(events, rng, of=ORDER), None)


def placeholder_ids(events, rng):
    rows = _some(events, rng)
    return _set(events, "event_id", rows, rng.choice(["undefined", "null", " 0"], len(rows)))


def ids_of_others(events, rng):
    again = events.iloc[_some(events, rng, of=ORDER)].copy()
    again["received_at"] = again["received_at"] + pd.Timedelta("3D")
    again["timestamp"] = again["timestamp"] + pd.Timedelta("3D")
    names = rng.choice([ORDER, "Refund", "placed order"], len(again))
    odd = {"alias.email": "else@example.com", "alias.cart_token": None, "alias.customer_id": None}
    again = again.assign(event_name=names, **{n: v for n, v in odd.items() if n in again})
    price = pd.to_numeric(again["properties.total_price"], errors="coerce") + rng.random(len(again))
    return _more(events, again.assign(**{"properties.total_price": price}))


def rounded_ids(events, rng):
    rows = _some(events, rng, of=ORDER)
    return _set(events, "event_id", rows, rng.choice(["5.5E+12", "6.1E+12"], len(rows)))


def repeated_order_ids(events, rng):
    events = _set(events, "properties.order_number", np.arange(len(events)), None)
    rows = _some(events, rng, of=ORDER)
    return _set(events, "properties.order_number", rows, rng.choice(["1", "2", "3"], len(rows)))


def repeats_without_id(events, rng):
    rows = _some(events, rng, 0.02)
    events = _set(events, "event_id", rows, None)
    aliases = [name for name in events if name.startswith("alias.")]
    for name in aliases:
        events = _set(events, name, rows[:2], None)
    events = events.assign(file="a.csv")
    return _more(events, events.iloc[rows].assign(file="b.csv"))


def no_aliases(events, rng):
    rows = _some(events, rng, of=ORDER)
    for name in [name for name in events if name.startswith("alias.")]:
        events = _set(events, name, rows, rng.choice([None, "null"]))
    return events


def orphans(events, rng):
    rows = _some(events, rng, 0.5, of=ORDER, least=12)
    for name in [name for name in events if name.startswith("alias.")]:
        events = _set(events, name, rows, None)
    return _set(events, "alias.email", rows, [f"only{row}@example.com" for row in rows])


def lines_of_orders(events, rng):
    lines = events.iloc[_some(events, rng, of=ORDER)]
    return _more(events, lines.assign(**{"properties.total_price": None, "event_id": None}))


def cancelled(events, rng):
    rows = _some(events, rng, of=ORDER)
    events = _set(events, "properties.status", rows, rng.choice(["cancelled", "open"], len(rows)))
    return _set(events, "properties.test", rows[:2], True)


def templates(events, rng):
    rows = _some(events, rng)
    values = ["{{cart.token}}", "cart-{{token}}", "x%7B%7By", "__TOKEN__"]
    return _set(events, "alias.cart_token", rows, rng.choice(values, len(rows)))


def shared_tokens(events, rng):
    rows = events[events["alias.cookie"].notna()].drop_duplicates("alias.cookie").index[:24]
    tokens = rng.choice(["cached1", "cached2"], len(rows))
    return _set(events, "alias.cart_token", rows.to_numpy(), tokens)


def two_types(events, rng):
    # Somebody's value, on events of somebody else: of another part, if there are several.
    values = events["alias.cookie"].dropna().unique()[:4]
    rows = _some(events, rng, 0.05, of=ORDER)
    for name in [name for name in events if name.startswith("alias.")]:
        events = _set(events, name, rows, None)
    return _set(events, "alias.user_id", rows, rng.choice(values, len(rows)))


def no_campaigns(events, rng):
    rows = _some(events, rng)
    events = _set(events, "profile_properties.utm_source", rows, "undefined")
    url = "https://www.shop.example/?utm_campaign=%7B%7Bname%7D%7D"
    return _set(events, "properties.$url", _some(events, rng, of="PageView"), url)


def two_sites(events, rng):
    rows = _some(events, rng, 0.9, of="PageView")
    events = _set(events, "properties.$url", rows, "https://www.shop.example/tea")
    return _set(events, "properties.$url", rows[:2], "https://rare.example/")


def no_hosts(events, rng):
    gone = [name for name in events if name.endswith(("url", "referrer", "host"))]
    events = events.drop(columns=gone)
    rows = _some(events, rng, 0.5, of="PageView")
    events = _set(events, "properties.$url", rows, "/tea")
    return _set(events, "properties.$referrer", rows[::2], "https://shop.example/")


def detours(events, rng):
    rows = _some(events, rng, 0.05, of="PageView", least=8)
    again = events.iloc[rows].assign(event_id=None)
    again["timestamp"] = again["timestamp"] + pd.Timedelta("5min")
    again = again.assign(**{"properties.$referrer": "https://pay.bank.example/"})
    return _more(events, again)


def unread_referrers(events, rng):
    return _set(events, "properties.$referrer", _some(events, rng, of="PageView"), "a friend")


def bots(events, rng):
    count = 1100
    first = events["timestamp"].iloc[0].floor("h")
    times = (first + pd.to_timedelta(np.arange(count) * 2, unit="s")).astype("datetime64[us, UTC]")
    robot = {"event_name": "PageView", "source": "browser", "alias.cookie": "robot"}
    return _more(events, pd.DataFrame({**robot, "timestamp": times, "received_at": times}))


def days_lost(events, rng):
    begin = events["timestamp"].min().floor("D")
    at = begin + pd.to_timedelta(np.arange(8 * 110) * 24 / 110, unit="h")
    views = {"event_name": "PageView", "source": "app", "timestamp": at, "received_at": at}
    cookies = np.where(rng.random(len(at)) < 0.5, "a1", "a2")
    lost = (at >= begin + pd.Timedelta("3D")) & (at < begin + pd.Timedelta("4D"))
    app = pd.DataFrame({**views, "alias.cookie": np.where(lost, None, cookies)})
    return _more(
        events, app.astype(dict.fromkeys(("timestamp", "received_at"), "datetime64[us, UTC]"))
    )


def far_times(events, rng):
    events = events.copy()
    far = pd.Timestamp("2031-01-01", tz="UTC")
    events.loc[events.index[_some(events, rng, 0)], "timestamp"] = far
    return events


def late_clock(events, rng):
    server = events["source"] == "server"
    shift = pd.to_timedelta(np.where(server, 90, 0), unit="min")
    return events.assign(timestamp=events["timestamp"] - shift)


def silences(events, rng):
    begin = events["timestamp"].min().floor("D") + pd.Timedelta("8D")
    gone = events["timestamp"].between(begin, begin + pd.Timedelta("60h"))
    end = begin + pd.Timedelta("17D")
    late = (events["source"] == "browser") & (events["timestamp"] > end)
    return events[~gone & ~late].reset_index(drop=True)


def files_of_days(events, rng):
    """Have each day's rows in a file of its own, which is its source: together they are one."""
    names = events["timestamp"].dt.strftime("events_%Y%m%d")
    browser = events["source"] == "browser"
    source = events["source"].where(~browser, names)
    return events.assign(source=source, file=source + ".jsonl")


def mixed_types(events, rng):
    rows = _some(events, rng)
    events = _set(events, "properties.note", rows, rng.choice([1, 2.5], len(rows)))
    return _set(events, "properties.note", rows[:2], ["a", [1, 2]])


def unreadable(events, rng):
    return _set(events, "properties.total_price", _some(events, rng, of=ORDER), "12,50")


def thousands(events, rng):
    rows = np.flatnonzero(events["event_name"] == ORDER)
    amounts = [f"{digit}.{digit}75" for digit in rng.integers(1, 9, len(rows))]
    events = events.assign(**{"properties.total_price": None})
    return _set(events, "properties.total_price", rows, amounts)


def currencies(events, rng):
    return _set(events, "properties.currency", _some(events, rng, of=ORDER), "USD")


def placeholders(events, rng):
    return _set(events, "properties.colour", _some(events, rng), "undefined")


def spellings(events, rng):
    rows = _some(events, rng, 0.2, of="Added To Cart")
    events = _set(events, "event_name", rows, rng.choice(["added_to_cart", "AddedToCart"]))
    return _set(events, "event_name", _some(events, rng, of=ORDER)[:2], "placed order")


def addresses(events, rng):
    rows = _some(events, rng)
    events = _set(events, "properties.form", rows, [f"p{row}@example.com" for row in rows])
    return _set(events, "properties.form", rows[:1], "/thanks?mail=ada%40example.com")


def cards(events, rng):
    rows = _some(events, rng)
    numbers = [_CARD, "4012888888881881", "12345678901234"]
    return _set(events, "properties.payment", rows, rng.choice(numbers, len(rows)))


FAULTS = (
    *(no_event_ids, placeholder_ids, ids_of_others, rounded_ids, repeated_order_ids),
    *(repeats_without_id, no_aliases, orphans, lines_of_orders, cancelled, templates),
    *(shared_tokens, two_types, no_campaigns, two_sites, no_hosts, detours, unread_referrers),
    *(bots, days_lost, far_times, late_clock, silences, files_of_days, mixed_types, unreadable),
    *(currencies, placeholders, spellings, addresses, cards, thousands),
)


def with_faults(events, faults, seed=0):
    """Return events with faults, planted one after the other."""
    rng = np.random.default_rng(seed)
    for fault in faults:
        events = fault(events.reset_index(drop=True), rng)
    return events.reset_index(drop=True)
