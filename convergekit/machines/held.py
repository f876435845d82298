"""Hold the numbers of a text against answers: which are wrong, and which say not what they are of.

A number is right if an answer has it: of the row that the sentence names, of the thing that it
counts, rounded as the text rounds. A share also needs what it is of, in the same sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convergekit.errors import ConvergekitError
from convergekit.machines.claims import Claim, are_paired, claims, places, sentences, without_dates
from convergekit.machines.facts import Fact, facts_of, spelled

_MONEY_COLUMNS = re.compile(
    r"value|revenue|spend|money|worth|aov|cpa|cac|price|total|ordered|refunded|sum|amount"
)
#: What a noun after a number counts, by names of columns.
_NOUNS: dict[str, re.Pattern[str]] = {
    "profile": re.compile(
        r"profile|entered|converted|dropped|in_window|excluded|step_before|drop_off|returned"
        r"|count|with_p|with_browser|rows|left_out|at_risk|complete"
    ),
    "visitor": re.compile(
        r"profile|entered|converted|dropped|in_window|step_before|drop_off|count"
    ),
    "order": re.compile(r"order|conversion|event|count|retroactive|rows|left_out|lost|reaches"),
    "visit": re.compile(r"visit|touch|session|count"),
    "session": re.compile(r"visit|touch|session|count"),
    "customer": re.compile(r"customer|^new$|returning|again|at_risk|active|share"),
    "event": re.compile(
        r"event|count|rows_in|links_nobody|left_out|duplicates|rejected|with_p|with_browser"
    ),
    "duplicate": re.compile(r"duplicate|left_out"),
    "alias": re.compile(r"alias"),
    "row": re.compile(r"row|rejected|duplicates|left_out"),
}
#: What a sentence must say for a number to be that of a column, for others have the same noun.
_VERBS: dict[str, re.Pattern[str]] = {
    "converted": re.compile(r"convert|reach|bought|buy|order|complet|got "),
    "entered": re.compile(r"enter|start|began|begin|did"),
    "returned": re.compile(r"return|back|again"),
    "dropped": re.compile(r"drop|left|lost|stop"),
    "drop_off": re.compile(r"drop|left|lost|stop"),
    "in_window": re.compile(r"window|still|open|yet"),
    "excluded": re.compile(r"exclud"),
    "links_nobody": re.compile(r"without|no usable|nobody|alias"),
    "rows": re.compile(r"(?!)"),
}
#: Ends of intervals, and what a sentence that gives one says.
_ENDS = re.compile(r"(?:^|_)(?:low|high)$")
_OF_ENDS = re.compile(r"interval|between|at least|at most|low|high|up to|confiden|bounds?|\bto\b")
_LEFT_OUT = "left_out: "
_NOUN = re.compile(r"[\s*_`]*(?:[a-z]+ing |new |more |unique |distinct )?(?P<noun>[a-z]+)")
_DIGIT = re.compile(r"\d")
_CONFIDENCE = re.compile(r"^\W*(?:confidence|interval|level|credible|certain)")


#: So many numbers of a text are held against the answers; and so far around one is looked.
MOST_NUMBERS = 2_000
_AROUND = 80


@dataclass(frozen=True)
class _Sentence:
    """A sentence, and what it names.

    Attributes
    ----------
    text : str
        With blanks for labels and dates.
    labels : set of str
        Of rows, as answers have them.
    places : set of str
        Numbers of periods and days that are named.
    claims : list of Claim
    """

    text: str
    labels: set[str]
    places: set[str]
    claims: list[Claim]


def held(text: str, answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which numbers of a text are right, and the faults of the others.

    Parameters
    ----------
    text : str
    answers : sequence of dict
        Descriptions of the answers that it may be about.

    Returns
    -------
    dict
        `numbers`, how many were held against the answers; `right`; and `faults`: `sentence`,
        `number`, `fault` (``"wrong"``, ``"not of what"`` or ``"wrong currency"``) and `why`.

    Raises
    ------
    ConvergekitError
        The text has more than 2,000 numbers.
    """
    told = [one for one in sentences(text) if _DIGIT.search(one)]
    there = sum(1 for one in told for _ in claims(one))
    if there > MOST_NUMBERS:
        raise ConvergekitError(
            f"the text has {there:,} numbers; at most {MOST_NUMBERS:,} are held against the "
            "answers at once. Give it in parts."
        )
    facts = facts_of(answers)
    spellings = _spellings(facts)
    faults, number = [], 0
    for sentence in told:
        read = _read(sentence, spellings)
        number += len(read.claims)
        for claim, (fault, why) in _faults(read, facts):
            faults.append({"sentence": sentence, "number": claim.shown, "fault": fault, "why": why})
    said = "ask the tools first: no answer was given yet" if not answers else ""
    found = {"numbers": number, "right": number - len(faults), "faults": faults}
    return {**found, "note": said} if said else found


def _spellings(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """Return how labels may be written, and the label; the longest first."""
    labels = {label for fact in facts for label in fact.labels.values()}
    found = {(written, label) for label in labels for written in spelled(label) if written.strip()}
    return sorted(found, key=lambda pair: (-len(pair[0]), pair))


def _read(sentence: str, spellings: list[tuple[str, str]]) -> _Sentence:
    text, labels = sentence, set()
    taken: set[str] = set()
    for written, label in spellings:
        if written in taken:
            # Two labels may be written alike.
            labels.add(label)
            continue
        if written.isdecimal() or written not in text:
            continue
        pattern = rf"(?<![\w]){re.escape(written)}(?![\w])"
        cleared, times = re.subn(pattern, lambda found: " " * len(found[0]), text)
        if times:
            text = cleared
            labels.add(label)
            taken.add(written)
    named, text = places(text), without_dates(text)
    return _Sentence(text, labels, named, list(claims(text)))


#: Before what something is a part of.
_BEFORE_WHOLE = re.compile(
    r"(?:\b(?:[Oo]f|[Aa]mong|[Ff]rom|[Oo]ut of)\s+(?:the |all |its |these )*|n\s?=\s?)$"
)
_OF_THEM = re.compile(r"\W*[a-z]+(?: who [^,]*)?,\s*$")


def _faults(read: _Sentence, facts: Sequence[Fact]) -> list[tuple[Claim, tuple[str, str]]]:
    """Return the claims of a sentence that are at fault, and why."""
    near = [fact for fact in facts if _is_of_row(fact, read)]
    found: list[tuple[Claim, tuple[str, str]]] = []
    pairs = _pairs(read)
    settled = {claim for pair in pairs for claim in pair}
    for part, whole in pairs:
        if not any(_is_pair(fact, part, whole) for fact in near):
            said = f"no answer has {part.shown} of {whole.shown} of what the sentence names"
            found.append((part, ("wrong", said)))
    shares = [one for one in read.claims if one.kind == "percent"]
    if len(pairs) == len(shares):
        for (part, whole), share in zip(pairs, shares, strict=True):
            if not share.means(100 * part.readings[0] / (whole.readings[0] or 1.0)):
                said = f"{part.shown} of {whole.shown} is another share"
                found.append((share, ("wrong", said)))
                settled.add(share)
    wholes = [one for one in read.claims if one.kind == "plain"]
    for claim in read.claims:
        if claim not in settled:
            fault = _fault(claim, read, near, wholes)
            found += [] if fault is None else [(claim, fault)]
    return found


def _pairs(read: _Sentence) -> list[tuple[Claim, Claim]]:
    """Return what a sentence says is a part of what: "19 of 60", "of 60 profiles, 19 ..."."""
    found = []
    for one, other in zip(read.claims, read.claims[1:], strict=False):
        if are_paired(read.text, one, other):
            found.append((one, other))
        elif (
            one.kind == other.kind == "plain"
            and _is_whole(one, read)
            and _OF_THEM.fullmatch(read.text[one.end : other.start])
        ):
            found.append((other, one))
    return found


def _after(claim: Claim, read: _Sentence) -> str:
    return read.text[claim.end : claim.end + _AROUND]


def _is_whole(claim: Claim, read: _Sentence) -> bool:
    return claim.kind == "plain" and bool(
        _BEFORE_WHOLE.search(read.text[max(0, claim.start - _AROUND) : claim.start])
    )


def _fault(
    claim: Claim, read: _Sentence, near: Sequence[Fact], wholes: Sequence[Claim]
) -> tuple[str, str] | None:
    if claim.kind == "percent" and _CONFIDENCE.match(_after(claim, read)):
        return None
    same = [fact for fact in near if _is_same(fact, claim) and _is_counted(fact, claim, read)]
    if not same and _is_whole(claim, read):
        same = [fact for fact in near if fact.of is not None and claim.means(fact.of)]
    if not same:
        return "wrong", "no answer has this number of what the sentence names"
    if claim.kind == "money" and claim.currency:
        currencies = {fact.currency for fact in same} - {""}
        if currencies and claim.currency not in currencies:
            return "wrong currency", f"it is in {', '.join(sorted(currencies))}"
    if claim.kind == "percent":
        shares = [fact for fact in same if fact.of is not None]
        if shares and not any(_is_said(fact, wholes) for fact in shares):
            of = sorted({_written(fact) for fact in shares})
            return "not of what", f"say what it is a share of, in the same sentence: {of[0]}"
    return None


def _is_of_row(fact: Fact, read: _Sentence) -> bool:
    """Return whether a number is of a row that the sentence names, or of no row."""
    if fact.others & read.labels and not set(fact.labels.values()) & read.labels:
        return False
    for column, label in fact.labels.items():
        if label in read.labels:
            continue
        if column == "step" or label in read.places:
            continue
        if fact.kinds.get(column, 1) > 1:
            return False
    return True


def _is_same(fact: Fact, claim: Claim) -> bool:
    if claim.kind == "seconds":
        return fact.kind == "seconds" and claim.means(fact.value)
    if fact.kind == "seconds":
        return False
    if claim.kind in ("percent", "points"):
        is_part = fact.kind in ("share", "probability", "number") and abs(fact.value) <= 20
        return is_part and claim.means(100 * fact.value)
    if claim.kind == "money":
        is_money = fact.kind in ("number", "share") and bool(_MONEY_COLUMNS.search(fact.name))
        return is_money and claim.means(fact.value)
    if fact.kind == "count":
        return claim.means(fact.value)
    return fact.kind in ("number", "share") and claim.means(fact.value)


def _is_counted(fact: Fact, claim: Claim, read: _Sentence) -> bool:
    """Return whether a number counts the noun that stands after it."""
    if _ENDS.search(fact.name) and not _OF_ENDS.search(read.text):
        return False
    if claim.kind != "plain":
        return True
    after = _NOUN.match(_after(claim, read))
    noun = after["noun"] if after else ""
    noun = {"aliases": "alias"}.get(noun, noun.removesuffix("s"))
    names = _NOUNS.get(noun)
    if names is None:
        return True
    return bool(names.search(fact.name)) and _is_meant(fact.name, read.text, noun)


def _is_meant(name: str, text: str, noun: str) -> bool:
    """Return whether a sentence says what a column of many, or what is left out, is about."""
    if name.startswith(_LEFT_OUT):
        words = re.findall(r"[a-z]{4,}", name.removeprefix(_LEFT_OUT).lower())
        return any(word in text.lower() for word in words if not word.startswith(noun))
    verb = _VERBS.get(name)
    return verb is None or bool(verb.search(text))


def _is_pair(fact: Fact, part: Claim, whole: Claim) -> bool:
    if fact.kind != "share" or fact.of is None or not whole.means(fact.of):
        return False
    numerator = fact.value * fact.of
    return part.means(numerator) and abs(numerator - round(numerator)) < 1e-6


def _is_said(fact: Fact, wholes: Sequence[Claim]) -> bool:
    return fact.of is not None and any(whole.means(fact.of) for whole in wholes)


def _written(fact: Fact) -> str:
    of = fact.of or 0.0
    return f"{of:,.0f} ({fact.of_name})" if of.is_integer() else f"{of:,.2f} ({fact.of_name})"
