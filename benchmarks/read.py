"""Reading large files: seconds, and the peak memory of a fresh process.

    python -m benchmarks.read [--megabytes N] [--repeats N] [--format NAME ...]

A simulated store's browser events are written to the temporary directory in the spelling of
Converge's pixel, and as Segment's calls; of other formats the sample in ``data/exports`` is
written again and again, each time with other identifiers. Each file is read by a process that does
nothing else. The peak is that of the whole process, the returned frame included.

"of both" is the processor time as a multiple of what Arrow takes to parse the file, and
`ck.read_events` to read the same rows from Parquet; the three take turns, and medians are
printed. Before a time is, two frames must be equal to the one that was read: that of the rows in
Parquet, and, for the first lines, that of the objects as Python's own reader has them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.json

import convergekit as ck
from benchmarks.stitch import machine

Call = dict[str, Any]

#: People of the simulated store that is written until the file is full.
PEOPLE = 20_000
#: Stands in identifiers for the number of the round.
ROUND = "~~"
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4"
#: So many lines are read as objects, too.
OBJECTS = 10_000
EXPORTS = Path(__file__).parents[1] / "data" / "exports"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--format", choices=FORMATS, action="append")
    parser.add_argument("--write", nargs=2, metavar=("FORMAT", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=2, metavar=("FORMAT", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        name, path = arguments.write
        write(FORMATS[name](), [Path(path)], arguments.megabytes)
    elif arguments.read:
        print(json.dumps(read(*arguments.read, arguments.repeats)))
    else:
        print(machine())
        print("equal: rows read from the file, from Parquet, and the first of them as objects\n")
        print(
            f"{'format':<18}{'MB':>7}{'rows':>12}{'processor':>11}{'clock':>8}{'MB/s':>7}"
            f"{'peak MB':>9}{'of both':>9}"
        )
        for name in arguments.format or FORMATS:
            measure(name, arguments.megabytes, arguments.repeats)


def measure(name: str, megabytes: int, repeats: int) -> None:
    """Print what reading a file of one format takes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{name}.jsonl")
        in_a_process("--write", name, str(path), "--megabytes", str(megabytes))
        found = json.loads(in_a_process("--read", name, str(path), "--repeats", str(repeats)))
        size = path.stat().st_size / 1e6
    print(
        f"{name:<18}{size:>7,.0f}{found['rows']:>12,}{found['processor']:>11.2f}"
        f"{found['clock']:>8.2f}{size / found['clock']:>7.0f}{found['peak'] / 1e6:>9,.0f}"
        f"{found['processor'] / found['both']:>9.2f}",
        flush=True,
    )


def in_a_process(*arguments: str) -> str:
    """Run this module again: a process counts the memory of the one that started it as its own."""
    command = [sys.executable, "-m", "benchmarks.read", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def read(name: str, path: str, repeats: int) -> dict[str, float]:
    """Read the file, check what came, and return the seconds of it and of its parts."""
    few = Path(f"{path}.few.jsonl")
    with open(path, "rb") as file:
        few.write_bytes(b"".join(itertools.islice(file, 100)))
    # The first call imports what reading needs.
    ck.read_events(few, format=name)
    first, events = timed(lambda: ck.read_events(path, format=name))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    rows = str(Path(path).with_suffix(".parquet"))
    events.drop(columns=["file", "line"]).to_parquet(rows)
    check(name, path, rows, events)
    size = len(events)
    del events
    taken, both = [first], []
    for turn in range(repeats):
        if turn:
            taken.append(timed(lambda: ck.read_events(path, format=name))[0])
        parsing, _ = timed(lambda: pyarrow.json.read_json(path))
        from_rows, _ = timed(lambda: ck.read_events(rows, format="converge"))
        both.append(parsing[0] + from_rows[0])
    processor, clock = (statistics.median(times) for times in zip(*taken, strict=True))
    return {
        "rows": size,
        "processor": processor,
        "clock": clock,
        "peak": peak,
        "both": statistics.median(both),
    }


def timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return the seconds of the processor and of the clock, and the result."""
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return (time.process_time() - processor, time.perf_counter() - clock), made


def check(name: str, path: str, rows: str, events: pd.DataFrame) -> None:
    """Raise unless every row came, and is what it is when it is read in another way."""
    with open(path, "rb") as file:
        head = [json.loads(line) for line in itertools.islice(file, OBJECTS)]
        assert events["line"].nunique() == len(head) + sum(1 for _ in file)
    assert "read_error" not in events
    same(ck.read_events(rows, format="converge"), events)
    # Beyond its end there may be columns that none of the first rows has.
    same(ck.read_events(pd.DataFrame(head), format=name), events[events["line"] <= len(head)])


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Raise unless the frames are equal but for where their rows come from, and empty columns."""
    found, expected = (
        frame.drop(columns=["file", "line", "source"], errors="ignore")
        .dropna(axis="columns", how="all")
        .sort_index(axis="columns")
        for frame in (one, other)
    )
    assert list(found) == list(expected), set(found) ^ set(expected)
    for column in found:
        mine, theirs = (
            [None if cell is pd.NA or cell != cell else cell for cell in frame[column].tolist()]
            for frame in (found, expected)
        )
        assert mine == theirs, column


def write(lines: Iterable[str], paths: list[Path], megabytes: int) -> None:
    """Write the lines again and again, each time of other people, until the files are full."""
    lines = list(lines)
    numbers = itertools.count()
    for path in paths:
        size = 0
        with path.open("w", encoding="utf-8") as file:
            while size < megabytes * 1e6 / len(paths):
                ending = f"-{next(numbers)}"
                for line in lines:
                    size += file.write(line.replace(ROUND, ending))
                    if size >= megabytes * 1e6 / len(paths):
                        break


def simulated(spelling: Callable[[Call], Call], *, orders: bool = False) -> Iterable[str]:
    """Return the lines of a simulated store's browser events, with marks in their identifiers.

    With orders, these stand among them, as if the pixel had sent them.
    """
    with tempfile.TemporaryDirectory() as directory:
        browser, server, *_ = ck.simulate_store(PEOPLE, seed=1, noise=0).write(directory)
        calls = [json.loads(line) for line in browser.read_text("utf-8").splitlines()]
        if orders:
            calls += map(_as_pixel, json.loads(server.read_text("utf-8")))
            calls.sort(key=lambda call: call["timestamp"])
    for number, call in enumerate(calls):
        call["eventID"] = f"{number}{ROUND}"
        call["aliases"] = [urn + ROUND for urn in call["aliases"]]
        yield json.dumps(spelling(call)) + "\n"


def _as_pixel(order: Call) -> Call:
    """Return the call of a server in the spelling of the pixel."""
    time = pd.to_datetime(order["timestamp"], utc=True)
    return {
        "method": "track",
        "eventName": order["event_name"],
        "timestamp": f"{time:%Y-%m-%dT%H:%M:%S}.000Z",
        "receivedAt": order["received_at"],
        "properties": order["properties"],
        "profileProperties": order["profile_properties"],
        "aliases": order["aliases"],
    }


def sample(file: str) -> Iterable[str]:
    """Return the lines of a sample, with marks in what is read as an ID or an alias."""
    path = EXPORTS / file
    events = ck.read_events(path)
    names = [name for name in events if name == "event_id" or name.startswith("alias.")]
    known = {str(value) for name in names for value in events[name].dropna()}
    for line in path.read_text("utf-8").splitlines():
        yield json.dumps(_marked(json.loads(line), known)) + "\n"


def _marked(value: Any, known: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _marked(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, known) for inner in value]
    return value + ROUND if isinstance(value, str) and value in known else value


def as_segment(call: Call) -> Call:
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


#: RudderStack's calls are read as Segment's are.
FORMATS: dict[str, Callable[[], Iterable[str]]] = {
    "converge": lambda: simulated(lambda call: call),
    "segment": lambda: simulated(as_segment),
    "ga4": lambda: sample("ga4.jsonl"),
    "posthog": lambda: sample("posthog.jsonl"),
    "mixpanel": lambda: sample("mixpanel.jsonl"),
    "amplitude": lambda: sample("amplitude.jsonl"),
    "converge_bigquery": lambda: sample("converge_bigquery_events.jsonl"),
}

if __name__ == "__main__":
    main()
