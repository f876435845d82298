"""What axe-core has to say against a page: Deque's rules for WCAG 2.2 A and AA, and good practice.

https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md describes the rules. The
package axe-playwright-python ships the script, so that nothing is fetched.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import pytest

# What stands in an output of a notebook is part of a page that is not ours: where its landmarks
# are, and which headings come before, is not ours to say.
_OF_WHOLE_PAGES = ("region", "heading-order", "page-has-heading-one", "landmark-one-main")
_RUN = """\
async ([within, off]) => {
    const rules = Object.fromEntries(off.map(name => [name, {enabled: false}]));
    const context = within ? {include: [[within]]} : document;
    return (await axe.run(context, {rules, resultTypes: ["violations"]})).violations;
}"""


def violations(page: Any, within: str | None = None) -> list[str]:
    """Return what axe-core finds against a page of Playwright, a text for each fault; none if good.

    Parameters
    ----------
    page : playwright.sync_api.Page
    within : str, optional
        A CSS selector; only what it matches is judged, and something has to. By default the whole
        page, with what holds for pages: landmarks, the language, the order of headings.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_script())
    found = page.evaluate(_RUN, [within, list(_OF_WHOLE_PAGES) if within else []])
    return [_readable(rule, node) for rule in found for node in rule["nodes"]]


@functools.cache
def _script() -> str:
    package = pytest.importorskip(
        "axe_playwright_python", reason="needs axe-core: pip install --group browser"
    )
    return (resources.files(package) / "axe.min.js").read_text(encoding="utf-8")


def _readable(rule: dict[str, Any], node: dict[str, Any]) -> str:
    where = " ".join(map(str, node["target"]))
    why = "\n    ".join(node["failureSummary"].splitlines())
    return f"{rule['id']} ({node['impact']}) at {where}:\n    {node['html'][:200]}\n    {why}"
