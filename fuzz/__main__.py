"""Search for inputs that break a promise: ``python -m fuzz --minutes 10``.

Readers, `stitch`, questions, saves and stores take turns, a hundred inputs at a time. An input
that ends in anything but a documented error or a result that adds up is made as small as Hypothesis
can, printed, and its file kept in ``.artefacts/fuzz``; what breaks at the same place is then passed
over. Keep the small input as a test in ``tests/robustness/test_fuzzed.py``.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tqdm import tqdm

from convergekit.base.text import written
from fuzz.apart import Apart
from fuzz.both import Asked, asked, check_asked
from fuzz.conditions import check_condition, conditions
from fuzz.damage import Damage, damages
from fuzz.files import Case, cases
from fuzz.frames import frames, options
from fuzz.nested import check_nested, nested_lines
from fuzz.oracle import BrokenPromiseError, check_file, check_stitch
from fuzz.packed import Packed, check_packed, packed_files
from fuzz.saves import Forgery, changes, check_save
from fuzz.spend import check_report, reports
from fuzz.stores import check_store
from fuzz.terminal import check_terminal, hostile_frames

_ROOT = Path(__file__).parent.parent
_KEPT = _ROOT / ".artefacts" / "fuzz"
_IN_A_TURN = 100
_SECONDS_TO_SHRINK = 15


class Search:
    """A search of one kind of input, which goes on after it found something.

    Attributes
    ----------
    tried : collections.Counter
        How many inputs of each kind.
    found : dict of str to str
        Per place at which something broke, how.
    """

    def __init__(self, name: str, inputs: st.SearchStrategy[Any], check: Callable[[Any], None]):
        self.name = name
        self.tried = collections.Counter[str]()
        self.found: dict[str, str] = {}
        self._inputs = inputs
        self._check = check

    def turn(self, number: int, bar: tqdm[Any]) -> None:
        """Try a hundred inputs, others in each turn, and show on the bar how many were tried."""
        last: list[Any] = []
        until = math.inf

        @seed(number)
        @settings(max_examples=_IN_A_TURN, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
                  phases=[Phase.generate, Phase.shrink])  # fmt: skip
        @given(self._inputs)
        def one(drawn: Any) -> None:
            nonlocal until
            if _spent() > until:
                # Small enough. Hypothesis wonders why it no longer fails, which is passed over.
                return
            self.tried[getattr(drawn, "kind", "")] += 1
            bar.update()
            try:
                self._check(drawn)
            except Exception as error:
                if _place(error) in self.found:
                    return
                last[:] = [drawn, error]
                until = min(until, _spent() + _SECONDS_TO_SHRINK)
                raise

        try:
            one()
        except Exception:
            if not last:
                raise
            self._keep(*last)

    def _keep(self, drawn: Any, error: Exception) -> None:
        place = _place(error)
        self.found[place] = f"{type(error).__name__}: {error}"
        lines = [f"\n=== {self.name}: {place}", self.found[place][:1500]]
        trace = traceback.extract_tb(error.__traceback__)
        for frame in [f for f in trace if "/convergekit/" in f.filename][-6:]:
            lines.append(f"    {frame.filename}:{frame.lineno} {frame.name}")
        # Above the bar, which stays below.
        tqdm.write("\n".join([*lines, _shown(drawn)]))
        if isinstance(drawn, Case):
            _KEPT.mkdir(parents=True, exist_ok=True)
            path = _KEPT / f"{len(list(_KEPT.iterdir()))}-{drawn.name}"
            path.write_bytes(drawn.content)
            tqdm.write(f"kept as {path.relative_to(_ROOT)}")


def main() -> int:
    """Search for the given time; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of processor time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(_SEARCHES))
    given = parser.parse_args()
    # A warning out of the depths is no way to speak to a user either.
    warnings.simplefilter("error")
    searches = [
        Search(name, inputs(), check)
        for name, (inputs, check) in _SEARCHES.items()
        if given.only in (None, name)
    ]
    until = _spent() + given.minutes * 60
    turns = collections.Counter[str]()
    with contextlib.suppress(KeyboardInterrupt), tqdm(unit=" inputs") as bar:
        while _spent() < until:
            for search in searches:
                search.turn(given.seed + turns[search.name], bar)
                turns[search.name] += 1
                bar.set_postfix(broken=sum(len(s.found) for s in searches), refresh=False)
    for search in searches:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(search.tried.items()) if kind)
        print(
            f"{search.name}: {search.tried.total():,} inputs{f' ({kinds})' if kinds else ''}, "
            f"{len(search.found)} broke a promise"
        )
    raw = sum(not text.startswith(_PROMISE) for s in searches for text in s.found.values())
    print(f"raw exceptions: {raw}")
    return int(any(search.found for search in searches))


def _read(case: Case) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, case.name)
        path.write_bytes(case.content)
        check_file(path, case.rows, format=case.format)


def _stitch(drawn: tuple[Any, dict[str, Any]]) -> None:
    frame, chosen = drawn
    check_stitch(frame, **chosen)


_SEARCHES: dict[str, tuple[Callable[[], st.SearchStrategy[Any]], Callable[[Any], None]]] = {
    "readers": (cases, _read),
    "stitch": (lambda: st.tuples(frames(), options()), _stitch),
    "questions": (asked, check_asked),
    "saves": (changes, Apart(check_save)),
    "stores": (damages, Apart(check_store)),
    "packed": (packed_files, check_packed),
    "nested": (nested_lines, check_nested),
    "conditions": (lambda: conditions, check_condition),
    "terminal": (hostile_frames, check_terminal),
    "spend": (reports, check_report),
}
#: How a promise begins that was broken without an exception of another's.
_PROMISE = BrokenPromiseError.__name__


def _spent() -> float:
    """Return the processor time that was spent, in seconds."""
    apart = (check.seconds for _, check in _SEARCHES.values() if isinstance(check, Apart))
    return time.process_time() + sum(apart)


def _place(error: Exception) -> str:
    """Return what broke and the last line of ours that was at work."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/convergekit/" in f.filename] or frames
    first = "" if not isinstance(error, AssertionError) else ": " + str(error)[:40]
    return f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}{first}"


def _shown(drawn: Any) -> str:
    if isinstance(drawn, Case):
        text = repr(drawn.content)
        return f"{drawn.name} (format={drawn.format!r}, rows={drawn.rows}): {text[:1500]}"
    if isinstance(drawn, (Damage, Forgery, Packed, bytes, str)):
        return repr(drawn)[:3000]
    if isinstance(drawn, pd.DataFrame):
        return repr(drawn.to_dict("list"))
    frame, chosen = (drawn.frame, drawn) if isinstance(drawn, Asked) else drawn
    lines = [f"options {'' if chosen is drawn else chosen}", f"index {frame.index!r}"]
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        try:
            cells = written(list(column))
        except Exception as error:
            # Arrow has no Python form of some values, which is then no fault of ours.
            cells = f"cells that cannot be shown: {error}"
        lines.append(f"  {frame.columns[place]!r}: {column.dtype!r} {cells[:300]}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
