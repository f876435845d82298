"""Tables of engines, stitched: the answers are those of memory, wherever clusters are found."""

from __future__ import annotations

import contextlib
import itertools
import re

import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.identity.options import StitchOptions
from convergekit.parts.checked import checked_by_parts
from convergekit.parts.engines.clustered import ClusteredTable
from convergekit.parts.engines.links import connected_components
from convergekit.parts.engines.scratch import Scratch
from convergekit.parts.engines.table import rows_of
from convergekit.parts.stitching import stitched_by_parts
from tests.effort import tries
from tests.parts.engine_cases import (
    check_same,
    in_engine,
    in_memory,
    opened,
    table_in,
    to_arrow,
)
from tests.parts.parts_cases import same_frames
from tests.strategies import START, event_frames

ibis = pytest.importorskip("ibis")
sqlglot = pytest.importorskip("sqlglot")
pytestmark = pytest.mark.filterwarnings("ignore:no event is named")
ENGINES = ["duckdb", "postgres", "clickhouse"]


@pytest.fixture(scope="module")
def connect():
    """Return a connection to an engine, opened when it is first asked for."""
    with contextlib.ExitStack() as stack:
        found = {}

        def connection(name):
            if name not in found:
                found[name] = stack.enter_context(opened(name))
            return found[name]

        yield connection


@pytest.fixture(params=ENGINES)
def engine(request, connect):
    return connect(request.param)


def events(*rows, **columns):
    """Events a minute apart."""
    frame = pd.DataFrame(list(rows))
    frame["timestamp"] = [START + pd.Timedelta(minutes=m) for m in range(len(frame))]
    if "event_name" not in frame:
        frame["event_name"] = "PageView"
    return frame.assign(**columns)


#: What memory compares as one, or not at all: an engine must not keep apart what is one there.
EMAILS = [
    "ada@x.org", " Ada@X.org ", "\tada@x.org\n", "\uff21da@x.org", "a\u00adda@x.org\u200b",
    "\u212aate@x.org", "kate@x.org", "jose\u0301@x.org", "jos\u00e9@x.org", "\u0130da@x.org",
    "null", " undefined", "", " ", "a'b@x.org", 'a"b@x.org',
]  # fmt: skip
URNS = [
    "urn:email:ada@x.org", " URN:Email: Ada@x.org", "urn:cookie:c1", "urn: cookie :c1 ",
    "urn:cookie:a:b", "urn:cookie:\uff43", "ada@x.org", "urn:noValue", "urn::x", "urn:x:", "",
    "urn:cookie:null", "urn:cookie:C1",
]  # fmt: skip
IDS = ["e1", " e1", "E1", "e2", "undefined", " ", "\u00e9", "e\u0301"]


@st.composite
def frames(draw):
    """Frames of events that carry what is compared in many forms."""
    frame = draw(event_frames(max_rows=14, unset=True))
    size = len(frame)

    def column(values):
        return draw(st.lists(st.sampled_from([None, *values]), min_size=size, max_size=size))

    urns = st.lists(st.sampled_from(URNS), max_size=2)
    texts = {
        "alias.email": column(EMAILS),
        "alias.cookie": column(["c1", "C1", "c1 ", "a:b", "c2", "guest"]),
        "event_id": column(IDS),
        "profile_properties.mail": column(EMAILS[:6]),
    }
    frame = frame.assign(**texts).astype(dict.fromkeys(texts, "str"))
    frame["alias.customer_id"] = pd.array(column([1, 2, 3]), dtype="Int64")
    frame["aliases"] = pd.Series(draw(st.lists(urns, min_size=size, max_size=size)), dtype=object)
    return frame


asked = st.fixed_dictionaries(
    {},
    optional={
        "duplicates": st.just("merge"),
        "dedupe_on": st.just(["source", "event_id"]),
        "limits": st.sampled_from([{"email": 1}, {"cookie": 1}]),
        "identity": st.just("as_of"),
        "first": st.just(["$initial_*"]),
        "block": st.sampled_from([["urn:cookie:c1"], [re.compile("c.*")], ["Ada@x.org"]]),
        "alias_from": st.just({"mail": "email"}),
        "rules": st.sampled_from([{"cookie": str.upper}, {"email": ck.email_rule()}]),
        "max_age": st.just({"cookie": "3min"}),
        "rename_events": st.just({"PageView": "Viewed"}),
        "browser_alias": st.just("email"),
        "nothing": st.just(["utm_source"]),
        "tz": st.just("Europe/Brussels"),
        "salt": st.just("secret"),
        "observed_until": st.just("2026-03-02"),
    },
)


def check_as_memory(connection, frame, options, streamed, parts):
    """Check that a table comes out as in memory, or is refused as there."""
    table = table_in(connection, frame)
    try:
        expected = in_memory(table, **options)
    except ck.ConvergekitError as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            in_engine(table, streamed=streamed, parts=parts, **options)
    else:
        check_same(in_engine(table, streamed=streamed, parts=parts, **options), expected)


# To make a failure smaller takes longer than to read it.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]


@given(frames(), asked, st.booleans(), st.sampled_from([1, 2, 7]))
@tries(40, phases=PHASES)
def test_duckdb_comes_out_as_memory(connect, frame, options, streamed, parts):
    check_as_memory(connect("duckdb"), frame, options, streamed, parts)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres", "clickhouse"])
@given(frames(), asked)
@tries(8, phases=PHASES)
def test_servers_come_out_as_memory(connect, name, frame, options):
    check_as_memory(connect(name), frame, options, streamed=False, parts=2)


def test_an_engine_has_all_answers(engine):
    table = table_in(engine, ck.simulate_store(people=6, seed=7).events)
    found, expected = in_engine(table, streamed=False, parts=2), in_memory(table)
    check_same(found, expected)
    steps = ["PageView", "Added To Cart", "Placed Order"]
    mine, theirs = (s.funnel(steps, within="7D", by="utm_source") for s in (found, expected))
    same_frames(mine.table, theirs.table)
    same_frames(pd.DataFrame(mine.trend("W")), pd.DataFrame(theirs.trend("W")))
    asked = {"conversion": "Placed Order", "model": "last_touch"}
    assert str(found.attribution(**asked)) == str(expected.attribution(**asked))


def test_a_long_chain_takes_few_rounds():
    size, left = 300, []
    links = ibis.memtable(pd.DataFrame({"low": range(size), "high": range(1, size + 1)}))
    with opened("duckdb") as connection:
        scratch = Scratch(connection)
        found = connected_components(
            scratch, scratch.keep(links.distinct()), lambda *at: left.append(at)
        )
        assert len(set(found.to_pandas()["component"])) == 1
    assert left[0] == (0, size)
    assert [number for number, _ in left] == list(range(len(left)))
    assert len(left) - 1 <= size.bit_length()
    assert left[-1][1] == 0


def test_a_table_is_left_alone_and_nothing_stays(engine):
    table = table_in(engine, events({"alias.cookie": "c1"}, {"aliases": ["urn:cookie:c1"]}))
    before = engine.list_tables()
    found = in_engine(table, streamed=False)
    assert len(found.profiles) == 1
    assert engine.list_tables() == before
    with pytest.raises(ck.UnknownNameError, match="'nothing'"):
        in_engine(table, streamed=False, block=["urn:nothing:x"])
    assert engine.list_tables() == before


def test_rows_keep_their_numbers(connect):
    frame = events(*[{"event_id": f"e{i // 2}", "alias.cookie": "c"} for i in range(6)])
    frame = frame.assign(row=[40, 10, 60, 20, 50, 30])
    for streamed in (True, False):
        found = in_engine(table_in(connect("duckdb"), frame), streamed=streamed)
        assert found.events.to_pandas()["row"].tolist() == [10, 20, 30]
        copies = found.duplicates.to_pandas()
        assert list(zip(copies["row"], copies["kept_row"], strict=True)) == [
            (40, 10), (50, 30), (60, 20),
        ]  # fmt: skip


@pytest.mark.parametrize("streamed", [True, False])
def test_rows_need_numbers_of_their_own(connect, streamed):
    connection = connect("duckdb")
    frame = events({"alias.cookie": "c1"}, {"alias.cookie": "c1"})
    with pytest.raises(ck.ColumnError, match="1 numbers for 2 rows"):
        in_engine(table_in(connection, frame.assign(row=7)), streamed=streamed)
    missing = frame.assign(row=pd.array([1, None], dtype="Int64"))
    with pytest.raises(ck.ColumnError, match="row"):
        in_engine(table_in(connection, missing), streamed=streamed)
    table = table_in(connection, frame)
    with pytest.raises(ck.ColumnError, match="no column `row`"):
        ck.stitch(table.drop("row"))
    with pytest.raises(ck.ColumnError, match="number the rows by integers"):
        ck.stitch(table.mutate(row=table.row.cast("string")))


def test_a_table_that_differs_when_it_is_read_again_is_copied_first(connect):
    connection = connect("duckdb")
    kept = table_in(connection, ck.simulate_store(people=5).events).drop("row")
    # Without an order, DuckDB may number rows otherwise each time; here it certainly does.
    table = kept.mutate(row=ibis.row_number().over(order_by=ibis.random()))
    for streamed in (True, False):
        found = in_engine(table, streamed=streamed, parts=3)
        assert len(found.events) == len(in_memory(kept.mutate(row=ibis.row_number())).events)


@pytest.mark.parametrize(
    "cells",
    [
        {"aliases": ['["urn:cookie:c1"]', "urn:cookie:c1"]},
        {"alias.cookie": [1.0, 2.0]},
        {"profile_properties": ['{"mail": "a@x.org"}', None], "alias.cookie": ["a", "b"]},
    ],
)
def test_what_only_memory_can_read_is_streamed(connect, cells):
    frame = pd.DataFrame(cells).assign(event_name="A", timestamp=START)
    options = {"alias_from": {"mail": "email"}} if "profile_properties" in frame else {}
    if "aliases" in frame:
        kept = table_in(connect("duckdb"), frame.rename(columns={"aliases": "urns"}))
        table = kept.rename(aliases="urns")
    else:
        table = table_in(connect("duckdb"), frame)
    source = rows_of(table, streamed=False)
    assert source.clusters is not None
    assert source.clusters(None, StitchOptions.of(**options)) is None
    check_same(in_engine(table, streamed=False, **options), in_memory(table, **options))


def test_columns_of_any_name_connect(connect):
    connection = connect("duckdb")
    table = connection.sql(
        """SELECT * FROM (VALUES
            (0, 'A', TIMESTAMP '2026-03-02 10:00:00', 7, {mail: 'a@x.org'}, uuid(), 'x'),
            (1, 'A', TIMESTAMP '2026-03-02 10:01:00', 7, {mail: NULL}, uuid(), 'y'),
            (2, 'A', TIMESTAMP '2026-03-02 10:02:00', 8, {mail: 'A@x.org '}, NULL, 'y')
        ) AS t("row", eventName, "timestamp", uid, profileProperties, eventID, __cvg_uid)"""
    )
    options = {"alias_from": {"mail": "email"}}
    columns = {"alias.customer_id": "uid"}
    kept = connection.create_table("own_names", table)
    found = stitched_by_parts(
        rows_of(kept, streamed=False), StitchOptions.of(**options), columns, None, parts=5
    )
    assert len(found.profiles) == 1
    check_same(found, in_memory(kept, columns=columns, **options))


def test_a_value_that_many_rows_share_is_blamed(connect):
    rows = [{"alias.cookie": "shared", "alias.email": f"{i}@x.org"} for i in range(150)]
    table = table_in(connect("duckdb"), events(*rows))
    said = []
    for streamed in (True, False):
        with pytest.raises(ck.ConvergekitError, match="block=") as raised:
            stitched_by_parts(
                rows_of(table, streamed=streamed), StitchOptions.of(), None, None, max_cluster=100
            )
        said.append(str(raised.value))
    assert said[0] == said[1]
    assert "'urn:cookie:shared' (150 rows)" in said[0]
    blocked = in_engine(table, streamed=False, parts=7, block=["urn:cookie:shared"])
    assert len(blocked.profiles) == 150


def test_a_fetch_that_was_ended_goes_on(connect, tmp_path, monkeypatch):
    table = table_in(connect("duckdb"), ck.simulate_store(people=12).events)
    asked = (rows_of(table, streamed=False), StitchOptions.of(), None, tmp_path / "run")
    fetched = ClusteredTable._fetched
    seen = []

    def ended(self, number, *others):
        seen.append(number)
        if len(seen) == 3:
            yield from itertools.islice(fetched(self, number, *others), 1)
            raise KeyboardInterrupt
        yield from fetched(self, number, *others)

    monkeypatch.setattr(ClusteredTable, "_fetched", ended)
    with pytest.raises(KeyboardInterrupt):
        stitched_by_parts(*asked, parts=5)
    found = stitched_by_parts(*asked, parts=5)
    assert seen == [0, 1, 2, 2, 3, 4]
    check_same(found, in_memory(table))
    # What is done does not ask the engine again.
    monkeypatch.setattr(ClusteredTable, "__init__", None)
    assert len(stitched_by_parts(*asked, parts=5).events) == len(found.events)


def test_what_is_asked_is_sql_of_every_warehouse(connect, monkeypatch):
    # BigQuery and Snowflake are not run: what they would be asked is compiled and parsed.
    connection, asked = connect("duckdb"), []
    compiled, keep = type(connection).compile, Scratch.keep

    def recorded(self, expression, *args, **options):
        asked.append(expression)
        return compiled(self, expression, *args, **options)

    rows = [{"alias.email": f"\uff21{i}@x.org", "aliases": ["urn:cookie:c"]} for i in range(4)]
    table = table_in(connection, events(*rows, event_id="e", **{"alias.customer_id": 1}))
    monkeypatch.setattr(type(connection), "compile", recorded)
    monkeypatch.setattr(Scratch, "keep", lambda self, step: asked.append(step) or keep(self, step))
    in_engine(table, streamed=False, parts=3)
    monkeypatch.undo()
    assert len(asked) > 20
    for dialect in ("bigquery", "snowflake", "postgres", "clickhouse"):
        for expression in asked:
            assert sqlglot.parse_one(ibis.to_sql(expression, dialect=dialect), dialect=dialect)


def test_a_relation_is_stitched_in_memory():
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.from_arrow(to_arrow(events({"alias.cookie": "c1"})))
    assert isinstance(ck.stitch(relation), ck.Stitched)


@pytest.mark.parametrize("streamed", [True, False])
def test_the_check_up_of_a_table_is_that_of_memory(connect, streamed):
    frame = ck.simulate_store(people=40, seed=5).events
    orders = frame.index[frame["event_name"] == "Placed Order"]
    frame.loc[orders[:3], "event_id"] = None
    frame.loc[orders[3:5], "alias.email"] = "{{customer.email}}"
    frame = pd.concat([frame, frame.loc[orders[:2]]], ignore_index=True)
    expected = ck.check_up(frame)
    assert len(expected) > 2
    table = table_in(connect("duckdb"), frame)
    for one, parts in ((rows_of(table, streamed=streamed), 3), (table, None)):
        found = checked_by_parts(one, StitchOptions.of(), None, None, parts=parts)
        assert str(found) == str(expected)
        assert found.to_dict() == expected.to_dict()
    assert str(ck.check_up(table)) == str(expected)


def test_a_table_without_aliases_is_checked(connect):
    frame = ck.simulate_store(people=20, seed=5).events
    frame = frame.drop(columns=[name for name in frame if name.startswith("alias.")])
    table = table_in(connect("duckdb"), frame)
    source = rows_of(table, streamed=False)
    found = checked_by_parts(source, StitchOptions.of(), None, None, parts=3)
    assert str(found) == str(ck.check_up(frame))
