"""The HTML of cards: what a screen reader is told, and that texts stay texts."""

from __future__ import annotations

import html

import pandas as pd

import convergekit as ck
from convergekit.figures.card import table

EVIL = '"><img src=x onerror=alert(1)>'


def test_a_table_says_which_cells_are_headings():
    page = table(pd.DataFrame({"step": ["Cart", None], "profiles": [1200, 3]}), "Steps")
    assert 'role="group" tabindex="0" aria-label="Steps"' in page
    assert '<th scope="col">step</th><th scope="col">profiles</th>' in page
    assert '<tr><th scope="row">Cart</th><td>1,200</td></tr>' in page
    # A row without a name has no heading: an empty one would be read out.
    assert "<tr><td></td><td>3</td></tr>" in page


def test_a_sentence_above_a_table_names_it():
    frame = pd.DataFrame({"event_name": ["View", "Buy"], "timestamp": ["2026-03-02", "2026-03-03"]})
    s = ck.stitch(frame.assign(**{"alias.email": "a@example.com"}))
    funnel = s.funnel(["View", "Buy"], within="7D")
    assert 'aria-label="Profiles within 7 days"' in funnel._repr_html_()


def test_names_of_events_stay_text():
    frame = pd.DataFrame({"event_name": [EVIL], "timestamp": ["2026-03-02"]})
    s = ck.stitch(frame.assign(**{"alias.email": "a@example.com"}))
    for result in (s.report, s.orphans(EVIL), s.funnel([EVIL], within="7D"), ck.check_up(frame)):
        page = result._repr_html_()
        assert EVIL not in page
        assert "<img" not in page
    assert html.escape(EVIL) in s.report._repr_html_()
    assert html.escape(EVIL) in table(pd.DataFrame({EVIL: [EVIL]}), EVIL)
    assert "<img" not in table(pd.DataFrame({EVIL: [EVIL]}), EVIL)
