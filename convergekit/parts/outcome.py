"""What came of a call in another process: what it returned, or raised, and what it warned of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convergekit.errors import ConvergekitError, callers_level


@dataclass(frozen=True)
class Outcome:
    """What came of a call in another process.

    Attributes
    ----------
    result : object
    error : ConvergekitError or None
        What was raised instead.
    said : list of tuple
        The warnings: text and category.
    """

    result: Any
    error: ConvergekitError | None
    said: list[tuple[str, type[Warning]]]

    @classmethod
    def of(cls, task: Callable[[], Any]) -> Outcome:
        """Call a function; an error of ours, which would be the same again, is kept."""
        result, error = None, None
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                result = task()
            except ConvergekitError as raised:
                error = raised.with_traceback(None)
        ours = [(str(one.message), one.category) for one in said]
        return cls(
            result, error, [(text, kind) for text, kind in ours if issubclass(kind, UserWarning)]
        )

    def taken(self) -> Any:
        """Return the result; raise and warn as was done in the other process.

        Raises
        ------
        ConvergekitError
        """
        for text, category in self.said:
            warnings.warn(text, category, stacklevel=callers_level())
        if self.error is not None:
            raise self.error
        return self.result
