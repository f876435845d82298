"""Change the code in small ways, and see whether the tests notice: ``python release/mutants.py``.

cosmic-ray makes the changes (a ``<`` for a ``<=``, a ``0`` for a ``1``, ``not`` left out); of all
that it can make, some are drawn by a fixed seed. Each is made in a copy of the checkout, and the
tests of the changed module run in a process of their own, which starts with the libraries loaded.
A change that no test notices survives: it is printed, to be killed by a better test or explained in
docs/testing.md.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cosmic_ray.commands import init
from cosmic_ray.mutating import apply_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.util import restore_contents
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec
from tqdm import tqdm

_ROOT = Path(__file__).parent.parent
_COPIED = ("convergekit", "tests", "data", "docs", "pyproject.toml")
#: Processor time that a module's tests may take with a change; what takes longer never ends.
_SECONDS = 300

#: Of the many things that cosmic-ray can put in place of an operator, those nearest to it.
_OPERATORS = (
    "Binary: Add_Sub Sub_Add Mul_FloorDiv FloorDiv_Mul Mod_Add BitAnd_BitOr BitOr_BitAnd",
    "Comparison: Eq_NotEq NotEq_Eq Lt_LtE LtE_Lt Gt_GtE GtE_Gt Is_IsNot IsNot_Is",
    "Unary: Delete_Not Delete_USub Delete_Invert",
)
_OTHER_OPERATORS = (
    "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer",
    "ExceptionReplacer", "ZeroIterationForLoop",
)  # fmt: skip
#: So few random cases that a change takes seconds; the tests themselves try many more.
_EXAMPLES = 15

#: Slow, and of another module.
_OF_STORAGE = "tests/identity/test_stitch_properties.py::test_saved_and_read_back_is_the_same"
_STITCH = (
    "tests/identity/test_stitch_properties.py",
    "tests/identity/test_stitched.py",
    "tests/robustness/test_bad_input.py",
)
_LIMITS = "tests/identity/test_merge_protection.py"
_FUNNELS = "tests/funnels/test_funnels.py"
#: The modules that decide who is who and who converted, and tests that concern them.
TESTS = {
    "dedupe": ("convergekit/identity/dedupe.py", *_STITCH),
    "aliases": (
        "convergekit/identity/read_aliases.py", "tests/identity/test_alias_rules.py", *_STITCH,
        _LIMITS,
    ),
    "alias_graph": ("convergekit/identity/graph.py", *_STITCH, _LIMITS),
    "properties": ("convergekit/identity/properties.py", *_STITCH),
    "funnels": (
        "convergekit/funnels/funnel.py", _FUNNELS, "tests/funnels/test_funnel_presets.py",
    ),
    "funnel_attempts": (
        "convergekit/funnels/attempts.py", _FUNNELS, "tests/funnels/test_funnel_cases.py",
        "tests/funnels/test_funnel_semantics.py",
    ),
}  # fmt: skip


def main() -> int:
    """Report the share of changes that the tests notice, and those that they do not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--minutes", type=float, default=30, help="of processor time")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    _load_libraries()
    with tempfile.TemporaryDirectory() as directory:
        _copy_to(Path(directory))
        os.chdir(directory)
        return _report(given.only, given.minutes * 60, given.seed)


def _report(modules: list[str], seconds: float, seed: int) -> int:
    if _notice(*dict.fromkeys(test for module in modules for test in TESTS[module])):
        print("the tests fail without any change")
        return 1
    changes = {module: _changes(module, seed) for module in modules}
    total = {module: len(found) for module, found in changes.items()}
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    # Module by module in turn, so that each has its share of the time.
    with contextlib.suppress(KeyboardInterrupt), tqdm(unit=" changes") as bar:
        while any(changes.values()) and _spent() < seconds:
            for module in [m for m in modules if changes[m]]:
                noticed = _noticed(module, changes[module].pop())
                if noticed is not None:
                    tried[module] += 1
                    survived[module] += not noticed
                    bar.set_postfix(noticed=tried.total() - survived.total(), refresh=False)
                    bar.update()
    for module in modules:
        noticed = tried[module] - survived[module]
        print(f"{module}: {noticed} of {tried[module]} noticed; drawn from {total[module]:,}")
    noticed = tried.total() - survived.total()
    print(f"all: {noticed} of {tried.total()} noticed; drawn from {sum(total.values()):,}")
    return 0


def _changes(module: str, seed: int) -> list[MutationSpec]:
    """Return all changes that can be made to a module, in a random order."""
    with use_db(":memory:", WorkDB.Mode.create) as database:
        init([Path("convergekit", f"{module}.py")], database, {})
        found = [change for item in database.work_items for change in item.mutations]
    names = {f"core/{name}" for name in _operators()}
    found = [change for change in found if change.operator_name in names]
    found.sort(key=lambda change: (change.start_pos, change.operator_name, change.occurrence))
    random.Random(seed).shuffle(found)
    return found


def _operators() -> Iterator[str]:
    for line in _OPERATORS:
        kind, _, pairs = line.partition(": ")
        yield from (f"Replace{kind}Operator_{pair}" for pair in pairs.split())
    yield from _OTHER_OPERATORS


def _runs_alike(one: str, other: str) -> bool:
    """Return whether two sources differ in nothing but annotations, which are never evaluated."""
    return ast.dump(_bare(one)) == ast.dump(_bare(other))


def _bare(source: str) -> ast.AST:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None:
                setattr(node, name, ast.Constant(None))
    return tree


def _noticed(module: str, change: MutationSpec) -> bool | None:
    """Return whether the tests fail with the change, None for one that is never run."""
    path = change.module_path
    operator = get_operator(change.operator_name)(**change.operator_args)
    with restore_contents(path):
        before, after = apply_mutation(path, operator, change.occurrence)
        if _runs_alike(before, after):
            return None
        noticed = _notice(*TESTS[module])
    if not noticed:
        lines = zip(before.splitlines(), after.splitlines(), strict=False)
        at, old, new = next((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b)
        tqdm.write(f"{path}:{at} survives\n  - {old.strip()}\n  + {new.strip()}")
    return noticed


def _notice(*tests: str) -> bool:
    """Return whether the tests fail."""
    child = os.fork()
    if child == 0:
        _run_tests(tests)
    _, status = os.waitpid(child, 0)
    return status != 0


def _run_tests(tests: Sequence[str]) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    # An endless loop may fill the memory before its time is up.
    resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ.update(CI="1", CONVERGEKIT_KERNELS="never")
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.getcwd())
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", f"--deselect={_OF_STORAGE}"]
    # That a plugin is loaded already is what saves the time.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(int(pytest.main([*options, *tests], plugins=[_FewExamples()])))


class _FewExamples:
    """A plugin: few random cases for each test, also where it asks for many."""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Give each test of Hypothesis other settings."""
        from hypothesis import settings

        for item in items:
            test = getattr(item, "obj", None)
            if hasattr(test, "hypothesis"):
                test._hypothesis_internal_use_settings = settings(
                    test._hypothesis_internal_use_settings, max_examples=_EXAMPLES
                )


def _load_libraries() -> None:
    """Import what every run of the tests needs, but nothing of ours."""
    import hypothesis  # noqa: F401
    import networkx  # noqa: F401
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pytest  # noqa: F401
    import scipy.sparse.csgraph  # noqa: F401


def _copy_to(directory: Path) -> None:
    for name in _COPIED:
        source = _ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, directory)


def _spent() -> float:
    own, children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    sys.exit(main())
