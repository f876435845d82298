"""Have Python compute as on another machine. On PYTHONPATH, this runs before anything else.

ANOTHER_MACHINE says in which ways: ``digits``, ``ties``, ``cores``, ``locale``.
"""

from __future__ import annotations

import functools
import importlib.machinery
import inspect
import locale
import math
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_UFUNCS = (
    "exp exp2 expm1 log log2 log10 log1p power float_power cbrt hypot logaddexp logaddexp2 sin cos "
    "tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh"
)
_FUNCTIONS = "dot vdot inner matmul tensordot einsum interp convolve correlate corrcoef cov"
_LINALG = "inv pinv solve lstsq det eigh eigvalsh svd norm"
_MATH = "exp exp2 expm1 log log2 log10 log1p pow sin cos tan atan2 hypot gamma lgamma erf erfc"


class _Changes:
    """Changes modules as soon as they are imported, and imports none: order may matter to them."""

    def __init__(self) -> None:
        self._of_module: dict[str, list[Callable[[ModuleType], None]]] = {}

    def add(self, name: str, change: Callable[[ModuleType], None]) -> None:
        self._of_module.setdefault(name, []).append(change)

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self._of_module:
            return None
        changes = self._of_module.pop(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for change in changes:
                change(module)

        spec.loader.exec_module = exec_module
        return spec


def other_digits(changes: _Changes) -> None:
    """Change the last digits of what IEEE 754 does not fix, as another processor may.

    It fixes + - * / and square roots. Logarithms, powers, and sums of products such as BLAS makes
    are as the processor and the library compute them.
    """
    _nudge(math, _MATH)
    changes.add("numpy", lambda numpy: _nudge(numpy, f"{_UFUNCS} {_FUNCTIONS}"))
    changes.add("numpy.linalg", lambda linalg: _nudge(linalg, _LINALG))
    changes.add("scipy.special", _nudge_ufuncs)


def _nudge_ufuncs(module: ModuleType) -> None:
    from numpy import ufunc

    _nudge(module, " ".join(n for n, found in vars(module).items() if isinstance(found, ufunc)))


def _nudge(module: ModuleType, names: str) -> None:
    for name in names.split():
        # `math.exp2` is new in Python 3.11.
        if hasattr(module, name):
            setattr(module, name, _nudging(getattr(module, name)))


def _nudging(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if kwargs.get("out") is not None:
            return found
        return tuple(map(_nudged, found)) if type(found) is tuple else _nudged(found)

    return computed


def _nudged(values: Any) -> Any:
    """Return the floats up to four steps off, the same for the same float, unless exact."""
    import numpy as np

    if type(values) is float:
        return float(_nudged(np.float64(values)))
    if not isinstance(values, (np.ndarray, np.floating)) or values.dtype != np.float64:
        return values
    bits = np.array(values).view(np.int64)
    # Any library is exact where the answer has few digits, such as 2.0 ** -3 or log(1.0).
    exact = ~np.isfinite(values) | (bits % 2**26 == 0)
    steps = bits % 1_000_003 % 9 - 4
    found = np.where(exact, values, (bits + steps).view(np.float64))
    return found if isinstance(values, np.ndarray) else found[()]


def other_ties(changes: _Changes) -> None:
    """Put what is equal in the other order wherever a sort does not promise to be stable.

    NumPy sorts with AVX-512 or AVX2 where the processor has them; equal keys come out otherwise.
    """
    changes.add("numpy", _turn_argsort)
    changes.add("pandas.core.sorting", _turn_nargsort)


def _turn_argsort(numpy: ModuleType) -> None:
    of_numpy = numpy.argsort

    @functools.wraps(of_numpy)
    def argsort(a: Any, axis: int = -1, kind: Any = None, **how: Any) -> Any:
        if kind not in (None, "quicksort") or how.get("stable") or numpy.ndim(a) != 1:
            return of_numpy(a, axis, kind, **how)
        return len(a) - 1 - of_numpy(a[::-1], kind="stable")

    numpy.argsort = argsort


def _turn_nargsort(sorting: ModuleType) -> None:
    of_pandas = sorting.nargsort
    signature = inspect.signature(of_pandas)

    @functools.wraps(of_pandas)
    def nargsort(*args: Any, **given: Any) -> Any:
        how = signature.bind(*args, **given)
        how.apply_defaults()
        items, mask = how.arguments["items"], how.arguments["mask"]
        if how.arguments["kind"] == "quicksort" and how.arguments["key"] is None:
            turned = mask if mask is None else mask[::-1]
            how.arguments |= {"items": items[::-1], "kind": "stable", "mask": turned}
            return len(items) - 1 - of_pandas(*how.args, **how.kwargs)
        return of_pandas(*args, **given)

    sorting.nargsort = nargsort


def other_cores(changes: _Changes) -> None:
    """Have as many cores as ANOTHER_MACHINE_CORES says."""
    cores = int(os.environ["ANOTHER_MACHINE_CORES"])
    os.cpu_count = lambda: cores


def other_locale(changes: _Changes) -> None:
    """Take on the language of the environment, as a program around the notebook may."""
    locale.setlocale(locale.LC_ALL, "")


_WAYS = {
    "digits": other_digits,
    "ties": other_ties,
    "cores": other_cores,
    "locale": other_locale,
}

_changes = _Changes()
for _way in os.environ.get("ANOTHER_MACHINE", "").split():
    _WAYS[_way](_changes)
sys.meta_path.insert(0, _changes)
