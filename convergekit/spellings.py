"""Spellings: where a text writes one of a person's e-mail addresses or phone numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from convergekit.text import folded_text

#: What stands where an address stood within a longer text.
ERASED = "(erased)"


@dataclass(frozen=True)
class Addresses:
    """E-mail addresses and phone numbers to find in texts.

    Attributes
    ----------
    values : frozenset of str
        The addresses, folded.
    """

    values: frozenset[str]

    @classmethod
    def of(cls, values: Iterable[str]) -> Addresses:
        """Return the addresses to look for."""
        return cls(frozenset(map(folded_text, values)))

    def without(self, text: str) -> str | None:
        """Return the text without the addresses; None where it is nothing else.

        The very text that was given says that it holds none.
        """
        return None if folded_text(text) in self.values else text
