"""Tables of engines, stitched: the answers are those of memory, wherever clusters are found."""

from __future__ import annotations

import contextlib
import re

import pandas as pd
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries
from tests.parts.engine_cases import check_same, in_engine, in_memory, opened, table_in
from tests.strategies import START, event_frames

ibis = pytest.importorskip("ibis")
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


def check_everywhere(connection, frame, options, ways):
    """Check that a table comes out as in memory, or raises as there."""
    table = table_in(connection, frame)
    try:
        expected, refused = in_memory(table, **options), None
    except ck.ConvergekitError as error:
        expected, refused = None, error
    for streamed, parts in ways:
        if refused is not None:
            with pytest.raises(type(refused), match=re.escape(str(refused))):
                in_engine(table, streamed=streamed, parts=parts, **options)
        else:
            check_same(in_engine(table, streamed=streamed, parts=parts, **options), expected)


# To make a failure smaller takes longer than to read it.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]


@given(frames(), asked, st.sampled_from([1, 2, 7]))
@tries(60, phases=PHASES)
def test_duckdb_comes_out_as_memory(connect, frame, options, parts):
    check_everywhere(connect("duckdb"), frame, options, [(True, parts), (False, parts)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["postgres", "clickhouse"])
@given(frames(), asked)
@tries(12, phases=PHASES)
def test_servers_come_out_as_memory(connect, name, frame, options):
    check_everywhere(connect(name), frame, options, [(False, 3)])
