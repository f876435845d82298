"""Draw the README's picture: the shop's funnel before and after stitching.

python docs/readme_picture.py (needs the extra convergekit[png] and a Chrome or Chromium)
"""

from pathlib import Path

import plotly.graph_objects as go

import convergekit as ck
from convergekit.figures.style import COLOURS, Style
from convergekit.figures.template import titled

HERE = Path(__file__).parent
STEPS = ["PageView", "Added To Cart", "Placed Order"]

s = ck.stitch(ck.read_events(str(HERE.parent / "data" / "*")))
cookie = s.events["aliases"].map(
    lambda found: next((urn for urn in found or [] if urn.startswith("urn:cookie:")), None)
)
before = ck.funnel(s.events.assign(cookie=cookie), STEPS, within="7D", profile="cookie")
after = s.funnel(STEPS, within="7D")

figure = go.Figure()
for name, funnel, colour in (
    ("one cookie, one visitor", before, "#9aa5b1"),
    ("stitched profiles", after, COLOURS[0]),
):
    counts = funnel.table["profiles"].tolist()
    figure.add_bar(
        x=STEPS, y=counts, name=name, marker_color=colour, text=counts, textposition="outside"
    )
figure.update_layout(
    **titled(
        "How many visitors buy within seven days",
        ["The browser knows a cookie, the server's orders do not"],
        style=Style("light", width=760),
        plot_height=260,
    ),
    legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
    bargap=0.35,
)
figure.update_layout(margin_t=figure.layout.margin.t + 28)
figure.update_yaxes(visible=False, range=[0, 70])
figure.write_image(HERE / "funnel.png", width=760, height=360, scale=2)
