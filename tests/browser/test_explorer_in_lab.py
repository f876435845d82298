"""The explorer in JupyterLab, used like a person: by clicks and keys, judged by what is shown."""

from __future__ import annotations

import re

import pytest

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE, SHOTS

MILO = "milo.duval37@example.com"
STORE = """\
import pandas as pd
import convergekit as ck

till = pd.DataFrame(
    {
        "event_name": ["Placed Order", "Placed Order", "<img src=x onerror=\\"alert('hit')\\">"],
        "timestamp": pd.to_datetime(["2026-03-20", "2026-03-21", "2026-03-22"], utc=True),
        "source": "browser",
        "alias.cookie": "kiosk",
        "alias.email": ["milo.duval37@example.com", "second@example.com", None],
    }
)
shop = ck.stitch(pd.concat([ck.simulate_store().events, till], ignore_index=True))"""


@pytest.fixture
def page(chromium):
    """A page in which an alert, or an error of the page itself, fails the test."""
    context = chromium.new_context(viewport={"width": 1500, "height": 1700})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE * 500)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def explorer(page, lab, request):
    """The explorer's output, in a notebook of which all cells were run."""
    name = re.sub(r"\W+", "_", request.node.name.removeprefix("test_")).strip("_")
    page.goto(lab.write(f"{name}.ipynb", STORE, "shop.explore()"))
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    output = page.locator(".ck-whole")
    output.wait_for()
    figure(output, "1. PageView").wait_for()
    yield output
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def tab(output, name):
    return output.get_by_role("tab", name=name, exact=True)


def figure(output, text):
    """The figure that is shown with this text in it."""
    return output.locator(".js-plotly-plot:visible").filter(has_text=text)


def funnel_within(output, window):
    """The card of the funnel that is shown, once its window is this."""
    return output.locator(".ck-card:visible").filter(has_text=f"within {window}")


def copied(page, output):
    """Copy the code that is shown as people do: a click, and Ctrl+C."""
    output.locator("pre.ck-code:visible").click()
    page.keyboard.press("Control+c")
    return page.evaluate("navigator.clipboard.readText()")


def column(table, name):
    """What stands in one column of a table."""
    return table.evaluate(
        """(table, name) => {
            const names = [...table.querySelectorAll("thead th")].map(cell => cell.textContent);
            const rows = [...table.querySelectorAll("tbody tr")];
            return rows.map(row => row.children[names.indexOf(name)].textContent);
        }""",
        name,
    )


def test_the_funnel_that_the_data_suggest_is_changed_and_its_code_run_again(page, explorer):
    table = explorer.locator(".ck-card table:visible")
    assert column(table, "profiles") == ["60", "30", "18"]
    # It comes a moment after the figure.
    explorer.get_by_text("Chance alone: ").wait_for()
    explorer.get_by_role("button", name="Move Placed Order up").click()
    explorer.get_by_text("['PageView', 'Placed Order', 'Added To Cart']").first.wait_for()
    explorer.get_by_role("button", name="Move Added To Cart up").click()
    explorer.get_by_text("['PageView', 'Added To Cart', 'Placed Order']").first.wait_for()

    explorer.get_by_label("Conversion window").select_option(label="3 days")
    funnel_within(explorer, "3 days").wait_for()
    explorer.get_by_label("Breakdown").select_option(label="utm_medium · of the visit")
    table.get_by_text("paid_social").first.wait_for()
    explorer.get_by_label("First step only where").select_option(label="profile.utm_source")
    explorer.get_by_label("is", exact=True).locator("visible=true").select_option(
        label="google (58)"
    )
    table.get_by_text("cpc").first.wait_for()
    explorer.get_by_text("where={'profile.utm_source': 'google'}").first.wait_for()

    code = copied(page, explorer)
    assert code.startswith("import convergekit as ck\n\nf = shop.funnel(\n")
    page.locator(".jp-Cell").last.locator(".jp-InputPrompt").click()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+v")
    page.keyboard.press("Shift+Enter")
    again = page.locator(".jp-RenderedHTML table.dataframe:visible")
    again.wait_for()
    assert column(again, "profiles") == column(table, "profiles")


def test_the_view_opens_again_from_its_code(page, explorer):
    explorer.get_by_label("Conversion window").select_option(label="1 day")
    funnel_within(explorer, "1 day").wait_for()
    explorer.get_by_role("button", name="left before Placed Order").click()
    explorer.get_by_text("The tabs are about: dropped off before Placed Order").wait_for()
    explorer.get_by_text("This view again").click()
    explorer.get_by_text("shop.explore({'bar'").click()
    page.keyboard.press("Control+c")
    page.locator(".jp-Cell").last.locator(".jp-InputPrompt").click()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+v")
    page.keyboard.press("Shift+Enter")
    again = page.locator(".ck-whole").nth(1)
    again.get_by_text("The tabs are about: dropped off before Placed Order").wait_for()
    funnel_within(again, "1 day").wait_for()


def test_what_is_brushed_is_followed_by_the_other_tabs(page, explorer):
    explorer.get_by_role("button", name="left before Added To Cart").click()
    tab(explorer, "People").click()
    explorer.get_by_text("profiles: dropped off before Added To Cart").wait_for()
    people = explorer.get_by_label("Profiles", exact=True)
    people.select_option(index=1)
    # Not the figure below, whose title also names the profile.
    explorer.get_by_role("heading", name=re.compile("^Profile p_")).wait_for()
    tab(explorer, "Trend and retention").click()
    explorer.get_by_role("button", name="9 Mar", exact=True).click()
    explorer.get_by_text("The tabs are about: 2026-03-09 to 2026-03-15").wait_for()
    tab(explorer, "Funnel").click()
    explorer.get_by_text("start='2026-03-09'").first.wait_for()
    explorer.get_by_role("button", name="Everybody, all the time").click()
    explorer.get_by_text("The tabs are about").wait_for(state="hidden")


def test_all_of_it_is_reached_by_the_keyboard(page, explorer):
    explorer.get_by_label("From", exact=True).focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => {
                    const it = document.activeElement;
                    if (!it.closest(".ck-whole")) return "outside";
                    const seen = getComputedStyle(it);
                    const shown = seen.outlineStyle !== "none" || seen.boxShadow !== "none";
                    const label = it.labels && it.labels.length ? it.labels[0].textContent : "";
                    const said = it.getAttribute("aria-label") || it.dataset.title;
                    const name = label || it.title || it.textContent.trim() || said;
                    return (shown ? "" : "unseen ") + (name || `nameless ${it.outerHTML}`);
                }"""
            )
        )
        if "This view again" in reached:
            break
    for name in ("Breakdown", "Segment", "Time zone", "Weeks from", "Conversion window"):
        assert name in reached, sorted(reached)
    for name in ("Remove Placed Order", "Add the step PageView", "This view again"):
        assert any(name in one for one in reached), reached
    assert any("left before Placed Order" in one for one in reached), reached
    assert not [one for one in reached if one.startswith(("nameless", "unseen"))]

    tab(explorer, "Funnel").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    figure(explorer, "by week").wait_for()


def test_a_profile_is_looked_up_and_explained(page, explorer):
    tab(explorer, "People").click()
    search = explorer.get_by_placeholder("E-mail, token, URN or profile ID")
    search.fill(MILO)
    search.press("Enter")
    figure(explorer, "kiosk").wait_for()
    explorer.locator("td:visible").get_by_text("<img src=x").wait_for()
    figure(explorer, "11 events of profile").wait_for()
    figure(explorer, "From email to cookie").wait_for()
    parts = explorer.locator(".ck-part:visible")
    assert parts.evaluate_all("them => them.every(it => it.scrollWidth <= it.clientWidth + 1)")
    explorer.get_by_label("and this are one profile").select_option(
        label="urn:email:second@example.com"
    )
    explorer.get_by_text("met urn:email:second@example.com on 'Placed Order'").wait_for()

    search.fill("nobody@example.com")
    search.press("Enter")
    explorer.get_by_role("alert").get_by_text("no alias is 'nobody@example.com'").wait_for()
    assert explorer.locator(".js-plotly-plot:visible").count() == 0


def test_an_alias_is_blocked_and_the_numbers_compared(page, explorer):
    tab(explorer, "Identity and check-up").click()
    explorer.get_by_text("urn:cookie:kiosk alone joins").wait_for()
    explorer.get_by_role("button", name="Stitch without it").click()
    explorer.get_by_text("With and without urn:cookie:kiosk").wait_for()
    rows = explorer.locator(".ck-scroll table:visible").last.locator("tbody tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["profiles", "81", "82", "1"],
        ["events with a profile", "391", "390", "-1"],
        ["Placed Order with a browser session", "26", "25", "-1"],
        ["suspects", "1", "0", "-1"],
    ]
    assert "shop.without(['urn:cookie:kiosk'], event='Placed Order')" in copied(page, explorer)


def test_it_can_be_read_in_a_narrow_window_and_in_the_dark(page, lab, request):
    lab.set_theme("JupyterLab Dark")
    page.set_viewport_size({"width": 700, "height": 900})
    explorer = request.getfixturevalue("explorer")
    page.keyboard.press("Control+b")
    # As wide as the notebook is without the list of files.
    page.wait_for_function("() => document.querySelector('.ck-whole').clientWidth > 450")
    explorer.evaluate("explorer => explorer.scrollIntoView()")
    chart = figure(explorer, "1. PageView")
    chart.wait_for()
    box = chart.bounding_box()
    assert box["y"] + box["height"] <= 900
    assert explorer.evaluate(
        """(explorer) => {
            const box = explorer.getBoundingClientRect();
            const parts = [...explorer.querySelectorAll("select, button, .js-plotly-plot")];
            return parts.map(part => part.getBoundingClientRect()).every(
                its => its.left >= 0 && its.right <= box.right + 1 || its.width === 0
            );
        }"""
    )
    assert explorer.get_by_label("Conversion window").count() == 1
    assert not explorer.get_by_label("Conversion window").is_visible()
    explorer.get_by_role("button", name="Steps, window and filter").press("Enter")
    explorer.get_by_label("Conversion window").wait_for()
    colours = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    text, ground = explorer.locator("pre.ck-code:visible").first.evaluate(colours)
    assert abs(_lightness(text) - _lightness(ground)) > 0.5


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_on_any_tab(page, lab, request, theme):
    lab.set_theme(theme)
    explorer = request.getfixturevalue("explorer")
    found = {"Funnel": violations(page, ".ck-whole")}
    for name in ("Trend and retention", "People", "Channels and spend", "Identity and check-up"):
        tab(explorer, name).click()
        explorer.get_by_text("The code of this").locator("visible=true").or_(
            explorer.get_by_text("Profiles that look like")
        ).first.wait_for()
        found[name] = violations(page, ".ck-whole")
    assert not any(found.values()), found


def test_nothing_is_asked_of_another_machine(page, explorer):
    hosts = set(
        page.evaluate(
            "() => performance.getEntriesByType('resource').map(it => new URL(it.name).hostname)"
        )
    )
    assert hosts <= {"127.0.0.1", "localhost", ""}


def _lightness(colour):
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (0.3 * red + 0.6 * green + 0.1 * blue) / 255
