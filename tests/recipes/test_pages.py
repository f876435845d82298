"""The pages of the recipes show the files that the tests run."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
import yaml

from tests.recipes.nights import RECIPES, ROOT

FOLDERS = sorted(path for path in RECIPES.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_page_shows_each_file_of_its_recipe(folder):
    page = folder.with_suffix(".md").read_text("utf-8")
    shown = re.findall(r"^```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    files = [
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in str(path)
    ]
    assert files
    missing = [path.name for path in files if path.read_text("utf-8") not in shown]
    assert missing == []


def test_what_is_shown_can_be_parsed():
    assert [folder.name for folder in FOLDERS] == ["airflow", "cron", "dagster", "dbt"]
    for path in RECIPES.glob("*/**/*.py"):
        ast.parse(path.read_text("utf-8"))
    for path in RECIPES.rglob("*.yml"):
        assert yaml.safe_load(path.read_text("utf-8"))
    for page in RECIPES.glob("*.md"):
        for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S):
            assert yaml.safe_load(block)


def test_the_commands_of_the_recipes_have_these_options():
    """The DAG is run by `make test-recipes` alone; here its commands are held against ours."""
    from typer.main import get_command

    from convergekit.cli.app import app

    commands = get_command(app).commands
    text = (RECIPES / "airflow" / "convergekit_nightly.py").read_text("utf-8")
    asked = re.findall(r"'\"\$CONVERGEKIT\" (\w+) ([^']*)'", text)
    assert [name for name, _ in asked] == ["check", "add", "watch"]
    for name, rest in asked:
        known = {option for one in commands[name].params for option in one.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= known


def test_the_pages_on_github_name_the_version_that_comes_next_and_the_ids_that_are_there():
    import convergekit as ck

    version = f"v{ck.__version__}"
    action = yaml.safe_load(
        re.search(r"```yaml\n(.*?)```", (RECIPES / "github-action.md").read_text("utf-8"), re.S)[1]
    )
    used = action["jobs"]["check"]["steps"][1]["uses"]
    path, _, reference = used.removeprefix("OWNER/convergekit/").partition("@")
    assert (ROOT / path / "action.yml").is_file()
    assert reference == version
    hooks = yaml.safe_load(
        re.search(r"```yaml\n(.*?)```", (RECIPES / "pre-commit.md").read_text("utf-8"), re.S)[1]
    )
    assert hooks["repos"][0]["rev"] == version


def test_the_environments_of_the_recipes_are_pinned_and_have_groups():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    for name in ("airflow", "dagster", "dbt"):
        pinned = (ROOT / "tests" / "recipes" / f"{name}.txt").read_text("utf-8").splitlines()
        names = {re.match(r"[\w.-]+", line)[0].lower() for line in pinned[1:]}
        assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in pinned[1:])
        assert {re.match(r"[\w-]+", one)[0] for one in groups[name]} <= names
