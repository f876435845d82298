"""A salt: profile IDs that nobody can find again from a list of addresses."""

from __future__ import annotations

import hashlib
import hmac
import sys

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.cli import app as cli
from tests.effort import tries
from tests.privacy.test_forget import contents, shown
from tests.strategies import START, event_frames

SALT = "a-secret-that-is-long-enough"
TABLES = ("events", "profiles", "aliases", "duplicates", "rejected", "refused_links")


@pytest.fixture(scope="module")
def events():
    return ck.simulate_store().events


@pytest.fixture(scope="module")
def s(events):
    return ck.stitch(events, salt=SALT)


def renamed(table, ids):
    """A table with each profile ID replaced by the other that its profile has."""
    return table.replace(ids) if isinstance(table, pd.Series) else table.apply(
        lambda column: column.map(ids) if "profile_id" in str(column.name) else column
    )  # fmt: skip


def test_without_a_salt_ids_are_what_they_are():
    frame = pd.DataFrame({"event_name": "A", "timestamp": START, "alias.cookie": ["7f3a"]})
    assert ck.stitch(frame).profiles["profile_id"].tolist() == ["p_aabcdb8751592114"]
    assert ck.stitch(frame, salt=None).events.equals(ck.stitch(frame).events)


@tries(30)
@given(
    event_frames(several=True), st.one_of(st.binary(min_size=1, max_size=90), st.text(min_size=1))
)
def test_an_id_is_the_hmac_of_the_earliest_alias(frame, salt):
    plain, salted = ck.stitch(frame), ck.stitch(frame, salt=salt)
    key = salt if isinstance(salt, bytes) else salt.encode()
    urns = "urn:" + plain.aliases["alias_type"] + ":" + plain.aliases["alias_value"]
    by_hand = {
        f"p_{_sha256(urn)[:16]}": f"p_{hmac.new(key, urn.encode(), 'sha256').hexdigest()[:16]}"
        for urn in urns
    }
    for name in ("events", "aliases", "profile_merges"):
        one, other = getattr(plain, name), getattr(salted, name)
        pd.testing.assert_frame_equal(renamed(one, by_hand), other, check_dtype=False)


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_both_paths_give_the_same(events, monkeypatch):
    pytest.importorskip("numba", reason="compiled kernels need numba")
    for salt in (SALT, b"\x00\xff", "x" * 64, "x" * 65):
        found = []
        for kernels in ("never", "always"):
            monkeypatch.setenv("CONVERGEKIT_KERNELS", kernels)
            found.append(ck.stitch(events.head(120), salt=salt).events)
        pd.testing.assert_frame_equal(*found)


def test_text_and_its_bytes_are_one_salt(events, s):
    assert ck.stitch(events, salt=SALT.encode()).events.equals(s.events)
    other = ck.stitch(events, salt=SALT + "!")
    assert set(other.profiles["profile_id"]).isdisjoint(s.profiles["profile_id"])


def test_a_saved_one_answers_without_the_salt(s, tmp_path):
    s.to_parquet(tmp_path / "saved")
    again = ck.read_stitched(tmp_path / "saved")
    for name in (*TABLES, "profile_merges"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(s, name))
    assert len(s.profile_merges)
    s.to_converge(tmp_path / "one")
    again.to_converge(tmp_path / "other")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()
    again.to_parquet(tmp_path / "again")
    pd.testing.assert_frame_equal(
        ck.read_stitched(tmp_path / "again").profile_merges, s.profile_merges
    )


@pytest.mark.parametrize("saved", [False, True])
def test_what_is_drawn_anew_has_the_same_ids(events, s, tmp_path, saved):
    if saved:
        s.to_parquet(tmp_path / "saved")
        s = ck.read_stitched(tmp_path / "saved")
    plain = ck.stitch(events)
    ids = dict(zip(plain.aliases["profile_id"], s.aliases["profile_id"], strict=True))
    gone = plain.profiles["profile_id"].iloc[3]
    without = s.without("cart_token").stitched
    again = ck.stitch(events.drop(columns="alias.cart_token"), salt=SALT)
    assert without.profiles["profile_id"].equals(again.profiles["profile_id"])
    left = plain.forget(gone).stitched
    other = s.forget(ids[gone]).stitched
    pd.testing.assert_frame_equal(renamed(left.events, ids), other.events)
    assert ids[gone] not in set(other.profile_merges["old_profile_id"])


def test_profiles_of_two_salts_are_the_same_profiles(events, s):
    found = ck.compare_profiles(ck.stitch(events), s)
    assert not len(found.table)
    assert not len(found.events)
    assert found.compared == len(events) - len(s.duplicates)
    first, second = s.aliases[s.aliases["profile_id"] == s.profiles["profile_id"].iloc[0]][
        ["alias_type", "alias_value"]
    ].values[:2]
    one, other = (f"urn:{':'.join(alias)}" for alias in (first, second))
    ids = s.profiles["profile_id"].iloc[0], ck.stitch(events).profiles["profile_id"].iloc[0]
    explained = repr(ck.stitch(events).explain(one, other))
    assert repr(s.explain(one, other)) == explained.replace(ids[1], ids[0])


def test_limits_and_lives_are_salted_as_well():
    frame = pd.DataFrame(
        {
            "event_name": "A",
            "timestamp": [START, START + pd.Timedelta(days=1), START + pd.Timedelta(days=30)],
            "alias.cookie": "tablet",
            "alias.customer_id": ["ada", "bob", "ada"],
        }
    )
    s = ck.stitch(frame, limits={"customer_id": 1}, max_age={"cookie": "7D"}, salt=SALT)
    urns = "urn:" + s.aliases["alias_type"] + ":" + s.aliases["alias_value"]
    known = {f"p_{hmac.new(SALT.encode(), u.encode(), 'sha256').hexdigest()[:16]}" for u in urns}
    assert "tablet~2" in set(s.aliases["alias_value"])
    assert set(s.profiles["profile_id"]) <= known
    assert len(s.profiles) == 2


def test_what_an_erased_alias_was_named_after_tells_nothing():
    rows = {"alias.email": ["ada@x.org", None], "alias.user_id": [None, "ada@x.org"]}
    frame = pd.DataFrame({"event_name": "A", "timestamp": START, **rows})
    s = ck.stitch(frame, salt=SALT)
    left = s.forget("urn:email:ada@x.org").stitched
    assert set(left.profiles["profile_id"]).isdisjoint(s.profiles["profile_id"])
    assert left.events["profile_id"].tolist() == left.profiles["profile_id"].tolist()


def test_the_salt_is_neither_kept_nor_shown(s, tmp_path):
    s.to_parquet(tmp_path / "saved")
    texts = [*shown(s), *(path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*.*"))]
    assert not [text for text in texts if SALT in text]
    assert not [part for part in contents(s) if SALT.encode() in part]


@pytest.mark.parametrize(
    ("salt", "said"),
    [
        (7, "must be text or bytes.*got a int"),
        ("", "must not be empty"),
        (b"", "must not be empty"),
        (["x"], "got a list"),
    ],
)
def test_says_what_is_no_salt(events, salt, said):
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.stitch(events, salt=salt)


def test_a_table_of_an_engine_is_salted_as_a_frame_is():
    ibis = pytest.importorskip("ibis")
    connection = duckdb.connect()
    connection.execute(
        """CREATE TABLE events AS SELECT 0 AS "row", 'PageView' AS event_name,
           TIMESTAMP '2026-03-02' AS "timestamp", 'ada@example.com' AS "alias.email" """
    )
    table = ibis.duckdb.from_connection(connection).table("events")
    frame = connection.sql("FROM events").df()
    salted = ck.stitch(table, salt=SALT).profiles.to_pandas()["profile_id"].tolist()
    assert salted == ck.stitch(frame, salt=SALT).profiles["profile_id"].tolist()
    assert salted != ck.stitch(frame).profiles["profile_id"].tolist()


def test_a_store_knows_its_salt(events, s, tmp_path):
    store = ck.open_store(tmp_path / "store", salt=SALT)
    store.add(events[:300])
    store = ck.open_store(tmp_path / "store")
    store.add(events[300:])
    pd.testing.assert_frame_equal(store.stitched().profiles, s.profiles)
    assert sorted(store.profiles["profile_id"]) == sorted(s.profiles["profile_id"])
    assert len(store.merges)
    assert set(store.merges["new_profile_id"]) <= set(s.profiles["profile_id"])
    profile_id = s.profiles["profile_id"].iloc[0]
    assert store.profile(profile_id)["row"].tolist() == s.profile(profile_id)["row"].tolist()
    with pytest.raises(ck.ConvergekitError, match="made with another salt, not the one") as error:
        ck.open_store(tmp_path / "store", salt="another-secret")
    assert SALT not in str(error.value)
    assert "another-secret" not in str(error.value)
    plain = ck.open_store(tmp_path / "plain")
    with pytest.raises(ck.ConvergekitError, match="made with no salt, not the one given") as error:
        ck.open_store(tmp_path / "plain", salt=SALT)
    assert SALT not in str(error.value)
    assert repr(plain).startswith("Store(")


@pytest.mark.parametrize("how", ["file", "environment"])
def test_a_shell_gives_it_where_nobody_sees_it(events, s, tmp_path, monkeypatch, how):
    export = tmp_path / "events.jsonl"
    ck.simulate_store().write(tmp_path / "exports")
    exports = sorted(map(str, (tmp_path / "exports").iterdir()))
    wanted = ck.stitch(ck.read_events(exports), salt=SALT).profiles
    options = []
    if how == "file":
        (tmp_path / "salt").write_text(f"\ufeff{SALT}\r\n", "utf-8")
        options = ["--salt-file", tmp_path / "salt"]
    else:
        monkeypatch.setenv("CONVERGEKIT_SALT", SALT)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convergekit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0

    assert run("stitch", *exports, "--out", tmp_path / "out", *options) == 0
    found = pd.read_parquet(tmp_path / "out" / "profiles.parquet")
    assert found["profile_id"].tolist() == wanted["profile_id"].tolist()
    assert run("add", *exports, "--store", tmp_path / "store", *options) == 0
    stored = ck.open_store(tmp_path / "store", salt=SALT).profiles
    assert sorted(stored["profile_id"]) == sorted(wanted["profile_id"])
    assert not export.exists()


def test_a_shell_says_that_there_is_no_salt_in_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "salt").write_text("\n")
    ck.simulate_store().write(tmp_path / "exports")
    exports = sorted(map(str, (tmp_path / "exports").iterdir()))
    arguments = ["stitch", *exports, "--out", str(tmp_path / "out"), "--salt-file"]
    for salt, said in ((tmp_path / "salt", "is empty"), (tmp_path / "none", "No such file")):
        monkeypatch.setattr(sys, "argv", ["convergekit", *arguments, str(salt)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
