"""`frame_schema`: a pandera schema of event frames. The reader itself says what is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from convergekit.base.options import choice
from convergekit.errors import ConvergekitError
from convergekit.events.canonical import canonicalise
from convergekit.events.normalise import normalise
from convergekit.identity.read_aliases import read_aliases

if TYPE_CHECKING:
    import pandera.pandas

FrameKind = Literal["events", "stitched"]


def frame_schema(of: FrameKind = "events") -> pandera.pandas.DataFrameSchema:
    """Return a pandera schema of an event frame, for a step of a pipeline.

    Parameters
    ----------
    of : {"events", "stitched"}, default "events"
        ``"events"`` is what `stitch` takes, in the canonical names or in any spelling that
        `read_events` takes as ``format="converge"``: rows that would be rejected and rows with a
        malformed alias are failure cases, by the frame's index; `Stitched.rejected` and
        `Report.malformed_rows` say why. ``"stitched"`` is
        `Stitched.events`: the columns that are always there, and their types.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        It leaves the frame as it is: it changes no types, and lets other columns be.

    Raises
    ------
    ConvergekitError
        The package pandera is not installed.

    Notes
    -----
    Needs ``pip install "convergekit[pandera]"``.

    See Also
    --------
    event_schema : The JSON Schema of a row, for other languages.

    Examples
    --------
    >>> import pandas as pd
    >>> import convergekit as ck
    >>> events = pd.DataFrame({
    ...     "event_name": ["PageView", "Placed Order"],
    ...     "timestamp": ["2026-03-02T10:00:00Z", "soon"],
    ...     "alias.cookie": ["7f3a", "7f3a"],
    ... })
    >>> schema = ck.frame_schema()
    >>> len(schema.validate(events.head(1)))
    1
    >>> import pandera.errors
    >>> try:
    ...     _ = schema.validate(events, lazy=True)
    ... except pandera.errors.SchemaErrors as errors:
    ...     cases = errors.failure_cases
    >>> cases[["check", "index"]].drop_duplicates().values.tolist()
    [['the row would be rejected', 1]]
    """
    choice("of", of, FrameKind)
    try:
        import pandera.pandas as pa
    except ImportError:
        raise ConvergekitError(
            'frame_schema needs the package pandera: pip install "convergekit[pandera]".'
        ) from None
    return _stitched(pa) if of == "stitched" else _events(pa)


def _events(pa: Any) -> Any:
    """Return the schema of what `stitch` takes."""
    return pa.DataFrameSchema(
        checks=[
            pa.Check(_accepted, name="accepted", error="the row would be rejected"),
            pa.Check(_with_aliases, name="aliases", error="an alias of the row is malformed"),
        ],
        title="Events",
        description="Events as convergekit.stitch takes them.",
    )


def _stitched(pa: Any) -> Any:
    """Return the schema of what `Stitched.events` holds."""
    moment = pd.DatetimeTZDtype("us", "UTC")
    text = pd.StringDtype(na_value=np.nan)
    return pa.DataFrameSchema(
        {
            "row": pa.Column("int64", unique=True, description="The position in the input."),
            "kind": pa.Column(text, pa.Check.isin(["track", "identify"])),
            "event_id": pa.Column(text, nullable=True),
            "event_name": pa.Column(text, nullable=True, description="None for identify calls."),
            "timestamp": pa.Column(moment),
            "received_at": pa.Column(moment, nullable=True, required=False),
            "source": pa.Column(text, nullable=True),
            "profile_id": pa.Column(text, nullable=True, description="None without an alias."),
        },
        checks=[
            pa.Check(
                lambda events: events["event_name"].isna() == (events["kind"] == "identify"),
                name="named",
                error="an event has a name, and an identify call has none",
            )
        ],
        title="Stitched events",
        description="The column events of a convergekit.Stitched.",
    )


def _accepted(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are events or identify calls, as `stitch` decides it."""
    found = pd.Series(True, index=frame.index)
    found.iloc[normalise(canonicalise(frame)).rejected["row"].to_numpy()] = False
    return found


def _with_aliases(frame: pd.DataFrame) -> pd.Series:
    """Return which rows have no malformed alias."""
    events = normalise(canonicalise(frame)).events
    malformed = read_aliases(events).malformed["position"].to_numpy(dtype=np.int64)
    found = pd.Series(True, index=frame.index)
    found.iloc[events["row"].to_numpy()[malformed]] = False
    return found
