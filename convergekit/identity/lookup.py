"""Find aliases by a URN, a profile ID, a value, or part of one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
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
    return search(lambda: [s.alias_table[0]], partial(_named, s), partial(has_value, s), text, most)


def search(
    tables: Callable[[], Iterable[pd.DataFrame]],
    named: Callable[[str], str],
    are: Callable[[pd.DataFrame, str], BoolArray],
    text: str,
    most: int,
) -> FoundAliases:
    """Return the aliases of one table, or of several together, that a text means.

    Parameters
    ----------
    tables : callable
        Returns them: `alias_type`, `alias_value`, `profile_id`, `events`.
    named : callable
        Returns the alias that a URN means, as a URN.
    are : callable
        Returns which rows of a table have a text as value.
    text, most
        As `find_aliases` takes them.
    """
    text = text.strip()
    if not text:
        raise UnknownAliasError("give an alias to look for, such as an e-mail address.")
    if text.startswith("p_"):
        of_profile = _Listed(most, exact=True)
        for table in tables():
            of_profile.add(table[(table["profile_id"] == text).to_numpy(dtype=bool)])
        if of_profile.total:
            return of_profile.found()
    if text.lower().startswith("urn:"):
        return FoundAliases([named(text)], 1, exact=True)
    same, containing = _Listed(most, exact=True), _Listed(most, exact=False)
    for table in tables():
        same.add(table[are(table, text)])
        if not same.total:
            holds = table["alias_value"].str.contains(text, case=False, regex=False)
            containing.add(table[holds.to_numpy(dtype=bool)])
    for listed in (same, containing):
        if listed.total:
            return listed.found()
    raise UnknownAliasError(
        f"no alias is {text!r}, and no alias contains it. It may have been blocked (see `.report`)."
    )


def has_value(s: StitchedEvents, table: pd.DataFrame, text: str) -> BoolArray:
    """Return which aliases have this value, in the form that their type gives it."""
    aliases = s.resolution.aliases
    return have_value(table, aliases.types.categories, aliases.rules, text)


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


def _named(s: StitchedEvents, text: str) -> str:
    """Return the alias that a URN means, as it is in the table."""
    table, position = s.alias_table
    return str(table["urn"].iloc[int(np.argmax(position == s.alias_position(text)))])


class _Listed:
    """The aliases that were found so far: how many, and those to list.

    Parameters
    ----------
    most : int
        So many are listed.
    exact : bool
        Whether they are what was looked for.
    """

    def __init__(self, most: int, *, exact: bool) -> None:
        self.total = 0
        self._most, self._exact = most, exact
        self._first: list[pd.DataFrame] = []

    def add(self, found: pd.DataFrame) -> None:
        """Add the aliases of a table."""
        self.total += len(found)
        if len(found):
            self._first.append(self._ranked(found))

    def found(self) -> FoundAliases:
        """Return what was found."""
        listed = self._ranked(pd.concat(self._first, ignore_index=True))
        return FoundAliases(listed["urn"].tolist(), self.total, self._exact)

    def _ranked(self, found: pd.DataFrame) -> pd.DataFrame:
        order = {name: place for place, name in enumerate(LOGIN_TYPES)}
        ranked = found.assign(
            login=found["alias_type"].map(order).fillna(len(order)).to_numpy(dtype=np.int64),
            urn=urns_of(found),
        )
        return ranked.sort_values(["login", "events", "urn"], ascending=[True, False, True]).head(
            self._most
        )


def urns_of(table: pd.DataFrame) -> pd.Series:
    """Return the URNs of aliases."""
    return "urn:" + table["alias_type"].astype("str") + ":" + table["alias_value"].astype("str")
