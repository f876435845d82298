"""Conditions written as text: what they may say, and that they can do nothing else."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck


def events():
    return pd.DataFrame(
        {
            "profile_id": ["a", "b", "c", "d"],
            "event_name": "Placed Order",
            "timestamp": pd.to_datetime(
                ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"], utc=True
            ),
            "properties.total_price": [10.0, None, 30.0, -1.0],
            "properties.shop": ["north", "South`s", None, "west"],
            "properties.$url": ["/cart", "/", "/cart/2", None],
            "properties.odd name": [1, 2, 3, 4],
            "properties.plan": "pro",
            "profile.plan": "free",
        }
    )


def who(where):
    funnel = ck.funnel(events(), [ck.Step("Placed Order", where=where)], within="1h")
    return "".join(funnel.conversions["profile_id"])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("total_price > 5", "ac"),
        ("  total_price > 5  # the larger ones", "ac"),
        ("5 < total_price <= 10", "a"),
        ("not total_price > 5", "bd"),
        ("~(total_price > 5)", "bd"),
        ("total_price > 5 & shop == 'north'", "a"),
        ("total_price > 5 | total_price == -1", "acd"),
        ("total_price > 5 and (shop == 'north' or `odd name` == 3)", "ac"),
        ("total_price * 1.21 - 2 > `odd name` + 10", "c"),
        ("total_price in [10, -1, 7]", "ad"),
        ("shop not in ('north', 'west')", "bc"),
        ("shop == 'South`s'", "b"),
        ('`$url` == "/cart"', "a"),
        ("`properties.$url`.str.startswith('/cart')", "ac"),
        ("shop.str.lower().str.contains('SOUTH', case=False)", "b"),
        ("shop.str.len() > 4", "ab"),
        ("shop.isna() or total_price.between(-5, 0)", "cd"),
        ("total_price.isin([30]) or shop.str.fullmatch('we.t')", "cd"),
        ("`properties.plan` == 'pro' and `profile.plan` == 'free'", "abcd"),
        ("timestamp >= '2026-03-03T00:00Z'", "cd"),
    ],
)
def test_a_query_finds_what_it_says(where, expected):
    assert who(where) == expected


@pytest.mark.parametrize(
    "where",
    [
        "total_price.to_csv({path!r}).isna()",
        "shop.to_pickle({path!r})",
        "shop.isna().to_csv({path!r})",
        "shop.isin(shop.to_csv({path!r}))",
        "shop.str.contains('a', case=shop.to_csv({path!r}))",
        "shop.isin([shop.to_csv({path!r})])",
        "-shop.to_csv({path!r})",
        "open({path!r}, 'w')",
        "__import__('pathlib').Path({path!r}).touch()",
        "`properties.shop`.to_csv({path!r})",
        "total_price > 5 and shop.to_csv({path!r}) == 1",
    ],
)
def test_a_query_writes_nothing(where, tmp_path):
    path = tmp_path / "written"
    with pytest.raises(ck.ConvergekitError, match="is no part of a query"):
        who(where.format(path=str(path)))
    assert not path.exists()


@pytest.mark.parametrize(
    "where",
    [
        "().__class__",
        "().__class__.__base__.__subclasses__()",
        "shop.__class__",
        "shop.str.__init__.__globals__",
        "shop.str",
        "shop.isna",
        "shop.isna().__class__",
        "shop.str._orig.to_csv()",
        "shop.str.str.lower()",
        "shop.map(shop)",
        "shop.apply('to_csv')",
        "total_price.eval('1')",
        "shop.str.format(shop)",
        "shop.str.decode('utf-7')",
        "shop.isna(*shop)",
        "shop.isna(**shop)",
        "Timestamp('2026-03-01') < timestamp",
        "datetime.now()",
        "sin(total_price) > 0",
        "eval('1')",
        "(lambda: True)()",
        "[x for x in shop]",
        "f'{shop.__class__}'",
        "(total_price := 3)",
        "total_price if shop else shop",
        "total_price[0]",
        "{'a': 1}",
        "total_price @ total_price",
        "9 ** 9 ** 9 > total_price",
        "1 << 99999999999 > total_price",
        "shop is None",
        "b'north' == shop",
        "shop == ...",
    ],
)
def test_what_is_no_part_of_a_query_is_refused_before_it_is_evaluated(where):
    with pytest.raises(
        ck.ConvergekitError, match="is no part of a query.*a function of the events"
    ):
        who(where)


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("@pd.io", "invalid syntax"),
        ("import os", "invalid syntax"),
        ("total_price; shop", "invalid syntax"),
        ("`shop == 'north'", "invalid syntax"),
        ("", "it is empty; leave out where="),
        ("shop == 'a\0'", "null bytes"),
        ("list == 1", "'list' is not defined"),
        ("index == 1", "'index' is not defined"),
        ("__builtins__ == 1", "'__builtins__' is not defined"),
        ("_backticked_0 == 1", "'_backticked_0' is not defined"),
        ("`total_prise` > 5", "'total_prise' is not defined.*Did you mean 'total_price'"),
        ("plan == 'pro'", "'plan' may be `properties.plan` or `profile.plan`; name the one"),
        ("shop.str.contains('(')", "cannot be evaluated"),
        ("total_price.str.lower() == 'a'", "cannot be evaluated"),
        ("-" * 10_000 + "total_price", "cannot be evaluated"),
        ("(" * 10_000, "cannot be evaluated"),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_error(where, match):
    with pytest.raises(ck.ConvergekitError, match=match):
        who(where)
