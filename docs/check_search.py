"""Ask the search of a built site as a reader does: open it in Chromium, type, read the answers.

python docs/check_search.py site [words.toml]

docs/search.toml, or the file that is named, has what is typed, and the page that has to be among
the first three answers. Exits with 1 if one is not.
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from site_browser import NO_BROWSER, browser_path, opened_browser, served

#: The page that is asked for has to be among so many answers.
FIRST = 3
_PATIENCE = 30_000
_FIELD = "input[data-md-component=search-query]"
# The first link of an answer is its page; the others are sections of it.
_ANSWERS = """() => Array.from(
    document.querySelectorAll('.md-search-result__item'),
    one => one.querySelector('a').href
)"""
# The line above the answers counts them, also where there are none.
_ANSWERED = """() => {
    const said = document.querySelector('.md-search-result__meta').textContent
    return /\\d|No matching/.test(said)
}"""
_CLEARED = f"() => !document.querySelector('.md-search-result__item') && !({_ANSWERED})()"


class Missed(NamedTuple):
    """What was typed, the page that was asked for, and the pages that were answered."""

    typed: str
    page: str
    answered: list[str]

    def __str__(self) -> str:
        """Return it in one line."""
        found = ", ".join(self.answered) or "nothing"
        return f"{self.typed!r} does not lead to {self.page}: it finds {found}"


def check(root: Path, words: dict[str, list[str]]) -> tuple[int, list[Missed]]:
    """Return how many words were typed, and those that do not lead to their page."""
    asked = [
        (typed, page.removesuffix(".md") + "/")
        for page, several in words.items()
        for typed in several
    ]
    with served(root) as base:
        answered = asyncio.run(_ask(base, [typed for typed, _ in asked]))
    return len(asked), [
        Missed(typed, page, answers)
        for (typed, page), answers in zip(asked, answered, strict=True)
        if page not in answers
    ]


async def _ask(base: str, asked: list[str]) -> list[list[str]]:
    async with opened_browser() as browser:
        page = await browser.new_page()
        page.set_default_timeout(_PATIENCE)
        await page.goto(base)
        # The index is fetched when the field is entered.
        await page.locator(_FIELD).focus()
        return [await _answers(page, base, typed) for typed in asked]


async def _answers(page: Any, base: str, typed: str) -> list[str]:
    field = page.locator(_FIELD)
    await field.fill("")
    await field.dispatch_event("keyup")
    await page.wait_for_function(_CLEARED)
    await field.fill(typed)
    await field.dispatch_event("keyup")
    await page.wait_for_function(_ANSWERED)
    found = [one.partition("?")[0].removeprefix(base) for one in await page.evaluate(_ANSWERS)]
    return [one.partition("#")[0] for one in found][:FIRST]


def main() -> int:
    """Ask the site that is named, and print what does not lead to its page."""
    if len(sys.argv) not in (2, 3) or not (Path(sys.argv[1]) / "index.html").is_file():
        print("name the directory of a built site: python docs/check_search.py site")
        return 2
    if browser_path() is None:
        print(f"the search was not asked: {NO_BROWSER}")
        return 2
    file = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent / "search.toml"
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    asked, missed = check(Path(sys.argv[1]), words)
    for one in missed:
        print(one)
    print(f"{asked:,} searches were made; {len(missed):,} do not lead to their page.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
