"""A believable store, simulated: who visits and buys, and what the exports make of it.

The shop sells coffee. Its browser sees visits and carts, under a cookie per device; its checkout
runs on another domain, under another cookie; its server reports orders that know only tokens and
an e-mail address; its CRM knows subscribers. The true person behind every event is returned
beside the events, so that what stitching found can be compared with what happened.

All randomness is NumPy's PCG64: the same arguments give the same store everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.errors import ConvergekitError
from convergekit.records import take_or_missing
from convergekit.runs import first_of_run, run_starts

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# fmt: off
_FIRST_NAMES = (
    "Ada", "Ben", "Cleo", "Dina", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kofi", "Lena",
    "Milo", "Nora", "Otis", "Pia", "Quinn", "Rosa", "Sami", "Tess", "Umar", "Vera", "Wim", "Yara",
)
_LAST_NAMES = (
    "Abara", "Brandt", "Claes", "Duval", "Eriksen", "Falk", "Garnier", "Hollis", "Ibsen", "Janda",
    "Kovac", "Lindt", "Moreau", "Nyberg", "Okoro", "Peeters", "Rossi", "Silva", "Tanaka", "Vos",
)
# fmt: on
_CITIES = (("Ghent", "BE"), ("Lyon", "FR"), ("Utrecht", "NL"), ("Bremen", "DE"), ("Cork", "IE"))
_MAIL_DOMAINS = ("example.com", "example.org", "example.net")
_PRODUCTS = (
    ("Morning Blend 250 g", 8.5),
    ("Morning Blend 1 kg", 29.0),
    ("Single Origin Guji", 13.5),
    ("Decaf Evening", 10.0),
    ("Paper Filters", 4.0),
    ("Pour-over Kettle", 49.0),
)
# utm_source, utm_medium, utm_campaign, share of visits, how much likelier a visit is to buy
_CAMPAIGNS = (
    (None, None, None, 0.26, 1.0),
    ("google", "cpc", "brand", 0.22, 1.4),
    ("google", "cpc", "kettles", 0.10, 0.8),
    ("meta", "paid_social", "spring-roast", 0.20, 0.6),
    ("newsletter", "email", "march-offer", 0.16, 1.9),
    ("coffee-blog", "referral", "guest-post", 0.06, 1.1),
)
_JUNK = ("null", "undefined", "", "anonymous", "0000-0000", "[object Object]")
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 24 * 60 * _MINUTE
_ALIASES = ("cookie", "cart_token", "checkout_token", "email", "phone", "customer_id")
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


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedStore:
    """A simulated store's events, and who was behind them.

    Attributes
    ----------
    events : pandas.DataFrame
        A canonical event frame in order of arrival: `event_id`, `event_name`, `timestamp`,
        `received_at`, `source` (``"browser"``, ``"server"`` or ``"crm"``), `alias.<type>`,
        `properties.<name>`, `profile_properties.<name>`.
    truth : pandas.DataFrame
        The same index: `person`, the number of the true person behind each event.
    people : int
        How many people were simulated.
    noise : float
        How much goes wrong in it; at 0.0 the exports are clean too.
    """

    events: pd.DataFrame
    truth: pd.DataFrame
    people: int
    noise: float

    def __repr__(self) -> str:
        """Return the counts in one line."""
        return f"SimulatedStore({self.people:,} people, {len(self.events):,} events)"

    def write(self, directory: str | Path) -> list[Path]:
        """Write the events as the three exports that such a store would have.

        ``browser.jsonl`` is in the pixel's spelling, one object per line, and, unless the store
        is without noise, breaks off in the middle of its last line, as a file does that was
        copied while it was being written; ``server.json`` is an array in the webhook's spelling;
        ``crm.csv`` is flat. Rows keep their order within each source.

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it does not exist.

        Returns
        -------
        list of pathlib.Path
            The three files.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        pixel_lines = _pixel_lines(_of_source(self.events, "browser"), breaks_off=self.noise > 0)
        texts = {
            "browser.jsonl": "".join(pixel_lines),
            "server.json": _webhook_array(_of_source(self.events, "server")),
            "crm.csv": _flat_table(_of_source(self.events, "crm")),
        }
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8", newline="")
        return [directory / name for name in texts]


def simulate_store(
    people: int = 60,
    *,
    seed: int = 4,
    start: str = "2026-03-02",
    days: int = 28,
    noise: float = 1.0,
) -> SimulatedStore:
    """Simulate a store's browser, server and CRM events.

    The defaults are the store in the repository's ``data/``.

    Parameters
    ----------
    people : int, default 60
        How many people visit or buy; about 7 events each.
    seed : int, default 4
    start : str, default "2026-03-02"
        First day, in UTC.
    days : int, default 28
    noise : float, default 1.0
        Scales everything that goes wrong: refused consent, shared devices, junk values, webhook
        retries, browser copies of orders, lost tokens, late events, and the last line of
        ``browser.jsonl``. 0.0 is a clean store.

    Returns
    -------
    SimulatedStore

    Raises
    ------
    ConvergekitError
        `start` is no date, `people`, `days` or `seed` is no whole number or too low, or `noise` is
        below 0.

    Examples
    --------
    >>> import convergekit as ck
    >>> store = ck.simulate_store(people=100, seed=1)
    >>> store.events["source"].unique().tolist()
    ['browser', 'server', 'crm']
    """
    _check_size(people, days, noise, seed)
    try:
        opened = int(np.datetime64(start, "us").astype(np.int64))
    except ValueError:
        raise ConvergekitError(
            f"start={start!r} is no date; give one such as '2026-03-02'."
        ) from None
    rng = np.random.Generator(np.random.PCG64(seed))
    who = _People.draw(rng, people, noise)
    visits = _Visits.draw(rng, who, opened, days, noise)
    blocks = [
        *_browsing(rng, visits, noise),
        *_ordering(rng, who, visits, opened, days, noise),
        *_subscribing(rng, who, opened, days),
    ]
    log = _Rows.stacked(blocks)
    log = _arrive(rng, log, noise)
    return SimulatedStore(_frame(rng, log, who, visits, noise), _truth(log), people, noise)


def _check_size(people: int, days: int, noise: float, seed: int) -> None:
    for name, given, least in (("people", people, 1), ("days", days, 1), ("seed", seed, 0)):
        if not isinstance(given, (int, np.integer)) or given < least:
            raise ConvergekitError(f"{name}={given!r}: give a whole number from {least} on.")
    if not isinstance(noise, (int, float, np.floating)) or not noise >= 0:
        raise ConvergekitError(f"noise={noise!r}: give 0.0 for clean exports, 1.0 for the usual.")


@dataclass(frozen=True)
class _People:
    """One entry per person."""

    first_name: IntArray
    last_name: IntArray
    domain: IntArray
    city: IntArray
    devices: IntArray
    has_account: BoolArray
    has_phone: BoolArray
    refuses: BoolArray
    shares_with: IntArray

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int, noise: float) -> _People:
        neighbour = np.maximum(np.arange(size) - 1, 0)
        shares = rng.random(size) < 0.02 * noise
        return cls(
            first_name=rng.integers(len(_FIRST_NAMES), size=size),
            last_name=rng.integers(len(_LAST_NAMES), size=size),
            domain=rng.integers(len(_MAIL_DOMAINS), size=size),
            city=rng.integers(len(_CITIES), size=size),
            devices=rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1], size=size),
            has_account=rng.random(size) < 0.4,
            has_phone=rng.random(size) < 0.3,
            refuses=rng.random(size) < 0.10 * noise,
            shares_with=np.where(shares, neighbour, np.arange(size)),
        )


@dataclass(frozen=True)
class _Visits:
    """One entry per visit: a person, a device, a campaign, and how far it went."""

    person: IntArray
    begin: IntArray
    cookie: IntArray
    campaign: IntArray
    pages: IntArray
    views: BoolArray
    carts: BoolArray
    checks_out: BoolArray
    orders: BoolArray
    product: IntArray
    quantity: IntArray

    @classmethod
    def draw(
        cls, rng: np.random.Generator, who: _People, opened: int, days: int, noise: float
    ) -> _Visits:
        size = len(who.first_name)
        person = np.repeat(np.arange(size), 1 + rng.poisson(0.9, size=size))
        visits = len(person)
        begin = opened + (rng.random(visits) * days * _DAY).astype(np.int64)
        begin = begin[np.lexsort((begin, person))]
        device = (rng.random(visits) * who.devices[person]).astype(np.int64)
        # A cookie is a person's device, until a reset gives it a new one.
        reset = np.cumsum(rng.random(visits) < 0.05)
        first_visit = np.searchsorted(person, np.arange(size))
        resets: IntArray = reset - reset[first_visit[person]]
        cookie = (who.shares_with[person] * 64 + device + 4 * np.minimum(resets, 15)) * 2
        shares = np.array([campaign[3] for campaign in _CAMPAIGNS])
        campaign = rng.choice(len(_CAMPAIGNS), p=shares / shares.sum(), size=visits)
        keen = np.array([campaign[4] for campaign in _CAMPAIGNS])[campaign]
        views = rng.random(visits) < 0.75
        carts = views & (rng.random(visits) < np.minimum(0.45 * keen, 0.9))
        checks_out = carts & (rng.random(visits) < 0.68)
        return cls(
            person=person,
            begin=begin,
            cookie=np.where(who.refuses[person], -1, cookie),
            campaign=campaign,
            pages=1 + rng.poisson(0.9, size=visits),
            views=views,
            carts=carts,
            checks_out=checks_out,
            orders=checks_out & (rng.random(visits) < 0.75),
            product=rng.integers(len(_PRODUCTS), size=visits),
            quantity=1 + rng.poisson(0.4, size=visits),
        )


@dataclass(frozen=True)
class _Rows:
    """Events as numbers; -1 is a missing alias, visit or order."""

    name: IntArray
    source: IntArray
    person: IntArray
    visit: IntArray
    time: IntArray
    cookie: IntArray
    cart: IntArray
    checkout: IntArray
    knows_email: BoolArray
    knows_phone: BoolArray
    knows_account: BoolArray
    landing: BoolArray
    order: IntArray
    delay: IntArray
    number: IntArray

    @classmethod
    def make(cls, size: int, **columns: Any) -> _Rows:
        no, nothing = np.zeros(size, dtype=bool), np.full(size, -1, dtype=np.int64)
        defaults = {
            "visit": nothing,
            "cookie": nothing,
            "cart": nothing,
            "checkout": nothing,
            "knows_email": no,
            "knows_phone": no,
            "knows_account": no,
            "landing": no,
            "order": nothing,
            "delay": np.full(size, _SECOND),
            "number": nothing,
        }
        filled = {k: np.broadcast_to(np.asarray(v), size) for k, v in (defaults | columns).items()}
        return cls(**filled)

    @classmethod
    def stacked(cls, blocks: Sequence[_Rows]) -> _Rows:
        return cls(
            **{
                name: np.concatenate([getattr(block, name) for block in blocks])
                for name in cls.__dataclass_fields__
            }
        )

    def chosen(self, at: Any, **changes: Any) -> _Rows:
        columns = {name: getattr(self, name)[at] for name in self.__dataclass_fields__}
        return type(self)(**(columns | changes))


_NAMES = (
    "PageView",
    "Viewed Product",
    "Added To Cart",
    "Started Checkout",
    "Placed Order",
    "Subscribed To Newsletter",
    None,
)
_PAGE_VIEW, _VIEWED, _CART, _CHECKOUT, _ORDER, _SUBSCRIBED, _IDENTIFY = range(len(_NAMES))
_SOURCES = ("browser", "server", "crm")
_BROWSER, _SERVER, _CRM = range(len(_SOURCES))


def _browsing(rng: np.random.Generator, visits: _Visits, noise: float) -> Iterator[_Rows]:
    """Yield what the browser reports, up to the checkout."""
    visit = np.repeat(np.arange(len(visits.person)), visits.pages)
    first = run_starts(visit)
    page = np.arange(len(visit)) - first_of_run(first)
    # A newsletter's link names its reader.
    by_mail = first & (visits.campaign[visit] == 4) & (rng.random(len(visit)) < 0.5)
    yield _Rows.make(
        len(visit),
        name=_PAGE_VIEW,
        source=_BROWSER,
        person=visits.person[visit],
        visit=visit,
        time=visits.begin[visit] + page * _wait(rng, len(visit), 0.8),
        cookie=visits.cookie[visit],
        knows_email=by_mail,
        landing=first,
    )
    steps = (
        (_VIEWED, visits.views, 3),
        (_CART, visits.carts, 6),
        (_CHECKOUT, visits.checks_out, 9),
    )
    for name, happened, minutes in steps:
        at = np.flatnonzero(happened)
        checkout = name == _CHECKOUT
        forgets_cart = rng.random(len(at)) < 0.12 * noise
        yield _Rows.make(
            len(at),
            name=name,
            source=_BROWSER,
            person=visits.person[at],
            visit=at,
            time=visits.begin[at] + minutes * _MINUTE + _wait(rng, len(at), 1.5),
            # The checkout's domain sets a cookie of its own.
            cookie=np.where(visits.cookie[at] < 0, -1, visits.cookie[at] + checkout),
            cart=at if name == _CART else np.where(checkout & ~forgets_cart, at, -1),
            checkout=at if checkout else -1,
            knows_email=checkout & (rng.random(len(at)) < 0.7),
        )


def _ordering(
    rng: np.random.Generator,
    who: _People,
    visits: _Visits,
    opened: int,
    days: int,
    noise: float,
) -> Iterator[_Rows]:
    """Yield the server's orders, their retries, and the browser's copies of them."""
    at = np.flatnonzero(visits.orders)
    person = visits.person[at]
    online = _Rows.make(
        len(at),
        name=_ORDER,
        source=_SERVER,
        person=person,
        visit=at,
        time=visits.begin[at] + 13 * _MINUTE + _wait(rng, len(at), 4),
        cart=np.where(rng.random(len(at)) < 0.4, at, -1),
        checkout=np.where(rng.random(len(at)) < 0.05 * noise, -1, at),
        knows_email=True,
        knows_account=who.has_account[person],
        order=np.arange(len(at)),
    )
    yield online
    retried = np.flatnonzero(rng.random(len(at)) < 0.12 * noise)
    again = np.repeat(retried, 1 + (rng.random(len(retried)) < 0.3))
    minutes = 1 + rng.integers(30, size=len(again))
    yield online.chosen(again, delay=minutes * _MINUTE)
    # The thank-you page is the shop's own again, cookie and all.
    thanked = np.flatnonzero((rng.random(len(at)) < 0.35 * noise) & (visits.cookie[at] >= 0))
    yield online.chosen(
        thanked,
        source=np.full(len(thanked), _BROWSER),
        time=online.time[thanked] + 2 * _SECOND,
        cookie=visits.cookie[at[thanked]],
        checkout=np.full(len(thanked), -1),
        knows_email=np.zeros(len(thanked), dtype=bool),
        knows_account=np.zeros(len(thanked), dtype=bool),
    )
    # Orders by telephone: nothing but the address to send the receipt to.
    size = len(who.first_name)
    called = np.flatnonzero(rng.random(size) < 0.05)
    yield _Rows.make(
        len(called),
        name=_ORDER,
        source=_SERVER,
        person=called,
        visit=np.searchsorted(visits.person, called),
        time=opened + (rng.random(len(called)) * days * _DAY).astype(np.int64),
        knows_email=True,
        knows_phone=who.has_phone[called],
        order=len(at) + np.arange(len(called)),
    )


def _subscribing(rng: np.random.Generator, who: _People, opened: int, days: int) -> Iterator[_Rows]:
    """Yield the CRM's subscriptions, and the accounts that it tells us of."""
    size = len(who.first_name)
    for name, people in (
        (_SUBSCRIBED, np.flatnonzero(rng.random(size) < 0.2)),
        (_IDENTIFY, np.flatnonzero(who.has_account & (rng.random(size) < 0.6))),
    ):
        yield _Rows.make(
            len(people),
            name=name,
            source=_CRM,
            person=people,
            time=opened + (rng.random(len(people)) * days * _DAY).astype(np.int64),
            knows_email=True,
            knows_phone=who.has_phone[people],
            knows_account=name == _IDENTIFY,
        )


def _wait(rng: np.random.Generator, size: int, minutes: float) -> IntArray:
    return (rng.exponential(minutes, size=size) * _MINUTE).astype(np.int64)


def _arrive(rng: np.random.Generator, log: _Rows, noise: float) -> _Rows:
    """Give every event its ID number and its delay, and put the rows in order of arrival."""
    size = len(log.name)
    late = rng.random(size) < 0.03 * noise
    # Events of the browser wait for its next beat; an order's webhook does not.
    beat = np.where(log.source == _BROWSER, rng.integers(0, 20, size=size), 0) * _SECOND
    delay = log.delay + beat + late * (rng.random(size) * 2 * _DAY).astype(np.int64)
    order = np.lexsort((np.arange(size), log.time + delay))
    return log.chosen(order, delay=delay[order], number=np.arange(size))


def _frame(
    rng: np.random.Generator, log: _Rows, who: _People, visits: _Visits, noise: float
) -> pd.DataFrame:
    """Spell the numbers out."""
    size = len(log.name)
    nameless = (log.name == _IDENTIFY) | (rng.random(size) < 0.02)
    is_order = log.order >= 0
    event_id = _texts(_hexadecimal(log.number, 1, 16), np.where(nameless, -1, np.arange(size)))
    order_id = _texts((100_001 + np.arange(log.order.max(initial=-1) + 1)).astype(str), log.order)
    columns: dict[str, Any] = {
        "event_id": event_id.where(~is_order, order_id),
        "event_name": _texts([name or "" for name in _NAMES], _or_none(log.name, _IDENTIFY)),
        "timestamp": _times(log.time),
        "received_at": _times(log.time + log.delay),
        "source": _texts(_SOURCES, log.source),
        **_alias_columns(rng, log, who, noise),
        **_event_properties(log, visits, order_id),
        **_profile_properties(log, who, visits),
    }
    return pd.DataFrame(columns)


def _alias_columns(
    rng: np.random.Generator, log: _Rows, who: _People, noise: float
) -> dict[str, pd.Series]:
    """Return the aliases as typed, sent and mangled."""
    size = len(log.name)
    emails = _emails(who)
    typed = log.source == _BROWSER
    careless = typed & (rng.random(size) < 0.15)
    email = _texts(emails, np.where(log.knows_email, log.person, -1))
    email = email.where(~careless, " " + email.str.title())
    carts = _tokens(log.cart, 3, 10)
    return {
        "alias.cookie": _tokens(log.cookie, 2, 12),
        "alias.cart_token": _mangled(rng, carts, typed, noise),
        "alias.checkout_token": _tokens(log.checkout, 4, 10),
        "alias.email": _mangled(rng, email, typed, noise),
        "alias.phone": _texts(_phones(who), np.where(log.knows_phone, log.person, -1)),
        "alias.customer_id": _texts(
            (7_000_001 + np.arange(len(emails))).astype(str),
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


def _event_properties(log: _Rows, visits: _Visits, order_id: pd.Series) -> dict[str, pd.Series]:
    products = np.array([name for name, _ in _PRODUCTS])
    prices = np.array([price for _, price in _PRODUCTS])
    of_product = np.isin(log.name, (_VIEWED, _CART, _ORDER)) & (log.visit >= 0)
    product = np.where(of_product, visits.product[log.visit], -1)
    quantity = visits.quantity[log.visit]
    counted = of_product & (log.name != _VIEWED)
    # The thank-you page knows the order and its total, and no more.
    by_server = (log.name == _ORDER) & (log.source == _SERVER)
    ordered = log.name == _ORDER
    total = np.where(log.visit >= 0, prices[visits.product[log.visit]] * quantity, 29.0)
    urls = ("https://shop.example.com/", "https://shop.example.com/coffee")
    page = np.where(log.name == _PAGE_VIEW, np.where(log.landing, 0, 1), -1)
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


def _profile_properties(log: _Rows, who: _People, visits: _Visits) -> dict[str, pd.Series]:
    campaign = np.where(log.landing, visits.campaign[log.visit], 0) - 1
    named = np.where((log.source != _BROWSER) & log.knows_email, log.person, -1)
    place = np.where(log.source == _SERVER, who.city[log.person], -1)
    tagged = np.array([campaign[:3] for campaign in _CAMPAIGNS[1:]])
    values = {
        "utm_source": _texts(tagged[:, 0], campaign),
        "utm_medium": _texts(tagged[:, 1], campaign),
        "utm_campaign": _texts(tagged[:, 2], campaign),
        "$email": _texts(_emails(who), named),
        "$first_name": _texts(_FIRST_NAMES, _or_none(who.first_name[named], named < 0)),
        "$last_name": _texts(_LAST_NAMES, _or_none(who.last_name[named], named < 0)),
        "$city": _texts([city for city, _ in _CITIES], place),
        "$country_code": _texts([country for _, country in _CITIES], place),
    }
    return {f"profile_properties.{name}": values[name] for name in _PROFILE_PROPERTIES}


def _truth(log: _Rows) -> pd.DataFrame:
    return pd.DataFrame({"person": log.person})


def _or_none(codes: IntArray, none: Any) -> IntArray:
    return np.where(none if isinstance(none, np.ndarray) else codes == none, -1, codes)


def _texts(values: Sequence[str] | npt.NDArray[np.str_], codes: IntArray) -> pd.Series:
    return take_or_missing(pd.Series(values, dtype="str"), np.asarray(codes, dtype=np.int64))


def _times(microseconds: IntArray) -> pd.Series:
    # Exports write seconds at most to the millisecond.
    milliseconds = (microseconds // 1000).astype("datetime64[ms]").astype("datetime64[us]")
    return pd.Series(milliseconds).dt.tz_localize("UTC")


def _emails(who: _People) -> pd.Series:
    first = pd.Series(_FIRST_NAMES, dtype="str").str.lower().take(who.first_name)
    last = pd.Series(_LAST_NAMES, dtype="str").str.lower().take(who.last_name)
    domain = pd.Series(_MAIL_DOMAINS, dtype="str").take(who.domain)
    number = pd.Series(np.arange(len(first)).astype(str), dtype="str")
    parts = [part.reset_index(drop=True) for part in (first, last, number, domain)]
    return parts[0] + "." + parts[1] + parts[2] + "@" + parts[3]


def _phones(who: _People) -> npt.NDArray[np.str_]:
    # No country has the calling code 999, so nobody is called by mistake.
    return np.char.add("+999", np.char.zfill(np.arange(len(who.domain)).astype(str), 8))


def _tokens(codes: IntArray, salt: int, digits: int) -> pd.Series:
    distinct, which = np.unique(codes, return_inverse=True)
    short = _mixed(distinct, salt) >> np.uint64(64 - 4 * digits)
    # In millions of tokens two short ones can be equal by chance, and would join two strangers.
    if len(np.unique(short)) < len(distinct):
        digits = 16
    texts = _hexadecimal(distinct, salt, digits)
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


def _of_source(events: pd.DataFrame, source: str) -> list[dict[str, Any]]:
    """Return the events of a source as records without the columns that they lack."""
    chosen = events[events["source"] == source].astype(object)
    return [
        {name: value for name, value in record.items() if not pd.isna(value)}
        for record in chosen.to_dict("records")
    ]


def _pixel_lines(records: list[dict[str, Any]], *, breaks_off: bool) -> Iterator[str]:
    lines = [
        _json(
            {
                "method": "track",
                "eventName": record.get("event_name"),
                "eventID": record.get("event_id"),
                "timestamp": _iso(record["timestamp"]),
                "receivedAt": _iso(record["received_at"]),
                "properties": _under(record, "properties."),
                "profileProperties": _under(record, "profile_properties."),
                "aliases": _urns(record),
            }
        )
        for record in records
    ]
    yield from (f"{line}\n" for line in lines)
    if breaks_off and lines:
        yield lines[-1][:72]


def _webhook_array(records: list[dict[str, Any]]) -> str:
    objects = []
    for place, record in enumerate(records):
        # Two versions of the shop's server: one writes ISO 8601, the other epoch seconds.
        stamp: Any = record["timestamp"].tz_convert("Europe/Brussels").isoformat(timespec="seconds")
        if place % 4 == 3:
            stamp = int(record["timestamp"].timestamp())
        properties = _under(record, "properties.")
        item = {
            name: properties.pop(name) for name in ("name", "price", "quantity") & properties.keys()
        }
        if item:
            properties["items"] = [dict(sorted(item.items()))]
        objects.append(
            _json(
                {
                    "event_id": record.get("event_id"),
                    "event_name": record.get("event_name"),
                    "timestamp": stamp,
                    "received_at": _iso(record["received_at"]),
                    "properties": properties,
                    "profile_properties": _under(record, "profile_properties."),
                    "aliases": _urns(record),
                }
            )
        )
    return "[\n" + ",\n".join(objects) + "\n]\n"


def _flat_table(records: list[dict[str, Any]]) -> str:
    names = ["event_id", "event_name", "timestamp", "received_at"]
    names += ["alias.email", "alias.phone", "alias.customer_id"]
    names += [f"profile_properties.{name}" for name in ("$email", "$first_name", "$last_name")]
    table = pd.DataFrame(records, columns=names)
    for name in ("timestamp", "received_at"):
        table[name] = [_iso(stamp) for stamp in table[name]]
    # Not by `spreadsheets`: its apostrophes would be part of what is read again. Every text here
    # is made up by this module, and none begins as a formula; a phone number is but a number.
    return table.to_csv(index=False, lineterminator="\n")


def _under(record: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in record.items()
        if name.startswith(prefix)
    }


def _urns(record: dict[str, Any]) -> list[str]:
    return [
        f"urn:{name}:{record[f'alias.{name}']}" for name in _ALIASES if f"alias.{name}" in record
    ]


def _iso(stamp: pd.Timestamp) -> str:
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


def _json(value: dict[str, Any]) -> str:
    present = {name: item for name, item in value.items() if item is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"))
