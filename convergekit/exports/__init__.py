"""Reading exports: files of any known format into one canonical event frame."""

from convergekit.exports.reading import read_events

__all__ = ["read_events"]
