"""Packages with entry points, laid into a folder as an installer does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path, package: str, version: str, groups: Mapping[str, Mapping[str, str]], code: str
) -> None:
    """Install a package of one module, called as the package is."""
    module = package.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    about = folder / f"{module}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[convergekit.{group}]", *(f"{n} = {at}" for n, at in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
