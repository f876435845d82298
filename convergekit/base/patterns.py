"""Regular expressions whose time grows with the text alone, however they are written.

Python's `re` tries every way to match: ``(a+)+$`` takes twice as long for each further letter. RE2,
which Arrow brings along, reads a text once. Its classes know ASCII alone, and its ``$`` does not
pass over a last newline, so patterns are spelled for it such that they mean what they mean to
Python. What RE2 does not have (looking around, word boundaries of any script) Python matches, as
long as the pattern leaves it few ways to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.errors import ConvergekitError
from convergekit.typing import BoolArray

#: A pattern is no longer than this.
LONGEST_PATTERN = 1_000
#: How often Python may choose between two ways on before a pattern is refused.
_MOST_CHOICES = 8
# Python's classes in RE2's words, as they stand within brackets.
_CLASSES = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{N}_",
    "s": r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}"
    r"\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}",
}
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_TOKEN = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)"  # an escape
    r"|\[\^?\]?"  # the start of a class, in which a first ] is a letter
    r"|\((?:\?(?:[is]*:|[is]+\)|P<\w+>))?"  # groups that RE2 has too; (? of others is left over
    r"|\{\d*,?\d*\}"  # how often
    r"|.",
    re.DOTALL,
)


class _NotInRE2Error(Exception):
    """RE2 has nothing that means the same."""


def matched(
    texts: pa.Array | pa.ChunkedArray, pattern: str, how: str, *, ignore_case: bool = False
) -> BoolArray:
    r"""Return which texts a pattern matches, in time that grows with their length alone.

    Parameters
    ----------
    texts : pyarrow.Array
        Missing ones match nothing.
    pattern : str
        As Python writes it.
    how : {"contains", "match", "fullmatch"}
        Anywhere, from the start, or the whole text.
    ignore_case : bool

    Raises
    ------
    ConvergekitError
        It is not a regular expression, is too long, or leaves too many ways to try.

    Examples
    --------
    >>> matched(pa.array(["a1", "b", None]), r"\d$", "contains").tolist()
    [True, False, False]
    >>> matched(pa.array(["a" * 40 + "!"]), "(a+)+", "fullmatch").tolist()
    [False]
    """
    if len(pattern) > LONGEST_PATTERN:
        raise ConvergekitError(
            f"the pattern {_shown(pattern)} has {len(pattern):,} characters; at most "
            f"{LONGEST_PATTERN:,} are allowed. Join shorter ones with 'or'."
        )
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConvergekitError(
            f"the pattern {_shown(pattern)} is not a regular expression: {error}."
        ) from None
    try:
        found = pc.match_substring_regex(texts, _for_re2(pattern, how), ignore_case=ignore_case)
        return np.asarray(found.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)
    except (_NotInRE2Error, pa.ArrowInvalid):
        _refuse_many_ways(pattern)
    tried = getattr(compiled, "search" if how == "contains" else how)
    return np.array([t is not None and tried(t) is not None for t in texts.to_pylist()], dtype=bool)


def _for_re2(pattern: str, how: str) -> str:
    """Return what means the same to RE2."""
    parts: list[str] = []
    inside = False
    for token in _TOKEN.finditer(pattern):
        found = token.group()
        if found[0] == "\\":
            parts.append(_escape(found, inside))
        elif inside:
            inside = found != "]"
            # A second [ would begin a named class, such as [:alpha:].
            parts.append(_literal(found) if found[0] in "[({" else found)
        elif found[0] == "[":
            inside = True
            parts.append(found[:-1] + r"\]" if found[-1] == "]" else found)
        else:
            parts.append(_outside(found, pattern[token.end() :], how))
    spelled = f"(?:{''.join(parts)})"
    flags = re.match(r"\(\?[is]+\)", pattern)
    if flags:
        # Flags of the whole stand before it.
        spelled = f"{flags.group()}(?:{''.join(parts[1:])})"
    before, after = {"contains": ("", ""), "match": (r"\A", ""), "fullmatch": (r"\A", r"\z")}[how]
    return before + spelled + after


def _outside(token: str, rest: str, how: str) -> str:
    if token == "$":
        if rest.strip(")"):
            raise _NotInRE2Error
        return r"\z" if how == "fullmatch" else r"(?:\n?\z)"
    if token[0] == "(" and rest[:1] == "?" and token == "(":
        raise _NotInRE2Error
    if token[0] == "{" and len(token) > 1:
        return _times(token)
    return r"\{" if token == "{" else token


def _times(token: str) -> str:
    """Return ``{,3}`` as ``{0,3}``, and what says no number as letters."""
    if token == "{}":
        return r"\{\}"
    return token.replace("{,", "{0,")


def _escape(token: str, inside: bool) -> str:
    letter = token[1]
    if letter in _CLASSES:
        return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not inside:
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in "AZ" and not inside:
        return r"\A" if letter == "A" else r"\z"
    if letter == "b" and inside:
        return r"\x08"
    if letter in _CONTROLS:
        return rf"\x{_CONTROLS[letter]:02x}"
    if len(token) > 2:
        return rf"\x{{{token[2:]}}}"
    if letter.isalnum() and letter.isascii():
        raise _NotInRE2Error
    return _literal(letter)


def _literal(text: str) -> str:
    return "".join(rf"\x{{{ord(letter):x}}}" for letter in text)


def _refuse_many_ways(pattern: str) -> None:
    """Refuse what would take Python long: repeats within repeats, several of them, references."""
    # Typed nowhere, as pandas' use of it is neither.
    parser: Any = re._parser  # type: ignore[attr-defined]
    repeats = choices = 0
    left: list[tuple[Any, bool]] = [(parser.parse(pattern), False)]
    while left:
        node, repeated = left.pop()
        if isinstance(node, (parser.SubPattern, list)):
            left += [(part, repeated) for part in node]
            continue
        if not isinstance(node, tuple):
            continue
        name = str(node[0])
        again = name.endswith("REPEAT") and node[1][1] > 1
        repeats += again
        chosen = name == "BRANCH" or (name.endswith("REPEAT") and not again)
        choices += chosen
        if name.startswith("GROUPREF") or (repeated and (again or chosen)):
            raise _too_many_ways(pattern)
        left += [(part, repeated or again) for part in node[1:]]
    if repeats > 1 or choices > _MOST_CHOICES:
        raise _too_many_ways(pattern)


def _too_many_ways(pattern: str) -> ConvergekitError:
    return ConvergekitError(
        f"the pattern {_shown(pattern)} may take for ever. Leave out looking around (?=...), "
        r"references such as \1, word boundaries \b and flags, or have one repeat at most beside "
        "them; two patterns joined with 'and' or 'not' often say the same."
    )


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 200 else pattern[:200] + "…")


def as_texts(cells: Iterable[Any]) -> pa.Array:
    """Return cells as text, missing where they hold something else.

    Examples
    --------
    >>> as_texts(["a", 1, None]).to_pylist()
    ['a', None, None]
    """
    found = [cell if isinstance(cell, str) else None for cell in cells]
    return pa.array(found, type=pa.large_string())
