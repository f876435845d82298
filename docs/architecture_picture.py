"""Draw docs/architecture.svg: through which modules events flow.

python docs/architecture_picture.py
"""

from __future__ import annotations

from pathlib import Path

PICTURE = Path(__file__).parent / "architecture.svg"
WIDTH, HEIGHT = 170, 60
ACROSS, DOWN = 200, 112
MARGIN = 20

# Title and what it does, row by row.
ROWS = [
    [
        ("readers", "files of any format"),
        ("events", "one spelling, rejects"),
        ("dedupe", "an event ID once"),
        ("aliases", "one form, some blocked"),
    ],
    [
        ("identity graph", "links that are not refused"),
        ("profiles", "components, lasting IDs"),
        ("properties", "carried forward"),
        ("Stitched", "tables and questions"),
        ("writers", "Parquet and back"),
    ],
    [
        ("tracking audit", "faults of the tracking"),
        ("funnels", "how far profiles get"),
        ("identity", "why, when, and what if"),
        ("suspects", "and the alias to blame"),
        ("people", "accuracy, deletion"),
    ],
    [("figures and cards", "in a notebook; tables on the command line")],
]
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #5b6570; text-anchor: middle }
.title { font-size: 15px; font-weight: 600; fill: #1f2933 }
rect { fill: #ffffff; stroke: #9aa5b1 }
.core { stroke: #2f7ebc; stroke-width: 2 }
path { fill: none; stroke: #9aa5b1; stroke-width: 1.5 }
.head { fill: #9aa5b1; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #b5bec8 } .title { fill: #f0f3f6 } rect { fill: #1f262d }
}"""


def picture() -> str:
    """Return the picture as SVG."""
    width = 2 * MARGIN + 4 * ACROSS + WIDTH
    height = 2 * MARGIN + 3 * DOWN + HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        "<title>Exports become events, profiles and answers</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
    ]
    parts += [_along(0, column) for column in range(3)]
    parts += [_along(1, column) for column in range(4)]
    parts += [_down(0, 3, [0]), _down(1, 0, [0]), _down(1, 3, range(1, 5))]
    parts += [_down(2, column, [column]) for column in range(5)]
    for row, boxes in enumerate(ROWS):
        for column, (title, text) in enumerate(boxes):
            core = ' class="core"' if row < 2 and title != "writers" else ""
            x, y = _corner(row, column)
            wide = WIDTH if len(boxes) > 1 else 4 * ACROSS + WIDTH
            parts.append(
                f'<rect{core} x="{x}" y="{y}" width="{wide}" height="{HEIGHT}" rx="8"/>'
                f'<text class="title" x="{x + wide / 2:g}" y="{y + 26}">{title}</text>'
                f'<text x="{x + wide / 2:g}" y="{y + 45}">{text}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _corner(row: int, column: int) -> tuple[int, int]:
    return MARGIN + column * ACROSS, MARGIN + row * DOWN


def _along(row: int, column: int) -> str:
    x, y = _corner(row, column)
    return _arrow(f"M{x + WIDTH} {y + HEIGHT // 2}H{x + ACROSS}")


def _down(row: int, column: int, to: range | list[int]) -> str:
    """Return arrows from one box to boxes of the next row, which leave together."""
    x, y = _corner(row, column)
    turn = y + (HEIGHT + DOWN) // 2
    return "".join(
        _arrow(
            f"M{x + WIDTH // 2} {y + HEIGHT}V{turn}H{_corner(0, end)[0] + WIDTH // 2}V{y + DOWN}"
        )
        for end in to
    )


def _arrow(line: str) -> str:
    return f'<path d="{line}" marker-end="url(#head)"/>'


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
