"""Personal data where it should not be: addresses in properties and URLs, and card numbers.

Only distinct values are looked at, and the slow patterns only at those that a quick one lets
through. No value is handed on unmasked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.wording import counted
from convergekit.checks.fault import Check, Fault, FoundInPart, Together
from convergekit.checks.tracking import Tracking
from convergekit.checks.whole import Whole
from convergekit.checks.wording import EMAIL, LONG_NUMBER, property_name, shown
from convergekit.events.schema import PROFILE_PROPERTY
from convergekit.typing import IntArray

# A file's name can look like an address (logo@2x.png), and a shop's own is not a person's.
_FILES = {
    *("png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico"),
    *("css", "js", "mjs", "map", "json", "html", "woff", "ttf"),
}
_ROLES = {
    *("info", "support", "contact", "hello", "help", "sales", "service", "orders", "shop"),
    *("noreply", "no-reply", "privacy", "admin", "webmaster", "postmaster", "office", "team"),
    *("press", "billing"),
}
# Where an identity is what the vendor's tag sends.
_IDENTITIES = {"alias", "distinct_id", "user_id", "$user_id", "$anon_distinct_id", "identity"}
_URL = re.compile(r"://|^/|\?")
# Visa, Mastercard, American Express, Discover, JCB and Diners Club, in their lengths.
_CARD = re.compile(
    r"4\d{15}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
)
#: At least this share of a property's long numbers must pass Luhn's test: of any numbers, one in
#: ten does by chance.
LUHN_SHARE = 0.5
# So many values tell whether a property holds cards, or IDs by the million.
_ASKED = 1000


def _email_addresses(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find e-mail addresses in event properties, and in the URLs of any property."""
    for column, values in tracking.property_texts.items():
        only_in_urls = column.startswith(PROFILE_PROPERTY) or property_name(column) in _IDENTITIES
        surely = _has_address_in_url if only_in_urls else _has_address
        at = _events_with(values, _has_at_sign, surely)
        at = at[tracking.is_kept[at]]
        if len(at):
            first = tracking.events[column].iloc[at[0]]
            about = int(tracking.rows[at[0]]), bool(_URL.search(str(first)))
            seen = partial(_values, tracking, column)
            yield FoundInPart(at, tracking.worth(at), seen, column, about)


def _long_texts(tracking: Tracking) -> dict[str, pd.DataFrame]:
    """Return the first texts with long numbers of each property, and their first rows."""
    found = {}
    for column, values in tracking.property_texts.items():
        likely = _likely(values, _has_long_number)[:_ASKED]
        if len(likely):
            codes = _codes(values)
            at = np.flatnonzero(np.isin(codes, likely))
            seen, first = np.unique(codes[at], return_index=True)
            texts = values.dictionary.take(pa.array(seen)).to_pylist()
            found[column] = pd.DataFrame({"text": texts, "row": tracking.rows[at[first]]})
    return found


def _columns_of_cards(parts: list[dict[str, pd.DataFrame]], whole: Whole) -> set[str]:
    """Return the properties of which most of the first long numbers are cards'."""
    found = set()
    for column in {name for part in parts for name in part}:
        every = pd.concat([part[column] for part in parts if column in part])
        texts = every.sort_values("row")["text"].drop_duplicates()
        if _are_cards(texts.head(_ASKED).tolist()):
            found.add(column)
    return found


def _card_numbers(tracking: Tracking) -> Iterator[FoundInPart]:
    """Find what looks like a card's number, in any property whose long numbers mostly do."""
    for column, values in tracking.property_texts.items():
        if column in tracking.whole.of_checks["card-number"]:
            at = _events_with(values, _has_long_number, _has_card)
            at = at[tracking.is_kept[at]]
            yield FoundInPart(at, tracking.worth(at), partial(_values, tracking, column), column)


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others.

    Examples
    --------
    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(n - 9 * (n > 9) for n in doubled)) % 10 == 0


def _has_at_sign(values: pa.Array) -> pa.Array:
    return pc.or_(pc.match_substring(values, "@"), pc.match_substring(values, "%40"))


def _has_address_in_url(text: str) -> bool:
    return bool(_URL.search(text)) and _has_address(text)


def _has_address(text: str) -> bool:
    return any(
        not text[found.end() : found.end() + 1].isalnum()
        and found["top"].lower() not in _FILES
        and found["user"].lower() not in _ROLES
        and text[max(found.start() - 7, 0) : found.start()].lower() != "mailto:"
        for found in EMAIL.finditer(text)
    )


def _has_card(text: str) -> bool:
    return any(map(_is_card, _long_numbers(text)))


def _are_cards(texts: list[str]) -> bool:
    """Return whether most of the long numbers are cards'."""
    numbers = [number for text in texts for number in _long_numbers(text)]
    return sum(map(_is_card, numbers)) >= LUHN_SHARE * len(numbers)


def _long_numbers(text: str) -> list[str]:
    return [re.sub("[ -]", "", found[0]) for found in LONG_NUMBER.finditer(text)]


def _is_card(digits: str) -> bool:
    return _CARD.fullmatch(digits) is not None and passes_luhn(digits)


def _has_long_number(values: pa.Array) -> pa.Array:
    return pc.match_substring_regex(values, r"\d(?:[ -]?\d){13}")


def _events_with(
    values: pa.DictionaryArray,
    maybe: Callable[[pa.Array], pa.Array],
    surely: Callable[[str], bool],
) -> IntArray:
    """Return the positions of the values that a quick and a slow test find."""
    likely = _likely(values, maybe)
    if not len(likely):
        return likely
    found = np.zeros(len(values.dictionary), dtype=bool)
    texts = values.dictionary.take(pa.array(likely))
    found[likely] = [surely(text) for text in texts.to_pylist()]
    # One more, for the missing values, which are -1.
    return np.flatnonzero(np.append(found, False)[_codes(values)])


def _likely(values: pa.DictionaryArray, maybe: Callable[[pa.Array], pa.Array]) -> IntArray:
    return np.flatnonzero(maybe(values.dictionary).to_numpy(zero_copy_only=False))


def _codes(values: pa.DictionaryArray) -> IntArray:
    codes: IntArray = values.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes


def _said_of_addresses(found: Together) -> Fault:
    _, in_urls = min(found.about)
    return Fault(
        "high" if in_urls else "medium",
        f"The property {property_name(found.key)!r} of {counted(found.count, 'event')} holds "
        "e-mail addresses.",
        "An address in a URL or an event's property goes wherever events go: to ad networks, "
        "logs and exports, where it is overlooked when a person asks to be deleted (GDPR).",
        "Send the address as an alias and as the profile property $email only. Take it out of "
        "links and forms that use GET, and cut it off the URL in the tag.",
        found.money,
    )


def _said_of_cards(found: Together) -> Fault:
    return Fault(
        "high",
        f"The property {property_name(found.key)!r} of {counted(found.count, 'event')} holds what "
        "looks like card numbers.",
        "Card numbers outside a payment provider break the card schemes' rules (PCI DSS), and "
        "every copy of the export with them.",
        "Stop sending the property at once, delete it where events are stored, and tell the "
        "person responsible for payments. If they are not cards, send the ID with a prefix.",
        found.money,
    )


def _values(tracking: Tracking, column: str, some: IntArray) -> list[str]:
    name = property_name(column)
    return [f"{name} = {shown(cell)}" for cell in tracking.events[column].iloc[some]]


EMAIL_ADDRESSES = Check(_email_addresses, _said_of_addresses)
CARD_NUMBERS = Check(_card_numbers, _said_of_cards, learn=_long_texts, settle=_columns_of_cards)
