"""Archives and folders: what vendors ship, and what is made to do harm."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.readers import archives
from tests.effort import tries


def event(name, **more):
    return {"event_name": name, "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]} | more


def jsonl(*rows):
    return ("\n".join(map(json.dumps, rows)) + "\n").encode()


MEMBERS = {
    "2026/b.json.gz": gzip.compress(jsonl(event("B1"), event("B2")), mtime=0),
    "2026/a.csv": b"event_name,timestamp,alias.cookie\nA,2026-03-01,c\n",
    "c.jsonl.bz2": bz2.compress(jsonl(event("C"))),
    "d.jsonl.xz": lzma.compress(jsonl(event("D"))),
}


def zipped(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(members, mode="w:gz"):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def write(path, content):
    path.write_bytes(content)
    return path


def names(events):
    return events["event_name"].tolist()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("e.zip", zipped),
        ("e.tar", lambda members: tarred(members, "w")),
        ("e.tar.gz", tarred),
        ("E.TGZ", tarred),
        ("e.tar.bz2", lambda members: tarred(members, "w:bz2")),
        ("e.tar.xz", lambda members: tarred(members, "w:xz")),
    ],
)
def test_the_files_of_an_archive_are_read(tmp_path, name, pack):
    path = write(tmp_path / name, pack(dict(sorted(MEMBERS.items()))))
    events = ck.read_events(path)
    assert names(events) == ["A", "B1", "B2", "C", "D"]
    assert events["file"].unique().tolist() == [f"{name}/{member}" for member in sorted(MEMBERS)]
    assert events["line"].tolist() == [2, 1, 2, 1, 1]
    assert events["source"].tolist() == ["a", "b", "b", "c", "d"]
    again = ck.read_events([path])
    pd.testing.assert_frame_equal(events, again)


def test_amplitudes_archive_of_packed_files(tmp_path):
    row = {"event_type": "Order", "event_time": "2026-03-02 10:00:00", "device_id": "d1",
           "amplitude_id": 7, "event_properties": {"n": 1}}  # fmt: skip
    hours = {f"31/31_2026-03-02_{hour}#0.json.gz": gzip.compress(jsonl(row)) for hour in range(3)}
    events = ck.read_events(write(tmp_path / "export.zip", zipped(hours)))
    assert names(events) == ["Order"] * 3
    assert events["file"][0] == "export.zip/31/31_2026-03-02_0#0.json.gz"


def test_archives_in_archives_and_parquet_in_them(tmp_path):
    table = io.BytesIO()
    pd.DataFrame([event("P")]).to_parquet(table)
    inner = zipped({"p.parquet": table.getvalue()})
    path = write(tmp_path / "e.tar.gz", tarred({"in/ner.zip": inner, "z.json": jsonl(event("Z"))}))
    events = ck.read_events(path)
    assert names(events) == ["P", "Z"]
    assert events["file"][0] == "e.tar.gz/in/ner.zip/p.parquet"
    for _ in range(3):
        inner = zipped({"a.zip": inner})
    with pytest.raises(ck.ReadError, match="lies in 3 archives within one another"):
        ck.read_events(write(tmp_path / "deep.zip", inner))


def test_a_member_that_cannot_be_told_is_read_as_its_sisters(tmp_path):
    bare = {"event_type": "First", "event_time": "2026-03-02 10:00:00", "device_id": "d1"}
    sure = bare | {"event_type": "Second", "amplitude_id": 7}
    members = {"a.jsonl": jsonl(bare), "b.jsonl": jsonl(sure)}
    for name, pack in (("e.zip", zipped), ("e.tar.gz", tarred)):
        events = ck.read_events(write(tmp_path / name, pack(members)))
        assert names(events) == ["First", "Second"]
        assert events["alias.cookie"].tolist() == ["d1", "d1"]


def test_errors_name_the_member_and_no_place_of_ours(tmp_path):
    path = write(tmp_path / "e.zip", zipped({"x/bad.json": b"[{"}))
    with pytest.raises(ck.ReadError) as error:
        ck.read_events(path)
    assert str(error.value).startswith(f"{path}/x/bad.json: ")
    assert "convergekit-" not in str(error.value)
    path = write(tmp_path / "f.zip", zipped({"x.jsonl": jsonl(event("A")) + b"oops\n"}))
    with pytest.raises(ck.ReadError, match=r"f\.zip/x\.jsonl, line 2: not JSON"):
        ck.read_events(path, strict=True)
    path = write(tmp_path / "g.zip", zipped({"x.jsonl": jsonl({"a": 1})}))
    with pytest.raises(ck.ColumnError, match=r"g\.zip/x\.jsonl: no event name column"):
        ck.read_events(path)


def test_what_is_left_out_is_said(tmp_path):
    members = {"README.md": b"read me", "a.jsonl": jsonl(event("A")), "__MACOSX/._a.jsonl": b"x",
               ".DS_Store": b"x", "folder/": b""}  # fmt: skip
    path = write(tmp_path / "e.zip", zipped(members))
    with pytest.warns(UserWarning, match=r"1 file was left out: .* e\.zip/README\.md$"):
        assert names(ck.read_events(path)) == ["A"]
    with pytest.raises(ck.ReadError, match=r"holds no file that is read\. It holds e\.zip/a\.txt"):
        ck.read_events(write(tmp_path / "e.zip", zipped({"a.txt": b"x"})))
    with pytest.raises(ck.ReadError, match=r"holds no file that is read\. It is empty"):
        ck.read_events(write(tmp_path / "e.zip", zipped({})))


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    folder = tmp_path / "exports"
    (folder / "b" / "deeper").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    write(folder / "c.jsonl", jsonl(event("C")))
    write(folder / "b" / "2.jsonl", jsonl(event("B2")))
    write(folder / "b" / "deeper" / "1.zip", zipped({"x.jsonl": jsonl(event("B1"))}))
    write(folder / "a.csv", MEMBERS["2026/a.csv"])
    write(folder / ".hidden" / "no.jsonl", b"no")
    write(folder / "notes.txt", b"remember the milk")
    with pytest.warns(UserWarning, match=r"1 file was left out: .*notes\.txt"):
        events = ck.read_events(folder)
    assert names(events) == ["A", "B2", "B1", "C"]
    with contextlib.suppress(OSError):
        (folder / "b" / "round").symlink_to(folder, target_is_directory=True)
        with pytest.warns(UserWarning, match="1 file was left out"):
            assert names(ck.read_events(folder)) == ["A", "B2", "B1", "C"]
    other = tmp_path / "others"
    other.mkdir()
    write(other / "notes.txt", b"")
    with pytest.raises(ck.ReadError, match=r"holds no file that is read: it holds .*notes\.txt"):
        ck.read_events(other)


def test_a_store_takes_folders_and_archives_and_knows_them_again(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    write(folder / "a.csv", MEMBERS["2026/a.csv"])
    write(folder / "b.zip", zipped({"x.jsonl": jsonl(event("B1"))}))
    store = ck.open_store(tmp_path / "store")
    write(folder / "notes.txt", b"")
    with pytest.warns(UserWarning, match=r"1 file was left out: .*notes\.txt"):
        assert store.add(folder).events == 2
    (folder / "notes.txt").unlink()
    write(folder / "c.jsonl", jsonl(event("C")))
    added = store.add(folder)
    assert (added.events, len(added.known)) == (1, 2)


# What is made to do harm


def test_names_are_data_and_links_are_not_followed(tmp_path, monkeypatch):
    secret = write(tmp_path / "secret.jsonl", jsonl(event("Secret")))
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    bad = ["../../out.jsonl", "/abs.jsonl", "..\\out.jsonl", "C:\\x.jsonl", "a/../../b.jsonl"]
    members = {name: jsonl(event("A")) for name in bad}
    for name, pack in (("e.zip", zipped), ("e.tar", tarred)):
        path = write(tmp_path / name, pack(members))
        assert len(ck.read_events(path)) == len(bad)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"{ord(kind)}.jsonl")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        info = tarfile.TarInfo("a.jsonl")
        info.size = len(jsonl(event("A")))
        archive.addfile(info, io.BytesIO(jsonl(event("A"))))
    assert names(ck.read_events(write(tmp_path / "links.tar", packed.getvalue()))) == ["A"]
    link = zipfile.ZipInfo("s.jsonl")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as archive:
        archive.writestr(link, str(secret))
        archive.writestr("a.jsonl", jsonl(event("A")))
    assert names(ck.read_events(tmp_path / "links.zip")) == ["A"]
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"secret.jsonl", "e.zip", "e.tar", "links.tar", "links.zip"}
    assert not list(inside.iterdir())


@pytest.mark.parametrize(("name", "pack"), [("e.zip", zipped), ("e.tar.gz", tarred)])
def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch, name, pack):
    monkeypatch.setattr(archives, "UNPACKED_ALLOWED", 100_000)
    monkeypatch.setattr(archives, "MOST_UNPACKED_TIMES", 2)
    row = jsonl(event("A", properties={"x": "0" * 1000}))
    with pytest.raises(ck.ReadError, match=r"unpack to more than 100,000, as no export does"):
        ck.read_events(write(tmp_path / name, pack({"a.jsonl": row * 100})))
    halves = {"a.jsonl": row * 50, "b.zip": zipped({"b.jsonl": row * 50})}
    with pytest.raises(ck.ReadError, match=r"unpack to more than 100,000, as no export does"):
        ck.read_events(write(tmp_path / name, pack(halves)))
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    few = {f"{number}.jsonl": jsonl(event("A")) for number in range(4)}
    with pytest.raises(ck.ReadError, match="holds more than 3 files"):
        ck.read_events(write(tmp_path / name, pack(few)))


def test_damaged_and_encrypted_archives_say_so(tmp_path):
    whole = zipped({"a.jsonl": jsonl(*(event(f"A{number**5}") for number in range(200)))})
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 0xFF
    cases = {
        "cut.zip": whole[:-30],
        "wrong.zip": bytes(middle),
        "cut.tar.gz": tarred({"a.jsonl": jsonl(event("A")) * 2000})[:-20],
        "none.tar": b"\x00" * 10 + b"nothing",
        "text.zip": b"event_name\n",
    }
    for name, content in cases.items():
        with pytest.raises(ck.ReadError, match=rf"{name}: the archive is damaged"):
            ck.read_events(write(tmp_path / name, content))
    locked = bytearray(zipped({"a.jsonl": jsonl(event("A"))}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(header) + flags] |= 1
    with pytest.raises(ck.ReadError, match="is encrypted; unpack it with its password"):
        ck.read_events(write(tmp_path / "locked.zip", bytes(locked)))
    odd = bytearray(zipped({"a.jsonl": jsonl(event("A"))}))
    for header, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        odd[odd.index(header) + method] = 9
    with pytest.raises(ck.ReadError, match="is packed in a way that is not read"):
        ck.read_events(write(tmp_path / "odd.zip", bytes(odd)))


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_what_comes_before_the_damage_is_kept(tmp_path, pack):
    rows = [event("A", event_id=f"e{number}-{number**7}") for number in range(40_000)]
    packed = pack(jsonl(*rows))
    path = write(tmp_path / "a.jsonl.xz", packed)
    assert len(ck.read_events(path)) == len(rows)
    cut = ck.read_events(write(path, packed[: len(packed) * 3 // 4]))
    assert 1_000 < len(cut) < len(rows)
    assert "the file is damaged from here on" in cut["read_error"].iloc[-1]
    assert cut["event_id"].tolist()[:-1] == [row["event_id"] for row in rows[: len(cut) - 1]]
    wrong = bytearray(packed)
    wrong[len(packed) * 3 // 4] ^= 0xFF
    found = ck.read_events(write(path, bytes(wrong)))
    assert "the file is damaged" in found["read_error"].iloc[-1]
    assert len(found) > 1_000
    two = ck.read_events(write(path, pack(jsonl(event("A"))) + pack(jsonl(event("B")))))
    assert names(two) == ["A", "B"]
    more = ck.read_events(write(path, pack(jsonl(event("A"))) + b"more"))
    assert "what follows its end is not" in more["read_error"].iloc[-1]


@tries(150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([zipped, tarred, lambda members: tarred(members, "w")]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    st.booleans(),
)
def test_any_bytes_in_an_archive_raise_only_our_errors(tmp_path, pack, changes, nested):
    content = pack(MEMBERS)
    if nested:
        content = zipped({"inner.tar.gz": content})
    damaged = bytearray(content)
    for place, byte in changes:
        damaged[place % len(damaged)] = byte
    name = "e.zip" if nested or pack is zipped else "e.tar"
    path = write(Path(tmp_path, name), bytes(damaged))
    with warnings.catch_warnings(), contextlib.suppress(ck.ConvergekitError):
        warnings.simplefilter("ignore", UserWarning)
        ck.read_events(path)
