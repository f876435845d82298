"""The export of the till: a line per sale."""

import convergekit as ck

#: Its name is that of its entry point.
TILL = ck.Export(
    name="till",
    documentation="https://till.example.com/export",
    recognised_by=[["till_no", "sold_at"]],
    event_name=lambda rows: ["Placed Order"] * len(rows),
    timestamp="sold_at",
    event_id="sale_no",
    aliases={"email": "buyer_mail", "loyalty_card": "card"},
    properties={"total_price": "total", "receipt_no": "receipt_no", "utm_source": "heard_of_us"},
)
