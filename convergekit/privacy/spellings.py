"""Spellings: find a person's e-mail addresses and phone numbers in a text, however written.

An address is found in upper and lower case, in full-width and other compatibility forms, with
invisible characters inside, percent-encoded (a space or a plus sign as the other), as HTML
entities and with the backslashes of JSON; encoded several times as well, and in any mixture. A
phone number is found with its country code after ``+``, ``00`` or nothing, without it after a
zero or in groups, and with spaces, dots, dashes, slashes and brackets between its digits.
Base64, hashes, pictures and words ("ada at example dot com") are not read.

An address is a mention where neither a letter nor a digit adjoins it: ``dada@example.com`` is
another one. So is ``ada@example.com.au`` or ``not-ada@example.com``, if it is known to be another
person's; if not, it is taken for the address with something before or behind it.
"""

from __future__ import annotations

import functools
import html.entities
import itertools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import INVISIBLE, folded, folded_text
from convergekit.errors import ConvergekitError
from convergekit.identity.alias_rules import AliasRules
from convergekit.privacy.phone_spellings import (
    ASCII_DIGITS,
    DIGITS,
    PHONE_DIGITS,
    ascii_pattern,
    digits_of,
    digits_pattern,
    national_digits,
    numbers_of,
    phone_pattern,
)
from convergekit.typing import IntArray

#: What stands where an address stood within a longer text.
ERASED = "(erased)"

#: An address within a text that was read to the end.
EMAIL_SHAPE = re.compile(r"[^\W_][\w.+-]*@[^\W_][\w.-]*")

#: Of one text, at most so many readings are looked at: each has one encoding less than another.
_READINGS = 200
#: A pattern for Arrow lists so many addresses; it takes no long ones.
_FEW = 50
#: So many patterns are kept, each for one phone number.
_FEW_PATTERNS = 1000
#: Erasing may join what stood around an address to another one.
_PASSES = 8

_PHONE_NAME = re.compile(
    r"phone|mobile|(?<![a-z])(?:tel|cell|whatsapp|sms)(?![a-z])", re.IGNORECASE
)
_MAY_BE_ENCODED = re.compile(r"[%&\\]")
#: How encodings are known, and what they encode.
_ENCODINGS = (
    re.compile(r"(?P<percent>(?:%[0-9a-f]{2})+)|%u(?P<four>[0-9a-f]{4})", re.IGNORECASE),
    re.compile(
        r"&#x(?P<six>[0-9a-f]{1,6});?|&#(?P<decimal>[0-9]{1,7});?|&(?P<name>[a-z][a-z0-9]{1,31};)",
        re.IGNORECASE,
    ),
    re.compile(
        # A pair is one character; eight digits are Python's way to write what is beyond U+FFFF.
        r"\\u(?P<high>d[89ab][0-9a-f]{2})\\u(?P<low>d[c-f][0-9a-f]{2})"
        r"|\\u(?P<eight>000[01][0-9a-f]{4})|\\u(?P<four>[0-9a-f]{4})|\\u\{(?P<six>[0-9a-f]{1,6})\}"
        r"|\\x(?P<two>[0-9a-f]{2})|\\(?P<space>[nrtfbv])|\\(?P<itself>[!-/:-@\[-`{-~])",
        re.IGNORECASE,
    ),
)
#: A byte that is not UTF-8 is taken for Latin-1.
_LATIN_1 = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_HEXADECIMAL = ("two", "four", "six", "eight")
#: The sign at, or what encodings are known by, in any width; or the digits of a phone number.
_READ_IN_PYTHON = "[@\ufe6b\uff20\ufe6a\uff05\ufe60\uff06\ufe68\uff3c]|(?s:(?:\\p{Nd}.*){7})"
#: What compatibility forms leave as it is: the dot of Chinese and Japanese, and, as `stitch` has
#: it, the capital I with a dot.
_LIKE_ASCII = {"\u3002": ".", "\u0130": "i"}


@dataclass(frozen=True)
class _Reading:
    """A text with something taken off, and where each part of it stood before."""

    text: str
    starts: list[int]
    spans: list[tuple[int, int]]

    def before(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of the text stood."""
        # An accent may have changed places with another one.
        spans = [self._span(at) for at in range(start, end)]
        return min(first for first, _ in spans), max(last for _, last in spans)

    def is_word(self, start: int, end: int) -> bool:
        """Return whether neither a letter nor a digit adjoins a part of the text.

        An accent is part of its letter. What cannot be seen may part two words.
        """
        return self._is_apart(start - 1, start) and self._is_apart(end, end - 1)

    def _is_apart(self, outside: int, inside: int) -> bool:
        if not 0 <= outside < len(self.text):
            return True
        character = self.text[outside]
        if not character.isalnum() and not unicodedata.combining(character):
            return True
        first, last = sorted((outside, inside))
        return self._span(first)[1] < self._span(last)[0]

    def _span(self, at: int) -> tuple[int, int]:
        piece = bisect_right(self.starts, at) - 1
        start, end = self.spans[piece]
        until = self.starts[piece + 1] if piece + 1 < len(self.starts) else len(self.text)
        if end - start != until - self.starts[piece]:
            return start, end
        place = start + at - self.starts[piece]
        return place, place + 1


#: Makes the reading that leads one step back.
Step = Callable[[], _Reading]


@dataclass(frozen=True)
class Addresses:
    """E-mail addresses and phone numbers to find in texts.

    Attributes
    ----------
    values : frozenset of str
        Texts that are looked for as a whole, folded.
    emails, phones : frozenset of str
        Those that are looked for within texts as well.
    of_others : frozenset of str
        Longer e-mail addresses that hold one of these and are another person's, folded.
    rules : AliasRules
        What makes an alias of an address, where the ways to write it are several.
    aliases : frozenset of (str, str)
        The aliases that it is to make.
    """

    values: frozenset[str]
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    of_others: frozenset[str] = frozenset()
    rules: AliasRules = field(default_factory=AliasRules)
    aliases: frozenset[tuple[str, str]] = frozenset()

    def without(self, text: str, instead: str = ERASED) -> str | None:
        """Return the text without the addresses; None where it is nothing else.

        The very text that was given says that it holds none.

        Examples
        --------
        >>> ada = Addresses(frozenset(), emails=frozenset({"ada@example.com"}))
        >>> ada.without("/thanks?email=ADA%2540example.com&n=1")
        '/thanks?email=(erased)&n=1'
        >>> ada.without("for dada@example.com"), ada.without(" Ada@example.com")
        ('for dada@example.com', None)
        """
        return None if folded_text(text) in self.values else self.within(text, instead)

    def within(self, text: str, instead: str = ERASED) -> str | None:
        """Do as `without` does, with e-mail addresses and phone numbers alone."""
        left = text
        for _ in range(_PASSES):
            spans = self.spans(left)
            if not spans:
                return left if left is text or _says_more(left, instead) else None
            for start, end in reversed(spans):
                left = left[:start] + instead + left[end:]
        return None

    def holds(self, text: str) -> bool:
        """Return whether a text writes one of the addresses."""
        return folded_text(text) in self.values or bool(self.spans(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a text writes one of the addresses, from where to where."""
        found: list[tuple[int, int]] = []
        for read, steps in _readings(text) if self._quick else ():
            if not self._may_write(_plain_text(read)):
                continue
            plain = _plain(read)
            for start, end in self._found_in(plain):
                start, end = plain.before(start, end)
                for step in steps:
                    start, end = step().before(start, end)
                found.append((start, end))
        return _united(found)

    def may_be_in(self, texts: pa.Array) -> IntArray:
        """Return the positions of all texts that write an address, and of others."""
        likely = pa.array(np.zeros(len(texts), dtype=bool))
        if self.values:
            wanted = pa.array(sorted(self.values), type=pa.large_string())
            likely = pc.is_in(folded(texts), value_set=wanted)
        if self._quick:
            quick = pc.match_substring_regex(texts, self._quick, ignore_case=True)
            likely = pc.or_(likely, quick)
            likely = pc.or_(likely, pc.match_substring_regex(texts, r"[%&\\]"))
            # What case, width and invisible characters do is for Python to say.
            other = pc.invert(pc.string_is_ascii(texts))
            read = pc.match_substring_regex(texts, _READ_IN_PYTHON)
            likely = pc.or_(likely, pc.and_(other, read))
        return np.flatnonzero(likely.fill_null(False).to_numpy(zero_copy_only=False))

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Numbers that are one of the phone numbers, in whatever column they stand."""
        return frozenset(n for phone in self.phones for n in numbers_of(phone))

    @cached_property
    def short_numbers(self) -> frozenset[int]:
        """Numbers that are one of the phone numbers in a column of phone numbers."""
        national = (n for phone in self.phones for n in numbers_of(phone, surely_phones=True))
        return self.numbers | set(national)

    def _may_write(self, plain: str) -> bool:
        has_email = "@" in plain and bool(self.emails or self.rules.rules)
        return has_email or (bool(self.phones) and self._digits.search(plain) is not None)

    def _found_in(self, plain: _Reading) -> Iterator[tuple[int, int]]:
        at = plain.text.find("@")
        while at >= 0:
            yield from self._emails_at(plain, at)
            at = plain.text.find("@", at + 1)
        for phone in self._phones_in(plain.text):
            yield from (found.span() for found in _phone_pattern(phone).finditer(plain.text))
        if self.rules.rules:
            yield from self._ruled_in(plain.text)

    def _emails_at(self, plain: _Reading, at: int) -> Iterator[tuple[int, int]]:
        """Return the addresses around a sign at: one at most, unless one holds another."""
        for size in self._domain_sizes:
            end = at + 1 + size
            names = self._names.get(plain.text[at + 1 : end], set())
            for length in sorted(set(map(len, names))):
                start = at - length
                if start < 0 or plain.text[start:at].replace("+", " ") not in names:
                    continue
                if plain.is_word(start, end) and not self._is_of_others(plain, start, end):
                    yield start, end

    def _phones_in(self, text: str) -> list[str]:
        """Return the numbers whose digits are in the text, without code and zero, in one run."""
        found: set[str] = set()
        for run in DIGITS.finditer(text) if self.phones else ():
            digits = digits_of(run[0])
            for size in self._national_sizes:
                windows = (digits[i : i + size] for i in range(len(digits) - size + 1))
                found.update(phone for w in windows for phone in self._by_national.get(w, ()))
        return sorted(found)

    def _is_of_others(self, plain: _Reading, start: int, end: int) -> bool:
        """Return whether it is a part of a longer address that is another person's."""
        for longer in self._longer:
            offset = longer.find(plain.text[start:end])
            begin, stop = start - offset, start - offset + len(longer)
            there = offset >= 0 and begin >= 0 and plain.text.startswith(longer, begin)
            if there and plain.is_word(begin, stop):
                return True
        return False

    def _ruled_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Return where addresses stand of which the rules make one of the person's aliases."""
        for found in EMAIL_SHAPE.finditer(text):
            token = found[0].rstrip(".-")
            if any(alias in self.aliases for alias in _made(token, self.rules)):
                yield found.start(), found.start() + len(token)

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """What stands before the sign at, by domain; forms are read with a space for a plus."""
        names: dict[str, set[str]] = {}
        for form in {form for email in self.emails for form in _forms(email)}:
            name, _, domain = form.partition("@")
            names.setdefault(domain, set()).add(name.replace("+", " "))
        return names

    @cached_property
    def _domain_sizes(self) -> list[int]:
        return sorted(set(map(len, self._names)))

    @cached_property
    def _digits(self) -> re.Pattern[str]:
        """A pattern that is found in every plain text that writes a phone number."""
        few = len(self.phones) <= _FEW
        return re.compile("|".join(sorted(map(digits_pattern, self.phones)))) if few else DIGITS

    @cached_property
    def _by_national(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for phone in self.phones:
            found.setdefault(national_digits(phone), []).append(phone)
        return found

    @cached_property
    def _national_sizes(self) -> list[int]:
        return sorted(set(map(len, self._by_national)))

    @cached_property
    def _quick(self) -> str:
        """A pattern for Arrow that is found in every text in ASCII that writes an address."""
        forms = set()
        if self.emails:
            few = len(self.emails) <= _FEW
            emails = {re.escape(form) for email in self.emails for form in _forms(email)}
            forms |= {email.replace(r"\+", "[+ ]") for email in emails} if few else {"@"}
        if self.phones:
            few = len(self.phones) <= _FEW
            forms |= set(map(ascii_pattern, self.phones)) if few else {ASCII_DIGITS}
        # A rule may make one of the addresses of any other.
        forms |= {"@"} if self.rules.rules else set()
        return "|".join(sorted(forms))

    @cached_property
    def _longer(self) -> list[str]:
        return sorted(_plain(address).text for address in self.of_others)


def readings(text: str) -> Iterator[str]:
    """Yield what a text says, and that with encodings taken off, width and the unseen as well.

    Examples
    --------
    >>> list(readings("cup%2520A"))
    ['cup%2520A', 'cup%20A', 'cup A']
    """
    for read, _ in _readings(text):
        yield read
        if not read.isascii():
            yield _plain_text(read)


def split_addresses(values: Iterable[tuple[str, str]]) -> tuple[set[str], set[str]]:
    """Return which values are e-mail addresses, and which are phone numbers.

    Parameters
    ----------
    values : iterable of (str, str)
        What a value is said to be, such as ``"email"``, and the value.

    Examples
    --------
    >>> split_addresses([("user_id", "ada@example.com"), ("phone", "+32470123456"), ("sku", "7")])
    ({'ada@example.com'}, {'+32470123456'})
    """
    emails, phones = set(), set()
    for said, value in values:
        if is_address(value):
            emails.add(value)
        elif says_email(said):
            emails |= _addresses_in(value)
        elif says_phone(said) and len(digits_of(value)) >= PHONE_DIGITS:
            phones.add(value)
    return emails, phones


def is_address(text: str) -> bool:
    """Return whether a text is an e-mail address and nothing else.

    Examples
    --------
    >>> is_address("ada@example.com"), is_address("for ada@example.com")
    (True, False)
    """
    name, at, domain = _plain(text).text.strip().partition("@")
    return bool(at and name and domain) and not re.search(r"[\s@,;:<>\"()\[\]/?&]", name + domain)


def _addresses_in(text: str) -> set[str]:
    """Return the address that a text writes with something around it, as ``mailto:`` does."""
    read = {_plain_text(reading) for reading, _ in _readings(text)}
    found = {token.rstrip(".-") for plain in read for token in EMAIL_SHAPE.findall(plain)}
    return found if len(found) == 1 else set()


def says_email(name: str) -> bool:
    """Return whether a column or alias type of this name holds e-mail addresses."""
    return "mail" in name.lower()


def says_phone(name: str) -> bool:
    """Return whether a column or alias type of this name holds phone numbers."""
    return _PHONE_NAME.search(name) is not None


def longer_addresses(texts: Iterable[str], emails: Iterable[str]) -> set[str]:
    """Return which of the texts are other e-mail addresses that hold one of these.

    Examples
    --------
    >>> sorted(longer_addresses(["not-ada@x.org", "ada@x.org.uk", "ada@x.org", "for ada@x.org"],
    ...                         ["ada@x.org"]))
    ['ada@x.org.uk', 'not-ada@x.org']
    """
    known = Addresses(frozenset(), emails=frozenset(emails))
    wanted = {form for email in known.emails for form in _forms(email)}
    plain = {text: _plain(text).text.strip() for text in texts}
    return {
        text
        for text, form in plain.items()
        if form not in wanted and re.fullmatch(r"[\w.+-]+@[\w.-]+", form) and known.spans(form)
    }


def _forms(email: str) -> set[str]:
    """Return the forms of an address in which its domain may be written."""
    plain = _plain(email).text.strip()
    name, _, domain = plain.partition("@")
    forms = {plain}
    for codec in (_to_ascii, _from_ascii):
        other = codec(domain)
        if other is not None:
            forms.add(_plain(f"{name}@{other}").text)
    return forms


def _to_ascii(domain: str) -> str | None:
    try:
        return unicodedata.normalize("NFC", domain).encode("idna").decode()
    except UnicodeError:
        return None


def _from_ascii(domain: str) -> str | None:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return None


@functools.lru_cache(maxsize=_FEW_PATTERNS)
def _phone_pattern(phone: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d)(?:{phone_pattern(phone)})(?!\d)")


def _made(token: str, rules: AliasRules) -> Iterator[tuple[str, str]]:
    for name in rules.rules:
        try:
            alias = rules.parse(f"urn:{name}:{token}")
        except ConvergekitError:
            # The rule is for texts of its type; this is one of any.
            continue
        if alias is not None:
            yield from ((name, value) for value in alias[1])


def _says_more(left: str, instead: str) -> bool:
    return bool(_plain(left).text.replace(instead, "").strip())


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in order, those that overlap as one."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if united and start < united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _plain_text(text: str) -> str:
    return text.lower() if text.isascii() else _plain(text).text


def _plain(text: str) -> _Reading:
    """Read characters for what they mean: without case, width, and what cannot be seen."""
    if text.isascii():
        return _Reading(text.lower(), [0], [(0, len(text))])
    parts = []
    for place, character in enumerate(text):
        if character in INVISIBLE:
            continue
        parts += [(part, place) for part in _plain_characters(character)]
    _order_accents(parts)
    return _Reading(
        "".join(part for part, _ in parts),
        list(range(len(parts))),
        [(place, place + 1) for _, place in parts],
    )


def _plain_characters(character: str) -> str:
    if character.isascii():
        return character.lower()
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    character = _LIKE_ASCII.get(character, character)
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())


def _order_accents(parts: list[tuple[str, int]]) -> None:
    """Put the accents of each letter in Unicode's order, as decomposing a whole text does."""
    for place in range(1, len(parts)):
        rank, at = unicodedata.combining(parts[place][0]), place
        while rank and at and unicodedata.combining(parts[at - 1][0]) > rank:
            parts[at - 1], parts[at] = parts[at], parts[at - 1]
            at -= 1


def _readings(text: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Return what a text says with any encodings taken off, and the steps back to the text."""
    waiting: list[tuple[str, tuple[Step, ...]]] = [(text, ())]
    seen: set[str] = set()
    while waiting and len(seen) < _READINGS:
        read, steps = waiting.pop()
        if read in seen:
            continue
        seen.add(read)
        yield read, steps
        plain = _plain_text(read)
        if not _MAY_BE_ENCODED.search(plain):
            continue
        # A sign in another width may be one that is encoded, or one that encodes.
        if read.isascii():
            forms = [(read, steps)]
        else:
            forms = [(read, steps), (plain, (functools.partial(_plain, read), *steps))]
        for form, back in forms:
            for encoding in _ENCODINGS:
                decoded = encoding.sub(_meaning, form)
                if decoded not in seen:
                    step = functools.partial(_decoded, form, encoding)
                    waiting.append((decoded, (step, *back)))


def _decoded(text: str, encoding: re.Pattern[str]) -> _Reading:
    """Take one level of an encoding off."""
    parts: list[tuple[str, int, int]] = []
    at = 0
    for found in encoding.finditer(text):
        if found.start() > at:
            parts.append((text[at : found.start()], at, found.start()))
        parts += _meant(found)
        at = found.end()
    if at < len(text):
        parts.append((text[at:], at, len(text)))
    starts = list(itertools.accumulate((len(part) for part, _, _ in parts[:-1]), initial=0))
    spans = [(start, end) for _, start, end in parts]
    return _Reading("".join(part for part, _, _ in parts), starts, spans)


def _meant(found: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """Return what an escape means, character by character, and where each stands."""
    start, end = found.span()
    if "percent" not in found.re.groupindex or not found["percent"]:
        yield _meaning(found), start, end
        return
    for character in _bytes_of(found).decode("utf-8", "surrogateescape"):
        stop = start + 3 * len(character.encode("utf-8", "surrogateescape"))
        yield character.translate(_LATIN_1), start, stop
        start = stop


def _meaning(found: re.Match[str]) -> str:
    """Return what an escape means."""
    meant = found.groupdict()
    if meant.get("percent"):
        return _bytes_of(found).decode("utf-8", "surrogateescape").translate(_LATIN_1)
    return _meant_by_one(meant, found[0])


def _bytes_of(found: re.Match[str]) -> bytes:
    return bytes.fromhex(found[0].replace("%", ""))


def _meant_by_one(meant: dict[str, str | None], written: str) -> str:
    for name in _HEXADECIMAL:
        if digits := meant.get(name):
            return _character(int(digits, 16), written)
    if digits := meant.get("decimal"):
        return _character(int(digits), written)
    if entity := meant.get("name"):
        return html.entities.html5.get(entity.lower(), written)
    if high := meant.get("high"):
        low = meant["low"] or ""
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return meant.get("itself") or " "


def _character(code: int, written: str) -> str:
    return chr(code) if 0 < code <= 0x10FFFF else written
