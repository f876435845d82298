"""Work is spread over idle cores: never more threads at work than there are, and none forgotten."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import numpy as np
import pytest

from convergekit.base import threads as cores
from convergekit.base.threads import WORTH_THREADS, at_once, on_idle_cores, one_ahead


@pytest.fixture(params=[1, 2, 5])
def count(request, monkeypatch):
    """Pretend that the machine has so many cores."""
    monkeypatch.setattr(cores, "CORES", request.param)
    monkeypatch.setattr(cores, "_cores", cores._Cores(request.param - 1))
    return request.param


class AtWork:
    """Notes how many threads were at work at once, at the most, and which ones."""

    def __init__(self) -> None:
        self.most = 0
        self.threads: set[int] = set()
        self._now = 0
        self._lock = threading.Lock()

    def double(self, number: int) -> int:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.threads.add(threading.get_ident())
        time.sleep(0.002)
        with self._lock:
            self._now -= 1
        return 2 * number


def all_cores_are_used(count: int) -> bool:
    """Return whether as many items as there are cores are worked on at once."""
    barrier = threading.Barrier(count)
    return len(on_idle_cores(lambda _: barrier.wait(timeout=20), range(count))) == count


def test_works_within_works_keep_to_the_cores(count):
    seen = AtWork()

    def parts() -> list[int]:
        return on_idle_cores(seen.double, range(12))

    def parts_of_parts() -> list[list[int]]:
        return on_idle_cores(lambda _: parts(), range(3))

    one, other = at_once(
        parts, lambda: at_once(parts_of_parts, parts, WORTH_THREADS), WORTH_THREADS
    )
    expected = [2 * number for number in range(12)]
    assert one == expected
    assert other == ([expected] * 3, expected)
    # A thread that goes on after it has waited may find its core taken, for an item's time.
    assert seen.most <= 2 * count - 1
    assert all_cores_are_used(count)


def test_parts_keep_to_the_cores(count):
    seen = AtWork()
    assert on_idle_cores(seen.double, range(40)) == [2 * number for number in range(40)]
    assert seen.most <= count


def test_a_core_that_becomes_idle_is_used(count):
    seen = AtWork()
    at_once(lambda: None, lambda: on_idle_cores(seen.double, range(200)), WORTH_THREADS)
    assert (len(seen.threads) > 1) == (count > 1)


def test_few_rows_are_worked_on_by_this_thread_alone(count):
    both = at_once(threading.get_ident, threading.get_ident, WORTH_THREADS - 1)
    assert both == (threading.get_ident(), threading.get_ident())


def test_the_first_error_is_raised_and_no_core_is_lost(count):
    def fail(number: int) -> int:
        if number % 2:
            raise ValueError(number)
        return number

    def fail_beside() -> None:
        raise KeyError("beside")

    for _ in range(20):
        with pytest.raises(ValueError, match="^1$"):
            on_idle_cores(fail, range(6))
        with pytest.raises(ValueError, match="^1$"):
            at_once(lambda: on_idle_cores(fail, range(6)), fail_beside, WORTH_THREADS)
        with pytest.raises(KeyError, match="beside"):
            at_once(lambda: on_idle_cores(fail, [0, 2]), fail_beside, WORTH_THREADS)
    assert all_cores_are_used(count)


def test_results_are_let_go_of_at_once(count):
    gc.disable()
    try:
        made = on_idle_cores(lambda number: np.zeros(number), [2, 3, 4, 5])
        watched = [weakref.ref(each) for each in made]
        del made
        assert all(watch() is None for watch in watched)
    finally:
        gc.enable()


def test_an_interrupt_ends_the_work(count):
    begun = []

    def interrupted(number: int) -> None:
        begun.append(number)
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        on_idle_cores(interrupted, range(1000))
    assert len(begun) < 1000
    assert all_cores_are_used(count)


def test_the_next_item_is_made_meanwhile(count):
    makers: list[int] = []
    made = threading.Event()

    def items():
        for number in range(4):
            makers.append(threading.get_ident())
            if number == 1:
                made.set()
            yield number

    found = one_ahead(items(), worth=lambda number: number == 0)
    assert next(found) == 0
    # Before it is asked for, where there is a core for it.
    assert made.wait(timeout=20 if count > 1 else 0) == (count > 1)
    assert list(found) == [1, 2, 3]
    assert len(set(makers)) == min(count, 2)
    # After the others nothing was worth a thread.
    assert {makers[0], *makers[2:]} == {threading.get_ident()}
    assert all_cores_are_used(count)


def test_an_error_of_the_next_item_is_raised_when_it_is_due(count):
    def items():
        yield 1
        yield 2
        raise ValueError("three")

    found = one_ahead(items(), worth=lambda _: True)
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)
    assert all_cores_are_used(count)


def test_who_stops_asking_loses_no_core(count):
    found = one_ahead(iter(range(9)), worth=lambda _: True)
    assert next(found) == 0
    found.close()
    assert all_cores_are_used(count)
