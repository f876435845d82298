"""Stitch Parquet files in Spark, ask questions, and write tables and answers.

    spark-submit --master 'local[2]' jobs/stitch_spark.py EVENTS OUT --workdir DIR

EVENTS holds Parquet files, a column `row` of integers among their columns. DIR is a directory that
the driver and all executors share. OUT gets `events`, `profiles`, `aliases`, `duplicates` and
`rejected` as Parquet, and the answers to the questions of a YAML file (--ask), which docs/scale.md
describes. Python on the executors needs convergekit: set PYSPARK_PYTHON.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pyspark.sql import SparkSession

import convergekit as ck
from convergekit.parts.spark.questions import questions_in, write_answer

TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")


def main() -> None:
    """Stitch what the arguments name, and ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("events", help="directory of Parquet files")
    parser.add_argument("out", help="directory for the tables and answers")
    parser.add_argument("--workdir", help="directory that all executors share; OUT/run if absent")
    parser.add_argument("--memory", default="4GB", help="what a task may take; 4GB if absent")
    parser.add_argument("--ask", help="YAML file of questions")
    arguments = parser.parse_args()
    try:
        stitch(arguments)
    except ck.ConvergekitError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def stitch(arguments: argparse.Namespace) -> None:
    """Stitch, ask and write."""
    # What is wrong with the questions is told before anything is stitched.
    questions = questions_in(arguments.ask) if arguments.ask else []
    out = Path(arguments.out)
    session = SparkSession.builder.appName("convergekit").getOrCreate()
    events = session.read.parquet(arguments.events)
    workdir = arguments.workdir or out / "run"
    s = ck.stitch(events, workdir=workdir, memory=arguments.memory)
    print(s)
    for name in TABLES:
        table = getattr(s, name).to_spark(session)
        table.write.mode("overwrite").parquet(out.joinpath(name).absolute().as_uri())
    for question in questions:
        for path in write_answer(out, question.name, question.answer(s)):
            print(path)
    session.stop()


if __name__ == "__main__":
    main()
