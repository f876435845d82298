"""Bad input: a clear error, or a row in a table with a reason. Nothing is lost silently."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.aliases import NO_TYPE, NOT_A_LIST, NOT_TEXT
from convergekit.events import (
    MISSING_TIMESTAMP,
    NOT_AN_EVENT,
    UNPARSEABLE_TIMESTAMP,
    UNUSABLE_EVENT_NAME,
)

AT = "2026-03-02T10:00:00Z"


def frame(**columns):
    size = max(len(values) for values in columns.values())
    defaults = {
        "event_name": ["PageView"] * size,
        "timestamp": [AT] * size,
        "alias.cookie": [f"c{i}" for i in range(size)],
    }
    return pd.DataFrame(defaults | columns)


def test_a_frame_without_columns_says_what_is_missing():
    with pytest.raises(ck.ColumnError, match=r"no event name column\. Found: no columns at all"):
        ck.stitch(pd.DataFrame())


def test_a_missing_column_names_the_nearest_match():
    foreign = pd.DataFrame({"ts": [AT], "action": ["PageView"], "uid": [1]})
    with pytest.raises(ck.ColumnError) as error:
        ck.stitch(foreign)
    assert str(error.value) == (
        "no event name column. Found: ts, action, uid. "
        "Did you mean columns={'event_name': 'action'}?"
    )
    mapping = {"event_name": "action", "timestamp": "ts", "alias.customer_id": "uid"}
    assert repr(ck.stitch(foreign, columns=mapping)) == (
        "Stitched(1 event, 0 duplicates, 0 rejected; 1 alias, 1 profile)"
    )


def test_no_alias_column_is_an_error():
    with pytest.raises(ck.ColumnError, match="no alias column"):
        ck.stitch(frame(x=[1]).drop(columns="alias.cookie"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"event_nam": "action"}, "did you mean 'event_name'"),
        ({"event_name": "acton"}, "there is no column 'acton'.*did you mean 'action'"),
        ({"timestamp": "action"}, "the frame also has a column 'timestamp'"),
    ],
)
def test_a_wrong_mapping_is_an_error(columns, message):
    given = frame(action=["PageView"]).drop(columns="event_name")
    with pytest.raises(ck.ColumnError, match=f"(?i){message}"):
        ck.stitch(given, columns=columns)


def test_duplicate_column_names_are_an_error():
    twice = frame(x=[1])
    twice = pd.concat([twice, twice[["event_name"]]], axis=1)
    with pytest.raises(ck.ColumnError, match="stand twice: 'event_name'"):
        ck.stitch(twice)


def test_column_labels_that_are_no_text_are_an_error():
    with pytest.raises(ck.ColumnError, match="column name 7 is int"):
        ck.stitch(frame(x=[1]).rename(columns={"x": 7}))
    levels = frame(x=[1])
    levels.columns = pd.MultiIndex.from_product([["a"], levels.columns])
    with pytest.raises(ck.ColumnError, match="MultiIndex"):
        ck.stitch(levels)


def test_two_spellings_of_one_column_are_united_where_they_agree():
    browser = pd.DataFrame({"eventName": ["PageView"], "eventID": ["a"], "timestamp": [AT]})
    server = pd.DataFrame({"event_name": ["Placed Order"], "event_id": ["b"], "timestamp": [AT]})
    both = pd.concat([browser, server]).assign(**{"alias.cookie": "c"})
    s = ck.stitch(both)
    assert s.events["event_name"].tolist() == ["PageView", "Placed Order"]
    assert s.events["event_id"].tolist() == ["a", "b"]
    both["event_id"] = ["other", "b"]
    with pytest.raises(ck.ColumnError, match="row 0: columns 'event_id' and 'eventID'"):
        ck.stitch(both)


def test_any_index_will_do_and_row_is_the_position():
    given = frame(timestamp=[AT, "soon", AT, AT]).set_axis([5, 5, "x", None])
    s = ck.stitch(given)
    assert s.events["row"].tolist() == [0, 2, 3]
    assert s.rejected["row"].tolist() == [1]
    assert s.events.index.equals(pd.RangeIndex(3))


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        (None, MISSING_TIMESTAMP),
        (pd.NaT, MISSING_TIMESTAMP),
        ("", UNPARSEABLE_TIMESTAMP),
        ("tomorrow", UNPARSEABLE_TIMESTAMP),
        ("03/04/2026", UNPARSEABLE_TIMESTAMP),
        (True, UNPARSEABLE_TIMESTAMP),
        (12, UNPARSEABLE_TIMESTAMP),
        (float("inf"), UNPARSEABLE_TIMESTAMP),
        ({"at": AT}, UNPARSEABLE_TIMESTAMP),
    ],
)
def test_rows_without_a_usable_time_are_rejected(stamp, reason):
    given = frame(timestamp=pd.Series([AT, stamp], dtype=object))
    s = ck.stitch(given)
    assert s.events["row"].tolist() == [0]
    assert s.rejected[["row", "reason"]].values.tolist() == [[1, reason]]
    with pytest.raises(ck.EventError, match=f"row 1: {reason}"):
        ck.stitch(given, strict=True)


@pytest.mark.parametrize(
    ("stamp", "utc"),
    [
        ("2026-03-02T10:00:00+02:00", "2026-03-02T08:00:00"),
        ("2026-03-02 10:00", "2026-03-02T10:00:00"),
        ("Mon, 02 Mar 2026 10:00:00 GMT", "2026-03-02T10:00:00"),
        ("2026-03-02 10:00:00 UTC", "2026-03-02T10:00:00"),
        (1772445600, "2026-03-02T10:00:00"),
        (1772445600000, "2026-03-02T10:00:00"),
        ("1772445600", "2026-03-02T10:00:00"),
        (1772445600.5, "2026-03-02T10:00:00.500000"),
        (datetime.datetime(2026, 3, 2, 10), "2026-03-02T10:00:00"),
        (datetime.date(2026, 3, 2), "2026-03-02T00:00:00"),
        (np.datetime64("2026-03-02T10:00"), "2026-03-02T10:00:00"),
        (pd.Timestamp("2026-03-02 10:00", tz="Asia/Tokyo"), "2026-03-02T01:00:00"),
    ],
)
def test_every_form_of_time_in_one_column(stamp, utc):
    given = frame(timestamp=pd.Series([AT, stamp], dtype=object))
    stamps = ck.stitch(given).events["timestamp"]
    assert str(stamps.dtype) == "datetime64[us, UTC]"
    assert stamps[1] == pd.Timestamp(utc, tz="UTC")


def test_naive_times_are_of_the_zone_that_is_named():
    given = frame(timestamp=["2026-07-01 12:00", "2026-07-01 12:00Z"])
    stamps = ck.stitch(given, tz="Europe/Brussels").events["timestamp"]
    assert stamps.dt.hour.tolist() == [10, 12]


def test_a_missing_timestamp_is_the_time_of_receipt():
    given = frame(timestamp=[None, "soon"], received_at=[AT, AT])
    s = ck.stitch(given)
    assert s.events["timestamp"].tolist() == [pd.Timestamp(AT)]
    assert s.rejected["reason"].tolist() == [UNPARSEABLE_TIMESTAMP]
    assert s.report.remarks == {"timestamp is missing: received_at taken": 1}


@pytest.mark.parametrize("empty", [None, "", "  ", np.nan, pd.NA])
def test_a_row_without_a_name_is_an_identify_call_if_it_has_an_alias(empty):
    given = frame(
        event_name=pd.Series([empty, empty], dtype=object),
        **{"alias.cookie": ["c", None], "profile_properties.x": ["1", "2"]},
    )
    s = ck.stitch(given)
    assert s.events["kind"].tolist() == ["identify"]
    assert s.rejected["reason"].tolist() == [NOT_AN_EVENT]


def test_an_event_name_that_is_no_text_is_rejected():
    given = frame(event_name=pd.Series([["x"], {"a": 1}, True, 404, "A"], dtype=object))
    s = ck.stitch(given)
    assert s.rejected["reason"].tolist() == [UNUSABLE_EVENT_NAME] * 3
    assert s.events["event_name"].tolist() == ["404", "A"]


@pytest.mark.parametrize(
    ("cell", "aliases", "malformed"),
    [
        (["urn:email:A@x.org"], ["urn:email:a@x.org"], {}),
        (["urn:email:a@x.org", "a@x.org"], ["urn:email:a@x.org"], {NO_TYPE: 1}),
        (["urn:email:a:b:c"], ["urn:email:a:b:c"], {}),
        (["urn::x", "urn:email"], [], {NO_TYPE: 2}),
        ([None, np.nan], [], {}),
        ([3, {"email": "a"}], [], {NOT_TEXT: 2}),
        ("urn:email:a@x.org", ["urn:email:a@x.org"], {}),
        ('["urn:email:a@x.org"]', ["urn:email:a@x.org"], {}),
        ("a@x.org", [], {NO_TYPE: 1}),
        ({"email": "a@x.org"}, [], {NOT_A_LIST: 1}),
        (7, [], {NOT_A_LIST: 1}),
        (np.nan, [], {}),
        (None, [], {}),
        (np.array(["urn:email:a@x.org"]), ["urn:email:a@x.org"], {}),
        (("urn:email:a@x.org",), ["urn:email:a@x.org"], {}),
    ],
)
def test_cells_of_aliases(cell, aliases, malformed):
    given = pd.DataFrame({"event_name": ["A"], "timestamp": [AT]})
    given["aliases"] = pd.Series([cell], dtype=object)
    s = ck.stitch(given)
    found = "urn:" + s.aliases["alias_type"] + ":" + s.aliases["alias_value"]
    assert found.tolist() == aliases
    assert s.report.malformed == malformed
    assert len(s.events) == 1
    if malformed:
        assert s.report.malformed_rows == {reason: [0] * n for reason, n in malformed.items()}
        with pytest.raises(ck.EventError, match="row 0"):
            ck.stitch(given, strict=True)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([123, 123], dtype="int64"),
        pd.Series([123.0, 123.0]),
        pd.Series([123, 123], dtype="Int64"),
        pd.Series(["123", "123"], dtype="str"),
        pd.Series(["123", "123"], dtype=object),
        pd.Series(["123", "123"], dtype="category"),
        pd.Series([123, 123], dtype="category"),
        pd.Series(["123", "123"], dtype="string[python]"),
        pd.Series(["123", "123"], dtype="string[pyarrow]"),
        pd.Series([123, 123], dtype="int64[pyarrow]"),
        pd.Series([123, "123"], dtype=object),
        pd.Series([" 123 ", 123.0], dtype=object),
    ],
)
def test_an_identifier_of_any_dtype_is_the_same_alias(values):
    s = ck.stitch(frame(**{"alias.cookie": values}))
    assert s.aliases[["alias_type", "alias_value", "events"]].values.tolist() == [
        ["cookie", "123", 2]
    ]


def test_values_that_identify_nobody_are_blocked_and_counted():
    junk = ["null", " NULL ", "undefined", "N/A", "(not set)", "anonymous", "guest", "-1", ""]
    junk += ["[object Object]", "0000-0000", "0", "--", "unknown", "None", "nan"]
    s = ck.stitch(frame(**{"alias.cookie": [*junk, "real"]}))
    assert s.aliases["alias_value"].tolist() == ["real"]
    assert int(s.report.blocked["events"].sum()) == len(junk)
    assert s.events["profile_id"].isna().sum() == len(junk)


def test_block_takes_urns_values_and_patterns():
    import re

    given = frame(
        **{
            "alias.cookie": ["shared", "SHARED", "x", "test-1", "test-2"],
            "alias.cart_token": ["t", "t2", "shared", "kiosk", "t3"],
        }
    )

    def values(block):
        return sorted(ck.stitch(given, block=block).aliases["alias_value"])

    everything = sorted([*given["alias.cookie"], *given["alias.cart_token"]])
    assert values([]) == everything
    assert "shared" in values(["urn:cookie:shared"])
    assert ck.stitch(given, block=["urn:cookie:shared"]).aliases.query("alias_value == 'shared'")[
        "alias_type"
    ].tolist() == ["cart_token"]
    assert not {"shared", "SHARED"} & set(values("shared"))
    assert not {"test-1", "test-2"} & set(values([re.compile(r"test-\d")]))
    with pytest.raises(ck.ConvergekitError, match="block holds 7, a int"):
        ck.stitch(given, block=[7])


def test_all_null_columns_and_odd_properties_survive():
    odd = [{"a": [1, {"b": None}]}, ["x"], 7, "text", None]
    given = frame(
        event_id=[None] * 5,
        **{
            "properties.odd": pd.Series(odd, dtype=object),
            "properties.nothing": [None] * 5,
            "profile_properties.nothing": [np.nan] * 5,
            "profile_properties.odd": pd.Series(odd, dtype=object),
        },
    )
    for identity in ("retroactive", "as_of"):
        s = ck.stitch(given, identity=identity)
        assert s.events["properties.odd"].tolist() == odd
        assert s.events["profile.odd"].tolist()[:4] == odd[:4]
        assert s.events["profile.nothing"].isna().all()
        assert len(s.profiles) == 5


def test_column_types_are_kept():
    given = frame(
        **{
            "alias.cookie": ["c", "c"],
            "properties.price": [1.5, 2.5],
            "properties.count": pd.Series([1, 2], dtype="int64"),
            "profile_properties.age": pd.Series([33, None], dtype="Int64"),
            "profile_properties.vip": [True, False],
            "profile_properties.tier": pd.Series(["gold", None], dtype="category"),
        }
    )
    s = ck.stitch(given)
    dtypes = s.events.dtypes.astype(str)
    assert dtypes["properties.price"] == "float64"
    assert dtypes["properties.count"] == "int64"
    assert dtypes["profile.age"] == "Int64"
    assert dtypes["profile.vip"] == "bool"
    assert dtypes["profile.tier"] == "category"
    assert s.events["profile.age"].tolist() == [33, 33]
    assert s.events["profile.tier"].tolist() == ["gold", "gold"]


def test_nothing_left_after_rejection():
    s = ck.stitch(frame(timestamp=["soon", None]))
    assert len(s.events) == 0
    assert len(s.rejected) == 2
    assert s.profiles.empty


def test_unknown_options_list_what_is_known():
    with pytest.raises(ck.ConvergekitError, match="identity='asof' is not known; it is one of"):
        ck.stitch(frame(x=[1]), identity="asof")
    with pytest.raises(ck.ConvergekitError, match="duplicates='keep'"):
        ck.stitch(frame(x=[1]), duplicates="keep")
    with pytest.raises(ck.ColumnError, match="dedupe_on"):
        ck.stitch(frame(x=[1]), dedupe_on="event_id")
    with pytest.raises(ck.ColumnError, match="no column of the events.*'source'"):
        ck.stitch(frame(x=[1]), dedupe_on=["sorce", "event_id"])
    with pytest.raises(ck.UnknownNameError, match=r"Did you mean '\$email'"):
        ck.stitch(frame(**{"profile_properties.$email": ["a"]}), alias_from={"email": "email"})
