"""`read_events`: export files to one canonical event frame."""

from __future__ import annotations

import contextlib
import glob
import os
import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.bounds import MOST_COLUMNS, TOO_WIDE, without_deep
from convergekit.base.durable import newest
from convergekit.base.garbage import garbage_let_be
from convergekit.base.records import take_or_missing
from convergekit.base.text import as_text
from convergekit.errors import ColumnError, ConvergekitError, ReadError, what_there_is
from convergekit.events.arrow import Frame, as_frame
from convergekit.events.canonical import canonicalise, check_required, noted, open_columns
from convergekit.events.normalise import READ_NULLS
from convergekit.events.schema import PROPERTY
from convergekit.events.shapes import READ_SHAPES
from convergekit.readers.concatenate import concatenate
from convergekit.readers.csv_types import typed
from convergekit.readers.export import Export
from convergekit.readers.fields import Rows
from convergekit.readers.files import CSV_SUFFIXES, cannot_be_opened, format_suffix, read_file
from convergekit.readers.flat_frames import flat_frame, maps_flat
from convergekit.readers.formats import AUTO, LOOKED_AT, check_format, find_format
from convergekit.readers.json_blocks import JsonBlock
from convergekit.readers.lines import Progress
from convergekit.readers.raw_rows import RawRows
from convergekit.typing import IntArray
from convergekit.visible import visible

Paths = str | Path | Iterable[str | Path]

#: From this size on, reading takes long enough for a progress bar.
PROGRESS_FROM_BYTES = 50_000_000
_OURS = ("file", "line", "read_error", READ_NULLS, READ_SHAPES)


def read_events(
    paths: Paths | Frame,
    *,
    format: str = AUTO,  # noqa: A002 - the word that pandas and pyarrow use
    columns: Mapping[str, str] | None = None,
    strict: bool = False,
    progress: bool | None = None,
) -> pd.DataFrame:
    r"""Read exports into one canonical event frame, ready for `stitch`.

    JSON Lines, JSON arrays, CSV and Parquet are read, the text formats also compressed with gzip
    or zstd: Converge's pixel, webhook and BigQuery export; Segment, RudderStack, Shopify orders,
    Google Analytics 4, PostHog, Mixpanel, Amplitude, Snowplow and Klaviyo (``docs/exports.md``);
    any other through `columns`, or `register_export`.

    Parameters
    ----------
    paths : str, pathlib.Path, iterable of these, or pandas.DataFrame
        Files, or glob patterns such as ``"exports/*.jsonl"``. A DataFrame, or any table with the
        Arrow PyCapsule interface, only gets canonical column names.
    format : str, default "auto"
        ``"converge"`` for the canonical columns and those of Converge's pixel and webhook, or
        ``"converge_bigquery"``, ``"segment"``, ``"rudderstack"``, ``"shopify"``, ``"ga4"``,
        ``"posthog"``, ``"mixpanel"``, ``"amplitude"``, ``"snowplow"``, ``"klaviyo"``, or one
        of yours. By default each file is read as the one format whose fields it has.
    columns : mapping of str to str, optional
        Canonical name to the files' own name, such as ``{"event_name": "action"}``. A file that
        has none of the columns is read by its own spelling. A field inside an object, and one
        of a vendor's format, has the name that reading it gave:
        ``{"alias.cart_token": "properties.cart_id"}``.
    strict : bool, default False
        Raise at the first row that cannot be read, instead of keeping it with its reason.
    progress : bool, optional
        Whether to show a progress bar; by default from 50 MB on, in a notebook or a terminal.

    Returns
    -------
    pandas.DataFrame
        One row per row of the files, in the order of the files, with `file`, `line` (of a JSON
        array or Parquet file: the place) and `source` (the file's name without its suffixes,
        where the file does not say). A row that cannot be read is kept, with everything missing
        and the reason in `read_error`; `stitch` lists it in `rejected`. In CSV and TSV files an
        unquoted ``\N`` is missing, and so are `NULL`, `null`, `None`, `NaN`, `nan`, `<NA>`, `#N/A`,
        `(null)`, `[NULL]` and `<null>`; where such a word stood, `read_nulls` says so, and the
        report of `stitch` counts it.

    Raises
    ------
    ReadError
        No file matches, a file cannot be read at all or is not in the format, several formats
        fit, or, under `strict`, a row cannot be read.
    ColumnError
        A required column is missing, or `columns` names one that no file has.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "browser.jsonl")
    ...     _ = path.write_text(
    ...         '{"eventName": "PageView", "timestamp": "2026-03-02T10:00:00Z",'
    ...         ' "aliases": ["urn:cookie:7f3a"], "properties": {"$url": "/coffee"}}\n'
    ...         '{"eventName": "PageVi'
    ...     )
    ...     events = read_events(path)
    >>> events[["event_name", "source", "properties.$url", "line"]].values.tolist()
    [['PageView', 'browser', '/coffee', 1], [nan, 'browser', nan, 2]]
    >>> events["read_error"].tolist()
    [nan, 'not JSON: Unterminated string starting at column 15']
    """
    check_format(format)
    if columns is not None and not isinstance(columns, Mapping):
        raise ConvergekitError(
            f"columns must map canonical names to the files' own, such as {{'event_name': "
            f"'action'}}; got {columns!r}."
        )
    if isinstance(paths, pd.DataFrame) or hasattr(paths, "__arrow_c_stream__"):
        given = as_frame(paths)
        export = _format_of(given, columns or {}, format, "the frame")
        if export is None:
            return canonicalise(given, columns=columns)
        shallow, reasons = without_deep(given)
        frame = export.settled(export.canonical(shallow))
        return canonicalise(noted(frame, reasons), columns=columns)
    files = find_files(paths)
    for path in files:
        format_suffix(path)
    named = Counter(path.name for path in files)
    total = sum(path.stat().st_size for path in files)
    parts = []
    used: set[str] = set()
    with _bar(total, progress) as bar, garbage_let_be():
        for path in files:
            bar.set_postfix_str(visible(path.name))
            file = _File(path, _label(path, named), columns or {}, format, strict)
            parts.append(file.read(bar.update))
            used |= file.used
    _check_mapping(columns or {}, used, parts)
    parts = [part for part in parts if len(part)] or parts[:1]
    return concatenate(parts)


def _bar(total: int, shown: bool | None) -> Any:
    # Imported when something is read, for tqdm.auto takes long to import.
    from tqdm.auto import tqdm

    if shown is None:
        in_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
        seen = in_notebook or sys.stderr.isatty()
        shown = seen and total >= PROGRESS_FROM_BYTES
    return tqdm(total=total, unit="B", unit_scale=True, desc="reading", disable=not shown)


def find_files(paths: Paths) -> list[Path]:
    """Return the files that paths and patterns name, each once by whatever name, in their order.

    Raises
    ------
    ReadError
        No file matches.
    """
    one = isinstance(paths, (str, bytes, Path)) or not isinstance(paths, Iterable)
    given: Any = [paths] if one else paths
    patterns = list(given)
    for pattern in patterns:
        if not isinstance(pattern, (str, os.PathLike)):
            raise ReadError(f"files must be paths, a pattern or a DataFrame; got {pattern!r}.")
    if not patterns:
        raise ReadError(
            "name at least one file: give paths, or a pattern such as 'exports/*.jsonl'."
        )
    found: dict[Path, Path] = {}
    for pattern in patterns:
        path = Path(pattern)
        try:
            path = newest(path.parent, path.name)
            is_directory, is_file = path.is_dir(), path.is_file()
        except OSError as error:
            raise cannot_be_opened(path, error) from None
        if is_directory:
            raise ReadError(f"{path} is a directory; name its files, such as '{path}/*.jsonl'.")
        if is_file:
            found.setdefault(path.resolve(), path)
            continue
        matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))
        if not matches:
            raise ReadError(f"there is no file {str(pattern)!r}; check the path or the pattern.")
        files = [newest(match.parent, match.name) for match in matches if match.is_file()]
        if not files:
            raise ReadError(f"{str(pattern)!r} matches only directories; name their files.")
        for match in files:
            found.setdefault(match.resolve(), match)
    return list(found.values())


def _label(path: Path, named: Mapping[str, int]) -> str:
    return str(path) if named[path.name] > 1 else path.name


class _File:
    """A file that is read batch by batch; its first rows say what format it is in.

    Attributes
    ----------
    used : set of str
        The names in `columns` of which the file had the column.
    """

    def __init__(
        self, path: Path, label: str, columns: Mapping[str, str], name: str, strict: bool
    ) -> None:
        self._path = path
        self._label = label
        self._columns = columns
        self._name = name
        self._strict = strict
        self._export: Export | None = None
        self._known = False
        self._names: set[str] = set()
        self.used: set[str] = set()

    def read(self, progress: Progress) -> pd.DataFrame:
        """Return the file's rows under canonical names."""
        parts: list[pd.DataFrame] = []
        lines: list[IntArray] = []
        nulls: list[pd.Series] = []
        reasons: dict[int, str] = {}
        done = 0
        for rows in read_file(self._path, progress):
            if rows.reasons and self._strict:
                first = min(rows.reasons)
                raise ReadError(f"{self._path}, line {rows.line[first]}: {rows.reasons[first]}.")
            if rows.line:
                parts.append(_narrowed(self._canonical(rows), self._names))
                self._names |= set(parts[-1].columns)
                lines.append(np.array(rows.line, dtype=np.int64))
                if rows.nulls is not None:
                    nulls.append(rows.nulls.set_axis(rows.nulls.index + done))
                reasons.update({done + row: reason for row, reason in rows.reasons.items()})
                done += len(rows.line)
        if not done:
            names = ["event_id", "event_name", "timestamp", "source", "aliases"]
            return pd.DataFrame(columns=names)
        frame = concatenate(parts)
        if self._export is not None:
            frame = self._export.settled(frame)
        with self._named_in_errors():
            check_required(frame)
        found = self._finished(frame, np.concatenate(lines), reasons)
        if nulls:
            found[READ_NULLS] = pd.concat(nulls).reindex(found.index)
        return found

    def _canonical(self, rows: RawRows) -> pd.DataFrame:
        if rows.block is not None:
            found = self._of_block(rows.block)
            if found is not None:
                return found
            rows = rows.whole()
        # What read_events adds to a row has these names; the file's own are properties.
        ours = {name: PROPERTY + name for name in _OURS if name in rows.frame}
        frame = rows.frame.rename(columns=ours) if ours else rows.frame
        if not self._known and len(rows.reasons) < len(rows.line):
            self._export = _format_of(frame, self._columns, self._name, str(self._path))
            self._known = True
        if self._export is not None:
            frame = self._export.canonical(frame)
        return self._opened(frame, frame)

    def _of_block(self, block: JsonBlock) -> pd.DataFrame | None:
        """Return lines under canonical names by whole columns, None if they need their frame."""
        if not set(_OURS).isdisjoint(block.names) or not maps_flat(self._columns):
            return None
        if not self._known and len(block.reasons) < len(block):
            head = block.head(LOOKED_AT)
            if not len(head):
                return None
            self._export = _format_of(head, self._columns, self._name, str(self._path))
            self._known = True
        if self._export is not None:
            rows = Rows(block)
            frame = self._export.canonical(rows)
            return self._opened(frame, frame, plain=rows.plain)
        opened = flat_frame(block)
        return None if opened is None else self._opened(opened, block.names, plain=set(opened))

    def _opened(
        self, frame: pd.DataFrame, names: Container[str], plain: Set[str] = frozenset()
    ) -> pd.DataFrame:
        """Return a frame under canonical names.

        Parameters
        ----------
        frame : pandas.DataFrame
        names : container of str
            What of the frame stands at the top of the file's rows; the rest is opened already.
        plain : set of str
            As `open_columns` takes it.
        """
        with self._named_in_errors():
            mapping = self._those_in(names, self._columns)
            opened = open_columns(frame, columns=mapping, plain=frozenset() if mapping else plain)
            nested = {name: own for name, own in self._columns.items() if name not in mapping}
            # Within an object, such as `properties`, a field has its name once that is opened.
            within = self._those_in(opened, nested)
            return open_columns(opened, columns=within) if within else opened

    def _those_in(self, names: Container[str], columns: Mapping[str, str]) -> dict[str, str]:
        found = {name: own for name, own in columns.items() if own in names}
        self.used |= set(found)
        return found

    def _finished(
        self, frame: pd.DataFrame, lines: IntArray, reasons: Mapping[int, str]
    ) -> pd.DataFrame:
        if format_suffix(self._path) in CSV_SUFFIXES:
            frame = typed(frame)
        stem = self._path.name.split(".")[0] or self._path.name
        if "source" in frame:
            source, _ = as_text(frame["source"])
            frame["source"] = source.where(source.notna(), stem)
        else:
            frame["source"] = pd.Series(stem, index=frame.index, dtype="str")
        frame["file"] = pd.Series(self._label, index=frame.index, dtype="str")
        frame["line"] = pd.Series(lines, index=frame.index)
        if reasons:
            unread = pd.Series(reasons, dtype="str").reindex(frame.index)
            if "read_error" in frame:
                unread = unread.where(unread.notna(), frame["read_error"])
            frame["read_error"] = unread
        elif "read_error" in frame:
            frame["read_error"] = frame.pop("read_error").astype("str")
        if self._strict and "read_error" in frame and frame["read_error"].notna().any():
            first = frame[frame["read_error"].notna()].iloc[0]
            raise ReadError(f"{self._path}, line {first['line']}: {first['read_error']}.")
        return frame

    @contextlib.contextmanager
    def _named_in_errors(self) -> Iterator[None]:
        try:
            yield
        except ColumnError as error:
            raise ColumnError(f"{self._path}: {error}") from None


def _narrowed(frame: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """Reject the rows that bring the known columns to more than a file may have."""
    new = [name for name in frame.columns if name not in known and name not in _OURS]
    beyond = new[max(MOST_COLUMNS - len(known), 0) :]
    if not beyond:
        return frame
    rows = frame[beyond].notna().to_numpy().any(axis=1)
    kept = np.where(rows, -1, np.arange(len(frame)))
    left = frame.drop(columns=beyond)
    columns = {name: take_or_missing(column, kept) for name, column in left.items()}
    columns = {n: column for n, column in columns.items() if n in known or column.notna().any()}
    narrow = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    return noted(narrow, dict.fromkeys(np.flatnonzero(rows).tolist(), TOO_WIDE))


def _format_of(
    frame: pd.DataFrame, columns: Mapping[str, str], name: str, where: str
) -> Export | None:
    """Return the format of rows, None for rows that are read by their own names."""
    if name == AUTO and any(own in frame for own in columns.values()):
        # The caller says what the file's own columns mean.
        return None
    return find_format(frame, name, where)


def _check_mapping(columns: Mapping[str, str], used: set[str], parts: list[pd.DataFrame]) -> None:
    for name, own in columns.items():
        if name not in used and any(len(part) for part in parts):
            found = sorted({column for part in parts for column in part})
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: no file has a column {own!r}. "
                f"{what_there_is(found, own)}"
            )
