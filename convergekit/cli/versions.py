"""Show what is installed, and whether compiled kernels are used, for bug reports."""

from __future__ import annotations

import platform
from importlib import metadata

from convergekit.base.compiled import kernels_setting, numba_is_installed

_PACKAGES = ("pandas", "numpy", "scipy", "pyarrow", "networkx", "plotly", "ipywidgets", "numba")


def show_versions() -> None:
    """Print the versions of convergekit and its dependencies, and which path is active.

    Compiled kernels (``pip install 'convergekit[fast]'``) are used for frames of many rows where
    numba is installed; the environment variable ``CONVERGEKIT_KERNELS`` set to ``never`` or
    ``always`` says otherwise. Both paths give the same results.

    Examples
    --------
    >>> import convergekit as ck
    >>> ck.show_versions()  # doctest: +ELLIPSIS
    convergekit  ...
    Python       ...
    """
    # The package imports this module, so it can be asked only now.
    from convergekit import __version__

    print(f"{'convergekit':<13}{__version__}")
    print(f"{'Python':<13}{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _PACKAGES:
        print(f"{name:<13}{_version(name)}")
    print(f"{'kernels':<13}{_path()}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _path() -> str:
    setting = kernels_setting()
    if setting == "never":
        return "plain (CONVERGEKIT_KERNELS=never)"
    if not numba_is_installed():
        return "plain (pip install 'convergekit[fast]' for compiled ones)"
    return "compiled" if setting == "always" else "compiled, for many rows"
