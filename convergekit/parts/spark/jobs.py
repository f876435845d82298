"""Jobs: a function that is called in executors, and what it returned there.

An error of ours, which would be the same again, is brought to the driver and raised there. Any
other makes Spark try the task again, as often as `spark.task.maxFailures` says.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa

from convergekit.errors import ConvergekitError
from convergekit.parts.outcome import Outcome

Result = TypeVar("Result")
_SCHEMA = "outcome binary"


def done_with(session: Any, numbers: Sequence[int], task: Callable[[int], Result]) -> list[Result]:
    """Call a function in executors with each number; return what little it returns, in order.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    numbers : sequence of int
        A task each.
    task : callable
        Data alone: it is pickled.

    Raises
    ------
    ConvergekitError
        The function raised it, or Spark gave the job up.
    """
    if not numbers:
        return []
    with _told():
        outcomes = [row[0] for row in _job(session, numbers, task).collect()]
    return [_opened(one).taken() for one in outcomes]


def each_of(
    session: Any, numbers: Sequence[int], task: Callable[[int], Result]
) -> Iterator[Result]:
    """Do as `done_with` does, and yield what is returned one by one: it may be large.

    Executors keep it on their drives until it is asked for.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    numbers : sequence of int
    task : callable
    """
    from pyspark import StorageLevel

    if not numbers:
        return
    with _told():
        job = _job(session, numbers, task).persist(StorageLevel.DISK_ONLY)
    try:
        with _told():
            job.count()
            outcomes = iter(job.toLocalIterator())
        for _ in numbers:
            with _told():
                outcome = next(outcomes)[0]
            yield _opened(outcome).taken()
    finally:
        with contextlib.suppress(Exception):
            # The session may be over.
            job.unpersist()


def of_batches(frame: Any, task: Callable[[Iterable[pa.RecordBatch]], Result]) -> list[Result]:
    """Call a function in executors with the Arrow batches of each partition of a DataFrame.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
    task : callable

    Raises
    ------
    ConvergekitError
        The function raised it, or Spark gave the job up.
    """

    def answered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield _batch(_called(partial(task, batches)))

    with _told():
        rows = frame.mapInArrow(answered, _SCHEMA).collect()
    return [_opened(row[0]).taken() for row in rows]


def _job(session: Any, numbers: Sequence[int], task: Callable[[int], Any]) -> Any:
    """Return a DataFrame of outcomes: a partition for each number."""
    given = list(numbers)

    def answered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                yield _batch(_called(partial(task, given[place])))

    places = session.range(0, len(given), 1, len(given))
    return places.mapInArrow(answered, _SCHEMA)


def _called(task: Callable[[], Any]) -> bytes:
    """Return what came of a function, as the driver opens it."""
    # What users define in a notebook is known there alone, and goes along.
    from pyspark import cloudpickle

    content: bytes = cloudpickle.dumps(Outcome.of(task))
    return content


def _opened(content: bytes) -> Outcome:
    outcome: Outcome = pickle.loads(content)
    return outcome


def _batch(outcome: bytes) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"outcome": pa.array([outcome], pa.binary())})


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say of a job that Spark gave up why, and what to do."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise ConvergekitError(
            f"Spark gave a job up: {_reason(str(error))}. Its log says more. Stitch again with the "
            "same workdir=: the run goes on from what is done."
        ) from error


def _reason(text: str) -> str:
    r"""Return the line of an error of Spark's that says most.

    Examples
    --------
    >>> _reason("Job aborted.\n  File 'a.py', line 1\nMemoryError: much\n\tat java.lang")
    'MemoryError: much'
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    python = [line for line in named if "." not in line.split(":")[0]]
    return (python or named or lines or ["it does not say why"])[0].rstrip(".")
