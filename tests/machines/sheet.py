"""Sentences about a store, right and wrong, in many ways of writing.

They are made of the tables that a notebook shows, and of no description: what is held against them
does not know how they were made. `python -m tests.machines.sheet` prints a sheet, and what
`check_answer` says of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import convergekit as ck
from convergekit.machines.session import Session
from tests.machines.stores import STEPS, stores


@dataclass(frozen=True)
class Share:
    """So many of so many: with what they are and did, and when or of which group."""

    part: int
    whole: int
    noun: str
    did: str
    when: str = ""


@dataclass(frozen=True)
class Count:
    """So many of something."""

    number: int
    noun: str
    did: str


@dataclass(frozen=True)
class Money:
    """An amount."""

    amount: float
    what: str
    currency: str


@dataclass(frozen=True)
class Line:
    """A sentence of the sheet: what is wrong with it; empty if nothing is."""

    text: str
    wrong: str


def ask_all(session: Session) -> None:
    """Ask what the sheet is about, as an agent would."""
    for name, given in (
        ("overview", {}),
        ("funnel", {"steps": STEPS, "within": "7D"}),
        ("funnel", {"steps": STEPS, "within": "7D", "by": ["utm_source"]}),
        ("trend", {"steps": STEPS, "within": "7D", "freq": "W"}),
        ("counts", {"event": "PageView", "freq": "W", "measure": "profiles"}),
        ("retention", {}),
        ("visits", {}),
        ("attribution", {"value": "total_price"}),
        ("customers", {}),
        ("marketing", {}),
    ):
        assert not session.ask(name, given).is_error, name


def known(s: ck.Stitched, spend: ck.Spend) -> list[Share | Count | Money]:
    """Return what is true of a store."""
    funnel = s.funnel(STEPS, within="7D").table
    found: list[Share | Count | Money] = []
    entered = int(funnel["profiles"].iloc[0])
    for row in funnel.iloc[1:].itertuples():
        when = "within 7 days"
        found.append(
            Share(int(row.profiles), entered, "profiles", f"reached {row.event_name}", when)
        )
    by = s.funnel(STEPS, within="7D", by="utm_source").table
    for source, rows in by.dropna(subset=by.columns[0]).groupby(by.columns[0]):
        first, last = int(rows["profiles"].iloc[0]), int(rows["profiles"].iloc[-1])
        found.append(Share(last, first, "profiles", "reached Placed Order", f"from {source}"))
    for row in s.funnel(STEPS, within="7D").trend("W").itertuples():
        when = f"in the week of {row.period:%-d %B %Y}"
        found.append(Share(int(row.converted), int(row.entered), "profiles", "converted", when))
    for row in s.counts("PageView", freq="W", measure="profiles").itertuples():
        when = f"in the week of {row.period:%Y-%m-%d}"
        found.append(Count(int(row.count), "profiles", f"viewed a page {when}"))
    report = s.report
    found += [
        Count(report.events, "events", "were kept"),
        Count(report.profiles, "profiles", "were found"),
        Count(report.aliases, "aliases", "were seen"),
        Count(sum(report.duplicates.values()), "duplicates", "were dropped"),
    ]
    for row in report.coverage.itertuples():
        found.append(Count(int(row.events), "events", f"are named {row.event_name}"))
    visits = s.sessions()["channel"]
    for channel, number in visits.value_counts().items():
        found.append(Share(int(number), len(visits), "visits", f"came from {channel}"))
    credit = s.attribution("Placed Order", "total_price")
    for row in credit.table.itertuples():
        total = round(credit.table["conversions"].sum())
        did = f"are credited to {row.channel}"
        found.append(Share(int(row.conversions), total, "orders", did))
        found.append(Money(float(row.value), f"the orders credited to {row.channel}", ""))
    orders = s.customers().lifetime_value()
    again = int((orders["orders"] > 1).sum())
    found.append(Share(again, len(orders), "customers", "ordered again"))
    for row in s.marketing(spend).groups.itertuples():
        found.append(Money(float(row.spend), f"the spend of {row.channel}", "EUR"))
        found.append(Money(float(row.revenue), f"the revenue of {row.channel}", "EUR"))
    return [one for one in found if worth_saying(one)]


def worth_saying(one: Share | Count | Money) -> bool:
    """Return whether something can be told from nothing."""
    if isinstance(one, Share):
        return one.whole > 3 and one.part > 0
    return one.number > 0 if isinstance(one, Count) else one.amount > 0


def whole_number(number: int, rng: random.Random) -> str:
    """Write a count."""
    return rng.choice([f"{number:,}", f"{number}", f"{number:,}".replace(",", "\u202f")])


def percent(share: float, rng: random.Random) -> str:
    """Write a share."""
    digits = rng.choice([0, 1, 1, 2])
    text = f"{100 * share:.{digits}f}"
    text = text.replace(".", ",") if rng.random() < 0.15 else text
    return text + rng.choice(["%", "%", " %", " percent"])


def money(amount: float, currency: str, rng: random.Random) -> str:
    """Write an amount."""
    symbol = {"EUR": "€", "USD": "$", "GBP": "£", "": "€"}[currency]
    code = currency or "EUR"
    german = f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    ways = [
        f"{symbol}{amount:,.2f}",
        f"{code} {amount:,.2f}",
        f"{amount:,.0f} {code}",
        f"{german} {symbol}",
        f"{amount:.2f} {symbol}",
    ]
    if amount >= 1000:
        ways.append(f"{symbol}{amount / 1000:.1f}k")
    return rng.choice(ways)


def sentence(one: Share | Count | Money, rng: random.Random, said: dict[str, str]) -> str:
    """Write what is known; `said` has its numbers as they are written."""
    if isinstance(one, Count):
        n = said["n"]
        return rng.choice(
            [
                f"{n} {one.noun} {one.did}.",
                f"In all, {n} {one.noun} {one.did}.",
                f"- **{n}** {one.noun} {one.did}",
            ]
        )
    if isinstance(one, Money):
        m, what = said["m"], one.what
        return rng.choice(
            [
                f"{what[0].upper()}{what[1:]} came to {m}.",
                f"- {what}: {m}",
                f"We put {what} at {m}.",
            ]
        )
    n, d, p = said["n"], said["d"], said["p"]
    when = f" {one.when}" if one.when else ""
    did = f"{one.did}{when}"
    return rng.choice(
        [
            f"{n} of {d} {one.noun} {did} ({p}).",
            f"Of {d} {one.noun}, {n} {did}: {p}.",
            f"{p} of the {d} {one.noun} {did}.",
            f"- {did}: {p} ({n}/{d})",
            f"{n} out of {d} {one.noun} {did}, that is {p}.",
            f"The share who {did} is {p}, {n} of {d}.",
            f"{p} ({n} of the {d} {one.noun}) {did}.",
        ]
    )


def right(one: Share | Count | Money, rng: random.Random) -> Line:
    """Return a sentence that is right."""
    return Line(sentence(one, rng, written(one, rng)), "")


def written(one: Share | Count | Money, rng: random.Random) -> dict[str, str]:
    """Return the numbers of what is known as they are written."""
    if isinstance(one, Count):
        return {"n": whole_number(one.number, rng)}
    if isinstance(one, Money):
        return {"m": money(one.amount, one.currency, rng)}
    return {
        "n": whole_number(one.part, rng),
        "d": whole_number(one.whole, rng),
        "p": percent(one.part / one.whole, rng),
    }


def moved(number: float, rng: random.Random) -> float:
    """Return another number: some more or less, or with two digits swapped."""
    by = rng.choice([-0.31, -0.17, -0.09, 0.08, 0.13, 0.29, 0.6])
    return number * (1 + by)


def moved_whole(number: int, rng: random.Random) -> int:
    """Return another whole number."""
    other = round(moved(number, rng))
    return other if other != number else number + rng.choice([1, 2])


def spoiled(one: Share | Count | Money, rng: random.Random) -> Line:
    """Return a sentence with one fault."""
    said = written(one, rng)
    if isinstance(one, Count):
        said["n"] = whole_number(moved_whole(one.number, rng), rng)
        return Line(sentence(one, rng, said), "another count")
    if isinstance(one, Money):
        if one.currency and rng.random() < 0.3:
            said["m"] = money(one.amount, rng.choice(["USD", "GBP"]), rng)
            return Line(sentence(one, rng, said), "another currency")
        said["m"] = money(moved(one.amount, rng), one.currency, rng)
        return Line(sentence(one, rng, said), "another amount")
    kind = rng.choice(["part", "whole", "percent", "no whole", "points"])
    if kind == "no whole":
        when = f" {one.when}" if one.when else ""
        p = said["p"]
        text = rng.choice(
            [
                f"{p} of {one.noun} {one.did}{when}.",
                f"The share who {one.did}{when} is {p}.",
                f"- {one.did}{when}: {p}",
            ]
        )
        return Line(text, "a share of what is not said")
    if kind == "part":
        other = moved_whole(one.part, rng)
        if abs(other - one.part) / one.whole < 0.011:
            # A share of whole percents says the same.
            other = one.part + max(round(one.whole * 0.02), 1)
        said["n"] = whole_number(other, rng)
        said["p"] = percent(other / one.whole, rng)
    elif kind == "whole":
        other = moved_whole(one.whole, rng)
        said["d"] = whole_number(other, rng)
    elif kind == "points":
        said["p"] = percent(one.part / one.whole + rng.choice([-0.061, 0.043, 0.11]), rng)
    else:
        by = rng.choice([-1, 1]) * rng.choice([0.021, 0.05, 0.12])
        said["p"] = percent(abs(one.part / one.whole + by), rng)
    return Line(sentence(one, rng, said), f"another {kind}")


def sheet(seed: int, *, wrong: int, rights: int) -> Iterator[tuple[Session, Line]]:
    """Yield the lines of a sheet, each with the session that it is about."""
    rng = random.Random(seed)
    worlds = []
    for store in stores():
        session = Session(store.s, store.spend)
        ask_all(session)
        worlds.append((session, known(store.s, store.spend)))
    for number in range(wrong + rights):
        session, facts = worlds[number % len(worlds)]
        one = rng.choice(facts)
        yield session, (spoiled if number < wrong else right)(one, rng)


def caught(session: Session, line: Line) -> bool:
    """Return whether `check_answer` finds a fault in a line."""
    import json

    reply = session.ask("check_answer", {"text": line.text})
    return bool(json.loads(reply.text.partition("\n")[2])["faults"])


if __name__ == "__main__":
    import sys

    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    missed, alarms, n = [], [], 0
    for session, line in sheet(seed, wrong=1000, rights=1000):
        found = caught(session, line)
        if line.wrong and not found:
            missed.append(line)
        if found and not line.wrong:
            alarms.append((line, session.ask("check_answer", {"text": line.text}).text[150:]))
    for line in missed[:40]:
        print("MISSED", line)
    for line in alarms[:40]:
        print("ALARM", line)
    print(f"missed {len(missed)} of 1000, false alarms {len(alarms)} of 1000")
