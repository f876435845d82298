"""Tables of an engine: clusters found there by rounds over links, and rows fetched by part.

Ibis is imported by what is given one of its tables.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, TypeGuard


class IbisTable(Protocol):
    """A table of Ibis, as a type checker tells it from a frame.

    Named by what it has, for Ibis need not be installed: what is not, a checker takes for anything.
    """

    def get_backend(self) -> Any:
        """Return the engine that the table is in."""


class SparkTable(Protocol):
    """A DataFrame of Spark, as a type checker tells it from one of pandas."""

    def createOrReplaceTempView(self, name: str) -> None:  # noqa: N802 (Spark's name)
        """Give the table a name in its session."""


EngineTable: TypeAlias = IbisTable | SparkTable


def is_of_an_engine(events: Any) -> TypeGuard[EngineTable]:
    """Return whether this is an Ibis table or a Spark DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> is_of_an_engine(pd.DataFrame())
    False
    """
    families = ("ibis.expr.types", "pyspark.sql")
    return any(kind.__module__.startswith(families) for kind in type(events).__mro__)
