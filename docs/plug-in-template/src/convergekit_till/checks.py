"""What may be wrong with the events of the till."""

import pandas as pd

import convergekit as ck


def without_receipt(events: pd.DataFrame) -> pd.Series:
    """Return what is wrong with each event, missing where nothing is."""
    is_sale = events["event_name"] == "Placed Order"
    lacking = is_sale & events["properties.receipt_no"].isna()
    return pd.Series("no receipt number", index=events.index, dtype="str").where(lacking)


WITHOUT_RECEIPT = ck.TrackingCheck(
    find=without_receipt,
    needs=["event_name", "properties.receipt_no"],
    severity="medium",
    what="A sale has no receipt number.",
    why="A refund of it cannot be told from a refund of another sale.",
    fix="Update the till to release 7, which prints a number on each receipt.",
)
