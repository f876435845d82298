"""Stitching by parts in Spark: the steps of a run, done inside executors.

Executors and the driver share the workdir: blocks, parts and tables are files of it, as in a run on
one machine, so that a task that is tried again, and a run that goes on, find what is done.
"""
