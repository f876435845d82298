"""What spend and platforms' claims are held against, by parts: that of memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.parts_cases import by_parts, in_memory, same_frames
from tests.parts.test_part_answers import STEPS, frames, parts, same

SPEND = pd.DataFrame(
    {
        "date": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-02", "2026-03-03"]),
        "platform": ["google_ads", "meta", "google_ads", "tiktok"],
        "campaign": ["brand", "Spring", "mail", None],
        "campaign_id": ["123456", None, None, None],
        "spend": [10.0, 7.5, 3.25, 1.0],
        "conversions": [1.0, 2.0, 0.5, 1.0],
        "value": [2.2, 3.3, 0.0, 1.1],
    }
)
conversions = st.sampled_from([*STEPS, ck.Step("PageView", where="plan == 'a'")])


def check(found, expected, tables):
    """Check that two results are equal, and say the same."""
    assert str(found) == str(expected)
    for name in tables:
        same_frames(pd.DataFrame(getattr(found, name)), pd.DataFrame(getattr(expected, name)))


def tagged(given_frames):
    """Return frames whose events come from the campaigns of the spend, and with their IDs."""
    found = []
    for place, frame in enumerate(given_frames):
        number = (frame["timestamp"].astype("int64") // 60_000_000 + place).to_numpy() % 5
        found.append(
            frame.assign(
                **{
                    "profile_properties.utm_campaign": pd.Series(
                        np.array(["brand", "spring", "mail", "else", None], dtype=object)[number],
                        dtype="str",
                    ),
                    "properties.gclid": pd.Series(np.where(number == 1, "g1", None), dtype="str"),
                    "properties.$url": pd.Series(
                        np.where(number == 2, "https://shop.example/?hsa_cam=123456", None),
                        dtype="str",
                    ),
                    "profile_properties.$email": pd.Series(
                        np.where(number < 3, "Ann@example.com", None), dtype="str"
                    ),
                    "properties.order_id": pd.Series(number.astype(str), dtype="str"),
                }
            )
        )
    return found


marketing = st.fixed_dictionaries(
    {"conversion": conversions, "freq": st.sampled_from(["D", "W"])},
    optional={
        "by": st.sampled_from(["campaign", "platform", ["source", "medium"], []]),
        "model": st.sampled_from(["linear", "markov", "shapley", "first_touch"]),
        "lookback": st.sampled_from(["2min", "1D"]),
        "dated": st.just("touch"),
        "new": st.sampled_from(["first_by_address", "first_in_period"]),
        "refund": st.sampled_from(STEPS[:2]),
        "refunds": st.just("order"),
        "order_id": st.just("order_id"),
        "mapping": st.just({"Spring": "spring"}),
        "add_to_cart": st.just("PageView"),
        "visits": st.just(ck.VisitRules(timeout="1min")),
        "calendar": st.just("Europe/Brussels"),
    },
)
chosen = st.sampled_from([None, {"profiles": "events > 1"}, {"events": "event_name != 'PageView'"}])


@given(frames().map(tagged), marketing, parts, chosen)
@tries(30)
def test_marketing_is_that_of_memory(given_frames, question, number, segment):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        if segment is not None:
            s, p = s.where(**segment), p.where(**segment)
        both = same(lambda: p.marketing(SPEND, **question), lambda: s.marketing(SPEND, **question))
        if both is None:
            return
        check(*both, ["table", "periods", "groups"])
        assert both[0].left_out == both[1].left_out
        assert both[0].remarks == both[1].remarks
        matches = [one.matches for one in both]
        check(*matches, ["table", "without_visits", "without_spend", "proposals"])
        same_frames(*(pd.DataFrame(one.cohorts()) for one in both))


claims = st.fixed_dictionaries(
    {"conversion": conversions},
    optional={
        "value": st.sampled_from([None, "nothing"]),
        "windows": st.just({"meta": "1h"}),
        "dated": st.just({"google_ads": "order"}),
        "start": st.just("2026-03-02"),
        "end": st.just("2026-03-02"),
        "visits": st.just(ck.VisitRules(timeout="1min")),
    },
)


@given(frames().map(tagged), claims, parts)
@tries(20)
def test_claims_are_held_against_the_orders_of_memory(given_frames, question, number):
    if not given_frames:
        return
    s = in_memory(given_frames)
    with by_parts(given_frames, number) as p:
        both = same(lambda: p.reconcile(SPEND, **question), lambda: s.reconcile(SPEND, **question))
        if both is not None:
            check(*both, ["table", "patterns", "bounds", "orders", "clicks"])
            assert both[0].remarks == both[1].remarks


@given(
    frames().map(tagged),
    st.fixed_dictionaries(
        {"conversion": conversions},
        optional={"value": st.just("total_price"), "lookback": st.just("2min")},
    ),
    parts,
    st.sampled_from([{}, {"identity": "as_of"}]),
)
@tries(20)
def test_conversions_without_a_campaign_are_those_of_memory(
    given_frames, question, number, options
):
    if not given_frames:
        return
    s = in_memory(given_frames, **options)
    with by_parts(given_frames, number, **options) as p:
        both = same(lambda: p.without_campaign(**question), lambda: s.without_campaign(**question))
        if both is not None:
            check(*both, ["events", "summary"])


@pytest.mark.parametrize("number", [1, 7])
def test_the_money_of_a_store_is_that_of_memory(number):
    store = ck.simulate_store(people=60, seed=2, spend=True)
    events = store.events
    halves = [
        events.iloc[some].reset_index(drop=True) for some in np.array_split(range(len(events)), 2)
    ]
    s = in_memory(halves)
    with by_parts(halves, number) as p:
        asked = {"by": ["platform", "campaign"], "model": "shapley"}
        both = [one.marketing(store.spend, **asked) for one in (p, s)]
        check(*both, ["table", "periods", "groups"])
        assert both[0].groups["orders"].sum() > 5
        both = [one.match_spend(store.spend) for one in (p, s)]
        check(*both, ["table", "without_visits", "without_spend", "proposals"])
        both = [one.reconcile(store.spend) for one in (p, s)]
        check(*both, ["table", "patterns", "bounds", "orders", "clicks"])
