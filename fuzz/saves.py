"""Saved directories that were damaged, or changed by somebody who can write checksums too."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

import convergekit as ck
from fuzz.damage import Damage, contents_of, damages
from fuzz.oracle import BrokenPromiseError, check_message
from fuzz.questions import ask_everything

_MANIFEST = "stitched.json"
_ODD_NUMBERS = [-(2**63), -2, -1, 0, 1, 5, 434, 2**31, 2**53, 2**62, 2**63 - 1]
_ODD_VALUES: list[Any] = [
    None, True, -1, 0, 1.5, 2**63, 10**400, 1e308, float("nan"), "", "events", [], [None], ["a"],
    {}, {"a": 1}, {"a": -1}, {"cookie": 1}, [[[]]], "\ud83d", 3, 4, "retroactive",
]  # fmt: skip


@dataclass(frozen=True)
class Forgery:
    """A change that has a right checksum.

    Attributes
    ----------
    which, where : float
        Which table or name of the manifest, and which of its places, as a share of them.
    value : object
        What is put there.
    of_manifest : bool
        Whether the manifest is changed, or a table.
    unsealed : bool
        Whether the save is made one of the former format, which has no checksums.
    """

    which: float
    where: float
    value: Any
    of_manifest: bool
    unsealed: bool
    kind: str = "forgeries"

    def apply(self, directory: Path) -> None:
        """Change the save, and write its checksums anew."""
        path = directory / _MANIFEST
        summary = json.loads(path.read_text("utf-8"))
        if self.of_manifest:
            _put(summary, self.which, self.where, self.value)
        else:
            self._change_a_table(directory)
        files = summary.get("files")
        if isinstance(files, dict):
            for name in files:
                content = (directory / name).read_bytes() if (directory / name).is_file() else b""
                found = hashlib.sha256(content).hexdigest()
                files[name] = {"bytes": len(content), "sha256": found}
        if self.unsealed:
            summary |= {"format": 3}
            summary.pop("files", None)
            summary.pop("checksum", None)
        elif "checksum" in summary:
            summary["checksum"] = "0" * 64
            text = json.dumps(summary, ensure_ascii=True)
            summary["checksum"] = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(json.dumps(summary, ensure_ascii=True), "utf-8")

    def _change_a_table(self, directory: Path) -> None:
        files = sorted(directory.glob("*.parquet"))
        path = files[int(self.which * len(files))]
        table = pq.read_table(path)
        if not table.num_columns or not table.num_rows:
            return
        places = table.num_columns * table.num_rows
        column, row = divmod(int(self.where * places), table.num_rows)
        cells = table.column(column).to_pylist()
        cells[row] = self.value
        try:
            array = pa.array(cells, type=table.schema.field(column).type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            # The type of the column is the change.
            texts = [str(cell).encode("utf-8", "replace").decode() for cell in cells]
            array = pa.array(texts, type=pa.large_string())
        changed = table.set_column(column, table.column_names[column], array)
        pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def _put(summary: dict[str, Any], which: float, where: float, value: Any) -> None:
    """Put a value in the place of one of those within an object."""
    names = [name for name in summary if name not in ("checksum", "files")]
    name = names[int(which * len(names))]
    inside = summary[name]
    if isinstance(inside, dict) and inside and where < 0.8:
        _put(inside, where / 0.8, (where * 7) % 1, value)
    else:
        summary[name] = value


Change = Damage | Forgery


def changes() -> st.SearchStrategy[Change]:
    """Return a strategy of damage and forgeries."""
    share = st.floats(0, 1, exclude_max=True)
    value = st.one_of(st.sampled_from(_ODD_NUMBERS), st.sampled_from(_ODD_VALUES), st.integers())
    forged = st.builds(Forgery, share, share, value, st.booleans(), st.booleans())
    return st.one_of(damages(), damages(), forged)


def check_save(change: Change) -> None:
    """Read a save that was changed, and hold the answer to what is promised.

    Raises
    ------
    BrokenPromiseError
        Damage is not found, or the error says nothing.
    """
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "saved")
        shutil.copytree(_whole(), place)
        change.apply(place)
        try:
            s = ck.read_stitched(place)
        except ck.ConvergekitError as error:
            check_message(error)
            return
        if isinstance(change, Damage) and contents_of(place) != contents_of(_whole()):
            raise BrokenPromiseError(f"{change} was read without a word")
        # What somebody forged may be read; no question may end in another's error, or in none.
        if isinstance(change, Forgery):
            ask_everything(s)


@functools.cache
def _whole() -> Path:
    """Return a save that nobody changes: of limits, merged copies and odd values."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    events = ck.simulate_store(people=8, seed=2).events
    odd: list[Any] = [{"a": [1, {2}]}, b"\xff", None]
    events = events.assign(
        **{
            "properties.odd": pd.Series([odd[n % 3] for n in range(len(events))], dtype=object),
            "properties.word": pd.Categorical(np.arange(len(events)) % 3),
        }
    )
    s = ck.stitch(events, duplicates="merge", limits={"email": 1, "cart_token": 1})
    s.to_parquet(directory)
    return directory
