r"""Objects and lists as Python, pandas and NumPy print them, to values; nothing is evaluated.

``DataFrame.to_csv`` writes an object in a cell as ``{'key': 'value', 'int_value': None}``, a list
of NumPy's without commas, ``[{'key': 'a'}\n {'key': 'b'}]``, and one inside of an object as
``array([{'key': 'a'}], dtype=object)``.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from convergekit.base.bounds import DEEPEST, TOO_DEEP

#: A cell of a larger text is not looked into.
LONGEST = 10_000_000
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<text>[uU]?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))"
    r"|(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<word>-?[A-Za-z_][\w.]*|<NA>)"
    r"|(?P<mark>[\[\]{}():,=])"
    r"|(?P<end>$))",
    re.DOTALL,
)
_WORDS: dict[str, Any] = {
    **{"None": None, "nan": None, "NaN": None, "NaT": None, "<NA>": None, "null": None},
    **{"True": True, "False": False, "true": True, "false": False},
}
_CLOSED_BY = {"[": "]", "(": ")", "{": "}"}
#: What is printed as a call, and stands for its first argument alone.
_ARRAYS = frozenset({"array", "np.array", "numpy.array", "list", "tuple", "dict", "OrderedDict"})
_NUMBERS = re.compile(r"Decimal|decimal\.Decimal|(?:np\.|numpy\.)?(?:float|u?int)\d+")
_SAME = re.compile(r"Timestamp|(?:np\.|numpy\.)?(?:str_?|bool_?|datetime64)|UUID|uuid\.UUID")
_TIMES = frozenset({"datetime.datetime", "datetime.date", "datetime"})
_UTC = ("datetime.timezone.utc", "timezone.utc")


class NotPythonError(ValueError):
    """A text is not an object or list as Python prints it."""


def read_python_text(text: str) -> Any:
    r"""Return the object or list that a text is in Python's or NumPy's spelling.

    Raises
    ------
    NotPythonError
        It is not, or nested too deep.

    Examples
    --------
    >>> read_python_text("[{'key': 'id', 'value': {'int_value': 7, 'text': None}}\n {'key': 'b'}]")
    [{'key': 'id', 'value': {'int_value': 7, 'text': None}}, {'key': 'b'}]
    >>> read_python_text("{'items': array([{'price': Decimal('42.50')}], dtype=object)}")
    {'items': [{'price': 42.5}]}
    >>> read_python_text("[promotion] open the door")
    Traceback (most recent call last):
    ...
    convergekit.events.python_text.NotPythonError: unexpected 'promotion'
    """
    if len(text) > LONGEST:
        raise NotPythonError(f"longer than {LONGEST:,} characters")
    found = _Reader(text)
    value = found.value(0)
    if found.kind != "end" or not isinstance(value, (dict, list)):
        raise found.unexpected()
    return value


class _Reader:
    """Goes through the tokens of a text, one ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind: str | None = None
        self.token = ""
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise NotPythonError(f"unexpected {self._text[self._at :].strip()[:1]!r}")
        self.kind = match.lastgroup
        self.token = match[self.kind or 0]
        self._at = match.end()

    def unexpected(self) -> NotPythonError:
        return NotPythonError(f"unexpected {self.token[:20]!r}")

    def _take(self, mark: str) -> bool:
        if self.kind == "mark" and self.token == mark:
            self._next()
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self.unexpected()

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise NotPythonError(TOO_DEEP)
        token, kind = self.token, self.kind
        if kind == "text" or kind == "number":
            self._next()
            return _literal(token)
        if kind == "word":
            return self._word(depth)
        if kind == "mark" and token in _CLOSED_BY:
            self._next()
            return self._object(depth) if token == "{" else self._list(_CLOSED_BY[token], depth)
        raise self.unexpected()

    def _list(self, close: str, depth: int) -> list[Any]:
        found: list[Any] = []
        while not self._take(close):
            # NumPy writes white space between the values.
            if found and not self._take(",") and self.kind == "number":
                raise self.unexpected()
            if found and self._take(close):
                break
            found.append(self.value(depth + 1))
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._take("}"):
            if found:
                self._need(",")
                if self._take("}"):
                    break
            key = self.value(depth + 1)
            self._need(":")
            if not isinstance(key, (str, int)) or str(key) in found:
                raise NotPythonError("a key that is not text, or occurs twice")
            found[str(key)] = self.value(depth + 1)
        return found

    def _word(self, depth: int) -> Any:
        word = self.token
        if word in _WORDS:
            self._next()
            return _WORDS[word]
        is_number, is_same = _NUMBERS.fullmatch(word), _SAME.fullmatch(word)
        if not (is_number or is_same or word in _ARRAYS or word in _TIMES):
            raise self.unexpected()
        self._next()
        self._need("(")
        given, zone = self._arguments(depth)
        if word in _TIMES:
            return _time(given) + zone
        if len(given) != 1:
            raise self.unexpected()
        value = given[0]
        if word == "OrderedDict" and isinstance(value, list):
            return _pairs(value)
        return _literal(value) if is_number and isinstance(value, str) else value

    def _arguments(self, depth: int) -> tuple[list[Any], str]:
        """Return what stands in brackets without a name, and "Z" if it is in UTC.

        `dtype=` says nothing here; a Timestamp says its `tz=` in its text as well.
        """
        found: list[Any] = []
        zone = ""
        while not self._take(")"):
            if self.kind == "word" and self.token in ("dtype", "tz", "tzinfo"):
                is_zone = self.token == "tzinfo"
                self._next()
                self._need("=")
                if is_zone and self.token not in _UTC:
                    raise self.unexpected()
                zone = "Z" if is_zone else zone
                self._next()
            else:
                found.append(self.value(depth + 1))
            if not self._take(",") and self.token != ")":
                raise self.unexpected()
        return found, zone


def _literal(token: str) -> Any:
    try:
        return ast.literal_eval(token.lstrip("+"))
    except (ValueError, SyntaxError, MemoryError):
        raise NotPythonError("a text or number that cannot be read") from None


def _time(given: list[Any]) -> str:
    """Return a moment that Python prints by its numbers."""
    if len(given) < 3 or len(given) > 7 or not all(type(part) is int for part in given):
        raise NotPythonError("a time that cannot be read")
    day, clock = given[:3], [*given[3:], *[0] * (7 - len(given))]
    date = "-".join(f"{part:02d}" for part in day)
    return f"{date}T{clock[0]:02d}:{clock[1]:02d}:{clock[2]:02d}.{clock[3]:06d}"


def _pairs(given: list[Any]) -> dict[str, Any]:
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in given):
        raise NotPythonError("pairs that cannot be read")
    return {str(key): value for key, value in given}
