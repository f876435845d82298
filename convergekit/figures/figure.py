"""What `plot` returns: a plotly figure that says what it shows, and has a table of it.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pandas as pd
import plotly.graph_objects as go

from convergekit.figures.following import following, follows, leading, still
from convergekit.figures.showing import in_notebook, is_for_browser, open_page, publish


class Figure(go.Figure):  # type: ignore[misc]  # plotly is untyped here
    """A plotly figure that follows the page's theme, with its finding and a table twin.

    In all else it is a ``plotly.graph_objects.Figure``. A notebook shows it, and below it a line
    that opens the table.

    Attributes
    ----------
    finding : str
        What it shows, in one sentence; "" of a figure that was not drawn by convergekit.
    twin : pandas.DataFrame
        The numbers that are drawn, a row per mark.

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> figure = s.funnel(["PageView", "Placed Order"], within="7D").plot()
    >>> figure.finding
    '19 of 60 profiles reached Placed Order, 31.7%.'
    >>> figure.twin[["event_name", "profiles"]].to_numpy().tolist()
    [['PageView', 60], ['Placed Order', 19]]
    """

    _twin: pd.DataFrame | None = None

    @classmethod
    def of(cls, drawn: dict[str, Any], twin: pd.DataFrame | None) -> Figure:
        """Return a figure of plotly's dictionary, with its table."""
        # It was drawn already: to check it again takes most of the time.
        found = cls(drawn, skip_invalid=True)
        found._twin = twin
        return found

    @property
    def finding(self) -> str:
        """What the figure shows, in one sentence."""
        meta = self.layout.meta
        return str(meta["finding"]) if isinstance(meta, dict) and "finding" in meta else ""

    @property
    def twin(self) -> pd.DataFrame:
        """The numbers that are drawn."""
        return pd.DataFrame() if self._twin is None else self._twin.copy()

    def says(self, finding: str, twin: pd.DataFrame) -> Figure:
        """Give the figure its finding and its table, and return it.

        Parameters
        ----------
        finding : str
            One sentence, as it is, not as markup.
        twin : pandas.DataFrame
        """
        self.layout.meta = {"finding": finding}
        self._twin = twin.reset_index(drop=True)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as plotly takes it, its texts in the page's colour if it follows it."""
        drawn: dict[str, Any] = super().to_dict()
        leading(drawn, self.finding)
        return following(drawn) if follows(drawn) else drawn

    def still(self) -> Figure:
        """Return the figure for where a page to follow is missing: one that follows is light."""
        drawn = super().to_dict()
        return Figure.of(still(drawn) if follows(drawn) else drawn, self._twin)

    def to_image(
        self,
        format: str | None = None,  # noqa: A002 - plotly's word
        width: int | None = None,
        height: int | None = None,
        scale: float | None = None,
    ) -> bytes:
        """Return a static picture. See `plotly.graph_objects.Figure.to_image`."""
        picture: bytes = go.Figure.to_image(
            self.still(), format=format, width=width, height=height, scale=scale
        )
        return picture

    def write_image(
        self,
        file: str | Path | IO[bytes],
        format: str | None = None,  # noqa: A002 - plotly's word
        width: int | None = None,
        height: int | None = None,
        scale: float | None = None,
    ) -> None:
        """Write a static picture. See `plotly.graph_objects.Figure.write_image`."""
        go.Figure.write_image(
            self.still(), file, format=format, width=width, height=height, scale=scale
        )

    def show(self, renderer: str | None = None) -> None:
        """Show the figure, with its table in a notebook.

        Parameters
        ----------
        renderer : str, optional
            Plotly's way to show it, such as "png"; by default the notebook's, and elsewhere a
            browser, if there is one.
        """
        if renderer is None and in_notebook():
            publish(self)
        elif is_for_browser(renderer):
            open_page(self)
        else:
            super().show(renderer)

    def _ipython_display_(self) -> None:
        if in_notebook():
            publish(self)
        else:
            self.show()

    def __reduce__(self) -> tuple[Callable[..., Figure], tuple[Any, ...]]:
        """Keep the table of a copy."""
        return Figure.of, (super().to_dict(), self._twin)
