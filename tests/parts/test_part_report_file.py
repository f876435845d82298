"""Report files of parts: the sections of memory."""

from __future__ import annotations

import numpy as np
import pytest

import convergekit as ck
from tests.parts.parts_cases import by_parts, in_memory

STEPS = ["PageView", "Added To Cart", "Placed Order"]
SECTIONS = ["report", "funnel", "trend", "channels", "suspects", "check-up"]


@pytest.fixture(scope="module")
def frames():
    events = ck.simulate_store(people=60, seed=4).events
    return [
        events.iloc[some].reset_index(drop=True) for some in np.array_split(range(len(events)), 2)
    ]


@pytest.mark.parametrize("number", [1, 2, 7])
def test_sections_are_those_of_memory(frames, number, tmp_path):
    s = in_memory(frames)
    with by_parts(frames, number) as p:
        p.to_markdown(tmp_path / "parts.md", SECTIONS)
        s.to_markdown(tmp_path / "memory.md", SECTIONS)
        found, expected = (
            (tmp_path / name).read_text("utf-8") for name in ("parts.md", "memory.md")
        )
        assert "s.funnel(" in expected
        assert "### How sure is it" in expected
        assert found == expected
        if number == 2:
            for name, one in (("parts", p), ("memory", s)):
                funnel = one.funnel(STEPS, within="7D")
                asked = {"Weekly": funnel, **dict(zip(SECTIONS, SECTIONS, strict=True))}
                del asked["funnel"]
                one.to_html(tmp_path / f"{name}.html", asked)
            one, other = ((tmp_path / f"{name}.html").read_text() for name in ("parts", "memory"))
            assert one == other
            with pytest.raises(ck.AlreadyThereError):
                p.to_html(tmp_path / "parts.html", SECTIONS)


def test_by_default_it_has_every_section_of_memory(frames, tmp_path):
    s = in_memory(frames)
    s.to_markdown(tmp_path / "memory.md")
    with by_parts(frames, 2) as p:
        p.to_markdown(tmp_path / "parts.md")
    found, expected = ((tmp_path / f"{name}.md").read_text("utf-8") for name in ("parts", "memory"))
    assert "Check-up of" in expected
    assert found == expected


def test_a_workbook_is_written(frames, tmp_path):
    pytest.importorskip("xlsxwriter")
    with by_parts(frames, 2) as p:
        f = p.funnel(["PageView", "Added To Cart"], within="7D")
        path = p.to_excel(tmp_path / "parts.xlsx", {"Weekly": f})
        assert path.read_bytes()[:2] == b"PK"
        text = p.to_markdown(tmp_path / "parts.md", {"Weekly": f}).read_text("utf-8")
        assert "s.funnel(['PageView', 'Added To Cart'], within='7D')" in text
