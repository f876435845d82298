"""Importing the library costs little more than importing pandas."""

from __future__ import annotations

import subprocess
import sys


def test_heavy_libraries_are_imported_when_they_are_used():
    code = "import sys, convergekit; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "pandas" in loaded
    heavy = {"networkx", "plotly", "ipywidgets", "scipy.sparse", "scipy.stats", "tqdm", "typer"}
    heavy |= {"numba"}
    assert loaded.isdisjoint(heavy)
