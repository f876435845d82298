"""`event_schema`: a JSON Schema of the rows that are taken whole.

It says of a row what the reader does with it, as far as a schema can. `docs/schemas.md` lists what
a schema cannot say.
"""

from __future__ import annotations

from typing import Any

from convergekit.events.schema import SPELLINGS
from convergekit.events.timestamps import EPOCH_FLOOR, EPOCH_UNITS

#: It changes when a row that validated does not any more, or means something else.
SCHEMA_ID = "urn:convergekit:schema:events:1"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join("".join(f"[{c.upper()}{c}]" for c in month) for month in _MONTHS)
_YEAR = "(?!0000)[0-9]{4}"
_DAY = "(0?[1-9]|[12][0-9]|3[01])"
_HOUR = "([01][0-9]|2[0-3])"
_SIXTIETH = "[0-5][0-9]"
_ZONE = rf"(\s*(Z|UTC|GMT|[+-]{_HOUR}(:?{_SIXTIETH})?))?"
_SECOND = r"(\.[0-9]*)?"
_COLONS = rf"([0-9]|{_HOUR}):[0-5]?[0-9](:[0-5]?[0-9]{_SECOND})?"
_DIGITS = rf"{_HOUR}({_SIXTIETH}({_SIXTIETH}{_SECOND})?)?"
_CLOCK = rf"[T ]({_COLONS}|{_DIGITS}){_ZONE}"
#: The forms of text in which times are read: ISO 8601, epoch numbers, spelled-out months, and dates
#: with slashes that begin with the year. Patterns are those of ECMA 262, which Python reads alike.
_TIMES = {
    "iso": rf"^\s*{_YEAR}-(0?[1-9]|1[0-2])(-{_DAY}({_CLOCK})?)?\s*$",
    "compact": rf"^\s*{_YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01]){_CLOCK}\s*$",
    "epoch": r"^\s*[+-]?0*[1-9][0-9]{8,18}(\.[0-9]+)?\s*$",
    "spelled_out": rf"^(?=.*[0-9])[^/]*({_MONTH})[^/]*$",
    "year_first": rf"^\s*{_YEAR}/(0?[1-9]|1[0-2])/{_DAY}([^0-9].*)?$",
}
_HAS_TEXT = r"\S"
_URN = r"^\s*[uU][rR][nN]:\s*[^:\s][^:]*:"
_A_LIST = r"^\s*[\[({]"
_BLANK = {"anyOf": [{"type": "null"}, {"type": "string", "pattern": r"^\s*$"}]}
_NO_ALIASES = {
    "anyOf": [
        {"type": "null"},
        {"type": "string", "pattern": r"^\s*(\[\]|null)?\s*$"},
        {"type": "array", "maxItems": 0},
    ]
}


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema of an event: a row of JSON Lines, or of a frame, as an object.

    A row that validates is taken whole by `read_events` and `stitch`: it is not rejected, none of
    its aliases is malformed, and no field of it is treated as missing.

    Returns
    -------
    dict
        A schema of the draft 2020-12. ``docs/schema/events.schema.json`` is the same, and
        ``convergekit schema`` prints it.

    See Also
    --------
    frame_schema : A pandera schema of whole frames, without the limits of JSON Schema.
    read_events : Reads such rows as ``format="converge"``.

    Notes
    -----
    A schema compares no fields and knows no calendar: that February has no 30th day, that two
    spellings of one field disagree, or that text is JSON, it cannot say. ``docs/schemas.md`` lists
    what a row that validates may still be rejected for.

    Examples
    --------
    >>> import convergekit as ck
    >>> schema = ck.event_schema()
    >>> schema["$id"], schema["type"]
    ('urn:convergekit:schema:events:1', 'object')
    >>> schema["properties"]["event_id"]["type"]
    ['string', 'number', 'null']
    """
    names = SPELLINGS["event_name"]
    received = SPELLINGS["received_at"]
    timed = [_given("timestamp"), *map(_given, received)]
    named = [
        _given(name, {"anyOf": [{"type": "number"}, {"pattern": _HAS_TEXT}]}) for name in names
    ]
    cookie = SPELLINGS["alias.cookie"]
    identifies = [
        {"required": ["aliases"], "not": {"properties": {"aliases": _NO_ALIASES}}},
        {"not": {"patternProperties": {r"^alias\.": _BLANK}}},
        *({"required": [name], "not": {"properties": {name: _BLANK}}} for name in cookie[1:]),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Event",
        "description": "A row that convergekit takes whole.",
        "type": "object",
        "properties": _properties(),
        "patternProperties": {r"^alias\.": {"$ref": "#/$defs/scalar"}},
        "allOf": [
            {"description": "When it happened, or when it was received.", "anyOf": timed},
            {
                "description": "What happened; an identify call has aliases instead.",
                "anyOf": [*named, *identifies],
            },
        ],
        "$defs": {"scalar": _SCALAR, "time": _time(), "object": _OBJECT},
    }


_SCALAR: dict[str, Any] = {"type": ["string", "number", "null"]}
_OBJECT: dict[str, Any] = {
    "description": "An object, as JSON or as text of JSON.",
    "anyOf": [
        {"type": ["object", "null"]},
        {"type": "string", "pattern": r"^\s*([{\[(]|(null)?\s*$)"},
        {"type": "array", "items": {"type": "object", "required": ["key"]}},
    ],
}


def _time() -> dict[str, Any]:
    """Return the schema of a time, or of none."""
    most = EPOCH_UNITS[-1][1]
    return {
        "description": "Text in ISO 8601, with the month spelled out or an epoch number; or that "
        "number. UTC unless it says otherwise.",
        "anyOf": [
            {"type": "null"},
            *({"type": "string", "pattern": pattern} for pattern in _TIMES.values()),
            {"type": "number", "minimum": EPOCH_FLOOR, "exclusiveMaximum": most},
            {"type": "number", "maximum": -EPOCH_FLOOR, "exclusiveMinimum": -most},
        ],
    }


def _properties() -> dict[str, Any]:
    """Return the schema of each field, under each of its spellings."""
    scalar, time, of_object = ({"$ref": f"#/$defs/{name}"} for name in ("scalar", "time", "object"))
    fields: dict[str, dict[str, Any]] = {
        "event_id": {**_SCALAR, "description": "What names the event: copies share it."},
        "event_name": {**_SCALAR, "description": "What happened; none for an identify call."},
        "timestamp": {**time, "description": "When it happened."},
        "received_at": {**time, "description": "When it was received."},
        "source": {**_SCALAR, "description": "Which export it is of."},
        "state_at": {**time, "description": "When the row was last changed."},
        "aliases": {
            "description": "The aliases of the profile, as urn:<type>:<value>.",
            "anyOf": [
                {"type": "null"},
                {"type": "array", "items": {"anyOf": [{"type": "null"}, _text(_URN)]}},
                *map(_text, (_URN, _A_LIST, r"^\s*$")),
            ],
        },
        "alias.cookie": {**scalar, "description": "The browser's ID."},
        "properties": {**of_object, "description": "What the event sends."},
        "profile_properties": {**of_object, "description": "What is true of the profile."},
    }
    spelled = {name: SPELLINGS[name] for name in fields}
    return {other: fields[name] for name, others in spelled.items() for other in others}


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern}


def _given(name: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object that has a field, and something in it."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}, **(more or {})}}}
