"""The sentence that says what a figure of groups shows: the lowest and the highest, with numbers.

Which of two groups does better is for `Funnel.test` to say, which knows what chance does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from convergekit.base.wording import shortened

#: A title has lines enough for more.
_MOST_OF_TITLE = 60


@dataclass(frozen=True)
class Ratio:
    """How many of a group did something.

    Attributes
    ----------
    name : str
        Of the group, not yet escaped.
    part, whole : int
        Those who did, and all.
    """

    name: str
    part: int
    whole: int

    @property
    def share(self) -> float:
        """The part of the whole."""
        return self.part / self.whole


def goal(steps: Sequence[str]) -> str:
    """Return the way that a funnel's profiles go, in words.

    Examples
    --------
    >>> goal(["PageView", "Added To Cart", "Placed Order"]), goal(["PageView"])
    ('From PageView to Placed Order', 'PageView')
    """
    first, last = (shortened(step, _MOST_OF_TITLE) for step in (steps[0], steps[-1]))
    return f"From {first} to {last}" if len(steps) > 1 else first


def said_share(share: float) -> str:
    """Return a share in percent; a small one is not none.

    Examples
    --------
    >>> said_share(1 / 3), said_share(0.0001), said_share(0.0), said_share(float("nan"))
    ('33.3%', 'under 0.1%', '0.0%', 'no share')
    """
    if pd.isna(share):
        return "no share"
    return "under 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def lowest_to_highest(ratios: Sequence[Ratio], did: str) -> str:
    """Return a sentence about the groups with the lowest and the highest share.

    Parameters
    ----------
    ratios : sequence of Ratio
        Groups of nobody are passed over.
    did : str
        What they did: "reached Placed Order".

    Returns
    -------
    str
        Empty if nobody is in a group.

    Examples
    --------
    >>> lowest_to_highest([Ratio("meta", 20, 40), Ratio("email", 3, 30)], "ordered")
    'From 10.0% of email (3 of 30) to 50.0% of meta (20 of 40) ordered.'
    >>> lowest_to_highest([Ratio("meta", 20, 40)], "ordered")
    '50.0% of meta (20 of 40) ordered.'
    >>> lowest_to_highest([Ratio("meta", 2, 4), Ratio("email", 1, 2)], "ordered")
    '50.0% of each of 2 groups (3 of 6 together) ordered.'
    """
    some = [ratio for ratio in ratios if ratio.whole]
    if not some:
        return ""
    lowest, highest = (choose(some, key=lambda ratio: ratio.share) for choose in (min, max))
    if len(some) == 1:
        of = _of(lowest)
    elif lowest.share == highest.share:
        part, whole = sum(one.part for one in some), sum(one.whole for one in some)
        together = f"({part:,} of {whole:,} together)"
        of = f"{said_share(lowest.share)} of each of {len(some)} groups {together}"
    else:
        of = f"from {_of(lowest)} to {_of(highest)}"
    return f"{of[0].upper()}{of[1:]} {did}."


def _of(ratio: Ratio) -> str:
    return f"{said_share(ratio.share)} of {ratio.name} ({ratio.part:,} of {ratio.whole:,})"
