"""The report as HTML: its numbers are those of the calls beside them, and texts stay text."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

import convergekit as ck
from tests.report.pages import Page

STEPS = ["PageView", "Added To Cart", "Placed Order"]
MOST_BYTES = 400_000
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!-- <img src=x onerror=alert(2)>",
    '"><b onmouseover=alert(3)>\u2028\u2029',
    "&lt;i&gt; ' ]]> ${alert(4)}",
)


@pytest.fixture(scope="module")
def store():
    return ck.simulate_store(spend=True)


@pytest.fixture(scope="module")
def s(store):
    return ck.stitch(store.events)


@pytest.fixture(scope="module")
def text(s, store, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert s.to_html(path, spend=store.spend) == path
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def ran(code, names):
    """Run what a reader copies, and return what its last line gives, and the names there are."""
    *before, last = ast.parse(code).body
    names = dict(names)
    exec(compile(ast.Module(before, []), "call", "exec"), names)
    return eval(compile(ast.Expression(last.value), "call", "eval"), names), names


def drawn(figure):
    found = json.loads(figure.to_json())
    return {"data": found["data"], "layout": found["layout"]}


def test_each_figure_is_that_of_the_call_beside_it(page, s, store):
    names = {"s": s, "ck": ck, "spend": store.spend}
    results = []
    for section in ("the-data", "funnel", "trend", "channels", "spend"):
        for call in page.calls(section):
            result, known = ran(call, names)
            results.append(known.get("f", result))
    assert len(page.figures) == len(results) == 7
    assert page.figures == [drawn(result.plot()) for result in results]
    assert [plot["data-figure"] for plot in page.plots] == list("0123456")


def test_numbers_are_those_of_the_calls(page, s, store):
    names = {"s": s, "ck": ck, "spend": store.spend}
    first, sure, grouped = page.calls("funnel")
    funnel, _ = ran(first, names)
    rows = page.rows("Profiles that reached each step within 7 days")
    at = rows[0].index("profiles")
    assert [row[at] for row in rows[1:]] == [f"{n:,}" for n in funnel.table["profiles"]]
    at = rows[0].index("of the first step")
    assert [row[at] for row in rows[1:]] == [f"{n:.1%}" for n in funnel.table["conversion"]]
    last = funnel.table.iloc[-1]
    assert page.findings("funnel")[0] == (
        f"{last['profiles']} of 60 profiles reached Placed Order within 7 days: "
        f"{last['conversion']:.1%}. {last['conversion_at_window']:.1%} are expected when every "
        f"window has ended (95% interval {last['at_window_low']:.1%} to "
        f"{last['at_window_high']:.1%})."
    )
    bounds, _ = ran(sure, names)
    assert page.findings("funnel")[1] == bounds.finding
    rows = page.rows("Shares of the profiles and of the people, and their intervals")
    at = rows[0].index("of the people, to")
    assert [row[at] for row in rows[1:]] == [f"{n:.1%}" for n in bounds.table["high"]]
    test, known = ran(grouped, names)
    rows = page.rows("Profiles that reached each step within 7 days, by utm_source")
    assert [row[0] for row in rows[1:4]] == ["google"] * 3
    assert len(rows) == 1 + len(known["f"].table)
    chance = "Chance may explain" if test.p_value >= 0.05 else "Chance does not explain"
    assert chance in page.findings("funnel")[2]

    attribution, _ = ran(*page.calls("channels"), names)
    rows = page.rows("Credit by channel")
    assert [row[0] for row in rows[1:]] == attribution.table["channel"].tolist()
    assert [row[-1] for row in rows[1:]] == [f"{n:,.2f}" for n in attribution.table["value"]]

    marketing, _ = ran(*page.calls("spend"), names)
    spent, revenue = marketing.groups["spend"].sum(), marketing.groups["revenue"].sum()
    assert f"{spent:,.2f} EUR were spent" in page.findings("spend")[0]
    assert f"{revenue:,.2f} EUR" in page.findings("spend")[0]
    suspects, _ = ran(*page.calls("suspects"), names)
    assert len(suspects) == 0
    assert page.findings("suspects")[0].startswith("None of 81 profiles")
    found, _ = ran(*page.calls("check-up"), names)
    assert page.findings("check-up") == [f"{found.title}."]


@pytest.mark.parametrize("within", ["10min", "1h", "7D", "60D"])
def test_the_first_sentence_of_a_funnel_is_held_against_its_table(s, within, tmp_path):
    page = Page(s.to_html(tmp_path / "r.html", ["funnel"], within=within, by="").read_text("utf-8"))
    funnel = s.funnel(STEPS, within=within)
    row, entered = funnel.table.iloc[-1], funnel.table["profiles"].iloc[0]
    said, _ = page.findings("funnel")
    numbers = [float(text) for text in re.findall(r"\d+(?:\.\d+)?", said.partition(": ")[2])]
    assert said.startswith(f"{row['profiles']} of {entered} profiles reached Placed Order within ")
    interval = [row["at_window_low"], row["at_window_high"]]
    expected = [row["conversion"]]
    if not pd.isna(interval[0]):
        open_ = [row["conversion_at_window"]] if funnel.counts["in_window"] else []
        expected += [*open_, 0.95, *interval]
    assert numbers == [round(100 * share, 1) for share in expected]


def test_the_heading_says_what_data_and_what_is_assumed(page):
    assert page.texts("h1") == ["Events of 2 March to 29 March 2026"]
    facts = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert facts["Data"] == "434 events from browser (379), crm (28), server (27)"
    assert facts["Calendar"] == "UTC, weeks from Monday"
    assert facts["Funnel"] == f"{' → '.join(STEPS)} within 7 days"
    assert facts["Credit"] == "the last visit within 30 days before the order"


def test_the_page_has_the_parts_that_a_screen_reader_goes_by(page):
    assert page.of("html")[0]["lang"] == "en"
    assert [len(page.of(tag)) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    ids = [one["id"] for one in page.elements if one.get("id")]
    assert len(ids) == len(set(ids))
    links = [one["href"] for one in page.of("a")]
    assert all(link.removeprefix("#") in ids for link in links)
    assert links[0] == "#main"
    assert [one["aria-labelledby"] for one in page.of("section")] == [
        f"{one['id']}_heading" for one in page.of("section")
    ]
    # A figure says what it shows; the tables say it in numbers.
    assert all(len(plot["aria-label"]) > 20 and plot["role"] == "img" for plot in page.plots)
    assert len(page.of("caption")) == len(page.of("table")) > 5
    assert all(one["scope"] in ("col", "row") for one in page.of("th"))
    assert all(one["tag"] != "table" or "details" in one["in"] for one in page.elements)


def test_the_page_fetches_nothing(page, text):
    for one in page.elements:
        assert not {"src", "srcset", "action", "data", "poster"} & set(one), one
        assert one["tag"] not in ("link", "img", "iframe", "object", "base")
    (policy,) = page.of("meta", http_equiv="Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'; script-src 'sha256-")
    own = text.replace(get_plotlyjs(), "")
    assert re.findall(r"https?://[^\"' ]+|url\(|@import", own) == []


def test_the_page_is_small_beside_plotlys_script(text):
    assert text.count(get_plotlyjs()) == 1
    assert len(text.encode()) - len(get_plotlyjs().encode()) < 100_000 < MOST_BYTES


@pytest.mark.slow
def test_the_page_of_many_events_is_small_too(tmp_path):
    store = ck.simulate_store(people=20_000, spend=True)
    path = ck.stitch(store.events).to_html(tmp_path / "large.html", spend=store.spend)
    page = Page(path.read_text("utf-8"))
    assert len(page.of("ul", class_="ck-items")) >= 1
    assert path.stat().st_size - len(get_plotlyjs().encode()) <= MOST_BYTES


def hostile_store():
    events = ck.simulate_store().events
    names = dict(zip(STEPS, HOSTILE, strict=False))
    events["event_name"] = events["event_name"].replace(names)
    for column in [name for name in events if name.endswith("utm_source")]:
        events[column] = events[column].replace({"google": HOSTILE[3], "meta": HOSTILE[0]})
    events["source"] = events["source"].replace({"browser": HOSTILE[1]})
    return ck.stitch(events)


def test_hostile_names_stay_text(page, tmp_path):
    s = hostile_store()
    steps = list(HOSTILE[:3])
    funnel = s.funnel(steps, within="7D")
    questions = {
        "The data": "report", "Funnel": "funnel", HOSTILE[0]: (funnel, f"s.funnel({steps!r})"),
        HOSTILE[2]: s.attribution(HOSTILE[2]), "Check-up": "check-up",
    }  # fmt: skip
    path = s.to_html(tmp_path / "hostile.html", questions, steps=steps)
    text = path.read_text("utf-8")
    found = Page(text)
    assert {one["tag"] for one in found.elements} <= {one["tag"] for one in page.elements}
    known = {name for one in page.elements for name in one}
    assert {name for one in found.elements for name in one} <= known
    assert found.comments == []
    assert len(found.of("script")) == len(page.of("script"))
    # The page's own words hold them whole; what is not seen is spelled out.
    assert HOSTILE[0] in found.texts("h2")
    assert any(HOSTILE[3] in cell for cell in found.texts("th"))
    assert '"><b onmouseover=alert(3)>\\u2028\\u2029' in found.texts("h2")
    assert not re.search("[\u2028\u2029]", text.replace(get_plotlyjs(), ""))
    # Figures are what they are elsewhere.
    assert drawn(funnel.plot()) in found.figures


def test_the_same_events_give_the_same_bytes(s, store, text, tmp_path):
    path = s.to_html(tmp_path / "again.html", spend=store.spend)
    assert path.read_text("utf-8") == text


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_process(text, tmp_path):
    path = tmp_path / "other.html"
    code = (
        "import convergekit as ck; store = ck.simulate_store(spend=True); "
        f"ck.stitch(store.events).to_html({str(path)!r}, spend=store.spend)"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert path.read_text("utf-8") == text
        path.unlink()


def test_the_frames_of_the_caller_are_unchanged(s, store, tmp_path):
    events, spend = s.events.copy(deep=True), pd.DataFrame(store.spend).copy(deep=True)
    s.to_html(tmp_path / "r.html", spend=store.spend)
    pd.testing.assert_frame_equal(s.events, events)
    pd.testing.assert_frame_equal(pd.DataFrame(store.spend), spend)


def test_an_earlier_file_stays_unless_it_is_to_be_replaced(s, tmp_path):
    path = tmp_path / "r.html"
    path.write_text("kept")
    with pytest.raises(ck.AlreadyThereError, match="overwrite=True"):
        s.to_html(path, ["suspects"])
    with pytest.raises(ck.ConvergekitError, match="questions"):
        s.to_html(path, ["suspicious"], overwrite=True)
    assert path.read_text() == "kept"
    s.to_html(path, ["suspects"], overwrite=True)
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [found.name for found in tmp_path.iterdir()] == ["r.html"]


def test_a_path_that_cannot_be_written_is_named(s, tmp_path):
    with pytest.raises(ck.WriteError, match="nowhere.*no such file or directory"):
        s.to_html(tmp_path / "nowhere" / "r.html", ["suspects"])
    with pytest.raises(ck.WriteError, match="not a file"):
        s.to_html(tmp_path, ["suspects"], overwrite=True)


def test_a_name_that_no_file_can_have_is_an_error_in_words(s, tmp_path):
    with pytest.raises(ck.ConvergekitError, match="cannot be written"):
        s.to_html(tmp_path / ("x" * 5000), ["report"])


def test_a_page_of_no_events_says_so(s, tmp_path):
    nobody = s.where(events=lambda events: events["event_name"] == "Never")
    path = nobody.to_html(tmp_path / "empty.html")
    page = Page(path.read_text("utf-8"))
    assert len(page.of("section")) == 6
    assert all(page.findings(one["id"]) for one in page.of("section"))


def test_without_known_names_the_sections_say_what_to_do(tmp_path):
    events = ck.simulate_store().events
    events["event_name"] = events["event_name"].map(
        lambda name: f"x{len(name)}", na_action="ignore"
    )
    s = ck.stitch(events)
    page = Page(s.to_html(tmp_path / "r.html").read_text("utf-8"))
    assert "these are the most frequent events" in " ".join(page.texts("li"))
    assert page.findings("channels")[0].startswith("This section has no numbers: the names of")
    with pytest.raises(ck.ConvergekitError, match=r"s.attribution\('Booked'\)"):
        s.to_html(tmp_path / "r2.html", ["channels"])
    page = Page(s.to_html(tmp_path / "r3.html", ["funnel"], steps=["x8"]).read_text("utf-8"))
    assert "reached x8" in page.findings("funnel")[0]
