"""Shopify: orders as the Admin REST API gives them, each a `Placed Order`.

https://shopify.dev/docs/api/admin-rest/latest/resources/order documents the fields. Read are
one order per line, a list, and the API's answer ``{"orders": [...]}``. The order's `id` is the
event ID; `checkout_token`, `cart_token`, `email` and the customer's `id` are its aliases. Money
is text there and a number here. A cancelled or test order is an order too: `cancelled_at` and
`test` are properties to filter by. The CSV file of the admin page is another format.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, cells, constant, first_of, number

_ITEM = {
    "product_id": "product_id",
    "variant_id": "variant_id",
    "sku": "sku",
    "title": "name",
    "price": "price",
    "quantity": "quantity",
    "vendor": "vendor",
}


def _items(rows: Rows) -> list[Any]:
    return [
        None
        if lines is None
        else [{own: line[key] for key, own in _ITEM.items() if key in line} for line in lines]
        for lines in rows.object_lists("line_items")
    ]


SHOPIFY = Export(
    name="shopify",
    documentation="https://shopify.dev/docs/api/admin-rest/latest/resources/order",
    recognised_by=[["id", "created_at", "line_items", "total_price", "currency"]],
    event_id="id",
    event_name=constant("Placed Order"),
    timestamp="created_at",
    aliases={
        "email": first_of("email", "contact_email", "customer.email"),
        "checkout_token": "checkout_token",
        "cart_token": "cart_token",
        "customer_id": "customer.id",
    },
    properties={
        "id": "id",
        "order_number": "order_number",
        "total_price": number("total_price"),
        "total_tax": number("total_tax"),
        "total_shipping": number("total_shipping_price_set.shop_money.amount"),
        "currency": "currency",
        "items": cells("line_items", _items),
        "landing_site": "landing_site",
        "referring_site": "referring_site",
        "source_name": "source_name",
        "cancelled_at": "cancelled_at",
        "test": "test",
    },
    profile_properties={
        "$email": first_of("email", "contact_email", "customer.email"),
        "$phone_number": first_of("phone", "customer.phone"),
        "$first_name": first_of("customer.first_name", "billing_address.first_name"),
        "$last_name": first_of("customer.last_name", "billing_address.last_name"),
        "$city": first_of("shipping_address.city", "billing_address.city"),
        "$state": first_of("shipping_address.province", "billing_address.province"),
        "$zip_code": first_of("shipping_address.zip", "billing_address.zip"),
        "$country_code": first_of("shipping_address.country_code", "billing_address.country_code"),
        "$ip": "browser_ip",
        "$user_agent": "client_details.user_agent",
    },
)
