"""What is done with a part, or a block, in another process than the one that began the run."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pandas as pd

from convergekit.base.garbage import garbage_let_be
from convergekit.identity.options import StitchOptions
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.each import Kept
from convergekit.parts.progress import ProgressBar
from convergekit.parts.rows import Witnesses
from convergekit.parts.shared import SharedWorkdir
from convergekit.parts.source import RowSource
from convergekit.parts.stitching import Run
from convergekit.parts.workdir import Progress
from convergekit.typing import IntArray


@dataclass(frozen=True)
class Steps:
    """What another process has to know of a run. It is data alone.

    Attributes
    ----------
    path : pathlib.Path
        The workdir.
    options : StitchOptions
    memory : int
    done : Progress
    witnesses : Witnesses
    only_checked : bool
    """

    path: Path
    options: StitchOptions
    memory: int
    done: Progress
    witnesses: Witnesses
    only_checked: bool

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return what there is to know of a run now."""
        return cls(
            run.workdir.path,
            run.options,
            run.memory,
            replace(run.workdir.done),
            run.witnesses,
            only_checked=run.only_checked,
        )

    def run(self) -> Run:
        """Return the run, as far as it is known elsewhere: its source is read."""
        workdir = SharedWorkdir(self.path, {}, self.done)
        bar = ProgressBar(False)
        run = Run(
            RowSource({}, []),
            self.options,
            None,
            workdir,
            self.memory,
            None,
            None,
            bar,
            only_checked=self.only_checked,
        )
        run.witnesses = self.witnesses
        return run

    def split(self, place: int) -> list[tuple[int, int]]:
        """Write the rows of a block by part; return how many are of which."""
        return self.run().split(place)

    def stitch(self, number: int) -> None:
        """Stitch a part, and write its tables."""
        with garbage_let_be():
            self.run().write_part(number)
        gc.collect()

    def ask(self, number: int, *, of_part: Callable[[int, StitchedEvents], Kept]) -> Kept:
        """Return what a function makes of a part."""
        with garbage_let_be():
            kept = of_part(number, self.run().part(number))
        gc.collect()
        return kept

    def ask_rows(self, number: int, *, of_rows: Callable[[pd.DataFrame, IntArray], Kept]) -> Kept:
        """Return what a function makes of the rows of a part."""
        with garbage_let_be():
            kept = of_rows(*self.run().rows_of(number))
        gc.collect()
        return kept
