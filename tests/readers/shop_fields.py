"""Which documented fields of the shops' exports are read, and which are left.

`FIELDS` lists the fields of a format as the vendor's page has them, `LEFT` those that are not read.
A dot leads into an object, or into the objects of a list.
"""

from __future__ import annotations

_ADDRESS = ["first_name", "last_name", "city", "province", "zip", "country_code"]
_CSV_COLUMNS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,"
    "Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,"
    "Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,"
    "Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,"
    "Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,"
    "Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,"
    "Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,"
    "Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,"
    "Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References"
)
_CSV_LEFT = {
    "Fulfilled at", "Accepts Marketing", "Shipping Method", "Lineitem compare at price",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status",
    "Billing Name", "Billing Street", "Billing Address1", "Billing Address2", "Billing Company",
    "Shipping Name", "Shipping Street", "Shipping Address1", "Shipping Address2",
    "Shipping Company", "Notes", "Note Attributes", "Outstanding Balance", "Employee", "Location",
    "Device ID", "Risk Level", "Tax 1 Name", "Tax 1 Value", "Receipt Number", "Duties",
    "Billing Province Name", "Shipping Province Name", "Payment ID", "Payment Terms Name",
    "Next Payment Due At", "Payment References",
    # Of the person the shipping address counts, and the phone of the order.
    "Billing City", "Billing Zip", "Billing Province", "Billing Country", "Billing Phone",
    "Shipping Phone",
}  # fmt: skip
_CSV_SAMPLE = {
    name: "2026-03-02 10:00:00 +0100" if name.endswith(" at") else f"{place}.5"
    for place, name in enumerate(_CSV_COLUMNS.split(","))
}

_ORDER = {
    "id": 1, "admin_graphql_api_id": "gid://shopify/Order/1", "app_id": 580111,
    "browser_ip": "203.0.113.1", "buyer_accepts_marketing": False, "cancel_reason": "customer",
    "cancelled_at": "2026-03-03T10:00:00Z", "cart_token": "c1", "checkout_token": "t1",
    "client_details": {"user_agent": "Firefox", "accept_language": "en"},
    "closed_at": "2026-03-05T10:00:00Z", "confirmed": True, "contact_email": "b@example.com",
    "created_at": "2026-03-02T10:00:00Z", "currency": "EUR", "current_subtotal_price": "9.00",
    "current_total_discounts": "0.00", "current_total_price": "10.00", "current_total_tax": "1.00",
    "customer": {"id": 9, "email": "c@example.com", "first_name": "Ada", "last_name": "Moreau"},
    "customer_locale": "en", "discount_codes": [{"code": "SPRING", "amount": "1.00"}],
    "email": "a@example.com", "financial_status": "paid", "fulfillment_status": "fulfilled",
    "landing_site": "/", "location_id": 4, "name": "#1001", "note": "no bell", "number": 1,
    "order_number": 1001, "payment_gateway_names": ["bogus"], "phone": "+3290000000",
    "presentment_currency": "EUR", "processed_at": "2026-03-01T10:00:00Z",
    "referring_site": "https://news.example.com", "source_name": "web", "subtotal_price": "9.50",
    "tags": "vip", "tax_lines": [], "taxes_included": True, "test": True, "token": "o1",
    "total_discounts": "1.00", "total_line_items_price": "10.00", "total_price": "12.00",
    "total_shipping_price_set": {"shop_money": {"amount": "4.50", "currency_code": "EUR"}},
    "total_tax": "1.50", "total_weight": 250, "updated_at": "2026-03-04T10:00:00Z",
    "user_id": 8, "billing_address": {name: f"billing {name}" for name in ["address1", *_ADDRESS]},
    "shipping_address": {name: f"shipping {name}" for name in ["address1", *_ADDRESS]},
    "line_items": [
        {"id": 5, "product_id": 6, "variant_id": 7, "sku": "HB", "title": "House Blend",
         "price": "12.50", "quantity": 1, "vendor": "Coffee", "grams": 250, "gift_card": False},
    ],
    "refunds": [
        {"id": 3, "order_id": 11, "created_at": "2026-03-06T10:00:00Z", "note": "broken",
         "processed_at": "2026-03-05T10:00:00Z", "user_id": 8, "restock": True,
         "refund_line_items": [{"line_item_id": 5, "quantity": 1}], "order_adjustments": [],
         "transactions": [{"id": 2, "kind": "refund", "status": "success", "amount": "2.00",
                           "currency": "USD", "gateway": "bogus"}]},
    ],
}  # fmt: skip
_ORDER_LEFT = {
    "admin_graphql_api_id", "app_id", "buyer_accepts_marketing", "client_details.accept_language",
    "closed_at", "confirmed", "current_subtotal_price", "current_total_discounts",
    "current_total_tax", "customer_locale", "discount_codes.amount", "line_items.gift_card",
    "line_items.grams", "line_items.id", "location_id", "note", "number", "payment_gateway_names",
    "presentment_currency", "refunds.order_adjustments", "refunds.refund_line_items.line_item_id",
    "refunds.refund_line_items.quantity", "refunds.restock", "refunds.transactions.gateway",
    "refunds.transactions.id",
    "refunds.user_id", "tax_lines", "taxes_included", "token", "total_line_items_price",
    "total_shipping_price_set.shop_money.currency_code", "total_weight", "user_id",
    "shipping_address.address1", "billing_address.address1",
    # Only where what comes before it is missing.
    "contact_email", "customer.email", "refunds.created_at",
    *(f"billing_address.{name}" for name in _ADDRESS),
    "shipping_address.first_name", "shipping_address.last_name",
}  # fmt: skip

_CHECKOUT = {
    name: _ORDER[name]
    for name in (
        "id", "cart_token", "created_at", "currency", "customer", "discount_codes", "email",
        "landing_site", "line_items", "phone", "referring_site", "shipping_address",
        "source_name", "subtotal_price", "total_discounts", "total_price", "total_tax",
        "updated_at", "taxes_included", "total_weight", "total_line_items_price",
        "billing_address", "buyer_accepts_marketing", "closed_at", "customer_locale", "location_id",
        "note", "presentment_currency", "tax_lines", "user_id",
    )
} | {
    "token": "t1", "abandoned_checkout_url": "https://shop.example.com/r", "name": "#7",
    "completed_at": "2026-03-02T11:00:00Z", "gateway": "bogus", "note_attributes": [],
}  # fmt: skip


_GQL_MONEY = {"shopMoney": {"amount": "12.0", "currencyCode": "EUR"},
              "presentmentMoney": {"amount": "13.0", "currencyCode": "USD"}}  # fmt: skip
_GQL_ADDRESS = ["firstName", "lastName", "address1", "city", "province", "zip", "countryCodeV2"]
_GRAPHQL = {
    "id": "gid://shopify/Order/1", "legacyResourceId": "1", "name": "#1001",
    "email": "ada@example.com", "phone": "+3290000000", "clientIp": "203.0.113.1",
    "createdAt": "2026-03-02T10:00:00Z", "processedAt": "2026-03-01T10:00:00Z",
    "updatedAt": "2026-03-04T10:00:00Z", "cancelledAt": "2026-03-03T10:00:00Z",
    "closedAt": "2026-03-05T10:00:00Z", "cancelReason": "CUSTOMER", "confirmed": True,
    "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "FULFILLED", "test": True,
    "currencyCode": "GBP", "presentmentCurrencyCode": "USD", "sourceName": "web",
    "totalPriceSet": _GQL_MONEY, "currentTotalPriceSet": _GQL_MONEY, "totalTaxSet": _GQL_MONEY,
    "subtotalPriceSet": _GQL_MONEY, "totalDiscountsSet": _GQL_MONEY,
    "totalShippingPriceSet": _GQL_MONEY, "discountCodes": ["SPRING"], "tags": ["vip"],
    "note": "no bell", "statusPageUrl": "https://shop.example.com/1",
    "customer": {"id": "gid://shopify/Customer/9", "firstName": "Ada", "lastName": "Moreau",
                 "defaultEmailAddress": {"emailAddress": "b@example.com"}},
    "shippingAddress": {name: f"shipping {name}" for name in _GQL_ADDRESS},
    "billingAddress": {name: f"billing {name}" for name in _GQL_ADDRESS},
    "refunds": [{"id": "gid://shopify/Refund/7", "createdAt": "2026-03-06T10:00:00Z",
                 "note": "broken", "totalRefundedSet": _GQL_MONEY}],
}  # fmt: skip
_GRAPHQL_LEFT = {
    "legacyResourceId", "closedAt", "confirmed", "presentmentCurrencyCode", "note",
    "statusPageUrl", "shippingAddress.address1", "billingAddress.address1",
    *(f"{name}.presentmentMoney.{part}"
      for name in ("totalPriceSet", "currentTotalPriceSet", "totalTaxSet", "subtotalPriceSet",
                   "totalDiscountsSet", "totalShippingPriceSet", "refunds.totalRefundedSet")
      for part in ("amount", "currencyCode")),
    *(f"{name}.shopMoney.currencyCode"
      for name in ("currentTotalPriceSet", "totalTaxSet", "subtotalPriceSet",
                   "totalDiscountsSet", "totalShippingPriceSet")),
    # Only where what comes before it is missing.
    "customer.defaultEmailAddress.emailAddress", "totalPriceSet.shopMoney.currencyCode",
    "shippingAddress.firstName",
    "shippingAddress.lastName",
    *(f"billingAddress.{name}" for name in _GQL_ADDRESS),
}  # fmt: skip

_WOO_ADDRESS = ["first_name", "last_name", "company", "address_1", "city", "state", "postcode",
                "country"]  # fmt: skip
_WOO = {
    "id": 727, "parent_id": 0, "number": "0727", "order_key": "wc_order_1", "version": "3.0.0",
    "created_via": "checkout", "status": "processing", "currency": "EUR",
    "date_created": "2026-03-02T16:28:02", "date_created_gmt": "2026-03-02T15:28:02",
    "date_modified": "2026-03-02T16:29:02", "date_modified_gmt": "2026-03-02T15:29:02",
    "discount_total": "1.00", "discount_tax": "0.10", "shipping_total": "10.00",
    "shipping_tax": "0.50", "cart_tax": "1.35", "total": "29.35", "total_tax": "1.85",
    "prices_include_tax": False, "customer_id": 26, "customer_ip_address": "203.0.113.1",
    "customer_user_agent": "Firefox", "customer_note": "no bell",
    "billing": {name: f"billing {name}" for name in [*_WOO_ADDRESS, "email", "phone"]},
    "shipping": {name: f"shipping {name}" for name in _WOO_ADDRESS},
    "payment_method": "bacs", "payment_method_title": "Transfer", "transaction_id": "t1",
    "date_paid": "2026-03-02T16:30:02", "date_paid_gmt": "2026-03-02T15:30:02",
    "date_completed": "2026-03-02T16:31:02", "date_completed_gmt": "2026-03-02T15:31:02",
    "cart_hash": "h1",
    "meta_data": [{"id": 1, "key": "_wc_order_attribution_utm_source", "value": "google"}],
    "line_items": [
        {"id": 315, "name": "Beans", "product_id": 93, "variation_id": 4, "quantity": 2,
         "tax_class": "", "subtotal": "7.00", "subtotal_tax": "0.45", "total": "6.00",
         "total_tax": "0.45", "sku": "B1", "price": 3},
    ],
    "tax_lines": [{"id": 318, "rate_code": "BE-1"}],
    "shipping_lines": [{"id": 317, "method_id": "flat_rate", "total": "10.00"}],
    "fee_lines": [{"id": 319, "name": "gift"}],
    "coupon_lines": [{"id": 320, "code": "spring", "discount": "1.00"}],
    "refunds": [{"id": 1, "reason": "broken", "total": "-10.00"}],
}  # fmt: skip
_WOO_LEFT = {
    "parent_id", "version", "date_created", "date_modified", "discount_tax", "shipping_tax",
    "cart_tax", "prices_include_tax", "customer_note", "payment_method_title", "date_paid",
    "date_completed", "cart_hash", "meta_data.id", "line_items.id", "line_items.tax_class",
    "line_items.subtotal", "line_items.subtotal_tax", "line_items.total_tax", "tax_lines.id",
    "tax_lines.rate_code", "shipping_lines.id", "shipping_lines.method_id",
    "shipping_lines.total", "fee_lines.id", "fee_lines.name", "coupon_lines.id",
    "coupon_lines.discount", "refunds.id", "refunds.reason", "billing.company",
    "billing.address_1", "shipping.company", "shipping.address_1", "shipping.first_name",
    "shipping.last_name",
    # Only where the order is not shipped.
    "billing.city", "billing.state", "billing.postcode", "billing.country",
}  # fmt: skip

_STRIPE_ADDRESS = {
    name: f"billing {name}" for name in ("city", "country", "line1", "postal_code", "state")
}
_STRIPE = {
    "id": "ch_1", "object": "charge", "amount": 1099, "amount_captured": 1098,
    "amount_refunded": 100, "application": "ca_1", "balance_transaction": "txn_1",
    "billing_details": {"address": _STRIPE_ADDRESS, "email": "ada@example.com", "name": "Ada",
                        "phone": "+3290000000"},
    "captured": True, "created": 1772442480, "currency": "eur", "customer": "cus_1",
    "description": "coffee", "disputed": False, "failure_code": "card_declined",
    "failure_message": "declined", "invoice": "in_1", "livemode": False,
    "metadata": {"order_id": "1001"}, "paid": True, "payment_intent": "pi_1",
    "payment_method": "card_1", "receipt_email": "other@example.com", "receipt_number": "7",
    "receipt_url": "https://pay.example.com", "refunded": False, "status": "succeeded",
    "shipping": {"name": "Ada"}, "statement_descriptor": "COFFEE", "transfer_group": "g",
}  # fmt: skip
_STRIPE_LEFT = {
    "amount_captured", "application", "balance_transaction", "billing_details.address.line1",
    "billing_details.name", "captured", "disputed", "failure_message", "paid", "payment_method",
    "receipt_number", "receipt_url", "refunded", "shipping.name", "statement_descriptor",
    "transfer_group",
    # Only where the billing details have no address.
    "receipt_email",
}  # fmt: skip

#: All columns that the Dashboard offers, but for the parts of addresses that are left alike.
_STRIPE_CSV_COLUMNS = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,"
    "Converted Amount Refunded,Converted Currency,Decline Reason,Description,Fee,"
    "Refunded date (UTC),Statement Descriptor,Status,Seller Message,Taxes On Fee,Mode,Card ID,"
    "Card Last4,Card Brand,Card Funding,Card Exp Month,Card Exp Year,Card Name,Card Address Line1,"
    "Card Address Line2,Card Address City,Card Address State,Card Address Country,"
    "Card Address Zip,Card Issue Country,Card Fingerprint,Card CVC Status,Card AVS Zip Status,"
    "Card AVS Line1 Status,Card Tokenization Method,Customer ID,Customer Description,"
    "Customer Email,Customer Phone,Shipping Name,Shipping Address Line1,Shipping Address Line2,"
    "Shipping Address City,Shipping Address State,Shipping Address Country,"
    "Shipping Address Postal Code,Disputed Amount,Dispute Date (UTC),Dispute Evidence Due (UTC),"
    "Dispute Reason,Dispute Status,Invoice ID,Invoice Number,Checkout Session ID,"
    "Checkout Custom Field 1 Key,Checkout Custom Field 1 Value,Checkout Line Item Summary,"
    "Checkout Promotional Consent,Checkout Terms of Service Consent,Client Reference ID,"
    "Payment Link ID,UTM Campaign,UTM Content,UTM Medium,UTM Source,UTM Term,"
    "Terminal Location ID,Terminal Reader ID,Application Fee,Application ID,Destination,Transfer,"
    "Transfer Group,Payment Source Type,PaymentIntent ID,order_id (metadata)"
)
_STRIPE_CSV = {
    name: "2026-03-02 10:00:00" if "(UTC)" in name else f"{place}.5"
    for place, name in enumerate(_STRIPE_CSV_COLUMNS.split(","))
} | {"Status": "Blocked", "Captured": "true", "Mode": "Test"}
_STRIPE_CSV_LEFT = {
    name
    for name in _STRIPE_CSV
    if name.startswith(("Card ", "Dispute", "Converted ", "Terminal ", "Transfer", "Shipping "))
    and name not in {f"Card Address {part}" for part in ("City", "State", "Country", "Zip")}
} | {
    "Application Fee", "Application ID", "Checkout Custom Field 1 Key",
    "Checkout Custom Field 1 Value", "Checkout Promotional Consent",
    "Checkout Terms of Service Consent", "Customer Description", "Destination", "Fee",
    "Invoice Number", "Payment Source Type", "Seller Message", "Statement Descriptor",
    "Taxes On Fee",
}  # fmt: skip

_WOO_CSV = {
    "Date": "2026-03-02 10:00:00", "Order #": "727", "N. Revenue (formatted)": "€17.00",
    "Status": "completed", "Customer": "Ada Moreau", "Customer type": "new",
    "Payment method": "Transfer", "Product(s)": "1× Beans", "Items sold": "1",
    "Coupon(s)": "spring", "Net Sales": "11.75", "Attribution": "Direct",
}  # fmt: skip

_WOO_ORDERS_CSV_COLUMNS = (
    "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,"
    "fee_tax_total,tax_total,cart_discount,order_discount,discount_total,order_total,"
    "order_subtotal,order_key,order_currency,payment_method,payment_method_title,transaction_id,"
    "customer_ip_address,customer_user_agent,shipping_method,customer_id,customer_user,"
    "customer_email,billing_first_name,billing_last_name,billing_company,billing_email,"
    "billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,"
    "billing_state,billing_country,shipping_first_name,shipping_last_name,shipping_company,"
    "shipping_phone,shipping_address_1,shipping_address_2,shipping_postcode,shipping_city,"
    "shipping_state,shipping_country,customer_note,wt_import_key,shipping_items,fee_items,"
    "tax_items,coupon_items,refund_items,order_notes,download_permissions,"
    "meta:_wc_order_attribution_device_type,meta:_wc_order_attribution_referrer,"
    "meta:_wc_order_attribution_session_count,meta:_wc_order_attribution_session_entry,"
    "meta:_wc_order_attribution_session_pages,meta:_wc_order_attribution_session_start_time,"
    "meta:_wc_order_attribution_source_type,meta:_wc_order_attribution_user_agent,"
    "meta:_wc_order_attribution_utm_source,line_item_1"
)
_WOO_ORDERS_CSV = {
    name: f"{place}.5" for place, name in enumerate(_WOO_ORDERS_CSV_COLUMNS.split(","))
} | {
    "order_date": "2026-03-02 10:00:00",
    "coupon_items": "code:spring|amount:1.00",
    "refund_items": "amount:7.00|reason:broken|date:2026-03-05 10:00:00",
    "line_item_1": "name:Beans|product_id:93|sku:B1|quantity:2|total:6.00|sub_total:7.00",
}
_WOO_ORDERS_CSV_LEFT = {
    "shipping_tax_total", "fee_total", "fee_tax_total", "cart_discount", "order_discount",
    "order_key", "payment_method_title", "shipping_method", "customer_user", "billing_company",
    "billing_address_1", "billing_address_2", "shipping_first_name", "shipping_last_name",
    "shipping_company", "shipping_phone", "shipping_address_1", "shipping_address_2",
    "customer_note", "wt_import_key", "shipping_items", "fee_items", "tax_items", "order_notes",
    "download_permissions", "meta:_wc_order_attribution_session_count",
    "meta:_wc_order_attribution_session_pages", "meta:_wc_order_attribution_session_start_time",
    "meta:_wc_order_attribution_user_agent",
    # Only where the order is not shipped, or has no billing address.
    "customer_email", "billing_city", "billing_state", "billing_postcode", "billing_country",
}  # fmt: skip


def _fields(record: dict) -> list[str]:
    found = []
    for key, value in record.items():
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            found += [f"{key}.{name}" for name in _fields(inner)]
        else:
            found.append(key)
    return found


SAMPLE_OF = {
    "shopify_csv": _CSV_SAMPLE,
    "shopify": _ORDER,
    "shopify_checkouts": _CHECKOUT,
    "shopify_graphql": _GRAPHQL,
    "woocommerce": _WOO,
    "stripe": _STRIPE,
    "stripe_csv": _STRIPE_CSV,
    "woocommerce_csv": _WOO_CSV,
    "woocommerce_orders_csv": _WOO_ORDERS_CSV,
}
FIELDS = {name: _fields(sample) for name, sample in SAMPLE_OF.items()}
LEFT = {
    "shopify_csv": _CSV_LEFT,
    "shopify": _ORDER_LEFT,
    "shopify_graphql": _GRAPHQL_LEFT,
    "woocommerce": _WOO_LEFT,
    "stripe": _STRIPE_LEFT,
    "stripe_csv": _STRIPE_CSV_LEFT,
    "woocommerce_csv": {"Customer"},
    "woocommerce_orders_csv": _WOO_ORDERS_CSV_LEFT,
    "shopify_checkouts": (_ORDER_LEFT & set(FIELDS["shopify_checkouts"])) - {"token"}
    | {"gateway", "name", "note_attributes"},
}
