"""What ``convergekit marketing`` takes, prints and writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from convergekit.base.durable import is_draft, whole_files
from convergekit.base.wording import counted, period_word
from convergekit.cli.console import remarks_told
from convergekit.cli.csv import write_csv
from convergekit.cli.given import StitchedOptions
from convergekit.cli.reading import in_options, pair
from convergekit.cli.tables import drawn, print_whole
from convergekit.errors import ConvergekitError
from convergekit.events.money import Amounts as Language
from convergekit.marketing.result import Marketing
from convergekit.reconcile.result import Reconciliation
from convergekit.spend.reading import read_spend
from convergekit.spend.result import Spend
from convergekit.visible import visible

SpendFiles = Annotated[
    list[str],
    typer.Option(
        "--spend",
        metavar="FILE",
        help="What was spent: a file, folder or archive of ad platforms' exports, or a quoted "
        "pattern; repeatable.",
    ),
]
SpendCurrency = Annotated[
    str | None,
    typer.Option("--spend-currency", help="Currency of spend that names none, such as EUR."),
]
SpendColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--spend-column",
        metavar="NAME=HEADING",
        help="A column of the spend and the files' own heading, such as spend=Kosten; repeatable.",
    ),
]
SpendEncoding = Annotated[
    str | None, typer.Option("--spend-encoding", help="As --encoding, of the spend. [utf-8]")
]
SpendDayFirst = Annotated[
    bool | None,
    typer.Option("--spend-day-first/--spend-month-first", help="As --day-first, of the spend."),
]
SpendAmounts = Annotated[
    str | None, typer.Option("--spend-amounts", help="As --amounts, of the spend.")
]
Rates = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="CURRENCY=WORTH",
        help="What one of a currency is worth in that of which one is worth 1, such as EUR=1 and "
        "USD=0.9; repeatable.",
    ),
]

#: As many groups, periods or campaigns as are printed.
_MOST_ROWS = 20
_NUMBERS = ("spend", "visits", "orders", "revenue", "new_customers", "cpa", "cac", "roas")
_HEADINGS = {"new_customers": "new", "cpa": "CPA", "cac": "CAC", "roas": "ROAS", "mer": "MER"}
_WHOLE = ("visits", "platforms")
_FILES = (
    *("marketing.csv", "periods.csv", "groups.csv", "cohorts.csv", "payback.csv", "campaigns.csv"),
    *("visits_without_spend.csv", "spend_rejected.csv"),
    *("claims.csv", "eligible_orders.csv", "bounds.csv"),
)


@dataclass(frozen=True)
class BesideSpendOptions(StitchedOptions):
    """Exports, how they are stitched, and how the spend beside them is read.

    Attributes
    ----------
    rate, spend_column : list of str or None
        As they were typed.
    spend_currency, spend_encoding, spend_amounts : str or None
    spend_day_first : bool or None
    """

    rate: Rates = None
    spend_currency: SpendCurrency = None
    spend_column: SpendColumns = None
    spend_encoding: SpendEncoding = None
    spend_day_first: SpendDayFirst = None
    spend_amounts: SpendAmounts = None

    def worth(self) -> dict[str, float] | None:
        """Return what `--rate` says; None for nothing.

        Raises
        ------
        ConvergekitError
            An option does not have the form that its help shows.
        """
        found: dict[str, float] = {}
        for text in self.rate or ():
            code, worth = pair("--rate", text, "a currency and what one is worth", "USD=0.9")
            try:
                number = float(worth)
            except ValueError:
                raise ConvergekitError(
                    f"--rate must be a currency and a number, such as USD=0.9; got {text!r}."
                ) from None
            if found.setdefault(code, number) != number:
                raise ConvergekitError(f"--rate names {code!r} twice; give it once.")
        return found or None

    def costs(self, files: list[str]) -> Spend:
        """Return the spend of some files, and tell the remarks on it.

        Raises
        ------
        ConvergekitError
            It cannot be read; in the words of the options.
        """
        worth = self.worth()
        columns = dict(
            pair("--spend-column", text, "a column and a heading", "spend=Kosten")
            for text in self.spend_column or ()
        )
        try:
            with remarks_told():
                return read_spend(
                    files,
                    columns=columns or None,
                    rates=worth,
                    currency=self.spend_currency,
                    day_first=self.spend_day_first,
                    amounts=cast("Language | None", self.spend_amounts),
                    encoding=self.spend_encoding,
                )
        except ConvergekitError as error:
            raise ConvergekitError(of_spend(str(error))) from None


_OF_SPEND = re.compile(r"--(column|encoding|day-first|month-first|amounts)\b")
_CALL = re.compile(r"ck\.read_spend\([^,()]*, (.*)\)")
_BARE = re.compile(r"(?<![\w.-])(rates|currency)=")
_ASKED = re.compile(r"^(by|freq|model|value|conversion|calendar|currency) must\b")
_RATES = re.compile(r"rates=\{((?:'\w+': [^,}]+(?:, )?)+)\}")


def of_spend(text: str) -> str:
    """Return an error of `read_spend` in the words of the command.

    Examples
    --------
    >>> of_spend("Say day_first=True or day_first=False.")
    'Say --spend-day-first or --spend-month-first.'
    >>> of_spend("Name it: columns={'date': 'Datum'}.")
    'Name it: --spend-column date=Datum.'
    """
    text = _OF_SPEND.sub(r"--spend-\1", in_options(_CALL.sub(r"\1", text)))
    return _BARE.sub(lambda found: _option_of(found[1], "--spend-currency"), text)


def of_question(text: str) -> str:
    """Return an error of `Stitched.marketing` or `Stitched.reconcile` in the words of the command.

    Examples
    --------
    >>> of_question("by must be one or several of channel, source.")
    '--by must be one or several of channel, source.'
    >>> of_question("say what one is worth: currency='currency', rates={'EUR': 1, 'USD': '...'}.")
    'say what one is worth: --currency currency, --rate EUR=1 --rate USD=....'
    """
    text = _ASKED.sub(r"--\1 must", text)
    text = _RATES.sub(lambda found: _rates_said(found[1]), text)
    text = re.sub(r"Read it with currency='([^']*)'", r"Give --spend-currency \1", text)
    text = re.sub(r"\b(currency|value|model|by|freq)='([^']*)'", r"--\1 \2", text)
    return _BARE.sub(lambda found: _option_of(found[1], "--currency"), text)


def _option_of(keyword: str, currency: str) -> str:
    return "--rate " if keyword == "rates" else f"{currency} "


def _rates_said(mapping: str) -> str:
    pairs = re.findall(r"'(\w+)': ([^,}]+)", mapping)
    return " ".join(f"--rate {code}={worth.strip(chr(39))}" for code, worth in pairs)


def refuse_to_write(out: Path, force: bool) -> None:
    """Raise unless tables can be written into a directory.

    Raises
    ------
    ConvergekitError
        It is a file, or holds something, and it was not said to overwrite it.
    """
    if any(path.is_file() for path in (out, *out.parents)):
        raise ConvergekitError(f"--out must name a directory; {out} is a file, or lies below one.")
    if out.is_dir() and not all(map(is_draft, out.iterdir())) and not force:
        raise ConvergekitError(f"{out} is not empty; give another --out, or --force to overwrite.")


def print_marketing(out: Console, found: Marketing) -> None:
    """Print what was spent and what it brought: by group, by period, and what does not match."""
    out.print()
    out.print(Text(visible(repr(found)), style="bold"), soft_wrap=True)
    for remark in [*(f"{what}: {number:,}" for what, number in found.left_out.items()),
                   *found.remarks]:  # fmt: skip
        out.print(Text(visible(remark.replace("see `.matches`", "see below")), style="dim"))
    by = " and ".join(found.by)
    _print_table(out, f"By {by}", found.groups[[*found.by, *_NUMBERS]], found.by)
    word = period_word(found.freq)
    periods = pd.DataFrame(found.periods)[["period", *_NUMBERS[:-1], "mer", "complete"]]
    open_ = int((~periods["complete"]).sum())
    periods = periods.assign(
        period=periods["period"].dt.strftime("%Y-%m-%d").where(
            periods["complete"], periods["period"].dt.strftime("%Y-%m-%d *")
        )
    ).drop(columns="complete")  # fmt: skip
    _print_table(out, f"By {word}", periods.tail(_MOST_ROWS), ["period"])
    if open_:
        out.print(Text(f"* {counted(open_, word)} not complete", style="dim"))
    lost = found.matches.without_visits
    if len(lost):
        reason = ["reason"] if lost["reason"].notna().any() else []
        shown = lost[["platform", "campaign", "spend", *reason]]
        _print_table(out, "Spend without a visit", shown, ["platform", "campaign", "reason"])


def print_reconciliation(out: Console, found: Reconciliation) -> None:
    """Print what platforms claim beside the orders that there are."""
    out.print()
    out.print(Text(visible(found.headline), style="bold"), soft_wrap=True)
    platforms = found.table["platform"].map(dict(found.titles))
    columns = ["platform", "claimed", "eligible", "only_eligible", "may_claim"]
    if found.value is not None:
        columns += ["claimed_value", "eligible_value"]
    claims = found.table.assign(platform=platforms)[columns]
    _print_table(out, "Claims, and orders with a click within the window", claims, ["platform"])
    columns = ["eligible", "orders"] + (["value"] if found.value is not None else [])
    title = "Orders by the platforms that had a click"
    _print_table(out, title, found.patterns[columns], ["eligible"])
    of_all = found.bounds[["assuming", "what", "low", "high"]]
    _print_table(out, "What can be true", of_all, ["assuming", "what"])
    for remark in found.remarks:
        out.print(Text(visible(remark), style="dim"))


def write_tables(
    out: Path, force: bool, spend: Spend, found: Marketing, claims: Reconciliation | None
) -> list[Path]:
    """Write all tables as CSV, and return the files.

    Parameters
    ----------
    out : pathlib.Path
    force : bool
        Whether to remove the tables of an earlier run.
    spend : Spend
    found : Marketing
    claims : Reconciliation or None

    Returns
    -------
    list of pathlib.Path
    """
    tables: Mapping[str, pd.DataFrame] = {
        "marketing.csv": found.table,
        "periods.csv": found.periods,
        "groups.csv": found.groups,
        "cohorts.csv": found.cohorts(),
        "payback.csv": found.payback(),
        "campaigns.csv": found.matches.table,
        "visits_without_spend.csv": found.matches.without_spend,
        "spend_rejected.csv": spend.rejected,
    }
    if claims is not None:
        tables = {
            **tables,
            "claims.csv": claims.table,
            "eligible_orders.csv": claims.orders,
            "bounds.csv": claims.bounds,
        }
    with whole_files(out, gone=_FILES if force else ()) as draft:
        for name, table in tables.items():
            write_csv(pd.DataFrame(table), draft / name)
    return [out / name for name in tables]


def _print_table(out: Console, title: str, rows: pd.DataFrame, names: list[str]) -> None:
    """Print rows, names to the left and numbers to the right, narrow enough for a terminal."""
    out.print()
    # A title of the table's own would be as narrow as the table.
    out.print(Text(visible(title), style="italic"))
    headings = {name: _HEADINGS.get(name, name.replace("_", " ")) for name in rows.columns}
    print_whole(out, drawn(rows.head(_MOST_ROWS), headings, names, _cell))
    if len(rows) > _MOST_ROWS:
        more = counted(len(rows) - _MOST_ROWS, "row")
        out.print(Text(f"Not shown: {more}; --out writes all.", style="dim"))


def _cell(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, str):
        return value
    if name in _WHOLE or (float(value).is_integer() and name not in _MONEY):
        return f"{value:,.0f}"
    return f"{value:,.2f}"


_MONEY = ("spend", "revenue", "cpa", "cac", "roas", "mer", "value", "claimed_value",
          "eligible_value")  # fmt: skip
