"""Stripe: charges, refunds, checkout sessions and customers of its API, and its events.

Read are lists (``{"object": "list", "data": [...]}``), single objects, and events
(https://docs.stripe.com/api/events/object), which hold one of these in `data.object`. A payment is
not an order, and is not named like one:

| object | event | time |
| --- | --- | --- |
| `charge` | by its `status` `Payment Succeeded`, `Payment Failed`, `Payment Pending` | `created` |
| `refund` that has not failed | `Payment Refunded` | `created` |
| `checkout.session` | `Started Checkout` | `created` |
| the event `checkout.session.completed` | `Completed Checkout` | the event's `created` |
| the event `checkout.session.expired` | `Expired Checkout` | the event's `created` |

Everything else, such as a `customer`, only identifies: its aliases are linked.

- https://docs.stripe.com/api/charges/object, https://docs.stripe.com/api/refunds/object and
  https://docs.stripe.com/api/checkout/sessions/object document the fields. The object's `id` is the
  event ID, so that a charge in a list and in an event counts once.
- `customer` (alias type `stripe_customer`), the e-mail address and the `payment_intent`, which a
  refund shares with its charge and its session, are aliases; `charge` where it lacks an intent.
- `client_reference_id` "can be a customer ID, a cart ID, or similar": it is a property, and an
  alias on request. `metadata` becomes properties of the names ``metadata.<key>``.
- Amounts are in the currency's minor unit, and are divided here: by 1 for the zero-decimal
  currencies that https://docs.stripe.com/currencies lists, by 1000 for its three-decimal ones, else
  by 100. Its special cases ISK and UGX have two decimals in the API.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from convergekit.base.records import frame_from_records
from convergekit.readers.export import Export
from convergekit.readers.fields import Field, Rows, first_of, read_field

_CHARGES = {
    "succeeded": "Payment Succeeded",
    "failed": "Payment Failed",
    "pending": "Payment Pending",
}
_SESSIONS = {
    "checkout.session.completed": "Completed Checkout",
    "checkout.session.expired": "Expired Checkout",
}
_NOT_REFUNDED = ("failed", "canceled")
#: Events of which the object is read as such an event; others only identify.
_READ = {"charge.succeeded", "charge.failed", "charge.pending", "refund.created", *_SESSIONS}
_NO_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
})  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
#: What an event says beside its object.
_TYPE, _AT = "event.type", "event.created"


def _opened(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the objects of the rows, those in events with the event's type and time."""
    rows = Rows(frame)
    kinds = rows["object"]
    if "event" not in kinds:
        return frame
    inner = rows.objects("data.object")
    types, times = rows["type"], rows["created"]
    own = {str(name): rows[str(name)] for name in frame.columns}
    records = [
        {**inner[row], _TYPE: types[row], _AT: times[row]}
        if kind == "event"
        else {name: cells[row] for name, cells in own.items()}
        for row, kind in enumerate(kinds)
    ]
    return frame_from_records(records).set_axis(frame.index)


def _event_name(rows: Rows) -> list[str | None]:
    texts = (map(_text, rows[path]) for path in ("object", "status", _TYPE))
    return [_named(kind, status, of) for kind, status, of in zip(*texts, strict=True)]


def _text(value: Any) -> str | None:
    return value if value is None else str(value)


def _named(kind: str | None, status: str | None, of: str | None) -> str | None:
    if of is not None and of not in _READ:
        return None
    if kind == "charge":
        return _CHARGES.get(str(status))
    if kind == "refund":
        return None if status in _NOT_REFUNDED else "Payment Refunded"
    return _SESSIONS.get(str(of), "Started Checkout") if kind == "checkout.session" else None


def _event_id(rows: Rows) -> list[str | None]:
    """Return the ID of the object; what happens to it later has an ID of its own."""
    return [
        None
        if name is None or own is None
        else f"{own}-{name.split()[0].lower()}"
        if name in ("Payment Pending", *_SESSIONS.values())
        else own
        for name, own in zip(_event_name(rows), rows["id"], strict=True)
    ]


def _timestamp(rows: Rows) -> list[Any]:
    """Return when it happened: a session's end is when its event was made."""
    return [
        at if str(of) in _SESSIONS or created is None else created
        for of, at, created in zip(rows[_TYPE], rows[_AT], rows["created"], strict=True)
    ]


def _id_at(path: str, kind: str | None = None) -> Field:
    """Return a field of the ID at the path, be it expanded or not, or of the object itself."""
    return lambda rows: [
        own if of == kind else value.get("id") if isinstance(value, dict) else value
        for own, of, value in zip(rows["id"], rows["object"], rows[path], strict=True)
    ]


_INTENT = _id_at("payment_intent", "payment_intent")
_CHARGE = _id_at("charge", "charge")


def _charge(rows: Rows) -> list[Any]:
    """Return the charge, where no intent says which payment it is."""
    both = zip(read_field(_CHARGE, rows), read_field(_INTENT, rows), strict=True)
    return [charge if intent is None else None for charge, intent in both]


def _own_email(rows: Rows) -> list[Any]:
    """Return the address of a customer object."""
    of_customer = zip(rows["object"], rows["email"], strict=True)
    return [email if kind == "customer" else None for kind, email in of_customer]


_EMAIL = first_of(
    "customer_details.email", "customer_email", "billing_details.email", "receipt_email",
    "customer.email", _own_email,
)  # fmt: skip


def _currency(rows: Rows) -> list[Any]:
    return [code.upper() if isinstance(code, str) else None for code in rows["currency"]]


def _money(*paths: str) -> Field:
    """Return a field of the first of these amounts, in the currency's major unit."""

    def read(rows: Rows) -> list[Any]:
        return [
            None if not isinstance(amount, (int, float)) else amount / _minor_units(code)
            for amount, code in zip(
                read_field(first_of(*paths), rows), _currency(rows), strict=True
            )
        ]

    return read


def _minor_units(currency: str | None) -> int:
    if currency in _NO_DECIMALS:
        return 1
    return 1000 if currency in _THREE_DECIMALS else 100


def _is_test(rows: Rows) -> list[bool | None]:
    return [None if live is None else not live for live in rows["livemode"]]


def _metadata(rows: Rows) -> list[dict[str, Any]]:
    return [
        {f"metadata.{key}": value for key, value in cell.items()}
        for cell in rows.objects("metadata")
    ]


STRIPE = Export(
    name="stripe",
    documentation="https://docs.stripe.com/api/charges/object",
    recognised_by=[
        ["id", "object", "created", "livemode"],
        ["id", "object", "created", "amount", "currency", "charge"],
        ["id", "object", "created", "amount", "currency", "payment_intent"],
    ],
    prepare=_opened,
    event_id=_event_id,
    event_name=_event_name,
    timestamp=_timestamp,
    aliases={
        "stripe_customer": _id_at("customer", "customer"),
        "email": _EMAIL,
        "payment_intent": _INTENT,
        "stripe_charge": _charge,
    },
    properties={
        "*": _metadata,
        "id": "id",
        "amount": _money("amount", "amount_total"),
        "amount_refunded": _money("amount_refunded"),
        "currency": _currency,
        "client_reference_id": "client_reference_id",
        "payment_status": "payment_status",
        "status": "status",
        "mode": "mode",
        "description": "description",
        "reason": "reason",
        "failure_code": "failure_code",
        "invoice": _id_at("invoice"),
        "test": _is_test,
    },
    profile_properties={
        "$email": _EMAIL,
        "$phone_number": first_of("customer_details.phone", "billing_details.phone"),
        "$city": first_of("customer_details.address.city", "billing_details.address.city"),
        "$state": first_of("customer_details.address.state", "billing_details.address.state"),
        "$zip_code": first_of(
            "customer_details.address.postal_code", "billing_details.address.postal_code"
        ),
        "$country_code": first_of(
            "customer_details.address.country", "billing_details.address.country"
        ),
    },
)
