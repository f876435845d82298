"""Reading exports: files of any known format into one canonical event frame."""

from convergekit.exports.export import Export
from convergekit.exports.formats import register_export
from convergekit.exports.reading import read_events

__all__ = ["Export", "read_events", "register_export"]
