"""The gallery is what its script makes of the code that it shows."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import get_args

import plotly.graph_objects as go
import pytest

from convergekit.figures.style import Style, Template

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_page_is_as_the_script_writes_it(gallery):
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == gallery.page()


def test_there_is_a_small_picture_of_every_figure_and_none_besides(gallery):
    pictures = {path.name: path.stat().st_size for path in (DOCS / "gallery").iterdir()}
    assert set(pictures) == {
        f"{picture.name}-{template}.png"
        for picture in gallery.PICTURES
        for template in get_args(Template)
    }
    # A curve per cohort, and cells of many shades, take most.
    assert max(pictures.values()) < 130_000
    assert sum(pictures.values()) < 3_500_000


@pytest.mark.slow
def test_the_code_on_the_page_makes_the_figures(gallery):
    names = gallery.named()
    for picture in gallery.PICTURES:
        for template in get_args(Template):
            figure = gallery.figure(picture, template, names)
            assert isinstance(figure, go.Figure)
            assert len(figure.data)
            assert figure.layout.title.text
            assert figure.layout.height
            assert figure.layout.template.layout.paper_bgcolor == Style(template).look.paper
