"""Saved directories whose numbers were changed by somebody who can write checksums too."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import convergekit as ck
from convergekit.writers.saved_manifest import digest, sealed


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    directory = tmp_path_factory.mktemp("saved")
    events = ck.simulate_store(people=6, seed=2).events
    ck.stitch(events, duplicates="merge", limits={"cart_token": 1}).to_parquet(directory)
    return directory


def forged(saved, directory, file, change):
    """Copy a save with one table changed, and give it right checksums."""
    shutil.copytree(saved, directory)
    table = change(pq.read_table(directory / file))
    pq.write_table(table, directory / file)
    summary = json.loads((directory / "stitched.json").read_text("utf-8"))
    contents = {name: (directory / name).read_bytes() for name in summary.pop("files")}
    del summary["format"], summary["checksum"]
    sizes = {name: (len(content), digest(content)) for name, content in contents.items()}
    (directory / "stitched.json").write_bytes(sealed(summary, sizes))


NUMBERS = {
    "event_aliases": ["event", "alias"],
    "item_aliases": ["event", "alias"],
    "order": ["in_time", "item"],
    "items": ["known", "known_at", "event"],
    "apart": ["group", "rank"],
    "says": ["utm_source"],
    "carried_from": ["utm_source"],
    "events": ["row"],
}


@pytest.mark.parametrize("file", NUMBERS)
def test_a_number_out_of_range_is_found_whatever_its_checksum(saved, tmp_path, file):
    for name in NUMBERS[file]:
        for wrong in (-2 if name != "known_at" else 2**61, 2**62, -(2**63), 2**63 - 1):

            def change(table, name=name, wrong=wrong):
                cells = table.column(name).to_pylist()
                cells[len(cells) // 2] = wrong
                at = table.column_names.index(name)
                return table.set_column(at, name, pa.array(cells, pa.int64()))

            directory = tmp_path / f"{name}{wrong}"
            forged(saved, directory, f"{file}.parquet", change)
            with pytest.raises(ck.ReadError, match=rf"{file}\.parquet is damaged \({name} holds"):
                ck.read_stitched(directory)


def of_text(table):
    texts = pa.array(["one"] * table.num_rows)
    return table.set_column(0, table.column_names[0], texts)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("event_aliases", of_text),
        ("event_aliases", lambda table: table.select([1, 0])),
        ("event_aliases", lambda table: table.take(list(range(table.num_rows))[::-1])),
        ("order", lambda table: table.slice(1)),
        ("items", lambda table: table.slice(1)),
        ("apart", lambda table: table.slice(1)),
        ("carried_from", lambda table: table.slice(1)),
        ("aliases", lambda table: table.slice(1)),
    ],
)
def test_numbers_of_another_type_or_length_are_found(saved, tmp_path, file, change):
    forged(saved, tmp_path / "forged", f"{file}.parquet", change)
    with pytest.raises(ck.ReadError, match="is damaged"):
        ck.read_stitched(tmp_path / "forged")


@pytest.fixture
def former(saved, tmp_path):
    """Return a save as the former format had it: without checksums."""
    directory = tmp_path / "former"
    shutil.copytree(saved, directory)
    path = directory / "stitched.json"
    summary = json.loads(path.read_text("utf-8"))
    del summary["files"], summary["checksum"]
    path.write_text(json.dumps(summary | {"format": 3}), "utf-8")
    return directory


@pytest.mark.parametrize("name", ["differs", "conflicts", "lost_aliases"])
@pytest.mark.parametrize("cell", ["7", '"row"', "[7]", "null"])
def test_what_copies_differ_in_is_a_list_of_texts(saved, tmp_path, name, cell):
    def change(table):
        assert len(table), "there are copies"
        at = table.column_names.index(name)
        texts = pa.array([cell] * len(table), pa.large_string())
        names = json.loads(table.schema.metadata[b"convergekit.tagged_json_columns"])
        metadata = table.schema.metadata | {
            b"convergekit.tagged_json_columns": json.dumps(sorted({*names, name})).encode()
        }
        return table.set_column(at, name, texts).replace_schema_metadata(metadata)

    forged(saved, tmp_path / "forged", "duplicates.parquet", change)
    with pytest.raises(ck.ReadError, match=f"{name} holds no list of texts"):
        ck.read_stitched(tmp_path / "forged")


def test_a_save_of_the_former_format_is_read(saved, former):
    s = ck.read_stitched(saved)
    pd.testing.assert_frame_equal(ck.read_stitched(former).events, s.events)
    path = former / "stitched.json"
    path.write_text(path.read_text("utf-8").replace('"format": 3', '"format": 99'), "utf-8")
    with pytest.raises(ck.ConvergekitError, match="written in format 99; this version reads"):
        ck.read_stitched(former)


def test_numbers_of_the_former_format_are_checked(former):
    table = pq.read_table(former / "order.parquet")
    changed = table.set_column(0, "in_time", pa.array([9] * table.num_rows))
    pq.write_table(changed, former / "order.parquet")
    with pytest.raises(ck.ReadError, match=r"order\.parquet is damaged"):
        ck.read_stitched(former)
