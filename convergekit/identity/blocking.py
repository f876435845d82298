"""Placeholder values ("undefined", "null" ...) never link profiles; they are counted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.text import folded_text, to_arrow, usual_characters
from convergekit.errors import ConvergekitError
from convergekit.events.nothing import is_nobody
from convergekit.identity.alias_rules import (
    EMAIL,
    AliasRules,
)
from convergekit.identity.aliases import EventAliases
from convergekit.typing import BoolArray, IntArray

#: What `block=` takes.
Block = str | re.Pattern[str] | Iterable[str | re.Pattern[str]]


def leave_out_blocked(aliases: EventAliases, block: Block) -> EventAliases:
    """Return the aliases without those that are blocked, which are counted as such.

    Parameters
    ----------
    aliases : EventAliases
        Named otherwise since they were read.
    block : iterable of str or re.Pattern
        As `read_aliases` takes it.
    """
    is_blocked = Placeholders(block, aliases.rules)
    types, values = aliases.table["alias_type"], aliases.table["alias_value"]
    bad = np.zeros(len(types), dtype=bool)
    for name in types.cat.categories:
        at = np.flatnonzero(types == name)
        bad[at] = is_blocked(name, to_arrow(values.iloc[at]))
    if not bad.any():
        return aliases
    carried = np.bincount(aliases.alias, minlength=len(types))
    gone = aliases.table[bad].assign(events=carried[bad])
    return replace(aliases.without(bad), blocked=blocked_table([aliases.blocked, gone]))


def blocked_types(block: Block, rules: AliasRules) -> list[str]:
    """Return the alias types of the URNs that are blocked, by the alphabet."""
    return sorted(Placeholders(block, rules).aliases)


class Placeholders:
    """Says which normalised values of a type are blocked."""

    def __init__(self, block: Block, rules: AliasRules) -> None:
        if isinstance(block, (str, re.Pattern)):
            block = [block]
        if not isinstance(block, Iterable):
            raise ConvergekitError(
                f"block must be a list of URNs, values or compiled patterns; got {block!r}."
            )
        self._values: set[str] = set()
        self._emails: set[str] = set()
        self.aliases: dict[str, set[str]] = {}
        self._patterns: list[re.Pattern[str]] = []
        for item in block:
            if isinstance(item, re.Pattern):
                self._patterns.append(item)
            elif not isinstance(item, str):
                raise ConvergekitError(
                    "block must hold URNs ('urn:cart_token:123'), values ('test@example.com') or "
                    f"compiled patterns; got {item!r}, a {type(item).__name__}."
                )
            elif (alias := rules.parse(item)) is not None:
                self.aliases.setdefault(alias[0], set()).update(alias[1])
            elif item.strip().lower().startswith("urn:"):
                raise ConvergekitError(
                    f"block holds {item!r}, a URN without a type or a value; give one such as "
                    "'urn:cart_token:123'."
                )
            else:
                self._values.add(folded_text(item))
                self._emails.add(folded_text(usual_characters(item)))

    def __call__(self, alias_type: str, values: pa.Array) -> BoolArray:
        """Return which values of a type are blocked."""
        wanted = self._values | self._emails if alias_type == EMAIL else self._values
        found = is_nobody(values)
        if wanted:
            found |= _in(pc.utf8_lower(values), wanted)
        if alias_type in self.aliases:
            found |= _in(values, self.aliases[alias_type])
        for pattern in self._patterns:
            hits = (pattern.fullmatch(value) is not None for value in values.to_pylist())
            found |= np.fromiter(hits, dtype=bool, count=len(values))
        return found


def _in(texts: pa.Array, values: Collection[str]) -> BoolArray:
    asked = pa.array(sorted(values), type=pa.large_string())
    found: BoolArray = pc.is_in(texts, value_set=asked).to_numpy(zero_copy_only=False)
    return found


def count_blocked(
    alias_type: str,
    distinct: pa.Array,
    bad: BoolArray,
    code: IntArray,
) -> pd.DataFrame:
    """Return the blocked values of a type, and how many events had each."""
    counts = np.bincount(code, minlength=len(distinct))
    return pd.DataFrame(
        {
            "alias_type": alias_type,
            "alias_value": pd.Series(distinct.filter(pa.array(bad)).to_pylist(), dtype="str"),
            "events": counts[bad],
        }
    )


def blocked_table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the blocked values of all types, the most frequent first."""
    if not parts:
        return pd.DataFrame(
            {
                "alias_type": pd.Series(dtype="str"),
                "alias_value": pd.Series(dtype="str"),
                "events": pd.Series(dtype="int64"),
            }
        )
    table = pd.concat(parts, ignore_index=True)
    table["alias_type"] = table["alias_type"].astype("str")
    return table.sort_values(
        ["events", "alias_type", "alias_value"], ascending=[False, True, True], ignore_index=True
    )
