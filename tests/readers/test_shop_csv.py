"""The CSV files of Stripe's Dashboard and of WooCommerce, from file to revenue."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
PAYMENT = {
    "id": "ch_1", "Created date (UTC)": "2026-03-02 09:17:02", "Amount": "17.00",
    "Amount Refunded": "0.00", "Currency": "eur", "Captured": "true", "Status": "Paid",
    "Customer Email": "ada@example.com", "PaymentIntent ID": "pi_1", "Refunded date (UTC)": "",
}  # fmt: skip
ORDER = {
    "Date": "2026-03-02 10:17:00", "Order #": "727", "Status": "completed",
    "Customer": "Ada Moreau", "Product(s)": "1× Beans", "Items sold": "1", "Net sales": "11.75",
}  # fmt: skip


def in_csv(path, *rows, **options):
    pd.DataFrame(rows).to_csv(path, index=False)
    return ck.read_events(path, **options)


def named(s, name):
    return s.events[s.events["event_name"] == name]


class TestStripe:
    def test_from_file_to_revenue(self):
        s = ck.stitch(ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "stripe_csv.csv"]))
        assert not len(s.rejected)
        steps = ["page", "Product Added", "Payment Succeeded"]
        assert s.funnel(steps, within="30D").table["profiles"].tolist() == [8, 7, 5]
        assert named(s, "Payment Succeeded")["properties.amount"].sum() == 175.0
        customers = s.customers("Payment Succeeded", "amount", refund="Payment Refunded")
        assert customers.lifetime_value()["value"].sum() == 175.0 - 7.0 - 17.0

    def test_a_charge_of_the_api_and_of_the_file_counts_once(self):
        s = ck.stitch(ck.read_events([EXPORTS / "stripe.json", EXPORTS / "stripe_csv.csv"]))
        assert len(named(s, "Payment Succeeded")) == 6
        assert len(s.duplicates) == 6

    @pytest.mark.parametrize(
        ("status", "captured", "name", "event_id"),
        [
            ("Paid", "true", "Payment Succeeded", "ch_1"),
            ("Refunded", "true", "Payment Succeeded", "ch_1"),
            ("Failed", "false", "Payment Failed", "ch_1"),
            ("Pending", "", "Payment Pending", "ch_1-pending"),
            ("Disputed", "true", "Payment Succeeded", "ch_1"),
            ("requires_payment_method", "", None, "ch_1"),
            ("canceled", "false", None, "ch_1"),
        ],
    )
    def test_what_the_status_says(self, tmp_path, status, captured, name, event_id):
        row = PAYMENT | {"Status": status, "Captured": captured}
        s = ck.stitch(in_csv(tmp_path / "a.csv", row))
        assert s.events["event_name"].dropna().tolist() == ([name] if name else [])
        assert s.events["event_id"].tolist() == [event_id]
        assert s.events["kind"].tolist() == ["track" if name else "identify"]

    def test_what_was_given_back_is_an_event_at_its_own_time(self, tmp_path):
        row = PAYMENT | {"Amount Refunded": "7.50", "Refunded date (UTC)": "2026-03-05 09:00:00"}
        s = ck.stitch(in_csv(tmp_path / "a.csv", row))
        back = named(s, "Payment Refunded").iloc[0]
        assert back["event_id"] == "ch_1-refunded"
        assert str(back["timestamp"]) == "2026-03-05 09:00:00+00:00"
        assert back["properties.amount"] == 7.5
        assert back["properties.currency"] == "EUR"
        assert len(s.profiles) == 1

    @pytest.mark.parametrize("amount", ["0.00", "0,00", ""])
    def test_nothing_given_back_is_not_an_event(self, tmp_path, amount):
        row = PAYMENT | {"Amount Refunded": amount, "Refunded date (UTC)": "2026-03-05 09:00:00"}
        assert in_csv(tmp_path / "a.csv", row)["event_name"].tolist() == ["Payment Succeeded"]

    def test_times_are_utc_whatever_the_shops_zone(self, tmp_path):
        read = in_csv(tmp_path / "a.csv", PAYMENT)
        parsed = pd.read_csv(tmp_path / "a.csv", parse_dates=["Created date (UTC)"])
        for events in (read, ck.read_events(parsed)):
            s = ck.stitch(events, tz="Asia/Tokyo")
            assert str(s.events["timestamp"].iloc[0]) == "2026-03-02 09:17:02+00:00"

    def test_amounts_with_a_decimal_comma_are_read_on_request(self, tmp_path):
        row = PAYMENT | {"Amount": "1.399,50", "Amount Refunded": "1.000,50",
                         "Refunded date (UTC)": "2026-03-05 09:00:00"}  # fmt: skip
        events = in_csv(tmp_path / "a.csv", row, amounts="de")
        assert events["properties.amount"].tolist() == [1399.5, 1000.5]

    def test_older_files_and_metadata(self, tmp_path):
        row = {"Created (UTC)" if name == "Created date (UTC)" else name: value
               for name, value in PAYMENT.items()} | {"order_id (metadata)": "1001"}  # fmt: skip
        events = in_csv(tmp_path / "a.csv", row)
        assert events["properties.metadata.order_id"].tolist() == [1001]
        assert events["timestamp"].tolist() == ["2026-03-02 09:17:02Z"]

    def test_the_balance_history_is_another_file(self, tmp_path):
        row = {"id": "txn_1", "Type": "charge", "Amount": "17.00", "Fee": "0.51", "Net": "16.49",
               "Currency": "eur", "Created (UTC)": "2026-03-02 09:17"}  # fmt: skip
        with pytest.raises(ck.ColumnError, match="nearest"):
            in_csv(tmp_path / "a.csv", row)


class TestWooCommerce:
    def test_beside_the_browsers_events(self):
        events = ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "woocommerce_csv.csv"])
        s = ck.stitch(events, tz="Europe/Brussels")
        assert not len(s.rejected)
        orders = named(s, "Placed Order")
        assert len(orders) == 7
        assert orders["properties.net_sales"].sum() == pytest.approx(150.87)
        # The file says nothing of who ordered.
        assert orders["profile_id"].isna().all()
        assert str(orders["timestamp"].max()) == "2026-03-07 09:08:00+00:00"
        back = named(s, "Order Refunded")
        assert back["properties.amount"].tolist() == [7.0]

    def test_an_order_of_the_api_and_of_the_file_counts_once(self):
        files = [EXPORTS / "woocommerce.json", EXPORTS / "woocommerce_csv.csv"]
        s = ck.stitch(ck.read_events(files), tz="Europe/Brussels")
        orders = named(s, "Placed Order")
        assert len(orders) == len(s.duplicates) == 7
        assert orders["profile_id"].notna().all()

    @pytest.mark.parametrize("net", ["Net Sales", "N. Revenue"])
    def test_the_header_of_each_version(self, tmp_path, net):
        row = {net if name == "Net sales" else name: value for name, value in ORDER.items()}
        events = in_csv(tmp_path / "a.csv", row)
        assert events["properties.net_sales"].tolist() == [11.75]

    @pytest.mark.parametrize(
        ("net", "sold", "name"),
        [
            ("-7", "-1", "Order Refunded"),
            ("-7", "0", "Order Refunded"),
            ("0", "0", "Order Refunded"),
            ("0", "1", "Placed Order"),
            ("5", "0", "Placed Order"),
            ("", "", "Placed Order"),
        ],
    )
    def test_a_refund_has_the_number_of_its_order(self, tmp_path, net, sold, name):
        row = ORDER | {"Net sales": net, "Items sold": sold, "Date": "2026-03-05 10:00:00"}
        events = in_csv(tmp_path / "a.csv", ORDER, row)
        assert events["event_name"].tolist() == ["Placed Order", name]
        refund = name == "Order Refunded"
        own = "refund-727-2026-03-05 10:00:00" if refund else "727"
        assert events["event_id"].tolist() == ["727", own]

    def test_names_of_people_are_left(self, tmp_path):
        assert "Moreau" not in in_csv(tmp_path / "a.csv", ORDER).to_csv()


SUITE = {
    "order_id": "727", "order_date": "2026-03-02 10:17:00", "status": "completed",
    "order_total": "17.00", "order_currency": "EUR", "billing_email": "ada@example.com",
    "customer_id": "0", "refund_items": "", "coupon_items": "",
    "line_item_1": "name:Beans|product_id:93|sku:B1|quantity:2|total:6.00|sub_total:7.00",
    "line_item_2": "",
}  # fmt: skip


class TestImportExportSuite:
    def test_from_file_to_revenue(self):
        events = ck.read_events([EXPORTS / "segment.jsonl", EXPORTS / "woocommerce_orders_csv.csv"])
        s = ck.stitch(events, tz="Europe/Brussels")
        assert not len(s.rejected)
        steps = ["page", "Product Added", "Placed Order"]
        assert s.funnel(steps, within="30D").table["profiles"].tolist() == [8, 7, 5]
        customers = s.customers(refund="Order Refunded", refund_value="amount")
        assert customers.lifetime_value()["value"].sum() == 192.0 - 7.0

    def test_an_order_counts_once_however_it_was_exported(self):
        names = ["woocommerce.json", "woocommerce_orders_csv.csv", "woocommerce_csv.csv"]
        events = ck.read_events([EXPORTS / name for name in names])
        s = ck.stitch(events, tz="Europe/Brussels")
        assert s.events["event_name"].value_counts().to_dict() == {
            "Placed Order": 7, "Order Refunded": 1,
        }  # fmt: skip
        assert named(s, "Placed Order")["properties.total_price"].sum() == 192.0

    def test_refunds_items_and_coupons_are_taken_apart(self, tmp_path):
        row = SUITE | {
            "refund_items": "amount:1.00|reason:a|b;c|date:2026-03-05 10:00:00;"
            "amount:2.00|reason:|date:2026-03-06 10:00:00",
            "coupon_items": "code:spring|amount:1.00;code:vip|amount:2.00",
            "line_item_2": "name:A | B: large|product_id:94|quantity:1|total:3.50|meta:size:L",
        }
        events = in_csv(tmp_path / "a.csv", row)
        back = events[events["event_name"] == "Order Refunded"]
        assert back["properties.amount"].tolist() == [1.0, 2.0]
        assert back["event_id"].tolist() == [
            "refund-727-2026-03-05 10:00:00", "refund-727-2026-03-06 10:00:00",
        ]  # fmt: skip
        order = events.iloc[0]
        assert order["properties.discount_codes"] == "spring, vip"
        assert order["properties.items"] == [
            {"name": "Beans", "product_id": "93", "sku": "B1", "quantity": 2.0, "total": 6.0},
            {"name": "A | B: large", "product_id": "94", "quantity": 1.0, "total": 3.5},
        ]

    @pytest.mark.parametrize(
        ("status", "name"),
        [("completed", "Placed Order"), ("checkout-draft", "Started Checkout")],
    )
    def test_what_the_status_says(self, tmp_path, status, name):
        events = in_csv(tmp_path / "a.csv", SUITE | {"status": status})
        assert events["event_name"].tolist() == [name]

    def test_a_guest_has_an_address_and_no_number(self, tmp_path):
        events = in_csv(tmp_path / "a.csv", SUITE, SUITE | {"order_id": "8", "customer_id": "26"})
        assert events["alias.customer_id"].isna().tolist() == [True, False]
        assert events["alias.email"].tolist() == ["ada@example.com"] * 2
