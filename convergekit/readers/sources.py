"""Where rows come from: files, and the files inside archives."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convergekit.errors import ConvergekitError


@dataclass(frozen=True)
class Source:
    """A file to read, whose bytes may lie elsewhere than it is called.

    Attributes
    ----------
    path : pathlib.Path
        Where its bytes are.
    name : str
        Its own name, of which the suffix says the format.
    label : str
        What the column `file` calls it.
    said : str
        What errors call it.
    """

    path: Path
    name: str
    label: str
    said: str

    @property
    def stem(self) -> str:
        """The name without its suffixes."""
        return self.name.split(".")[0] or self.name

    def kept_in(self, folder: str) -> Source:
        """Return the file moved to another folder, where its archive does not remove it."""
        return replace(self, path=self.path.rename(Path(folder, self.path.name)))

    @contextlib.contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Call the file in errors what the user calls it."""
        try:
            yield
        except ConvergekitError as error:
            if self.said == str(self.path):
                raise
            raise type(error)(str(error).replace(str(self.path), self.said)) from None


def sources_of(files: Sequence[Path]) -> list[Source]:
    """Return the files as sources; a name that two of them have is told apart by its path."""
    named = Counter(path.name for path in files)
    return [
        Source(path, path.name, str(path) if named[path.name] > 1 else path.name, str(path))
        for path in files
    ]
