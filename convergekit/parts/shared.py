"""A workdir that several processes write to at once."""

from __future__ import annotations

import contextlib
import os
import secrets

from convergekit.parts.workdir import Workdir, not_written


class SharedWorkdir(Workdir):
    """The directory of a run, as a process has it that does not say how far the run is."""

    def write(self, content: bytes, *names: str) -> None:
        """Do as `write_rows` does: whose drafts lie there, one machine cannot know."""
        self.write_rows(content, *names)

    def write_rows(self, content: bytes, *names: str) -> None:
        """Write a file whole, though another task may write the same at the same time."""
        path = self.file(*names)
        draft = path.with_name(f"{path.stem}-{secrets.token_hex(6)}.draft")
        try:
            draft.write_bytes(content)
            os.replace(draft, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise not_written(path, error) from error
