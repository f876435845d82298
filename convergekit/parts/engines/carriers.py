"""Which columns of an engine's table may connect rows, and what an engine can compare of them.

Memory has the last word on what an alias is: on its spelling, rules and placeholders. An engine
may find clusters that are larger than the true ones, with the same outcome, but never smaller ones.
So what it compares by itself is plain: integers, and printable ASCII, whose form in memory is known
in advance. Whatever else there is is judged here, by the code of memory (`judged`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.events.normalise import event_ids
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, SPELLINGS
from convergekit.identity.alias_rules import EMAIL
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import united_aliases

EVENT_ID, URNS = "event_id", "aliases"
#: What an event ID begins with among what is compared; aliases begin with their type.
OF_EVENT_ID = " "
_NESTED = PROFILE_PROPERTY.removesuffix(".")
_OF_NAME = {own: name for name, spellings in SPELLINGS.items() for own in spellings}


@dataclass(frozen=True)
class Carrier:
    """A column that may connect rows.

    Attributes
    ----------
    kind : str
        `EVENT_ID`, `URNS`, or ``alias.<type>``.
    column : str
        Its name in the table.
    field : str or None
        The field of it that is meant, where it is of structs.
    """

    kind: str
    column: str
    field: str | None = None

    def of(self, table: Any) -> Any:
        """Return the values, as an expression of text."""
        column = table[self.column] if self.field is None else table[self.column][self.field]
        return column.unnest() if self.kind == URNS else column.cast("string")


def carriers_of(schema: Any, columns: Any, options: StitchOptions) -> list[Carrier] | None:
    """Return which columns may connect rows; None if that is for their cells to say.

    Parameters
    ----------
    schema : ibis.Schema
    columns : object
        As `stitch` takes them.
    options : StitchOptions

    Examples
    --------
    >>> import ibis
    >>> schema = ibis.schema({"eventID": "string", "uid": "int64", "profileProperties": "string"})
    >>> carriers_of(schema, {"alias.customer_id": "uid"}, StitchOptions.of())
    [Carrier(kind='event_id', column='eventID', field=None),
     Carrier(kind='alias.customer_id', column='uid', field=None)]
    >>> carriers_of(schema, None, StitchOptions.of(alias_from={"$email": "email"}))
    """
    named = _named(schema, columns)
    if named is None:
        return None
    types = {
        PROFILE_PROPERTY + name.removeprefix(PROFILE_PROPERTY): alias_type.lower()
        for name, alias_type in options.alias_from.items()
    }
    found: list[Carrier | None] = []
    for name, column in named:
        kind = schema[column]
        if name == EVENT_ID:
            found.append(_plain(EVENT_ID, column, kind))
        elif name.startswith(ALIAS):
            found.append(_plain(ALIAS + name.removeprefix(ALIAS).lower(), column, kind))
        elif name == URNS:
            is_list = kind.is_array() and kind.value_type.is_string()
            found.append(Carrier(URNS, column) if is_list else None)
        elif name in types:
            found.append(_plain(ALIAS + types[name], column, kind))
        elif name == _NESTED and types:
            found += _fields(column, kind, types)
    # Without any, it is for memory to say what is missing.
    return [one for one in found if one is not None] or None if None not in found else None


def _named(schema: Any, columns: Any) -> list[tuple[str, str]] | None:
    """Return the canonical name and the own name of each column."""
    if not isinstance(columns, Mapping | None):
        return None
    names = {} if columns is None else dict(columns)
    if not all(isinstance(own, str) and own in schema for own in names.values()):
        return None
    found = []
    for column in schema:
        targets = [name for name, own in names.items() if own == column] or [column]
        found += [(_OF_NAME.get(name, name), column) for name in targets]
    return found


def _plain(kind: str, column: str, dtype: Any, field: str | None = None) -> Carrier | None:
    plain = dtype.is_string() or dtype.is_integer() or dtype.is_uuid()
    return Carrier(kind, column, field) if plain else None


def _fields(column: str, dtype: Any, types: Mapping[str, str]) -> list[Carrier | None]:
    if not dtype.is_struct():
        return [None]
    return [
        _plain(ALIAS + types[PROFILE_PROPERTY + field], column, kind, field)
        for field, kind in dtype.items()
        if PROFILE_PROPERTY + field in types
    ]


#: What is compared by an engine: printable ASCII, with blanks around it at most.
ODD = "[^ -~]"
#: URNs that are compared by an engine are without any blank.
PLAIN_URN = "^urn:[a-z0-9_]+:[!-~]+$"
_OF_EMAIL = f"urn:{EMAIL}:"
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


def compared(kind: str, value: Any) -> Any:
    """Return what an engine compares of a plain value, as an expression: as `judged` has it.

    Parameters
    ----------
    kind : str
        As in `Carrier`.
    value : ibis.StringValue
    """
    import ibis

    def lowered(text: Any) -> Any:
        # Letter by letter: what else is a lower case hangs on the engine's language.
        return text.translate(_UPPER, _LOWER)

    if kind == URNS:
        rest = value.substr(len("urn:"))
        return ibis.ifelse(value.startswith(_OF_EMAIL), lowered(rest), rest)
    text = value.strip()
    alias_type = kind.removeprefix(ALIAS)
    if kind == EVENT_ID:
        return ibis.literal(OF_EVENT_ID) + text
    return ibis.literal(f"{alias_type}:") + (lowered(text) if alias_type == EMAIL else text)


def is_for_memory(kind: str, value: Any, options: StitchOptions) -> Any:
    """Return whether only the code of memory can say what a value is, as an expression."""
    import ibis

    ruled = options.rules.rules
    if kind == URNS:
        return ibis.literal(True) if ruled else ~value.re_search(PLAIN_URN)
    if kind.removeprefix(ALIAS) in ruled:
        return ibis.literal(True)
    return value.re_search(ODD)


def judged(kind: str, values: Sequence[str], options: StitchOptions) -> list[str | None]:
    """Return what memory compares of values, None for those that connect nothing.

    Examples
    --------
    >>> judged("alias.email", ["\uff21da@x.org ", "null"], StitchOptions.of())
    ['email:ada@x.org', None]
    >>> judged("aliases", ["urn:SKU:a1", "a1"], StitchOptions.of(rules={"sku": str.upper}))
    ['sku:A1', None]
    """
    texts = pd.Series(list(values), dtype="str")
    if kind == EVENT_ID:
        ids = event_ids(pd.DataFrame({EVENT_ID: texts}))
        return [None if pd.isna(one) else OF_EVENT_ID + one.strip(" ") for one in ids]
    cells = pd.Series([[text] for text in texts], dtype=object) if kind == URNS else texts
    # Types without a value here may be named all the same.
    of_these = replace(options, alias_from={})
    aliases, _ = united_aliases(pd.DataFrame({kind: cells}), of_these)
    names = np.array(
        [
            f"{alias_type}:{value}"
            for alias_type, value in zip(
                aliases.table["alias_type"], aliases.table["alias_value"], strict=True
            )
        ],
        dtype=object,
    )
    found = np.full(len(texts), None, dtype=object)
    found[aliases.event] = names[aliases.alias] if len(names) else None
    return list(found)


def urn_of(key: str) -> str:
    """Return what is compared as the report of a cluster names it.

    Examples
    --------
    >>> urn_of("cookie:c1"), urn_of(" e1")
    ('urn:cookie:c1', 'event_id e1')
    """
    return f"event_id {key[1:]}" if key.startswith(OF_EVENT_ID) else f"urn:{key}"
