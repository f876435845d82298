"""Views: a run of which each part is seen in another way, such as a segment of it.

What a view needs to know of the whole is found as of a run: its parts are gone through once, and
what is kept of them, and their tables, are files below the workdir, for as long as the view is
used. Rows stay where they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from typing import Self

import pandas as pd

from convergekit.identity.tables import StitchedEvents
from convergekit.parts.about import AboutPart
from convergekit.parts.each import Kept
from convergekit.parts.facts import FactsOfTheWhole
from convergekit.parts.rows import Witnesses, written
from convergekit.parts.stitching import TABLES, Run
from convergekit.parts.workdir import view_of
from convergekit.privacy.mentions import Eraser
from convergekit.visits.traffic import kinds_sent, page_hosts

#: Makes of a part, and its number, what a view has of it; data alone, as what parts are asked is.
Made = Callable[[int, StitchedEvents], StitchedEvents]


@dataclass(eq=False)
class View(Run):
    """A run that is seen in another way.

    Attributes
    ----------
    base : Run
        What is seen.
    made : callable
        What is made of each part, which knows of the whole.
    segment_end : pandas.Timestamp or None
        Until when a segment is observed; None where all events are there.
    eraser : Eraser or None
        What took a person out of it, if one was.
    """

    base: Run
    made: Made
    segment_end: pd.Timestamp | None
    eraser: Eraser | None

    @classmethod
    def of(
        cls,
        base: Run,
        made: Made,
        segment_end: pd.Timestamp | None = None,
        eraser: Eraser | None = None,
    ) -> Self:
        """Return a view, its parts gone through once."""
        directory = view_of(base.workdir)
        own = {one.name: getattr(base, one.name) for one in fields(Run)} | {"workdir": directory}
        found = cls(**own, base=base, made=made, segment_end=segment_end, eraser=eraser)
        for number, content in enumerate(
            base.of_each(partial(_of_made, made=made, of_part=_files_of))
        ):
            for names, one in content.items():
                directory.write_rows(one, *(name.format(number) for name in names))
            directory.done.stitched = number + 1
        return found

    @cached_property
    def witnesses(self) -> Witnesses:
        """What tells the types of columns."""
        return self.base.witnesses

    @property
    def is_segment(self) -> bool:
        """Whether it is a part of the events."""
        return self.segment_end is not None

    @cached_property
    def facts(self) -> FactsOfTheWhole:
        """What every part has to know of the whole, which is the view."""
        options = self.options
        if self.segment_end is not None:
            options = replace(options, observed_until=self.segment_end)
        found = self.facts_by(options)
        if self.eraser is not None:
            return found
        # A segment knows the names of the events that it leaves out.
        return replace(found, event_names=self.base.facts.event_names)

    @property
    def data_end(self) -> pd.Timestamp:
        """Until when profiles are observed."""
        return super().data_end if self.segment_end is None else self.segment_end

    @cached_property
    def remarks(self) -> dict[str, int]:
        """What is said of all rows together: nothing of a segment, which is not all of them."""
        if self.is_segment:
            return {}
        text = str if self.eraser is None else self.eraser.text
        return {text(remark): count for remark, count in self.base.remarks.items()}

    @property
    def keeps_the_only_part(self) -> bool:
        """Whether the part stays in memory."""
        return self.base.keeps_the_only_part

    def part(self, number: int) -> StitchedEvents:
        """Return all that a view has of a part, without what it has to know of the whole."""
        return self.base.of_one(number, partial(_quietly, made=self.made))

    def _of_each(self, of_part: Callable[[int, StitchedEvents], Kept], /) -> Iterator[Kept]:
        quietly = partial(_quietly, made=self.made)
        return self.base.of_each(partial(_of_made, made=quietly, of_part=of_part))


def _quietly(number: int, s: StitchedEvents, *, made: Made) -> StitchedEvents:
    """Make of a part what was made of it before, and warned of then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made(number, s)


def _of_made(
    number: int,
    s: StitchedEvents,
    *,
    made: Made,
    of_part: Callable[[int, StitchedEvents], Kept],
) -> Kept:
    return of_part(number, made(number, s))


def _files_of(number: int, s: StitchedEvents) -> dict[tuple[str, ...], bytes]:
    """Return the files of a part, by their names, in which the number is to be filled in."""
    return {
        **{("tables", name, "{:05}.parquet"): written(getattr(s, name)) for name in TABLES},
        ("facts", "part-{:05}.json"): AboutPart.of(s).written(),
        ("facts", "hosts-{:05}.parquet"): written(page_hosts(*kinds_sent(s.events))),
    }
