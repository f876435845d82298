"""One notion of nothing: aliases, event IDs, campaigns, and properties by name."""

from __future__ import annotations

import hashlib

import pandas as pd
import pyarrow as pa
import pytest

import convergekit as ck

#: Not a value of anything, in spellings that the module does not list one by one.
NOT_A_VALUE = [
    *(
        "undefined",
        "NULL",
        " Null ",
        "'null'",
        '"undefined"',
        "''",
        '""',
        "\\N",
        "\\n",
        "(Not Set)",
    ),
    *(
        "(none)",
        "NIL",
        "<null>",
        "<NA>",
        "#N/A",
        "N/a",
        "nan",
        "[object Object]",
        "\u201cnull\u201d",
    ),
    *("\u200bundefined", "\u00a0none\u00a0", "-", "(not provided)"),
    # Padded with what is not seen, in quotes of other lands, and in escaped ones.
    *("\u200enull\u200f", "\u2066undefined\u2069", "none\ufe0f", "\u061cnull", "\x01null\x7f"),
    *("\u2039null\u203a", "\u201anull\u2018", '\\"null\\"', "\\'\\'", '"\\"undefined\\""', "\\\\N"),
    *("not_set", "Not-Set", "unset", "undef", "\u2014", " \u2013 "),
    *(
        '\\"undefined\\"',
        "\\'Null\\'",
        '\\\\"none\\\\"',
        "%22NULL%22",
        "&quot;nil&quot;",
        '\\"\\N\\"',
    ),
]
#: Not an event ID and not a campaign; aliases of the kind are for the check-up to say.
TEMPLATES = [
    *(
        "{{event_id}}",
        "{{ campaign.name }}_{{ad.name}}",
        "{CampaignID}",
        "{keyword:tea}",
        "'{{id}}'",
    ),
    *("${id}", "%%ID%%", "[[id]]", "<%= id %>", "{% id %}", "*|EMAIL|*", "__CAMPAIGN_NAME__"),
]
#: Nobody, though it may be a value of a property.
NOT_SOMEBODY = [
    *(
        "true",
        "False",
        "0",
        "000",
        "-1",
        "guest",
        "Anonymous",
        "unknown",
        "not_authenticated",
        "id",
    ),
    *("email", "distinct_id", "'guest'", "00000000-0000-0000-0000-000000000000"),
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    *(hashlib.new(kind, b"").hexdigest() for kind in ("sha256", "sha1", "md5", "sha512")),
    *(f"{hashlib.new(kind, b'').hexdigest()}{end}" for kind in ("md5", "sha256") for end in " \n'"),
    f" '{hashlib.sha1(b'').hexdigest()}'",
    hashlib.sha256(b"\n").hexdigest(),
    *(hashlib.sha256(text.encode()).hexdigest().upper() for text in ("null", "undefined", "None")),
]
#: What is something, however near it comes.
SOMETHING = [
    *(
        "nullable",
        "none-1",
        "undefined2",
        "N",
        "direct",
        "a",
        "1",
        "00000001",
        "guesthouse",
        "null@x.org",
    ),
    *("o'neil", "true-north", "identity", hashlib.sha256(b"ada@example.com").hexdigest()),
    *('\\"ada\\"', "%2", "a&quot;b", "\\\\"),
    *("North America", "nonesuch", "(not", "d41d8cd98f00b204e9800998ecf8427f", "\\Nora"),
    *(
        "{123e4567-e89b-12d3-a456-426614174000}",
        "{{",
        "a{{b}}",
        "{a}b",
        "[id]",
        "_id_",
        "__",
        "100%%",
    ),
    *("a\u2014b", "<%>", "\\x", f"{hashlib.md5(b'x').hexdigest()} "),
]


def orders(ids, aliases=None):
    """One order a day, of somebody else each."""
    return pd.DataFrame(
        {
            "event_name": "Placed Order",
            "event_id": pd.Series(ids, dtype=object),
            "timestamp": pd.date_range("2026-03-02", periods=len(ids), freq="D", tz="UTC"),
            "alias.cookie": [f"c{place}" for place in range(len(ids))],
            "alias.user_id": pd.Series(aliases or [None] * len(ids), dtype=object),
            "properties.total_price": 40.0,
        }
    )


@pytest.mark.parametrize("text", [*NOT_A_VALUE, *NOT_SOMEBODY, 0, -1])
def test_a_placeholder_is_neither_an_event_id_nor_an_alias(text):
    frame = orders([text] * 5, [text] * 5)
    for duplicates in ("drop", "merge"):
        s = ck.stitch(frame, duplicates=duplicates)
        assert (len(s.events), len(s.duplicates), len(s.profiles)) == (5, 0, 5)
        assert s.events["event_id"].isna().all()
    assert s.report.remarks["event_id is a placeholder: treated as missing"] == 5
    assert s.report.blocked["events"].tolist() == [5]
    findings = ck.check_up(frame).findings.set_index("check")
    assert findings.loc["placeholder-event-id", ["events", "money"]].tolist() == [5, 200.0]
    assert "conversion-without-event-id" not in findings.index


@pytest.mark.parametrize("text", TEMPLATES)
def test_a_template_that_nobody_filled_in_is_not_an_event_id(text):
    frame = orders([text] * 5)
    s = ck.stitch(frame, duplicates="merge")
    assert (len(s.events), len(s.duplicates), len(s.profiles)) == (5, 0, 5)
    assert s.report.remarks["event_id is a placeholder: treated as missing"] == 5
    finding = ck.check_up(frame).findings.set_index("check").loc["placeholder-event-id"]
    assert finding[["events", "money"]].tolist() == [5, 200.0]


@pytest.mark.parametrize("text", SOMETHING)
def test_what_only_looks_like_a_placeholder_links_and_is_counted_once(text):
    s = ck.stitch(orders([text] * 5, [text] * 5), duplicates="merge")
    assert (len(s.events), len(s.duplicates), len(s.profiles)) == (1, 4, 1)
    assert not any("placeholder" in remark for remark in s.report.remarks)
    assert s.report.blocked.empty


@pytest.mark.parametrize("text", [*NOT_A_VALUE, *NOT_SOMEBODY, *SOMETHING])
def test_each_type_of_column_says_the_same(text):
    frame = orders([text, text, "e1"], [text, text, "u1"])
    expected = ck.stitch(frame)
    for dtype in ("str", "category", "string[pyarrow]", "large_string[pyarrow]"):
        found = ck.stitch(frame.astype({"event_id": dtype, "alias.user_id": dtype}))
        assert found.report.to_dict() == expected.report.to_dict()


def visits(tag, **more):
    """A visit by a paid campaign, and another with this tag, in which something is bought."""
    page = {"event_name": "PageView", "alias.cookie": "c1", "properties.$url": "https://shop.test/"}
    paid = {"profile_properties.utm_source": "google", "profile_properties.utm_medium": "cpc"}
    tagged = dict.fromkeys(("profile_properties.utm_source", "profile_properties.utm_medium"), tag)
    order = {"event_name": "Placed Order", "alias.cookie": "c1", "properties.total_price": 100.0}
    return pd.DataFrame(
        [
            {"timestamp": "2026-03-01T10:00Z", **page, **paid},
            {"timestamp": "2026-03-02T10:00Z", **page, **tagged, **more},
            {"timestamp": "2026-03-02T10:05Z", **order},
        ]
    )


@pytest.mark.parametrize(
    "text", [*NOT_A_VALUE, *TEMPLATES, "(direct)", " ", "(Direct)", "'(direct)'"]
)
def test_a_placeholder_never_replaces_a_campaign(text):
    frame = visits(text)
    for identity in ("retroactive", "as_of"):
        s = ck.stitch(frame, identity=identity)
        assert s.events["profile.utm_source"].tolist() == ["google"] * 3
    assert s.events["profile_properties.utm_source"].iloc[1] == text
    assert s.sessions()["channel"].tolist() == ["Paid Search", "Direct"]
    found = s.attribution("Placed Order", "total_price", ["last_non_direct"]).comparison
    assert found.loc[found["last_non_direct"] > 0, "channel"].tolist() == ["Paid Search"]
    said = "utm_source or utm_medium is a placeholder: neither carried nor a campaign"
    assert s.report.remarks == {said: 1}
    finding = ck.check_up(frame).findings.set_index("check").loc["placeholder-campaign"]
    assert finding[["events", "money"]].tolist() == [1, 100.0]


@pytest.mark.parametrize("text", ["true", "unknown", "guest", "0", "id"])
def test_what_names_nobody_may_be_a_campaign(text):
    s = ck.stitch(visits(text))
    assert s.events["profile.utm_source"].tolist() == ["google", text, text]


@pytest.mark.parametrize(
    "name",
    ["gclid", "$fbclid", "source", "medium", "campaign", "channel", "$initial_utm_source"],
)
def test_every_campaign_property_is_meant(name):
    s = ck.stitch(visits(None, **{f"profile_properties.{name}": "undefined"}))
    assert s.events[f"profile.{name}"].isna().all()


def test_a_click_id_that_was_not_filled_in_is_none():
    for query, click in (("gclid=undefined", None), ("gclid=null&fbclid=x1", "fbclid")):
        frame = visits(None)
        frame["properties.$url"] = f"https://shop.test/?{query}"
        found = ck.stitch(frame).sessions()["click_id"].iloc[0]
        assert (found == click) or (click is None and pd.isna(found))


@pytest.mark.parametrize("where", ["properties", "profile_properties"])
@pytest.mark.parametrize("medium", ["(none)", "(not set)", None])
@pytest.mark.parametrize("source", ["(direct)", ' "(Direct)"', "\u200e(direct)"])
def test_a_visit_that_says_that_it_is_direct_is_so_whatever_its_campaign(where, medium, source):
    page = {
        "event_name": "PageView",
        "timestamp": "2026-03-02T10:00Z",
        "alias.cookie": "c1",
        "properties.$url": "https://shop.test/",
        f"{where}.utm_source": source,
        f"{where}.utm_medium": medium,
        f"{where}.utm_campaign": "spring",
    }
    found = ck.stitch(pd.DataFrame([page])).sessions().iloc[0]
    assert (found["channel"], found["utm_campaign"]) == ("Direct", "spring")
    assert pd.isna(found["utm_source"])
    told = ck.stitch(pd.DataFrame([page | {f"{where}.utm_medium": "email"}])).sessions()
    assert told["channel"].tolist() == ["Email"]
    clicked = ck.stitch(pd.DataFrame([page | {"properties.gclid": "x"}])).sessions()
    assert clicked["channel"].tolist() == ["Paid Search"]


def test_other_properties_keep_placeholders_unless_they_are_named():
    frame = orders(["e1", "e2", "e3"]).assign(
        **{
            "properties.coupon": ["null", "SPRING", None],
            "profile_properties.plan": ["gold", "none", "none"],
            "properties.gift": pd.Series([0, False, "undefined"], dtype=object),
            "alias.cookie": "c1",
        }
    )
    s = ck.stitch(frame)
    assert s.events["properties.coupon"].tolist()[:2] == ["null", "SPRING"]
    assert s.events["profile.plan"].tolist() == ["gold", "none", "none"]
    said = "coupon or gift or plan is a placeholder: kept as sent, unless nothing= names it"
    assert s.report.remarks == {said: 3}
    finding = ck.check_up(frame).findings.set_index("check").loc["placeholder-property"]
    assert finding["events"] == 3
    assert "nothing=['coupon', 'gift', 'plan']" in finding["fix"]

    named = ck.stitch(frame, nothing=["coupon", "pl*"])
    assert named.events["properties.coupon"].isna().tolist() == [True, False, True]
    assert named.events["profile.plan"].tolist() == ["gold"] * 3
    assert named.events["properties.gift"].tolist() == [0, False, "undefined"]
    assert named.report.remarks == {
        "properties.coupon is a placeholder: treated as missing": 1,
        "profile_properties.plan is a placeholder: treated as missing": 2,
        "gift is a placeholder: kept as sent, unless nothing= names it": 1,
    }
    checked = ck.check_up(frame, nothing="*").findings["check"].tolist()
    assert "placeholder-property" not in checked
    with pytest.raises(ck.UnknownNameError, match="nothing names 'cupon'"):
        ck.stitch(frame, nothing=["cupon"])


def test_a_store_records_what_is_nothing(tmp_path):
    pytest.importorskip("duckdb")
    frame = orders(["e1", "undefined", "undefined"]).assign(
        **{"profile_properties.plan": ["gold", "none", "none"], "alias.cookie": "c1"}
    )
    store = ck.open_store(tmp_path / "store", nothing=["plan"])
    for place in range(len(frame)):
        store.add(frame.iloc[[place]])
    store = ck.open_store(tmp_path / "store")
    assert store.stitched().report.to_dict() == ck.stitch(frame, nothing=["plan"]).report.to_dict()
    assert store.profiles["profile.plan"].tolist() == ["gold"]
    assert store.status().events == 3


def test_an_engine_leaves_out_the_same():
    duckdb, ibis = pytest.importorskip("duckdb"), pytest.importorskip("ibis")
    texts = [*NOT_A_VALUE, *TEMPLATES, *NOT_SOMEBODY, *SOMETHING]
    frame = pd.DataFrame(
        {
            "event_name": "PageView",
            "event_id": [*texts, *texts],
            "timestamp": pd.date_range("2026-03-02", periods=2 * len(texts), freq="h", tz="UTC"),
            "alias.cookie": [f"c{place}" for place in range(2 * len(texts))],
            "alias.user_id": [*texts, *texts],
            "profile_properties.utm_source": [*texts, *texts],
            "properties.coupon": [*texts, *texts],
        }
    ).astype({"event_id": "str"})
    raw = duckdb.connect()
    # As an Arrow table: DuckDB's older versions do not know pandas' texts.
    numbered = pa.Table.from_pandas(frame.assign(row=range(len(frame))), preserve_index=False)
    raw.register("numbered", numbered)
    raw.execute("CREATE TABLE events AS SELECT * FROM numbered")
    table = ibis.duckdb.from_connection(raw).table("events")
    for options in ({}, {"nothing": ["coupon"]}):
        ours, theirs = ck.stitch(frame, **options), ck.stitch(table, **options)
        assert theirs.report.to_dict() == ours.report.to_dict()
        for name in ("profile.utm_source", "properties.coupon"):
            carried = theirs.events.to_pandas()[name]
            assert carried.fillna("").tolist() == ours.events[name].fillna("").tolist()
