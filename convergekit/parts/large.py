"""Clusters that are larger than a part, and the aliases to blame, before anything is spent."""

from __future__ import annotations

from collections import Counter

import numpy as np

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.identity.aliases import urn
from convergekit.identity.options import StitchOptions
from convergekit.parts.clusters import Carried, carries
from convergekit.parts.rows import Witnesses, read
from convergekit.parts.workdir import Workdir
from convergekit.typing import IntArray

_NAMED = 3


def refuse_large(
    workdir: Workdir,
    witnesses: Witnesses,
    options: StitchOptions,
    cluster: IntArray,
    most: int,
) -> None:
    """Raise if a cluster has more rows than it may have.

    Parameters
    ----------
    workdir : Workdir
        With the blocks of the rows.
    witnesses : Witnesses
    options : StitchOptions
    cluster : numpy.ndarray of int
        Of each row.
    most : int
        The most rows of a cluster.

    Raises
    ------
    ConvergekitError
        It names what most of the rows carry.
    """
    if not len(cluster):
        return
    sizes = np.bincount(cluster)
    largest = int(sizes.argmax())
    if sizes[largest] <= most:
        return
    blamed = _carried_most(workdir, witnesses, options, cluster == largest)
    named = ", ".join(f"{what!r} ({rows:,} rows)" for what, rows in blamed)
    over = int((sizes > most).sum())
    block = [what for what, _ in blamed[:1] if what.startswith("urn:")]
    cure = f"Leave it out with block={block!r}" if block else "Correct them"
    raise ConvergekitError(
        f"{counted(int(sizes[largest]), 'row')} of {len(cluster):,} hang together by aliases and "
        f"event IDs, and a part may have {most:,}; most of them carry {named}. "
        f"{f'{over - 1:,} more are as large. ' if over > 1 else ''}"
        f"{cure}, if it does not stand for one person, with another workdir=; or give more "
        f"memory=, or max_cluster={int(sizes[largest])}."
    )


def _carried_most(
    workdir: Workdir, witnesses: Witnesses, options: StitchOptions, inside: np.ndarray
) -> list[tuple[str, int]]:
    """Return the aliases and event IDs that most rows of a cluster carry."""
    names = {name for name in witnesses.columns if carries(name, options)}
    counts: Counter[str] = Counter()
    first = 0
    for place, rows in enumerate(workdir.done.blocks):
        mine = inside[first : first + rows]
        first += rows
        if not mine.any():
            continue
        block = read(workdir.read("blocks", f"{place:05}.parquet"), names)
        carried = Carried.of(witnesses.typed([block], names), options)
        aliases = carried.aliases
        found = np.bincount(aliases.alias[mine[aliases.event]], minlength=len(aliases.table))
        for at in np.argsort(-found, kind="stable")[: 100 * _NAMED].tolist():
            if found[at]:
                row = aliases.table.iloc[at]
                counts[urn(row["alias_type"], row["alias_value"])] += int(found[at])
        for name, number in carried.event_ids[mine].value_counts().head(100 * _NAMED).items():
            counts[f"event_id {name}"] += int(number)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ordered[:_NAMED]
