"""Find aliases by a URN, a profile ID, a value, or part of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convergekit.errors import ConvergekitError, UnknownAliasError
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
    table, _ = s.alias_table
    found = np.zeros(len(table), dtype=bool)
    rules = s.resolution.aliases.rules
    for alias_type in s.resolution.aliases.types.categories:
        try:
            parsed = rules.parse(urn(alias_type, text))
        except ConvergekitError:
            # The rule is for texts of its type; this is one of any.
            continue
        if parsed is not None:
            of_type = (table["alias_type"] == alias_type).to_numpy(dtype=bool)
            found |= of_type & table["alias_value"].isin(parsed[1]).to_numpy(dtype=bool)
    return found


def _listed(s: StitchedEvents, mask: BoolArray, most: int, *, exact: bool) -> FoundAliases:
    found = s.alias_table[0][mask]
    order = {name: place for place, name in enumerate(LOGIN_TYPES)}
    logins = found["alias_type"].map(order).fillna(len(order))
    ranked = found.assign(login=logins).sort_values(
        ["login", "events", "urn"], ascending=[True, False, True]
    )
    return FoundAliases(ranked["urn"].head(most).tolist(), len(found), exact)
