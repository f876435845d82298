"""Parts side by side: as many processes work at them as there are cores and memory for.

They are started when they are first needed, and end when nothing was asked of them for a while.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from convergekit.base.threads import share_cores
from convergekit.errors import ConvergekitError
from convergekit.parts.outcome import Outcome

Result = TypeVar("Result")
#: Seconds for which a process waits for the next question. A new one takes a second or two.
_IDLE = 60


def each_beside(
    numbers: Sequence[int], task: Callable[[int], Result], processes: int
) -> Iterator[Result]:
    """Call a function with each number in other processes; yield what it returns, in order.

    So many as there are processes are worked at ahead of what is taken.

    Parameters
    ----------
    numbers : sequence of int
    task : callable
        What `sendable` says can be sent.
    processes : int

    Raises
    ------
    ConvergekitError
        The function raised it, or the system ended a process.
    """
    # Only who stitches so much waits for it to be imported.
    import loky

    executor = loky.get_reusable_executor(
        max_workers=processes,
        timeout=_IDLE,
        initializer=share_cores,
        initargs=(processes,),
        # What a part took stays with the process, for the next one: nothing has leaked.
        env={"LOKY_MAX_MEMORY_LEAK_SIZE": "1e15"},
    )
    left = deque(numbers)
    at_work: deque[Any] = deque()
    try:
        while left or at_work:
            while left and len(at_work) <= processes:
                at_work.append(executor.submit(Outcome.of, partial(task, left.popleft())))
            # It counts as at work until it is here: an interrupt while it is waited for ends it.
            outcome: Outcome = at_work[0].result()
            at_work.popleft()
            yield outcome.taken()
    except loky.process_executor.BrokenProcessPool as error:
        raise ConvergekitError(
            "a process that worked at a part was ended by the system, which may have run out of "
            "memory. Give a smaller memory=; with the same workdir= the run goes on from what is "
            "done."
        ) from error
    finally:
        if at_work:
            # An error or an interrupt: what is at work is not waited for.
            executor.shutdown(wait=True, kill_workers=True)


def sendable(task: Callable[..., Any]) -> bool:
    """Return whether a function can be sent to another process.

    Examples
    --------
    >>> sendable(len)
    True
    >>> import threading
    >>> sendable(partial(len, threading.Lock()))
    False
    """
    import cloudpickle

    try:
        cloudpickle.dumps(task)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
        return False
    return True
