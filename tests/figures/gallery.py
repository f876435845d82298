"""The script of the gallery, which is a file of docs/ and no module."""

from __future__ import annotations

import importlib.util
import sys

from tests.processors import ROOT


def _loaded():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    # Its dataclass looks for the module that it is of.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


gallery = _loaded()
