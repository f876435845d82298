"""Python's values as JSON text, and back: what JSON has no form for is tagged.

A date becomes ``{"@@date": "2026-03-02"}``; so do decimals, bytes, sets, tuples, dictionaries
whose keys are not text, and the other kinds of value that pandas and NumPy put into a cell. A
value of a kind that is not known here keeps its text alone, as an `Opaque`.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.scalars import python_value
from convergekit.base.text import MOST_BITS, text_of

#: How the names of tags begin; no other text of JSON that `to_json` writes has it as a key alone.
TAG = "@@"
_SECONDS = re.compile(r"[+-]\d{2}:\d{2}:\d{2}")
_PLAIN = (str, bool, float, type(None))


@dataclass(frozen=True)
class Opaque:
    """What is left of a value of a kind that is not known: its text, which identifies nothing."""

    text: str

    def __str__(self) -> str:
        """Return the text."""
        return self.text


class NotKnownError(TypeError):
    """A value is of a kind that is not known."""


def to_json(value: Any, *, strict: bool = False) -> str:
    """Return a value as JSON text.

    Parameters
    ----------
    value : object
    strict : bool, default False
        Raise at a value of a kind that is not known.

    Raises
    ------
    NotKnownError
        Under `strict`.
    RecursionError
        It is nested too deeply.

    Examples
    --------
    >>> to_json({"day": datetime.date(2026, 3, 2), "n": np.int64(3)})
    '{"day": {"@@date": "2026-03-02"}, "n": 3}'
    """
    try:
        text = json.dumps(value)
        # Faster by far than to look at every value: JSON has no tuples, nor keys but text.
        if TAG not in text and json.loads(text) == value:
            return text
    except (TypeError, ValueError, RecursionError):
        pass
    return json.dumps(_tagged(value, strict))


def from_json(text: str) -> Any:
    """Return the value that `to_json` wrote.

    Raises
    ------
    ValueError
        It is nothing that `to_json` writes.
    RecursionError
        It is nested too deeply.

    Examples
    --------
    >>> from_json(to_json((decimal.Decimal("1.10"), b"a", {1})))
    (Decimal('1.10'), b'a', {1})
    """
    return json.loads(text, object_hook=_untagged)


def _tagged(value: Any, strict: bool) -> Any:
    if type(value) in _PLAIN or (type(value) is int and value.bit_length() < MOST_BITS):
        return value
    value = python_value(value)
    if isinstance(value, list):
        return [_tagged(item, strict) for item in value]
    if isinstance(value, Mapping):
        return _tagged_mapping(value, strict)
    if isinstance(value, np.ndarray):
        return _tagged(value.tolist(), strict)
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (tuple, set, frozenset)):
        items = value if isinstance(value, tuple) else sorted(value, key=repr)
        name = next(k.__name__ for k in (tuple, frozenset, set) if isinstance(value, k))
        return {TAG + name: [_tagged(item, strict) for item in items]}
    for kind, (name, written) in _WRITTEN.items():
        if isinstance(value, kind):
            return {TAG + name: written(value)}
    return _tagged_rest(value, strict)


def _tagged_rest(value: Any, strict: bool) -> Any:
    """Return a value of a subclass of what JSON has, or of a kind that is not known."""
    if isinstance(value, int):
        return int(value) if value.bit_length() < MOST_BITS else {f"{TAG}integer": hex(value)}
    for kind in (str, float):
        if isinstance(value, kind):
            return kind(value)
    if strict:
        raise NotKnownError(type(value).__name__)
    return {f"{TAG}other": text_of(value)}


def _tagged_mapping(value: Mapping[Any, Any], strict: bool) -> dict[str, Any]:
    plain = all(type(key) is str for key in value)
    if plain and not (len(value) == 1 and next(iter(value)).startswith(TAG)):
        return {key: _tagged(item, strict) for key, item in value.items()}
    pairs = [[_tagged(key, strict), _tagged(item, strict)] for key, item in value.items()]
    return {f"{TAG}dict": pairs}


def _duration(value: datetime.timedelta) -> list[int]:
    parts = [value.days, value.seconds, value.microseconds]
    return [*parts, getattr(value, "nanoseconds", 0)]


def _read_duration(parts: list[int]) -> datetime.timedelta:
    days, seconds, micros, nanos = parts
    plain = datetime.timedelta(days, seconds, micros)
    try:
        return pd.Timedelta(plain) + pd.Timedelta(nanos, unit="ns")
    except (ValueError, OverflowError):
        return plain


def _read_time(text: str) -> pd.Timestamp:
    # Pandas reads no offset of a zone that has seconds, as those before railways have.
    return pd.Timestamp(datetime.datetime.fromisoformat(text) if _SECONDS.search(text) else text)


#: In this order, because a datetime is a date as well.
_WRITTEN: dict[type, tuple[str, Callable[[Any], Any]]] = {
    datetime.datetime: ("datetime", lambda value: value.isoformat()),
    datetime.date: ("date", lambda value: value.isoformat()),
    datetime.time: ("time", lambda value: value.isoformat()),
    datetime.timedelta: ("duration", _duration),
    decimal.Decimal: ("decimal", str),
    uuid.UUID: ("uuid", str),
    complex: ("complex", lambda value: [value.real, value.imag]),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode()),
    pd.Period: ("period", lambda value: [str(value), value.freqstr]),
    pd.Interval: ("interval", lambda v: [to_json(v.left), to_json(v.right), v.closed]),
    Opaque: ("other", str),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "integer": lambda text: int(text, 16),
    "datetime": _read_time,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "duration": _read_duration,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "complex": lambda parts: complex(*parts),
    "bytes": base64.b64decode,
    "period": lambda parts: pd.Period(parts[0], freq=parts[1]),
    "interval": lambda parts: pd.Interval(from_json(parts[0]), from_json(parts[1]), parts[2]),
    "other": Opaque,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
}


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) != 1:
        return found
    [(name, value)] = found.items()
    if not name.startswith(TAG):
        return found
    try:
        return _READ[name.removeprefix(TAG)](value)
    except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{name} is not a known tag, or its value has the wrong type: {error}"
        ) from None
