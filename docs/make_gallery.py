"""Draw docs/gallery.md: every figure, from the code beside it, light and dark.

python docs/make_gallery.py (needs the extra convergekit[png] and a Chrome or Chromium)
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.io

from convergekit.figures.style import Template

HERE = Path(__file__).parent
WIDTH = 720
# Pictures follow no page, so there is one for each.
TEMPLATES = ("light", "dark")

SETUP = """\
import convergekit as ck

models = ["first_touch", "last_touch", "markov"]
steps = ["PageView", "Added To Cart", "Placed Order"]
s = ck.stitch(ck.read_events("data/*"))  # the coffee shop of the README
store = ck.simulate_store(people=2000)  # a larger one, with the truth
many = ck.stitch(store.events)
late = (store.events["timestamp"] >= "2026-03-16") & (store.events["event_name"] == "Placed Order")
tokens = store.events[["alias.cart_token", "alias.checkout_token"]].mask(late)
lost = ck.stitch(store.events.assign(**tokens))  # orders lost their tokens after two weeks
sure = many.funnel(steps, within="14D")
sure.bounds()  # once asked, the funnel shows its intervals
season = ck.simulate_store(people=3000, days=150, spend=True)  # open for five months, with ads
months = ck.stitch(season.events)
arms = season.events["alias.cookie"].map(lambda c: ["control", "new"][int(c, 16) % 2], "ignore")
numbers = {
    "number": [
        {"kind": "events", "event": "Placed Order", "name": "Orders"},
        {"kind": "conversion", "steps": ["PageView", "Placed Order"]},
        {"kind": "visits"},
    ]
}
tested = ck.stitch(season.events.assign(**{"properties.variant": arms}))  # an A/A test
"""


@dataclass(frozen=True)
class Picture:
    """A figure of the gallery: what it is called, what it shows, and the code that makes it."""

    name: str
    heading: str
    shows: str
    code: str


PICTURES = (
    Picture(
        "funnel",
        "A funnel",
        "Who reached a step, who may still get there because their window is open at the end of "
        "the data, and who dropped off.",
        's.funnel(steps, within="7D").plot()',
    ),
    Picture(
        "funnel-by",
        "A funnel by group",
        "A bar per group and step. A group has the same colour in the trend below.",
        'many.funnel(steps, within="7D", by="utm_source").plot()',
    ),
    Picture(
        "bounds",
        "How sure a funnel is",
        "A step's share of the profiles, and below it the interval of chance, the interval of "
        "identity with the estimated share of the people, and the worst bounds.",
        "sure.bounds().plot()",
    ),
    Picture(
        "funnel-sure",
        "A funnel with its intervals",
        "The funnel's own figure, once `bounds` was asked: thin is the interval of chance, thick "
        "that of identity.",
        "sure.plot()",
    ),
    Picture(
        "trend",
        "A funnel over time",
        "Conversion by the week in which profiles entered; dashed where windows are still open.",
        'many.funnel(steps, within="7D").trend("W").plot()',
    ),
    Picture(
        "trend-by",
        "A funnel over time, by group",
        "Below the lines, how many entered: the rates of small groups vary much.",
        'many.funnel(steps, within="7D", by="utm_source").trend("W").plot()',
    ),
    Picture(
        "why",
        "Why a number changed",
        "From before to after: what each part adds or takes. Here orders no longer "
        "carry their tokens from the third week on, so that fewer reach a visitor.",
        'lost.why(("2026-03-02", "2026-03-15"), ("2026-03-16", "2026-03-29"), steps=steps).plot()',
    ),
    Picture(
        "watch",
        "Numbers that are watched",
        "The latest six weeks of each number, and between which values it was expected.",
        "ck.watch(months, numbers).plot()",
    ),
    Picture(
        "curve",
        "A conversion curve",
        "The share that has ordered by each time since the first page view, open windows censored.",
        'many.funnel(steps, within="7D").curve().plot()',
    ),
    Picture(
        "time-to-convert",
        "Time to convert",
        "The few longest times share one bar, to leave room for the others.",
        'many.funnel(steps, within="7D").time_to_convert().plot()',
    ),
    Picture(
        "stitching-lift",
        "What stitching adds to a funnel",
        "The same funnel by one alias or one source alone, beside stitched profiles.",
        's.stitching_lift(steps, within="7D").plot()',
    ),
    Picture(
        "attribution",
        "Attribution by channel",
        "The same orders shared out by several models. Each model's credits add up to all revenue; "
        "(none) are orders without a touchpoint.",
        'many.attribution("Placed Order", "total_price", models).plot()',
    ),
    Picture(
        "without-campaign",
        "Orders without a campaign",
        "For each order, whether a campaign led to it, or the reason why none is known.",
        'many.without_campaign("Placed Order", "total_price").plot()',
    ),
    Picture(
        "attribution-lift",
        "What stitching changes in attribution",
        "The same model by one alias or one source alone, beside stitched profiles, with "
        "all data in hand and as a live pipeline would have known them.",
        's.attribution_lift("Placed Order", "total_price").plot()',
    ),
    Picture(
        "reconciliation",
        "What platforms claim beside the orders",
        "Five platforms claim more than there are orders. Hatched: it depends on which they claim.",
        "many.reconcile(ck.simulate_store(2000, spend=True, overclaiming=2.5).spend).plot()",
    ),
    Picture(
        "claims-by-period",
        "Claims and orders over time",
        "Claims on each other by week, and all orders as a line. Dotted: the exports do not have "
        "all of that week.",
        "many.reconcile(ck.simulate_store(2000, spend=True).spend).by_period().plot()",
    ),
    Picture(
        "journeys",
        "Journeys",
        "What people did one after another, and how it ended: a column per step, without repeats.",
        's.journeys(start="PageView", end="Placed Order", max_steps=3).plot(top=4)',
    ),
    Picture(
        "counts",
        "Active people",
        "Profiles by week. Dotted: the data end before the week does.",
        'many.counts("PageView", freq="W", measure="profiles", by="utm_source").plot()',
    ),
    Picture(
        "retention-weeks",
        "Who comes back",
        "A row per week of the first page view. Hatched: the data end before that week does.",
        "months.retention().plot()",
    ),
    Picture(
        "retention-curve",
        "The retention curve",
        "The average over cohorts, each where its period is over; behind it a line per cohort.",
        "months.retention().curve().plot()",
    ),
    Picture(
        "experiment",
        "What a variant changed",
        "The change to control, and its interval. Here the arms are drawn by cookie and change "
        "nothing.",
        'tested.experiment("variant", exposure="PageView", value="total_price").plot()',
    ),
    Picture(
        "new-and-returning",
        "New and returning customers",
        "Customers by week. Hatched: the data end before the week does.",
        'many.customers().new_and_returning("W").plot()',
    ),
    Picture(
        "repeat-purchases",
        "Repeat orders",
        "A customer counts for as long as they are observed; bands are 95% confidence intervals.",
        "months.customers().repeat_purchases().plot()",
    ),
    Picture(
        "retention",
        "Retention by cohort",
        "A row per month of first orders. Shares that may still grow are written with ≥.",
        "months.customers().retention().plot()",
    ),
    Picture(
        "lifetime-value",
        "Lifetime value",
        "How much each tenth of the customers has brought to date, the most valuable first.",
        "many.customers().lifetime_value().plot()",
    ),
    Picture(
        "marketing",
        "Spend and what it brought",
        "A panel per channel that has spend, each with its own scale: what was spent, as bars, and "
        "the revenue that it is credited with; hatched and dotted where the week is not complete.",
        'months.marketing(season.spend, freq="W").plot()',
    ),
    Picture(
        "payback",
        "When customers have paid back what they cost",
        "What a customer of each month has brought by each age, as a share of the cost; dotted "
        "where some are not observed for so long.",
        "months.marketing(season.spend).payback().plot()",
    ),
    Picture(
        "timeline",
        "One person's timeline",
        "Events in order, on a lane per source. The hover text shows what an event sent, and what "
        "is forward-filled from earlier events.",
        's.profile("urn:email:milo.duval37@example.com").plot()',
    ),
    Picture(
        "explanation",
        "Why two aliases are one profile",
        "The shortest chain of events between them.",
        's.explain("urn:cookie:73eba738fc5e", "urn:email:milo.duval37@example.com").plot()',
    ),
    Picture(
        "profile-graph",
        "The identity graph of one profile",
        "The aliases of a profile, and on how many events they occur together.",
        's.plot_profile_graph("urn:email:milo.duval37@example.com")',
    ),
    Picture(
        "property-coverage",
        "What forward-filling adds",
        "The share of orders that sent a profile property, and the share that has it after "
        "forward-filling.",
        's.property_coverage("Placed Order").plot()',
    ),
    Picture(
        "report",
        "Which events reach a profile",
        "By event name, the share on a profile, and on one with a browser session.",
        "s.report.plot()",
    ),
    Picture(
        "evaluation",
        "Accuracy of the profiles",
        "Where the truth is known: precision, recall and F1, and how many profiles and people are "
        "wrong.",
        "ck.evaluate(many, store.truth).plot()",
    ),
)


def named() -> dict[str, Any]:
    """Return what the code of the pictures names, as `SETUP` makes it."""
    names: dict[str, Any] = {}
    exec(SETUP.replace("data/*", str(HERE.parent / "data" / "*")), names)
    return names


def figure(picture: Picture, template: Template, names: dict[str, Any], **size: int) -> Any:
    """Return the figure that a picture's code makes, with what `plot` takes besides."""
    options = {"template": template, **size}
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    comma = "" if picture.code.endswith("()") else ", "
    return eval(f"{picture.code[:-1]}{comma}{given})", names)


def page() -> str:
    """Return the text of the gallery."""
    about = (
        "Every figure of convergekit, with its code. All are plotly figures: hover texts explain "
        "each mark in a sentence, a table below has the numbers, and `figure.update_layout(...)` "
        "changes what you like. In a notebook they follow its theme; "
        '`template="light"` and `template="dark"` give these pictures. `make gallery` draws this '
        "page again."
    )
    parts = [f"# Gallery\n\n{textwrap.fill(about, 100)}\n\n```python\n{SETUP}```\n"]
    for picture in PICTURES:
        parts.append(
            f"\n## {picture.heading}\n\n{textwrap.fill(picture.shows, 100)}\n\n"
            f"```python\n{picture.code}\n```\n\n"
            '<picture>\n<source media="(prefers-color-scheme: dark)" '
            f'srcset="gallery/{picture.name}-dark.png">\n'
            f'<img src="gallery/{picture.name}-light.png" alt="{picture.heading}. '
            f'{picture.shows}">\n'
            "</picture>\n"
        )
    return "".join(parts)


def main() -> None:
    """Write the page and its pictures."""
    (HERE / "gallery").mkdir(exist_ok=True)
    names = named()
    drawn = [figure(picture, template, names) for picture in PICTURES for template in TEMPLATES]
    plotly.io.write_images(
        drawn,
        [
            HERE / "gallery" / f"{picture.name}-{template}.png"
            for picture in PICTURES
            for template in TEMPLATES
        ],
        width=[found.layout.width or WIDTH for found in drawn],
        height=[found.layout.height for found in drawn],
    )
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
