"""The commands `plug-ins` and `schema`, and rules of plug-ins in the shell."""

from __future__ import annotations

import json

import pytest

import convergekit as ck
from tests.cli.test_cli import DATA, run
from tests.plugged import install

# A fixture.
__all__ = ["run"]


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_plug_ins_are_listed_and_one_that_fails_is_told(run, site):
    points = {"alias_rules": {"told-fine": "told_rules:fine", "told-gone": "told_rules:gone"}}
    install(site, "told-rules", "1.5", points, "def fine(text):\n    return text.lower()\n")
    done = run("plug-ins")
    assert done.returncode == 1
    for text in ("2 plug-ins installed", "told-fine", "told-rules", "1.5"):
        assert text in done.stdout
    assert "Left out: the plug-in 'told-gone' of told-rules 1.5" in done.stdout
    assert json.loads(run("plug-ins", "--format", "json").stdout)[0]["name"] == "told-fine"


def test_a_rule_is_named_or_refused(run, site, tmp_path):
    points = {"alias_rules": {"said-mail": "said_rules:mail"}}
    code = "def mail(text):\n    return text if '@' in text else None\n"
    install(site, "said-rules", "1.0", points, code)
    done = run("stitch", *DATA, "--rule", "email=said-mail", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "email compared by 'said-mail' of the plug-in said-rules 1.0" in done.stdout
    for wrong, told in (("email", "--rule must be an alias type and"), ("email=no", "'no', which")):
        done = run("sessions", *DATA, "--rule", wrong)
        assert done.returncode == 1
        assert told in done.stderr


def test_the_schema_is_printed(run):
    done = run("schema")
    assert done.returncode == 0
    assert json.loads(done.stdout) == ck.event_schema()
