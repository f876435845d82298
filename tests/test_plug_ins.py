"""Plug-ins: found, used as what comes with convergekit is, named where they work, or left out."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.parts import stitching
from tests.plugged import install
from tests.test_import import modules_after

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "docs" / "plug-in-template"
_numbers = itertools.count()

EXPORT = """
import pandas as pd
import convergekit as ck
{name} = ck.Export(
    name="{name}", documentation="", recognised_by=[["{name}_no", "sold_at"]],
    event_name=lambda rows: ["Placed Order"] * len(rows), timestamp="sold_at",
    event_id="{name}_no", aliases={{"email": "mail", "card": "card"}},
    properties={{"total_price": "total"}},
)
"""
CHECKS = """
import pandas as pd
import convergekit as ck

def said(events):
    assert list(events.index) == list(range(len(events)))
    mails = events["alias.email"]
    return ("of " + mails).where(mails.str.endswith("example.com"))

def looked(find, **more):
    return ck.TrackingCheck(find=find, what="A fault.", why="It matters.", fix="Repair it.", **more)

def changes(events):
    events["alias.email"] = "changed"
    return said(events)

GOOD = looked(said, needs=["alias.email"], severity="high")
CHANGING = looked(changes)
LACKING = looked(said, needs=["properties.nowhere"])
FAILS = looked(lambda events: 1 / (events["event_name"] == "ada@example.com").sum().item())
PERSONAL = looked(lambda events: int("ada@example.com"))
WRONG = looked(lambda events: [True] * len(events))
NUMBERS = looked(lambda events: events["alias.email"].notna())
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages that Python finds, with names of modules that no other test has."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def name():
    """A name that no other test has: modules stay imported."""
    return f"till{next(_numbers)}"


def sales(name, rows=3):
    return pd.DataFrame(
        {
            f"{name}_no": [f"s{row}" for row in range(rows)],
            "sold_at": [f"2026-03-{1 + row % 28:02}T10:00:00Z" for row in range(rows)],
            "mail": [["ada@example.com", None, "ben@shop.test"][row % 3] for row in range(rows)],
            "card": ["a-1"] * rows,
            "total": [10.0] * rows,
        }
    )


def with_export(site, name, package=None, version="1.0"):
    package = package or f"{name}-export"
    code = EXPORT.format(name=name)
    points = {"exports": {name: f"{package.replace('-', '_')}:{name}"}}
    install(site, package, version, points, code)


def with_checks(site, name, points):
    found = {point: f"{name}_checks:{attribute}" for point, attribute in points.items()}
    install(site, f"{name}-checks", "2.1", {"checks": found}, CHECKS)


# The template.


@pytest.mark.slow
def test_the_template_is_built_installed_and_used(tmp_path):
    source = shutil.copytree(TEMPLATE, tmp_path / "template")
    site, wheels = tmp_path / "site", tmp_path / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-index", "--no-deps"]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", wheels, source]
    subprocess.run(build, check=True)
    wheel = next(wheels.glob("convergekit_till-0.1.0-*.whl"))
    subprocess.run([*pip, "install", *offline, "--target", site, wheel], check=True)
    path = os.pathsep.join([str(site), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", "NO_COLOR": "1"}

    own_tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    subprocess.run(own_tests, cwd=source, env=environment, check=True)

    sales("till").rename(columns={"mail": "buyer_mail", "card": "card"}).assign(
        receipt_no=["A-1", None, "A-3"]
    ).to_csv(tmp_path / "sales.csv", index=False)
    command = [sys.executable, "-W", "error", "-m", "convergekit.cli"]
    shell = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    listed = subprocess.run([*command, "plug-ins"], check=True, **shell).stdout
    assert "4 plug-ins installed" in listed
    assert "till-without-receipt" in listed
    said = subprocess.run([*command, "check", "sales.csv"], check=False, **shell)
    assert said.returncode == 1, said.stderr
    assert "[till-without-receipt]" in said.stdout
    assert "Of the plug-in convergekit-till 0.1.0: 'till-without-receipt'." in said.stdout
    asked = ["stitch", "sales.csv", "--rule", "loyalty_card=till-card", "--out", "out"]
    said = subprocess.run([*command, *asked, "--memory", "1GB"], check=True, **shell).stdout
    assert "3 the rule for loyalty_card makes no alias of it" in said
    assert "read as 'till' by the plug-in convergekit-till 0.1.0" in said


def test_the_page_shows_the_template():
    page = (ROOT / "docs" / "plug-ins.md").read_text("utf-8")
    for name in ("exports", "checks", "channel_rules", "alias_rules"):
        code = (TEMPLATE / "src" / "convergekit_till" / f"{name}.py").read_text("utf-8")
        assert f"```python\n{code.partition(chr(10) * 2)[2]}```" in page
    entry_points = (TEMPLATE / "pyproject.toml").read_text("utf-8")
    shown = entry_points[entry_points.index("# The name") : entry_points.index("\n\n[tool")]
    assert f"```toml\n{shown}\n```" in page


# Finding them.


def test_importing_convergekit_looks_for_none():
    assert "importlib.metadata" not in modules_after("import convergekit")
    assert "importlib.metadata" not in modules_after("import convergekit; convergekit.stitch")


def test_the_order_is_that_of_packages_and_names(site, name):
    for package in (f"{name}-b", f"{name}_A"):
        points = {f"{package}-2": "operator:index", f"{package}-1": "operator:neg"}
        install(site, package, "1.0", {"alias_rules": points}, "")
    found = ck.plug_ins().query("package.str.startswith(@name)")
    names = [f"{name}_A-1", f"{name}_A-2", f"{name}-b-1", f"{name}-b-2"]
    assert found["name"].tolist() == names
    assert found[["kind", "version", "target"]].iloc[0].tolist() == [
        "alias_rules", "1.0", "operator:neg",
    ]  # fmt: skip


def test_two_of_one_name_are_both_named_and_none_is_used(site, name):
    with_export(site, name, f"{name}-a", "1.0")
    with_export(site, name, f"{name}-b", "2.0")
    both = rf"2 plug-ins of convergekit.exports have one name: .*{name}-a 1.0.*{name}-b 2.0.*"
    with pytest.raises(ck.ReadError, match=rf"{both}pip uninstall {name}-a or pip uninstall"):
        ck.read_events(sales(name), format=name)
    with pytest.warns(UserWarning, match=both), pytest.raises(ck.ColumnError):
        ck.read_events(sales(name))
    # What is registered in the program goes before what is installed.
    ck.register_export(
        ck.Export(
            name=name,
            documentation="",
            recognised_by=[[f"{name}_no"]],
            timestamp="sold_at",
            event_name=lambda rows: ["Sale"] * len(rows),
            aliases={"email": "mail"},
        )
    )
    assert set(ck.read_events(sales(name))["event_name"]) == {"Sale"}


def broken(site, name):
    points = {kind: {name: f"{name}_broken:X"} for kind in
              ("exports", "checks", "channel_rules", "alias_rules")}  # fmt: skip
    install(site, f"{name}-broken", "3.0", points, "raise RuntimeError('out of order')")


def test_what_cannot_be_imported_is_left_out(site, name):
    broken(site, name)
    way_out = rf"{name}-broken 3.0.*RuntimeError: out of order. Update.*pip uninstall {name}-broken"
    with pytest.raises(ck.ReadError, match=way_out):
        ck.read_events(sales(name), format=name)
    with pytest.raises(ck.ConvergekitError, match=way_out):
        ck.channel_rules(name)
    with pytest.raises(ck.ConvergekitError, match=way_out):
        ck.alias_rule(name)
    assert ck.plug_ins().query("name == @name")["problem"].str.contains(way_out).all()
    events = ck.simulate_store(noise=0).events
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        s = ck.stitch(events)
        s.sessions()
        found = ck.check_up(events)
    assert len(found) == 0
    assert found.checks.set_index("check").loc[name, "result"] == "not checked"
    with pytest.warns(UserWarning, match=rf"left out: .*{way_out}"):
        read = ck.read_events(events)
    assert len(read) == len(events)


@pytest.mark.parametrize(
    ("kind", "own", "said"),
    [
        ("exports", "mixpanel", "comes with convergekit"),
        ("checks", "bot", "comes with convergekit"),
        ("exports", "{name}", "of type str, and not a ck.Export"),
        ("checks", "{name}", "of type str, and not a ck.TrackingCheck"),
        ("channel_rules", "{name}", "of type str, and not a list of ck.ChannelRule"),
        ("alias_rules", "{name}", "of type str, and not a function"),
    ],
)
def test_what_is_no_plug_in_is_told(site, name, kind, own, said):
    own = own.format(name=name)
    install(site, f"{name}-odd", "1", {kind: {own: f"{name}_odd:__name__"}}, "")
    found = ck.plug_ins().query("package == @name + '-odd'")
    assert said in found["problem"].item()


def test_a_check_of_ours_is_made_all_the_same(site, name, monkeypatch):
    events = ck.simulate_store().events
    with monkeypatch.context() as without:
        without.setattr(sys, "path", [path for path in sys.path if path != str(site)])
        before = ck.check_up(events)
    with_checks(site, name, {"bot": "GOOD"})
    after = ck.check_up(events)
    pd.testing.assert_frame_equal(after.checks, before.checks)
    assert after.remarks[-1].startswith("Left out: the plug-in 'bot' of")


# Exports.


def test_an_export_is_recognised_and_named(site, name, tmp_path):
    with_export(site, name)
    rows = sales(name, 30)
    rows.to_csv(tmp_path / "sales.csv", index=False)
    for part in range(3):
        rows.iloc[10 * part : 10 * part + 10].to_json(
            tmp_path / f"part{part}.jsonl", orient="records", lines=True
        )
    said = f"read as {name!r} by the plug-in {name}-export 1.0"
    for given in (rows, tmp_path / "sales.csv", tmp_path / "part*.jsonl"):
        given = str(given) if isinstance(given, Path) else given
        for read_as in ("auto", name):
            events = ck.read_events(given, format=read_as)
            assert ck.stitch(events).report.remarks[said] == 30
    p = ck.stitch(str(tmp_path / "part*.jsonl"), memory="1GB")
    assert p.report.remarks[said] == 30
    store = ck.open_store(tmp_path / "store")
    store.add(tmp_path / "sales.csv")
    assert len(store.stitched().events) == 30
    with pytest.raises(ck.ReadError, match=name):
        ck.read_events(rows, format="nope")


# Checks.


def test_a_check_is_made_and_named(site, name):
    with_checks(site, name, {f"{name}-good": "GOOD", f"{name}-lacking": "LACKING"})
    with_export(site, name)
    found = ck.check_up(ck.read_events(sales(name, 9)))
    mine = found.findings.query("check == @name + '-good'")
    assert mine[["severity", "what", "events", "money"]].values.tolist() == [
        ["high", "3 events: A fault.", 3, 30.0]
    ]
    number = mine["finding"].item()
    assert found.examples(number)["row"].tolist() == [0, 3, 6]
    # No address can be read in what a check says.
    assert set(found.examples(number, None)["seen"]) == {"of a…@example.com"}
    assert f"Of the plug-in {name}-checks 2.1: '{name}-good', '{name}-lacking'." in found.remarks
    why = found.checks.set_index("check")["why"]
    assert why[f"{name}-lacking"] == "no event has 'properties.nowhere'"
    assert f"[{name}-good]" in str(found)


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("FAILS", "fails: ZeroDivisionError; call its find"),
        ("PERSONAL", "fails: ValueError; call its find"),
        ("WRONG", "find must return a Series with the index of the events; it returned list"),
        ("NUMBERS", "find must return what is wrong with an event as text, or nothing"),
    ],
)
def test_a_check_that_fails_is_not_made(site, name, attribute, said):
    with_checks(site, name, {f"{name}-bad": attribute})
    events = ck.simulate_store().events
    found = ck.check_up(events)
    result, why = found.checks.set_index("check").loc[f"{name}-bad"]
    assert result == "not checked"
    assert why.startswith(f"the plug-in '{name}-bad' of {name}-checks 2.1 fails: ")
    assert said in why
    # Its own words may quote a person's values.
    assert "literal" not in why


def test_a_check_cannot_change_the_events(site, name):
    with_export(site, name)
    with_checks(site, name, {f"{name}-changing": "CHANGING"})
    events = ck.read_events(sales(name))
    before = events.copy(deep=True)
    ck.check_up(events)
    pd.testing.assert_frame_equal(events, before)


def test_parts_side_by_side_find_as_much(site, name, tmp_path, monkeypatch):
    with_export(site, name)
    points = {f"{name}-good": "GOOD", f"{name}-bad": "PERSONAL"}
    with_checks(site, name, points)
    rows = sales(name, 60)
    rows["mail"] = [f"p{row % 20}@{'example.com' if row % 4 else 'shop.test'}" for row in range(60)]
    rows["card"] = None
    events = ck.read_events(rows)
    # So small that it is many parts; two processes work at them.
    monkeypatch.setattr(stitching, "at_once_of", lambda parts, *_: min(2, parts))
    expected = ck.check_up(events)
    found = ck.check_up(events, memory="20KB", max_cluster=60)
    assert found._each.run.workdir.done.parts > 1
    assert str(found) == str(expected)
    pd.testing.assert_frame_equal(found.findings, expected.findings)
    pd.testing.assert_frame_equal(found.checks, expected.checks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"find": 3}, "find of a ck.TrackingCheck must be a function"),
        ({"what": " "}, "what of a ck.TrackingCheck must be a sentence"),
        ({"severity": "huge"}, "severity must be one of"),
        ({"needs": [1]}, "needs must be a name or a list of names"),
    ],
)
def test_what_is_not_a_check_is_refused(change, said):
    right = {"find": len, "what": "a", "why": "b", "fix": "c"}
    with pytest.raises(ck.ConvergekitError, match=said):
        ck.TrackingCheck(**right | change)


# Rules.


def test_rules_are_those_that_a_caller_gives(site, name):
    code = (
        "import convergekit as ck\n"
        "def upper(text):\n    return text.upper() if text != 'x' else None\n"
        "RULES = [ck.ChannelRule('Podcast', source='bean.*', because='our list'),\n"
        "         ck.ChannelRule('Market', source='market')]\n"
    )
    module = f"{name}_rules"
    points = {"channel_rules": {name: f"{module}:RULES"}, "alias_rules": {name: f"{module}:upper"}}
    install(site, f"{name}-rules", "0.9", points, code)
    events = pd.DataFrame(
        {
            "event_name": "PageView",
            "timestamp": pd.date_range("2026-03-02", periods=4, freq="D", tz="UTC"),
            "alias.card": ["a1", "A1", "x", "b2"],
            "alias.cookie": ["1", "2", "3", "4"],
            "properties.utm_source": ["beans", "market", "google", None],
        }
    )
    card = {"card": ck.alias_rule(name)}
    s, own = ck.stitch(events, rules=card), ck.stitch(events, rules={"card": _upper})
    assert s.events["profile_id"].tolist() == own.events["profile_id"].tolist()
    said = f"card compared by {name!r} of the plug-in {name}-rules 0.9"
    assert s.report.remarks[said] == 3
    assert said not in own.report.remarks
    p = ck.stitch(events, rules=card, memory="1GB")
    assert p.report.remarks == s.report.remarks
    rules = [*ck.channel_rules(name), *ck.CHANNEL_RULES]
    visits = s.sessions(rules=rules)
    assert visits["channel"].tolist() == ["Podcast", "Market", "Organic Search", "Direct"]
    assert "rules 0.9: our list" in visits["why"].iloc[0]
    assert f"({name}-rules 0.9)" in visits["why"].iloc[1]
    pd.testing.assert_frame_equal(p.sessions(rules=rules), visits)
    with pytest.raises(ck.ConvergekitError, match="a store takes no rules"):
        ck.open_store(site / "store", rules=card)


def _upper(text):
    return text.upper() if text != "x" else None


def test_a_name_that_no_plug_in_has_is_refused(site, name):
    install(site, f"{name}-rules", "1", {"alias_rules": {f"{name}-card": "operator:neg"}}, "")
    with pytest.raises(ck.ConvergekitError, match=rf"Found: .*Did you mean '{name}-card'"):
        ck.alias_rule(f"{name}-cadr")
    with pytest.raises(ck.ConvergekitError, match="channel_rules names 'nope', which is not a"):
        ck.channel_rules("nope")
