"""Read amounts that are written as text: ``€1.234,50``, ``1 234,50 kr``, ``(12.00)``.

``1.234`` is a thousand in Germany and little more than one in Britain, and no column says which:
the language is told, never guessed. Whatever is not wholly an amount in that language is refused.
"""

from __future__ import annotations

import math
import re
from typing import Literal

import numpy as np
import pandas as pd

from convergekit.base.options import choice
from convergekit.base.text import INVISIBLE
from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError
from convergekit.events.currencies import SIGNS
from convergekit.events.numeric import numbers_in
from convergekit.typing import IntArray

Amounts = Literal[
    "en", "ch", "da", "de", "es", "it", "nl", "pt", "cs", "fi", "fr", "nb", "pl", "sv"
]

# The decimal mark, and what else than a space may stand between groups of digits, as the Unicode
# Common Locale Data Repository has them (https://cldr.unicode.org, "Number symbols").
# And an amount so written.
_MARKS = {
    "en": (r"\.", ",", "1,234.50"),
    "ch": (r"\.", "'’", "1’234.50"),
    **dict.fromkeys(("da", "de", "es", "it", "nl", "pt"), (",", r"\.", "1.234,50")),
    **dict.fromkeys(("cs", "fi", "fr", "nb", "pl", "sv"), (",", "", "1 234,50")),
}
_SIGNS = "-−–+"
# ISO 4217, https://www.six-group.com/en/products-services/financial-information/data-standards.html.
_WRITTEN = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS "
    "KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF "
    "SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD "
    "TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"
)
#: The codes of currencies.
CODES = frozenset(_WRITTEN.split())
_PESOS = "ARS CLP COP CUP DOP MXN PHP UYU"
_FRANCS = "BIF CDF CHF DJF GNF KMF RWF XAF XOF XPF"
_CROWNS = "DKK ISK NOK SEK"
_RUPEES = "INR LKR MUR NPR PKR SCR"
# The signs of several currencies.
_SEVERAL = {
    "$": "AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NIO NZD SBD SGD SRD TTD TWD USD "
    f"XCD ZWL {_PESOS}",
    **dict.fromkeys(("¥", "￥", "元"), "CNY HKD JPY TWD"),
    **dict.fromkeys(("KR", "KR."), _CROWNS),
    **dict.fromkeys(("FR", "FR.", "SFR", "SFR."), _FRANCS),
    **dict.fromkeys(("RS", "RS."), _RUPEES),
    "PESOS": _PESOS,
}
_MEANT = {
    **{code: frozenset({code}) for code in CODES},
    **{sign: frozenset({code}) for sign, code in SIGNS.items()},
    **{sign: frozenset(codes.split()) for sign, codes in _SEVERAL.items()},
}

#: What is a thousand and more in one language, and little more than one in another.
THOUSAND_OR_NOT = r"\s*-?[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?:,[0-9]{3})+)\s*"
# One of them may be a slip.
_FEWEST = 2


def money(values: pd.Series, *, amounts: Amounts) -> pd.DataFrame:
    """Read amounts that are written as text, and the currency where the text says it.

    Parameters
    ----------
    values : pandas.Series
        Texts such as ``"€1.234,50"``, ``"1 234,50 kr"``, ``"(12.00)"`` or ``"1,234.50 USD"``. Cells
        that are numbers stay what they are; blank ones are missing. Never changed.
    amounts : {"en", "ch", "da", "de", "es", "it", "nl", "pt", "cs", "fi", "fr", "nb", "pl", "sv"}
        The language in which they are written: it says whether a comma or a point is the decimal
        mark, and what else than a space stands between groups of three digits. ``"ch"`` is German
        as in Switzerland, ``1’234.50``; ``"en"`` reads Indian groups too, ``1,23,456.50``.

    Returns
    -------
    pandas.DataFrame
        With the index of `values`: `amount` (float, below zero with a minus or in brackets) and
        `currency`, a code of ISO 4217. It is missing where the text names none, or has a sign of
        several currencies, such as ``$``, ``¥`` and ``kr``.

    Raises
    ------
    ConvergekitError
        A text is not wholly an amount in this language, or `amounts` is another language.

    See Also
    --------
    convergekit.check_up : Finds amounts that are text.

    Examples
    --------
    >>> import convergekit as ck
    >>> prices = pd.Series(["€1.234,50", "12,00 USD", "(8,50)", None])
    >>> ck.money(prices, amounts="de")
       amount currency
    0  1234.5      EUR
    1    12.0      USD
    2    -8.5      NaN
    3     NaN      NaN
    """
    choice("amounts", amounts, Amounts)
    if not isinstance(values, pd.Series):
        raise ConvergekitError(
            "money reads a column, such as ck.money(events['properties.total'], amounts='de'); "
            f"got {type(values).__name__}."
        )
    every = np.arange(len(values))
    numbers = numbers_in(values, every)
    found = np.full(len(values), np.nan) if numbers is None else numbers
    codes = np.full(len(values), np.nan, dtype=object)
    if numbers is None:
        texts = np.array([isinstance(cell, str) for cell in values], dtype=bool)
        rest = values[~texts].astype(object)
        others = numbers_in(rest, np.arange(len(rest)))
        if others is None:
            raise ConvergekitError(
                "money reads texts and numbers; the column holds something else too, such as "
                f"{_first_other(rest)}."
            )
        found[~texts] = others
        # Each text once: a column of prices has few.
        code, distinct = pd.factorize(values[texts].astype(object))
        read = [read_amount(text, amounts) for text in distinct]
        unread = [place for place, one in enumerate(read) if one is None]
        if unread:
            _refuse(values, np.flatnonzero(texts)[np.isin(code, unread)], amounts)
        found[texts] = np.array([one[0] for one in read if one] or [np.nan])[code]
        codes[texts] = np.array([one[1] for one in read if one] or [""], dtype=object)[code]
    return pd.DataFrame(
        {
            "amount": found,
            "currency": pd.Series(codes, index=values.index, dtype="str").replace("", np.nan),
        },
        index=values.index,
    )


def _refuse(values: pd.Series, at: IntArray, amounts: Amounts) -> None:
    first = shortened(values.iloc[at[0]], 40)
    raise ConvergekitError(
        f"{counted(len(at), 'text is', 'texts are')} not an amount as amounts={amounts!r} writes "
        f"it, such as {_MARKS[amounts][2]!r}; the first is {first!r} in row {at[0]}. Give the "
        "language in which they are written, or make what is not an amount missing."
    )


def _first_other(cells: pd.Series) -> str:
    one = np.arange(1)
    other = (c for c in cells if numbers_in(pd.Series([c], dtype=object), one) is None)
    return type(next(other)).__name__


def are_thousands_or_decimals(texts: pd.Series) -> bool:
    """Return whether texts may be thousands, or have three decimals: nothing in them says which.

    So it is where all that have a mark have three digits after it, as ``1.234`` has, and there are
    two of them at least.

    Examples
    --------
    >>> are_thousands_or_decimals(pd.Series(["1.234", "2.500", "17", None]))
    True
    >>> are_thousands_or_decimals(pd.Series(["1.234", "2.50"]))
    False
    """
    marked = texts[texts.str.contains("[.,]", na=False)]
    return len(marked) >= _FEWEST and bool(marked.str.fullmatch(THOUSAND_OR_NOT).all())


def read_amount(text: str, amounts: Amounts) -> tuple[float, str] | None:
    """Return the amount of a text and its currency, empty if it names none; None if unreadable.

    Examples
    --------
    >>> read_amount("1.234,50 €", "de"), read_amount("1.234,50", "en")
    ((1234.5, 'EUR'), None)
    """
    text = "".join(character for character in text if character not in INVISIBLE)
    text = re.sub(r"\s+", " ", text).strip()
    if not text:
        return np.nan, ""
    # A point behind letters is theirs: "Rs.500".
    found = re.fullmatch(r"([^0-9]*?)((?:(?<![^\W_])[.,])?[0-9](?:.*[0-9])?)([^0-9]*)", text)
    if found is None:
        return None
    head, digits, tail = found.groups()
    # "12,-" is how prices without cents are written.
    tail = re.sub(rf"^{_MARKS[amounts][0]}[-–—]+", "", tail)
    value = _number(digits, amounts)
    around = _around(head, tail)
    if value is None or around is None:
        return None
    below, code = around
    return (-value if below else value), code


def _number(digits: str, amounts: Amounts) -> float | None:
    decimal, mark, _ = _MARKS[amounts]
    groups = rf"[0-9]{{1,3}}(?P<mark>[ {mark}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    if amounts == "en":
        groups += r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    found = re.fullmatch(rf"(?P<whole>{groups}|[0-9]*)(?:{decimal}(?P<part>[0-9]+))?", digits)
    if found is None:
        return None
    whole = re.sub("[^0-9]", "", found["whole"])
    value = float(f"{whole or 0}.{found['part'] or 0}")
    return value if math.isfinite(value) else None


def _around(head: str, tail: str) -> tuple[bool, str] | None:
    """Return whether what stands around the digits says "below zero", and which currency."""
    head, tail = head.strip(), tail.strip()
    brackets = head.count("("), tail.count(")")
    if brackets not in ((0, 0), (1, 1)):
        return None
    head, tail = head.replace("(", ""), tail.replace(")", "")
    signs = [character for character in head + tail if character in _SIGNS]
    if len(signs) + brackets[0] > 1:
        return None
    words = re.sub(f"[{re.escape(_SIGNS)}]", " ", f"{head} {tail}").upper().split()
    if not _MEANT.keys() >= set(words):
        return None
    # "$12.00 USD" says the dollar twice, the second time which; "$12.00 EUR" contradicts itself.
    meant = [_MEANT[word] for word in words]
    named = frozenset.intersection(*meant) if meant else frozenset()
    if meant and not named:
        return None
    code = "".join(named) if len(named) == 1 else ""
    return bool(brackets[0] or (signs and signs[0] != "+")), code
