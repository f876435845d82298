"""`stitch_table`: the events of a relational engine in, profiles out, computed in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convergekit.base.options import names_given
from convergekit.engine import EngineTable, is_of_an_engine
from convergekit.errors import ColumnError, ConvergekitError, NotOnThisEngine
from convergekit.identity.aliases import USUAL_BROWSER, browser_type, refuse_unknown_types
from convergekit.identity.blocking import Block

if TYPE_CHECKING:
    from convergekit.engine.links import Progress
    from convergekit.engine.result import StitchedTable


def stitch_table(
    table: EngineTable,
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
    """Stitch the events of a relational engine into profiles, in the engine.

    ``ck.stitch`` does the same where it is given such a table; here `progress` can be asked for.

    Parameters
    ----------
    table : ibis.Table or pyspark.sql.DataFrame
        One row per event, in the spelling of `read_events`, of typed columns: times are
        timestamps, aliases text or integers, `aliases` an array of URNs. A column `row` of
        integers numbers the rows, for a table in an engine has no order. Ibis wraps what DuckDB
        has: ``ibis.duckdb.from_connection(connection).table("events")``.
    columns, rename_events, dedupe_on, alias_from, first, browser_alias
        As `stitch` takes them.
    block : iterable of str
        Aliases that identify nobody: URNs or values.
    progress : callable, optional
        Called before the first round of the search for profiles with 0, and after each with its
        number; and with how many links between groups of aliases are left.

    Returns
    -------
    StitchedTable
        `events`, `rejected`, `duplicates`, `aliases` and `profiles` as Ibis tables of the engine;
        `report`, `funnel(...)` and `to_pandas()`. Tables are computed when first asked for.

    Raises
    ------
    ColumnError
        A needed column is missing or ambiguous, there are no aliases, or rows share a number.
    UnknownNameError
        `first` or `browser_alias` names what no event carries.
    NotOnThisEngine
        The engine, a column's type or an option is none that can be done in an engine yet.

    Notes
    -----
    ``docs/scale.md`` says how it works, how far it goes, and what is measured.

    Examples
    --------
    >>> import ibis
    >>> connection = ibis.duckdb.connect()
    >>> table = connection.sql('''
    ...     SELECT * FROM (VALUES
    ...         (0, 'PageView', TIMESTAMP '2026-03-02 10:00:00', '7f3a', NULL, 'newsletter'),
    ...         (1, 'Added To Cart', TIMESTAMP '2026-03-02 10:04:00', '7f3a', '123', NULL),
    ...         (2, 'Placed Order', TIMESTAMP '2026-03-02 10:09:00', NULL, '123', NULL)
    ...     ) AS t("row", event_name, "timestamp", "alias.cookie", "alias.cart_token",
    ...            "profile_properties.utm_source")''')
    >>> s = stitch_table(table)
    >>> s
    StitchedTable(3 events, 0 duplicates, 0 rejected; 2 aliases, 1 profile)
    >>> s.to_pandas()["profile.utm_source"].tolist()
    ['newsletter', 'newsletter', 'newsletter']
    """
    try:
        import ibis  # noqa: F401
    except ImportError:
        raise ConvergekitError(
            "stitching in an engine needs Ibis: pip install 'convergekit[duckdb]', or for Spark "
            "'convergekit[spark]'."
        ) from None
    # Imported here, for they import Ibis, which importing convergekit does not.
    from convergekit.engine.aliases import Blocker
    from convergekit.engine.backends import Backend, as_ibis
    from convergekit.engine.columns import alias_columns, property_columns
    from convergekit.engine.events import REASON, find_copies, read_events, read_rows
    from convergekit.engine.profiles import find_profiles
    from convergekit.engine.result import StitchedTable
    from convergekit.identity.properties import refuse_unknown_first

    if not is_of_an_engine(table):
        raise ConvergekitError(
            f"the table is a {type(table).__name__}, not an Ibis table or a Spark DataFrame. "
            "ck.stitch takes what is in memory; Ibis wraps what DuckDB has, "
            "ibis.duckdb.from_connection(connection).table('events')."
        )
    given_first, browser = names_given("first", first), browser_type(browser_alias)
    in_ibis = as_ibis(table)
    backend = Backend.of(in_ibis.get_backend())
    blocker = Blocker.of(block)
    source = read_events(backend, in_ibis, columns=columns or {}, rename_events=rename_events or {})
    _check_empty(source)
    refuse_unknown_first(given_first, property_columns(source))
    rows = backend.keep(
        read_rows(
            backend, source, dedupe_on=dedupe_on, alias_from=alias_from or {}, blocker=blocker
        )
    )
    _check_numbers(rows)
    events = rows.filter(rows[REASON].isnull())
    copies = backend.keep(find_copies(events, dedupe_on))
    kept = events.anti_join(copies, "row").select(*events.columns)
    rounds: list[int] = []

    def each_round(number: int, left: int) -> None:
        rounds.append(left)
        if progress is not None:
            progress(number, left)

    members = find_profiles(backend, kept, each_round)
    if browser != USUAL_BROWSER:
        types = {alias_type for alias_type, _ in alias_columns(source, alias_from or {})}
        types.update(members.select("alias_type").distinct().execute()["alias_type"])
        refuse_unknown_types("browser_alias", [browser], sorted(types))
    return StitchedTable(
        browser_alias=browser,
        rounds=rounds,
        _backend=backend,
        _source=source,
        _rows=rows,
        _copies=copies,
        _members=members,
        _renamed=dict(rename_events or {}),
        _first=list(given_first),
    )


def _check_numbers(rows: Any) -> None:
    """Raise unless rows are numbered apart."""
    found = rows.aggregate(all=rows.count(), numbers=rows["row"].nunique()).execute().iloc[0]
    if found["all"] != found["numbers"]:
        raise ColumnError(
            f"column 'row' has {found['numbers']:,} numbers for {found['all']:,} rows; give each "
            "row a number of its own."
        )


def _check_empty(events: Any) -> None:
    """Raise if events say something that engines cannot do."""
    for name in ("unset", "set_once"):
        if name not in events.columns or events[name].type().is_null():
            continue
        if events[name].count().execute():
            raise NotOnThisEngine(
                f"column {name!r} holds something, and is not on this engine yet: drop it, or "
                "where the events fit into memory, ck.stitch(table.to_pandas())."
            )
