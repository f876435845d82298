"""Calls of tools: of every tool once, and random ones; and whether an answer holds an alias.

`python -m tests.machines.calls --calls 100000` makes random calls, and stops at the first that
writes, opens a file outside the package, asks the network, starts a process or names a person.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convergekit.machines.session import Session
from tests.machines.stores import STEPS, stores

_WEEKS = {"before": ["2026-03-02", "2026-03-08"], "after": ["2026-03-09", "2026-03-15"]}
#: What an audit of the interpreter calls that an answer may not do.
_FORBIDDEN = re.compile(
    r"^(os\.(remove|rename|rmdir|mkdir|link|symlink|chmod|chown|truncate|system|exec|posix_spawn"
    r"|fork|putenv|unsetenv)|shutil\.|subprocess\.|socket\.(connect|bind|sendto|getaddrinfo)"
    r"|urllib\.|http\.|ftplib\.|smtplib\.|tempfile\.|webbrowser\.|pty\.|ctypes\.dlopen)"
)
_watched: list[str] | None = None
_hooked = False


def every_call() -> list[tuple[str, dict[str, Any]]]:
    """Return a call of every tool that is offered without people."""
    return [
        ("overview", {}),
        ("funnel", {"steps": STEPS, "by": ["utm_source"], "top": 3}),
        ("trend", {"steps": STEPS, "within": "3D", "freq": "W"}),
        ("how_sure", {"steps": STEPS}),
        ("counts", {"event": "PageView", "freq": "W", "measure": "profiles"}),
        ("retention", {"returns": "Placed Order"}),
        ("visits", {"by": "campaign"}),
        ("attribution", {"value": "total_price", "model": "linear"}),
        ("customers", {"freq": "W"}),
        ("marketing", {"by": "campaign"}),
        ("why", {**_WEEKS, "steps": STEPS}),
        ("coverage", {}),
        ("next_fix", {"value": "total_price"}),
        ("check_up", {}),
        ("check_answer", {"text": "18 of 60 profiles reached Placed Order."}),
    ]


def aliases_in(s: Any, text: str) -> list[str]:
    """Return the aliases that stand in a text as words of their own."""
    lowered = text.casefold()
    found = []
    for value in s.aliases["alias_value"]:
        alias = value.casefold()
        # A short number may be a count.
        if len(alias) < (6 if alias.isdecimal() else 4) or alias not in lowered:
            continue
        if re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", lowered):
            found.append(value)
    return found


def random_calls(s: Any, seed: int) -> Iterator[tuple[Any, Any]]:
    """Yield calls without end: mostly of real tools with arguments that are half right."""
    rng = random.Random(seed)
    columns = [str(name) for name in s.events.columns]
    names = [name for name, _ in every_call()]
    known = s.aliases[["alias_type", "alias_value"]].head(30)
    emails = [f"urn:{kind}:{value}" for kind, value in known.itertuples(index=False)]
    junk: list[Any] = [
        *("", "/etc/passwd", "../../secret", "file:///etc/shadow", "http://example.com", "\x00"),
        *("__import__('os').system('id')", "{0.__class__}", "%s%n", "'; DROP TABLE", "🦊" * 50),
        *(None, True, 0, -1, 10**30, 1.5, float("1e308"), [], {}, [[]], ["a"] * 50, "x" * 5000),
        *emails, *columns, *STEPS, "7D", "-3D", "1ns", "W", "D", "2026-03-02", "9999-12-31",
    ]  # fmt: skip
    arguments = [
        *("steps", "within", "by", "top", "start", "end", "freq", "event", "measure", "value"),
        *("returns", "model", "lookback", "conversion", "before", "after", "number", "text"),
        *("alias", "path", "out"),
    ]
    while True:
        name: Any = rng.choice([*names, *names, "profile", "forget", "../funnel"])
        given = dict(next((one for known, one in every_call() if known == name), {}))
        for _ in range(rng.choice([0, 1, 1, 2, 4])):
            value = rng.choice(junk)
            is_listed = rng.random() < 0.4
            given[rng.choice(arguments)] = [value, rng.choice(junk)] if is_listed else value
        yield name, given


@contextmanager
def watching() -> Iterator[list[str]]:
    """Give the list of what the interpreter does meanwhile that an answer may not do."""
    global _watched, _hooked
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    _watched = []
    try:
        yield _watched
    finally:
        _watched = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    if event == "open":
        path, mode, flags = (*arguments, None, None)[:3]
        writes = any(letter in str(mode or "") for letter in "wax+") or bool((flags or 0) & 3)
        if writes or not _is_code(path):
            _watched.append(f"open {path!r} {mode} {flags}")
    elif _FORBIDDEN.match(event):
        _watched.append(f"{event} {arguments!r}")


def _is_code(path: Any) -> bool:
    """Return whether a file is code or data of an installed package, or of this checkout."""
    if not isinstance(path, (str, bytes, Path)):
        return isinstance(path, int)
    text = path.decode() if isinstance(path, bytes) else str(path)
    own = Path(__file__).resolve().parents[2]
    inside = [*map(Path, sys.path), own, Path(sys.prefix), Path(sys.base_prefix)]
    return any(str(folder) and Path(text).is_relative_to(folder) for folder in inside) or (
        text.startswith(("/usr/share/zoneinfo", "/proc/", "/sys/", "/etc/localtime"))
    )


def fuzz(session: Session, seed: int, calls: int) -> dict[str, int]:
    """Make random calls, and return how many were answered and refused.

    Raises
    ------
    AssertionError
        One did what it may not.
    """
    counts = {"answered": 0, "refused": 0}
    for number, (name, given) in zip(range(calls), random_calls(session.s, seed), strict=False):
        with watching() as done:
            reply = session.ask(name, given)
        where = f"seed {seed}, call {number}: {name!r} {given!r}"
        assert not done, f"{where} did {done}"
        # What the agent itself said may come back to it.
        own = json.dumps([name, given], ensure_ascii=False, default=str).casefold()
        named = [one for one in aliases_in(session.s, reply.text) if one.casefold() not in own]
        assert not named, f"{where} names a person: {reply.text}"
        counts["refused" if reply.is_error else "answered"] += 1
    return counts


def main() -> None:
    """Run the search."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found = stores()
    each = -(-asked.calls // len(found))
    for place, store in enumerate(found):
        session = Session(store.s, store.spend)
        # Modules are imported, and compiled, when they are first needed.
        for name, given in every_call():
            session.ask(name, given)
        print(place, fuzz(session, asked.seed + place, each), flush=True)


if __name__ == "__main__":
    main()
