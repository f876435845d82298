"""Conditions written as text: a small part of Python that can look at events and do nothing else.

pandas evaluates a query with all of Python's attributes and calls, so ``shop.to_csv('/tmp/x')``
would write a file, and ``shop.__class__`` leads to everything. A query may come from a settings
file or a form, so it is parsed first, and only what is named here is evaluated.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import pandas as pd

from convergekit.errors import ConvergekitError, did_you_mean
from convergekit.events import PROFILE, PROPERTY

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
_TERMS = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.List, ast.Tuple)
_SIGNS = (ast.boolop, ast.unaryop, ast.operator, ast.cmpop)
# No powers and shifts, which make short texts into numbers that fill the memory.
_ALLOWED_SIGNS = (
    *(ast.And, ast.Or, ast.Not, ast.Invert, ast.UAdd, ast.USub, ast.BitAnd, ast.BitOr),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_VALUES = (str, int, float, type(None))
# Between quotes a backtick is text; the texts come first, so they are passed over.
_BACKTICKS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]*)`""", re.DOTALL)


def evaluate_query(events: pd.DataFrame, where: str, title: str) -> Any:
    """Return what a query says of each event.

    Parameters
    ----------
    events : pandas.DataFrame
    where : str
        Comparisons of columns, such as ``"total_price > 30 and shop in ['north', 'south']"``. Short
        names stand for `properties.<name>` or `profile.<name>`; names with dots, spaces or ``$``
        stand between backticks.
    title : str
        What is asked, for error messages.

    Raises
    ------
    ConvergekitError
        It is no query, names no column, or asks for more than a query may do.

    Examples
    --------
    >>> events = pd.DataFrame({"properties.$url": ["/cart", "/"], "properties.price": [5, 50]})
    >>> evaluate_query(events, "`$url`.str.endswith('/') and price > 5", "PageView").tolist()
    [False, True]
    """
    columns = _columns(events)
    quoted: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group()
        name = f"_backticked_{len(quoted)}"
        quoted[name] = match.group(1)
        return name

    text = _BACKTICKS.sub(placeholder, where.strip())
    used: dict[str, pd.Series] = {}
    try:
        for name in _checked_names(text):
            used[name] = events[_column(columns, quoted.get(name, name))]
        return pd.eval(
            text, engine="python", resolvers=(used,), local_dict={}, global_dict={}, level=0
        )
    except RecursionError:
        problem = "it is nested too deeply"
    except ConvergekitError as error:
        problem = str(error)
    except Exception as error:
        types = [f"{quoted.get(name, name)} is {cells.dtype}" for name, cells in used.items()]
        problem = f"{error}. Of the columns, {', '.join(types)}." if types else str(error)
    raise ConvergekitError(f"where={where!r} of {title!r} cannot be evaluated: {problem}") from None


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
        f"{name!r} is not defined. Values stand between quotes, names with dots, spaces or $ "
        f"between backticks: \"`properties.$url` == '/cart'\".{did_you_mean(name, columns)}"
    )


def _checked_names(text: str) -> list[str]:
    """Return the names of a query in which nothing stands that a query may not do."""
    if not text:
        raise ConvergekitError("it is empty; leave out where=, or compare a column with a value.")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError) as error:
        problem = error.msg if isinstance(error, SyntaxError) else str(error)
        equality = re.search(r"[^=!<>]=[^=]", text)
        hint = " Equality is written with two signs: \"utm_source == 'google'\"." * bool(equality)
        raise ConvergekitError(f"{problem}.{hint}") from None
    names: list[str] = []
    _check(tree, names)
    return names


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


def _refused(node: ast.AST) -> ConvergekitError:
    return ConvergekitError(f"{ast.unparse(node)} is no part of a query. {_ALLOWED}")
