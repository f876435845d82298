"""Questions about one profile: the part that has it is found by the tables, and asked alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from convergekit.diagnostics.explain import Explanation, explain
from convergekit.diagnostics.timeline import timeline
from convergekit.figures.frame import DrawnFrame
from convergekit.figures.style import Style
from convergekit.identity.alias_rules import AliasRules
from convergekit.identity.aliases import urn
from convergekit.identity.lookup import (
    FoundAliases,
    have_value,
    not_a_urn,
    parsed_urn,
    search,
    unknown_alias,
    unknown_profile,
)
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.answers.identity import order_of_aliases
from convergekit.parts.each import OnePart
from convergekit.parts.tables import PartsTable

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure

_ALIAS = ("alias_type", "alias_value")


class FoundAlias(NamedTuple):
    """An alias as it is in the tables, its profile, and the part that has both."""

    urn: str
    profile_id: str
    part: int


@dataclass(frozen=True)
class Lookup:
    """Finds the part of a profile by the tables on the disk.

    Attributes
    ----------
    aliases, profiles : PartsTable
    rules : AliasRules
    types : sequence of str
        The alias types that occur, by the alphabet.
    here : str
        Where it is looked, for errors: empty for all events.
    """

    aliases: PartsTable
    profiles: PartsTable
    rules: AliasRules
    types: Sequence[str]
    here: str = ""

    def part_of(self, alias_or_id: str) -> int:
        """Return the part of the profile that has an alias or an ID.

        Raises
        ------
        UnknownAliasError
            No event carries the alias, or no profile has the ID.
        """
        if isinstance(alias_or_id, str) and alias_or_id.startswith("p_"):
            for number, frame in enumerate(self.profiles.frames(["profile_id"])):
                if (frame["profile_id"] == alias_or_id).any():
                    return number
            raise unknown_profile(alias_or_id, self.here)
        return self.alias(alias_or_id).part

    def alias(self, text: str) -> FoundAlias:
        """Return the alias that a URN means.

        Raises
        ------
        UnknownAliasError
            No event carries it.
        """
        meant = parsed_urn(self.rules, text)
        if meant is None:
            raise not_a_urn(text, self._near(text))
        alias_type, values = meant
        of_type = [
            frame[frame["alias_type"] == alias_type].assign(part=number)
            for number, frame in enumerate(self.aliases.frames([*_ALIAS, "profile_id"]))
        ]
        # The name as it stands in `aliases` first: a rule may make another alias's name of it.
        for value in reversed(values):
            for frame in of_type:
                for found in frame[frame["alias_value"] == value].to_dict("records"):
                    return FoundAlias(urn(alias_type, value), found["profile_id"], found["part"])
        known: Iterator[str] = (value for frame in of_type for value in frame["alias_value"])
        raise unknown_alias(meant, self.types, known, self.here)

    def find(self, text: str, most: int) -> FoundAliases:
        """Return the aliases that a text means. See `find_aliases`."""
        names = [*_ALIAS, "profile_id", "events"]
        return search(
            lambda: self.aliases.frames(names),
            lambda urn: self.alias(urn).urn,
            lambda table, value: have_value(table, self.types, self.rules, value),
            text,
            most,
        )

    def _near(self, text: str) -> list[str]:
        """Return the URNs of the aliases that have a value, earliest first."""
        found = []
        for frame in self.aliases.frames([*_ALIAS, "first_seen"]):
            found.append(frame[have_value(frame, self.types, self.rules, text)])
        table = pd.concat([one for one in found if len(one)] or found[:1], ignore_index=True)
        table = table.take(order_of_aliases(table))
        return [urn(*pair) for pair in zip(*(table[name] for name in _ALIAS), strict=True)]


def explain_by_parts(ask: OnePart, where: Lookup, alias_a: str, alias_b: str) -> Explanation:
    """Explain why two aliases are linked. See `Stitched.explain`."""
    one, other = where.alias(alias_a), where.alias(alias_b)
    if one.part == other.part:
        return ask(one.part, partial(_explanation_of, aliases=(one.urn, other.urn)))
    # Nothing of one part has met anything of another, so nothing was refused either.
    alone = ask(one.part, partial(_explanation_of, aliases=(one.urn, one.urn)))
    return replace(
        alone,
        alias_b=other.urn,
        linked=False,
        profile_b=other.profile_id,
        refused=alone.refused.iloc[:0],
    )


def profile_by_parts(ask: OnePart, where: Lookup, alias_or_id: str) -> DrawnFrame:
    """Return one profile's timeline. See `Stitched.profile`."""
    return ask(where.part_of(alias_or_id), partial(_timeline_of, alias_or_id=alias_or_id))


def profile_graph_by_parts(ask: OnePart, where: Lookup, alias_or_id: str, style: Style) -> Figure:
    """Draw one profile's identity graph. See `Stitched.plot_profile_graph`."""
    part = where.part_of(alias_or_id)
    return ask(part, partial(_graph_of, alias_or_id=alias_or_id, style=style))


def _explanation_of(number: int, s: StitchedEvents, *, aliases: tuple[str, str]) -> Explanation:
    return explain(s, *aliases)


def _timeline_of(number: int, s: StitchedEvents, *, alias_or_id: str) -> DrawnFrame:
    return timeline(s, alias_or_id)


def _graph_of(number: int, s: StitchedEvents, *, alias_or_id: str, style: Style) -> Figure:
    from convergekit.diagnostics.profile_graph import profile_graph_figure

    return profile_graph_figure(s, alias_or_id, style)
