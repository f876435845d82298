"""Show the difference between our copy of Google's list of sources and a newer one.

``python -m tests.visits.newer_sources sources.txt``: the file is what
https://support.google.com/analytics/answer/9756891 links to, as text. ``pdftotext -layout`` makes
text of the PDF; a CSV of two columns will do as well. Nothing is downloaded.

A source that is new has a plus before it, one that is gone a minus. Take them over into
`convergekit/visits/google_sources.csv`, and set `GOOGLE_SOURCES_DATE` in
`convergekit/visits/sites.py`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from convergekit.visits.sites import GOOGLE_SOURCES_DATE, google_sources

_ROW = re.compile(r'^"?(.+?)"?[,;\s]+"?SOURCE_CATEGORY_([A-Z]+)"?$')


def read(text: str) -> dict[str, str]:
    """Return the category of each source in the text of a list."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if "SOURCE_CATEGORY_" not in line:
            continue
        row = _ROW.match(line.strip())
        if row is None:
            raise SystemExit(f"This line is not understood: {line.strip()!r}.")
        found[row[1].strip().lower()] = row[2].lower()
    return found


def differences(newer: dict[str, str]) -> list[str]:
    """Return a line for each source that one of the two lists lacks or has elsewhere."""
    ours = {source: str(category) for source, category in google_sources().items()}
    gone = {f"{source},{ours[source]}": "-" for source in ours if newer.get(source) != ours[source]}
    new = {f"{one},{newer[one]}": "+" for one in newer if ours.get(one) != newer[one]}
    return [f"{mark} {row}" for row, mark in sorted([*gone.items(), *new.items()])]


def main(paths: list[str]) -> int:
    """Print the difference; return 1 if there is any."""
    if len(paths) != 1:
        raise SystemExit("Name one file: python -m tests.visits.newer_sources sources.txt")
    newer = read(Path(paths[0]).read_text("utf-8"))
    if not newer:
        raise SystemExit(f"{paths[0]} has no line with SOURCE_CATEGORY_.")
    found = differences(newer)
    print(*found, f"{len(found)} differences to the list of {GOOGLE_SOURCES_DATE}.", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
