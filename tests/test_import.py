"""Importing the library costs next to nothing, and using it loads what is used."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import convergekit as ck


def modules_after(code: str) -> set[str]:
    code = f"import sys; {code}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_loads_nothing_but_names():
    loaded = modules_after("import convergekit")
    assert "convergekit" in loaded
    assert loaded.isdisjoint({"pandas", "numpy", "pyarrow", "convergekit.stitching"})


def test_heavy_libraries_are_imported_when_they_are_used():
    loaded = modules_after("import convergekit; convergekit.stitch")
    assert {"pandas", "convergekit.stitching"} <= loaded
    heavy = {"networkx", "plotly", "ipywidgets", "scipy.sparse", "scipy.stats", "tqdm", "typer"}
    heavy |= {"numba"}
    assert loaded.isdisjoint(heavy)


def test_rules_of_visits_do_not_read_the_list_of_public_suffixes():
    loaded = modules_after("import convergekit; convergekit.VisitRules; convergekit.check_up")
    assert "convergekit.visits.addresses" in loaded
    assert "publicsuffixlist" not in loaded


def test_no_module_stands_in_the_way_of_a_name():
    # A module, once imported, is an attribute of the package, in place of what has its name.
    modules = {module.name for module in pkgutil.iter_modules(ck.__path__)}
    assert "stitching" in modules
    assert modules.isdisjoint(ck.__all__)


def test_every_name_is_there():
    assert {name for name in ck.__all__ if getattr(ck, name, None) is None} == set()
    assert set(ck.__all__) <= set(dir(ck))
