"""Hide who people are in answers: aliases, profile IDs, and values that look personal."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from convergekit.checks.wording import masked
from convergekit.errors import ConvergekitError
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, PROPERTY
from convergekit.machines.own_values import written
from convergekit.privacy.spellings import readings
from convergekit.visible import visible

HIDDEN = "(hidden)"
#: Columns that name people or single events.
_COLUMNS = re.compile(
    r"^(profile_id|session_id|event_id|row|rows|cut_rows|cut|separates|largest_parts|repair|reason"
    r"|profile_ids?_.*|profiles_[ab]|alias_from|alias_to|alias|persons?|click_id|landing_page"
    r"|referrer|example.*)$|^alias\."
)
#: What properties are called that say who somebody is, in lower case and without what is not a
#: letter.
_PERSONAL = re.compile(
    r"mail|phone|mobile|firstname|lastname|fullname|surname|givenname|username|address|street|zip"
    r"|postal|birth|^ip|ssn|iban|^name$|customerid|userid|^uid$|cookie|token|clientid|deviceid"
    r"|customername|billingname|shippingname|vorname|nachname|strasse|geburt"
)
#: Words of a property's name that say so.
_PERSONAL_WORDS = frozenset({"ip", "tel", "dob", "birthday", "surname"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
#: Where an error quotes a cell.
_CELL = re.compile(r"(?:, with|; the first is) (?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?= in )")
_PROFILE_ID = re.compile(r"\bp_[0-9a-f]{8,}\b")
_PHONE = re.compile(r"\+?\d(?:[ ().-]?\d){6,}")
#: Shorter aliases are hidden where they are a whole text alone: "12" is also a number.
_SHORTEST = 4
_SHORTEST_NUMBER = 6
#: As many last digits tell a phone number, with and without the code of its country.
_DIGITS = 8
#: Words that may write an alias in another way: with `%`, `&`, a backslash, a plus or full width.
_MAY_BE_ENCODED = re.compile(r"[^\s'\"<>()«»\[\],]*[%&\\+\x80-\U0010ffff][^\s'\"<>()«»\[\],]*")
_OF_TIME = re.compile(r"(?<=\d{4}-\d\d-\d\d) (?=\d\d:)")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}(?![A-Za-z0-9+/_-])")


@dataclass(frozen=True)
class Shield:
    """Hides aliases in texts.

    Attributes
    ----------
    whole : frozenset of str
        Aliases, in lower case.
    lengths : tuple of int
        How long those are that are looked for within texts.
    phones : frozenset of str
        The last digits of phone numbers.
    """

    whole: frozenset[str]
    lengths: tuple[int, ...]
    phones: frozenset[str]

    @classmethod
    def of(cls, aliases: Iterable[str]) -> Shield:
        """Return a shield that hides some aliases."""
        whole = frozenset(alias.casefold() for alias in aliases)
        digits = (re.sub(r"\D", "", alias) for alias in whole if _PHONE.fullmatch(alias))
        lengths = {len(alias) for alias in whole if _is_found_within(alias)}
        phones = frozenset(one[-_DIGITS:] for one in digits if len(one) >= _DIGITS)
        return cls(whole, tuple(sorted(lengths, reverse=True)), phones)

    def text(self, text: str) -> str:
        """Return a text without aliases, and with what is not seen spelled out.

        Examples
        --------
        >>> shield = Shield.of(["ada@example.com", "12", "4711x"])
        >>> shield.text("12 orders of Ada@example.com, by 4711X"), shield.text("12")
        ('12 orders of (hidden), by (hidden)', '(hidden)')
        """
        if text.strip().casefold() in self.whole:
            return HIDDEN
        text = _MAY_BE_ENCODED.sub(self._decoded, _PROFILE_ID.sub(HIDDEN, text))
        text = _BASE64.sub(self._of_base64, text)
        return self._plainly(text)

    def also(self, values: Iterable[str]) -> Shield:
        r"""Return a shield that hides other values, too, as answers spell them.

        Examples
        --------
        >>> shield = Shield.of([]).also(["Ada\nflat 3"])
        >>> shield.text("Ada\nflat 3"), shield.text(r"by memo: Ada\nflat 3")
        ('(hidden)', 'by memo: (hidden)')
        """
        more = Shield.of(as_shown(values))
        lengths = tuple(sorted({*self.lengths, *more.lengths}, reverse=True))
        return Shield(self.whole | more.whole, lengths, self.phones | more.phones)

    def value(self, value: Any) -> Any:
        """Return a value of JSON without aliases, at any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(one) for name, one in value.items()}
        return value

    def label(self, value: Any) -> Any:
        """Return a cell of a breakdown, which may be an alias in the form of a number."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            said = written(value)
            return value if self.text(said) == said else HIDDEN
        return self.value(value)

    def has_alias(self, text: str) -> bool:
        """Return whether an alias that is looked for within texts stands in a text."""
        lowered = text.casefold()
        return any(self._alias_at(lowered, at) for at in range(len(lowered)))

    def _plainly(self, text: str) -> str:
        return masked(self._without_phones(self._without_aliases(text)))

    def _decoded(self, found: re.Match[str]) -> str:
        """Return a word, unless it writes an alias in another way."""
        word = found[0]
        for read in readings(word):
            for said in (read, read.replace("+", " ")):
                if said != word and self._holds(said):
                    return HIDDEN
        return word

    def _of_base64(self, found: re.Match[str]) -> str:
        word = found[0].replace("-", "+").replace("_", "/")
        try:
            said = base64.b64decode(word + "=" * (-len(word) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            return found[0]
        return HIDDEN if said.isprintable() and self._holds(said) else found[0]

    def _holds(self, text: str) -> bool:
        return text.strip().casefold() in self.whole or self._plainly(text) != text

    def _without_aliases(self, text: str) -> str:
        lowered = text.casefold()
        if len(lowered) != len(text):
            # A letter that is two in lower case: places would not meet.
            text = lowered
        found, at = [], 0
        while at < len(text):
            length = self._alias_at(lowered, at)
            found.append(HIDDEN if length else text[at])
            at += length or 1
        return "".join(found)

    def _alias_at(self, text: str, at: int) -> int:
        """Return the length of the longest alias that begins at a place; 0 if none does."""
        if at and text[at].isalnum() and text[at - 1].isalnum():
            return 0
        for length in self.lengths:
            end = at + length
            if end <= len(text) and text[at:end] in self.whole:
                inside = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
                if not inside:
                    return length
        return 0

    def _without_phones(self, text: str) -> str:
        if not self.phones:
            return text

        def hidden(found: re.Match[str]) -> str:
            # A number that was read as one with a fraction ends with .0.
            digits = re.sub(r"\D", "", re.sub(r"\.0$", "", found[0]))
            return HIDDEN if digits[-_DIGITS:] in self.phones else found[0]

        return _PHONE.sub(hidden, text)


def without_people(
    described: dict[str, Any],
    shield: Shield,
    labels: Collection[str],
    own: Collection[str] = frozenset(),
) -> None:
    """Take the columns that name people out of a description, in place, and hide aliases in it.

    Parameters
    ----------
    described : dict
        As `describe` returns it.
    shield : Shield
    labels : collection of str
        Columns of breakdowns.
    own : collection of str
        Values of those columns that are hidden. A sentence that is made of labels is left out where
        a short one stands in it.
    """
    _leave_out_sentences(described, own)
    for table in described["tables"]:
        kept = [
            place
            for place, column in enumerate(table["columns"])
            if not _COLUMNS.search(column["name"]) and not is_personal(column["name"])
        ]
        is_label = {at: table["columns"][at]["name"] in labels for at in kept}
        table["rows"] = [
            [shield.label(row[at]) if is_label[at] else shield.value(row[at]) for at in kept]
            for row in table["rows"]
        ]
        table["columns"] = [shield.value(table["columns"][at]) for at in kept]
    for name, value in described.items():
        if name != "tables":
            described[name] = shield.value(value)


def as_shown(values: Iterable[str]) -> set[str]:
    r"""Return values in the forms in which answers may spell them.

    Examples
    --------
    >>> sorted(as_shown(["Ada\n"]))
    ['Ada', 'Ada\n', 'Ada\\n']
    """
    # A cell of a table writes a time with a T.
    found = {form for one in values for form in (one, one.strip(), _OF_TIME.sub("T", one))}
    for way in ("NFC", "NFKC"):
        found |= {unicodedata.normalize(way, one) for one in found if not one.isascii()}
    return {form for one in found for form in (one, visible(one)) if form.strip()}


def is_personal(name: str) -> bool:
    """Return whether a property says who somebody is, by its name.

    Examples
    --------
    >>> [is_personal(name) for name in ("profile.$first_name", "utm_source", "client_ip", "zip")]
    [True, False, True, True]
    """
    for prefix in (PROFILE_PROPERTY, PROPERTY, PROFILE):
        name = name.removeprefix(prefix)
    words = {word.lower() for word in _WORD.findall(name)}
    letters = re.sub(r"[^a-z]", "", name.lower())
    return bool(_PERSONAL.search(letters) or words & _PERSONAL_WORDS)


def refuse_personal(names: Iterable[str], option: str = "by") -> None:
    """Raise at a breakdown by what says who somebody is, or at adding it up."""
    for name in names:
        if is_personal(name) or _COLUMNS.search(name):
            raise ConvergekitError(
                f"{option}={name!r} would name people. Give another property, or start the "
                "server with --with-people."
            )


def without_cells(error: str) -> str:
    """Return what an error says without the cell that it quotes.

    Examples
    --------
    >>> without_cells("column 'born' is str, with '1815-12-10' in row 0. Convert it.")
    "column 'born' is str in row 0. Convert it."
    """
    return _CELL.sub("", error)


def _leave_out_sentences(described: dict[str, Any], own: Collection[str]) -> None:
    """Leave out the sentences that are made of labels, where one that is hidden is among them.

    Longer ones are hidden by the shield. With "12" hidden a sentence would not be understood, and
    would tell that somebody has 12.
    """
    short = {one.casefold() for one in as_shown(own) if not _is_found_within(one.casefold())}
    lengths = sorted({len(one) for one in short}, reverse=True)
    of_labels = Shield(frozenset(short), tuple(lengths), frozenset())
    for name, instead in (("says", str(described["kind"])), ("finding", "")):
        if of_labels.has_alias(str(described[name] or "")):
            described[name] = instead


def _is_found_within(alias: str) -> bool:
    return len(alias) >= (_SHORTEST_NUMBER if alias.isdecimal() else _SHORTEST)
