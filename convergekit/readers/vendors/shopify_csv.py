"""Shopify: the CSV file of orders that the admin page exports, ``orders_export.csv``.

https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders describes the
export: an order of several items stands on several lines, of which only the first has what is true
of the order. The lines of one `Name` are gathered into one `Placed Order`.

- `Id` is the order's number in the API, so that an order that both exports hold counts once; files
  without it have only the `Name`, such as ``#1001``.
- `Created at` is its time, with the shop's offset from UTC. An imported order has the time of the
  import there; the API's `processed_at` is not in the file.
- The buyer's `Email` is the only alias: the file has neither tokens nor the customer's ID.
- `Refunded Amount` is a property: when it was given back is not in the file. `Cancelled at` and
  `Financial Status` (``voided``) are properties to filter by. Test orders are not marked;
  `Payment Method` says which of them a test gateway took.
- Names of people, streets and notes are left out.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Rows, constant, first_of, number, number_of
from convergekit.readers.gathered import ItemLines

_NUMBERS = ("price", "quantity", "discount")


def _items(rows: Rows) -> list[Any]:
    return [
        [
            {key: number_of(value) if key in _NUMBERS else value for key, value in item.items()}
            for item in items or ()
        ]
        or None
        for items in rows.object_lists("items")
    ]


SHOPIFY_CSV = Export(
    name="shopify_csv",
    documentation="https://help.shopify.com/en/manual/fulfillment/managing-orders/exporting-orders",
    recognised_by=[["Name", "Financial Status", "Lineitem name"]],
    lines=ItemLines(
        key=["Name"],
        items={
            "sku": "Lineitem sku",
            "name": "Lineitem name",
            "price": "Lineitem price",
            "quantity": "Lineitem quantity",
            "discount": "Lineitem discount",
            "vendor": "Vendor",
        },
        together=True,
    ),
    event_id=first_of("Id", "Name"),
    event_name=constant("Placed Order"),
    timestamp="Created at",
    aliases={"email": "Email"},
    properties={
        "id": "Id",
        "name": "Name",
        "total_price": number("Total"),
        "subtotal_price": number("Subtotal"),
        "total_discounts": number("Discount Amount"),
        "total_tax": number("Taxes"),
        "total_shipping": number("Shipping"),
        "refunded_amount": number("Refunded Amount"),
        "currency": "Currency",
        "items": _items,
        "discount_codes": "Discount Code",
        "tags": "Tags",
        "source_name": "Source",
        "financial_status": "Financial Status",
        "fulfillment_status": "Fulfillment Status",
        "paid_at": "Paid at",
        "cancelled_at": "Cancelled at",
        "payment_method": "Payment Method",
        "payment_reference": "Payment Reference",
    },
    profile_properties={
        "$email": "Email",
        "$phone_number": first_of("Phone", "Billing Phone", "Shipping Phone"),
        "$city": first_of("Shipping City", "Billing City"),
        "$state": first_of("Shipping Province", "Billing Province"),
        "$zip_code": first_of("Shipping Zip", "Billing Zip"),
        "$country_code": first_of("Shipping Country", "Billing Country"),
    },
)
