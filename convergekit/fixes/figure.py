"""The figure of what changes of the tracking would tell: a bar each.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from convergekit.attribution.figure import Bars, labelled_bars
from convergekit.base.wording import percentage
from convergekit.figures.figure import Figure
from convergekit.figures.style import USUAL, Style
from convergekit.fixes.result import NextFix


def next_fix_figure(found: NextFix, style: Style = USUAL) -> Figure:
    """Return the changes as rows, the most telling first, with a bar of money or of orders.

    Parameters
    ----------
    found : NextFix
    style : Style, optional

    Returns
    -------
    Figure

    Examples
    --------
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store(people=300).events)
    >>> figure = next_fix_figure(s.next_fix("Placed Order", value="total_price"))
    >>> len(figure.data[0].x) == len(figure.twin)
    True
    """
    by = "orders" if found.money is None else "money"
    rows = found.table.set_index("short")
    what = found.value if found.value is not None else found.event_name

    def said(label: str) -> list[str]:
        row = rows.loc[label]
        return [
            f"{row['change']}.",
            f"It would tell where {row[by]:,.0f} of {what} came from ({row[f'{by}_low']:,.0f} to "
            f"{row[f'{by}_high']:,.0f}), {percentage(row['share'])} of all.",
            row["assumption"],
        ]

    return labelled_bars(
        [Bars(by, rows[by], said)],
        rows.index.tolist(),
        f"What to fix next, by {what}",
        [found.finding],
        digits=0,
        style=style,
        columns=("change", "", by),
    )
