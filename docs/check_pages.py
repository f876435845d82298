"""Open every page of a built site in Chromium, wide and narrow, and list what is wrong with it.

python docs/check_pages.py site

Told of a page, as it is once its scripts have run:

- a picture that does not show, and any other file that the page asks for and does not get;
- a link or an anchor that leads nowhere within the site;
- a file that it asks of another site: nothing is fetched when a page is read;
- an error of its scripts, or on the console;
- what is wider than the window, so that the page scrolls sideways;
- on a wide window a line of code that does not fit its box. Printed output, and code on a narrow
  window, may scroll within its box;
- a prompt in what the button beside code copies.

Exits with 1 if there is any.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag

from site_browser import NO_BROWSER, browser_path, opened_browser, served

#: From 1,220 pixels on both side bars stand beside the text, which then has the least room.
WIDTHS = (1200, 1280, 360)
#: From this width on a line of code has to fit its box.
WIDE = 1200
#: Pages that are open at once; more do not help two processors.
_TABS = 4
_PATIENCE = 60_000

# Pictures that are loaded when they come into view are asked for at once.
_SETTLE = """async () => {
    document.querySelectorAll('img[loading=lazy]').forEach(one => { one.loading = 'eager' })
    await Promise.all(Array.from(document.images, one => one.decode().catch(() => 0)))
    await document.fonts.ready
}"""
_WHAT_IT_HAS = """() => ({
    anchors: Array.from(document.querySelectorAll('[id], a[name]'), one => one.id || one.name),
    links: Array.from(document.querySelectorAll('a[href], area[href]'), one =>
        [one.getAttribute('href') || '', one.href.baseVal === undefined ? one.href
            : new URL(one.href.baseVal, document.baseURI).href]),
    broken: Array.from(document.images).filter(one => one.getAttribute('src') && !one.naturalWidth)
        .map(one => one.getAttribute('src')),
})"""
_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth
    const scrolls = one => one && one !== document.body && one !== document.documentElement
        && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement))
    const inside = document.querySelector('.md-content') || document.body
    const found = Array.from(inside.querySelectorAll('*')).filter(one => {
        const box = one.getBoundingClientRect()
        return box.width && box.right > width + 1 && !scrolls(one.parentElement)
    }).map(one => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 80))
    const whole = document.documentElement.scrollWidth
    return found.slice(0, 3).concat(whole > width && !found.length ? [`${whole} pixels`] : [])
}"""
# A block without a language (to Pygments: text) is what something printed. Where there are prompts,
# so are the lines without one.
_LONG_LINES = """() => Array.from(document.querySelectorAll(
    '[class*=language-]:not(.language-text) pre code'
)).flatMap(box => {
    const probe = document.createElement('span')
    probe.textContent = 'm'.repeat(100)
    box.append(probe)
    const one = probe.getBoundingClientRect().width / 100
    probe.remove()
    const style = getComputedStyle(box)
    const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight)
    const room = (box.clientWidth - padding) / one
    const lines = box.textContent.split('\\n')
    const prompted = lines.some(line => line.startsWith('>>>'))
    const code = prompted ? lines.filter(line => /^(>>>|\\.\\.\\.)/.test(line)) : lines
    return code.filter(line => line.length > room + .1)
        .map(line => [line.trim().slice(0, 60), line.length, Math.floor(room)])
})"""

# Material copies the text that code shows while it has this attribute.
_COPIED_PROMPTS = """() => Array.from(
    document.querySelectorAll('.highlight pre code')
).map(code => {
    code.setAttribute('data-md-copying', '')
    const copied = code.innerText
    code.removeAttribute('data-md-copying')
    return copied.split('\\n').find(line => line.startsWith('>>> '))
}).filter(Boolean)"""


class Fault(NamedTuple):
    """What is wrong with a page, and where."""

    page: str
    what: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.page}: {self.what}"


@dataclass
class _Opened:
    """A page as it was opened: its anchors, its links, what was wrong with it."""

    anchors: set[str] = field(default_factory=set)
    links: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def check(root: Path) -> tuple[int, list[Fault]]:
    """Return the number of pages of a site, and what is wrong with them."""
    pages = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.html"))
    with served(root) as base:
        opened = asyncio.run(_open_all(base, pages))
        files = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
        faults = [
            Fault(page, what)
            for page in pages
            for what in dict.fromkeys([*opened[page].said, *_lost(page, base, files, opened)])
        ]
    return len(pages), faults


async def _open_all(base: str, pages: list[str]) -> dict[str, _Opened]:
    left = list(reversed(pages))
    opened: dict[str, _Opened] = {}

    async def work(context: Any) -> None:
        while left:
            page = left.pop()
            opened[page] = await _open(context, base, page)

    async with opened_browser() as browser:
        context = await browser.new_context()
        await asyncio.gather(*(work(context) for _ in range(_TABS)))
    return opened


async def _open(context: Any, base: str, page: str) -> _Opened:
    found = _Opened()
    tab = await context.new_page()
    await tab.route("**/*", lambda route: _let(route, base, found))
    tab.on("pageerror", lambda error: found.said.append(f"an error of its scripts: {error}"))
    tab.on("console", lambda message: _told(message, found))
    tab.on("response", lambda answer: _answered(answer, base, found))
    await tab.set_viewport_size({"width": WIDTHS[0], "height": 900})
    await tab.goto(base + page, timeout=_PATIENCE)
    await tab.evaluate(_SETTLE)
    has = await tab.evaluate(_WHAT_IT_HAS)
    found.anchors |= set(has["anchors"])
    found.links += map(tuple, has["links"])
    found.said += [f"a picture that does not show: {address}" for address in has["broken"]]
    found.said += [f"a prompt is copied: {line}" for line in await tab.evaluate(_COPIED_PROMPTS)]
    for width in WIDTHS:
        await tab.set_viewport_size({"width": width, "height": 900})
        for what in await tab.evaluate(_TOO_WIDE):
            found.said.append(f"wider than a window of {width} pixels: {what}")
        for line, length, room in await tab.evaluate(_LONG_LINES) if width >= WIDE else []:
            found.said.append(f"code of {length} characters in {room} at {width} pixels: {line} …")
    await tab.close()
    return found


async def _let(route: Any, base: str, found: _Opened) -> None:
    address = route.request.url
    if address.startswith((base, "data:", "blob:")):
        await route.continue_()
        return
    found.said.append(f"it asks another site: {address}")
    await route.abort()


def _told(message: Any, found: _Opened) -> None:
    # A file that is not there is told once, by its answer.
    if message.type == "error" and "Failed to load resource" not in message.text:
        found.said.append(f"an error on the console: {message.text}")


def _answered(answer: Any, base: str, found: _Opened) -> None:
    if answer.status >= 400:
        found.said.append(f"a file that is not there: {answer.url.removeprefix(base)}")


def _lost(page: str, base: str, files: set[str], opened: dict[str, _Opened]) -> Iterator[str]:
    """Yield the links of a page that lead nowhere within the site."""
    for written, whole in opened[page].links:
        address, anchor = urldefrag(whole)
        if not address.startswith(base):
            continue
        target = unquote(address.removeprefix(base).partition("?")[0])
        if target not in files:
            target = f"{target.rstrip('/')}/index.html".lstrip("/")
        if target not in files:
            yield f"a link that leads nowhere: {written}"
        elif anchor and target in opened and unquote(anchor) not in opened[target].anchors:
            yield f"an anchor that is not there: {written}"


def main() -> int:
    """Open the pages of the site that is named, and print what is wrong with them."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "index.html").is_file():
        print("name the directory of a built site: python docs/check_pages.py site")
        return 2
    if browser_path() is None:
        print(f"the pages were not opened: {NO_BROWSER}")
        return 2
    pages, faults = check(Path(sys.argv[1]))
    for fault in faults:
        print(fault)
    at = ", ".join(map(str, WIDTHS[:-1])) + f" and {WIDTHS[-1]}"
    print(f"{pages:,} pages were opened at {at} pixels; {len(faults):,} faults.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
