"""The gallery is what its script makes of the code that it shows."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
import pytest

from convergekit.figures.style import Style
from tests.figures.gallery import gallery

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_as_the_script_writes_it():
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == gallery.page()


def test_there_is_a_small_picture_of_every_figure_and_none_besides():
    pictures = {path.name: path.stat().st_size for path in (DOCS / "gallery").iterdir()}
    assert set(pictures) == {
        f"{picture.name}-{template}.png"
        for picture in gallery.PICTURES
        for template in gallery.TEMPLATES
    }
    # Patterns of bars take most, and a curve per cohort.
    assert max(pictures.values()) < 180_000
    assert sum(pictures.values()) < 4_700_000


@pytest.mark.slow
def test_the_code_on_the_page_makes_the_figures():
    names = gallery.named()
    for picture in gallery.PICTURES:
        for template in gallery.TEMPLATES:
            figure = gallery.figure(picture, template, names)
            assert isinstance(figure, go.Figure)
            assert len(figure.data)
            assert figure.layout.title.text
            assert figure.layout.height
            assert figure.layout.template.layout.paper_bgcolor == Style(template).look.paper
