"""The hook of pre-commit: pre-commit itself runs it, in a repository of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.recipes.nights import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("git") is None, reason="needs git, and programs of sh"
)
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOK = "convergekit-check"
GOOD = "event_name,timestamp,alias.cookie,event_id\nPageView,2026-03-02 10:00,a,e1\n"
BAD = "event_name,timestamp,alias.cookie,event_id\nPlaced Order,2026-03-02 10:00,,\n"


def said(*command: str | Path, folder: Path, code: int = 0) -> str:
    """Run a command with little of the environment, and return what it prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            "PATH": f"{folder.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder.parent),
            "PRE_COMMIT_HOME": str(folder.parent / "cache"),
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def pre_commit(*arguments: str | Path, folder: Path, code: int = 0) -> str:
    return said(sys.executable, "-m", "pre_commit", *arguments, folder=folder, code=code)


@pytest.fixture
def repository(tmp_path):
    """A repository with a good export, and files that are none."""
    folder = tmp_path / "shop"
    (folder / "exports").mkdir(parents=True)
    (folder / "exports" / "$(touch run) `id`;a b.csv").write_text(GOOD, "utf-8")
    (folder / "--fail-on=1000" / "exports").mkdir(parents=True)
    (folder / "--fail-on=1000" / "exports" / "a.csv").write_text(GOOD, "utf-8")
    (folder / "exports" / "notes.txt").write_text("remember the milk\n")
    (folder / "package.json").write_text("{}\n")
    said("git", "init", "--quiet", folder=folder)
    said("git", "add", ".", folder=folder)
    return folder


def test_the_manifest_is_one():
    pre_commit("validate-manifest", MANIFEST, folder=ROOT)
    assert [hook["id"] for hook in yaml.safe_load(MANIFEST.read_text("utf-8"))] == [HOOK]


@pytest.mark.slow
def test_the_hook_checks_the_exports_and_nothing_else(repository, tmp_path):
    """As it stands in the manifest, but for its installation."""
    program = tmp_path / "convergekit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convergekit.cli "$@"\n')
    program.chmod(0o755)
    [hook] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    config = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    assert "Passed" in pre_commit("run", "--all-files", folder=repository)
    (repository / "exports" / "orders.csv").write_text(BAD, "utf-8")
    said("git", "add", ".", folder=repository)
    failed = pre_commit("run", folder=repository, code=1)
    assert "Check-up of 2 events: 2 findings" in failed
    assert "[conversion-without-event-id]" in failed
    (repository / "exports" / "orders.csv").unlink()
    (repository / "exports" / "$(touch run) `id`;a b.csv").write_text('{"a": 1}', "utf-8")
    said("git", "add", ".", folder=repository)
    unread = pre_commit("run", "--all-files", folder=repository, code=1)
    assert "- exit code: 2" in unread
    assert not (repository / "run").exists()


@pytest.mark.recipes
def test_the_hook_is_installed_from_a_commit(repository, tmp_path):
    """It needs the network, or a cache of pip's."""
    clone = tmp_path / "convergekit-clone"
    said("git", "clone", "--quiet", str(ROOT), str(clone), folder=repository)
    done = pre_commit("try-repo", clone, HOOK, "--all-files", folder=repository)
    assert "Passed" in done
