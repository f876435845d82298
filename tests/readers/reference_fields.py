"""The obvious way to look up a path: walk down one row, key by key."""

from __future__ import annotations

import json


def value_at(row, path):
    """Return the value at the path, opening JSON text on the way; None where there is none."""
    value = row
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = opened(value.get(key))
    return value


def opened(cell):
    if isinstance(cell, str) and cell.startswith(("{", "[")):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell
