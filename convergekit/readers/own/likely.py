"""What the fields of an export probably mean, told by their names and values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from convergekit.events.timestamps import parse_timestamps
from convergekit.readers.fields import Constant, Rows
from convergekit.readers.own.columns import column_at

#: So many levels of objects are looked into.
_DEEPEST = 3
#: So many fields are looked at; an export of more needs its maker.
_MOST_FIELDS = 500
#: A field means something if so many of its values do.
_MOST = 0.9

_EMAIL = r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*"
_PHONE = r"\s*\+?[0-9][0-9 ()/.-]{6,18}[0-9]\s*"
_DIGIT_DATE = r"\s*([0-9]{1,2})[/.-]([0-9]{1,2})[/.-][0-9]{4}(?:[T,\s].*)?"
_DECIMAL_COMMA = r"[^0-9]*[0-9]{1,3}(?:[. ]?[0-9]{3})*,[0-9]{1,2}[^0-9]*"

# Words of a field's name, the more telling first.
_TIMES = (
    "timestamp event_timestamp event_time occurred_at time ts datetime date_time created_at "
    "created processed_at paid_at ordered_at order_date purchase_date date sent_at received_at "
    "start_date at when"
)
_NAMES = "event_name event eventname action activity event_type activity_type type name kind"
_IDS = (
    "event_id eventid insert_id message_id messageid uuid guid transaction_id order_id order_no "
    "order_number order id no number"
)
_ALIASES = {
    "cookie": "anonymous_id anonymousid anonymous anon_id anon visitor_id visitor client_id "
    "clientid cookie_id cookie device_id deviceid device browser_id",
    "user_id": "user_id userid user uid account_id account login member_id member",
    "customer_id": "customer_id customerid customer client_no customer_no customer_number",
    "phone": "phone phone_number telephone tel mobile",
    "cart_token": "cart_token cart_id cart basket_id",
    "checkout_token": "checkout_token checkout_id",
}
_MONEY = "total_price total grand_total amount order_total revenue value total_paid paid price sum"
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


@dataclass(frozen=True)
class _Field:
    """A field of an export: its path, its last name in plain letters, and its texts."""

    path: str
    name: str
    values: pd.Series
    texts: pd.Series

    def share(self, form: str) -> float:
        """Return which share of the values has the form of a pattern."""
        found = self.texts.str.fullmatch(form)
        return float(found.mean()) if len(found) else 0.0

    def rank(self, words: str) -> int | None:
        """Return how telling the name is: the place of its word, None without one."""
        whole = self.name
        parts = set(whole.split("_"))
        for place, word in enumerate(words.split()):
            if whole == word or whole.endswith(f"_{word}") or whole.replace("_", "") == word:
                return 2 * place
            if word in parts:
                return 2 * place + 1
        return None


def fields_in(frame: pd.DataFrame) -> list[_Field]:
    """Return the fields of rows, those inside objects too."""
    rows = Rows(frame, as_spelled=True)
    found: list[_Field] = []
    paths = [str(name) for name in frame.columns]
    depth = dict.fromkeys(paths, 1)
    while paths and len(found) < _MOST_FIELDS:
        path = paths.pop(0)
        values = column_at(path, rows)
        there = values.dropna()
        objects = [cell for cell in there if isinstance(cell, Mapping)] if _is_object(there) else []
        if objects and depth[path] < _DEEPEST:
            keys = dict.fromkeys(str(key) for cell in objects for key in cell)
            inner = [f"{path}.{key}" for key in keys if f"{path}.{key}" not in depth]
            depth.update(dict.fromkeys(inner, depth[path] + 1))
            paths[:0] = inner
            continue
        scalar = [cell for cell in there if not isinstance(cell, (Mapping, list))]
        if scalar:
            texts = pd.Series([str(cell) for cell in scalar], dtype="str")
            found.append(_Field(path, _plain(path), pd.Series(scalar, dtype=object), texts))
    return found


def _is_object(values: pd.Series) -> bool:
    return values.dtype == object or isinstance(values.dtype, pd.ArrowDtype)


def _plain(path: str) -> str:
    """Return the last name of a path in small letters and underscores."""
    name = re.split(r"[.\]]", path)[-1]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", name.casefold().replace("e-mail", "email")).strip("_")


def suggested(frame: pd.DataFrame) -> tuple[dict[str, tuple[Any, str]], dict[str, Any]]:
    """Return what rows probably mean: own fields and reasons by canonical name, and options.

    Parameters
    ----------
    frame : pandas.DataFrame
        Some rows as they came.

    Examples
    --------
    >>> frame = pd.DataFrame({"Order No": ["#1", "#2"], "Created": ["2026-03-20 11:05"] * 2,
    ...                       "E-mail": ["ada@x.org", "bob@x.org"], "Total": ["30.00", "12.50"]})
    >>> meant, options = suggested(frame)
    >>> {name: own for name, (own, _) in meant.items()}
    {'event_id': 'Order No', 'event_name': ck.constant('Placed Order'), 'timestamp': 'Created',
     'alias.email': 'E-mail', 'properties.total_price': 'Total'}
    """
    fields = fields_in(frame)
    found: dict[str, tuple[Any, str]] = {}
    taken: set[str] = set()

    def take(name: str, field: _Field | None, reason: str) -> None:
        if field is not None:
            found[name] = (field.path, reason)
            taken.add(field.path)

    time, options, reason = _time(fields)
    take("timestamp", time, reason)
    left = [field for field in fields if field.path not in taken]
    for kind, field, why in _aliases(left):
        take(f"alias.{kind}", field, why)
    left = [field for field in left if field.path not in taken]
    take("event_name", *_best(left, _NAMES, _names_events, "few texts, and a name for them"))
    left = [field for field in left if field.path not in taken]
    take("event_id", *_best(left, _IDS, _is_unique, "another value in every row"))
    left = [field for field in left if field.path not in taken]
    money = _best(left, _MONEY, _is_number, "numbers, and a name of amounts")
    take("properties.total_price", *money)
    for field in left:
        if field.name in _UTM or field.name == "currency":
            kind = "properties." if field.name == "currency" else "profile_properties."
            take(kind + field.name, field, "its name")
    if "event_name" not in found:
        order = money[0] is not None
        said = "no field names events" + (", and there are amounts" if order else "")
        found["event_name"] = (Constant("Placed Order" if order else "Event"), said)
    if money[0] is not None and money[0].share(_DECIMAL_COMMA) >= _MOST:
        spaced = money[0].texts.str.contains(r"[0-9]\s[0-9]").any()
        options["amounts"] = "fr" if spaced else "de"
    order_of = ["event_id", "event_name", "timestamp"]
    names = [name for name in order_of if name in found]
    return {name: found[name] for name in [*names, *found]}, options


def _time(fields: Iterable[_Field]) -> tuple[_Field | None, dict[str, Any], str]:
    best: tuple[int, _Field, dict[str, Any], str] | None = None
    for field in fields:
        rank = field.rank(_TIMES)
        digits = field.texts.str.extract(f"^{_DIGIT_DATE}$")
        options: dict[str, Any] = {}
        if len(digits) and digits[0].notna().mean() >= _MOST:
            first, second = (pd.to_numeric(digits[place]).max() for place in (0, 1))
            options = {"day_first": bool(first > 12 or second <= 12)}
            sure = first > 12 or second > 12
            reason = "times of digits alone" + ("" if sure else "; look which is the day")
        else:
            parsed = parse_timestamps(field.values).times
            number = field.texts.str.fullmatch(r"[0-9.]+").any()
            if parsed.notna().mean() < _MOST or (rank is None and number):
                continue
            reason = "times"
        place = len(_TIMES) if rank is None else rank
        if best is None or place < best[0]:
            best = (place, field, options, reason)
    return (None, {}, "") if best is None else best[1:]


def _aliases(fields: list[_Field]) -> Iterable[tuple[str, _Field, str]]:
    email = [field for field in fields if field.share(_EMAIL) >= _MOST]
    if email:
        yield "email", min(email, key=lambda field: field.path.count(".")), "e-mail addresses"
    left = [field for field in fields if field not in email]
    for kind, words in _ALIASES.items():
        test = _is_phone if kind == "phone" else _is_name
        field, _ = _best(left, words, test, "")
        if field is not None:
            left = [other for other in left if other is not field]
            yield kind, field, f"a name of {'phone numbers' if kind == 'phone' else 'IDs'}"


def _best(
    fields: Iterable[_Field], words: str, test: Callable[[_Field], bool], reason: str
) -> tuple[_Field | None, str]:
    ranked = [(rank, place, field) for place, field in enumerate(fields)
              if (rank := field.rank(words)) is not None and test(field)]  # fmt: skip
    return (min(ranked)[2], reason) if ranked else (None, "")


def _names_events(field: _Field) -> bool:
    letters = field.texts.str.contains("[A-Za-z]").mean() >= _MOST
    return bool(letters) and field.texts.nunique() <= max(2, len(field.texts) // 2)


def _is_unique(field: _Field) -> bool:
    return field.texts.is_unique


def _is_number(field: _Field) -> bool:
    number = r"[^0-9]{0,4}[0-9][0-9., ]*[^0-9]{0,4}"
    return field.share(number) >= _MOST


def _is_phone(field: _Field) -> bool:
    return field.share(_PHONE) >= _MOST


def _is_name(field: _Field) -> bool:
    booleans = field.texts.str.casefold().isin({"true", "false"}).all()
    return not booleans and field.share(_EMAIL) < _MOST
