"""Ctrl-C while a store is open: delay it until nothing is lost.

DuckDB turns a KeyboardInterrupt within a query into another error and may keep the file for good.
So the signal is noted, a running query is stopped, and KeyboardInterrupt is raised once the store
is closed. Signals reach the main thread alone; in others nothing is done.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Interrupts:
    """What the user asked to stop, and what is to be stopped.

    Attributes
    ----------
    asked : bool
        Whether Ctrl-C was pressed.
    outcome : str
        What KeyboardInterrupt is to say.
    """

    def __init__(self) -> None:
        self.asked: bool = False
        self.outcome = "Nothing was changed."
        self.stop: Callable[[], None] | None = None
        self._usual: Any = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was asked for: where nothing is changed as yet."""
        if self.asked:
            raise KeyboardInterrupt(self.outcome)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let Ctrl-C interrupt what is done inside, which must not be at work on the store."""
        self.check()
        if self._usual is None:
            yield
            return
        ours = signal.signal(signal.SIGINT, self._usual)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, ours)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self.stop is not None:
            self.stop()


@contextlib.contextmanager
def held_back() -> Iterator[Interrupts]:
    """Hold Ctrl-C back until what is done inside has ended."""
    interrupts = Interrupts()
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield interrupts
        return
    interrupts._usual = usual
    signal.signal(signal.SIGINT, interrupts._note)
    try:
        yield interrupts
    except Exception:
        # What stopping a query raised is not what happened to the user.
        signal.signal(signal.SIGINT, usual)
        if interrupts.asked:
            _pass_on(interrupts, usual)
        raise
    except BaseException:
        signal.signal(signal.SIGINT, usual)
        raise
    signal.signal(signal.SIGINT, usual)
    if interrupts.asked:
        _pass_on(interrupts, usual)


def _pass_on(interrupts: Interrupts, usual: Callable[..., Any]) -> None:
    """Let happen what Ctrl-C would have done, if it had been pressed now."""
    if usual is signal.default_int_handler:
        raise KeyboardInterrupt(interrupts.outcome) from None
    usual(signal.SIGINT, None)
