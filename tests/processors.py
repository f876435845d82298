"""The same answers on another machine: ``python -m tests.processors``.

What the notebooks print and draw, what the examples of the documentation print and the gallery's
figures are computed again as on processors that have less than this one, on other versions of BLAS,
with other numbers of threads, in another time zone and another language; and with other last digits
and other orders of ties than any processor that is at hand has. Notebooks are validated by nbval.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: A directory whose sitecustomize.py changes how Python computes.
WAYS = ROOT / "tests" / "another_machine"

#: What says which code of this processor is used; a run sets its own.
_OF_PROCESSORS = (
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
    "GLIBC_TUNABLES",
    "ARROW_USER_SIMD_LEVEL",
    "NUMBA_CPU_NAME",
)
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
#: From the oldest on; what one does not know or this processor has not, OpenBLAS replaces.
_BLAS_CORES = {
    "x86_64": ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake"),
    "aarch64": ("ARMV8", "CORTEXA57", "THUNDERX2T99", "NEOVERSEN1", "NEOVERSEV1"),
}


@dataclass(frozen=True)
class Machine:
    """Another machine: its name, the environment that simulates it, and why that cannot be."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)
    missing: str = ""

    @property
    def environment(self) -> dict[str, str]:
        own = {name: text for name, text in os.environ.items() if name not in _OF_PROCESSORS}
        path = [str(ROOT), *filter(None, [own.get("PYTHONPATH")])]
        if "ANOTHER_MACHINE" in self.settings:
            path.insert(0, str(WAYS))
        return {**own, "PYTHONPATH": os.pathsep.join(path), **self.settings}


HERE = Machine("here")


def machines(scratch: Path) -> list[Machine]:
    """Return every machine that can be simulated somewhere; files that one needs go to scratch."""
    found = [
        *_of_numpy(),
        *_of_openblas(),
        _of_glibc(),
        _of_numba(),
        Machine("arrow-without-simd", {"ARROW_USER_SIMD_LEVEL": "NONE"}),
        *(_of_threads(threads) for threads in (1, 8)),
        *map(_of_time_zone, ("Pacific/Apia", "America/St_Johns")),
        _of_language(scratch),
        Machine("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
        # numba knows functions of NumPy by what they are, and there are none in the kernels.
        Machine("other-digits", {"ANOTHER_MACHINE": "digits", "CONVERGEKIT_KERNELS": "never"}),
        Machine("other-ties", {"ANOTHER_MACHINE": "ties"}),
    ]
    return [HERE, another(found), *found]


def another(found: Sequence[Machine]) -> Machine:
    """Return one machine that is as far as can be from this one in every way."""
    chosen: dict[str, str] = {}
    # The least that NumPy and OpenBLAS can be had with comes first.
    for machine in reversed([machine for machine in found if not machine.missing]):
        if machine.name not in ("ascii", "numba-generic"):
            chosen |= machine.settings
    ways = "digits ties cores" + (" locale" if chosen.get("LC_ALL") else "")
    return Machine("another", {**chosen, "ANOTHER_MACHINE": ways})


def _of_numpy() -> Iterator[Machine]:
    """Yield NumPy's code for lesser processors, the least first: each without one thing more."""
    has = numpy_features()
    there = [name for name, found in has.items() if found]
    for name, found in has.items():
        if found:
            lost = " ".join(there[there.index(name) :])
            yield Machine(f"numpy-without-{name}", {"NPY_DISABLE_CPU_FEATURES": lost})
        else:
            yield Machine(f"numpy-without-{name}", missing=f"this processor has no {name} anyway")
    if not there:
        yield Machine("numpy-baseline", missing="NumPy has no other code for this processor")


@cache
def numpy_features() -> dict[str, bool]:
    """Return what NumPy has code of its own for, and whether the processor has it."""
    # No public name tells, and the names are others from version to version.
    code = (
        "import json; from numpy._core._multiarray_umath import __cpu_dispatch__ as names, "
        "__cpu_features__ as has; print(json.dumps({n: bool(has.get(n)) for n in names}))"
    )
    return json.loads(_python(code, HERE.environment).stdout)


def _of_openblas() -> Iterator[Machine]:
    """Yield OpenBLAS's code for other processors that this one can run."""
    own = openblas_core()
    seen = {own}
    for core in _BLAS_CORES.get(platform.machine(), ("ARMV8",)):
        used = openblas_core(core)
        if not own:
            yield Machine(f"openblas-{core}", missing="NumPy's BLAS here is not OpenBLAS")
        elif used in seen:
            yield Machine(f"openblas-{core}", missing=f"OpenBLAS takes {used} for it here")
        else:
            seen.add(used)
            yield Machine(f"openblas-{core}", {"OPENBLAS_CORETYPE": core})


@cache
def openblas_core(core: str = "") -> str:
    """Return whose code NumPy's OpenBLAS uses, asked for a core's or none; "" without OpenBLAS."""
    asked = {"OPENBLAS_CORETYPE": core} if core else {}
    environment = {**HERE.environment, **asked, "OPENBLAS_VERBOSE": "2"}
    said = _python("import numpy; numpy.linalg.inv(numpy.eye(64))", environment).stderr
    named = [line.removeprefix("Core: ") for line in said.splitlines() if line.startswith("Core: ")]
    return named[0].strip() if named else ""


def _of_glibc() -> Machine:
    if platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64":
        return Machine("glibc-without-fma", missing="its library of mathematics is not x86's glibc")
    # Before glibc 2.33 they had the longer names; unknown ones are passed over.
    names = ("FMA", "FMA4", "AVX", "AVX2", "AVX512F")
    lost = ",".join(f"-{name}{end}" for name in names for end in ("", "_Usable"))
    return Machine("glibc-without-fma", {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={lost}"})


def _of_numba() -> Machine:
    if find_spec("numba") is None:
        return Machine("numba-generic", missing="numba is not installed")
    settings = {"NUMBA_CPU_NAME": "generic", "CONVERGEKIT_KERNELS": "always"}
    return Machine("numba-generic", settings)


def _of_threads(threads: int) -> Machine:
    ways = {"ANOTHER_MACHINE": "cores", "ANOTHER_MACHINE_CORES": str(threads)}
    return Machine(f"threads-{threads}", {**dict.fromkeys(_THREADS, str(threads)), **ways})


def _of_time_zone(zone: str) -> Machine:
    if not any((Path(directory) / zone).is_file() for directory in zoneinfo.TZPATH):
        return Machine(zone, missing="the system has no time zones, and would take UTC for it")
    return Machine(zone, {"TZ": zone})


def _of_language(scratch: Path) -> Machine:
    """Return a machine set to German, made for this run where it is not installed."""
    name, settings = "de_DE.UTF-8", {"ANOTHER_MACHINE": "locale"}
    try:
        known = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout.split()
        if not {name, "de_DE.utf8"} & set(known):
            made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(scratch / name)]
            subprocess.run(made, capture_output=True, check=True)
            settings["LOCPATH"] = str(scratch)
    except (OSError, subprocess.CalledProcessError):
        return Machine("german", missing="its locale is neither installed nor can be made")
    return Machine("german", {**settings, "LC_ALL": name})


def _python(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )


def notebooks(machine: Machine, paths: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Run notebooks on the machine, and compare what they print and draw with what they hold."""
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=600", "--nbval-sanitize-with"]
    given = [*nbval, str(ROOT / "notebooks" / "nbval.cfg"), "-W", "default", *map(str, paths)]
    # Written without pictures, which are as the browser draws them.
    drawn = {"PLOTLY_RENDERER": "plotly_mimetype"}
    return _pytest(machine, ["-o", "addopts=", *given], drawn)


def examples(machine: Machine) -> subprocess.CompletedProcess[str]:
    """Run the examples of the documentation, and draw its pictures, on the machine."""
    pages = [ROOT / "convergekit", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return _pytest(machine, map(str, [*pages, ROOT / "tests" / "test_docs.py"]), {})


def figures(machine: Machine) -> subprocess.CompletedProcess[str]:
    """Draw every figure of the gallery on the machine: a line each, with a digest of it."""
    return subprocess.run(
        [sys.executable, "-m", "tests.figures.gallery_figures"],
        env=machine.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _pytest(
    machine: Machine, given: Sequence[str] | Iterator[str], settings: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *given],
        env={**machine.environment, **settings},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check(machine: Machine, drawn: str, *, quick: bool) -> tuple[list[str], list[str]]:
    """Return what ran on the machine, in words, and what was said of what differs."""
    work = {"notebooks": notebooks(machine, [ROOT / "notebooks"])}
    if not quick:
        work["examples"] = examples(machine)
    ran = [f"{name}: {done.stdout.splitlines()[-1].strip('= ')}" for name, done in work.items()]
    differs = [done.stdout for done in work.values() if done.returncode]
    now = figures(machine).stdout
    other = sorted(set(now.splitlines()) ^ set(drawn.splitlines()))
    ran.append(f"figures: {len(now.splitlines())} drawn")
    if other:
        differs.append("\n".join(["Figures that differ from those here:", *other]))
    return ran, differs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything on the machines that are named, or on all; return 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.processors", description=__doc__)
    parser.add_argument("machine", nargs="*", help="its name; by default all")
    parser.add_argument(
        "--quick", action="store_true", help="here and another alone, without the examples"
    )
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        found = {machine.name: machine for machine in machines(Path(scratch))}
        names = asked.machine or (["here", "another"] if asked.quick else list(found))
        unknown = sorted(set(names) - set(found))
        if unknown:
            parser.error(f"{unknown[0]} is not known; there are {', '.join(found)}")
        chosen = [found[name] for name in names]
        for machine in chosen:
            if machine.missing:
                print(f"{machine.name}: not available, {machine.missing}.")
        return _run([machine for machine in chosen if not machine.missing], quick=asked.quick)


def _run(chosen: Sequence[Machine], *, quick: bool) -> int:
    if not chosen:
        return 0
    drawn = figures(HERE)
    drawn.check_returncode()
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(check, machine, drawn.stdout, quick=quick) for machine in chosen]
        for machine, run in zip(chosen, running, strict=True):
            ran, differs = run.result()
            settings = " ".join(f"{name}={text!r}" for name, text in machine.settings.items())
            print(f"{machine.name}: {'; '.join(ran)}. {settings}", *differs, sep="\n", flush=True)
            failed = failed or bool(differs)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
