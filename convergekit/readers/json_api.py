"""Answers in the form of JSON:API: the resources of a page, each with what it refers to.

https://jsonapi.org/format/ defines such a document: the resources stand in `data`, and in
`included` those that their `relationships` name by type and ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What a document may have at its top, https://jsonapi.org/format/#document-top-level.
KEYS_OF_A_PAGE = frozenset({"data", "included", "links", "meta", "jsonapi", "errors"})


def is_page(record: Any) -> bool:
    """Return whether the record is a document of resources, of one or of a list of them.

    Examples
    --------
    >>> is_page({"data": [{"type": "event", "id": "1", "attributes": {}}], "links": {}})
    True
    >>> is_page({"data": {"type": "event", "id": "1", "attributes": {}}})
    True
    >>> is_page({"data": [1, 2]}), is_page({"event_name": "A"})
    (False, False)
    """
    found = _primary(record) if type(record) is dict else None
    return (
        type(found) is list
        and not record.keys() - KEYS_OF_A_PAGE
        and all(type(item) is dict and {"type", "id"} <= item.keys() for item in found)
    )


def resources(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources of a page, each with `included`: what each relationship names.

    Examples
    --------
    >>> metric = {"type": "metric", "id": "m", "attributes": {"name": "Opened Email"}}
    >>> link = {"metric": {"data": {"type": "metric", "id": "m"}}}
    >>> event = {"type": "event", "id": "1", "relationships": link}
    >>> (found,) = resources({"data": [event], "included": [metric]})
    >>> found["included"]["metric"]["attributes"]
    {'name': 'Opened Email'}
    """
    included: dict[tuple[str, str] | None, dict[str, Any]] = {
        name: item
        for item in _objects(page.get("included"))
        if (name := _identifier(item)) is not None
    }
    return [
        {**item, "included": _referred(item.get("relationships"), included)}
        for item in _primary(page)
    ]


def _primary(page: Mapping[str, Any]) -> Any:
    """Return the list of what a document is about; a document of one resource has no list."""
    found = page.get("data")
    return [found] if type(found) is dict else found


def _referred(
    relationships: Any, included: Mapping[tuple[str, str] | None, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    found = {}
    for name, relation in relationships.items() if isinstance(relationships, dict) else ():
        link = relation.get("data") if isinstance(relation, dict) else None
        named = _identifier(link) if isinstance(link, dict) else None
        if named in included:
            found[name] = included[named]
    return found


def _identifier(item: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the type and ID that name a resource, None where one of them is not text."""
    kind, name = item.get("type"), item.get("id")
    return (kind, name) if isinstance(kind, str) and isinstance(name, str) else None


def _objects(found: Any) -> Sequence[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
