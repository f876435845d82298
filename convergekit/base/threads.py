"""Threads: no more at work than there are cores, whatever works within what.

Arrow, NumPy and the kernels let go of the interpreter's lock while they move data, so threads use
every core. Where one of two works that run at once has parts itself, a thread for each part would
take time from the other work, which may be the longer one. So each thread counts as a core in use,
and parts are shared out to cores that are idle now or become so.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

CORES = os.cpu_count() or 1
#: Below so many rows, starting threads takes longer than they save.
WORTH_THREADS = 50_000


def on_idle_cores(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the work's result for every item, in their order.

    This thread works, and another one on each core that is idle. If items raise, the first of
    them does.

    Examples
    --------
    >>> on_idle_cores(len, ["a", "bb"])
    [1, 2]
    """
    items = list(items)
    if len(items) < 2:
        return [work(item) for item in items]
    return _Shared(work, items).results()


def at_once(one: Callable[[], T], other: Callable[[], R], rows: int) -> tuple[T, R]:
    """Return the results of two works, on so many rows, that do not need each other.

    The first one is done by this thread. If both raise, it is the first one's error.

    Examples
    --------
    >>> at_once(lambda: "a", lambda: 1, rows=2)
    ('a', 1)
    """
    if rows < WORTH_THREADS or not _cores.take_idle():
        return one(), other()

    def beside() -> R:
        try:
            return other()
        finally:
            _cores.leave()

    with ThreadPoolExecutor(max_workers=1) as thread:
        promised = thread.submit(beside)
        first = one()
        with _cores.left():
            return first, promised.result()


class _Shared(Generic[T, R]):
    """Items that this thread and helpers work off.

    No function that holds itself: results would stay in memory until Python looks for cycles.
    """

    def __init__(self, work: Callable[[T], R], items: list[T]) -> None:
        self._work = work
        self._items = items
        self._waiting = deque(range(len(items)))
        self._results: dict[int, R] = {}
        self._errors: dict[int, Exception] = {}
        self._helpers: list[Future[None]] = []

    def results(self) -> list[R]:
        """Work, and return the results when all are there."""
        with ThreadPoolExecutor(max_workers=CORES) as threads:
            try:
                self._work_off(threads)
            except BaseException:
                # An interrupt: nobody begins another item.
                self._waiting.clear()
                raise
            with _cores.left():
                for helper in self._helpers:
                    helper.result()
        if self._errors:
            raise self._errors[min(self._errors)]
        return [self._results[place] for place in range(len(self._items))]

    def _work_off(self, threads: ThreadPoolExecutor) -> None:
        while self._waiting:
            try:
                place = self._waiting.popleft()
            except IndexError:
                # Another thread was faster.
                return
            if self._waiting:
                self._hire(threads)
            try:
                self._results[place] = self._work(self._items[place])
            except Exception as error:
                self._errors[place] = error

    def _hire(self, threads: ThreadPoolExecutor) -> None:
        if _cores.take_idle():
            try:
                self._helpers.append(threads.submit(self._help, threads))
            except RuntimeError:
                # After an interrupt nobody is taken on any more.
                _cores.leave()

    def _help(self, threads: ThreadPoolExecutor) -> None:
        try:
            self._work_off(threads)
        finally:
            _cores.leave()


class _Cores:
    """Counts the cores on which no thread of ours works; the caller's is not among them."""

    def __init__(self, idle: int) -> None:
        self._idle = idle
        self._lock = threading.Lock()

    def take_idle(self) -> bool:
        """Count an idle core as in use, and return whether there was one."""
        with self._lock:
            if self._idle < 1:
                return False
            self._idle -= 1
            return True

    def leave(self) -> None:
        """Count this thread's core as idle, because it ends."""
        with self._lock:
            self._idle += 1

    @contextmanager
    def left(self) -> Iterator[None]:
        """Count this thread's core as idle while it waits, and as in use afterwards.

        Another may have taken it meanwhile: then there is one thread too many for a while.
        """
        self.leave()
        try:
            yield
        finally:
            with self._lock:
                self._idle -= 1


_cores = _Cores(CORES - 1)
