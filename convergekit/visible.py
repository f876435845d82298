"""Make text from data safe for a terminal: invisible characters are spelled out.

A terminal obeys what it is sent: ESC colours, moves and erases, a carriage return writes over what
stands there, and marks of direction turn around what is read. In an event's name these are text, so
they are shown as Python writes them.
"""

from __future__ import annotations

import re

# Controls; marks of direction; halves of characters; and what is not seen at all, those after which
# `text.INVISIBLE` is named. Selectors of a variant (emoji) are left, and so are joiners between
# letters that are not ASCII, which Persian, Hindi and emoji are spelled with.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# What joiners stand between where they are part of the spelling.
_JOINED = r"[^\x00-\x7f\u200b-\u200f]"
_SPELLED_OUT = re.compile(rf"[{_UNSEEN}]|(?<!{_JOINED})[\u200c\u200d]|[\u200c\u200d](?!{_JOINED})")
_KEPT = frozenset("\n\t")


def visible(text: object) -> str:
    r"""Return a value as text on one line, with what is not seen as Python writes it.

    Examples
    --------
    >>> print(visible("Paid\x1b[31m\nrejected: 0"), visible("caf\xe9 \u202egnp"))
    Paid\x1b[31m\nrejected: 0 café \u202egnp
    """
    return _SPELLED_OUT.sub(lambda found: _escape(found.group()), str(text))


def visible_lines(text: object) -> str:
    r"""Return text of several lines, as `visible` does for one.

    Examples
    --------
    >>> print(visible_lines("Paid\x1b[31m\nrejected:\t0"))
    Paid\x1b[31m
    rejected:	0
    """
    return _SPELLED_OUT.sub(
        lambda found: found.group() if found.group() in _KEPT else _escape(found.group()), str(text)
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
