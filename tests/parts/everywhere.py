"""Let tests that were written for memory ask parts.

With ``CONVERGEKIT_TEST_PARTS=2``, `ck.stitch` in a test stitches in two parts, and gives a
`Stitched` of which every member that `ck.StitchedParts` has is asked of these: tables, report,
funnels, whatever it has. `ck.funnel` of a frame splits it by profile in as many. What parts do not
compute yet is asked in memory. So the assertions of a test are made of parts, without a word of it
in the test.

    CONVERGEKIT_TEST_PARTS=2 python -m pytest tests/funnels tests/activity tests/identity

`LEFT_OUT` names the tests that cannot hold on parts, each with its reason.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit import stitching
from convergekit.events.observed import observed
from convergekit.events.steps import among_names, names_in
from convergekit.funnels import funnel as funnels
from convergekit.funnels.asking import Known
from convergekit.funnels.events import ProfileColumn
from convergekit.identity.options import StitchOptions
from convergekit.parts.answers import funnel as by_parts
from convergekit.parts.stitching import stitched_by_parts
from convergekit.parts.tables import PartsTable

PARTS = int(os.environ.get("CONVERGEKIT_TEST_PARTS", "0"))
#: What is asked of parts wherever they have it.
_MEMBERS = {
    name
    for name in vars(ck.Stitched)
    if not name.startswith("_")
    and name != "tables"
    and inspect.getattr_static(ck.StitchedParts, name, None) is not None
}
#: Of times that a funnel takes; others it refuses, which is not for parts to do.
_TIMES = {f"datetime64[{unit}, UTC]" for unit in ("s", "ms", "us", "ns")}
_OPTIONS = set(inspect.signature(StitchOptions.of).parameters)
#: Test, as pytest names it from its folder on: why it cannot hold on parts.
LEFT_OUT = {
    "explore/test_explorer.py::test_the_code_calls_the_stitched_what_the_notebook_calls_it": (
        "the notebook has a name of what asks the parts, not of these"
    ),
    "funnels/test_funnels.py::test_a_condition_that_cannot_be_met_says_why[total_price + 1": (
        "the message counts the events that were asked, which are those of a part"
    ),
    "funnels/test_funnels.py::test_a_condition_that_cannot_be_met_says_why[<lambda>-gave 1": (
        "the message counts the events that were asked, which are those of a part"
    ),
    "funnels/test_funnels.py::test_a_step_that_never_matches_is_warned_of_where_it_was_asked": (
        "it is asked here, not in the test"
    ),
    "funnels/test_groups_and_ends.py::test_what_came_next_is_found_among_profiles_of_any_text": (
        "profiles of a run have IDs that stitching made"
    ),
}


class OfParts(ck.Stitched):
    """A Stitched that asks parts for what they have."""

    def __getattribute__(self, name: str) -> Any:
        own = super().__getattribute__
        if name not in _MEMBERS or "_parts" not in own("__dict__"):
            return own(name)
        asked = functools.partial(own, name)
        try:
            found = getattr(own("_parts"), name)
        except ck.NotOnThisEngine:
            return asked()
        if isinstance(found, PartsTable):
            return found.to_pandas()
        return _of_both(found, asked()) if callable(found) else found


def paired(s: ck.Stitched, parts: ck.StitchedParts) -> OfParts:
    """Return what is in memory so that it asks parts."""
    both = OfParts(s.tables)
    both.__dict__["_parts"] = parts
    return both


def _of_both(of_parts: Callable[..., Any], in_memory: Callable[..., Any]) -> Callable[..., Any]:
    takes = inspect.signature(of_parts).parameters

    @functools.wraps(in_memory)
    def ask(*given: Any, **options: Any) -> Any:
        if not set(options) <= set(takes):
            return in_memory(*given, **options)
        try:
            found = of_parts(*given, **options)
        except ck.NotOnThisEngine:
            return in_memory(*given, **options)
        if isinstance(found, ck.StitchedParts):
            return paired(in_memory(*given, **options), found)
        if isinstance(getattr(found, "stitched", None), ck.StitchedParts):
            other = in_memory(*given, **options)
            return replace(found, stitched=paired(other.stitched, found.stitched))
        return found

    return ask


@functools.wraps(ck.stitch)
def stitch(events: Any, **options: Any) -> Any:
    """Stitch in parts, and in memory for what parts do not have."""
    given = set(options) - {"columns", "strict"}
    is_frame = isinstance(events, pd.DataFrame) or hasattr(events, "__arrow_c_stream__")
    if not is_frame or not given <= _OPTIONS or options.get("strict"):
        return stitching.stitch(events, **options)
    expected = None
    # What parts say of an error is what the test looks at.
    with contextlib.suppress(ck.ConvergekitError):
        expected = stitching.stitch(events, **options)
    asked = {name: options[name] for name in given}
    parts = stitched_by_parts(
        events, StitchOptions.of(**asked), options.get("columns"), None, parts=PARTS
    )
    assert expected is not None, "memory refuses what parts take"
    return paired(expected, parts)


class _Split:
    """A frame of events, split by profile, as parts are asked."""

    def __init__(self, events: pd.DataFrame, profile: str) -> None:
        number, _ = ProfileColumn(events[profile]).of(np.arange(len(events)))
        if "row" not in events:
            events = events.assign(row=np.arange(len(events)))
        names = frozenset(names_in(events))
        self.known = Known(observed(events, None))
        self.frames = [
            among_names(events[number % PARTS == part].reset_index(drop=True), names)
            for part in range(PARTS)
        ]

    def __call__(self, of_part: Callable[[int, Any], Any]) -> Any:
        for number, frame in enumerate(self.frames):
            yield of_part(number, _Part(frame, self.known))


class _Part:
    def __init__(self, events: pd.DataFrame, known: Known) -> None:
        self.events, self.known = events, known


def _asking(s: Any, question: Any) -> Any:
    if isinstance(s, _Part):
        return funnels.asking_of(question, s.events, funnels.PROFILE_ID, known=s.known)
    return funnels.asking_of_stitched(s, question)


def answer(asked: Any, events: pd.DataFrame, profile: str, *more: Any, **known: Any) -> Any:
    """Answer a funnel of a frame by its parts."""
    usable = profile == funnels.PROFILE_ID and {"event_name", "timestamp", profile} <= {*events}
    usable = usable and events.columns.is_unique and len(events) > 0
    if more or known or not usable or str(events["timestamp"].dtype) not in _TIMES:
        return _ANSWER(asked, events, profile, *more, **known)
    return by_parts.funnel_by_parts(asked, _Split(events, profile))


_ANSWER = funnels.answer


@pytest.fixture(autouse=True, scope="session")
def parts_everywhere() -> Iterator[None]:
    """Let tests, and the fixtures of their modules, ask parts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ck, "stitch", stitch)
        patched.setattr(funnels, "answer", answer)
        patched.setattr(by_parts, "asking_of_stitched", _asking)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what cannot hold on parts."""
    for item in items:
        for name, reason in LEFT_OUT.items():
            if item.nodeid.startswith(f"tests/{name}"):
                item.add_marker(pytest.mark.skip(reason=f"by parts: {reason}"))
