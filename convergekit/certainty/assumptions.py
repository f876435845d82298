"""What estimates assume, in words."""

from __future__ import annotations

DEVICES = (
    "Devices: a person's devices are alike in identifying themselves as the visits of one device "
    "are, from a tenth of that likeness to all of it.",
    "Competing orders: an order on one device keeps the others of its errand from identifying "
    "themselves, as often as waits before a change of device say; beyond that, devices are found "
    "again up to 2.5 times as often as it seems, or half as often. People may have 1.4 devices, "
    "however few are found again.",
)
ORDERS = "Orders: whether a token reaches the visit does not depend on whether a login does."
NO_TOKENS = (
    "Orders: none reaches a visit by a token and by a login, so that nothing is known of "
    "those without a browser; anything from none to all of them may be visitors'."
)
SUSPECTS = "Suspects: several logins on one device are one person's, or one person's each."
ARRIVED = (
    "Of each person those events count that arrived: what a blocked browser's owner did is not "
    "among them."
)
WORST = (
    "Profiles with a login of the commonest type are different people; a profile is one person, "
    "or as many as it has logins of a type. Nothing else is assumed."
)
