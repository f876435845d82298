"""`make release` refuses what is not ready, checks what it builds, and publishes nothing."""

from __future__ import annotations

import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

import convergekit as ck

ROOT = Path(__file__).parent.parent
RELEASE = ROOT / "release"
CHECK = RELEASE / "check_release.py"
FILES = runpy.run_path(str(CHECK))["FILES"]


@pytest.fixture
def checkout(tmp_path):
    for name in (*FILES, "convergekit/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def ready(checkout):
    for name in FILES:
        text = (checkout / name).read_text("utf-8").replace("PLACEHOLDER", "shop-tools")
        (checkout / name).write_text(text, "utf-8")
    date(checkout, "1 December 2026")
    return checkout


def date(root: Path, day: str) -> None:
    """Write a day, or what stands for none, into the heading of the version of the checkout."""
    changelog = root / "CHANGELOG.md"
    heading = rf"^(## {re.escape(ck.__version__)}), .*$"
    text, found = re.subn(heading, rf"\1, {day}", changelog.read_text("utf-8"), flags=re.MULTILINE)
    assert found == 1
    changelog.write_text(text, "utf-8")


def checked(root: Path, *tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, CHECK, root, *tag], capture_output=True, text=True, encoding="utf-8"
    )


def test_each_placeholder_is_named_with_its_line(ready):
    lines = {name: len((ready / name).read_text("utf-8").splitlines()) for name in FILES}
    for name in FILES:
        with (ready / name).open("a", encoding="utf-8") as file:
            file.write("# PLACEHOLDER https://example.org/PLACEHOLDER/convergekit\n")
    done = checked(ready)
    assert done.returncode == 1
    named = re.findall(r"^(\S+):(\d+): replace the placeholder", done.stdout, re.MULTILINE)
    expected = [(name, str(count + 1)) for name, count in lines.items() for _ in range(2)]
    assert named == expected


def test_what_is_filled_in_passes(ready):
    done = checked(ready)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", FILES)
def test_one_placeholder_is_enough_to_refuse(ready, name):
    with (ready / name).open("a", encoding="utf-8") as file:
        file.write("\n# https://example.org/PLACEHOLDER\n")
    done = checked(ready)
    assert done.returncode == 1
    assert f"{name}:" in done.stdout


def test_a_version_without_a_day_is_refused(ready):
    date(ready, "not yet released")
    done = checked(ready)
    assert done.returncode == 1
    assert f"CHANGELOG.md: give {ck.__version__} its day" in done.stdout


def test_a_tag_of_another_version_is_refused(ready):
    assert checked(ready, f"v{ck.__version__}").returncode == 0
    for tag in (ck.__version__, f"v{ck.__version__}rc1", "v99.0.0", ""):
        done = checked(ready, tag)
        assert done.returncode == 1
        assert f"the tag is {tag!r}, the version {ck.__version__}" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_release_checks_first_and_publishes_nothing():
    environment = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    for target in ("release", "release-files"):
        done = subprocess.run(
            ["make", "--dry-run", target],
            cwd=ROOT,
            env=environment | {"CONVERGEKIT_UPLOAD": "yes"},
            capture_output=True,
            text=True,
            check=True,
        )
        commands = done.stdout
        assert commands.index("check_release.py") < commands.index("check_pages.py")
        assert commands.index("check_pages.py") < commands.index("build_release.py")
        assert "upload" not in commands
        assert ("tests.processors" in commands) == (target == "release")


def built(directory: Path) -> list[Path]:
    """Build wheel and sdist without the network, with a build backend of this environment."""
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", directory]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return sorted(directory.iterdir())


@pytest.mark.slow
def test_two_builds_have_the_same_bytes_and_the_demo_runs_from_the_wheel_alone(tmp_path):
    (wheel, sdist), again = built(tmp_path / "one"), built(tmp_path / "two")
    assert [wheel.read_bytes(), sdist.read_bytes()] == [file.read_bytes() for file in again]
    with tarfile.open(sdist) as archive:
        inside = {name.split("/")[1] for name in archive.getnames()}
    needed = {"convergekit", "README.md", "LICENSE", "pyproject.toml", "PKG-INFO"}
    assert inside - {".gitignore"} == needed
    wheel_checks().check_contents(wheel)
    # Nothing but the package: no data/, and a directory in which nothing else is.
    alone, empty = tmp_path / "alone", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as file:
        file.extractall(alone)
    done = subprocess.run(
        [sys.executable, "-P", "-c", _DEMO],
        cwd=empty,
        env=os.environ | {"PYTHONPATH": str(alone), "CONVERGEKIT_KERNELS": "never"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(alone))
    assert "after stitching" in done.stdout
    assert not list(empty.iterdir())


_DEMO = """
import sys
import convergekit
from convergekit.cli import main
print(convergekit.__file__, flush=True)
sys.argv = ["convergekit", "demo"]
main()
"""


def wheel_checks() -> Any:
    return importlib.import_module("check_wheel")


@pytest.fixture(autouse=True)
def scripts_of_the_release(monkeypatch):
    monkeypatch.syspath_prepend(str(RELEASE))


def test_notes_are_the_section_of_one_version():
    notes_of = importlib.import_module("build_release").notes_of
    sections = "# Changelog\n\n## 0.2.0, not yet released\n\n- New.\n\n"
    sections += "## 0.1.0, 1 December 2026\n\n- First.\n\n## 0.0.1, 1 May 2026\n\n- Tried.\n"
    assert notes_of(sections, "0.1.0") == "## 0.1.0, 1 December 2026\n\n- First.\n"
    assert notes_of(sections, "0.0.1") == "## 0.0.1, 1 May 2026\n\n- Tried.\n"
    with pytest.raises(SystemExit, match=r"no section of 0\.2\.0 with its day"):
        notes_of(sections, "0.2.0")


def test_provenance_names_the_commit_and_the_digest_of_each_file(tmp_path):
    file = tmp_path / "convergekit-0.1.0.tar.gz"
    file.write_bytes(b"abc")
    made = importlib.import_module("build_release").provenance_of(
        [file], "0.1.0", "c0ffee", "https://example.org/code"
    )
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert made["subject"] == [{"name": file.name, "digest": {"sha256": digest}}]
    (source,) = made["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {"uri": "git+https://example.org/code", "digest": {"gitCommit": "c0ffee"}}


def test_a_release_is_of_a_commit(tmp_path):
    committed = importlib.import_module("build_release").committed
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    commit, date = committed(tmp_path)
    assert (len(commit), date.isdigit()) == (40, True)
    (tmp_path / "left.py").touch()
    with pytest.raises(SystemExit, match=r"commit first; .*\n.*left\.py"):
        committed(tmp_path)


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_conda_recipe_requires_what_the_package_does():
    conda = importlib.import_module("conda_recipe")
    recipe = yaml.safe_load(conda.filled_in("0.1.0", "0" * 64))
    wanted = conda.wanted(project())
    assert len(wanted) == len(project()["dependencies"]) + 1
    required = [one.replace("${{ python_min }}", "3.11") for one in recipe["requirements"]["run"]]
    assert required == wanted
    assert "hatchling >=1.27" in recipe["requirements"]["host"]
    assert recipe["about"]["summary"] == project()["description"]
    scripts = [f"{name} = {place}" for name, place in project()["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts
    assert (recipe["context"]["version"], recipe["source"]["sha256"]) == ("0.1.0", "0" * 64)


def test_the_conda_recipe_is_rendered_and_a_wrong_one_refused(tmp_path):
    rattler = pytest.importorskip("rattler_build", reason="make release installs it")
    conda = importlib.import_module("conda_recipe")
    path = tmp_path / "recipe.yaml"
    path.write_text(conda.filled_in("0.1.0", "0" * 64), "utf-8")
    found = conda.rendered(path, "3.11")
    assert found["requirements"]["run"] == conda.wanted(project())
    assert found["requirements"]["host"][0] == "python 3.11.*"
    path.write_text(path.read_text("utf-8").replace("requirements:", "requirement:"), "utf-8")
    with pytest.raises(rattler.RattlerBuildError):
        conda.rendered(path, "3.11")


def test_binder_installs_pinned_versions_and_what_the_notebooks_import():
    lines = (ROOT / ".binder" / "requirements.txt").read_text("utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    assert lines[0] == "-c ../constraints.txt"
    assert (ROOT / ".binder" / "runtime.txt").read_text("utf-8") == "python-3.11\n"
    ours = re.fullmatch(r"\.\[(.+)\]", lines[1])
    extras = project()["optional-dependencies"]
    wanted = [one for name in ours[1].split(",") for one in extras[name]]
    names = [
        re.split(r"[\[<>=]", one)[0] for one in [*project()["dependencies"], *wanted, *lines[2:]]
    ]
    pinned = (ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-")
    assert all(f"\n{name}==" in pinned for name in names)
    imported = {
        name
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for name in re.findall(r"^(?:import|from) (\w+)", cell.source, re.MULTILINE)
    }
    assert "convergekit" in imported
    assert imported <= {"convergekit", *names}


_OPENED = {
    "Binder": r"https://mybinder\.org/v2/gh/[\w-]+/convergekit/HEAD\?labpath=",
    "Colab": r"https://colab\.research\.google\.com/github/[\w-]+/convergekit/blob/main/",
}


@pytest.mark.parametrize(("page", "folder"), [("README.md", "docs/"), ("docs/notebooks.md", "")])
def test_badges_open_a_notebook_that_is_there(page, folder):
    text = (ROOT / page).read_text("utf-8")
    badges = re.findall(r"^\[!\[Open in (\w+)\]\((\S+)\)\]\((\S+)\)$", text, re.MULTILINE)
    assert [name for name, _, _ in badges] == ["Binder", "Colab"]
    for name, picture, address in badges:
        assert picture == f"{folder}open-in-{name.lower()}.svg"
        assert (ROOT / "docs" / Path(picture).name).is_file()
        assert re.match(_OPENED[name], address)
        assert (ROOT / address[address.index("notebooks/") :]).is_file()


def wheel_with(directory: Path, metadata: str) -> Path:
    wheel = directory / "convergekit-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("convergekit/py.typed", "")
        file.writestr("convergekit/cli/app.py", "")
        file.writestr("convergekit-0.1.0.dist-info/METADATA", metadata)
    return wheel


def test_a_wheel_offers_only_the_extras_of_its_users(tmp_path):
    check_contents = runpy.run_path(str(RELEASE / "check_wheel.py"))["check_contents"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    metadata = "Name: convergekit\n" + "".join(f"Provides-Extra: {name}\n" for name in extras)
    check_contents(wheel_with(tmp_path, metadata))
    with pytest.raises(SystemExit, match="offers the extras .*dev"):
        check_contents(wheel_with(tmp_path, metadata + "Provides-Extra: dev\n"))
