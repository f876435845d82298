"""Damage to the files of a directory, whatever they are: what drives, copies and people do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

FLIP, TRUNCATION, OTHER = "flips", "truncations", "other"
_PAGE = 4096


@dataclass(frozen=True)
class Damage:
    """One change of one file.

    Attributes
    ----------
    name : str
        Of one of `_KINDS`.
    which : float
        Which of the files, as a share of how many there are.
    where : float
        Where in it, as a share of its size, or which other file.
    bit : int
        Which of eight.
    """

    name: str
    which: float
    where: float
    bit: int

    @property
    def kind(self) -> str:
        """What it counts as."""
        return {"flip": FLIP, "truncate": TRUNCATION, "empty": TRUNCATION}.get(self.name, OTHER)

    def apply(self, below: Path) -> None:
        """Damage one of the files at a path, or below it."""
        files = files_of(below)
        at = min(int(self.which * len(files)), len(files) - 1)
        other = files[min(int(self.where * len(files)), len(files) - 1)]
        _KINDS[self.name](files[at], self, other)


def files_of(below: Path) -> list[Path]:
    """Return the file at a path, or those below it, in a fixed order."""
    if below.is_file():
        return [below]
    return sorted(path for path in below.rglob("*") if path.is_file())


def contents_of(below: Path) -> dict[str, bytes]:
    """Return what the files below a path hold, by their places."""
    return {str(path.relative_to(below)): path.read_bytes() for path in files_of(below)}


def _flip(path: Path, damage: Damage, _: Path) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[_place(content, damage)] ^= 1 << damage.bit
    path.write_bytes(content)


def _truncate(path: Path, damage: Damage, _: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: _place(content, damage)])


def _zero(path: Path, damage: Damage, _: Path) -> None:
    content = path.read_bytes()
    start = _place(content, damage) // _PAGE * _PAGE
    page = content[start : start + _PAGE]
    path.write_bytes(content[:start] + b"\0" * len(page) + content[start + len(page) :])


def _repeat(path: Path, damage: Damage, _: Path) -> None:
    content = path.read_bytes()
    at = _place(content, damage)
    path.write_bytes(content[:at] + content[at : at + _PAGE] + content[at:])


def _swap(path: Path, _: Damage, other: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


def _overwrite(path: Path, _: Damage, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def _directory(path: Path, _: Damage, __: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path, damage: Damage, other: Path) -> None:
    path.unlink()
    # To itself, to nothing, or to another file.
    path.symlink_to((path, Path("nothing"), other)[damage.bit % 3])


def _gone(path: Path, _: Damage, __: Path) -> None:
    # The directory that it was in may go with it.
    if path.parent.name == "batches":
        shutil.rmtree(path.parent)
    else:
        path.unlink()


def _place(content: bytes | bytearray, damage: Damage) -> int:
    return min(int(damage.where * len(content)), max(len(content) - 1, 0))


_KINDS: dict[str, Callable[[Path, Damage, Path], None]] = {
    "flip": _flip,
    "truncate": _truncate,
    "empty": lambda path, _, __: path.write_bytes(b"") and None,
    "append": lambda path, damage, _: (
        path.write_bytes(path.read_bytes() + b"\0" * damage.bit) and None
    ),
    "zero": _zero,
    "repeat": _repeat,
    "remove": lambda path, _, __: path.unlink(),
    "gone": _gone,
    "swap": _swap,
    "overwrite": _overwrite,
    "directory": _directory,
    "link": _link,
}


def damages() -> st.SearchStrategy[Damage]:
    """Return a strategy of damage, most of it flips and truncations."""
    names = [*["flip"] * 8, *["truncate"] * 4, *_KINDS]
    share = st.floats(0, 1, exclude_max=True)
    return st.builds(Damage, st.sampled_from(names), share, share, st.integers(0, 7))
