"""convergekit: browser and server events become profiles, funnels and answers.

>>> import convergekit as ck
>>> s = ck.stitch(ck.simulate_store().events)

`read_events` reads exports, `stitch` makes a `Stitched` of them, which answers the questions:
``help(ck.Stitched)``. `check_up` says what is wrong with the tracking, `open_store` keeps profiles
up to date, and `simulate_store` is a store to try it all on.
"""

from convergekit.alias_rules import email_rule, phone_rule
from convergekit.channels import CHANNEL_RULES, ChannelRule
from convergekit.check_up import CheckUp, check_up
from convergekit.compare import ProfileComparison, compare_profiles
from convergekit.engine.stitching import stitch_table
from convergekit.errors import (
    ColumnError,
    ConvergekitError,
    EventError,
    NotOnThisEngine,
    ReadError,
    UnknownAliasError,
    UnknownNameError,
)
from convergekit.evaluate import Evaluation, evaluate
from convergekit.exports import Export, read_events, register_export
from convergekit.funnel_result import Funnel
from convergekit.funnels import funnel
from convergekit.simulate import SimulatedStore, simulate_store
from convergekit.steps import Exclusion, Step
from convergekit.stitched import Stitched
from convergekit.stitching import stitch
from convergekit.storage import read_stitched
from convergekit.store import Added, Status, Store, open_store
from convergekit.versions import show_versions

__all__ = [
    "CHANNEL_RULES",
    "Added",
    "ChannelRule",
    "CheckUp",
    "ColumnError",
    "ConvergekitError",
    "Evaluation",
    "EventError",
    "Exclusion",
    "Export",
    "Funnel",
    "NotOnThisEngine",
    "ProfileComparison",
    "ReadError",
    "SimulatedStore",
    "Status",
    "Step",
    "Stitched",
    "Store",
    "UnknownAliasError",
    "UnknownNameError",
    "check_up",
    "compare_profiles",
    "email_rule",
    "evaluate",
    "funnel",
    "open_store",
    "phone_rule",
    "read_events",
    "read_stitched",
    "register_export",
    "show_versions",
    "simulate_store",
    "stitch",
    "stitch_table",
]
# The one place that says the version: pyproject.toml reads it from here.
__version__ = "0.1.0"
