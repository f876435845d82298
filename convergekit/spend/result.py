"""Spend as it was read: one row per row of the exports, and what was not read, with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import by_code, check_rates, currency_codes, most_first
from convergekit.figures.card import Result
from convergekit.spend.platforms import MONEY
from convergekit.typing import FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class Spend(Result):
    """What advertising cost, and what its platforms claim for it.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per row of the exports that can be used, nothing added up: `date` (datetime64[us],
        the calendar day of the account, without a time zone), `platform` (``"google_ads"``,
        ``"meta"``, ``"tiktok"``, ``"microsoft"``, ``"pinterest"``, or what a plain table says),
        `account`, `time_zone`, `channel`, `source`, `medium`, `campaign`, `campaign_id`,
        `ad_group`, `ad_group_id`, `ad`, `ad_id` (str, missing where the export does not say),
        `spend` (float, in `currency`, below zero for a credit), `currency` (three letters),
        `impressions`, `clicks`, `conversions` and `value` (float, missing if absent: conversions
        and their value are what the platform claims), `file` and `line`.
    rejected : pandas.DataFrame
        The rows that are not in the table: `file`, `line`, `reason`, and the `row` as text.
    remarks : pandas.DataFrame
        What to look at: `kind` (``"total"``, ``"repeat"``, ``"overlap"``, ``"credit"``,
        ``"period"``, ``"currency"``, ``"ids"``), `file`, `rows`, `spend`, and the `remark`
        in words.
    columns : pandas.DataFrame
        Of each `file` its `platform` and each `heading`, and the `column` that it is read as;
        missing if it is left.
    """

    table: pd.DataFrame
    rejected: pd.DataFrame
    remarks: pd.DataFrame
    columns: pd.DataFrame

    def in_currency(self, currency: str, rates: Mapping[str, float] | None = None) -> pd.DataFrame:
        """Return the table with all money in one currency.

        Parameters
        ----------
        currency : str
            Such as ``"EUR"``.
        rates : mapping of str to float, optional
            What one of each currency is worth, in any currency: ``{"EUR": 1, "USD": 0.9}``. Needed
            if an amount is in another currency.

        Returns
        -------
        pandas.DataFrame
            As `table`. Rows that say no currency are in it, if no row says one.

        Raises
        ------
        ConvergekitError
            An amount is in a currency without a rate, or in none while others say theirs.

        Examples
        --------
        >>> import convergekit as ck
        >>> frame = pd.DataFrame({"date": ["2026-03-02"] * 2, "spend": [10.0, 10.0],
        ...                       "currency": ["EUR", "USD"]})
        >>> ck.read_spend(frame).in_currency("EUR", {"EUR": 1, "USD": 0.9})["spend"].tolist()
        [10.0, 9.0]
        """
        code = currency_codes(pd.Series([currency], dtype=object)).iloc[0]
        if not isinstance(currency, str) or not isinstance(code, str):
            raise ConvergekitError(f"currency must be such as 'EUR'; got {currency!r}.")
        check_rates("spend", code, rates)
        worth = by_code(rates or {})
        codes = self.table["currency"]
        if codes.isna().all():
            return self.table.assign(currency=pd.Series(code, index=self.table.index, dtype="str"))
        self._refuse(code, worth)
        return self.table.assign(
            **converted(self.table, codes, {**worth, code: worth.get(code, 1.0)}, code),
            currency=pd.Series(code, index=self.table.index, dtype="str"),
        )

    def _refuse(self, code: str, worth: Mapping[str, float]) -> None:
        paid = self.table[(self.table[list(MONEY)].fillna(0) != 0).any(axis=1).to_numpy()]
        unsaid = paid[paid["currency"].isna().to_numpy()]
        if len(unsaid):
            raise ConvergekitError(
                f"{counted(len(unsaid), 'row')} of spend without a currency, the first in "
                f"{_place(unsaid)}, while others say theirs. Read it with currency={code!r} if it "
                "is in that."
            )
        found = most_first(paid["currency"])
        if set(found.index) <= {code}:
            return
        lacking = [one for one in {code: 0, **found} if one not in worth]
        if lacking:
            counts = ", ".join(f"{one} ({count:,})" for one, count in found.items())
            example = {one: 1.0 if one == code else "..." for one in {code: 0, **found}}
            raise ConvergekitError(
                f"spend is in several currencies: {counts}. It cannot be added up; say what one of "
                f"each is worth: rates={example}."
            )

    def _line(self) -> str:
        table = self.table
        left = f"; {counted(len(self.rejected), 'row')} rejected" if len(self.rejected) else ""
        if not len(table):
            return f"Spend(no rows{left})"
        platforms = table["platform"].nunique()
        of = f" of {counted(platforms, 'platform')}" if platforms else ""
        first, last = table["date"].min().date(), table["date"].max().date()
        rows = counted(len(table), "row")
        return f"Spend({rows}{of}, {first} to {last}: {money_of(table)[0]}{left})"

    def _body(self) -> Iterable[pd.DataFrame | str]:
        grouped = self.table.groupby(["platform", "currency"], dropna=False, sort=True)
        counts = ["spend", "impressions", "clicks", "conversions", "value"]
        totals = grouped[counts].sum(min_count=1)
        spans = grouped["date"].agg(["size", "min", "max"])
        spans["min"], spans["max"] = spans["min"].dt.date, spans["max"].dt.date
        spans = spans.rename(columns={"size": "rows", "min": "first", "max": "last"})
        said: list[pd.DataFrame | str] = [*self.remarks["remark"]]
        if len(self.table):
            said.append(spans.join(totals).reset_index())
        if len(self.rejected):
            reasons = most_first(self.rejected["reason"]).rename_axis("reason").rename("rows")
            said.append(reasons.reset_index())
        return said


def money_of(rows: pd.DataFrame) -> tuple[str, float]:
    """Return what rows cost, each currency by itself, and the sum if there is one currency.

    Examples
    --------
    >>> money_of(pd.DataFrame({"spend": [10.0, 2.5, 1.0], "currency": ["EUR", "EUR", "USD"]}))
    ('12.50 EUR + 1.00 USD', nan)
    """
    sums = rows.groupby("currency", dropna=False)["spend"].sum()
    said = " + ".join(
        f"{spend:,.2f}{f' {code}' if isinstance(code, str) else ''}" for code, spend in sums.items()
    )
    return said or "0.00", float(sums.sum()) if len(sums) < 2 else np.nan


def converted(
    table: pd.DataFrame, codes: pd.Series, worth: Mapping[str, float], code: str
) -> dict[str, FloatArray]:
    """Return the columns of money in one currency.

    Examples
    --------
    >>> table = pd.DataFrame({"spend": [10.0, 10.0], "value": [np.nan, 2.0]})
    >>> found = converted(table, pd.Series(["EUR", "USD"]), {"EUR": 2.0, "USD": 1.0}, "EUR")
    >>> found["spend"].tolist(), found["value"].tolist()
    ([10.0, 5.0], [nan, 1.0])
    """
    rate = codes.map({one: rate / worth[code] for one, rate in worth.items()})
    factor = rate.to_numpy(dtype=float)
    # Nothing is nothing in any currency; and what is in it already keeps all its digits.
    same = (codes == code).to_numpy(dtype=bool)
    found = {}
    for name in MONEY:
        amounts = table[name].to_numpy(dtype=float)
        found[name] = np.where(same | (amounts == 0), amounts, amounts * factor)
    return found


def _place(rows: pd.DataFrame) -> str:
    file, line = rows["file"].iloc[0], rows["line"].iloc[0]
    return f"{file}, line {line}" if isinstance(file, str) else f"row {line}"
