"""The report: the input, what was left out and why, and what stitching linked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted
from convergekit.diagnostics.lost_rows import lost_warnings, vanished_names
from convergekit.diagnostics.page_addresses import address_remarks
from convergekit.diagnostics.placeholders import placeholder_remarks
from convergekit.diagnostics.shared_values import find_shared_values
from convergekit.events.calendar import Calendar
from convergekit.events.numeric import numbers_in
from convergekit.events.observed import moment
from convergekit.events.schema import PROPERTY
from convergekit.events.shapes import NOTHING_READ
from convergekit.events.steps import names_in
from convergekit.figures import markdown
from convergekit.figures.description import Described
from convergekit.identity.dedupe import IMPLAUSIBLE, repeats_without_id
from convergekit.identity.plausible import in_scientific_notation
from convergekit.identity.profiles import LOGIN_TYPES
from convergekit.identity.tables import observed_of, reaches_browser
from convergekit.visible import visible
from convergekit.visits.traffic import pages_and_referrers

if TYPE_CHECKING:
    from convergekit.figures.figure import Figure
    from convergekit.figures.style import Template
    from convergekit.identity.aliases import EventAliases
    from convergekit.identity.tables import StitchedEvents

#: Of what looks wrong, so many rows are named.
EXAMPLE_ROWS = 5
_LOGINS = f"{', '.join(LOGIN_TYPES[:-1])} or {LOGIN_TYPES[-1]}"


@dataclass(frozen=True, eq=False, repr=False)
class Report(Described):
    """The input, what was left out and why, and what stitching linked.

    Attributes
    ----------
    rows_in, events, profiles, aliases, links_nobody : int
        Rows of the input; events kept; profiles; aliases; events without a usable alias.
    duplicates : dict of str to int
        Dropped copies: ``"identical"``, ``"different content"``, ``"other source"``,
        ``"other state"``, ``"implausible"``.
    rejected : dict of str to int
        Rejected rows per reason.
    coverage : pandas.DataFrame
        Per event name: `event_name`, `events`, and the shares `with_profile` and
        `with_browser_session` (of events whose profile has an alias of the browser's type). A name
        of which all rows were rejected has 0 events.
    aliases_by_type : dict of str to int
        How many aliases there are of each type.
    alias_types : pandas.DataFrame
        Per alias type: `alias_type`, `aliases` (values in use), `events` (that carry one),
        `blocked` (events with a blocked value).
    blocked : pandas.DataFrame
        `alias_type`, `alias_value`, `events`.
    malformed : dict of str to int
        Malformed aliases, per reason.
    malformed_rows : dict of str to list of int
        Example rows for each of these.
    several_logins : dict of str to int
        Profiles with more than one value of a type of which a person usually has one.
    refused : dict of str to int
        Refused links per alias type whose limit they would have exceeded.
    remarks : dict of str to int
        Decisions about values, and for how many rows.
    warnings : list of str
        What the input lost, first; then what looks like a tracking bug.
    segment : str
        What a segment was chosen by, and empty for the whole.
    caution : str
        What must not be read off a segment.
    left_out : dict of str to int
        Rows that a segment left out: `events`, `duplicates`, `rejected`. Always: rows in = events +
        duplicates + rejected + left out.
    calendar : str
        The shop's calendar; empty for UTC and weeks from Monday.
    own_pages : str
        The sites that are taken for the shop's own, and by which share of the page views.
    """

    _shares: ClassVar[Mapping[str, str]] = {
        "with_profile": "events",
        "with_browser_session": "events",
    }
    _table_names = ("coverage", "alias_types")

    rows_in: int
    events: int
    profiles: int
    aliases: int
    links_nobody: int
    duplicates: dict[str, int]
    rejected: dict[str, int]
    coverage: pd.DataFrame
    aliases_by_type: dict[str, int]
    alias_types: pd.DataFrame
    blocked: pd.DataFrame
    malformed: dict[str, int]
    malformed_rows: dict[str, list[int]]
    several_logins: dict[str, int]
    refused: dict[str, int]
    remarks: dict[str, int]
    warnings: list[str]
    segment: str = ""
    caution: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    calendar: str = ""
    own_pages: str = ""

    def _described_numbers(self) -> dict[str, Any]:
        return {
            **super()._described_numbers(),
            "duplicates": sum(self.duplicates.values()),
            "rejected": sum(self.rejected.values()),
        }

    def _described_left_out(self) -> dict[str, int]:
        """Return what is not counted, and why: rows, and values that link nobody."""
        kinds = {
            "duplicate": self.duplicates,
            "rejected": self.rejected,
            "left out by the segment": self.left_out,
            "malformed alias": self.malformed,
            "refused link": self.refused,
        }
        found = {f"{kind}: {why}": n for kind, whys in kinds.items() for why, n in whys.items()}
        return {**found, "event without a usable alias": self.links_nobody}

    def plot(
        self,
        *,
        template: Template = "auto",
        width: int | None = None,
        height: int | None = None,
    ) -> Figure:
        """Draw the share of events that reach a profile and a browser session, by event name.

        Parameters
        ----------
        template : str or plotly template, default "auto"
            "auto" follows the page's theme, "light" and "dark" do not; or any that plotly knows.
        width, height : int, optional
            Pixels. By default it is as wide as the page, and as high as what it shows.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from convergekit.diagnostics.coverage_figures import report_figure
        from convergekit.figures.style import Style

        return report_figure(self, Style(template, width, height))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON."""
        return {
            name: value.to_dict("records") if isinstance(value, pd.DataFrame) else value
            for name, value in ((one.name, getattr(self, one.name)) for one in fields(self))
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """Return the report that `to_dict` wrote."""
        frames = {
            "coverage": _coverage_frame(values["coverage"]),
            "alias_types": pd.DataFrame(values["alias_types"], columns=list(_TYPE_COLUMNS)).astype(
                _TYPE_COLUMNS
            ),
            "blocked": _blocked_frame(values["blocked"]),
        }
        return cls(**{**values, **frames})

    def __repr__(self) -> str:
        """Return what became of the rows in one line."""
        found = counted(self.profiles, "profile")
        warnings = f"; {counted(len(self.warnings), 'warning')}" if self.warnings else ""
        return f"Report({self._rows()}; {found}{warnings})"

    def __str__(self) -> str:
        """Return the report as text."""
        return "\n".join(map(visible, self._lines()))

    def _rows(self) -> str:
        return (
            f"{counted(self.rows_in, 'row')} in = {counted(self.events, 'event')}"
            f" + {counted(sum(self.duplicates.values()), 'duplicate')}"
            f" + {sum(self.rejected.values()):,} rejected"
            + (f" + {sum(self.left_out.values()):,} left out" if self.segment else "")
        )

    def _lines(self) -> list[str]:
        lines = [
            self._rows(),
            f"{counted(self.profiles, 'profile')} from {counted(self.aliases, 'alias', 'aliases')}"
            + (f" ({_listed(self.aliases_by_type)})" if self.aliases_by_type else ""),
        ]
        lines += [f"{title}: {text}" for title, text in self.findings()]
        return [*lines, "", "events of each name that belong to a profile", *self._coverage_lines()]

    def _coverage_lines(self) -> list[str]:
        """Return the table of events by name, aligned for a terminal."""
        heads = ("event", "events", "with a profile", "with a browser session")
        rows = [
            (
                row.event_name,
                f"{row.events:,}",
                f"{row.with_profile:.0%}" if row.events else "all rejected",
                f"{row.with_browser_session:.0%}" if row.events else "",
            )
            for row in self.coverage.itertuples()
        ]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        return [
            "  ".join(
                [f"  {first:<{widths[0]}}"]
                + [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
            ).rstrip()
            for first, *cells in (heads, *rows)
        ]

    def to_markdown(self) -> str:
        r"""Return the report as Markdown: what there is to say, and the table of events.

        Examples
        --------
        >>> import convergekit as ck
        >>> report = ck.stitch(ck.simulate_store().events).report
        >>> print(report.to_markdown().split("\n\n")[2])
        | event | events | profile | browser session |
        | :--- | ---: | ---: | ---: |
        | PageView | 210 | 85% | 84% |
        | Viewed Product | 88 | 85% | 85% |
        | Added To Cart | 49 | 96% | 90% |
        | Started Checkout | 32 | 100% | 88% |
        | Placed Order | 27 | 100% | 89% |
        | Subscribed To Newsletter | 12 | 100% | 33% |
        """
        first, second = self._lines()[:2]
        said = [
            f"- **{markdown.plain(title)}**: {markdown.plain(text)}"
            for title, text in self.findings()
        ]
        rows = [
            (
                row.event_name,
                f"{row.events:,}",
                _percent(row.with_profile),
                _percent(row.with_browser_session),
            )
            for row in self.coverage.itertuples()
        ]
        names = ["event", "events", "profile", "browser session"]
        table = markdown.aligned(pd.DataFrame(rows, columns=names), [False, True, True, True])
        lead = f"**{markdown.plain(first)}** {markdown.plain(second)}"
        return "\n\n".join(part for part in (lead, "\n".join(said), table) if part)

    def findings(self) -> list[tuple[str, str]]:
        """Return what there is to say besides the counts: titles and texts."""
        blocked = self.blocked.groupby("alias_type")["events"].sum().to_dict()
        several = {f"{name} on one profile": n for name, n in self.several_logins.items() if n}
        found = [
            *(("warning", text) for text in self.warnings),
            ("calendar", self.calendar),
            ("own pages", self.own_pages),
            ("segment", self.segment),
            ("caution", self.caution),
            ("left out by the segment", _listed(self.left_out)),
            ("duplicates", _listed(self.duplicates)),
            ("rejected", _listed(self.rejected)),
            ("without a usable alias", f"{self.links_nobody:,}" if self.links_nobody else ""),
            ("blocked aliases", _listed(blocked)),
            ("no aliases", _listed(self.malformed)),
            ("several values of", f"{_listed(several)}; see .suspects" if several else ""),
            (
                "links refused",
                f"{_listed(self.refused)}; see .refused_links" if self.refused else "",
            ),
            ("remarks", _listed(self.remarks)),
        ]
        return [(title, text) for title, text in found if text]

    def _repr_html_(self) -> str:
        from convergekit.diagnostics.report_card import report_card

        return report_card(self)


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f"{share:.0%}"


def make_report(s: StitchedEvents) -> Report:
    """Return the report of a Stitched."""
    return replace(
        report_counts(s),
        coverage=with_vanished(
            _coverage_frame(_coverage(s)), vanished_names(s.rejected, names_in(s.events))
        ),
        remarks=_remarks(s),
        warnings=_warnings(s),
        own_pages=pages_and_referrers(s.events)[0].said(),
    )


def report_counts(s: StitchedEvents) -> Report:
    """Return the report without what is said of the events as a whole.

    Everything in it can be added up over parts of the events.
    """
    found = s.resolution
    types = found.aliases.types
    counts = np.bincount(types.codes, minlength=len(types.categories))
    reasons = s.malformed["reason"]
    left_out = {} if s.segment is None else s.segment.left_out
    return Report(
        rows_in=len(s.events) + len(s.duplicates) + len(s.rejected) + sum(left_out.values()),
        events=len(s.events),
        profiles=len(found.profile_ids),
        aliases=len(found.aliases.table),
        links_nobody=int((found.profile < 0).sum()),
        duplicates=_counts(s.duplicates["repeat"]),
        rejected=_counts(s.rejected["reason"]),
        coverage=_coverage_frame(_coverage(s)),
        aliases_by_type={str(t): int(n) for t, n in zip(types.categories, counts, strict=True)},
        alias_types=_alias_types(found.aliases),
        blocked=_blocked_frame(found.aliases.blocked.to_dict("records")),
        malformed=_counts(reasons),
        malformed_rows={
            reason: s.malformed["row"][reasons == reason].head(EXAMPLE_ROWS).tolist()
            for reason in _counts(reasons)
        },
        several_logins=_several_logins(s),
        refused=_counts(pd.Series(found.refused.alias_type, dtype="str")),
        remarks={remark: n for remark, n in s.remarks.items() if NOTHING_READ not in remark},
        warnings=[],
        segment="" if s.segment is None else s.segment.description,
        caution="" if s.segment is None else s.segment.caution,
        left_out=left_out,
        calendar=str(s.calendar) if s.calendar != Calendar() else "",
    )


def nameless_warning(events: int) -> str:
    """Return the warning that no event has a name: perhaps a column is not mapped."""
    calls = counted(events, "event is an identify call", "events are identify calls")
    return (
        f"no event has a name: {calls}, which funnels do not count; if a column holds the names, "
        "name it with columns={'event_name': ...}"
    )


def reused_id_warning(copies: int, what: str, rows: list[int]) -> str:
    """Return the warning that dropped copies conflict with the events that were kept."""
    return (
        f"{counted(copies, 'dropped copy has', 'dropped copies have')} another {what} than the "
        f"kept event ({'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows))}): "
        "a reused event ID is a tracking bug"
    )


def implausible_copies_warning(copies: int, row: int, kept_row: int) -> str:
    """Return the warning that dropped copies are unlikely to be of the event that was kept."""
    return (
        f"{counted(copies, 'dropped copy is', 'dropped copies are')} implausible (row {row}, "
        f"dropped as a copy of row {kept_row}): another {_LOGINS}, or more than 24 hours "
        "away without a common alias; give every event an ID of its own, or name the field that "
        "tells them apart, such as dedupe_on=('event_id', 'source')"
    )


def scientific_warning(events: int, event_id: str, row: int) -> str:
    """Return the warning that a spreadsheet wrote event IDs in scientific notation."""
    have = "event has an event ID" if events == 1 else "events have event IDs"
    return (
        f"{events:,} {have} in scientific notation, such as {event_id!r} (row {row}): a "
        "spreadsheet rounded long numbers, so different events may have one ID; export again, and "
        "have the column read as text"
    )


def unnamed_repeats_warning(repeats: int, elsewhere: Mapping[tuple[str, str], int]) -> str:
    """Return the warning that events without an ID look like copies.

    Parameters
    ----------
    repeats : int
    elsewhere : mapping of tuple of str to int
        As `UnnamedRepeats` has it.
    """
    one = repeats == 1
    said = (
        f"{counted(repeats, 'event')} without an event ID repeat{'s' * one} another in every field"
    )
    if elsewhere:
        (first, file), most = next(iter(elsewhere.items()))
        count = sum(elsewhere.values())
        many = "" if count == repeats else f"{count:,} of them "
        named = f"{first!r} and {file!r}" + ("" if most == count else f": {most:,}")
        said += f", {many}in another file ({named})"
    if one:
        return f"{said}: it is counted, because nothing marks it as a duplicate"
    return f"{said}: they are counted, because nothing marks them as duplicates"


def by_order_remark(copies: int) -> dict[str, int]:
    """Return the remark that the order of the rows alone said which copies to drop."""
    what = "copy" if copies == 1 else "copies"
    said = f"{what} with other content dropped by the order of rows, without received_at"
    return {said: copies} if copies else {}


def dropped_by_order(s: StitchedEvents) -> int:
    """Return how many copies with other content were dropped by the order of rows alone."""
    differ = s.duplicates[s.duplicates["differs"].map(bool).to_numpy(dtype=bool)]
    if not len(differ) or "received_at" not in s.events:
        return len(differ)
    kept = s.events.set_index("row")[["timestamp", "received_at"]].reindex(differ["kept_row"])
    # Without a time of receipt an event arrives when it happens.
    tied = kept["timestamp"].array == differ["timestamp"].array
    return int((tied & kept["received_at"].isna().to_numpy()).sum())


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(n) for value, n in sorted(Counter(values).items())}


def _remarks(s: StitchedEvents) -> dict[str, int]:
    """Return the decisions about values; those by which something is lost are warnings."""
    decided = {remark: n for remark, n in s.remarks.items() if NOTHING_READ not in remark}
    found = decided | placeholder_remarks(s.events) | address_remarks(s.events)
    return found | by_order_remark(dropped_by_order(s))


def _coverage(s: StitchedEvents) -> list[dict[str, Any]]:
    tracked = (s.events["kind"] == "track").to_numpy()
    table = pd.DataFrame(
        {
            "event_name": s.events["event_name"].array,
            "with_profile": s.resolution.profile >= 0,
            "with_browser_session": reaches_browser(s),
        }
    )[tracked]
    grouped = table.groupby("event_name", sort=True)
    shares = grouped.mean()
    shares.insert(0, "events", grouped.size())
    shares = shares.reset_index().sort_values(["events", "event_name"], ascending=[False, True])
    return list(shares.to_dict("records"))


def with_vanished(coverage: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the coverage, with event names of which all rows were rejected."""
    gone = pd.DataFrame([[name, 0, 0.0, 0.0] for name in names], columns=list(_COVERAGE_COLUMNS))
    return _coverage_frame([*coverage.to_dict("records"), *gone.to_dict("records")])


def _coverage_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(records, columns=list(_COVERAGE_COLUMNS)).astype(_COVERAGE_COLUMNS)


_COVERAGE_COLUMNS = {
    "event_name": "str",
    "events": "int64",
    "with_profile": "float64",
    "with_browser_session": "float64",
}
_TYPE_COLUMNS = {"alias_type": "str", "aliases": "int64", "events": "int64", "blocked": "int64"}


def _alias_types(aliases: EventAliases) -> pd.DataFrame:
    types = aliases.types
    names = sorted({*types.categories, *aliases.blocked["alias_type"]})
    code = types.codes.astype(np.int64)
    # An event with two aliases of one type carries the type once.
    size = max(len(types.categories), 1)
    carried = distinct(aliases.event * size + code[aliases.alias]) % size
    counts = {
        "aliases": pd.Series(np.bincount(code, minlength=len(types.categories)), types.categories),
        "events": pd.Series(
            np.bincount(carried, minlength=len(types.categories)), types.categories
        ),
        "blocked": aliases.blocked.groupby("alias_type")["events"].sum(),
    }
    columns = {what: count.reindex(names, fill_value=0).array for what, count in counts.items()}
    return pd.DataFrame({"alias_type": names} | columns).astype(_TYPE_COLUMNS)


def _blocked_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {"alias_type": "str", "alias_value": "str", "events": "int64"}
    return pd.DataFrame(records, columns=list(columns)).astype(columns)


def _several_logins(s: StitchedEvents) -> dict[str, int]:
    found = s.resolution
    types = found.aliases.table["alias_type"]
    several = {}
    for name in LOGIN_TYPES:
        # A type that no alias has is one of the categories perhaps, and perhaps not.
        if name in found.aliases.types.categories:
            per_profile = np.bincount(found.component[(types == name).to_numpy()])
            several[name] = int((per_profile > 1).sum())
    return several


def _warnings(s: StitchedEvents) -> list[str]:
    shared = find_shared_values(s).warning
    found = [*lost_warnings(s), *Faults.of(s).warnings(s.observed_until, s.data_end)]
    return [*found, shared] if shared else found


@dataclass(frozen=True)
class Faults:
    """What looks like a tracking bug: how often, and the first rows.

    Those of parts of the events can be added up.

    Attributes
    ----------
    events, identify : int
        The events, and how many of them are identify calls.
    other_names, other_amounts : tuple of (int, list of int)
        Copies with another event name or amount than the kept event.
    implausible : tuple of (int, list of list of int)
        Of the first, its row and that of the kept event.
    scientific : tuple of (int, list)
        Of the first, its row and event ID.
    far : tuple of (int, list)
        Of the first few, the row and the time in words.
    repeats : int
        Events without an event ID that repeat another in every field.
    elsewhere : list of list
        Pairs of files, and how many events of the second repeat one of the first.
    """

    events: int
    identify: int
    other_names: tuple[int, list[int]]
    other_amounts: tuple[int, list[int]]
    implausible: tuple[int, list[Any]]
    scientific: tuple[int, list[Any]]
    far: tuple[int, list[Any]]
    repeats: int
    elsewhere: list[Any]

    @classmethod
    def of(cls, s: StitchedEvents) -> Faults:
        """Return what stitched events show."""
        conflicts, row = s.duplicates["conflicts"], s.duplicates["row"]
        names = conflicts.map(lambda fields: "event_name" in fields).to_numpy(dtype=bool)
        money = {name for name in set(conflicts.explode().dropna()) if _holds_amounts(s, name)}
        amounts = conflicts.map(lambda fields: not money.isdisjoint(fields)).to_numpy(dtype=bool)
        implausible = s.duplicates[s.duplicates["repeat"] == IMPLAUSIBLE]
        rounded = pd.concat(
            [
                table[["row", "event_id"]][in_scientific_notation(table["event_id"])]
                for table in (s.events, s.duplicates)
            ]
        ).sort_values("row")
        far = observed_of(s).outside(s.events)
        some = s.events[["row", "timestamp"]].iloc[far[:EXAMPLE_ROWS]]
        repeats = repeats_without_id(s.events.drop(columns=_written(s.events)))
        return cls(
            events=len(s.events),
            identify=int((s.events["kind"] == "identify").sum()),
            other_names=(int(names.sum()), row[names].head(EXAMPLE_ROWS).tolist()),
            other_amounts=(int(amounts.sum()), row[amounts].head(EXAMPLE_ROWS).tolist()),
            implausible=(
                len(implausible),
                _rows(implausible[["row", "kept_row"]].head(1)),
            ),
            scientific=(len(rounded), _rows(rounded.head(1))),
            far=(len(far), [[row, moment(time)] for row, time in _rows(some)]),
            repeats=len(repeats.event),
            elsewhere=[[*files, count] for files, count in repeats.elsewhere.items()],
        )

    def warnings(self, observed_until: pd.Timestamp | None, data_end: pd.Timestamp) -> list[str]:
        """Return the warnings.

        Parameters
        ----------
        observed_until : pandas.Timestamp or None
            Until when profiles are observed, where that was given.
        data_end : pandas.Timestamp
            Until when they are.
        """
        found = []
        if self.events and self.identify == self.events:
            found.append(nameless_warning(self.events))
        for what, (count, rows) in (
            ("event name", self.other_names),
            ("amount", self.other_amounts),
        ):
            if count:
                found.append(reused_id_warning(count, what, rows))
        count, first = self.implausible
        if count:
            found.append(implausible_copies_warning(count, *first[0]))
        count, first = self.scientific
        if count:
            row, event_id = first[0]
            found.append(scientific_warning(count, event_id, row))
        if self.far[0]:
            found.append(_far_warning(*self.far, observed_until, data_end))
        if self.repeats:
            pairs = {(one, other): count for one, other, count in self.elsewhere}
            found.append(unnamed_repeats_warning(self.repeats, pairs))
        return found


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    return [list(row) for row in table.itertuples(index=False)]


def _far_warning(
    far: int, some: list[Any], observed_until: pd.Timestamp | None, data_end: pd.Timestamp
) -> str:
    """Return the warning that events lie beyond the end of the data, or before their begin."""
    named = ", ".join(f"row {row}: {time}" for row, time in some)
    more = f" and {far - len(some):,} more" if far > len(some) else ""
    one = far == 1
    asked = f"funnels, counts, retention and customers leave {'it' if one else 'them'} out"
    if observed_until is not None:
        return (
            f"{counted(far, 'event lies', 'events lie')} beyond observed_until=, or before "
            f"the Web began ({named}{more}): {asked}"
        )
    return (
        f"{counted(far, 'event is', 'events are')} dated far from the rest, or long after "
        f"being received ({named}{more}), so {'its clock is' if one else 'their clocks are'} "
        f"taken to be wrong: the data end at {moment(data_end)}, and {asked}; observed_until= "
        "sets another end"
    )


def _holds_amounts(s: StitchedEvents, name: str) -> bool:
    nowhere = np.empty(0, dtype=np.int64)
    return name.startswith(PROPERTY) and numbers_in(s.events[name], nowhere) is not None


def _written(events: pd.DataFrame) -> list[str]:
    return [c for c in events.columns if c == "profile_id" or c.startswith("profile.")]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


# Static and scoped by a class of our own; colours follow the notebook's theme.
