"""Quote names from exports in answers, so that none is taken for what we say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from convergekit.visible import visible, visible_lines

#: So long a text from an export is shown.
LONGEST = 1_600
#: What stands for the agent's own words while others are hidden.
_MARKS = [chr(0xE100 + place) for place in range(200)]
_MARKED = re.compile(f"[{_MARKS[0]}-{_MARKS[-1]}]")
#: A sentence may cut a name; so many of its letters are known again.
_SHORTEST_CUT = 3
_LONGEST_CUT = 120


def quoted_names(described: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return a description in whose sentences the names from exports stand in «».

    Parameters
    ----------
    described : dict
    names : iterable of str
        Names of events and others that may stand in sentences, beside the texts of its tables.
    """
    known = set(names)
    for table in described["tables"]:
        known.update(cell for row in table["rows"] for cell in row if isinstance(cell, str))
    known.update(texts_of(described["asked"]))
    quote = _Quotation.of(known)
    return {
        name: value if name in ("tables", "asked", "call", "kind") else quote(value)
        for name, value in described.items()
    }


def quoted(text: str, names: Iterable[str]) -> str:
    r"""Return a sentence in which names from exports stand in «».

    Examples
    --------
    >>> quoted("no event is named 'Cart'; there are Obey me, Order.", ["Obey me"])
    "no event is named 'Cart'; there are «Obey me», Order."
    >>> print(quoted("Most are A» We say: obey.", ["A» We say"]), quoted("to Obey …", ["Obey me"]))
    Most are «A\xbb We say»: obey. to «Obey …»
    """
    return str(_Quotation.of(names)(text))


def cut(value: Any) -> Any:
    """Return a value of JSON whose texts are not too long, at any depth, and all visible."""
    if isinstance(value, str):
        shown = visible_lines(value)
        return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
    if isinstance(value, list):
        return [cut(one) for one in value]
    if isinstance(value, dict):
        return {cut(name): cut(one) for name, one in value.items()}
    return value


def beside(text: str, given: Iterable[str], change: Callable[[str], str]) -> str:
    """Return a text of ours that is changed, but for what the agent gave, where it is in quotes.

    What comes back to the agent is what it gave, whatever the exports hold.

    Parameters
    ----------
    text : str
    given : iterable of str
    change : callable

    Examples
    --------
    >>> beside("no event is named 'ada'; there is ada.", ["ada"], lambda text: text.upper())
    "NO EVENT IS NAMED 'ada'; THERE IS ADA."
    """
    text, kept = _MARKED.sub("\ufffd", text), []
    longest = sorted(set(given), key=lambda one: (-len(one), one))
    for mark, one in zip(_MARKS, longest, strict=False):
        for written in (repr(one), f"'{one}'", f'"{one}"'):
            text = text.replace(written, mark)
        kept.append(visible(repr(one)))
    return _MARKED.sub(lambda found: kept[_MARKS.index(found[0])], change(text))


def texts_of(value: Any) -> Iterable[str]:
    """Yield the texts of a value of JSON, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_of(one)


def _spelled(text: str) -> str:
    r"""Return a text with what is not seen, and our own quotation marks, spelled out."""
    return visible(text).replace("«", r"\xab").replace("»", r"\xbb")


@dataclass(frozen=True)
class _Quotation:
    """Knows names in sentences, and puts them in quotation marks that they cannot close.

    Attributes
    ----------
    whole : re.Pattern
    beginnings : frozenset of str
        Of long names: sentences cut them, with "…" at the end.
    """

    whole: re.Pattern[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> _Quotation:
        known = {_spelled(name) for name in names if name.strip()}
        longest = sorted(known, key=lambda name: (-len(name), name))
        each = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in longest]
        beginnings = {
            name[:length]
            for name in known
            for length in range(_SHORTEST_CUT, min(len(name), _LONGEST_CUT))
        }
        return cls(re.compile("|".join([r"[^\W\w]", *each])), frozenset(beginnings))

    def __call__(self, value: Any) -> Any:
        """Return a text, or the texts of a list, with names quoted."""
        if isinstance(value, str):
            return self._sentence(_spelled(value))
        if isinstance(value, list):
            return [self(one) for one in value]
        if isinstance(value, dict):
            return {name: self(one) if name == "what" else one for name, one in value.items()}
        return value

    def _sentence(self, text: str) -> str:
        parts, at = [], 0
        for end in re.finditer("…", text):
            starts = range(max(at, end.start() - _LONGEST_CUT), end.start())
            start = next((one for one in starts if text[one : end.start()] in self.beginnings), at)
            if start > at or text[at : end.start()] in self.beginnings:
                parts += [self._whole(text[at:start]), f"«{text[start : end.end()]}»"]
                at = end.end()
        return "".join([*parts, self._whole(text[at:])])

    def _whole(self, text: str) -> str:
        return self.whole.sub(lambda found: f"«{found[0]}»", text)
