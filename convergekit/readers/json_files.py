"""JSON files to rows: one object per line, an array, or an answer that wraps an array.

Lines are read in batches, so a file may be larger than what its objects take in memory. An array
has to be read whole.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from convergekit.base.json_text import NestingError, read_json_rows
from convergekit.base.threads import one_ahead
from convergekit.errors import ReadError
from convergekit.readers.answers import rows_inside
from convergekit.readers.columns.json_blocks import JsonBlock, KnownTypes
from convergekit.readers.columns.json_elements import Elements, elements_of
from convergekit.readers.columns.json_pages import block_of_pages
from convergekit.readers.json_api import is_page, resources
from convergekit.readers.lines import Lines, Progress, short
from convergekit.readers.raw_rows import BATCH_ROWS, RawRows
from convergekit.readers.vendors.matomo_visits import actions, is_visit

#: Objects, or text that says why there is none, and the line or place of each.
_Records: TypeAlias = tuple[Sequence[Any] | JsonBlock, Sequence[int]]

#: Whether rows of which these are the first may be read by columns. It decides about nothing but
#: the way: where it is wrong, more is done than need be.
ByColumns: TypeAlias = Callable[[Sequence[dict[str, Any]]], bool]
#: So many rows are asked about.
_ASKED_ABOUT = 20

#: A batch of lines is closed when it holds so many bytes. Two are in memory at once, so that each
#: is half of what a batch may be otherwise, in rows too.
_BATCH_BYTES = 16 * 1024 * 1024
#: A line of so many bytes may be all of a file.
_LARGE = 256 * 1024
#: After a batch of so many lines the next one is parsed while columns are made of it.
_WORTH_A_THREAD = 5_000
#: So many lines are decoded in one go, which shares the text of their keys.
_AT_ONCE = 500
#: Stands between lines that are decoded in one go, and in no export.
_BETWEEN = "convergekit: the next line"


def read_json_file(
    path: Path,
    suffix: str,
    progress: Progress,
    encoding: str | None = None,
    by_columns: ByColumns = lambda _: True,
) -> Iterator[RawRows]:
    """Yield the rows of a file of JSON, in batches.

    Parameters
    ----------
    path : pathlib.Path
    suffix : str
    progress : callable
        Called with the number of bytes of the file read since the last call.
    encoding : str, optional
        Of text that has no byte-order mark; UTF-8 when absent.
    by_columns : callable
        From the first rows to whether blocks of such rows are of use: to parse lines that are
        decoded afterwards takes time and memory.

    Raises
    ------
    ReadError
        It is an array that cannot be read.
    """
    lines = Lines(path, progress, encoding)
    last = 0
    batches = _unwrapped(_read(lines, suffix, KnownTypes(), by_columns))
    for batch in one_ahead(batches, worth=lambda batch: len(batch[1]) >= _WORTH_A_THREAD):
        last = batch[1][-1] if batch[1] else last
        yield RawRows.of_records(*batch)
        del batch
    if lines.damage:
        yield RawRows.of_records([lines.damage], [last + 1])


def whole_records(
    path: Path, suffix: str, progress: Progress, encoding: str | None = None
) -> tuple[list[dict[str, Any]], list[int]] | None:
    """Return the objects of a small file and their lines, None if not all of it are objects."""
    lines = Lines(path, progress, encoding)
    batches = list(_unwrapped(_read(lines, suffix, None)))
    if lines.damage or len(batches) != 1:
        return None
    given, places = batches[0]
    records: list[Any] = [given[place] for place in range(len(given))]
    whole = all(type(record) is dict for record in records)
    return (records, list(places)) if whole else None


def _read(
    lines: Lines,
    suffix: str,
    known: KnownTypes | None,
    by_columns: ByColumns = lambda _: True,
) -> Iterator[_Records]:
    """Yield records, those of lines as columns where the known types say how."""
    pieces = iter(lines)
    first = next(((number, piece) for number, piece in pieces if piece.strip()), None)
    if first is None:
        pieces = iter(())
    elif first[1].lstrip().startswith(b"[") or (suffix == ".json" and _may_go_on(first[1])):
        kept = [first, *pieces]
        content = b"".join(piece for _, piece in kept)
        found = None if known is None or lines.damage else _by_columns(content, by_columns)
        if found is not None:
            kept, content = [], b""
            while found:
                yield found.pop(0)
            return
        whole = _read_whole(lines, content)
        if whole is not None:
            yield from _of_list(whole)
            return
        pieces = iter(kept)
    else:
        pieces = itertools.chain([first], pieces)
    yield from _read_lines(lines, pieces, known, by_columns)


def _may_go_on(line: bytes) -> bool:
    """Return whether a first line is not an object by itself, or so large that it may hold rows."""
    return len(line) > _LARGE or isinstance(_decoded(line), Exception)


def _by_columns(content: bytes, asked: ByColumns) -> list[_Records] | None:
    """Return the rows of a JSON array, or of an answer that wraps one, if they can be columns.

    None for what has to be read whole: anything else, and what cannot be read.
    """
    elements = elements_of(content)
    if elements is None:
        return None
    if elements.around and is_page(_decoded(elements.around)):
        page = block_of_pages([content.strip()])
        return None if page is None else [(page[0], [1] * len(page[0]))]
    if not _is_wrapped(elements) or not asked(_objects(elements.texts[:_ASKED_ABOUT])):
        return None
    known = KnownTypes()
    found: list[_Records] = []
    for start in range(0, len(elements.texts), BATCH_ROWS):
        texts = elements.texts[start : start + BATCH_ROWS]
        block = None if _holds_rows(_decoded(texts[0])) else known.read(texts, _why_no_object)
        if block is None or block.reasons:
            return None
        found.append((block, range(start + 1, start + 1 + len(texts))))
    return found


def _is_wrapped(elements: Elements) -> bool:
    """Return whether what is around the objects says that they are rows."""
    if not elements.around:
        return True
    answer = _decoded(elements.around)
    if isinstance(answer, Exception) or is_visit(answer):
        return False
    return rows_inside(answer, alone=True) == [_decoded(elements.texts[0])]


def _read_whole(lines: Lines, content: bytes) -> list[Any] | None:
    """Return the rows of a file that is one array or one object, or None if it is lines."""
    found = _decoded(content)
    if not content.lstrip().startswith(b"["):
        return [found] if isinstance(found, dict) else None
    if isinstance(found, list):
        return found
    if isinstance(found, json.JSONDecodeError) and found.msg == _MORE:
        # The first line is a list, and others follow.
        return None
    reason = lines.damage or _why_no_record(found)
    raise ReadError(
        f"{lines.path}: {reason}; a JSON array can only be read whole. Repair it, or write one "
        "object per line (.jsonl), where a bad line stops nothing."
    )


def _of_list(found: list[Any]) -> Iterator[_Records]:
    for start in range(0, len(found), BATCH_ROWS):
        part = found[start : start + BATCH_ROWS]
        records = [item if isinstance(item, dict) else _why_no_record(item) for item in part]
        yield _opened_pages(records, range(start + 1, start + 1 + len(part)))


def _unwrapped(batches: Iterator[_Records]) -> Iterator[_Records]:
    """Yield the rows inside a file's only objects where these wrap them, other rows as they are."""
    ahead = list(itertools.islice(batches, 2))
    if len(ahead) == 1:
        records, places = ahead[0]
        # Lines are columns only if the first of them is a row itself.
        pages = None if isinstance(records, JsonBlock) else _of_answers(records, places)
        if pages is not None:
            ahead, batches = [], pages
    # Taken from the list, because it would hold on to records that are columns already.
    while ahead:
        yield ahead.pop(0)
    yield from batches


def _of_answers(answers: Sequence[Any], places: Sequence[int]) -> Iterator[_Records] | None:
    """Return the rows that all of these wrap, None if one is a row itself.

    Those of the file's only answer are told by their place in it, others by the line of theirs.
    """
    rows: list[Any] = []
    lines: list[int] = []
    for answer, place in zip(answers, places, strict=True):
        inside = rows_inside(answer, alone=len(answers) == 1)
        if inside is None:
            return None
        rows += inside
        lines += [place] * len(inside) if len(answers) > 1 else range(1, len(inside) + 1)
    return (
        _opened_pages(rows[start : start + BATCH_ROWS], lines[start : start + BATCH_ROWS])
        for start in range(0, len(rows), BATCH_ROWS)
    )


def _read_lines(
    lines: Lines,
    pieces: Iterator[tuple[int, bytes]],
    known: KnownTypes | None,
    by_columns: ByColumns,
) -> Iterator[_Records]:
    head: list[tuple[int, bytes]] = []
    for piece in pieces:
        head.append(piece)
        if len(head) >= _ASKED_ABOUT or len(piece[1]) >= _LARGE:
            break
    if known is not None and not by_columns(_objects([line for _, line in head])):
        known = None
    pieces = itertools.chain(head, pieces)
    texts: list[bytes] = []
    places: list[int] = []
    size = 0
    for number, line in lines.without_long(pieces):
        text = line.strip()
        if not text:
            continue
        texts.append(text)
        places.append(number)
        size += len(text)
        if size >= _BATCH_BYTES or len(texts) >= BATCH_ROWS // 2:
            yield _batch(lines, texts, places, known)
            texts, places, size = [], [], 0
    if texts:
        yield _batch(lines, texts, places, known)


def _batch(
    lines: Lines, texts: list[bytes], places: list[int], known: KnownTypes | None
) -> _Records:
    # Nothing is gained where lines hold rows; what was cut off or left out is told the other way.
    whole = lines.cut != places[-1] and lines.too_long.isdisjoint(places)
    first = _decoded(texts[0]) if known is not None and whole else None
    if is_page(first):
        found = block_of_pages(texts)
        if found is not None:
            return found[0], np.array(places)[found[1]].tolist()
    elif known is not None and first is not None and len(texts) > 1 and not _holds_rows(first):
        block = known.read(texts, _why_no_object)
        if block is not None:
            return block, places
    records: list[Any] = []
    for start in range(0, len(texts), _AT_ONCE):
        part = texts[start : start + _AT_ONCE]
        records += _decoded_at_once(part) or [
            found if isinstance(found := _decoded(text), dict) else _why_no_record(found, text)
            for text in part
        ]
    if lines.cut in places and not isinstance(records[-1], dict):
        # What is left of the line is said with the damage.
        del records[-1]
        places = places[:-1]
    if lines.too_long:
        for row, place in enumerate(places):
            if place in lines.too_long:
                records[row] = Lines.TOO_LONG
    return _opened_pages(records, places)


def _objects(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the objects among some lines, but for one that may be all of a file."""
    few = (text for text in texts if len(text) < _LARGE)
    return [found for text in few if isinstance(found := _decoded(text), dict)]


def _holds_rows(record: Any) -> bool:
    """Return whether an object is a page, a visit or an answer, in which the rows are."""
    opened = is_page(record) or is_visit(record)
    return opened or rows_inside(record, alone=False) is not None


def _why_no_object(text: bytes) -> str | None:
    """Return why a line is not an object, None if it is one."""
    found = _decoded(text)
    return None if isinstance(found, dict) else _why_no_record(found, text)


def _opened_pages(records: Sequence[Any], places: Sequence[int]) -> _Records:
    """Return the records with what a page or a visit holds in its place and on its line."""
    if not any(is_page(record) or is_visit(record) for record in records):
        return records, places
    found = [
        (row, place)
        for record, place in zip(records, places, strict=True)
        for row in _opened(record)
    ]
    return [row for row, _ in found], [place for _, place in found]


def _opened(record: Any) -> Sequence[Any]:
    if is_page(record):
        return resources(record)
    return actions(record) if is_visit(record) else [record]


def _decoded_at_once(texts: Sequence[bytes]) -> list[Any] | None:
    """Return the objects of the lines, or None unless every line is one object."""
    between = b"," + json.dumps(_BETWEEN).encode() + b","
    found = _decoded(b"[" + between.join(texts) + b"]")
    if not isinstance(found, list) or len(found) != 2 * len(texts) - 1:
        return None
    records, betweens = found[::2], found[1::2]
    whole = all(type(record) is dict for record in records)
    # A line that ends within an object or list takes what stands between into it.
    return records if whole and all(text == _BETWEEN for text in betweens) else None


def _decoded(text: bytes) -> Any:
    """Return the value, or the error that says why there is none."""
    try:
        return read_json_rows(text.decode("utf-8"))
    except ValueError as error:
        return error


#: What `json` calls it when text goes on after a value.
_MORE = "Extra data"


def _why_no_record(found: Any, text: bytes = b"") -> str:
    if isinstance(found, json.JSONDecodeError):
        if found.msg == _MORE and b"\r" in text:
            return "several lines that end in carriage returns alone; save it with newlines"
        where = f"column {found.colno}"
        if found.lineno > 1:
            where = f"line {found.lineno}, {where}"
        return f"not JSON: {found.msg.removesuffix(' at')} at {where}"
    if isinstance(found, UnicodeDecodeError):
        return f"not UTF-8 at byte {found.start}"
    if isinstance(found, NestingError):
        return str(found)
    if isinstance(found, ValueError):
        return f"not JSON: {short(found)}"
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return f"not a JSON object but {kinds.get(type(found), 'a number')}"
