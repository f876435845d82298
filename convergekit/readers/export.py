"""`Export`: a vendor's format as a declaration, and how its rows become canonical ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.bounds import MOST_COLUMNS, TOO_WIDE, too_wide
from convergekit.base.records import column_from_values, frame_from_records
from convergekit.base.text import as_text
from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.schema import ALIAS, PROFILE_PROPERTY, PROPERTY, STATE_AT
from convergekit.events.shapes import READ_SHAPES, said_of
from convergekit.readers.columns.keys import ColumnField, ObjectField, filled
from convergekit.readers.concatenate import concatenate
from convergekit.readers.fields import Field, Records, Rows, read_field
from convergekit.readers.gathered import ItemLines
from convergekit.typing import IntArray

#: What the fields of a further event call those of the row that lists it.
OF_THE_ROW = "row."
#: The key of a mapping whose objects are opened: every key becomes a property.
EVERY_KEY = "*"


@dataclass(frozen=True, kw_only=True)
class Export:
    """A vendor's export format: where its rows say what, when and who.

    Every value is a field: a path such as ``"context.traits.email"``, or a function that takes
    the `Rows` and returns one value per row.

    Attributes
    ----------
    name : str
        What `read_events` calls the format.
    documentation : str
        The vendor's page that documents the fields.
    recognised_by : sequence of sequences of str
        Paths that, all present in a file, prove the format; several such sets are alternatives.
    absent : sequence of str
        Paths that prove, if a file has one of them, that it is not of this format.
    event_name : Field
        Missing for an identify call: a row that is not an event but identifies a profile.
    timestamp : Field
    event_id, received_at : Field, optional
    state : Field, optional
        When the row was last changed, of a thing that changes: an order's `updated_at`. Of several
        copies the first counts, with the properties of the last state.
    aliases : mapping of str to Field, or to a sequence of Fields
        Per alias type, where its values stand; a sequence is several values of one type.
    properties, profile_properties : mapping of str to Field
        Per property; under ``"*"`` stand objects of which every key becomes a property.
    set_once : mapping of str to Field
        Profile properties that count only until the profile has a value.
    unset : Field, optional
        Lists of profile properties to erase.
    settle : function, optional
        From rows under canonical names to the same rows, for what can only be said when all of
        them are known: it gets the rows of all files of the format in a call of `read_events`, in
        the order of the files. What it says must not depend on that order, nor on rows of another
        call: a store adds an export a night.
    absent : sequence of str
        Paths that prove, if a file has one of them, that it is not of this format.
    table : str, optional
        The table that the rows are of, where several of a vendor's have the same columns: of the
        formats that fit a file, its name then chooses.
    prepare : function, optional
        From rows as they came to as many rows that the fields are of, with the same index.
    refused : str, optional
        Why files of this kind are not read, and what to read instead.
    lines : ItemLines, optional
        For a table in which several lines are one event: which lines, and the items in them.
        The fields are then those of the gathered rows.
    also : sequence of Further
        Events that are made of the same row, such as the refunds that an order lists.

    Examples
    --------
    >>> till = Export(
    ...     name="till", documentation="https://till.example.com/export",
    ...     recognised_by=[["receipt_no", "sold_at"]],
    ...     event_name=lambda rows: ["Sale"] * len(rows), timestamp="sold_at",
    ...     aliases={"email": "buyer.mail"}, properties={"total": "total"},
    ... )
    >>> frame = pd.DataFrame({"receipt_no": [7], "sold_at": ["2026-03-02T10:00:00Z"],
    ...                       "buyer": [{"mail": "ada@example.com"}], "total": [12.5]})
    >>> till.canonical(frame).to_dict("records")
    [{'event_name': 'Sale', 'timestamp': '2026-03-02T10:00:00Z',
      'alias.email': 'ada@example.com', 'properties.total': 12.5}]
    """

    name: str
    documentation: str
    recognised_by: Sequence[Sequence[str]]
    event_name: Field
    timestamp: Field
    event_id: Field | None = None
    received_at: Field | None = None
    state: Field | None = None
    aliases: Mapping[str, Field | Sequence[Field]] = field(default_factory=dict)
    properties: Mapping[str, Field] = field(default_factory=dict)
    profile_properties: Mapping[str, Field] = field(default_factory=dict)
    set_once: Mapping[str, Field] = field(default_factory=dict)
    unset: Field | None = None
    settle: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    absent: Sequence[str] = ()
    lines: ItemLines | None = None
    also: Sequence[Further] = ()
    table: str | None = None
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    refused: str | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration under which no file could be recognised."""
        if not self.recognised_by or any(
            isinstance(paths, str) or not len(paths) for paths in self.recognised_by
        ):
            raise ConvergekitError(
                f"recognised_by of Export(name={self.name!r}) must be a list of lists of paths, "
                f'such as [["receipt_no", "sold_at"]]; got {self.recognised_by!r}.'
            )

    def recognises(self, rows: Rows | Records) -> bool:
        """Return whether the rows have all the fields that prove the format, and no other's."""
        if any(path in rows.frame or rows.has(path) for path in self.absent):
            return False
        return any(all(rows.has(path) for path in paths) for paths in self.recognised_by)

    def events(self, frame: pd.DataFrame | Rows) -> tuple[pd.DataFrame, IntArray]:
        """Return the vendor's rows as `canonical` does, and below them the further events.

        Parameters
        ----------
        frame : pandas.DataFrame or Rows

        Returns
        -------
        events : pandas.DataFrame
            With the index of the frame where each row is one event, else with a fresh one.
        row : numpy.ndarray of int
            The position of each event's row.
        """
        parts = [self.canonical(frame)]
        places = [np.arange(len(frame))]
        rows = frame if isinstance(frame, Rows) else Rows(frame)
        for further in self.also:
            found = further.read(rows, parts[0])
            if found is not None:
                rows.plain -= {n for n, column in found[0].items() if column.dtype == object}
                parts.append(found[0])
                places.append(found[1])
        if len(parts) == 1:
            return parts[0], places[0]
        row = np.concatenate(places)
        in_order = np.argsort(row, kind="stable")
        events = concatenate([part.reset_index(drop=True) for part in parts])
        return events.iloc[in_order].reset_index(drop=True), row[in_order]

    @property
    def reads_by_columns(self) -> bool:
        """Whether the fields are of the rows as they stand, so that whole columns may be read."""
        return self.lines is None and self.prepare is None

    def canonical(self, frame: pd.DataFrame | Rows) -> pd.DataFrame:
        """Return the vendor's rows under canonical column names, with the same index."""
        rows = frame if isinstance(frame, Rows) else rows_of(self, frame)
        columns: dict[str, pd.Series] = {}
        for name in ("event_id", "event_name", "timestamp", "received_at"):
            where = getattr(self, name)
            if where is not None:
                columns[name] = self._column(name, where, rows)
        if self.state is not None:
            columns[STATE_AT] = self._column(STATE_AT, self.state, rows)
        columns.update(self._aliases(rows))
        columns.update(self._prefixed(PROPERTY, self.properties, rows))
        columns.update(self._profile_properties(rows))
        if self.unset is not None:
            columns["unset"] = self._column("unset", self.unset, rows)
        if rows.reasons:
            reasons = pd.Series(rows.reasons, dtype="str").reindex(pd.RangeIndex(len(rows)))
            columns["read_error"] = reasons
        shapes = said_of(rows.shapes, len(rows))
        if shapes is not None:
            columns[READ_SHAPES] = shapes
        wanted = ("event_name", "timestamp")
        kept = {n: c for n, c in columns.items() if n in wanted or c.notna().any()}
        return pd.DataFrame({name: column.array for name, column in kept.items()},
                            index=rows.index)  # fmt: skip

    def settled(self, canonical: pd.DataFrame) -> pd.DataFrame:
        """Return all canonical rows of a call with what only all of them can say.

        Raises
        ------
        ConvergekitError
            `settle` does not return the same rows.
        """
        if self.settle is None:
            return canonical
        settled = self.settle(canonical)
        if not settled.index.equals(canonical.index):
            raise ConvergekitError(
                f"format {self.name!r}: settle returned {counted(len(settled), 'row')} for "
                f"{counted(len(canonical), 'row')}; it must return the same rows, with the same "
                "index."
            )
        return settled

    def _aliases(self, rows: Rows) -> dict[str, pd.Series]:
        found: dict[str, pd.Series] = {}
        urns: dict[int, list[Any]] = {}
        for alias_type, where in self.aliases.items():
            first, *others = [where] if isinstance(where, str) or callable(where) else where
            found[ALIAS + alias_type] = self._column(alias_type, first, rows)
            for other in others:
                column = self._column(alias_type, other, rows)
                texts, unusable = as_text(column)
                for row, value in texts.dropna().items():
                    urns.setdefault(row, []).append(f"urn:{alias_type}:{value}")
                # What is not text stands there as it came, to be listed as malformed.
                for row in unusable.nonzero()[0].tolist():
                    urns.setdefault(row, []).append(column.iloc[row])
        if urns:
            found["aliases"] = pd.Series([urns.get(row) for row in range(len(rows))], dtype=object)
        return found

    def _profile_properties(self, rows: Rows) -> dict[str, pd.Series]:
        found = self._prefixed(PROFILE_PROPERTY, self.profile_properties, rows)
        once: dict[int, list[str]] = {}
        for name, values in self._prefixed(PROFILE_PROPERTY, self.set_once, rows).items():
            given = values.notna()
            if name in found:
                given &= found[name].isna()
                found[name] = filled(found[name], values)
            else:
                found[name] = values
            for row in given.to_numpy().nonzero()[0].tolist():
                once.setdefault(row, []).append(name.removeprefix(PROFILE_PROPERTY))
        if once:
            found["set_once"] = pd.Series([once.get(row) for row in range(len(rows))], dtype=object)
        return found

    def _prefixed(
        self, prefix: str, mapping: Mapping[str, Field], rows: Rows
    ) -> dict[str, pd.Series]:
        found: dict[str, pd.Series] = {}
        if EVERY_KEY in mapping:
            opened, plain = self._opened(mapping[EVERY_KEY], rows)
            found = {prefix + str(key): column for key, column in opened.items()}
            if plain:
                rows.plain |= found.keys()
        for name, where in mapping.items():
            if name != EVERY_KEY:
                column = self._column(prefix + name, where, rows)
                old = found.get(prefix + name)
                found[prefix + name] = column if old is None else filled(column, old)
        return found

    def _opened(self, where: Field, rows: Rows) -> tuple[Mapping[str, pd.Series], bool]:
        """Return a column per key of the objects that a field gives, and whether all are plain."""
        if isinstance(where, (str, ObjectField)):
            keys = rows.keys(where) if isinstance(where, str) else where.keys(rows)
            if keys is not None and len(keys.columns) <= MOST_COLUMNS:
                return keys.columns, True
        objects = rows.objects(where) if isinstance(where, str) else list(where(rows))
        self._check_length(EVERY_KEY, objects, rows)
        records = [given if isinstance(given, Mapping) else None for given in objects]
        for row in too_wide(records):
            records[row] = None
            rows.reasons.setdefault(row, TOO_WIDE)
        opened = frame_from_records(records)
        return {str(key): column for key, column in opened.items()}, False

    def _column(self, name: str, where: Field, rows: Rows) -> pd.Series:
        if isinstance(where, str | ColumnField):
            column = rows.column(where) if isinstance(where, str) else where.column(rows)
            if column is not None:
                rows.plain.add(name)
                return column
        rows.plain.discard(name)
        values = read_field(where, rows)
        self._check_length(name, values, rows)
        if isinstance(values, pd.Series):
            return values.reset_index(drop=True)
        return column_from_values(values)

    def _check_length(self, name: str, values: Sized, rows: Rows) -> None:
        name = name.removeprefix(PROFILE_PROPERTY).removeprefix(PROPERTY)
        if len(values) != len(rows):
            raise ConvergekitError(
                f"format {self.name!r}: the field of {name!r} returned "
                f"{counted(len(values), 'value')} for {counted(len(rows), 'row')}; it must "
                "return one per row, None where there is none."
            )


@dataclass(frozen=True, kw_only=True)
class Further:
    """Events that a row lists beside its own: an order's refunds.

    Attributes
    ----------
    each : Field
        Lists of objects, None where there is none; each object is an event. It has the aliases of
        the row's own event.
    event_name, timestamp : Field
        Of the objects, as all fields here; those of the row are reached as ``"row.<path>"``.
    event_id : Field, optional
    properties : mapping of str to Field

    Examples
    --------
    >>> refunds = Further(
    ...     each="refunds", event_name=lambda rows: ["Order Refunded"] * len(rows),
    ...     timestamp="at", event_id="id", properties={"order": "row.no", "amount": "amount"},
    ... )
    >>> orders = pd.DataFrame({"no": [7, 8], "refunds": [[], [{"id": 1, "at": "2026-03-02"}]]})
    >>> events, row = refunds.read(orders, pd.DataFrame({"alias.email": ["ada", "bob"]}))
    >>> events.to_dict("records"), row.tolist()
    ([{'event_id': 1, 'event_name': 'Order Refunded', 'timestamp': '2026-03-02',
       'properties.order': 8, 'alias.email': 'bob'}], [1])
    """

    each: Field
    event_name: Field
    timestamp: Field
    event_id: Field | None = None
    properties: Mapping[str, Field] = field(default_factory=dict)

    def read(
        self, frame: pd.DataFrame | Rows, canonical: pd.DataFrame
    ) -> tuple[pd.DataFrame, IntArray] | None:
        """Return the events of the vendor's rows, and each one's row; None where there are none.

        Parameters
        ----------
        frame : pandas.DataFrame or Rows
            The vendor's rows.
        canonical : pandas.DataFrame
            The rows' own events.
        """
        rows = frame if isinstance(frame, Rows) else Rows(frame)
        lists = rows.object_lists(self.each) if isinstance(self.each, str) else self.each(rows)
        places, objects = [], []
        for place, listed in enumerate(lists):
            for given in listed or ():
                places.append(place)
                objects.append(given)
        if not objects:
            return None
        row = np.array(places, dtype=np.int64)
        mine = frame_from_records(objects)
        theirs = rows.taken(row).add_prefix(OF_THE_ROW)
        export = Export(
            name="", documentation="", recognised_by=[["-"]], event_name=self.event_name,
            timestamp=self.timestamp, event_id=self.event_id, properties=self.properties,
        )  # fmt: skip
        events = export.canonical(pd.concat([mine, theirs], axis="columns"))
        names = [c for c in canonical if c == "aliases" or str(c).startswith(ALIAS)]
        return pd.concat(
            [events, canonical[names].iloc[row].reset_index(drop=True)], axis="columns"
        ), row


def rows_of(export: Export, frame: pd.DataFrame) -> Rows:
    """Return the rows that a format's fields are of, which its `prepare` may have made."""
    rows = Rows(frame)
    return rows if export.prepare is None else Rows(export.prepare(rows.frame))
