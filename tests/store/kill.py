"""Kill a process that adds to a store, at random moments, and look at what is left.

    python -m tests.store.kill [--kills N] [--seed N]

A writer adds small batches one after the other and writes down each one that `add` returned for.
It is killed (SIGKILL) at a random moment, every other time while a batch is written into the file,
and started again with what is not there yet. After each kill the store must hold every batch that
was written down, at most one more, and no part of a batch, and must equal stitching these. When
nearly all batches are in, another store is begun.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

import convergekit as ck
from tests.store.store_cases import same

BATCHES = 400
_PEOPLE = 40
#: A writer adds fewer before it is killed.
_MOST_AT_ONCE = 20


def parts() -> list[pd.DataFrame]:
    """Return the batches, which name themselves in a property."""
    events = ck.simulate_store(people=_PEOPLE, seed=7).events
    size = max(1, len(events) // BATCHES)
    cut = [events[start : start + size] for start in range(0, len(events), size)]
    return [part.reset_index(drop=True).assign(batch=i) for i, part in enumerate(cut)]


def write(path: Path, log: Path) -> None:
    """Add what is not there yet; write down what `add` returned for."""
    store = ck.open_store(path)
    print("ready", flush=True)
    done = store.status().batches
    with log.open("a") as lines:
        for part in parts()[done:]:
            added = store.add(part)
            lines.write(f"{added.batch}\n")
            lines.flush()
            os.fsync(lines.fileno())
            print("added", flush=True)


def check(path: Path, log: Path) -> int:
    """Raise unless the store is whole; return how many batches it holds."""
    if not path.exists():
        assert not log.exists()
        return 0
    store = ck.open_store(path)
    status = store.status()
    returned = len(log.read_text().split()) if log.exists() else 0
    assert returned <= status.batches <= returned + 1, (returned, status.batches)
    expected = parts()[: status.batches]
    assert status.rows == sum(map(len, expected))
    if expected:
        s = ck.stitch(pd.concat(expected, ignore_index=True))
        same(store.stitched().events, s.events)
        same(store.aliases, s.aliases)
        same(store.profiles, s.profiles)
    # What a killed process returned for is written down late by one at most.
    log.write_text("".join(f"{i + 1}\n" for i in range(status.batches)))
    return status.batches


def kill_at_random(directory: Path, kills: int, seed: int) -> tuple[int, int]:
    """Kill a writer so many times; return how many batches there are, and kills within a batch."""
    path, log = directory / "store", directory / "returned.txt"
    chance, last = random.Random(seed), len(parts()) - _MOST_AT_ONCE
    within, batches, earlier, longest = 0, 0, 0, 1.0
    for number in range(kills):
        if batches >= last:
            earlier += batches
            shutil.rmtree(path)
            log.unlink()
        with subprocess.Popen(
            [sys.executable, "-m", "tests.store.kill", "--write", str(directory)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            # Each tenth time at any moment from the start, else after a batch or two.
            for _ in range(chance.choice([2, 3]) if number % 10 else 0):
                started = time.monotonic()
                said = writer.stdout.readline()
                longest = time.monotonic() - started if said == "added\n" else longest
            if number % 2:
                # What is written begins with the batch's file, as a draft.
                _wait_for_draft(path / "batches", 3 * longest)
                time.sleep(chance.uniform(0, 0.01))
            else:
                time.sleep(chance.uniform(0, longest))
            writer.send_signal(signal.SIGKILL)
        assert writer.returncode == -signal.SIGKILL, writer.returncode
        left = bool(_drafts(path)) or (path / "index.duckdb.wal").exists()
        within += left
        batches = check(path, log)
        print(f"kill {number + 1}: {batches} batches{', cut short' * left}", flush=True)
    return earlier + batches, within


def _drafts(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if ".draft" in found.name]


def _wait_for_draft(batches: Path, seconds: float) -> None:
    """Wait until a batch is written, or so long."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and not _drafts(batches):
        time.sleep(0.0005)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", metavar="DIRECTORY", help="Be the writer.")
    arguments = parser.parse_args()
    if arguments.write:
        directory = Path(arguments.write)
        write(directory / "store", directory / "returned.txt")
        return
    with tempfile.TemporaryDirectory() as directory:
        batches, within = kill_at_random(Path(directory), arguments.kills, arguments.seed)
    print(
        f"{arguments.kills} kills, {within} of them while something was written: "
        f"{batches} batches, every one whole, none lost"
    )


if __name__ == "__main__":
    main()
