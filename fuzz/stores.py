"""Stores of which files were damaged, whatever these are: a store is what lies at its path."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import convergekit as ck
from fuzz.damage import Damage, contents_of
from fuzz.oracle import BrokenPromiseError, check_message

_NAME = "store"


def check_store(damage: Damage) -> None:
    """Damage a store, ask it everything, and hold the answers to what is promised.

    Raises
    ------
    BrokenPromiseError
        It answers, but something else than before; or an error says nothing.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, _NAME)
        _copy(_whole(), path)
        damage.apply(path)
        with warnings.catch_warnings():
            # Ours: that something was made anew.
            warnings.simplefilter("ignore", UserWarning)
            for question in _questions(path) if path.exists() else ():
                try:
                    question()
                except ck.ConvergekitError as error:
                    check_message(error)


def _questions(path: Path) -> Iterator[Callable[[], Any]]:
    """Yield what is asked of a store, one after the other, adding to it at last."""
    changed = contents_of(path) != contents_of(_whole())
    found: list[ck.Store] = []
    yield lambda: found.append(ck.open_store(path))
    yield partial(_in_a_shell, path)
    for store in found:
        yield store.status
        for table in ("profiles", "aliases", "merges", "batches"):
            yield partial(getattr, store, table)
        yield partial(store.profile, "urn:cookie:none")
        yield partial(_check_answer, store)
        yield partial(store.add, _events()[-20:])
        if not changed:
            yield store.stitched
        yield partial(_in_a_shell, path)


def _check_answer(store: ck.Store) -> None:
    """Raise if a store that answers has lost something, or says something else."""
    s = store.stitched()
    if s.events["profile_id"].tolist() != _answer():
        raise BrokenPromiseError("a damaged store answers something else than before")


def _in_a_shell(path: Path) -> None:
    from convergekit.cli.app import status_command

    try:
        status_command(path)
    except OSError:
        # The shell makes one line of these.
        return


def _copy(of: Path, to: Path) -> None:
    if of.is_dir():
        shutil.copytree(of, to)
    else:
        shutil.copy(of, to)


@functools.cache
def _events() -> Any:
    return ck.simulate_store(people=12, seed=3).events


@functools.cache
def _whole() -> Path:
    """Return a store of two batches that nobody changes."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    store = ck.open_store(directory / _NAME)
    events = _events()
    half = len(events) // 2
    store.add(events[:half].reset_index(drop=True))
    store.add(events[half:-20].reset_index(drop=True))
    return directory / _NAME


@functools.cache
def _answer() -> list[Any]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, _NAME)
        _copy(_whole(), path)
        return ck.open_store(path).stitched().events["profile_id"].tolist()
