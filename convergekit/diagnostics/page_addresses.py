"""Whether events have the pages' addresses by which visits are told, as the report says it."""

from __future__ import annotations

import pandas as pd

from convergekit.events.campaigns import TAGS
from convergekit.events.schema import PROFILE_PROPERTY, PROPERTY, missing
from convergekit.visits.traffic import PAGES

_WITHOUT = (
    "no page's address in any event: visits are told by the browsers and event names that send tags"
)


def address_remarks(events: pd.DataFrame) -> dict[str, int]:
    """Return on how many events a campaign was sent where no event has a page's address.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.utm_source": ["google", None]})
    >>> list(address_remarks(events).values())
    [1]
    >>> address_remarks(events.assign(**{"properties.$url": "https://shop.example/"}))
    {}
    """
    return address_remark(*pages_and_tags(events))


def address_remark(has_pages: bool, tagged: int) -> dict[str, int]:
    """Return the remark where no event has a page's address, and some send a campaign."""
    return {_WITHOUT: tagged} if tagged and not has_pages else {}


def pages_and_tags(events: pd.DataFrame) -> tuple[bool, int]:
    """Return whether an event has a page's address, and how many send a campaign if none has."""
    kinds = (PROFILE_PROPERTY, PROPERTY)
    pages = [kind + page for kind in kinds for page in PAGES if kind + page in events]
    if any((~missing(events[page])).any() for page in pages):
        return True, 0
    tags = [kind + tag for kind in kinds for tag in TAGS if kind + tag in events]
    sent = ~pd.DataFrame({tag: missing(events[tag]) for tag in tags})
    return False, int(sent.any(axis=1).sum())
