"""`columns=`: any export in one call."""

from __future__ import annotations

import contextlib
import gzip
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from tests.effort import tries

AT = "2026-03-02T10:00:00Z"


def lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    return path


ROWS = [
    {
        "what": "Order", "at": AT, "user": {"anon": "c1", "mail": None, "mails": ["a@x.org"]},
        "ctx": {"utm.source": "news", "utm": {"medium": "mail"}},
        "items": [{"sku": "a", "tags": ["x", "y"]}, {"sku": "b"}, 3],
    },
    {"what": "View", "at": AT, "user": {"anon": "c2", "mail": "b@x.org"}, "items": "none"},
    {"what": "View", "at": AT},
]  # fmt: skip


def test_paths_reach_into_objects_lists_and_keys_with_dots(tmp_path):
    columns = {
        "event_name": "what", "timestamp": "at", "alias.cookie": "user.anon",
        "alias.email": ["user.mail", "user.mails[0]"],
        "profile_properties.utm_source": "ctx.utm.source",
        "profile_properties.utm_medium": "ctx.utm.medium",
        "properties.skus": "items[].sku", "properties.tags": "items[].tags[]",
        "properties.second": "items[1].sku",
    }  # fmt: skip
    path = lines(tmp_path / "a.jsonl", ROWS)
    for events in (
        ck.read_events(path, columns=columns),
        ck.read_events(pd.DataFrame(ROWS), columns=columns),
    ):
        assert events["alias.cookie"].tolist()[:2] == ["c1", "c2"]
        assert events["alias.email"].tolist()[:2] == ["a@x.org", "b@x.org"]
        assert events["profile_properties.utm_source"][0] == "news"
        assert events["profile_properties.utm_medium"][0] == "mail"
        assert events["properties.skus"].tolist() == [["a", "b"], None, None]
        assert events["properties.tags"][0] == ["x", "y"]
        assert events["properties.second"][0] == "b"
        assert events.iloc[2][list(columns)[2:]].isna().all()


def test_stitch_takes_the_same_columns():
    columns = {
        "event_name": lambda rows: rows["what"].str.upper(),
        "timestamp": "at",
        "alias.cookie": "user.anon",
        "properties.shop": ck.constant("north"),
    }
    frame = pd.DataFrame(ROWS, index=[7, 8, 9])
    before = frame.copy(deep=True)
    s = ck.stitch(frame, columns=columns)
    expected = ck.stitch(ck.read_events(frame, columns=columns))
    pd.testing.assert_frame_equal(s.events, expected.events)
    assert s.events["event_name"].tolist() == ["ORDER", "VIEW", "VIEW"]
    assert s.events["properties.shop"].tolist() == ["north"] * 3
    pd.testing.assert_frame_equal(frame, before)
    with pytest.raises(ck.ColumnError, match=r"does not have a column 'user\.anno'\. Found: what"):
        ck.stitch(frame, columns=columns | {"alias.cookie": "user.anno"})
    with pytest.raises(ck.ConvergekitError, match=r"got 3|columns=\{'alias.cookie': 3\}|mapping"):
        ck.stitch(frame, columns=columns | {"alias.cookie": 3})


def test_a_constant_is_not_the_name_of_a_column(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("Order,When,Mail\n#1,2026-03-02,a@x.org\n")
    other = lines(tmp_path / "b.jsonl", [{"event_name": "A", "timestamp": AT, "aliases": []}])
    columns = {"event_name": ck.constant("Order"), "timestamp": "When", "alias.email": "Mail"}
    events = ck.read_events([path, other], columns=columns)
    assert events["event_name"].tolist() == ["Order", "A"]
    assert repr(columns["event_name"]) == "ck.constant('Order')"


def test_the_first_of_several_that_has_a_value(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "what,at,billing,shipping\nA,2026-03-02,,s@x.org\nB,2026-03-03,b@x.org,t@x.org\n"
        "C,2026-03-03,,\n"
    )
    columns = {"event_name": "what", "timestamp": "at", "alias.email": ("billing", "shipping")}
    assert ck.read_events(path, columns=columns)["alias.email"].tolist()[:2] == [
        "s@x.org", "b@x.org",
    ]  # fmt: skip
    with_last = columns | {"alias.email": ["billing", "shipping", ck.constant("none@x.org")]}
    assert ck.read_events(path, columns=with_last)["alias.email"].tolist()[2] == "none@x.org"
    columns["alias.email"] = ["mail", "e_mail"]
    with pytest.raises(ck.ColumnError, match="no file has a column 'mail' or 'e_mail'"):
        ck.read_events(path, columns=columns)


def test_functions_say_what_went_wrong(tmp_path):
    path = lines(tmp_path / "a.jsonl", ROWS)
    columns = {"event_name": "what", "timestamp": "at"}
    for function, message in (
        (lambda rows: rows["nothing"], "the function raised KeyError: 'nothing'"),
        (lambda rows: [1], "returned 1 value for 3 rows"),
        (lambda rows: "one", r"must return one value a row; got str\. .* ck\.constant"),
        (lambda rows: 7, "must return one value a row; got int"),
    ):
        with pytest.raises(ck.ConvergekitError, match=message):
            ck.read_events(path, columns=columns | {"alias.cookie": function})


def test_a_mapping_for_each_pattern_of_files(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders_1.csv").write_text("what,at,who\nOrder,2026-03-02,u1\n")
    (tmp_path / "mails.csv").write_text("what,at,who\n2026-03-03,Opened,u1\n")
    lines(tmp_path / "own.jsonl", [{"event_name": "A", "timestamp": AT, "aliases": []}])
    orders = {"event_name": "what", "timestamp": "at", "alias.user_id": "who"}
    mails = {"event_name": "at", "timestamp": "what", "alias.user_id": "who"}
    files = [tmp_path / "shop" / "orders_1.csv", tmp_path / "mails.csv", tmp_path / "own.jsonl"]
    columns = {"shop/orders*.csv": orders, "mails.csv": mails}
    events = ck.read_events(files, columns=columns)
    assert events["event_name"].tolist() == ["Order", "Opened", "A"]
    with pytest.raises(ck.ConvergekitError, match=r"\{'male\*': \.\.\.\}: no file has such"):
        ck.read_events(files, columns=columns | {"male*": mails})
    with pytest.raises(ck.ConvergekitError, match="some names to columns and others to mappings"):
        ck.read_events(files, columns=columns | {"event_name": "what"})
    with pytest.raises(ck.ColumnError, match="no file has a column 'whom'"):
        ck.read_events(files, columns=columns | {"mails.csv": mails | {"alias.user_id": "whom"}})


def test_a_path_beside_a_column_of_the_same_name_asks(tmp_path):
    path = lines(tmp_path / "a.jsonl", [{"event_name": "A", "timestamp": AT, "meta": {"at": AT}}])
    with pytest.raises(ck.ColumnError, match=r"\{'timestamp': \['meta\.at', 'timestamp'\]\}"):
        ck.read_events(path, columns={"timestamp": "meta.at"})
    events = ck.read_events(path, columns={"timestamp": ["meta.at", "timestamp"]})
    assert events["timestamp"].tolist() == [AT]


def test_lines_of_one_order(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "No,Created,Mail,Total,Item,Price\n"
        "#1,2026-03-02,a@x.org,75.00,Beans,30.00\n#1,2026-03-02,a@x.org,,Grinder,45.00\n"
        "#2,2026-03-03,b@x.org,20.00,Filter,20.00\n"
    )
    columns = {"event_id": "No", "event_name": ck.constant("Placed Order"),
               "timestamp": "Created", "alias.email": "Mail", "properties.total_price": "Total",
               "properties.items": "items"}  # fmt: skip
    items = ck.ItemLines(key=["No"], items={"name": "Item", "price": "Price"})
    events = ck.read_events(path, columns=columns, items=items)
    assert events["event_id"].tolist() == ["#1", "#2"]
    assert events["properties.total_price"].tolist() == [75.0, 20.0]
    assert [[item["name"] for item in cell] for cell in events["properties.items"]] == [
        ["Beans", "Grinder"], ["Filter"],
    ]  # fmt: skip
    assert events["line"].tolist() == [2, 4]
    frame = ck.read_events(pd.read_csv(path), columns=columns, items=items)
    assert frame["event_id"].tolist() == ["#1", "#2"]
    with pytest.raises(ck.ConvergekitError, match=r"items must be a ck\.ItemLines"):
        ck.read_events(path, columns=columns, items={"name": "Item"})


# Encodings, dates and amounts


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "shift_jis", "utf-16", "latin-1"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_in_other_encodings(tmp_path, encoding, packed):
    word = "カフェ" if encoding == "shift_jis" else "crème"
    table = f"event_name,timestamp,properties.note\nA,2026-03-02,{word}\n"
    row = {"event_name": "A", "timestamp": AT, "properties": {"note": word}}
    for name, text in (("a.csv", table), ("b.jsonl", json.dumps(row, ensure_ascii=False) + "\n")):
        content = text.encode(encoding)
        path = tmp_path / (name + ".gz" * packed)
        path.write_bytes(gzip.compress(content) if packed else content)
    events = ck.read_events(tmp_path / "*", encoding=encoding)
    assert events["properties.note"].tolist() == [word, word]


def test_what_is_not_utf_8_says_which_encoding_reads_it(tmp_path):
    path = tmp_path / "a.csv"
    good = "event_name,timestamp,properties.note\nA,2026-03-02,plain\n"
    path.write_bytes(good.encode() + "A,2026-03-02,crème\n".encode("cp1252"))
    hint = "If a Windows program wrote it, give encoding='cp1252'"
    events = ck.read_events(path)
    assert events["read_error"].dropna().tolist() == [f"not UTF-8. {hint}"]
    with pytest.raises(ck.ReadError, match=rf"a\.csv, line 3: not UTF-8\. {hint}"):
        ck.read_events(path, strict=True)
    events = ck.read_events(path, encoding="cp1252")
    assert events["properties.note"].tolist() == ["plain", "crème"]
    header = tmp_path / "b.csv"
    header.write_bytes("event_name,timestamp,properties.prénom\nA,2026-03-02,x\n".encode("cp1252"))
    with pytest.raises(ck.ReadError, match=rf"the header is not UTF-8.*{hint}"):
        ck.read_events(header)
    assert "properties.prénom" in ck.read_events(header, encoding="cp1252")
    # Byte 0x81 means nothing in Windows-1252.
    other = tmp_path / "c.csv"
    other.write_bytes(good.encode() + b"A,2026-03-02,\x81\n")
    assert ck.read_events(other)["read_error"].dropna().tolist() == ["not UTF-8"]
    assert ck.read_events(other, encoding="cp1252")["read_error"].dropna().tolist() == [
        "not cp1252"
    ]
    with pytest.raises(ck.ConvergekitError, match="encoding must be one that Python knows"):
        ck.read_events(path, encoding="cp-1252")
    with pytest.raises(ck.ConvergekitError, match="encoding must be one that Python knows"):
        ck.read_events(path, encoding="base64")


@pytest.mark.parametrize(
    ("written", "day_first", "time"),
    [
        ("03/04/2026 10:05", True, "2026-04-03T10:05:00Z"),
        ("03/04/2026 10:05", False, "2026-03-04T10:05:00Z"),
        ("3.4.2026", True, "2026-04-03T00:00:00Z"),
        ("3/4/2026, 1:05:09 PM", False, "2026-03-04T13:05:09Z"),
        ("3/4/2026 12:05 am", False, "2026-03-04T00:05:00Z"),
        ("2026-04-03 10:05", True, "2026-04-03T10:05:00Z"),
        ("03-04-2026T10:05:00+02:00", True, "2026-04-03T08:05:00Z"),
    ],
)
def test_days_and_months_of_digits_are_read_as_told(tmp_path, written, day_first, time):
    path = tmp_path / "a.csv"
    path.write_text(f'event_name,timestamp,alias.cookie\nA,"{written}",c\n')
    s = ck.stitch(ck.read_events(path, day_first=day_first))
    assert s.events["timestamp"].tolist() == [pd.Timestamp(time)]


def test_a_day_that_no_month_has_is_rejected_as_it_was_written(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("event_name,timestamp,alias.cookie\nA,03/25/2026,c\nA,25/03/2026,c\n")
    events = ck.read_events(path, day_first=True)
    assert events["timestamp"].tolist() == ["03/25/2026", "2026-03-25"]
    assert ck.stitch(events).rejected["row"].tolist() == [0]
    with pytest.raises(ck.ConvergekitError, match="day_first must be True or False"):
        ck.read_events(path, day_first="yes")


def test_amounts_are_read_in_the_language_that_is_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "event_name;timestamp;alias.email;properties.total;properties.thousands;properties.zip;"
        "properties.note;properties.plain\n"
        'A;2026-03-02;a@x.org;"1.234,50";1.234;01000;"12,50";12.75\n'
        'A;2026-03-02;b@x.org;"€ 12,00";2.500;02000;gift;8.25\n'
    )
    events = ck.read_events(path, amounts="de")
    assert events["properties.total"].tolist() == [1234.5, 12.0]
    assert events["properties.thousands"].tolist() == [1234.0, 2500.0]
    assert events["properties.zip"].tolist() == ["01000", "02000"]
    assert events["properties.note"].tolist() == ["12,50", "gift"]
    assert events["properties.plain"].tolist() == [12.75, 8.25]
    expected = ck.money(pd.Series(["1.234,50", "€ 12,00"]), amounts="de")["amount"]
    assert events["properties.total"].tolist() == expected.tolist()
    assert ck.read_events(path)["properties.total"].tolist() == ["1.234,50", "€ 12,00"]
    with pytest.raises(ck.ConvergekitError, match="amounts must be one of"):
        ck.read_events(path, amounts="german")


# suggest_columns


def test_a_proposal_reads_the_export(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "Bestell-Nr;Order No;Datum;Created;E-Mail;Total;utm_source\n"
        '1;#1;x;25.03.2026 11:05;ada@x.org;"1.230,50";news\n'
        '1;#2;x;26.03.2026 11:05;bob@x.org;"12,00";ads\n'
        '1;#3;x;27.03.2026 11:05;ada@x.org;"8,00";ads\n'
    )
    found = ck.suggest_columns(path)
    assert found.columns == {
        "event_id": "Order No",
        "event_name": ck.constant("Placed Order"),
        "timestamp": "Created",
        "alias.email": "E-Mail",
        "properties.total_price": "Total",
        "profile_properties.utm_source": "utm_source",
    }
    assert found.options == {"day_first": True, "amounts": "de"}
    events = eval(found.code, {"ck": ck})
    assert events["properties.total_price"].tolist() == [1230.5, 12.0, 8.0]
    s = ck.stitch(events)
    assert (len(s.events), len(s.profiles)) == (3, 2)
    assert found.table["reason"].str.len().min() > 0
    assert "e-mail addresses" in str(found)
    assert repr(found).startswith("SuggestedColumns(")
    assert "<table" in found._repr_html_()


def test_a_proposal_reaches_into_objects():
    found = ck.suggest_columns(pd.DataFrame(ROWS * 3))
    assert found.columns["alias.cookie"] == "user.anon"
    assert found.columns["event_name"] == "what" or "event_name" in found.columns
    assert found.columns["timestamp"] == "at"


def test_a_known_format_needs_no_columns(tmp_path):
    row = {"messageId": "m", "type": "track", "anonymousId": "a", "event": "A", "timestamp": AT}
    found = ck.suggest_columns(lines(tmp_path / "a.jsonl", [row]))
    assert (found.format, found.columns) == ("segment", {})
    assert found.code == f"ck.read_events({str(tmp_path / 'a.jsonl')!r})"
    with pytest.raises(ck.ReadError, match="does not have a row"):
        ck.suggest_columns(lines(tmp_path / "empty.jsonl", []))


# Whatever is given

PATHS = st.sampled_from(
    ["what", "at", "user", "user.anon", "user.anon.x", "items[].sku", "items[", "[]", "a..b",
     "items[0]", "items[99999999999]", ".", "items[][]", "ctx.utm", "properties", "\udcff", ""]
)  # fmt: skip
OWN = st.one_of(
    PATHS, st.lists(PATHS, max_size=3), st.none(), st.integers(), st.just(ck.constant([1])),
    st.sampled_from([lambda rows: rows.iloc[:, 0], lambda rows: rows["x"], lambda: 1, dict]),
)  # fmt: skip
NAMES = st.sampled_from(
    ["event_name", "timestamp", "event_id", "aliases", "alias.x", "properties.x", "properties",
     "profile_properties.y", "set_once", "unset", "alias.", "what", "*.csv", 3, None]
)  # fmt: skip


@tries(200)
@given(st.dictionaries(NAMES, OWN, max_size=4))
def test_any_mapping_raises_only_our_errors(columns):
    for call in (ck.read_events, ck.stitch):
        with contextlib.suppress(ck.ConvergekitError):
            call(pd.DataFrame(ROWS), columns=columns)


def test_a_list_takes_what_a_vendors_format_reads(tmp_path):
    """The order's number of GA4 and of Shopify's file links the order to its browser."""
    purchase = {
        "event_timestamp": "1772445600000000", "event_name": "purchase", "user_pseudo_id": "A1",
        "event_params": [{"key": "transaction_id", "value": {"string_value": "#1001"}}],
    }  # fmt: skip
    browser = lines(tmp_path / "ga4.jsonl", [purchase])
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "Name,Email,Financial Status,Currency,Total,Created at,Lineitem name,Lineitem quantity,Id\n"
        "#1001,a@example.com,paid,EUR,54.90,2026-03-02 11:00:00 +0100,Mug,2,5001\n"
        "#1001,a@example.com,,,,2026-03-02 11:00:00 +0100,Beans,1,\n",
        "utf-8",
    )
    both = {"alias.order": ["properties.transaction_id", "properties.name"]}
    events = ck.read_events([browser, orders], columns=both)
    assert events["alias.order"].tolist() == ["#1001", "#1001"]
    assert len(ck.stitch(events).profiles) == 1
    with pytest.raises(ck.ColumnError, match=r"'properties\.no' or 'properties\.not'"):
        ck.read_events([browser], columns={"alias.order": ["properties.no", "properties.not"]})
