"""Which line of a report is its header, which platform wrote it, and which columns mean what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convergekit.base.wording import shortened
from convergekit.errors import ColumnError, ConvergekitError, ReadError, what_there_is
from convergekit.events.money import CODES
from convergekit.readers.fields import Constant
from convergekit.spend.platforms import CANONICAL, FIRST_DAY, LAST_DAY, PLATFORMS, Platform

#: Reports have a title, a period and a few more lines above the header.
MOST_ABOVE = 50
_NEEDED = ("date", "spend")
#: What errors call rows that are not of a file.
THE_FRAME = "the frame"
#: So many headings of a file that no platform writes are named.
_MOST_NAMED = 12


def folded(heading: str) -> str:
    """Return a heading as headings are compared.

    Examples
    --------
    >>> folded(" Amount spent (EUR)"), folded("Nom de l\u2019ensemble")
    ('amount spent', "nom de l'ensemble")
    """
    text = unicodedata.normalize("NFC", heading).replace("\u2019", "'").replace("\ufeff", "")
    return " ".join(_without_currency(text)[0].casefold().split())


def currency_in(heading: str) -> str | None:
    """Return the currency that a heading names in brackets, None where it names none.

    Examples
    --------
    >>> currency_in("Amount spent (EUR)"), currency_in("Clicks (all)")
    ('EUR', None)
    """
    return _without_currency(heading)[1]


def _without_currency(heading: str) -> tuple[str, str | None]:
    found = re.fullmatch(r"(.*?)\s*\(([A-Z]{3})\)\s*", heading, re.DOTALL)
    return (found[1], found[2]) if found and found[2] in CODES else (heading, None)


@dataclass(frozen=True)
class Header:
    """What the columns of a file mean.

    Attributes
    ----------
    platform : Platform
    place : mapping of str to int
        Of each canonical column, where in the row it is. Where the days are those of a period,
        also of its end, or of its begin if its end is not told.
    constants : mapping of str to object
        The canonical columns that are the same in every row.
    currency : str or None
        What the heading of the spend says in brackets.
    left : list of str
        The headings that are not read.
    """

    platform: Platform
    place: Mapping[str, int]
    constants: Mapping[str, Any] = field(default_factory=dict)
    currency: str | None = None
    left: Sequence[str] = ()


def is_header(cells: Iterable[str], own: Mapping[str, Any]) -> int:
    """Return how many cells of a record are headings that a platform or the caller knows."""
    named = {folded(one) for one in own.values() if isinstance(one, str)}
    return sum(one in named or one in _KNOWN for one in {folded(cell) for cell in cells})


_KNOWN = {heading for one in PLATFORMS.values() for heading in one.meanings}


def header_of(
    headings: Sequence[str],
    above: Sequence[str],
    own: Mapping[str, Any],
    given: str | None,
    where: str,
) -> Header:
    """Return what the headings of a file mean.

    Parameters
    ----------
    headings : sequence of str
    above : sequence of str
        The lines above them.
    own : mapping
        Canonical columns that the caller names.
    given : str or None
        The platform that the caller names.
    where : str
        What errors call the file.

    Raises
    ------
    ReadError
        No platform's export has such headings, or two have.
    ColumnError
        A column that the caller names is not there, or one that is needed.
    """
    names = [folded(one) for one in headings]
    places = _own_places(headings, names, own, where)
    said_all = all(name in places or name in own for name in _NEEDED)
    platform = PLATFORMS[given] if given else _platform(names, above, where)
    if platform is None:
        if not said_all:
            raise ReadError(_unknown(headings, names, where))
        platform = PLATFORMS["plain"]
    for name, spellings in platform.headings.items():
        found = next((names.index(one) for one in spellings if one in names), None)
        if name not in own and found is not None:
            places[name] = found
    first, last = places.pop(FIRST_DAY, None), places.pop(LAST_DAY, None)
    if first is not None and "date" not in places and "date" not in own:
        places["date"] = first
        places[FIRST_DAY if last is None else LAST_DAY] = first if last is None else last
    _check_once(places, headings, names, where)
    lacking = [name for name in _NEEDED if name not in places and name not in own]
    if lacking:
        raise ColumnError(_lacking(platform, lacking, headings, where))
    constants = {name: one.value for name, one in own.items() if isinstance(one, Constant)}
    left = [one for at, one in enumerate(headings) if at not in set(places.values()) and one]
    currency = currency_in(headings[places["spend"]]) if "spend" in places else None
    return Header(platform, places, constants, currency, left)


def check_own(columns: Any) -> None:
    """Raise unless `columns` maps columns of the table to headings or constants.

    Raises
    ------
    ConvergekitError
    """
    if not isinstance(columns, Mapping):
        raise ConvergekitError(
            f"columns must map columns to headings, such as {{'spend': 'Kosten'}}; got {columns!r}."
        )
    for name, own in columns.items():
        if isinstance(own, Mapping):
            check_own(own)
        elif name not in CANONICAL:
            raise ConvergekitError(
                f"columns names {name!r}, which the table of spend does not have. "
                f"{what_there_is(CANONICAL, name)}"
            )
        elif not isinstance(own, (str, Constant)):
            raise ConvergekitError(
                f"columns={{{name!r}: ...}} must be a heading or ck.constant(...); got {own!r}."
            )


def _own_places(
    headings: Sequence[str], names: Sequence[str], own: Mapping[str, Any], where: str
) -> dict[str, int]:
    places = {}
    for name, heading in own.items():
        if not isinstance(heading, str):
            continue
        asked = heading if heading in headings else None
        at = headings.index(heading) if asked else next(
            (place for place, one in enumerate(names) if one == folded(heading)), None
        )  # fmt: skip
        if at is None:
            raise ColumnError(
                f"{where}: columns={{{name!r}: {heading!r}}}: the file does not have this column. "
                f"{what_there_is(filter(None, headings), heading)} Of files of several kinds, give "
                "each its own: columns={'radio*.csv': {...}}."
            )
        places[name] = at
    return places


def _platform(names: Sequence[str], above: Sequence[str], where: str) -> Platform | None:
    """Return the platform that writes such headings, None where none does."""
    there = set(names)
    # Meta alone has a breakdown of this name; any other table that has it is of several platforms.
    gathered = not there.isdisjoint(("platform", "channel"))
    fits = []
    for platform in PLATFORMS.values():
        known = {name for name, all_ in platform.headings.items() if not there.isdisjoint(all_)}
        told = bool(platform.preamble) and any(
            line.casefold().lstrip('" ').startswith(platform.preamble) for line in above
        )
        proven = any(proof <= there for proof in platform.proofs)
        if gathered and platform.name not in ("meta", "plain"):
            proven = False
        if proven or (told and "spend" in known):
            count = len(there & set(platform.meanings)) + told
            fits.append((platform.name != "plain", told, count, platform))
    if not fits:
        return None
    # What is proven by a platform's own headings is not a plain table, whatever that has too.
    best = max(one[:3] for one in fits)
    found = [one[3] for one in fits if one[:3] == best]
    if len(found) > 1:
        both = " and ".join(one.title for one in found)
        raise ReadError(
            f"{where}: the columns fit {both}; say which wrote it, "
            f"format={found[0].name!r} or {found[1].name!r}."
        )
    return found[0]


def _check_once(
    places: Mapping[str, int], headings: Sequence[str], names: Sequence[str], where: str
) -> None:
    for place in places.values():
        if names.count(names[place]) > 1 and headings.count(headings[place]) > 1:
            raise ReadError(
                f"{where}: the header names {headings[place]!r} twice, and it is not known which "
                "of both is meant. Drop one of the columns from the report."
            )


def _lacking(
    platform: Platform, lacking: Sequence[str], headings: Sequence[str], where: str
) -> str:
    of = platform.title if platform.name == "plain" else f"an export of {platform.title}"
    said = (
        f"{where}: {of} without a column for the {lacking[0]}. "
        f"{what_there_is(filter(None, headings), lacking[0])}"
    )
    if lacking[0] == "date":
        return f"{said} Spend is by day: {platform.by_day}."
    return f"{said} Add it to the report, or name it: columns={{{lacking[0]!r}: ...}}."


def _unknown(headings: Sequence[str], names: Sequence[str], where: str) -> str:
    """Return the error that names the nearest platform, and a mapping to copy."""
    there = set(names)
    score = {
        one.name: len(there & set(one.meanings))
        for one in PLATFORMS.values()
        if one.name != "plain"
    }
    near = PLATFORMS[max(score, key=lambda name: score[name])]
    meant: dict[str, str] = {}
    for heading, name in zip(headings, names, strict=True):
        known = [one.meanings[name] for one in (near, *PLATFORMS.values()) if name in one.meanings]
        if known and known[0] in CANONICAL:
            meant.setdefault(known[0], heading)
    mapping = {**{name: meant.get(name, "...") for name in _NEEDED}, **meant}
    if not any(headings):
        return f"{where} does not have columns; it needs date and spend."
    few = [shortened(one, 40) for one in headings if one][:_MOST_NAMED]
    more = " ..." if len([one for one in headings if one]) > len(few) else ""
    given = "frame" if where == THE_FRAME else repr(where)
    nearest = f" The nearest is {near.title}" if score[near.name] else ""
    if nearest:
        nearest += "." if "date" in meant else f"; {near.by_day}, for spend is by day."
    return (
        f"{where}: no platform's export has these columns: {', '.join(few)}{more}.{nearest} Say "
        f"what they mean: ck.read_spend({given}, columns={mapping!r})."
    )
