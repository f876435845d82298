"""Pages of JSON:API as columns: the resources, and beside each what its relationships name.

`json_api` says the same of pages that are decoded; what has an unusual shape is left to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from convergekit.base.json_text import read_json
from convergekit.readers.columns.json_blocks import JsonBlock, KnownTypes, is_text
from convergekit.readers.columns.json_elements import lists_of
from convergekit.readers.json_api import KEYS_OF_A_PAGE
from convergekit.typing import IntArray

_INCLUDED = "included"


def block_of_pages(pages: Sequence[bytes]) -> tuple[JsonBlock, IntArray] | None:
    """Return the resources of pages as a block, and the page of each.

    None if any is something else than a page with a list of resources, or has an unusual shape.

    Examples
    --------
    >>> relation = '{"of": {"data": {"type": "metric", "id": "m"}}}'
    >>> page = f'''{{"data": [{{"type": "event", "id": "1", "relationships": {relation}}}],
    ...           "included": [{{"type": "metric", "id": "m", "n": 2}}]}}'''
    >>> block, page_of = block_of_pages([page.encode()])
    >>> block.cells(("included", "of", "n")), page_of.tolist()
    ([2], [0])
    """
    items: list[bytes] = []
    beside: list[bytes] = []
    counts: list[int] = []
    counts_beside: list[int] = []
    for page in pages:
        found = _parts(page)
        if found is None:
            return None
        items += found[0]
        beside += found[1]
        counts.append(len(found[0]))
        counts_beside.append(len(found[1]))
    own = _read(items)
    if own is None or _INCLUDED in own.names:
        return None
    page_of = np.repeat(np.arange(len(pages)), counts)
    names = _names(own, page_of)
    if names is None or names.null_count:
        return None
    linked = _linked(own, page_of, beside, np.repeat(np.arange(len(pages)), counts_beside))
    return None if linked is None else (_joined(own, items, beside, linked), page_of)


def _parts(page: bytes) -> tuple[list[bytes], list[bytes]] | None:
    """Return the resources of a page and what is included; None if it is not a usual page."""
    found = lists_of(page)
    if found is None:
        return None
    lists, around = found
    try:
        outline = read_json(around.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(outline, dict) or outline.keys() - KEYS_OF_A_PAGE:
        return None
    places = {json.dumps([place]): texts for place, texts in enumerate(lists)}
    items = places.pop(json.dumps(outline.get("data")), None)
    beside = places.pop(json.dumps(outline.get(_INCLUDED)), None)
    if items is None or places or (beside is None and outline.get(_INCLUDED) not in (None, [])):
        return None
    return items, beside or []


def _read(texts: Sequence[bytes]) -> JsonBlock | None:
    block = KnownTypes().read(texts, lambda text: None) if texts else None
    return None if block is None or block.reasons else block


def _names(block: JsonBlock, page_of: IntArray, *path: str) -> pa.Array | None:
    """Return what tells the resource at a path: its page, type and ID; None if not all are text."""
    kind, own = block.array((*path, "type")), block.array((*path, "id"))
    if kind is None or own is None or not (is_text(kind.type) and is_text(own.type)):
        return None
    text = pa.large_string()
    kind, own = kind.cast(text), own.cast(text)
    # With the length of the type, no two of them are told by one text.
    size = pc.binary_length(kind).cast(text)
    between = pa.scalar(":", text)
    return pc.binary_join_element_wise(pa.array(page_of).cast(text), size, kind, own, between)


def _linked(
    own: JsonBlock, page_of: IntArray, beside: list[bytes], page_beside: IntArray
) -> dict[str, tuple[IntArray, JsonBlock, IntArray]] | None:
    """Return, by the name of a relationship, the place of what each resource refers to.

    As places in `beside`, the block of those, and the places in this; -1 where there is none.
    """
    relationships = own.array(("relationships",))
    if relationships is None or not pa.types.is_struct(relationships.type) or not beside:
        usual = relationships is None or pa.types.is_nested(relationships.type)
        return {} if usual else None
    included = _read(beside)
    named = None if included is None else _names(included, page_beside)
    if named is None:
        return None
    found = {}
    for field in relationships.type:
        names = _names(own, page_of, "relationships", field.name, "data")
        if names is None:
            continue
        # Of several with one name, the last counts.
        last = pc.index_in(names, named[::-1], skip_nulls=True)
        at = pc.subtract(len(named) - 1, last).fill_null(-1).to_numpy().astype(np.int64)
        used = np.unique(at[at >= 0])
        if not len(used):
            continue
        # Each kind is read apart, because they have fields of one name and other types.
        block = _read([beside[place] for place in used.tolist()])
        if block is None:
            return None
        found[field.name] = (at, block, np.where(at < 0, -1, np.searchsorted(used, at)))
    return found


def _joined(
    own: JsonBlock,
    items: list[bytes],
    beside: list[bytes],
    linked: dict[str, tuple[IntArray, JsonBlock, IntArray]],
) -> JsonBlock:
    fields = []
    inside: list[list[bytes]] = [[] for _ in items]
    for name, (at, block, within) in linked.items():
        fields.append(block.objects.take(pa.array(within, mask=within < 0)))
        key = json.dumps(name).encode() + b":"
        for texts, number in zip(inside, at.tolist(), strict=True):
            if number >= 0:
                texts.append(key + beside[number])
    texts = [
        b"%s,%s:{%s}}" % (item[:-1], json.dumps(_INCLUDED).encode(), b",".join(more))
        for item, more in zip(items, inside, strict=True)
    ]
    included = (
        pa.StructArray.from_arrays(fields, list(linked))
        if fields
        else pa.array([{}] * len(items), type=pa.struct([]))
    )
    cells = own.objects
    columns = [cells.field(place) for place in range(cells.type.num_fields)]
    names = [field.name for field in cells.type]
    # Fields are in the order in which they first come: it is the last of the first resource.
    place = len(own.records([0])[0])
    columns.insert(place, included)
    names.insert(place, _INCLUDED)
    return JsonBlock(pa.StructArray.from_arrays(columns, names), texts, {})
