"""The two tables of Converge's export, of all parts: rows in the order that all rows have."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.base.durable import whole_files
from convergekit.identity.tables import StitchedEvents
from convergekit.parts.each import EachPart
from convergekit.typing import IntArray
from convergekit.writers.converge import events_table, merges_table, refuse_earlier_tables
from convergekit.writers.merged_frames import Piece, merge_pieces


def converge_of_parts(each: EachPart, directory: str | Path, *, overwrite: bool) -> list[Path]:
    """Write the two tables. See `Stitched.to_converge`.

    Parameters
    ----------
    each : EachPart
    directory : str or pathlib.Path
    overwrite : bool
    """
    refuse_earlier_tables(directory, overwrite=overwrite)
    with whole_files(directory) as draft:
        pieces = draft / "pieces"
        pieces.mkdir()
        files, rows, merges, by_rows = [], [], [], []
        for number, (events, row, merged, by_row) in enumerate(each(_of_part)):
            files.append(pieces / f"{number:05}.parquet")
            pq.write_table(events, files[-1], compression="zstd")
            rows.append(row)
            merges.append(merged)
            by_rows.append(by_row)
        every = np.sort(np.concatenate(rows))
        merge_pieces(
            [
                Piece(path, np.searchsorted(every, row))
                for path, row in zip(files, rows, strict=True)
            ],
            draft / "events.parquet",
        )
        shutil.rmtree(pieces)
        table = _in_order(pa.concat_tables(merges), np.concatenate(by_rows))
        pq.write_table(table, draft / "profile_merges.parquet", compression="zstd")
    return [Path(directory, name) for name in ("events.parquet", "profile_merges.parquet")]


def _of_part(number: int, s: StitchedEvents) -> tuple[pa.Table, IntArray, pa.Table, IntArray]:
    """Return the tables of a part, and the rows of their events."""
    row = s.events["row"].to_numpy()[(s.events["kind"] == "track").to_numpy(dtype=bool)]
    return events_table(s), row, merges_table(s), s.profile_merges["row"].to_numpy()


def _in_order(merges: pa.Table, row: IntArray) -> pa.Table:
    """Return merges in the order in which they became known."""
    at = merges.column("timestamp").cast(pa.int64()).to_numpy()
    # The digits of an ID are those of the number without its sign.
    old = merges.column("old_profile_id").to_numpy().view(np.uint64)
    return merges.take(np.lexsort((old, row, at)))
