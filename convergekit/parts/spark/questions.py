"""Questions in a YAML file, and answers as files: what the Spark job asks and writes.

A file maps the name of each answer to the member that is asked, and its arguments. Names alone are
looked up, among the public members of `StitchedParts`; nothing of the file is evaluated.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.base.durable import whole_file
from convergekit.diagnostics.report import Report
from convergekit.errors import ConvergekitError, ReadError, UnknownNameError, what_there_is
from convergekit.events.steps import Step
from convergekit.figures.card import Result
from convergekit.parts.result import StitchedParts
from convergekit.parts.stitching import TABLES
from convergekit.writers.saved_frames import parquet_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: The key of the member; that of the event of a step with a condition.
_ASK, _STEP = "ask", "step"


@dataclass(frozen=True)
class AskedInFile:
    """A question of a file.

    Attributes
    ----------
    name : str
        What the files of its answer are called.
    member : str
        Of `StitchedParts`.
    arguments : dict
    """

    name: str
    member: str
    arguments: dict[str, Any]

    def answer(self, s: StitchedParts) -> Any:
        """Return what it asks of events."""
        asked = getattr(s, self.member)
        return asked(**self.arguments) if callable(asked) else asked


def questions_in(path: str | Path) -> list[AskedInFile]:
    """Return the questions of a YAML file.

    Parameters
    ----------
    path : str or pathlib.Path
        A mapping: the name of each answer to a mapping of ``ask``, the member, and its arguments.
        A step with a condition is a mapping of ``step``, ``where``, ``label`` and ``optional``, as
        `Step` takes them.

    Raises
    ------
    ReadError
        The file cannot be read, or is not YAML of plain values.
    ConvergekitError
        It asks for what is not there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "questions.yaml")
    ...     _ = path.write_text("weekly: {ask: counts, event: Placed Order, freq: W}")
    ...     questions_in(path)
    [AskedInFile(name='weekly', member='counts', arguments={'event': 'Placed Order', 'freq': 'W'})]
    """
    place = Path(path)
    content = _loaded(place)
    if not isinstance(content, Mapping):
        raise ConvergekitError(
            f"{place}: questions are a mapping, such as 'orders: {{ask: counts, event: Placed "
            f"Order}}'; got a {type(content).__name__}."
        )
    return [_question(place, name, asked) for name, asked in content.items()]


def write_answer(folder: str | Path, name: str, answer: Any) -> list[Path]:
    """Write an answer: what it says as JSON, and each of its tables as Parquet.

    Parameters
    ----------
    folder : str or pathlib.Path
        Is made if it is not there.
    name : str
        What the files are called: ``name.json``, ``name.parquet``, and further tables
        ``name-2.parquet`` and so on.
    answer : DataFrame, or what a question returned

    Returns
    -------
    list of pathlib.Path
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    said, frames = _parts_of(answer)
    files = []
    for number, frame in enumerate(frames, 1):
        path = place / (f"{name}.parquet" if number == 1 else f"{name}-{number}.parquet")
        named = pd.DataFrame(frame).rename(columns=str)
        if not isinstance(named.index, pd.RangeIndex):
            named = named.reset_index()
        _write(path, parquet_of(named, name))
        files.append(path)
    content = {"answer": said, "tables": [path.name for path in files]}
    path = place / f"{name}.json"
    _write(path, json.dumps(content, indent=1, default=str, ensure_ascii=False).encode())
    return [path, *files]


def _loaded(path: Path) -> Any:
    try:
        import yaml  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise ConvergekitError(
            "questions in a file need PyYAML: pip install 'convergekit[spark]'."
        ) from None
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ReadError(f"{path} is not YAML of plain values: {said}. Correct it.") from None


def _question(path: Path, name: Any, asked: Any) -> AskedInFile:
    where = f"{path}: {name}"
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in TABLES:
        raise ConvergekitError(
            f"{path}: {name!r} cannot be the name of a file. Take letters, digits, - and _, and "
            "not the name of a table."
        )
    if not isinstance(asked, Mapping) or not isinstance(asked.get(_ASK), str):
        raise ConvergekitError(
            f"{where}: name the member, such as '{_ASK}: funnel', with its arguments beside it."
        )
    member, asks = asked[_ASK], _members()
    if member not in asks:
        raise UnknownNameError(
            f"{where}: {_ASK}: {member!r} is not a question. {what_there_is(sorted(asks), member)}"
        )
    arguments = {key: _value(value) for key, value in asked.items() if key != _ASK}
    return AskedInFile(name, member, _checked(where, asks[member], arguments))


def _members() -> dict[str, Any]:
    """Return the members that answer: not tables, what writes files, or what a notebook shows."""
    return {
        name: member
        for name, member in vars(StitchedParts).items()
        if not name.startswith(("_", "to_", "explore"))
        and (inspect.isfunction(member) or isinstance(member, cached_property))
    }


def _checked(where: str, member: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments; raise unless the member takes them."""
    taken = list(inspect.signature(member).parameters)[1:] if callable(member) else []
    for name in arguments:
        if name not in taken:
            raise UnknownNameError(
                f"{where}: {name!r} is not an argument. {what_there_is(taken, name)}"
            )
    if callable(member):
        try:
            inspect.signature(member).bind(None, **arguments)
        except TypeError as error:
            raise ConvergekitError(f"{where}: {error}. Give it.") from None
    return arguments


def _value(given: Any) -> Any:
    if isinstance(given, list):
        return [_value(one) for one in given]
    if isinstance(given, Mapping) and _STEP in given:
        named = {("name" if key == _STEP else key): value for key, value in given.items()}
        try:
            return Step(**named)
        except TypeError:
            raise ConvergekitError(
                f"a step is a mapping of step, where, label and optional; got {dict(given)!r}."
            ) from None
    return given


def _parts_of(answer: Any) -> tuple[Any, list[pd.DataFrame]]:
    """Return what an answer says, and its tables."""
    if isinstance(answer, Report):
        return answer.to_dict(), []
    if isinstance(answer, pd.DataFrame):
        return f"a table of {len(answer):,} rows", [answer]
    if isinstance(answer, Result):
        parts = answer.parts()
        frames = [part for part in parts if isinstance(part, pd.DataFrame)]
        table = getattr(answer, "table", None)
        if isinstance(table, pd.DataFrame):
            # With numbers as they are, not as they are read.
            frames = [table]
        return [repr(answer), *(part for part in parts if isinstance(part, str))], frames
    return str(answer), []


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as file:
        file.write(content)
