"""What a file, a source or an event name lost: first in the report, with what reads it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import convergekit as ck

HEADER = "event_name,timestamp,alias.email,event_id\n"


def orders(write, size=20, name="Placed Order"):
    return pd.DataFrame(
        {
            "event_name": name,
            "timestamp": [write(pd.Timestamp(2026, 11, day, 22, 42)) for day in range(1, size + 1)],
            "alias.email": [f"buyer{day}@example.com" for day in range(1, size + 1)],
            "event_id": [f"{name}-{day}" for day in range(1, size + 1)],
        }
    )


def views(size=20):
    return orders(lambda time: time.isoformat(), size, "View")


def mended(warning, events, paths=None):
    """Run the call that a warning names."""
    option = re.search(r"ck\.read_events\(\.\.\., day_first=(True|False)\)", warning)
    if option:
        return ck.read_events(paths, day_first=option[1] == "True")
    code = warning.partition("read it with pandas: ")[2].rpartition(".astype(str)")[0]
    names = {"events": events, "pd": pd}
    for line in f"{code}.astype(str)".split("; "):
        exec(line, names)
    return events


@pytest.mark.parametrize(
    ("write", "shape"),
    [
        (lambda time: time.strftime("%d.%m.%Y %H:%M"), "99.99.9999 99:99"),
        (lambda time: time.strftime("%d/%m/%Y %H:%M"), "99/99/9999 99:99"),
        (lambda time: time.strftime("%m/%d/%Y %H:%M"), "99/99/9999 99:99"),
        (lambda time: time.strftime("%d-%m-%Y %H:%M:%S"), "99-99-9999 99:99:99"),
        (
            lambda time: f"{(time - pd.Timestamp('1899-12-30')) / pd.Timedelta('1D'):.6f}".replace(
                ".", ","
            ),
            "99999,999999",
        ),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_dates_that_are_not_read_lead_the_report_with_the_call_that_reads_them(
    tmp_path, write, shape, whole
):
    orders(write).to_csv(tmp_path / "orders.csv", index=False)
    if not whole:
        views().to_csv(tmp_path / "views.csv", index=False)
    events = ck.read_events(tmp_path / "*.csv")
    events["timestamp"] = events["timestamp"].astype("str")
    s = ck.stitch(events)
    first = s.report.warnings[0]
    title = "the input" if whole else "'orders.csv'"
    assert first.startswith(f"all 20 rows of {title} are rejected (event 'Placed Order')")
    assert f"timestamp cannot be parsed, it looks like {shape!r}" in first
    assert "2026" not in first
    lines = str(s.report).split("\n")
    assert lines[2] == f"warning: {first}"
    assert lines[-1].split() == ["Placed", "Order", "0", "all", "rejected"]
    card = s.report._repr_html_()
    assert card.index("all 20 rows") < card.index("rows in")
    assert '<th scope="row">Placed Order</th><td>0</td>' in card
    assert s.report.coverage["events"].tolist() == ([0] if whole else [20, 0])
    s.report.plot()
    assert ("day_first" in first) == ("," not in shape)
    frame = orders(write)
    of_frame = ck.stitch(frame).report.warnings[0]
    assert "read it with pandas" in of_frame
    for again in (mended(first, events, tmp_path / "*.csv"), mended(of_frame, frame.copy())):
        s = ck.stitch(again)
        assert len(s.rejected) == 0
        days = s.events.loc[s.events["event_name"] == "Placed Order", "timestamp"]
        assert days.dt.round("min").tolist() == [
            pd.Timestamp(2026, 11, day, 22, 42, tz="UTC") for day in range(1, 21)
        ]


def test_the_report_of_a_store_and_a_saved_one_lead_with_it(tmp_path):
    frame = pd.concat([orders(lambda time: time.strftime("%d.%m.%Y")), views()], ignore_index=True)
    s = ck.stitch(frame)
    assert s.report.warnings[0].startswith("all 20 rows of event 'Placed Order' are rejected")
    s.to_parquet(tmp_path / "saved")
    saved = ck.read_stitched(tmp_path / "saved").report
    assert (str(saved), saved._repr_html_()) == (str(s.report), s.report._repr_html_())
    store = ck.open_store(tmp_path / "store")
    store.add(frame)
    assert str(store.stitched().report) == str(s.report)


def test_most_rows_are_a_warning_and_half_of_them_are_not():
    for bad, said in ((11, True), (10, False)):
        frame = views()
        frame.loc[: bad - 1, "timestamp"] = "soon"
        warnings = ck.stitch(frame).report.warnings
        assert bool(warnings) is said
        if said:
            assert warnings[0].startswith("11 of 20 rows of event 'View' are rejected")
            assert "it looks like 'aaaa'" in warnings[0]


def test_copies_are_not_lost(tmp_path):
    views().to_csv(tmp_path / "a.csv", index=False)
    again = views()
    again.loc[0, "timestamp"] = "soon"
    again.to_csv(tmp_path / "b.csv", index=False)
    s = ck.stitch(ck.read_events(tmp_path / "*.csv"))
    assert (len(s.duplicates), len(s.rejected)) == (19, 1)
    assert not [text for text in s.report.warnings if "rejected" in text]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timestamp": None}, "columns={'timestamp': ...}"),
        ({"timestamp": [[2026, 11, 2]] * 20}, "it is a list"),
        ({"event_name": None, "alias.email": None}, "columns={'event_name': ...}"),
    ],
)
def test_every_reason_names_what_to_do(change, said):
    frame = pd.concat([views(), orders(str).assign(source="till", **change)], ignore_index=True)
    assert "all 20 rows of source 'till' are rejected" in ck.stitch(frame).report.warnings[0]
    assert said in ck.stitch(frame).report.warnings[0]


def test_unreadable_rows_of_a_file_are_named(tmp_path):
    views().to_csv(tmp_path / "views.csv", index=False)
    (tmp_path / "broken.jsonl").write_text('{"event_name": "A"\n' * 3 + "{}\n", encoding="utf-8")
    with pytest.raises(ck.ConvergekitError):
        ck.read_events(tmp_path / "broken.jsonl", strict=True)
    good = '{"event_name": "A", "timestamp": "2026-03-02T10:00Z", "alias.cookie": "c"}\n'
    (tmp_path / "broken.jsonl").write_text(f'{good}{{"event_name": "A"\n{{"event_name"\n', "utf-8")
    warnings = ck.stitch(ck.read_events(tmp_path / "*")).report.warnings
    assert warnings[0].startswith("2 of 3 rows of 'broken.jsonl' are rejected")


def test_malformed_aliases_of_an_event_name_are_named():
    frame = pd.concat([views(), orders(lambda time: time.isoformat())], ignore_index=True)
    frame["aliases"] = [None] * 20 + [["mailto:ada@example.com"]] * 20
    frame.loc[20:, "alias.email"] = None
    s = ck.stitch(frame)
    assert s.report.warnings[0].startswith(
        "20 of 20 rows of event 'Placed Order' reach no profile, because their aliases are "
        "malformed: not a URN"
    )
    assert "ada" not in s.report.warnings[0]


def test_names_of_rejected_rows_are_escaped_and_bounded():
    names = [f"<b>{number}</b>" for number in range(60)]
    frame = pd.concat([views(), orders(str, 1).loc[[0] * 60].assign(event_name=names)])
    frame.loc[frame["event_name"].str.startswith("<"), "timestamp"] = "soon"
    report = ck.stitch(frame).report
    assert (report.coverage["events"] == 0).sum() == 20
    assert sum("are rejected" in text or "is rejected" in text for text in report.warnings) == 10
    assert "<b>" not in report._repr_html_().replace("<b>warning</b>", "").replace(
        "<b>rejected</b>", ""
    )
