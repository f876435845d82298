"""The compiled kernels give what the plain path gives; the whole suite also runs on them alone."""

from __future__ import annotations

import hashlib
import hmac
import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.compiled import compiled
from convergekit.base.text import to_arrow
from convergekit.identity import properties
from convergekit.identity.as_of import Knowledge
from convergekit.identity.read_aliases import read_aliases
from convergekit.visits import pauses
from tests.effort import tries

pytest.importorskip("numba", reason="compiled kernels need numba: pip install -e '.[fast]'")
text = pytest.importorskip("convergekit.base.compiled_text")
components = pytest.importorskip("convergekit.identity.compiled.components")
digests = pytest.importorskip("convergekit.identity.compiled.digests")
carry = pytest.importorskip("convergekit.identity.compiled.carry")
gather = pytest.importorskip("convergekit.base.compiled_gather")
repeats = pytest.importorskip("convergekit.identity.compiled.repeats")
compiled_pauses = pytest.importorskip("convergekit.visits.compiled_pauses")

words = st.one_of(st.none(), st.text(max_size=20), st.sampled_from(["a", "b", "aaaaaaaa", "ß"]))


def in_chunks(values: list[str | None], cuts: list[int]) -> pd.Series:
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [pa.array(values[lo:hi], pa.large_string()) for lo, hi in itertools.pairwise(edges)]
    return pd.Series(pd.array(pa.chunked_array(parts), dtype="str"))


def assert_numbered_as_pandas_does(values: pd.Series, at: np.ndarray | None) -> None:
    codes, distinct = text.number_text(values, at)
    part = values if at is None else values.iloc[at]
    expected, index = pd.factorize(part)
    assert codes.tolist() == expected.tolist()
    assert distinct.to_pylist() == list(index)


@given(st.lists(words, max_size=60), st.lists(st.integers(0, 60), max_size=4), st.data())
def test_texts_are_numbered_as_pandas_does(values, cuts, data):
    held = in_chunks(values, cuts)
    chosen = data.draw(st.sets(st.integers(0, max(len(values) - 1, 0)))) if values else set()
    assert_numbered_as_pandas_does(held, None)
    assert_numbered_as_pandas_does(held, np.array(sorted(chosen), dtype=np.int64))


def many_texts(rows: int, distinct: int) -> pd.Series:
    number = np.random.default_rng(3).integers(0, distinct, rows)
    return pd.Series(number, dtype="int64").astype(str) + " of those that are long enough"


@pytest.mark.parametrize("distinct", [500, 2_000, 150_000])
def test_many_texts_are_numbered_by_all_threads(distinct):
    values = many_texts(200_000, distinct)
    values[::7] = None
    assert_numbered_as_pandas_does(values, None)
    assert_numbered_as_pandas_does(values, np.flatnonzero(np.arange(200_000) % 3))
    assert_numbered_as_pandas_does(values.iloc[11:], None)


def test_texts_that_share_a_hash_are_told_apart(monkeypatch):
    def all_the_same(*arguments):
        lo, hi, hashes = arguments[-3:]
        hashes[lo:hi] = 7

    monkeypatch.setattr(text, "_hash_texts", all_the_same)
    values = many_texts(5_000, 3_000)
    assert_numbered_as_pandas_does(values, None)
    assert_numbered_as_pandas_does(values, np.arange(1, 5_000))


@given(st.lists(st.one_of(st.binary(max_size=80), st.binary(min_size=50, max_size=150))))
def test_digests_are_those_of_hashlib(texts):
    ends = np.cumsum([0, *map(len, texts)])
    found = digests.digest_starts(np.frombuffer(b"".join(texts), dtype=np.uint8), ends)
    assert [row.tobytes() for row in found] == [hashlib.sha256(t).digest()[:8] for t in texts]


@tries(40)
@given(st.lists(st.binary(max_size=140), max_size=6), st.binary(min_size=1, max_size=140))
def test_digests_with_a_key_are_those_of_hmac(texts, key):
    ends = np.cumsum([0, *map(len, texts)])
    found = digests.digest_starts(np.frombuffer(b"".join(texts), dtype=np.uint8), ends, key)
    wanted = [hmac.new(key, text, "sha256").digest()[:8] for text in texts]
    assert [row.tobytes() for row in found] == wanted


def test_many_digests_are_made_by_all_threads():
    texts = [b"%d" % number for number in range(60_000)]
    ends = np.cumsum([0, *map(len, texts)])
    found = digests.digest_starts(np.frombuffer(b"".join(texts), dtype=np.uint8), ends)
    assert found.tobytes() == b"".join(hashlib.sha256(t).digest()[:8] for t in texts)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_components_are_numbered_as_scipy_does(links):
    size = 31
    first, second = np.array(links, dtype=np.int64).reshape(-1, 2).T
    matrix = scipy.sparse.coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    _, expected = scipy.sparse.csgraph.connected_components(matrix.tocsr(), directed=False)
    assert components.components(first, second, size).tolist() == expected.tolist()


@given(st.lists(words, min_size=1, max_size=40), st.integers(0, 5), st.data())
def test_texts_are_gathered_as_arrow_takes_them(values, skipped, data):
    held = pa.array(values, pa.large_string())[min(skipped, len(values) - 1) :]
    at = np.array(data.draw(st.lists(st.integers(-1, len(held) - 1))), dtype=np.int64)
    found = gather.gather(held, at)
    found.validate(full=True)
    assert found.equals(held.take(pa.array(at, mask=at < 0)))


@given(st.lists(words, max_size=60), st.integers(0, 5))
def test_all_repeated_texts_are_found(values, skipped):
    held = pa.array(values, pa.large_string())[skipped:]
    part = pd.Series(values[skipped:], dtype=object)
    repeated = np.flatnonzero(part.notna() & part.duplicated(keep=False))
    found = repeats.maybe_repeated(held).tolist()
    assert set(repeated) <= set(found)
    assert found == sorted(set(found))
    assert part.iloc[found].notna().all()


def test_few_texts_that_are_not_repeated_are_taken_for_it():
    texts = to_arrow(pd.Series(np.arange(200_000)).astype("str"))
    assert len(repeats.maybe_repeated(texts)) < 20_000


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.booleans(), st.booleans()), max_size=30), st.data()
)
def test_values_are_carried_as_on_the_plain_path(events, data):
    in_time = np.array(data.draw(st.permutations(range(len(events)))), dtype=np.int64)
    profile, given_, erased = (
        (np.array(column) for column in zip(*events, strict=True))
        if events
        else (np.empty(0, dtype=kind) for kind in ("int64", "bool", "bool"))
    )
    order = properties.profile_order(profile, in_time)
    for erases in (None, erased):
        found = carry.carried_from(given_, erases, profile, in_time)
        assert found.tolist() == properties.carried_from(given_, erases, order).tolist()
    only = carry.first_only(given_, profile, in_time)
    assert only.tolist() == properties.first_only(given_, order).tolist()


TIMED = st.lists(
    st.tuples(
        st.integers(0, 3),  # whose it is
        st.integers(-1, 4),  # the browser
        st.sampled_from([0, 0, 1, 5, 31]),  # minutes since the event before
        st.sampled_from(["", "speaks", "tells"]),
        st.integers(-1, 2),  # what is sent of one property, and of another
        st.integers(-1, 1),
        st.integers(0, 1),  # whether a day begins
    ),
    max_size=40,
)


@given(TIMED, st.sampled_from([5, 30]), st.booleans(), st.booleans())
def test_events_are_of_the_same_sessions(events, timeout, one_visitor, by_day):
    columns = np.array([(*row[:3], *row[4:]) for row in events], dtype=np.int64).reshape(-1, 6).T
    visitor, browser, pause, *sent, midnight = columns
    said = np.array([row[3] for row in events], dtype=str)
    timed = pauses.Timed(
        # Or a browser is of several visitors, as where one of its links was refused.
        visitor=np.maximum(browser, 0) % 2 if one_visitor else visitor,
        browser=browser,
        moment=np.cumsum(pause),
        speaks=said != "",
        tells=said == "tells",
        row=np.arange(len(events)),
        sent=np.stack(sent, axis=1),
        day=np.cumsum(midnight) if by_day else None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVERGEKIT_KERNELS", "never")
        plain = pauses.grouped(timed, timeout)
    found = pauses.Grouped(*compiled_pauses.grouped(timed, timeout))
    for name in ("place", "begin", "spoken"):
        assert getattr(found, name).tolist() == getattr(plain, name).tolist(), name


@given(st.lists(st.sets(st.integers(0, 6), max_size=3), max_size=25), st.data())
def test_the_greatest_weight_known_then_is_that_of_the_forest(carried, data):
    lists = pd.Series([[f"urn:id:{a}" for a in sorted(found)] for found in carried], dtype=object)
    aliases = read_aliases(pd.DataFrame({"aliases": lists}))
    each = np.arange(len(carried))
    known = np.array(data.draw(st.permutations(range(len(carried)))), dtype=np.int64)
    weight = np.array(
        data.draw(st.lists(st.integers(-1, 50), min_size=len(each), max_size=len(each))),
        dtype=np.int64,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVERGEKIT_KERNELS", "always")
        fast = Knowledge(aliases, known, known, each, each, {}).maxima(weight)
        patch.setenv("CONVERGEKIT_KERNELS", "never")
        plain = Knowledge(aliases, known, known, each, each, {}).maxima(weight)
    assert fast.tolist() == plain.tolist()


def as_of_both_ways(monkeypatch, events):
    found = []
    for setting in ("never", "always"):
        monkeypatch.setenv("CONVERGEKIT_KERNELS", setting)
        found.append(ck.stitch(events, identity="as_of"))
    plain, fast = found
    pd.testing.assert_frame_equal(plain.events, fast.events)
    assert plain.tables.resolution.knowledge().profiles.place.tolist() == (
        fast.tables.resolution.knowledge().profiles.place.tolist()
    )
    return fast


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_what_was_known_is_the_same(monkeypatch, noise):
    found = as_of_both_ways(monkeypatch, ck.simulate_store(people=300, noise=noise, seed=4).events)
    assert len(found.profile_merges) > 20
    as_of_both_ways(monkeypatch, ck.simulate_store(people=2, seed=4).events.head(1))


def funnel_both_ways(monkeypatch, events, steps, **options):
    found = []
    for setting in ("never", "always"):
        monkeypatch.setenv("CONVERGEKIT_KERNELS", setting)
        found.append(ck.funnel(events, steps, **options))
    plain, fast = found
    pd.testing.assert_frame_equal(plain.conversions, fast.conversions)
    pd.testing.assert_frame_equal(plain.table, fast.table)
    assert plain.counts == fast.counts
    assert plain.left_out == fast.left_out
    return fast


@pytest.mark.parametrize("ties", ["best", "arrival"])
@pytest.mark.parametrize("entry", ["any", "first"])
@pytest.mark.parametrize("received", [False, True])
def test_funnels_of_many_profiles_and_many_ties(monkeypatch, ties, entry, received):
    random = np.random.default_rng(5)
    rows = 150_000
    # Few distinct times, so that most events have company; one profile has half of all events.
    who = np.where(random.random(rows) < 0.5, 0, random.integers(1, 6_000, rows))
    seconds = random.integers(0, 3_000, rows) * 3_600
    events = pd.DataFrame(
        {
            "profile_id": pd.Series(who).astype(str).where(who % 50 != 1),
            "event_name": random.choice(["PageView", "Cart", "Order", "Other"], rows),
            "timestamp": pd.to_datetime(seconds, unit="s", utc=True),
        }
    )
    if received:
        events["received_at"] = pd.to_datetime(random.integers(0, 50, rows), unit="s", utc=True)
    found = funnel_both_ways(
        monkeypatch,
        events,
        ["PageView", ["Cart", "Other"], "Cart", "Order"],
        within="30D",
        ties=ties,
        entry=entry,
        start="1970-01-20",
        end="1970-04-01",
    )
    assert found.counts["converted"] > 100
    assert found.counts["dropped"] > 100


def test_more_steps_than_a_byte_has_bits(monkeypatch):
    names = [f"step {n}" for n in range(12)]
    events = pd.DataFrame(
        {
            "profile_id": ["a"] * 12 + ["b"] * 6,
            "event_name": names + names[:6],
            "timestamp": pd.to_datetime(range(18), unit="s", utc=True),
        }
    )
    found = funnel_both_ways(monkeypatch, events, names, within="1h")
    assert found.table["profiles"].tolist() == [2] * 6 + [1] * 6


def test_the_environment_says_which_path_is_taken(monkeypatch, capsys):
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "never")
    assert not compiled(10**9)
    ck.show_versions()
    assert "plain (CONVERGEKIT_KERNELS=never)" in capsys.readouterr().out
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "auto")
    assert compiled(10**9)
    assert not compiled(10)
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "always")
    assert compiled(0)
    ck.show_versions()
    assert capsys.readouterr().out.endswith("compiled\n")
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "sometimes")
    with pytest.raises(ck.ConvergekitError, match="auto, always or never"):
        compiled(10)


def test_without_numba_the_plain_path_is_taken(monkeypatch):
    monkeypatch.setattr("convergekit.base.compiled.numba_is_installed", lambda: False)
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "auto")
    assert not compiled(10**9)
    monkeypatch.setenv("CONVERGEKIT_KERNELS", "always")
    with pytest.raises(ck.ConvergekitError, match=r"convergekit\[fast\]"):
        compiled(10)
