"""Writing a report: how large the file is, and how long it takes: ``python -m benchmarks.report``.

Stitching is not part of the time. The size is that beside plotly's own script, which every file
with figures holds once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import convergekit as ck
from benchmarks.stitch import machine

#: People of the shops: about 7 events each, as the README's shop has.
PEOPLE = (60, 14_000, 140_000)
MOST_BYTES = 400_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=PEOPLE)
    print(machine())
    print(f"{'events':>10} {'file':>6} {'seconds':>8} {'bytes beside plotly':>20}")
    for people in parser.parse_args().people:
        measure(people)


def measure(people: int) -> None:
    """Write the three files of one shop, each once."""
    from plotly.offline import get_plotlyjs

    store = ck.simulate_store(people=people, spend=True)
    s = ck.stitch(store.events)
    script = len(get_plotlyjs().encode())
    with tempfile.TemporaryDirectory() as directory:
        for kind, write in (("html", s.to_html), ("md", s.to_markdown), ("xlsx", s.to_excel)):
            began = time.perf_counter()
            path = write(Path(directory, f"report.{kind}"), spend=store.spend)
            took = time.perf_counter() - began
            size = path.stat().st_size - (script if kind == "html" else 0)
            print(f"{len(s.events):>10,} {kind:>6} {took:>8.2f} {size:>20,}", flush=True)
            if kind == "html" and size > MOST_BYTES:
                raise SystemExit(f"a report must stay below {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
