"""Bad input: a clear error, or a row in a table with a reason. Nothing is lost silently."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

import convergekit as ck
from convergekit.events.normalise import (
    MISSING_TIMESTAMP,
    NOT_AN_EVENT,
    UNPARSEABLE_TIMESTAMP,
    UNUSABLE_EVENT_NAME,
)
from convergekit.identity.read_aliases import NO_TYPE, NOT_A_LIST, NOT_TEXT

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
        ({"event_name": "acton"}, "the column 'acton' does not exist.*did you mean 'action'"),
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
    with pytest.raises(ck.ColumnError, match="occur twice: 'event_name'"):
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
    s = ck.stitch(both)
    assert s.rejected[["row", "reason"]].values.tolist() == [
        [0, "columns 'event_id' and 'eventID' disagree"]
    ]
    both["event_id"] = ["", "b"]
    assert ck.stitch(both).events["event_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        (1, pd.Series([1, None])),
        (1, pd.Series([1, None], dtype=object)),
        (1, pd.Series([1, 2], dtype="int8")),
        (1.0, pd.Series([1, None], dtype="Int64")),
        (True, pd.Series([True, None], dtype=object)),
        (True, pd.Series([True, None], dtype="boolean")),
    ],
)
def test_a_number_agrees_with_itself_whatever_type_it_has(nested, flat):
    events = pd.DataFrame(
        {
            "event_name": "A",
            "timestamp": AT,
            "alias.cookie": "c",
            "properties": [{"n": nested}, {}],
            "properties.n": flat,
        }
    )
    s = ck.stitch(events)
    assert len(s.events) == 2
    assert s.events["properties.n"].iloc[0] == nested
    for other in (2, "1", not nested):
        events["properties"] = [{"n": other}, {}]
        assert ck.stitch(events).rejected["row"].tolist() == [0]


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [("tomorrow", "'tomorrow'"), ("x" * 99, "'" + "x" * 58 + "…"), (12, "12"), ({}, "dict")],
)
def test_a_strict_error_shows_the_timestamp_and_nothing_else_of_the_row(stamp, shown):
    given = frame(
        timestamp=pd.Series([AT, stamp], dtype=object),
        file=["a.csv", "a.csv"],
        line=[2, 3],
        **{"alias.email": ["ada@example.com", "bob@example.com"]},
    )
    with pytest.raises(ck.EventError) as error:
        ck.stitch(given, strict=True)
    assert str(error.value) == (
        f"row 1: timestamp cannot be parsed: {shown} (a.csv, line 3). "
        "Repair the row, or leave out strict=True to have it listed in `rejected`."
    )


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
        ('["urn:email:a@x.org"', [], {NO_TYPE: 1}),
        ("[" * 100_000, [], {NO_TYPE: 1}),
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
    with pytest.raises(ck.ConvergekitError, match="block must hold URNs.*got 7, a int"):
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
    with pytest.raises(
        ck.ConvergekitError, match="identity must be one of 'retroactive', 'as_of'; got"
    ):
        ck.stitch(frame(x=[1]), identity="asof")
    with pytest.raises(ck.ConvergekitError, match="duplicates must be .*got 'keep'"):
        ck.stitch(frame(x=[1]), duplicates="keep")
    with pytest.raises(ck.ColumnError, match="dedupe_on"):
        ck.stitch(frame(x=[1]), dedupe_on="event_id")
    with pytest.raises(ck.ColumnError, match="not a column of the events.*'source'"):
        ck.stitch(frame(x=[1]), dedupe_on=["sorce", "event_id"])
    with pytest.raises(ck.UnknownNameError, match=r"Did you mean '\$email'"):
        ck.stitch(frame(**{"profile_properties.$email": ["a"]}), alias_from={"email": "email"})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"browser_alias": "devise"},
            "browser_alias names the alias type 'devise', which no event carries. "
            "Found: device, email. Did you mean 'device'?",
        ),
        (
            {"alias_priority": ["email", "Devise"]},
            "alias_priority names the alias type 'devise', which no event carries. "
            "Found: device, email. Did you mean 'device'?",
        ),
        (
            {"first": ["plan", "utm_sorce"]},
            "first names 'utm_sorce', which is not a profile property. "
            "Found: utm_source, plan. Did you mean 'utm_source'?",
        ),
        ({"browser_alias": 3}, "browser_alias must be an alias type such as 'cookie'; got 3."),
    ],
)
def test_a_name_that_fits_nothing_is_refused(options, says):
    given = frame(
        **{
            "alias.device": ["d"],
            "alias.email": ["a@x.org"],
            "profile_properties.utm_source": ["ads"],
            "profile_properties.plan": ["gold"],
        }
    ).drop(columns="alias.cookie")
    with pytest.raises(ck.ConvergekitError) as error:
        ck.stitch(given, **options)
    assert str(error.value) == says
    assert isinstance(error.value, ck.UnknownNameError) == (options != {"browser_alias": 3})


def test_a_pattern_of_first_may_fit_nothing():
    given = frame(**{"profile_properties.plan": ["gold"]})
    assert ck.stitch(given, first="$initial_*").events["profile.plan"].tolist() == ["gold"]


def test_names_of_what_is_usual_or_there_are_taken():
    given = frame(**{"alias.Device": ["d"], "profile_properties.utm_source": ["ads"]})
    s = ck.stitch(
        given.drop(columns="alias.cookie"),
        browser_alias="Device",
        alias_priority=["customer_id", "device", "email"],
        first=["utm_*"],
    )
    assert s.profiles["has_browser_session"].tolist() == [True]
    assert ck.stitch(given, alias_priority=["cookie"]).browser_alias == "cookie"
    # Without any property there is none that the name could have meant.
    ck.stitch(frame(x=[1]), first="plan")


def test_values_that_are_no_text_tell_events_apart():
    given = frame(event_id=["1"] * 2, **{"properties.test": [True, False]})
    assert len(ck.stitch(given, dedupe_on=("event_id", "properties.test")).events) == 2
    later = frame(event_id=["1"] * 2, timestamp=[AT, "2026-03-02T11:00:00Z"])
    assert len(ck.stitch(later, dedupe_on=("event_id", "timestamp")).events) == 2


def test_a_property_that_is_an_alias_makes_an_identify_call():
    given = frame(
        event_name=["A", None],
        **{"alias.cookie": ["c", None], "profile_properties.$email": ["a@x.org", "a@x.org"]},
    )
    s = ck.stitch(given, alias_from={"$email": "email"})
    assert s.events["kind"].tolist() == ["track", "identify"]
    assert len(ck.stitch(given).rejected) == 1


@pytest.mark.parametrize("nothing", ["  ", "[]", "null", []])
def test_a_nameless_row_whose_alias_holds_nothing_is_rejected(nothing):
    given = pd.DataFrame({"event_name": ["A", None], "timestamp": [AT, AT]})
    given["aliases"] = pd.Series([["urn:cookie:c"], nothing], dtype=object)
    assert ck.stitch(given).rejected["reason"].tolist() == [NOT_AN_EVENT]


def test_decimals_uuids_and_bytes_identify():
    import decimal
    import uuid

    cells = [decimal.Decimal(12), decimal.Decimal("12.0"), uuid.UUID(int=12), b"12", "12"]
    s = ck.stitch(frame(**{"alias.cookie": pd.Series(cells, dtype=object)}))
    assert s.aliases["events"].tolist() == [1, 4] or s.aliases["events"].tolist() == [4, 1]
    assert set(s.aliases["alias_value"]) == {"12", str(uuid.UUID(int=12))}


def test_what_is_blocked_is_compared_in_one_form():
    given = frame(**{"alias.cookie": ["Groß", "caf\u00e9", "x"]})
    s = ck.stitch(given, block=["gROß", "cafe\u0301"])
    assert s.aliases["alias_value"].tolist() == ["x"]
    with pytest.raises(ck.ConvergekitError, match="without a type or a value"):
        ck.stitch(given, block=["urn:cookie:"])


@pytest.mark.parametrize(
    ("written", "blocked"),
    [
        # Letter by letter: a sigma that ends a word is a sigma, and a dotted I is an i.
        ("ΟΔΟΣ", "ΟΔΟΣ"),
        ("οδοσ", "ΟΔΟΣ"),
        ("ΟΔΟΣ", "Οδοσ"),
        ("İZMİR", "İZMİR"),
        ("izmir", "İzmir"),
        ("half\ud800", "HALF\ud800"),
    ],
)
def test_a_value_is_blocked_in_any_case_of_any_language(written, blocked):
    given = frame(**{"alias.cookie": pd.Series([written, "x"], dtype=object)})
    s = ck.stitch(given, block=[blocked])
    assert s.aliases["alias_value"].tolist() == ["x"]


def test_unset_may_be_a_list_a_name_or_json():
    for cell in (["p"], "p", '["p"]'):
        given = frame(
            **{
                "alias.cookie": ["c", "c"],
                "profile_properties.p": ["1", None],
                "unset": pd.Series([None, cell], dtype=object),
            }
        )
        given["timestamp"] = pd.to_datetime([AT, "2026-03-02T11:00:00Z"])
        assert ck.stitch(given).events["profile.p"].isna().tolist() == [False, True]


@pytest.mark.parametrize("stamp", ["Mon 03/04/2026 10:00", "04/03/2026", 10**400, 10**30, "Monday"])
def test_dates_that_read_two_ways_or_none_are_rejected(stamp):
    given = frame(timestamp=pd.Series([AT, stamp], dtype=object))
    assert ck.stitch(given).rejected["reason"].tolist() == [UNPARSEABLE_TIMESTAMP]


def test_hours_that_a_clock_change_skips_or_repeats():
    given = frame(timestamp=["29 Mar 2026 02:30:00", "25 Oct 2026 02:30:00", "2026-03-29 02:30"])
    stamps = ck.stitch(given, tz="Europe/Brussels").events["timestamp"]
    assert stamps.dt.strftime("%H:%M").tolist() == ["01:00", "00:30", "01:00"]


def test_a_far_away_year_is_rejected_and_an_unknown_zone_an_error():
    far = pd.Series(np.array(["2026-03-02", "300000-01-01"], dtype="datetime64[s]"))
    assert ck.stitch(frame(timestamp=far)).rejected["row"].tolist() == [1]
    with pytest.raises(ck.ConvergekitError, match="must be a time zone.*'Mars/Phobos'"):
        ck.stitch(frame(x=[1]), tz="Mars/Phobos")


def test_a_column_named_reason_survives():
    s = ck.stitch(frame(reason=["mine", "mine"], timestamp=[AT, None]))
    assert s.rejected["properties.reason"].tolist() == ["mine"]


def test_arrays_and_arrow_lists_are_lists():
    pa = pytest.importorskip("pyarrow")
    arrays = pd.Series([np.array([1, 2]), None, np.array(["a"])], dtype=object)
    urns = pd.Series(
        [["urn:cookie:c"], None, ["urn:cookie:d"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))
    )
    given = pd.DataFrame({"event_name": ["A"] * 3, "timestamp": [AT] * 3, "event_id": ["1"] * 3})
    given = given.assign(
        aliases=urns, **{"profile_properties.p": arrays, "properties.q": arrays.copy()}
    )
    s = ck.stitch(given)
    assert s.events["profile.p"].tolist() == [[1, 2]]
    assert "properties.q" in s.duplicates["differs"][1]
    assert s.report.rows_in == 3


def test_categoricals_of_numbers_with_gaps():
    given = frame(
        timestamp=pd.Categorical([1772442000, 1772442000, None]),
        **{"profile_properties.p": pd.Categorical([1, None, 2])},
    )
    s = ck.stitch(given)
    assert len(s.events) == 2
    assert s.events["profile.p"].astype(object).tolist()[0] == 1


def test_what_is_no_frame_says_how_to_get_one():
    with pytest.raises(
        ck.ConvergekitError, match=r"events are a path, .*ck\.read_events\(\.\.\.\).*workdir="
    ):
        ck.stitch("data/browser.jsonl")
    with pytest.raises(ck.ConvergekitError, match="must be a mapping"):
        ck.stitch(frame(x=[1]), columns=["event_name"])
    with pytest.raises(ck.ConvergekitError, match="must be a list of URNs"):
        ck.stitch(frame(x=[1]), block=5)


def test_arrow_types_and_odd_rejected_rows_are_saved(tmp_path):
    import datetime

    pa = pytest.importorskip("pyarrow")
    odd = [datetime.UTC, AT, [{1, 2}]]
    given = frame(
        timestamp=pd.Series([AT, AT, odd[2]], dtype=object),
        **{
            "properties.zone": pd.Series([None, None, odd[0]], dtype=object),
            "properties.a": pd.Series(["1.50", "2.50", None]).astype(
                pd.ArrowDtype(pa.decimal128(5, 2))
            ),
            "properties.b": pd.Series(["x", "y", None], dtype="string[pyarrow]"),
        },
    )
    s = ck.stitch(given)
    s.to_parquet(tmp_path)
    again = ck.read_stitched(tmp_path)
    pd.testing.assert_frame_equal(again.events, s.events)
    assert again.rejected["timestamp"].tolist() == [[{1, 2}]]
    assert again.rejected["properties.zone"].tolist() == ["UTC"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"mail": "alias.email"}, r"is the wrong way round.*columns=\{'alias.email': 'mail'\}"),
        ({"action": "event_name"}, r"is the wrong way round.*columns=\{'event_name': 'action'\}"),
        ({"email": "mail"}, "Did you mean 'alias.email'"),
    ],
)
def test_a_mapping_of_columns_that_is_nearly_right_is_shown_right(columns, says):
    given = pd.DataFrame({"action": ["PageView"], "timestamp": ["2026-03-02"], "mail": ["a@x.org"]})
    with pytest.raises(ck.ColumnError, match=says):
        ck.stitch(given, columns=columns)


def test_the_same_words_in_another_order_are_what_is_meant():
    s = ck.stitch(ck.simulate_store(people=5).events)
    with pytest.raises(ck.ConvergekitError, match="Did you mean '(properties.)?total_price'"):
        s.attribution("Placed Order", value="price_total")


def test_an_address_of_somebody_else_is_not_suggested():
    s = ck.stitch(frame(**{"alias.email": ["dina.claes6@example.com"]}))
    with pytest.raises(ck.UnknownAliasError) as raised:
        s.explain("urn:email:ada@example.com", "urn:email:dina.claes6@example.com")
    assert "dina" not in str(raised.value)
