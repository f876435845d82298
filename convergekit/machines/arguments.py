"""The arguments of tools: their JSON Schema, and the check that a call keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convergekit.errors import ConvergekitError, did_you_mean

_LONGEST = 200
_MOST_ITEMS = 20
_MOST_NUMBER = 1_000
_LONGEST_ANSWER = 100_000


def text(
    about: str, *, longest: int = _LONGEST, choices: list[str] | None = None
) -> dict[str, Any]:
    """Return the schema of a text."""
    found: dict[str, Any] = {"type": "string", "description": about, "maxLength": longest}
    return found if choices is None else {**found, "enum": choices}


def long_text(about: str) -> dict[str, Any]:
    """Return the schema of a text of some pages."""
    return text(about, longest=_LONGEST_ANSWER)


def texts(about: str) -> dict[str, Any]:
    """Return the schema of a list of texts."""
    items = {"type": "string", "maxLength": _LONGEST}
    return {
        "type": "array",
        "description": about,
        "items": items,
        "minItems": 1,
        "maxItems": _MOST_ITEMS,
    }


def whole(about: str) -> dict[str, Any]:
    """Return the schema of a whole number from 1."""
    return {"type": "integer", "description": about, "minimum": 1, "maximum": _MOST_NUMBER}


def schema_of(
    parameters: Mapping[str, dict[str, Any]], required: tuple[str, ...]
) -> dict[str, Any]:
    """Return the JSON Schema of the arguments of a tool."""
    return {
        "type": "object",
        "properties": dict(parameters),
        "required": list(required),
        "additionalProperties": False,
    }


def checked(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, those that are null left out.

    Raises
    ------
    ConvergekitError
        One is missing, not known, or not what its schema says.

    Examples
    --------
    >>> checked(schema_of({"steps": texts("")}, ("steps",)), {"steps": ["A"], "by": None})
    Traceback (most recent call last):
    ...
    convergekit.errors.ConvergekitError: no argument is named 'by'; there are 'steps'.
    """
    known = schema["properties"]
    for name in given:
        if name not in known:
            there = ", ".join(map(repr, known)) or "none"
            raise ConvergekitError(
                f"no argument is named {str(name)[:_LONGEST]!r}; there are {there}."
            )
    found = {name: value for name, value in given.items() if value is not None}
    for name in schema["required"]:
        if name not in found:
            raise ConvergekitError(f"{name} is missing: {known[name]['description']}")
    for name, value in found.items():
        _check(name, value, known[name])
    return found


def _check(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    if schema["type"] == "string":
        _check_text(name, value, schema)
    elif schema["type"] == "integer":
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not schema["minimum"] <= value <= schema["maximum"]:
            raise ConvergekitError(
                f"{name} must be a whole number from {schema['minimum']} to {schema['maximum']}."
            )
    elif not isinstance(value, list) or not 1 <= len(value) <= schema["maxItems"]:
        raise ConvergekitError(f"{name} must be a list of 1 to {schema['maxItems']} texts.")
    else:
        for one in value:
            _check_text(name, one, schema["items"])


def _check_text(name: str, value: Any, schema: Mapping[str, Any]) -> None:
    if not isinstance(value, str) or len(value) > schema["maxLength"]:
        raise ConvergekitError(f"{name} must be a text of at most {schema['maxLength']} letters.")
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        raise ConvergekitError(
            f"{name} must be one of {', '.join(map(repr, choices))}.{did_you_mean(value, choices)}"
        )
