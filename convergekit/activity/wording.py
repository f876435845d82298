"""What figures of activity say: of whom, of which event, and in which periods."""

from __future__ import annotations

from dataclasses import dataclass

from convergekit.activity.cohorts import Mode
from convergekit.base.wording import counted, period_word


@dataclass(frozen=True)
class Words:
    """What a figure of retention says.

    Attributes
    ----------
    title : str
    rows : str
        A sentence: who a row is.
    who : str
        What one of them is called.
    begun, did : str
        What they did to be in a cohort, and to have returned.
    since : str
        What periods are counted from.
    nothing : str
        A sentence for where there is nothing later.
    note : str
        Sentences about what counts.
    freq : str
    mode : {"on", "within", "on_or_after"}
    first : int
        The first number of periods that is shown: where all return in period 0, that hides the
        rest.
    by : tuple of str
        The breakdown's columns.
    """

    title: str
    rows: str
    who: str
    begun: str
    did: str
    since: str
    nothing: str
    note: str = ""
    freq: str = "M"
    mode: Mode = "on"
    first: int = 1
    by: tuple[str, ...] = ()

    @property
    def nobody(self) -> str:
        """A sentence for where a cohort is missing."""
        return f"No {self.who} {self.begun}: check the name of the event and the range of dates."

    @property
    def word(self) -> str:
        """What a period is called."""
        return period_word(self.freq)

    def later(self, since: int) -> str:
        """Return when they returned, for a number of periods since."""
        if since == 0:
            return f"in the same {self.word}" + " or later" * (self.mode == "on_or_after")
        if self.mode == "within":
            return f"within the {counted(since, self.word)} after it"
        return f"{counted(since, self.word)} later" + " or after that" * (self.mode != "on")


@dataclass(frozen=True)
class CountWords:
    """What a figure of counts says.

    Attributes
    ----------
    what : str
        What is counted, or added up, as a title has it.
    unit : str
        The same as an axis has it.
    one : str
        What one of them is called; empty for amounts.
    """

    what: str
    unit: str
    one: str

    def number(self, number: int | float) -> str:
        """Return the number alone."""
        return f"{int(number):,}" if self.one else f"{number:,.2f}"

    def said(self, number: int | float) -> str:
        """Return so many of them, or such an amount."""
        return counted(int(number), self.one) if self.one else f"{number:,.2f} {self.unit}"
