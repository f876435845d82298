"""Whatever ends a write, the old files are found whole, or the new ones."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import threading
import time

import pytest

import convergekit as ck
from convergekit.base.durable import newest, whole_file, whole_files
from tests.writers.file_faults import failing

OLD = {"a.txt": b"old a", "b.txt": b"old b", "c.txt": b"old c"}
NEW = {"a.txt": b"new a" * 1000, "b.txt": b"new b"}


def raising(error):
    def fail():
        raise error

    return fail


def put(path, content):
    with whole_file(path) as file:
        file.write(content)


def write(directory, files):
    with whole_files(directory, gone=OLD) as draft:
        for name, content in files.items():
            (draft / name).write_bytes(content)


def error_of(write_something):
    """Return the WriteError, or None; an interrupt is one of the tests' own."""
    try:
        write_something()
    except ck.WriteError as error:
        return str(error)
    except KeyboardInterrupt:
        return None
    return None


def found(directory):
    return {
        name: newest(directory, name).read_bytes()
        for name in OLD
        if newest(directory, name).exists()
    }


def names(directory):
    return sorted(path.name for path in directory.iterdir())


FAULTS = [
    OSError(errno.ENOSPC, "No space left on device"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: repr(fault)[:20])
def test_a_file_is_whole_whichever_operation_fails(tmp_path, fault):
    path = tmp_path / "a.txt"
    for at in itertools.count(1):
        path.write_bytes(b"old")
        with failing(tmp_path, at, raising(fault)) as seen:
            said = error_of(lambda: put(path, b"new" * 10_000))
        assert said is None or said.startswith(f"{path} cannot be written: "), said
        assert path.read_bytes() in (b"old", b"new" * 10_000), at
        if seen.seen < at:
            break
        put(path, b"again")
        assert (path.read_bytes(), names(tmp_path)) == (b"again", ["a.txt"])
    assert at > 6
    assert path.read_bytes() == b"new" * 10_000


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: repr(fault)[:20])
def test_several_files_are_whole_whichever_operation_fails(tmp_path, fault):
    for at in itertools.count(1):
        directory = tmp_path / str(at)
        write(directory, OLD)
        (directory / "mine.txt").write_bytes(b"mine")
        with failing(directory, at, raising(fault)) as seen:
            said = error_of(lambda directory=directory: write(directory, NEW))
        assert said is None or said.startswith(str(directory)), said
        assert found(directory) in (OLD, NEW), at
        if seen.seen < at:
            break
        write(directory, NEW)
        assert names(directory) == ["a.txt", "b.txt", "mine.txt"]
        assert found(directory) == NEW
    assert at > 15
    assert (directory / "mine.txt").read_bytes() == b"mine"


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.writers.file_faults import failing
from tests.base.test_durable import NEW, OLD, found, names, write

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

at, died = 0, 1
while died:
    at += 1
    directory = Path(sys.argv[1], str(at))
    write(directory, OLD)
    child = os.fork()
    if not child:
        with failing(directory, at, killed):
            write(directory, NEW)
        os._exit(0)
    died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert found(directory) in (OLD, NEW), (at, names(directory))
    write(directory, NEW)
    assert names(directory) == ["a.txt", "b.txt"], at
    assert found(directory) == NEW, at
print(at)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_kill_at_any_operation_leaves_whole_files(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15


def test_a_draft_that_somebody_is_at_is_left_alone(tmp_path):
    with whole_file(tmp_path / "a.txt") as one:
        one.write(b"one")
        write(tmp_path, NEW)
        with whole_file(tmp_path / "b.txt") as other:
            other.write(b"other")
    assert found(tmp_path) == {"a.txt": b"one", "b.txt": b"other"}
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_two_that_write_the_same_files_leave_those_of_one(tmp_path):
    versions = [dict.fromkeys(OLD, str(number).encode()) for number in range(4)]
    until = time.monotonic() + 0.5

    def keep_writing(files):
        while time.monotonic() < until:
            write(tmp_path, files)

    threads = [threading.Thread(target=keep_writing, args=[files]) for files in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(tmp_path) in versions
    assert names(tmp_path) == list(OLD)


def test_what_cannot_be_written_says_why(tmp_path):
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "file").touch()
    for path in ("a.txt", "nowhere/a.txt", "file/a.txt", "n" * 300, "nul\0"):
        with pytest.raises(ck.WriteError):
            put(tmp_path / path, b"new")
    for path in ("file", "file/a", "n" * 300, "nul\0"):
        with pytest.raises(ck.WriteError):
            write(tmp_path / path, NEW)
    with pytest.raises(ck.WriteError, match=r"a\.txt is not a file"):
        write(tmp_path, NEW)
    assert names(tmp_path) == ["a.txt", "file"]
    with pytest.raises(ck.WriteError, match="5 is not a path"):
        write(5, NEW)


def test_a_directory_that_was_made_for_nothing_is_taken_back(tmp_path):
    with pytest.raises(RuntimeError), whole_files(tmp_path / "some" / "where"):
        raise RuntimeError
    assert names(tmp_path) == []


def test_links_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    put(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), real.stat().st_mode & 0o777) == (b"new", 0o640)
    (tmp_path / "a.txt").write_bytes(b"old")
    (tmp_path / "a.txt").chmod(0o604)
    write(tmp_path, NEW)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o604


def test_a_name_as_long_as_names_may_be(tmp_path):
    path = tmp_path / ("n" * 255)
    put(path, b"new")
    assert path.read_bytes() == b"new"
