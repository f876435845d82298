"""Compiled twins of the plain path, used where numba is installed (``convergekit[fast]``).

Each gives what its plain twin gives, which the tests run both ways. Nothing here is needed:
`compiled` says whether these modules may be imported.
"""

from __future__ import annotations

import functools
import importlib.util
import os

from convergekit.errors import ConvergekitError

#: Below so many rows, loading the kernels takes longer than they save.
_WORTH_LOADING = 200_000
_SETTING = "CONVERGEKIT_KERNELS"
#: What answers may depend on.
_PACKAGES = ("pandas", "numpy", "scipy", "pyarrow", "networkx", "plotly", "ipywidgets", "numba")


def compiled(rows: int) -> bool:
    """Return whether so many rows are for the compiled kernels.

    The environment variable ``CONVERGEKIT_KERNELS`` decides: ``auto`` (the default) takes them
    for many rows where numba is installed, ``never`` and ``always`` say so.
    """
    setting = kernels_setting()
    if setting == "auto":
        return rows >= _WORTH_LOADING and numba_is_installed()
    if setting == "always" and not numba_is_installed():
        raise ConvergekitError(
            f"{_SETTING}=always, but numba is not installed. Install it with "
            "pip install 'convergekit[fast]', or leave the variable out."
        )
    return setting == "always"


def kernels_setting() -> str:
    """Return what the environment says of the kernels: ``auto``, ``always`` or ``never``."""
    setting = os.environ.get(_SETTING, "auto")
    if setting not in ("auto", "always", "never"):
        raise ConvergekitError(f"{_SETTING} must be auto, always or never; got {setting!r}.")
    return setting


@functools.cache
def numba_is_installed() -> bool:
    """Return whether the extra ``fast`` is there."""
    return importlib.util.find_spec("numba") is not None


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
    import platform

    from convergekit import __version__

    print(f"{'convergekit':<13}{__version__}")
    print(f"{'Python':<13}{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in _PACKAGES:
        print(f"{name:<13}{_version(name)}")
    print(f"{'kernels':<13}{_path()}")


def _version(name: str) -> str:
    # Seldom asked, and it takes long to import.
    from importlib import metadata

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
