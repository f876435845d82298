"""The known formats, and how a file's format is found.

Detection is certain or asks: a file is read as a vendor's only if it has the fields that prove
that format, and no other's, or if another file of the call is and it has what is read of it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from convergekit.entry_points import PlugIns, warn_of_problems
from convergekit.errors import ColumnError, ConvergekitError, ReadError, did_you_mean
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.canonical import check_labels
from convergekit.events.schema import ALIAS
from convergekit.readers.export import Export
from convergekit.readers.fields import Records, Rows
from convergekit.readers.own.likely import suggested
from convergekit.readers.recognition import is_like, lacking, nearest, said_of_nearest
from convergekit.readers.vendors.amplitude import AMPLITUDE
from convergekit.readers.vendors.converge_bigquery import CONVERGE_BIGQUERY
from convergekit.readers.vendors.ga4 import GA4, GA4_FLAT
from convergekit.readers.vendors.klaviyo import KLAVIYO
from convergekit.readers.vendors.matomo import MATOMO, MATOMO_VISITS
from convergekit.readers.vendors.mixpanel import MIXPANEL
from convergekit.readers.vendors.posthog import POSTHOG, POSTHOG_PERSONS
from convergekit.readers.vendors.rudderstack import RUDDERSTACK
from convergekit.readers.vendors.segment import SEGMENT
from convergekit.readers.vendors.segment_tables import SEGMENT_TABLES, SEGMENT_USERS
from convergekit.readers.vendors.shopify import SHOPIFY, SHOPIFY_CHECKOUTS, SHOPIFY_DRAFTS
from convergekit.readers.vendors.shopify_csv import SHOPIFY_CSV
from convergekit.readers.vendors.shopify_graphql import SHOPIFY_GRAPHQL
from convergekit.readers.vendors.snowplow import SNOWPLOW
from convergekit.readers.vendors.stripe import STRIPE
from convergekit.readers.vendors.stripe_csv import STRIPE_CSV
from convergekit.readers.vendors.woocommerce import WOOCOMMERCE
from convergekit.readers.vendors.woocommerce_csv import WOOCOMMERCE_CSV
from convergekit.readers.vendors.woocommerce_orders_csv import WOOCOMMERCE_ORDERS_CSV

#: Read by its own column names: the pixel's, the webhook's, and the canonical ones.
CONVERGE = "converge"
AUTO = "auto"
_BUILT_IN = {
    export.name: export
    for export in (
        CONVERGE_BIGQUERY,
        SEGMENT,
        RUDDERSTACK,
        *SEGMENT_TABLES,
        SHOPIFY,
        SHOPIFY_CHECKOUTS,
        SHOPIFY_CSV,
        SHOPIFY_GRAPHQL,
        WOOCOMMERCE,
        WOOCOMMERCE_CSV,
        WOOCOMMERCE_ORDERS_CSV,
        STRIPE,
        STRIPE_CSV,
        GA4,
        GA4_FLAT,
        POSTHOG,
        POSTHOG_PERSONS,
        MIXPANEL,
        AMPLITUDE,
        SNOWPLOW,
        KLAVIYO,
        MATOMO,
    )
}
#: Known to be told, and not to be read.
_REFUSED = {export.name: export for export in (SEGMENT_USERS, MATOMO_VISITS, SHOPIFY_DRAFTS)}
_registered: dict[str, Export] = {}


def _fault(name: str, made: Any) -> str:
    """Return what is wrong with what a plug-in offers as an export."""
    if not isinstance(made, Export):
        return f"of type {type(made).__name__}, and not a ck.Export"
    return "" if made.name == name else f"a ck.Export of another name, {made.name!r}"


#: The formats of plug-ins.
PLUG_INS = PlugIns("exports", _fault, lambda: (AUTO, CONVERGE, *_BUILT_IN, *_REFUSED))
#: So many rows tell what a file is; a format's fields are on nearly every row.
ROWS_THAT_TELL = 1000


def register_export(export: Export) -> None:
    """Make `read_events` know a format of your own, by name and by its fields.

    Parameters
    ----------
    export : Export
        Registering a name again replaces the earlier format of yours, or that of a plug-in.

    Raises
    ------
    ConvergekitError
        The name is that of a format that comes with convergekit.

    Examples
    --------
    >>> import convergekit as ck
    >>> ck.register_export(ck.Export(
    ...     name="till", documentation="https://till.example.com/export",
    ...     recognised_by=[["receipt_no", "sold_at"]],
    ...     event_name=lambda rows: ["Sale"] * len(rows), timestamp="sold_at",
    ...     aliases={"email": "mail"},
    ... ))
    >>> frame = pd.DataFrame({"receipt_no": [7], "sold_at": ["2026-03-02T10:00:00Z"],
    ...                       "mail": ["ada@example.com"]})
    >>> ck.read_events(frame)["event_name"].tolist()
    ['Sale']
    """
    if not isinstance(export, Export):
        raise ConvergekitError(f"register_export needs a ck.Export; got a {type(export).__name__}.")
    if export.name in (AUTO, CONVERGE, *_BUILT_IN):
        raise ConvergekitError(
            f"{export.name!r} is the name of a format that comes with convergekit; give yours "
            "another."
        )
    _registered[export.name] = export


def format_names() -> list[str]:
    """Return what `format=` takes.

    Examples
    --------
    >>> format_names()[:4]
    ['auto', 'converge', 'converge_bigquery', 'segment']
    """
    plugged = [name for name in PLUG_INS.names() if name not in _BUILT_IN]
    return list(dict.fromkeys([AUTO, CONVERGE, *_BUILT_IN, *plugged, *_registered]))


def check_format(name: str) -> None:
    """Raise if the format is not known, or that of a plug-in which cannot be used."""
    ours = (AUTO, CONVERGE, *_BUILT_IN, *_registered)
    if name in PLUG_INS.names() and name not in ours and (why := PLUG_INS.offer(name).problem):
        raise ReadError(f"format={name!r}: {why}")
    if name not in format_names():
        raise ReadError(
            f"format must be one of {', '.join(map(repr, format_names()))}, or one that you add "
            f"with ck.register_export; got {name!r}.{did_you_mean(str(name), format_names())}"
        )


def warn_of_plug_ins() -> None:
    """Warn of plug-ins whose formats are not looked for, because they cannot be used."""
    warn_of_problems(PLUG_INS.offers(_registered))


def said_of_plug_in(name: str) -> str | None:
    """Return that a plug-in has read rows of a format; None where it was not that of a plug-in."""
    if name in _BUILT_IN or name in _registered or name not in PLUG_INS.names():
        return None
    return f"read as {name!r} by the plug-in {PLUG_INS.offer(name).origin}"


def _exports(refused: Mapping[str, Export] | None = None) -> dict[str, Export]:
    """Return the formats that are read, by name; and those that are refused, if they are given."""
    plugged: dict[str, Export] = {}
    if PLUG_INS.names():
        offers = PLUG_INS.offers(_registered)
        plugged = {one.name: one.made for one in offers if not one.problem}
    return {**_BUILT_IN, **(refused or {}), **plugged, **_registered}


class UntoldError(Exception):
    """A file does not say by itself what format it is in; the other files of a call may."""


def find_format(
    frame: pd.DataFrame, name: str, where: str, others: Collection[str] | None = ()
) -> Export | None:
    """Return the format to read rows by, None for Converge's own spellings.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows as they came.
    name : str
        What the caller said, `AUTO` for nothing.
    where : str
        What to call the file in an error.
    others : collection of str, or None
        The formats that other files of the call are in, None as long as they are not known.

    Raises
    ------
    ReadError
        Several formats fit, or the named one has nothing to read an event's name or time from.
    UntoldError
        None or several fit, and the other files are not known yet.
    """
    if name == CONVERGE or not len(frame):
        return None
    rows = Rows(frame.dropna(how="all").head(ROWS_THAT_TELL))
    exports = _exports(_REFUSED)
    fitting = [name for name, export in exports.items() if export.recognises(rows)]
    if name != AUTO:
        wanted = [
            f"no {what} ({' or '.join(paths)})"
            for what, paths in lacking(exports[name], rows).items()
        ]
        wanted += [f"it has {path}" for path in exports[name].absent if rows.has(path)]
        if not wanted:
            return exports[name]
        looks = f" It looks like {' or '.join(map(repr, fitting))}." if fitting else ""
        raise ReadError(
            f"{where}: not in the format {name!r}: {'; '.join(wanted)}. "
            f"Found: {', '.join(map(str, frame.columns))}.{looks}"
        )
    if _in_converge_spelling(frame):
        fitting.append(CONVERGE)
    fitting = [n for i, n in enumerate(fitting) if not any(map(_alike(n, exports), fitting[:i]))]
    fitting = _of_table(fitting, exports, where)
    if len(fitting) == 1:
        found = exports.get(fitting[0])
        if found is not None and found.refused:
            raise ReadError(f"{where}: {found.refused}")
        return found
    if others is None:
        raise UntoldError
    like = [
        n for n in fitting or exports if n in exports and n in others and is_like(exports[n], rows)
    ]
    if len(like) == 1:
        return exports[like[0]]
    if fitting:
        raise ReadError(
            f"{where}: could be {' or '.join(map(repr, fitting))}; say which with format=, such "
            f"as format={fitting[0]!r}."
        )
    return None


def format_of_records(rows: Records, name: str, where: str) -> str | None:
    """Return the name of the format that records are certainly in, None where that needs a look.

    It is what `find_format` finds of a frame of them, without a frame.

    Examples
    --------
    >>> rows = Records([{"event_name": "A", "timestamp": 1, "aliases": []}])
    >>> format_of_records(rows, "auto", "a.json")
    'converge'
    """
    exports = _exports(_REFUSED)
    fitting = [name for name, export in exports.items() if export.recognises(rows)]
    if rows.needs_a_look:
        return None
    if name in exports:
        return name if name in fitting else None
    if _in_converge_spelling(rows.frame):
        fitting.append(CONVERGE)
    fitting = [n for i, n in enumerate(fitting) if not any(map(_alike(n, exports), fitting[:i]))]
    fitting = _of_table(fitting, exports, where)
    if len(fitting) != 1 or name not in (AUTO, CONVERGE) or (name == CONVERGE != fitting[0]):
        return None
    found = fitting[0]
    if found == CONVERGE:
        return found if {"timestamp", "received_at", "receivedAt"} & rows.frame else None
    return None if exports[found].refused else found


def format_named(name: str) -> Export | None:
    """Return a format by its name, None for Converge's own spellings."""
    return _exports().get(name)


@contextlib.contextmanager
def exports_told(events: Frame, call: str) -> Iterator[None]:
    """Say, where events lack a column because they are an export as it came, how to read it.

    Parameters
    ----------
    events : Frame
        What a caller gave as events.
    call : str
        The function that they were given to, such as ``"ck.stitch"``.

    Raises
    ------
    ColumnError
        As it was raised within, with the format where the rows are in one.

    Examples
    --------
    >>> import convergekit as ck
    >>> rows = pd.DataFrame({"event": ["Order"], "properties": [{"time": 1, "distinct_id": "a"}]})
    >>> ck.stitch(rows)
    Traceback (most recent call last):
    convergekit.errors.ColumnError: the events are an export in the format 'mixpanel', as it came.
    Read it first: ck.stitch(ck.read_events(events)).
    """
    try:
        yield
    except ColumnError as error:
        # Events that can be read only once have been.
        if hasattr(events, "read_next_batch"):
            raise
        head = as_frame(events).head(ROWS_THAT_TELL)
        told = None
        # Of columns without proper names, which no export has, the error says enough.
        with contextlib.suppress(ColumnError):
            check_labels(head)
            told = _told_of_export(head, call) or _told_of_nearest(head, str(error), call)
        if told is None:
            raise
        raise ColumnError(told) from None


def first_rows(events: Frame) -> Frame:
    """Return what `exports_told` looks at of a DataFrame, which does not hold on to the rest."""
    if not isinstance(events, pd.DataFrame):
        return events
    return events.take(np.arange(min(len(events), ROWS_THAT_TELL)))


def refuse_export(events: Frame, columns: Iterable[str], call: str) -> None:
    """Raise if events of which no column became an alias are an export as it came.

    Parameters
    ----------
    events : Frame
        What a caller gave as events.
    columns : iterable of str
        Their columns under canonical names.
    call : str
        The function that they were given to, such as ``"ck.check_up"``.
    """
    with_aliases = any(name == "aliases" or name.startswith(ALIAS) for name in columns)
    if with_aliases or hasattr(events, "read_next_batch"):
        return
    told = _told_of_export(as_frame(events).head(ROWS_THAT_TELL), call)
    if told is not None:
        raise ColumnError(told)


def _told_of_export(head: pd.DataFrame, call: str) -> str | None:
    """Return which export rows are as it came, and how to read it; None if they are of none."""
    try:
        found = find_format(head, AUTO, "the events are an export as it came")
    except ReadError as told:
        # Several formats fit, or one that is refused.
        return f"{told} Read it first: {call}(ck.read_events(events, format=...))."
    if found is None:
        return None
    return (
        f"the events are an export in the format {found.name!r}, as it came. Read it first: "
        f"{call}(ck.read_events(events))."
    )


def _told_of_nearest(head: pd.DataFrame, error: str, call: str) -> str | None:
    """Return an error with the formats that rows may be in, None where they are like none."""
    rows = Rows(head)
    exports = _exports()
    near = {name: lacks for name, lacks in nearest(exports, rows).items()
            if is_like(exports[name], rows)}  # fmt: skip
    if not near:
        return None
    named = f"{call}(ck.read_events(events, format={next(iter(near))!r}))"
    return f"{error} {said_of_nearest(near)} If it is an export, read it first: {named}."


def advice_on(raw: pd.DataFrame) -> Callable[[], str]:
    """Return a function that says what to do about rows in which no format was found."""
    return lambda: unrecognised(raw)


def unrecognised(frame: pd.DataFrame) -> str:
    """Return what to do about rows in which no format was found: nearest formats, and a mapping.

    A mapping is proposed only where no format would read more.

    Examples
    --------
    >>> unrecognised(pd.DataFrame({"event_type": ["A"], "event_time": [1772442480]}))[-47:]
    "If it is one of these, give format='amplitude'."
    """
    rows = Rows(frame.dropna(how="all").head(ROWS_THAT_TELL))
    exports = _exports()
    near = nearest(exports, rows)
    said = said_of_nearest(near)
    readable = [name for name in near if not lacking(exports[name], rows)]
    if readable:
        named = " or ".join(f"format={name!r}" for name in readable)
        return f"{said} If it is one of these, give {named}."
    columns = {name: own for name, (own, _) in suggested(frame.head(ROWS_THAT_TELL))[0].items()}
    if not columns.keys() & {"timestamp", "received_at"}:
        columns["timestamp"] = "..."
    return f"{said} Say what its columns mean, such as columns={columns!r}."


def _of_table(fitting: list[str], exports: Mapping[str, Export], where: str) -> list[str]:
    """Return the formats of the table that the file is named after, all if it is of none."""
    tables = [exports[name].table if name in exports else None for name in fitting]
    # A file may be a part of what lies in a folder of the table's name.
    for part in reversed(PurePath(where).parts[-2:]):
        words = set(_WORD.findall(part.lower()))
        named = [n for n, table in zip(fitting, tables, strict=True) if table in words]
        if named:
            return named
    return fitting


_WORD = re.compile("[a-z]+")


def _alike(name: str, exports: Mapping[str, Export]) -> Callable[[str], bool]:
    """Return a test of whether another format reads rows the same way (Segment, RudderStack)."""

    def alike(other: str) -> bool:
        if name not in exports or other not in exports:
            return False
        one, two = (replace(exports[n], **_NAMING) for n in (name, other))
        return one == two

    return alike


_NAMING: dict[str, Any] = {"name": "", "documentation": "", "recognised_by": [["-"]]}


def _in_converge_spelling(frame: Iterable[str]) -> bool:
    frame = set(frame)
    named = any(name in frame for name in ("event_name", "eventName"))
    return named and any(c == "aliases" or str(c).startswith(ALIAS) for c in frame)
