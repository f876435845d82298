"""Clusters that are larger than a part, and the aliases to blame, before anything is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from convergekit.base.wording import counted
from convergekit.errors import ConvergekitError
from convergekit.identity.aliases import urn
from convergekit.identity.options import StitchOptions
from convergekit.parts.clusters import Carried, carries
from convergekit.parts.rows import Witnesses

_NAMED = 3


def refuse_large(
    blocks: Sequence[int],
    block_of: Callable[[int, set[str]], pd.DataFrame],
    witnesses: Witnesses,
    options: StitchOptions,
    cluster: npt.NDArray[Any],
    most: int,
) -> None:
    """Raise if a cluster has more rows than it may have.

    Parameters
    ----------
    blocks : sequence of int
        How many rows each block has.
    block_of : callable
        Returns columns of the block of a number.
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
    inside, first = cluster == largest, 0
    counts: Counter[str] = Counter()
    names = {name for name in witnesses.columns if carries(name, options)}
    for place, rows in enumerate(blocks):
        mine = inside[first : first + rows]
        first += rows
        if mine.any():
            block = witnesses.typed([block_of(place, names)], names)
            counts += carried_most(block, options, mine)
    over = int((sizes > most).sum())
    raise too_large(counts, int(sizes[largest]), len(cluster), over, most)


def too_large(counts: Counter[str], size: int, rows: int, over: int, most: int) -> ConvergekitError:
    """Return the error of a cluster that has more rows than it may have.

    Parameters
    ----------
    counts : Counter of str
        How many of its rows carry what.
    size : int
        How many rows it has.
    rows : int
        How many there are in all.
    over : int
        How many clusters are too large.
    most : int
        The most rows of a cluster.
    """
    blamed = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]
    named = ", ".join(f"{what!r} ({there:,} rows)" for what, there in blamed)
    block = [what for what, _ in blamed[:1] if what.startswith("urn:")]
    cure = f"Leave it out with block={block!r}" if block else "Correct them"
    return ConvergekitError(
        f"{counted(size, 'row')} of {rows:,} hang together by aliases and "
        f"event IDs, and a part may have {most:,}; most of them carry {named}. "
        f"{f'{over - 1:,} more are as large. ' if over > 1 else ''}"
        f"{cure}, if it does not stand for one person, with another workdir=; or give more "
        f"memory=, or max_cluster={size}."
    )


def carried_most(rows: pd.DataFrame, options: StitchOptions, inside: np.ndarray) -> Counter[str]:
    """Return the aliases and event IDs that most rows of a cluster carry.

    Parameters
    ----------
    rows : pandas.DataFrame
        The columns of a block that may connect rows.
    options : StitchOptions
    inside : numpy.ndarray of bool
        Which of the rows are of the cluster.
    """
    counts: Counter[str] = Counter()
    carried = Carried.of(rows, options)
    aliases = carried.aliases
    found = np.bincount(aliases.alias[inside[aliases.event]], minlength=len(aliases.table))
    for at in np.argsort(-found, kind="stable")[: 100 * _NAMED].tolist():
        if found[at]:
            row = aliases.table.iloc[at]
            counts[urn(row["alias_type"], row["alias_value"])] += int(found[at])
    for name, number in carried.event_ids[inside].value_counts().head(100 * _NAMED).items():
        counts[f"event_id {name}"] += int(number)
    return counts
