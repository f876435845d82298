"""Reading large JSON Lines files: seconds and the peak memory of a fresh process.

    python -m benchmarks.read [--megabytes N] [--format NAME]

A simulated store's browser events are written to the temporary directory, once in the spelling of
Converge's pixel and once as Segment's calls, and each file is read by a process that does nothing
else. The peak is that of the whole process, the returned frame included. "of both" is the time as a
multiple of what Arrow takes to parse the file, and `ck.read_events` to read its rows from Parquet.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.json

import convergekit as ck
from benchmarks.stitch import machine

Spelling = Callable[[dict[str, Any]], dict[str, Any]]

#: People of the simulated store that is written until the file is full.
PEOPLE = 20_000
#: Stands in identifiers for the number of the round.
ROUND = "~~"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--format", choices=SPELLINGS, action="append")
    parser.add_argument("--write", nargs=2, metavar=("FORMAT", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=2, metavar=("FORMAT", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(SPELLINGS[arguments.write[0]], Path(arguments.write[1]), arguments.megabytes)
    elif arguments.read:
        print(json.dumps(read(*arguments.read)))
    else:
        print(machine())
        print(
            f"\n{'format':<12}{'MB':>8}{'rows':>12}{'seconds':>10}{'MB/s':>8}{'peak MB':>10}",
            end="",
        )
        print(f"{'of both':>9}")
        for name in arguments.format or SPELLINGS:
            measure(name, arguments.megabytes)


def measure(name: str, megabytes: int) -> None:
    """Print what reading a file of one format takes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{name}.jsonl")
        in_a_process("--write", name, str(path), "--megabytes", str(megabytes))
        found = json.loads(in_a_process("--read", name, str(path)))
        size = path.stat().st_size / 1e6
    print(
        f"{name:<12}{size:>8,.0f}{found['rows']:>12,}{found['seconds']:>10.1f}"
        f"{size / found['seconds']:>8.1f}{found['peak'] / 1e6:>10,.0f}"
        f"{found['seconds'] / found['both']:>9.2f}"
    )


def in_a_process(*arguments: str) -> str:
    """Run this module again: a process counts the memory of the one that started it as its own."""
    command = [sys.executable, "-m", "benchmarks.read", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def read(name: str, path: str) -> dict[str, float]:
    """Read the file, and check that every row came."""
    few = Path(f"{path}.few.jsonl")
    with open(path, "rb") as file:
        few.write_bytes(b"".join(itertools.islice(file, 100)))
    # The first call imports what reading needs.
    ck.read_events(few, format=name)
    start = time.perf_counter()
    events = ck.read_events(path, format=name)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open(path, "rb") as file:
        assert len(events) == sum(1 for _ in file)
    assert "read_error" not in events
    assert events["event_name"].notna().all()
    return {"rows": len(events), "seconds": seconds, "peak": peak, "both": both(path, events)}


def both(path: str, events: pd.DataFrame) -> float:
    """Return what parsing the file takes, and reading its rows from Parquet."""
    rows = f"{path}.parquet"
    events.drop(columns=["file", "line"]).to_parquet(rows)
    start = time.perf_counter()
    pyarrow.json.read_json(path)
    ck.read_events(rows, format="converge")
    return time.perf_counter() - start


def write(spelling: Spelling, path: Path, megabytes: int) -> None:
    """Write a simulated store's events again and again, each time of other people."""
    with tempfile.TemporaryDirectory() as directory:
        browser, *_ = ck.simulate_store(PEOPLE, seed=1, noise=0).write(directory)
        calls = [json.loads(line) for line in browser.read_text("utf-8").splitlines()]
    for number, call in enumerate(calls):
        call["eventID"] = f"{number}{ROUND}"
        call["aliases"] = [urn + ROUND for urn in call["aliases"]]
    lines = [json.dumps(spelling(call)) + "\n" for call in calls]
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for round_number in itertools.count():
            for line in lines:
                size += file.write(line.replace(ROUND, f"-{round_number}"))
                if size >= megabytes * 1e6:
                    return


def as_segment(call: dict[str, Any]) -> dict[str, Any]:
    """Return a pixel's call as analytics.js would have sent it to Segment."""
    aliases = dict(urn.split(":", 2)[1:] for urn in call["aliases"])
    known = call["profileProperties"]
    page = {"url": call["properties"].get("$url"), "referrer": "", "path": "/"}
    utm = {key.removeprefix("utm_"): value for key, value in known.items() if "utm" in key}
    properties = call["properties"] | {
        name: aliases[name] for name in ("cart_token", "checkout_token") if name in aliases
    }
    return {
        "anonymousId": aliases.get("cookie"),
        "userId": aliases.get("customer_id"),
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
            "ip": "203.0.113.10",
            "userAgent": AGENT,
            "locale": "en-GB",
            "page": page,
            **({"campaign": utm} if utm else {}),
            **({"traits": {"email": known["$email"]}} if "$email" in known else {}),
        },
        "messageId": f"ajs-next-{call['eventID']}",
        "originalTimestamp": call["timestamp"],
        "sentAt": call["timestamp"],
        "receivedAt": call["receivedAt"],
        "timestamp": call["timestamp"],
        "type": "track",
        "event": call["eventName"],
        "properties": properties,
    }


SPELLINGS: dict[str, Spelling] = {
    "converge": lambda call: call,
    "segment": as_segment,
}

if __name__ == "__main__":
    main()
