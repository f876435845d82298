"""Stitching in Spark: tables and answers are those of memory, whatever happens to executors.

PySpark is a large download and needs Java, so `make test` runs none of this:
`make test-spark` does.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.checked import checked_by_parts
from convergekit.parts.stitching import stitched_by_parts
from convergekit.readers.concatenate import concatenate
from tests.checks.faulty import FAULTS, with_faults
from tests.effort import scaled
from tests.explore.test_explorer_in_parts import page
from tests.parts.parts_cases import TABLES, by_parts, check_tables, same_frames
from tests.parts.test_parts import options as all_options
from tests.store.store_cases import batches

# Spark 4.0 and its sockets warn of much under pandas 3; what they answer is tested.
pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]
ROOT = Path(__file__).parents[2]
STEPS = ["PageView", "Added To Cart", "Placed Order"]
#: What suits a few rows: little to move, and no time spent on compiling well what soon ends. A task
#: is tried twice.
SMALL = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
MASTER = "local[2,2]"
few = settings(
    max_examples=scaled(12),
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def session():
    from pyspark.sql import SparkSession

    # Spark's Python workers need what these tests need.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(MASTER).config(map=SMALL)
    opened = builder.config("spark.sql.session.timeZone", "America/New_York").getOrCreate()
    opened.sparkContext.setLogLevel("OFF")
    yield opened
    opened.stop()


def as_table(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as Arrow; a column without a value is text, for Spark has none of nothing."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)).replace_schema_metadata()


def in_spark(session, table: pa.Table, partitions=2):
    """Put a table into Spark, its rows numbered, then shuffled: their order says nothing."""
    numbered = table.append_column("row", pa.array(range(len(table)), pa.int64()))
    order = np.random.default_rng(1).permutation(len(table))
    return session.createDataFrame(numbered.take(order)).repartition(partitions)


def stitched(frame, workdir, parts, **options):
    return stitched_by_parts(frame, StitchOptions.of(**options), None, workdir, parts=parts)


def known(table, asked):
    """Leave out options that memory refuses of this table."""
    try:
        return ck.stitch(table, **asked)
    except ck.ConvergekitError:
        return None


@given(batches(), all_options, st.sampled_from([1, 3]))
@few
def test_tables_are_those_of_memory_and_of_parts(session, tmp_path_factory, frames, asked, parts):
    if not frames:
        return
    table = as_table(concatenate([frame.copy() for frame in frames]))
    expected = known(table, asked)
    if expected is None:
        return
    directory = tmp_path_factory.mktemp("run")
    found = stitched(in_spark(session, table), directory / "run", parts, **asked)
    check_tables(found, expected)
    with by_parts([table.to_pandas(types_mapper=None)], parts, **asked) as local:
        assert found.report.to_dict() == local.report.to_dict() == expected.report.to_dict()


@pytest.fixture(scope="module")
def store():
    return as_table(ck.simulate_store(people=60, seed=4).events.reset_index(drop=True))


@pytest.fixture(scope="module")
def memory(store):
    return ck.stitch(store)


@pytest.fixture(scope="module")
def p(session, store, tmp_path_factory):
    return stitched(in_spark(session, store, 3), tmp_path_factory.mktemp("store") / "run", 3)


def test_a_store_is_that_of_memory(p, memory):
    check_tables(p, memory)
    assert p.report.to_dict() == memory.report.to_dict()


#: What is given to a parameter that has to be given.
GIVEN = {
    "steps": STEPS,
    "conversion": "Placed Order",
    "event_name": "Placed Order",
    "name": "utm_source",
}
ASKED = [
    ("funnel", {"steps": STEPS, "within": "7D", "by": "channel"}),
    ("funnel", {"steps": STEPS, "count": "visits"}),
    ("funnel", {"steps": STEPS, "within": "1D", "by": "utm_source", "top": 2, "order": "any"}),
    ("retention", {"by": "channel", "freq": "D"}),
    ("counts", {"event": "Placed Order", "value": "total_price", "by": "utm_source"}),
    ("customers", {}),
    ("sessions", {"conversion": "Placed Order"}),
    ("sessions", {"visits": "ga4"}),
    ("stitching_lift", {"steps": STEPS, "within": "7D"}),
    ("attribution", {"conversion": "Placed Order", "model": ["first_touch", "linear"]}),
]


def questions():
    """Return each question with arguments; one that is not listed, with what it has to be given."""
    yield from ASKED
    # What writes files, and what is asked by hand below.
    left_out = {"where", "property_coverage", "explore", *(name for name, _ in ASKED)}
    for name, member in vars(ck.StitchedParts).items():
        if name.startswith(("_", "to_")) or name in left_out or not inspect.isfunction(member):
            continue
        needed = [
            one.name
            for one in list(inspect.signature(member).parameters.values())[1:]
            if one.default is one.empty and one.kind is not one.VAR_KEYWORD
        ]
        if hasattr(ck.Stitched, name) and set(needed) <= set(GIVEN):
            yield name, {one: GIVEN[one] for one in needed}


def test_the_explorer_shows_what_it_shows_in_memory(p, memory):
    state = {"segment": {"did": "Added To Cart"}, "bar": {"step": 2}, "tab": "trend"}
    found, expected = (s.explore(state) for s in (p, memory))
    for explorer in (found, expected):
        explorer.tabs.selected_index = 2
        explorer.people.list.index = 1
    assert found.profile.timeline is not None
    assert page(found) == page(expected)


@pytest.mark.parametrize(("name", "arguments"), list(questions()))
def test_every_answer_is_that_of_memory(p, memory, name, arguments):
    with warnings.catch_warnings(record=True):
        found = getattr(p, name)(**arguments)
        expected = getattr(memory, name)(**arguments)
    same(found, expected)
    if name == "funnel":
        if arguments.get("count") != "visits":
            same(found.curve(), expected.curve())
        same(found.trend("W"), expected.trend("W"))
        rows = ["profile_id", "row_1"]
        lost = [one.drop_offs().sort_values(rows, ignore_index=True) for one in (found, expected)]
        same(*lost)


def test_what_is_known_of_identity_is_that_of_memory(p, memory):
    for name in ("suspects", "refused_links", "profile_merges"):
        same(getattr(p, name), getattr(memory, name))
    alias = memory.aliases["alias_value"][memory.aliases["alias_type"] == "email"].iloc[0]
    same(p.profile(f"urn:email:{alias}"), memory.profile(f"urn:email:{alias}"))
    changed, expected = (s.without(f"urn:email:{alias}") for s in (p, memory))
    assert str(changed) == str(expected)
    check_tables(changed.stitched, expected.stitched)


def test_a_segment_is_that_of_memory(p, memory):
    found, expected = (s.where(events="name == 'PageView' or total_price > 0") for s in (p, memory))
    check_tables(found, expected)
    for ask in (
        lambda s: s.sessions(),
        lambda s: s.funnel(["PageView", "Placed Order"], within="7D", by="channel").table,
        lambda s: s.customers().new_and_returning(),
    ):
        same(ask(found), ask(expected))


def same(found, expected):
    """Check that two answers are the same: what they say, and their tables."""
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        same_frames(pd.DataFrame(found), pd.DataFrame(expected))
        return
    assert str(found) == str(expected)
    for name in ("table", "comparison", "label_steps", "counts"):
        both = getattr(found, name, None), getattr(expected, name, None)
        if all(isinstance(one, pd.DataFrame) for one in both):
            same_frames(*map(pd.DataFrame, both))


def test_what_is_raised_in_an_executor_is_raised_as_in_memory(p, memory):
    for ask in (
        lambda s: s.funnel(["PageView", ck.Step("Placed Order", where="colour == 'red'")]),
        lambda s: s.counts("Placed Order", value="nothing_such"),
    ):
        with pytest.raises(ck.ConvergekitError) as expected:
            ask(memory)
        with pytest.raises(type(expected.value)) as found:
            ask(p)
        assert str(found.value) == str(expected.value)


def test_the_check_up_is_that_of_memory(session, tmp_path):
    events = with_faults(ck.simulate_store(people=60, seed=4).events, FAULTS[:3])
    table = as_table(events.reset_index(drop=True))
    expected = ck.check_up(table)
    assert len(expected) > 2
    given = in_spark(session, table, 3)
    found = checked_by_parts(given, StitchOptions.of(), None, tmp_path / "run", parts=3)
    assert str(found) == str(expected)
    assert found.to_dict() == expected.to_dict()
    for number in expected.findings["finding"]:
        same_frames(found.examples(number, None), expected.examples(number, None))
    with pytest.raises(ck.UnknownNameError, match="no event is named 'Order'"):
        ck.check_up(given, workdir=tmp_path / "other", conversion="Order")
    with pytest.raises(ck.ConvergekitError, match="a Spark DataFrame needs workdir="):
        ck.check_up(given)


def test_the_check_up_of_what_was_stitched_is_that_of_memory(p, memory):
    assert str(ck.check_up(p.events)) == str(ck.check_up(memory.events))


def test_tables_are_dataframes_of_spark(session, p):
    for name in TABLES:
        table = getattr(p, name)
        found = table.to_spark(session)
        assert found.count() == len(table)
        assert found.columns == table.dataset().schema.names
    profiles = p.events.to_spark(session).select("profile_id").dropna().distinct().count()
    assert profiles == len(p.profiles)


def test_what_a_reader_notes_and_columns_of_objects_are_those_of_memory(session, tmp_path):
    frame = session.sql(
        """
        SELECT * FROM VALUES
            ('PageView', TIMESTAMP_NTZ '2026-03-02 10:00:00', 7, 0L,
             named_struct('price', 2.5D), '{"plan": "pro"}'),
            ('PageView', TIMESTAMP_NTZ '2026-03-02 10:01:00', 7, 1L,
             named_struct('price', double('NaN')), '{"size": 3}')
        AS t(eventName, timestamp, uid, row, properties, profileProperties)
        """
    )
    asked = {"columns": {"alias.customer_id": "uid"}}
    expected = ck.stitch(frame.toArrow().drop_columns(["row"]), **asked)
    found = ck.stitch(frame, workdir=tmp_path / "run", **asked)
    check_tables(found, expected)
    assert found.report.to_dict() == expected.report.to_dict()


def test_rounds_in_spark_find_the_clusters_of_memory(session, store, memory, tmp_path, monkeypatch):
    from convergekit.parts.spark import stitching

    # So that the driver joins nothing itself.
    monkeypatch.setattr(stitching, "OF_A_KEY", 10**12)
    check_tables(stitched(in_spark(session, store, 4), tmp_path / "run", 3), memory)


@pytest.mark.parametrize("length", [2, 37])
def test_rounds_follow_chains(session, length):
    from convergekit.parts.spark.links import least_in_spark, least_of

    nodes = np.random.default_rng(3).permutation(length)
    pairs = [(hash_, node) for hash_ in range(length - 1) for node in nodes[hash_ : hash_ + 2]]
    keys = pd.DataFrame([*pairs, (-1, 900), (-1, 901), (-2, 902)], columns=["hash", "node"])
    found = least_in_spark(session.createDataFrame(keys.astype("int64"))).toPandas()
    expected = least_of(keys["hash"].to_numpy(), keys["node"].to_numpy())
    assert len(expected) == length
    assert sorted(found.itertuples(index=False, name=None)) == [
        tuple(row) for row in expected.to_numpy().tolist()
    ]


def killing_once(marker: Path, driver: int):
    """Return a rule that kills the executor's process that comes first."""

    def rule(text: str) -> str:
        if os.getpid() != driver and not marker.exists():
            marker.write_text("killed")
            os.kill(os.getpid(), signal.SIGKILL)
        return text

    return rule


def test_an_executor_that_dies_is_tried_again(session, store, memory, tmp_path):
    rules = {"cookie": killing_once(tmp_path / "marker", os.getpid())}
    found = ck.stitch(in_spark(session, store), workdir=tmp_path / "run", rules=rules)
    assert (tmp_path / "marker").exists()
    check_tables(found, ck.stitch(store, rules=rules))


def dying(driver: int, marker: Path):
    """Return a rule that kills every executor's process while there is a marker."""

    def rule(text: str) -> str:
        if os.getpid() != driver and marker.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return text

    return rule


def test_executors_that_die_are_told_and_the_run_goes_on(session, store, tmp_path):
    marker = tmp_path / "marker"
    marker.touch()
    frame, rules = in_spark(session, store), {"cookie": dying(os.getpid(), marker)}
    with pytest.raises(ck.ConvergekitError, match="Spark gave a job up: .*same workdir="):
        ck.stitch(frame, workdir=tmp_path / "run", rules=rules)
    read = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run/blocks").iterdir()}
    assert read
    marker.unlink()
    found = ck.stitch(frame, workdir=tmp_path / "run", rules=rules)
    check_tables(found, ck.stitch(store, rules=rules))
    assert not (tmp_path / "run" / "blocks").exists()


def test_parts_that_are_stitched_are_not_stitched_again(session, store, memory, tmp_path):
    frame = in_spark(session, store)
    stitched(frame, tmp_path / "run", 3)
    tables = tmp_path / "run" / "tables" / "events"
    before = {path.name: path.stat().st_mtime_ns for path in tables.iterdir()}
    # As it is when the driver was killed after two of three parts.
    (tmp_path / "run" / "facts" / "part-00001.json").unlink()
    undo(tmp_path / "run", stitched=0)
    check_tables(stitched(frame, tmp_path / "run", 3), memory)
    after = {path.name: path.stat().st_mtime_ns for path in tables.iterdir()}
    assert [name for name in after if after[name] != before[name]] == ["00001.parquet"]


def undo(run: Path, **done):
    """Write how far a run had come at an earlier time."""
    from convergekit.parts.workdir import Progress, Workdir

    content = json.loads((run / "parts.json").read_text())
    asked = {kind: content[kind] for kind in ("options", "source")}
    Workdir(run, asked, Progress(**{**content["done"], **done})).record()


def test_a_workdir_that_executors_do_not_see_is_told(session, store, tmp_path, monkeypatch):
    from convergekit.parts.spark import reach

    seen = reach._seen

    def elsewhere(number, *, path):
        return seen(number, path=path / "elsewhere")

    monkeypatch.setattr(reach, "_seen", elsewhere)
    with pytest.raises(ck.ConvergekitError, match="executors of Spark do not see"):
        ck.stitch(in_spark(session, store), workdir=tmp_path / "run")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (None, "no column `row`"),
        (["a", "b", "c"], "column `row` is string, and must be integers"),
        ([1, None, 2], "column `row` is empty in 1 rows"),
        ([1, 2, 1], "two rows have the number 1"),
    ],
)
@pytest.mark.parametrize("partitions", [1, 3])
def test_rows_have_to_be_numbered(session, tmp_path, column, message, partitions):
    events = {"event_name": ["a"] * 3, "timestamp": ["2026-03-02"] * 3, "alias.cookie": ["x"] * 3}
    table = pa.table(events | ({} if column is None else {"row": column}))
    frame = session.createDataFrame(table).repartition(partitions, "event_name")
    if partitions > 1:
        frame = session.createDataFrame(table).repartitionByRange(3, "timestamp")
    with pytest.raises(ck.ColumnError, match=message):
        ck.stitch(frame, workdir=tmp_path / "run")


def test_rows_of_several_blocks_that_share_a_number_are_told(session, store, tmp_path):
    frame = in_spark(session, store, 1)
    with pytest.raises(ck.ColumnError, match=r"two rows have the number 0 "):
        ck.stitch(frame.union(frame), workdir=tmp_path / "run")


def test_a_dataframe_without_rows(session, store, tmp_path):
    found = ck.stitch(in_spark(session, store).where("false"), workdir=tmp_path / "run")
    check_tables(found, ck.stitch(store.slice(0, 0)))


@pytest.mark.parametrize("rounds", [False, True])
def test_a_large_cluster_is_refused_with_the_alias_to_blame(session, tmp_path, monkeypatch, rounds):
    from convergekit.parts.spark import stitching

    if rounds:
        monkeypatch.setattr(stitching, "OF_A_KEY", 10**12)
    cookies = ["till"] * 8 + ["a", "b"]
    events = pd.DataFrame(
        {"event_name": "PageView", "timestamp": "2026-03-02", "alias.cookie": cookies}
    )
    frame = in_spark(session, as_table(events), 3)
    with pytest.raises(ck.ConvergekitError) as error:
        ck.stitch(frame, workdir=tmp_path / "run", max_cluster=6)
    assert "8 rows of 10 hang together" in str(error.value)
    assert "block=['urn:cookie:till']" in str(error.value)


def test_options_are_refused_as_in_memory(session, store, tmp_path):
    frame = in_spark(session, store)
    for place, options in enumerate(
        ({"limits": {"emial": 1}}, {"rename_events": {"Page": "PageView"}}, {"first": ["nothing"]})
    ):
        with pytest.raises(ck.ConvergekitError) as expected:
            ck.stitch(store, **options)
        with pytest.raises(type(expected.value)) as found:
            ck.stitch(frame, workdir=tmp_path / f"run-{place}", **options)
        assert str(found.value) == str(expected.value)


QUESTIONS = """
funnel:
  ask: funnel
  steps: [PageView, Placed Order]
  within: 7D
visits:
  ask: sessions
credit:
  ask: attribution
  conversion: Placed Order
"""


def job(arguments, tmp_path):
    options = [f"--conf {name}={value}" for name, value in SMALL.items()]
    environment = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"--master local[2] {' '.join(options)} pyspark-shell",
    }
    script = ROOT / "jobs" / "stitch_spark.py"
    return subprocess.run(
        [sys.executable, script, *arguments], env=environment, capture_output=True, text=True
    )


def test_the_job_writes_what_memory_answers(store, memory, tmp_path):
    numbered = store.append_column("row", pa.array(range(len(store)), pa.int64()))
    pa.parquet.write_table(numbered, tmp_path / "events.parquet")
    (tmp_path / "questions.yaml").write_text(QUESTIONS)
    out = tmp_path / "out"
    asked = ["--workdir", tmp_path / "run", "--ask", tmp_path / "questions.yaml"]
    ran = job([tmp_path / "events.parquet", out, *asked], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert repr(memory).removeprefix("Stitched(")[:-1] in ran.stdout
    for name in TABLES:
        assert len(pd.read_parquet(out / name)) == len(getattr(memory, name))
    funnel = memory.funnel(["PageView", "Placed Order"], within="7D")
    written = pd.read_parquet(out / "funnel.parquet")
    same_frames(written[["step", "profiles"]], funnel.table[["step", "profiles"]])
    assert json.loads((out / "funnel.json").read_text())["answer"][0] == repr(funnel)
    assert len(pd.read_parquet(out / "visits.parquet")) == len(memory.sessions())
    credit = pd.read_parquet(out / "credit.parquet")
    assert credit["conversions"].sum() == pytest.approx(
        memory.attribution("Placed Order").table["conversions"].sum()
    )
