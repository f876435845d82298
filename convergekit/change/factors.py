"""The factors of a number on both sides, and of what each one's change consists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy

from convergekit.change.accounts import Accounts
from convergekit.change.labels import SideLabels
from convergekit.change.path import Formula
from convergekit.change.shares import mix_effects
from convergekit.change.sides import Side
from convergekit.typing import FloatArray

Number = Literal["conversion", "orders", "revenue", "revenue a visit", "return on spend"]
NUMBERS: tuple[str, ...] = get_args(Number)
#: A label is named where its kind's labels differ so unlikely in their change by chance.
NAMED = 1e-3


@dataclass(frozen=True, eq=False)
class FactorPiece:
    """One part of a factor's change.

    Attributes
    ----------
    factor : str
        Whose change it is a part of.
    kind, what : str
        As the table has them.
    before, after : float
        What the table shows of both sides.
    change : numpy.ndarray
        By how much the factor changes with it.
    label : tuple of int, or None
        The kind of label and the label that it is about.
    """

    factor: str
    kind: str
    what: str
    before: float
    after: float
    change: FloatArray
    label: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Factors:
    """A number as a formula, its factors on both sides, and the pieces of their changes."""

    formula: Formula
    before: Mapping[str, FloatArray]
    after: Mapping[str, FloatArray]
    pieces: Sequence[FactorPiece]


def number_of(accounts: Accounts, number: str, spend: float) -> FloatArray:
    """Return the number as it is measured; money in hundredths."""
    if number == "conversion":
        return _ratio(accounts.reached[:, -1], accounts.entrants)
    if number == "orders":
        return accounts.orders
    if number == "revenue":
        return accounts.revenue
    return _ratio(accounts.revenue, accounts.visits if number == "revenue a visit" else spend)


def factors_of(
    sides: tuple[Side, Side],
    accounts: tuple[Accounts, Accounts],
    labels: Sequence[SideLabels],
    titles: Sequence[str],
    number: str,
    kept: tuple[float, float],
    spend: tuple[float, float],
) -> Factors:
    """Return the factors of a number.

    Parameters
    ----------
    sides, accounts : tuple
        Of both sides, as they are without faults.
    labels : sequence of SideLabels
    titles : sequence of str
        What the steps are called.
    number : str
    kept, spend : tuple of float
        Of each side, the share of orders that arrived, and what advertising cost.
    """
    formula = _formula(number, len(titles))
    known = [
        _known(side, own, number, share, cost)
        for side, own, share, cost in zip(sides, accounts, kept, spend, strict=True)
    ]
    # What multiplies the whole share, so that the shares themselves are of people.
    scales = [own["scale"] for own in known]
    mixes = mix_effects(*accounts)
    scale = 2 / (scales[0] + scales[1])
    reached = [own.reached / _some(own.entrants)[:, None] for own in accounts]
    for share, times in zip(reached, scales, strict=True):
        share[:, -1] /= _some(times)
    mixed = [np.concatenate([m[:, :, :-1], m[:, :, -1:] * scale[:, None, None]], 2) for m in mixes]
    standard = reached[1] - sum((m.sum(axis=1) for m in mixed), np.zeros_like(reached[1]))
    standard[:, 0] = 1.0
    rates = [_rates(reached[0]), _rates(np.maximum(standard, 0.0))]
    pieces: list[FactorPiece] = []
    for on, rate in enumerate(rates):
        known[on] |= {f"step {k + 2}": rate[:, k] for k in range(rate.shape[1])}
        known[on]["mix"] = reached[on][:, -1] - np.prod(rate, axis=1)
    pieces += _entrant_pieces(known, accounts, labels, number)
    pieces += _mix_pieces(known, mixed, accounts, labels)
    for k in range(1, len(titles)):
        pieces += _rate_pieces(k, known, accounts, labels, titles, scale)
    pieces += _other_pieces(known, formula, titles, number)
    return Factors(formula, known[0], known[1], pieces)


def _formula(number: str, count: int) -> Formula:
    steps = [f"step {k}" for k in range(2, count + 1)]
    if number == "conversion":
        return Formula(["links", "arrived", "windows"], [], steps, "mix", "")
    if number == "revenue a visit":
        return Formula(["arrived", "value", "per visit"], ["again"], steps, "mix", "beside")
    outer = ["days", "arrived"]
    outer += ["value"] if number in ("revenue", "return on spend") else []
    outer += ["per spend"] if number == "return on spend" else []
    return Formula(outer, ["entrants", "again"], steps, "mix", "beside")


def _known(
    side: Side, own: Accounts, number: str, kept: float, spend: float
) -> dict[str, FloatArray]:
    """Return what a side's factors are, but for the mix and the steps."""
    one = np.ones_like(own.entrants)
    found = _ratio(own.found, own.orders)
    links = np.where((found > 0) & (own.reached[:, -1] > 0), found, 1.0)
    arrived, whole = one * kept, one * own.whole
    by_links = own.goals / links
    values = {
        "links": links,
        "arrived": arrived,
        "windows": whole,
        "days": one * max(side.days, 1e-9),
        "value": _ratio(own.revenue, own.orders),
        "again": _ratio(own.goals, own.reached[:, -1]),
        "per visit": _ratio(own.entrants, own.visits),
        "per spend": _ratio(one, one * spend),
    }
    values["entrants"] = own.entrants / values["days"]
    rest = (own.orders - by_links) / arrived
    per = own.entrants if number == "revenue a visit" else values["days"]
    values["beside"] = rest / _some(per)
    values["scale"] = links * arrived * (whole if number == "conversion" else one)
    return values


def _rates(shares: FloatArray) -> FloatArray:
    """Return the rate of each step from the one before."""
    return np.where(shares[:, :-1] > 0, shares[:, 1:] / _some(shares[:, :-1]), 0.0)


def _entrant_pieces(
    known: Sequence[Mapping[str, FloatArray]],
    accounts: tuple[Accounts, Accounts],
    labels: Sequence[SideLabels],
    number: str,
) -> list[FactorPiece]:
    if number in ("conversion", "revenue a visit"):
        return []
    change = known[1]["entrants"] - known[0]["entrants"]
    counts = [own.entrants[0] for own in accounts]
    chosen = _outstanding(accounts, labels)
    if chosen is None:
        return [FactorPiece("entrants", "entrants", "all", counts[0], counts[1], change)]
    kind, label = chosen
    of_label = [own.levels[kind][:, label, 0] for own in accounts]
    part = of_label[1] / known[1]["days"] - of_label[0] / known[0]["days"]
    name = f"{labels[kind].kind}: {labels[kind].names[label]}"
    others = [counts[n] - of_label[n][0] for n in (0, 1)]
    return [
        FactorPiece("entrants", "entrants", name, of_label[0][0], of_label[1][0], part, chosen),
        FactorPiece("entrants", "entrants", "all others", others[0], others[1], change - part),
    ]


def _outstanding(
    accounts: tuple[Accounts, Accounts], labels: Sequence[SideLabels]
) -> tuple[int, int] | None:
    """Return the label of which there are beyond chance more or fewer entrants than of others."""
    best, found = NAMED / max(len(labels), 1), None
    for kind in range(len(labels)):
        table = np.array([own.levels[kind][0, :, 0] for own in accounts])
        table = table[:, table.sum(axis=0) > 0]
        if table.shape[1] < 2 or not table.sum(axis=1).all():
            continue
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        statistic = ((table - expected) ** 2 / expected).sum()
        p_value = float(scipy.special.chdtrc(table.shape[1] - 1, statistic))
        if p_value < best or (p_value == best == 0.0 and found is None):
            whole = np.array([own.levels[kind][0, :, 0] for own in accounts])
            shares = whole / whole.sum(axis=1, keepdims=True)
            both = np.maximum(shares.mean(axis=0), 1e-12)
            apart = (shares[1] - shares[0]) / np.sqrt(both)
            best, found = p_value, (kind, int(np.argmax(np.abs(apart))))
    return found


def _mix_pieces(
    known: Sequence[Mapping[str, FloatArray]],
    mixed: Sequence[FloatArray],
    accounts: tuple[Accounts, Accounts],
    labels: Sequence[SideLabels],
) -> list[FactorPiece]:
    pieces, left = [], known[1]["mix"] - known[0]["mix"]
    for kind, (effects, own) in enumerate(zip(mixed, labels, strict=True)):
        of_labels = effects[:, :, -1]
        label = int(np.argmax(np.abs(of_labels[0])))
        share = [a.levels[kind][0, label, 0] / max(a.entrants[0], 1) for a in accounts]
        change = of_labels.sum(axis=1)
        name = f"{own.kind}: {own.names[label]}"
        pieces.append(FactorPiece("mix", "mix", name, share[0], share[1], change, (kind, label)))
        left = left - change
    return [*pieces, FactorPiece("mix", "rest", "rates beyond 0 and 1", 0.0, 0.0, left)]


def _rate_pieces(
    step: int,
    known: Sequence[Mapping[str, FloatArray]],
    accounts: tuple[Accounts, Accounts],
    labels: Sequence[SideLabels],
    titles: Sequence[str],
    scale: FloatArray,
) -> list[FactorPiece]:
    """Return the change of a step's rate: of one label where its kind's differ, and of the rest."""
    name = f"step {step + 1}"
    change = known[1][name] - known[0][name]
    raw = [own.reached[:, step] / _some(own.reached[:, step - 1]) for own in accounts]
    chosen = _where(step, accounts, labels)
    title = titles[step]
    if chosen is None:
        return [FactorPiece(name, "rate", title, raw[0][0], raw[1][0], change)]
    kind, label = chosen
    risk, done = ([own.levels[kind][:, label, k] for own in accounts] for k in (step - 1, step))
    rate = [d / _some(r) for d, r in zip(done, risk, strict=True)]
    weight = sum(r / _some(own.reached[:, step - 1]) for r, own in zip(risk, accounts, strict=True))
    part = weight / 2 * (rate[1] - rate[0])
    part = part * scale if step == len(titles) - 1 else part
    said = f"{title}, {labels[kind].kind}: {labels[kind].names[label]}"
    rest = [
        (own.reached[0, step] - d[0]) / max(own.reached[0, step - 1] - r[0], 1)
        for own, d, r in zip(accounts, done, risk, strict=True)
    ]
    return [
        FactorPiece(name, "rate", said, rate[0][0], rate[1][0], part, chosen),
        FactorPiece(name, "rate", f"{title}, all others", rest[0], rest[1], change - part),
    ]


def _where(
    step: int, accounts: tuple[Accounts, Accounts], labels: Sequence[SideLabels]
) -> tuple[int, int] | None:
    """Return the label in which a step's rate changed most, if labels differ in that at all."""
    steps = accounts[0].reached.shape[1] - 1
    best, found = NAMED / max(len(labels) * steps, 1), None
    for kind in range(len(labels)):
        risk, done = (
            np.array([own.levels[kind][0, :, k] for own in accounts]) for k in (step - 1, step)
        )
        enough = (risk >= 10).all(axis=0)
        if enough.sum() < 2:
            continue
        pooled = done.sum(axis=0) / _some(risk.sum(axis=0))
        variance = pooled * (1 - pooled) * (1 / _some(risk[0]) + 1 / _some(risk[1]))
        enough &= variance > 0
        if enough.sum() < 2:
            continue
        apart = np.where(enough, done[1] / _some(risk[1]) - done[0] / _some(risk[0]), 0.0)
        mass = np.where(enough, 1 / np.where(enough, variance, 1.0), 0.0)
        common = (mass * apart).sum() / mass.sum()
        statistic = (mass * (apart - common) ** 2).sum()
        p_value = float(scipy.special.chdtrc(int(enough.sum()) - 1, statistic))
        if p_value < best:
            best, found = p_value, (kind, int(np.argmax(np.abs(apart) * np.sqrt(mass))))
    return found


def _other_pieces(
    known: Sequence[Mapping[str, FloatArray]],
    formula: Formula,
    titles: Sequence[str],
    number: str,
) -> list[FactorPiece]:
    said = {
        "links": ("identity", f"{titles[-1]} that reach a visitor"),
        "arrived": ("tracking", f"{titles[-1]} that arrived"),
        "windows": ("open windows", "windows that are over"),
        "days": ("length", "days"),
        "value": ("value", f"value of {titles[-1]}"),
        "again": ("again", f"{titles[-1]} of one who ordered"),
        "per visit": ("visits", "entrants of a visit"),
        "per spend": ("spend", "1 / spend"),
        "beside": ("rest", f"{titles[-1]} of people who did not enter"),
    }
    pieces = []
    for name in [*formula.outer, *formula.inner, formula.beside]:
        if name not in said:
            continue
        one, other = known[0][name], known[1][name]
        shown = 0.01 if name == "value" else 1.0
        kind, what = said[name]
        pieces.append(
            FactorPiece(
                name, kind, what, float(one[0]) * shown, float(other[0]) * shown, other - one
            )
        )
    return pieces


def _some(of: FloatArray) -> FloatArray:
    """Return what can be divided by."""
    return np.where(of != 0, of, 1.0)


def _ratio(part: FloatArray, of: FloatArray | float) -> FloatArray:
    whole = np.asarray(of, dtype=np.float64)
    return np.where(whole != 0, part / _some(whole), 0.0)
