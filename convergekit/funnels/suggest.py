"""Which funnel the data suggest: a page, a cart, an order, by the names of the events.

The names are those of Segment (https://www.twilio.com/docs/segment/connections/spec/ecommerce/v2),
which PostHog and RudderStack have too, of Google Analytics
(https://developers.google.com/analytics/devguides/collection/ga4/reference/events), Shopify
(https://shopify.dev/docs/api/web-pixels-api/standard-events), Meta
(https://developers.facebook.com/docs/meta-pixel/reference), Klaviyo
(https://help.klaviyo.com/hc/en-us/articles/115005251588) and Converge. How a name is spelled does
not matter: ``$pageview``, ``page_view`` and ``PageView`` are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from convergekit.events.steps import tracked
from convergekit.visits.own_pages import PAGE_VIEW

#: So many steps a funnel of frequent events has.
_FREQUENT = 3
#: What is only spelling: case aside, blanks, signs, and a tool's name in brackets before the name.
_SPELLING = re.compile(r"^\[[^\]]*\]|[^\w]|_")
_PAGES = frozenset({"pageseen", "loadedapage", "activeonsite", "activeonwebsite", "screen"})
_PRODUCTS = frozenset(
    {"productviewed", "viewedproduct", "viewproduct", "productview", "viewitem", "itemviewed"}
    | {"vieweditem", "viewcontent", "contentviewed", "productdetailviewed", "detailview"}
)
_CARTS = frozenset(
    {"addedtocart", "addtocart", "productadded", "addedproduct", "producttocart", "cartadd"}
    | {"productaddedtocart", "itemaddedtocart", "addedproducttocart", "addeditemtocart"}
    | {"addtobasket", "addedtobasket", "productaddedtobasket", "addtobag", "addedtobag"}
)
_CART_VIEWS = frozenset({"cartviewed", "viewedcart", "viewcart", "basketviewed", "cartview"})
_CHECKOUTS = frozenset(
    {"startedcheckout", "checkoutstarted", "begincheckout", "initiatecheckout"}
    | {"initiatedcheckout", "checkoutinitiated", "startcheckout", "checkoutbegun", "checkout"}
)
_ORDERS = frozenset(
    {"placedorder", "orderplaced", "ordercompleted", "completedorder", "purchase", "purchased"}
    | {"purchasecompleted", "completedpurchase", "checkoutcompleted", "completepayment", "order"}
    | {"ordercreated", "orderscreate", "orderpaid", "orderspaid", "transaction", "bought"}
    | {"transactioncompleted", "placeanorder", "placeorder", "ordersuccess", "chargesucceeded"}
    | {"checkoutsessioncompleted", "paymentsucceeded", "paymentintentsucceeded", "ecommerceorder"}
)


@dataclass(frozen=True)
class Suggestion:
    """A funnel to begin with.

    Attributes
    ----------
    steps : tuple of str
        Names of events; none without events.
    said : str
        Why these, in a sentence.
    order : str or None
        The event that is an order, if one is.
    page : str or None
        The event that is a page view, or, without one, the most frequent event.
    """

    steps: tuple[str, ...]
    said: str
    order: str | None
    page: str | None


def suggested(counts: pd.Series) -> Suggestion:
    """Return the funnel that the names of events suggest.

    Parameters
    ----------
    counts : pandas.Series of int
        How many events go by each name (its index), most first.

    Returns
    -------
    Suggestion
        A page view or else a product's, a cart or else a checkout, and an order, as far as these
        are there; of several names for one of them the most frequent. With fewer than two of them,
        the most frequent events, most first, because a funnel narrows.

    Examples
    --------
    >>> names = pd.Series({"page_view": 90, "scroll": 60, "add_to_cart": 12, "purchase": 4})
    >>> suggested(names).steps
    ('page_view', 'add_to_cart', 'purchase')
    >>> suggested(pd.Series({"Opened": 90, "Played": 60, "Paused": 12, "Rated": 4})).steps
    ('Opened', 'Played', 'Paused')
    """
    names = {str(name): plain(str(name)) for name in counts.index}
    order = _first(names, [_ORDERS.__contains__])
    cart = _first(names, [_CARTS.__contains__, _CHECKOUTS.__contains__, _CART_VIEWS.__contains__])
    page = _first(names, [_is_page, _PRODUCTS.__contains__])
    found = tuple(name for name in (page, cart, order) if name is not None)
    most = page or next(iter(names), None)
    if len(found) > 1:
        return Suggestion(found, "Suggested by the names of your events.", order, most)
    frequent = tuple(names)[:_FREQUENT]
    if not frequent:
        return Suggestion((), "", None, None)
    said = (
        "No names of a page, a cart and an order were recognised: these are the most frequent "
        "events. Choose the steps that you want to see."
    )
    return Suggestion(frequent, said, order, most)


def event_counts(events: pd.DataFrame) -> pd.Series:
    """Return how many events go by each name, most first; identify calls are left out.

    Examples
    --------
    >>> event_counts(pd.DataFrame({"event_name": ["b", "a", "b", "c", None]})).to_dict()
    {'b': 2, 'a': 1, 'c': 1}
    """
    return in_order(events["event_name"][tracked(events)].dropna().value_counts())


def in_order(counts: pd.Series) -> pd.Series:
    """Return how many events go by each name, most first, then by name."""
    return counts.sort_index().sort_values(ascending=False, kind="stable")


def plain(name: str) -> str:
    """Return a name without what is only spelling.

    Examples
    --------
    >>> [plain(name) for name in ("$pageview", "Page View", "[Amplitude] Page Viewed")]
    ['pageview', 'pageview', 'pageviewed']
    """
    return _SPELLING.sub("", name.strip()).casefold()


def _is_page(name: str) -> bool:
    return name in _PAGES or PAGE_VIEW.fullmatch(name) is not None


def _first(names: dict[str, str], kinds: Iterable[Callable[[str], bool]]) -> str | None:
    """Return the most frequent name of the first kind that there is."""
    for is_kind in kinds:
        for name, spelled in names.items():
            if is_kind(spelled):
                return name
    return None
