"""Read a report's HTML as a browser would, as far as the tests need it."""

from __future__ import annotations

import json
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """The elements of a page, their attributes, and the text in each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[dict] = []
        self.open: list[dict] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        element = {"tag": tag, "text": "", "in": [one["tag"] for one in self.open], **dict(attrs)}
        element["section"] = next(
            (one.get("id") for one in self.open if one["tag"] == "section"), None
        )
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for one in self.open:
            one["text"] += data

    def handle_comment(self, data):
        self.comments.append(data)

    def of(self, tag, **attributes):
        return [
            one
            for one in self.elements
            if one["tag"] == tag
            and all(
                one.get(name.replace("_", "-").strip("-")) == value
                for name, value in attributes.items()
            )
        ]

    def texts(self, tag, **attributes):
        return [one["text"] for one in self.of(tag, **attributes)]

    @property
    def figures(self):
        (data,) = self.of("script", id="ck_figures")
        return json.loads(data["text"])

    @property
    def plots(self):
        return self.of("div", class_="ck-plot")

    def calls(self, section):
        return [one["text"] for one in self.of("code") if one["section"] == section]

    def findings(self, section):
        return [
            one["text"] for one in self.of("p", class_="ck-finding") if one["section"] == section
        ]

    def rows(self, caption):
        """The cells of the table with a caption, by row, the heading first."""
        found: list[list[str]] = []
        at = next(
            place
            for place, one in enumerate(self.elements)
            if one["tag"] == "caption" and one["text"] == caption
        )
        for one in self.elements[at:]:
            if one["tag"] == "caption" and found:
                break
            if one["tag"] == "tr":
                found.append([])
            elif one["tag"] in ("td", "th"):
                found[-1].append(one["text"])
        return found
