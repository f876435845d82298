"""Questions in a file, and answers as files: names are looked up, and nothing is evaluated."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import convergekit as ck
from convergekit.parts.spark.questions import questions_in, write_answer

pytest.importorskip("yaml")
QUESTIONS = """
orders:
  ask: counts
  event: Placed Order
  freq: W
large:
  ask: funnel
  steps: [PageView, {step: Placed Order, where: total_price > 30, label: Large}]
  within: 7D
about: {ask: report}
"""


def test_questions_are_asked_and_answers_written(tmp_path):
    (tmp_path / "questions.yaml").write_text(QUESTIONS)
    s = ck.stitch(ck.simulate_store().events, workdir=tmp_path / "run")
    asked = questions_in(tmp_path / "questions.yaml")
    assert [one.name for one in asked] == ["orders", "large", "about"]
    for one in asked:
        write_answer(tmp_path / "out", one.name, one.answer(s))
    step = ck.Step("Placed Order", where="total_price > 30", label="Large")
    funnel = s.funnel(["PageView", step], within="7D")
    assert pd.read_parquet(tmp_path / "out" / "large.parquet")["profiles"].tolist() == (
        funnel.table["profiles"].tolist()
    )
    said = json.loads((tmp_path / "out" / "large.json").read_text())
    assert (said["answer"][0], said["tables"]) == (repr(funnel), ["large.parquet"])
    counts = pd.DataFrame(s.counts("Placed Order", freq="W"))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "orders.parquet"), counts)
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about["answer"]["events"] == len(s.events)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {ask: nothing_such}", "nothing_such"),
        ("a: {ask: _run}", "_run"),
        ("a: {ask: funnel, staps: [a]}", "staps"),
        ("a: {steps: [a]}", "ask"),
        ("../a: {ask: sessions}", "name"),
        ("a: !!python/object/apply:os.getcwd []", "YAML"),
        ("[1, 2]", "question"),
    ],
)
def test_bad_questions_are_told_before_anything_is_stitched(tmp_path, text, message):
    (tmp_path / "questions.yaml").write_text(text)
    with pytest.raises(ck.ConvergekitError, match=message):
        questions_in(tmp_path / "questions.yaml")
