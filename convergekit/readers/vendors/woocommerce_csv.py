"""WooCommerce: the CSV file of orders that its Analytics download, or send by e-mail.

https://woocommerce.com/document/woocommerce-analytics/ describes the report. Its columns are those
of https://github.com/woocommerce/woocommerce: the browser's file is made by
``plugins/woocommerce/client/admin/client/analytics/report/orders/table.js``, the one that is sent
by ``plugins/woocommerce/src/Admin/API/Reports/Orders/Controller.php``, which adds the formatted
revenue. Both are in the language of the shop; read are English headers.

- A line is a `Placed Order`, or what was given back of one, with the number of that order and
  negative amounts: an `Order Refunded`, with `amount` as in the other formats.
- `Order #` is the event ID, the order's `id` in the API unless a plugin numbers orders anew.
- `Date` is in the shop's time zone and does not say so: give `tz=` to `stitch`. By the shop's
  setting (`woocommerce_date_type`) it is when the order was paid, made, or completed.
- **The file has no aliases**, neither an e-mail address nor the customer's number: its orders
  belong to nobody unless another export has them. Read the API's export for who ordered.
- `Net sales` are without taxes and shipping. ``N. Revenue (formatted)`` is the text of the total
  with its currency sign, which `amounts=` of `read_events` reads.

The customer's name is left out.
"""

from __future__ import annotations

from typing import Any

from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, first_of, number_of, read_field

_SOLD = "Items sold"
_NET = first_of("Net sales", "Net Sales", "N. Revenue")


def _amounts(field: Field, rows: Rows) -> list[float | None]:
    numbers = map(number_of, read_field(field, rows))
    return [
        one if isinstance(one, (int, float)) and not isinstance(one, bool) else None
        for one in numbers
    ]


def _given_back(rows: Rows) -> list[bool]:
    """Return which lines are of a refund: that of the shipping alone has a net amount of 0."""
    return [
        net is not None and (net < 0 or (net == 0 and sold is not None and sold <= 0))
        for net, sold in zip(_amounts(_NET, rows), _amounts(_SOLD, rows), strict=True)
    ]


def _event_name(rows: Rows) -> list[str]:
    return ["Order Refunded" if back else "Placed Order" for back in rows.once(_given_back)]


def _event_id(rows: Rows) -> list[Any]:
    """Return the order's number; a refund has none of its own, but a time."""
    parts = zip(rows.once(_given_back), rows["Order #"], rows["Date"], strict=True)
    return [f"refund-{own}-{at}" if back and own is not None else own for back, own, at in parts]


def _net(back: bool) -> Field:
    """Return a field of the net amounts, of refunds or of orders."""

    def read(rows: Rows) -> list[Any]:
        parts = zip(rows.once(_given_back), read_field(_NET, rows), strict=True)
        return [
            None if is_back != back or value is None else _positive(value) if back
            else number_of(value)
            for is_back, value in parts
        ]  # fmt: skip

    return read


def _positive(value: Any) -> Any:
    return abs(number_of(value))


WOOCOMMERCE_CSV = Export(
    name="woocommerce_csv",
    documentation="https://woocommerce.com/document/woocommerce-analytics/",
    recognised_by=[
        ["Date", "Order #", net]
        for net in ("Net sales", "Net Sales", "N. Revenue", "N. Revenue (formatted)")
    ],
    event_id=_event_id,
    event_name=_event_name,
    timestamp="Date",
    properties={
        "id": "Order #",
        "net_sales": _net(back=False),
        "amount": _net(back=True),
        "total_formatted": "N. Revenue (formatted)",
        "status": "Status",
        "customer_type": "Customer type",
        "products": "Product(s)",
        "items_sold": _SOLD,
        "discount_codes": "Coupon(s)",
        "payment_method": "Payment method",
        "order_attribution_origin": "Attribution",
    },
)
