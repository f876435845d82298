"""The figure of what changes of the tracking would tell: a bar each, and how sure that is.

Importing this module imports plotly, which `import convergekit` alone does not.
"""

from __future__ import annotations

from convergekit.base.rounding import six_digits
from convergekit.base.wording import percentage
from convergekit.certainty.rows_figure import Row, rows_figure
from convergekit.certainty.wording import said_level
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
    what = found.value if found.value is not None else found.event_name
    rows = []
    for line in found.table.to_dict("records"):
        low, high = float(line[f"{by}_low"]), float(line[f"{by}_high"])
        ends = f"{low:,.0f} to {high:,.0f}"
        said = (
            f"{line['change']}. It would tell where {line[by]:,.0f} of {what} came from ({ends}), "
            f"{percentage(line['share'])} of all. {line['assumption']}"
        )
        rows.append(
            Row(
                name=line["short"],
                value=f"{line[by]:,.0f}",
                bar=six_digits(line[by]),
                said=said,
                intervals={"told": (float(line[by]), low, high, said)},
                below=f"{ends}, {percentage(line['share'])} of all",
            )
        )
    names = ["change", "short", by, f"{by}_low", f"{by}_high", "share"]
    figure = rows_figure(
        rows,
        f"What to fix next, by {what}",
        [found.finding, said_level(found.level)],
        "would be told" if rows else "",
        style,
    )
    return figure.says(found.finding, found.table[names].copy())
