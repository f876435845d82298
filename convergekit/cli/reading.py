"""How the command reads exports: the options of `read_events`, and its errors in their words."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Any, cast

import typer

from convergekit.errors import ConvergekitError
from convergekit.events.money import Amounts as Language
from convergekit.readers import Constant, ItemLines, constant

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=FIELD",
        help="A canonical column and the files' own field, such as event_name=action or "
        "alias.cookie=user.anon; repeatable. Given twice, the first field that has a value counts.",
    ),
]
Constants = Annotated[
    list[str] | None,
    typer.Option(
        "--constant",
        metavar="NAME=VALUE",
        help="A canonical column and its value in every row, such as 'event_name=Placed Order'; "
        "repeatable.",
    ),
]
ReadAs = Annotated[
    str, typer.Option("--read-as", help="The format of the exports, such as ga4 or segment.")
]
Clocks = Annotated[
    list[str] | None,
    typer.Option(
        "--clock",
        metavar="FORMAT=ZONE",
        help="Time zone of a format's epoch numbers that are not UTC, such as "
        "mixpanel=America/New_York; repeatable.",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Of text without a byte-order mark: cp1252, utf-16-le, shift_jis. [utf-8]"),
]
DayFirst = Annotated[
    bool | None,
    typer.Option(
        "--day-first/--month-first",
        help="Whether 01/02/2026 is in February or in January. [such dates are rejected]",
    ),
]
Amounts = Annotated[
    str | None,
    typer.Option(help="The language in which amounts are written: de reads 1.234,50."),
]
Items = Annotated[
    list[str] | None,
    typer.Option(
        "--item",
        metavar="NAME=FIELD",
        help="In tables of a line per item, what an item calls a column, such as "
        "'name=Lineitem name'; repeatable, with --item-key.",
    ),
]
ItemKeys = Annotated[
    list[str] | None,
    typer.Option(help="A column whose value the lines of one event share; repeatable."),
]


def options_of(
    column: list[str] | None,
    constants: list[str] | None,
    read_as: str,
    clock: list[str] | None,
    encoding: str | None,
    day_first: bool | None,
    amounts: str | None,
    item: list[str] | None,
    item_key: list[str] | None,
) -> dict[str, Any]:
    """Return the arguments of `read_events`.

    Raises
    ------
    ConvergekitError
        An option does not have the form that its help shows.
    """
    return {
        "format": read_as,
        "columns": columns_of(column, constants),
        "clock": _clocks(clock),
        "encoding": encoding,
        "day_first": day_first,
        "amounts": cast("Language | None", amounts),
        "items": _items(item, item_key),
    }


def columns_of(column: list[str] | None, constants: list[str] | None) -> dict[str, Any]:
    """Return what `--column` and `--constant` say.

    Examples
    --------
    >>> columns_of(["alias.email=mail", "alias.email=e_mail"], ["event_name=Placed Order"])
    {'alias.email': ['mail', 'e_mail'], 'event_name': ck.constant('Placed Order')}
    """
    found: dict[str, list[str | Constant]] = {}
    for text in column or ():
        name, own = pair(
            "--column", text, "a canonical name and the files' own", "event_name=action"
        )
        found.setdefault(name, []).append(own)
    for text in constants or ():
        name, own = pair("--constant", text, "a canonical name and a value", "event_name=Order")
        found.setdefault(name, []).append(constant(own))
    return {name: owns if len(owns) > 1 else owns[0] for name, owns in found.items()}


def _clocks(given: list[str] | None) -> dict[str, str]:
    clocks: dict[str, str] = {}
    for text in given or ():
        name, _, zone = text.partition("=")
        if not name or not zone:
            raise ConvergekitError(
                "--clock must be a format and a time zone, such as mixpanel=America/New_York; got "
                f"{text!r}."
            )
        if clocks.setdefault(name, zone) != zone:
            raise ConvergekitError(f"--clock names {name!r} twice; give it once.")
    return clocks


def _items(item: list[str] | None, key: list[str] | None) -> ItemLines | None:
    if not item and not key:
        return None
    if not item or not key:
        raise ConvergekitError(
            "--item and --item-key belong together: which columns an item has, and by which the "
            "lines of one event are told, such as --item-key Name --item 'name=Lineitem name'."
        )
    pairs = (pair("--item", text, "a name and a column", "name=Item") for text in item)
    return ItemLines(key=key, items=dict(pairs))


def pair(option: str, text: str, what: str, example: str) -> tuple[str, str]:
    """Return the two parts of ``NAME=VALUE``.

    Raises
    ------
    ConvergekitError
        One of them is missing.

    Examples
    --------
    >>> pair("--rate", "USD=0.9", "a currency and what one is worth", "USD=0.9")
    ('USD', '0.9')
    """
    name, _, own = text.partition("=")
    if not name or not own:
        raise ConvergekitError(f"{option} must be {what}, such as {example}; got {text!r}.")
    return name, own


_TEXT = r"'(?:[^'\\]|\\.)*'"
_OWN = rf"{_TEXT}|ck\.constant\({_TEXT}\)|\[(?:{_TEXT}(?:, )?)+\]|\.\.\."
_PAIR = re.compile(rf"({_TEXT}): ({_OWN})")
_MAPPING = re.compile(rf"columns=\{{({_TEXT}: (?:{_OWN})(?:, {_TEXT}: (?:{_OWN}))*)\}}")
_OPTIONS = (("format", "--read-as"), ("encoding", "--encoding"), ("amounts", "--amounts"))
_WORDS = (
    ("with format=", "with --read-as"),
    ("day_first=True", "--day-first"),
    ("day_first=False", "--month-first"),
)


def in_options(text: str) -> str:
    """Return an error of the library in the words of the command.

    Examples
    --------
    >>> in_options("give columns={'event_name': ck.constant('Placed Order'), 'timestamp': 'at'}.")
    "give --constant 'event_name=Placed Order' --column timestamp=at."
    >>> in_options("say which with format=, such as format='ga4'.")
    'say which with --read-as, such as --read-as ga4.'
    """
    text = _MAPPING.sub(lambda found: " ".join(_said(found[1])), text)
    for keyword, option in _OPTIONS:
        parts = re.split(rf"\b{keyword}=({_TEXT})", text)
        parts[1::2] = [f"{option} {shlex.quote(_plain(value))}" for value in parts[1::2]]
        text = "".join(parts)
    for words, option in _WORDS:
        text = text.replace(words, option)
    return text


def _said(mapping: str) -> list[str]:
    found = []
    for name, own in _PAIR.findall(mapping):
        option = "--constant" if own.startswith("ck.constant") else "--column"
        for value in re.findall(_TEXT, own) or ["'...'"]:
            found.append(f"{option} {shlex.quote(f'{_plain(name)}={_plain(value)}')}")
    return found


def _plain(text: str) -> str:
    return text[1:-1].replace("\\'", "'")
