"""`stitch_table`: the events of a relational engine in, profiles out, computed in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convergekit.aliases import Block
from convergekit.engine.aliases import Blocker
from convergekit.engine.backends import Backend
from convergekit.engine.events import REASON, find_copies, read_rows
from convergekit.engine.links import Progress
from convergekit.engine.profiles import find_profiles
from convergekit.engine.result import StitchedTable
from convergekit.errors import ColumnError, NotOnThisEngine


def stitch_table(
    table: Any,
    *,
    columns: Mapping[str, str] | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    first: Iterable[str] = (),
    browser_alias: str = "cookie",
    progress: Progress | None = None,
) -> StitchedTable:
    """Stitch the events of a relational engine into profiles, in the engine."""
    backend = Backend.of(table.get_backend())
    blocker = Blocker.of(block)
    rows = backend.keep(
        read_rows(
            backend,
            table,
            columns=columns or {},
            rename_events=rename_events or {},
            alias_from=alias_from or {},
            blocker=blocker,
        )
    )
    _check_rows(rows)
    events = rows.filter(rows[REASON].isnull())
    copies = backend.keep(find_copies(events, dedupe_on))
    kept = events.anti_join(copies, "row")
    rounds: list[int] = []

    def each_round(number: int, left: int) -> None:
        rounds.append(left)
        if progress is not None:
            progress(number, left)

    members = find_profiles(backend, kept, each_round)
    return StitchedTable(
        browser_alias=browser_alias,
        rounds=rounds,
        _backend=backend,
        _rows=rows,
        _copies=copies,
        _members=members,
        _renamed=dict(rename_events or {}),
        _first=[first] if isinstance(first, str) else list(first),
    )


def _check_rows(rows: Any) -> None:
    counts = {"all": rows.count(), "numbers": rows["row"].nunique()}
    for name in ("unset", "set_once"):
        if name in rows.columns and not rows[name].type().is_null():
            counts[name] = rows[name].count()
    found = rows.aggregate(**counts).execute().iloc[0]
    if found["all"] != found["numbers"]:
        raise ColumnError(
            f"column 'row' has {found['numbers']:,} numbers for {found['all']:,} rows; give each "
            "row a number of its own."
        )
    for name in ("unset", "set_once"):
        if found.get(name):
            raise NotOnThisEngine(
                f"column {name!r} holds something, and is not on this engine yet: drop it, or "
                "where the events fit into memory, ck.stitch(table.to_pandas())."
            )
