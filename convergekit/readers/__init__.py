"""Reading exports: files of any known format into one canonical event frame."""

from convergekit.readers.export import Export, Further
from convergekit.readers.formats import register_export
from convergekit.readers.gathered import ItemLines
from convergekit.readers.reading import read_events

__all__ = ["Export", "Further", "ItemLines", "read_events", "register_export"]
