"""Progress of a run: parts done and left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convergekit.explore.asked import watched


class ProgressBar:
    """A progress bar of a run; silent where nobody sees it, or it is not wanted."""

    def __init__(self, shown: bool | None, *, stays: bool = True) -> None:
        # Imported when something is stitched, for tqdm.auto takes long to import.
        from tqdm.auto import tqdm

        in_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
        seen = in_notebook or sys.stderr.isatty()
        is_shown = seen if shown is None else shown
        self._bar: Any = tqdm(disable=not is_shown, unit="part", leave=stays)
        self._step = ""

    def tell(self, step: str, done: int, total: int) -> None:
        """Show how much of a step is done."""
        if step != self._step:
            self._step = step
            self._bar.reset(total=total)
            self._bar.set_description(step)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


@contextmanager
def progress(step: str) -> Iterator[None]:
    """Show how many parts are done meanwhile, where somebody sees it; nothing stays of it."""
    bars: list[ProgressBar] = []

    def tell(done: int, total: int) -> None:
        if not bars:
            bars.append(ProgressBar(None, stays=False))
        bars[0].tell(step, done, total)

    try:
        with watched(tell):
            yield
    finally:
        for bar in bars:
            bar.close()
