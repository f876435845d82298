"""``1.234`` is a thousand here and little more than one there: it is asked, and never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import convergekit as ck
from convergekit.errors import ConvergekitError
from tests.parts.parts_cases import by_parts

COLUMNS = {
    "event_name": ck.constant("Placed Order"),
    "timestamp": "created",
    "alias.email": "mail",
    "properties.total": "total",
    "properties.currency": "currency",
}
REMARK = (
    "properties.total may be in thousands or have three decimals, as 1.234 may: left as text, "
    "give amounts='de' or 'en'"
)
UNSURE = [["1.234", "2.500"], ["1,234", "2,500"], ["1.234", "2.500", "17"], ["-1.234", "10.500"]]


def _written(folder: Path, totals, currency="EUR", kind="csv") -> Path:
    rows = [
        {"created": f"2026-03-{20 + n}", "mail": f"a{n}@example.com", "total": total}
        for n, total in enumerate(totals)
    ]
    path = folder / f"orders.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row | {"currency": currency}) + "\n" for row in rows))
        return path
    lines = [";".join([*row.values(), currency]) for row in rows]
    path.write_text("\n".join(["created;mail;total;currency", *lines]) + "\n")
    return path


def _sum(events) -> float:
    return float(ck.stitch(events).counts("Placed Order", freq="M", value="total")["sum"].sum())


@pytest.mark.parametrize("totals", UNSURE)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_may_be_a_thousand_is_said_and_not_added_up(tmp_path, totals, kind):
    path = _written(tmp_path, totals, kind=kind)
    events = ck.read_events(path, columns=COLUMNS)
    assert events["properties.total"].tolist() == totals
    with pytest.raises(
        ConvergekitError, match=r"2 amounts such as .* amounts='de'\) or amounts='en'"
    ):
        _sum(events)
    findings = ck.check_up(events).findings.set_index("check")
    assert findings.loc["thousands-or-decimals", "events"] == 2
    if kind == "csv":
        assert ck.stitch(events).report.remarks[REMARK] == 2


@pytest.mark.parametrize(("amounts", "total"), [("de", 3734.0), ("en", 3.734)])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_it_is_read_as_it_is_said(tmp_path, amounts, total, kind):
    events = ck.read_events(
        _written(tmp_path, UNSURE[0], kind=kind), columns=COLUMNS, amounts=amounts
    )
    assert _sum(events) == pytest.approx(total)
    assert REMARK not in ck.stitch(events).report.remarks


@pytest.mark.parametrize(
    ("totals", "currency"),
    [
        (["1.234", "2.500"], "KWD"),
        (["1.234", "2.50"], "EUR"),
        (["0.250", "1.500"], "EUR"),
        (["1.234", "17"], "EUR"),
        (["1234.567", "1.500"], "EUR"),
    ],
)
def test_what_is_sure_is_a_number(tmp_path, totals, currency):
    events = ck.read_events(_written(tmp_path, totals, currency), columns=COLUMNS)
    assert events["properties.total"].tolist() == [float(total) for total in totals]
    assert REMARK not in ck.stitch(events).report.remarks
    assert "thousands-or-decimals" not in set(ck.check_up(events).findings["check"])


def test_what_is_no_money_is_a_number(tmp_path):
    path = _written(tmp_path, ["1.234", "2.500"])
    named = {("properties.weight" if n == "properties.total" else n): c for n, c in COLUMNS.items()}
    assert ck.read_events(path, columns=named)["properties.weight"].tolist() == [1.234, 2.5]


def test_it_is_the_same_by_parts(tmp_path):
    events = ck.read_events(_written(tmp_path, ["1.234", "2.500", "9"]), columns=COLUMNS)
    with by_parts([events], 2) as parts:
        assert parts.report.remarks[REMARK] == 2
        with pytest.raises(ConvergekitError, match=r"amounts='de'\) or amounts='en'"):
            parts.counts("Placed Order", freq="M", value="total")


def test_a_text_that_is_no_amount_is_named(tmp_path):
    events = ck.read_events(
        _written(tmp_path, ["1.030,00 €", "12,50 €", "free"]), columns=COLUMNS, amounts="de"
    )
    with pytest.raises(ConvergekitError, match=r"1 of its texts is not an amount: 'free' in row 2"):
        _sum(events)
    cells = events["properties.total"].replace({"free": None})
    events["properties.total"] = ck.money(cells, amounts="de")["amount"]
    assert _sum(events) == 1042.5
