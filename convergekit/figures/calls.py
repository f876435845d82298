"""The code of a call, kept by what the call returned: so that an answer can say how to repeat it.

A class that extends `KeepsCalls` keeps, on each answer that one of its public methods returns, the
code of that call. What is asked of an answer is code after the code of the answer.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import inspect
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

_UNITS = (("D", "1D"), ("h", "1h"), ("min", "1min"), ("s", "1s"))
_LONG_LINE = 88
_PACKAGE = __name__.partition(".")[0]
#: What removes a person: the code names no value, for nothing of that person is kept.
_DISCREET = frozenset({"forget"})
Given = ParamSpec("Given")
Found = TypeVar("Found")
Asked = TypeVar("Asked", bound="KeepsCalls")


class KeepsCalls:
    """What is asked questions: the answers know the code of the call that made them."""

    #: The code that this is made by; None if it is not known.
    _call: str | None = None

    def __init_subclass__(cls, **given: Any) -> None:
        """Let the public methods and properties of the class keep their calls."""
        super().__init_subclass__(**given)
        for name, member in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if inspect.isfunction(member):
                setattr(cls, name, _of_method(member))
            elif isinstance(member, functools.cached_property):
                member.func = _of_property(member.func)


def of_function(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Return a public function whose answers keep the code of the call."""

    @functools.wraps(function)
    def asked(*given: Given.args, **options: Given.kwargs) -> Found:
        found = function(*given, **options)
        if isinstance(found, KeepsCalls):
            keep(found, call_code(f"ck.{function.__name__}", function, given, options))
        return found

    return asked


def keep(answer: KeepsCalls, code: str | None) -> None:
    """Let an answer know the code that it is made by."""
    object.__setattr__(answer, "_call", code)
    # What would be without an alias, or a person, is asked on.
    inner = vars(answer).get("stitched")
    if isinstance(inner, KeepsCalls):
        keep(inner, None if code is None else f"{code}.stitched")


def call_code(
    name: str, function: Callable[..., Any], given: tuple[Any, ...], options: Mapping[str, Any]
) -> str:
    """Return a call as code; a value that has no code, such as a frame, is called as its parameter.

    Parameters
    ----------
    name : str
        What is called.
    function : callable
    given : tuple
        The arguments by place, without `self`.
    options : mapping of str
        Those by name.

    Examples
    --------
    >>> call_code("f", lambda steps, spend: 0, (["A"],), {"spend": pd.DataFrame()})
    "f(['A'], spend=spend)"
    """
    names = [one for one in inspect.signature(function).parameters if one != "self"]
    parts = [
        code_of(one, names[min(place, len(names) - 1)] if names else "value")
        for place, one in enumerate(given)
    ]
    parts += [f"{key}={code_of(one, key)}" for key, one in options.items()]
    return laid_out(name, parts)


def laid_out(name: str, parts: list[str]) -> str:
    """Return a call of its arguments' code, over several lines if it is long."""
    code = f"{name}({', '.join(parts)})"
    if len(code) <= _LONG_LINE:
        return code
    return "".join([f"{name}(\n", *(f"    {part},\n" for part in parts), ")"])


def code_of(given: Any, name: str = "...") -> str:
    """Return a value as code.

    Parameters
    ----------
    given : object
    name : str
        What a value is called that has no code.

    Examples
    --------
    >>> from convergekit.events.steps import Step
    >>> code_of([Step("PageView", label="Page"), "Placed Order"])
    "[ck.Step('PageView', label='Page'), 'Placed Order']"
    >>> code_of([2.5, float("nan")])
    "[2.5, float('nan')]"
    >>> code_of({"within": pd.Timedelta("36h"), "where": len}, "where")
    "{'within': '36h', 'where': where}"
    """
    if isinstance(given, float) and not math.isfinite(given):
        return f"float({str(given)!r})"
    if given is None or isinstance(given, (str, bool, int, float, bytes)):
        return repr(given)
    if isinstance(given, np.generic):
        return code_of(given.item(), name)
    if isinstance(given, os.PathLike):
        return repr(os.fspath(given))
    if isinstance(given, datetime.timedelta):
        return repr(duration_text(pd.Timedelta(given)))
    if isinstance(given, datetime.date):
        return repr(given.isoformat())
    if isinstance(given, dict):
        parts = (f"{code_of(key, name)}: {code_of(one, name)}" for key, one in given.items())
        return f"{{{', '.join(parts)}}}"
    if isinstance(given, tuple):
        inside = ", ".join(code_of(one, name) for one in given)
        return f"({inside},)" if len(given) == 1 else f"({inside})"
    if isinstance(given, list):
        return f"[{', '.join(code_of(one, name) for one in given)}]"
    if isinstance(given, (set, frozenset)):
        return f"{{{', '.join(sorted(code_of(one, name) for one in given))}}}" if given else "set()"
    public = type(given).__module__.startswith(f"{_PACKAGE}.") and dataclasses.is_dataclass(given)
    return _code_of_ours(given, name) if public and _is_said(given) else name


def duration_text(span: pd.Timedelta) -> str:
    """Return a duration as options take it, such as ``"7D"``."""
    for letter, unit in _UNITS:
        if span % pd.Timedelta(unit) == pd.Timedelta(0):
            return f"{span // pd.Timedelta(unit)}{letter}"
    return str(span)


def _is_said(given: Any) -> bool:
    """Return whether its fields are all that it is made of: not so of answers."""
    return not isinstance(given, KeepsCalls) and all(
        field.init and not field.name.startswith("_") for field in dataclasses.fields(given)
    )


def _code_of_ours(given: Any, name: str) -> str:
    parts = []
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if field.default is not dataclasses.MISSING:
            usual = field.default
        elif field.default_factory is not dataclasses.MISSING:
            usual = field.default_factory()
        else:
            parts.append(code_of(value, name))
            continue
        if value is not usual and not _equal(value, usual):
            parts.append(f"{field.name}={code_of(value, field.name)}")
    return f"ck.{type(given).__name__}({', '.join(parts)})"


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _of_method(
    method: Callable[Concatenate[Asked, Given], Found],
) -> Callable[Concatenate[Asked, Given], Found]:
    @functools.wraps(method)
    def asked(self: Asked, /, *given: Given.args, **options: Given.kwargs) -> Found:
        found = method(self, *given, **options)
        if isinstance(found, KeepsCalls) and found is not self and self._call is not None:
            name = f"{self._call}.{method.__name__}"
            discreet = method.__name__ in _DISCREET
            keep(found, f"{name}(alias)" if discreet else call_code(name, method, given, options))
        return found

    return asked


def _of_property(getter: Callable[[Asked], Found]) -> Callable[[Asked], Found]:
    @functools.wraps(getter)
    def asked(self: Asked) -> Found:
        found = getter(self)
        if isinstance(found, KeepsCalls) and found is not self and self._call is not None:
            keep(found, f"{self._call}.{getter.__name__}")
        return found

    return asked
