"""Print which members of `Stitched` are computed by parts: the table of docs/scale.md."""

from __future__ import annotations

import inspect

import convergekit as ck


def table() -> str:
    """Return the table, a row a member."""
    rows = ["| member | by parts |", "| --- | --- |"]
    for name in sorted(vars(ck.Stitched)):
        if name.startswith("_") or name == "tables":
            continue
        own = inspect.getattr_static(ck.StitchedParts, name)
        said = (inspect.getdoc(own) or "").partition("\n")[0]
        rows.append(f"| `{name}` | {said} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
