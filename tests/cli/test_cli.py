"""The command line, run as a person runs it."""

from __future__ import annotations

import inspect
import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import convergekit as ck
from convergekit.cli import app as cli
from convergekit.cli import reading

DATA = [str(path) for path in sorted((Path(__file__).parents[2] / "data").glob("*.*"))]


@dataclass
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch):
    """Run a command in this process, as a shell would; starting one takes longer than it does."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments, encoding="utf-8"):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
        err.reconfigure(errors="backslashreplace")
        monkeypatch.setattr(sys, "argv", ["convergekit", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            monkeypatch.setattr(sys, "stdout", sys.__stdout__)
            monkeypatch.setattr(sys, "stderr", sys.__stderr__)
        return Done(code, *(_text(stream, encoding) for stream in (out, err)))

    return run


def _text(stream, encoding):
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def start(*arguments, encoding="utf-8"):
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "convergekit.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding=encoding,
        env={"COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding},
        check=False,
    )


def test_the_demo_shows_what_stitching_does():
    done = start("demo")
    assert done.returncode == 0, done.stderr
    assert "446 rows in = 434 events + 11 duplicates + 1 rejected" in done.stdout
    assert "after stitching" in done.stdout
    assert "Placed Order" in done.stdout


def test_stitch_writes_tables_that_read_back(run, tmp_path):
    out = tmp_path / "out"
    done = run("stitch", *DATA, "--out", out)
    assert done.returncode == 0, done.stderr
    again = ck.read_stitched(out)
    expected = ck.stitch(ck.read_events(DATA))
    pd.testing.assert_frame_equal(again.events, expected.events)
    assert len(pd.read_parquet(out / "profiles.parquet")) == len(expected.profiles)


def test_a_directory_among_files_is_left_out_as_a_pattern_leaves_it_out(run, tmp_path):
    done = run("stitch", *DATA, Path(DATA[0]).parent / "exports", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("exports is a directory: left out") == 1
    assert len(ck.read_stitched(tmp_path / "out").profiles) == 81
    folder = tmp_path / "exports"
    folder.mkdir()
    for path in DATA:
        (folder / Path(path).name).write_bytes(Path(path).read_bytes())
    (folder / "notes.txt").write_text("remember the milk")
    alone = run("stitch", folder, "--out", tmp_path / "other")
    assert alone.returncode == 0, alone.stderr
    assert "note: 1 file was left out" in alone.stderr
    assert len(ck.read_stitched(tmp_path / "other").profiles) == 81


def test_the_patterns_of_the_readme_name_files_alone():
    root = Path(DATA[0]).parent.parent
    text = (root / "README.md").read_text("utf-8")
    patterns = re.findall(
        r"^convergekit (?:stitch|check|add|funnel|marketing|report) (\S+)", text, re.MULTILINE
    )
    assert patterns
    for pattern in patterns:
        named = list(root.glob(pattern))
        assert len(named) == len(DATA)
        assert all(path.is_file() for path in named)


def test_stitch_writes_csv(run, tmp_path):
    out = tmp_path / ("a long name " * 10).strip()
    done = run("stitch", *DATA, "--out", out, "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert f"Wrote 5 files to {out}.\n" in done.stdout
    profiles = pd.read_csv(out / "profiles.csv")
    assert len(profiles) == 81
    assert {p.name for p in out.iterdir()} == {
        f"{name}.csv" for name in ("events", "profiles", "aliases", "duplicates", "rejected")
    }


def test_stitch_writes_csv_in_which_nothing_is_a_formula(run, tmp_path):
    formulas = ["=1+1", "@SUM(A1)", "+1+1", "-1+1", "\t=1", "\r=1", "\n=1", "\uff1d1", "=", '=A1"']
    others = ["+32475123456", "-3", "-3.5", "+1,5", "1=1", "a", "'=1", "x;y", "x;1=1"]
    others += ["x;=1+1", "x\t-1", 'x;"=1"', "x; =1"]
    texts = [*formulas, *others]
    export = tmp_path / "export.json"
    rows = [
        {
            "event_name": text,
            "event_id": str(place),
            "timestamp": "2026-03-02",
            "alias.cookie": text,
            "properties.text": text,
            "properties.number": -3.5,
            "properties.mixed": [text] if place % 2 else text,
            "=note": text,
        }
        for place, text in enumerate(texts)
    ]
    export.write_text(json.dumps([*rows, {"event_name": "=no time", "note": "=1"}]))
    out = tmp_path / "out"
    done = run("stitch", export, "--out", out, "--format", "csv")
    assert done.returncode == 0, done.stderr
    for path in out.iterdir():
        written = pd.read_csv(path, dtype="str", keep_default_na=False)
        for cell in [*written.columns, *written.to_numpy().ravel()]:
            if cell not in others:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")), cell
    events = pd.read_csv(out / "events.csv", dtype="str", keep_default_na=False)
    # Split at tabs, or where lines end, what follows them would begin a cell.
    marked = {text: "'" + text for text in formulas} | {
        "\t=1": "'\t'=1", "\r=1": "'\r'=1", "\n=1": "'\n'=1",
        "x;=1+1": "x;'=1+1", "x\t-1": "x\t'-1", 'x;"=1"': "x;'\"=1\"", "x; =1": "x;' =1",
    }  # fmt: skip
    assert events["properties.text"].tolist() == [marked.get(text, text) for text in texts]
    assert events["'=note"].tolist() == events["properties.text"].tolist()
    assert events["properties.mixed"].tolist()[:2] == ["'=1+1", "['@SUM(A1)']"]
    assert set(events["properties.number"]) == {"-3.5"}


def test_nothing_is_overwritten_without_force(run, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    done = run("stitch", *DATA, "--out", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "--force" in done.stderr
    assert run("stitch", *DATA, "--out", tmp_path, "--force").returncode == 0
    directory = Path(DATA[0]).parent / "exports"
    done = run("stitch", *DATA, directory, "--out", tmp_path, "--force")
    assert (done.returncode, done.stderr.count("left out")) == (0, 1)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_force_leaves_the_exports_and_other_files_as_they_are(run, tmp_path):
    events = ck.simulate_store(people=5).events
    for name in ("events", "orders"):
        events.to_parquet(tmp_path / f"{name}.parquet")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("stitch", tmp_path / "*.parquet", "--out", tmp_path, "--force")
    assert done.returncode == 1
    assert "events.parquet is an export, and --out" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "events.parquet").unlink()
    for form in ("parquet", "csv"):
        done = run(
            *("stitch", tmp_path / "orders.parquet", "--out", tmp_path),
            *("--force", "--format", form),
        )
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("*.parquet")} == {"orders.parquet"}
    assert (tmp_path / "orders.parquet").read_bytes() == before["orders.parquet"]


def test_funnel_prints_the_steps(run):
    steps = ("--step", "PageView", "--step", "Added To Cart", "--step", "Placed Order")
    done = run("funnel", *DATA, *steps, "--within", "7D")
    assert done.returncode == 0, done.stderr
    s = ck.stitch(ck.read_events(DATA))
    for count in s.funnel(steps[1::2], within="7D").table["profiles"]:
        assert f" {count} " in done.stdout


def test_bad_input_is_one_clear_line_and_no_traceback(run, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("[{")
    foreign = tmp_path / "foreign.csv"
    foreign.write_text("a,b\n1,2\n")
    cases = [
        (("funnel", tmp_path / "missing.jsonl", "--step", "A"), "no file is named"),
        (("funnel", broken, "--step", "A"), "can only be read whole"),
        (("funnel", foreign, "--step", "A"), "no event name column"),
        (("funnel", *DATA, "--step", "A", "--within", "a week"), "a positive duration"),
        (("stitch", *DATA, "--out", broken), "is a file"),
    ]
    for arguments, message in cases:
        done = run(*arguments)
        assert done.returncode == 1, arguments
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_what_the_data_say_is_printed_as_it_is_in_any_encoding(run, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"eventName": "Kauf :coffee: 咖啡", "timestamp": "2026-03-02T10:00:00Z",'
        ' "aliases": ["urn:cookie:7f3a", "7f3a:cookie:"]}\n',
        "utf-8",
    )
    steps = ("--step", "Kauf :coffee: 咖啡", "--step", "urn:cookie:7f3a")
    done = run("funnel", path, *steps)
    assert done.returncode == 0, done.stderr
    assert "Kauf :coffee: 咖啡" in done.stdout
    assert "2  urn:cookie:7f3a" in done.stdout
    assert "no event is named 'urn:cookie:7f3a'" in done.stderr
    done = run("funnel", path, *steps, encoding="cp1252")
    assert done.returncode == 0, done.stderr
    assert r"Kauf :coffee: \u5496\u5561" in done.stdout
    for encoding in ("utf-8", "cp1252"):
        done = run("check", path, "--conversion", steps[1], "--format", "json", encoding=encoding)
        assert "Kauf :coffee: 咖啡" in json.loads(done.stdout)["findings"][0]["what"]


def test_help_names_every_command(run):
    done = run("--help")
    for command in ("demo", "stitch", "funnel", "check"):
        assert command in done.stdout


def test_the_version_is_the_packages(run):
    assert run("--version").stdout == f"convergekit {ck.__version__}\n"
    shown = subprocess.run(
        [sys.executable, "-c", "import convergekit as ck; ck.show_versions()"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split()[:2] == ["convergekit", ck.__version__]


def test_importing_the_package_imports_neither_plotly_nor_ipywidgets(run):
    code = "import sys, convergekit; print({'plotly', 'ipywidgets', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_limits_and_blocked_aliases_reach_stitching(run, tmp_path):
    shared = tmp_path / "tablet.csv"
    pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": ["2026-03-02", "2026-03-03", "2026-03-04"],
            "alias.cookie": "tablet",
            "alias.customer_id": ["ada", "bob", "tester"],
        }
    ).to_csv(shared, index=False)
    arguments = ["--limit", "customer_id=1", "--block", "urn:customer_id:tester"]
    done = run("stitch", shared, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 0, done.stderr
    assert "links refused: 1 customer_id" in done.stdout
    again = ck.read_stitched(tmp_path / "out")
    assert again.refused_links["alias_a"].tolist() == ["urn:customer_id:bob"]
    assert again.events["profile_id"].nunique() == 2

    done = run("stitch", shared, "--out", tmp_path / "other", "--limit", "customer_id")
    assert done.returncode == 1
    assert "must be an alias type and a number, such as customer_id=1" in done.stderr


def test_options_read_any_export_and_errors_speak_of_them(run, tmp_path):
    export = tmp_path / "orders.csv"
    export.write_bytes(
        "No;Created;Mail;Other;Total;Item\n"
        "#1;03/04/2026 10:05;;a@x.org;1.234,50;crème\n#1;03/04/2026 10:05;;;;sugar\n"
        "#2;04/04/2026 10:05;b@x.org;;20,00;tea\n".encode("cp1252")
    )
    options = [
        "--constant", "event_name=Placed Order", "--column", "timestamp=Created",
        "--column", "event_id=No", "--column", "alias.email=Mail", "--column", "alias.email=Other",
        "--column", "properties.total_price=Total", "--column", "properties.items=items",
        "--encoding", "cp1252", "--day-first", "--amounts", "de",
        "--item", "name=Item", "--item-key", "No",
    ]  # fmt: skip
    done = run("stitch", export, "--out", tmp_path / "out", *options)
    assert done.returncode == 0, done.stderr
    events = ck.read_stitched(tmp_path / "out").events
    assert events["timestamp"].dt.strftime("%m-%d").tolist() == ["04-03", "04-04"]
    assert events["properties.total_price"].tolist() == [1234.5, 20.0]
    assert sorted(events["alias.email"]) == ["a@x.org", "b@x.org"]
    assert [[i["name"] for i in cell] for cell in events["properties.items"]] == [
        ["crème", "sugar"], ["tea"],
    ]  # fmt: skip
    french = tmp_path / "french.csv"
    french.write_bytes("Prénom,At\nAda,2026-03-02\n".encode("cp1252"))
    bad = run("check", french)
    assert bad.returncode == 2
    assert "give --encoding cp1252" in bad.stderr
    bad = run("check", export, "--encoding", "cp1252")
    assert "--column" in bad.stderr
    assert "columns=" not in bad.stderr
    sure = {"messageId": "m", "type": "track", "anonymousId": "a", "event": "A"}
    both = tmp_path / "both.jsonl"
    both.write_text(
        json.dumps(sure | {"event_name": "A", "aliases": [], "timestamp": "2026-03-02"})
    )
    bad = run("check", both)
    assert "say which with --read-as, such as --read-as segment" in bad.stderr
    assert run("check", both, "--read-as", "segment").stdout.startswith("Check-up of 1 event")


def test_columns_and_the_time_zone_reach_stitching(run, tmp_path):
    export = tmp_path / "own.csv"
    pd.DataFrame(
        {
            "action": ["PageView", "Placed Order"],
            "ts": ["2026-03-02 10:00", "2026-03-02 10:05"],
            "mail": "ada@x.org",
            "a=b": [None, "30"],
        }
    ).to_csv(export, index=False)
    pairs = [
        "event_name=action", "timestamp=ts", "alias.email=mail", "properties.total_price=a=b",
    ]  # fmt: skip
    own = [part for pair in pairs for part in ("--column", pair)]
    zone = ["--tz", "Europe/Brussels"]
    done = run("stitch", export, "--out", tmp_path / "out", *own, *zone)
    assert done.returncode == 0, done.stderr
    events = ck.read_stitched(tmp_path / "out").events
    assert events["timestamp"].astype(str).tolist() == [
        "2026-03-02 09:00:00+00:00",
        "2026-03-02 09:05:00+00:00",
    ]
    assert events["properties.total_price"].dropna().tolist() == [30]
    steps = ["--step", "PageView", "--step", "Placed Order"]
    done = run("funnel", export, *steps, *own, *zone)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2  Placed Order         1    100.0%" in done.stdout
    done = run("check", export, *own, *zone)
    assert done.stdout.startswith("Check-up of 2 events")

    for wrong, says in (
        (["--column", "event_name"], "must be a canonical name and the files' own"),
        (["--constant", "event_name"], "--constant must be a canonical name and a value"),
        (["--item", "name=action"], "--item and --item-key belong together"),
        (["--tz", "Brussel"], "got 'Brussel'"),
    ):
        done = run("check", export, *own, *wrong)
        assert done.returncode == 2
        assert says in done.stderr


def test_a_store_keeps_the_time_zone_it_was_made_with(run, tmp_path):
    export, store = tmp_path / "orders.csv", tmp_path / "store.duckdb"
    pd.DataFrame(
        {
            "event_name": ["Placed Order"],
            "timestamp": ["2026-03-02 10:00"],
            "alias.email": ["a@x.org"],
        }
    ).to_csv(export, index=False)
    done = run("add", export, "--store", store, "--tz", "Europe/Brussels")
    assert done.returncode == 0, done.stderr
    assert ck.open_store(store).profiles["first_seen"].astype(str).tolist() == [
        "2026-03-02 09:00:00+00:00"
    ]


def test_a_calendar_is_kept_with_what_is_written(run, tmp_path):
    export = tmp_path / "orders.csv"
    pd.DataFrame(
        {
            "event_name": "Placed Order",
            # Brussels's clock is set forward on 29 March.
            "timestamp": ["2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"],
            "alias.email": ["a@x.org", "b@x.org", "c@x.org"],
        }
    ).to_csv(export, index=False)
    shop = ["--calendar", "Europe/Brussels", "--week-starts", "Sunday"]
    done = run("stitch", export, "--out", tmp_path / "out", *shop)
    assert done.returncode == 0, done.stderr
    assert "calendar: Europe/Brussels, weeks from Sunday" in done.stdout
    done = run("add", export, "--store", tmp_path / "store", *shop)
    assert done.returncode == 0, done.stderr
    for s in (ck.read_stitched(tmp_path / "out"), ck.open_store(tmp_path / "store").stitched()):
        customers = s.customers(value=None)
        assert customers.new_and_returning("D")["new"].tolist() == [2, 1]
        assert len(customers.new_and_returning("W")) == 1
    assert run("check", export, *shop[:2]).returncode in (0, 1)
    for command in (["stitch", export, "--out", tmp_path / "other"], ["check", export]):
        done = run(*command, "--calendar", "Brussels")
        assert done.returncode
        assert "calendar must be a time zone" in done.stderr
    done = run("add", export, "--store", tmp_path / "new", "--week-starts", "sun")
    assert done.returncode == 1
    assert "week_starts must be one of" in done.stderr


def broken_export(directory):
    """An export with two findings: of high severity, and of medium severity."""
    events = ck.simulate_store(noise=0).events
    orders = events.index[events["event_name"] == "Placed Order"]
    events.loc[orders[:2], [name for name in events if name.startswith("alias.")]] = None
    events.loc[orders[5:8], "event_id"] = None
    path = directory / "broken.csv"
    events.to_csv(path, index=False)
    return path


def test_no_store_is_made_for_an_export_that_is_not_there(run, tmp_path):
    store = tmp_path / "store.duckdb"
    done = run("add", tmp_path / "missing.csv", "--store", store, "--limit", "customer_id=1")
    assert done.returncode == 1
    assert "no file is named" in done.stderr
    assert not store.exists()


def test_check_says_what_is_wrong_and_fails(run, tmp_path):
    done = run("check", *DATA)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Check-up of 434 events: no findings")
    path = broken_export(tmp_path)
    done = run("check", path)
    assert done.returncode == 1
    expected = ck.check_up(ck.read_events(path))
    assert len(expected) == 2
    printed = " ".join(done.stdout.split())
    for finding in expected.findings.to_dict("records"):
        for name in ("severity", "check", "what", "why", "fix"):
            assert finding[name] in printed
    assert not any(line.endswith(" ") for line in done.stdout.splitlines() if line.strip() == "")


def test_check_fails_from_the_severity_or_the_number_on_that_was_asked_for(run, tmp_path):
    path = broken_export(tmp_path)
    codes = {
        fail_on: run("check", path, "--fail-on", fail_on).returncode
        for fail_on in ("high", "2", "3")
    }
    assert codes == {"high": 1, "2": 1, "3": 0}
    events = pd.read_csv(path)
    named = events[events["alias.email"].notna() | (events["event_name"] != "Placed Order")]
    named.to_csv(path, index=False)
    assert run("check", path, "--fail-on", "high").returncode == 0
    assert run("check", path, "--fail-on", "medium").returncode == 1


def test_check_exits_with_2_where_it_cannot_check(run, tmp_path):
    for arguments, message in (
        (("check",), "Missing argument"),
        (("check", tmp_path / "missing.csv"), "no file is named"),
        (("check", *DATA, "--conversion", "Purchase"), "no event is named 'Purchase'"),
        (("check", *DATA, "--currency", "no_such"), "no_such"),
        (("check", *DATA, "--value", "currency"), "must name a column of numbers"),
        (("check", *DATA, "--fail-on", "0"), "must be a number of findings from 1"),
        (("check", *DATA, "--fail-on", "severe"), "or one of high, medium, low"),
        (("check", *DATA, "--format", "xml"), "'xml' is not one of"),
    ):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert message in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_check_prints_json_for_programs(run, tmp_path):
    done = run("check", broken_export(tmp_path), "--format", "json", "--fail-on", "3")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert [finding["check"] for finding in found["findings"]] == [
        "conversion-without-event-id",
        "conversion-without-alias",
    ]
    assert len(found["findings"][0]["examples"]) == found["findings"][0]["events"] == 3
    assert found["not_checked"] == {}


def test_check_prints_markdown_that_shows_names_as_they_are(run, tmp_path):
    path = broken_export(tmp_path)
    events = pd.read_csv(path)
    hostile = "Placed <img src=x> @all\n## Order"
    events["event_name"] = events["event_name"].replace("Placed Order", hostile)
    events.to_csv(path, index=False)
    done = run("check", path, "--conversion", hostile, "--format", "markdown")
    assert done.returncode == 1
    expected = ck.check_up(ck.read_events(path), conversion=hostile)
    assert done.stdout == f"{expected.to_markdown()}\n"
    assert "&lt;img src=x&gt; @<!-- -->all" in done.stdout
    assert "<img" not in done.stdout
    assert not re.search(r"^## ", done.stdout, re.MULTILINE)


def test_all_commands_that_read_exports_take_the_same_options():
    """What a file needs to be read does not depend on what is done with its events."""
    taken = {
        command.callback.__name__: {
            name: parameter.annotation
            for name, parameter in inspect.signature(
                command.callback, eval_str=True
            ).parameters.items()
            if parameter.annotation in vars(reading).values()
        }
        for command in cli.app.registered_commands
        if "exports" in inspect.signature(command.callback).parameters
    }
    assert set(taken) == {
        f"{name}_command"
        for name in (
            *("stitch", "funnel", "retention", "sessions", "attribution", "customers"),
            *("check", "marketing", "report", "add", "mcp", "why"),
        )
    }
    first, *others = taken.values()
    assert len(first) == len(inspect.signature(reading.options_of).parameters)
    assert all(other == first for other in others)


def test_add_reads_files_as_it_is_told(run, tmp_path):
    export = tmp_path / "m.jsonl"
    row = {"what": "Order", "at": "02.03.2026 10:00", "mail": "ada@example.com"}
    export.write_text(json.dumps(row))
    store = tmp_path / "store"
    columns = ["--column", "event_name=what", "--column", "timestamp=at"]
    columns += ["--column", "alias.email=mail", "--day-first"]
    done = run("add", export, "--store", store, *columns)
    assert done.returncode == 0, done.stderr
    assert ck.open_store(store).stitched().events["event_name"].tolist() == ["Order"]
    event = {"event": "Order", "properties": {"time": 1772442480, "distinct_id": "u1"}}
    (tmp_path / "x.jsonl").write_text(json.dumps(event))
    done = run(
        "add", tmp_path / "x.jsonl", "--store", store, "--clock", "mixpanel=America/New_York"
    )
    assert done.returncode == 0, done.stderr
    times = ck.open_store(store).stitched().events["timestamp"].astype(str).tolist()
    assert times == ["2026-03-02 10:00:00+00:00", "2026-03-02 14:08:00+00:00"]


SPEND = Path(DATA[0]).parent / "spend"
SPENT = ("--spend", SPEND, "--spend-currency", "EUR")


def table_printed(text, title):
    """The rows of a printed table, each by its first cell."""
    lines = text.split(f"{title}\n", 1)[1].split("\n\n")[0].splitlines()
    return {(cells := re.split(r"  +", line.strip()))[0]: cells[1:] for line in lines}


def test_marketing_prints_what_was_spent_and_what_it_brought(run):
    done = run("marketing", *DATA, *SPENT, "--freq", "W", "--by", "source", "--model", "linear")
    assert done.returncode == 0, done.stderr
    s = ck.stitch(ck.read_events(DATA))
    spend = ck.read_spend(SPEND, currency="EUR")
    found = s.marketing(spend, freq="W", by="source", model="linear")
    assert repr(found) in done.stdout
    printed = table_printed(done.stdout, "By source")
    assert len(printed) == len(found.groups) + 2
    for row in found.groups.to_dict("records"):
        cells = printed[row["source"]]
        assert cells[0] == f"{row['spend']:,.2f}"
        assert f"{row['revenue']:,.2f}" in cells
        assert (f"{row['roas']:,.2f}" == cells[-1]) == pd.notna(row["roas"])
    weeks = table_printed(done.stdout, "By week")
    for row in found.periods.to_dict("records"):
        name = f"{row['period']:%Y-%m-%d}" + ("" if row["complete"] else " *")
        assert weeks[name][0] == f"{row['spend']:,.2f}"
    assert "* 1 week not complete" in done.stdout
    assert "see below" in done.stdout
    lost = table_printed(done.stdout, "Spend without a visit")
    assert {"microsoft", "tiktok", "pinterest"} < set(lost)
    assert "claim" not in done.stdout
    assert max(map(len, done.stdout.split("By source")[1].splitlines())) <= 80


def test_marketing_reconciles_and_writes_its_tables(run, tmp_path):
    out = tmp_path / "out"
    asked = ("marketing", *DATA, *SPENT, "--out", out)
    done = run(*asked, "--reconcile")
    assert done.returncode == 0, done.stderr
    s = ck.stitch(ck.read_events(DATA))
    spend = ck.read_spend(SPEND, currency="EUR")
    claims = s.reconcile(spend)
    assert claims.headline in done.stdout
    printed = table_printed(done.stdout, "Claims, and orders with a click within the window")
    assert printed["Google Ads"][:2] == ["12", "11"]
    assert f"Wrote 11 files to {out}.\n" in done.stdout
    found = s.marketing(spend)
    for name, table in (
        ("marketing", found.table), ("payback", found.payback()), ("bounds", claims.bounds),
        ("campaigns", found.matches.table), ("spend_rejected", spend.rejected),
    ):  # fmt: skip
        written = pd.read_csv(out / f"{name}.csv")
        assert list(written.columns) == list(table.columns)
        assert len(written) == len(table)
    assert pd.read_csv(out / "marketing.csv")["spend"].sum() == pytest.approx(138.21)
    refused = run(*asked)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    # Tables of an earlier run do not stay beside the new ones.
    assert run(*asked, "--force").returncode == 0
    assert not (out / "bounds.csv").exists()
    assert len(list(out.iterdir())) == 8


def test_marketing_adds_up_currencies_at_their_rates(run, tmp_path):
    orders, spend = tmp_path / "orders.csv", tmp_path / "spend.csv"
    pd.DataFrame(
        {
            "event_name": "Placed Order",
            "timestamp": ["2026-03-02T10:00Z", "2026-03-03T10:00Z"],
            "alias.email": ["ada@example.com", "bob@example.com"],
            "properties.total_price": [100.0, 100.0],
            "properties.currency": ["EUR", "USD"],
        }
    ).to_csv(orders, index=False)
    spend.write_text("Tag;Kosten;W\n02/03/2026;1.000,50;USD\n", "utf-8")
    asked = ["marketing", orders, "--spend", spend, "--currency", "currency"]
    asked += ["--spend-column", "date=Tag", "--spend-column", "spend=Kosten"]
    bad = run(*asked)
    assert bad.returncode == 1
    assert "Say --spend-day-first or --spend-month-first." in bad.stderr
    asked += ["--spend-column", "currency=W", "--spend-day-first", "--spend-amounts", "de"]
    done = run(*asked, "--rate", "EUR=1", "--rate", "USD=0.5")
    assert done.returncode == 0, done.stderr
    assert "Marketing(500.25 EUR spent, 2 orders for 150.00 EUR, MER 0.30" in done.stdout
    bad = run(*asked)
    assert bad.returncode == 1
    assert "--rate " in bad.stderr
    assert "rates=" not in bad.stderr


def test_what_marketing_cannot_do_is_said_in_the_words_of_the_command(run, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("Tag,Kosten\n2026-03-02,5\n")
    for arguments, message in (
        (("--spend", tmp_path / "missing.csv"), "no file is named"),
        (("--spend", own), "Say what they mean: --spend-column date=Tag"),
        (("--spend", SPEND), "Give --spend-currency EUR"),
        ((*SPENT, "--by", "chanel"), "--by must be one or several of channel"),
        ((*SPENT, "--freq", "h"), "--freq must be of days"),
        ((*SPENT, "--model", "best"), "--model must be one of"),
        ((*SPENT, "--conversion", "Purchase"), "no event is named 'Purchase'"),
        ((*SPENT, "--value", "no_such"), "no_such"),
        ((*SPENT, "--rate", "USD"), "--rate must be a currency and what one is worth"),
        ((*SPENT, "--rate", "USD=much"), "--rate must be a currency and a number"),
        ((*SPENT, "--rate", "USD=1", "--rate", "USD=2"), "--rate names 'USD' twice"),
        ((*SPENT, "--force"), "--force needs --out too"),
        ((*SPENT, "--out", own), "is a file"),
    ):
        done = run("marketing", *DATA, *arguments)
        assert done.returncode == 1, arguments
        assert message in " ".join(done.stderr.split()), done.stderr
        assert "Traceback" not in done.stderr
        assert not re.search(r"\b(by|freq|model|rates|currency|columns)=", done.stderr)
