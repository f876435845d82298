"""What a type checker makes of `ck.stitch`: `make lint` reads it, and nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import convergekit as ck
from convergekit.engine import IbisTable, SparkTable
from convergekit.events.arrow import ArrowTable

if TYPE_CHECKING:
    from convergekit.engine.result import StitchedTable


def tables_are_stitched_in_their_engine(ibis_table: IbisTable, spark: SparkTable) -> None:
    assert_type(ck.stitch(ibis_table), StitchedTable)
    assert_type(ck.stitch(spark, browser_alias="device"), StitchedTable)


def frames_are_stitched_in_memory(frame: ArrowTable) -> None:
    assert_type(ck.stitch(frame), ck.Stitched)
    assert_type(ck.stitch(frame, limits={"email": 1}), ck.Stitched)
