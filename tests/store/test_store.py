"""A store gives what stitching all its batches together gives, whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import convergekit as ck
from convergekit.base.records import column_from_values
from convergekit.cli.app import app
from convergekit.readers.concatenate import concatenate
from convergekit.store import adding, lock
from convergekit.store.manifest import FORMAT, NAME, from_bytes, to_bytes
from tests.store.kill import kill_at_random
from tests.store.store_cases import batches, check_after_each_batch, options, same
from tests.store.store_first_format import write_first_format
from tests.strategies import START, event_frames

# `python -m tests.store.search` looks at as many examples as there is time for.
_LEAN = settings(max_examples=2, suppress_health_check=list(HealthCheck))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store"


def frame(*rows, **columns):
    """Events by minute, cookie and e-mail address."""
    table = pd.DataFrame(rows, columns=["minute", "alias.cookie", "alias.email"])
    minutes = pd.to_timedelta(table.pop("minute"), unit="min")
    return table.assign(event_name="PageView", timestamp=START + minutes, **columns)


def together(*frames):
    return ck.stitch(pd.concat(frames, ignore_index=True))


@_LEAN
@given(batches(), options)
def test_after_each_batch_all_is_as_if_stitched_together(tmp_path_factory, parts, chosen):
    check_after_each_batch(tmp_path_factory.mktemp("any") / "store", parts, chosen)


@_LEAN
@given(st.data())
def test_where_rows_arrive_at_different_times_batches_may_come_in_any_order(tmp_path_factory, data):
    events = data.draw(event_frames(max_rows=12, received=True, several=True, unset=True))
    minutes = data.draw(st.permutations(range(len(events))))
    events["received_at"] = events["timestamp"].max() + pd.to_timedelta(minutes, unit="min")
    events["properties.place"] = np.arange(len(events))
    part = np.array(
        data.draw(st.lists(st.integers(0, 2), min_size=len(events), max_size=len(events))),
        dtype=int,
    )
    order = data.draw(st.permutations(range(3)))
    store = ck.open_store(
        tmp_path_factory.mktemp("any") / "store",
        duplicates=data.draw(st.sampled_from(["drop", "merge"])),
        limits=data.draw(st.sampled_from([{}, {"email": 1}])),
    )
    for number in order:
        if (part == number).any():
            store.add(events[part == number])
    if not len(events):
        return
    known = dict(store._options)
    if "email" not in set(ck.stitch(events, duplicates=known["duplicates"]).aliases["alias_type"]):
        known["limits"] = {}
    s = ck.stitch(events, **known)
    same(store.profiles, s.profiles)
    same(store.aliases, s.aliases)
    of_store = store.stitched().events.drop(columns="row").sort_values("properties.place")
    same(of_store, s.events.drop(columns="row"))


def test_batches_without_time_of_arrival_may_come_in_any_order_where_nothing_ties(path, tmp_path):
    one, two = (
        frame((0, "c", None), (5, "c", "a@x.org")),
        frame((3, "d", None), (9, "d", "a@x.org")),
    )
    stores = [ck.open_store(path), ck.open_store(tmp_path / "other")]
    for store, order in zip(stores, ((one, two), (two, one)), strict=True):
        for part in order:
            store.add(part)
    same(stores[0].profiles, stores[1].profiles)
    same(stores[0].aliases, stores[1].aliases)


def test_of_copies_that_arrive_together_the_one_added_first_is_kept(path):
    copy = frame((0, "c", None), event_id="e")
    other = frame((0, "d", None), event_id="e")
    store = ck.open_store(path)
    store.add(copy)
    added = store.add(other)
    assert (added.events, added.duplicates) == (0, 1)
    assert store.aliases["alias_value"].tolist() == ["c"]


def test_a_late_file_is_placed_where_it_belongs_in_time(path):
    store = ck.open_store(path)
    today = frame((60, "c", None), **{"profile_properties.utm_source": "ads"})
    yesterday = frame((0, "c", "a@x.org"), **{"profile_properties.utm_source": "mail"})
    store.add(today)
    before = store.profiles["profile_id"].tolist()
    added = store.add(yesterday)
    assert store.profiles["profile.utm_source"].tolist() == ["ads"]
    assert store.profiles["first_seen"].tolist() == [START]
    # The e-mail address goes first among what is known from the first minute on.
    assert added.merges["old_profile_id"].tolist() == before
    assert added.merges["new_profile_id"].tolist() == store.profiles["profile_id"].tolist()


def test_a_merge_says_who_became_whom_when_and_by_which_event(path):
    store = ck.open_store(path)
    store.add(frame((0, "c", None), (1, None, "a@x.org")))
    old = store.aliases.set_index("alias_value")["profile_id"]
    added = store.add(frame((2, "d", None), (3, "c", "a@x.org"), event_id=["x", "y"]))
    expected = {
        "batch": [2],
        "timestamp": [START + pd.Timedelta(minutes=3)],
        "old_profile_id": [old["a@x.org"]],
        "new_profile_id": [old["c"]],
        "event_name": ["PageView"],
        "event_id": ["y"],
        "row": [3],
    }
    assert store.merges.to_dict("list") == expected
    assert added.merges.to_dict("list") == expected
    assert (added.new_profiles, added.updated_profiles) == (1, 1)
    assert repr(added) == (
        "Added(batch 2: 2 events, 0 duplicates, 0 rejected; profiles 1 new, 1 updated, 1 merged)"
    )


def test_a_copy_that_arrived_earlier_may_part_a_profile_and_no_event_is_to_blame(path):
    store = ck.open_store(path)
    linking = frame((5, "c", "a@x.org"), event_id="e", received_at=START + pd.Timedelta("9min"))
    only = frame((1, "c", None), event_id="f", received_at=START + pd.Timedelta("1min"))
    earlier = frame((5, "d", None), event_id="e", received_at=START + pd.Timedelta("6min"))
    for part in (linking, only, earlier):
        store.add(part)
    s = together(linking, only, earlier)
    same(store.profiles, s.profiles)
    assert "a@x.org" not in set(store.aliases["alias_value"])
    assert len(store.profiles) == 2


def test_adding_again_changes_nothing(path, tmp_path):
    store = ck.open_store(path)
    export = tmp_path / "monday.jsonl"
    event = {"event_name": "A", "timestamp": "2026-03-02", "aliases": ["urn:cookie:c"]}
    export.write_text(json.dumps(event) + "\n" + json.dumps(event))
    assert store.add(export).events == 2
    again = tmp_path / "again.jsonl"
    again.write_bytes(export.read_bytes())
    for same_again in (export, [export, again], str(tmp_path / "*.jsonl")):
        added = store.add(same_again)
        assert added.batch is None
        assert added.rows == 0
    assert store.status().rows == 2
    assert "nothing new" in repr(added)
    again.write_text(json.dumps(event | {"timestamp": "2026-03-03"}))
    added = store.add([export, again])
    assert (added.batch, added.rows, added.known) == (2, 1, [str(export)])
    assert store.batches["files"].tolist() == [[str(export)], [str(again)]]


def test_a_frame_is_known_by_its_contents(path):
    store = ck.open_store(path)
    events = frame((0, "c", None), (1, "d", None)).assign(**{"properties.n": [1, 2]})
    store.add(events)
    assert store.add(events.set_axis(["x", "y"])).batch is None
    changed = [{"properties.n": [1, 3]}, {"properties.m": [1, 2]}, {"properties.n": ["1", "2"]}]
    for number, other in enumerate([*changed, {"properties.n": [1.0, None]}], start=2):
        assert store.add(events.assign(**other)).batch == number


@pytest.mark.parametrize(("start", "end"), [(0, 13), (3, 20), (8, 17)])
def test_a_part_of_a_frame_is_known_by_its_contents(path, start, end):
    whole = frame(*((minute, f"c{minute}", None) for minute in range(40))).assign(
        **{
            "properties.gaps": [None, "é", "x", "yz"] * 10,
            "properties.truth": [True, False, False, True, True] * 8,
        }
    )
    part = whole[start:end]
    store = ck.open_store(path)
    store.add(part)
    alone = pd.DataFrame({name: column.tolist() for name, column in part.items()})
    assert store.add(alone).batch is None
    assert store.add(pa.Table.from_pandas(whole)[start:end]).batch is None
    assert store.add(whole[start : end + 1]).batch == 2


def test_values_of_any_kind_come_back_as_they_went(path):
    values = {
        "whole": [1, None, 2**62],
        "wide": [2**70, None, 1],
        "decimal": [1.5, None, -0.0],
        "yes": [True, None, False],
        "text": ["a", "", "é\x00\U0001f600"],
        "nested": [["a", {"b": [1, None]}], {"$url": "/x"}, None],
        "mixed": [1, "1", True],
    }
    cells = {f"properties.{name}": column for name, column in values.items()}
    events = frame((0, "c", None), (1, "c", None), (2, "c", None)).assign(
        **{name: pd.Series(column, dtype=object) for name, column in cells.items()},
        **{"properties.at": pd.date_range("2026-03-02", periods=3, tz="Europe/Brussels")},
    )
    other = frame((3, "c", None)).assign(
        **{"properties.whole": "x", "properties.Whole": 1, "properties.text": 2.5}
    )
    store = ck.open_store(path)
    store.add(events)
    store.add(other)
    found = store.stitched().events
    for name, column in cells.items():
        got = found[name].iloc[:3].tolist()
        assert [
            None if type(v) is not list and type(v) is not dict and pd.isna(v) else v for v in got
        ] == column, name
    assert found["properties.at"].iloc[:3].tolist() == events["properties.at"].tolist()
    assert found["properties.whole"].iloc[3] == "x"
    assert found["properties.Whole"].iloc[3] == 1
    assert found["properties.text"].iloc[3] == 2.5


@pytest.mark.parametrize("tz", [None, "Europe/Brussels"])
def test_times_that_arrow_holds_come_back_as_times(path, tz):
    days = pd.date_range("2026-03-02", periods=2, tz=tz)
    arrow = pd.Series(days, dtype=pd.ArrowDtype(pa.timestamp("us", tz)))
    store = ck.open_store(path)
    store.add(frame((0, "c", None), (1, "c", None)).assign(**{"properties.at": arrow}))
    store.add(frame((2, "c", None)).assign(**{"properties.at": days[:1]}))
    assert store.stitched().events["properties.at"].tolist() == [*days, days[0]]


def test_rejected_rows_and_malformed_aliases_are_those_of_the_whole(path):
    one = frame((0, "c", None)).assign(aliases=[["no urn"]])
    two = pd.DataFrame({"event_name": ["A", "B"], "timestamp": ["soon", 1772442000]})
    store = ck.open_store(path)
    store.add(one)
    added = store.add(two.assign(**{"alias.cookie": ["c", "c"]}))
    assert (added.events, added.rejected) == (1, 1)
    s = store.stitched()
    assert s.rejected[["row", "reason", "timestamp"]].values.tolist() == [
        [1, "timestamp cannot be parsed", "soon"]
    ]
    assert "no urn" not in set(store.aliases["alias_value"])


def test_a_batch_without_aliases_after_one_that_has_them(path):
    store = ck.open_store(path)
    bare = pd.DataFrame({"event_name": ["A"], "timestamp": ["2026-03-02"]})
    with pytest.raises(ck.ColumnError, match="no alias column"):
        store.add(bare)
    store.add(frame((0, "c", None)))
    assert store.add(bare).events == 1
    assert store.status().events == 2


def test_a_time_of_arrival_that_comes_late_counts_for_all(path):
    store = ck.open_store(path)
    one = frame((5, "c", None), (1, "d", None), event_id="e")
    two = frame((9, "z", None), received_at=START)
    store.add(one)
    assert store.aliases["alias_value"].tolist() == ["c"]
    store.add(two)
    same(store.aliases, together(one, two).aliases)
    assert "d" in set(store.aliases["alias_value"])


def test_an_error_leaves_the_store_as_it_was(path, tmp_path, monkeypatch):
    store = ck.open_store(path)
    store.add(frame((0, "c", None)))
    before = store.status()
    with pytest.raises(ck.ColumnError, match="no timestamp column"):
        store.add(pd.DataFrame({"event_name": ["A"], "alias.cookie": ["c"]}))
    with monkeypatch.context() as broken:
        broken.setattr(adding, "insert_part", None)
        with pytest.raises(TypeError):
            store.add(frame((1, "c", None)).assign(**{"properties.new": 1}))
    with pytest.raises(ck.ReadError, match="no file"):
        store.add(tmp_path / "nothing.jsonl")
    assert store.status() == before
    assert "properties.new" not in store.stitched().events


def test_nothing_is_stitched_of_an_empty_store(path):
    store = ck.open_store(path)
    assert store.status().rows == 0
    assert store.profiles.empty
    assert store.aliases.empty
    assert store.merges.empty
    with pytest.raises(ck.ConvergekitError, match="holds nothing yet"):
        store.stitched()
    with pytest.raises(ck.UnknownAliasError, match="is neither an alias"):
        store.profile("urn:cookie:c")


def test_options_may_name_what_comes_with_a_later_batch(path):
    store = ck.open_store(
        path,
        browser_alias="Device",
        alias_priority=["till", "device"],
        first=["$initial_*"],
    )
    store.add(frame((0, "c", "a@x.org")).assign(**{"profile_properties.plan": "gold"}))
    assert store.stitched().browser_alias == "device"
    assert store.profiles["has_browser_session"].tolist() == [False]
    later = frame((1, "c", "a@x.org"), (2, "c", "a@x.org"))
    later["alias.device"] = "d"
    later["profile_properties.$initial_plan"] = ["silver", "gold"]
    store.add(later)
    s = store.stitched()
    assert store.profiles["has_browser_session"].tolist() == [True]
    assert store.profiles["profile.$initial_plan"].tolist() == ["silver"]
    assert s.profiles["has_browser_session"].tolist() == [True]
    assert s.profiles["profile.$initial_plan"].tolist() == ["silver"]


def test_options_are_those_that_the_store_was_made_with(path):
    ck.open_store(path, limits={"email": 1}, first="$initial_*", block=["till"])
    store = ck.open_store(path)
    store.add(frame((0, "c", "a@x.org"), (1, "c", "b@x.org"), (2, "till", "b@x.org")))
    assert len(store.profiles) == 2
    assert "till" not in set(store.aliases["alias_value"])
    ck.open_store(path, limits={"email": 1})
    with pytest.raises(ck.ConvergekitError, match=r"made with limits=\{'email': 1\}, not limits="):
        ck.open_store(path, limits={"email": 2})
    with pytest.raises(ck.ConvergekitError, match="made with no duplicates"):
        ck.open_store(path, duplicates="merge")


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"max_age": {"cart_token": "14D"}}, "takes no max_age: how many lives"),
        ({"rules": {"sku": str.upper}}, "takes no rules: a function cannot be recorded"),
        ({"columns": {}}, "takes no columns"),
        ({"strict": True}, "takes no strict"),
        ({"limit": {}}, "no option 'limit'.*Did you mean 'limits'"),
        ({"duplicates": "keep"}, "duplicates must be one of 'drop', 'merge'; got 'keep'"),
        ({"limits": {"email": 0}}, "must be a whole number"),
        ({"dedupe_on": ["source"]}, "must be a list that names 'event_id'"),
        ({"tz": "Mars"}, "must be a time zone"),
        ({"alias_from": {"x": len}}, "cannot be recorded"),
    ],
)
def test_options_that_a_store_cannot_have_are_refused(path, chosen, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.open_store(path, **chosen)
    assert not path.exists()


def test_a_newer_format_is_refused(path, monkeypatch):
    ck.open_store(path)
    monkeypatch.setattr("convergekit.store.manifest.FORMAT", FORMAT + 1)
    newer = to_bytes(from_bytes((path / NAME).read_bytes(), path))
    monkeypatch.undo()
    (path / NAME).write_bytes(newer)
    with pytest.raises(ck.ConvergekitError, match="which a newer version of convergekit wrote"):
        ck.open_store(path)


def test_a_store_of_the_first_format_becomes_a_directory(path, tmp_path):
    events = ck.simulate_store(people=12).events
    one, two = events[:40], events[40:].assign(**{"properties.n": 1})
    store = ck.open_store(path, duplicates="merge")
    export = tmp_path / "one.parquet"
    one.to_parquet(export)
    store.add(export)
    store.add(two)
    kept = [store.profiles, store.aliases, store.merges, store.batches, store.stitched().events]
    former = tmp_path / "former.duckdb"
    write_first_format(path, former)
    again = ck.open_store(former)
    now = [again.profiles, again.aliases, again.merges, again.batches, again.stitched().events]
    for one_table, other_table in zip(now, kept, strict=True):
        same(one_table, other_table)
    assert again.status().format == FORMAT
    assert again.add(export).batch is None
    assert again.add(two).batch is None
    assert former.is_dir()
    assert sorted(found.name for found in former.iterdir()) == [
        "batches",
        "index.duckdb",
        "lock",
        "manifest.json",
    ]


@pytest.mark.parametrize("version", [None, 1])
def test_an_index_of_another_version_is_made_anew(path, version):
    store = ck.open_store(path)
    store.add(frame((0, "c", "a@x.org")))
    store.add(frame((1, "d", "a@x.org")))
    kept = [store.profiles, store.aliases, store.merges]
    with duckdb.connect(str(path / "index.duckdb")) as con:
        con.execute("UPDATE about SET format = ?", [version])
    for one_table, other_table in zip(
        [store.profiles, store.aliases, store.merges], kept, strict=True
    ):
        same(one_table, other_table)


def test_what_is_no_store_is_refused(path, tmp_path):
    path.write_text("hello " * 1000)
    with pytest.raises(ck.ConvergekitError, match="cannot be opened as a store"):
        ck.open_store(path)
    with duckdb.connect(str(tmp_path / "other.duckdb")) as con:
        con.execute("CREATE TABLE t (x INTEGER)")
    with pytest.raises(ck.ConvergekitError, match="but not a store of convergekit"):
        ck.open_store(tmp_path / "other.duckdb")
    with pytest.raises(ck.ConvergekitError, match="there is no directory"):
        ck.open_store(tmp_path / "nowhere" / "store")
    with pytest.raises(ck.ConvergekitError, match="a directory, but not a store"):
        ck.open_store(tmp_path)
    assert path.read_text() == "hello " * 1000


def test_the_second_of_two_processes_is_told_who_is_at_it(path):
    store = ck.open_store(path)
    holding = (
        "import sys; from pathlib import Path; from convergekit.store.lock import claimed\n"
        "with claimed(Path(sys.argv[1]), writing=True):\n"
        "    print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "ready\n"
        for ask in (lambda: store.add(frame((0, "c", None))), store.status):
            with pytest.raises(ck.ConvergekitError, match=f"is in use by process {other.pid}"):
                ask()
        other.stdin.close()
    assert store.add(frame((0, "c", None))).batch == 1


def test_two_threads_take_turns_by_error(path):
    store = ck.open_store(path)
    assert store.status().rows == 0
    with lock.claimed(path, writing=True):
        for ask in (lambda: store.add(frame((0, "c", None))), store.status):
            with pytest.raises(ck.ConvergekitError, match="is in use by this process"):
                ask()
    found = []
    with lock.claimed(path, writing=False):
        thread = threading.Thread(target=lambda: found.append(store.status().rows))
        thread.start()
        thread.join()
        with pytest.raises(ck.ConvergekitError, match="is in use by another thread or process"):
            store.add(frame((0, "c", None)))
    assert found == [0]


@pytest.mark.slow
def test_killed_at_random_moments_it_loses_nothing(tmp_path):
    # `python -m tests.store.kill` does it as often as there is time for.
    batches_left, _ = kill_at_random(tmp_path, kills=2, seed=random.randrange(1000))
    assert batches_left


def test_the_command_line_adds_and_counts(path, tmp_path):
    ck.simulate_store(people=8).write(tmp_path / "exports")
    exports = sorted(map(str, Path(tmp_path, "exports").iterdir()))

    def run(*arguments):
        return CliRunner().invoke(app, arguments)

    (tmp_path / "empty").mkdir()
    for place in (path, tmp_path / "empty"):
        for command in (["status"], ["forget", "urn:email:a@x.org"]):
            absent = run(*command, "--store", str(place))
            assert f"no store at {place}" in str(absent.exception)
    # What asks does not make a store.
    assert not path.exists()
    assert not any((tmp_path / "empty").iterdir())
    added = run("add", *exports, "--store", str(path), "--limit", "customer_id=1")
    assert added.stdout.startswith("Added(batch 1:"), added.exception
    again = run("add", *exports, "--store", str(path))
    assert again.stdout.startswith("Added(nothing new")
    shown = run("status", "--store", str(path))
    assert "batches:     1" in shown.stdout


def test_when_a_batch_was_added_is_told_in_utc_wherever_the_machine_is(path):
    code = (
        "import sys, convergekit as ck; "
        "ck.open_store(sys.argv[1]).add(ck.simulate_store().events[:20])"
    )
    before = pd.Timestamp.now("UTC")
    subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        check=True,
    )
    (added_at,) = ck.open_store(path).batches["added_at"]
    assert before <= added_at <= pd.Timestamp.now("UTC")
    assert ck.open_store(path).status().added_at == added_at.tz_localize(None)


def test_windows_says_otherwise_that_a_file_is_in_use(path, monkeypatch):
    ck.open_store(path)
    said = (
        f'IO Error: Cannot open file "{path}": The process cannot access the file because it is '
        "being used by another process.\n\nFile is already open in \nC:\\python.exe (PID 8252)"
    )
    monkeypatch.setattr(duckdb, "connect", raising(duckdb.IOException(said)))
    with pytest.raises(ck.ConvergekitError, match=r"is in use by process 8252\."):
        ck.open_store(path).status()


def raising(error):
    def connect(*arguments, **options):
        raise error

    return connect


def test_a_path_with_lock_in_its_name_is_not_in_use(tmp_path):
    path = tmp_path / "blocks"
    path.write_text("no database")
    with pytest.raises(ck.ConvergekitError, match="cannot be opened as a store"):
        ck.open_store(path)


def test_a_file_that_cannot_be_read_is_an_error_of_ours(path, tmp_path, monkeypatch):
    export = tmp_path / "a.jsonl"
    export.write_text("{}")
    store = ck.open_store(path)

    usual = Path.open

    def refuse(self, *arguments, **named):
        if self == export:
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ck.ReadError, match=r"a\.jsonl cannot be opened: permission denied"):
        store.add(export)


def test_a_full_disk_changes_nothing_and_says_so(path):
    resource = pytest.importorskip("resource")
    events = ck.simulate_store(people=40).events
    store = ck.open_store(path)
    store.add(events[:10])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a disk without room for more: the log of a batch does not fit.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(ck.ConvergekitError, match=r"cannot be written: .*Nothing was changed"):
            store.add(events[10:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.status().rows == 10
    store.add(events[10:])
    assert store.status().rows == len(events)


def orders_at(*times):
    return pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": list(times),
            "alias.email": [f"{i}@x.org" for i in range(len(times))],
            "properties.total_price": 1.0,
        }
    )


def test_a_store_keeps_the_calendar_it_was_made_with(path):
    # Brussels's clock is set forward on 29 March: the day lies between 23 h and 22 h UTC.
    store = ck.open_store(path, calendar="Europe/Brussels", week_starts="sunday")
    store.add(orders_at("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z"))
    ck.open_store(path).add(orders_at("2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"))
    s = ck.open_store(path).stitched()
    days = s.customers(value=None).new_and_returning("D")
    assert days["period"].dt.strftime("%d").tolist() == ["28", "29", "30"]
    assert (days["new_orders"] + days["returning_orders"]).tolist() == [1, 2, 1]
    weeks = s.customers(value=None).new_and_returning("W")
    assert weeks["period"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-22", "2026-03-29"]
    assert "calendar: Europe/Brussels, weeks from Sunday" in str(s.report)
    with pytest.raises(ck.ConvergekitError, match="made with calendar='Europe/Brussels', not cal"):
        ck.open_store(path, calendar="UTC")


def test_a_store_made_without_a_calendar_is_in_utc(path):
    store = ck.open_store(path)
    store.add(orders_at("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z"))
    s = store.stitched()
    assert len(s.customers(value=None).new_and_returning("D")) == 1
    assert "calendar" not in str(s.report)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"calendar": "Brussels"}, "calendar must be a time zone"),
        ({"calendar": ""}, "calendar must be a time zone"),
        ({"week_starts": "sun"}, "week_starts must be one of 'monday'"),
    ],
)
def test_a_calendar_that_is_none_is_refused(path, chosen, message):
    with pytest.raises(ck.ConvergekitError, match=message):
        ck.open_store(path, **chosen)
    assert not path.exists()


def test_more_properties_than_a_number_has_bits(path):
    named = {f"profile_properties.p{number}": f"v{number}" for number in range(70)}
    first = frame((0, "k1", "a@x.org"), event_id="1", **named)
    second = frame((1, "k1", "a@x.org"), event_id="2", **{"profile_properties.p69": "new"})
    store = ck.open_store(path)
    store.add(first)
    store.add(second)
    same(store.profiles, together(first, second).profiles)
    assert store.profiles["profile.p69"].tolist() == ["new"]
    assert store.profiles["profile.p68"].tolist() == ["v68"]


def test_an_event_id_that_looks_like_the_mark_of_copies_is_an_event_of_its_own(path):
    one, other = (0, "k1", "a@x.org"), (1, "k1", "a@x.org")
    copied = frame(one, one, event_id="1")
    named = frame(other, one, event_id=["copies of row 0", "1"])
    store = ck.open_store(path)
    store.add(copied)
    store.add(named)
    s = together(copied, named)
    assert s.profiles["events"].tolist() == [2]
    same(store.profiles, s.profiles)
    assert store.status().duplicates == len(s.duplicates) == 2


levels = st.sampled_from([None, 1, 2, 0.5, 2**60 + 1])


@_LEAN
@example([[(0, 0.5), (0, 1)]])
@example([[(0, None), (1, 2)], [(0, 1)]])
@example([[(0, 2**60 + 1), (1, 0.5)], [(0, 1)]])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), levels), min_size=1, max_size=4),
        min_size=1,
        max_size=3,
    )
)
def test_profile_properties_have_the_dtypes_of_stitching_all(batches):
    """One that the latest events send as whole numbers, and earlier ones as decimals or not."""
    rows = [
        pd.DataFrame(
            {
                "event_name": "Identified",
                "timestamp": [f"2026-03-{1 + at:02d}T10:{n:02d}:00Z" for n in range(len(batch))],
                "alias.cookie": [f"c{visitor}" for visitor, _ in batch],
                "profile_properties.level": column_from_values([value for _, value in batch]),
            }
        )
        for at, batch in enumerate(batches)
    ]
    whole = concatenate([one.copy() for one in rows])
    values = [value for batch in batches for _, value in batch]
    assume(any(value is not None for value in values))
    whole["profile_properties.level"] = column_from_values(values)
    with tempfile.TemporaryDirectory() as directory:
        store = ck.open_store(Path(directory, "store"))
        for one in rows:
            store.add(one)
        expected = ck.stitch(whole).profiles
        for found in (store.profiles, store.stitched().profiles):
            pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
