"""A check-up as a static card in a notebook; everything from the events is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pandas as pd

from convergekit.figures.card import card, scrolled, title

if TYPE_CHECKING:
    from convergekit.checks.check_up import CheckUp

_STYLE = """
.ck-card .ck-remark{font-size:.85rem;opacity:.75;margin:.1rem 0}
.ck-card .ck-finding{border:1px solid rgba(128,128,128,.35);border-left-width:.35rem;
border-radius:.5rem;padding:.5rem .75rem;margin:.6rem 0}
.ck-card .ck-high{border-left-color:#c2410c}
.ck-card .ck-medium{border-left-color:#ca8a04}
.ck-card .ck-low{border-left-color:#64748b}
.ck-card .ck-concerned{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;
opacity:.8;font-variant-numeric:tabular-nums}
.ck-card .ck-severity{font-weight:600}
.ck-card .ck-what{font-weight:600;margin:.2rem 0}
.ck-card code{font-size:.85em;overflow-wrap:anywhere}
.ck-card summary{cursor:pointer;font-size:.85rem;margin:.2rem 0}
.ck-card details table{font-size:.8rem}
.ck-card details th,.ck-card details td{text-align:left;overflow-wrap:anywhere}
"""


def check_up_html(found: CheckUp) -> str:
    """Return a check-up as HTML."""
    remarks = [f'<div class="ck-remark">{html.escape(text)}</div>' for text in found.remarks]
    cards = [_card(found, row) for row in found.findings.to_dict("records")]
    return card(title(found.title), *remarks, *cards, _checks(found.checks), style=_STYLE)


def _card(found: CheckUp, row: dict[str, Any]) -> str:
    severity = html.escape(row["severity"])
    return (
        f'<div class="ck-finding ck-{severity}"><div class="ck-concerned">'
        f'<span class="ck-severity">{row["finding"]}. {severity}</span>'
        f"<span>{html.escape(found.concerned(row['finding']))}</span>"
        f"<span>{html.escape(row['check'])}</span></div>"
        f'<div class="ck-what">{html.escape(row["what"])}</div>'
        f"<p>{html.escape(row['why'])}</p><p><b>Fix:</b> {html.escape(row['fix'])}</p>"
        f"<details><summary>Example events</summary>{_table(found.examples(row['finding']))}"
        "</details></div>"
    )


def _table(examples: pd.DataFrame) -> str:
    shown = examples.assign(timestamp=examples["timestamp"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    table = shown.to_html(
        index=False, border=0, na_rep="", escape=True, float_format="{:,.2f}".format
    )
    return scrolled(table.replace("<th>", '<th scope="col">'), "Example events")


def _checks(checks: pd.DataFrame) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row.check)}</th><td>{html.escape(row.result)}</td>'
        f"<td>{html.escape(row.why)}</td></tr>"
        for row in checks.itertuples()
    )
    return (
        f"<details><summary>All {len(checks)} checks</summary>"
        '<table><thead><tr><th scope="col">check</th><th scope="col">result</th>'
        f'<th scope="col">why</th></tr></thead><tbody>{rows}</tbody></table></details>'
    )
