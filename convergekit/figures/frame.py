"""A DataFrame that knows the figure of what it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.errors import ConvergekitError
from convergekit.figures.description import DescribedFrame, with_shares

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Style, Template


class DrawnFrame(DescribedFrame, pd.DataFrame):  # type: ignore[misc]  # pandas is untyped here
    """A DataFrame whose `plot` returns a plotly figure of what it holds.

    Rows may be chosen and columns added, and it still knows its figure. In all else it is a
    DataFrame; pandas' own plotting is that of ``pd.DataFrame(frame).plot``, and its own `describe`
    that of ``pd.DataFrame(frame).describe``.

    Examples
    --------
    >>> import convergekit as ck
    >>> trend = ck.stitch(ck.simulate_store().events).funnel(["PageView"], within="7D").trend("W")
    >>> type(trend.plot()), type(trend[trend["complete"]].plot(template="dark"))
    (<class 'convergekit.figures.figure.Figure'>, <class 'convergekit.figures.figure.Figure'>)
    """

    # What pandas hands on to the frames it makes of this one.
    _metadata: ClassVar[list[str]] = ["_draw", "_needed", "_shares"]
    _draw: Callable[[pd.DataFrame, Style], Any] | None = None
    _needed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        draw: Callable[[pd.DataFrame, Style], Any],
        needed: Sequence[str] | None = None,
        shares: Mapping[str, str] | None = None,
    ) -> DrawnFrame:
        """Return the frame with the function that draws it.

        Parameters
        ----------
        frame : pandas.DataFrame
        draw : callable
            Takes the frame and a `Style`; to be pickled with it, so no lambda.
        needed : sequence of str, optional
            The columns without which it cannot; by default all.
        shares : mapping of str to str, optional
            Per column that is a share, the column that it is a share of.
        """
        found = cls(frame)
        found._draw, found._needed = draw, tuple(frame.columns if needed is None else needed)
        with_shares(found, shares or {})
        return found

    @property
    def _constructor(self) -> Callable[..., DrawnFrame]:
        return DrawnFrame

    def _described_finding(self) -> str:
        return self._finding_of(self.plot)

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Return the figure of what the frame holds.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        ConvergekitError
            The frame is no longer what the figure is of.
        """
        from convergekit.figures.style import Style

        lacking = [name for name in self._needed if name not in self.columns]
        if self._draw is None or lacking:
            lacks = f" (it lacks {', '.join(map(repr, lacking))})" if lacking else ""
            raise ConvergekitError(
                f"this table was made of another and no longer holds what its figure shows{lacks}; "
                "plot the table that convergekit returned, or some of its rows."
            )
        return self._draw(pd.DataFrame(self), Style(template, width, height))


class AnswerFrame(DescribedFrame, pd.DataFrame):  # type: ignore[misc]  # pandas is untyped here
    """A DataFrame that is an answer, and describes itself.

    What is made of it is a plain DataFrame; pandas' own `describe` is that of
    ``pd.DataFrame(frame).describe``.

    Examples
    --------
    >>> import convergekit as ck
    >>> sessions = ck.stitch(ck.simulate_store().events).sessions()
    >>> sessions.describe()["call"], type(sessions.head()).__name__
    ('s.sessions()', 'DataFrame')
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    @classmethod
    def of(cls, frame: pd.DataFrame, shares: Mapping[str, str] | None = None) -> AnswerFrame:
        """Return the frame as an answer.

        Parameters
        ----------
        frame : pandas.DataFrame
        shares : mapping of str to str, optional
            Per column that is a share, what it is a share of.
        """
        found = cls(frame)
        found.attrs.update(frame.attrs)
        return with_shares(found, shares or {})


class WordedFrame(DescribedFrame, pd.DataFrame):  # type: ignore[misc]  # pandas is untyped here
    """A DataFrame that shows its durations in words; in all else it is a DataFrame.

    pandas writes three hours and a half below zero as ``-1 days +20:30:00``.

    Examples
    --------
    >>> WordedFrame({"lead": pd.to_timedelta(["-3h", "2D"])})
         lead
    0    −3 h
    1  2 days
    """

    @property
    def _constructor(self) -> Callable[..., WordedFrame]:
        return WordedFrame

    def __repr__(self) -> str:
        """Return the table as pandas writes it, durations in words."""
        return repr(self._in_words())

    def _repr_html_(self) -> str:
        return str(self._in_words()._repr_html_())

    def _in_words(self) -> pd.DataFrame:
        shown = pd.DataFrame(self)
        durations = shown.select_dtypes("timedelta").columns
        return shown.assign(**{name: shown[name].map(readable_duration) for name in durations})
