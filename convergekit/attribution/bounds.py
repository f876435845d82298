"""Recounting how far credits can be from those of people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from convergekit.attribution.question import Question
from convergekit.attribution.recount import Recredited, Sums
from convergekit.attribution.result import NONE
from convergekit.attribution.worst import worst_sums
from convergekit.certainty.answering import NumbersAsked, bounds_of_numbers
from convergekit.certainty.asked import AskedOf, checked_level
from convergekit.certainty.numbers import Recounting
from convergekit.certainty.result import AnswerBounds


def bounds_of_credits(asked: AskedOf[Question], table: pd.DataFrame, level: float) -> AnswerBounds:
    """Return how far credits can be from those of people. See `Attribution.bounds`.

    Parameters
    ----------
    asked : AskedOf
    table : pandas.DataFrame
        As `Attribution.table` has it.
    level : float
    """
    level = checked_level(level)
    each, question = asked.known("attribution(...)")
    of = Recredited.of(each, question)
    labels, sums = _sums(of)
    number = "conversions" if question.value is None else "value"
    rows = pd.DataFrame(
        {
            "model": pd.Series(np.repeat(sums.models, len(labels)), dtype="str"),
            question.by: pd.Series(np.tile(labels, len(sums.models)), dtype="str"),
        }
    )
    keys = ["model", question.by]
    stitched = rows.merge(table, on=keys, how="left")[number].fillna(0.0).to_numpy()
    answer = Recounting(
        of.whole.events, stitched, sums.totals, sums.numbers, sums.chance, sums.instead()
    )
    worst = worst_sums(sums, repeats=question.repeats == "count")
    name = question.value or "conversions"
    found = bounds_of_numbers(
        of.whole.evidence, NumbersAsked(answer, rows, name, "visits", worst), level
    )
    return replace(found, table=_in_order(found.table, table, keys))


def _sums(of: Recredited) -> tuple[list[str], Sums]:
    """Return the labels that may receive credit, and what is added up of each."""
    said = of.ways.label
    texts = said.distinct.iloc[np.unique(said.codes)].sort_values()
    place = np.full(len(said.distinct), -1, dtype=np.int64)
    place[texts.index] = np.arange(len(texts))
    each = np.ones(len(of.conversions)) if of.cents is None else of.cents / 100
    worth = np.repeat(each[None], len(of.models), axis=0)
    return [*texts, NONE], Sums(of, place[said.codes], len(texts) + 1, of.models, worth)


def _in_order(found: pd.DataFrame, table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows of the table in its order, and then of labels that may have credit too."""
    place = found.merge(table[keys].assign(place=np.arange(len(table))), on=keys, how="left")
    some = place["place"].notna() | (found["high"] > 0)
    order = place[some].sort_values(["place"], kind="stable", na_position="last").index
    return found.loc[order].reset_index(drop=True)
