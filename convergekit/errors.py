"""The errors that convergekit raises.

Every message says what was wrong, where (column, row, value), and what to do next.
All derive from `ConvergekitError`, which is a `ValueError`.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable

from convergekit.visible import visible, visible_lines

_WORD = re.compile(r"[^\W_]+")
_PACKAGE = os.path.join(os.path.dirname(__file__), "")


class ConvergekitError(ValueError):
    """Base of every error that convergekit raises about its input."""

    def __str__(self) -> str:
        """Return the message; control characters that it quotes are made visible."""
        return visible_lines(BaseException.__str__(self))


class ColumnError(ConvergekitError):
    """A column is missing, ambiguous, or occurs twice."""


class EventError(ConvergekitError):
    """A row cannot be used; raised only under ``strict=True``, else the row is rejected."""


class ReadError(ConvergekitError):
    """A file cannot be read, or, under ``strict=True``, one of its rows cannot."""


class DamagedStoreError(ConvergekitError):
    """A file of a store is missing or damaged; `repair_store` rebuilds what it can."""


class WriteError(ConvergekitError):
    """A file cannot be written; earlier files are unchanged."""


class AlreadyThereError(WriteError, FileExistsError):
    """Files would be overwritten without `overwrite=True`."""


class UnknownAliasError(ConvergekitError, KeyError):
    """No event carries the alias, or no profile has the ID, that was asked for."""

    def __str__(self) -> str:
        """Return the message; KeyError would show it in quotes."""
        return ConvergekitError.__str__(self)


class UnknownNameError(ConvergekitError):
    """A property, event or option name is not in the data."""


class NotOnThisEngine(ConvergekitError, NotImplementedError):  # noqa: N818 - read as a sentence
    """A relational engine, or stitching by parts, cannot do this yet; in memory it can be done."""


def what_there_is(known: Iterable[object], asked: object, *, none: str = "none") -> str:
    """Return what there is instead of what was asked for, and what may be meant.

    Examples
    --------
    >>> what_there_is(["utm_source", "email"], "utm_sorce")
    "Found: utm_source, email. Did you mean 'utm_source'?"
    >>> what_there_is([], "utm_source", none="no columns at all")
    'Found: no columns at all.'
    """
    names = [str(name) for name in known]
    return f"Found: {', '.join(map(visible, names)) or none}.{did_you_mean(asked, names)}"


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur twice, in alphabetical order.

    Examples
    --------
    >>> repeated(["b", "a", "b"])
    ['b']
    """
    return sorted(name for name, count in Counter(names).items() if count > 1)


def did_you_mean(name: object, candidates: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest candidate, or an empty string.

    Examples
    --------
    >>> did_you_mean("utm_sorce", ["utm_source", "email"])
    " Did you mean 'utm_source'?"
    >>> did_you_mean("price_total", ["price", "properties.total_price"])
    " Did you mean 'properties.total_price'?"
    >>> did_you_mean("zzz", ["utm_source", "email"])
    ''
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    asked = str(name).casefold()
    words = set(_WORD.findall(asked))
    # The same words in another order, or with a prefix of ours, are nearer than any spelling.
    near = [one for one in by_folded if len(words) > 1 and words <= set(_WORD.findall(one))]
    near = sorted(near, key=len) or difflib.get_close_matches(asked, by_folded, n=1, cutoff=cutoff)
    return f" Did you mean {by_folded[near[0]]!r}?" if near else ""


def callers_level() -> int:
    """Return the `stacklevel` by which a warning names the line that called convergekit.

    That line is the user's own, where one of convergekit's says nothing to them.

    Examples
    --------
    >>> callers_level()
    1
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
