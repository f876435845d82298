"""The relational engine: events that stay in a warehouse, stitched there.

The same words and the same answers as in memory, as relational plans that Ibis writes for DuckDB
or Spark. Nothing of the events passes through Python. Ibis is imported by those who use it.
"""

from __future__ import annotations

from typing import Any


def is_of_an_engine(events: Any) -> bool:
    """Return whether this is an Ibis table or a Spark DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> is_of_an_engine(pd.DataFrame())
    False
    """
    families = ("ibis.expr.types", "pyspark.sql")
    return any(kind.__module__.startswith(families) for kind in type(events).__mro__)
