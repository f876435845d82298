"""What a report may be asked: sections by name, results, and headings of one's own."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.visible import visible
from tests.report.pages import Page

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.simulate_store().events)


def written(s, tmp_path, *given, **options):
    path = s.to_html(tmp_path / "r.html", *given, overwrite=True, **options)
    return Page(path.read_text("utf-8"))


def test_sections_come_in_the_order_that_was_asked(s, tmp_path):
    page = written(s, tmp_path, ["check-up", "trend", "report"])
    assert page.texts("h2") == ["Check-up", "Trend", "The data"]
    assert [one["href"] for one in page.of("a")][1:] == ["#check-up", "#trend", "#the-data"]


def test_results_are_sections_with_the_call_that_was_given(s, tmp_path):
    funnel = s.funnel(STEPS, within="1D")
    questions = {
        "Weekly": (funnel.trend("W"), 'f.trend("W")'),
        "Funnel": funnel,
        "Customers": s.customers(),
        "Retention": s.retention(),
        "Lift": s.attribution_lift("Placed Order"),
        "Audit": ck.check_up(s.events),
        "Report": s.report,
        "Table": pd.DataFrame({"a": [1, 2]}),
        "Drawn": go.Figure(go.Bar(x=[1], y=[2])),
        "Suspects": "suspects",
    }
    page = written(s, tmp_path, questions)
    assert page.texts("h2") == list(questions)
    assert all(page.findings(one["id"])[0] for one in page.of("section"))
    assert {one["section"] for one in page.plots} == {
        *("weekly", "funnel", "retention", "lift", "report", "drawn")
    }
    assert page.calls("weekly") == ['f.trend("W")']
    assert page.calls("funnel") == [
        "s.funnel(['PageView', 'Added To Cart', 'Placed Order'], within='1D')"
    ]
    assert page.calls("audit") == []
    assert any(text.startswith("The call that made this is not known: CheckUp(")
               for text in page.texts("li"))  # fmt: skip
    times = funnel.time_to_convert()
    page = written(s, tmp_path, {"Times": times})
    assert page.calls("times") == []
    assert f"The call that made this is not known: {times!r}" in page.texts("li")


@pytest.mark.parametrize(
    "code",
    [
        "s.funnel(['PageView', 'Placed Order'], within='7D')",
        "s.funnel(['PageView', 'Placed Order'], within='90min', by='utm_source')",
        "s.funnel(['PageView', 'Placed Order'], within='7D', by='utm_source', top=2)",
        "s.funnel(['PageView', 'Placed Order'], within='7D', by=['utm_source', 'utm_medium'])",
        "s.attribution('Placed Order')",
        "s.attribution('Placed Order', 'total_price', model=['linear', 'markov'], lookback='14D')",
        "s.attribution('Placed Order', by='source')",
        "s.marketing(spend, freq='W', by='platform')",
        "s.customers()",
        "s.retention()",
        "s.journeys(end='Placed Order', max_steps=3)",
        "s.attribution_lift('Placed Order', 'total_price')",
        "s.reconcile(spend)",
        "s.why(('2026-03-09', '2026-03-15'), ('2026-03-16', '2026-03-22'))",
        "s.why(('2026-03-09', '2026-03-15'), ('2026-03-16', '2026-03-22'), number='orders')",
        "s.experiment('utm_medium', control='cpc', within='3D')",
        "s.report",
    ],
)
def test_the_call_of_a_result_is_found_where_it_gives_the_same_again(tmp_path, code):
    store = ck.simulate_store(spend=True)
    s = ck.stitch(store.events)
    result = eval(code, {"s": s, "spend": store.spend})
    page = written(s, tmp_path, {"Result": result}, spend=store.spend)
    assert [" ".join(call.split()).replace("( ", "(").replace(", )", ")")
            for call in page.calls("result")] == [code]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {"end": "2026-03-09"},
        {"order": "any"},
        {"exclude": "Started Checkout"},
        {"like": "mixpanel"},
    ],
)
def test_a_call_that_gives_something_else_is_not_shown(s, tmp_path, options):
    page = written(s, tmp_path, {"Result": s.funnel(STEPS, within="1D", **options)})
    for call in page.calls("result"):
        assert eval(call, {"s": s}).table.equals(s.funnel(STEPS, within="1D", **options).table)
    large = ck.Step("Placed Order", where="total_price > 30", label="Placed Order")
    page = written(s, tmp_path, {"Result": s.funnel([*STEPS[:2], large], within="1D")})
    assert page.calls("result") == []


def test_bounds_are_said_where_they_were_asked(s, tmp_path):
    f = s.funnel(STEPS, within="1D")
    plain = written(s, tmp_path, {"Result": f})
    assert "of the people" not in " ".join(plain.texts("li") + plain.texts("p"))
    bounds = f.bounds()
    page = written(s, tmp_path, {"Result": f, "Sure": bounds, "Asked": (bounds, "f.bounds()")})
    # Its call is the one that made it, whatever was asked of it since.
    assert page.calls("result") == plain.calls("result") != []
    assert bounds.in_short[0] in page.texts("figcaption")[0]
    assert page.findings("sure") == page.findings("asked") == [bounds.finding]
    assert page.calls("asked") == ["f.bounds()"]
    assert set(bounds.assumptions) <= set(page.texts("li"))


def test_where_bounds_are_not_known_the_section_says_why(s, tmp_path):
    some = s.where(events="source == 'browser'")
    asked = written(some, tmp_path, ["funnel"], by="")
    assert "of the people, it may be" in asked.findings("funnel")[1]
    some.to_parquet(tmp_path / "some")
    page = written(ck.read_stitched(tmp_path / "some"), tmp_path, ["funnel"], by="")
    assert page.findings("funnel")[1].startswith(
        "How far this is from the share of the people is not known: bounds of a segment need the "
        "events that it was chosen of"
    )
    assert len(page.calls("funnel")) == 1


def test_results_in_a_list_are_called_what_they_are(s, tmp_path):
    page = written(s, tmp_path, [s.funnel(STEPS, within="1D"), s.customers(), "report"])
    assert page.texts("h2") == ["Funnel", "Customers", "The data"]


def test_headings_that_are_alike_have_links_of_their_own(s, tmp_path):
    headings = ("Main", "main!", "→", "main_heading", "Main 2 heading")
    page = written(s, tmp_path, dict.fromkeys(headings, "suspects"))
    ids = [one["id"] for one in page.of("section")]
    assert ids == ["main-2", "main-3", "section", "main-heading", "main-2-heading"]
    every = [one["id"] for one in page.elements if one.get("id")]
    assert len(every) == len(set(every))


def test_steps_window_and_breakdown_are_those_given(s, tmp_path):
    page = written(s, tmp_path, ["funnel"], steps=STEPS[1:], within="1D", by="source")
    first, second, third = page.calls("funnel")
    assert first == "s.funnel(['Added To Cart', 'Placed Order'], within='1D')"
    assert second == f"{first}.bounds()"
    assert "by='source'" in third
    assert len(written(s, tmp_path, ["funnel"], by="").calls("funnel")) == 2


def test_steps_with_conditions_are_code_that_runs(s, tmp_path):
    steps = ["PageView", ck.Step("Placed Order", where="total_price > 30", label="Large")]
    page = written(s, tmp_path, ["funnel"], steps=steps, by="")
    call, _ = page.calls("funnel")
    assert repr(eval(call, {"s": s, "ck": ck})) == repr(s.funnel(steps, within="7D"))


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        (["funnels"], "Did you mean 'funnel'"),
        ([], "questions must be a list of sections"),
        ({}, "questions must be a list of sections"),
        (7, "questions must be a list of sections"),
        ([3.5], "got float"),
        (["spend"], "spend=ck.read_spend"),
    ],
)
def test_what_is_no_question_is_told(s, tmp_path, questions, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        s.to_html(tmp_path / "r.html", questions)
    assert list(tmp_path.iterdir()) == []


def test_addresses_of_suspects_are_not_in_a_file_to_send(tmp_path):
    events = pd.DataFrame(
        {
            "event_name": "PageView",
            "event_id": ["1", "2", "3", "4"],
            "timestamp": "2026-03-02T10:00:00Z",
            "alias.cookie": "kiosk",
            "alias.email": [f"{name}@shop.example" for name in ("ada", "ben", "cleo", "dan")],
        }
    )
    s = ck.stitch(events)
    assert len(s.suspects) == 1
    page = written(s, tmp_path, ["suspects"])
    assert page.findings("suspects") == ["1 of 1 profile may hold several people."]
    (item,) = [one["text"] for one in page.of("li") if "ck-" in str(one.get("class"))]
    assert "a…@shop.example" in item
    assert "ada@shop.example" not in item


def test_what_a_rejected_row_held_is_masked(tmp_path):
    events = pd.DataFrame(
        {
            "event_name": ["PageView", "PageView"],
            "event_id": ["1", "2"],
            "timestamp": ["2026-03-02T10:00:00Z", "ada@shop.example"],
            "alias.cookie": "a",
        }
    )
    s = ck.stitch(events)
    assert len(s.rejected) == 1
    text = s.to_html(tmp_path / "r.html", ["report"]).read_text("utf-8")
    assert "rejected: 1" in text
    assert "ada@shop.example" not in text


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_shown_as_text(s, heading, value):
    with tempfile.TemporaryDirectory() as directory:
        table = pd.DataFrame({"n": [1], "text": [value]})
        page = written(s, Path(directory), {heading: table, "Plain": table})
    assert page.texts("h2") == [visible(heading), "Plain"]
    assert page.texts("td") == [visible(value)] * 2
    assert page.comments == []
    assert {one["tag"] for one in page.elements if one["section"]} == {
        *("h2", "p", "details", "summary", "div", "table", "caption", "thead", "tbody"),
        *("tr", "th", "td"),
    }


@pytest.mark.parametrize("write", ["to_html", "to_excel", "to_markdown"])
def test_a_breakdown_by_no_column_is_refused_at_once(s, tmp_path, write):
    with pytest.raises(ck.ColumnError, match=r"by='utm_sorce'.*'utm_source'"):
        getattr(s, write)(tmp_path / "r", by="utm_sorce")
    assert not list(tmp_path.iterdir())


def test_a_breakdown_by_channel_is_of_the_visit(s, tmp_path):
    assert "by='channel'" in written(s, tmp_path, ["funnel"], by="channel").calls("funnel")[-1]


def test_a_segment_is_named_with_its_caution(s, tmp_path):
    segment = s.where(profiles=ck.Did("Placed Order"))
    page = written(segment, tmp_path, ["report"])
    facts = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert facts["Segment"] == segment.report.segment
    assert segment.report.caution in page.texts("p", class_="ck-warning")


@pytest.mark.parametrize(
    ("name", "numbers", "expected"),
    [
        ("conversion_value", [1234.5, 3.25], ["1,234.50", "3.25"]),
        ("sent", [120.0, 5.0], ["120", "5"]),
        ("properties.tax_rate", [0.21, 0.06], ["0.21", "0.06"]),
        ("conversion", [0.25, 1.0], ["25.0%", "100.0%"]),
        ("drop_off", [0.0, 3.0], ["0", "3"]),
        ("acos", [1.5, 0.5], ["150.0%", "50.0%"]),
    ],
)
def test_numbers_of_a_table_are_shares_only_where_they_can_be(s, tmp_path, name, numbers, expected):
    page = written(s, tmp_path, {"Table": pd.DataFrame({name: numbers})})
    assert [cell for row in page.rows("2 rows")[1:] for cell in row] == expected
