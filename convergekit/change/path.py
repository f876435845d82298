"""The Shapley value of factors that are multiplied: what each contributes to a difference.

The Shapley value is the mean, over all orders in which factors may be changed one after the other,
of what each changes: A. F. Shorrocks, "Decomposition procedures for distributional analysis: a
unified framework based on the Shapley value", Journal of Economic Inequality 11 (2013); of products
it is P. Das Gupta's symmetric decomposition ("Standardization and Decomposition of Rates", U.S.
Bureau of the Census, 1993). A number that is linear in each factor alone is its own multilinear
extension, so the value is an integral along the straight way from one side to the other (G. Owen,
"Multilinear extensions of games", Management Science 18, 1972): a polynomial, which Gauss-Legendre
quadrature integrates exactly. Parts that add up to a factor share its value in proportion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convergekit.typing import FloatArray

_Values = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Formula:
    """A number as ``outer * (inner * (mix + steps) + beside)``.

    Attributes
    ----------
    outer, inner, steps : sequence of str
        Factors that are multiplied; nothing is 1.
    mix, beside : str
        What is added; empty for nothing.
    """

    outer: Sequence[str]
    inner: Sequence[str]
    steps: Sequence[str]
    mix: str
    beside: str

    def value(self, values: _Values) -> FloatArray:
        """Return the number."""
        inside = _product(values, self.steps) + values[self.mix]
        found: FloatArray = _product(values, self.outer) * (
            _product(values, self.inner) * inside + self._beside(values)
        )
        return found

    def slopes(self, values: _Values) -> dict[str, FloatArray]:
        """Return by how much the number changes with each factor."""
        outer, inner = _product(values, self.outer), _product(values, self.inner)
        inside = _product(values, self.steps) + values[self.mix]
        whole = inner * inside + self._beside(values)
        found = {self.mix: outer * inner}
        if self.beside:
            found[self.beside] = outer
        for name in self.outer:
            found[name] = _product(values, [n for n in self.outer if n != name]) * whole
        for name in self.inner:
            found[name] = outer * _product(values, [n for n in self.inner if n != name]) * inside
        for name in self.steps:
            found[name] = outer * inner * _product(values, [n for n in self.steps if n != name])
        return found

    def _beside(self, values: _Values) -> FloatArray | float:
        return values[self.beside] if self.beside else 0.0


def weights(formula: Formula, before: _Values, after: _Values) -> dict[str, FloatArray]:
    """Return by how much one more of each factor changes the number, by Shapley.

    Times the factor's change it is the factor's part of the difference.

    Examples
    --------
    >>> formula = Formula(["price"], ["people"], ["rate"], "mix", "")
    >>> one = {"price": 2.0, "people": 10.0, "rate": 0.5, "mix": 0.0}
    >>> other = {"price": 3.0, "people": 10.0, "rate": 0.4, "mix": 0.0}
    >>> found = weights(formula, one, other)
    >>> [(found[name] * (other[name] - one[name])).round(9).tolist() for name in ("price", "rate")]
    [[4.5], [-2.5]]
    """
    degree = len(formula.outer) + len(formula.inner) + len(formula.steps) + 2
    nodes, masses = np.polynomial.legendre.leggauss(degree // 2 + 1)
    found: dict[str, FloatArray] = {}
    for node, mass in zip((nodes + 1) / 2, masses / 2, strict=True):
        between = {name: before[name] + node * (after[name] - before[name]) for name in before}
        for name, slope in formula.slopes(between).items():
            found[name] = found.get(name, 0.0) + mass * slope
    return found


def _product(values: _Values, names: Sequence[str]) -> FloatArray:
    one: FloatArray = np.prod([values[name] for name in names], axis=0) if names else np.ones(1)
    return one


def apportioned(parts: FloatArray, total: int) -> list[int]:
    """Return parts as whole numbers that add up to a total, by the largest remainders.

    Examples
    --------
    >>> apportioned(np.array([1.4, 1.4, -0.8]), 2)
    [2, 1, -1]
    """
    floors = np.floor(parts)
    missing = int(total - floors.sum())
    # What is left beyond one each is the sum's own rounding, and goes to the largest part.
    order = np.argsort(-(parts - floors), kind="stable")
    whole = floors.astype(np.int64)
    whole[order[: max(min(missing, len(parts)), 0)]] += 1
    rest = total - int(whole.sum())
    if rest and len(parts):
        whole[int(np.argmax(np.abs(parts)))] += rest
    return [int(part) for part in whole]
