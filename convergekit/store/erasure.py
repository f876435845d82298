"""`Store.forget`: delete a person (GDPR) from a store, from every byte of its files.

Every batch that holds something of the person is rewritten, a manifest names the new files, and
the old ones go, with the index and its log; a new index is made from what is left. Killed before
the manifest is there, nothing is changed; killed after it, the next one that writes removes the
rest.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from convergekit.base.durable import sync_directory
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError, WriteError
from convergekit.figures.card import TableResult
from convergekit.identity.tables import StitchedEvents
from convergekit.privacy.forget import person_in, removed_in_one_line
from convergekit.privacy.mentions import Eraser
from convergekit.store import index
from convergekit.store.access import Change, make_index
from convergekit.store.batch_files import file_name, read_batch_file
from convergekit.store.batches import Batch, encoded
from convergekit.store.directory import cause, tidy, write_batch_file, write_manifest
from convergekit.store.manifest import BatchRecord
from convergekit.typing import BoolArray, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class ForgottenInStore(TableResult):
    """What `Store.forget` removed.

    Attributes
    ----------
    removed : pandas.DataFrame
        How much was removed of what: `table`, `rows`. It holds nothing of the person's own.
    batches : list of int
        The batches that were rewritten.
    """

    _table_names = ("removed",)

    removed: pd.DataFrame
    batches: list[int]

    def _line(self) -> str:
        batches = counted(len(self.batches), "batch", "batches")
        return f"ForgottenInStore({removed_in_one_line(self.removed)}; {batches} rewritten)"

    def _shown(self) -> pd.DataFrame:
        return self.removed


def forget_in(change: Change, s: StitchedEvents, alias_or_id: str) -> ForgottenInStore:
    """Rewrite a store without one person. See `Store.forget`.

    Parameters
    ----------
    change : Change
    s : StitchedEvents
        Of all that the store holds.
    alias_or_id : str
    """
    person, events, copies = person_in(s, alias_or_id)
    rows, rejected = np.concatenate([events, copies]), s.rejected["row"].to_numpy()
    parts = _Parts(change, rows, rejected)
    # What a later batch says of them may be another person's in an earlier one.
    for _, frame, theirs, _ in parts:
        person = person.sending(frame[theirs])
    for _, frame, theirs, unusable in parts:
        person = person.besides(frame[~theirs & ~unusable])
    eraser = Eraser(person)
    new = replace(
        change.manifest,
        options=eraser.text(change.manifest.options),
        generation=change.manifest.generation + 1,
        batches=(),
    )
    counts: Counter[str] = Counter()
    written = []
    for record, frame, theirs, unusable in parts:
        erased = eraser.erase(frame, theirs, unusable)
        counts.update(erased.counts)
        named = _without_names(record, eraser)
        # Each file says what the options are.
        said_anew = named != record.files or new.options != change.manifest.options
        if any(erased.counts.values()) or said_anew:
            anew = replace(
                record,
                file=file_name(record.number, new.generation),
                digest="",
                rows=len(erased.frame),
                files=named,
            )
            batch = Batch(erased.frame, encoded(erased.frame), record.content, named, [])
            record = write_batch_file(change.path, new, anew, batch)
            written.append(record.number)
        new = new.with_batch(record)
    change.interrupts.check()
    write_manifest(change.path, new)
    change.interrupts.outcome = "The person was forgotten before the interruption."
    _remove_the_old(replace(change, manifest=new))
    removed = {
        "profiles": 1,
        "events": len(events),
        "duplicates": len(copies),
        **{name: count for name, count in counts.items() if name != "events"},
    }
    table = pd.DataFrame({"table": list(removed), "rows": list(removed.values())})
    return ForgottenInStore(table.astype({"table": "str", "rows": "int64"}), written)


class _Parts:
    """The batches, read again each time: their rows, and which of them are the person's."""

    def __init__(self, change: Change, theirs: IntArray, rejected: IntArray) -> None:
        self._change, self._theirs, self._rejected = change, theirs, rejected

    def __iter__(self) -> Iterator[tuple[BatchRecord, pd.DataFrame, BoolArray, BoolArray]]:
        start = 0
        for record in self._change.manifest.batches:
            self._change.interrupts.check()
            frame = read_batch_file(self._change.path, record).frame
            row = start + np.arange(len(frame))
            yield record, frame, np.isin(row, self._theirs), np.isin(row, self._rejected)
            start += len(frame)


def _without_names(record: BatchRecord, eraser: Eraser) -> dict[str, str]:
    """Return the paths of a batch's exports without the person; their contents stay known."""
    return {content: eraser.text(name) for content, name in record.files.items()}


def _remove_the_old(change: Change) -> None:
    try:
        tidy(change.path, change.manifest)
        index.remove(change.path / index.NAME)
        sync_directory(change.path)
    except (OSError, WriteError) as error:
        raise WriteError(
            f"{change.path} is without the person now, but files that hold them cannot be removed "
            f"yet: {cause(error)}. Check the drive; store.add, or ck.repair_store, removes them."
        ) from None
    # The person is gone. An index that cannot be made now is made when the store is next asked.
    with contextlib.suppress(ConvergekitError):
        make_index(change)
