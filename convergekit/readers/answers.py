"""Answers of an API that wrap rows: which key holds them, or that nothing is wrapped.

One rule: exactly one key holds a list of objects, and the others hold scalars, nothing or a small
object (``links``, ``meta``). An event may look like that too, an order with its items for one: what
has the key of an ID, a time or a name is a row itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_IDS = frozenset({"id", "uuid"})
_TIMES = frozenset({"time", "timestamp", "date", "created", "at"})
#: Words in the keys of a row; an answer has none of them beside its rows.
_OF_A_ROW = _IDS | _TIMES | {"ids", "event", "name", "email", "user", "properties", "updated"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
#: Beside rows stand a few links and counts.
_MOST_KEYS = 12


def rows_inside(answer: Any, *, alone: bool) -> list[Any] | None:
    """Return the rows inside an answer, None if it does not wrap any.

    Parameters
    ----------
    answer : object
    alone : bool
        Whether it is all that the file holds, and may be the wrapping of a single row.

    Returns
    -------
    list or None
        Objects, or text that says why there is none.

    Examples
    --------
    >>> rows_inside({"orders": [{"id": 1}], "count": 1, "links": {"next": None}}, alone=False)
    [{'id': 1}]
    >>> rows_inside({"order": {"id": 1, "created_at": "2026-03-02"}}, alone=True)
    [{'id': 1, 'created_at': '2026-03-02'}]
    >>> rows_inside({"columns": ["event", "n"], "results": [["A", 1], ["B"]]}, alone=True)
    [{'event': 'A', 'n': 1}, 'expected 2 fields, found 1']
    >>> rows_inside({"order_id": 1, "items": [{"sku": "A"}]}, alone=True)
    """
    if type(answer) is not dict or not answer:
        return None
    for found in (_table(answer), _connection(answer)):
        if found is not None:
            return found
    lists = [key for key, value in answer.items() if _is_objects(value) and value]
    lists = lists or [key for key, value in answer.items() if value == []]
    if len(lists) == 1:
        beside = {key: value for key, value in answer.items() if key != lists[0]}
        # A batch says when it was sent.
        is_row = any(words & _OF_A_ROW and "sent" not in words for words in map(_words, beside))
        wraps = not is_row and all(map(_is_small, beside.values()))
        return list(answer[lists[0]]) if wraps else None
    ((_, only), *others) = answer.items()
    return [only] if alone and not others and _is_row(only) else None


def _table(answer: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows of a query's answer: names in `columns`, lists of values in `results`."""
    names, rows = answer.get("columns"), answer.get("results")
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    known = bool(names) and all(type(name) is str for name in names)
    if not known or len(set(names)) < len(names) or not all(type(row) is list for row in rows):
        return None
    return [
        dict(zip(names, row, strict=True))
        if len(row) == len(names)
        else f"expected {len(names)} fields, found {len(row)}"
        for row in rows
    ]


def _connection(answer: Mapping[str, Any]) -> list[Any] | None:
    """Return the rows of a GraphQL answer: the nodes of the one connection in `data`.

    https://relay.dev/graphql/connections.htm defines connections.
    """
    data = answer.get("data")
    if type(data) is not dict or answer.keys() - {"data", "errors", "extensions"}:
        return None
    found = [nodes for value in data.values() if (nodes := nodes_of(value)) is not None]
    return found[0] if len(found) == 1 else None


def nodes_of(value: Any) -> list[Any] | None:
    """Return the nodes of a GraphQL connection, None if it is not one.

    Examples
    --------
    >>> nodes_of({"edges": [{"node": {"id": 1}}]}), nodes_of({"nodes": [{"id": 1}]}), nodes_of({})
    ([{'id': 1}], [{'id': 1}], None)
    """
    if type(value) is not dict:
        return None
    nodes, edges = value.get("nodes"), value.get("edges")
    if isinstance(nodes, list) and _is_objects(nodes):
        return list(nodes)
    if (
        isinstance(edges, list)
        and _is_objects(edges)
        and all(type(edge.get("node")) is dict for edge in edges)
    ):
        return [edge["node"] for edge in edges]
    return None


def _is_objects(value: Any) -> bool:
    return type(value) is list and all(type(item) is dict for item in value)


def _is_small(value: Any) -> bool:
    if type(value) is dict:
        return len(value) <= _MOST_KEYS
    return type(value) is not list or not any(type(item) is dict for item in value)


def _is_row(value: Any) -> bool:
    words = set().union(*map(_words, value)) if type(value) is dict and value else set()
    return bool(words & _IDS and words & _TIMES)


def _words(key: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(key)}
