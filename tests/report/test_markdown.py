"""Markdown: a renderer shows the texts of the data as they are, and the numbers of the calls."""

from __future__ import annotations

import html
import re

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.figures.markdown import plain
from convergekit.visible import visible

markdown_it = pytest.importorskip("markdown_it")
PARTED = "<!-- -->"
STEPS = ["PageView", "Added To Cart", "Placed Order"]
HOSTILE = "a|b `c` <b>*d*</b> [e](http://f.example) @all **g** ~~h~~ # _i_ $j$ \\| &amp; 1. k"


def rendered(text):
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    # What parts a mention or a reference is none of the data's.
    return page.replace(PARTED, "")


def cells(page):
    return [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in
            re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", page, re.DOTALL)]  # fmt: skip


@given(st.text(alphabet=st.sampled_from("ab1 |`*_[]()<>&#~$\\@:/.-+=!\n\t'\"{}wé\u202e")))
def test_text_is_shown_as_it_is(text):
    shown = f"x {plain(text)} x"
    page = rendered(f"| h |\n| --- |\n| {shown} |")
    assert " ".join(cells(page)[1].split()) == " ".join(f"x {visible(text)} x".split())
    assert re.findall(r"<(?!/?(?:table|thead|tbody|tr|th|td)\b)", page) == []


@given(st.text(alphabet=st.sampled_from("ab1 |`*_[]<>&#~\\@-+=.)\n"), min_size=1))
def test_text_that_begins_a_line_begins_nothing_else(text):
    page = rendered(plain(text).strip())
    assert set(re.findall(r"<(\w+)", page)) <= {"p"}


REFERENCES = re.compile(r"@\w|#\d|(?i:GH-\d|(?<![^\W_])[0-9a-f]{7,40}(?![^\W_]))")
HASH = "0123456789abcdef0123456789ABCDEF01234567"


@given(st.lists(st.sampled_from(["@", "#", "GH-", "gh-", "org/team", "1", "o/r", HASH, HASH[:7],
                                 " ", "_", "-", "é", "|"])).map("".join))  # fmt: skip
@example("Order @org/team")
@example("GH-123 o/r#1 o/r@" + HASH)
def test_nobody_is_notified_and_nothing_is_referred_to(text):
    """GitHub looks for them in each text of the page that Markdown became."""
    page = markdown_it.MarkdownIt("commonmark").enable("table").render(f"x {plain(text)} x")
    texts = [html.unescape(part) for part in page.split(PARTED)]
    assert [part for part in texts if REFERENCES.search(part)] == []
    assert "".join(texts).strip() == f"<p>x {visible(text)} x</p>"


@pytest.fixture(scope="module")
def s():
    return ck.stitch(ck.simulate_store().events)


def test_results_have_their_tables(s):
    funnel = s.funnel(STEPS, within="7D")
    shown = cells(rendered(funnel.to_markdown()))
    assert [shown[shown.index(name) + 1] for name in STEPS] == [
        f"{n:,}" for n in funnel.table["profiles"]
    ]
    retention = s.retention().to_markdown()
    assert "<table>" in rendered(retention)
    story = s.attribution("Placed Order").explain(
        int(s.attribution("Placed Order").credits["row"].iloc[0])
    )
    assert rendered(story.to_markdown()).startswith("<p><strong>")


def test_the_report_and_the_check_up(s):
    page = rendered(s.report.to_markdown())
    shown = cells(page)
    assert shown[:4] == ["event", "events", "profile", "browser session"]
    assert shown[4:8] == ["PageView", "210", "85%", "84%"]
    assert "without a usable alias</strong>: 46" in page
    found = ck.check_up(pd.concat([s.events, s.events.assign(event_id="1")]))
    assert len(found) > 0
    page = rendered(found.to_markdown())
    assert page.count("fix: ") == len(found)


def test_hostile_names_stay_text_in_every_result():
    events = ck.simulate_store().events
    events["event_name"] = events["event_name"].replace({"PageView": HOSTILE})
    s = ck.stitch(events)
    steps = [HOSTILE, "Placed Order"]
    for result in (s.report, s.funnel(steps, within="7D"), s.journeys(start=HOSTILE)):
        page = rendered(result.to_markdown())
        allowed = "table|thead|tbody|tr|th|td|p|strong|ul|ol|li"
        assert re.findall(rf"<(?!/?(?:{allowed})\b)[^>]*>", page) == []
    assert HOSTILE in cells(rendered(s.report.to_markdown()))


def test_a_report_is_written_with_calls_that_run(s, tmp_path):
    path = s.to_markdown(tmp_path / "r.md", ["report", "funnel", "suspects"])
    text = path.read_text("utf-8")
    assert text.startswith("# Events of 2 March to 29 March 2026\n")
    calls = re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)
    assert repr(eval(calls[1], {"s": s})) == repr(s.funnel(STEPS, within="7D"))
    assert s.to_markdown(tmp_path / "2.md", ["report", "funnel", "suspects"]).read_text(
        "utf-8"
    ) == text  # fmt: skip
