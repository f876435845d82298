r"""Sources: where an event comes from, and what the readers fill in where its file does not say.

What we fill in is not content: a day that is exported again under another name is the same day.

- A `source` that is the name of its `file` without suffixes counts as filled in.
- Files whose names differ in digits alone, as `events_20260302` and `events_20260303` do, are cuts
  of one export, and so are GA4's `events_intraday_` and `events_fresh_` tables
  (https://support.google.com/analytics/answer/9358801).

The patterns are in the syntax that Python, DuckDB and Spark have in common.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from convergekit.base.grouping import NumberedText
from convergekit.base.records import take_or_missing
from convergekit.base.text import as_text
from convergekit.typing import BoolArray, IntArray

#: The name of a file without its directory and suffixes, as the first group.
STEM = r"(?:^|[/\\])([^/\\.]+)[^/\\]*$"
#: What is left out of a file's name in lower case, one after the other, with a replacement.
CUTS = (
    (r"[\x00-/:-`{-\x7f]+", " "),
    (r"\b[0-9a-f]*[0-9][0-9a-f]*\b", ""),
    (r"\b(intraday|fresh)\b", ""),
    (r"[0-9 ]+", ""),
)

#: Events that are of no file.
_NO_FILE = NumberedText(np.array([-1]), pd.Series([], dtype="str"))


def filled_in(events: pd.DataFrame) -> BoolArray:
    """Return of which events the source is the name of the file, and was not sent.

    Examples
    --------
    >>> events = pd.DataFrame({"source": ["web", "a", None], "file": ["a.jsonl", "a.jsonl", None]})
    >>> filled_in(events).tolist()
    [False, True, False]
    """
    if "file" not in events:
        return np.zeros(len(events), dtype=bool)
    each, place = _each_of(events)
    return _filled_in(each)[place]


def _filled_in(each: pd.DataFrame) -> BoolArray:
    stem = each["file"].str.extract(STEM, expand=False)
    return (stem == each["source"]).fillna(False).to_numpy(dtype=bool)


def exports(events: pd.DataFrame) -> pd.Series:
    """Return the source of every event; where that is filled in, what all files of an export share.

    Examples
    --------
    >>> files = ["events_20260302.jsonl", "events_intraday_20260302.jsonl", "server2.jsonl"]
    >>> stems = [name.removesuffix(".jsonl") for name in files]
    >>> exports(pd.DataFrame({"source": [*stems, "web"], "file": [*files, "web1.csv"]})).tolist()
    ['events', 'events', 'server', 'web']
    """
    source = as_text(events["source"])[0]
    if "file" not in events:
        return source
    each, place = _each_of(events)
    return _at(_exports(each), place, source)


def _exports(each: pd.DataFrame) -> pd.Series:
    filled = each["source"].where(_filled_in(each))
    whole = {name: _export(name) for name in filled.dropna().unique()}
    return filled.map(whole).astype("str").where(filled.notna(), each["source"])


def _each_of(events: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Return each pair of a source and a file once, as text, and the place of every event's pair.

    There are few of them, whatever the number of events.
    """
    source = NumberedText.of(as_text(events["source"])[0])
    size = len(events)
    files = (
        as_text(events["file"])[0] if "file" in events else pd.Series([None] * size, dtype="str")
    )
    file = NumberedText.of(files)
    files = len(file.distinct) + 1
    place, pairs = pd.factorize((source.codes + 1) * files + file.codes + 1)
    one, other = np.divmod(pairs, files)
    each = pd.DataFrame(
        {
            "source": take_or_missing(source.distinct, one - 1),
            "file": take_or_missing(file.distinct, other - 1),
        }
    )
    return each, place.astype(np.int64)


def _at(each: pd.Series, place: IntArray, like: pd.Series) -> pd.Series:
    """Return the text at each place, in a column like another."""
    return pd.Series(each.array.take(place), index=like.index, name=like.name, dtype="str")


def origins(events: pd.DataFrame) -> pd.Series:
    """Return the source of every event, one for all files of an export: what they share.

    A file that is the only one of its export keeps its name. Files of digits alone share none:
    theirs is the name of the first.

    Examples
    --------
    >>> files = ["events_20260302.jsonl", "events_20260303.jsonl", "web2.jsonl", "09.gz", "10.gz"]
    >>> stems = [name.split(".")[0] for name in files]
    >>> origins(pd.DataFrame({"source": stems, "file": files})).tolist()
    ['events', 'events', 'web2', '09', '09']
    """
    return named_origins(events, origin_names(sources_of_exports(events)))


def sources_of_exports(events: pd.DataFrame) -> pd.DataFrame:
    """Return each source with the export that it is of: a row per pair of `source` and `export`."""
    each, _ = _each_of(events)
    export = _exports(each)
    return pd.DataFrame({"source": each["source"], "export": export}).drop_duplicates().dropna()


def origin_names(each: pd.DataFrame) -> dict[str, str]:
    """Return what the exports of several sources are called.

    Parameters
    ----------
    each : pandas.DataFrame
        As `sources_of_exports` returns it, of all events.
    """
    each = each.drop_duplicates()
    several = each[each["export"].duplicated(keep=False)]
    first = each.groupby("export")["source"].min()
    return {name: name or first[name] for name in several["export"].unique()}


def named_origins(events: pd.DataFrame, named: Mapping[str, str]) -> pd.Series:
    """Return the source of every event, exports of several sources under their names."""
    each, place = _each_of(events)
    export = _exports(each)
    found = export.map(named).astype("str").where(export.isin(named), each["source"])
    return _at(found, place, as_text(events["source"])[0])


def _export(stem: str) -> str:
    name = stem.lower()
    for pattern, replacement in CUTS:
        name = re.sub(pattern, replacement, name)
    return name
