"""`read_events`: export files to one canonical event frame."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from convergekit.base.bounds import MOST_COLUMNS, TOO_WIDE, without_deep
from convergekit.base.durable import newest
from convergekit.base.garbage import garbage_let_be
from convergekit.base.grouping import run_starts
from convergekit.base.options import choice
from convergekit.base.records import MANY_COLUMNS, take_or_missing
from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.errors import (
    ColumnError,
    ConvergekitError,
    ReadError,
    callers_level,
    what_there_is,
)
from convergekit.events.arrow import Frame, as_frame, with_python_lists
from convergekit.events.canonical import check_required, noted, open_columns
from convergekit.events.money import Amounts
from convergekit.events.normalise import READ_PLUG_IN, SAID_BY_READERS
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, PROPERTY
from convergekit.events.shapes import READ_SHAPES
from convergekit.readers.archives import is_archive, members_of
from convergekit.readers.clocks import check_clock, in_clock
from convergekit.readers.columns.flat_frames import flat_frame
from convergekit.readers.columns.json_blocks import JsonBlock
from convergekit.readers.concatenate import concatenate
from convergekit.readers.csv_types import typed
from convergekit.readers.export import Export
from convergekit.readers.fields import Records, Rows, in_capitals
from convergekit.readers.files import (
    CSV_SUFFIXES,
    cannot_be_opened,
    format_suffix,
    read_file,
    small_file,
    suffix_of,
)
from convergekit.readers.formats import (
    AUTO,
    CONVERGE,
    ROWS_THAT_TELL,
    UntoldError,
    advice_on,
    check_format,
    find_format,
    format_named,
    format_names,
    format_of_records,
    said_of_plug_in,
    warn_of_plug_ins,
)
from convergekit.readers.gathered import OF_LINES, ItemLines, gathered, gathered_frame
from convergekit.readers.lines import Progress, check_encoding
from convergekit.readers.own.columns import (
    ColumnsOfFiles,
    OwnColumns,
    check_columns,
    columns_of,
    mapped,
    of_patterns,
)
from convergekit.readers.own.written import with_amounts, with_dates
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows
from convergekit.readers.recognition import paths_read
from convergekit.readers.small_files import SmallFile, bytes_held, rows_of_files
from convergekit.readers.sources import Source, sources_of
from convergekit.readers.tables import batches_of, head_of, is_table
from convergekit.readers.vendors.matomo_visits import opened_visits
from convergekit.typing import BoolArray, IntArray
from convergekit.visible import visible

Paths = str | Path | Iterable[str | Path]

#: From this size on, reading takes long enough for a progress bar.
PROGRESS_FROM_BYTES = 50_000_000
#: So many of the files that were left out are named.
_MOST_NAMED = 5
#: Small files are read as one while they have no more than so many bytes.
_BATCH_BYTES = 32 * 1024 * 1024
#: Columns of which a CSV file's cells tell the types.
_TYPED = (ALIAS, PROPERTY, PROFILE_PROPERTY)
_OURS = ("file", "line", "read_error", *SAID_BY_READERS, READ_SHAPES)


def read_events(
    paths: Paths | Frame,
    *,
    format: str = AUTO,  # noqa: A002 - the word that pandas and pyarrow use
    columns: ColumnsOfFiles | None = None,
    clock: Mapping[str, str] | None = None,
    encoding: str | None = None,
    day_first: bool | None = None,
    amounts: Amounts | None = None,
    items: ItemLines | None = None,
    strict: bool = False,
    progress: bool | None = None,
) -> pd.DataFrame:
    r"""Read exports into one canonical event frame, ready for `stitch`.

    JSON Lines, JSON arrays, CSV and Parquet are read, the text formats also compressed with gzip,
    zstd, bzip2 or xz, and all of them in ZIP and tar archives and in folders. The exports of
    vendors are recognised: Converge's pixel, webhook and BigQuery export; Segment, RudderStack,
    Shopify, WooCommerce, Stripe, Google Analytics 4, PostHog, Mixpanel, Amplitude, Snowplow,
    Klaviyo and Matomo (``docs/exports.md``). Any other is read through `columns`, or
    `register_export`.

    Parameters
    ----------
    paths : str, pathlib.Path, iterable of these, or pandas.DataFrame
        Files, archives, folders (their files and those below, in the order of their names), or
        glob patterns such as ``"exports/*.jsonl"``. A DataFrame, or any table with the Arrow
        PyCapsule interface, is read as the rows of a file.
    format : str, default "auto"
        ``"converge"`` for the canonical columns and those of Converge's pixel and webhook, or
        ``"converge_bigquery"``, ``"segment"``, ``"rudderstack"``, ``"shopify"``,
        ``"shopify_checkouts"``, ``"shopify_csv"``, ``"shopify_graphql"``, ``"woocommerce"``,
        ``"woocommerce_csv"``, ``"woocommerce_orders_csv"``, ``"stripe"``, ``"stripe_csv"``,
        ``"ga4"``, ``"ga4_flat"``, ``"posthog"``, ``"posthog_persons"``, ``"mixpanel"``,
        ``"amplitude"``, ``"snowplow"``, ``"klaviyo"``, ``"matomo"``, a warehouse table
        (``"segment_tracks"``, ``"segment_pages"``, ``"segment_screens"``, ``"segment_identifies"``,
        ``"segment_groups"``, ``"segment_aliases"``), or one of yours. By default each file is
        read as the one format whose fields it has, or which other files of the call are in. A
        format that is named is believed: only what an event's name and time are read from has to
        be there.
    columns : mapping, optional
        Canonical name to where the files have it: a column (``{"event_name": "action"}``), a path
        into objects and lists (``"user.anon"``, ``"items[].sku"``), a list of these in order of
        preference, ``ck.constant("Placed Order")``, or a function from the rows as they came to
        one value a row. With an event name and a time they say all, so that a vendor's format is
        not looked for; others are laid over what a format reads. A file that has none of the
        columns is read as without them. A field that reading opens also goes by the name that this
        gives it: ``{"alias.cart_token": "properties.cart_id"}``. For files of several kinds, a
        pattern to such a mapping: ``{"orders*.csv": {...}}``. `suggest_columns` proposes one.
    clock : mapping of str to str, optional
        Of a format whose epoch numbers are not UTC, the time zone of the clock that they show:
        ``{"mixpanel": "America/New_York"}`` for a project whose export is in its own time. Of an
        hour that occurs twice the first is taken; one skipped in spring moves to its end.
    encoding : str, optional
        Of text files without a byte-order mark, such as ``"cp1252"`` (Windows), ``"utf-16-le"`` or
        ``"shift_jis"``; UTF-8 when absent.
    day_first : bool, optional
        How times of digits alone are written: True reads ``01/02/2026`` as in February, False as
        in January. When absent they are not guessed: their rows are rejected.
    amounts : {"en", "ch", "da", "de", "es", "it", "nl", "pt", "cs", "fi", "fr", "nb", "pl", "sv"}
        The language in which amounts are written, as in `money`: with ``"de"`` a property whose
        texts are all amounts, such as ``1.234,50`` and ``12,00 €``, becomes numbers. When absent, a
        CSV file's money of which every amount with a mark is like ``1.234`` stays text, because
        nothing says whether that is a thousand; `read_amounts` says in which rows.
    items : ItemLines, optional
        For tables in which several lines are one event, such as a line per item of an order: by
        which columns, and what of the lines the list of items holds.
    strict : bool, default False
        Raise at the first row that cannot be read, instead of keeping it with its reason.
    progress : bool, optional
        Whether to show a progress bar; by default from 50 MB on, in a notebook or a terminal.

    Returns
    -------
    pandas.DataFrame
        One row per row of the files, in the order of the files, with `file`, `line` (of a JSON
        array or Parquet file: the place) and `source` (the file's name without its suffixes,
        where the file does not say); the `file` of an archive's member is
        ``export.zip/2026-03-02.json``. A row that cannot be read is kept, with everything missing
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

    See Also
    --------
    suggest_columns : Proposes `columns` for an export.
    money : Reads amounts of one column, and their currencies.

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
    options = _Options.of(
        format=format, columns=columns, clock=clock, encoding=encoding, day_first=day_first,
        amounts=amounts, items=items, strict=strict,
    )  # fmt: skip
    if is_table(paths):
        return with_python_lists(_Table(paths, options).whole())
    if isinstance(paths, pd.DataFrame) or hasattr(paths, "__arrow_c_stream__"):
        return with_python_lists(_read_frame(as_frame(paths), options))
    left: list[str] = []
    parts = _read_paths(find_files(paths, left), options, progress, left)
    return with_python_lists(concatenate(parts))


class ReadingOptions(TypedDict, total=False):
    """What `read_events` takes besides the files, and says what each means."""

    format: str
    columns: ColumnsOfFiles | None
    clock: Mapping[str, str] | None
    encoding: str | None
    day_first: bool | None
    amounts: Amounts | None
    items: ItemLines | None


def read_new(
    files: Iterable[Path],
    is_known: Callable[[Source], bool],
    of_more: Callable[[], bool],
    reading: ReadingOptions,
) -> pd.DataFrame | None:
    """Read files as `read_events` does, but for members of archives that are known.

    Parameters
    ----------
    files : iterable of pathlib.Path
    is_known : callable
        Is asked of each member of an archive before it is read.
    of_more : callable
        Is asked whether other files were left out, which options may concern that no file here
        needs.
    reading : ReadingOptions

    Returns
    -------
    pandas.DataFrame or None
        None where every file is an archive and all members are known.
    """
    options = replace(_Options.of(**reading), is_known=is_known, of_more=of_more)
    parts = _read_paths(find_files(files), options, None, [])
    return concatenate(parts) if parts else None


def _read_paths(
    files: list[Path], options: _Options, progress: bool | None, left: list[str]
) -> list[pd.DataFrame]:
    """Return the rows of files and of members of archives; nothing where all were left out."""
    for path in files:
        if not is_archive(path.name):
            format_suffix(path)
    parts, read = _read_files(files, options, progress, left)
    warn_of_left(left)
    if not read:
        return []
    if not options.of_more():
        _check_used(options, read, parts)
    return [part for part in parts if len(part)] or parts[:1]


def _check_used(options: _Options, read: list[_File], parts: list[pd.DataFrame]) -> None:
    """Raise unless each column and clock that was named is of a file."""
    _check_mapping(options.columns, read, parts)
    if any(map(len, parts)):
        named = {file.export.name if file.export else None for file in read}
        _check_clocks_used(options.clocks, named)


def _read_files(
    files: list[Path], options: _Options, shown: bool | None, left: list[str]
) -> tuple[list[pd.DataFrame], list[_File]]:
    """Return the rows of each file and member of an archive, and how it was read."""
    total = sum(path.stat().st_size for path in files)
    alone = len(files) == 1 and not is_archive(files[0].name)
    parts: list[pd.DataFrame] = []
    read: list[_File] = []
    untold: list[int] = []
    known = False
    with _bar(total, shown) as bar, garbage_let_be(), tempfile.TemporaryDirectory() as kept:
        small = _SmallFiles(options)
        for source, progress in _each_source(files, bar.update, left):
            if progress is _counted_before and options.is_known(source):
                known = True
                continue
            bar.set_postfix_str(visible(source.name))
            if not alone and small.takes(source, progress, read, parts):
                continue
            small.flush(read, parts)
            read.append(_File(source, options))
            try:
                parts.append(read[-1].read(progress, () if alone else None))
            except UntoldError:
                untold.append(len(parts))
                parts.append(pd.DataFrame())
                if progress is _counted_before:
                    read[-1].source = source.kept_in(kept)
        small.flush(read, parts)
        # What is in no format by itself may be in that of its sisters.
        formats = {file.export.name for file in read if file.export is not None}
        for place in untold:
            parts[place] = read[place].read(_counted_before, formats)
        _settle_together(read, parts)
    if not read and not known:
        raise ReadError(
            f"{files[0]}: holds no file that is read. "
            + (f"It holds {_listed(left)}." if left else "It is empty.")
        )
    return parts, read


def _each_source(
    files: list[Path], progress: Progress, left: list[str]
) -> Iterator[tuple[Source, Progress]]:
    """Yield each file and member of an archive, and what is to be told of its progress."""
    for source in sources_of(files):
        if is_archive(source.name):
            for member in members_of(source, progress, left):
                yield member, _counted_before
        else:
            yield source, progress


def sources_apart(paths: Paths) -> list[Source]:
    """Return the files that are read when each is read by itself, in their order.

    Raises
    ------
    ReadError
        No file matches, or the suffix of one does not name a format.
    """
    left: list[str] = []
    files = find_files(paths, left)
    for path in files:
        if not is_archive(path.name):
            format_suffix(path)
    warn_of_left(left)
    return sources_of(files)


def read_in_blocks(source: Source) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file, or of an archive, as `read_events` reads them by itself.

    Parameters
    ----------
    source : Source

    Yields
    ------
    pandas.DataFrame
        Some of the rows under canonical names, in order; all of a CSV file at once, because its
        cells tell their types together.

    Raises
    ------
    ReadError
        It cannot be read, or its format settles what only all files of the call can say.
    """
    left: list[str] = []
    for one, progress in _each_source([source.path], _counted_before, left):
        named = one if is_archive(source.name) else source
        with garbage_let_be():
            yield from _File(named, _Options.of()).blocks(progress)
    warn_of_left(left)


def warn_of_left(left: list[str]) -> None:
    """Warn of files that were left out, if there are any."""
    if left:
        told = f"{counted(len(left), 'file was', 'files were')} left out: the suffix does not name"
        warnings.warn(f"{told} a format: {_listed(left)}", stacklevel=callers_level())


def _listed(names: list[str]) -> str:
    few = ", ".join(map(visible, names[:_MOST_NAMED]))
    return few + (" ..." if len(names) > _MOST_NAMED else "")


@dataclass(frozen=True)
class _Options:
    """What `read_events` was told, as it has it."""

    format: str
    columns: ColumnsOfFiles
    clocks: Mapping[str, str]
    encoding: str | None
    day_first: bool | None
    amounts: Amounts | None
    items: ItemLines | None
    strict: bool
    is_known: Callable[[Source], bool]
    of_more: Callable[[], bool]

    @classmethod
    def of(
        cls,
        *,
        format: str = AUTO,  # noqa: A002 - as in read_events
        columns: ColumnsOfFiles | None = None,
        clock: Mapping[str, str] | None = None,
        encoding: str | None = None,
        day_first: bool | None = None,
        amounts: Amounts | None = None,
        items: ItemLines | None = None,
        strict: bool = False,
    ) -> _Options:
        """Return what `read_events` is told, checked."""
        check_format(format)
        check_columns(columns)
        clocks = check_clock({} if clock is None else clock, format_names()[2:])
        options = cls(format, columns or {}, clocks, encoding, day_first, amounts, items, strict,
                      lambda _: False, lambda: False)  # fmt: skip
        options.check()
        if format == AUTO:
            warn_of_plug_ins()
        return options

    def items_of(self, export: Export | None) -> ItemLines | None:
        """Return which lines are one event: what the caller says, or else the format."""
        return self.items if self.items is not None or export is None else export.lines

    def check(self) -> None:
        """Raise at what an option does not take."""
        if self.amounts is not None:
            choice("amounts", self.amounts, Amounts)
        if not (self.day_first is None or isinstance(self.day_first, bool)):
            raise ConvergekitError(f"day_first must be True or False; got {self.day_first!r}.")
        if not (self.items is None or isinstance(self.items, ItemLines)):
            raise ConvergekitError(
                "items must be a ck.ItemLines, such as ck.ItemLines(key=['Order No'], "
                f"items={{'name': 'Item'}}); got {self.items!r}."
            )
        if self.encoding is not None:
            check_encoding(self.encoding)

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return canonical rows with the dates and amounts that the options read."""
        return with_amounts(with_dates(frame, self.day_first), self.amounts)


def _counted_before(_: int) -> None:
    """Take the progress of a file whose bytes are counted already."""


def _read_frame(given: pd.DataFrame, options: _Options) -> pd.DataFrame:
    """Return a caller's frame of an export's rows as events."""
    if of_patterns(options.columns):
        raise ConvergekitError(
            "columns for each pattern of files needs files; give a frame one mapping."
        )
    given, of_visits = opened_visits(given)
    own = OwnColumns(options.columns)
    export = _format_of(given, own, options, "the frame", ())
    _check_clocks_used(options.clocks, {export.name if export else None})
    lines = options.items_of(export)
    if export is None and lines is None:
        return options.typed(mapped(given, own, advice=advice_on(given)))
    rows, reasons = without_deep(given)
    reasons = {**reasons, **of_visits}
    said = pd.DataFrame(index=rows.index)
    if lines is not None:
        rows, reasons = gathered_frame(rows, lines, reasons)
        said = rows[list(OF_LINES)]
        rows = rows.drop(columns=list(OF_LINES))
    if export is None:
        events, row = mapped(rows, own, advice=advice_on(given)), np.arange(len(rows))
    else:
        events, row = export.events(rows)
        events = mapped(rows, own, export.settled(events), row)
    own_event = run_starts(row)
    frame = noted(options.typed(events), _of_own(reasons, own_event))
    of_lines = {
        name: take_or_missing(column, np.where(own_event, row, -1)).set_axis(frame.index)
        for name, column in said.items()
    }
    return frame.assign(**of_lines, **_said_of_export(export, frame.index))


def _said_of_export(export: Export | None, index: pd.Index) -> dict[str, pd.Series]:
    """Return the column that says which plug-in read rows; nothing where it was none."""
    said = None if export is None else said_of_plug_in(export.name)
    return {} if said is None else {READ_PLUG_IN: pd.Series(said, index=index, dtype="str")}


def _of_own(reasons: Mapping[int, str], own: BoolArray) -> dict[int, str]:
    """Return the reasons of rows by the position of the rows' own events."""
    if own.all() or not reasons:
        return dict(reasons)
    place = np.flatnonzero(own)
    return {int(place[row]): reason for row, reason in reasons.items()}


def _settle_together(files: list[_File], parts: list[pd.DataFrame]) -> None:
    """Have each format that settles do so with the rows of all its files, in place of the parts."""
    exports = {file.settles.name: file.settles for file in files if file.settles is not None}
    for name, export in exports.items():
        at = [place for place, file in enumerate(files)
              if file.settles is not None and file.settles.name == name]  # fmt: skip
        named = [set(parts[place].columns) for place in at]
        ends = np.cumsum([len(parts[place]) for place in at]).tolist()
        group = [parts[place] for place in at]
        for place in at:
            # Not held beside the rows of the group: a column leaves its part as it is joined.
            parts[place] = pd.DataFrame()
        settled = export.settled(concatenate(group))
        known = set().union(*named)
        for place, own, start, end in zip(at, named, [0, *ends], ends, strict=False):
            # A column of another file is not this one's; what settling adds is everybody's.
            kept = [name for name in settled.columns if name in own or name not in known]
            parts[place] = settled[kept].iloc[start:end]
            files[place].check(parts[place])


def _bar(total: int, shown: bool | None) -> Any:
    # Imported when something is read, for tqdm.auto takes long to import.
    from tqdm.auto import tqdm

    if shown is None:
        in_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
        seen = in_notebook or sys.stderr.isatty()
        shown = seen and total >= PROGRESS_FROM_BYTES
    return tqdm(total=total, unit="B", unit_scale=True, desc="reading", disable=not shown)


def find_files(paths: Paths, left: list[str] | None = None) -> list[Path]:
    """Return the files that paths and patterns name, each once by whatever name, in their order.

    Parameters
    ----------
    paths : str, pathlib.Path, or iterable of these
        A folder stands for the files in it and below, in the order of their names.
    left : list of str, optional
        Gets the files of folders of which the suffix does not name a format.

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
            files = _in_folder(path, left)
        elif is_file:
            files = [path]
        else:
            files = _matches(str(pattern))
        for match in files:
            found.setdefault(match.resolve(), match)
    return list(found.values())


def _matches(pattern: str) -> list[Path]:
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))
    if not matches:
        raise ReadError(f"no file is named {pattern!r}; check the path or the pattern.")
    files = [newest(match.parent, match.name) for match in matches if match.is_file()]
    if not files:
        raise ReadError(f"{pattern!r} matches only directories; name one, or their files.")
    return files


def _in_folder(folder: Path, left: list[str] | None) -> list[Path]:
    """Return the files in a folder and below that can be read; a link to a folder is not one."""
    files: list[Path] = []
    others: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            known = is_archive(name) or suffix_of(Path(root, name)) is not None
            (files if known else others).append(Path(root, name))
    if not files:
        holds = f"it holds {_listed(list(map(str, others)))}" if others else "it is empty"
        raise ReadError(f"{folder} holds no file that is read: {holds}.")
    if left is not None:
        left += map(str, others)
    return sorted(files, key=lambda path: path.parts)


class _File:
    """A file that is read batch by batch; its first rows say what format it is in.

    Attributes
    ----------
    source : Source
    own : OwnColumns
        What `columns` says of the file.
    pattern : str or None
        The pattern of `columns` that names the file.
    export : Export or None
        The format that it is in; None where it is read by its own names.
    settles : Export or None
        The file's format, if that says more when the rows of all its files are known: `read` then
        leaves it to the caller to settle and to `check` the rows.
    """

    def __init__(self, source: Source, options: _Options) -> None:
        self.source = source
        self.pattern, columns = columns_of(options.columns, Path(source.said))
        self.own = OwnColumns(columns)
        self.export: Export | None = None
        self.settles: Export | None = None
        self._options = options
        self._head: pd.DataFrame | None = None
        self._names: set[str] = set()

    def read(self, progress: Progress, others: Collection[str] | None = ()) -> pd.DataFrame:
        """Return the file's rows under canonical names.

        Parameters
        ----------
        progress : callable
        others : collection of str, or None
            As `find_format` takes it.
        """
        parts: list[pd.DataFrame] = []
        lines: list[IntArray] = []
        rows_of: list[IntArray] = []
        said: list[pd.DataFrame] = []
        reasons: dict[int, str] = {}
        done = 0
        with self.source.named_in_errors():
            for rows in self._of_events(self._batches(progress), others):
                if rows.reasons and self._options.strict:
                    first = min(rows.reasons)
                    raise ReadError(f"{self._at(rows.line[first])}: {rows.reasons[first]}.")
                if rows.line:
                    canonical, row = self._canonical(rows)
                    own = run_starts(row)
                    parts.append(_narrowed(canonical, self._names))
                    self._names |= set(parts[-1].columns)
                    lines.append(np.array(rows.line, dtype=np.int64)[row])
                    rows_of.append(row)
                    if (told := rows.said) is not None:
                        events = np.flatnonzero(own) + done
                        said.append(told.set_axis(pd.Index(events)))
                    found = _of_own(rows.reasons, own)
                    reasons.update({done + event: reason for event, reason in found.items()})
                    done += len(row)
        if not done:
            names = ["event_id", "event_name", "timestamp", "source", "aliases"]
            return pd.DataFrame(columns=names)
        frame = concatenate(parts)
        if self.export is not None and self.export.settle is not None:
            self.settles = self.export
        found = self._finished(frame, np.concatenate(lines), reasons, rows_of)
        for name, column in pd.concat(said).items() if said else ():
            found[name] = column.reindex(found.index)
        if self.settles is None:
            self.check(found)
        return found

    def blocks(self, progress: Progress) -> Iterator[pd.DataFrame]:
        """Yield the rows that `read` returns, block by block; all at once where that is needed."""
        if format_suffix(self.source.path) in CSV_SUFFIXES:
            yield self.read(progress)
            return
        with self.source.named_in_errors():
            for rows in self._of_events(self._batches(progress), ()):
                if self.export is not None and self.export.settle is not None:
                    raise ReadError(
                        f"{self.source.said}: the format {self.export.name!r} settles its rows "
                        "when those of all files are known. Read them with ck.read_events."
                    )
                if not rows.line:
                    continue
                canonical, row = self._canonical(rows)
                own = run_starts(row)
                canonical = _narrowed(canonical, self._names)
                self._names |= set(canonical.columns)
                lines = np.array(rows.line, dtype=np.int64)[row]
                found = self._finished(canonical, lines, _of_own(rows.reasons, own), [row])
                if (told := rows.said) is not None:
                    events = pd.Index(np.flatnonzero(own))
                    for name, column in told.set_axis(events).items():
                        found[name] = column.reindex(found.index)
                yield found

    def check(self, found: pd.DataFrame) -> None:
        """Raise unless the rows have the required columns and, if strict, can all be read."""
        with self._named_in_errors():
            left = found.drop(columns=["source", *_OURS], errors="ignore")
            check_required(left, None if self._head is None else advice_on(self._head))
        if self._options.strict and "read_error" in found and found["read_error"].notna().any():
            first = found[found["read_error"].notna()].iloc[0]
            raise ReadError(f"{self._at(first['line'])}: {first['read_error']}.")

    def _of_events(
        self, batches: Iterator[RawRows], others: Collection[str] | None
    ) -> Iterator[RawRows]:
        """Yield the rows of the file, each an event: where several lines are one, gathered."""
        for given in batches:
            if given.block is not None and self._by_columns(given.block, others):
                yield given
                continue
            rows = given.whole()
            # What read_events adds to a row has these names; the file's own are properties.
            ours = {name: PROPERTY + name for name in _OURS if name in rows.frame}
            named = replace(rows, frame=rows.frame.rename(columns=ours)) if ours else rows
            if self._head is None and len(rows.reasons) < len(rows.line):
                self.export = self._told(named.frame, others)
                self._head = named.frame.head(ROWS_THAT_TELL)
            lines = self._options.items_of(self.export)
            if lines is not None:
                texts = format_suffix(self.source.path) in CSV_SUFFIXES
                rest = (batch.whole() for batch in batches)
                yield from gathered(itertools.chain([named], rest), lines, texts=texts)
                return
            yield named

    def _by_columns(self, block: JsonBlock, others: Collection[str] | None) -> bool:
        """Return whether lines of JSON may be read by whole columns; find their format."""
        if self._needs_frame(block.names):
            return False
        if self._head is None:
            if len(block.reasons) == len(block):
                return False
            head = block.head(ROWS_THAT_TELL)
            self.export = self._told(head, others)
            self._head = head
        return block.of_lines if self.export is None else self.export.reads_by_columns

    def _needs_frame(self, names: Sequence[str]) -> bool:
        """Return whether rows with these keys are read as a frame in whatever format they are."""
        if not self.own.is_empty or self._options.items is not None:
            return True
        return not set(_OURS).isdisjoint(names) or in_capitals(names)

    def _may_go_by_columns(self, first: Sequence[dict[str, Any]]) -> bool:
        """Return whether rows that begin so may be read by whole columns, before they are."""
        records = Records(first)
        if self._needs_frame(list(records.frame)):
            return False
        name = format_of_records(records, self._options.format, self.source.said)
        export = format_named(name or self._options.format)
        return export is None or export.reads_by_columns

    def _of_block(self, block: JsonBlock) -> tuple[pd.DataFrame, IntArray] | None:
        """Return the events of lines by whole columns, and the row of each.

        None if they need their frame.
        """
        if self.export is None:
            opened, row = flat_frame(block), np.arange(len(block))
            plain = set() if opened is None else set(opened)
        else:
            rows = Rows(block)
            opened, row = self.export.events(rows)
            plain = rows.plain
        if opened is None:
            return None
        with self._named_in_errors():
            return open_columns(opened, columns={}, plain=plain), row

    def _canonical(self, rows: RawRows) -> tuple[pd.DataFrame, IntArray]:
        """Return the events of the rows, and the row of each."""
        if rows.block is not None:
            found = self._of_block(rows.block)
            if found is not None:
                return found
            rows = rows.whole()
        if self.export is None:
            with self._named_in_errors():
                return self.own.opened(rows.frame), np.arange(len(rows.line))
        if self.own.is_empty and self.export.prepare is None:
            given = Rows(rows.frame)
            frame, row = self.export.events(given)
            with self._named_in_errors():
                return open_columns(frame, columns={}, plain=given.plain), row
        frame, row = self.export.events(rows.frame)
        with self._named_in_errors():
            return self.own.laid_over(frame, rows.frame, row), row

    def _batches(self, progress: Progress) -> Iterator[RawRows]:
        return read_file(
            self.source.path, progress, self._options.encoding, self._may_go_by_columns
        )

    def _told(self, frame: pd.DataFrame, others: Collection[str] | None) -> Export | None:
        return _format_of(frame, self.own, self._options, self.source.said, others)

    def _named(self, rows_of: list[IntArray]) -> tuple[Any, Any]:
        """Return what the columns `source` and `file` say, of all events or of each."""
        return self.source.stem, self.source.label

    def _typed(self, frame: pd.DataFrame, rows_of: list[IntArray]) -> pd.DataFrame:
        """Return the events of a CSV file with the types that its cells tell."""
        return typed(frame)

    def _finished(
        self,
        frame: pd.DataFrame,
        lines: IntArray,
        reasons: Mapping[int, str],
        rows_of: list[IntArray],
    ) -> pd.DataFrame:
        frame = self._options.typed(frame)
        if format_suffix(self.source.path) in CSV_SUFFIXES:
            frame = self._typed(frame, rows_of)
        stem, label = self._named(rows_of)
        added = {}
        if "source" in frame:
            source, _ = as_text(frame["source"])
            frame["source"] = source.where(source.notna(), stem)
        else:
            added["source"] = pd.Series(stem, index=frame.index, dtype="str")
        added["file"] = pd.Series(label, index=frame.index, dtype="str")
        added["line"] = pd.Series(lines, index=frame.index)
        added |= _said_of_export(self.export, frame.index)
        unread = frame.pop("read_error").astype("str") if "read_error" in frame else None
        if reasons:
            of_rows = pd.Series(reasons, dtype="str").reindex(frame.index)
            unread = of_rows if unread is None else of_rows.where(of_rows.notna(), unread)
        if unread is not None:
            added["read_error"] = unread
        joined = pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)
        return joined.copy() if joined.shape[1] > MANY_COLUMNS else joined

    def _at(self, line: int) -> str:
        return f"{self.source.said}, line {line}"

    @contextlib.contextmanager
    def _named_in_errors(self) -> Iterator[None]:
        try:
            yield
        except ColumnError as error:
            raise ColumnError(f"{self.source.said}: {error}") from None


class _SmallFile(_File):
    """Small files that are alike, read as one."""

    def __init__(
        self,
        sources: list[Source],
        rows: RawRows,
        of: IntArray,
        export: Export | None,
        options: _Options,
    ) -> None:
        super().__init__(sources[0], options)
        self._sources = sources
        self._rows = rows
        self._of = of
        self._told_export = export

    def _batches(self, progress: Progress) -> Iterator[RawRows]:
        yield self._rows

    def _told(self, frame: pd.DataFrame, others: Collection[str] | None) -> Export | None:
        found = self._told_export
        return None if found is None else in_clock(found, self._options.clocks)

    def read(self, progress: Progress, others: Collection[str] | None = ()) -> pd.DataFrame:
        """Return the rows of all files as if each was read by itself."""
        found = super().read(progress, others)
        # A column takes the type that it has when files are put together.
        return concatenate([found, found.iloc[:0]]) if len(self._sources) > 1 else found

    def _canonical(self, rows: RawRows) -> tuple[pd.DataFrame, IntArray]:
        found = super()._canonical(rows)
        # Each file has its own bounds.
        if len(self._sources) > 1 and len(found[0].columns) > MOST_COLUMNS:
            raise _ApartError
        return found

    def _named(self, rows_of: list[IntArray]) -> tuple[Any, Any]:
        place = self._of[np.concatenate(rows_of)]
        stems = np.array([source.stem for source in self._sources], dtype=object)
        labels = np.array([source.label for source in self._sources], dtype=object)
        return stems[place], labels[place]

    def _typed(self, frame: pd.DataFrame, rows_of: list[IntArray]) -> pd.DataFrame:
        if len(self._sources) > 1 and any(map(_has_texts_among_others, frame.items())):
            raise _ApartError
        file = self._of[np.concatenate(rows_of)]
        return typed(frame, np.flatnonzero(run_starts(file)))


class _ApartError(Exception):
    """Small files have to be read one by one."""


def _has_texts_among_others(item: tuple[Any, pd.Series]) -> bool:
    """Return whether a column of several files' CSV has texts, which may be all that one has."""
    name, column = item
    typed_here = str(name) == "event_id" or str(name).startswith(_TYPED)
    return typed_here and column.dtype == object and any(type(cell) is str for cell in column)


class _SmallFiles:
    """Small files that come one after the other: columns are made of many at once."""

    def __init__(self, options: _Options) -> None:
        self._options = options
        self._clear()

    def _clear(self) -> None:
        self._sources: list[Source] = []
        self._files: list[SmallFile] = []
        self._rows = 0
        self._bytes = 0
        self._kind: tuple[Any, ...] | None = None

    def takes(
        self, source: Source, progress: Progress, read: list[_File], parts: list[pd.DataFrame]
    ) -> bool:
        """Return whether a file is gathered; it is not if its format needs a look at its rows."""
        options = self._options
        if options.strict or options.items is not None or options.amounts is not None:
            return False
        # Counted where it is read in the usual way, too.
        counts: list[int] = []
        found = small_file(source.path, counts.append, options.encoding)
        kind = None if found is None else self._kind_of(source, found)
        if found is None or kind is None:
            return False
        size = sum(counts)
        held = bytes_held(found, size)
        full = self._rows + len(found.line) > BATCH_ROWS or self._bytes + held > _BATCH_BYTES
        if kind != self._kind or full:
            self.flush(read, parts)
        progress(size)
        self._kind = kind
        self._sources.append(source)
        self._files.append(found)
        self._rows += len(found.line)
        self._bytes += held
        return True

    def _kind_of(self, source: Source, found: SmallFile) -> tuple[Any, ...] | None:
        """Return what files must share to be read as one, None of one that is read alone."""
        pattern, columns = columns_of(self._options.columns, Path(source.said))
        if columns:
            # Of a user's own export: all files have the same keys, and the columns are of them.
            keys = found.names
            own = OwnColumns(columns)
            together = own.says_all and own.may_concern(keys)
            return (pattern, CONVERGE, found.shape, keys) if together else None
        kind = format_of_records(found.fields(), self._options.format, source.said)
        export = None if kind is None else format_named(kind)
        alone = kind is None or (export is not None and export.lines is not None)
        return None if alone else (pattern, kind, found.shape)

    def flush(self, read: list[_File], parts: list[pd.DataFrame]) -> None:
        """Read what was gathered."""
        if self._kind is None:
            return
        rows = rows_of_files(self._files)
        # Each file has its own bounds, and its own errors.
        apart = bool(rows.reasons) or len(rows.frame.columns) > MOST_COLUMNS
        if not apart:
            file = self._file_of(range(len(self._files)), rows)
            try:
                part = file.read(_counted_before)
            except _ApartError:
                apart = True
            else:
                read.append(file)
                parts.append(part)
        for place in range(len(self._files)) if apart else ():
            one = range(place, place + 1)
            read.append(self._file_of(one, rows_of_files([self._files[place]])))
            parts.append(read[-1].read(_counted_before))
        self._clear()

    def _file_of(self, group: range, rows: RawRows) -> _SmallFile:
        assert self._kind is not None
        sources = [self._sources[place] for place in group]
        of = np.repeat(np.arange(len(group)), [len(self._files[place].line) for place in group])
        return _SmallFile(sources, rows, of, format_named(self._kind[1]), self._options)


class _Table(_File):
    """A table of a database, of which its format's columns are read."""

    def __init__(self, table: Any, options: _Options) -> None:
        if of_patterns(options.columns):
            raise ConvergekitError(
                "columns for each pattern of files needs files; give a table one mapping."
            )
        # It is never opened.
        super().__init__(Source(Path("table.parquet"), "table", "table", "the table"), options)
        self._table = table

    def whole(self) -> pd.DataFrame:
        """Return its rows under canonical names."""
        found = self.read(_counted_before)
        if self.settles is not None:
            found = self.settles.settled(found)
            self.check(found)
        if len(found):
            name = self.export.name if self.export else None
            _check_clocks_used(self._options.clocks, {name})
            self.own.refuse_unused(list(found), "the table does not have")
        # Rows of a table have no order, and no place.
        own = found["source"].ne("table").any() if len(found) else True
        return found.drop(columns=["file", "line", *([] if own else ["source"])], errors="ignore")

    def _batches(self, progress: Progress) -> Iterator[RawRows]:
        head = head_of(self._table, ROWS_THAT_TELL)
        paths = None
        if len(head):
            self.export = super()._told(head, ())
            if self.export is not None and self._options.items is None:
                read = paths_read(self.export, Rows(head))
                own = self.own.paths
                paths = None if read is None or own is None else [*read, *own]
        return batches_of(self._table, paths)

    def _told(self, frame: pd.DataFrame, others: Collection[str] | None) -> Export | None:
        return self.export


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
    frame: pd.DataFrame,
    own: OwnColumns,
    options: _Options,
    where: str,
    others: Collection[str] | None,
) -> Export | None:
    """Return the format of rows, None for rows that are read by their own names."""
    if options.format == AUTO and own.concern(frame) and own.says_all:
        return None
    found = find_format(frame, options.format, where, others)
    return None if found is None else in_clock(found, options.clocks)


def _check_clocks_used(clocks: Mapping[str, str], formats: set[str | None]) -> None:
    for name in clocks.keys() - formats:
        read = ", ".join(sorted(map(repr, formats - {None}))) or "none of a vendor's"
        raise ConvergekitError(
            f"clock names {name!r}, but nothing that was read is in this format. Found: {read}."
        )


def _check_mapping(columns: ColumnsOfFiles, read: list[_File], parts: list[pd.DataFrame]) -> None:
    """Raise unless each column that was named is in a file, and each pattern names one."""
    if not any(len(part) for part in parts):
        return
    patterns: Mapping[Any, Any] = columns if of_patterns(columns) else {None: columns}
    for pattern, mapping in patterns.items():
        named = [place for place, file in enumerate(read) if file.pattern == pattern]
        if not named:
            raise ConvergekitError(
                f"columns={{{pattern!r}: ...}}: no file has such a name. "
                f"{what_there_is((file.source.said for file in read[:20]), pattern)}"
            )
        used = set().union(*(read[place].own.used for place in named))
        found = sorted({column for place in named for column in parts[place]})
        OwnColumns(mapping).refuse_unused(found, "no file has", used)
