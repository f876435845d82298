"""The workflow runs make targets, and nothing that does not run in a checkout."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
WORKFLOW = (WORKFLOWS / "ci.yml").read_text("utf-8")
RELEASE = (WORKFLOWS / "release.yml").read_text("utf-8")


def test_each_step_is_a_target_of_make():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    commands = re.findall(r"^ +- run: (.+)$", WORKFLOW, re.MULTILINE)
    assert commands
    assert len(commands) == len(re.findall(r"\brun:(?!$)", WORKFLOW, re.MULTILINE))
    assert set(commands) <= {f"make {target}" for target in targets}


def test_actions_are_pinned_by_major_version_and_given_no_secret():
    used = re.findall(r"uses: (\S+)", WORKFLOW)
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    assert "secrets" not in WORKFLOW


def test_a_release_is_uploaded_only_after_an_approval():
    jobs = yaml.safe_load(RELEASE)["jobs"]
    build, sign, publish = jobs["build"], jobs["sign"], jobs["publish"]
    assert [step["run"] for step in build["steps"] if "run" in step] == [
        'python release/check_release.py . "$GITHUB_REF_NAME"',
        "make release",
    ]
    assert not [step for job in (sign, publish) for step in job["steps"] if "run" in step]
    assert (sign["needs"], publish["needs"], publish["environment"]) == ("build", "sign", "release")
    uploads = [step for step in build["steps"] if "pypi" in step.get("uses", "")]
    assert not uploads
    used = re.findall(r"uses: (\S+)", RELEASE)
    others = [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)]
    assert others == ["pypa/gh-action-pypi-publish@v1.12.4"]
    # What is installed and run to build has no identity.
    assert yaml.safe_load(RELEASE)["permissions"] == {"contents": "read"}
    assert "permissions" not in build
    assert "${{" not in RELEASE
    assert "secrets" not in RELEASE


def test_make_help_lists_every_command():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert phony is not None
    named = set(phony[1].replace("\\", " ").split())
    assert named == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
