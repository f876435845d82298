"""`plug_ins`: which plug-ins are installed, and whether each can be used."""

from __future__ import annotations

import pandas as pd

from convergekit.checks import plugged as checks
from convergekit.entry_points import PlugIns
from convergekit.identity import plugged as alias_rules
from convergekit.readers import formats
from convergekit.visits import plugged as channel_rules

_KINDS: tuple[PlugIns, ...] = (
    formats.PLUG_INS,
    checks.PLUG_INS,
    channel_rules.PLUG_INS,
    alias_rules.PLUG_INS,
)
_COLUMNS = ("kind", "name", "package", "version", "target", "problem")


def plug_ins() -> pd.DataFrame:
    """Return the plug-ins that are installed, and whether each can be used.

    Each of them is imported.

    Returns
    -------
    pandas.DataFrame
        One row per plug-in, all columns text: `kind` (``"exports"``, ``"checks"``,
        ``"channel_rules"`` or ``"alias_rules"``), `name`, `package` and `version` (of the
        distribution that offers it), `target` (the entry point, as ``"module:attribute"``) and
        `problem` (why it cannot be used and what to do, missing where it can).

    See Also
    --------
    read_events : Reads the formats of plug-ins, as those that come with convergekit.
    check_up : Makes the checks of plug-ins.
    channel_rules, alias_rule : Return the rules of a plug-in by its name.

    Notes
    -----
    A plug-in is Python code that was installed with its package. It may do whatever Python may
    do: install those that you trust.

    Examples
    --------
    >>> import convergekit as ck
    >>> ck.plug_ins().columns.tolist()
    ['kind', 'name', 'package', 'version', 'target', 'problem']
    """
    rows = [
        (of_kind.kind, one.name, one.package, one.version, one.target, offer.problem or None)
        for of_kind in _KINDS
        for offer in of_kind.offers()
        for one in offer.plug_ins
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype("str")
