"""Mentions: nothing of an erased address is left, however it was written and wherever it stood."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.events.canonical import canonicalise
from convergekit.privacy.mentions import NAMED, Eraser, Person
from tests.effort import tries
from tests.privacy.reference_mentions import (
    AROUND,
    phone_spellings,
    spellings,
    writes_email,
    writes_phone,
)
from tests.privacy.test_forget import contents, shown
from tests.strategies import START

ADA = "ada@example.com"
PHONE = ("32", "470123456")


def texts_of(s, directory):
    """Every text that can be had of a Stitched: shown, saved, and given away."""
    yield from shown(s)
    s.to_parquet(directory, overwrite=True)
    for path in sorted(directory.iterdir()):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield repr(table.schema) + repr(table.schema.metadata)
            yield table.to_pandas().to_csv()
        else:
            yield path.read_text("utf-8")
    for frame in (s.events, s.rejected, s.duplicates, s.profiles, s.aliases):
        yield "\n".join(map(str, frame.columns))
        yield from (str(cell) for name in frame for cell in frame[name].tolist())


def bytes_of(s):
    """Every byte that is held, what pandas and Arrow do not show included."""
    yield from contents(s)
    for column in s.to_arrow().columns:
        for chunk in column.chunks:
            yield from (bytes(buffer) for buffer in chunk.buffers() if buffer is not None)


def other_events(mention):
    """What Bob did, which names somebody else in every place there is."""
    url = mention if "://" in mention else f"https://shop.example/?by={mention}"
    rows = [
        {"event_name": "PageView", "properties.$url": url, "properties.note": mention},
        {"event_name": f"Invited {mention}", "event_id": f"e-{mention}"},
        {"event_name": f"Invited {mention}", "event_id": f"e-{mention}", "source": mention},
        {"event_name": "PageView", "aliases": [f"urn:device:{mention}", mention, "urn:cookie:b"]},
        {"event_name": "PageView", "aliases": [f"urn:junk:{mention}", "urn:cookie:b"]},
        {"event_name": "PageView", "profile_properties.said": mention, "alias.ref": mention},
        {"event_name": "PageView", "properties.list": [mention, {"a": mention}]},
        {"event_name": "PageView", "properties.kind": mention},
        {"event_name": f"Renamed {mention}"},
        {"event_name": "PageView", "timestamp": "never", "properties.note": mention},
        {"event_name": "PageView", "timestamp": "never", "read_error": f"no {mention}"},
        {"event_name": "PageView", f"properties.of {mention}": 1},
        {"event_name": "PageView", f"profile_properties.of {mention}": 1},
        {"event_name": "PageView", f"alias.of {mention}": "x"},
        {
            "event_name": "Placed Order",
            "profile_properties.utm_source": "news",
            "properties.kind": "b",
        },
    ]
    return [{"alias.cookie": "b", **row} for row in rows]


def frame_of(theirs, others):
    rows = [*theirs, *others]
    times = [row.get("timestamp", str(START + pd.Timedelta(hours=i))) for i, row in enumerate(rows)]
    frame = pd.DataFrame(rows).assign(timestamp=times)
    if "properties.kind" in frame:
        frame["properties.kind"] = frame["properties.kind"].astype("category")
    return frame


def changed_cells(before, after):
    """How many cells of others' rows differ, by looking at each."""
    count = 0
    for old, new in ((before.events, after.events), (before.duplicates, after.duplicates)):
        old = old[old["row"].isin(new["row"])]
        for place, name in enumerate(old.columns):
            if name != "profile_id":
                pairs = zip(old[name].tolist(), new.iloc[:, place].tolist(), strict=True)
                count += sum(repr(one) != repr(other) for one, other in pairs)
    return count


@tries(20)
@given(spellings(ADA), st.sampled_from(AROUND))
def test_no_spelling_of_an_address_is_left_anywhere(tmp_path_factory, spelled, around):
    mention = around.format(spelled)
    theirs = [{"event_name": "PageView", "alias.cookie": "a", "alias.email": ADA}]
    s = ck.stitch(
        frame_of(theirs, other_events(mention)),
        block=[f"urn:junk:{mention}"],
        rename_events={f"Renamed {mention}": "Renamed"},
    )
    # What is searched for is found before, so that the search can fail.
    assert any(writes_email(text, ADA) for text in shown(s))
    before = s.events.copy()

    forgotten = s.forget(f"urn:email:{ADA}")
    left = forgotten.stitched
    directory = tmp_path_factory.mktemp("left")
    for text in texts_of(left, directory):
        assert not any(writes_email(line, ADA) for line in text.splitlines()), text
    assert not [part for part in bytes_of(left) if spelled.encode() in part]
    pd.testing.assert_frame_equal(s.events, before)
    pd.testing.assert_frame_equal(ck.read_stitched(directory).events, left.events)

    assert len(left.events) + len(left.duplicates) + len(left.rejected) == 13
    removed = forgotten.removed.set_index("table")["rows"]
    assert removed["events"] == 1
    assert removed["rejected"] == len(s.rejected) - len(left.rejected) == 2
    assert removed["columns named after the person"] == 4
    assert removed[NAMED] == changed_cells(s, left)
    # Bob is who he was: one profile, and no alias of his became another's.
    assert set(left.events["profile_id"]) == {s.events["profile_id"].iloc[1]}
    assert len(left.aliases) == len(s.aliases) - 2
    assert left.duplicates["kept_row"].tolist() == s.duplicates["kept_row"].tolist()


@tries(40)
@given(
    phone_spellings(*PHONE),
    st.sampled_from(AROUND),
    st.sampled_from(["+32470123456", "0470 12 34 56"]),
)
def test_no_spelling_of_a_phone_number_is_left(spelled, around, known):
    mention = around.format(spelled)
    frame = frame_of(
        [{"event_name": "PageView", "alias.phone": known}],
        [{"event_name": "PageView", "alias.cookie": "b", "properties.note": mention}],
    )
    left = ck.stitch(frame).forget(f"urn:phone:{known}").stitched
    note = left.events["properties.note"].iloc[0]
    assert pd.isna(note) or not writes_phone(note, PHONE[1])


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (ADA, None),
        (" ADA@Example.com ", None),
        ("<ada@example.com>, twice: ada@example.com", "<(erased)>, twice: (erased)"),
        ("/thanks?email=ada%2540example.com&n=1", "/thanks?email=(erased)&n=1"),
        ("/thanks?q=by+ada%40example.com", "/thanks?q=by+(erased)"),
        ('{"to": "a\\nada@example.com"}', '{"to": "a\\n(erased)"}'),
        ("%C3%A9+ada%40example.com%20%C3%A9", "%C3%A9+(erased)%20%C3%A9"),
        ("\u00e9 ad\u00ada@example.com \u00e9", "\u00e9 (erased) \u00e9"),
        ("e-ada@example.com_1", "e-(erased)_1"),
        ("https://ada@example.com/", "https://(erased)/"),
        # Other addresses, known or not, and what is no address.
        ("not-ada@example.com", "not-ada@example.com"),
        ("to NOT%2DADA@example.com", "to NOT%2DADA@example.com"),
        ("dada@example.com", "dada@example.com"),
        ("ada@example.community", "ada@example.community"),
        ("ada@example.com.au", "ada@example.com.au"),
        ("ada@example.com\u0327", "ada@example.com\u0327"),
        ("for ada", "for ada"),
    ],
)
def test_only_the_address_goes(written, left):
    frame = frame_of(
        [{"event_name": "PageView", "alias.email": ADA}],
        [
            {"event_name": "PageView", "alias.email": "Not-Ada@example.com"},
            {"event_name": "PageView", "profile_properties.$email": "ada@example.com.au"},
            {"event_name": "PageView", "alias.cookie": "b", "properties.note": written},
        ],
    )
    s = ck.stitch(frame).forget(f"urn:email:{ADA}").stitched
    note = s.events["properties.note"].iloc[-1]
    assert (None if pd.isna(note) else note) == left
    assert s.events["alias.email"].iloc[0] == "Not-Ada@example.com"
    assert s.aliases["alias_value"].tolist() == ["not-ada@example.com", "b"]
    assert s.events["profile_properties.$email"].iloc[1] == "ada@example.com.au"


@pytest.mark.parametrize(
    ("column", "dtype", "left"),
    [
        ("properties.phone", "int64", [None, 5]),
        ("properties.phone", "float64", [None, 5.0]),
        ("properties.phone", "Int64", [None, 5]),
        ("properties.phone", object, [None, 5]),
        ("properties.phone", "category", [None, 5]),
        ("properties.phone", pd.ArrowDtype(pa.int64()), [None, 5]),
        ("alias.phone", "int64", ["(erased 1)", 5]),
        ("event_id", "int64", ["(erased 1)", "5"]),
    ],
    ids=str,
)
def test_phone_numbers_that_were_read_as_numbers_go_as_well(column, dtype, left):
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": [START, START, START],
            "alias.cookie": ["a", "b", "c"],
            "aliases": [["urn:phone:0032 470 12 34 56"], [], []],
            column: pd.Series([7, 32470123456, 5], dtype=dtype),
        }
    )
    s = ck.stitch(frame).forget("urn:cookie:a").stitched
    found = s.events[column]
    assert [None if pd.isna(cell) else cell for cell in found] == left
    assert (32470123456).to_bytes(8, "little") not in b"".join(contents(s))
    assert b"32470123456" not in b"".join(contents(s))


def test_an_address_that_only_a_profile_property_says_goes_as_well():
    frame = frame_of(
        [
            {
                "event_name": "PageView",
                "alias.customer_id": "7",
                "profile_properties.$email": "Ada@example.com",
                "profile_properties.$phone": "+32 470 12 34 56",
                "profile_properties.$manager": "eva@shop.example",
            }
        ],
        [
            {
                "event_name": "PageView",
                "alias.customer_id": "8",
                "properties.a": "to ada@example.com",
                "properties.b": "call 0470/12.34.56",
                "properties.c": "ask eva@shop.example",
            }
        ],
    )
    event = ck.stitch(frame).forget("urn:customer_id:7").stitched.events.iloc[0]
    assert event["properties.a"] == "to (erased)"
    assert event["properties.b"] == "call (erased)"
    assert event["properties.c"] == "ask eva@shop.example"


def test_an_address_that_others_are_known_by_is_theirs():
    frame = frame_of(
        [{"event_name": "A", "alias.cookie": "a", "profile_properties.$email": "us@shop.example"}],
        [{"event_name": "A", "alias.cookie": "b", "profile_properties.$email": "us@shop.example"}],
    )
    left = ck.stitch(frame).forget("urn:cookie:a").stitched
    assert left.events["profile.$email"].tolist() == ["us@shop.example"]


def test_a_rule_says_which_addresses_are_one():
    frame = frame_of(
        [{"event_name": "A", "alias.email": "ada.l@gmail.com"}],
        [
            {
                "event_name": "A",
                "alias.cookie": "b",
                "properties.x": "by A.D.A.L+shop@googlemail.com!",
            }
        ],
    )
    s = ck.stitch(frame, rules={"email": ck.email_rule(fold_gmail=True)})
    left = s.forget("urn:email:adal@gmail.com").stitched
    assert left.events["properties.x"].tolist() == ["by (erased)!"]


def test_what_comes_of_an_address_gets_another_id():
    """The ID of a profile that is known by the address of another is made of that address."""
    rows = [{"event_name": "A", "alias.email": ADA}, {"event_name": "A", "alias.user_id": ADA}]
    rows += [{"event_name": "A", "alias.user_id": ADA, "alias.cookie": "c"}]
    s = ck.stitch(frame_of(rows, []))
    left = s.forget(f"urn:email:{ADA}").stitched
    assert left.aliases["alias_value"].tolist() == ["(erased 1)", "c"]
    again = ck.stitch(left.events[["event_name", "timestamp", "alias.user_id", "alias.cookie"]])
    assert left.profiles["profile_id"].tolist() == again.profiles["profile_id"].tolist()
    assert set(left.profiles["profile_id"]).isdisjoint(s.profiles["profile_id"])
    assert left.events["profile_id"].tolist() == again.events["profile_id"].tolist()


def test_two_people_can_be_forgotten_one_after_the_other():
    people = ["ada@example.com", "eva@example.com"]
    rows = [{"event_name": "A", "alias.email": person} for person in people]
    rows += [
        {
            "event_name": "A",
            "event_id": f"to {person}",
            "alias.cookie": person,
            f"properties.{person}": 1,
        }
        for person in people
    ]
    s = ck.stitch(frame_of(rows, []))
    for person in people:
        s = s.forget(f"urn:email:{person}").stitched
    assert s.events["event_id"].tolist() == ["to (erased 2)", "to (erased 5)"]
    assert s.aliases["alias_value"].is_unique
    assert len(s.profiles) == 2
    assert s.events.columns.is_unique


def test_a_slice_of_a_larger_frame_brings_nothing_along():
    column = pd.Series(["ada@example.com is here", "b", "c"], dtype="str")
    larger = pd.DataFrame({"event_name": "A", "timestamp": START, "alias.cookie": ["a", "b", "c"]})
    larger["properties.note"] = column
    larger["properties.word"] = column.astype("category")
    larger["properties.words"] = column.astype(
        pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    )
    larger["properties.n"] = pd.Series([470123456789, 1, 2], dtype="Int64").mask(
        [True, False, False]
    )
    larger.attrs["note"] = "without ada@example.com"
    s = ck.stitch(larger.iloc[1:].reset_index(drop=True))
    left = s.forget("urn:cookie:b").stitched
    assert len(left.events) == 1
    assert not [part for part in bytes_of(left) if b"ada@example" in part]
    assert left.events.attrs == {}


@pytest.mark.parametrize("cuts", [[], [3], [1, 2, 5]], ids=str)
def test_raw_rows_in_parts_are_erased_as_all_at_once(cuts):
    """As a store does: batch by batch, the rows as they came."""
    rows = other_events("x ada%40example.com")
    rows += [
        {"event_name": "A", "aliases": f'["urn:email:{ADA}", "urn:cookie:b", "urn:ref:{ADA}"]'}
    ]
    frame = canonicalise(frame_of([{"event_name": "A", "alias.email": ADA}], rows))
    s = ck.stitch(frame)
    theirs = np.arange(len(frame)) == 0
    rejected = np.isin(np.arange(len(frame)), s.rejected["row"])

    def erased(parts):
        person = Person.of([("email", ADA)])
        for part in parts:
            person = person.sending(frame[part & theirs])
        for part in parts:
            person = person.besides(frame[part & ~theirs & ~rejected])
        eraser = Eraser(person)
        return [eraser.erase(frame[part], theirs[part], rejected[part]) for part in parts]

    places = np.searchsorted(cuts, np.arange(len(frame)), side="right")
    [whole] = erased([np.ones(len(frame), dtype=bool)])
    found = erased([places == number for number in range(len(cuts) + 1)])
    assert not any(
        writes_email(str(cell), ADA) for name in whole.frame for cell in whole.frame[name]
    )
    assert not any(writes_email(str(name), ADA) for name in whole.frame)
    assert whole.counts["events"] == 1
    assert whole.counts["rejected"] == 2
    assert whole.counts["events of others that lost an alias"] == 1
    assert whole.frame["aliases"].iloc[-1] == '["urn:cookie:b", "urn:ref:(erased 7)"]'
    for name in ("events", "rejected", "events of others that lost an alias", NAMED):
        assert sum(part.counts[name] for part in found) == whole.counts[name]
    together = pd.concat([part.frame for part in found], ignore_index=True)
    # What is erased is numbered in the order in which it is met.
    assert numberless(together) == numberless(whole.frame)
    assert together["event_id"].nunique() == whole.frame["event_id"].nunique() == 1


def numberless(frame):
    cells = {
        name: [None if c is None or c is pd.NA or c != c else c for c in frame[name]]
        for name in frame
    }
    return re.sub(r"\(erased \d+\)", "(erased n)", repr(cells))


def test_a_profile_of_hundreds_of_addresses_is_erased_as_one_of_few():
    """More than a pattern of Arrow's would take."""
    numbers = range(3000)
    frame = pd.DataFrame(
        {
            "event_name": "A",
            "timestamp": START,
            "alias.cookie": ["kiosk"] * len(numbers) + ["b", "b"],
            "alias.email": [f"person{i}@example.com" for i in numbers] + [None, "x-person7@b.org"],
            "alias.phone": [f"+3247{i:07d}" for i in numbers] + [None, None],
            "properties.note": [None] * len(numbers)
            + ["by Person17%40example.com, 0470.00.12.34, person9999@example.com", "+32479999999"],
        }
    )
    left = ck.stitch(frame).forget("urn:cookie:kiosk").stitched
    assert left.events["properties.note"].tolist() == [
        "by (erased), (erased), person9999@example.com",
        "+32479999999",
    ]
    assert left.aliases["alias_value"].tolist() == ["b", "x-person7@b.org"]


@pytest.mark.parametrize("known", [f"mailto:{ADA}", f"Ada <{ADA}>", "ada%40example.com"])
def test_an_alias_with_something_around_the_address_names_it_as_well(known):
    frame = frame_of(
        [{"event_name": "A", "alias.email": known}],
        [{"event_name": "A", "alias.cookie": "b", "properties.note": f"to {ADA}"}],
    )
    left = ck.stitch(frame).forget(f"urn:email:{known}").stitched
    assert left.events["properties.note"].tolist() == ["to (erased)"]


def test_a_store_erases_what_is_said_in_any_batch(tmp_path):
    pytest.importorskip("duckdb")
    rows = other_events(f"by mailto:{ADA}")
    # A city that an earlier batch of somebody else sends is not hers alone.
    rows += [
        {"event_name": "A", "alias.cookie": "b", "profile_properties.city": "Marylebone"},
        {"event_name": "A", "timestamp": "never", "properties.note": "to Marylebone"},
    ]
    theirs = [{"event_name": "A", "alias.email": ADA, "profile_properties.city": "Marylebone"}]
    frame = frame_of(rows, theirs)
    store = ck.open_store(tmp_path / "store")
    for part in (frame[:4], frame[4:16], frame[16:]):
        store.add(part)
    removed = store.forget(f"urn:email:{ADA}").removed.set_index("table")["rows"]
    s = store.stitched()
    assert not any(writes_email(text, ADA) for table in shown(s) for text in table.splitlines())
    assert s.rejected["properties.note"].tolist() == ["to Marylebone"]
    assert removed["rejected"] == 2
    assert removed["events"] == 1
    assert removed["columns named after the person"] == 3
    assert len(s.events) + len(s.duplicates) + len(s.rejected) == len(frame) - 3
    assert len(s.profiles) == 1
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            assert ADA.encode() not in path.read_bytes()
