"""Sources: each pair of a source and a file is looked at once, and every row has its answer."""

from __future__ import annotations

import re

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from convergekit.events.sources import (
    CUTS,
    STEM,
    exports,
    filled_in,
    origin_names,
    origins,
    sources_of_exports,
)
from tests.effort import tries

NAMES = ["events_20260302", "events_intraday_20260303", "web", "web2", "09", "10", "Ä b", ""]
FILES = [*(f"{name}.jsonl.gz" for name in NAMES), "a/b/web.csv", "web"]


def _export_of(source: str | None, file: str | None) -> tuple[bool, str | None]:
    """Return whether a source is filled in, and the export that one row is of: row by row."""
    stem = re.search(STEM, file) if file is not None else None
    if source is None or stem is None or stem.group(1) != source:
        return False, source
    name = source.lower()
    for pattern, replacement in CUTS:
        name = re.sub(pattern, replacement, name)
    return True, name


_ROWS = st.lists(
    st.tuples(st.sampled_from([*NAMES, None]), st.sampled_from([*FILES, None])), max_size=30
)


@tries(60)
@given(_ROWS, st.booleans())
def test_each_row_is_of_the_export_that_its_file_says(rows, has_file):
    events = pd.DataFrame(rows, columns=["source", "file"], dtype="str")
    events.index = events.index + 7
    if not has_file:
        events, rows = events[["source"]], [(source, None) for source, _ in rows]
    each = [_export_of(*row) for row in rows]
    assert filled_in(events).tolist() == [filled for filled, _ in each]
    found = exports(events)
    assert found.index.equals(events.index)
    assert [None if pd.isna(one) else one for one in found] == [export for _, export in each]

    sources: dict[str, set[str]] = {}
    for (source, _), (_, export) in zip(rows, each, strict=True):
        if source is not None and export is not None:
            sources.setdefault(export, set()).add(source)
    named = {name: name or min(some) for name, some in sources.items() if len(some) > 1}
    assert origin_names(sources_of_exports(events)) == named
    slow = [named.get(export, source) for (source, _), (_, export) in zip(rows, each, strict=True)]
    assert [None if pd.isna(one) else one for one in origins(events)] == slow
