"""Build what a release consists of, check each, and publish nothing: ``make release`` runs it last.

python release/build_release.py

In dist/: the wheel and the sdist, which a package index takes. In dist/beside/: the documentation
site, conda-forge's recipe, the release notes, the software bill of materials, a provenance
statement, and the SHA-256 of all of them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from check_release import heading_of, version_of
from check_wheel import check_contents, check_programs, check_uv, installed, require, run
from conda_recipe import filled_in, rendered

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
BESIDE = DIST / "beside"
#: Names of formats, which nobody opens.
_STATEMENT = "https://in-toto.io/Statement/v1"
_PROVENANCE = "https://slsa.dev/provenance/v1"


def main() -> None:
    """Do one step after the other; stop at the first that does not hold."""
    version, project = version_of(ROOT), project_of(ROOT)
    commit, date = committed(ROOT)
    os.environ["SOURCE_DATE_EPOCH"] = date
    shutil.rmtree(DIST, ignore_errors=True)
    BESIDE.mkdir(parents=True)
    wheel, sdist = built_twice()
    run(ROOT, sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    tell("twine check: what a package index shows of both is well formed")
    check_contents(wheel)
    with installed(wheel) as programs:
        check_programs(programs, wheel)
        write_sbom(programs, version)
    check_uv(wheel)
    write_docs(ROOT / "site", BESIDE / f"convergekit-{version}-docs.tar.gz")
    write_recipe(version, sdist, project["requires-python"].removeprefix(">="))
    write_notes(version)
    write_provenance([wheel, sdist], version, commit, project)
    write_sums()
    farewell(version)


def built_twice() -> tuple[Path, Path]:
    """Build wheel and sdist, twice: both times the same bytes, or it stops."""
    with tempfile.TemporaryDirectory() as directory:
        for place in (DIST, Path(directory)):
            run(ROOT, sys.executable, "-m", "build", "--no-isolation", "--outdir", place)
        wheel, sdist = next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))
        for file in (wheel, sdist):
            again = Path(directory, file.name)
            require(sha256(file) == sha256(again), f"{file.name}: a second build has other bytes")
    tell(f"wheel and sdist: {wheel.name}, {sdist.name}; a second build has the same bytes")
    return wheel, sdist


def write_sbom(programs: Path, version: str) -> None:
    """Write the software bill of materials of an environment that holds the wheel alone."""
    path = BESIDE / f"convergekit-{version}.cdx.json"
    cyclonedx = Path(sys.executable).with_name("cyclonedx-py")
    options = ["--pyproject", ROOT / "pyproject.toml", "--mc-type", "library", "--validate"]
    options += ["--output-reproducible", "--output-file", path]
    run(ROOT, cyclonedx, "environment", *options, programs / "python")
    bill = json.loads(path.read_text("utf-8"))
    # The version is not in pyproject.toml, which names the file that has it.
    bill["metadata"]["component"]["version"] = version
    parts = {part["name"] for part in bill["components"]}
    require({"pandas", "networkx", "plotly"} <= parts, f"{path.name} lacks a dependency")
    path.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", "utf-8")
    tell(f"bill of materials: {path.name}, CycloneDX {bill['specVersion']}, {len(parts)} parts")


def write_docs(site: Path, path: Path) -> None:
    """Pack the documentation site that `make docs` built and checked."""
    require((site / "index.html").is_file(), "site/ is missing: run make docs first")
    files = sorted(file for file in site.rglob("*") if file.is_file())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in files:
            entry = tarfile.TarInfo(f"site/{file.relative_to(site).as_posix()}")
            entry.size, entry.mtime = file.stat().st_size, int(os.environ["SOURCE_DATE_EPOCH"])
            with file.open("rb") as content:
                archive.addfile(entry, content)
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    tell(f"documentation: {path.name}, {len(files):,} files")


def write_recipe(version: str, sdist: Path, python_min: str) -> None:
    """Write conda-forge's recipe of the sdist, and render it."""
    path = BESIDE / "recipe.yaml"
    path.write_text(filled_in(version, sha256(sdist)), "utf-8")
    found = rendered(path, python_min)
    require(found["package"]["version"] == version, f"{path.name} is of another version")
    tell(f"conda: {path.name}, rendered by rattler-build; conda-forge builds it")


def write_notes(version: str) -> None:
    """Write the changelog's section of the version."""
    path = BESIDE / "release-notes.md"
    path.write_text(notes_of((ROOT / "CHANGELOG.md").read_text("utf-8"), version), "utf-8")
    tell(f"changelog: {path.name}, the section of {version}")


def notes_of(changelog: str, version: str) -> str:
    """Return what a changelog says of a version, its heading included.

    Parameters
    ----------
    changelog : str
    version : str
        One whose heading has its day.
    """
    found = re.search(heading_of(version), changelog, re.MULTILINE)
    require(found is not None, f"CHANGELOG.md has no section of {version} with its day")
    section, *_ = changelog[found.start() :].split("\n## ", 1)
    return section.strip() + "\n"


def write_provenance(
    files: Sequence[Path], version: str, commit: str, project: dict[str, Any]
) -> None:
    """Write from which commit and how the files were built: in-toto's statement, not signed."""
    path = BESIDE / "provenance.json"
    statement = provenance_of(files, version, commit, project["urls"]["Source"])
    path.write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
    tell(
        f"attestations: {path.name} names the commit and what was built, and is not signed: "
        "a signature needs an identity, which the release workflow has; it signs these bytes"
    )


def provenance_of(files: Sequence[Path], version: str, commit: str, source: str) -> dict[str, Any]:
    """Return in-toto's statement of SLSA's provenance of some files.

    Parameters
    ----------
    files : sequence of pathlib.Path
    version, commit : str
    source : str
        Where the repository is.
    """
    return {
        "_type": _STATEMENT,
        "subject": [{"name": file.name, "digest": {"sha256": sha256(file)}} for file in files],
        "predicateType": _PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": f"{source}#make-release",
                "externalParameters": {"version": version},
                "internalParameters": {"python": platform.python_version()},
                "resolvedDependencies": [{"uri": f"git+{source}", "digest": {"gitCommit": commit}}],
            },
            "runDetails": {"builder": {"id": f"{source}#make-release"}},
        },
    }


def write_sums() -> None:
    """Write the SHA-256 of each file, as ``sha256sum --check`` reads it in dist/."""
    files = sorted(file for file in DIST.rglob("*") if file.is_file())
    lines = [f"{sha256(file)}  {file.relative_to(DIST).as_posix()}\n" for file in files]
    (BESIDE / "SHA256SUMS").write_text("".join(lines), "utf-8")
    tell(f"checksums: SHA256SUMS, {len(files)} files")


def farewell(version: str) -> None:
    """Say what is left to a person."""
    print(
        f"\ndist/ holds {version}, and nothing was published. What a person does now:\n"
        "  look over dist/beside/release-notes.md, and what CONTRIBUTING.md leaves to a person\n"
        f"  git tag -s v{version} && git push origin v{version}\n"
        "The release workflow then does all this again, signs it, and waits for an approval\n"
        "before it uploads. Without the workflow, and without attestations:\n"
        "  .venv/bin/python -m twine upload dist/*.whl dist/*.tar.gz"
    )


def committed(root: Path) -> tuple[str, str]:
    """Return the commit that is checked out and its second; stop if files differ from it."""
    changed = run(root, "git", "status", "--porcelain")
    require(not changed, f"commit first; these files differ from the commit:\n{changed}")
    commit, date = run(root, "git", "log", "-1", "--format=%H %ct").split()
    tell(f"commit: {commit}")
    return commit, date


def project_of(root: Path) -> dict[str, Any]:
    """Return the table `project` of a checkout's pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def tell(line: str) -> None:
    """Print what was done, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.SubprocessError) as wrong:
        raise SystemExit(f"the release stops: {wrong}") from wrong
