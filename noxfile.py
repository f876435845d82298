"""Run the tests on other versions than those of constraints.txt: ``make versions``, or nox.

An interpreter that this machine lacks is skipped, and nox says so. Arguments after ``--`` go to
pytest in place of all tests but the browser's: ``nox -s oldest --
tests/readers/test_read_events.py``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nox

_PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]
_EXTRAS = ("fast", "phone", "polars", "duckdb", "excel", "watch", "mcp", "pandera")
# What the tests need, which is not a dependency of ours, and stays at its newest. Not lifelines, of
# which only an old release takes pandas 3: the tests with constraints.txt compare with it.
_TESTS = (
    "hatchling",
    "hypothesis",
    "jinja2",
    "jsonschema",
    "pytest",
    "pytest-xdist",
    "nbformat",
    "ipykernel",
)
_ALL = ("-n", "auto", "--ignore=tests/browser", "--ignore=tests/figures/test_gallery.py")

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """On the oldest Python, with the lower bound of every dependency in pyproject.toml."""
    bounds = Path(session.create_tmp(), "oldest.txt")
    # The oldest typer knows no newer Click, and warns of what it will lose.
    bounds.write_text("".join(f"{pin}\n" for pin in [*_lower_bounds(), "click==8.1.7"]))
    session.install("-c", str(bounds), f".[{','.join(_EXTRAS)}]", *_TESTS)
    _test(session)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def newest(session: nox.Session) -> None:
    """On each Python, with the newest of everything, and with what pandas will do by default."""
    session.install("--upgrade", f".[{','.join(_EXTRAS)}]", *_TESTS)
    _test(session, "-p", "tests.pandas_future")


def _lower_bounds() -> list[str]:
    """Return each dependency at its lower bound: ``pandas==3.0`` for ``pandas>=3.0``."""
    wanted = [*_PROJECT["dependencies"]]
    wanted += [name for extra in _EXTRAS for name in _PROJECT["optional-dependencies"][extra]]
    # Constraints name no extras.
    return [re.sub(r"\[.*?\]", "", name).replace(">=", "==") for name in wanted]


def _test(session: nox.Session, *options: str) -> None:
    session.run("convergekit", "--version")
    # A warning is an error there, by pyproject.toml; -W error holds from the first import on.
    session.run("python", "-W", "error", "-c", "import convergekit")
    session.run("python", "-m", "pytest", "-q", *options, *(session.posargs or _ALL))
