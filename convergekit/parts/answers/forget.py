"""Deletion of a person by parts: one part has the profile, and any may name the person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from convergekit.base.text import folded_text
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.stitching import Run
from convergekit.parts.view import View
from convergekit.privacy.forget import (
    Forgotten,
    Removed,
    besides_in,
    person_sending,
    removed_table,
    without_person,
)
from convergekit.privacy.mentions import Eraser, Person

if TYPE_CHECKING:
    from convergekit.parts.result import StitchedParts


def forget_by_parts(
    run: Run, part: int, alias_or_profile: str, face: Callable[[Run], StitchedParts]
) -> Forgotten[StitchedParts]:
    """Return everything without one person. See `Stitched.forget`.

    Parameters
    ----------
    run : Run
    part : int
        Which part the profile is in.
    alias_or_profile : str
    face : callable
        Makes the result's `stitched` of a run.
    """
    where = (part, alias_or_profile)
    person = run.of_one(part, partial(_person_of, alias_or_profile=alias_or_profile))
    also = sorted(
        {folded_text(value) for one in run.about for value in one.counts.blocked["alias_value"]}
    )
    # What is a person's own hangs on what others sent, in any part.
    told = list(run.of_each(partial(_besides_of, where=where, person=person, also=also)))
    person = replace(
        person,
        of_others=frozenset().union(*(one.of_others for one in told)),
        longer=frozenset().union(*(one.longer for one in told)),
        numbered=max(one.numbered for one in told),
    )
    # What needs a name has the same one in all parts.
    found = list(run.of_each(partial(_names_of, where=where, person=person)))
    names = list(dict.fromkeys(name for of_part, _ in found for name in of_part))
    eraser = Eraser(person, names)
    made = partial(_without, where=where, person=person, names=names)
    options = replace(run.options, browser_alias=eraser.label(run.options.browser_alias))
    view = View.of(run, made, eraser=eraser)
    view.options = options
    return Forgotten(face(view), removed_table([removed for _, removed in found]))


def _person_of(number: int, s: StitchedEvents, *, alias_or_profile: str) -> Person:
    return person_sending(s, s.profile_number(alias_or_profile))


def _besides_of(
    number: int, s: StitchedEvents, *, where: tuple[int, str], person: Person, also: Sequence[str]
) -> Person:
    return besides_in(s, _profile(number, s, where), person, also)


def _names_of(
    number: int, s: StitchedEvents, *, where: tuple[int, str], person: Person
) -> tuple[list[tuple[str, str]], Removed]:
    eraser = Eraser(person)
    _, removed = without_person(s, _profile(number, s, where), eraser)
    return eraser.names, removed


def _without(
    number: int,
    s: StitchedEvents,
    *,
    where: tuple[int, str],
    person: Person,
    names: Sequence[tuple[str, str]],
) -> StitchedEvents:
    return without_person(s, _profile(number, s, where), Eraser(person, names))[0]


def _profile(number: int, s: StitchedEvents, where: tuple[int, str]) -> int | None:
    """Return the number of the person's profile, if it is in this part."""
    part, alias_or_profile = where
    return s.profile_number(alias_or_profile) if number == part else None
