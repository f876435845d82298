"""The known formats, and how a file's format is found.

Detection is certain or asks: a file is read as a vendor's only if it has the fields that prove
that format, and no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from convergekit.errors import ConvergekitError, ReadError, did_you_mean
from convergekit.events.schema import ALIAS
from convergekit.readers.export import Export
from convergekit.readers.fields import Rows
from convergekit.readers.vendors.amplitude import AMPLITUDE
from convergekit.readers.vendors.converge_bigquery import CONVERGE_BIGQUERY
from convergekit.readers.vendors.ga4 import GA4
from convergekit.readers.vendors.klaviyo import KLAVIYO
from convergekit.readers.vendors.mixpanel import MIXPANEL
from convergekit.readers.vendors.posthog import POSTHOG
from convergekit.readers.vendors.rudderstack import RUDDERSTACK
from convergekit.readers.vendors.segment import SEGMENT
from convergekit.readers.vendors.shopify import SHOPIFY
from convergekit.readers.vendors.snowplow import SNOWPLOW

#: Read by its own column names: the pixel's, the webhook's, and the canonical ones.
CONVERGE = "converge"
AUTO = "auto"
_BUILT_IN = {
    export.name: export
    for export in (
        CONVERGE_BIGQUERY,
        SEGMENT,
        RUDDERSTACK,
        SHOPIFY,
        GA4,
        POSTHOG,
        MIXPANEL,
        AMPLITUDE,
        SNOWPLOW,
        KLAVIYO,
    )
}
_registered: dict[str, Export] = {}
#: So many rows tell what a file is; a format's fields are on nearly every row.
LOOKED_AT = 1000


def register_export(export: Export) -> None:
    """Make `read_events` know a format of your own, by name and by its fields.

    Parameters
    ----------
    export : Export
        Registering a name again replaces the earlier format of yours.

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
    return [AUTO, CONVERGE, *_BUILT_IN, *_registered]


def check_format(name: str) -> None:
    """Raise if the format is not known."""
    if name not in format_names():
        raise ReadError(
            f"format must be one of {', '.join(map(repr, format_names()))}, or one that you add "
            f"with ck.register_export; got {name!r}.{did_you_mean(str(name), format_names())}"
        )


def find_format(frame: pd.DataFrame, name: str, where: str) -> Export | None:
    """Return the format to read rows by, None for Converge's own spellings.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows as they came.
    name : str
        What the caller said, `AUTO` for nothing.
    where : str
        What to call the file in an error.

    Raises
    ------
    ReadError
        Several formats fit, or the named one does not.
    """
    if name == CONVERGE or not len(frame):
        return None
    rows = Rows(frame.dropna(how="all").head(LOOKED_AT))
    exports = {**_BUILT_IN, **_registered}
    fitting = [name for name, export in exports.items() if export.recognises(rows)]
    if name != AUTO:
        if name in fitting:
            return exports[name]
        wanted = " or ".join(" + ".join(paths) for paths in exports[name].recognised_by)
        looks = f" It looks like {' or '.join(map(repr, fitting))}." if fitting else ""
        raise ReadError(
            f"{where}: not in the format {name!r}, whose rows have {wanted}. "
            f"Found: {', '.join(map(str, frame.columns))}.{looks}"
        )
    if _in_converge_spelling(frame):
        fitting.append(CONVERGE)
    fitting = [n for i, n in enumerate(fitting) if not any(map(_alike(n, exports), fitting[:i]))]
    if len(fitting) > 1:
        raise ReadError(
            f"{where}: could be {' or '.join(map(repr, fitting))}; say which with format=, such "
            f"as format={fitting[0]!r}."
        )
    return exports.get(fitting[0]) if fitting else None


def _alike(name: str, exports: Mapping[str, Export]) -> Callable[[str], bool]:
    """Return a test of whether another format reads rows the same way (Segment, RudderStack)."""

    def alike(other: str) -> bool:
        if name not in exports or other not in exports:
            return False
        one, two = (replace(exports[n], **_NAMING) for n in (name, other))
        return one == two

    return alike


_NAMING: dict[str, Any] = {"name": "", "documentation": "", "recognised_by": [["-"]]}


def _in_converge_spelling(frame: pd.DataFrame) -> bool:
    named = any(name in frame for name in ("event_name", "eventName"))
    return named and any(c == "aliases" or str(c).startswith(ALIAS) for c in frame)
