"""The figures of marketing: what they draw, and names as they are."""

from __future__ import annotations

import pandas as pd
import pytest

import convergekit as ck
from tests.figures.figure_texts import HOSTILE, assert_shown_as_it_is, one_line, texts
from tests.marketing.worlds import ROWS, SPEND, TAGS, shop


def drawn(figure, name):
    """The drawn points of a name, in the order of the panels."""
    return [
        list(zip(trace.x, trace.y, strict=True))
        for trace in figure.data
        if trace.name == name and trace.x[0] is not None
    ]


def test_spend_is_bars_and_revenue_a_line_in_a_panel_for_each_group_with_spend():
    found = shop(ROWS).marketing(SPEND.assign(currency="EUR"))
    figure = found.plot()
    march, april, may = pd.to_datetime(["2026-03-01", "2026-04-01", "2026-05-01"])
    assert drawn(figure, "spend") == [
        [(march, 50), (april, 10), (may, 0)],
        [(march, 40), (april, 16), (may, 0)],
        [(march, 0), (april, 7), (may, 0)],
    ]
    lines = drawn(figure, "revenue")
    assert lines[0] == [(march, 100), (april, 50)]
    # The open month is joined to the last complete one.
    assert lines[1] == [(april, 50), (may, 0)]
    dashes = [trace.line.dash for trace in figure.data if trace.type == "scatter" and trace.y[0]]
    assert dashes[:3] == ["solid", "dot", "dot"]
    said = one_line(" ".join(texts(figure)))
    assert "Paid Search: 2.50 for each 1 spent" in said
    assert "In April 2026: 10.00 EUR spent, 50.00 EUR of revenue." in said
    assert "Not shown: 2 groups without spend." in said
    assert "(unmatched spend): no visit belongs to it" in said


def test_all_groups_together_have_one_panel():
    figure = shop(ROWS).marketing(SPEND).periods.plot(template="dark")
    assert [[y for _, y in part] for part in drawn(figure, "spend")] == [[90, 33, 0]]
    assert figure.layout.paper_bgcolor is None
    assert "all channels: 2.24 for each 1 spent" in " ".join(texts(figure))


def test_rows_may_be_chosen_before_they_are_drawn():
    table = shop(ROWS).marketing(SPEND).table
    figure = table[table["channel"] == "Paid Social"].plot()
    assert [[y for _, y in part] for part in drawn(figure, "spend")] == [[40, 16]]
    with pytest.raises(ck.ConvergekitError, match="no longer holds"):
        table.drop(columns="revenue").plot()


def test_pay_back_curves_are_dotted_where_not_all_are_observed():
    curves = shop(ROWS).marketing(SPEND.assign(currency="EUR")).payback()
    figure = curves.plot()
    march = [trace for trace in figure.data if trace.name == "Mar 2026"]
    assert [trace.line.dash for trace in march] == ["solid", "dot"]
    assert list(march[0].x) == [0, 7, 14, 21, 28, 35]
    assert march[0].y[0] == pytest.approx(80 / 45, abs=1e-6)
    # It goes on from the last mark of the solid one.
    assert list(march[1].x) == [35, 42, 49, 56]
    said = one_line(" ".join(texts(figure)))
    assert "1 of 2 cohorts has paid back, half of them with the first order." in said
    assert "80.00 EUR a customer, 178% of their 45.00 EUR." in said


def test_what_cost_nothing_has_no_pay_back_curve():
    figure = shop(ROWS).marketing(SPEND).payback("group").plot(template="dark")
    assert {trace.name for trace in figure.data} == {"Paid Search"}
    assert "Not shown: 2 channels without a cost." in one_line(" ".join(texts(figure)))
    nothing = shop(ROWS).marketing(SPEND[:0])
    said = one_line(" ".join(texts(nothing.payback().plot())))
    assert "No customers have both a cost and an order." in said
    assert nothing.plot().layout.title.text


def test_hostile_names_are_shown_as_they_are(monkeypatch):
    monkeypatch.setitem(TAGS, "bad", ("google", "cpc", HOSTILE))
    rows = [*ROWS[:-1], ("eve", "04-20 10:00", "view", "bad"), ("eve", "04-20 11:00", "order", 5),
            ROWS[-1]]  # fmt: skip
    spend = pd.concat([SPEND, SPEND[:1].assign(campaign=HOSTILE, spend=99.0)], ignore_index=True)
    found = shop(rows).marketing(spend, by="campaign")
    assert (found.groups["campaign"] == HOSTILE).any()
    for template in ("light", "dark"):
        assert_shown_as_it_is(found.plot(template=template))
        assert_shown_as_it_is(found.payback("group").plot(template=template))
    assert "<b>y" not in found._repr_html_()
    assert "<b>y" not in found.matches._repr_html_()


def test_many_groups_are_six_panels_and_the_others_are_counted():
    spend = pd.concat([SPEND.assign(campaign=f"c{place}", spend=9.0 - place) for place in range(9)])
    figure = shop(ROWS).marketing(spend, by="campaign").plot()
    assert len(drawn(figure, "spend")) == 6
    assert "Not shown: 3 groups with less spend and 4 groups without spend." in one_line(
        " ".join(texts(figure))
    )


def test_the_bar_of_a_lone_period_can_be_seen():
    s = ck.stitch(ck.simulate_store().events)
    spend = pd.DataFrame({"date": ["2026-03-02"], "channel": ["Paid Search"], "spend": [60.0]})
    figure = s.marketing(spend).plot()
    first, last = pd.to_datetime(list(figure.layout.xaxis.range))
    (bar,) = (trace for trace in figure.data if trace.type == "bar" and trace.x[0] is not None)
    assert first < bar.x[0] < last
    assert pd.Timedelta(bar.width, "ms") / (last - first) == pytest.approx(0.25)
