"""Conditions written as text: an answer or an error of ours, within bounds of time."""

from __future__ import annotations

import signal
import warnings
from types import FrameType

import pandas as pd
from hypothesis import strategies as st

import convergekit as ck
from fuzz.oracle import BrokenPromiseError, check_message

_LONGEST = 20
_EVENTS = pd.DataFrame(
    {
        "event_name": ["PageView"] * 50,
        "timestamp": pd.date_range("2026-03-02", periods=50, freq="min", tz="UTC"),
        "alias.cookie": [f"c{i % 5}" for i in range(50)],
        "properties.n": range(50),
        "properties.text": ["a" * 30 + "!"] * 50,
    }
)
_ATOMS = st.sampled_from(
    ["n", "text", "0", "1", "-1", "9", "10**10", "3000000000", "'a'", "'(a+)+$'", "'%03000000000d'",
     "None", "True", "[1, 2]", "text.str", "1e308", "'('", "'(a|aa)+$'", "'\\\\1'"]
)  # fmt: skip


#: As long as a condition gets: repeats of repeats would take all memory by themselves.
_MOST = 1_000_000


def _repeated(condition: str, times: int) -> str:
    return " and ".join([condition] * max(2, min(times, _MOST // len(condition))))


def _longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "and",
                                "or", "in", "==", "<", "!="])  # fmt: skip
    method = st.sampled_from(["str.contains", "str.match", "str.repeat", "str.zfill", "str.pad",
                              "str.center", "str.len", "isin", "abs", "__class__", "map", "eval",
                              "str.replace", "str.startswith"])  # fmt: skip
    return st.one_of(
        st.builds(lambda a, o, b: f"({a} {o} {b})", inner, operator, inner),
        st.builds(lambda a, m, b: f"{a}.{m}({b})", inner, method, inner),
        st.builds(lambda a: f"not {a}", inner),
        st.builds(lambda a, depth: "(" * depth + a + ")" * depth, inner, st.sampled_from([3, 900])),
        st.builds(_repeated, inner, st.sampled_from([2, 300, 20_000])),
    )


conditions = st.recursive(_ATOMS, _longer, max_leaves=6)


def check_condition(text: str) -> None:
    """Ask a funnel of the events that fulfil a condition.

    Raises
    ------
    BrokenPromiseError
        Another error than convergekit's is raised, or it takes too long.
    """

    def too_long(number: int, frame: FrameType | None) -> None:
        raise BrokenPromiseError(f"it takes longer than {_LONGEST} s")

    usual = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(_LONGEST)
    try:
        with warnings.catch_warnings():
            # That no event meets a condition is said by a warning.
            warnings.simplefilter("ignore", UserWarning)
            ck.stitch(_EVENTS).funnel([ck.Step("PageView", where=text)], within="1D")
    except ck.ConvergekitError as error:
        check_message(error)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, usual)
