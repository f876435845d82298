"""WooCommerce: the CSV file of orders that the plugin Import Export Suite writes.

https://woocommerce.com/document/import-and-export-of-woocommerce-orders/ documents the columns, and
``admin/modules/order/export/export.php`` of the plugin's free edition (order-import-export-for-
woocommerce) what stands in them. Each line is a `Placed Order`; a ``checkout-draft`` is a
`Started Checkout`, as in the API's export.

- `order_id` is the event ID, the order's `id` in the API.
- `order_date` is in the shop's time zone and does not say so: give `tz=` to `stitch`.
- `billing_email`, else `customer_email`, and `customer_id` are aliases; a guest's ``0`` is left
  out.
- What was given back stands in `refund_items` with its time: each is an `Order Refunded`, with an
  ID of the order's number and its time, as in the file of the Analytics (`woocommerce_csv`).
- `line_item_1` and so on are texts such as ``name:Beans|product_id:93|quantity:2|total:6.00``: they
  are read as `items`.
- The order attribution stands in columns such as ``meta:_wc_order_attribution_utm_source``.

Left are other metadata, fees, taxes one by one, notes, streets, companies, and the file with a line
for each item, whose later lines are copies of the order.
"""

from __future__ import annotations

import re
from typing import Any

from convergekit.readers.export import OF_THE_ROW, Export, Further
from convergekit.readers.fields import Field, Rows, constant, first_of, number, number_of
from convergekit.readers.vendors.woocommerce import ATTRIBUTED, customer, event_name

_LINE = re.compile(r"line_item_\d+")
_ITEM = {"name": "name", "product_id": "product_id", "_variation_id": "variant_id", "sku": "sku",
         "quantity": "quantity", "total": "total"}  # fmt: skip
_NUMBERS = ("quantity", "total")
#: A name may hold the mark between two fields, so that only what begins a field ends another.
_BETWEEN = re.compile(
    r"\|(?=(?:product_id|sku|quantity|total|sub_total|tax|tax_data|refunded|_variation_id|meta:[^|:]*):)"
)
_REFUND = re.compile(
    r"amount:([^|;]*)\|reason:.*?\|date:(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.DOTALL
)
_COUPON = re.compile(r"code:([^|;]*)\|amount:")


def _items(rows: Rows) -> list[Any]:
    columns = [rows[name] for name in rows.names if _LINE.fullmatch(name)]
    if not columns:
        return [None] * len(rows)
    return [
        [_item(cell) for cell in cells if isinstance(cell, str)] or None
        for cells in zip(*columns, strict=True)
    ]


def _item(text: str) -> dict[str, Any]:
    fields = dict(part.partition(":")[::2] for part in _BETWEEN.split(text))
    return {
        own: number_of(fields[key]) if key in _NUMBERS else fields[key]
        for key, own in _ITEM.items()
        if fields.get(key)
    }


def _refunds(path: str) -> Field:
    """Return a field of the refunds of each order, as objects."""
    return lambda rows: [
        [{"amount": amount, "at": at} for amount, at in _REFUND.findall(cell)] or None
        if isinstance(cell, str)
        else None
        for cell in rows[path]
    ]


def _coupons(rows: Rows) -> list[str | None]:
    return [
        ", ".join(_COUPON.findall(cell)) or None if isinstance(cell, str) else None
        for cell in rows["coupon_items"]
    ]


def _address(name: str) -> Field:
    return first_of(f"shipping_{name}", f"billing_{name}")


_EMAIL = first_of("billing_email", "customer_email")
_ORDER = f"{OF_THE_ROW}order_id"

WOOCOMMERCE_ORDERS_CSV = Export(
    name="woocommerce_orders_csv",
    documentation="https://woocommerce.com/document/import-and-export-of-woocommerce-orders/",
    recognised_by=[
        ["order_id", "order_date", "status", "order_total", "order_currency", "billing_email"]
    ],
    event_id="order_id",
    event_name=event_name,
    timestamp="order_date",
    aliases={"email": _EMAIL, "customer_id": customer},
    properties={
        "id": "order_id",
        "order_number": "order_number",
        "total_price": number("order_total"),
        "subtotal_price": number("order_subtotal"),
        "total_discounts": number("discount_total"),
        "total_tax": number("tax_total"),
        "total_shipping": number("shipping_total"),
        "currency": "order_currency",
        "items": _items,
        "discount_codes": _coupons,
        "status": "status",
        "paid_at": "paid_date",
        "payment_method": "payment_method",
        "transaction_id": "transaction_id",
        **{f"order_attribution_{name}": f"meta:_wc_order_attribution_{name}"
           for name in ATTRIBUTED},
    },
    profile_properties={
        "$email": _EMAIL,
        "$phone_number": "billing_phone",
        "$first_name": "billing_first_name",
        "$last_name": "billing_last_name",
        "$city": _address("city"),
        "$state": _address("state"),
        "$zip_code": _address("postcode"),
        "$country_code": _address("country"),
        "$ip": "customer_ip_address",
        "$user_agent": "customer_user_agent",
    },
    also=[
        Further(
            each=_refunds("refund_items"),
            event_name=constant("Order Refunded"),
            timestamp="at",
            event_id=lambda rows: [
                None if own is None else f"refund-{own}-{at}"
                for own, at in zip(rows[_ORDER], rows["at"], strict=True)
            ],
            properties={
                "id": _ORDER,
                "amount": number("amount"),
                "currency": f"{OF_THE_ROW}order_currency",
            },
        )
    ],
)  # fmt: skip
