"""Stitch Parquet files in Spark, and write the tables as Parquet.

    spark-submit --master 'local[2]' jobs/stitch_spark.py EVENTS OUT [--checkpoints DIR]

EVENTS holds Parquet files of typed columns, `row` among them, as docs/scale.md describes; OUT gets
`events`, `profiles`, `aliases`, `duplicates` and `rejected`. On a cluster, DIR is a directory that
all executors share, so that one that is lost costs no more than its own work. Python on the
executors needs pyarrow and pandas: set PYSPARK_PYTHON.
"""

from __future__ import annotations

import argparse

from pyspark.sql import SparkSession

import convergekit as ck

TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")


def main() -> None:
    """Stitch what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", help="directory of Parquet files")
    parser.add_argument("out", help="directory for the tables")
    parser.add_argument("--checkpoints", help="directory that all executors share")
    arguments = parser.parse_args()

    session = SparkSession.builder.appName("convergekit").getOrCreate()
    if arguments.checkpoints:
        session.sparkContext.setCheckpointDir(arguments.checkpoints)
    s = ck.stitch_table(session.read.parquet(arguments.events), progress=say)
    print(s)
    for name in TABLES:
        getattr(s, name).to_parquet_dir(f"{arguments.out}/{name}")
    session.stop()


def say(number: int, left: int) -> None:
    """Show how far the search for profiles is."""
    print(f"round {number}: {left:,} links left", flush=True)


if __name__ == "__main__":
    main()
