"""The report of a run: the reports of its parts, added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from convergekit.diagnostics.page_addresses import address_remark
from convergekit.diagnostics.placeholders import placeholder_remark
from convergekit.diagnostics.report import EXAMPLE_ROWS, Faults, Report, by_order_remark
from convergekit.events.shapes import NOTHING_READ
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.parts.about import AboutPart

_SHARES = ("with_profile", "with_browser_session")


def report_of(
    about: Sequence[AboutPart],
    columns: Sequence[str],
    remarks: Mapping[str, int],
    warnings: Sequence[str],
    own_pages: str,
) -> Report:
    """Return the report of the whole.

    Parameters
    ----------
    about : sequence of AboutPart
    columns : sequence of str
        Those of the rows, in their order.
    remarks : mapping of str to int
        What is said of all rows together.
    warnings : sequence of str
    own_pages : str
    """
    reports = [part.counts for part in about]
    first = reports[0]
    campaigns, others = (
        [name for name in columns if any(name in getattr(part, kind) for part in about)]
        for kind in ("campaigns", "others")
    )
    on_campaigns, on_others = (
        sum(getattr(part, kind) for part in about) for kind in ("campaign_rows", "other_rows")
    )
    said = {
        **_added(report.remarks for report in reports),
        **{remark: rows for remark, rows in remarks.items() if NOTHING_READ not in remark},
        **placeholder_remark(campaigns, on_campaigns, of_campaigns=True),
        **placeholder_remark(others, on_others, of_campaigns=False),
        **address_remark(any(p.has_pages for p in about), sum(p.tagged for p in about)),
        **by_order_remark(sum(part.by_order for part in about)),
    }
    numbers = ("rows_in", "events", "profiles", "aliases", "links_nobody")
    several = _added(report.several_logins for report in reports)
    return replace(
        first,
        **{name: sum(getattr(report, name) for report in reports) for name in numbers},
        duplicates=_sorted(_added(report.duplicates for report in reports)),
        rejected=_sorted(_added(report.rejected for report in reports)),
        coverage=_coverage([report.coverage for report in reports]),
        aliases_by_type=_sorted(_added(report.aliases_by_type for report in reports)),
        alias_types=_summed([report.alias_types for report in reports], ["alias_type"]),
        blocked=blocked_in_all([report.blocked for report in reports]),
        malformed=_sorted(_added(report.malformed for report in reports)),
        malformed_rows=_examples([report.malformed_rows for report in reports]),
        several_logins={name: several[name] for name in LOGIN_TYPES if name in several},
        refused=_sorted(_added(report.refused for report in reports)),
        remarks=said,
        warnings=list(warnings),
        own_pages=own_pages,
        left_out=_added(report.left_out for report in reports),
    )


def faults_of(parts: Sequence[Faults]) -> Faults:
    """Return what the events of all parts show."""
    pairs: Counter[tuple[str, str]] = Counter()
    for part in parts:
        pairs.update({(one, other): count for one, other, count in part.elsewhere})
    elsewhere = [[*files, count] for files, count in pairs.items()]
    return Faults(
        events=sum(part.events for part in parts),
        identify=sum(part.identify for part in parts),
        other_names=_first([part.other_names for part in parts], EXAMPLE_ROWS),
        other_amounts=_first([part.other_amounts for part in parts], EXAMPLE_ROWS),
        implausible=_first([part.implausible for part in parts], 1),
        scientific=_first([part.scientific for part in parts], 1),
        far=_first([part.far for part in parts], EXAMPLE_ROWS),
        repeats=sum(part.repeats for part in parts),
        elsewhere=sorted(elsewhere, key=lambda pair: -pair[2]),
    )


def _first(found: Sequence[tuple[int, list[Any]]], most: int) -> tuple[int, list[Any]]:
    """Return how many there are, and the first by their rows."""
    return sum(count for count, _ in found), sorted(one for _, some in found for one in some)[:most]


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            found[name] = found.get(name, 0) + count
    return found


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _summed(tables: Sequence[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Return the sums of tables of counts, by the alphabet."""
    dtypes = tables[0].dtypes
    whole = pd.concat(tables, ignore_index=True)
    return whole.groupby(names, sort=True).sum().reset_index().astype(dtypes)[list(dtypes.index)]


def blocked_in_all(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return which values are blocked, and on how many events of all parts."""
    names = ["alias_type", "alias_value"]
    return _summed(tables, names).sort_values(
        ["events", *names], ascending=[False, True, True], ignore_index=True
    )


def _coverage(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the shares of all events of a name, of those in each part."""
    counts = [
        table.assign(**{name: np.rint(table[name] * table["events"]) for name in _SHARES})
        for table in tables
    ]
    whole = _summed(counts, ["event_name"])
    shares = whole.assign(**{name: whole[name] / whole["events"] for name in _SHARES})
    return shares.sort_values(
        ["events", "event_name"], ascending=[False, True], ignore_index=True
    ).astype(tables[0].dtypes)


def _examples(found: Sequence[Mapping[str, list[int]]]) -> dict[str, list[int]]:
    reasons = sorted({reason for one in found for reason in one})
    return {
        reason: sorted(row for one in found for row in one.get(reason, []))[:EXAMPLE_ROWS]
        for reason in reasons
    }
