"""What the package offers: each name is imported from its module when it is first used."""

from .checks.check_up import CheckUp, check_up
from .diagnostics.compare import ProfileComparison, compare_profiles
from .diagnostics.evaluation import Evaluation, evaluate
from .engine.stitching import stitch_table
from .errors import (
    AlreadyThereError,
    ColumnError,
    ConvergekitError,
    DamagedStoreError,
    EventError,
    NotOnThisEngine,
    ReadError,
    UnknownAliasError,
    UnknownNameError,
    WriteError,
)
from .events.steps import Exclusion, Step
from .funnels.funnel import funnel
from .funnels.result import Funnel
from .identity.alias_rules import email_rule, phone_rule
from .readers import Export, read_events, register_export
from .simulate.store import SimulatedStore, simulate_store
from .stitched import Stitched
from .stitching import stitch
from .store import (
    Added,
    ForgottenInStore,
    Repaired,
    Status,
    Store,
    open_store,
    repair_store,
)
from .versions import show_versions
from .visits.channels import CHANNEL_RULES, ChannelRule
from .writers.parquet import read_stitched

__all__ = [
    "CHANNEL_RULES",
    "Added",
    "AlreadyThereError",
    "ChannelRule",
    "CheckUp",
    "ColumnError",
    "ConvergekitError",
    "DamagedStoreError",
    "Evaluation",
    "EventError",
    "Exclusion",
    "Export",
    "ForgottenInStore",
    "Funnel",
    "NotOnThisEngine",
    "ProfileComparison",
    "ReadError",
    "Repaired",
    "SimulatedStore",
    "Status",
    "Step",
    "Stitched",
    "Store",
    "UnknownAliasError",
    "UnknownNameError",
    "WriteError",
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
    "repair_store",
    "show_versions",
    "simulate_store",
    "stitch",
    "stitch_table",
]
__version__: str
