"""A simulated store's log spelled out: names, tokens and amounts in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.records import take_or_missing
from convergekit.simulate.events import (
    BROWSER,
    CAMPAIGNS,
    CART,
    CITIES,
    FIRST_NAMES,
    IDENTIFY,
    LAST_NAMES,
    MAIL_DOMAINS,
    NAMES,
    ORDER,
    PAGE_VIEW,
    PRODUCTS,
    SERVER,
    SOURCES,
    VIEWED,
    Log,
    People,
    SimulatedVisits,
)
from convergekit.typing import BoolArray, IntArray

_JUNK = ("null", "undefined", "", "anonymous", "0000-0000", "[object Object]")
# What the exports spell with a name of its own; the rest are plain words.
_PROFILE_PROPERTIES = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "$email",
    "$first_name",
    "$last_name",
    "$city",
    "$country_code",
)


def spelled_out(
    rng: np.random.Generator, log: Log, persons: People, visits: SimulatedVisits, noise: float
) -> pd.DataFrame:
    """Spell the numbers out."""
    size = len(log.name)
    nameless = (log.name == IDENTIFY) | (rng.random(size) < 0.02)
    is_order = log.order >= 0
    event_id = _texts(_hexadecimal(log.number, 1, 16), np.where(nameless, -1, np.arange(size)))
    order_id = _texts((100_001 + np.arange(log.order.max(initial=-1) + 1)).astype(str), log.order)
    columns: dict[str, Any] = {
        "event_id": event_id.where(~is_order, order_id),
        "event_name": _texts([name or "" for name in NAMES], _or_none(log.name, IDENTIFY)),
        "timestamp": _times(log.time),
        "received_at": _times(log.time + log.delay),
        "source": _texts(SOURCES, log.source),
        **_alias_columns(rng, log, persons, noise),
        **_event_properties(log, visits, order_id),
        **_profile_properties(log, persons, visits),
    }
    return pd.DataFrame(columns)


def _alias_columns(
    rng: np.random.Generator, log: Log, persons: People, noise: float
) -> dict[str, pd.Series]:
    """Return the aliases as typed, sent and mangled."""
    size = len(log.name)
    emails = _emails(persons)
    people = len(persons.domain)
    typed = log.source == BROWSER
    careless = typed & (rng.random(size) < 0.15)
    email = _texts(emails, np.where(log.knows_email, log.person + log.address * people, -1))
    email = email.where(~careless, " " + email.str.title())
    carts = _tokens(log.cart, 3, 10)
    return {
        "alias.cookie": _tokens(log.cookie, 2, 12),
        "alias.cart_token": _mangled(rng, carts, typed, noise),
        "alias.checkout_token": _tokens(log.checkout, 4, 10),
        "alias.email": _mangled(rng, email, typed, noise),
        "alias.phone": _texts(_phones(persons), np.where(log.knows_phone, log.person, -1)),
        "alias.customer_id": _texts(
            (7_000_001 + np.arange(people)).astype(str),
            np.where(log.knows_account, log.person, -1),
        ),
    }


def _mangled(
    rng: np.random.Generator, values: pd.Series, sent: BoolArray, noise: float
) -> pd.Series:
    """Return the values with some of those sent replaced by what a script writes for nothing."""
    size = len(values)
    junk = _texts(_JUNK, rng.integers(len(_JUNK), size=size))
    broken = sent & values.notna().to_numpy() & (rng.random(size) < 0.03 * noise)
    return values.where(~broken, junk)


def _event_properties(
    log: Log, visits: SimulatedVisits, order_id: pd.Series
) -> dict[str, pd.Series]:
    products = np.array([name for name, _ in PRODUCTS])
    prices = np.array([price for _, price in PRODUCTS])
    of_product = np.isin(log.name, (VIEWED, CART, ORDER)) & (log.visit >= 0)
    product = np.where(of_product, visits.product[log.visit], -1)
    quantity = visits.quantity[log.visit]
    counted = of_product & (log.name != VIEWED)
    # The thank-you page knows the order and its total, and no more.
    by_server = (log.name == ORDER) & (log.source == SERVER)
    ordered = log.name == ORDER
    total = np.where(log.visit >= 0, prices[visits.product[log.visit]] * quantity, 29.0)
    urls = ("https://shop.example.com/", "https://shop.example.com/coffee")
    page = np.where(log.name == PAGE_VIEW, np.where(log.landing, 0, 1), -1)
    return {
        "properties.$url": _texts(urls, page),
        "properties.name": _texts(products, product),
        "properties.price": pd.Series(np.where(of_product, prices[product], np.nan)),
        "properties.quantity": pd.Series(pd.arrays.IntegerArray(quantity, ~counted)),
        "properties.id": order_id.where(ordered),
        "properties.total_price": pd.Series(total).where(ordered),
        "properties.total_tax": pd.Series((total * 21 / 121).round(2)).where(by_server),
        "properties.total_shipping": pd.Series(np.where(total < 30, 4.5, 0.0)).where(by_server),
        "properties.currency": _texts(("EUR",), np.where(ordered, 0, -1)),
    }


def _profile_properties(log: Log, persons: People, visits: SimulatedVisits) -> dict[str, pd.Series]:
    campaign = np.where(log.landing, visits.campaign[log.visit], 0) - 1
    named = np.where((log.source != BROWSER) & log.knows_email, log.person, -1)
    addressed = named + log.address * len(persons.domain)
    place = np.where(log.source == SERVER, persons.city[log.person], -1)
    tagged = np.array([campaign[:3] for campaign in CAMPAIGNS[1:]])
    values = {
        "utm_source": _texts(tagged[:, 0], campaign),
        "utm_medium": _texts(tagged[:, 1], campaign),
        "utm_campaign": _texts(tagged[:, 2], campaign),
        "$email": _texts(_emails(persons), np.where(named < 0, -1, addressed)),
        "$first_name": _texts(FIRST_NAMES, _or_none(persons.first_name[named], named < 0)),
        "$last_name": _texts(LAST_NAMES, _or_none(persons.last_name[named], named < 0)),
        "$city": _texts([city for city, _ in CITIES], place),
        "$country_code": _texts([country for _, country in CITIES], place),
    }
    return {f"profile_properties.{name}": values[name] for name in _PROFILE_PROPERTIES}


def _or_none(codes: IntArray, none: Any) -> IntArray:
    return np.where(none if isinstance(none, np.ndarray) else codes == none, -1, codes)


def _texts(values: Sequence[str] | npt.NDArray[np.str_], codes: IntArray) -> pd.Series:
    return take_or_missing(pd.Series(values, dtype="str"), np.asarray(codes, dtype=np.int64))


def _times(microseconds: IntArray) -> pd.Series:
    # Exports write seconds at most to the millisecond.
    milliseconds = (microseconds // 1000).astype("datetime64[ms]").astype("datetime64[us]")
    return pd.Series(milliseconds).dt.tz_localize("UTC")


def _emails(persons: People) -> pd.Series:
    """Return everybody's usual address, then everybody's second, then all with a slip."""
    first = pd.Series(FIRST_NAMES, dtype="str").str.lower().take(persons.first_name)
    last = pd.Series(LAST_NAMES, dtype="str").str.lower().take(persons.last_name)
    domain = pd.Series(MAIL_DOMAINS, dtype="str").take(persons.domain)
    number = pd.Series(np.arange(len(first)).astype(str), dtype="str")
    parts = [part.reset_index(drop=True) for part in (first, last, number, domain)]
    name, domain = parts[0] + "." + parts[1] + parts[2], "@" + parts[3]
    second, slip = parts[1] + parts[2] + "." + parts[0] + domain, name + parts[2] + domain
    return pd.concat([name + domain, second, slip], ignore_index=True)


def _phones(persons: People) -> npt.NDArray[np.str_]:
    # No country has the calling code 999, so nobody is called by mistake.
    return np.char.add("+999", np.char.zfill(np.arange(len(persons.domain)).astype(str), 8))


def _tokens(codes: IntArray, salt: int, digits: int) -> pd.Series:
    found, which = np.unique(codes, return_inverse=True)
    short = _mixed(found, salt) >> np.uint64(64 - 4 * digits)
    # In millions of tokens two short ones can be equal by chance, and would join two strangers.
    if len(distinct(short)) < len(found):
        digits = 16
    texts = _hexadecimal(found, salt, digits)
    return _texts(texts, np.where(codes < 0, -1, which))


def _hexadecimal(numbers: IntArray, salt: int, digits: int) -> list[str]:
    """Return the first digits of identifiers that look random; all 16 are always distinct."""
    text = _mixed(numbers, salt).astype(">u8").tobytes().hex()
    return [text[at : at + digits] for at in range(0, len(text), 16)]


def _mixed(numbers: IntArray, salt: int) -> npt.NDArray[np.uint64]:
    """Return other numbers, one for each: SplitMix64, a bijection."""
    mixed = numbers.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
