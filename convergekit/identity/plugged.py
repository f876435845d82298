"""Rules of aliases that plug-ins offer, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convergekit.entry_points import PlugIns
from convergekit.identity.alias_rules import Rule
from convergekit.identity.aliases import EventAliases


def alias_rule(name: str) -> Rule:
    """Return the rule of aliases that an installed plug-in offers.

    Parameters
    ----------
    name : str
        Of an entry point of the group ``convergekit.alias_rules``; `plug_ins` lists them.

    Returns
    -------
    callable
        From a text to the text to compare, or to None for what is not an alias. The report says
        which package and version it is of, and how many events it compares.

    Raises
    ------
    ConvergekitError
        No plug-in has the name, two have it, or it cannot be imported.

    See Also
    --------
    stitch : Takes it in `rules`; so does `check_up`.
    email_rule, phone_rule : Rules that come with convergekit.

    Examples
    --------
    Of a plug-in ``convergekit-till`` that offers ``till-card``::

        s = ck.stitch(events, rules={"loyalty_card": ck.alias_rule("till-card")})

    >>> import convergekit as ck
    >>> ck.alias_rule("till-crad")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convergekit.errors.ConvergekitError: alias_rule names 'till-crad', which is not a plug-in ...
    """
    found = PLUG_INS.named("alias_rule", name)
    return PluggedRule(name, found.origin, found.made)


@dataclass(frozen=True)
class PluggedRule:
    """A rule of a plug-in, which says of which.

    Attributes
    ----------
    name : str
    origin : str
        The package and its version.
    rule : callable
    """

    name: str
    origin: str
    rule: Rule

    def __call__(self, text: str) -> str | None:
        """Return what the rule makes of a text."""
        return self.rule(text)

    def __repr__(self) -> str:
        """Return its name and origin, by which a run of parts knows it again."""
        return f"alias_rule({self.name!r}) of {self.origin}"


def remarks_on_rules(aliases: EventAliases) -> Mapping[str, int]:
    """Return which types are compared by rules of plug-ins, and on how many events."""
    found = {}
    for alias_type, rule in aliases.rules.rules.items():
        if isinstance(rule, PluggedRule):
            of_type = (aliases.table["alias_type"] == alias_type).to_numpy(dtype=bool)
            events = len(np.unique(aliases.event[of_type[aliases.alias]]))
            said = f"{alias_type} compared by {rule.name!r} of the plug-in {rule.origin}"
            found[said] = events
    return found


def _fault(name: str, made: Any) -> str:
    """Return what is wrong with what a plug-in offers as a rule of aliases."""
    return "" if callable(made) else f"of type {type(made).__name__}, and not a function"


PLUG_INS = PlugIns("alias_rules", _fault)
