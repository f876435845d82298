"""Aliases of an engine's events: in one form, those that identify nobody left out and counted.

The rules are those of `convergekit.identity.aliases`, as expressions. An alias is written as one
text, type and value with a colon between them; an event's aliases are an array of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis

from convergekit.base.text import folded_text, usual_characters
from convergekit.engine.backends import USUAL, Backend, joined
from convergekit.engine.columns import OWN, alias_columns, as_text, trimmed
from convergekit.engine.nothing import is_nobody
from convergekit.errors import ConvergekitError, NotOnThisEngine
from convergekit.identity.alias_rules import EMAIL, AliasRules
from convergekit.identity.blocking import Block

#: The arrays that an event's aliases are in, and how many of its `aliases` are none.
USABLE, BLOCKED, MALFORMED = OWN + "usable", OWN + "blocked", OWN + "malformed"
#: Whether an event carries an e-mail address in characters that only look like the usual ones.
LOOKS_ALIKE = OWN + "looks_alike"
#: Whether an event carries anything in a column of aliases.
CARRIES = OWN + "carries"

_NOTHING = ibis.literal([], type="array<string>")


@dataclass(frozen=True)
class Blocker:
    """Which aliases are blocked.

    Attributes
    ----------
    values : list of str
        In every type, lower-cased, besides the placeholders.
    aliases : list of str
        Types and values.
    emails : list of str
        Among e-mail addresses, lower-cased and in usual characters.
    """

    values: list[str]
    aliases: list[str]
    emails: list[str]

    @classmethod
    def of(cls, block: Block) -> Blocker:
        """Return what `stitch` was given, checked.

        Raises
        ------
        NotOnThisEngine
            It holds a pattern.
        ConvergekitError
            It holds something else that is neither a URN nor a value.

        Examples
        --------
        >>> Blocker.of("urn:Email:Ada@example.com").aliases
        ['email:ada@example.com']
        """
        values, aliases, emails = set(), set(), set()
        items = [block] if isinstance(block, (str, re.Pattern)) else block
        if not isinstance(items, Iterable):
            raise ConvergekitError(f"block={block!r}: give a list of URNs or values.")
        for item in items:
            if isinstance(item, re.Pattern):
                raise NotOnThisEngine(
                    f"block holds the pattern {item.pattern!r}; patterns are not on this engine "
                    "yet, for engines read them differently: list the values."
                )
            if not isinstance(item, str):
                raise ConvergekitError(
                    f"block holds {item!r}, a {type(item).__name__}. Give a URN "
                    "('urn:cart_token:123') or a value ('test@example.com')."
                )
            alias = AliasRules().parse(item)
            if alias is not None:
                aliases.add(f"{alias[0]}:{alias[1][0]}")
            elif item.strip().lower().startswith("urn:"):
                raise ConvergekitError(
                    f"block holds {item!r}, a URN without a type or a value; give one such as "
                    "'urn:cart_token:123'."
                )
            else:
                values.add(folded_text(item))
                emails.add(folded_text(usual_characters(item)))
        return cls(sorted(values), sorted(aliases), sorted(emails - values))

    def blocks(self, backend: Backend, alias_type: Any, value: Any) -> Any:
        """Return whether an alias is blocked, as an expression."""
        blocked = is_nobody(backend, value)
        if self.values:
            blocked |= backend.lowered(value).isin(self.values)
        if self.emails:
            blocked |= (alias_type == EMAIL) & value.isin(self.emails)
        if self.aliases:
            blocked |= (alias_type + ":" + value).isin(self.aliases)
        return blocked


def with_aliases(
    backend: Backend, table: Any, alias_from: Mapping[str, str], blocker: Blocker
) -> Any:
    """Return the table with `USABLE`, `BLOCKED`, `MALFORMED`, `CARRIES` and `LOOKS_ALIKE`.

    Parameters
    ----------
    backend : Backend
    table : ibis.Table
        Under canonical names.
    alias_from : mapping of str to str
        Profile property to alias type.
    blocker : Blocker
    """
    columns = alias_columns(table, alias_from)
    listed = "aliases" in table.columns
    texts = {f"{OWN}text_{i}": as_text(table[name], name) for i, (_, name) in enumerate(columns)}
    if listed:
        texts[_LISTED] = ibis.coalesce(table["aliases"], _NOTHING).filter(lambda u: u.notnull())
    own = list(texts)
    table = _in_plain_form(backend, table.mutate(**texts), columns, [_LISTED] if listed else [])
    bad = {
        f"{OWN}bad_{i}": blocker.blocks(
            backend, ibis.literal(t), table[f"{OWN}text_{i}"]
        ).fill_null(False)
        for i, (t, _) in enumerate(columns)
    }
    own += bad
    table = table.mutate(**bad)
    keys = [
        (ibis.literal(f"{t}:") + table[f"{OWN}text_{i}"], table[f"{OWN}bad_{i}"])
        for i, (t, _) in enumerate(columns)
    ]
    usable = _array([ibis.ifelse(bad, ibis.null("string"), key) for key, bad in keys])
    blocked = _array([ibis.ifelse(bad, key, ibis.null("string")) for key, bad in keys])
    malformed = ibis.literal(0, type="int64")
    if listed:
        known = table[_LISTED].filter(lambda k: k.notnull())
        usable = usable.concat(known.filter(lambda k: ~_blocks_key(backend, blocker, k)))
        blocked = blocked.concat(known.filter(lambda k: _blocks_key(backend, blocker, k)))
        malformed = table[_LISTED].length() - known.length()
    if listed or len({alias_type for alias_type, _ in columns}) < len(columns):
        usable = usable.unique()
    made = {USABLE: usable, BLOCKED: blocked, MALFORMED: malformed}
    return table.mutate(**made).drop(*own)


def _in_plain_form(
    backend: Backend, table: Any, columns: Sequence[tuple[str, str]], lists: list[str]
) -> Any:
    """Return the table with aliases in their plain form, with `CARRIES` and `LOOKS_ALIKE`."""
    texts = {f"{OWN}text_{i}": alias_type for i, (alias_type, _) in enumerate(columns)}
    emails = [name for name, alias_type in texts.items() if alias_type == EMAIL]
    table = backend.in_one_form(table, list(texts), lists, emails)
    given = {name: _plain(backend, table[name], texts[name]) for name in texts}
    plain = given | {name: _plain(backend, table[name + USUAL], EMAIL) for name in emails}
    keys = {name: _keys(backend, table[name + USUAL]) for name in lists}
    carries = [(value != "").fill_null(False) for value in given.values()]
    carries += [(table["aliases"].length() > 0).fill_null(False) for _ in lists]
    differ = [(plain[name] != given[name]).fill_null(False) for name in emails]
    differ += [joined(keys[name]) != joined(_keys(backend, table[name])) for name in lists]
    looks_alike = ibis.or_(ibis.literal(False), *differ)
    table = table.mutate(**plain, **keys, **{CARRIES: ibis.or_(*carries), LOOKS_ALIKE: looks_alike})
    return table.drop(*(name + USUAL for name in (*emails, *lists)))


def _plain(backend: Backend, text: Any, alias_type: str) -> Any:
    value = trimmed(text)
    return backend.lowered(value) if alias_type == EMAIL else value


def alias_type_of(key: Any) -> Any:
    """Return the type of an alias that is written as one text."""
    return key.substr(0, key.find(":"))


def alias_value_of(key: Any) -> Any:
    """Return the value of an alias that is written as one text."""
    return key.substr(key.find(":") + 1)


def _array(items: Sequence[Any]) -> Any:
    return ibis.array(list(items)).filter(lambda item: item.notnull()) if items else _NOTHING


def _keys(backend: Backend, urns: Any) -> Any:
    return urns.map(lambda urn: _key(backend, urn))


def _key(backend: Backend, urn: Any) -> Any:
    """Return a URN's type and value as one text, or null if the text is no URN."""
    rest = trimmed(urn).substr(len("urn:"))
    alias_type = trimmed(alias_type_of(rest)).lower()
    value = trimmed(alias_value_of(rest))
    value = ibis.ifelse(alias_type == EMAIL, backend.lowered(value), value)
    is_urn = trimmed(urn).substr(0, len("urn:")).lower() == "urn:"
    is_urn &= (rest.find(":") > 0) & (alias_type != "")
    return ibis.ifelse(is_urn, alias_type + ":" + value, ibis.null("string"))


def _blocks_key(backend: Backend, blocker: Blocker, key: Any) -> Any:
    return blocker.blocks(backend, alias_type_of(key), alias_value_of(key))


_LISTED = OWN + "listed"
