"""JSON text to values, losing nothing without a word, and back.

Python's own reader lets the last of several equal keys win, and takes Infinity for a number.
Here both are errors. NaN, which exporters write where a value is missing, is missing. Integers
of any length stay exact.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from convergekit.scalars import python_value
from convergekit.text import MOST_BITS, text_of, written


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        It is no JSON (`json.JSONDecodeError`), a key stands twice in one object, or a number is
        infinite.
    RecursionError
        It is nested too deeply.

    Examples
    --------
    >>> read_json('{"id": 9007199254740993, "price": NaN}')
    {'id': 9007199254740993, 'price': None}
    >>> read_json('{"id": 1, "id": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'id' stands twice in one object
    """
    return _DECODER.decode(text)


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
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is no number in JSON")


# Made once: json.loads makes one for each text as soon as it is told anything of its own.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
