"""Texts from exports in a terminal: control characters are spelled out, whatever is printed."""

from __future__ import annotations

import unicodedata
import warnings

import pandas as pd
from hypothesis import strategies as st

import convergekit as ck
from fuzz.oracle import BrokenPromiseError

_HOSTILE = st.text(
    st.sampled_from("\x1b\x00\x07\x08\x7f\x9b\u202e\u2066\u200b\u2028[31m]0;aA \n\t\ré"),
    min_size=1,
    max_size=20,
)


@st.composite
def hostile_frames(draw: st.DrawFn) -> pd.DataFrame:
    """Events of which names, sources, aliases, properties and columns are hostile texts."""
    rows = draw(st.integers(1, 4))
    texts = st.lists(_HOSTILE, min_size=rows, max_size=rows)
    return pd.DataFrame(
        {
            "event_name": draw(texts),
            "timestamp": draw(st.lists(st.sampled_from(["2026-03-02", "\x1b[2J"]),
                                       min_size=rows, max_size=rows)),
            "source": draw(texts),
            "alias.cookie": draw(texts),
            "aliases": [[text] for text in draw(texts)],
            "properties." + draw(_HOSTILE): draw(texts),
            "profile_properties." + draw(_HOSTILE): draw(texts),
        }
    )  # fmt: skip


def check_terminal(frame: pd.DataFrame) -> None:
    """Hold everything that is printed of a stitching to plain characters.

    Raises
    ------
    BrokenPromiseError
    """
    name = frame["event_name"].iloc[0]
    asked = [
        lambda s: s,
        lambda s: s.report,
        lambda s: s.funnel([name], within="1D"),
        lambda s: s.funnel([name + "\x1b"], within="1D"),
        lambda s: s.orphans(name),
        lambda s: s.explain(name, name),
        lambda s: s.provenance(name),
        lambda s: ck.check_up(frame),
    ]
    try:
        s = ck.stitch(frame)
    except ck.ConvergekitError as error:
        _check_plain(str(error))
        return
    for ask in asked:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                answer = ask(s)
            except ck.ConvergekitError as error:
                _check_plain(str(error))
                continue
        for warning in said:
            _check_plain(str(warning.message))
        if not isinstance(answer, pd.DataFrame):
            # How pandas prints a frame is pandas' own.
            _check_plain(repr(answer))


def _check_plain(text: str) -> None:
    for letter in text:
        if letter not in "\n\t" and unicodedata.category(letter) in ("Cc", "Cs"):
            raise BrokenPromiseError(f"{letter!r} is printed as it is")
