"""Progress of a run: parts done and left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from convergekit.base.watched import watched


class ProgressBar:
    """A progress bar of a run; silent where nobody sees it, or it is not wanted."""

    def __init__(self, shown: bool | None) -> None:
        # Imported when something is stitched, for tqdm.auto takes long to import.
        from tqdm.auto import tqdm

        in_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
        seen = in_notebook or sys.stderr.isatty()
        self._bar: Any = tqdm(disable=not (seen if shown is None else shown), unit="part")
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
    """Show how many parts are done meanwhile, where somebody sees it."""
    bar = ProgressBar(None)
    try:
        with watched(lambda done, total: bar.tell(step, done, total)):
            yield
    finally:
        bar.close()
