"""How near rows are to a format: which of its fields they lack, and what is said about that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from convergekit.readers.export import Export, rows_of
from convergekit.readers.fields import Field, Rows

#: So many formats are named where none fits.
_NEAREST = 3
_NEEDED = {"event_name": "event name", "timestamp": "time"}


class _Asked(Rows):
    """Rows that remember which paths a field asks for.

    Attributes
    ----------
    asked : dict of str to None
        The paths, in their order; not those on the way to another.
    whole : bool
        Whether the frame itself was looked at.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.asked: dict[str, None] = {}
        self.whole = False
        self._within = False
        super().__init__(frame)

    @property
    def frame(self) -> pd.DataFrame:
        self.whole |= not self._within
        return self._frame

    def __getitem__(self, path: str) -> list[Any]:
        with self._noted(path):
            return super().__getitem__(path)

    def objects(self, path: str) -> list[dict[str, Any]]:
        with self._noted(path):
            return super().objects(path)

    def lists(self, path: str) -> list[list[Any] | None]:
        with self._noted(path):
            return super().lists(path)

    def object_lists(self, path: str) -> list[list[dict[str, Any]] | None]:
        with self._noted(path):
            return super().object_lists(path)

    @contextlib.contextmanager
    def _noted(self, path: str) -> Iterator[None]:
        before = self._within
        if not before:
            self.asked.setdefault(path)
        self._within = True
        try:
            yield
        finally:
            self._within = before


def paths_of(field: Field, rows: Rows) -> list[str] | None:
    """Return the paths that a field reads; None of a function that does not ask by path.

    Examples
    --------
    >>> from convergekit.readers.fields import first_of
    >>> paths_of(first_of("sent_at", "meta.time"), Rows(pd.DataFrame({"sent_at": [1]})))
    ['meta.time', 'sent_at']
    """
    if isinstance(field, str):
        return [field]
    frame = rows.frame
    # What is there may save a function from asking for more: so also of a row without anything.
    nothing = pd.DataFrame({name: pd.Series([None], dtype=object) for name in frame.columns})
    found: dict[str, None] = {}
    for shown in (frame, nothing):
        asked = _Asked(shown)
        try:
            field(asked)
        except Exception:
            # A field of the user's own may not bear this; reading will say so.
            return None
        if asked.whole:
            return None
        found |= asked.asked
    return list(found)


def paths_read(export: Export, rows: Rows) -> list[str] | None:
    """Return all paths that a format reads; None where it may read any column.

    Examples
    --------
    >>> till = Export(name="till", documentation="", recognised_by=[["receipt"]],
    ...               event_name=lambda rows: ["Sale"] * len(rows), timestamp="sold_at",
    ...               aliases={"email": "buyer.mail"})
    >>> paths_read(till, Rows(pd.DataFrame({"receipt": [7]})))
    ['sold_at', 'buyer.mail']
    """
    if export.also or export.lines is not None or export.prepare is not None:
        return None
    single = (export.event_id, export.event_name, export.timestamp, export.received_at,
              export.unset)  # fmt: skip
    fields: list[Any] = [field for field in single if field is not None]
    for given in export.aliases.values():
        fields += [given] if isinstance(given, str) or callable(given) else given
    for mapping in (export.properties, export.profile_properties, export.set_once):
        fields += mapping.values()
    found: list[str] = []
    for field in fields:
        paths = paths_of(field, rows)
        if paths is None:
            return None
        found += paths
    return list(dict.fromkeys(found))


def lacking(export: Export, rows: Rows) -> dict[str, list[str]]:
    """Return what a format reads its event name and time from, where the rows have none of it.

    Parameters
    ----------
    export : Export
    rows : Rows

    Returns
    -------
    dict of str to list of str
        By ``"event name"`` and ``"time"`` the paths of which one is needed.
    """
    if export.recognises(rows):
        return {}
    rows = rows_of(export, rows.frame)
    found = {}
    for name, words in _NEEDED.items():
        paths = paths_of(getattr(export, name), rows)
        if paths and not any(map(rows.has, paths)):
            found[words] = paths
    return found


def is_like(export: Export, rows: Rows) -> bool:
    """Return whether rows have half of what proves a format, and its event name and time.

    That is enough where another file of the call is in the format.
    """
    half = any(2 * sum(map(rows.has, paths)) >= len(paths) for paths in export.recognised_by)
    return half and not lacking(export, rows) and not any(map(rows.has, export.absent))


def nearest(exports: Mapping[str, Export], rows: Rows) -> dict[str, list[str]]:
    """Return the formats that are nearest to rows, and the fields that prove them but are lacking.

    Parameters
    ----------
    exports : mapping of str to Export
    rows : Rows

    Examples
    --------
    >>> till = Export(name="till", documentation="", recognised_by=[["receipt", "sold_at"]],
    ...               event_name="kind", timestamp="sold_at")
    >>> nearest({"till": till}, Rows(pd.DataFrame({"sold_at": ["2026-03-02"]})))
    {'till': ['receipt']}
    """
    found: list[tuple[float, int, str, list[str]]] = []
    for place, (name, export) in enumerate(exports.items()):
        if any(map(rows.has, export.absent)):
            continue
        for paths in export.recognised_by:
            lacks = [path for path in paths if not rows.has(path)]
            if len(lacks) < len(paths):
                found.append((len(lacks) / len(paths), place, name, lacks))
    best: dict[str, list[str]] = {}
    for _, _, name, lacks in sorted(found):
        best.setdefault(name, lacks)
    return dict(list(best.items())[:_NEAREST])


def said_of_nearest(found: Mapping[str, Iterable[str]]) -> str:
    """Return a sentence about the formats that are nearest, empty without any.

    Examples
    --------
    >>> said_of_nearest({"ga4": ["event_params"], "snowplow": ["event"]})
    "No format fits; nearest are 'ga4' (without event_params), 'snowplow' (without event)."
    """
    if not found:
        return "No format has any of these columns."
    near = [f"{name!r} (without {', '.join(lacks)})" for name, lacks in found.items()]
    return f"No format fits; nearest {'is' if len(near) == 1 else 'are'} {', '.join(near)}."
