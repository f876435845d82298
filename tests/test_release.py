"""`make release` refuses what is not ready, and uploads nothing unless it is told to."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RELEASE = ROOT / "release"
CHECK = RELEASE / "check_release.py"
FILES = runpy.run_path(str(CHECK))["FILES"]


@pytest.fixture
def checkout(tmp_path):
    for name in (*FILES, "convergekit/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def ready(checkout):
    for name in FILES:
        text = (checkout / name).read_text("utf-8").replace("PLACEHOLDER", "shop-tools")
        text = text.replace(", not yet released", ", 1 December 2026")
        (checkout / name).write_text(text, "utf-8")
    return checkout


def checked(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, CHECK, root], capture_output=True, text=True, encoding="utf-8"
    )


def test_each_placeholder_is_named_with_its_line(checkout):
    done = checked(checkout)
    assert done.returncode == 1
    named = re.findall(r"^(\S+):\d+: replace the placeholder", done.stdout, re.MULTILINE)
    assert set(named) == {"pyproject.toml", "CITATION.cff", "SECURITY.md"}
    assert len(named) == sum(
        (checkout / name).read_text("utf-8").count("PLACEHOLDER") for name in FILES
    )


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
    changelog = ready / "CHANGELOG.md"
    text = changelog.read_text("utf-8").replace(", 1 December 2026", "")
    changelog.write_text(text, "utf-8")
    done = checked(ready)
    assert done.returncode == 1
    assert "CHANGELOG.md: give 0.1.0 its day" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("upload", "uploads"), [(None, False), ("no", False), ("yes", True)])
def test_make_release_uploads_only_when_it_is_told_to(upload, uploads):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    environment.pop("CONVERGEKIT_UPLOAD", None)
    if upload:
        environment["CONVERGEKIT_UPLOAD"] = upload
    done = subprocess.run(
        ["make", "--dry-run", "release"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = done.stdout
    assert ("twine upload" in commands) == uploads
    assert commands.index("check_release.py") < commands.index("check_wheel.py")


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
