"""Check a built wheel: small, only the package and its users' extras, runs without the checkout.

python release/check_wheel.py dist/convergekit-*.whl (installs it, so it needs the package index)
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

LARGEST = 2_500_000
#: Stands in what the demo prints once it has come to its end.
_STITCHED = "after stitching"
#: What helps to develop convergekit is a dependency group, and offered to nobody else.
EXTRAS = {"duckdb", "excel", "fast", "mcp", "pandera", "phone", "png", "polars", "spark", "watch"}
CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"


def main(wheel: Path) -> None:
    """Say what holds, or stop with what does not."""
    check_contents(wheel)
    with installed(wheel) as programs:
        check_programs(programs, wheel)
    check_uv(wheel)


@contextlib.contextmanager
def installed(wheel: Path) -> Iterator[Path]:
    """Give the programs of an environment that holds the wheel and what it needs, not even pip."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory, "env")
        venv.create(home)
        programs = home / ("Scripts" if sys.platform == "win32" else "bin")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        pip += ["--python", programs / "python", "install", "--quiet", "-c", CONSTRAINTS]
        run(Path(directory), *pip, wheel.resolve())
        yield programs


def check_programs(programs: Path, wheel: Path) -> None:
    """Stop if what is installed does not run far from the checkout, which has the data."""
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        said = run(home, programs / "convergekit", "--version")
        require(said == f"convergekit {version}\n", f"--version says {said!r}, not {version}")
        said = run(home, programs / "convergekit", "demo")
        require(_STITCHED in said, f"convergekit demo printed:\n{said}")
        said = run(home, programs / "python", "-c", "import convergekit as ck; ck.show_versions()")
        require(version in said, f"ck.show_versions printed:\n{said}")
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size:,} bytes; installs into an empty environment, and the demo runs")


def check_uv(wheel: Path) -> None:
    """Stop if the demo does not run from the wheel by uv, as ``uvx convergekit demo`` does.

    It installs the newest versions that pyproject.toml allows, as for users.
    """
    from uv import find_uv_bin

    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        tool = [
            find_uv_bin(),
            "tool",
            "run",
            "--isolated",
            "--no-config",
            "--from",
            wheel.resolve(),
        ]
        said = run(home, *tool, "--python", sys.executable, "convergekit", "demo")
        require(_STITCHED in said, f"uv tool run ... convergekit demo printed:\n{said}")
        require(not list(home.iterdir()), "convergekit demo left files behind")
    print(f"uv tool run --from {wheel.name} convergekit demo: runs with the newest libraries")


def check_contents(wheel: Path) -> None:
    """Stop if the wheel is large, or holds or offers what does not belong to the package."""
    size = wheel.stat().st_size
    require(size < LARGEST, f"{wheel.name} has {size:,} bytes; at most {LARGEST:,} are meant")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        extras = Parser().parsestr(file.read(metadata).decode()).get_all("Provides-Extra", [])
    require(set(extras) == EXTRAS, f"{wheel.name} offers the extras {', '.join(sorted(extras))}")
    strangers = [n for n in names if n.split("/")[0].split("-")[0] != "convergekit"]
    require(not strangers, f"{wheel.name} also holds {', '.join(strangers)}")
    for needed in ("convergekit/py.typed", "convergekit/cli/app.py"):
        require(needed in names, f"{wheel.name} lacks {needed}")


def run(directory: Path, *command: object) -> str:
    """Run a command in a directory with nothing in it, and return what it printed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=directory, capture_output=True, text=True, check=False
    )
    require(done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def require(holds: bool, otherwise: str) -> None:
    """Stop with a message if something does not hold."""
    if not holds:
        raise SystemExit(otherwise)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
