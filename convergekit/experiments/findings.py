"""What an experiment says: what is wrong with it, what it comes to, and what it assumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from convergekit.base.durations import readable_duration
from convergekit.base.wording import counted, percentage
from convergekit.events.observed import Observed
from convergekit.experiments.question import ExperimentQuestion

#: A sample ratio less likely than this is said to be wrong.
MISMATCHED = 0.001
#: So many who saw several arms change an effect visibly.
_VISIBLE = 0.01


def percent(share: float, *, sign: bool = False) -> str:
    """Return a share in percent, in words where it is not known.

    Examples
    --------
    >>> percent(0.0512, sign=True), percent(-0.01), percent(float("inf")), percent(float("nan"))
    ('+5.1%', '−1.0%', 'any', 'unknown')
    """
    if np.isnan(share):
        return "unknown"
    if np.isinf(share):
        return "any"
    return f"{share:+.1%}".replace("-", "−") if sign or share < 0 else f"{share:.1%}"


def warnings_of(arms: pd.DataFrame, mismatch: float) -> list[str]:
    """Return what is wrong with an experiment."""
    said = []
    if mismatch < MISMATCHED:
        numbers = ", ".join(
            f"{row.arm} {row.profiles:,} (expected {row.expected:,.0f})"
            for row in arms.itertuples()
        )
        said.append(
            f"Do not trust the effects: the arms have other numbers of profiles than expected, "
            f"{numbers}, which is chance in {_odds(mismatch)} (sample ratio mismatch)."
        )
    both, people = int(arms["both"].sum()), int(arms["profiles"].sum())
    if both:
        said.append(
            f"{both:,} of {counted(people, 'profile')} ({percentage(both / people)}) saw several "
            "arms; each is in the one that it saw first."
        )
    return said


def is_mixed(arms: pd.DataFrame) -> bool:
    """Return whether so many saw several arms that it is to be seen in the effects."""
    return bool(arms["both"].sum() >= _VISIBLE * arms["profiles"].sum() > 0)


def finding_of(
    table: pd.DataFrame,
    arms: pd.DataFrame,
    control: str,
    metrics: Sequence[str] = ("conversion", "value"),
) -> str:
    """Return what an experiment comes to."""
    said = []
    mixed = is_mixed(arms)
    for name in metrics:
        rows = table[table["metric"] == name]
        base = rows[rows["arm"] == control]
        for row in rows[rows["arm"] != control].itertuples():
            said.append(_sentence(row, float(base["mean"].iloc[0]), control, name, mixed))
    return " ".join(said)


def _sentence(row: Any, base: float, control: str, metric: str, mixed: bool) -> str:
    if not row.profiles:
        return f"Nobody's window is over in {row.arm}, so that nothing is known of it."
    if metric == "conversion":
        said = f"Of {row.arm}, {percentage(row.mean)} converted, of {control} {percentage(base)}"
    else:
        said = f"{row.arm} brought {row.mean:,.2f} a profile, {control} {base:,.2f}"
    if np.isnan(row.p_adjusted):
        return f"{said}: too few to tell a difference."
    chance = "may be chance" if row.low <= 0 <= row.high else "is not chance"
    if row.skewed:
        chance = "may be chance, for the interval is too narrow where few bring most"
    if np.isnan(row.relative):
        change = f"{row.effect:+,.4g}".replace("-", "−")
    else:
        change = (
            f"{percent(row.relative, sign=True)} ({percent(row.relative_low, sign=True)} to "
            f"{percent(row.relative_high, sign=True)})"
        )
    said = f"{said}: {change}, which {chance}."
    if not mixed or np.isnan(row.undiluted):
        return said
    return (
        f"{said} Seen alone, it would bring {percent(row.undiluted, sign=True)} "
        f"({percent(row.undiluted_low, sign=True)} to {percent(row.undiluted_high, sign=True)})."
    )


def _odds(p_value: float) -> str:
    return "one of a million" if p_value < 1e-6 else f"one of {round(1 / p_value):,}"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as a card shows it: intervals in one column."""
    share = table["metric"] == "conversion"
    shown = table[["metric", "arm", "profiles"]].copy()
    shown["mean"] = [
        percent(row.mean) if is_share else f"{row.mean:,.4g}"
        for row, is_share in zip(table.itertuples(), share, strict=True)
    ]
    ends = [("relative", "relative"), ("undiluted", "seen alone")]
    for name, title in ends:
        shown[title] = [
            "" if pd.isna(row[name]) else percent(row[name], sign=True)
            for _, row in table.iterrows()
        ]
        shown[f"{title}, interval"] = [
            _interval(row[f"{name}_low"], row[f"{name}_high"]) for _, row in table.iterrows()
        ]
    shown["p"] = ["" if pd.isna(value) else f"{value:.3g}" for value in table["p_adjusted"]]
    if "saved" in table:
        shown["variance saved"] = table["saved"].map(percentage, na_action="ignore")
    return shown


def _interval(low: float, high: float) -> str:
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"{percent(low, sign=True)} to {percent(high, sign=True)}"


def assumptions_of(
    asked: ExperimentQuestion, arms: pd.DataFrame, people: pd.DataFrame, observed: Observed
) -> list[str]:
    """Return under what the numbers hold."""
    window = readable_duration(asked.outcomes.within)
    said = [
        f"A profile is in the arm of its first exposure; goals within {window} after it count.",
        "A device that was never linked to its person is a person of its own, so that people who "
        "saw several arms are more than those seen to.",
        "Each metric is tested by itself; look at one, chosen before.",
    ]
    open_ = int(arms["open"].sum())
    if open_:
        said.append(
            f"{counted(open_, 'profile')} exposed less than {window} before the data end "
            f"{'is' if open_ == 1 else 'are'} left out, whatever they did."
        )
    if len(arms) > 2:
        said.append(
            f"{len(arms) - 1} arms are compared with control: p_adjusted is p_value times that, "
            f"and all intervals of a metric hold at once in {percentage(asked.confidence)} "
            "(Bonferroni)."
        )
    if asked.sequential is not None:
        said.append(
            "Intervals and p-values hold however often one looks and whenever one stops, and are "
            f"narrowest at {counted(asked.sequential, 'profile')}."
        )
    if arms["both"].any():
        said.append(
            "Seen alone: an outcome is the doing of the arm seen last before it, and an arm "
            "changes everybody's by the same factor. The bounds take those who saw several arms to "
            "have any part of the effect, from none to all."
        )
    if asked.outcomes.before is not None:
        back = asked.outcomes.before
        short = int((people["exposed"] - back < observed.begin).sum())
        said.append(
            f"The {readable_duration(back)} before the exposure are those of events known by then "
            f"to be the profile's; of {counted(short, 'profile')} the data begin later than that."
        )
    return said
