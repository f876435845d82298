"""Shopify: orders of the GraphQL Admin API, in its answers or in the file of a bulk operation.

https://shopify.dev/docs/api/admin-graphql/latest/objects/Order documents the fields. An answer
holds the orders in `data`, as `nodes` or `edges`; `lineItems` likewise. The file of a bulk
operation (https://shopify.dev/docs/api/usage/bulk-operations/queries) has one object per line, and
the line items below their order, with its ID in `__parentId`: they are gathered into it.

- An ID such as ``gid://shopify/Order/5550001000`` is reduced to its number, so that an order that
  the REST API or the admin's CSV file holds as well counts once.
- `processedAt` is the time, `createdAt` where it was not asked for.
- The e-mail address and the customer's ID are aliases; the API does not give the tokens of cart and
  checkout.
- Money is in the shop's currency (`shopMoney`). Statuses, in capitals there, are in small letters
  here, as in the REST API.
- Each of the `refunds` is an `Order Refunded` of the same aliases; `amount` is `totalRefundedSet`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.records import take_or_missing
from convergekit.base.text import as_text
from convergekit.events.schema import missing
from convergekit.readers.answers import nodes_of
from convergekit.readers.export import Export, Further
from convergekit.readers.fields import (
    Field,
    Rows,
    constant,
    first_of,
    number,
    number_of,
    read_field,
)
from convergekit.readers.gathered import ItemLines

_PARENT, _ORDER, _CHILD, _CHILDREN = "__parentId", "__order", "__child", "__children"
#: Filled in on an order's own line.
_OWN = "__own"
_GID = "gid://shopify/"


def _number_of_gid(gid: Any) -> Any:
    """Return the number of a Shopify ID, anything else as it is."""
    if not isinstance(gid, str) or not gid.startswith(_GID):
        return gid
    return gid.rpartition("/")[2].partition("?")[0]


def _kind_of_gid(gid: Any) -> str | None:
    is_gid = isinstance(gid, str) and gid.startswith(_GID)
    return gid.removeprefix(_GID).partition("/")[0] if is_gid else None


def _numbers(path: str) -> Field:
    return lambda rows: list(map(_number_of_gid, rows[path]))


def _children_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the lines with the objects of children in a column of their own."""
    ids = frame["id"] if "id" in frame else pd.Series(index=frame.index, dtype=object)
    if _PARENT not in frame:
        return frame.assign(**{_ORDER: as_text(ids)[0], _OWN: as_text(ids)[0]})
    parents = frame[_PARENT]
    is_child = ~missing(parents).to_numpy(dtype=bool)
    own = frame.drop(columns=_PARENT)
    cells = own[is_child].astype(object)
    cells = cells.where(cells.notna(), None)
    records = [
        {name: value for name, value in zip(own.columns, line, strict=True) if value is not None}
        for line in cells.itertuples(index=False, name=None)
    ]
    children = np.full(len(frame), None, dtype=object)
    children[is_child] = records
    kept = np.where(is_child, -1, np.arange(len(frame)))
    columns = {name: take_or_missing(column, kept) for name, column in own.items()}
    found = pd.DataFrame(columns).set_axis(frame.index)
    order = as_text(ids.where(~is_child, parents))[0]
    child = pd.Series(children, index=frame.index)
    return found.assign(**{_ORDER: order, _OWN: order.mask(is_child), _CHILD: child})


def _order(rows: Rows) -> list[str | None]:
    """Return the name of each order's event; of a row that is not an order, say what it is."""
    names: list[str | None] = []
    for row, gid in enumerate(rows["id"]):
        kind = _kind_of_gid(gid)
        if kind != "Order" and (gid is not None or rows[_CHILDREN][row] is not None):
            what = f"of Shopify's kind {kind}" if kind else "a child of no order in the file"
            rows.reasons.setdefault(row, f"not an order: {what}")
        names.append("Placed Order")
    return names


def _items(rows: Rows) -> list[Any]:
    found: list[Any] = []
    for connection, children in zip(rows["lineItems"], rows[_CHILDREN], strict=True):
        lines = nodes_of(connection)
        below = [one["node"] for one in children or () if _is_line_item(one["node"])]
        found.append(
            None if lines is None and not below else list(map(_item, [*(lines or ()), *below]))
        )
    return found


def _is_line_item(node: dict[str, Any]) -> bool:
    kind = _kind_of_gid(node.get("id")) or node.get("__typename")
    # Of what an order has below it, only line items have a quantity.
    return kind == "LineItem" or (kind is None and "quantity" in node)


def _item(line: dict[str, Any]) -> dict[str, Any]:
    found = {
        "product_id": _number_of_gid(_inside(line, "product", "id")),
        "variant_id": _number_of_gid(_inside(line, "variant", "id")),
        "sku": line.get("sku"),
        "name": line.get("title") or line.get("name"),
        "price": number_of(_inside(line, "originalUnitPriceSet", "shopMoney", "amount")),
        "quantity": line.get("quantity"),
        "vendor": line.get("vendor"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _inside(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _money(name: str) -> Field:
    return number(f"{name}.shopMoney.amount")


def _each(field: Field, change: Callable[[Any], Any]) -> Field:
    return lambda rows: [None if v is None else change(v) for v in read_field(field, rows)]


def _small(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _joined(value: Any) -> Any:
    return (", ".join(map(str, value)) or None) if isinstance(value, list) else value


_EMAIL = first_of("email", "customer.defaultEmailAddress.emailAddress", "customer.email")

SHOPIFY_GRAPHQL = Export(
    name="shopify_graphql",
    documentation="https://shopify.dev/docs/api/admin-graphql/latest/objects/Order",
    recognised_by=[
        ["id", "createdAt", "totalPriceSet.shopMoney.amount"],
        ["id", "processedAt", "totalPriceSet.shopMoney.amount"],
        ["id", "createdAt", "displayFinancialStatus"],
        ["id", "processedAt", "displayFinancialStatus"],
    ],
    absent=["abandonedCheckoutUrl", "invoiceSentAt"],
    lines=ItemLines(
        key=[_ORDER], items={"node": _CHILD}, into=_CHILDREN, first=_OWN, prepare=_children_apart
    ),
    event_id=_numbers("id"),
    event_name=_order,
    state="updatedAt",
    timestamp=first_of("processedAt", "createdAt"),
    aliases={"email": _EMAIL, "customer_id": _numbers("customer.id")},
    properties={
        "id": _numbers("id"),
        "name": "name",
        "total_price": _money("totalPriceSet"),
        "current_total_price": _money("currentTotalPriceSet"),
        "subtotal_price": _money("subtotalPriceSet"),
        "total_discounts": _money("totalDiscountsSet"),
        "total_tax": _money("totalTaxSet"),
        "total_shipping": _money("totalShippingPriceSet"),
        "currency": first_of("currencyCode", "totalPriceSet.shopMoney.currencyCode"),
        "items": _items,
        "discount_codes": _each("discountCodes", _joined),
        "tags": _each("tags", _joined),
        "source_name": "sourceName",
        "financial_status": _each("displayFinancialStatus", _small),
        "fulfillment_status": _each("displayFulfillmentStatus", _small),
        "created_at": "createdAt",
        "cancelled_at": "cancelledAt",
        "cancel_reason": _each("cancelReason", _small),
        "test": "test",
    },
    profile_properties={
        "$email": _EMAIL,
        "$phone_number": first_of(
            "phone", "customer.defaultPhoneNumber.phoneNumber", "customer.phone"
        ),
        "$first_name": first_of("customer.firstName", "billingAddress.firstName"),
        "$last_name": first_of("customer.lastName", "billingAddress.lastName"),
        "$city": first_of("shippingAddress.city", "billingAddress.city"),
        "$state": first_of("shippingAddress.province", "billingAddress.province"),
        "$zip_code": first_of("shippingAddress.zip", "billingAddress.zip"),
        "$country_code": first_of("shippingAddress.countryCodeV2", "billingAddress.countryCodeV2"),
        "$ip": "clientIp",
    },
    also=[
        Further(
            each="refunds",
            event_id=_each(_numbers("id"), "refund-{}".format),
            event_name=constant("Order Refunded"),
            timestamp="createdAt",
            properties={
                "order_id": _numbers("row.id"),
                "amount": _money("totalRefundedSet"),
                "currency": first_of("totalRefundedSet.shopMoney.currencyCode", "row.currencyCode"),
                "note": "note",
            },
        )
    ],
)
