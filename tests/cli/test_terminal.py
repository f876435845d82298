"""What an export says is text: no terminal that shows it is told to do anything."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
import warnings

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convergekit as ck
from convergekit.base.text import INVISIBLE
from convergekit.cli import app as cli
from convergekit.visible import visible, visible_lines

#: Colours, a title of the window, C1's CSI, back to the line's start, a forged line, markup of
#: rich's, direction turned around, what is not seen, and rubbed out.
HOSTILE = (
    "a\x1b[31m\x1b]0;t\x07\x9b2J\rb\nrejected: 0 [red]x[/red][/] \u202egnp\u202c\u2066y\u2069 "
    "\u200b\u200e\ufeff\xad\u2028\x85\x08\x7f\0"
)
ORDER = f"Placed {HOSTILE}"
STEPS = [HOSTILE, ORDER]


def raw(text):
    """Return the characters of a text that a terminal obeys or does not show."""
    unseen = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    return sorted(unseen - {"\n", "\t"})


def frame():
    times = pd.date_range("2026-03-02", periods=4, freq="h", tz="UTC")
    return pd.DataFrame(
        {
            "event_name": [HOSTILE, ORDER, HOSTILE, ORDER],
            "event_id": ["1", "2", "3", "2"],
            "timestamp": [times[0], times[1], HOSTILE, times[3]],
            "source": f"shop {HOSTILE}",
            "alias.cookie": f"cookie {HOSTILE}",
            "alias.email": [None, f"ada {HOSTILE}", None, None],
            f"alias.{HOSTILE}": ["one", "two", None, None],
            f"properties.{HOSTILE}": HOSTILE,
            "properties.total_price": [None, 10.0, None, 12.0],
            f"profile_properties.{HOSTILE}": HOSTILE,
            "profile_properties.utm_source": HOSTILE,
        }
    )


@pytest.fixture(scope="module")
def s():
    return ck.stitch(frame(), limits={"cookie": 1})


def alias(s, place):
    found = s.aliases[s.aliases["alias_type"].isin(["cookie", "email"])].iloc[place]
    return f"urn:{found['alias_type']}:{found['alias_value']}"


SHOWN = {
    "stitched": lambda s: s,
    "report": lambda s: s.report,
    "funnel": lambda s: s.funnel(STEPS, within="7D"),
    "funnel by group": lambda s: s.funnel(STEPS, within="7D", by=f"properties.{HOSTILE}"),
    "explanation": lambda s: s.explain(alias(s, 0), alias(s, 1)),
    "explanation of one": lambda s: s.explain(alias(s, 0), alias(s, 0)),
    "orphans": lambda s: s.orphans(ORDER),
    "hindsight": lambda s: s.hindsight(ORDER, carried="utm_source"),
    "without": lambda s: s.without([alias(s, 0)], event=ORDER),
    "forgotten": lambda s: s.forget(alias(s, 0)),
    "evaluation": lambda s: ck.evaluate(s, pd.Series(HOSTILE, index=s.events["row"])),
    "check-up": lambda s: ck.check_up(frame(), conversion=ORDER, value="total_price"),
    "comparison": lambda s: ck.compare_profiles(s, s.without([alias(s, 0)], event=ORDER).stitched),
    "attribution": lambda s: s.attribution(ORDER, value="total_price"),
    "credit": lambda s: s.attribution(ORDER, by="utm_source").explain(1),
    "attribution lift": lambda s: s.attribution_lift(ORDER, "total_price", by="utm_source"),
    "journeys": lambda s: s.journeys(end=ORDER),
    "differences": lambda s: s.journeys(end=ORDER).differences(min_profiles=1),
    "customers": lambda s: s.customers(ORDER, value="total_price"),
    "step": lambda s: ck.Step(HOSTILE, where={HOSTILE: HOSTILE}),
    "rule": lambda s: ck.ChannelRule(HOSTILE, source=HOSTILE),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHOWN)
def test_what_is_shown_of_a_result_is_text(s, name):
    found = SHOWN[name](s)
    for text in (repr(found), str(found)):
        assert raw(text) == []
        assert "\nrejected: 0 [red]" not in text


def test_a_name_is_shown_all_the_same(s):
    for found in (s.report, s.funnel(STEPS, within="7D")):
        assert r"a\x1b[31m\x1b]0;t\x07\x9b2J\rb\nrejected: 0 [red]x[/red]" in str(found)


FAILING = {
    "property": lambda s: s.funnel(STEPS, within="7D", by=f"{HOSTILE}s"),
    "alias": lambda s: s.explain(f"urn:cookie:{HOSTILE}", alias(s, 0)),
    "profile": lambda s: s.profile(HOSTILE),
    "query": lambda s: s.funnel([ck.Step(ORDER, where=f"`{HOSTILE}s` == 1")], within="7D"),
    "condition": lambda s: s.funnel([ck.Step(ORDER, where={HOSTILE + "s": 1})], within="7D"),
    "value": lambda s: s.attribution(ORDER, value=HOSTILE + "s"),
    "strict": lambda s: ck.stitch(frame(), strict=True),
    "limits": lambda s: ck.stitch(frame(), limits={HOSTILE + "s": 1}),
    "column": lambda s: ck.stitch(frame().rename(columns={"timestamp": HOSTILE + "t"})),
    "file": lambda s: ck.read_events(HOSTILE.replace("\0", "")),
    "option": lambda s: ck.stitch(frame(), dedupe_on=HOSTILE),
    "format": lambda s: ck.read_events(frame(), format=HOSTILE),
    "step": lambda s: s.funnel([HOSTILE + "s", ORDER], within=HOSTILE),
}


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.filterwarnings("ignore")
def test_an_error_is_text(s, name):
    with pytest.raises(ck.ConvergekitError) as raised:
        FAILING[name](s)
    assert raw(str(raised.value)) == []
    assert raw(repr(raised.value)) == []


def test_a_warning_is_text(s):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        s.funnel(
            [HOSTILE + "s", ck.Step(ORDER, where={f"properties.{HOSTILE}": "none"})], within="7D"
        )
    assert len(caught) == 2
    assert [raw(str(warning.message)) for warning in caught] == [[], []]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command in this process, as a shell would, and return all that it prints."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments, code=0):
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
        monkeypatch.setattr(sys, "argv", ["convergekit", *map(str, arguments)])
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", printed)
            patched.setattr(sys, "stderr", printed)
            try:
                cli.main()
                ended = 0
            except SystemExit as error:
                ended = error.code or 0
        printed.flush()
        text = printed.buffer.getvalue().decode()
        assert ended == code, text
        assert raw(text) == []
        return text

    return run


@pytest.fixture
def export(tmp_path):
    rows = frame().rename(columns={"alias.cookie": "cookie"})
    lines = []
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        kept = {"eventName": row["event_name"], "timestamp": str(row["timestamp"])}
        kept["eventID"] = row["event_id"]
        kept["aliases"] = [f"urn:cookie:{row['cookie']}", f"urn:t{HOSTILE}:x"]
        kept["properties"] = {HOSTILE: HOSTILE, "total_price": row["properties.total_price"]}
        kept["profileProperties"] = {"utm_source": HOSTILE, "$email": "ada@example.com"}
        lines.append(json.dumps(kept))
    path = tmp_path / ("b " + HOSTILE.replace("\0", "").replace("/", "") + ".jsonl")
    path.write_text("\n".join([*lines, '{"eventName": "' + HOSTILE]))
    return path.name


def test_the_shell_prints_text(run, export):
    assert r"\x1b[31m" in run("stitch", export, "--out", "out")
    assert r"\x1b[31m" in run("funnel", export, "--step", HOSTILE, "--step", ORDER)
    run("funnel", export, "--step", HOSTILE + "s")
    assert r"\x1b[31m" in run("check", export, "--conversion", ORDER, code=1)
    run("check", export, "--conversion", ORDER, "--format", "json", code=1)
    rows = frame().assign(date="2026-03-02", spend=1.0, conversions=1.0)[
        ["date", "spend", "conversions"]
    ]
    rows.assign(platform=HOSTILE, campaign=HOSTILE).to_csv("spend.csv", index=False)
    asked = ("marketing", export, "--spend", "spend.csv", "--conversion", ORDER, "--reconcile")
    assert r"\x1b[31m" in run(*asked)
    store = "s " + HOSTILE.replace("\0", "").replace("/", "")
    run("add", export, "--store", store)
    run("add", export, "--store", store)
    assert r"\x1b[31m" in run("status", "--store", store)
    run("repair", "--store", store)
    run("forget", f"urn:cookie:cookie {HOSTILE}".replace("\0", ""), "--store", store, code=1)


def test_the_shell_refuses_in_text(run, export):
    name = HOSTILE.replace("\0", "")
    assert r"\x1b[31m" in run("stitch", name, "--out", "out", code=1)
    assert r"\x1b[31m" in run("stitch", export, "--out", export, code=1)
    assert r"\x1b[31m" in run("check", name, code=2)
    assert r"\x1b[31m" in run("stitch", export, "--out", "o", "--limit", name, code=1)
    column = f"event_name={name}"
    assert r"\x1b[31m" in run("stitch", export, "--out", "o", "--column", column, code=1)
    assert "is not an option; write ./" in run("stitch", f"--{name}", code=1)
    run(name, code=2)
    run("stitch", export, "--out", "o", "--format", name, code=2)
    assert r"\x1b[31m" in run("status", "--store", name, code=1)
    assert r"\x1b[31m" in run("forget", name, "--store", name, code=1)
    assert r"\x1b[31m" in run("funnel", export, "--step", "a", "--within", name, code=1)


def test_a_directory_among_the_files_is_named_in_text(run, export, tmp_path):
    (tmp_path / "d\x1b[31m").mkdir()
    assert r"d\x1b[31m is a directory" in run("stitch", export, "d\x1b[31m", "--out", "out")


@settings(max_examples=50, deadline=None)
@given(st.text(st.one_of(st.characters(), st.sampled_from(sorted(INVISIBLE))), max_size=8))
def test_what_is_seen_stays_and_what_is_not_is_written(text):
    shown = visible(text)
    assert visible(shown) == shown
    seen = [c for c in text if c.isprintable() and c not in INVISIBLE]
    assert [c for c in seen if c not in shown] == []
    # Joiners within words that are spelled with them are let be.
    assert set(raw(shown)) <= {"\u200c", "\u200d"} | _OTHER_FORMATS
    assert visible_lines(f"{text}\n\t{text}") == f"{visible_lines(text)}\n\t{visible_lines(text)}"


#: Signs of a script that are seen, such as Arabic's sign of a year, though called formats.
_OTHER_FORMATS = {
    c for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Cf" and c not in INVISIBLE
}


@pytest.mark.parametrize("text", ["Café ☕️", "می‌خواهم", "👩‍👩‍👧", "क्‍ष", "日本 語", "a b", r"\x1b"])
def test_words_and_signs_of_any_script_stay(text):
    assert visible(text) == text
