"""What is wrong with the tracking of the store's events."""

import os

import convergekit as ck


def model(dbt, session):
    """Return a row a finding."""
    found = ck.check_up(ck.open_store(os.environ["STORE"]).stitched().events)
    return found.findings[["severity", "check", "what", "events", "profiles", "money", "fix"]]
