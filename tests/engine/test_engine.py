"""The same answers in an engine as in memory: pandas, DuckDB and Spark.

PySpark is a large download and needs Java, so `make test` runs none of what is marked `spark`:
`make test-spark` does.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import convergekit as ck
from tests.strategies import START, event_frames

ibis = pytest.importorskip("ibis")
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
# Spark 4.0 and its sockets warn of much under pandas 3; what they answer is tested.
ON_SPARK = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]
ENGINES = ["duckdb", pytest.param("spark", marks=ON_SPARK)]
#: What suits a few rows: little to move, and no time spent on compiling well what soon ends.
SMALL = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}

_names = itertools.count()


@pytest.fixture(scope="module")
def sessions():
    """One connection per engine, opened when first asked for."""
    opened = {}

    def session(engine):
        if engine not in opened:
            opened[engine] = duckdb_session() if engine == "duckdb" else spark_session()
        return opened[engine]

    yield session
    if "spark" in opened:
        opened["spark"].stop()


def duckdb_session():
    raw = duckdb.connect()
    # Times that name no zone are UTC, whatever the connection's zone is.
    raw.execute("SET TimeZone = 'America/New_York'")
    return raw, ibis.duckdb.from_connection(raw)


def spark_session():
    from pyspark.sql import SparkSession

    # Spark's Python workers need what these tests need.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config(map=SMALL)
    return builder.config("spark.sql.session.timeZone", "America/New_York").getOrCreate()


def table_in(session, frame):
    """Put a frame into the engine, its rows numbered, then shuffled: their order says nothing."""
    frame = frame.reset_index(drop=True)
    if "row" not in frame:
        frame.insert(0, "row", range(len(frame)))
    frame = frame.sample(frac=1, random_state=1)
    name = f"events_{next(_names)}"
    if not isinstance(session, tuple):
        return session.createDataFrame(to_arrow(frame))
    raw, connection = session
    raw.register("frame", to_arrow(frame))
    raw.execute(f"CREATE TABLE {name} AS FROM frame")
    raw.unregister("frame")
    return connection.table(name)


def to_arrow(frame):
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = []
    for field in table.schema:
        kind = field.type
        if pa.types.is_null(kind):
            kind = pa.list_(pa.string()) if field.name == "aliases" else pa.string()
        elif pa.types.is_large_string(kind):
            kind = pa.string()
        elif pa.types.is_list(kind) and pa.types.is_null(kind.value_type):
            kind = pa.list_(pa.string())
        fields.append(pa.field(field.name, kind))
    return table.cast(pa.schema(fields))


def stitched_in(session, frame, **options):
    """Return a stitching, and its tables as plain Python, in one order, for any engine."""
    s = ck.stitch(frame if session == "pandas" else table_in(session, frame), **options)
    return s, Tables(s)


class Tables:
    def __init__(self, s):
        self.s = s

    def __getitem__(self, name):
        table = getattr(self.s, name)
        return plain(table if isinstance(table, pd.DataFrame) else table.to_pandas())


TABLES = ("events", "profiles", "aliases", "duplicates", "rejected")


def plain(table):
    records = [
        {name: cell(value) for name, value in record.items()} for record in table.to_dict("records")
    ]
    return sorted(records, key=lambda record: str(list(record.values())[:3]))


def cell(value):
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC") if value.tz is not None else value.tz_localize("UTC")
    if hasattr(value, "__len__") and not isinstance(value, str):
        return sorted(item for item in value if item is not None)
    return None if pd.isna(value) else value


def report_of(s):
    report = s.report.to_dict()
    # A column `row` is read here, and replaced in memory.
    report["remarks"] = {
        k: n for k, n in report["remarks"].items() if "that stitch writes" not in k
    }
    report["several_logins"] = {k: n for k, n in report["several_logins"].items() if n}
    return report


def assert_equal(session, frame, **options):
    mine, found = stitched_in(session, frame, **options)
    theirs, expected = stitched_in("pandas", frame, **options)
    for name in TABLES:
        assert found[name] == expected[name], name
    assert report_of(mine) == report_of(theirs)
    return mine, theirs


def events(*rows, **columns):
    """Events a minute apart, unless they say when."""
    frame = pd.DataFrame(list(rows))
    times = [START + pd.Timedelta(minutes=m) for m in range(len(frame))]
    frame["timestamp"] = (
        [
            time if pd.isna(minute) else START + pd.Timedelta(minutes=minute)
            for time, minute in zip(times, frame.pop("minute"), strict=True)
        ]
        if "minute" in frame
        else times
    )
    if "event_name" not in frame:
        frame["event_name"] = "PageView"
    return frame.assign(**columns)


# --- what the words mean, on every engine -------------------------------------------------


@pytest.fixture(params=["pandas", *ENGINES])
def session(request, sessions):
    return "pandas" if request.param == "pandas" else sessions(request.param)


def profiles_of(records):
    return [record["profile_id"] for record in sorted(records, key=lambda r: r["row"])]


def test_aliases_that_meet_on_an_event_are_one_profile(session):
    frame = events(
        {"alias.cookie": "c1", "alias.cart_token": "t1"},
        {"alias.cart_token": "t1", "alias.email": "ada@example.com"},
        {"alias.cookie": "c2"},
    )
    _, found = stitched_in(session, frame)
    first, second, third = profiles_of(found["events"])
    assert first == second == "p_" + sha256("urn:cart_token:t1")
    assert third == "p_" + sha256("urn:cookie:c2")
    assert [p["aliases"] for p in found["profiles"]] in ([3, 1], [1, 3])


def sha256(text):
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_first_copy_to_arrive_is_kept_then_the_first_row(session):
    frame = events(
        {"event_id": "a", "alias.cookie": "c1", "minute": 0, "received_at": 9},
        {"event_id": "a", "alias.cookie": "c1", "minute": 1, "received_at": 5},
        {"event_id": "b", "alias.cookie": "c1", "minute": 2, "received_at": 6},
        {"event_id": "b", "alias.cookie": "c1", "minute": 2, "received_at": 6},
        {"event_id": " ", "alias.cookie": "c1", "minute": 3, "received_at": 6},
        {"event_id": " ", "alias.cookie": "c1", "minute": 3, "received_at": 6},
    )
    frame["received_at"] = START + pd.to_timedelta(frame["received_at"], unit="min")
    _, found = stitched_in(session, frame)
    assert [(d["row"], d["kept_row"]) for d in found["duplicates"]] == [(0, 1), (3, 2)]
    assert [d["repeat"] for d in found["duplicates"]] == ["different content", "identical"]
    assert [e["row"] for e in found["events"]] == [1, 2, 4, 5]


def test_copies_that_cannot_be_copies_are_named(session):
    frame = events(
        {"event_id": "a", "alias.cookie": "c1", "minute": 0},
        {"event_id": "a", "alias.email": "a@x.org", "minute": 1},
        {"event_id": "a", "alias.email": "b@x.org", "minute": 2},
        {"event_id": "a", "alias.email": "a@x.org", "alias.customer_id": "1", "minute": 3},
        {"event_id": "a", "alias.customer_id": "2", "minute": 4},
        {"event_id": "5.5E+12", "alias.cookie": "c1", "minute": 0},
        {"event_id": "5.5E+12", "alias.cookie": "c2", "minute": 24 * 60},
        {"event_id": "5.5E+12", "alias.cookie": "c2", "minute": 24 * 60 + 1},
        {"event_id": "5.5E+12", "alias.cookie": "c1", "minute": 48 * 60},
        {"event_id": "5.5E+12", "minute": 48 * 60},
    )
    s, found = stitched_in(session, frame)
    named = {d["row"] for d in found["duplicates"] if d["repeat"] == "implausible"}
    assert named == {2, 4, 7, 9}
    warnings = "\n".join(s.report.warnings)
    assert "4 dropped copies are implausible (row 2, dropped as a copy of row 0)" in warnings
    assert "5 events have event IDs in scientific notation, such as '5.5E+12' (row 5)" in warnings


def test_a_source_that_is_the_name_of_the_file_is_not_content(session):
    def row(file, source=None, **said):
        path = f"exports/{file}.jsonl.gz"
        return {"minute": 0, "alias.cookie": "c", "file": path, "source": source or file, **said}

    frame = events(
        row("browser", event_id="1", **{"properties.x": 1.0}),
        row("server", event_id="1", **{"properties.x": 1.0}),
        row("server", event_id="1", **{"properties.x": 2.0}),
        row("events_intraday_20260302", event_id="2", **{"properties.x": 1.0}),
        row("events_20260302", event_id="2", **{"properties.x": 2.0}),
        row("events_20260302", "web", event_id="2", **{"properties.x": 1.0}),
        row("part-1-0aff3"),
        row("part-2-11c0"),
        row("part-2-11c0"),
        row("part-2-11c0", "till"),
        row("part-3"),
    )
    s, found = stitched_in(session, frame)
    said = {copy["row"]: copy["repeat"] for copy in found["duplicates"]}
    assert said == {1: "identical", 2: "other source", 4: "different content", 5: "other source"}
    assert s.report.warnings[-1] == (
        "3 events without an event ID repeat another in every field, in another file "
        "('exports/part-1-0aff3.jsonl.gz' and 'exports/part-2-11c0.jsonl.gz': 2): they are "
        "counted, because nothing marks them as duplicates"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" Ada@Example.com", "ada@example.com\u2003"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("A@x.org", "a@X.ORG\n"),
        # Letter by letter: a sigma that ends a word is a sigma, and a dotted I is an i.
        ("ΟΔΟΣ@x.org", "οδοσ@x.org"),
        ("İda@x.org", "ida@x.org"),
        ("ＡＤＡ@x.org", "ada@x.org"),
        ("a\u00adda@x.org\u200b", "\ufeffada@x\uff61org"),
    ],
)
def test_ways_to_write_an_address_are_one_alias(session, one, other):
    frame = events({"alias.email": one}, {"alias.email": other})
    _, found = stitched_in(session, frame)
    assert len(found["aliases"]) == 1
    assert found["aliases"][0]["events"] == 2


def test_look_alikes_of_addresses_are_counted_and_those_of_ids_stay_apart(session):
    frame = events(
        {"alias.email": "ad\u00ada@x.org", "aliases": ["urn:Email:ＡＤＡ@x.org", "ada@x.org"]},
        {"alias.email": "josé@x.org", "aliases": ["urn:cookie:ｃ", None]},
        {"alias.email": "Ada@x.org", "alias.device": "ｄ", "aliases": []},
        {"alias.device": "d", "aliases": ["urn:email: \ufeffada@x.org"]},
        {"alias.email": "\u200b"},
        event_name=["A", "A", "A", "A", None],
    )
    s, found = stitched_in(session, frame, block=["ＪＯＳÉ@x.org"])
    assert sorted((a["alias_value"], a["events"]) for a in found["aliases"]) == [
        ("ada@x.org", 3),
        ("d", 1),
        ("ｃ", 1),
        ("ｄ", 1),
    ]
    remarks = report_of(s)["remarks"]
    assert remarks == {"e-mail address in a look-alike form: usual form taken": 3}
    assert len(found["events"]) == 5
    assert s.report.malformed == {"not a URN: expected urn:<type>:<value>": 1}


@pytest.mark.parametrize("value", ["ΟΔΟΣ", "İZMİR"])
def test_a_value_is_blocked_in_any_case_of_any_language(session, value):
    frame = events({"alias.cookie": value}, {"alias.cookie": "x"})
    _, found = stitched_in(session, frame, block=[value])
    assert [alias["alias_value"] for alias in found["aliases"]] == ["x"]


def test_urns_of_any_shape_and_what_is_none(session):
    urns = [" URN:Email: Ada@x.org ", "urn:cookie:a:b", "john@example.com", "urn:noValue", "urn::x"]
    frame = events({"aliases": [*urns, None]}, {"aliases": []}, {"aliases": ["urn:cookie:a:b"] * 2})
    s, found = stitched_in(session, frame)
    assert [(a["alias_type"], a["alias_value"], a["events"]) for a in found["aliases"]] == [
        ("cookie", "a:b", 2),
        ("email", "ada@x.org", 1),
    ]
    assert s.report.malformed == {"not a URN: expected urn:<type>:<value>": 3}
    assert s.report.links_nobody == 1


def test_events_without_any_name_are_warned_of(session):
    nameless = {"alias.cookie": "c", "event_name": None}
    s, _ = stitched_in(session, events(nameless, nameless | {"alias.cookie": "d"}))
    assert [w for w in s.report.warnings if "2 events are identify calls" in w]
    s, _ = stitched_in(session, events(nameless, {"event_name": "A", "alias.cookie": "d"}))
    assert not s.report.warnings


def test_values_that_mean_nobody_link_nobody_and_are_counted(session):
    nobody = ["NULL", "", " undefined", "0-0", "(not set)", "[Object object]"]
    frame = events(
        *({"alias.email": value, "alias.cookie": f"c{i}"} for i, value in enumerate(nobody))
    )
    s, found = stitched_in(session, frame)
    assert len(found["profiles"]) == len(nobody)
    blocked = s.report.blocked
    assert blocked["events"].tolist() == [1] * 6
    assert set(blocked["alias_value"]) == {
        "null",
        "",
        "undefined",
        "0-0",
        "(not set)",
        "[object object]",
    }


def test_values_are_carried_forward_and_only_within_a_profile(session):
    frame = events(
        {"alias.cookie": "c1", "profile_properties.utm_source": "ads"},
        {"alias.cookie": "c2", "profile_properties.utm_source": ""},
        {"alias.cookie": "c1", "profile_properties.utm_source": ""},
        {"alias.cookie": "c1", "profile_properties.utm_source": "mail"},
        {"alias.cookie": None, "profile_properties.utm_source": "own"},
        {"alias.cookie": None, "profile_properties.utm_source": None},
    )
    _, found = stitched_in(session, frame)
    carried = [e["profile.utm_source"] for e in sorted(found["events"], key=lambda e: e["row"])]
    assert carried == ["ads", None, "ads", "mail", "own", None]
    _, found = stitched_in(session, frame, first=["utm_*"])
    carried = [e["profile.utm_source"] for e in sorted(found["events"], key=lambda e: e["row"])]
    assert carried == ["ads", None, "ads", "ads", "own", None]


def test_a_row_without_a_name_or_an_alias_or_a_time_is_no_event(session):
    frame = events(
        {"event_name": None, "alias.cookie": "c1"},
        {"event_name": " ", "alias.cookie": " "},
        {"event_name": "PageView", "alias.cookie": "c1"},
    )
    frame.loc[2, "timestamp"] = pd.NaT
    _, found = stitched_in(session, frame)
    assert [(e["row"], e["kind"]) for e in found["events"]] == [(0, "identify")]
    assert [(r["row"], r["reason"]) for r in found["rejected"]] == [
        (1, "neither an event nor an identify call: no event name and no alias"),
        (2, "timestamp is missing"),
    ]


# --- every table, beside those in memory --------------------------------------------------


@pytest.fixture(params=ENGINES)
def engine(request, sessions):
    return sessions(request.param)


def test_a_simulated_store_comes_out_the_same(engine):
    frame = ck.simulate_store(people=30, seed=7).events
    mine, theirs = assert_equal(
        engine,
        frame,
        block=["urn:email:test@example.com", "Somebody"],
        rename_events={"PageView": "Viewed"},
        alias_from={"$email": "email"},
        dedupe_on=("source", "event_id"),
    )
    steps = ["Viewed", "Added To Cart", ["Placed Order", "Refund"]]
    for within in ("2D", "7D"):
        a, b = (s.funnel(steps, within=within) for s in (mine, theirs))
        assert a.table.equals(b.table[a.table.columns])
        assert a.counts == {k: n for k, n in b.counts.items() if k != "excluded"}
        assert plain(a.conversions.to_pandas()) == plain(
            b.conversions[["profile_id", "depth", "status"]]
        )
    assert mine.to_pandas()["row"].tolist() == theirs.events["row"].tolist()


@st.composite
def worlds(draw):
    """Several random frames in one, with aliases and IDs of their own: an engine starts slowly."""
    options = {"received": draw(st.booleans()), "several": draw(st.booleans())}
    frames = draw(st.lists(event_frames(max_rows=8, **options), min_size=1, max_size=25))
    marked = []
    for number, frame in enumerate(frames):
        frame = frame.copy()
        for name in [c for c in frame if c == "event_id" or c.startswith("alias.")]:
            nobody = frame[name].isin(["null", ""])
            frame[name] = frame[name].mask(~nobody, frame[name] + f"-{number}")
        if "aliases" in frame:
            lists = [[f"{urn}-{number}" for urn in urns] for urns in frame["aliases"]]
            # Of no rows, pandas would make numbers.
            frame["aliases"] = pd.Series(lists, index=frame.index, dtype=object)
        marked.append(frame)
    return pd.concat(marked, ignore_index=True)


# Many small frames are one example, and to make it smaller takes longer than to read it.
@settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(frame=worlds(), seed=st.integers(0, 99))
@pytest.mark.parametrize("name", ENGINES)
def test_random_events_come_out_the_same(sessions, name, frame, seed):
    first = ["$initial_*"] if seed % 2 else []
    mine, theirs = assert_equal(sessions(name), frame, first=first)
    steps = ["PageView", "Added To Cart", "Placed Order", "Nothing"][seed % 3 :]
    a, b = (s.funnel(steps, within="3min") for s in (mine, theirs))
    assert a.table.equals(b.table[a.table.columns])


def test_a_long_chain_takes_few_rounds(engine):
    # Spark takes as long for a few links as for a million.
    size = 300 if isinstance(engine, tuple) else 60
    seen = []
    chain = [[f"urn:x:{i}", f"urn:x:{i + 1}"] for i in range(1, size + 1)]
    s = ck.stitch_table(
        table_in(engine, events(*({"aliases": urns} for urns in chain))),
        progress=lambda *at: seen.append(at),
    )
    assert len(s.profiles.to_pandas()) == 1
    rounds = [number for number, _ in seen]
    assert seen[0] == (0, size)
    assert rounds == list(range(len(rounds)))
    assert len(rounds) - 1 <= size.bit_length()
    assert seen[-1][1] == 0
    assert s.rounds == [left for _, left in seen]


def test_rounds_leave_no_tables_behind():
    left = {}
    for size in (2, 60):
        raw, connection = duckdb_session()
        chain = [{"aliases": [f"urn:x:{i}", f"urn:x:{i + 1}"]} for i in range(1, size)]
        s = ck.stitch(table_in((raw, connection), events(*chain)))
        left[len(s.rounds) > 2] = len(
            raw.execute("FROM duckdb_tables() WHERE temporary").fetchall()
        )
    assert left[True] == left[False]


# --- what an engine does not do, it says ---------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"limits": {"email": 1}},
        {"identity": "as_of"},
        {"duplicates": "merge"},
        {"max_age": {"cookie": "14D"}},
        {"rules": {"email": str.upper}},
        {"tz": "Europe/Brussels"},
        {"strict": True},
        {"block": [__import__("re").compile("x.*")]},
    ],
)
def test_options_of_memory_alone_are_refused(engine, options):
    table = table_in(engine, events({"alias.cookie": "c1"}))
    with pytest.raises(ck.NotOnThisEngine, match="not on this engine yet"):
        ck.stitch(table, **options)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("timestamp", ["2026-03-02T10:00:00Z"]),
        ("timestamp", [1772442000]),
        ("alias.customer_id", [1.0]),
        ("aliases", ['["urn:cookie:c1"]']),
        ("properties", ['{"price": 1}']),
        ("eventName", ["PageView"]),
        ("unset", [["utm_source"]]),
    ],
)
def test_columns_that_would_have_to_be_parsed_are_refused(engine, column, values):
    table = table_in(engine, events({"alias.cookie": "c1"}, **{column: values}))
    with pytest.raises(ck.NotOnThisEngine, match=column):
        ck.stitch(table)


def test_rows_need_numbers_of_their_own(engine):
    frame = events({"alias.cookie": "c1"}, {"alias.cookie": "c1"})
    with pytest.raises(ck.ColumnError, match="1 numbers for 2 rows"):
        ck.stitch(table_in(engine, frame.assign(row=7)))
    with pytest.raises(ck.ColumnError, match="number the rows"):
        ck.stitch(table_in(engine, frame.rename_axis("row")).drop("row"))


def test_other_questions_say_how_to_ask_them(engine):
    s = ck.stitch(table_in(engine, events({"alias.cookie": "c1"})))
    with pytest.raises(ck.NotOnThisEngine, match=r"\.suspects is not on this engine yet"):
        _ = s.suspects
    with pytest.raises(AttributeError):
        _ = s.suspicions
    for asked in ({"by": "utm_source"}, {"order": "strict"}, {"like": "posthog"}):
        with pytest.raises(ck.NotOnThisEngine, match=next(iter(asked))):
            s.funnel(["PageView"], within="7D", **asked)
    with pytest.raises(ck.NotOnThisEngine, match="share a name"):
        s.funnel(["PageView", "PageView"], within="7D")


# --- what else engines hold ----------------------------------------------------------------

STORED = {
    "duckdb": """
        SELECT * FROM (VALUES
            ('PageView', TIMESTAMP '2026-03-02 10:00:00', 7, {price: 2.5::DOUBLE}, {plan: 'pro'}),
            ('PageView', TIMESTAMP '2026-03-02 10:01:00', 7, {price: 'NaN'::DOUBLE}, {plan: NULL})
        ) AS t(eventName, "timestamp", uid, properties, profileProperties)""",
    "spark": """
        SELECT * FROM VALUES
            ('PageView', TIMESTAMP_NTZ '2026-03-02 10:00:00', 7,
             named_struct('price', 2.5D), named_struct('plan', 'pro')),
            ('PageView', TIMESTAMP_NTZ '2026-03-02 10:01:00', 7,
             named_struct('price', double('NaN')), named_struct('plan', CAST(NULL AS STRING)))
        AS t(eventName, timestamp, uid, properties, profileProperties)""",
}


@pytest.mark.parametrize("name", ENGINES)
def test_naive_times_structs_numbers_and_integers(sessions, name):
    connection = sessions(name)[1] if name == "duckdb" else ibis.pyspark.connect(sessions(name))
    table = connection.sql(STORED[name])
    table = table.mutate(row=ibis.row_number().over(order_by="timestamp"))
    s = ck.stitch(table, columns={"alias.customer_id": "uid"})
    found = s.to_pandas()
    assert found["timestamp"].tolist() == [START.replace(hour=10, minute=m) for m in (0, 1)]
    assert found["profile.plan"].tolist() == ["pro", "pro"]
    assert s.aliases.to_pandas()["alias_value"].tolist() == ["7"]


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore")
def test_the_job_writes_what_memory_answers(tmp_path):
    frame = ck.simulate_store(people=20, seed=3).events.reset_index(drop=True)
    frame.insert(0, "row", range(len(frame)))
    frame.to_parquet(tmp_path / "events.parquet", index=False)
    job = Path(__file__).parents[2] / "jobs" / "stitch_spark.py"
    wanted = [tmp_path / "events.parquet", tmp_path / "out", "--checkpoints", tmp_path / "kept"]
    options = [f"--conf {name}={value}" for name, value in SMALL.items()]
    environment = os.environ | {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"--master local[2] {' '.join(options)} pyspark-shell",
    }
    ran = subprocess.run(
        [sys.executable, job, *wanted], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    s = ck.stitch(frame)
    assert "0 links left" in ran.stdout
    assert repr(s).removeprefix("Stitched") in ran.stdout
    for name in TABLES:
        written = pd.read_parquet(tmp_path / "out" / name)
        assert plain(written) == plain(getattr(s, name)), name
    assert any((tmp_path / "kept").rglob("part-*"))


def test_the_users_tables_are_left_alone_and_nothing_else_is_seen():
    raw, connection = duckdb_session()
    table = table_in((raw, connection), events({"alias.cookie": "c1"}))
    before = connection.list_tables()
    s = ck.stitch(table)
    assert s.events.count().execute() == 1
    persistent = raw.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT temporary"
    ).fetchall()
    assert [name for (name,) in persistent] == [table.op().name]
    assert set(before) <= set(connection.list_tables())


def test_names_and_values_are_no_sql(engine):
    name = """a"b'c`; DROP TABLE x --"""
    frame = events({f"alias.{name}": name, f"profile_properties.{name}": name})
    s, found = stitched_in(engine, frame, first=[name], block=["'", '"'])
    assert found["events"][0][f"profile.{name}"] == name
    assert found["aliases"][0]["alias_type"] == name.lower()
    assert s.report.aliases_by_type == {name.lower(): 1}
    with pytest.warns(UserWarning, match="no event is named") as warned:
        assert s.funnel([name], within="7D").counts["entered"] == 0
    unnamed = [warning for warning in warned if "no event is named" in str(warning.message)]
    assert [warning.filename for warning in unnamed] == [__file__]


def test_a_relation_is_stitched_in_memory_and_a_frame_is_no_table():
    relation = duckdb.from_arrow(to_arrow(events({"alias.cookie": "c1"})))
    assert isinstance(ck.stitch(relation), ck.Stitched)
    with pytest.raises(ck.ConvergekitError, match="ibis.duckdb.from_connection"):
        ck.stitch_table(relation)


def test_a_name_that_fits_nothing_is_refused(engine):
    frame = events({"alias.device": "d", "profile_properties.utm_source": "ads"})
    table = table_in(engine, frame)
    with pytest.raises(ck.UnknownNameError, match="Found: device. Did you mean 'device'"):
        ck.stitch(table, browser_alias="devise")
    with pytest.raises(
        ck.UnknownNameError, match="first names 'utm_sorce', which is not a profile"
    ):
        ck.stitch(table, first="utm_sorce")
    s = ck.stitch(table, browser_alias="Device", first="utm_source")
    assert s.profiles.to_pandas()["has_browser_session"].tolist() == [True]
