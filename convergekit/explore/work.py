"""Run an explorer's work after a change, with a status line.

A change starts the work after a moment, so that several changes at once start it once. A status
line says that it is going on, and afterwards what went wrong, if something did. Work that has a
key is done only when what it depends on has changed, and only when somebody looks at it.

Importing this module imports ipywidgets, which `import convergekit` alone does not.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import ipywidgets as widgets

from convergekit.errors import ConvergekitError
from convergekit.explore import display as show
from convergekit.explore.asked import watched

#: Seconds without a change before the work starts.
PAUSE = 0.02
_STOPPED = "Stopped, because the kernel was interrupted. Change what is chosen to ask again."


class Answer(Protocol):
    """One of several answers of a tab."""

    boxes: list[widgets.Widget]

    def show(self) -> str:
        """Ask, show what comes of it, and return what is to be known of it."""

    def clear(self) -> None:
        """Take away what was shown."""


class TabPart(Protocol):
    """A tab of the explorer."""

    box: widgets.Box

    def refresh(self) -> None:
        """Answer, if what the answer depends on has changed."""


class Work:
    """Something to do, again and again, with a status line.

    Parameters
    ----------
    doing : str
        What the status line says meanwhile, such as ``"Counting the funnel…"``.
    work : callable
        Does it, and shows what came of it. A text that it returns is left in the status line.
    clear : callable
        Takes away what was shown last, so that an old answer never stands beside a new error.
    key : callable, optional
        Returns what the answer depends on, for `refresh`.
    pause : float, optional
        Seconds without a change before it starts; `PAUSE` if nothing is said.

    Attributes
    ----------
    status : ipywidgets.HTML
    """

    def __init__(
        self,
        doing: str,
        work: Callable[[], str | None],
        clear: Callable[[], None],
        key: Callable[[], str] | None = None,
        pause: float | None = None,
    ) -> None:
        self.status: widgets.HTML = widgets.HTML()
        self._key, self._done, self._pause = key, "", pause
        if key is not None:
            # It comes and goes above what is shown, which must not move.
            self.status.add_class("ck-status")
        self._doing, self._work, self._clear = doing, work, clear
        self._waiting: asyncio.TimerHandle | None = None

    def refresh(self, *_: Any) -> None:
        """Do it if what it depends on has changed; at once if it was never done."""
        if self._key is None or self._key() == self._done:
            return
        (self.soon if self._done else self.now)()

    def soon(self, *_: Any) -> None:
        """Do it once nothing has changed for a while; at once where no loop runs."""
        self._cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now()
            return
        self.status.value = show.busy(self._doing)
        self._waiting = loop.call_later(PAUSE if self._pause is None else self._pause, self.now)

    def now(self, *_: Any) -> None:
        """Do it, and say what went wrong."""
        self._cancel()
        if self._key is not None:
            self._done = self._key()
        self.status.value = show.busy(self._doing)
        with warnings.catch_warnings(record=True) as caught, watched(self._tell):
            warnings.simplefilter("always", UserWarning)
            try:
                with _interruptible():
                    said = show.hint(self._work() or "")
            except KeyboardInterrupt:
                # Nobody waits any more; the next change, or the tab, asks again.
                self._clear()
                self._done = ""
                said = show.error(_STOPPED)
            except ConvergekitError as wrong:
                self._clear()
                said = show.error(str(wrong))
            except Exception as wrong:
                # A widget's callback does not have a caller who sees this.
                self._clear()
                said = show.error(f"{type(wrong).__name__}: {wrong}", traceback.format_exc())
        texts = dict.fromkeys(str(warning.message) for warning in caught)
        self.status.value = said + show.warned(texts)

    def _tell(self, done: int, total: int) -> None:
        """Say how far it is, where it goes through parts; it may do so more than once."""
        self.status.value = show.busy(f"{self._doing} {done:,} of {total:,} parts")

    def _cancel(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Heed an interrupt of the kernel, which ignores it but while a cell runs."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
