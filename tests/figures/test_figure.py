"""What a plot returns: a figure that follows its page, says what it shows, and has a table."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import subprocess
import sys
import webbrowser

import nbformat
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from nbclient import NotebookClient
from plotly.io import _base_renderers

import convergekit as ck
from convergekit.figures.showing import CONFIG, PLOTLY, shown, twin_html
from convergekit.figures.style import AUTO, LIGHT, Style

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture(scope="module")
def funnel():
    return ck.stitch(ck.simulate_store().events).funnel(STEPS, within="7D")


@pytest.fixture(scope="module")
def figure(funnel):
    return funnel.plot()


def test_texts_on_the_paper_take_the_colour_of_the_page(figure):
    drawn = figure.to_dict()
    title = drawn["layout"]["title"]
    said = [title["text"], title["subtitle"]["text"]]
    said += [one["text"] for one in drawn["layout"]["annotations"]]
    assert all(text.startswith("<span style='color:currentColor") for text in said)
    assert drawn["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    # The figure that people change is without them.
    assert "span" not in figure.layout.title.text


def test_names_in_a_legend_take_it_too(funnel):
    drawn = funnel.plot().update_traces(showlegend=True).to_dict()
    names = [trace["name"] for trace in drawn["data"]]
    assert len(names) == 3
    assert all(name.startswith("<span style='color:currentColor") for name in names)


def test_axes_take_it_too(funnel):
    layout = funnel.time_to_convert().plot().to_dict()["layout"]
    for axis in ("xaxis", "yaxis"):
        labels = layout[axis].get("ticktext") or [layout[axis]["tickprefix"]]
        assert all(label.startswith("<span style='color:currentColor") for label in labels)


@pytest.mark.parametrize("template", ["light", "dark", "plotly_white", "ggplot2+presentation"])
def test_other_templates_do_not_follow_the_page(funnel, template):
    assert "currentColor" not in json.dumps(shown(funnel.plot(template=template))[0])


def test_a_text_that_somebody_added_follows_too(figure):
    changed = copy.deepcopy(figure).update_layout(title_text="Mine")
    assert "color:currentColor'>Mine<" in changed.to_dict()["layout"]["title"]["text"]


def test_a_picture_of_it_is_light(figure):
    drawn = figure.still().to_dict()
    text = json.dumps(drawn, default=str)

    assert "currentColor" not in text
    assert not [colour for colour in (AUTO.paper, AUTO.ink, AUTO.muted) if f'"{colour}"' in text]
    assert drawn["layout"]["template"]["layout"]["paper_bgcolor"] == LIGHT.paper
    dark = figure.still().update_layout(template="plotly_dark")
    assert dark.still().to_dict() == dark.to_dict()


def test_a_copy_keeps_its_finding_and_its_table(figure):
    for other in (copy.deepcopy(figure), copy.copy(figure), pickle.loads(pickle.dumps(figure))):
        assert other.finding == figure.finding
        pd.testing.assert_frame_equal(other.twin, figure.twin)
        assert other.to_dict().keys() == figure.to_dict().keys()


def test_the_table_is_nobody_elses(figure):
    mine = figure.twin
    mine["mine"] = 1
    assert "mine" not in figure.twin


def test_a_figure_is_as_wide_and_as_high_as_asked(funnel):
    drawn = funnel.plot(width=300, height=420)
    assert (drawn.layout.width, drawn.layout.height) == (300, 420)
    assert funnel.plot().layout.width is None
    narrow, wide = (funnel.plot(width=width).layout.title.text for width in (300, 1200))
    assert narrow.count("<br>") > wide.count("<br>")
    assert narrow.replace("<br>", " ") == wide.replace("<br>", " ")


@pytest.mark.parametrize("name", ["plotly", "ggplot2", "seaborn", "simple_white", "plotly_dark"])
def test_plotlys_templates_are_taken(funnel, name):
    import plotly.io

    theirs, drawn = plotly.io.templates[name].layout, funnel.plot(template=name)
    ours = drawn.layout.template.layout
    assert ours.paper_bgcolor == (theirs.paper_bgcolor or LIGHT.paper)
    assert ours.font.color == (theirs.font.color or LIGHT.ink)
    # Room is measured for the house's places.
    assert (ours.title.x, ours.title.xref, ours.xaxis.automargin) == (0, "container", True)
    by_object = funnel.plot(template=plotly.io.templates[name])
    assert by_object.to_dict() == drawn.to_dict()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"template": "drak"}, "template must be one of 'auto', 'light', 'dark', the name.*'dark'"),
        ({"template": 3}, "template must be one of"),
        ({"template": None}, "template must be one of"),
        ({"width": 0}, "width must be pixels, a whole number from 100 to 10,000; got 0"),
        ({"width": "300"}, "width must be pixels"),
        ({"height": 2.5}, "height must be pixels"),
        ({"height": True}, "height must be pixels"),
    ],
)
def test_what_figures_do_not_take_is_refused(funnel, options, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        funnel.plot(**options)


def test_a_notebook_gets_the_figure_and_its_table(figure):
    drawn, below = shown(figure)

    assert json.loads(json.dumps(drawn)) == drawn
    assert list(drawn) == [PLOTLY, "text/plain"]
    assert drawn[PLOTLY]["data"][0]["type"] == "bar"
    # plotly.js has a button that uploads the figure.
    assert drawn[PLOTLY]["config"]["showSendToCloud"] is False
    assert "sendChartToCloud" in figure.layout.template.layout.modebar.remove
    assert below["text/html"] == twin_html(figure)
    assert "<details" in twin_html(figure)
    assert " open" not in twin_html(figure)


def test_a_long_table_says_that_it_is_cut():
    numbers = pd.DataFrame({"name": ["<b>x</b>"] * 1234, "n": range(1234)})
    below = twin_html(ck.Figure().says("Many <i>rows</i>.", numbers))

    assert "The first 200 of 1,234 rows." in below
    assert "<b>x" not in below
    assert "<i>" not in below
    assert twin_html(ck.Figure(go.Bar(x=[1], y=[1]))) == ""


def test_nothing_of_a_notebook_is_loaded_to_show_a_figure():
    code = (
        "import sys, convergekit as ck\n"
        "from convergekit.figures.showing import shown\n"
        "shown(ck.stitch(ck.simulate_store().events).funnel(['PageView'], within='7D').plot())\n"
        "print([name for name in ('nbformat', 'jsonschema', 'kaleido', 'plotly.io._renderers')"
        " if name in sys.modules])"
    )
    plain = {name: value for name, value in os.environ.items() if name != "PLOTLY_RENDERER"}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=plain, check=True
    )
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("chosen", "types"),
    [
        ("", {PLOTLY, "text/plain"}),
        ("import plotly.io; plotly.io.renderers.default = 'json'", {"application/json"}),
        ("import plotly.io; plotly.io.renderers.default = 'plotly_mimetype'", {PLOTLY}),
    ],
)
def test_a_cell_shows_it(chosen, types, monkeypatch):
    monkeypatch.delenv("PLOTLY_RENDERER", raising=False)
    setup = "import convergekit as ck\nf = ck.stitch(ck.simulate_store().events)"
    cells = [f"{chosen}\n{setup}", "f.funnel(['PageView', 'Placed Order'], within='7D').plot()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    NotebookClient(notebook, kernel_name="python3").execute()

    drawn, below = (output["data"] for output in notebook.cells[1].outputs)
    assert types <= set(drawn)
    assert drawn.get(PLOTLY, {}).get("config", CONFIG) == CONFIG
    assert "Table of the figure" in below["text/html"]


def test_a_style_keeps_its_colours():
    assert Style().look is AUTO
    assert Style("light").look is LIGHT


@pytest.mark.parametrize("shows", [lambda f: f.show(), lambda f: f._ipython_display_()])
@pytest.mark.parametrize("chosen", ["browser", ""])
def test_outside_notebooks_a_browser_shows_a_page_that_fetches_nothing(
    figure, monkeypatch, shows, chosen
):
    pages = []
    monkeypatch.setattr(pio.renderers, "default", chosen)
    monkeypatch.setattr(webbrowser, "get", lambda *_: None)
    monkeypatch.setattr(_base_renderers, "open_html_in_browser", pages.append)
    shows(figure)
    (page,) = pages
    # The script of plotly itself has addresses, of maps.
    tags = re.findall(r"<(?:script|link|img)\b[^>]*", page)
    assert tags
    assert not [tag for tag in tags if "src=" in tag or "href=" in tag]
    assert "currentColor" in page


def test_without_a_browser_the_figure_says_how_to_see_it(figure, monkeypatch):
    def no_browser(*_):
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(pio.renderers, "default", "browser")
    monkeypatch.setattr(webbrowser, "get", no_browser)
    with pytest.warns(UserWarning, match="write_html"):
        figure.show()


def test_another_way_to_show_a_figure_is_plotlys(figure, monkeypatch):
    shown_by = []
    monkeypatch.setattr(pio, "show", lambda *given, **options: shown_by.append(given))
    figure.show("json")
    assert len(shown_by) == 1
