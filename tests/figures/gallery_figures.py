"""Print a digest of every figure of the gallery: ``python -m tests.figures.gallery_figures``."""

from __future__ import annotations

import hashlib
import importlib.util
import sys

from tests.processors import ROOT


def main() -> None:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "make_gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = gallery
    spec.loader.exec_module(gallery)
    names = gallery.named()
    for picture in gallery.PICTURES:
        drawn = gallery.figure(picture, "light", names).to_json()
        print(picture.name, hashlib.sha256(drawn.encode()).hexdigest())


if __name__ == "__main__":
    main()
