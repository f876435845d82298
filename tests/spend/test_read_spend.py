"""Reading spend: each platform's shape, totals, bad rows, and nothing lost."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convergekit as ck
from convergekit.spend.platforms import COLUMNS, PLATFORMS
from tests.effort import tries
from tests.spend import reports


@pytest.fixture
def read(tmp_path):
    """Return a function that reads texts as files, the first named a.csv, the second b.csv."""

    def of(*texts, suffix=".csv", encoding="utf-8", **options):
        paths = [tmp_path / f"{'abc'[place]}{suffix}" for place in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode(encoding))
        return ck.read_spend(paths, **options)

    return of


def values(spend, *names):
    return (
        spend.table[list(names)]
        .astype(object)
        .where(spend.table[list(names)].notna(), None)
        .values.tolist()
    )


def test_google_ads(read):
    spend = read(reports.GOOGLE)
    assert list(spend.table.columns) == list(COLUMNS)
    assert spend.table["date"].dtype == "datetime64[us]"
    assert spend.table["date"].dt.strftime("%m-%d").tolist() == ["09-01", "09-02", "09-01", "09-03"]
    assert values(spend, "platform", "campaign", "campaign_id", "spend", "currency") == [
        ["google_ads", "Spring & Co", "12345678901", 12.34, "CAD"],
        ["google_ads", "Spring & Co", "12345678901", 1020.5, "CAD"],
        ["google_ads", "Brand", "22222222222", 3.1, "CAD"],
        ["google_ads", "Brand", "22222222222", 0.0, "CAD"],
    ]
    assert values(spend, "impressions", "clicks", "conversions", "value", "file", "line") == [
        [1234, 7, 1, 99.9, "a.csv", 4],
        [10500, 88, 2.5, 1200, "a.csv", 5],
        [40, 2, 0, 0, "a.csv", 6],
        [0, 0, None, None, "a.csv", 7],
    ]
    assert spend.rejected["reason"].unique().tolist() == ["a total, not a row"]
    assert spend.rejected["line"].tolist() == [8, 9]
    assert spend.rejected["row"].str.startswith("Total: ").all()
    assert spend.remarks.empty
    left = spend.columns.loc[spend.columns["column"].isna(), "heading"]
    assert left.tolist() == ["CTR"]


def test_google_ads_as_excel_csv_is_utf_16_with_tabs(read):
    import csv
    import io

    lines = ["\t".join(row) for row in csv.reader(io.StringIO(reports.GOOGLE))]
    wide = read("\n".join(lines), encoding="utf-16")
    pd.testing.assert_frame_equal(wide.table, read(reports.GOOGLE).table)


@pytest.mark.parametrize(
    ("text", "platform", "spend", "impressions"),
    [
        (reports.GOOGLE_GERMAN, "google_ads", [1234.56, 99.9], [12345, 900]),
        (reports.GOOGLE_FRENCH, "google_ads", [12.34, 1020.5], [1234, 10500]),
        (reports.GOOGLE_SPANISH, "google_ads", [48.2, 51.05], [1240, 1310]),
        (reports.META_GERMAN, "meta", [12.5], [1204]),
        (reports.META_DUTCH, "meta", [12.5, 20.1], [1200, 3400]),
    ],
)
def test_other_languages_and_their_numbers(read, text, platform, spend, impressions):
    found = read(text)
    assert found.table["platform"].unique().tolist() == [platform]
    assert found.table["spend"].tolist() == spend
    assert found.table["impressions"].tolist() == impressions
    assert found.table["campaign"].notna().all()
    assert found.remarks.empty


def test_meta_by_day_whose_summary_has_no_names(read):
    spend = read(reports.META)
    assert values(spend, "platform", "campaign_id", "ad_id", "ad_group", "spend", "currency") == [
        ["meta", "120211234567890123", "120219876543210987", "Broad", 12.5, "USD"],
        ["meta", "120211234567890123", "120219876543210987", "Broad", 1010.0, "USD"],
    ]
    # Link clicks are clicks to the shop; results may be anything.
    assert values(spend, "clicks", "conversions", "value") == [[51, 2, 118], [40, 1, 59]]
    assert spend.rejected["reason"].tolist() == ["a total, not a row"]
    assert {"Results", "Clicks (all)"} <= set(
        spend.columns.loc[spend.columns["column"].isna(), "heading"]
    )


def test_meta_whose_reports_are_of_one_day(read):
    spend = read(reports.META_FRENCH)
    assert spend.table["date"].dt.day.tolist() == [1, 2]
    assert spend.table["conversions"].tolist() == [12, 0]


def test_a_row_of_several_days_is_not_a_row_of_one(read):
    with pytest.raises(ck.ReadError) as error:
        read(reports.META_BY_PERIOD)
    assert str(error.value).endswith(
        "a.csv: no row can be used; line 2: covers several days: 2026-09-01 to 2026-09-30. Spend "
        "is by day: choose the breakdown By time > Day before you export."
    )
    some = reports.META_BY_PERIOD + "2026-10-01,2026-10-01,Winter,4,30\n"
    spend = read(some)
    assert spend.table["spend"].tolist() == [4]
    assert spend.rejected["reason"].tolist() == [
        "covers several days: 2026-09-01 to 2026-09-30",
        "a total, not a row",
    ]
    assert spend.remarks["kind"].tolist() == ["total"]


def test_tiktok(read):
    spend = read(reports.TIKTOK)
    assert values(spend, "platform", "campaign_id", "spend", "clicks", "conversions", "value") == [
        ["tiktok", "1801234567890123", 8.0, 70, 1, 59],
        ["tiktok", "1801234567890123", 9.25, 71, None, None],
    ]
    assert spend.table["date"].dt.day.tolist() == [20, 21]
    assert spend.rejected["line"].tolist() == [4]


def test_microsoft_with_its_lines_above_and_below(read):
    spend = read(reports.MICROSOFT)
    assert values(spend, "platform", "account", "campaign", "campaign_id", "spend", "value") == [
        ["microsoft", "Roastery", "Search - Brand", "431", 20.0, 300],
        ["microsoft", "Roastery", "Search - Brand", "431", 10.5, 29],
    ]
    # 9/20 says that the month comes first, so 9/1 is in September too.
    assert spend.table["date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-09-01", "2026-09-20"]
    zone = "(GMT-08:00) Pacific Time (US & Canada); Tijuana"
    assert spend.table["time_zone"].unique().tolist() == [zone]
    assert spend.rejected["reason"].tolist() == ["a note of the report, not a row"]


def test_pinterest(read):
    spend = read(reports.PINTEREST, currency="EUR")
    assert values(spend, "platform", "spend", "currency", "clicks", "conversions", "value") == [
        ["pinterest", 10.0, "EUR", 60, 1, 8.99],
        ["pinterest", 12.0, "EUR", 75, 2, 17.98],
    ]
    # Pinterest shows its days in UTC.
    assert spend.table["time_zone"].unique().tolist() == ["UTC"]


def test_a_plain_table(read):
    spend = read(reports.PLAIN)
    assert values(spend, "platform", "channel", "source", "spend", "impressions") == [
        [None, "Radio", "radio", 100.0, None],
        [None, "Paid Search", "google", 12.5, 1000],
    ]
    assert not len(spend.rejected)


def test_platforms_of_a_plain_table_have_one_spelling():
    frame = pd.DataFrame(
        {"date": "2026-03-02", "spend": 1.0, "platform": ["Google Ads", "facebook", "Radio 1"]}
    )
    assert ck.read_spend(frame).table["platform"].tolist() == ["google_ads", "meta", "Radio 1"]


def test_a_table_of_costs_of_several_platforms_is_not_one_platforms(read):
    text = "platform,day,campaign,cost\nGoogle Ads,2026-03-02,brand,3\nLinkedIn,2026-03-02,b2b,4\n"
    with pytest.raises(ck.ReadError, match="no platform's export has these columns"):
        read(text)
    spend = read(text, columns={"date": "day", "spend": "cost"})
    assert spend.table["platform"].tolist() == ["google_ads", "LinkedIn"]


def test_an_unknown_file_names_the_nearest_platform_and_a_mapping_to_copy(read, tmp_path):
    with pytest.raises(ck.ReadError) as error:
        read("Datum;Kanal;Kosten\n2026-03-02;Radio;3,50\n")
    path = str(tmp_path / "a.csv")
    assert str(error.value) == (
        f"{path}: no platform's export has these columns: Datum, Kanal, Kosten. The nearest is "
        "Google Ads; add the segment Time > Day to the table, or the column Day to the report, "
        f"for spend is by day. Say what they mean: ck.read_spend({path!r}, "
        "columns={'date': '...', 'spend': 'Kosten'})."
    )
    columns = {"date": "Datum", "spend": "Kosten", "channel": "Kanal",
               "platform": ck.constant("radio")}  # fmt: skip
    spend = read("Datum;Kanal;Kosten\n2026-03-02;Radio;3,50\n", columns=columns)
    assert values(spend, "platform", "channel", "spend") == [["radio", "Radio", 3.5]]


def test_columns_for_each_pattern_of_files(read):
    own = {"a*": {"date": "d", "spend": "s", "platform": ck.constant("radio")}}
    spend = read("d,s\n2026-03-02,4\n", reports.PLAIN, columns=own)
    assert spend.table["platform"].fillna("").tolist() == ["radio", "", ""]
    with pytest.raises(ck.ConvergekitError, match=r"columns=\{'tv\*': \.\.\.\}: no file has such"):
        read(reports.PLAIN, columns={"tv*": {"date": "d"}})


def test_a_report_that_is_not_by_day_says_what_to_click(read):
    with pytest.raises(ck.ColumnError, match=r"Spend is by day: add the segment Time > Day"):
        read("Campaign,Impr.,Cost,Currency code\nBrand,3,4.00,EUR\n")


def test_numbers_that_may_be_thousands_are_not_guessed(read):
    ambiguous = "Day,Campaign,Cost,Impr.\n2026-09-01,a,1.234,7\n"
    with pytest.raises(ck.ReadError, match=r"'1\.234' may be a thousand or have decimals"):
        read(ambiguous)
    assert read(ambiguous, amounts="en").table["spend"].tolist() == [1.234]
    assert read(ambiguous, amounts="de").table["spend"].tolist() == [1234.0]
    both = 'Day,Campaign,Cost,Impr.\n2026-09-01,a,"1,50",7\n2026-09-01,b,1.50,7\n'
    with pytest.raises(ck.ReadError, match=r"'1\.50' has a decimal point and '1,50' a decimal"):
        read(both)
    one = read(both, amounts="en")
    assert one.table["spend"].tolist() == [1.5]
    assert one.rejected["reason"].tolist() == ["spend '1,50' is not a number"]


def test_dates_that_may_be_of_two_months_are_not_guessed(read):
    text = "date,spend\n03/04/2026,1\n04/03/2026,2\n"
    with pytest.raises(ck.ReadError, match=r"'03/04/2026' may begin with the day or with the mon"):
        read(text)
    assert read(text, day_first=True).table["date"].dt.month.tolist() == [4, 3]
    assert read(text, day_first=False).table["date"].dt.month.tolist() == [3, 4]
    assert read(text + "13/04/2026,3\n").table["date"].dt.month.tolist() == [4, 3, 4]
    with pytest.raises(ck.ReadError, match="begins with the day and '04/13/2026' with the month"):
        read(text + "13/04/2026,3\n04/13/2026,3\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a,1,EUR,2", "without a date"),
        ("soon,a,1,EUR,2", "the date 'soon' cannot be read"),
        ("2026-02-30,a,1,EUR,2", "the date '2026-02-30' cannot be read"),
        ("2026-03-02 - 2026-03-08,a,1,EUR,2", "covers several days: 2026-03-02 - 2026-03-08"),
        ("2026-03-02,a,--,EUR,2", "without spend"),
        ("2026-03-02,a,free,EUR,2", "spend 'free' is not a number"),
        ("2026-03-02,a,1,XXQ,2", "the currency 'XXQ' is not known"),
        ("2026-03-02,a,$1 USD,EUR,2", "spend in USD and a currency EUR"),
        ("2026-03-02,a,1,EUR,50%", "clicks '50%' is not a number"),
        ("2026-03-02,a,1,EUR", "expected 5 fields, found 4"),
        ("2026-03-02,a,1,EUR,2,3", "expected 5 fields, found 6"),
        ("date,campaign,spend,currency,clicks", "the header again, not a row"),
        ("Grand total,,1,EUR,2", "a total, not a row"),
        (",,1,EUR,2", "a total, not a row"),
    ],
)
def test_a_row_that_cannot_be_used_is_listed_with_its_reason(read, row, reason):
    good = "2026-03-02,Total look,1.5,EUR,2"
    spend = read(f"date,campaign,spend,currency,clicks\n{good}\n{row}\n\n")
    assert spend.table["spend"].tolist() == [1.5]
    assert values(spend, "campaign") == [["Total look"]]
    assert spend.rejected[["file", "line", "reason", "row"]].values.tolist() == [
        ["a.csv", 3, reason, row]
    ]


def test_totals_are_held_against_the_rows(read):
    spend = read(reports.GOOGLE.replace('"1,035.94"', '"1,100.00"'))
    assert spend.remarks["kind"].tolist() == ["total"]
    assert spend.remarks["remark"].tolist() == [
        "The total in line 8 of a.csv is 1,100.00 CAD, and the rows that are read add up to "
        "1,035.94 CAD."
    ]
    assert spend.remarks["spend"].tolist() == [pytest.approx(64.06)]


def test_credits_are_read_and_remarked(read):
    spend = read("date,spend,currency\n2026-03-02,-5.00,EUR\n2026-03-03,7,EUR\n")
    assert spend.table["spend"].tolist() == [-5, 7]
    assert values_of(spend.remarks) == [
        ("credit", "a.csv", 1, -5.0, "1 row of a.csv with spend below zero: -5.00 EUR.")
    ]


def values_of(remarks):
    return list(remarks.itertuples(index=False, name=None))


def test_rows_that_two_files_have_are_counted_once(read):
    later = reports.GOOGLE.replace("3.10", "3.60").replace("1,035.94", "1,036.44")
    spend = read(reports.GOOGLE, later)
    assert spend.table["file"].tolist() == ["a.csv"] * 4 + ["b.csv"]
    again = spend.rejected[spend.rejected["reason"].str.startswith("the same row")]
    assert again[["file", "line", "reason"]].values.tolist() == [
        ["b.csv", line, f"the same row is in a.csv, line {line}"] for line in (4, 5, 7)
    ]
    assert again["row"].iloc[1] == (
        '2026-09-02,Spring & Co,12345678901,CAD,"1,020.50","10,500",88,0.84%,2.50,"1,200.00"'
    )
    assert [one[:4] for one in values_of(spend.remarks)] == [
        ("repeat", "b.csv", 3, pytest.approx(1032.84)),
        ("overlap", "b.csv", 1, pytest.approx(3.6)),
    ]


def test_campaigns_beside_their_ads_are_remarked_with_the_money_of_each_currency(read):
    head = "date,platform,campaign,ad,spend,currency\n"
    campaigns = head + "2026-03-02,meta,a,,3,EUR\n2026-03-02,meta,b,,4,EUR\n"
    ads = head + "2026-03-02,meta,a,x,1,EUR\n2026-03-02,meta,a,y,2,USD\n2026-03-03,meta,a,y,9,EUR\n"
    spend = read(campaigns, ads)
    assert len(spend.table) == 5
    assert spend.remarks["remark"].tolist() == [
        "b.csv has 2 rows of days and campaigns that a.csv has too: 1.00 EUR + 2.00 USD "
        "may be counted twice."
    ]
    assert spend.remarks["rows"].tolist() == [2]
    assert spend.remarks["spend"].isna().all()


def test_two_like_rows_of_one_file_are_two_rows(read):
    device = "date,campaign,spend\n2026-03-02,a,1\n2026-03-02,a,1\n"
    assert len(read(device).table) == 2
    both = read(device, device + "2026-03-02,a,1\n")
    assert len(both.table) == 3
    assert both.table["file"].tolist() == ["a.csv", "a.csv", "b.csv"]


def test_tables_of_a_day_and_an_amount_are_never_repeats(read):
    one = "date,spend\n2026-03-02,10\n"
    spend = read(one, one)
    assert spend.table["spend"].tolist() == [10, 10]
    assert spend.rejected.empty
    assert spend.remarks["remark"].tolist() == [
        "b.csv has 1 row of days and campaigns that a.csv has too: 10.00 may be counted twice."
    ]
    assert read(one, "date,spend\n2026-03-02,11\n").remarks.empty


def test_what_a_platform_cost_by_day_is_remarked_beside_itself_and_its_parts(read):
    head = "date,platform,account,campaign,spend,currency\n"
    whole = head + "2026-03-02,meta,,,30,EUR\n2026-03-03,meta,,,20,EUR\n"
    younger = head + "2026-03-03,meta,,,21,EUR\n2026-03-04,meta,,,5,EUR\n"
    parts = head + "2026-03-02,meta,,a,10,EUR\n2026-03-02,meta,,b,20,EUR\n"
    others = head + "2026-03-02,tiktok,,a,7,EUR\n2026-03-02,meta,x,,8,EUR\n"
    for files, money in (
        ((whole, younger), [21.0]),
        ((whole, parts), [30.0]),
        ((parts, whole), [30.0]),
        ((whole, others), []),
    ):
        spend = read(*files)
        assert spend.remarks["spend"].tolist() == money
        assert set(spend.remarks["kind"]) <= {"overlap"}
        assert spend.rejected.empty
    # Channels of one platform are parts that do not meet.
    head = "date,platform,channel,spend\n"
    both = read(head + "2026-03-02,meta,Display,3\n", head + "2026-03-02,meta,Paid Social,3\n")
    assert both.remarks.empty


def test_a_frame_of_exports_one_below_the_other_says_which_rows_come_twice(read):
    march = pd.DataFrame(
        {"date": ["2026-03-02", "2026-03-03"], "campaign": "brand", "spend": [3.0, 0.0]}
    )
    spend = ck.read_spend(pd.concat([march, march]))
    assert spend.table["spend"].sum() == 6
    assert spend.remarks[["kind", "rows", "spend"]].values.tolist() == [["overlap", 1, 3.0]]
    assert "1 row is the same in every column as one before: 3.00 may be counted twice." in str(
        spend
    )
    by_device = pd.concat([march.assign(device=one) for one in ("phone", "desktop")])
    assert ck.read_spend(by_device).remarks.empty


def test_several_currencies_by_rates(read):
    text = "date,spend,value,currency\n2026-03-02,10,20,EUR\n2026-03-02,10,20,USD\n"
    spend = read(text)
    assert "10.00 EUR + 10.00 USD" in repr(spend)
    inside = read(text, rates={"EUR": 1, "USD": 0.9})
    assert values(inside, "spend", "value", "currency") == [[10, 20, "EUR"], [9, 18, "EUR"]]
    dollars = spend.in_currency("USD", {"EUR": 1, "USD": 0.5})
    assert dollars["spend"].tolist() == [20, 10]
    assert dollars["currency"].unique().tolist() == ["USD"]
    with pytest.raises(ck.ConvergekitError, match=r"several currencies: EUR \(1\), USD \(1\)"):
        spend.in_currency("EUR")
    lost = read(text + "2026-03-02,5,,GBP\n2026-03-02,5,,\n", rates={"EUR": 1, "USD": 0.9})
    assert lost.rejected["reason"].tolist() == [
        "rates= does not have GBP",
        "without a currency, which rates= needs",
    ]


def test_money_without_a_currency_among_money_with_one(read):
    text = "date,spend,currency\n2026-03-02,10,EUR\n2026-03-02,4,\n"
    spend = read(text)
    assert spend.remarks["kind"].tolist() == ["currency"]
    with pytest.raises(ck.ConvergekitError, match=r"1 row of spend without a currency, the first"):
        spend.in_currency("EUR")
    assert read(text, currency="EUR").in_currency("EUR")["spend"].sum() == 14
    none = read("date,spend\n2026-03-02,10\n")
    assert none.in_currency("EUR")["currency"].tolist() == ["EUR"]


def test_the_zone_of_an_account_is_kept_and_the_day_stays(read):
    zones = {"google_ads": "Europe/Brussels"}
    spend = read(reports.GOOGLE, reports.PLAIN, tz=zones)
    assert spend.table["time_zone"].fillna("").tolist() == ["Europe/Brussels"] * 4 + [""] * 2
    assert read(reports.PLAIN, tz="Asia/Tokyo").table["date"].dt.day.tolist() == [2, 2]
    assert read(reports.PINTEREST, tz="Asia/Tokyo").table["time_zone"][0] == "Asia/Tokyo"


def test_ids_are_text_or_missing_never_floats(read):
    text = 'date,campaign_id,ad_id,spend\n2026-03-02,1.2E+17,007,1\n2026-03-03,"=""18""",9,1\n'
    spend = read(text)
    assert values(spend, "campaign_id", "ad_id") == [[None, "007"], ["18", "9"]]
    assert spend.remarks["kind"].tolist() == ["ids"]
    floats = pd.DataFrame({"date": ["2026-03-02"], "spend": [1.0], "ad_id": [1.2e17]})
    with pytest.raises(ck.ReadError, match=r"'ad_id' holds floats, which keep 15 digits of an ID"):
        ck.read_spend(floats)
    # Saved by pandas with a gap in the column: they are texts of floats.
    saved = read("date,spend,ad_id\n2026-03-02,1,17.0\n2026-03-02,2,\n2026-03-02,3,1.2e+17\n"
                 "2026-03-02,4,120219876543210980.0\n2026-03-02,5,v2.0\n")  # fmt: skip
    assert values(saved, "ad_id") == [["17"], [None], [None], [None], ["v2.0"]]
    assert saved.remarks[["kind", "rows"]].values.tolist() == [["ids", 2]]
    whole = floats.assign(ad_id=[120219876543210987])
    assert ck.read_spend(whole).table["ad_id"].tolist() == ["120219876543210987"]


def test_frames_and_spend_are_taken_as_they_are(read):
    frame = pd.DataFrame({"date": pd.to_datetime(["2026-03-02"]), "spend": [3.5]})
    before = frame.copy()
    spend = ck.read_spend(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert spend.table["spend"].tolist() == [3.5]
    assert ck.read_spend(spend) is spend
    for text in (reports.GOOGLE, reports.MICROSOFT, reports.PLAIN):
        table = read(text).table
        pd.testing.assert_frame_equal(ck.read_spend(table).table, table)


def test_a_sheet_whose_header_is_below_its_title():
    rows = [line.split(";") for line in reports.GOOGLE_FRENCH.splitlines()]
    sheet = pd.DataFrame(rows[3:-1], columns=rows[2])
    sheet["Coût"] = [12.34, 1020.5]
    whole = pd.DataFrame([rows[1] + [None] * 6, rows[2], *sheet.values.tolist(), rows[-1]])
    whole.columns = [rows[0][0], *(f"Unnamed: {place}" for place in range(1, 7))]
    spend = ck.read_spend(whole)
    assert values(spend, "campaign", "spend", "line") == [
        ["Toitures", 12.34, 3],
        ["Toitures", 1020.5, 4],
    ]
    assert spend.rejected["reason"].tolist() == ["a total, not a row"]


def test_archives_folders_and_packed_files(tmp_path, read):
    folder = tmp_path / "spend"
    folder.mkdir()
    with zipfile.ZipFile(folder / "both.zip", "w") as archive:
        archive.writestr("google.csv", reports.GOOGLE)
        archive.writestr("tiktok.csv", reports.TIKTOK)
    (folder / "meta.csv.gz").write_bytes(gzip.compress(reports.META.encode()))
    spend = ck.read_spend(folder)
    assert spend.table["file"].unique().tolist() == [
        "both.zip/google.csv", "both.zip/tiktok.csv", "meta.csv.gz",
    ]  # fmt: skip
    assert len(spend.table) == 8


def test_other_formats_of_a_plain_table(tmp_path, read):
    table = read(reports.PLAIN).table
    table.drop(columns=["file", "line"]).to_parquet(tmp_path / "plain.parquet")
    again = ck.read_spend(tmp_path / "plain.parquet").table
    pd.testing.assert_frame_equal(
        again.drop(columns=["file", "line"]), table.drop(columns=["file", "line"])
    )
    (tmp_path / "plain.jsonl").write_text('{"date": "2026-03-02", "spend": 3.5}\nnot JSON\n')
    lines = ck.read_spend(tmp_path / "plain.jsonl")
    assert lines.table["spend"].tolist() == [3.5]
    assert lines.rejected["line"].tolist() == [2]


def test_a_file_of_windows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(reports.GOOGLE_GERMAN.encode("cp1252"))
    with pytest.raises(ck.ReadError, match="the header is not UTF-8.*give encoding='cp1252'"):
        ck.read_spend(path)
    spend = ck.read_spend(path, encoding="cp1252")
    assert spend.table["campaign"].tolist() == ["Frühling"] * 2


def test_bad_options_say_what_they_take(read):
    said = []
    for options in (
        {"format": "linkedin"},
        {"columns": {"cost": "x"}},
        {"columns": {"spend": 3}},
        {"columns": {"spend": "Kosten"}},
        {"rates": {"EUR": 2}},
        {"currency": "?"},
        {"tz": "Mars"},
        {"tz": 3},
        {"day_first": "yes"},
        {"amounts": "xx"},
    ):
        with pytest.raises(ck.ConvergekitError) as error:
            read(reports.PLAIN, **options)
        said.append(str(error.value))
    assert "format must be one of 'google_ads'" in said[0]
    assert "columns names 'cost', which the table of spend does not have" in said[1]
    assert "must be a heading or ck.constant" in said[2]
    assert "the file does not have this column" in said[3]
    assert "rates must give one currency the rate 1" in said[4]
    assert "currency must be such as 'EUR'" in said[5]
    assert "tz must be a time zone" in said[6]
    assert "tz must be a time zone" in said[7]
    assert "day_first must be True or False" in said[8]
    assert "amounts must be one of" in said[9]


def test_moments_of_a_time_zone_are_remarked_unless_they_are_its_midnights(read):
    def said(dates):
        frame = pd.DataFrame({"date": dates, "spend": 1.0})
        return [one for one in ck.read_spend(frame).remarks["remark"] if "moments" in one]

    # A day of Berlin, in UTC: whose day it is cannot be told.
    late = pd.to_datetime(["2026-03-01 23:00", "2026-03-02 23:00"], utc=True)
    assert "(2026-03-01 23:00:00+00:00)" in said(late)[0]
    assert "(2026-03-01T23:00:00.000Z)" in said(["2026-03-01T23:00:00.000Z"])[0]
    assert said(["2026-03-01 23:00:00 UTC"])
    assert said(["2026-03-01T23:00:00+0000"])
    assert not said(late.tz_convert("Europe/Berlin"))
    for day in ("2026-03-02", "2026-03-02T00:00:00.000Z", "2026-03-02 00:00:00+01:00",
                "2026-03-02 13:00:00", "2026-03-02 00:00:00 UTC"):  # fmt: skip
        assert not said([day])


def test_the_card_names_no_file_as_markup(read):
    hostile = read("date,campaign,spend,currency\n2026-03-02,<b>x</b>,-1,EUR\n")
    assert "<b>" not in hostile._repr_html_()
    assert "below zero" in str(hostile)
    assert repr(hostile) == "Spend(1 row, 2026-03-02 to 2026-03-02: -1.00 EUR)"


def test_every_platform_is_told_by_its_own_headings_only():
    texts = {
        "google_ads": reports.GOOGLE, "meta": reports.META, "tiktok": reports.TIKTOK,
        "microsoft": reports.MICROSOFT, "pinterest": reports.PINTEREST, "plain": reports.PLAIN,
    }  # fmt: skip
    assert list(texts) == list(PLATFORMS)
    for name, platform in PLATFORMS.items():
        assert all(one.isascii() or name in ("google_ads", "meta") for one in platform.meanings)
        assert platform.documentation or name == "plain"


def test_nothing_but_the_header_is_nothing(read):
    spend = read("date,spend\n")
    assert repr(spend) == "Spend(no rows)"
    assert list(spend.table.columns) == list(COLUMNS)
    assert spend.table["spend"].dtype == float
    assert np.isnan(spend.table["spend"].sum(min_count=1))


_CELLS = {
    "date": ["2026-03-02", "2026-03-31", "13/03/2026", "", "--", "soon", "Total: Account"],
    "campaign": ["brand", "Total look", "", "--", "a;b", "Total", '"quoted"'],
    "spend": ["1.50", "1,234.50", "-3.00", "0.00", "", "--", "free", "€2.00", "12,5"],
    "currency": ["EUR", "usd", "", "--", "XXQ"],
    "clicks": ["1", "1,234", "", "7%", "--"],
}


@given(
    st.lists(st.tuples(*(st.sampled_from(cells) for cells in _CELLS.values())), max_size=8),
    st.sampled_from([None, {"EUR": 1, "USD": 0.5}]),
)
@tries(60, deadline=None)
def test_each_row_is_in_the_table_or_rejected(tmp_path_factory, rows, rates):
    frame = pd.DataFrame(rows, columns=list(_CELLS))
    path = tmp_path_factory.mktemp("spend") / "a.csv"
    frame.to_csv(path, index=False)
    spend, said = None, ""
    try:
        spend = ck.read_spend(path, amounts="en", rates=rates)
    except ck.ReadError as error:
        said = str(error)
    if spend is None:
        assert "no row can be used" in said
        return
    blank = (frame == "").all(axis=1)
    lines = [place + 2 for place in frame.index[~blank]]
    assert sorted([*spend.table["line"], *spend.rejected["line"]]) == lines
    assert spend.rejected["reason"].notna().all()
    # What is read is what the cell says, by a rule of one line.
    worth = {"EUR": 1.0, "USD": 0.5 if rates else 1.0}
    for row in spend.table.itertuples():
        said = frame.loc[row.line - 2]
        amount = float(said["spend"].replace(",", "").replace("€", ""))
        code = "EUR" if "€" in said["spend"] else said["currency"].upper().strip("-")
        assert row.spend == pytest.approx(amount * worth.get(code, 1.0))
        assert str(row.date.date()) in (said["date"], "2026-03-13")


def test_the_order_of_the_rows_does_not_matter(read):
    head, *lines = reports.PLAIN.strip().split("\n")
    lines += ["13/03/2026,TV,tv,offline,spring,1.5,EUR,,,,"]
    one = read("\n".join([head, *lines])).table
    other = read("\n".join([head, *reversed(lines)])).table
    names = [name for name in one if name != "line"]
    assert sorted(map(str, one[names].values.tolist())) == sorted(
        map(str, other[names].values.tolist())
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file does not have a header to tell its columns by"),
        ("Campaign report\n", "no platform's export has these columns: Campaign report. Say what"),
        ("date,spend\r2026-03-02,3\r", "the header cannot be read: not CSV: new-line character"),
        ("date,spend,spend\n2026-03-02,1,2\n", "the header names 'spend' twice"),
        ("date,spend\n2026-03-02,x\n", "no row can be used; line 2: spend 'x' is not a number."),
        ("date,cost\n2026-03-02,3\n", "columns={'date': 'date', 'spend': 'cost'})"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(read, text, says):
    with pytest.raises(ck.ReadError) as error:
        read(text)
    assert says in str(error.value)


def test_a_frame_of_other_columns_says_what_to_write():
    with pytest.raises(ck.ReadError, match="the frame does not have columns"):
        ck.read_spend(pd.DataFrame())
    with pytest.raises(ck.ReadError, match=r"ck\.read_spend\(frame, columns=\{'date': 'Tag', 'spe"):
        ck.read_spend(pd.DataFrame({"Tag": ["2026-03-02"], "Summe": [3]}))
