"""Whatever is cut short, damaged or pulled away, a store loses nothing that `add` returned for."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

import convergekit as ck
from convergekit.cli.app import app
from convergekit.store import batches as store_batches
from tests.store.store_cases import same
from tests.store.test_store import frame

pytestmark = pytest.mark.filterwarnings("ignore:the index of .* was rebuilt")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Three batches, and what they hold."""
    path = tmp_path_factory.mktemp("template") / "store"
    store = ck.open_store(path)
    events = ck.simulate_store(people=12, seed=3).events
    for start in range(0, len(events), 50):
        store.add(events[start : start + 50])
    return path, store.profiles, store.stitched().events, len(store.batches)


@pytest.fixture
def path(template, tmp_path):
    shutil.copytree(template[0], tmp_path / "store")
    return tmp_path / "store"


def whole(path, template):
    """Raise unless a store holds all, after one repair if it asks for that."""
    try:
        store = ck.open_store(path)
        same(store.profiles, template[1])
    except ck.DamagedStoreError:
        ck.repair_store(path)
        store = ck.open_store(path)
        same(store.profiles, template[1])
    same(store.stitched().events, template[2])
    added = store.add(frame((0, "new-cookie", None)))
    assert added.batch == template[3] + 1


def files_of(path):
    return sorted(file for file in path.rglob("*") if file.is_file() and file.name != "lock")


@pytest.mark.parametrize("seed", range(5))
def test_a_flipped_bit_loses_nothing(path, template, seed):
    chance = random.Random(seed)
    file = chance.choice(files_of(path))
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 8])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    whole(path, template)


@pytest.mark.parametrize("name", ["manifest.json", "index.duckdb", "batches/000002-0.parquet"])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "other"])
def test_a_file_that_is_damaged_is_made_anew(path, template, name, damage):
    file = path / name
    content = file.read_bytes()
    file.unlink()
    if damage != "gone":
        parts = {"empty": b"", "half": content[: len(content) // 2], "other": b"hello\n" * 99}
        file.write_bytes(parts[damage])
    whole(path, template)
    repaired = ck.repair_store(path)
    assert not repaired.left_out
    assert repaired.batches == template[3] + 1


@pytest.mark.parametrize("name", ["manifest.json", "index.duckdb", "batches", "lock"])
def test_a_directory_or_a_file_in_the_wrong_place_is_an_error_of_ours(path, name):
    place = path / name
    place.rename(path.parent / "elsewhere")
    if name == "batches":
        place.write_text("hello")
    else:
        place.mkdir()
    with pytest.raises(ck.ConvergekitError):
        ck.open_store(path).add(frame((0, "c", None)))
    if place.is_dir():
        place.rmdir()
    else:
        place.unlink()
    (path.parent / "elsewhere").rename(place)
    assert ck.open_store(path).add(frame((0, "c", None))).batch


def test_damage_in_the_middle_of_the_index_is_found_while_it_is_read(path, template):
    content = bytearray((path / "index.duckdb").read_bytes())
    for place in range(12288 + 300_000, len(content), 4096):
        content[place] ^= 255
    (path / "index.duckdb").write_bytes(content)
    with pytest.warns(UserWarning, match="was rebuilt from the batches; nothing is lost"):
        same(ck.open_store(path).profiles, template[1])


def test_a_batch_that_nothing_holds_is_named_and_left_out_on_request(path, template, tmp_path):
    export = tmp_path / "night.parquet"
    frame((0, "night", None)).to_parquet(export)
    ck.open_store(path).add(export)
    last = f"{template[3] + 1:06}-0.parquet"
    (path / "batches" / last).write_bytes(b"nothing")
    (path / "index.duckdb").unlink()
    with pytest.raises(ck.DamagedStoreError, match=r"parquet was changed .*convergekit repair"):
        ck.open_store(path).status()
    with pytest.raises(ck.DamagedStoreError, match=r"is lost \(1 row of .*night\.parquet\)"):
        ck.repair_store(path)
    repaired = ck.repair_store(path, leave_out_damaged=True)
    assert repaired.left_out == [template[3] + 1]
    assert (path / "damaged" / last).read_bytes() == b"nothing"
    store = ck.open_store(path)
    assert store.status().rows == len(template[2]) + template_duplicates(template)
    # What is lost can be added again.
    assert store.add(export).events == 1


def template_duplicates(template):
    return ck.open_store(template[0]).status().duplicates


def test_a_manifest_of_an_earlier_day_does_not_remove_later_batches(path):
    store = ck.open_store(path)
    earlier = (path / "manifest.json").read_bytes()
    for minute in range(2):
        store.add(frame((minute, f"late-{minute}", None)))
    later = sorted((path / "batches").iterdir())
    (path / "manifest.json").write_bytes(earlier)
    with pytest.raises(ck.DamagedStoreError, match="the manifest is an earlier one"):
        store.add(frame((9, "z", None)))
    assert sorted((path / "batches").iterdir()) == later
    (path / "manifest.json").unlink()
    ck.repair_store(path)
    assert "late-1" in set(ck.open_store(path).aliases["alias_value"])


def test_the_shell_says_damage_in_one_line_and_repairs_it(path):
    run = CliRunner().invoke
    (path / "manifest.json").write_text("{}")
    found = run(app, ["status", "--store", str(path)])
    assert "convergekit repair --store" in str(found.exception)
    assert "\n" not in str(found.exception)
    assert isinstance(found.exception, ck.ConvergekitError)
    mended = run(app, ["repair", "--store", str(path)])
    assert "manifest rebuilt" in mended.stdout
    assert "batches:" in run(app, ["status", "--store", str(path)]).stdout


@pytest.mark.parametrize("kind", ["fifo", "null", "loop", "long", "nul byte", "file", "directory"])
def test_what_cannot_be_a_store_is_an_error_of_ours(tmp_path, kind):
    path = tmp_path / "store"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "null":
        path = Path(os.devnull)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "long":
        path = tmp_path / ("x" * 300)
    elif kind == "nul byte":
        path = f"{path}\0"
    elif kind == "file":
        path.write_text("hello")
    else:
        path.mkdir()
        (path / "mine.txt").write_text("hello")
    with pytest.raises(ck.ConvergekitError) as error:
        ck.open_store(path)
    assert not isinstance(error.value, ck.DamagedStoreError)


def test_a_name_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("x" * 250)
    ck.open_store(path).add(frame((0, "c", None)))
    assert ck.open_store(path).status().rows == 1


def test_an_empty_directory_becomes_a_store(tmp_path):
    assert ck.open_store(tmp_path).add(frame((0, "c", None))).batch == 1


def test_an_index_that_another_program_has_open_is_not_taken_for_damaged(path):
    code = (
        "import sys, duckdb; con = duckdb.connect(sys.argv[1]); print('ready', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path / "index.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(ck.ConvergekitError, match=f"in use by process {other.pid}"):
            ck.open_store(path).status()
        other.stdin.close()


def test_a_table_of_the_index_that_is_another_programs(path, template):
    (path / "index.duckdb").unlink()
    with duckdb.connect(str(path / "index.duckdb")) as con:
        con.execute("CREATE TABLE about (format INTEGER, options VARCHAR)")
    whole(path, template)


class TestInterrupts:
    @pytest.fixture(autouse=True)
    def interrupts_raise(self):
        """Have Ctrl-C raise, as in a terminal: a shell starts what runs beside it without."""
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, usual)

    def interrupted_while(self, monkeypatch, module, name, work):
        """Send SIGINT when a function is called; return the KeyboardInterrupt."""
        usual = getattr(module, name)

        def calls(*arguments, **named):
            os.kill(os.getpid(), signal.SIGINT)
            # Python lets the handler run a little later.
            time.sleep(0.001)
            return usual(*arguments, **named)

        monkeypatch.setattr(module, name, calls)
        with pytest.raises(KeyboardInterrupt) as error:
            work()
        monkeypatch.undo()
        return str(error.value)

    @pytest.mark.parametrize(
        ("name", "added"),
        [
            ("insert_batch", False),
            ("write_batch", False),
            ("write_manifest", True),
        ],
    )
    def test_it_is_known_whether_the_batch_was_added(self, path, monkeypatch, name, added):
        from convergekit.store import access

        store = ck.open_store(path)
        before = store.status().batches
        said = self.interrupted_while(
            monkeypatch, access, name, lambda: store.add(frame((0, "new", None)))
        )
        if name != "insert_batch":
            assert ("was added before the interruption" in said) is added
            assert ("Nothing was changed" in said) is not added
        again = ck.open_store(path)
        assert again.status().batches == before + added
        assert again.add(frame((1, "another", None))).batch == before + added + 1

    def test_a_question_is_stopped_and_can_be_asked_again(self, path, monkeypatch):
        from convergekit.store import index

        store = ck.open_store(path)
        self.interrupted_while(monkeypatch, index, "batches_in", store.status)
        assert store.status().batches
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_long_query_is_stopped(self, path):
        from convergekit.store.access import ask

        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        endless = "SELECT sum(hash(a.range, b.range)) FROM range(1000000) a, range(1000000) b"
        with pytest.raises(KeyboardInterrupt):
            ask(path, lambda con: con.execute(endless).fetchall())
        timer.join()
        assert ck.open_store(path).status().batches

    def test_a_handler_of_the_users_own_is_called_once_the_store_is_closed(self, path):
        from convergekit.store.access import ask

        called = []
        usual = signal.signal(signal.SIGINT, lambda *arguments: called.append("own"))
        try:
            ask(path, lambda con: (os.kill(os.getpid(), signal.SIGINT), called.append("asked")))
        finally:
            signal.signal(signal.SIGINT, usual)
        assert called == ["asked", "own"]


def test_a_file_that_is_replaced_while_it_is_read_is_not_added(path, tmp_path, monkeypatch):
    one, other = frame((0, "one", None)), frame((0, "other", None))
    export, beside = tmp_path / "a.parquet", tmp_path / "b.parquet"
    one.to_parquet(export)
    other.to_parquet(beside)
    store = ck.open_store(path)
    usual = store_batches.read_new

    def replaced(*arguments, **named):
        os.replace(beside, export)
        return usual(*arguments, **named)

    monkeypatch.setattr(store_batches, "read_new", replaced)
    before = store.status()
    with pytest.raises(ck.ReadError, match=r"a\.parquet was changed while it was read"):
        store.add(export)
    monkeypatch.undo()
    assert store.status() == before
    assert store.add(export).events == 1
    assert "other" in set(store.aliases["alias_value"])


def test_a_second_name_of_the_same_directory_is_the_same_store(path, tmp_path):
    from convergekit.store.lock import claimed

    other = tmp_path / "other"
    other.symlink_to(path)
    with (
        claimed(path, writing=True),
        pytest.raises(ck.ConvergekitError, match="in use by this process"),
    ):
        ck.open_store(other).add(frame((0, "c", None)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_forked_while_the_store_is_open_is_told_what_to_do(path):
    from convergekit.store.lock import claimed

    store = ck.open_store(path)
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)

    def ask():
        try:
            store.status()
            sending.send("answered")
        except ck.ConvergekitError as error:
            sending.send(str(error))

    with claimed(path, writing=True):
        child = context.Process(target=ask)
        child.start()
        child.join()
    assert "was open when this process was forked" in receiving.recv()
    # The child held nothing back.
    assert store.add(frame((0, "c", None))).batch
    child = context.Process(target=ask)
    child.start()
    child.join()
    assert receiving.recv() == "answered"


class TestForget:
    ADA = "ada@example.com"

    def batches(self):
        one = frame((0, "c", self.ADA), (1, "d", "bob@example.com"))
        two = frame((2, "c", None), (3, "e", None)).assign(
            **{"properties.invited_by": [None, f"mailto:{self.ADA}"]}
        )
        return one, two

    def test_a_person_is_gone_from_every_file(self, tmp_path):
        path = tmp_path / "store"
        store = ck.open_store(path)
        export = tmp_path / f"{self.ADA}.parquet"
        self.batches()[0].to_parquet(export)
        store.add(export)
        store.add(self.batches()[1])
        s = store.stitched()
        removed = store.forget(f"urn:email:{self.ADA}")
        counts = removed.removed.set_index("table")["rows"]
        assert (counts["profiles"], counts["events"]) == (1, 2)
        assert self.ADA not in repr(removed) + removed._repr_html_()
        for file in path.rglob("*"):
            assert not file.is_file() or self.ADA.encode() not in file.read_bytes(), file
        left = s.forget(f"urn:email:{self.ADA}").stitched
        same(store.profiles, left.profiles)
        same(store.aliases, left.aliases)
        invited_by = store.stitched().events["properties.invited_by"].dropna()
        assert invited_by.tolist() == ["mailto:(erased)"]
        assert self.ADA not in store.batches["files"].iloc[0][0]
        with pytest.raises(ck.UnknownAliasError):
            store.forget(f"urn:email:{self.ADA}")
        # Neither export nor frame brings anybody back.
        assert store.add(export).batch is None
        assert store.add(self.batches()[1]).batch is None

    def test_in_a_shell(self, tmp_path):
        path = tmp_path / "store"
        ck.open_store(path).add(self.batches()[0])
        found = CliRunner().invoke(app, ["forget", f"urn:email:{self.ADA}", "--store", str(path)])
        assert "profiles" in found.stdout
        assert self.ADA not in set(ck.open_store(path).aliases["alias_value"])


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_file_operations_cut_short_lose_nothing():
    # `python -m tests.store.crash` cuts every one of them short in every way.
    seed = random.randrange(10_000)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.store.crash", "--cases", "6", "--seed", str(seed)),
            *("--scenarios", "add", "forget"),
        ],
        capture_output=True,
        text=True,
    )
    assert "0 broke a promise" in done.stdout, (seed, done.stdout, done.stderr)
    assert "6 cases" in done.stdout


def test_rows_are_those_that_were_added(path, template):
    # The index rebuilt from the files is the one that adding made.
    before = ck.open_store(path)
    tables = [before.profiles, before.aliases, before.merges, before.batches]
    ck.repair_store(path)
    after = ck.open_store(path)
    for one, other in zip(
        tables, [after.profiles, after.aliases, after.merges, after.batches], strict=True
    ):
        same(one, other)
    assert isinstance(after.batches, pd.DataFrame)
