"""Visits of Matomo, each with a list of its actions: a row for every action.

`Live.getLastVisitsDetails` answers with visits that hold their `actionDetails`,
https://developer.matomo.org/api-reference/reporting-api#Live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
