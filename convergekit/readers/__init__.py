"""Reading exports: files of any known format into one canonical event frame."""

from convergekit.readers.export import Export, Further
from convergekit.readers.fields import Constant, constant
from convergekit.readers.formats import register_export
from convergekit.readers.gathered import ItemLines
from convergekit.readers.own.suggest import SuggestedColumns, suggest_columns
from convergekit.readers.reading import read_events

__all__ = [
    "Constant",
    "Export",
    "Further",
    "ItemLines",
    "SuggestedColumns",
    "constant",
    "read_events",
    "register_export",
    "suggest_columns",
]
