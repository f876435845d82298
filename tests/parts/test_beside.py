"""Parts side by side: other processes answer as this one does, and what ends them is told."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from functools import partial

import pandas as pd
import pytest

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts import beside, memory, stitching
from convergekit.parts.stitching import stitched_by_parts
from tests.parts.parts_cases import check_tables

STEPS = ["PageView", "Added To Cart", "Placed Order"]


@pytest.fixture
def processes(monkeypatch):
    """Let two processes work at however few rows; return what was sent to them."""
    sent = []
    each = beside.each_beside

    def told(numbers, task, processes):
        sent.append(task.func.__name__ if isinstance(task, partial) else task.__name__)
        return each(numbers, task, processes)

    monkeypatch.setattr(stitching, "at_once_of", lambda parts, *_: min(2, parts))
    monkeypatch.setattr(beside, "each_beside", told)
    return sent


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store(people=60, seed=4).events


def run(events, tmp_path, **options):
    return stitched_by_parts(events, StitchOptions.of(**options), None, tmp_path / "run", parts=5)


@pytest.mark.parametrize("options", [{}, {"identity": "as_of", "duplicates": "merge"}])
def test_answers_are_those_of_memory(events, tmp_path, processes, options):
    p, s = run(events, tmp_path, **options), ck.stitch(events, **options)
    check_tables(p, s)
    found, expected = (one.funnel(STEPS, within="7D", by="channel") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)
    found, expected = (one.attribution("Placed Order") for one in (p, s))
    pd.testing.assert_frame_equal(found.table, expected.table)
    found, expected = (
        one.where(profiles=ck.Did("Added To Cart")).retention("PageView") for one in (p, s)
    )
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert str(p.report) == str(s.report)
    assert str(ck.check_up(p.events)) == str(ck.check_up(s.events))
    assert {"stitch", "ask"} <= set(processes)


def kill(number, s):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_that_was_ended_is_told_of(events, tmp_path, processes):
    p = run(events, tmp_path)
    with pytest.raises(ck.ConvergekitError, match=r"ended by the system.*smaller memory="):
        list(p._run.of_each(kill))
    # Others take its place.
    assert len(p.sessions()) == len(ck.stitch(events).sessions())


def refuse(number, s):
    raise ck.ReadError(f"part {number} is lost")


def test_an_error_of_ours_is_raised_here(events, tmp_path, processes):
    with pytest.raises(ck.ReadError, match="part 0 is lost"):
        list(run(events, tmp_path)._run.of_each(refuse))


def warn(number, s):
    warnings.warn(f"part {number} is small", stacklevel=2)
    return number


def test_warnings_are_given_here(events, tmp_path, processes):
    with pytest.warns(UserWarning, match="is small") as said:
        assert list(run(events, tmp_path)._run.of_each(warn)) == [0, 1, 2, 3, 4]
    assert [str(one.message) for one in said] == [f"part {n} is small" for n in range(5)]


def locked(number, s, *, lock):
    with lock:
        return number


def test_what_cannot_be_sent_is_asked_here(events, tmp_path, processes):
    p = run(events, tmp_path)
    before = len(processes)
    ask = partial(locked, lock=threading.Lock())
    assert list(p._run.of_each(ask)) == [0, 1, 2, 3, 4]
    assert len(processes) == before


def test_few_rows_start_no_process(events, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(beside, "each_beside", never)
    check_tables(run(events, tmp_path), ck.stitch(events))


def begin_and_end(number, *, folder):
    (folder / "begun").touch()
    time.sleep(4)
    (folder / "ended").touch()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGALRM")
def test_an_interrupt_ends_the_last_process_too(tmp_path):
    def interrupt(*_):
        if (tmp_path / "begun").exists():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(beside.each_beside([0], partial(begin_and_end, folder=tmp_path), 2))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    time.sleep(5)
    assert not (tmp_path / "ended").exists()


def test_how_large_a_cluster_may_be_does_not_depend_on_cores(monkeypatch, tmp_path, events):
    said, parts = [], []
    monkeypatch.setattr(memory, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(memory, "LEAST_OF_A_PROCESS", 1)
    monkeypatch.setattr(stitching, "LEAST_CLUSTER", 1)
    monkeypatch.setattr(stitching, "refuse_large", lambda *given: said.append(given[-1]))
    monkeypatch.setattr(stitching, "at_once_of", lambda *_: 1)
    for cores in (1, 4):
        monkeypatch.setattr(memory, "CORES", cores)
        place = tmp_path / str(cores)
        p = stitched_by_parts(events, StitchOptions.of(), None, place, memory="200KB")
        parts.append(p.parts)
    assert parts[0] > 1
    assert parts[1] == pytest.approx(4 * parts[0], abs=4)
    assert said[0] == said[1] < len(events)
