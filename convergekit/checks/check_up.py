"""The check-up: audit the tracking, and rank its faults by the money concerned.

Each part of the events is asked twice: what the checks have to know of all events is learned of
each part, and then each part is checked. What is kept of the parts is put together. Events in
memory are one part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.checks import CHECKS
from convergekit.checks.fault import (
    LISTED_ROWS,
    SEVERITIES,
    Check,
    Fault,
    Kept,
    Together,
    first_rows,
)
from convergekit.checks.money import AskedMoney, candidates
from convergekit.checks.plugged import failure, plugged_checks, said_of_plugged, with_plugged
from convergekit.checks.tracking import USUAL_CONVERSION, AskedCheckUp, Tracking, tracking_of
from convergekit.checks.whole import LearnedOfPart, Whole
from convergekit.checks.wording import property_name, quoted
from convergekit.errors import ConvergekitError
from convergekit.events.arrow import Frame
from convergekit.events.steps import StepLike
from convergekit.figures import markdown
from convergekit.figures.description import Described
from convergekit.identity.options import StitchOptions
from convergekit.identity.pipeline import accept
from convergekit.readers.formats import exports_told, refuse_export
from convergekit.visible import visible

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
Answer = TypeVar("Answer")


class EachTracking(Protocol):
    """Asks every part of the events, in the order of their numbers."""

    def __call__(self, of_part: Callable[[Tracking], Answer], /) -> Iterator[Answer]:
        """Yield what a function returns of each part.

        Parameters
        ----------
        of_part : callable
            It may run in another process: it holds data alone, as does what it returns.
        """
        ...


@dataclass(frozen=True, eq=False)
class _InMemory:
    """Asks all events as the only part."""

    tracking: Tracking

    def __call__(self, of_part: Callable[[Tracking], Answer], /) -> Iterator[Answer]:
        yield of_part(self.tracking)


def checked(
    events: Frame,
    options: StitchOptions | None = None,
    *,
    conversion: StepLike | Iterable[StepLike] | None = None,
    money: AskedMoney | None = None,
) -> CheckUp:
    """Audit the tracking of events in memory. See `check_up`.

    Parameters
    ----------
    events : Frame
    options : StitchOptions, optional
        How they are read.
    conversion
        As `check_up` takes it.
    money : AskedMoney, optional
    """
    options = options or StitchOptions.of()
    asked = AskedCheckUp.of(conversion, money or AskedMoney(), options, plugged_checks())
    with exports_told(events, "ck.check_up"):
        accepted = accept(events, options)
    if not options.alias_from:
        refuse_export(events, accepted.events, "ck.check_up")
    return checked_parts(_InMemory(tracking_of(accepted, options, asked)), asked)


def checked_parts(each: EachTracking, asked: AskedCheckUp) -> CheckUp:
    """Audit the tracking of events in parts.

    Raises
    ------
    As `check_up` does.
    """
    whole = _settled(list(each(_learned)), asked)
    checks = with_plugged(asked.plugged)
    unchecked = {name: why for name, check in checks.items() if (why := check.unless(whole))}
    kept: dict[str, list[Kept]] = {name: [] for name in checks if name not in unchecked}
    for of_part in each(partial(_found, whole=whole, names=list(kept))):
        for name, some in of_part.items():
            kept[name] += some
    found: list[Finding] = []
    results: list[tuple[str, str, str]] = []
    unchecked |= {name: why for name, some in kept.items() if (why := failure(some))}
    for name in checks:
        if name in unchecked:
            results.append((name, NOT_CHECKED, unchecked[name]))
            continue
        faults = list(_said(name, kept[name], whole))
        found += faults
        results.append((name, counted(len(faults), "finding") if faults else NO_FINDING, ""))
    # The sort is stable: what is equal stays in the order of the checks.
    found.sort(key=_rank)
    return CheckUp(
        findings=_findings(found),
        checks=pd.DataFrame(results, columns=["check", "result", "why"], dtype="str"),
        remarks=[*_remarks(whole), *said_of_plugged(asked.plugged)],
        _whole=whole,
        _found=tuple(found),
        _each=each,
    )


def events_concerned(
    tracking: Tracking, leaving_out: Collection[str] = ()
) -> dict[str, tuple[int, str]]:
    """Return, per check with findings, how many events they concern, and what the first says.

    Parameters
    ----------
    tracking : Tracking
        All events.
    leaving_out : collection of str
        Checks that are not made.
    """
    every = with_plugged(tracking.asked.plugged)
    asked = {name: check for name, check in every.items() if name not in leaving_out}
    whole = _settled([_learned(tracking, asked)], tracking.asked, asked)
    known = tracking.knowing(whole)
    concerned = {}
    for name, check in asked.items():
        if check.unless(whole):
            continue
        found = list(check.find(known))
        said = list(_said(name, [one.kept(known) for one in found], whole))
        if said:
            keys = {one.found.key for one in said}
            at = np.concatenate([one.at for one in found if one.key in keys])
            concerned[name] = (len(np.unique(at)), said[0].fault.what)
    return concerned


def _settled(
    learned: list[LearnedOfPart], asked: AskedCheckUp, checks: Mapping[str, Check] = CHECKS
) -> Whole:
    """Return what is known of all parts, of what was learned of each."""
    whole = Whole.of(learned, asked)
    for name, check in checks.items():
        if check.settle is not None:
            of_parts = [part.of_checks.pop(name) for part in learned]
            whole.of_checks[name] = check.settle(of_parts, whole)
    return whole


def _learned(tracking: Tracking, checks: Mapping[str, Check] = CHECKS) -> LearnedOfPart:
    """Return what has to be known of a part before all are checked."""
    of_checks = {
        name: check.learn(tracking) for name, check in checks.items() if check.learn is not None
    }
    return LearnedOfPart.of(tracking, of_checks)


def _found(tracking: Tracking, *, whole: Whole, names: Sequence[str]) -> dict[str, list[Kept]]:
    """Return what some checks find in a part."""
    known = tracking.knowing(whole)
    checks = with_plugged(whole.asked.plugged)
    return {name: [one.kept(known) for one in checks[name].find(known)] for name in names}


def _examples(
    tracking: Tracking, *, whole: Whole, name: str, key: Any, n: int | None
) -> pd.DataFrame | None:
    """Return the first events of a part that a check finds, of one key; None if it finds none."""
    known = tracking.knowing(whole)
    for one in with_plugged(whole.asked.plugged)[name].find(known):
        if one.key == key:
            return one.examples(known, n)
    return None


def _said(name: str, kept: Sequence[Kept], whole: Whole) -> Iterator[Finding]:
    """Yield what a check says of all parts, in the order of its findings."""
    of_key: dict[Any, list[Kept]] = {}
    for one in kept:
        of_key.setdefault(one.key, []).append(one)
    check = with_plugged(whole.asked.plugged)[name]
    for key in sorted(of_key, key=whole.place):
        if not any(one.count for one in of_key[key]):
            continue
        together = Together.of(of_key[key], whole)
        fault = check.say(together)
        if fault is not None:
            yield Finding(name, together, fault)


@dataclass(frozen=True)
class Finding:
    """What a check found in all parts, and says of it.

    Attributes
    ----------
    check : str
    found : Together
    fault : Fault
    """

    check: str
    found: Together
    fault: Fault


NO_FINDING = "no finding"
NOT_CHECKED = "not checked"


@dataclass(frozen=True, eq=False, repr=False)
class CheckUp(Described):
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
        What the money is, or why it is not known; and which checks are of plug-ins.
    """

    _table_names = ("findings", "checks")

    findings: pd.DataFrame
    checks: pd.DataFrame
    remarks: list[str]
    _whole: Whole
    _found: tuple[Finding, ...]
    _each: EachTracking

    def __len__(self) -> int:
        """Return how many findings there are."""
        return len(self.findings)

    def examples(self, finding: int, n: int | None = LISTED_ROWS) -> pd.DataFrame:
        """Return events of a finding.

        Parameters
        ----------
        finding : int
            Its number in `findings`.
        n : int, optional
            How many, in the order of the input; all if None. For more than five the events are
            gone through again.

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
        one = self._found[finding - 1]
        if (n is not None and 0 <= n <= LISTED_ROWS) or one.found.count <= LISTED_ROWS:
            return one.found.examples.iloc[:n].reset_index(drop=True)
        ask = partial(_examples, whole=self._whole, name=one.check, key=one.found.key, n=n)
        return first_rows([part for part in self._each(ask) if part is not None], n)

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
            "events": self._whole.events,
            "conversions": self._whole.conversions,
            "currency": self.currency or None,
            "remarks": self.remarks,
            "findings": findings,
            "not_checked": dict(zip(unchecked["check"], unchecked["why"], strict=True)),
        }

    @property
    def currency(self) -> str:
        """The currency of the money; empty if unknown, or if findings are in several."""
        money = self._whole.money
        return "" if money is None or money.foreign else money.currency

    @property
    def title(self) -> str:
        """How many findings there are, in how many events, in one line."""
        found = counted(len(self), "finding") if len(self) else "no findings"
        return f"Check-up of {counted(self._whole.events, 'event')}: {found}"

    def concerned(self, finding: int) -> str:
        """Return in words what a finding concerns: money, events and profiles."""
        row = self.findings.iloc[finding - 1]
        parts = [self.money_text(row["money"])] if not math.isnan(row["money"]) else []
        if not self._found[finding - 1].fault.absent:
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


def _rank(finding: Finding) -> tuple[float, int, int]:
    money = -math.inf if finding.fault.money is None else finding.fault.money
    return (-money, SEVERITIES.index(finding.fault.severity), -finding.found.count)


def _findings(found: Sequence[Finding]) -> pd.DataFrame:
    records = []
    for number, one in enumerate(found, start=1):
        fault, together = one.fault, one.found
        records.append(
            {
                "finding": number,
                "severity": fault.severity,
                "check": one.check,
                "what": fault.what,
                "events": 0 if fault.absent else together.count,
                "profiles": 0 if fault.absent else together.profiles,
                "money": np.nan if fault.money is None else fault.money,
                "rows": together.rows,
                "why": fault.why,
                "fix": fault.fix,
            }
        )
    return pd.DataFrame(records, columns=list(_COLUMNS)).astype(_COLUMNS)


def _remarks(whole: Whole) -> list[str]:
    """Return what the money is, or why it is not known."""
    if not whole.names:
        return [
            f"No money: no event is named {USUAL_CONVERSION!r}. Name your conversions with "
            "conversion=."
        ]
    money = whole.money
    if money is None:
        several = [property_name(column) for column in candidates(whole.columns)]
        return [
            f"No money: {quoted(several)} may each hold it. Name one with value=."
            if len(several) > 1
            else "No money: no property is known to hold it. Name one with value=."
        ]
    remarks = [
        f"Money is {property_name(money.column)!r} of {quoted(whole.titles)}"
        + (", taken for its name; value= names another." if money.guessed else ".")
    ]
    if money.foreign:
        others = [code for code in money.currencies if code != money.currency]
        conversions = counted(money.foreign, "conversion is", "conversions are")
        remarks.append(
            f"{quoted(money.currencies)} are not added up as if they were one: only amounts in "
            f"{money.currency} are counted, and {conversions} in {quoted(others)}. currency= and "
            "rates= convert them."
        )
    return remarks
