"""A Stitched on disk: one Parquet file per table, and one JSON file that says what it is.

Columns that Parquet has no type for (mixed types, lists, dictionaries) are kept as JSON text,
marked in the file's metadata, so that they come back as they went; but tuples come back as lists,
and keys as text. In `rejected`, what is no JSON either is kept as it is written.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from convergekit.alias_graph import profile_of_events
from convergekit.aliases import Apart, EventAliases
from convergekit.as_of import Knowledge
from convergekit.errors import ConvergekitError, ReadError
from convergekit.merge_protection import Protection, RefusedLinks
from convergekit.report import Report
from convergekit.stitched import Identity, Stitched

FORMAT = 3
_TABLES = ("events", "duplicates", "rejected", "aliases", "profiles")
#: What a Stitched is made of again; its profiles follow from these.
_READ = (
    *("events", "duplicates", "rejected", "aliases", "event_aliases", "order", "items"),
    *("item_aliases", "apart", "refused", "says", "carried_from", "blocked", "malformed"),
)
_MANIFEST = "stitched.json"
#: All files of a saved Stitched.
FILES = (*dict.fromkeys(f"{name}.parquet" for name in (*_TABLES, *_READ)), _MANIFEST)
_JSON_COLUMNS = b"convergekit.json_columns"
_DATATYPES = b"convergekit.dtypes"


def write_stitched(s: Stitched, directory: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Save a Stitched. See `Stitched.to_parquet`."""
    directory = Path(directory)
    manifest = directory / _MANIFEST
    there = [name for name in FILES if (directory / name).exists()]
    if there and not overwrite:
        held = "a stitched export" if manifest.exists() else " and ".join(there)
        raise FileExistsError(
            f"{directory} already holds {held}; give another directory, or overwrite=True."
        )
    directory.mkdir(parents=True, exist_ok=True)
    frames = {name: getattr(s, name) for name in _TABLES} | _inner_tables(s)
    frames["rejected"] = _written_out(frames["rejected"])
    tables = {directory / f"{name}.parquet": _table(name, frame) for name, frame in frames.items()}
    summary = {
        "format": FORMAT,
        "identity": s.identity,
        "browser_alias": s.browser_alias,
        "first": list(s._first),
        "limits": dict(s._identity.protection.limits),
        "alias_priority": list(s._identity.protection.priority),
        "remarks": dict(s._remarks),
        "report": s.report.to_dict(),
    }
    # Should writing end midway, no tables of two exports are taken for those of one.
    manifest.unlink(missing_ok=True)
    for path, table in tables.items():
        pq.write_table(table, path, compression="zstd")
    manifest.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return [*tables, manifest]


def read_stitched(directory: str | Path) -> Stitched:
    """Read a Stitched that `Stitched.to_parquet` saved.

    Parameters
    ----------
    directory : str or pathlib.Path

    Returns
    -------
    Stitched
        Equal in every table and answer to the one that was saved.

    Raises
    ------
    ConvergekitError
        The directory does not hold a saved Stitched, or one of another format.
    ReadError
        A file of it is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> import convergekit as ck
    >>> s = ck.stitch(ck.simulate_store().events)
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     _ = s.to_parquet(directory)
    ...     again = ck.read_stitched(directory)
    >>> again.events.equals(s.events)
    True
    """
    directory = Path(directory)
    manifest = directory / _MANIFEST
    if not manifest.exists():
        raise ConvergekitError(
            f"{directory} holds no stitched.json: give the directory that to_parquet wrote."
        )
    try:
        summary = json.loads(manifest.read_text("utf-8"))
    except ValueError as error:
        raise ReadError(f"{manifest} is damaged ({error}). Stitch the events again.") from None
    if summary["format"] != FORMAT:
        raise ConvergekitError(
            f"{directory} was written in format {summary['format']}; this version reads format "
            f"{FORMAT}. Stitch the events again."
        )
    tables = {name: _read_frame(directory / f"{name}.parquet") for name in _READ}
    s = Stitched(
        events=tables["events"],
        rejected=tables["rejected"],
        identity=summary["identity"],
        browser_alias=summary["browser_alias"],
        _identity=_read_identity(
            tables, Protection(summary["limits"], tuple(summary["alias_priority"]))
        ),
        _duplicates=lambda: tables["duplicates"],
        _carried_from=_integers(tables["carried_from"]),
        _first=tuple(summary["first"]),
        _remarks=summary["remarks"],
        _malformed=tables["malformed"],
    )
    # The report also counts what only the input held, so it is kept, not made again.
    s.__dict__["report"] = Report.from_dict(summary["report"])
    return s


def _inner_tables(s: Stitched) -> dict[str, pd.DataFrame]:
    """Return what the answers need besides the public tables, aliases as rows of `aliases`."""
    found = s._identity
    _, position = s._alias_table
    place = np.empty_like(position)
    place[position] = np.arange(len(position))
    known = found.knowledge()
    refused = found.refused
    return {
        "event_aliases": _pairs(found.aliases, place),
        "order": pd.DataFrame({"in_time": found.in_time, "item": known.item}),
        "items": pd.DataFrame(
            {"known": known.known, "known_at": known.known_at, "event": known.event}
        ),
        "item_aliases": _pairs(known.aliases, place),
        "apart": _apart_table(found.aliases, place),
        "refused": pd.DataFrame(
            {**vars(refused), "first": place[refused.first], "second": place[refused.second]}
        ).astype({"alias_type": "str"}),
        "says": pd.DataFrame(known.says, index=s.events.index),
        "carried_from": pd.DataFrame(dict(s._carried_from), index=s.events.index),
        "blocked": found.aliases.blocked,
        "malformed": s._malformed,
    }


def _pairs(aliases: EventAliases, place: npt.NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({"event": aliases.event, "alias": place[aliases.alias]})


def _apart_table(aliases: EventAliases, place: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return a row per alias, none where all that meet are linked."""
    apart = aliases.renumbered(place).apart
    if apart is None:
        return pd.DataFrame({"group": [], "rank": []}, dtype="int64")
    return pd.DataFrame({"group": apart.group, "rank": apart.rank})


def _read_identity(tables: dict[str, pd.DataFrame], protection: Protection) -> Identity:
    component, profile_ids = pd.factorize(tables["aliases"]["profile_id"])
    aliases = _read_aliases(tables, "event_aliases")
    order = _integers(tables["order"])
    size = len(tables["order"])
    knowledge = Knowledge(
        aliases=_read_aliases(tables, "item_aliases"),
        **_integers(tables["items"]),
        item=order["item"],
        says=_integers(tables["says"]),
    )
    if len(tables["apart"]):
        apart = Apart(**_integers(tables["apart"]))
        aliases = replace(aliases, apart=apart)
        knowledge = knowledge.kept_apart(apart, profile_of_events(aliases, apart.group, size))
    refused = tables["refused"]
    return Identity(
        aliases=aliases,
        component=component.astype(np.int64),
        profile=profile_of_events(aliases, component, size),
        profile_ids=pd.Series(profile_ids, dtype="str"),
        in_time=order["in_time"],
        knowledge=lambda: knowledge,
        protection=protection,
        refused=RefusedLinks(
            **_integers(refused.drop(columns="alias_type")),
            alias_type=refused["alias_type"].tolist(),
        ),
    )


def _read_aliases(tables: dict[str, pd.DataFrame], pairs: str) -> EventAliases:
    return EventAliases(
        tables["aliases"][["alias_type", "alias_value"]].astype({"alias_type": "category"}),
        event=tables[pairs]["event"].to_numpy(copy=True),
        alias=tables[pairs]["alias"].to_numpy(copy=True),
        blocked=tables["blocked"],
        malformed=pd.DataFrame({"position": [], "reason": []}),
    )


def _integers(table: pd.DataFrame) -> dict[str, npt.NDArray[np.int64]]:
    return {str(name): column.to_numpy(copy=True) for name, column in table.items()}


def _table(file: str, frame: pd.DataFrame) -> pa.Table:
    plain, as_json = {}, []
    for name, column in frame.items():
        text = _as_json(str(name), column) if column.dtype == object else None
        plain[name] = column if text is None else text
        if text is not None:
            as_json.append(name)
    try:
        table = pa.Table.from_pandas(pd.DataFrame(plain, index=frame.index), preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        raise ConvergekitError(
            f"{file} cannot be saved as Parquet: {str(error).splitlines()[0]}. Convert the "
            "column before stitching."
        ) from error
    metadata = dict(table.schema.metadata or {})
    metadata[_JSON_COLUMNS] = json.dumps(as_json).encode()
    metadata[_DATATYPES] = json.dumps({str(k): str(v) for k, v in frame.dtypes.items()}).encode()
    return table.replace_schema_metadata(metadata)


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise ReadError(f"{path} is missing. Copy the whole directory, or stitch again.") from None
    except (OSError, pa.ArrowException) as error:
        raise ReadError(
            f"{path} is damaged ({str(error).splitlines()[0]}). Stitch the events again."
        ) from error
    metadata = table.schema.metadata or {}
    frame = table.to_pandas()
    for name in json.loads(metadata[_JSON_COLUMNS]):
        cells = [None if _is_missing(cell) else json.loads(cell) for cell in frame[name]]
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)
    dtypes = json.loads(metadata[_DATATYPES])
    for name, dtype in dtypes.items():
        if dtype.endswith("[pyarrow]"):
            column = pd.arrays.ArrowExtensionArray(table.column(name))
            frame[name] = pd.Series(column, index=frame.index)
        elif str(frame[name].dtype) != dtype and dtype != "category":
            frame[name] = frame[name].astype(dtype)
    return frame


def _as_json(name: str, column: pd.Series) -> pd.Series | None:
    """Return the cells as JSON text, or None where Arrow has a type for what JSON has not."""
    cells: list[str | None] = []
    for position, cell in enumerate(column):
        try:
            cells.append(None if _is_missing(cell) else json.dumps(_plain(cell)))
        except (TypeError, ValueError, RecursionError) as error:
            if _arrow_keeps(column):
                return None
            raise ConvergekitError(
                f"column {name!r}, row {position}: a {type(cell).__name__} cannot be saved among "
                "values of other types. Convert the column before stitching."
            ) from error
    return pd.Series(cells, index=column.index, dtype="str")


def _written_out(rejected: pd.DataFrame) -> pd.DataFrame:
    """Write out what JSON has no form for: rejected rows may hold anything."""
    objects = [name for name, column in rejected.items() if column.dtype == object]
    return rejected.assign(
        **{name: rejected[name].map(_json_or_text).astype(object) for name in objects}
    )


def _json_or_text(cell: Any) -> Any:
    try:
        json.dumps(_plain(cell))
    except (TypeError, ValueError, RecursionError):
        return str(cell)
    return cell


def _arrow_keeps(column: pd.Series) -> bool:
    kinds = {type(cell) for cell in column if not _is_missing(cell)}
    return len(kinds) == 1 and kinds <= {decimal.Decimal, datetime.date, datetime.time, bytes}


def _plain(cell: Any) -> Any:
    """Return NumPy's scalars and arrays as Python's own; everything else must be JSON already."""
    if isinstance(cell, np.ndarray):
        return [_plain(item) for item in cell.tolist()]
    if isinstance(cell, np.generic):
        return cell.item()
    if isinstance(cell, (list, tuple)):
        return [_plain(item) for item in cell]
    if isinstance(cell, dict):
        return {str(key): _plain(value) for key, value in cell.items()}
    return cell


def _is_missing(cell: Any) -> bool:
    return (
        cell is None
        or cell is pd.NA
        or cell is pd.NaT
        or (isinstance(cell, float) and math.isnan(cell))
    )
