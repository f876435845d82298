"""The report as a static card in a notebook; everything from the events is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pandas as pd

from convergekit.figures.card import card, scrolled

if TYPE_CHECKING:
    from convergekit.diagnostics.report import Report

_STYLE = """
.ck-card .ck-tiles{display:flex;flex-wrap:wrap;gap:.5rem;margin:.25rem 0 .75rem}
.ck-card .ck-tile{flex:1 1 4.6rem;border:1px solid rgba(128,128,128,.35);border-radius:.5rem;
padding:.4rem .6rem}
.ck-card .ck-number{font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.ck-card .ck-label{font-size:.8rem;opacity:.75}
.ck-card .ck-bar{display:inline-block;width:6rem;height:.6rem;margin-left:.5rem;
border-radius:.3rem;background:rgba(128,128,128,.25);overflow:hidden;vertical-align:middle}
.ck-card .ck-bar span{display:block;height:100%;background:#2f7ebc}
.ck-card .ck-warning{color:color-mix(in srgb,currentColor 55%,#d97706)}
@media (forced-colors:active){.ck-card .ck-bar{border:1px solid}
.ck-card .ck-bar span{background:CanvasText;forced-color-adjust:none}}
"""


def report_card(report: Report) -> str:
    """Return a report as HTML."""
    findings = report.findings()
    warnings = [finding for finding in findings if finding[0] == "warning"]
    return card(
        _findings_list(warnings),
        _tiles(report),
        _coverage_table(report.coverage),
        _findings_list(findings[len(warnings) :]),
        style=_STYLE,
    )


def _tiles(report: Report) -> str:
    tiles = (
        ("rows in", report.rows_in),
        ("events", report.events),
        ("duplicates", sum(report.duplicates.values())),
        ("rejected", sum(report.rejected.values())),
        ("blocked aliases", int(report.blocked["events"].sum())),
        ("profiles", report.profiles),
        *((("left out", sum(report.left_out.values())),) if report.segment else ()),
    )
    cells = (
        f'<div class="ck-tile"><div class="ck-number">{number:,}</div>'
        f'<div class="ck-label">{label}</div></div>'
        for label, number in tiles
    )
    return f'<div class="ck-tiles">{"".join(cells)}</div>'


def _coverage_table(coverage: pd.DataFrame) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(row.event_name)}</th><td>{row.events:,}</td>'
        f"<td>{_bar(row.with_profile)}</td><td>{_bar(row.with_browser_session)}</td></tr>"
        if row.events
        else f'<tr><th scope="row">{html.escape(row.event_name)}</th><td>0</td>'
        '<td colspan="2" class="ck-warning">all rejected</td></tr>'
        for row in coverage.itertuples()
    )
    return scrolled(
        "<table><caption>Share of events that reach a profile, and a profile with a browser "
        'session</caption><thead><tr><th scope="col">event</th><th scope="col">events</th>'
        '<th scope="col">profile</th><th scope="col">browser session</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        "Share of events that reach a profile",
    )


def _bar(share: float) -> str:
    width = f'<span class="ck-bar"><span style="width:{share:.0%}"></span></span>'
    return f"{share:.0%}{width}"


def _findings_list(findings: list[tuple[str, str]]) -> str:
    items = "".join(
        f"<li{_emphasis(title)}><b>{html.escape(title)}</b>: {html.escape(text)}</li>"
        for title, text in findings
    )
    return f"<ul>{items}</ul>" if items else ""


def _emphasis(title: str) -> str:
    return ' class="ck-warning"' if title in ("warning", "caution") else ""
