"""What a person sees of a figure that plotly drew: what is in the way of texts, and contrast."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import plotly
from PIL import Image

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
# The nearest colour behind a figure that hides what is behind it.
PAPER = """\
(it) => {
    for (; it; it = it.parentElement) {
        const colour = getComputedStyle(it).backgroundColor;
        if (!colour.startsWith("rgba")) return colour;
    }
    return "rgb(255, 255, 255)";
}"""
# As much of what lies behind a text may be a grid line or the edge of a mark.
CROSSED = 0.1


def misplaced(drawing):
    """Return the texts of a figure that overlap, are cut, or run into the plot or the legend."""
    return drawing.evaluate(MEASURE)["faults"]


def pale_texts(drawing):
    """Return the texts of a figure that lack contrast with what lies behind them."""
    runs = drawing.evaluate(MEASURE)["runs"]
    picture = drawing.screenshot(style="svg.main-svg text { visibility: hidden !important }")
    behind = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), float)
    faults = []
    for run in runs:
        rows = slice(max(int(run["top"]) + 2, 0), int(run["bottom"]) - 1)
        columns = slice(max(int(run["left"]), 0), int(run["right"]) + 1)
        pixels = behind[rows, columns].reshape(-1, 3)
        text, _ = laid_on(pixels, run["colour"], run["opacity"])
        share = (contrast(text, pixels) < 4.5).mean() if len(pixels) else 1.0
        if share > CROSSED:
            faults.append(f"{share:.0%} of {run['said']!r} in {run['colour']} lacks contrast")
    return faults


def pale_marks(drawing):
    """Return the marks of a figure that lack contrast with the paper, inside and outline.

    What is meant as a background (bands of confidence, a line per cohort) covers less than half.
    """
    ground, _ = laid_on(0, drawing.evaluate(PAPER), 1)
    faults = []
    for mark in drawing.evaluate(MEASURE)["marks"]:
        parts = [laid_on(ground, *part) for part in mark if part[0].startswith("rgb")]
        solid = [contrast(colour, ground) for colour, covers in parts if covers >= 0.5]
        if solid and max(solid) < 3:
            faults.append(f"a mark in {mark} lacks contrast")
    return faults


def laid_on(ground, colour, opacity):
    """Return the colour of a mark that lies on others, and how much of them it covers."""
    *channels, covers = [float(part) for part in re.findall(r"[\d.]+", colour)]
    if len(channels) == 2:
        channels, covers = [*channels, covers], 1.0
    covers *= opacity
    return np.array(channels) * covers + ground * (1 - covers), covers


def contrast(one, other):
    """Return the contrast of colours: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light, dark = np.sort([luminance(one), luminance(other)], axis=0)[::-1]
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = np.asarray(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
