"""Draw docs/explorer.png: the explorer as JupyterLab shows it.

python docs/explorer_picture.py (needs the extra convergekit[browser] and a Chrome or Chromium)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.browser.conftest import PATIENCE, open_browser, open_lab  # noqa: E402

CELLS = (
    f"""\
import convergekit as ck

s = ck.stitch(ck.read_events({str(HERE.parent / "data" / "*")!r}))""",
    "s.explore()",
)


def main() -> None:
    """Open the explorer, and write a picture of it."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_lab(Path(home)) as lab,
        open_browser() as browser,
    ):
        context = browser.new_context(viewport={"width": 1200, "height": 1500})
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.goto(lab.write("explorer.ipynb", *CELLS))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        explorer = page.locator(".ck-whole")
        explorer.wait_for()
        figure = explorer.locator(".js-plotly-plot:visible").filter(has_text="Placed Order")
        figure.wait_for()
        # As after a moment of looking: nothing is marked, and the pointer is elsewhere.
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)
        explorer.screenshot(path=HERE / "explorer.png")
        context.close()


if __name__ == "__main__":
    main()
