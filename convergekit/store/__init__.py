"""A persistent store: batches are added to it, day after day.

The rows are kept as they came, a file per batch. What follows from them (which profiles there are,
which aliases and values they have) is kept in an index, and rebuilt for the clusters of rows that
a batch touches.
"""

from convergekit.store.adding import Added
from convergekit.store.erasure import ForgottenInStore
from convergekit.store.repair import Repaired, repair_store
from convergekit.store.store import Status, Store, existing_store, open_store

__all__ = [
    "Added",
    "ForgottenInStore",
    "Repaired",
    "Status",
    "Store",
    "existing_store",
    "open_store",
    "repair_store",
]
