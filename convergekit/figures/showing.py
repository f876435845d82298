"""How a notebook shows a figure: plotly's own output, and the table of it one click away.

plotly's module for notebooks imports a validator of notebooks, and with it more than all else that
a first figure needs. So the output that JupyterLab, Jupyter Notebook and VS Code take is made here.
"""

from __future__ import annotations

import html
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from convergekit.figures.card import card, table
from convergekit.visible import visible

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure

PLOTLY = "application/vnd.plotly.v1+json"
#: plotly's buttons above a figure, without the one that uploads it: nothing leaves the machine.
#: Not "responsive": JupyterLab sizes figures itself, and with it their height would become that of
#: what is around them, which is none.
CONFIG = {"showSendToCloud": False, "displaylogo": False}
#: So many rows of a table are shown.
MOST_ROWS = 200
_STYLE = """
.ck-twin{margin:.1rem 0 .4rem}
.ck-twin summary{cursor:pointer;font-size:.85rem;opacity:.8}
.ck-twin[open] summary{margin-bottom:.3rem}
"""
#: Where plotly would choose another way to show figures than in Jupyter.
_ELSEWHERE = (
    "COLAB_NOTEBOOK_ID",
    "AZURE_NOTEBOOKS_HOST",
    "NTERACT_EXE",
    "COCALC_PROJECT_ID",
    "DATABRICKS_RUNTIME_VERSION",
)


def in_notebook() -> bool:
    """Return whether a front end of Jupyter shows what is displayed."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and hasattr(running, "kernel")


def publish(figure: Figure) -> None:
    """Show a figure in the notebook."""
    from IPython.display import display

    for bundle in shown(figure):
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def is_for_browser(renderer: str | None) -> bool:
    """Return whether plotly would open a browser, or would if it had found one."""
    import plotly.io

    chosen: str | None = plotly.io.renderers.default if renderer is None else renderer
    return chosen in (None, "", "browser")


def open_page(figure: Figure) -> None:
    """Open a figure in a browser, on a page that fetches nothing; warn if there is none.

    The page that plotly makes for this asks another host for MathJax.
    """
    import webbrowser

    from plotly.io import _base_renderers

    try:
        webbrowser.get()
    except webbrowser.Error:
        warnings.warn(
            "a browser was not found; figure.write_html('figure.html') writes the figure "
            "to a file, and figure.twin has its numbers.",
            stacklevel=3,
        )
        return
    page = figure.to_html(
        config=CONFIG,
        include_plotlyjs=True,
        include_mathjax=False,
        default_width="100%",
        default_height="100%",
    )
    _base_renderers.open_html_in_browser(page)


def shown(figure: Figure) -> list[dict[str, Any]]:
    """Return the outputs that show a figure in a notebook.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    list of dict
        Per output, what it is in each mime type: plotly's, and the table as HTML.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> [list(bundle) for bundle in shown(s.funnel(["PageView"], within="7D").plot())]
    [['application/vnd.plotly.v1+json', 'text/plain'], ['text/html', 'text/plain']]
    """
    said = figure.finding or "Figure"
    below = twin_html(figure)
    bundles = [{**_drawn(figure), "text/plain": said}]
    return [*bundles, {"text/html": below, "text/plain": said}] if below else bundles


def twin_html(figure: Figure) -> str:
    """Return the finding and the table of a figure, closed; "" where there is none."""
    numbers = figure.twin
    if numbers.empty:
        return ""
    more = len(numbers) - MOST_ROWS
    left = f"<p>The first {MOST_ROWS} of {len(numbers):,} rows.</p>" if more > 0 else ""
    return card(
        '<details class="ck-twin"><summary>Table of the figure</summary>'
        f"<p>{html.escape(visible(figure.finding))}</p>"
        f"{table(numbers.head(MOST_ROWS))}{left}</details>",
        style=_STYLE,
    )


def _drawn(figure: Figure) -> dict[str, Any]:
    """Return plotly's output; as somebody chose, if they told plotly."""
    renderers = sys.modules.get("plotly.io._renderers")
    if renderers is None and not _told():
        return _of_plotly(figure)
    import plotly.io
    from plotly.io.base_renderers import ImageRenderer, MimetypeRenderer

    bundle: dict[str, Any] = {}
    for name in (plotly.io.renderers.default or "").split("+"):
        renderer = plotly.io.renderers[name] if name else None
        if isinstance(renderer, MimetypeRenderer):
            is_still = isinstance(renderer, ImageRenderer)
            bundle |= renderer.to_mimebundle((figure.still() if is_still else figure).to_dict())
    if PLOTLY in bundle:
        bundle[PLOTLY] = {**bundle[PLOTLY], "config": CONFIG}
    # A browser, and what else is not part of a notebook, shows nothing here.
    return bundle or _of_plotly(figure)


def _of_plotly(figure: Figure) -> dict[str, Any]:
    return {PLOTLY: {**_as_json(figure), "config": CONFIG}}


def _told() -> bool:
    return "PLOTLY_RENDERER" in os.environ or any(name in os.environ for name in _ELSEWHERE)


def _as_json(figure: Figure) -> dict[str, Any]:
    """Return the figure in JSON's own types."""
    import json

    from plotly.io._json import to_json_plotly

    drawn: dict[str, Any] = json.loads(to_json_plotly(figure.to_dict()))
    return drawn
