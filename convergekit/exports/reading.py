"""`read_events`: export files to one canonical event frame."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from convergekit.arrow import Frame, as_frame
from convergekit.errors import ColumnError, ReadError, did_you_mean
from convergekit.events import ALIAS, PROFILE_PROPERTY, PROPERTY, canonicalise
from convergekit.exports.files import RawRows, format_suffix, read_file
from convergekit.exports.formats import AUTO, check_format, find_format
from convergekit.records import column_from_values
from convergekit.text import as_text

Paths = str | Path | Iterable[str | Path]

#: From this size on, reading takes long enough for a progress bar.
PROGRESS_FROM_BYTES = 50_000_000
_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?"


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
    Google Analytics 4, PostHog, Mixpanel, Amplitude and Snowplow (``docs/exports.md``); any other
    through `columns`, or `register_export`.

    Parameters
    ----------
    paths : str, pathlib.Path, iterable of these, or pandas.DataFrame
        Files, or glob patterns such as ``"exports/*.jsonl"``. A DataFrame, or any table with the
        Arrow PyCapsule interface, is only brought to canonical column names.
    format : str, default "auto"
        ``"converge"`` for the canonical columns and those of Converge's pixel and webhook, or
        ``"converge_bigquery"``, ``"segment"``, ``"rudderstack"``, ``"shopify"``, ``"ga4"``,
        ``"posthog"``, ``"mixpanel"``, ``"amplitude"``, ``"snowplow"``, or one of yours. By
        default each file is read as the one format whose fields it has.
    columns : mapping of str to str, optional
        Canonical name to the files' own name, such as ``{"event_name": "action"}``. A file that
        has none of the columns is read by its own spelling. Of a vendor's format, the name that
        reading it gave: ``{"alias.cart_token": "properties.cart_id"}``.
    strict : bool, default False
        Raise at the first row that cannot be read, instead of keeping it with its reason.
    progress : bool, optional
        Whether to show a progress bar; by default from 50 MB on.

    Returns
    -------
    pandas.DataFrame
        One row per row of the files, in the order of the files, with `file`, `line` (of a JSON
        array or Parquet file: the place) and `source` (the file's name without its suffixes,
        where the file does not say). A row that cannot be read is kept, with everything missing
        and the reason in `read_error`; `stitch` lists it in `rejected`.

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
    if paths is None or isinstance(paths, (int, float)):
        raise ReadError(f"paths={paths!r}: give paths, a pattern, or a DataFrame.")
    check_format(format)
    if isinstance(paths, pd.DataFrame) or hasattr(paths, "__arrow_c_stream__"):
        frame = _in_vendor_fields(as_frame(paths), columns or {}, format, "the frame")
        return canonicalise(frame, columns=columns)
    files = _find(paths)
    for path in files:
        format_suffix(path)
    total = sum(path.stat().st_size for path in files if path.is_file())
    shown = total >= PROGRESS_FROM_BYTES if progress is None else progress
    parts = []
    used: set[str] = set()
    with _bar(total, shown) as bar:
        for path in files:
            bar.set_postfix_str(path.name)
            rows = read_file(path, bar.update)
            if strict and rows.reasons:
                first = min(rows.reasons)
                raise ReadError(f"{path}, line {rows.line[first]}: {rows.reasons[first]}.")
            part, mapped = _canonical_part(path, rows, columns or {}, format, _label(path, files))
            used.update(mapped)
            parts.append(part)
    _check_mapping(columns or {}, used, parts)
    return _concatenate([part for part in parts if len(part)] or parts[:1])


def _bar(total: int, shown: bool) -> Any:
    # Imported when something is read, for tqdm.auto takes long to import.
    from tqdm.auto import tqdm

    return tqdm(total=total, unit="B", unit_scale=True, desc="reading", disable=not shown)


def _find(paths: Paths) -> list[Path]:
    patterns = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not patterns:
        raise ReadError("no files were named; give paths, or a pattern such as 'exports/*.jsonl'.")
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            raise ReadError(f"{path} is a directory; name its files, such as '{path}/*.jsonl'.")
        if path.is_file():
            found[path] = None
            continue
        matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))
        if not matches:
            raise ReadError(f"there is no file {str(pattern)!r}; check the path or the pattern.")
        files = [match for match in matches if match.is_file()]
        if not files:
            raise ReadError(f"{str(pattern)!r} matches directories alone; name their files.")
        found.update(dict.fromkeys(files))
    return list(found)


def _label(path: Path, files: list[Path]) -> str:
    same_name = sum(other.name == path.name for other in files) > 1
    return str(path) if same_name else path.name


def _in_vendor_fields(
    frame: pd.DataFrame, columns: Mapping[str, str], name: str, where: str
) -> pd.DataFrame:
    """Return the frame with a vendor's rows under canonical names, others as they are."""
    if name == AUTO and any(own in frame for own in columns.values()):
        # The caller says what the file's own columns mean.
        return frame
    export = find_format(frame, name, where)
    return frame if export is None else export.canonical(frame)


def _canonical_part(
    path: Path, rows: RawRows, columns: Mapping[str, str], name: str, label: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return a file's rows under canonical names, and the columns that `columns` mapped."""
    # What read_events says of a row goes by these names; the file's own are properties.
    ours = {name: PROPERTY + name for name in ("file", "line", "read_error")}
    frame = rows.frame.rename(columns=ours)
    if not len(frame):
        names = ["event_id", "event_name", "timestamp", "source", "aliases"]
        return pd.DataFrame(columns=names), []
    frame = _in_vendor_fields(frame, columns, name, str(path))
    mapping = {n: own for n, own in columns.items() if own in frame}
    try:
        frame = canonicalise(frame, columns=mapping)
    except ColumnError as error:
        raise ColumnError(f"{path}: {error}") from None
    if format_suffix(path) in (".csv", ".tsv"):
        frame = frame.apply(_typed_cells)
    stem = path.name.split(".")[0] or path.name
    given = frame["source"] if "source" in frame else pd.Series(index=frame.index, dtype="str")
    source, _ = as_text(given)
    frame["source"] = source.where(source.notna(), stem)
    frame["file"] = pd.Series(label, index=frame.index, dtype="str")
    frame["line"] = pd.Series(rows.line, dtype="int64")
    if rows.reasons:
        unread = pd.Series(rows.reasons, dtype="str").reindex(frame.index)
        if "read_error" in frame:
            unread = unread.where(unread.notna(), frame["read_error"])
        frame["read_error"] = unread
    return frame, list(mapping.values())


def _typed_cells(column: pd.Series) -> pd.Series:
    """Give a CSV's property its type, where every cell says the same and nothing is lost."""
    name = str(column.name)
    cells = column.dropna()
    if column.dtype != "str" or cells.empty:
        return column
    if name == "event_id" or name.startswith(ALIAS):
        # A column of whole numbers with a gap, as pandas writes it.
        floats = cells.str.fullmatch(r"\d+\.0").all()
        return column.str.removesuffix(".0") if floats else column
    if not name.startswith((PROPERTY, PROFILE_PROPERTY)):
        return column
    if cells.str.fullmatch(_NUMBER).all():
        return _numbers(column, cells)
    if cells.str.casefold().isin({"true", "false"}).all():
        return (column.str.casefold() == "true").astype("boolean").mask(column.isna())
    if cells.str.startswith(("{", "[")).all():
        try:
            decoded = {row: json.loads(cell) for row, cell in cells.items()}
        except (ValueError, RecursionError):
            return column
        values = [decoded.get(row) for row in column.index]
        return pd.Series(values, index=column.index, dtype=object)
    return column


def _numbers(column: pd.Series, cells: pd.Series) -> pd.Series:
    if cells.str.fullmatch(r"-?\d{1,18}").all():
        return column.astype("Int64") if len(cells) < len(column) else column.astype("int64")
    digits = cells.str.replace(r"[eE].*|\D", "", regex=True).str.lstrip("0").str.len()
    # A float keeps 15 digits; a longer number is an identifier, and stays text.
    return column.astype("float64") if (digits <= 15).all() else column


def _check_mapping(columns: Mapping[str, str], used: set[str], parts: list[pd.DataFrame]) -> None:
    for name, own in columns.items():
        if own not in used and any(len(part) for part in parts):
            found = sorted({column for part in parts for column in part})
            raise ColumnError(
                f"columns={{{name!r}: {own!r}}}: no file has a column {own!r}. "
                f"Found: {', '.join(found)}.{did_you_mean(own, found)}"
            )


def _concatenate(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put files one below the other; a column keeps its type where a file lacks it."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(column for part in parts for column in part)
    columns = {}
    for name in names:
        dtypes = {str(part[name].dtype) for part in parts if name in part and _says(part[name])}
        column = pd.concat([_piece(part, name, dtypes) for part in parts], ignore_index=True)
        if len(dtypes) > 1 and all(map(_is_number, dtypes)):
            column = column_from_values([None if pd.isna(v) else v for v in column.tolist()])
        columns[name] = column
    frame = pd.DataFrame(columns)
    trailing = [c for c in ("file", "line", "read_error") if c in frame]
    return frame[[c for c in frame if c not in trailing] + trailing]


def _says(column: pd.Series) -> bool:
    return bool(column.notna().any())


def _is_number(dtype: str) -> bool:
    return dtype.lower().startswith(("int", "uint", "float"))


_NULLABLE = {"int64": "Int64", "bool": "boolean"}


def _piece(part: pd.DataFrame, name: str, dtypes: set[str]) -> pd.Series:
    common = {_NULLABLE.get(dtype, dtype) for dtype in dtypes}
    if name in part and _says(part[name]):
        column = part[name]
        if len(common) > 1:
            return column.astype(object).where(column.notna(), None)
        return column.astype(next(iter(common)))
    if len(common) == 1 and common != {"object"}:
        return pd.Series(index=part.index, dtype=next(iter(common)))
    return pd.Series([None] * len(part), index=part.index, dtype=object)
