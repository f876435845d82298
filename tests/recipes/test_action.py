"""The composite action: its shell steps are run as a runner runs them, with an API of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
import yaml

import convergekit as ck

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "actions" / "check"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text("utf-8"))
STEPS = ACTION["runs"]["steps"]
EXPRESSION = re.compile(r"\$\{\{ (inputs|steps)\.([\w-]+)(?:\.outputs\.([\w-]+))? \}\}")
#: Answers that are none, and one about a pull request that the token does not see.
BROKEN = {
    "broken off": b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "no HTTP": b"SSH-2.0-x\r\n\r\n",
    "unseen": b'HTTP/1.0 200 OK\r\n\r\n{"data": {"node": null}}',
}
TITLE = "Nightly `exports` <b> -->"
needs_bash = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash"
)


class Runner:
    """Runs the steps of the action that have a script."""

    def __init__(self, folder: Path, **inputs: str):
        self.folder, self.temp = folder / "checkout", folder / "temp"
        for path in (self.folder, self.temp):
            path.mkdir()
        defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        self.inputs = {**defaults, **inputs}
        self.outputs = {"python": {"python-path": str(python_without_network(folder))}}
        self.event = {"pull_request": {"node_id": "PR_1", "number": 1}}
        self.more: dict[str, str] = {}
        self.summary = self.temp / "summary.md"

    def value(self, text: str) -> str:
        """Return a value of the action's with what stands for its expression."""

        def said(found: re.Match[str]) -> str:
            kind, name, output = found.groups()
            return self.inputs[name] if kind == "inputs" else self.outputs[name].get(output, "")

        return EXPRESSION.sub(said, text)

    def step(self, name: str) -> subprocess.CompletedProcess[str]:
        step = next(one for one in STEPS if one.get("name") == name)
        script, told, event = (self.temp / file for file in ("step.sh", "outputs", "event.json"))
        script.write_text(step["run"], "utf-8")
        told.write_text("")
        event.write_text(json.dumps(self.event))
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "GITHUB_ACTION_PATH": str(FOLDER),
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_OUTPUT": str(told),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "RUNNER_TEMP": str(self.temp),
                **self.more,
                **{name: self.value(text) for name, text in step["env"].items()},
            },
        )
        if "id" in step:
            lines = told.read_text("utf-8").splitlines()
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        return done


def python_without_network(folder: Path) -> Path:
    """Return a Python whose virtual environments have what is installed here, and a deaf pip."""
    pip = folder / "deaf" / "pip"
    pip.mkdir(parents=True)
    wrote = folder / "pip.json"
    (pip / "__init__.py").touch()
    (pip / "__main__.py").write_text(
        f"import json, sys\nopen({str(wrote)!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
    )
    lines = "\\n".join(map(str, (pip.parent, ROOT, sysconfig.get_paths()["purelib"])))
    python = folder / "python"
    python.write_text(
        "#!/bin/sh\n"
        'if [ "$2 $3" = "-m venv" ]; then\n'
        f'  {sys.executable} "$@" --without-pip\n'
        "  for last; do :; done\n"
        '  for site in "$last"/lib/python*/site-packages; do\n'
        f'    printf "{lines}\\n" > "$site/here.pth"; done\n'
        f'else exec {sys.executable} "$@"; fi\n'
    )
    python.chmod(0o755)
    return python


def hostile(folder: Path) -> list[str]:
    """Write exports whose names and events are commands to a shell, a runner and a renderer."""
    event = "Order ::error::x ##[error]x ${{ secrets.X }} $(touch run1) <img src=x> @all |"
    rows = pd.DataFrame(
        {
            "event_name": [event, "::set-env name=A::b\n::error::x", *["PageView"] * 4],
            "timestamp": [f"2026-03-02 10:0{minute}" for minute in range(6)],
            "alias.cookie": list("aabbcc"),
        }
    )
    names = ["$(touch run2).csv", "a b;touch run3;.csv", "`touch run4`.csv", "-o.csv"]
    for number, name in enumerate(names):
        rows[number * 2 : number * 2 + 2].to_csv(folder / name, index=False)
    shutil.copy(folder / names[0], folder / names[3])
    return names


@pytest.fixture
def api():
    """GitHub's GraphQL, as far as comments go."""
    kept = {"comments": [], "asked": [], "errors": None, "status": 200, "raw": None}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept["asked"].append((self.headers["Authorization"], asked))
            if kept["raw"] is not None:
                self.close_connection = True
                self.wfile.write(kept["raw"])
                return
            answer = json.dumps(answered(kept, asked["query"], asked["variables"])).encode()
            self.send_response(kept["status"])
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept["url"] = f"http://127.0.0.1:{server.server_port}/graphql"
    yield kept
    server.shutdown()
    server.server_close()


def answered(kept, query, variables):
    if kept["errors"]:
        return {"data": None, "errors": kept["errors"]}
    comments = kept["comments"]
    if "addComment" in query:
        assert variables["id"] == "PR_1"
        new = {"id": f"IC_{len(comments)}", "body": variables["body"], "viewerDidAuthor": True}
        comments.append(new)
        return {"data": {"addComment": {"commentEdge": {"node": {"url": ""}}}}}
    if "updateIssueComment" in query:
        next(one for one in comments if one["id"] == variables["id"])["body"] = variables["body"]
        return {"data": {"updateIssueComment": {"issueComment": {"url": ""}}}}
    # Two a page.
    begin = int(variables["after"] or 0)
    page = {"hasNextPage": begin + 2 < len(comments), "endCursor": str(begin + 2)}
    return {
        "data": {"node": {"comments": {"nodes": comments[begin : begin + 2], "pageInfo": page}}}
    }


@pytest.fixture
def commenting(tmp_path, api):
    """A runner that has something to comment."""
    runner = Runner(tmp_path, token="secret", title=TITLE)
    runner.more = {"GITHUB_GRAPHQL_URL": api["url"]}
    found = tmp_path / "found.md"
    found.write_text("Finding 1\n", "utf-8")
    runner.outputs["check"] = {"exit-code": "1", "markdown": str(found)}
    runner.found = found
    return runner


def test_nothing_is_put_into_a_script_but_by_the_environment():
    scripts = [step["run"] for step in STEPS if "run" in step]
    assert len(scripts) == 4
    assert not any("${{" in script for script in scripts)
    used = {
        found[2]
        for step in STEPS
        for text in (*step.get("env", {}).values(), *step.get("with", {}).values())
        for found in EXPRESSION.finditer(str(text))
        if found[1] == "inputs"
    }
    assert used == set(ACTION["inputs"])
    # The token is given to the step that comments, and to no program that reads an export.
    assert [step["name"] for step in STEPS if "TOKEN" in step.get("env", {})] == ["Comment"]
    assert STEPS[3]["if"] == "inputs.token != ''"


def test_inputs_and_outputs_are_documented_and_actions_pinned():
    for one in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert one["description"].endswith(".")
        assert ("default" in one) != ("value" in one or one.get("required", False))
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", s["uses"]) for s in STEPS if "uses" in s)
    page = (ROOT / "docs" / "recipes" / "github-action.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert listed == [*ACTION["inputs"], *ACTION["outputs"]]


@needs_bash
@pytest.mark.slow
def test_what_is_found_is_handed_on_and_nothing_hostile_is_run(tmp_path):
    runner = Runner(
        tmp_path, title=TITLE, options="--conversion=PageView\n\n", package="$(id) -r x"
    )
    names = hostile(runner.folder)
    for module in ("pip", "venv", "pandas", "json"):
        (runner.folder / f"{module}.py").write_text("open('run5', 'w').close()\n")
    runner.inputs["exports"] = "\n".join(names)
    assert runner.step("Install convergekit").stderr == ""
    asked = json.loads((tmp_path / "pip.json").read_text())
    assert asked[-2:] == ["--", "$(id) -r x"]
    assert Path(asked[asked.index("-c") + 1]).resolve() == ROOT / "constraints.txt"

    done = runner.step("Check")
    assert (done.returncode, done.stderr) == (0, "")
    expected = ck.check_up(
        ck.read_events([runner.folder / name for name in names]), conversion="PageView"
    ).to_markdown()
    assert "Placed" not in expected
    assert "event-id" in expected
    heading = r"## Nightly \`exports\` &lt;b&gt; --&gt;"
    assert runner.summary.read_text("utf-8") == f"{heading}\n\n{expected}\n"
    handed = runner.outputs["check"]
    assert handed["exit-code"] == "1"
    assert Path(handed["markdown"]).read_text("utf-8") == runner.summary.read_text("utf-8")
    # What the runner would obey stands between two lines that tell it not to.
    first, *_, last = done.stdout.rstrip().splitlines()
    token = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", first)[1]
    assert last == f"::{token}::"
    assert runner.step("Pass or fail").returncode == 1
    assert not list(runner.folder.glob("run*"))


@needs_bash
@pytest.mark.slow
def test_what_cannot_be_checked_fails_otherwise(tmp_path):
    name = "no```@all.csv"
    runner = Runner(tmp_path, exports=name)
    assert runner.step("Install convergekit").stderr == ""
    asked = json.loads((tmp_path / "pip.json").read_text())
    assert Path(asked[-1]).resolve() == ROOT
    assert runner.step("Check").returncode == 0
    said = runner.summary.read_text("utf-8")
    assert said.startswith("## convergekit check\n\nIt could not be checked:\n\n````text\nerror: ")
    assert name in said
    assert said.endswith("\n````\n")
    assert runner.step("Pass or fail").returncode == 2


@needs_bash
def test_a_pull_request_has_one_comment_which_later_runs_change(commenting, api):
    mark = commenting_mark(commenting, api)
    others = [
        {"id": f"IC_other{number}", "body": mark + "\nMine", "viewerDidAuthor": False}
        for number in range(3)
    ]
    api["comments"][:0] = others
    commenting.found.write_text("Finding 2: naïve ☕\n", "utf-8")
    assert commenting.step("Comment").stdout == ""
    assert [one["body"] for one in api["comments"]] == [
        *[mark + "\nMine"] * 3,
        f"{mark}\nFinding 2: naïve ☕\n",
    ]
    # A check with another title has another comment.
    commenting.inputs["title"] = "Other"
    commenting.step("Comment")
    assert len(api["comments"]) == 5
    assert {authorization for authorization, _ in api["asked"]} == {"Bearer secret"}


def commenting_mark(runner, api):
    """Comment for the first time, and return the mark of the comment."""
    done = runner.step("Comment")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [comment] = api["comments"]
    mark, _, text = comment["body"].partition("\n")
    assert text == "Finding 1\n"
    assert re.fullmatch("<!-- convergekit check [0-9a-f]{16} -->", mark)
    return mark


@needs_bash
def test_a_long_comment_is_cut_at_the_end_of_a_line(commenting, api):
    commenting.found.write_text("☕ line\n" * 20_000, "utf-8")
    assert commenting.step("Comment").stdout == ""
    body = api["comments"][0]["body"]
    assert 65_000 < len(body.encode()) <= 65_536
    _, *lines, _, last = body.rstrip().split("\n")
    assert set(lines) == {"☕ line"}
    assert last == "The rest is left out: it is too long to be shown here."


@needs_bash
@pytest.mark.parametrize("failing", ["forbidden", "status", "nobody", *BROKEN])
def test_a_comment_that_is_not_possible_is_a_warning(commenting, api, failing):
    if failing == "forbidden":
        api["errors"] = [{"message": "Resource not accessible\n::error::x"}]
    elif failing == "status":
        api["status"] = 502
    elif failing in BROKEN:
        api["raw"] = BROKEN[failing]
    else:
        commenting.more["GITHUB_GRAPHQL_URL"] = "http://127.0.0.1:9/graphql"
    done = commenting.step("Comment")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("::warning::The pull request was not commented: ")
    assert done.stdout.endswith("The token needs pull-requests: write.\n")
    assert done.stdout.count("\n") == 1
    assert "secret" not in done.stdout
    assert api["comments"] == []


@needs_bash
def test_outside_of_a_pull_request_nothing_is_commented(commenting, api):
    commenting.event = {"ref": "refs/heads/main"}
    assert commenting.step("Comment").stdout == "Not a pull request: no comment.\n"
    assert api["asked"] == []
