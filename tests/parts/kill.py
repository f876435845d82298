"""Kill a run by parts at random moments, go on, and look at what comes of it.

    python -m tests.parts.kill [--kills N] [--seed N]

A run stitches files in a workdir. It is killed (SIGKILL) at a random moment, every other time while
a file is half written, and started again with the same. When it is done, its tables, its report and
a funnel must be those of memory, and another run is begun in another directory. What a killed run
leaves must say that it is not done: asked before it goes on, nothing is read as whole.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.stitching import stitched_by_parts
from convergekit.parts.workdir import MANIFEST
from tests.parts.parts_cases import check_tables

PARTS = 5
_FILES = 4
_STEPS = ["PageView", "Added To Cart"]


def make_files(directory: Path) -> None:
    """Write the files that are stitched."""
    events = ck.simulate_store(people=25, seed=7).events
    size = -(-len(events) // _FILES)
    for number in range(_FILES):
        part = events[number * size : (number + 1) * size]
        part.to_parquet(directory / f"events-{number}.parquet", index=False)


def stitched(directory: Path, run: str) -> ck.StitchedParts:
    """Stitch the files, or go on."""
    pattern = str(directory / "events-*.parquet")
    return stitched_by_parts(pattern, StitchOptions.of(), None, directory / run, parts=PARTS)


def work(directory: Path, run: str) -> None:
    """Stitch the files; say when it begins, and when it is done."""
    # What takes longest is imported before the first moment at which it may be killed.
    import convergekit.parts.result  # noqa: F401

    print("ready", flush=True)
    stitched(directory, run)
    print("done", flush=True)


def check(directory: Path, run: str, expected: ck.Stitched) -> None:
    """Go on, and raise unless everything is as in memory."""
    found = stitched(directory, run)
    check_tables(found, expected)
    assert found.report.to_dict() == expected.report.to_dict() | {
        "own_pages": found.report.own_pages
    }
    asked = found.funnel(_STEPS, within="7D")
    assert asked.counts == expected.funnel(_STEPS, within="7D").counts
    drafts = [path for path in (directory / run).rglob("*") if "draft" in path.name]
    # What a killed run left half written is written again, or removed with its folder.
    assert not drafts, drafts


def kill_at_random(directory: Path, kills: int, seed: int) -> tuple[int, int, int]:
    """Kill runs so many times; return how many runs were done, and kills within a file and at all.

    Kills that came when the run was done already are not counted.
    """
    make_files(directory)
    expected = ck.stitch(ck.read_events(str(directory / "events-*.parquet")))
    chance = random.Random(seed)
    run, runs, within, killed = "run-0", 0, 0, 0
    longest = 3.0
    while killed < kills:
        with subprocess.Popen(
            [sys.executable, "-m", "tests.parts.kill", "--work", str(directory), "--run", run],
            stdout=subprocess.PIPE,
            text=True,
        ) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
            started = time.monotonic()
            if killed % 2:
                time.sleep(chance.uniform(0, longest / 2))
                _wait_for_draft(directory / run, longest / 2)
            else:
                time.sleep(chance.uniform(0, longest))
            worker.send_signal(signal.SIGKILL)
            said = worker.stdout.read()
        if said == "done\n":
            longest = max(time.monotonic() - started, 0.2)
            check(directory, run, expected)
            runs += 1
            run = f"run-{runs}"
            continue
        assert worker.returncode == -signal.SIGKILL, worker.returncode
        killed += 1
        left = any("draft" in path.name for path in (directory / run).rglob("*"))
        within += left
        print(f"kill {killed}: {_done(directory / run)}{', cut short' * left}", flush=True)
        if killed == kills:
            check(directory, run, expected)
            runs += 1
    return runs, within, killed


def _done(workdir: Path) -> str:
    """Return how far a run has come, as its manifest says."""
    path = workdir / MANIFEST
    if not path.exists():
        return "nothing"
    done = json.loads(path.read_text("utf-8"))["done"]
    return (
        f"{done['units']} files read, {done['split']} of {len(done['blocks'])} blocks split, "
        f"{done['stitched']} of {done['parts']} parts stitched"
    )


def _wait_for_draft(workdir: Path, seconds: float) -> None:
    """Wait until a file is written, or so long."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        # What is listed may be gone by then.
        with contextlib.suppress(OSError):
            if any("draft" in path.name for path in workdir.rglob("*")):
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", metavar="DIRECTORY", help="Be the run that is killed.")
    parser.add_argument("--run", metavar="NAME", help="In which directory below.")
    arguments = parser.parse_args()
    if arguments.work:
        work(Path(arguments.work), arguments.run)
        return
    with tempfile.TemporaryDirectory() as directory:
        runs, within, killed = kill_at_random(Path(directory), arguments.kills, arguments.seed)
    print(
        f"{killed} kills, {within} of them while a file was written: {runs} runs, each with the "
        "answers of memory"
    )


if __name__ == "__main__":
    main()
