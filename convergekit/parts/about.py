"""What is kept of each part when it is stitched, to be added up when all are."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from convergekit.diagnostics.lost_rows import unreached
from convergekit.diagnostics.page_addresses import pages_and_tags
from convergekit.diagnostics.placeholders import found_placeholders, rows_with_any
from convergekit.diagnostics.report import Faults, Report, dropped_by_order, report_counts
from convergekit.diagnostics.shared_values import joining_values
from convergekit.errors import ReadError
from convergekit.events.observed import Observed
from convergekit.events.steps import names_in
from convergekit.identity.tables import StitchedEvents

#: Without bounds, so that no event is far from the rest.
_ALL_TIME = Observed(pd.NaT, pd.NaT)


@dataclass(frozen=True)
class AboutPart:
    """What a part adds to the whole.

    Attributes
    ----------
    report : dict
        Its report, without what is said of the events as a whole.
    event_names : list of str
    alias_types : list of str
        Of the aliases of kept events.
    campaigns, others : list of str
        Columns in which placeholder texts stand.
    campaign_rows, other_rows : int
        On how many events.
    has_pages : bool
        Whether an event has a page's address.
    tagged : int
        How many events send a campaign.
    by_order : int
        How many copies with other content were dropped by the order of rows alone.
    faults : dict
        What looks like a tracking bug, but for events that are far from the rest.
    unreached : dict of str to dict
        Per event name, the events that reach no profile because their aliases are malformed.
    joining : list of dict
        The alias values that may be shared.
    """

    report: dict[str, Any]
    event_names: list[str]
    alias_types: list[str]
    campaigns: list[str]
    others: list[str]
    campaign_rows: int
    other_rows: int
    has_pages: bool
    tagged: int
    by_order: int
    faults: dict[str, Any]
    unreached: dict[str, dict[str, Any]]
    joining: list[dict[str, Any]]

    @classmethod
    def of(cls, s: StitchedEvents) -> AboutPart:
        """Return what is kept of a part."""
        # Dropped copies are described once for all that ask for them.
        copies = s.duplicates
        s = replace(s, describe_duplicates=lambda: copies)
        campaigns, others = found_placeholders(s.events)
        has_pages, tagged = pages_and_tags(s.events)
        return cls(
            report=report_counts(s).to_dict(),
            event_names=sorted(map(str, names_in(s.events))),
            alias_types=list(s.resolution.aliases.types.categories),
            campaigns=list(campaigns),
            others=list(others),
            campaign_rows=rows_with_any(campaigns),
            other_rows=rows_with_any(others),
            has_pages=has_pages,
            tagged=tagged,
            by_order=dropped_by_order(s),
            faults=vars(Faults.of(replace(s, observed_in_all=_ALL_TIME))),
            unreached={name: vars(found) for name, found in unreached(s).items()},
            joining=list(joining_values(s).to_dict("records")),
        )

    def written(self) -> bytes:
        """Return it as the content of a file."""
        return json.dumps(dataclasses.asdict(self), default=_plain).encode()

    @classmethod
    def read(cls, content: bytes) -> AboutPart:
        """Return what `written` wrote.

        Raises
        ------
        ReadError
            It is not what was written.
        """
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise ReadError(
                f"a file of the run is not as it was written ({error}). Remove the workdir, or "
                "give another one, and stitch again."
            ) from None

    @property
    def counts(self) -> Report:
        """The report of the part."""
        return Report.from_dict(self.report)


def _plain(value: Any) -> Any:
    return value.item()
