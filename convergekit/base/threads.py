"""Threads: no more at work than there are cores, whatever works within what.

Arrow, NumPy and the kernels let go of the interpreter's lock while they move data, so threads use
every core. Where one of two works that run at once has parts itself, a thread for each part would
take time from the other work, which may be the longer one. So each thread counts as a core in use,
and parts are shared out to cores that are idle now or become so.

Many columns are gone through side by side.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

import pandas as pd
import pyarrow as pa

from convergekit.typing import BoolArray

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


def one_ahead(items: Iterator[T], worth: Callable[[T], bool]) -> Iterator[T]:
    """Yield the items in their order; another thread makes the next one meanwhile.

    It does where a core is idle, and after an item of which so much is to be made that it pays.
    The iterator is never asked by two threads at once.

    Examples
    --------
    >>> list(one_ahead(iter([1, 2]), worth=lambda item: True))
    [1, 2]
    """
    found = _next_of(items)
    with ThreadPoolExecutor(max_workers=1) as thread:
        while found:
            promised = None
            if worth(found[0]) and _cores.take_idle():
                promised = thread.submit(_next_of, items, leave=True)
            # Taken from the list, so that it is not held beside what is made of it.
            yield found.pop()
            if promised is None:
                found = _next_of(items)
            else:
                with _cores.left():
                    found = promised.result()


def _next_of(items: Iterator[T], *, leave: bool = False) -> list[T]:
    """Return the next item in a list, which is empty at the end."""
    try:
        return list(itertools.islice(items, 1))
    finally:
        if leave:
            _cores.leave()


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
                # An interrupt: no thread begins another item.
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
                # After an interrupt no more helpers are started.
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

    def share(self, processes: int) -> None:
        """Leave to each of several processes its share of the cores."""
        with self._lock:
            self._idle = max(CORES // processes, 1) - 1

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


def share_cores(processes: int) -> None:
    """Use no more than this process's share of the cores, of so many processes."""
    _cores.share(processes)
    pa.set_cpu_count(max(CORES // processes, 1))


def each_column(work: Callable[[T], R], items: Iterable[T], rows: int) -> list[R]:
    """Return the work's result for every item, in their order.

    Examples
    --------
    >>> each_column(len, ["a", "bb"], rows=2)
    [1, 2]
    """
    if rows < WORTH_THREADS:
        return [work(item) for item in items]
    return on_idle_cores(work, items)


def with_columns(frame: pd.DataFrame, changed: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return the frame with these columns in place of those of the same name, others at its end.

    `DataFrame.assign` looks at all columns for each that it sets, which thousands feel.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1], "b": [2]})
    >>> with_columns(frame, {"a": pd.Series([3]), "c": pd.Series([4])})
       a  b  c
    0  3  2  4
    """
    if not changed:
        return frame
    return pd.DataFrame({**dict(frame.items()), **changed}, index=frame.index, copy=False)


def chosen_rows(frame: pd.DataFrame, keep: BoolArray) -> pd.DataFrame:
    """Return the rows that are kept, with a fresh index.

    Examples
    --------
    >>> import numpy as np
    >>> chosen_rows(pd.DataFrame({"a": [1, 2]}), np.array([False, True]))
       a
    0  2
    """
    if keep.all():
        return frame.reset_index(drop=True)
    index = pd.RangeIndex(int(keep.sum()))
    mask = pa.array(keep)

    def part(name: str) -> pd.Series:
        if frame[name].dtype == "str":
            # Where nearly all rows are kept, filtering is cheaper than taking one by one.
            kept = pa.array(frame[name], from_pandas=True).filter(mask)
            return pd.Series(kept, index=index, dtype="str")
        # Named, for pandas would make text of objects that are texts, or fail at half an emoji.
        dtype = frame[name].dtype
        return pd.Series(frame[name].array[keep], index=index, dtype=dtype, copy=False)

    parts = each_column(part, frame.columns, rows=len(frame))
    return pd.DataFrame(dict(zip(frame.columns, parts, strict=True)), index=index, copy=False)
