"""The explorer in JupyterLab and Chromium: ``python -m benchmarks.explorer``.

What a person waits for, measured in the page, at each frame that it draws: from the call to the
widget, from the widget to its first chart, and from a choice to the chart that it leads to. No
choice is made twice, so that no answer is one that was kept. Needs the extra convergekit[browser]
and a Chrome or Chromium.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.stitch import machine
from tests.browser.conftest import PATIENCE, open_browser, open_lab

#: A store of so many people has about 100,000 events.
_PEOPLE = 14_050
#: Says how many events there are, and how many milliseconds the explorer takes in the kernel.
_TIMED = """\
import time
begin = time.perf_counter()
explorer = s.explore()
print("EXPLORED", len(s.events), round((time.perf_counter() - begin) * 1000))"""
#: Notes when the widget and its first chart stand; both are looked for at every frame.
_WATCH = """
window.ckSeen = {};
const ckWatch = () => {
    const now = performance.now();
    const said = [...document.querySelectorAll(".jp-OutputArea-output pre")];
    if (!window.ckSeen.explored && said.some(it => it.textContent.includes("EXPLORED")))
        window.ckSeen.explored = now;
    const widget = document.querySelector(".ck-whole");
    if (widget && !window.ckSeen.widget) window.ckSeen.widget = now;
    const chart = widget && [...widget.querySelectorAll(".js-plotly-plot")].find(window.ckDrawn);
    if (chart && !window.ckSeen.chart) window.ckSeen.chart = now;
    if (!window.ckSeen.chart) requestAnimationFrame(ckWatch);
};
window.ckDrawn = plot => plot.offsetParent && plot.querySelector(
    ".main-svg .bars path, .main-svg .scatterlayer path, .main-svg .heatmaplayer image"
);
window.ckUntilRedrawn = act => new Promise(done => {
    for (const plot of document.querySelectorAll(".js-plotly-plot")) plot.dataset.ckOld = "1";
    const begin = performance.now();
    act();
    const look = () => {
        const fresh = document.querySelectorAll(".ck-whole .js-plotly-plot:not([data-ck-old])");
        if ([...fresh].some(window.ckDrawn)) done(performance.now() - begin);
        else if (performance.now() - begin > 60000) done(NaN);
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
});
window.ckField = label => [...document.querySelectorAll(".ck-whole .ck-field")].find(
    field => field.offsetParent && field.querySelector("label")?.textContent === label
);
// Tabs open when the button goes down, wherever the pointer is then.
window.ckOpen = title => {
    const tab = [...document.querySelectorAll(".ck-whole [role=tab]")].find(
        tab => tab.textContent.trim() === title
    );
    const box = tab.getBoundingClientRect();
    const at = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
    tab.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, button: 0, ...at}));
    tab.dispatchEvent(new PointerEvent("pointerup", {bubbles: true, button: 0, ...at}));
};
requestAnimationFrame(ckWatch);
"""
_CHOOSE = """([label, at]) => window.ckUntilRedrawn(() => {
    const chooser = window.ckField(label).querySelector("select");
    chooser.selectedIndex = at;
    chooser.dispatchEvent(new Event("change", {bubbles: true}));
})"""
_OPEN = "([title]) => window.ckUntilRedrawn(() => window.ckOpen(title))"
_BACK = "([title]) => window.ckOpen(title)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=_PEOPLE)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    print(f"load {os.getloadavg()[0]:.1f} before")
    rounds = [_round(asked.people, place) for place in range(asked.repeats)]
    print(f"{rounds[0]['events']:,} events, {asked.repeats} notebooks; median (lowest to highest)")
    for name in rounds[0]["times"]:
        times = [time for one in rounds for time in one["times"][name]]
        low, high = min(times), max(times)
        print(f"{name:<52} {statistics.median(times):6.0f} ms ({low:.0f} to {high:.0f})")
    print(f"load {os.getloadavg()[0]:.1f} after")


def _round(people: int, place: int) -> dict[str, Any]:
    """Open the explorer in a JupyterLab of its own, and use it."""
    store = f"import convergekit as ck\ns = ck.stitch(ck.simulate_store(people={people}).events)"
    with tempfile.TemporaryDirectory() as home, open_lab(Path(home)) as lab, open_browser() as own:
        page = own.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        page.add_init_script(_WATCH)
        cells = (store, "s.funnel(['PageView'], within='7D')", _TIMED, "explorer")
        page.goto(lab.write(f"explorer{place}.ipynb", *cells))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function("() => window.ckSeen.chart", timeout=PATIENCE * 3000)
        seen = page.evaluate("window.ckSeen")
        said = page.locator(".jp-OutputArea-output pre").filter(has_text="EXPLORED")
        _, events, opened = said.inner_text().split()
        page.wait_for_timeout(1000)

        def choose(label: str, *places: int) -> list[float]:
            return [page.evaluate(_CHOOSE, [label, at]) for at in places]

        times = {
            "s.explore(), in the kernel": [float(opened)],
            "from there until the page has the widget": [seen["widget"] - seen["explored"]],
            "the widget stands, to its first chart": [seen["chart"] - seen["widget"]],
            "another conversion window": choose("Conversion window", 0, 2, 4, 5, 7),
            "a breakdown by the channel of the visit": choose("Breakdown", 1),
            "another breakdown": choose("Breakdown", 5, 6, 8),
        }
        choose("Breakdown", 0)
        times["a tab for the first time: the trend"] = [
            page.evaluate(_OPEN, ["Trend and retention"])
        ]
        times["another trend: events, profiles, new profiles"] = choose("Show", 1, 2, 3)
        times["retention"] = choose("Show", 4)
        page.evaluate(_BACK, ["Funnel"])
        page.wait_for_timeout(500)
        times["a segment: profiles that did an event"] = _segment(page)
        times["channels, for the first time"] = [page.evaluate(_OPEN, ["Channels and spend"])]
        times["another attribution model"] = choose("Attribution model", 0, 3)
    return {"events": int(events), "times": times}


def _segment(page: Any) -> list[float]:
    """Choose a segment; only its second choice, the event, leads to a chart."""
    page.evaluate(
        """() => {
            const chooser = window.ckField("Segment").querySelector("select");
            chooser.selectedIndex = 1;
            chooser.dispatchEvent(new Event("change", {bubbles: true}));
        }"""
    )
    page.wait_for_function("() => window.ckField('the event')")
    return [page.evaluate(_CHOOSE, ["the event", at]) for at in (2, 3)]


if __name__ == "__main__":
    main()
