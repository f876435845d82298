"""Stripe: the CSV file of payments that the Dashboard exports, ``unified_payments.csv``.

https://support.stripe.com/questions/exporting-payment-reports says how to download it. The page
does not list the columns: those here are the ones that public importers read, such as
``drupal/sites/all/modules/offline2civicrm/StripeFile.php`` of
https://github.com/wikimedia/wikimedia-fundraising-crm. Whoever downloads the file chooses among
them; needed are `id`, `Created date (UTC)` (``Created (UTC)`` of older files), `Amount`,
`Amount Refunded` and `Status`.

- A line is an attempt to pay, named by its `Status` as the API's charge is: ``Paid`` and
  ``Refunded`` are a `Payment Succeeded`, ``Failed`` a `Payment Failed`, ``Pending`` a
  `Payment Pending`. Another status is a `Payment Succeeded` if `Captured` is true, and otherwise a
  payment that was not made (``requires_payment_method``, ``canceled``): it only identifies.
- `id` is the charge's, so that a charge of the API's and of the file counts once.
- Times are UTC and do not say so.
- What was given back is one `Payment Refunded` at `Refunded date (UTC)`. Its ID is made of the
  charge's: the refunds of the API are other events.
- `Customer ID` (alias type `stripe_customer`), `Customer Email` and `PaymentIntent ID` are aliases.
- Amounts are in the currency's main unit. Where the Dashboard writes them with a decimal comma
  they stay text, which `amounts=` of `read_events` reads.
- Columns such as ``order_id (metadata)`` are the properties ``metadata.order_id``.

Left are cards, disputes, fees, converted amounts, names and streets.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from convergekit.readers.export import OF_THE_ROW, Export, Further
from convergekit.readers.fields import Field, Rows, constant, first_of, number, read_field

_NAMES = {
    "paid": "Payment Succeeded",
    "refunded": "Payment Succeeded",
    "failed": "Payment Failed",
    "pending": "Payment Pending",
}
_METADATA = " (metadata)"
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")
_CREATED = first_of("Created date (UTC)", "Created (UTC)")
_GIVEN_BACK, _GIVEN_BACK_AT = "Amount Refunded", "Refunded date (UTC)"


def _event_name(rows: Rows) -> list[str | None]:
    return [
        _NAMES.get(str(status).casefold())
        or ("Payment Succeeded" if str(captured).casefold() == "true" else None)
        for status, captured in zip(rows["Status"], rows["Captured"], strict=True)
    ]


def _event_id(rows: Rows) -> list[Any]:
    """Return the charge's ID as the API's events have it."""
    return [
        f"{own}-pending" if name == "Payment Pending" and own is not None else own
        for name, own in zip(_event_name(rows), rows["id"], strict=True)
    ]


def _utc(field: Field) -> Field:
    """Return a field of times that are UTC and do not say so."""
    return lambda rows: list(map(_in_utc, read_field(field, rows)))


def _in_utc(time: Any) -> Any:
    if isinstance(time, str) and _WITHOUT_ZONE.fullmatch(time):
        return f"{time}Z"
    if isinstance(time, datetime) and time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    return time


def _refunds(rows: Rows) -> list[list[dict[str, Any]] | None]:
    """Return what was given back of each payment, at the time that the file says."""
    return [
        [{"at": at}] if at is not None and re.search("[1-9]", str(amount)) else None
        for at, amount in zip(rows[_GIVEN_BACK_AT], rows[_GIVEN_BACK], strict=True)
    ]


def _currency(rows: Rows) -> list[Any]:
    return [code.upper() if isinstance(code, str) else None for code in rows["Currency"]]


def _is_test(rows: Rows) -> list[bool | None]:
    return [None if mode is None else str(mode).casefold() == "test" for mode in rows["Mode"]]


def _metadata(rows: Rows) -> list[dict[str, Any]]:
    names = [name for name in rows.names if name.endswith(_METADATA)]
    keys = [f"metadata.{name.removesuffix(_METADATA)}" for name in names]
    columns = [rows[name] for name in names]
    return [
        {key: cell for key, cell in zip(keys, cells, strict=True) if cell is not None}
        for cells in (zip(*columns, strict=True) if names else [()] * len(rows))
    ]


_OF_PAYMENT = f"{OF_THE_ROW}id"

STRIPE_CSV = Export(
    name="stripe_csv",
    documentation="https://support.stripe.com/questions/exporting-payment-reports",
    recognised_by=[
        ["id", created, "Amount", "Amount Refunded", "Status"]
        for created in ("Created date (UTC)", "Created (UTC)")
    ],
    event_id=_event_id,
    event_name=_event_name,
    timestamp=_utc(_CREATED),
    aliases={
        "stripe_customer": "Customer ID",
        "email": "Customer Email",
        "payment_intent": "PaymentIntent ID",
    },
    properties={
        "*": _metadata,
        "id": "id",
        "amount": number("Amount"),
        "amount_refunded": number(_GIVEN_BACK),
        "currency": _currency,
        "client_reference_id": "Client Reference ID",
        "status": "Status",
        "description": "Description",
        "failure_code": "Decline Reason",
        "invoice": "Invoice ID",
        "checkout_session": "Checkout Session ID",
        "line_items": "Checkout Line Item Summary",
        "payment_link": "Payment Link ID",
        "test": _is_test,
    },
    profile_properties={
        "$email": "Customer Email",
        "$phone_number": "Customer Phone",
        "$city": first_of("Card Address City", "Shipping Address City"),
        "$state": first_of("Card Address State", "Shipping Address State"),
        "$zip_code": first_of("Card Address Zip", "Shipping Address Postal Code"),
        "$country_code": first_of("Card Address Country", "Shipping Address Country"),
        **{
            f"utm_{name.lower()}": f"UTM {name}"
            for name in ("Source", "Medium", "Campaign", "Term", "Content")
        },
    },
    also=[
        Further(
            each=_refunds,
            event_name=constant("Payment Refunded"),
            timestamp=_utc("at"),
            event_id=lambda rows: [
                None if own is None else f"{own}-refunded" for own in rows[_OF_PAYMENT]
            ],
            properties={
                "id": _OF_PAYMENT,
                "amount": number(f"{OF_THE_ROW}{_GIVEN_BACK}"),
                "currency": lambda rows: [
                    code.upper() if isinstance(code, str) else None
                    for code in rows[f"{OF_THE_ROW}Currency"]
                ],
            },
        )
    ],
)
