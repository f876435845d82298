"""Read the numbers of a text: what they say, how exactly, and what stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: A number, with separators of thousands or without.
_NUMERAL = r"\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY"}
_CODES = "EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CAD|AUD"
_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "s"), 1.0),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), 60.0),
    **dict.fromkeys(("hour", "hours", "h"), 3_600.0),
    **dict.fromkeys(("day", "days", "d"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 604_800.0),
}
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}
_CLAIM = re.compile(
    rf"(?P<about>(?:\b(?:about|around|roughly|nearly|almost|some|approximately|circa|ca\.)\s+|[~≈]\s?))?"
    rf"(?P<before>[€$£¥]\s?|\b(?:{_CODES})\s)?"
    rf"(?<![\w.,])(?P<number>{_NUMERAL})(?![\d])"
    rf"(?:\s?(?P<scale>k|K|m|M|thousand|million)\b)?"
    rf"(?:\s?(?P<points>percentage points?|pp\b)|\s?(?P<percent>%|percent\b|per cent\b)"
    rf"|\s?(?P<after>[€$£¥]|(?:{_CODES})\b|euros?\b|dollars?\b|pounds?\b)"
    rf"|[\s-](?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})\b)?"
)
_WORDS_OF_MONEY = {"euro": "EUR", "dollar": "USD", "pound": "GBP"}
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
#: Digits that count nothing: dates, times, links, ordinals, numbers of a list, of steps, of weeks.
_NOT_COUNTED = re.compile(
    r"https?://\S+"
    r"|\d{4}-\d\d(?:-\d\d)?(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?"
    r"|\b\d\d?:\d\d(?::\d\d)?\b|\b\d\d?[./]\d\d?[./]\d{4}\b"
    rf"|\b\d\d?(?:st|nd|rd|th)?\s+(?:{_MONTHS})\b\.?(?:,?\s+\d{{4}})?"
    rf"|\b(?:{_MONTHS})\.?(?:\s+\d\d?(?:st|nd|rd|th)?\b(?![.,]?\d))?(?:,?\s+\d{{4}}\b)?"
    r"|\b\d+(?:st|nd|rd|th)\b|(?:^|\n)\s*(?:\d+[.)]|[-*#]+)\s"
    r"|\b(?:[Ss]tep|[Ww]eek|[Mm]onth|[Dd]ay|[Pp]eriod|[Qq]uarter|[Tt]op|[Ff]irst|[Ll]ast)\s+\d+\b"
    r"(?!\s*(?:of|%|profiles|orders|visits|customers))"
    r"|\b\d+\s+(?:weeks?|days?|months?|periods?)\s+(?:later|after|since|ago|on)\b"
    r"|\bQ[1-4]\b"
)
#: Which row of periods, days or weeks a sentence names.
_PLACES = re.compile(
    r"\b(?:[Ww]eek|[Mm]onth|[Dd]ay|[Pp]eriod)\s+(\d+)\b|\b(\d+)\s+(?:weeks?|days?|months?|periods?)\b"
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z«\"'(€$£~\d])|\n+|(?<=;)\s")
_PAIR = re.compile(
    r"\s*(?:[^\W\d]+\s+){0,2}?(?:of|out\s+of|from|/)\s+(?:(?:the|all|its|these)\s+)*$|\s?/\s?$"
)


@dataclass(frozen=True)
class Claim:
    """A number that a text says.

    Attributes
    ----------
    shown : str
        As it is written.
    kind : str
        ``"percent"``, ``"points"``, ``"money"``, ``"seconds"`` or ``"plain"``.
    readings : tuple of float
        What it may mean: ``"1.247"`` is a little more than one, or some more than a thousand.
    within : tuple of float
        Half of the last digit of each.
    currency : str
    start, end : int
        Where it stands in its sentence.
    """

    shown: str
    kind: str
    readings: tuple[float, ...]
    within: tuple[float, ...]
    currency: str
    start: int
    end: int

    def means(self, value: float) -> bool:
        """Return whether a value, rounded as the text rounds, is what it says."""
        value = abs(value)
        return any(
            abs(value - reading) <= half * (1 + 1e-9) + 1e-9
            for reading, half in zip(self.readings, self.within, strict=True)
        )


def sentences(text: str) -> list[str]:
    r"""Return the sentences of a text; a line is one, too.

    Examples
    --------
    >>> sentences("19 of 60 (31.7%) ordered. 12.5% left.\n- Email: 3")
    ['19 of 60 (31.7%) ordered.', '12.5% left.', '- Email: 3']
    """
    return [part.strip() for part in _SENTENCES.split(text) if part.strip()]


def without_dates(sentence: str) -> str:
    """Return a sentence with blanks for digits that count nothing."""
    return _NOT_COUNTED.sub(lambda found: " " * len(found[0]), sentence)


def places(sentence: str) -> set[str]:
    """Return the numbers of periods that a sentence names.

    Examples
    --------
    >>> sorted(places("23% were back 1 week later, and by day 27 12%"))
    ['1', '27']
    """
    return {one or other for one, other in _PLACES.findall(sentence)}


def claims(sentence: str) -> Iterator[Claim]:
    """Yield the numbers of a sentence without dates.

    Examples
    --------
    >>> [(one.kind, one.readings) for one in claims("1,247.50 EUR of 39 customers, 23 %")]
    [('money', (1247.5,)), ('plain', (39.0,)), ('percent', (23.0,))]
    """
    for found in _CLAIM.finditer(sentence):
        money = found["before"] or found["after"] or ""
        kind = (
            "percent" if found["percent"] else "points" if found["points"] else
            "money" if money else "seconds" if found["unit"] else "plain"
        )  # fmt: skip
        scale = _SCALES.get((found["scale"] or "").lower(), 1.0) * _UNITS.get(found["unit"], 1.0)
        read = [_read(digits, bool(found["about"])) for digits in _readings(found["number"])]
        yield Claim(
            shown=found[0].strip(),
            kind=kind,
            readings=tuple(value * scale for value, _ in read),
            within=tuple(half * scale for _, half in read),
            currency=_currency(money.strip()),
            start=found.start("number"),
            end=found.end(),
        )


def are_paired(sentence: str, part: Claim, whole: Claim) -> bool:
    """Return whether a sentence says the one of the other, as in "19 of the 60"."""
    plain = part.kind == whole.kind == "plain"
    return plain and bool(_PAIR.fullmatch(sentence[part.end : whole.start]))


def _readings(numeral: str) -> list[str]:
    """Return a numeral as Python writes it, in each way that it may be read.

    Examples
    --------
    >>> _readings("1.247"), _readings("1.247,50"), _readings("1,247,000")
    (['1.247', '1247'], ['1247.50'], ['1247000'])
    """
    plain = re.sub(r"['\u2019\u00a0\u202f ]", "", numeral)
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return [plain]
    if len(set(marks)) == 2:
        return [plain.replace(marks[0], "").replace(",", ".")]
    if len(marks) > 1:
        return [plain.replace(marks[0], "")]
    decimal = plain.replace(",", ".")
    is_of_thousands = re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", plain)
    return [decimal, decimal.replace(".", "")] if is_of_thousands else [decimal]


def _read(digits: str, is_about: bool) -> tuple[float, float]:
    decimals = len(digits.partition(".")[2])
    half = 0.5 * 10.0**-decimals if decimals else 0.0
    if not decimals:
        half = 0.5
    if is_about and not decimals:
        zeros = len(digits) - len(digits.rstrip("0"))
        half = 0.5 * 10.0**zeros
    return float(digits), half


def _currency(money: str) -> str:
    if not money:
        return ""
    word = money.lower().rstrip("s")
    return _CURRENCIES.get(money) or _WORDS_OF_MONEY.get(word) or money.upper()
