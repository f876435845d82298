"""Conditions written as text: a small part of Python that can look at events and do nothing else.

pandas evaluates a query with all of Python's attributes and calls, so ``shop.to_csv('/tmp/x')``
would write a file, and ``shop.__class__`` leads to everything. A query may come from a settings
file or a form, so it is parsed first, and only what is named here is evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from convergekit.base.patterns import as_texts, matched
from convergekit.base.wording import counted, shortened
from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events.arrow import LISTS_OF_TEXT, objects_of
from convergekit.events.schema import PROFILE, PROPERTY

#: Methods of a column that a query may call, and those under its ``.str``.
METHODS = frozenset({"between", "isin", "isna", "notna"})
TEXT_METHODS = frozenset(
    {"contains", "endswith", "fullmatch", "len", "lower", "match", "startswith", "strip", "upper"}
)
_ALLOWED = (
    "A query may compare, calculate and combine columns and values (> + in and or not), and call "
    f"{', '.join(sorted(METHODS))} of a column and {', '.join(sorted(TEXT_METHODS))} of its .str. "
    "For anything else give where= a function of the events."
)
#: Of a pattern; Python's would try for ever, so these are not left to pandas.
_PATTERN_METHODS = frozenset({"contains", "fullmatch", "match"})
#: What a query is made of at most: characters, calculations, a number, and additions of texts and
#: characters added by them. What is kept of each event grows with all but the first.
_LONGEST = 100_000
_MOST_CALCULATIONS = 100
_LARGEST = 10**38
_LONGEST_ADDED = 1_000
_MOST_ADDED = 10
_NUMBERS = frozenset({"len", *METHODS, *_PATTERN_METHODS, "startswith", "endswith"})
_TERMS = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.List, ast.Tuple)
_SIGNS = (ast.boolop, ast.unaryop, ast.operator, ast.cmpop)
# No powers and shifts, which make short texts into numbers that fill the memory.
_ALLOWED_SIGNS = (
    *(ast.And, ast.Or, ast.Not, ast.Invert, ast.UAdd, ast.USub, ast.BitAnd, ast.BitOr),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_VALUES = (str, int, float, type(None))
# Between quotes a backtick is text; the texts come first, so they are passed over. One that does
# not end is passed over too, or each quote in it would be looked at again.
_BACKTICKS = re.compile(r"""'(?:\\.|[^'\\])*+'?|"(?:\\.|[^"\\])*+"?|`([^`]*)`""", re.DOTALL)


def evaluate_query(
    events: pd.DataFrame, where: str, title: str | None, *, option: str = "where"
) -> Any:
    """Return what a query says of each event.

    Parameters
    ----------
    events : pandas.DataFrame
    where : str
        Comparisons of columns, such as ``"total_price > 30 and shop in ['north', 'south']"``. Short
        names stand for `properties.<name>` or `profile.<name>`; names with dots, spaces or ``$``
        stand between backticks.
    title : str or None
        The step that it is a condition of, for error messages.
    option : str, default "where"
        The argument that it was given as.

    Raises
    ------
    ConvergekitError
        It is not a query, names no column, or asks for more than a query may do.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.$url": ["/cart", "/"], "properties.price": [5, 50]})
    >>> evaluate_query(events, "`$url`.str.endswith('/') and price > 5", "PageView").tolist()
    [False, True]
    """
    problem = f"it has {len(where):,} characters; at most {_LONGEST:,} are allowed."
    if len(where) <= _LONGEST:
        query = _Query(events, where)
        try:
            return query.answer()
        except RecursionError:
            problem = "it is nested too deeply"
        except ConvergekitError as error:
            problem = str(error)
        except Exception as error:
            problem = query.told(error)
    of_step = "" if title is None else f" of {title!r}"
    raise ConvergekitError(
        f"{option}={shortened(where, 300)!r}{of_step} cannot be evaluated: "
        f"{shortened(problem, 2_000)}"
    ) from None


def columns_of_query(events: pd.DataFrame, where: str) -> set[str]:
    """Return the columns that a query looks at; it is one that `evaluate_query` takes.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.price": [5], "source": ["web"]})
    >>> columns_of_query(events, "price > 3")
    {'properties.price'}
    """
    return _Query(events, where).columns()


def names_of_query(events: pd.DataFrame, where: str) -> list[str]:
    """Return the columns that a query looks at as it writes them.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.price": [5], "properties.$url": ["/"]})
    >>> names_of_query(events, "price > 3 and `$url` != '/cart' and price < 9")
    ['price', '`$url`']
    """
    return _Query(events, where).names()


class _Query:
    """A query and the columns that it names."""

    def __init__(self, events: pd.DataFrame, where: str) -> None:
        self._events = events
        self._quoted: dict[str, str] = {}
        self._used: dict[str, Any] = {}
        self._text = _BACKTICKS.sub(self._placeholder, where.strip())

    def columns(self) -> set[str]:
        return set(self._named(_parsed(self._text)).values())

    def names(self) -> list[str]:
        named = self._named(_parsed(self._text))
        return [f"`{self._quoted[one]}`" if one in self._quoted else one for one in named]

    def _named(self, tree: ast.Expression) -> dict[str, str]:
        """Return the column that each name in it stands for."""
        columns = _columns(self._events)
        names: list[str] = []
        _check(tree, names)
        return {name: _column(columns, self._quoted.get(name, name)) for name in names}

    def answer(self) -> Any:
        tree = _parsed(self._text)
        for name, column in self._named(tree).items():
            cells = self._events[column]
            # pandas has no comparison and no text of Arrow's lists.
            self._used[name] = objects_of(cells) if cells.dtype == LISTS_OF_TEXT else cells
        _Growth(self._used).check(tree)
        return self._evaluated(self._text, tree)

    def told(self, error: Exception) -> str:
        """Return what an error says, and of which dtypes the columns are."""
        said = shortened(error, 1_500)
        types = [f"{self._quoted.get(n, n)} is {c.dtype}" for n, c in self._used.items()]
        return f"{said}. Of the columns, {', '.join(types)}." if types else said

    def _placeholder(self, match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group()
        name = f"_backticked_{len(self._quoted)}"
        self._quoted[name] = match.group(1)
        return name

    def _evaluated(self, text: str, tree: ast.AST) -> Any:
        """Return what pandas makes of it, given what its patterns match.

        The text is cut where Python sees a call: taken apart and rewritten, `a | b > 1` would
        lose its brackets, which pandas reads in another way.
        """
        encoded, known = text.encode(), dict(self._used)
        for call in reversed(_pattern_calls(tree)):
            name = f"_matched_{len(known)}"
            begin, end = call.col_offset, call.end_col_offset
            known[name] = self._matched(encoded, call)
            encoded = encoded[:begin] + name.encode() + encoded[end:]
        return pd.eval(
            encoded.decode(),
            engine="python",
            resolvers=(known,),
            local_dict={},
            global_dict={},
            level=0,
        )

    def _matched(self, encoded: bytes, call: ast.Call) -> pd.Series:
        pattern, options = _pattern_of(call)
        method: Any = call.func
        of = method.value.value
        # Brackets around it belong to no node.
        text = encoded[of.col_offset : of.end_col_offset].decode()
        cells = self._evaluated(text, ast.parse(text, mode="eval"))
        # Refuses what is not text.
        cells.str  # noqa: B018
        texts = as_texts(cells) if cells.dtype == object else pa.array(cells.astype("str"))
        found = matched(texts, pattern, method.attr, ignore_case=not options.get("case", True))
        if options.get("na"):
            found |= texts.is_null().to_numpy(zero_copy_only=False)
        return pd.Series(found, index=cells.index)


def _columns(events: pd.DataFrame) -> dict[str, str]:
    """Return the column that each name stands for, "" where it may be two."""
    short: dict[str, str] = {}
    for prefix in (PROPERTY, PROFILE):
        for column in map(str, events.columns):
            name = column.removeprefix(prefix)
            if name != column and name not in events:
                short[name] = "" if name in short else column
    return short | {str(column): str(column) for column in events.columns}


def _column(columns: dict[str, str], name: str) -> str:
    if columns.get(name):
        return columns[name]
    if name in columns:
        both = " or ".join(f"`{prefix}{name}`" for prefix in (PROPERTY, PROFILE))
        raise ConvergekitError(f"{name!r} may be {both}; name the one you mean in full.")
    raise ConvergekitError(
        f"{name!r} is not defined. Put values between quotes, names with dots, spaces or $ "
        f"between backticks: \"`properties.$url` == '/cart'\".{did_you_mean(name, columns)}"
    )


def _parsed(text: str) -> ast.Expression:
    if not text:
        raise ConvergekitError("it is empty; leave out where=, or compare a column with a value.")
    if len(text.splitlines()) > 1:
        raise ConvergekitError("it spans several lines; write it on one.")
    try:
        return ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError) as error:
        problem = error.msg if isinstance(error, SyntaxError) else str(error)
        equality = re.search(r"[^=!<>]=[^=]", text)
        hint = " Equality is written with two signs: \"utm_source == 'google'\"." * bool(equality)
        raise ConvergekitError(f"{problem or 'it is nested too deeply'}.{hint}") from None


def _check(node: ast.AST, names: list[str]) -> None:
    if isinstance(node, ast.Name):
        names.append(node.id)
    elif isinstance(node, ast.Call):
        _check_call(node, names)
    elif isinstance(node, _TERMS):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _SIGNS):
                if not isinstance(child, _ALLOWED_SIGNS):
                    raise _refused(node)
            elif not isinstance(child, ast.expr_context):
                _check(child, names)
    elif not (isinstance(node, ast.Constant) and isinstance(node.value, _VALUES)):
        raise _refused(node)


def _check_call(call: ast.Call, names: list[str]) -> None:
    method = call.func
    if not isinstance(method, ast.Attribute):
        raise _refused(call)
    of = method.value
    if isinstance(of, ast.Attribute) and of.attr == "str":
        allowed, of = TEXT_METHODS, of.value
    else:
        allowed = METHODS
    if method.attr not in allowed:
        raise _refused(method)
    _check(of, names)
    for keyword in call.keywords:
        if keyword.arg is None:
            raise _refused(call)
    for given in (*call.args, *(keyword.value for keyword in call.keywords)):
        _check(given, names)


def _pattern_calls(tree: ast.AST) -> list[ast.Call]:
    """Return the outermost calls that a pattern is given to, in the order of the text."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute):
        literal = any(
            keyword.arg == "regex" and getattr(keyword.value, "value", True) is False
            for keyword in tree.keywords
        )
        if tree.func.attr in _PATTERN_METHODS and not literal:
            return [tree]
    found = [call for child in ast.iter_child_nodes(tree) for call in _pattern_calls(child)]
    return sorted(found, key=lambda call: call.col_offset)


def _pattern_of(call: ast.Call) -> tuple[str, Mapping[str, Any]]:
    """Return a call's pattern and whether case matters, and what a missing text is."""
    given = dict(zip(("pat", "case", "flags", "na", "regex"), call.args, strict=False))
    given |= {str(keyword.arg): keyword.value for keyword in call.keywords}
    try:
        options = {name: ast.literal_eval(value) for name, value in given.items()}
    except ValueError:
        options = {}
    pattern = options.pop("pat", None)
    if not isinstance(pattern, str):
        raise ConvergekitError(f"{_said(call)}: give the pattern as text between quotes.")
    unknown = [name for name in options if name not in {"case", "na", "regex"}]
    if unknown:
        raise ConvergekitError(
            f"{_said(call)}: {unknown[0]} is not known here; give case=False to take capitals "
            "and small letters alike, or write (?s) before the pattern."
        )
    return pattern, options


class _Growth:
    """Refuses calculations by which a short query fills the memory: texts repeated or filled up.

    Parameters
    ----------
    columns : mapping of str to pandas.Series
        The columns that the query names.
    """

    def __init__(self, columns: Mapping[str, pd.Series]) -> None:
        self._text = {name: _may_hold_text(cells) for name, cells in columns.items()}

    def check(self, tree: ast.AST) -> None:
        nodes = list(ast.walk(tree))
        calculations = [
            node
            for node in nodes
            if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.BitAnd, ast.BitOr))
        ]
        made = len(calculations) + sum(_makes_text(node) for node in nodes)
        if made > _MOST_CALCULATIONS:
            raise ConvergekitError(
                f"it calculates {made:,} times; at most {_MOST_CALCULATIONS} are allowed. Give "
                "where= a function of the events."
            )
        if any(isinstance(node, ast.Constant) and _is_large(node.value) for node in nodes):
            raise ConvergekitError("a number has more than 38 digits; compare it as text.")
        with_text = [c for c in calculations if self._is_text(c.left) or self._is_text(c.right)]
        for node in with_text:
            if isinstance(node.op, (ast.Mult, ast.Mod)):
                raise ConvergekitError(
                    f"{_said(node)} repeats or fills up a text or a list. Only numbers are "
                    "multiplied here; give where= a function of the events for more."
                )
        self._check_added([node for node in with_text if isinstance(node.op, ast.Add)])

    def _check_added(self, additions: list[ast.BinOp]) -> None:
        inside = {id(node): node for added in additions for node in ast.walk(added)}.values()
        texts = [node.value for node in inside if isinstance(node, ast.Constant)]
        length = sum(len(text) for text in texts if isinstance(text, str))
        if len(additions) > _MOST_ADDED or length > _LONGEST_ADDED:
            raise ConvergekitError(
                f"it adds texts {counted(len(additions), 'time')}, {length:,} characters of its "
                f"own; at most {_MOST_ADDED} times and {_LONGEST_ADDED:,} characters are allowed. "
                "Compare the columns apart."
            )

    def _is_text(self, node: ast.AST) -> bool:
        """Return whether this may be a text or a list: what Python repeats and fills up."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.Name):
            return self._text[node.id]
        if isinstance(node, ast.Call):
            return isinstance(node.func, ast.Attribute) and node.func.attr not in _NUMBERS
        if isinstance(node, (ast.List, ast.Tuple)):
            return True
        if isinstance(node, ast.Compare):
            return False
        return any(map(self._is_text, ast.iter_child_nodes(node)))


def _may_hold_text(cells: pd.Series) -> bool:
    if cells.dtype == object:
        return any(hasattr(cell, "__len__") for cell in cells)
    if isinstance(cells.dtype, pd.ArrowDtype):
        kind = cells.dtype.pyarrow_dtype
        return not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))
    return isinstance(cells.dtype, (pd.StringDtype, pd.CategoricalDtype))


def _makes_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"lower", "strip", "upper"}


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and value >= _LARGEST


def _said(node: ast.AST) -> str:
    return shortened(ast.unparse(node), 200)


def _refused(node: ast.AST) -> ConvergekitError:
    return ConvergekitError(f"{_said(node)} is not allowed in a query. {_ALLOWED}")
