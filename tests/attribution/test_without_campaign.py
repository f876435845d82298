"""Conversions without a campaign: each has one reason, and they add up to all of them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck

START = pd.Timestamp("2026-03-02", tz="UTC")
PAGE = "properties.$url"
MAIL = "ada@example.com"


def stitched(rows, **options):
    """Stitch rows of (day, event name, what it carries)."""
    frame = pd.DataFrame(
        [
            {"timestamp": START + pd.Timedelta(days=day), "event_name": name, **carried}
            for day, name, carried in rows
        ]
    )
    return ck.stitch(frame, **options)


def page(path="", **more):
    return {"alias.cookie": "c", PAGE: f"https://shop.example/{path}", "source": "web", **more}


def order(**more):
    return {"source": "server", "properties.total_price": 10.0, "alias.email": MAIL, **more}


LOGIN = {"alias.email": MAIL}
SOMEBODY = (0, "PageView", page(**{"alias.cookie": "other"}))
REASONS = {
    "a visit with a campaign": [(1, "PageView", page("?utm_source=x", **LOGIN))],
    "a visit with a campaign ": [(1, "PageView", page("?gclid=x", **LOGIN))],
    "visits without a campaign": [(1, "PageView", page(**LOGIN))],
    "no visit in the lookback window": [(-60, "PageView", page("?utm_source=x", **LOGIN))],
    "pages without a cookie": [(1, "PageView", page(**{"alias.cookie": None}, **LOGIN))],
    "a browser without a page view": [(1, "Signed Up", page(**{PAGE: None}, **LOGIN))],
    "alias seen in the browser only later": [(3, "PageView", page("?utm_source=x", **LOGIN))],
    "alias never seen in the browser": [],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "before"), REASONS.items())
def test_each_reason_is_told(reason, before):
    s = stitched([SOMEBODY, *before, (2, "Placed Order", order())])
    found = s.without_campaign("Placed Order", "total_price")
    assert found.events["outcome"].tolist() == [reason.strip()]
    said = found.summary[found.summary["conversions"] > 0]
    assert said[["outcome", "conversions", "share", "value"]].values.tolist() == [
        [reason.strip(), 1, 1.0, 10.0]
    ]
    assert bool(said["next"].iloc[0]) == (reason.strip() != "a visit with a campaign")


@pytest.mark.parametrize(
    ("alias", "reason"),
    [("undefined", "only aliases that identify nobody"), (None, "no alias at all")],
)
def test_an_order_without_a_usable_alias_says_so(alias, reason):
    s = stitched([SOMEBODY, (2, "Placed Order", order(**{"alias.email": alias}))])
    assert s.without_campaign("Placed Order").events["outcome"].tolist() == [reason]


def test_as_of_identity_knows_only_what_was_known():
    rows = [
        (1, "PageView", page("?utm_source=x")), (2, "Placed Order", order()),
        (3, "PageView", page(**LOGIN)),
    ]  # fmt: skip
    told = {
        identity: stitched(rows, identity=identity).without_campaign("Placed Order").events
        for identity in ("retroactive", "as_of")
    }
    assert told["retroactive"]["outcome"].tolist() == ["a visit with a campaign"]
    assert told["as_of"]["outcome"].tolist() == ["alias seen in the browser only later"]
    assert told["as_of"]["channel"].isna().all()


def test_the_channel_is_that_of_the_last_visit_and_the_window_is_asked_for():
    rows = [
        (0, "PageView", page(**LOGIN, **{"properties.$referrer": "https://www.google.com/"})),
        (8, "PageView", page()), (9, "Placed Order", order()),
    ]  # fmt: skip
    found = stitched(rows).without_campaign("Placed Order", lookback="2D")
    assert found.events["channel"].tolist() == ["Direct"]
    assert "2 days" in repr(found)
    assert stitched(rows[::2]).without_campaign("Placed Order", lookback="2D").events[
        "outcome"
    ].tolist() == ["no visit in the lookback window"]


@pytest.mark.parametrize("template", ["light", "dark"])
def test_the_figure_has_a_bar_for_each_reason_that_there_is(template):
    s = stitched([SOMEBODY, (1, "PageView", page(**LOGIN)), (2, "Placed Order", order())])
    figure = s.without_campaign("Placed Order", "total_price").plot(template=template)
    assert list(figure.data[0].x) == [1.0]
    assert "Next: tag the links of campaigns" in figure.data[0].hovertext[0].replace("<br>", " ")


def test_amounts_of_several_currencies_are_refused():
    rows = [(day, "Placed Order", order(**{"properties.currency": currency}))
            for day, currency in ((1, "EUR"), (2, "USD"))]  # fmt: skip
    with pytest.raises(ck.ConvergekitError, match="currenc"):
        stitched([SOMEBODY, *rows]).without_campaign("Placed Order", "total_price")


@given(
    st.integers(0, 1000), st.sampled_from(["retroactive", "as_of"]), st.sampled_from(["7D", "30D"])
)
def test_the_reasons_add_up_and_agree_with_attribution(seed, identity, lookback):
    s = ck.stitch(ck.simulate_store(people=40, seed=seed).events, identity=identity)
    if not (s.events["event_name"] == "Placed Order").any():
        return
    found = s.without_campaign("Placed Order", "total_price", lookback)
    assert found.summary["conversions"].sum() == len(found.events)
    assert len(found.events) == (s.events["event_name"] == "Placed Order").sum()
    assert found.summary["value"].sum() == pytest.approx(found.events["value"].sum())
    sessions = s.sessions().set_index("session_id")
    named = sessions[["utm_source", "utm_medium", "utm_campaign", "click_id"]].notna().any(axis=1)
    shares = s.attribution("Placed Order", model="linear", lookback=lookback).credits
    touched = shares["session_id"].map(named).fillna(False).groupby(shares["row"]).any()
    known = found.events.set_index("row")["outcome"] == "a visit with a campaign"
    assert known.to_dict() == touched.to_dict()
    untouched = shares.loc[shares["session_id"].isna(), "row"]
    assert set(found.events.loc[found.events["channel"].isna(), "row"]) == set(untouched)
    orphans = s.orphans("Placed Order").events["row"]
    blind = found.events["outcome"].str.startswith(("alias", "only", "no alias"))
    assert set(found.events.loc[blind, "row"]) <= set(orphans)
