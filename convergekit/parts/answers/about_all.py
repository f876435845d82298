"""What a report says of all events, by parts."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pandas as pd
import pyarrow.parquet as pq

from convergekit.diagnostics.report import Report
from convergekit.parts.answers.activity import events_by_parts
from convergekit.parts.checked import checked_again
from convergekit.parts.each import EachPart
from convergekit.parts.stitching import Run
from convergekit.parts.tables import PartsTable
from convergekit.report.about import About


def about_all(run: Run, counts: Report, events: PartsTable) -> About:
    """Return what is known of the events of all parts.

    Parameters
    ----------
    run : Run
    counts : Report
        Of all parts.
    events : PartsTable
    """
    files = run.table_files("events")
    sources: Counter[str] = Counter()
    for number in range(len(files)):
        column = run.frame("tables", "events", f"{number:05}.parquet", names={"source"})
        for name, rows in column.squeeze(axis=1).value_counts().items():
            sources[str(name)] += int(rows)
    coverage = counts.coverage
    names = pd.Series(
        coverage["events"].to_numpy(),
        index=pd.Index(coverage["event_name"], name="event_name"),
        name="count",
    )
    observed = run.facts.observed
    return About(
        names=names.sort_index().sort_values(ascending=False, kind="stable"),
        columns=pq.read_schema(files[0]).names,
        sources=sources,
        events=counts.events,
        profiles=counts.profiles,
        observed=(observed.begin, observed.end),
        calendar=run.options.calendar,
        segment="",
        named=partial(_named, run.of_each),
        check_up=partial(checked_again, events, run.memory),
    )


def _named(each: EachPart, name: str) -> pd.DataFrame:
    return events_by_parts(each, [name])
