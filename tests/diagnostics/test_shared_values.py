"""Values that join what nothing else joins: warned of in the report, and not regular customers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from tests.strategies import START

DATA = Path(__file__).parents[2] / "data"


def visits(browsers, apart="1D", **columns):
    """One page view by each of so many browsers."""
    times = START + pd.Timedelta(apart) * np.arange(browsers)
    cookies = [f"c{number}" for number in range(browsers)]
    frame = pd.DataFrame({"event_name": "PageView", "timestamp": times, "alias.cookie": cookies})
    return frame.assign(**columns)


def warnings_of(frame, **options):
    report = ck.stitch(frame, **options).report
    return [warning for warning in report.warnings if "share nothing else" in warning]


def block_in(warning):
    return json.loads(re.search(r"block=(\[.*\])", warning)[1])


@pytest.mark.parametrize(
    ("alias_type", "value"),
    [
        ("user_id", "old-None"),
        ("customer_id", "-7"),
        ("email", "till@shop.example"),
        ("phone", "+3200000000"),
        # Not only types of which a person usually has one.
        ("cart_token", "cached"),
        ("crm_contact", "old-None"),
    ],
)
def test_a_value_that_joins_a_handful_of_browsers_is_warned_of(alias_type, value):
    frame = visits(5, **{f"alias.{alias_type}": value})
    (warning,) = warnings_of(frame)
    assert block_in(warning) == [f"urn:{alias_type}:{value}"]
    assert not warnings_of(frame, block=block_in(warning))
    assert len(ck.stitch(frame, block=block_in(warning)).profiles) == 5
    assert not warnings_of(visits(4, **{f"alias.{alias_type}": value}))
    assert not warnings_of(visits(9, apart="7D", **{f"alias.{alias_type}": value}))


def test_a_value_that_meets_browsers_through_their_orders_alone():
    tokens = [f"t{number}" for number in range(6)]
    carts = visits(6, **{"alias.cart_token": tokens})
    orders = carts.drop(columns="alias.cookie").assign(**{"alias.user_id": "old-None"})
    (warning,) = warnings_of(pd.concat([carts, orders], ignore_index=True))
    assert block_in(warning) == ["urn:user_id:old-None"]
    other = orders.rename(columns={"alias.user_id": "alias.crm_contact"})
    (warning,) = warnings_of(pd.concat([carts, other], ignore_index=True))
    assert block_in(warning) == ["urn:crm_contact:old-None"]


def test_each_person_has_an_address_beside_the_shared_value():
    addresses = [f"p{number}@x.org" for number in range(8)]
    frame = visits(8, **{"alias.user_id": "old-None", "alias.email": addresses})
    again = visits(8, **{"alias.email": addresses})
    again["alias.cookie"] += "-phone"
    (warning,) = warnings_of(pd.concat([frame, again], ignore_index=True))
    assert block_in(warning) == ["urn:user_id:old-None"]


def test_two_shared_values_on_the_same_events_are_both_named():
    frame = visits(7, **{"alias.user_id": "old-None", "alias.email": "till@shop.example"})
    (warning,) = warnings_of(frame)
    assert block_in(warning) == ["urn:email:till@shop.example", "urn:user_id:old-None"]


def test_browsers_that_share_something_else_are_one():
    frame = visits(6, **{"alias.email": "ada@x.org", "alias.cart_token": ["t", "u"] * 3})
    assert not warnings_of(frame)


@pytest.mark.parametrize(
    ("alias_type", "value", "others"),
    [
        ("user_id", "old-None", [str(n) for n in range(1000, 1030)]),
        ("user_id", "old-None", [f"usr_{n:024x}" for n in range(7, 900, 9)]),
        ("email", "old-none", [f"p{n}@x.org" for n in range(30)]),
    ],
)
def test_a_value_unlike_the_others_need_not_overlap(alias_type, value, others):
    name = f"alias.{alias_type}"
    rest = visits(len(others), **{name: others})
    rest["alias.cookie"] += "-other"
    odd, usual = visits(5, apart="9D", **{name: value}), visits(5, apart="9D", **{name: others[0]})
    (warning,) = warnings_of(pd.concat([odd, rest], ignore_index=True))
    assert block_in(warning) == [f"urn:{alias_type}:{value}"]
    assert "unlike the other values" in warning
    assert not warnings_of(pd.concat([usual, rest], ignore_index=True))
    assert not warnings_of(pd.concat([odd, rest[:10]], ignore_index=True))


def test_neither_the_order_of_rows_nor_a_segment_matters():
    frame = pd.concat(
        [visits(6, **{"alias.user_id": "old-None"}), visits(9, **{"alias.cart_token": "cached"})],
        ignore_index=True,
    )
    frame.loc[6:, "alias.cookie"] += "-other"
    (expected,) = warnings_of(frame)
    assert block_in(expected) == ["urn:cart_token:cached", "urn:user_id:old-None"]
    for seed in range(5):
        assert warnings_of(frame.sample(frac=1, random_state=seed)) == [expected]
    some = ck.stitch(frame).where(events=lambda e: e["event_name"] == "PageView")
    assert some.report.warnings == [expected]


def test_a_long_list_is_cut():
    frame = pd.concat(
        [visits(5, **{"alias.user_id": f"v{n}"}) for n in range(8)], ignore_index=True
    )
    frame["alias.cookie"] = [f"c{n}" for n in range(len(frame))]
    (warning,) = warnings_of(frame)
    assert warning.startswith("8 alias values join 5 browsers or more that share nothing else")
    assert "and 3 more" in warning
    assert len(block_in(warning)) == 5


def weekly_store(seed, *, people=300, weeks=26):
    """People whose cookies live seven days: heavy-tailed visits, log-ins, orders, 1-3 devices."""
    rng = np.random.default_rng(seed)
    # Set once, set again at each visit, or of the calendar's week.
    life = seed % 3
    rows = []
    for person in range(people):
        count = 1 + min(int(rng.pareto(1.1) * 4), 200)
        devices = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        begins, number, until = {}, {}, {}
        for day in np.sort(rng.random(count) * weeks * 7):
            device = int(rng.random() * devices)
            if day >= until.get(device, -1.0):
                begins[device], number[device] = day, number.get(device, 0) + 1
            until[device] = (day if life == 1 else begins[device]) + 7
            tag = int(day // 7) if life == 2 else number[device]
            cookie = f"c{person}-{device}-{tag}"
            # One couple in five shares an account.
            email = f"p{person - person % 2 if person % 10 < 2 else person}@x.org"
            rows.append((day, "PageView", cookie, None, None))
            if rng.random() < 0.5:
                rows.append((day + 0.002, "Logged In", cookie, email, None))
            if rng.random() < 0.2:
                rows.append((day + 0.004, "Placed Order", None, email, f"{1000 + person}"))
    days, names, cookies, emails, customers = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "event_name": names,
            "timestamp": START + pd.to_timedelta(np.array(days), unit="D").round("us"),
            "alias.cookie": pd.array(cookies, dtype="str"),
            "alias.email": pd.array(emails, dtype="str"),
            "alias.customer_id": pd.array(customers, dtype="str"),
        }
    )


def test_regular_customers_with_a_new_cookie_every_week_are_not_shared_values():
    stores = [weekly_store(seed) for seed in range(20)]
    logged_in = stores[0].dropna(subset=["alias.cookie", "alias.email"])
    cookies = logged_in.groupby("alias.email")["alias.cookie"].nunique()
    # Without looking at time, many would be.
    assert (cookies >= 5).sum() >= 20
    false = sum(bool(warnings_of(store)) for store in stores)
    assert false <= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_placeholder_is_found_among_regular_customers(seed):
    store = weekly_store(seed)
    some = store.index[store["alias.cookie"].notna()][:: len(store) // 12]
    strangers = store.loc[some].drop_duplicates("alias.cookie")
    planted = strangers.assign(**{"alias.customer_id": "old-None", "alias.email": None})
    planted["timestamp"] = planted["timestamp"].min() + pd.to_timedelta(
        np.arange(len(planted)) / 3, unit="D"
    )
    planted["alias.cookie"] += "-new"
    (warning,) = warnings_of(pd.concat([store, planted], ignore_index=True))
    assert "urn:customer_id:old-None" in block_in(warning)


@pytest.mark.parametrize("seed", range(4))
def test_simulated_stores_have_none(seed):
    for noise in (0.0, 1.0, 3.0):
        assert not warnings_of(ck.simulate_store(people=800, seed=seed, noise=noise).events)


def test_the_store_of_the_demo_has_none():
    assert not ck.stitch(ck.read_events(str(DATA / "*"))).report.warnings
