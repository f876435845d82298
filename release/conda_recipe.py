"""Fill in conda-forge's recipe, and render it with rattler-build.

Names on conda-forge that differ from those of pyproject.toml stand in `NAMES`. Rendering evaluates
the recipe as conda-forge does: a key that its format does not know, or an expression that cannot be
evaluated, stops the release. Building needs conda-forge's packages, and is left to conda-forge.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

RECIPE = Path(__file__).parent / "conda" / "recipe.yaml"
#: On conda-forge: in pyproject.toml. None of today's dependencies has another name there.
NAMES: dict[str, str] = {}
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(.*)")


def filled_in(version: str, sha256: str) -> str:
    """Return the recipe of an sdist.

    Parameters
    ----------
    version : str
    sha256 : str
        Of the sdist's bytes, in hexadecimal digits.
    """
    return RECIPE.read_text("utf-8").replace("VERSION", version).replace("SHA256", sha256)


def wanted(project: dict[str, Any]) -> list[str]:
    """Return what the recipe has to require at run time, as pyproject.toml says."""
    least = project["requires-python"].removeprefix(">=")
    parts = [_REQUIREMENT.fullmatch(one) for one in project["dependencies"]]
    names = [(NAMES.get(part[1], part[1]), part[2]) for part in parts if part is not None]
    return [f"python >={least}", *(f"{name} {bound}".strip() for name, bound in names)]


def rendered(path: Path, python_min: str) -> dict[str, Any]:
    """Return a filled-in recipe as rattler-build evaluates it.

    Parameters
    ----------
    path : pathlib.Path
    python_min : str
        The oldest Python, which conda-forge sets for all its recipes: "3.11".
    """
    import rattler_build

    recipe = rattler_build.Stage0Recipe.from_file(path)
    variants = rattler_build.VariantConfig({"python_min": [python_min]})
    (only,) = recipe.render(variants)
    found: dict[str, Any] = only.recipe.to_dict()
    return found
