"""Draw docs/report-file-light.png and -dark.png: a report as a browser shows it.

python docs/report_picture.py (needs the group browser and a Chrome or Chromium)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import convergekit as ck  # noqa: E402
from tests.browser.conftest import open_browser  # noqa: E402

SIZE = {"width": 1000, "height": 1500}


def main() -> None:
    """Write a report of the shop in data/, and pictures of its beginning."""
    data = HERE.parent / "data"
    s = ck.stitch(ck.read_events(str(data / "*")))
    spend = ck.read_spend(str(data / "spend" / "*"), currency="EUR")
    with tempfile.TemporaryDirectory() as directory, open_browser() as browser:
        path = s.to_html(Path(directory) / "report.html", spend=spend)
        for theme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=theme)
            page = context.new_page()
            page.goto(path.as_uri())
            page.locator("html.ck-drawn").wait_for(state="attached")
            page.screenshot(path=HERE / f"report-file-{theme}.png")
            context.close()


if __name__ == "__main__":
    main()
