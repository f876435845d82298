"""The funnel that the names of the events suggest: page, cart, order.

What sends an event names it: ``page_view``, ``$pageview`` and ``PageView`` are one thing. The names
below are those of the formats that `convergekit.readers` reads and of their tools' own
documentation of e-commerce events; letters alone are compared, in any case.
"""

from __future__ import annotations

import re

import pandas as pd

from convergekit.events.steps import tracked

#: What begins a funnel, the more general first; what is bought goes into the cart; an order.
_PAGES = (
    ("pageview", "pageviewed", "viewedpage", "webpageview", "mpwebpageview", "screenview"),
    ("viewedproduct", "productviewed", "viewitem", "viewcontent", "productview", "productdetail"),
    ("sessionstart", "activeonsite"),
)
_CARTS = (
    ("addedtocart", "addtocart", "productadded", "cartadd", "itemaddedtocart", "addedproduct"),
    ("startedcheckout", "checkoutstarted", "begincheckout", "initiatecheckout", "checkoutbegun"),
)
_ORDERS = (
    ("placedorder", "orderplaced", "ordercompleted", "completedorder", "purchase", "ordercreated"),
    ("completedcheckout", "checkoutcompleted", "orderpaid", "purchased", "ecommerceorder"),
    ("transaction", "ecommercepurchase", "order"),
)
_MARKS = re.compile(r"\[[^\]]*\]|[^a-z0-9]+")


def suggested_steps(events: pd.DataFrame) -> list[str]:
    """Return the event names of the funnel page → cart → order, as far as there are such.

    Parameters
    ----------
    events : pandas.DataFrame
        With `event_name`; identify calls are left out.

    Returns
    -------
    list of str
        Up to three. Of the names of one step, the one with the most events; of as many, the first
        by the alphabet. Empty where no name is known.

    See Also
    --------
    suggested_order : Its last step, if that is an order.

    Examples
    --------
    >>> suggested_steps(pd.DataFrame({"event_name": ["purchase", "page_view", "add_to_cart"]}))
    ['page_view', 'add_to_cart', 'purchase']
    >>> suggested_steps(pd.DataFrame({"event_name": ["Opened App"]}))
    []
    """
    names = _by_letters(events)
    found = (_first(names, kinds) for kinds in (_PAGES, _CARTS, _ORDERS))
    return [name for name in found if name is not None]


def suggested_order(events: pd.DataFrame) -> str | None:
    """Return the name of the events that are orders; None where no name is known.

    Examples
    --------
    >>> suggested_order(pd.DataFrame({"event_name": ["Order Completed", "Products Searched"]}))
    'Order Completed'
    """
    return _first(_by_letters(events), _ORDERS)


def _by_letters(events: pd.DataFrame) -> dict[str, str]:
    """Return the names by their letters alone, of those with the same the one of most events."""
    counts = events["event_name"][tracked(events)].dropna().value_counts()
    names = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    found: dict[str, str] = {}
    for name, _ in names:
        found.setdefault(_MARKS.sub("", str(name).casefold()), str(name))
    return found


def _first(names: dict[str, str], kinds: tuple[tuple[str, ...], ...]) -> str | None:
    """Return the most frequent name of the first kind that there is any of."""
    for kind in kinds:
        for letters, name in names.items():
            if letters in kind:
                return name
    return None
