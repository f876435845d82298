"""Plug-ins: what installed packages offer under entry points, loaded when it is first asked for.

A plug-in is code that the user installed; what an export says never chooses one. The order is that
of packages and names, whatever the order in which they were installed. A plug-in that cannot be
used stands in nobody's way: it is left out with the reason, and an error where it is asked for by
name.
"""

from __future__ import annotations

import functools
import re
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError, callers_level, what_there_is

Kind = Literal["exports", "checks", "channel_rules", "alias_rules"]

#: The group of entry points of each kind, and what a plug-in of it is called in messages.
GROUPS: Mapping[Kind, str] = {
    "exports": "convergekit.exports",
    "checks": "convergekit.checks",
    "channel_rules": "convergekit.channel_rules",
    "alias_rules": "convergekit.alias_rules",
}
_MOST_OF_AN_ERROR = 200


@dataclass(frozen=True)
class PlugIn:
    """An entry point of an installed package.

    Attributes
    ----------
    kind : {"exports", "checks", "channel_rules", "alias_rules"}
    name : str
        What it is called.
    package, version : str
        The distribution that offers it.
    target : str
        Where its object is, as ``"module:attribute"``.
    load : callable
        Imports it, and returns its object.
    """

    kind: Kind
    name: str
    package: str
    version: str
    target: str
    load: Callable[[], Any] = field(repr=False, compare=False)

    @property
    def origin(self) -> str:
        """The package and its version, as results name them."""
        return f"{self.package} {self.version}"

    @property
    def way_out(self) -> str:
        """What to do about a plug-in that cannot be used."""
        return f"Update the package, or remove it: pip uninstall {self.package}."

    def __str__(self) -> str:
        """Return what errors call it."""
        return f"the plug-in {self.name!r} of {self.origin} ({self.target})"


@dataclass(frozen=True)
class Offer:
    """What plug-ins offer under a name.

    Attributes
    ----------
    name : str
    plug_ins : tuple of PlugIn
        Those that have the name: one, unless there is a problem.
    made : object
        What the entry point is; None where there is a problem.
    problem : str
        Why it cannot be used, and what to do, in sentences; empty where it can.
    """

    name: str
    plug_ins: tuple[PlugIn, ...]
    made: Any = None
    problem: str = ""

    @property
    def origin(self) -> str:
        """The package and its version."""
        return self.plug_ins[0].origin


@dataclass(frozen=True)
class PlugIns:
    """All plug-ins of a kind.

    Attributes
    ----------
    kind : {"exports", "checks", "channel_rules", "alias_rules"}
    fault : callable
        Returns what is wrong with the object of a name, after "it is"; empty if nothing is.
    ours : callable
        Returns the names that come with convergekit.
    """

    kind: Kind
    fault: Callable[[str, Any], str]
    ours: Callable[[], Collection[str]] = tuple

    def names(self) -> list[str]:
        """Return the names that plug-ins have; none of them is imported."""
        return list(dict.fromkeys(one.name for one in installed(self.kind)))

    def offers(self, leaving_out: Collection[str] = ()) -> list[Offer]:
        """Return what is offered under each name; the plug-ins are imported.

        Parameters
        ----------
        leaving_out : collection of str
            Names that are not looked at.
        """
        return [self.offer(name) for name in self.names() if name not in leaving_out]

    def offer(self, name: str) -> Offer:
        """Return what is offered under a name that some plug-in has."""
        found = tuple(one for one in installed(self.kind) if one.name == name)
        if name in self.ours():
            whose = " and ".join(map(str, found))
            problem = f"{whose} has the name of one that comes with convergekit. {found[0].way_out}"
            return Offer(name, found, problem=problem)
        if len(found) > 1:
            packages = " or ".join(f"pip uninstall {one.package}" for one in found)
            problem = (
                f"{counted(len(found), 'plug-in')} of {GROUPS[self.kind]} have one name: "
                f"{', and '.join(map(str, found))}. Keep one of them: {packages}."
            )
            return Offer(name, found, problem=problem)
        made, problem = _loaded(found[0])
        if not problem and (fault := self.fault(name, made)):
            problem = f"{found[0]} is {fault}. {found[0].way_out}"
        return Offer(name, found, None if problem else made, problem)

    def named(self, option: str, name: str) -> Offer:
        """Return the plug-in that an option names.

        Raises
        ------
        ConvergekitError
            No plug-in has the name, or it cannot be used.
        """
        known = self.names()
        if name not in known:
            there = what_there_is(known, name, none="no plug-in is installed")
            raise ConvergekitError(
                f"{option} names {name!r}, which is not a plug-in of {GROUPS[self.kind]}. {there}"
            )
        found = self.offer(name)
        if found.problem:
            raise ConvergekitError(f"{option}: {found.problem}")
        return found


def warn_of_problems(offers: Iterable[Offer]) -> None:
    """Warn of the plug-ins that are left out, and say why."""
    for one in offers:
        if one.problem:
            warnings.warn(f"left out: {one.problem}", stacklevel=callers_level())


def installed(kind: Kind) -> Sequence[PlugIn]:
    """Return the plug-ins of a kind, by package and name; none of them is imported.

    Examples
    --------
    >>> isinstance(installed("exports"), tuple)
    True
    """
    return _installed(kind, tuple(sys.path))


@functools.lru_cache(maxsize=64)
def _installed(kind: Kind, path: tuple[str, ...]) -> tuple[PlugIn, ...]:
    """Return the plug-ins of a kind on a path: to go through all packages takes long."""
    # Few have plug-ins, and it takes long to import.
    from importlib import metadata

    found = []
    for one in metadata.entry_points(group=GROUPS[kind]):
        package = one.dist.name if one.dist is not None else "a package without a name"
        version = one.dist.version if one.dist is not None else ""
        found.append(PlugIn(kind, one.name, package, version, one.value, one.load))
    return tuple(sorted(found, key=lambda one: (_normal(one.package), one.name, one.target)))


@functools.lru_cache(maxsize=256)
def _loaded(plug_in: PlugIn) -> tuple[Any, str]:
    """Return the object of a plug-in, or why it cannot be imported."""
    try:
        return plug_in.load(), ""
    except (Exception, SystemExit) as error:
        said = shortened(f"{type(error).__name__}: {error}", _MOST_OF_AN_ERROR).rstrip(". ")
        return None, f"{plug_in} cannot be imported: {said}. {plug_in.way_out}"


def _normal(package: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()
