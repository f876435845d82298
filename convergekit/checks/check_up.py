"""The check-up: audit the tracking, and rank its faults by the money concerned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.grouping import distinct
from convergekit.base.wording import counted
from convergekit.checks import CHECKS
from convergekit.checks.fault import SEVERITIES, Fault, NotChecked
from convergekit.checks.money import as_numbers, candidates
from convergekit.checks.tracking import USUAL_CONVERSION, Tracking, read_tracking
from convergekit.checks.wording import property_name, quoted, without_addresses
from convergekit.errors import ConvergekitError
from convergekit.events.steps import StepLike
from convergekit.figures import markdown
from convergekit.identity.alias_rules import Rule
from convergekit.identity.blocking import Block
from convergekit.identity.options import StitchOptions
from convergekit.visible import visible

_LISTED_ROWS = 5
_COLUMNS = {
    "finding": "int64",
    "severity": "str",
    "check": "str",
    "what": "str",
    "events": "int64",
    "profiles": "int64",
    "money": "float64",
    "rows": "object",
    "why": "str",
    "fix": "str",
}


def check_up(
    events: pd.DataFrame,
    *,
    conversion: StepLike | Iterable[StepLike] | None = None,
    value: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    columns: Mapping[str, str] | None = None,
    tz: str | None = None,
    rename_events: Mapping[str, str] | None = None,
    dedupe_on: Sequence[str] = ("event_id",),
    block: Block = (),
    alias_from: Mapping[str, str] | None = None,
    rules: Mapping[str, Rule] | None = None,
    nothing: Iterable[str] = (),
    browser_alias: str = "cookie",
    calendar: str | None = None,
) -> CheckUp:
    """Audit your tracking: find its faults, ranked by the money that they concern.

    Parameters
    ----------
    events : pandas.DataFrame
        As `stitch` takes it. Never changed.
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

    Notes
    -----
    ``docs/check-up.md`` defines every finding, and when it may be a false alarm.

    Examples
    --------
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
    tracking = read_tracking(
        events,
        StitchOptions.of(
            columns=columns,
            tz=tz,
            rename_events=rename_events,
            dedupe_on=dedupe_on,
            block=block,
            alias_from=alias_from,
            rules=rules,
            nothing=nothing,
            browser_alias=browser_alias,
            calendar=calendar,
        ),
        conversion=conversion,
        value=value,
        currency=currency,
        rates=rates,
    )
    found: list[tuple[str, Fault]] = []
    results: list[tuple[str, str, str]] = []
    for name, check in CHECKS.items():
        faults = check(tracking)
        if isinstance(faults, NotChecked):
            results.append((name, NOT_CHECKED, faults.why))
            continue
        found += [(name, fault) for fault in faults]
        results.append((name, counted(len(faults), "finding") if faults else NO_FINDING, ""))
    # The sort is stable: what is equal stays in the order of the checks.
    found.sort(key=lambda item: _rank(item[1]))
    return CheckUp(
        findings=_findings(tracking, found),
        checks=pd.DataFrame(results, columns=["check", "result", "why"], dtype="str"),
        remarks=_remarks(tracking),
        _tracking=tracking,
        _faults=tuple(fault for _, fault in found),
    )


NO_FINDING = "no finding"
NOT_CHECKED = "not checked"


@dataclass(frozen=True, eq=False, repr=False)
class CheckUp:
    """The faults of the tracking, ranked.

    Attributes
    ----------
    findings : pandas.DataFrame
        One row per finding, that with the most money first: `finding` (from 1), `severity`
        (``"high"``, ``"medium"``, ``"low"``), `check`, `what`, `events`, `profiles`, `money`
        (missing if unknown), `rows` (the first five), `why`, `fix`.
    checks : pandas.DataFrame
        One row per check: `check`, `result` (how many findings, or that it was not checked) and
        `why` not.
    remarks : list of str
        What the money is, or why it is not known.
    """

    findings: pd.DataFrame
    checks: pd.DataFrame
    remarks: list[str]
    _tracking: Tracking
    _faults: tuple[Fault, ...]

    def __len__(self) -> int:
        """Return how many findings there are."""
        return len(self.findings)

    def examples(self, finding: int, n: int | None = _LISTED_ROWS) -> pd.DataFrame:
        """Return events of a finding.

        Parameters
        ----------
        finding : int
            Its number in `findings`.
        n : int, optional
            How many, in the order of the input; all if None.

        Returns
        -------
        pandas.DataFrame
            `row` (the position in the input), `event_id`, `event_name`, `timestamp`, `source`,
            `amount` (where the money is known) and `seen`: what is wrong with it. No e-mail
            address and, but for event IDs, no long number can be read in it.

        Raises
        ------
        ConvergekitError
            The number is not that of a finding.
        """
        if isinstance(finding, bool) or finding not in range(1, len(self) + 1):
            raise ConvergekitError(
                f"finding must be a number from 1 to {len(self)}; got {finding!r}."
                if len(self)
                else f"finding must be one of the findings; there are 0, got {finding!r}."
            )
        fault, tracking = self._faults[finding - 1], self._tracking
        at = fault.positions[:n]
        columns = ["row", "event_id", "event_name", "timestamp", "source"]
        table = tracking.events[columns].iloc[at].reset_index(drop=True)
        table["event_id"] = table["event_id"].map(without_addresses, na_action="ignore")
        if tracking.money is not None:
            table["amount"] = as_numbers(tracking.events[tracking.money.column].iloc[at])
        return table.assign(seen=pd.Series(fault.seen(at), dtype="str"))

    def to_dict(self) -> dict[str, Any]:
        """Return the check-up as plain values, ready for JSON.

        Examples
        --------
        >>> import convergekit as ck
        >>> found = ck.check_up(ck.simulate_store(noise=0).events).to_dict()
        >>> found["findings"], found["events"]
        ([], 433)
        """
        findings = self.findings.to_dict("records")
        for record in findings:
            record["money"] = None if math.isnan(record["money"]) else round(record["money"], 2)
            examples = self.examples(record["finding"])
            examples["timestamp"] = examples["timestamp"].map(pd.Timestamp.isoformat)
            record["examples"] = (
                examples.astype(object).where(examples.notna(), None).to_dict("records")
            )
        unchecked = self.checks[self.checks["result"] == NOT_CHECKED]
        return {
            "events": int(self._tracking.is_kept.sum()),
            "conversions": int(self._tracking.is_conversion.sum()),
            "currency": self.currency or None,
            "remarks": self.remarks,
            "findings": findings,
            "not_checked": dict(zip(unchecked["check"], unchecked["why"], strict=True)),
        }

    @property
    def currency(self) -> str:
        """The currency of the money; empty if unknown, or if findings are in several."""
        money = self._tracking.money
        if money is None or (money.foreign & self._tracking.is_conversion).any():
            return ""
        return money.currency

    @property
    def title(self) -> str:
        """How many findings there are, in how many events, in one line."""
        found = counted(len(self), "finding") if len(self) else "no findings"
        return f"Check-up of {counted(int(self._tracking.is_kept.sum()), 'event')}: {found}"

    def concerned(self, finding: int) -> str:
        """Return in words what a finding concerns: money, events and profiles."""
        row = self.findings.iloc[finding - 1]
        parts = [self.money_text(row["money"])] if not math.isnan(row["money"]) else []
        if not self._faults[finding - 1].absent:
            parts.append(counted(int(row["events"]), "event"))
            parts += [counted(int(row["profiles"]), "profile")] if row["profiles"] else []
        return ", ".join(parts)

    def money_text(self, amount: float) -> str:
        """Return an amount of money in words."""
        return f"{amount:,.2f} {self.currency}" if self.currency else f"money {amount:,.2f}"

    @property
    def not_checked(self) -> list[str]:
        """Which checks could not be made, and why, in words: a line for each reason."""
        unchecked = self.checks[self.checks["result"] == NOT_CHECKED]
        return [
            f"not checked: {', '.join(of_reason['check'])} ({why})"
            for why, of_reason in unchecked.groupby("why", sort=False)
        ]

    def listed_rows(self, finding: int) -> str:
        """Return a finding's first rows in words."""
        row = self.findings.iloc[finding - 1]
        listed = ", ".join(map(str, row["rows"]))
        more = row["events"] - len(row["rows"])
        return f"{listed} and {more:,} more" if more > 0 else listed

    def __repr__(self) -> str:
        """Return the number of findings in one line."""
        return visible(f"CheckUp({self.title.removeprefix('Check-up of ')})")

    def __str__(self) -> str:
        """Return the findings as text."""
        lines = [self.title, *self.remarks]
        for row in self.findings.to_dict("records"):
            concerned = self.concerned(row["finding"])
            rows = "row" if len(row["rows"]) == 1 else "rows"
            lines += [
                "",
                f"{row['finding']}. {row['severity']} [{row['check']}]: {row['what']}",
                *([f"   concerned: {concerned}"] if concerned else []),
                f"   {rows}: {self.listed_rows(row['finding'])}",
                f"   why: {row['why']}",
                f"   fix: {row['fix']}",
            ]
        lines += [*([""] if self.not_checked else []), *self.not_checked]
        return "\n".join(map(visible, lines))

    def to_markdown(self) -> str:
        """Return the findings as Markdown, a numbered list with why and how to repair each.

        Examples
        --------
        >>> import convergekit as ck
        >>> print(ck.check_up(ck.simulate_store(noise=0).events).to_markdown())
        **Check-up of 433 events: no findings**
        <BLANKLINE>
        Money is 'total_price' of 'Placed Order', taken for its name; value= names another.
        """
        found = []
        for row in self.findings.to_dict("records"):
            about = ", ".join(
                part
                for part in (row["severity"], row["check"], self.concerned(row["finding"]))
                if part
            )
            what, why, fix = (markdown.plain(row[name]) for name in ("what", "why", "fix"))
            found.append(
                f"{row['finding']}. **{what}** ({markdown.plain(about)})\n"
                f"   - why: {why}\n   - fix: {fix}\n"
                f"   - rows: {markdown.plain(self.listed_rows(row['finding']))}"
            )
        lines = [*map(markdown.plain, self.remarks)]
        parts = [f"**{markdown.plain(self.title)}**", *lines, "\n".join(found)]
        return "\n\n".join(
            part for part in (*parts, *map(markdown.plain, self.not_checked)) if part
        )

    def _repr_html_(self) -> str:
        from convergekit.checks.card import check_up_html

        return check_up_html(self)


def _rank(fault: Fault) -> tuple[float, int, int]:
    money = -math.inf if fault.money is None else fault.money
    return (-money, SEVERITIES.index(fault.severity), -len(fault.positions))


def _findings(tracking: Tracking, found: Sequence[tuple[str, Fault]]) -> pd.DataFrame:
    rows = tracking.events["row"].to_numpy()
    records = []
    for number, (name, fault) in enumerate(found, start=1):
        profiles = distinct(tracking.profile[fault.positions])
        records.append(
            {
                "finding": number,
                "severity": fault.severity,
                "check": name,
                "what": fault.what,
                "events": 0 if fault.absent else len(fault.positions),
                "profiles": 0 if fault.absent else int((profiles >= 0).sum()),
                "money": np.nan if fault.money is None else fault.money,
                "rows": rows[fault.positions[:_LISTED_ROWS]].tolist(),
                "why": fault.why,
                "fix": fault.fix,
            }
        )
    return pd.DataFrame(records, columns=list(_COLUMNS)).astype(_COLUMNS)


def _remarks(tracking: Tracking) -> list[str]:
    """Return what the money is, or why it is not known."""
    if not tracking.names:
        return [
            f"No money: no event is named {USUAL_CONVERSION!r}. Name your conversions with "
            "conversion=."
        ]
    money = tracking.money
    if money is None:
        several = [property_name(column) for column in candidates(tracking.events)]
        return [
            f"No money: {quoted(several)} may each hold it. Name one with value=."
            if len(several) > 1
            else "No money: no property is known to hold it. Name one with value=."
        ]
    remarks = [
        f"Money is {property_name(money.column)!r} of {quoted(tracking.titles)}"
        + (", taken for its name; value= names another." if money.guessed else ".")
    ]
    foreign = int((money.foreign & tracking.is_conversion).sum())
    if foreign:
        others = [code for code in money.currencies if code != money.currency]
        conversions = counted(foreign, "conversion is", "conversions are")
        remarks.append(
            f"{quoted(money.currencies)} are not added up as if they were one: only amounts in "
            f"{money.currency} are counted, and {conversions} in {quoted(others)}. currency= and "
            "rates= convert them."
        )
    return remarks
