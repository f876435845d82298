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
