"""Shopify: orders and abandoned checkouts as the Admin REST API gives them.

https://shopify.dev/docs/api/admin-rest/latest/resources/order documents the order. Read are one
order per line, a list, and the API's answer ``{"orders": [...]}``, each order as a `Placed Order`:

- Its `id` is the event ID, `processed_at` its time: the date "that appears on your orders and
  that's used in the analytic reports", which an import sets to that of the original order;
  `created_at` where it is absent.
- `checkout_token`, `cart_token`, `email` and the customer's `id` are its aliases.
- Money is text there and a number here, in the shop's currency.
- A cancelled, voided or test order is an order too: `cancelled_at`, `financial_status` and `test`
  are properties to filter by. `current_total_price` is what is left of `total_price` after edits
  and refunds.
- Each of its `refunds` (https://shopify.dev/docs/api/admin-rest/latest/resources/refund) is an
  `Order Refunded` of the same aliases; `amount` is what its successful transactions gave back.

https://shopify.dev/docs/api/admin-rest/latest/resources/abandoned-checkouts documents checkouts
that a buyer left: each is a `Started Checkout`, whose `token` is the order's `checkout_token`.
Draft orders are not orders, and are refused.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.columns.item_lists import item_lists
from convergekit.readers.export import Export, Further
from convergekit.readers.fields import Rows, constant, first_of, number, number_of, prefixed

_ITEM = {
    "product_id": "product_id",
    "variant_id": "variant_id",
    "sku": "sku",
    "title": "name",
    "price": "price",
    "quantity": "quantity",
    "vendor": "vendor",
}
_ALL = ["id", "created_at", "line_items", "total_price", "currency"]


_items = item_lists("line_items", _ITEM, numbers=["price"])


def _discount_codes(rows: Rows) -> list[str | None]:
    """Return the codes as one text, as the admin's CSV file has them."""
    return [
        ", ".join(str(one["code"]) for one in found or () if one.get("code")) or None
        for found in rows.object_lists("discount_codes")
    ]


def _order(rows: Rows) -> list[str]:
    """Return the name of each order's event; of a row that is not an order, say so."""
    proofs = zip(rows["order_number"], rows["financial_status"], strict=True)
    for row, proof in enumerate(proofs):
        if proof == (None, None):
            rows.reasons.setdefault(row, "not an order: no order_number and no financial_status")
    return ["Placed Order"] * len(rows)


def _refunded(rows: Rows) -> list[tuple[Any, Any]]:
    """Return what each refund gave back, and in which currency."""
    return list(map(_given_back, rows.object_lists("transactions")))


def _given_back(transactions: list[dict[str, Any]] | None) -> tuple[Any, Any]:
    if transactions is None:
        return None, None
    done = [t for t in transactions if (t.get("kind"), t.get("status")) == ("refund", "success")]
    amounts = [number_of(one.get("amount")) for one in done]
    currencies = {str(one["currency"]) for one in done if one.get("currency")}
    if len(currencies) > 1 or not all(isinstance(amount, (int, float)) for amount in amounts):
        return None, None
    return float(sum(amounts)), next(iter(currencies), None)


_PERSON = {
    "$email": first_of("email", "contact_email", "customer.email"),
    "$phone_number": first_of("phone", "customer.phone"),
    "$first_name": first_of("customer.first_name", "billing_address.first_name"),
    "$last_name": first_of("customer.last_name", "billing_address.last_name"),
    "$city": first_of("shipping_address.city", "billing_address.city"),
    "$state": first_of("shipping_address.province", "billing_address.province"),
    "$zip_code": first_of("shipping_address.zip", "billing_address.zip"),
    "$country_code": first_of("shipping_address.country_code", "billing_address.country_code"),
}

SHOPIFY = Export(
    name="shopify",
    documentation="https://shopify.dev/docs/api/admin-rest/latest/resources/order",
    recognised_by=[[*_ALL, "order_number"], [*_ALL, "financial_status"]],
    absent=["abandoned_checkout_url", "invoice_sent_at"],
    event_id="id",
    event_name=_order,
    state="updated_at",
    timestamp=first_of("processed_at", "created_at"),
    aliases={
        "email": first_of("email", "contact_email", "customer.email"),
        "checkout_token": "checkout_token",
        "cart_token": "cart_token",
        "customer_id": "customer.id",
    },
    properties={
        "id": "id",
        "order_number": "order_number",
        "name": "name",
        "total_price": number("total_price"),
        "current_total_price": number("current_total_price"),
        "subtotal_price": number("subtotal_price"),
        "total_discounts": number("total_discounts"),
        "total_tax": number("total_tax"),
        "total_shipping": number("total_shipping_price_set.shop_money.amount"),
        "currency": "currency",
        "items": _items,
        "discount_codes": _discount_codes,
        "tags": "tags",
        "landing_site": "landing_site",
        "referring_site": "referring_site",
        "source_name": "source_name",
        "financial_status": "financial_status",
        "fulfillment_status": "fulfillment_status",
        "created_at": "created_at",
        "cancelled_at": "cancelled_at",
        "cancel_reason": "cancel_reason",
        "test": "test",
    },
    profile_properties=_PERSON | {"$ip": "browser_ip", "$user_agent": "client_details.user_agent"},
    also=[
        Further(
            each="refunds",
            # Of other numbers than orders', which may be the same.
            event_id=prefixed("refund-", "id"),
            event_name=constant("Order Refunded"),
            timestamp=first_of("processed_at", "created_at"),
            properties={
                "order_id": first_of("order_id", "row.id"),
                "amount": lambda rows: [amount for amount, _ in rows.once(_refunded)],
                "currency": first_of(
                    lambda rows: [currency for _, currency in rows.once(_refunded)], "row.currency"
                ),
                "note": "note",
            },
        )
    ],
)

SHOPIFY_CHECKOUTS = Export(
    name="shopify_checkouts",
    documentation="https://shopify.dev/docs/api/admin-rest/latest/resources/abandoned-checkouts",
    recognised_by=[["id", "created_at", "line_items", "abandoned_checkout_url"]],
    absent=["financial_status", "order_number", "invoice_sent_at"],
    event_id=first_of("token", prefixed("checkout-", "id")),
    event_name=constant("Started Checkout"),
    state="updated_at",
    timestamp="created_at",
    aliases={
        "email": first_of("email", "customer.email"),
        "checkout_token": "token",
        "cart_token": "cart_token",
        "customer_id": "customer.id",
    },
    properties={
        "id": "id",
        "total_price": number("total_price"),
        "subtotal_price": number("subtotal_price"),
        "total_discounts": number("total_discounts"),
        "total_tax": number("total_tax"),
        "currency": "currency",
        "items": _items,
        "discount_codes": _discount_codes,
        "landing_site": "landing_site",
        "referring_site": "referring_site",
        "source_name": "source_name",
        "completed_at": "completed_at",
    },
    profile_properties=_PERSON,
)

_DRAFT = ["id", "created_at", "line_items"]

SHOPIFY_DRAFTS = Export(
    name="shopify_drafts",
    documentation="https://shopify.dev/docs/api/admin-rest/latest/resources/draftorder",
    recognised_by=[[*_DRAFT, "invoice_sent_at"], [*_DRAFT, "invoice_url"], [*_DRAFT, "status"]],
    absent=["financial_status", "order_number", "abandoned_checkout_url"],
    event_name=constant(None),
    timestamp="created_at",
    refused="these are Shopify's draft orders, which nobody has placed: a draft that is completed "
    "becomes an order of its own. Read the orders (orders.json) instead.",
)
