"""WooCommerce: orders as its REST API gives them.

https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties documents the order. Read
are lists of orders, one order per line, and single orders, each as a `Placed Order`:

- `id` is the event ID, `date_created_gmt` the time ("as GMT", written without an offset).
- `billing.email` and `customer_id` are aliases; a guest's `customer_id` is 0, and is left out.
- Money is text there and a number here.
- `status` is a property: a ``cancelled``, ``failed`` or ``trash`` order is a `Placed Order` too, to
  be filtered. A ``checkout-draft`` is a `Started Checkout`: such orders "are created when customers
  start the checkout process while the block version of the checkout is in place"
  (https://woocommerce.github.io/code-reference/classes/Automattic-WooCommerce-Enums-OrderStatus.html).
- `refunds` lists what was given back, but not when: its sum is the property `refunded_amount`.
- The order attribution (https://woocommerce.com/document/order-attribution-tracking/) stands in
  `meta_data`; it is the shop's own answer, and becomes properties of the order.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.readers.columns.item_lists import item_lists
from convergekit.readers.columns.key_values import texts_of_keys
from convergekit.readers.columns.keys import ColumnField
from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, number, number_of

_ITEM = {
    "product_id": "product_id",
    "variation_id": "variant_id",
    "sku": "sku",
    "name": "name",
    "price": "price",
    "quantity": "quantity",
    "total": "total",
}
_items = item_lists("line_items", _ITEM, numbers=["price", "total"])
_DRAFT = "checkout-draft"
_ATTRIBUTION = "_wc_order_attribution_"
#: What of the order attribution becomes properties.
ATTRIBUTED = (
    "source_type",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "referrer",
    "session_entry",
    "device_type",
)


def event_name(rows: Rows) -> list[str]:
    """Return what an order of each status is called."""
    return ["Started Checkout" if status == _DRAFT else "Placed Order" for status in rows["status"]]


def _gmt(path: str) -> Field:
    """Return a field of times that are UTC and do not say so."""
    return lambda rows: [
        f"{time}Z" if isinstance(time, str) and time else None for time in rows[path]
    ]


def _address(name: str) -> Field:
    """Return a field of the shipping address, of the billing address where nothing is shipped."""
    return lambda rows: [
        shipped or billed
        for shipped, billed in zip(rows[f"shipping.{name}"], rows[f"billing.{name}"], strict=True)
    ]


def customer(rows: Rows) -> list[Any]:
    """Return the customer's number, None of a guest."""
    return [None if value in (0, "0") else value for value in rows["customer_id"]]


def _codes(rows: Rows) -> list[str | None]:
    return [
        ", ".join(str(one["code"]) for one in found or () if one.get("code")) or None
        for found in rows.object_lists("coupon_lines")
    ]


def _refunded(rows: Rows) -> list[float | None]:
    """Return the sum of an order's refunds, which stand there as negative amounts."""
    sums: list[float | None] = []
    for refunds in rows.object_lists("refunds"):
        amounts = [number_of(one.get("total")) for one in refunds or ()]
        known = bool(amounts) and all(isinstance(amount, (int, float)) for amount in amounts)
        sums.append(float(sum(map(abs, amounts))) if known else None)
    return sums


def _attributed(name: str) -> Field:
    def column(rows: Rows) -> pd.Series | None:
        found = rows.once(_attribution_columns)
        nothing = pd.Series([None] * len(rows), dtype=object)
        return None if found is None else found.get(_ATTRIBUTION + name, nothing)

    return ColumnField(lambda rows: [found.get(name) for found in rows.once(_attribution)], column)


def _attribution_columns(rows: Rows) -> dict[str, pd.Series] | None:
    return texts_of_keys(rows, "meta_data", [_ATTRIBUTION + name for name in ATTRIBUTED])


def _attribution(rows: Rows) -> list[dict[str, Any]]:
    return [
        {
            one["key"].removeprefix(_ATTRIBUTION): one.get("value")
            for one in found or ()
            if isinstance(one.get("key"), str) and one["key"].startswith(_ATTRIBUTION)
        }
        for found in rows.object_lists("meta_data")
    ]


WOOCOMMERCE = Export(
    name="woocommerce",
    documentation="https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties",
    recognised_by=[["id", "order_key", "date_created_gmt", "line_items", "billing"]],
    event_id="id",
    event_name=event_name,
    state=_gmt("date_modified_gmt"),
    timestamp=_gmt("date_created_gmt"),
    aliases={"email": "billing.email", "customer_id": customer},
    properties={
        "id": "id",
        "order_number": "number",
        "total_price": number("total"),
        "total_discounts": number("discount_total"),
        "total_tax": number("total_tax"),
        "total_shipping": number("shipping_total"),
        "refunded_amount": _refunded,
        "currency": "currency",
        "items": _items,
        "discount_codes": _codes,
        "source_name": "created_via",
        "status": "status",
        "paid_at": _gmt("date_paid_gmt"),
        "completed_at": _gmt("date_completed_gmt"),
        "payment_method": "payment_method",
        "transaction_id": "transaction_id",
        **{f"order_attribution_{name}": _attributed(name) for name in ATTRIBUTED},
    },
    profile_properties={
        "$email": "billing.email",
        "$phone_number": "billing.phone",
        "$first_name": "billing.first_name",
        "$last_name": "billing.last_name",
        "$city": _address("city"),
        "$state": _address("state"),
        "$zip_code": _address("postcode"),
        "$country_code": _address("country"),
        "$ip": "customer_ip_address",
        "$user_agent": "customer_user_agent",
    },
)
