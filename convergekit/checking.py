"""`check_up`: the entry point. It checks the options, in memory or by parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convergekit.checks.check_up import CheckUp, checked
from convergekit.checks.money import AskedMoney
from convergekit.errors import ConvergekitError
from convergekit.events.arrow import Frame
from convergekit.events.currencies import check_rates
from convergekit.events.steps import StepLike
from convergekit.figures.calls import of_function
from convergekit.identity.alias_rules import Rule
from convergekit.identity.blocking import Block
from convergekit.identity.options import StitchOptions
from convergekit.parts.engines import EngineTable, is_of_an_engine
from convergekit.parts.tables import PartsTable
from convergekit.readers.formats import exports_told
from convergekit.readers.own.columns import Columns, with_own_columns

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

    from convergekit.readers.reading import Paths


@of_function
def check_up(
    events: Paths | Frame | Dataset | EngineTable,
    *,
    conversion: StepLike | Iterable[StepLike] | None = None,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    columns: Columns | None = None,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: Mapping[str, Rule] | None = None,
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    calendar: str | None = None,
    workdir: str | Path | None = None,
    memory: str | None = None,
    max_cluster: int | None = None,
    progress: bool | None = None,
) -> CheckUp:
    """Audit your tracking: find its faults, ranked by the money that they concern.

    Parameters
    ----------
    events : pandas.DataFrame, or a Polars frame, pyarrow Table, DuckDB relation
        As `stitch` takes it. Never changed. With `workdir` or `memory` also paths and patterns of
        files, and Arrow datasets. An Ibis table, and `StitchedParts.events`, are checked by parts
        in any case, a Spark DataFrame with `workdir`.
    conversion : str, Step, or iterable of these, optional
        The events whose money counts. ``"Placed Order"`` by default. Without such events
        no money is reported, and conversions are not checked. A condition can look at what an event
        sent, for nothing is carried here.
    value : str, optional
        The property that holds a conversion's money, such as ``"total_price"``. By default, the
        only property of the conversions with a usual name and numbers.
    currency : str, optional
        The property that says an amount's currency; by default ``currency`` or what is spelled
        like it. Without `rates`, only the money in the currency of most conversions is counted.
    rates : mapping of str to float, optional
        What one of each currency is worth, such as ``{"EUR": 1, "USD": 0.9}``.
    columns, tz, rename_events, dedupe_on, block, alias_from, rules, nothing, browser_alias,
    calendar
        As `stitch` takes them.
    workdir : str or pathlib.Path, optional
        A directory, empty or new, for events that do not fit into memory: they are checked part by
        part, with the same findings. Its files stay there; asked of the same events again, what is
        read and split is not done again. It holds the events.
    memory : str, optional
        How much a part may take, such as ``"6GB"``; ``"4GB"`` with `workdir` alone. Without
        `workdir` the parts lie in a temporary directory that lives as long as the result.
    max_cluster, progress
        As `stitch` takes them, by parts.

    Returns
    -------
    CheckUp

    Raises
    ------
    ColumnError
        A required column is missing or ambiguous, or no column matches the name `value`.
    UnknownNameError
        `conversion`, `rename_events`, `block`, `alias_from`, `rules` or `nothing` names what no
        event has.
    ConvergekitError
        The column `value` holds no numbers, or another option has a value it does not take.
    ReadError, WriteError
        Files cannot be read, or the workdir cannot be written.

    Notes
    -----
    ``docs/check-up.md`` defines every finding, and when it may be a false alarm.

    Examples
    --------
    >>> import pandas as pd
    >>> import convergekit as ck
    >>> events = pd.DataFrame({
    ...     "event_name": "Placed Order",
    ...     "event_id": ["1001", None],
    ...     "timestamp": ["2026-03-02T10:00:00Z", "2026-03-02T10:05:00Z"],
    ...     "alias.email": ["ada@example.com", "ben@example.com"],
    ...     "properties.total_price": [30.0, 49.0],
    ... })
    >>> found = ck.check_up(events)
    >>> found.findings[["check", "events", "money"]].values.tolist()
    [['conversion-without-event-id', 1, 49.0]]
    >>> found.examples(1)[["row", "amount", "seen"]].values.tolist()
    [[1, 49.0, 'no event ID']]
    """
    options = StitchOptions.of(
        tz=tz,
        rename_events=rename_events,
        dedupe_on=dedupe_on,
        block=block,
        alias_from=alias_from,
        rules=rules,
        nothing=nothing,
        browser_alias=browser_alias,
        calendar=calendar,
    )
    check_rates("", currency, rates)
    money = AskedMoney(value, currency, rates)
    by_parts = is_of_an_engine(events) or isinstance(events, PartsTable)
    if by_parts or workdir is not None or memory is not None:
        from convergekit.parts.checked import checked_by_parts

        return checked_by_parts(
            events,
            options,
            columns,
            workdir,
            memory=memory,
            max_cluster=max_cluster,
            progress=progress,
            conversion=conversion,
            money=money,
        )
    return _in_memory(events, options, columns, conversion, money)


def _in_memory(
    events: Any,
    options: StitchOptions,
    columns: Columns | None,
    conversion: StepLike | Iterable[StepLike] | None,
    money: AskedMoney,
) -> CheckUp:
    if isinstance(events, (str, Path)):
        raise ConvergekitError(
            f"events are a path, {str(events)!r}. Read it first: ck.check_up(ck.read_events(...)); "
            "or give memory= or workdir= to check files that do not fit into memory."
        )
    with exports_told(events, "ck.check_up"):
        named, names = with_own_columns(events, columns)
    return checked(named, replace(options, columns=names), conversion=conversion, money=money)
