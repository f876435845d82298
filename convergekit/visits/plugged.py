"""Rules of channels that plug-ins offer, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convergekit.entry_points import PlugIns
from convergekit.visits.channels import ChannelRule


def channel_rules(name: str) -> tuple[ChannelRule, ...]:
    """Return the rules of channels that an installed plug-in offers.

    Parameters
    ----------
    name : str
        Of an entry point of the group ``convergekit.channel_rules``; `plug_ins` lists them.

    Returns
    -------
    tuple of ChannelRule
        In their order. `because` names the package and its version, and so does the column `why`
        of `Stitched.sessions`.

    Raises
    ------
    ConvergekitError
        No plug-in has the name, two have it, or it cannot be imported.

    See Also
    --------
    ChannelRule : What a rule is.
    VisitRules : Takes them as `rules`; so do `Stitched.sessions` and `Stitched.attribution`.

    Examples
    --------
    Of a plug-in ``convergekit-till`` that offers ``podcasts``, before those of convergekit::

        rules = [*ck.channel_rules("podcasts"), *ck.CHANNEL_RULES]
        s.sessions(rules=rules)

    >>> import convergekit as ck
    >>> ck.channel_rules("podcats")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    convergekit.errors.ConvergekitError: channel_rules names 'podcats', which is not a plug-in ...
    """
    found = PLUG_INS.named("channel_rules", name)
    return tuple(
        replace(rule, because=": ".join(filter(None, [found.origin, rule.because])))
        for rule in found.made
    )


def _fault(name: str, made: Any) -> str:
    """Return what is wrong with what a plug-in offers as rules of channels."""
    several = isinstance(made, Sequence) and len(made) > 0
    right = several and all(isinstance(rule, ChannelRule) for rule in made)
    return "" if right else f"of type {type(made).__name__}, and not a list of ck.ChannelRule"


PLUG_INS = PlugIns("channel_rules", _fault)
