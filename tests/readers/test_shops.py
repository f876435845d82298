"""Shops' own exports, from file to revenue: orders, checkouts and refunds, each counted once."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.readers import json_files
from tests.readers.shop_fields import FIELDS, LEFT, SAMPLE_OF

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
STEPS = ["page", "Product Added", "Placed Order"]


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def orders(s, name="Placed Order"):
    return s.events[s.events["event_name"] == name]


class TestShopifyCsv:
    def test_from_file_to_revenue(self):
        s = ck.stitch(ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "shopify_csv.csv"]))
        assert not len(s.rejected)
        # The file has no tokens: its orders reach the browser by the e-mail address alone.
        assert s.funnel(STEPS, within="30D").table["profiles"].tolist() == [8, 7, 5]
        found = orders(s)
        assert len(found) == 8
        assert found["properties.total_price"].sum() == 267.0
        worth = s.customers("Placed Order").lifetime_value()["value"].sum()
        assert worth == 267.0
        assert s.report.remarks["lines gathered into 8 events"] == 9
        cancelled = found[found["properties.financial_status"] == "voided"].iloc[0]
        assert [item["name"] for item in cancelled["properties.items"]] == [
            "House Blend 1 kg", "Grinder",
        ]  # fmt: skip
        assert cancelled["properties.items"][1] == {
            "sku": "GR-1", "name": "Grinder", "price": 45.0, "quantity": 1.0, "discount": 0.0,
            "vendor": "Tools",
        }  # fmt: skip
        assert cancelled["properties.cancelled_at"] == "2026-03-08 12:00:00 +0100"
        assert cancelled["properties.discount_codes"] == "SPRING"

    @pytest.mark.parametrize("first", ["shopify.json", "shopify_csv.csv"])
    def test_an_order_in_both_exports_counts_once(self, first):
        second = {"shopify.json": "shopify_csv.csv"}.get(first, "shopify.json")
        s = ck.stitch(ck.read_events([EXPORTS / first, EXPORTS / second]))
        assert len(s.events) == 8
        assert len(s.duplicates) == 7
        assert orders(s)["properties.total_price"].sum() == 267.0
        times = dict(zip(s.events["event_id"], s.events["timestamp"], strict=True))
        assert times["5550001000"] == pd.Timestamp("2026-03-02T09:17", tz="UTC")

    def test_two_orders_one_of_two_lines(self, tmp_path):
        path = written(
            tmp_path / "orders_export.csv",
            "Name,Email,Financial Status,Total,Currency,Created at,Lineitem quantity,"
            "Lineitem name,Lineitem price,Id\n"
            "#1001,mira@example.com,paid,75.00,EUR,2026-03-02 10:00:00 +0100,1,Beans,30.00,555\n"
            "#1001,mira@example.com,,,,2026-03-02 10:00:00 +0100,1,Grinder,45.00,\n"
            "#1002,otto@example.com,voided,20.00,EUR,2026-03-03 10:00:00 +0100,1,Filter,20,556\n",
        )
        s = ck.stitch(ck.read_events(path))
        names = [[item["name"] for item in items] for items in s.events["properties.items"]]
        assert names == [["Beans", "Grinder"], ["Filter"]]
        assert s.events["event_id"].tolist() == ["555", "556"]
        assert repr(s.customers()) == "Customers(2 customers with 2 orders; 0 ordered again)"
        assert str(s.events["timestamp"][0]) == "2026-03-02 09:00:00+00:00"

    def test_a_file_without_ids_has_the_names_of_orders(self, tmp_path):
        path = written(
            tmp_path / "orders_export.csv",
            "Name,Email,Financial Status,Created at,Lineitem name\n"
            "#1001,mira@example.com,paid,2026-03-02 10:00:00 +0100,Beans\n"
            "#1001,mira@example.com,,2026-03-02 10:00:00 +0100,Grinder\n",
        )
        assert ck.read_events(path)["event_id"].tolist() == ["#1001"]


ORDER = {
    "id": 1, "order_number": 1001, "name": "#1001", "created_at": "2026-03-10T12:00:00+01:00",
    "processed_at": "2024-05-01T09:30:00+02:00", "total_price": "80.00",
    "current_total_price": "50.00", "financial_status": "partially_refunded", "currency": "EUR",
    "line_items": [], "email": "mira@example.com", "checkout_token": "t1",
    "discount_codes": [{"code": "SPRING", "amount": "5.00", "type": "fixed_amount"},
                       {"code": "VIP", "amount": "1.00", "type": "fixed_amount"}],
}  # fmt: skip
REFUND = {
    "id": 7, "order_id": 1, "created_at": "2024-05-09T10:00:00+02:00",
    "transactions": [
        {"kind": "refund", "status": "success", "amount": "20.00", "currency": "EUR"},
        {"kind": "refund", "status": "success", "amount": "10.00", "currency": "EUR"},
        {"kind": "refund", "status": "failure", "amount": "20.00", "currency": "EUR"},
        {"kind": "void", "status": "success", "amount": "5.00", "currency": "EUR"},
    ],
}  # fmt: skip
THING = {
    "id": 9001, "created_at": "2026-03-02T10:00:00+01:00", "currency": "EUR",
    "total_price": "80.00", "email": "mira@example.com",
    "line_items": [{"title": "Beans", "quantity": 2, "price": "40.00"}],
}  # fmt: skip
CHECKOUT = THING | {
    "token": "t1", "cart_token": "c1", "abandoned_checkout_url": "https://shop.example.com/r",
    "completed_at": None,
}  # fmt: skip


class TestShopify:
    def test_an_import_has_the_time_of_the_order(self, tmp_path):
        path = written(tmp_path / "orders.json", {"orders": [ORDER]})
        s = ck.stitch(ck.read_events(path))
        order = s.events.iloc[0]
        assert str(order["timestamp"]) == "2024-05-01 07:30:00+00:00"
        assert order["properties.current_total_price"] == 50.0
        assert order["properties.financial_status"] == "partially_refunded"
        assert order["properties.discount_codes"] == "SPRING, VIP"
        without = written(tmp_path / "o.json", [{**ORDER, "processed_at": None}])
        assert str(ck.stitch(ck.read_events(without)).events["timestamp"][0])[:10] == "2026-03-10"

    def test_refunds_are_events_of_the_same_buyer_and_come_off_the_value(self, tmp_path):
        again = ORDER | {"id": 2, "refunds": []}
        path = written(tmp_path / "orders.json", [ORDER | {"refunds": [REFUND]}, again])
        s = ck.stitch(ck.read_events([path]))
        refund = orders(s, "Order Refunded").iloc[0]
        assert refund["event_id"] == "refund-7"
        assert refund["properties.amount"] == 30.0
        assert refund["properties.currency"] == "EUR"
        assert refund["properties.order_id"] == 1
        assert len(s.profiles) == 1
        customers = s.customers(refund="Order Refunded", refund_value="amount")
        assert customers.lifetime_value()["value"].tolist() == [130.0]

    @pytest.mark.parametrize(
        ("transactions", "amount"),
        [
            ([], 0.0),
            (None, None),
            ([REFUND["transactions"][0], REFUND["transactions"][0] | {"currency": "USD"}], None),
            ([REFUND["transactions"][0] | {"amount": "much"}], None),
        ],
    )
    def test_an_amount_that_is_not_known_is_missing(self, tmp_path, transactions, amount):
        refund = REFUND | {"transactions": transactions}
        path = written(tmp_path / "orders.json", [ORDER | {"refunds": [refund]}])
        found = ck.read_events(path).get("properties.amount", pd.Series([None, None]))
        assert found.astype(object).where(found.notna(), None).tolist()[1] == amount

    def test_abandoned_checkouts_are_not_orders(self, tmp_path):
        path = written(tmp_path / "checkouts.json", {"checkouts": [CHECKOUT]})
        s = ck.stitch(ck.read_events([path, written(tmp_path / "o.json", [ORDER])]))
        assert s.events["event_name"].tolist() == ["Started Checkout", "Placed Order"]
        assert {"urn:checkout_token:t1", "urn:cart_token:c1"} <= set(
            "urn:" + s.aliases["alias_type"].astype(str) + ":" + s.aliases["alias_value"]
        )
        assert len(s.profiles) == 1
        assert s.customers().lifetime_value()["ordered"].tolist() == [80.0]

    def test_from_checkouts_to_a_funnel(self):
        files = ["segment.jsonl", "shopify.json", "shopify_checkouts.json"]
        s = ck.stitch(ck.read_events([EXPORTS / name for name in files]))
        funnel = s.funnel(["page", "Started Checkout", "Placed Order"], within="30D")
        assert funnel.table["profiles"].tolist() == [8, 2, 1]
        assert orders(s)["properties.total_price"].sum() == 192.0

    def test_draft_orders_are_refused_by_name(self, tmp_path):
        draft = THING | {"id": 9002, "status": "open", "invoice_sent_at": None}
        path = written(tmp_path / "drafts.json", {"draft_orders": [draft]})
        with pytest.raises(ck.ReadError, match="Shopify's draft orders, which nobody has placed"):
            ck.read_events(path)
        with pytest.raises(ck.ReadError, match="not in the format 'shopify'.*'shopify_drafts'"):
            ck.read_events(path, format="shopify")

    def test_a_thing_without_an_orders_number_is_not_an_order(self, tmp_path):
        with pytest.raises(ck.ColumnError, match="no event name column"):
            ck.read_events(written(tmp_path / "things.json", [THING]))
        mixed = written(tmp_path / "mixed.json", [ORDER, THING])
        events = ck.read_events(mixed)
        assert events["read_error"].tolist()[1] == (
            "not an order: no order_number and no financial_status"
        )
        assert len(ck.stitch(events).rejected) == 1


GRAPHQL = {
    "id": "gid://shopify/Order/1", "name": "#1001", "email": "mira@example.com",
    "createdAt": "2026-03-10T11:00:00Z", "processedAt": "2024-05-01T07:30:00Z",
    "displayFinancialStatus": "PARTIALLY_REFUNDED", "currencyCode": "EUR", "test": False,
    "totalPriceSet": {"shopMoney": {"amount": "80.0", "currencyCode": "EUR"}},
    "customer": {"id": "gid://shopify/Customer/9", "defaultEmailAddress": None},
    "discountCodes": ["SPRING", "VIP"], "tags": ["loyal"],
    "refunds": [{"id": "gid://shopify/Refund/7", "createdAt": "2024-05-09T08:00:00Z",
                 "totalRefundedSet": {"shopMoney": {"amount": "30.0", "currencyCode": "EUR"}}}],
}  # fmt: skip
LINE = {
    "title": "Beans", "quantity": 2, "sku": "B1", "vendor": "Coffee",
    "originalUnitPriceSet": {"shopMoney": {"amount": "40.0"}},
    "product": {"id": "gid://shopify/Product/6"}, "variant": {"id": "gid://shopify/ProductVariant/7"},
}  # fmt: skip
ITEM = {
    "product_id": "6", "variant_id": "7", "sku": "B1", "name": "Beans", "price": 40.0,
    "quantity": 2, "vendor": "Coffee",
}  # fmt: skip


def bulk(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


class TestShopifyGraphql:
    def test_from_file_to_revenue(self):
        files = [EXPORTS / "segment.jsonl", EXPORTS / "shopify_graphql.jsonl"]
        s = ck.stitch(ck.read_events(files))
        assert not len(s.rejected)
        assert s.funnel(STEPS, within="30D").table["profiles"].tolist() == [8, 7, 5]
        assert orders(s)["properties.total_price"].sum() == 192.0
        assert all(map(len, orders(s)["properties.items"]))
        assert s.report.remarks["lines gathered into 7 events"] == 14

    def test_three_exports_of_the_same_orders_count_once(self):
        names = ["shopify_graphql.jsonl", "shopify.json", "shopify_csv.csv"]
        s = ck.stitch(ck.read_events([EXPORTS / name for name in names]))
        assert len(s.events) == 8
        assert orders(s)["properties.total_price"].sum() == 267.0

    @pytest.mark.parametrize("wrap", [
        lambda nodes: {"nodes": nodes},
        lambda nodes: {"edges": [{"node": node, "cursor": "c"} for node in nodes]},
    ])  # fmt: skip
    def test_answers_with_nodes_or_edges(self, tmp_path, wrap):
        order = GRAPHQL | {"lineItems": wrap([LINE])}
        answer = {"data": {"orders": wrap([order]) | {"pageInfo": {"hasNextPage": False}}},
                  "extensions": {"cost": {}}}  # fmt: skip
        events = ck.read_events(written(tmp_path / "answer.json", answer))
        order, refund = events.to_dict("records")
        assert order["event_id"] == "1"
        assert order["alias.customer_id"] == "9"
        assert order["timestamp"] == "2024-05-01T07:30:00Z"
        assert order["properties.items"] == [ITEM]
        assert order["properties.total_price"] == 80.0
        assert order["properties.financial_status"] == "partially_refunded"
        assert order["properties.discount_codes"] == "SPRING, VIP"
        assert order["properties.tags"] == "loyal"
        assert refund["event_id"] == "refund-7"
        assert refund["event_name"] == "Order Refunded"
        assert refund["properties.amount"] == 30.0
        assert refund["properties.order_id"] == "1"
        assert refund["alias.email"] == "mira@example.com"

    @pytest.mark.parametrize("rows", [1, 2, 9])
    def test_a_bulk_file_has_the_items_below_their_order(self, tmp_path, monkeypatch, rows):
        monkeypatch.setattr(json_files, "BATCH_ROWS", rows)
        below = {"__parentId": "gid://shopify/Order/1"}
        other = GRAPHQL | {"id": "gid://shopify/Order/2", "refunds": []}
        path = bulk(
            tmp_path / "bulk.jsonl",
            GRAPHQL,
            LINE | below | {"id": "gid://shopify/LineItem/5"},
            other,
            # Without an ID, and of the order before.
            LINE | below | {"title": "Grinder"},
            {"id": "gid://shopify/ShippingLine/3", "title": "Post"} | below,
            {"id": "gid://shopify/TaxLine/4", "__parentId": "gid://shopify/LineItem/5"},
        )
        events = ck.read_events(path, format="shopify_graphql")
        assert events["line"].tolist() == [1, 1, 3, 6]
        assert events["properties.items"].tolist()[:1] == [[ITEM, ITEM | {"name": "Grinder"}]]
        assert events["event_id"].tolist()[:3] == ["1", "refund-7", "2"]
        assert events["read_error"].tolist()[3] == ("not an order: a child of no order in the file")
        s = ck.stitch(events)
        assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(events)
        assert s.report.remarks["lines gathered into 3 events"] == 6

    def test_an_order_that_comes_again_is_a_copy(self, tmp_path):
        item = LINE | {"__parentId": "gid://shopify/Order/1"}
        path = bulk(tmp_path / "bulk.jsonl", GRAPHQL, item, item, GRAPHQL | {"note": "x"}, item)
        events = ck.read_events(path)
        own = events[events["event_name"] == "Placed Order"]
        assert list(map(len, own["properties.items"])) == [2, 1]
        assert len(ck.stitch(events).duplicates) == 2

    def test_what_is_not_an_order_is_not_counted(self, tmp_path):
        draft = GRAPHQL | {"id": "gid://shopify/DraftOrder/3"}
        path = written(tmp_path / "a.json", {"data": {"orders": {"nodes": [GRAPHQL, draft]}}})
        events = ck.read_events(path)
        rejected = ck.stitch(events).rejected
        assert rejected["reason"].tolist() == ["not an order: of Shopify's kind DraftOrder"]
        assert events["event_name"].tolist().count("Placed Order") == 2


WOO = {
    "id": 727, "number": "727", "order_key": "wc_order_58d2d042d1d", "status": "processing",
    "currency": "EUR", "date_created": "2026-03-02T16:28:02",
    "date_created_gmt": "2026-03-02T15:28:02", "total": "29.35", "total_tax": "1.35",
    "customer_id": 0, "billing": {"email": "ada.moreau@example.com", "city": "Ghent"},
    "shipping": {"city": ""},
    "line_items": [{"name": "Beans", "product_id": 93, "quantity": 2, "price": 3, "total": "6.00"}],
    "coupon_lines": [{"code": "spring"}, {"code": "vip"}],
    "refunds": [{"id": 1, "total": "-10.00"}, {"id": 2, "total": "-2.50"}],
    "meta_data": [
        {"id": 1, "key": "_wc_order_attribution_utm_source", "value": "google"},
        {"id": 2, "key": "_other", "value": {"a": 1}},
    ],
}  # fmt: skip


class TestWooCommerce:
    def test_from_file_to_revenue(self):
        s = ck.stitch(ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "woocommerce.json"]))
        assert not len(s.rejected)
        assert s.funnel(STEPS, within="30D").table["profiles"].tolist() == [8, 7, 5]
        assert orders(s)["properties.total_price"].sum() == 192.0
        assert orders(s)["profile.utm_source"].notna().sum() == 6

    def test_what_the_fields_mean(self, tmp_path):
        member = WOO | {"id": 728, "customer_id": 5, "refunds": [], "meta_data": []}
        path = written(tmp_path / "orders.json", [WOO, member])
        # The time is UTC whatever the zone of times that name none.
        s = ck.stitch(ck.read_events(path), tz="America/New_York")
        first, second = s.events.to_dict("records")
        assert str(first["timestamp"]) == "2026-03-02 15:28:02+00:00"
        assert first["properties.total_price"] == 29.35
        assert first["properties.refunded_amount"] == 12.5
        assert first["properties.discount_codes"] == "spring, vip"
        assert first["properties.order_attribution_utm_source"] == "google"
        assert first["properties.items"] == [
            {"product_id": 93, "name": "Beans", "price": 3, "quantity": 2, "total": 6.0}
        ]
        assert first["profile.$city"] == "Ghent"
        assert pd.isna(second["properties.refunded_amount"])
        assert sorted(s.aliases["alias_type"]) == ["customer_id", "email"]
        assert s.report.blocked.empty

    def test_a_draft_of_the_checkout_is_not_an_order(self, tmp_path):
        path = written(tmp_path / "orders.json", [WOO | {"status": "checkout-draft"}, WOO])
        events = ck.read_events(path)
        assert events["event_name"].tolist() == ["Started Checkout", "Placed Order"]

    def test_cancelled_and_failed_orders_are_a_finding(self, tmp_path):
        statuses = ["completed", "cancelled", "failed", "pending"]
        rows = [WOO | {"id": place, "status": status} for place, status in enumerate(statuses)]
        found = ck.check_up(ck.read_events(written(tmp_path / "orders.json", rows))).findings
        finding = found.set_index("check").loc["cancelled-order"]
        assert finding["events"] == 2
        assert finding["money"] == 58.7


CHARGE = {
    "id": "ch_1", "object": "charge", "amount": 1099, "amount_refunded": 0, "created": 1772442480,
    "currency": "eur", "customer": "cus_1", "livemode": True, "status": "succeeded",
    "payment_intent": "pi_1", "metadata": {"order_id": "1001"},
    "billing_details": {"email": "ada.moreau@example.com", "phone": None, "address": {}},
}  # fmt: skip
GIVEN_BACK = {
    "id": "re_1", "object": "refund", "amount": 500, "charge": "ch_1", "created": 1772528880,
    "currency": "eur", "payment_intent": "pi_1", "status": "succeeded", "metadata": {},
}  # fmt: skip
SESSION = {
    "id": "cs_1", "object": "checkout.session", "amount_total": 1099, "created": 1772442400,
    "currency": "eur", "customer": None, "customer_details": {"email": "ada.moreau@example.com"},
    "livemode": True, "payment_intent": "pi_1", "status": "complete", "payment_status": "paid",
    "client_reference_id": "u-7", "metadata": {},
}  # fmt: skip


def stripe_list(*objects):
    return {"object": "list", "data": list(objects), "has_more": False, "url": "/v1/charges"}


def stripe_event(kind, of, created):
    return {"id": f"evt_{kind}", "object": "event", "type": kind, "created": created,
            "livemode": True, "data": {"object": of}}  # fmt: skip


class TestStripe:
    def test_from_file_to_revenue(self):
        s = ck.stitch(ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "stripe.json"]))
        assert not len(s.rejected)
        steps = ["page", "Product Added", "Payment Succeeded"]
        assert s.funnel(steps, within="30D").table["profiles"].tolist() == [8, 7, 5]
        payments = orders(s, "Payment Succeeded")
        assert payments["properties.amount"].sum() == 175.0
        assert payments["profile.utm_source"].notna().all()
        customers = s.customers("Payment Succeeded", "amount", refund="Payment Refunded")
        assert customers.lifetime_value()["value"].sum() == 168.0

    def test_a_payment_beside_the_order_does_not_count_the_order_twice(self):
        files = [EXPORTS / "shopify.json", EXPORTS / "stripe.json"]
        s = ck.stitch(ck.read_events(files))
        assert s.customers().lifetime_value()["ordered"].sum() == 192.0
        assert not len(s.duplicates)

    def test_a_charge_in_a_list_and_in_an_event_counts_once(self, tmp_path):
        files = [
            written(tmp_path / "charges.json", stripe_list(CHARGE)),
            written(tmp_path / "refunds.json", stripe_list(GIVEN_BACK, GIVEN_BACK)),
            written(tmp_path / "events.json", stripe_list(
                stripe_event("charge.succeeded", CHARGE, 1772442481),
                stripe_event("checkout.session.completed", SESSION, 1772442490),
                # What is not read identifies: the customer's address, and no money.
                stripe_event("charge.updated", CHARGE | {"id": "ch_1"}, 1772442495),
                stripe_event("customer.created", {"id": "cus_1", "object": "customer",
                             "created": 1772442470, "email": "ada@example.com"}, 1772442471),
            )),
            written(tmp_path / "session.json", SESSION),
        ]  # fmt: skip
        s = ck.stitch(ck.read_events(files))
        assert not len(s.rejected)
        counts = s.events["event_name"].value_counts().to_dict()
        assert counts == {
            "Payment Succeeded": 1, "Payment Refunded": 1, "Completed Checkout": 1,
            "Started Checkout": 1,
        }  # fmt: skip
        assert (s.events["kind"] == "identify").sum() == 2
        assert len(s.profiles) == 1
        paid = orders(s, "Payment Succeeded").iloc[0]
        assert paid["event_id"] == "ch_1"
        assert paid["properties.amount"] == 10.99
        assert paid["properties.currency"] == "EUR"
        assert paid["properties.metadata.order_id"] == "1001"
        assert str(paid["timestamp"]) == "2026-03-02 09:08:00+00:00"
        done = orders(s, "Completed Checkout").iloc[0]
        assert done["event_id"] == "cs_1-completed"
        assert str(done["timestamp"]) == "2026-03-02 09:08:10+00:00"
        assert done["properties.client_reference_id"] == "u-7"

    @pytest.mark.parametrize(
        ("status", "name"),
        [("failed", "Payment Failed"), ("pending", "Payment Pending"), ("new", None)],
    )
    def test_a_charge_that_did_not_succeed(self, tmp_path, status, name):
        path = written(tmp_path / "charges.json", stripe_list(CHARGE | {"status": status}))
        found = ck.stitch(ck.read_events(path)).events
        assert found["event_name"].dropna().tolist() == ([name] if name else [])
        assert found["kind"].tolist() == ["track" if name else "identify"]

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    def test_a_refund_that_failed_gave_nothing_back(self, tmp_path, status):
        rows = stripe_list(CHARGE, GIVEN_BACK | {"status": status})
        s = ck.stitch(ck.read_events(written(tmp_path / "a.json", rows)))
        assert s.events["event_name"].dropna().tolist() == ["Payment Succeeded"]

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("eur", 1099 / 100), ("jpy", 1099), ("kwd", 1099 / 1000), ("isk", 1099 / 100),
         ("ugx", 1099 / 100), (None, 1099 / 100)],
    )  # fmt: skip
    def test_amounts_are_in_the_currencys_own_unit(self, tmp_path, currency, amount):
        path = written(tmp_path / "charges.json", stripe_list(CHARGE | {"currency": currency}))
        assert ck.read_events(path)["properties.amount"].tolist() == [amount]

    def test_objects_that_were_asked_for_in_full(self, tmp_path):
        whole = CHARGE | {"customer": {"id": "cus_1", "object": "customer"}, "payment_intent": None}
        refund = GIVEN_BACK | {"payment_intent": None, "charge": whole}
        s = ck.stitch(ck.read_events(written(tmp_path / "a.json", stripe_list(whole, refund))))
        assert len(s.profiles) == 1
        assert set(s.aliases["alias_type"]) == {"stripe_customer", "email", "stripe_charge"}

    def test_payments_of_the_test_mode_are_marked(self, tmp_path):
        path = written(tmp_path / "a.json", stripe_list(CHARGE | {"livemode": False}))
        found = ck.check_up(ck.read_events(path), conversion="Payment Succeeded").findings
        assert "1 test order" in found.set_index("check").loc["cancelled-order", "what"]


@pytest.mark.parametrize("name", FIELDS)
def test_each_documented_field_is_read_or_left(tmp_path, name):
    """Without a field that is read, the events are others; without one that is left, the same."""
    sample = SAMPLE_OF[name]
    whole = events_of(tmp_path, name, [sample])
    fields = FIELDS[name]
    assert set(LEFT[name]) <= set(fields)
    rest = sample
    for field in LEFT[name]:
        rest = less_of(rest, field)
    assert events_of(tmp_path, name, [rest]).equals(whole)
    for field in fields:
        if field not in LEFT[name]:
            assert not events_of(tmp_path, name, [less_of(sample, field)]).equals(whole), field


def less_of(record, field):
    less = without(record, [field] if field in record else field.split("."))
    assert less != record, f"the sample lacks {field}"
    return less


ODD = [None, "", 0, -1, True, "x", "1e999", [], {}, [1], [[]], [{}], [None], {"a": 1}, 1.5,
       {"nodes": 5}, {"edges": [1]}, "{}", "gid://shopify/", {"shopMoney": None}]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FIELDS if not name.endswith("_csv")])
def test_odd_values_cost_at_most_their_own_row(tmp_path, name):
    sample = SAMPLE_OF[name]
    rows = [sample]
    for place, field in enumerate(FIELDS[name]):
        for odd in (ODD[place % len(ODD)], ODD[(7 * place + 3) % len(ODD)]):
            rows.append(with_value(sample, field.split("."), odd))
    events = ck.read_events(written(tmp_path / "a.json", rows), format=name)
    s = ck.stitch(events)
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(events)
    assert len(events) >= len(rows)
    assert s.events["event_name"].iloc[0]
    assert len(ck.check_up(events).checks)


def with_value(record, path, odd):
    key, *inner = path
    if not inner:
        return record | {key: odd}
    value = record[key]
    if isinstance(value, list):
        return record | {key: [with_value(value[0], inner, odd), *value[1:]]}
    return record | {key: with_value(value, inner, odd)}


def events_of(tmp_path, name, records):
    if name.endswith("_csv"):
        path = tmp_path / "a.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, SAMPLE_OF[name])
            writer.writeheader()
            writer.writerows(records)
    else:
        path = written(tmp_path / "a.json", records)
    try:
        return ck.read_events(path)
    except ck.ConvergekitError as error:
        return pd.Series([str(error)])


def without(record, path):
    key, *inner = path
    if not inner:
        return {name: value for name, value in record.items() if name != key}
    value = record[key]
    if isinstance(value, list):
        return record | {key: [without(value[0], inner), *value[1:]]}
    return record | {key: without(value, inner)}
