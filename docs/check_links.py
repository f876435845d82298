"""Check a built site: what its files link to, show and load is there.

python docs/check_links.py site

Every address in HTML, SVG and CSS is followed within the site: of a link, of a picture or of one of
its choices, of a style sheet or script, and what the search finds. An anchor must be in its page.
Addresses elsewhere are counted, not asked. Exits with 1 if any leads nowhere.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

#: Attributes that hold one address, whatever the element.
_ADDRESSES = frozenset({"href", "xlink:href", "src", "poster", "data", "action", "background"})
#: Attributes that hold several, each with its size.
_CHOICES = frozenset({"srcset", "imagesrcset"})
#: Attributes in which one may stand as url(...).
_STYLES = frozenset({"style", "fill", "stroke", "clip-path", "mask", "filter"})
_CSS_ADDRESS = re.compile(r"""(?:url\(\s*|@import\s+)(?:"([^"]*)"|'([^']*)'|([^\s"')]+))""")
_REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\"\s]+)", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# A site may be put into any directory, so that what leads above its own leads out of it.
_ROOT = "http://site.invalid/in/a/directory/"


class Address(NamedTuple):
    """An address as it is written, and the line on which it is."""

    line: int
    text: str


class Fault(NamedTuple):
    """An address that leads nowhere."""

    file: str
    line: int
    address: str
    why: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.file}:{self.line}: {self.address}: {self.why}"


@dataclass
class Checked:
    """What a check found.

    Attributes
    ----------
    files, addresses : int
        How many were read, and followed within the site.
    elsewhere : set of str
        Addresses of other sites, which were not asked.
    faults : list of Fault
    """

    files: int = 0
    addresses: int = 0
    elsewhere: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


class _Page(HTMLParser):
    """The anchors of a page, and the addresses in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.addresses: list[Address] = []
        self.base = ""
        self._in_style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        given = {name: value for name, value in attrs if value is not None}
        self._in_style = tag == "style"
        self.anchors |= {given["id"]} if "id" in given else set()
        self.anchors |= {given["name"]} if tag == "a" and "name" in given else set()
        if tag == "base":
            self.base = given.get("href", "")
            return
        for name, value in given.items():
            self.addresses += [Address(line, text) for text in _addresses(tag, name, value)]
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.addresses += [Address(line, text) for text in _REFRESH.findall(given["content"])]

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            begin = self.getpos()[0] - 1
            self.addresses += [Address(begin + line, text) for line, text in css_addresses(data)]


def _addresses(tag: str, name: str, value: str) -> Iterator[str]:
    """Yield the addresses that an attribute holds."""
    # What is to be typed into an element, or how it is shown, is no address.
    if name in _ADDRESSES and not (name == "data" and tag != "object"):
        yield value.strip()
    elif name in _CHOICES:
        # "a.png 1x, b.png 2x"; a comma may be within an address.
        yield from re.findall(r"(\S*[^\s,])(?:\s+[^,]+)?\s*(?:,|$)", value)
    elif name in _STYLES:
        yield from (address.text for address in css_addresses(value))


def css_addresses(text: str) -> list[Address]:
    """Return the addresses in a style sheet.

    >>> css_addresses("a { background: url('a.png') }  /* url(b.png) */")
    [Address(line=1, text='a.png')]
    """
    text = _CSS_COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    return [
        Address(text.count("\n", 0, found.start()) + 1, next(filter(None, found.groups()), ""))
        for found in _CSS_ADDRESS.finditer(text)
    ]


class _Site:
    def __init__(self, root: Path) -> None:
        self._root = root
        # Names are compared as they are, also where the file system takes A for a.
        self.files = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
        self._pages: dict[str, _Page] = {}

    def text(self, file: str) -> str:
        return (self._root / file).read_text(encoding="utf-8")

    def page(self, file: str) -> _Page:
        if file not in self._pages:
            self._pages[file] = _Page(self.text(file))
        return self._pages[file]

    def addresses(self, file: str) -> list[Address]:
        if file.endswith((".html", ".svg")):
            return self.page(file).addresses
        if file.endswith(".css"):
            return css_addresses(self.text(file))
        if file == "search/search_index.json":
            found = json.loads(self.text(file))["docs"]
            return [Address(1, "/" + entry["location"]) for entry in found]
        return []

    def fault(self, file: str, address: str) -> str:
        """Return why an address on a file leads nowhere; "" if it leads somewhere."""
        base = urljoin(_ROOT + file, self.page(file).base) if file.endswith(".html") else ""
        # A page that is shown in place of any other, such as 404.html, begins at the root.
        base = _ROOT if address.startswith("/") else base or _ROOT + file
        whole = urlsplit(urljoin(base, address.lstrip("/")))
        if not whole.path.startswith(urlsplit(_ROOT).path):
            return "it leads out of the site"
        target = unquote(whole.path[len(urlsplit(_ROOT).path) :])
        if target not in self.files:
            target = f"{target.rstrip('/')}/index.html".lstrip("/")
        if target not in self.files:
            return "there is no such file"
        return self._anchor_fault(target, unquote(whole.fragment))

    def _anchor_fault(self, target: str, anchor: str) -> str:
        # A picture's anchor tells the theme when to show it; the top needs no anchor.
        if not target.endswith(".html") or anchor.lower() in ("", "top"):
            return ""
        if anchor.startswith(":~:text=") or anchor in self.page(target).anchors:
            return ""
        return f"{target} has no anchor {anchor!r}"


def check(root: Path) -> Checked:
    """Return what is wrong with the addresses in a built site."""
    site, found = _Site(root), Checked()
    for file in sorted(site.files):
        addresses = site.addresses(file)
        found.files += bool(addresses)
        for line, text in addresses:
            if urlsplit(text).scheme or text.startswith("//"):
                found.elsewhere |= {text} if not text.startswith("data:") else set()
                continue
            found.addresses += 1
            why = site.fault(file, text)
            if why:
                found.faults.append(Fault(file, line, text, why))
    return found


def main() -> int:
    """Check the site that is named, and print what leads nowhere."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "index.html").is_file():
        print("name the directory of a built site: python docs/check_links.py site")
        return 2
    found = check(Path(sys.argv[1]))
    for fault in found.faults:
        print(fault)
    print(
        f"{found.addresses:,} addresses in {found.files:,} files were followed, "
        f"{len(found.faults):,} lead nowhere; {len(found.elsewhere):,} elsewhere were not asked."
    )
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
