"""The plug-in as convergekit finds it: install it first, `pip install -e .`."""

import pandas as pd

import convergekit as ck

SALES = pd.DataFrame(
    {
        "till_no": [1, 1, 2],
        "sale_no": ["s1", "s2", "s3"],
        "sold_at": ["2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z", "2026-03-03T09:00:00Z"],
        "receipt_no": ["A-1", None, "B-1"],
        "buyer_mail": ["ada@example.com", None, None],
        "card": ["0123-456-789", "0123456789", "7"],
        "heard_of_us": ["coffee talk", None, None],
        "total": [12.5, 3.0, 7.0],
    }
)
CARDS = {"loyalty_card": ck.alias_rule("till-card")}


def test_all_of_it_can_be_used():
    mine = ck.plug_ins().query("package == 'convergekit-till'")
    assert set(mine["kind"]) == {"exports", "checks", "channel_rules", "alias_rules"}
    assert mine["problem"].isna().all()


def test_the_export_is_read():
    events = ck.read_events(SALES)
    assert events["event_name"].tolist() == ["Placed Order"] * 3
    remarks = ck.stitch(events).report.remarks
    assert remarks["read as 'till' by the plug-in convergekit-till 0.1.0"] == 3


def test_cards_are_one_alias_however_they_are_written():
    s = ck.stitch(ck.read_events(SALES), rules=CARDS)
    assert s.aliases["alias_value"].tolist().count("0123456789") == 1
    assert len(s.profiles) == 1
    assert s.report.malformed == {"the rule for loyalty_card makes no alias of it": 1}


def test_a_sale_without_a_receipt_is_found():
    found = ck.check_up(ck.read_events(SALES))
    mine = found.findings.query("check == 'till-without-receipt'")
    assert mine[["severity", "events", "money"]].values.tolist() == [["medium", 1, 3.0]]


def test_a_podcast_is_a_channel():
    s = ck.stitch(ck.read_events(SALES), rules=CARDS, browser_alias="loyalty_card")
    rules = [*ck.channel_rules("till"), *ck.CHANNEL_RULES]
    assert s.sessions(rules=rules)["channel"].iloc[0] == "Podcast"
