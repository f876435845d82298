"""The check-up: each fault is found where it is made, and nothing else is."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.strategies import event_frames

ORDER = "Placed Order"
TOKENS = ("alias.cart_token", "alias.checkout_token")


@pytest.fixture(scope="module")
def clean():
    return ck.simulate_store(people=3000, seed=2, noise=0).events


@pytest.fixture
def store(clean):
    return clean.copy()


def first(events, chosen, count):
    """Return the positions of the first of the chosen rows."""
    return np.flatnonzero(chosen)[:count]


def only(found):
    """Return the one finding, and all of its events."""
    assert len(found) == 1, str(found)
    return found.findings.iloc[0], found.examples(1, None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("people", [1, 60, 1000])
def test_a_clean_store_has_no_finding(people, seed):
    found = ck.check_up(ck.simulate_store(people=people, seed=seed, noise=0).events)
    assert len(found) == 0, str(found)
    assert "no findings" in str(found)


@pytest.mark.parametrize("seed", range(5))
def test_what_any_store_has_is_no_finding(seed):
    # Refused consent, shared tablets, retries, junk values and lost tokens, three times as many.
    found = ck.check_up(ck.simulate_store(people=1000, seed=seed, noise=3).events)
    assert "high" not in set(found.findings["severity"]), str(found)


def test_conversions_without_an_event_id(store):
    rows = first(store, store["event_name"] == ORDER, 7)
    store.loc[rows, "event_id"] = [None, "", " ", None, None, None, None]
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "conversion-without-event-id"
    assert finding["events"] == 7
    assert finding["profiles"] == ck.stitch(store).events.loc[rows, "profile_id"].nunique()
    assert finding["money"] == store["properties.total_price"][rows].sum()
    assert examples["row"].tolist() == rows.tolist()
    assert examples["amount"].tolist() == store["properties.total_price"][rows].tolist()


def test_other_events_need_no_event_id(store):
    store["event_id"] = store["event_id"].where(store["event_name"] == ORDER)
    assert len(ck.check_up(store)) == 0


def test_an_event_id_of_another_event(store):
    rows = first(store, store["event_name"] == ORDER, 3)
    refunds = store.loc[rows].assign(event_name="Order Refunded")
    later = refunds[["timestamp", "received_at"]] + pd.Timedelta("1D")
    events = pd.concat([store, refunds.assign(**later)], ignore_index=True)
    finding, examples = only(ck.check_up(events))
    assert finding["check"] == "event-id-of-other-event"
    assert finding["money"] == 0
    assert examples["row"].tolist() == list(range(len(store), len(events)))
    assert examples["seen"][0].endswith(f"'Order Refunded' here, 'Placed Order' in row {rows[0]}")
    # The same name in another spelling is another finding.
    events["event_name"] = events["event_name"].replace("Order Refunded", "placed_order")
    found = ck.check_up(events)
    assert found.findings["check"].tolist() == []


def test_an_event_id_of_another_amount(store):
    rows = first(store, store["event_name"] == ORDER, 4)
    again = store.loc[rows].assign(received_at=store["received_at"].max())
    same = pd.concat([store, again], ignore_index=True)
    assert len(ck.check_up(same)) == 0
    again["properties.total_price"] += [0.001, 5.0, np.nan, 1.0]
    finding, examples = only(ck.check_up(pd.concat([store, again], ignore_index=True)))
    assert finding["check"] == "event-id-of-other-amount"
    assert examples["row"].tolist() == [len(store) + 1, len(store) + 3]
    assert finding["money"] == again["properties.total_price"].iloc[[1, 3]].sum()
    # An ID that names an event once per source is no reused one.
    again["source"] = "till"
    per_source = ck.check_up(
        pd.concat([store, again], ignore_index=True), dedupe_on=("source", "event_id")
    )
    assert "event-id-of-other-amount" not in set(per_source.findings["check"])


def test_conversions_without_an_alias(store):
    rows = first(store, store["event_name"] == ORDER, 5)
    aliases = [name for name in store if name.startswith("alias.")]
    store.loc[rows, aliases] = None
    store.loc[rows[:2], "alias.email"] = "undefined"
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "conversion-without-alias"
    assert (finding["events"], finding["profiles"]) == (5, 0)
    assert "3 carry no alias and 2 only such as identify nobody" in finding["what"]
    assert examples["seen"].tolist() == ["only aliases that identify nobody"] * 2 + ["no alias"] * 3
    assert ck.stitch(store).events["profile_id"][rows].isna().all()


def test_an_export_without_aliases_is_a_finding_and_no_error(store):
    events = store.drop(columns=[name for name in store if name.startswith("alias.")])
    found = ck.check_up(events)
    assert found.findings["check"].tolist() == ["conversion-without-alias"]
    assert found.findings["events"].tolist() == [(store["event_name"] == ORDER).sum()]


def test_orphaned_conversions(store):
    orders = store["event_name"] == ORDER
    store.loc[orders, [*TOKENS, "alias.customer_id", "alias.phone"]] = None
    store.loc[orders, "alias.email"] = "hashed " + store.loc[orders, "alias.email"]
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "orphaned-conversion"
    assert examples["row"].tolist() == np.flatnonzero(orders).tolist()
    assert finding["money"] == pytest.approx(store["properties.total_price"].sum())
    # One that its cookie names needs no other source.
    store.loc[orders, "alias.cookie"] = "c" + store.loc[orders, "event_id"]
    assert len(ck.check_up(store)) == 0


def test_a_few_orders_by_telephone_are_no_finding_and_many_are(store):
    orders = np.flatnonzero(store["event_name"] == ORDER)

    def with_orphans(share):
        some = orders[: int(share * len(orders))]
        events = store.copy()
        events.loc[some, [*TOKENS, "alias.customer_id", "alias.phone"]] = None
        events.loc[some, "alias.email"] = "hashed " + events.loc[some, "alias.email"]
        return events

    few = with_orphans(0.1)
    reasons = ck.stitch(few).orphans(ORDER).summary.set_index("outcome")["events"]
    assert reasons["alias never seen in the browser"] >= 0.1 * len(orders) - 1
    assert len(ck.check_up(few)) == 0
    finding, _ = only(ck.check_up(with_orphans(0.3)))
    assert finding["check"] == "orphaned-conversion"
    assert finding["events"] >= 0.3 * len(orders) - 1


@pytest.mark.parametrize(
    "value",
    [
        *("{{cart.token}}", "${cartToken}", "%7B%7Bcart.token%7D%7D", "{cart_token}", "*|ID|*"),
        *("%%ID%%", "[[cart]]", "__CART_TOKEN__", "{cart:none}", "%24%7Bcart%7D", " {{token}} "),
    ],
)
@pytest.mark.parametrize("in_lists", [False, True])
def test_a_template_in_place_of_an_alias_is_left_out_and_found(store, value, in_lists):
    rows = first(store, store["event_name"] == "Added To Cart", 6)
    whole = ck.stitch(store)
    if in_lists:
        store.loc[rows, "alias.cart_token"] = None
        held = store.index.isin(rows)
        store["aliases"] = [[f"urn:cart_token:{value}"] if one else None for one in held]
    else:
        store.loc[rows, "alias.cart_token"] = value
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "templated-alias"
    assert examples["row"].tolist() == rows.tolist()
    assert all("urn:cart_token:" in said for said in examples["seen"])

    s = ck.stitch(store)
    assert f"urn:cart_token:{value}" not in s.alias_graph
    assert s.report.blocked["events"].tolist() == [6]
    # Nobody is joined to somebody else.
    assert len(s.profiles) >= len(whole.profiles)


def test_a_template_among_other_things_is_found(store):
    others = [None] * (len(store) - 4)
    store["aliases"] = [None, None, None, ["urn:email:{{email}}", 7, None], *others]
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "templated-alias"
    assert examples["row"].tolist() == [store.index[3]]


def test_orders_with_one_template_are_not_one_customer():
    orders = pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": pd.date_range("2026-03-01", periods=5, tz="UTC"),
            "alias.email": "{{customer.email}}",
            "alias.customer_id": list("abcde"),
        }
    )
    assert len(ck.stitch(orders).profiles) == 5


@pytest.mark.parametrize("value", ["gid-{{cart.token}}", "cart=%7B%7Btoken%7D%7D"])
def test_a_template_within_an_alias(store, value):
    rows = first(store, store["event_name"] == "Added To Cart", 6)
    store.loc[rows, "alias.cart_token"] = value
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "templated-alias"
    assert examples["row"].tolist() == rows.tolist()
    assert finding["profiles"] == 1
    s = ck.stitch(store)
    profile = s.events["profile_id"][rows[0]]
    worth = s.events[(s.events["profile_id"] == profile) & (s.events["event_name"] == ORDER)]
    assert finding["money"] == pytest.approx(worth["properties.total_price"].sum())
    assert len(ck.check_up(store, block=[f"urn:cart_token:{value}"])) == 0


def test_a_token_under_many_cookies(store):
    carts = store[store["event_name"] == "Added To Cart"]
    rows = carts.drop_duplicates("alias.cookie").index[:5]
    four = store.copy()
    four.loc[rows[:4], "alias.cart_token"] = "cached"
    assert len(ck.check_up(four)) == 0
    store.loc[rows, "alias.cart_token"] = "cached"
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "shared-alias"
    assert "urn:cart_token:cached" in finding["fix"]
    assert examples["row"].tolist() == rows.tolist()


def test_an_address_on_many_cookies_in_a_day_and_in_a_year():
    def visits(every):
        at = pd.date_range("2026-01-01", periods=40, freq=every, tz="UTC")
        cookies = [f"c{number}" for number in range(40)]
        return pd.DataFrame(
            {
                "event_name": "PageView",
                "timestamp": at,
                "alias.cookie": cookies,
                "alias.email": "ada@example.com",
            }
        )

    assert len(ck.check_up(visits("9D"))) == 0
    finding, _ = only(ck.check_up(visits("1min")))
    assert finding["check"] == "shared-alias"
    assert "ada@" not in str(ck.check_up(visits("1min")))


def test_a_bot(store):
    def with_visitor(count, seconds):
        views = store[store["event_name"] == "PageView"].iloc[[5] * count]
        started = views["timestamp"].iloc[0].floor("h")
        times = started + pd.to_timedelta(np.arange(count) * seconds, unit="s")
        robot = views.assign(
            timestamp=times, received_at=times, event_id=None, **{"alias.cookie": "robot"}
        )
        return pd.concat([store, robot], ignore_index=True)

    assert len(ck.check_up(with_visitor(2000, 60))) == 0
    finding, examples = only(ck.check_up(with_visitor(1500, 2)))
    assert finding["check"] == "bot"
    assert finding["events"] == 1500
    assert examples["row"].tolist() == list(range(len(store), len(store) + 1500))
    assert set(examples["seen"]) == {"urn:cookie:robot"}


def test_days_without_aliases(store):
    day = store["timestamp"].dt.strftime("%Y-%m-%d")
    browser = store["source"] == "browser"
    lost = browser & day.isin(["2026-03-10", "2026-03-11"])
    lost &= np.random.default_rng(0).random(len(store)) < 0.6
    aliases = [name for name in store if name.startswith("alias.")]
    few = store.copy()
    few.loc[lost & (np.random.default_rng(1).random(len(store)) < 0.3), aliases] = None
    assert len(ck.check_up(few)) == 0
    store.loc[lost, aliases] = None
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "days-without-aliases"
    assert "'2026-03-10', '2026-03-11'" in finding["what"]
    assert examples["row"].tolist() == np.flatnonzero(lost).tolist()


def test_a_clock_that_is_late(store):
    server = store["source"] == "server"
    slow = store.copy()
    slow.loc[server, "timestamp"] += pd.Timedelta("2h")
    assert len(ck.check_up(slow)) == 0
    store.loc[server, "timestamp"] -= pd.Timedelta("1h")
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "clock-skew"
    assert "'server'" in finding["what"]
    assert set(examples["source"]) == {"server"}
    # What the funnel loses is what the finding counts.
    steps = ["Started Checkout", ORDER]
    reached = ck.stitch(store).funnel(steps, within="7D").table["profiles"]
    whole = ck.stitch(slow).funnel(steps, within="7D").table["profiles"]
    assert reached[1] < 0.1 * whole[1]
    assert finding["events"] > 0.9 * whole[1]
    # An hour less than how long the orders came after the checkout.
    minutes = int(re.search(r"half of them by (\d+) min", finding["what"])[1])
    assert 45 <= minutes < 60


def test_a_source_that_falls_silent(store):
    gone = (store["source"] == "browser") & store["timestamp"].between(
        "2026-03-12T06:00Z", "2026-03-13T06:00Z"
    )
    found = ck.check_up(store[~gone])
    finding, examples = only(found)
    assert finding["check"] == "silence"
    assert finding["what"].startswith("'browser' sent nothing for 1 day")
    assert (finding["events"], finding["profiles"], finding["money"]) == (0, 0, 0)
    assert examples["timestamp"].max() - examples["timestamp"].min() > pd.Timedelta("1D")
    # The server's orders are what the money is; the third day of every week is its own measure.
    gone = (store["source"] == "server") & store["timestamp"].between(
        "2026-03-12T00:00Z", "2026-03-13T00:00Z"
    )
    finding, _ = only(ck.check_up(store[~gone]))
    assert 0 < finding["money"] < 3 * store.loc[gone, "properties.total_price"].sum()


def test_a_source_that_ends_early(store):
    gone = (store["source"] == "browser") & (store["timestamp"] >= "2026-03-27T00:00Z")
    finding, examples = only(ck.check_up(store[~gone]))
    assert (finding["check"], finding["severity"]) == ("silence", "low")
    days = (store["timestamp"].max() - pd.Timestamp("2026-03-27", tz="UTC")).days
    assert finding["what"].startswith(f"'browser' ends {days} day")
    assert examples["timestamp"].tolist() == [
        store.loc[~gone & (store["source"] == "browser"), "timestamp"].max()
    ]
    # In the middle it is another matter, whatever the end.
    middle = (store["source"] == "browser") & store["timestamp"].between(
        "2026-03-11T06:00Z", "2026-03-12T06:00Z"
    )
    both = ck.check_up(store[~gone & ~middle]).findings
    assert both["severity"].tolist() == ["medium", "low"]
    assert both["check"].tolist() == ["silence", "silence"]
    # Exports that are cut some hours apart end together.
    cut = (store["source"] == "browser") & (
        store["timestamp"] > store["timestamp"].max() - pd.Timedelta("20h")
    )
    assert len(ck.check_up(store[~cut])) == 0
    # A wrong year on one event is no end of the data.
    wrong = store.copy()
    wrong.loc[first(store, store["source"] == "crm", 1), "timestamp"] += pd.Timedelta("3000D")
    wrong.loc[first(store, store["source"] == "browser", 1), "timestamp"] += pd.Timedelta("3000D")
    finding, _ = only(ck.check_up(wrong))
    assert finding["check"] == "far-time"
    assert finding["events"] == 2


def test_an_order_under_several_event_ids(store):
    orders = store.index[store["event_name"] == ORDER]
    store["properties.order_id"] = pd.Series(
        [f"n{place}" for place in range(len(orders))], index=orders
    ).reindex(store.index)
    assert len(ck.check_up(store)) == 0
    again = store.loc[orders[:3]].assign(event_id=["x1", "x2", "x3"])
    again["timestamp"] += pd.Timedelta("1min")
    placeholders = store.loc[orders[3:9]].assign(event_id=[f"y{place}" for place in range(6)])
    placeholders["properties.order_id"] = "undefined"
    finding, examples = only(ck.check_up(pd.concat([store, again])))
    assert finding["check"] == "order-id-on-several-conversions"
    assert (finding["severity"], finding["events"]) == ("high", 3)
    assert examples["seen"].tolist() == [f"order_id = 'n{place}'" for place in range(3)]
    assert finding["money"] == pytest.approx(again["properties.total_price"].sum())
    both = ck.check_up(pd.concat([store, placeholders])).findings["check"]
    assert "order-id-on-several-conversions" not in both.tolist()


def test_nights_and_sundays_are_no_gaps():
    hours = pd.date_range("2026-01-05", periods=24 * 7 * 6, freq="h", tz="UTC")
    open_hours = hours[(hours.hour >= 8) & (hours.hour < 18) & (hours.day_of_week < 6)]
    times = open_hours.repeat(30) + pd.to_timedelta(
        np.tile(np.arange(30) * 120, len(open_hours)), unit="s"
    )
    events = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": times,
            "alias.cookie": pd.Series(np.arange(len(times))).astype("str"),
        }
    )
    assert len(ck.check_up(events)) == 0
    tuesday = events["timestamp"].between("2026-01-20T10:00Z", "2026-01-20T12:00Z")
    finding, _ = only(ck.check_up(events[~tuesday]))
    assert "from 2026-01-20 09:58 UTC" in finding["what"]


def test_a_property_that_changes_its_type(store):
    orders = store["event_name"] == ORDER
    rows = first(store, orders, 9)
    amounts = store["properties.total_price"].astype(object)
    amounts[rows] = amounts[rows].map("{:.2f}".format)
    store["properties.total_price"] = amounts
    finding, examples = only(ck.check_up(store))
    assert (finding["check"], finding["severity"]) == ("changing-type", "high")
    assert examples["row"].tolist() == rows.tolist()
    assert finding["money"] == pytest.approx(amounts[rows].astype(float).sum())


def test_amounts_that_are_no_numbers(store):
    orders = store["event_name"] == ORDER
    store["properties.total_price"] = (
        store["properties.total_price"].map("{:.2f}".format).where(orders).astype("str")
    )
    assert len(ck.check_up(store)) == 0
    rows = first(store, orders, 3)
    store.loc[rows, "properties.total_price"] = ["12,50", "€ 9.00", "free"]
    finding, examples = only(ck.check_up(store))
    assert finding["check"] == "amount-no-number"
    assert np.isnan(finding["money"])
    assert examples["seen"].tolist() == [
        f"total_price = {value!r}" for value in ["12,50", "€ 9.00", "free"]
    ]


@pytest.mark.parametrize("value", [None, "total_price"])
def test_amounts_of_which_none_can_be_read(store, value):
    orders = store["event_name"] == ORDER
    written = store["properties.total_price"].map("{:.2f}".format).str.replace(".", ",")
    store["properties.total_price"] = written.where(orders).astype("str")
    store.loc[first(store, orders, 1), "event_id"] = None
    findings = ck.check_up(store, value=value).findings.set_index("check")
    assert findings.loc["amount-no-number", "events"] == orders.sum()
    assert findings["money"].isna().all()
    store["properties.total"] = store["properties.total_price"]
    if value is None:
        assert "may each hold it" in ck.check_up(store).remarks[0]


@pytest.mark.parametrize("kind", ["text", "comma", "number"])
def test_amounts_that_may_be_thousands(store, kind):
    orders = store["event_name"] == ORDER
    rows = first(store, orders, int(orders.sum()))
    sent = [f"{1 + place % 9}.{101 + place % 800}" for place in range(len(rows))]
    of_kind = {"text": sent, "comma": [text.replace(".", ",") for text in sent]}
    amounts = pd.Series([None] * len(store), dtype=object)
    amounts[rows] = of_kind.get(kind, list(map(float, sent)))
    store["properties.total_price"] = amounts.infer_objects() if kind == "number" else amounts
    finding = ck.check_up(store).findings.set_index("check").loc["thousands-or-decimals"]
    unsure = [text for text in sent if kind != "number" or not text.endswith("0")]
    assert finding["events"] == len(unsure)
    # One amount with two decimals says it, and so does the currency.
    names = {"thousands-or-decimals"}
    dinars = store.assign(**{"properties.currency": "KWD"})
    assert not names & set(ck.check_up(dinars).findings["check"])
    if kind != "number":
        store.loc[rows[0], "properties.total_price"] = "12.50"
        assert not names & set(ck.check_up(store).findings["check"])


def test_usual_amounts_are_not_thousands(store):
    cents = store["properties.total_price"].round(2)
    for amounts in (cents, cents.round(0), cents / 3, cents.map("{:.2f}".format)):
        found = ck.check_up(store.assign(**{"properties.total_price": amounts}))
        assert "thousands-or-decimals" not in set(found.findings["check"])


def test_several_currencies(store):
    rows = first(store, store["event_name"] == ORDER, 4)
    store.loc[rows, "properties.currency"] = "eur "
    assert len(ck.check_up(store)) == 0
    store.loc[rows, "properties.currency"] = "USD"
    found = ck.check_up(store)
    finding, examples = only(found)
    assert finding["check"] == "several-currencies"
    assert examples["row"].tolist() == rows.tolist()
    assert finding["money"] == store["properties.total_price"][rows].sum()
    assert found.currency == ""
    assert any("as if they were one" in remark for remark in found.remarks)


def test_money_and_currencies_in_columns_of_their_own_as_in_a_csv_of_orders(store):
    own = {f"properties.{name}": name for name in ("total_price", "currency")}
    rows = first(store, store["event_name"] == ORDER, 4)
    store.loc[rows, "properties.currency"] = "USD"
    found = ck.check_up(store.rename(columns=own))
    finding, _ = only(found)
    assert finding["check"] == "several-currencies"
    assert finding["money"] == store["properties.total_price"][rows].sum()


def test_names_that_differ_in_their_spelling(store):
    rows = first(store, store["event_name"] == "Added To Cart", 8)
    spellings = ["Added to cart", "added_to_cart", "AddedToCart", " Added-To-Cart"]
    store.loc[rows, "event_name"] = spellings * 2
    finding, examples = only(ck.check_up(store))
    assert (finding["check"], finding["severity"]) == ("event-name-spelling", "medium")
    assert examples["row"].tolist() == rows.tolist()
    assert all(repr(name) in finding["what"] for name in spellings)
    renamed = dict.fromkeys(spellings, "Added To Cart")
    assert len(ck.check_up(store, rename_events=renamed)) == 0


def test_a_conversion_under_another_spelling_costs_its_own_money(store):
    rows = first(store, store["event_name"] == ORDER, 5)
    store.loc[rows, "event_name"] = "placed order"
    finding, _ = only(ck.check_up(store))
    assert (finding["check"], finding["severity"]) == ("event-name-spelling", "high")
    assert finding["money"] == store["properties.total_price"][rows].sum()


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/thanks?email=ada.abara@example.com&x=1",
        "https://shop.example.com/thanks?email=ada.abara%40example.com",
        "https://shop.example.com/r#josé@exämple.com",
        "https://shop.example.com/ada.abara@example.com-1/",
    ],
)
def test_an_address_in_a_url(store, url):
    rows = first(store, store["event_name"] == "PageView", 3)
    store.loc[rows, "properties.$url"] = url
    found = ck.check_up(store)
    finding, examples = only(found)
    assert (finding["check"], finding["severity"]) == ("email-address", "high")
    assert examples["row"].tolist() == rows.tolist()
    assert "a…@example.com" in examples["seen"][0] or "j…@exämple.com" in examples["seen"][0]
    for text in (str(found), found._repr_html_(), str(found.to_dict()), examples.to_string()):
        assert "ada.abara" not in text
        assert "josé" not in text


@pytest.mark.parametrize(
    "value",
    [
        "https://cdn.example.com/logo@2x.png",
        "https://cdn.example.com/react@18.2.0/index.js",
        "https://maps.example.com/@50.85,4.35,12z",
        "mailto:ada@shop.example.com",
        "write to support@shop.example.com",
        "@ada",
        "pkg@v1.beta2",
        "ada@localhost",
        "4111111111111112",
        "id-4111111111111111x",
        "1712345678901234",
        "0.4111111111111111",
    ],
)
def test_what_only_looks_personal(store, value):
    rows = first(store, store["event_name"] == "PageView", 3)
    store.loc[rows, "properties.$url"] = value
    assert len(ck.check_up(store)) == 0


def test_an_address_of_the_profile_is_where_it_belongs(store):
    assert store["profile_properties.$email"].str.contains("@").any()
    store["properties.note"] = store["profile_properties.$email"]
    finding, _ = only(ck.check_up(store))
    assert (finding["check"], finding["severity"]) == ("email-address", "medium")


@pytest.mark.parametrize(
    "value", ["card no.4111 1111 1111 1111, thanks", "5555-5555-5555-4444", "378282246310005"]
)
def test_a_card_number(store, value):
    rows = first(store, store["event_name"] == ORDER, 3)
    store["properties.note"] = pd.Series(value, index=rows).reindex(store.index)
    found = ck.check_up(store)
    finding, examples = only(found)
    assert (finding["check"], finding["severity"]) == ("card-number", "high")
    digits = re.sub(r"\D", "", value)
    for text in (str(found), found._repr_html_(), str(found.to_dict()), examples.to_string()):
        assert digits not in re.sub(r"[ -]", "", text)
    store["properties.note"] = store["properties.note"].map(
        lambda note: {"order": {"note": note}} if isinstance(note, str) else None
    )
    assert ck.check_up(store).findings["check"].tolist() == ["card-number"]


def test_long_ids_are_no_card_numbers(store):
    # One in ten of any numbers passes Luhn's test.
    numbers = 4_000_000_000_000_000 + np.random.default_rng(0).integers(0, 10**15, len(store))
    store["properties.ad_id"] = numbers
    store["properties.group_id"] = pd.Series(numbers).astype("str")
    assert len(ck.check_up(store)) == 0
    # Whole numbers with a gap, as pandas reads them.
    store["properties.card"] = pd.Series([4111111111111111.0, np.nan] * len(store))[: len(store)]
    assert ck.check_up(store).findings["check"].tolist() == ["card-number"]


def test_the_most_money_comes_first(store):
    orders = np.flatnonzero(store["event_name"] == ORDER)
    store.loc[orders[:20], "event_id"] = None
    store.loc[orders[20:22], [name for name in store if name.startswith("alias.")]] = None
    views = first(store, store["event_name"] == "PageView", 500)
    store.loc[views, "properties.$url"] = "/?mail=ada@example.com"
    found = ck.check_up(store)
    assert found.findings["check"].tolist() == [
        "conversion-without-event-id",
        "conversion-without-alias",
        "email-address",
    ]
    assert found.findings["money"].is_monotonic_decreasing
    assert str(found) == str(ck.check_up(store))


def test_without_conversions_it_says_what_it_did_not_check(store):
    events = store.replace({"event_name": {ORDER: "Order Completed"}})
    found = ck.check_up(events)
    assert "Name your conversions" in found.remarks[0]
    unchecked = found.checks.set_index("check")["result"] == "not checked"
    assert unchecked["conversion-without-event-id"]
    assert not unchecked["clock-skew"]
    named = ck.check_up(events, conversion="Order Completed")
    assert not (named.checks["result"] == "not checked").any()
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'Order Completed'"):
        ck.check_up(events, conversion="Order completed")


def test_the_property_of_money_is_guessed_only_if_there_is_one(store):
    store.loc[first(store, store["event_name"] == ORDER, 1), "event_id"] = None
    store["properties.value"] = store["properties.total_price"]
    assert "'total_price' of 'Placed Order', taken for its name" in ck.check_up(store).remarks[0]
    store["properties.value"] *= 1.21
    found = ck.check_up(store)
    assert "'total_price', 'value' may each hold it" in found.remarks[0]
    assert np.isnan(found.findings["money"][0])
    assert ck.check_up(store, value="value").findings["money"][0] > 0
    with pytest.raises(ck.ColumnError, match="no column matches value='totl_price'"):
        ck.check_up(store, value="totl_price")
    with pytest.raises(ck.ConvergekitError, match="must name a column of numbers"):
        ck.check_up(store, value="currency")


def test_what_comes_from_the_events_is_escaped(store):
    rows = first(store, store["event_name"] == ORDER, 2)
    store.loc[rows, "event_name"] = "placed order<script>"
    store.loc[rows[:1], "event_name"] = "Placed Order<script>"
    page = ck.check_up(store)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_finding_that_is_not_there(store):
    with pytest.raises(ck.ConvergekitError, match="there are 0, got"):
        ck.check_up(store).examples(1)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(["", "12.50", "12,50", "ada@example.com", "{{x}}", "4111111111111111", "\x00"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=3), max_size=2),
    st.datetimes(),
)


@st.composite
def odd_frames(draw):
    frame = draw(event_frames(several=True))
    size = len(frame)
    for name in ("properties.total_price", "properties.note", "properties.currency"):
        if draw(st.booleans()):
            cells = draw(st.lists(CELLS, min_size=size, max_size=size))
            frame[name] = pd.Series(cells, dtype=object, index=frame.index)
    if draw(st.booleans()):
        sources = st.sampled_from(["browser", "server", None])
        frame["source"] = draw(st.lists(sources, min_size=size, max_size=size))
    if draw(st.booleans()):
        frame["event_name"] = frame["event_name"].str.upper().where(frame.index % 2 == 0)
    return frame


@tries(40, suppress_health_check=[HealthCheck.too_slow])
@given(odd_frames())
def test_no_frame_is_changed_none_fails_and_counts_add_up(frame):
    before = frame.copy(deep=True)
    found = ck.check_up(frame)
    pd.testing.assert_frame_equal(frame, before)
    s = ck.stitch(frame)
    kept = set(s.events["row"])
    copies = set(s.duplicates["row"])
    for row in found.findings.to_dict("records"):
        examples = found.examples(row["finding"], None)
        assert len(examples) == (row["events"] or len(examples))
        assert examples["row"].is_unique
        assert row["rows"] == examples["row"].head(5).tolist()
        of_copies = row["check"].startswith("event-id-of-other")
        assert set(examples["row"]) <= (copies if of_copies else kept)
        profiles = s.events.set_index("row")["profile_id"].reindex(examples["row"])
        assert of_copies or profiles.nunique() == row["profiles"]
    assert len(found.checks) == 32
    assert sum(found.findings["check"].value_counts()) == len(found)
    assert "ada@" not in found._repr_html_() + str(found) + str(found.to_dict())


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"event_name": [], "timestamp": []}),
        pd.DataFrame({"event_name": ["A"], "timestamp": [None]}),
        pd.DataFrame({"aliases": [["urn:email:a@x.org"]], "timestamp": ["2026-03-02"]}),
        pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"], "aliases": [None]}),
    ],
)
def test_frames_with_hardly_anything(frame):
    found = ck.check_up(frame)
    assert len(found) == 0
    assert found.findings.dtypes.astype(str)["money"] == "float64"
    assert isinstance(found._repr_html_(), str)


def test_conversions_without_an_id_that_come_again_in_another_file(store):
    order = store.index[store["event_name"] == ORDER][:3]
    store["event_id"] = store["event_id"].mask(store.index.isin(order))
    store["file"] = "a.jsonl"
    again = store.loc[order].assign(file="b.jsonl")
    found = ck.check_up(pd.concat([store, again], ignore_index=True))
    findings = found.findings.set_index("check")
    finding = findings.loc["repeated-without-event-id"]
    assert finding["severity"] == "high"
    assert finding["what"] == (
        "3 events without an event ID repeat another in every field, 3 of them in another file."
    )
    assert finding["money"] == pytest.approx(again["properties.total_price"].sum())
    place = list(found.findings["check"]).index("repeated-without-event-id") + 1
    examples = found.examples(place, None)
    assert examples["row"].tolist() == [len(store), len(store) + 1, len(store) + 2]
    shown = [f"row {row} of 'a.jsonl' again" for row in order]
    assert examples["seen"].tolist() == shown
    # A second later it is another order, and so it is with another price.
    later = again.assign(timestamp=again["timestamp"] + pd.Timedelta("1s"))
    found = ck.check_up(pd.concat([store, later], ignore_index=True))
    assert "repeated-without-event-id" not in set(found.findings["check"])


def test_other_events_without_an_id_that_come_again(store):
    page = store.index[store["event_name"] == "PageView"][:1]
    store["event_id"] = store["event_id"].mask(store.index.isin(page))
    found = ck.check_up(pd.concat([store, store.loc[page]], ignore_index=True))
    finding, examples = only(found)
    assert finding["check"] == "repeated-without-event-id"
    assert finding["severity"] == "medium"
    assert finding["what"] == "1 event without an event ID repeats another in every field."
    assert examples["seen"].tolist() == [f"row {page[0]} again"]


def test_one_of_a_thing_is_no_several():
    order = {
        "event_name": "Placed Order",
        "timestamp": "2026-03-02T10:00:00Z",
        "alias.email": "ada@example.com",
        "properties.total_price": 30.0,
    }
    given = pd.DataFrame([order])
    found = ck.check_up(given)
    assert found.findings["what"].tolist() == [
        "1 of 1 conversion ('Placed Order') has no event ID."
    ]
    assert "   row: 0\n" in str(found)
    s = ck.stitch(given)
    assert str(s.report).startswith(
        "1 row in = 1 event + 0 duplicates + 0 rejected\n1 profile from 1 alias (1 email)\n"
    )
    again = ck.stitch(pd.DataFrame([order, order]))
    assert again.report.warnings == [
        "1 event without an event ID repeats another in every field: it is counted, because "
        "nothing marks it as a duplicate"
    ]
    dearer = pd.DataFrame([order, order | {"properties.total_price": 3.0}]).assign(event_id="1")
    assert ck.stitch(dearer).report.warnings[0].startswith("1 dropped copy has another amount")
    assert "(row 1)" in ck.stitch(dearer).report.warnings[0]


def test_without_conversions_the_other_checks_are_made(store):
    found = ck.check_up(store, conversion=[])
    assert len(found.checks) == len(ck.check_up(store).checks)
    assert found.to_dict()["conversions"] == 0


def test_a_conversion_may_have_a_condition(store):
    all_of_them = ck.check_up(store).to_dict()["conversions"]
    dear = ck.Step("Placed Order", where="total_price > 30")
    assert 0 < ck.check_up(store, conversion=dear).to_dict()["conversions"] < all_of_them


def test_days_without_aliases_are_the_shops_days():
    # The clock is set forward within them.
    rows = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": pd.date_range("2026-03-24T23:00Z", "2026-04-04T22:00Z", freq="5min")[:-1],
            "source": "shop",
        }
    )
    local = rows["timestamp"].dt.tz_convert("Europe/Brussels").dt.strftime("%Y-%m-%d")
    rows["alias.cookie"] = np.where(local == "2026-03-29", None, "c")

    def said(**options):
        found = ck.check_up(rows, **options).findings
        (what,) = found.loc[found["check"] == "days-without-aliases", "what"]
        return what

    assert said(calendar="Europe/Brussels").startswith("On 1 day ('2026-03-29') up to 100% ")
    # By UTC it lies on two: 22 of 24 hours on one of them.
    assert said().startswith("On 1 day ('2026-03-29') up to 92% ")
    with pytest.raises(ck.ConvergekitError, match="calendar must be a time zone"):
        ck.check_up(rows, calendar="Brussels")


def lines_of(events, rows):
    """Return copies of these rows as further lines of their orders: without ID and amount."""
    lines = events.loc[rows].assign(**{"properties.total_price": None, "event_id": None})
    return pd.concat([events, lines], ignore_index=True)


def test_lines_of_one_order(store):
    rows = first(store, store["event_name"] == ORDER, 3)
    found = ck.check_up(lines_of(store, [*rows, rows[0]]))
    finding = found.findings.set_index("check").loc["lines-of-one-order"]
    assert finding["severity"] == "high"
    assert finding["what"].startswith("4 conversions ('Placed Order') without an amount are lines")
    assert "of 3 orders" in finding["what"]
    assert finding["money"] == pytest.approx(store.loc[rows, "properties.total_price"].sum())
    number = found.findings["check"].tolist().index("lines-of-one-order") + 1
    examples = found.examples(number, None)
    assert examples["row"].tolist() == [len(store) + place for place in range(4)]
    assert examples["seen"].tolist()[0] == f"no amount; the order is row {rows[0]}"


def test_orders_without_an_amount_that_are_no_lines(store):
    rows = first(store, store["event_name"] == ORDER, 3)
    later = lines_of(store, rows)
    later.loc[len(store) :, "timestamp"] = "2026-03-04T03:04:05Z"
    assert "lines-of-one-order" not in set(ck.check_up(later).findings["check"])
    apart = lines_of(store, rows)
    for name in [c for c in apart if c.startswith("alias.")]:
        apart.loc[len(store) :, name] = [f"other {place}" for place in range(3)]
    assert "lines-of-one-order" not in set(ck.check_up(apart).findings["check"])


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("cancelled_at", "2026-03-04T10:00:00Z", "cancelled or voided order"),
        ("canceled_at", pd.Timestamp("2026-03-04"), "cancelled or voided order"),
        ("financial_status", "VOIDED", "cancelled or voided order"),
        ("status", "failed", "cancelled or voided order"),
        ("status", "trash", "cancelled or voided order"),
        ("test", True, "test order"),
        ("test", "true", "test order"),
        ("is_test", 1, "test order"),
    ],
)
def test_orders_that_came_to_nothing(store, name, value, kind):
    rows = first(store, store["event_name"] == ORDER, 2)
    column = pd.Series([None] * len(store), dtype=object)
    column[rows[0]] = value
    finding, examples = only(ck.check_up(store.assign(**{f"properties.{name}": column})))
    assert finding["check"] == "cancelled-order"
    assert finding["severity"] == "medium"
    assert finding["what"].endswith(f"1 {kind}.")
    assert finding["money"] == store.loc[rows[0], "properties.total_price"]
    assert examples["row"].tolist() == [rows[0]]
    assert examples["seen"].tolist() == [f"{name}: {value}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("cancelled_at", ""), ("financial_status", "refunded"), ("status", "open"), ("test", False),
     ("is_test", 0)],
)  # fmt: skip
def test_orders_that_came_to_something(store, name, value):
    assert not len(ck.check_up(store.assign(**{f"properties.{name}": value})))


def test_one_value_under_two_alias_types():
    """GA4's user ID is the address by which the shop knows the buyer."""
    at = pd.date_range("2026-03-02", periods=4, freq="h", tz="UTC")
    events = pd.DataFrame(
        {
            "event_id": ["v1", "v2", "o1", "o2"],
            "event_name": ["PageView", "PageView", ORDER, ORDER],
            "timestamp": at,
            "alias.cookie": ["c1", "c2", None, None],
            "alias.user_id": ["Anna@Example.com", "1234567", None, None],
            "alias.email": [None, None, "anna@example.com", "bob@example.com"],
            "alias.customer_id": [None, None, None, "1234567"],
            "properties.total_price": [None, None, 30.0, 12.0],
        }
    )
    finding, examples = only(ck.check_up(events))
    assert finding["check"] == "alias-of-two-types"
    assert "1 value is of the alias type 'email' on some events and of 'user_id'" in finding["what"]
    assert (finding["money"], finding["severity"]) == (30.0, "high")
    assert examples["row"].tolist() == [0, 2]
    assert "nna" not in str(examples["seen"].tolist())
    columns = {"alias.email": ["alias.email", "alias.user_id"]}
    assert repr(columns) in finding["fix"]
    mended = ck.read_events(events, columns=columns)
    assert len(ck.check_up(mended)) == 0
    assert len(ck.stitch(events).profiles) - len(ck.stitch(mended).profiles) == 1


def test_files_of_an_export_are_one_source():
    """An hour a file is not a source an hour: each would be too small for a finding."""
    at = pd.date_range("2026-03-02", periods=24, freq="h", tz="UTC")
    view = {"event_name": "PageView", "alias.cookie": "c", "file": "web.jsonl", "source": "web"}
    rows = [view | {"timestamp": at[0]}]
    for hour, time in enumerate(at):
        name = f"orders_20260302_{hour:02}"
        order = {"event_name": ORDER, "event_id": name, "timestamp": time, "source": name}
        rows.append(order | {"alias.email": f"{hour}@x.org", "file": f"{name}.csv"})
    events = pd.DataFrame(rows)
    found = ck.check_up(events).findings.set_index("check")
    assert (
        "24 of 24 conversions of 'orders' carry only aliases"
        in found.loc["orphaned-conversion", "what"]
    )
    lift = ck.stitch(events).stitching_lift(["PageView", ORDER], within="7D")
    ways = lift.iloc[:, 0].unique().tolist()
    assert [way for way in ways if way.startswith("source")] == [
        "source orders alone", "source web alone",
    ]  # fmt: skip
