"""Whether executors reach the workdir, and have the same convergekit."""

from __future__ import annotations

import secrets
import sys
from functools import partial
from pathlib import Path
from typing import Any

from convergekit.errors import ConvergekitError
from convergekit.parts.spark.jobs import done_with
from convergekit.parts.workdir import Workdir

#: So many tasks look for it, that several executors do.
_TASKS = 8


def refuse_unreachable(session: Any, workdir: Workdir) -> None:
    """Raise unless executors see what the driver writes, and the driver what they write.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    workdir : Workdir

    Raises
    ------
    ConvergekitError
        They do not, or they have another version of convergekit or of Python.
    """
    token = secrets.token_hex(16)
    workdir.write(token.encode(), "facts", "reach")
    told = done_with(session, range(_TASKS), partial(_seen, path=workdir.path))
    answers = {
        path.read_text("utf-8") for path in workdir.path.joinpath("facts").glob("reach-*.told")
    }
    for path in workdir.path.joinpath("facts").glob("reach*"):
        workdir.remove("facts", path.name)
    if {seen for seen, _ in told} != {token} or token not in answers:
        raise ConvergekitError(
            f"workdir={str(workdir.path)!r}: executors of Spark do not see what is written there. "
            "Give a directory that the driver and all executors share, under one path."
        )
    others = sorted({versions for _, versions in told if versions != _versions()})
    if others:
        raise ConvergekitError(
            f"executors of Spark have {others[0]}, and the driver has {_versions()}. Install the "
            "same on all; PYSPARK_PYTHON names the Python of the executors."
        )


def _seen(number: int, *, path: Path) -> tuple[str, str]:
    """Return what an executor reads there, after it wrote that beside it."""
    place = path / "facts" / "reach"
    try:
        token = place.read_text("utf-8")
        place.with_name(f"reach-{number}.told").write_text(token, "utf-8")
    except OSError:
        token = ""
    return token, _versions()


def _versions() -> str:
    from convergekit import __version__

    return f"convergekit {__version__} on Python {sys.version_info[0]}.{sys.version_info[1]}"
