"""A report in Chromium: from a disk, without a network, in any width and theme, and on paper."""

from __future__ import annotations

import pytest

import convergekit as ck
from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE, SHOTS
from tests.browser.seen import misplaced

THEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
WIDTHS = (320, 700, 1200)
#: Texts of figures that begin or end beyond their drawing.
CUT = """() => Array.from(document.querySelectorAll(".ck-plot")).flatMap(plot => {
    const paper = plot.getBoundingClientRect();
    return Array.from(plot.querySelectorAll(".main-svg text")).filter(text => {
        const box = text.getBoundingClientRect();
        return box.width && (box.left < paper.left - 1 || box.right > paper.right + 1
            || box.top < paper.top - 1 || box.bottom > paper.bottom + 1);
    }).map(text => text.textContent);
})"""
#: Pixels that each plot with a legend above it lacks of the height that it was made for.
TAKEN = """() => {
    const figures = JSON.parse(document.getElementById("ck_figures").textContent);
    const plots = Array.from(document.querySelectorAll(".ck-plot"));
    const above = ({layout}) => layout.legend && layout.legend.yref === "container";
    return plots.map(plot => [plot, figures[plot.dataset.figure]])
        .filter(([, figure]) => above(figure))
        .map(([plot, {layout: {height, margin}}]) =>
            height - margin.t - margin.b - plot._fullLayout._size.h);
}"""
#: What is wider than the page, but for what scrolls by itself.
WIDE = """() => Array.from(document.querySelectorAll("body *")).filter(one => {
    const box = one.getBoundingClientRect();
    return box.right > innerWidth + 1 && !one.closest(".ck-wide, svg, .ck-skip");
}).map(one => one.outerHTML.slice(0, 99))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    store = ck.simulate_store(people=400, spend=True)
    path = tmp_path_factory.mktemp("report") / "report.html"
    return ck.stitch(store.events).to_html(path, spend=store.spend)


@pytest.fixture
def opened(chromium, report):
    """Open the report, refuse whatever else it asks for, and note what that is."""
    contexts, asked, said = [], [], []

    def opened(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        context.route(
            "**/*",
            lambda route: (
                route.continue_() if route.request.url == report.as_uri() else route.abort()
            ),
        )
        page.goto(report.as_uri())
        page.locator("html.ck-drawn").wait_for(state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert set(asked) <= {report.as_uri()}
    assert said == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_any_width_in_both_themes(opened, width, theme):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=theme)
    assert page.locator(".ck-plot .main-svg").count() >= 6
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES[theme]
    for opening in (False, True):
        page.evaluate(
            "open => document.querySelectorAll('details').forEach(one => {one.open = open})",
            opening,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(WIDE) == []
    assert page.evaluate(CUT) == []
    page.evaluate("document.querySelectorAll('details').forEach(one => {one.open = false})")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{theme}-{width}.png", full_page=True)


@pytest.mark.parametrize("width", [400, 900])
def test_nothing_in_a_figure_lies_on_another(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    assert [fault for one in page.locator(".ck-plot").all() for fault in misplaced(one)] == []


def test_a_legend_takes_no_room_from_the_plot_when_the_title_is_gone(opened):
    page = opened(viewport={"width": 900, "height": 900})
    taken = page.evaluate(TAKEN)
    assert len(taken) >= 1
    # A legend may have one row more than it was given room for.
    assert max(taken) <= 25


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(opened, theme):
    page = opened(viewport={"width": 700, "height": 900}, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach(one => {one.open = true})")
    assert violations(page) == []


def test_paper_is_light_and_holds_whole_figures(opened):
    page = opened(viewport={"width": 1200, "height": 900}, color_scheme="dark")
    # A4 with its margins, in pixels of 1/96 inch.
    page.set_viewport_size({"width": 703, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == THEMES["light"]
    assert page.locator("nav").is_hidden()
    assert page.locator("summary").first.is_hidden()
    assert page.locator(".ck-call pre").first.is_visible()
    sizes = page.evaluate(
        "() => Array.from(document.querySelectorAll('.ck-plot .main-svg'), one => {"
        " const box = one.getBoundingClientRect(); return [box.right, box.height]; })"
    )
    assert all(right <= 703 and height > 100 for right, height in sizes)
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_page_is_used_by_keyboard(opened):
    page = opened(viewport={"width": 700, "height": 900})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answers"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("table").first.is_visible()


def test_figures_can_be_seen_in_colours_of_the_system(opened):
    page = opened(viewport={"width": 700, "height": 900}, color_scheme="dark")
    page.emulate_media(color_scheme="dark", forced_colors="active", reduced_motion="reduce")
    plot = "getComputedStyle(document.querySelector('.ck-plot'))"
    assert page.evaluate(f"{plot}.backgroundColor") == THEMES["light"]
    assert page.evaluate(f"{plot}.color") == "rgb(31, 35, 40)"
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_a_call_is_copied(opened):
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy the call").nth(1)
    button.click()
    page.get_by_text("Copied the call.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("s.funnel(['PageView', 'Added To Cart', 'Placed Order']")


def test_figures_follow_the_width_of_the_page(opened):
    page = opened(viewport={"width": 1200, "height": 900})
    wide = "document.querySelector('.ck-plot .main-svg').getBoundingClientRect().width"
    before = page.evaluate(wide)
    for width in (320, 700):
        page.set_viewport_size({"width": width, "height": 900})
        for _ in range(PATIENCE * 10):
            # The page forbids what would wait in it.
            if width * 0.9 < page.evaluate(wide) <= width:
                break
            page.wait_for_timeout(100)
        else:
            raise AssertionError(page.evaluate(wide))
    assert before > 900


@pytest.mark.parametrize("width", WIDTHS)
def test_figures_answer_to_the_mouse(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    bar = page.locator("#channels .ck-plot .bars .point").first
    bar.evaluate("bar => bar.scrollIntoView({block: 'center', behavior: 'instant'})")
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("#channels .hoverlayer text").first.wait_for()
