"""What a figure says, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go

#: Names that plotly would show as a link, as bold, or on a page with MathJax as a formula.
HOSTILE = '<a href="javascript:alert(1)">x</a><b>y</b> $z$'


def texts(figure: Any) -> list[str]:
    """Return every text of a figure, on it and in hover texts, as plotly gets it."""
    # Without the spans by which a figure follows its page: they are in none of its texts.
    figure = go.Figure.to_dict(figure)
    figure["layout"].pop("template")
    # The finding as it is, which plotly does not show.
    figure["layout"].pop("meta", None)
    return list(_texts(figure))


def one_line(text: str) -> str:
    """Return a text without the line breaks that only make it fit."""
    return text.replace("<br>", " ")


def assert_shown_as_it_is(figure: Any) -> None:
    """Check that a figure made of hostile names shows them, and none of them as markup."""
    said = texts(figure)
    # Our own markup.
    bare = [text.replace("<br>", "").replace("<b>", "").replace("</b>", "") for text in said]
    assert not [text for text in bare if set(text) & set("<>$")]
    assert any("&lt;a" in text for text in bare)
    assert not any("<b>y" in text for text in said)
    assert not any("%{" in text for text in said)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, (list, tuple)) or getattr(part, "dtype", None) == object:
        for value in part:
            yield from _texts(value)
