"""Print a digest of every figure of the gallery: ``python -m tests.figures.gallery_figures``."""

from __future__ import annotations

import hashlib

from tests.figures.gallery import gallery


def main() -> None:
    names = gallery.named()
    for picture in gallery.PICTURES:
        drawn = gallery.figure(picture, "light", names).to_json()
        print(picture.name, hashlib.sha256(drawn.encode()).hexdigest())


if __name__ == "__main__":
    main()
