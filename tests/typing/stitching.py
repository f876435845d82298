"""What a type checker makes of `ck.stitch`: `make lint` reads it, and nothing runs it."""

from __future__ import annotations

from typing import assert_type

import convergekit as ck
from convergekit.events.arrow import ArrowTable
from convergekit.parts.engines import IbisTable, SparkTable


def tables_of_engines_are_stitched_by_parts(ibis_table: IbisTable, spark: SparkTable) -> None:
    assert_type(ck.stitch(ibis_table), ck.StitchedParts)
    assert_type(ck.stitch(spark, browser_alias="device", workdir="run"), ck.StitchedParts)


def frames_are_stitched_in_memory(frame: ArrowTable) -> None:
    assert_type(ck.stitch(frame), ck.Stitched)
    assert_type(ck.stitch(frame, limits={"email": 1}), ck.Stitched)
