"""The check-up by parts: rows are divided as for stitching, and each part is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.checks.check_up import Answer, CheckUp, checked_parts
from convergekit.checks.money import AskedMoney
from convergekit.checks.plugged import plugged_checks
from convergekit.checks.tracking import AskedCheckUp, Tracking
from convergekit.events.calendar import Calendar
from convergekit.events.steps import StepLike
from convergekit.identity.aliases import USUAL_BROWSER
from convergekit.identity.options import StitchOptions
from convergekit.parts.part import tracked_part
from convergekit.parts.stitching import Run, finished_run
from convergekit.parts.tables import PartsTable
from convergekit.typing import IntArray


@dataclass(eq=False)
class CheckedParts:
    """Asks the rows of each part, read for the checks. See `EachTracking`.

    Attributes
    ----------
    run : Run
        Its rows are divided.
    asked : AskedCheckUp
    """

    run: Run
    asked: AskedCheckUp

    def __call__(self, of_part: Callable[[Tracking], Answer], /) -> Iterator[Answer]:
        """Yield what a function returns of each part."""
        if self.run.keeps_the_only_part:
            return iter([of_part(self._only)])
        ask = partial(_of_rows, options=self.run.options, asked=self.asked, of_part=of_part)
        return self.run.of_each_rows(ask)

    @cached_property
    def _only(self) -> Tracking:
        """The only part, which fits into the memory."""
        return tracked_part(*self.run.rows_of(0), self.run.options, self.asked)


def _of_rows(
    rows: pd.DataFrame,
    row: IntArray,
    *,
    options: StitchOptions,
    asked: AskedCheckUp,
    of_part: Callable[[Tracking], Answer],
) -> Answer:
    return of_part(tracked_part(rows, row, options, asked))


def checked_by_parts(
    events: Any,
    options: StitchOptions,
    columns: Any,
    workdir: str | Path | None,
    *,
    conversion: StepLike | Iterable[StepLike] | None = None,
    money: AskedMoney | None = None,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
    parts: int | None = None,
) -> CheckUp:
    """Audit the tracking of events part by part. See `check_up`.

    Parameters
    ----------
    events, options, columns, workdir, memory, max_cluster, progress, parts
        As `stitched_by_parts` takes them.
    conversion
        As `check_up` takes it.
    money : AskedMoney, optional

    Raises
    ------
    As `check_up` does.
    """
    asked = AskedCheckUp.of(conversion, money or AskedMoney(), options, plugged_checks())
    # What is asked of the rows when they are divided may be asked otherwise of the same workdir.
    reading = replace(options, browser_alias=USUAL_BROWSER, calendar=Calendar())
    run = finished_run(
        events,
        reading,
        columns,
        workdir,
        memory=memory,
        max_cluster=max_cluster,
        progress=progress,
        parts=parts,
        only_checked=True,
    )
    return checked_parts(CheckedParts(run, asked), asked)


def checked_again(events: PartsTable, memory: int, conversion: str | None = None) -> CheckUp:
    """Audit the events of a stitching by parts.

    They are divided anew: what is blocked in stitching is not in the check-up.

    Parameters
    ----------
    events : PartsTable
    memory : int
        Bytes that a part may take.
    conversion : str, optional
        As `check_up` takes it.
    """
    size = f"{max(memory // 1000, 1)}KB"
    return checked_by_parts(
        events, StitchOptions.of(), None, None, memory=size, conversion=conversion
    )
