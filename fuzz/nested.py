"""Lines whose values are nested deeply, or have very many keys: rejected, or read to the end."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from fuzz.oracle import check_file

_PLACES = ("properties", "profile_properties", "aliases", "unset", "event_name", "note")


@st.composite
def nested_lines(draw: st.DrawFn) -> bytes:
    """Draw a few lines of an export, in some of which a value is deep or wide."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        event = {"event_name": '"A"', "timestamp": '"2026-03-02"', "alias.cookie": '"c"'}
        if draw(st.booleans()):
            event[draw(st.sampled_from(_PLACES))] = draw(_values())
        pairs = (f"{json.dumps(name)}: {text}" for name, text in event.items())
        lines.append("{" + ", ".join(pairs) + "}")
    return "\n".join(lines).encode()


@st.composite
def _values(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        depth = draw(st.sampled_from([1, 2, 50, 99, 100, 101, 500, 1_000, 3_000, 20_000]))
        opened, closed = draw(st.sampled_from([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]))
        return opened * depth + "1" + closed * draw(st.sampled_from([depth, depth - 1]))
    width = draw(st.sampled_from([10, 300, 2_000, 6_000]))
    if draw(st.booleans()):
        return json.dumps({f"k{i}": i for i in range(width)})
    return json.dumps([f"urn:t{i % 7}:{i}" for i in range(width)])


def check_nested(content: bytes) -> None:
    """Read the lines and stitch them.

    Raises
    ------
    BrokenPromiseError
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a.jsonl")
        path.write_bytes(content)
        check_file(path)
