"""Which numbers are watched: read from a small TOML file, and checked."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from convergekit.base.durations import parse_duration
from convergekit.errors import ConvergekitError, did_you_mean

#: What a number may be.
WatchedKind = Literal["events", "revenue", "conversion", "visits", "new profiles", "linked"]
_FILE = ("number", "wait", "leave_out")
#: Per kind, what has to be said of it, and what may be.
_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "events": (("event",), ()),
    "revenue": (("event", "value"), ("currency", "rates")),
    "conversion": (("steps",), ("within",)),
    "visits": ((), ()),
    "new profiles": ((), ()),
    "linked": (("event",), ()),
}
_WITHIN = pd.Timedelta("1D")
_EXAMPLE = "[[number]]\nkind = 'events'\nevent = 'Placed Order'"


@dataclass(frozen=True)
class WatchedNumber:
    """One number, as the file names it.

    Attributes
    ----------
    kind : str
    name : str
        What it is called.
    event : tuple of str
        The names of its events, of which any will do.
    value, currency : str or None
    rates : dict of str to float or None
        Of revenue, as `Stitched.customers` takes them.
    steps : tuple of tuple of str
        Of a conversion.
    within : pandas.Timedelta
        The conversion window.
    """

    kind: str
    name: str
    event: tuple[str, ...] = ()
    value: str | None = None
    currency: str | None = None
    rates: Mapping[str, float] | None = None
    steps: tuple[tuple[str, ...], ...] = ()
    within: pd.Timedelta = _WITHIN

    @property
    def is_share(self) -> bool:
        """Whether it is a share, and not a count or an amount."""
        return self.kind in ("conversion", "linked")


@dataclass(frozen=True)
class Watchlist:
    """What is watched.

    Attributes
    ----------
    numbers : tuple of WatchedNumber
    wait : pandas.Timedelta
        How long after a day events of it are waited for.
    left_out : tuple of tuple of pandas.Period
        The first and the last of days that are neither compared nor past.
    """

    numbers: tuple[WatchedNumber, ...]
    wait: pd.Timedelta
    left_out: tuple[tuple[pd.Period, pd.Period], ...]


def read_watchlist(given: str | Path | Mapping[str, Any]) -> Watchlist:
    """Return what is watched.

    Parameters
    ----------
    given : str, pathlib.Path or mapping
        A TOML file, or what one would hold.

    Raises
    ------
    ConvergekitError
        The file cannot be read, or something in it is not as it has to be.

    Examples
    --------
    >>> found = read_watchlist({"number": [{"kind": "events", "event": "Placed Order"}]})
    >>> found.numbers[0].name
    'Placed Order'
    """
    where = "the numbers" if isinstance(given, Mapping) else str(given)
    table = given if isinstance(given, Mapping) else _read(given)
    _check_keys(table, _FILE, where)
    numbers = table.get("number")
    if not isinstance(numbers, (list, tuple)) or not numbers:
        raise ConvergekitError(
            f"{where} must name at least one number, such as:\n\n{_EXAMPLE}\n\n"
            "docs/watch.md has a whole file."
        )
    found = tuple(_number(one, f"{where}, number {at}") for at, one in enumerate(numbers, 1))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ConvergekitError(
                f"{where} has two numbers called {name!r}; give one of them another `name`."
            )
    wait = table.get("wait")
    days = table.get("leave_out", [])
    if not isinstance(days, (list, tuple)):
        raise ConvergekitError(
            f"{where}: leave_out must be a list of days, such as ['2026-04-06', "
            f"'2026-12-24..2026-12-26']; got {days!r}."
        )
    return Watchlist(
        numbers=found,
        wait=pd.Timedelta(0) if wait is None else parse_duration(wait, name=f"{where}: wait"),
        left_out=tuple(_days(day, where) for day in days),
    )


def _read(path: str | Path) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConvergekitError(
            f"{path} is not TOML: {error}. A file begins, for example, with:\n\n{_EXAMPLE}"
        ) from None
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConvergekitError(f"{path} cannot be read: {reason}. Check the path.") from None


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise ConvergekitError(
                f"{where}: {key!r} is not known; it may be {', '.join(known)}."
                f"{did_you_mean(key, known)}"
            )


def _number(given: Any, where: str) -> WatchedNumber:
    if not isinstance(given, Mapping):
        raise ConvergekitError(f"{where} must be a table, such as:\n\n{_EXAMPLE}")
    kinds, kind = get_args(WatchedKind), given.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        raise ConvergekitError(
            f"{where}: kind must be one of {', '.join(map(repr, kinds))}; got {kind!r}."
            f"{did_you_mean(kind, kinds)}"
        )
    needed, allowed = _FIELDS[kind]
    _check_keys(given, ("kind", "name", *needed, *allowed), f"{where} ({kind})")
    for field in needed:
        if field not in given:
            raise ConvergekitError(f"{where} ({kind}) needs `{field}`.")
    event = _names(given["event"], f"{where}: event") if "event" in given else ()
    steps = _steps(given["steps"], where) if "steps" in given else ()
    found = WatchedNumber(
        kind=kind,
        name=_text(given.get("name", _usual_name(kind, event, steps)), f"{where}: name"),
        event=event,
        value=None if "value" not in given else _text(given["value"], f"{where}: value"),
        currency=None
        if "currency" not in given
        else _text(given["currency"], f"{where}: currency"),
        rates=_rates(given.get("rates"), where),
        steps=steps,
    )
    if "within" not in given:
        return found
    within = parse_duration(given["within"], name=f"{where}: within")
    return WatchedNumber(**{**vars(found), "within": within})


def _usual_name(kind: str, event: tuple[str, ...], steps: tuple[tuple[str, ...], ...]) -> str:
    if kind == "conversion":
        return f"{' or '.join(steps[0])} to {' or '.join(steps[-1])}"
    said = " or ".join(event)
    return {"events": said, "revenue": f"Revenue of {said}", "linked": f"{said} linked"}.get(
        kind, kind.capitalize()
    )


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ConvergekitError(f"{where} must be a text; got {given!r}.")
    return given


def _names(given: Any, where: str) -> tuple[str, ...]:
    names = given if isinstance(given, (list, tuple)) and given else [given]
    return tuple(_text(name, where) for name in names)


def _steps(given: Any, where: str) -> tuple[tuple[str, ...], ...]:
    if not isinstance(given, (list, tuple)) or len(given) < 2:
        raise ConvergekitError(
            f"{where}: steps must be two or more names of events, such as ['PageView', 'Placed "
            f"Order']; got {given!r}."
        )
    steps = tuple(_names(step, f"{where}: steps") for step in given)
    names = [name for step in steps for name in step]
    if len(set(names)) < len(names):
        raise ConvergekitError(f"{where}: an event can be one of the steps only; got {given!r}.")
    return steps


def _rates(given: Any, where: str) -> Mapping[str, float] | None:
    if given is None:
        return None
    fits = isinstance(given, Mapping) and all(
        isinstance(rate, (int, float)) and not isinstance(rate, bool) for rate in given.values()
    )
    if not fits:
        raise ConvergekitError(
            f"{where}: rates must say what one of each currency is worth, such as "
            f"{{ EUR = 1, USD = 0.9 }}; got {given!r}."
        )
    return {str(name): float(rate) for name, rate in given.items()}


def _days(given: Any, where: str) -> tuple[pd.Period, pd.Period]:
    first, dots, last = str(given).partition("..")
    try:
        if isinstance(given, datetime.datetime) or not isinstance(given, (str, datetime.date)):
            raise ValueError(given)
        ends = [
            datetime.date.fromisoformat(day.strip()) for day in (first, last if dots else first)
        ]
    except ValueError:
        raise ConvergekitError(
            f"{where}: leave_out holds days, such as '2026-04-06', or a first and a last, such as "
            f"'2026-12-24..2026-12-26'; got {given!r}."
        ) from None
    if ends[1] < ends[0]:
        raise ConvergekitError(f"{where}: leave_out ends before it begins; got {given!r}.")
    return pd.Period(ends[0], freq="D"), pd.Period(ends[1], freq="D")
