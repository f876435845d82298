"""Slow and obvious: the lines of an order, one after another, become its row."""

from __future__ import annotations


def orders(lines, key, items, together, first=None):
    """Return of each order its fields, its items, its line and how many lines it has."""
    found = []
    for place, line in enumerate(lines):
        name = tuple(line.get(column) for column in key)
        known = [order for order in found if any(name) and order["name"] == name]
        if together and known:
            named = [order for order in found if any(order["name"])]
            known = [named[-1]] if named[-1]["name"] == name else []
        if first and line.get(first) and known and known[-1]["fields"].get(first):
            known = []
        if known:
            order = known[-1]
        else:
            order = {"name": name, "fields": {}, "items": [], "place": place, "lines": 0,
                     "differ": set()}  # fmt: skip
            found.append(order)
        order["lines"] += 1
        for column, value in line.items():
            if not value or column in items.values():
                continue
            if order["fields"].setdefault(column, value) != value:
                order["differ"].add(column)
        item = {own: line[column] for own, column in items.items() if line.get(column)}
        if item:
            order["items"].append(item)
    return found
