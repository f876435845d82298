"""The options of a store: those of `stitch` that hold for every batch, recorded in its file.

They are given when the store is made and never change, for an option that changed would make
other profiles of everything that was added before. A salt is recorded as well: the rows beside it
hold the addresses from which the IDs come, so a reader of the file needs no salt to tell which
alias an ID comes from, and without it the index could not be rebuilt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Never, TypedDict

from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.calendar import Weekday
from convergekit.identity.blocking import Block
from convergekit.identity.options import Duplicates, IdentityMode
from convergekit.identity.profiles import salt_key


class StoreOptions(TypedDict, total=False):
    """What `open_store` takes besides the path; `stitch` says what each means."""

    tz: str | None
    rename_events: Mapping[str, str]
    dedupe_on: Sequence[str]
    duplicates: Duplicates
    block: Block
    alias_from: Mapping[str, str]
    limits: Mapping[str, int]
    alias_priority: Sequence[str]
    identity: IdentityMode
    first: Iterable[str]
    nothing: Iterable[str]
    browser_alias: str
    salt: str | bytes | None
    calendar: str | None
    week_starts: Weekday


class RefusedOptions(TypedDict, total=False):
    """What `stitch` takes and a store does not; `open_store` says what to do instead."""

    max_age: Never
    rules: Never
    columns: Never
    observed_until: Never
    strict: Never


#: Options of `stitch` that a store cannot have, and what to do instead.
_REFUSED = {
    "max_age": "how many lives a value has depends on all its events, so that a batch could rename "
    "an alias of any profile. Leave it out, or stitch all exports with ck.stitch",
    "rules": "a function cannot be recorded in the file. Bring the values into one form before "
    "adding them",
    "columns": "each batch may have names of its own. Add ck.read_events(..., columns=...)",
    "observed_until": "the next batch goes on where this one ends. Give it to ck.stitch",
    "strict": "a row that cannot be used is listed in `store.stitched().rejected`. Read files with "
    "ck.read_events(..., strict=True) to stop at the first",
}
_LISTS = ("dedupe_on", "alias_priority", "first", "nothing")


def check_names(options: Mapping[str, Any]) -> None:
    """Raise if an option is unknown, or one that a store cannot have.

    Raises
    ------
    ConvergekitError
    """
    for name in options:
        if name in _REFUSED:
            raise ConvergekitError(f"a store takes no {name}: {_REFUSED[name]}.")
        if name not in StoreOptions.__annotations__:
            known = ", ".join(StoreOptions.__annotations__)
            raise ConvergekitError(
                f"open_store has no option {name!r}; it takes {known}."
                f"{did_you_mean(name, StoreOptions.__annotations__)}"
            )


def recorded(options: StoreOptions) -> str:
    """Return the options as the file keeps them.

    Examples
    --------
    >>> recorded({"first": "$initial_*", "block": [re.compile("test.*", re.I), "till"]})
    '{"block": [{"pattern": "test.*", "flags": 34}, "till"], "first": ["$initial_*"]}'
    """
    plain: dict[str, Any] = {}
    for name, value in sorted(options.items()):
        if name == "block":
            items = [value] if isinstance(value, (str, re.Pattern)) else _listed(name, value)
            plain[name] = [_plain_block(item) for item in items]
        elif name in _LISTS:
            plain[name] = [value] if isinstance(value, str) else _listed(name, value)
        elif name == "salt":
            key = salt_key(value)
            plain[name] = None if key is None else key.hex()
        elif isinstance(value, Mapping):
            plain[name] = dict(value)
        else:
            plain[name] = value
    try:
        return json.dumps(plain)
    except TypeError as error:
        raise ConvergekitError(
            f"the options cannot be recorded in the file: {error}. Give texts, numbers and lists "
            "or mappings of them."
        ) from None


def from_record(text: str) -> StoreOptions:
    """Return the options that a file keeps.

    Examples
    --------
    >>> from_record('{"block": [{"pattern": "test.*", "flags": 34}, "till"]}')
    {'block': [re.compile('test.*', re.IGNORECASE), 'till']}
    """
    options: StoreOptions = json.loads(text)
    if "block" in options:
        items: Any = options["block"]
        options["block"] = [
            re.compile(item["pattern"], item["flags"]) if isinstance(item, dict) else item
            for item in items
        ]
    salt: Any = options.get("salt")
    if salt is not None:
        options["salt"] = bytes.fromhex(salt)
    return options


def check_same(given: StoreOptions, kept: StoreOptions, path: object) -> None:
    """Raise if an option is given that the store was not made with.

    Raises
    ------
    ConvergekitError
    """
    one, other = json.loads(recorded(given)), json.loads(recorded(kept))
    for name, value in one.items():
        if other.get(name) != value:
            made = f"{name}={other[name]!r}" if name in other else f"no {name}"
            asked = f"{name}={value!r}"
            if name == "salt":
                # A secret is never shown.
                made, asked = ("another salt" if other.get(name) else "no salt"), "the one given"
            raise ConvergekitError(
                f"{path} was made with {made}, not {asked}. The options of a store hold "
                "for all its batches: leave them out to open it, or make another store."
            )


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, Iterable):
        raise ConvergekitError(f"{name} must be a list of texts; got {value!r}.")
    return list(value)


def _plain_block(item: Any) -> Any:
    if isinstance(item, re.Pattern):
        return {"pattern": item.pattern, "flags": item.flags}
    return item
