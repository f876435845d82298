"""Checks in a process of their own: what crashes or hangs there ends no search."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzz.oracle import BrokenPromiseError

_PATIENCE_SECONDS = 120.0


class RawError(AssertionError):
    """An exception of another's, or the end of a process."""


class Apart:
    """A check that another process does, one input after the other.

    Attributes
    ----------
    seconds : float
        Of processor time that it took.
    """

    def __init__(self, check: Callable[[Any], None]) -> None:
        self.seconds = 0.0
        self._check = check
        self._worker: tuple[Any, Connection] | None = None

    def __call__(self, drawn: Any) -> None:
        """Check an input.

        Raises
        ------
        BrokenPromiseError
            The check raised it.
        RawError
            It raised another, or its process died, or hung.
        """
        process, connection = self._worker or self._started()
        connection.send(drawn)
        if not connection.poll(_PATIENCE_SECONDS):
            process.kill()
            self._worker = None
            raise RawError(f"no answer within {_PATIENCE_SECONDS:.0f} seconds")
        try:
            seconds, error, told = connection.recv()
        except EOFError:
            process.join()
            self._worker = None
            raise RawError(f"the process died: exit code {process.exitcode}") from None
        self.seconds += seconds
        if error is not None:
            raise error(told)

    def _started(self) -> tuple[Any, Connection]:
        # Not forked: threads of Arrow and DuckDB would be missing there.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(self._check, theirs), daemon=True)
        process.start()
        theirs.close()
        self._worker = (process, ours)
        return self._worker


def _work(check: Callable[[Any], None], connection: Connection) -> None:
    warnings.simplefilter("error")
    while True:
        try:
            drawn = connection.recv()
        except EOFError:
            return
        before = time.process_time()
        error: type[AssertionError] | None = None
        told = ""
        try:
            # What a shell prints is not part of the search's own.
            with contextlib.redirect_stdout(io.StringIO()):
                check(drawn)
        except BrokenPromiseError as broken:
            error, told = BrokenPromiseError, str(broken)
        except Exception as raw:
            error, told = RawError, _told(raw)
        connection.send((time.process_time() - before, error, told))


def _told(error: Exception) -> str:
    """Return an error as text that begins with the place where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/convergekit/" in f.filename] or frames
    at = f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{at}: {error}\n{''.join(traceback.format_exception(error)[-12:])}"
