"""The notebooks in JupyterLab: all cells run, and what they made is on the screen."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from tests.browser.conftest import PATIENCE, SHOTS

ROOT = Path(__file__).parents[2]
COURSE = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def course(lab):
    """The notebooks where JupyterLab finds them, without their outputs, and the data beside."""
    shutil.copytree(ROOT / "data", lab.notebooks / "data")
    (lab.notebooks / "notebooks").mkdir()
    for path in COURSE:
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, lab.notebooks / "notebooks" / path.name)
    return lab


@pytest.mark.parametrize("name", [path.name for path in COURSE])
def test_a_notebook_runs_to_its_end(chromium, course, name):
    page = chromium.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{course.url}lab/tree/notebooks/{name}?reset")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    path = course.notebooks / "notebooks" / name
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    page.locator(".jp-InputPrompt").get_by_text(f"[{len(code)}]:", exact=True).wait_for(
        state="attached"
    )
    page.locator(".js-plotly-plot .main-svg").first.scroll_into_view_if_needed()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{path.stem}.png")

    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and name in answer.url and answer.ok
    ):
        page.keyboard.press("Control+s")
    page.close()
    ran = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in ran] == list(range(1, len(code) + 1))
    assert [out.evalue for cell in ran for out in cell.outputs if out.output_type == "error"] == []
