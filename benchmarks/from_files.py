"""From files to a stitched funnel, beside the same job written by hand in Polars and in DuckDB.

    pip install -e '.[duckdb,fast,polars]' --group bench
    python -m benchmarks.from_files [--megabytes N] [--repeats N]

A simulated store's events lie in ten files, in the spelling of Converge's pixel: aliases as lists
of URNs, properties as objects. Each contender reads them, keeps every event once, finds the
profiles, carries profile properties forward and counts three steps within seven days. The counts
must be equal before a time is printed. The scripts know the types of aliases and the fields that
they need, which `ck.read_events` finds out, and do not look for bad rows. Each run has a process of
its own, in which one small file was read and counted before; runs take turns, and medians are
printed. "processor" is the time of all cores. Memory is the peak of the process; one that the
machine kills for its memory is said to have been.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

import convergekit as ck
from benchmarks import duckdb_script, polars_script
from benchmarks.funnel_peers import DAYS, STEPS, latest_entries, memory, polars_counts
from benchmarks.read import simulated, timed, write
from benchmarks.stitch import machine

FILES = 10
#: What somebody who knows the export writes down.
ALIASES = ("cookie", "cart_token", "checkout_token", "customer_id", "email")
CARRIED = (
    *("$email", "$first_name", "$last_name", "$city", "$country_code"),
    *("utm_source", "utm_medium", "utm_campaign"),
)
OURS = "ck.read_events, ck.stitch, s.funnel"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", nargs=2, metavar=("CONTENDER", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--write", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(run_one(*arguments.run)))
    elif arguments.write:
        paths = [Path(arguments.write, f"{place:02}.jsonl") for place in range(FILES)]
        write(simulated(lambda call: call, orders=True), paths, arguments.megabytes)
    else:
        compare(arguments.megabytes, arguments.repeats)


def compare(megabytes: int, repeats: int) -> None:
    """Print what each contender takes."""
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as directory:
        in_a_process("--write", directory, "--megabytes", str(megabytes))
        size = sum(path.stat().st_size for path in Path(directory).iterdir()) / 1e6
        for _ in range(repeats):
            for name in CONTENDERS:
                runs[name].append(in_a_process("--run", name, directory))
    expected = runs[OURS][0]["counts"]
    for name, found in runs.items():
        assert all(run.get("counts", expected) == expected for run in found), (name, found)
    print(f"{machine()}\n{size:,.0f} MB in {FILES} files, {runs[OURS][0]['events']:,} events")
    print(f"equal: the profiles of each step, {expected}\n")
    print(f"{'':<40}{'processor':>10}{'clock':>8}{'MB/s':>7}{'peak MB':>9}{'of ours':>9}")
    ours = median(runs[OURS], "processor")
    for name, found in runs.items():
        if {} in found:
            print(f"{name:<40}killed: it took more memory than there is")
            continue
        processor, clock, peak = (median(found, x) for x in ("processor", "clock", "peak"))
        print(
            f"{name:<40}{processor:>10.2f}{clock:>8.2f}{size / clock:>7.0f}{peak:>9,.0f}"
            f"{processor / ours:>9.2f}"
        )


def median(found: list[dict[str, object]], name: str) -> float:
    return statistics.median(float(str(run[name])) for run in found)


def in_a_process(*arguments: str) -> dict[str, object]:
    """Return what a process of its own measured; nothing if it was killed for its memory."""
    command = [sys.executable, "-m", "benchmarks.from_files", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return {}
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}


def run_one(name: str, folder: str) -> dict[str, object]:
    """Count a small file to load everything, and all files for the time."""
    work = CONTENDERS[name]
    with tempfile.TemporaryDirectory() as directory:
        with Path(folder, "00.jsonl").open("rb") as file:
            Path(directory, "few.jsonl").write_bytes(b"".join(file.readlines()[::20]))
        work(directory)
    (processor, clock), (events, counts) = timed(lambda: work(folder))
    peak = memory("VmHWM")
    return {
        "events": events,
        "counts": counts,
        "processor": processor,
        "clock": clock,
        "peak": peak,
    }


def ours(folder: str) -> tuple[int, list[int]]:
    s = ck.stitch(ck.read_events(folder))
    funnel = s.funnel(STEPS, within=f"{DAYS}D", entry="any")
    return len(s.events), funnel.table["profiles"].tolist()


def in_polars(folder: str) -> tuple[int, list[int]]:
    urn = pl.element()
    carried = pl.Struct(dict.fromkeys(CARRIED, pl.String))
    events = pl.read_ndjson(
        sorted(Path(folder).iterdir()),
        schema_overrides={"profileProperties": carried, "aliases": pl.List(pl.String)},
        infer_schema_length=10_000,
    ).select(
        pl.col("eventID").alias("event_id"),
        pl.col("eventName").alias("event_name"),
        pl.col("timestamp").str.to_datetime(time_zone="UTC"),
        *(
            pl.col("aliases")
            .list.eval(urn.filter(urn.str.starts_with(f"urn:{name}:")))
            .list.first()
            .str.slice(len(f"urn:{name}:"))
            .alias(f"alias.{name}")
            for name in ALIASES
        ),
        *(
            pl.col("profileProperties").struct.field(name).alias(f"profile_properties.{name}")
            for name in CARRIED
        ),
        "properties",
    )
    made = polars_script.stitched(events)
    known = made.filter(pl.col("profile") >= 0)
    of_profiles = known.select("timestamp", "event_name", profile_id="profile")
    return len(made), polars_counts(of_profiles)


def in_duckdb(folder: str) -> tuple[int, list[int]]:
    db = duckdb.connect()
    aliases = ", ".join(
        f"list_filter(aliases, lambda urn: starts_with(urn, 'urn:{name}:'))[1]"
        f'[{len(f"urn:{name}:") + 1}:] AS "alias.{name}"'
        for name in ALIASES
    )
    carried = ", ".join(
        f'profileProperties."{name}" AS "profile_properties.{name}"' for name in CARRIED
    )
    objects = ", ".join(f'"{name}" VARCHAR' for name in CARRIED)
    columns = {
        **dict.fromkeys(("eventID", "eventName", "timestamp", "method", "receivedAt"), "VARCHAR"),
        "properties": "JSON",
        "profileProperties": f"STRUCT({objects})",
        "aliases": "VARCHAR[]",
    }
    source = (
        f"SELECT eventID AS event_id, eventName AS event_name, timestamp::TIMESTAMP AS timestamp, "
        f"{aliases}, {carried}, properties, row_number() OVER () AS row FROM "
        f"read_json('{folder}/*.jsonl', format = 'newline_delimited', columns = {columns})"
    )
    db.execute(f"CREATE TABLE made AS {duckdb_script.stitched(db, source)}")
    rows = db.execute("SELECT count(*) FROM made").fetchone()
    known = "(SELECT profile AS profile_id, event_name, timestamp FROM made WHERE profile >= 0)"
    counts = db.execute(latest_entries(known)).fetchone()
    assert rows is not None
    assert counts is not None
    return rows[0], counts[0]


CONTENDERS: dict[str, Callable[[str], tuple[int, list[int]]]] = {
    OURS: ours,
    "Polars and SciPy": in_polars,
    "DuckDB": in_duckdb,
}


if __name__ == "__main__":
    main()
