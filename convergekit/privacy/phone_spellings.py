"""Phone numbers in the ways in which people and systems write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: What is written with fewer digits cannot be told from other numbers.
PHONE_DIGITS = 7
#: A number without its country code, to which any may be added.
_NATIONAL_DIGITS = 8
#: So many digits tell a number that has neither a prefix nor anything between its digits.
_TELLING_DIGITS = 9
#: The same where neither a country code nor a zero is among them: order numbers are as long.
_TELLING_NATIONAL_DIGITS = 10
#: With so many digits, and no zero first, the country code is among them.
_INTERNATIONAL_DIGITS = 11

#: What stands between digits: spaces, dots, dashes, slashes, brackets, a form's plus sign.
_SEPARATOR = r"[\s.()\[\]/+\-\u2010-\u2015\u2212]"
_BETWEEN = _SEPARATOR + "{0,4}"
#: As many digits as a phone number has, and what is between them.
DIGITS = re.compile(rf"\d(?:{_BETWEEN}\d){{{PHONE_DIGITS - 1},}}")
#: A pattern for Arrow that is found in every text in ASCII in which `DIGITS` is found.
ASCII_DIGITS = r"[0-9](?:[\s.()\[\]/+\-]{0,4}[0-9]){6}"
_PREFIX = r"(?:\+|00|011)"
_ONE_DIGIT_CODES = frozenset("17")
# ITU-T E.164: all others have three digits.
_TWO_DIGIT_CODES = frozenset(
    f"{code}"
    for first, last in (
        *((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66)),
        *((81, 82), (84, 84), (86, 86), (90, 95), (98, 98)),
    )
    for code in range(first, last + 1)
)


def digits_of(phone: str) -> str:
    """Return the digits of a phone number.

    Examples
    --------
    >>> digits_of("+32 (0)470 12 34 56")
    '320470123456'
    """
    return re.sub(r"\D", "", phone)


def phone_pattern(phone: str) -> str:
    """Return a pattern for a phone number in any spelling.

    Examples
    --------
    >>> ada = re.compile(phone_pattern("+32470123456"))
    >>> texts = ["0032 470 12.34.56", "+32 (0)470/12-34-56", "(0470) 123456", "470123457"]
    >>> [ada.fullmatch(text) is not None for text in texts]
    [True, True, True, False]
    """
    country, written = _parts(phone)
    national = written.lstrip("0")
    any_zero = rf"{_BETWEEN}0?{_BETWEEN}"
    forms = []
    if country:
        code, whole = _BETWEEN.join(country), country + national
        forms.append(_PREFIX + _BETWEEN + code + any_zero + _BETWEEN.join(national))
        forms.append(_spaced(whole, len(whole) >= _TELLING_DIGITS))
        forms.append(_spaced(whole, len(whole) >= _TELLING_DIGITS, zero_after=len(country)))
        written = "0" + national
    elif len(national) >= _NATIONAL_DIGITS:
        any_country = rf"(?:{_PREFIX}{_BETWEEN}\d{{1,3}}|[(\[]\+?\d{{1,3}}[)\]])"
        forms.append(any_country + any_zero + _BETWEEN.join(national))
    if len(written) >= PHONE_DIGITS:
        forms.append(
            rf"(?:{_PREFIX}{_BETWEEN})?" + _spaced(written, len(written) >= _TELLING_DIGITS)
        )
    if len(national) >= PHONE_DIGITS:
        forms.append(_spaced(national, len(national) >= _TELLING_NATIONAL_DIGITS))
    return rf"[(\[]?(?:{'|'.join(forms)})"


def national_digits(phone: str) -> str:
    """Return the digits that every spelling of a phone number has: no country code, no zero first.

    Examples
    --------
    >>> national_digits("+32 470 12 34 56"), national_digits("0470 12 34 56")
    ('470123456', '470123456')
    """
    return _parts(phone)[1].lstrip("0")


def digits_pattern(phone: str) -> str:
    """Return a pattern that is found in every text with a spelling of the number."""
    return _BETWEEN.join(national_digits(phone))


def ascii_pattern(phone: str) -> str:
    """Return the same for texts in ASCII, without what Arrow's patterns do not know."""
    return digits_pattern(phone).replace(r"\u2010-\u2015\u2212", "")


def numbers_of(phone: str, *, surely_phones: bool = False) -> Iterator[int]:
    """Return the whole numbers that are this phone number.

    Parameters
    ----------
    phone : str
    surely_phones : bool, default False
        Whether the numbers are in a column of phone numbers, so that few digits are enough.

    Examples
    --------
    >>> list(numbers_of("+32470123456")), list(numbers_of("0470123456", surely_phones=True))
    ([32470123456], [470123456])
    """
    country, written = _parts(phone)
    national = written.lstrip("0")
    if len(country + national) >= (PHONE_DIGITS if surely_phones else _TELLING_DIGITS):
        yield int(country + national)
    enough = PHONE_DIGITS if surely_phones else _TELLING_NATIONAL_DIGITS
    if country and len(national) >= enough:
        yield int(national)


def _spaced(digits: str, alone: bool, zero_after: int = 0) -> str:
    """Return a pattern for digits with something between them, or none where they tell alone."""
    spaced = _BETWEEN.join(digits)
    if zero_after:
        head, tail = digits[:zero_after], digits[zero_after:]
        spaced = _BETWEEN.join([*head, "0", *tail])
    return spaced if alone else rf"(?=\d{{1,{len(digits) - 1}}}{_SEPARATOR}){spaced}"


def _parts(phone: str) -> tuple[str, str]:
    """Return a number's country code, empty if not known, and the digits after it."""
    text = phone.strip().lstrip("([")
    digits = digits_of(phone)
    if text.startswith("+"):
        known = True
    elif digits.startswith("00"):
        known, digits = True, digits[2:]
    else:
        known = len(digits) >= _INTERNATIONAL_DIGITS and not digits.startswith("0")
    if not known:
        return "", digits
    size = 1 if digits[:1] in _ONE_DIGIT_CODES else 2 if digits[:2] in _TWO_DIGIT_CODES else 3
    return digits[:size], digits[size:].lstrip("0")
