"""The label of an entry: what a breakdown knows of a profile at the event with which it enters.

Whatever a group hangs on must be fixed before the outcome is known. So a campaign is what the
*visit* of the entry had sent up to the entry: what a profile has carried from earlier visits, and
what it will send later, depends on how often it comes, and who comes often buys more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from convergekit.base.text import known_characters
from convergekit.events.campaigns import TAGS, is_campaign
from convergekit.events.schema import PROFILE, PROFILE_PROPERTY, PROPERTY, missing
from convergekit.events.steps import single_valued
from convergekit.typing import IntArray
from convergekit.visits.sessions import FoundSessions
from convergekit.visits.traffic import PAGES, sent_text

Label = Literal["visit", "carried"]

#: What a visit says itself, beside its tags.
_OF_VISITS = ("channel", "click_id", "landing_page", "referrer")


@dataclass(frozen=True)
class EntryLabel:
    """Where the values of one column of a breakdown are read.

    Attributes
    ----------
    name : str
        What the column is called in the result: that of the events, or `utm_source` and the like.
    read : {"entry", "visit", "sent"}
        Whether it is the value of a column at the entry; what a visit says of itself, as
        `Stitched.sessions` has it; or the first value of a property that the visit had sent.
    """

    name: str
    read: Literal["entry", "visit", "sent"]

    def said(self) -> str:
        """Return in words what the values are."""
        if self.read == "entry":
            return "the value at the entry"
        return "what the visit of the entry had sent by then"


def entry_labels(events: pd.DataFrame, by: Sequence[str], label: Label) -> list[EntryLabel]:
    """Return where each column of a breakdown is read.

    Parameters
    ----------
    events : pandas.DataFrame
    by : sequence of str
        Columns or short names of properties. `channel`, `click_id`, `landing_page` and `referrer`
        are the visit's, if no column goes by that name.
    label : {"visit", "carried"}
        Whether a campaign property is what the visit had sent, or what the profile carried.

    Raises
    ------
    ColumnError
        No column, or more than one, matches a name, or it holds lists or objects.

    Examples
    --------
    >>> events = pd.DataFrame({
    ...     "profile_properties.utm_source": ["ads"], "profile.utm_source": ["ads"],
    ...     "properties.plan": ["free"],
    ... })
    >>> found = entry_labels(events, ["utm_source", "plan"], "visit")
    >>> [(label.name, label.said()) for label in found]  # doctest: +NORMALIZE_WHITESPACE
    [('utm_source', 'what the visit of the entry had sent by then'),
     ('properties.plan', 'the value at the entry')]
    """
    found = []
    for name in dict.fromkeys(by):
        asked = _of_visit(events, name) if label == "visit" else None
        found.append(asked or EntryLabel(single_valued(events, name, option="by"), "entry"))
    return list(dict.fromkeys(found))


def labels_at(
    events: pd.DataFrame,
    labels: Sequence[EntryLabel],
    at: IntArray,
    sessions: Callable[[], FoundSessions],
) -> dict[str, pd.Series]:
    """Return the labels of entries.

    Parameters
    ----------
    events : pandas.DataFrame
    labels : sequence of EntryLabel
    at : numpy.ndarray of int
        The position of each entry's event, -1 for none.
    sessions : callable
        Returns the sessions of the events; called if a visit is asked.

    Returns
    -------
    dict of str to pandas.Series
        Per column a value for each entry, missing where there is none.
    """
    visits = cache(sessions)
    until = cache(lambda: visits().until(at))
    rows = np.arange(len(at))

    def read(label: EntryLabel) -> pd.Series:
        if label.read == "visit":
            return until().text(label.name, rows)
        if label.read == "sent":
            return visits().first_sent(sent_text(events, label.name), at).take(rows)
        values = values_at(events[label.name], at)
        return values.mask(missing(values))

    return {label.name: read(label) for label in labels}


def values_at(column: pd.Series, at: IntArray) -> pd.Series:
    """Return the values at these positions, missing at -1; half a character is a question mark.

    Examples
    --------
    >>> values_at(pd.Series(["a", "b"], dtype="str"), np.array([1, -1])).tolist()
    ['b', nan]
    """
    cells = column.array.take(at, allow_fill=True)
    if column.dtype != object:
        return pd.Series(cells)
    known = [known_characters(cell) if isinstance(cell, str) else cell for cell in cells]
    return pd.Series(known, index=range(len(at)), dtype=object).infer_objects()


def label_counts(
    events: pd.DataFrame, label: EntryLabel, sessions: Callable[[], FoundSessions]
) -> pd.Series:
    """Return how often the data have each value, whichever entries are asked about.

    Parameters
    ----------
    events : pandas.DataFrame
    label : EntryLabel
    sessions : callable
        Returns the sessions of the events; called if a visit is asked.
    """
    if label.read == "visit":
        found = sessions()
        values = found.text(label.name, np.arange(len(found.visitor)))
    elif label.read == "sent":
        sent = sent_text(events, label.name)
        values = sent.take(np.arange(len(events)))
    else:
        values = values_at(events[label.name], np.arange(len(events)))
    return values[~missing(values)].value_counts()


def most_usual(counts: pd.Series, most: int) -> list[Any]:
    """Return the values that there are most of.

    Examples
    --------
    >>> most_usual(pd.Series([1, 2, 2], index=["a", "c", "b"]), 2)
    ['b', 'c']
    """
    table = counts.rename("count").rename_axis("value").reset_index()
    table["text"] = table["value"].astype(str)
    ordered = table.sort_values(["count", "text"], ascending=[False, True], kind="stable")
    return list(ordered["value"].head(most))


def _of_visit(events: pd.DataFrame, name: str) -> EntryLabel | None:
    """Return how a visit is asked for this name; None if a column of the events is meant."""
    if name in events and not name.startswith(PROFILE):
        return None
    short = name.removeprefix(PROFILE)
    if PROFILE_PROPERTY + short in events or (short in TAGS and _is_sent(events, short)):
        if short in TAGS:
            return EntryLabel(short, "visit")
        return EntryLabel(short, "sent") if is_campaign(short) else None
    # No column says it: it is the visit's own.
    own = short in _OF_VISITS and name == short and PROPERTY + short not in events
    return EntryLabel(short, "visit") if own else None


def _is_sent(events: pd.DataFrame, tag: str) -> bool:
    """Whether events may have sent a tag: carried values alone do not say so."""
    return PROPERTY + tag in events or any(
        prefix + page in events for page in PAGES for prefix in (PROFILE_PROPERTY, PROPERTY)
    )
