"""The columns of an engine's table under their canonical names, and whether they will do.

A warehouse types its columns, so nothing is parsed here: times are timestamps, aliases are text
or integers, and what is neither is refused with the cast that would make it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from convergekit.engine.backends import Backend
from convergekit.errors import ColumnError, NotOnThisEngine, did_you_mean
from convergekit.events.normalise import READ_NULLS
from convergekit.events.schema import ALIAS, PROFILE, PROFILE_PROPERTY, PROPERTY, SPELLINGS
from convergekit.events.shapes import READ_SHAPES

#: Columns of our own, next to those of the table.
OWN = "_ck_"
#: What an earlier stitch wrote; stitching its events again replaces these.
_WRITTEN_BY_STITCH = ("kind", "profile_id")
_OBJECTS = ("properties", "profile_properties")
_TEXTS = ("event_id", "event_name", "source")
_TIMES = ("timestamp", "received_at")
_PREFIXES = (ALIAS, PROPERTY, PROFILE_PROPERTY)

NO_ROW = (
    "no column `row`. A table in an engine has no order of rows, and where two events are of one "
    "time, the first to arrive counts: number the rows in a column of integers. "
    "table.mutate(row=ibis.row_number()) numbers them as the engine happens to read them."
)


def canonical(backend: Backend, table: Any, columns: Mapping[str, str]) -> Any:
    """Return the table under canonical column names, structs of properties opened.

    Parameters
    ----------
    backend : Backend
    table : ibis.Table
    columns : mapping of str to str
        Canonical name to the table's own.

    Raises
    ------
    ColumnError
        A needed column is missing, or two columns are the same one.
    NotOnThisEngine
        A column is of a type that the engine would have to parse.

    Examples
    --------
    >>> table = ibis.table({"row": "int64", "eventName": "string", "timestamp": "timestamp",
    ...                     "properties": "struct<price: float64>", "alias.cookie": "string"})
    >>> canonical(Backend.of(ibis.duckdb.connect()), table, {}).columns
    ('row', 'event_id', 'event_name', 'timestamp', 'source', 'alias.cookie', 'properties.price')
    """
    table = _opened(_renamed(table, columns))
    ours = (*_WRITTEN_BY_STITCH, READ_NULLS, READ_SHAPES)
    written = [c for c in table.columns if c in ours or c.startswith(PROFILE)]
    table = table.drop(*written) if written else table
    _check(table)
    typed = {name: _text(table, name) for name in _TEXTS}
    typed |= {name: _time(backend, table, name) for name in _TIMES if name in table.columns}
    typed["row"] = table["row"].cast("int64")
    if "timestamp" not in table.columns:
        typed["timestamp"] = ibis.null("timestamp('UTC', 6)")
    table = table.mutate(**typed)
    return table.select(*_in_order(table.columns))


def alias_columns(table: Any, alias_from: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the type and the name of each column that holds one alias per event.

    Raises
    ------
    ColumnError
        There is no column of aliases, or one of a type that no alias has.
    """
    found = [(c.removeprefix(ALIAS).lower(), c) for c in table.columns if c.startswith(ALIAS)]
    names = [
        c.removeprefix(PROFILE_PROPERTY) for c in table.columns if c.startswith(PROFILE_PROPERTY)
    ]
    for name, alias_type in alias_from.items():
        short = name.removeprefix(PROFILE_PROPERTY)
        if short not in names:
            raise ColumnError(
                f"alias_from names the profile property {name!r}, which no event carries. "
                f"Found: {', '.join(names) or 'no profile properties'}.{did_you_mean(name, names)}"
            )
        found.append((alias_type.lower(), PROFILE_PROPERTY + short))
    if not found and "aliases" not in table.columns:
        raise ColumnError(
            f"no alias column. Found: {_listed(table.columns)}. Events are stitched by their "
            "aliases: give a column `aliases` of URNs or columns `alias.<type>`, or name one with "
            'columns={"alias.email": ...}.'
        )
    for alias_type, name in found:
        if ":" in alias_type:
            raise NotOnThisEngine(
                f"column {name!r}: an alias type with a colon is not on this engine yet; rename it."
            )
    return found


def as_text(column: Any, name: str) -> Any:
    """Return a column that identifies something as text.

    Raises
    ------
    NotOnThisEngine
        It is neither text nor integers.
    """
    kind = column.type()
    if kind.is_string():
        return column
    if kind.is_integer() or kind.is_uuid():
        return column.cast("string")
    if kind.is_null():
        return ibis.null("string")
    raise NotOnThisEngine(
        f"column {name!r} is {kind}, which is not on this engine yet: cast it to text or to "
        f"integers first, table.mutate(**{{{name!r}: table[{name!r}].cast('string')}})."
    )


def trimmed(text: Any) -> Any:
    """Return text without the white space around it, as Unicode has it, and Python, and Arrow.

    Engines trim blanks alone.
    """
    return text.re_replace(f"^[{_WHITE_SPACE}]+|[{_WHITE_SPACE}]+$", "")


_WHITE_SPACE = "".join(
    map(
        chr,
        (
            *(*range(9, 14), *range(28, 33), 133, 160, 5760),
            *(*range(8192, 8203), 8232, 8233, 8239, 8287, 12288),
        ),
    )
)


def property_columns(table: Any) -> list[str]:
    """Return the names of the profile properties, without their prefix."""
    prefix = PROFILE_PROPERTY
    return [c.removeprefix(prefix) for c in table.columns if c.startswith(prefix)]


def _renamed(table: Any, columns: Mapping[str, str]) -> Any:
    names = list(table.columns)
    ours = [name for name in names if name.startswith(OWN)]
    if ours:
        raise ColumnError(f"rename {_listed(ours)}: names that begin with {OWN!r} are ours.")
    for name, own in columns.items():
        if name not in SPELLINGS and not any(name.startswith(p) for p in _PREFIXES):
            raise ColumnError(
                f"columns={{{name!r}: ...}}: {name!r} is no canonical column. Known: "
                f"{', '.join(SPELLINGS)}, alias.<type>, properties.<name>, "
                f"profile_properties.<name>.{did_you_mean(name, SPELLINGS)}"
            )
        if own not in names:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: there is no column {own!r}. "
                f"Found: {_listed(names)}.{did_you_mean(own, names)}"
            )
        if name in names and name != own:
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: the table also has a column {name!r}. "
                "Drop one of the two."
            )
    renames = dict(columns)
    for name, spellings in SPELLINGS.items():
        found = [s for s in spellings if s in names and s not in columns.values()]
        found += [columns[name]] if name in columns else []
        if len(found) > 1:
            raise NotOnThisEngine(
                f"columns {_listed(found)} are all {name!r}; to unite them is not on this engine "
                "yet: drop all but one."
            )
        if found and found[0] != name:
            renames[name] = found[0]
    kept = [name for name in names if name not in renames.values()]
    return table.select(*kept, **{name: table[own] for name, own in renames.items()})


def _opened(table: Any) -> Any:
    for name in _OBJECTS:
        if name not in table.columns:
            continue
        kind = table[name].type()
        if not kind.is_struct():
            raise NotOnThisEngine(
                f"column {name!r} is {kind}; to open it is not on this engine yet: give a struct, "
                f"or a column {name}.<name> for each."
            )
        fields = {f"{name}.{field}": table[name][field] for field in kind.names}
        twice = sorted(set(fields) & set(table.columns))
        if twice:
            raise ColumnError(f"columns {_listed(twice)} stand in {name!r} too. Drop one of each.")
        table = table.mutate(**fields).drop(name)
    return table


def _check(table: Any) -> None:
    names = table.columns
    if "event_name" not in names and not any(c == "aliases" or c.startswith(ALIAS) for c in names):
        raise ColumnError(
            f"no event name column. Found: {_listed(names)}. "
            "Name the one to use: columns={'event_name': ...}."
        )
    if "timestamp" not in names and "received_at" not in names:
        raise ColumnError(
            f"no timestamp column. Found: {_listed(names)}. "
            "Name the one to use: columns={'timestamp': ...}."
        )
    if "row" not in names:
        raise ColumnError(NO_ROW)
    if not table["row"].type().is_integer():
        raise ColumnError(f"column 'row' is {table['row'].type()}; number the rows by integers.")
    if "aliases" in names:
        kind = table["aliases"].type()
        if not kind.is_array() or not kind.value_type.is_string():
            raise NotOnThisEngine(
                f"column 'aliases' is {kind}; on this engine it is an array of text, each a URN "
                "such as 'urn:email:ada@example.com'."
            )


def _text(table: Any, name: str) -> Any:
    return as_text(table[name], name) if name in table.columns else ibis.null("string")


def _time(backend: Backend, table: Any, name: str) -> Any:
    column, kind = table[name], table[name].type()
    if kind.is_null():
        return ibis.null("timestamp('UTC', 6)")
    if not kind.is_timestamp() and not kind.is_date():
        raise NotOnThisEngine(
            f"column {name!r} is {kind}; to parse times is not on this engine yet: cast it first, "
            f"table.mutate({name}=table[{name!r}].cast('timestamp'))."
        )
    return backend.utc(column)


def _in_order(names: Any) -> list[str]:
    """Put the canonical columns first, as `ck.stitch` does."""
    first = ["row", "event_id", "event_name", "timestamp", "received_at", "source", "aliases"]
    groups = [[c for c in first if c in names]]
    groups += [[c for c in names if c.startswith(prefix)] for prefix in _PREFIXES]
    known = {c for group in groups for c in group}
    return [c for group in groups for c in group] + [c for c in names if c not in known]


def _listed(names: Any) -> str:
    return ", ".join(map(repr, names)) or "no columns at all"
