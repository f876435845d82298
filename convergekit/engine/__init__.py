"""The relational engine: events that stay in a warehouse, stitched there.

The same words and the same answers as in memory, as relational plans that Ibis writes for DuckDB
or Spark. Nothing of the events passes through Python.
"""
