"""Visits of Matomo, each with a list of its actions: a row for every action.

`Live.getLastVisitsDetails` answers with visits that hold their `actionDetails`,
https://developer.matomo.org/api-reference/reporting-api#Live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from convergekit.base.records import frame_from_records
from convergekit.readers.fields import Rows

_ACTIONS = "actionDetails"


def is_visit(record: Any) -> bool:
    """Return whether the record is a visit that lists its actions.

    Examples
    --------
    >>> is_visit({"idVisit": 1, "visitorId": "a", "actionDetails": []}), is_visit({"idVisit": 1})
    (True, False)
    """
    return (
        type(record) is dict
        and type(record.get(_ACTIONS)) is list
        and {"idVisit", "visitorId"} <= record.keys()
    )


def actions(visit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each action with its visit and its place in it; a visit without one is one row.

    Examples
    --------
    >>> actions({"idVisit": 1, "visitorId": "a", "actionDetails": [{"type": "action"}]})
    [{'visit': {'idVisit': 1, 'visitorId': 'a'}, 'action': {'type': 'action'}, 'position': 0}]
    """
    own = {key: value for key, value in visit.items() if key != _ACTIONS}
    first = next((a for a in visit[_ACTIONS] if isinstance(a, dict) and "timestamp" in a), {})
    if "timestamp" in first:
        own["firstTimestamp"] = first["timestamp"]
    return [
        {"visit": own, "action": action, "position": place}
        for place, action in enumerate(visit[_ACTIONS] or [None])
    ]


def opened_visits(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return a frame of visits as one of their actions, any other as it is.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    frame : pandas.DataFrame
    reasons : dict of int to str
        Per position in it of a visit whose actions cannot be read, why.

    Examples
    --------
    >>> visits = pd.DataFrame({"idVisit": [1, 2], "visitorId": ["a", "b"],
    ...                        "actionDetails": [[{"type": "action"}, {"type": "search"}], "none"]})
    >>> found, reasons = opened_visits(visits)
    >>> found["action"].tolist(), reasons
    ([{'type': 'action'}, {'type': 'search'}, None], {2: 'actionDetails: not a list'})
    """
    if not {"idVisit", "visitorId", _ACTIONS} <= set(frame.columns):
        return frame, {}
    rows = Rows(frame)
    given, lists = rows[_ACTIONS], rows.lists(_ACTIONS)
    names = [str(name) for name in frame.columns if name != _ACTIONS]
    visits = zip(*(rows[name] for name in names), strict=True)
    found: list[dict[str, Any]] = []
    reasons: dict[int, str] = {}
    for place, (visit, cell, listed) in enumerate(zip(visits, given, lists, strict=True)):
        if listed is None and cell is not None:
            reasons[len(found)] = rows.reasons.get(place, f"{_ACTIONS}: not a list")
        own = {key: value for key, value in zip(names, visit, strict=True) if value is not None}
        found += actions({**own, _ACTIONS: listed or []})
    return frame_from_records(found), reasons
