"""Find aliases by a URN, a profile ID, a value, or part of one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from convergekit.errors import ConvergekitError, UnknownAliasError, did_you_mean, what_there_is
from convergekit.identity.alias_rules import AliasRules
from convergekit.identity.aliases import urn
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.typing import BoolArray

if TYPE_CHECKING:
    from convergekit.identity.tables import StitchedEvents


@dataclass(frozen=True)
class FoundAliases:
    """What a search found.

    Attributes
    ----------
    urns : list of str
        The aliases, login values first, then those on most events.
    total : int
        How many there are, listed or not.
    exact : bool
        Whether they are the text itself.
    """

    urns: list[str]
    total: int
    exact: bool


def find_aliases(s: StitchedEvents, text: str, *, most: int) -> FoundAliases:
    """Return the aliases that a text means: it itself, or else those that contain it.

    Parameters
    ----------
    s : StitchedEvents
    text : str
        A URN, a profile ID (its aliases are meant), a value, or part of one. Values are compared
        in the form that `stitch` gave them.
    most : int
        So many aliases at most.

    Returns
    -------
    FoundAliases

    Raises
    ------
    UnknownAliasError
        Nothing is or contains the text.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> find_aliases(s.tables, "Milo.Duval37@example.com", most=10).urns
    ['urn:email:milo.duval37@example.com']
    >>> find_aliases(s.tables, "milo", most=10).exact
    False
    """
    text = text.strip()
    table, position = s.alias_table
    if not text:
        raise UnknownAliasError("give an alias to look for, such as an e-mail address.")
    if text.startswith("p_") and (s.resolution.profile_ids == text).any():
        mask = (table["profile_id"] == text).to_numpy(dtype=bool)
        return _listed(s, mask, most, exact=True)
    if text.lower().startswith("urn:"):
        mask = position == s.alias_position(text)
        return _listed(s, mask, most, exact=True)
    mask = has_value(s, text)
    if mask.any():
        return _listed(s, mask, most, exact=True)
    mask = table["alias_value"].str.contains(text, case=False, regex=False).to_numpy(dtype=bool)
    if mask.any():
        return _listed(s, mask, most, exact=False)
    raise UnknownAliasError(
        f"no alias is {text!r}, and no alias contains it. It may have been blocked (see `.report`)."
    )


def has_value(s: StitchedEvents, text: str) -> BoolArray:
    """Return which aliases have this value, in the form that their type gives it."""
    aliases = s.resolution.aliases
    return have_value(s.alias_table[0], aliases.types.categories, aliases.rules, text)


def have_value(
    table: pd.DataFrame, types: Iterable[str], rules: AliasRules, text: str
) -> BoolArray:
    """Return which rows of a table of aliases have this value.

    Parameters
    ----------
    table : pandas.DataFrame
        `alias_type`, `alias_value`.
    types : iterable of str
        Those that occur.
    rules : AliasRules
    text : str
    """
    found = np.zeros(len(table), dtype=bool)
    for alias_type in types:
        try:
            parsed = rules.parse(urn(alias_type, text))
        except ConvergekitError:
            # The rule is for texts of its type; this is one of any.
            continue
        if parsed is not None:
            of_type = (table["alias_type"] == alias_type).to_numpy(dtype=bool)
            found |= of_type & table["alias_value"].isin(parsed[1]).to_numpy(dtype=bool)
    return found


def parsed_urn(rules: AliasRules, text: Any) -> tuple[str, list[str]] | None:
    """Return the type and the values that a URN may mean, None of what is not one."""
    return rules.parse(text) if isinstance(text, str) else None


def not_a_urn(text: Any, near: Sequence[str]) -> UnknownAliasError:
    """Return the error of a text that is not a URN; `near` are the aliases of this value."""
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UnknownAliasError(
        f"{text!r} is neither a URN (urn:<type>:<value>) nor a profile ID (p_...).{hint}"
    )


def unknown_profile(profile_id: str, here: str = "") -> UnknownAliasError:
    """Return the error of a profile ID that no profile has."""
    return UnknownAliasError(
        f"no profile{here} has the ID {profile_id!r}. "
        "See `.profiles`, or give an alias such as 'urn:email:ada@example.com'."
    )


def unknown_alias(
    alias: tuple[str, list[str]], types: Sequence[str], values: Iterable[str], here: str = ""
) -> UnknownAliasError:
    """Return the error of an alias that no event carries.

    Parameters
    ----------
    alias : tuple of (str, list of str)
        As `parsed_urn` returns it.
    types : sequence of str
        Those that occur.
    values : iterable of str
        Those that the type has.
    here : str
        Of what the events are.
    """
    alias_type, meant = alias
    if alias_type not in types:
        return UnknownAliasError(
            f"no event{here} carries an alias of type {alias_type!r}. "
            f"{what_there_is(types, alias_type, none='no aliases')}"
        )
    # Two people's addresses at one shop's domain are near each other, and no slip.
    known = itertools.islice(values, 100_000)
    near_urns = did_you_mean(
        urn(alias_type, meant[0]), [urn(alias_type, value) for value in known], cutoff=0.9
    )
    return UnknownAliasError(
        f"no event{here} carries the alias {urn(alias_type, meant[0])!r}; it may have "
        f"been blocked (see `.report`).{near_urns}"
    )


def _listed(s: StitchedEvents, mask: BoolArray, most: int, *, exact: bool) -> FoundAliases:
    found = s.alias_table[0][mask]
    order = {name: place for place, name in enumerate(LOGIN_TYPES)}
    logins = found["alias_type"].map(order).fillna(len(order))
    ranked = found.assign(login=logins).sort_values(
        ["login", "events", "urn"], ascending=[True, False, True]
    )
    return FoundAliases(ranked["urn"].head(most).tolist(), len(found), exact)
