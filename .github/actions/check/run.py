"""What the steps of action.yml do: check exports, and comment on a pull request.

All that they are told is in the environment. `check` needs convergekit; `comment`, which has the
token, runs on Python alone.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

#: Bytes of a comment, and of the summary of a step, that GitHub takes.
LONGEST_COMMENT = 65_536
LONGEST_SUMMARY = 1_048_576

COMMENTS = """
query($pull: ID!, $after: String) {
  node(id: $pull) {
    ... on PullRequest {
      comments(first: 100, after: $after) {
        nodes { id body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""
ADD = """
mutation($id: ID!, $body: String!) {
  addComment(input: {subjectId: $id, body: $body}) { commentEdge { node { url } } }
}"""
CHANGE = """
mutation($id: ID!, $body: String!) {
  updateIssueComment(input: {id: $id, body: $body}) { issueComment { url } }
}"""


def check() -> None:
    """Check the exports; hand on the exit code and what was found, and write the job's summary."""
    from convergekit.figures.markdown import code, plain

    command = [sys.executable, "-I", "-X", "utf8", "-m", "convergekit.cli", "check"]
    options = ["--format", "markdown", "--fail-on", os.environ["FAIL_ON"], *_lines("OPTIONS")]
    done = subprocess.run(
        [*command, *options, "--", *_lines("EXPORTS")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        # Lines of errors are not broken in the middle of a file's name.
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "10000"},
    )
    found = done.stdout.strip()
    exit_code = done.returncode if found else 2
    markdown = found or f"It could not be checked:\n\n{code(done.stderr.strip(), 'text')}"
    text = f"## {plain(os.environ['TITLE'])}\n\n{markdown}\n"
    _log(f"{found}\n{done.stderr}")
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
        summary.write(_at_most(LONGEST_SUMMARY, text))
    handle, name = tempfile.mkstemp(suffix=".md", dir=os.environ["RUNNER_TEMP"])
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"exit-code={exit_code}\nmarkdown={name}\n")


def comment() -> None:
    """Comment on the pull request; a comment of an earlier run is changed.

    Where that is not possible, as for a token that may not write, the job goes on with a warning.
    """
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    if "pull_request" not in event:
        print("Not a pull request: no comment.")
        return
    pull = event["pull_request"]["node_id"]
    title = hashlib.sha256(os.environ["TITLE"].encode()).hexdigest()[:16]
    mark = f"<!-- convergekit check {title} -->\n"
    text = Path(os.environ["MARKDOWN"]).read_text(encoding="utf-8")
    body = _at_most(LONGEST_COMMENT, mark + text)
    try:
        before = _comment_before(pull, mark.strip())
        _ask(CHANGE if before else ADD, id=before or pull, body=body)
    # The errors of the network are OSErrors, those of JSON ValueErrors; an answer broken off
    # or not HTTP is neither.
    except (OSError, ValueError, http.client.HTTPException) as error:
        said = f"The pull request was not commented: {error}. The token needs pull-requests: write."
        for letter, escaped in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
            said = said.replace(letter, escaped)
        print(f"::warning::{said}")


def _comment_before(pull: str, mark: str) -> str | None:
    """Return the comment of an earlier run; others may have copied its mark."""
    after = None
    while True:
        node = _ask(COMMENTS, pull=pull, after=after)["node"]
        if node is None:
            raise ValueError("the token does not see it")
        comments = node["comments"]
        for one in comments["nodes"]:
            if one["viewerDidAuthor"] and one["body"].startswith(mark):
                return str(one["id"])
        if not comments["pageInfo"]["hasNextPage"]:
            return None
        after = comments["pageInfo"]["endCursor"]


def _ask(query: str, **variables: str | None) -> dict[str, Any]:
    """Return what GitHub's GraphQL answers."""
    request = urllib.request.Request(
        os.environ["GITHUB_GRAPHQL_URL"],
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        said = json.load(answer)
    if said.get("errors"):
        raise ValueError("; ".join(str(one.get("message")) for one in said["errors"]))
    data: dict[str, Any] = said["data"]
    return data


def _lines(name: str) -> list[str]:
    return [line.strip() for line in os.environ[name].split("\n") if line.strip()]


def _log(text: str) -> None:
    """Print text of which no line is a command to the runner."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}\n{text}\n::{token}::", flush=True)


def _at_most(most: int, text: str) -> str:
    """Return text of as many bytes, cut at the end of a line."""
    if len(text.encode()) <= most:
        return text
    rest = "\n\nThe rest is left out: it is too long to be shown here.\n"
    kept = text.encode()[: most - len(rest)].decode(errors="ignore")
    return kept.rpartition("\n")[0] + rest


if __name__ == "__main__":
    {"check": check, "comment": comment}[sys.argv[1]]()
