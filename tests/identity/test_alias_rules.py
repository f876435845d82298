"""In which form aliases are compared: rules per type, and values that live twice."""

from __future__ import annotations

import builtins

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.identity.alias_rules import plain_form
from tests.effort import tries
from tests.identity.test_stitch_properties import partition
from tests.strategies import START, event_frames


def frame(**columns):
    size = len(next(iter(columns.values())))
    times = START + pd.to_timedelta(range(size), unit="min")
    aliases = {f"alias.{name}": values for name, values in columns.items()}
    return pd.DataFrame({"event_name": "PageView", "timestamp": times, **aliases})


def values_of(s, alias_type):
    aliases = s.aliases
    return sorted(aliases["alias_value"][aliases["alias_type"] == alias_type])


def test_gmail_addresses_are_one_only_when_asked():
    events = frame(email=["ada.lovelace@gmail.com", "AdaLovelace+shop@googlemail.com"])
    assert len(ck.stitch(events).profiles) == 2
    folded = ck.stitch(events, rules={"Email": ck.email_rule(fold_gmail=True)})
    assert values_of(folded, "email") == ["adalovelace@gmail.com"]
    assert len(ck.stitch(events, rules={"email": ck.email_rule()}).profiles) == 2


@pytest.mark.parametrize(
    "written",
    [
        "ＡＤＡ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "ada@example\u3002com",
        "a\u00adda@example.com",
        "\ufeffada@example.com\u200b",
        "ada\u2060@example.com\u200e",
        "𝐚𝐝𝐚@example.com",
        "Ada\ufe0f@example.com",
    ],
)
def test_look_alikes_of_an_address_are_one_alias_and_counted(written):
    """Nobody means another address by them; a lookup by any of them finds the profile."""
    events = frame(email=["ada@example.com", written, "bob@example.com", None])
    events["aliases"] = [[], [], [], [f"urn:email:{written}"]]
    s = ck.stitch(events)
    assert values_of(s, "email") == ["ada@example.com", "bob@example.com"]
    assert s.aliases["events"].tolist() == [3, 1]
    assert s.report.remarks == {"e-mail address in a look-alike form: usual form taken": 2}
    assert "2 e-mail address in a look-alike form" in str(s.report)
    # What the events sent is theirs.
    assert s.events["alias.email"].tolist()[1] == written
    assert s.profile(f"urn:email:{written}")["row"].tolist() == [0, 1, 3]
    assert len(ck.stitch(events, block=[written]).aliases) == 1
    assert len(ck.stitch(events, block=[f"urn:email:{written}"]).aliases) == 1
    assert len(s.forget(f"urn:email:{written}").stitched.events) == 1


def test_other_letters_and_other_types_are_not_look_alikes():
    cyrillic, accent = "\u0430da@example.com", "ad\u00e1@example.com"
    events = frame(
        email=["ada@example.com", cyrillic, accent],
        customer_id=["１", "1", "1\u200b"],
    )
    s = ck.stitch(events)
    assert values_of(s, "email") == sorted(["ada@example.com", cyrillic, accent])
    assert len(values_of(s, "customer_id")) == 3
    assert s.report.remarks == {}


def test_the_form_of_an_address_is_its_own_form():
    """Whatever the character, what is made of an address is made of it no further."""
    characters = [chr(c) for c in range(1, 0x20000) if not 0xD800 <= c < 0xE000]
    addresses = [f"a{c}b@x.org" for c in characters]
    first = plain_form("email", pa.array(addresses, type=pa.large_string()))
    again = plain_form("email", first)
    assert [c for c, one, other in zip(characters, first, again, strict=True) if one != other] == []


def test_what_the_events_sent_stays_as_it_was():
    events = frame(email=["Ada.L@gmail.com"])
    s = ck.stitch(events, rules={"email": ck.email_rule(fold_gmail=True)})
    assert s.events["alias.email"].tolist() == ["Ada.L@gmail.com"]


def test_phones_in_one_form_and_what_is_no_number_is_listed():
    events = frame(phone=["0475 12 34 56", "+32 475/12.34.56", "12", "undefined"])
    s = ck.stitch(events, rules={"phone": ck.phone_rule("BE")})
    assert values_of(s, "phone") == ["+32475123456"]
    assert s.report.malformed == {"the rule for phone makes no alias of it": 1}
    assert s.report.malformed_rows == {"the rule for phone makes no alias of it": [2]}
    # A blocked value is blocked, not put to the rule.
    assert s.report.blocked["alias_value"].tolist() == ["undefined"]
    with pytest.raises(ck.EventError, match="row 2: the rule for phone"):
        ck.stitch(events, rules={"phone": ck.phone_rule("BE")}, strict=True)


def test_rules_hold_for_lists_of_urns_and_for_the_questions_asked_later():
    events = frame(cookie=["c", None]).assign(aliases=[["urn:sku:a1"], ["urn:SKU:A1"]])
    s = ck.stitch(events, rules={"sku": str.upper})
    assert len(s.profiles) == 1
    assert s.explain("urn:sku:a1", "urn:cookie:c").linked
    assert len(s.profile("urn:sku:a1")) == 2
    assert len(s.without("urn:sku:a1", event=None).stitched.profiles) == 1
    assert values_of(ck.stitch(events, rules={"sku": str.upper}, block=["urn:sku:a1"]), "sku") == []


def test_a_rule_need_not_know_its_own_values():
    events = frame(email=["ada@x.org", "ada@x.org"], cookie=["c1", "c2"])
    rule = {"email": lambda text: f"{len(text)}#{text[0]}"}
    s = ck.stitch(events, rules=rule)
    assert values_of(s, "email") == ["9#a"]
    assert s.explain("urn:email:ada@x.org", "urn:email:9#a").linked
    assert values_of(ck.stitch(events, rules=rule, block=["urn:email:9#a"]), "email") == []


def test_each_distinct_value_is_put_to_the_rule_once():
    seen = []

    def rule(text):
        seen.append(text)
        return text

    ck.stitch(frame(sku=["a", "b", "a", " a ", "null"]), rules={"sku": rule})
    assert sorted(seen) == ["a", "b"]


def test_a_saved_stitched_is_asked_in_the_normalised_form(tmp_path):
    s = ck.stitch(frame(phone=["0475 12 34 56"]), rules={"phone": ck.phone_rule("BE")})
    s.to_parquet(tmp_path / "s")
    again = ck.read_stitched(tmp_path / "s")
    assert len(again.profile("urn:phone:+32475123456")) == 1
    with pytest.raises(ck.UnknownAliasError, match="no event carries the alias"):
        again.profile("urn:phone:0475 12 34 56")


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"sku": "upper"}, "a rule is a function"),
        ([str.upper], 'as {"sku": str.upper}'),
        ({"sku": len}, "makes 2 of 'a1'; a rule returns text"),
        ({"sku": int}, "fails on 'a1': ValueError"),
    ],
)
def test_bad_rules_are_refused(rules, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.stitch(frame(sku=["a1"]), rules=rules)


def test_a_rule_for_an_unknown_type_names_the_nearest():
    with pytest.raises(ck.UnknownNameError, match="Did you mean 'email'"):
        ck.stitch(frame(email=["a@x.org"]), rules={"e_mail": ck.email_rule()})


def test_phone_rule_says_what_is_missing(monkeypatch):
    with pytest.raises(ck.ConvergekitError, match="two capital letters"):
        ck.phone_rule("Belgium")
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == "phonenumbers":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ck.ConvergekitError, match=r"pip install .convergekit\[phone\]"):
        ck.phone_rule("BE")


def test_the_report_counts_by_type():
    s = ck.stitch(frame(email=["a@x.org", "null", "a@x.org"], cookie=["c", None, None]))
    assert s.report.alias_types.to_dict("records") == [
        {"alias_type": "cookie", "aliases": 1, "events": 1, "blocked": 0},
        {"alias_type": "email", "aliases": 1, "events": 2, "blocked": 1},
    ]


def test_a_token_that_reappears_after_a_long_gap_starts_anew():
    events = frame(cart_token=["t", "t", "t", "t"], email=["a@x.org", None, "b@x.org", None])
    events["timestamp"] = pd.to_datetime(["2026-03-01", "2026-03-10", "2026-04-01", "2026-04-02"])
    s = ck.stitch(events, max_age={"cart_token": "14D"})
    assert partition(s) == {
        frozenset({("cart_token", "t"), ("email", "a@x.org")}),
        frozenset({("cart_token", "t~2"), ("email", "b@x.org")}),
    }
    assert len(s.profile("urn:cart_token:t~2")) == 2
    # The gap itself is still one life.
    exact = ck.stitch(events, max_age={"cart_token": "22D"})
    assert len(exact.profiles) == 1


def test_a_name_that_is_taken_is_not_given_again():
    events = frame(cart_token=["t", "t", "t~2"])
    events["timestamp"] = pd.to_datetime(["2026-03-01", "2026-04-01", "2026-04-01"])
    s = ck.stitch(events, max_age={"cart_token": "14D"})
    assert values_of(s, "cart_token") == ["t", "t~2", "t~~2"]


@pytest.mark.parametrize(
    ("max_age", "error", "message"),
    [
        ({"cart_token": "soon"}, ck.ConvergekitError, "is no positive duration"),
        ("14D", ck.ConvergekitError, "give alias types and durations"),
        ({"cart_tokens": "14D"}, ck.UnknownNameError, "Did you mean 'cart_token'"),
    ],
)
def test_bad_ages_are_refused(max_age, error, message):
    with pytest.raises(error, match=message):
        ck.stitch(frame(cart_token=["t"]), max_age=max_age)


def slow_lives(events, alias_type, gap, merge):
    """Which life each row's value is in, by walking through each value's rows in time."""
    kept = {}
    for row, record in enumerate(events.to_dict("records")):
        arrival = record.get("received_at", 0)
        key = record["event_id"] if isinstance(record["event_id"], str) else row
        kept[key] = min(kept.get(key, (arrival, row)), (arrival, row))
    lives = {}
    for value in set(events[f"alias.{alias_type}"].dropna()):
        at = []
        for row, record in enumerate(events.to_dict("records")):
            key = record["event_id"] if isinstance(record["event_id"], str) else row
            if record[f"alias.{alias_type}"] == value and (merge or kept[key][1] == row):
                at.append(events["timestamp"][kept[key][1]])
        life, before = 1, None
        for moment in sorted(at):
            life += before is not None and moment - before > gap
            lives[value, moment] = life
            before = moment
    return {(value, life) for (value, _), life in lives.items()}


@tries(100)
@given(event_frames(), st.integers(1, 4), st.sampled_from(["drop", "merge"]))
def test_lives_equal_the_slow_definition(events, minutes, duplicates):
    gap = pd.Timedelta(minutes=minutes)
    if events["alias.cookie"].isna().all():
        return
    s = ck.stitch(events, max_age={"cookie": gap}, duplicates=duplicates)
    expected = slow_lives(events, "cookie", gap, duplicates == "merge")
    named = {value if life == 1 else f"{value}~{life}" for value, life in expected}
    assert set(values_of(s, "cookie")) == named


@tries(40)
@given(event_frames(received=False, distinct_times=True), st.randoms(use_true_random=False))
def test_lives_do_not_depend_on_the_order_of_rows(events, random):
    events["received_at"] = events["timestamp"]
    if events["alias.cookie"].isna().all():
        return
    order = list(range(len(events)))
    random.shuffle(order)
    one, other = (
        ck.stitch(each, max_age={"cookie": "50min"}) for each in (events, events.iloc[order])
    )
    assert partition(one) == partition(other)
    pd.testing.assert_frame_equal(one.aliases, other.aliases)


def test_a_later_life_alone_can_be_blocked():
    events = frame(phone=["030 123456"] * 3, email=["ada@x.org", "bob@x.org", "cy@x.org"])
    events["timestamp"] = pd.to_datetime(["2026-03-01", "2026-06-01", "2026-06-02"])
    options = {"rules": {"phone": ck.phone_rule("DE")}, "max_age": {"phone": "14D"}}
    assert len(ck.stitch(events, **options).profiles) == 2
    second = "urn:phone:+4930123456~2"
    s = ck.stitch(events, block=iter([second]), **options)
    assert len(s.profiles) == 3
    assert values_of(s, "phone") == ["+4930123456"]
    assert s.report.blocked.values.tolist() == [["phone", "+4930123456~2", 2]]


def test_a_rejected_row_that_only_the_rule_recognises_is_forgotten():
    events = frame(phone=["+4930123456", "030 123456", "030 999999"])
    events["timestamp"] = ["2026-03-01", "soon", "soon"]
    s = ck.stitch(events, rules={"phone": ck.phone_rule("DE")})
    left = s.forget("urn:phone:+4930123456").stitched
    assert left.rejected["row"].tolist() == [2]


def test_a_later_life_is_asked_for_by_its_name_though_a_rule_would_change_it():
    events = frame(phone=["+4930123456", "+4930123456"], email=["ada@x.org", "bob@x.org"])
    events["timestamp"] = pd.to_datetime(["2026-03-01", "2026-06-01"])
    s = ck.stitch(events, rules={"phone": ck.phone_rule("DE")}, max_age={"phone": "14D"})
    second = "urn:phone:+4930123456~2"
    assert s.explain(second, "urn:email:bob@x.org").linked
    left = s.forget(second).stitched
    assert values_of(left, "email") == ["ada@x.org"]
