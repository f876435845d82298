"""JSON text to values, losing nothing silently, and back.

Python's own reader lets the last of several equal keys win, and takes Infinity for a number.
Here both are errors. NaN, which exporters write where a value is missing, is missing. Integers
of any length stay exact.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from convergekit.base.bounds import DEEPEST, TOO_DEEP, too_deep
from convergekit.base.scalars import python_value
from convergekit.base.text import MOST_BITS, text_of, written


class NestingError(ValueError):
    """JSON text is nested deeper than any value may be."""

    def __init__(self) -> None:
        super().__init__(TOO_DEEP)


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    NestingError
        It is nested too deep.
    ValueError
        It is not JSON (`json.JSONDecodeError`), a key occurs twice in one object, or a number is
        infinite.

    Examples
    --------
    >>> read_json('{"id": 9007199254740993, "price": NaN}')
    {'id': 9007199254740993, 'price': None}
    >>> read_json('{"id": 1, "id": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'id' occurs twice in one object
    """
    found = read_json_rows(text)
    if too_deep([found]):
        raise NestingError
    return found


def read_json_rows(text: str) -> Any:
    """Return the value of a JSON text that may hold rows, some of them nested too deep.

    Such a row is left as deep as no row may be, but not always as deep as it was.

    Raises
    ------
    ValueError
        As `read_json`, but not for its depth.

    Examples
    --------
    >>> from convergekit.base.bounds import too_deep
    >>> too_deep(read_json_rows('[{"a": 1}, ' + "[" * 100_000 + "]" * 100_000 + "]"))
    [1]
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        pass
    return _DECODER.decode(_cut(text))


def _cut(text: str) -> str:
    """Return the text with a number in place of all that stands deeper than `_DECODED` levels.

    It is as long as before, so that an error names the right column.
    """
    pieces: list[str] = []
    level, done, cut = 0, 0, 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            level += 1
            if level == _DECODED + 1:
                cut = token.start()
        elif first in "]}":
            if level == _DECODED + 1:
                pieces += text[done:cut], "0".ljust(token.end() - cut)
                done = token.end()
            level -= 1
    if level > _DECODED:
        raise json.JSONDecodeError("Unclosed brackets", text, len(text))
    return "".join([*pieces, text[done:]])


# Rows stand a few levels deep in what wraps them, and are too deep on their own nevertheless.
_DECODED = DEEPEST + 20
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


def write_json(value: Any) -> str:
    """Return any value as JSON text; what JSON has no form for stands there as its own text.

    Examples
    --------
    >>> import datetime
    >>> write_json({"day": datetime.date(2026, 3, 2), 1: [float("nan"), {"a"}]})
    '{"day": "2026-03-02", "1": [null, ["a"]]}'
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Mapping):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return _plain(python_value(value))
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [_plain(item) for item in sorted(value, key=written)]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else text_of(value)
    if isinstance(value, (float, int)) and not _is_too_long(value):
        return value
    return text_of(value)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else text_of(key)


def _is_too_long(value: float) -> bool:
    """Return whether Python refuses to write an integer's digits."""
    return isinstance(value, int) and value.bit_length() > MOST_BITS


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        times = Counter(key for key, _ in pairs)
        twice = next(key for key, count in times.items() if count > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice in one object")
    return found


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is not a number in JSON")


# Made once: json.loads makes one for each text as soon as it is told anything of its own.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
