"""Cut short every file operation of a store, and look at what is left.

    python -m tests.store.crash [--cases N] [--scenarios add forget ...] [--seed N]

A library that is loaded before all others (`crash.c`, built here with the C compiler) ends
the process at its n-th file operation in one of several ways, or lets the operation fail. Each
scenario is run once to count its operations, and then once for each of them and each way: all of
them by default, or as many as are asked for, drawn by the seed.

Whatever happened, the store must open, or one `repair_store` must make it open; it must hold all
that was returned for, and nothing by halves; and it must take the next batch. An error that reached
the caller must be one of convergekit's, and what it says of the store must be true.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import itertools
import json
import os
import pickle
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import convergekit as ck

#: By their number in crash.c.
WAYS = {
    "killed": 2,
    "torn": 3,
    "disk full from there on": 4,
    "I/O error": 5,
    "interrupted": 6,
    "power cut": 7,
}
_COUNT = 1
_SOURCE = Path(__file__).with_name("crash.c")
_PEOPLE = 12
_ADA = "ada.lovelace@example.com"
_BATCH = "properties.batch"


@functools.cache
def batches() -> list[pd.DataFrame]:
    """Return three batches; somebody is to be forgotten who is in all of them."""
    events = ck.simulate_store(people=_PEOPLE, seed=5).events
    size = len(events) // 3
    parts = [events[i * size : (i + 1) * size].reset_index(drop=True) for i in range(3)]
    return [
        pd.concat(
            [
                part,
                pd.DataFrame(
                    {
                        "event_name": ["PageView"],
                        "timestamp": pd.to_datetime([f"2026-03-0{i + 2}T10:00:00Z"]),
                        "alias.email": [_ADA],
                        "alias.cookie": ["cookie-of-ada"],
                    }
                ),
            ],
            ignore_index=True,
        ).assign(**{_BATCH: i})
        for i, part in enumerate(parts)
    ]


@dataclass(frozen=True)
class Scenario:
    """What is cut short.

    Attributes
    ----------
    prepare : callable
        Makes what is there before, in a directory.
    act : callable
        What is cut short; it returns once the change is to be relied on.
    before, after : str
        What the store holds, if nothing was done and if all was: a name in `expected`.
    """

    prepare: Callable[[Path], None]
    act: Callable[[Path], object]
    before: str
    after: str


def _store_of(count: int) -> Callable[[Path], None]:
    def prepare(directory: Path) -> None:
        store = ck.open_store(directory / "store")
        for part in batches()[:count]:
            store.add(part)
        store.status()

    return prepare


def _first_format(directory: Path) -> None:
    from tests.store.store_first_format import write_first_format

    _store_of(2)(directory)
    (directory / "store").rename(directory / "newer")
    write_first_format(directory / "newer", directory / "store")
    shutil.rmtree(directory / "newer")


def _damaged(directory: Path) -> None:
    _store_of(2)(directory)
    (directory / "store" / "manifest.json").unlink()


def _damaged_batch(directory: Path) -> None:
    _store_of(2)(directory)
    file = next((directory / "store" / "batches").glob("000002-*"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def _without_index(directory: Path) -> None:
    _store_of(2)(directory)
    (directory / "store" / "index.duckdb").unlink()


def _at(directory: Path) -> Path:
    return directory / "store"


SCENARIOS = {
    "create": Scenario(lambda directory: None, lambda d: ck.open_store(_at(d)), "nothing", "0"),
    "add": Scenario(_store_of(2), lambda d: ck.open_store(_at(d)).add(batches()[2]), "2", "3"),
    "migrate": Scenario(_first_format, lambda d: ck.open_store(_at(d)).status(), "2", "2"),
    "forget": Scenario(
        _store_of(3),
        lambda d: ck.open_store(_at(d)).forget(f"urn:email:{_ADA}"),
        "3",
        "3 without",
    ),
    "repair": Scenario(_damaged, lambda d: ck.repair_store(_at(d)), "2", "2"),
    "repair a batch": Scenario(_damaged_batch, lambda d: ck.repair_store(_at(d)), "2", "2"),
    "index": Scenario(_without_index, lambda d: ck.open_store(_at(d)).status(), "2", "2"),
}


def expected() -> dict[str, pd.DataFrame | None]:
    """Return the profiles of each state in which a store may be left."""
    states: dict[str, pd.DataFrame | None] = {"nothing": None}
    parts = batches()
    for count in range(4):
        if count:
            states[str(count)] = ck.stitch(pd.concat(parts[:count], ignore_index=True)).profiles
    states["0"] = None
    s = ck.stitch(pd.concat(parts, ignore_index=True))
    states["3 without"] = s.forget(f"urn:email:{_ADA}").stitched.profiles
    return states


class LostError(AssertionError):
    """What a store must not do."""


def check(directory: Path, scenario: Scenario, outcome: str, states: dict) -> None:
    """Raise unless a store is as it must be after what happened.

    Parameters
    ----------
    directory : pathlib.Path
    scenario : Scenario
    outcome : str
        ``"returned"``, ``"ended"`` (without returning), or the text of an error.
    states : dict
        As `expected` returns it.
    """
    path = _at(directory)
    allowed = {scenario.before, scenario.after}
    if outcome == "returned" or "before the interruption" in outcome:
        allowed = {scenario.after}
    elif "Nothing was changed" in outcome:
        allowed = {scenario.before}
    try:
        store = ck.open_store(path)
        store.status()
    except ck.DamagedStoreError:
        ck.repair_store(path)
        store = ck.open_store(path)
    count = len(store.batches)
    profiles = store.profiles
    without = _ADA not in set(store.aliases["alias_value"]) and count == 3
    state = "0" if not count else f"{count} without" if without else str(count)
    if "nothing" in allowed:
        allowed.add("0")
    if state not in allowed:
        raise LostError(f"{state} batches, not {allowed}; {outcome}")
    if states[state] is not None:
        if without:
            # Numbering of columns aside, nobody else changed.
            same = profiles["profile_id"].tolist() == states[state]["profile_id"].tolist()
        else:
            same = profiles.equals(states[state])
        if not same:
            raise LostError(f"profiles of {state} batches are others")
        rows = store.stitched().events[_BATCH].dropna().astype(int)
        if sorted(set(rows)) != list(range(count)):
            raise LostError(f"rows of batches {sorted(set(rows))} of {count}")
    if without:
        left = [file for file in path.rglob("*") if file.is_file() and _holds(file)]
        if left and outcome == "returned":
            raise LostError(f"the forgotten are still in {left}")
    added = store.add(batches()[0][:1].assign(**{_BATCH: 99}))
    if added.batch != count + 1:
        raise LostError("the next batch was not added")
    stray = {file.name for file in directory.iterdir()} - {"store"}
    if stray or any(".draft" in file.name for file in path.rglob("*")):
        raise LostError(f"left over: {stray or list(path.rglob('*.draft'))}")
    if without and any(file.is_file() and _holds(file) for file in path.rglob("*.parquet")):
        raise LostError("the forgotten are still in a batch")


def _holds(file: Path) -> bool:
    content = file.read_bytes()
    return _ADA.encode() in content or b"cookie-of-ada" in content


class Harness:
    """Runs scenarios in processes of their own, forked from this one.

    It must itself run with the library loaded: see `main`.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._library = ctypes.CDLL(None)
        self._library.crash_count.restype = ctypes.c_long
        self._states = expected()
        self._templates: dict[str, Path] = {}
        self._numbers = itertools.count()

    def operations(self, name: str) -> int:
        """Return how many file operations a scenario has."""
        directory = self._copy(name)
        _, said = self._act(directory, SCENARIOS[name], _COUNT, 0)
        shutil.rmtree(directory)
        return int(said["count"])

    def run(self, name: str, way: str, at: int) -> str:
        """Cut a scenario short, and check what is left; return the kind of its outcome."""
        directory, scenario = self._copy(name), SCENARIOS[name]
        journal = self._work / "journal"
        status, said = self._act(directory, scenario, WAYS[way], at, journal)
        if way == "power cut" and journal.exists():
            lose_what_was_not_forced(directory, journal.read_bytes())
        outcome = said.get("outcome", "ended")
        if said.get("raw"):
            raise LostError(f"an error that is not convergekit's: {said['raw']}")
        if status == -signal.SIGABRT:
            # DuckDB ends a process that cannot cut its log, rather than go on with a wrong one.
            outcome = "ended by DuckDB"
        elif status not in (0, -signal.SIGKILL):
            raise LostError(f"the process ended with {status}")
        self._forked(lambda send: check(directory, scenario, outcome, self._states))
        shutil.rmtree(directory)
        return outcome if outcome in ("returned", "ended", "ended by DuckDB") else "error"

    def _copy(self, name: str) -> Path:
        if name not in self._templates:
            template = self._work / f"template-{len(self._templates)}"
            template.mkdir()
            self._forked(lambda send: SCENARIOS[name].prepare(template))
            self._templates[name] = template
        directory = self._work / f"case-{next(self._numbers)}"
        shutil.copytree(self._templates[name], directory, copy_function=shutil.copyfile)
        return directory

    def _act(
        self, directory: Path, scenario: Scenario, mode: int, at: int, journal: Path | None = None
    ) -> tuple[int, dict]:
        def act(send: Callable[[dict], None]) -> None:
            undo = -1
            if journal is not None:
                undo = os.open(journal, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._library.crash_arm(str(directory).encode(), mode, at, undo)
            try:
                scenario.act(directory)
                said = {"outcome": "returned"}
            except (ck.ConvergekitError, KeyboardInterrupt, MemoryError) as error:
                said = {"outcome": f"{type(error).__name__}: {error}"}
            except BaseException:
                said = {"raw": traceback.format_exc()}
            said["count"] = self._library.crash_count()
            self._library.crash_off()
            send(said)

        return self._forked(act, fails=False)

    def _forked(self, work: Callable, *, fails: bool = True) -> tuple[int, dict]:
        """Do work in a process of its own; return how it ended, and what it sent."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            try:
                work(lambda said: os.write(writing, pickle.dumps(said)))
                code = 0
            except BaseException:
                os.write(writing, pickle.dumps({"error": traceback.format_exc()}))
                code = 1
            os._exit(code)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            sent = pipe.read()
        _, status = os.waitpid(child, 0)
        said = pickle.loads(sent) if sent else {}
        ended = os.waitstatus_to_exitcode(status)
        if fails and (ended or "error" in said):
            raise LostError(said.get("error", f"ended with {ended}"))
        return ended, said


def lose_what_was_not_forced(directory: Path, journal: bytes) -> None:
    """Take back what was written, but not forced to the drive before the power went."""
    entry = struct.Struct("=QQQQQ")
    pending: dict[int, list] = {}
    place = 0
    while place + entry.size <= len(journal):
        inode, offset, synced, size, count = entry.unpack_from(journal, place)
        place += entry.size
        if synced:
            pending.pop(inode, None)
            continue
        pending.setdefault(inode, []).append((offset, size, journal[place : place + count]))
        place += count
    for file in directory.rglob("*"):
        for offset, size, old in reversed(pending.get(file.stat().st_ino, [])):
            with file.open("r+b") as opened:
                opened.seek(offset)
                opened.write(old)
                opened.truncate(size)


def search(cases: int | None, scenarios: list[str], seed: int) -> int:
    """Cut scenarios short, print what came of it, and return how many broke a promise."""
    os.environ["CONVERGEKIT_KERNELS"] = "never"
    broken = 0
    with tempfile.TemporaryDirectory() as directory:
        harness = Harness(Path(directory))
        operations = {name: harness.operations(name) for name in scenarios}
        every = [
            (name, way, at)
            for name, count in operations.items()
            for way in WAYS
            for at in range(1, count + 1)
        ]
        if cases is not None:
            every = random.Random(seed).sample(every, min(cases, len(every)))
        counts: Counter[tuple[str, str]] = Counter()
        outcomes: Counter[str] = Counter()
        for name, way, at in every:
            counts[name, way] += 1
            try:
                outcomes[harness.run(name, way, at)] += 1
            except LostError as error:
                broken += 1
                print(f"BROKEN: {name}, {way} at operation {at}: {error}", flush=True)
    width = max(map(len, WAYS))
    for name in scenarios:
        print(f"\n{name}: {operations[name]} file operations")
        for way in WAYS:
            print(f"  {way:<{width}} {counts[name, way]:>6,}")
    print(f"\n{len(every):,} cases: {json.dumps(dict(outcomes))}; {broken} broke a promise")
    return broken


def build(directory: Path) -> Path | None:
    """Build the library; None where there is no C compiler, or no Linux to load it."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    built = directory / "crash.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(_SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True)
    return built if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loaded", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loaded:
        sys.exit(search(arguments.cases, arguments.scenarios, arguments.seed) > 0)
    with tempfile.TemporaryDirectory() as directory:
        library = build(Path(directory))
        if library is None:
            sys.exit("This needs Linux and a C compiler (cc).")
        command = [sys.executable, "-m", "tests.store.crash", "--loaded", *sys.argv[1:]]
        environment = {**os.environ, "LD_PRELOAD": str(library)}
        sys.exit(subprocess.run(command, env=environment).returncode)


if __name__ == "__main__":
    main()
